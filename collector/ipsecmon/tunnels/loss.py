"""Packets that left one end of a tunnel and were not counted at the other.

Both ends are read at different moments, so the counter of the remote end is taken at the times of the local readings,
on the straight line between its own two readings. What that can be wrong by is part of the result, and a loss that
could be a matter of the clocks or of uneven traffic is not given at all.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from operator import sub

from ipsecmon.model import CounterSample, Loss, RekeyTrigger, TunnelMemory

__all__ = ["Counted", "losses"]

FEWEST_PACKETS = 1000
# how far the time of a reading may be from the moment the device took its counters, at each end
TIMESTAMP_ERROR_SECONDS = 1.0
# above these a loss is not told from its error; together they stay below 1 %, where a loss is worth an alert
LARGEST_CLOCK_ERROR = 0.003
LARGEST_UNEVEN_ERROR = 0.005
# one missed reading is bridged, more is an outage of the readings or a clock set forward
_LONGEST_GAP_INTERVALS = 3.0
# readings closer than this come from a clock set back
_SHORTEST_GAP_INTERVALS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What one end counted: its memory, and the seconds from one of its readings to the next."""

    memory: TunnelMemory
    interval_seconds: float


def losses(local: Counted, remote: Counted) -> tuple[Loss | None, Loss | None]:
    """(loss of what the local end sent, loss of what the remote end sent); ``None`` where it cannot be told.

    It cannot where fewer than 1000 packets were sent, the error is too large, or a reset, an outage or a step of the
    clock lies in the time both ends have readings of. With one second of error at each end that time has to be
    11 minutes 7 seconds at least.
    """
    if not (_is_worth_it(local.memory.samples) or _is_worth_it(remote.memory.samples)):
        return None, None
    windows = _windows(local, remote)
    if windows is None:
        return None, None
    here, there = windows
    if any(_was_interrupted(end.memory, here.begin) for end in (local, remote)):
        return None, None
    sent = _Counter.of(here, is_sent=True), _Counter.of(there, is_sent=False)
    received = _Counter.of(there, is_sent=True), _Counter.of(here, is_sent=False)
    return _loss(*sent, here.seconds), _loss(*received, here.seconds)


def _is_worth_it(samples: Sequence[CounterSample]) -> bool:
    """Sent enough over long enough; cheap to tell, and true of few idle tunnels."""
    if not samples or _is_short(samples[-1].at - samples[0].at):
        return False
    return (samples[-1].encaps or 0) - (samples[0].encaps or 0) >= FEWEST_PACKETS


def _is_short(seconds: float) -> bool:
    """Clocks that are off at both ends could make up a loss in so short a time."""
    return seconds <= 2 * TIMESTAMP_ERROR_SECONDS / LARGEST_CLOCK_ERROR


@dataclass(frozen=True, slots=True)
class _Window:
    """The readings of one end from ``begin`` to ``end``, with those around them where they do not fall together."""

    samples: Sequence[CounterSample]
    times: Sequence[float]
    begin: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.begin


def _windows(local: Counted, remote: Counted) -> tuple[_Window, _Window] | None:
    """The widest time both ends have readings of, from a local reading to a local reading."""
    here, there = _complete(local.memory.samples), _complete(remote.memory.samples)
    if len(here) < 2 or len(there) < 2:
        return None
    times, remote_times = [one.at for one in here], [one.at for one in there]
    first = bisect_left(times, remote_times[0])
    last = bisect_right(times, remote_times[-1]) - 1
    if last <= first:
        return None
    begin, end = times[first], times[last]
    if _is_short(end - begin):
        return None
    inside = slice(first, last + 1)
    around = slice(bisect_right(remote_times, begin) - 1, bisect_left(remote_times, end) + 1)
    window = _Window(here[inside], times[inside], begin, end)
    remote_window = _Window(there[around], remote_times[around], begin, end)
    if not (
        _is_steady(window.times, local.interval_seconds)
        and _is_steady(remote_window.times, remote.interval_seconds)
    ):
        return None
    return window, remote_window


def _complete(samples: Sequence[CounterSample]) -> Sequence[CounterSample]:
    if all(one.encaps is not None and one.decaps is not None for one in samples):
        return samples
    return [one for one in samples if one.encaps is not None and one.decaps is not None]


def _is_steady(times: Sequence[float], interval: float) -> bool:
    """The readings are about one interval apart."""
    gaps: list[float] = list(map(sub, times[1:], times))
    return _SHORTEST_GAP_INTERVALS * interval <= min(gaps) and (
        max(gaps) <= _LONGEST_GAP_INTERVALS * interval
    )


def _was_interrupted(memory: TunnelMemory, begin: float) -> bool:
    """The tunnel was, or may have been, without SAs since ``begin``."""
    changes = [memory.last_transition_at, memory.unsettled_since]
    if memory.rekeys.get(RekeyTrigger.OUTAGE):
        # which trigger the last rekey had is not remembered
        changes.append(memory.last_rekey_at)
    return any(at is not None and at >= begin for at in changes)


@dataclass(frozen=True, slots=True)
class _Counter:
    """How far one counter came within a window, ``None`` where it began anew.

    ``uneven_packets`` is what straight lines between readings may be wrong by at both ends of the window.
    """

    packets: float | None
    uneven_packets: float

    @classmethod
    def of(cls, window: _Window, *, is_sent: bool) -> _Counter:
        samples, times = window.samples, window.times
        counts = [(one.encaps if is_sent else one.decaps) or 0 for one in samples]
        if counts != sorted(counts):
            return cls(None, 0.0)
        before = _remainder(times[0], times[1], counts[0], counts[1], window.begin)
        after = _remainder(times[-2], times[-1], counts[-2], counts[-1], window.end)
        packets = counts[-1] - counts[0] - before - (counts[-1] - counts[-2] - after)
        is_between = times[0] != window.begin or times[-1] != window.end
        return cls(packets, _uneven_packets(times, counts) if is_between else 0.0)


def _remainder(earlier: float, later: float, before: int, after: int, at: float) -> float:
    """Packets from the earlier of two readings to a time between them, on a straight line."""
    return (after - before) * (at - earlier) / (later - earlier)


def _uneven_packets(times: Sequence[float], counts: Sequence[int]) -> float:
    """Packets by which straight lines over two intervals miss the reading between them.

    For traffic that wanders at random this is about one and a half times what two lines over one interval miss.
    """
    missed = [
        (counts[i] - counts[i - 1])
        - (counts[i + 1] - counts[i - 1])
        * (times[i] - times[i - 1])
        / (times[i + 1] - times[i - 1])
        for i in range(1, len(times) - 1)
    ]
    return sqrt(2 * sum(one * one for one in missed) / len(missed)) if missed else 0.0


def _loss(sent: _Counter, received: _Counter, seconds: float) -> Loss | None:
    if sent.packets is None or received.packets is None or sent.packets < FEWEST_PACKETS:
        return None
    # only the remote end, whichever it is, was read between the ends of the window
    uneven_error = max(sent.uneven_packets, received.uneven_packets) / sent.packets
    if uneven_error >= LARGEST_UNEVEN_ERROR:
        return None
    error = 2 * TIMESTAMP_ERROR_SECONDS / seconds + uneven_error
    ratio = 1 - received.packets / sent.packets
    if ratio < -error:
        return None  # more arrived than was sent: these counters are not of one tunnel
    return Loss(
        ratio=max(ratio, 0.0), error=error, packets=round(sent.packets), seconds=round(seconds, 3)
    )
