"""The service and its history: each device goes on from what is recorded, each poll is recorded before it is seen."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from ipsecmon.app import Monitor
from ipsecmon.config import Config, load_config
from ipsecmon.errors import ConnectFailed
from ipsecmon.history import History
from ipsecmon.model import PollResult, Reason
from ipsecmon.poller import Poller
from ipsecmon.sessions import Session, Target
from recorded import AT, poll


def nobody_answers(target: Target, timeout: float) -> Session:
    raise ConnectFailed(f"no answer from {target.host} within {timeout:.0f} s")


def configured(folder: Path, more: str = "") -> Config:
    file = folder / "ipsecmon.yml"
    file.write_text(
        "web: {listen: 127.0.0.1:0}\n"
        "host_keys: {check: off}\n"
        "credentials:\n  lab: {username: monitor, password: hidden}\n"
        "devices:\n  - {name: Site1, host: 198.51.100.9, platform: iosxe, interval: 30s, credentials: lab}\n"
        + more
    )
    file.chmod(0o600)
    return load_config(file)


@pytest.fixture
def history(tmp_path: Path) -> History:
    """A device that was polled before, at another address, and timed out three times."""
    with closing(History(tmp_path / "history.sqlite")) as earlier:
        earlier.record(poll(tunnels=(), ike_peers=()))
    return History(tmp_path / "history.sqlite")


def polled(tmp_path: Path, history: History | None) -> PollResult:
    poller = Poller(configured(tmp_path), open_session=nobody_answers, history=history)
    try:
        return poller.poll("Site1")
    finally:
        poller.close()


def test_a_device_goes_on_from_what_was_recorded(tmp_path: Path, history: History) -> None:
    with closing(history):
        result = polled(tmp_path, history)

    assert (result.errors_total[Reason.TIMEOUT], result.errors_total[Reason.CONNECT]) == (3, 1)
    assert (result.read_at, result.highest_conn_ids) == (AT + 1, (1001, 2002))


def test_what_the_configuration_says_now_holds_over_what_was_recorded(
    tmp_path: Path, history: History
) -> None:
    with closing(history):
        result = polled(tmp_path, history)

    assert (result.host, result.platform, result.interval_seconds) == ("198.51.100.9", "iosxe", 30)


def test_a_poll_is_recorded(tmp_path: Path, history: History) -> None:
    with closing(history):
        result = polled(tmp_path, history)
        recorded = history.restore("Site1")

    assert recorded is not None
    assert (result.started_at, result.error) == (recorded.started_at, recorded.error)


def test_a_poll_by_hand_goes_without_a_history(tmp_path: Path) -> None:
    result = polled(tmp_path, None)

    assert result.read_at is None
    assert [one.name for one in tmp_path.iterdir()] == ["ipsecmon.yml"]


def test_the_service_opens_its_history_at_start_and_closes_it_at_the_end(tmp_path: Path) -> None:
    monitor = Monitor(configured(tmp_path, "history: {retention: {age: 2d, size: 20MB}}\n"))
    path = tmp_path / "history.sqlite"
    was_there_before_start = path.exists()
    monitor.start()
    try:
        assert (was_there_before_start, path.exists()) == (False, True)
    finally:
        monitor.stop()
    assert not path.with_name("history.sqlite-wal").exists()


def test_a_service_without_history_keeps_none(tmp_path: Path) -> None:
    monitor = Monitor(configured(tmp_path, "history: {path: off}\n"))
    monitor.start()
    monitor.stop()

    assert monitor.history is None
    assert [one.name for one in tmp_path.iterdir()] == ["ipsecmon.yml"]


def test_a_fault_in_looking_for_other_ends_is_told_as_one_and_costs_no_other_poll(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> tuple[()]:
        raise RuntimeError("planted")

    monkeypatch.setattr("ipsecmon.poller.join", fails)
    result = polled(tmp_path, None)

    assert result.error is not None
    assert result.error.is_unexpected
    assert "planted" in result.error.cause
