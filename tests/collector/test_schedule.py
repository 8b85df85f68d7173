"""When devices are polled: spread, stable, never lost in silence, and never at the cost of those that answer."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Generator
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecmon.schedule import Lane, Lateness, Missed, PollScheduler, phase_seconds


def wait(holds: Callable[[], bool], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Fleet:
    """Counts polls; those in ``stuck`` last until the test is over, ``lanes`` says who polls whom."""

    def __init__(self) -> None:
        self.polled: Counter[str] = Counter()
        self.stuck: set[str] = set()
        self.lanes: dict[str, Lane] = {}
        self.release = threading.Event()
        self.scheduler = PollScheduler(
            self.poll, lambda name: self.lanes.get(name, Lane.LIVING), 4, 2
        )

    def is_begun_or_waits(self, device: str) -> bool:
        waiting = sum(self.scheduler.waiting(lane) for lane in (Lane.LIVING, Lane.LOGIN))
        return self.polled[device] == 1 or waiting == 1

    def poll(self, device: str) -> bool:
        self.polled[device] += 1
        if device in self.stuck:
            self.release.wait(20)
        return True


@pytest.fixture
def fleet() -> Generator[Fleet]:
    made = Fleet()
    yield made
    made.release.set()
    made.scheduler.stop()


@given(st.text(min_size=1), st.floats(min_value=1, max_value=86400))
def test_a_phase_lies_within_the_interval_and_stays(device: str, interval: float) -> None:
    assert 0 <= phase_seconds(device, interval) < interval
    assert phase_seconds(device, interval) == phase_seconds(device, interval)


def test_phases_spread_a_fleet_over_the_interval() -> None:
    quarters = Counter(int(phase_seconds(f"router-{n}", 60.0) // 15) for n in range(1000))

    assert all(200 < quarters[quarter] < 300 for quarter in range(4))


def test_a_device_is_due_at_its_phase_whenever_the_monitor_was_started(fleet: Fleet) -> None:
    fleet.scheduler.add("Site1", 60.0)
    fleet.scheduler.start()
    fleet.scheduler.hasten("Site1")
    wait(lambda: fleet.polled["Site1"] == 1)
    due = fleet.scheduler.next_due("Site1")

    assert due is not None
    # APScheduler rounds to microseconds; and the first regular poll keeps its distance from the first one
    assert abs((due - phase_seconds("Site1", 60.0) + 30) % 60.0 - 30) < 0.001
    assert due - time.time() > 25


def test_every_device_is_polled_soon_and_then_on_time(fleet: Fleet) -> None:
    fleet.scheduler.add("Site1", 0.4)
    fleet.scheduler.add("Site2", 0.4)
    fleet.scheduler.start()
    wait(lambda: min(fleet.polled["Site1"], fleet.polled["Site2"]) >= 3)

    assert fleet.scheduler.missed == 0


def test_one_slow_device_delays_no_other_and_its_missed_polls_are_counted(fleet: Fleet) -> None:
    fleet.stuck.add("slow")
    fleet.scheduler.add("slow", 0.3)
    fleet.scheduler.add("quick", 0.3)
    fleet.scheduler.start()
    wait(lambda: fleet.polled["quick"] >= 4 and fleet.scheduler.missed > 0)

    assert fleet.polled["slow"] == 1
    assert fleet.scheduler.missed_by_cause[Missed.RUNNING] == fleet.scheduler.missed


def test_however_many_devices_hang_those_that_answer_are_polled(fleet: Fleet) -> None:
    dead = [f"dead-{number}" for number in range(20)]
    fleet.stuck.update(dead)
    fleet.lanes = dict.fromkeys(dead, Lane.LOGIN)
    for device in (*dead, "living"):
        fleet.scheduler.add(device, 0.3)
    fleet.scheduler.start()
    wait(lambda: fleet.polled["living"] >= 5)

    assert sum(fleet.polled[device] for device in dead) == 2
    assert fleet.scheduler.missed_by_cause[Missed.LOGIN_WORKERS] > 0
    assert fleet.scheduler.missed_by_cause[Missed.WORKERS] == 0
    assert fleet.scheduler.lateness(Lane.LIVING).quantile(1.0) < 10


def test_devices_that_die_together_keep_the_workers_of_the_others_for_a_moment_only(
    fleet: Fleet,
) -> None:
    fleet.scheduler = PollScheduler(fleet.poll, lambda _: Lane.LIVING, 4, 1, slow_seconds=0.3)
    dying = [f"dying-{number}" for number in range(6)]
    fleet.stuck.update(dying)
    for device in dying:
        fleet.scheduler.add(device, 0.2)
    fleet.scheduler.start()
    wait(lambda: sum(fleet.polled.values()) == 6)
    fleet.scheduler.add("living", 0.1)
    wait(lambda: fleet.polled["living"] >= 5)
    fleet.release.set()
    fleet.stuck.clear()
    wait(lambda: min(fleet.polled[device] for device in dying) >= 2)


def test_a_resting_device_takes_no_thread_and_misses_nothing(fleet: Fleet) -> None:
    fleet.lanes["resting"] = Lane.RESTING
    fleet.scheduler.add("resting", 0.05)
    fleet.scheduler.add("living", 0.05)
    fleet.scheduler.start()
    wait(lambda: fleet.polled["living"] >= 5)

    assert fleet.polled["resting"] == 0
    assert fleet.scheduler.missed == 0
    assert fleet.scheduler.rested >= 4

    fleet.lanes.clear()
    wait(lambda: fleet.polled["resting"] > 0)


def test_devices_come_and_go_and_change_their_interval_while_polls_run(fleet: Fleet) -> None:
    fleet.scheduler.start()
    fleet.scheduler.add("Site1", 0.1)
    fleet.scheduler.add("Site2", 3600.0)
    wait(lambda: fleet.polled["Site1"] >= 2)
    fleet.scheduler.remove("Site1")
    fleet.scheduler.remove("Site1")
    gone = fleet.polled["Site1"]
    fleet.scheduler.reschedule("Site2", 0.1)
    fleet.polled.pop("Site2", None)
    wait(lambda: fleet.polled["Site2"] >= 5)

    assert fleet.polled["Site1"] <= gone + 1


def test_a_device_can_be_made_due_now(fleet: Fleet) -> None:
    fleet.scheduler.start()
    fleet.scheduler.reschedule("Site1", 86400.0)
    fleet.scheduler.hasten("Site1")
    fleet.scheduler.hasten("unknown")
    wait(lambda: fleet.polled["Site1"] == 1)


def test_a_device_made_due_while_it_is_polled_is_polled_again_right_after(fleet: Fleet) -> None:
    fleet.stuck.add("Site1")
    fleet.scheduler.add("Site1", 600.0)
    fleet.scheduler.start()
    fleet.scheduler.hasten("Site1")
    wait(lambda: fleet.polled["Site1"] == 1)
    fleet.scheduler.hasten("Site1")
    time.sleep(0.3)
    fleet.stuck.clear()
    fleet.release.set()
    wait(lambda: fleet.polled["Site1"] == 2, 5)

    assert fleet.scheduler.missed == 0


def test_a_device_that_waits_for_a_worker_when_it_is_removed_is_not_polled(fleet: Fleet) -> None:
    fleet.stuck.update({"a", "b"})
    fleet.lanes = dict.fromkeys(("a", "b", "c"), Lane.LOGIN)
    fleet.scheduler.start()
    for device in ("a", "b", "c"):
        fleet.scheduler.reschedule(device, 3600.0)
        fleet.scheduler.hasten(device)
        wait(partial(fleet.is_begun_or_waits, device))
    fleet.scheduler.remove("c")
    fleet.release.set()
    wait(lambda: fleet.scheduler.waiting(Lane.LOGIN) == 0)

    assert fleet.polled["c"] == 0


def test_a_poll_that_raises_costs_itself_only(fleet: Fleet) -> None:
    count = Counter[str]()

    def poll(device: str) -> bool:
        count[device] += 1
        raise ZeroDivisionError

    fleet.scheduler = PollScheduler(poll, lambda _: Lane.LIVING, 1, 1)
    fleet.scheduler.add("Site1", 0.05)
    fleet.scheduler.start()
    wait(lambda: count["Site1"] >= 3)


def test_polls_that_hang_hold_up_neither_the_stop_nor_more_workers(fleet: Fleet) -> None:
    fleet.stuck.update({"a", "b", "c", "d"})
    fleet.scheduler.start()
    for device in ("a", "b", "c", "d", "e"):
        fleet.scheduler.reschedule(device, 3600.0)
        fleet.scheduler.hasten(device)
        wait(partial(fleet.is_begun_or_waits, device))
    assert fleet.polled["e"] == 0
    fleet.scheduler.limit(5, 2)
    wait(lambda: fleet.polled["e"] == 1)

    began = time.monotonic()
    fleet.scheduler.stop()

    assert time.monotonic() - began < 3


@pytest.mark.parametrize("step", [-3600.0, 3600.0])
def test_due_times_move_with_the_clock_when_it_is_set(
    step: float, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.scheduler.add("Site1", 86400.0)
    fleet.scheduler.start()
    before = fleet.scheduler.next_due("Site1")
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + step)
    fleet.scheduler.hasten("another")  # whatever happens first
    after = fleet.scheduler.next_due("Site1")
    monkeypatch.undo()

    assert before is not None
    assert after == pytest.approx(before + step, abs=0.1)


def test_lateness_is_told_in_quantiles_and_in_buckets() -> None:
    lateness = Lateness(kept=100)
    for milliseconds in range(200):
        lateness.note(milliseconds / 1000)
    counts, total = lateness.histogram()

    assert lateness.last_seconds == 0.199
    assert lateness.quantile(0.5) == 0.149  # of the newest hundred
    assert lateness.quantile(1.0) == 0.199
    assert counts[:4] == (11, 40, 50, 99)
    assert (sum(counts), round(total, 3)) == (200, 19.9)
