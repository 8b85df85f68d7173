"""Polls the devices of a configuration, one poll of a device at a time, and keeps what they said."""

from __future__ import annotations

import difflib
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from ipsecmon.backoff import Backoff
from ipsecmon.checking import CheckedDevice
from ipsecmon.config import Changes, Config, Device
from ipsecmon.config.mistakes import listed
from ipsecmon.credentials import CredentialBreaker, Logins
from ipsecmon.errors import IpsecmonError
from ipsecmon.failure_log import log_failure
from ipsecmon.hiding import without_secrets
from ipsecmon.history import History
from ipsecmon.log import Redactor
from ipsecmon.metrics import (
    CredentialFacts,
    HostKeyFacts,
    LoginFacts,
    PollOutcome,
    render_device,
    render_result,
)
from ipsecmon.model import Event, PollError, PollResult, Reason, Stage
from ipsecmon.poll import PolledDevice, poll_device
from ipsecmon.schedule import Lane
from ipsecmon.sessions import OpenSession, SessionPool, Target
from ipsecmon.sessions.counted import CountedLogins
from ipsecmon.sessions.guarded import guarded
from ipsecmon.sessions.host_keys import HostKeys
from ipsecmon.sessions.jumps import JumpHosts
from ipsecmon.sessions.transports import Transports
from ipsecmon.store import Store
from ipsecmon.targets import Targets
from ipsecmon.tunnels.ends import Ends
from ipsecmon.tunnels.links import join

__all__ = ["Poller", "UnknownDevice"]

log = logging.getLogger(__name__)


class UnknownDevice(IpsecmonError, LookupError):
    """A device name that is not in the configuration."""


