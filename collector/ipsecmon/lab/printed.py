"""Simulation state as records: exactly what a parser reads back from the text of that dialect.

A field that a dialect does not print is ``None`` or its default, so that ``parse(render(records))`` gives
the same records. Which release prints what is taken from captures of real devices.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from ipsecmon.lab.associations import FlowState, IkeRow, SaEnd
from ipsecmon.lab.topology import Dialect, Router
from ipsecmon_parsers.records import (
    Direction,
    Flow,
    IkeSa,
    IkeState,
    IpsecSa,
    Platform,
    Protocol,
    SaLifetime,
    SaMode,
)

__all__ = ["flow", "has_integrity", "ike_sa", "iv_bytes", "sa_lifetime"]


@dataclass(frozen=True, slots=True)
class _Style:
    """What differs from one dialect to the next."""

    platform: Platform
    has_slot: bool
    has_pfs_and_plaintext_mtu: bool
    has_request_flag: bool
    engine: str
    # "conn id: 2076, flow_id: CSR:76" but "conn id: 124, flow_id: Onboard VPN:124"
    first_conn_id: int
    sibling_flags: str | None
    replay_window: int | None
    status: str


_STYLES: Final[dict[Dialect, _Style]] = {
    "ios-12.4": _Style(
        platform=Platform.IOS,
        has_slot=True,
        has_pfs_and_plaintext_mtu=False,
        has_request_flag=True,
        engine="SW",
        first_conn_id=2000,
        sibling_flags=None,
        replay_window=None,
        status="ACTIVE",
    ),
    "ios-15": _Style(
        platform=Platform.IOS,
        has_slot=False,
        has_pfs_and_plaintext_mtu=True,
        has_request_flag=False,
        engine="Onboard VPN",
        first_conn_id=0,
        sibling_flags="80000040",
        replay_window=None,
        status="ACTIVE(ACTIVE)",
    ),
    "iosxe-17": _Style(
        platform=Platform.IOSXE,
        has_slot=False,
        has_pfs_and_plaintext_mtu=True,
        has_request_flag=False,
        engine="CSR",
        first_conn_id=2000,
        sibling_flags="FFFFFFFF80000048",
        replay_window=1024,
        status="ACTIVE(ACTIVE)",
    ),
}

# configured as "esp-aes 256", printed as "esp-256-aes" by every release that was captured; GCM keeps its order
_PRINTED_TRANSFORMS: Final = {
    "esp-aes 128": "esp-aes",
    "esp-aes 192": "esp-192-aes",
    "esp-aes 256": "esp-256-aes",
    "esp-gcm 128": "esp-gcm",
}
_PATH_MTU: Final = 1500


def ike_sa(row: IkeRow, dialect: Dialect) -> IkeSa:
    """One row of ``show crypto isakmp sa``."""
    return IkeSa(
        source=row.source,
        destination=row.destination,
        state=row.state,
        raw_state=row.state.value,
        status="ACTIVE (deleted)" if row.is_deleted else "ACTIVE",
        conn_id=row.conn_id,
        slot=0 if _STYLES[dialect].has_slot else None,
        is_established=row.state is IkeState.QM_IDLE and not row.is_deleted,
        is_deleted=row.is_deleted,
    )


def sa_lifetime(router: Router) -> SaLifetime:
    """The answer of ``show crypto ipsec security-association lifetime``."""
    return SaLifetime(
        seconds=router.sa_lifetime_seconds,
        kilobytes=router.sa_lifetime_kilobytes,
        volume_rekey_disabled=router.sa_lifetime_kilobytes is None,
    )


def flow(state: FlowState, now: float) -> Flow:
    """One ident block of ``show crypto ipsec sa``; settle the flow's traffic first."""
    router = state.router.config
    style = _STYLES[router.dialect]
    current = state.current
    group = current.agreement.pfs_group if current is not None else None
    plaintext_mtu: int | None = None
    if style.has_pfs_and_plaintext_mtu:
        plaintext_mtu = (
            _PATH_MTU
            if current is None
            else _plaintext_mtu(
                current.agreement.transform_set.transforms, current.agreement.transform_set.mode
            )
        )
    flags: tuple[str, ...] = ("origin_is_acl",)
    if style.has_request_flag and state.is_request_sent:
        flags += ("ipsec_sa_request_sent",)
    address = state.router.address
    return Flow(
        platform=style.platform,
        interface=router.interface,
        crypto_map=router.crypto_map.name,
        local_address=address,
        protected_vrf=None,
        local_ident=state.local_ident,
        remote_ident=state.remote_ident,
        peer=state.peer_address,
        peer_port=500,
        action="PERMIT",
        flags=flags,
        acl_origin=True,
        local_endpoint=address,
        remote_endpoint=state.peer_address,
        path_mtu_bytes=_PATH_MTU,
        ip_mtu_bytes=_PATH_MTU,
        plaintext_mtu_bytes=plaintext_mtu,
        mtu_interface=router.interface,
        current_outbound_spi=0 if current is None else current.spi_out,
        pfs=group is not None if style.has_pfs_and_plaintext_mtu else None,
        dh_group=f"group{group}" if style.has_pfs_and_plaintext_mtu and group else None,
        encaps_packets=state.encaps,
        encrypt_packets=state.encaps,
        digest_packets=state.encaps,
        decaps_packets=state.decaps,
        decrypt_packets=state.decaps,
        verify_packets=state.decaps,
        compressed_packets=0,
        decompressed_packets=0,
        not_compressed_packets=0,
        compress_failed_packets=0,
        not_decompressed_packets=0,
        decompress_failed_packets=0,
        send_errors=state.send_errors,
        recv_errors=state.recv_errors,
        sas=(
            *(_sa(end, Direction.INBOUND, style, now) for end in state.ends),
            *(_sa(end, Direction.OUTBOUND, style, now) for end in state.ends),
        ),
    )


