"""The configured lifetime and idle time of IPsec SAs, and the counts of SAs: answers of a line or a few."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from ipsecmon_parsers.records import IkeSaCount, IpsecSaCount, SaIdleTime, SaLifetime

__all__ = [
    "counts",
    "idle_times",
    "ikev2_counts",
    "isakmp_counts",
    "lifetimes",
    "show_counts",
    "show_idle_times",
    "show_ikev2_counts",
    "show_isakmp_counts",
    "show_lifetimes",
]

_SECONDS = st.integers(120, 2592000)
_COUNT = st.integers(0, 10**6)


@st.composite
def lifetimes(draw: st.DrawFn) -> tuple[SaLifetime, ...]:
    """One lifetime, with or without a volume."""
    is_disabled = draw(st.booleans())
    return (
        SaLifetime(
            seconds=draw(_SECONDS),
            kilobytes=None if is_disabled else draw(st.integers(0, 2**32)),
            volume_rekey_disabled=is_disabled,
        ),
    )


def show_lifetimes(records: Sequence[SaLifetime], *, is_old: bool) -> str:
    """``show crypto ipsec security-association lifetime``; the old form has a hyphen and no blank behind the colon."""
    (lifetime,) = records
    if lifetime.volume_rekey_disabled:
        return (
            "Kilobyte Volume Rekey has been disabled.\n"
            f"Security association lifetime:{lifetime.seconds} seconds\n"
        )
    words = "Security-association lifetime:" if is_old else "Security association lifetime: "
    return f"{words}{lifetime.kilobytes} kilobytes/{lifetime.seconds} seconds\n"


@st.composite
def idle_times(draw: st.DrawFn) -> tuple[SaIdleTime, ...]:
    """One idle time."""
    return (SaIdleTime(seconds=draw(st.integers(60, 86400))),)


def show_idle_times(records: Sequence[SaIdleTime]) -> str:
    """``show crypto ipsec security-association idle-time``."""
    return "".join(
        f"Security association idletime: {record.seconds} seconds\n" for record in records
    )


def counts() -> st.SearchStrategy[tuple[IpsecSaCount, ...]]:
    """The five numbers of ``show crypto ipsec sa count``."""
    return st.tuples(*[_COUNT] * 5).map(
        lambda found: (
            IpsecSaCount(
                total=found[0],
                active=found[1],
                rekeying=found[2],
                unused=found[3],
                invalid=found[4],
            ),
        )
    )


def show_counts(records: Sequence[IpsecSaCount]) -> str:
    """``show crypto ipsec sa count``."""
    (count,) = records
    return (
        f"IPsec SA total: {count.total}, active: {count.active}, rekeying: {count.rekeying}, "
        f"unused: {count.unused}, invalid: {count.invalid}\n"
    )


def isakmp_counts() -> st.SearchStrategy[tuple[IkeSaCount, ...]]:
    """The four numbers of ``show crypto isakmp sa count``."""
    return st.tuples(*[_COUNT] * 4).map(
        lambda found: (
            IkeSaCount(
                version=1, active=found[0], standby=found[1], negotiating=found[2], dead=found[3]
            ),
        )
    )


def show_isakmp_counts(records: Sequence[IkeSaCount]) -> str:
    """``show crypto isakmp sa count``."""
    (count,) = records
    return (
        f"Active ISAKMP SA's: {count.active}\n\nStandby ISAKMP SA's: {count.standby}\n\n"
        f"Currently being negotiated ISAKMP SA's: {count.negotiating}\n\nDead ISAKMP SA's: {count.dead}\n"
    )


def ikev2_counts() -> st.SearchStrategy[tuple[IkeSaCount, ...]]:
    """The six numbers of ``show crypto ikev2 sa count``."""
    return st.tuples(*[_COUNT] * 6).map(
        lambda found: (
            IkeSaCount(
                version=2,
                negotiating=found[0],
                sessions=found[1],
                active=found[2],
                created_total=found[3],
                deleted_total=found[4],
                marked_for_deletion=found[5],
            ),
        )
    )


def show_ikev2_counts(records: Sequence[IkeSaCount]) -> str:
    """``show crypto ikev2 sa count``."""
    (count,) = records
    return (
        f"    {count.negotiating} Negotiating SAs\n    {count.sessions} Session\n    {count.active} Active SAs\n"
        f"    {count.created_total} Created SAs\n    {count.deleted_total} Deleted SAs\n"
        f"    {count.marked_for_deletion} Marked for Deletion SAs\n"
    )
