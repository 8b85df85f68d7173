"""What the emulated routers remember: flows with their counters, IPsec SAs, rows of the IKE table.

Plain mutable state without behaviour beyond looking at itself; ``network.py`` and ``ike.py`` change it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ipsecmon.lab.matching import QuickModeAgreement
from ipsecmon.lab.topology import AccessListLine, CryptoMapEntry, Router, Traffic
from ipsecmon.lab.truth import Trigger
from ipsecmon_parsers.records import Ident, IkeState

__all__ = ["FlowState", "IkeRow", "IkeSession", "RouterState", "SaEnd", "Stream"]


@dataclass(slots=True, eq=False)
class IkeRow:
    """One row of a router's ``show crypto isakmp sa``; ``source`` is the initiator on both ends."""

    source: str
    destination: str
    state: IkeState = IkeState.MM_NO_STATE
    # "MM_NO_STATE          0 ACTIVE": no engine connection until the policies agree
    conn_id: int = 0
    is_deleted: bool = False


@dataclass(slots=True, eq=False)
class IkeSession:
    """One phase-1 negotiation and the SA that comes of it, seen from both ends."""

    initiator: RouterState
    responder: RouterState | None
    peer_address: str
    lifetime_seconds: int = 0
    rows: dict[str, IkeRow] = field(default_factory=dict[str, IkeRow])
    # since when a router that sends keepalives over this SA could have no answer, by its name
    unanswered_since: dict[str, float] = field(default_factory=dict[str, float])
    waiting: list[FlowState] = field(default_factory=list["FlowState"])

    def is_established_at(self, router: RouterState) -> bool:
        """Whether this end holds the SA and could start quick mode over it."""
        row = self.rows.get(router.name)
        return row is not None and row.state is IkeState.QM_IDLE and not row.is_deleted

    def other(self, router: RouterState) -> RouterState | None:
        """The router at the other end."""
        return self.responder if router is self.initiator else self.initiator

    def other_address(self, router: RouterState) -> str:
        """The address at the other end, where a router may or may not be."""
        return self.peer_address if router is self.initiator else self.initiator.address


@dataclass(slots=True, eq=False)
class SaEnd:
    """One router's half of an SA pair: its inbound and its outbound SA. ``other`` is the peer's half."""

    flow: FlowState
    spi_in: int
    spi_out: int
    conn_in: int
    conn_out: int
    agreement: QuickModeAgreement
    created_at: float
    expires_at: float
    # where the remaining kilobytes start, None where volume rekey is disabled
    start_kilobytes: int | None
    is_initiator: bool
    other: SaEnd | None = None
    bytes_in: int = 0
    bytes_out: int = 0
    last_packet_at: float = 0.0
    is_alive: bool = True
    # number of the last look at the volume; plans made before it are void
    volume_checks: int = 0

    def remaining_bytes(self) -> int | None:
        """Bytes left in the direction that used more of its volume."""
        if self.start_kilobytes is None:
            return None
        return self.start_kilobytes * 1024 - max(self.bytes_in, self.bytes_out)


@dataclass(slots=True, eq=False)
class FlowState:
    """One proxy-identity pair of one router: a permit line of its crypto map, with counters and SAs.

    ``peer_address`` is the peer in use, one of its entry's; ``mirror`` is the mirrored flow of that peer.
    """

    router: RouterState
    entry: CryptoMapEntry
    line: AccessListLine
    peer_address: str
    local_ident: Ident
    remote_ident: Ident
    mirror: FlowState | None = None
    mirrors: dict[str, FlowState] = field(default_factory=dict[str, "FlowState"])
    streams: list[Stream] = field(default_factory=list["Stream"])
    # oldest first; during a rekey the retiring and the new pair stand side by side
    ends: list[SaEnd] = field(default_factory=list[SaEnd])
    current: SaEnd | None = None
    encaps: int = 0
    decaps: int = 0
    send_errors: int = 0
    recv_errors: int = 0
    # what is less than a spoilt packet
    spoilt_carry: float = 0.0
    # what is printed can be cleared, this cannot: packets and bytes through SAs since the lab began
    sent_packets: int = 0
    sent_bytes: int = 0
    received_packets: int = 0
    received_bytes: int = 0
    is_request_sent: bool = False
    is_negotiating: bool = False
    # a fault of the router: SAs are neither renewed nor removed when their time is over
    keeps_expired: bool = False
    # why a standing pair is being renewed, None where there is none to renew
    rekey_trigger: Trigger | None = None
    # when a planned look at this flow's demand is due, None if none is planned
    demand_at: float | None = None


@dataclass(slots=True, eq=False)
class RouterState:
    """One router: its configuration, its flows in crypto map order, its IKE table, newest row first."""

    config: Router
    address: str = field(init=False)
    flows: list[FlowState] = field(default_factory=list[FlowState])
    ike_rows: list[IkeRow] = field(default_factory=list[IkeRow])
    # by the peer's address, as a hub has thousands: its flows, every phase-1 SA with it that is not deleted,
    # and the one of those that the next request uses
    flows_by_peer: dict[str, list[FlowState]] = field(default_factory=dict[str, list[FlowState]])
    open_sessions: dict[str, list[IkeSession]] = field(default_factory=dict[str, list[IkeSession]])
    sessions: dict[str, IkeSession] = field(default_factory=dict[str, IkeSession])
    ike_conn_ids: int = 0
    engine_conn_ids: int = 0
    # a router that boots neither answers nor forwards
    is_up: bool = True
    reloads: int = 0
    booted_at: float = 0.0

    @property
    def name(self) -> str:
        return self.config.name

    def __post_init__(self) -> None:
        self.address = str(self.config.address)


@dataclass(slots=True, eq=False)
class Stream:
    """One traffic pattern on its way: the flow it enters, the flow its replies enter, what was counted.

    Two routers before one network are ``forwards`` or ``replies``: the one in use is ``forward`` or ``reply``.
    ``pattern`` is what is sent now and ``configured`` what the topology says; ``sent`` counts since the pattern began.
    The carries hold what is less than a packet, so that ratios and losses come out exact over time.
    """

    pattern: Traffic
    forward: FlowState | None
    reply: FlowState | None
    forwards: tuple[FlowState, ...] = ()
    replies: tuple[FlowState, ...] = ()
    sent: int = 0
    forward_carry: float = 0.0
    reply_carry: float = 0.0
    replied_carry: float = 0.0
    configured: Traffic = field(init=False)
    # how many times the configured traffic is sent, and how many times the configured replies
    sending: float = 1.0
    answering: float = 1.0

    def __post_init__(self) -> None:
        self.configured = self.pattern
