"""One run of everything for all tests here: the emulated network, ipsecmon, Prometheus, Alertmanager and a webhook."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from ipsecmon.alerting.rule_file import rule_file
from ipsecmon.alerting.thresholds import THRESHOLDS
from ipsecmon.alerting.timescale import Timescale
from ipsecmon.lab.server_process import ending_with_us
from ipsecmon.lab.ssh import Lab
from ipsecmon.lab.stack import Stack
from ipsecmon.lab.tunnel_faults import TunnelFaults
from ipsecmon.lab.webhook import WebhookReceiver

from .cases import CASES, PAIRS, SPEED, STAR
from .pairs import network_of, write_monitor_config
from .play import Play

REPOSITORY = Path(__file__).resolve().parents[2]
# of the routers, before anybody looks: every tunnel is up by then
_WARM_UP_SECONDS = 200.0
_SCRAPE_SECONDS = 1.0
_START_SECONDS = 60.0
_TABLE = pytest.StashKey[str]()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    table = terminalreporter.config.stash.get(_TABLE, "")
    if table:
        terminalreporter.section("faults and their alerts, in seconds of the routers")
        terminalreporter.write_line(table)


@pytest.fixture(scope="session")
def played(
    promtool: str, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Generator[Play]:
    """Every case played to its end, on a stack that still runs."""
    folder = tmp_path_factory.mktemp("stack")
    topology = network_of(PAIRS, STAR)
    served = [device for case in CASES for device in case.site.devices]
    with (
        _on_path(Path(promtool).parent),
        Lab(topology, speed=SPEED, warm_up=_WARM_UP_SECONDS, seed=7, serve=served) as lab,
        _monitor(write_monitor_config(folder, lab, PAIRS, STAR)) as monitor,
        WebhookReceiver() as receiver,
        Stack(
            folder / "servers",
            deploy=REPOSITORY / "deploy",
            monitor=monitor,
            rules=_rules(),
            webhook_url=receiver.url,
            interval_seconds=_SCRAPE_SECONDS,
            speed=SPEED,
        ) as stack,
    ):
        play = Play(
            CASES,
            lab=lab,
            faults=TunnelFaults(lab, poll_seconds=2 * SPEED),
            receiver=receiver,
            stack=stack,
        )
        play.wait_until_up(2 * len(PAIRS) + STAR.spokes)
        play.play()
        pytestconfig.stash[_TABLE] = play.table()
        yield play


def _rules() -> str:
    """As shipped, for routers that live faster; the last seconds of an SA must hold a reading, and that is each 20 of theirs."""
    thresholds = replace(THRESHOLDS, not_renewed_seconds=27.0)
    return rule_file(thresholds, Timescale(SPEED, shortest_window=4 * _SCRAPE_SECONDS))


@contextmanager
def _on_path(folder: Path) -> Generator[None]:
    """Prometheus and Alertmanager are where promtool is, installed or unpacked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(folder), prepend=os.pathsep)
        yield


@contextmanager
def _monitor(config: Path) -> Generator[str]:
    """``ipsecmon run`` as a process of its own, and the ``host:port`` it took."""
    log = config.with_name("ipsecmon.log")
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [*ending_with_us(), sys.executable, "-m", "ipsecmon", "run", "--config", str(config)],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield _address(process, log)
        finally:
            process.terminate()
            try:
                process.wait(20)
            finally:
                process.kill()
                process.wait()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    """As its log tells, once it listens."""
    deadline = time.monotonic() + _START_SECONDS
    while True:
        told = re.search(r"metrics at http://(\S+)/metrics", log.read_text())
        if told:
            return told[1]
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"ipsecmon did not start: {log.read_text()}")
        time.sleep(0.2)
