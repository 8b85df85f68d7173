"""The monitor is killed again and again, and its ledger is that of one that lived through the day."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pytest

import replayed_monitor
from ipsecmon.history import HistoryReader
from ipsecmon.model import Event, EventKind, PollResult
from replayed_monitor import (
    DEVICE,
    RecordedPoll,
    ReplayedMonitor,
    read_recording,
    write_recording,
)
from simulated_day import play_day


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((3, 0.25, 6), id="a short day of three spokes", marks=pytest.mark.slow),
        pytest.param((20, 1.0, 50), id="a day of twenty spokes", marks=pytest.mark.slow),
    ],
)
def recording(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, int, int]:
    """The recorded day, its number of polls, and how often to kill."""
    spokes, pace, kills = request.param
    polls: list[RecordedPoll] = []

    def keep(result: PollResult) -> None:
        if result.device == DEVICE:
            outputs = result.outputs if result.is_good else ()
            polls.append(RecordedPoll(result.started_at, outputs))

    play_day(spokes, pace=pace, on_poll=keep)
    path = tmp_path_factory.mktemp("recording") / "day"
    write_recording(path, polls)
    return path, len(polls), kills


def ledger(history: Path) -> list[str]:
    """Every event of a history, evidence and all, in the order of time."""
    with HistoryReader(history) as reader:
        events = [recorded.event for recorded in reader.events(limit=None)]
    return sorted(json.dumps(_told(event), sort_keys=True) for event in events)


def _told(event: Event) -> dict[str, object]:
    """What must be the same; the lines quoted from before a kill died with the monitor."""
    told = asdict(event)
    del told["evidence"]
    return told


@pytest.mark.timeout(900)
def test_the_ledger_of_a_killed_monitor_is_that_of_one_that_lived(
    recording: tuple[Path, int, int], tmp_path: Path
) -> None:
    path, polls, kills = recording
    undisturbed = ReplayedMonitor(tmp_path / "undisturbed.sqlite")
    for recorded in read_recording(path):
        undisturbed.poll(recorded)
    undisturbed.history.close()
    killed = tmp_path / "killed.sqlite"
    chance = random.Random(polls)  # noqa: S311 # reproducible, not secret
    moments = sorted(chance.sample(range(1, polls * 3 // 4), kills))
    ends = [_run_until(path, killed, moment, chance) for moment in moments]

    assert ends == [-signal.SIGKILL] * kills
    assert _run_until(path, killed, None, chance) == 0
    assert ledger(killed) == ledger(tmp_path / "undisturbed.sqlite")
    survivor = ReplayedMonitor(killed)
    assert survivor.last is not None
    assert undisturbed.last is not None
    assert {t.name: t.memory for t in survivor.last.tunnels} == {
        t.name: t.memory for t in undisturbed.last.tunnels
    }


def test_the_day_had_something_to_forget(recording: tuple[Path, int, int], tmp_path: Path) -> None:
    path, _, _ = recording
    monitor = ReplayedMonitor(tmp_path / "history.sqlite")
    for recorded in read_recording(path):
        monitor.poll(recorded)
    monitor.history.close()
    with HistoryReader(tmp_path / "history.sqlite") as reader:
        kinds = {recorded.event.kind for recorded in reader.events(limit=None)}

    assert {EventKind.REKEY, EventKind.RELOAD, EventKind.UNREACHABLE} <= kinds


def _run_until(recording: Path, history: Path, moment: int | None, chance: random.Random) -> int:
    """Run a monitor until it has committed poll ``moment``, then kill it within one of the next; how it ended."""
    child = subprocess.Popen(  # noqa: S603 # our own program
        [sys.executable, replayed_monitor.__file__, str(recording), str(history)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        for line in child.stdout:
            if moment is not None and int(line) >= moment:
                # somewhere in the next poll: reading, building, writing
                time.sleep(chance.uniform(0, 0.02))
                child.kill()
                break
        child.wait(timeout=600)
    finally:
        child.kill()
        child.communicate()
    return child.returncode
