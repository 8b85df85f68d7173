"""SSH servers that forward, as jump hosts do, and an echo to forward to: on loopback, in one background thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeVar

import asyncssh

from ipsecmon.sessions import HostKeyPolicy, JumpHost
from ipsecmon.sessions.host_keys import AnyHostKey

__all__ = ["JumpServer", "JumpServers"]

T = TypeVar("T")
_HOST = "127.0.0.1"
_PASSWORD = "bastion-lab"
_PROHIBITED = 1  # RFC 4254, section 5.1


@dataclass
class JumpServer:
    """One jump host; what it saw is counted."""

    name: str
    keys: tuple[asyncssh.SSHKey, ...]
    options: dict[str, Any]
    port: int = 0
    authorized_key: asyncssh.SSHKey | None = None
    """Whose owner is let in; the password is not, then."""
    forwards: bool = True
    connections_count: int = 0
    logins: int = 0
    forwarded: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    connections: set[asyncssh.SSHServerConnection] = field(
        default_factory=set[asyncssh.SSHServerConnection]
    )
    acceptor: asyncssh.SSHAcceptor | None = None

    @property
    def key(self) -> asyncssh.SSHKey:
        """Its host key, the first of them."""
        return self.keys[0]

    def as_jump(self, host_keys: HostKeyPolicy | None = None, **changes: Any) -> JumpHost:
        """How to log in to it."""
        values: dict[str, Any] = {
            "name": self.name,
            "host": _HOST,
            "port": self.port,
            "username": "jumper",
            "password": _PASSWORD,
            "host_keys": host_keys or AnyHostKey(),
            "connect_timeout": 5.0,
            **changes,
        }
        return JumpHost(**values)


class _Server(asyncssh.SSHServer):
    def __init__(self, jump: JumpServer) -> None:
        self._jump = jump

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._jump.connections_count += 1
        self._jump.connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 # asyncssh calls it so
        self._jump.connections.discard(self._connection)

    def auth_completed(self) -> None:
        self._jump.logins += 1

    def password_auth_supported(self) -> bool:
        return self._jump.authorized_key is None

    def kbdint_auth_supported(self) -> bool:
        return False

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("jumper", _PASSWORD)

    def public_key_auth_supported(self) -> bool:
        return self._jump.authorized_key is not None

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        wanted = self._jump.authorized_key
        return wanted is not None and username == "jumper" and key.public_data == wanted.public_data

    def connection_requested(
        self,
        dest_host: str,
        dest_port: int,
        orig_host: str,  # noqa: ARG002 # asyncssh's signature
        orig_port: int,  # noqa: ARG002
    ) -> bool:
        if not self._jump.forwards:
            raise asyncssh.ChannelOpenError(_PROHIBITED, "no")
        self._jump.forwarded.append((dest_host, dest_port))
        return True


class JumpServers:
    """A context manager; the servers end with it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._servers: list[JumpServer] = []
        self._echo: asyncio.Server | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for server in self._servers:
            self.stop(server)
        if self._echo is not None:
            self._run(_close(self._echo))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def serve(
        self,
        name: str = "bastion",
        key_types: tuple[str, ...] = ("ssh-ed25519",),
        **options: Any,
    ) -> JumpServer:
        """A jump host that listens, or any SSH server; ``options`` are those of ``asyncssh.create_server``."""
        server = JumpServer(name, tuple(_key(one) for one in key_types), options)
        self._servers.append(server)
        self.start(server)
        return server

    def start(self, server: JumpServer) -> None:
        """Listen, again on the port it had."""
        self._run(self._listen(server))

    def stop(self, server: JumpServer) -> None:
        """Listen no more and drop who is there, as a machine does that is switched off."""
        self._run(self._end(server))

    def drop(self, server: JumpServer) -> None:
        """End its connections; it goes on listening."""
        self._run(self._drop(server))

    def echo(self) -> int:
        """The port of a server that sends back what it gets."""
        self._echo = self._run(asyncio.start_server(_echo, _HOST, 0))
        port: int = self._echo.sockets[0].getsockname()[1]
        return port

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self, server: JumpServer) -> None:
        server.acceptor = await asyncssh.create_server(
            lambda: _Server(server),
            _HOST,
            server.port,
            server_host_keys=list(server.keys),
            **server.options,
        )
        server.port = server.acceptor.get_port()

    async def _end(self, server: JumpServer) -> None:
        if server.acceptor is not None:
            server.acceptor.close()
        await self._drop(server)

    async def _drop(self, server: JumpServer) -> None:
        connections = list(server.connections)
        for connection in connections:
            connection.abort()
        for connection in connections:
            await connection.wait_closed()


def _key(key_type: str) -> asyncssh.SSHKey:
    return asyncssh.generate_private_key(  # pyright: ignore[reportUnknownMemberType] - untyped **kwargs
        key_type
    )


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(4096):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def _close(server: asyncio.Server) -> None:
    server.close()
