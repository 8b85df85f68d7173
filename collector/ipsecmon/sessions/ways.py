"""The ways to a device: straight, or through jump hosts, which are another part's matter."""

from __future__ import annotations

from typing import Protocol

import asyncssh

from ipsecmon.sessions.protocol import JumpHost

__all__ = ["JumpWays", "SocketLike"]


class SocketLike(Protocol):
    """What paramiko needs of a connection: a socket, or a channel through another SSH connection."""

    def send(self, data: bytes, /) -> int:
        """Take some of the bytes."""
        ...

    def recv(self, size: int, /) -> bytes:
        """The next bytes, none at the end."""
        ...

    def settimeout(self, seconds: float | None, /) -> None:
        """How long ``send`` and ``recv`` may wait."""
        ...

    def close(self) -> None:
        """End it."""
        ...


class JumpWays(Protocol):
    """Logins to jump hosts, shared by the devices behind them."""

    def socket_to(
        self, jumps: tuple[JumpHost, ...], host: str, port: int, timeout: float
    ) -> SocketLike:
        """A connection to ``host`` through ``jumps``, or a ``CollectionError``."""
        ...

    async def tunnel_to(
        self,
        jumps: tuple[JumpHost, ...],
        timeout: float,  # noqa: ASYNC109 # for all the logins on the way together, each of which tells what it was at
    ) -> asyncssh.SSHClientConnection:
        """The connection to the last of ``jumps``, in the running event loop, or a ``CollectionError``."""
        ...
