"""Other addresses, names and SPIs for those of a text, each always for the same one.

Addresses are moved, not scrambled: the network around an address moves as a whole to a free network of the same size,
so that hosts stay in their networks and masks stay right. Public networks go to the ranges for documentation (RFC 5737,
RFC 3849) and, when those are full, for benchmarks (RFC 2544) and carriers (RFC 6598); private ones stay private (RFC
1918). Nothing is derived from what it replaces: numbers are given out in order, so nothing can be computed back.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TypeVar

__all__ = ["Addresses", "Names", "Spis"]

_Network4 = ipaddress.IPv4Network
_Network6 = ipaddress.IPv6Network

_Network = TypeVar("_Network", _Network4, _Network6)

# everybody's: named whole they say nothing, and what is inside them stays inside
_PRIVATE = tuple(
    map(_Network4, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"))
)
_PUBLIC_POOLS = tuple(
    map(
        _Network4,
        (
            "192.0.2.0/24",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "198.18.0.0/15",
            "100.64.0.0/10",
            # reserved; for networks too large for any of the others
            "241.0.0.0/8",
            "242.0.0.0/7",
            "244.0.0.0/6",
        ),
    )
)
_KEPT4 = tuple(map(_Network4, ("0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/4", "255.0.0.0/8")))
# masks that are no multicast or reserved addresses
_MASKS = frozenset(
    {"128.0.0.0", "192.0.0.0", "224.0.0.0", "240.0.0.0", "248.0.0.0", "252.0.0.0", "254.0.0.0"}
)
_DOCUMENTATION6 = _Network6("2001:db8::/32")
_KEPT6 = tuple(map(_Network6, ("::/127", "fe80::/10", "ff00::/8")))
_SITE6, _SUBNET6 = 48, 64
_SMALLEST4 = 24
_LONG_HOST_PART = 0xFFFF_FFFF


class Addresses:
    """Moves addresses; ``add`` everything a text holds before the first ``other``."""

    def __init__(self) -> None:
        self._networks4: set[_Network4] = set()
        self._networks6: set[_Network6] = set()
        self._strange: dict[str, str] = {}
        self._host_parts: dict[int, int] = {}

    def add(self, address: str, mask: str | None = None) -> None:
        """An address, and the mask, wildcard mask or prefix length that stands behind it."""
        if ":" in address:
            self._add6(address, mask)
            return
        host = _address4(address)
        if host is None or _is_kept4(host):
            return
        self._networks4.add(_Network4((int(host), _SMALLEST4), strict=False))
        length = _length4(mask)
        if length is not None and 0 < length < _SMALLEST4:
            self._networks4.add(_Network4((int(host), length), strict=False))

    def add_range(self, first: str, last: str) -> None:
        """Two addresses of one network."""
        if ":" in first or ":" in last:
            self.add(first)
            self.add(last)
            return
        low, high = _address4(first), _address4(last)
        if low is not None and high is not None:
            self.add(first, str(32 - (int(low) ^ int(high)).bit_length()))
            self.add(last)

    def _add6(self, address: str, mask: str | None) -> None:
        host = _address6(address)
        if host is None or any(host in network for network in _KEPT6):
            return
        self._networks6.add(_Network6((int(host), _SUBNET6), strict=False))
        if mask is not None and mask.isdigit() and 0 < int(mask) < _SUBNET6:
            self._networks6.add(_Network6((int(host), int(mask)), strict=False))

    def other(self, address: str) -> str:
        """The address that stands for this one, in the same notation."""
        if ":" in address:
            return self._other6(address)
        host = _address4(address)
        if host is None or _is_kept4(host):
            return address
        for length in self._lengths4:
            network = _Network4((int(host), length), strict=False)
            if (moved := self._moved4.get(network)) is not None:
                return str(moved.network_address + (int(host) - int(network.network_address)))
        return address

    @cached_property
    def _moved4(self) -> dict[_Network4, _Network4]:
        blocks = list(_outermost(n for n in self._networks4 if not _is_container(n)))
        used = {index for block in blocks for index in _units(block)}
        free = _FreeNetworks(used)
        moved: dict[_Network4, _Network4] = {}
        for block in blocks:
            own = [pool for pool in _PRIVATE if block.subnet_of(pool)]
            moved[block] = free.take(block.prefixlen, own or _PUBLIC_POOLS) or block
        return moved

    @cached_property
    def _lengths4(self) -> list[int]:
        return sorted({network.prefixlen for network in self._moved4})

    def _other6(self, address: str) -> str:
        host = _address6(address)
        if host is None:
            number = len(self._strange) + 1
            return self._strange.setdefault(address, f"2001:db8:ffff::{number:x}")
        if host in _KEPT6[1] and int(host) & _LONG_HOST_PART << 32:
            moved = int(_KEPT6[1].network_address) + self._host_part(int(host) & (1 << 64) - 1)
            return _like(address, ipaddress.IPv6Address(moved))
        for length in self._lengths6:
            network = _Network6((int(host), length), strict=False)
            if (to := self._moved6.get(network)) is not None:
                rest = int(host) - int(network.network_address)
                part = self._host_part(rest & (1 << 64) - 1)
                rest = rest >> 64 << 64 | part
                return _like(address, to.network_address + rest)
        return address

    def _host_part(self, part: int) -> int:
        """A host part made of a hardware address is replaced, a number somebody chose stays."""
        if part <= _LONG_HOST_PART or part == (1 << 64) - 1:
            return part
        return self._host_parts.setdefault(part, 0x1000 + len(self._host_parts))

    @cached_property
    def _moved6(self) -> dict[_Network6, _Network6]:
        blocks = list(
            _outermost(n for n in self._networks6 if n.prefixlen > _DOCUMENTATION6.prefixlen)
        )
        used = {int(block.network_address) >> 80 for block in blocks}
        moved: dict[_Network6, _Network6] = {}
        base = int(_DOCUMENTATION6.network_address) >> 80
        number = 0
        for block in blocks:
            sites = 1 << max(0, _SITE6 - block.prefixlen)
            number = -(-(number + 1) // sites) * sites
            while any(base + number + n in used for n in range(sites)):
                number += sites
            moved[block] = _Network6(((base + number) << 80, block.prefixlen))
            number += sites - 1
        return moved

    @cached_property
    def _lengths6(self) -> list[int]:
        return sorted({network.prefixlen for network in self._moved6})


class _FreeNetworks:
    """Gives out networks that hold none of the addresses of the text."""

    def __init__(self, used: set[int]) -> None:
        self._used = used
        self._next: dict[tuple[_Network4, int], int] = {}

    def take(self, length: int, pools: Iterable[_Network4]) -> _Network4 | None:
        for pool in pools:
            if length < pool.prefixlen:
                continue
            index = self._next.get((pool, length), 0)
            size = 1 << (32 - length)
            while index < 1 << (length - pool.prefixlen):
                network = _Network4((int(pool.network_address) + index * size, length))
                index += 1
                if not any(unit in self._used for unit in _units(network)):
                    self._next[pool, length] = index
                    self._used.update(_units(network))
                    return network
            self._next[pool, length] = index
        return None


def _units(network: _Network4) -> range:
    """A network in numbers of /24."""
    start = int(network.network_address) >> 8
    return range(start, start + max(1, 1 << (_SMALLEST4 - network.prefixlen)))


def _is_container(network: _Network4) -> bool:
    """A range that is everybody's, or one that holds such: what is inside moves, it does not."""
    return network.prefixlen < 8 or any(pool.subnet_of(network) for pool in _PRIVATE)


