"""The clear commands: what goes at which end, what is kept, what comes back."""

from __future__ import annotations

from ipsecmon.lab.network import Network
from ipsecmon.lab.topology import hub

from .sites import flow_of, network_of, spis_of, states_of, traffic


def up(seconds: float = 100) -> Network:
    network = network_of(traffic())
    network.run_until(seconds)
    return network


def test_clear_sa_deletes_at_both_ends_and_zeroes_the_counters_here() -> None:
    network = up()
    there = flow_of(network, "Site2").decaps_packets
    network.clear_sa("Site1")
    here = flow_of(network, "Site1")

    assert (here.current_outbound_spi, here.sas) == (0, ())
    assert (here.encaps_packets, here.decaps_packets, here.send_errors) == (0, 0, 0)
    assert flow_of(network, "Site2").sas == ()
    assert flow_of(network, "Site2").decaps_packets == there
    assert states_of(network, "Site1") == [("QM_IDLE", "ACTIVE")]


def test_traffic_brings_up_new_spis_after_a_clear() -> None:
    network = up()
    old = spis_of(flow_of(network, "Site1"))
    network.clear_sa("Site1")
    network.run_until(105)

    assert flow_of(network, "Site1").current_outbound_spi
    assert not old & spis_of(flow_of(network, "Site1"))


def test_clear_sa_peer_leaves_the_other_peers_alone() -> None:
    network = Network(hub(3))
    network.run_until(120)
    before = network.flows("hub")
    network.clear_sa("hub", before[1].peer)
    after = network.flows("hub")

    assert [bool(flow.sas) for flow in after] == [True, False, True]
    assert [flow.decaps_packets for flow in after] == [
        before[0].decaps_packets,
        0,
        before[2].decaps_packets,
    ]


def test_clear_counters_keeps_the_sas() -> None:
    network = up()
    before = flow_of(network, "Site1")
    network.clear_sa_counters("Site1")
    after = flow_of(network, "Site1")

    assert (after.encaps_packets, after.decaps_packets) == (0, 0)
    assert after.sas == before.sas


def test_clear_session_takes_phase_1_with_it_at_both_ends_and_keeps_the_counters() -> None:
    network = up()
    before = flow_of(network, "Site1")
    network.clear_session("Site1")

    for router in ("Site1", "Site2"):
        assert states_of(network, router) == [("MM_NO_STATE", "ACTIVE (deleted)")]
        assert flow_of(network, router).sas == ()
    assert flow_of(network, "Site1").encaps_packets == before.encaps_packets


def test_traffic_brings_up_a_new_phase_1_after_clear_session() -> None:
    network = up()
    network.clear_session("Site1")
    network.run_until(110)

    assert [(sa.raw_state, sa.conn_id) for sa in network.ike_sas("Site1")] == [
        ("QM_IDLE", 2),
        ("MM_NO_STATE", 1),
    ]
    assert flow_of(network, "Site1").current_outbound_spi


def test_clear_session_in_the_middle_of_main_mode_starts_it_again() -> None:
    network = network_of(traffic())
    network.run_until(1)
    network.clear_session("Site1")
    network.run_until(10)

    assert states_of(network, "Site1")[0] == ("QM_IDLE", "ACTIVE")
    assert flow_of(network, "Site1").current_outbound_spi


def test_a_delete_that_does_not_arrive_leaves_the_peers_sas() -> None:
    network = up()
    network.set_unreachable("Site1", "Site2")
    network.clear_session("Site1")

    assert flow_of(network, "Site1").sas == ()
    assert flow_of(network, "Site2").sas != ()
    assert states_of(network, "Site2") == [("QM_IDLE", "ACTIVE")]

    network.set_unreachable("Site1", "Site2", is_unreachable=False)
    network.run_until(130)

    assert flow_of(network, "Site1").current_outbound_spi in spis_of(flow_of(network, "Site2"))
