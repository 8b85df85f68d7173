"""What an emulated network is made of, as read from YAML: routers, their crypto configuration, traffic.

The words are those of the running-config (``crypto isakmp policy``, ``crypto map``, ``access-list``),
so that a reader who knows IOS can write a topology without a manual.
"""

from __future__ import annotations

from importlib.resources import files
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Annotated, Any, Literal, Self, cast

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = [
    "AccessListLine",
    "CryptoMap",
    "CryptoMapEntry",
    "Dialect",
    "IpProtocol",
    "IsakmpPolicy",
    "Keepalive",
    "Router",
    "SshAge",
    "Topology",
    "Traffic",
    "TransformSet",
    "hub",
    "load_topology",
    "two_sites",
]

SshAge = Literal["modern", "iosxe16", "ios15", "ios12"]
Dialect = Literal["ios-12.4", "ios-15", "iosxe-17", "asa-9"]
IpProtocol = Literal["ip", "icmp", "tcp", "udp", "gre", "ospf"]

# only ESP: no capture with AH and ESP together exists to hold a rendering against
Transform = Annotated[str, Field(pattern=r"^esp-[a-z0-9-]+( (128|192|256))?$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class IsakmpPolicy(_Model):
    """``crypto isakmp policy 10``: the number orders proposals at home, it never crosses the wire."""

    number: int = Field(ge=1, le=10000)
    encryption: Literal["des", "3des", "aes", "aes 192", "aes 256"]
    hash: Literal["md5", "sha", "sha256", "sha384", "sha512"]
    authentication: Literal["pre-share", "rsa-sig"] = "pre-share"
    group: Literal[1, 2, 5, 14, 15, 16, 19, 20, 21, 24]
    lifetime_seconds: int = Field(default=86400, ge=60, le=86400)


class TransformSet(_Model):
    """``crypto ipsec transform-set TS esp-aes 256 esp-sha256-hmac``."""

    transforms: tuple[Transform, ...] = Field(min_length=1, max_length=3)
    mode: Literal["tunnel", "transport"] = "tunnel"


class AccessListLine(_Model):
    """One ``permit`` of a crypto access list; each becomes one flow."""

    protocol: IpProtocol = "ip"
    source: IPv4Network
    destination: IPv4Network


class CryptoMapEntry(_Model):
    """``crypto map CRYPTO 10 ipsec-isakmp``.

    Several ``set peer`` lines are ``peers``, the first one preferred; a single one may be written ``peer``.
    """

    seq: int = Field(ge=1, le=65535)
    peer: IPv4Address
    peers: tuple[IPv4Address, ...] = Field(default=(), max_length=16)
    transform_sets: tuple[str, ...] = Field(min_length=1, max_length=6)
    access_list: str
    pfs_group: Literal[1, 2, 5, 14, 15, 16, 19, 20, 21, 24] | None = None

    @model_validator(mode="before")
    @classmethod
    def _first_of_peers_is_peer(cls, data: Any) -> Any:
        if isinstance(data, dict):
            fields = cast("dict[str, Any]", data)
            if fields.get("peers") and "peer" not in fields:
                return {**fields, "peer": fields["peers"][0]}
            return fields
        return data

    @model_validator(mode="after")
    def _peers_make_sense(self) -> Self:
        if self.peers and self.peers[0] != self.peer:
            raise ValueError(f"seq {self.seq}: peer {self.peer} is not the first of its peers")
        if len(set(self.peers)) != len(self.peers):
            raise ValueError(f"seq {self.seq}: a peer is named twice")
        return self

    @property
    def all_peers(self) -> tuple[IPv4Address, ...]:
        """Every ``set peer`` in its order; never empty."""
        return self.peers or (self.peer,)


class Keepalive(_Model):
    """``crypto isakmp keepalive 10 3 periodic``: how long a peer may be silent before it is asked, and asked again.

    On demand a peer is asked only while something is sent to it.
    """

    seconds: int = Field(ge=10, le=3600)
    retry_seconds: int = Field(default=2, ge=2, le=60)
    mode: Literal["on-demand", "periodic"] = "on-demand"


class CryptoMap(_Model):
    """A crypto map as applied to the router's outer interface."""

    name: str
    entries: tuple[CryptoMapEntry, ...] = ()

    @model_validator(mode="after")
    def _entries_have_their_own_seq(self) -> Self:
        seqs = [entry.seq for entry in self.entries]
        if len(set(seqs)) != len(seqs):
            raise ValueError(f"crypto map {self.name!r} uses a sequence number twice")
        return self


class Router(_Model):
    """One router. ``networks`` are the LANs behind it: they say whose traffic passes here."""

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,62}$")
    dialect: Dialect
    interface: str
    address: IPv4Address
    networks: tuple[IPv4Network, ...] = ()
    username: str = "monitor"
    password: str = "monitor-lab"  # noqa: S105 - of the emulated network, on loopback only
    enable_secret: str = "enable-lab"  # noqa: S105 - the same
    login_privilege: Literal[1, 15] = 1
    enable: Literal["secret", "unset", "refused"] = "secret"
    """``unset``: ``% No password set``. ``refused``: no secret will do, as when AAA says no."""
    prompt: str | None = Field(default=None, min_length=1, max_length=64)
    """What stands before the mark of the prompt, the name if it is not given; any printable ASCII."""
    banner_login: str = ""
    """Shown before the password is asked for."""
    banner_motd: str | None = None
    """Shown before the first prompt; one of the lab's own if it is not given."""
    ssh: SshAge = "modern"
    """Which algorithms its SSH server knows: those of today, or of a release."""
    isakmp_policies: tuple[IsakmpPolicy, ...] = ()
    pre_shared_keys: dict[IPv4Address, str] = {}
    transform_sets: dict[str, TransformSet] = {}
    access_lists: dict[str, tuple[AccessListLine, ...]] = {}
    crypto_map: CryptoMap
    sa_lifetime_seconds: int = Field(default=3600, ge=120, le=2592000)
    sa_lifetime_kilobytes: int | None = Field(default=4608000, ge=2560, le=4294967295)
    sa_idle_seconds: int | None = Field(default=None, ge=60, le=86400)
    keepalive: Keepalive | None = None
    invalid_spi_recovery: bool = False
    """``crypto isakmp invalid-spi-recovery``: answer packets of an unknown SPI with a new IKE SA."""

    @property
    def prompt_name(self) -> str:
        """What stands before the mark of the prompt."""
        return self.prompt or self.name

    @model_validator(mode="after")
    def _names_it_uses_exist(self) -> Self:
        if self.sa_lifetime_kilobytes is None and self.dialect == "ios-12.4":
            raise ValueError(f"{self.name}: 12.4 cannot disable the volume lifetime")
        for entry in self.crypto_map.entries:
            for name in entry.transform_sets:
                if name not in self.transform_sets:
                    raise ValueError(f"{self.name}: no transform set {name!r} (seq {entry.seq})")
            if entry.access_list not in self.access_lists:
                raise ValueError(f"{self.name}: no access list {entry.access_list!r}")
        return self


class Traffic(_Model):
    """Packets from one prefix to another, and the replies they draw.

    The first packet leaves at ``start_seconds``, none leaves at or after ``stop_seconds``. Each packet that
    arrives draws ``reply_ratio`` packets of the same size.
    """

    source: IPv4Network
    destination: IPv4Network
    protocol: IpProtocol = "ip"
    packets_per_second: float = Field(gt=0)
    bytes_per_packet: int = Field(default=100, ge=20, le=65535)
    reply_ratio: float = Field(default=1.0, ge=0)
    start_seconds: float = Field(default=0.0, ge=0)
    stop_seconds: float | None = None


class Topology(_Model):
    """A whole network."""

    routers: tuple[Router, ...] = Field(min_length=1)
    traffic: tuple[Traffic, ...] = ()

    @model_validator(mode="after")
    def _routers_are_told_apart(self) -> Self:
        for what, values in (
            ("name", [router.name for router in self.routers]),
            ("address", [str(router.address) for router in self.routers]),
        ):
            seen: set[str] = set()
            for value in values:
                if value in seen:
                    raise ValueError(f"two routers have the {what} {value}")
                seen.add(value)
        return self

    def router(self, name: str) -> Router:
        """The router of that name; ``KeyError`` if there is none."""
        for router in self.routers:
            if router.name == name:
                return router
        raise KeyError(name)


def load_topology(path: Path) -> Topology:
    """Read a topology from a YAML file."""
    return Topology.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def two_sites() -> Topology:
    """The tutorial's network: Site1 and Site2, one tunnel, a little traffic both ways."""
    text = files("ipsecmon.lab").joinpath("two_sites.yaml").read_text(encoding="utf-8")
    return Topology.model_validate(yaml.safe_load(text))


_HUB_ADDRESS = IPv4Address("192.0.2.1")
_HUB_LAN = IPv4Network("172.16.0.0/16")
# of a second hub: the last documentation address until a spoke needs that, then one for benchmarks
_BACKUP_ADDRESSES = (IPv4Address("192.0.2.254"), IPv4Address("198.19.255.254"))


def _spoke_address(index: int) -> IPv4Address:
    # the three documentation ranges of RFC 5737 hold 761 spokes; the rest stands in 198.18.0.0/15,
    # which RFC 2544 sets aside for benchmarks
    for first, count in (("198.51.100.1", 254), ("203.0.113.1", 254), ("192.0.2.2", 253)):
        if index < count:
            return IPv4Address(first) + index
        index -= count
    return IPv4Address("198.18.0.1") + index


def hub(
    spokes: int,
    *,
    hub_dialect: Dialect = "iosxe-17",
    spoke_dialect: Dialect = "ios-15",
    packets_per_second: float = 1.0,
    bytes_per_packet: int = 500,
    with_backup: bool = False,
    second_routers: int = 0,
    keepalive: Keepalive | None = None,
) -> Topology:
    """A hub named ``hub`` and spokes ``spoke0001``... with one tunnel each.

    ``with_backup`` adds a second hub, ``backup``, before the same network and with the same access lists; it is
    the second peer of every spoke. The first ``second_routers`` spokes have a second router, ``spoke0001b``...,
    before their network, the second peer of the hub's entry for it. ``keepalive`` is that of every router.

    Outer addresses are documentation addresses (RFC 5737) as far as those reach, 761 spokes, and benchmark
    addresses (198.18.0.0/15, RFC 2544) beyond; inside are 172.16.0.0/16 and 10.x.y.0/24.
    """
    if not 1 <= spokes <= 65536:
        raise ValueError(f"a hub has 1 to 65536 spokes, not {spokes}")
    if not 0 <= second_routers <= spokes:
        raise ValueError(f"{spokes} spokes have 0 to {spokes} second routers, not {second_routers}")
    policy = IsakmpPolicy(number=10, encryption="aes 256", hash="sha256", group=14)
    transform_sets = {"STRONG": TransformSet(transforms=("esp-aes 256", "esp-sha256-hmac"))}
    lans = [IPv4Network((0x0A000000 + index * 256, 24)) for index in range(spokes)]
    addresses = [_spoke_address(index) for index in range(spokes + second_routers)]
    peers = [
        (addresses[index], *addresses[spokes + index :][: index < second_routers])
        for index in range(spokes)
    ]
    names = [f"spoke{index + 1:04}" for index in range(spokes)]
    key = "hub-lab-key"
    hub_addresses = [_HUB_ADDRESS]
    if with_backup:
        hub_addresses.append(next(a for a in _BACKUP_ADDRESSES if a not in addresses))
    centres = tuple(
        Router(
            name=name,
            dialect=hub_dialect,
            interface="GigabitEthernet1",
            address=hub_address,
            networks=(_HUB_LAN,),
            isakmp_policies=(policy,),
            pre_shared_keys=dict.fromkeys(addresses, key),
            transform_sets=transform_sets,
            access_lists={
                spoke: (AccessListLine(source=_HUB_LAN, destination=lan),)
                for spoke, lan in zip(names, lans, strict=True)
            },
            crypto_map=CryptoMap(
                name="SPOKES",
                entries=tuple(
                    CryptoMapEntry(
                        seq=index + 1,
                        peer=peers[index][0],
                        peers=peers[index] if len(peers[index]) > 1 else (),
                        transform_sets=("STRONG",),
                        access_list=spoke,
                    )
                    for index, spoke in enumerate(names)
                ),
            ),
            keepalive=keepalive,
        )
        for name, hub_address in zip(("hub", "backup"), hub_addresses, strict=False)
    )
    around = (
        Router(
            name=name,
            dialect=spoke_dialect,
            interface="outside" if spoke_dialect == "asa-9" else "GigabitEthernet0/0",
            address=address,
            networks=(lan,),
            isakmp_policies=(policy,),
            pre_shared_keys=dict.fromkeys(hub_addresses, key),
            transform_sets=transform_sets,
            access_lists={"HUB": (AccessListLine(source=lan, destination=_HUB_LAN),)},
            crypto_map=CryptoMap(
                name="TO-HUB",
                entries=(
                    CryptoMapEntry(
                        seq=10,
                        peer=_HUB_ADDRESS,
                        peers=tuple(hub_addresses) if with_backup else (),
                        transform_sets=("STRONG",),
                        access_list="HUB",
                    ),
                ),
            ),
            keepalive=keepalive,
        )
        for name, address, lan in zip(
            (*names, *(f"{name}b" for name in names[:second_routers])),
            addresses,
            (*lans, *lans[:second_routers]),
            strict=True,
        )
    )
    return Topology(
        routers=(*centres, *around),
        traffic=tuple(
            Traffic(
                source=lan,
                destination=_HUB_LAN,
                packets_per_second=packets_per_second,
                bytes_per_packet=bytes_per_packet,
                # spread over the first minute: boxes that all boot at once are a test of their own
                start_seconds=(index * 7919 % 60_000) / 1000,
            )
            for index, lan in enumerate(lans)
        ),
    )
