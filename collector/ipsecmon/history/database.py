"""The file of the history: its tables, how it is opened, what counts as damage.

SQLite in WAL mode: readers of other processes never wait for the writer, nor it for them. Sources: sqlite.org/wal.html,
sqlite.org/pragma.html, sqlite.org/rescode.html.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from ipsecmon.errors import IpsecmonError

__all__ = [
    "SCHEMA_VERSION",
    "HistoryUnusable",
    "connect",
    "connect_read_only",
    "is_damage",
    "is_forbidden",
    "move_aside",
    "reason_of",
    "transaction",
]

SCHEMA_VERSION = 1
_APPLICATION_ID = 0x69707365  # "ipse": told apart from the databases of other programs
# every poll waits behind one that waits for a lock
_BUSY_SECONDS = 1.0
# nobody waits behind a reader; what it may meet is a writer that puts right a journal after a kill
_READER_SECONDS = 5.0
_NO_INDEX = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}
_LARGEST_JOURNAL_BYTES = 16 * 1024 * 1024

_SCHEMA = """
CREATE TABLE capture (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    device TEXT NOT NULL,
    at REAL NOT NULL
);
CREATE INDEX capture_at ON capture (at);
CREATE TABLE output_text (
    id INTEGER PRIMARY KEY,
    sha256 BLOB NOT NULL UNIQUE,
    compressed BLOB NOT NULL
);
CREATE TABLE capture_output (
    capture_id INTEGER NOT NULL REFERENCES capture (id) ON DELETE CASCADE,
    is_after INTEGER NOT NULL,
    position INTEGER NOT NULL,
    command TEXT NOT NULL,
    started_at REAL NOT NULL,
    ended_at REAL NOT NULL,
    text_id INTEGER NOT NULL REFERENCES output_text (id),
    PRIMARY KEY (capture_id, is_after, position)
) WITHOUT ROWID;
CREATE INDEX capture_output_text ON capture_output (text_id);
CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    device TEXT NOT NULL,
    tunnel TEXT NOT NULL,
    kind TEXT NOT NULL,
    at REAL NOT NULL,
    detail TEXT NOT NULL,
    facts TEXT NOT NULL,
    evidence TEXT NOT NULL,
    capture_id INTEGER REFERENCES capture (id) ON DELETE SET NULL,
    UNIQUE (device, tunnel, kind, at)
);
CREATE INDEX event_at ON event (at);
CREATE INDEX event_capture ON event (capture_id);
CREATE TABLE memory (
    device TEXT PRIMARY KEY,
    saved_at REAL NOT NULL,
    read_at REAL,
    value BLOB NOT NULL
);
"""


class HistoryUnusable(IpsecmonError):
    """The file is whole and not ours to write: of another program, or of a newer version of this one."""


def connect(path: Path) -> sqlite3.Connection:
    """The file, made with its tables where it is not there; raises ``sqlite3.Error``, ``OSError``, ``HistoryUnusable``."""
    # what the routers said is not for everybody; a group may read it
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o640))
    connection = sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        _prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    has_tables = _value(connection, "SELECT count(*) FROM sqlite_master") > 0
    version = _value(connection, "PRAGMA user_version")
    if has_tables:
        _check_ours(connection, path)
    else:
        # only before the first table is made does this take effect
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    connection.execute(f"PRAGMA journal_size_limit = {_LARGEST_JOURNAL_BYTES}").fetchall()
    connection.execute("PRAGMA foreign_keys = ON")
    if not has_tables or version == 0:
        with transaction(connection):
            for statement in _SCHEMA.split(";"):
                if statement.strip():
                    connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _check_ours(connection: sqlite3.Connection, path: Path) -> None:
    if _value(connection, "PRAGMA application_id") != _APPLICATION_ID:
        raise HistoryUnusable(
            f"{path} is the database of another program and is left alone; name another file under 'history.path'"
        )
    version = _value(connection, "PRAGMA user_version")
    if version > SCHEMA_VERSION:
        raise HistoryUnusable(
            f"{path} was written by a newer ipsecmon (its form is {version}, this one writes {SCHEMA_VERSION}) and is "
            f"left alone; run that version, or name another file under 'history.path'"
        )


def connect_read_only(path: Path) -> sqlite3.Connection:
    """The file for queries, while another process may write it; raises ``sqlite3.Error`` and ``HistoryUnusable``."""
    address = path.resolve().as_uri()
    connection = sqlite3.connect(
        f"{address}?mode=ro", uri=True, timeout=_READER_SECONDS, isolation_level=None
    )
    try:
        _check_ours(connection, path)
    except sqlite3.OperationalError as error:
        connection.close()
        # without a writer there is no index of the journal, and who may not write the folder cannot make one
        journal = path.with_name(path.name + "-wal")
        if _code(error) not in _NO_INDEX or journal.exists():
            raise
        connection = sqlite3.connect(f"{address}?immutable=1", uri=True, isolation_level=None)
        with _closed_on_error(connection):
            _check_ours(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def _closed_on_error(connection: sqlite3.Connection) -> Generator[None]:
    try:
        yield
    except BaseException:
        connection.close()
        raise


def _value(connection: sqlite3.Connection, query: str) -> int:
    with closing(connection.execute(query)) as cursor:
        number: int = cursor.fetchone()[0]
    return number


@contextmanager
def transaction(connection: sqlite3.Connection) -> Generator[None]:
    """All of it or nothing; the lock to write is taken at once."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # a full disk has rolled back already
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def is_damage(error: sqlite3.Error) -> bool:
    """The content of the file is wrong, and no waiting makes it right."""
    return _code(error) in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def is_forbidden(error: sqlite3.Error) -> bool:
    """The rights of the file or its folder are in the way."""
    return _code(error) in {
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_READONLY,
    }


def _code(error: sqlite3.Error) -> int:
    """The primary result code; errors of the Python module have none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def reason_of(error: Exception, path: Path) -> str:
    """Why the file cannot be written, and what to do, as the end of a sentence."""
    if isinstance(error, OSError):
        return _reason_of_os(error, path)
    if not isinstance(error, sqlite3.Error):
        return str(error)
    match _code(error):
        case sqlite3.SQLITE_FULL:
            return "its disk is full; make room there"
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return f"another program has locked it; 'fuser {path}' names it"
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return "this user may not write it; change its owner, or 'history.path'"
        case sqlite3.SQLITE_CANTOPEN:
            return f"it cannot be opened; may this user write the folder {path.parent}?"
        case sqlite3.SQLITE_IOERR:
            return f"its disk answers with an error ({error}); look at the log of the system"
        case _:
            return str(error)


def _reason_of_os(error: OSError, path: Path) -> str:
    if isinstance(error, FileNotFoundError):
        return f"there is no folder {path.parent}; make it, or change 'history.path'"
    if isinstance(error, IsADirectoryError):
        return "it is a folder; name a file under 'history.path'"
    if isinstance(error, PermissionError):
        return "this user may not write it; change its owner, or 'history.path'"
    return f"{error.strerror or error}"


def move_aside(path: Path, at: float) -> Path:
    """Rename a damaged file and its journal; gives the new name, one that was free."""
    stamp = datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.damaged-{stamp}-{number}")
    path.rename(aside)
    path.with_name(path.name + "-shm").unlink(missing_ok=True)
    journal = path.with_name(path.name + "-wal")
    if journal.exists():
        journal.rename(aside.with_name(aside.name + "-wal"))
    return aside
