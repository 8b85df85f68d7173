"""Both ends of a tunnel: which tunnel of which other device is its other end, and what the two together say.

The order of proof: SPIs that cross, IKE version 2 SPIs that cross, mirrored identities between gateways that are each
other's peer, the configuration, and what an earlier reading had proven. Only the first two work through address
translation, and for tunnels that protect everything (any to any). Where one proof finds several other ends a weaker
one may tell them apart; where none does there is no link, never a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ipsecmon.model import (
    ConfiguredLink,
    Link,
    LinkProof,
    PollResult,
    Snapshot,
    TunnelState,
)
from ipsecmon.tunnels.ends import DeviceEnds, End, Ends, has_sa, inbound_spis, outbound_spi
from ipsecmon.tunnels.findings import finding
from ipsecmon.tunnels.loss import Counted, losses

__all__ = ["join"]

# a reading older than this says nothing of now
_STALE_INTERVALS = 2.0


def join(
    result: PollResult,
    others: Snapshot | Ends,
    configured: Sequence[ConfiguredLink] = (),
    previous: Sequence[Link] = (),
) -> tuple[Link, ...]:
    """The other ends of the tunnels of ``result``, from the newest results of all other devices.

    Pass the ``Ends`` that a service keeps: a snapshot is indexed anew in every call. ``previous`` are the links of the
    last result of this device; one that was proven is kept with its names for as long as both tunnels are known.
    """
    ends = others if isinstance(others, Ends) else Ends.of(others.values())
    known = ends.device(result.device)
    here = known if known is not None and known.result is result else DeviceEnds.of(result)
    chosen = _choose(here, ends, configured, previous)
    return tuple(
        _link(here.result, tunnel, ends, *chosen[name])
        for name, tunnel in here.tunnels.items()
        if name in chosen
    )


def _choose(
    here: DeviceEnds,
    ends: Ends,
    configured: Sequence[ConfiguredLink],
    previous: Sequence[Link],
) -> Mapping[str, tuple[End, LinkProof]]:
    """At most one other end for each tunnel, each other end at most once."""
    choice = _Choice(here, ends)
    choice.add(LinkProof.SPI_PAIR, ends.crossed)
    ike_keys = here.ike_keys()
    choice.add(
        LinkProof.IKE_SPI, lambda tunnel: ends.of_ike_sa(tunnel, ike_keys.get(tunnel.name, ()))
    )
    choice.add(LinkProof.MIRRORED, lambda tunnel: ends.mirrored(tunnel, here))
    choice.add_named(LinkProof.CONFIGURED, _configured_ends(here.result.device, configured))
    choice.add_named(LinkProof.LEARNED, _learned_ends(here.result.device, previous, ends))
    return choice.chosen


class _Choice:
    """Collects other ends, proof by proof, the strongest first."""

    def __init__(self, here: DeviceEnds, ends: Ends) -> None:
        self.chosen: dict[str, tuple[End, LinkProof]] = {}
        self._here = here
        self._ends = ends
        self._taken: set[End] = set()
        # the candidates of a stronger proof that could not tell them apart
        self._narrowed: dict[str, frozenset[End]] = {}

    def add(self, proof: LinkProof, find: Callable[[TunnelState], Iterable[End]]) -> None:
        wanted: dict[End, list[str]] = {}
        for name, tunnel in self._here.tunnels.items():
            if name in self.chosen:
                continue
            found = [end for end in find(tunnel) if self._is_free(end, tunnel, proof)]
            if name in self._narrowed:
                found = [end for end in found if end in self._narrowed[name]]
            if len(found) == 1:
                wanted.setdefault(found[0], []).append(name)
            elif found:
                self._narrowed[name] = frozenset(found)
        self._take(proof, wanted)

    def add_named(self, proof: LinkProof, named: Mapping[str, End]) -> None:
        wanted: dict[End, list[str]] = {}
        for name, end in named.items():
            tunnel = self._here.tunnels.get(name)
            if tunnel and name not in self.chosen and self._is_free(end, tunnel, proof):
                wanted.setdefault(end, []).append(name)
        self._take(proof, wanted)

    def _take(self, proof: LinkProof, wanted: Mapping[End, Sequence[str]]) -> None:
        for end, names in wanted.items():
            # two tunnels of this device with one other end: one of them is wrong, and nothing says which
            if len(names) == 1:
                self.chosen[names[0]] = end, proof
                self._taken.add(end)

    def _is_free(self, end: End, tunnel: TunnelState, proof: LinkProof) -> bool:
        """No stronger proof has given this end to another tunnel, here or on a third device."""
        if end in self._taken:
            return False
        if proof is LinkProof.SPI_PAIR:
            return True
        other = self._ends.tunnel(end)
        return other is None or all(
            partner == (tunnel.device, tunnel.name) for partner in self._ends.crossed(other)
        )


def _configured_ends(device: str, configured: Sequence[ConfiguredLink]) -> Mapping[str, End]:
    ends: dict[str, End] = {}
    for one in configured:
        if one.device == device:
            ends[one.tunnel] = End(one.remote_device, one.remote_tunnel)
        elif one.remote_device == device:
            ends[one.remote_tunnel] = End(one.device, one.tunnel)
    return ends


def _learned_ends(device: str, previous: Sequence[Link], ends: Ends) -> Mapping[str, End]:
    """What was known before, without what a good reading of the other device no longer has."""
    learned: dict[str, End] = {}
    for link in previous:
        # what the configuration alone said is gone when it is taken out there
        if link.device != device or link.proof is LinkProof.CONFIGURED:
            continue
        end = End(link.remote_device, link.remote_tunnel)
        remote = ends.device(end.device)
        if remote is None or not remote.result.is_good or end.tunnel in remote.tunnels:
            learned[link.tunnel] = end
    return learned


@dataclass(frozen=True, slots=True)
class _Read:
    """A tunnel with the time it was read: one that is not listed was read as absent in the last good poll."""

    tunnel: TunnelState
    at: float
    interval_seconds: float

    @classmethod
    def of(cls, tunnel: TunnelState, result: PollResult) -> _Read:
        at = tunnel.seen_at
        if not tunnel.is_listed and result.read_at is not None:
            at = max(at, result.read_at)
        return cls(tunnel, at, result.interval_seconds)

    @property
    def changed_at(self) -> float:
        """The first reading that showed the SAs of now, or may have."""
        memory = self.tunnel.memory
        changes = (
            memory.first_seen_at,
            memory.last_rekey_at,
            memory.last_transition_at,
            memory.unsettled_since,
        )
        return max(at for at in changes if at is not None)

    @property
    def absent_at(self) -> tuple[float, ...]:
        """Of a tunnel without SAs now: times of readings that are known to have shown none, the first and this one."""
        memory = self.tunnel.memory
        if memory.is_settled_up:
            first = memory.unsettled_since
        elif memory.last_transition_at is None:
            first = memory.first_seen_at
        else:
            first = memory.last_transition_at
        return (self.at,) if first is None else (first, self.at)


def _link(
    result: PollResult, tunnel: TunnelState, ends: Ends, other: End, proof: LinkProof
) -> Link:
    device = ends.device(other.device)
    remote = None if device is None else device.tunnels.get(other.tunnel)
    if device is None or remote is None:
        return Link(
            device=result.device,
            tunnel=tunnel.name,
            remote_device=other.device,
            remote_tunnel=other.tunnel,
            proof=proof,
            is_spi_pair_matched=None,
        )
    here, there = _Read.of(tunnel, result), _Read.of(remote, device.result)
    now = max(result.started_at + result.duration_seconds, result.read_at or 0.0)
    is_fresh = _is_fresh(here, now) and _is_fresh(there, now)
    is_matched = _is_matched(here, there) if is_fresh else None
    sent, received = None, None
    if is_fresh and has_sa(tunnel) and has_sa(remote):
        sent, received = losses(
            Counted(memory=tunnel.memory, interval_seconds=here.interval_seconds),
            Counted(memory=remote.memory, interval_seconds=there.interval_seconds),
        )
    return Link(
        device=result.device,
        tunnel=tunnel.name,
        remote_device=other.device,
        remote_tunnel=other.tunnel,
        proof=proof,
        is_spi_pair_matched=is_matched,
        sent_loss=sent,
        received_loss=received,
        finding=finding(tunnel, remote, is_spi_pair_matched=is_matched) if is_fresh else None,
    )


def _is_fresh(read: _Read, now: float) -> bool:
    # a reading from the future comes from a clock set back: it is as old as it is ahead
    return abs(now - read.at) <= _STALE_INTERVALS * read.interval_seconds


def _is_matched(here: _Read, there: _Read) -> bool | None:
    """Each end sends with an SPI the other receives with; ``None`` without SAs, or while the readings cannot tell.

    The ends are read at different moments. What differs is a difference only when both ends have been read again
    since either was first seen with the SAs it has now: otherwise one reading may be from before a rekey and the
    other from after it.
    """
    one, other = here.tunnel, there.tunnel
    if not has_sa(one) and not has_sa(other):
        return None
    if outbound_spi(one) in inbound_spis(other.flow) and (
        outbound_spi(other) in inbound_spis(one.flow)
    ):
        return True
    if has_sa(one) and has_sa(other):
        was_together = min(here.at, there.at) > max(here.changed_at, there.changed_at)
        return False if was_together else None
    # an SPI is not used twice, but the same absence may come back: it counts at the moments it was read only
    present, absent = (here, there) if has_sa(one) else (there, here)
    if any(present.changed_at < at < present.at for at in absent.absent_at):
        return False
    return None
