"""What the pictures of the dashboards show: the units and words of Grafana, asked of a Prometheus as Grafana asks."""

from __future__ import annotations

import json
import threading
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from boards.queries import panels
from drawn.asking import Prometheus, Series, Span, choose
from drawn.showing import legend, number, style_of
from panel_queries import load


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (0.75, "percentunit", "75%"),
        (12, "percent", "12%"),
        (3600, "s", "1 hour"),
        (-90, "s", "-1.5 min"),
        (0.0083, "s", "8.3 ms"),
        (0, "s", "0 s"),
        (0xB4862C21, "hex0x", "0xB4862C21"),
        (4608000 * 1024, "bytes", "4.39 GiB"),
        (121_000, "bps", "121 kb/s"),
        (67.5, "pps", "67.5 p/s"),
        (1_770_000_000_000, "dateTimeAsIso", "2026-02-02 02:40:00"),
        (1.094, "short", "1.09"),
    ],
)
def test_a_value_has_its_unit(value: float, unit: str, shown: str) -> None:
    assert number(value, unit) == shown


def test_words_and_colours_of_a_query_go_before_those_of_its_panel() -> None:
    [step] = [one for one in panels(load("tunnel")) if one["title"] == "1 Interesting traffic"]
    demand = style_of(step, "byFrameRefID", "B")
    refused = style_of(step, "byFrameRefID", "C")

    assert demand.text(1) == "traffic asks"
    assert demand.color(1) == "#ff9830"
    assert refused.text(0.5) == "0.5 p/s"
    assert (refused.color(0), refused.color(0.5)) == ("#73bf69", "#f2495c")


def test_a_legend_takes_the_values_of_labels() -> None:
    assert legend("lost, {{direction}}", {"direction": "inbound"}) == "lost, inbound"


def test_a_word_has_the_colour_of_its_meaning() -> None:
    [alerts] = [
        one
        for one in panels(load("fleet"))
        if one["title"] == "Firing alerts" and one["type"] == "table"
    ]
    severity = style_of(alerts, "byName", "severity")

    assert severity.word("critical") == ("critical", "#f2495c")
    assert severity.word("page") == ("page", None)
    assert severity.none == "-"


class _Answers(BaseHTTPRequestHandler):
    """A Prometheus that knows two devices, and one number that is none."""

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        asked = urllib.parse.parse_qs(query)["query"][0]
        devices: list[dict[str, object]] = [
            {"metric": {"device": name}, "value": [7, "1"]} for name in ("r2", "r1")
        ]
        matrix: list[dict[str, object]] = [{"metric": {}, "values": [[5, "NaN"], [6, "2"]]}]
        result = (
            matrix if path.endswith("query_range") else devices if "by (device)" in asked else []
        )
        body = json.dumps({"status": "success", "data": {"result": result}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name is the library's
        """Nothing: what is asked is what the test asks."""


@pytest.fixture
def prometheus() -> Iterator[Prometheus]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield Prometheus(f"http://127.0.0.1:{server.server_address[1]}")
    server.shutdown()
    server.server_close()
    thread.join()


def test_what_is_no_number_is_a_gap(prometheus: Prometheus) -> None:
    assert prometheus.over("x", Span(0, 10)) == [Series({}, ((6.0, 2.0),))]


def test_variables_are_chosen_as_grafana_chooses_them(prometheus: Prometheus) -> None:
    board = load("device")

    assert choose(board, prometheus, Span(0, 10), {}) == {"site": ".*", "device": "r1"}
    assert choose(board, prometheus, Span(0, 10), {"device": "r2"})["device"] == "r2"


def test_a_prometheus_without_data_is_told(prometheus: Prometheus) -> None:
    board = load("tunnel")

    with pytest.raises(SystemExit, match=r"has no value for \$tunnel"):
        choose(board, prometheus, Span(0, 10), {"device": "r1"})
