"""Packets: which are interesting, where they are counted, what they use up."""

from __future__ import annotations

import pytest

from ipsecmon.lab.network import Network
from ipsecmon.lab.topology import hub
from ipsecmon_parsers.records import Direction

from .sites import first_up, flow_of, network_of, sas_of, sites, traffic


def test_what_one_end_sends_the_other_receives() -> None:
    back = traffic(source="10.2.2.0/24", destination="10.1.1.0/24", packets_per_second=3)
    network = network_of(traffic(packets_per_second=7.3, reply_ratio=0.3), back)
    network.run_until(100_000)
    here, there = flow_of(network, "Site1"), flow_of(network, "Site2")

    assert here.encaps_packets == there.decaps_packets
    assert there.encaps_packets == here.decaps_packets
    assert (here.encaps_packets or 0) > 900_000


def test_the_three_numbers_of_a_direction_are_equal() -> None:
    network = network_of(traffic())
    network.run_until(100)
    flow = flow_of(network, "Site1")

    assert flow.encaps_packets == flow.encrypt_packets == flow.digest_packets
    assert flow.decaps_packets == flow.decrypt_packets == flow.verify_packets


def test_every_packet_is_either_sent_or_a_send_error() -> None:
    network = network_of(traffic(packets_per_second=4))
    network.run_until(60)
    flow = flow_of(network, "Site1")

    # the first leaves at second 0, the last at second 60
    assert (flow.encaps_packets or 0) + (flow.send_errors or 0) == 241
    assert 4 <= (flow.send_errors or 0) <= 20


def test_a_slow_ping_loses_one_packet_to_the_negotiation() -> None:
    # the tutorial's: five packets, "#pkts encaps: 4" and "#send errors 1"
    network = network_of(traffic(packets_per_second=0.2, stop_seconds=25))
    network.run_until(60)
    flow = flow_of(network, "Site1")

    assert (flow.encaps_packets, flow.decaps_packets, flow.send_errors) == (4, 4, 1)


def test_replies_follow_the_ratio() -> None:
    network = network_of(traffic(packets_per_second=10, reply_ratio=0.25))
    network.run_until(1000)
    flow = flow_of(network, "Site1")

    assert flow.decaps_packets == (flow.encaps_packets or 0) // 4


@pytest.mark.parametrize("ratio", [0.0, 0.1, 0.5, 1.0])
def test_loss_takes_its_share_and_never_adds(ratio: float) -> None:
    network = network_of(traffic(packets_per_second=10, reply_ratio=0))
    network.set_loss("Site1", "Site2", ratio)
    for second in range(0, 10_000, 97):
        network.run_until(second)
        sent = flow_of(network, "Site1").encaps_packets or 0
        arrived = flow_of(network, "Site2").decaps_packets or 0

        assert arrived <= sent
        assert arrived == pytest.approx(sent * (1 - ratio), abs=1)


def test_loss_has_a_direction() -> None:
    network = network_of(traffic(packets_per_second=10))
    network.set_loss("Site2", "Site1", 0.5)
    network.run_until(1000)
    here, there = flow_of(network, "Site1"), flow_of(network, "Site2")

    assert there.decaps_packets == here.encaps_packets
    assert here.decaps_packets == (there.encaps_packets or 0) // 2


def test_an_unreachable_peer_receives_nothing_while_the_sender_counts_on() -> None:
    network = network_of(traffic())
    network.run_until(100)
    network.set_unreachable("Site1", "Site2")
    sent, arrived = flow_of(network, "Site1"), flow_of(network, "Site2")
    assert sent.encaps_packets == arrived.decaps_packets
    network.run_until(200)

    assert flow_of(network, "Site1").encaps_packets == (sent.encaps_packets or 0) + 100
    assert flow_of(network, "Site2").decaps_packets == arrived.decaps_packets


def test_kilobytes_are_used_in_units_of_1024_bytes() -> None:
    network = network_of(traffic(packets_per_second=1, bytes_per_packet=1024, reply_ratio=0.5))
    network.run_until(100)
    before = flow_of(network, "Site1")
    network.run_until(1100)
    after = flow_of(network, "Site1")

    used = [
        (old.remaining_kilobytes or 0) - (new.remaining_kilobytes or 0)
        for old, new in zip(before.sas, after.sas, strict=True)
    ]
    assert [sa.direction for sa in after.sas] == [Direction.INBOUND, Direction.OUTBOUND]
    assert used == [500, 1000]


def test_a_kilobyte_begun_is_a_kilobyte_gone() -> None:
    # "(4607999/83191)" on a router that has sent and received four pings
    network = network_of(
        traffic(packets_per_second=0.2, stop_seconds=25), site2={"dialect": "iosxe-17"}
    )
    network.run_until(60)

    assert flow_of(network, "Site2").decaps_packets == 4
    assert {sa.remaining_kilobytes for sa in flow_of(network, "Site2").sas} == {4607999}


