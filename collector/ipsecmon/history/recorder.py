"""The one writer of the history: a poll at a time, behind one lock, never an exception into polling.

What cannot be written waits in memory, up to 32 MB, and is written first when the file can be written again.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from ipsecmon.history.database import (
    HistoryUnusable,
    connect,
    is_damage,
    move_aside,
    reason_of,
    transaction,
)
from ipsecmon.history.memory import MemoryDamaged, unpack
from ipsecmon.history.reading import HistoryReader, RawPair
from ipsecmon.history.retention import Retention, apply_retention
from ipsecmon.history.rows import OutputRow, PollRows, poll_rows
from ipsecmon.model import Event, EventKind, PollResult, RawOutput

__all__ = ["History", "HistoryHealth"]

log = logging.getLogger(__name__)

_RETENTION_EVERY_SECONDS = 600.0
# each try may wait a second for a lock, and polls wait behind it
_TRY_AGAIN_SECONDS = 10.0
_MOST_WAITING_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryHealth:
    """How recording goes; totals count since this process began."""

    is_writable: bool
    events_total: int
    """Events written to the file."""
    events_waiting: int
    """Events held in memory until the file can be written again."""
    events_lost_total: int
    """Events given up because too much waited."""
    write_errors_total: int
    size_bytes: int
    """Of the file and its journal; 0 where there is none."""


def _as_it_is(text: str) -> str:
    return text


class History:
    """Records polls into the file at ``path``; safe to call from many threads.

    The file is opened by ``open`` or at the first use. ``clock`` gives Unix seconds; ``redact`` hides known secrets in a text
    (``Redactor.redact``).
    """

    def __init__(
        self,
        path: Path,
        retention: Retention | None = None,
        clock: Callable[[], float] = time.time,
        redact: Callable[[str], str] = _as_it_is,
    ) -> None:
        self.path = path
        self._retention = retention or Retention()
        self._clock = clock
        self._redact = redact
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._opened_file: tuple[int, int] | None = None
        self._waiting: deque[PollRows] = deque()
        self._were_read: set[str] = set()
        self._failed_at: float | None = None
        self._retained_at: float | None = None
        self._events_total = 0
        self._events_lost_total = 0
        self._lost_before_failure = 0
        self._write_errors_total = 0
        self._is_closed = False

    def open(self) -> Self:
        """Open the file now, so that a warning about it comes now."""
        with self._lock:
            if not self._is_closed:
                self._attempt(lambda _: None)
        return self

    def record(self, result: PollResult, before: Sequence[RawOutput] = ()) -> bool:
        """Write one poll in one transaction; ``True`` if it is in the file when this returns.

        ``before`` are the outputs of the last good poll. Events recorded already are not recorded again.
        """
        try:
            is_first = result.is_good and not self._was_read(result.device)
            rows = poll_rows(result, before, is_first=is_first, redact=self._redact)
        except ValueError as error:
            with self._lock:
                self._write_errors_total += 1
            log.error(  # noqa: TRY400 # the sentence tells it; the traceback would hold what a device printed
                "a poll cannot be recorded (%s: %s); please report it",
                type(error).__name__,
                error,
                extra={"device": result.device},
            )
            return False
        with self._lock:
            if self._is_closed:
                return False
            self._waiting.append(rows)
            if not self._may_try() or not self._attempt(self._write):
                self._give_up_oldest()
                return False
            self._note_success()
            self._retain_now_and_then()
            return True

    def restore(self, device: str) -> PollResult | None:
        """What to go on polling from: the last recorded result, without SAs, counters, outputs and events."""
        found: list[tuple[bytes, float | None]] = []
        with self._lock:
            if not self._is_closed:
                self._attempt(lambda connection: found.extend(_memory_rows(connection, device)))
        if not found:
            return None
        value, read_at = found[0]
        try:
            result = unpack(value)
        except MemoryDamaged as error:
            log.warning(
                "%s: what was remembered of this device cannot be used (%s); it begins anew, its events are kept",
                self.path,
                error,
                extra={"device": device},
            )
            return None
        if read_at is not None:
            self._were_read.add(device)
        return result

    def events(
        self,
        device: str | None = None,
        tunnel: str | None = None,
        kinds: Collection[EventKind] = (),
        since: float | None = None,
        until: float | None = None,
        limit: int | None = None,
    ) -> tuple[Event, ...]:
        """Recorded events, oldest first, the newest ``limit`` of them; raises ``HistoryUnreadable``."""
        with HistoryReader(self.path) as reader:
            found = reader.events(
                device=device,
                tunnels=() if tunnel is None else (tunnel,),
                kinds=kinds,
                since=since,
                until=until,
                limit=limit,
            )
        return tuple(one.event for one in found)

    def raw(self, event: Event) -> RawPair | None:
        """What the router said just before and just after; ``None`` where it was not kept; raises ``HistoryUnreadable``."""
        with HistoryReader(self.path) as reader:
            return reader.raw(event)

    @property
    def health(self) -> HistoryHealth:
        """How recording goes, for the metrics; never waits for a write under way."""
        files = (self.path, self.path.with_name(self.path.name + "-wal"))
        return HistoryHealth(
            is_writable=self._failed_at is None,
            events_total=self._events_total,
            events_waiting=sum(len(rows.events) for rows in tuple(self._waiting)),
            events_lost_total=self._events_lost_total,
            write_errors_total=self._write_errors_total,
            size_bytes=sum(_size_bytes(file) for file in files),
        )

    def close(self) -> None:
        """Write what waits, if it can be written now, and close the file; later polls are not recorded."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            if self._waiting and not self._attempt(self._write):
                count = sum(len(rows.events) for rows in self._waiting)
                log.warning("%s: %d events could not be recorded", self.path, count)
            self._disconnect()

    def _was_read(self, device: str) -> bool:
        """A reading of this device is recorded, by this process or an earlier one."""
        if device in self._were_read:
            return True
        found: list[tuple[bytes, float | None]] = []
        with self._lock:
            if self._may_try() and not self._is_closed:
                self._attempt(lambda connection: found.extend(_memory_rows(connection, device)))
        if found and found[0][1] is not None:
            self._were_read.add(device)
        return device in self._were_read

    # with the lock held

    def _may_try(self) -> bool:
        """Not while a failure is fresh: a clock that was set back counts as time gone by."""
        if self._failed_at is None:
            return True
        return not 0 <= self._clock() - self._failed_at < _TRY_AGAIN_SECONDS

    def _attempt(self, work: Callable[[sqlite3.Connection], None]) -> bool:
        """Do ``work`` on the file; a damaged file is moved aside and ``work`` done on a new one."""
        try:
            try:
                work(self._connected())
            except sqlite3.DatabaseError as error:
                if not is_damage(error):
                    raise
                self._move_damaged_aside(error)
                work(self._connected())
        except (sqlite3.Error, OSError, HistoryUnusable) as error:
            self._note_failure(error)
            return False
        return True

    def _connected(self) -> sqlite3.Connection:
        """The connection; a new one where somebody removed or replaced the file."""
        if self._connection is not None and _file_identity(self.path) != self._opened_file:
            log.warning(
                "%s: the file was removed or replaced; going on with what is there now", self.path
            )
            self._disconnect()
        if self._connection is None:
            self._connection = connect(self.path)
            self._opened_file = _file_identity(self.path)
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None

    def _move_damaged_aside(self, error: sqlite3.Error) -> None:
        self._write_errors_total += 1
        self._disconnect()
        aside = move_aside(self.path, self._clock())
        self._were_read.clear()
        log.warning(
            "%s is damaged (%s); it is kept as %s and a new history begins", self.path, error, aside
        )

    def _note_failure(self, error: Exception) -> None:
        self._write_errors_total += 1
        self._disconnect()
        if self._failed_at is None:
            self._lost_before_failure = self._events_lost_total
            log.warning(
                "%s: events cannot be recorded: %s; polling goes on, events wait in memory",
                self.path,
                reason_of(error, self.path),
            )
        else:
            log.debug("%s: still not to be written: %s", self.path, error)
        self._failed_at = self._clock()

    def _note_success(self) -> None:
        if self._failed_at is None:
            return
        self._failed_at = None
        lost = self._events_lost_total - self._lost_before_failure
        told = f", {lost} were lost" if lost else ", none was lost"
        log.info("%s: events are recorded again%s", self.path, told)

    def _give_up_oldest(self) -> None:
        """What waits must not fill the memory: raw outputs go first, then the oldest polls.

        What an older poll remembered of its device is of no use at all once a newer one waits.
        """
        newest = {rows.device: rows for rows in self._waiting}
        slimmed = (
            rows if newest[rows.device] is rows else replace(rows, memory=b"")
            for rows in self._waiting
        )
        self._waiting = deque(rows for rows in slimmed if rows.memory or rows.events)
        total = sum(rows.size_bytes for rows in self._waiting)
        for index, rows in enumerate(self._waiting):
            if total <= _MOST_WAITING_BYTES:
                return
            slim = replace(rows, outputs=())
            total -= rows.size_bytes - slim.size_bytes
            self._waiting[index] = slim
        while total > _MOST_WAITING_BYTES:
            rows = self._waiting.popleft()
            total -= rows.size_bytes
            self._events_lost_total += len(rows.events)

    def _write(self, connection: sqlite3.Connection) -> None:
        # only a commit with events is worth a flush of the disk; a kill -9 loses neither
        level = "FULL" if any(rows.events for rows in self._waiting) else "NORMAL"
        connection.execute(f"PRAGMA synchronous = {level}")
        newest = {rows.device: rows for rows in self._waiting}
        count = 0
        with transaction(connection):
            for rows in self._waiting:
                count += _insert(connection, rows, is_newest=newest[rows.device] is rows)
        self._events_total += count
        self._were_read.update(rows.device for rows in self._waiting if rows.read_at is not None)
        self._waiting.clear()

    def _retain_now_and_then(self) -> None:
        now = self._clock()
        last = self._retained_at
        if last is None or not 0 <= now - last < _RETENTION_EVERY_SECONDS:
            self._retained_at = now
            self._attempt(lambda connection: apply_retention(connection, self._retention, now))


