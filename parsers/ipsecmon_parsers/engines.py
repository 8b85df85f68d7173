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

import io
import re
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import resources
from operator import itemgetter
from typing import Any, TypeVar

import textfsm
from ttp import ttp

from ipsecmon_parsers.clean import CleanText
from ipsecmon_parsers.compiled_textfsm import CompiledTemplate
from ipsecmon_parsers.errors import ParseError, ParserError, Truncated
from ipsecmon_parsers.stock_account import LineRefused, StockAccount, needs_stock

# No output has longer lines; nothing is gained, and much time lost, by matching rules against a megabyte.
_LONGEST_LINE = 4096

__all__ = [
    "BadTemplate",
    "Row",
    "Section",
    "Table",
    "Template",
    "built_in_template",
    "compile_template",
    "run_template",
    "run_textfsm",
    "run_ttp",
]

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Template:
    """The text of a template; the suffix of ``name`` says which engine reads it."""

    name: str
    text: str

    @cached_property
    def _ttp(self) -> _CompiledTtp:
        return _CompiledTtp(self.text)

    @cached_property
    def _machine(self) -> CompiledTemplate | StockAccount:
        return StockAccount(self.text) if needs_stock(self.text) else CompiledTemplate(self.text)

    def machine(self) -> CompiledTemplate | StockAccount:
        """The one place where the text of a TextFSM template becomes a machine; compiled once."""
        return self._machine

    def ttp(self) -> _CompiledTtp:
        """Compiled once, for as long as the template is kept."""
        return self._ttp


@lru_cache
def built_in_template(name: str) -> Template:
    """A template of this package, by its path below ``templates/``."""
    file = resources.files("ipsecmon_parsers").joinpath("templates", name)
    return Template(name, file.read_text(encoding="utf-8"))


class BadTemplate(ValueError):
    """An engine cannot compile a template; ``line_no`` is 0 where the engine does not say."""

    def __init__(self, line_no: int, message: str) -> None:
        super().__init__(line_no, message)
        self.line_no = line_no
        self.message = message


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
        """A captured run of digits; a template of the user's may capture something else, which is a ``ParseError``."""
        text = self.text(name)
        try:
            return int(text) if text else None
        except ValueError:
            raise self.error("a number", near=text or "") from None

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
        "last_line",
        "lines",
        "overwriting_lines",
        "rows",
        "sections",
        "sources",
        "unmatched_lines",
    )

    def __init__(
        self, command: str, text: CleanText, complete: bool, header: Sequence[str]
    ) -> None:
        self.command = command
        self.lines = text.text.split("\n")
        self.last_line = next(
            (n for n in range(len(self.lines), 0, -1) if self.lines[n - 1].strip()), 0
        )
        """Number of the last line that says anything, 0 where none does."""
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
        self.sources: list[tuple[int, Row | None]] = []
        """First line and last row of each record, in the order of the records: what builders say with ``made_of``."""

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

    def made_of(self, first: Row | Section, last: Row | None = None) -> None:
        """Say what the next record is made of; without ``last`` it goes to the beginning of the one behind it."""
        self.sources.append((first.first_line, last))

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


def run_template(template: str | Template, command: str, text: CleanText, complete: bool) -> Table:
    """Run a template with the engine its suffix names; a text names one of this package."""
    known = built_in_template(template) if isinstance(template, str) else template
    run = run_ttp if known.name.endswith(".ttp") else run_textfsm
    return run(known, command, text, complete)


def run_textfsm(template: Template, command: str, text: CleanText, complete: bool) -> Table:
    """Run a TextFSM template over a cleaned text; a rule that says ``Error`` makes a ``ParseError``."""
    machine = template.machine()
    table = Table(command, text, complete, machine.header)
    try:
        account = machine.account(text.text, longest_line=_LONGEST_LINE)
    except LineRefused as error:
        where = f" (the rule on its line {error.rule_line} says Error)" if error.rule_line else ""
        expected = f"a line that {template.name} does not refuse{where}"
        line = table.lines[error.line_no - 1]
        raise ParseError(command, error.line_no, line, expected) from None
    table.rows = [
        Row(table, values, first_line, last_line)
        for values, (first_line, last_line) in zip(account.rows, account.spans, strict=True)
    ]
    table.unmatched_lines = account.unmatched
    table.overwriting_lines = account.overwriting
    table.dropped_lines = account.dropped
    return table


