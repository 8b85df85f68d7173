"""What makes a tunnel the same tunnel tomorrow: its key, and the name people read.

The key must survive rekeys, reloads, re-negotiation and peer failover, so it is made of the crypto map (or the interface
of a tunnel protection), the protected VRF and the proxy identities, and of nothing a device renews: no SPI, no
connection id, no port of the peer, no number of a Virtual-Access interface. The peer is part of it only where nothing else tells two
flows apart: any to any behind one map, or on an interface whose number is handed out anew.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple

from ipsecmon_parsers.records import Flow, Ident, IkeSa

__all__ = [
    "TunnelKey",
    "canonical_address",
    "canonical_flow",
    "canonical_ident",
    "canonical_ike_sa",
    "known_names",
    "names_of",
    "stable_interface",
    "tunnel_key",
    "tunnel_names",
    "tunnel_place",
]

# "Tunnel0-head-0", "Tunnel2002-vesen-head-0": the map a tunnel protection makes for its interface
_PROTECTION_MAP = re.compile(r"^(?P<interface>.+?)(?:-vesen)?-head-\d+$")
# a tunnel interface somebody configured has one peer, whatever its address is today
_NUMBERED_TUNNEL = re.compile(r"^Tunnel\d+$", re.IGNORECASE)
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
    owner = _owner(flow)
    peer = ""
    if _is_any(local) and _is_any(remote) and not _NUMBERED_TUNNEL.match(owner):
        peer = canonical_address(flow.peer) if flow.peer else "any"
    return TunnelKey(
        flow.protected_vrf or "", owner, canonical_ident(local), canonical_ident(remote), peer
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


def canonical_flow(flow: Flow) -> Flow:
    """``flow`` with its IPv6 addresses in one spelling, so that they join with those of other commands."""
    addresses = (flow.peer, flow.local_address, flow.local_endpoint, flow.remote_endpoint)
    if not any(address and ":" in address for address in addresses):
        return flow
    peer, local_address, local_endpoint, remote_endpoint = map(_canonical, addresses)
    return replace(
        flow,
        peer=peer,
        local_address=local_address,
        local_endpoint=local_endpoint,
        remote_endpoint=remote_endpoint,
    )


def canonical_ike_sa(sa: IkeSa) -> IkeSa:
    """``sa`` with its IPv6 addresses in one spelling."""
    addresses = (sa.local, sa.remote, sa.source, sa.destination)
    if not any(address and ":" in address for address in addresses):
        return sa
    local, remote, source, destination = map(_canonical, addresses)
    return replace(sa, local=local, remote=remote, source=source, destination=destination)


def _canonical(address: str | None) -> str | None:
    return None if address is None else canonical_address(address)


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

    ``CRYPTO/10.1.1.0_24-10.2.2.0_24`` or ``Tunnel0``, or what the inventory has ``given`` to the flow of that index. A flow
    that was ``known`` keeps its name whatever appears beside it. Flows that would share a name get the
    interface added, then the peer, then a short hash, whichever tells them apart; only flows alike in everything are
    told apart by the order of the listing.
    """
    given = given or {}
    known_as = known_names(flows, known or {})
    kept = {index: name for index, name in known_as.items() if index not in given}
    return names_of(flows, kept, given)


def names_of(flows: Sequence[Flow], kept: Mapping[int, str], given: Mapping[int, str]) -> list[str]:
    """``tunnel_names`` where it is decided already which flows keep the names they are known under.

    A name of the inventory's goes to the flow it is given to, whoever had it before.
    """
    wanted = set(given.values())
    kept = {i: name for i, name in kept.items() if i in given or name not in wanted}
    if len(kept) == len(flows):
        return [kept[index] for index in range(len(flows))]
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


def known_names(flows: Sequence[Flow], known: Mapping[str, Flow]) -> dict[int, str]:
    """Under which name each flow was ``known``, by its index.

    The same place and peer come first, the same place with another peer after that, then another interface. Flows
    that are alike even so are told by the SPI they share, by interface and port, and last by their order.
    """
    kept: dict[int, str] = {}
    used: set[str] = set()
    for key in (_as_printed, tunnel_place, tunnel_key):
        if len(kept) == len(flows):
            break
        free: dict[Hashable, list[str]] = {}
        for name, flow in known.items():
            if name not in used:
                free.setdefault(key(flow), []).append(name)
        for index, flow in enumerate(flows):
            if index not in kept and (names := free.get(key(flow))):
                name = names[0] if len(names) == 1 else _likest(names, flow, known)
                names.remove(name)
                kept[index] = name
                used.add(name)
    return kept


def _likest(names: Sequence[str], flow: Flow, known: Mapping[str, Flow]) -> str:
    spis = {sa.spi for sa in flow.sas}

    def likeness(name: str) -> tuple[bool, bool, bool]:
        old = known[name]
        return (
            any(sa.spi in spis for sa in old.sas),
            old.interface == flow.interface,
            old.peer_port == flow.peer_port,
        )

    return max(names, key=likeness)


def _as_printed(flow: Flow) -> Hashable:
    """All that identifies a flow, nothing worked out: nearly every flow is printed as at the last reading."""
    return (
        flow.interface,
        flow.crypto_map,
        flow.crypto_map_seq,
        flow.protected_vrf,
        flow.local_address,
        flow.peer,
        flow.local_ident,
        flow.remote_ident,
    )


def tunnel_place(flow: Flow) -> tuple[TunnelKey, str]:
    """The key with the interface: a crypto map on two of them protects the same identities twice."""
    return tunnel_key(flow), stable_interface(flow.interface)


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
        return f"{vrf}{key.owner}/{key.peer}" if key.peer else f"{vrf}{key.owner}"
    local, remote = flow.local_ident, flow.remote_ident
    name = f"{vrf}{key.owner}/{_prefix(local)}-{_prefix(remote)}"
    if local.protocol:
        name += f"/{local.protocol}"
    if _ports(local) != "0" or _ports(remote) != "0":
        name += f"/{_ports(local)}-{_ports(remote)}"
    return name


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
        return stable_interface(flow.interface) or "unknown"
    protection = _PROTECTION_MAP.match(flow.crypto_map)
    return stable_interface(protection["interface"]) if protection else flow.crypto_map


def stable_interface(interface: str | None) -> str:
    """An interface without a number that will be another one tomorrow."""
    return _VIRTUAL_ACCESS.sub(r"\1", interface) if interface else ""


def _prefix(ident: Ident) -> str:
    return f"{canonical_address(ident.address)}_{ident.prefix_length}"


def _is_any(ident: Ident) -> bool:
    return ident.prefix_length == 0 and not (ident.protocol or ident.port)


def _with_interface(name: str, flow: Flow) -> str:
    return f"{name}@{stable_interface(flow.interface)}"


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
