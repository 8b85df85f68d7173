"""Faults of a tunnel: what the routers show while one is on, and that the tunnel is well again after it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ipsecmon.lab import network_faults
from ipsecmon.lab.aim import Tunnel, tunnels_of
from ipsecmon.lab.fleet import fleet
from ipsecmon.lab.network import Network
from ipsecmon.lab.network_faults import SHORT_LIFETIME_SECONDS
from ipsecmon.lab.topology import Router, hub, two_sites
from ipsecmon.lab.truth import HappeningKind, Trigger
from ipsecmon_parsers.records import Direction

from .sites import flow_of, sas_of, states_of

Fault = Callable[[Network, Tunnel], Callable[[], None]]

TUNNEL = Tunnel("Site1", "CRYPTO/10.1.1.0_24-10.2.2.0_24", "Site2")
FAULTS: dict[str, Fault] = {
    name: getattr(network_faults, name) for name in network_faults.__all__ if name.islower()
}


def sites_up() -> Network:
    network = Network(two_sites(), seed=1)
    network.run_until(120)
    return network


def moved(network: Network, router: str, seconds: float = 300) -> tuple[int, int]:
    """Packets encapsulated and decapsulated in the next so many seconds."""
    before = flow_of(network, router)
    network.run_until(network.now + seconds)
    after = flow_of(network, router)
    return (
        (after.encaps_packets or 0) - (before.encaps_packets or 0),
        (after.decaps_packets or 0) - (before.decaps_packets or 0),
    )


def is_up(network: Network, router: str = "Site1") -> bool:
    return bool(flow_of(network, router).current_outbound_spi)


def rekeys(network: Network, since: float) -> list[Trigger | None]:
    return [
        one.trigger
        for one in network.happenings
        if one.kind is HappeningKind.REKEY and one.router == "Site1" and one.at > since
    ]


def configurations(network: Network) -> list[Router]:
    return [
        network.router(name).model_copy(update={"transform_sets": {}}) for name in network.routers
    ]


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("seconds", [5, 1500])
def test_a_lifted_fault_leaves_a_well_tunnel_and_the_configuration_of_the_topology(
    fault: Fault, seconds: float
) -> None:
    network = sites_up()
    before = configurations(network)
    lift = fault(network, TUNNEL)
    network.run_until(network.now + seconds)
    lift()
    network.run_until(network.now + 200)

    assert configurations(network) == before
    assert is_up(network, "Site1")
    assert is_up(network, "Site2")
    assert all(count > 400 for site in ("Site1", "Site2") for count in moved(network, site, 300))
    assert ("QM_IDLE", "ACTIVE") in states_of(network, "Site1")


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_the_other_spokes_of_a_hub_stay_up_and_busy(fault: Fault) -> None:
    network = Network(hub(3), seed=1)
    network.run_until(120)
    fault(network, tunnels_of(network, ["hub"])[1])
    before = network.flows("hub")
    network.run_until(1500)
    after = network.flows("hub")

    for other in (0, 2):
        assert after[other].current_outbound_spi == before[other].current_outbound_spi != 0
        assert (after[other].encaps_packets or 0) > (before[other].encaps_packets or 0) + 1000


def test_with_another_key_phase_1_ends_in_key_exchange() -> None:
    network = sites_up()
    network_faults.psk_mismatch(network, TUNNEL)
    network.run_until(500)

    assert not is_up(network)
    states = {state for state, status in states_of(network, "Site1") if status == "ACTIVE"}
    assert states
    assert "QM_IDLE" not in states


def test_with_another_transform_set_phase_1_stands_and_phase_2_does_not() -> None:
    network = sites_up()
    network_faults.transform_mismatch(network, TUNNEL)
    network.run_until(500)

    assert not is_up(network)
    assert states_of(network, "Site1") == [("QM_IDLE", "ACTIVE")]
    assert (flow_of(network, "Site1").send_errors or 0) > 500


@pytest.mark.parametrize(
    ("fault", "silent_end", "is_sending"),
    [
        pytest.param(network_faults.esp_filter, "Site2", True, id="ESP there is filtered"),
        pytest.param(network_faults.esp_filter_reverse, "Site1", True, id="ESP back is filtered"),
        pytest.param(network_faults.misrouted, "Site1", False, id="packets go past the tunnel"),
        pytest.param(
            network_faults.peer_reload, "Site1", True, id="the peer knows the SPI no more"
        ),
    ],
)
def test_packets_go_one_way_through_a_tunnel_that_is_up(
    fault: Fault, silent_end: str, is_sending: bool
) -> None:
    network = sites_up()
    fault(network, TUNNEL)
    network.run_until(190)
    sent, received = moved(network, silent_end)

    assert is_up(network, silent_end)
    assert (sent > 100, received > 100) == (is_sending, not is_sending)
    assert 0 in (sent, received)


def test_a_stale_spi_stays_although_the_device_sends_keepalives_to_others() -> None:
    network = Network(fleet(), seed=1)
    network.run_until(120)
    lisbon, oslo = tunnels_of(network, ["hub"])[:2]
    stale = network.flows("hub")[1].current_outbound_spi
    network_faults.peer_reload(network, oslo)
    network_faults.path_down(network, lisbon)
    network.run_until(900)

    assert network.flows("hub")[0].current_outbound_spi == 0
    assert network.flows("hub")[1].current_outbound_spi == stale
    assert network.flows("oslo")[0].current_outbound_spi == 0


def test_one_packet_in_ten_is_lost_each_way() -> None:
    network = sites_up()
    before = network.truth("Site1")[0], network.truth("Site2")[0]
    network_faults.loss(network, TUNNEL)
    network.run_until(2000)
    after = network.truth("Site1")[0], network.truth("Site2")[0]

    for here, there in ((0, 1), (1, 0)):
        sent = after[here].sent_packets - before[here].sent_packets
        received = after[there].received_packets - before[there].received_packets
        assert received / sent == pytest.approx(0.9, abs=0.005)


def test_one_packet_in_five_from_the_peer_is_a_receive_error() -> None:
    network = sites_up()
    before = network.truth("Site2")[0].sent_packets
    decaps = flow_of(network, "Site1").decaps_packets or 0
    network_faults.spoilt_packets(network, TUNNEL)
    network.run_until(1000)
    flow = flow_of(network, "Site1")
    sent = network.truth("Site2")[0].sent_packets - before

    assert flow.recv_errors == pytest.approx(sent / 5, abs=1)
    assert (flow.decaps_packets or 0) - decaps == sent - (flow.recv_errors or 0)
    assert flow_of(network, "Site2").recv_errors == 0

    network.clear_sa_counters("Site1")
    assert flow_of(network, "Site1").recv_errors == 0


def test_a_cut_path_without_keepalive_ends_with_the_lifetime() -> None:
    network = sites_up()
    network_faults.path_down(network, TUNNEL)
    network.run_until(3000)
    assert is_up(network)
    network.run_until(4000)
    assert not is_up(network)
    assert all(state == "MM_NO_STATE" for state, _ in states_of(network, "Site1"))


def test_a_flapping_path_takes_the_tunnel_down_for_two_polls_and_gives_it_back_for_two() -> None:
    network = sites_up()
    network_faults.flap(network, TUNNEL, poll_seconds=60)
    seen = ""
    for _ in range(30):
        network.run_until(network.now + 60)
        seen += "U" if is_up(network) else "d"

    outages = [part for part in seen.split("U") if part]
    recoveries = [part for part in seen.split("d") if part]
    assert len(outages) >= 5
    assert min(map(len, outages)) >= 2
    assert min(map(len, recoveries[:-1])) >= 2


def test_without_traffic_the_tunnel_goes_down_quietly() -> None:
    network = sites_up()
    errors = flow_of(network, "Site1").send_errors
    network_faults.idle(network, TUNNEL)
    network.run_until(400)

    assert not is_up(network)
    assert flow_of(network, "Site1").send_errors == errors


def test_a_small_volume_lifetime_and_heavy_traffic_make_more_than_six_rekeys_by_volume_an_hour() -> (
    None
):
    network = sites_up()
    network_faults.tiny_volume(network, TUNNEL)
    network.run_until(130 + 3600)
    triggers = rekeys(network, since=130)

    assert set(triggers) == {Trigger.VOLUME}
    assert 10 <= len(triggers) <= 30


def test_a_peer_that_renews_for_no_reason_makes_a_rekey_storm() -> None:
    network = sites_up()
    network_faults.rekey_storm(network, TUNNEL)
    network.run_until(120 + 3600)

    assert rekeys(network, since=120).count(Trigger.FORCED) >= 29


def test_a_rekey_that_fails_leaves_the_last_seconds_without_a_successor_and_then_nothing() -> None:
    network = sites_up()
    network_faults.failed_rekey(network, TUNNEL)
    network.run_until(120 + SHORT_LIFETIME_SECONDS - 10)
    (left,) = sas_of(flow_of(network, "Site1"), Direction.OUTBOUND)
    assert 0 < (left.remaining_seconds or 0) < 20

    network.run_until(120 + SHORT_LIFETIME_SECONDS + 10)
    assert not is_up(network)
    assert states_of(network, "Site1") == [("QM_IDLE", "ACTIVE")]


def test_phase_1_fails_again_and_again_below_a_tunnel_that_is_up() -> None:
    network = sites_up()
    network_faults.ike_failing(network, TUNNEL)
    spi = flow_of(network, "Site1").current_outbound_spi
    negotiating = 0
    for _ in range(40):
        network.run_until(network.now + 60)
        states = [state for state, status in states_of(network, "Site1") if status == "ACTIVE"]
        assert "QM_IDLE" not in states
        negotiating += bool(states)

    assert flow_of(network, "Site1").current_outbound_spi == spi
    assert negotiating > 30


def test_failing_attempts_are_seen_by_whoever_looks_as_often_as_they_begin() -> None:
    network = sites_up()
    network_faults.ike_failing(network, TUNNEL)
    is_seen: list[bool] = []
    for _ in range(400):
        network.run_until(network.now + 1)
        is_seen.append(any(status == "ACTIVE" for _, status in states_of(network, "Site1")))

    for every in range(30, 61):
        for first in range(every):
            # the alert forgets what it saw two minutes ago
            assert any(is_seen[first : first + 120 : every]), (first, every)


def test_a_stuck_sa_shows_no_seconds_left_and_carries_packets() -> None:
    network = sites_up()
    network_faults.stuck_sa(network, TUNNEL)
    network.run_until(120 + SHORT_LIFETIME_SECONDS + 300)
    flow = flow_of(network, "Site1")

    assert {sa.remaining_seconds for sa in flow.sas} == {0}
    assert flow.current_outbound_spi in {sa.spi for sa in flow.sas}
    assert all(count > 100 for count in moved(network, "Site1"))
