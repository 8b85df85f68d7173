"""Flows as an ASA lists them in ``show crypto ipsec sa``, releases 8 and 9, and the text of such a list."""

from __future__ import annotations

from collections.abc import Sequence
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
from parsers.shapes.tokens import COUNTERS, IPV4, NAMES, SPIS, ident_v4, mask, maybe

__all__ = ["listings", "show"]

_COUNTED = (
    *(f"{word}_packets" for word in ("encaps", "encrypt", "digest", "decaps", "decrypt", "verify")),
    *("compressed_packets", "decompressed_packets", "not_compressed_packets"),
    *("compress_failed_packets", "decompress_failed_packets"),
    *("pre_frag_successes", "pre_frag_failures", "fragments_created"),
    *("pmtus_sent", "pmtus_received", "frags_needing_reassembly", "send_errors", "recv_errors"),
)
_NEW = (
    *("tfc_received", "tfc_sent", "valid_icmp_errors_received", "invalid_icmp_errors_received"),
    "pmtu_time_remaining_seconds",
)


@st.composite
def _idents(draw: st.DrawFn) -> Ident:
    ident = draw(ident_v4())
    last = draw(maybe(st.integers(ident.port, 65535)))
    return Ident(
        address=ident.address,
        prefix_length=ident.prefix_length,
        protocol=ident.protocol,
        port=ident.port,
        last_port=last,
    )


@st.composite
def _sa(
    draw: st.DrawFn, direction: Direction, spi: int, crypto_map: str, *, is_new: bool
) -> IpsecSa:
    words = draw(
        st.sampled_from(
            [
                ("L2L", "Tunnel", "IKEv1"),
                ("RA", "Transport"),
                ("L2L", "Tunnel", "NAT-T-Encaps", "IKEv2"),
            ]
        )
    )
    is_volume_tracked = draw(st.booleans())
    return IpsecSa(
        direction=direction,
        protocol=Protocol.ESP,
        spi=spi,
        transform=draw(
            st.sampled_from(
                [("esp-aes-256", "esp-sha-hmac"), ("esp-3des", "esp-none"), ("esp-aes-gcm-256",)]
            )
        ),
        mode=SaMode.TUNNEL if "Tunnel" in words else SaMode.TRANSPORT,
        settings=words,
        nat_t="NAT-T-Encaps" in words,
        conn_id=draw(st.integers(0, 2**31)),
        slot=draw(st.integers(0, 1)),
        crypto_map=crypto_map,
        remaining_kilobytes=draw(st.integers(0, 2**33)) if is_volume_tracked else None,
        remaining_seconds=draw(st.integers(1, 86400)),
        iv_size_bytes=draw(st.sampled_from([0, 8, 16])),
        replay_detection=draw(st.booleans()),
        status="active" if is_new else None,
    )


