"""Rows of ASA's ``show vpn-sessiondb [summary]`` and ``show vpn load-balancing`` -> one record each.

::

                                   Active : Cumulative : Peak Concur : Inactive
                                 ----------------------------------------------
    Site-to-Site VPN             :      2 :       3506 :           9
      IKEv2 IPsec                :      2 :       3999 :           9
    ---------------------------------------------------------------------------
    Total Active and Inactive    :      2             Total Cumulative :   3506
    Device Total VPN Capacity    :    750
    Device Load                  :     2%

Source: Cisco ASA Command Reference, ``show vpn-sessiondb``, ``show vpn load-balancing``.
"""

from __future__ import annotations

import re

from ipsecmon_parsers.blocks import Block, ends_inside_a_line
from ipsecmon_parsers.engines import Row, Table
from ipsecmon_parsers.records import (
    Platform,
    VpnClusterLoad,
    VpnClusterMember,
    VpnLoadBalancing,
    VpnSessionCount,
    VpnSessionSummary,
)

__all__ = ["build_vpn_load_balancing", "build_vpn_session_summary"]

_TUNNELS = "Tunnels"
_SUMMARY_WHOLE = re.compile(r"%$|: 0$|-{20,}$|of the type specified$")


def build_vpn_session_summary(table: Table, _: Platform) -> tuple[VpnSessionSummary, ...]:
    """The one summary; ``Truncated`` before the device's load or, where tunnels are counted, before their totals."""
    rows = [row for row in table if not row.text("NONE")]
    if not rows and len(list(table)):
        return ()
    whole = "nothing was whole"
    if ends_inside_a_line(table, _SUMMARY_WHOLE):
        raise table.truncated("the rest of the last line", whole)
    block = Block(rows)
    sections = {row.text("SECTION") for row in rows}
    if not rows or block.text("LOAD") is None:
        raise table.truncated("the line 'Device Load'", whole)
    if _TUNNELS in sections and block.text("TUNNELS_ACTIVE") is None:
        raise table.truncated("the line 'Totals' of the tunnels", whole)
    return (
        VpnSessionSummary(
            counts=_counts(rows),
            active_and_inactive=block.number("ALL_ACTIVE"),
            cumulative=block.number("ALL_CUMULATIVE"),
            device_capacity=block.number("CAPACITY"),
            device_load_percent=block.number("LOAD"),
            tunnels_active=block.number("TUNNELS_ACTIVE"),
            tunnels_cumulative=block.number("TUNNELS_CUMULATIVE"),
        ),
    )


def _counts(rows: list[Row]) -> tuple[VpnSessionCount, ...]:
    counts: list[VpnSessionCount] = []
    section: str | None = None
    margin = 0
    for row in rows:
        if title := row.text("SECTION"):
            # the title stands where the rows that are no part of another begin
            line = row.table.lines[row.first_line - 1]
            section, margin = title, len(line) - len(line.lstrip())
        elif row.text("ALL_ACTIVE") or row.text("TUNNELS_ACTIVE"):
            section = None
        elif name := row.text("LABEL"):
            if section is None:
                raise row.error("the title of a table, such as 'Tunnels Summary', above its rows")
            counts.append(
                VpnSessionCount(
                    section=section,
                    name=name,
                    is_part=len(row.text("INDENT") or "") > margin,
                    active=int(row.required("ACTIVE", "a number of sessions")),
                    cumulative=int(row.required("CUMULATIVE", "a number of sessions")),
                    peak_concurrent=row.number("PEAK"),
                    inactive=row.number("INACTIVE"),
                )
            )
    return tuple(counts)


_NEVER = re.compile(r"(?!)")


def build_vpn_load_balancing(table: Table, _: Platform) -> tuple[VpnLoadBalancing, ...]:
    """The one record of this command, with the licences of every member; ``Truncated`` where one's are missing."""
    head: Row | None = None
    members: list[VpnClusterMember] = []
    loads: list[VpnClusterLoad] = []
    for row in table:
        if row.text("STATUS"):
            head = row
        elif row.text("LIMIT"):
            loads.append(_load(row))
        else:
            members.append(_member(row))
    whole = f"the licences of {len(loads)} of {len(members)} members were whole"
    if head is None:
        raise table.truncated("the row of this device", "nothing was whole")
    if ends_inside_a_line(table, _NEVER) or (not table.complete and len(loads) < len(members)):
        raise table.truncated("the licences of every member", whole)
    return (
        VpnLoadBalancing(
            status=head.required("STATUS", "Enabled or Disabled"),
            role=_unless_na(head.text("ROLE")),
            failover=_unless_na(head.text("FAILOVER")),
            encryption=_unless_na(head.text("ENCRYPTION")),
            peers=None if head.text("PEERS") == "n/a" else head.number("PEERS"),
            cluster=_unless_na(head.text("CLUSTER")),
            members=tuple(members),
            loads=tuple(loads),
        ),
    )


def _unless_na(text: str | None) -> str | None:
    return None if text == "n/a" else text


def _member(row: Row) -> VpnClusterMember:
    expected = "a row with Role, Pri, Model, Version and Public IP"
    return VpnClusterMember(
        role=row.required("ROLE", expected),
        priority=int(row.required("PRIORITY", expected)),
        model=row.required("MODEL", expected),
        version=int(row.required("VERSION", expected)),
        address=row.required("ADDRESS", expected),
        is_local=row.text("STAR") is not None,
    )


def _load(row: Row) -> VpnClusterLoad:
    expected = "a row with two times Limit, Used and Load, and the Public IP"
    return VpnClusterLoad(
        address=row.required("ADDRESS", expected),
        is_local=row.text("STAR") is not None,
        anyconnect_limit=int(row.required("LIMIT", expected)),
        anyconnect_used=int(row.required("USED", expected)),
        anyconnect_load_percent=int(row.required("LOAD", expected)),
        other_limit=int(row.required("OTHER_LIMIT", expected)),
        other_used=int(row.required("OTHER_USED", expected)),
        other_load_percent=int(row.required("OTHER_LOAD", expected)),
    )
