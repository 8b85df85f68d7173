"""IKE SAs of version 1 as routers list them: the table in all its layouts, and ``detail``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from ipsecmon_parsers.records import IkeSa, IkeState
from parsers.shapes.tokens import DURATIONS, IPV4, IPV6, NAMES, clock, maybe

__all__ = ["LAYOUTS", "Layout", "details", "show", "show_details", "tables"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Columns and titles; ``ipv6`` is how a second section lists its SAs, if there is one."""

    has_slot: bool = False
    has_status: bool = True
    has_titles: bool = True
    has_profile: bool = False
    ipv6: str | None = None


LAYOUTS = {
    "12.2": Layout(has_slot=True, has_status=False, has_titles=False),
    "12.4": Layout(has_slot=True, has_titles=False),
    "12.4 with titles": Layout(has_slot=True),
    "15": Layout(),
    "profiles": Layout(has_profile=True),
    "IPv6 blocks": Layout(ipv6="blocks"),
    "IPv6 rows": Layout(ipv6="rows"),
}

_STATES = [state for state in IkeState if "_" in state.value]
_STATUSES = st.sampled_from(["ACTIVE", "STDBY", "ACTIVE (deleted)", "STDBY (deleted)"])


@st.composite
def _sa(draw: st.DrawFn, layout: Layout, *, is_v6: bool = False) -> IkeSa:
    address = IPV6 if is_v6 else IPV4
    state = draw(st.sampled_from(_STATES))
    raw_state = state.value
    if draw(st.integers(0, 9)) == 0:
        state, raw_state = IkeState.UNKNOWN, draw(st.sampled_from(["MM_NEW_1", "SA_X2_Y"]))
    status = draw(_STATUSES) if layout.has_status else None
    return IkeSa(
        source=draw(address),
        destination=draw(address),
        state=state,
        raw_state=raw_state,
        status=status,
        conn_id=draw(st.integers(0, 99999)),
        slot=draw(st.integers(0, 9)) if layout.has_slot and not is_v6 else None,
        profile=draw(maybe(NAMES)) if layout.has_profile else None,
        is_established=raw_state == "QM_IDLE" and status in (None, "ACTIVE"),
        is_deleted=status is not None and "deleted" in status,
    )


@st.composite
def tables(draw: st.DrawFn, layout: Layout) -> tuple[IkeSa, ...]:
    """No SA, one or several; those of IPv6 behind those of IPv4."""
    first = draw(st.lists(_sa(layout), max_size=5))
    second = draw(st.lists(_sa(layout, is_v6=True), max_size=3 if layout.ipv6 else 0))
    return (*first, *second)


def show(sas: Sequence[IkeSa], layout: Layout) -> str:
    """``show crypto isakmp sa``."""
    header = "dst             src             state          conn-id"
    header += " slot" * layout.has_slot + " status" * layout.has_status
    v4 = [sa for sa in sas if ":" not in (sa.source or "")]
    lines = [header, *(_row(sa) for sa in v4)]
    if not layout.has_titles:
        return "\n".join(lines) + "\n"
    lines = ["IPv4 Crypto ISAKMP SA", *lines, "", "IPv6 Crypto ISAKMP SA"]
    for sa in sas[len(v4) :]:
        if layout.ipv6 == "rows":
            lines.append(_row(sa))
            continue
        lines += [
            "",
            f" dst: {sa.destination}",
            f" src: {sa.source}",
            f" state: {sa.raw_state:<15} conn-id: {sa.conn_id:>6} status: {sa.status}",
        ]
    return "\n".join([*lines, "", ""])


def _row(sa: IkeSa) -> str:
    slot = "" if sa.slot is None else f" {sa.slot:>4}"
    tail = " ".join(word for word in (sa.status, sa.profile) if word)
    return f"{sa.destination:<15} {sa.source:<15} {sa.raw_state:<14} {sa.conn_id:>7}{slot} {tail}"


# --- detail --------------------------------------------------------------------------------------------------


@st.composite
def _detail(draw: st.DrawFn, *, is_v6: bool = False) -> IkeSa:
    address = IPV6 if is_v6 else IPV4
    is_agreed = draw(st.integers(0, 4)) > 0
    engine = draw(st.sampled_from(["SW", "HW", "????"]))
    capabilities = tuple(draw(st.sets(st.sampled_from("CDKNTX")).map(sorted)))
    status = draw(_STATUSES)
    remaining = draw(DURATIONS) if is_agreed else 0
    return IkeSa(
        local=draw(address),
        remote=draw(address),
        state=None,
        raw_state=None,
        status=status,
        conn_id=draw(st.integers(0, 99999)),
        vrf=draw(maybe(NAMES)),
        encryption=draw(st.sampled_from(["des", "3des", "aes"])) if is_agreed else None,
        hash=draw(st.sampled_from(["md5", "sha", "sha384"])) if is_agreed else None,
        auth=draw(st.sampled_from(["psk", "rsig", "renc"])) if is_agreed else None,
        dh_group=draw(st.integers(1, 24)) if is_agreed else 0,
        remaining_seconds=remaining,
        capabilities=capabilities,
        nat_t="N" in capabilities,
        engine=engine,
        engine_conn_id=None if engine == "????" else draw(st.integers(0, 9999)),
        is_established=status == "ACTIVE" and is_agreed and remaining > 0,
        is_deleted="deleted" in status,
    )


@st.composite
def details(draw: st.DrawFn) -> tuple[IkeSa, ...]:
    """SAs of both sections, in negotiation and agreed."""
    first = draw(st.lists(_detail(), max_size=5))
    return (*first, *draw(st.lists(_detail(is_v6=True), max_size=2)))


def show_details(sas: Sequence[IkeSa]) -> str:
    """``show crypto isakmp sa detail``."""
    lines = [
        "Codes: C - IKE configuration mode, D - Dead Peer Detection",
        "       K - Keepalives, N - NAT-traversal",
        "       T - cTCP encapsulation, X - IKE Extended Authentication",
        "       psk - Preshared key, rsig - RSA signature",
        "       renc - RSA encryption",
        "IPv4 Crypto ISAKMP SA",
        "",
        "C-id  Local           Remote          I-VRF  Status Encr Hash   Auth DH Lifetime Cap.",
        "",
    ]
    v4 = [sa for sa in sas if ":" not in (sa.local or "")]
    for sa in v4:
        lines += _detail_lines(sa)
    lines += ["IPv6 Crypto ISAKMP SA", ""]
    for sa in sas[len(v4) :]:
        lines += _detail_lines(sa)
    return "\n".join(lines) + "\n"


def _detail_lines(sa: IkeSa) -> list[str]:
    words = (sa.encryption or "", sa.hash or "", sa.auth or "")
    left = "0" if sa.encryption is None else clock(sa.remaining_seconds or 0)
    engine = sa.engine if sa.engine_conn_id is None else f"{sa.engine}:{sa.engine_conn_id}"
    return [
        (
            f"{sa.conn_id:<5} {sa.local:<15} {sa.remote:<15} {sa.vrf or '':<6} {sa.status} "
            f"{words[0]:<4} {words[1]:<6} {words[2]:<4} {sa.dh_group:<2} {left:<8} {''.join(sa.capabilities)}"
        ),
        f"       Engine-id:Conn-id =  {engine}",
        "",
    ]
