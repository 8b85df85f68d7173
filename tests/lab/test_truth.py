"""What the simulation says of itself: what happened and when, and what was sent, whatever the counters print."""

from __future__ import annotations

import pytest

from ipsecmon.lab.network import Network
from ipsecmon.lab.topology import Keepalive, hub
from ipsecmon.lab.truth import FlowKey, Happening, HappeningKind, Trigger

from .sites import first_up, flow_of, network_of, traffic


def happenings_of(network: Network, router: str, *kinds: HappeningKind) -> list[Happening]:
    return [h for h in network.happenings if h.router == router and (not kinds or h.kind in kinds)]


def kinds_of(network: Network, router: str) -> list[str]:
    return [h.kind.value for h in happenings_of(network, router)]


def test_the_first_pair_is_an_up_at_both_ends_with_its_spi() -> None:
    network = network_of(traffic())
    first_up(network)

    for router in ("Site1", "Site2"):
        (up,) = happenings_of(network, router)
        assert up.kind is HappeningKind.UP
        assert up.is_up is True
        assert up.new_spi == flow_of(network, router).current_outbound_spi
        assert up.flow == network.truth(router)[0].key


def test_a_rekey_by_time_says_so_with_the_seconds_left() -> None:
    network = network_of(traffic())
    network.run_until(3700)
    old, rekey = happenings_of(network, "Site1")

    assert (rekey.kind, rekey.trigger) == (HappeningKind.REKEY, Trigger.TIME)
    assert (rekey.old_spi, rekey.new_spi) == (
        old.new_spi,
        flow_of(network, "Site1").current_outbound_spi,
    )
    assert rekey.seconds_left == pytest.approx(29.5, abs=0.5)


def test_a_rekey_by_volume_says_so_with_the_kilobytes_left() -> None:
    # 100 kB a second empties 20,000 kB in minutes, most of an hour before the time is up
    network = network_of(
        traffic(packets_per_second=100, bytes_per_packet=1000),
        site1={"sa_lifetime_kilobytes": 20_000},
    )
    network.run_until(600)
    rekeys = happenings_of(network, "Site1", HappeningKind.REKEY)

    assert len(rekeys) >= 2
    assert {rekey.trigger for rekey in rekeys} == {Trigger.VOLUME}
    assert all((rekey.kilobytes_left or 0) < 2500 for rekey in rekeys)
    assert all((rekey.seconds_left or 0) > 3000 for rekey in rekeys)


def test_a_pair_nobody_used_expires() -> None:
    network = network_of(traffic(stop_seconds=100))
    network.run_until(8000)

    assert kinds_of(network, "Site1") == ["up", "rekey", "expired"]
    expired = happenings_of(network, "Site1")[-1]
    assert (expired.trigger, expired.is_up) == (Trigger.TIME, False)


def test_a_clear_is_cleared_here_and_deleted_by_the_peer_there() -> None:
    network = network_of(traffic())
    network.run_until(100)
    network.clear_sa("Site1")
    network.run_until(200)

    assert kinds_of(network, "Site1") == ["up", "cleared", "counters_cleared", "up"]
    assert kinds_of(network, "Site2") == ["up", "deleted_by_peer", "up"]


def test_a_pair_made_anew_by_the_peer_is_a_forced_rekey() -> None:
    network = network_of(traffic())
    network.run_until(4000)
    network.set_unreachable("Site1", "Site2")
    network.clear_sa("Site1")
    network.set_unreachable("Site1", "Site2", is_unreachable=False)
    network.run_until(4100)

    rekeys = happenings_of(network, "Site2", HappeningKind.REKEY)
    assert [rekey.trigger for rekey in rekeys] == [Trigger.TIME, Trigger.FORCED]


def test_a_reload_is_told_once_for_the_router() -> None:
    network = network_of(traffic())
    network.run_until(100)
    network.reload("Site2", boot_seconds=180)
    network.run_until(300)

    assert [(h.kind.value, h.at, h.flow) for h in happenings_of(network, "Site2")[1:]] == [
        ("reload", 100, None),
        ("booted", 280, None),
    ]


def test_a_peer_given_up_is_a_dead_peer() -> None:
    network = network_of(traffic(), site1={"keepalive": {"seconds": 10}})
    network.run_until(100)
    network.set_unreachable("Site1", "Site2")
    network.run_until(130)

    assert kinds_of(network, "Site1") == ["up", "dead_peer"]
    assert kinds_of(network, "Site2") == ["up"]


def test_an_idle_pair_is_idle_here_and_deleted_by_the_peer_there() -> None:
    network = network_of(traffic(stop_seconds=100), site1={"sa_idle_seconds": 60})
    network.run_until(400)

    assert kinds_of(network, "Site1") == ["up", "idle"]
    assert kinds_of(network, "Site2") == ["up", "deleted_by_peer"]


def test_packets_and_bytes_are_counted_through_clears_and_reloads() -> None:
    network = network_of(traffic(bytes_per_packet=100))
    network.run_until(1000)
    before = network.truth("Site1")[0]
    network.clear_sa_counters("Site1")
    network.run_until(2000)
    after = network.truth("Site1")[0]

    assert after.encaps_packets == 1000
    assert after.sent_packets == before.sent_packets + 1000
    assert after.sent_bytes == 100 * after.sent_packets
    assert network.truth("Site2")[0].received_packets == after.sent_packets

    network.reload("Site1")

    assert network.truth("Site1")[0].sent_packets == after.sent_packets
    assert network.truth("Site1")[0].encaps_packets == 0


def test_the_printed_counters_of_the_truth_are_those_of_the_records() -> None:
    network = Network(hub(5))
    network.run_until(5000)
    network.set_loss("hub", "spoke0001", 0.25)
    network.run_until(9000)
    for flow, truth in zip(network.flows("hub"), network.truth("hub"), strict=True):
        assert (flow.encaps_packets, flow.decaps_packets, flow.send_errors) == (
            truth.encaps_packets,
            truth.decaps_packets,
            truth.send_errors,
        )
        assert truth.is_up == bool(flow.current_outbound_spi)
        assert truth.outbound_spi == (flow.current_outbound_spi or None)


def a_day_of(seed: int) -> tuple[Happening, ...]:
    network = Network(hub(10, with_backup=True, keepalive=Keepalive(seconds=10)), seed=seed)
    network.plan(20_000, lambda: network.reload("hub"))
    network.plan(40_000, lambda: network.clear_sa("backup"))
    network.plan(60_000, lambda: network.set_unreachable("backup", "spoke0003"))
    network.run_until(86_400)
    return tuple(network.happenings)


def test_the_same_seed_plays_the_same_day() -> None:
    assert a_day_of(7) == a_day_of(7)


def test_another_seed_plays_another_day() -> None:
    assert a_day_of(7) != a_day_of(8)


def test_happenings_alone_tell_which_flows_are_up() -> None:
    network = Network(hub(10, with_backup=True, keepalive=Keepalive(seconds=10)), seed=5)
    network.plan(20_000, lambda: network.reload("hub"))
    network.plan(30_000, lambda: network.clear_session("backup"))
    for hour in range(1, 13):
        network.run_until(hour * 3600)
        up: dict[FlowKey, bool] = {}
        for happening in network.happenings:
            if happening.kind is HappeningKind.RELOAD:
                up = {key: up[key] and key.router != happening.router for key in up}
            elif happening.flow is not None and happening.is_up is not None:
                up[happening.flow] = happening.is_up
        routers = ["hub", "backup", *(f"spoke{number:04}" for number in range(1, 11))]
        for router in routers:
            for truth in network.truth(router):
                assert up.get(truth.key, False) == truth.is_up
