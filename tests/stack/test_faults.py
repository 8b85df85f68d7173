"""Each fault of the emulated network until exactly its alerts reached a webhook behind a real Alertmanager, and their end.

The emulated network proves our logic: what a router of metal shows in such a case is in the captures.
"""

from __future__ import annotations

import pytest

from .cases import CASES, SPEED, Case
from .play import Outcome, Play

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

NAMES = [case.name for case in CASES]


def of(played: Play, name: str) -> Outcome:
    return played.outcomes[name]


@pytest.mark.parametrize("name", NAMES)
def test_exactly_the_alerts_of_the_table_reach_the_webhook(played: Play, name: str) -> None:
    outcome = of(played, name)

    told = outcome.fired.keys() - outcome.case.brief
    assert told == outcome.case.alerts, played.story(outcome)


@pytest.mark.parametrize("name", [case.name for case in CASES if case.alerts])
def test_they_come_in_time(played: Play, name: str) -> None:
    outcome = of(played, name)
    took = {
        alert: (at - outcome.struck) * SPEED
        for alert, at in outcome.fired.items()
        if alert in outcome.case.alerts
    }

    late = {
        alert: seconds for alert, seconds in took.items() if seconds > outcome.case.fires_within
    }
    assert not late, played.story(outcome)
    early = {alert: seconds for alert, seconds in took.items() if seconds <= 0}
    assert not early, played.story(outcome)


@pytest.mark.parametrize("name", [case.name for case in CASES if case.alerts])
def test_they_end_in_time_when_the_fault_is_lifted(played: Play, name: str) -> None:
    outcome = of(played, name)
    open_or_late = {
        alert
        for alert in outcome.case.alerts
        if alert not in outcome.resolved
        or (outcome.resolved[alert] - outcome.lifted) * SPEED > outcome.case.resolves_within
    }

    assert not open_or_late, played.story(outcome)


@pytest.mark.parametrize("case", [case for case in CASES if case.proof], ids=lambda case: case.name)
def test_what_no_alert_tells_of_did_happen(played: Play, case: Case) -> None:
    assert of(played, case.name).is_proven, played.story(of(played, case.name))


def test_the_monitor_itself_has_nothing_to_tell(played: Play) -> None:
    devices = {device for case in CASES for device in case.site.devices}

    others = {
        (alert.name, tuple(sorted(alert.labels.items())))
        for notification in played.notifications
        for alert in notification.alerts
        if alert.labels.get("device") not in devices
        # a machine with more to do than this may leave out one of the polls that come every second or two
        and alert.name != "CiscoIpsecPollsMissed"
    }

    assert not others


def test_every_alert_of_a_tunnel_says_where_it_is_and_whose(played: Play) -> None:
    told = [
        alert
        for notification in played.notifications
        for alert in notification.alerts
        if "tunnel" in alert.labels and alert.labels["device"] != "star"
    ]

    assert told
    for alert in told:
        assert alert.labels["owner"] == "netops", alert.labels
        assert alert.labels["device"].startswith(alert.labels["site"]), alert.labels
        assert alert.annotations["summary"]
        assert alert.annotations["runbook_url"].endswith(f"/{alert.name}")
