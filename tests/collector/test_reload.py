"""The configuration is read again while the service runs: devices come, go and change, and nobody else notices."""

from __future__ import annotations

import http.client
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ipsecmon.app import Monitor
from ipsecmon.config import Changes, Config, load_config
from ipsecmon.errors import IpsecmonError
from ipsecmon.inventory import Collected, Inventory, Watcher
from ipsecmon.model import RawOutput
from ipsecmon.poller import Poller, UnknownDevice
from ipsecmon.schedule import phase_seconds
from ipsecmon.sessions import Session, Target

OUTPUTS = Path(__file__).parent.parent / "parsers" / "outputs" / "ios"
COMMANDS = ("show crypto isakmp sa", "show crypto ipsec sa")
ANSWERS = {
    command: (OUTPUTS / command.replace(" ", "_") / "tutorial" / "output.txt").read_text("utf-8")
    for command in COMMANDS
}
MAIN = """\
web: {listen: "127.0.0.1:0"}
history: {path: off}
host_keys: {check: off}
credentials: {lab: {username: monitor, password: planted}}
defaults: {platform: ios, credentials: lab}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(devices: dict[str, str], main: str = MAIN) -> Path:
    """A configuration with these devices, by name; the words behind it are more of their settings."""
    lines = [
        f"  - {{name: {name}, host: 127.0.0.1, port: 9{more}}}\n" for name, more in devices.items()
    ]
    path = Path("ipsecmon.yml")
    new = path.with_suffix(".new")
    new.write_text(main + "devices:\n" + "".join(lines), encoding="utf-8")
    new.chmod(0o600)
    new.replace(path)
    return path


def config(devices: dict[str, str], main: str = MAIN) -> Config:
    return load_config(write(devices, main))


BOTH = {"Site1": "", "Site2": ""}


class TestChanges:
    def between(self, new: dict[str, str], main: str = MAIN) -> Changes:
        return Changes.between(config(BOTH), config(new, main))

    def test_the_same_again_changes_nothing(self) -> None:
        assert self.between(BOTH) == Changes()

    def test_devices_come_and_go(self) -> None:
        assert self.between({"Site2": "", "Site3": ""}) == Changes(
            added=("Site3",), removed=("Site1",)
        )

    @pytest.mark.parametrize(
        "more",
        [", credentials: other", ", ssh_profile: compat", ", jump: hop", ", connect_timeout: 3s"],
    )
    def test_another_way_in_asks_for_another_session(self, more: str) -> None:
        main = MAIN.replace("{lab:", "{other: {username: else, password: planted}, lab:")
        main += "jump_hosts: {hop: {host: 198.51.100.1, credentials: lab}}\n"

        assert self.between({"Site1": more, "Site2": ""}, main) == Changes(reconnected=("Site1",))

    def test_another_user_of_a_credential_asks_for_other_sessions_of_all_who_use_it(self) -> None:
        main = MAIN.replace("username: monitor", "username: else")

        assert self.between(BOTH, main) == Changes(reconnected=("Site1", "Site2"))

    def test_another_interval_is_only_a_matter_of_time(self) -> None:
        assert self.between({"Site1": ", interval: 30s", "Site2": ""}) == Changes(
            rescheduled=("Site1",)
        )

    def test_where_the_service_listens_is_looked_at_when_it_starts(self) -> None:
        main = MAIN.replace("127.0.0.1:0", "127.0.0.1:9999")

        assert self.between(BOTH, main) == Changes(at_restart=("web.listen",))


class Routers:
    """Every device answers as the tutorial's router, each command once it may."""

    def __init__(self) -> None:
        self.targets: list[Target] = []
        self.closed: list[str] = []
        self.asked = threading.Event()
        self.may_answer = threading.Event()
        self.may_answer.set()

    def open(self, target: Target, timeout: float) -> Session:
        assert timeout > 0
        self.targets.append(target)
        return _Router(self, target.device)


class _Router(Session):
    def __init__(self, routers: Routers, device: str) -> None:
        self._routers = routers
        self._device = device

    def run(self, command: str, timeout: float) -> RawOutput:
        self._routers.asked.set()
        assert self._routers.may_answer.wait(timeout)
        text = ANSWERS.get(command, "% Invalid input detected at '^' marker.\n")
        return RawOutput(command=command, text=text, started_at=1.0, ended_at=2.0)

    def is_alive(self) -> bool:
        return True

    def close(self) -> None:
        self._routers.closed.append(self._device)


