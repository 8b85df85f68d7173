"""Runs a template over a text: along traces where they fit, line by line where they do not."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ipsecmon_parsers.compiled_textfsm.actions import (
    Cell,
    Row,
    make_clear,
    make_clear_all,
    make_save,
)
from ipsecmon_parsers.compiled_textfsm.dispatch import Dispatch
from ipsecmon_parsers.compiled_textfsm.learning import MOST_LINES, Learner, Node, Trace, Walk
from ipsecmon_parsers.compiled_textfsm.ledger import Ledger, filldown_names
from ipsecmon_parsers.compiled_textfsm.paths import BLANK, Path, Step
from ipsecmon_parsers.compiled_textfsm.program import LineEnd, Program, Record

__all__ = ["Machine", "Run"]


class Machine:
    """What all runs of one template share: functions and tables, and what is learnt."""

    def __init__(self, program: Program, trace_after: int) -> None:
        self.program = program
        self.save = make_save(program.columns, is_accounting=False)
        self.accounting_save = make_save(program.columns, is_accounting=True)
        self.clear = make_clear(program.columns)
        self.clear_all = make_clear_all(program.columns)
        self.dispatches = [Dispatch(state, program.columns) for state in program.states]
        self.filldown = filldown_names(program.columns)
        # an account does not show blank lines to the rules, so the same text takes other paths
        self.learner = Learner(program, is_accounting=False, trace_after=trace_after)
        self.accounting_learner = Learner(program, is_accounting=True, trace_after=trace_after)

    def run(self, text: str, last_line: int, ledger: Ledger | None = None) -> list[Row]:
        """The rows of a text whose lines end at line feeds and nowhere else, the last one included.

        With a ledger, blank lines and lines longer than it allows are not shown to the rules. ``last_line`` is the
        number of the line at which the account lets the text end.
        """
        run = Run(self, text, ledger)
        run.read()
        run.finish(last_line)
        return run.rows


class Run:
    """One text on its way through a machine. The state lives here, so that threads do not meet."""

    __slots__ = (
        "_end",
        "_fill",
        "_learner",
        "_ledger",
        "_line_no",
        "_lists",
        "_machine",
        "_node",
        "_position",
        "_row",
        "_state",
        "_stopped_in",
        "_text",
        "_walk",
        "rows",
    )

    def __init__(self, machine: Machine, text: str, ledger: Ledger | None) -> None:
        self._machine = machine
        self._text = text
        self._end = len(text)
        self._ledger = ledger
        self._learner = machine.learner if ledger is None else machine.accounting_learner
        width = len(machine.program.columns)
        self._fill: list[Cell] = [None] * width
        self._row: Row = [None] * width
        self._lists: list[Row] = [[] for _ in range(width)]
        self.rows: list[Row] = []
        self._state = machine.program.start
        self._stopped_in = ""
        self._position = 0
        self._line_no = 0
        self._node = self._learner.node(self._state, ())
        self._walk = Walk()

    def read(self) -> None:
        """Read the text up to its end, or to a rule that ends the reading."""
        while self._position < self._end and not self._stopped_in:
            node = self._node
            if node is not None and (node.loops or node.segments):
                self._follow_traces(node)
                if self._position >= self._end:
                    break
            self._read_lines()

    def finish(self, last_line: int) -> None:
        """Save the last row, as textfsm does at the end of a text unless the template says otherwise."""
        if self._stopped_in != "End" and self._machine.program.saves_at_end:
            self._line_no = last_line
            self._save()

    def _save(self) -> None:
        before = len(self.rows)
        if self._ledger is None:
            self._row = self._machine.save(self._row, self._fill, self._lists, self.rows)
            return
        self._row = self._machine.accounting_save(self._row, self._fill, self._lists, self.rows)
        kept = len(self.rows) > before
        self._ledger.note_save(kept, self._line_no, self._machine.filldown)

    def _follow_traces(self, node: Node) -> None:
        """Follow traces as long as one fits, then restore the state in which the line engine goes on."""
        end, rows, ledger = self._end, self.rows, self._ledger
        fill, lists = self._fill, self._lists
        position, line_no = self._position, self._line_no
        carried: tuple[Any, ...] = tuple([self._row[index] for index in node.carried])
        while position < end:
            found = self._fitting(node, position)
            if found is None:
                break
            trace, match = found
            after = match.end()
            if ledger is not None and self._has_long_line(position, after, ledger.longest_line):
                break
            trace.hits += 1
            line_no += trace.lines
            carried = trace.build(match.groups(), fill, lists, carried, rows, ledger, line_no)
            self._note_path(node, trace.path, position, after, trace.next_node)
            position = after
            node = trace.next_node
        if position > self._position:
            self._arrive(node, carried, position, line_no)

    def _fitting(self, node: Node, position: int) -> tuple[Trace, re.Match[str]] | None:
        """The first trace from ``node`` that fits, long ones before short ones."""
        for traces in (node.loops, node.segments):
            for trace in traces:
                match = trace.match(self._text, position)
                if match is not None:
                    if trace is not traces[0]:
                        self._learner.reorder(node, trace)
                    return trace, match
                trace.misses += 1
        return None

    def _has_long_line(self, start: int, end: int, longest: int) -> bool:
        """Whether a part of the text holds a line that may not be shown to the rules."""
        if end - start <= longest:
            return False
        return max(map(len, self._text[start:end].split("\n"))) > longest

    def _arrive(self, node: Node, carried: tuple[Any, ...], position: int, line_no: int) -> None:
        """Set the state to what it is behind the last line of a trace."""
        self._node = node
        self._state = node.state
        self._position = position
        self._line_no = line_no
        self._row = self._fill[:]
        for index, value in zip(node.carried, carried, strict=True):
            self._row[index] = value
        if self._ledger is not None:
            columns = self._machine.program.columns
            self._ledger.first_line = line_no if carried else 0
            self._ledger.assigned = {
                columns[index].name: value
                for index, value in zip(node.carried, carried, strict=True)
                if value is not None
            }

    def _read_lines(self) -> None:
        """Read line by line, up to and with a line on which a row was saved or cleared."""
        text, end, ledger, fill, lists = (
            self._text,
            self._end,
            self._ledger,
            self._fill,
            self._lists,
        )
        dispatches = self._machine.dispatches
        dispatch = dispatches[self._state]
        start = position = self._position
        steps: list[Step] = []
        carried: list[int] = []
        is_row_ended = is_node = False
        while position < end and not is_row_ended:
            line_end = text.find("\n", position)
            line = text[position:line_end]
            position = line_end + 1
            self._line_no += 1
            stripped = line.lstrip()
            is_matched = True
            if ledger is not None:
                if not stripped:
                    if len(steps) <= MOST_LINES:
                        steps.append(BLANK)
                    continue
                if len(line) > ledger.longest_line:
                    ledger.unmatched.append(self._line_no)
                    steps.clear()
                    start = -1
                    continue
                is_matched = False
            step = dispatch.no_match
            for attempt in dispatch.candidates(stripped):
                match = attempt.match(line)
                if match is None:
                    continue
                rule = attempt.rule
                if ledger is not None and ledger.note_match(rule, match, self._line_no):
                    is_matched = True
                if attempt.assign is not None:
                    attempt.assign(match, self._row, fill, lists, self.rows)
                if attempt.is_plain and not is_row_ended:
                    step = attempt.step if len(step) == 1 else step + rule.step
                    break
                step = step + rule.step
                if is_row_ended:
                    carried += [column.index for column, _ in rule.captures]
                    is_node = is_node and not rule.has_foreign_groups
                if rule.record is not Record.KEEP_ON:
                    is_row_ended = True
                    carried = []
                    # for an account a row that is only cleared goes on: it keeps its first line
                    is_node = ledger is None or rule.record is Record.SAVE
                    self._end_row(rule.record)
                if rule.line_end is LineEnd.CONTINUE:
                    continue
                if rule.line_end is LineEnd.ERROR:
                    raise rule.error(line)
                if rule.line_end is LineEnd.STOP:
                    self._stopped_in = rule.new_state
                    self._position = end
                    return
                if rule.new_state:
                    self._state = self._machine.program.state_numbers[rule.new_state]
                    dispatch = dispatches[self._state]
                break
            if not is_matched and ledger is not None:
                ledger.unmatched.append(self._line_no)
            if len(steps) <= MOST_LINES:
                steps.append(step)
        self._position = position
        if is_row_ended:
            # an account of what a name beside the Values, or a Value twice, was given is not carried along a trace
            is_node = ledger is None or (is_node and len(set(carried)) == len(carried))
            self._leave(start, tuple(steps), carried if is_node else None)

    def _end_row(self, record: Record) -> None:
        match record:
            case Record.SAVE:
                self._save()
            case Record.CLEAR:
                self._row = self._machine.clear(self._fill, self._lists)
            case Record.CLEAR_ALL:
                self._row = self._machine.clear_all(self._fill, self._lists)
            case Record.KEEP_ON:
                pass

    def _leave(self, start: int, path: Path, carried: Iterable[int] | None) -> None:
        """A row has ended: the path from the node before to this one is known."""
        node, next_node = self._node, None
        if carried is not None:
            next_node = self._learner.node(self._state, dict.fromkeys(carried))
        self._node = next_node
        if node is None or next_node is None or start < 0 or len(path) > MOST_LINES:
            self._walk.clear()
            return
        self._learner.learn(
            node, path, self._text[start : self._position - 1], next_node, is_loop=False
        )
        self._note_path(node, path, start, self._position, next_node)

    def _note_path(self, node: Node, path: Path, start: int, end: int, next_node: Node) -> None:
        self._walk.add(node, path, start)
        loop = self._walk.loop_to(next_node)
        if loop is not None:
            whole, loop_start = loop
            lines = self._text[loop_start : end - 1]
            self._learner.learn(next_node, whole, lines, next_node, is_loop=True)