def _sa(end: SaEnd, direction: Direction, style: _Style, now: float) -> IpsecSa:
    is_inbound = direction is Direction.INBOUND
    number = end.conn_in if is_inbound else end.conn_out
    used = end.bytes_in if is_inbound else end.bytes_out
    transforms = end.agreement.transform_set.transforms
    remaining_kilobytes: int | None = None
    if end.start_kilobytes is not None:
        # a kilobyte begun is a kilobyte gone: "(4607999/3598)" after four pings
        remaining_kilobytes = max(0, end.start_kilobytes - -(-used // 1024))
    is_tunnel = end.agreement.transform_set.mode == "tunnel"
    return IpsecSa(
        direction=direction,
        protocol=Protocol.ESP,
        spi=end.spi_in if is_inbound else end.spi_out,
        transform=_printed(transforms),
        mode=SaMode.TUNNEL if is_tunnel else SaMode.TRANSPORT,
        settings=("Tunnel" if is_tunnel else "Transport",),
        conn_id=style.first_conn_id + number,
        flow_id=f"{style.engine}:{number}",
        sibling_flags=style.sibling_flags,
        crypto_map=end.flow.router.config.crypto_map.name,
        remaining_kilobytes=remaining_kilobytes,
        remaining_seconds=max(0, int(end.expires_at - now)),
        volume_rekey_disabled=end.start_kilobytes is None,
        iv_size_bytes=iv_bytes(transforms),
        # without a hash there is nothing to check a replay with
        replay_detection=has_integrity(transforms),
        replay_window=style.replay_window if has_integrity(transforms) else None,
        status=style.status,
    )


@cache
def _printed(transforms: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(_PRINTED_TRANSFORMS.get(name, name) for name in transforms)


@cache
def has_integrity(transforms: tuple[str, ...]) -> bool:
    """Whether packets are authenticated: by a hash, or by the cipher itself."""
    return any(name.endswith("-hmac") or name.startswith("esp-g") for name in transforms)


@cache
def iv_bytes(transforms: tuple[str, ...]) -> int:
    """The length of the initialisation vector of a packet."""
    if "esp-null" in transforms:
        return 0
    return 16 if any(name.startswith("esp-aes") for name in transforms) else 8


@cache
def _plaintext_mtu(transforms: tuple[str, ...], mode: str) -> int:
    """The largest inner packet that fits the path after ESP: 1446 with DES, 1438 with AES."""
    iv = iv_bytes(transforms)
    if any(name.startswith("esp-g") for name in transforms):
        block, icv = 4, 16
    else:
        block = max(iv, 4)
        icv = 0
        for name in transforms:
            if name.endswith("-hmac"):
                icv = {"esp-sha256-hmac": 16, "esp-sha384-hmac": 24, "esp-sha512-hmac": 32}.get(
                    name, 12
                )
    outer_header = 20 if mode == "tunnel" else 0
    esp_header, trailer = 8, 2
    room = _PATH_MTU - outer_header - esp_header - iv - icv
    return room // block * block - trailer
