"""Packets on their way, counted between events in closed form: never one by one.

Between two events nothing about a flow changes, so what was sent, lost, received and answered in that time
is arithmetic. Whoever is about to change a flow settles its streams first.
"""

from __future__ import annotations

from math import floor

from ipsecmon.lab.associations import FlowState, RouterState, Stream
from ipsecmon.lab.topology import Traffic

__all__ = [
    "Paths",
    "is_running",
    "next_packet_at",
    "rates",
    "scale",
    "settle",
    "settle_flow",
]

# a packet due at the very second asked for is counted, whatever the last bits of the product say
_ROUNDING = 1e-6


class Paths:
    """What lies between the routers: who reaches whom, and how much is lost on the way there."""

    def __init__(self) -> None:
        self._cut: set[frozenset[str]] = set()
        self._loss: dict[tuple[str, str], float] = {}
        self._spoilt: dict[tuple[str, str], float] = {}

    def cut(self, one: str, other: str, *, is_cut: bool) -> None:
        """Make two routers unreachable to each other, or join them again."""
        (self._cut.add if is_cut else self._cut.discard)(frozenset((one, other)))

    def lose(self, source: str, destination: str, ratio: float) -> None:
        """Lose this share of the packets in this direction."""
        if not 0 <= ratio <= 1:
            raise ValueError(f"a loss ratio lies between 0 and 1, not at {ratio}")
        self._loss[source, destination] = ratio

    def spoil(self, source: str, destination: str, ratio: float) -> None:
        """Let this share of the packets in this direction arrive changed."""
        if not 0 <= ratio <= 1:
            raise ValueError(f"a ratio of spoilt packets lies between 0 and 1, not at {ratio}")
        self._spoilt[source, destination] = ratio

    def spoilt_ratio(self, source: RouterState, destination: RouterState) -> float:
        """The share of what arrives that fails its integrity check."""
        return self._spoilt.get((source.name, destination.name), 0.0)

    def reaches(self, source: RouterState, destination: RouterState) -> bool:
        """Whether messages of IKE get through; loss delays those but does not stop them."""
        if not (source.is_up and destination.is_up):
            return False
        return not self._cut or frozenset((source.name, destination.name)) not in self._cut

    def delivery_ratio(self, source: RouterState, destination: RouterState) -> float:
        """The share of packets that arrives."""
        if not self.reaches(source, destination):
            return 0.0
        return 1.0 - self._loss.get((source.name, destination.name), 0.0)


def _packets_until(pattern: Traffic, time: float) -> int:
    """How many packets have left up to and at ``time``; the first leaves at the start itself."""
    elapsed = time - pattern.start_seconds
    if elapsed < -_ROUNDING:
        return 0
    count = floor(elapsed * pattern.packets_per_second + _ROUNDING) + 1
    if pattern.stop_seconds is None:
        return count
    span = (pattern.stop_seconds - pattern.start_seconds) * pattern.packets_per_second
    return min(count, max(0, -floor(_ROUNDING - span)))


def next_packet_at(stream: Stream) -> float | None:
    """When the next uncounted packet leaves, ``None`` if no more do."""
    pattern = stream.pattern
    time = pattern.start_seconds + stream.sent / pattern.packets_per_second
    if pattern.stop_seconds is not None and time >= pattern.stop_seconds - _ROUNDING:
        return None
    return time


def is_running(pattern: Traffic, time: float) -> bool:
    """Whether the pattern sends at this time."""
    return pattern.start_seconds <= time and (
        pattern.stop_seconds is None or time < pattern.stop_seconds
    )


def scale(stream: Stream, now: float) -> None:
    """Send and answer from now on as often as ``sending`` and ``answering`` say. Settle the stream before."""
    configured = stream.configured
    changes: dict[str, float] = {"reply_ratio": configured.reply_ratio * stream.answering}
    if stream.sending:
        changes["packets_per_second"] = configured.packets_per_second * stream.sending
        changes["start_seconds"] = max(now, configured.start_seconds)
    else:
        changes["start_seconds"] = changes["stop_seconds"] = now
    stream.pattern = configured.model_copy(update=changes)
    stream.sent = 0


def _cross(
    flow: FlowState, packets: int, size: int, last_at: float, carry: float, paths: Paths
) -> tuple[int, float]:
    """Send packets into a flow; how many come out whole at the other end, and the carry that is left."""
    if not flow.router.is_up:
        return 0, carry
    end = flow.current
    if end is None:
        # "#send errors 1": no SA to send with, the packet is dropped
        flow.send_errors += packets
        return 0, carry
    flow.encaps += packets
    flow.sent_packets += packets
    flow.sent_bytes += packets * size
    end.bytes_out += packets * size
    end.last_packet_at = last_at
    other = end.other
    if other is None or not other.is_alive:
        # the peer no longer knows this SPI
        return 0, carry
    receiver = other.flow
    exact = carry + packets * paths.delivery_ratio(flow.router, receiver.router)
    arrived = whole = floor(exact)
    if ratio := paths.spoilt_ratio(flow.router, receiver.router):
        receiver.spoilt_carry += arrived * ratio
        spoilt = floor(receiver.spoilt_carry)
        receiver.spoilt_carry -= spoilt
        # "#recv errors 1": the check of integrity failed, the packet is dropped
        receiver.recv_errors += spoilt
        whole -= spoilt
    if whole:
        receiver.decaps += whole
        receiver.received_packets += whole
        receiver.received_bytes += whole * size
        other.bytes_in += whole * size
        other.last_packet_at = last_at
    return whole, exact - arrived


def settle(stream: Stream, now: float, paths: Paths) -> None:
    """Count everything this pattern sent since it was last settled, and the replies."""
    pattern = stream.pattern
    due = _packets_until(pattern, now) - stream.sent
    if due <= 0:
        return
    stream.sent += due
    if stream.forward is None:
        return  # not interesting traffic: it leaves in the clear
    size = pattern.bytes_per_packet
    last_at = pattern.start_seconds + (stream.sent - 1) / pattern.packets_per_second
    arrived, stream.forward_carry = _cross(
        stream.forward, due, size, last_at, stream.forward_carry, paths
    )
    if stream.reply is None or not arrived:
        return
    exact = stream.reply_carry + arrived * pattern.reply_ratio
    replies = floor(exact)
    stream.reply_carry = exact - replies
    if replies:
        _, stream.replied_carry = _cross(
            stream.reply, replies, size, last_at, stream.replied_carry, paths
        )


def settle_flow(flow: FlowState, now: float, paths: Paths) -> None:
    """Settle every pattern that touches a flow in either direction."""
    for stream in flow.streams:
        settle(stream, now, paths)


def rates(flow: FlowState, now: float, paths: Paths) -> tuple[float, float]:
    """Bytes per second out of and into a flow if nothing changes; an estimate to plan with."""
    mirror = flow.mirror
    if mirror is None:
        return 0.0, 0.0
    there = paths.delivery_ratio(flow.router, mirror.router)
    back = paths.delivery_ratio(mirror.router, flow.router)
    out = into = 0.0
    for stream in flow.streams:
        pattern = stream.pattern
        if not is_running(pattern, now):
            continue
        rate = pattern.packets_per_second * pattern.bytes_per_packet
        if stream.forward is flow:
            out += rate
        elif stream.forward is mirror:
            into += rate * back
        if stream.reply is flow:
            out += rate * back * pattern.reply_ratio
        elif stream.reply is mirror:
            into += rate * there * pattern.reply_ratio * back
    return out, into
