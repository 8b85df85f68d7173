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
from enum import StrEnum
from functools import partial
from types import MappingProxyType
from typing import Final

from ipsecmon.lab import device_faults, network_faults
from ipsecmon.lab.aim import Tunnel, aimed_device, aimed_tunnels, tunnels_of
from ipsecmon.lab.network import Network
from ipsecmon.lab.ssh import Lab

__all__ = ["StruckFault", "TunnelFault", "TunnelFaults"]

# what puts it right again
Lift = Callable[[], None]

# seconds of the routers between two polls, where nobody says otherwise
_POLL_SECONDS: Final = 60.0


class TunnelFault(StrEnum):
    """Everything that can be struck."""

    PSK_MISMATCH = "psk-mismatch"
    TRANSFORM_MISMATCH = "transform-mismatch"
    ESP_FILTER = "esp-filter"
    ESP_FILTER_REVERSE = "esp-filter-reverse"
    MISROUTED = "misrouted"
    LOSS = "loss"
    PATH_DOWN = "path-down"
    FLAP = "flap"
    PEER_RELOAD = "peer-reload"
    IDLE = "idle"
    TINY_VOLUME = "tiny-volume"
    REKEY_STORM = "rekey-storm"
    FAILED_REKEY = "failed-rekey"
    IKE_FAILING = "ike-failing"
    STUCK_SA = "stuck-sa"
    UNREACHABLE = "unreachable"
    AUTH = "auth"
    HOST_KEY = "host-key"
    GARBLED = "garbled"

    @property
    def help(self) -> str:
        """What happens on the routers, and what a monitor should show."""
        return (_OF_DEVICE.get(self) or _OF_TUNNEL[self]).help

    @property
    def is_of_device(self) -> bool:
        """Whether it is struck on a router rather than on one of its tunnels."""
        return self in _OF_DEVICE


@dataclass(frozen=True, slots=True)
class _OfTunnel:
    help: str
    strike: Callable[[Network, Tunnel], Lift]


@dataclass(frozen=True, slots=True)
class _OfDevice:
    help: str
    strike: Callable[[Lab, str], Lift]


_OF_TUNNEL: Final[Mapping[TunnelFault, _OfTunnel]] = MappingProxyType(
    {
        TunnelFault.PSK_MISMATCH: _OfTunnel(
            "The pre-shared keys differ and the SAs are cleared: phase 1 hangs in MM_KEY_EXCH; "
            "the tunnel is down and phase 1 fails.",
            network_faults.psk_mismatch,
        ),
        TunnelFault.TRANSFORM_MISMATCH: _OfTunnel(
            "The peer gets another transform set and the SAs are cleared: QM_IDLE stands, quick "
            "mode is refused; the tunnel is down although phase 1 is up.",
            network_faults.transform_mismatch,
        ),
        TunnelFault.ESP_FILTER: _OfTunnel(
            "ESP from DEVICE to the peer is filtered, IKE passes: the peer sends and receives "
            "nothing.",
            network_faults.esp_filter,
        ),
        TunnelFault.ESP_FILTER_REVERSE: _OfTunnel(
            "ESP from the peer to DEVICE is filtered, IKE passes: DEVICE sends and receives "
            "nothing.",
            network_faults.esp_filter_reverse,
        ),
        TunnelFault.MISROUTED: _OfTunnel(
            "Packets from behind DEVICE take another way than the tunnel: DEVICE receives and "
            "sends nothing.",
            network_faults.misrouted,
        ),
        TunnelFault.LOSS: _OfTunnel(
            "One packet in ten is lost in either direction: path loss, where there is traffic "
            "enough to measure it.",
            network_faults.loss,
        ),
        TunnelFault.PATH_DOWN: _OfTunnel(
            "The path between both routers is cut: one-way traffic until the keepalive or the "
            "lifetime ends the SAs, then the tunnel is down and phase 1 fails.",
            network_faults.path_down,
        ),
        TunnelFault.FLAP: _OfTunnel(
            "The path is cut and restored again and again, and both routers send keepalives: the "
            "tunnel goes down and comes up.",
            network_faults.flap,
        ),
        TunnelFault.PEER_RELOAD: _OfTunnel(
            "The peer reloads and has nothing to send, and DEVICE keeps a stale SPI: DEVICE sends "
            "and receives nothing.",
            network_faults.peer_reload,
        ),
        TunnelFault.IDLE: _OfTunnel(
            "Nobody has anything to send, and an idle time of a minute ends the SAs: "
            "an on-demand tunnel that is down and quiet.",
            network_faults.idle,
        ),
        TunnelFault.TINY_VOLUME: _OfTunnel(
            "The volume lifetime is the smallest there is and traffic is heavy: a rekey every few "
            "minutes, by volume.",
            network_faults.tiny_volume,
        ),
        TunnelFault.REKEY_STORM: _OfTunnel(
            "The peer asks for a new SA pair every two minutes, long before time or volume run "
            "out: a rekey storm.",
            network_faults.rekey_storm,
        ),
        TunnelFault.FAILED_REKEY: _OfTunnel(
            "A new SA pair of ten minutes stands and no other can be negotiated: its rekey fails, "
            "then the tunnel is down.",
            network_faults.failed_rekey,
        ),
        TunnelFault.IKE_FAILING: _OfTunnel(
            "The IKE SA is gone and phase 1 is tried again and again in vain while the IPsec SAs "
            "live on: the loss of the tunnel can be foretold.",
            network_faults.ike_failing,
        ),
        TunnelFault.STUCK_SA: _OfTunnel(
            "A new SA pair of ten minutes stays installed when its time is over and shows 0 "
            "seconds left: an SA that expired and still stands.",
            network_faults.stuck_sa,
        ),
    }
)
_OF_DEVICE: Final[Mapping[TunnelFault, _OfDevice]] = MappingProxyType(
    {
        TunnelFault.UNREACHABLE: _OfDevice(
            "DEVICE accepts TCP and answers no byte: it cannot be read, and nothing is known of "
            "its tunnels.",
            device_faults.unreachable,
        ),
        TunnelFault.AUTH: _OfDevice(
            "DEVICE refuses the password: the login fails.",
            device_faults.auth,
        ),
        TunnelFault.HOST_KEY: _OfDevice(
            "DEVICE shows another host key: the monitor refuses to log in.",
            device_faults.host_key,
        ),
        TunnelFault.GARBLED: _OfDevice(
            "DEVICE cuts its answers short and puts noise into them: they cannot be read as what "
            "they should be.",
            device_faults.garbled,
        ),
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
            strike = _OF_DEVICE[fault].strike
            return self._note(network, fault, device, None, lambda: strike(self._lab, device))
        of_tunnel = _OF_TUNNEL[fault].strike
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
        is_whole_device = "/" not in target or (fault is not None and fault.is_of_device)
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
