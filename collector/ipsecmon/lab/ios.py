"""The exec shell of an emulated router: bytes of the terminal in, what it does in answer out.

No sockets here: ``ssh.py`` carries the bytes, and the tests do without. Everything a terminal session of
IOS shows is here: echo and line editing, the prompt, ``enable``, paging, abbreviations, ``| include``, refusals.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, Literal, Protocol

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

__all__ = ["PROMPT_LINE_SECONDS", "Action", "Close", "Pause", "Repeat", "Send", "Shell", "Show"]

_PASSWORD_ATTEMPTS: Final = 3
# what a line that is only the prompt waits before the rest of the answer follows
PROMPT_LINE_SECONDS: Final = 0.2
_NOISE: Final = b"\x00\xff\xfe\x1b[0m\x1b[K"
# "show processes cpu | include CPU utilization": the command, then the filter
_FILTER: Final = re.compile(r"\|\s*(?P<word>\S*)\s*(?P<pattern>.*)")


@dataclass(frozen=True, slots=True)
class Send:
    """Write these bytes to the terminal."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait before the next action."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Repeat:
    """Write these bytes again and again, until the other side has had enough."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """End the connection, by FIN or by RST."""

    how: Literal["close", "reset"] = "close"


Action = Send | Pause | Repeat | Close


class Show(Protocol):
    """What answers a show command in full words, unspoilt; see ``shows.show``."""

    def __call__(
        self, network: Network, router: str, command: str, privilege: int, *, cpu_percent: int
    ) -> str:
        """The answer as one text with line feeds."""
        ...


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of an answer as bytes, and the pause after it."""

    data: bytes
    pause_seconds: float = 0.0


class _Mode(Enum):
    LINE = auto()
    PASSWORD = auto()
    MORE = auto()
    HUNG = auto()
    CLOSED = auto()