def compile_template(template: Template) -> None:
    """Compile a template to see whether it can be; raises ``BadTemplate``."""
    if template.name.endswith(".ttp"):
        try:
            template.ttp()
        except Exception as error:
            raise BadTemplate(0, f"{type(error).__name__}: {error}") from error
        return
    lines = _CountedLines(template.text)
    try:
        # stock textfsm, whatever runs the template afterwards: it says what is wrong, mostly with the line
        textfsm.TextFSM(lines)
    except textfsm.TextFSMTemplateError as error:
        # "Invalid state name: 'x y'. Line: 7", "Unknown option "Lst" Line 3."
        line = re.search(r"\.?\s*Line:? (\d+)\.?$", str(error))
        message = str(error)[: line.start()] if line else str(error)
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, re.error):
            cause = cause.__cause__
        if cause is not None:
            message = f"not a regular expression: {cause.msg}"
        line_no = int(line[1]) if line else lines.line_no * message.startswith("No Value")
        raise BadTemplate(line_no, message) from None
    except IndexError:
        # "Value Filldown NAME" without an expression
        raise BadTemplate(lines.line_no, "") from None
    template.machine()


class _CountedLines(io.StringIO):
    """A text that knows how far it was read."""

    line_no: int = 0

    def __next__(self) -> str:  # type: ignore[override] # typeshed: StringIO itself overrides it so
        self.line_no += 1
        return super().__next__()


def run_ttp(template: Template, command: str, text: CleanText, complete: bool) -> Table:
    """Run a TTP template over a cleaned text.

    Every line that says anything either gave a value to a section or is among ``unmatched_lines``.
    """
    table = Table(command, text, complete, ())
    said = [n for n, line in enumerate(table.lines, 1) if line and not line.isspace()]
    if not said:
        return table
    blocks = _Blocks(table.lines, said)
    lines = [line if len(line) <= _LONGEST_LINE else "" for line in table.lines]
    groups = template.ttp().groups(lines, blocks)
    consumed: set[int] = set()
    for name, found in groups.items():
        table.sections[name] = [
            section
            for group in found
            if (section := _section(table, group, blocks, 1, len(table.lines), consumed))
        ]
    table.unmatched_lines = [line_no for line_no in said if line_no not in consumed]
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
    """Where the block of each line ends: at the last of the lines behind it that are indented deeper.

    ``said`` are the numbers of the lines that are not blank.
    """

    def __init__(self, lines: Sequence[str], said: Sequence[int]) -> None:
        self.said = said
        self.last_lines = list(range(1, len(lines) + 1))
        opened: list[tuple[int, int]] = []
        last = 0
        for line_no in said:
            line = lines[line_no - 1]
            depth = len(line) - len(line.lstrip())
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
            line_no = text.line_no(match.start())
            values: dict[str, _Placed] = {}
            for name, value in match.groupdict().items():
                values[name] = placed = _Placed(value)
                placed.line_no = line_no
            yield _NumberedMatch(values, match.start() - start, match.end() - start)


@dataclass(slots=True)
class _NumberedMatch:
    """What ttp asks of a match; the offsets are relative to the window, as those of a match in a slice would be."""

    values: dict[str, _Placed]
    start: int
    end: int

    def groupdict(self) -> dict[str, _Placed]:
        return self.values

    def span(self) -> tuple[int, int]:
        return self.start, self.end


@dataclass(frozen=True, slots=True)
class _Rules:
    """The expressions of one group of a template: those that begin it, and all of them."""

    starts: Sequence[re.Pattern[str]]
    all: Sequence[re.Pattern[str]]


class _CompiledTtp(ttp):
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
        last_line = 0
        for line_no in blocks.said:
            if line_no <= last_line:
                continue
            last_line = blocks.last_lines[line_no - 1]
            if not lines[line_no - 1]:
                continue
            heading = f"\n{lines[line_no - 1]}\n"
            for rules, text in zip(self._rules, texts, strict=True):
                if any(pattern.match(heading) for pattern in rules.starts):
                    text.add(_known_lines(lines, line_no, last_line, blocks, rules), line_no)
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
