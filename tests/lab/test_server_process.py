"""Servers as child processes: their port, their end, and the end of those whose parent was killed."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from ipsecmon.lab import server_process
from ipsecmon.lab.server_process import StackError, start_server

# answers everything, as Prometheus does once it is ready
SERVER = """
import sys, http.server
class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self): self.send_response(200); self.end_headers()
host, port = sys.argv[1].split(":")
try:
    http.server.HTTPServer.allow_reuse_address = False
    server = http.server.HTTPServer((host, int(port)), Handler)
except OSError as error:
    sys.exit(f"listen tcp: {error.strerror.lower()}")
server.serve_forever()
"""

PARENT = """
import sys, time
from pathlib import Path
from ipsecmon.lab.server_process import start_server
command = lambda address: [sys.executable, "-c", sys.argv[1], address]
print(start_server("one", command, Path(sys.argv[2])).address, flush=True)
time.sleep(60)
"""


def server(address: str) -> Sequence[str]:
    return [sys.executable, "-c", SERVER, address]


def is_open(address: str) -> bool:
    host, port = address.split(":")
    with socket.socket() as one:
        return one.connect_ex((host, int(port))) == 0


def test_it_answers_until_it_is_ended(tmp_path: Path) -> None:
    running = start_server("one", server, tmp_path / "log")
    assert is_open(running.address)

    running.end()
    assert not is_open(running.address)


def test_another_port_is_tried_where_somebody_took_the_free_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = server_process.free_address()
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", 0))
        addresses = iter([f"127.0.0.1:{somebody.getsockname()[1]}", free])
        monkeypatch.setattr(server_process, "free_address", lambda: next(addresses))
        running = start_server("one", server, tmp_path / "log")

    assert running.address == free
    running.end()


def test_one_that_ends_at_once_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    with pytest.raises(
        StackError, match=r"^one ended with 1, expected it to serve.*\none: no such"
    ):
        start_server("one", lambda _: [sys.executable, "-c", "exit('no such')"], tmp_path / "log")


def test_one_that_cannot_be_run_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_process, "ending_with_us", list)

    with pytest.raises(StackError, match=r"^one cannot be started: .*No such file"):
        start_server("one", lambda _: [str(tmp_path / "none")], tmp_path / "log")


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is missing: Linux has it")
def test_it_ends_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    parent = subprocess.Popen(  # noqa: S603 - our own code
        [
            sys.executable,
            "-c",
            PARENT,
            SERVER,
            str(tmp_path / "log"),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        assert parent.stdout is not None
        address = parent.stdout.readline().strip()
        assert is_open(address)
        os.kill(parent.pid, signal.SIGKILL)

    deadline = time.monotonic() + 20
    while is_open(address):
        assert time.monotonic() < deadline
        time.sleep(0.05)
