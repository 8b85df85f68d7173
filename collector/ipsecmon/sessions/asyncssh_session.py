"""The session for large fleets and for old devices: asyncssh, all devices of the service in one event loop.

A session here is one socket and some 30 KB, and no thread; and the algorithms are each device's own. The loop runs in a
thread of its own. Whoever polls is a thread as well, and blocks: it hands a conversation over to the loop and gets the
answer back, one way each. In between the loop's thread feeds what arrives straight to the conversation, without a task
or a future for each piece.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from queue import Empty, SimpleQueue
from socket import socket
from typing import Any, Final

import asyncssh
from asyncssh.packet import SSHPacketLogger

from ipsecmon.errors import AnswerTimeout, CollectionError, ConnectionClosed
from ipsecmon.model import RawOutput, SessionFacts
from ipsecmon.sessions.algorithms import Agreement, Offer, agreement, offer_in, preferring
from ipsecmon.sessions.libraries import ASYNCSSH
from ipsecmon.sessions.opening import Opening, shut
from ipsecmon.sessions.private_keys import PrivateKeyUnusable, read_private_key
from ipsecmon.sessions.protocol import (
    OfferedKey,
    OnStep,
    Session,
    Step,
    StepName,
    Target,
    ignore_step,
)
from ipsecmon.sessions.readonly import ensure_read_only
from ipsecmon.sessions.terminal import Conversation, Heard, Terminal, Turn
from ipsecmon.sessions.ways import JumpWays

__all__ = ["AsyncsshTransport"]

_ADVICE: Final = "no transport has these algorithms: renew the device's software or keys"
_COLUMNS, _ROWS = 511, 1000
# an answer or an error comes within its time from the loop; this much later the loop itself is at fault
_GRACE_SECONDS: Final = 5.0
_CLOSE_SECONDS: Final = 1.0
_STOP_SECONDS: Final = 2.0
# what a device sends while nobody asks: only its end can matter
_UNREAD_BYTES: Final = 65536
# old devices take a second key exchange badly, and max_session_age brings a new session before there is a need
_REKEY_SECONDS: Final = 30 * 86400

_MSG_IGNORE: Final = 2

Finish = Callable[["str | BaseException"], object]


class AsyncsshTransport:
    """Opens sessions; owns the event loop and its thread, which starts with the first of them."""

    def __init__(self, jumps: JumpWays | None = None) -> None:
        self._jumps = jumps
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stopping: asyncio.Event | None = None
        self._lines: set[_Line] = set()
        self._lock = threading.Lock()
        self._is_closed = False

    def open(self, target: Target, timeout: float, on_step: OnStep = ignore_step) -> Session:
        """An open session within ``timeout`` seconds, or a ``CollectionError`` that names what was in the way.

        Blocks the calling thread, in which ``on_step`` is called as well.
        """
        caller = threading.get_ident()
        reports: SimpleQueue[Step | AsyncsshSession | BaseException] = SimpleQueue()

        def tell(step: Step) -> None:
            if threading.get_ident() == caller:
                on_step(step)
            else:
                reports.put(step)

        opening = Opening(target, timeout, tell)
        key = _private_key(opening)
        loop = self._running_loop(opening)
        connection = None if target.jumps else opening.tcp()
        work = self._opened(opening, connection, key, reports)
        try:
            task = asyncio.run_coroutine_threadsafe(work, loop)
        except RuntimeError:  # the loop has ended meanwhile
            work.close()
            if connection is not None:
                shut(connection)
            raise ConnectionClosed(f"{opening.where}: the monitor is shutting down") from None
        while True:
            try:
                report = reports.get(timeout=opening.left + _GRACE_SECONDS)
            except Empty:
                task.cancel()
                if connection is not None:
                    shut(connection)
                raise opening.out_of_time() from None
            if isinstance(report, Step):
                on_step(report)
            elif isinstance(report, BaseException):
                raise report
            else:
                return report

    def close(self) -> None:
        """End all sessions and the loop; harmless when repeated."""
        with self._lock:
            self._is_closed = True
            loop, thread, stopping = self._loop, self._thread, self._stopping
            self._loop = None
        if loop is None or thread is None or stopping is None:
            return
        with suppress(RuntimeError):  # closed already
            loop.call_soon_threadsafe(stopping.set)
        thread.join(_STOP_SECONDS)

    def _running_loop(self, opening: Opening) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._is_closed:
                raise ConnectionClosed(f"{opening.where}: the monitor is shutting down")
            if self._loop is None:
                is_ready = threading.Event()
                self._thread = threading.Thread(
                    target=lambda: asyncio.run(self._serve(is_ready)), name="asyncssh", daemon=True
                )
                self._thread.start()
                is_ready.wait()
            assert self._loop is not None  # noqa: S101 # for the type checkers: the thread has set it
            return self._loop

    # in the loop's thread

    async def _serve(self, is_ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        is_ready.set()
        await self._stopping.wait()
        lines = list(self._lines)
        for line in lines:
            line.end(lambda: None)
        for line in lines:
            await line.closed()

    async def _opened(
        self,
        opening: Opening,
        connection: socket | None,
        key: asyncssh.SSHKey | None,
        reports: SimpleQueue[Step | AsyncsshSession | BaseException],
    ) -> None:
        """Puts the session, or why there is none, on ``reports``: the one who waits is another thread."""
        try:
            reports.put(await self._session(opening, connection, key))
        except asyncio.CancelledError:
            if connection is not None:
                shut(connection)
            reports.put(ConnectionClosed(f"{opening.where}: the monitor is shutting down"))
            raise
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
            if connection is not None:
                shut(connection)
            reports.put(error)

    async def _session(
        self, opening: Opening, connection: socket | None, key: asyncssh.SSHKey | None
    ) -> AsyncsshSession:
        target = opening.target
        loop = asyncio.get_running_loop()
        tunnel = await self._tunnel(opening)
        client = _Client(opening, preferring(target).within(ASYNCSSH))
        ssh = await _logged_in(opening, client, connection, tunnel, key)
        line = _Line(loop, ssh, self._lines.discard)
        self._lines.add(line)
        try:
            await _open_terminal(opening, ssh, line)
            terminal = Terminal(target, loop.time)
            await line.held(terminal.log_in(opening.left, opening.on_step))
        except BaseException:
            line.end(lambda: None)
            raise
        peer = ssh.get_extra_info("peername") if connection is not None else None
        facts = opening.facts(
            address=str(peer[0]) if peer else "",
            server_version=str(ssh.get_extra_info("server_version", "")),
            agreed=client.agreed,
            key=client.key,
            prompt=terminal.prompt,
            opened_at=time.time(),
        )
        return AsyncsshSession(loop, line, terminal, target, facts)

    async def _tunnel(self, opening: Opening) -> asyncssh.SSHClientConnection | None:
        jumps = opening.target.jumps
        if not jumps:
            return None
        if self._jumps is None:
            raise opening.no_ways()
        seconds = opening.begin(StepName.JUMP)
        tunnel = await self._jumps.tunnel_to(jumps, seconds)
        opening.done(" > ".join(jump.name for jump in jumps))
        opening.begin(StepName.KEY_EXCHANGE)
        return tunnel


class AsyncsshSession(Session):
    """A ``Session`` for a thread that may block."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        line: _Line,
        terminal: Terminal,
        target: Target,
        facts: SessionFacts,
    ) -> None:
        self._loop = loop
        self._line = line
        self._terminal = terminal
        self._target = target
        self._facts = facts

    def run(self, command: str, timeout: float) -> RawOutput:
        """See ``Session``."""
        ensure_read_only(command)
        started_at = time.time()
        outcome: SimpleQueue[str | BaseException] = SimpleQueue()
        conversation = self._terminal.ask(command, timeout)
        try:
            self._loop.call_soon_threadsafe(self._line.start, conversation, outcome.put)
            answer = outcome.get(timeout=timeout + _GRACE_SECONDS)
        except RuntimeError as error:  # the loop is gone, with all sessions
            raise ConnectionClosed(f"{self._where}: the session is closed", command) from error
        except Empty:
            self.close()
            raise AnswerTimeout(
                f"{self._where}: the event loop did not come round to {command!r} within {timeout:.3g} s; "
                f"this machine is overloaded",
                command,
            ) from None
        if isinstance(answer, BaseException):
            raise answer
        return RawOutput(command=command, text=answer, started_at=started_at, ended_at=time.time())

    def is_alive(self) -> bool:
        """See ``Session``."""
        return self._terminal.is_usable and not self._line.is_gone

    def close(self) -> None:
        """See ``Session``."""
        self._terminal.spoil()
        ended: SimpleQueue[None] = SimpleQueue()
        try:
            self._loop.call_soon_threadsafe(self._line.end, lambda: ended.put(None))
        except RuntimeError:  # the loop is gone, with all sessions
            return
        with suppress(Empty):
            ended.get(timeout=_CLOSE_SECONDS)

    @property
    def facts(self) -> SessionFacts | None:
        """See ``Session``."""
        return self._facts

    @property
    def _where(self) -> str:
        return f"{self._target.host}:{self._target.port}"


