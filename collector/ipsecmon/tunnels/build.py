"""Joins flows, IKE SAs, sessions and what is remembered into tunnels and events.

Pure: the same readings always give the same tunnels, so the rules are tested as tables. The way of one reading::

    flows ─────────────────┐ which tunnel each is   one tunnel each: in use and state (status), counters and bytes
    inventory, crypto map ─┼─> (matching) ────────> (counting, volume), rekey (rekeys), hysteresis, intent
    what is remembered ────┘                          └──> what happened (changes)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ipsecmon.model import (
    NO_REKEYS,
    UNSPECIFIED,
    Event,
    ExpectedTunnel,
    IkePeer,
    PollResult,
    RekeyTrigger,
    Status,
    TunnelMemory,
    TunnelOption,
    TunnelState,
    identity_only,
)
from ipsecmon.tunnels.changes import (
    device_events,
    has_counted,
    is_reload,
    tunnel_events,
)
from ipsecmon.tunnels.counting import fell, received_bytes, samples_with, sent_bytes
from ipsecmon.tunnels.expected import ExpectedIndex, MapLines, map_lines
from ipsecmon.tunnels.hysteresis import settled
from ipsecmon.tunnels.identity import (
    canonical_flow,
    canonical_ike_sa,
)
from ipsecmon.tunnels.intent import purpose
from ipsecmon.tunnels.matching import absent, is_forgotten, match
from ipsecmon.tunnels.peers import flow_ends, ike_peers
from ipsecmon.tunnels.rekeys import Rekey, classified
from ipsecmon.tunnels.status import in_use, status
from ipsecmon.tunnels.volume import left_of, mark, predicted_expiry
from ipsecmon_parsers.records import (
    CryptoMapEntry,
    CryptoSession,
    Direction,
    Flow,
    IkeSa,
    IpsecSa,
    SaLifetime,
)

__all__ = ["Reading", "TunnelReading", "build"]

_GAP_INTERVALS = 2.5
# of a peer whose address changes every day the first, which labels its series, and the last ones
_PEERS_KEPT = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one good poll read. ``lines`` are the first and last line of each flow in its listing, if known.

    ``crypto_map`` and ``lifetime`` may come from an earlier poll: they are not read at each.
    """

    at: float
    flows: Sequence[Flow]
    ike_sas: Sequence[IkeSa] = ()
    sessions: Sequence[CryptoSession] = ()
    lifetime: SaLifetime | None = None
    crypto_map: Sequence[CryptoMapEntry] = ()
    lines: Sequence[tuple[int, int]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TunnelReading:
    """What one good poll says about a device's tunnels."""

    tunnels: tuple[TunnelState, ...]
    ike_peers: tuple[IkePeer, ...]
    unmatched_ike_sas: tuple[IkeSa, ...]
    highest_conn_ids: tuple[int, int]
    events: tuple[Event, ...]


def build(
    reading: Reading, previous: PollResult, expected: Sequence[ExpectedTunnel] = ()
) -> TunnelReading:
    """The tunnels of a device as read, and what happened since ``previous``, its last result, good or not.

    ``expected`` is the inventory of this device.
    """
    reading = _canonical(reading)
    inventory = ExpectedIndex(expected)
    named = {i: one for i, flow in enumerate(reading.flows) if (one := inventory.of(flow))}
    names, remembered, lost = match(reading.flows, previous.tunnels, named, inventory)
    fallen = frozenset(
        name
        for name, flow in zip(names, reading.flows, strict=True)
        if name in remembered and fell(remembered[name], flow, reading.at)
    )
    lines = map_lines(previous.device, reading.crypto_map, previous.platform)
    missing = list(
        absent(reading.flows, previous.platform, lost, expected, inventory, named, names, lines)
    )
    known_peers = _known_peers(previous, reading, lines)
    peers, unmatched = ike_peers(reading.flows, reading.ike_sas, previous.host, known_peers)
    joined = _Joined(reading, previous, peers, fallen, lines)
    pairs: list[tuple[TunnelState | None, TunnelState]] = []
    rekeys: dict[str, Rekey] = {}
    for index, (name, flow) in enumerate(zip(names, reading.flows, strict=True)):
        old = remembered.get(name)
        new, rekey = joined.listed(name, flow, old, named.get(index), index)
        pairs.append((old, new))
        if rekey is not None:
            rekeys[name] = rekey
    for name, flow, entry in missing:
        known_as = lost.pop(name, None)
        pairs.append((known_as, joined.unlisted(name, flow, known_as, entry)))
    for name, gone in lost.items():
        if not is_forgotten(gone, reading.at, is_configured=lines.has_entry_of(gone.flow)):
            pairs.append((gone, joined.unlisted(name, gone.flow, gone, inventory.of(gone.flow))))
    both = [(old, new) for old, new in pairs if old is not None and new.is_listed]
    started_anew = is_reload(both, fallen, reading.ike_sas, previous, reading.at)
    if started_anew:
        pairs = [(old, _of_a_new_life(new)) for old, new in pairs]
    return TunnelReading(
        tunnels=tuple(new for _, new in pairs),
        ike_peers=peers,
        unmatched_ike_sas=unmatched,
        highest_conn_ids=joined.current_conn_ids if started_anew else joined.highest_conn_ids,
        events=tuple(_events(reading, previous, pairs, rekeys, fallen, is_reload=started_anew)),
    )


def _of_a_new_life(tunnel: TunnelState) -> TunnelState:
    """After a reload: the numbers of connections before it say nothing of those to come."""
    mark = tunnel.memory.outbound
    if tunnel.outbound is not None or mark is None:
        return tunnel
    memory = replace(tunnel.memory, outbound=replace(mark, conn_id=None))
    return replace(tunnel, memory=memory)


def _canonical(reading: Reading) -> Reading:
    """Addresses in one spelling: devices print those of IPv6 in several, and in every command its own."""
    return replace(
        reading,
        flows=[canonical_flow(flow) for flow in reading.flows],
        ike_sas=[canonical_ike_sa(sa) for sa in reading.ike_sas],
    )


def _known_peers(
    previous: PollResult, reading: Reading, lines: MapLines
) -> Iterator[tuple[str, str]]:
    """Peers that must not vanish from the table of IKE peers: those of tunnels, in use now or not."""
    for flow in reading.flows:
        own = flow.local_endpoint or flow.local_address
        if own:
            yield from ((address, own) for address in lines.peers_of(flow))
    kept = {peer for tunnel in previous.tunnels for peer in tunnel.memory.peers}
    for peer in previous.ike_peers:
        if peer.peer in kept:
            yield peer.peer, peer.local_address


class _Joined:
    """One reading with its look-up tables, asked tunnel by tunnel."""

    def __init__(
        self,
        reading: Reading,
        previous: PollResult,
        peers: Sequence[IkePeer],
        fallen: frozenset[str],
        lines: MapLines,
    ) -> None:
        self._lines = lines
        self._reading = reading
        self._device = previous.device
        self._fallen = fallen
        # the beginning of an SA that was first seen after longer than this was not seen
        self._longest_gap = _GAP_INTERVALS * previous.interval_seconds
        self._linked = {link.tunnel for link in previous.links}
        self._peers = {(peer.peer, peer.local_address): peer for peer in peers}
        self._sessions: dict[str, list[CryptoSession]] = {}
        for session in reading.sessions:
            if session.peer:
                self._sessions.setdefault(session.peer, []).append(session)
        ike = max((sa.conn_id or 0 for sa in reading.ike_sas), default=0)
        ipsec = max((sa.conn_id or 0 for flow in reading.flows for sa in flow.sas), default=0)
        before = previous.highest_conn_ids
        self.current_conn_ids = ike, ipsec
        self.highest_conn_ids = max(before[0], ike), max(before[1], ipsec)

    def listed(
        self,
        name: str,
        flow: Flow,
        old: TunnelState | None,
        expected: ExpectedTunnel | None,
        index: int,
    ) -> tuple[TunnelState, Rekey | None]:
        """The tunnel of a flow the device printed."""
        at = self._reading.at
        memory = old.memory if old else TunnelMemory(first_seen_at=at)
        inbound, outbound = in_use(flow, memory.inbound.spi if memory.inbound else None)
        samples = samples_with(
            memory.samples,
            flow,
            at,
            is_linked=name in self._linked,
            has_fallen=name in self._fallen,
        )
        options = expected.options if expected else frozenset[TunnelOption]()
        state = status(
            flow,
            inbound,
            outbound,
            self._peers.get(flow_ends(flow)),
            self._sessions.get(flow.peer or "", ()),
            samples,
            is_unidirectional=TunnelOption.UNIDIRECTIONAL in options,
            is_excluded=TunnelOption.EXCLUDED in options,
        )
        usual = self._usual(memory)
        sent_mark = mark(outbound, memory.outbound, at, usual, self._longest_gap)
        received_mark = mark(inbound, memory.inbound, at, usual, self._longest_gap)
        has_gap = memory.outbound is not None and at - memory.outbound.at > self._longest_gap
        sent_left = left_of(flow.sas, Direction.OUTBOUND)
        received_left = left_of(flow.sas, Direction.INBOUND)
        sent = sent_bytes(memory, sent_left, samples)
        received = received_bytes(memory, received_left, samples)
        # what is no tunnel between two sites has no ledger: a group's keys come from its server
        rekey = None if state is Status.EXCLUDED else self._rekey(name, flow, outbound, old)
        in_use_before = {sa.spi for sa in flow.sas} & {*memory.used_spis}
        used_spis = tuple(spi for spi in memory.used_spis if spi in in_use_before)
        if outbound is not None and outbound.spi and outbound.spi not in used_spis:
            used_spis = (*used_spis, outbound.spi)
        settled_state = settled(memory, state, at)
        remembered = TunnelMemory(
            first_seen_at=memory.first_seen_at,
            last_listed_at=at,
            last_up_at=at if state.is_up else memory.last_up_at,
            is_settled_up=settled_state.is_up,
            unsettled_since=settled_state.since,
            last_transition_at=settled_state.last_transition_at,
            flaps=settled_state.flaps,
            rekeys=_counted(memory.rekeys, rekey),
            last_rekey_at=at
            if rekey or (memory.outbound is None and sent_mark)
            else memory.last_rekey_at,
            inbound=received_mark,
            outbound=sent_mark,
            went_without_sa=outbound is None and sent_mark is not None,
            samples=samples,
            used_spis=used_spis,
            sent_left=sent_left,
            received_left=received_left,
            sent_kilobytes=sent.total_kilobytes,
            received_kilobytes=received.total_kilobytes,
            sent_bytes_per_packet=sent.bytes_per_packet,
            received_bytes_per_packet=received.bytes_per_packet,
            lifetime_seconds=_learned(
                memory.lifetime_seconds, sent_mark.full_seconds if sent_mark else None, has_gap
            ),
            lifetime_kilobytes=_learned(
                memory.lifetime_kilobytes, sent_mark.full_kilobytes if sent_mark else None, has_gap
            ),
            readings=memory.readings + 1,
            up_readings=memory.up_readings + state.is_up,
            peers=self._known_peers(flow, memory, expected),
            peer_failovers=memory.peer_failovers + _failed_over(old, flow),
            signature=_signature(outbound) or memory.signature,
        )
        tunnel = TunnelState(
            device=self._device,
            name=name,
            flow=flow,
            status=state,
            purpose=purpose(flow.kind, expected, remembered, old.purpose if old else None, at),
            memory=remembered,
            seen_at=at,
            expected=expected,
            lines=self._reading.lines[index] if self._reading.lines else None,
            inbound=inbound,
            outbound=outbound,
            sent_bytes_per_second=sent.bytes_per_second,
            received_bytes_per_second=received.bytes_per_second,
            predicted_expiry_at=predicted_expiry(
                received_mark if inbound else None,
                sent_mark if outbound else None,
                received.bytes_per_second,
                sent.bytes_per_second,
            ),
        )
        return tunnel, rekey

    def unlisted(
        self, name: str, flow: Flow, old: TunnelState | None, expected: ExpectedTunnel | None
    ) -> TunnelState:
        """A tunnel that is known and not listed: no SAs, no counters, down."""
        at = self._reading.at
        memory = old.memory if old else TunnelMemory(first_seen_at=at)
        is_excluded = expected is not None and TunnelOption.EXCLUDED in expected.options
        sessions = self._sessions.get(flow.peer or "", ())
        state = status(
            replace(flow, sas=(), current_outbound_spi=0),
            None,
            None,
            self._peers.get(flow_ends(flow)),
            sessions,
            (),
            is_unidirectional=False,
            is_excluded=is_excluded,
        )
        settled_state = settled(memory, state, at)
        remembered = replace(
            memory,
            is_settled_up=settled_state.is_up,
            unsettled_since=settled_state.since,
            last_transition_at=settled_state.last_transition_at,
            flaps=settled_state.flaps,
            went_without_sa=memory.outbound is not None,
            is_gone_told=memory.is_gone_told or (old is not None and not old.is_listed),
            samples=(),  # a dynamic flow begins anew when it comes back
            used_spis=(),
            sent_left=(),
            received_left=(),
            readings=memory.readings + 1,
            peers=self._known_peers(flow, memory, expected),
        )
        return TunnelState(
            device=self._device,
            name=name,
            flow=flow if old and not old.is_listed else identity_only(flow),
            status=state,
            purpose=purpose(flow.kind, expected, remembered, old.purpose if old else None, at),
            memory=remembered,
            seen_at=old.seen_at if old else at,
            is_listed=False,
            expected=expected,
        )

    def _usual(self, memory: TunnelMemory) -> SaLifetime | None:
        """The lifetime of new SAs of a tunnel: what was learned of it, or what the device gives."""
        configured = self._reading.lifetime
        if memory.lifetime_seconds is None:
            return configured
        return SaLifetime(
            seconds=memory.lifetime_seconds,
            kilobytes=memory.lifetime_kilobytes,
            volume_rekey_disabled=memory.lifetime_kilobytes is None,
        )

    def _rekey(
        self, name: str, flow: Flow, outbound: IpsecSa | None, old: TunnelState | None
    ) -> Rekey | None:
        """What replaced the SPI since the last reading, ``None`` where none was replaced or none is there."""
        if old is None or old.memory.outbound is None or outbound is None or not outbound.spi:
            return None
        memory, before = old.memory, old.memory.outbound
        if outbound.spi == before.spi or outbound.spi in memory.used_spis:
            return None
        return classified(
            before,
            memory.inbound,
            outbound.spi,
            at=self._reading.at,
            sent_bytes_per_second=old.sent_bytes_per_second,
            received_bytes_per_second=old.received_bytes_per_second,
            went_without_sa=memory.went_without_sa,
            began_anew=name in self._fallen or _failed_over(old, flow),
        )

    def _known_peers(
        self, flow: Flow, memory: TunnelMemory, expected: ExpectedTunnel | None
    ) -> tuple[str, ...]:
        """Peers once known stay known, in their order: the first is the label of the tunnel's series."""
        found = [
            *memory.peers,
            *([expected.peer] if expected and expected.peer else ()),
            *self._lines.peers_of(flow),
            *([flow.peer] if flow.peer and flow.peer not in UNSPECIFIED else ()),
        ]
        peers = tuple(dict.fromkeys(found))
        if len(peers) > _PEERS_KEPT:
            peers = (peers[0], *peers[-(_PEERS_KEPT - 1) :])
        return memory.peers if peers == memory.peers else peers


def _failed_over(old: TunnelState | None, flow: Flow) -> bool:
    """Another peer is in use than at the last reading."""
    if old is None or not flow.peer or flow.peer in UNSPECIFIED:
        return False
    return bool(old.current_peer) and old.current_peer != flow.peer


# a lifetime that is this much shorter than the last was configured anew, not read late
_SHORTER = 0.8


def _learned(known: int | None, full: int | None, has_gap: bool) -> int | None:
    if known is None or full is None:
        return known if full is None else full
    if has_gap:
        return max(known, full)
    return full if full > known or full < _SHORTER * known else known


def _counted(counts: Mapping[RekeyTrigger, int], rekey: Rekey | None) -> Mapping[RekeyTrigger, int]:
    if rekey is None:
        return counts
    return {**NO_REKEYS, **counts, rekey.trigger: counts.get(rekey.trigger, 0) + 1}


def _signature(outbound: IpsecSa | None) -> tuple[str, ...]:
    """The algorithms of an SA in words, to notice that they changed."""
    if outbound is None:
        return ()
    # PFS shows only once an IKE version 2 SA has been rekeyed (RFC 7296, 1.2): it is no change
    mode = (outbound.mode.value,) if outbound.mode else ()
    return _interned((*outbound.transform, *mode))


_SIGNATURES: dict[tuple[str, ...], tuple[str, ...]] = {}


def _interned(signature: tuple[str, ...]) -> tuple[str, ...]:
    """One copy of what thousands of tunnels have alike."""
    if len(_SIGNATURES) > 1000:
        _SIGNATURES.clear()
    return _SIGNATURES.setdefault(signature, signature)


def _events(
    reading: Reading,
    previous: PollResult,
    pairs: Sequence[tuple[TunnelState | None, TunnelState]],
    rekeys: Mapping[str, Rekey],
    fallen: frozenset[str],
    *,
    is_reload: bool,
) -> Iterable[Event]:
    counted = sum(1 for old, new in pairs if old is not None and new.is_listed and has_counted(old))
    is_whole = is_reload or (len(fallen) > 1 and len(fallen) == counted)
    yield from device_events(
        previous.device,
        reading.at,
        is_reload=is_reload,
        cleared=sorted(fallen),
        listed=counted,
        previous=previous,
        crypto_map=reading.crypto_map,
        lifetime=reading.lifetime,
    )
    is_first = previous.read_at is None and not previous.tunnels
    for old, new in pairs:
        if old is None and is_first:
            continue  # everything is new to a monitor that has just begun
        is_cleared = new.name in fallen and not is_whole
        yield from tunnel_events(old, new, rekeys.get(new.name), reading.at, is_cleared=is_cleared)
