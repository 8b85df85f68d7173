"""How long a device that cannot be reached is left alone: longer each time, never forever, never for another's fault."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecmon.backoff import Backoff
from ipsecmon.model import PollError, PollResult, Reason, Stage
from ipsecmon_parsers.records import Platform

GOOD = PollResult(
    device="Site1",
    host="192.0.2.1",
    platform=Platform.IOS,
    interval_seconds=60,
    started_at=1000.0,
    duration_seconds=1.0,
    read_at=1000.0,
)


def failed(stage: Stage, at: float = 1000.0, *, is_attempt: bool = True) -> PollResult:
    error = PollError(
        device="Site1", stage=stage, reason=Reason.OTHER, cause="no", is_attempt=is_attempt
    )
    return replace(GOOD, started_at=at, error=error)


def pauses(stage: Stage, count: int, longest: float = 900.0) -> list[float]:
    backoff = Backoff(longest)
    found: list[float] = []
    for _ in range(count):
        attempt = backoff.note(failed(stage))
        assert attempt is not None
        found.append(attempt - 1000.0)
    return found


@pytest.mark.parametrize("stage", [Stage.RESOLVE, Stage.CONNECT, Stage.HOSTKEY])
def test_each_failure_to_be_reached_doubles_the_pause_up_to_the_longest(stage: Stage) -> None:
    for pause, most in zip(pauses(stage, 7), (60, 120, 240, 480, 900, 900, 900), strict=True):
        assert 0.75 * most <= pause <= most


@pytest.mark.parametrize("stage", [Stage.AUTH, Stage.PRIVILEGE])
def test_what_may_lock_an_account_is_tried_less_often_from_the_first_failure_on(
    stage: Stage,
) -> None:
    for pause, most in zip(pauses(stage, 4), (120, 480, 900, 900), strict=True):
        assert 0.75 * most <= pause <= most


@pytest.mark.parametrize("stage", [Stage.COMMAND, Stage.PARSE])
def test_a_device_that_answers_badly_is_asked_at_its_interval(stage: Stage) -> None:
    backoff = Backoff(900)
    backoff.note(failed(Stage.CONNECT))

    assert backoff.note(failed(stage)) is None
    assert not backoff.is_resting("Site1", 1000, 60)


def test_a_device_that_hangs_is_left_alone_for_a_few_intervals_at_most() -> None:
    backoff = Backoff(900)
    silent = failed(Stage.COMMAND)
    assert silent.error is not None
    silent = replace(silent, error=replace(silent.error, reason=Reason.TIMEOUT))
    for most in (60, 120, 240, 240, 240):
        attempt = backoff.note(silent)

        assert attempt is not None
        assert 0.75 * most <= attempt - 1000 <= most
    assert backoff.note(GOOD) is None


def test_a_device_that_answers_begins_anew() -> None:
    backoff = Backoff(900)
    for _ in range(5):
        backoff.note(failed(Stage.CONNECT))
    assert backoff.is_resting("Site1", 1001, 60)
    assert backoff.note(GOOD) is None
    assert not backoff.is_resting("Site1", 1001, 60)
    assert backoff.count == 0
    attempt = backoff.note(failed(Stage.CONNECT))

    assert attempt is not None
    assert attempt <= 1060
    assert backoff.count == 1


def test_a_device_that_was_changed_is_tried_at_once() -> None:
    backoff = Backoff(900)
    for _ in range(5):
        backoff.note(failed(Stage.AUTH))
    backoff.forget("Site1")
    backoff.forget("unknown")

    assert not backoff.is_resting("Site1", 1001, 60)


def test_what_never_reached_the_device_does_not_count_against_it() -> None:
    backoff = Backoff(900)

    assert backoff.note(failed(Stage.AUTH, is_attempt=False)) is None
    first = backoff.note(failed(Stage.CONNECT))
    assert backoff.note(failed(Stage.CONNECT, is_attempt=False)) == first
    assert first is not None
    assert backoff.note(failed(Stage.CONNECT, at=first + 1, is_attempt=False)) is None


def test_a_device_that_failed_once_is_tried_when_it_is_due_next() -> None:
    backoff = Backoff(900)
    backoff.note(failed(Stage.CONNECT, at=1000.0))

    assert not backoff.is_resting("Site1", 1059.9, 60)
    backoff.note(failed(Stage.CONNECT, at=1059.9))
    assert backoff.is_resting("Site1", 1119.8, 60)
    assert not backoff.is_resting("Site1", 1179.8, 60)


def test_a_device_asked_at_a_faster_pace_than_its_interval_rests_for_the_interval_too() -> None:
    backoff = Backoff(900)
    attempt = backoff.note(failed(Stage.CONNECT))

    assert attempt is not None
    assert backoff.is_resting("Site1", attempt - 10, pace_seconds=15)
    assert not backoff.is_resting("Site1", attempt - 5, pace_seconds=15)


def test_a_clock_set_back_silences_nobody() -> None:
    backoff = Backoff(900)
    for _ in range(5):
        backoff.note(failed(Stage.CONNECT))

    assert backoff.is_resting("Site1", 1000, 60)
    assert not backoff.is_resting("Site1", 1000 - 3600, 60)


def test_devices_that_died_together_are_not_tried_together() -> None:
    backoff = Backoff(900)
    attempts: set[float | None] = set()
    for number in range(20):
        one = replace(failed(Stage.CONNECT), device=f"Site{number}")
        for _ in range(6):
            backoff.note(one)
        attempts.add(backoff.note(one))

    assert len(attempts) == 20


@given(
    st.lists(st.sampled_from([*Stage]), min_size=1, max_size=200),
    st.floats(1, 86400),
    st.floats(1, 86400),
)
def test_a_pause_is_never_longer_than_it_may_be(
    stages: list[Stage], interval: float, longest: float
) -> None:
    backoff = Backoff(longest)
    for stage in stages:
        attempt = backoff.note(replace(failed(stage), interval_seconds=interval))
        assert attempt is None or 1000 < attempt <= 1000.001 + max(interval, longest)
