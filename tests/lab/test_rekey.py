"""How SAs end: renewed in time, by volume, or not at all."""

from __future__ import annotations

from typing import Any

from ipsecmon.lab.topology import two_sites
from ipsecmon_parsers.records import Direction

from .sites import first_up, flow_of, network_of, sas_of, spis_of, states_of, traffic


def test_a_used_pair_is_renewed_half_a_minute_before_its_time_runs_out() -> None:
    network = network_of(traffic())
    up_at = first_up(network)
    spis = spis_of(flow_of(network, "Site1"))
    network.run_until(up_at + 3600 - 32)
    assert spis_of(flow_of(network, "Site1")) == spis
    network.run_until(up_at + 3600 - 25)
    flow = flow_of(network, "Site1")

    assert spis < spis_of(flow)
    assert len(flow.sas) == 4
    assert flow.current_outbound_spi not in spis


def test_both_pairs_stand_side_by_side_and_the_old_one_retires() -> None:
    network = network_of(traffic())
    up_at = first_up(network)
    old = spis_of(flow_of(network, "Site1"))
    network.run_until(up_at + 3600 - 20)

    for router in ("Site1", "Site2"):
        flow = flow_of(network, router)
        outbound = sas_of(flow, Direction.OUTBOUND)
        assert len(outbound) == 2
        assert outbound[0].spi in old
        assert flow.current_outbound_spi == outbound[1].spi

    network.run_until(up_at + 3600 + 10)

    for router in ("Site1", "Site2"):
        assert not spis_of(flow_of(network, router)) & old


def test_counters_and_phase_1_outlive_a_rekey() -> None:
    network = network_of(traffic())
    network.run_until(10)
    errors = flow_of(network, "Site1").send_errors or 0
    (ike,) = network.ike_sas("Site1")
    network.run_until(20_000)

    assert network.ike_sas("Site1") == (ike,)
    assert flow_of(network, "Site1").encaps_packets == 20_001 - errors
    assert flow_of(network, "Site1").send_errors == errors


def test_spis_stay_crossed_through_many_rekeys() -> None:
    network = network_of(traffic())
    for hour in range(1, 100):
        network.run_until(hour * 1234.5)
        here, there = flow_of(network, "Site1"), flow_of(network, "Site2")

        assert spis_of(here) == spis_of(there)
        assert here.current_outbound_spi in {sa.spi for sa in sas_of(there, Direction.INBOUND)}


def test_a_pair_without_traffic_expires_and_leaves_its_counters() -> None:
    network = network_of(traffic(stop_seconds=100))
    network.run_until(3700)
    # the first pair carried traffic and was renewed; the second carried none
    assert flow_of(network, "Site1").current_outbound_spi
    network.run_until(7200)
    flow = flow_of(network, "Site1")

    assert (flow.current_outbound_spi, flow.sas) == (0, ())
    assert (flow.encaps_packets or 0) + (flow.send_errors or 0) == 100
    assert states_of(network, "Site1") == [("QM_IDLE", "ACTIVE")]


def test_traffic_after_an_expiry_brings_up_a_new_pair() -> None:
    network = network_of(traffic(stop_seconds=100), traffic(start_seconds=9000, stop_seconds=9100))
    network.run_until(9000)
    assert flow_of(network, "Site1").current_outbound_spi == 0
    network.run_until(9010)

    assert flow_of(network, "Site1").current_outbound_spi


def test_volume_renews_a_pair_before_its_kilobytes_are_gone() -> None:
    small = {"sa_lifetime_kilobytes": 10240}
    # 40 kB/s: 10 MB last four minutes
    network = network_of(
        traffic(packets_per_second=40, bytes_per_packet=1024), site1=small, site2=small
    )
    first_up(network)
    spis: list[int | None] = []
    for second in range(5, 3600):
        network.run_until(second)
        flow = flow_of(network, "Site1")
        if flow.current_outbound_spi not in spis:
            spis.append(flow.current_outbound_spi)
        for sa in flow.sas:
            assert (sa.remaining_kilobytes or 0) > 0
            assert (sa.remaining_seconds or 0) > 3300

    assert 14 <= len(spis) <= 18
    assert 0 not in spis