def _insert(connection: sqlite3.Connection, rows: PollRows, *, is_newest: bool) -> int:
    """The rows of one poll; the number of events that were not there yet."""
    capture_id = _insert_capture(connection, rows) if rows.outputs else None
    count = 0
    for event in rows.events:
        cursor = connection.execute(
            "INSERT INTO event (device, tunnel, kind, at, detail, facts, evidence, capture_id) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (
                event.device,
                event.tunnel,
                event.kind,
                event.at,
                event.detail,
                event.facts,
                event.evidence,
                capture_id,
            ),
        )
        count += cursor.rowcount
    if is_newest:
        connection.execute(
            "INSERT INTO memory (device, saved_at, read_at, value) VALUES (?, ?, ?, ?) ON CONFLICT (device) "
            "DO UPDATE SET saved_at = excluded.saved_at, read_at = excluded.read_at, value = excluded.value",
            (rows.device, rows.at, rows.read_at, rows.memory),
        )
    return count


def _insert_capture(connection: sqlite3.Connection, rows: PollRows) -> int | None:
    capture_id = connection.execute(
        "INSERT INTO capture (device, at) VALUES (?, ?)", (rows.device, rows.at)
    ).lastrowid
    connection.executemany(
        "INSERT INTO capture_output VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                capture_id,
                output.is_after,
                output.position,
                output.command,
                output.started_at,
                output.ended_at,
                _text_id(connection, output),
            )
            for output in rows.outputs
        ],
    )
    return capture_id


def _text_id(connection: sqlite3.Connection, output: OutputRow) -> int:
    """The stored text of this content, stored now if it is new."""
    connection.execute(
        "INSERT INTO output_text (sha256, compressed) VALUES (?, ?) ON CONFLICT DO NOTHING",
        (output.sha256, output.compressed),
    )
    query = "SELECT id FROM output_text WHERE sha256 = ?"
    with closing(connection.execute(query, (output.sha256,))) as rows:
        number: int = rows.fetchone()[0]
    return number


def _memory_rows(
    connection: sqlite3.Connection, device: str
) -> Iterable[tuple[bytes, float | None]]:
    query = "SELECT value, read_at FROM memory WHERE device = ?"
    with closing(connection.execute(query, (device,))) as rows:
        found: list[tuple[bytes, float | None]] = rows.fetchall()
    return found


def _file_identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
