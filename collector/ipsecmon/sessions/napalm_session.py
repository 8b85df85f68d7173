"""The default session: NAPALM's drivers with the login and the reading done safely.

NAPALM 5.2's own ``cli()`` returns refused commands as data, ends an answer at any text that looks like the prompt,
waits a whole time-out on a closed connection and sleeps 245 ms per poll. The drivers here keep NAPALM's interface
(``open``, ``cli``, ``is_alive``, ``close``, its exceptions) and give it a netmiko connection, and what lies between is
ours: ``paramiko_line`` logs in and carries the conversation of ``terminal``.

A NAPALM driver is for those who know NAPALM:

    driver = VpnIosDriver(target)
    driver.open()
    driver.cli(["show crypto isakmp sa"])
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import netmiko
from napalm.base import base as napalm_base
from napalm.base import exceptions as napalm_exceptions
from napalm.ios import ios as napalm_ios
from netmiko.channel import SSHChannel
from netmiko.cisco import CiscoAsaSSH, CiscoIosSSH

from ipsecmon.errors import (
    AnswerTimeout,
    AuthenticationFailed,
    CollectionError,
    ConnectionClosed,
)
from ipsecmon.model import RawOutput, SessionFacts
from ipsecmon.sessions.opening import Opening
from ipsecmon.sessions.paramiko_line import ParamikoLine
from ipsecmon.sessions.protocol import OnStep, Session, Target, ignore_step
from ipsecmon.sessions.readonly import ensure_read_only
from ipsecmon.sessions.ways import JumpWays
from ipsecmon_parsers.records import Platform

__all__ = ["NapalmSession", "VpnAsaDriver", "VpnIosDriver", "open_napalm_session"]


class _IosConnection(CiscoIosSSH):
    """netmiko's connection over a terminal that is logged in already; its own preparation guesses by sleeping."""

    def __init__(self, target: Target, line: ParamikoLine) -> None:
        self._line = line
        super().__init__(**_netmiko_arguments(target, "cisco_ios"))

    def establish_connection(self, width: int = 511, height: int = 1000) -> None:  # noqa: ARG002 # netmiko's signature
        _adopt(self, self._line)

    def _try_session_preparation(self, force_data: bool = True) -> None:  # noqa: ARG002 # netmiko's signature
        return


class _AsaConnection(CiscoAsaSSH):
    """As above. netmiko's own preparation would enter ``configure terminal`` to set a width."""

    def __init__(self, target: Target, line: ParamikoLine) -> None:
        self._line = line
        super().__init__(**_netmiko_arguments(target, "cisco_asa"), allow_auto_change=False)

    def establish_connection(self, width: int = 511, height: int = 1000) -> None:  # noqa: ARG002 # netmiko's signature
        _adopt(self, self._line)

    def _try_session_preparation(self, force_data: bool = True) -> None:  # noqa: ARG002 # netmiko's signature
        return


_Connection = _IosConnection | _AsaConnection


def _netmiko_arguments(target: Target, device_type: str) -> dict[str, Any]:
    return {
        "host": target.host,
        "port": target.port,
        "username": target.username,
        "password": target.password,
        "secret": target.enable_secret or "",
        "device_type": device_type,
    }


def _adopt(connection: _Connection, line: ParamikoLine) -> None:
    connection.remote_conn_pre = None
    connection.remote_conn = line.channel
    connection.channel = SSHChannel(conn=line.channel, encoding=connection.encoding)
    connection.base_prompt = line.terminal.prompt[:-1]


