"""A real Prometheus over samples from the past: ``promtool`` makes its blocks, the server answers queries on loopback."""

from __future__ import annotations

import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from ipsecmon.lab.server_process import start_server
from needed import missing

__all__ = ["Prometheus", "over"]


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A server that runs."""

    url: str

    def query(self, expression: str, at: float) -> dict[tuple[tuple[str, str], ...], float]:
        """The value of an instant query by label set, without the name of the metric."""
        answer = httpx2.get(
            f"{self.url}/api/v1/query",
            params={"query": expression, "time": f"{at:.3f}"},
            timeout=60,
        )
        result = answer.raise_for_status().json()["data"]["result"]
        return {
            tuple(sorted(item for item in one["metric"].items() if item[0] != "__name__")): float(
                one["value"][1]
            )
            for one in result
        }


@contextmanager
def over(openmetrics: str, folder: Path, promtool: str) -> Generator[Prometheus]:
    """Serve the samples of an OpenMetrics text with timestamps."""
    program = Path(promtool).with_name("prometheus")
    if not program.exists():
        missing(f"no server beside {promtool}: Debian's package prometheus has both")
    source, data = folder / "samples.om", folder / "data"
    source.write_text(openmetrics, encoding="utf-8")
    subprocess.run(  # noqa: S603 # promtool on our own text
        [
            promtool,
            "tsdb",
            "create-blocks-from",
            "openmetrics",
            "--quiet",
            str(source),
            str(data),
        ],
        check=True,
        capture_output=True,
        timeout=300,
    )
    configuration = folder / "prometheus.yml"
    configuration.write_text("global: {}\n", encoding="utf-8")
    server = start_server(
        "prometheus",
        lambda address: [
            str(program),
            f"--config.file={configuration}",
            f"--storage.tsdb.path={data}",
            "--storage.tsdb.retention.time=100y",
            f"--web.listen-address={address}",
            "--log.level=error",
        ],
        folder / "prometheus.log",
    )
    try:
        yield Prometheus(server.url)
    finally:
        server.end()
