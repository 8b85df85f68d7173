"""The demo's network where there are dashboards to fill: a hub, and branches of which each is a little different.

Two branches are polled too, so that both ends of their tunnels are known. Every router sends keepalives, so that a path
that is cut is noticed in half a minute of theirs. One branch has nothing to say: its tunnel is down, and that is well.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Final, Literal

from ipsecmon.lab.topology import (
    Keepalive,
    Topology,
    Traffic,
    hub,
)

__all__ = ["BRANCHES", "HUB", "Branch", "fleet"]

HUB: Final = "hub"
_KEEPALIVE: Final = Keepalive(seconds=10, retry_seconds=2, mode="periodic")


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A site with one router of its name and one tunnel to the hub; packets a second, there and back."""

    name: str
    packets_per_second: float
    owner: str = "wide area network"
    intent: Literal["always_on", "on_demand"] = "always_on"
    is_polled: bool = False


BRANCHES: Final = (
    Branch(name="lisbon", packets_per_second=20, is_polled=True),
    Branch(name="oslo", packets_per_second=8, is_polled=True),
    Branch(name="vienna", packets_per_second=40),
    Branch(name="dublin", packets_per_second=3),
    Branch(name="bergen", packets_per_second=15),
    Branch(name="lyon", packets_per_second=6),
    Branch(name="krakow", packets_per_second=25),
    Branch(name="malmo", packets_per_second=2),
    Branch(name="porto", packets_per_second=10),
    Branch(name="tallinn", packets_per_second=5),
    Branch(name="turin", packets_per_second=12, owner="branch office"),
    Branch(name="geneva", packets_per_second=0, owner="branch office", intent="on_demand"),
)


def fleet() -> Topology:
    """The hub and its branches, with traffic that either side begins."""
    laid = hub(len(BRANCHES), keepalive=_KEEPALIVE)
    centre, *around = laid.routers
    routers = [
        router.model_copy(update={"name": branch.name})
        for router, branch in zip(around, BRANCHES, strict=True)
    ]
    (centre_lan,) = centre.networks
    return Topology(
        routers=(centre, *routers),
        traffic=tuple(
            pattern
            for router, branch in zip(routers, BRANCHES, strict=True)
            for pattern in _traffic(branch, router.networks[0], centre_lan)
        ),
    )


def _traffic(branch: Branch, own: IPv4Network, centre: IPv4Network) -> tuple[Traffic, ...]:
    if not branch.packets_per_second:
        return ()
    return (
        Traffic(
            source=own,
            destination=centre,
            packets_per_second=branch.packets_per_second,
            bytes_per_packet=300,
        ),
        Traffic(
            source=centre,
            destination=own,
            packets_per_second=branch.packets_per_second / 2,
            bytes_per_packet=700,
            start_seconds=20,
        ),
    )
