"""Real SSH servers for an emulated network: one loopback port for each router.

    with Lab(two_sites(), speed=60, warm_up=120) as lab:
        host, port = lab.endpoints["Site1"]

The only file that imports asyncssh. One background thread runs one event loop; the simulation lives in
that thread too, so nothing is locked: other threads reach it through ``Lab.run``.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import asyncssh

from ipsecmon.lab.asa import shell_of
from ipsecmon.lab.faults import Faults
from ipsecmon.lab.ios import Close, Pause, Send
from ipsecmon.lab.network import Network
from ipsecmon.lab.topology import Router, Topology

__all__ = ["Lab", "run_lab"]

T = TypeVar("T")

_HOST: Final = "127.0.0.1"
_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 10.0
# one write holds this much, so that a slow reader slows the router rather than filling its memory
_WRITE_BYTES: Final = 65536


class Lab:
    """An emulated network that listens; a context manager, or ``start`` and ``stop``.

    Lab time runs ``speed`` times as fast as the clock on the wall, from ``warm_up`` on. ``serve`` names the
    routers that listen, all of them if it is not given; ``ports`` fixes ports, the others are free ones.
    """

    def __init__(
        self,
        topology: Topology,
        *,
        speed: float = 1.0,
        seed: int = 0,
        warm_up: float = 0.0,
        serve: Collection[str] | None = None,
        ports: dict[str, int] | None = None,
    ) -> None:
        self.endpoints: dict[str, tuple[str, int]] = {}
        self.known_hosts = ""
        self._topology = topology
        self._speed = speed
        self._seed = seed
        self._warm_up = warm_up
        self._served = [
            router for router in topology.routers if serve is None or router.name in serve
        ]
        self._ports = ports or {}
        self._faults = {router.name: Faults() for router in topology.routers}
        self._started_at = 0.0
        self._network: Network | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread: threading.Thread | None = None
        self._connections: set[asyncssh.SSHServerConnection] = set()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listen; returns when every router does."""
        self._thread = threading.Thread(target=self._run_loop, name="lab", daemon=True)
        self._thread.start()
        is_ready = self._ready.wait(_START_SECONDS + self._warm_up)
        if self._failure is not None:
            self._thread.join(_STOP_SECONDS)
            raise self._failure
        if not is_ready:
            self.stop()
            raise TimeoutError("the lab did not start listening in time")

    def stop(self) -> None:
        """Close every connection and every port and end the thread; harmless when repeated."""
        thread, loop, stopping = self._thread, self._loop, self._stopping
        if thread is None:
            return
        if loop is not None and stopping is not None and not loop.is_closed():
            loop.call_soon_threadsafe(stopping.set)
        thread.join(_STOP_SECONDS)
        if thread.is_alive():
            raise TimeoutError("the lab did not stop in time")
        self._thread = None

    def run(self, action: Callable[[Network], T]) -> T:
        """Call ``action`` with the network as of now, in the lab's own thread, and return its result.

        lab.run(lambda network: network.set_unreachable("Site1", "Site2"))
        """
        loop = self._loop
        if loop is None or self._thread is None:
            raise RuntimeError("the lab is not running")

        async def call() -> T:
            return action(self._current_network())

        return asyncio.run_coroutine_threadsafe(call(), loop).result()

    def set_fault(self, router: str, **changes: Any) -> None:
        """Change fields of the router's ``Faults``; the next command meets them."""
        self._faults[router] = replace(self._faults[router], **changes)

    def clear_faults(self, router: str) -> None:
        """Let the router behave again; a session that hangs stays hung."""
        self._faults[router] = Faults()

    def now(self) -> float:
        """The lab second it is."""
        return self._warm_up + (time.monotonic() - self._started_at) * self._speed

    # in the lab's thread

    def _current_network(self) -> Network:
        if self._network is None:
            raise RuntimeError("the lab is not running")
        self._network.run_until(self.now())
        return self._network

    def _run_loop(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - handed to the thread that called start
            self._failure = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._network = Network(self._topology, seed=self._seed)
        self._network.run_until(self._warm_up)
        self._started_at = time.monotonic()
        listeners: list[asyncssh.SSHAcceptor] = []
        try:
            for router in self._served:
                listener = await self._listen(router)
                listeners.append(listener)
            self._ready.set()
            await self._stopping.wait()
        finally:
            for listener in listeners:
                listener.close()
            connections = list(self._connections)
            for connection in connections:
                connection.abort()
            for connection in connections:
                await connection.wait_closed()
            for listener in listeners:
                await listener.wait_closed()

    async def _listen(self, router: Router) -> asyncssh.SSHAcceptor:
        key = asyncssh.generate_private_key(  # pyright: ignore[reportUnknownMemberType] - untyped **kwargs
            "ssh-ed25519"
        )

        async def handle(process: asyncssh.SSHServerProcess[bytes]) -> None:
            await self._converse(router, process)

        listener = await asyncssh.create_server(
            lambda: _Server(router, self._connections),
            _HOST,
            self._ports.get(router.name, 0),
            server_host_keys=[key],
            process_factory=handle,
            encoding=None,
            # IOS edits the line itself
            line_editor=False,
            server_version="Cisco-1.25",
            login_timeout=30,
        )
        port = listener.get_port()
        self.endpoints[router.name] = (_HOST, port)
        public = key.export_public_key().decode("ascii").strip()
        self.known_hosts += f"[{_HOST}]:{port} {public}\n"
        return listener

    async def _converse(self, router: Router, process: asyncssh.SSHServerProcess[bytes]) -> None:
        shell = shell_of(
            self._current_network(),
            router.name,
            clock=self.now,
            faults=lambda: self._faults[router.name],
        )
        try:
            actions = shell.start()
            while True:
                for action in actions:
                    match action:
                        case Send(data=data):
                            for start in range(0, len(data), _WRITE_BYTES):
                                process.stdout.write(data[start : start + _WRITE_BYTES])
                                await process.stdout.drain()
                        case Pause(seconds=seconds):
                            await asyncio.sleep(seconds)
                        case Close():
                            process.exit(0)
                            process.channel.get_connection().close()
                            return
                actions = shell.receive(await _keys(process))
        except (EOFError, OSError, asyncssh.Error):
            process.close()


async def _keys(process: asyncssh.SSHServerProcess[bytes]) -> bytes:
    """The next bytes from the terminal; ``EOFError`` when there will be no more."""
    while True:
        try:
            data = await process.stdin.read(4096)
        except (asyncssh.TerminalSizeChanged, asyncssh.BreakReceived, asyncssh.SignalReceived):
            continue
        if not data:
            raise EOFError
        return data


class _Server(asyncssh.SSHServer):
    """Lets in whoever knows the router's password.

    asyncssh offers keyboard-interactive beside it by itself, asking for the same password.
    """

    def __init__(self, router: Router, connections: set[asyncssh.SSHServerConnection]) -> None:
        self._router = router
        self._connections = connections
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncssh calls it so
        if self._connection is not None:
            self._connections.discard(self._connection)

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (self._router.username, self._router.password)


def run_lab(
    topology: Topology, speed: float = 1.0, *, warm_up: float = 120.0, seed: int = 0
) -> Lab:
    """Start a lab with its tunnels up; whoever called it stops it."""
    lab = Lab(topology, speed=speed, warm_up=warm_up, seed=seed)
    lab.start()
    return lab
