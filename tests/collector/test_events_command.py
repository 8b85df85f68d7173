"""``ipsecmon events``: what a person sees, what a pipe reads, and what is said when there is nothing to see."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ipsecmon.cli import main
from ipsecmon.event_list import EventList
from ipsecmon.history import History, RawPair
from ipsecmon.model import Event, EventKind, Evidence
from recorded import AT, NAME, event, output, poll, tunnel

BEFORE = (output("QM_IDLE 1001", AT - 60, "show crypto isakmp sa"), output("0x2001", AT - 59))
AFTER = (output("no SA", AT, "show crypto isakmp sa"), output("0x0", AT + 1))
DOWN = event(EventKind.DOWN)
UP = event(EventKind.UP, at=AT + 86400, detail="up after 24 h", evidence=())
RELOAD = event(
    EventKind.RELOAD,
    device="Branch",
    tunnel=None,
    at=AT + 60,
    detail="its conn ids began anew",
    evidence=(),
)


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Two tunnels, one without an event; a fall, a reload elsewhere, a recovery."""
    file = tmp_path / "history.sqlite"
    with closing(History(file, clock=lambda: AT + 90000)) as history:
        history.record(poll(at=AT - 600, tunnels=(tunnel(), tunnel(7)), outputs=()))
        history.record(poll(DOWN, at=AT, tunnels=(tunnel(), tunnel(7)), outputs=AFTER), BEFORE)
        history.record(poll(RELOAD, at=AT + 60, device="Branch", outputs=()))
        history.record(poll(UP, at=AT + 86400, tunnels=(tunnel(), tunnel(7)), outputs=()))
    return file


def run(path: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["events", "--history", str(path), *arguments])


def kinds(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return [json.loads(line)["kind"] for line in result.stdout.splitlines()]


def test_a_person_sees_the_days_the_events_and_the_evidence(path: Path) -> None:
    result = run(path)

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        """\
Monday 2026-09-21, times in UTC

14:13:20  Site1   CRYPTO/10.1.1.0_24-10.2.2.0_24  DOWN    no SA any more, and send errors grow
                  show crypto ipsec sa:
                      14 | #send errors 13, #recv errors 0
14:14:20  Branch  -                               RELOAD  its conn ids began anew

Tuesday 2026-09-22, times in UTC

14:13:20  Site1   CRYPTO/10.1.1.0_24-10.2.2.0_24  UP      up after 24 h
"""
    )


def test_a_pipe_reads_a_line_of_json_for_each_event(path: Path) -> None:
    first, *_ = run(path, "--json").stdout.splitlines()

    assert json.loads(first) == {
        "at": "2026-09-21T14:13:20.000Z",
        "device": "Site1",
        "tunnel": NAME,
        "kind": "down",
        "detail": "no SA any more, and send errors grow",
        "facts": {"trigger": None, "gap_seconds": 42.5, "old_spi": 8193},
        "evidence": [
            {
                "command": "show crypto ipsec sa",
                "line_no": 14,
                "text": "    #send errors 13, #recv errors 0",
                "read_at": None,
            }
        ],
    }


def test_raw_shows_what_the_router_said_before_and_after(path: Path) -> None:
    result = run(path, "--kind", "down", "--raw")

    lines = [line.rstrip("-").rstrip() for line in result.stdout.splitlines()]
    assert lines[lines.index("") + 1 :][4:] == [
        "--- Site1 just before, 2026-09-21 14:12:20 UTC: show crypto isakmp sa",
        "QM_IDLE 1001",
        "--- Site1 just before, 2026-09-21 14:12:21 UTC: show crypto ipsec sa",
        "0x2001",
        "",
        "--- Site1 just after, 2026-09-21 14:13:20 UTC: show crypto isakmp sa",
        "no SA",
        "--- Site1 just after, 2026-09-21 14:13:21 UTC: show crypto ipsec sa",
        "0x0",
        "",
        "",
    ]


