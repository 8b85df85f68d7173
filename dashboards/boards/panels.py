"""Panels as these dashboards use them, over the builders of Grafana's foundation SDK.

What is alike in all of them is said once here: the data source is a variable, tooltips are shared, legends are tables with
the last and the greatest value, a number turns red where an alert would fire.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as dashboard_builders
from grafana_foundation_sdk.builders import (
    heatmap,
    prometheus,
    stat,
    statetimeline,
    table,
    text,
    timeseries,
)
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common, dashboard
from grafana_foundation_sdk.models import text as text_model
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode, HeatmapColorScale
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

__all__ = [
    "BLUE",
    "DATASOURCE",
    "GREEN",
    "GREY",
    "ORANGE",
    "RED",
    "YELLOW",
    "Column",
    "Link",
    "Placed",
    "Query",
    "Steps",
    "Words",
    "graph",
    "heat",
    "number",
    "rows",
    "timeline",
    "writing",
]

GREEN, YELLOW, ORANGE, RED, BLUE, GREY = "green", "yellow", "orange", "red", "blue", "#6e7380"
DATASOURCE = dashboard.DataSourceRef(type_val="prometheus", uid="${datasource}")

MOST_POINTS = 400
"""Of a graph: what a person can tell apart, and a hub of thousands of tunnels can be asked for every half minute."""

Words = Mapping[int | str, tuple[str, str]]
"""What to show for a value: the words and their colour."""

NO_CELL = "-"
"""In a cell without a value. Grafana would write there what the panel says when the whole table is empty."""


@dataclass(frozen=True)
class Steps(Builder[dashboard.ThresholdsConfig]):
    """The colour from the bottom up, and the values from which on it is another one."""

    base: str
    above: tuple[tuple[float, str], ...] = ()

    def build(self) -> dashboard.ThresholdsConfig:
        return dashboard.ThresholdsConfig(
            mode=dashboard.ThresholdsMode.ABSOLUTE,
            steps=[
                dashboard.Threshold(value=None, color=self.base),
                *(dashboard.Threshold(value=value, color=color) for value, color in self.above),
            ],
        )


@dataclass(frozen=True, slots=True)
class Link:
    """Where a click on a value leads; ``${__data.fields.NAME}`` is the row's."""

    title: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One query; its unit, words and steps where they differ from those of the panel."""

    expr: str
    legend: str = ""
    unit: str | None = None
    words: Words | None = None
    steps: Steps | None = None
    decimals: int | None = None
    color: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: ``field`` is a label, or ``Value`` with the letter of its query; ``title`` what stands above it."""

    field: str
    title: str
    unit: str | None = None
    words: Words | None = None
    steps: Steps | None = None
    decimals: int | None = None
    width: int | None = None
    links: tuple[Link, ...] = ()


_Panel = (
    stat.Panel | timeseries.Panel | table.Panel | statetimeline.Panel | heatmap.Panel | text.Panel
)


@dataclass(frozen=True, slots=True)
class Placed:
    """A panel and the room it takes: 24 columns are the whole width."""

    builder: _Panel
    width: int
    height: int


_P = TypeVar(
    "_P",
    stat.Panel,
    timeseries.Panel,
    table.Panel,
    statetimeline.Panel,
    heatmap.Panel,
)
Kind = Literal["range", "instant", "table", "heatmap"]


def _mapping(words: Words) -> dashboard.ValueMap:
    return dashboard.ValueMap(
        {
            str(value): dashboard.ValueMappingResult(text=said, color=color, index=index)
            for index, (value, (said, color)) in enumerate(words.items())
        }
    )


def _mapped_none(said: str) -> dashboard.SpecialValueMap:
    """Without a value the tile is grey; Grafana would give it the lowest colour, which may be red."""
    return dashboard.SpecialValueMap(
        dashboard.DashboardSpecialValueMapOptions(
            match=dashboard.SpecialValueMatch.NULL_AND_NAN,
            result=dashboard.ValueMappingResult(text=said, color=GREY, index=99),
        )
    )


def _properties(
    unit: str | None, words: Words | None, steps: Steps | None, decimals: int | None
) -> list[dashboard.DynamicConfigValue]:
    found: list[dashboard.DynamicConfigValue] = []
    if unit is not None:
        found.append(dashboard.DynamicConfigValue("unit", unit))
    if decimals is not None:
        found.append(dashboard.DynamicConfigValue("decimals", decimals))
    if words is not None:
        found.append(dashboard.DynamicConfigValue("mappings", [_mapping(words)]))
    if steps is not None:
        found.append(dashboard.DynamicConfigValue("thresholds", steps.build()))
    return found


