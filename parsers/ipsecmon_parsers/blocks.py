"""Several rows of a template that together describe one thing, and the question whether a text was cut.

The IKE and session commands print blocks with parts that repeat (child SAs, subnets, flows); a template makes one
row of each part, and a ``Block`` reads the rows of one thing as if they were one.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from ipsecmon_parsers.engines import Row, Table
from ipsecmon_parsers.errors import ParseError

__all__ = ["Block", "ends_inside_a_line", "refuse_a_cut_line"]

_Value = TypeVar("_Value")


@dataclass(slots=True)
class Block:
    """The rows of one thing, in the order of the text; the methods are those of ``Row``."""

    rows: list[Row] = field(default_factory=list[Row])

    def _row(self, name: str) -> Row:
        return next((row for row in self.rows if row.text(name)), self.rows[0])

    def text(self, name: str) -> str | None:
        return self._row(name).text(name)

    def number(self, name: str) -> int | None:
        return self._row(name).number(name)

    def value(self, name: str, read: Callable[[str], _Value]) -> _Value | None:
        return self._row(name).value(name, read)

    def required(self, name: str, expected: str) -> str:
        text = self.text(name)
        if text is None:
            raise self.error(expected)
        return text

    def required_number(self, name: str, expected: str) -> int:
        return int(self.required(name, expected))

    def having(self, name: str) -> list[Row]:
        """The rows that hold ``name``."""
        return [row for row in self.rows if row.text(name)]

    def error(self, expected: str, near: str = "") -> ParseError:
        """At the line no rule matched, if the block has one; else at its first."""
        suspect = next((row for row in self.rows if _has_unmatched(row)), self.rows[0])
        return suspect.error(expected, near=near)

    def once(self, *names: str) -> None:
        """Two values where there can be one: the line that opens the second thing was lost."""
        for name in names:
            if len(rows := self.having(name)) > 1:
                raise rows[1].error("the line that opens this part before it")

    def flag(self, name: str, true: str) -> bool | None:
        """Whether the captured word is ``true``, ``None`` where it is not printed."""
        text = self.text(name)
        return None if text is None else text.lower() == true.lower()


def _has_unmatched(row: Row) -> bool:
    unmatched = row.table.unmatched_lines
    at = bisect_left(unmatched, row.first_line)
    return at < len(unmatched) and unmatched[at] <= row.last_line


def ends_inside_a_line(table: Table, whole: re.Pattern[str]) -> bool:
    """The last line has no line end and does not end as ``whole`` describes.

    Its last word may then be a part of a longer one, 8640 of 86400, or not the last: ``crypto`` of ``crypto map``.
    """
    last = table.lines[-1]
    return not table.complete and bool(last.strip()) and whole.search(last) is None


def refuse_a_cut_line(table: Table, whole: re.Pattern[str], complete: str) -> None:
    """``Truncated`` where ``ends_inside_a_line``."""
    if ends_inside_a_line(table, whole):
        raise table.truncated("the rest of the last line, or its line end", complete)
