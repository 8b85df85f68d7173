"""The log of a running service: what it says of a device that cannot be reached, and what it never says."""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipsecmon import errors
from ipsecmon.config import load_config
from ipsecmon.dump import result_document
from ipsecmon.log import setup_logging
from ipsecmon.poller import Poller
from ipsecmon.sessions import Session, Target

SECRET = "planted-secret"
CONFIG = """\
web: {listen: "127.0.0.1:0"}
poll: {interval: 1s}
host_keys: {check: "off"}
history: {path: "off"}
credentials: {lab: {username: monitor, password: {env: IPSECMON_TEST_PASSWORD}}}
devices:
  - {name: Site1, host: 127.0.0.1, port: 1, platform: ios, credentials: lab}
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IPSECMON_TEST_PASSWORD", SECRET)
    file = tmp_path / "ipsecmon.yml"
    file.write_text(CONFIG, encoding="utf-8")
    return file


@pytest.fixture(autouse=True)
def _root_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def echoing(target: Target, _timeout: float) -> Session:
    """A device that echoes the password it refuses."""
    raise errors.AuthenticationFailed(
        f"refused {target.password}; check it", evidence=f"Password: {target.password}"
    )


def test_what_a_device_echoes_is_hidden_in_the_log_and_in_every_document(config: Path) -> None:
    stream = io.StringIO()
    redactor = setup_logging("debug", json=True, stream=stream)
    poller = Poller(load_config(config), redactor, open_session=echoing)
    result = poller.poll("Site1")

    assert result.error is not None
    assert result.error.evidence == "Password: ***"
    assert SECRET not in json.dumps(result_document(result, raw=True))
    assert SECRET not in stream.getvalue()
    assert '"evidence": "Password: ***"' in stream.getvalue()


def test_polls_and_logins_are_counted(config: Path) -> None:
    poller = Poller(load_config(config), open_session=echoing)
    for _ in range(2):
        poller.poll("Site1")

    assert list(poller.polls().values()) == [0, 2]
    facts = poller.login_facts()
    assert (facts.total, facts.failed) == (2, 2)


def test_only_the_first_of_the_same_failures_is_a_warning(config: Path) -> None:
    stream = io.StringIO()
    redactor = setup_logging("info", stream=stream)
    poller = Poller(load_config(config), redactor, open_session=echoing)
    for _ in range(3):
        poller.poll("Site1")
    lines = [line for line in stream.getvalue().splitlines() if "stage=auth" in line]

    assert [line.split()[1] for line in lines] == ["WARNING", "INFO", "INFO"]


def test_the_service_writes_json_lines_when_told(config: Path) -> None:
    running = subprocess.Popen(  # noqa: S603 # our own program
        [sys.executable, "-m", "ipsecmon", "run", "--config", config, "--log.format", "json"],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
    )
    try:
        assert running.stderr is not None
        records = (json.loads(line) for line in running.stderr)
        record = next(record for record in records if record.get("stage"))
    finally:
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=20)

    assert record["level"] == "warning"
    assert (record["device"], record["stage"], record["reason"]) == ("Site1", "connect", "connect")
    assert isinstance(record["seconds"], float)
