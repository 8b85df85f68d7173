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

from ipsecmon_parsers.engines import Row, Table
from ipsecmon_parsers.records import IkeSa, IkeState, Platform

__all__ = ["build_isakmp_sas"]

_STATES = {state.value: state for state in IkeState}
_DELETED = " (deleted)"
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
    if "IPv4" in titles and "IPv6" not in titles and not table.complete:
        raise table.truncated("the section 'IPv6 Crypto ISAKMP SA'", _whole(len(sas)))
    return tuple(sas)


def _isakmp_sa(row: Row, columns: str, whole: int) -> IkeSa:
    status = row.text("STATUS")
    may_be_cut = row.last_line >= row.table.last_line and not row.table.complete
    lacks_status = status is None and "status" in columns
    lacks_slot = row.text("SLOT") is None and columns.endswith("slot")
    if lacks_status or lacks_slot or row.text("STATE") is None:
        expected = "a row with " + (columns or "dst src state conn-id status")
        raise row.table.truncated(expected, _whole(whole)) if may_be_cut else row.error(expected)
    if (
        may_be_cut
        and status is not None
        and status not in _STATUSES
        and not row.table.lines[-1] == ""
    ):
        raise row.table.truncated("the whole word of the status column", _whole(whole))
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
