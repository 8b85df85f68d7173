"""What a tunnel is doing, from its flow, the IKE SAs of its peer, its session and how its counters moved."""

from __future__ import annotations

from collections.abc import Sequence

from ipsecmon.model import CounterSample, IkePeer, Status, TunnelState
from ipsecmon_parsers.records import (
    CryptoSession,
    Direction,
    Flow,
    FlowKind,
    IkeSa,
    IkeState,
    IpsecSa,
    Protocol,
    SessionStatus,
)

__all__ = ["in_use", "is_asked_for", "is_negotiating", "is_of_group", "is_standby_copy", "status"]

# these share the listing with tunnels and are none: a group, a routing protocol's keys, a controller's fabric
_EXCLUDED = frozenset({FlowKind.GETVPN, FlowKind.OSPFV3, FlowKind.SDWAN})
# readings over which traffic must stand still, or go one way only, before it is said
_READINGS = 4
_ONE_WAY_PACKETS = 20


# what the seconds left of two SAs may differ by without saying which is the newer
_JITTER_SECONDS = 5.0


def in_use(flow: Flow, inbound_before: int | None = None) -> tuple[IpsecSa | None, IpsecSa | None]:
    """The inbound and the outbound SA that carry traffic now; during a rekey old and new stand side by side.

    Sending uses the current outbound SPI; receiving accepts every inbound SA, so the one with the most time
    left stands for them, or of two about equal the one with the SPI that did so ``before``.
    """
    inbound: IpsecSa | None = None
    same: IpsecSa | None = None
    outbound: IpsecSa | None = None
    current: IpsecSa | None = None
    for sa in flow.sas:
        if not _is_active(sa) or sa.protocol is Protocol.PCP:
            continue  # the number of a compression is no SPI
        if sa.direction is Direction.INBOUND:
            inbound = _fresher(inbound, sa)
            if sa.spi == inbound_before:
                same = sa
        elif sa.spi == flow.current_outbound_spi:
            current = _fresher(current, sa)
        else:
            outbound = _fresher(outbound, sa)
    if same is not None and _time_left(same) + _JITTER_SECONDS >= _time_left(inbound or same):
        inbound = same
    return inbound, current or outbound


def _fresher(one: IpsecSa | None, other: IpsecSa) -> IpsecSa:
    return other if one is None or _time_left(other) > _time_left(one) else one


def _is_active(sa: IpsecSa) -> bool:
    return sa.status is None or sa.status.upper().startswith("ACTIVE")


def _time_left(sa: IpsecSa) -> float:
    if sa.remaining_seconds is None or sa.never_expires:
        return float("inf")
    return sa.remaining_seconds


def status(
    flow: Flow,
    inbound: IpsecSa | None,
    outbound: IpsecSa | None,
    peer: IkePeer | None,
    sessions: Sequence[CryptoSession],
    samples: Sequence[CounterSample],
    *,
    is_unidirectional: bool,
    is_excluded: bool,
) -> Status:
    """The state of one flow; ``samples`` are its last readings, this one included, ``sessions`` those with its peer."""
    if is_excluded or flow.kind in _EXCLUDED:
        return Status.EXCLUDED
    if inbound is not None and outbound is not None:
        return _up(peer, sessions, samples, is_unidirectional=is_unidirectional)
    if _is_standby(flow, peer, sessions):
        return Status.STANDBY
    if (peer is not None and is_negotiating(peer)) or any(
        session.status is SessionStatus.DOWN_NEGOTIATING for session in sessions
    ):
        return Status.NEGOTIATING
    return Status.DOWN_DEMANDED if _is_demanded(samples) else Status.DOWN_IDLE


def _up(
    peer: IkePeer | None,
    sessions: Sequence[CryptoSession],
    samples: Sequence[CounterSample],
    *,
    is_unidirectional: bool,
) -> Status:
    has_ike = (peer is not None and peer.is_up) or any(
        session.status in (SessionStatus.UP_ACTIVE, SessionStatus.UP_IDLE) for session in sessions
    )
    moved = _moved(samples)
    if moved is not None and not is_unidirectional:
        sent, received = moved
        if (sent >= _ONE_WAY_PACKETS and received == 0) or (
            received >= _ONE_WAY_PACKETS and sent == 0
        ):
            return Status.UP_ONE_WAY
    if not has_ike:
        return Status.UP_NO_IKE
    return Status.UP_IDLE if moved == (0, 0) else Status.UP


def _moved(samples: Sequence[CounterSample]) -> tuple[int, int] | None:
    """Packets sent and received over the last readings; ``None`` while there are too few of them."""
    if len(samples) < _READINGS:
        return None
    first, last = samples[-_READINGS], samples[-1]
    if None in (first.encaps, first.decaps, last.encaps, last.decaps):
        return None
    return (last.encaps or 0) - (first.encaps or 0), (last.decaps or 0) - (first.decaps or 0)


def _is_standby(flow: Flow, peer: IkePeer | None, sessions: Sequence[CryptoSession]) -> bool:
    if flow.sas:
        return all((sa.status or "").upper().startswith("STANDBY") for sa in flow.sas)
    if any(session.status in _STANDBY_SESSIONS for session in sessions):
        return True
    rows = peer.sas if peer is not None else ()
    return bool(rows) and all(is_standby_copy(sa) for sa in rows)


_STANDBY_SESSIONS = frozenset({SessionStatus.UP_ACTIVE_STANDBY, SessionStatus.UP_IDLE_STANDBY})


def is_standby_copy(sa: IkeSa) -> bool:
    """The copy of an IKE SA that the waiting one of a high availability pair holds."""
    return (sa.status or "").upper().startswith(("STDBY", "STANDBY"))


def is_of_group(sa: IkeSa) -> bool:
    """The IKE SA of a group (GETVPN) after its registration: done with negotiating, and no phase 1 of a tunnel."""
    return sa.state in (IkeState.GDOI_IDLE, IkeState.GDOI_REKEY)


def is_negotiating(peer: IkePeer) -> bool:
    """An IKE SA with the peer is on its way, beside one that is up or alone; a deleted one is on its way out."""
    return any(
        not (sa.is_established or sa.is_deleted or is_standby_copy(sa) or is_of_group(sa))
        for sa in peer.sas
    )


def is_asked_for(tunnel: TunnelState) -> bool:
    """The tunnel is down and traffic asks for it.

    Of a flow that is listed its send errors say so; one that is listed only while it has SAs, as on an ASA and below a
    dynamic map, has no counters then, but an end that tries IKE has something to send.
    """
    if not tunnel.status.is_down:
        return False
    if tunnel.is_listed:
        return _is_demanded(tunnel.memory.samples)
    return tunnel.status is Status.NEGOTIATING


def _is_demanded(samples: Sequence[CounterSample]) -> bool:
    """Packets asked for the tunnel since the reading before: those that find no SA count as send errors."""
    if len(samples) < 2:
        return False
    before, now = samples[-2].send_errors, samples[-1].send_errors
    return before is not None and now is not None and now > before