class TestPoller:
    def test_a_device_that_did_not_change_keeps_its_session(self) -> None:
        routers = Routers()
        poller = Poller(config({"Site1": ""}), open_session=routers.open)
        poller.poll("Site1")

        poller.apply(config({"Site1": ", interval: 30s", "Site2": ""}))

        assert poller.poll("Site1").interval_seconds == 30
        assert [target.device for target in routers.targets] == ["Site1"]
        poller.close()

    def test_a_changed_address_opens_another_session(self) -> None:
        routers = Routers()
        poller = Poller(config({"Site1": ""}), open_session=routers.open)
        poller.poll("Site1")

        changed = write({"Site1": ""})
        changed.write_text(changed.read_text().replace("host: 127.0.0.1", "host: 192.0.2.9"))
        poller.apply(load_config(changed))

        assert poller.poll("Site1").host == "192.0.2.9"
        assert [target.host for target in routers.targets] == ["127.0.0.1", "192.0.2.9"]
        assert routers.closed == ["Site1"]
        poller.close()

    def test_a_device_changed_during_its_poll_is_logged_in_to_anew_at_the_next(self) -> None:
        routers = Routers()
        routers.may_answer.clear()
        poller = Poller(config({"Site1": ""}), open_session=routers.open)
        under_way = threading.Thread(target=poller.poll, args=("Site1",))
        under_way.start()
        assert routers.asked.wait(5)

        main = MAIN.replace("username: monitor", "username: else")
        poller.apply(config({"Site1": ""}, main))
        routers.may_answer.set()
        under_way.join(5)
        poller.poll("Site1")

        assert [target.username for target in routers.targets] == ["monitor", "else"]
        assert routers.closed == ["Site1"]
        poller.close()

    def test_a_removed_device_is_forgotten(self) -> None:
        routers = Routers()
        poller = Poller(config({"Site1": "", "Site2": ""}), open_session=routers.open)
        poller.poll("Site1")
        poller.poll("Site2")

        poller.apply(config({"Site2": ""}))

        assert list(poller.store.entries()) == ["Site2"]
        assert routers.closed == ["Site1"]
        assert {event.device for event in poller.store.recent_events()} <= {"Site2"}
        with pytest.raises(UnknownDevice, match="no device 'Site1'"):
            poller.poll("Site1")
        poller.close()

    def test_a_device_removed_during_its_poll_is_forgotten_after_it(self) -> None:
        routers = Routers()
        routers.may_answer.clear()
        poller = Poller(config({"Site1": "", "Site2": ""}), open_session=routers.open)
        under_way = threading.Thread(target=poller.poll_unless_busy, args=("Site1",))
        under_way.start()
        assert routers.asked.wait(5)

        poller.apply(config({"Site2": ""}))
        assert routers.closed == []
        routers.may_answer.set()
        under_way.join(5)

        assert list(poller.store.entries()) == []
        assert routers.closed == ["Site1"]
        assert poller.poll_unless_busy("Site1")
        assert len(routers.targets) == 1
        poller.close()

    def test_a_device_that_comes_back_during_its_poll_is_not_polled_twice_at_once(self) -> None:
        routers = Routers()
        routers.may_answer.clear()
        poller = Poller(config({"Site1": "", "Site2": ""}), open_session=routers.open)
        under_way = threading.Thread(target=poller.poll_unless_busy, args=("Site1",))
        under_way.start()
        assert routers.asked.wait(5)

        poller.apply(config({"Site2": ""}))
        poller.apply(config({"Site1": "", "Site2": ""}))
        assert not poller.poll_unless_busy("Site1")
        routers.may_answer.set()
        under_way.join(5)

        assert list(poller.store.entries()) == ["Site1"]
        poller.close()


