"""The simulated network: lab time runs, traffic flows, SAs come and go; records are read from it.

    network = Network(two_sites(), seed=1)
    network.run_until(60)
    network.flows("Site1")

No sockets, no threads, no wall clock; the same topology and seed always play the same way. Reading never
changes anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Any, Final

from ipsecmon.lab import asa_printed, crypto_maps, crypto_sessions, printed
from ipsecmon.lab.associations import FlowState, IkeSession, RouterState, SaEnd, Stream
from ipsecmon.lab.chronicle import Chronicle, flow_truth
from ipsecmon.lab.dead_peers import DeadPeerDetection
from ipsecmon.lab.events import EventQueue
from ipsecmon.lab.ike import Ike
from ipsecmon.lab.laying import flows_of, join_mirrors, lay_stream, route
from ipsecmon.lab.matching import PrefixIndex, QuickModeAgreement
from ipsecmon.lab.topology import Router, Topology
from ipsecmon.lab.traffic import Paths, next_packet_at, rates, scale, settle_flow
from ipsecmon.lab.truth import FlowTruth, Happening, HappeningKind, Trigger
from ipsecmon_parsers.records import CryptoMapEntry, CryptoSession, Flow, IkeSa, SaLifetime

__all__ = ["Network"]

# a new pair is negotiated this long before the old one runs out of time ...
REKEY_SECONDS: Final = 30.0
# ... or when this much volume is left, or what is sent in a few seconds if that is more
REKEY_KILOBYTES: Final = 256
REKEY_VOLUME_SECONDS: Final = 10.0
# the retiring pair receives for this long beside its replacement
OVERLAP_SECONDS: Final = 30.0
RETRY_SECONDS: Final = 10.0
# software and the older crypto engines start the kilobytes up to 10 % below the configured volume
START_JITTER: Final = 0.1
# the shortest boot: by then whatever a router had begun before it went down has come to its end
MIN_BOOT_SECONDS: Final = 60.0


class Network:
    """A topology in motion."""

    def __init__(self, topology: Topology, *, seed: int = 0) -> None:
        self._events = EventQueue()
        self._random = Random(seed)  # noqa: S311 - a simulation must repeat, not surprise
        self._paths = Paths()
        self._spis: set[int] = set()
        self._topology = topology
        self._routers = {router.name: RouterState(router) for router in topology.routers}
        by_address = {router.address: router for router in self._routers.values()}
        self._ike = Ike(
            by_address,
            self._events,
            self._random,
            self._paths,
            install=self._install,
            give_up=self._give_up,
            forget=self._forget,
        )
        self._dead_peers = DeadPeerDetection(self._events, self._paths, give_up=self._peer_is_dead)
        self._chronicle = Chronicle()
        self._power_watchers: list[Callable[[str], None]] = []
        for router in self._routers.values():
            router.flows = flows_of(router)
            for flow in router.flows:
                for peer_address in flow.entry.all_peers:
                    router.flows_by_peer.setdefault(str(peer_address), []).append(flow)
        join_mirrors(by_address)
        self._lay_streams(topology)

    @property
    def now(self) -> float:
        """Lab seconds since the start."""
        return self._events.now

    def run_until(self, time: float) -> None:
        """Play everything up to this lab second; an earlier one changes nothing."""
        self._events.run_until(time)

    def plan(self, time: float, action: Callable[[], None]) -> None:
        """Do this at a lab second to come: ``network.plan(3600, lambda: network.reload("hub"))``."""
        self._events.at(time, action)

    def on_power(self, watcher: Callable[[str], None]) -> None:
        """Call ``watcher`` with a router's name when it goes down for a reload and when it has booted."""
        self._power_watchers.append(watcher)

    def _tell_power(self, router: str) -> None:
        for watcher in self._power_watchers:
            watcher(router)

    # what truly happens

    @property
    def happenings(self) -> Sequence[Happening]:
        """Everything that happened so far, in the order of time; it grows as lab time runs."""
        return self._chronicle.happenings

    def truth(self, router: str) -> tuple[FlowTruth, ...]:
        """Every flow of a router as it truly is now, in the order of ``flows``."""
        state = self._routers[router]
        self._settle(state.flows)
        return tuple(flow_truth(flow, self._paths, self.now) for flow in state.flows)

    # what the routers show

    @property
    def routers(self) -> tuple[str, ...]:
        """The names of all routers."""
        return tuple(self._routers)

    def router(self, name: str) -> Router:
        """The running configuration of a router."""
        return self._routers[name].config

    def configured(self, name: str) -> Router:
        """The configuration of a router as the topology has it."""
        return self._topology.router(name)

    def is_up(self, router: str) -> bool:
        """Whether the router runs, rather than boots."""
        return self._routers[router].is_up

    def uptime(self, router: str) -> float:
        """Seconds since the router last came up."""
        return self.now - self._routers[router].booted_at

    def reloads(self, router: str) -> int:
        """How often the router went down since the lab began."""
        return self._routers[router].reloads

    def flows(self, router: str) -> tuple[Flow, ...]:
        """The flows of a router, as a parser reads them back from its ``show crypto ipsec sa``."""
        state = self._routers[router]
        self._settle(state.flows)
        if state.config.dialect == "asa-9":
            return asa_printed.flows(state, self.now)
        return tuple(printed.flow(flow, self.now) for flow in state.flows)

    def ike_sas(self, router: str) -> tuple[IkeSa, ...]:
        """The IKE table of a router, as a parser reads it back from ``show crypto isakmp sa``."""
        state = self._routers[router]
        if state.config.dialect == "asa-9":
            return asa_printed.ike_sas(state)
        return tuple(printed.ike_sa(row, state.config.dialect) for row in state.ike_rows)

    def sa_lifetime(self, router: str) -> SaLifetime:
        """The configured lifetime of new IPsec SAs."""
        return printed.sa_lifetime(self._routers[router].config)

    def crypto_map(self, router: str) -> tuple[CryptoMapEntry, ...]:
        """The crypto map of a router, as a parser reads it back from ``show crypto map``."""
        state = self._routers[router]
        if state.config.dialect == "asa-9":
            return asa_printed.crypto_map(state.config)
        return crypto_maps.entries_of(state)

    def sessions(self, router: str) -> tuple[CryptoSession, ...]:
        """The sessions of a router, as a parser reads them back from ``show crypto session``."""
        return crypto_sessions.sessions_of(self._routers[router])

    # what an operator types

    def clear_sa(self, router: str, peer: str | None = None) -> None:
        """``clear crypto sa [peer X]``: SAs go at both ends, counters go to zero here."""
        state = self._routers[router]
        flows = [flow for flow in state.flows if peer in (None, flow.peer_address)]
        self._settle(flows)
        for flow in flows:
            self._delete_sas(flow)
            self._zero_counters(flow)

    def clear_sa_counters(self, router: str) -> None:
        """``clear crypto sa counters``: the SAs stay."""
        flows = self._routers[router].flows
        self._settle(flows)
        for flow in flows:
            self._zero_counters(flow)

    def clear_session(self, router: str, peer: str | None = None) -> None:
        """``clear crypto session`` and ``clear crypto isakmp``: IKE and IPsec SAs go at both ends."""
        state = self._routers[router]
        for address, sessions in state.open_sessions.items():
            if peer in (None, address):
                for session in list(sessions):
                    other = session.other(state)
                    self._ike.delete(session, state)
                    if other is not None:
                        self._dead_peers.look(state, other)
        for flow in state.flows:
            if peer in (None, flow.peer_address):
                self._delete_sas(flow)

    def reload(self, router: str, *, boot_seconds: float = 180.0) -> None:
        """``reload``, or a power cut: the router forgets everything and tells nobody, and is gone while it boots."""
        if boot_seconds < MIN_BOOT_SECONDS:
            raise ValueError(
                f"a router boots at least {MIN_BOOT_SECONDS:g} s, not {boot_seconds:g}"
            )
        state = self._routers[router]
        self._settle(state.flows)
        state.reloads += 1
        self._chronicle.router(HappeningKind.RELOAD, state, self.now)
        state.is_up = False
        self._ike.forget_everything(state)
        for flow in state.flows:
            flow.is_negotiating = flow.is_request_sent = False
            flow.rekey_trigger = None
            flow.demand_at = None
            for end in list(flow.ends):
                self._remove(end, None)
            # the first peer of the list is the first to be tried
            self._turn_to(flow, str(flow.entry.peer))
            flow.encaps = flow.decaps = flow.send_errors = flow.recv_errors = 0
            self._reroute(flow)
        state.engine_conn_ids = 0
        for peer in self._peers_of(state):
            self._dead_peers.look(state, peer)
        self._events.after(boot_seconds, self._boot, state, state.reloads)
        self._tell_power(router)

    def _boot(self, state: RouterState, reload: int) -> None:
        if state.reloads != reload:
            return  # it went down again meanwhile
        self._settle(state.flows)
        state.is_up = True
        state.booted_at = self.now
        self._chronicle.router(HappeningKind.BOOTED, state, self.now)
        for flow in state.flows:
            self._reroute(flow)
        self._replan(state.flows)
        for peer in self._peers_of(state):
            self._dead_peers.look(state, peer)
        self._expect_unknown_spis(state.flows)
        self._tell_power(state.config.name)

    # what goes wrong

    def set_unreachable(self, one: str, other: str, *, is_unreachable: bool = True) -> None:
        """Cut the path between two routers in both directions, or restore it."""
        with_changed_path = self._flows_between(one, other)
        self._settle(with_changed_path)
        self._paths.cut(one, other, is_cut=is_unreachable)
        self._replan(with_changed_path)
        self._dead_peers.look(self._routers[one], self._routers[other])
        if not is_unreachable:
            self._expect_unknown_spis(with_changed_path)

    def set_loss(self, source: str, destination: str, ratio: float) -> None:
        """Lose a share of the packets from one router to another; IKE gets through."""
        with_changed_path = self._flows_between(source, destination)
        self._settle(with_changed_path)
        self._paths.lose(source, destination, ratio)
        self._replan(with_changed_path)

    def set_spoiling(self, source: str, destination: str, ratio: float) -> None:
        """Change a share of the ESP packets from one router to another on their way: the receiver drops them."""
        with_changed_path = self._flows_between(source, destination)
        self._settle(with_changed_path)
        self._paths.spoil(source, destination, ratio)

    def set_wrong_key(self, one: str, other: str, *, is_wrong: bool = True) -> None:
        """Make the pre-shared keys of two routers differ; a standing IKE SA does not notice."""
        self._flows_between(one, other)  # both exist, or KeyError
        self._ike.set_wrong_key(one, other, is_wrong=is_wrong)

    def set_sending(self, source: str, destination: str, factor: float) -> None:
        """Let those behind one router send and answer ``factor`` times what the topology says to those behind the other.

        0 stops them: their packets take another way than the tunnel, or nobody has anything to say.
        """
        sender = self._routers[source]
        entered = sender.flows_by_peer.get(self._routers[destination].address, [])
        self._settle(entered)
        streams = {id(stream): stream for flow in entered for stream in flow.streams}.values()
        for stream in streams:
            before = stream.sending, stream.answering
            if any(flow in entered for flow in stream.forwards):
                stream.sending = factor
            if any(flow in entered for flow in stream.replies):
                stream.answering = factor
            if (stream.sending, stream.answering) != before:
                scale(stream, self.now)
        for flow in self._flows_between(source, destination):
            # a packet that was waited for may not come any more
            flow.demand_at = None
            self._replan((flow,))

    def byte_rate(self, one: str, other: str) -> float:
        """Bytes a second that the busiest flow between two routers carries in its busier direction."""
        flows = self._flows_between(one, other)
        return max(
            (rate for flow in flows for rate in rates(flow, self.now, self._paths)), default=0.0
        )

    def set_keepalives(self, router: str, peer: str, *, are_sent: bool) -> None:
        """Let a router that is configured to send keepalives leave this peer out, or send them again."""
        self._dead_peers.set_asked(self._routers[router], self._routers[peer], is_asked=are_sent)

    def set_keeps_expired(self, one: str, other: str, *, is_kept: bool = True) -> None:
        """Leave the IPsec SAs between two routers standing when their time is over, as a faulty crypto engine does.

        Nothing renews them meanwhile. Once that is over, those whose time has passed go.
        """
        for flow in self._flows_between(one, other):
            flow.keeps_expired = is_kept
            for end in list(flow.ends):
                if end.expires_at <= self.now:
                    self._expire(end)
                else:
                    # what fell due while nothing renewed it
                    self._rekey_if_due(end)

    def expire_ike(self, one: str, other: str) -> None:
        """End the phase-1 SAs of two routers as at the end of their lifetime: the IPsec SAs live on."""
        state = self._routers[one]
        for session in list(state.open_sessions.get(self._routers[other].address, ())):
            self._ike.expire(session)

    def contact(self, router: str, peer: str) -> None:
        """Begin phase 1 with a peer if there is none, for no flow in particular."""
        self._ike.contact(self._routers[router], self._routers[peer].address)

    def renegotiate(self, router: str, peer: str) -> None:
        """Make a new SA pair beside each one in use with a peer, long before its time."""
        for flow in self._routers[router].flows_by_peer.get(self._routers[peer].address, ()):
            if flow.current is not None and not flow.is_negotiating:
                self._ike.request(flow)

    # what an operator configures

    def reconfigure(self, router: str, **changes: Any) -> None:
        """Change fields of a running configuration: what is negotiated from now on follows it, what stands does not.

        The flows stay as they are laid: peers and access lists cannot change.
        """
        state = self._routers[router]
        config = Router.model_validate({**state.config.model_dump(), **changes})
        entries = {entry.seq: entry for entry in config.crypto_map.entries}
        if _laid(config) != _laid(state.config):
            raise ValueError(f"{router}: peers, addresses and access lists cannot change in motion")
        state.config = config
        for flow in state.flows:
            flow.entry = entries[flow.entry.seq]
        for peer in self._peers_of(state):
            self._dead_peers.look(state, peer)

    def _flows_between(self, one: str, other: str) -> list[FlowState]:
        a, b = self._routers[one], self._routers[other]
        return a.flows_by_peer.get(b.address, []) + b.flows_by_peer.get(a.address, [])

    def _peers_of(self, router: RouterState) -> list[RouterState]:
        """The routers behind the peers of the crypto map, each once."""
        mirrors = (mirror for flow in router.flows for mirror in flow.mirrors.values())
        return list({mirror.router.name: mirror.router for mirror in mirrors}.values())

    # traffic

    def _lay_streams(self, topology: Topology) -> None:
        behind = PrefixIndex(
            [
                (prefix, state)
                for state in self._routers.values()
                for prefix in state.config.networks
            ]
        )
        crypto = {
            name: PrefixIndex([(flow.line.destination, flow) for flow in state.flows])
            for name, state in self._routers.items()
        }
        for pattern in topology.traffic:
            stream = lay_stream(pattern, behind, crypto)
            touched: list[FlowState] = []
            for flow in (*stream.forwards, *stream.replies):
                touched += (flow, *flow.mirrors.values())
            for flow in dict.fromkeys(touched):
                flow.streams.append(stream)
                for edge in (pattern.start_seconds, pattern.stop_seconds):
                    if edge is not None:
                        self._events.at(edge, self._plan_volume, flow)
        for state in self._routers.values():
            for flow in state.flows:
                self._plan_demand(flow)

    def _settle(self, flows: Iterable[FlowState]) -> None:
        for flow in flows:
            settle_flow(flow, self.now, self._paths)

    def _plan_demand(self, flow: FlowState) -> None:
        """Look at a flow without an SA again when its next packet comes."""
        if flow.current is not None or flow.is_negotiating or not flow.router.is_up:
            return
        times = [
            time for stream in flow.streams if (time := self._demand_of(flow, stream)) is not None
        ]
        if not times:
            return
        at = max(min(times), self.now)
        if flow.demand_at is None or at < flow.demand_at:
            flow.demand_at = at
            self._events.at(at, self._demand, flow, at)

    def _demand_of(self, flow: FlowState, stream: Stream) -> float | None:
        """When this stream next sends into this flow, for all that is known now."""
        forward = stream.forward
        if forward is flow:
            return next_packet_at(stream)
        if forward is None or stream.reply is not flow or stream.pattern.reply_ratio == 0:
            return None
        # replies come only where packets arrive: the peer still sends on an SA that this end holds too
        end = forward.current
        if end is None or end.other is None or not end.other.is_alive:
            return None
        if self._paths.delivery_ratio(forward.router, flow.router) == 0:
            return None
        return next_packet_at(stream)

    def _demand(self, flow: FlowState, at: float) -> None:
        if flow.demand_at != at:
            return
        flow.demand_at = None
        if flow.current is None and not flow.is_negotiating:
            # the packet that asks is itself dropped: "#send errors 1"
            settle_flow(flow, self.now, self._paths)
            self._ike.request(flow)

    def _give_up(self, flow: FlowState) -> None:
        """A negotiation came to nothing: the next packet asks the next peer, or the rekey is tried again."""
        flow.rekey_trigger = None
        if flow.current is None:
            self._turn_to_next_peer(flow)
            self._plan_demand(flow)
        else:
            self._events.after(RETRY_SECONDS, self._rekey_if_due, flow.current)

    def _replan(self, flows: Iterable[FlowState]) -> None:
        for flow in flows:
            self._plan_demand(flow)
            self._plan_volume(flow)

    def _reroute(self, flow: FlowState) -> None:
        """SAs came or went: two routers before one network may now change places. Settle the flow first."""
        for stream in flow.streams:
            if len(stream.forwards) > 1 or len(stream.replies) > 1:
                before = stream.forward, stream.reply
                route(stream)
                for old, new in zip(before, (stream.forward, stream.reply), strict=True):
                    if new is not None and new is not old:
                        self._plan_demand(new)
                        self._plan_volume(new)

    # peers

    def _turn_to_next_peer(self, flow: FlowState) -> None:
        peers = [str(address) for address in flow.entry.all_peers]
        self._turn_to(flow, peers[(peers.index(flow.peer_address) + 1) % len(peers)])

    def _turn_to(self, flow: FlowState, peer_address: str) -> None:
        if peer_address == flow.peer_address:
            return
        old, flow.peer_address = flow.peer_address, peer_address
        flow.mirror = flow.mirrors.get(peer_address)
        self._chronicle.peer_changed(flow, old, self.now)

    def _peer_is_dead(self, session: IkeSession, router: RouterState) -> None:
        """Dead peer detection: the IKE SA goes, and every IPsec SA with that peer."""
        address = session.other_address(router)
        for flow in router.flows_by_peer.get(address, ()):
            for end in list(flow.ends):
                if end.other is not None and end.other.flow.router.address == address:
                    self._remove(end, HappeningKind.DEAD_PEER)
            if flow.current is None and not flow.is_negotiating and flow.peer_address == address:
                self._turn_to_next_peer(flow)
        # requests that waited for this SA end here, and turn to the next peer as well
        self._ike.drop(session, router)

    def _expect_unknown_spis(self, flows: Iterable[FlowState]) -> None:
        """Look at the next packet that comes in on an SA this end no longer has."""
        for flow in flows:
            if not flow.router.config.invalid_spi_recovery:
                continue
            for mirror in flow.mirrors.values():
                end = mirror.current
                if end is None or end.other is None or end.other.is_alive:
                    continue
                if end.other.flow is flow:
                    for stream in mirror.streams:
                        at = next_packet_at(stream) if stream.forward is mirror else None
                        if at is not None:
                            self._events.at(at, self._unknown_spi, flow, end)

    def _unknown_spi(self, flow: FlowState, end: SaEnd) -> None:
        """``crypto isakmp invalid-spi-recovery``: tell the sender, over a new IKE SA if there is none."""
        sender = end.flow.router
        if not end.is_alive or not self._paths.reaches(sender, flow.router):
            return
        session = flow.router.sessions.get(sender.address)
        if session is None:
            self._ike.contact(flow.router, sender.address)
        elif session.is_established_at(flow.router) and session.is_established_at(sender):
            self._remove(end, HappeningKind.FORGOTTEN)

    # SAs

    def _install(self, flow: FlowState, agreement: QuickModeAgreement) -> None:
        """Quick mode succeeded: both ends get their half of a new pair."""
        mirror = flow.mirror
        if mirror is None:
            raise AssertionError("quick mode without a mirrored flow agreed")
        self._settle((flow, mirror))
        # the peer last heard from is the peer to send to
        self._turn_to(mirror, flow.router.address)
        trigger = flow.rekey_trigger or Trigger.FORCED
        ours = self._new_end(flow, mirror, agreement, self._new_spi(), self._new_spi())
        ours.is_initiator = True
        theirs = self._new_end(mirror, flow, agreement, ours.spi_out, ours.spi_in)
        ours.other, theirs.other = theirs, ours
        for end, margin in ((ours, REKEY_SECONDS), (theirs, REKEY_SECONDS - 5)):
            for old in end.flow.ends:
                # a delete message tells the peer, which is another one after a failover and may still use its half
                self._events.after(OVERLAP_SECONDS, self._delete, old, HappeningKind.EXPIRED)
            self._chronicle.installed(end.flow, end, trigger, self.now)
            if end.flow.router.config.dialect == "asa-9":
                self._continue_on_asa(end)
            end.flow.ends.append(end)
            end.flow.current = end
            end.flow.is_negotiating = False
            end.flow.rekey_trigger = None
            # the side that made the pair renews it; the other only if that did not happen
            self._events.at(end.expires_at - margin, self._rekey_if_due, end)
            self._events.at(end.expires_at, self._expire, end)
            idle = end.flow.router.config.sa_idle_seconds
            if idle is not None:
                self._events.after(idle, self._check_idle, end)
        self._reroute(flow)
        self._reroute(mirror)
        self._plan_volume(flow)
        self._plan_volume(mirror)
        # replies may match another line than the mirrored one, and then need a pair of their own
        for stream in flow.streams:
            if stream.reply is not None:
                self._plan_demand(stream.reply)

    @staticmethod
    def _continue_on_asa(end: SaEnd) -> None:
        """The connection id of an ASA is that of the session and outlives rekeys; its counters go with the last SA."""
        flow = end.flow
        if flow.ends:
            end.conn_in, end.conn_out = flow.ends[-1].conn_in, flow.ends[-1].conn_out
        else:
            flow.encaps = flow.decaps = flow.send_errors = flow.recv_errors = 0

    def _new_end(
        self,
        flow: FlowState,
        peer: FlowState,
        agreement: QuickModeAgreement,
        spi_in: int,
        spi_out: int,
    ) -> SaEnd:
        router, other = flow.router.config, peer.router.config
        flow.router.engine_conn_ids += 2
        volumes = [
            kilobytes
            for kilobytes in (router.sa_lifetime_kilobytes, other.sa_lifetime_kilobytes)
            if kilobytes is not None
        ]
        start: int | None = None
        if router.sa_lifetime_kilobytes is not None:
            start = min(volumes)
            # the CSR starts at the full volume, as all captures of it show
            if router.dialect != "iosxe-17":
                start -= int(start * self._random.uniform(0, START_JITTER))
        return SaEnd(
            flow=flow,
            spi_in=spi_in,
            spi_out=spi_out,
            conn_in=flow.router.engine_conn_ids - 1,
            conn_out=flow.router.engine_conn_ids,
            agreement=agreement,
            created_at=self.now,
            expires_at=self.now + min(router.sa_lifetime_seconds, other.sa_lifetime_seconds),
            start_kilobytes=start,
            is_initiator=False,
            last_packet_at=self.now,
        )

    def _new_spi(self) -> int:
        while True:
            # RFC 4303 reserves 1 to 255
            spi = self._random.randrange(256, 2**32)
            if spi not in self._spis:
                self._spis.add(spi)
                return spi

    def _remove(
        self, end: SaEnd, kind: HappeningKind | None, trigger: Trigger | None = None
    ) -> None:
        """Forget one end of a pair; ``kind`` is told if it was the one in use, nothing is where ``kind`` is ``None``."""
        if not end.is_alive:
            return
        flow = end.flow
        settle_flow(flow, self.now, self._paths)
        end.is_alive = False
        flow.ends.remove(end)
        if end.other is None or not end.other.is_alive:
            self._spis -= {end.spi_in, end.spi_out}
        if flow.current is end:
            flow.current = flow.ends[-1] if flow.ends else None
            if kind is not None:
                self._chronicle.removed(kind, end, self.now, trigger)
        self._reroute(flow)
        self._plan_demand(flow)

    def _expire(self, end: SaEnd) -> None:
        if not end.flow.keeps_expired:
            self._remove(end, HappeningKind.EXPIRED, Trigger.TIME)

    def _delete(self, end: SaEnd, kind: HappeningKind, trigger: Trigger | None = None) -> None:
        """Remove a pair here, and there if the delete message gets through."""
        if not end.is_alive:
            return
        other = end.other
        self._remove(end, kind, trigger)
        if other is not None and self._paths.reaches(end.flow.router, other.flow.router):
            self._remove(other, HappeningKind.DELETED_BY_PEER)

    def _delete_sas(self, flow: FlowState) -> None:
        for end in list(flow.ends):
            self._delete(end, HappeningKind.CLEARED)

    def _zero_counters(self, flow: FlowState) -> None:
        flow.encaps = flow.decaps = flow.send_errors = flow.recv_errors = 0
        self._chronicle.counters_cleared(flow, self.now)

    def _forget(self, router: RouterState, peer: RouterState) -> None:
        """Remove the ends of pairs whose other end the peer no longer has."""
        for flow in router.flows_by_peer.get(peer.address, ()):
            for end in list(flow.ends):
                other = end.other
                if other is None or (other.flow.router is peer and not other.is_alive):
                    self._remove(end, HappeningKind.FORGOTTEN)

    def _rekey_if_due(self, end: SaEnd) -> None:
        flow = end.flow
        if not end.is_alive or flow.current is not end or flow.is_negotiating:
            return
        if flow.keeps_expired:
            return
        settle_flow(flow, self.now, self._paths)
        is_old = end.expires_at - self.now <= REKEY_SECONDS
        is_low = self._is_low_on_volume(end)
        is_used = end.bytes_in or end.bytes_out
        # without traffic the pair is not renewed, it expires
        if is_used and (is_old or is_low):
            flow.rekey_trigger = Trigger.VOLUME if is_low else Trigger.TIME
            self._ike.request(flow)

    def _low_volume_bytes(self, end: SaEnd) -> float:
        if end.start_kilobytes is None:
            return 0.0
        rate = max(rates(end.flow, self.now, self._paths))
        enough = max(REKEY_KILOBYTES * 1024, rate * REKEY_VOLUME_SECONDS)
        return min(enough, end.start_kilobytes * 1024 / 2)

    def _is_low_on_volume(self, end: SaEnd) -> bool:
        left = end.remaining_bytes()
        return left is not None and left <= self._low_volume_bytes(end)

    def _plan_volume(self, flow: FlowState) -> None:
        if flow.current is not None:
            self._check_volume(flow.current, flow.current.volume_checks + 1)

    def _check_volume(self, end: SaEnd, number: int) -> None:
        """Renew a pair whose kilobytes run low, end one whose kilobytes are gone, else look again then."""
        if not end.is_alive or end.flow.current is not end or number <= end.volume_checks:
            return
        end.volume_checks = number
        settle_flow(end.flow, self.now, self._paths)
        left = end.remaining_bytes()
        if left is None:
            return
        if left <= 0:
            self._delete(end, HappeningKind.EXPIRED, Trigger.VOLUME)
            return
        low = self._low_volume_bytes(end)
        if left <= low:
            self._rekey_if_due(end)
            low = 0.0
        rate = max(rates(end.flow, self.now, self._paths))
        if rate > 0:
            wait = max((left - low) / rate, 0.5)
            self._events.after(wait, self._check_volume, end, number + 1)

    def _check_idle(self, end: SaEnd) -> None:
        idle = end.flow.router.config.sa_idle_seconds
        if not end.is_alive or idle is None:
            return
        settle_flow(end.flow, self.now, self._paths)
        due = end.last_packet_at + idle
        if self.now >= due:
            self._delete(end, HappeningKind.IDLE)
        else:
            self._events.at(due, self._check_idle, end)


def _laid(config: Router) -> object:
    """What the flows of a router are made of."""
    entries = [
        (entry.seq, entry.all_peers, entry.access_list) for entry in config.crypto_map.entries
    ]
    return config.name, config.address, config.networks, config.access_lists, entries
