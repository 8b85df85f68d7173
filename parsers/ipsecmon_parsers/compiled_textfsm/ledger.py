"""The account of a run: which lines made which rows, and which lines came to nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ipsecmon_parsers.compiled_textfsm.program import Column, LineEnd, Rule

__all__ = ["Account", "Ledger", "filldown_names"]


@dataclass(frozen=True, slots=True)
class Account:
    """Rows and where they come from; lines are counted from 1.

    Blank lines are not shown to the rules and are in none of the lists.
    """

    rows: Sequence[Sequence[Any]]
    """Each a tuple, or a list where the template has Fillup."""
    spans: list[tuple[int, int]]
    """First and last line of each row."""
    unmatched: list[int]
    """Lines no rule matched, but for rules that capture nothing and go on with the line ("-> Continue.Record")."""
    dropped: list[int]
    """First lines of rows that lacked a Required value."""
    overwriting: list[int]
    """Lines that gave a value of a row a second time, and another one; once for each value."""


@dataclass(slots=True)
class Ledger:
    """What is noted while a text is read."""

    longest_line: int
    spans: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    unmatched: list[int] = field(default_factory=list[int])
    dropped: list[int] = field(default_factory=list[int])
    overwriting: list[int] = field(default_factory=list[int])
    first_line: int = 0
    """Where the current row began; 0: nothing was assigned since the last one."""
    assigned: dict[str, str] = field(default_factory=dict[str, str])
    """The texts of the current row by name, each the first of its name."""

    def note_match(self, rule: Rule, match: Any, line_no: int) -> bool:
        """Note what a match assigns; returns whether the line counts as matched by it."""
        names = rule.pattern.groupindex
        for name in names:
            self.first_line = self.first_line or line_no
            text = match[name]
            if text is not None and self.assigned.setdefault(name, text) != text:
                self.overwriting.append(line_no)
        return bool(names) or rule.line_end is not LineEnd.CONTINUE

    def note_save(self, was_kept: bool, line_no: int, filldown: frozenset[str]) -> None:
        """Note that a row was to be saved."""
        if was_kept:
            self.spans.append((self.first_line or line_no, line_no))
        elif self.assigned.keys() - filldown:
            self.dropped.append(self.first_line)
        self.assigned = {}
        self.first_line = 0


def filldown_names(columns: tuple[Column, ...]) -> frozenset[str]:
    """The names that alone do not make a row."""
    return frozenset(column.name for column in columns if column.is_filldown)
