"""When devices are polled: spread, stable, never lost in silence."""

from __future__ import annotations

import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

from apscheduler.triggers.interval import IntervalTrigger
from hypothesis import given
from hypothesis import strategies as st

from ipsecmon.schedule import PollScheduler, phase_seconds


@given(st.text(min_size=1), st.floats(min_value=1, max_value=86400))
def test_a_phase_lies_within_the_interval_and_stays(device: str, interval: float) -> None:
    assert 0 <= phase_seconds(device, interval) < interval
    assert phase_seconds(device, interval) == phase_seconds(device, interval)


def test_phases_spread_a_fleet_over_the_interval() -> None:
    quarters = Counter(int(phase_seconds(f"router-{n}", 60.0) // 15) for n in range(1000))

    assert all(200 < quarters[quarter] < 300 for quarter in range(4))


def test_fire_times_keep_the_hashed_phase_across_restarts() -> None:
    phase = phase_seconds("Site1", 60.0)
    for started in (0, 17, 59, 61):
        now = datetime(2026, 11, 23, 10, 0, tzinfo=UTC) + timedelta(seconds=started)
        trigger = IntervalTrigger(
            seconds=60.0, start_date=datetime.fromtimestamp(phase, UTC), timezone=UTC
        )
        fire = trigger.get_next_fire_time(None, now)
        assert fire is not None
        # APScheduler rounds to microseconds
        assert abs((fire.timestamp() - phase + 30) % 60.0 - 30) < 0.001


def test_every_device_is_polled_soon_and_then_on_time() -> None:
    polled: Counter[str] = Counter()
    enough = threading.Event()

    def poll(device: str) -> bool:
        polled[device] += 1
        if min(polled["Site1"], polled["Site2"]) >= 3:
            enough.set()
        return True

    scheduler = PollScheduler(poll, workers=2)
    scheduler.add("Site1", 1.0)
    scheduler.add("Site2", 1.0)
    scheduler.start()
    try:
        assert enough.wait(10)
    finally:
        scheduler.stop()
    assert scheduler.missed == 0


def test_one_slow_device_delays_no_other_and_its_missed_polls_are_counted() -> None:
    release = threading.Event()
    polled: Counter[str] = Counter()

    def poll(device: str) -> bool:
        polled[device] += 1
        if device == "slow":
            release.wait(20)
        return True

    scheduler = PollScheduler(poll, workers=4)
    scheduler.add("slow", 1.0)
    scheduler.add("quick", 1.0)
    scheduler.start()
    try:
        deadline = time.monotonic() + 15
        while (polled["quick"] < 4 or not scheduler.missed) and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        release.set()
        scheduler.stop()

    assert polled["quick"] >= 4
    assert polled["slow"] <= 2
    assert scheduler.missed > 0
