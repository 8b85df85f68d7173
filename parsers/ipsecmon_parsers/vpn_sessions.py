"""Rows of ASA's ``show vpn-sessiondb detail l2l`` -> ``VpnSession`` records.

::

    Connection   : 192.0.2.18
    Index        : 2576                   IP Addr      : 192.0.2.18
    Bytes Tx     : 41618993999            Bytes Rx     : 25353000310
    IKEv2 Tunnels: 1
    IPsec Tunnels: 3

    IPsec:
      Tunnel ID    : 2576.3
      Local Addr   : 0.0.0.0/0.0.0.0/0/0
      Rekey Int (T): 3600 Seconds           Rekey Left(T): 728 Seconds

The last session of a text must have as many blocks as its counts say, the last block its closing line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ipsecmon_parsers import values
from ipsecmon_parsers.blocks import Block, ends_inside_a_line
from ipsecmon_parsers.engines import Row, Table
from ipsecmon_parsers.records import (
    Platform,
    VpnIkeTunnel,
    VpnIpsecTunnel,
    VpnPosture,
    VpnSession,
)

__all__ = ["build_vpn_sessions"]

_MINUTE_SECONDS = 60
# a number that begins with 0 cannot go on
_WHOLE = re.compile(r": 0$|Pkts Rx *: \d+ +$|of the type specified$|Redirect URL *: ?$")


@dataclass(slots=True)
class _Session:
    head: Block
    ike: list[Block] = field(default_factory=list[Block])
    ipsec: list[Block] = field(default_factory=list[Block])
    nac: Row | None = None
    last: Block | None = None


def build_vpn_sessions(table: Table, _: Platform) -> tuple[VpnSession, ...]:
    """The LAN-to-LAN sessions; ``INFO: There are presently no active sessions`` is zero records."""
    sessions: list[_Session] = []
    says_none = False
    for row in table:
        if row.text("NONE"):
            says_none = True
        elif row.text("CONNECTION_LINE"):
            sessions.append(_Session(Block([row])))
        elif not sessions:
            raise row.error("the line 'Connection' of a session")
        elif row.text("IKE"):
            sessions[-1].ike.append(_opened(sessions[-1], row))
        elif row.text("IPSEC"):
            sessions[-1].ipsec.append(_opened(sessions[-1], row))
        elif row.text("NAC"):
            sessions[-1].nac, sessions[-1].last = row, None
        elif row.text("INDEX"):
            sessions[-1].head.rows.append(row)
        elif (last := sessions[-1].last) is not None:
            last.rows.append(row)
        else:
            raise row.error("a block of a session, such as 'IPsec:'")
    if not table.complete:
        _refuse_cut(table, sessions, says_none=says_none)
    for session in sessions:
        table.made_of(session.head.rows[0])
    return tuple(_session(session) for session in sessions)


def _opened(session: _Session, row: Row) -> Block:
    session.last = Block([row])
    return session.last


def _refuse_cut(table: Table, sessions: list[_Session], *, says_none: bool) -> None:
    whole = f"{max(0, len(sessions) - 1)} sessions before it were whole"
    if ends_inside_a_line(table, _WHOLE):
        raise table.truncated("the rest of the last line", whole)
    if not sessions:
        if not says_none:
            raise table.truncated("a session, or the word that there is none", whole)
        return
    last = sessions[-1]
    ike, ipsec = last.head.number("IKE_TUNNELS"), last.head.number("IPSEC_TUNNELS")
    if ike is None or ipsec is None or len(last.ike) < ike or len(last.ipsec) < ipsec:
        raise table.truncated("as many tunnels as the session counts", whole)
    if any(row.text("PACKETS_RX") is None for row in last.ipsec):
        raise table.truncated("the packets of the last tunnel", whole)
    if any(row.text("DH_GROUP") is None for row in last.ike):
        raise table.truncated("the group of the IKE tunnel", whole)
    # a release that knows no IKEv2 closes every session with this block
    is_old = any(row.text("IKE") == "IKE" for row in last.ike)
    if is_old if last.nac is None else last.nac.text("REDIRECT") is None:
        raise table.truncated("the block 'NAC:' to its end", whole)


def _session(session: _Session) -> VpnSession:
    head = session.head
    head.once("INDEX")
    return VpnSession(
        connection=head.text("CONNECTION"),
        index=int(head.required("INDEX", "the index of a session")),
        address=head.value("ADDRESS", values.address),
        protocol=head.text("PROTOCOL"),
        encryption=head.text("ENCRYPTION"),
        hash=head.text("HASHING"),
        transmitted_bytes=head.number("BYTES_TX"),
        received_bytes=head.number("BYTES_RX"),
        login_time=head.text("LOGIN_TIME"),
        duration_seconds=head.value("DURATION", values.duration),
        ike_tunnels=head.number("IKE_TUNNELS"),
        ipsec_tunnels=head.number("IPSEC_TUNNELS"),
        ike=tuple(_ike_tunnel(row) for row in session.ike),
        ipsec=tuple(_ipsec_tunnel(row) for row in session.ipsec),
        posture=None if session.nac is None else _posture(session.nac),
    )


def _ike_tunnel(row: Block) -> VpnIkeTunnel:
    row.once("TUNNEL_ID")
    section = row.required("IKE", "the title of an IKE block")
    return VpnIkeTunnel(
        section=section,
        version=2 if section == "IKEv2" else 1,
        tunnel_id=row.required("TUNNEL_ID", "the tunnel ID of an IKE block"),
        udp_source_port=row.number("SOURCE_PORT"),
        udp_destination_port=row.number("DESTINATION_PORT"),
        negotiation_mode=row.text("NEGOTIATION_MODE"),
        auth_mode=row.text("AUTH_MODE"),
        remote_auth_mode=row.text("REMOTE_AUTH_MODE"),
        local_auth_mode=row.text("LOCAL_AUTH_MODE"),
        encryption=row.text("ENCRYPTION"),
        hash=_unless_none(row.text("HASHING")),
        rekey_interval_seconds=row.number("INTERVAL_SECONDS"),
        rekey_remaining_seconds=row.number("LEFT_SECONDS"),
        prf=row.text("PRF"),
        dh_group=row.number("DH_GROUP"),
        filter_name=row.text("FILTER"),
        ipv6_filter=row.text("IPV6_FILTER"),
    )


def _ipsec_tunnel(row: Block) -> VpnIpsecTunnel:
    row.once("TUNNEL_ID")
    section = row.required("IPSEC", "the title of an IPsec block")
    return VpnIpsecTunnel(
        section=section,
        tunnel_id=row.required("TUNNEL_ID", "the tunnel ID of an IPsec block"),
        nat_t=section == "IPsecOverNatT",
        local_ident=row.value("LOCAL_ADDRESS", values.ident_text),
        remote_ident=row.value("REMOTE_ADDRESS", values.ident_text),
        encryption=row.text("ENCRYPTION"),
        hash=_unless_none(row.text("HASHING")),
        encapsulation=row.text("ENCAPSULATION"),
        pfs_group=row.number("PFS_GROUP"),
        rekey_interval_seconds=row.number("INTERVAL_SECONDS"),
        rekey_remaining_seconds=row.number("LEFT_SECONDS"),
        rekey_interval_kilobytes=row.number("INTERVAL_KILOBYTES"),
        rekey_remaining_kilobytes=row.number("LEFT_KILOBYTES"),
        idle_timeout_seconds=_seconds(row.number("IDLE_MINUTES")),
        idle_remaining_seconds=_seconds(row.number("IDLE_LEFT_MINUTES")),
        transmitted_bytes=row.number("BYTES_TX"),
        received_bytes=row.number("BYTES_RX"),
        transmitted_packets=row.number("PACKETS_TX"),
        received_packets=row.number("PACKETS_RX"),
    )


def _unless_none(text: str | None) -> str | None:
    """A combined cipher has no hash: ``Hashing : none``."""
    return None if text == "none" else text


def _seconds(minutes: int | None) -> int | None:
    return None if minutes is None else minutes * _MINUTE_SECONDS


def _posture(row: Row) -> VpnPosture:
    return VpnPosture(
        revalidation_interval_seconds=row.number("REVALIDATION"),
        revalidation_remaining_seconds=row.number("REVALIDATION_LEFT"),
        status_query_interval_seconds=row.number("QUERY"),
        age_seconds=row.number("AGE"),
        hold_remaining_seconds=row.number("HOLD_LEFT"),
        posture_token=row.text("POSTURE_TOKEN"),
        redirect_url=row.text("REDIRECT_URL"),
    )
