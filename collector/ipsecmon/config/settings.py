"""What holds for one device once groups and defaults are resolved: the form in which the rest of the service takes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

__all__ = ["Limits", "Plan", "PollTier", "Settings", "SshProfile", "Timing", "Transport"]


class Transport(StrEnum):
    """Which session talks to a device."""

    NAPALM = "napalm"
    ASYNCSSH = "asyncssh"
    AUTO = "auto"
    """asyncssh for devices of every profile but the modern one and in large fleets, napalm otherwise; never in ``Settings``."""


class SshProfile(StrEnum):
    """Which SSH algorithms are offered to a device; each profile holds those before it."""

    MODERN = "modern"
    """No SHA-1, no CBC: IOS-XE 17 and later, ASA 9.16 and later."""
    COMPAT = "compat"
    """And host keys and key exchanges with SHA-1 in groups of 2048 bits and more: IOS-XE 16, late IOS 15."""
    LEGACY = "legacy"
    """And group 1, CBC and 3DES: IOS 12 and 15."""


class PollTier(StrEnum):
    """Kinds of commands by what they cost and how fast their answers age."""

    COUNTS = "counts"
    """A line or two, cheap for the device: how many SAs there are."""
    TABLES = "tables"
    """The SA tables themselves: read at the interval."""
    CONFIGURATION = "configuration"
    """What changes when somebody configures something; read again when the tables hint at a change, too."""


class Timing(NamedTuple):
    """The durations that hold for one device, in seconds."""

    interval: float
    timeout: float
    read_timeout: float
    connect_timeout: float
    stale_after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How often each tier is asked, in seconds. A tier that is not there is not asked for."""

    every: Mapping[PollTier, float] = field(
        default_factory=lambda: MappingProxyType(
            {PollTier.TABLES: 60.0, PollTier.CONFIGURATION: 3600.0}
        )
    )
    cpu_limit_percent: int | None = None
    """Above this load over five seconds the tables are left out of a poll; ``None`` does not look."""

    @property
    def shortest_seconds(self) -> float:
        """How often the device is polled: at least one tier is due then."""
        return min(self.every.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that groups and defaults can say of a device."""

    timing: Timing
    transport: Transport
    """``NAPALM`` or ``ASYNCSSH``: ``AUTO`` is decided here."""
    profile: SshProfile = SshProfile.MODERN
    credentials: str
    jumps: tuple[str, ...] = ()
    """Names under ``jump_hosts``, the first hop first, chains resolved."""
    persistent: bool = True
    """Keep the session between polls."""
    max_session_age: float = 86400.0
    """Seconds after which a kept session is opened anew, between two polls."""
    plan: Plan = Plan()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What bounds the whole of the service."""

    workers: int = 50
    """Devices that answer, polled at the same time."""
    login_workers: int = 20
    """Devices polled at the same time that have not answered yet or answer no more: they never take a place above."""
    logins_per_second: float = 10.0
    commands_in_flight: int = 200
    backoff_longest: float = 900.0
    """Seconds between two attempts at a device that fails to be reached, at most; the first is one interval."""
    rejections: int = 3
    """Refusals of one credential by different devices, without a success between, that rest it."""
    rest_seconds: float = 900.0
    """How long a credential rests, if its secret does not change."""
