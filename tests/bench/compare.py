"""``make bench``: how fast engines read the ``show crypto ipsec sa`` of hubs of several sizes, in one run.

Prints a table: milliseconds of processor time (no engine uses more than one core), times as fast as textfsm with the same text, and the peak of memory above the text.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.measure import WAYS
from ipsecmon.lab import render
from ipsecmon.lab.network import Network
from ipsecmon.lab.topology import hub

__all__ = ["detail_text", "hub_text", "main"]

# half an hour after the start: every tunnel has its first pair of SAs
_SECONDS = 1800
_SIZES = (1, 100, 1000, 4000)
_OTHER_TEXT = " ntc detail"


def hub_text(tunnels: int) -> str:
    """The listing of a hub of the emulated network."""
    network = Network(hub(tunnels))
    network.run_until(_SECONDS)
    return render.show_crypto_ipsec_sa(network.flows("hub"), "iosxe-17")


def detail_text(text: str) -> str:
    """The listing as ntc-templates' detail template wants it: an interface for each flow, no line of send errors."""
    head = re.search(r"interface: \S+\n.*\n\n", text)
    assert head is not None
    flow = "   protected vrf:"
    return re.sub(
        r".*#send errors.*\n", "", text.replace(head[0], "").replace(flow, head[0] + flow)
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--genie-python", type=Path, help="an interpreter that has genieparser")
    parser.add_argument("--sizes", type=int, nargs="*", default=list(_SIZES))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        table = _Table(Path(folder), arguments.genie_python)
        for size in arguments.sizes:
            table.size(size)
        if 100 in arguments.sizes:
            table.cold_start()
    return 0


class _Table:
    def __init__(self, folder: Path, genie_python: Path | None) -> None:
        self._folder = folder
        self._genie_python = genie_python
        print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {_processor()}")
        self._write("small", hub_text(1))

    def _write(self, name: str, text: str) -> None:
        (self._folder / f"{name}.txt").write_text(text, encoding="utf-8")
        (self._folder / f"{name} ntc detail.txt").write_text(detail_text(text), encoding="utf-8")

    def size(self, tunnels: int) -> None:
        """The part of the table for one hub."""
        text = hub_text(tunnels)
        self._write(str(tunnels), text)
        lines = text.count("\n")
        print(f"\n{tunnels:,} tunnels, {len(text) / 1e6:.2f} MB, {lines:,} lines")
        seconds: dict[str, float] = {}
        for way in WAYS:
            found = self._measure("time", way, str(tunnels))
            if found is None:
                print(f"  {way:22}  not measured")
                continue
            seconds[way] = found["seconds"]
            base = "textfsm, ntc detail" if way.endswith("ntc detail") else "textfsm"
            memory = self._measure("memory", way, str(tunnels)) if tunnels >= 1000 else None
            peak = f"  {memory['megabytes']:6.1f} MB" if memory and memory["megabytes"] else ""
            print(
                f"  {way:22} {seconds[way] * 1e3:9.2f} ms  {seconds[base] / seconds[way]:7.2f} x textfsm{peak}",
                flush=True,
            )
        if "genieparser" in seconds:
            ratio = seconds["genieparser"] / seconds["ours, rows"]
            print(f"  our rows are {ratio:.0f} times as fast as genieparser")

    def cold_start(self) -> None:
        """From an empty process to the first rows of 100 tunnels."""
        print("\nfirst rows of 100 tunnels in a new process, imports and compilation included")
        for way in ("textfsm", "ours, rows"):
            found = [self._measure("cold", way, "100") for _ in range(5)]
            took = sorted(one["seconds"] for one in found if one)
            print(f"  {way:22} {took[len(took) // 2] * 1e3:9.1f} ms")

    def _measure(self, what: str, way: str, name: str) -> dict[str, float] | None:
        python = str(self._genie_python) if way == "genieparser" else sys.executable
        if way == "genieparser" and self._genie_python is None:
            return None
        suffix = _OTHER_TEXT if way.endswith("ntc detail") else ""
        texts = [str(self._folder / f"{one}{suffix}.txt") for one in (name, "small")]
        script = str(Path(__file__).parent / "measure.py")
        done = subprocess.run(  # noqa: S603 - our own script
            [python, script, what, way, *texts], capture_output=True, text=True, check=False
        )
        if done.returncode:
            print(done.stderr.strip().splitlines()[-1], file=sys.stderr)
            return None
        answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return answer


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


if __name__ == "__main__":
    sys.exit(main())
