"""Values as Grafana shows them: with a unit, in words where the panel has words, in the colour of their step."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

__all__ = ["PALETTE", "Style", "color", "legend", "number", "style_of"]

_NAMED = {
    "green": "#73bf69",
    "red": "#f2495c",
    "orange": "#ff9830",
    "yellow": "#fade2a",
    "blue": "#5794f2",
}
PALETTE = (
    "#73bf69",
    "#f2cc0c",
    "#8ab8ff",
    "#ff780a",
    "#f2495c",
    "#5794f2",
    "#b877d9",
    "#705da0",
    "#37872d",
    "#fade2a",
)
"""The colours of series that have none of their own, in Grafana's order."""

_SPANS = ((31_557_600, "year"), (604_800, "week"), (86_400, "day"), (3_600, "hour"), (60, "min"))


def color(name: str) -> str:
    """A colour as Grafana names it, as one that a browser or matplotlib knows."""
    return _NAMED.get(name, name)


def legend(pattern: str, labels: Mapping[str, str]) -> str:
    """``{{trigger}}`` as the value of that label; without a pattern all labels."""
    if not pattern:
        return ", ".join(f"{name}={value}" for name, value in sorted(labels.items()))
    return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), pattern)


def number(value: float, unit: str, decimals: int | None = None) -> str:
    """``0.75`` as ``75%`` of ``percentunit``, ``3600`` as ``1 hour`` of ``s``."""
    match unit:
        case "percentunit":
            return f"{_plain(value * 100, decimals)}%"
        case "percent":
            return f"{_plain(value, decimals)}%"
        case "s":
            return _seconds(value, decimals)
        case "hex0x":
            return f"0x{int(value):X}"
        case "bytes":
            return _scaled(value, 1024, ("B", "KiB", "MiB", "GiB", "TiB"), decimals)
        case "bps":
            return _scaled(value, 1000, ("b/s", "kb/s", "Mb/s", "Gb/s"), decimals)
        case "pps":
            return _scaled(value, 1000, ("p/s", "kp/s", "Mp/s"), decimals)
        case "ops":
            return _scaled(value, 1000, ("ops/s", "K ops/s"), decimals)
        case "dateTimeAsIso":
            moment = datetime.fromtimestamp(value / 1000, UTC)
            return moment.strftime("%Y-%m-%d %H:%M:%S")
        case _:
            return _plain(value, decimals)


def _plain(value: float, decimals: int | None) -> str:
    if decimals is not None:
        return f"{value:.{decimals}f}"
    if abs(value) >= 100 or value == int(value):
        return f"{value:.0f}"
    return f"{value:.3g}"


def _seconds(value: float, decimals: int | None) -> str:
    if value and abs(value) < 1:
        return f"{_plain(value * 1000, decimals)} ms"
    for size, name in _SPANS:
        if abs(value) >= size:
            return f"{_plain(value / size, decimals)} {name}"
    return f"{_plain(value, decimals)} s"


def _scaled(value: float, base: int, names: Sequence[str], decimals: int | None) -> str:
    step = 0
    while abs(value) >= base and step + 1 < len(names):
        value, step = value / base, step + 1
    return f"{_plain(value, decimals)} {names[step]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How values of one query or column are shown."""

    unit: str = "short"
    decimals: int | None = None
    steps: Sequence[Mapping[str, Any]] = ()
    mappings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    fixed: str | None = None
    none: str = "No data"

    def text(self, value: float) -> str:
        mapped = self.mappings.get(f"{value:g}")
        return mapped["text"] if mapped else number(value, self.unit, self.decimals)

    def word(self, value: str) -> tuple[str, str | None]:
        """A text and its colour, where it has one."""
        mapped = self.mappings.get(value)
        return (mapped["text"], color(mapped["color"])) if mapped else (value, None)

    def color(self, value: float) -> str | None:
        """That of the words, else of the highest step reached."""
        mapped = self.mappings.get(f"{value:g}")
        if mapped:
            return color(mapped["color"])
        reached = [one for one in self.steps if one["value"] is None or value >= one["value"]]
        return color(reached[-1]["color"]) if reached else None


def style_of(panel: Mapping[str, Any], matcher: str, name: str) -> Style:
    """The panel's defaults and what it overrides for one query (``byFrameRefID``) or column (``byName``)."""
    config = panel["fieldConfig"]
    found: dict[str, Any] = dict(config["defaults"])
    for override in config["overrides"]:
        if override["matcher"] == {"id": matcher, "options": name}:
            found |= {one["id"]: one["value"] for one in override["properties"]}
    nothing: dict[str, Any] = {}
    mappings: list[dict[str, Any]] = found.get("mappings") or []
    fixed: dict[str, str] = found.get("color") or {}
    thresholds: dict[str, list[dict[str, Any]]] = found.get("thresholds") or {"steps": []}
    return Style(
        unit=found.get("unit") or "short",
        decimals=found.get("decimals"),
        steps=thresholds["steps"],
        mappings=next((one["options"] for one in mappings if one["type"] == "value"), nothing),
        none=found.get("noValue", "No data"),
        fixed=color(fixed["fixedColor"]) if fixed.get("mode") == "fixed" else None,
    )
