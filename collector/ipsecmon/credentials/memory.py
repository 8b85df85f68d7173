"""Keeps what was costly to get, for a short time: a thousand logins do not start a thousand programs.

One asks, the others wait for its answer. A failure is kept too, for seconds, so that a Vault in trouble is not asked by every
device in turn.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field

from ipsecmon.config import Secret
from ipsecmon.credentials.problems import Problem

__all__ = ["Memory"]

KEEP_SECONDS = 300.0
KEEP_FAILURE_SECONDS = 10.0
# a secret younger than this is not asked for again although a device refused it
FRESH_SECONDS = 10.0


@dataclass(slots=True)
class Entry:
    lock: threading.Lock = field(default_factory=threading.Lock)
    found: Secret | Problem | None = None
    read_at: float = 0.0
    until: float = 0.0


class Memory:
    """Answers by source; safe to use from many threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: dict[Hashable, Entry] = {}

    def get(self, source: Hashable, ask: Callable[[], Secret | Problem]) -> Secret | Problem:
        """What ``source`` answered lately, or what it answers to ``ask`` now."""
        with self._lock:
            entry = self._entries.setdefault(source, Entry())
        with entry.lock:
            if entry.found is None or self._clock() >= entry.until:
                entry.found = ask()
                entry.read_at = self._clock()
                is_failure = isinstance(entry.found, Problem)
                entry.until = entry.read_at + (KEEP_FAILURE_SECONDS if is_failure else KEEP_SECONDS)
            return entry.found

    def doubt(self, sources: Iterable[Hashable]) -> None:
        """A device refused what these answered: ask again at the next use, unless that was only just done."""
        with self._lock:
            entries = [self._entries[source] for source in sources if source in self._entries]
        for entry in entries:
            if not entry.lock.acquire(blocking=False):
                continue  # it is being asked again already, and may take its time
            try:
                entry.until = min(entry.until, entry.read_at + FRESH_SECONDS)
            finally:
                entry.lock.release()