@st.composite
def _flow(draw: st.DrawFn, interface: str, *, is_new: bool) -> Flow:
    crypto_map = draw(st.sampled_from(["__vti-crypto-map-4-0-1"]) | NAMES)
    dynamic = draw(maybe(IPV4))
    kind = FlowKind.DYNAMIC if dynamic else FlowKind.CRYPTO_MAP
    if crypto_map.startswith("__vti-"):
        kind = FlowKind.VTI
    count = draw(st.integers(1, 3))
    inbound, outbound = (
        draw(st.lists(SPIS, min_size=count, max_size=count, unique=True)) for _ in range(2)
    )
    counters: dict[str, Any] = {
        name: draw(COUNTERS) for name in (*_COUNTED, *(_NEW if is_new else ()))
    }
    if is_new:
        counters["is_icmp_error_validation_enabled"] = draw(st.booleans())
        counters["is_tfc_enabled"] = draw(st.booleans())
        counters["not_offload_decrypted_packets"] = draw(maybe(COUNTERS))
        counters["local_endpoint_port"] = draw(st.sampled_from([0, 500, 4500]))
        counters["remote_endpoint_port"] = draw(st.integers(0, 65535))
        counters["df_policy"] = draw(st.sampled_from(["copy-df", "clear-df", "set-df"]))
        counters["current_inbound_spi"] = inbound[-1]
    return Flow(
        platform=Platform.ASA,
        kind=kind,
        interface=interface,
        crypto_map=crypto_map,
        crypto_map_seq=draw(st.integers(1, 65535)) if is_new else None,
        local_address=draw(IPV4),
        protected_vrf=draw(maybe(NAMES)) if is_new else None,
        local_ident=draw(_idents()),
        remote_ident=draw(_idents()),
        peer=draw(IPV4 | NAMES),
        peer_port=None,
        username=draw(maybe(NAMES)),
        dynamic_peer_address=dynamic,
        access_list=draw(
            maybe(st.builds("{} extended permit ip any4 host {}".format, NAMES, IPV4))
        ),
        local_endpoint=draw(IPV4),
        remote_endpoint=draw(IPV4),
        path_mtu_bytes=draw(st.integers(68, 9216)),
        media_mtu_bytes=draw(st.integers(68, 9216)),
        ipsec_overhead_bytes=draw(st.integers(0, 200)),
        current_outbound_spi=draw(st.sampled_from(outbound)),
        sas=(
            *(draw(_sa(Direction.INBOUND, spi, crypto_map, is_new=is_new)) for spi in inbound),
            *(draw(_sa(Direction.OUTBOUND, spi, crypto_map, is_new=is_new)) for spi in outbound),
        ),
        **counters,
    )


def listings(*, is_new: bool) -> st.SearchStrategy[tuple[Flow, ...]]:
    """Flows on two interfaces, sorted by interface as the device does; 9.x prints more than 8.x."""
    flow = st.sampled_from(["inside", "out-side.1"]).flatmap(
        lambda name: _flow(name, is_new=is_new)
    )
    return st.lists(flow, min_size=1, max_size=4).map(
        lambda flows: tuple(sorted(flows, key=lambda flow: flow.interface or ""))
    )


def show(flows: Sequence[Flow]) -> str:
    """``show crypto ipsec sa``."""
    lines: list[str] = []
    for interface, below in groupby(flows, key=lambda flow: flow.interface):
        lines.append(f"interface: {interface}")
        for flow in below:
            lines += _flow_lines(flow)
    return "\n".join(lines) + "\n"


def _ident(ident: Ident) -> str:
    ports = f"{ident.port}" if ident.last_port is None else f"{ident.port} - {ident.last_port}"
    return f"({ident.address}/{mask(ident.prefix_length)}/{ident.protocol}/{ports})"


def _flow_lines(flow: Flow) -> list[str]:
    is_new = flow.df_policy is not None
    seq = "" if flow.crypto_map_seq is None else f"seq num: {flow.crypto_map_seq}, "
    lines = [f"    Crypto map tag: {flow.crypto_map}, {seq}local addr: {flow.local_address}", ""]
    if flow.access_list:
        lines.append(f"      access-list {flow.access_list} ")
    if is_new:
        lines.append(f"      Protected vrf (ivrf): {flow.protected_vrf or 'Global'}")
    user = f", username: {flow.username}" if flow.username else ""
    lines += [
        f"      local ident (addr/mask/prot/port): {_ident(flow.local_ident)}",
        f"      remote ident (addr/mask/prot/port): {_ident(flow.remote_ident)}",
        f"      current_peer: {flow.peer}{user}",
    ]
    if flow.dynamic_peer_address:
        lines.append(f"      dynamic allocated peer ip: {flow.dynamic_peer_address}")
    lines += ["", *(f"      {line}" for line in _counter_lines(flow, is_new=is_new)), ""]
    ports = ["", ""]
    if is_new:
        ports = [f"/{flow.local_endpoint_port}", f"/{flow.remote_endpoint_port}"]
    lines += [
        (
            f"      local crypto endpt.: {flow.local_endpoint}{ports[0]}, "
            f"remote crypto endpt.: {flow.remote_endpoint}{ports[1]}"
        ),
        (
            f"      path mtu {flow.path_mtu_bytes}, ipsec overhead {flow.ipsec_overhead_bytes}"
            f"{'(44)' if is_new else ''}, media mtu {flow.media_mtu_bytes}"
        ),
    ]
    words = ["disabled", "enabled"]
    if is_new:
        lines += [
            f"      PMTU time remaining (sec): {flow.pmtu_time_remaining_seconds}, DF policy: {flow.df_policy}",
            (
                f"      ICMP error validation: {words[bool(flow.is_icmp_error_validation_enabled)]}, "
                f"TFC packets: {words[bool(flow.is_tfc_enabled)]}"
            ),
        ]
    lines.append(f"      current outbound spi: {flow.current_outbound_spi or 0:08X}")
    if flow.current_inbound_spi is not None:
        lines.append(f"      current inbound spi : {flow.current_inbound_spi:08X}")
    lines.append("")
    for direction in Direction:
        lines.append(f"    {direction.value} esp sas:")
        for sa in flow.sas:
            lines += _sa_lines(sa) if sa.direction is direction else []
    return [*lines, ""]


