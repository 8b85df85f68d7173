"""Rows of the IKE commands -> ``IkeSa`` records.

``show crypto isakmp sa`` as 12.4 and as 15.x print it::

    dst             src             state          conn-id slot status
    123.1.1.2       92.1.1.1        QM_IDLE              1    0 ACTIVE

    IPv4 Crypto ISAKMP SA
    dst             src             state          conn-id status
    123.1.1.2       92.1.1.1        QM_IDLE           1001 ACTIVE

    IPv6 Crypto ISAKMP SA
"""

from __future__ import annotations

import re

from ipsecmon_parsers.engines import Row, Table
from ipsecmon_parsers.errors import ParseError
from ipsecmon_parsers.records import IkeSa, IkeState, Platform

__all__ = ["build_isakmp_sas"]

_STATES = {state.value: state for state in IkeState}
_DELETED = " (deleted)"
_COLUMNS = "dst src state conn-id status"
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+|[0-9A-Fa-f]*:[0-9A-Fa-f:]+")
_STATUSES = frozenset({"ACTIVE", "STDBY", "ACTIVE" + _DELETED, "STDBY" + _DELETED})


def build_isakmp_sas(table: Table, _: Platform) -> tuple[IkeSa, ...]:
    """The rows of ``show crypto isakmp sa``; headers or titles alone are an empty table.

    ``Truncated`` where the IPv4 section is not followed by the title of the IPv6 section (a release that
    prints one prints both), or where the last row lacks columns its header announces.
    """
    sas: list[IkeSa] = []
    titles: set[str] = set()
    columns = ""
    for row in table:
        if title := row.text("TITLE"):
            titles.add(title)
        elif row.text("HEADER"):
            columns = row.required("COLUMNS", "the column titles")
        else:
            sas.append(_isakmp_sa(row, columns, len(sas)))
    if "IPv4" in titles and "IPv6" not in titles:
        raise table.truncated("the section 'IPv6 Crypto ISAKMP SA'", _whole(len(sas)))
    for line_no in table.unmatched_lines:
        if _ADDRESS.search(table.lines[line_no - 1]):
            raise ParseError(
                table.command,
                line_no,
                table.lines[line_no - 1],
                f"a row with {columns or _COLUMNS}",
            )
    return tuple(sas)


def _isakmp_sa(row: Row, columns: str, whole: int) -> IkeSa:
    status = row.text("STATUS")
    is_last = row.last_line >= row.table.last_line
    lacks_status = status is None and "status" in columns
    lacks_slot = row.text("SLOT") is None and columns.endswith("slot")
    if lacks_status or lacks_slot or row.text("STATE") is None:
        expected = f"a row with {columns or _COLUMNS}"
        raise row.table.truncated(expected, _whole(whole)) if is_last else row.error(expected)
    if status is not None and status not in _STATUSES:
        is_cut = any(known.startswith(status) for known in _STATUSES)
        if is_cut and is_last:
            raise row.table.truncated("the whole word of the status column", _whole(whole))
        raise row.error("a status such as ACTIVE, STDBY or ACTIVE (deleted)", near=status)
    raw_state = row.required("STATE", "an IKE state such as QM_IDLE")
    state = _STATES.get(raw_state, IkeState.UNKNOWN)
    is_deleted = status is not None and status.endswith(_DELETED)
    return IkeSa(
        source=row.text("SOURCE"),
        destination=row.text("DESTINATION"),
        state=state,
        raw_state=raw_state,
        status=status,
        conn_id=row.number("CONN_ID"),
        slot=row.number("SLOT"),
        profile=row.text("PROFILE"),
        # 12.2 prints no status: there the state alone says it
        is_established=state is IkeState.QM_IDLE and status in (None, "ACTIVE"),
        is_deleted=is_deleted,
    )


def _whole(rows: int) -> str:
    return f"{rows} row{'' if rows == 1 else 's'} before it {'was' if rows == 1 else 'were'} whole"
