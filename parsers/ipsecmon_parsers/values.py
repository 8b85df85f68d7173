"""One token of an output -> one value.

Every function takes the text a template captured and returns the value, or raises ``ValueError`` with what
was expected; the builder adds the line. Linear in the token, no state.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache

from ipsecmon_parsers.records import Ident, SaMode

__all__ = [
    "SaTiming",
    "address",
    "duration",
    "flags",
    "ident",
    "ident_text",
    "prefix_length",
    "sa_mode",
    "sa_status",
    "sa_timing",
    "settings",
    "spi",
    "transform",
    "vrf",
]


def spi(text: str) -> int:
    """``0x7FAD546D``, ``7D94C0D5`` (12.x) or ``0`` -> the number; the decimal beside it is not trusted."""
    try:
        number = int(text, 16)
    except ValueError:
        raise ValueError("an SPI in hexadecimal, such as 0x7FAD546D") from None
    if not 0 <= number <= 0xFFFFFFFF:
        raise ValueError("an SPI of 32 bits, such as 0x7FAD546D")
    return number


@lru_cache(maxsize=4096)
def address(text: str) -> str:
    """An IPv4 or IPv6 address in its canonical form; anything else is kept as the device wrote it."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text


@lru_cache(maxsize=1024)
def prefix_length(text: str) -> int:
    """``255.255.255.0`` or ``24`` -> 24; IPv6 idents carry a length instead of a mask."""
    if text.isdigit() and int(text) <= 128:
        return int(text)
    try:
        return ipaddress.IPv4Network(f"0.0.0.0/{text}").prefixlen
    except ValueError:
        raise ValueError("a mask such as 255.255.255.0 or a prefix length") from None


@lru_cache(maxsize=8192)
def ident(address: str, mask: str, protocol: str, port: str) -> Ident:
    """The four parts of ``(10.1.1.0/255.255.255.0/0/0)``; ASA writes ranges of ports, ``0 - 65535``."""
    first, _, last = port.partition("-")
    return Ident(
        address=address,
        prefix_length=prefix_length(mask),
        protocol=int(protocol),
        port=int(first),
        last_port=int(last) if last else None,
    )


def ident_text(text: str) -> Ident:
    """``10.1.1.0/255.255.255.0/0/0`` in one piece: address, mask, protocol, port."""
    parts = text.split("/")
    if len(parts) != 4 or not parts[2].isdecimal():
        raise ValueError("an address such as 198.51.100.0/255.255.252.0/0/0")
    return ident(*parts)


@lru_cache(maxsize=256)
def flags(text: str) -> tuple[str, ...]:
    """``origin_is_acl,ipsec_sa_request_sent`` -> both words; a trailing comma is IOS's own."""
    return tuple(word for word in re.split(r"[,\s]+", text) if word)


@lru_cache(maxsize=256)
def transform(text: str) -> tuple[str, ...]:
    """``esp-aes 256 esp-sha-hmac`` -> ``("esp-aes 256", "esp-sha-hmac")``: a key length stays with its cipher."""
    names: list[str] = []
    for word in text.replace(",", " ").removesuffix(" no compression").split():
        if word.isdigit() and names:
            names[-1] = f"{names[-1]} {word}"
        else:
            names.append(word)
    return tuple(names)


@lru_cache(maxsize=256)
def settings(text: str) -> tuple[str, ...]:
    """``Tunnel UDP-Encaps, `` -> ``("Tunnel UDP-Encaps",)``."""
    return tuple(part for word in text.split(",") if (part := word.strip()))


@lru_cache(maxsize=256)
def sa_mode(words: tuple[str, ...]) -> SaMode | None:
    """The encapsulation mode among the settings, ``None`` where neither word stands."""
    for word in words:
        head = word.split()[0].lower()
        if head in (SaMode.TUNNEL, SaMode.TRANSPORT):
            return SaMode(head)
    return None


