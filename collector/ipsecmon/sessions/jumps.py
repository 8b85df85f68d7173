"""Jump hosts: one login to each, shared by every device behind it, opened when the first device needs it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import asyncssh
import paramiko

from ipsecmon.config import Secret, SshProfile
from ipsecmon.sessions.jump_failures import REST_SECONDS
from ipsecmon.sessions.jumps_asyncssh import LoopJumps
from ipsecmon.sessions.jumps_paramiko import ThreadJumps
from ipsecmon.sessions.protocol import HostKeyPolicy, JumpHost, PrivateKey

__all__ = ["JumpEntry", "JumpHosts", "JumpLogin", "jump_host"]


class JumpEntry(Protocol):
    """What the configuration says of a jump host."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def profile(self) -> SshProfile: ...


class JumpLogin(Protocol):
    """The credential of a jump host, resolved."""

    @property
    def username(self) -> str: ...
    @property
    def password(self) -> Secret | None: ...
    @property
    def key(self) -> Path | None: ...
    @property
    def passphrase(self) -> Secret | None: ...
    @property
    def agent(self) -> bool: ...


def jump_host(
    name: str,
    entry: JumpEntry,
    login: JumpLogin,
    host_keys: HostKeyPolicy,
    connect_timeout: float,
) -> JumpHost:
    """A jump host of the configuration as sessions must know it."""
    key = login.key
    return JumpHost(
        name=name,
        host=entry.host,
        port=entry.port,
        profile=entry.profile,
        username=login.username,
        password=_revealed(login.password),
        private_key=PrivateKey(file=key, passphrase=_revealed(login.passphrase)) if key else None,
        use_agent=login.agent,
        host_keys=host_keys,
        connect_timeout=connect_timeout,
    )


def _revealed(secret: Secret | None) -> str | None:
    return None if secret is None else secret.reveal()


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
