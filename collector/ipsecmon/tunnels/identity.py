"""What makes a tunnel the same tunnel tomorrow: its name.

The name must survive rekeys, reloads, re-negotiation and peer failover, so it is made of the crypto map (or the
interface of a tunnel protection) and the proxy identities, and of nothing a device renews: no SPI, no connection id, no
port of the peer. The peer is part of it only where the identities say nothing (any to any).
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from ipsecmon_parsers.records import Flow, Ident

__all__ = ["tunnel_names"]

# "Tunnel0-head-0", "Tunnel2002-vesen-head-0": the map a tunnel protection makes for its interface
_PROTECTION_MAP = re.compile(r"^(?P<interface>.+?)(?:-vesen)?-head-\d+$")


def tunnel_names(flows: Sequence[Flow], known: Mapping[str, Flow] | None = None) -> list[str]:
    """One unique name per flow, in the order of ``flows``.

    ``CRYPTO/10.1.1.0_24-10.2.2.0_24`` or ``Tunnel0/192.0.2.5``. A flow that was ``known`` keeps its name whatever
    appears beside it. Flows that would share a name get the interface added, then the peer, then a short hash,
    whichever tells them apart; only flows alike in everything are told apart by the order of the listing.
    """
    kept = _kept_names(flows, known or {})
    new = [index for index in range(len(flows)) if index not in kept]
    names = dict(zip(new, _new_names([flows[index] for index in new]), strict=True))
    taken = set(kept.values())
    for index, name in names.items():
        if name in taken:
            candidates = (
                more(name, flows[index]) for more in (_with_interface, _with_peer, _with_hash)
            )
            names[index] = next((other for other in candidates if other not in taken), name)
    return _numbered([kept.get(index) or names[index] for index in range(len(flows))])


def _kept_names(flows: Sequence[Flow], known: Mapping[str, Flow]) -> dict[int, str]:
    """Names of flows seen before: the same place and peer first, the same place with another peer after that."""
    kept: dict[int, str] = {}
    for key in (_full_key, _place_key):
        free = {key(flow): name for name, flow in known.items() if name not in kept.values()}
        for index, flow in enumerate(flows):
            if index not in kept and (name := free.pop(key(flow), None)):
                kept[index] = name
    return kept


def _place_key(flow: Flow) -> tuple[object, ...]:
    return (_name(flow), flow.interface, flow.local_ident, flow.remote_ident)


def _full_key(flow: Flow) -> tuple[object, ...]:
    return (*_place_key(flow), flow.peer, flow.local_address, flow.crypto_map_seq)


def _new_names(flows: Sequence[Flow]) -> list[str]:
    names = [_name(flow) for flow in flows]
    for more in (_with_interface, _with_peer, _with_hash):
        shared = {name for name, count in Counter(names).items() if count > 1}
        if not shared:
            break
        names = [
            more(name, flow) if name in shared else name
            for name, flow in zip(names, flows, strict=True)
        ]
    return names


def _name(flow: Flow) -> str:
    owner = _owner(flow)
    vrf = f"{flow.protected_vrf}/" if flow.protected_vrf else ""
    if _is_any(flow.local_ident) and _is_any(flow.remote_ident):
        return f"{vrf}{owner}/{flow.peer or 'any'}"
    local, remote = flow.local_ident, flow.remote_ident
    name = f"{vrf}{owner}/{_prefix(local)}-{_prefix(remote)}"
    if local.protocol:
        name += f"/{local.protocol}"
    if local.port or remote.port:
        name += f"/{local.port}-{remote.port}"
    return name


def _owner(flow: Flow) -> str:
    """The crypto map, or the interface where the map is only the shadow of a tunnel protection."""
    if flow.crypto_map is None:
        return flow.interface or "unknown"
    protection = _PROTECTION_MAP.match(flow.crypto_map)
    return protection["interface"] if protection else flow.crypto_map


def _prefix(ident: Ident) -> str:
    return f"{ident.address}_{ident.prefix_length}"


def _is_any(ident: Ident) -> bool:
    return ident.prefix_length == 0 and not (ident.protocol or ident.port)


def _with_interface(name: str, flow: Flow) -> str:
    return f"{name}@{flow.interface}"


def _with_peer(name: str, flow: Flow) -> str:
    return f"{name}@{flow.peer}"


def _with_hash(name: str, flow: Flow) -> str:
    parts = (
        flow.local_address,
        flow.local_ident,
        flow.remote_ident,
        flow.crypto_map_seq,
        flow.peer,
    )
    return f"{name}#{hashlib.sha256(repr(parts).encode()).hexdigest()[:6]}"


def _numbered(names: list[str]) -> list[str]:
    """Flows alike in everything we know still must not share a name: the order of the listing is all that is left."""
    seen: Counter[str] = Counter()
    numbered: list[str] = []
    for name in names:
        seen[name] += 1
        numbered.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return numbered
