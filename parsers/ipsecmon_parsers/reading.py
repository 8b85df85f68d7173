"""Reads everything that can be read in a session log: each answer by itself, whatever the others are.

An answer that is cut or refused is an ``Outcome`` with its error and takes nothing from the others. All line numbers,
those in errors too, are those of the whole text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ipsecmon_parsers.clean import clean, is_same_command, shown
from ipsecmon_parsers.documents import Json
from ipsecmon_parsers.errors import (
    CommandRefused,
    Filtered,
    NotRecognised,
    ParseError,
    ParserError,
    Truncated,
    UnknownCommand,
)
from ipsecmon_parsers.guess import Guess, guess
from ipsecmon_parsers.records import Platform
from ipsecmon_parsers.redaction import hide_secrets
from ipsecmon_parsers.registry import BUILT_IN, ParseResult, Registry, Source
from ipsecmon_parsers.session_log import Answer, answers

__all__ = ["LogReading", "OtherCommand", "Outcome", "error_document", "read_log"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One answer of the log: ``result``, or the ``error`` that stands for it.

    ``platform`` and ``command`` are ``None`` where they could not be told; ``reasons`` say what they were told from.
    ``answer`` is the text they were read from.
    """

    answer: Answer
    platform: Platform | None
    command: str | None
    reasons: tuple[str, ...]
    result: ParseResult | None
    error: ParserError | None

    def document(self) -> dict[str, Json]:
        """The JSON form of the result; of an error ``{"platform", "command", "error": {"kind", "message", ...}}``."""
        if self.result is not None:
            return self.result.document()
        if self.error is None:
            raise ValueError("an outcome is a result or an error")
        return {
            "platform": self.platform.value if self.platform else None,
            "command": self.command or self.answer.command,
            "error": error_document(self.error),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherCommand:
    """A command of the log that prints nothing we read, keys hidden; ``None`` for lines below no command at all."""

    command: str | None
    line_no: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogReading:
    """What a log holds, in its order."""

    outcomes: tuple[Outcome, ...]
    others: tuple[OtherCommand, ...]

    @property
    def results(self) -> tuple[ParseResult, ...]:
        """The results without the errors."""
        return tuple(one.result for one in self.outcomes if one.result is not None)

    @property
    def errors(self) -> tuple[Outcome, ...]:
        """The outcomes that are errors."""
        return tuple(one for one in self.outcomes if one.error is not None)


def error_document(error: ParserError) -> dict[str, Json]:
    """``{"kind": "Truncated", "message": ..., "line_no": 24, "line": ..., "expected": ...}``, as far as it has them."""
    document: dict[str, Json] = {"kind": type(error).__name__, "message": str(error)}
    for name in ("line_no", "line", "expected"):
        value = getattr(error, name, None)
        if value:
            document[name] = value
    return document


def read_log(
    text: str,
    *,
    platform: Platform | None = None,
    command: str | None = None,
    complete: bool = False,
    registry: Registry = BUILT_IN,
) -> LogReading:
    """The outcomes of all answers in ``text``; with ``command`` only those of the answers to it.

    ``complete`` is somebody's word that every answer is whole, for texts without a prompt at their end. Raises ``UnknownCommand`` where ``command`` cannot be
    read, and whatever ``guess`` raises where its platform cannot be told.
    """
    if command is not None:
        return _read_one(text, command, platform, complete, registry)
    found = answers(text)
    if not found:
        error = NotRecognised("", "there is nothing to read", "give the output of a show command")
        nothing = Answer(command=None, host=None, first_line=1, text="", complete=False)
        return LogReading(outcomes=(_failed(nothing, platform, error),), others=())
    outcomes: list[Outcome] = []
    others: list[OtherCommand] = []
    for answer, guessed in zip(found, _guesses(found, platform, registry), strict=True):
        is_other = isinstance(guessed, UnknownCommand) or (
            isinstance(guessed, NotRecognised) and len(found) > 1
        )
        if is_other:
            typed = None if answer.command is None else hide_secrets(answer.command)
            others.append(OtherCommand(command=typed, line_no=answer.first_line))
        elif isinstance(guessed, Guess):
            whole = replace(answer, complete=answer.complete or complete)
            outcomes.append(_outcome(whole, guessed, registry))
        else:
            outcomes.append(_failed(answer, platform, guessed))
    return LogReading(outcomes=tuple(outcomes), others=tuple(others))


def _guesses(
    found: Sequence[Answer], platform: Platform | None, registry: Registry
) -> list[Guess | NotRecognised | Filtered | UnknownCommand]:
    """One for each answer; what one output of a device shows of its platform holds for its others."""
    many = len(found) > 1
    guesses = [_guess(answer, platform, None, registry, is_one_of_many=many) for answer in found]
    of_hosts: dict[str | None, Platform] = {}
    for answer, guessed in zip(found, guesses, strict=True):
        if not isinstance(guessed, Guess) or not guessed.tells_platform:
            continue
        if of_hosts.get(answer.host) is not Platform.IOSXE:
            of_hosts[answer.host] = guessed.platform
    return [
        _guess(answer, platform, of_hosts.get(answer.host), registry, is_one_of_many=many)
        if isinstance(guessed, Guess)
        else guessed
        for answer, guessed in zip(found, guesses, strict=True)
    ]


def _guess(
    answer: Answer,
    platform: Platform | None,
    of_host: Platform | None,
    registry: Registry,
    *,
    is_one_of_many: bool,
) -> Guess | NotRecognised | Filtered | UnknownCommand:
    try:
        text = shown(answer.text)
        return guess(
            text,
            answer.command,
            platform,
            of_host=of_host,
            needs_mark=is_one_of_many,
            registry=registry,
        )
    except (NotRecognised, Filtered, UnknownCommand) as error:
        return error


def _outcome(answer: Answer, guessed: Guess, registry: Registry) -> Outcome:
    offset = answer.first_line - 1
    result: ParseResult | None = None
    failure: ParserError | None = None
    try:
        result = registry.parse(
            guessed.platform, guessed.command, answer.text, complete=answer.complete
        )
    except ParserError as error:
        failure = error
        if isinstance(error, (CommandRefused, ParseError, Truncated)) and error.line_no:
            error.line_no += offset
    return Outcome(
        answer=answer,
        platform=guessed.platform,
        command=guessed.command,
        reasons=guessed.reasons,
        result=None if result is None else _moved(result, offset),
        error=failure,
    )


def _moved(result: ParseResult, offset: int) -> ParseResult:
    return replace(
        result,
        unparsed_lines=tuple(
            replace(line, line_no=line.line_no + offset) for line in result.unparsed_lines
        ),
        sources=tuple(
            Source(first_line=one.first_line + offset, last_line=one.last_line + offset)
            for one in result.sources
        ),
    )


def _failed(answer: Answer, platform: Platform | None, error: ParserError) -> Outcome:
    return Outcome(
        answer=answer, platform=platform, command=None, reasons=(), result=None, error=error
    )


def _read_one(
    text: str, command: str, platform: Platform | None, complete: bool, registry: Registry
) -> LogReading:
    """Every answer to ``command`` where it was typed more than once, or the whole text where nobody typed it."""
    typed = [one for one in answers(text) if one.command and is_same_command(one.command, command)]
    if len(typed) > 1:
        guesses = [_guess(one, platform, None, registry, is_one_of_many=True) for one in typed]
        return LogReading(
            outcomes=tuple(
                _outcome(replace(one, complete=one.complete or complete), guessed, registry)
                if isinstance(guessed, Guess)
                else _failed(one, platform, guessed)
                for one, guessed in zip(typed, guesses, strict=True)
            ),
            others=(),
        )
    cleaned = clean(text, command)
    answer = Answer(command=command, host=None, first_line=1, text=cleaned.text, complete=complete)
    if platform is not None:
        guessed = Guess(platform=platform, command=command, reasons=())
    else:
        guessed = guess(cleaned.text, command, registry=registry)
    outcome = _outcome(replace(answer, text=text), guessed, registry)
    if isinstance(outcome.error, UnknownCommand):
        raise outcome.error
    return LogReading(outcomes=(replace(outcome, answer=answer),), others=())
