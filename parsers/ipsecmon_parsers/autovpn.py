"""Rows of ``show crypto autovpn session`` -> one ``AutoVpn`` record.

::

    Local Information:
      Device Number: 2003, ID: 20030000000000000000000000000000, Role: Spoke
      VPN Registry-1     192.0.2.98:9350
       WAN-1             Connected        198.51.100.192:5065
    Session Details:
      Peer-No    Local-IP:Port     Peer-IP:Port     Local-WAN# Peer-WAN#  Session-Type  State      Interface  Initiator
      -----------------------------------------------------------------------------------------------------------------
      2009       192.0.2.2:4500    203.0.113.2:4500      1         1      Private       Connected  Vi1        Yes

Links without a name of their own ("Local-WAN") stand in tables below the thing they belong to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ipsecmon_parsers.engines import Row, Table
from ipsecmon_parsers.records import (
    AutoVpn,
    AutoVpnPeer,
    AutoVpnRegistry,
    AutoVpnSession,
    AutoVpnWan,
    Platform,
)

__all__ = ["build_autovpn"]

_SESSIONS = "Session Details"


@dataclass(slots=True)
class _Wans:
    """A registry or a peer, and the links below it."""

    head: Row
    wans: list[AutoVpnWan] = field(default_factory=list[AutoVpnWan])


@dataclass(slots=True)
class _Listing:
    device: Row | None = None
    wans: list[AutoVpnWan] = field(default_factory=list[AutoVpnWan])
    registries: list[_Wans] = field(default_factory=list[_Wans])
    peers: list[_Wans] = field(default_factory=list[_Wans])
    sessions: list[AutoVpnSession] = field(default_factory=list[AutoVpnSession])
    section: str = ""
    titles: Row | None = None
    rule_length: int = 0
    """Of the rule below the titles of the sessions, wrapped or not."""

    @property
    def is_ruled(self) -> bool:
        """A rule as long as the titles above it is whole, with or without a line end; rows may follow."""
        if self.titles is None:
            return False
        titles = self.titles.table.lines[self.titles.first_line - 1].strip()
        return self.rule_length >= len(titles)


def build_autovpn(table: Table, _: Platform) -> tuple[AutoVpn, ...]:
    """The one record of this command; ``Truncated`` before the table of the sessions or inside a line of it."""
    listing = _Listing()
    for row in table:
        _add(listing, row)
    whole = f"{len(listing.sessions)} sessions were whole"
    if listing.device is None or listing.section != _SESSIONS or not listing.is_ruled:
        raise table.truncated("the table 'Session Details'", whole)
    if not table.complete and not _ends_whole(table, listing):
        raise table.truncated("the rest of the last line", whole)
    device = listing.device
    return (
        AutoVpn(
            device_number=int(device.required("DEVICE", "the number of the device")),
            id=device.required("ID", "the ID of the device"),
            role=device.required("ROLE", "the role of the device"),
            wans=tuple(listing.wans),
            registries=tuple(
                AutoVpnRegistry(
                    number=int(one.head.required("REGISTRY", "the number of a registry")),
                    address=one.head.required("ADDRESS", "the address of a registry"),
                    wans=tuple(one.wans),
                )
                for one in listing.registries
            ),
            peers=tuple(
                AutoVpnPeer(
                    number=int(one.head.required("PEER", "the number of a peer")),
                    id=one.head.required("ID", "the ID of a peer"),
                    role=one.head.required("ROLE", "the role of a peer"),
                    wans=tuple(one.wans),
                )
                for one in listing.peers
            ),
            sessions=tuple(listing.sessions),
        ),
    )


def _add(listing: _Listing, row: Row) -> None:
    if row.text("DEVICE"):
        listing.device = row
    elif section := row.text("SECTION"):
        listing.section = section
    elif row.text("TITLES"):
        listing.titles = row
    elif row.text("RULE"):
        if listing.titles is not None:
            listing.rule_length += len(row.required("RULE", "a rule"))
    elif row.text("REGISTRY"):
        listing.registries.append(_Wans(row))
    elif row.text("INITIATOR"):
        listing.sessions.append(_session(row))
    elif row.text("PEER"):
        listing.peers.append(_Wans(row))
    elif row.text("WAN"):
        _add_wan(listing, row)
    else:
        raise row.error("a line of 'show crypto autovpn session'")


def _add_wan(listing: _Listing, row: Row) -> None:
    if row.text("INTERFACE"):
        listing.wans.append(
            AutoVpnWan(
                name=row.required("WAN", "the name of a link"),
                interface=row.text("INTERFACE"),
                private=row.text("PRIVATE"),
                nat_type=row.text("NAT_TYPE"),
            )
        )
    elif row.text("STATUS"):
        if not listing.registries:
            raise row.error("the line 'VPN Registry' above it")
        listing.registries[-1].wans.append(
            AutoVpnWan(
                name=row.required("WAN", "the name of a link"),
                status=row.text("STATUS"),
                public=row.text("PUBLIC"),
            )
        )
    else:
        if not listing.peers:
            raise row.error("the line 'Peer Number' above it")
        listing.peers[-1].wans.append(
            AutoVpnWan(
                name=row.required("WAN", "the name of a link"),
                private_from_registries=_both(row, "PRIVATE"),
                public_from_registries=_both(row, "PUBLIC"),
            )
        )


def _both(row: Row, name: str) -> tuple[str, str]:
    expected = "the address of a link, as either registry knows it"
    return row.required(name, expected), row.required(f"{name}_2", expected)


def _session(row: Row) -> AutoVpnSession:
    expected = "a row with Peer-No, Local-IP:Port, Peer-IP:Port and so on"
    return AutoVpnSession(
        peer_number=int(row.required("PEER", expected)),
        local=row.required("PRIVATE", expected),
        peer=row.required("PUBLIC", expected),
        local_wan=int(row.required("LOCAL_WAN", expected)),
        peer_wan=int(row.required("PEER_WAN", expected)),
        session_type=row.required("TYPE", expected),
        state=row.required("STATE", expected),
        interface=row.required("INTERFACE", expected),
        initiator=row.required("INITIATOR", expected) == "Yes",
    )


def _ends_whole(table: Table, listing: _Listing) -> bool:
    """A line end, the last word of a row, or a table without a row: nothing of the last line can be missing."""
    last = table.lines[-1]
    return not last.strip() or bool(re.search(r" (Yes|No)\s*$", last)) or not listing.sessions
