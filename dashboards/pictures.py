"""Draw the dashboards with what a running Prometheus answers: `python dashboards/pictures.py --prometheus URL`.

Grafana is not asked and not needed; matplotlib is, from the dependency group ``pictures``.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from drawn.asking import Prometheus, Span, choose
from drawn.drawing import draw
from ipsecmon.alerting.timescale import duration

GRAFANA = Path(__file__).parent / "grafana"
NAMES = ("fleet", "device", "tunnel", "collector")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Draw the Grafana dashboards without Grafana.")
    parser.add_argument("--prometheus", default="http://127.0.0.1:9090", help="its address")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "pictures")
    parser.add_argument("--at", type=float, help="Unix time at which the range ends; else now")
    parser.add_argument("--range", type=float, default=1800, help="seconds the range is long")
    parser.add_argument(
        "--rate-interval", type=float, default=60, help="seconds of $__rate_interval"
    )
    parser.add_argument("--set", action="append", default=[], metavar="VARIABLE=VALUE")
    asked = parser.parse_args(arguments)
    end: float = asked.at or time.time()
    span = Span(end - asked.range, end)
    prometheus = Prometheus(asked.prometheus.rstrip("/"))
    given = dict(one.split("=", 1) for one in asked.set) | {
        "datasource": "prometheus",
        "__rate_interval": duration(asked.rate_interval),
        "__interval": duration(span.step),
        "__range": duration(asked.range),
    }
    asked.output.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        board: dict[str, Any] = json.loads((GRAFANA / f"{name}.json").read_text())
        path = asked.output / f"{name}.png"
        draw(board, prometheus, span, choose(board, prometheus, span, given), path)
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
