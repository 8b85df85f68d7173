"""``show crypto session``: what a router makes of its SAs with each peer, as records and as text."""

from __future__ import annotations

from collections.abc import Sequence

from ipsecmon.lab.associations import FlowState, IkeRow, RouterState
from ipsecmon.lab.topology import Dialect
from ipsecmon_parsers.records import (
    CryptoSession,
    Ident,
    IkeState,
    SessionFlow,
    SessionIkeSa,
    SessionStatus,
)

__all__ = ["sessions_of", "show_crypto_session"]


def sessions_of(router: RouterState) -> tuple[CryptoSession, ...]:
    """A session for each peer in use, in the order of the crypto map, as a parser reads it back."""
    flows: dict[str, list[FlowState]] = {}
    for flow in router.flows:
        flows.setdefault(flow.peer_address, []).append(flow)
    rows: dict[str, list[IkeRow]] = {}
    for row in router.ike_rows:
        peer = row.source if row.destination == router.address else row.destination
        rows.setdefault(peer, []).append(row)
    return tuple(_session(router, peer, rows.get(peer, []), flows[peer]) for peer in flows)


def _session(
    router: RouterState, peer: str, rows: list[IkeRow], flows: list[FlowState]
) -> CryptoSession:
    status = _status(rows, flows)
    return CryptoSession(
        interface=router.config.interface,
        status=status,
        raw_status=status.value,
        is_up=status not in (SessionStatus.DOWN, SessionStatus.DOWN_NEGOTIATING),
        peer=peer,
        peer_port=500,
        ike_sas=tuple(
            SessionIkeSa(
                version=1,
                local=router.address,
                local_port=500,
                remote=peer,
                remote_port=500,
                status="Active" if _is_active(row) else "Inactive",
                is_active=_is_active(row),
                session_id=None if router.config.dialect == "ios-12.4" else 0,
            )
            for row in rows
        ),
        flows=tuple(_flow(flow) for flow in flows),
    )


def _is_active(row: IkeRow) -> bool:
    return row.state is IkeState.QM_IDLE and not row.is_deleted


def _status(rows: list[IkeRow], flows: list[FlowState]) -> SessionStatus:
    has_sas = any(flow.ends for flow in flows)
    if any(_is_active(row) for row in rows):
        return SessionStatus.UP_ACTIVE if has_sas else SessionStatus.UP_IDLE
    if has_sas:
        return SessionStatus.UP_NO_IKE
    if any(not row.is_deleted for row in rows):
        return SessionStatus.DOWN_NEGOTIATING
    return SessionStatus.DOWN


def _flow(flow: FlowState) -> SessionFlow:
    protocol = str(flow.local_ident.protocol or "ip")
    return SessionFlow(
        selector=f"permit {protocol} {_side(flow.local_ident)} {_side(flow.remote_ident)}",
        action="permit",
        protocol=protocol,
        local_ident=flow.local_ident,
        remote_ident=flow.remote_ident,
        active_sas=2 * len(flow.ends),
        origin="crypto map",
    )


def _side(ident: Ident) -> str:
    if ident.prefix_length == 32:
        return f"host {ident.address}"
    mask = 0xFFFFFFFF << (32 - ident.prefix_length) & 0xFFFFFFFF
    octets = ".".join(str(mask >> shift & 255) for shift in (24, 16, 8, 0))
    return f"{ident.address}/{octets}"


def show_crypto_session(sessions: Sequence[CryptoSession], dialect: Dialect) -> str:
    """``show crypto session``; 12.4 does not say the version of an IKE SA and has no session ids."""
    lines = ["Crypto session current status"]
    for session in sessions:
        lines += (
            "",
            f"Interface: {session.interface}",
            f"Session status: {session.raw_status}",
            f"Peer: {session.peer} port {session.peer_port} ",
        )
        for sa in session.ike_sas:
            if dialect != "ios-12.4":
                lines.append(f"  Session ID: {sa.session_id}  ")
            name = "IKE" if dialect == "ios-12.4" else f"IKEv{sa.version}"
            lines.append(
                f"  {name} SA: local {sa.local}/{sa.local_port} "
                f"remote {sa.remote}/{sa.remote_port} {sa.status} "
            )
        for flow in session.flows:
            lines += (
                f"  IPSEC FLOW: {flow.selector} ",
                f"        Active SAs: {flow.active_sas}, origin: {flow.origin}",
            )
    return "\n".join(lines) + "\n\n"
