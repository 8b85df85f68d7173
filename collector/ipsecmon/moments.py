"""A moment as a person types it on the command line, and as it is shown back: in local time, with its offset.

2h                       two hours ago; s, m, h and d
03:15                    today, or yesterday where it is still to come
2026-11-24               the beginning of that day
2026-11-24T03:15         local; with Z or +01:00 as written
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta, tzinfo

__all__ = ["ACCEPTED", "local", "offset_text", "read_moment"]

ACCEPTED = (
    "how long ago, such as 30m, 2h or 7d, or a time such as 03:15, 2026-11-24 or 2026-11-24T03:15"
)

_AGO = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?) ?([smhd])")
_UNIT_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_CLOCK = re.compile(r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?")


def read_moment(text: str, now: float, zone: tzinfo | None = None) -> float:
    """Unix seconds; ``zone`` is that of the machine unless given. Raises ``ValueError`` for what is not ``ACCEPTED``."""
    text = text.strip()
    if match := _AGO.fullmatch(text):
        return now - float(match[1]) * _UNIT_SECONDS[match[2]]
    if _CLOCK.fullmatch(text):
        today = local(now, zone)
        at = datetime.combine(today.date(), time.fromisoformat(text.zfill(5)))
        moment = _in_zone(at, zone).timestamp()
        return moment if moment <= now else _in_zone(at - timedelta(days=1), zone).timestamp()
    if len(text) == len("2026-11-24"):
        return _in_zone(datetime.combine(date.fromisoformat(text), time.min), zone).timestamp()
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo is not None else _in_zone(at, zone)).timestamp()


def _in_zone(at: datetime, zone: tzinfo | None) -> datetime:
    # astimezone() of a time without a zone takes it for one of this machine, whatever the season
    return at.astimezone() if zone is None else at.replace(tzinfo=zone)


def local(at: float, zone: tzinfo | None = None) -> datetime:
    """Unix seconds in local time, with its offset."""
    return (
        datetime.fromtimestamp(at).astimezone()
        if zone is None
        else datetime.fromtimestamp(at, zone)
    )


def offset_text(at: datetime) -> str:
    """``UTC+01:00``; ``UTC`` where there is no offset."""
    minutes = round((at.utcoffset() or timedelta()).total_seconds() / 60)
    if minutes == 0:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"
