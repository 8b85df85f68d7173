"""LAN-to-LAN sessions of an ASA, releases 8.2 and 9.x, and the text of ``show vpn-sessiondb detail l2l``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from ipsecmon_parsers.records import (
    Ident,
    VpnIkeTunnel,
    VpnIpsecTunnel,
    VpnPosture,
    VpnSession,
)
from parsers.shapes.tokens import BYTES, IPV4, NAMES, PORTS, TEXTS, mask, maybe

__all__ = ["listings", "show"]

_SECONDS = st.integers(0, 10**6)


@st.composite
def _ident(draw: st.DrawFn) -> Ident:
    return Ident(
        address=draw(IPV4),
        prefix_length=draw(st.integers(0, 32)),
        protocol=draw(st.sampled_from([0, 6, 17])),
        port=draw(st.sampled_from([0, 443])),
    )


@st.composite
def _ike(draw: st.DrawFn, section: str, tunnel_id: str) -> VpnIkeTunnel:
    version = 2 if section == "IKEv2" else 1
    modes: dict[str, Any] = {
        "negotiation_mode": draw(st.sampled_from(["Main", "Aggressive"])),
        "auth_mode": "preSharedKeys",
    }
    if version == 2:
        modes = {
            "remote_auth_mode": draw(st.sampled_from(["preSharedKeys", "rsaCertificate"])),
            "local_auth_mode": "preSharedKeys",
            "prf": draw(st.sampled_from(["SHA1", "SHA512"])),
        }
    return VpnIkeTunnel(
        section=section,
        version=version,
        tunnel_id=tunnel_id,
        udp_source_port=draw(PORTS),
        udp_destination_port=draw(PORTS),
        encryption=draw(st.sampled_from(["AES256", "3DES", "AES-GCM-256"])),
        hash=draw(maybe(st.sampled_from(["SHA1", "SHA256"]))),
        rekey_interval_seconds=draw(_SECONDS),
        rekey_remaining_seconds=draw(_SECONDS),
        dh_group=draw(st.integers(1, 24)),
        filter_name=draw(maybe(NAMES)),
        ipv6_filter=draw(maybe(NAMES)) if section == "IKE" else None,
        **modes,
    )


@st.composite
def _ipsec(draw: st.DrawFn, section: str, tunnel_id: str) -> VpnIpsecTunnel:
    volume = draw(maybe(st.tuples(st.integers(0, 2**32), st.integers(0, 2**32))))
    return VpnIpsecTunnel(
        section=section,
        tunnel_id=tunnel_id,
        nat_t=section == "IPsecOverNatT",
        local_ident=draw(_ident()),
        remote_ident=draw(_ident()),
        encryption=draw(st.sampled_from(["AES256", "3DES"])),
        hash=draw(maybe(st.sampled_from(["SHA1", "SHA256"]))),
        encapsulation=draw(st.sampled_from(["Tunnel", "Transport"])),
        pfs_group=draw(maybe(st.integers(1, 24))),
        rekey_interval_seconds=draw(_SECONDS),
        rekey_remaining_seconds=draw(_SECONDS),
        rekey_interval_kilobytes=volume[0] if volume else None,
        rekey_remaining_kilobytes=volume[1] if volume else None,
        idle_timeout_seconds=draw(st.integers(0, 9999)) * 60,
        idle_remaining_seconds=draw(st.integers(0, 9999)) * 60,
        transmitted_bytes=draw(BYTES),
        received_bytes=draw(BYTES),
        transmitted_packets=draw(BYTES),
        received_packets=draw(BYTES),
    )


@st.composite
def _session(draw: st.DrawFn, *, is_old: bool) -> VpnSession:
    index = draw(st.integers(1, 99999))
    ike = "IKE" if is_old else draw(st.sampled_from(["IKEv1", "IKEv2"]))
    ipsec = draw(st.sampled_from(["IPsec", "IPsecOverNatT"]))
    count = draw(st.integers(1, 3))
    posture = None
    if is_old:
        posture = VpnPosture(
            revalidation_interval_seconds=draw(_SECONDS),
            revalidation_remaining_seconds=draw(_SECONDS),
            status_query_interval_seconds=draw(_SECONDS),
            age_seconds=draw(_SECONDS),
            hold_remaining_seconds=draw(_SECONDS),
            posture_token=draw(maybe(NAMES)),
            redirect_url=draw(maybe(NAMES)),
        )
    days, rest = draw(st.integers(0, 99)), draw(st.integers(0, 86399))
    return VpnSession(
        connection=draw(IPV4 | TEXTS),
        index=index,
        address=draw(IPV4),
        protocol=f"{ike} {ipsec}",
        encryption=draw(st.sampled_from(["3DES AES256", f"{ike}: (1)AES256  {ipsec}: (3)AES256"])),
        hash=draw(st.sampled_from(["SHA1", f"{ike}: (1)SHA1  {ipsec}: (3)SHA256"])),
        transmitted_bytes=draw(BYTES),
        received_bytes=draw(BYTES),
        login_time=draw(
            st.sampled_from(["04:00:38 PDT Wed Jun 6 2018", "16:36:35 UTC Thu May 17 2018"])
        ),
        duration_seconds=days * 86400 + rest,
        ike_tunnels=1,
        ipsec_tunnels=count,
        ike=(draw(_ike(ike, f"{index}.1")),),
        ipsec=tuple(draw(_ipsec(ipsec, f"{index}.{number + 2}")) for number in range(count)),
        posture=posture,
    )


def listings(*, is_old: bool) -> st.SearchStrategy[tuple[VpnSession, ...]]:
    """No session, one or several, each with its tunnels; 8.2 closes each with ``NAC:``."""
    return st.lists(_session(is_old=is_old), max_size=3).map(tuple)


def show(sessions: Sequence[VpnSession]) -> str:
    """``show vpn-sessiondb detail l2l``."""
    if not sessions:
        return "INFO: There are presently no active sessions of the type specified\n\n"
    lines = ["", "Session Type: LAN-to-LAN Detailed", ""]
    for session in sessions:
        lines += _session_lines(session)
    return "\n".join(lines) + "\n"


def _session_lines(session: VpnSession) -> list[str]:
    seconds = session.duration_seconds or 0
    days = f"{seconds // 86400}d " if seconds >= 86400 else ""
    duration = f"{days}{seconds // 3600 % 24}h:{seconds // 60 % 60:02}m:{seconds % 60:02}s"
    algorithms = [f"Encryption   : {session.encryption:<22} Hashing      : {session.hash}"]
    if "(" in f"{session.encryption}{session.hash}":
        algorithms = [f"Encryption   : {session.encryption}", f"Hashing      : {session.hash}"]
    lines = [
        f"Connection   : {session.connection}",
        f"Index        : {session.index:<22} IP Addr      : {session.address}",
        f"Protocol     : {session.protocol}",
        *algorithms,
        f"Bytes Tx     : {session.transmitted_bytes:<22} Bytes Rx     : {session.received_bytes}",
        f"Login Time   : {session.login_time}",
        f"Duration     : {duration}",
        f"{session.ike[0].section} Tunnels: {session.ike_tunnels}",
        f"{session.ipsec[0].section} Tunnels: {session.ipsec_tunnels}",
        "",
    ]
    for ike in session.ike:
        lines += [*_ike_lines(ike), ""]
    for ipsec in session.ipsec:
        lines += [*_ipsec_lines(ipsec), "  "]
    if posture := session.posture:
        lines += [
            "NAC:",
            (
                f"  Reval Int (T): {posture.revalidation_interval_seconds} Seconds             "
                f"Reval Left(T): {posture.revalidation_remaining_seconds} Seconds"
            ),
            f"  SQ Int (T)   : {posture.status_query_interval_seconds} Seconds    EoU Age(T)   : {posture.age_seconds} Seconds",
            f"  Hold Left (T): {posture.hold_remaining_seconds} Seconds   Posture Token: {posture.posture_token or ''}",
            f"  Redirect URL : {posture.redirect_url or ''}",
            "",
        ]
    return lines


def _algorithm_line(encryption: str | None, hash_name: str | None) -> str:
    return f"  Encryption   : {encryption:<22} Hashing      : {hash_name or 'none':<22} "


def _times(interval: int | None, left: int | None) -> str:
    return f"  Rekey Int (T): {interval} Seconds          Rekey Left(T): {left} Seconds"


def _ike_lines(tunnel: VpnIkeTunnel) -> list[str]:
    lines = [
        f"{tunnel.section}:",
        f"  Tunnel ID    : {tunnel.tunnel_id}",
        f"  UDP Src Port : {tunnel.udp_source_port:<22} UDP Dst Port : {tunnel.udp_destination_port}",
    ]
    if tunnel.version == 2:
        lines += [
            f"  Rem Auth Mode: {tunnel.remote_auth_mode}",
            f"  Loc Auth Mode: {tunnel.local_auth_mode}",
        ]
    else:
        lines.append(
            f"  IKE Neg Mode : {tunnel.negotiation_mode:<22} Auth Mode    : {tunnel.auth_mode}"
        )
    lines += [
        _algorithm_line(tunnel.encryption, tunnel.hash),
        _times(tunnel.rekey_interval_seconds, tunnel.rekey_remaining_seconds),
    ]
    if tunnel.prf:
        lines.append(f"  PRF          : {tunnel.prf:<22} D/H Group    : {tunnel.dh_group}")
    else:
        lines.append(f"  D/H Group    : {tunnel.dh_group}")
    lines.append(f"  Filter Name  : {tunnel.filter_name or ''}")
    if tunnel.section == "IKE":
        lines.append(f"  IPv6 Filter  : {tunnel.ipv6_filter or ''}")
    return lines


def _address(ident: Ident | None) -> str:
    if ident is None:
        return ""
    return f"{ident.address}/{mask(ident.prefix_length)}/{ident.protocol}/{ident.port}"


def _ipsec_lines(tunnel: VpnIpsecTunnel) -> list[str]:
    pfs = "" if tunnel.pfs_group is None else f"    PFS Group    : {tunnel.pfs_group}"
    lines = [
        f"{tunnel.section}:",
        f"  Tunnel ID    : {tunnel.tunnel_id}",
        f"  Local Addr   : {_address(tunnel.local_ident)}",
        f"  Remote Addr  : {_address(tunnel.remote_ident)}",
        _algorithm_line(tunnel.encryption, tunnel.hash),
        f"  Encapsulation: {tunnel.encapsulation:<18}{pfs}",
        _times(tunnel.rekey_interval_seconds, tunnel.rekey_remaining_seconds),
    ]
    if tunnel.rekey_interval_kilobytes is not None:
        lines.append(
            f"  Rekey Int (D): {tunnel.rekey_interval_kilobytes} K-Bytes        "
            f"Rekey Left(D): {tunnel.rekey_remaining_kilobytes} K-Bytes        "
        )
    idle, left = (
        (tunnel.idle_timeout_seconds or 0) // 60,
        (tunnel.idle_remaining_seconds or 0) // 60,
    )
    return [
        *lines,
        f"  Idle Time Out: {idle} Minutes             Idle TO Left : {left} Minutes             ",
        f"  Bytes Tx     : {tunnel.transmitted_bytes:<22} Bytes Rx     : {tunnel.received_bytes:<22} ",
        f"  Pkts Tx      : {tunnel.transmitted_packets:<22} Pkts Rx      : {tunnel.received_packets:<17} ",
    ]
