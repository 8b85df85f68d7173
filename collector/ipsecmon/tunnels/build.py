"""Joins flows, IKE SAs and the previous state into tunnels and events.

Pure: the same readings always give the same tunnels, so the rules are tested as tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ipsecmon.model import Event, EventKind, IkePeer, RekeyTrigger, Status, TunnelState
from ipsecmon.tunnels.identity import tunnel_names
from ipsecmon.tunnels.peers import flow_ends, ike_peers
from ipsecmon.tunnels.rekeys import rekey_trigger
from ipsecmon_parsers.documents import spi_hex
from ipsecmon_parsers.records import Direction, Flow, IkeSa, IpsecSa, SaLifetime

__all__ = ["TunnelReading", "build"]

_NO_REKEYS: Mapping[RekeyTrigger, int] = dict.fromkeys(RekeyTrigger, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TunnelReading:
    """What one good poll says about a device's tunnels."""

    tunnels: tuple[TunnelState, ...]
    ike_peers: tuple[IkePeer, ...]
    unmatched_ike_sas: tuple[IkeSa, ...]
    events: tuple[Event, ...]


def build(
    *,
    device: str,
    device_address: str,
    flows: Sequence[Flow],
    ike_sas: Sequence[IkeSa],
    lifetime: SaLifetime | None,
    previous: Sequence[TunnelState],
    at: float,
) -> TunnelReading:
    """The tunnels of ``device`` as read at ``at``, and what happened since ``previous``."""
    before = {tunnel.name: tunnel for tunnel in previous}
    peers, unmatched = ike_peers(flows, ike_sas, device_address)
    peer_by_ends = {(peer.peer, peer.local_address): peer for peer in peers}
    tunnels: list[TunnelState] = []
    events: list[Event] = []
    known = {tunnel.name: tunnel.flow for tunnel in previous}
    for name, flow in zip(tunnel_names(flows, known), flows, strict=True):
        old = before.pop(name, None)
        inbound, outbound = _in_use(flow)
        status = _status(flow, inbound, outbound, peer_by_ends.get(flow_ends(flow)), old)
        trigger = _rekey(flow, old, lifetime, at)
        tunnel = TunnelState(
            device=device,
            name=name,
            flow=flow,
            status=status,
            inbound=inbound,
            outbound=outbound,
            seen_at=at,
            last_outbound_spi=flow.current_outbound_spi or (old.last_outbound_spi if old else 0),
            rekeys=_counted(old, trigger),
            last_rekey_at=at if trigger else (old.last_rekey_at if old else None),
            last_transition_at=_last_transition(old, status, at),
        )
        tunnels.append(tunnel)
        events.extend(_events(tunnel, old, trigger, at))
    for lost in before.values():
        if at - lost.seen_at < _REMEMBERED_SECONDS:
            tunnels.append(_not_listed(lost, at))
            if lost.flow.sas or lost.status.is_up:
                events.append(_gone(lost, at))
    return TunnelReading(
        tunnels=tuple(tunnels),
        ike_peers=peers,
        unmatched_ike_sas=unmatched,
        events=tuple(events),
    )


# A dynamic flow is listed only while it lives: its tunnel goes down with it instead of vanishing, and is forgotten
# after a day without a sign of it.
_REMEMBERED_SECONDS = 86400.0


def _not_listed(tunnel: TunnelState, at: float) -> TunnelState:
    """A tunnel whose flow the device lists no longer: no SAs, down, counters as last read."""
    was_up = tunnel.status.is_up
    return replace(
        tunnel,
        flow=replace(tunnel.flow, sas=(), current_outbound_spi=0),
        status=Status.DOWN_IDLE,
        inbound=None,
        outbound=None,
        last_transition_at=at if was_up else tunnel.last_transition_at,
    )


def _gone(tunnel: TunnelState, at: float) -> Event:
    detail = f"no longer listed by the device, was {tunnel.status}"
    return Event(
        kind=EventKind.GONE, device=tunnel.device, tunnel=tunnel.name, at=at, detail=detail
    )


