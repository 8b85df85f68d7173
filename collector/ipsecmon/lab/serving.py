"""One SSH server of the lab: a router's, or a jump host's. Logins, connections and what was said are counted here.

Everything but the constructors happens in the lab's thread.
"""

from __future__ import annotations

import asyncio
import socket
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final, Literal

import asyncssh
from asyncssh.connection import SSHConnection
from asyncssh.constants import OPEN_ADMINISTRATIVELY_PROHIBITED

from ipsecmon.lab.algorithms import host_key_pairs, new_host_key, server_algorithms
from ipsecmon.lab.asa import shell_of
from ipsecmon.lab.faults import Faults
from ipsecmon.lab.ios import Action, Close, Pause, Repeat, Send
from ipsecmon.lab.listening import HOST, SERVER_VERSION, Listener, reset_on_close
from ipsecmon.lab.network import Network
from ipsecmon.lab.topology import Router, SshAge
from ipsecmon.lab.truth import FlowTruth

__all__ = ["Answer", "Endpoint", "JumpHost", "Render", "RouterServer"]

Render = Callable[[str, str, int, int], str]
"""Router, command in full words, privilege and CPU load in percent to the answer."""

# one write holds this much, so that a slow reader slows the router rather than filling its memory
_WRITE_BYTES: Final = 65536
# what was written before a reset is given so long to arrive
_BEFORE_RESET_SECONDS: Final = 0.05
_LOGIN_TIMEOUT_SECONDS: Final = 30
# typed lines that are remembered of a router
_LINES_KEPT: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a show command truly said: the text before any fault or filter, and the lab second it was rendered at.

    ``session`` numbers the sessions of the endpoint from 1. ``truth`` is that of every flow of the router at the same
    moment, ``None`` unless the lab was told to keep it.
    """

    command: str
    text: str
    session: int
    at: float
    truth: tuple[FlowTruth, ...] | None


class Endpoint(ABC):
    """A port that speaks SSH. ``key`` is a fresh one if it is not given."""

    def __init__(
        self,
        name: str,
        *,
        username: str,
        password: str,
        port: int = 0,
        age: SshAge = "modern",
        key: asyncssh.SSHKey | None = None,
    ) -> None:
        self.name = name
        self.username = username
        self.password = password
        self.faults = Faults()
        self.logins = 0
        self.failed_logins = 0
        self.connections_open = 0
        self.authorized_keys: list[asyncssh.SSHKey] = []
        self.listener = Listener(
            port,
            faults=self._faults_now,
            open_connections=lambda: self.connections_open,
            serve=self._serve,
        )
        self._is_stopped = False
        self._age: SshAge = age
        self._key = key or new_host_key(age)
        self._options: asyncssh.SSHServerConnectionOptions | None = None
        self._connections: set[asyncssh.SSHServerConnection] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def known_hosts_line(self) -> str:
        """The host key as OpenSSH knows it, with a line feed; empty before the port is known."""
        port = self.listener.port
        public = self._key.export_public_key().decode("ascii").strip()
        return f"[{HOST}]:{port} {public}\n" if port else ""

    @abstractmethod
    def may_listen(self) -> bool:
        """Whether there is somebody to listen."""

    def listen_if_due(self) -> None:
        """Open the port or shut it, as faults and the router's state will have it."""
        if self.may_listen() and self.faults.login != "refuse":
            self.listener.open()
        else:
            self.listener.shut()

    def change_host_key(self) -> Callable[[], None]:
        """Show a fresh key to whoever connects from now on; call what is returned to show the old one again."""
        old = self._key
        self._show_key(new_host_key(self._age))
        return lambda: self._show_key(old)

    def _show_key(self, key: asyncssh.SSHKey) -> None:
        self._key = key
        self._options = None

    def break_connections(self, how: Literal["close", "reset"]) -> None:
        """End every connection at once, by FIN or by RST."""
        for connection in list(self._connections):
            _abort(connection, how)
        self.listener.drop_held(is_reset=how == "reset")

    async def stop(self) -> None:
        """Shut the port and end every connection."""
        self._is_stopped = True
        self.listener.shut()
        self.break_connections("close")
        await asyncio.gather(*self._tasks)

    def judge_password(self, username: str, password: str) -> bool:
        """Whether they let somebody in; counted."""
        is_right = (username, password) == (self.username, self.password)
        self.failed_logins += not is_right
        return is_right

    def _faults_now(self) -> Faults:
        return self.faults

    def _serve(self, accepted: socket.socket) -> None:
        self.connections_open += 1
        task = asyncio.get_running_loop().create_task(self._carry(accepted))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, accepted: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        if self._options is None:
            self._options = asyncssh.SSHServerConnectionOptions(
                loop=loop,
                server_factory=lambda: self.new_server(),
                server_host_keys=host_key_pairs(self._key, self._age),
                server_version=SERVER_VERSION,
                login_timeout=_LOGIN_TIMEOUT_SECONDS,
                encoding=None,
                # IOS edits the line itself
                line_editor=False,
                **server_algorithms(self._age),
                **self.more_options(),
            )
        connection = asyncssh.SSHServerConnection(loop, self._options)
        try:
            await loop.connect_accepted_socket(lambda: connection, accepted)
            self._connections.add(connection)
            if self._is_stopped:
                connection.abort()
            await connection.wait_closed()
        except OSError:
            accepted.close()
        finally:
            self._connections.discard(connection)
            self.connections_open -= 1

    def more_options(self) -> dict[str, Any]:
        """Options of the SSH server beside those that all have."""
        return {}

    def new_server(self) -> _Server:
        """Who judges the logins of a connection."""
        return _Server(self)


