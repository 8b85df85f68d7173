"""Cuts the rows of ``show crypto ipsec sa`` into flows, and refuses listings that are cut or have holes.

A listing that lost its end, its start or something in between often reads well: what is left of one tunnel stands below
the identity of another. Everything that can tell is used: the closing heading of IOS, the order of headings, lines in a
place where they cannot stand, values printed twice, and the SPI in use among the SAs listed. A hole of exactly one flow's
length leaves no trace, so a listing is only as whole as the session that collected it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ipsecmon_parsers import values
from ipsecmon_parsers.engines import Row, Table
from ipsecmon_parsers.errors import ParseError
from ipsecmon_parsers.records import Direction

__all__ = ["CLOSING", "FlowBlock", "asa_flow_blocks", "flow_blocks"]

CLOSING = "the heading 'outbound pcp sas:' that closes every flow"
_LOST_IDENTS = "the idents of another flow before it: lines are missing"


@dataclass(slots=True)
class FlowBlock:
    """The rows of one flow. ``is_cut``: its end is missing; it can only be the last of a listing."""

    opened: Row
    sas: list[Row] = field(default_factory=list[Row])
    is_closed: bool = False
    is_cut: bool = False


def flow_blocks(table: Table) -> list[FlowBlock]:
    """The flows of a router's listing, each closed by its last heading."""
    blocks = _blocks(table)
    shortened = _has_esp_headings_only(table)
    for block in blocks:
        if not block.is_closed and not (shortened and _ends_outbound(block, "STATUS")):
            block.is_cut = True
    if blocks and not table.complete and _is_cut_behind_its_heading(table, blocks[-1]):
        blocks[-1].is_cut = True
    return _checked(table, blocks)


def _is_cut_behind_its_heading(table: Table, block: FlowBlock) -> bool:
    """The rare compression SAs stand below the closing heading; the last of them is printed to its last line, or cut."""
    if not block.sas or block.sas[-1].text("PROTOCOL") != "pcp":
        return False
    prints_status = any(sa.text("STATUS") for sa in block.sas)
    if not _ends_outbound(block, "STATUS" if prints_status else "REPLAY"):
        return True
    last = table.lines[-1].rstrip()
    return bool(last) and not last.endswith(")")


def asa_flow_blocks(table: Table) -> list[FlowBlock]:
    """The flows of an ASA's listing, which has no closing heading.

    A flow is whole when another follows it, when the device is known to have finished, or when its last SA
    is outbound and printed to its last line.
    """
    blocks = _blocks(table)
    last_value = "BITMAP" if any(row.text("BITMAP") for row in table) else "REPLAY"
    if blocks and not table.complete and not _ends_outbound(blocks[-1], last_value):
        blocks[-1].is_cut = True
    return _checked(table, blocks)


def _blocks(table: Table) -> list[FlowBlock]:
    blocks: list[FlowBlock] = []
    for row in table:
        match row.text("WHAT"):
            case "local":
                blocks.append(FlowBlock(row))
            case "spi" if blocks:
                blocks[-1].sas.append(row)
            case "outbound" if blocks:
                blocks[-1].is_closed = True
            case "protected":
                _refuse_lost_idents(table, row)
            case _:
                raise row.error("the idents of a flow before its SAs")
    if not blocks:
        _refuse_no_flow_at_all(table)
    return blocks


def _refuse_lost_idents(table: Table, row: Row) -> None:
    """ "protected vrf:" announces a flow; at the end of a text the text is cut, elsewhere lines are missing."""
    expected = "the idents of the flow that 'protected vrf:' announces"
    if row is table.rows[-1]:
        raise table.truncated(expected, "nothing of that flow came")
    raise row.error(expected)


def _refuse_no_flow_at_all(table: Table) -> None:
    _refuse_a_lost_start(table, None)
    if table.has_no_match:
        raise table.foreign()
    if any("No SAs found" in line or "no ipsec sas" in line for line in table.lines):
        return
    # a blank answer is believed with a prompt behind it; a map without a single flow is not
    if table.last_line and not (table.complete and not table.is_understood):
        raise table.truncated("the idents of a flow", "no flow was whole")


def _checked(table: Table, blocks: list[FlowBlock]) -> list[FlowBlock]:
    """``blocks``, unless the listing has a hole in it."""
    if not blocks:
        return blocks
    _refuse_a_lost_start(table, blocks[0].opened.first_line)
    for block in blocks[:-1]:
        if block.is_cut:
            raise block.opened.error(f"{CLOSING} before the next one begins: lines are missing")
    # the last line of a cut listing may be cut itself
    end = table.last_line if blocks[-1].is_cut else table.last_line + 1
    for line_no in sorted(_misplaced_lines(table, blocks)):
        if line_no < end:
            raise ParseError(table.command, line_no, table.lines[line_no - 1], _LOST_IDENTS)
    pick = table.picker(("DIRECTION", "SPI"))
    for block in blocks:
        if not block.is_cut:
            _refuse_mixed_flows(block, pick)
    return blocks


