"""The exec shell of an emulated router: bytes of the terminal in, what it does in answer out.

No sockets here: ``ssh.py`` carries the bytes, and the tests do without. Everything a terminal session of
IOS shows is here: echo and line editing, the prompt, ``enable``, paging, abbreviations, refusals.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from ipsecmon.lab import answers
from ipsecmon.lab.commands import (
    Ambiguous,
    Command,
    Incomplete,
    Invalid,
    Match,
    commands_of,
    look_up,
)
from ipsecmon.lab.faults import Faults
from ipsecmon.lab.network import Network
from ipsecmon.lab.shows import show

__all__ = ["Action", "Close", "Pause", "Send", "Shell"]

_PASSWORD_ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True)
class Send:
    """Write these bytes to the terminal."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait before the next action."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Close:
    """End the connection."""


Action = Send | Pause | Close


class _Mode(Enum):
    LINE = auto()
    PASSWORD = auto()
    MORE = auto()
    HUNG = auto()
    CLOSED = auto()


class Shell:
    """One terminal session on one router. ``clock`` gives the lab second it is now."""

    more = b" --More-- "
    # nine back, eight blanks over "--More--", nine back: the cursor stands in the first column again
    erase_more = b"\b" * 9 + b" " * 8 + b"\b" * 9
    paging_command = "terminal length"
    authorization_failed = answers.AUTHORIZATION_FAILED
    bad_secrets = "% Bad secrets\n\n"

    def __init__(
        self,
        network: Network,
        router: str,
        *,
        clock: Callable[[], float],
        faults: Callable[[], Faults] = Faults,
    ) -> None:
        self._network = network
        self._router = network.router(router)
        self._clock = clock
        self._faults = faults
        self._privilege: int = self._router.login_privilege
        self._length = 24
        self._mode = _Mode.LINE
        self._line = bytearray()
        self._after_return = False
        self._attempts = 0
        self._pages: list[bytes] = []
        self._answer_left: int | None = None
        self._actions: list[Action] = []

    def start(self) -> list[Action]:
        """The banner and the first prompt."""
        self._print(self._greeting())
        self._prompt()
        return self._taken()

    def receive(self, data: bytes) -> list[Action]:
        """What the router does when these bytes arrive from the terminal."""
        for byte in data:
            # a return typed as CR LF is one
            is_second_half = byte == 0x0A and self._after_return
            self._after_return = byte == 0x0D
            if not is_second_half:
                self._take(byte)
        return self._taken()

    @property
    def prompt(self) -> str:
        """``Site1>``, or ``Site1#`` when privileged."""
        return f"{self._router.name}{'#' if self._privilege == 15 else '>'}"

    # what differs from one system to the next

    def _greeting(self) -> str:
        return answers.motd(self._router.name)

    def _commands(self) -> Sequence[Command]:
        return commands_of(self._router.dialect)

    # keys

    def _take(self, byte: int) -> None:
        match self._mode:
            case _Mode.LINE:
                self._edit(byte, is_echoed=True)
            case _Mode.PASSWORD:
                self._edit(byte, is_echoed=False)
            case _Mode.MORE:
                self._turn_page(byte)
            case _Mode.HUNG | _Mode.CLOSED:
                pass

    def _edit(self, byte: int, *, is_echoed: bool) -> None:
        rubout = b"\b \b" if is_echoed else b""
        if byte in (0x0D, 0x0A):
            text = self._line.decode("latin-1")
            self._line.clear()
            self._send(b"\r\n")
            if is_echoed:
                self._execute(text)
            else:
                self._check_password(text)
        elif byte in (0x08, 0x7F):
            if self._line:
                del self._line[-1]
                self._send(rubout)
        elif byte == 0x15:  # ^U
            self._send(rubout * len(self._line))
            self._line.clear()
        elif byte == 0x03:  # ^C
            self._line.clear()
            self._mode = _Mode.LINE
            self._send(b"\r\n")
            self._prompt()
        elif byte >= 0x20:  # other controls, NUL among them, are swallowed
            self._line.append(byte)
            if is_echoed:
                self._send(bytes((byte,)))

    def _turn_page(self, byte: int) -> None:
        if byte == 0x20:
            count = max(1, self._length - 1)
        elif byte in (0x0D, 0x0A):
            count = 1
        elif byte in b"qQ\x03":
            count = 0
        else:
            return
        self._send(self.erase_more)
        if count:
            self._page(count)
        else:
            self._pages.clear()
            self._end_answer()

    # commands

    def _execute(self, line: str) -> None:
        if not line.strip():
            self._prompt()
            return
        found = look_up(line, self._privilege, self._commands())
        if isinstance(found, Match):
            self._network.run_until(self._clock())
            self._run(found, line)
        else:
            self._print_mistake(found, line)
            self._prompt()

    def _print_mistake(self, found: Invalid | Ambiguous | Incomplete, line: str) -> None:
        match found:
            case Invalid(column=column, is_first_word=is_first_word):
                if is_first_word and len(line.split()) == 1:
                    self._print(answers.UNKNOWN.format(word=line.strip()))
                else:
                    self._print_invalid(column)
            case Ambiguous():
                self._print(answers.AMBIGUOUS.format(line=line.strip()))
            case Incomplete():
                self._print(answers.INCOMPLETE)

    def _run(self, found: Match, line: str) -> None:
        name, arguments, faults = found.command.name, found.arguments, self._faults()
        if self._is_refused(name, faults):
            if faults.refusal == "authorization":
                self._print(self.authorization_failed)
            else:
                self._print_invalid(len(line) - len(line.lstrip()))
            self._prompt()
        elif name.startswith("show "):
            self._show(name, faults)
        elif name in ("exit", "quit", "logout"):
            self._close()
        elif name == "enable" and self._privilege < 15:
            self._attempts = 0
            self._ask_password()
        else:
            self._change(name, arguments)
            self._prompt()

    def _is_refused(self, name: str, faults: Faults) -> bool:
        if faults.refuse_terminal_length and name.startswith(self.paging_command):
            return True
        return any(name == refused or name.startswith(f"{refused} ") for refused in faults.refuse)

    def _change(self, name: str, arguments: tuple[str, ...]) -> None:
        router = self._router.name
        match name:
            case "disable":
                self._privilege = 1
            case "terminal length <0-512>":
                self._length = int(arguments[0])
            case "clear crypto sa":
                self._network.clear_sa(router)
            case "clear crypto sa peer <address>":
                self._network.clear_sa(router, arguments[0])
            case "clear crypto sa counters":
                self._network.clear_sa_counters(router)
            case "clear crypto session" | "clear crypto isakmp":
                self._network.clear_session(router)
            case "clear crypto session remote <address>":
                self._network.clear_session(router, arguments[0])
            case _:
                pass  # enable when enabled, terminal width: nothing to see

    def _show(self, name: str, faults: Faults) -> None:
        text = show(self._network, self._router.name, name, self._privilege)
        if faults.hang:
            self._mode = _Mode.HUNG
            return
        self._answer_left = faults.cut_after
        self._pages = [
            line.encode("latin-1") + b"\r\n" for line in self._spoilt(text.splitlines(), faults)
        ]
        self._page(self._length - 1 if self._length else len(self._pages))

    def _spoilt(self, lines: list[str], faults: Faults) -> list[str]:
        """The answer with the lines that faults take away or put in."""
        middle = len(lines) // 2
        if faults.prompt_in_output:
            lines.insert(middle, f"     a line that ends like a prompt: {self._router.name}#")
        if faults.syslog_in_output:
            lines.insert(middle, answers.log_message(self._network.now, str(self._router.address)))
        if isinstance(faults.truncate, int):
            return lines[: faults.truncate]
        if faults.truncate is not None:
            pattern = re.compile(faults.truncate)
            for number, line in enumerate(lines):
                if pattern.search(line):
                    return lines[:number]
        return lines

    # passwords

    def _ask_password(self) -> None:
        self._mode = _Mode.PASSWORD
        self._print("Password: ")

    def _check_password(self, password: str) -> None:
        self._attempts += 1
        if password == self._router.enable_secret:
            self._privilege = 15
        elif self._attempts < _PASSWORD_ATTEMPTS:
            self._ask_password()
            return
        else:
            self._print(self.bad_secrets)
        self._mode = _Mode.LINE
        self._prompt()

    # output

    def _page(self, count: int) -> None:
        """Print so many lines of the answer, then ask for a key, or end it."""
        count = max(1, count)
        text, self._pages = b"".join(self._pages[:count]), self._pages[count:]
        self._send_answer(text)
        if self._mode is _Mode.CLOSED:
            return
        if self._pages:
            self._mode = _Mode.MORE
            self._send(self.more)
        else:
            self._end_answer()

    def _send_answer(self, data: bytes) -> None:
        faults = self._faults()
        is_cut = self._answer_left is not None and len(data) > self._answer_left
        if self._answer_left is not None:
            data = data[: self._answer_left]
            self._answer_left -= len(data)
        if faults.slow_seconds is None:
            self._send(data)
        else:
            for start in range(0, len(data), faults.slow_bytes):
                self._actions.append(Pause(faults.slow_seconds))
                self._actions.append(Send(data[start : start + faults.slow_bytes]))
        if is_cut:
            self._close()

    def _end_answer(self) -> None:
        self._mode = _Mode.LINE
        self._prompt()

    def _close(self) -> None:
        self._mode = _Mode.CLOSED
        self._actions.append(Close())

    def _print_invalid(self, column: int) -> None:
        self._print(" " * (len(self.prompt) + column) + "^\n" + answers.INVALID)

    def _prompt(self) -> None:
        self._print(self.prompt)

    def _print(self, text: str) -> None:
        self._send(text.replace("\n", "\r\n").encode("latin-1", "replace"))

    def _send(self, data: bytes) -> None:
        """Queue bytes, joined with those before them: an echo is not a packet per key."""
        if not data:
            return
        if self._actions and isinstance(last := self._actions[-1], Send):
            self._actions[-1] = Send(last.data + data)
        else:
            self._actions.append(Send(data))

    def _taken(self) -> list[Action]:
        actions, self._actions = self._actions, []
        return actions
