"""Every key of the configuration file, its type and its default. CONFIGURATION.md describes them one by one."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from ipsecmon.config.mistakes import NotAccepted
from ipsecmon.config.readings import (
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
    SecretSource,
    Size,
    Templates,
    Tier,
    TierWord,
    Username,
    duration_text,
)
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
    "Timing",
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


class Credential(Section):
    username: Username
    password: SecretSource
    enable: SecretSource | None = None


class Device(Section):
    name: Name
    host: Host
    port: Port = 22
    platform: PlatformWord
    credentials: Name
    interval: Duration | None = None


class Timing(NamedTuple):
    """The durations that hold for one device, in seconds."""

    interval: float
    timeout: float
    read_timeout: float
    connect_timeout: float
    stale_after: float


class Config(Section):
    """The whole file."""

    poll: Poll = Poll()
    web: Web = Web()
    metrics: Metrics = Metrics()
    host_keys: HostKeys = HostKeys()
    history: HistoryFile = HistoryFile()
    templates: Templates = BUILT_IN
    credentials: dict[Name, Credential]
    devices: tuple[Device, ...] = Field(min_length=1)

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
