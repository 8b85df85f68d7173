"""One entry of an access list -> an ``AccessEntry``.

The grammar is that of IOS (wildcards), of IPv6 (prefix lengths) and of ASA (masks)::

    permit tcp host 192.0.2.1 eq www 198.51.100.0 0.0.0.255 established
    permit 192.0.2.0, wildcard bits 0.0.0.255
    permit tcp object-group CLIENTS object SERVER eq ssh inactive

An entry of another grammar is kept as text. Command reference: ``permit (IP)``, ``access-list extended`` (ASA).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from ipsecmon_parsers import values
from ipsecmon_parsers.records import AccessAddress, AccessEntry

__all__ = ["access_entry"]

_ANY = frozenset({"any", "any4", "any6"})
_NAMED = frozenset({"object", "object-group", "interface", "security-group"})
_STARTS = _ANY | _NAMED | {"host", "fqdn"}
_PORTS = frozenset({"eq", "neq", "gt", "lt", "range"})
_OPTIONS = frozenset(
    {
        "log",
        "log-input",
        "established",
        "fragments",
        "dscp",
        "precedence",
        "tos",
        "time-range",
        "ttl",
        "reflect",
        "option",
        "match-any",
        "match-all",
        "inactive",
        "ack",
        "fin",
        "psh",
        "rst",
        "syn",
        "urg",
    }
)


class _UnknownGrammar(Exception):
    """The entry is not written as we know it."""


@lru_cache(maxsize=4096)
def access_entry(text: str, *, has_masks: bool = False) -> AccessEntry:
    """The entry ``text`` without its number; ``has_masks`` where masks stand for wildcards (ASA)."""
    text = " ".join(text.split())
    action, _, rest = text.partition(" ")
    entry = AccessEntry(text=text, action=action)
    if action not in ("permit", "deny"):
        return entry
    words = rest.replace(", wildcard bits ", " ").split()
    try:
        return _read(entry, _Words(words, has_masks))
    except _UnknownGrammar:
        return entry


def _read(entry: AccessEntry, words: _Words) -> AccessEntry:
    protocol = None
    if not words.at_address() or words.next in ("object", "object-group"):
        protocol = words.protocol()
    if protocol is not None and not words.at_address():
        # "permit icmp echo-reply" of a role-based list has no addresses
        return replace(entry, protocol=protocol, options=words.rest())
    source = words.address()
    source_ports = words.ports(may_be_group=words.is_group_before_address())
    if protocol is None:
        return replace(
            entry,
            source=source,
            options=(options := words.rest()),
            is_inactive="inactive" in options,
        )
    destination = words.address()
    destination_ports = words.ports(may_be_group=True)
    options = words.rest()
    return replace(
        entry,
        protocol=protocol,
        source=source,
        source_ports=source_ports,
        destination=destination,
        destination_ports=destination_ports,
        options=options,
        is_inactive="inactive" in options,
    )


@dataclass(slots=True)
class _Words:
    """The words of an entry and how far they are read."""

    words: Sequence[str]
    has_masks: bool
    at: int = 0

    @property
    def next(self) -> str:
        return self.peek(0)

    def peek(self, ahead: int) -> str:
        index = self.at + ahead
        return self.words[index] if index < len(self.words) else ""

    def take(self) -> str:
        if self.at >= len(self.words):
            raise _UnknownGrammar
        self.at += 1
        return self.words[self.at - 1]

    def rest(self) -> tuple[str, ...]:
        found = tuple(self.words[self.at :])
        self.at = len(self.words)
        return found

    def at_address(self, ahead: int = 0) -> bool:
        word = self.peek(ahead)
        if word == "range":
            return _is_address(self.peek(ahead + 1))
        return word in _STARTS or _is_address(word.partition("/")[0])

    def is_group_before_address(self) -> bool:
        """``object-group WEB`` between two addresses is the ports of the first of them.

        Of two groups behind the source with nothing behind them the second is the ports of the destination.
        """
        if self.next != "object-group" or not self.at_address(2):
            return False
        return self.peek(2) != "object-group" or self.at_address(4)

    def protocol(self) -> str:
        """``tcp``, ``47``, ``object-group WEB``; a word alone may be the name of a group on IOS."""
        word = self.take()
        return f"{word} {self.take()}" if word in ("object", "object-group") else word

    def address(self) -> AccessAddress:
        word = self.take()
        if word in _ANY:
            return AccessAddress(kind=word)
        if word == "host":
            return _host(self.take())
        if word == "fqdn":
            name = self.take()
            if self.next == "(unresolved)":
                self.take()
            return AccessAddress(kind=word, name=name)
        if word == "security-group":
            return AccessAddress(kind=word, name=f"{self.take()} {self.take()}")
        if word in _NAMED:
            return AccessAddress(kind=word, name=self.take())
        if word == "range":
            first, last = self.take(), self.take()
            return AccessAddress(
                kind=word, address=values.address(first), last_address=values.address(last)
            )
        return self._network(word)

    def _network(self, word: str) -> AccessAddress:
        address, slash, length = word.partition("/")
        if not _is_address(address):
            raise _UnknownGrammar
        if slash:
            return AccessAddress(
                kind="network",
                address=values.address(address),
                prefix_length=_length(length),
            )
        if not _is_address(self.next):
            return _host(address)  # a standard list prints a host alone
        bits = self.take()
        length_of = _mask_length(bits) if self.has_masks else _wildcard_length(bits)
        return AccessAddress(
            kind="network",
            address=values.address(address),
            prefix_length=length_of,
            wildcard=bits if length_of is None else None,
        )

    def ports(self, *, may_be_group: bool) -> tuple[str, ...]:
        if self.next == "range" and not self.at_address():
            return (self.take(), self.take(), self.take())
        if self.next in ("gt", "lt"):
            return (self.take(), self.take())
        if self.next in ("eq", "neq"):
            found = [self.take(), self.take()]  # IOS takes up to ten ports behind one "eq"
            while self.next and not self.at_address() and self.next not in _OPTIONS | _PORTS:
                found.append(self.take())
            return tuple(found)
        if may_be_group and self.next in ("object-group", "object"):
            return (self.take(), self.take())
        return ()


def _host(word: str) -> AccessAddress:
    if not _is_address(word):
        return AccessAddress(kind="host", name=word)
    version = ipaddress.ip_address(word).version
    return AccessAddress(
        kind="host", address=values.address(word), prefix_length=32 if version == 4 else 128
    )


@lru_cache(maxsize=4096)
def _is_address(word: str) -> bool:
    try:
        ipaddress.ip_address(word)
    except ValueError:
        return False
    return True


def _length(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > 128:
        raise _UnknownGrammar
    return int(text)


@lru_cache(maxsize=512)
def _mask_length(mask: str) -> int | None:
    """``255.255.255.0`` -> 24, ``None`` for a mask with holes."""
    try:
        bits = int(ipaddress.IPv4Address(mask)) ^ 0xFFFFFFFF
    except ValueError:
        raise _UnknownGrammar from None
    return 32 - bits.bit_length() if bits & (bits + 1) == 0 else None


@lru_cache(maxsize=512)
def _wildcard_length(wildcard: str) -> int | None:
    """``0.0.0.255`` -> 24, ``None`` for a wildcard with holes."""
    try:
        bits = int(ipaddress.IPv4Address(wildcard))
    except ValueError:
        raise _UnknownGrammar from None
    return 32 - bits.bit_length() if bits & (bits + 1) == 0 else None
