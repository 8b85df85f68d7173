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
    inbound: SaMark | None,
    new_spi: int,
    *,
    at: float,
    sent_bytes_per_second: float | None,
    received_bytes_per_second: float | None,
    went_without_sa: bool,
    began_anew: bool,
) -> Rekey:
    """The rekey that put ``new_spi`` in the place of ``old``, whose last reading may be some polls ago.

    ``inbound`` is its other half: either direction may use up its volume. ``began_anew`` says that more than the SA
    is new: counters that fell are a clear or a reload, another peer is a failover, and in both the old SA was lost
    before the new one was made.
    """
    age = max(0.0, at - old.at)
    seconds_left = None if old.remaining_seconds is None else old.remaining_seconds - age
    kilobytes_left = _kilobytes_left(old, sent_bytes_per_second, at)
    is_outage = went_without_sa or began_anew
    if is_outage:
        trigger = RekeyTrigger.OUTAGE
    elif seconds_left is not None and seconds_left <= _early_seconds(old):
        trigger = RekeyTrigger.TIME
    elif _is_used_up(old, kilobytes_left) or (
        inbound is not None
        and _is_used_up(inbound, _kilobytes_left(inbound, received_bytes_per_second, at))
    ):
        trigger = RekeyTrigger.VOLUME
    else:
        trigger = RekeyTrigger.FORCED
    return Rekey(
        trigger=trigger,
        old_spi=old.spi,
        new_spi=new_spi,
        seconds_left=seconds_left,
        kilobytes_left=kilobytes_left,
        gap_seconds=age if is_outage else 0.0,
    )


def _kilobytes_left(sa: SaMark, bytes_per_second: float | None, at: float) -> float | None:
    if sa.remaining_kilobytes is None:
        return None
    return sa.remaining_kilobytes - (bytes_per_second or 0.0) * max(0.0, at - sa.at) / 1024


def _early_seconds(sa: SaMark) -> float:
    return max(_EARLY_SECONDS, _EARLY_SHARE * (sa.full_seconds or 0))


def _is_used_up(sa: SaMark, kilobytes_left: float | None) -> bool:
    if kilobytes_left is None or sa.full_kilobytes is None:
        return False
    return kilobytes_left <= _EARLY_SHARE * sa.full_kilobytes