_SA_STATUSES = ("ACTIVE", "STANDBY", "active", "standby")


@lru_cache(maxsize=256)
def sa_status(text: str) -> str:
    """``ACTIVE`` or ``ACTIVE(ACTIVE)`` as printed; a word unknown to us is kept, a damaged known one is not.

    ``CTIVE`` taken for a state of its own would report a tunnel down that is up.
    """
    for word in re.findall(r"\w+", text):
        if word not in _SA_STATUSES and difflib.get_close_matches(word, _SA_STATUSES, cutoff=0.7):
            raise ValueError("a status such as ACTIVE or ACTIVE(ACTIVE)")
    if text.count("(") != text.count(")"):
        raise ValueError("a status such as ACTIVE or ACTIVE(ACTIVE)")
    return text


def vrf(text: str) -> str | None:
    """The name of a VRF; ``(none)``, the blank of 12.x and ASA's ``Global`` all say that there is none."""
    return None if text in ("", "(none)", "Global") else text


@dataclass(frozen=True, slots=True)
class SaTiming:
    """What is left of an SA: kilobytes of 1024 bytes and seconds, each ``None`` where it does not run out."""

    kilobytes: int | None
    seconds: int | None


_UNITS = {"day": 86400, "hour": 3600, "min": 60, "sec": 1}
_BOTH = re.compile(r"\(k(?:B)?/sec\):? ?\((?P<kilobytes>\d+)/(?P<seconds>\d+)\)")
_SECONDS = re.compile(r"\(sec\):? ?(?:\((?P<bracketed>\d+)\)|(?P<bare>\d+))")
_WORDS = re.compile(r"(?:\d+ (?:day|hour|min|sec)\w*(?:, )?)+")
_WORD = re.compile(r"(\d+) (day|hour|min|sec)")


def sa_timing(text: str) -> SaTiming:
    """What stands behind ``sa timing: remaining key lifetime``, in all its shapes.

    ::

        (k/sec): (4596305/3586)      IOS, IOS-XE
        (kB/sec): (2699423/25461)    ASA
        (sec): 94                    volume rekey disabled
        4 hours, 2 mins              old IOS-XE, rounded to minutes
        is not applicable            SD-WAN
    """
    if match := _BOTH.fullmatch(text):
        kilobytes, seconds = match.groups()
        return SaTiming(int(kilobytes), int(seconds))
    if match := _SECONDS.fullmatch(text):
        return SaTiming(None, int(match["bracketed"] or match["bare"]))
    if _WORDS.fullmatch(text):
        return SaTiming(
            None, sum(int(number) * _UNITS[unit] for number, unit in _WORD.findall(text))
        )
    if text == "is not applicable":
        return SaTiming(None, None)
    raise ValueError("the remaining key lifetime, such as (k/sec): (4596305/3586)")


_CLOCK = re.compile(r"(\d+):(\d\d):(\d\d)")
_PARTS = re.compile(r"(?:\d+[ywdhms][: ]*)+")
_PART = re.compile(r"(\d+)([ywdhms])")
_PART_SECONDS = {"y": 31536000, "w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}


def duration(text: str) -> int:
    """A time span in any of Cisco's shapes, in seconds.

    ::

        00:52:46   23:59:53          routers, below a day
        3d18h   3w5d   1y12w         routers, the larger two units
        4h:59m:59s   19d 15h:49m:47s ASA
        0                            no time left
    """
    if match := _CLOCK.fullmatch(text):
        hours, minutes, seconds = match.groups()
        return int(hours) * 3600 + int(minutes) * 60 + int(seconds)
    if _PARTS.fullmatch(text):
        return sum(int(number) * _PART_SECONDS[unit] for number, unit in _PART.findall(text))
    if text.isdecimal():
        return int(text)
    raise ValueError("a time span such as 00:52:46, 3d18h or 19d 15h:49m:47s")
