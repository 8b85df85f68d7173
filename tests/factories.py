"""Records and states with sensible defaults, so that a test names only what it is about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ipsecmon_parsers.records import (
    Direction,
    Flow,
    Ident,
    IkeSa,
    IkeState,
    IpsecSa,
    Platform,
    Protocol,
    SaLifetime,
)

LIFETIME = SaLifetime(seconds=3600, kilobytes=4608000, volume_rekey_disabled=False)


def sa(direction: Direction, spi: int, **changes: Any) -> IpsecSa:
    made = IpsecSa(
        direction=direction,
        protocol=Protocol.ESP,
        spi=spi,
        transform=("esp-aes 256", "esp-sha256-hmac"),
        remaining_kilobytes=4500000,
        remaining_seconds=3000,
        status="ACTIVE(ACTIVE)",
    )
    return replace(made, **changes)


def pair(inbound: int, outbound: int, **changes: Any) -> tuple[IpsecSa, IpsecSa]:
    return sa(Direction.INBOUND, inbound, **changes), sa(Direction.OUTBOUND, outbound, **changes)


def ident(text: str, protocol: int = 0, port: int = 0) -> Ident:
    address, _, length = text.partition("/")
    return Ident(address=address, prefix_length=int(length), protocol=protocol, port=port)


def flow(*sas: IpsecSa, **changes: Any) -> Flow:
    outbound = [one.spi for one in sas if one.direction is Direction.OUTBOUND]
    made = Flow(
        platform=Platform.IOS,
        interface="Serial0/0",
        crypto_map="CRYPTO",
        local_address="92.1.1.1",
        protected_vrf=None,
        local_ident=ident("10.1.1.0/24"),
        remote_ident=ident("10.2.2.0/24"),
        peer="123.1.1.2",
        peer_port=500,
        local_endpoint="92.1.1.1",
        remote_endpoint="123.1.1.2",
        current_outbound_spi=(outbound[-1] or 0) if outbound else 0,
        path_mtu_bytes=1500,
        encaps_packets=400,
        encrypt_packets=400,
        digest_packets=400,
        decaps_packets=390,
        decrypt_packets=390,
        verify_packets=390,
        send_errors=1,
        recv_errors=0,
        sas=sas,
    )
    return replace(made, **changes)


def ike_sa(**changes: Any) -> IkeSa:
    made = IkeSa(
        source="92.1.1.1",
        destination="123.1.1.2",
        state=IkeState.QM_IDLE,
        raw_state="QM_IDLE",
        status="ACTIVE",
        conn_id=1001,
        is_established=True,
    )
    return replace(made, **changes)