def test_raw_in_json_holds_both_sides(path: Path) -> None:
    down = json.loads(run(path, "--kind", "down", "--raw", "--json").stdout)
    reload = json.loads(run(path, "--kind", "reload", "--raw", "--json").stdout)

    assert [one["text"] for one in down["raw"]["before"]] == ["QM_IDLE 1001", "0x2001"]
    assert [one["text"] for one in down["raw"]["after"]] == ["no SA", "0x0"]
    assert reload["raw"] is None


def test_raw_says_when_nothing_was_kept(path: Path) -> None:
    assert "no raw outputs were kept" in run(path, "--kind", "reload", "--raw").stdout


def test_two_events_of_one_poll_show_its_outputs_once(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    with closing(History(path, clock=lambda: AT)) as history:
        history.record(poll(DOWN, event(EventKind.GONE), outputs=AFTER), BEFORE)

    assert run(path, "--raw").stdout.count("QM_IDLE") == 1


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--device", "Branch"], ["reload"]),
        (["--tunnel", NAME], ["down", "up"]),
        (["--tunnel", "10.2.2.0"], ["down", "up"]),
        (["--tunnel", "crypto"], ["down", "up"]),
        (["--kind", "up", "--kind", "reload"], ["reload", "up"]),
        (["--since", "2026-09-21T14:14"], ["reload", "up"]),
        (["--until", "2026-09-21T14:14"], ["down"]),
        (["--since", "2026-09-21T14:14", "--until", "2026-09-22"], ["reload"]),
        (["--limit", "0"], ["down", "reload", "up"]),
    ],
)
def test_events_are_chosen(arguments: list[str], expected: list[str], path: Path) -> None:
    assert expected == kinds(run(path, "--json", *arguments))


def test_a_limit_shows_the_newest_and_says_that_there_are_more(path: Path) -> None:
    result = run(path, "--json", "--limit", "1")

    assert kinds(result) == ["up"]
    assert result.stderr == "ipsecmon: the newest 1 of 3 events; --limit 0 shows all\n"


