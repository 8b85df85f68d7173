"""The default session: NAPALM's IOS driver with the connecting and the reading done safely.

NAPALM 5.2's own ``cli()`` returns refused commands as data, ends an answer at any text that looks like the prompt,
waits a whole time-out on a closed connection and sleeps 245 ms per poll. ``VpnIosDriver`` keeps NAPALM's interface
(``open``, ``cli``, ``is_alive``, ``close``) and its netmiko connection, and replaces what lies between: name and TCP
first, so that their failures have names; then SSH; then every byte through ``AnswerReader``.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from contextlib import suppress

import netmiko
import paramiko
from napalm.base import exceptions as napalm_exceptions
from napalm.ios import ios as napalm_ios
from netmiko.cisco import CiscoIosSSH
from paramiko.ssh_exception import IncompatiblePeer

from ipsecmon.errors import (
    AnswerTimeout,
    AnswerTooLarge,
    AuthenticationFailed,
    CollectionError,
    ConnectFailed,
    ConnectionClosed,
    HostKeyRejected,
    KeyExchangeFailed,
    NameNotResolved,
    PrivilegeDenied,
    PromptNotFound,
)
from ipsecmon.model import RawOutput
from ipsecmon.sessions.protocol import OfferedKey, Session, Target
from ipsecmon.sessions.reading import AnswerReader, Progress, prompt_pattern
from ipsecmon.sessions.readonly import ensure_read_only

__all__ = ["NapalmSession", "VpnIosDriver", "open_napalm_session"]

# The largest answer met is 18.6 MB (10,000 tunnels); a device that sends more has run away.
MAX_ANSWER_BYTES = 64 * 2**20
# How long the line must stay still after a prompt before it is believed to be one.
_SETTLE_SECONDS = 0.01
_SETTLE_LOGIN_SECONDS = 0.1
_LOGIN_TAIL_BYTES = 4096
_ANY_PROMPT = re.compile(rb"(?:\A|[\r\n])(?P<host>[^\r\n]{1,64}?)(?P<mode>[#>]) ?\Z")
_PASSWORD_PROMPT = re.compile(rb"[Pp]assword: ?\Z")


class _Asking(paramiko.MissingHostKeyPolicy):
    """No key is ever known to paramiko, so that each one is asked about here."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def missing_host_key(
        self,
        client: paramiko.SSHClient,  # noqa: ARG002 # paramiko's signature
        hostname: str,  # noqa: ARG002
        key: paramiko.PKey,
    ) -> None:
        offered = OfferedKey(algorithm=key.get_name(), blob=key.asbytes())
        self._target.host_keys.accept(self._target.host, self._target.port, offered)


class _IosConnection(CiscoIosSSH):
    """netmiko's connection without its own preparation, which guesses by sleeping."""

    def __init__(self, target: Target, connection: socket.socket, step_seconds: float) -> None:
        self._target = target
        super().__init__(
            host=target.host,
            port=target.port,
            username=target.username,
            password=target.password,
            secret=target.enable_secret or "",
            device_type="cisco_ios",
            sock=connection,
            conn_timeout=step_seconds,
            banner_timeout=step_seconds,
            auth_timeout=step_seconds,
        )

    def _build_ssh_client(self) -> paramiko.SSHClient:
        client = super()._build_ssh_client()
        client.set_missing_host_key_policy(_Asking(self._target))
        return client

    def _try_session_preparation(self, force_data: bool = True) -> None:  # noqa: ARG002 # netmiko's signature
        return


