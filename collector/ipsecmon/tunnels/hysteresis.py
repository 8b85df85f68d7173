"""A change between up and down is believed when a second reading agrees with the first."""

from __future__ import annotations

from dataclasses import dataclass

from ipsecmon.model import Status, TunnelMemory

__all__ = ["Settled", "settled"]


@dataclass(frozen=True, slots=True)
class Settled:
    """The part of a tunnel's memory that hysteresis decides; see ``TunnelMemory``."""

    is_up: bool | None
    since: float | None
    last_transition_at: float | None
    flaps: int


def settled(memory: TunnelMemory, state: Status, at: float) -> Settled:
    """Hysteresis: a change is believed when a second reading agrees with the first."""
    was, since, last, flaps = (
        memory.is_settled_up,
        memory.unsettled_since,
        memory.last_transition_at,
        memory.flaps,
    )
    if not (state.is_up or state.is_down):
        return Settled(was, None, last, flaps)
    is_up = state.is_up
    if was is None:
        return Settled(is_up, None, at, flaps)
    if is_up == was:
        return Settled(was, None, last, flaps)
    # the same reading twice confirms nothing; one by a clock set back is another reading
    if since is None or at == since:
        return Settled(was, at, last, flaps)
    return Settled(is_up, None, since, flaps + (not is_up))
