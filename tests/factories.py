"""Records and states with sensible defaults, so that a test names only what it is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ipsecmon.model import ExpectedTunnel, PollResult, Reason, TunnelState
from ipsecmon.tunnels import Reading, TunnelReading, build
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


def never_polled(**changes: Any) -> PollResult:
    made = PollResult(
        device="Site1",
        host="192.0.2.99",
        platform=Platform.IOS,
        interval_seconds=60.0,
        started_at=900.0,
        duration_seconds=0.0,
        read_at=None,
        errors_total=dict.fromkeys(Reason, 0),
    )
    return replace(made, **changes)


class Watched:
    """One device read again and again, as a monitor reads it; ``read`` gives what the last reading made of it."""

    def __init__(
        self, expected: Sequence[ExpectedTunnel] = (), *, at: float = 1000.0, step: float = 60.0
    ) -> None:
        self.result = never_polled()
        self.expected = expected
        self.at = at - step
        self.step = step

    def read(
        self,
        *flows: Flow,
        ike: Sequence[IkeSa] | None = None,
        after: float | None = None,
        **changes: Any,
    ) -> TunnelReading:
        self.at += self.step if after is None else after
        made = Reading(
            at=self.at,
            flows=flows,
            ike_sas=(ike_sa(),) if ike is None else ike,
            lifetime=LIFETIME,
        )
        reading = build(replace(made, **changes), self.result, self.expected)
        self.result = replace(
            self.result,
            read_at=self.at,
            tunnels=reading.tunnels,
            ike_peers=reading.ike_peers,
            unmatched_ike_sas=reading.unmatched_ike_sas,
            highest_conn_ids=reading.highest_conn_ids,
            sa_lifetime=changes.get("lifetime", LIFETIME),
            crypto_map=tuple(changes.get("crypto_map", ())),
            events=reading.events,
            error=None,
        )
        return reading

    @property
    def tunnel(self) -> TunnelState:
        """The only tunnel."""
        (tunnel,) = self.result.tunnels
        return tunnel