class VpnIosDriver(napalm_ios.IOSDriver):
    """NAPALM's IOS driver for reading show commands; one caller at a time."""

    def __init__(self, target: Target, timeout: float = 60.0) -> None:
        super().__init__(target.host, target.username, target.password or "")
        self._target = target
        self._opened_by = time.monotonic() + timeout
        self._open_channel: paramiko.Channel | None = None
        self._prompt = prompt_pattern("")
        self._is_broken = False

    def open(self) -> None:
        """Connect, log in, learn the prompt, reach privileged mode, turn paging off."""
        try:
            self._connect()
            self._learn_prompt()
            self._enable()
            for command in ("terminal length 0", "terminal width 511"):
                self._ask(command, min(self._target.read_timeout, self._left()))
        except BaseException:
            self.close()
            raise

    def show(self, command: str, timeout: float) -> str:
        """The answer to an allow-listed show command; after any error the session is broken for good."""
        return self._ask(ensure_read_only(command), timeout)

    def is_alive(self) -> dict[str, bool]:
        """NAPALM's form; sends nothing, unlike NAPALM's own, which types a NUL."""
        channel = self._open_channel
        alive = (
            channel is not None
            and not self._is_broken
            and not channel.closed
            and not channel.eof_received
        )
        return {"is_alive": alive}

    def close(self) -> None:
        """End the connection at once, without a conversation the other side may not be up to."""
        device, self.device, self._open_channel = self.device, None, None
        self._is_broken = True
        if device is not None:
            with suppress(Exception):  # whatever is left of a broken connection
                device.paramiko_cleanup()
            netmiko.log.removeFilter(device._secrets_filter)  # noqa: SLF001 # netmiko leaves it behind otherwise

    def _send_command(self, command: str | list[str]) -> str:
        """NAPALM's hook below ``cli()``."""
        commands = command if isinstance(command, list) else [command]
        try:
            return self.show(commands[0], self._target.read_timeout)
        except ConnectionClosed as error:
            raise napalm_exceptions.ConnectionClosedException(str(error)) from error

    # connecting

    def _connect(self) -> None:
        target = self._target
        transport = _tcp_connection(target, self._step())
        step = self._step()
        try:
            self.device = _IosConnection(target, transport, step)
        except Exception as error:
            transport.close()
            raise _named(error, target) from error
        self._open_channel = self.device.remote_conn

    def _left(self) -> float:
        """Seconds left for opening the session."""
        return max(0.0, self._opened_by - time.monotonic())

    def _step(self) -> float:
        """Seconds that the next step of opening may take."""
        left = self._left()
        if left <= 0:
            raise AnswerTimeout(
                f"{self._where}: the poll's time was up before the login was complete; "
                f"raise the poll's timeout or lower connect_timeout"
            )
        return min(self._target.connect_timeout, left)

    def _learn_prompt(self) -> None:
        """Press return until the same line comes back twice: banners end in ``#`` and ``>`` too."""
        deadline = time.monotonic() + self._step()
        previous = b""
        while time.monotonic() < deadline:
            text = self._converse("", _ANY_PROMPT, deadline, _SETTLE_LOGIN_SECONDS)
            match = _ANY_PROMPT.search(text)
            if match is None:
                break
            if match["host"] == previous:
                self._prompt = prompt_pattern(previous.decode("utf-8", "replace"))
                self._is_privileged = match["mode"] == b"#"
                return
            previous = match["host"]
        raise PromptNotFound(
            f"{self._where}: logged in, but no prompt came within {self._target.connect_timeout:g} s; "
            f"log in by hand and see whether the device asks something first"
        )

    def _enable(self) -> None:
        if self._is_privileged:
            return
        secret = self._target.enable_secret
        if secret is None:
            raise PrivilegeDenied(
                f"{self._where}: the login lands in user mode and no enable secret is configured; "
                f"add 'enable' to the credential or raise the account's privilege"
            )
        deadline = time.monotonic() + self._step()
        prompt = self._prompt.pattern
        asked = re.compile(rb"(?s)enable.*(?:[Pp]assword: ?\Z|" + prompt + rb")")
        text = self._converse("enable", asked, deadline, _SETTLE_LOGIN_SECONDS)
        if _PASSWORD_PROMPT.search(text):
            either = re.compile(_PASSWORD_PROMPT.pattern + b"|" + prompt)
            text = self._converse(secret, either, deadline, _SETTLE_LOGIN_SECONDS, is_secret=True)
            if not text.rstrip().endswith(b"#"):
                raise PrivilegeDenied(
                    f"{self._where}: the device refused the enable secret; check it"
                )
        elif not text.rstrip().endswith(b"#"):
            raise PrivilegeDenied(
                f"{self._where}: the device did not ask for the enable secret and stayed in user mode; "
                f"check that 'enable' is allowed for this account"
            )

    def _converse(
        self,
        line: str,
        until: re.Pattern[bytes],
        deadline: float,
        settle: float,
        *,
        is_secret: bool = False,
    ) -> bytes:
        """Type ``line`` and return what comes until ``until`` ends it; for the login, where nothing echoes yet."""
        self._send(f"{line}\n".encode(), "login")
        received = b""
        while not until.search(received[-_LOGIN_TAIL_BYTES:]) or self._more_within(settle):
            left = deadline - time.monotonic()
            data = self._receive(left) if left > 0 else None
            if data is None:
                # a device that echoes the secret must not get it into an error message
                last = "" if is_secret else received[-60:].decode("utf-8", "replace").strip()
                seen = f"; the last it sent was {last!r}" if last else ""
                raise PromptNotFound(
                    f"{self._where}: no prompt within {self._target.connect_timeout:g} s of logging in{seen}"
                )
            received += data
        return received

    # reading

    def _ask(self, command: str, timeout: float) -> str:
        if self._is_broken:
            raise ConnectionClosed(f"{self._where}: the session is closed", command)
        channel = self._channel
        self._is_broken = True  # until this answer is complete
        while channel.recv_ready():
            channel.recv(65536)
        self._send(f"{command}\n".encode(), command)
        reader = AnswerReader(command, self._prompt)
        self._read(reader, command, timeout)
        self._is_broken = False
        return reader.answer()

    def _read(self, reader: AnswerReader, command: str, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            silence = min(left, self._target.read_timeout)
            data = self._receive(silence, command) if left > 0 else None
            if data is None:
                raise self._timed_out(reader, command, timeout, silent=silence < left)
            progress = reader.feed(data)
            if reader.received_bytes > MAX_ANSWER_BYTES:
                raise AnswerTooLarge(
                    f"{self._where}: {command!r} sent more than {MAX_ANSWER_BYTES >> 20} MiB; given up",
                    command,
                )
            if progress is Progress.PAGER:
                self._send(b" ", command)
            elif progress is Progress.PROMPT and not self._more_within(_SETTLE_SECONDS):
                return

    def _timed_out(
        self, reader: AnswerReader, command: str, timeout: float, silent: bool
    ) -> CollectionError:
        got = f"{reader.received_bytes} bytes" if reader.has_echo else "not even the echo"
        if silent:
            what = f"was silent for {self._target.read_timeout:g} s while answering {command!r}"
            advice = "raise read_timeout if the device pauses that long"
        else:
            what = f"did not finish {command!r} within the {timeout:.0f} s left of this poll"
            advice = "raise the poll's timeout if the output is that long"
        return AnswerTimeout(f"{self._where}: the device {what} ({got} came); {advice}", command)

    @property
    def _channel(self) -> paramiko.Channel:
        """The channel, which another thread may close at any moment."""
        channel = self._open_channel
        if channel is None:
            raise ConnectionClosed(f"{self._where}: the session was closed")
        return channel

    def _send(self, data: bytes, command: str) -> None:
        try:
            self._channel.sendall(data)
        except TimeoutError as error:
            raise AnswerTimeout(
                f"{self._where}: the device takes no more input", command
            ) from error
        except OSError as error:
            raise self._closed(command) from error

    def _receive(self, timeout: float, command: str = "login") -> bytes | None:
        """The next bytes, ``None`` when none came in time."""
        channel = self._channel
        channel.settimeout(timeout)
        try:
            data = channel.recv(65536)
        except TimeoutError:
            return None
        except OSError as error:
            raise self._closed(command) from error
        if not data:
            raise self._closed(command)
        return data

    def _more_within(self, seconds: float) -> bool:
        """Whether bytes follow within ``seconds``."""
        channel = self._channel
        until = time.monotonic() + seconds
        while not channel.recv_ready():
            left = until - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(left, 0.005))
        return True

    def _closed(self, command: str) -> ConnectionClosed:
        return ConnectionClosed(
            f"{self._where}: the device closed the connection before {command!r} was complete",
            command,
        )

    @property
    def _where(self) -> str:
        return f"{self._target.host}:{self._target.port}"


