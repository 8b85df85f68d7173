"""Whatever is wrong with the file of the history: one warning, polling goes on, nothing is lost that need not be."""

from __future__ import annotations

import logging
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path

import pytest

from ipsecmon.history import History, HistoryReader, HistoryUnreadable
from ipsecmon.model import Event
from recorded import AT, event, output, poll, tunnel

# where the children find what they import
TESTS = Path(__file__).parent.parent

NOBODY = 65534


class Clock:
    """Each look at it is a minute later: a try is always due."""

    def __init__(self) -> None:
        self.now = AT

    def __call__(self) -> float:
        self.now += 60
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite"


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


def down(number: int) -> Event:
    return event(at=AT + number, detail=f"event {number}")


def record(history: History, *numbers: int) -> list[bool]:
    """A poll with one event for each number; whether it was written."""
    return [
        history.record(poll(down(n), at=AT + n, outputs=(output(f"answer {n} " * 500, AT + n),)))
        for n in numbers
    ]


def details(path: Path) -> list[str]:
    with HistoryReader(path) as reader:
        return [one.event.detail for one in reader.events()]


def told(log: pytest.LogCaptureFixture, level: int = logging.WARNING) -> list[str]:
    return [one.getMessage() for one in log.records if one.levelno == level]


def not_recorded(path: Path, reason: str) -> str:
    return f"{path}: events cannot be recorded: {reason}; polling goes on, events wait in memory"


def filled(path: Path, count: int = 200) -> None:
    """A whole history, closed."""
    with closing(History(path)) as history:
        history.record(poll(*(down(-n) for n in range(count)), outputs=(output("x" * 90_000),)))
        for number in range(5):
            record(history, number)


# --- a full disk ----------------------------------------------------------------------------------------------


def fill_up(history: History) -> None:
    """The file may have no page more, which is what SQLite says of a full disk."""
    connection = history._connection  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] # a real disk would need a file system of its own
    assert connection is not None
    connection.execute("PRAGMA max_page_count = 1").fetchall()


def test_a_full_disk_is_one_warning_and_the_events_wait(
    path: Path, log: pytest.LogCaptureFixture
) -> None:
    with closing(History(path, clock=lambda: AT)) as history:
        record(history, 0)
        fill_up(history)
        big = poll(*(down(n) for n in range(1, 300)), at=AT + 1)

        assert not history.record(big)
        assert record(history, 300, 301) == [False, False]
        assert told(log) == [not_recorded(path, "its disk is full; make room there")]
        assert (history.health.is_writable, history.health.events_waiting) == (False, 301)
        assert details(path) == ["event 0"]


def test_a_disk_with_room_again_gets_what_waited_once_and_in_order(
    path: Path, log: pytest.LogCaptureFixture
) -> None:
    with closing(History(path, clock=Clock())) as history:
        record(history, 0)
        fill_up(history)
        history.record(poll(*(down(n) for n in range(1, 300)), at=AT + 1))

        # the file was opened anew after the failure, without the limit
        assert record(history, 300) == [True]
        assert history.health.events_waiting == 0
        assert record(history, 301) == [True]
        assert details(path) == [f"event {n}" for n in range(302)]
        assert told(log, logging.INFO) == [f"{path}: events are recorded again, none was lost"]
        health = history.health
        assert (health.is_writable, health.events_waiting, health.events_total) == (True, 0, 302)
        assert health.write_errors_total == 1


def test_a_real_full_disk_is_survived(path: Path) -> None:
    """A limit of the size of files, as a quota sets it, in a process of its own."""
    script = """
import os, resource, signal, sys
from pathlib import Path
from ipsecmon.history import History
from recorded import AT, event, output, poll
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
clock = iter(range(0, 10**9, 60)).__next__
history = History(Path(sys.argv[1]), clock=lambda: AT + clock())
def record(n):
    one = event(at=AT + n, detail=f"event {n}")
    return history.record(poll(one, at=AT + n, outputs=(output(os.urandom(9000).hex(), AT + n),)))
assert record(0)
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
results = [record(n) for n in range(1, 200)]
assert not results[-1], "the limit does nothing"
assert not history.health.is_writable and history.health.events_waiting
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
assert record(200)
history.close()
"""
    subprocess.run(  # noqa: S603 # ourselves
        [sys.executable, "-c", script, str(path)], check=True, timeout=50, cwd=TESTS
    )

    assert details(path) == [f"event {n}" for n in range(201)]


