"""Wires a configuration into a running monitor; the only place where the parts meet."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from ipsecmon.backoff import Backoff
from ipsecmon.config import Config, Device, HostKeyCheck
from ipsecmon.credentials import check as check_credentials
from ipsecmon.credentials import resolve
from ipsecmon.errors import IpsecmonError
from ipsecmon.history import History, Retention
from ipsecmon.log import Redactor
from ipsecmon.metrics import ExporterFacts, HistoryFacts, render_device, render_result
from ipsecmon.model import Event, PollError, PollResult, Reason, Stage
from ipsecmon.poll import PolledDevice, poll_device
from ipsecmon.schedule import Lane, PollScheduler
from ipsecmon.server import HttpServer
from ipsecmon.sessions import OpenSession, SessionPool, Target
from ipsecmon.sessions.host_keys import AnyHostKey, KnownHosts
from ipsecmon.sessions.known_hosts import known_hosts_problems
from ipsecmon.sessions.napalm_session import open_napalm_session
from ipsecmon.store import Store
from ipsecmon.tunnels.ends import Ends
from ipsecmon.tunnels.links import join
from ipsecmon.web import WebContext, create_app
from ipsecmon_parsers.records import Platform
from ipsecmon_parsers.registry import UserTemplate

__all__ = ["Monitor", "Poller", "UnknownDevice", "problems", "templates_in_use"]

log = logging.getLogger(__name__)


class UnknownDevice(IpsecmonError, LookupError):
    """A device name that is not in the configuration."""


class Poller:
    """Polls the devices of a configuration and keeps what they said; safe to call from many threads.

    With a ``history`` each device goes on from what is recorded there, and each poll is recorded before anybody sees it.
    """

    def __init__(
        self,
        config: Config,
        redactor: Redactor | None = None,
        open_session: OpenSession = open_napalm_session,
        on_event: Callable[[Event], None] | None = None,
        history: History | None = None,
    ) -> None:
        self._config = config
        self._history = history
        self._redactor = redactor
        self._on_event = on_event
        self.sessions = SessionPool(open_session, config.limits)
        self._backoff = Backoff(config.limits.backoff_longest)
        self.store = Store()
        self._ends = Ends()
        self._devices = {device.name: self._polled(device) for device in config.devices}
        self._locks = {name: threading.Lock() for name in self._devices}

    @property
    def in_flight(self) -> int:
        """Polls under way now."""
        return sum(lock.locked() for lock in self._locks.values())

    def poll(self, name: str) -> PollResult:
        """Poll one device now, after any poll of it that is under way."""
        device = self._devices.get(name)
        if device is None:
            known = ", ".join(sorted(self._devices))
            raise UnknownDevice(f"no device {name!r} in the configuration; it has: {known}")
        with self._locks[name]:
            return self._poll(device, is_planned=False)

    def poll_unless_busy(self, name: str) -> bool:
        """Poll one device as planned; ``False`` if a poll of it is under way, which must not wait in a worker's place."""
        lock = self._locks[name]
        if not lock.acquire(blocking=False):
            return False
        try:
            self._poll(self._devices[name], is_planned=True)
        finally:
            lock.release()
        return True

    def lane(self, name: str) -> Lane:
        """Who is to poll a device that is due; answers without waiting."""
        device = self._devices.get(name)
        if device is None:
            return Lane.LOGIN
        if self._backoff.is_resting(name, time.time(), device.plan.shortest_seconds):
            return Lane.RESTING
        newest = self.store.get(name)
        if newest is None or newest.read_at is None or not newest.is_good:
            return Lane.LOGIN
        max_age = device.session_age_seconds
        is_ready = max_age == 0 or self.sessions.is_kept(name, max_age)
        return Lane.LIVING if is_ready else Lane.LOGIN

    def forget(self, name: str) -> None:
        """Something about a device or its login was changed: it is tried at once, in a new session."""
        self._backoff.forget(name)
        self.sessions.forget(name)

    def _poll(self, device: PolledDevice, *, is_planned: bool) -> PollResult:
        newest = self.store.get(device.name) or self._restored(device)
        result = poll_device(device, self.sessions, newest, is_planned=is_planned)
        if not self.sessions.is_closed:
            result = replace(result, next_attempt_at=self._backoff.note(result))
        if newest is not None and _tells_nothing_new(result, newest):
            known = self.store.exposition(device.name)
            own = render_device(result, self._config.metrics.tier)
            self.store.put(result, {**known, **own})
            return result
        try:
            result = self._linked(result, newest)
            rendered = render_result(result, self._config.metrics.tier)
        except Exception as error:
            log.exception("the result cannot be shown", extra={"device": device.name})
            result = _not_shown(device, newest, result, error)
            rendered = render_result(result, self._config.metrics.tier)
        if self._history is not None:
            self._history.record(result, newest.outputs if newest else ())
        self.store.put(result, rendered)
        for event in result.events:
            log.info(
                "%s: %s", event.tunnel or event.device, event.detail, extra={"device": event.device}
            )
            if self._on_event is not None:
                self._on_event(event)
        return result

    def _linked(self, result: PollResult, newest: PollResult | None) -> PollResult:
        """``result`` with the other ends of its tunnels, as those were read last."""
        self._ends.put(result)
        configured = self._config.configured_links(result.device)
        links = join(result, self._ends, configured, newest.links if newest else ())
        return replace(result, links=links)

    def _restored(self, device: PolledDevice) -> PollResult | None:
        """What an earlier life of the monitor recorded of a device, under its present address."""
        recorded = self._history.restore(device.name) if self._history else None
        if recorded is None:
            return None
        return replace(
            recorded,
            host=device.host,
            platform=device.platform,
            interval_seconds=device.interval_seconds,
        )

    def close(self, timeout: float = 5.0) -> None:
        """End all sessions and wait for the polls under way, which fail at once without theirs."""
        deadline = time.monotonic() + timeout
        self.sessions.close(timeout / 2)
        for lock in self._locks.values():
            if lock.acquire(timeout=max(0.0, deadline - time.monotonic())):
                lock.release()

    def _polled(self, device: Device) -> PolledDevice:
        settings = self._config.settings(device)
        timing = settings.timing
        return PolledDevice(
            name=device.name,
            host=device.host,
            platform=device.platform,
            interval_seconds=timing.interval,
            timeout_seconds=timing.timeout,
            target=lambda: self._target(device),
            registry=self._config.templates,
            expected=self._config.expected_tunnels(device.name),
            session_age_seconds=settings.max_session_age if settings.persistent else 0.0,
            plan=settings.plan,
            stale_after_seconds=timing.stale_after,
        )

    def _target(self, device: Device) -> Target:
        """Credentials are looked up at each connect, so that a rotated password needs no restart."""
        login = resolve(
            self._config.credentials,
            device.credentials,
            redact=self._redactor.add if self._redactor else None,
        )
        timing = self._config.timing(device)
        host_keys = self._config.host_keys
        return Target(
            device=device.name,
            host=device.host,
            port=device.port,
            username=login.username,
            password=login.password.reveal(),
            enable_secret=login.enable.reveal() if login.enable else None,
            host_keys=AnyHostKey()
            if host_keys.check is HostKeyCheck.OFF
            else KnownHosts(host_keys.known_hosts),
            connect_timeout=timing.connect_timeout,
            read_timeout=timing.read_timeout,
        )


