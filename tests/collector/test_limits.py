"""What all sessions together may do at a time, and that waiting for it is told apart from a device that is slow."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from ipsecmon.errors import AnswerTimeout, ConnectionClosed, LoginsBusy
from ipsecmon.sessions.limits import Commands, Logins


def together(count: int, work: Callable[[int], None]) -> None:
    threads = [
        threading.Thread(target=work, args=(number,), daemon=True) for number in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)


def test_logins_keep_their_distance() -> None:
    logins = Logins(50.0, 10)
    times: list[float] = []

    def log_in(_: int) -> None:
        with logins.slot(5):
            times.append(time.monotonic())

    began = time.monotonic()
    together(10, log_in)

    assert len(times) == 10
    assert max(times) - began >= 9 / 50
    assert logins.in_flight == logins.waiting == 0
    assert logins.wait_seconds_total > 0


def test_who_asked_first_logs_in_first() -> None:
    logins = Logins(100.0, 1)
    order: list[int] = []

    def log_in(number: int) -> None:
        with logins.slot(5):
            order.append(number)

    with logins.slot(5):
        threads: list[threading.Thread] = []
        for number in range(8):
            threads.append(threading.Thread(target=log_in, args=(number,), daemon=True))
            threads[-1].start()
            while logins.waiting <= number:
                time.sleep(0.001)
    for thread in threads:
        thread.join(10)

    assert order == list(range(8))


def test_no_more_logins_are_under_way_than_may_be() -> None:
    logins = Logins(10_000.0, 3)
    seen: list[int] = []

    def log_in(_: int) -> None:
        with logins.slot(5):
            seen.append(logins.in_flight)
            time.sleep(0.01)

    together(12, log_in)

    assert len(seen) == 12
    assert max(seen) == 3


def test_who_gets_no_leave_in_time_is_told_which_key_to_raise() -> None:
    logins = Logins(0.1, 10)
    with logins.slot(1) as slot:
        assert slot.waited_seconds < 0.5
    with pytest.raises(LoginsBusy, match=r"raise ssh\.logins_per_second"), logins.slot(0.05):
        pass

    assert (logins.refused_total, logins.waiting) == (1, 0)


def test_one_that_gives_up_does_not_hold_up_those_behind_it() -> None:
    logins = Logins(1000.0, 1)
    got: list[int] = []

    def log_in(number: int) -> None:
        try:
            with logins.slot(0.05 if number == 0 else 5):
                got.append(number)
        except LoginsBusy:
            pass

    with logins.slot(5):
        impatient = threading.Thread(target=log_in, args=(0,), daemon=True)
        impatient.start()
        while not logins.waiting:
            time.sleep(0.001)
        patient = threading.Thread(target=log_in, args=(1,), daemon=True)
        patient.start()
        impatient.join(5)
    patient.join(5)

    assert got == [1]


def test_a_login_that_was_not_tried_does_not_count() -> None:
    logins = Logins(0.1, 10)
    with logins.slot(1) as slot:
        slot.spare()
    with logins.slot(1) as slot:
        pass

    assert slot.waited_seconds < 0.5


def test_who_waits_when_the_monitor_ends_is_sent_away_at_once() -> None:
    logins = Logins(0.01, 10)
    with logins.slot(1):
        pass
    refused: list[Exception] = []

    def log_in(_: int) -> None:
        try:
            with logins.slot(60):
                pass
        except ConnectionClosed as error:
            refused.append(error)

    threading.Timer(0.1, logins.close).start()
    began = time.monotonic()
    together(5, log_in)

    assert len(refused) == 5
    assert time.monotonic() - began < 5


def test_more_logins_may_be_allowed_while_others_wait() -> None:
    logins = Logins(0.01, 10)
    with logins.slot(1):
        pass
    got = threading.Event()

    def log_in() -> None:
        with logins.slot(60):
            got.set()

    threading.Thread(target=log_in, daemon=True).start()
    assert not got.wait(0.1)
    logins.limit(1000.0, 10)

    assert got.wait(5)


def test_no_more_commands_are_sent_than_may_be() -> None:
    commands = Commands(2)
    seen: list[int] = []

    def send(_: int) -> None:
        with commands.slot(5) as left:
            assert left <= 5
            seen.append(commands.in_flight)
            time.sleep(0.01)

    together(8, send)
    with (
        commands.slot(1),
        commands.slot(1),
        pytest.raises(AnswerTimeout, match=r"raise poll\.commands_in_flight"),
        commands.slot(0.05),
    ):
        pass

    assert len(seen) == 8
    assert max(seen) == 2
    assert commands.in_flight == 0
