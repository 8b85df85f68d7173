"""The committed Grafana dashboards: built from their source, without a name that does not exist, a gap or an overlap.

Each check takes a dashboard and returns what is wrong with it in words. That is shown to be nothing for the committed ones,
and something for one with a mistake put in.
"""

from __future__ import annotations

import copy
import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from boards import files
from boards.queries import filled, panels
from ipsecmon.alerting.thresholds import THRESHOLDS, described
from panel_queries import (
    DASHBOARDS,
    EVERYTHING,
    annotation_queries,
    load,
    panel_queries,
    variable_queries,
)
from promql_names import labels_of, problems

Dashboard = dict[str, Any]

NAMES = ("fleet", "device", "tunnel", "collector")
UIDS = {name: f"ipsecmon-{name}" for name in NAMES}
NONE_OR_ANY_OR_ALL = (0, 1)
"""Where a colour may change besides the thresholds: at the first one of something, and at a whole."""


@pytest.fixture(scope="module")
def boards() -> Mapping[str, Dashboard]:
    return {name: load(name) for name in NAMES}


def wrong_queries(board: Dashboard) -> list[str]:
    """Names in queries, in those of variables and annotations, and in legends."""
    found = [
        f"{query.title}: {problem}"
        for query in panel_queries(board) + annotation_queries(board)
        for problem in problems(query.expr)
    ]
    for name, expr, label in variable_queries(board):
        found += [f"${name}: {problem}" for problem in problems(expr)]
        if not problems(expr) and label not in labels_of(expr):
            found.append(f"${name}: there is no label {label} in {expr}")
    return found


def wrong_legends(board: Dashboard) -> list[str]:
    return [
        f"{query.title}: the legend's {label} is no label of {query.expr}"
        for query in panel_queries(board)
        for label in re.findall(r"\{\{(\w+)\}\}", query.legend)
        if label not in labels_of(query.expr)
    ]


def wrong_columns(board: Dashboard) -> list[str]:
    """Columns of tables that no query fills, and links that take a value from no column."""
    found: list[str] = []
    for panel in panels(board):
        if panel["type"] != "table":
            continue
        has = _fields(panel)
        organized = panel["transformations"][-1]["options"]
        found += [
            f"{panel['title']}: no query has the column {name}"
            for name in organized["indexByName"]
            if name not in has
        ]
        shown = {organized["renameByName"].get(name, name) for name in organized["indexByName"]}
        called = [one["matcher"]["options"] for one in panel["fieldConfig"]["overrides"]]
        found += [
            f"{panel['title']}: nothing is called {name}" for name in called if name not in shown
        ]
        if organized["renameByName"].keys() & {"device", "tunnel", "alertname"}:
            found.append(f"{panel['title']}: links need the name of the label")
    return found


def _fields(panel: dict[str, Any]) -> set[str]:
    """What the columns are called before they are renamed."""
    has: set[str] = set()
    for target in panel["targets"]:
        has |= labels_of(filled(target["expr"], EVERYTHING)) | {f"Value #{target['refId']}"}
    return has | {"Value"} if len(panel["targets"]) == 1 else has


def wrong_places(board: Dashboard) -> list[str]:
    """Panels over each other or over the edge, gaps between rows of panels, ids twice."""
    found: list[str] = []
    ids = [panel["id"] for panel in panels(board)]
    found += [
        f"the id {one} is there twice" for one in sorted({i for i in ids if ids.count(i) > 1})
    ]
    for group in _groups(board):
        for panel in group:
            place = panel["gridPos"]
            if place["x"] < 0 or place["w"] < 1 or place["x"] + place["w"] > 24:
                found.append(f"{panel['title']} is over the edge")
        found += [
            f"{one['title']} overlaps {other['title']}"
            for one, other in combinations(group, 2)
            if _overlap(one["gridPos"], other["gridPos"])
        ]
    return found


def _groups(board: Dashboard) -> Iterator[list[dict[str, Any]]]:
    """What is shown at a time: the panels that are open, and those of each folded row."""
    yield board["panels"]
    for panel in board["panels"]:
        if panel.get("panels"):
            yield panel["panels"]


def _overlap(one: Mapping[str, int], other: Mapping[str, int]) -> bool:
    return (
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )


