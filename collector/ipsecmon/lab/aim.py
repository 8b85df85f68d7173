"""Which tunnels of the lab a person means: ``DEVICE``, ``DEVICE/TUNNEL`` or ``DEVICE/*``.

TUNNEL is the name that ipsecmon gives the tunnel, the name of the router at its other end, or a part of either that
fits one tunnel alone. ``DEVICE`` alone is enough where it has one tunnel.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ipsecmon.lab.network import Network
from ipsecmon.tunnels.identity import tunnel_names

__all__ = ["Tunnel", "aimed_device", "aimed_tunnels", "tunnels_of"]


@dataclass(frozen=True, slots=True)
class Tunnel:
    """A tunnel as a monitor names it, and the router at its other end."""

    device: str
    name: str
    peer: str

    def __str__(self) -> str:
        return f"{self.device}/{self.name}"


def tunnels_of(network: Network, devices: Iterable[str]) -> tuple[Tunnel, ...]:
    """The tunnels of these routers whose other end is a router of the lab too."""
    at = {str(network.router(name).address): name for name in network.routers}
    found: list[Tunnel] = []
    for device in devices:
        flows = network.flows(device)
        for name, flow in zip(tunnel_names(flows), flows, strict=True):
            if flow.peer in at:
                found.append(Tunnel(device, name, at[flow.peer]))
    return tuple(found)


def aimed_device(target: str, devices: Sequence[str]) -> str:
    """The device of a target; ``LookupError`` names those there are."""
    device = target.partition("/")[0]
    if device not in devices:
        raise LookupError(f"the lab has no device {device!r}; it has {', '.join(devices)}")
    return device


def aimed_tunnels(target: str, tunnels: Sequence[Tunnel]) -> tuple[Tunnel, ...]:
    """The tunnel of a target, or all of its device's; ``LookupError`` names those it could be."""
    device, _, part = target.partition("/")
    of_device = [tunnel for tunnel in tunnels if tunnel.device == device]
    if part == "*":
        return tuple(of_device)
    exact = [tunnel for tunnel in of_device if part in (tunnel.name, tunnel.peer)]
    found = exact or [tunnel for tunnel in of_device if _fits(part, tunnel)]
    if len(found) == 1:
        return tuple(found)
    names = ", ".join(str(tunnel) for tunnel in found or of_device)
    if found:
        raise LookupError(f"{target!r} may be any of {names}; name one, or {device}/* for all")
    raise LookupError(f"{device} has no tunnel {part!r}; it has {names or 'none'}")


def _fits(part: str, tunnel: Tunnel) -> bool:
    return part.lower() in tunnel.name.lower() or part.lower() in tunnel.peer.lower()