_INSIDE_A_FLOW = re.compile(
    r"""
    ^\s*(?: \#(?:pkts|send) | spi: | (?:in|out)bound[ ]\w+[ ]sas: | sa[ ]timing: | transform[:.]
    | in[ ]use[ ]settings | conn[ ]id: | slot: | current[_ ] | remote[ ]+ident | local[ ]+crypto
    | (?:plaintext|path)[ ]mtu | PERMIT | PFS[ ] | IV[ ]size | replay[ ]detection | Status: | SA[ ]State: )
    """,
    re.VERBOSE,
)


def _refuse_a_lost_start(table: Table, first_flow_line: int | None) -> None:
    """Lines of a flow before the idents of the first one: the listing began earlier, with a tunnel we cannot see."""
    for line_no in table.unmatched_lines:
        line = table.lines[line_no - 1]
        if (first_flow_line is None or line_no < first_flow_line) and _INSIDE_A_FLOW.match(line):
            expected = "the idents of a flow before it: the start of the listing is missing"
            raise ParseError(table.command, line_no, line, expected)


def _misplaced_lines(table: Table, blocks: list[FlowBlock]) -> Iterator[int]:
    """Lines that cannot stand where they stand: between them and what is above, something got lost."""
    starts = [block.opened.first_line for block in blocks]
    repeated = _lines_that_repeat_their_flow(table, starts)
    for line_no in table.unmatched_lines:
        if line_no not in repeated and _INSIDE_A_FLOW.match(table.lines[line_no - 1]):
            yield line_no
    yield from table.dropped_lines
    for line_no in table.overwriting_lines:
        if _INSIDE_A_FLOW.match(table.lines[line_no - 1]):
            yield line_no
    yield from _headings_out_of_order(table, starts)


def _lines_that_repeat_their_flow(table: Table, starts: list[int]) -> set[int]:
    """Pages pasted with an overlap repeat lines of the same flow to the letter; those lose nothing."""
    if not table.unmatched_lines:
        return set()
    unmatched = set(table.unmatched_lines)
    opened = set(starts)
    repeated: set[int] = set()
    seen: set[str] = set()
    first = min(starts, default=len(table.lines) + 1)
    for line_no, line in enumerate(table.lines[first - 1 :], start=first):
        text = line.strip()
        if line_no in unmatched and text in seen:
            repeated.add(line_no)
        if line_no in opened:
            seen.clear()
        seen.add(text)
    return repeated


_HEADING = re.compile(r"^\s*(inbound|outbound) (esp|ah|pcp) sas:\s*$")
_ORDER = ("inbound esp", "inbound ah", "inbound pcp", "outbound esp", "outbound ah", "outbound pcp")


def _headings_out_of_order(table: Table, starts: list[int]) -> Iterator[int]:
    """Lines with a heading that stands before the last one of the same flow."""
    place = 0
    # the same few headings come again with every flow
    places: dict[str, int | None] = {}
    waiting = [*reversed(starts)]
    for line_no in [n for n, line in enumerate(table.lines, start=1) if "sas:" in line]:
        while waiting and waiting[-1] <= line_no:
            waiting.pop()
            place = 0
        line = table.lines[line_no - 1]
        if line not in places:
            heading = _HEADING.match(line)
            places[line] = _ORDER.index(f"{heading[1]} {heading[2]}") if heading else None
        now = places[line]
        if now is not None:
            if now < place:
                yield line_no
            place = now


def _refuse_mixed_flows(block: FlowBlock, pick: Callable[[Row], tuple[str, ...]]) -> None:
    """SAs of two flows below the idents of one: the SPI in use is none of those listed, or has no partner."""
    current = block.opened.value("CURRENT_OUTBOUND_SPI", values.spi)
    if not current:
        return
    outbound = 0
    is_listed = False
    for row in block.sas:
        direction, spi = pick(row)
        if direction == Direction.OUTBOUND:
            outbound += 1
            if spi != "[Not Available]" and row.value("SPI", values.spi) == current:
                is_listed = True
    is_paired = outbound < len(block.sas)
    if not (is_listed and is_paired):
        raise block.opened.error(
            "an inbound SA, and the current outbound spi among the outbound SAs: lines are missing",
            near=block.opened.text("CURRENT_OUTBOUND_SPI") or "",
        )


def _has_esp_headings_only(table: Table) -> bool:
    """Somebody shortened the listing: not one heading of AH or compression is left to close a flow with."""
    return not any(line.strip().endswith(("ah sas:", "pcp sas:")) for line in table.lines)


def _ends_outbound(block: FlowBlock, last_value: str) -> bool:
    """The last SA is outbound and printed to its last line."""
    last = block.sas[-1] if block.sas else None
    return (
        last is not None
        and last.text("DIRECTION") == Direction.OUTBOUND
        and last.text(last_value) is not None
    )
