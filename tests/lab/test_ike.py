"""Phase 1: what the IKE tables of both ends show while it is made, refused, unanswered, old."""

from __future__ import annotations

from ipsecmon.lab.topology import IsakmpPolicy

from .sites import first_up, flow_of, network_of, states_of, traffic

DELETED = ("MM_NO_STATE", "ACTIVE (deleted)")
UP = ("QM_IDLE", "ACTIVE")


def policy(number: int = 1, **changes: object) -> dict[str, object]:
    base = IsakmpPolicy(number=number, encryption="des", hash="md5", group=2).model_dump()
    return {"isakmp_policies": [{**base, **changes}]}


def test_without_interesting_traffic_there_is_no_ike() -> None:
    network = network_of()
    network.run_until(1000)

    assert network.ike_sas("Site1") == ()
    assert flow_of(network, "Site1").current_outbound_spi == 0


def test_main_mode_walks_its_states_on_both_ends() -> None:
    network = network_of(traffic())
    seen: dict[str, list[str | None]] = {"Site1": [], "Site2": []}
    for tick in range(200):
        network.run_until(tick * 0.05)
        for router, states in seen.items():
            for state, _ in states_of(network, router):
                if state not in states:
                    states.append(state)

    walk = ["MM_NO_STATE", "MM_SA_SETUP", "MM_KEY_EXCH", "MM_KEY_AUTH", "QM_IDLE"]
    assert seen == {"Site1": walk, "Site2": walk[1:]}


def test_source_is_the_initiator_on_both_ends() -> None:
    network = network_of(traffic(source="10.2.2.0/24", destination="10.1.1.0/24"))
    network.run_until(10)

    for router in ("Site1", "Site2"):
        (sa,) = network.ike_sas(router)
        assert (sa.source, sa.destination) == ("123.1.1.2", "92.1.1.1")


def test_connection_numbers_start_where_the_release_starts_them() -> None:
    network = network_of(traffic())
    network.run_until(10)

    assert [sa.conn_id for sa in network.ike_sas("Site1")] == [1]
    assert [sa.slot for sa in network.ike_sas("Site1")] == [0]
    assert [sa.conn_id for sa in network.ike_sas("Site2")] == [1001]
    assert [sa.slot for sa in network.ike_sas("Site2")] == [None]


def test_policy_numbers_and_lifetimes_may_differ() -> None:
    network = network_of(traffic(), site2=policy(number=900, lifetime_seconds=600))
    network.run_until(10)

    assert states_of(network, "Site1") == [UP]


def test_the_shorter_phase_1_lifetime_ends_the_row_but_not_the_ipsec_sas() -> None:
    network = network_of(traffic(), site2=policy(lifetime_seconds=600))
    network.run_until(10)
    spi = flow_of(network, "Site1").current_outbound_spi
    network.run_until(610)

    assert states_of(network, "Site1") == [DELETED]
    assert states_of(network, "Site2") == [DELETED]
    assert flow_of(network, "Site1").current_outbound_spi == spi

    network.run_until(700)

    assert states_of(network, "Site1") == []
    assert flow_of(network, "Site1").current_outbound_spi == spi


def test_a_rekey_without_phase_1_makes_a_new_one() -> None:
    network = network_of(traffic(), site2=policy(lifetime_seconds=600))
    network.run_until(3000)
    assert states_of(network, "Site1") == []
    network.run_until(3600)

    assert states_of(network, "Site1") == [UP]
    assert [sa.conn_id for sa in network.ike_sas("Site2")] == [1002]
    assert flow_of(network, "Site1").current_outbound_spi


def test_no_common_policy_is_stuck_in_mm_no_state_and_tried_again() -> None:
    network = network_of(traffic(), site2=policy(hash="sha"))
    network.run_until(50)

    assert states_of(network, "Site1") == [("MM_NO_STATE", "ACTIVE")]
    assert states_of(network, "Site2") == [DELETED]

    network.run_until(90)

    assert states_of(network, "Site1") == [("MM_NO_STATE", "ACTIVE"), DELETED]

    network.run_until(3600)

    assert states_of(network, "Site1") == [("MM_NO_STATE", "ACTIVE"), DELETED]
    assert flow_of(network, "Site1").send_errors == 3601


def test_an_unreachable_peer_has_no_row_and_the_initiator_is_stuck() -> None:
    network = network_of(traffic())
    network.set_unreachable("Site1", "Site2")
    network.run_until(90)

    assert states_of(network, "Site1") == [("MM_NO_STATE", "ACTIVE"), DELETED]
    assert states_of(network, "Site2") == []


def test_a_restored_path_lets_the_next_retransmission_through() -> None:
    network = network_of(traffic())
    network.set_unreachable("Site1", "Site2")
    network.run_until(300)
    network.set_unreachable("Site1", "Site2", is_unreachable=False)
    network.run_until(320)

    assert UP in states_of(network, "Site1")
    assert flow_of(network, "Site1").current_outbound_spi


def test_a_wrong_key_is_stuck_in_mm_key_exch_beside_its_dead_attempts() -> None:
    network = network_of(traffic())
    network.set_wrong_key("Site1", "Site2")
    network.run_until(20)

    assert states_of(network, "Site1") == [("MM_KEY_EXCH", "ACTIVE")]
    assert states_of(network, "Site2") == [("MM_KEY_EXCH", "ACTIVE")]

    network.run_until(85)

    assert states_of(network, "Site1") == [("MM_KEY_EXCH", "ACTIVE"), DELETED, DELETED]
    assert states_of(network, "Site2") == [("MM_KEY_EXCH", "ACTIVE"), DELETED, DELETED]


def test_a_corrected_key_brings_the_tunnel_up() -> None:
    network = network_of(traffic())
    network.set_wrong_key("Site1", "Site2")
    network.run_until(100)
    network.set_wrong_key("Site1", "Site2", is_wrong=False)
    network.run_until(140)

    assert UP in states_of(network, "Site1")


def test_keys_that_differ_in_the_configuration_are_wrong_keys() -> None:
    network = network_of(traffic(), site2={"pre_shared_keys": {"92.1.1.1": "another"}})
    network.run_until(20)

    assert states_of(network, "Site1") == [("MM_KEY_EXCH", "ACTIVE")]


def test_attempts_end_with_the_traffic() -> None:
    network = network_of(traffic(stop_seconds=30))
    network.set_unreachable("Site1", "Site2")
    network.run_until(200)

    assert network.ike_sas("Site1") == ()
    assert flow_of(network, "Site1").send_errors == 30


def test_both_ends_may_start_at_once_and_still_agree_on_an_spi() -> None:
    back = traffic(source="10.2.2.0/24", destination="10.1.1.0/24")
    network = network_of(traffic(), back)
    first_up(network)
    network.run_until(30)
    here, there = flow_of(network, "Site1"), flow_of(network, "Site2")

    assert here.current_outbound_spi in {sa.spi for sa in there.sas}
    assert there.current_outbound_spi in {sa.spi for sa in here.sas}
    assert len(here.sas) == 2


def test_a_peer_that_starts_afresh_ends_what_is_left_of_it_here() -> None:
    network = network_of(traffic())
    network.run_until(100)
    network.set_unreachable("Site1", "Site2")
    network.clear_session("Site1")
    network.set_unreachable("Site1", "Site2", is_unreachable=False)
    assert states_of(network, "Site2") == [UP]
    network.run_until(110)

    # INITIAL-CONTACT: one new SA, one dead row, no SAs of the old pair
    assert states_of(network, "Site2") == [UP, DELETED]
    assert len(flow_of(network, "Site2").sas) == 2
