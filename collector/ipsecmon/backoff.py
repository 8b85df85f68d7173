"""How long a device that cannot be reached is left alone.

A device that is dead costs a login worker a connect timeout at each attempt, and one that refuses its login counts
attempts and may lock the account. So each failure before the first command doubles the pause before the next attempt,
from one interval up to a longest one. A device that lets us in and then answers badly is asked at its interval; one
that answers nothing any more holds a worker for a time-out each time, and is left alone for a few intervals.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass

from ipsecmon.model import PollError, PollResult, Reason, Stage

__all__ = ["Backoff"]

# How often a failure at this stage doubles the pause: one that counts against the account does so faster.
_DOUBLINGS = {
    Stage.RESOLVE: 1,
    Stage.CONNECT: 1,
    Stage.HOSTKEY: 1,
    Stage.AUTH: 2,
    Stage.PRIVILEGE: 2,
}
# It let us in, so it may be well again at any moment: at most so many intervals until it is asked again.
_HANGING_INTERVALS = 4
# Devices that died together, behind one line that was cut, are not all tried together.
_SPREAD = 0.25


@dataclass(frozen=True, slots=True)
class _Pause:
    doublings: int
    next_attempt_at: float
    interval_seconds: float


class Backoff:
    """What is kept of the devices that fail; safe to use from many threads."""

    def __init__(self, longest_seconds: float) -> None:
        """``longest_seconds``: the pause between two attempts at most, but never less than one interval."""
        self.longest_seconds = longest_seconds
        self._pauses: dict[str, _Pause] = {}
        self._lock = threading.Lock()

    def note(self, result: PollResult) -> float | None:
        """Take down how a poll ended; returns when the next attempt is made (Unix seconds), ``None`` for at its interval."""
        error = result.error
        if error is not None and not error.is_attempt:
            with self._lock:
                pause = self._pauses.get(result.device)
            if pause is None or pause.next_attempt_at <= result.started_at:
                return None
            return pause.next_attempt_at
        if error is None or not (error.stage in _DOUBLINGS or _hangs(error)):
            self.forget(result.device)
            return None
        with self._lock:
            pause = self._longer(self._pauses.get(result.device), result, error)
            self._pauses[result.device] = pause
        return pause.next_attempt_at

    def is_resting(self, device: str, now: float, pace_seconds: float) -> bool:
        """Whether ``device`` is not to be tried at ``now``, Unix seconds.

        Attempts are made when the device is due, every ``pace_seconds``: the one nearest to the time is taken.
        """
        pause = self._pauses.get(device)
        if pause is None:
            return False
        # a clock set back must not silence a device for as long as that
        longest = max(pause.interval_seconds, self.longest_seconds)
        return pace_seconds / 2 < pause.next_attempt_at - now <= longest

    @property
    def count(self) -> int:
        """Devices that cannot be reached: each is tried less often than at its interval, or will be."""
        return len(self._pauses)

    def forget(self, device: str) -> None:
        """Try ``device`` at once and begin anew: it answered, or something about it was changed."""
        with self._lock:
            self._pauses.pop(device, None)

    def _longer(self, before: _Pause | None, result: PollResult, error: PollError) -> _Pause:
        doublings = (before.doublings if before else 0) + _DOUBLINGS.get(error.stage, 1)
        interval = result.interval_seconds
        longest = max(interval, self.longest_seconds)
        if _hangs(error):
            longest = min(longest, _HANGING_INTERVALS * interval)
        # the exponent is bounded before it is one: a device may be dead for years
        seconds = min(interval * 2.0 ** min(doublings - 1, 40), longest)
        seconds *= 1 - _SPREAD * _share(f"{result.device}/{doublings}")
        return _Pause(min(doublings, 41), result.started_at + seconds, interval)


def _hangs(error: PollError) -> bool:
    return error.stage is Stage.COMMAND and error.reason is Reason.TIMEOUT


def _share(text: str) -> float:
    """Between 0 and 1, the same for the same text on every machine."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64