class RouterServer(Endpoint):
    """The SSH server of a router, or of one of the many addresses it answers at."""

    def __init__(
        self,
        name: str,
        router: Router,
        network: Callable[[], Network],
        *,
        clock: Callable[[], float],
        render: Render,
        keeps_truth: bool = False,
        port: int = 0,
        key: asyncssh.SSHKey | None = None,
    ) -> None:
        super().__init__(
            name,
            username=router.username,
            password=router.password,
            port=port,
            age=router.ssh,
            key=key,
        )
        self.router = router
        self.lines: deque[str] = deque(maxlen=_LINES_KEPT)
        self.answers: dict[str, Answer] = {}
        self._network = network
        self._clock = clock
        self._render = render
        self._keeps_truth = keeps_truth
        self._sessions = 0

    def may_listen(self) -> bool:
        return self._network().is_up(self.router.name)

    def more_options(self) -> dict[str, Any]:
        return {"process_factory": self._converse}

    def new_server(self) -> _Server:
        return _Server(self, self.router.banner_login)

    def _faults_now(self) -> Faults:
        # a reload that is due shuts the port before anybody is let in
        return self.faults if self.may_listen() else Faults(login="reset")

    async def _converse(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        self._sessions += 1
        session = self._sessions

        def show(
            network: Network, router: str, command: str, privilege: int, *, cpu_percent: int
        ) -> str:
            text = self._render(router, command, privilege, cpu_percent)
            self.answers[command] = Answer(
                command=command,
                text=text,
                session=session,
                at=network.now,
                truth=network.truth(router) if self._keeps_truth else None,
            )
            return text

        shell = shell_of(
            self._network(),
            self.router.name,
            clock=self._clock,
            faults=lambda: self.faults,
            show=show,
            on_line=self.lines.append,
        )
        try:
            actions = shell.start()
            while await _perform(actions, process):
                keys = await _keys(process, self.faults.idle_seconds)
                actions = shell.receive(keys)
        except TimeoutError:
            await _perform([Close()], process)
        except (EOFError, OSError, asyncssh.Error):
            process.close()


class JumpHost(Endpoint):
    """An SSH server that carries connections to the ports it is told of, and to nothing else."""

    def __init__(
        self,
        name: str,
        *,
        username: str,
        password: str,
        targets: Callable[[], Collection[tuple[str, int]]],
    ) -> None:
        super().__init__(name, username=username, password=password)
        self.is_running = True
        self._targets = targets

    def may_listen(self) -> bool:
        return self.is_running

    def new_server(self) -> _Server:
        return _JumpServer(self, self._targets)


class _Server(asyncssh.SSHServer):
    """Lets in whoever knows the password, or has an authorised key.

    asyncssh offers keyboard-interactive beside it by itself, asking for the same password.
    """

    def __init__(self, endpoint: Endpoint, banner: str = "") -> None:
        self._endpoint = endpoint
        self._banner = banner
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn

    def begin_auth(self, username: str) -> bool:  # noqa: ARG002 - asyncssh calls it so
        if self._banner and self._connection is not None:
            self._connection.send_auth_banner(self._banner)
        return True

    def auth_completed(self) -> None:
        self._endpoint.logins += 1

    def password_auth_supported(self) -> bool:
        return True

    async def validate_password(self, username: str, password: str) -> bool:
        await asyncio.sleep(self._endpoint.faults.login_seconds)
        return self._endpoint.judge_password(username, password)

    def public_key_auth_supported(self) -> bool:
        return bool(self._endpoint.authorized_keys)

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == self._endpoint.username and key in self._endpoint.authorized_keys


class _JumpServer(_Server):
    def __init__(
        self, endpoint: Endpoint, targets: Callable[[], Collection[tuple[str, int]]]
    ) -> None:
        super().__init__(endpoint)
        self._targets = targets

    def connection_requested(
        self,
        dest_host: str,
        dest_port: int,
        orig_host: str,  # noqa: ARG002 - asyncssh calls it so
        orig_port: int,  # noqa: ARG002 - the same
    ) -> bool:
        if (dest_host, dest_port) not in self._targets():
            raise asyncssh.ChannelOpenError(
                OPEN_ADMINISTRATIVELY_PROHIBITED,
                f"the lab has nothing at {dest_host} port {dest_port}",
            )
        return True


async def _perform(actions: list[Action], process: asyncssh.SSHServerProcess[bytes]) -> bool:
    """Do what the shell says; whether the session goes on."""
    for action in actions:
        match action:
            case Send(data=data):
                await _write(process, data)
            case Pause(seconds=seconds):
                await asyncio.sleep(seconds)
            case Repeat(data=data):
                while not process.is_closing():
                    await _write(process, data)
                    # a reader that keeps up never lets drain wait, and the others want their turn
                    await asyncio.sleep(0)
                raise EOFError
            case Close(how="reset"):
                await asyncio.sleep(_BEFORE_RESET_SECONDS)
                _abort(process.channel.get_connection(), "reset")
                return False
            case Close():
                process.exit(0)
                process.channel.get_connection().close()
                return False
    return True


async def _write(process: asyncssh.SSHServerProcess[bytes], data: bytes) -> None:
    for start in range(0, len(data), _WRITE_BYTES):
        process.stdout.write(data[start : start + _WRITE_BYTES])
        await process.stdout.drain()


async def _keys(process: asyncssh.SSHServerProcess[bytes], idle_seconds: float | None) -> bytes:
    """The next bytes from the terminal; ``EOFError`` when there will be no more, ``TimeoutError`` when none come."""
    async with asyncio.timeout(idle_seconds):
        while True:
            try:
                data = await process.stdin.read(4096)
            except (asyncssh.TerminalSizeChanged, asyncssh.BreakReceived, asyncssh.SignalReceived):
                continue
            if not data:
                raise EOFError
            return data


def _abort(connection: SSHConnection, how: Literal["close", "reset"]) -> None:
    transport_socket = connection.get_extra_info("socket")
    # none is left of a connection that is just being closed
    if how == "reset" and transport_socket is not None:
        reset_on_close(transport_socket)
    connection.abort()
