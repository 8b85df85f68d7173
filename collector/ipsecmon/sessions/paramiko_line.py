"""An SSH terminal over paramiko: the login by our rules, and the carrying of a conversation's bytes."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TypeVar, cast

import paramiko
from paramiko.auth_handler import AuthOnlyHandler
from paramiko.ssh_exception import AuthenticationException, SSHException
from paramiko.transport import ServiceRequestingTransport

from ipsecmon.errors import CollectionError
from ipsecmon.model import SessionFacts
from ipsecmon.sessions.algorithms import Agreement, Offer, agreement, offer_in
from ipsecmon.sessions.libraries import of_paramiko, offer_with_paramiko
from ipsecmon.sessions.opening import Opening, hang_up, shut
from ipsecmon.sessions.private_keys import PrivateKeyUnusable, for_paramiko
from ipsecmon.sessions.protocol import OfferedKey, StepName
from ipsecmon.sessions.terminal import Conversation, Heard, Terminal, Turn
from ipsecmon.sessions.ways import JumpWays, SocketLike

__all__ = ["ParamikoLine"]

T = TypeVar("T")

_ADVICE = (
    "let transport be auto or asyncssh (this paramiko has no SHA-1, that of ipsecmon[legacy] has)"
)
_READ_BYTES = 262144
# paramiko's reading thread wakes this often for nothing; its own ten times a second cost a fleet a core
_IDLE_WAKE_SECONDS = 5.0
# as wide as IOS allows, so that neither an echo nor a table wraps
_COLUMNS, _ROWS = 511, 1000
_END_SECONDS = 2.0
_ACCEPT_SECONDS = 0.002
_MSG_SERVICE_REQUEST = 5
_MSG_USERAUTH_REQUEST = 50


class _AuthHandler(AuthOnlyHandler):
    """paramiko's, which sends first and prepares to hear the answer then: a fast answer went unheard for ever."""

    def send_auth_request(
        self,
        username: str,
        method: str,
        finish_message: Callable[[paramiko.Message], None] | None = None,
    ) -> list[str]:
        self.auth_method, self.username = method, username
        self.auth_event = threading.Event()
        request = paramiko.Message()
        request.add_byte(bytes([_MSG_USERAUTH_REQUEST]))
        for text in (username, "ssh-connection", method):
            request.add_string(text)
        if finish_message is not None:
            finish_message(request)
        transport = cast("_Transport", self.transport)
        with transport.lock:
            transport.send_now(request)
        return self.wait_for_response(self.auth_event)


class _Transport(ServiceRequestingTransport):
    """paramiko's, which keeps what the device offers, for its own error does not say.

    Of the two that paramiko has this is the one that may try a second way to log in on the same connection.
    """

    offer: Offer | None = None
    # paramiko's own, which the published types leave out
    _service_userauth_accepted: bool
    _send_message: Callable[[paramiko.Message], None]

    def ensure_session(self) -> None:
        """As paramiko's, which waits for ever for a device that is gone."""
        if self._is_accepted():
            return
        request = paramiko.Message()
        request.add_byte(bytes([_MSG_SERVICE_REQUEST]))
        request.add_string("ssh-userauth")
        self.send_now(request)
        while not self._is_accepted():
            if not self.is_active():
                raise EOFError
            time.sleep(_ACCEPT_SECONDS)
        self.auth_handler = self.get_auth_handler()

    def get_auth_handler(self) -> AuthOnlyHandler:
        """One that hears every answer."""
        return _AuthHandler(self)

    def send_now(self, message: paramiko.Message) -> None:
        """Send it as it is."""
        self._send_message(message)

    def _is_accepted(self) -> bool:
        return self._service_userauth_accepted

    def _parse_kex_init(self, m: paramiko.Message) -> None:
        self.offer = offer_in(b"\x14" + m.asbytes())
        super()._parse_kex_init(m)  # type: ignore[misc] # private, so the stubs leave it out


