"""Which flow of now is which tunnel of before, which tunnels are missing, and when one is forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ipsecmon.model import ExpectedTunnel, TunnelState
from ipsecmon.tunnels.expected import ExpectedIndex, MapLines, missing_flow
from ipsecmon.tunnels.identity import known_names, names_of, tunnel_names
from ipsecmon_parsers.records import Flow, FlowKind, Platform

__all__ = ["absent", "is_forgotten", "match"]

# a tunnel the device lists no longer is expected back for so long after it was last up ...
_REMEMBERED_SECONDS = 7 * 86400.0
# ... or, if it never was up or lived for less than an hour, as between two spokes, for a day
_TRANSIENT_SECONDS = 3600.0
_TRANSIENT_REMEMBERED_SECONDS = 86400.0


def match(
    flows: Sequence[Flow],
    previous: Sequence[TunnelState],
    named: Mapping[int, ExpectedTunnel],
    inventory: ExpectedIndex,
) -> tuple[list[str], dict[str, TunnelState], dict[str, TunnelState]]:
    """The name of each flow; what is remembered of those, and of the tunnels not listed, by the names of now.

    A flow keeps the name it was known under until the inventory gives it another or takes that away again. What is
    remembered goes with the flow, whatever its name was.
    """
    before = {tunnel.name: tunnel for tunnel in previous}
    known_as = known_names(flows, {name: old.flow for name, old in before.items()})
    kept = {
        index: name
        for index, name in known_as.items()
        if _entry_name(before[name].expected) == _entry_name(named.get(index))
    }
    names = names_of(flows, kept, {index: one.name for index, one in named.items()})
    remembered = {names[index]: before[name] for index, name in known_as.items()}
    listed = set(known_as.values())
    lost: dict[str, TunnelState] = {}
    taken = set(names)
    for name, old in before.items():
        if name in listed:
            continue
        entry = inventory.of(old.flow)
        if _entry_name(old.expected) != _entry_name(entry):
            wanted = entry.name if entry is not None else tunnel_names([old.flow])[0]
        else:
            wanted = name
        unique, count = wanted, 1
        while unique in taken:
            count += 1
            unique = f"{wanted}#{count}"
        taken.add(unique)
        lost[unique] = old
    return names, remembered, lost


def _entry_name(entry: ExpectedTunnel | None) -> str | None:
    return None if entry is None else entry.name


def absent(
    listed: Sequence[Flow],
    platform: Platform,
    lost: Mapping[str, TunnelState],
    expected: Sequence[ExpectedTunnel],
    inventory: ExpectedIndex,
    named: Mapping[int, ExpectedTunnel],
    names: Sequence[str],
    lines: MapLines,
) -> Iterator[tuple[str, Flow, ExpectedTunnel | None]]:
    """Tunnels that should be listed and are not: name, what is known of the flow, its entry in the inventory."""
    taken = set(names)
    found = {one.name for one in named.values()}
    for one in expected:
        if one.name not in found and one.name not in taken:
            taken.add(one.name)
            old = lost.get(one.name)
            yield one.name, old.flow if old else missing_flow(one, platform), one
    flows = lines.not_listed(listed)
    if not flows:
        return
    known = {name: old.flow for name, old in lost.items() if name not in taken}
    for name, flow in zip(tunnel_names(flows, known), flows, strict=True):
        if name not in taken and inventory.of(flow) is None:
            taken.add(name)
            yield name, flow, None


def is_forgotten(tunnel: TunnelState, at: float, *, is_configured: bool = False) -> bool:
    """An unlisted tunnel nobody asks for is expected back for a week after it was last up.

    One whose entry of the crypto map is still configured is never forgotten: an ASA lists nothing of what is down.
    """
    memory = tunnel.memory
    last_seen = memory.last_listed_at or memory.first_seen_at
    if memory.last_listed_at is None:
        return True  # it was in the configuration only
    if is_configured:
        return False
    if memory.last_up_at is None:
        return at - last_seen >= _TRANSIENT_REMEMBERED_SECONDS
    is_transient = (
        tunnel.flow.kind in (FlowKind.DMVPN, FlowKind.DYNAMIC)
        and memory.last_up_at - memory.first_seen_at < _TRANSIENT_SECONDS
    )
    limit = _TRANSIENT_REMEMBERED_SECONDS if is_transient else _REMEMBERED_SECONDS
    return at - memory.last_up_at >= limit
