"""The table of firing alerts, which three of the dashboards have: a click on a name opens its runbook."""

from __future__ import annotations

from boards.panels import Column, Placed, Query, rows
from boards.phrases import SEVERITY, alerts
from boards.variables import RUNBOOK

__all__ = ["firing"]


def firing(
    id_: int, title: str, more: tuple[Column, ...], *labels: str, size: tuple[int, int]
) -> Placed:
    """Critical ones first. ``more`` are columns beside name and severity; alerts have any of the ``labels``, or all are shown."""
    names = ", ".join(column.field for column in more)
    asked = " or ".join(alerts(labels=f", {one}") for one in labels) or alerts()
    return rows(
        id_,
        title,
        "What Prometheus's rules say now. A click on the name opens its runbook.",
        [
            Column(field="alertname", title="alertname", links=(RUNBOOK,)),
            Column(field="severity", title="severity", words=SEVERITY, width=90),
            *more,
        ],
        Query(expr=f"group by (alertname, severity, {names}) ({asked})"),
        size=size,
        sort="severity",
        least_first=True,
        none="no alert fires",
    )
