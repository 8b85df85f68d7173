"""Who stopped sending or receiving, from the counters and SPIs of both ends of a tunnel, in one sentence.

Rules R01, R02, R04, R14 and R15 of the diagnosis catalogue: packets that leave one end and do not arrive, an end that
receives and sends nothing back, SAs that do not belong together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ipsecmon.model import CounterSample, TunnelOption, TunnelState
from ipsecmon.tunnels.ends import has_sa, inbound_spis, outbound_spi
from ipsecmon_parsers.documents import spi_hex

__all__ = ["finding"]

# fewer may be on their way, or be a probe that expects no answer
FEWEST_PACKETS = 20
# readings in a row that must show it
FEWEST_READINGS = 3


def finding(
    local: TunnelState, remote: TunnelState, *, is_spi_pair_matched: bool | None
) -> str | None:
    """What is wrong between the two ends, ``None`` where packets flow both ways or nobody sends.

    Both readings have to be of now. SAs that do not belong together explain all the rest and are named alone.
    """
    if is_spi_pair_matched is False:
        return _mismatch(local, remote) or _mismatch(remote, local)
    if _flows_both_ways(local) and _flows_both_ways(remote):
        return None
    lost = [text for text in (_lost(local, remote), _lost(remote, local)) if text]
    if lost:
        return "; ".join(lost)
    if any(_is_unidirectional(tunnel) for tunnel in (local, remote)):
        return None
    return _silent(remote) or _silent(local)


def _flows_both_ways(tunnel: TunnelState) -> bool:
    """Both counters grew over the last readings: the usual case, and cheap to tell."""
    if len(tunnel.memory.samples) < FEWEST_READINGS:
        return False
    first, last = tunnel.memory.samples[-FEWEST_READINGS], tunnel.memory.samples[-1]
    return (last.encaps or 0) > (first.encaps or 0) and (last.decaps or 0) > (first.decaps or 0)


def _is_unidirectional(tunnel: TunnelState) -> bool:
    return tunnel.expected is not None and TunnelOption.UNIDIRECTIONAL in tunnel.expected.options


def _mismatch(sender: TunnelState, receiver: TunnelState) -> str | None:
    spi = outbound_spi(sender)
    known = inbound_spis(receiver.flow)
    if spi is None or spi in known:
        return None
    if not has_sa(receiver):
        what = f"{receiver.device} has no SA"
    elif known:
        what = f"{receiver.device} knows only {', '.join(spi_hex(one) for one in known)}"
    else:
        what = f"{receiver.device} has no inbound SA"
    return (
        f"the SAs do not belong together: {sender.device} sends with {spi_hex(spi)}, {what} "
        "(one end lost its SAs)"
    )


@dataclass(frozen=True, slots=True)
class _Difference:
    packets: int
    seconds: float

    @property
    def text(self) -> str:
        return f"{self.packets:,} packets in {self.seconds:.0f} s"


def _lost(sender: TunnelState, receiver: TunnelState) -> str | None:
    """The receiver's counter has stood still, and while it did the sender sent, up to now.

    A sender that began or stopped within its last readings is not judged: readings are about a second off, and what
    left just before a reading of the other end is not missing there.
    """
    arrived = _counts(receiver, is_sent=False)
    still = [at for at, count in arrived if count == arrived[-1][1]]
    if len(still) < FEWEST_READINGS:
        return None
    sent = _counts(sender, is_sent=True)
    last = sent[-FEWEST_READINGS:]
    if len(last) < FEWEST_READINGS or any(one[1] >= other[1] for one, other in pairwise(last)):
        return None
    # only what left between the first and the last of those readings would have been counted by then
    meanwhile = _difference([(at, count) for at, count in sent if still[0] <= at <= still[-1]])
    if meanwhile is None or meanwhile.packets < FEWEST_PACKETS:
        return None
    here, there = sender.device, receiver.device
    return (
        f"{here} sends {meanwhile.text}, {there} receives none: "
        f"ESP from {here} to {there} is lost on the way (protocol 50 or UDP 4500 filtered?)"
    )


def _silent(tunnel: TunnelState) -> str | None:
    """One end receives and sends nothing back."""
    received = _recent(tunnel, is_sent=False)
    sent = _recent(tunnel, is_sent=True)
    if received is None or sent is None or sent.packets or received.packets < FEWEST_PACKETS:
        return None
    return (
        f"{tunnel.device} receives {received.text} but sends nothing back: "
        "return traffic does not reach its crypto map (routing, NAT or access list)"
    )


def _recent(tunnel: TunnelState, *, is_sent: bool) -> _Difference | None:
    counts = _counts(tunnel, is_sent=is_sent)
    return None if len(counts) < FEWEST_READINGS else _difference(counts[-FEWEST_READINGS:])


def _counts(tunnel: TunnelState, *, is_sent: bool) -> list[tuple[float, int]]:
    def count(sample: CounterSample) -> int | None:
        return sample.encaps if is_sent else sample.decaps

    counted = ((sample.at, count(sample)) for sample in tunnel.memory.samples)
    return [(at, packets) for at, packets in counted if packets is not None]


def _difference(counts: Sequence[tuple[float, int]]) -> _Difference | None:
    if len(counts) < 2 or counts[-1][1] < counts[0][1]:
        return None
    return _Difference(counts[-1][1] - counts[0][1], counts[-1][0] - counts[0][0])