def _fixed(color: str) -> dashboard.DynamicConfigValue:
    return dashboard.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": color})


def _letter(index: int) -> str:
    return chr(ord("A") + index)


def _asked(panel: _P, queries: Sequence[Query], kind: Kind) -> _P:
    """The panel with its queries, and what each of them wants otherwise than the panel."""
    for index, one in enumerate(queries):
        target = (
            prometheus.Dataquery()
            .expr(one.expr)
            .legend_format(one.legend)
            .ref_id(_letter(index))
            .datasource(DATASOURCE)
        )
        target = target.range() if kind in ("range", "heatmap") else target.instant()
        if kind in ("table", "heatmap"):
            target = target.format(
                PromQueryFormat.TABLE if kind == "table" else PromQueryFormat.HEATMAP
            )
        panel.with_target(target)
        wanted = _properties(one.unit, one.words, one.steps, one.decimals)
        if one.color is not None:
            wanted.append(_fixed(one.color))
        if wanted:
            panel.override_by_query(_letter(index), wanted)
    return panel


def _titled(panel: _P, id_: int, title: str, about: str, unit: str) -> _P:
    return panel.id(id_).title(title).description(about).unit(unit).datasource(DATASOURCE)


def number(
    id_: int,
    title: str,
    about: str,
    *queries: Query,
    size: tuple[int, int] = (4, 4),
    unit: str = "short",
    words: Words | None = None,
    steps: Steps | None = None,
    none: str = "none",
) -> Placed:
    """One or a few big numbers or words, on the colour of their state."""
    steps = steps or Steps(GREY)
    panel = _titled(stat.Panel(), id_, title, about, unit)
    panel.color_mode(common.BigValueColorMode.BACKGROUND_SOLID)
    panel.graph_mode(common.BigValueGraphMode.NONE)
    named = any(one.legend for one in queries)
    panel.text_mode(
        common.BigValueTextMode.VALUE_AND_NAME if named else common.BigValueTextMode.VALUE
    )
    panel.orientation(common.VizOrientation.HORIZONTAL)
    panel.reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
    panel.color_scheme(dashboard_builders.FieldColor().mode(dashboard.FieldColorModeId.THRESHOLDS))
    panel.thresholds(steps)
    panel.no_value(none)
    panel.mappings([*([_mapping(words)] if words is not None else []), _mapped_none(none)])
    return Placed(_asked(panel, queries, "instant"), *size)


def graph(
    id_: int,
    title: str,
    about: str,
    *queries: Query,
    size: tuple[int, int] = (12, 8),
    unit: str = "short",
    steps: Steps | None = None,
    bars: bool = False,
    stacked: bool = False,
    lowest: float | None = 0,
    highest: float | None = None,
    tints: Mapping[str, str] | None = None,
    none: str = "No data",
) -> Placed:
    """Lines, or bars for what happens now and then; a dashed line stands where an alert would fire.

    ``tints`` are colours by the name in the legend; ``none`` says what it means if there is no line.
    """
    panel = _titled(timeseries.Panel(), id_, title, about, unit)
    panel.legend(
        common_builders.VizLegendOptions()
        .display_mode(common.LegendDisplayMode.TABLE)
        .placement(common.LegendPlacement.BOTTOM)
        .show_legend(True)
        .calcs(["lastNotNull", "max"])
    )
    panel.tooltip(
        common_builders.VizTooltipOptions()
        .mode(common.TooltipDisplayMode.MULTI)
        .sort(common.SortOrder.DESCENDING)
    )
    panel.max_data_points(MOST_POINTS)
    panel.draw_style(common.GraphDrawStyle.BARS if bars else common.GraphDrawStyle.LINE)
    panel.line_width(1).fill_opacity(60 if bars else 10)
    # automatic: one reading between two gaps would be no line, and so nothing to see
    panel.show_points(common.VisibilityMode.NEVER if bars else common.VisibilityMode.AUTO)
    panel.no_value(none)
    if stacked:
        panel.stacking(common_builders.StackingConfig().mode(common.StackingMode.NORMAL).group("A"))
    if lowest is not None:
        panel.min(lowest)
    if highest is not None:
        panel.max(highest)
    if steps is not None:
        panel.thresholds(steps)
        panel.thresholds_style(
            common_builders.GraphThresholdsStyleConfig().mode(common.GraphTresholdsStyleMode.DASHED)
        )
    placed = Placed(_asked(panel, queries, "range"), *size)
    for name, tint in (tints or {}).items():
        panel.override_by_name(name, [_fixed(tint)])
    return placed