def wrong_links(board: Dashboard) -> list[str]:
    """Links to a dashboard that is not there, or with a variable that it does not have, or with a field the table lacks."""
    found: list[str] = []
    variables = {
        UIDS[name]: {one["name"] for one in load(name)["templating"]["list"]} for name in NAMES
    }
    for url in [link["url"] for link in board["links"]] + [url for _, url in _data_links(board)]:
        uid = re.match(r"/d/([\w-]+)", url)
        if uid is None:
            if not url.startswith("${runbooks}/"):
                found.append(f"{url} leads nowhere that is known")
            continue
        if uid[1] not in variables:
            found.append(f"there is no dashboard {uid[1]}")
            continue
        found += [
            f"{uid[1]} has no variable {name}"
            for name in re.findall(r"var-(\w+)=", url)
            if name not in variables[uid[1]]
        ]
    for panel, url in _data_links(board):
        found += [
            f"{panel['title']}: a link takes {name}, which no query has"
            for name in re.findall(r"__data\.fields\.(\w+)", url)
            if name not in _fields(panel)
        ]
    return found


def _data_links(board: Dashboard) -> Iterator[tuple[dict[str, Any], str]]:
    for panel in panels(board):
        for links in _overridden(panel, "links"):
            yield from ((panel, link["url"]) for link in links)


def _overridden(panel: dict[str, Any], what: str) -> list[Any]:
    """What the panel sets for single columns or queries."""
    overrides: list[dict[str, Any]] = panel.get("fieldConfig", {}).get("overrides") or []
    return [
        one["value"]
        for override in overrides
        for one in override["properties"]
        if one["id"] == what
    ]


def wrong_thresholds(board: Dashboard) -> list[str]:
    """Colours that change at a number at which no rule fires."""
    known = {one.default for one in described() if one.unit != "text"} | set(NONE_OR_ANY_OR_ALL)
    return [
        f"{panel['title']}: no threshold is {step['value']}"
        for panel in panels(board)
        for step in _steps(panel)
        if step["value"] is not None and step["value"] not in known
    ]


def _steps(panel: dict[str, Any]) -> Iterator[dict[str, Any]]:
    defaults: dict[str, Any] = panel.get("fieldConfig", {}).get("defaults") or {}
    for thresholds in [defaults.get("thresholds"), *_overridden(panel, "thresholds")]:
        yield from (thresholds or {"steps": []})["steps"]


def wrong_matchers(board: Dashboard) -> list[str]:
    """A variable compared as it is must come as it is: Grafana writes ``10\\.1`` for a regular expression."""
    asked = [target["expr"] for panel in panels(board) for target in panel.get("targets") or ()]
    asked += [one["expr"] for one in board["annotations"]["list"] if "expr" in one]
    asked += [one["query"] for one in board["templating"]["list"] if one["type"] == "query"]
    return [expr for expr in asked if re.search(r'[^~]"\$(\w+|\{\w+\})"', expr)]


def wrong_datasources(board: Dashboard) -> list[str]:
    ours = {"type": "prometheus", "uid": "${datasource}"}
    asked = [
        (panel["title"], part.get("datasource"))
        for panel in panels(board)
        if panel.get("targets")
        for part in (panel, *panel["targets"])
    ]
    asked += [(one["name"], one["datasource"]) for one in board["annotations"]["list"]]
    asked += [
        (one["name"], one["datasource"])
        for one in board["templating"]["list"]
        if one["type"] == "query"
    ]
    return [f"{name} asks {source}" for name, source in asked if source != ours]


CHECKS: tuple[Callable[[Dashboard], list[str]], ...] = (
    wrong_queries,
    wrong_legends,
    wrong_columns,
    wrong_places,
    wrong_links,
    wrong_thresholds,
    wrong_datasources,
    wrong_matchers,
)


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_wrong_with_a_committed_dashboard(
    boards: Mapping[str, Dashboard], name: str, check: Callable[[Dashboard], list[str]]
) -> None:
    assert check(boards[name]) == []


