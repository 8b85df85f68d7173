"""Every key of the configuration file, its type and its default. CONFIGURATION.md describes them one by one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from ipsecmon.config.mistakes import NotAccepted
from ipsecmon.config.readings import (
    Address,
    Age,
    CheckWord,
    Count,
    Duration,
    FilePath,
    HistoryPath,
    Host,
    HostKeyCheck,
    Listen,
    ListenAddress,
    Name,
    PlatformWord,
    Port,
    Size,
    Templates,
    Text,
    Tier,
    TierWord,
    duration_text,
)
from ipsecmon.config.secret_sources import (
    SecretSource,
    UsernameSource,
    VaultAddress,
    YesNo,
)
from ipsecmon.config.settings import Limits, Plan, PollTier, Settings, Timing, Transport
from ipsecmon.config.tunnel_readings import Identity, IntentWord, LinkPair, OptionWord
from ipsecmon.model import ConfiguredLink, ExpectedTunnel
from ipsecmon_parsers.registry import BUILT_IN

__all__ = [
    "Config",
    "Credential",
    "Device",
    "HistoryFile",
    "HostKeys",
    "Metrics",
    "Poll",
    "RetentionLimits",
    "Section",
    "Tunnel",
    "Vault",
    "Web",
]

STALE_INTERVALS = 3


class Section(BaseModel):
    """What all parts of the file have in common: no unknown keys, nothing changes after loading."""

    # hide_input_in_errors: pydantic would print the values, passwords too
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def default_timeout(data: dict[str, float]) -> float:
    return min(60.0, data.get("interval", 60.0))


def default_read_timeout(data: dict[str, float]) -> float:
    return min(30.0, data.get("timeout", 30.0))


def default_connect_timeout(data: dict[str, float]) -> float:
    return min(10.0, data.get("timeout", 10.0))


def default_stale_after(data: dict[str, float]) -> float:
    return STALE_INTERVALS * data.get("interval", 60.0)


class Poll(Section):
    """How often and how patiently devices are asked; all durations are seconds."""

    interval: Duration = 60.0
    timeout: Duration = Field(default_factory=default_timeout)
    read_timeout: Duration = Field(default_factory=default_read_timeout)
    connect_timeout: Duration = Field(default_factory=default_connect_timeout)
    stale_after: Duration = Field(default_factory=default_stale_after)
    workers: Count = 20

    @field_validator("timeout")
    @classmethod
    def _ends_before_the_next(cls, value: float, info: ValidationInfo) -> float:
        return at_most("interval", value, info)

    @field_validator("read_timeout", "connect_timeout")
    @classmethod
    def _ends_within_the_poll(cls, value: float, info: ValidationInfo) -> float:
        return at_most("timeout", value, info)

    @field_validator("stale_after")
    @classmethod
    def _outlives_the_interval(cls, value: float, info: ValidationInfo) -> float:
        interval: float | None = info.data.get("interval")
        if interval is not None and value <= interval:
            raise NotAccepted(f"more than 'interval' ({duration_text(interval)})")
        return value


def at_most(key: str, value: float, info: ValidationInfo) -> float:
    limit: float | None = info.data.get(key)  # missing when it has a mistake of its own
    if limit is not None and value > limit:
        raise NotAccepted(f"at most '{key}' ({duration_text(limit)})")
    return value


class Web(Section):
    listen: ListenAddress = Listen("127.0.0.1", 9818)


class Metrics(Section):
    tier: TierWord = Tier.STANDARD


class HostKeys(Section):
    check: CheckWord = HostKeyCheck.STRICT
    known_hosts: FilePath = Field(default=Path("known_hosts"), validate_default=True)


class RetentionLimits(Section):
    """Seconds and bytes."""

    age: Age = 90 * 86400.0
    size: Size = 500_000_000


class HistoryFile(Section):
    """``path`` is ``None`` where no history is kept."""

    path: HistoryPath = Field(default=Path("history.sqlite"), validate_default=True)
    retention: RetentionLimits = RetentionLimits()


class Vault(Section):
    """HashiCorp Vault, and one way to log in to it: a token, an AppRole, or the pod's account of Kubernetes."""

    address: VaultAddress
    token: SecretSource | None = None
    role_id: UsernameSource | None = None
    secret_id: SecretSource | None = None
    kubernetes_role: Text | None = None
    kubernetes_token: FilePath = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
    auth_mount: Text | None = None
    """Where the way to log in is mounted; ``approle`` or ``kubernetes`` unless said otherwise."""
    namespace: Text | None = None
    ca_file: FilePath | None = None


