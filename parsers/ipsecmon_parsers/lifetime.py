"""Rows of ``show crypto ipsec security-association lifetime`` -> a ``SaLifetime`` record.

::

    Security association lifetime: 4608000 kilobytes/3600 seconds

The unit of the volume is 1024 bytes: the default of 4608000 is 10 Mibit/s for one hour.
"""

from __future__ import annotations

from ipsecmon_parsers.engines import Table
from ipsecmon_parsers.records import Platform, SaIdleTime, SaLifetime

__all__ = ["build_sa_idle_time", "build_sa_lifetime"]

_EXPECTED = "'Security association lifetime: 4608000 kilobytes/3600 seconds'"


def build_sa_lifetime(table: Table, _: Platform) -> tuple[SaLifetime, ...]:
    """The one record of this command; without it the answer is not an answer."""
    lifetimes = [row for row in table if row.text("SECONDS")]
    if not lifetimes:
        raise table.truncated(_EXPECTED, "no lifetime was whole")
    row = lifetimes[0]
    table.made_of(row)
    kilobytes = row.number("KILOBYTES")
    is_disabled = row.text("VOLUME_REKEY") is not None
    if kilobytes is None and not is_disabled:
        raise row.error(_EXPECTED)
    seconds = int(row.required("SECONDS", _EXPECTED))
    return (SaLifetime(seconds=seconds, kilobytes=kilobytes, volume_rekey_disabled=is_disabled),)


def build_sa_idle_time(table: Table, _: Platform) -> tuple[SaIdleTime, ...]:
    """The configured idle time; no line where none is configured."""
    for row in table:
        table.made_of(row)
    return tuple(
        SaIdleTime(seconds=int(row.required("SECONDS", "a number of seconds"))) for row in table
    )
