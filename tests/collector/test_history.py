"""What the history keeps and gives back: events once, the memory of a device, raw outputs around a transition."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Generator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from ipsecmon.history import History, HistoryReader, HistoryUnreadable, RawPair, Retention
from ipsecmon.model import (
    Event,
    EventKind,
    Evidence,
    ExpectedTunnel,
    Link,
    LinkProof,
    TunnelOption,
)
from ipsecmon_parsers.records import CryptoMapEntry, SaLifetime
from recorded import AT, NAME, event, failed, output, poll, tunnel

# where the children find what they import
TESTS = Path(__file__).parent.parent


class Clock:
    """Stands still until told."""

    def __init__(self) -> None:
        self.now = AT

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def history(tmp_path: Path, clock: Clock) -> Generator[History]:
    made = History(tmp_path / "history.sqlite", clock=clock).open()
    yield made
    made.close()


def reopened(history: History) -> History:
    """The same file in another life of the monitor."""
    history.close()
    return History(history.path).open()


# --- events ---------------------------------------------------------------------------------------------------


def test_an_event_comes_back_as_it_was(history: History) -> None:
    down = event(EventKind.DOWN)

    assert history.record(poll(down))
    assert (down,) == history.events()


def test_an_event_of_a_whole_device_has_no_tunnel(history: History) -> None:
    history.record(poll(event(EventKind.RELOAD, tunnel=None)))

    assert [one.tunnel for one in history.events()] == [None]


def test_an_event_recorded_twice_is_there_once(history: History) -> None:
    history.record(poll(event()))
    history.record(poll(event(detail="told again"), at=AT + 60))

    assert [event().detail] == [one.detail for one in history.events()]
    assert history.health.events_total == 1


@pytest.mark.parametrize(
    "change",
    [{"device": "Site2"}, {"tunnel": "CRYPTO/other"}, {"kind": EventKind.UP}, {"at": AT + 0.001}],
    ids=str,
)
def test_events_that_differ_in_device_tunnel_kind_or_time_are_two(
    change: dict[str, object], history: History
) -> None:
    history.record(poll(event(), replace(event(), **change)))  # type: ignore[arg-type] # one of four

    assert len(history.events()) == 2


def test_events_come_oldest_first_and_a_limit_keeps_the_newest(history: History) -> None:
    history.record(poll(*(event(at=AT + second) for second in (3, 1, 2))))

    assert [one.at for one in history.events(limit=2)] == [AT + 2, AT + 3]


def test_events_are_found_by_device_tunnel_kind_and_time(history: History) -> None:
    wanted = event(EventKind.UP, device="Site2", tunnel="A", at=AT + 5)
    history.record(
        poll(
            wanted,
            replace(wanted, device="Site1"),
            replace(wanted, tunnel="B"),
            replace(wanted, kind=EventKind.DOWN),
            replace(wanted, at=AT + 4.9),
            replace(wanted, at=AT + 6.1),
        )
    )

    found = history.events(
        device="Site2", tunnel="A", kinds={EventKind.UP}, since=AT + 5, until=AT + 6
    )

    assert (wanted,) == found


def test_a_text_that_is_no_unicode_does_not_stop_the_recording(history: History) -> None:
    half = event(
        detail="cut \udc80 here", evidence=(Evidence(command="x", line_no=1, text="\udc80"),)
    )

    assert history.record(poll(half, outputs=(output("\udc80"),)))
    assert [one.detail for one in history.events()] == ["cut \\udc80 here"]


def test_an_event_without_a_time_is_refused_and_the_next_poll_recorded(
    history: History, caplog: pytest.LogCaptureFixture
) -> None:
    assert not history.record(poll(event(at=float("nan"))))
    assert "cannot be recorded" in caplog.text
    assert history.record(poll(event()))


# --- memory ---------------------------------------------------------------------------------------------------


def test_what_a_tunnel_remembers_survives_a_restart(history: History) -> None:
    history.record(poll())

    with closing(reopened(history)) as again:
        restored = again.restore("Site1")

    assert restored is not None
    assert [tunnel().memory] == [one.memory for one in restored.tunnels]


def test_what_polling_goes_on_from_survives_a_restart(history: History) -> None:
    link = Link(
        device="Site1",
        tunnel=NAME,
        remote_device="Site2",
        remote_tunnel="CRYPTO/10.2.2.0_24-10.1.1.0_24",
        proof=LinkProof.SPI_PAIR,
        is_spi_pair_matched=True,
    )
    entry = CryptoMapEntry(name="CRYPTO", sequence=10, peers=("203.0.113.2",))
    recorded = poll(crypto_map=(entry,), links=(link,))
    history.record(recorded)

    with closing(reopened(history)) as again:
        restored = again.restore("Site1")

    assert restored is not None
    assert recorded.read_at == restored.read_at
    assert recorded.errors_total == restored.errors_total
    assert recorded.highest_conn_ids == restored.highest_conn_ids
    assert recorded.crypto_map == restored.crypto_map
    assert recorded.configuration_read_at == restored.configuration_read_at
    assert isinstance(restored.sa_lifetime, SaLifetime)
    assert recorded.sa_lifetime == restored.sa_lifetime
    assert recorded.links == restored.links
    assert [(p.peer, p.local_address) for p in restored.ike_peers] == [("203.0.113.2", "192.0.2.1")]


def test_an_expected_tunnel_and_its_options_survive_a_restart(history: History) -> None:
    expected = ExpectedTunnel(
        device="Site1", name="to-branch", owner="net", options=frozenset({TunnelOption.BACKUP})
    )
    history.record(poll(tunnels=(tunnel(expected=expected),)))

    restored = history.restore("Site1")

    assert restored is not None
    assert [expected] == [one.expected for one in restored.tunnels]


def test_a_restored_flow_keeps_what_identifies_it_and_neither_counters_nor_sas(
    history: History,
) -> None:
    history.record(poll())

    restored = history.restore("Site1")

    assert restored is not None
    (one,) = restored.tunnels
    assert (one.flow.local_ident, one.flow.remote_ident, one.flow.peer, one.flow.crypto_map) == (
        tunnel().flow.local_ident,
        tunnel().flow.remote_ident,
        "203.0.113.2",
        "CRYPTO",
    )
    assert (one.flow.encaps_packets, one.flow.sas, one.inbound, one.outbound, one.lines) == (
        None,
        (),
        None,
        None,
        None,
    )


def test_a_device_that_failed_before_the_restart_is_known_to_have_failed(history: History) -> None:
    last = failed(poll(), at=AT + 60)
    history.record(last)

    restored = history.restore("Site1")

    assert restored is not None
    assert last.error == restored.error


def test_the_newest_poll_of_a_device_is_restored(history: History) -> None:
    history.record(poll())
    history.record(poll(at=AT + 60, highest_conn_ids=(1002, 2004)))

    restored = history.restore("Site1")

    assert restored is not None
    assert restored.highest_conn_ids == (1002, 2004)


def test_nothing_is_restored_of_a_device_never_polled(history: History) -> None:
    history.record(poll())

    assert history.restore("Site2") is None


def test_a_memory_that_is_damaged_is_told_and_the_events_stay(
    history: History, caplog: pytest.LogCaptureFixture
) -> None:
    history.record(poll(event()))
    with closing(sqlite3.connect(history.path, isolation_level=None)) as connection:
        connection.execute("UPDATE memory SET value = x'00'")

    assert history.restore("Site1") is None
    assert "what was remembered of this device cannot be used" in caplog.text
    assert history.events() == (event(),)


# --- the flight recorder --------------------------------------------------------------------------------------

BEFORE = (output("before", AT - 60), output("QM_IDLE", AT - 59, "show crypto isakmp sa"))
AFTER = (output("after", AT), output("MM_NO_STATE", AT + 1, "show crypto isakmp sa"))


def known(history: History) -> None:
    """The device was read before, so that no reading is its first."""
    history.record(poll(at=AT - 3600, outputs=()))


@pytest.mark.parametrize(
    "kind",
    [
        EventKind.UP,
        EventKind.DOWN,
        EventKind.PEER_FAILOVER,
        EventKind.COUNTERS_CLEARED,
        EventKind.CONFIGURATION_DRIFT,
        EventKind.GONE,
        EventKind.RELOAD,
        EventKind.REACHABLE,
    ],
)
def test_a_transition_keeps_what_the_router_said_before_and_after(
    kind: EventKind, history: History
) -> None:
    known(history)
    history.record(poll(event(kind), outputs=AFTER), BEFORE)

    assert RawPair(before=BEFORE, after=AFTER) == history.raw(event(kind))


@pytest.mark.parametrize(
    ("trigger", "is_kept"), [("time", False), ("volume", False), ("forced", True), ("outage", True)]
)
def test_raw_outputs_are_kept_of_the_rekeys_that_are_not_daily_life(
    trigger: str, is_kept: bool, history: History
) -> None:
    known(history)
    rekey = event(EventKind.REKEY, facts={"trigger": trigger})
    history.record(poll(rekey, outputs=AFTER), BEFORE)

    assert is_kept == (history.raw(rekey) is not None)


def test_the_first_reading_of_a_device_is_kept(history: History) -> None:
    new = event(EventKind.NEW)
    history.record(failed(poll(read_at=None, tunnels=(), outputs=()), at=AT - 60))
    history.record(poll(new, outputs=AFTER))

    assert RawPair(before=(), after=AFTER) == history.raw(new)


def test_no_later_reading_is_taken_for_the_first_even_after_a_restart(history: History) -> None:
    known(history)
    new = event(EventKind.NEW)

    with closing(reopened(history)) as again:
        again.record(poll(new, outputs=AFTER), BEFORE)

        assert again.raw(new) is None


def test_a_router_that_no_longer_answers_said_nothing_after(history: History) -> None:
    lost = event(EventKind.UNREACHABLE, tunnel=None)
    known(history)
    history.record(failed(poll(outputs=BEFORE), lost, at=AT), BEFORE)

    assert RawPair(before=BEFORE, after=()) == history.raw(lost)


def test_the_same_text_is_stored_once(history: History) -> None:
    known(history)
    history.record(poll(event(), outputs=AFTER), BEFORE)
    history.record(poll(event(EventKind.UP, at=AT + 60), at=AT + 60, outputs=BEFORE), AFTER)

    with closing(sqlite3.connect(history.path)) as connection:
        stored = connection.execute("SELECT count(*) FROM output_text").fetchone()[0]

    assert len({one.text for one in (*BEFORE, *AFTER)}) == stored


def test_secrets_are_hidden_in_outputs_details_and_evidence(tmp_path: Path) -> None:
    def redact(text: str) -> str:
        return text.replace("tiger", "***")

    told = event(
        detail="tiger in the log", evidence=(Evidence(command="x", line_no=1, text="tiger"),)
    )
    raw = (
        output("log: tiger typed\nPassword: opensesame"),
        output(
            "Keyring      Hostname/Address            Preshared Key\n\n"
            "default      203.0.113.2                 opensesame",
            command="show crypto isakmp key",
        ),
        output("server-key opensesame", command="show aaa something"),
    )
    with closing(History(tmp_path / "history.sqlite", redact=redact)) as history:
        history.record(poll(told, outputs=raw))
        kept = history.raw(told)
        events = history.events()

    assert kept is not None
    seen = f"{kept} {events}"
    assert "tiger" not in seen
    assert "opensesame" not in seen
    assert "203.0.113.2" in seen


def test_the_lifetimes_of_keys_are_no_secrets(history: History) -> None:
    text = "        sa timing: remaining key lifetime (k/sec): (4499998/3542)"
    history.record(poll(event(), outputs=(output(text),)))

    kept = history.raw(event())

    assert kept is not None
    assert [text] == [one.text for one in kept.after]


# --- retention ------------------------------------------------------------------------------------------------


def retained(tmp_path: Path, clock: Clock, *, size_bytes: int = 10**9) -> History:
    return History(
        tmp_path / "history.sqlite",
        Retention(age_seconds=3600.0, size_bytes=size_bytes),
        clock=clock,
    )


def test_events_and_outputs_older_than_their_age_go(tmp_path: Path, clock: Clock) -> None:
    with closing(retained(tmp_path, clock)) as history:
        history.record(poll(event(), outputs=AFTER), BEFORE)
        clock.now = AT + 3601
        late = event(EventKind.UP, at=clock.now)
        history.record(poll(late, at=clock.now))

        assert (late,) == history.events()
        with closing(sqlite3.connect(history.path)) as connection:
            texts = connection.execute("SELECT count(*) FROM output_text").fetchone()[0]
        assert texts == 1


def test_retention_is_applied_now_and_then_and_not_at_each_poll(
    tmp_path: Path, clock: Clock
) -> None:
    with closing(retained(tmp_path, clock)) as history:
        clock.now = AT + 3500
        history.record(poll(event()))
        clock.now = AT + 3700
        history.record(poll(at=clock.now))
        kept = history.events()
        clock.now = AT + 3500 + 600
        history.record(poll(at=clock.now))

        assert (kept, history.events()) == ((event(),), ())


def test_a_file_that_is_too_large_loses_outputs_before_events(tmp_path: Path, clock: Clock) -> None:
    source = random.Random(5)  # noqa: S311 # text that cannot be compressed
    with closing(retained(tmp_path, clock, size_bytes=400_000)) as history:
        for number in range(40):
            clock.now = AT + number * 20
            text = source.randbytes(20_000).hex()
            history.record(
                poll(event(at=clock.now), at=clock.now, outputs=(output(text, clock.now),))
            )
        clock.now += 600
        history.record(poll(at=clock.now))
        events = history.events()
        raw = [history.raw(one) is not None for one in events]
        size_bytes = history.path.stat().st_size

    assert len(events) == 40
    assert (raw[0], raw[-1]) == (False, True)
    assert size_bytes <= 400_000


def test_a_file_too_large_without_outputs_loses_its_oldest_events(
    tmp_path: Path, clock: Clock
) -> None:
    with closing(retained(tmp_path, clock, size_bytes=150_000)) as history:
        events = [event(at=AT + n / 1000, detail="x" * 1000) for n in range(500)]
        history.record(poll(*events, outputs=()))
        kept = history.events()

    assert 0 < len(kept) < 500
    assert events[-len(kept) :] == list(kept)


def test_the_memory_of_a_device_outlives_a_limit_of_size(tmp_path: Path, clock: Clock) -> None:
    with closing(retained(tmp_path, clock, size_bytes=1)) as history:
        history.record(poll(event()))

        assert history.events() == ()
        assert history.restore("Site1") is not None


# --- many threads, other processes, sudden death --------------------------------------------------------------


def test_many_threads_record_and_nothing_is_lost(history: History) -> None:
    def record(number: int) -> None:
        for turn in range(10):
            one = event(device=f"Site{number}", at=AT + turn)
            assert history.record(poll(one, device=f"Site{number}", at=AT + turn))

    threads = [threading.Thread(target=record, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(history.events()) == 80


def test_a_reader_sees_what_was_recorded_while_the_writer_goes_on(history: History) -> None:
    history.record(poll(event()))
    with HistoryReader(history.path) as reader:
        first = reader.events()
        history.record(poll(event(EventKind.UP, at=AT + 60), at=AT + 60))

        assert [one.event.kind for one in reader.events(after_number=first[-1].number)] == [
            EventKind.UP
        ]


def test_a_reader_names_devices_and_tunnels_with_and_without_events(history: History) -> None:
    history.record(poll(event(tunnel="CRYPTO/gone"), event(EventKind.RELOAD, tunnel=None)))
    history.record(poll(device="Site2", tunnels=(tunnel(9),)))

    with HistoryReader(history.path) as reader:
        assert reader.devices() == ["Site1", "Site2"]
        assert reader.tunnels("Site1") == [NAME, "CRYPTO/gone"]
        assert reader.tunnels("Site2") == ["CRYPTO/10.1.1.0_24-10.9.2.0_24"]


def test_there_is_nothing_to_read_where_no_file_is(tmp_path: Path) -> None:
    with pytest.raises(HistoryUnreadable, match=r"there is no history at .*nothing\.sqlite"):
        HistoryReader(tmp_path / "nothing.sqlite")


RECORDS_IN_A_LOOP = """
import sys
from pathlib import Path
from ipsecmon.history import History
from recorded import AT, event, output, poll

