"""Whatever happens to single polls, what is told of the tunnels stays true: dropped, failed, repeated, late, clock set back.

The truth is a timeline per tunnel, made here; the monitor sees it only through its readings.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from factories import flow, ident, ike_sa, never_polled, pair
from ipsecmon.config import Tier
from ipsecmon.metrics import render_result
from ipsecmon.model import Event, EventKind, PollError, PollResult, Reason, Stage
from ipsecmon.tunnels import Reading, build
from ipsecmon_parsers.records import Flow

LIFETIME_SECONDS = 600


@dataclass(frozen=True)
class Timeline:
    """When a tunnel is down, as (from, to); while it is up it rekeys every ten minutes."""

    number: int
    outages: tuple[tuple[float, float], ...]

    def outage_at(self, time: float) -> tuple[float, float] | None:
        return next((one for one in self.outages if one[0] <= time < one[1]), None)

    def is_up(self, time: float) -> bool:
        return self.outage_at(time) is None

    def spi(self, time: float) -> tuple[int, float]:
        """The SPI in use and when it was made."""
        began = max((end for _, end in self.outages if end <= time), default=0.0)
        made = began + (time - began) // LIFETIME_SECONDS * LIFETIME_SECONDS
        return 1000 * self.number + int(made) * 100000 + 2, made

    def packets(self, time: float) -> int:
        down = sum(min(time, end) - start for start, end in self.outages if start < time)
        return int(10 * (time - down)) + 1

    def flow(self, time: float) -> Flow:
        idents = {"remote_ident": ident(f"10.2.{self.number}.0/24")}
        counters = {"encaps_packets": self.packets(time), "decaps_packets": self.packets(time)}
        if not self.is_up(time):
            return flow(**idents, **counters)
        spi, made = self.spi(time)
        left = int(made + LIFETIME_SECONDS - time)
        return flow(*pair(spi + 1, spi, remaining_seconds=left), **idents, **counters)


@st.composite
def timelines(draw: st.DrawFn, number: int) -> Timeline:
    edges = sorted(
        draw(
            st.lists(st.integers(1, 3000), unique=True, max_size=6).filter(
                lambda e: len(e) % 2 == 0
            )
        )
    )
    return Timeline(
        number, tuple((float(a), float(b)) for a, b in zip(edges[::2], edges[1::2], strict=True))
    )


@dataclass(frozen=True)
class Step:
    """One poll, ``after`` so many seconds of true time; ``step`` is how far the clock is set then."""

    kind: str
    after: float
    step: float = 0.0


STEPS = st.lists(
    st.one_of(
        st.builds(Step, st.just("good"), st.just(60.0)),
        st.builds(Step, st.just("good"), st.sampled_from([1.0, 59.0, 61.0, 75.0, 119.0, 300.0])),
        st.builds(Step, st.just("failed"), st.just(60.0)),
        st.builds(Step, st.just("repeated"), st.just(0.0)),
        st.builds(
            Step, st.just("good"), st.just(60.0), st.sampled_from([-7200.0, -90.5, 45.25, 3600.5])
        ),
    ),
    min_size=2,
    max_size=50,
)


@dataclass
class Run:
    """What was read and told: ``readings`` are (true time, time of the clock, events)."""

    timelines: tuple[Timeline, ...]
    readings: list[tuple[float, float, tuple[Event, ...]]]
    last: PollResult


def run(lines: tuple[Timeline, ...], steps: list[Step]) -> Run:
    """A monitor that polls as ``steps`` say."""
    true, offset = 0.0, 1_000_000.0
    made = Run(lines, [], never_polled())
    for step in steps:
        true += step.after
        offset += step.step
        if step.kind == "failed":
            error = PollError(
                device="Site1", stage=Stage.CONNECT, reason=Reason.TIMEOUT, cause="no answer"
            )
            made.last = replace(made.last, error=error)
            continue
        if step.kind == "repeated" and not made.readings:
            continue
        at = true + offset
        reading = build(
            Reading(at=at, flows=[line.flow(true) for line in lines], ike_sas=[ike_sa()]), made.last
        )
        made.readings.append((true, at, reading.events))
        made.last = replace(
            made.last,
            read_at=at,
            tunnels=reading.tunnels,
            ike_peers=reading.ike_peers,
            highest_conn_ids=reading.highest_conn_ids,
            error=None,
        )
    return made


RUNS = st.builds(run, st.tuples(timelines(1), timelines(2)), STEPS)


def name(line: Timeline) -> str:
    return f"CRYPTO/10.1.1.0_24-10.2.{line.number}.0_24"


def told(played: Run, line: Timeline, *kinds: EventKind) -> list[tuple[float, Event]]:
    return [
        (true, event)
        for true, _, events in played.readings
        for event in events
        if event.tunnel == name(line) and event.kind in kinds
    ]


@given(RUNS)
def test_no_tunnel_is_said_to_be_down_that_is_up(played: Run) -> None:
    for line in played.timelines:
        for true, _ in told(played, line, EventKind.DOWN):
            assert not line.is_up(true)
        for true, _ in told(played, line, EventKind.UP):
            assert line.is_up(true)


@given(RUNS)
def test_no_outage_is_lost_that_was_read_twice(played: Run) -> None:
    for line in played.timelines:
        downs = [true for true, _ in told(played, line, EventKind.DOWN)]
        first = played.readings[0][0] if played.readings else 0.0
        for start, end in line.outages:
            read = sorted({true for true, _, _ in played.readings if start <= true < end})
            # it must have been settled up before, by readings that agree
            if first < start and len(read) >= 2 and _is_settled_up(played, line, start):
                assert [true for true in downs if start <= true <= read[1]]


def _is_settled_up(played: Run, line: Timeline, before: float) -> bool:
    """What was told before ``before`` ends with up, or never was anything but up."""
    moves = [
        event.kind
        for true, event in told(played, line, EventKind.UP, EventKind.DOWN)
        if true < before
    ]
    if moves:
        return moves[-1] is EventKind.UP
    return line.is_up(played.readings[0][0])


@given(RUNS)
def test_up_and_down_take_turns(played: Run) -> None:
    for line in played.timelines:
        moves = [event.kind for _, event in told(played, line, EventKind.UP, EventKind.DOWN)]

        assert all(one is not other for one, other in pairwise(moves))


@given(RUNS)
def test_each_new_spi_is_told_once(played: Run) -> None:
    for line in played.timelines:
        seen: list[int] = []
        for true, _, _ in played.readings:
            spi = line.spi(true)[0]
            if line.is_up(true) and spi not in seen:
                seen.append(spi)
        rekeys = [event for _, event in told(played, line, EventKind.REKEY)]

        assert [event.facts["new_spi"] for event in rekeys] == seen[1:]
        tunnel = (
            next(one for one in played.last.tunnels if one.name == name(line)) if seen else None
        )
        assert tunnel is None or sum(tunnel.memory.rekeys.values()) == len(rekeys)


@given(RUNS)
def test_no_two_events_are_the_same(played: Run) -> None:
    identities = [event.identity for _, _, events in played.readings for event in events]

    assert len(set(identities)) == len(identities)


@given(RUNS)
def test_no_count_ever_decreases(played: Run) -> None:
    rekeys = 0
    for line in played.timelines:
        rekeys += len(told(played, line, EventKind.REKEY))
    flaps = sum(len(told(played, line, EventKind.DOWN)) for line in played.timelines)

    assert sum(sum(t.memory.rekeys.values()) for t in played.last.tunnels) == rekeys
    assert sum(t.memory.flaps for t in played.last.tunnels) == flaps


@given(RUNS)
def test_no_two_series_share_their_labels(played: Run) -> None:
    rendered = render_result(played.last, Tier.EXTENDED)
    lines = [line.rpartition(b" ")[0] for body in rendered.values() for line in body.splitlines()]

    assert len(set(lines)) == len(lines)
