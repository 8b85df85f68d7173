"""The whole service against two emulated sites: what goes wrong with one is told, and the other goes on."""

from __future__ import annotations

import re
import time
import urllib.request
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from ipsecmon.app import Monitor
from ipsecmon.config import load_config
from ipsecmon.lab.demo import DemoLab


class Watched:
    """A running monitor and what it serves."""

    def __init__(self, monitor: Monitor, demo: DemoLab, folder: Path) -> None:
        self.monitor = monitor
        self.demo = demo
        self.folder = folder

    def value(self, name: str, *labels: str) -> float | None:
        with urllib.request.urlopen(self.monitor.url + "/metrics", timeout=5) as response:  # noqa: S310 # loopback
            text: str = response.read().decode()
        for line in text.splitlines():
            if line.startswith(name + "{") and all(label in line for label in labels):
                return float(line.rpartition(" ")[2])
        return None

    def up(self, site: str) -> float | None:
        return self.value("cisco_ipsec_device_up", f'device="{site}"')

    def tunnel_up(self, site: str) -> float | None:
        return self.value("cisco_ipsec_tunnel_up", f'device="{site}"')

    def wait(self, holds: Callable[[], bool], seconds: float = 20.0) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline
            time.sleep(0.1)


@pytest.fixture
def watched(tmp_path: Path) -> Generator[Watched]:
    with DemoLab(tmp_path, speed=1.0, interval=1.0) as demo:
        config = demo.write_config(0)
        text = config.read_text().replace("interval: 1s", "interval: 1s\n  read_timeout: 1s")
        config.write_text(text)
        monitor = Monitor(load_config(config))
        try:
            monitor.start()
            made = Watched(monitor, demo, tmp_path)
            made.wait(lambda: made.up("Site1") == made.up("Site2") == 1.0)
            yield made
        finally:
            monitor.stop()


@pytest.mark.timeout(90)
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"refuse": ("show crypto ipsec sa",)}, "refused"),
        ({"truncate": "outbound esp sas"}, "truncated"),
        # each waits for two polls; the session's own tests have them all
        pytest.param({"hang": True}, "timeout", marks=pytest.mark.slow),
        pytest.param({"cut_after": 400}, "closed", marks=pytest.mark.slow),
    ],
)
def test_a_site_that_answers_badly_is_not_up_and_its_tunnel_is_not_down(
    fault: dict[str, object], reason: str, watched: Watched
) -> None:
    watched.demo.lab.set_fault("Site1", **fault)
    watched.wait(lambda: watched.up("Site1") == 0.0)
    before = watched.value("cisco_ipsec_tunnel_decaps_packets_total", 'device="Site2"')

    counted = watched.value(
        "cisco_ipsec_device_collect_errors_total", 'device="Site1"', f'reason="{reason}"'
    )
    assert counted is not None
    assert counted >= 1
    # the last good reading, or withdrawn once it is stale; never 0
    assert watched.tunnel_up("Site1") in (1.0, None)
    assert watched.up("Site2") == watched.tunnel_up("Site2") == 1.0
    watched.wait(
        lambda: watched.value("cisco_ipsec_tunnel_decaps_packets_total", 'device="Site2"') != before
    )

    watched.wait(lambda: watched.tunnel_up("Site1") is None)
    watched.demo.lab.clear_faults("Site1")
    watched.wait(lambda: watched.up("Site1") == watched.tunnel_up("Site1") == 1.0)


@pytest.mark.timeout(90)
def test_a_rotated_password_works_at_the_next_connect(watched: Watched) -> None:
    """The wrong one is a matter of auth; putting the right one back needs no restart."""
    right = (watched.folder / "password").read_text()
    (watched.folder / "password").write_text("planted-secret\n")
    watched.demo.lab.set_fault("Site1", cut_after=10)
    watched.wait(
        lambda: (
            (
                watched.value(
                    "cisco_ipsec_device_collect_errors_total", 'device="Site1"', 'reason="auth"'
                )
                or 0.0
            )
            >= 1.0
        )
    )
    assert watched.up("Site1") == 0.0
    with urllib.request.urlopen(watched.monitor.url + "/", timeout=5) as response:  # noqa: S310 # loopback
        page: str = response.read().decode()
    assert re.search("refused user .*monitor", page)
    assert "planted-secret" not in page

    watched.demo.lab.clear_faults("Site1")
    (watched.folder / "password").write_text(right)
    watched.wait(lambda: watched.up("Site1") == 1.0)