class _Line(asyncssh.SSHClientSession[bytes]):
    """Carries one conversation at a time over a channel; all of it in the loop's thread."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        ssh: asyncssh.SSHClientConnection,
        forget: Callable[[_Line], object],
    ) -> None:
        self.is_gone = False
        self._loop = loop
        self._ssh = ssh
        self._forget = forget
        self._channel: asyncssh.SSHClientChannel[bytes] | None = None
        self._conversation: Conversation[Any] | None = None
        self._finish: Finish | None = None
        self._on_gone: Callable[[], object] | None = None
        self._unread = b""
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def start(self, conversation: Conversation[Any], finish: Finish) -> None:
        """Hold a conversation; ``finish`` gets its result, or its error."""
        self._conversation, self._finish = conversation, finish
        self._advance(None)  # to its first turn
        if self._unread:
            unread, self._unread = self._unread, b""
            self._advance(unread)
        if self.is_gone:
            self._advance(b"")  # nobody is left to answer

    async def held(self, conversation: Conversation[Any]) -> None:
        """The same, for a coroutine."""
        future: asyncio.Future[None] = self._loop.create_future()

        def finish(outcome: str | BaseException) -> None:
            if isinstance(outcome, BaseException):
                future.set_exception(outcome)
            else:
                future.set_result(None)

        self.start(conversation, finish)
        await future

    def end(self, on_gone: Callable[[], object]) -> None:
        """Drop the connection at once."""
        if self.is_gone:
            self._ssh.abort()  # the channel may have gone before the connection
            on_gone()
            return
        self._on_gone = on_gone
        self._ssh.abort()
        if self._channel is None:  # nobody would tell us
            self.connection_lost(None)

    async def closed(self) -> None:
        """Wait for the connection to be gone."""
        await self._ssh.wait_closed()

    # asyncssh's side

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        self._channel = chan

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:  # noqa: ARG002 # asyncssh's signature
        if self._conversation is None:
            self._unread = (self._unread + data)[-_UNREAD_BYTES:]
        else:
            self._advance(data)

    def eof_received(self) -> bool:
        self._leave()
        return False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 # asyncssh's signature
        self._leave()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._forget(self)
        if self._on_gone is not None:
            self._on_gone()

    def _leave(self) -> None:
        self.is_gone = True
        if self._conversation is not None:
            self._advance(b"")

    def _advance(self, heard: Heard) -> None:
        conversation = self._conversation
        if conversation is None:
            return
        try:
            turn: Turn = conversation.send(heard)
            if turn.data and self._channel is not None:
                with suppress(OSError):  # it is closed, which we are told in a moment
                    self._channel.write(turn.data)  # pyright: ignore[reportUnknownMemberType] - AnyStr of theirs
        except StopIteration as done:
            self._over(done.value)
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits for the answer
            self._over(error)
        else:
            self._wait(turn.seconds)

    def _over(self, outcome: str | BaseException) -> None:
        finish, self._finish, self._conversation = self._finish, None, None
        if finish is not None:
            finish(outcome)

    def _wait(self, seconds: float) -> None:
        """One timer serves many turns: it is put off when it goes off too early, and rarely set."""
        self._due = self._loop.time() + seconds
        if self._timer is not None:
            if self._timer.when() <= self._due:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(self._due, self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        if self._conversation is None:
            return
        if self._loop.time() < self._due:
            self._timer = self._loop.call_at(self._due, self._on_time)
        else:
            self._advance(None)


class _Client(asyncssh.SSHClient):
    """asyncssh's questions during the login."""

    def __init__(self, opening: Opening, ours: Offer) -> None:
        self._opening = opening
        self.ours = ours
        self.agreed: Agreement = agreement(ours, Offer((), (), (), ()))
        self.key = OfferedKey(algorithm="", blob=b"")
        self.rejection: CollectionError | None = None
        self.limit: asyncio.Timeout | None = None
        self._connection: asyncssh.SSHClientConnection | None = None

    @property
    def theirs(self) -> Offer | None:
        """What the device offers, if it came to that."""
        # the only place where asyncssh keeps it
        return offer_in(getattr(self._connection, "_server_kexinit", b""))

    @property
    def has_version(self) -> bool:
        """An SSH server has introduced itself."""
        connection = self._connection
        return connection is not None and bool(connection.get_extra_info("server_version"))

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        self._connection = conn

    def validate_host_public_key(
        self,
        host: str,  # noqa: ARG002 # asyncssh's signature
        addr: str,  # noqa: ARG002
        port: int,  # noqa: ARG002
        key: asyncssh.SSHKey,
    ) -> bool:
        opening = self._opening
        self.agreed = agreement(self.ours, self.theirs or self.ours)
        opening.done(str(self.agreed))
        self.key = OfferedKey(algorithm=key.get_algorithm(), blob=key.public_data)
        try:
            opening.begin(StepName.HOST_KEY)
            opening.accept(self.key)
            seconds = opening.begin(StepName.AUTHENTICATION)
        except CollectionError as error:
            self.rejection = error
            return False
        if self.limit is not None:
            self.limit.reschedule(asyncio.get_running_loop().time() + seconds)
        return True


