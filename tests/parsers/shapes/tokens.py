"""The words that outputs are made of: addresses, names as people choose them, numbers and durations.

Addresses come from the documentation ranges. A name may hold what devices allow in one, but no blank; words that
stand for "there is none" are left out, since no parser can tell a VRF called ``none`` from no VRF.
"""

from __future__ import annotations

import ipaddress
import string
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from ipsecmon_parsers.records import Ident

__all__ = [
    "BYTES",
    "COUNTERS",
    "DURATIONS",
    "HOSTS",
    "IPV4",
    "IPV6",
    "NAMES",
    "PORTS",
    "PREFIXES",
    "SPIS",
    "TEXTS",
    "clock",
    "columns",
    "ident_v4",
    "ident_v6",
    "mask",
    "maybe",
    "wildcard",
]

_NETS = [
    ipaddress.IPv4Network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
]
_NONES = frozenset({"none", "global", "any", "unknown", "never"})

_LETTERS = string.ascii_letters + string.digits + "-._/:"


@st.composite
def _ipv4(draw: st.DrawFn) -> str:
    return str(draw(st.sampled_from(_NETS))[draw(st.integers(1, 254))])


@st.composite
def _ipv6(draw: st.DrawFn) -> str:
    site, host = draw(st.integers(0, 2**32 - 1)), draw(st.integers(0, 2**64 - 1))
    return str(ipaddress.IPv6Address((0x20010DB8 << 96) | (site << 64) | host))


def _is_name(name: str) -> bool:
    return name.lower() not in _NONES and name[-1] not in ":,."


@st.composite
def _names(draw: st.DrawFn) -> str:
    return draw(st.sampled_from(string.ascii_letters)) + draw(st.text(_LETTERS, max_size=20))


@st.composite
def _hosts(draw: st.DrawFn) -> str:
    return f"{draw(st.text('abcxyz09-', min_size=1, max_size=9))}.example.com"


IPV4: st.SearchStrategy[str] = _ipv4()
IPV6: st.SearchStrategy[str] = _ipv6()
PORTS: st.SearchStrategy[int] = st.sampled_from([500, 4500]) | st.integers(1, 65535)
PREFIXES: st.SearchStrategy[int] = st.integers(0, 32)
SPIS: st.SearchStrategy[int] = st.integers(1, 0xFFFFFFFF)
COUNTERS: st.SearchStrategy[int] = st.sampled_from(
    [0, 1, 2**32 - 1, 2**32, 2**40 + 7]
) | st.integers(0, 10**7)
BYTES: st.SearchStrategy[int] = st.sampled_from([0, 2**32 + 1, 2**48]) | st.integers(0, 10**12)
NAMES: st.SearchStrategy[str] = _names().filter(_is_name)
HOSTS: st.SearchStrategy[str] = _hosts()
TEXTS: st.SearchStrategy[str] = st.lists(NAMES, min_size=1, max_size=4).map(" ".join)
"""What people write into a description."""


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """The value, or ``None`` where the device does not print it."""
    return st.none() | strategy


def columns(strategies: Mapping[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Fields by name; ``st.fixed_dictionaries`` with a type that can be passed on as keywords."""
    return st.fixed_dictionaries(dict(strategies))


def mask(prefix_length: int) -> str:
    """24 -> ``255.255.255.0``."""
    return str(ipaddress.IPv4Address(2**32 - 2 ** (32 - prefix_length)))


def wildcard(prefix_length: int) -> str:
    """24 -> ``0.0.0.255``."""
    return str(ipaddress.IPv4Address(2 ** (32 - prefix_length) - 1))


@st.composite
def ident_v4(draw: st.DrawFn, *, protocols: tuple[int, ...] = (0, 1, 6, 17, 50)) -> Ident:
    """One side of a proxy identity, as its access list wrote it."""
    return Ident(
        address=draw(IPV4),
        prefix_length=draw(PREFIXES),
        protocol=draw(st.sampled_from(protocols)),
        port=draw(st.sampled_from([0, 22, 65535])),
    )


@st.composite
def ident_v6(draw: st.DrawFn) -> Ident:
    """The same with IPv6, in capitals as routers print it."""
    return Ident(
        address=draw(IPV6).upper(),
        prefix_length=draw(st.integers(0, 128)),
        protocol=draw(st.sampled_from([0, 58])),
        port=draw(st.sampled_from([0, 12346])),
    )


def clock(seconds: int) -> str:
    """``01:02:03``, or from one day on the larger two units: ``3d18h``, ``3w5d``, ``1y12w``."""
    if seconds < 86400:
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    if seconds < 7 * 86400:
        return f"{seconds // 86400}d{seconds // 3600 % 24:02}h"
    if seconds < 365 * 86400:
        return f"{seconds // 604800}w{seconds // 86400 % 7}d"
    return f"{seconds // 31536000}y{seconds % 31536000 // 604800}w"


def _as_printed(seconds: int) -> int:
    """What is left of a time when only its larger two units are printed."""
    if seconds < 86400:
        return seconds
    if seconds < 7 * 86400:
        return seconds // 3600 * 3600
    if seconds < 365 * 86400:
        return seconds // 86400 * 86400
    return seconds // 31536000 * 31536000 + seconds % 31536000 // 604800 * 604800


DURATIONS: st.SearchStrategy[int] = st.sampled_from(
    [0, 59, 86399, 86400, 604800, 31536000]
) | st.integers(0, 10**8).map(_as_printed)
"""Seconds that ``clock`` prints without loss."""
