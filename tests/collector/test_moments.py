"""What a person may type for a moment, and what it is taken for."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from ipsecmon.moments import local, offset_text, read_moment

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC).timestamp()  # 13:00 in Berlin


def read(text: str) -> str:
    return datetime.fromtimestamp(read_moment(text, NOW, BERLIN), UTC).isoformat()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90s", "2026-11-24T11:58:30+00:00"),
        ("30m", "2026-11-24T11:30:00+00:00"),
        ("2h", "2026-11-24T10:00:00+00:00"),
        ("1.5h", "2026-11-24T10:30:00+00:00"),
        ("7d", "2026-11-17T12:00:00+00:00"),
        ("03:15", "2026-11-24T02:15:00+00:00"),
        ("3:15", "2026-11-24T02:15:00+00:00"),
        ("03:15:30", "2026-11-24T02:15:30+00:00"),
        ("2026-11-24", "2026-11-23T23:00:00+00:00"),
        ("2026-11-24T03:15", "2026-11-24T02:15:00+00:00"),
        ("2026-11-24 03:15", "2026-11-24T02:15:00+00:00"),
        ("2026-11-24T03:15Z", "2026-11-24T03:15:00+00:00"),
        ("2026-11-24T03:15+05:30", "2026-11-23T21:45:00+00:00"),
    ],
)
def test_a_moment_is_read_in_local_time(text: str, moment: str) -> None:
    assert moment == read(text)


def test_a_time_still_to_come_was_yesterday() -> None:
    assert read("13:30") == "2026-11-23T12:30:00+00:00"


def test_a_day_in_summer_has_its_own_offset() -> None:
    assert read("2026-07-01") == "2026-06-30T22:00:00+00:00"


@pytest.mark.parametrize(
    "text", ["", "soon", "2", "2w", "-2h", "25:00", "3:5", "2026-13-01", "2026-11-24T", "yesterday"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 # the command line has the words
        read_moment(text, NOW, BERLIN)


@pytest.mark.parametrize(
    ("zone", "text"),
    [("Europe/Berlin", "UTC+01:00"), ("UTC", "UTC"), ("America/St_Johns", "UTC-03:30")],
)
def test_the_offset_stands_beside_a_local_time(zone: str, text: str) -> None:
    assert text == offset_text(local(NOW, ZoneInfo(zone)))
