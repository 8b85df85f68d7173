"""The demo itself: real SSH, a fast clock, both sites up, counters moving, a rekey, a clean end."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from called import ipsecmon
from ipsecmon.config import load_config
from ipsecmon.lab.demo import DemoLab

DEMO = [sys.executable, "-u", "-m", "ipsecmon", "demo"]
SITES = {
    "Site1": "CRYPTO/10.1.1.0_24-10.2.2.0_24",
    "Site2": "CRYPTO/10.2.2.0_24-10.1.1.0_24",
}


class Demo:
    """A running ``ipsecmon demo`` and the samples it serves."""

    def __init__(
        self, process: subprocess.Popen[str], url: str, config: Path, socket: Path
    ) -> None:
        self.process = process
        self.socket = socket
        self.url = url
        self.config = config

    def get(self, path: str) -> str:
        with urllib.request.urlopen(self.url + path, timeout=10) as response:  # noqa: S310 # loopback
            text: str = response.read().decode()
            return text

    def samples(self, name: str) -> dict[str, float]:
        """Values of one metric by device; several samples of a device are added up."""
        found: dict[str, float] = {}
        for line in self.get("/metrics").splitlines():
            match = re.match(rf'{name}{{.*?device="(\w+)".*}} (\S+)$', line)
            if match:
                found[match[1]] = found.get(match[1], 0.0) + float(match[2])
        return found

    def wait_for(self, what: str, holds: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert self.process.poll() is None, "the demo ended by itself"
            assert time.monotonic() < deadline, f"no {what} within {seconds} s"
            time.sleep(0.5)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Generator[Demo]:
    socket = tmp_path_factory.mktemp("demo") / "own" / "lab.sock"
    process = subprocess.Popen(  # noqa: S603 # our own program
        [
            sys.executable,
            "-u",
            "-m",
            "ipsecmon",
            "demo",
            "--speed",
            "300",
            "--interval",
            "1",
            "--port",
            "0",
            "--socket",
            str(socket),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    welcome = ""
    try:
        while "Ctrl-C" not in welcome:
            line = process.stdout.readline()
            assert line, f"the demo ended at once: {welcome}"
            welcome += line
        url = re.search(r"http://127\.0\.0\.1:\d+", welcome)
        config = re.search(r"--config (\S+)", welcome)
        assert url is not None
        assert config is not None
        yield Demo(process, url.group(), Path(config[1]), socket)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait(10)
        process.stdout.close()


@pytest.mark.timeout(120)
def test_both_sites_are_up_counting_and_rekeyed(demo: Demo) -> None:
    demo.wait_for(
        "poll of both sites",
        lambda: demo.samples("cisco_ipsec_device_up") == dict.fromkeys(SITES, 1.0),
        30,
    )
    assert demo.samples("cisco_ipsec_tunnel_up") == dict.fromkeys(SITES, 1.0)
    assert demo.samples("cisco_ike_sa_qm_idle") == dict.fromkeys(SITES, 1.0)

    before = demo.samples("cisco_ipsec_tunnel_encaps_packets_total")
    decaps = demo.samples("cisco_ipsec_tunnel_decaps_packets_total")
    rekeys = demo.samples("cisco_ipsec_tunnel_rekeys_total")
    demo.wait_for(
        "rekey on both sites",
        lambda: all(
            demo.samples("cisco_ipsec_tunnel_rekeys_total").get(site, 0) > rekeys.get(site, 0)
            for site in SITES
        ),
        60,
    )
    after = demo.samples("cisco_ipsec_tunnel_encaps_packets_total")

    assert all(after[site] > before[site] > 0 for site in SITES)
    assert all(
        demo.samples("cisco_ipsec_tunnel_decaps_packets_total")[site] > decaps[site] > 0
        for site in SITES
    )
    page = demo.get("/")
    assert "2 of 2 tunnels up" in page
    assert all(tunnel in page for tunnel in SITES.values())


def test_the_running_demo_is_clean_for_promtool(demo: Demo, promtool: str) -> None:
    checked = subprocess.run(  # noqa: S603 # promtool on our own text
        [promtool, "check", "metrics"],
        input=demo.get("/metrics"),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_the_printed_command_polls_a_site(demo: Demo) -> None:
    done = subprocess.run(  # noqa: S603 # our own program
        [sys.executable, "-m", "ipsecmon", "poll", "Site1", "--config", str(demo.config)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert SITES["Site1"] in done.stdout


def lab(demo: Demo, *arguments: str) -> subprocess.CompletedProcess[str]:
    """``ipsecmon lab ...`` on this demo."""
    return ipsecmon("lab", *arguments, "--socket", demo.socket)


@pytest.mark.timeout(90)
def test_a_fault_takes_a_tunnel_down_until_it_is_lifted(demo: Demo) -> None:
    def is_up() -> bool:
        return demo.samples("cisco_ipsec_tunnel_up") == dict.fromkeys(SITES, 1.0)

    demo.wait_for("tunnel", is_up, 30)
    struck = lab(demo, "fault", "Site1", "transform-mismatch")
    demo.wait_for("outage", lambda: not any(demo.samples("cisco_ipsec_tunnel_up").values()), 30)
    on = lab(demo, "faults")
    lifted = lab(demo, "lift", "Site1", "transform-mismatch")
    demo.wait_for("recovery", is_up, 30)

    name = f"transform-mismatch on Site1/{SITES['Site1']}"
    assert struck.stdout.startswith(f"struck {name}\nThe peer gets another transform set")
    assert on.stdout.endswith(f"On now:\n  {name}\n")
    assert lifted.stdout == f"lifted {name}\n"


def test_a_target_that_is_not_there_is_answered_with_what_there_is(demo: Demo) -> None:
    done = lab(demo, "fault", "Site3", "auth")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "ipsecmon: the lab has no device 'Site3'; it has Site1, Site2\n"


def test_nothing_to_lift_is_said(demo: Demo) -> None:
    done = lab(demo, "lift", "Site2", "auth")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "ipsecmon: no such fault is on at Site2; on is nothing\n"


def test_without_a_demo_the_faults_are_listed_and_how_to_start_one(tmp_path: Path) -> None:
    done = ipsecmon("lab", "faults", "--socket", tmp_path / "own" / "lab.sock")

    assert done.returncode == 1
    assert "psk-mismatch" in done.stdout
    assert "start one with ipsecmon demo, in another terminal" in done.stderr


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_without_prometheus_the_stack_demo_says_what_to_install_and_goes_on(
    tmp_path: Path,
) -> None:
    process = subprocess.Popen(  # noqa: S603 # our own program
        [*DEMO, "--port", "0", "--socket", str(tmp_path / "own" / "lab.sock"), "--stack", "deploy"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PATH": str(tmp_path)},
    )
    assert process.stdout is not None
    try:
        seen = ""
        while "hub        first reading: 12 tunnels, 11 up" not in seen:
            line = process.stdout.readline()
            assert line, seen
            seen += line
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait(10)

    assert "install the Debian package prometheus" in errors
    assert errors.endswith("; the demo goes on without Prometheus and Alertmanager\n")
    assert "Alertmanager" not in seen
    assert rest.endswith("stopped.\n")


def test_ctrl_c_ends_it_and_leaves_nothing(tmp_path: Path) -> None:
    process = subprocess.Popen(  # noqa: S603 # our own program
        [*DEMO, "--port", "0", "--socket", str(tmp_path / "own" / "lab.sock")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        welcome = ""
        while "first reading" not in welcome:
            line = process.stdout.readline()
            assert line, welcome
            welcome += line
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=20)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(10)

    assert (process.returncode, errors) == (0, "")
    assert rest.endswith("stopped.\n")
    folder = re.search(r"--config (\S+)/ipsecmon\.yml", welcome)
    assert folder is not None
    assert not Path(folder[1]).exists()


@pytest.mark.slow
def test_one_that_is_ended_before_it_is_ready_leaves_nothing_either(tmp_path: Path) -> None:
    process = subprocess.Popen(  # noqa: S603 # our own program
        [*DEMO, "--port", "0", "--socket", str(tmp_path / "own" / "lab.sock")],
        stdout=subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    try:
        while not list(tmp_path.glob("ipsecmon-demo-*")):
            assert process.poll() is None
            time.sleep(0.01)
        process.terminate()
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait(10)

    assert not list(tmp_path.glob("ipsecmon-demo-*"))


def test_the_demo_serves_on_another_address_where_a_container_needs_it(tmp_path: Path) -> None:
    with DemoLab(tmp_path, speed=1, interval=5, listen="0.0.0.0") as lab:  # noqa: S104 # is what is tested
        config = load_config(lab.write_config(9818))

    assert (config.web.listen.host, config.web.listen.port) == ("0.0.0.0", 9818)  # noqa: S104
    assert {device.host for device in config.devices} == {"127.0.0.1"}
