"""Rows of ``show crypto ipsec sa | include ...`` -> ``FlowExcerpt`` records.

What people type at night: only the counters, or only peers and counters::

       current_peer 198.51.100.10 port 500
        #pkts encaps: 0, #pkts encrypt: 0, #pkts digest: 0
        #pkts decaps: 25, #pkts decrypt: 25, #pkts verify: 25

A device prints the lines of a flow in a fixed order, so a line that cannot follow the one before it begins the next
flow. The lines above the first flow of an interface hold for all flows below it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ipsecmon_parsers import values
from ipsecmon_parsers.blocks import Block, ends_inside_a_line
from ipsecmon_parsers.engines import Row, Table
from ipsecmon_parsers.records import FlowExcerpt, Platform

__all__ = ["build_flow_excerpts"]

# in the order a device prints them; the first two stand above the flows of an interface
_ORDER = (
    "INTERFACE",
    "CRYPTO_MAP",
    "VRF",
    "LOCAL_IDENT",
    "REMOTE_IDENT",
    "PEER",
    "ENCAPS_PACKETS",
    "DECAPS_PACKETS",
    "SEND_ERRORS",
    "LOCAL_ENDPOINT",
    "CURRENT_OUTBOUND_SPI",
)
_ABOVE_FLOWS = 2
# a bracket or a number in one closes a line: nothing can follow it
_WHOLE = re.compile(r"[)}]$")


@dataclass(slots=True)
class _Excerpt:
    rows: list[Row]
    first: Row
    other_lines: list[str] = field(default_factory=list[str])
    sa_lines: list[str] = field(default_factory=list[str])
    place: int = -1


def build_flow_excerpts(table: Table, _: Platform) -> tuple[FlowExcerpt, ...]:
    """One record per flow that a line is left of; nothing left is zero records."""
    excerpts: list[_Excerpt] = []
    above: dict[str, Row] = {}
    current: _Excerpt | None = None
    for row in table:
        place = next((n for n, name in enumerate(_ORDER) if row.text(name)), None)
        if place is not None and place < _ABOVE_FLOWS:
            if current is None and _ORDER[place] in above:
                excerpts.append(_alone(above))
            # a new interface takes its own map
            above = {name: above[name] for name in _ORDER[:place] if name in above}
            above[_ORDER[place]] = row
            current = None
            continue
        if current is None or (place is not None and place <= current.place):
            current = _Excerpt(list(above.values()), first=row)
            excerpts.append(current)
        if place is not None:
            current.place = place
            current.rows.append(row)
        elif line := row.text("SA_LINE"):
            current.place = len(_ORDER)
            current.sa_lines.append(line)
        else:
            current.other_lines.append(row.required("OTHER_LINE", "a line of a flow"))
    if current is None and above:
        excerpts.append(_alone(above))
    if ends_inside_a_line(table, _WHOLE):
        whole = f"{max(0, len(excerpts) - 1)} flows before it were whole"
        raise table.truncated("the rest of the last line", whole)
    for excerpt in excerpts:
        table.made_of(excerpt.first)
    return tuple(_excerpt(excerpt) for excerpt in excerpts)


def _alone(above: dict[str, Row]) -> _Excerpt:
    """An interface whose flows were all filtered away."""
    rows = list(above.values())
    return _Excerpt(rows, first=rows[-1])


def _excerpt(excerpt: _Excerpt) -> FlowExcerpt:
    if not excerpt.rows:
        return FlowExcerpt(other_lines=tuple(excerpt.other_lines), sa_lines=tuple(excerpt.sa_lines))
    block = Block(excerpt.rows)
    return FlowExcerpt(
        interface=block.text("INTERFACE"),
        crypto_map=block.text("CRYPTO_MAP"),
        local_address=block.text("LOCAL_ADDRESS"),
        protected_vrf=values.vrf(block.text("VRF") or ""),
        local_ident=block.value("LOCAL_IDENT", values.ident_text),
        remote_ident=block.value("REMOTE_IDENT", values.ident_text),
        peer=block.text("PEER"),
        peer_port=block.number("PEER_PORT"),
        encaps_packets=block.number("ENCAPS_PACKETS"),
        encrypt_packets=block.number("ENCRYPT_PACKETS"),
        digest_packets=block.number("DIGEST_PACKETS"),
        decaps_packets=block.number("DECAPS_PACKETS"),
        decrypt_packets=block.number("DECRYPT_PACKETS"),
        verify_packets=block.number("VERIFY_PACKETS"),
        send_errors=block.number("SEND_ERRORS"),
        recv_errors=block.number("RECV_ERRORS"),
        local_endpoint=block.text("LOCAL_ENDPOINT"),
        remote_endpoint=block.text("REMOTE_ENDPOINT"),
        current_outbound_spi=block.value("CURRENT_OUTBOUND_SPI", values.spi),
        other_lines=tuple(excerpt.other_lines),
        sa_lines=tuple(excerpt.sa_lines),
    )
