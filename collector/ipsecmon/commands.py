"""Which commands a poll asks on which platform, and what each answer is for: the one place to touch when adding one.

A router has a command for each thing, an ASA prints both versions of IKE in one table and its lifetimes in the
configuration only::

    asked(Platform.ASA)      show crypto isakmp sa, show crypto ipsec sa, show running-config all crypto map, ...
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ipsecmon.config import PollTier
from ipsecmon_parsers.records import Platform
from ipsecmon_parsers.registry import (
    SHOW_CRYPTO_MAP,
    SHOW_IKEV2_SA,
    SHOW_IPSEC_SA,
    SHOW_ISAKMP_SA,
    SHOW_SA_LIFETIME,
)

__all__ = ["AskedCommand", "Role", "asked", "with_role"]


class Role(StrEnum):
    """What the answer of a command is read for."""

    FLOWS = "flows"
    """The IPsec SAs: without them there is no reading."""
    IKE_SAS = "ike_sas"
    """A table of IKE SAs: a release may not know it, but one that answered once must go on answering."""
    LIFETIME = "lifetime"
    """The lifetime of new IPsec SAs."""
    CRYPTO_MAP = "crypto_map"
    COUNT = "count"
    """How many SAs there are, a line or two: whether the tables are worth reading before their time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedCommand:
    """One command in full words. ``ike_versions`` are those a table of IKE SAs prints."""

    command: str
    role: Role
    tier: PollTier
    ike_versions: frozenset[int] = frozenset()


_ROUTER = (
    AskedCommand(
        command=SHOW_ISAKMP_SA,
        role=Role.IKE_SAS,
        tier=PollTier.TABLES,
        ike_versions=frozenset({1}),
    ),
    AskedCommand(command=SHOW_IPSEC_SA, role=Role.FLOWS, tier=PollTier.TABLES),
    AskedCommand(
        command=SHOW_IKEV2_SA,
        role=Role.IKE_SAS,
        tier=PollTier.TABLES,
        ike_versions=frozenset({2}),
    ),
    AskedCommand(command=SHOW_SA_LIFETIME, role=Role.LIFETIME, tier=PollTier.CONFIGURATION),
    AskedCommand(command=SHOW_CRYPTO_MAP, role=Role.CRYPTO_MAP, tier=PollTier.CONFIGURATION),
    AskedCommand(command="show crypto isakmp sa count", role=Role.COUNT, tier=PollTier.COUNTS),
    AskedCommand(command="show crypto ikev2 sa count", role=Role.COUNT, tier=PollTier.COUNTS),
    AskedCommand(command="show crypto ipsec sa count", role=Role.COUNT, tier=PollTier.COUNTS),
)
_ASA = (
    AskedCommand(
        command=SHOW_ISAKMP_SA,
        role=Role.IKE_SAS,
        tier=PollTier.TABLES,
        ike_versions=frozenset({1, 2}),
    ),
    AskedCommand(command=SHOW_IPSEC_SA, role=Role.FLOWS, tier=PollTier.TABLES),
    # "all" prints what was left at its default, too: without it most devices say nothing of the lifetime
    AskedCommand(
        command="show running-config all crypto ipsec",
        role=Role.LIFETIME,
        tier=PollTier.CONFIGURATION,
    ),
    AskedCommand(
        command="show running-config all crypto map",
        role=Role.CRYPTO_MAP,
        tier=PollTier.CONFIGURATION,
    ),
)
_ASKED: Mapping[Platform, tuple[AskedCommand, ...]] = {
    Platform.IOS: _ROUTER,
    Platform.IOSXE: _ROUTER,
    Platform.ASA: _ASA,
}


def asked(platform: Platform, *tiers: PollTier) -> tuple[AskedCommand, ...]:
    """What is asked of a device, in this order: the commands of these tiers, of all if none is named."""
    return tuple(one for one in _ASKED[platform] if not tiers or one.tier in tiers)


def with_role(platform: Platform, role: Role) -> tuple[AskedCommand, ...]:
    """The commands whose answers are read for ``role``."""
    return tuple(one for one in _ASKED[platform] if one.role is role)
