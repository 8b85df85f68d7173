"""Many independent pairs of sites in one emulated network, and the configuration of the monitor that watches them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Literal

from ipsecmon.lab.ssh import Lab
from ipsecmon.lab.topology import (
    AccessListLine,
    CryptoMap,
    CryptoMapEntry,
    IsakmpPolicy,
    Router,
    Topology,
    Traffic,
    TransformSet,
)

__all__ = ["TUNNEL", "Pair", "Star", "network_of", "write_monitor_config"]

TUNNEL = "site-to-site"
"""The name that the configuration gives the tunnel of every pair."""

_STRONG = TransformSet(transforms=("esp-aes 256", "esp-sha256-hmac"))
_POLICY = IsakmpPolicy(number=10, encryption="aes 256", hash="sha256", group=14)
_FIRST_A = IPv4Address("192.0.2.1")
_FIRST_B = IPv4Address("198.51.100.1")
_HUB = IPv4Address("203.0.113.1")
_HUB_LAN = IPv4Network("172.16.0.0/16")

Sends = Literal["both", "replies", "one end"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two sites, ``<name>-a`` and ``<name>-b``, with one tunnel between them.

    ``sends``: both ends of themselves, the first while the other replies, or the first without a reply.
    """

    name: str
    intent: Literal["always_on", "on_demand"] = "on_demand"
    packets_per_second: float = 2.0
    sends: Sends = "both"
    interval_seconds: int = 2
    lifetime_seconds: int = 3600

    @property
    def devices(self) -> tuple[str, str]:
        """Both ends."""
        return f"{self.name}-a", f"{self.name}-b"


@dataclass(frozen=True, slots=True, kw_only=True)
class Star:
    """A hub of which alone is polled, and its spokes, whose tunnels must be up."""

    name: str
    spokes: int

    @property
    def devices(self) -> tuple[str, ...]:
        """What is polled."""
        return (self.name,)

    @property
    def tunnels(self) -> tuple[str, ...]:
        """The names that the configuration gives the tunnels to the spokes."""
        return tuple(f"spoke-{number + 1}" for number in range(self.spokes))


def network_of(pairs: Sequence[Pair], star: Star) -> Topology:
    """All of them side by side: nothing that happens to one reaches another."""
    routers: list[Router] = []
    traffic: list[Traffic] = []
    for index, pair in enumerate(pairs):
        addresses = (_FIRST_A + index, _FIRST_B + index)
        lans = (_lan(index, 1), _lan(index, 2))
        routers += [
            _end(
                pair.devices[one], addresses[one], addresses[1 - one], lans[one], lans[1 - one]
            ).model_copy(update={"sa_lifetime_seconds": pair.lifetime_seconds})
            for one in (0, 1)
        ]
        traffic += _traffic(pair, lans)
    routers += _star_routers(star, len(pairs))
    traffic += [
        Traffic(source=_lan(len(pairs) + number, 1), destination=_HUB_LAN, packets_per_second=1)
        for number in range(star.spokes)
    ]
    return Topology(routers=tuple(routers), traffic=tuple(traffic))


def write_monitor_config(folder: Path, lab: Lab, pairs: Sequence[Pair], star: Star) -> Path:
    """``ipsecmon.yml``, for a free port, and its known hosts; tunnels have names, sites and owners of their own."""
    first = lab.topology.routers[0]
    (folder / "known_hosts").write_text(lab.known_hosts, encoding="utf-8")
    intervals: Mapping[str, int] = {
        device: pair.interval_seconds for pair in pairs for device in pair.devices
    }
    devices = "\n".join(
        f"  - {{name: {name}, host: {host}, port: {at}, interval: {intervals.get(name, 2)}s,"
        # the CPU is asked for where a limit is set
        " cpu_limit: 90%}"
        for name, (host, at) in lab.endpoints.items()
    )
    tunnels = "\n".join(
        line
        for index, pair in enumerate(pairs)
        for line in _pair_tunnels(pair, (_lan(index, 1), _lan(index, 2)))
    )
    spokes = "\n".join(
        f"  - {{device: {star.name}, name: {tunnel}, local: {_HUB_LAN},"
        f" remote: {_lan(len(pairs) + number, 1)}, intent: always_on, site: {star.name}}}"
        for number, tunnel in enumerate(star.tunnels)
    )
    file = folder / "ipsecmon.yml"
    # a device that cannot be reached is tried again at once, as minutes of backing off would be hours of the routers
    file.write_text(
        f"""\
poll: {{interval: 2s, connect_timeout: 1s, backoff_longest: 2s}}
web: {{listen: "127.0.0.1:0"}}
ssh: {{transport: asyncssh, logins_per_second: 100}}
host_keys: {{known_hosts: known_hosts}}
history: {{path: history.sqlite}}
defaults: {{platform: iosxe, credentials: lab}}
credentials:
  lab: {{username: {first.username}, password: {first.password}, enable: {first.enable_secret}}}
devices:
{devices}
tunnels:
{tunnels}
{spokes}
""",
        encoding="utf-8",
    )
    file.chmod(0o600)
    return file


