"""Runs the template engines and hands their rows on; the only file that knows textfsm.

Beside the rows it keeps an account: which lines no rule of the template matched, and from which lines each
row was made, so that an error can name its line and nothing is lost in silence.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import TypeVar

import textfsm

from ipsecmon_parsers.clean import CleanText
from ipsecmon_parsers.errors import ParseError, ParserError, Truncated

# No output has longer lines; nothing is gained, and much time lost, by matching rules against a megabyte.
_LONGEST_LINE = 4096

__all__ = ["Row", "Table", "run_textfsm"]

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


class Table:
    """What one template made of one text."""

    __slots__ = (
        "columns",
        "command",
        "complete",
        "dropped_lines",
        "lines",
        "overwriting_lines",
        "rows",
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


def run_textfsm(template: str, command: str, text: CleanText, complete: bool) -> Table:
    """Run the TextFSM template ``template`` (a path below ``templates/``) over a cleaned text."""
    machine = _Accountant(_template_text(template))
    table = Table(command, text, complete, machine.header)
    for values, first_line, last_line in machine.account(table.lines):
        table.rows.append(Row(table, values, first_line, last_line))
    table.unmatched_lines = machine.unmatched
    table.overwriting_lines = machine.overwriting
    table.dropped_lines = machine.dropped
    return table


@lru_cache
def _template_text(template: str) -> str:
    return (
        resources.files("ipsecmon_parsers")
        .joinpath("templates", template)
        .read_text(encoding="utf-8")
    )


class _Accountant(textfsm.TextFSM):
    """A TextFSM that notes which lines made which rows; the overridden methods are textfsm's own hooks."""

    def __init__(self, template: str) -> None:
        super().__init__(io.StringIO(template))
        self.unmatched: list[int] = []
        self.overwriting: list[int] = []
        self.dropped: list[int] = []
        self._filldown = {v.name for v in self.values if "Filldown" in v.OptionNames()}
        self._assigned: dict[str, str | None] = {}
        self._line_no = 0
        self._matched = False
        self._first_line = 0
        self._spans: list[tuple[int, int]] = []

    def account(self, lines: Sequence[str]) -> Iterator[tuple[list[str], int, int]]:
        """Rows with the first and last line of each."""
        rows = self._run(lines)
        for row, (first_line, last_line) in zip(rows, self._spans, strict=True):
            yield row, first_line, last_line

    def _run(self, lines: Sequence[str]) -> list[list[str]]:
        """``ParseText``, but blank lines cost nothing: none of our rules says anything about them."""
        for number, line in enumerate(lines, start=1):
            if line and not line.isspace():
                self._line_no = number
                self._CheckLine(line)
        self._line_no = len(lines)
        return self.ParseText("")

    def _CheckLine(self, line: str) -> None:  # noqa: N802 # textfsm's name
        self._matched = False
        if len(line) <= _LONGEST_LINE:
            super()._CheckLine(line)
        if not self._matched:
            self.unmatched.append(self._line_no)

    def _CheckRule(self, rule: textfsm.TextFSMRule, line: str) -> re.Match[str] | None:  # noqa: N802 # textfsm's name
        match = super()._CheckRule(rule, line)
        # a rule that only closes the row before ("-> Continue.Record") has not understood the line
        if match is not None and (rule.line_op != "Continue" or match.groupdict()):
            self._matched = True
        return match

    def _AssignVar(self, matched: re.Match[str], value: str) -> None:  # noqa: N802 # textfsm's name
        self._first_line = self._first_line or self._line_no
        text = matched[value]
        if text is not None and self._assigned.setdefault(value, text) != text:
            self.overwriting.append(self._line_no)
        super()._AssignVar(matched, value)

    def _AppendRecord(self) -> None:  # noqa: N802 # textfsm's name
        before = len(self._result)
        super()._AppendRecord()
        is_kept = len(self._result) > before
        if not is_kept and self._assigned.keys() - self._filldown:
            self.dropped.append(self._first_line)
        if is_kept:
            self._spans.append((self._first_line or self._line_no, self._line_no))
        self._assigned.clear()
        self._first_line = 0
