"""``make bench-rules``: what each rule costs a real Prometheus, for a hub of 4,000 tunnels that are all well.

An hour of scrapes every 15 seconds is lived in four minutes: one scrape a second, and the rules of ``--lab-speed 15``, so
each window holds as many samples as it would. Then scraping ends, and each expression is asked for at the last moment,
beside a query that only counts all series, in the same run: rules are a multiple of that on any machine. What Prometheus
spends on writing what came out is not in it; of tunnels that are well, nothing comes out.
"""

from __future__ import annotations

import argparse
import gzip
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import requests

from bench.exposition import hub_result
from ipsecmon.alerting.rule_file import rule_file, rule_groups
from ipsecmon.alerting.rules import Rule
from ipsecmon.alerting.thresholds import THRESHOLDS
from ipsecmon.alerting.timescale import Timescale
from ipsecmon.config import Tier
from ipsecmon.metrics import Format, exposition, render_result
from ipsecmon.store import Entry
from metrics_fleet import READ_AT

__all__ = ["main"]

_SPEED: Final = 15
_COUNT: Final = 'count({__name__=~"cisco.+"})'
_RUNS: Final = 5
_EVALUATION_SECONDS: Final = 15


@contextmanager
def _served(body: bytes) -> Generator[str]:
    """The address of a server that answers everything with ``body``, which is gzip."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", Format.TEXT.content_type)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in http.server
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def _prometheus(folder: Path, target: str) -> Generator[str]:
    program = shutil.which("prometheus")
    if program is None:
        raise SystemExit("there is no prometheus on PATH: make promtool")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    (folder / "rules.yml").write_text(rule_file(THRESHOLDS, Timescale(_SPEED)), encoding="utf-8")
    (folder / "prometheus.yml").write_text(
        f"global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: {_EVALUATION_SECONDS}s}}\n"
        "rule_files: [rules.yml]\n"
        f'scrape_configs: [{{job_name: ipsecmon, static_configs: [{{targets: ["{target}"]}}]}}]\n',
        encoding="utf-8",
    )
    arguments = [
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--log.level=warn",
        "--web.enable-lifecycle",
    ]
    process = subprocess.Popen([program, *arguments], cwd=folder)  # noqa: S603 - with our own arguments
    try:
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(30)


def _ask(url: str, expression: str, at: float) -> Any:
    answer = requests.get(
        f"{url}/api/v1/query", params={"query": expression, "time": f"{at:.3f}"}, timeout=120
    )
    if answer.status_code != requests.codes.ok:
        raise SystemExit(f"Prometheus refuses a query: {answer.text}\n{expression}")
    return answer.json()["data"]["result"]


def _seconds(url: str, expression: str, at: float) -> float:
    """By the clock, the median of some runs; what comes back is counted, not sent."""
    counted = f"count(\n{expression}\n)"
    took: list[float] = []
    for _ in range(_RUNS):
        before = time.perf_counter()
        _ask(url, counted, at)
        took.append(time.perf_counter() - before)
    return statistics.median(took)


def _scraped(url: str, seconds: float) -> float:
    """Wait until that much was scraped; the moment of the last scrape."""
    time.sleep(seconds)
    lasted = _ask(url, "max(timestamp(up))", time.time())
    (slow,) = _ask(
        url, f"quantile_over_time(0.5, scrape_duration_seconds[{seconds:.0f}s])", time.time()
    )
    (samples,) = _ask(url, "scrape_samples_scraped", time.time())
    (missed,) = _ask(
        url, f"count_over_time(up[{seconds:.0f}s]) - sum_over_time(up[{seconds:.0f}s])", time.time()
    )
    print(
        f"{int(samples['value'][1]):,} samples a scrape, {1e3 * float(slow['value'][1]):.0f} ms each (median), "
        f"{missed['value'][1]} failed",
        flush=True,
    )
    return float(lasted[0]["value"][1])


def _name(rule: Rule) -> str:
    return rule.name


def _table(url: str, at: float) -> None:
    reference = _seconds(url, _COUNT, at)
    print(f"\n  {_COUNT:58} {1e3 * reference:8.1f} ms     1.00 x")
    rows = [
        (_seconds(url, rule.expression, at), _name(rule))
        for group in rule_groups(THRESHOLDS, Timescale(_SPEED))
        for rule in group.rules
    ]
    for took, name in sorted(rows, reverse=True):
        print(f"  {name:58} {1e3 * took:8.1f} ms  {took / reference:7.2f} x")
    total = sum(took for took, _ in rows)
    print(f"  {'all rules':58} {1e3 * total:8.1f} ms  {total / reference:7.2f} x")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tunnels", type=int, default=4000)
    parser.add_argument("--tier", type=Tier, default=Tier.STANDARD, choices=list(Tier))
    parser.add_argument("--seconds", type=int, default=3600 // _SPEED, help="how long to scrape")
    arguments = parser.parse_args()
    hub = hub_result(arguments.tunnels)
    entries = {hub.device: Entry(hub, render_result(hub, arguments.tier))}
    text = exposition(entries, None, {hub.device: 180.0}, READ_AT, Format.TEXT)
    print(
        f"{os.cpu_count()} cores; {arguments.tunnels:,} tunnels, {arguments.tier} tier", flush=True
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        _served(gzip.compress(text, compresslevel=1)) as target,
        _prometheus(Path(folder), target) as url,
    ):
        at = _scraped(url, arguments.seconds)
        _pause_scraping(Path(folder), url)
        _table(url, at)
    return 0


def _pause_scraping(folder: Path, url: str) -> None:
    """Neither scrapes nor rules are to be in the way of what is measured."""
    (folder / "prometheus.yml").write_text("global: {scrape_interval: 1h}\n", encoding="utf-8")
    requests.post(f"{url}/-/reload", timeout=60).raise_for_status()


if __name__ == "__main__":
    sys.exit(main())
