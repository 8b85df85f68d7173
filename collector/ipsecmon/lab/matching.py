"""What two configurations agree on: access list lines, isakmp policies, transform sets, PFS.

Pure functions over the topology; the rules of RFC 2409 as IOS applies them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Generic, TypeVar

from ipsecmon.lab.topology import (
    AccessListLine,
    CryptoMapEntry,
    IpProtocol,
    Router,
    TransformSet,
)

__all__ = [
    "PROTOCOL_NUMBERS",
    "CommonPolicy",
    "PrefixIndex",
    "QuickModeAgreement",
    "agree_quick_mode",
    "common_policy",
    "is_mirror",
    "keys_match",
    "line_matches",
]

T = TypeVar("T")

PROTOCOL_NUMBERS: dict[IpProtocol, int] = {
    "ip": 0,
    "icmp": 1,
    "tcp": 6,
    "udp": 17,
    "gre": 47,
    "ospf": 89,
}


@dataclass(frozen=True, slots=True)
class CommonPolicy:
    """The isakmp policy both ends accepted; the shorter lifetime holds."""

    authentication: str
    lifetime_seconds: int


def common_policy(initiator: Router, responder: Router) -> CommonPolicy | None:
    """The first policy of the initiator, in its order, that the responder has too, or ``None``.

    Encryption, hash, authentication and group must be equal; numbers and lifetimes may differ.
    """
    for ours in sorted(initiator.isakmp_policies, key=lambda policy: policy.number):
        for theirs in sorted(responder.isakmp_policies, key=lambda policy: policy.number):
            if (ours.encryption, ours.hash, ours.authentication, ours.group) == (
                theirs.encryption,
                theirs.hash,
                theirs.authentication,
                theirs.group,
            ):
                lifetime_seconds = min(ours.lifetime_seconds, theirs.lifetime_seconds)
                return CommonPolicy(ours.authentication, lifetime_seconds)
    return None


def keys_match(initiator: Router, responder: Router) -> bool:
    """Whether both hold the same pre-shared key for each other; a missing key matches nothing."""
    ours = initiator.pre_shared_keys.get(responder.address)
    return ours is not None and ours == responder.pre_shared_keys.get(initiator.address)


def is_mirror(ours: AccessListLine, theirs: AccessListLine) -> bool:
    """Whether one line read backwards is the other."""
    return (ours.source, ours.destination, ours.protocol) == (
        theirs.destination,
        theirs.source,
        theirs.protocol,
    )


@dataclass(frozen=True, slots=True)
class QuickModeAgreement:
    """What an SA pair is made with."""

    transform_set: TransformSet
    pfs_group: int | None


def agree_quick_mode(
    initiator: Router,
    initiator_entry: CryptoMapEntry,
    responder: Router,
    responder_entry: CryptoMapEntry,
) -> QuickModeAgreement | None:
    """The first transform set in common, with the PFS that the initiator asks for, or ``None``.

    PFS is not symmetric: a responder that does not ask for it accepts a proposal that has it, a responder
    that asks for it refuses one without or with another group.
    """
    if responder_entry.pfs_group not in (None, initiator_entry.pfs_group):
        return None
    theirs = [responder.transform_sets[name] for name in responder_entry.transform_sets]
    for name in initiator_entry.transform_sets:
        ours = initiator.transform_sets[name]
        for other in theirs:
            if set(ours.transforms) == set(other.transforms) and ours.mode == other.mode:
                return QuickModeAgreement(ours, initiator_entry.pfs_group)
    return None


def line_matches(
    line: AccessListLine, source: IPv4Network, destination: IPv4Network, protocol: IpProtocol
) -> bool:
    """Whether all packets between two prefixes are interesting traffic to this line."""
    return (
        line.protocol in ("ip", protocol)
        and source.subnet_of(line.source)
        and destination.subnet_of(line.destination)
    )


class PrefixIndex(Generic[T]):
    """Things filed under a prefix, found by any prefix within it.

    A hub's crypto map has thousands of lines; asking each line about each traffic pattern would take the
    square of that.
    """

    def __init__(self, items: Sequence[tuple[IPv4Network, T]]) -> None:
        self._by_length: dict[int, dict[int, list[tuple[int, T]]]] = {}
        for order, (prefix, item) in enumerate(items):
            by_address = self._by_length.setdefault(prefix.prefixlen, {})
            by_address.setdefault(int(prefix.network_address), []).append((order, item))

    def covering(self, prefix: IPv4Network) -> list[T]:
        """Everything filed under a prefix that holds this one, in the order it was filed."""
        found: list[tuple[int, T]] = []
        address = int(prefix.network_address)
        for length, by_address in self._by_length.items():
            if length <= prefix.prefixlen:
                shift = 32 - length
                found.extend(by_address.get(address >> shift << shift, ()))
        return [item for _, item in sorted(found, key=lambda pair: pair[0])]
