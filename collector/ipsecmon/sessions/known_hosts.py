"""Host keys in a file of OpenSSH's form (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT), read by many and written by one at a time.

    192.0.2.1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA... Site1
    [192.0.2.2]:2222,[site2.example.net]:2222 ssh-rsa AAAAB3NzaC1yc2EAAAA...
    |1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg= ssh-rsa AAAAB3NzaC1yc2EAAAA...
    @revoked * ssh-rsa AAAAB3NzaC1yc2EAAAA...

Lines we cannot read, comments and other programs' lines stay as they are. Certificates of hosts are not checked, so a line
marked ``@cert-authority`` makes no key known.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import hmac
import os
import tempfile
import threading
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from ipsecmon.errors import IpsecmonError
from ipsecmon.sessions.protocol import OfferedKey

__all__ = [
    "HostKeyFileError",
    "HostKeyStore",
    "KeyState",
    "KnownKeys",
    "NewKey",
    "known_hosts_problems",
]

_LOCK_SECONDS = 10.0
_MOST_DEVICES_NAMED = 20


class HostKeyFileError(IpsecmonError, OSError):
    """The file of host keys cannot be written."""


class KeyState(StrEnum):
    """What a file says of a key that is offered."""

    KNOWN = "known"
    NEW = "new"
    """No key is known for the address."""
    CHANGED = "changed"
    """Another key of the same type is known."""
    NEW_TYPE = "new type"
    """Only keys of other types are known."""
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKeys:
    """What a file says of one address, in the order of its lines."""

    keys: tuple[OfferedKey, ...] = ()
    revoked: tuple[OfferedKey, ...] = ()

    def state_of(self, key: OfferedKey) -> KeyState:
        """A revoked key is good for nothing, known or not."""
        if key in self.revoked:
            return KeyState.REVOKED
        if key in self.keys:
            return KeyState.KNOWN
        if not self.keys:
            return KeyState.NEW
        same_type = any(one.algorithm == key.algorithm for one in self.keys)
        return KeyState.CHANGED if same_type else KeyState.NEW_TYPE


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key to be written down; ``comment`` stands behind it for the reader of the file."""

    host: str
    port: int
    key: OfferedKey
    comment: str = ""


class _Hash(NamedTuple):
    """A hashed name: ``|1|salt|HMAC-SHA1 of the name under it``, both in base64."""

    salt: bytes
    digest: bytes


class _Signature(NamedTuple):
    """Tells whether a file is still the one that was read."""

    modified_ns: int
    changed_ns: int
    size: int
    inode: int


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    marker: str
    """``@revoked``, ``@cert-authority`` or nothing."""
    hosts: str
    key: OfferedKey

    @property
    def is_pattern(self) -> bool:
        return any(char in self.hosts for char in "*?!")


@dataclass(slots=True)
class _Index:
    """The lines of one reading of the file, by the names they are for."""

    by_name: dict[str, list[_Line]] = field(default_factory=dict[str, list[_Line]])
    hashed: dict[_Hash, list[_Line]] = field(default_factory=dict[_Hash, list[_Line]])
    """Lines whose name is not known yet."""
    patterns: list[_Line] = field(default_factory=list[_Line])
    mistakes: list[str] = field(default_factory=list[str])
    last_number: int = 0
    found: dict[str, KnownKeys] = field(default_factory=dict[str, KnownKeys])

    def add(self, line: _Line, unhashed: dict[_Hash, str]) -> None:
        """``unhashed``: names by their hashes, as far as they have been asked for before."""
        self.found.clear()
        if line.hosts.startswith("|1|"):
            hashed = _hash(line.hosts)
            if hashed is None:
                return
            name = unhashed.get(hashed)
            lines = (
                self.hashed.setdefault(hashed, [])
                if name is None
                else self.by_name.setdefault(name, [])
            )
            lines.append(line)
        elif line.is_pattern:
            self.patterns.append(line)
        else:
            for name in line.hosts.lower().split(","):
                self.by_name.setdefault(name, []).append(line)

    def lookup(self, name: str, unhashed: dict[_Hash, str]) -> KnownKeys:
        known = self.found.get(name)
        if known is None:
            known = self.found[name] = _known(self.lines(name, unhashed))
        return known

    def lines(self, name: str, unhashed: dict[_Hash, str]) -> list[_Line]:
        """Those for this name, in the order of the file."""
        # each hash stands for one name: once it is found nobody needs to try it again
        data = name.encode()
        for one in [
            one for one in self.hashed if hmac.digest(one.salt, data, "sha1") == one.digest
        ]:
            unhashed[one] = name
            self.by_name.setdefault(name, []).extend(self.hashed.pop(one))
        matching = [line for line in self.patterns if _matches(line.hosts, name)]
        return sorted([*self.by_name.get(name, ()), *matching], key=lambda line: line.number)


