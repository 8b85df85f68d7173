"""Sessions of ``show crypto session``, plain, in detail and brief, and the tunnels of ``show dmvpn``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from hypothesis import strategies as st

from ipsecmon_parsers.records import (
    CryptoSession,
    DmvpnInterface,
    DmvpnNextHopServer,
    DmvpnPeer,
    Ident,
    SessionFlow,
    SessionIkeSa,
    SessionStatus,
)
from parsers.shapes.tokens import (
    COUNTERS,
    DURATIONS,
    HOSTS,
    IPV4,
    IPV6,
    NAMES,
    PORTS,
    SPIS,
    TEXTS,
    clock,
    mask,
    maybe,
)

__all__ = ["briefs", "dmvpn", "sessions", "show_briefs", "show_dmvpn", "show_sessions"]

_UP = frozenset({"UP-ACTIVE", "UP-IDLE", "UP-NO-IKE"})
_KNOWN = [status for status in SessionStatus if status is not SessionStatus.UNKNOWN]


@st.composite
def _ike_sa(draw: st.DrawFn, *, is_detailed: bool, is_v6: bool) -> SessionIkeSa:
    address = IPV6 if is_v6 else IPV4
    status = draw(st.sampled_from(["Active", "Inactive"]))
    details: dict[str, Any] = {}
    if is_detailed:
        details = {
            "capabilities": tuple(draw(st.sets(st.sampled_from("CDKNXFRU")).map(sorted))),
            "conn_id": draw(st.integers(0, 99999)),
            "remaining_seconds": draw(DURATIONS),
        }
    return SessionIkeSa(
        version=draw(st.sampled_from([1, 2])),
        local=draw(address),
        local_port=draw(PORTS),
        remote=draw(address),
        remote_port=draw(PORTS),
        status=status,
        is_active=status == "Active",
        session_id=draw(maybe(st.integers(0, 99999))),
        **details,
    )


def _side(ident: Ident, *, is_host: bool) -> str:
    port = f" port {ident.port}" if ident.port else ""
    if is_host:
        return f"host {ident.address}{port}"
    length = str(ident.prefix_length) if ":" in ident.address else mask(ident.prefix_length)
    return f"{ident.address}/{length}{port}"


@st.composite
def _selector(draw: st.DrawFn) -> dict[str, Any]:
    """``permit 47 host 192.0.2.1 host 198.51.100.1`` with what it means."""
    protocol = draw(st.sampled_from(["ip", "ipv6", "47", "17"]))
    is_v6 = protocol == "ipv6"
    sides: list[tuple[Ident, bool]] = []
    for _ in range(2):
        is_host = draw(st.booleans())
        longest = 128 if is_v6 else 32
        ident = Ident(
            address=draw(IPV6 if is_v6 else IPV4),
            prefix_length=longest if is_host else draw(st.integers(0, longest)),
            protocol=int(protocol) if protocol.isdigit() else 0,
            port=draw(PORTS) if protocol == "17" else 0,
        )
        sides.append((ident, is_host))
    action = draw(st.sampled_from(["permit", "deny"]))
    words = " ".join(_side(ident, is_host=is_host) for ident, is_host in sides)
    return {
        "selector": f"{action} {protocol} {words}",
        "action": action,
        "protocol": protocol,
        "local_ident": sides[0][0],
        "remote_ident": sides[1][0],
    }


@st.composite
def _flow(draw: st.DrawFn, *, is_detailed: bool) -> SessionFlow:
    details: dict[str, Any] = {}
    if is_detailed:
        is_disabled = draw(st.booleans())
        for side in ("inbound", "outbound"):
            details[f"{side}_dropped_packets"] = draw(COUNTERS)
            details[f"{side}_remaining_kilobytes"] = None if is_disabled else draw(COUNTERS)
            details[f"{side}_remaining_seconds"] = draw(st.integers(0, 86400))
        details["decrypted_packets"] = draw(COUNTERS)
        details["encrypted_packets"] = draw(COUNTERS)
        details["volume_rekey_disabled"] = is_disabled
    return SessionFlow(
        active_sas=draw(st.integers(0, 8)),
        origin=draw(st.sampled_from(["crypto map", "dynamic crypto map"])),
        **draw(_selector()),
        **details,
    )


@st.composite
def _session(draw: st.DrawFn, *, is_detailed: bool) -> CryptoSession:
    is_v6 = draw(st.booleans())
    raw_status = draw(st.sampled_from([status.value for status in _KNOWN] + ["UP-STRANGE"]))
    details: dict[str, Any] = {}
    if is_detailed:
        details = {
            "fvrf": draw(maybe(NAMES)),
            "vrf": draw(maybe(NAMES)),
            "phase1_id": draw(maybe(HOSTS | IPV4)),
            "description": draw(maybe(TEXTS)),
        }
    return CryptoSession(
        interface=draw(NAMES),
        username=draw(maybe(NAMES)),
        profile=draw(maybe(TEXTS)),
        group=draw(maybe(NAMES)),
        assigned_address=draw(maybe(IPV4)),
        uptime_seconds=draw(maybe(DURATIONS)),
        status=SessionStatus.UNKNOWN if raw_status == "UP-STRANGE" else SessionStatus(raw_status),
        raw_status=raw_status,
        is_up=raw_status in _UP,
        peer=draw(IPV6 if is_v6 else IPV4),
        peer_port=draw(PORTS),
        ike_sas=tuple(draw(st.lists(_ike_sa(is_detailed=is_detailed, is_v6=is_v6), max_size=3))),
        flows=tuple(draw(st.lists(_flow(is_detailed=is_detailed), min_size=1, max_size=3))),
        **details,
    )


def sessions(*, is_detailed: bool) -> st.SearchStrategy[tuple[CryptoSession, ...]]:
    """No session, one or several."""
    return st.lists(_session(is_detailed=is_detailed), max_size=3).map(tuple)


def show_sessions(listed: Sequence[CryptoSession], *, is_detailed: bool) -> str:
    """``show crypto session [detail]``."""
    lines = ["Crypto session current status", ""]
    if is_detailed:
        lines += [
            "Code: C - IKE Configuration mode, D - Dead Peer Detection     ",
            "K - Keepalives, N - NAT-traversal, T - cTCP encapsulation     ",
            "X - IKE Extended Authentication, F - IKE Fragmentation",
            "R - IKE Auto Reconnect, U - IKE Dynamic Route Update",
            *("S - SIP VPN", ""),
        ]
    for session in listed:
        lines.append(f"Interface: {session.interface}")
        heads = (
            ("Username", session.username),
            ("Profile", session.profile),
            ("Group", session.group),
            ("Assigned address", session.assigned_address),
            ("Uptime", None if session.uptime_seconds is None else clock(session.uptime_seconds)),
        )
        lines += [f"{word}: {text}" for word, text in heads if text is not None]
        lines.append(f"Session status: {session.raw_status:<14}")
        vrfs = f"fvrf: {session.fvrf or '(none)'} ivrf: {session.vrf or '(none)'}"
        peer = (session.peer or "").upper()
        lines.append(f"Peer: {peer} port {session.peer_port} {vrfs if is_detailed else ''}")
        if is_detailed:
            lines.append(f"      Phase1_id: {session.phase1_id or '(none)'}")
            lines.append(f"      Desc: {session.description or '(none)'}")
        for sa in session.ike_sas:
            lines += _ike_lines(sa)
        for flow in session.flows:
            lines += _flow_lines(flow)
        lines.append("")
    return "\n".join(lines) + "\n"


def _ike_lines(sa: SessionIkeSa) -> list[str]:
    lines = [] if sa.session_id is None else [f"  Session ID: {sa.session_id}  "]
    local, remote = f"{sa.local}/{sa.local_port}", f"{sa.remote}/{sa.remote_port}"
    word = f"IKEv{sa.version}" if sa.version == 2 or sa.session_id is not None else "IKE"
    if ":" in sa.local:
        lines += [
            f"  {word} SA: local {local.upper()} ",
            f"          remote {remote.upper()} {sa.status} ",
        ]
    else:
        lines.append(f"  {word} SA: local {local} remote {remote} {sa.status} ")
    if sa.conn_id is not None:
        letters = "".join(sa.capabilities) or "(none)"
        left = clock(sa.remaining_seconds) if sa.remaining_seconds else "0"
        lines.append(f"          Capabilities:{letters} connid:{sa.conn_id} lifetime:{left}")
    return lines


def _flow_lines(flow: SessionFlow) -> list[str]:
    lines = [
        f"  IPSEC FLOW: {flow.selector} ",
        f"        Active SAs: {flow.active_sas}, origin: {flow.origin}",
    ]
    if flow.inbound_remaining_seconds is None:
        return lines
    volumes = [
        "KB Vol Rekey Disabled" if volume is None else str(volume)
        for volume in (flow.inbound_remaining_kilobytes, flow.outbound_remaining_kilobytes)
    ]
    return [
        *lines,
        (
            f"        Inbound:  #pkts dec'ed {flow.decrypted_packets} drop {flow.inbound_dropped_packets} "
            f"life (KB/Sec) {volumes[0]}/{flow.inbound_remaining_seconds}"
        ),
        (
            f"        Outbound: #pkts enc'ed {flow.encrypted_packets} drop {flow.outbound_dropped_packets} "
            f"life (KB/Sec) {volumes[1]}/{flow.outbound_remaining_seconds}"
        ),
    ]


_LETTERS = {
    "UA": SessionStatus.UP_ACTIVE,
    "UI": SessionStatus.UP_IDLE,
    "UK": SessionStatus.UP_NO_IKE,
    "UAS": SessionStatus.UP_ACTIVE_STANDBY,
    "UIS": SessionStatus.UP_IDLE_STANDBY,
    "D": SessionStatus.DOWN,
    "DN": SessionStatus.DOWN_NEGOTIATING,
    "UDI": SessionStatus.UNKNOWN,
}
_INTERFACES = st.sampled_from(["Tu0", "Gi0/0/1.20", "Vi2", "Po1"])


@st.composite
def _brief(draw: st.DrawFn, vrf: str | None) -> CryptoSession:
    letters = draw(st.sampled_from(sorted(_LETTERS)))
    phase1 = draw(maybe(HOSTS | IPV4))
    return CryptoSession(
        interface=draw(_INTERFACES),
        # a user without an identity would stand where the identity does
        username=draw(maybe(NAMES)) if phase1 else None,
        uptime_seconds=draw(maybe(DURATIONS)),
        status=_LETTERS[letters],
        raw_status=letters,
        is_up=letters in ("UA", "UI", "UK"),
        peer=draw(IPV4),
        vrf=vrf,
        phase1_id=phase1,
    )


def briefs() -> st.SearchStrategy[tuple[CryptoSession, ...]]:
    """Sessions without a VRF, then those of two VRFs."""
    groups = [st.lists(_brief(vrf), max_size=3) for vrf in (None, "RED", "BLUE_2")]
    return st.tuples(*groups).map(lambda found: tuple(one for group in found for one in group))


def show_briefs(listed: Sequence[CryptoSession]) -> str:
    """``show crypto session brief``."""
    lines = [
        "Status: A- Active, U - Up, D - Down, I - Idle, S - Standby, N - Negotiating",
        "        K - No IKE",
    ]
    title = "           Peer     I/F          Username         Group/Phase1_id   Uptime Status"
    if not listed:
        lines += ["ivrf = (none)", title]
    for vrf, group in groupby(listed, key=lambda session: session.vrf):
        lines += [f"ivrf = {vrf or '(none)'}", title]
        for session in group:
            uptime = "" if session.uptime_seconds is None else clock(session.uptime_seconds)
            lines.append(
                f"{session.peer:>15}     {session.interface:<12} {session.username or '':<16} "
                f"{session.phase1_id or '':>15} {uptime:>8} {session.raw_status:>6}"
            )
        lines.append("")
    return "\n".join(lines) + "\n"


# --- show dmvpn ------------------------------------------------------------------------------------------------

_Dmvpn = DmvpnInterface | DmvpnPeer | CryptoSession
_ATTRIBUTES = st.lists(
    st.sampled_from(["S", "D", "I", "N", "L", "X", "T1", "T2", "C"]),
    min_size=1,
    max_size=3,
    unique=True,
)


@st.composite
def _peers(draw: st.DrawFn, interface: str, *, is_detailed: bool) -> list[DmvpnPeer]:
    """The rows of one table: each NBMA address with one tunnel address or several."""
    rows: list[DmvpnPeer] = []
    for _ in range(draw(st.integers(0, 3))):
        entries = draw(st.integers(1, 3))
        nbma = draw(maybe(IPV4))
        for number in range(entries):
            state = draw(st.sampled_from(["UP", "NHRP", "IKE", "IPSEC", "INTF"]))
            rows.append(
                DmvpnPeer(
                    interface=interface,
                    nbma_entries=entries if number == 0 else None,
                    nbma_address=nbma,
                    tunnel_address=draw(IPV4),
                    state=state,
                    is_up=state == "UP",
                    uptime_seconds=draw(maybe(DURATIONS)),
                    attributes=tuple(draw(_ATTRIBUTES)),
                    target_network=draw(st.builds("{}/32".format, IPV4)) if is_detailed else None,
                )
            )
    return rows


@st.composite
def _dmvpn_session(draw: st.DrawFn, interface: str) -> CryptoSession:
    raw_status = draw(st.sampled_from(["UP-ACTIVE", "DOWN", "UP-NO-IKE", "DOWN-NEGOTIATING"]))
    ike_sa = _ike_sa(is_detailed=True, is_v6=False)
    sas = [replace(sa, session_id=None) for sa in draw(st.lists(ike_sa, max_size=2))]
    transforms = st.sampled_from([("esp-des",), ("esp-aes 256", "esp-sha-hmac")])
    flows = [
        replace(flow, outbound_spi=draw(SPIS), transform=draw(transforms))
        for flow in draw(st.lists(_flow(is_detailed=True), min_size=1, max_size=2))
    ]
    return CryptoSession(
        interface=interface,
        status=SessionStatus(raw_status),
        raw_status=raw_status,
        is_up=raw_status in _UP,
        fvrf=draw(maybe(NAMES)),
        phase1_id=draw(maybe(HOSTS | IPV4)),
        session_handle=f"0x{draw(SPIS):08X}",
        socket_state=draw(st.sampled_from(["Open", "Closed"])),
        ike_sas=tuple(sas),
        flows=tuple(flows),
    )


@st.composite
def _server(draw: st.DrawFn) -> DmvpnNextHopServer:
    return DmvpnNextHopServer(
        address=draw(IPV4),
        flags=tuple(draw(st.sampled_from(["RE", "E", "W"]))),
        priority=draw(st.integers(0, 255)),
        cluster=draw(st.integers(0, 9)),
    )


@st.composite
def dmvpn(draw: st.DrawFn, *, is_detailed: bool) -> tuple[_Dmvpn, ...]:
    """Interfaces each with its peers; in detail the crypto sessions behind them."""
    records: list[_Dmvpn] = []
    names = draw(st.lists(st.integers(0, 999).map("Tunnel{}".format), max_size=3, unique=True))
    for name in names:
        details: dict[str, Any] = {}
        if is_detailed:
            details = {
                "state": draw(st.sampled_from(["up/up", "up/down"])),
                "address": draw(IPV4),
                "vrf": draw(maybe(NAMES)),
                "tunnel_source": draw(IPV4),
                "tunnel_destination": draw(st.just("MGRE") | IPV4),
                "tunnel_vrf": draw(maybe(NAMES)),
                "transport": draw(st.sampled_from(["multi-GRE/IP", "GRE/IP"])),
                "protect": draw(maybe(NAMES)),
                "state_control": draw(st.sampled_from(["Enabled", "Disabled"])),
                "event_publisher": "Disabled",
                "next_hop_servers": tuple(draw(st.lists(_server(), max_size=2))),
            }
        peers = draw(_peers(name, is_detailed=is_detailed))
        records.append(
            DmvpnInterface(
                interface=name,
                node_type=draw(st.sampled_from(["Hub", "Spoke", "Hub/Spoke"])),
                nhrp_peers=sum(peer.nbma_entries is not None for peer in peers),
                **details,
            )
        )
        records += peers
    if is_detailed and names:
        records += draw(st.lists(st.sampled_from(names).flatmap(_dmvpn_session), max_size=2))
    return tuple(records)


def show_dmvpn(records: Sequence[_Dmvpn], *, is_detailed: bool) -> str:
    """``show dmvpn [detail]``."""
    lines = [
        "Legend: Attrb --> S - Static, D - Dynamic, I - Incomplete",
        "        N - NATed, L - Local, X - No Socket",
        "        T1 - Route Installed, T2 - Nexthop-override",
        "        C - CTS Capable",
        "        # Ent --> Number of NHRP entries with same NBMA peer",
        "        NHS Status: E --> Expecting Replies, R --> Responding, W --> Waiting",
        "        UpDn Time --> Up or Down Time for a Tunnel",
        "=" * 74,
        "",
    ]
    has_sessions = False
    for record in records:
        match record:
            case DmvpnInterface():
                lines += _interface_lines(record, is_detailed=is_detailed)
            case DmvpnPeer():
                lines.append(_peer_row(record))
            case CryptoSession():
                if not has_sessions:
                    lines += ["", "", "Crypto Session Details:", "-" * 80, ""]
                    has_sessions = True
                lines += _dmvpn_session_lines(record)
    if is_detailed:
        lines += ["", "Pending DMVPN Sessions:", ""]
    return "\n".join(lines) + "\n"


def _interface_lines(record: DmvpnInterface, *, is_detailed: bool) -> list[str]:
    if not is_detailed:
        return [
            "",
            f"Interface: {record.interface}, IPv4 NHRP Details",
            f"Type:{record.node_type}, NHRP Peers:{record.nhrp_peers},",
            "",
            " # Ent  Peer NBMA Addr Peer Tunnel Add State  UpDn Tm Attrb",
            " ----- --------------- --------------- ----- -------- -----",
        ]
    return [
        "",
        f'Interface {record.interface} is {record.state}, Addr. is {record.address}, VRF "{record.vrf or ""}"',
        f'   Tunnel Src./Dest. addr: {record.tunnel_source}/{record.tunnel_destination}, Tunnel VRF "{record.tunnel_vrf or ""}"',
        f'   Protocol/Transport: "{record.transport}", Protect "{record.protect or ""}"',
        f"   Interface State Control: {record.state_control}",
        f"   nhrp event-publisher : {record.event_publisher}",
        "",
        *(
            f"IPv4 NHS: {server.address}  {''.join(server.flags)} priority = {server.priority} cluster = {server.cluster}"
            for server in record.next_hop_servers
        ),
        f"Type:{record.node_type}, Total NBMA Peers (v4/v6): {record.nhrp_peers}",
        "",
        "# Ent  Peer NBMA Addr Peer Tunnel Add State  UpDn Tm Attrb    Target Network",
        "----- --------------- --------------- ----- -------- ----- -----------------",
    ]


def _peer_row(peer: DmvpnPeer) -> str:
    uptime = "never" if peer.uptime_seconds is None else clock(peer.uptime_seconds)
    nbma = ""
    if peer.nbma_entries is not None:
        nbma = f"{peer.nbma_entries:>5} {peer.nbma_address or 'UNKNOWN':<15}"
    return (
        f"{nbma:<21} {peer.tunnel_address:>15} {peer.state:>5} {uptime:>8} "
        f"{''.join(peer.attributes):>5}   {peer.target_network or ''}"
    )


def _dmvpn_session_lines(session: CryptoSession) -> list[str]:
    lines = [f"Interface: {session.interface}", f"Session: [{session.session_handle}]"]
    for sa in session.ike_sas:
        lines += [line.replace("IKE SA", "IKEv1 SA") for line in _ike_lines(sa)]
    lines.append(f"  Crypto Session Status: {session.raw_status}")
    phase1 = f"     Phase1_id: {session.phase1_id}" if session.phase1_id else ""
    head = f"  fvrf: {session.fvrf or '(none)'},{phase1}"
    for number, flow in enumerate(session.flows):
        text = _flow_lines(flow)
        if number == 0 and not phase1:
            text[0] = f"{head}   {text[0].strip()}"
        elif number == 0:
            lines.append(head)
        lines += text
        lines.append(
            f"   Outbound SPI : 0x{flow.outbound_spi:X}, transform : {' '.join(flow.transform)} "
        )
    return [*lines, f"    Socket State: {session.socket_state}", ""]
