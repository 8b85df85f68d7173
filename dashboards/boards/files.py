"""The dashboards as files: written, or compared with what is there."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from boards import collector, device, fleet, tunnel
from boards.layout import Board

__all__ = ["GRAFANA", "all_boards", "main"]

GRAFANA = Path(__file__).parents[1] / "grafana"


def all_boards() -> tuple[Board, ...]:
    return (fleet.board(), device.board(), tunnel.board(), collector.board())


def main(arguments: list[str] | None = None) -> int:
    """Exit status 1 if a file is not what a fresh build writes."""
    parser = argparse.ArgumentParser(description="Write the Grafana dashboards.")
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    parser.add_argument("--output", type=Path, default=GRAFANA, help="a folder")
    asked = parser.parse_args(arguments)
    stale = False
    for board in all_boards():
        path: Path = asked.output / f"{board.name}.json"
        fresh = board.json()
        if asked.check:
            if not path.is_file() or path.read_text() != fresh:
                print(f"{path} is not what its source says: run `make dash`", file=sys.stderr)
                stale = True
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(fresh)
    return int(stale)