class Poller:
    """Polls the devices of a configuration and keeps what they said; safe to call from many threads.

    With a ``history`` each device goes on from what is recorded there, and each poll is recorded before anybody sees it.
    ``open_session`` takes the place of the transports that the configuration names.
    """

    def __init__(
        self,
        config: Config,
        redactor: Redactor | None = None,
        open_session: OpenSession | None = None,
        on_event: Callable[[Event], None] | None = None,
        history: History | None = None,
    ) -> None:
        limits = config.limits
        self._config = config
        self._redactor = redactor or Redactor()
        self._on_event = on_event
        self._history = history
        self.jumps = JumpHosts()
        self.transports = Transports(self.jumps)
        self.breaker = CredentialBreaker(limits.rejections, limits.rest_seconds)
        self._logins = CountedLogins(open_session or self.transports.open)
        self.sessions = SessionPool(guarded(self._logins, self.breaker, self._doubt), limits)
        self.store = Store()
        self._ends = Ends()
        self._backoff = Backoff(limits.backoff_longest)
        self._outcomes = Counter[PollOutcome]()
        self._targets = Targets(config, self._redactor)
        self._devices = {device.name: self._polled(device) for device in config.devices}
        self._locks: dict[str, threading.Lock] = {}
        self._outdated: set[str] = set()
        self._changing = threading.Lock()
        self._count_lock = threading.Lock()

    @property
    def in_flight(self) -> int:
        """Polls under way now."""
        return sum(lock.locked() for lock in list(self._locks.values()))

    @property
    def host_keys(self) -> HostKeys:
        """What is known and believed of host keys."""
        return self._targets.host_keys

    @property
    def logins(self) -> Logins:
        """Where the secrets of the present configuration come from."""
        return self._targets.logins

    def device(self, name: str) -> PolledDevice:
        """What a poll knows of a device of this name; raises ``UnknownDevice``."""
        device = self._devices.get(name)
        if device is None:
            known = _named_like(name, sorted(self._devices))
            raise UnknownDevice(f"no device {name!r} in the configuration; {known}")
        return device

    def target(self, name: str) -> Target:
        """A device as a session must know it, its secrets read now; raises ``CredentialError``."""
        return self.device(name).target()

    def checked(self, name: str, timeout: float | None = None) -> CheckedDevice:
        """What a check needs of a device, within ``timeout`` seconds or those of a poll."""
        device = self.device(name)
        return CheckedDevice(
            name=device.name,
            host=device.host,
            platform=device.platform,
            target=device.target,
            registry=device.registry,
            tiers=device.plan.every.keys(),
            timeout_seconds=timeout or device.timeout_seconds,
        )

    def poll(self, name: str) -> PollResult:
        """Poll one device now, after any poll of it that is under way."""
        self.device(name)
        try:
            with self._lock(name):
                device = self._current(name)
                if device is None:
                    raise UnknownDevice(f"{name!r} was removed from the configuration")
                return self._poll(device, is_planned=False)
        finally:
            self._forget_if_removed(name)

    def poll_unless_busy(self, name: str) -> bool:
        """Poll one device as planned; ``False`` if a poll of it is under way, which must not wait in a worker's place."""
        lock = self._lock(name)
        if not lock.acquire(blocking=False):
            return False
        try:
            device = self._current(name)
            if device is not None:  # removed a moment ago otherwise
                self._poll(device, is_planned=True)
        finally:
            lock.release()
        self._forget_if_removed(name)
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

    def apply(self, config: Config) -> Changes:
        """Go on with this configuration: devices come, go and change; a poll under way ends as it began."""
        changes = Changes.between(self._config, config)
        limits = config.limits
        with self._changing:
            self._config = config
            self._targets = self._targets.renewed(config)
            self._devices = {device.name: self._polled(device) for device in config.devices}
        self.sessions.limit(limits)
        self.breaker.limit(limits.rejections, limits.rest_seconds)
        self._backoff.longest_seconds = limits.backoff_longest
        # a session in use is dropped by the next poll, one that is kept at once
        self._outdated.update(changes.reconnected)
        for name in changes.reconnected:
            self.forget(name)
        for name in changes.removed:
            self._forget_if_removed(name)
        return changes

    def polls(self) -> dict[PollOutcome, int]:
        """How many polls ended well and how many did not, since the start."""
        with self._count_lock:
            return {one: self._outcomes[one] for one in (PollOutcome.GOOD, PollOutcome.FAILED)}

    def login_facts(self) -> LoginFacts:
        """Logins since the start, and how long they waited for leave."""
        return LoginFacts(
            total=self._logins.total,
            failed=self._logins.failed,
            wait_seconds=self.sessions.logins.wait_seconds_total,
        )

    def credential_facts(self) -> dict[str, CredentialFacts]:
        """How devices take each credential of the configuration."""
        rested, rejections = self.breaker.rested(), self.breaker.rejections()
        return {
            name: CredentialFacts(
                is_rested=rested.get(name, False), rejections=rejections.get(name, 0)
            )
            for name in self._config.credentials
        }

    def host_key_facts(self) -> HostKeyFacts:
        """How host keys are checked, and how many devices are spoken to without."""
        sessions = [one.session for one in self.store.snapshot().values()]
        return HostKeyFacts(
            mode=self._config.host_keys.check,
            unverified=sum(1 for one in sessions if one and not one.is_host_key_verified),
        )

    def close(self, timeout: float = 3.0) -> None:
        """End all sessions and wait for the polls under way, which fail at once without theirs.

        A login in a thread of its own cannot be ended before its time; it is waited for no longer than the others.
        """
        deadline = time.monotonic() + timeout
        self.sessions.close(timeout / 2)
        self.jumps.close()  # in the event loop that ends with the transports
        self.transports.close()
        for lock in list(self._locks.values()):
            if lock.acquire(timeout=max(0.0, deadline - time.monotonic())):
                lock.release()

    def _current(self, name: str) -> PolledDevice | None:
        """The device as it is now, without a session from before it was changed."""
        # first the mark, then the device: ``apply`` sets them the other way round
        if name in self._outdated:
            self._outdated.discard(name)
            self.sessions.drop(name)
        return self._devices.get(name)

    def _lock(self, name: str) -> threading.Lock:
        """One poll of a device at a time."""
        with self._changing:
            return self._locks.setdefault(name, threading.Lock())

    def _forget_if_removed(self, name: str) -> None:
        """Nothing stays of a device that is gone; after a poll under way, which would bring it back."""
        with self._changing:
            lock = self._locks.get(name)
            if name in self._devices or (lock is not None and lock.locked()):
                return
            self._locks.pop(name, None)
            self._outdated.discard(name)
            self._ends.remove(name)
            self.store.remove(name)
        self.forget(name)

    def _poll(self, device: PolledDevice, *, is_planned: bool) -> PollResult:
        newest = self._newest(device)
        # what is only remembered of an earlier life has to be read once before anything may be left out
        is_planned = is_planned and self.store.get(device.name) is not None
        changes = self.sessions.changes(device.name)
        result = poll_device(device, self.sessions, newest, is_planned=is_planned)
        result = self._without_secrets(result)
        if self.sessions.is_closed and not result.is_good:
            return result  # it says nothing of the device: its session was taken from it
        result = replace(result, next_attempt_at=self._backoff.note(result))
        if changes != self.sessions.changes(device.name):
            self._backoff.forget(device.name)  # what failed was the device as it was before
            result = replace(result, next_attempt_at=None)
        if newest is not None and _tells_nothing_new(result, newest):
            known = self.store.exposition(device.name)
            own = render_device(result, self._config.metrics.tier)
            self.store.put(result, {**known, **own})
            self._tell(result, newest)
            return result
        try:
            result = self._linked(result, newest)
            rendered = render_result(result, self._config.metrics.tier)
        except Exception as error:
            log.exception("the result cannot be shown", extra={"device": device.name})
            result = self._without_secrets(_not_shown(device, newest, result, error))
            rendered = render_result(result, self._config.metrics.tier)
        if self._history is not None:
            self._history.record(result, newest.outputs if newest else ())
        self.store.put(result, rendered)
        self._tell(result, newest)
        return result

    def _tell(self, result: PollResult, newest: PollResult | None) -> None:
        with self._count_lock:
            self._outcomes[PollOutcome.GOOD if result.is_good else PollOutcome.FAILED] += 1
        log_failure(result, newest.error if newest else None)
        for event in result.events:
            log.info(
                "%s: %s", event.tunnel or event.device, event.detail, extra={"device": event.device}
            )
            if self._on_event is not None:
                self._on_event(event)

    def _doubt(self, credential: str) -> None:
        self.logins.doubt(credential)

    def _without_secrets(self, result: PollResult) -> PollResult:
        typed = self._targets.typed(result.device)
        return without_secrets(result, typed, self._redactor.redact)

    def _linked(self, result: PollResult, newest: PollResult | None) -> PollResult:
        """``result`` with the other ends of its tunnels, as those were read last."""
        self._ends.put(result)
        configured = self._config.configured_links(result.device)
        links = join(result, self._ends, configured, newest.links if newest else ())
        return replace(result, links=links)

    def _newest(self, device: PolledDevice) -> PollResult | None:
        """What is known of a device, also from an earlier life of the monitor, under its present address."""
        recorded = self.store.get(device.name)
        if recorded is None and self._history is not None:
            recorded = self._history.restore(device.name)
        if recorded is None:
            return None
        return replace(
            recorded,
            host=device.host,
            platform=device.platform,
            interval_seconds=device.interval_seconds,
        )

    def _polled(self, device: Device) -> PolledDevice:
        settings = self._config.settings(device)
        timing = settings.timing
        targets = self._targets
        return PolledDevice(
            name=device.name,
            host=device.host,
            platform=device.platform,
            interval_seconds=timing.interval,
            timeout_seconds=timing.timeout,
            target=lambda: targets.target(device),
            registry=self._config.templates,
            expected=self._config.expected_tunnels(device.name),
            session_age_seconds=settings.max_session_age if settings.persistent else 0.0,
            plan=settings.plan,
            stale_after_seconds=timing.stale_after,
        )


def _named_like(name: str, known: Sequence[str]) -> str:
    if near := difflib.get_close_matches(name, known, n=3):
        return f"did you mean {' or '.join(near)}?"
    return f"it has: {listed(known)}"


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