def _outermost(networks: Iterable[_Network]) -> Iterator[_Network]:
    """Networks that lie in no other."""
    seen: set[tuple[int, int]] = set()
    lengths: list[int] = []
    for network in sorted(networks, key=lambda n: (n.prefixlen, int(n.network_address))):
        start, bits = int(network.network_address), network.max_prefixlen
        if any((start >> (bits - length), length) in seen for length in lengths):
            continue
        if network.prefixlen not in lengths:
            lengths.append(network.prefixlen)
        seen.add((start >> (bits - network.prefixlen), network.prefixlen))
        yield network


def _address4(text: str) -> ipaddress.IPv4Address | None:
    try:
        return ipaddress.IPv4Address(text)
    except ValueError:
        return None


def _address6(text: str) -> ipaddress.IPv6Address | None:
    try:
        return ipaddress.IPv6Address(text)
    except ValueError:
        return None


def _is_kept4(address: ipaddress.IPv4Address) -> bool:
    return str(address) in _MASKS or any(address in network for network in _KEPT4)


def _length4(mask: str | None) -> int | None:
    if mask is None:
        return None
    if mask.isdigit():
        return int(mask) if int(mask) <= 32 else None
    number = _address4(mask)
    if number is None:
        return None
    bits = int(number) if int(number) >> 31 else int(number) ^ 0xFFFF_FFFF
    length = bits.bit_count()
    return length if bits == (0xFFFF_FFFF << (32 - length)) & 0xFFFF_FFFF else None


