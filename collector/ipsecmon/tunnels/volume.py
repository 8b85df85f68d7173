"""The bytes ``show crypto ipsec sa`` does not print: the volume lifetime of an SA loses what the SA carries.

``remaining key lifetime (k/sec): (4607999/3583)`` counts down in units of 1024 bytes, from a point of the device's own
choosing, so only the difference of two readings of one SPI means anything. Across a rekey the old SA's last bytes
were never printed: they are taken from the packets of that interval, at the mean size of those before.
"""

from __future__ import annotations

from dataclasses import dataclass

from ipsecmon.model import SaMark
from ipsecmon.tunnels.expiry import expires_at
from ipsecmon_parsers.records import IpsecSa

__all__ = ["Carried", "carried", "mark", "predicted_expiry"]


@dataclass(frozen=True, slots=True)
class Carried:
    """Kilobytes (of 1024 bytes) of one direction, in all and since the last reading."""

    total_kilobytes: int | None
    bytes_per_second: float | None


def mark(sa: IpsecSa | None, old: SaMark | None, at: float) -> SaMark | None:
    """What to remember of the SA in use; without one, what is remembered of the last."""
    if sa is None or sa.spi is None:
        return old
    is_same = old is not None and old.spi == sa.spi
    kilobytes = None if sa.volume_rekey_disabled else sa.remaining_kilobytes
    first = old.first_kilobytes if old is not None and is_same else None
    return SaMark(
        spi=sa.spi,
        at=at,
        remaining_seconds=None if sa.never_expires else sa.remaining_seconds,
        remaining_kilobytes=kilobytes,
        first_kilobytes=kilobytes if first is None else first,
        conn_id=sa.conn_id,
        expires_at=expires_at(old, sa.spi, at, None if sa.never_expires else sa.remaining_seconds),
    )


def carried(
    old: SaMark | None,
    new: SaMark | None,
    *,
    total_kilobytes: int | None,
    last_rate: float | None,
    packets: int | None,
    packets_per_second_before: float | None,
) -> Carried:
    """What went through one direction from the reading of ``old`` to that of ``new``.

    ``packets`` were counted in that time; ``last_rate`` (bytes per second) at ``packets_per_second_before`` gives the
    size of a packet where the SPI changed in between.
    """
    if new is None or new.remaining_kilobytes is None:
        # volume rekey is disabled now, or there never was an SA: the sum so far stays what it is
        return Carried(total_kilobytes, None)
    if old is None or new.at <= old.at:
        return Carried(total_kilobytes or 0, last_rate if old is not None else None)
    seconds = new.at - old.at
    if old.spi == new.spi and old.remaining_kilobytes is not None:
        used = max(0, old.remaining_kilobytes - new.remaining_kilobytes)
        return Carried((total_kilobytes or 0) + used, used * 1024 / seconds)
    if packets is None or packets <= 0 or not last_rate or not packets_per_second_before:
        return Carried(total_kilobytes or 0, last_rate if packets else None)
    estimated = packets * last_rate / packets_per_second_before
    return Carried((total_kilobytes or 0) + round(estimated / 1024), estimated / seconds)


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
            ends.append(sa.at + sa.remaining_seconds)
        if sa.remaining_kilobytes is not None and rate:
            ends.append(sa.at + sa.remaining_kilobytes * 1024 / rate)
    return min(ends, default=None)
