"""Dead peer detection (RFC 3706, ``crypto isakmp keepalive``): a peer that does not answer is given up.

Nothing is sent while the peer is there, so a quiet day costs no event: whoever cuts a path or loses an SA says that a
peer may be dead, and the silence is timed from then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ipsecmon.lab.associations import IkeSession, RouterState
from ipsecmon.lab.events import EventQueue
from ipsecmon.lab.topology import Keepalive
from ipsecmon.lab.traffic import Paths, settle_flow

__all__ = ["DeadPeerDetection"]

# "five retransmissions, then the SAs are deleted"
_RETRIES: Final = 5


class DeadPeerDetection:
    """Times the silence of peers; ``give_up`` hears of a session whose other end is dead, from the router it is told to."""

    def __init__(
        self,
        events: EventQueue,
        paths: Paths,
        *,
        give_up: Callable[[IkeSession, RouterState], None],
    ) -> None:
        self._events = events
        self._paths = paths
        self._give_up = give_up
        self._not_asked: set[tuple[str, str]] = set()

    def set_asked(self, router: RouterState, peer: RouterState, *, is_asked: bool) -> None:
        """Let a router send its keepalives to this peer, or leave them out."""
        pair = router.name, peer.name
        (self._not_asked.discard if is_asked else self._not_asked.add)(pair)
        self.look(router, peer)

    def look(self, one: RouterState, other: RouterState) -> None:
        """The path between two routers or what one of them holds has changed: who now waits for an answer in vain?"""
        for router, peer in ((one, other), (other, one)):
            keepalive = router.config.keepalive
            if keepalive is None or not router.is_up:
                continue
            for session in router.open_sessions.get(peer.address, ()):
                if (router.name, peer.name) in self._not_asked or self._is_answered(
                    session, router, peer
                ):
                    session.unanswered_since.pop(router.name, None)
                elif (
                    session.is_established_at(router)
                    and router.name not in session.unanswered_since
                ):
                    since = session.unanswered_since[router.name] = self._events.now
                    self._events.after(
                        _silence_seconds(keepalive), self._check, session, router, since
                    )

    def _is_answered(self, session: IkeSession, router: RouterState, peer: RouterState) -> bool:
        return self._paths.reaches(router, peer) and session.is_established_at(peer)

    def _check(self, session: IkeSession, router: RouterState, since: float) -> None:
        keepalive = router.config.keepalive
        if keepalive is None or session.unanswered_since.get(router.name) != since:
            return
        if not session.is_established_at(router):
            return
        if keepalive.mode == "on-demand" and not self._sent_since(session, router, since):
            # nobody misses an answer of a peer nothing is sent to
            self._events.after(keepalive.seconds, self._check, session, router, since)
            return
        self._give_up(session, router)

    def _sent_since(self, session: IkeSession, router: RouterState, since: float) -> bool:
        for flow in router.flows_by_peer.get(session.other_address(router), ()):
            settle_flow(flow, self._events.now, self._paths)
            if any(end.last_packet_at > since for end in flow.ends):
                return True
        return False


def _silence_seconds(keepalive: Keepalive) -> float:
    return keepalive.seconds + _RETRIES * keepalive.retry_seconds
