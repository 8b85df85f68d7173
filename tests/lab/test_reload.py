"""A router that goes down with everything it knows, tells nobody, and comes back empty."""

from __future__ import annotations

from typing import Any

import pytest

from ipsecmon.lab.network import Network
from ipsecmon.lab.shows import show
from ipsecmon.lab.truth import HappeningKind

from .sites import flow_of, network_of, spis_of, states_of, traffic

KEEPALIVE = {"seconds": 10, "retry_seconds": 2}


def reloaded(at: float = 1000, **sites: Any) -> Network:
    """Site2 goes down for three minutes while Site1 sends to it."""
    network = network_of(traffic(), **sites)
    network.run_until(at)
    network.reload("Site2")
    return network


def test_all_sas_and_counters_of_the_router_are_gone_at_once() -> None:
    network = reloaded()
    flow = flow_of(network, "Site2")

    assert (flow.current_outbound_spi, flow.sas) == (0, ())
    assert (flow.encaps_packets, flow.decaps_packets, flow.send_errors) == (0, 0, 0)
    assert network.ike_sas("Site2") == ()


def test_the_peer_is_told_nothing_and_keeps_its_sas() -> None:
    network = reloaded()
    network.run_until(1100)

    assert flow_of(network, "Site1").current_outbound_spi
    assert states_of(network, "Site1") == [("QM_IDLE", "ACTIVE")]


def test_a_router_that_boots_neither_forwards_nor_counts() -> None:
    network = network_of(traffic(), traffic(source="10.2.2.0/24", destination="10.1.1.0/24"))
    network.run_until(1000)
    network.reload("Site2", boot_seconds=180)
    received = flow_of(network, "Site1").decaps_packets
    network.run_until(1179)
    flow = flow_of(network, "Site2")

    assert not network.is_up("Site2")
    assert (flow.encaps_packets, flow.decaps_packets, flow.send_errors) == (0, 0, 0)
    assert flow_of(network, "Site1").decaps_packets == received


def test_a_router_that_boots_does_not_answer_ike() -> None:
    network = reloaded()
    network.clear_session("Site1")
    network.run_until(1100)

    assert flow_of(network, "Site1").current_outbound_spi == 0
    assert all(state == "MM_NO_STATE" for state, _ in states_of(network, "Site1"))


def test_its_own_traffic_brings_new_sas_after_the_boot_and_the_peer_drops_the_old_ones() -> None:
    network = network_of(traffic(), traffic(source="10.2.2.0/24", destination="10.1.1.0/24"))
    network.run_until(1000)
    old = spis_of(flow_of(network, "Site1"))
    network.reload("Site2", boot_seconds=180)
    network.run_until(1190)
    new = spis_of(flow_of(network, "Site1"))

    assert new == spis_of(flow_of(network, "Site2"))
    assert len(new) == 2
    assert not new & old
    forgotten = [h for h in network.happenings if h.kind is HappeningKind.FORGOTTEN]
    assert [h.router for h in forgotten] == ["Site1"]


def test_connection_ids_start_again() -> None:
    network = network_of(traffic(source="10.2.2.0/24", destination="10.1.1.0/24"))
    network.run_until(20_000)
    assert min(sa.conn_id or 0 for sa in flow_of(network, "Site2").sas) > 2
    network.reload("Site2", boot_seconds=180)
    network.run_until(20_200)

    assert [sa.conn_id for sa in network.ike_sas("Site2")] == [1001]
    assert sorted(sa.conn_id or 0 for sa in flow_of(network, "Site2").sas) == [1, 2]


def test_without_detection_a_peer_sends_into_nothing_until_its_pair_ends() -> None:
    network = reloaded()
    network.run_until(3000)

    assert flow_of(network, "Site1").current_outbound_spi
    assert flow_of(network, "Site2").sas == ()
    assert not network.truth("Site1")[0].is_joined

    network.run_until(4000)

    assert network.truth("Site1")[0].is_joined


