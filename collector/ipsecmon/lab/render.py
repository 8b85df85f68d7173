"""Records as the text of the show commands, line for line as each dialect prints them.

The inverse of the parsers: whatever ``Network.flows`` and its siblings return comes out in the form of
the captures. A hub's thousands of flows are one list of lines, joined once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from ipsecmon.lab.topology import Dialect
from ipsecmon_parsers.records import (
    Direction,
    Flow,
    Ident,
    IkeSa,
    IpsecSa,
    Protocol,
    SaLifetime,
)

__all__ = ["show_crypto_ipsec_sa", "show_crypto_isakmp_sa", "show_sa_lifetime"]


def show_crypto_isakmp_sa(sas: Sequence[IkeSa], dialect: Dialect) -> str:
    """``show crypto isakmp sa``: 12.4 prints the table alone and with a slot, later releases two titled ones."""
    if dialect == "ios-12.4":
        rows = [
            f"{sa.destination or '':<16}{sa.source or '':<16}{sa.raw_state:<15}"
            f"{sa.conn_id or 0:>7} {sa.slot or 0:>4} {sa.status}"
            for sa in sas
        ]
        lines = ["dst             src             state          conn-id slot status", *rows]
    else:
        rows = [
            f"{sa.destination or '':<16}{sa.source or '':<16}{sa.raw_state:<15}"
            f"{sa.conn_id or 0:>7} {sa.status}"
            for sa in sas
        ]
        lines = [
            "IPv4 Crypto ISAKMP SA",
            "dst             src             state          conn-id status",
            *rows,
            "",
            "IPv6 Crypto ISAKMP SA",
            "",
        ]
    return "\n".join(lines) + "\n"


def show_sa_lifetime(lifetime: SaLifetime, dialect: Dialect) -> str:
    """``show crypto ipsec security-association lifetime``; without the volume there is no blank after the colon."""
    if lifetime.volume_rekey_disabled and dialect != "ios-12.4":
        return (
            "Kilobyte Volume Rekey has been disabled.\n"
            f"Security association lifetime:{lifetime.seconds} seconds\n"
        )
    return f"Security association lifetime: {lifetime.kilobytes} kilobytes/{lifetime.seconds} seconds\n"


def show_crypto_ipsec_sa(flows: Sequence[Flow], dialect: Dialect) -> str:
    """``show crypto ipsec sa``; flows of one map on one interface stand under one header.

    Without any flow 12.4 and 15 print nothing, IOS-XE 17 says so.
    """
    if not flows:
        return "\nNo SAs found\n" if dialect == "iosxe-17" else ""
    lines: list[str] = []
    interface: str | None = None
    crypto_map: tuple[str | None, str | None] | None = None
    for flow in flows:
        if not lines or flow.interface != interface:
            interface, crypto_map = flow.interface, None
            lines += ("", f"interface: {interface}")
        if crypto_map != (flow.crypto_map, flow.local_address):
            crypto_map = (flow.crypto_map, flow.local_address)
            lines.append(f"    Crypto map tag: {flow.crypto_map}, local addr {flow.local_address}")
        _flow(flow, dialect, lines)
    return "\n".join(lines) + "\n"


def _flow(flow: Flow, dialect: Dialect, lines: list[str]) -> None:
    # "{origin_is_acl,}" but "{origin_is_acl,ipsec_sa_request_sent}"
    flags = ",".join(flow.flags) + ("," if len(flow.flags) == 1 else "")
    spi = flow.current_outbound_spi
    plaintext = ""
    if flow.plaintext_mtu_bytes is not None:
        plaintext = f"plaintext mtu {flow.plaintext_mtu_bytes}, "
    lines += (
        "",
        f"   protected vrf: {flow.protected_vrf or '(none)'}",
        f"   local  ident (addr/mask/prot/port): {_ident(flow.local_ident)}",
        f"   remote ident (addr/mask/prot/port): {_ident(flow.remote_ident)}",
        f"   current_peer {flow.peer} port {flow.peer_port}",
        f"     {flow.action}, flags={{{flags}}}",
        (
            f"    #pkts encaps: {flow.encaps_packets}, #pkts encrypt: {flow.encrypt_packets}, "
            f"#pkts digest: {flow.digest_packets}"
        ),
        (
            f"    #pkts decaps: {flow.decaps_packets}, #pkts decrypt: {flow.decrypt_packets}, "
            f"#pkts verify: {flow.verify_packets}"
        ),
        (
            f"    #pkts compressed: {flow.compressed_packets}, "
            f"#pkts decompressed: {flow.decompressed_packets}"
        ),
        (
            f"    #pkts not compressed: {flow.not_compressed_packets}, "
            f"#pkts compr. failed: {flow.compress_failed_packets}"
        ),
        (
            f"    #pkts not decompressed: {flow.not_decompressed_packets}, "
            f"#pkts decompress failed: {flow.decompress_failed_packets}"
        ),
        f"    #send errors {flow.send_errors}, #recv errors {flow.recv_errors}",
        "",
        (
            f"     local crypto endpt.: {flow.local_endpoint}, "
            f"remote crypto endpt.: {flow.remote_endpoint}"
        ),
        (
            f"     {plaintext}path mtu {flow.path_mtu_bytes}, ip mtu {flow.ip_mtu_bytes}, "
            f"ip mtu idb {flow.mtu_interface or '(none)'}"
        ),
        f"     current outbound spi: 0x{spi:X}({spi})",
    )
    if dialect != "ios-12.4":
        lines.append(
            f"     PFS (Y/N): {'Y' if flow.pfs else 'N'}, DH group: {flow.dh_group or 'none'}"
        )
    for direction in (Direction.INBOUND, Direction.OUTBOUND):
        for protocol in (Protocol.ESP, Protocol.AH, Protocol.PCP):
            lines += ("", f"     {direction.value} {protocol.value} sas:")
            for sa in flow.sas:
                if sa.direction is direction and sa.protocol is protocol:
                    _sa(sa, lines)


def _sa(sa: IpsecSa, lines: list[str]) -> None:
    sibling = f", sibling_flags {sa.sibling_flags}" if sa.sibling_flags is not None else ""
    initiator = f", initiator : {sa.initiator}" if sa.initiator is not None else ""
    lines += (
        f"      spi: 0x{sa.spi or 0:X}({sa.spi or 0})",
        f"        transform: {' '.join(sa.transform)} ,",
        f"        in use settings ={{{', '.join(sa.settings)}, }}",
        (
            f"        conn id: {sa.conn_id}, flow_id: {sa.flow_id}{sibling}, "
            f"crypto map: {sa.crypto_map or '(none)'}{initiator}"
        ),
    )
    if sa.volume_rekey_disabled:
        lines += (
            f"        sa timing: remaining key lifetime (sec): {sa.remaining_seconds}",
            "        Kilobyte Volume Rekey has been disabled",
        )
    else:
        lines.append(
            "        sa timing: remaining key lifetime (k/sec): "
            f"({sa.remaining_kilobytes}/{sa.remaining_seconds})"
        )
    if sa.iv_size_bytes is not None:
        lines.append(f"        IV size: {sa.iv_size_bytes} bytes")
    window = f"  replay window size: {sa.replay_window}" if sa.replay_window is not None else ""
    lines += (
        f"        replay detection support: {'Y' if sa.replay_detection else 'N'}{window}",
        f"        Status: {sa.status}",
    )


def _ident(ident: Ident) -> str:
    return f"({ident.address}/{_mask(ident.prefix_length)}/{ident.protocol}/{ident.port})"


@cache
def _mask(prefix_length: int) -> str:
    mask = 0xFFFFFFFF << (32 - prefix_length) & 0xFFFFFFFF
    return ".".join(str(mask >> shift & 255) for shift in (24, 16, 8, 0))