@pytest.mark.parametrize(
    ("name", "check", "right", "mistake"),
    [
        ("tunnel", wrong_queries, "cisco_ipsec_tunnel_up{", "cisco_ipsec_tunel_up{"),
        (
            "tunnel",
            wrong_queries,
            'tunnel=\\"${tunnel:raw}\\"',
            'tunel=\\"${tunnel:raw}\\"',
        ),
        ("tunnel", wrong_queries, "(instance, device, tunnel)", "(instance, devise, tunnel)"),
        ("tunnel", wrong_queries, "sum by (trigger)", "sum by (cause)"),
        ("tunnel", wrong_queries, "[$__rate_interval]", "[5 apples]"),
        (
            "fleet",
            wrong_queries,
            "label_values(cisco_ipsec_tunnel_info, site)",
            "label_values(cisco_ipsec_tunnel_info, city)",
        ),
        (
            "device",
            wrong_queries,
            "query_result(group by (device) (cisco_ipsec_tunnel_info{",
            "query_result(group by (device) (cisco_ipsec_info{",
        ),
        ("device", wrong_legends, "{{trigger}}", "{{cause}}"),
        ("fleet", wrong_columns, '"host": 2', '"hosts": 2'),
        ("fleet", wrong_columns, '"options": "what"', '"options": "who"'),
        ("fleet", wrong_places, '"id": 31', '"id": 32'),
        ("fleet", wrong_places, '"w": 14', '"w": 15'),
        ("fleet", wrong_links, "/d/ipsecmon-device?", "/d/ipsecmon-router?"),
        ("fleet", wrong_links, "var-tunnel=", "var-tunel="),
        ("fleet", wrong_links, "__data.fields.tunnel:", "__data.fields.tunel:"),
        (
            "collector",
            wrong_thresholds,
            f'"value": {THRESHOLDS.scheduler_lag_seconds:g}',
            '"value": 61',
        ),
        (
            "tunnel",
            wrong_matchers,
            'tunnel=\\"${tunnel:raw}\\"',
            'tunnel=\\"$tunnel\\"',
        ),
        ("collector", wrong_datasources, '"uid": "${datasource}"', '"uid": "prometheus"'),
    ],
)
def test_a_mistake_is_found(
    name: str, check: Callable[[Dashboard], list[str]], right: str, mistake: str
) -> None:
    text = (DASHBOARDS / f"{name}.json").read_text()

    assert right in text
    assert check(json.loads(text.replace(right, mistake))) != []


def test_a_fresh_build_equals_what_is_committed(tmp_path: Path) -> None:
    assert files.main(["--output", str(tmp_path)]) == 0

    for name in NAMES:
        assert (tmp_path / f"{name}.json").read_bytes() == (
            DASHBOARDS / f"{name}.json"
        ).read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        path.name for path in DASHBOARDS.iterdir()
    )