class Credential(Section):
    """A login; at least one of password, key and agent is there."""

    username: UsernameSource
    password: SecretSource | None = None
    enable: SecretSource | None = None
    key: FilePath | None = None
    passphrase: SecretSource | None = None
    agent: YesNo = False


class Device(Section):
    name: Name
    host: Host
    port: Port = 22
    platform: PlatformWord
    credentials: Name
    interval: Duration | None = None


class Tunnel(Section):
    """A tunnel that must exist; what identifies it is ``local`` and ``remote``, ``interface`` or ``peer``."""

    device: Name
    name: Name
    local: Identity | None = None
    remote: Identity | None = None
    crypto_map: Text | None = None
    interface: Text | None = None
    vrf: Text | None = None
    peer: Address | None = None
    intent: IntentWord | None = None
    owner: Text | None = None
    site: Text | None = None
    description: Text | None = None
    options: tuple[OptionWord, ...] = ()

    def expected(self) -> ExpectedTunnel:
        return ExpectedTunnel(
            device=self.device,
            name=self.name,
            local_ident=self.local,
            remote_ident=self.remote,
            crypto_map=self.crypto_map,
            interface=self.interface,
            vrf=self.vrf,
            peer=self.peer,
            intent=self.intent,
            owner=self.owner,
            site=self.site,
            description=self.description,
            options=frozenset(self.options),
        )


class Config(Section):
    """The whole file."""

    poll: Poll = Poll()
    web: Web = Web()
    metrics: Metrics = Metrics()
    host_keys: HostKeys = HostKeys()
    history: HistoryFile = HistoryFile()
    templates: Templates = BUILT_IN
    vault: Vault | None = None
    credentials: dict[Name, Credential]
    devices: tuple[Device, ...] = Field(min_length=1)
    tunnels: tuple[Tunnel, ...] = ()
    links: tuple[LinkPair, ...] = ()

    def expected_tunnels(self, device: str) -> tuple[ExpectedTunnel, ...]:
        """The tunnels under ``tunnels`` of this device, in the order of the file."""
        return self._tunnels_by_device.get(device, ())

    def configured_links(self, device: str | None = None) -> tuple[ConfiguredLink, ...]:
        """The pairs under ``links`` as written; with a device those of its tunnels, its own end first."""
        if device is not None:
            return self._links_by_device.get(device, ())
        return tuple(
            ConfiguredLink(
                device=pair.one.device,
                tunnel=pair.one.tunnel,
                remote_device=pair.other.device,
                remote_tunnel=pair.other.tunnel,
            )
            for pair in self.links
        )

    @cached_property
    def _tunnels_by_device(self) -> Mapping[str, tuple[ExpectedTunnel, ...]]:
        tunnels: dict[str, list[ExpectedTunnel]] = {}
        for tunnel in self.tunnels:
            tunnels.setdefault(tunnel.device, []).append(tunnel.expected())
        return {device: tuple(expected) for device, expected in tunnels.items()}

    @cached_property
    def _links_by_device(self) -> Mapping[str, tuple[ConfiguredLink, ...]]:
        links: dict[str, list[ConfiguredLink]] = {}
        for pair in self.links:
            for own, other in ((pair.one, pair.other), (pair.other, pair.one)):
                links.setdefault(own.device, []).append(
                    ConfiguredLink(
                        device=own.device,
                        tunnel=own.tunnel,
                        remote_device=other.device,
                        remote_tunnel=other.tunnel,
                    )
                )
        return {device: tuple(pairs) for device, pairs in links.items()}

    def timing(self, device: Device) -> Timing:
        """The durations for this device: its own interval shortens the deadlines and moves the default of stale_after."""
        poll = self.poll
        interval = device.interval or poll.interval
        timeout = min(poll.timeout, interval)
        written = "stale_after" in poll.model_fields_set
        return Timing(
            interval=interval,
            timeout=timeout,
            read_timeout=min(poll.read_timeout, timeout),
            connect_timeout=min(poll.connect_timeout, timeout),
            stale_after=poll.stale_after if written else STALE_INTERVALS * interval,
        )

    def settings(self, device: Device) -> Settings:
        """All that holds for this device."""
        timing = self.timing(device)
        every = {PollTier.TABLES: timing.interval, PollTier.CONFIGURATION: 3600.0}
        return Settings(
            timing=timing,
            transport=Transport.NAPALM,
            credentials=device.credentials,
            plan=Plan(every=every),
        )

    @property
    def limits(self) -> Limits:
        """What bounds the whole of the service."""
        return Limits(workers=self.poll.workers)
