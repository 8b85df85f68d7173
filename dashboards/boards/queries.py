"""What the dashboards ask Prometheus, read from their JSON with the variables filled in as Grafana would."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

__all__ = [
    "PanelQuery",
    "annotation_queries",
    "filled",
    "panel_queries",
    "panels",
    "variable_queries",
]

_VARIABLE = re.compile(r"\$\{(?P<braced>\w+)(?::\w+)?\}|\$(?P<plain>\w+)")
_LABEL_VALUES = re.compile(r"^label_values\((?P<selector>.+),\s*(?P<label>\w+)\)$", re.DOTALL)
_QUERY_RESULT = re.compile(r"^query_result\((?P<expr>.+)\)$", re.DOTALL)


class PanelQuery(NamedTuple):
    """One query of a panel; ``legend`` still has its ``{{label}}``."""

    title: str
    expr: str
    legend: str


def filled(text: str, variables: Mapping[str, str]) -> str:
    """``text`` with each ``$name`` and ``${name}`` replaced; one without a value is an error that names it."""

    def value(found: re.Match[str]) -> str:
        name = found["braced"] or found["plain"]
        if name not in variables:
            raise KeyError(f"no value for the variable ${name} in: {text}")
        return variables[name]

    return _VARIABLE.sub(value, text)


def panels(dashboard: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every panel, rows and what collapsed rows hold included."""
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels") or ()


def panel_queries(dashboard: Mapping[str, Any], variables: Mapping[str, str]) -> list[PanelQuery]:
    """Every query of every panel, ready to be sent."""
    return [
        PanelQuery(panel["title"], filled(target["expr"], variables), target["legendFormat"])
        for panel in panels(dashboard)
        for target in panel.get("targets") or ()
    ]


def annotation_queries(
    dashboard: Mapping[str, Any], variables: Mapping[str, str]
) -> list[PanelQuery]:
    """Every query that marks moments in the graphs."""
    return [
        PanelQuery(one["name"], filled(one["expr"], variables), "")
        for one in dashboard["annotations"]["list"]
        if "expr" in one
    ]


def variable_queries(
    dashboard: Mapping[str, Any], variables: Mapping[str, str]
) -> list[tuple[str, str, str]]:
    """Name of the variable, the selector or expression that fills it, the label whose values it takes."""
    found: list[tuple[str, str, str]] = []
    for variable in dashboard["templating"]["list"]:
        if variable["type"] != "query":
            continue
        query = filled(variable["query"], variables)
        if values := _LABEL_VALUES.match(query):
            found.append((variable["name"], values["selector"], values["label"]))
        elif result := _QUERY_RESULT.match(query):
            label = re.search(r'(\w+)="', variable["regex"])
            if label is None:
                raise ValueError(
                    f"the regex of ${variable['name']} takes no label: {variable['regex']}"
                )
            found.append((variable["name"], result["expr"], label[1]))
        else:
            raise ValueError(
                f"${variable['name']} is filled by neither label_values() nor query_result(): {query}"
            )
    return found
