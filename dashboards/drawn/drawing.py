"""Panels drawn on a dark ground, close to how Grafana draws them.

The canvas counts in Grafana's grid: 24 columns, and rows of ``ROW`` pixels. What does not fit is cut off with "..." where
Grafana would scroll.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

# matplotlib is installed for `make pictures` only; its types are in collector/typings
from matplotlib.axes import Axes  # pyright: ignore[reportMissingModuleSource]
from matplotlib.figure import Figure  # pyright: ignore[reportMissingModuleSource]
from matplotlib.patches import (  # pyright: ignore[reportMissingModuleSource]
    FancyBboxPatch,
    Rectangle,
)

from boards.queries import filled
from drawn.asking import Prometheus, Series, Span
from drawn.showing import PALETTE, Style, color, legend, number, style_of

__all__ = ["draw"]

GROUND, PANEL, EDGE = "#111217", "#181b1f", "#2b2e35"
TEXT, FAINT, LINK = "#ccccdc", "#8e8e99", "#6e9fff"
COLUMN, ROW, GAP, HEADER, DPI = 66, 34, 8, 34, 100


@dataclass(frozen=True, slots=True)
class Box:
    """Pixels from the top left corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(slots=True)
class _Board:
    """What every panel needs: the canvas, where to ask, what the variables are."""

    figure: Figure
    canvas: Axes
    size: tuple[float, float]
    prometheus: Prometheus
    span: Span
    variables: Mapping[str, str]
    marks: Sequence[tuple[float, str]] = field(default_factory=tuple[tuple[float, str]])

    def write(
        self,
        x: float,
        y: float,
        text: str,
        tint: str = TEXT,
        size: float = 8.5,
        *,
        ha: str = "left",
        weight: str = "normal",
    ) -> None:
        """Text at this height; a dollar is a dollar, no formula."""
        self.canvas.text(
            x,
            y,
            text.replace("$", r"\$"),
            color=tint,
            fontsize=size,
            ha=ha,
            va="center",
            weight=weight,
        )

    def fill(self, box: Box, tint: str, edge: str = "none", alpha: float = 1) -> None:
        self.canvas.add_patch(
            FancyBboxPatch(
                (box.x, box.y),
                box.width,
                box.height,
                boxstyle="round,pad=0,rounding_size=3",
                facecolor=tint,
                edgecolor=edge,
                linewidth=0.8,
                alpha=alpha,
            )
        )

    def plot(self, box: Box) -> Axes:
        wide, high = self.size
        axes = self.figure.add_axes(
            (box.x / wide, 1 - (box.y + box.height) / high, box.width / wide, box.height / high)
        )
        axes.set_facecolor(PANEL)
        axes.set_xlim(self.span.start, self.span.end)
        axes.grid(True, color=EDGE, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.tick_params(colors=FAINT, labelsize=7, length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
        ticks = [
            self.span.start + (self.span.end - self.span.start) * part / 5 for part in range(1, 5)
        ]
        axes.set_xticks(ticks)
        axes.set_xticklabels([datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S") for at in ticks])
        return axes

    def instant(self, target: Mapping[str, Any]) -> list[Series]:
        return self.prometheus.instant(filled(target["expr"], self.variables), self.span.end)

    def over(self, target: Mapping[str, Any]) -> list[Series]:
        return self.prometheus.over(filled(target["expr"], self.variables), self.span)


def draw(
    board: Mapping[str, Any],
    prometheus: Prometheus,
    span: Span,
    variables: Mapping[str, str],
    path: Path,
) -> None:
    """The dashboard as one picture; folded rows stay folded."""
    bottom = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in board["panels"])
    size = (24 * COLUMN + GAP, bottom * ROW + HEADER + GAP)
    figure = Figure(figsize=(size[0] / DPI, size[1] / DPI), dpi=DPI, facecolor=GROUND)
    canvas = figure.add_axes((0, 0, 1, 1))
    canvas.set_xlim(0, size[0])
    canvas.set_ylim(size[1], 0)
    canvas.axis("off")
    drawn = _Board(figure, canvas, size, prometheus, span, variables)
    drawn.marks = _marks(drawn, board)
    _head(drawn, board)
    for panel in board["panels"]:
        place = panel["gridPos"]
        box = Box(
            place["x"] * COLUMN + GAP,
            place["y"] * ROW + HEADER,
            place["w"] * COLUMN - GAP,
            place["h"] * ROW - GAP,
        )
        if panel["type"] == "row":
            _row(drawn, panel, box)
            continue
        drawn.fill(box, PANEL, EDGE)
        drawn.write(box.x + 10, box.y + 14, panel["title"], size=9)
        inner = Box(box.x + 8, box.y + 28, box.width - 16, box.height - 36)
        _KINDS[panel["type"]](drawn, panel, inner)
    figure.savefig(path, facecolor=GROUND)


def _head(board: _Board, what: Mapping[str, Any]) -> None:
    """Title, variables and time range, as the bar above a dashboard has them."""
    chosen = [
        f"{one['label']}: {board.variables[one['name']].replace('.*', 'All')}"
        for one in what["templating"]["list"]
        if one["type"] == "query"
    ]
    board.write(GAP + 2, 17, what["title"], size=12, weight="bold")
    board.write(220, 17, "    ".join(chosen), FAINT, 9)
    moments = [
        datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
        for at in (board.span.start, board.span.end)
    ]
    board.write(board.size[0] - GAP, 17, f"{' to '.join(moments)} UTC", FAINT, 9, ha="right")


def _marks(board: _Board, what: Mapping[str, Any]) -> list[tuple[float, str]]:
    """When something began that an annotation marks: the first of each run of points."""
    found: list[tuple[float, str]] = []
    for one in what["annotations"]["list"]:
        for series in board.over(one):
            before = float("-inf")
            for at, _ in series.points:
                if at - before > 1.5 * board.span.step:
                    found.append((at, color(one["iconColor"])))
                before = at
    return found


def _row(board: _Board, panel: Mapping[str, Any], box: Box) -> None:
    folded = panel["collapsed"]
    said = f"   ({len(panel['panels'])} panels)" if folded else ""
    sign = (
        "\N{BLACK RIGHT-POINTING SMALL TRIANGLE}"
        if folded
        else "\N{BLACK DOWN-POINTING SMALL TRIANGLE}"
    )
    board.write(box.x + 2, box.y + box.height / 2, f"{sign} {panel['title']}{said}", size=10.5)


def _text(board: _Board, panel: Mapping[str, Any], box: Box) -> None:
    wide = int(box.width / 6.0)
    lines = [
        line
        for paragraph in panel["options"]["content"].replace("*", "").split("\n")
        for line in textwrap.wrap(paragraph, wide)
    ]
    for index, line in enumerate(lines[: int(box.height / 17) + 1]):
        board.write(box.x + 2, box.y + 8 + 17 * index, line, size=8.5)


def _stat(board: _Board, panel: Mapping[str, Any], box: Box) -> None:
    shown = [
        (
            legend(target["legendFormat"], one.labels),
            one.last,
            style_of(panel, "byFrameRefID", target["refId"]),
        )
        for target in panel["targets"]
        for one in board.instant(target)
    ]
    if not shown:
        none = panel["fieldConfig"]["defaults"].get("noValue", "No data")
        board.fill(box, color("#6e7380"))
        board.write(box.x + box.width / 2, box.y + box.height / 2, none, "white", 13, ha="center")
        return
    high = (box.height - 4 * (len(shown) - 1)) / len(shown)
    for index, (name, value, style) in enumerate(shown):
        tile = Box(box.x, box.y + index * (high + 4), box.width, high)
        board.fill(tile, style.color(value) or color("#6e7380"))
        ink = _ink(style.color(value))
        middle = tile.y + tile.height / 2
        if panel["options"]["textMode"] == "value":
            text = style.text(value)
            board.write(
                tile.x + tile.width / 2,
                middle,
                text,
                ink,
                22 if len(text) < 8 else 13,
                ha="center",
                weight="bold",
            )
            continue
        text = style.text(value)
        room = int((tile.width - 9.5 * len(text)) / 6.5)
        board.write(tile.x + 8, middle, _cut(name, room), ink, 8.5)
        board.write(tile.x + tile.width - 8, middle, text, ink, 12, ha="right", weight="bold")


def _ink(ground: str | None) -> str:
    """White on dark tiles, black on bright ones."""
    red, green, blue = (int((ground or GROUND)[at : at + 2], 16) for at in (1, 3, 5))
    return "black" if 0.3 * red + 0.59 * green + 0.11 * blue > 190 else "white"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: max(most - 3, 1)]}..."


@dataclass(frozen=True, slots=True)
class _Line:
    name: str
    series: Series
    style: Style
    tint: str


def _lines(board: _Board, panel: Mapping[str, Any]) -> list[_Line]:
    found: list[_Line] = []
    for target in panel["targets"]:
        style = style_of(panel, "byFrameRefID", target["refId"])
        for one in board.over(target):
            name = legend(target["legendFormat"], one.labels)
            fixed = style_of(panel, "byName", name).fixed or style.fixed
            tint = fixed or PALETTE[len(found) % len(PALETTE)]
            found.append(_Line(name, one, style, tint))
    return found


def _graph(board: _Board, panel: Mapping[str, Any], box: Box) -> None:
    lines = _lines(board, panel)
    entries = min(len(lines), 4)
    under = 16 * (entries + 1) + 6 if lines else 0
    defaults = panel["fieldConfig"]["defaults"]
    left = 78 if defaults.get("unit") == "hex0x" else 56
    axes = board.plot(Box(box.x + left, box.y + 4, box.width - left - 8, box.height - under - 24))
    if not lines:
        _say_none(board, axes, panel)
        return
    _strokes(axes, lines, defaults["custom"], board.span.step)
    low, high = axes.get_ylim()
    if defaults.get("min") is not None:
        low = defaults["min"]
    flat = all(value == 0 for line in lines for _, value in line.series.points)
    axes.set_ylim(low, 1 if flat else high)
    _dashes(axes, defaults)
    for at, tint in board.marks:
        axes.axvline(at, color=tint, linewidth=0.9, linestyle=(0, (3, 2)))
    unit = defaults.get("unit", "short")
    ticks = _ticks(axes.get_ylim(), unit)
    axes.set_yticks(ticks)
    axes.set_yticklabels([number(tick, unit) for tick in ticks])
    _legend(board, lines, Box(box.x, box.y + box.height - under, box.width, under))


def _ticks(limits: tuple[float, float], unit: str) -> list[float]:
    """Some five round values: of seconds minutes and hours, of bytes powers of two, of counts no fractions."""
    least = (limits[1] - limits[0]) / 6
    match unit:
        case "s" if least >= 1:
            steps = [1, 5, 10, 30, 60, 300, 600, 900, 1800, 3600, 7200, 21600, 86400]
            step = next((one for one in steps if one >= least), 86400.0)
        case "bytes" | "hex0x":
            step = max(1.0, 2.0 ** math.ceil(math.log2(least)))
        case _:
            power = 10.0 ** math.floor(math.log10(least))
            step = next(one * power for one in (1, 2, 5, 10) if one * power >= least)
            if unit == "short":
                step = max(1.0, step)
    first = math.ceil(limits[0] / step)
    return [step * index for index in range(first, math.floor(limits[1] / step) + 1)]


def _say_none(board: _Board, axes: Axes, panel: Mapping[str, Any]) -> None:
    axes.set_yticks([])
    axes.set_ylim(0, 1)
    axes.text(
        (board.span.start + board.span.end) / 2,
        0.5,
        panel["fieldConfig"]["defaults"].get("noValue", "No data"),
        color=FAINT,
        fontsize=9,
        ha="center",
        va="center",
    )


def _strokes(axes: Axes, lines: Sequence[_Line], custom: Mapping[str, Any], step: float) -> None:
    bars = custom["drawStyle"] == "bars"
    stacked = custom.get("stacking", {}).get("mode") == "normal"
    below: dict[float, float] = {}
    for line in lines:
        times = [at for at, _ in line.series.points]
        floors = [below.get(at, 0.0) if stacked else 0.0 for at in times]
        tops = [floor + value for floor, (_, value) in zip(floors, line.series.points, strict=True)]
        if bars:
            heights = [value for _, value in line.series.points]
            axes.bar(
                times, heights, width=step, bottom=floors, color=line.tint, alpha=0.75, linewidth=0
            )
        else:
            times, floors, tops = _with_gaps(times, floors, tops, step)
            axes.plot(times, tops, color=line.tint, linewidth=1.2)
            axes.fill_between(
                times, floors, tops, color=line.tint, alpha=0.5 if stacked else 0.08, linewidth=0
            )
        if stacked:
            below |= {at: top for at, top in zip(times, tops, strict=True) if not math.isnan(top)}


def _with_gaps(
    times: Sequence[float], floors: Sequence[float], tops: Sequence[float], step: float
) -> tuple[list[float], list[float], list[float]]:
    """A point that is none where points are missing, so that no line bridges the gap."""
    rows: list[tuple[float, float, float]] = []
    for at, floor, top in zip(times, floors, tops, strict=True):
        if rows and at - rows[-1][0] > 1.5 * step:
            rows.append((rows[-1][0] + step, float("nan"), float("nan")))
        rows.append((at, floor, top))
    return [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]


def _dashes(axes: Axes, defaults: Mapping[str, Any]) -> None:
    """Where an alert would fire, if that is within what is shown."""
    if defaults["custom"].get("thresholdsStyle", {}).get("mode") != "dashed":
        return
    for step in defaults["thresholds"]["steps"]:
        if step["value"] is not None:
            limits = axes.get_ylim()
            if limits[0] <= step["value"] <= limits[1]:
                axes.axhline(step["value"], color=color(step["color"]), linewidth=1, linestyle="--")


def _legend(board: _Board, lines: Sequence[_Line], box: Box) -> None:
    last, most = box.x + box.width - 90, box.x + box.width - 6
    board.write(box.x + 4, box.y + 8, "Name", FAINT, 7.5)
    board.write(last, box.y + 8, "Last", LINK, 7.5, ha="right")
    board.write(most, box.y + 8, "Max", LINK, 7.5, ha="right")
    room = max(int(box.height - 6) // 16 - 1, 1)
    for index, line in enumerate(lines[:room]):
        y = box.y + 24 + 16 * index
        board.canvas.add_patch(Rectangle((box.x + 4, y - 2), 14, 4, facecolor=line.tint))
        more = f"  and {len(lines) - room} more" if index == room - 1 and len(lines) > room else ""
        board.write(box.x + 24, y, _cut(line.name + more, int((box.width - 210) / 5.2)), size=7.5)
        board.write(last, y, line.style.text(line.series.last), size=7.5, ha="right")
        highest = max(value for _, value in line.series.points)
        board.write(most, y, line.style.text(highest), size=7.5, ha="right")


def _timeline(board: _Board, panel: Mapping[str, Any], box: Box) -> None:
    lines = _lines(board, panel)
    if not lines:
        _say_none(board, board.plot(Box(box.x, box.y, box.width, box.height - 20)), panel)
        return
    names = min(max(len(line.name) for line in lines), 34) * 5.2 + 12
    axes = board.plot(Box(box.x + names, box.y + 4, box.width - names - 8, box.height - 24))
    axes.set_ylim(len(lines), 0)
    axes.set_yticks([])
    high = (box.height - 24) / len(lines)
    for index, line in enumerate(lines):
        board.write(
            box.x + names - 8,
            box.y + 4 + high * (index + 0.5),
            _cut(line.name, 34),
            size=7.5,
            ha="right",
        )
        for start, end, value in _runs(line.series, board.span):
            tint = line.style.color(value) or FAINT
            axes.add_patch(
                Rectangle((start, index + 0.08), end - start, 0.84, facecolor=tint, alpha=0.85)
            )
            if (end - start) / (board.span.end - board.span.start) > 0.06:
                said = line.style.text(value)
                axes.text(
                    start,
                    index + 0.5,
                    f" {said}",
                    color="white",
                    fontsize=7,
                    va="center",
                    clip_on=True,
                )


def _runs(series: Series, span: Span) -> list[tuple[float, float, float]]:
    """Begin, end and value of each time at which the value stayed."""
    runs: list[tuple[float, float, float]] = []
    for at, value in series.points:
        end = min(at + span.step, span.end)
        if runs and runs[-1][2] == value and at - runs[-1][1] < span.step:
            runs[-1] = (runs[-1][0], end, value)
        else:
            runs.append((at, end, value))
    return runs


def _heat(board: _Board, panel: Mapping[str, Any], box: Box) -> None:
    """Buckets of a histogram count everything below them: what is between two is their difference."""
    found = board.over(panel["targets"][0])
    buckets = sorted(found, key=lambda one: float(one.labels["le"]))
    axes = board.plot(Box(box.x + 56, box.y + 4, box.width - 64, box.height - 28))
    axes.set_ylim(0, max(len(buckets), 1))
    most = max((value for one in buckets for _, value in one.points), default=0)
    below: dict[float, float] = {}
    for index, one in enumerate(buckets):
        for at, value in one.points:
            share = max(value - below.get(at, 0.0), 0) / most if most else 0
            if share > 0:
                axes.add_patch(
                    Rectangle(
                        (at, index), board.span.step, 0.94, facecolor="#ff9830", alpha=share**0.5
                    )
                )
        below = dict(one.points)
    axes.set_yticks([index + 0.5 for index in range(len(buckets))])
    axes.set_yticklabels(
        [
            "more" if one.labels["le"] == "+Inf" else number(float(one.labels["le"]), "s")
            for one in buckets
        ]
    )


def _table(board: _Board, panel: Mapping[str, Any], box: Box) -> None:
    organized = panel["transformations"][-1]["options"]
    rows = _rows(board, panel)
    columns = [
        name
        for name in sorted(organized["indexByName"], key=organized["indexByName"].__getitem__)
        if any(name in row for row in rows)
    ]
    if not rows:
        none = panel["fieldConfig"]["defaults"].get("noValue", "No data")
        board.write(box.x + box.width / 2, box.y + box.height / 2, none, FAINT, 10, ha="center")
        return
    titles = {name: organized["renameByName"].get(name, name) for name in columns}
    styles = {name: style_of(panel, "byName", titles[name]) for name in columns}
    cells = [[_cell(row.get(name), styles[name]) for name in columns] for row in rows]
    for sort in panel["options"].get("sortBy") or ():
        by = [name for name in columns if titles[name] == sort["displayName"]]
        order = sorted(range(len(rows)), key=lambda at: [_rank(rows[at].get(one)) for one in by])
        if sort.get("desc"):
            order.reverse()
        cells = [cells[at] for at in order]
    room = int((box.height - 8) / 22) - 1
    widths = _widths([titles[name] for name in columns], cells, box.width)
    x = box.x
    for index, name in enumerate(columns):
        most = int(widths[index] / 5.8)
        board.write(x + 4, box.y + 9, _cut(titles[name], most), LINK, 8)
        for line, row in enumerate(cells[:room]):
            text, tint = row[index]
            board.write(x + 4, box.y + 31 + 22 * line, _cut(text, most), tint or TEXT, 8)
        x += widths[index]
    for line in range(min(len(cells), room) + 1):
        board.canvas.plot(
            [box.x, box.x + box.width], [box.y + 20 + 22 * line] * 2, color=EDGE, linewidth=0.6
        )


def _rows(board: _Board, panel: Mapping[str, Any]) -> list[dict[str, str | float]]:
    """Rows of several queries in one where they say nothing different, as the transformation ``merge`` makes them."""
    rows: list[dict[str, str | float]] = []
    for target in panel["targets"]:
        name = f"Value #{target['refId']}" if len(panel["targets"]) > 1 else "Value"
        for one in board.instant(target):
            fitting = (
                row
                for row in rows
                if name not in row
                and all(row.get(label, said) == said for label, said in one.labels.items())
            )
            row = next(fitting, None)
            if row is None:
                rows.append(row := {})
            row.update(one.labels)
            row[name] = one.last
    return rows


def _rank(value: str | float | None) -> tuple[float, str]:
    """Nothing below everything, as Grafana has it."""
    if isinstance(value, str):
        return 0.0, value
    return (float("-inf") if value is None else value), ""


def _cell(value: str | float | None, style: Style) -> tuple[str, str | None]:
    if value is None or value == "":
        return style.none, FAINT
    if isinstance(value, str):
        return style.word(value)
    return style.text(value), style.color(value)


def _widths(
    titles: Sequence[str], cells: Sequence[Sequence[tuple[str, str | None]]], whole: float
) -> list[float]:
    """By the longest text of each column, stretched or squeezed to the panel."""
    wanted = [
        max(len(title), *(len(row[index][0]) for row in cells)) + 3
        for index, title in enumerate(titles)
    ]
    return [whole * one / sum(wanted) for one in wanted]


_KINDS: Mapping[str, Callable[[_Board, Mapping[str, Any], Box], None]] = {
    "text": _text,
    "stat": _stat,
    "timeseries": _graph,
    "state-timeline": _timeline,
    "heatmap": _heat,
    "table": _table,
}