history = History(Path(sys.argv[1]))
restored = history.restore("Site1")
number = 0 if restored is None else restored.highest_conn_ids[0]
while True:
    number += 1
    one = event(at=AT + number, detail=f"event {number}")
    result = poll(one, at=AT + number, highest_conn_ids=(number, number),
                  outputs=(output(f"answer {number} " * 2000, AT + number),))
    if history.record(result):
        print(number, flush=True)
"""


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_kill_at_any_moment_loses_no_committed_event_and_doubles_none(
    seed: int, tmp_path: Path
) -> None:
    path = tmp_path / "history.sqlite"
    when = random.Random(seed)  # noqa: S311 # any moment will do
    told: list[int] = []
    for _ in range(4):
        child = subprocess.Popen(  # noqa: S603 # ourselves
            [sys.executable, "-c", RECORDS_IN_A_LOOP, str(path)],
            cwd=TESTS,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        with child, child.stdout as lines:
            told += [int(lines.readline()) for _ in range(when.randint(1, 12))]
            threading.Event().wait(when.random() * 0.02)  # somewhere in the next record
            child.send_signal(signal.SIGKILL)
            told += [int(line) for line in lines if line.endswith("\n")]

    with closing(History(path)) as history:
        recorded = Counter(one.detail for one in history.events(limit=None))
        last: Event = history.events()[-1]
        memory = history.restore("Site1")
        raw = history.raw(last)

    assert {f"event {number}" for number in told} <= recorded.keys()
    assert set(recorded.values()) == {1}
    # the memory is that of the last poll that is in the file, and its outputs are whole
    assert memory is not None
    assert f"event {memory.highest_conn_ids[0]}" == last.detail
    assert raw is not None
    assert last.detail.replace("event", "answer") in raw.after[0].text