def test_a_dashboard_that_was_changed_by_hand_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files.main(["--output", str(tmp_path)])
    fleet = tmp_path / "fleet.json"
    fleet.write_text(fleet.read_text().replace("IPsec fleet", "My fleet"))

    assert files.main(["--check", "--output", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"{fleet} is not what its source says: run `make dash`\n"


@pytest.mark.parametrize("name", NAMES)
def test_a_dashboard_keeps_its_uid_and_tells_a_newcomer_how_to_read_it(
    boards: Mapping[str, Dashboard], name: str
) -> None:
    board = boards[name]

    assert board["uid"] == UIDS[name]
    assert board["panels"][0]["type"] == "text"
    assert board["panels"][0]["title"] == "How to read this"


@pytest.mark.parametrize("name", NAMES)
def test_every_panel_says_what_it_shows(boards: Mapping[str, Dashboard], name: str) -> None:
    silent = [
        panel["title"]
        for panel in panels(boards[name])
        if panel["type"] not in ("row", "text") and not panel.get("description")
    ]

    assert silent == []


def test_alerts_link_to_dashboards_and_variables_that_are_there() -> None:
    rules = (DASHBOARDS.parent / "rules" / "ipsecmon.yml").read_text()
    links = set(re.findall(r"dashboards: .*?/d/([\w-]+)(.*)", rules))
    variables = {
        UIDS[name]: {one["name"] for one in load(name)["templating"]["list"]} for name in NAMES
    }

    assert {uid for uid, _ in links} <= variables.keys()
    assert "ipsecmon-tunnel" in {uid for uid, _ in links}
    for uid, query in links:
        assert set(re.findall(r"var-(\w+)=", query)) <= variables[uid]


def test_a_variable_without_a_value_is_named() -> None:
    board = copy.deepcopy(load("fleet"))
    board["panels"][1]["targets"][0]["expr"] = "up{job='$jobs'}"

    with pytest.raises(KeyError, match=r"no value for the variable \$jobs"):
        panel_queries(board)


SERIES = """
    cisco_ipsec_tunnel_info{instance="m",device="r1",tunnel="down",site="Bern",owner="net-ops"}: 1x60
    cisco_ipsec_tunnel_info{instance="m",device="r1",tunnel="asked",site="Bern"}: 1x60
    cisco_ipsec_tunnel_info{instance="m",device="r1",tunnel="one way",site="Bern"}: 1x60
    cisco_ipsec_tunnel_info{instance="m",device="r1",tunnel="lossy",site="Bern"}: 1x60
    cisco_ipsec_tunnel_info{instance="m",device="r1",tunnel="fine",site="Bern"}: 1x60
    cisco_ipsec_tunnel_info{instance="m",device="r1",tunnel="worked on",site="Bern"}: 1x60
    cisco_ipsec_tunnel_info{instance="m",device="r1",tunnel="elsewhere",site="Thun"}: 1x60
    cisco_ipsec_tunnel_info{instance="m",device="r1",tunnel="flapping",site="Bern"}: 1x60
    cisco_ipsec_tunnel_flaps_total{instance="m",device="r1",tunnel="flapping",peer="p"}: 0+1x60
    cisco_ipsec_tunnel_flaps_total{instance="m",device="r1",tunnel="fine",peer="p"}: 0x15 1x45
    cisco_ipsec_tunnel_up{instance="m",device="r1",tunnel="down",peer="p"}: 0x60
    cisco_ipsec_tunnel_up{instance="m",device="r1",tunnel="asked",peer="p"}: 0x60
    cisco_ipsec_tunnel_up{instance="m",device="r1",tunnel="fine",peer="p"}: 1x60
    cisco_ipsec_tunnel_up{instance="m",device="r1",tunnel="worked on",peer="p"}: 0x60
    cisco_ipsec_tunnel_up{instance="m",device="r1",tunnel="elsewhere",peer="p"}: 0x60
    cisco_ipsec_tunnel_expected{instance="m",device="r1",tunnel="down",peer="p"}: 1x60
    cisco_ipsec_tunnel_expected{instance="m",device="r1",tunnel="worked on",peer="p"}: 1x60
    cisco_ipsec_tunnel_expected{instance="m",device="r1",tunnel="elsewhere",peer="p"}: 1x60
    cisco_ipsec_tunnel_option{instance="m",device="r1",tunnel="worked on",option="maintenance"}: 1x60
    cisco_ipsec_tunnel_demanded{instance="m",device="r1",tunnel="down",peer="p"}: 1x60
    cisco_ipsec_tunnel_demanded{instance="m",device="r1",tunnel="asked",peer="p"}: 1x60
    cisco_ipsec_tunnel_encaps_packets_total{instance="m",device="r1",tunnel="one way",peer="p"}: 0+600x60
    cisco_ipsec_tunnel_decaps_packets_total{instance="m",device="r1",tunnel="one way",peer="p"}: 7x60
    cisco_ipsec_tunnel_encaps_packets_total{instance="m",device="r1",tunnel="syslog",peer="p"}: 0+600x60
    cisco_ipsec_tunnel_decaps_packets_total{instance="m",device="r1",tunnel="syslog",peer="p"}: 7x60
    cisco_ipsec_tunnel_option{instance="m",device="r1",tunnel="syslog",option="unidirectional"}: 1x60
    cisco_ipsec_tunnel_info{instance="m",device="r1",tunnel="syslog",site="Bern"}: 1x60
    cisco_ipsec_tunnel_encaps_packets_total{instance="m",device="r1",tunnel="fine",peer="p"}: 0+600x60
    cisco_ipsec_tunnel_decaps_packets_total{instance="m",device="r1",tunnel="fine",peer="p"}: 0+600x60
    cisco_ipsec_tunnel_path_loss_ratio{instance="m",device="r1",tunnel="lossy",peer="p",direction="outbound"}: 0.1x60
    cisco_ipsec_tunnel_path_loss_error_ratio{instance="m",device="r1",tunnel="lossy",peer="p",direction="outbound"}: 0.01x60
    cisco_ipsec_tunnel_path_loss_ratio{instance="m",device="r1",tunnel="fine",peer="p",direction="outbound"}: 0.1x60
    cisco_ipsec_tunnel_path_loss_error_ratio{instance="m",device="r1",tunnel="fine",peer="p",direction="outbound"}: 0.1x60
"""


def held_by(promtool: str, tmp_path: Path, series: str, *expected: Mapping[str, object]) -> None:
    """Each query of ``expected`` gives what it says, on these series a minute apart."""
    given = [line.strip().rsplit(": ", 1) for line in series.strip().splitlines()]
    test = {
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in given],
                "promql_expr_test": list(expected),
            }
        ],
    }
    (tmp_path / "board.json").write_text(json.dumps(test))

    said = subprocess.run(  # noqa: S603 # promtool on our own text
        [promtool, "test", "rules", "board.json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert said.returncode == 0, said.stdout + said.stderr


def queries_called(board: str, title: str, **variables: str) -> list[str]:
    asked = panel_queries(load(board), {**EVERYTHING, **variables})
    return [one.expr for one in asked if one.title == title]


def test_the_fleet_lists_each_tunnel_once_by_the_worst_of_it(promtool: str, tmp_path: Path) -> None:
    [query] = queries_called("fleet", "Tunnels that need a look", site="Bern")
    rank = {"down": 5, "asked": 4, "one way": 2, "lossy": 1, "flapping": 0}
    owners = {"down": ', owner="net-ops"'}
    listed = [
        {
            "labels": f'{{device="r1", tunnel="{tunnel}", peer="p", site="Bern"{owners.get(tunnel, "")}}}',
            "value": value,
        }
        for tunnel, value in rank.items()
    ]

    held_by(promtool, tmp_path, SERIES, {"expr": query, "eval_time": "30m", "exp_samples": listed})


STATES = """
    cisco_ipsec_tunnel_up{device="r1",tunnel="needed",peer="p"}: 0x9
    cisco_ipsec_tunnel_up{device="r1",tunnel="asked",peer="p"}: 0x9
    cisco_ipsec_tunnel_up{device="r1",tunnel="idle",peer="p"}: 0x9
    cisco_ipsec_tunnel_up{device="r1",tunnel="not known",peer="p"}: 0x9
    cisco_ipsec_tunnel_up{device="r1",tunnel="up",peer="p"}: 1x9
    cisco_ipsec_tunnel_expected{device="r1",tunnel="needed",peer="p"}: 1x9
    cisco_ipsec_tunnel_expected{device="r1",tunnel="asked",peer="p"}: 0x9
    cisco_ipsec_tunnel_expected{device="r1",tunnel="idle",peer="p"}: 0x9
    cisco_ipsec_tunnel_expected{device="r1",tunnel="not known",peer="p"}: 0x9
    cisco_ipsec_tunnel_expected{device="r1",tunnel="up",peer="p"}: 1x9
    cisco_ipsec_tunnel_demanded{device="r1",tunnel="needed",peer="p"}: 1x9
    cisco_ipsec_tunnel_demanded{device="r1",tunnel="asked",peer="p"}: 1x9
    cisco_ipsec_tunnel_demanded{device="r1",tunnel="idle",peer="p"}: 0x9
    cisco_ipsec_tunnel_demanded{device="r1",tunnel="up",peer="p"}: 0x9
    cisco_ipsec_tunnel_peer_in_use{device="r1",tunnel="needed",peer="p"}: 1x9
    cisco_ipsec_tunnel_peer_in_use{device="r1",tunnel="idle",peer="p"}: 1x9
    cisco_ike_sa_up{device="r1",peer="p"}: 0x9
"""


def test_a_tunnel_that_is_not_needed_is_not_shown_as_one_that_is_missing(
    promtool: str, tmp_path: Path
) -> None:
    states = {"needed": 0, "asked": 1, "idle": 2, "not known": 2, "up": 3}
    words = {0: "Down", 1: "Down, traffic asks", 2: "Not needed", 3: "Up"}
    board = load("device")
    [table] = [one for one in panels(board) if one["title"] == "Tunnels of this device"]
    of_device = queries_called("device", "Tunnels of this device", device="r1")[0]
    pair = queries_called("tunnel", "3 IPsec phase 2", device="r1", tunnel="needed")[0]
    ike = {
        tunnel: queries_called("tunnel", "2 IKE phase 1", device="r1", tunnel=tunnel)[0]
        for tunnel in ("needed", "idle")
    }

    assert words == {
        value: _overridden(table, "mappings")[0][0]["options"][str(value)]["text"]
        for value in words
    }
    held_by(
        promtool,
        tmp_path,
        STATES,
        {
            "expr": of_device,
            "eval_time": "5m",
            "exp_samples": [
                {"labels": f'{{device="r1", tunnel="{tunnel}", peer="p"}}', "value": value}
                for tunnel, value in states.items()
            ],
        },
        {
            "expr": f"count by (__name__) ({pair})",
            "eval_time": "5m",
            "exp_samples": [{"labels": "{}", "value": 1}],
        },
        *(
            {
                "expr": ike[tunnel],
                "eval_time": "5m",
                "exp_samples": [{"labels": '{device="r1"}', "value": value}],
            }
            for tunnel, value in (("needed", 0), ("idle", 2))
        ),
    )


def test_an_event_is_one_in_a_graph_and_at_one_moment_only(promtool: str, tmp_path: Path) -> None:
    """Two flaps between the fourth and the fifth minute, then the counter begins anew with one."""
    [query, _] = queries_called("fleet", "Flaps and failovers")

    held_by(
        promtool,
        tmp_path,
        """
        cisco_ipsec_tunnel_info{device="r1",tunnel="t"}: 1x9
        cisco_ipsec_tunnel_flaps_total{device="r1",tunnel="t",peer="p"}: 3x4 5 5 5 1 2
        """,
        *(
            {
                "expr": query,
                "eval_time": f"{minute}m",
                "exp_samples": [{"labels": "{}", "value": flaps}],
            }
            for minute, flaps in ((4, 0), (5, 2), (6, 0), (8, 0), (9, 1))
        ),
    )


@pytest.mark.parametrize("name", NAMES)
def test_nothing_that_is_counted_is_shown_as_increase_guesses_it(name: str) -> None:
    """Rounded it is right over an hour; what is compared only is not shown."""
    guessed = [
        query.title
        for query in panel_queries(load(name))
        if re.search(r"(?<!round\()increase\([^)]+\)(?! >=)", query.expr)
    ]

    assert guessed == []


@pytest.mark.parametrize("name", NAMES)
def test_a_panel_that_is_empty_while_all_is_well_says_so(name: str) -> None:
    silent = [
        panel["title"]
        for panel in panels(load(name))
        if panel["type"] in ("timeseries", "table")
        and all(_is_filtered(target["expr"]) for target in panel["targets"])
        and panel["fieldConfig"]["defaults"].get("noValue", "No data") in ("No data", "nothing")
    ]

    assert silent == []


def _is_filtered(expr: str) -> bool:
    """Nothing is left of it where nothing happened."""
    return re.search(r"> 0\)*$|ALERTS", expr) is not None


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_cell_does_not_say_that_the_table_is_empty(name: str) -> None:
    for panel in panels(load(name)):
        if panel["type"] == "table":
            columns = panel["transformations"][-1]["options"]["indexByName"].values()
            assert _overridden(panel, "noValue") == ["-"] * len(set(columns)), panel["title"]


@pytest.mark.parametrize("name", NAMES)
def test_a_number_that_is_not_known_is_grey(name: str) -> None:
    """The lowest colour, which Grafana would take, is red where less is worse."""
    for panel in panels(load(name)):
        if panel["type"] == "stat":
            defaults = panel["fieldConfig"]["defaults"]
            result = defaults["mappings"][-1]["options"]["result"]
            assert defaults["mappings"][-1]["options"]["match"] == "null+nan"
            assert (result["color"], result["text"]) == ("#6e7380", defaults["noValue"])
