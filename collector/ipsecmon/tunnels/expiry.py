"""When the time of an SA runs out, without the jitter of the readings.

Each reading gives "read at" plus "seconds left", and both are off by up to a second: the device prints whole seconds,
the answer takes its time. Stored as it comes, the moment would wobble at every poll of an SA that does not change, and
that of one which has run out and stays installed would be "now" for ever: it shows 0 seconds at each poll.
"""

from __future__ import annotations

from ipsecmon.model import SaMark

__all__ = ["expires_at"]

_JITTER_SECONDS = 2.0


def expires_at(
    old: SaMark | None, spi: int, at: float, remaining_seconds: int | None
) -> float | None:
    """Unix time at which the SA read at ``at`` runs out; that of ``old`` while its SPI stays and it moves by 2 s at most.

    One with 0 seconds left ran out at ``at`` or before.

    ``None`` where the device prints no time, as for an SA that never expires.
    """
    if remaining_seconds is None:
        return None
    now = at + remaining_seconds
    before = old.expires_at if old is not None and old.spi == spi else None
    if before is None:
        return now
    if abs(now - before) <= _JITTER_SECONDS or (remaining_seconds == 0 and before < now):
        return before
    return now