class _VpnDriver(napalm_base.NetworkDriver):
    """What NAPALM asks of a driver, over one terminal; one caller at a time."""

    _connection_type: type[_Connection]
    _target: Target
    _timeout: float
    _jumps: JumpWays | None
    _line: ParamikoLine | None
    device: _Connection | None

    def _prepare(self, target: Target, timeout: float, jumps: JumpWays | None) -> None:
        self._target, self._timeout, self._jumps = target, timeout, jumps
        self._line = None
        self.device = None

    def reach(self, on_step: OnStep = ignore_step) -> None:
        """``open`` with errors of ours: connect, log in, reach privileged mode, turn paging off."""
        opening = Opening(self._target, self._timeout, on_step)
        line = ParamikoLine.opened(opening, self._jumps)
        self._line = line
        try:
            self.device = self._connection_type(self._target, line)
        except BaseException:
            self.close()
            raise

    def show(self, command: str, timeout: float) -> str:
        """The answer to an allow-listed show command; after any error the session is broken for good."""
        ensure_read_only(command)
        line = self._line
        if line is None:
            where = f"{self._target.host}:{self._target.port}"
            raise ConnectionClosed(f"{where}: the session is closed", command)
        return line.ask(command, timeout)

    @property
    def facts(self) -> SessionFacts | None:
        """What was agreed on when it was opened."""
        return self._line.facts if self._line else None

    def open(self) -> None:
        """See NAPALM: raises ``ConnectAuthError`` and ``ConnectionException``."""
        try:
            self.reach()
        except CollectionError as error:
            raise _as_napalm(error) from error

    def cli(self, commands: list[str], encoding: str = "text") -> dict[str, Any]:
        """See NAPALM: the answers by command; raises its ``ConnectionException`` and ``CommandTimeoutException``."""
        if encoding != "text":
            raise NotImplementedError(f"{encoding} is not supported; use 'text'")
        if not isinstance(commands, list):  # pyright: ignore[reportUnnecessaryIsInstance] # a text is a list of letters
            raise TypeError("commands must be a list")
        try:
            return {command: self.show(command, self._timeout) for command in commands}
        except CollectionError as error:
            raise _as_napalm(error) from error

    def is_alive(self) -> dict[str, bool]:
        """NAPALM's form; sends nothing, unlike NAPALM's own, which types a NUL."""
        line = self._line
        return {"is_alive": line is not None and line.is_alive}

    def close(self) -> None:
        """End the connection at once, without a conversation the other side may not be up to."""
        line, self._line = self._line, None
        device, self.device = self.device, None
        if line is not None:
            line.close()
        if device is not None:
            # netmiko leaves it behind otherwise
            netmiko.log.removeFilter(device._secrets_filter)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]


class VpnIosDriver(_VpnDriver, napalm_ios.IOSDriver):
    """NAPALM's IOS driver for reading show commands."""

    _connection_type = _IosConnection

    def __init__(
        self, target: Target, timeout: float = 60.0, jumps: JumpWays | None = None
    ) -> None:
        napalm_ios.IOSDriver.__init__(
            self, target.host, target.username, target.password or "", int(timeout)
        )
        self._prepare(target, timeout, jumps)

    def _send_command(self, command: str | list[str]) -> str:
        """NAPALM's hook below its getters."""
        commands = command if isinstance(command, list) else [command]
        return str(self.cli(commands[:1])[commands[0]])


class VpnAsaDriver(_VpnDriver):
    """A NAPALM driver for reading show commands of an ASA, which NAPALM has none for."""

    _connection_type = _AsaConnection

    def __init__(
        self, target: Target, timeout: float = 60.0, jumps: JumpWays | None = None
    ) -> None:
        # NAPALM's base class is for overriding only: its own initialiser raises
        self.hostname, self.username, self.password = (
            target.host,
            target.username,
            target.password or "",
        )
        self.timeout = int(timeout)
        self.platform = "asa"
        self._prepare(target, timeout, jumps)


class NapalmSession(Session):
    """A ``Session`` over an open driver."""

    def __init__(self, driver: _VpnDriver, clock: Callable[[], float] = time.time) -> None:
        self._driver = driver
        self._clock = clock
        self._facts = driver.facts

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

    @property
    def facts(self) -> SessionFacts | None:
        """See ``Session``."""
        return self._facts


def open_napalm_session(
    target: Target,
    timeout: float = 60.0,
    on_step: OnStep = ignore_step,
    jumps: JumpWays | None = None,
) -> Session:
    """An open session within ``timeout`` seconds, or a ``CollectionError`` that names what was in the way."""
    is_asa = target.platform is Platform.ASA
    driver = (VpnAsaDriver if is_asa else VpnIosDriver)(target, timeout, jumps)
    driver.reach(on_step)
    return NapalmSession(driver)


def _as_napalm(error: CollectionError) -> Exception:
    """As those who know NAPALM expect it."""
    match error:
        case AuthenticationFailed():
            return napalm_exceptions.ConnectAuthError(str(error))
        case AnswerTimeout():
            return napalm_exceptions.CommandTimeoutException(str(error))
        case ConnectionClosed():
            return napalm_exceptions.ConnectionClosedException(str(error))
        case _:
            return napalm_exceptions.ConnectionException(str(error))
