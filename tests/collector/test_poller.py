"""Who polls a device when, what a failing one is spared, and that everything ends in time."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from bench import fleet, schedule
from ipsecmon.app import Monitor
from ipsecmon.config import Config, Plan, PollTier, load_config
from ipsecmon.errors import AuthenticationFailed, ConnectFailed, ConnectionClosed
from ipsecmon.history import History
from ipsecmon.lab.demo import DemoLab
from ipsecmon.model import Event, EventKind, RawOutput
from ipsecmon.poller import Poller, UnknownDevice
from ipsecmon.schedule import Lane
from ipsecmon.sessions import OpenSession, Session, Target
from over_ssh import own_threads


def wait(holds: Callable[[], bool], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


BUSY = "CPU utilization for five seconds: 99%/2%; one minute: 9%; five minutes: 8%\n"


class Polled:
    """One device that answers until ``refuses`` is set."""

    def __init__(self, folder: Path, history: History | None = None) -> None:
        self.refuses: Exception | None = None
        self.sessions: list[Session] = []
        self.open: OpenSession = fleet.open_fake
        self.config = fleet.fleet_config(folder, 1, 0, 60.0)
        self.poller = Poller(self.config, open_session=self._open, history=history)

    @property
    def lane(self) -> Lane:
        return self.poller.lane("living-0")

    def plan(self, plan: Plan) -> None:
        self._change(plan=plan)

    def keep_no_session(self) -> None:
        self._change(session_age_seconds=0.0)

    def _change(self, **changes: Any) -> None:  # of its fields
        devices = self.poller._devices  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] # in place of a configuration
        devices["living-0"] = replace(devices["living-0"], **changes)

    def poll(self) -> None:
        assert self.poller.poll_unless_busy("living-0")

    def next_attempt_in(self) -> float:
        result = self.poller.store.get("living-0")
        assert result is not None
        assert result.next_attempt_at is not None
        return result.next_attempt_at - result.started_at

    def _open(self, target: Target, timeout: float) -> Session:
        if self.refuses is not None:
            raise self.refuses
        self.sessions.append(self.open(target, timeout))
        return self.sessions[-1]


@pytest.fixture
def polled(tmp_path: Path) -> Generator[Polled]:
    made = Polled(tmp_path)
    yield made
    made.poller.close()


def test_a_device_that_answers_is_polled_among_the_living_and_all_others_by_who_logs_in(
    polled: Polled,
) -> None:
    never_polled = polled.lane
    polled.poll()
    living = polled.lane
    polled.sessions[0].close()
    without_session = polled.lane

    assert (never_polled, living, without_session) == (Lane.LOGIN, Lane.LIVING, Lane.LOGIN)
    assert polled.poller.lane("unknown") is Lane.LOGIN


def test_a_device_without_a_kept_session_is_among_the_living_while_it_answers(
    tmp_path: Path,
) -> None:
    polled = Polled(tmp_path)
    polled.keep_no_session()
    polled.poll()

    assert polled.lane is Lane.LIVING
    assert not polled.sessions[0].is_alive()
    polled.poller.close()


def test_a_poll_without_tables_shows_the_tunnels_as_before_and_is_not_recorded(
    tmp_path: Path,
) -> None:
    with closing(History(tmp_path / "history.sqlite")) as history:
        polled = Polled(tmp_path, history)
        polled.plan(Plan(every={PollTier.COUNTS: 15.0, PollTier.TABLES: 60.0}))
        polled.poll()
        first = polled.poller.store.entries()["living-0"]
        recorded = history.restore("living-0")
        polled.poll()
        second = polled.poller.store.entries()["living-0"]
        again = history.restore("living-0")
        polled.poller.close()

    at, up = "cisco_ipsec_device_last_attempt_timestamp_seconds", "cisco_ipsec_tunnel_up"
    assert second.result.read_at == first.result.read_at
    assert second.result.started_at > first.result.started_at
    assert second.exposition[at] != first.exposition[at]
    assert second.exposition[up] == first.exposition[up] != b""
    assert recorded == again is not None


def test_a_device_that_cannot_be_reached_rests_and_what_is_known_of_it_stays(
    polled: Polled,
) -> None:
    polled.refuses = ConnectFailed("refused")
    polled.poll()
    once = polled.next_attempt_in()
    for _ in range(4):
        polled.poll()

    assert polled.lane is Lane.RESTING
    assert once <= 60
    assert 600 < polled.next_attempt_in() <= 900


def test_a_changed_device_is_tried_at_once_in_a_new_session(polled: Polled) -> None:
    polled.poll()
    polled.poller.forget("living-0")
    assert not polled.sessions[0].is_alive()
    polled.refuses = AuthenticationFailed("no")
    polled.poll()
    before = polled.lane
    polled.poller.forget("living-0")
    after = polled.lane
    polled.refuses = None
    polled.poll()
    result = polled.poller.store.get("living-0")

    assert (before, after) == (Lane.RESTING, Lane.LOGIN)
    assert result is not None
    assert result.is_good
    assert result.next_attempt_at is None


def test_a_session_that_cannot_be_stopped_does_not_keep_the_monitor(tmp_path: Path) -> None:
    release = threading.Event()
    running = threading.Event()

    class Stuck(Session):
        def run(self, command: str, timeout: float) -> RawOutput:  # noqa: ARG002 # the protocol's
            running.set()
            release.wait(30)
            raise ConnectFailed("never mind")

        def is_alive(self) -> bool:
            return True

        def close(self) -> None:
            release.wait(30)

    poller = Poller(fleet.fleet_config(tmp_path, 1, 0, 60.0), open_session=lambda _, __: Stuck())
    poll = threading.Thread(target=poller.poll, args=("living-0",), daemon=True)
    poll.start()
    assert running.wait(5)
    began = time.monotonic()
    poller.close(timeout=1.0)
    took = time.monotonic() - began
    release.set()
    poll.join(5)

    assert took < 4
    assert not poll.is_alive()
    assert poller.sessions.open_count == 0


@pytest.mark.timeout(60)
def test_a_monitor_ends_within_seconds_though_a_device_hangs(tmp_path: Path) -> None:
    with DemoLab(tmp_path, speed=1.0, interval=60.0) as demo:
        demo.lab.set_fault("Site1", hang=True)
        monitor = Monitor(load_config(demo.write_config(0)))
        before = own_threads()
        monitor.start()
        for site in ("Site1", "Site2"):
            monitor.forget(site)  # due now
        wait(lambda: monitor.poller.store.get("Site2") is not None)
        wait(lambda: monitor.poller.sessions.open_count == 2)
        began = time.monotonic()
        monitor.stop()
        took = time.monotonic() - began

        assert took < 5
        assert monitor.poller.sessions.open_count == monitor.poller.in_flight == 0
        wait(lambda: own_threads() <= before)


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_the_dead_of_a_fleet_cost_the_living_nothing(tmp_path: Path) -> None:
    config: Config = fleet.fleet_config(tmp_path, living=80, dead=20, interval=5.0)
    dead = [device.name for device in config.devices if not device.name.startswith("living")]
    found = fleet.measure(config, dead, warm_up=22.0, seconds=15.0)

    assert found.polls >= 200
    assert (found.good, found.missed, found.threads) == (80, 0, 0)
    assert found.p99_seconds < 1.0
    assert found.dead_cpu_share < 0.05


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_two_thousand_devices_are_polled_on_time() -> None:
    found = schedule.measure(devices=2000, interval=12.0, seconds=12.0)

    assert found.polls >= 1900
    assert found.missed == 0
    assert found.p99_seconds < 1.0


def _dead_site(folder: Path, demo: DemoLab, transport: str, port: int) -> Config:
    """The demo's configuration with nothing but silence at ``port``, where Site1 is said to be."""
    file = demo.write_config(0)
    document = yaml.safe_load(file.read_text("utf-8"))
    document["devices"][0]["port"] = port
    for device in document["devices"]:
        device["transport"] = transport
    file = folder / "dead.yml"
    file.write_text(yaml.safe_dump(document), "utf-8")
    return load_config(file)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("transport", ["napalm", "asyncssh"])
