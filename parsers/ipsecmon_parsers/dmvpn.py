"""Rows of ``show dmvpn [detail]`` -> ``DmvpnInterface``, ``DmvpnPeer`` and, with ``detail``, ``CryptoSession`` records.

::

    Interface: Tunnel90, IPv4 NHRP Details
    Type:Spoke, NHRP Peers:2,

     # Ent  Peer NBMA Addr Peer Tunnel Add State  UpDn Tm Attrb
     ----- --------------- --------------- ----- -------- -----
         1 198.51.100.1       203.0.113.1   IKE     3w5d     S
         2 198.51.100.2       203.0.113.2    UP    6d12h     S
                              203.0.113.25   UP    6d12h     S

``Peers`` counts the NBMA addresses and ``# Ent`` the rows of each: the table shows by itself that it was cut.
``detail`` closes with the line ``Pending DMVPN Sessions:``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ipsecmon_parsers import values
from ipsecmon_parsers.blocks import Block, ends_inside_a_line
from ipsecmon_parsers.engines import Row, Table
from ipsecmon_parsers.records import (
    CryptoSession,
    DmvpnInterface,
    DmvpnNextHopServer,
    DmvpnPeer,
    Platform,
    SessionStatus,
)
from ipsecmon_parsers.sessions import session_flow, session_ike_sa

__all__ = ["build_dmvpn"]

_STATUSES = {status.value: status for status in SessionStatus}
_UP = frozenset({SessionStatus.UP_ACTIVE, SessionStatus.UP_IDLE, SessionStatus.UP_NO_IKE})
_WHOLE = re.compile(r"Pending DMVPN Sessions:$")
_ATTRIBUTE = re.compile(r"[A-Z][0-9]*")


@dataclass(slots=True)
class _Interface:
    """The head of an interface and the rows of its table."""

    head: Block
    servers: list[Row] = field(default_factory=list[Row])
    peers: list[Row] = field(default_factory=list[Row])

    @property
    def is_whole(self) -> bool:
        """As many NBMA addresses as the head counts, and as many rows as they count."""
        counted = self.head.number("PEERS")
        entries = [row.number("ENTRIES") or 0 for row in self.peers if row.text("ENTRIES")]
        return counted is not None and len(entries) >= counted and len(self.peers) >= sum(entries)


@dataclass(slots=True)
class _Listing:
    interfaces: list[_Interface] = field(default_factory=list[_Interface])
    sessions: list[Block] = field(default_factory=list[Block])
    is_closed: bool = False


def build_dmvpn(
    table: Table, _: Platform
) -> tuple[DmvpnInterface | DmvpnPeer | CryptoSession, ...]:
    """Each interface, then its peers; behind the last one the crypto sessions. No interface is zero records."""
    listing = _sorted(table)
    if not table.complete:
        _refuse_cut(table, listing)
    records: list[DmvpnInterface | DmvpnPeer | CryptoSession] = []
    for interface in listing.interfaces:
        table.made_of(interface.head.rows[0])
        records.append(_interface(interface))
        nbma: Row | None = None
        left = 0
        for row in interface.peers:
            if row.text("NBMA"):
                nbma, left = row, row.number("ENTRIES") or 0
            if left == 0:
                raise row.error("a row with its NBMA address above this one")
            left -= 1
            table.made_of(row, row)
            records.append(_peer(row, nbma, interface.head.text("INTERFACE")))
    for block in listing.sessions:
        table.made_of(block.rows[0], block.rows[-1])
        records.append(_session(block))
    return tuple(records)


def _sorted(table: Table) -> _Listing:
    listing = _Listing()
    for row in table:
        if row.text("INTERFACE"):
            listing.interfaces.append(_Interface(Block([row])))
        elif row.text("SESSION_INTERFACE"):
            listing.sessions.append(Block([row]))
        elif row.text("DETAILS") or row.text("HEADER"):
            continue
        elif row.text("PENDING"):
            listing.is_closed = True
        elif listing.sessions:
            listing.sessions[-1].rows.append(row)
        elif not listing.interfaces:
            raise row.error("the line 'Interface:' above a table")
        elif row.text("STATE"):
            listing.interfaces[-1].peers.append(row)
        elif row.text("SERVER"):
            listing.interfaces[-1].servers.append(row)
        else:
            listing.interfaces[-1].head.rows.append(row)
    return listing


def _refuse_cut(table: Table, listing: _Listing) -> None:
    whole = f"{max(0, len(listing.interfaces) - 1)} interfaces before it were whole"
    if ends_inside_a_line(table, _WHOLE):
        raise table.truncated("the rest of the last line", whole)
    if table.command.lower().endswith("detail") and not listing.is_closed:
        raise table.truncated("the line 'Pending DMVPN Sessions:'", whole)
    if listing.interfaces and not listing.interfaces[-1].is_whole:
        raise table.truncated("as many rows as the head of the interface counts", whole)
    if not listing.interfaces and not any("====" in line for line in table.lines):
        raise table.truncated("the rule below the legend", "no interface was whole")


def _parts(block: Block, title: str, rest: str) -> list[Block]:
    """The rows that hold ``title``, each with the rows of its ``rest``."""
    parts: list[Block] = []
    for row in block.rows:
        if row.text(title):
            parts.append(Block([row]))
        elif row.text(rest):
            if not parts:
                raise row.error("the line that opens this part before it")
            parts[-1].rows.append(row)
    return parts


def _interface(interface: _Interface) -> DmvpnInterface:
    head = interface.head
    head.once("TYPE")
    return DmvpnInterface(
        interface=head.required("INTERFACE", "the name of the interface"),
        node_type=head.text("TYPE"),
        nhrp_peers=head.number("PEERS"),
        state=head.text("INTERFACE_STATE"),
        address=head.value("ADDRESS", values.address),
        vrf=head.text("VRF"),
        tunnel_source=head.value("TUNNEL_SOURCE", values.address),
        tunnel_destination=head.value("TUNNEL_DESTINATION", values.address),
        tunnel_vrf=head.text("TUNNEL_VRF"),
        transport=head.text("TRANSPORT"),
        protect=head.text("PROTECT"),
        state_control=head.text("STATE_CONTROL"),
        event_publisher=head.text("EVENT_PUBLISHER"),
        next_hop_servers=tuple(
            DmvpnNextHopServer(
                address=values.address(row.required("SERVER", "the address of an NHS")),
                flags=tuple(row.text("SERVER_FLAGS") or ""),
                priority=row.number("SERVER_PRIORITY"),
                cluster=row.number("SERVER_CLUSTER"),
            )
            for row in interface.servers
        ),
    )


def _peer(row: Row, nbma: Row | None, interface: str | None) -> DmvpnPeer:
    if nbma is None:
        raise row.error("a row with an NBMA address above a row without one")
    state = row.required(
        "STATE", "a row with # Ent, NBMA and tunnel address, State, UpDn Tm, Attrb"
    )
    uptime = row.text("UPTIME")
    return DmvpnPeer(
        interface=interface,
        nbma_entries=row.number("ENTRIES"),
        nbma_address=_unless_unknown(nbma.value("NBMA", values.address)),
        tunnel_address=_unless_unknown(row.value("TUNNEL", values.address)),
        state=state,
        is_up=state == "UP",
        uptime_seconds=None if uptime == "never" else row.value("UPTIME", values.duration),
        attributes=tuple(_ATTRIBUTE.findall(row.text("ATTRIBUTES") or "")),
        target_network=row.text("TARGET"),
    )


def _unless_unknown(text: str | None) -> str | None:
    """An NHRP entry that is not resolved yet has ``UNKNOWN`` for its address."""
    return None if text == "UNKNOWN" else text


def _session(block: Block) -> CryptoSession:
    block.once("SESSION_STATUS", "SESSION_HANDLE")
    flows = _parts(block, "FLOW", "ACTIVE_SAS")
    raw_status = block.required("SESSION_STATUS", "the status of a crypto session")
    status = _STATUSES.get(raw_status, SessionStatus.UNKNOWN)
    fvrf = block.text("FVRF")
    return CryptoSession(
        interface=block.text("SESSION_INTERFACE"),
        status=status,
        raw_status=raw_status,
        is_up=status in _UP,
        fvrf=None if fvrf == "(none)" else fvrf,
        phase1_id=block.text("PHASE1_ID"),
        session_handle=block.text("SESSION_HANDLE"),
        socket_state=block.text("SOCKET_STATE"),
        ike_sas=tuple(session_ike_sa(row, None) for row in _parts(block, "IKE", "CAPABILITIES")),
        flows=tuple(
            session_flow(
                row,
                outbound_spi=row.value("OUTBOUND_SPI", values.spi),
                transform=row.value("TRANSFORM", values.transform) or (),
            )
            for row in flows
        ),
    )
