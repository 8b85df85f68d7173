"""Wires a configuration into a running monitor; the only place where the parts meet."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from ipsecmon.config import Config, HostKeyCheck
from ipsecmon.credentials import Logins
from ipsecmon.history import History, Retention
from ipsecmon.inventory import Inventory, Watcher
from ipsecmon.log import Redactor
from ipsecmon.metrics import (
    ExporterFacts,
    HistoryFacts,
    LatenessFacts,
    PollOutcome,
    ReloadFacts,
    process_facts,
)
from ipsecmon.model import Event
from ipsecmon.poller import Poller
from ipsecmon.schedule import Lane, Lateness, PollScheduler
from ipsecmon.server import HttpServer
from ipsecmon.sessions.known_hosts import HostKeyStore, known_hosts_problems
from ipsecmon.web import WebContext, create_app
from ipsecmon_parsers.records import Platform
from ipsecmon_parsers.registry import UserTemplate

__all__ = ["Monitor", "problems", "templates_in_use"]

log = logging.getLogger(__name__)


def problems(config: Config, logins: Logins | None = None) -> list[str]:
    """What will keep devices from being polled although the file is well formed, a sentence each.

    Looks up every secret, with ``logins`` if they are there, which keep what was costly to get.
    """
    logins = logins or Logins(config.credentials, config.vault)
    found = [str(error) for error in logins.check()]
    store = HostKeyStore(config.host_keys.known_hosts)
    match config.host_keys.check:
        case HostKeyCheck.STRICT:
            # the key of a device behind jump hosts is known by the address that the last of them connects to
            devices = [(device.name, device.host, device.port) for device in config.devices]
            jumps = [(name, jump.host, jump.port) for name, jump in config.jump_hosts.items()]
            found += known_hosts_problems(store, [*devices, *jumps])
        case HostKeyCheck.TOFU:
            # a file that is not there is made with the first key
            found += [] if store.is_missing else known_hosts_problems(store, ())
        case HostKeyCheck.OFF:
            found.append(
                "host_keys.check is off: any machine that answers at a device's address gets the password"
            )
    return found


def templates_in_use(config: Config) -> list[str]:
    """What the user's templates do, a sentence each; one that does nothing for these devices says so."""
    registry = config.templates
    if registry.folder is None:
        return []
    if not registry.user_templates:
        folders = ", ".join(str(registry.folder / platform) for platform in Platform)
        return [f"{registry.folder}: no template in it; templates belong into {folders}"]
    polled = {device.platform for device in config.devices}
    return [f"{one.file}: {_use(one, one.platform in polled)}" for one in registry.user_templates]


def _use(template: UserTemplate, is_polled: bool) -> str:
    if template.is_override:
        unused = "" if is_polled else f"; no device here is {template.platform}"
        return f"takes the place of ours on {template.platform}{unused}"
    meant = f"; or is {template.near} meant, which is ours?" if template.near else ""
    command = template.commands[0]
    return f"adds {command!r} on {template.platform}; it is read from files, not polled{meant}"


