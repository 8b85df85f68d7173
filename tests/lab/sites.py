"""Small networks for the tests: the tutorial's two sites with one thing changed, and how to look at them."""

from __future__ import annotations

from typing import Any

from ipsecmon.lab.network import Network
from ipsecmon.lab.topology import Topology, Traffic, two_sites
from ipsecmon_parsers.records import Direction, Flow, IpsecSa


def traffic(
    *, packets_per_second: float = 1.0, bytes_per_packet: int = 100, **changes: Any
) -> Traffic:
    """Traffic from behind Site1 to behind Site2."""
    return Traffic.model_validate(
        {
            "source": "10.1.1.0/24",
            "destination": "10.2.2.0/24",
            "packets_per_second": packets_per_second,
            "bytes_per_packet": bytes_per_packet,
            **changes,
        }
    )


def sites(
    *patterns: Traffic,
    site1: dict[str, Any] | None = None,
    site2: dict[str, Any] | None = None,
) -> Topology:
    """The two sites with this traffic and these fields of the routers replaced."""
    base = two_sites().model_dump()
    for router, changes in zip(base["routers"], (site1, site2), strict=True):
        router.update(changes or {})
    base["traffic"] = [pattern.model_dump() for pattern in patterns]
    return Topology.model_validate(base)


def network_of(
    *patterns: Traffic,
    seed: int = 1,
    site1: dict[str, Any] | None = None,
    site2: dict[str, Any] | None = None,
) -> Network:
    """The same, in motion."""
    return Network(sites(*patterns, site1=site1, site2=site2), seed=seed)


def flow_of(network: Network, router: str) -> Flow:
    """The only flow of a router."""
    (flow,) = network.flows(router)
    return flow


def sas_of(flow: Flow, direction: Direction) -> list[IpsecSa]:
    """The SAs of one direction, oldest first."""
    return [sa for sa in flow.sas if sa.direction is direction]


def spis_of(flow: Flow) -> set[int | None]:
    """All SPIs that a flow shows."""
    return {sa.spi for sa in flow.sas}


def states_of(network: Network, router: str) -> list[tuple[str | None, str | None]]:
    """State and status of every row of the IKE table."""
    return [(sa.raw_state, sa.status) for sa in network.ike_sas(router)]


def first_up(network: Network, *, router: str = "Site1", step: float = 0.05) -> float:
    """Run until the router's only flow has an SA; the lab second of that moment."""
    while not flow_of(network, router).current_outbound_spi:
        network.run_until(network.now + step)
        assert network.now < 1000, "the tunnel did not come up"
    return network.now