def test_too_much_that_waits_loses_raw_outputs_first_and_says_how_many_events(
    path: Path, log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ipsecmon.history.recorder._MOST_WAITING_BYTES", 20_000)
    blocked = path / "file"
    history = History(blocked, clock=Clock())
    record(history, *range(100))
    waiting, lost = history.health.events_waiting, history.health.events_lost_total
    path.mkdir()
    record(history, 100)

    with closing(history):
        assert 0 < waiting < 100
        assert waiting + lost == 100
        assert details(blocked) == [f"event {n}" for n in range(lost, 101)]
        assert told(log, logging.INFO) == [
            f"{blocked}: events are recorded again, {lost} were lost"
        ]


def test_raw_outputs_that_wait_are_given_up_before_any_event(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ipsecmon.history.recorder._MOST_WAITING_BYTES", 60_000)
    history = History(path / "file", clock=Clock())
    for number in range(20):
        answer = output(os.urandom(5000).hex(), AT + number)
        history.record(poll(down(number), at=AT + number, outputs=(answer,)))
    path.mkdir()
    record(history, 20)

    with closing(history):
        assert details(path / "file") == [f"event {n}" for n in range(21)]
        kept = [history.raw(down(n)) is not None for n in range(20)]
        assert (kept[0], kept[-1]) == (False, True)


def test_of_what_waits_only_the_newest_memory_of_a_device_is_held(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hub remembers half a megabyte: an hour of them must not push out its events."""
    monkeypatch.setattr("ipsecmon.history.recorder._MOST_WAITING_BYTES", 50_000)
    history = History(path / "file", clock=Clock())
    hub = tuple(tunnel(number) for number in range(2, 250))
    for number in range(20):
        events = (down(number),) if number % 10 == 0 else ()
        history.record(
            poll(*events, at=AT + number, tunnels=hub, highest_conn_ids=(number, 0), outputs=())
        )
    path.mkdir()

    with closing(history):
        assert (history.health.events_waiting, history.health.events_lost_total) == (2, 0)
        assert record(history, 20) == [True]
        assert details(path / "file") == ["event 0", "event 10", "event 20"]


# --- a file that may not be written ---------------------------------------------------------------------------


def test_a_lock_of_another_program_delays_a_poll_once_and_events_wait(
    path: Path, log: pytest.LogCaptureFixture
) -> None:
    now = [AT]
    with closing(History(path, clock=lambda: now[0])) as history:
        record(history, 0)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            assert record(history, 1, 2, 3) == [False, False, False]
            # only the first of them waited for the lock
            assert history.health.write_errors_total == 1
            other.execute("ROLLBACK")
        now[0] += 10

        assert record(history, 4) == [True]
        assert details(path) == [f"event {n}" for n in range(5)]
        assert told(log) == [
            not_recorded(path, f"another program has locked it; 'fuser {path}' names it")
        ]


def test_a_clock_that_is_set_back_does_not_end_the_recording(path: Path) -> None:
    now = [AT]
    history = History(path / "no folder yet", clock=lambda: now[0])
    record(history, 0)
    path.mkdir()
    now[0] -= 86400

    with closing(history):
        assert record(history, 1) == [True]


def test_a_folder_that_does_not_exist_is_named(path: Path, log: pytest.LogCaptureFixture) -> None:
    missing = path / "history.sqlite"
    with closing(History(missing).open()) as history:
        assert not history.health.is_writable
        assert told(log) == [
            not_recorded(missing, f"there is no folder {path}; make it, or change 'history.path'")
        ]


def test_a_folder_in_the_place_of_the_file_is_told(
    path: Path, log: pytest.LogCaptureFixture
) -> None:
    path.mkdir()
    with closing(History(path).open()):
        assert "it is a folder; name a file" in told(log)[0]


AS_NOBODY = """
import logging, os, sys
from pathlib import Path
from ipsecmon.history import History, HistoryReader
from recorded import AT, event, poll
os.setgid(65534); os.setuid(65534)
"""


def as_nobody(script: str, path: Path) -> str:
    """What ``script`` says, run by a user who may write nothing here."""
    done = subprocess.run(  # noqa: S603 # ourselves
        [sys.executable, "-c", AS_NOBODY + script, str(path)],
        cwd=TESTS,
        check=True,
        timeout=50,
        capture_output=True,
        text=True,
    )
    return done.stdout + done.stderr


@pytest.fixture
def shared() -> Generator[Path]:
    """A path that others can reach; only root can set up such a case."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to become somebody else")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "history.sqlite"


def test_a_file_of_somebody_else_is_one_warning(shared: Path) -> None:
    filled(shared)
    shared.chmod(0o444)

    said = as_nobody(
        """
logging.basicConfig(format="%(message)s")
history = History(Path(sys.argv[1]), clock=iter(range(0, 10**9, 60)).__next__)
print([history.record(poll(event(at=AT + n))) for n in range(3)], history.health.is_writable)
""",
        shared,
    )

    assert said.count("events cannot be recorded: this user may not write it") == 1
    assert "[False, False, False] False" in said


@pytest.mark.parametrize("is_running", [True, False], ids=["while it runs", "after it stopped"])
def test_a_file_of_somebody_else_can_be_read(shared: Path, is_running: bool) -> None:
    filled(shared)
    shared.chmod(0o644)
    with closing(History(shared).open()) as history:
        if is_running:
            record(history, 10)
        else:
            history.close()
        said = as_nobody("print(len(HistoryReader(Path(sys.argv[1])).events()))", shared)

    assert said == f"{205 if is_running else 204}\n"


def test_a_removed_file_is_begun_again_with_a_warning(
    path: Path, log: pytest.LogCaptureFixture
) -> None:
    with closing(History(path)) as history:
        record(history, 0)
        path.unlink()

        assert record(history, 1) == [True]
        assert details(path) == ["event 1"]
        assert told(log) == [
            f"{path}: the file was removed or replaced; going on with what is there now"
        ]


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("CREATE TABLE dashboard (id INTEGER)", "is the database of another program"),
        ("PRAGMA user_version = 99", "was written by a newer ipsecmon"),
    ],
)
def test_a_database_that_is_not_ours_to_write_is_left_alone(
    statement: str, words: str, path: Path, log: pytest.LogCaptureFixture
) -> None:
    if "version" in statement:
        filled(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute(statement)
    before = path.read_bytes()

    with closing(History(path)) as history:
        assert record(history, 1) == [False]
    assert words in told(log)[0]
    assert before == path.read_bytes()
    assert [path.name] == [one.name for one in path.parent.iterdir()]
    with pytest.raises(HistoryUnreadable, match=words):
        HistoryReader(path)


# --- a damaged file -------------------------------------------------------------------------------------------


def with_a_corrupt_header(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[:100] = bytes(100)
    path.write_bytes(data)


def with_a_corrupt_middle(path: Path) -> None:
    """Every page but the first, so that it is met whatever is looked at."""
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(data)


def cut_in_half(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def of_text(path: Path) -> None:
    path.write_text("this is no database at all\n" * 100)


DAMAGES: list[Callable[[Path], None]] = [
    with_a_corrupt_header,
    with_a_corrupt_middle,
    cut_in_half,
    of_text,
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_moved_aside_and_a_new_one_begun(
    damage: Callable[[Path], None], path: Path, log: pytest.LogCaptureFixture
) -> None:
    filled(path)
    damage(path)
    data = path.read_bytes()

    with closing(History(path, clock=lambda: AT)) as history:
        assert history.restore("Site1") is None
        assert record(history, 1000) == [True]
        assert history.health.is_writable

    assert details(path) == ["event 1000"]
    (aside,) = [one for one in path.parent.iterdir() if "damaged" in one.name]
    assert aside.name == "history.sqlite.damaged-20260921T141320Z"
    assert data == aside.read_bytes()
    (warning,) = told(log)
    assert warning.startswith(f"{path} is damaged (")
    assert warning.endswith(f"); it is kept as {aside} and a new history begins")


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_refused_by_a_reader(damage: Callable[[Path], None], path: Path) -> None:
    filled(path)
    damage(path)

    with pytest.raises(HistoryUnreadable, match=rf"{path} is damaged \(.*\); 'ipsecmon run' moves"):
        details(path)


def test_a_file_damaged_while_it_is_in_use_is_moved_aside_and_the_poll_is_recorded(
    path: Path, log: pytest.LogCaptureFixture
) -> None:
    filled(path)
    with closing(History(path)) as history:
        assert record(history, 300) == [True]
        with closing(sqlite3.connect(path)) as other:
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        with_a_corrupt_middle(path)

        assert record(history, 301) == [True]
        assert details(path) == ["event 301"]
    assert len(told(log)) == 1


def test_a_second_damaged_file_of_one_second_gets_a_name_of_its_own(path: Path) -> None:
    for _ in range(2):
        of_text(path)
        with closing(History(path, clock=lambda: AT)) as history:
            record(history, 0)

    assert sorted(one.name for one in path.parent.iterdir()) == [
        "history.sqlite",
        "history.sqlite.damaged-20260921T141320Z",
        "history.sqlite.damaged-20260921T141320Z-2",
    ]


# --- the end --------------------------------------------------------------------------------------------------


def test_what_waits_is_written_when_the_history_is_closed(path: Path) -> None:
    history = History(path / "history.sqlite", clock=lambda: AT)
    record(history, 0)
    path.mkdir()
    history.close()

    assert details(path / "history.sqlite") == ["event 0"]


def test_a_poll_that_ends_after_the_close_is_not_recorded_and_no_error(path: Path) -> None:
    history = History(path)
    record(history, 0)
    history.close()
    history.close()

    assert record(history, 1) == [False]
    assert history.restore("Site1") is None


def test_the_size_is_that_of_the_file_and_its_journal(path: Path) -> None:
    with closing(History(path)) as history:
        assert history.health.size_bytes == 0
        record(history, 0)
        journal = path.with_name(path.name + "-wal")

        assert history.health.size_bytes == path.stat().st_size + journal.stat().st_size


@pytest.mark.parametrize("is_folder", [True, False])
def test_a_file_that_this_user_may_not_read_is_told(shared: Path, is_folder: bool) -> None:
    filled(shared)
    (shared.parent if is_folder else shared).chmod(0o600)

    said = as_nobody(
        """
try:
    HistoryReader(Path(sys.argv[1]))
except Exception as error:
    print(type(error).__name__, error)
""",
        shared,
    )

    assert said == (
        f"HistoryUnreadable {shared} cannot be read by this user; read it as the user of 'ipsecmon run'\n"
    )


def test_a_new_file_is_not_for_everybody(path: Path) -> None:
    with closing(History(path).open()):
        assert path.stat().st_mode & 0o007 == 0
