"""A TextFSM template as the engine runs it: textfsm has read it, this file keeps what matters of it.

textfsm resolves ``${Var}``, checks options, actions and states, and compiles the expression of each rule. Nothing
of that is done again here.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from pathlib import Path
from typing import TextIO

import textfsm

from ipsecmon_parsers.compiled_textfsm.automata import Automaton
from ipsecmon_parsers.compiled_textfsm.patterns import Node, Opaque, tree

__all__ = ["Column", "LineEnd", "Program", "Record", "Rule", "State", "read_template"]


class Record(IntEnum):
    """What a rule does with the row."""

    KEEP_ON = 0
    SAVE = 1
    CLEAR = 2
    CLEAR_ALL = 3


class LineEnd(IntEnum):
    """What a rule does with the line it matched."""

    NEXT = 0
    CONTINUE = 1
    ERROR = 2
    STOP = 3
    """The states End and EOF: no further line is read."""


@dataclass(frozen=True, slots=True)
class Column:
    """One Value: its options in the order of the template, and the expression by which a List takes items apart."""

    index: int
    name: str
    options: tuple[str, ...]
    nested: re.Pattern[str] | None

    @property
    def is_list(self) -> bool:
        return "List" in self.options

    @property
    def is_filldown(self) -> bool:
        return "Filldown" in self.options

    @property
    def is_fillup(self) -> bool:
        return "Fillup" in self.options


@dataclass(frozen=True)
class Rule:
    """One rule. ``captures``: which group goes to which column, in the order in which textfsm assigns them."""

    state: int
    place: int
    line_no: int
    pattern: re.Pattern[str]
    record: Record
    line_end: LineEnd
    new_state: str
    captures: tuple[tuple[Column, int], ...]

    @cached_property
    def tree(self) -> Node:
        try:
            return tree(self.pattern)
        except RecursionError:
            return Opaque("it is nested too deeply")

    @cached_property
    def automaton(self) -> Automaton:
        return Automaton(self.tree)

    @cached_property
    def step(self) -> tuple[int, ...]:
        """What a match of this rule adds to a step of a path (see ``paths``)."""
        return (self.place,)

    @property
    def has_foreign_groups(self) -> bool:
        """A named group that is no Value: inside the expression of a List, or written into a rule."""
        return len(self.pattern.groupindex) > len(self.captures)

    def error(self, line: str) -> textfsm.TextFSMError:
        """What textfsm raises where this rule says Error."""
        if self.new_state:
            return textfsm.TextFSMError(
                f"Error: {self.new_state}. Rule Line: {self.line_no}. Input Line: {line}."
            )
        return textfsm.TextFSMError(
            f"State Error raised. Rule Line: {self.line_no}. Input Line: {line}"
        )


@dataclass(frozen=True, slots=True)
class State:
    index: int
    name: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Program:
    columns: tuple[Column, ...]
    states: tuple[State, ...]
    start: int
    saves_at_end: bool
    """The last row is saved when the text ends; a template switches that off with an empty state EOF."""
    state_numbers: dict[str, int] = field(default_factory=dict[str, int])


def read_template(template: str | Path | TextIO) -> Program:
    """Have textfsm read a template: its text, the path of its file, or an open file."""
    if isinstance(template, Path):
        template = template.read_text(encoding="utf-8")
    source = io.StringIO(template) if isinstance(template, str) else template
    machine = textfsm.TextFSM(source)
    columns = tuple(_column(index, value) for index, value in enumerate(machine.values))
    by_name = {column.name: column for column in columns}
    numbers = {name: index for index, name in enumerate(machine.states)}
    states = tuple(
        State(
            index,
            name,
            tuple(_rule(index, place, rule, by_name) for place, rule in enumerate(rules)),
        )
        for index, (name, rules) in enumerate(machine.states.items())
    )
    return Program(columns, states, numbers["Start"], "EOF" not in numbers, numbers)


def _column(index: int, value: textfsm.TextFSMValue) -> Column:
    options = tuple(value.OptionNames())
    # textfsm takes the items of a List apart where its expression holds more than the outer group
    has_nested = "List" in options and value.compiled_regex.groups > 1
    return Column(index, value.name, options, value.compiled_regex if has_nested else None)


_RECORDS = {"Record": Record.SAVE, "Clear": Record.CLEAR, "Clearall": Record.CLEAR_ALL}


def _rule(state: int, place: int, rule: textfsm.TextFSMRule, by_name: dict[str, Column]) -> Rule:
    pattern = rule.regex_obj.regex
    return Rule(
        state=state,
        place=place,
        line_no=rule.line_num,
        pattern=pattern,
        record=_RECORDS.get(rule.record_op, Record.KEEP_ON),
        line_end=_line_end(rule),
        new_state=rule.new_state,
        captures=tuple(
            (by_name[name], group) for name, group in pattern.groupindex.items() if name in by_name
        ),
    )


def _line_end(rule: textfsm.TextFSMRule) -> LineEnd:
    if rule.line_op == "Error":
        return LineEnd.ERROR
    if rule.line_op == "Continue":
        return LineEnd.CONTINUE
    return LineEnd.STOP if rule.new_state in ("End", "EOF") else LineEnd.NEXT
