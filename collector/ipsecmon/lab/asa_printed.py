"""What an emulated ASA shows: its state as records, and the text of its show commands.

The inverse of the parsers, as ``printed.py`` and ``render.py`` are for routers. An ASA lists a flow only while that has
SAs, prints an IKE SA as a block of its peer, both versions in one answer, and its lifetimes in the configuration only.
Line for line after captures of ASA 8.4 to 9.12.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from ipaddress import IPv4Network
from typing import Final, Protocol

from ipsecmon.lab import answers
from ipsecmon.lab.associations import FlowState, IkeRow, RouterState, SaEnd
from ipsecmon.lab.printed import has_integrity, iv_bytes
from ipsecmon.lab.topology import CryptoMapEntry, Router
from ipsecmon_parsers import records
from ipsecmon_parsers.records import (
    Direction,
    Flow,
    Ident,
    IkeSa,
    IkeState,
    IpsecSa,
    Platform,
    SaLifetime,
    SaMode,
    TransformSet,
)
from ipsecmon_parsers.records import (
    Protocol as IpsecProtocol,
)

__all__ = ["crypto_map", "flows", "ike_sas", "show"]

_PATH_MTU: Final = 1500
# what ESP with AES and SHA takes of it
_OVERHEAD: Final = 74
# "conn_id: 7634944": sessions are numbered in steps of 4096
_CONN_ID_STEP: Final = 4096
# IOS says how far main mode got, an ASA which of its six messages it waits for: the initiator, the responder
_STATES: Final = {
    IkeState.MM_NO_STATE: (IkeState.MM_WAIT_MSG2, IkeState.MM_WAIT_MSG3),
    IkeState.MM_SA_SETUP: (IkeState.MM_WAIT_MSG4, IkeState.MM_WAIT_MSG3),
    IkeState.MM_KEY_EXCH: (IkeState.MM_WAIT_MSG6, IkeState.MM_WAIT_MSG5),
    IkeState.MM_KEY_AUTH: (IkeState.MM_WAIT_MSG6, IkeState.MM_WAIT_MSG5),
    IkeState.QM_IDLE: (IkeState.MM_ACTIVE, IkeState.MM_ACTIVE),
}
_SETTINGS: Final = ("set connection-type bidirectional", "set ikev1 phase1-mode main")


class Shown(Protocol):
    """What is asked of the network."""

    @property
    def now(self) -> float: ...
    def flows(self, router: str) -> tuple[Flow, ...]: ...
    def ike_sas(self, router: str) -> tuple[IkeSa, ...]: ...
    def sa_lifetime(self, router: str) -> SaLifetime: ...
    def crypto_map(self, router: str) -> tuple[records.CryptoMapEntry, ...]: ...
    def uptime(self, router: str) -> float: ...


# state -> records


def flows(router: RouterState, now: float) -> tuple[Flow, ...]:
    """The flows that have an SA; settle their traffic first."""
    return tuple(_flow(state, now) for state in router.flows if state.current is not None)


def _flow(state: FlowState, now: float) -> Flow:
    router = state.router.config
    current = state.current
    if current is None:
        raise AssertionError("an ASA lists no flow without an SA")
    source, destination = _network(state.line.source), _network(state.line.destination)
    return Flow(
        platform=Platform.ASA,
        interface=router.interface,
        crypto_map=router.crypto_map.name,
        crypto_map_seq=state.entry.seq,
        local_address=state.router.address,
        protected_vrf=None,
        local_ident=state.local_ident,
        remote_ident=state.remote_ident,
        peer=state.peer_address,
        peer_port=None,
        local_endpoint=state.router.address,
        remote_endpoint=state.peer_address,
        local_endpoint_port=0,
        remote_endpoint_port=0,
        path_mtu_bytes=_PATH_MTU,
        ipsec_overhead_bytes=_OVERHEAD,
        media_mtu_bytes=_PATH_MTU,
        pmtu_time_remaining_seconds=0,
        df_policy="copy-df",
        is_icmp_error_validation_enabled=False,
        is_tfc_enabled=False,
        access_list=(
            f"{state.entry.access_list} extended permit {state.line.protocol} {source} {destination}"
        ),
        current_outbound_spi=current.spi_out,
        current_inbound_spi=current.spi_in,
        encaps_packets=state.encaps,
        encrypt_packets=state.encaps,
        digest_packets=state.encaps,
        decaps_packets=state.decaps,
        decrypt_packets=state.decaps,
        verify_packets=state.decaps,
        compressed_packets=0,
        decompressed_packets=0,
        not_compressed_packets=state.encaps,
        compress_failed_packets=0,
        decompress_failed_packets=0,
        pre_frag_successes=0,
        pre_frag_failures=0,
        fragments_created=0,
        pmtus_sent=0,
        pmtus_received=0,
        frags_needing_reassembly=0,
        tfc_received=0,
        tfc_sent=0,
        valid_icmp_errors_received=0,
        invalid_icmp_errors_received=0,
        send_errors=state.send_errors,
        recv_errors=state.recv_errors,
        sas=(
            *(_sa(end, Direction.INBOUND, now) for end in state.ends),
            *(_sa(end, Direction.OUTBOUND, now) for end in state.ends),
        ),
    )


def _sa(end: SaEnd, direction: Direction, now: float) -> IpsecSa:
    is_inbound = direction is Direction.INBOUND
    used = end.bytes_in if is_inbound else end.bytes_out
    transforms = end.agreement.transform_set.transforms
    remaining_kilobytes: int | None = None
    if end.start_kilobytes is not None:
        remaining_kilobytes = max(0, end.start_kilobytes - -(-used // 1024))
    is_tunnel = end.agreement.transform_set.mode == "tunnel"
    return IpsecSa(
        direction=direction,
        protocol=IpsecProtocol.ESP,
        spi=end.spi_in if is_inbound else end.spi_out,
        transform=tuple(_transform(name) for name in transforms),
        mode=SaMode.TUNNEL if is_tunnel else SaMode.TRANSPORT,
        settings=("L2L", "Tunnel" if is_tunnel else "Transport", "IKEv1"),
        slot=0,
        conn_id=end.conn_out // 2 * _CONN_ID_STEP,
        crypto_map=end.flow.router.config.crypto_map.name,
        remaining_kilobytes=remaining_kilobytes,
        remaining_seconds=max(0, int(end.expires_at - now)),
        iv_size_bytes=iv_bytes(transforms),
        replay_detection=has_integrity(transforms),
        status="active",
    )


@cache
def _transform(name: str) -> str:
    """Configured ``esp-aes 256``, printed ``esp-aes-256``; the hash of IKEv2 has a hyphen more."""
    name = name.replace("esp-sha256", "esp-sha-256").replace("esp-sha384", "esp-sha-384")
    return name.replace("esp-sha512", "esp-sha-512").replace(" 128", "").replace(" ", "-")


def _network(network: IPv4Network) -> str:
    match network.prefixlen:
        case 0:
            return "any"
        case 32:
            return f"host {network.network_address}"
        case _:
            return f"{network.network_address} {network.netmask}"


def ike_sas(router: RouterState) -> tuple[IkeSa, ...]:
    """The IKE SAs, all of version 1; one that is deleted is not listed."""
    return tuple(_ike_sa(row, router) for row in router.ike_rows if not row.is_deleted)


def _ike_sa(row: IkeRow, router: RouterState) -> IkeSa:
    is_initiator = row.source == router.address
    as_initiator, as_responder = _STATES[row.state]
    state = as_initiator if is_initiator else as_responder
    return IkeSa(
        version=1,
        remote=row.destination if is_initiator else row.source,
        connection_type="L2L",
        role="initiator" if is_initiator else "responder",
        initiator=is_initiator,
        is_rekeying=False,
        state=state,
        raw_state=state.value,
        is_established=state is IkeState.MM_ACTIVE,
    )


def crypto_map(router: Router) -> tuple[records.CryptoMapEntry, ...]:
    """The entries as the configuration has them, ``all`` of it: defaults, too."""
    return tuple(
        _entry(router, entry) for entry in sorted(router.crypto_map.entries, key=lambda e: e.seq)
    )


def _entry(router: Router, entry: CryptoMapEntry) -> records.CryptoMapEntry:
    return records.CryptoMapEntry(
        name=router.crypto_map.name,
        sequence=entry.seq,
        peers=tuple(str(peer) for peer in entry.all_peers),
        access_list=entry.access_list,
        has_pfs=True if entry.pfs_group is not None else None,
        dh_group=entry.pfs_group,
        transform_sets=tuple(TransformSet(name=name) for name in entry.transform_sets),
        interfaces=(router.interface,),
        settings=_SETTINGS,
    )


# records -> text


def show(
    network: Shown, router: Router, command: str, privilege: int, cpu_percent: int = 12
) -> str:
    """The answer to a command in full words, now; ``KeyError`` for one that is not known."""
    match command:
        case "show crypto isakmp sa":
            return f"{_show_ikev1(network.ike_sas(router.name))}\n{_NO_IKEV2}"
        case "show crypto ikev1 sa":
            return _show_ikev1(network.ike_sas(router.name))
        case "show crypto ikev2 sa":
            return f"\n{_NO_IKEV2}"
        case "show crypto ipsec sa":
            return _show_ipsec(network.flows(router.name))
        case "show running-config all crypto ipsec":
            return _show_crypto_ipsec(router, network.sa_lifetime(router.name))
        case "show running-config all crypto map":
            return _show_crypto_map(network.crypto_map(router.name))
        case "show clock":
            return answers.show_clock(network.now).removeprefix("*")
        case "show cpu usage":
            return f"CPU utilization for 5 seconds = {cpu_percent}%; 1 minute: 9%; 5 minutes: 8%\n"
        case "show curpriv":
            mode = "P_PRIV" if privilege == 15 else "P_UNPR"
            return (
                f"Username : {router.username}\n"
                f"Current privilege level : {privilege}\n"
                f"Current Mode/s : {mode}\n"
            )
        case "show version":
            return _show_version(router.name, network.uptime(router.name))
        case _:
            raise KeyError(command)


_NO_IKEV2: Final = "There are no IKEv2 SAs\n"


def _show_ikev1(sas: Sequence[IkeSa]) -> str:
    if not sas:
        return "\nThere are no IKEv1 SAs\n"
    lines = [
        "",
        "IKEv1 SAs:",
        "",
        f"   Active SA: {len(sas)}",
        "    Rekey SA: 0 (A tunnel will report 1 Active and 1 Rekey SA during rekey)",
        f"Total IKE SA: {len(sas)}",
        "",
    ]
    for number, sa in enumerate(sas, 1):
        lines += (
            f"{number:<4}IKE Peer: {sa.remote}",
            f"    Type    : {sa.connection_type:<16}Role    : {sa.role} ",
            f"    Rekey   : no              State   : {sa.raw_state} ",
        )
    return "\n".join(lines) + "\n"


def _show_ipsec(listed: Sequence[Flow]) -> str:
    if not listed:
        return "\nThere are no ipsec sas\n"
    lines = [f"interface: {listed[0].interface}"]
    for flow in listed:
        _print_flow(flow, lines)
        lines.append("")
    return "\n".join(lines)


def _print_flow(flow: Flow, lines: list[str]) -> None:
    lines += (
        (
            f"    Crypto map tag: {flow.crypto_map}, seq num: {flow.crypto_map_seq}, "
            f"local addr: {flow.local_address}"
        ),
        "",
        f"      access-list {flow.access_list} ",
        f"      local ident (addr/mask/prot/port): {_ident(flow.local_ident)}",
        f"      remote ident (addr/mask/prot/port): {_ident(flow.remote_ident)}",
        f"      current_peer: {flow.peer}",
        "",
        "",
        (
            f"      #pkts encaps: {flow.encaps_packets}, #pkts encrypt: {flow.encrypt_packets}, "
            f"#pkts digest: {flow.digest_packets}"
        ),
        (
            f"      #pkts decaps: {flow.decaps_packets}, #pkts decrypt: {flow.decrypt_packets}, "
            f"#pkts verify: {flow.verify_packets}"
        ),
        "      #pkts compressed: 0, #pkts decompressed: 0",
        (
            f"      #pkts not compressed: {flow.not_compressed_packets}, #pkts comp failed: 0, "
            "#pkts decomp failed: 0"
        ),
        "      #pre-frag successes: 0, #pre-frag failures: 0, #fragments created: 0",
        "      #PMTUs sent: 0, #PMTUs rcvd: 0, #decapsulated frgs needing reassembly: 0",
        "      #TFC rcvd: 0, #TFC sent: 0",
        "      #Valid ICMP Errors rcvd: 0, #Invalid ICMP Errors rcvd: 0",
        f"      #send errors: {flow.send_errors}, #recv errors: {flow.recv_errors}",
        "",
        (
            f"      local crypto endpt.: {flow.local_endpoint}/{flow.local_endpoint_port}, "
            f"remote crypto endpt.: {flow.remote_endpoint}/{flow.remote_endpoint_port}"
        ),
        (
            f"      path mtu {flow.path_mtu_bytes}, "
            f"ipsec overhead {flow.ipsec_overhead_bytes}(44), media mtu {flow.media_mtu_bytes}"
        ),
        "      PMTU time remaining (sec): 0, DF policy: copy-df",
        "      ICMP error validation: disabled, TFC packets: disabled",
        f"      current outbound spi: {flow.current_outbound_spi:08X}",
        f"      current inbound spi : {flow.current_inbound_spi:08X}",
        "",
    )
    for direction in (Direction.INBOUND, Direction.OUTBOUND):
        lines.append(f"    {direction.value} esp sas:")
        for sa in flow.sas:
            if sa.direction is direction:
                _print_sa(sa, lines)


def _print_sa(sa: IpsecSa, lines: list[str]) -> None:
    timing = (
        f"(sec): {sa.remaining_seconds}"
        if sa.remaining_kilobytes is None
        else f"(kB/sec): ({sa.remaining_kilobytes}/{sa.remaining_seconds})"
    )
    lines += (
        f"      spi: 0x{sa.spi or 0:08X} ({sa.spi})",
        f"         SA State: {sa.status}",
        f"         transform: {' '.join(sa.transform)} no compression ",
        f"         in use settings ={{{', '.join(sa.settings)}, }}",
        f"         slot: {sa.slot}, conn_id: {sa.conn_id}, crypto-map: {sa.crypto_map}",
        f"         sa timing: remaining key lifetime {timing}",
        f"         IV size: {sa.iv_size_bytes} bytes",
        f"         replay detection support: {'Y' if sa.replay_detection else 'N'}",
        "         Anti replay bitmap: ",
        "          0xFFFFFFFF 0xFFFFFFFF",
    )


def _ident(ident: Ident) -> str:
    mask = IPv4Network((ident.address, ident.prefix_length)).netmask
    return f"({ident.address}/{mask}/{ident.protocol}/{ident.port})"


def _show_crypto_ipsec(router: Router, lifetime: SaLifetime) -> str:
    volume = "unlimited" if lifetime.volume_rekey_disabled else lifetime.kilobytes
    sets = (
        f"crypto ipsec ikev1 transform-set {name} {' '.join(map(_transform, one.transforms))}"
        for name, one in sorted(router.transform_sets.items())
    )
    lines = (
        *sets,
        f"crypto ipsec security-association lifetime seconds {lifetime.seconds}",
        f"crypto ipsec security-association lifetime kilobytes {volume}",
        "crypto ipsec security-association replay window-size 64",
        "crypto ipsec security-association pmtu-aging infinite",
        f"crypto ipsec fragmentation before-encryption {router.interface}",
        f"crypto ipsec df-bit copy-df {router.interface}",
    )
    return "\n".join(lines) + "\n"


def _show_crypto_map(entries: Sequence[records.CryptoMapEntry]) -> str:
    lines: list[str] = []
    for entry in entries:
        settings = [
            f"match address {entry.access_list}",
            *((f"set pfs group{entry.dh_group}",) if entry.has_pfs else ()),
            entry.settings[0],
            f"set peer {' '.join(entry.peers)} ",
            *entry.settings[1:],
            f"set ikev1 transform-set {' '.join(one.name for one in entry.transform_sets)}",
        ]
        lines += (f"crypto map {entry.name} {entry.sequence} {setting}" for setting in settings)
    for name in entries[0].interfaces if entries else ():
        lines.append(f"crypto map {entries[0].name} interface {name}")
    return "".join(f"{line}\n" for line in lines)


def _show_version(hostname: str, uptime: float) -> str:
    minutes, hours, days = int(uptime) // 60 % 60, int(uptime) // 3600 % 24, int(uptime) // 86400
    return (
        "\n"
        "Cisco Adaptive Security Appliance Software Version 9.12(4)\n"
        "\n"
        f"{hostname} up {days} days {hours} hours {minutes} mins\n"
        "\n"
        "Hardware:   ASA5506, 4096 MB RAM, CPU Atom C2000 series 1250 MHz, 1 CPU (4 cores)\n"
    )
