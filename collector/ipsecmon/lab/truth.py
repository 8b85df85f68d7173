"""What truly happens in the simulated network, recorded where it happens: what a monitor is measured against.

    network.happenings        # every SA that came, was renewed or went, every reload, with its lab second
    network.truth("hub")      # per flow: is it up now, what was sent and received since the lab began

Nothing here is read from the text of a command or worked out by the monitor's code.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["FlowKey", "FlowTruth", "Happening", "HappeningKind", "Trigger"]


class Trigger(StrEnum):
    """Why a standing SA pair was replaced or ran out."""

    TIME = "time"
    VOLUME = "volume"
    FORCED = "forced"
    """The peer had lost its half and made a new pair, whatever was left of ours."""


class HappeningKind(StrEnum):
    """What happened to a flow at one end, or to a router."""

    UP = "up"
    """A pair came where there was none."""
    REKEY = "rekey"
    """A pair came beside the one in use; ``trigger`` says why."""
    EXPIRED = "expired"
    """The pair in use ran out of time or volume and was not renewed; ``trigger`` says which."""
    IDLE = "idle"
    """The pair in use was deleted because nothing passed through it."""
    CLEARED = "cleared"
    """The operator of this router deleted its SAs."""
    DELETED_BY_PEER = "deleted_by_peer"
    """The peer said that it deleted its half."""
    DEAD_PEER = "dead_peer"
    """Dead peer detection gave the peer up, and the SAs with it."""
    FORGOTTEN = "forgotten"
    """The peer began afresh (INITIAL-CONTACT, an invalid SPI) and no longer had its half."""
    PEER_CHANGED = "peer_changed"
    """The entry turned to another of its peers."""
    COUNTERS_CLEARED = "counters_cleared"
    """The packet counters of this end went to zero, the SAs with them or not; not told of a reload."""
    # of a router as a whole, without a flow
    RELOAD = "reload"
    """The router went down with everything it knew."""
    BOOTED = "booted"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowKey:
    """Which flow: networks as ``10.1.1.0/24``, the IP protocol by its number, 0 for all."""

    router: str
    crypto_map: str
    local: str
    remote: str
    protocol: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One thing that happened at lab second ``at``.

    ``is_up`` is whether the flow has an SA pair after it. SPIs are the outbound ones of this end; what was left of
    the old pair is given in seconds and kilobytes, ``None`` where volume rekey is disabled. At a change of peers
    ``peer`` is the new one and ``old_peer`` the one before.
    """

    kind: HappeningKind
    router: str
    at: float
    flow: FlowKey | None = None
    is_up: bool | None = None
    trigger: Trigger | None = None
    peer: str | None = None
    old_peer: str | None = None
    old_spi: int | None = None
    new_spi: int | None = None
    seconds_left: float | None = None
    kilobytes_left: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowTruth:
    """One flow at one end, now.

    ``is_up``: a pair of SAs, inbound and outbound, is held here. ``is_joined``: and the peer holds the other half and
    can be reached. Packets and bytes are those that went through SAs here since the lab began; no clear and no reload
    sets them back. ``encaps_packets``, ``decaps_packets`` and ``send_errors`` are the counters as printed.
    """

    key: FlowKey
    at: float
    is_up: bool
    is_joined: bool
    peer: str
    outbound_spi: int | None
    inbound_spis: tuple[int, ...]
    sent_packets: int
    sent_bytes: int
    received_packets: int
    received_bytes: int
    encaps_packets: int
    decaps_packets: int
    send_errors: int
