"""Plays every case of the table at once on one running stack, and remembers what reached the webhook and when."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import requests

from ipsecmon.lab.ssh import Lab
from ipsecmon.lab.stack import Stack
from ipsecmon.lab.tunnel_faults import TunnelFaults
from ipsecmon.lab.webhook import Notification, WebhookReceiver

from .cases import SPEED, Case

__all__ = ["Alert", "Outcome", "Play", "Prometheus"]

# of the routers; a fault that is not told of so long after its time is lifted, so that the run comes to an end
_PATIENCE = 400.0

Alert = tuple[str, str]
"""(device, name of the alert)"""


class Prometheus:
    """Its API, as far as it is asked here."""

    def __init__(self, url: str) -> None:
        self._url = url

    def query(self, expression: str, at: float | None = None) -> list[dict[str, Any]]:
        """The samples of an instant query; an error of it is an error here."""
        moment = {} if at is None else {"time": f"{at:.3f}"}
        return self._ask("query", {"query": expression, **moment})

    def query_range(
        self, expression: str, start: float, end: float, step: float
    ) -> list[dict[str, Any]]:
        """The series of a range query."""
        span = {"start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step:g}"}
        return self._ask("query_range", {"query": expression, **span})

    def _ask(self, what: str, parameters: dict[str, str]) -> list[dict[str, Any]]:
        answer = requests.post(f"{self._url}/api/v1/{what}", data=parameters, timeout=30)
        told: dict[str, Any] = answer.json()
        if told["status"] != "success":
            raise AssertionError(f"{parameters['query']}: {told.get('error')}")
        result: list[dict[str, Any]] = told["data"]["result"]
        return result


@dataclass(slots=True)
class Outcome:
    """What came of one case; moments are those of the clock on the wall."""

    case: Case
    struck: float = 0.0
    lifted: float = 0.0
    ended: float = 0.0
    is_proven: bool = False
    fired: dict[Alert, float] = field(default_factory=dict[Alert, float])
    resolved: dict[Alert, float] = field(default_factory=dict[Alert, float])

    def has_all(self) -> bool:
        """Whether every alert of the table came."""
        return self.case.alerts <= self.fired.keys()

    def is_over(self) -> bool:
        """Whether the end of each was told after the fault was lifted."""
        return self.case.alerts <= self.resolved.keys()

    def last_fired(self) -> float:
        """When the last alert of the table came, or the fault was struck if there is none."""
        return max((self.fired[alert] for alert in self.case.alerts), default=self.struck)


class Play:
    """``play`` strikes all faults, waits for their alerts, lifts each, and waits for the end of its alerts."""

    def __init__(
        self,
        cases: Sequence[Case],
        *,
        lab: Lab,
        faults: TunnelFaults,
        receiver: WebhookReceiver,
        stack: Stack,
    ) -> None:
        self.outcomes = {case.name: Outcome(case) for case in cases}
        self.prometheus = Prometheus(stack.prometheus_url)
        self.began = time.time()
        self.seconds = 0.0
        self._lab = lab
        self._faults = faults
        self._receiver = receiver
        self._seen = 0
        self._by_device = {
            device: outcome
            for outcome in self.outcomes.values()
            for device in outcome.case.site.devices
        }

    @property
    def notifications(self) -> tuple[Notification, ...]:
        """All that reached the webhook."""
        return self._receiver.notifications

    def wait_until_up(self, tunnels: int, seconds: float = 120.0) -> None:
        """Until Prometheus has every tunnel up and has watched them for a while."""
        deadline = time.monotonic() + seconds
        while True:
            up = self.prometheus.query("sum(min_over_time(cisco_ipsec_tunnel_up[5s]))")
            if up and float(up[0]["value"][1]) >= tunnels:
                return
            if time.monotonic() > deadline:
                down = self.prometheus.query("cisco_ipsec_tunnel_up == 0")
                errors = self.prometheus.query("cisco_ipsec_device_collect_errors_total > 0")
                raise AssertionError(f"not all of {tunnels} tunnels came up: {down} {errors}")
            time.sleep(0.5)

    def play(self) -> None:
        """All cases at once; each goes its own way."""
        for outcome in self.outcomes.values():
            self._strike(outcome)
        while not all(outcome.ended for outcome in self.outcomes.values()):
            self._hear()
            now = time.time()
            for outcome in self.outcomes.values():
                self._step(outcome, now)
            time.sleep(0.2)
        self.seconds = time.time() - self.began

    def story(self, outcome: Outcome) -> str:
        """What was seen of a case, for a person who must find out why it failed."""
        devices = outcome.case.site.devices
        lines = [
            f"{outcome.case.name}: struck at 0, lifted at {self._since(outcome, outcome.lifted)}"
        ]
        lines.append("reached the webhook (seconds of the routers since the fault):")
        lines += [
            f"  {self._since(outcome, one.received_at):>6} {alert.status:8} {alert.name}"
            f" {alert.labels.get('device', '-')} {alert.annotations.get('summary', '')}"
            for one in self.notifications
            for alert in one.alerts
            if alert.labels.get("device") in devices
        ]
        which = "|".join(devices)
        lines.append("in Prometheus (value @ seconds of the routers since the fault):")
        for expression in (
            f'ALERTS{{device=~"{which}"}}',
            f'{{__name__=~"cisco_ipsec_tunnel_(up|demanded|expected|one_way|send_errors_total)",device=~"{which}"}}',
            f'{{__name__=~"cisco_ike_sa_(up|negotiating)",device=~"{which}"}}',
            f'{{__name__=~"cisco_ipsec_device_(up|collect_errors_total)",device=~"{which}"}} > 0',
            f'cisco_ipsec_tunnel_rekeys_total{{device=~"{which}"}} > 0',
        ):
            end = outcome.ended or time.time()
            for series in self.prometheus.query_range(expression, outcome.struck - 5, end, 3):
                lines.append(f"  {_named(series['metric'])}: {self._changes(outcome, series)}")
        return "\n".join(lines)

    def table(self) -> str:
        """Seconds of the routers until each alert came and until its end was told."""
        lines = [f"{'fault':38} {'alert':62} {'fires':>6} {'within':>6} {'ends':>6} {'within':>6}"]
        for outcome in self.outcomes.values():
            case = outcome.case
            if not case.alerts:
                lines.append(f"{case.name:38} none, for {self._since(outcome, outcome.lifted)} s")
            for alert in sorted(case.alerts):
                fired, resolved = outcome.fired.get(alert), outcome.resolved.get(alert)
                fires = "never" if fired is None else self._since(outcome, fired)
                ends = "never" if resolved is None else f"{(resolved - outcome.lifted) * SPEED:.0f}"
                lines.append(
                    f"{case.name:38} {' '.join(alert):62} {fires:>6} {case.fires_within:6.0f}"
                    f" {ends:>6} {case.resolves_within:6.0f}"
                )
        return "\n".join([*lines, f"{self.seconds:.0f} s by the clock, {SPEED:g} times as fast"])

    def _strike(self, outcome: Outcome) -> None:
        if outcome.case.fault is not None:
            for target in outcome.case.struck_at:
                self._faults.strike(target, outcome.case.fault)
        outcome.struck = time.time()

    def _lift(self, outcome: Outcome, now: float) -> None:
        proof = outcome.case.proof
        outcome.is_proven = not proof or bool(self.prometheus.query(proof))
        if outcome.case.fault is not None:
            for target in outcome.case.struck_at:
                self._faults.lift(target)
        outcome.lifted = now
        # what had an end while the fault was on must have another one
        outcome.resolved.clear()

    def _step(self, outcome: Outcome, now: float) -> None:
        case = outcome.case
        if outcome.ended:
            return
        if not outcome.lifted:
            late = now - outcome.struck > (case.fires_within + _PATIENCE) / SPEED
            is_seen = outcome.has_all() and now - outcome.last_fired() > case.stays / SPEED
            if is_seen or (late and not outcome.has_all()):
                self._lift(outcome, now)
        elif outcome.is_over() or now - outcome.lifted > (case.resolves_within + _PATIENCE) / SPEED:
            outcome.ended = now

    def _hear(self) -> None:
        heard = self.notifications
        for notification in heard[self._seen :]:
            for alert in notification.alerts:
                outcome = self._by_device.get(alert.labels.get("device", ""))
                if outcome is None:
                    continue
                key = (alert.labels["device"], alert.name)
                if alert.status == "firing":
                    outcome.fired.setdefault(key, notification.received_at)
                    outcome.resolved.pop(key, None)
                else:
                    outcome.resolved.setdefault(key, notification.received_at)
        self._seen = len(heard)

    def _since(self, outcome: Outcome, at: float) -> str:
        return f"{(at - outcome.struck) * SPEED:.0f}"

    def _changes(self, outcome: Outcome, series: dict[str, Any]) -> str:
        parts: list[str] = []
        before, last = "", 0.0
        for at, value in series["values"]:
            if value != before or at - last > 4:
                parts.append(f"{value}@{self._since(outcome, float(at))}")
            before, last = value, float(at)
        parts.append(f"until {self._since(outcome, last)}")
        return " ".join(parts[:40])


def _named(metric: dict[str, str]) -> str:
    left_out = {"__name__", "job", "instance", "site", "owner", "severity"}
    labels = " ".join(value for key, value in metric.items() if key not in left_out)
    return f"{metric.get('__name__', '')} {labels}"