def test_replies_that_match_another_line_need_a_pair_of_their_own() -> None:
    narrow = {"source": "10.1.1.0/24", "destination": "10.2.2.0/24"}
    wide = {"source": "10.1.1.0/24", "destination": "10.2.0.0/16"}
    mirrored = [
        {"source": line["destination"], "destination": line["source"]} for line in (wide, narrow)
    ]
    network = network_of(
        traffic(),
        site1={"access_lists": {"101": [narrow, wide]}},
        site2={"access_lists": {"TO-SITE1": mirrored}},
    )
    network.run_until(60)
    out, back = network.flows("Site1")

    assert (bool(out.encaps_packets), out.decaps_packets) == (True, 0)
    assert (back.encaps_packets, bool(back.decaps_packets)) == (0, True)
    # the packets that came before the second pair was up are the peer's send errors
    assert network.flows("Site2")[0].send_errors


def test_traffic_that_matches_no_line_leaves_in_the_clear() -> None:
    network = network_of(traffic(destination="10.9.9.0/24"))
    network.run_until(100)
    flow = flow_of(network, "Site1")

    assert (flow.encaps_packets, flow.send_errors) == (0, 0)
    assert network.ike_sas("Site1") == ()


def test_the_first_line_of_the_map_that_matches_takes_the_packet() -> None:
    lines = [
        {"source": "10.1.1.0/25", "destination": "10.2.2.0/24"},
        {"source": "10.1.1.0/24", "destination": "10.2.2.0/24"},
        {"source": "10.1.1.0/24", "destination": "10.2.2.128/25"},
    ]
    network = network_of(
        traffic(destination="10.2.2.192/26"), site1={"access_lists": {"101": lines}}
    )
    network.run_until(10)

    # the first line covers half of the source only
    assert [bool(flow.send_errors) for flow in network.flows("Site1")] == [False, True, False]


def test_a_line_for_one_protocol_lets_the_others_pass() -> None:
    lines = [
        {"source": "10.1.1.0/24", "destination": "10.2.2.0/24", "protocol": "gre"},
        {"source": "10.1.1.0/24", "destination": "10.2.2.0/24"},
    ]
    network = network_of(traffic(protocol="icmp"), site1={"access_lists": {"101": lines}})
    network.run_until(10)

    gre, ip = network.flows("Site1")
    assert (str(gre.local_ident), bool(gre.send_errors)) == ("10.1.1.0/24/47/0", False)
    assert ip.encaps_packets


def test_every_permit_line_is_listed_without_any_sa() -> None:
    network = Network(hub(3).model_copy(update={"traffic": ()}))
    flows = network.flows("hub")

    assert [str(flow.remote_ident) for flow in flows] == [
        "10.0.0.0/24",
        "10.0.1.0/24",
        "10.0.2.0/24",
    ]
    assert {flow.current_outbound_spi for flow in flows} == {0}
    assert {flow.plaintext_mtu_bytes for flow in flows} == {1500}


def test_reading_changes_nothing() -> None:
    lossy = (traffic(packets_per_second=2.7, reply_ratio=0.31),)
    read, unread = network_of(*lossy), network_of(*lossy)
    for network in (read, unread):
        network.set_loss("Site1", "Site2", 0.13)
    for tick in range(5000):
        read.run_until(tick * 1.7)
        read.flows("Site1")
        read.ike_sas("Site2")
    unread.run_until(read.now)

    assert read.flows("Site1") == unread.flows("Site1")
    assert read.flows("Site2") == unread.flows("Site2")


def test_the_same_seed_plays_the_same_way_and_another_does_not() -> None:
    def spi(seed: int) -> int | None:
        network = Network(sites(traffic()), seed=seed)
        first_up(network)
        return flow_of(network, "Site1").current_outbound_spi

    assert spi(5) == spi(5)
    assert spi(5) != spi(6)


def test_a_peer_that_lost_its_sa_no_longer_receives_on_it() -> None:
    network = network_of(traffic())
    network.run_until(100)
    network.set_unreachable("Site1", "Site2")
    network.clear_sa("Site2")
    network.run_until(110)

    # Site1 has not heard of it and sends on
    assert sas_of(flow_of(network, "Site1"), Direction.OUTBOUND)
    assert flow_of(network, "Site2").sas == ()

    network.set_unreachable("Site1", "Site2", is_unreachable=False)
    before = flow_of(network, "Site2").decaps_packets
    network.run_until(200)

    # one way until somebody asks again: Site2 sends nothing of its own
    assert flow_of(network, "Site2").decaps_packets == before
