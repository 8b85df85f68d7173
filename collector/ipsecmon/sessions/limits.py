"""What all sessions together may do at a time: log in so often, send so many commands.

A login is a key exchange on a small CPU and a request to an AAA server that serves others too.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager

from ipsecmon.errors import AnswerTimeout, ConnectionClosed, LoginsBusy

__all__ = ["Commands", "LoginSlot", "Logins"]


class LoginSlot:
    """Leave to log in, for the length of a ``with`` block."""

    def __init__(self, waited_seconds: float) -> None:
        self.waited_seconds = waited_seconds
        self.is_used = True

    def spare(self) -> None:
        """No login was tried after all: it does not count."""
        self.is_used = False


class Logins:
    """A bucket of one login that fills ``per_second``: they keep their distance, and come in the order they asked."""

    def __init__(self, per_second: float, in_flight: int) -> None:
        """``in_flight``: how many may be under way at the same time."""
        self._per_second = per_second
        self._most_in_flight = in_flight
        self._changed = threading.Condition()
        self._queue: deque[threading.Event] = deque()
        self._free_at = 0.0
        self._in_flight = 0
        self._is_closed = False
        self._wait_seconds_total = 0.0
        self._refused_total = 0

    @property
    def in_flight(self) -> int:
        """Logins under way now."""
        return self._in_flight

    @property
    def waiting(self) -> int:
        """Polls that wait for leave to log in now."""
        return len(self._queue)

    @property
    def wait_seconds_total(self) -> float:
        """What all polls together have waited."""
        return self._wait_seconds_total

    @property
    def refused_total(self) -> int:
        """Polls that got no leave within their timeout."""
        return self._refused_total

    def limit(self, per_second: float, in_flight: int) -> None:
        """So much from now on."""
        with self._changed:
            self._per_second = per_second
            self._most_in_flight = in_flight
            self._free_at = min(self._free_at, time.monotonic() + 1 / per_second)
            self._changed.notify_all()

    def close(self) -> None:
        """Nobody logs in any more; those that wait fail at once."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
            for turn in self._queue:
                turn.set()

    @contextmanager
    def slot(self, timeout: float) -> Generator[LoginSlot]:
        """Wait for leave to log in, at most ``timeout`` seconds; raises ``LoginsBusy``, or ``ConnectionClosed`` once closed."""
        slot = LoginSlot(self._acquire(timeout))
        try:
            yield slot
        finally:
            with self._changed:
                self._in_flight -= 1
                if not slot.is_used:
                    self._free_at -= 1 / self._per_second
                self._changed.notify_all()

    def _acquire(self, timeout: float) -> float:
        """The seconds it took. One waits for the clock at a time, the first of the queue; each wakes the next."""
        began = time.monotonic()
        turn = threading.Event()
        with self._changed:
            self._queue.append(turn)
            if self._queue[0] is turn:
                turn.set()
        try:
            turn.wait(timeout)
            with self._changed:
                self._take(turn, began + timeout, timeout)
        finally:
            waited = time.monotonic() - began
            with self._changed:
                self._wait_seconds_total += waited
                self._queue.remove(turn)
                if self._queue:
                    self._queue[0].set()
        return waited

    def _take(self, turn: threading.Event, deadline: float, timeout: float) -> None:
        while True:
            now = time.monotonic()
            if self._is_closed:
                raise ConnectionClosed("the monitor is shutting down")
            is_room = self._in_flight < self._most_in_flight and self._queue[0] is turn
            if is_room and now >= self._free_at:
                break
            if now >= deadline:
                self._refused_total += 1
                raise LoginsBusy(
                    f"no leave to log in within {timeout:.1f} s: too many devices log in at once; "
                    "raise ssh.logins_per_second, or the interval"
                )
            self._changed.wait(min(deadline, self._free_at if is_room else deadline) - now)
        self._free_at = now + 1 / self._per_second
        self._in_flight += 1


class Commands:
    """At most so many commands whose answers are under way."""

    def __init__(self, in_flight: int) -> None:
        self._most = in_flight
        self._changed = threading.Condition()
        self._in_flight = 0

    @property
    def in_flight(self) -> int:
        """Commands whose answers are under way now."""
        return self._in_flight

    def limit(self, in_flight: int) -> None:
        """So many from now on."""
        with self._changed:
            self._most = in_flight
            self._changed.notify_all()

    @contextmanager
    def slot(self, timeout: float) -> Generator[float]:
        """Wait for leave to send a command, at most ``timeout`` seconds; gives the seconds that are left then."""
        deadline = time.monotonic() + timeout
        with self._changed:
            if not self._changed.wait_for(lambda: self._in_flight < self._most, timeout):
                raise AnswerTimeout(
                    f"no leave to send a command within {timeout:.1f} s: {self._most} answers are under way; "
                    "raise poll.commands_in_flight, or the interval"
                )
            self._in_flight += 1
        try:
            yield max(0.001, deadline - time.monotonic())
        finally:
            with self._changed:
                self._in_flight -= 1
                self._changed.notify()
