"""The shipped configuration of Prometheus and Alertmanager, made to fit an emulated network on loopback.

Only addresses, paths, intervals and receivers are replaced. Jobs, labels, routes, grouping and inhibition stay as they are in
``deploy/``, so that what a test proves is what is shipped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

import yaml

from ipsecmon.alerting.timescale import duration

__all__ = ["StackFileError", "alertmanager_configuration", "prometheus_configuration"]

_INTERVALS: Final = ("group_wait", "group_interval", "repeat_interval")
_UNIT_SECONDS: Final = {
    "ms": 0.001,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86400.0,
    "w": 604800.0,
}
_DISCOVERIES: Final = ("static_configs", "http_sd_configs", "file_sd_configs", "dns_sd_configs")
# Alertmanager refuses an interval of zero and has nothing to gain from a shorter one
_SHORTEST_SECONDS: Final = 0.5


class StackFileError(Exception):
    """A file of ``deploy/`` is not what it is expected to be."""


def prometheus_configuration(
    path: Path,
    *,
    targets: Mapping[str, str],
    alertmanager: str,
    rules: Path,
    interval_seconds: float,
) -> str:
    """``deploy/prometheus.yml`` with ``targets`` (job to ``host:port``), one rule file and short intervals."""
    configuration = _load(path)
    interval = duration(interval_seconds)
    configuration["global"] = {
        **configuration.get("global", {}),
        "scrape_interval": interval,
        "scrape_timeout": interval,
        "evaluation_interval": interval,
    }
    configuration["rule_files"] = [str(rules)]
    for job in _entries(configuration, "scrape_configs", path):
        name = str(job.get("job_name"))
        if name not in targets:
            raise StackFileError(
                f"{path}: found the job {name!r}, expected one of {', '.join(targets)}"
            )
        _point_at(job, targets[name])
        for key in ("scrape_interval", "scrape_timeout"):
            job.pop(key, None)
    alerting = configuration.get("alerting")
    if not alerting:
        raise StackFileError(
            f"{path}: found no 'alerting', expected the addresses of Alertmanager there"
        )
    for receiver in _entries(alerting, "alertmanagers", path):
        _point_at(receiver, alertmanager)
    return yaml.safe_dump(configuration, sort_keys=False)


def alertmanager_configuration(path: Path, *, webhook_url: str, speed: float) -> str:
    """``deploy/alertmanager.yml`` with every receiver a webhook and every interval of a route ``speed`` times as short."""
    configuration = _load(path)
    configuration.pop("templates", None)
    configuration["receivers"] = [
        {
            "name": receiver["name"],
            "webhook_configs": [{"url": webhook_url, "send_resolved": True, "max_alerts": 0}],
        }
        for receiver in _entries(configuration, "receivers", path)
    ]
    if "route" not in configuration:
        raise StackFileError(f"{path}: found no 'route', expected one that leads to a receiver")
    _hasten(configuration["route"], speed)
    return yaml.safe_dump(configuration, sort_keys=False)


def _load(path: Path) -> dict[str, Any]:
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StackFileError(
            f"{path} cannot be read ({error.strerror}): expected the folder deploy/ of ipsecmon's repository"
        ) from error
    except yaml.YAMLError as error:
        raise StackFileError(f"{path} is not YAML: {error}") from error
    if not isinstance(loaded, dict):
        raise StackFileError(f"{path}: found no keys, expected a configuration")
    return cast("dict[str, Any]", loaded)


def _entries(within: dict[str, Any], key: str, path: Path) -> list[dict[str, Any]]:
    entries = within.get(key)
    if not entries:
        raise StackFileError(f"{path}: found no {key!r}, expected one or more")
    return cast("list[dict[str, Any]]", entries)


def _point_at(job: dict[str, Any], address: str) -> None:
    """Give a job one address in the place of those it has; labels of the targets stay."""
    labels: dict[str, Any] = {}
    for known in job.get("static_configs", ()):
        labels.update(known.get("labels", {}))
    for discovery in _DISCOVERIES:
        job.pop(discovery, None)
    job["static_configs"] = [{"targets": [address], **({"labels": labels} if labels else {})}]


def _hasten(route: dict[str, Any], speed: float) -> None:
    for key in _INTERVALS:
        if key in route:
            route[key] = duration(max(_seconds(str(route[key])) / speed, _SHORTEST_SECONDS))
    for child in cast("list[dict[str, Any]]", route.get("routes", [])):
        _hasten(child, speed)


def _seconds(text: str) -> float:
    """``1h30m`` as 5400."""
    parts = re.findall(r"(\d+)(ms|[smhdw])", text)
    if not parts or "".join(count + unit for count, unit in parts) != text:
        raise StackFileError(f"{text!r} is not a duration of Prometheus, such as 5m or 1h30m")
    return sum(int(count) * _UNIT_SECONDS[unit] for count, unit in parts)
