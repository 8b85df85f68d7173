"""What a new configuration changes for devices that are being polled."""

from __future__ import annotations

from dataclasses import dataclass

from ipsecmon.config.models import Config, Device

__all__ = ["Changes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Names of devices, in the order of the new configuration; whatever is not named goes on as it is."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    reconnected: tuple[str, ...] = ()
    """Reached or logged in to in another way: a session that is open is of no use."""
    rescheduled: tuple[str, ...] = ()
    """Polled at another interval."""
    at_restart: tuple[str, ...] = ()
    """Keys that are only looked at when the service starts."""

    @classmethod
    def between(cls, old: Config, new: Config) -> Changes:
        """What makes ``new`` out of ``old``."""
        before = {device.name: device for device in old.devices}
        after = {device.name: device for device in new.devices}
        both = [name for name in after if name in before]
        return cls(
            added=tuple(name for name in after if name not in before),
            removed=tuple(name for name in before if name not in after),
            reconnected=tuple(
                name for name in both if _way(old, before[name]) != _way(new, after[name])
            ),
            rescheduled=tuple(
                name
                for name in both
                if old.settings(before[name]).plan.shortest_seconds
                != new.settings(after[name]).plan.shortest_seconds
            ),
            at_restart=tuple(key for key, was, now in _fixed(old, new) if was != now),
        )


def _way(config: Config, device: Device) -> tuple[object, ...]:
    """Everything that a session is opened with."""
    settings = config.settings(device)
    jumps = [config.jump_hosts[name] for name in settings.jumps]
    return (
        device.host,
        device.port,
        device.platform,
        settings.transport,
        settings.profile,
        settings.persistent,
        settings.timing.connect_timeout,
        settings.timing.read_timeout,
        config.host_keys,
        config.credentials[settings.credentials],
        settings.jumps,
        jumps,
        [config.credentials[jump.credentials] for jump in jumps],
    )


def _fixed(old: Config, new: Config) -> tuple[tuple[str, object, object], ...]:
    return (
        ("web.listen", old.web.listen, new.web.listen),
        ("history", old.history, new.history),
    )
