"""Packets that left one end of a tunnel and were not counted at the other.

Both ends are read at different moments, so the counter of the remote end is taken at the times of the local readings,
on the straight line between its own two readings. What that can be wrong by is part of the result, and a loss that
could be a matter of the clocks or of uneven traffic is not given at all.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

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

_Curve = Sequence[tuple[float, int]]


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
    if not local.memory.samples or not remote.memory.samples:
        return None, None
    return (
        _loss(local, remote, is_local_sender=True),
        _loss(local, remote, is_local_sender=False),
    )


def _loss(local: Counted, remote: Counted, *, is_local_sender: bool) -> Loss | None:
    here = _curve(local.memory.samples, is_sent=is_local_sender)
    there = _curve(remote.memory.samples, is_sent=not is_local_sender)
    if len(here) < 2 or len(there) < 2:
        return None
    sender = here if is_local_sender else there
    if sender[-1][1] - sender[0][1] < FEWEST_PACKETS:
        return None
    inside = [at for at, _ in here if there[0][0] <= at <= there[-1][0]]
    if len(inside) < 2:
        return None
    begin, end = inside[0], inside[-1]
    clock_error = 2 * TIMESTAMP_ERROR_SECONDS / max(end - begin, TIMESTAMP_ERROR_SECONDS)
    if clock_error >= LARGEST_CLOCK_ERROR:
        return None
    here, there = _around(here, begin, end), _around(there, begin, end)
    if not (
        _is_steady(here, local.interval_seconds) and _is_steady(there, remote.interval_seconds)
    ):
        return None
    if _was_interrupted(local.memory, begin) or _was_interrupted(remote.memory, begin):
        return None
    at_local = here[-1][1] - here[0][1]
    at_remote = _at(there, end) - _at(there, begin)
    sent, received = (at_local, at_remote) if is_local_sender else (at_remote, at_local)
    if sent < FEWEST_PACKETS:
        return None
    uneven_error = _unevenness(there) / sent
    if uneven_error >= LARGEST_UNEVEN_ERROR:
        return None
    error = clock_error + uneven_error
    ratio = 1 - received / sent
    if ratio < -error:
        return None  # more arrived than was sent: these counters are not of one tunnel
    return Loss(
        ratio=max(ratio, 0.0), error=error, packets=round(sent), seconds=round(end - begin, 3)
    )


def _curve(samples: Sequence[CounterSample], *, is_sent: bool) -> _Curve:
    counts = ((one.at, one.encaps if is_sent else one.decaps) for one in samples)
    return [(at, count) for at, count in counts if count is not None]


def _around(curve: _Curve, begin: float, end: float) -> _Curve:
    """The readings from the last one at or before ``begin`` to the first one at or after ``end``."""
    times = [at for at, _ in curve]
    first = max(bisect_right(times, begin) - 1, 0)
    last = next((index for index, at in enumerate(times) if at >= end), len(times) - 1)
    return curve[first : last + 1]


def _is_steady(curve: _Curve, interval: float) -> bool:
    """Counters only grow, and the readings are about one interval apart."""
    return all(
        count >= before
        and _SHORTEST_GAP_INTERVALS * interval <= at - earlier <= _LONGEST_GAP_INTERVALS * interval
        for (earlier, before), (at, count) in pairwise(curve)
    )


def _was_interrupted(memory: TunnelMemory, begin: float) -> bool:
    """The tunnel was, or may have been, without SAs since ``begin``."""
    changes = [memory.last_transition_at, memory.unsettled_since]
    if memory.rekeys.get(RekeyTrigger.OUTAGE):
        # which trigger the last rekey had is not remembered
        changes.append(memory.last_rekey_at)
    return any(at is not None and at >= begin for at in changes)


def _at(curve: _Curve, at: float) -> float:
    """The counter at a time between its first and its last reading, on a straight line between two readings."""
    index = min(bisect_right([time for time, _ in curve], at), len(curve) - 1)
    (earlier, before), (later, after) = curve[index - 1], curve[index]
    return before + (after - before) * (at - earlier) / (later - earlier)


def _unevenness(curve: _Curve) -> float:
    """Packets by which straight lines miss the readings between them: what both ends of the window may be off by.

    Taken over two intervals and spent on one, which for traffic that wanders at random is one and a half times what
    is to be expected.
    """
    missed = [
        count - (before + (after - before) * (at - earlier) / (later - earlier))
        for (earlier, before), (at, count), (later, after) in zip(
            curve, curve[1:], curve[2:], strict=False
        )
    ]
    return sqrt(2 * sum(one * one for one in missed) / len(missed)) if missed else 0.0
