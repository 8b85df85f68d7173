"""Counts logins: what a AAA server sees of us."""

from __future__ import annotations

import threading

from ipsecmon.sessions.protocol import OpenSession, Session, Target

__all__ = ["CountedLogins"]


class CountedLogins:
    """An ``OpenSession`` that counts what it opens and what it cannot."""

    def __init__(self, open_session: OpenSession) -> None:
        self._open_session = open_session
        self._lock = threading.Lock()
        self._total = 0
        self._failed = 0

    def __call__(self, target: Target, timeout: float) -> Session:
        """See ``OpenSession``."""
        with self._lock:
            self._total += 1
        try:
            return self._open_session(target, timeout)
        except BaseException:
            with self._lock:
                self._failed += 1
            raise

    @property
    def total(self) -> int:
        """Sessions that were to be opened, with those that could not."""
        return self._total

    @property
    def failed(self) -> int:
        """Those that could not, for whatever reason."""
        return self._failed
