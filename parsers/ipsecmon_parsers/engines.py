"""Runs the template engines and hands on what they read; the only file that knows ttp.

Beside rows and sections it keeps an account: which lines no rule of the template matched, and from which lines
each value was made, so that an error can name its line and nothing is lost in silence.

TextFSM reads tables and listings line by line (``.textfsm``); ``compiled_textfsm`` runs it and keeps the account.
TTP reads configurations, text whose blocks are told by indentation (``.ttp``). TTP searches every rule over the whole text and puts the finds together by their
position. It neither says which lines it used nor sees where a block ends: below a heading no rule knows, it
gives the lines to the block before. Two measures make it exact, and neither changes what a template means:

* TTP searches through ``_NumberedPattern`` s, so that every value it captures is a ``_Placed`` text, which knows
  its line. The lines of the values that arrive in the result are the lines that were consumed. A line without a
  value in the result counts as not matched, whatever happened to it.
* Each group of a template searches only the blocks whose heading it knows. A heading no rule matches is taken out
  with all that is indented below it, and a value from outside the block of its section is refused afterwards.

What this asks of a ``.ttp`` template: every line captures a variable; every group name ends in ``*``; no
functions, only ``re``, ``_start_`` and ``_exact_`` (functions of ttp are shared between threads and make new
texts); ``_exact_`` on lines with a digit, since ttp takes a digit of a template for any number. Groups begin at lines
that are not indented, and a level below is indented by as much in the template as in the text.
"""

from __future__ import annotations

import re
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from operator import itemgetter
from typing import Any, TypeVar

from ttp import ttp

from ipsecmon_parsers.clean import CleanText
from ipsecmon_parsers.compiled_textfsm import CompiledTemplate
from ipsecmon_parsers.errors import ParseError, ParserError, Truncated

# No output has longer lines; nothing is gained, and much time lost, by matching rules against a megabyte.
_LONGEST_LINE = 4096

