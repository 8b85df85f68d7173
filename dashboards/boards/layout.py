"""A dashboard as rows of panels, placed on Grafana's grid of 24 columns and written as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard

from boards.panels import DATASOURCE, Placed
from boards.variables import Variable, boards_links

__all__ = ["Board", "Mark", "Section"]

COLUMNS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A row with a title and what is below it; a folded one shows its panels at a click."""

    id: int
    title: str
    panels: Sequence[Placed]
    folded: bool = False


class Mark(dashboard.AnnotationQuery):
    """Moments or spans that a query marks in every graph. The SDK does not know how Prometheus titles them."""

    def __init__(self, name: str, color: str, expr: str, title: str, text: str = "") -> None:
        super().__init__(name=name, datasource=DATASOURCE, enable=True, icon_color=color, expr=expr)
        # newer versions of Grafana ask for the target, older ones for the expression
        self.asked = {"target": {"expr": expr, "refId": "Anno"}}
        self.titles = {"titleFormat": title, "textFormat": text}

    def to_json(self) -> dict[str, object]:
        return super().to_json() | self.asked | self.titles


@dataclass(frozen=True, slots=True)
class _As(Builder[dashboard.AnnotationQuery]):
    """The SDK takes builders; a mark is built already."""

    mark: Mark

    def build(self) -> dashboard.AnnotationQuery:
        return self.mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """``top`` stands above the first row; ``since`` is how far back the dashboard looks at first."""

    name: str
    uid: str
    title: str
    about: str
    variables: Sequence[Variable]
    top: Sequence[Placed]
    sections: Sequence[Section]
    marks: Sequence[Mark] = ()
    since: str = "now-6h"
    refresh: str = "30s"

    def json(self) -> str:
        """Sorted, so that a fresh build of an unchanged source is the same to the byte."""
        return json.dumps(self._built(), cls=JSONEncoder, sort_keys=True, indent=2) + "\n"

    def _built(self) -> dashboard.Dashboard:
        board = (
            builders.Dashboard(self.title)
            .uid(self.uid)
            .description(self.about)
            .tags(["ipsec", "ipsecmon"])
            .time(self.since, "now")
            .refresh(self.refresh)
            .timezone("browser")
            .tooltip(dashboard.DashboardCursorSync.CROSSHAIR)
            .variables(list(self.variables))
            .links(boards_links(self.uid))
            .annotations([_As(mark) for mark in self.marks])
            .editable()
        )
        board.build().panels = self._placed()
        return board.build()

    def _placed(self) -> list[dashboard.Panel | dashboard.RowPanel]:
        placed: list[dashboard.Panel | dashboard.RowPanel] = []
        panels, y = _lines(self.top, 0)
        placed.extend(panels)
        for section in self.sections:
            row = dashboard.RowPanel(
                id_val=section.id,
                title=section.title,
                collapsed=section.folded,
                grid_pos=dashboard.GridPos(h=1, w=COLUMNS, x=0, y=y),
            )
            placed.append(row)
            panels, below = _lines(section.panels, y + 1)
            if section.folded:
                row.panels = panels
                y += 1
            else:
                placed.extend(panels)
                y = below
        return placed


def _lines(panels: Sequence[Placed], y: int) -> tuple[list[dashboard.Panel], int]:
    """The panels side by side, a new line where the next does not fit, and where the line below begins."""
    built: list[dashboard.Panel] = []
    x = tallest = 0
    for panel in panels:
        if x + panel.width > COLUMNS:
            x, y, tallest = 0, y + tallest, 0
        one = panel.builder.build()
        one.grid_pos = dashboard.GridPos(h=panel.height, w=panel.width, x=x, y=y)
        built.append(one)
        x += panel.width
        tallest = max(tallest, panel.height)
    return built, y + tallest
