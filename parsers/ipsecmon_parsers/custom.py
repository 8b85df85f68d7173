"""Rows and sections of a command we do not know -> ``CustomRow`` records, as the user's template read them.

What holds for our own commands holds here as far as it can: a text that stops inside a line is cut, and a row that
was begun and then dropped for lack of a ``Required`` value is reported among the lines nobody understood. Where a
listing ends only its author knows; that it is whole, only a session or the prompt behind it can say.
"""

from __future__ import annotations

from collections.abc import Sequence

from ipsecmon_parsers.engines import Row, Section, Table
from ipsecmon_parsers.records import CustomRow, CustomValue, Platform

__all__ = ["build_custom_rows"]


def build_custom_rows(table: Table, _: Platform) -> tuple[CustomRow, ...]:
    """Every row of a ``.textfsm``, every section of the groups of a ``.ttp``, in the order of the text."""
    count = len(table.rows) + sum(len(found) for found in table.sections.values())
    if not table.complete and table.lines[-1].strip():
        whole = f"{count} row{'' if count == 1 else 's'} read so far"
        raise table.truncated("the end of this line, or the prompt behind it", whole)
    table.unmatched_lines = sorted({*table.unmatched_lines, *table.dropped_lines})
    rows: list[tuple[Row | Section, CustomRow]] = [
        (row, CustomRow(command=table.command, values=_values(row))) for row in table
    ]
    for group, sections in table.sections.items():
        for section in sections:
            record = CustomRow(command=table.command, group=group, values=_section_values(section))
            rows.append((section, record))
    rows.sort(key=lambda placed: placed[0].first_line)
    for source, _record in rows:
        table.made_of(source)
    return tuple(record for _, record in rows)


def _values(row: Row) -> dict[str, CustomValue]:
    return {name: _value(row.values[index]) for name, index in row.table.columns.items()}


def _value(value: str | Sequence[str | None]) -> CustomValue:
    """Empty is not printed; ``Value List`` collects several texts."""
    if isinstance(value, str):
        return value or None
    return tuple(item for item in value if item)


def _section_values(section: Section) -> dict[str, CustomValue]:
    values: dict[str, CustomValue] = {name: section.text(name) for name in section.values}
    for group, sections in section.below.items():
        values[group] = tuple(_section_values(below) for below in sections)
    return values
