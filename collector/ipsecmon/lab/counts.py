"""``show crypto isakmp sa count``, ``show crypto ipsec sa count`` and ``show crypto ikev2 sa count``: records to text."""

from __future__ import annotations

from collections.abc import Sequence

from ipsecmon_parsers.records import Direction, Flow, IkeSa, IkeState

__all__ = [
    "show_crypto_ikev2_sa_count",
    "show_crypto_ipsec_sa_count",
    "show_crypto_isakmp_sa_count",
]


def show_crypto_isakmp_sa_count(sas: Sequence[IkeSa]) -> str:
    """How many rows of the table are established, under negotiation and deleted."""
    dead = sum(sa.is_deleted for sa in sas)
    active = sum(sa.state is IkeState.QM_IDLE and not sa.is_deleted for sa in sas)
    return (
        f"Active ISAKMP SA's: {active}\n\n"
        "Standby ISAKMP SA's: 0\n\n"
        f"Currently being negotiated ISAKMP SA's: {len(sas) - active - dead}\n\n"
        f"Dead ISAKMP SA's: {dead}\n\n"
    )


def show_crypto_ipsec_sa_count(flows: Sequence[Flow]) -> str:
    """How many SAs stand, both directions counted, and how many belong to a pair that has a successor."""
    total = sum(len(flow.sas) for flow in flows)
    pairs = [sum(sa.direction is Direction.INBOUND for sa in flow.sas) for flow in flows]
    rekeying = sum(2 * (count - 1) for count in pairs if count > 1)
    return (
        f"IPsec SA total: {total}, active: {total - rekeying}, rekeying: {rekeying}, "
        "unused: 0, invalid: 0\n"
    )


def show_crypto_ikev2_sa_count() -> str:
    """Six times nothing: these routers speak version 1 alone."""
    names = (
        "Negotiating SAs",
        "Sessions",
        "Active SAs",
        "Created SAs",
        "Deleted SAs",
        "Marked for Deletion SAs",
    )
    return "".join(f"    0 {name}\n" for name in names)