def _tells_nothing_new(result: PollResult, newest: PollResult) -> bool:
    """The device answered, and its tables were not read: a hub is not worked through once more for that."""
    return (
        result.is_good
        and not result.events
        and result.read_at is not None
        and result.read_at == newest.read_at
    )


def _not_shown(
    device: PolledDevice, newest: PollResult | None, result: PollResult, error: Exception
) -> PollResult:
    """A device whose result cannot be rendered is not up: nobody would see its tunnels."""
    failure = PollError(
        device=device.name,
        stage=Stage.PARSE,
        reason=Reason.OTHER,
        cause=f"unexpected {type(error).__name__}: {error}; please report it with the log",
        is_unexpected=True,
    )
    known = newest or replace(result, read_at=None, tunnels=(), ike_peers=())
    counts = {**known.errors_total, Reason.OTHER: known.errors_total[Reason.OTHER] + 1}
    return replace(known, error=failure, errors_total=counts, events=())


def problems(config: Config) -> list[str]:
    """What will keep devices from being polled although the file is well formed, a sentence each."""
    found = [str(error) for error in check_credentials(config.credentials)]
    if config.host_keys.check is not HostKeyCheck.OFF:
        devices = [(device.name, device.host, device.port) for device in config.devices]
        found += known_hosts_problems(config.host_keys.known_hosts, devices)
    else:
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
    ) -> None:
        self.history = _history(config, redactor)
        self.poller = Poller(config, redactor, on_event=on_event, history=self.history)
        self._scheduler = PollScheduler(
            self._poll,
            self.poller.lane,
            workers=config.limits.workers,
            login_workers=config.limits.login_workers,
        )
        stale_after: dict[str, float] = {}
        for device in config.devices:
            settings = config.settings(device)
            stale_after[device.name] = settings.timing.stale_after
            self._scheduler.add(device.name, settings.plan.shortest_seconds)
        self.context = WebContext(
            store=self.poller.store, stale_after=stale_after, facts=self._facts, clock=time.time
        )
        listen = config.web.listen
        self._server = HttpServer(create_app(self.context), listen.host, listen.port)
        self.url = f"http://{_host_in_url(listen.host)}:{self._server.port}"
        for problem in problems(config):
            log.warning("%s", problem)
        for line in templates_in_use(config):
            log.info("%s", line)

    def start(self) -> None:
        """Listen, then poll; a history that cannot be written is told now."""
        if self.history is not None:
            self.history.open()
        self._server.start()
        self._scheduler.start()

    def stop(self) -> None:
        """Stop polling, end the sessions, finish the requests under way."""
        self._scheduler.stop()
        self.poller.close()
        if self.history is not None:
            self.history.close()
        self._server.stop()

    def forget(self, name: str) -> None:
        """Something about a device or its login was changed: it is polled now, in a new session."""
        self.poller.forget(name)
        self._scheduler.hasten(name)

    def _poll(self, name: str) -> bool:
        return self.poller.poll_unless_busy(name)

    def _facts(self) -> ExporterFacts:
        return ExporterFacts(
            sessions_open=self.poller.sessions.open_count,
            jobs_missed=self._scheduler.missed,
            scheduler_lag_seconds=self._scheduler.lag_seconds,
            collections_in_flight=self.poller.in_flight,
            history=self._history_facts(),
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
