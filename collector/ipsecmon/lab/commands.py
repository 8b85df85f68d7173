"""The command words of the emulated IOS, and how a line is matched to them: any unique prefix will do.

sh cry isa sa   ->  show crypto isakmp sa
sh c            ->  % Ambiguous command:  "sh c"
show crypto     ->  % Incomplete command.
show crypto foo ->  % Invalid input detected at '^' marker.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address
from typing import Final

from ipsecmon.lab.topology import Dialect

__all__ = [
    "COMMANDS",
    "Ambiguous",
    "Command",
    "Incomplete",
    "Invalid",
    "Match",
    "commands_of",
    "look_up",
]


@dataclass(frozen=True, slots=True)
class Command:
    """A command in full words. ``<...>`` stands for an argument."""

    words: tuple[str, ...]
    privilege: int = 1
    is_in_12: bool = True
    """Whether 12.4 knows it."""

    @property
    def name(self) -> str:
        return " ".join(self.words)


@dataclass(frozen=True, slots=True)
class Match:
    """The command meant, and its arguments in order."""

    command: Command
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Invalid:
    """The word that fits nothing begins at ``column`` of the line."""

    column: int
    is_first_word: bool


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """A word begins several commands."""


@dataclass(frozen=True, slots=True)
class Incomplete:
    """The words so far are right, but more must follow."""


def _command(text: str, privilege: int = 1, *, is_in_12: bool = True) -> Command:
    return Command(tuple(text.split()), privilege, is_in_12)


COMMANDS: Final = (
    _command("clear crypto isakmp", 15),
    _command("clear crypto sa", 15),
    _command("clear crypto sa counters", 15),
    _command("clear crypto sa peer <address>", 15),
    _command("clear crypto session", 15),
    _command("clear crypto session remote <address>", 15),
    _command("disable"),
    _command("enable"),
    _command("exit"),
    _command("logout"),
    _command("quit"),
    _command("show clock"),
    _command("show crypto ikev2 sa", is_in_12=False),
    _command("show crypto ikev2 sa count", is_in_12=False),
    _command("show crypto ipsec sa"),
    _command("show crypto ipsec sa count", is_in_12=False),
    _command("show crypto ipsec security-association lifetime"),
    _command("show crypto isakmp sa"),
    _command("show crypto isakmp sa count"),
    _command("show crypto map"),
    _command("show crypto session"),
    _command("show privilege"),
    _command("show processes cpu"),
    _command("show version"),
    _command("terminal length <0-512>"),
    _command("terminal width <0-512>"),
)


_COMMANDS_OF_12: Final = tuple(command for command in COMMANDS if command.is_in_12)


def commands_of(dialect: Dialect) -> tuple[Command, ...]:
    """What a release knows."""
    return _COMMANDS_OF_12 if dialect == "ios-12.4" else COMMANDS


def _is_address(word: str) -> bool:
    try:
        IPv4Address(word)
    except AddressValueError:
        return False
    return True


_ARGUMENTS: Final[dict[str, Callable[[str], bool]]] = {
    "<address>": _is_address,
    "<0-512>": lambda word: word.isascii() and word.isdigit() and int(word) <= 512,
}


def look_up(
    line: str, privilege: int, commands: Sequence[Command] = COMMANDS
) -> Match | Invalid | Ambiguous | Incomplete:
    """Match a line, which has at least one word, to a command open to this privilege."""
    candidates = [command for command in commands if command.privilege <= privilege]
    arguments: list[str] = []
    position = 0
    for found in re.finditer(r"\S+", line):
        typed = found[0]
        fits: dict[str, list[Command]] = {}
        for command in candidates:
            if len(command.words) > position:
                word = command.words[position]
                accepts = _ARGUMENTS.get(word)
                if accepts(typed) if accepts else word.startswith(typed.lower()):
                    fits.setdefault(word, []).append(command)
        if typed.lower() in fits:
            fits = {typed.lower(): fits[typed.lower()]}
        if not fits:
            return Invalid(found.start(), position == 0)
        if len(fits) > 1:
            return Ambiguous()
        word, candidates = fits.popitem()
        if word in _ARGUMENTS:
            arguments.append(typed)
        position += 1
    for command in candidates:
        if len(command.words) == position:
            return Match(command, tuple(arguments))
    return Incomplete()
