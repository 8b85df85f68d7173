"""What makes a tunnel the same tunnel tomorrow: its key, and the name people read.

The key must survive rekeys, reloads, re-negotiation and peer failover, so it is made of the crypto map (or the interface
of a tunnel protection), the protected VRF and the proxy identities, and of nothing a device renews: no SPI, no
connection id, no port of the peer, no number of a Virtual-Access interface. The peer is part of it only where the
identities say nothing (any to any) or any peer may come (a dynamic map).
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple

from ipsecmon_parsers.records import Flow, FlowKind, Ident

__all__ = ["TunnelKey", "canonical_address", "canonical_ident", "tunnel_key", "tunnel_names"]

# "Tunnel0-head-0", "Tunnel2002-vesen-head-0": the map a tunnel protection makes for its interface
_PROTECTION_MAP = re.compile(r"^(?P<interface>.+?)(?:-vesen)?-head-\d+$")
# the number is handed out anew whenever a session comes
_VIRTUAL_ACCESS = re.compile(r"^(Virtual-Access)[\d.]+$", re.IGNORECASE)


class TunnelKey(NamedTuple):
    """What identifies a tunnel on its device; equal keys are told apart by interface, peer and sequence."""

    vrf: str
    owner: str
    local: str
    remote: str
    peer: str
    """Empty where the identities are enough."""


def tunnel_key(flow: Flow) -> TunnelKey:
    """The key of a flow, whatever the device printed it for."""
    local, remote = flow.local_ident, flow.remote_ident
    peer = ""
    if (_is_any(local) and _is_any(remote)) or flow.kind is FlowKind.DYNAMIC:
        peer = canonical_address(flow.peer) if flow.peer else "any"
    return TunnelKey(
        flow.protected_vrf or "",
        _owner(flow),
        canonical_ident(local),
        canonical_ident(remote),
        peer,
    )


@lru_cache(maxsize=65536)
def canonical_address(address: str | None) -> str:
    """One spelling for each address, empty for none: devices print IPv6 in capitals and uncompressed."""
    if not address:
        return ""
    try:
        return str(ip_address(address))
    except ValueError:
        return address


@lru_cache(maxsize=65536)
def canonical_ident(ident: Ident) -> str:
    """``10.1.1.0/24``, with a protocol or a port ``10.1.1.0/24/6/443``; equal for equal identities."""
    address = canonical_address(ident.address)
    text = f"{address}/{ident.prefix_length}"
    if not (ident.protocol or ident.port):
        return text
    return f"{text}/{ident.protocol}/{_ports(ident)}"


def tunnel_names(
    flows: Sequence[Flow],
    known: Mapping[str, Flow] | None = None,
    given: Mapping[int, str] | None = None,
) -> list[str]:
    """One unique name per flow, in the order of ``flows``.

    ``CRYPTO/10.1.1.0_24-10.2.2.0_24`` or ``Tunnel0/192.0.2.5``, or what the inventory has ``given`` to the flow of that
    index. A flow that was ``known`` keeps its name whatever appears beside it. Flows that would share a name get the
    interface added, then the peer, then a short hash, whichever tells them apart; only flows alike in everything are
    told apart by the order of the listing.
    """
    given = given or {}
    kept = _kept_names(flows, known or {}, given)
    new = [index for index in range(len(flows)) if index not in kept]
    names = dict(
        zip(new, _new_names([flows[i] for i in new], [given.get(i) for i in new]), strict=True)
    )
    taken = set(kept.values())
    for index, name in names.items():
        if name in taken:
            candidates = (more(name, flows[index]) for more in _MORE)
            names[index] = next((other for other in candidates if other not in taken), name)
    return _numbered([kept.get(index) or names[index] for index in range(len(flows))])


def _kept_names(
    flows: Sequence[Flow], known: Mapping[str, Flow], given: Mapping[int, str]
) -> dict[int, str]:
    """Names of flows seen before: the same place and peer first, the same place with another peer after that.

    A name that the inventory has given since then wins over the one remembered.
    """
    kept: dict[int, str] = {}
    used: set[str] = set()
    for key in (_full_key, _place_key, _bare_key):
        if len(kept) == len(flows):
            break
        free = {key(flow): name for name, flow in known.items() if name not in used}
        for index, flow in enumerate(flows):
            if index in kept or not (name := free.get(key(flow))) or name in used:
                continue
            if index in given and not name.startswith(given[index]):
                continue
            kept[index] = name
            used.add(name)
    return kept


def _full_key(flow: Flow) -> tuple[object, ...]:
    return (*_place_key(flow), flow.peer, flow.local_address, flow.crypto_map_seq)


def _place_key(flow: Flow) -> tuple[object, ...]:
    return (tunnel_key(flow), _stable_interface(flow.interface))


def _bare_key(flow: Flow) -> tuple[object, ...]:
    """A crypto map that was moved to another interface still protects the same flows."""
    return (tunnel_key(flow),)


def _new_names(flows: Sequence[Flow], given: Sequence[str | None]) -> list[str]:
    names = [name or _name(flow) for name, flow in zip(given, flows, strict=True)]
    for more in _MORE:
        shared = {name for name, count in Counter(names).items() if count > 1}
        if not shared:
            break
        names = [
            more(name, flow) if name in shared else name
            for name, flow in zip(names, flows, strict=True)
        ]
    return names


def _name(flow: Flow) -> str:
    key = tunnel_key(flow)
    vrf = f"{key.vrf}/" if key.vrf else ""
    if _is_any(flow.local_ident) and _is_any(flow.remote_ident):
        return f"{vrf}{key.owner}/{key.peer}"
    local, remote = flow.local_ident, flow.remote_ident
    name = f"{vrf}{key.owner}/{_prefix(local)}-{_prefix(remote)}"
    if local.protocol:
        name += f"/{local.protocol}"
    if _ports(local) != "0" or _ports(remote) != "0":
        name += f"/{_ports(local)}-{_ports(remote)}"
    return f"{name}@{key.peer}" if key.peer else name


def _ports(ident: Ident) -> str:
    """``443``, ``5000..5010``, 0 for all, which ASA writes as a range."""
    if ident.last_port in (None, ident.port):
        return str(ident.port)
    if (ident.port, ident.last_port) == (0, 65535):
        return "0"
    return f"{ident.port}..{ident.last_port}"


def _owner(flow: Flow) -> str:
    """The crypto map, or the interface where the map is only the shadow of a tunnel protection."""
    if flow.crypto_map is None:
        return _stable_interface(flow.interface) or "unknown"
    protection = _PROTECTION_MAP.match(flow.crypto_map)
    return _stable_interface(protection["interface"]) if protection else flow.crypto_map


def _stable_interface(interface: str | None) -> str:
    return _VIRTUAL_ACCESS.sub(r"\1", interface) if interface else ""


def _prefix(ident: Ident) -> str:
    return f"{canonical_address(ident.address)}_{ident.prefix_length}"


def _is_any(ident: Ident) -> bool:
    return ident.prefix_length == 0 and not (ident.protocol or ident.port)


def _with_interface(name: str, flow: Flow) -> str:
    return f"{name}@{_stable_interface(flow.interface)}"


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


_MORE: Sequence[Callable[[str, Flow], str]] = (_with_interface, _with_peer, _with_hash)


def _numbered(names: list[str]) -> list[str]:
    """Flows alike in everything we know still must not share a name: the order of the listing is all that is left."""
    taken: set[str] = set()
    numbered: list[str] = []
    for name in names:
        unique, count = name, 1
        while unique in taken:
            count += 1
            unique = f"{name}#{count}"
        taken.add(unique)
        numbered.append(unique)
    return numbered