async def _logged_in(
    opening: Opening,
    client: _Client,
    connection: socket | None,
    tunnel: asyncssh.SSHClientConnection | None,
    key: asyncssh.SSHKey | None,
) -> asyncssh.SSHClientConnection:
    target = opening.target
    seconds = opening.step_seconds
    kex, host_keys, ciphers, macs = client.ours
    way: dict[str, Any] = {"sock": connection} if connection is not None else {"tunnel": tunnel}
    with _named(opening, client):
        async with asyncio.timeout(seconds) as client.limit, _keys(opening, key) as keys:
            ssh = await asyncssh.connect(
                target.host,
                target.port,
                **way,
                config=None,
                client_factory=lambda: client,
                username=target.username,
                password=target.password,
                client_keys=keys or None,
                agent_path=None,
                # each secret is tried once: every refusal counts towards locking the account
                preferred_auth=["publickey", "password", "keyboard-interactive"],
                known_hosts=([], [], []),  # nothing is known to asyncssh, so that it asks
                kex_algs=list(kex),
                server_host_key_algs=list(host_keys),
                encryption_algs=list(ciphers),
                mac_algs=list(macs),
                compression_algs=["none"],
                x509_trusted_certs=None,
                connect_timeout=None,
                login_timeout=0,
                rekey_seconds=_REKEY_SECONDS,
            )
    opening.done(f"user {target.username!r}")
    if not client.agreed.cipher.endswith("-cbc"):
        _send_no_empty_packets(ssh)
    return ssh