class HostKeyStore:
    """The host keys of a file; safe to use from many threads, and beside other processes that use this class.

    The file is read again when it has changed; to see that it has not costs one ``stat``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.first_uses = 0
        """Keys written down by ``add_first``."""
        self._lock = threading.RLock()
        self._index = _Index()
        self._signature: _Signature | None = None
        self._trouble: str | None = None
        self._is_missing = False
        self._unhashed: dict[_Hash, str] = {}

    def known(self, host: str, port: int) -> KnownKeys:
        """What the file says of an address now; nothing where it cannot be read, see ``trouble``."""
        with self._lock:
            self._refresh()
            return self._index.lookup(_name(host, port), self._unhashed)

    @property
    def trouble(self) -> str | None:
        """Why the file cannot be read: ``no such file or directory``; ``None`` when it can."""
        with self._lock:
            self._refresh()
            return self._trouble

    @property
    def is_missing(self) -> bool:
        """There is no file: the first key makes one."""
        with self._lock:
            self._refresh()
            return self._is_missing

    @property
    def mistakes(self) -> tuple[str, ...]:
        """A sentence per line that was meant to hold a key and does not."""
        with self._lock:
            self._refresh()
            return tuple(self._index.mistakes)

    def add_first(self, new: NewKey) -> KnownKeys:
        """Write the key down unless one is known for its address; returns what was known before."""
        with self._lock, self._sole_writer():
            self._refresh()
            self._ensure_readable()
            before = self._index.lookup(_name(new.host, new.port), self._unhashed)
            if before.state_of(new.key) is KeyState.NEW:
                self._append([new])
                self.first_uses += 1
            return before

    def add(self, new: Sequence[NewKey], *, replace: bool = False) -> tuple[OfferedKey, ...]:
        """Write keys down, all at once; with ``replace`` in the place of those known for their addresses.

        Returns the keys that were taken out. Raises ``HostKeyFileError``.
        """
        with self._lock, self._sole_writer():
            self._refresh()
            self._ensure_readable()
            if not replace:
                self._append(new)
                return ()
            return self._replace(new)

    def _refresh(self) -> None:
        try:
            signature = _signature(os.stat(self.path))  # noqa: PTH116 # half the cost of Path.stat
            if signature == self._signature:
                return
            text = self.path.read_bytes().decode(errors="replace")
        except OSError as error:
            self._index, self._signature = _Index(), None
            self._is_missing = isinstance(error, FileNotFoundError)
            self._trouble = (error.strerror or str(error)).lower()
            return
        self._index = _read(text, self._unhashed)
        self._signature, self._trouble, self._is_missing = signature, None, False

    def _ensure_readable(self) -> None:
        """What cannot be read must not be added to: it may say that the key is wrong."""
        if self._trouble is not None and not self.is_missing:
            raise HostKeyFileError(f"{self.path} cannot be read: {self._trouble}")

    @contextmanager
    def _sole_writer(self) -> Generator[None]:
        """One writer of all threads and processes; locks a file beside, since replacing changes the file itself."""
        beside = self._real_path.with_name(self._real_path.name + ".lock")
        try:
            lock = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._not_written(error) from error
        try:
            _lock_within(lock, _LOCK_SECONDS, beside)
            yield
        except HostKeyFileError:
            raise
        except OSError as error:
            raise self._not_written(error) from error
        finally:
            os.close(lock)

    def _not_written(self, error: OSError) -> HostKeyFileError:
        reason = (error.strerror or str(error)).lower()
        return HostKeyFileError(
            f"{self.path} cannot be written: {reason}; the file and its folder must be writable for this user"
        )

    @property
    def _real_path(self) -> Path:
        """A link stays a link."""
        return self.path.resolve()

    def _append(self, new: Sequence[NewKey]) -> None:
        is_first = self.is_missing
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        file = os.open(self._real_path, flags, 0o600)
        try:
            before = os.fstat(file)
            lines = [_text(one) for one in new]
            opening = "" if _ends_with_newline(file, before.st_size) else "\n"
            data = (opening + "".join(lines)).encode()
            if os.write(file, data) != len(data):
                raise OSError("the disk is full")
            os.fsync(file)
            after = os.fstat(file)
        finally:
            os.close(file)
        if is_first:
            _sync_folder(self._real_path)
        is_ours_alone = after.st_size == before.st_size + len(data)
        if is_ours_alone and self._signature == _signature(before):
            for text in lines:
                self._index.last_number += 1
                _read_line(self._index, text, self._unhashed)
            self._signature = _signature(after)

    def _replace(self, new: Sequence[NewKey]) -> tuple[OfferedKey, ...]:
        names = {_name(one.host, one.port) for one in new}
        old: dict[int, list[str]] = {}
        removed: list[OfferedKey] = []
        for name in names:
            for line in self._index.lines(name, self._unhashed):
                if line.marker:
                    continue
                if line.is_pattern:
                    raise HostKeyFileError(
                        f"{self.path}:{line.number}: this line is for {name} and for others, by a pattern; "
                        f"change it by hand"
                    )
                old.setdefault(line.number, []).append(name)
                removed.append(line.key)
        if not removed:
            self._append(new)
            return ()
        lines = _lines(self._real_path.read_bytes().decode(errors="surrogateescape"))
        kept = (
            _without(text, old[number]) if number in old else text
            for number, text in enumerate(lines, start=1)
        )
        text = "".join(f"{one}\n" for one in kept if one is not None)
        _write_anew(self._real_path, text + "".join(_text(one) for one in new))
        return tuple(removed)


def known_hosts_problems(store: HostKeyStore, devices: Iterable[tuple[str, str, int]]) -> list[str]:
    """What keeps ``strict`` from letting in devices (name, host, port): a sentence each."""
    path = store.path
    if store.trouble is not None:
        return [
            f"{path}: {store.trouble}, so every device will be refused; ipsecmon hostkeys scan shows their keys"
        ]
    without = [
        (name, _name(host, port))
        for name, host, port in devices
        if not store.known(host, port).keys
    ]
    found = [
        f"{path}: no host key for {entry}, so {name} will be refused; "
        f"verify its key and add it: ipsecmon hostkeys trust {name}"
        for name, entry in without[:_MOST_DEVICES_NAMED]
    ]
    if more := len(without) - len(found):
        found.append(f"{path}: no host key for {more} more devices: ipsecmon hostkeys show")
    return [*(f"{path}: {mistake}" for mistake in store.mistakes), *found]


def _name(host: str, port: int) -> str:
    """As the file names it: ``192.0.2.1``, ``[192.0.2.1]:2222``."""
    return host.lower() if port == 22 else f"[{host.lower()}]:{port}"


def _text(new: NewKey) -> str:
    blob = base64.b64encode(new.key.blob).decode("ascii")
    parts = [_name(new.host, new.port), new.key.algorithm, blob, *new.comment.split()]
    return " ".join(parts) + "\n"


def _read(text: str, unhashed: dict[_Hash, str]) -> _Index:
    index = _Index()
    for line in _lines(text):
        index.last_number += 1
        _read_line(index, line, unhashed)
    return index


def _lines(text: str) -> list[str]:
    """Without the line feeds; unlike ``splitlines`` no other character ends a line."""
    lines = text.split("\n")
    return lines if lines[-1] else lines[:-1]


def _read_line(index: _Index, text: str, unhashed: dict[_Hash, str]) -> None:
    number = index.last_number
    fields = text.split(None, 4)
    if not fields or fields[0].startswith("#"):
        return
    marker = fields.pop(0) if fields[0].startswith("@") else ""
    if marker not in ("", "@revoked", "@cert-authority"):
        index.mistakes.append(
            f"line {number}: found {marker}, accepted: @revoked, @cert-authority; it counts for nothing"
        )
        return
    key = _key(fields[1], fields[2]) if len(fields) >= 3 else None
    if key is None:
        index.mistakes.append(
            f"line {number}: no whole host key, it counts for nothing; "
            f"expected: hosts, the type of the key, the key in base64"
        )
        return
    index.add(_Line(number, marker, fields[0], key), unhashed)


def _key(algorithm: str, encoded: str) -> OfferedKey | None:
    """A key is a row of strings with their lengths before them, the first of them its type (RFC 4253, section 6.6)."""
    try:
        blob = binascii.a2b_base64(encoded, strict_mode=True)
    except ValueError:
        return None
    start, parts = 0, 0
    while start + 4 <= len(blob):
        end = start + 4 + int.from_bytes(blob[start : start + 4], "big")
        if parts == 0 and blob[start + 4 : end] != algorithm.encode():
            return None
        start, parts = end, parts + 1
    return OfferedKey(algorithm=algorithm, blob=blob) if start == len(blob) and parts > 1 else None


def _known(lines: Iterable[_Line]) -> KnownKeys:
    keys: dict[OfferedKey, None] = {}
    revoked: dict[OfferedKey, None] = {}
    for line in lines:
        match line.marker:
            case "@revoked":
                revoked[line.key] = None
            case "@cert-authority":
                pass
            case _:
                keys[line.key] = None
    return KnownKeys(keys=tuple(one for one in keys if one not in revoked), revoked=tuple(revoked))


def _hash(hosts: str) -> _Hash | None:
    try:
        _, _, salt, digest = hosts.split("|")
        return _Hash(binascii.a2b_base64(salt), binascii.a2b_base64(digest))
    except ValueError:
        return None


def _matches(patterns: str, name: str) -> bool:
    """``*`` and ``?`` as OpenSSH has them; one that begins with ``!`` takes the name out again."""
    found = False
    for pattern in patterns.lower().split(","):
        # to fnmatch a bracket is a set of characters, to OpenSSH it is a bracket
        if fnmatchcase(name, pattern.removeprefix("!").replace("[", "[[]")):
            if pattern.startswith("!"):
                return False
            found = True
    return found


def _without(text: str, names: list[str]) -> str | None:
    """The line for the other names it is for; ``None`` when there are none."""
    hosts, rest = text.split(None, 1)
    left = [one for one in hosts.split(",") if one.lower() not in names]
    if hosts.startswith("|1|") or not left:
        return None
    return f"{','.join(left)} {rest}"


def _signature(stat: os.stat_result) -> _Signature:
    return _Signature(stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino)


def _ends_with_newline(file: int, size: int) -> bool:
    return size == 0 or os.pread(file, 1, size - 1) == b"\n"


def _write_anew(path: Path, text: str) -> None:
    """Whole or not at all, with the mode and, where that is allowed, the owner it had."""
    stat = path.stat()
    file, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(file, "wb") as stream:
            os.fchmod(file, stat.st_mode & 0o7777)
            with suppress(PermissionError):
                os.fchown(file, stat.st_uid, stat.st_gid)
            stream.write(text.encode(errors="surrogateescape"))
            stream.flush()
            os.fsync(file)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(path)


def _sync_folder(path: Path) -> None:
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _lock_within(file: int, seconds: float, path: Path) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise HostKeyFileError(
                    f"{path}: another process has held the lock for {seconds:g} s; is it stopped?"
                ) from None
            time.sleep(0.002)
        else:
            return
