"""Which IKE SA belongs to which peer.

``show crypto isakmp sa`` prints initiator and responder, not local and remote, and a pair of gateways may show
several rows (both directions, deleted ones beside live ones). The addresses of the flows tell which end is ours. An ASA
prints of an IKE SA of version 1 the peer alone: what is known of that peer tells the other end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ipsecmon.model import IkePeer
from ipsecmon_parsers.records import Flow, FlowKind, IkeSa, IkeState

__all__ = ["flow_ends", "ike_peers", "is_group"]


# what IOS calls QM_IDLE is MM_ACTIVE on an ASA: phase 1 is done, quick mode may begin
_READY = frozenset(
    {
        IkeState.QM_IDLE,
        IkeState.MM_ACTIVE,
        IkeState.MM_ACTIVE_REKEY,
        IkeState.AM_ACTIVE,
        IkeState.AM_ACTIVE_REKEY,
    }
)


def ike_peers(
    flows: Sequence[Flow],
    ike_sas: Sequence[IkeSa],
    device_address: str,
    known: Iterable[tuple[str, str]] = (),
) -> tuple[tuple[IkePeer, ...], tuple[IkeSa, ...]]:
    """The peers of a device, each with its IKE SAs, and the SAs neither end of which is known to be ours.

    Every peer of a flow and every one ``known``, a pair of peer and local address, is listed, with no SAs where the
    table has none: a dead peer does not vanish.
    """
    locals_ = {address for flow in flows for address in _local_addresses(flow)} | {device_address}
    grouped: dict[tuple[str, str], list[IkeSa]] = {ends: [] for ends in known if all(ends)}
    for flow in flows:
        ends = flow_ends(flow)
        if all(ends) and not is_group(flow):
            grouped.setdefault(ends, [])
    # of a peer that is reached from several addresses the one in use now, which was added last
    local_of = {ends[0]: ends[1] for ends in grouped}
    unmatched: list[IkeSa] = []
    for sa in ike_sas:
        found = _ends(sa, locals_, local_of)
        if found is None:
            unmatched.append(sa)
        else:
            grouped.setdefault(found, []).append(sa)
    peers = tuple(_peer(peer, local, tuple(sas)) for (peer, local), sas in sorted(grouped.items()))
    return peers, tuple(unmatched)


def is_group(flow: Flow) -> bool:
    """A flow without a gateway of its own at the other end: a group of GETVPN or a routing protocol's neighbours."""
    return flow.kind in (FlowKind.GETVPN, FlowKind.OSPFV3)


def flow_ends(flow: Flow) -> tuple[str, str]:
    """(peer, local address) of a flow, as its IKE SA has them; empty where the device did not say."""
    return flow.peer or "", flow.local_endpoint or flow.local_address or ""


def _local_addresses(flow: Flow) -> list[str]:
    return [address for address in (flow.local_endpoint, flow.local_address) if address]


def _ends(sa: IkeSa, locals_: set[str], local_of: Mapping[str, str]) -> tuple[str, str] | None:
    """(peer, local address) of an SA; where both or neither end is ours the SA cannot tell."""
    if sa.remote:
        local = sa.local or local_of.get(sa.remote)
        return (sa.remote, local) if local else None
    source, destination = sa.source or "", sa.destination or ""
    match source in locals_, destination in locals_:
        case True, False:
            return destination, source
        case False, True:
            return source, destination
        case _:
            return None


def _peer(peer: str, local: str, sas: tuple[IkeSa, ...]) -> IkePeer:
    return IkePeer(
        peer=peer,
        local_address=local,
        is_up=any(sa.is_established for sa in sas),
        is_qm_idle=any(sa.is_established and sa.state in _READY for sa in sas),
        sas=sas,
    )