class ParamikoLine:
    """One SSH connection with one terminal; one caller at a time, but anybody may close it."""

    def __init__(
        self,
        connection: SocketLike,
        transport: paramiko.Transport,
        channel: paramiko.Channel,
        terminal: Terminal,
    ) -> None:
        self._connection = connection
        self._transport = transport
        self.channel = channel
        self.terminal = terminal
        self.facts: SessionFacts | None = None

    @classmethod
    def opened(
        cls,
        opening: Opening,
        jumps: JumpWays | None,
        *,
        wall_clock: Callable[[], float] = time.time,
    ) -> ParamikoLine:
        """Connected, logged in, and with the terminal ready to be asked."""
        connection = _connection(opening, jumps)
        transport: _Transport | None = None
        try:
            transport = _Transport(cast("socket.socket", connection))
            agreed, key = _shake_hands(opening, transport, connection)
            _log_in(opening, transport, connection)
            with _watched(opening, opening.begin(StepName.PROMPT), connection):
                channel = transport.open_session()
                channel.get_pty(term="vt100", width=_COLUMNS, height=_ROWS)
                channel.invoke_shell()
            channel.set_combine_stderr(True)
            _let_sleep(connection)
            line = cls(connection, transport, channel, Terminal(opening.target, time.monotonic))
            line.carry(line.terminal.log_in(opening.left, opening.on_step))
        except BaseException:
            _end(connection, transport)
            raise
        line.facts = opening.facts(
            address=_address(connection),
            server_version=transport.remote_version,
            agreed=agreed,
            key=key,
            prompt=line.terminal.prompt,
            opened_at=wall_clock(),
        )
        return line

    @property
    def is_alive(self) -> bool:
        """Whether the other side is still there and the terminal of use; sends nothing."""
        channel = self.channel
        return self.terminal.is_usable and not channel.closed and not channel.eof_received

    def ask(self, command: str, timeout: float) -> str:
        """The answer to ``command``."""
        return self.carry(self.terminal.ask(command, timeout))

    def carry(self, conversation: Conversation[T]) -> T:
        """Hold a conversation to its end."""
        try:
            turn = next(conversation)
            while True:
                turn = conversation.send(self._exchange(turn))
        except StopIteration as done:
            return cast("T", done.value)

    def close(self) -> None:
        """End the connection at once, without a word the other side may not be up to; never raises."""
        self.terminal.spoil()
        _end(self._connection, self._transport)

    def _exchange(self, turn: Turn) -> Heard:
        channel = self.channel
        channel.settimeout(turn.seconds)
        try:
            if turn.data:
                channel.sendall(turn.data)
            return channel.recv(_READ_BYTES)
        except TimeoutError:
            return None
        except (OSError, EOFError, SSHException):
            return b""


def _connection(opening: Opening, jumps: JumpWays | None) -> SocketLike:
    target = opening.target
    if not target.jumps:
        return opening.tcp()
    if jumps is None:
        raise opening.no_ways()
    seconds = opening.begin(StepName.JUMP)
    connection = jumps.socket_to(target.jumps, target.host, target.port, seconds)
    opening.done(" > ".join(jump.name for jump in target.jumps))
    return connection


def _shake_hands(
    opening: Opening, transport: _Transport, connection: SocketLike
) -> tuple[Agreement, OfferedKey]:
    seconds = opening.begin(StepName.KEY_EXCHANGE)
    # paramiko's own patience ends after ours
    transport.banner_timeout = transport.handshake_timeout = seconds + 1
    library = of_paramiko(transport)
    ours = offer_with_paramiko(transport, opening.target)
    try:
        with _watched(opening, seconds, connection):
            transport.start_client(timeout=seconds + 1)
            shown = transport.get_remote_server_key()
    except CollectionError as error:
        raise opening.no_match(transport.offer, library, _ADVICE) or error from error
    agreed = agreement(ours, transport.offer or ours)
    opening.done(str(agreed))
    opening.begin(StepName.HOST_KEY)
    key = OfferedKey(algorithm=shown.get_name(), blob=shown.asbytes())
    opening.accept(key)
    return agreed, key


