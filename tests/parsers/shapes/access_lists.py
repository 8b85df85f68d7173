"""Access lists of routers, of IPv6 and of ASA, and the text of their show commands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import strategies as st

from ipsecmon_parsers.records import AccessAddress, AccessEntry, AccessList
from parsers.shapes.tokens import IPV4, IPV6, NAMES, mask, maybe, wildcard

__all__ = ["asa_lists", "entries", "router_lists", "show_asa_lists", "show_router_lists"]

_PORT_WORDS = st.sampled_from(["www", "bgp", "443", "1024", "65535"])
_PORTED = frozenset({"tcp", "udp"})
_GROUPS = NAMES.map(lambda name: name.upper().replace("/", "-").replace(":", "-"))


@st.composite
def _address(draw: st.DrawFn, family: str) -> tuple[AccessAddress, str]:
    """One side and its words; ``family`` is ios, ipv6 or asa."""
    kinds = ["any", "host", "network"]
    kinds += {
        "ios": ["object-group", "wildcard"],
        "ipv6": [],
        "asa": ["object-group", "object", "any4"],
    }[family]
    is_v6 = family == "ipv6"
    match draw(st.sampled_from(kinds)):
        case "host":
            address = draw(IPV6 if is_v6 else IPV4)
            record = AccessAddress(kind="host", address=address, prefix_length=128 if is_v6 else 32)
            return record, f"host {address.upper() if is_v6 else address}"
        case "network" if is_v6:
            address, length = draw(IPV6), draw(st.integers(0, 128))
            record = AccessAddress(kind="network", address=address, prefix_length=length)
            return record, f"{address.upper()}/{length}"
        case "network":
            address, length = draw(IPV4), draw(st.integers(1, 31))
            bits = mask(length) if family == "asa" else wildcard(length)
            return AccessAddress(
                kind="network", address=address, prefix_length=length
            ), f"{address} {bits}"
        case "wildcard":
            address = draw(IPV4)
            bits = draw(st.sampled_from(["0.0.10.255", "255.0.255.0"]))
            return AccessAddress(
                kind="network", address=address, wildcard=bits
            ), f"{address} {bits}"
        case ("object-group" | "object") as kind:
            name = draw(_GROUPS)
            return AccessAddress(kind=kind, name=name), f"{kind} {name}"
        case kind:
            return AccessAddress(kind=kind), kind


@st.composite
def _ports(draw: st.DrawFn, protocol: str) -> tuple[str, ...]:
    if protocol not in _PORTED:
        return ()
    operator = draw(st.sampled_from(["", "eq", "range", "gt", "lt", "neq"]))
    if not operator:
        return ()
    count = {"range": 2}.get(operator, 1)
    return (operator, *(draw(_PORT_WORDS) for _ in range(count)))


@st.composite
def entries(draw: st.DrawFn, family: str) -> AccessEntry:
    """An entry with its text: permit, deny or remark."""
    if draw(st.integers(0, 9)) == 0:
        text = f"remark {draw(NAMES)} to site 2"
        return AccessEntry(text=text, action="remark")
    action = draw(st.sampled_from(["permit", "deny"]))
    protocols = (
        ["ipv6", "tcp", "icmp"] if family == "ipv6" else ["ip", "tcp", "udp", "gre", "47", "esp"]
    )
    protocol = draw(st.sampled_from(protocols))
    source, source_words = draw(_address(family))
    destination, destination_words = draw(_address(family))
    source_ports, destination_ports = draw(_ports(protocol)), draw(_ports(protocol))
    options = draw(st.sampled_from([(), ("log",), ("log-input",), ("time-range", "NIGHT")]))
    is_inactive = family == "asa" and draw(st.booleans())
    if is_inactive:
        options = (*options, "inactive")
    words = [
        action,
        protocol,
        source_words,
        *source_ports,
        destination_words,
        *destination_ports,
        *options,
    ]
    return AccessEntry(
        text=" ".join(words),
        action=action,
        protocol=protocol,
        source=source,
        source_ports=source_ports,
        destination=destination,
        destination_ports=destination_ports,
        options=options,
        is_inactive=is_inactive,
    )


@st.composite
def _standard(draw: st.DrawFn) -> AccessEntry:
    """``permit 192.0.2.7`` or ``permit 192.0.2.0, wildcard bits 0.0.0.255``."""
    action, address = draw(st.sampled_from(["permit", "deny"])), draw(IPV4)
    length = draw(maybe(st.integers(1, 31)))
    if length is None:
        source = AccessAddress(kind="host", address=address, prefix_length=32)
        return AccessEntry(text=f"{action} {address}", action=action, source=source)
    source = AccessAddress(kind="network", address=address, prefix_length=length)
    text = f"{action} {address}, wildcard bits {wildcard(length)}"
    return AccessEntry(text=text, action=action, source=source)


@st.composite
def _router_list(draw: st.DrawFn) -> AccessList:
    kind = draw(st.sampled_from(["standard", "extended", "ipv6"]))
    entry = {"standard": _standard(), "extended": entries("ios"), "ipv6": entries("ipv6")}[kind]
    found = draw(st.lists(entry, max_size=5))
    hits = maybe(st.sampled_from([1, 2**33]) | st.integers(2, 10**6))
    return AccessList(
        name=draw(st.sampled_from(["10", "101", "2600"]) | NAMES),
        kind=kind,
        origin=draw(maybe(st.sampled_from(["per-user", "Compiled"]))),
        entries=tuple(
            replace(one, sequence=10 * number, hits=None if one.action == "remark" else draw(hits))
            for number, one in enumerate(found, start=1)
        ),
    )


def router_lists() -> st.SearchStrategy[tuple[AccessList, ...]]:
    """Lists of all kinds, some without an entry."""
    return st.lists(_router_list(), max_size=4).map(tuple)


def show_router_lists(lists: Sequence[AccessList]) -> str:
    """``show access-lists``."""
    titles = {"standard": "Standard IP", "extended": "Extended IP", "ipv6": "IPv6"}
    lines: list[str] = []
    for found in lists:
        origin = f" ({found.origin})" if found.origin else ""
        lines.append(f"{titles[found.kind or '']} access list {found.name}{origin}")
        for entry in found.entries:
            hits = ""
            if entry.hits is not None:
                hits = f" ({entry.hits} match{'' if entry.hits == 1 else 'es'})"
            if found.kind == "ipv6":
                lines.append(f"    {entry.text}{hits} sequence {entry.sequence}")
            else:
                lines.append(f"    {entry.sequence} {entry.text}{hits}")
    return "\n".join(lines) + "\n"


@st.composite
def _asa_list(draw: st.DrawFn, name: str) -> AccessList:
    found: list[AccessEntry] = []
    for number, entry in enumerate(draw(st.lists(entries("asa"), max_size=4)), start=1):
        if entry.action == "remark":
            found.append(replace(entry, sequence=number))
            continue
        found += [
            replace(
                entry,
                sequence=number,
                hits=draw(st.sampled_from([0, 1, 2**33])),
                last_hit=draw(maybe(st.just("19:40:29 UTC Oct 25 2025"))),
                is_expanded=is_expanded,
                hash=f"0x{draw(st.integers(0, 2**32 - 1)):08x}",
            )
            for is_expanded in (False, True)[: draw(st.integers(1, 2))]
        ]
    has_kind = any(entry.action != "remark" for entry in found)
    return AccessList(
        name=name,
        kind="extended" if has_kind else None,
        elements=len(found),
        name_hash=draw(maybe(st.just("0x3402472e"))),
        entries=tuple(found),
    )


def asa_lists() -> st.SearchStrategy[tuple[AccessList, ...]]:
    """Lists with entries that stand for groups and what the groups expand to."""
    names = st.lists(NAMES.filter(lambda name: ";" not in name), max_size=3, unique=True)
    return names.flatmap(lambda found: st.tuples(*(_asa_list(name) for name in found)))


def show_asa_lists(lists: Sequence[AccessList]) -> str:
    """``show access-list``."""
    lines = [
        "access-list cached ACL log flows: total 0, denied 0 (deny-flow-max 4096)",
        "            alert-interval 300",
    ]
    for found in lists:
        name_hash = f"; name hash: {found.name_hash}" if found.name_hash else ""
        lines.append(f"access-list {found.name}; {found.elements} elements{name_hash}")
        for entry in found.entries:
            head = f"access-list {found.name} line {entry.sequence}"
            if entry.action == "remark":
                lines.append(f"{head} {entry.text}")
                continue
            last = f" (Last Hit={entry.last_hit})" if entry.last_hit else ""
            inactive = " (inactive)" if entry.is_inactive else ""
            indent = "  " if entry.is_expanded else ""
            lines.append(
                f"{indent}{head} extended {entry.text} (hitcnt={entry.hits}){last}{inactive} {entry.hash} "
            )
    return "\n".join(lines) + "\n"