def _counter_lines(flow: Flow, *, is_new: bool) -> list[str]:
    lines = [
        f"#pkts encaps: {flow.encaps_packets}, #pkts encrypt: {flow.encrypt_packets}, #pkts digest: {flow.digest_packets}",
        f"#pkts decaps: {flow.decaps_packets}, #pkts decrypt: {flow.decrypt_packets}, #pkts verify: {flow.verify_packets}",
        f"#pkts compressed: {flow.compressed_packets}, #pkts decompressed: {flow.decompressed_packets}",
        (
            f"#pkts not compressed: {flow.not_compressed_packets}, #pkts comp failed: {flow.compress_failed_packets}, "
            f"#pkts decomp failed: {flow.decompress_failed_packets}"
        ),
        (
            f"#pre-frag successes: {flow.pre_frag_successes}, #pre-frag failures: {flow.pre_frag_failures}, "
            f"#fragments created: {flow.fragments_created}"
        ),
        (
            f"#PMTUs sent: {flow.pmtus_sent}, #PMTUs rcvd: {flow.pmtus_received}, "
            f"#decapsulated {'frgs' if is_new else 'frags'} needing reassembly: {flow.frags_needing_reassembly}"
        ),
    ]
    if is_new:
        lines += [
            f"#TFC rcvd: {flow.tfc_received}, #TFC sent: {flow.tfc_sent}",
            (
                f"#Valid ICMP Errors rcvd: {flow.valid_icmp_errors_received}, "
                f"#Invalid ICMP Errors rcvd: {flow.invalid_icmp_errors_received}"
            ),
        ]
    if flow.not_offload_decrypted_packets is not None:
        lines.append(f"#pkts not offload decrypted: {flow.not_offload_decrypted_packets}")
    return [*lines, f"#send errors: {flow.send_errors}, #recv errors: {flow.recv_errors}"]


def _sa_lines(sa: IpsecSa) -> list[str]:
    timing = f"(sec): {sa.remaining_seconds}"
    if sa.remaining_kilobytes is not None:
        timing = f"(kB/sec): ({sa.remaining_kilobytes}/{sa.remaining_seconds})"
    return [
        f"      spi: 0x{sa.spi:08X} ({sa.spi})",
        *([f"         SA State: {sa.status}"] if sa.status else []),
        f"         transform: {' '.join(sa.transform)} no compression ",
        f"         in use settings ={{{', '.join(sa.settings)}, }}",
        f"         slot: {sa.slot}, conn_id: {sa.conn_id}, crypto-map: {sa.crypto_map}",
        f"         sa timing: remaining key lifetime {timing}",
        f"         IV size: {sa.iv_size_bytes} bytes",
        f"         replay detection support: {'Y' if sa.replay_detection else 'N'}",
        "         Anti replay bitmap: ",
        "          0xFFFFFFFF 0xFFFFFFFF"
        if sa.direction is Direction.INBOUND
        else "          0x00000000 0x00000001",
    ]
