"""A day of a hub: what the monitor says against what was true, at every reading."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from ipsecmon.lab.truth import FlowTruth
from ipsecmon.model import Event, EventKind, RekeyTrigger
from prometheus import over
from simulated_day import (
    CLEAR,
    FAILOVER,
    HOUR,
    HUB,
    INTERVAL,
    RELOAD,
    SPOKE,
    UNREACHABLE,
    Day,
    Sample,
    play_day,
    settled_moves,
    true_trigger,
)

# a whole day is played before the first of its tests
pytestmark = pytest.mark.timeout(300)

# a short one with few spokes runs in every check, the whole day in the long suite
DAYS = [
    pytest.param((4, 0.25, "ios-15"), id="a short day of four spokes"),
    pytest.param((2, 0.25, "asa-9"), id="a short day of two ASAs", marks=pytest.mark.slow),
    pytest.param((100, 1.0, "ios-15"), id="a day of a hundred spokes", marks=pytest.mark.slow),
]


@pytest.fixture(scope="module", params=DAYS)
def day(request: pytest.FixtureRequest) -> Day:
    spokes, pace, dialect = request.param
    return play_day(spokes, pace=pace, spoke_dialect=dialect)


def of_kind(events: list[Event], *kinds: EventKind) -> list[Event]:
    return [event for event in events if event.kind in kinds]


def test_up_is_right_at_every_reading(day: Day) -> None:
    for samples in day.samples.values():
        for sample in samples:
            said = {tunnel.name: tunnel.status.is_up for tunnel in sample.result.tunnels}
            assert said == {name: truth.is_up for name, truth in sample.truth.items()}


def test_no_series_comes_or_goes_but_what_an_sa_was_made_with(day: Day) -> None:
    for samples in day.samples.values():
        first = lasting(samples[0])
        for sample in samples[1:]:
            assert lasting(sample) == first


def lasting(sample: Sample) -> set[str]:
    """All but the two that tell what was negotiated for an SA, while there is one."""
    passing = ("cisco_ipsec_tunnel_crypto_info{", "cisco_ike_sa_info{")
    return {series for series in sample.series if not series.startswith(passing)}


def test_no_counter_decreases_but_where_the_devices_own_did(day: Day) -> None:
    falls: set[tuple[str, float]] = set()
    for device, samples in day.samples.items():
        for before, now in pairwise(samples):
            for series, value in now.series.items():
                is_counter = series.partition("{")[0].endswith("_total")
                if is_counter and value < before.series.get(series, 0.0):
                    assert "_packets_total" in series or "_errors_total" in series
                    assert now.result.read_at is not None
                    falls.add((device, now.result.read_at))

    expected = [(HUB, _next_good(day, HUB, at)) for at in (RELOAD, CLEAR)]
    if day.network.router(SPOKE).dialect == "asa-9":
        # an ASA forgets what it counted with the last SA of a flow
        (failover,) = of_kind(day.events[SPOKE], EventKind.PEER_FAILOVER)
        expected.append((SPOKE, failover.at))
    assert sorted(falls) == expected


def _next_good(day: Day, device: str, lab_second: float) -> float:
    moment = day.moment(lab_second)
    return min(
        sample.result.read_at
        for sample in day.samples[device]
        if sample.result.read_at is not None and sample.result.read_at >= moment
    )


def test_each_new_spi_is_one_rekey_of_the_right_class(day: Day) -> None:
    for device, samples in day.samples.items():
        told = {
            (event.tunnel, event.facts["new_spi"]): event
            for event in of_kind(day.events[device], EventKind.REKEY)
        }
        assert len(told) == len(of_kind(day.events[device], EventKind.REKEY))
        expected: dict[tuple[str, int], RekeyTrigger] = {}
        for name in samples[0].truth:
            last, at = samples[0].truth[name].outbound_spi, samples[0].result.read_at or 0.0
            for sample in samples[1:]:
                spi, now = sample.truth[name].outbound_spi, sample.result.read_at or 0.0
                if spi and last and spi != last:
                    between = day.happenings(device, name, at, now)
                    expected[name, spi] = true_trigger(between)
                if spi:
                    last, at = spi, now
        assert {key: event.facts["trigger"] for key, event in told.items()} == expected


def test_there_were_rekeys_of_each_kind_to_tell(day: Day) -> None:
    events = of_kind(day.events[HUB], EventKind.REKEY)

    assert {event.facts["trigger"] for event in events} >= {RekeyTrigger.TIME, RekeyTrigger.OUTAGE}


def test_each_outage_of_two_readings_goes_down_and_comes_up_once(day: Day) -> None:
    for device, samples in day.samples.items():
        for name in samples[0].truth:
            events = [event for event in day.events[device] if event.tunnel == name]
            moves = settled_moves([sample.truth[name].is_up for sample in samples])
            told = sorted(of_kind(events, EventKind.DOWN, EventKind.UP), key=lambda e: e.at)
            assert [event.kind is EventKind.UP for event in told] == moves


def test_what_happened_to_a_device_is_told_once(day: Day) -> None:
    hub = day.events[HUB]

    assert len(of_kind(hub, EventKind.RELOAD)) == 1
    assert len(of_kind(hub, EventKind.COUNTERS_CLEARED)) == 1
    unreachable = of_kind(hub, EventKind.UNREACHABLE)
    assert unreachable
    # the first reading of all is told, too
    assert len(of_kind(hub, EventKind.REACHABLE)) == len(unreachable) + 1
    assert not of_kind(
        hub, EventKind.NEW, EventKind.GONE, EventKind.CONFIGURATION_DRIFT, EventKind.PEER_FAILOVER
    )


def test_the_failover_of_the_spoke_is_one_event_on_the_same_tunnel(day: Day) -> None:
    spoke = day.events[SPOKE]
    (failover,) = of_kind(spoke, EventKind.PEER_FAILOVER)

    assert (failover.facts["old_peer"], failover.facts["new_peer"]) == (
        "192.0.2.1",
        "192.0.2.254",
    )
    assert not of_kind(spoke, EventKind.NEW, EventKind.GONE, EventKind.RELOAD)


def test_no_event_is_told_twice(day: Day) -> None:
    identities = [event.identity for events in day.events.values() for event in events]

    assert len(set(identities)) == len(identities)


def test_polls_failed_only_while_the_hub_could_not_be_reached(day: Day) -> None:
    assert day.failed[SPOKE] == 0
    assert day.failed[HUB] >= 180 / INTERVAL


def test_the_rates_of_a_real_prometheus_are_those_of_the_truth(
    day: Day, tmp_path: Path, promtool: str
) -> None:
    with over(backfill(day), tmp_path, promtool) as prometheus:
        for device, samples in day.samples.items():
            for metric, count in TRUE_COUNTS.items():
                assert windows(day, samples)
                for first, last in windows(day, samples):
                    begin, end = first.result.read_at or 0.0, last.result.read_at or 0.0
                    seconds = end - begin
                    found = prometheus.query(
                        f'increase({metric}{{device="{device}"}}[{seconds:.0f}s])', at=end
                    )
                    for name, truth in last.truth.items():
                        true = count(truth) - count(first.truth[name])
                        (said,) = [v for labels, v in found.items() if ("tunnel", name) in labels]
                        assert said == pytest.approx(true, rel=0.01, abs=2 * quantum(metric)), (
                            device,
                            name,
                            metric,
                            begin,
                        )


TRUE_COUNTS: Mapping[str, Callable[[FlowTruth], int]] = {
    "cisco_ipsec_tunnel_encaps_packets_total": lambda truth: truth.sent_packets,
    "cisco_ipsec_tunnel_decaps_packets_total": lambda truth: truth.received_packets,
    "cisco_ipsec_tunnel_sent_bytes_total": lambda truth: truth.sent_bytes,
    "cisco_ipsec_tunnel_received_bytes_total": lambda truth: truth.received_bytes,
}


def quantum(metric: str) -> int:
    """The least a metric can tell: the device prints whole kilobytes."""
    return 1024 if "bytes" in metric else 1


def backfill(day: Day) -> str:
    """The samples of the counters with the time they were read, as OpenMetrics wants them: by metric, then series."""
    lines: dict[str, dict[str, list[str]]] = {}
    for samples in day.samples.values():
        for sample in samples:
            for series, value in sample.series.items():
                metric = series.partition("{")[0]
                if metric in TRUE_COUNTS:
                    lines.setdefault(metric, {}).setdefault(series, []).append(
                        f"{series} {value} {sample.result.read_at:.3f}"
                    )
    text: list[str] = []
    for metric, by_series in lines.items():
        text.append(f"# TYPE {metric.removesuffix('_total')} counter")
        for one in by_series.values():
            text += one
    return "\n".join([*text, "# EOF", ""])


def windows(day: Day, samples: Sequence[Sample]) -> list[tuple[Sample, Sample]]:
    """Hours between which nothing began anew on the device, and of which every minute was read."""
    moments = [day.moment(at) for at in (FAILOVER, RELOAD, CLEAR, UNREACHABLE)]
    per_hour = int(HOUR / INTERVAL)
    found = [
        (samples[start], samples[start + per_hour])
        for start in range(0, len(samples) - per_hour, per_hour)
    ]
    return [
        (first, last)
        for first, last in found
        if not any(
            (first.result.read_at or 0.0) <= at + HOUR and at <= (last.result.read_at or 0.0)
            for at in moments
        )
        and (last.result.read_at or 0.0) - (first.result.read_at or 0.0) == HOUR
    ]