def _lan(index: int, end: int) -> IPv4Network:
    return IPv4Network(f"10.{index + 1}.{end}.0/24")


def _end(
    name: str, address: IPv4Address, peer: IPv4Address, own: IPv4Network, other: IPv4Network
) -> Router:
    return Router(
        name=name,
        dialect="iosxe-17",
        interface="GigabitEthernet1",
        address=address,
        networks=(own,),
        isakmp_policies=(_POLICY,),
        pre_shared_keys={peer: "pair-key"},
        transform_sets={"STRONG": _STRONG},
        access_lists={"OTHER": (AccessListLine(source=own, destination=other),)},
        crypto_map=CryptoMap(
            name="CRYPTO",
            entries=(
                CryptoMapEntry(seq=10, peer=peer, transform_sets=("STRONG",), access_list="OTHER"),
            ),
        ),
    )


def _traffic(pair: Pair, lans: tuple[IPv4Network, IPv4Network]) -> list[Traffic]:
    rate = pair.packets_per_second
    forth = Traffic(
        source=lans[0],
        destination=lans[1],
        packets_per_second=rate,
        bytes_per_packet=200,
        reply_ratio=0 if pair.sends == "one end" else 1,
    )
    back = Traffic(
        source=lans[1],
        destination=lans[0],
        packets_per_second=rate,
        bytes_per_packet=200,
        reply_ratio=0,
        start_seconds=3,
    )
    return [forth, back] if pair.sends == "both" else [forth]


def _star_routers(star: Star, first: int) -> list[Router]:
    addresses = [_HUB + 1 + number for number in range(star.spokes)]
    lans = [_lan(first + number, 1) for number in range(star.spokes)]
    names = [f"SPOKE{number + 1}" for number in range(star.spokes)]
    hub = Router(
        name=star.name,
        dialect="iosxe-17",
        interface="GigabitEthernet1",
        address=_HUB,
        networks=(_HUB_LAN,),
        isakmp_policies=(_POLICY,),
        pre_shared_keys=dict.fromkeys(addresses, "star-key"),
        transform_sets={"STRONG": _STRONG},
        access_lists={
            name: (AccessListLine(source=_HUB_LAN, destination=lan),)
            for name, lan in zip(names, lans, strict=True)
        },
        crypto_map=CryptoMap(
            name="SPOKES",
            entries=tuple(
                CryptoMapEntry(
                    seq=10 + number,
                    peer=address,
                    transform_sets=("STRONG",),
                    access_list=name,
                )
                for number, (name, address) in enumerate(zip(names, addresses, strict=True))
            ),
        ),
    )
    around = [
        _end(f"{star.name}-spoke-{number + 1}", address, _HUB, lan, _HUB_LAN).model_copy(
            update={"pre_shared_keys": {_HUB: "star-key"}}
        )
        for number, (address, lan) in enumerate(zip(addresses, lans, strict=True))
    ]
    return [hub, *around]


def _pair_tunnels(pair: Pair, lans: tuple[IPv4Network, IPv4Network]) -> list[str]:
    return [
        f"  - {{device: {device}, name: {TUNNEL}, local: {own}, remote: {other},"
        f" intent: {pair.intent}, site: {pair.name}, owner: netops}}"
        for device, own, other in zip(pair.devices, lans, reversed(lans), strict=True)
    ]
