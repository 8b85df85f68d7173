"""The vocabulary of what we make of the records: tunnels, events, the result of a poll.

Imports nothing of ours but the records and the result of parsing. Times are Unix seconds (UTC).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ipsecmon_parsers.records import Flow, IkeSa, IpsecSa, Platform, SaLifetime
from ipsecmon_parsers.registry import UnparsedLine

__all__ = [
    "Event",
    "EventKind",
    "IkePeer",
    "PollError",
    "PollResult",
    "RawOutput",
    "Reason",
    "RekeyTrigger",
    "Snapshot",
    "Stage",
    "Status",
    "TunnelState",
    "UnparsedOutput",
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
    """What a tunnel is doing, read from its flow and the IKE SAs of its peer."""

    UP = "up"
    UP_NO_IKE = "up_no_ike"
    NEGOTIATING = "negotiating"
    DOWN_IDLE = "down_idle"
    DOWN_DEMANDED = "down_demanded"

    @property
    def is_up(self) -> bool:
        """IPsec SAs in both directions carry traffic now, with or without an IKE SA (RFC 2409)."""
        return self in (Status.UP, Status.UP_NO_IKE)


class RekeyTrigger(StrEnum):
    """Why an SPI was replaced, as far as two readings tell."""

    TIME = "time"
    VOLUME = "volume"
    FORCED = "forced"
    OUTAGE = "outage"


class EventKind(StrEnum):
    """What happened to a tunnel between two good polls."""

    UP = "up"
    DOWN = "down"
    REKEY = "rekey"
    NEW = "new"
    GONE = "gone"
    """The device lists the flow no longer; the tunnel is kept, and down."""


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
class TunnelState:
    """One protected flow of one device, with what we remember of it.

    ``name`` is unique on its device and survives rekeys, reloads and peer failover. ``inbound`` and
    ``outbound`` are the SAs in use: the one whose SPI is the current outbound one, and the inbound one with
    the most time left. ``last_outbound_spi`` is the last one that was not zero.
    """

    device: str
    name: str
    flow: Flow
    status: Status
    inbound: IpsecSa | None
    outbound: IpsecSa | None
    seen_at: float
    last_outbound_spi: int
    rekeys: Mapping[RekeyTrigger, int]
    last_rekey_at: float | None
    last_transition_at: float | None

    @property
    def peer(self) -> str:
        """Address of the other gateway."""
        return self.flow.peer or ""


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
    """Something that happened to a tunnel; ``detail`` is for a person."""

    kind: EventKind
    device: str
    tunnel: str
    at: float
    detail: str


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

    @property
    def message(self) -> str:
        """The cause with the device and the stage before it."""
        return f"{self.device}, stage {self.stage}: {self.cause}"


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
    tunnels: tuple[TunnelState, ...] = ()
    ike_peers: tuple[IkePeer, ...] = ()
    unmatched_ike_sas: tuple[IkeSa, ...] = ()
    sa_lifetime: SaLifetime | None = None
    events: tuple[Event, ...] = ()
    outputs: tuple[RawOutput, ...] = ()
    unparsed: tuple[UnparsedOutput, ...] = ()
    error: PollError | None = None
    errors_total: Mapping[Reason, int] = field(default_factory=dict[Reason, int])

    @property
    def is_good(self) -> bool:
        """The last poll read everything it wanted."""
        return self.error is None


Snapshot = Mapping[str, PollResult]
"""The newest result per device, by name."""
