"""A program that a test needs and the machine lacks."""

from __future__ import annotations

import pytest

from needed import missing


@pytest.mark.parametrize("said", ["true", "1"])
def test_where_everything_must_be_there_it_fails(
    said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", said)

    with pytest.raises(pytest.fail.Exception, match="no promtool"):
        missing("no promtool")


@pytest.mark.parametrize("said", ["", "false"])
def test_elsewhere_the_test_is_skipped(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", said)

    with pytest.raises(pytest.skip.Exception, match="no promtool"):
        missing("no promtool")