def _log_in(opening: Opening, transport: paramiko.Transport, connection: SocketLike) -> None:
    """Keys first, then the password, each once: every refusal counts towards locking the account."""
    target = opening.target
    own_key = _private_key(opening)
    seconds = opening.begin(StepName.AUTHENTICATION)
    transport.auth_timeout = seconds + 1
    tried: list[str] = []
    with _watched(opening, seconds, connection), _agent_keys(opening) as agent_keys:
        for what, key in [
            *([("private key", own_key)] if own_key else []),
            *(("agent", key) for key in agent_keys),
        ]:
            tried.append(what)
            if _is_let_in(transport, partial(transport.auth_publickey, target.username, key)):
                return opening.done(what)
        if target.password is not None:
            tried.append("password")
            log_in = partial(transport.auth_password, target.username, target.password)
            if _is_let_in(transport, log_in):
                return opening.done("password")
    raise opening.refused(" and ".join(dict.fromkeys(tried)) or "no key in the agent")


def _is_let_in(transport: paramiko.Transport, log_in: Callable[[], list[str]]) -> bool:
    """Whether that was enough; a refusal, or a demand for more, is left to the next thing we have."""
    try:
        return not log_in()
    except AuthenticationException:
        if not transport.is_active():  # paramiko calls it a refusal that nobody is there any more
            raise EOFError from None
        return False


def _private_key(opening: Opening) -> paramiko.PKey | None:
    asked = opening.target.private_key
    if asked is None:
        return None
    try:
        return for_paramiko(asked)
    except PrivateKeyUnusable as error:
        raise opening.unreadable_key(error) from None  # what cryptography says may quote the key


@contextmanager
def _agent_keys(opening: Opening) -> Generator[tuple[paramiko.PKey, ...]]:
    if not opening.target.use_agent:
        yield ()
        return
    agent = paramiko.Agent()
    try:
        keys = agent.get_keys()
        if not keys and "SSH_AUTH_SOCK" not in os.environ:
            raise opening.no_agent()
        yield keys
    finally:
        agent.close()


@contextmanager
def _watched(opening: Opening, seconds: float, connection: SocketLike) -> Generator[None]:
    """Whatever paramiko waits for inside, it ends after ``seconds``; its errors get names."""
    is_late = threading.Event()

    def end() -> None:
        is_late.set()
        hang_up(connection)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    except CollectionError:
        raise
    except (SSHException, EOFError, OSError) as error:
        raise (opening.silent(seconds) if is_late.is_set() else _named(opening, error)) from error
    finally:
        timer.cancel()
        timer.join()


def _named(opening: Opening, error: Exception) -> CollectionError:
    said = str(error)
    if "Indecipherable" in said:
        return opening.no_ssh(said.encode())
    is_gone = isinstance(error, (EOFError, OSError)) or any(
        word in said for word in ("protocol banner", "No existing session", "EOF", "not open")
    )
    if is_gone:
        return opening.closed()
    if opening.doing is StepName.KEY_EXCHANGE:
        return opening.no_key_exchange(error)
    return opening.other(error)


def _let_sleep(connection: SocketLike) -> None:
    connection.settimeout(_IDLE_WAKE_SECONDS)


def _address(connection: SocketLike) -> str:
    """Of the device, if we are connected to it ourselves."""
    return str(connection.getpeername()[0]) if isinstance(connection, socket.socket) else ""


def _end(connection: SocketLike, transport: paramiko.Transport | None) -> None:
    """Wake paramiko's thread and wait for it before its socket is closed: the number may be another's at once."""
    hang_up(connection)
    if (
        transport is not None
        and transport.is_alive()
        and transport is not threading.current_thread()
    ):
        transport.join(_END_SECONDS)
    with suppress(Exception):  # whatever is left of a broken connection
        if transport is not None:
            transport.close()
    shut(connection)
