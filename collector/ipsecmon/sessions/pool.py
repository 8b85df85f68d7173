"""Keeps sessions open between polls, one per device.

A login costs a small router a key exchange and its AAA server an authentication; a session kept open costs one vty.
No lock is held while a session is opened, used or closed: one that hangs costs its own poll only.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType

from ipsecmon.config import Limits
from ipsecmon.errors import CollectionError, ConnectionClosed
from ipsecmon.sessions.limits import Commands, Logins, LoginSlot
from ipsecmon.sessions.protocol import OpenSession, Session, Target

__all__ = ["SessionLease", "SessionPool"]

# Ending a session may take a packet to a device that answers no more; ten thousand of them are not ended in a row.
_CLOSERS = 16


class SessionPool:
    """Open sessions by device name; the caller polls a device in one thread at a time."""

    def __init__(self, open_session: OpenSession, limits: Limits | None = None) -> None:
        limits = limits or Limits()
        self.open_session = open_session
        self.logins = Logins(limits.logins_per_second, _logins_in_flight(limits))
        self.commands = Commands(limits.commands_in_flight)
        self._kept: dict[str, Session] = {}
        self._in_use: dict[Session, str] = {}
        self._unwanted: set[Session] = set()
        self._changes: dict[str, int] = {}
        self._opened_at: dict[Session, float] = {}  # monotonic, of every session that is open
        self._opened_total = 0
        self._closed_total = 0
        self._lock = threading.Lock()
        self._is_closed = False

    def lease(
        self,
        device: str,
        target: Callable[[], Target],
        timeout: float,
        max_age_seconds: float = math.inf,
    ) -> SessionLease:
        """The device's session for the length of a ``with`` block.

        ``target`` is asked, and ``timeout`` seconds are spent, only to open a new one; as many may go by before that in
        waiting for leave to log in. A session older than ``max_age_seconds`` is opened anew; with 0 it is never kept.
        """
        return SessionLease(self, device, target, timeout, max_age_seconds)

    def limit(self, limits: Limits) -> None:
        """What all sessions together may do, from now on."""
        self.logins.limit(limits.logins_per_second, _logins_in_flight(limits))
        self.commands.limit(limits.commands_in_flight)

    @property
    def is_closed(self) -> bool:
        """The monitor is shutting down: whatever fails from here on fails because of that."""
        return self._is_closed

    @property
    def open_count(self) -> int:
        """Sessions kept open and those in use."""
        with self._lock:
            return len(self._kept) + len(self._in_use)

    @property
    def opened_total(self) -> int:
        """Sessions opened so far."""
        return self._opened_total

    @property
    def closed_total(self) -> int:
        """Sessions ended so far: together with those open now as many as were opened, or one was lost."""
        return self._closed_total

    def is_kept(self, device: str, max_age_seconds: float = math.inf) -> bool:
        """Whether the next poll of ``device`` finds a session that seems to be alive; asks nobody."""
        session = self._kept.get(device)
        return session is not None and self._is_usable(session, max_age_seconds)

    def close(self, timeout: float = 4.0) -> None:
        """End all sessions, also those in use: their polls fail at once instead of keeping the service alive.

        Returns when all are ended, after ``timeout`` seconds at the latest.
        """
        with self._lock:
            self._is_closed = True
            kept = list(self._kept.values())
            in_use = list(self._in_use)  # their polls give them back, and count them then
            self._kept.clear()
            self._forget_age(kept)
        self.logins.close()
        _close_all([*in_use, *kept], timeout)

    def forget(self, device: str) -> None:
        """End the session of ``device``, now or after the poll it is in: the device or its login was changed."""
        self.drop(device)
        with self._lock:
            self._changes[device] = self._changes.get(device, 0) + 1
            self._unwanted.update(one for one, user in self._in_use.items() if user == device)

    def changes(self, device: str) -> int:
        """How often ``device`` was changed so far."""
        return self._changes.get(device, 0)

    def take(self, device: str, max_age_seconds: float = math.inf) -> Session | None:
        """The session kept for ``device``, if it can be used; it belongs to the caller now."""
        with self._lock:
            if self._is_closed:
                raise ConnectionClosed(f"{device}: the monitor is shutting down")
            session = self._kept.pop(device, None)
            if session is None:
                return None
            self._in_use[session] = device
        if not self._is_usable(session, max_age_seconds):
            self.end(session)  # too old, or ended by the device: exec-timeout, a reload
            return None
        return session

    def put_new(self, device: str, session: Session, changes: int = 0) -> None:
        """``session`` was opened and is in use; one that was opened while the pool closed is closed again.

        ``changes``: those there were before the opening; one more since, and the session lasts for this poll only.
        """
        with self._lock:
            self._opened_total += 1
            self._opened_at[session] = time.monotonic()
            self._in_use[session] = device
            if changes != self._changes.get(device, 0):
                self._unwanted.add(session)
            is_closed = self._is_closed
        if is_closed:
            self.end(session)
            raise ConnectionClosed(f"{device}: the monitor is shutting down")

    def drop(self, device: str) -> None:
        """End the session kept for ``device``: its last answer made no sense."""
        with self._lock:
            session = self._kept.pop(device, None)
        if session is not None:
            self.end(session)

    def end(self, session: Session) -> None:
        """``session`` is of no further use."""
        with self._lock:
            self._in_use.pop(session, None)
            self._unwanted.discard(session)
            self._forget_age([session])
        session.close()

    def put_back(self, device: str, session: Session) -> None:
        """Keep ``session`` for the next poll."""
        with self._lock:
            if not self._is_closed and session not in self._unwanted:
                self._in_use.pop(session, None)
                self._kept[device] = session
                return
        self.end(session)

    def _is_usable(self, session: Session, max_age_seconds: float) -> bool:
        age = time.monotonic() - self._opened_at.get(session, -math.inf)
        return age < max_age_seconds and session.is_alive()

    def _forget_age(self, ended: Sequence[Session]) -> None:
        """With the lock held; each is counted once, however often it is ended."""
        for session in ended:
            if self._opened_at.pop(session, None) is not None:
                self._closed_total += 1


class SessionLease:
    """Hands a session out and takes it back; anything that goes wrong meanwhile ends it."""

    def __init__(
        self,
        pool: SessionPool,
        device: str,
        target: Callable[[], Target],
        timeout: float,
        max_age_seconds: float,
    ) -> None:
        self._pool = pool
        self._device = device
        self._target = target
        self._timeout = timeout
        self._max_age_seconds = max_age_seconds
        self._session: Session | None = None
        self.was_reused = False
        self.login_wait_seconds = 0.0
        """What went by until there was leave to log in: no fault of the device, and not taken from its time."""

    def __enter__(self) -> Session:
        kept = self._pool.take(self._device, self._max_age_seconds)
        self.was_reused = kept is not None
        self._session = kept or self._open()
        return self._session

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._session is not None  # noqa: S101 # for the type checkers: entered before left
        if error is None and self._max_age_seconds > 0:
            self._pool.put_back(self._device, self._session)
        else:
            self._pool.end(self._session)

    def _open(self) -> Session:
        with self._pool.logins.slot(self._timeout) as slot:
            self.login_wait_seconds = slot.waited_seconds
            changes = self._pool.changes(self._device)
            session = self._logged_in(slot)
        self._pool.put_new(self._device, session, changes)
        return session

    def _logged_in(self, slot: LoginSlot) -> Session:
        """The credential is looked up only now: it may have been rested, or renewed, while this waited."""
        deadline = time.monotonic() + self._timeout
        is_tried = False
        try:
            target = self._target()
            is_tried = True
            return self._pool.open_session(target, max(0.0, deadline - time.monotonic()))
        except CollectionError as error:
            is_tried = is_tried and error.is_attempt
            raise
        finally:
            if not is_tried:
                slot.spare()


def _logins_in_flight(limits: Limits) -> int:
    """One for each poll of the scheduler: those at devices that hang must not stand in the way of the others."""
    return limits.workers + limits.login_workers


def _close_all(sessions: Sequence[Session], timeout: float) -> None:
    left = deque(sessions)

    def close() -> None:
        while True:
            try:
                session = left.popleft()
            except IndexError:
                return
            session.close()

    threads = [
        threading.Thread(target=close, name="close", daemon=True)
        for _ in range(min(_CLOSERS, len(sessions)))
    ]
    deadline = time.monotonic() + timeout
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
