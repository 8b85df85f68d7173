"""What is asked when: counts between the tables, the configuration when something hints at a change, no tables of a busy device."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from ipsecmon.config import Plan, PollTier
from ipsecmon.cpu import CPU_COMMANDS, cpu_percent
from ipsecmon.errors import AnswerTimeout
from ipsecmon.model import PollResult, RawOutput, Status
from ipsecmon.poll import PolledDevice, poll_device
from ipsecmon.sessions import Session, SessionPool, Target
from ipsecmon.sessions.host_keys import AnyHostKey
from ipsecmon.sessions.readonly import ensure_read_only
from ipsecmon_parsers.records import Platform
from ipsecmon_parsers.registry import SHOW_CRYPTO_MAP, SHOW_IPSEC_SA, SHOW_ISAKMP_SA

OUTPUTS = Path(__file__).parent.parent / "parsers" / "outputs" / "ios"
COUNT_IPSEC = "show crypto ipsec sa count"
COUNT_ISAKMP = "show crypto isakmp sa count"
CPU = CPU_COMMANDS[Platform.IOS]
COUNTS = {
    COUNT_IPSEC: "IPsec SA total: 2, active: 2, rekeying: 0, unused: 0, invalid: 0\n",
    COUNT_ISAKMP: (
        "Active ISAKMP SA's: 1\nStandby ISAKMP SA's: 0\n"
        "Currently being negotiated ISAKMP SA's: 0\nDead ISAKMP SA's: 0\n"
    ),
}
TABLES = {
    command: (OUTPUTS / command.replace(" ", "_") / "tutorial" / "output.txt").read_text("utf-8")
    for command in (SHOW_ISAKMP_SA, SHOW_IPSEC_SA)
}
WITH_COUNTS = Plan(
    every={PollTier.COUNTS: 15.0, PollTier.TABLES: 60.0, PollTier.CONFIGURATION: 3600.0}
)
GUARDED = Plan(cpu_limit_percent=80)


def load(percent: int) -> str:
    return f"CPU utilization for five seconds: {percent}%/40%; one minute: 61%; five minutes: 55%\n"


class Device(Session):
    """A device and the only session to it; a test changes what it answers."""

    def __init__(self) -> None:
        self.answers: dict[str, str | Exception] = {**TABLES, **COUNTS}
        self.asked: list[str] = []
        self.pool = SessionPool(lambda _, __: self)
        self.plan = WITH_COUNTS
        self.stale_after = 180.0
        self.timeout = 30.0
        self.answer_seconds = 0.0
        self.last: PollResult | None = None
        self.now = 1000.0

    def poll(self, after: float = 15.0, *, is_planned: bool = True) -> PollResult:
        self.now += after
        self.asked.clear()
        device = PolledDevice(
            name="Site1",
            host="192.0.2.1",
            platform=Platform.IOS,
            interval_seconds=60,
            timeout_seconds=self.timeout,
            target=target,
            plan=self.plan,
            stale_after_seconds=self.stale_after,
        )
        self.last = poll_device(
            device, self.pool, self.last, lambda: self.now, is_planned=is_planned
        )
        return self.last

    def run(self, command: str, timeout: float) -> RawOutput:
        assert timeout > 0
        self.asked.append(ensure_read_only(command))
        answer = self.answers.get(command, "% Invalid input detected at '^' marker.\n")
        if isinstance(answer, Exception):
            raise answer
        time.sleep(self.answer_seconds)
        return RawOutput(command=command, text=answer, started_at=self.now, ended_at=self.now)

    def is_alive(self) -> bool:
        return True

    def close(self) -> None:
        """It stays as it is."""


def target() -> Target:
    return Target(
        device="Site1",
        host="192.0.2.1",
        port=22,
        username="monitor",
        password="planted-secret",
        host_keys=AnyHostKey(),
        connect_timeout=1,
        read_timeout=1,
    )


@pytest.fixture
def device() -> Iterator[Device]:
    made = Device()
    yield made
    made.pool.close()


def test_waiting_for_leave_to_log_in_takes_nothing_from_the_time_of_the_poll(
    device: Device,
) -> None:
    device.timeout, device.answer_seconds = 0.6, 0.04
    device.pool.logins.limit(2.0, 10)
    with device.pool.logins.slot(1.0):  # the next login is half a second away
        pass
    began = time.monotonic()
    result = device.poll()

    assert result.is_good
    assert time.monotonic() - began > device.timeout


def test_a_poll_that_got_no_leave_to_log_in_says_so_and_nothing_of_the_device(
    device: Device,
) -> None:
    device.timeout = 0.1
    device.pool.logins.limit(0.1, 10)
    with device.pool.logins.slot(1.0):
        pass
    result = device.poll()

    assert result.error is not None
    assert not result.error.is_attempt
    assert "no leave to log in within 0.1 s" in result.error.cause
    assert device.asked == []


def test_a_poll_ends_at_its_deadline(device: Device) -> None:
    device.timeout, device.answer_seconds = 0.1, 0.06
    result = device.poll()

    assert result.error is not None
    assert "not done within 0.1 s" in result.error.cause


def test_between_two_readings_of_the_tables_only_counts_are_asked(device: Device) -> None:
    first = device.poll()
    asked: list[set[str]] = []
    for _ in range(4):
        device.poll()
        asked.append(set(device.asked))

    assert first.is_good
    assert asked[:3] == [set(COUNTS)] * 3
    assert asked[3] == set(COUNTS) | set(TABLES)


def test_how_far_apart_the_readings_are_meant_to_be_is_told(device: Device) -> None:
    device.plan = Plan(every={PollTier.COUNTS: 15, PollTier.TABLES: 600})

    assert device.poll().reading_seconds == 600
    assert device.poll().reading_seconds == 600


def test_a_poll_of_counts_says_nothing_new_of_the_tunnels_but_that_the_device_answers(
    device: Device,
) -> None:
    first = device.poll()
    counted = device.poll()

    assert counted.is_good
    assert (counted.tunnels, counted.read_at, counted.outputs) == (
        first.tunnels,
        first.read_at,
        first.outputs,
    )
    assert counted.answered_at == device.now
    assert counted.events == ()


def test_tables_are_read_in_the_poll_whose_counts_have_changed(device: Device) -> None:
    device.poll()
    device.answers[COUNT_IPSEC] = COUNTS[COUNT_IPSEC].replace("active: 2", "active: 0")
    device.answers[SHOW_IPSEC_SA] = TABLES[SHOW_IPSEC_SA].partition("     inbound esp sas:")[0]
    device.poll()
    changed = list(device.asked)
    device.poll()

    assert changed[:2] == [COUNT_ISAKMP, COUNT_IPSEC]
    assert SHOW_IPSEC_SA in changed
    assert set(device.asked) == set(COUNTS)


def test_a_rekey_that_leaves_as_many_tunnels_up_costs_no_reading_of_the_tables(
    device: Device,
) -> None:
    device.poll()
    device.answers[COUNT_IPSEC] = COUNTS[COUNT_IPSEC].replace("rekeying: 0", "rekeying: 2")
    device.poll()

    assert set(device.asked) == set(COUNTS)


def test_after_a_failure_the_tables_are_read_whatever_the_plan_says(device: Device) -> None:
    device.poll()
    device.answers[COUNT_ISAKMP] = AnswerTimeout("silent", COUNT_ISAKMP)
    failed = device.poll()
    device.answers = {**TABLES, **COUNTS}
    back = device.poll()

    assert failed.status_of(failed.tunnels[0]) is Status.UNKNOWN
    assert SHOW_IPSEC_SA in device.asked
    assert back.is_good


def test_a_device_that_cannot_count_is_read_at_its_interval_and_left_alone_between(
    device: Device,
) -> None:
    device.answers = {**TABLES}
    first = device.poll()
    asked: list[list[str]] = []
    for _ in range(4):
        device.poll()
        asked.append(list(device.asked))

    assert first.is_good
    assert asked[:3] == [[], [], []]
    assert set(asked[3]) == set(TABLES)


def test_tables_that_are_not_in_the_plan_are_read_when_the_counts_change_only(
    device: Device,
) -> None:
    device.plan = Plan(every={PollTier.COUNTS: 15.0})
    device.poll()
    first = SHOW_IPSEC_SA in device.asked
    device.poll(after=86400.0)
    later = SHOW_IPSEC_SA in device.asked
    device.answers[COUNT_IPSEC] = COUNTS[COUNT_IPSEC].replace("active: 2", "active: 0")
    device.poll()

    assert (first, later, SHOW_IPSEC_SA in device.asked) == (True, False, True)


def test_who_asks_for_a_poll_now_gets_the_tables(device: Device) -> None:
    device.plan = Plan(every=WITH_COUNTS.every, cpu_limit_percent=1)
    device.answers[CPU] = load(99)
    device.poll()
    result = device.poll(is_planned=False)

    assert result.read_at == device.now
    assert set(TABLES) <= set(device.asked)


@pytest.mark.parametrize(
    ("before", "after"),
    [("local crypto endpt.: 92.1.1.1", None), ("current_peer 123.1.1.2", "current_peer 123.1.1.9")],
)
def test_what_hints_at_a_changed_configuration_has_it_read_again_soon(
    before: str, after: str | None, device: Device
) -> None:
    device.plan = Plan()
    device.poll()
    if after is not None:
        device.answers[SHOW_IPSEC_SA] = TABLES[SHOW_IPSEC_SA].replace(before, after)
    asked = [SHOW_CRYPTO_MAP in device.asked]
    for _ in range(6):
        device.poll(after=60.0)
        asked.append(SHOW_CRYPTO_MAP in device.asked)

    assert asked == [True, False, False, False, False, after is not None, False]


def test_a_configuration_that_is_not_in_the_plan_is_never_asked(device: Device) -> None:
    device.plan = Plan(every={PollTier.TABLES: 60.0})
    result = device.poll()

    assert result.is_good
    assert SHOW_CRYPTO_MAP not in device.asked


def test_the_tables_of_a_busy_device_are_left_out_and_that_is_no_failure(device: Device) -> None:
    device.plan = GUARDED
    device.answers[CPU] = load(30)
    first = device.poll()
    device.answers[CPU] = load(98)
    busy = device.poll(after=60.0)

    assert (first.cpu_percent, first.skipped_for_cpu_total) == (30, 0)
    assert device.asked == [CPU]
    assert busy.is_good
    assert (busy.cpu_percent, busy.skipped_for_cpu_total) == (98, 1)
    assert (busy.tunnels, busy.read_at) == (first.tunnels, first.read_at)


def test_a_device_that_stays_busy_is_read_before_what_is_known_of_it_grows_stale(
    device: Device,
) -> None:
    device.plan = GUARDED
    device.answers[CPU] = load(99)
    ages: list[float] = []
    for _ in range(12):
        result = device.poll(after=60.0)
        assert result.is_good
        assert result.read_at is not None
        ages.append(device.now - result.read_at)

    assert set(ages) == {0.0, 60.0}
    assert max(ages) + 60.0 < device.stale_after


def test_a_change_counted_while_the_device_was_busy_is_followed_up_later(device: Device) -> None:
    device.plan = Plan(every=WITH_COUNTS.every, cpu_limit_percent=80)
    device.answers[CPU] = load(10)
    device.poll()
    device.answers[CPU] = load(99)
    device.answers[COUNT_IPSEC] = COUNTS[COUNT_IPSEC].replace("active: 2", "active: 0")
    device.poll()
    busy = set(device.asked)
    device.answers[CPU] = load(10)
    device.poll()

    assert busy == {*COUNTS, CPU}
    assert SHOW_IPSEC_SA in device.asked


def test_a_load_that_is_not_understood_is_told_once_and_guards_nothing(
    device: Device, caplog: pytest.LogCaptureFixture
) -> None:
    device.plan = GUARDED
    with caplog.at_level(logging.WARNING):
        for after in (60.0, 60.0, 3600.0):
            assert device.poll(after=after).read_at == device.now

    assert len([r for r in caplog.records if "no load was found" in r.message]) == 1
    assert CPU in device.asked  # tried again with the configuration


@pytest.mark.parametrize(
    ("text", "percent"),
    [
        (load(98), 98),
        (load(100), 100),
        ("CPU utilization for five seconds: 4%; one minute: 5%; five minutes: 5%\n", 4),
        ("CPU utilization for 5 seconds = 12%; 1 minute: 11%; 5 minutes: 10%\n", 12),
        ("\r\n" + load(7) + "\r\n", 7),
        (load(101), None),
        (load(1) + load(2), None),
        ("CPU utilization for five seconds: 98", None),
        ("% Invalid input detected at '^' marker.\n", None),
        ("", None),
    ],
)
def test_the_load_is_read_from_that_one_line_only(text: str, percent: int | None) -> None:
    assert cpu_percent(text) == percent


def test_every_platform_has_a_command_for_its_load_that_may_be_sent() -> None:
    commands: Mapping[Platform, str] = CPU_COMMANDS

    assert {ensure_read_only(commands[platform]) for platform in Platform} == {*commands.values()}