def _send_no_empty_packets(ssh: asyncssh.SSHClientConnection) -> None:
    """Keep asyncssh from sending an ``SSH_MSG_IGNORE`` before each of our packets.

    It does so against a weakness of CBC (RFC 4251, section 9.3.1). Other ciphers have none of it, and every packet
    costs a system call here and a decryption on a router's small processor.
    """
    send = ssh.send_packet

    def send_packet(pkttype: int, *args: bytes, handler: SSHPacketLogger | None = None) -> None:
        if pkttype != _MSG_IGNORE:
            send(pkttype, *args, handler=handler)

    ssh.send_packet = send_packet  # type: ignore[method-assign] # there is no option for it


@contextmanager
def _named(opening: Opening, client: _Client) -> Generator[None]:
    """Errors of asyncssh get names."""
    try:
        yield
    except CollectionError:
        raise
    except TimeoutError as error:
        raise opening.silent(opening.target.connect_timeout) from error
    except (asyncssh.Error, OSError, EOFError) as error:
        raise (client.rejection or _name(opening, client, error)) from error


def _name(opening: Opening, client: _Client, error: Exception) -> CollectionError:
    if isinstance(error, asyncssh.ChannelOpenError) and opening.doing is StepName.KEY_EXCHANGE:
        return opening.no_way_through(error)
    if opening.doing is StepName.KEY_EXCHANGE:
        no_match = opening.no_match(client.theirs, ASYNCSSH, _ADVICE)
        if no_match is not None:
            return no_match
    is_gone = isinstance(error, (asyncssh.ConnectionLost, OSError, EOFError))
    match error:
        case asyncssh.PermissionDenied():
            return opening.refused(_secrets(opening.target))
        case _ if is_gone:
            return opening.closed()
        case asyncssh.ProtocolNotSupported() | asyncssh.ProtocolError() if not client.has_version:
            return opening.no_ssh(b"")
        case _ if opening.doing is StepName.KEY_EXCHANGE:
            return opening.no_key_exchange(error)
        case _:
            return opening.other(error)


