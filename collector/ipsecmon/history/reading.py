"""Queries on the history, also while the service of another process writes it.

with HistoryReader(Path("history.sqlite")) as reader:
    for recorded in reader.events(device="Site1", since=time.time() - 3600):
        print(recorded.event.detail, reader.raw(recorded.event))
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ipsecmon.errors import IpsecmonError
from ipsecmon.history.database import (
    HistoryUnusable,
    connect_read_only,
    is_damage,
    is_forbidden,
    reason_of,
)
from ipsecmon.history.memory import MemoryDamaged, unpack
from ipsecmon.history.rows import EventRow, event_of, text_of
from ipsecmon.model import Event, EventKind, RawOutput

__all__ = ["HistoryReader", "HistoryUnreadable", "RawPair", "RecordedEvent"]


class HistoryUnreadable(IpsecmonError, LookupError):
    """There is no history at this path, or it cannot be read; the message says which and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEvent:
    """An event with its number, which grows in the order of recording, and the capture of raw outputs it belongs to."""

    number: int
    event: Event
    capture_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RawPair:
    """What the router said just before and just after, redacted; ``before`` is empty after a start of the monitor,
    ``after`` where the router did not answer."""

    before: tuple[RawOutput, ...]
    after: tuple[RawOutput, ...]


class HistoryReader:
    """One read-only connection, of one thread; every method raises ``HistoryUnreadable`` for a file that is damaged."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            is_there = path.is_file()
        except PermissionError:
            raise HistoryUnreadable(_FORBIDDEN(path)) from None
        if not is_there:
            raise HistoryUnreadable(
                f"there is no history at {path}: 'ipsecmon run' makes it at its first poll"
            )
        with self._told():
            self._connection = connect_read_only(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def events(
        self,
        *,
        device: str | None = None,
        tunnels: Collection[str] = (),
        kinds: Collection[EventKind] = (),
        since: float | None = None,
        until: float | None = None,
        limit: int | None = None,
        after_number: int = 0,
    ) -> list[RecordedEvent]:
        """Those that fit, oldest first; of many the newest ``limit``. Times are Unix seconds, both included."""
        condition, values = _condition(device, tunnels, kinds, since, until, after_number)
        query = (
            "SELECT id, capture_id, device, tunnel, kind, at, detail, facts, evidence FROM event "  # noqa: S608
            f"WHERE {condition} ORDER BY at DESC, id DESC LIMIT ?"
        )
        rows = self._rows(query, (*values, -1 if limit is None else limit))
        return [_recorded(self._event(row[2:]), row) for row in reversed(rows)]

    def count(
        self,
        *,
        device: str | None = None,
        tunnels: Collection[str] = (),
        kinds: Collection[EventKind] = (),
        since: float | None = None,
        until: float | None = None,
    ) -> int:
        """How many fit."""
        condition, values = _condition(device, tunnels, kinds, since, until, 0)
        rows = self._rows(f"SELECT count(*) FROM event WHERE {condition}", values)  # noqa: S608
        number: int = rows[0][0]
        return number

    def raw(self, event: Event) -> RawPair | None:
        """The outputs kept with this event; ``None`` where none were, or where they are too old."""
        query = (
            "SELECT capture_id FROM event WHERE device = ? AND tunnel = ? AND kind = ? AND at = ?"
        )
        rows = self._rows(query, event.identity)
        if not rows or rows[0][0] is None:
            return None
        return self.capture(rows[0][0])

    def capture(self, capture_id: int) -> RawPair:
        """The outputs kept under this number."""
        query = (
            "SELECT is_after, command, started_at, ended_at, compressed FROM capture_output "
            "JOIN output_text ON output_text.id = text_id WHERE capture_id = ? ORDER BY is_after, position"
        )
        before: list[RawOutput] = []
        after: list[RawOutput] = []
        for is_after, command, started_at, ended_at, compressed in self._rows(query, (capture_id,)):
            with self._told():
                text = text_of(compressed)
            output = RawOutput(command=command, text=text, started_at=started_at, ended_at=ended_at)
            (after if is_after else before).append(output)
        return RawPair(before=tuple(before), after=tuple(after))

    def devices(self) -> list[str]:
        """Every device that was ever polled or has an event, sorted."""
        query = "SELECT device FROM memory UNION SELECT device FROM event ORDER BY 1"
        return [row[0] for row in self._rows(query, ())]

    def tunnels_with_events(self, device: str | None = None) -> list[str]:
        """Every tunnel that has an event, sorted."""
        condition, values = _condition(device, (), (), None, None, 0)
        query = f"SELECT DISTINCT tunnel FROM event WHERE {condition} AND tunnel <> '' ORDER BY 1"  # noqa: S608
        return [row[0] for row in self._rows(query, values)]

    def tunnels(self, device: str | None = None) -> list[str]:
        """Every tunnel that has an event or was there at the last poll, sorted; slow where there are thousands."""
        names = set(self.tunnels_with_events(device))
        query = "SELECT value FROM memory WHERE ? IS NULL OR device = ?"
        for row in self._rows(query, (device, device)):
            with self._told():
                names.update(tunnel.name for tunnel in unpack(row[0]).tunnels)
        return sorted(names)

    def begins_at(self) -> float | None:
        """Unix seconds of the oldest event, ``None`` where there is none."""
        at: float | None = self._rows("SELECT min(at) FROM event", ())[0][0]
        return at

    def _rows(self, query: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        with self._told(), closing(self._connection.execute(query, values)) as cursor:
            return cursor.fetchall()

    def _event(self, columns: Sequence[Any]) -> Event:
        device, tunnel, kind, at, detail, facts, evidence = columns
        with self._told():
            return event_of(
                EventRow(
                    device=device,
                    tunnel=tunnel,
                    kind=kind,
                    at=at,
                    detail=detail,
                    facts=facts,
                    evidence=evidence,
                )
            )

    @contextmanager
    def _told(self) -> Generator[None]:
        """Whatever is wrong with the file, in a sentence."""
        try:
            yield
        except HistoryUnusable as error:
            raise HistoryUnreadable(str(error)) from None
        except sqlite3.Error as error:
            if is_damage(error):
                raise HistoryUnreadable(_DAMAGED(self.path, error)) from None
            if is_forbidden(error):
                raise HistoryUnreadable(_FORBIDDEN(self.path)) from None
            reason = reason_of(error, self.path)
            raise HistoryUnreadable(f"{self.path} cannot be read: {reason}") from None
        except (MemoryDamaged, zlib.error, ValueError, TypeError) as error:
            raise HistoryUnreadable(_DAMAGED(self.path, error)) from None


_FORBIDDEN: Callable[[Path], str] = (
    "{} cannot be read by this user; read it as the user of 'ipsecmon run'".format
)
_DAMAGED: Callable[[Path, Exception], str] = (
    "{} is damaged ({}); 'ipsecmon run' moves it aside and begins a new one, or remove it".format
)


def _recorded(event: Event, row: Sequence[Any]) -> RecordedEvent:
    return RecordedEvent(number=row[0], event=event, capture_id=row[1])


def _condition(
    device: str | None,
    tunnels: Collection[str],
    kinds: Collection[EventKind],
    since: float | None,
    until: float | None,
    after_number: int,
) -> tuple[str, list[object]]:
    """What follows WHERE, and its values."""
    parts: list[str] = ["id > ?"]
    values: list[object] = [after_number]
    for part, value in (
        ("device = ?", device),
        ("at >= ?", since),
        ("at <= ?", until),
    ):
        if value is not None:
            parts.append(part)
            values.append(value)
    for column, words in (("tunnel", tunnels), ("kind", [kind.value for kind in kinds])):
        if words:
            parts.append(f"{column} IN ({', '.join('?' * len(words))})")
            values += words
    return " AND ".join(parts), values
