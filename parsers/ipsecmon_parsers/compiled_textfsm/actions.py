"""Python functions written for one template: what a match does to the row, what saves a row, what clears it.

They do what textfsm's options do, value by value, with everything known beforehand decided beforehand. The state of
a run is four lists, all with a place for each column:

``row``    the values of the current row (textfsm: ``value.value``), ``None`` where nothing was captured
``fill``   what a Filldown column falls back to when a row is cleared; ``None`` in all other columns
``lists``  the items of a List column so far
``rows``   the rows saved

A generated function gets these as arguments and never keeps them, so that one template serves any number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from ipsecmon_parsers.compiled_textfsm.program import Column, Rule

__all__ = [
    "Assign",
    "Cell",
    "Reset",
    "Row",
    "Save",
    "assign_lines",
    "clear_lists",
    "compile_function",
    "make_assigns",
    "make_clear",
    "make_clear_all",
    "make_save",
    "nested_name",
    "rows_change",
]

Row: TypeAlias = list[Any]
"""Values of one row: texts, or lists of texts and of dicts, as textfsm has them."""

Cell: TypeAlias = str | None
Lists: TypeAlias = list[list[Any]]
Assign: TypeAlias = Callable[[Any, Row, list[Cell], Lists, list[Row]], None]
Save: TypeAlias = Callable[[Row, list[Cell], Lists, list[Row]], Row]
Reset: TypeAlias = Callable[[list[Cell], Lists], Row]


def compile_function(
    name: str, arguments: str, body: Iterable[str], columns: tuple[Column, ...]
) -> Callable[..., Any]:
    """Make a function of lines of code."""
    return compile_functions([_definition(name, arguments, body)], columns)[name]


def compile_functions(
    definitions: Iterable[str], columns: tuple[Column, ...]
) -> dict[str, Callable[..., Any]]:
    """Make functions by name. All code is put together in this package, from numbers and ``repr``."""
    names: dict[str, Any] = {
        nested_name(column): column.nested for column in columns if column.nested is not None
    }
    source = "\n".join(definitions)
    exec(compile(source, "<actions of a template>", "exec"), names)  # noqa: S102 - no text of a template or device is in it
    return names


def _definition(name: str, arguments: str, body: Iterable[str]) -> str:
    return f"def {name}({arguments}):\n" + "".join(f"    {line}\n" for line in body)


def nested_name(column: Column) -> str:
    """The name by which generated code knows the expression that takes an item of a List apart."""
    return f"nested_{column.index}"


def make_assigns(rules: Sequence[Rule], columns: tuple[Column, ...]) -> list[Assign | None]:
    """What a match of each rule assigns; ``None`` where it captures nothing."""
    definitions = [
        _definition(f"assign_{rule.place}", "m, row, fill, lists, rows", _assign_body(rule))
        for rule in rules
        if rule.captures
    ]
    made = compile_functions(definitions, columns)
    return [made.get(f"assign_{rule.place}") for rule in rules]


def _assign_body(rule: Rule) -> list[str]:
    body: list[str] = []
    for column, group in rule.captures:
        body += [f"x = m[{group}]", f"row[{column.index}] = x"]
        if column.is_filldown:
            body.append(f"fill[{column.index}] = x")
        body += assign_lines(column, "x")
    return body


def assign_lines(column: Column, value: str) -> list[str]:
    """What assigning the expression ``value`` does beyond ``row`` and ``fill``, for List and Fillup."""
    lines: list[str] = []
    index = column.index
    for option in column.options:
        if option == "List" and column.nested is not None:
            lines += [
                f"found = {nested_name(column)}.match({value})",
                "parts = found.groupdict() if found is not None else None",
                f"lists[{index}].append(parts or {value})",
            ]
        elif option == "List":
            lines.append(f"lists[{index}].append({value})")
        elif option == "Fillup":
            lines += [
                f"if {value}:",
                "    for above in reversed(rows):",
                f"        if above[{index}]:",
                "            break",
                f"        above[{index}] = {value}",
            ]
    return lines


def clear_lists(columns: tuple[Column, ...]) -> list[str]:
    """New lists rather than emptied ones: the old ones may have become part of a row."""
    return [
        f"lists[{column.index}] = []"
        for column in columns
        if column.is_list and not column.is_filldown
    ]


def make_clear(columns: tuple[Column, ...]) -> Reset:
    return compile_function(
        "clear", "fill, lists", [*clear_lists(columns), "return fill[:]"], columns
    )


def make_clear_all(columns: tuple[Column, ...]) -> Reset:
    body = [f"lists[{column.index}] = []" for column in columns if column.is_list]
    body += [f"fill[:] = [None] * {len(columns)}", "return fill[:]"]
    return compile_function("clear_all", "fill, lists", body, columns)


def rows_change(columns: tuple[Column, ...]) -> bool:
    """Whether rows already saved may still change: Fillup writes into them."""
    return any("Fillup" in column.options for column in columns)


def make_save(columns: tuple[Column, ...], is_accounting: bool) -> Save:
    """Save the row if it may be saved, and return the row that comes after it.

    textfsm does not clear a row in which every value is ``None`` or an empty list. Clearing it changes nothing:
    in such a row no Filldown column has anything to fall back to either (assigning sets both, Clearall unsets
    both), so that the cleared row is the same row. One path less to be exact about.
    """
    if not columns:
        return compile_function("save", "row, fill, lists, rows", ["return row"], columns)
    body: list[str] = []
    leave = [*clear_lists(columns), "return fill[:]"]
    for column in columns:
        # in the order of the options: "Required,List" looks at the text assigned last, "List,Required" at the list
        for option in column.options:
            if option == "Required":
                body += [f"if not row[{column.index}]:", *(f"    {line}" for line in leave)]
            elif option == "List":
                copy = "[:]" if column.is_filldown else ""
                body.append(f"row[{column.index}] = lists[{column.index}]{copy}")
    cells = "['' if x is None else x for x in row]"
    if is_accounting and not rows_change(columns):
        # a tuple of texts is not looked at again by the garbage collector, which with many rows is half the time
        cells = f"tuple({cells})"
    body += [
        f"if row.count(None) + row.count([]) != {len(columns)}:",
        f"    rows.append({cells})",
        *leave,
    ]
    return compile_function("save", "row, fill, lists, rows", body, columns)
