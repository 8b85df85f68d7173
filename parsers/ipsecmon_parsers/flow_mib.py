"""Rows of ``show crypto mib ipsec flowmib global`` -> ``IpsecGlobalCounters`` records, one per VRF.

::

     vrf Global
      Active Tunnels:                   0
      Previous Tunnels:                 238
      In octets:                        9455972
      ...
      Out authentication failures:      0

A VRF whose name the device no longer knows is printed as ``???``, and several may be. Source: CISCO-IPSEC-FLOW-MONITOR-MIB.
"""

from __future__ import annotations

import re
from dataclasses import fields

from ipsecmon_parsers import values
from ipsecmon_parsers.blocks import ends_inside_a_line
from ipsecmon_parsers.engines import Row, Table
from ipsecmon_parsers.records import IpsecGlobalCounters, NamedValue, Platform

__all__ = ["build_ipsec_global_counters"]

_COUNTERS = frozenset(
    one.name for one in fields(IpsecGlobalCounters) if one.name not in ("vrf", "settings")
)
_LAST = "out_authentication_failures"
# a number that begins with 0 cannot go on
_WHOLE = re.compile(r": +0$")


def build_ipsec_global_counters(table: Table, _: Platform) -> tuple[IpsecGlobalCounters, ...]:
    """The counters of each VRF; ``Truncated`` where the last one lacks the counter that closes the others."""
    blocks: list[tuple[Row, dict[str, Row]]] = []
    for row in table:
        if row.text("VRF"):
            table.made_of(row)
            blocks.append((row, {}))
        elif not blocks:
            raise row.error("the line 'vrf' above a counter")
        else:
            name = row.required("LABEL", "the name of a counter")
            if name in blocks[-1][1]:
                raise row.error(
                    f"one counter {name!r} for a VRF: the line 'vrf' before it is missing"
                )
            blocks[-1][1][name] = row
    whole = f"{max(0, len(blocks) - 1)} VRFs before it were whole"
    if ends_inside_a_line(table, _WHOLE):
        raise table.truncated("the rest of the last line", whole)
    if not table.complete and (not blocks or _LAST not in map(_field, blocks[-1][1])):
        raise table.truncated("the counter 'Out authentication failures'", whole)
    return tuple(_counters(head, named) for head, named in blocks)


def _field(name: str) -> str:
    return name.lower().replace(" ", "_")


def _counters(head: Row, named: dict[str, Row]) -> IpsecGlobalCounters:
    known = {
        _field(name): row.number("NUMBER")
        for name, row in named.items()
        if _field(name) in _COUNTERS
    }
    return IpsecGlobalCounters(
        vrf=values.vrf(head.required("VRF", "the name of a VRF")),
        **known,
        settings=tuple(
            NamedValue(name=name, value=row.text("NUMBER"))
            for name, row in named.items()
            if _field(name) not in _COUNTERS
        ),
    )