def _in_use(flow: Flow) -> tuple[IpsecSa | None, IpsecSa | None]:
    """The inbound and the outbound SA that carry traffic now; during a rekey old and new stand side by side.

    Sending uses the current outbound SPI; receiving accepts every inbound SA, so the one with the most time
    left stands for them.
    """
    inbound = [sa for sa in flow.sas if sa.direction is Direction.INBOUND and _is_active(sa)]
    outbound = [sa for sa in flow.sas if sa.direction is Direction.OUTBOUND and _is_active(sa)]
    current = [sa for sa in outbound if sa.spi == flow.current_outbound_spi]
    return (
        max(inbound, key=_time_left, default=None),
        max(current or outbound, key=_time_left, default=None),
    )


def _is_active(sa: IpsecSa) -> bool:
    return sa.status is None or sa.status.startswith("ACTIVE")


def _time_left(sa: IpsecSa) -> float:
    if sa.remaining_seconds is None or sa.never_expires:
        return float("inf")
    return sa.remaining_seconds


def _status(
    flow: Flow,
    inbound: IpsecSa | None,
    outbound: IpsecSa | None,
    peer: IkePeer | None,
    old: TunnelState | None,
) -> Status:
    if inbound is not None and outbound is not None:
        return Status.UP if peer is not None and peer.is_up else Status.UP_NO_IKE
    if peer is not None and any(not sa.is_deleted and not sa.is_established for sa in peer.sas):
        return Status.NEGOTIATING
    # packets that find no SA count as send errors: the sign of demand
    errors_before = old.flow.send_errors if old else None
    if flow.send_errors and errors_before is not None and flow.send_errors > errors_before:
        return Status.DOWN_DEMANDED
    return Status.DOWN_IDLE


def _rekey(
    flow: Flow, old: TunnelState | None, lifetime: SaLifetime | None, at: float
) -> RekeyTrigger | None:
    """What replaced the SPI since the last reading, ``None`` where none was replaced or none is there."""
    spi = flow.current_outbound_spi
    if old is None or not spi or not old.last_outbound_spi or spi == old.last_outbound_spi:
        return None
    return rekey_trigger(
        old.outbound,
        age_seconds=at - old.seen_at,
        lifetime=lifetime,
        went_through_zero=not old.flow.current_outbound_spi,
    )


def _counted(old: TunnelState | None, trigger: RekeyTrigger | None) -> Mapping[RekeyTrigger, int]:
    counts = old.rekeys if old else _NO_REKEYS
    return counts if trigger is None else {**counts, trigger: counts[trigger] + 1}


def _last_transition(old: TunnelState | None, status: Status, at: float) -> float | None:
    if old is None:
        return None
    return at if old.status.is_up != status.is_up else old.last_transition_at


def _events(
    tunnel: TunnelState, old: TunnelState | None, trigger: RekeyTrigger | None, at: float
) -> list[Event]:
    spi = spi_hex(tunnel.flow.current_outbound_spi or 0)
    happened: list[tuple[EventKind, str]] = []
    if old is None:
        happened.append((EventKind.NEW, f"first seen, {tunnel.status}"))
    elif tunnel.status.is_up and not old.status.is_up:
        happened.append((EventKind.UP, f"up, outbound SPI {spi}"))
    elif old.status.is_up and not tunnel.status.is_up:
        happened.append(
            (EventKind.DOWN, f"{tunnel.status}, last outbound SPI {spi_hex(old.last_outbound_spi)}")
        )
    if old is not None and trigger is not None:
        left = old.outbound.remaining_seconds if old.outbound else None
        ago = (
            f", {left} s left when read {at - old.seen_at:.0f} s before" if left is not None else ""
        )
        happened.append(
            (EventKind.REKEY, f"rekey ({trigger}): {spi_hex(old.last_outbound_spi)} -> {spi}{ago}")
        )
    return [
        Event(kind=kind, device=tunnel.device, tunnel=tunnel.name, at=at, detail=detail)
        for kind, detail in happened
    ]