def test_a_tunnel_with_a_whole_name_is_not_mixed_with_longer_ones(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    with closing(History(path, clock=lambda: AT)) as history:
        history.record(poll(event(tunnel="A"), event(EventKind.UP, tunnel="A#2")))

    assert kinds(run(path, "--json", "--tunnel", "A")) == ["down"]
    assert kinds(run(path, "--json", "--tunnel", "a")) == ["down", "up"]


def test_following_shows_what_is_recorded_later(path: Path) -> None:
    command = [sys.executable, "-m", "ipsecmon", "events", "--history", str(path), "--json"]
    child = subprocess.Popen(  # noqa: S603 # ourselves
        [*command, "--follow", "--kind", "down"], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    with child, child.stdout as lines:
        first = json.loads(lines.readline())
        with closing(History(path, clock=lambda: AT + 90000)) as history:
            history.record(poll(event(at=AT + 90000), UP, at=AT + 90000))
            second = json.loads(lines.readline())
        child.send_signal(signal.SIGINT)

    assert (first["at"], second["at"]) == ("2026-09-21T14:13:20.000Z", "2026-09-22T15:13:20.000Z")
    assert child.returncode == 0


# --- nothing to see -------------------------------------------------------------------------------------------


def said(result: Result) -> tuple[int, str]:
    assert result.stdout == ""
    return result.exit_code, result.stderr


def test_no_file_is_told_with_what_makes_one(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"

    assert said(run(path)) == (
        1,
        f"ipsecmon: there is no history at {path}: 'ipsecmon run' makes it at its first poll\n",
    )


def test_an_unknown_tunnel_is_told_with_near_names(path: Path) -> None:
    code, message = said(run(path, "--tunnel", "CRYPTO/10.1.1.0_24-10.2.3.0_24"))

    assert code == 2
    assert message == (
        f"ipsecmon: no tunnel 'CRYPTO/10.1.1.0_24-10.2.3.0_24' of {path}; "
        f"did you mean {NAME} or CRYPTO/10.1.1.0_24-10.7.2.0_24?\n"
    )


def test_an_unknown_tunnel_near_to_none_is_told_with_those_there_are(path: Path) -> None:
    code, message = said(run(path, "--device", "Branch", "--tunnel", "xyz"))

    assert code == 2
    assert message == f"ipsecmon: no tunnel 'xyz' of Branch in {path}; it has {NAME}\n"


def test_an_unknown_device_is_told_with_near_names(path: Path) -> None:
    assert said(run(path, "--device", "Site2")) == (
        2,
        f"ipsecmon: no device 'Site2' in {path}; did you mean Site1?\n",
    )


def test_a_tunnel_without_an_event_is_no_error(path: Path) -> None:
    assert said(run(path, "--tunnel", "10.7.2.0")) == (
        0,
        f"ipsecmon: no such event; {path} has 3 events, from 2026-09-21 14:13:20 UTC on\n",
    )


def test_a_history_without_an_event_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    with closing(History(path)) as history:
        history.record(poll())

    assert said(run(path)) == (0, f"ipsecmon: no events yet: {path} has none\n")


def test_a_moment_that_cannot_be_read_is_told(path: Path) -> None:
    code, message = said(run(path, "--since", "soon"))

    assert code == 2
    assert "Invalid value for '--since': found 'soon', accepted: how long ago, such as" in message


def test_a_damaged_event_is_told_and_not_shown_as_another(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE event SET facts = '{' WHERE kind = 'up'")

    code, message = said(run(path))

    assert code == 1
    assert message.startswith(f"ipsecmon: {path} is damaged (")


# --- where the file is ----------------------------------------------------------------------------------------

CONFIGURATION = """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 192.0.2.1, platform: ios, credentials: lab}
"""


def test_the_file_is_the_one_the_configuration_names(path: Path) -> None:
    config = path.parent / "ipsecmon.yml"
    config.write_text(CONFIGURATION)

    result = CliRunner().invoke(main, ["events", "--config", str(config), "--json"])

    assert kinds(result) == ["down", "reload", "up"]


def test_a_configuration_without_history_is_told(tmp_path: Path) -> None:
    config = tmp_path / "ipsecmon.yml"
    config.write_text(CONFIGURATION + "history: {path: off}\n")

    result = CliRunner().invoke(main, ["events", "--config", str(config)])

    assert said(result) == (
        2,
        f"ipsecmon: {config}: 'history.path' is off: no events are kept\n",
    )


# --- the list itself ------------------------------------------------------------------------------------------


def listed(one: Event, width: int | None = None) -> list[str]:
    return list(EventList.made_for([one], width).lines(one))


def test_a_long_detail_goes_on_below_the_tunnel_of_a_narrow_terminal() -> None:
    words = [f"word{number}" for number in range(40)]

    first, *rest = listed(event(detail=" ".join(words), evidence=()), 100)[2:]

    assert [*first.split()[4:], *" ".join(rest).split()] == words
    assert rest[0].startswith(" " * 17 + "word")
    assert max(len(line) for line in rest) <= 100


def test_what_a_device_printed_moves_no_cursor() -> None:
    nasty = event(
        detail="a\x1b[2Jb", evidence=(Evidence(command="x\r", line_no=1, text="\x1b]0;title\x07"),)
    )

    text = "\n".join(listed(nasty))

    assert "a\\x1b[2Jb" in text
    assert "\x1b]" not in text
    assert "\r" not in text
    assert "\x07" not in text


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        (
            RawPair(before=(), after=AFTER),
            "just before: nothing was kept; the monitor had just started",
        ),
        (RawPair(before=BEFORE, after=()), "just after: the router did not answer"),
    ],
)
def test_a_missing_side_of_the_raw_outputs_is_explained(pair: RawPair, words: str) -> None:
    assert words in "\n".join(EventList.made_for([DOWN]).raw_lines("Site1", pair))
