"""Every query of every dashboard on the Prometheus of the run: it is answered, and there is something to see.

A panel about faults is empty while all is well, so each query is asked about a pair that lives and then about the struck ones,
at the moment their alerts had come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import pytest

from panel_queries import (
    EVERYTHING,
    PanelQuery,
    annotation_queries,
    load,
    panel_queries,
    variable_queries,
)

from .cases import SPEED, STAR
from .pairs import TUNNEL, Pair
from .play import Play

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

BOARDS = ("fleet", "device", "tunnel", "collector")
_LIVING = "normal rekeys for an hour"
# a lab that lives fast and is scraped every second needs no five minutes for a rate, and the run is as long as that
_INTERVALS = {"__rate_interval": "10s", "__interval": "30s", "__range": "5m"}

_EXTENDED = "its metrics are in the tier extended, and this is the default one"
NOTHING_TO_SEE: Mapping[tuple[str, str], tuple[int, str]] = {
    ("fleet", "Tunnels that changed in the last hour"): (
        1,
        "no tunnel here has another peer to turn to",
    ),
    ("device", "Receive errors"): (1, "no fault here spoils packets on their way"),
    ("device", "Time each command takes"): (1, _EXTENDED),
    ("device", "Tunnels by state, in full"): (1, _EXTENDED),
    ("tunnel", "Loss between the two ends"): (2, "it takes eleven minutes by the clock to tell"),
    ("tunnel", "State"): (1, _EXTENDED),
    ("tunnel", "Drops by reason"): (2, _EXTENDED),
    ("tunnel", "Replayed, of the packets received"): (1, _EXTENDED),
    ("tunnel", "SAs installed"): (1, _EXTENDED),
    ("tunnel", "Path MTU"): (1, _EXTENDED),
    ("collector", "Restarts"): (1, "ipsecmon is not restarted"),
}
"""(dashboard, title): how many queries have nothing to show here, and why. One that has after all must leave this list."""
# they mark what is wrong with the monitor; on a machine with more to do than this it may miss a poll
MAY_SHOW_NOTHING = ("collector", "Alerts")


class View(NamedTuple):
    """What a person looks at, and when."""

    device: str
    tunnel: str
    at: float

    @property
    def variables(self) -> Mapping[str, str]:
        return {**EVERYTHING, **_INTERVALS, "device": self.device, "tunnel": self.tunnel}


def views(played: Play) -> Iterator[View]:
    """The living pair first, then both ends of the struck ones."""
    for name in sorted(played.outcomes, key=lambda one: one != _LIVING):
        outcome = played.outcomes[name]
        site = outcome.case.site
        tunnel = TUNNEL if isinstance(site, Pair) else STAR.tunnels[0]
        at = outcome.last_fired() if outcome.has_all() and outcome.case.alerts else outcome.lifted
        for device in site.devices:
            yield View(device, tunnel, at - 20 / SPEED)


def queries_of(board: str, view: View) -> list[PanelQuery]:
    dashboard = load(board)
    return [
        *panel_queries(dashboard, view.variables),
        *annotation_queries(dashboard, view.variables),
    ]


def nothing_to_see(
    played: Play, asked: Sequence[tuple[View, Sequence[PanelQuery]]]
) -> set[tuple[str, str]]:
    """Title and expression, as for the first view, of the queries that show nothing in any view."""
    of_each_query = zip(*(queries for _, queries in asked), strict=True)
    return {
        (queries[0].title, queries[0].expr)
        for queries in of_each_query
        if not any(
            played.prometheus.query(query.expr, view.at)
            for query, (view, _) in zip(queries, asked, strict=True)
        )
    }


@pytest.mark.parametrize("board", BOARDS)
def test_every_panel_has_something_to_show(played: Play, board: str) -> None:
    empty = nothing_to_see(played, [(view, queries_of(board, view)) for view in views(played)])

    excused = {
        title: count for (name, title), (count, _) in NOTHING_TO_SEE.items() if name == board
    }
    found = Counter(title for title, _ in empty if (board, title) != MAY_SHOW_NOTHING)
    assert found == excused, "\n".join(map(str, sorted(empty)))


@pytest.mark.parametrize("board", BOARDS)
def test_every_variable_finds_its_values(played: Play, board: str) -> None:
    view = next(views(played))

    for name, selector, label in variable_queries(load(board), view.variables):
        found = {series["metric"].get(label) for series in played.prometheus.query(selector)}
        assert found - {None, ""}, f"${name}: {selector}"


def test_a_misspelt_metric_has_nothing_to_show(played: Play) -> None:
    right = PanelQuery("Up", 'cisco_ipsec_tunnel_up{device="normal-a"}', "")
    wrong = PanelQuery("Up", 'cisco_ipsec_tunnel_upp{device="normal-a"}', "")
    view = next(views(played))

    assert nothing_to_see(played, [(view, [right, wrong])]) == {(wrong.title, wrong.expr)}