class Shell:
    """One terminal session on one router. ``clock`` gives the lab second it is now.

    ``show`` renders the answers; ``on_line`` hears of every line that is typed at the prompt, as it was typed.
    """

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
        show: Show = show,
        on_line: Callable[[str], object] | None = None,
    ) -> None:
        self._network = network
        self._router = network.router(router)
        self._clock = clock
        self._faults = faults
        self._show_text = show
        self._on_line = on_line
        self._privilege: int = self._router.login_privilege
        self._length = 24
        self._mode = _Mode.LINE
        self._line = bytearray()
        self._after_return = False
        self._attempts = 0
        self._pages: list[_Line] = []
        self._whole: list[_Line] = []
        self._owes_prompt = False
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
        return f"{self._router.prompt_name}{'#' if self._privilege == 15 else '>'}"

    # what differs from one system to the next

    def _greeting(self) -> str:
        banner = self._router.banner_motd
        return answers.motd(self._router.name) if banner is None else f"\n{banner}\n"

    def _commands(self) -> Sequence[Command]:
        return commands_of(self._router.dialect)

    # keys

    def _take(self, byte: int) -> None:
        match self._mode:
            case _Mode.LINE:
                self._pay_prompt()
                self._edit(byte, is_echoed=True)
            case _Mode.PASSWORD:
                self._edit(byte, is_echoed=False)
            case _Mode.MORE:
                self._turn_page(byte)
            case _Mode.HUNG | _Mode.CLOSED:
                pass

    def _edit(self, byte: int, *, is_echoed: bool) -> None:
        is_shown = is_echoed and not self._faults().no_echo
        rubout = b"\b \b" if is_shown else b""
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
            if is_shown:
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
        if self._on_line is not None:
            self._on_line(line)
        command, pattern = self._split_filter(line)
        found = look_up(command, self._privilege, self._commands())
        if isinstance(found, Match):
            self._network.run_until(self._clock())
            self._run(found, line, pattern)
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

    @staticmethod
    def _split_filter(line: str) -> tuple[str, str | None]:
        """The command, and what its lines must match after ``| include``.

        Other filters, and patterns that are none, stay with the command, which then fits nothing.
        """
        found = _FILTER.search(line)
        if found is None or not line.split()[0].lower().startswith("sh"):
            return line, None
        word, pattern = found["word"].lower(), found["pattern"].strip()
        if not word or not "include".startswith(word) or not pattern:
            return line, None
        try:
            re.compile(pattern)
        except re.error:
            return line, None
        return line[: found.start()], pattern

    def _run(self, found: Match, line: str, pattern: str | None) -> None:
        name, arguments, faults = found.command.name, found.arguments, self._faults()
        if self._is_refused(name, faults):
            if faults.refusal == "authorization":
                self._print(self.authorization_failed)
            else:
                self._print_invalid(len(line) - len(line.lstrip()))
            self._prompt()
        elif name.startswith("show "):
            self._show(name, pattern, faults)
        elif name in ("exit", "quit", "logout"):
            self._close()
        elif name == "enable" and self._privilege < 15 and self._router.enable == "unset":
            self._print(answers.NO_PASSWORD_SET)
            self._prompt()
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

    def _show(self, name: str, pattern: str | None, faults: Faults) -> None:
        text = self._show_text(
            self._network,
            self._router.name,
            name,
            self._privilege,
            cpu_percent=faults.cpu_percent,
        )
        if faults.hang:
            self._mode = _Mode.HUNG
            return
        lines = text.splitlines()
        if pattern is not None:
            lines = [line for line in lines if re.search(pattern, line)]
        self._answer_left = faults.cut_after
        self._pages = self._spoilt(lines, faults)
        self._whole = list(self._pages) if faults.endless else []
        if faults.reply_seconds:
            self._actions.append(Pause(faults.reply_seconds))
        self._page(self._length - 1 if self._length else len(self._pages))

    def _spoilt(self, lines: list[str], faults: Faults) -> list[_Line]:
        """The answer as it goes out, with what faults take away or put in."""
        kept = [_Line(line.encode("latin-1") + b"\r\n") for line in self._truncated(lines, faults)]
        middle = len(kept) // 2
        put_in: list[_Line] = []
        if faults.noise:
            put_in.append(_Line(_NOISE))
        if faults.syslog_in_output:
            message = answers.log_message(self._network.now, str(self._router.address))
            put_in.append(_Line(message.encode("latin-1") + b"\r\n"))
        if faults.prompt_in_output:
            mark = f"     a line that ends like a prompt: {self._router.prompt_name}#\r\n"
            put_in.append(_Line(mark.encode("latin-1")))
        if faults.prompt_line_in_output:
            put_in += (
                _Line(self.prompt.encode("latin-1"), PROMPT_LINE_SECONDS),
                _Line(b"\r\n"),
            )
        return [*kept[:middle], *put_in, *kept[middle:]]

    @staticmethod
    def _truncated(lines: list[str], faults: Faults) -> list[str]:
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
        if self._router.enable == "refused":
            self._print(answers.ENABLE_REFUSED)
        elif password == self._router.enable_secret:
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
        if self._whole and not self._length:
            self._actions.append(Repeat(b"".join(line.data for line in self._whole)))
            self._mode = _Mode.HUNG
            return
        while self._whole and len(self._pages) <= count:
            self._pages += self._whole
        lines, self._pages = self._pages[:count], self._pages[count:]
        self._send_lines(lines)
        if self._mode in (_Mode.CLOSED, _Mode.HUNG):
            return
        if self._pages:
            self._mode = _Mode.MORE
            self._send(self.more)
        else:
            self._end_answer()

    def _send_lines(self, lines: list[_Line]) -> None:
        piece = bytearray()
        for line in lines:
            piece += line.data
            if line.pause_seconds:
                self._send_answer(bytes(piece))
                self._actions.append(Pause(line.pause_seconds))
                piece.clear()
            if self._mode in (_Mode.CLOSED, _Mode.HUNG):
                return
        self._send_answer(bytes(piece))

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
            if faults.cut == "silent":
                self._mode = _Mode.HUNG
            else:
                self._close(faults.cut)

    def _end_answer(self) -> None:
        self._mode = _Mode.LINE
        self._prompt()
        self._owes_prompt = self._faults().late_prompt

    def _pay_prompt(self) -> None:
        """The second prompt of the last answer, if it is late, before anything of the next command."""
        if self._owes_prompt:
            self._owes_prompt = False
            self._print("\n")
            self._prompt()

    def _close(self, how: Literal["close", "reset"] = "close") -> None:
        self._mode = _Mode.CLOSED
        self._actions.append(Close(how))

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