def _secrets(target: Target) -> str:
    """What was tried, for a person."""
    tried = (
        ("private key", target.private_key is not None),
        ("agent", target.use_agent),
        ("password", target.password is not None),
    )
    return " and ".join(name for name, is_tried in tried if is_tried)


def _private_key(opening: Opening) -> asyncssh.SSHKey | None:
    """Read in the caller's thread: a passphrase costs a tenth of a second of computing."""
    asked = opening.target.private_key
    if asked is None:
        return None
    try:
        return read_private_key(asked)
    except PrivateKeyUnusable as error:
        raise opening.unreadable_key(error) from None  # what is said may quote the key


@asynccontextmanager
async def _keys(
    opening: Opening, own: asyncssh.SSHKey | None
) -> AsyncGenerator[list[asyncssh.SSHKey | asyncssh.SSHKeyPair]]:
    """The key of the file, then those of the agent, which must be there as long as one of them may have to sign."""
    keys: list[asyncssh.SSHKey | asyncssh.SSHKeyPair] = [own] if own is not None else []
    if not opening.target.use_agent:
        yield keys
        return
    try:
        agent = await asyncssh.connect_agent(os.environ.get("SSH_AUTH_SOCK", ""))
    except (OSError, asyncssh.ChannelOpenError):
        raise opening.no_agent() from None
    try:
        keys += await agent.get_keys()
        yield keys
    finally:
        agent.close()


async def _open_terminal(opening: Opening, ssh: asyncssh.SSHClientConnection, line: _Line) -> None:
    seconds = opening.begin(StepName.PROMPT)
    try:
        async with asyncio.timeout(seconds):
            await ssh.create_session(  # pyright: ignore[reportUnknownMemberType] - AnyStr of theirs
                lambda: line,
                term_type="vt100",
                term_size=(_COLUMNS, _ROWS),
                encoding=None,
            )
    except TimeoutError as error:
        raise opening.silent(seconds) from error
    except (asyncssh.ConnectionLost, OSError, EOFError) as error:
        raise opening.closed() from error
    except asyncssh.Error as error:
        is_gone = line.is_gone or ssh.is_closed()
        raise (opening.closed() if is_gone else opening.other(error)) from error
