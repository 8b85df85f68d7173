"""What identifies the ends of tunnels over all devices, to find the other end of one without looking at every tunnel.

Three signs lead from one end to the other: an SPI one end sends with and the other receives with, the two SPIs of
their IKE version 2 SA, and proxy identities that mirror between gateways that are each other's peer. Each sign has an
index that is kept up to date one result at a time, so that a fleet is indexed once and not once per poll.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from ipsecmon.model import PollResult, Status, TunnelState
from ipsecmon.tunnels.identity import canonical_address
from ipsecmon_parsers.records import Direction, Flow, FlowKind, Ident, IkeSa, Protocol

__all__ = ["DeviceEnds", "End", "Ends", "has_sa", "inbound_spis", "mirrors", "outbound_spi"]

# the members of a group share one SA, and manual or controller keys have no other end
_WITHOUT_OTHER_END = frozenset({FlowKind.GETVPN, FlowKind.OSPFV3, FlowKind.SDWAN})
# a standby copy shows the SPIs of the active one: both would claim the same other end
_ASIDE = frozenset({Status.EXCLUDED, Status.STANDBY})
_UNSPECIFIED = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 # an address a device prints, nothing listens
# a device with more addresses than these mostly has one per tunnel: then only the tunnel's own are looked at
_FEW_ADDRESSES = 4

_IdentKey = tuple[str, int, int, int, int]
_MirrorKey = tuple[_IdentKey, _IdentKey, str, str]
_IkeKey = tuple[int, int]
_Key = TypeVar("_Key")


class End(NamedTuple):
    """A tunnel of a device, by name."""

    device: str
    tunnel: str


@dataclass(frozen=True, slots=True)
class DeviceEnds:
    """The tunnels of one result that can have another end, and the signs to find them by.

    ``addresses`` are all addresses the device is known by; ``by_spi`` has the SPIs it receives with, ``by_mirror`` the
    local identity, the remote identity, the peer and an address of its own, ``by_ike`` its IKE SPIs (own, peer's),
    ``by_peer`` the names of the tunnels with one peer.
    """

    result: PollResult
    tunnels: Mapping[str, TunnelState]
    addresses: frozenset[str]
    by_spi: Mapping[int, tuple[End, ...]]
    by_mirror: Mapping[_MirrorKey, tuple[End, ...]]
    by_ike: Mapping[_IkeKey, tuple[End, ...]]
    by_peer: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    @classmethod
    def of(cls, result: PollResult) -> DeviceEnds:
        tunnels = {tunnel.name: tunnel for tunnel in result.tunnels if _can_link(tunnel)}
        addresses = frozenset(_addresses(result))
        by_spi: dict[int, tuple[End, ...]] = {}
        by_mirror: dict[_MirrorKey, tuple[End, ...]] = {}
        by_peer: dict[str, tuple[str, ...]] = {}
        for name, tunnel in tunnels.items():
            flow = tunnel.flow
            end = End(result.device, name)
            for spi in inbound_spis(flow):
                by_spi[spi] = (*by_spi.get(spi, ()), end)
            if (peer := canonical_address(flow.peer)) not in _UNSPECIFIED:
                by_peer[peer] = (*by_peer.get(peer, ()), name)
                local, remote = _ident_key(flow.local_ident), _ident_key(flow.remote_ident)
                for own in _addresses_of(flow, addresses, result.host):
                    key = (local, remote, peer, own)
                    by_mirror[key] = (*by_mirror.get(key, ()), end)
        by_ike: dict[_IkeKey, tuple[End, ...]] = {}
        for sa in (
            *(sa for peer in result.ike_peers for sa in peer.sas),
            *result.unmatched_ike_sas,
        ):
            if (ike_key := _ike_key(sa)) is None:
                continue
            users = tuple(
                End(result.device, name)
                for name in by_peer.get(canonical_address(sa.remote), ())
                if _uses(tunnels[name].flow, sa)
            )
            if users:
                by_ike[ike_key] = tuple(dict.fromkeys((*by_ike.get(ike_key, ()), *users)))
        return cls(result, tunnels, addresses, by_spi, by_mirror, by_ike, by_peer)

    def ike_keys(self) -> Mapping[str, tuple[_IkeKey, ...]]:
        """The IKE SPIs of each tunnel that has some, by its name."""
        keys: dict[str, tuple[_IkeKey, ...]] = {}
        for key, ends in self.by_ike.items():
            for end in ends:
                keys[end.tunnel] = (*keys.get(end.tunnel, ()), key)
        return keys


class _Index(Generic[_Key]):
    """Ends by one kind of sign. A reader sees each key whole, before or after a change: tuples are replaced."""

    def __init__(self) -> None:
        self._ends: dict[_Key, tuple[End, ...]] = {}

    def __getitem__(self, key: _Key) -> tuple[End, ...]:
        return self._ends.get(key, ())

    def replace(
        self,
        device: str,
        old: Mapping[_Key, tuple[End, ...]],
        new: Mapping[_Key, tuple[End, ...]],
    ) -> None:
        for key in old.keys() - new.keys():
            if others := self._of_others(key, device):
                self._ends[key] = others
            else:
                self._ends.pop(key, None)
        for key, ends in new.items():
            if old.get(key) != ends:
                self._ends[key] = (*self._of_others(key, device), *ends)

    def _of_others(self, key: _Key, device: str) -> tuple[End, ...]:
        return tuple(end for end in self._ends.get(key, ()) if end.device != device)


class Ends:
    """The ends of the tunnels of all devices; may be read by many threads while results are put in.

    A service keeps one and puts every new result into it: what that costs depends on what changed on this device
    only. ``Ends.of(snapshot)`` makes one from nothing.
    """

    def __init__(self) -> None:
        self._devices: dict[str, DeviceEnds] = {}
        self._by_spi: _Index[int] = _Index()
        self._by_mirror: _Index[_MirrorKey] = _Index()
        self._by_ike: _Index[_IkeKey] = _Index()
        self._writing = threading.Lock()

    @classmethod
    def of(cls, results: Iterable[PollResult]) -> Ends:
        ends = cls()
        for result in results:
            ends.put(result)
        return ends

    def put(self, result: PollResult) -> None:
        """``result`` takes the place of the last result of its device."""
        with self._writing:
            old = self._devices.get(result.device)
            if old is None or old.result is not result:
                self._replace(result.device, old, DeviceEnds.of(result))

    def remove(self, device: str) -> None:
        """A device that is polled no longer."""
        with self._writing:
            if (old := self._devices.get(device)) is not None:
                self._replace(device, old, None)

    def _replace(self, device: str, old: DeviceEnds | None, new: DeviceEnds | None) -> None:
        self._by_spi.replace(device, old.by_spi if old else {}, new.by_spi if new else {})
        self._by_mirror.replace(device, old.by_mirror if old else {}, new.by_mirror if new else {})
        self._by_ike.replace(device, old.by_ike if old else {}, new.by_ike if new else {})
        if new is None:
            self._devices.pop(device, None)
        else:
            self._devices[device] = new

    def device(self, name: str) -> DeviceEnds | None:
        return self._devices.get(name)

    def tunnel(self, end: End) -> TunnelState | None:
        device = self._devices.get(end.device)
        return None if device is None else device.tunnels.get(end.tunnel)

    def crossed(self, tunnel: TunnelState) -> Iterator[End]:
        """Ends of other devices that receive with an SPI this one sends with, and the reverse; identities mirror."""
        inbound = set(inbound_spis(tunnel.flow))
        candidates = (end for spi in _outbound_spis(tunnel) for end in self._by_spi[spi])
        for end in dict.fromkeys(candidates):
            other = self.tunnel(end)
            if (
                end.device != tunnel.device
                and other is not None
                and not inbound.isdisjoint(_outbound_spis(other))
                and mirrors(tunnel.flow, other.flow)
            ):
                yield end

    def of_ike_sa(self, tunnel: TunnelState, keys: Iterable[_IkeKey]) -> Iterator[End]:
        """Ends whose IKE SA has the SPIs of one of this tunnel's, crossed; identities mirror."""
        candidates = (end for own, peer in keys for end in self._by_ike[peer, own])
        for end in dict.fromkeys(candidates):
            other = self.tunnel(end)
            if (
                end.device != tunnel.device
                and other is not None
                and mirrors(tunnel.flow, other.flow)
            ):
                yield end

    def mirrored(self, tunnel: TunnelState, of: DeviceEnds) -> Iterator[End]:
        """Ends with mirrored identities where each end's peer is an address of the other device."""
        flow = tunnel.flow
        peer = canonical_address(flow.peer)
        if peer in _UNSPECIFIED:
            return
        local, remote = _ident_key(flow.local_ident), _ident_key(flow.remote_ident)
        candidates = (
            end
            for own in _addresses_of(flow, of.addresses, of.result.host)
            for end in self._by_mirror[remote, local, own, peer]
        )
        for end in dict.fromkeys(candidates):
            if end.device != tunnel.device and self.tunnel(end) is not None:
                yield end


def mirrors(one: Flow, other: Flow) -> bool:
    """Each end's local identity is the other's remote one: same protocol, ports crossed.

    Address translation changes the address of a gateway and with it an identity that is the gateway itself (GRE in
    transport mode, DMVPN): there the identities may differ, as long as each end shows its own view of that gateway.
    """
    return _is_same_side(one.local_ident, _own(one), other.remote_ident, _peers(other)) and (
        _is_same_side(one.remote_ident, _peers(one), other.local_ident, _own(other))
    )


def _is_same_side(
    one: Ident, gateways_of_one: set[str], other: Ident, gateways_of_other: set[str]
) -> bool:
    here, there = _ident_key(one), _ident_key(other)
    if here == there:
        return True
    return here[1:] == there[1:] and (
        here[0] in gateways_of_one and there[0] in gateways_of_other and here[1] in (32, 128)
    )


def inbound_spis(flow: Flow) -> tuple[int, ...]:
    """Every SPI the device receives with now; during a rekey those of the old and the new SA."""
    listed = _spis(flow, Direction.INBOUND)
    return listed or ((flow.current_inbound_spi,) if flow.current_inbound_spi else ())


def outbound_spi(tunnel: TunnelState) -> int | None:
    """The SPI the device sends with now."""
    if tunnel.flow.current_outbound_spi is not None:
        return tunnel.flow.current_outbound_spi or None
    return tunnel.outbound.spi if tunnel.outbound else None


def has_sa(tunnel: TunnelState) -> bool:
    """The device can send or receive on this tunnel."""
    return outbound_spi(tunnel) is not None or bool(inbound_spis(tunnel.flow))


def _outbound_spis(tunnel: TunnelState) -> tuple[int, ...]:
    listed = _spis(tunnel.flow, Direction.OUTBOUND)
    current = outbound_spi(tunnel)
    return listed if current is None or current in listed else (current, *listed)


def _spis(flow: Flow, direction: Direction) -> tuple[int, ...]:
    # IP compression has small well-known numbers in the place of an SPI
    return tuple(
        sa.spi
        for sa in flow.sas
        if sa.spi and sa.direction is direction and sa.protocol is not Protocol.PCP
    )


def _can_link(tunnel: TunnelState) -> bool:
    return tunnel.flow.kind not in _WITHOUT_OTHER_END and tunnel.status not in _ASIDE


def _ident_key(ident: Ident) -> _IdentKey:
    # ASA writes "all ports" as the range 0 - 65535, IOS as 0
    is_all = ident.last_port is None or (ident.port, ident.last_port) == (0, 65535)
    last = ident.port if is_all else ident.last_port
    return (
        canonical_address(ident.address),
        ident.prefix_length,
        ident.protocol,
        ident.port,
        last or 0,
    )


def _own(flow: Flow) -> set[str]:
    own = {canonical_address(flow.local_endpoint), canonical_address(flow.local_address)}
    return own - _UNSPECIFIED


def _peers(flow: Flow) -> set[str]:
    peers = {canonical_address(flow.peer), canonical_address(flow.remote_endpoint)}
    return peers - _UNSPECIFIED


def _addresses(result: PollResult) -> Iterator[str]:
    yield canonical_address(result.host)
    for tunnel in result.tunnels:
        if tunnel.flow.kind not in _WITHOUT_OTHER_END:
            yield from _own(tunnel.flow)


def _addresses_of(flow: Flow, all_addresses: frozenset[str], host: str) -> Iterable[str]:
    """Addresses the peer of this flow may know the device by."""
    if len(all_addresses) <= _FEW_ADDRESSES:
        return all_addresses
    return {*_own(flow), canonical_address(host)}


def _ike_key(sa: IkeSa) -> _IkeKey | None:
    if sa.is_deleted or not sa.local_spi or not sa.remote_spi:
        return None
    return sa.local_spi, sa.remote_spi


def _uses(flow: Flow, sa: IkeSa) -> bool:
    """An IKE SA negotiated the SAs of this flow: by the SPIs of its child SAs, or else by addresses and ports."""
    children = {child.inbound_esp_spi for child in sa.child_selectors} - {None, 0}
    spis = inbound_spis(flow)
    if children and spis:
        return not children.isdisjoint(spis)
    if sa.local is not None and (own := _own(flow)) and canonical_address(sa.local) not in own:
        return False
    # several gateways behind one translated address differ in the port only
    return None in (flow.peer_port, sa.remote_port) or flow.peer_port == sa.remote_port
