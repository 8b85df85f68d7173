"""What happened between two good readings: events, each told once and in words for a person.

A reload and ``clear crypto sa`` both take the counters of every flow to zero. They are told apart by what only a reload
does: connection ids begin anew, and no IKE SA outlives it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ipsecmon.model import Event, EventKind, PollResult, Status, TunnelState
from ipsecmon.tunnels.rekeys import Rekey
from ipsecmon_parsers.documents import spi_hex
from ipsecmon_parsers.records import CryptoMapEntry, FlowKind, IkeSa, Platform, SaLifetime

__all__ = ["device_events", "has_counted", "has_fallen", "is_reload", "tunnel_events"]

# old trains count in 32 bits
_ROUND = 2**32
# a counter that went round has not counted more than this many times what its last rate says
_PLAUSIBLE = 10


def has_fallen(
    before: int | None, now: int | None, *, plausible_packets: float, is_same_sa: bool
) -> bool:
    """A counter began anew; one that went round at 32 bits, on an SA that stands, did not.

    ``plausible_packets`` is what the flow counts in the time between the readings at its last rate.
    """
    if before is None or now is None or now >= before:
        return False
    went_round = now + _ROUND - before
    return not (
        is_same_sa and before < _ROUND and 0 < went_round <= _PLAUSIBLE * (plausible_packets + 1000)
    )


def is_reload(
    tunnels: Sequence[tuple[TunnelState, TunnelState]],
    fallen: frozenset[str],
    ike_sas: Sequence[IkeSa],
    previous: PollResult,
    at: float,
) -> bool:
    """Whether the device started anew, from the tunnels ``(before, now)`` that are listed now and were known.

    No SA and no counter outlives a reload, and all numbers begin anew. What proves it is connection ids below all that
    were in use, where ids count up since the start; failing that ids that were given before although their SAs are
    new, or, before any SA is back, that no IKE SA is left. An IKE SA that is still there, deleted or not, or numbers
    that go on, say that it was a clear.
    """
    changed = [(old, new) for old, new in tunnels if old.memory.outbound is not None]
    if not changed or any(_keeps_its_sa(old, new) for old, new in changed):
        return False
    counted = sum(has_counted(old) for old, _ in changed)
    if 2 * len(fallen) < counted:
        return False
    old_ids = [_conn_id(old) for old, _ in changed if _conn_id(old)]
    new_ids = [_conn_id(new) for _, new in changed if new.outbound is not None and _conn_id(new)]
    if new_ids and old_ids and max(new_ids) < min(old_ids) and min(old_ids) > _COUNTED_UP:
        return True
    highest_ike, highest_ipsec = previous.highest_conn_ids
    if any(conn_id > highest_ipsec for conn_id in new_ids):
        return False
    if highest_ike and any((sa.conn_id or 0) > highest_ike for sa in ike_sas):
        return False
    seconds = at - (at if previous.read_at is None else previous.read_at)
    before = {_row(sa) for peer in previous.ike_peers for sa in peer.sas if sa.is_established}
    if any(_row(sa) in before and not _is_younger(sa, seconds) for sa in ike_sas):
        return False
    if new_ids and highest_ipsec:
        return True
    return bool(before) and counted > 0


# engines that number their SAs from here count up until the next start; others give small numbers again and again
_COUNTED_UP = 1000


def _is_younger(sa: IkeSa, seconds: float) -> bool:
    """It was made since the last reading, which only version 2 tells: its numbers are given again."""
    return sa.active_seconds is not None and sa.active_seconds < seconds - _CLOCK_SECONDS


_CLOCK_SECONDS = 5.0


def _keeps_its_sa(old: TunnelState, new: TunnelState) -> bool:
    mark = old.memory.outbound
    return new.outbound is not None and mark is not None and new.outbound.spi == mark.spi


def _conn_id(tunnel: TunnelState) -> int:
    mark = tunnel.memory.outbound
    return (mark.conn_id or 0) if mark is not None else 0


def has_counted(tunnel: TunnelState) -> bool:
    """At its last reading some packet had been counted."""
    samples = tunnel.memory.samples
    return bool(samples) and bool(samples[-1].encaps or samples[-1].decaps)


def _row(sa: IkeSa) -> tuple[object, ...]:
    return sa.version, sa.conn_id, sa.source or sa.local, sa.destination or sa.remote


def device_events(
    device: str,
    at: float,
    *,
    is_reload: bool,
    cleared: Sequence[str],
    listed: int,
    previous: PollResult,
    crypto_map: Sequence[CryptoMapEntry],
    lifetime: SaLifetime | None,
) -> Iterator[Event]:
    """What happened to the device as a whole. ``cleared`` are tunnels whose counters fell, of ``listed`` in all."""
    if is_reload:
        yield Event(
            kind=EventKind.RELOAD,
            device=device,
            tunnel=None,
            at=at,
            detail="the device started anew: no SA was left, and its connection ids or counters began anew",
        )
    elif len(cleared) > 1 and len(cleared) == listed:
        yield Event(
            kind=EventKind.COUNTERS_CLEARED,
            device=device,
            tunnel=None,
            at=at,
            detail=f"the counters of all {listed} tunnels began anew, the device did not",
        )
    changes = [*_map_changes(previous.crypto_map, crypto_map)]
    before = previous.sa_lifetime
    if before is not None and lifetime is not None and lifetime != before:
        changes.append(f"lifetime of new SAs {_lifetime(before)} -> {_lifetime(lifetime)}")
    if changes:
        yield Event(
            kind=EventKind.CONFIGURATION_DRIFT,
            device=device,
            tunnel=None,
            at=at,
            detail="; ".join(changes),
        )


def _lifetime(lifetime: SaLifetime) -> str:
    volume = "no volume" if lifetime.kilobytes is None else f"{lifetime.kilobytes} kB"
    return f"{lifetime.seconds} s/{volume}"


def _map_changes(before: Sequence[CryptoMapEntry], now: Sequence[CryptoMapEntry]) -> Iterator[str]:
    """Entries of crypto maps that came, went or changed; the current peer is no configuration."""
    if not before or before is now:
        return
    old, new = _entries(before), _entries(now)
    for place in sorted(old.keys() | new.keys()):
        name = f"crypto map {place[0]} {place[1]}" if place[1] else f"crypto map {place[0]}"
        if place not in new:
            yield f"{name} is gone"
        elif place not in old:
            yield f"{name} is new"
        elif old[place] != new[place]:
            words = ", ".join(
                field for field in old[place] if old[place][field] != new[place][field]
            )
            yield f"{name} changed: {words}"


_NO_CONFIGURATION = frozenset({"current_peer", "access_entries"})


def _entries(entries: Sequence[CryptoMapEntry]) -> Mapping[tuple[str, int], dict[str, object]]:
    return {
        (entry.name, entry.sequence or 0): {
            **{
                field: getattr(entry, field)
                for field in entry.__slots__
                if field not in _NO_CONFIGURATION
            },
            # hit counters are no configuration
            "access lines": tuple(line.text for line in entry.access_entries),
        }
        for entry in entries
        # made for each negotiation of a dynamic map or a tunnel protection
        if entry.created_from is None and not entry.is_profile_instance
    }


def tunnel_events(
    old: TunnelState | None,
    new: TunnelState,
    rekey: Rekey | None,
    at: float,
    *,
    is_cleared: bool,
) -> Iterator[Event]:
    """What happened to one tunnel; ``is_cleared`` says that its counters, not those of all, began anew."""
    if old is None:
        yield _event(EventKind.NEW, new, at, f"first seen, {new.status}")
        return
    yield from _transition(old, new, at)
    is_told_now = new.memory.is_gone_told and not old.memory.is_gone_told
    if is_told_now and not old.memory.is_settled_up and not _is_listed_only_when_up(new):
        yield _event(EventKind.GONE, new, at, "no longer listed by the device; it was not up")
    if rekey is not None:
        yield _rekey_event(new, rekey, at)
    if old.current_peer and new.current_peer and old.current_peer != new.current_peer:
        yield _event(
            EventKind.PEER_FAILOVER,
            new,
            at,
            f"peer {old.current_peer} -> {new.current_peer}",
            old_peer=old.current_peer,
            new_peer=new.current_peer,
        )
    if is_cleared:
        yield _event(EventKind.COUNTERS_CLEARED, new, at, "the counters of the flow began anew")
    before, now = old.memory.signature, new.memory.signature
    if before and now and before != now:
        yield _event(
            EventKind.CONFIGURATION_DRIFT, new, at, f"{' '.join(before)} -> {' '.join(now)}"
        )


def _transition(old: TunnelState, new: TunnelState, at: float) -> Iterator[Event]:
    """Up and down as confirmed by two readings; the time is that of the first of them."""
    was, is_up = old.memory.is_settled_up, new.memory.is_settled_up
    if was is None or was == is_up:
        return
    since = old.memory.unsettled_since
    began = at if since is None else since
    spi = spi_hex(new.memory.outbound.spi) if new.memory.outbound else "none"
    if is_up:
        yield _event(EventKind.UP, new, began, f"up, outbound SPI {spi}", confirmed_at=at)
    elif new.is_listed or _is_listed_only_when_up(new):
        yield _event(
            EventKind.DOWN, new, began, f"{_word(new)}, last outbound SPI {spi}", confirmed_at=at
        )
    else:
        yield _event(
            EventKind.GONE,
            new,
            began,
            f"no longer listed by the device, last outbound SPI {spi}",
            confirmed_at=at,
        )


def _is_listed_only_when_up(tunnel: TunnelState) -> bool:
    """An ASA lists no static tunnel without SAs: one that is not there any more is down like any other."""
    return tunnel.flow.platform is Platform.ASA and tunnel.flow.kind is FlowKind.CRYPTO_MAP


def _word(tunnel: TunnelState) -> str:
    match tunnel.status:
        case Status.DOWN_DEMANDED:
            return "down although packets ask for it"
        case Status.NEGOTIATING:
            return "down, IKE is negotiating"
        case _:
            return "down"


def _rekey_event(tunnel: TunnelState, rekey: Rekey, at: float) -> Event:
    left = ""
    if rekey.seconds_left is not None:
        left = f", {max(0.0, rekey.seconds_left):.0f} s"
        if rekey.kilobytes_left is not None:
            left += f" and {max(0.0, rekey.kilobytes_left):.0f} kB"
        left += " left"
    gap = f", up to {rekey.gap_seconds:.0f} s without an SA" if rekey.gap_seconds else ""
    return _event(
        EventKind.REKEY,
        tunnel,
        at,
        f"rekey ({rekey.trigger}): {spi_hex(rekey.old_spi)} -> {spi_hex(rekey.new_spi)}{left}{gap}",
        trigger=rekey.trigger.value,
        old_spi=rekey.old_spi,
        new_spi=rekey.new_spi,
        seconds_left=rekey.seconds_left,
        kilobytes_left=rekey.kilobytes_left,
        gap_seconds=rekey.gap_seconds,
    )


def _event(
    kind: EventKind,
    tunnel: TunnelState,
    at: float,
    detail: str,
    **facts: str | float | None,
) -> Event:
    return Event(
        kind=kind, device=tunnel.device, tunnel=tunnel.name, at=at, detail=detail, facts=facts
    )
