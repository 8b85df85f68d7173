"""Flows as routers list them in ``show crypto ipsec sa``, from 12.2 to IOS-XE 17, and the text of such a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from itertools import groupby
from typing import Any

from hypothesis import strategies as st

from ipsecmon_parsers.records import (
    Direction,
    Flow,
    FlowKind,
    Ident,
    IpsecSa,
    Platform,
    Protocol,
    SaMode,
)
from parsers.shapes.tokens import (
    COUNTERS,
    IPV4,
    IPV6,
    NAMES,
    PORTS,
    SPIS,
    columns,
    ident_v4,
    ident_v6,
    mask,
    maybe,
)

__all__ = ["STYLES", "Style", "listings", "show"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """What one release prints and another does not."""

    platform: Platform
    is_old: bool = False
    """12.2: a dot behind ``local addr``, a blank VRF, bare SPIs, slots, no status."""
    has_slot: bool = False
    has_status: bool = True
    has_pfs: bool = True
    has_initiator: bool = False
    has_replay_window: bool = False
    is_detailed: bool = False
    timings: tuple[str, ...] = ("both",)
    engines: tuple[str, ...] = ("SW",)


_MODERN = ("both", "seconds", "bracketed", "words", "never", "none")
STYLES = {
    "12.2": Style(
        platform=Platform.IOS,
        is_old=True,
        has_slot=True,
        has_status=False,
        has_pfs=False,
        engines=("",),
    ),
    "12.4": Style(platform=Platform.IOS, has_slot=True, has_pfs=False),
    "15": Style(
        platform=Platform.IOS, timings=_MODERN, engines=("SW", "Onboard VPN", "NETGX", "HW", "")
    ),
    "15 detail": Style(platform=Platform.IOS, is_detailed=True, timings=_MODERN),
    "17": Style(
        platform=Platform.IOSXE,
        has_initiator=True,
        has_replay_window=True,
        timings=_MODERN,
        engines=("CSR", "ESG", "CAT9K-BIGBANG", "HW", ""),
    ),
}

_TRANSFORMS = st.sampled_from(
    [
        ("esp-des",),
        ("esp-null", "esp-md5-hmac"),
        ("esp-3des", "esp-sha-hmac"),
        ("esp-256-aes", "esp-sha256-hmac"),
        ("esp-gcm 256",),
        ("esp-gcm",),
    ]
)
_SETTINGS = st.sampled_from(
    [
        ("Tunnel",),
        ("Transport",),
        ("Tunnel UDP-Encaps",),
        ("Transport UDP-Encaps", "esn"),
        ("Tunnel", "esn"),
    ]
)
_STATUSES = st.sampled_from(["ACTIVE(ACTIVE)", "ACTIVE", "STANDBY(STANDBY)", "ACTIVE(STANDBY)"])
_DETAILS = (
    "no_sa_send_packets",
    "invalid_sa_recv_packets",
    "encaps_failed_send_packets",
    "decaps_failed_recv_packets",
    "invalid_prot_recv_packets",
    "verify_failed_packets",
    "invalid_identity_recv_packets",
    "invalid_len_recv_packets",
    "replay_rollover_send_packets",
    "replay_rollover_recv_packets",
    "replay_failed_recv_packets",
    "tagged_send_packets",
    "untagged_recv_packets",
    "not_tagged_send_packets",
    "not_untagged_recv_packets",
    "internal_error_send_packets",
    "internal_error_recv_packets",
)
_COMPRESSION = (
    "compressed_packets",
    "decompressed_packets",
    "not_compressed_packets",
    "compress_failed_packets",
    "not_decompressed_packets",
    "decompress_failed_packets",
)


@st.composite
def _timings(draw: st.DrawFn, style: Style) -> dict[str, Any]:
    """What is left of an SA, in one of the shapes of the release."""
    seconds = draw(st.integers(0, 86400))
    match draw(st.sampled_from(style.timings)):
        case "both":
            kilobytes = draw(st.integers(0, 2**33))
            return {"remaining_kilobytes": kilobytes, "remaining_seconds": seconds}
        case "words":
            return {"remaining_seconds": seconds // 60 * 60}
        case "never":
            return {"never_expires": True, "volume_rekey_disabled": draw(st.booleans())}
        case "none":
            return {"never_expires": True}
        case _:
            # 0 seconds alone is how manual keys are printed on some releases
            return {
                "remaining_seconds": max(1, seconds),
                "volume_rekey_disabled": draw(st.booleans()),
            }


@st.composite
def _sa(
    draw: st.DrawFn, style: Style, direction: Direction, protocol: Protocol, spi: int | None
) -> IpsecSa:
    settings = draw(_SETTINGS)
    transform = draw(_TRANSFORMS) if protocol is Protocol.ESP else ("ah-sha-hmac",)
    if protocol is Protocol.PCP:
        transform = ("comp-lzs",)
    conn_id = draw(st.integers(1, 99999))
    engine = draw(st.sampled_from(style.engines))
    replay = draw(st.booleans())
    return IpsecSa(
        direction=direction,
        protocol=protocol,
        spi=spi,
        transform=transform,
        mode=SaMode.TUNNEL if settings[0].startswith("Tunnel") else SaMode.TRANSPORT,
        settings=settings,
        nat_t="UDP-Encaps" in settings[0],
        conn_id=conn_id,
        flow_id=f"{engine}:{conn_id}" if engine else str(conn_id),
        slot=draw(st.integers(0, 9)) if style.has_slot else None,
        sibling_flags=None
        if style.has_slot
        else draw(st.sampled_from(["80000040", "FFFFFFFF80000048"])),
        crypto_map=draw(maybe(NAMES)),
        initiator=draw(st.booleans()) if style.has_initiator else None,
        iv_size_bytes=draw(maybe(st.sampled_from([0, 8, 16]))),
        replay_detection=replay,
        replay_window=draw(maybe(st.integers(64, 8192)))
        if style.has_replay_window and replay
        else None,
        status=draw(_STATUSES) if style.has_status else None,
        **draw(_timings(style)),
    )


@st.composite
def _sas(draw: st.DrawFn, style: Style) -> tuple[int, tuple[IpsecSa, ...]]:
    """The current outbound SPI and the SAs in the order of their headings; one, both or more per direction."""
    count = draw(st.integers(0, 3))
    if not count:
        return 0, ()
    spis = {
        direction: draw(st.lists(SPIS, min_size=count, max_size=count, unique=True))
        for direction in Direction
    }
    others = draw(st.sets(st.sampled_from([Protocol.AH, Protocol.PCP])))
    sas: list[IpsecSa] = []
    for direction in Direction:
        for spi in spis[direction]:
            is_hidden = (
                direction is Direction.INBOUND and style.has_initiator and draw(st.booleans())
            )
            sas.append(draw(_sa(style, direction, Protocol.ESP, None if is_hidden else spi)))
        sas += [
            draw(_sa(style, direction, protocol, draw(SPIS)))
            for protocol in (Protocol.AH, Protocol.PCP)
            if protocol in others
        ]
    return draw(st.sampled_from(spis[Direction.OUTBOUND])), tuple(sas)


@st.composite
def _counters(draw: st.DrawFn, style: Style) -> dict[str, Any]:
    names = [f"{word}_packets" for word in ("decaps", "decrypt", "verify")]
    if draw(st.integers(0, 4)):  # one listing was seen without the first line
        names += [f"{word}_packets" for word in ("encaps", "encrypt", "digest")]
    names += _COMPRESSION
    names += _DETAILS if style.is_detailed else ("send_errors", "recv_errors")
    return {name: draw(COUNTERS) for name in names}


@st.composite
def _flow(draw: st.DrawFn, style: Style, head: dict[str, Any], kind: FlowKind) -> Flow:
    is_v6 = kind in (FlowKind.OSPFV3, FlowKind.SDWAN)
    address = IPV6.map(str.upper) if is_v6 else IPV4
    idents: list[Ident] = [draw(ident_v6() if is_v6 else ident_v4()) for _ in range(2)]
    if kind in (FlowKind.DMVPN, FlowKind.OSPFV3):
        protocol = 47 if kind is FlowKind.DMVPN else 89
        idents = [
            Ident(
                address=ident.address, prefix_length=ident.prefix_length, protocol=protocol, port=0
            )
            for ident in idents
        ]
    flags: tuple[str, ...] = ("origin_is_acl",)
    if kind is FlowKind.DYNAMIC:
        flags = ()
    elif draw(st.booleans()):
        flags += ("ipsec_sa_request_sent",)
    action = draw(st.sampled_from(["PERMIT", "DENY"]))
    has_action = kind is FlowKind.DYNAMIC or draw(st.integers(0, 4)) > 0
    peer, port = draw(address), draw(PORTS.filter(lambda port: port != 848))
    if kind is FlowKind.GETVPN:
        peer, port = str(IPv4Address(0)), 848
    current, sas = draw(_sas(style))
    mtu = st.integers(68, 9216)
    has_pfs = draw(st.booleans()) if style.has_pfs else None
    return Flow(
        platform=style.platform,
        kind=kind,
        protected_vrf=None if style.is_old else draw(maybe(NAMES)),
        local_ident=idents[0],
        remote_ident=idents[1],
        peer=peer,
        peer_port=port,
        action=action if has_action else None,
        flags=flags if has_action else (),
        acl_origin="origin_is_acl" in flags if has_action else None,
        local_endpoint=draw(address),
        remote_endpoint=draw(address),
        path_mtu_bytes=draw(mtu),
        ip_mtu_bytes=draw(mtu),
        plaintext_mtu_bytes=draw(maybe(mtu)) if style.has_pfs else None,
        mtu_interface=None if kind is FlowKind.DMVPN else draw(NAMES),
        current_outbound_spi=current,
        pfs=has_pfs,
        dh_group=draw(maybe(st.sampled_from(["group2", "group14", "group21"])))
        if style.has_pfs
        else None,
        key_exchange=draw(maybe(st.sampled_from(["ML-KEM-1024", "ML-KEM-768"])))
        if style.has_initiator
        else None,
        group=draw(NAMES) if kind is FlowKind.GETVPN else None,
        sas=sas,
        **head,
        **draw(_counters(style)),
    )


_MAPS = {
    FlowKind.VTI: "Tunnel{0}-head-0",
    FlowKind.DMVPN: "Tunnel{0}-head-0",
    FlowKind.SDWAN: "Tunnel{0}-vesen-head-0",
}


@st.composite
def _interface(draw: st.DrawFn, style: Style, number: int) -> list[Flow]:
    """The flows below one header."""
    kinds = [FlowKind.CRYPTO_MAP, FlowKind.DYNAMIC, FlowKind.VTI, FlowKind.DMVPN]
    if not style.is_old:
        kinds += [FlowKind.GETVPN, FlowKind.OSPFV3, FlowKind.SDWAN]
    kind = draw(st.sampled_from(kinds))
    # GRE to two peers makes a tunnel multipoint, so a tunnel to one peer has one flow here
    count = 1 if kind is FlowKind.VTI else draw(st.integers(1, 3))
    crypto_map = _MAPS.get(kind, "").format(number) or draw(NAMES)
    head: dict[str, Any] = draw(
        columns(
            {
                "interface": st.just(f"Tunnel{number}"),
                "crypto_map": st.just(crypto_map),
                "local_address": IPV4,
            }
        )
    )
    if kind is FlowKind.OSPFV3:
        head |= draw(
            columns(
                {
                    "crypto_map": maybe(st.just(f"Tunnel{number}-OSPF-MAP")),
                    "local_address": IPV6.map(str.upper),
                    "ipsecv6_policy": maybe(NAMES),
                    "access_list": maybe(NAMES),
                }
            )
        )
    return [draw(_flow(style, head, kind)) for _ in range(count)]


def listings(style: Style) -> st.SearchStrategy[tuple[Flow, ...]]:
    """Several interfaces with several flows each, at least one flow in all."""
    return st.integers(1, 3).flatmap(
        lambda count: st.tuples(*(_interface(style, number) for number in range(count))).map(
            lambda interfaces: tuple(flow for flows in interfaces for flow in flows)
        )
    )


# --- the text ------------------------------------------------------------------------------------------------


def show(flows: Sequence[Flow], style: Style) -> str:
    """``show crypto ipsec sa``: the header once for the flows of one interface."""
    lines: list[str] = []
    for interface, below in groupby(flows, key=lambda flow: flow.interface):
        group = list(below)
        dot = "." if style.is_old else ""
        tag = group[0].crypto_map or "(none)"
        lines += ["", f"interface: {interface}"]
        lines += [f"    Crypto map tag: {tag}, local addr{dot} {group[0].local_address}", ""]
        if group[0].ipsecv6_policy:
            lines.append(f"   IPsecv6 policy name: {group[0].ipsecv6_policy}")
        if group[0].access_list:
            lines.append(f"   IPsecv6-created ACL name: {group[0].access_list}")
        for flow in group:
            lines += ["", *_flow_lines(flow, style)]
    return "\n".join(lines) + "\n"


def _ident(ident: Ident) -> str:
    length = str(ident.prefix_length) if ":" in ident.address else mask(ident.prefix_length)
    return f"({ident.address}/{length}/{ident.protocol}/{ident.port})"


def _spi(spi: int, style: Style) -> str:
    return f"{spi:X}" if style.is_old else f"0x{spi:X}({spi})"


def _flow_lines(flow: Flow, style: Style) -> list[str]:
    vrf = flow.protected_vrf or ("" if style.is_old else "(none)")
    peer = f"current_peer {flow.peer} port {flow.peer_port}"
    if style.is_old:
        peer = f"current_peer: {flow.peer}:{flow.peer_port}"
    lines = [
        f"   protected vrf: {vrf}",
        f"   local  ident (addr/mask/prot/port): {_ident(flow.local_ident)}",
        f"   remote ident (addr/mask/prot/port): {_ident(flow.remote_ident)}",
    ]
    if flow.group:
        lines.append(f"   Group: {flow.group}")
    lines.append(f"   {peer}")
    if flow.action:
        last = "," if len(flow.flags) == 1 else ""
        lines.append(f"     {flow.action}, flags={{{','.join(flow.flags)}{last}}}")
    lines += _counter_lines(flow, style)
    is_v6 = ":" in (flow.local_endpoint or "")
    remote = f"remote crypto endpt.: {flow.remote_endpoint}"
    if is_v6:
        lines += ["", f"     local crypto endpt.: {flow.local_endpoint},", f"     {remote}"]
    else:
        lines += ["", f"     local crypto endpt.: {flow.local_endpoint}, {remote}"]
    plaintext = ""
    if flow.plaintext_mtu_bytes is not None:
        plaintext = f"plaintext mtu {flow.plaintext_mtu_bytes}, "
    ip = "ipv6" if is_v6 else "ip"
    idb = flow.mtu_interface or "(none)"
    lines.append(
        f"     {plaintext}path mtu {flow.path_mtu_bytes}, {ip} mtu {flow.ip_mtu_bytes}, {ip} mtu idb {idb}"
    )
    lines.append(f"     current outbound spi: {_spi(flow.current_outbound_spi or 0, style)}")
    if style.has_pfs:
        tail = f", PQC Key Exchange: {flow.key_exchange}" if flow.key_exchange else ""
        lines.append(
            f"     PFS (Y/N): {'Y' if flow.pfs else 'N'}, DH group: {flow.dh_group or 'none'}{tail}"
        )
    for direction in Direction:
        for protocol in Protocol:
            lines += ["", f"     {direction.value} {protocol.value} sas:"]
            for sa in flow.sas:
                if (sa.direction, sa.protocol) == (direction, protocol):
                    lines += _sa_lines(sa)
    return lines


def _counter_lines(flow: Flow, style: Style) -> list[str]:
    colon = "" if style.is_old else ":"
    lines: list[str] = []
    if flow.encaps_packets is not None:
        lines.append(
            f"    #pkts encaps: {flow.encaps_packets}, #pkts encrypt: {flow.encrypt_packets}, "
            f"#pkts digest{colon} {flow.digest_packets}"
        )
    lines += [
        (
            f"    #pkts decaps: {flow.decaps_packets}, #pkts decrypt: {flow.decrypt_packets}, "
            f"#pkts verify{colon} {flow.verify_packets}"
        ),
        f"    #pkts compressed: {flow.compressed_packets}, #pkts decompressed: {flow.decompressed_packets}",
        (
            f"    #pkts not compressed: {flow.not_compressed_packets}, "
            f"#pkts compr. failed: {flow.compress_failed_packets}"
        ),
        (
            f"    #pkts not decompressed: {flow.not_decompressed_packets}, "
            f"#pkts decompress failed: {flow.decompress_failed_packets}"
        ),
    ]
    if not style.is_detailed:
        return [*lines, f"    #send errors {flow.send_errors}, #recv errors {flow.recv_errors}"]
    return [
        *lines,
        f"    #pkts no sa (send) {flow.no_sa_send_packets}, #pkts invalid sa (rcv) {flow.invalid_sa_recv_packets}",
        (
            f"    #pkts encaps failed (send) {flow.encaps_failed_send_packets}, "
            f"#pkts decaps failed (rcv) {flow.decaps_failed_recv_packets}"
        ),
        (
            f"    #pkts invalid prot (recv) {flow.invalid_prot_recv_packets}, "
            f"#pkts verify failed: {flow.verify_failed_packets}"
        ),
        (
            f"    #pkts invalid identity (recv) {flow.invalid_identity_recv_packets}, "
            f"#pkts invalid len (rcv) {flow.invalid_len_recv_packets}"
        ),
        (
            f"    #pkts replay rollover (send): {flow.replay_rollover_send_packets}, "
            f"#pkts replay rollover (rcv) {flow.replay_rollover_recv_packets}"
        ),
        f"    ##pkts replay failed (rcv): {flow.replay_failed_recv_packets}",
        f"    #pkts tagged (send): {flow.tagged_send_packets}, #pkts untagged (rcv): {flow.untagged_recv_packets}",
        (
            f"    #pkts not tagged (send): {flow.not_tagged_send_packets}, "
            f"#pkts not untagged (rcv): {flow.not_untagged_recv_packets}"
        ),
        (
            f"    #pkts internal err (send): {flow.internal_error_send_packets}, "
            f"#pkts internal err (recv) {flow.internal_error_recv_packets}"
        ),
    ]


def _timing(sa: IpsecSa) -> str:
    """The shape follows from what is known and, for the shapes that say the same, from the SPI."""
    head = "sa timing: remaining key lifetime"
    if sa.remaining_seconds is None:
        return (
            f"{head} is not applicable"
            if (sa.spi or 0) % 2 or sa.volume_rekey_disabled
            else "no sa timing"
        )
    if sa.remaining_kilobytes is not None:
        return f"{head} (k/sec): ({sa.remaining_kilobytes}/{sa.remaining_seconds})"
    if sa.remaining_seconds % 60 == 0 and not sa.volume_rekey_disabled:
        hours, minutes = sa.remaining_seconds // 3600, sa.remaining_seconds // 60 % 60
        return f"{head} {hours} hours, {minutes} mins" if hours else f"{head} {minutes} mins"
    if (sa.spi or 0) % 2:
        return f"{head.replace(': ', ':')} (sec): ({sa.remaining_seconds})"
    return f"{head} (sec): {sa.remaining_seconds}"


def _sa_lines(sa: IpsecSa) -> list[str]:
    spi = "[Not Available]" if sa.spi is None else f"0x{sa.spi:X}({sa.spi})"
    slot = "" if sa.slot is None else f"slot: {sa.slot}, "
    sibling = "" if sa.sibling_flags is None else f", sibling_flags {sa.sibling_flags}"
    initiator = "" if sa.initiator is None else f", initiator : {sa.initiator}"
    last = "" if "esn" in sa.settings else ", "
    lines = [
        f"      spi: {spi}",
        f"        transform{'.' if sa.status is None else ':'} {' '.join(sa.transform)} ,",
        f"        in use settings ={{{', '.join(sa.settings)}{last}}}",
        (
            f"        {slot}conn id: {sa.conn_id}, flow_id: {sa.flow_id}{sibling}, "
            f"crypto map: {sa.crypto_map or '(none)'}{initiator}"
        ),
        f"        {_timing(sa)}",
    ]
    if sa.volume_rekey_disabled:
        lines.append("        Kilobyte Volume Rekey has been disabled")
    if sa.iv_size_bytes is not None:
        lines.append(f"        IV size: {sa.iv_size_bytes} bytes")
    window = "" if sa.replay_window is None else f"  replay window size: {sa.replay_window}"
    lines.append(f"        replay detection support: {'Y' if sa.replay_detection else 'N'}{window}")
    if sa.status is not None:
        lines.append(f"        Status: {sa.status}")
    return lines
