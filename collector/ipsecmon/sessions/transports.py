"""Opens the session that a device is to be asked over; the one place that knows all transports."""

from __future__ import annotations

from ipsecmon.config import Transport
from ipsecmon.sessions.asyncssh_session import AsyncsshTransport
from ipsecmon.sessions.napalm_session import open_napalm_session
from ipsecmon.sessions.protocol import OnStep, Session, Target, ignore_step
from ipsecmon.sessions.ways import JumpWays

__all__ = ["Transports"]


class Transports:
    """All transports of the service; ``open`` is an ``OpenSession``. Safe to call from many threads."""

    def __init__(self, jumps: JumpWays | None = None) -> None:
        """``jumps`` leads to devices behind jump hosts; without it they cannot be reached."""
        self._jumps = jumps
        self._asyncssh = AsyncsshTransport(jumps)

    def open(self, target: Target, timeout: float, on_step: OnStep = ignore_step) -> Session:
        """An open session within ``timeout`` seconds, or a ``CollectionError`` that names what was in the way."""
        if target.transport is Transport.ASYNCSSH:
            return self._asyncssh.open(target, timeout, on_step)
        return open_napalm_session(target, timeout, on_step, self._jumps)

    def close(self) -> None:
        """End what all sessions share; sessions that are still open over asyncssh end with it."""
        self._asyncssh.close()