def timeline(
    id_: int,
    title: str,
    about: str,
    *queries: Query,
    size: tuple[int, int] = (24, 7),
    words: Words | None = None,
    none: str = "No data",
) -> Placed:
    """States over time, one bar each."""
    panel = _titled(statetimeline.Panel(), id_, title, about, "none")
    panel.color_scheme(dashboard_builders.FieldColor().mode(dashboard.FieldColorModeId.THRESHOLDS))
    panel.thresholds(Steps(GREY))
    panel.max_data_points(MOST_POINTS)
    panel.no_value(none)
    panel.merge_values(True).show_value(common.VisibilityMode.AUTO).row_height(0.85)
    panel.fill_opacity(80).line_width(0)
    panel.legend(common_builders.VizLegendOptions().show_legend(False).calcs([]))
    panel.tooltip(common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI))
    if words is not None:
        panel.mappings([_mapping(words)])
    return Placed(_asked(panel, queries, "range"), *size)


def heat(
    id_: int, title: str, about: str, query: Query, *, size: tuple[int, int] = (12, 8), unit: str
) -> Placed:
    """How often each bucket of a histogram was hit, over time."""
    panel = heatmap.Panel().id(id_).title(title).description(about).datasource(DATASOURCE)
    panel.calculate(False).show_legend().show_tooltip()
    panel.color(
        heatmap.HeatmapColorOptions()
        .mode(HeatmapColorMode.SCHEME)
        .scheme("Oranges")
        .scale(HeatmapColorScale.EXPONENTIAL)
        .exponent(0.5)
        .steps(64)
        .fill("dark-orange")
    )
    panel.y_axis(heatmap.YAxisConfig().unit(unit))
    return Placed(_asked(panel, [query], "heatmap"), *size)


def rows(
    id_: int,
    title: str,
    about: str,
    columns: Sequence[Column],
    *queries: Query,
    size: tuple[int, int] = (24, 8),
    sort: str | None = None,
    least_first: bool = False,
    none: str = "nothing",
) -> Placed:
    """A table: the queries' rows with equal labels become one, each query's value a column.

    Columns called as labels keep that name, because links take the row's values by it.
    """
    panel = table.Panel().id(id_).title(title).description(about).datasource(DATASOURCE)
    panel.no_value(none).show_header(True)
    if len(queries) > 1:
        panel.with_transformation(dashboard.DataTransformerConfig(id_val="merge", options={}))
    panel.with_transformation(
        dashboard.DataTransformerConfig(id_val="organize", options=_organized(columns))
    )
    for column in columns:
        wanted = _properties(column.unit, column.words, column.steps, column.decimals)
        wanted.append(dashboard.DynamicConfigValue("noValue", NO_CELL))
        if column.words is not None or column.steps is not None:
            wanted.append(
                dashboard.DynamicConfigValue("custom.cellOptions", {"type": "color-text"})
            )
        if column.width is not None:
            wanted.append(dashboard.DynamicConfigValue("custom.width", column.width))
        if column.links:
            wanted.append(
                dashboard.DynamicConfigValue(
                    "links", [{"title": one.title, "url": one.url} for one in column.links]
                )
            )
        panel.override_by_name(column.title, wanted)
    if sort is not None:
        panel.sort_by(
            [common_builders.TableSortByFieldState().display_name(sort).desc(not least_first)]
        )
    return Placed(_asked(panel, queries, "table"), *size)


def _organized(columns: Sequence[Column]) -> dict[str, object]:
    """Order and names of the columns. A lone query's value is called ``Value``, or as of many, ``Value #A``."""
    names: dict[str, str] = {}
    order: dict[str, int] = {}
    for index, column in enumerate(columns):
        for name in [column.field, "Value #A"] if column.field == "Value" else [column.field]:
            order[name] = index
            if name != column.title:
                names[name] = column.title
    return {"excludeByName": {"Time": True}, "indexByName": order, "renameByName": names}


def writing(id_: int, title: str, content: str, *, size: tuple[int, int]) -> Placed:
    """A text for whoever sees this for the first time; its lines stay lines."""
    panel = text.Panel().id(id_).title(title)
    panel.mode(text_model.TextMode.MARKDOWN).content(content.replace("\n", "  \n"))
    return Placed(panel, *size)
