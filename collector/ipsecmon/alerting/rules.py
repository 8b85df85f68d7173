"""Rules as data: what a group of them is, what every alert carries, and all of them together."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ipsecmon.alerting.thresholds import Thresholds

__all__ = [
    "INHIBITING",
    "Alert",
    "AlertRow",
    "Board",
    "Group",
    "Record",
    "Rule",
    "Severity",
    "alert",
    "annotations_of",
    "indented",
]


INHIBITING = frozenset(
    {
        "CiscoIpsecDeviceUnreachable",
        "CiscoIpsecDeviceAuthFailing",
        "CiscoIpsecDeviceHostKeyRefused",
        "CiscoIpsecDataStale",
        "CiscoIpsecManyTunnelsDown",
        "CiscoIpsecTunnelDown",
        "CiscoIpsecSpiMismatch",
        "CiscoIpsecOneWayTrafficTransmitOnly",
        "CiscoIpsecOneWayTrafficReceiveOnly",
        "CiscoIpsecTunnelFlapping",
        "CiscoIpsecSaExpiredStillInstalled",
        "CiscoIpsecSaExpiryOverdue",
    }
)
"""The sources of inhibition in ``deploy/alertmanager.yml``.

They go on for a little after their cause is over. Otherwise one of them may end an evaluation before the alerts it leaves
out, and Alertmanager tells of each of these just as all is well again.
"""


class Severity(StrEnum):
    """How loud an alert is: somebody gets up, somebody looks today, somebody plans."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class Board(StrEnum):
    """The Grafana dashboard an alert links to; the value is its uid with the variables filled in from the labels."""

    TUNNEL = (
        "ipsecmon-tunnel?var-device={{ $labels.device | urlquery }}"
        "&var-tunnel={{ $labels.tunnel | urlquery }}"
    )
    DEVICE = "ipsecmon-device?var-device={{ $labels.device | urlquery }}"
    COLLECTOR = "ipsecmon-collector"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A recording rule. Its level is the entity (``tunnel:``, ``device:``); labels of the scrape stay as well."""

    name: str
    expression: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """``meaning`` is for a table of alerts, ``summary`` and ``description`` are templates of what a person is sent.

    The description begins with what to look at first. ``hold`` is how long the expression must hold, ``0s`` for at once.
    """

    name: str
    severity: Severity
    meaning: str
    expression: str
    hold: str
    summary: str
    description: str
    board: Board
    kept: str = "0s"
    """How long it goes on after the expression ceases to hold."""


Rule = Record | Alert


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rules evaluated one after the other: an alert sees what a record above it has just recorded."""

    name: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One alert for a reader."""

    name: str
    severity: Severity
    meaning: str


def alert(
    board: Board,
    name: str,
    severity: Severity,
    meaning: str,
    expression: str,
    hold: str,
    summary: str,
    description: str,
) -> Alert:
    """By position, in the order a reader asks for it: what it is called, how bad, what it means, when, and what is said."""
    return Alert(
        name=name,
        severity=severity,
        meaning=meaning,
        expression=expression,
        hold=hold,
        summary=summary,
        description=description,
        board=board,
    )


def indented(text: str) -> str:
    """An expression within the brackets of another."""
    return "\n".join(f"  {line}" for line in text.splitlines())


def annotations_of(alert: Alert, thresholds: Thresholds) -> dict[str, str]:
    """What every alert carries beside its labels."""
    return {
        "summary": alert.summary,
        "description": alert.description,
        "runbook_url": f"{thresholds.runbooks}/{alert.name}",
        "dashboards": f"{thresholds.grafana}/d/{alert.board.value}",
    }
