"""Writes the function that makes the rows of a trace from the texts its expression captured.

The actions of the rules are run once, when the function is written, on *names* instead of texts: "this column now
holds capture 7", "this column falls back to what it had before the trace". What is left for run time is to put the
rows together and to ask what only the texts can tell, such as whether a Required value is empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeAlias

from ipsecmon_parsers.compiled_textfsm.actions import (
    assign_lines,
    clear_lists,
    compile_function,
    rows_change,
)
from ipsecmon_parsers.compiled_textfsm.paths import Build, Refused
from ipsecmon_parsers.compiled_textfsm.program import Column, Program, Record

__all__ = [
    "Assigned",
    "Captured",
    "Constant",
    "Event",
    "RowBuilder",
    "Saved",
    "Unmatched",
]


class Constant(NamedTuple):
    """A text known beforehand; ``None`` where nothing was assigned."""

    text: str | None


class Captured(NamedTuple):
    """Group ``number`` of the expression, counted from 0."""

    number: int
    is_certain: bool
    can_be_empty: bool


class _Before(NamedTuple):
    """What the column had before the trace: an element of ``fill`` or of ``carried``."""

    where: str


_Value: TypeAlias = Constant | Captured | _Before
_NOTHING = Constant(None)


class Assigned(NamedTuple):
    """A rule gave a value to a column, ``offset`` lines behind the first line of the trace."""

    offset: int
    column: Column
    value: Captured | Constant


class Saved(NamedTuple):
    """The row was saved or cleared."""

    offset: int
    record: Record


class Unmatched(NamedTuple):
    """No rule matched the line."""

    offset: int


Event: TypeAlias = Assigned | Saved | Unmatched


class RowBuilder:
    """Runs the events of one trace on names and collects the code for what is left to do."""

    def __init__(
        self,
        program: Program,
        is_accounting: bool,
        lines: int,
        carried_in: Sequence[int],
        carried_out: Sequence[int],
    ) -> None:
        self._columns = program.columns
        self._is_accounting = is_accounting
        self._lines = lines
        self._carried_out = carried_out
        self._body: list[str] = []
        # what a column falls back to when the row is cleared, and what it holds now
        self._fill: dict[int, _Value] = {
            column.index: _Before(f"fill[{column.index}]")
            for column in self._columns
            if column.is_filldown
        }
        self._row: list[_Value] = [self._cleared(column) for column in self._columns]
        # for accounts: what the current row was given so far, and where that began (-1: on the line before the trace)
        self._given: dict[int, _Value] = {}
        self._doubtful: set[int] = set()
        self._first: int | None = -1 if carried_in else None
        for place, index in enumerate(carried_in):
            self._row[index] = self._given[index] = _Before(f"carried[{place}]")

    def make(self, events: Iterable[Event]) -> Build:
        """The function for these events."""
        for event in events:
            match event:
                case Assigned():
                    self._assign(event)
                case Saved(offset, Record.SAVE):
                    self._save(offset)
                    self._clear()
                case Saved(_, Record.CLEAR_ALL):
                    self._clear_all()
                case Saved():
                    self._clear()
                case Unmatched(offset):
                    self._body.append(f"ledger.unmatched.append({self._line_no(offset)})")
        carried = "".join(f"{_raw(self._row[index])}, " for index in self._carried_out)
        body = [*self._body, f"carried = ({carried})", *self._stored_fill(), "return carried"]
        arguments = "g, fill, lists, carried, rows, ledger, n"
        return compile_function("build", arguments, body, self._columns)

    def _cleared(self, column: Column) -> _Value:
        return self._fill.get(column.index, _NOTHING)

    def _assign(self, event: Assigned) -> None:
        column, value = event.column, event.value
        self._row[column.index] = value
        if self._is_accounting and column.index in self._given:
            self._body += self._overwriting(event, self._given[column.index])
        else:
            self._given[column.index] = value
        if column.is_filldown:
            self._fill[column.index] = value
        if self._first is None:
            self._first = event.offset
        self._body += assign_lines(column, _raw(value))

    def _overwriting(self, event: Assigned, first: _Value) -> list[str]:
        """A second text for a column is noted if it differs from the first; ``None`` is no text."""
        index = event.column.index
        if not _is_surely_captured(event.value) or index in self._doubtful:
            raise Refused(f"{event.column.name} may be given two values in one row")
        conditions = [f"{_raw(event.value)} != {_raw(first)}"]
        if not _is_surely_captured(first):
            # either may be the first, so it is not known with what a third would have to be compared
            conditions.insert(0, f"{_raw(first)} is not None")
            self._doubtful.add(index)
            self._given[index] = event.value
        return _choice(
            conditions, [f"ledger.overwriting.append({self._line_no(event.offset)})"], []
        )

    def _clear(self) -> None:
        self._body += clear_lists(self._columns)
        self._row = [self._cleared(column) for column in self._columns]

    def _clear_all(self) -> None:
        self._body += [f"lists[{column.index}] = []" for column in self._columns if column.is_list]
        self._fill = dict.fromkeys(self._fill, _NOTHING)
        self._row = [_NOTHING] * len(self._columns)

    def _save(self, offset: int) -> None:
        conditions = self._conditions()
        if conditions is None:
            kept: list[str] = []
            conditions = ["False"]
        else:
            kept = [f"rows.append({self._new_row()})"]
        dropped: list[str] = []
        if self._is_accounting:
            first = self._line_no(offset if self._first is None else self._first)
            if kept:
                kept.append(f"ledger.spans.append(({first}, {self._line_no(offset)}))")
            dropped = self._dropped(first)
        self._body += _choice(conditions, kept, dropped)
        self._given = {}
        self._doubtful = set()
        self._first = None

    def _conditions(self) -> list[str] | None:
        """What must be true for the row to be kept; ``None`` where it cannot be."""
        conditions: list[str] = []
        is_required = False
        for column in self._columns:
            is_list_saved = False
            for option in column.options:
                if option == "List":
                    is_list_saved = True
                elif option == "Required":
                    is_required = True
                    value = self._row[column.index]
                    if is_list_saved:
                        conditions.append(f"lists[{column.index}]")
                    elif isinstance(value, Constant) and not value.text:
                        return None
                    elif not _is_surely_something(value):
                        conditions.append(_raw(value))
        # a row is dropped if all of it is None or an empty list; a Required value that is there is neither
        if is_required or any(
            _is_surely_captured(self._row[column.index])
            for column in self._columns
            if not column.is_list
        ):
            return conditions
        anything = [
            f"lists[{column.index}]"
            if column.is_list
            else f"{_raw(self._row[column.index])} is not None"
            for column in self._columns
            if column.is_list or self._row[column.index] != _NOTHING
        ]
        return [f"({' or '.join(anything)})"] if anything else None

    def _new_row(self) -> str:
        """The row as an expression. Runs of captures are slices, and a tuple with nothing but empty texts is made once."""
        if self._is_accounting and not rows_change(self._columns):
            return " + ".join(self._parts("g[{0}:{1}]", "({},)"))
        return f"[{', '.join(self._parts('*g[{0}:{1}]', '{}'))}]"

    def _parts(self, run_form: str, cells_form: str) -> list[str]:
        parts: list[str] = []
        cells: list[str] = []
        index = 0
        while index < len(self._columns):
            column = self._columns[index]
            run = self._run_of_captures(index)
            if len(run) > 2:
                if cells:
                    parts.append(cells_form.format(", ".join(cells)))
                    cells = []
                parts.append(run_form.format(run[0], run[-1] + 1))
                index += len(run)
                continue
            if column.is_list:
                cells.append(f"lists[{index}]" + ("[:]" if column.is_filldown else ""))
            else:
                cells.append(_shown(self._row[index]))
            index += 1
        if cells:
            parts.append(cells_form.format(", ".join(cells)))
        return parts

    def _run_of_captures(self, index: int) -> list[int]:
        """The numbers of captures that follow each other in the columns from ``index`` on."""
        run: list[int] = []
        for column in self._columns[index:]:
            value = self._row[column.index]
            if column.is_list or not isinstance(value, Captured) or not value.is_certain:
                break
            if run and value.number != run[-1] + 1:
                break
            run.append(value.number)
        return run

    def _dropped(self, first: str) -> list[str]:
        """A row that is not kept is noted if it held more than values that stay for the next one."""
        values = [
            value
            for index, value in self._given.items()
            if not self._columns[index].is_filldown and value != _NOTHING
        ]
        if not values:
            return []
        note = f"ledger.dropped.append({first})"
        if any(_is_surely_captured(value) for value in values):
            return [note]
        return _choice([" or ".join(f"{_raw(value)} is not None" for value in values)], [note], [])

    def _line_no(self, offset: int) -> str:
        back = self._lines - 1 - offset
        return f"n - {back}" if back else "n"

    def _stored_fill(self) -> list[str]:
        return [
            f"fill[{index}] = {_raw(value)}"
            for index, value in self._fill.items()
            if not isinstance(value, _Before)
        ]


def _choice(conditions: list[str], if_true: list[str], if_false: list[str]) -> list[str]:
    """Lines that do one thing or the other; without conditions, the first."""
    if not conditions:
        return if_true
    if conditions == ["False"]:
        return if_false
    condition = " and ".join(conditions)
    lines: list[str] = []
    if if_true:
        lines += [f"if {condition}:", *(f"    {line}" for line in if_true)]
        if if_false:
            lines += ["else:", *(f"    {line}" for line in if_false)]
    elif if_false:
        lines += [f"if not ({condition}):", *(f"    {line}" for line in if_false)]
    return lines


def _is_surely_captured(value: _Value) -> bool:
    """It is not ``None``."""
    if isinstance(value, Captured):
        return value.is_certain
    return isinstance(value, Constant) and value.text is not None


def _is_surely_something(value: _Value) -> bool:
    """It is neither ``None`` nor empty."""
    if isinstance(value, Captured):
        return value.is_certain and not value.can_be_empty
    return isinstance(value, Constant) and bool(value.text)


def _raw(value: _Value) -> str:
    """The value as an expression."""
    match value:
        case Constant(text):
            return repr(text)
        case Captured(number):
            return f"g[{number}]"
        case _Before(where):
            return where


def _shown(value: _Value) -> str:
    """The value as it stands in a row, where ``None`` becomes an empty text."""
    match value:
        case Constant(text):
            return repr(text or "")
        case Captured(_, is_certain):
            return _raw(value) if is_certain else f"({_raw(value)} or '')"
        case _Before():
            return f"({_raw(value)} or '')"
