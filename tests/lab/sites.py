"""Small networks for the tests: the tutorial's two sites with one thing changed."""

from __future__ import annotations

from typing import Any

from ipsecmon.lab.network import Network
from ipsecmon.lab.topology import Topology, Traffic, two_sites


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
    *traffic: Traffic,
    site1: dict[str, Any] | None = None,
    site2: dict[str, Any] | None = None,
) -> Topology:
    """The two sites with this traffic and these fields of the routers replaced."""
    base = two_sites().model_dump()
    for router, changes in zip(base["routers"], (site1, site2), strict=True):
        router.update(changes or {})
    base["traffic"] = [pattern.model_dump() for pattern in traffic]
    return Topology.model_validate(base)


def network_of(
    *traffic: Traffic,
    seed: int = 1,
    site1: dict[str, Any] | None = None,
    site2: dict[str, Any] | None = None,
) -> Network:
    """The same, in motion."""
    return Network(sites(*traffic, site1=site1, site2=site2), seed=seed)
