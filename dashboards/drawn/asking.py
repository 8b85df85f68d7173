"""Sends the queries of a dashboard to Prometheus, with the variables chosen as Grafana would choose them."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from boards.queries import filled, variable_queries

__all__ = ["Prometheus", "Series", "Span", "choose"]

POINTS = 360
"""How many points a graph is asked for."""


@dataclass(frozen=True, slots=True)
class Span:
    """The time range of the dashboard, in seconds of the clock."""

    start: float
    end: float

    @property
    def step(self) -> float:
        return max(1.0, round((self.end - self.start) / POINTS))


@dataclass(frozen=True, slots=True)
class Series:
    """``points`` are times and values; of an instant query there is one."""

    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]

    @property
    def last(self) -> float:
        return self.points[-1][1]


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A server, by its address without a path."""

    url: str

    def instant(self, expr: str, at: float) -> list[Series]:
        asked = {"query": expr, "time": f"{at:.3f}"}
        return _series((one["metric"], [one["value"]]) for one in self._get("query", asked))

    def over(self, expr: str, span: Span) -> list[Series]:
        asked = {
            "query": expr,
            "start": f"{span.start:.3f}",
            "end": f"{span.end:.3f}",
            "step": f"{span.step:g}",
        }
        return _series((one["metric"], one["values"]) for one in self._get("query_range", asked))

    def _get(self, what: str, asked: Mapping[str, str]) -> list[dict[str, Any]]:
        url = f"{self.url}/api/v1/{what}?{urllib.parse.urlencode(asked)}"
        with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310  the address is the one typed
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return found


def _series(found: Iterable[tuple[dict[str, str], list[tuple[float, str]]]]) -> list[Series]:
    """Without what is no number, as a quantile of nothing; it is a gap in a graph."""
    every = [
        Series(labels, tuple((at, float(value)) for at, value in points if value != "NaN"))
        for labels, points in found
    ]
    return [one for one in every if one.points]


def choose(
    board: Mapping[str, Any], prometheus: Prometheus, span: Span, given: Mapping[str, str]
) -> dict[str, str]:
    """A value for each variable: the one given, all where that is offered, else the first in the alphabet."""
    chosen = dict(given)
    queried = [one for one in board["templating"]["list"] if one["type"] == "query"]
    for variable in queried:
        if variable["name"] in chosen:
            continue
        if variable.get("includeAll"):
            chosen[variable["name"]] = variable["allValue"]
            continue
        alone = {"templating": {"list": [variable]}}
        [(name, expr, label)] = variable_queries(alone, chosen)
        values = sorted({one.labels.get(label, "") for one in prometheus.instant(expr, span.end)})
        if not values:
            raise SystemExit(f"{prometheus.url} has no value for ${name}: {filled(expr, chosen)}")
        chosen[name] = values[0]
    return chosen
