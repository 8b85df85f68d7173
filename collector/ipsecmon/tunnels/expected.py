"""Tunnels that must exist although the device lists none of their kind: from the inventory and from its crypto map.

A flow made here has what identifies it and nothing else: no counters, no SAs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from ipaddress import ip_address, ip_network

from ipsecmon.model import ExpectedTunnel
from ipsecmon.tunnels.identity import canonical_address, canonical_ident, tunnel_key
from ipsecmon_parsers.records import (
    AccessAddress,
    AccessEntry,
    CryptoMapEntry,
    Flow,
    FlowKind,
    Ident,
    Platform,
)

__all__ = ["ExpectedIndex", "configured_flows", "map_peers", "missing_flow"]

_ANY = Ident(address="0.0.0.0", prefix_length=0, protocol=0, port=0)  # noqa: S104 # an identity, nothing listens
_PROTOCOLS = {"ip": 0, "ipv6": 0, "icmp": 1, "tcp": 6, "udp": 17, "gre": 47, "ospf": 89}


class ExpectedIndex:
    """The inventory of one device, to be asked flow by flow."""

    def __init__(self, expected: Sequence[ExpectedTunnel]) -> None:
        self._by_idents: dict[tuple[str, str], list[ExpectedTunnel]] = {}
        self._others: list[ExpectedTunnel] = []
        for one in expected:
            if one.local_ident is not None and one.remote_ident is not None:
                key = canonical_ident(one.local_ident), canonical_ident(one.remote_ident)
                self._by_idents.setdefault(key, []).append(one)
            else:
                self._others.append(one)

    def of(self, flow: Flow) -> ExpectedTunnel | None:
        """The entry that names this flow, the most telling one first."""
        if not self._by_idents and not self._others:
            return None
        key = canonical_ident(flow.local_ident), canonical_ident(flow.remote_ident)
        candidates = [*self._by_idents.get(key, ()), *self._others]
        return next((one for one in candidates if _agrees(one, flow)), None)


def _agrees(one: ExpectedTunnel, flow: Flow) -> bool:
    pairs = (
        (one.local_ident and canonical_ident(one.local_ident), canonical_ident(flow.local_ident)),
        (
            one.remote_ident and canonical_ident(one.remote_ident),
            canonical_ident(flow.remote_ident),
        ),
        (one.crypto_map, flow.crypto_map),
        (one.interface, flow.interface),
        (one.vrf, flow.protected_vrf),
    )
    if any(wanted is not None and wanted != found for wanted, found in pairs):
        return False
    if one.peer is None or one.local_ident is not None:
        # with identities the peer is an attribute: the tunnel stays itself when it fails over
        return True
    return flow.peer is not None and canonical_address(one.peer) == canonical_address(flow.peer)


def missing_flow(one: ExpectedTunnel, platform: Platform) -> Flow:
    """An entry of the inventory the device shows nothing of."""
    is_any = one.local_ident is None and one.remote_ident is None
    return Flow(
        platform=platform,
        kind=FlowKind.VTI if is_any and one.crypto_map is None else FlowKind.CRYPTO_MAP,
        interface=one.interface,
        crypto_map=one.crypto_map,
        local_address=None,
        protected_vrf=one.vrf,
        local_ident=one.local_ident or _ANY,
        remote_ident=one.remote_ident or _ANY,
        peer=one.peer,
        peer_port=None,
        current_outbound_spi=0,
    )


def configured_flows(
    entries: Sequence[CryptoMapEntry], listed: Iterable[Flow], platform: Platform
) -> Iterator[Flow]:
    """Permit lines of static crypto maps that ``show crypto ipsec sa`` does not list, as flows.

    A map that is applied to no interface protects nothing; its lines are listed nowhere, and here once.
    """
    known = {_line_key(flow) for flow in listed}
    for entry in entries:
        if entry.is_dynamic or entry.is_profile_instance or entry.dynamic_map or not entry.peers:
            continue
        for line in entry.access_entries:
            idents = _idents(line)
            if idents is None:
                continue
            flow = _entry_flow(entry, idents, platform)
            if _line_key(flow) not in known:
                known.add(_line_key(flow))
                yield flow


def _line_key(flow: Flow) -> tuple[str, str, str]:
    key = tunnel_key(flow)
    return key.owner, key.local, key.remote


def _entry_flow(entry: CryptoMapEntry, idents: tuple[Ident, Ident], platform: Platform) -> Flow:
    return Flow(
        platform=platform,
        interface=entry.interfaces[0] if entry.interfaces else None,
        crypto_map=entry.name,
        crypto_map_seq=entry.sequence,
        local_address=None,
        protected_vrf=None,
        local_ident=idents[0],
        remote_ident=idents[1],
        peer=entry.current_peer or entry.peers[0],
        peer_port=None,
        acl_origin=True,
        current_outbound_spi=0,
    )


def _idents(line: AccessEntry) -> tuple[Ident, Ident] | None:
    """The proxy identities a permit line makes; ``None`` where it has ports or names, which do not tell for sure."""
    if line.action != "permit" or line.is_inactive or line.source_ports or line.destination_ports:
        return None
    protocol = _PROTOCOLS.get(line.protocol or "")
    if protocol is None or line.source is None or line.destination is None:
        return None
    source, destination = _ident(line.source, protocol), _ident(line.destination, protocol)
    return None if source is None or destination is None else (source, destination)


def _ident(address: AccessAddress, protocol: int) -> Ident | None:
    if address.kind in ("any", "any4"):
        return replace(_ANY, protocol=protocol)
    if address.address is None or address.prefix_length is None:
        return None
    try:
        network = ip_network(f"{address.address}/{address.prefix_length}", strict=False)
    except ValueError:
        return None
    return Ident(
        address=str(network.network_address),
        prefix_length=network.prefixlen,
        protocol=protocol,
        port=0,
    )


def map_peers(entries: Sequence[CryptoMapEntry]) -> Mapping[tuple[str, str, str], tuple[str, ...]]:
    """The peers of each permit line of each static map, in the configured order: (map, local, remote) -> addresses."""
    peers: dict[tuple[str, str, str], tuple[str, ...]] = {}
    for entry in entries:
        addresses = tuple(address for address in entry.peers if _is_address(address))
        if entry.is_dynamic or not addresses:
            continue
        for line in entry.access_entries:
            idents = _idents(line)
            if idents is not None:
                key = entry.name, canonical_ident(idents[0]), canonical_ident(idents[1])
                peers.setdefault(key, addresses)
    return peers


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
