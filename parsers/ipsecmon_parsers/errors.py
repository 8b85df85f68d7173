"""What can go wrong while reading an output.

    ParserError
    ├── UnknownCommand   (LookupError)  nobody has taught us this command on this platform
    ├── NotRecognised    (LookupError)  the text does not tell which command printed it
    ├── Filtered         (ValueError)  the command was piped through a filter that left lines out
    ├── CommandRefused   (PermissionError)  the device answered "% Invalid input" or the like
    ├── Truncated        (EOFError)  the text ends before the device had finished
    └── ParseError       (ValueError)  a line we must understand does not read as it should

Each carries its parts as fields and makes one sentence of them: what, where, what was expected, what to do.

``TemplatesRefused`` (ValueError) stands apart: it comes before any output is read, and holds every ``TemplateMistake``
of a folder of templates.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "CommandRefused",
    "Filtered",
    "NotRecognised",
    "ParseError",
    "ParserError",
    "TemplateMistake",
    "TemplatesRefused",
    "Truncated",
    "UnknownCommand",
]


class ParserError(Exception):
    """Base of all errors of this package; ``command`` is the show command being read."""

    command: str

    def __init__(self, command: str, *details: object) -> None:
        super().__init__(command, *details)
        self.command = command


class UnknownCommand(ParserError, LookupError):
    """No template for this command on this platform."""

    def __init__(self, command: str, platform: str, known: tuple[str, ...]) -> None:
        super().__init__(command, platform, known)
        self.platform = platform
        self.known = known

    def __str__(self) -> str:
        if not self.known:
            return f"no command of platform {self.platform!r} can be read; known platforms are in --help"
        listed = ", ".join(repr(name) for name in self.known)
        return f"{self.command!r} on {self.platform} cannot be read; known commands: {listed}"


class NotRecognised(ParserError, LookupError):
    """Nobody typed the command and the text does not tell it; ``why`` is what was seen, ``what_to_do`` the way out."""

    def __init__(self, command: str, why: str, what_to_do: str) -> None:
        super().__init__(command, why, what_to_do)
        self.why = why
        self.what_to_do = what_to_do

    def __str__(self) -> str:
        return f"{self.why}; {self.what_to_do}"


class Filtered(ParserError, ValueError):
    """``command`` as it was typed, ``whole`` without the filter."""

    def __init__(self, command: str, whole: str) -> None:
        super().__init__(command, whole)
        self.whole = whole

    def __str__(self) -> str:
        return (
            f"{self.command!r} prints only some of its lines, and nothing tells what is missing; "
            f"collect {self.whole!r} without the filter"
        )


_LONGEST_SHOWN = 200


def _shown(line: str) -> str:
    """A line as a message has it: a megabyte of it would hide what the message says."""
    line = line.strip()
    return (
        line
        if len(line) <= _LONGEST_SHOWN
        else f"{line[:_LONGEST_SHOWN]} ... ({len(line)} characters)"
    )


class CommandRefused(ParserError, PermissionError):
    """The device did not run the command; ``answer`` is its own line."""

    def __init__(self, command: str, answer: str, line_no: int) -> None:
        super().__init__(command, answer, line_no)
        self.answer = answer
        self.line_no = line_no

    def __str__(self) -> str:
        return (
            f"the device refused {self.command!r} (line {self.line_no}: {_shown(self.answer)!r}); "
            f"check the account's privilege and that the release has the command"
        )


class Truncated(ParserError, EOFError):
    """The output ends too early; ``complete`` says how far it was whole, nothing of it is returned."""

    def __init__(self, command: str, line_no: int, line: str, expected: str, complete: str) -> None:
        super().__init__(command, line_no, line, expected, complete)
        self.line_no = line_no
        self.line = line
        self.expected = expected
        self.complete = complete

    def __str__(self) -> str:
        where = (
            f"after line {self.line_no} ({_shown(self.line)!r})"
            if self.line_no
            else "before its first line"
        )
        return (
            f"the output of {self.command!r} is cut off {where}: expected {self.expected}; "
            f"{self.complete}; collect it again"
        )


class ParseError(ParserError, ValueError):
    """A line does not read as it should; ``near`` is the part of it that does not."""

    def __init__(
        self, command: str, line_no: int, line: str, expected: str, near: str = ""
    ) -> None:
        super().__init__(command, line_no, line, expected, near)
        self.line_no = line_no
        self.line = line
        self.expected = expected
        self.near = near

    def __str__(self) -> str:
        return (
            f"line {self.line_no} of {self.command!r} cannot be read: {_shown(self.line)!r}, "
            f"expected {self.expected}"
        )

    def report(self) -> str:
        """The place, the line, and under the part that does not read a marker with what was expected."""
        line = _shown(self.line)
        part = _shown(self.near) or line
        start = max(0, line.find(part))
        marker = " " * start + "~" * max(0, len(part) - 1) + "^"
        place = f"line {self.line_no} of {self.command!r} cannot be read:"
        return f"{place}\n    {line}\n    {marker} expected {self.expected}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateMistake:
    """One mistake in a template of the user's; ``line`` counts from 1, 0 means the file or folder as a whole.

    ``field`` is the value of a ``.textfsm``, the group or variable of a ``.ttp``, empty where it is about none::

        templates/ios/show_crypto_isakmp_sa.textfsm:9: STAT: found an unknown field (did you mean 'STATE'?), accepted: ...
    """

    file: str
    line: int
    field: str
    found: str
    accepted: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        field = f" {self.field}:" if self.field else ""
        return f"{where}:{field} found {self.found}, accepted: {self.accepted}"


class TemplatesRefused(ValueError):
    """A folder of templates cannot be used; ``mistakes`` holds all that is wrong, by file and line."""

    def __init__(self, folder: Path, mistakes: Iterable[TemplateMistake]) -> None:
        self.folder = folder
        self.mistakes = tuple(sorted(mistakes, key=lambda one: (one.file, one.line, one.field)))
        super().__init__(folder, self.mistakes)

    def __str__(self) -> str:
        return "\n".join(str(mistake) for mistake in self.mistakes)
