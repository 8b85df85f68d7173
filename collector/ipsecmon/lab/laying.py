"""The network at rest: the flows of each router, which of them mirror each other, which traffic enters where.

Done once for a topology; ``route`` is asked again whenever SAs come or go, where two routers stand before one network.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network

from ipsecmon.lab.associations import FlowState, RouterState, Stream
from ipsecmon.lab.matching import PROTOCOL_NUMBERS, PrefixIndex, is_mirror, line_matches
from ipsecmon.lab.topology import IpProtocol, Traffic
from ipsecmon_parsers.records import Ident

__all__ = ["flows_of", "join_mirrors", "lay_stream", "route"]


def flows_of(router: RouterState) -> list[FlowState]:
    """A flow for every permit line of the crypto map, by sequence number, then line."""
    crypto_map = router.config.crypto_map
    return [
        FlowState(
            router,
            entry,
            line,
            str(entry.peer),
            _ident(line.source, line.protocol),
            _ident(line.destination, line.protocol),
        )
        for entry in sorted(crypto_map.entries, key=lambda entry: entry.seq)
        for line in router.config.access_lists[entry.access_list]
    ]


def _ident(network: IPv4Network, protocol: IpProtocol) -> Ident:
    return Ident(
        address=str(network.network_address),
        prefix_length=network.prefixlen,
        protocol=PROTOCOL_NUMBERS[protocol],
        port=0,
    )


def join_mirrors(routers: Mapping[str, RouterState]) -> None:
    """Find the mirrored flow behind every peer of every flow; the routers are given by their address."""
    for address, router in routers.items():
        for flow in router.flows:
            for peer_address in map(str, flow.entry.all_peers):
                peer = routers.get(peer_address)
                for other in peer.flows_by_peer.get(address, ()) if peer is not None else ():
                    if is_mirror(flow.line, other.line):
                        flow.mirrors[peer_address] = other
                        break
            flow.mirror = flow.mirrors.get(flow.peer_address)


def lay_stream(
    pattern: Traffic,
    behind: PrefixIndex[RouterState],
    crypto: Mapping[str, PrefixIndex[FlowState]],
) -> Stream:
    """Find the flows a pattern and its replies enter: the first line of the map that matches takes them."""
    forwards = _matches(pattern.source, pattern.destination, pattern.protocol, behind, crypto)
    replies: tuple[FlowState, ...] = ()
    if pattern.reply_ratio:
        replies = _matches(pattern.destination, pattern.source, pattern.protocol, behind, crypto)
    return Stream(
        pattern,
        forwards[0] if forwards else None,
        replies[0] if replies else None,
        forwards=forwards,
        replies=replies,
    )


def _matches(
    here: IPv4Network,
    there: IPv4Network,
    protocol: IpProtocol,
    behind: PrefixIndex[RouterState],
    crypto: Mapping[str, PrefixIndex[FlowState]],
) -> tuple[FlowState, ...]:
    """The flow that takes packets from here to there, on each router that stands before the very same network."""
    routers = behind.covering(here)
    if not routers:
        return ()
    network = next(net for net in routers[0].config.networks if here.subnet_of(net))
    found: list[FlowState] = []
    for router in routers:
        if network in router.config.networks:
            for flow in crypto[router.name].covering(there):
                if line_matches(flow.line, here, there, protocol):
                    found.append(flow)
                    break
    return tuple(found)


def route(stream: Stream) -> None:
    """Choose the router that a stream and its replies pass: the one that has an SA for them (reverse route injection).

    Replies leave through the router the packets came in by. Settle the stream first.
    """
    if len(stream.forwards) > 1:
        stream.forward = _in_use(stream.forwards)
    if len(stream.replies) > 1:
        stream.reply = _in_use(stream.replies)
        end = stream.forward.current if stream.forward is not None else None
        if end is not None and end.other is not None:
            for flow in stream.replies:
                if flow.router is end.other.flow.router:
                    stream.reply = flow


def _in_use(flows: tuple[FlowState, ...]) -> FlowState:
    for flow in flows:
        if flow.router.is_up and flow.current is not None:
            return flow
    return next((flow for flow in flows if flow.router.is_up), flows[0])
