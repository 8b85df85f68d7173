"""The account of a template's run as textfsm's own hooks tell it: slow, short, and what ours is held against."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence

import textfsm

from ipsecmon_parsers.compiled_textfsm import Account

__all__ = ["Accountant"]

_LONGEST_LINE = 4096


class Accountant(textfsm.TextFSM):
    """A TextFSM that notes which lines made which rows; the overridden methods are textfsm's own hooks."""

    def __init__(self, template: str) -> None:
        super().__init__(io.StringIO(template))
        self._filldown = {v.name for v in self.values if "Filldown" in v.OptionNames()}
        self._start()

    def _start(self) -> None:
        self.Reset()
        self._unmatched: list[int] = []
        self._overwriting: list[int] = []
        self._dropped: list[int] = []
        self._assigned: dict[str, str | None] = {}
        self._line_no = 0
        self._matched = False
        self._first_line = 0
        self._spans: list[tuple[int, int]] = []

    def account(self, lines: Sequence[str]) -> Account:
        """Blank lines are not shown to the rules."""
        self._start()
        for number, line in enumerate(lines, start=1):
            if line and not line.isspace():
                self._line_no = number
                self._CheckLine(line)
                if self._cur_state_name in ("End", "EOF"):
                    break
        self._line_no = len(lines)
        rows = self.ParseText("")
        if not any("Fillup" in value.OptionNames() for value in self.values):
            return Account(
                [tuple(row) for row in rows],
                self._spans,
                self._unmatched,
                self._dropped,
                self._overwriting,
            )
        return Account(rows, self._spans, self._unmatched, self._dropped, self._overwriting)

    def _CheckLine(self, line: str) -> None:  # noqa: N802 # textfsm's name
        self._matched = False
        if len(line) <= _LONGEST_LINE:
            super()._CheckLine(line)
        if not self._matched:
            self._unmatched.append(self._line_no)

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
            self._overwriting.append(self._line_no)
        super()._AssignVar(matched, value)

    def _AppendRecord(self) -> None:  # noqa: N802 # textfsm's name
        before = len(self._result)
        super()._AppendRecord()
        is_kept = len(self._result) > before
        if not is_kept and self._assigned.keys() - self._filldown:
            self._dropped.append(self._first_line)
        if is_kept:
            self._spans.append((self._first_line or self._line_no, self._line_no))
        self._assigned.clear()
        self._first_line = 0
