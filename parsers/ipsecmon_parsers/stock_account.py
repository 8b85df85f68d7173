"""Runs a template on textfsm itself and keeps the account of the run by textfsm's own hooks: short, slow, the reference.

A template of a user's may say things our own never say: a rule for blank lines, an end before the end of the text, a
line that is an error. Those run here, the rest on the compiled engine, whose account is held against this one.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence

import textfsm

from ipsecmon_parsers.compiled_textfsm import Account

__all__ = ["LineRefused", "StockAccount", "needs_stock"]


class LineRefused(Exception):
    """A rule that says ``Error`` matched a line of the text; ``rule_line`` is 0 where textfsm does not tell."""

    def __init__(self, line_no: int, rule_line: int) -> None:
        super().__init__(line_no, rule_line)
        self.line_no = line_no
        self.rule_line = rule_line


def needs_stock(template: str) -> bool:
    """Whether a template has a rule for blank lines, a rule that ends the reading, or one that refuses a line."""
    rules = [
        rule for state in textfsm.TextFSM(io.StringIO(template)).states.values() for rule in state
    ]
    return any(
        rule.regex_obj.match("") or rule.new_state in ("End", "EOF") or rule.line_op == "Error"
        for rule in rules
    )


class StockAccount:
    """A template and the account of a text; each text gets a machine of its own.

    ``as_compiled`` makes it the account of ``CompiledTemplate`` for every template: blank lines are never shown to the
    rules, and what stands behind an end is not listed.
    """

    def __init__(self, template: str, *, as_compiled: bool = False) -> None:
        self._template = template
        self._as_compiled = as_compiled
        self.header: list[str] = _Accountant(template, 0).header

    def account(self, text: str, *, longest_line: int = 4096) -> Account:
        """The account of ``text``; raises ``LineRefused``."""
        machine = _Accountant(self._template, longest_line)
        lines = text.split("\n")
        try:
            return machine.account(lines, as_compiled=self._as_compiled)
        except textfsm.TextFSMError as error:
            if self._as_compiled:
                raise
            rule = re.search(r"Rule Line: (\d+)", str(error))
            raise LineRefused(machine.line_no, int(rule[1]) if rule else 0) from None


class _Accountant(textfsm.TextFSM):
    """A TextFSM that notes which lines made which rows; the overridden methods are textfsm's own hooks."""

    def __init__(self, template: str, longest_line: int) -> None:
        super().__init__(io.StringIO(template))
        self.line_no = 0
        self._longest_line = longest_line
        self._unmatched: list[int] = []
        self._overwriting: list[int] = []
        self._dropped: list[int] = []
        rules = [rule for state in self.states.values() for rule in state]
        self._may_end = any(rule.new_state in ("End", "EOF") for rule in rules)
        self._reads_blank_lines = any(rule.regex_obj.match("") for rule in rules)
        self._has_fillup = any("Fillup" in value.OptionNames() for value in self.values)
        self._filldown = {v.name for v in self.values if "Filldown" in v.OptionNames()}
        self._assigned: dict[str, str | None] = {}
        self._matched = False
        self._first_line = 0
        self._spans: list[tuple[int, int]] = []

    def account(self, lines: Sequence[str], *, as_compiled: bool) -> Account:
        """``ParseText``, but blank lines are shown to the rules only where one says something about them."""
        reads_blank_lines = self._reads_blank_lines and not as_compiled
        # what follows the last line end is no line, unless something stands there
        for number, line in enumerate(lines if lines[-1] else lines[:-1], start=1):
            if reads_blank_lines or (line and not line.isspace()):
                self.line_no = number
                self._CheckLine(line)
                if self._may_end and self._cur_state_name in ("End", "EOF"):
                    if not as_compiled:
                        rest = enumerate(lines[number:], start=number + 1)
                        self._unmatched += [n for n, line in rest if line.strip()]
                    break
        self.line_no = len(lines)
        rows = self.ParseText("")
        return Account(
            rows if self._has_fillup else [tuple(row) for row in rows],
            self._spans,
            self._unmatched,
            self._dropped,
            self._overwriting,
        )

    def _CheckLine(self, line: str) -> None:  # noqa: N802 # textfsm's name
        self._matched = False
        if len(line) <= self._longest_line:
            super()._CheckLine(line)
        if not self._matched and line.strip():
            self._unmatched.append(self.line_no)

    def _CheckRule(self, rule: textfsm.TextFSMRule, line: str) -> re.Match[str] | None:  # noqa: N802 # textfsm's name
        match = super()._CheckRule(rule, line)
        # a rule that only closes the row before ("-> Continue.Record") has not understood the line
        if match is not None and (rule.line_op != "Continue" or match.groupdict()):
            self._matched = True
        return match

    def _AssignVar(self, matched: re.Match[str], value: str) -> None:  # noqa: N802 # textfsm's name
        self._first_line = self._first_line or self.line_no
        text = matched[value]
        if text is not None and self._assigned.setdefault(value, text) != text:
            self._overwriting.append(self.line_no)
        super()._AssignVar(matched, value)

    def _AppendRecord(self) -> None:  # noqa: N802 # textfsm's name
        before = len(self._result)
        super()._AppendRecord()
        is_kept = len(self._result) > before
        if not is_kept and self._assigned.keys() - self._filldown:
            self._dropped.append(self._first_line)
        if is_kept:
            self._spans.append((self._first_line or self.line_no, self.line_no))
        self._assigned.clear()
        self._first_line = 0
