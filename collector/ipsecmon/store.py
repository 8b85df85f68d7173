"""Holds the newest result per device; readers get one immutable snapshot, writers swap it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ipsecmon.model import Event, PollResult, Snapshot

__all__ = ["Entry", "Store"]

_EVENTS_KEPT = 100


@dataclass(frozen=True, slots=True)
class Entry:
    """A result and its samples, rendered once: exposition lines by metric name."""

    result: PollResult
    exposition: Mapping[str, bytes]


@dataclass(slots=True)
class Store:
    """The one place where poll results meet scrapes, pages and dumps.

    A poll of one device must not cost a copy of ten thousand: readers get a copy, and the same one until a poll ends.
    """

    _newest: dict[str, Entry] = field(default_factory=dict[str, Entry])
    _shown: Mapping[str, Entry] | None = None
    _events: tuple[Event, ...] = ()
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, result: PollResult, exposition: Mapping[str, bytes]) -> None:
        """Replace what is known of ``result.device``."""
        with self._lock:
            self._newest[result.device] = Entry(result, exposition)
            self._shown = None
            self._events = (*self._events, *result.events)[-_EVENTS_KEPT:]

    def remove(self, device: str) -> None:
        """Forget ``device`` and what happened to it."""
        with self._lock:
            self._newest.pop(device, None)
            self._shown = None
            self._events = tuple(event for event in self._events if event.device != device)

    def recent_events(self) -> tuple[Event, ...]:
        """The last events of all devices, oldest first."""
        return self._events

    def entries(self) -> Mapping[str, Entry]:
        """All devices at one moment, with their rendered samples."""
        with self._lock:
            if self._shown is None:
                self._shown = MappingProxyType(dict(self._newest))
            return self._shown

    def snapshot(self) -> Snapshot:
        """All devices at one moment."""
        return {device: entry.result for device, entry in self.entries().items()}

    def get(self, device: str) -> PollResult | None:
        """The newest result of one device, ``None`` before its first poll."""
        entry = self._newest.get(device)
        return entry.result if entry else None

    def exposition(self, device: str) -> Mapping[str, bytes]:
        """The samples of one device as rendered last; empty before its first poll."""
        entry = self._newest.get(device)
        return entry.exposition if entry else {}
