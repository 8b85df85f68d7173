"""The whole exposition: each metric's HELP and TYPE, then the lines of all devices.

Tunnels whose device has not been read for ``stale_after`` are withdrawn, so that Prometheus marks them stale and no alert
takes an old reading for the present; what is said of the device itself, and which tunnels must be up, stays.

Both formats have the same lines of samples. OpenMetrics names a counter without ``_total`` and an info metric without
``_info`` above them, has units, and ends with ``# EOF``.
"""

from __future__ import annotations

import math
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import accumulate

from ipsecmon import __version__
from ipsecmon.config import HostKeyCheck
from ipsecmon.metrics.catalogue import CATALOGUE, Kind, Metric, PollOutcome
from ipsecmon.metrics.negotiation import Format
from ipsecmon.metrics.render import render
from ipsecmon.metrics.samples import Sample
from ipsecmon.metrics.text import escaped, label_block, number_text
from ipsecmon.store import Entry

__all__ = [
    "CredentialFacts",
    "ExporterFacts",
    "HistoryFacts",
    "HostKeyFacts",
    "LatenessFacts",
    "LoginFacts",
    "exposition",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryFacts:
    """How the history does; the counts are since the start."""

    is_writable: bool
    events: int
    write_errors: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginFacts:
    """Logins since the start; ``wait_seconds`` is ``None`` where nothing limits them."""

    total: int
    failed: int
    wait_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LatenessFacts:
    """How late polls began since the start: ``counts`` has those up to each of the bounds, and those beyond as the last."""

    bounds_seconds: tuple[float, ...]
    counts: tuple[int, ...]
    sum_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialFacts:
    """How devices take one credential."""

    is_rested: bool
    rejections: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HostKeyFacts:
    """How host keys are checked, and how many devices are spoken to without."""

    mode: HostKeyCheck
    unverified: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReloadFacts:
    """How the configuration was read last, and what each source of devices said; ``success_at`` is in Unix seconds."""

    is_successful: bool
    success_at: float
    failures: int
    devices: Mapping[str, int]
    left_out: Mapping[str, int]
    failed_sources: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExporterFacts:
    """What the exporter says of itself; ``None`` is not known, and left out.

    ``history`` is ``None`` where none is kept, ``reload`` where there is no configuration file to read again.
    ``lateness`` is by lane, ``credentials`` by name in the configuration, ``process`` by name of the metric.
    """

    sessions_open: int
    jobs_missed: int
    scheduler_lag_seconds: float = 0.0
    collections_in_flight: int = 0
    history: HistoryFacts | None = None
    polls: Mapping[PollOutcome, int] | None = None
    lateness: Mapping[str, LatenessFacts] | None = None
    logins: LoginFacts | None = None
    credentials: Mapping[str, CredentialFacts] | None = None
    host_keys: HostKeyFacts | None = None
    reload: ReloadFacts | None = None
    process: Mapping[str, float] | None = None


def exposition(
    entries: Mapping[str, Entry],
    facts: ExporterFacts | None,
    stale_after: Mapping[str, float],
    now: float,
    form: Format = Format.TEXT,
) -> bytes:
    """The body of ``/metrics``; without ``facts`` only of the devices.

    ``stale_after`` is in seconds, by device; one that is not in it is polled no more, and left out.
    """
    entries = {device: entry for device, entry in entries.items() if device in stale_after}
    own = {**render(_own_samples(facts)), **_lateness(facts)} if facts is not None else {}
    fresh = [e.exposition for d, e in entries.items() if not _is_stale(e, stale_after[d], now)]
    everything = [entry.exposition for entry in entries.values()]
    parts: list[bytes] = []
    for metric in CATALOGUE:
        name = metric.name
        sources = everything if metric.outlives_staleness else fresh
        lines = [source[name] for source in (own, *sources) if name in source]
        if lines:
            parts.append(_header(metric, form))
            parts += lines
    if form is Format.OPENMETRICS:
        parts.append(b"# EOF\n")
    return b"".join(parts)


def _own_samples(facts: ExporterFacts) -> Iterator[Sample]:
    prefix = "cisco_ipsec_exporter_"
    build = (("version", __version__), ("python_version", platform.python_version()))
    yield prefix + "build_info", label_block(*build), 1
    yield prefix + "sessions_open", "", facts.sessions_open
    yield prefix + "jobs_missed_total", "", facts.jobs_missed
    yield prefix + "scheduler_lag_seconds", "", facts.scheduler_lag_seconds
    yield prefix + "collections_in_flight", "", facts.collections_in_flight
    yield from _collecting_samples(facts)
    history = facts.history
    if history is not None:
        yield prefix + "history_writable", "", history.is_writable
        yield prefix + "history_events_total", "", history.events
        yield prefix + "history_write_errors_total", "", history.write_errors
        yield prefix + "history_size_bytes", "", history.size_bytes
    if facts.reload is not None:
        yield from _reload_samples(facts.reload)
    for name, value in (facts.process or {}).items():
        yield name, "", value


def _reload_samples(facts: ReloadFacts) -> Iterator[Sample]:
    prefix = "cisco_ipsec_exporter_"
    yield prefix + "config_last_reload_successful", "", facts.is_successful
    yield prefix + "config_last_reload_success_timestamp_seconds", "", facts.success_at
    for source, devices in facts.devices.items():
        labels = label_block(("source", source))
        yield prefix + "inventory_devices", labels, devices
        yield prefix + "inventory_hosts_left_out", labels, facts.left_out[source]
        yield prefix + "inventory_source_up", labels, source not in facts.failed_sources


def _lateness(facts: ExporterFacts) -> dict[str, bytes]:
    """The one histogram: cumulative buckets, sum and count of each lane."""
    name = "cisco_ipsec_exporter_poll_lateness_seconds"
    lines: list[str] = []
    for lane, late in (facts.lateness or {}).items():
        bounds = (*late.bounds_seconds, math.inf)
        for bound, count in zip(bounds, accumulate(late.counts), strict=True):
            labels = label_block(("lane", lane), ("le", number_text(bound)))
            lines.append(f"{name}_bucket{labels} {number_text(count)}\n")
        labels = label_block(("lane", lane))
        lines.append(f"{name}_count{labels} {number_text(sum(late.counts))}\n")
        lines.append(f"{name}_sum{labels} {number_text(late.sum_seconds)}\n")
    return {name: "".join(lines).encode()} if lines else {}


def _collecting_samples(facts: ExporterFacts) -> Iterator[Sample]:
    prefix = "cisco_ipsec_exporter_"
    for outcome, count in (facts.polls or {}).items():
        yield prefix + "polls_total", label_block(("outcome", outcome.value)), count
    logins = facts.logins
    if logins is not None:
        yield prefix + "logins_total", "", logins.total
        yield prefix + "logins_failed_total", "", logins.failed
        if logins.wait_seconds is not None:
            yield prefix + "login_wait_seconds_total", "", logins.wait_seconds
    for name, credential in (facts.credentials or {}).items():
        labels = label_block(("credential", name))
        yield prefix + "credential_rested", labels, credential.is_rested
        yield prefix + "credential_rejections_total", labels, credential.rejections
    host_keys = facts.host_keys
    if host_keys is not None:
        for mode in HostKeyCheck:
            labels = label_block(("mode", mode.value))
            yield prefix + "host_key_checking", labels, mode is host_keys.mode
        yield prefix + "host_keys_unverified", "", host_keys.unverified


def _is_stale(entry: Entry, stale_after: float, now: float) -> bool:
    """A device that was never read has tunnels only from before a restart: as old as that."""
    read_at = entry.result.read_at
    return read_at is None or now - read_at > stale_after


@cache
def _header(metric: Metric, form: Format) -> bytes:
    if form is Format.OPENMETRICS:
        name = metric.family
        kind = Kind.GAUGE if metric.kind is Kind.STATESET else metric.kind
        unit = f"# UNIT {name} {metric.unit}\n" if metric.unit else ""
        return f"# HELP {name} {escaped(metric.help)}\n# TYPE {name} {kind}\n{unit}".encode()
    name = metric.name
    kind = metric.kind if metric.kind in (Kind.COUNTER, Kind.HISTOGRAM) else Kind.GAUGE
    text = metric.help.replace("\\", r"\\").replace("\n", r"\n")
    return f"# HELP {name} {text}\n# TYPE {name} {kind}\n".encode()
