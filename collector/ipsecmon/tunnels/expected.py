"""Tunnels that must exist although the device lists none of their kind: from the inventory and from its crypto map.

A flow made here has what identifies it and nothing else: no counters, no SAs.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
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

__all__ = ["ExpectedIndex", "MapLines", "map_lines", "missing_flow"]

_ANY = Ident(address="0.0.0.0", prefix_length=0, protocol=0, port=0)  # noqa: S104 # an identity, nothing listens
_PROTOCOLS = {"ip": 0, "ipv6": 0, "icmp": 1, "tcp": 6, "udp": 17, "gre": 47, "ospf": 89}


class ExpectedIndex:
    """The inventory of one device, to be asked flow by flow."""

    def __init__(self, expected: Sequence[ExpectedTunnel]) -> None:
        self._by_sign: dict[tuple[str, str], list[ExpectedTunnel]] = {}
        for one in expected:
            self._by_sign.setdefault(_sign(one), []).append(one)

    def of(self, flow: Flow) -> ExpectedTunnel | None:
        """The entry that names this flow, the most telling one first."""
        if not self._by_sign:
            return None
        signs = (
            (canonical_ident(flow.local_ident), canonical_ident(flow.remote_ident)),
            ("interface", flow.interface or ""),
            ("peer", canonical_address(flow.peer)),
        )
        for sign in signs:
            agreeing = [one for one in self._by_sign.get(sign, ()) if _agrees(one, flow)]
            if agreeing:
                # entries for the same identities are told apart by their peers; one alone keeps the tunnel at a failover
                return next((one for one in agreeing if _has_peer(one, flow)), agreeing[0])
        return None


def _sign(one: ExpectedTunnel) -> tuple[str, str]:
    """What an entry is looked up by."""
    if one.local_ident is not None and one.remote_ident is not None:
        return canonical_ident(one.local_ident), canonical_ident(one.remote_ident)
    if one.interface is not None:
        return "interface", one.interface
    return "peer", canonical_address(one.peer)


def _agrees(one: ExpectedTunnel, flow: Flow) -> bool:
    pairs = (
        (one.crypto_map, flow.crypto_map),
        (one.interface, flow.interface),
        (one.vrf, flow.protected_vrf),
    )
    if any(wanted is not None and wanted != found for wanted, found in pairs):
        return False
    # with identities the peer is an attribute: the tunnel stays itself when it fails over
    return one.peer is None or one.local_ident is not None or _has_peer(one, flow)


def _has_peer(one: ExpectedTunnel, flow: Flow) -> bool:
    return one.peer is not None and canonical_address(one.peer) == canonical_address(flow.peer)


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


class MapLines:
    """The permit lines of a device's static crypto maps: the flows they make, and the peers of each.

    A map that is applied to no interface protects nothing; its lines are listed by no other command. An ASA prints the
    sequence of a flow's entry, but no lines with the entries: there a flow finds its peers by that.
    """

    def __init__(self, entries: Sequence[CryptoMapEntry], platform: Platform) -> None:
        self._flows: dict[LineKey, Flow] = {}
        self._peers: dict[LineKey, tuple[str, ...]] = {}
        self._peers_of_entry: dict[tuple[str, int], tuple[str, ...]] = {}
        self._keys: dict[Hashable, LineKey] = {}
        for entry in entries:
            if entry.is_dynamic or entry.is_profile_instance or entry.dynamic_map:
                continue
            addresses = tuple(address for address in entry.peers if _is_address(address))
            if entry.sequence is not None and entry.peers:
                # names of hosts are peers, too, but no addresses
                self._peers_of_entry[entry.name, entry.sequence] = addresses
            for line in entry.access_entries:
                idents = _idents(line)
                if idents is None or not entry.peers:
                    continue
                flow = _entry_flow(entry, idents, platform)
                self._flows.setdefault(_line_key(flow), flow)
                self._peers.setdefault(_line_key(flow), addresses)

    def not_listed(self, listed: Iterable[Flow]) -> list[Flow]:
        """The flows that ``show crypto ipsec sa`` does not list."""
        if not self._flows:
            return []
        known = {self._key(flow) for flow in listed}
        return [flow for key, flow in self._flows.items() if key not in known]

    def peers_of(self, flow: Flow) -> tuple[str, ...]:
        """The addresses configured for a flow, the preferred one first."""
        if flow.crypto_map is not None and flow.crypto_map_seq is not None:
            return self._peers_of_entry.get((flow.crypto_map, flow.crypto_map_seq), ())
        return self._peers.get(self._key(flow), ()) if self._peers else ()

    def _key(self, flow: Flow) -> LineKey:
        """The key of a flow, worked out once for each way of printing it."""
        printed = flow.crypto_map, flow.interface, flow.local_ident, flow.remote_ident
        if (key := self._keys.get(printed)) is None:
            if len(self._keys) > _KEYS_KEPT:
                self._keys.clear()
            key = self._keys[printed] = _line_key(flow)
        return key

    def has_entry_of(self, flow: Flow) -> bool:
        """Whether the entry a flow was made from, if the device printed its sequence, is configured still."""
        if flow.crypto_map is None or flow.crypto_map_seq is None:
            return False
        return (flow.crypto_map, flow.crypto_map_seq) in self._peers_of_entry


LineKey = tuple[str, str, str]

_KEYS_KEPT = 20_000
_lines: dict[str, tuple[Sequence[CryptoMapEntry], MapLines]] = {}


def map_lines(device: str, entries: Sequence[CryptoMapEntry], platform: Platform) -> MapLines:
    """The lines of a device's ``entries``, worked out once while they are the very same: they are read once an hour."""
    kept = _lines.get(device)
    if kept is None or kept[0] is not entries:
        kept = _lines[device] = entries, MapLines(entries, platform)
    return kept[1]


def _line_key(flow: Flow) -> LineKey:
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


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
