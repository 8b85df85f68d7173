"""Rows of ``show crypto gdoi`` -> ``GdoiGroup`` records, and of its dataplane counters -> ``GdoiCounters``.

::

    GROUP INFORMATION
        Group Name               : GETVPN
        Group member             : 192.0.2.21   vrf: None
           Registration status   : Registered
     ACL Downloaded From KS 198.51.100.1:
       access-list  permit ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255
    KEK POLICY:
        Lifetime (secs)          : 243
    TEK POLICY for the current KS-Policy ACEs Downloaded:
      FastEthernet0/0:
        IPsec SA:
            spi: 0x1D9BC6CB(496748235)
            sa timing:remaining key lifetime (sec): (22)

A listing closes with no line of its own: without a prompt behind it, its last line needs a line end and its last TEK
an SPI and a lifetime. Source: Cisco IOS Security Command Reference, ``show crypto gdoi``; RFC 6407.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from ipsecmon_parsers import values
from ipsecmon_parsers.blocks import Block, ends_inside_a_line
from ipsecmon_parsers.engines import Row, Table
from ipsecmon_parsers.records import (
    GdoiCounters,
    GdoiGroup,
    GdoiKek,
    GdoiTek,
    NamedValue,
    Platform,
)

__all__ = ["build_gdoi_counters", "build_gdoi_groups"]

_Value = TypeVar("_Value")

# no line of this listing is whole without its line end
_NEVER = re.compile(r"(?!)")
_SPLIT_NAMES = ("Group Rekey", "Group Retransmit", "SA Rekey")


# names that have a place of their own; found anywhere else, a title before them is missing
_KEK_NAMES = frozenset(
    {
        "Rekey Transport Type",
        "Lifetime (secs)",
        "Encrypt Algorithm",
        "Key Size",
        "Sig Hash Algorithm",
        "Sig Key Length (bits)",
    }
)
_TEK_NAMES = re.compile(r"Anti-Replay\b.*|tag method|alg key size|sig key size|encaps")
_SPLIT_NAME = "Remaining Lifetime"


@dataclass(slots=True)
class _Tek:
    interface: str | None
    block: Block
    named: dict[str, Row] = field(default_factory=dict[str, Row])

    def value(self, name: str, read: Callable[[str], _Value]) -> _Value | None:
        row = self.named.get(name)
        return None if row is None else row.value("VALUE", read)


@dataclass(slots=True)
class _Group:
    """The lines of one group: those with a name by (section, name), in the order of the text."""

    head: Row
    named: dict[tuple[str, str], Row] = field(default_factory=dict[tuple[str, str], Row])
    servers: list[str] = field(default_factory=list[str])
    entries: list[str] = field(default_factory=list[str])
    teks: list[_Tek] = field(default_factory=list[_Tek])
    access_list_server: str | None = None

    def take(self, *names: str) -> Row | None:
        """The first line of that name, which then is no longer among those without a field."""
        key = next((key for key in self.named if key[1] in names), None)
        return None if key is None else self.named.pop(key)

    def text(self, *names: str) -> str | None:
        row = self.take(*names)
        return None if row is None else row.text("VALUE")

    def number(self, name: str) -> int | None:
        row = self.take(name)
        return None if row is None else row.value("VALUE", _leading_number)


def _leading_number(text: str) -> int:
    """``243``, ``25 sec``, ``32 (bytes)``."""
    match = re.fullmatch(r"(\d+)(?: secs?\.?| seconds?| \(bytes\))?", text)
    if match is None:
        raise ValueError("a number, or a number of seconds")
    return int(match[1])


def build_gdoi_groups(table: Table, _: Platform) -> tuple[GdoiGroup, ...]:
    """The groups of this device; no group is zero records."""
    groups: list[_Group] = []
    section = split_name = ""
    interface: str | None = None
    for row in table:
        if title := row.text("SECTION"):
            if title in _SPLIT_NAMES:
                split_name = title
                continue
            section = re.split(r" (?:for|For|From)\b", title)[0]
            interface = None
            if groups and (server := re.search(r"From KS ([^\s:]+)", title)):
                groups[-1].access_list_server = server[1]
            continue
        name = row.text("LABEL") or ""
        if (name == _SPLIT_NAME) != bool(split_name):
            raise row.error(f"a line {_SPLIT_NAME!r} below what remains: lines are missing")
        name = f"{split_name} {name}".strip()
        split_name = ""
        if name == "Group Name":
            section = ""
            table.made_of(row)
            groups.append(_Group(row))
        elif not groups:
            raise row.error("the line 'Group Name' of a group")
        elif found := row.text("INTERFACE"):
            interface = found
        else:
            _add(groups[-1], section, interface, name, row)
    if not table.complete:
        _refuse_cut(table, groups)
    return tuple(_group(group) for group in groups)


def _add(group: _Group, section: str, interface: str | None, name: str, row: Row) -> None:
    """One line below a group's name."""
    is_tek_name = _TEK_NAMES.fullmatch(name) is not None
    is_tek_line = is_tek_name or any(row.text(c) for c in ("SPI", "TRANSFORM", "TIMING"))
    if is_tek_line and not (section == "TEK POLICY" and group.teks):
        raise row.error("the title 'IPsec SA:' above it")
    if row.text("SA"):
        if interface is None:
            raise row.error("the interface of an IPsec SA above it")
        group.teks.append(_Tek(interface, Block([row])))
    elif is_tek_name:
        if name in group.teks[-1].named:
            raise row.error(f"one line {name!r} in an IPsec SA: lines are missing")
        group.teks[-1].named[name] = row
    elif is_tek_line:
        group.teks[-1].block.rows.append(row)
    elif entry := row.text("ENTRY"):
        group.entries.append(" ".join(entry.split()[1:]))
    elif server := row.text("MORE"):
        group.servers.append(server)
    elif name == "Group Server list":
        group.servers.append(row.required("VALUE", "the address of a key server"))
    elif name in _KEK_NAMES and section != "KEK POLICY":
        raise row.error("the title 'KEK POLICY:' above it")
    elif (section, name) in group.named:
        raise row.error(f"one line {name!r} in its place: lines are missing")
    else:
        group.named[section, name] = row