__all__ = ["Row", "Section", "Table", "run_template", "run_textfsm", "run_ttp"]

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a template: values by name, and the lines it was read from (counted from 1)."""

    table: Table
    values: Sequence[str]
    first_line: int
    last_line: int

    def text(self, name: str) -> str | None:
        """What the template captured; ``None`` where the device did not print it or the template does not know it."""
        column = self.table.columns.get(name)
        return None if column is None else self.values[column] or None

    def number(self, name: str) -> int | None:
        """A captured run of digits."""
        text = self.text(name)
        return int(text) if text else None

    def value(self, name: str, read: Callable[[str], _Value]) -> _Value | None:
        """A captured token as ``read`` understands it; what it does not understand is a ``ParseError``."""
        text = self.text(name)
        if text is None:
            return None
        try:
            return read(text)
        except ValueError as error:
            raise self.error(str(error), near=text) from error

    def required(self, name: str, expected: str, near: str = "") -> str:
        """A token without which the row means nothing."""
        text = self.text(name)
        if text is None:
            raise self.error(expected, near=near)
        return text

    def error(self, expected: str, near: str = "") -> ParseError:
        """A ``ParseError`` at the line of this row that holds ``near``, or that no rule matched."""
        span = range(self.first_line, self.last_line + 1)
        lines = self.table.lines
        suspects = [n for n in span if near and near in lines[n - 1]]
        suspects += [n for n in self.table.unmatched_lines if n in span]
        line_no = suspects[0] if suspects else self.first_line
        return ParseError(self.table.command, line_no, lines[line_no - 1], expected, near)


@dataclass(frozen=True, slots=True)
class Section:
    """One group of a TTP template: the values of its lines by name, and the sections below it."""

    table: Table
    values: Mapping[str, _Placed]
    below: Mapping[str, Sequence[Section]]
    first_line: int

    def text(self, name: str) -> str | None:
        """What the template captured, ``None`` where the device did not print it."""
        value = self.values.get(name)
        return str(value) if value else None

    def value(self, name: str, read: Callable[[str], _Value]) -> _Value | None:
        """A captured text as ``read`` understands it; what it does not understand is a ``ParseError``."""
        text = self.text(name)
        if text is None:
            return None
        try:
            return read(text)
        except ValueError as error:
            raise self.error(name, str(error)) from error

    def number(self, name: str) -> int | None:
        """A captured run of digits."""
        return self.value(name, _number)

    def required(self, name: str, expected: str) -> str:
        """A text without which the section means nothing."""
        text = self.text(name)
        if text is None:
            raise self.error(name, expected)
        return text

    def sections(self, name: str) -> Sequence[Section]:
        """The sections of the group ``name`` below this one, in the order of the text."""
        return self.below.get(name, ())

    def error(self, name: str, expected: str) -> ParseError:
        """A ``ParseError`` at the line the value ``name`` was read from."""
        value = self.values.get(name)
        line_no = value.line_no if value else self.first_line
        line = self.table.lines[line_no - 1]
        return ParseError(self.table.command, line_no, line, expected, str(value or ""))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError("a number")
    return int(text)


class Table:
    """What one template made of one text: rows of a ``.textfsm``, sections by group of a ``.ttp``."""

    __slots__ = (
        "columns",
        "command",
        "complete",
        "dropped_lines",
        "lines",
        "overwriting_lines",
        "rows",
        "sections",
        "unmatched_lines",
    )

    def __init__(
        self, command: str, text: CleanText, complete: bool, header: Sequence[str]
    ) -> None:
        self.command = command
        self.lines = text.text.split("\n")
        self.complete = complete or text.ends_with_prompt
        """The device is known to have finished: the prompt came after the answer."""
        self.columns = {name: index for index, name in enumerate(header)}
        self.rows: list[Row] = []
        self.sections: dict[str, list[Section]] = {}
        self.unmatched_lines: list[int] = []
        self.dropped_lines: list[int] = []
        """First lines of rows that lack their Required value: understood, but belonging to nothing."""
        self.overwriting_lines: list[int] = []
        """Lines that gave a value of a row a second time, and another one."""

    @property
    def last_line(self) -> int:
        """Number of the last line that says anything, 0 where none does."""
        return next((n for n in range(len(self.lines), 0, -1) if self.lines[n - 1].strip()), 0)

    @property
    def has_no_match(self) -> bool:
        """Something was said, and not one line of it was understood."""
        return bool(self.unmatched_lines) and len(self.unmatched_lines) == sum(
            1 for line in self.lines if line.strip()
        )

    @property
    def is_understood(self) -> bool:
        """At least one line of the text was understood."""
        return not self.has_no_match and self.last_line > 0

    def picker(self, names: Sequence[str]) -> Callable[[Row], tuple[str, ...]]:
        """Reads several columns of a row at once; empty where nothing was captured or the template has no such column."""
        indexes = [self.columns.get(name) for name in names]
        known = [index for index in indexes if index is not None]
        if len(known) == len(indexes) > 1:
            pick: Callable[[Sequence[str]], tuple[str, ...]] = itemgetter(*known)
            return lambda row: pick(row.values)
        return lambda row: tuple("" if index is None else row.values[index] for index in indexes)

    def foreign(self) -> ParserError:
        """The text is the answer to something else."""
        line_no = self.unmatched_lines[0]
        expected = (
            f"the output of {self.command!r}; is it another command's, or another platform's?"
        )
        return ParseError(self.command, line_no, self.lines[line_no - 1], expected)

    def truncated(self, expected: str, complete: str) -> ParserError:
        """The text ends too early."""
        line_no = self.last_line
        line = self.lines[line_no - 1] if line_no else ""
        return Truncated(self.command, line_no, line, expected, complete)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)


def run_template(template: str, command: str, text: CleanText, complete: bool) -> Table:
    """Run a template with the engine its suffix names."""
    if template.endswith(".ttp"):
        return run_ttp(template, command, text, complete)
    return run_textfsm(template, command, text, complete)


def run_textfsm(template: str, command: str, text: CleanText, complete: bool) -> Table:
    """Run the TextFSM template ``template`` (a path below ``templates/``) over a cleaned text."""
    machine = _compiled_textfsm(template)
    table = Table(command, text, complete, machine.header)
    account = machine.account(text.text, longest_line=_LONGEST_LINE)
    table.rows = [
        Row(table, values, first_line, last_line)
        for values, (first_line, last_line) in zip(account.rows, account.spans, strict=True)
    ]
    table.unmatched_lines = account.unmatched
    table.overwriting_lines = account.overwriting
    table.dropped_lines = account.dropped
    return table


@lru_cache
def _compiled_textfsm(template: str) -> CompiledTemplate:
    return CompiledTemplate(_template_text(template))


@lru_cache
def _template_text(template: str) -> str:
    return (
        resources.files("ipsecmon_parsers")
        .joinpath("templates", template)
        .read_text(encoding="utf-8")
    )


def run_ttp(template: str, command: str, text: CleanText, complete: bool) -> Table:
    """Run the TTP template ``template`` (a path below ``templates/``) over a cleaned text.

    Every line that says anything either gave a value to a section or is among ``unmatched_lines``.
    """
    table = Table(command, text, complete, ())
    blocks = _Blocks(table.lines)
    groups = _compiled(template).groups(table.lines, blocks)
    consumed: set[int] = set()
    for name, found in groups.items():
        table.sections[name] = [
            section
            for group in found
            if (section := _section(table, group, blocks, 1, len(table.lines), consumed))
        ]
    table.unmatched_lines = [
        line_no
        for line_no, line in enumerate(table.lines, 1)
        if line_no not in consumed and line.strip()
    ]
    return table


def _section(
    table: Table,
    group: Mapping[str, Any],
    blocks: _Blocks,
    first_line: int,
    last_line: int,
    consumed: set[int],
) -> Section | None:
    """A group as TTP built it, without what does not lie between the two lines; ``None`` if that is its heading."""
    values = {name: value for name, value in group.items() if isinstance(value, _Placed)}
    heading = min((value.line_no for value in values.values()), default=0)
    if not first_line <= heading <= last_line:
        return None
    last_line = min(last_line, blocks.last_lines[heading - 1])
    values = {name: value for name, value in values.items() if value.line_no <= last_line}
    consumed.update(value.line_no for value in values.values())
    below = {
        name: [
            section
            for item in items
            if (section := _section(table, item, blocks, heading, last_line, consumed))
        ]
        for name, items in group.items()
        if not isinstance(items, _Placed)
    }
    return Section(table, values, below, heading)


class _Blocks:
    """Where the block of each line ends: at the last of the lines behind it that are indented deeper."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.last_lines = list(range(1, len(lines) + 1))
        opened: list[tuple[int, int]] = []
        last = 0
        for line_no, line in enumerate(lines, 1):
            if not (stripped := line.lstrip()):
                continue
            depth = len(line) - len(stripped)
            while opened and depth <= opened[-1][0]:
                self.last_lines[opened.pop()[1] - 1] = last
            opened.append((depth, line_no))
            last = line_no
        for _, line_no in opened:
            self.last_lines[line_no - 1] = last


