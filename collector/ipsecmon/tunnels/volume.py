"""The bytes ``show crypto ipsec sa`` does not print: the volume lifetime of an SA loses what the SA carries.

``remaining key lifetime (k/sec): (4607999/3583)`` counts down in units of 1024 bytes, from a point of the device's own
choosing, so only the difference of two readings of one SPI means anything. Where SAs came or went in between, what they
carried was never printed: it is taken from the packets of that interval, at the mean size of those before.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ipsecmon.model import SaMark
from ipsecmon.tunnels.expiry import expires_at
from ipsecmon_parsers.records import Direction, IpsecSa, SaLifetime

__all__ = ["Carried", "Left", "carried", "left_of", "mark", "predicted_expiry"]

Left = tuple[tuple[int, int], ...]
"""SPI and kilobytes left of every SA of one direction that has a volume."""

# no packet is larger, whatever a mean says
_LARGEST_PACKET_BYTES = 65535.0
# so many packets say as much of the size of the next as all before them
_TELLING_PACKETS = 50


@dataclass(frozen=True, slots=True)
class Carried:
    """Kilobytes (of 1024 bytes) of one direction in all, bytes per second since the last reading, and per packet."""

    total_kilobytes: int | None
    bytes_per_second: float | None
    bytes_per_packet: float | None


def mark(
    sa: IpsecSa | None,
    old: SaMark | None,
    at: float,
    usual: SaLifetime | None,
    longest_gap: float,
) -> SaMark | None:
    """What to remember of the SA in use; without one, what is remembered of the last.

    ``usual`` is the lifetime of new SAs of this tunnel, for an SA whose beginning was not seen: the first of all, and one
    first seen more than ``longest_gap`` seconds after the reading before.
    """
    if sa is None or sa.spi is None:
        return old
    seconds = None if sa.never_expires else sa.remaining_seconds
    kilobytes = None if sa.volume_rekey_disabled else sa.remaining_kilobytes
    if old is not None and old.spi == sa.spi:
        full_seconds, full_kilobytes = old.full_seconds, old.full_kilobytes
    else:
        full_seconds, full_kilobytes = seconds, kilobytes
        gap = float("inf") if old is None else at - old.at
        if usual is not None and gap > longest_gap:
            full_kilobytes = _larger(kilobytes, usual.kilobytes)
            if seconds is not None:
                full_seconds = max(seconds, int(min(usual.seconds, seconds + gap)))
    return SaMark(
        spi=sa.spi,
        at=at,
        remaining_seconds=seconds,
        remaining_kilobytes=kilobytes,
        full_seconds=seconds if full_seconds is None else full_seconds,
        full_kilobytes=kilobytes if full_kilobytes is None else full_kilobytes,
        conn_id=sa.conn_id,
        expires_at=expires_at(old, sa.spi, at, seconds),
    )


def _larger(one: int | None, other: int | None) -> int | None:
    return one if one is None or other is None else max(one, other)


def left_of(sas: Iterable[IpsecSa], direction: Direction) -> Left:
    """The volume left of each SA of one direction; receiving may use any of them."""
    return tuple(
        (sa.spi, sa.remaining_kilobytes)
        for sa in sas
        if sa.direction is direction
        and sa.spi is not None
        and sa.remaining_kilobytes is not None
        and not sa.volume_rekey_disabled
    )


def carried(
    before: Left,
    now: Left,
    *,
    seconds: float | None,
    packets: int | None,
    total_kilobytes: int | None,
    bytes_per_packet: float | None,
) -> Carried:
    """What went through one direction in ``seconds`` between two readings, ``None`` if there was none before this.

    ``packets`` were counted in that time, ``None`` where the counters began anew.
    """
    if not now and not before:
        # no SA, or volume rekey is disabled: the sum so far stays what it is
        return Carried(total_kilobytes, None, bytes_per_packet)
    total = total_kilobytes or 0
    if seconds is None or seconds <= 0:
        return Carried(total, None, bytes_per_packet)
    left = dict(now)
    used = sum(max(0, kilobytes - left[spi]) for spi, kilobytes in before if spi in left)
    if left.keys() == {spi for spi, _ in before}:
        if packets is not None and packets > 0:
            bytes_per_packet = _mean_size(bytes_per_packet, used * 1024, packets)
    elif packets is not None and packets > 0 and bytes_per_packet is not None:
        used = max(used, round(packets * bytes_per_packet / 1024))
    return Carried(total + used, used * 1024 / seconds if now else None, bytes_per_packet)


def _mean_size(before: float | None, used_bytes: int, packets: int) -> float | None:
    """The mean size of packets with those of one interval: whole kilobytes say little of a few packets."""
    size = min(used_bytes / packets, _LARGEST_PACKET_BYTES)
    if before is None:
        return size if used_bytes and 2 * packets >= _TELLING_PACKETS else None
    weight = packets / (packets + _TELLING_PACKETS)
    return before + weight * (size - before)


def predicted_expiry(
    inbound: SaMark | None,
    outbound: SaMark | None,
    received_bytes_per_second: float | None,
    sent_bytes_per_second: float | None,
) -> float | None:
    """Unix time at which the seconds, or at the present rate the kilobytes, of either SA run out first."""
    ends: list[float] = []
    for sa, rate in ((inbound, received_bytes_per_second), (outbound, sent_bytes_per_second)):
        if sa is None:
            continue
        if sa.remaining_seconds is not None:
            now = sa.at + sa.remaining_seconds
            # what has run out did so once, not anew at each reading
            ends.append(now if sa.remaining_seconds or sa.expires_at is None else sa.expires_at)
        if sa.remaining_kilobytes is not None and rate:
            ends.append(sa.at + sa.remaining_kilobytes * 1024 / rate)
    return min(ends, default=None)
