"""The devices of a configuration with their sources and settings, for ``ipsecmon inventory``."""

from __future__ import annotations

from collections.abc import Iterator

from ipsecmon.config import Config, Device, duration_text
from ipsecmon.inventory import Collected
from ipsecmon_parsers.documents import Json

__all__ = ["inventory_document", "inventory_lines"]


def inventory_document(collected: Collected) -> dict[str, Json]:
    """What ``--json`` prints; durations are seconds."""
    devices: list[Json] = [
        {
            "name": device.name,
            "source": collected.source_of[device.name],
            "host": device.host,
            "port": device.port,
            "platform": device.platform.value,
            "groups": list(device.groups),
            **_settings(collected.config, device),
        }
        for device in collected.config.devices
    ]
    left_out: list[Json] = [
        {"source": one.source, "name": one.name, "reason": one.reason} for one in collected.left_out
    ]
    failed: dict[str, Json] = dict(collected.failed)
    return {"devices": devices, "left_out": left_out, "failed": failed}


def _settings(config: Config, device: Device) -> dict[str, Json]:
    settings = config.settings(device)
    timing = settings.timing
    plan: dict[str, Json] = {tier.value: pace for tier, pace in settings.plan.every.items()}
    return {
        "credentials": settings.credentials,
        "transport": settings.transport.value,
        "ssh_profile": settings.profile.value,
        "jumps": list(settings.jumps),
        "persistent": settings.persistent,
        "max_session_age": settings.max_session_age,
        "interval": timing.interval,
        "timeout": timing.timeout,
        "read_timeout": timing.read_timeout,
        "connect_timeout": timing.connect_timeout,
        "stale_after": timing.stale_after,
        "plan": plan,
        "cpu_limit": settings.plan.cpu_limit_percent,
    }


def inventory_lines(collected: Collected) -> Iterator[str]:
    """A table for people; not every setting."""
    rows: list[tuple[str, ...]] = [
        ("DEVICE", "ADDRESS", "PLATFORM", "EVERY", "BY", "THROUGH", "LOGIN", "GROUPS", "FROM")
    ]
    rows += [_row(collected, device) for device in collected.config.devices]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def _row(collected: Collected, device: Device) -> tuple[str, ...]:
    settings = collected.config.settings(device)
    address = device.host if device.port == 22 else f"{_in_brackets(device.host)}:{device.port}"
    return (
        device.name,
        address,
        device.platform.value,
        duration_text(settings.timing.interval),
        f"{settings.transport}/{settings.profile}",
        " > ".join(settings.jumps) or "-",
        settings.credentials,
        ",".join(device.groups) or "-",
        collected.source_of[device.name],
    )


def _in_brackets(host: str) -> str:
    return f"[{host}]" if ":" in host else host