class NapalmSession(Session):
    """A ``Session`` over an open driver."""

    def __init__(self, driver: VpnIosDriver, clock: Callable[[], float] = time.time) -> None:
        self._driver = driver
        self._clock = clock

    def run(self, command: str, timeout: float) -> RawOutput:
        """See ``Session``."""
        started_at = self._clock()
        text = self._driver.show(command, timeout)
        return RawOutput(command=command, text=text, started_at=started_at, ended_at=self._clock())

    def is_alive(self) -> bool:
        """See ``Session``."""
        return self._driver.is_alive()["is_alive"]

    def close(self) -> None:
        """See ``Session``."""
        self._driver.close()


def open_napalm_session(target: Target, timeout: float = 60.0) -> Session:
    """An open session within ``timeout`` seconds, or a ``CollectionError`` that names what was in the way."""
    driver = VpnIosDriver(target, timeout)
    driver.open()
    return NapalmSession(driver)


def _tcp_connection(target: Target, timeout: float) -> socket.socket:
    """A TCP connection to the first address that answers within ``timeout`` seconds in all."""
    deadline = time.monotonic() + timeout
    where = f"{target.host}:{target.port}"
    try:
        addresses = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise NameNotResolved(
            f"the name {target.host!r} has no address ({error}); check 'host' and the resolver"
        ) from error
    failure: OSError | None = None
    for family, kind, protocol, _, address in addresses:
        connection = socket.socket(family, kind, protocol)
        connection.settimeout(max(0.1, deadline - time.monotonic()))
        try:
            connection.connect(address)
        except OSError as error:
            connection.close()
            failure = error
        else:
            return connection
    cause = (
        f"no answer within {timeout:.3g} s"
        if isinstance(failure, TimeoutError)
        else str(failure.strerror if failure and failure.strerror else failure).lower()
    )
    raise ConnectFailed(
        f"no TCP connection to {where}: {cause}; check address, port, routing and filters"
    ) from failure