def test_a_monitor_ends_within_seconds_though_a_login_is_under_way(
    tmp_path: Path, transport: str
) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        DemoLab(tmp_path, speed=1.0, interval=60.0) as demo,
    ):
        config = _dead_site(tmp_path, demo, transport, silent.getsockname()[1])
        monitor = Monitor(config)
        monitor.start()
        for site in ("Site1", "Site2"):
            monitor.forget(site)  # due now
        wait(lambda: monitor.poller.store.get("Site2") is not None)
        wait(lambda: monitor.poller.in_flight == 1)
        began = time.monotonic()
        monitor.stop()
        took = time.monotonic() - began

    assert took < 4.5


def test_a_poll_that_ends_with_the_monitor_is_no_failure_of_its_device(tmp_path: Path) -> None:
    told: list[Event] = []
    running = threading.Event()

    class Asked(Session):
        def __init__(self, other: Session) -> None:
            self._other = other
            self._closed = threading.Event()

        def run(self, command: str, timeout: float) -> RawOutput:
            if hangs.is_set():
                running.set()
                self._closed.wait(timeout)
                raise ConnectionClosed("closed", command)
            return self._other.run(command, timeout)

        def is_alive(self) -> bool:
            return not self._closed.is_set()

        def close(self) -> None:
            self._closed.set()

    hangs = threading.Event()
    config = fleet.fleet_config(tmp_path, 1, 0, 60.0)
    poller = Poller(
        config,
        open_session=lambda one, timeout: Asked(fleet.open_fake(one, timeout)),
        on_event=told.append,
    )
    poller.poll("living-0")
    hangs.set()
    poll = threading.Thread(target=poller.poll, args=("living-0",))
    poll.start()
    assert running.wait(5)
    poller.close()
    poll.join(5)
    result = poller.store.get("living-0")

    assert result is not None
    assert result.is_good
    assert EventKind.UNREACHABLE not in [event.kind for event in told]


