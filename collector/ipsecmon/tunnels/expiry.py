"""When the time of an SA runs out, without the jitter of the readings.

Each reading gives "read at" plus "seconds left", and both are off by up to a second: the device prints whole seconds,
the answer takes its time. Stored as it comes, the moment would wobble at every poll of an SA that does not change.
"""

from __future__ import annotations

from ipsecmon.model import SaMark

__all__ = ["expires_at"]

_JITTER_SECONDS = 2.0


def expires_at(
    old: SaMark | None, spi: int, at: float, remaining_seconds: int | None
) -> float | None:
    """Unix time at which the SA read at ``at`` runs out; that of ``old`` while its SPI stays and it moves by 2 s at most.

    ``None`` where the device prints no time, as for an SA that never expires.
    """
    if remaining_seconds is None:
        return None
    now = at + remaining_seconds
    before = old.expires_at if old is not None and old.spi == spi else None
    return now if before is None or abs(now - before) > _JITTER_SECONDS else before
