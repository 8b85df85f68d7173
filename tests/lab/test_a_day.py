"""A day of a hub, polled each minute as text and parsed, against the truth of every minute."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from ipsecmon.lab.network import Network
from ipsecmon.lab.simulated import SimulatedDevice, play, unreachable
from ipsecmon.lab.topology import Keepalive, hub
from ipsecmon.lab.truth import HappeningKind
from ipsecmon.model import PollResult
from ipsecmon.poll import PolledDevice
from ipsecmon.sessions import SessionPool
from ipsecmon_parsers.records import Direction, Flow
from ipsecmon_parsers.registry import SHOW_IPSEC_SA, SHOW_ISAKMP_SA, SHOW_SA_LIFETIME

HOUR = 3600.0
COMMANDS = (SHOW_ISAKMP_SA, SHOW_IPSEC_SA, SHOW_SA_LIFETIME)


class Day:
    """A hub of so many spokes through a failover, a clear, a reload and an hour out of reach."""

    def __init__(self, spokes: int, hours: float, *, seed: int = 1) -> None:
        self.network = Network(
            hub(spokes, second_routers=1, keepalive=Keepalive(seconds=10)), seed=seed
        )
        self.end = hours * HOUR
        tenth = self.end / 10
        self.network.plan(2 * tenth, lambda: self.network.reload("spoke0001", boot_seconds=600))
        self.network.plan(4 * tenth + 7, lambda: self.network.clear_sa("hub"))
        self.network.plan(6 * tenth + 7, lambda: self.network.reload("hub", boot_seconds=180))
        away = unreachable(8 * tenth, 8 * tenth + min(HOUR, tenth))
        self.device = SimulatedDevice(self.network, "hub", troubles=(away,))
        self.polls = self.failed = self.compared = 0
        self.wrong: list[str] = []

    def play(self) -> None:
        """Poll it to the end."""
        play(self.network, [self.device], until=self.end, poll=self._poll)

    def _poll(
        self,
        device: PolledDevice,
        sessions: SessionPool,
        previous: PollResult | None,
        clock: Callable[[], float],
    ) -> PollResult:
        """Compare what is read with what is true."""
        self.polls += 1
        now = clock()
        try:
            with sessions.lease(device.name, device.target, 30) as session:
                outputs = [session.run(command, 30) for command in COMMANDS]
        except ConnectionError:
            self.failed += 1
        except TimeoutError:
            self.failed += 1
        else:
            results = [
                device.registry.parse(device.platform, output.command, output.text, complete=True)
                for output in outputs
            ]
            self._compare([flow for flow in results[1].records if isinstance(flow, Flow)])
        return previous or PollResult(
            device=device.name,
            host=device.host,
            platform=device.platform,
            interval_seconds=device.interval_seconds,
            started_at=now,
            duration_seconds=0,
            read_at=None,
        )

    def _compare(self, flows: list[Flow]) -> None:
        for flow, truth in zip(flows, self.network.truth("hub"), strict=True):
            self.compared += 1
            read = (
                bool(flow.current_outbound_spi),
                flow.peer,
                flow.encaps_packets,
                flow.decaps_packets,
                flow.current_outbound_spi or None,
                tuple(sa.spi for sa in flow.sas if sa.direction is Direction.INBOUND),
            )
            true = (
                truth.is_up,
                truth.peer,
                truth.encaps_packets,
                truth.decaps_packets,
                truth.outbound_spi,
                truth.inbound_spis,
            )
            if read != true:
                self.wrong.append(f"{self.network.now}: read {read}, true {true}")


def assert_that_everything_happened(day: Day) -> None:
    counts: dict[HappeningKind, int] = {}
    for happening in day.network.happenings:
        if happening.router == "hub":
            counts[happening.kind] = counts.get(happening.kind, 0) + 1

    spokes = len(day.network.flows("hub"))
    assert day.wrong == []
    assert day.polls == day.end // 60
    # an hour or a tenth out of reach, and three minutes of boot
    assert day.failed == pytest.approx(min(HOUR, day.end / 10) / 60 + 3, abs=1)
    assert day.compared == (day.polls - day.failed) * spokes
    # over to the second router, and back to the first when the hub itself begins anew
    assert counts[HappeningKind.PEER_CHANGED] >= 1
    assert counts[HappeningKind.CLEARED] == counts[HappeningKind.COUNTERS_CLEARED] == spokes
    assert counts[HappeningKind.RELOAD] == counts[HappeningKind.BOOTED] == 1
    assert counts[HappeningKind.REKEY] >= spokes
    assert all(truth.is_joined for truth in day.network.truth("hub"))


@pytest.mark.slow
def test_a_few_hours_of_a_small_hub_read_as_they_are() -> None:
    day = Day(spokes=5, hours=10)
    day.play()

    assert_that_everything_happened(day)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_day_of_a_hub_with_100_spokes_reads_as_it_is() -> None:
    day = Day(spokes=100, hours=24)
    started = time.process_time()
    day.play()
    print(f"a day of 100 spokes: {time.process_time() - started:.1f} s of CPU")  # noqa: T201 - the measurement is the point

    assert_that_everything_happened(day)
