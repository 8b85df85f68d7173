"""Why an SPI was replaced, from the last reading of the old SA.

While traffic flows a new pair of SAs is made about 30 s before the time lifetime ends, or when the volume is nearly
used, and the counters of the flow go on: a rekey is no outage.
"""

from __future__ import annotations

from dataclasses import dataclass

from ipsecmon.model import RekeyTrigger, SaMark

__all__ = ["Rekey", "classified"]

# A peer may renew at up to 15 % of the lifetime (strongSwan 10 %, ASA up to 15 %), a Cisco router at 30 s.
_EARLY_SHARE = 0.15
_EARLY_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rekey:
    """One change of the outbound SPI; what was left is reckoned to the moment the new one was read."""

    trigger: RekeyTrigger
    old_spi: int
    new_spi: int
    seconds_left: float | None
    kilobytes_left: float | None
    gap_seconds: float
    """The longest time without an SA that the readings allow; 0 where the new pair was made before the old retired."""


def classified(
    old: SaMark,
    new_spi: int,
    *,
    at: float,
    lifetime_seconds: int | None,
    bytes_per_second: float | None,
    went_without_sa: bool,
    began_anew: bool,
) -> Rekey:
    """The rekey that put ``new_spi`` in the place of ``old``, whose last reading may be some polls ago.

    ``lifetime_seconds`` is that of the SA as far as known, ``bytes_per_second`` what the tunnel last sent.
    ``began_anew`` says that more than the SA is new: counters that fell are a clear or a reload, another peer is a
    failover, and in both the old SA was lost before the new one was made.
    """
    age = max(0.0, at - old.at)
    seconds_left = None if old.remaining_seconds is None else old.remaining_seconds - age
    kilobytes_left: float | None = None
    if old.remaining_kilobytes is not None:
        kilobytes_left = old.remaining_kilobytes - (bytes_per_second or 0.0) * age / 1024
    is_outage = went_without_sa or began_anew
    return Rekey(
        trigger=RekeyTrigger.OUTAGE
        if is_outage
        else _trigger(old, seconds_left, kilobytes_left, lifetime_seconds),
        old_spi=old.spi,
        new_spi=new_spi,
        seconds_left=seconds_left,
        kilobytes_left=kilobytes_left,
        gap_seconds=age if is_outage else 0.0,
    )


def _trigger(
    old: SaMark,
    seconds_left: float | None,
    kilobytes_left: float | None,
    lifetime_seconds: int | None,
) -> RekeyTrigger:
    if seconds_left is not None:
        early = max(_EARLY_SECONDS, _EARLY_SHARE * (lifetime_seconds or 0))
        if seconds_left <= early:
            return RekeyTrigger.TIME
    first = old.first_kilobytes
    is_used_up = (
        kilobytes_left is not None and first is not None and kilobytes_left <= _EARLY_SHARE * first
    )
    return RekeyTrigger.VOLUME if is_used_up else RekeyTrigger.FORCED
