"""Jump hosts: one login to each, shared by every device behind it, opened when the first device needs it."""

from __future__ import annotations

import time
from collections.abc import Callable

import asyncssh
import paramiko

from ipsecmon.sessions.jump_failures import REST_SECONDS
from ipsecmon.sessions.jumps_asyncssh import LoopJumps
from ipsecmon.sessions.jumps_paramiko import ThreadJumps
from ipsecmon.sessions.protocol import JumpHost

__all__ = ["JumpHosts"]


class JumpHosts:
    """The logins to all jump hosts; safe to use from many threads and from one event loop beside them.

    A login that breaks is opened anew for the next device; one that fails is not tried again for ``rest_seconds``, in
    which everybody gets the same error at once. One that is refused rests longer each time, up to a quarter of an hour,
    unless the secret changes: the account must not be locked. Of a chain, each hop's login serves the devices behind it and the next hop.
    """

    def __init__(
        self,
        rest_seconds: float = REST_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._for_threads = ThreadJumps(rest_seconds, clock)
        self._for_loop = LoopJumps(rest_seconds, clock)

    def socket_to(
        self, jumps: tuple[JumpHost, ...], host: str, port: int, timeout: float
    ) -> paramiko.Channel:
        """A connection to ``host`` from the last of ``jumps``, within ``timeout`` seconds, to be used like a socket.

        Raises a ``CollectionError`` that names the jump host.
        """
        return self._for_threads.socket_to(jumps, host, port, timeout)

    async def tunnel_to(
        self,
        jumps: tuple[JumpHost, ...],
        timeout: float,  # noqa: ASYNC109 # its end is an error of ours, and the login goes on for others
    ) -> asyncssh.SSHClientConnection:
        """The login to the last of ``jumps``, within ``timeout`` seconds, for ``asyncssh.connect(tunnel=...)``.

        It is shared: the caller does not close it. Raises a ``CollectionError`` that names the jump host.
        """
        return await self._for_loop.tunnel_to(jumps, timeout)

    def close(self) -> None:
        """End all logins at once, and with them the sessions behind; whoever waits for one fails."""
        self._for_threads.close()
        self._for_loop.close()

    async def aclose(self) -> None:
        """As ``close``, in the event loop that used ``tunnel_to``; returns when its connections are gone."""
        self._for_threads.close()
        await self._for_loop.aclose()
