"""The vocabulary of what we make of the records: tunnels, events, the result of a poll.

Imports nothing of ours but the records and the result of parsing. Times are Unix seconds (UTC).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ipsecmon_parsers.records import (
    CryptoMapEntry,
    Flow,
    Ident,
    IkeSa,
    IkeSaCount,
    IpsecSa,
    IpsecSaCount,
    Platform,
    SaLifetime,
)
from ipsecmon_parsers.registry import UnparsedLine

__all__ = [
    "NO_REKEYS",
    "UNSPECIFIED",
    "ConfiguredLink",
    "CounterSample",
    "Event",
    "EventKind",
    "Evidence",
    "ExpectedTunnel",
    "IkePeer",
    "Intent",
    "Link",
    "LinkProof",
    "Loss",
    "PollError",
    "PollResult",
    "Purpose",
    "RawOutput",
    "Reason",
    "RekeyTrigger",
    "SaMark",
    "SessionFacts",
    "Snapshot",
    "Stage",
    "Status",
    "TunnelMemory",
    "TunnelOption",
    "TunnelState",
    "UnparsedOutput",
    "identity_only",
]


class Stage(StrEnum):
    """Where in a poll it failed, in the order of a poll."""

    RESOLVE = "resolve"
    CONNECT = "connect"
    HOSTKEY = "hostkey"
    AUTH = "auth"
    PRIVILEGE = "privilege"
    COMMAND = "command"
    PARSE = "parse"


class Reason(StrEnum):
    """Why a poll failed: the label of ``cisco_ipsec_device_collect_errors_total``."""

    DNS = "dns"
    CONNECT = "connect"
    KEX = "kex"
    HOSTKEY = "hostkey"
    AUTH = "auth"
    PRIVILEGE = "privilege"
    PROMPT = "prompt"
    REFUSED = "refused"
    CLOSED = "closed"
    TIMEOUT = "timeout"
    TRUNCATED = "truncated"
    PARSE = "parse"
    OTHER = "other"


class Status(StrEnum):
    """What a tunnel is doing, read from its flow, the IKE SAs of its peer and its session."""

    UNKNOWN = "unknown"
    """The last collection failed, or the tunnel is known from before a restart only. Never taken for down."""
    UP = "up"
    UP_ONE_WAY = "up_one_way"
    """Up, and over the last readings packets moved in one direction only."""
    UP_IDLE = "up_idle"
    """Up, and over the last readings no packet moved."""
    UP_NO_IKE = "up_no_ike"
    """Up without an IKE SA: legal for IKE version 1 (RFC 2409), but it cannot rekey without one."""
    NEGOTIATING = "negotiating"
    DOWN_IDLE = "down_idle"
    """No SA, and nothing asks for one."""
    DOWN_DEMANDED = "down_demanded"
    """No SA although packets ask for one: send errors grow."""
    STANDBY = "standby"
    """The copy of a high availability pair that waits; not counted as down."""
    EXCLUDED = "excluded"
    """Not a tunnel between two sites (GETVPN, OSPFv3 keys, SD-WAN), or excluded by the configuration."""

    @property
    def is_up(self) -> bool:
        """IPsec SAs in both directions carry traffic now, with or without an IKE SA."""
        return self in _UP

    @property
    def is_down(self) -> bool:
        """Read, and not able to carry traffic; an unknown, standby or excluded tunnel is neither up nor down."""
        return self in _DOWN


_UP = frozenset({Status.UP, Status.UP_ONE_WAY, Status.UP_IDLE, Status.UP_NO_IKE})
_DOWN = frozenset({Status.NEGOTIATING, Status.DOWN_IDLE, Status.DOWN_DEMANDED})


class Intent(StrEnum):
    """Whether a tunnel must be up."""

    ALWAYS_ON = "always_on"
    ON_DEMAND = "on_demand"
    """Made by traffic, and legally absent without it: what a static crypto map does."""
    BACKUP = "backup"


class TunnelOption(StrEnum):
    """What the configuration says of a tunnel for alert rules."""

    UNIDIRECTIONAL = "unidirectional"
    BACKUP = "backup"
    MAINTENANCE = "maintenance"
    EXCLUDED = "excluded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """The intent of a tunnel and why it is taken for that, in words for a person."""

    intent: Intent
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedTunnel:
    """A tunnel the configuration names under ``tunnels:``; ``None`` means "whatever it is".

    The identities are those the device prints, ``10.1.1.0/24`` to ``10.2.2.0/24``; a tunnel interface that protects
    everything (any to any) is told by its interface or its peer.
    """

    device: str
    name: str
    local_ident: Ident | None = None
    remote_ident: Ident | None = None
    crypto_map: str | None = None
    interface: str | None = None
    vrf: str | None = None
    peer: str | None = None
    intent: Intent | None = None
    owner: str | None = None
    site: str | None = None
    description: str | None = None
    options: frozenset[TunnelOption] = frozenset()


class RekeyTrigger(StrEnum):
    """Why an SPI was replaced, as far as two readings tell."""

    TIME = "time"
    VOLUME = "volume"
    FORCED = "forced"
    OUTAGE = "outage"


UNSPECIFIED = frozenset({"0.0.0.0", "::"})  # noqa: S104 # printed where there is no peer
NO_REKEYS: Mapping[RekeyTrigger, int] = dict.fromkeys(RekeyTrigger, 0)


class EventKind(StrEnum):
    """What happened between two good polls."""

    UP = "up"
    DOWN = "down"
    REKEY = "rekey"
    PEER_FAILOVER = "peer_failover"
    COUNTERS_CLEARED = "counters_cleared"
    CONFIGURATION_DRIFT = "configuration_drift"
    """Algorithms, lifetimes or access lists are not what they were."""
    NEW = "new"
    GONE = "gone"
    """The device lists the flow no longer; the tunnel is kept, and down."""
    # of a device as a whole, without a tunnel
    RELOAD = "reload"
    UNREACHABLE = "unreachable"
    """Collecting from the device has begun to fail."""
    REACHABLE = "reachable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One line a device printed, quoted; ``line_no`` counts from 1 within the answer to ``command``, read at ``read_at``."""

    command: str
    line_no: int
    text: str
    read_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RawOutput:
    """One complete answer: after our echo, before the prompt. ``text`` still holds what the terminal added."""

    command: str
    text: str
    started_at: float
    ended_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UnparsedOutput:
    """Lines of one answer that no template understood."""

    command: str
    lines: tuple[UnparsedLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SaMark:
    """What is remembered of the SA in use in one direction, as last read.

    ``full_seconds`` and ``full_kilobytes`` are what it had when it was new: what was left when its SPI was first seen, or
    for one that was there before the monitor, what its kind usually has.
    ``expires_at`` is when its time runs out, damped: it does not follow the jitter of the readings.
    """

    spi: int
    at: float
    remaining_seconds: int | None = None
    remaining_kilobytes: int | None = None
    full_seconds: int | None = None
    full_kilobytes: int | None = None
    conn_id: int | None = None
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class CounterSample:
    """The counters of a flow as read at one moment; ``None`` where the device printed none."""

    at: float
    encaps: int | None
    decaps: int | None
    send_errors: int | None
    recv_errors: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TunnelMemory:
    """What a tunnel carries from one reading to the next, across restarts of the monitor too.

    ``is_settled_up`` is the state after hysteresis (two readings that agree), ``None`` before the first; an
    ``unsettled_since`` is the time of a first reading that disagrees with it. Counts never decrease. ``samples`` are
    the newest readings of the counters, oldest first, since they last began anew; ``sent_kilobytes`` and
    ``received_kilobytes`` (of 1024 bytes) add up what the remaining volume of each SA lost between readings, ``None``
    where volume rekey is disabled. ``lifetime_seconds`` and ``lifetime_kilobytes`` are what new SAs have, learned.
    """

    first_seen_at: float
    last_listed_at: float | None = None
    last_up_at: float | None = None
    is_settled_up: bool | None = None
    unsettled_since: float | None = None
    last_transition_at: float | None = None
    """When it last went up or down, as settled; before that, when its state was first read."""
    flaps: int = 0
    rekeys: Mapping[RekeyTrigger, int] = field(default_factory=lambda: NO_REKEYS)
    last_rekey_at: float | None = None
    """When the outbound SPI in use, or the last one there was, was first read."""
    inbound: SaMark | None = None
    outbound: SaMark | None = None
    went_without_sa: bool = False
    """A good reading since ``outbound`` was last read showed no outbound SA."""
    samples: tuple[CounterSample, ...] = ()
    used_spis: tuple[int, ...] = ()
    """Outbound SPIs that were in use and are still listed: turning back to one of them is no rekey."""
    sent_left: tuple[tuple[int, int], ...] = ()
    """What was left of each outbound SA listed, as (SPI, kilobytes)."""
    received_left: tuple[tuple[int, int], ...] = ()
    sent_kilobytes: int | None = None
    received_kilobytes: int | None = None
    sent_bytes_per_packet: float | None = None
    received_bytes_per_packet: float | None = None
    lifetime_seconds: int | None = None
    lifetime_kilobytes: int | None = None
    readings: int = 0
    up_readings: int = 0
    peers: tuple[str, ...] = ()
    """Every peer this tunnel was seen with or is configured for, the first one first: the label of its series."""
    is_gone_told: bool = False
    """That the device lists it no longer has been told."""
    peer_failovers: int = 0
    """Times the peer in use became another."""
    signature: tuple[str, ...] = ()
    """Transform, mode and PFS of the last SA, to notice that they changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TunnelState:
    """One protected flow of one device, with what we remember of it.

    ``name`` is unique on its device and survives rekeys, reloads and peer failover. While the device lists the flow
    ``flow`` is what it printed and ``lines`` are its first and last line in ``show crypto ipsec sa``; without that
    (``is_listed`` false) ``flow`` holds what identifies it, no counters and no SAs. ``inbound`` and ``outbound`` are
    the SAs in use: the one whose SPI is the current outbound one, and the inbound one with the most time left.
    Rates are in bytes per second; ``predicted_expiry_at`` is when seconds or kilobytes run out first.
    """

    device: str
    name: str
    flow: Flow
    status: Status
    purpose: Purpose
    memory: TunnelMemory
    seen_at: float
    is_listed: bool = True
    is_restored: bool = False
    """Known from before a restart of the monitor only: its SAs and counters have not been read since."""
    expected: ExpectedTunnel | None = None
    lines: tuple[int, int] | None = None
    inbound: IpsecSa | None = None
    outbound: IpsecSa | None = None
    sent_bytes_per_second: float | None = None
    received_bytes_per_second: float | None = None
    predicted_expiry_at: float | None = None

    @property
    def peer(self) -> str:
        """Address of the other gateway as its series are labelled: the first one known, whichever is in use now."""
        return self.memory.peers[0] if self.memory.peers else self.flow.peer or ""

    @property
    def current_peer(self) -> str:
        """Address of the gateway in use now; empty while there is none."""
        peer = self.flow.peer or ""
        return "" if peer in UNSPECIFIED else peer


@dataclass(frozen=True, slots=True, kw_only=True)
class IkePeer:
    """All IKE SAs between one local address and one peer; a peer without any is listed, not left out."""

    peer: str
    local_address: str
    is_up: bool
    is_qm_idle: bool
    sas: tuple[IkeSa, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened; ``detail`` is for a person, ``facts`` for programs. ``tunnel`` is ``None`` for a whole device.

    Facts of a rekey: ``trigger``, ``old_spi``, ``new_spi``, ``seconds_left``, ``kilobytes_left`` (at the last reading
    before it), ``gap_seconds`` (the longest time without an SA that the readings allow, 0 where old and new overlapped).
    """

    kind: EventKind
    device: str
    tunnel: str | None
    at: float
    detail: str
    facts: Mapping[str, str | int | float | None] = field(
        default_factory=dict[str, str | int | float | None]
    )
    evidence: tuple[Evidence, ...] = ()

    @property
    def identity(self) -> tuple[str, str, str, float]:
        """No two events share it: device, tunnel, kind and time."""
        return self.device, self.tunnel or "", self.kind.value, self.at


class LinkProof(StrEnum):
    """Why two tunnels are taken for the two ends of one, strongest first."""

    SPI_PAIR = "spi_pair"
    """Each end sends with an SPI the other receives with, and the identities mirror."""
    IKE_SPI = "ike_spi"
    """The SPIs of their IKE version 2 SAs are crossed."""
    MIRRORED = "mirrored"
    """The identities mirror and each end's peer is an address of the other device."""
    CONFIGURED = "configured"
    LEARNED = "learned"
    """Proven by an earlier reading; the SPIs of now do not say so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """The share of packets that left one end and were not counted at the other; ``error`` is its bound, both 0 to 1."""

    ratio: float
    error: float
    packets: int
    """Packets sent in the interval looked at."""
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The other end of a tunnel, when it is polled too; ``sent`` is from ``device`` to ``remote_device``.

    ``is_spi_pair_matched`` is ``None`` while the readings of the two ends are too far apart to tell.
    """

    device: str
    tunnel: str
    remote_device: str
    remote_tunnel: str
    proof: LinkProof
    is_spi_pair_matched: bool | None
    sent_loss: Loss | None = None
    received_loss: Loss | None = None
    finding: str | None = None
    """Who stopped sending or receiving, in one sentence, ``None`` where packets flow both ways or nobody sends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredLink:
    """Two tunnels the configuration says are two ends of one (``links:``)."""

    device: str
    tunnel: str
    remote_device: str
    remote_tunnel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PollError:
    """Why a poll failed; ``cause`` is one sentence: what, where, what to do."""

    device: str
    stage: Stage
    reason: Reason
    cause: str
    command: str | None = None
    is_unexpected: bool = False
    """A fault of ours rather than the device's."""
    evidence: str = ""
    """The last that came from the device, at most 200 characters with what cannot be printed written out."""
    is_attempt: bool = True
    """Whether the device was tried at all: what failed before does not count against it."""

    @property
    def message(self) -> str:
        """The cause with the device and the stage before it."""
        return f"{self.device}, stage {self.stage}: {self.cause}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFacts:
    """What a session with a device was agreed on; the names are those of SSH (RFC 4253, RFC 8308 and their successors)."""

    address: str
    """Of the device; empty behind a jump host."""
    server_version: str
    """``SSH-2.0-Cisco-1.25``."""
    kex: str
    host_key: str
    """The algorithm of the device's signature."""
    cipher: str
    mac: str
    prompt: str
    weak: tuple[str, ...] = ()
    """Those of the algorithms that the modern profile does not offer."""
    host_key_fingerprint: str = ""
    """``SHA256:...``"""
    is_host_key_verified: bool = True
    opened_at: float
    """Unix seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PollResult:
    """What is known of one device after a poll, good or failed.

    After a failed poll ``tunnels`` and ``ike_peers`` are those of the last good one, ``read_at`` says how old
    they are, and ``error`` why there are no newer ones.
    """

    device: str
    host: str
    platform: Platform
    interval_seconds: float
    started_at: float
    duration_seconds: float
    read_at: float | None
    reading_seconds: float | None = None
    """How far apart readings of the tables are meant to be, where a plan makes that more than the interval of polls."""
    tunnels: tuple[TunnelState, ...] = ()
    ike_peers: tuple[IkePeer, ...] = ()
    unmatched_ike_sas: tuple[IkeSa, ...] = ()
    sa_lifetime: SaLifetime | None = None
    crypto_map: tuple[CryptoMapEntry, ...] = ()
    """From the last time ``show crypto map`` was read, at ``configuration_read_at``."""
    configuration_read_at: float | None = None
    refused_commands: frozenset[str] = frozenset()
    """Commands the device would not answer or whose answer was not understood, when the configuration was last read."""
    answered_commands: frozenset[str] = frozenset()
    """Commands the device has answered before: they are known to its release."""
    highest_conn_ids: tuple[int, int] = (0, 0)
    """The highest connection ids of IKE and IPsec SAs since the device started."""
    links: tuple[Link, ...] = ()
    events: tuple[Event, ...] = ()
    outputs: tuple[RawOutput, ...] = ()
    session: SessionFacts | None = None
    """Of the last session that answered."""
    next_attempt_at: float | None = None
    """Of a device that is left alone for a while because it fails: when it is tried again, Unix seconds."""
    answered_at: float | None = None
    """When it answered last, be it only with counts; ``read_at`` is of the tables."""
    counts: tuple[IkeSaCount | IpsecSaCount, ...] = ()
    """The numbers of SAs as it counted them last, where they are asked for."""
    is_configuration_doubtful: bool = False
    """The tables hint that somebody configured something since ``configuration_read_at``."""
    cpu_percent: int | None = None
    """Its load over five seconds, where it is asked for."""
    skipped_for_cpu_total: int = 0
    """Polls in which the tables were left out because it was too busy."""
    unparsed: tuple[UnparsedOutput, ...] = ()
    error: PollError | None = None
    parse_errors_total: Mapping[str, int] = field(default_factory=dict[str, int])
    """Answers that could not be read, cut and unknown ones, by command; refusals are none."""
    errors_total: Mapping[Reason, int] = field(default_factory=dict[Reason, int])

    def status_of(self, tunnel: TunnelState) -> Status:
        """What is known of a tunnel now: nothing while the collection fails."""
        return tunnel.status if self.is_good else Status.UNKNOWN

    @property
    def is_good(self) -> bool:
        """The last poll read everything it wanted."""
        return self.error is None


Snapshot = Mapping[str, PollResult]
"""The newest result per device, by name."""


def identity_only(flow: Flow) -> Flow:
    """What says which flow it is, listed or not: without counters, SAs and sizes."""
    return Flow(
        platform=flow.platform,
        kind=flow.kind,
        interface=flow.interface,
        crypto_map=flow.crypto_map,
        crypto_map_seq=flow.crypto_map_seq,
        local_address=flow.local_address,
        protected_vrf=flow.protected_vrf,
        local_ident=flow.local_ident,
        remote_ident=flow.remote_ident,
        peer=flow.peer,
        peer_port=flow.peer_port,
        action=flow.action,
        flags=flow.flags,
        acl_origin=flow.acl_origin,
        local_endpoint=flow.local_endpoint,
        remote_endpoint=flow.remote_endpoint,
        current_outbound_spi=0,
        group=flow.group,
        ipsecv6_policy=flow.ipsecv6_policy,
        access_list=flow.access_list,
        dynamic_peer_address=flow.dynamic_peer_address,
        username=flow.username,
    )