def _named(error: Exception, target: Target) -> CollectionError:
    """netmiko turns every failure of paramiko into one; the cause is in the chain behind it."""
    where = f"{target.host}:{target.port}"
    causes = list(_chain(error))
    texts = " / ".join(str(cause) for cause in causes)
    if any(isinstance(cause, paramiko.AuthenticationException) for cause in causes):
        return AuthenticationFailed(
            f"{where}: the device refused user {target.username!r}; check user name and password"
        )
    for cause in causes:
        if isinstance(cause, HostKeyRejected):
            return cause
    for cause in causes:
        if isinstance(cause, IncompatiblePeer):
            return KeyExchangeFailed(
                f"{where}: no SSH algorithm in common ({cause}); the device offers only old ones"
            )
    if "No existing session" in texts or "SSH protocol banner" in texts:
        return ConnectFailed(
            f"{where}: what answers there does not speak SSH, or not within {target.connect_timeout:g} s; check 'port'"
        )
    last = next(
        (str(cause).strip() for cause in reversed(causes) if str(cause).strip()), repr(error)
    )
    return ConnectFailed(f"{where}: no SSH session: {last.splitlines()[0]}")


def _chain(error: BaseException | None) -> list[BaseException]:
    chain: list[BaseException] = []
    while error is not None:
        chain.append(error)
        error = error.__cause__ or error.__context__
    return chain
