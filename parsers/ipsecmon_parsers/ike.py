"""Rows of the IKE commands -> ``IkeSa`` records.

``show crypto isakmp sa`` as 12.4 and as 15.x print it::

    dst             src             state          conn-id slot status
    123.1.1.2       92.1.1.1        QM_IDLE              1    0 ACTIVE

    IPv4 Crypto ISAKMP SA
    dst             src             state          conn-id status
    123.1.1.2       92.1.1.1        QM_IDLE           1001 ACTIVE

    IPv6 Crypto ISAKMP SA

With ``detail`` the table has other columns: the lifetime that is left, the algorithms, and no state::

    C-id  Local           Remote          I-VRF  Status Encr Hash   Auth DH Lifetime Cap.
    1013  192.0.2.2       198.51.100.1           ACTIVE aes  sha384 psk  14 23:47:45 N
           Engine-id:Conn-id =  SW:13
"""

from __future__ import annotations

import re

from ipsecmon_parsers import values
from ipsecmon_parsers.blocks import Block, ends_inside_a_line
from ipsecmon_parsers.engines import Row, Table
from ipsecmon_parsers.errors import ParseError
from ipsecmon_parsers.records import IkeSa, IkeSaCount, IkeState, Platform

__all__ = [
    "build_ikev2_count",
    "build_isakmp_count",
    "build_isakmp_details",
    "build_isakmp_sas",
]

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
            table.made_of(row, row)
            sas.append(_isakmp_sa(row, columns, len(sas)))
    # one VRF is listed without the section of IPv6 on some releases
    may_end_here = table.complete and " vrf" in table.command.lower()
    if "IPv4" in titles and "IPv6" not in titles and not may_end_here:
        raise table.truncated("the section 'IPv6 Crypto ISAKMP SA'", _whole(len(sas)))
    for line_no in table.unmatched_lines:
        if _ADDRESS.search(table.lines[line_no - 1][:200]):
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


_DETAIL_WHOLE = re.compile(r"IPv6 Crypto ISAKMP SA$|There are no isakmp sas$")


def build_isakmp_details(table: Table, _: Platform) -> tuple[IkeSa, ...]:
    """The rows of ``show crypto isakmp sa detail``; ``Truncated`` as in ``build_isakmp_sas``.

    A row whose line has no line end may lack its capabilities, and with them NAT traversal.
    """
    rows: list[Block] = []
    titles = {row.text("TITLE") for row in table}
    for row in table:
        if row.text("CONN_ID"):
            rows.append(Block([row]))
        elif row.text("ENGINE"):
            if not rows:
                raise row.error("an SA above its engine")
            rows[-1].rows.append(row)
    if ends_inside_a_line(table, _DETAIL_WHOLE):
        raise table.truncated("the rest of the last line", _whole(max(0, len(rows) - 1)))
    if "IPv4" in titles and "IPv6" not in titles and not table.complete:
        raise table.truncated("the section 'IPv6 Crypto ISAKMP SA'", _whole(len(rows)))
    for block in rows:
        table.made_of(block.rows[0], block.rows[-1])
    sas = tuple(_isakmp_detail(row) for row in rows)
    prints_engine = len(sas) > 1 and sas[-2].engine is not None
    if sas and prints_engine and sas[-1].engine is None and not table.complete:
        raise table.truncated("the line 'Engine-id:Conn-id'", _whole(len(rows) - 1))
    return sas


def _isakmp_detail(row: Block) -> IkeSa:
    row.once("ENGINE")
    status = row.required(
        "STATUS", "a row with " + "C-id Local Remote Status Encr Hash Auth DH Lifetime"
    )
    remaining = row.value("REMAINING", values.duration)
    encryption = row.text("ENCRYPTION")
    capabilities = tuple(row.text("CAPABILITIES") or "")
    return IkeSa(
        local=row.value("LOCAL", values.address),
        remote=row.value("REMOTE", values.address),
        state=None,
        raw_state=None,
        status=status,
        conn_id=row.number("CONN_ID"),
        vrf=row.text("VRF"),
        encryption=encryption,
        hash=row.text("HASH"),
        auth=row.text("AUTH"),
        dh_group=row.number("DH_GROUP"),
        remaining_seconds=remaining,
        capabilities=capabilities,
        nat_t="N" in capabilities,
        engine=row.text("ENGINE"),
        engine_conn_id=row.number("ENGINE_CONN_ID"),
        # a negotiation is ACTIVE as well, but has nothing agreed that could run out
        is_established=status == "ACTIVE" and encryption is not None and bool(remaining),
        is_deleted=status.endswith(_DELETED),
    )


_COUNT_WHOLE = re.compile(r"SAs?$")


def build_isakmp_count(table: Table, _: Platform) -> tuple[IkeSaCount, ...]:
    """The one record of ``show crypto isakmp sa count``, all four lines of it."""
    for row in table:
        if row.text("DEAD") and not ends_inside_a_line(table, re.compile(r": +0$")):
            table.made_of(row, row)
            return (
                IkeSaCount(
                    version=1,
                    active=int(row.required("ACTIVE", 'the line "Active ISAKMP SA\'s:"')),
                    standby=int(row.required("STANDBY", 'the line "Standby ISAKMP SA\'s:"')),
                    negotiating=int(
                        row.required("NEGOTIATING", 'the line "Currently being negotiated"')
                    ),
                    dead=row.number("DEAD"),
                ),
            )
    raise table.truncated('the line "Dead ISAKMP SA\'s:"', "no count was whole")


def build_ikev2_count(table: Table, _: Platform) -> tuple[IkeSaCount, ...]:
    """The one record of ``show crypto ikev2 [sa] count``, all six lines of it."""
    for row in table:
        if row.text("MARKED") and not ends_inside_a_line(table, _COUNT_WHOLE):
            table.made_of(row, row)
            return (
                IkeSaCount(
                    version=2,
                    negotiating=int(row.required("NEGOTIATING", "the line 'Negotiating SAs'")),
                    sessions=int(row.required("SESSIONS", "the line 'Session'")),
                    active=int(row.required("ACTIVE", "the line 'Active SAs'")),
                    created_total=int(row.required("CREATED", "the line 'Created SAs'")),
                    deleted_total=int(row.required("DELETED", "the line 'Deleted SAs'")),
                    marked_for_deletion=row.number("MARKED"),
                ),
            )
    raise table.truncated("the line 'Marked for Deletion SAs'", "no count was whole")


def _whole(rows: int) -> str:
    return f"{rows} row{'' if rows == 1 else 's'} before it {'was' if rows == 1 else 'were'} whole"
