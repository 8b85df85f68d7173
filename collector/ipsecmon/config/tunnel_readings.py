"""The values under ``tunnels`` and ``links``: proxy identities, options, and tunnels named with their device."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, cast

from ipsecmon.config.readings import Reading, either, read_name, read_text, read_word
from ipsecmon.model import Intent, TunnelOption
from ipsecmon_parsers.records import Ident

__all__ = [
    "Identity",
    "IntentWord",
    "LinkEnds",
    "LinkPair",
    "OptionWord",
    "TunnelName",
    "read_identity",
    "read_link",
]

IDENTITY = re.compile(r"([^/]+)(?:/([0-9]{1,3})(?:/([0-9]{1,3})/([0-9]{1,5}))?)?")


@dataclass(frozen=True, slots=True)
class TunnelName:
    """``Site2/CRYPTO/10.2.2.0_24-10.1.1.0_24``: a device and, behind the first slash, a tunnel of it."""

    device: str
    tunnel: str

    def __str__(self) -> str:
        return f"{self.device}/{self.tunnel}"


@dataclass(frozen=True, slots=True)
class LinkEnds:
    """Two tunnels that are the two ends of one."""

    one: TunnelName
    other: TunnelName


def read_identity(value: object, _: Path | None = None) -> Ident:
    """``10.1.1.0/24``, ``10.1.1.1`` or ``10.1.1.0/24/6/443``; raises for bits of a host behind the prefix."""
    if isinstance(value, Ident):
        return value
    match = IDENTITY.fullmatch(read_text(value))
    if match is None or "%" in match[1]:
        raise ValueError
    address = ipaddress.ip_address(match[1])
    length = int(match[2]) if match[2] else address.max_prefixlen
    network = ipaddress.ip_network(f"{address}/{length}")
    protocol, port = int(match[3] or 0), int(match[4] or 0)
    if protocol > 255 or port > 65535:
        raise ValueError
    return Ident(
        address=str(network.network_address), prefix_length=length, protocol=protocol, port=port
    )


def read_list(value: object) -> list[object]:
    match value:
        case list() | tuple():
            return list(cast("Iterable[object]", value))
        case _:
            raise ValueError


def read_link(value: object, _: Path | None = None) -> LinkEnds:
    if isinstance(value, LinkEnds):
        return value
    one, other = read_list(value)
    return LinkEnds(read_tunnel_name(one), read_tunnel_name(other))


def read_tunnel_name(value: object) -> TunnelName:
    device, _, tunnel = read_text(value).partition("/")
    if not tunnel or tunnel != tunnel.strip():
        raise ValueError
    return TunnelName(read_name(device, None), tunnel)


def dump_link(value: object) -> object:
    ends = cast("LinkEnds", value)
    return [str(ends.one), str(ends.other)]


Identity = Annotated[
    Ident,
    Reading(
        "a network such as 10.1.1.0/24, an address, or one with protocol and port such as 10.1.1.0/24/6/443",
        read_identity,
        str,
    ),
]
IntentWord = Annotated[Intent, Reading(either(Intent), read_word(Intent))]
OptionWord = Annotated[TunnelOption, Reading(either(TunnelOption), read_word(TunnelOption))]
LinkPair = Annotated[
    LinkEnds, Reading("two tunnels in brackets, each as device/tunnel", read_link, dump_link)
]
