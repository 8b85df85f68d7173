"""What the log says of polls that fail: a line each, a warning where something changed."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from factories import never_polled
from ipsecmon.failure_log import log_failure
from ipsecmon.log import setup_logging
from ipsecmon.model import PollError, PollResult, Reason, Stage

ERROR = PollError(
    device="Site1",
    stage=Stage.COMMAND,
    reason=Reason.TIMEOUT,
    cause="192.0.2.1:22: the device was silent",
    command="show crypto ipsec sa",
    evidence="Site1#show crypto ips\x1b[2J planted-secret",
)


@pytest.fixture(autouse=True)
def _root_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def failed(**changes: Any) -> PollResult:
    return never_polled(error=ERROR, duration_seconds=30.004, next_attempt_at=0.0, **changes)


def lines_of(
    result: PollResult,
    before: PollError | None = None,
    *,
    as_json: bool = False,
    level: str = "info",
) -> list[str]:
    stream = io.StringIO()
    setup_logging(level, json=as_json, stream=stream).add("planted-secret")
    log_failure(result, before)
    return stream.getvalue().splitlines()


def test_a_failed_poll_is_one_line_with_all_that_is_known_of_it() -> None:
    (line,) = lines_of(failed())

    assert line.partition(" ")[2] == (
        "WARNING ipsecmon.failure_log device=Site1 stage=command reason=timeout "
        'command="show crypto ipsec sa" seconds=30.0 next_attempt=1970-01-01T00:00:00Z '
        'evidence="Site1#show crypto ips\\u001b[2J ***": 192.0.2.1:22: the device was silent'
    )


def test_as_json_numbers_are_numbers_and_no_secret_is_in_it() -> None:
    (line,) = lines_of(failed(), as_json=True)
    record = json.loads(line)
    record.pop("time")

    assert record == {
        "level": "warning",
        "logger": "ipsecmon.failure_log",
        "device": "Site1",
        "stage": "command",
        "reason": "timeout",
        "command": "show crypto ipsec sa",
        "seconds": 30.0,
        "next_attempt": "1970-01-01T00:00:00Z",
        "evidence": "Site1#show crypto ips\x1b[2J ***",
        "message": "192.0.2.1:22: the device was silent",
    }


def test_what_is_not_known_is_left_out() -> None:
    error = replace(ERROR, command=None, evidence="")
    (line,) = lines_of(replace(failed(), error=error, next_attempt_at=None))

    assert "command=" not in line
    assert "next_attempt=" not in line
    assert "evidence=" not in line


def test_a_device_that_goes_on_failing_as_before_is_no_warning() -> None:
    before = replace(ERROR, cause="192.0.2.1:22: the device was silent, 17 bytes came")

    assert " INFO " in lines_of(failed(), before)[0]
    assert lines_of(failed(), before, level="warning") == []


@pytest.mark.parametrize(
    "before",
    [
        replace(ERROR, stage=Stage.CONNECT),
        replace(ERROR, reason=Reason.CLOSED),
        replace(ERROR, command="show crypto isakmp sa"),
    ],
)
def test_one_that_fails_in_another_way_is_a_warning_again(before: PollError) -> None:
    assert " WARNING " in lines_of(failed(), before)[0]


def test_a_good_poll_says_nothing() -> None:
    assert lines_of(never_polled(), ERROR) == []