def _refuse_cut(table: Table, groups: list[_Group]) -> None:
    whole = f"{max(0, len(groups) - 1)} groups before it were whole"
    if ends_inside_a_line(table, _NEVER):
        raise table.truncated("the rest of the last line", whole)
    if groups and (teks := groups[-1].teks):
        last = teks[-1].block
        if last.text("SPI") is None or last.text("TIMING") is None:
            raise table.truncated("the SPI and the lifetime of the last IPsec SA", whole)


def _group(group: _Group) -> GdoiGroup:
    member, _, vrf = (group.text("Group member") or "").partition("vrf:")
    status = group.text("Registration status")
    return GdoiGroup(
        name=group.head.required("VALUE", "the name of a group"),
        identity=group.text("Group Identity"),
        group_type=group.text("Group Type"),
        direction=group.text("IPSec SA Direction"),
        rekeys_received=group.number("Rekeys received"),
        servers=tuple(group.servers),
        member=member.strip() or None,
        member_vrf=None if vrf.strip() in ("", "None") else vrf.strip(),
        registration_status=status,
        is_registered=None if status is None else status == "Registered",
        registered_with=group.text("Registered with", "Registering to"),
        reregisters_in_seconds=group.number("Re-registers in"),
        succeeded_registrations=group.number("Succeeded registration"),
        attempted_registrations=group.number("Attempted registration"),
        access_list_server=group.access_list_server,
        access_entries=tuple(group.entries),
        kek=_kek(group),
        teks=tuple(_tek(tek) for tek in group.teks),
        settings=tuple(
            NamedValue(name=name, value=row.text("VALUE")) for (_, name), row in group.named.items()
        ),
    )


def _kek(group: _Group) -> GdoiKek | None:
    if not any(name in _KEK_NAMES for _, name in group.named):
        return None
    return GdoiKek(
        transport=group.text("Rekey Transport Type"),
        remaining_seconds=group.number("Lifetime (secs)"),
        encryption=group.text("Encrypt Algorithm"),
        key_size_bits=group.number("Key Size"),
        signature_hash=group.text("Sig Hash Algorithm"),
        signature_key_bits=group.number("Sig Key Length (bits)"),
    )


def _tek(tek: _Tek) -> GdoiTek:
    block = tek.block
    block.once("SPI", "TIMING")
    spi = block.value("SPI", values.spi)
    if spi is None:
        raise block.error("the SPI of an IPsec SA")
    timing = block.value("TIMING", values.sa_timing)
    replay = next((row for name, row in tek.named.items() if name.startswith("Anti-Replay")), None)
    return GdoiTek(
        interface=tek.interface,
        spi=spi,
        transform=block.value("TRANSFORM", values.transform) or (),
        remaining_kilobytes=timing.kilobytes if timing else None,
        remaining_seconds=timing.seconds if timing else None,
        anti_replay=None if replay is None else replay.text("VALUE"),
        tag_method=tek.value("tag method", str),
        encryption_key_bytes=tek.value("alg key size", _leading_number),
        signature_key_bytes=tek.value("sig key size", _leading_number),
        encapsulation=tek.value("encaps", str),
    )


_COUNTERS = (
    "encrypt_packets",
    "decrypt_packets",
    "tagged_send_packets",
    "untagged_recv_packets",
    "no_sa_send_packets",
    "invalid_sa_recv_packets",
    "encaps_failed_send_packets",
    "decaps_failed_recv_packets",
    "invalid_prot_recv_packets",
    "verify_failed_packets",
    "not_tagged_send_packets",
    "not_untagged_recv_packets",
    "internal_error_send_packets",
    "internal_error_recv_packets",
)


def build_gdoi_counters(table: Table, _: Platform) -> tuple[GdoiCounters, ...]:
    """The counters of each group; a group without one is cut."""
    for row in table:
        table.made_of(row)
    counters = tuple(
        GdoiCounters(
            group=row.required("GROUP", "the name of a group"),
            **{name: row.number(name.upper()) for name in _COUNTERS},
        )
        for row in table
    )
    if not table.complete:
        whole = f"{max(0, len(counters) - 1)} groups before it were whole"
        if ends_inside_a_line(table, re.compile(r": 0$")):
            raise table.truncated("the rest of the last line", whole)
        # every release prints the last pair of one group for all of them
        if not counters or counters[-1].internal_error_recv_packets is None:
            raise table.truncated("the line '#pkts internal err (send)'", whole)
    return counters