def test_a_device_removed_while_somebody_waits_to_poll_it_is_forgotten(tmp_path: Path) -> None:
    polled = Polled(tmp_path)
    polled.poll()
    lock = polled.poller._lock("living-0")  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] # a poll under way
    outcome: list[Exception] = []

    def ask() -> None:
        try:
            polled.poller.poll("living-0")
        except UnknownDevice as error:
            outcome.append(error)

    with lock:
        waiting = threading.Thread(target=ask)
        waiting.start()
        time.sleep(0.1)
        polled.poller.apply(fleet.fleet_config(tmp_path, 0, 1, 60.0))
    waiting.join(5)
    polled.poller.close()

    assert len(outcome) == 1
    assert polled.poller.store.get("living-0") is None


def test_a_login_as_it_was_before_a_change_does_not_hold_up_the_next(polled: Polled) -> None:
    def change(_: Target, __: float) -> Session:
        polled.poller.forget("living-0")
        raise AuthenticationFailed("no")

    polled.open = change
    polled.poll()

    assert polled.lane is Lane.LOGIN


def test_the_first_poll_after_a_restart_reads_the_tables_however_busy_the_device_is(
    tmp_path: Path,
) -> None:
    class Busy(Session):
        def __init__(self, other: Session) -> None:
            self._other = other

        def is_alive(self) -> bool:
            return self._other.is_alive()

        def close(self) -> None:
            self._other.close()

        def run(self, command: str, timeout: float) -> RawOutput:
            heard = self._other.run(command, timeout)
            is_load = "processes cpu" in command
            return replace(heard, text=BUSY) if is_load else heard

    plan = Plan(every={PollTier.TABLES: 60.0}, cpu_limit_percent=50)
    with closing(History(tmp_path / "history.sqlite")) as history:
        for _ in ("before", "after"):
            polled = Polled(tmp_path, history)
            polled.plan(plan)
            polled.open = lambda one, timeout: Busy(fleet.open_fake(one, timeout))
            polled.poll()
            entry = polled.poller.store.entries()["living-0"]
            polled.poller.close()

    assert entry.exposition.get("cisco_ipsec_tunnel_up")


def test_what_was_sent_to_a_device_stays_hidden_after_a_reload(tmp_path: Path) -> None:
    class Echoing(Session):
        def __init__(self, target: Target, timeout: float) -> None:
            self._other = fleet.open_fake(target, timeout)
            self._secret = target.password

        def run(self, command: str, timeout: float) -> RawOutput:
            heard = self._other.run(command, timeout)
            return replace(heard, text=f"{heard.text}\n! {self._secret}\n")

        def is_alive(self) -> bool:
            return True

        def close(self) -> None:
            self._other.close()

    config = fleet.fleet_config(tmp_path, 1, 0, 60.0)
    poller = Poller(config, open_session=Echoing)
    results = [poller.poll("living-0")]
    poller.apply(config)
    results.append(poller.poll("living-0"))
    poller.close()

    for result in results:
        assert [output.text.splitlines()[-1] for output in result.outputs[:1]] == ["! ***"]
