"""When the configuration and its sources are read again: a file changes, a source is due, somebody asks for it.

A new configuration is made completely before anything of it is used; if one cannot be made, the one in use stays.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ipsecmon.errors import IpsecmonError
from ipsecmon.inventory.collecting import Collected, Inventory

__all__ = ["ReloadHealth", "Watcher"]

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
# what mends a mistake may be a file that nobody looks at yet
RETRY_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReloadHealth:
    """How the last reading went; ``success_at`` is in Unix seconds."""

    is_successful: bool
    success_at: float
    reloads_total: int
    failures_total: int
    collected: Collected


class Watcher:
    """Reads an inventory again in a thread of its own; reloads never overlap."""

    def __init__(
        self,
        inventory: Inventory,
        collected: Collected,
        apply: Callable[[Collected], None],
        clock: Callable[[], float] = time.time,
        look_seconds: float = LOOK_SECONDS,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        """``collected`` is in use already; ``apply`` brings a newer one into use, or raises ``IpsecmonError``."""
        self._inventory = inventory
        self._apply = apply
        self._clock = clock
        self._look_seconds = look_seconds
        self._retry_seconds = retry_seconds
        self._tried_at = time.monotonic()
        self._signature = inventory.signature()
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="inventory", daemon=True)
        self._told: set[str] = set()
        self._health = ReloadHealth(
            is_successful=True,
            success_at=clock(),
            reloads_total=0,
            failures_total=0,
            collected=collected,
        )
        self._tell(collected.problems())

    @property
    def health(self) -> ReloadHealth:
        """How the last reading went."""
        return self._health

    def start(self) -> None:
        """Look from now on; returns at once."""
        self._thread.start()

    def stop(self, timeout: float = 1.0) -> None:
        """Look no more; a source that does not answer is not waited for."""
        self._stopped.set()
        self._wanted.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def request(self) -> None:
        """Read everything again soon; returns at once, fit for a signal handler."""
        self._wanted.set()

    def reload(self) -> str | None:
        """Read everything again now, after a reading that is under way; why not, where it fails."""
        return self._reload(reread=True, refetch=True)

    def look(self) -> None:
        """Read again what has changed or is due."""
        has_changed = self._inventory.signature() != self._signature
        is_to_be_retried = (
            not self._health.is_successful
            and time.monotonic() - self._tried_at >= self._retry_seconds
        )
        reread = has_changed or is_to_be_retried
        if reread or self._inventory.is_due():
            self._reload(reread=reread, refetch=False)

    def _run(self) -> None:
        while not self._stopped.is_set():
            is_wanted = self._wanted.wait(self._look_seconds)
            if self._stopped.is_set():
                return
            try:
                if is_wanted:
                    self._wanted.clear()
                    self.reload()
                else:
                    self.look()
            except Exception:
                log.exception("reading the configuration again failed by a fault of ours")

    def _reload(self, *, reread: bool, refetch: bool) -> str | None:
        with self._lock:
            # taken before the files are read: what changes meanwhile is read once more
            before = self._inventory.signature()
            self._tried_at = time.monotonic()
            try:
                collected = self._inventory.collect(reread=reread, refetch=refetch)
                if self._stopped.is_set():
                    return "ipsecmon is about to end"
                self._apply(collected)
            except IpsecmonError as error:
                return self._note_failure(str(error))
            finally:
                after = self._inventory.signature()
                self._signature = {path: before.get(path, state) for path, state in after.items()}
            self._note_success(collected, is_asked_for=refetch, has_changed=reread)
            return None

    def _note_failure(self, problem: str) -> str:
        health = self._health
        self._health = ReloadHealth(
            is_successful=False,
            success_at=health.success_at,
            reloads_total=health.reloads_total,
            failures_total=health.failures_total + 1,
            collected=health.collected,
        )
        told = f"the configuration in use stays, the new one has mistakes:\n{problem}"
        self._tell([told], keep=True)
        return told

    def _note_success(self, collected: Collected, *, is_asked_for: bool, has_changed: bool) -> None:
        health = self._health
        self._health = ReloadHealth(
            is_successful=True,
            success_at=self._clock(),
            reloads_total=health.reloads_total + 1,
            failures_total=health.failures_total,
            collected=collected,
        )
        self._tell(collected.problems())
        before, now = len(health.collected.config.devices), len(collected.config.devices)
        if is_asked_for or has_changed or before != now:
            log.info("the configuration was read again; devices: %d, before: %d", now, before)

    def _tell(self, problems: Iterable[str], *, keep: bool = False) -> None:
        """Each problem once for as long as it lasts."""
        lasting = set(self._told) if keep else set[str]()
        for problem in problems:
            if problem not in self._told:
                log.warning("%s", problem)
            lasting.add(problem)
        self._told = lasting
