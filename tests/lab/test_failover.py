"""Two peers in one crypto map entry: the second is taken when the first does not answer."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from ipsecmon.lab.network import Network
from ipsecmon.lab.topology import CryptoMapEntry, Keepalive, hub
from ipsecmon.lab.truth import HappeningKind
from ipsecmon_parsers.records import Flow

HUB, BACKUP = "192.0.2.1", "192.0.2.254"
SPOKE = "spoke0001"


def network_of_two_hubs(*, spokes: int = 1, keepalive: bool = True) -> Network:
    network = Network(
        hub(spokes, with_backup=True, keepalive=Keepalive(seconds=10) if keepalive else None),
        seed=3,
    )
    network.run_until(1000)
    return network


def spoke(network: Network) -> Flow:
    (flow,) = network.flows(SPOKE)
    return flow


def test_the_first_peer_of_the_entry_is_used() -> None:
    network = network_of_two_hubs()

    assert spoke(network).peer == HUB
    assert all(not flow.sas for flow in network.flows("backup"))


def test_the_second_peer_takes_over_when_keepalives_go_unanswered() -> None:
    network = network_of_two_hubs()
    network.set_unreachable("hub", SPOKE)
    network.run_until(1040)

    assert spoke(network).peer == BACKUP
    assert network.truth(SPOKE)[0].is_joined
    assert network.truth("backup")[0].is_up


def test_the_packet_counters_of_the_flow_go_on() -> None:
    network = network_of_two_hubs()
    before = spoke(network)
    network.set_unreachable("hub", SPOKE)
    network.run_until(1100)
    after = spoke(network)

    assert (after.encaps_packets or 0) > (before.encaps_packets or 0)
    # the replies come from the second hub
    assert (after.decaps_packets or 0) > (before.decaps_packets or 0) + 50


def test_without_keepalives_the_first_peer_is_kept_until_its_pair_ends() -> None:
    network = network_of_two_hubs(keepalive=False)
    network.set_unreachable("hub", SPOKE)
    network.run_until(2000)
    assert spoke(network).peer == HUB
    network.run_until(4000)

    assert spoke(network).peer == BACKUP
    assert network.truth(SPOKE)[0].is_joined


def test_a_first_peer_that_comes_back_is_not_returned_to() -> None:
    network = network_of_two_hubs()
    network.reload("hub", boot_seconds=180)
    network.run_until(3000)

    assert spoke(network).peer == BACKUP
    assert all(not flow.sas for flow in network.flows("hub"))


def test_when_both_are_gone_they_are_tried_in_turn() -> None:
    network = network_of_two_hubs()
    network.set_unreachable("hub", SPOKE)
    network.set_unreachable("backup", SPOKE)
    network.run_until(1300)
    tried = [h.peer for h in network.happenings if h.kind is HappeningKind.PEER_CHANGED]

    assert tried == [BACKUP, HUB, BACKUP, HUB, BACKUP][: len(tried)]
    assert len(tried) >= 4


def test_the_change_of_peers_is_recorded_with_both_addresses() -> None:
    network = network_of_two_hubs()
    network.plan(1000, lambda: network.set_unreachable("hub", SPOKE))
    network.run_until(1100)
    (change,) = [h for h in network.happenings if h.kind is HappeningKind.PEER_CHANGED]

    assert (change.router, change.old_peer, change.peer) == (SPOKE, HUB, BACKUP)
    assert change.at == pytest.approx(1020, abs=0.1)


def test_replies_leave_through_the_hub_the_packets_came_in_by() -> None:
    topology = hub(1, with_backup=True)
    centre, backup, edge = topology.routers
    # only the spoke notices that the path is cut; the first hub keeps its SA and would like to send
    watchful = edge.model_copy(update={"keepalive": Keepalive(seconds=10)})
    network = Network(topology.model_copy(update={"routers": (centre, backup, watchful)}))
    network.run_until(1000)
    network.set_unreachable("hub", SPOKE)
    network.run_until(1040)
    received = spoke(network).decaps_packets or 0
    network.run_until(1100)

    assert network.truth("hub")[0].is_up
    assert (spoke(network).decaps_packets or 0) == received + 60


def test_a_spoke_that_reloads_begins_with_the_first_peer_again() -> None:
    network = network_of_two_hubs()
    network.reload("hub", boot_seconds=60)
    network.run_until(2000)
    assert spoke(network).peer == BACKUP
    network.reload(SPOKE, boot_seconds=60)
    network.run_until(2100)

    assert spoke(network).peer == HUB
    changes = [h.peer for h in network.happenings if h.kind is HappeningKind.PEER_CHANGED]
    assert changes == [BACKUP, HUB]


def network_with_traffic_outward(*, start: float, packets_per_second: float) -> Network:
    """Two hubs and a spoke; the first hub is down, and what is behind the hubs begins to send at ``start``."""
    topology = hub(1, with_backup=True, packets_per_second=packets_per_second)
    (inward,) = topology.traffic
    outward = inward.model_copy(
        update={
            "source": inward.destination,
            "destination": inward.source,
            "start_seconds": start,
        }
    )
    network = Network(topology.model_copy(update={"traffic": (inward, outward)}))
    network.run_until(1000)
    assert spoke(network).peer == HUB
    network.reload("hub", boot_seconds=600)
    return network


def test_a_peer_that_calls_becomes_the_peer_in_use() -> None:
    network = network_with_traffic_outward(start=1000, packets_per_second=1)
    network.run_until(1010)

    assert spoke(network).peer == BACKUP
    assert network.truth("backup")[0].is_joined


def test_a_peer_that_calls_says_nothing_of_what_another_peer_has_lost() -> None:
    network = network_with_traffic_outward(start=1000, packets_per_second=1)
    network.run_until(1010)

    assert not [h for h in network.happenings if h.kind is HappeningKind.FORGOTTEN]


def test_a_negotiation_that_fails_does_not_end_the_one_with_another_peer() -> None:
    network = network_with_traffic_outward(start=1020, packets_per_second=100)
    network.clear_session(SPOKE)  # the spoke calls the first hub in vain, for a minute
    network.run_until(1059.9)
    assert spoke(network).peer == BACKUP
    network.clear_sa(SPOKE)
    network.run_until(1070)

    assert network.truth(SPOKE)[0].is_joined
    changes = [h.peer for h in network.happenings if h.kind is HappeningKind.PEER_CHANGED]
    assert changes == [BACKUP]


def test_every_spoke_of_a_hub_that_reloads_moves_over() -> None:
    network = network_of_two_hubs(spokes=20)
    network.reload("hub", boot_seconds=180)
    network.run_until(1100)

    assert sum(truth.is_joined for truth in network.truth("backup")) == 20


def test_a_hub_turns_to_the_second_router_of_a_spoke() -> None:
    network = Network(hub(3, second_routers=1, keepalive=Keepalive(seconds=10)), seed=1)
    network.run_until(1000)
    before = network.flows("hub")
    network.reload("spoke0001", boot_seconds=600)
    network.run_until(1100)
    after = network.flows("hub")

    assert [flow.peer for flow in before] == ["198.51.100.1", "198.51.100.2", "198.51.100.3"]
    assert [flow.peer for flow in after] == ["198.51.100.4", "198.51.100.2", "198.51.100.3"]
    assert network.truth("spoke0001b")[0].is_joined
    assert (after[0].decaps_packets or 0) > (before[0].decaps_packets or 0) + 50


def test_two_routers_of_a_spoke_that_boot_together_do_not_leave_one_sending_into_nothing() -> None:
    # with this seed both call the hub within a second, and the hub takes the second caller
    network = Network(hub(2, with_backup=True, second_routers=1), seed=0)
    network.run_until(90)
    for name in ("spoke0001b", SPOKE):
        network.reload(name, boot_seconds=900)
    network.run_until(1090)
    flow = network.truth("hub")[0]
    network.run_until(1190)

    assert flow.peer == "198.51.100.3"
    assert network.truth("hub")[0].received_packets == flow.received_packets + 100


def test_there_are_no_more_second_routers_than_spokes() -> None:
    with pytest.raises(ValueError, match="3 spokes have 0 to 3 second routers, not 4"):
        hub(3, second_routers=4)


def test_peers_may_be_written_as_a_list() -> None:
    entry = CryptoMapEntry.model_validate(
        {"seq": 1, "peers": [HUB, BACKUP], "transform_sets": ["T"], "access_list": "A"}
    )

    assert [str(peer) for peer in entry.all_peers] == [HUB, BACKUP]
    assert str(entry.peer) == HUB


@pytest.mark.parametrize(
    ("peer", "peers", "message"),
    [(BACKUP, (HUB, BACKUP), "is not the first of its peers"), (HUB, (HUB, HUB), "named twice")],
)
def test_peers_that_contradict_themselves_are_refused(
    peer: str, peers: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        CryptoMapEntry.model_validate(
            {"seq": 1, "peer": peer, "peers": peers, "transform_sets": ["T"], "access_list": "A"}
        )
