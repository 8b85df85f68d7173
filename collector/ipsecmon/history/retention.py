"""What is thrown away, and in which order: raw outputs first, then events.

The memory of a device goes only when the device was not polled for as long as the history goes back.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass

from ipsecmon.history.database import transaction

__all__ = ["Retention", "apply_retention"]

_DAY_SECONDS = 86400.0
# so much of the limit is in use after a cut: the next one is not due at the next event
_FILLED = 0.9
# at once, while polls wait: a file far above a new limit comes down over several rounds
_MOST_ROUNDS = 20
_PAGES_GIVEN_BACK = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long and up to which size of its file the history goes back."""

    age_seconds: float = 90 * _DAY_SECONDS
    size_bytes: int = 500_000_000


def apply_retention(connection: sqlite3.Connection, retention: Retention, now: float) -> None:
    """Drop what is older than it may be, then the oldest until the rest fits; raises ``sqlite3.Error``."""
    oldest = now - retention.age_seconds
    with transaction(connection):
        connection.execute("DELETE FROM capture WHERE at < ?", (oldest,))
        connection.execute("DELETE FROM event WHERE at < ?", (oldest,))
        connection.execute("DELETE FROM memory WHERE saved_at < ?", (oldest,))
        _drop_texts(connection)
    if _used_bytes(connection) > retention.size_bytes:
        for _ in range(_MOST_ROUNDS):
            if _used_bytes(connection) <= _FILLED * retention.size_bytes:
                break
            with transaction(connection):
                is_done = not (
                    _drop_oldest(connection, "capture") or _drop_oldest(connection, "event")
                )
            if is_done:
                break
    if _pages(connection, "page_count") * _pages(connection, "page_size") > retention.size_bytes:
        # execute() would give back one page: it does not go on where there is no row
        connection.executescript(f"PRAGMA incremental_vacuum({_PAGES_GIVEN_BACK})").close()
        # the file itself shrinks when the journal is carried over; a reader that is in the way only delays it
        with closing(connection.execute("PRAGMA wal_checkpoint(PASSIVE)")) as rows:
            rows.fetchall()


def _drop_oldest(connection: sqlite3.Connection, table: str) -> bool:
    """A tenth of the rows; ``False`` where none is left."""
    with closing(connection.execute(f"SELECT count(*) FROM {table}")) as rows:  # noqa: S608 # of two words
        count: int = rows.fetchone()[0]
    connection.execute(
        f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} ORDER BY at, id LIMIT ?)",  # noqa: S608
        (count // 10 + 1,),
    )
    _drop_texts(connection)
    return count > 0


def _drop_texts(connection: sqlite3.Connection) -> None:
    """Texts that no capture refers to any more."""
    connection.execute(
        "DELETE FROM output_text WHERE NOT EXISTS "
        "(SELECT 1 FROM capture_output WHERE text_id = output_text.id)"
    )


def _used_bytes(connection: sqlite3.Connection) -> int:
    used = _pages(connection, "page_count") - _pages(connection, "freelist_count")
    return used * _pages(connection, "page_size")


def _pages(connection: sqlite3.Connection, pragma: str) -> int:
    with closing(connection.execute(f"PRAGMA {pragma}")) as rows:
        number: int = rows.fetchone()[0]
    return number