class _Placed(str):
    """A captured text that knows the line it stands on."""

    __slots__ = ("line_no",)
    line_no: int


class _GroupText:
    """The lines one group of a template may read, one after the other, and where they stand in the whole text."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line_nos: list[int] = []
        self.text = ""
        self._line_ends: list[int] = []

    def add(self, lines: Sequence[str], first_line: int) -> None:
        self._lines.extend(lines)
        self._line_nos.extend(range(first_line, first_line + len(lines)))

    def join(self) -> None:
        self.text = "\n" + "\n".join(self._lines) + "\n\n"
        self._line_ends = [match.start() for match in re.finditer("\n", self.text)]

    def line_no(self, line_end: int) -> int:
        """The line that follows the line end at an offset."""
        return self._line_nos[bisect_left(self._line_ends, line_end)]


@dataclass(frozen=True, slots=True)
class _GroupTexts:
    """What TTP takes for its text. It only ever slices it, to search the slice."""

    texts: Sequence[_GroupText]

    def __getitem__(self, part: slice) -> _Window:
        return _Window(self.texts, part)


@dataclass(frozen=True, slots=True)
class _Window:
    texts: Sequence[_GroupText]
    part: slice


@dataclass(frozen=True, slots=True)
class _NumberedPattern:
    """Stands where ttp keeps a compiled expression; all of them begin with the line end before their line."""

    pattern: re.Pattern[str]
    group: int

    def finditer(self, window: _Window) -> Iterator[_NumberedMatch]:
        text = window.texts[self.group]
        start, end, _ = window.part.indices(len(text.text))
        for match in self.pattern.finditer(text.text, start, end):
            yield _NumberedMatch(match, text, start)


@dataclass(frozen=True, slots=True)
class _NumberedMatch:
    match: re.Match[str]
    text: _GroupText
    start: int

    def groupdict(self) -> dict[str, _Placed]:
        line_no = self.text.line_no(self.match.start())
        values: dict[str, _Placed] = {}
        for name, text in self.match.groupdict().items():
            values[name] = placed = _Placed(text)
            placed.line_no = line_no
        return values

    def span(self) -> tuple[int, int]:
        """Relative to the window, as a match in a slice would be."""
        return self.match.start() - self.start, self.match.end() - self.start


@dataclass(frozen=True, slots=True)
class _Rules:
    """The expressions of one group of a template: those that begin it, and all of them."""

    starts: Sequence[re.Pattern[str]]
    all: Sequence[re.Pattern[str]]


class _CompiledTemplate(ttp):
    """One TTP template; ttp keeps its state in the object, so that one thread at a time may use it."""

    def __init__(self, template: str) -> None:
        # CRITICAL: ttp warns where it may not write its cache of function names beside its own code
        super().__init__(template=template, log_level="CRITICAL")
        self._lock = threading.Lock()
        (root,) = self._templates
        self._rules = [
            _Rules([rule["REGEX"] for rule in group.start_re], _numbered(group, index))
            for index, group in enumerate(root.groups)
        ]

    def groups(self, lines: Sequence[str], blocks: _Blocks) -> dict[str, list[dict[str, Any]]]:
        """The groups TTP finds, each among the blocks whose heading it knows."""
        texts = [_GroupText() for _ in self._rules]
        line_no = 1
        while line_no <= len(lines):
            last_line = blocks.last_lines[line_no - 1]
            if lines[line_no - 1]:
                heading = f"\n{lines[line_no - 1]}\n"
                for rules, text in zip(self._rules, texts, strict=True):
                    if any(pattern.match(heading) for pattern in rules.starts):
                        text.add(_known_lines(lines, line_no, last_line, blocks, rules), line_no)
            line_no = last_line + 1
        for text in texts:
            text.join()
        with self._lock:
            try:
                self.set_input(_GroupTexts(texts))
                self.parse(one=True)
                found = self.result(structure="flat_list")
            finally:
                self.clear_input()
                self.clear_result()
        return dict(found[0]) if found else {}


def _numbered(group: Any, index: int) -> list[re.Pattern[str]]:
    """Make the expressions of a ttp group and of those below it number their finds; returns the expressions."""
    patterns: list[re.Pattern[str]] = []
    for rule in (*group.start_re, *group.end_re, *group.re):
        patterns.append(rule["REGEX"])
        rule["REGEX"] = _NumberedPattern(rule["REGEX"], index)
    for child in group.children:
        patterns += _numbered(child, index)
    return patterns


def _known_lines(
    lines: Sequence[str], first_line: int, last_line: int, blocks: _Blocks, rules: _Rules
) -> list[str]:
    """The lines of a block, blank below the headings inside it that no rule knows."""
    known = list(lines[first_line - 1 : last_line])
    for line_no in range(first_line + 1, last_line + 1):
        end = blocks.last_lines[line_no - 1]
        if end > line_no and not any(p.match(f"\n{lines[line_no - 1]}\n") for p in rules.all):
            known[line_no - first_line : end - first_line + 1] = [""] * (end - line_no + 1)
    return known


@lru_cache
def _compiled(template: str) -> _CompiledTemplate:
    return _CompiledTemplate(_template_text(template))