class Monitor:
    """The service: polls on schedule, serves what it knows; ``start`` returns at once."""

    def __init__(
        self,
        config: Config,
        redactor: Redactor | None = None,
        on_event: Callable[[Event], None] | None = None,
        inventory: Inventory | None = None,
    ) -> None:
        """With an ``inventory`` the configuration is read again when it changes; ``config`` is what it collects then."""
        collected = inventory.collect(reread=False, refetch=False) if inventory else None
        self._config = config if collected is None else collected.config
        config = self._config
        self._told: set[str] = set()
        self.history = _history(config, redactor)
        self.poller = Poller(config, redactor, on_event=on_event, history=self.history)
        self._scheduler = PollScheduler(
            self._poll,
            self.poller.lane,
            workers=config.limits.workers,
            login_workers=config.limits.login_workers,
        )
        for name, interval in _intervals(config).items():
            self._scheduler.add(name, interval)
        self.watcher: Watcher | None = None
        if inventory is not None and collected is not None:
            self.watcher = Watcher(inventory, collected, lambda newer: self.apply(newer.config))
        self.context = WebContext(
            store=self.poller.store,
            stale_after=_stale_after(config),
            facts=self._facts,
            clock=time.time,
            reload=self.watcher.reload if self.watcher else None,
        )
        listen = config.web.listen
        self._server = HttpServer(create_app(self.context), listen.host, listen.port)
        self.url = f"http://{_host_in_url(listen.host)}:{self._server.port}"
        self._tell_problems(config)
        for line in templates_in_use(config):
            log.info("%s", line)

    def start(self) -> None:
        """Listen, then poll; a history that cannot be written is told now."""
        if self.history is not None:
            self.history.open()
        self._server.start()
        self._scheduler.start()
        if self.watcher is not None:
            self.watcher.start()

    def apply(self, config: Config) -> None:
        """Go on with this configuration; a device that it does not change notices nothing."""
        old, self._config = self._config, config
        changes = self.poller.apply(config)
        self.context.stale_after = _stale_after(config)
        for name in changes.removed:
            self._scheduler.remove(name)
        self._scheduler.limit(config.limits.workers, config.limits.login_workers)
        intervals = _intervals(config)
        for name in changes.added:
            self._scheduler.add(name, intervals[name])
        for name in changes.rescheduled:
            self._scheduler.reschedule(name, intervals[name])
        for name in changes.reconnected:
            self._scheduler.hasten(name)
        for key in changes.at_restart:
            self._tell_once(f"{key} has changed; this takes effect when ipsecmon is started again")
        self._tell_problems(config)
        if changes.added or changes.removed:
            log.info("devices: %d, before: %d", len(config.devices), len(old.devices))

    def forget(self, name: str) -> None:
        """Something about a device or its login was changed: it is polled now, in a new session."""
        self.poller.forget(name)
        self._scheduler.hasten(name)

    def reload_soon(self) -> None:
        """Read the configuration and all sources again; returns at once, fit for a signal handler."""
        if self.watcher is not None:
            self.watcher.request()

    def stop(self) -> None:
        """Stop polling, end the sessions, finish the requests under way: each has its time, most of it the same."""
        self._server.begin_to_stop()
        if self.watcher is not None:
            self.watcher.stop()
        self._scheduler.stop()
        self.poller.close()
        if self.history is not None:
            self.history.close()
        self._server.stop()

    def _poll(self, name: str) -> bool:
        return self.poller.poll_unless_busy(name)

    def _tell_problems(self, config: Config) -> None:
        for problem in problems(config, self.poller.logins):
            self._tell_once(problem)

    def _tell_once(self, problem: str) -> None:
        if problem not in self._told:
            self._told.add(problem)
            log.warning("%s", problem)

    def _facts(self) -> ExporterFacts:
        return ExporterFacts(
            sessions_open=self.poller.sessions.open_count,
            jobs_missed=self._scheduler.missed,
            scheduler_lag_seconds=self._scheduler.lag_seconds,
            collections_in_flight=self.poller.in_flight,
            history=self._history_facts(),
            polls={
                **self.poller.polls(),
                PollOutcome.SKIPPED: self._scheduler.rested,
                PollOutcome.MISSED: self._scheduler.missed,
            },
            lateness={
                lane.name.lower(): _lateness(self._scheduler.lateness(lane))
                for lane in (Lane.LIVING, Lane.LOGIN)
            },
            logins=self.poller.login_facts(),
            credentials=self.poller.credential_facts(),
            host_keys=self.poller.host_key_facts(),
            reload=self._reload_facts(),
            process=process_facts(),
        )

    def _reload_facts(self) -> ReloadFacts | None:
        if self.watcher is None:
            return None
        health = self.watcher.health
        return ReloadFacts(
            is_successful=health.is_successful,
            success_at=health.success_at,
            failures=health.failures_total,
            devices=health.collected.devices_by_source(),
            left_out=health.collected.left_out_by_source(),
            failed_sources=frozenset(health.collected.failed),
        )

    def _history_facts(self) -> HistoryFacts | None:
        if self.history is None:
            return None
        health = self.history.health
        return HistoryFacts(
            is_writable=health.is_writable,
            events=health.events_total,
            write_errors=health.write_errors_total,
            size_bytes=health.size_bytes,
        )


def _lateness(lateness: Lateness) -> LatenessFacts:
    counts, sum_seconds = lateness.histogram()
    return LatenessFacts(
        bounds_seconds=lateness.BOUNDS_SECONDS, counts=counts, sum_seconds=sum_seconds
    )


def _intervals(config: Config) -> dict[str, float]:
    """How often each device is due, in seconds: some tier of its plan is, each time."""
    return {device.name: config.settings(device).plan.shortest_seconds for device in config.devices}


def _stale_after(config: Config) -> dict[str, float]:
    return {device.name: config.settings(device).timing.stale_after for device in config.devices}


def _history(config: Config, redactor: Redactor | None) -> History | None:
    """Not opened yet: a monitor that cannot listen leaves no file behind."""
    path = config.history.path
    if path is None:
        return None
    limits = config.history.retention
    retention = Retention(age_seconds=limits.age, size_bytes=limits.size)
    if redactor is None:
        return History(path, retention)
    return History(path, retention, redact=redactor.redact)


def _host_in_url(host: str) -> str:
    if host in ("", "0.0.0.0", "::"):  # noqa: S104 # shown, not listened on
        return "localhost"
    return f"[{host}]" if ":" in host else host
