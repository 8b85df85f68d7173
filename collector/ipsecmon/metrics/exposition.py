"""The whole exposition: each metric's HELP and TYPE, then the lines of all devices.

Tunnels whose device has not been read for ``stale_after`` are withdrawn, so that Prometheus marks them stale and no alert
takes an old reading for the present; what is said of the device itself stays.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from ipsecmon import __version__
from ipsecmon.metrics.catalogue import CATALOGUE, Metric
from ipsecmon.metrics.render import render
from ipsecmon.store import Entry

__all__ = ["CONTENT_TYPE", "ExporterFacts", "exposition"]

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


@dataclass(frozen=True, slots=True, kw_only=True)
class ExporterFacts:
    """What the exporter says of itself."""

    sessions_open: int
    jobs_missed: int


def exposition(
    entries: Mapping[str, Entry],
    facts: ExporterFacts,
    stale_after: Mapping[str, float],
    now: float,
) -> bytes:
    """The body of ``/metrics``; ``stale_after`` is in seconds, by device."""
    parts: list[bytes] = []
    own = render(
        [
            (
                "cisco_ipsec_exporter_build_info",
                (__version__, platform.python_version()),
                1.0,
            ),
            ("cisco_ipsec_exporter_sessions_open", (), float(facts.sessions_open)),
            ("cisco_ipsec_exporter_jobs_missed_total", (), float(facts.jobs_missed)),
        ]
    )
    fresh = [e.exposition for d, e in entries.items() if not _is_stale(e, stale_after[d], now)]
    everything = [entry.exposition for entry in entries.values()]
    for metric in CATALOGUE:
        lines = [own[metric.name]] if metric.name in own else []
        sources = everything if metric.outlives_staleness else fresh
        lines += [source[metric.name] for source in sources if metric.name in source]
        if lines:
            parts += [_header(metric), *lines]
    return b"".join(parts)


def _is_stale(entry: Entry, stale_after: float, now: float) -> bool:
    read_at = entry.result.read_at
    return read_at is not None and now - read_at > stale_after


def _header(metric: Metric) -> bytes:
    text = metric.help.replace("\\", r"\\")
    return f"# HELP {metric.name} {text}\n# TYPE {metric.name} {metric.kind}\n".encode()
