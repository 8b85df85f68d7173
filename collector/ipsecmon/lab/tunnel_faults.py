"""What can go wrong with a tunnel of the lab, or with a router as a monitor sees it: struck and lifted while it runs.

    faults = TunnelFaults(lab)
    faults.strike("hub/10.0.1.0_24", TunnelFault.PSK_MISMATCH)
    faults.lift("hub/10.0.1.0_24")

A tunnel is meant as ipsecmon names it. Faults of the path and of the peer take every tunnel to that peer with them. The
lab proves what a monitor makes of these signs, not that a router of metal shows no others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Final

from ipsecmon.lab import device_faults, network_faults
from ipsecmon.lab.aim import Tunnel, aimed_device, aimed_tunnels, tunnels_of
from ipsecmon.lab.fault_kinds import TunnelFault
from ipsecmon.lab.network import Network
from ipsecmon.lab.ssh import Lab

__all__ = ["StruckFault", "TunnelFault", "TunnelFaults"]

# what puts it right again
Lift = Callable[[], None]

# seconds of the routers between two polls, where nobody says otherwise
_POLL_SECONDS: Final = 60.0


_OF_TUNNEL: Final[Mapping[TunnelFault, Callable[[Network, Tunnel], Lift]]] = MappingProxyType(
    {
        TunnelFault.PSK_MISMATCH: network_faults.psk_mismatch,
        TunnelFault.TRANSFORM_MISMATCH: network_faults.transform_mismatch,
        TunnelFault.ESP_FILTER: network_faults.esp_filter,
        TunnelFault.ESP_FILTER_REVERSE: network_faults.esp_filter_reverse,
        TunnelFault.MISROUTED: network_faults.misrouted,
        TunnelFault.LOSS: network_faults.loss,
        TunnelFault.SPOILT_PACKETS: network_faults.spoilt_packets,
        TunnelFault.PATH_DOWN: network_faults.path_down,
        TunnelFault.FLAP: network_faults.flap,
        TunnelFault.PEER_RELOAD: network_faults.peer_reload,
        TunnelFault.IDLE: network_faults.idle,
        TunnelFault.TINY_VOLUME: network_faults.tiny_volume,
        TunnelFault.REKEY_STORM: network_faults.rekey_storm,
        TunnelFault.FAILED_REKEY: network_faults.failed_rekey,
        TunnelFault.IKE_FAILING: network_faults.ike_failing,
        TunnelFault.STUCK_SA: network_faults.stuck_sa,
    }
)
_OF_DEVICE: Final[Mapping[TunnelFault, Callable[[Lab, str], Lift]]] = MappingProxyType(
    {
        TunnelFault.UNREACHABLE: device_faults.unreachable,
        TunnelFault.AUTH: device_faults.auth,
        TunnelFault.HOST_KEY: device_faults.host_key,
        TunnelFault.GARBLED: device_faults.garbled,
    }
)


@dataclass(frozen=True, slots=True)
class StruckFault:
    """A fault that is on: on which device, on which tunnel unless it is the device's own, since which lab second."""

    fault: TunnelFault
    device: str
    tunnel: str | None
    since: float

    def __str__(self) -> str:
        return f"{self.fault} on {self.device}" + (f"/{self.tunnel}" if self.tunnel else "")


class TunnelFaults:
    """Strikes faults on a running lab and keeps what lifts them; ``poll_seconds`` are seconds of the routers."""

    def __init__(self, lab: Lab, *, poll_seconds: float = _POLL_SECONDS) -> None:
        self._lab = lab
        self._poll_seconds = poll_seconds
        self._lifts: dict[StruckFault, Lift] = {}

    @property
    def struck(self) -> tuple[StruckFault, ...]:
        """What is on now, oldest first."""
        return tuple(self._lifts)

    def tunnels(self) -> tuple[Tunnel, ...]:
        """Every tunnel of the devices that listen."""
        return self._lab.run(self._tunnels)

    def strike(self, target: str, fault: TunnelFault) -> tuple[StruckFault, ...]:
        """Strike ``DEVICE``, ``DEVICE/TUNNEL``, or every tunnel of ``DEVICE/*``; what is on already stays as it is.

        ``LookupError`` names what the target could be.
        """
        return self._lab.run(lambda network: self._strike(network, target, fault))

    def lift(self, target: str, fault: TunnelFault | None = None) -> tuple[StruckFault, ...]:
        """Put right this fault, or all of them, on a tunnel, or on a device with its tunnels; what was lifted.

        ``LookupError`` if there is no such device or tunnel.
        """
        return self._lab.run(lambda network: self._lift(network, target, fault))

    # in the lab's thread

    def _tunnels(self, network: Network) -> tuple[Tunnel, ...]:
        return tunnels_of(network, self._lab.endpoints)

    def _strike(self, network: Network, target: str, fault: TunnelFault) -> tuple[StruckFault, ...]:
        device = aimed_device(target, tuple(self._lab.endpoints))
        if fault in _OF_DEVICE:
            strike = _OF_DEVICE[fault]
            return self._note(network, fault, device, None, lambda: strike(self._lab, device))
        of_tunnel = _OF_TUNNEL[fault]
        if fault is TunnelFault.FLAP:
            of_tunnel = partial(network_faults.flap, poll_seconds=self._poll_seconds)
        struck: list[StruckFault] = []
        for tunnel in aimed_tunnels(target, self._tunnels(network)):
            act = partial(of_tunnel, network, tunnel)
            struck += self._note(network, fault, device, tunnel.name, act)
        return tuple(struck)

    def _note(
        self,
        network: Network,
        fault: TunnelFault,
        device: str,
        tunnel: str | None,
        strike: Callable[[], Lift],
    ) -> tuple[StruckFault, ...]:
        for other in self._lifts:
            if (other.fault, other.device, other.tunnel) == (fault, device, tunnel):
                return (other,)
        struck = StruckFault(fault, device, tunnel, network.now)
        self._lifts[struck] = strike()
        return (struck,)

    def _lift(
        self, network: Network, target: str, fault: TunnelFault | None
    ) -> tuple[StruckFault, ...]:
        device = aimed_device(target, tuple(self._lab.endpoints))
        is_whole_device = "/" not in target or fault in _OF_DEVICE
        tunnels = () if is_whole_device else aimed_tunnels(target, self._tunnels(network))
        names = {tunnel.name for tunnel in tunnels}
        lifted = tuple(
            one
            for one in self._lifts
            if one.device == device
            and fault in (None, one.fault)
            and (is_whole_device or one.tunnel in names)
        )
        for one in lifted:
            self._lifts.pop(one)()
        return lifted
