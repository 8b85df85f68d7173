"""Keeps sessions open between polls, one per device.

A login costs a small router a key exchange and its AAA server an authentication; a session kept open costs one vty.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType

from ipsecmon.errors import ConnectionClosed
from ipsecmon.sessions.protocol import OpenSession, Session, Target

__all__ = ["SessionLease", "SessionPool"]


class SessionPool:
    """Open sessions by device name; the caller polls a device in one thread at a time."""

    def __init__(self, open_session: OpenSession) -> None:
        self.open_session = open_session
        self._sessions: dict[str, Session] = {}
        self._in_use: set[Session] = set()
        self._lock = threading.Lock()
        self._is_closed = False

    def lease(self, device: str, target: Callable[[], Target], timeout: float) -> SessionLease:
        """The device's session for the length of a ``with`` block.

        ``target`` is asked, and ``timeout`` seconds are spent, only to open a new one.
        """
        return SessionLease(self, device, target, timeout)

    @property
    def is_closed(self) -> bool:
        """The monitor is shutting down: whatever fails from here on fails because of that."""
        return self._is_closed

    @property
    def open_count(self) -> int:
        """Sessions kept open and not in use."""
        return len(self._sessions)

    def close(self) -> None:
        """End all sessions, also those in use: their polls fail at once instead of keeping the service alive."""
        with self._lock:
            self._is_closed = True
            sessions = [*self._sessions.values(), *self._in_use]
            self._sessions.clear()
        for session in sessions:
            session.close()

    def take(self, device: str) -> Session | None:
        """The session kept for ``device``, if it is still alive; it belongs to the caller now."""
        with self._lock:
            if self._is_closed:
                raise ConnectionClosed(f"{device}: the monitor is shutting down")
            session = self._sessions.pop(device, None)
        if session is not None and not session.is_alive():
            session.close()  # ended by the device between two polls, by exec-timeout or reload
            return None
        return session

    def lend(self, session: Session) -> None:
        """``session`` is in use from now on; one that was opened while the pool closed is closed again."""
        with self._lock:
            if not self._is_closed:
                self._in_use.add(session)
                return
        session.close()
        raise ConnectionClosed("the monitor is shutting down")

    def drop(self, device: str) -> None:
        """End the session kept for ``device``: its last answer made no sense."""
        with self._lock:
            session = self._sessions.pop(device, None)
        if session is not None:
            session.close()

    def end(self, session: Session) -> None:
        """``session`` is of no further use."""
        with self._lock:
            self._in_use.discard(session)
        session.close()

    def put_back(self, device: str, session: Session) -> None:
        """Keep ``session`` for the next poll."""
        with self._lock:
            self._in_use.discard(session)
            if not self._is_closed:
                self._sessions[device] = session
                return
        session.close()


class SessionLease:
    """Hands a session out and takes it back; anything that goes wrong meanwhile ends it."""

    def __init__(
        self, pool: SessionPool, device: str, target: Callable[[], Target], timeout: float
    ) -> None:
        self._pool = pool
        self._device = device
        self._target = target
        self._timeout = timeout
        self._session: Session | None = None
        self.was_reused = False

    def __enter__(self) -> Session:
        kept = self._pool.take(self._device)
        self.was_reused = kept is not None
        self._session = kept or self._pool.open_session(self._target(), self._timeout)
        self._pool.lend(self._session)
        return self._session

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._session is not None  # noqa: S101 # for the type checkers: entered before left
        if error is None:
            self._pool.put_back(self._device, self._session)
        else:
            self._pool.end(self._session)
