"""What the committed dashboards ask Prometheus, with a value for each of their variables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from boards import queries
from boards.queries import PanelQuery

__all__ = [
    "DASHBOARDS",
    "EVERYTHING",
    "PanelQuery",
    "annotation_queries",
    "load",
    "panel_queries",
    "variable_queries",
]

DASHBOARDS = Path(__file__).parents[1] / "dashboards" / "grafana"
EVERYTHING: Mapping[str, str] = {
    "datasource": "prometheus",
    "site": ".*",
    "instance": ".*",
    "device": "Site1",
    "tunnel": "CRYPTO/10.1.1.0_24-10.2.2.0_24",
    "runbooks": "http://127.0.0.1:9818/runbooks",
    "__rate_interval": "5m",
    "__interval": "1m",
    "__range": "6h",
}
"""A value for each variable; ``device`` and ``tunnel`` are the tutorial's, the others let everything through."""


def load(name: str) -> dict[str, Any]:
    """A committed dashboard: ``fleet``, ``device``, ``tunnel`` or ``collector``."""
    loaded: dict[str, Any] = json.loads((DASHBOARDS / f"{name}.json").read_text())
    return loaded


def panel_queries(
    dashboard: Mapping[str, Any], variables: Mapping[str, str] = EVERYTHING
) -> list[PanelQuery]:
    """Every query of every panel, ready to be sent."""
    return queries.panel_queries(dashboard, variables)


def annotation_queries(
    dashboard: Mapping[str, Any], variables: Mapping[str, str] = EVERYTHING
) -> list[PanelQuery]:
    """Every query that marks moments in the graphs."""
    return queries.annotation_queries(dashboard, variables)


def variable_queries(
    dashboard: Mapping[str, Any], variables: Mapping[str, str] = EVERYTHING
) -> list[tuple[str, str, str]]:
    """Name of the variable, the selector or expression that fills it, the label whose values it takes."""
    return queries.variable_queries(dashboard, variables)
