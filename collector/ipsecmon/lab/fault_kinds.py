"""The faults that can be struck on the lab, by name, with what each does; how is in ``tunnel_faults.py``.

Apart from that so that a command can name them without what the servers of the lab need.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

__all__ = ["TunnelFault"]


class TunnelFault(StrEnum):
    """Everything that can be struck on a tunnel, or on a router as a monitor sees it."""

    PSK_MISMATCH = "psk-mismatch"
    TRANSFORM_MISMATCH = "transform-mismatch"
    ESP_FILTER = "esp-filter"
    ESP_FILTER_REVERSE = "esp-filter-reverse"
    MISROUTED = "misrouted"
    LOSS = "loss"
    SPOILT_PACKETS = "spoilt-packets"
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
        return _HELP[self]


_HELP: Final[Mapping[TunnelFault, str]] = MappingProxyType(
    {
        TunnelFault.PSK_MISMATCH: (
            "The pre-shared keys differ and the SAs are cleared: phase 1 hangs in MM_KEY_EXCH; the "
            "tunnel is down and phase 1 fails."
        ),
        TunnelFault.TRANSFORM_MISMATCH: (
            "The peer gets another transform set and the SAs are cleared: QM_IDLE stands, quick mode "
            "is refused; the tunnel is down although phase 1 is up."
        ),
        TunnelFault.ESP_FILTER: (
            "ESP from DEVICE to the peer is filtered, IKE passes: the peer sends and receives "
            "nothing."
        ),
        TunnelFault.ESP_FILTER_REVERSE: (
            "ESP from the peer to DEVICE is filtered, IKE passes: DEVICE sends and receives nothing."
        ),
        TunnelFault.MISROUTED: (
            "Packets from behind DEVICE take another way than the tunnel: DEVICE receives and sends "
            "nothing."
        ),
        TunnelFault.LOSS: (
            "One packet in ten is lost in either direction: path loss, once both ends were read for "
            "eleven minutes, a thousand packets or more."
        ),
        TunnelFault.SPOILT_PACKETS: (
            "One packet in five from the peer arrives changed and fails its integrity check: receive "
            "errors at DEVICE."
        ),
        TunnelFault.PATH_DOWN: (
            "The path between both routers is cut: one-way traffic until the keepalive or the "
            "lifetime ends the SAs, then the tunnel is down and phase 1 fails."
        ),
        TunnelFault.FLAP: (
            "The path is cut and restored again and again, and both routers send keepalives: the "
            "tunnel goes down and comes up."
        ),
        TunnelFault.PEER_RELOAD: (
            "The peer reloads and has nothing to send, and DEVICE keeps a stale SPI: DEVICE sends and "
            "receives nothing."
        ),
        TunnelFault.IDLE: (
            "Nobody has anything to send, and an idle time of a minute ends the SAs: an on-demand "
            "tunnel that is down and quiet."
        ),
        TunnelFault.TINY_VOLUME: (
            "The volume lifetime is the smallest there is and traffic is heavy: a rekey every few "
            "minutes, by volume."
        ),
        TunnelFault.REKEY_STORM: (
            "The peer asks for a new SA pair every two minutes, long before time or volume run out: a "
            "rekey storm."
        ),
        TunnelFault.FAILED_REKEY: (
            "A new SA pair of ten minutes stands and no other can be negotiated: its rekey fails, "
            "then the tunnel is down."
        ),
        TunnelFault.IKE_FAILING: (
            "The IKE SA is gone and phase 1 is tried again and again in vain while the IPsec SAs live "
            "on: the loss of the tunnel can be foretold."
        ),
        TunnelFault.STUCK_SA: (
            "A new SA pair of ten minutes stays installed when its time is over and shows 0 seconds "
            "left: an SA that expired and still stands."
        ),
        TunnelFault.UNREACHABLE: (
            "DEVICE accepts TCP and answers no byte: it cannot be read, and nothing is known of its "
            "tunnels."
        ),
        TunnelFault.AUTH: "DEVICE refuses the password: the login fails.",
        TunnelFault.HOST_KEY: "DEVICE shows another host key: the monitor refuses to log in.",
        TunnelFault.GARBLED: (
            "DEVICE cuts its answers short and puts noise into them: they cannot be read as what they "
            "should be."
        ),
    }
)
