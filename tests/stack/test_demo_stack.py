"""The demo with a real Prometheus and Alertmanager: a fault by command, its alert on the screen, and the end of it."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from called import ipsecmon

REPOSITORY = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]


class Screen:
    """What a running demo has printed so far, read by a thread of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def text(self) -> str:
        return "".join(self._lines)

    def wait_for(self, pattern: str, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not re.search(pattern, self.text):
            assert self._process.poll() is None, self.text
            assert time.monotonic() < deadline, f"no {pattern!r} within {seconds} s:\n{self.text}"
            time.sleep(0.2)

    def close(self) -> None:
        self._reader.join(10)

    def _read(self) -> None:
        if self._process.stdout is not None:
            self._lines.extend(self._process.stdout)


@pytest.fixture
def socket(tmp_path: Path) -> Path:
    return tmp_path / "own" / "lab.sock"


@pytest.fixture
def screen(promtool: str, socket: Path) -> Generator[Screen]:
    programs = f"{Path(promtool).parent}{os.pathsep}{os.environ['PATH']}"
    process = subprocess.Popen(  # noqa: S603 # our own program
        [
            *(sys.executable, "-u", "-m", "ipsecmon", "demo", "--port", "0"),
            *("--stack", str(REPOSITORY / "deploy"), "--socket", str(socket)),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PATH": programs},
    )
    try:
        screen = Screen(process)
        yield screen
        process.terminate()
        process.wait(30)
        screen.close()
        assert screen.text.endswith("stopped.\n")
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()


def test_a_fault_is_printed_as_an_alert_within_a_minute_and_its_end_after_it_is_lifted(
    screen: Screen, socket: Path
) -> None:
    screen.wait_for("hub        first reading: 12 tunnels, 11 up")
    struck = ipsecmon("lab", "fault", "hub/lisbon", "psk-mismatch", "--socket", socket)
    assert struck.returncode == 0, struck.stderr
    for device in ("hub", "lisbon"):
        screen.wait_for(f"ALERT CiscoIpsecTunnelDown firing  {device} lisbon")

    ipsecmon("lab", "lift", "hub/lisbon", "--socket", socket)
    for device in ("hub", "lisbon"):
        screen.wait_for(f"ALERT CiscoIpsecTunnelDown resolved  {device} lisbon")
    told = re.findall(r"ALERT (\w+ \w+)  (\S+ \S+)", screen.text)

    assert len(told) == len(set(told)), "an alert was told twice"
    assert {tunnel for _, tunnel in told} == {"hub lisbon", "lisbon lisbon"}