def test_fast_traffic_renews_early_enough() -> None:
    # 80 Mb/s use up the default volume in under eight minutes
    network = network_of(traffic(packets_per_second=10_000, bytes_per_packet=1000))
    first_up(network)
    errors = flow_of(network, "Site1").send_errors
    network.run_until(86_400)
    here, there = flow_of(network, "Site1"), flow_of(network, "Site2")

    assert here.send_errors == errors
    assert here.encaps_packets == there.decaps_packets


def test_a_volume_rekey_that_failed_is_tried_again_while_kilobytes_remain() -> None:
    small: dict[str, Any] = {"sa_lifetime_kilobytes": 10240}
    (policy,) = two_sites().routers[1].isakmp_policies
    short = policy.model_copy(update={"lifetime_seconds": 600}).model_dump()
    # 5 kB/s: the last 256 kB, at which a rekey begins, last 51 seconds; phase 1 is over by then
    network = network_of(
        traffic(packets_per_second=5, bytes_per_packet=1024),
        site1=small,
        site2={**small, "isakmp_policies": [short]},
    )
    first_up(network)
    before = flow_of(network, "Site1")
    network.set_wrong_key("Site1", "Site2")
    # each end started its kilobytes where it liked; the one with less begins
    while all(
        (sa.remaining_kilobytes or 0) > 256
        for router in ("Site1", "Site2")
        for sa in flow_of(network, router).sas
    ):
        network.run_until(network.now + 0.2)
    network.run_until(network.now + 35)
    assert flow_of(network, "Site1").current_outbound_spi == before.current_outbound_spi
    network.set_wrong_key("Site1", "Site2", is_wrong=False)
    network.run_until(network.now + 14)
    after = flow_of(network, "Site1")

    assert after.current_outbound_spi not in spis_of(before)
    assert after.send_errors == before.send_errors


def test_a_pair_whose_kilobytes_are_gone_ends() -> None:
    small = {"sa_lifetime_kilobytes": 10240}
    network = network_of(
        traffic(packets_per_second=40, bytes_per_packet=1024), site1=small, site2=small
    )
    first_up(network)
    network.set_unreachable("Site1", "Site2")
    network.run_until(400)

    assert flow_of(network, "Site1").current_outbound_spi == 0
    # the peer received nothing and sent nothing: its end waits for the hour
    assert flow_of(network, "Site2").current_outbound_spi


def test_idle_time_ends_a_pair_at_both_ends_while_seconds_remain() -> None:
    network = network_of(traffic(stop_seconds=100), site1={"sa_idle_seconds": 60})
    network.run_until(150)
    assert all((sa.remaining_seconds or 0) > 3000 for sa in flow_of(network, "Site1").sas)
    assert flow_of(network, "Site1").current_outbound_spi
    network.run_until(161)

    assert flow_of(network, "Site1").current_outbound_spi == 0
    assert flow_of(network, "Site2").current_outbound_spi == 0
    assert flow_of(network, "Site1").encaps_packets


def test_traffic_keeps_a_pair_from_idling_out() -> None:
    network = network_of(traffic(packets_per_second=0.05), site1={"sa_idle_seconds": 60})
    first_up(network)
    spi = flow_of(network, "Site1").current_outbound_spi
    network.run_until(3000)

    assert flow_of(network, "Site1").current_outbound_spi == spi


def test_a_rekey_that_nobody_answers_ends_in_expiry_and_a_dead_phase_1() -> None:
    network = network_of(traffic())
    network.run_until(100)
    network.set_unreachable("Site1", "Site2")
    network.run_until(4000)

    assert flow_of(network, "Site1").current_outbound_spi == 0
    assert ("QM_IDLE", "ACTIVE") not in states_of(network, "Site1")
    assert ("MM_NO_STATE", "ACTIVE") in states_of(network, "Site1")

    network.set_unreachable("Site1", "Site2", is_unreachable=False)
    network.run_until(4100)

    assert flow_of(network, "Site1").current_outbound_spi
    assert flow_of(network, "Site2").current_outbound_spi
