"""The service as it runs: a process that polls a fleet over real SSH while it is told to read its configuration again."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from ipsecmon.lab.serve import many_routers
from ipsecmon.lab.ssh import Lab

ROUTERS = 60
INTERVAL_SECONDS = 2.0
WATCHED_SECONDS = 20.0


@pytest.fixture
def lab() -> Generator[Lab]:
    with many_routers(ROUTERS, 1) as running:
        yield running


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def write_config(folder: Path, lab: Lab, port: int, transport: str) -> Path:
    router = lab.topology.routers[0]
    (folder / "known_hosts").write_text(lab.known_hosts)
    devices = "\n".join(
        f"  - {{name: {name}, host: {host}, port: {at}}}"
        for name, (host, at) in lab.endpoints.items()
    )
    file = folder / "ipsecmon.yml"
    file.write_text(
        f"""\
poll: {{interval: {INTERVAL_SECONDS:g}s}}
web: {{listen: "127.0.0.1:{port}"}}
ssh: {{transport: {transport}, logins_per_second: 50}}
host_keys: {{known_hosts: known_hosts}}
history: {{path: off}}
defaults: {{platform: iosxe, credentials: lab}}
credentials:
  lab: {{username: {router.username}, password: {router.password}, enable: {router.enable_secret}}}
devices:
{devices}
"""
    )
    file.chmod(0o600)
    return file


def polls(port: int) -> dict[str, float]:
    """How many polls ended how, by outcome."""
    with urllib.request.urlopen(
        f"http://127.0.0.1:{port}/metrics", timeout=10
    ) as response:  # loopback
        text: str = response.read().decode()
    pattern = r'^cisco_ipsec_exporter_polls_total\{outcome="(\w+)"\} (\S+)$'
    return {name: float(count) for name, count in re.findall(pattern, text, re.MULTILINE)}


def wait(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.timeout(150)
@pytest.mark.parametrize("transport", ["napalm", "asyncssh"])
def test_sighup_under_load_loses_no_poll_and_sigterm_ends_it_within_five_seconds(
    transport: str, lab: Lab, tmp_path: Path
) -> None:
    port = free_port()
    file = write_config(tmp_path, lab, port, transport)
    process = subprocess.Popen(  # noqa: S603 # our own program
        [sys.executable, "-m", "ipsecmon", "run", "--config", str(file)],
        env=os.environ,
        stderr=subprocess.PIPE,
        text=True,
    )

    def good() -> float:
        try:
            return polls(port)["good"]
        except OSError:
            return 0.0

    try:
        wait(lambda: good() >= 2 * ROUTERS)
        before, begin = polls(port), time.monotonic()
        logins = {name: lab.logins(name) for name in lab.endpoints}
        while time.monotonic() < begin + WATCHED_SECONDS:
            process.send_signal(signal.SIGHUP)
            time.sleep(1.0)
        after, took = polls(port), time.monotonic() - begin
    finally:
        stopping = time.monotonic()
        process.terminate()
        _, told = process.communicate(timeout=20)
        stopped = time.monotonic() - stopping

    rounds = took / INTERVAL_SECONDS
    assert after["good"] - before["good"] >= ROUTERS * (rounds - 1)
    assert after["failed"] == before["failed"]
    assert after["missed"] == before["missed"]
    # no session was given up: what has not changed goes on
    assert {name: lab.logins(name) for name in lab.endpoints} == logins
    assert "Traceback" not in told
    assert stopped < 5
    wait(lambda: not any(lab.connections_open(name) for name in lab.endpoints))
