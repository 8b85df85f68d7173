"""Every key of the configuration file, its type and its default. CONFIGURATION.md describes them one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from ipsecmon.config.mistakes import NotAccepted
from ipsecmon.config.plugin_options import Options
from ipsecmon.config.readings import (
    Address,
    Age,
    CheckWord,
    Commands,
    Count,
    CpuLimit,
    Duration,
    FewTimes,
    FilePath,
    FleetSize,
    HeaderName,
    HistoryPath,
    Host,
    HostKeyCheck,
    JumpName,
    Listen,
    ListenAddress,
    Name,
    PlatformWord,
    PluginName,
    Port,
    ProfileWord,
    Rate,
    Size,
    Switch,
    Templates,
    Text,
    Tier,
    TierPace,
    TierWord,
    TransportWord,
    Url,
    duration_text,
)
from ipsecmon.config.secret_sources import (
    SecretSource,
    UsernameSource,
    VaultAddress,
    YesNo,
)
from ipsecmon.config.settings import (
    Limits,
    Plan,
    PollTier,
    Settings,
    SshProfile,
    Timing,
    Transport,
)
from ipsecmon.config.tunnel_readings import Identity, IntentWord, LinkPair, OptionWord
from ipsecmon.model import ConfiguredLink, ExpectedTunnel
from ipsecmon_parsers.registry import BUILT_IN

__all__ = [
    "Config",
    "Credential",
    "Defaults",
    "Device",
    "DeviceSettings",
    "Group",
    "HistoryFile",
    "HostKeys",
    "Jump",
    "Metrics",
    "Poll",
    "PollingPlan",
    "RetentionLimits",
    "Section",
    "Source",
    "Ssh",
    "Tunnel",
    "Vault",
    "Web",
]

STALE_INTERVALS = 3
CONFIGURATION_SECONDS = 3600.0
NO_JUMP = "none"


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


class PollingPlan(Section):
    """Seconds between two readings of a tier, ``None`` for a tier that is off; what is not set is inherited."""

    counts: TierPace = None
    tables: TierPace = None
    configuration: TierPace = None


class Poll(Section):
    """How often and how patiently devices are asked; all durations are seconds."""

    interval: Duration = 60.0
    timeout: Duration = Field(default_factory=default_timeout)
    read_timeout: Duration = Field(default_factory=default_read_timeout)
    connect_timeout: Duration = Field(default_factory=default_connect_timeout)
    stale_after: Duration = Field(default_factory=default_stale_after)
    workers: Count = 50
    login_workers: Count = 20
    commands_in_flight: Commands = 200
    backoff_longest: Duration = 900.0
    plan: PollingPlan = PollingPlan()

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


class Ssh(Section):
    """How devices are logged in to, where neither they nor their groups say otherwise."""

    transport: TransportWord = Transport.AUTO
    fleet_size: FleetSize = 500
    profile: ProfileWord = SshProfile.MODERN
    persistent: Switch = True
    max_session_age: Duration = 86400.0
    jump: JumpName = NO_JUMP
    logins_per_second: Rate = 10.0
    rejections: FewTimes = 3
    rest: Duration = 900.0


class Jump(Section):
    """An SSH server on the way to devices; ``via`` is the one before it."""

    host: Host
    port: Port = 22
    credentials: Name
    profile: ProfileWord = SshProfile.MODERN
    via: Name | None = None


class DeviceSettings(Section):
    """What a device, or a group for its devices, says in place of ``poll`` and ``ssh``; ``None`` says nothing."""

    groups: tuple[Name, ...] = ()
    interval: Duration | None = None
    timeout: Duration | None = None
    read_timeout: Duration | None = None
    connect_timeout: Duration | None = None
    stale_after: Duration | None = None
    transport: TransportWord | None = None
    ssh_profile: ProfileWord | None = None
    jump: JumpName | None = None
    persistent: Switch | None = None
    max_session_age: Duration | None = None
    plan: PollingPlan = PollingPlan()
    cpu_limit: CpuLimit = None


class Defaults(Section):
    """What holds for every device that neither says it nor has a group that does."""

    port: Port | None = None
    platform: PlatformWord | None = None
    credentials: Name | None = None
    cpu_limit: CpuLimit = None


class Reached(Section):
    port: Port | None = None
    platform: PlatformWord | None = None
    credentials: Name | None = None


class Group(DeviceSettings, Reached):
    """Settings that several devices share; ``groups`` are those it takes settings from itself."""


class Addressed(Section):
    name: Name
    host: Host
    port: Port = 22
    platform: PlatformWord
    credentials: Name


class Device(DeviceSettings, Addressed):
    """A device with all that it inherits: its own words first, then its groups in order, depth first, then defaults."""


class Source(Section):
    """Where devices come from; one of ``file``, ``file_sd``, ``http_sd`` and ``nornir`` is there.

    ``groups`` stand behind those that the source itself gives a device.
    """

    file: FilePath | None = None
    file_sd: FilePath | None = None
    http_sd: Url | None = None
    nornir: PluginName | None = None
    options: Options = Field(default_factory=dict[str, object])
    token: SecretSource | None = None
    headers: dict[HeaderName, SecretSource] = Field(default_factory=dict[HeaderName, SecretSource])
    ca: FilePath | None = None
    refresh: Duration | None = None
    groups: tuple[Name, ...] = ()

    @property
    def label(self) -> str:
        """How the source is called in logs and metrics."""
        place = self.file or self.file_sd or self.http_sd
        return f"nornir:{self.nornir}" if place is None else str(place)


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
    ssh: Ssh = Ssh()
    web: Web = Web()
    metrics: Metrics = Metrics()
    host_keys: HostKeys = HostKeys()
    history: HistoryFile = HistoryFile()
    templates: Templates = BUILT_IN
    vault: Vault | None = None
    credentials: dict[Name, Credential]
    jump_hosts: dict[Name, Jump] = Field(default_factory=dict[Name, Jump])
    defaults: Defaults = Defaults()
    groups: dict[Name, Group] = Field(default_factory=dict[Name, Group])
    inventory: tuple[Source, ...] = ()
    devices: tuple[Device, ...] = ()
    tunnels: tuple[Tunnel, ...] = ()
    links: tuple[LinkPair, ...] = ()

    def with_devices(self, more: Iterable[Device]) -> Config:
        """The same with these behind its own; devices of other sources change nothing else."""
        sections = {name: getattr(self, name) for name in self.model_fields_set}
        return Config.model_validate({**sections, "devices": (*self.devices, *more)})

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

    def settings(self, device: Device) -> Settings:
        """All that holds for this device."""
        ssh = self.ssh
        profile = device.ssh_profile or ssh.profile
        plan = self._plan(device)
        return Settings(
            timing=self._timing(device, plan),
            transport=self._transport(device.transport or ssh.transport, profile),
            profile=profile,
            credentials=device.credentials,
            jumps=self._jumps(device.jump or ssh.jump),
            persistent=ssh.persistent if device.persistent is None else device.persistent,
            max_session_age=device.max_session_age or ssh.max_session_age,
            plan=plan,
        )

    @property
    def limits(self) -> Limits:
        """What bounds the whole of the service."""
        return Limits(
            workers=self.poll.workers,
            login_workers=self.poll.login_workers,
            logins_per_second=self.ssh.logins_per_second,
            commands_in_flight=self.poll.commands_in_flight,
            backoff_longest=self.poll.backoff_longest,
            rejections=self.ssh.rejections,
            rest_seconds=self.ssh.rest,
        )

    def _timing(self, device: Device, plan: Plan) -> Timing:
        """A device's own interval shortens the deadlines and moves the default of stale_after."""
        poll = self.poll
        interval = device.interval or poll.interval
        timeout = min(device.timeout or poll.timeout, interval)
        stale_after = device.stale_after
        if stale_after is None and "stale_after" in poll.model_fields_set:
            stale_after = poll.stale_after
        if stale_after is None:
            stale_after = STALE_INTERVALS * max(interval, plan.every.get(PollTier.TABLES, 0.0))
        return Timing(
            interval=interval,
            timeout=timeout,
            read_timeout=min(device.read_timeout or poll.read_timeout, timeout),
            connect_timeout=min(device.connect_timeout or poll.connect_timeout, timeout),
            stale_after=stale_after,
        )

    def _plan(self, device: Device) -> Plan:
        paces: dict[PollTier, float | None] = {
            PollTier.TABLES: device.interval or self.poll.interval,
            PollTier.CONFIGURATION: CONFIGURATION_SECONDS,
        }
        for plan in (self.poll.plan, device.plan):
            for key in plan.model_fields_set:
                paces[PollTier(key)] = getattr(plan, key)
        every = {tier: paces[tier] for tier in PollTier if tier in paces}
        return Plan(
            every={tier: pace for tier, pace in every.items() if pace is not None},
            cpu_limit_percent=device.cpu_limit,
        )

    def _transport(self, written: Transport, profile: SshProfile) -> Transport:
        if written is not Transport.AUTO:
            return written
        # what paramiko 5 cannot speak any more starts with the host keys of the profile compat
        is_old = profile is not SshProfile.MODERN
        is_large = len(self.devices) >= self.ssh.fleet_size
        return Transport.ASYNCSSH if is_old or is_large else Transport.NAPALM

    def jumps_before(self, name: str) -> tuple[str, ...]:
        """The jump hosts on the way to this one, the first hop first."""
        return self._jumps(name)[:-1]

    def _jumps(self, last: str) -> tuple[str, ...]:
        """The way that ends at this jump host, the first hop first."""
        way: list[str] = []
        name: str | None = None if last == NO_JUMP else last
        while name is not None:
            way.insert(0, name)
            name = self.jump_hosts[name].via
        return tuple(way)
