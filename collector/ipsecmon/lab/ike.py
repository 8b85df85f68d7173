"""IKE version 1 between the emulated routers: main mode makes the phase-1 SA, quick mode the IPsec SAs.

Each exchange takes a moment of lab time, so that the states can be seen where IOS shows them:
MM_NO_STATE, MM_SA_SETUP, MM_KEY_EXCH, MM_KEY_AUTH, QM_IDLE (RFC 2409, sections 5.4 and 5.5).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Final

from ipsecmon.lab.associations import FlowState, IkeRow, IkeSession, RouterState
from ipsecmon.lab.events import EventQueue
from ipsecmon.lab.matching import QuickModeAgreement, agree_quick_mode, common_policy, keys_match
from ipsecmon.lab.traffic import Paths
from ipsecmon_parsers.records import IkeState

__all__ = ["Ike"]

# how long one exchange takes
EXCHANGE_SECONDS: Final = (0.3, 0.8)
RETRANSMIT_SECONDS: Final = 10.0
# five retransmissions and the attempt is dead
NO_ANSWER_SECONDS: Final = 60.0
# a peer with another key answers the sixth message with nothing but a complaint; the next attempt comes
# while the dead rows of earlier ones still stand in the table
KEY_EXCHANGE_SECONDS: Final = 30.0
# a quick mode that the peer refuses or does not answer ends with the IPsec SA request behind it
QUICK_MODE_SECONDS: Final = 30.0
# "MM_NO_STATE 1003 ACTIVE (deleted)" stands about a minute
REAP_SECONDS: Final = 60.0


class Ike:
    """Runs the negotiations.

    ``install`` and ``give_up`` hear how the request of a flow came out; ``forget`` hears of a router whose
    peer starts afresh, so that what is left of older SAs with it is dead.
    """

    def __init__(
        self,
        routers_by_address: Mapping[str, RouterState],
        events: EventQueue,
        random: Random,
        paths: Paths,
        *,
        install: Callable[[FlowState, QuickModeAgreement], None],
        give_up: Callable[[FlowState], None],
        forget: Callable[[RouterState, RouterState], None],
    ) -> None:
        self._routers = routers_by_address
        self._events = events
        self._random = random
        self._paths = paths
        self._install = install
        self._give_up = give_up
        self._forget = forget
        self._wrong_keys: set[frozenset[str]] = set()

    def set_wrong_key(self, one: str, other: str, *, is_wrong: bool) -> None:
        """Change the pre-shared key on one of two routers, or put it right again."""
        pair = frozenset((one, other))
        (self._wrong_keys.add if is_wrong else self._wrong_keys.discard)(pair)

    def request(self, flow: FlowState) -> None:
        """A flow needs an SA pair: quick mode at once if phase 1 stands, after main mode if not."""
        flow.is_negotiating = True
        flow.is_request_sent = True
        router = flow.router
        session = router.sessions.get(flow.peer_address) or self._start_main_mode(
            router, flow.peer_address
        )
        if session.is_established_at(router):
            self._start_quick_mode(flow, session)
        else:
            session.waiting.append(flow)

    def delete(self, session: IkeSession, router: RouterState) -> None:
        """Delete a phase-1 SA here, and at the peer if the delete message gets there."""
        other = session.other(router)
        self._delete_at(session, router)
        if other is not None and self._paths.reaches(router, other):
            self._delete_at(session, other)
        self._release(session)

    def drop(self, session: IkeSession, router: RouterState) -> None:
        """Delete a phase-1 SA here without a word to the peer, which is dead."""
        self._delete_at(session, router)
        self._release(session)

    def expire(self, session: IkeSession) -> None:
        """The lifetime of a phase-1 SA is over; the IPsec SAs made under it live on."""
        # both ends look at the same clock
        for router in (session.initiator, session.responder):
            if router is not None:
                self._delete_at(session, router)
        self._release(session)

    def contact(self, router: RouterState, peer_address: str) -> None:
        """Make a phase-1 SA with a peer for no flow in particular, to tell it that we began afresh."""
        if peer_address not in router.sessions:
            self._start_main_mode(router, peer_address)

    def forget_everything(self, router: RouterState) -> None:
        """A router goes down: its SAs and table rows are gone, and nobody is told."""
        for sessions in router.open_sessions.values():
            for session in sessions:
                row = session.rows[router.name]
                row.is_deleted = True
                row.state = IkeState.MM_NO_STATE
                session.waiting = [flow for flow in session.waiting if flow.router is not router]
        router.open_sessions.clear()
        router.sessions.clear()
        router.ike_rows.clear()
        router.ike_conn_ids = 0

    # main mode

    def _start_main_mode(self, router: RouterState, peer_address: str) -> IkeSession:
        session = IkeSession(router, self._routers.get(peer_address), peer_address)
        self._add_row(session, router)
        self._events.after(self._exchange(), self._propose, session)
        self._events.after(NO_ANSWER_SECONDS, self._fail_unless_established, session)
        return session

    def _propose(self, session: IkeSession) -> None:
        responder = session.responder
        if not self._is_pending(session):
            return
        if responder is None or not self._paths.reaches(session.initiator, responder):
            self._events.after(RETRANSMIT_SECONDS, self._propose, session)
            return
        policy = common_policy(session.initiator.config, responder.config)
        self._add_row(session, responder)
        if policy is None:
            # the responder refuses and forgets; the initiator waits for an answer it understands
            self._delete_at(session, responder)
            return
        session.lifetime_seconds = policy.lifetime_seconds
        for router in (session.initiator, responder):
            router.ike_conn_ids += 1
            # 12.4 counts from 1 ("QM_IDLE 1 0 ACTIVE"), later releases from 1001
            first = 0 if router.config.dialect == "ios-12.4" else 1000
            session.rows[router.name].conn_id = first + router.ike_conn_ids
        self._enter(session, IkeState.MM_SA_SETUP)
        self._events.after(self._exchange(), self._exchange_keys, session)

    def _exchange_keys(self, session: IkeSession) -> None:
        if self._is_answered(session, self._exchange_keys):
            self._enter(session, IkeState.MM_KEY_EXCH)
            self._events.after(KEY_EXCHANGE_SECONDS, self._fail_unless_established, session)
            self._events.after(self._exchange(), self._authenticate, session)

    def _authenticate(self, session: IkeSession) -> None:
        if not self._is_answered(session, self._authenticate):
            return
        responder = session.responder
        if responder is None or not self._has_right_key(session.initiator, responder):
            return
        self._enter(session, IkeState.MM_KEY_AUTH)
        self._events.after(self._exchange(), self._establish, session)

    def _establish(self, session: IkeSession) -> None:
        if not self._is_answered(session, self._establish):
            return
        self._enter(session, IkeState.QM_IDLE)
        self._events.after(session.lifetime_seconds, self.expire, session)
        self._initial_contact(session)
        waiting, session.waiting = session.waiting, []
        for flow in waiting:
            self._start_quick_mode(flow, session)

    def _initial_contact(self, session: IkeSession) -> None:
        """INITIAL-CONTACT (RFC 2407, 4.6.3.3): the responder drops what the initiator no longer has."""
        initiator, responder = session.initiator, session.responder
        if responder is None:
            return
        for old in list(responder.open_sessions.get(initiator.address, ())):
            if old.is_established_at(responder) and not old.is_established_at(initiator):
                self._delete_at(old, responder)
        self._forget(responder, initiator)

    def _is_pending(self, session: IkeSession) -> bool:
        row = session.rows[session.initiator.name]
        return not row.is_deleted and row.state is not IkeState.QM_IDLE

    def _is_answered(self, session: IkeSession, retry: Callable[[IkeSession], None]) -> bool:
        """Whether the next exchange of main mode completes now; if not for the path, it is sent again."""
        responder = session.responder
        if responder is None or not self._is_pending(session):
            return False
        if not self._paths.reaches(session.initiator, responder):
            self._events.after(RETRANSMIT_SECONDS, retry, session)
            return False
        # the responder may have cleared its half meanwhile
        return not session.rows[responder.name].is_deleted

    def _has_right_key(self, initiator: RouterState, responder: RouterState) -> bool:
        if frozenset((initiator.name, responder.name)) in self._wrong_keys:
            return False
        policy = common_policy(initiator.config, responder.config)
        if policy is not None and policy.authentication == "rsa-sig":
            return True
        return keys_match(initiator.config, responder.config)

    def _fail_unless_established(self, session: IkeSession) -> None:
        # an end may have been cleared or reloaded meanwhile; what the other holds is dead all the same
        for router in (session.initiator, session.responder):
            if router is not None and not session.is_established_at(router):
                self._delete_at(session, router)
        if session.rows[session.initiator.name].is_deleted:
            self._release(session)

    # quick mode

    def _start_quick_mode(self, flow: FlowState, session: IkeSession) -> None:
        self._events.after(self._exchange(), self._quick_mode, flow, session, 0.0)

    def _quick_mode(self, flow: FlowState, session: IkeSession, waited: float) -> None:
        if not flow.is_negotiating:
            return  # the peer's own quick mode for the same flow was faster
        router, peer = flow.router, session.other(flow.router)
        if session.other_address(router) != flow.peer_address:
            return  # the entry has turned to another peer since
        if not session.is_established_at(router):
            self._end_request(flow, session)
        elif (
            peer is None
            or not self._paths.reaches(router, peer)
            or not session.is_established_at(peer)
        ):
            if waited < QUICK_MODE_SECONDS:
                waited += RETRANSMIT_SECONDS
                self._events.after(RETRANSMIT_SECONDS, self._quick_mode, flow, session, waited)
            else:
                # death by retransmission takes phase 1 with it, so that the next need starts afresh
                self._delete_at(session, router)
                self._release(session)
                self._end_request(flow, session)
        else:
            agreement = None
            if flow.mirror is not None:
                agreement = agree_quick_mode(
                    router.config, flow.entry, peer.config, flow.mirror.entry
                )
            if agreement is None:
                # QM_IDLE stands, the SPI stays 0x0(0), send errors rise
                self._events.after(QUICK_MODE_SECONDS, self._end_request, flow, session)
            else:
                self._install(flow, agreement)

    def _end_request(self, flow: FlowState, session: IkeSession) -> None:
        if flow.is_negotiating and flow.peer_address == session.other_address(flow.router):
            flow.is_negotiating = False
            self._give_up(flow)

    # rows

    def _exchange(self) -> float:
        return self._random.uniform(*EXCHANGE_SECONDS)

    def _add_row(self, session: IkeSession, router: RouterState) -> None:
        row = IkeRow(source=session.initiator.address, destination=session.peer_address)
        session.rows[router.name] = row
        router.ike_rows.insert(0, row)
        peer_address = session.other_address(router)
        router.open_sessions.setdefault(peer_address, []).append(session)
        router.sessions[peer_address] = session

    def _enter(self, session: IkeSession, state: IkeState) -> None:
        for row in session.rows.values():
            if not row.is_deleted:
                row.state = state

    def _delete_at(self, session: IkeSession, router: RouterState) -> None:
        row = session.rows.get(router.name)
        if row is None or row.is_deleted:
            return
        row.is_deleted = True
        row.state = IkeState.MM_NO_STATE
        peer_address = session.other_address(router)
        router.open_sessions[peer_address].remove(session)
        if router.sessions.get(peer_address) is session:
            del router.sessions[peer_address]
        self._events.after(REAP_SECONDS, self._reap, router, row)

    @staticmethod
    def _reap(router: RouterState, row: IkeRow) -> None:
        if row in router.ike_rows:  # not after a reload
            router.ike_rows.remove(row)

    def _release(self, session: IkeSession) -> None:
        """End the requests that waited for this session."""
        waiting, session.waiting = session.waiting, []
        for flow in waiting:
            self._end_request(flow, session)
