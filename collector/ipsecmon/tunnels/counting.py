"""The counters of a flow over its last readings, and the bytes that went with them."""

from __future__ import annotations

from collections.abc import Sequence

from ipsecmon.model import CounterSample, TunnelMemory, TunnelState
from ipsecmon.tunnels.changes import has_fallen
from ipsecmon.tunnels.volume import Carried, Left, carried
from ipsecmon_parsers.records import Flow

__all__ = ["fell", "received_bytes", "samples_with", "sent_bytes"]

# the newest readings of the counters: what a trend needs, and no more for each of thousands of tunnels ...
_SAMPLES_KEPT = 4
# ... but where the other end is read too, more, a minute apart: what tells a loss of 1 % from clocks that differ by a second
_OLDER_KEPT_OF_LINKS = 12
_OLDER_APART_SECONDS = 55.0


def fell(old: TunnelState, flow: Flow, at: float) -> bool:
    """The counters of a flow began anew since the last reading of its tunnel."""
    samples = old.memory.samples
    if not samples:
        return False
    last, before = samples[-1], samples[max(0, len(samples) - 2)]
    share = (at - last.at) / (last.at - before.at) if last.at > before.at else 0.0
    mark = old.memory.outbound
    is_same_sa = mark is not None and mark.spi == flow.current_outbound_spi
    return any(
        has_fallen(
            was,
            now,
            plausible_packets=max(0, (was or 0) - (earlier or 0)) * max(0.0, share),
            is_same_sa=is_same_sa,
        )
        for earlier, was, now in (
            (before.encaps, last.encaps, flow.encaps_packets),
            (before.decaps, last.decaps, flow.decaps_packets),
        )
    )


def samples_with(
    before: tuple[CounterSample, ...], flow: Flow, at: float, *, is_linked: bool, has_fallen: bool
) -> tuple[CounterSample, ...]:
    """The newest readings of the counters; a clear, a reload or a clock set back begins them anew.

    More are kept of a tunnel that ``is_linked`` with its other end.
    """
    new = CounterSample(
        at, flow.encaps_packets, flow.decaps_packets, flow.send_errors, flow.recv_errors
    )
    if has_fallen or (before and before[-1].at >= at):
        return (new,)
    samples = (*before, new)
    older, newest = samples[:-_SAMPLES_KEPT], samples[-_SAMPLES_KEPT:]
    if len(older) > 1 and older[-1].at - older[-2].at < _OLDER_APART_SECONDS:
        older = older[:-1]
    return (*older[-_OLDER_KEPT_OF_LINKS:], *newest) if is_linked else newest


def sent_bytes(memory: TunnelMemory, left: Left, samples: Sequence[CounterSample]) -> Carried:
    """What was sent since the last reading; ``samples`` end with this one."""
    return carried(
        memory.sent_left,
        left,
        seconds=_seconds(memory, samples),
        packets=_difference([sample.encaps for sample in samples[-2:]]),
        total_kilobytes=memory.sent_kilobytes,
        bytes_per_packet=memory.sent_bytes_per_packet,
    )


def received_bytes(memory: TunnelMemory, left: Left, samples: Sequence[CounterSample]) -> Carried:
    """What was received since the last reading; ``samples`` end with this one."""
    return carried(
        memory.received_left,
        left,
        seconds=_seconds(memory, samples),
        packets=_difference([sample.decaps for sample in samples[-2:]]),
        total_kilobytes=memory.received_kilobytes,
        bytes_per_packet=memory.received_bytes_per_packet,
    )


def _seconds(memory: TunnelMemory, samples: Sequence[CounterSample]) -> float | None:
    """Since the reading before this; ``None`` if the device did not list the flow then."""
    return samples[-1].at - memory.samples[-1].at if memory.samples else None


def _difference(counts: Sequence[int | None]) -> int | None:
    if len(counts) < 2 or counts[0] is None or counts[-1] is None:
        return None
    return counts[-1] - counts[0]
