"""Why an SPI was replaced, from the last reading of the old SA.

While traffic flows a new pair of SAs is made about 30 s before the time lifetime ends, or when the volume is nearly
used, and the counters of the flow go on: a rekey is no outage.
"""

from __future__ import annotations

from ipsecmon.model import RekeyTrigger
from ipsecmon_parsers.records import IpsecSa, SaLifetime

__all__ = ["rekey_trigger"]

# A peer may renew at up to 15 % of the lifetime (strongSwan 10 %, ASA up to 15 %), a Cisco router at 30 s.
_EARLY_SHARE = 0.15
_EARLY_SECONDS = 60.0


def rekey_trigger(
    old: IpsecSa | None,
    age_seconds: float,
    lifetime: SaLifetime | None,
    went_through_zero: bool,
) -> RekeyTrigger:
    """Classify the end of ``old``, last read ``age_seconds`` ago and not zero then."""
    if went_through_zero or old is None:
        return RekeyTrigger.OUTAGE
    if old.remaining_seconds is not None:
        early = max(_EARLY_SECONDS, _EARLY_SHARE * lifetime.seconds if lifetime else 0.0)
        if old.remaining_seconds - age_seconds <= early:
            return RekeyTrigger.TIME
    configured = lifetime.kilobytes if lifetime else None
    used_up = configured is not None and _EARLY_SHARE * configured
    if used_up and old.remaining_kilobytes is not None and old.remaining_kilobytes <= used_up:
        return RekeyTrigger.VOLUME
    return RekeyTrigger.FORCED