class TestWatcher:
    """Looking without a thread: what the thread does every few seconds."""

    def make(self, retry_seconds: float = 3600.0) -> tuple[Watcher, list[Config]]:
        inventory = Inventory(Path("ipsecmon.yml"))
        applied: list[Config] = []
        watcher = Watcher(
            inventory,
            inventory.collect(),
            lambda collected: applied.append(collected.config),
            clock=lambda: 1000.0,
            retry_seconds=retry_seconds,
        )
        return watcher, applied

    def test_what_did_not_change_is_not_read_again(self) -> None:
        write({"Site1": ""})
        watcher, applied = self.make()
        watcher.look()

        assert applied == []

    def test_a_changed_file_is_read_again(self) -> None:
        write({"Site1": ""})
        watcher, applied = self.make()
        write({"Site1": "", "Site2": ""})
        watcher.look()
        watcher.look()

        assert [len(config.devices) for config in applied] == [2]

    @pytest.mark.parametrize("source", ["{file: devices.d}", "{file_sd: devices.d/*.json}"])
    def test_a_file_that_comes_into_a_folder_is_read(self, source: str) -> None:
        Path("devices.d").mkdir()
        Path("devices.d/a.yml").write_text("devices: [{name: Site2, host: 192.0.2.2}]\n")
        Path("devices.d/a.json").write_text('[{"targets": ["192.0.2.2"]}]')
        write({"Site1": ""}, MAIN + f"inventory: [{source}]\n")
        watcher, applied = self.make()

        Path("devices.d/b.yml").write_text("devices: [{name: Site3, host: 192.0.2.3}]\n")
        Path("devices.d/b.json").write_text('[{"targets": ["192.0.2.3"]}]')
        watcher.look()

        assert [len(config.devices) for config in applied] == [3]

    def test_a_mistake_keeps_what_is_in_use_and_is_told_once(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        write({"Site1": ""})
        watcher, applied = self.make()
        write({"Site1": ", interval: never"})
        with caplog.at_level(logging.WARNING):
            watcher.look()
            write({"Site1": ", interval: never"})
            watcher.look()
            watcher.look()

        assert applied == []
        assert (watcher.health.is_successful, watcher.health.failures_total) == (False, 2)
        assert len(caplog.messages) == 1
        assert "devices[0].interval: found 'never'" in caplog.messages[0]

        write({"Site1": ", interval: 30s"})
        watcher.look()
        assert (watcher.health.is_successful, len(applied)) == (True, 1)

    def test_a_mistake_in_a_file_that_is_new_is_mended_there(self) -> None:
        write({"Site1": ""})
        watcher, applied = self.make()
        Path("more.yml").write_text("devices: [{}]\n")
        write({"Site1": ""}, MAIN + "inventory: [{file: more.yml}]\n")
        watcher.look()
        Path("more.yml").write_text("devices: [{name: Site2, host: 192.0.2.2}]\n")
        watcher.look()

        assert [len(config.devices) for config in applied] == [2]

    def test_a_mistake_that_no_known_file_mends_is_tried_again(self) -> None:
        write({"Site1": ""})
        watcher, applied = self.make(retry_seconds=0.0)
        write({"Site1": ""}, MAIN + "inventory: [{file: more.yml}]\n")
        watcher.look()
        Path("more.yml").write_text("devices: [{name: Site2, host: 192.0.2.2}]\n")
        watcher.look()

        assert [len(config.devices) for config in applied] == [2]

    def test_a_configuration_that_cannot_be_applied_is_a_failure(self) -> None:
        write({"Site1": ""})
        inventory = Inventory(Path("ipsecmon.yml"))

        def refuse(_: Collected) -> None:
            raise IpsecmonError("it does not fit")

        watcher = Watcher(inventory, inventory.collect(), refuse)

        assert "it does not fit" in (watcher.reload() or "")
        assert not watcher.health.is_successful

    def test_reloads_do_not_overlap(self) -> None:
        write({"Site1": ""})
        inventory = Inventory(Path("ipsecmon.yml"))
        under_way: list[int] = []
        overlaps: list[int] = []

        def apply(_: Collected) -> None:
            under_way.append(1)
            time.sleep(0.01)
            overlaps.append(len(under_way))
            under_way.pop()

        watcher = Watcher(inventory, inventory.collect(), apply)
        threads = [threading.Thread(target=watcher.reload) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert overlaps == [1] * 8


class CountingMonitor(Monitor):
    """Polls nobody and notes when it would have."""

    polls: defaultdict[str, list[float]]

    def _poll(self, name: str) -> bool:
        self.polls[name].append(time.time())
        return True


def counting(inventory: Inventory) -> CountingMonitor:
    monitor = CountingMonitor(inventory.collect().config, inventory=inventory)
    monitor.polls = defaultdict(list)
    return monitor


def wait(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def rounds(times: list[float], device: str, interval: float) -> list[int]:
    """The numbers of the intervals that these polls stand for."""
    return [int((at - phase_seconds(device, interval)) // interval) for at in times]


def reload_under_load(devices: int, interval: float, reloads: int, seconds: float) -> None:
    steady = {f"Site{n}": f", interval: {interval}s" for n in range(devices)}
    write(steady)
    monitor = counting(Inventory(Path("ipsecmon.yml")))
    monitor.start()
    try:
        begin = time.monotonic()
        for number in range(reloads):
            write({**steady, f"Guest{number}": f", interval: {interval}s"})
            assert monitor.watcher is not None
            assert monitor.watcher.reload() is None
            time.sleep(max(0.0, begin + (number + 1) * seconds / reloads - time.monotonic()))
    finally:
        monitor.stop()

    expected = seconds / interval
    for name in steady:
        # the first poll comes soon, all others at their own phase
        numbers = rounds(monitor.polls[name][1:], name, interval)
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), name
        assert len(numbers) >= expected - 2, name


def test_reloads_lose_no_poll_of_a_device_that_does_not_change() -> None:
    reload_under_load(devices=20, interval=1.0, reloads=6, seconds=3.0)


@pytest.mark.slow
def test_twenty_reloads_lose_no_poll_of_two_hundred_devices() -> None:
    reload_under_load(devices=200, interval=2.0, reloads=20, seconds=20.0)


class TestMonitor:
    def test_devices_come_and_go_without_a_restart(self) -> None:
        write({"Site1": ", interval: 1s", "Site2": ", interval: 1s"})
        monitor = counting(Inventory(Path("ipsecmon.yml")))
        monitor.start()
        try:
            wait(lambda: len(monitor.polls["Site1"]) >= 1)
            write({"Site2": ", interval: 1s", "Site3": ", interval: 1s"})
            monitor.reload_soon()
            wait(lambda: len(monitor.polls["Site3"]) >= 1)
            gone, others = len(monitor.polls["Site1"]), len(monitor.polls["Site2"])
            wait(lambda: len(monitor.polls["Site2"]) >= others + 2)

            assert len(monitor.polls["Site1"]) <= gone + 1
            assert set(monitor.context.stale_after) == {"Site2", "Site3"}
        finally:
            monitor.stop()

    def test_reload_is_asked_for_with_post_and_answers_how_it_went(self) -> None:
        write({"Site1": ""})
        monitor = counting(Inventory(Path("ipsecmon.yml")))
        monitor.start()
        try:
            assert ask(monitor.url, "GET")[0] == 405
            assert ask(monitor.url, "POST") == (200, "the configuration was read again.\n")
            write({"Site1": ", interval: never"})
            status, body = ask(monitor.url, "POST")
            assert status == 500
            assert "devices[0].interval: found 'never'" in body
            text = scraped(monitor.url)
        finally:
            monitor.stop()

        assert "cisco_ipsec_exporter_config_last_reload_successful 0" in text
        assert 'cisco_ipsec_exporter_inventory_devices{source="ipsecmon.yml"} 1' in text

    def test_what_cannot_change_is_told_and_kept(self, caplog: pytest.LogCaptureFixture) -> None:
        write({"Site1": ""})
        monitor = counting(Inventory(Path("ipsecmon.yml")))
        try:
            with caplog.at_level(logging.WARNING):
                monitor.apply(config({"Site1": ""}, MAIN.replace(":0", ":9999")))
        finally:
            monitor.stop()

        assert (
            "web.listen has changed; this takes effect when ipsecmon is started again"
            in caplog.messages
        )


def ask(url: str, method: str) -> tuple[int, str]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        connection.request(method, "/-/reload")
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def scraped(url: str) -> str:
    with urllib.request.urlopen(url + "/metrics", timeout=5) as response:  # noqa: S310 # loopback
        text: str = response.read().decode()
    return text


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def test_sighup_reads_the_configuration_again_and_ends_nothing(folder: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    main = MAIN.replace("127.0.0.1:0", url.removeprefix("http://"))
    write({"Site1": ""}, main)
    process = subprocess.Popen(
        [sys.executable, "-m", "ipsecmon", "run"],
        cwd=folder,
        env=os.environ,
        stderr=subprocess.PIPE,
        text=True,
    )

    def devices() -> str:
        try:
            text = scraped(url)
        except OSError:
            return ""
        lines = text.splitlines()
        return next((line for line in lines if "inventory_devices{" in line), "")

    try:
        wait(lambda: devices().endswith(" 1.0"))
        write({"Site1": "", "Site2": ""}, main)
        process.send_signal(signal.SIGHUP)
        wait(lambda: devices().endswith(" 2.0"))
        assert process.poll() is None
    finally:
        process.terminate()
        _, told = process.communicate(timeout=20)

    assert "the configuration was read again; devices: 2, before: 1" in told