def _like(text: str, address: ipaddress.IPv6Address) -> str:
    """IOS prints capitals."""
    return str(address) if re.search("[a-f]", text) else str(address).upper()


class Spis:
    """Numbers of SAs: as many digits, given out in order."""

    def __init__(self) -> None:
        self._others: dict[int, int] = {}
        self._next: dict[int, int] = {}

    def add(self, digits: str) -> None:
        """Hexadecimal digits; a number of less than five says nothing."""
        value = int(digits, 16)
        if value > 0xFFFF and value not in self._others:
            length = len(f"{value:X}")
            self._next.setdefault(length, 0xC << 4 * (length - 1))
            self._next[length] += 1
            self._others[value] = self._next[length]

    def other_hexadecimal(self, digits: str) -> str:
        """The digits that stand for these, as many of them."""
        value = int(digits, 16)
        if value not in self._others:
            return digits
        text = f"{self._others[value]:0{len(digits)}X}"
        return text.lower() if re.search("[a-f]", digits) else text

    def other_decimal(self, digits: str) -> str:
        """The same number where it is printed in decimal."""
        other = self._others.get(int(digits))
        return digits if other is None else str(other)


_WORD = re.compile(r"[A-Za-z0-9]+")
_MOST_DIGITS = 4
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Names:
    """Names word by word: ``ACME-VPN_5`` -> ``NM01-VPN_5``, where VPN is one of the words everybody uses."""

    def __init__(self, vocabulary: frozenset[str]) -> None:
        self._vocabulary = vocabulary
        self._words: dict[str, str] = {}
        self._given: set[str] = set()
        self._texts: dict[str, str] = {}
        self._counts: dict[tuple[int, bool], int] = {}
        self._known: set[str] = set()

    def add(self, name: str) -> None:
        """A name of the text."""
        self._known.add(name)
        for word in _WORD.findall(name):
            self._other_word(word)

    def is_known(self, token: str) -> bool:
        """Whether the token as a whole is a name."""
        return token in self._known

    def other(self, name: str) -> str:
        """The name with its words replaced."""
        return _WORD.sub(lambda match: self._other_word(match.group()), name)

    def without_words(self, token: str) -> str:
        """A token that is no name itself, with the words of names in it replaced; numbers stay."""
        return _WORD.sub(
            lambda m: m.group() if m.group().isdigit() else self._words.get(m.group(), m.group()),
            token,
        )

    def other_text(self, text: str) -> str:
        """What stands for words people wrote: ``text 1``."""
        return self._texts.setdefault(text, f"text {len(self._texts) + 1}")

    def _other_word(self, word: str) -> str:
        says_nothing = len(word) == 1 or (word.isdigit() and len(word) <= _MOST_DIGITS)
        if says_nothing or word in self._vocabulary:
            return word
        if word not in self._words:
            self._words[word] = self._new_word(word)
        return self._words[word]

    def _new_word(self, word: str) -> str:
        """As long as the word if there is room, in capitals if it is."""
        while True:
            is_capital = word.upper() == word
            key = (len(word), is_capital)
            number = self._counts[key] = self._counts.get(key, 0) + 1
            if word.isdigit():
                text = str(number + 9 * 10 ** (len(word) - 1))
            else:
                text = _padded(number, len(word))
            text = text if is_capital else text.lower()
            if text not in self._given and text not in self._vocabulary:
                self._given.add(text)
                return text


def _padded(number: int, length: int) -> str:
    """``NAME07`` of six, ``N07`` of three, ``NAMEX07`` of seven letters."""
    digits = str(number) if length > 3 else _base36(number)
    digits = digits.rjust(min(2, max(1, length - 1)), "0")
    stem = "NAME".ljust(max(1, length - len(digits)), "X")
    return (stem[: max(1, length - len(digits))] + digits).upper()


def _base36(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text