def test_with_keepalives_the_peer_gives_up_within_seconds_and_returns_after_the_boot() -> None:
    network = reloaded(site1={"keepalive": KEEPALIVE})
    network.run_until(1019)
    assert flow_of(network, "Site1").current_outbound_spi
    network.run_until(1021)
    assert flow_of(network, "Site1").current_outbound_spi == 0
    assert ("MM_NO_STATE", "ACTIVE (deleted)") in states_of(network, "Site1")
    network.run_until(1270)

    assert network.truth("Site1")[0].is_joined


def test_a_keepalive_on_demand_misses_nobody_it_sends_nothing_to() -> None:
    network = network_of(
        traffic(stop_seconds=500), site1={"keepalive": {**KEEPALIVE, "mode": "on-demand"}}
    )
    network.run_until(1000)
    network.reload("Site2")
    network.run_until(1170)

    assert flow_of(network, "Site1").current_outbound_spi


def test_a_periodic_keepalive_asks_whether_anything_is_sent_or_not() -> None:
    network = network_of(
        traffic(stop_seconds=500), site1={"keepalive": {**KEEPALIVE, "mode": "periodic"}}
    )
    network.run_until(1000)
    network.reload("Site2")
    network.run_until(1170)

    assert flow_of(network, "Site1").current_outbound_spi == 0


def test_a_short_cut_is_over_before_a_keepalive_notices() -> None:
    network = network_of(traffic(), site1={"keepalive": KEEPALIVE})
    network.run_until(1000)
    spi = flow_of(network, "Site1").current_outbound_spi
    network.set_unreachable("Site1", "Site2")
    network.run_until(1010)
    network.set_unreachable("Site1", "Site2", is_unreachable=False)
    network.run_until(1100)

    assert flow_of(network, "Site1").current_outbound_spi == spi


def test_invalid_spi_recovery_tells_the_sender_right_after_the_boot() -> None:
    network = reloaded(site2={"invalid_spi_recovery": True})
    network.run_until(1200)

    assert network.truth("Site1")[0].is_joined
    assert network.truth("Site2")[0].is_joined


def test_the_uptime_begins_again() -> None:
    network = reloaded(at=100_000)
    network.run_until(100_000 + 180 + 120)
    text = show(network, "Site2", "show version")

    assert "Site2 uptime is 2 minutes\n" in text
    assert "System returned to ROM by reload\n" in text
    assert "Site1 uptime is 1 day, 3 hours, 51 minutes\n" in show(network, "Site1", "show version")


def test_a_second_reload_during_the_boot_starts_the_boot_again() -> None:
    network = reloaded(at=1000)
    network.run_until(1100)
    network.reload("Site2", boot_seconds=180)
    network.run_until(1279)
    assert not network.is_up("Site2")
    network.run_until(1280)

    assert network.is_up("Site2")


def test_a_reload_in_the_middle_of_main_mode_leaves_no_row_behind() -> None:
    network = network_of(traffic())
    network.run_until(1)
    network.reload("Site1", boot_seconds=3600)
    network.run_until(300)

    assert network.ike_sas("Site2") == ()


def test_a_reload_in_the_middle_of_main_mode_is_followed_by_another_main_mode() -> None:
    network = network_of(traffic())
    network.run_until(1)
    network.reload("Site1", boot_seconds=60)
    network.run_until(70)

    assert network.truth("Site1")[0].is_joined


def test_a_dead_row_of_the_table_does_not_outlive_a_reload() -> None:
    network = network_of(traffic())
    network.run_until(100)
    network.clear_session("Site1")
    network.reload("Site1")
    network.run_until(300)

    assert states_of(network, "Site1") == [("QM_IDLE", "ACTIVE")]


def test_no_router_boots_in_a_moment() -> None:
    with pytest.raises(ValueError, match=r"a router boots at least 60 s, not 5"):
        network_of(traffic()).reload("Site1", boot_seconds=5)
