"""When each device is polled; the only file that imports APScheduler.

Measured settings: the default ``misfire_grace_time`` of 1 s loses polls in silence whenever the pool is busy, so it is
the interval; APScheduler's ``jitter`` accumulates (60 s became 64.9 s), so devices are spread by a phase hashed from
their names, which also stays the same across restarts.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.events import (
    EVENT_JOB_ERROR,
    EVENT_JOB_MAX_INSTANCES,
    EVENT_JOB_MISSED,
    JobEvent,
    JobExecutionEvent,
)
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

__all__ = ["PollScheduler", "phase_seconds"]

log = logging.getLogger(__name__)

# Everybody wants to see something at start-up, and no AAA server wants to see everybody at once.
_FIRST_POLLS_WITHIN_SECONDS = 10.0


class PollScheduler:
    """Calls ``poll(device)`` for every device at its interval, in at most ``workers`` threads."""

    def __init__(self, poll: Callable[[str], bool], workers: int) -> None:
        """``poll`` answers ``False`` where the device is still busy with its last poll."""
        self._poll_device = poll
        self._missed = 0
        self._lag_seconds = 0.0
        self._lock = threading.Lock()
        self._is_running = False
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(max_workers=workers)},
            job_defaults={"coalesce": True, "max_instances": 1},
            timezone=UTC,
        )
        self._scheduler.add_listener(
            self._note, EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES | EVENT_JOB_ERROR
        )

    @property
    def missed(self) -> int:
        """Polls that were due and did not start."""
        return self._missed

    @property
    def lag_seconds(self) -> float:
        """How late the newest poll began: the workers may have been busy when it was due."""
        return self._lag_seconds

    def add(self, device: str, interval_seconds: float) -> None:
        """Poll ``device`` soon, then every ``interval_seconds`` at its own phase."""
        grace = max(1, int(interval_seconds))
        phase = phase_seconds(device, interval_seconds)
        soon = min(phase, _FIRST_POLLS_WITHIN_SECONDS * phase / interval_seconds)
        first = datetime.now(UTC) + timedelta(seconds=soon)
        # the first regular poll keeps half an interval of distance from this one
        not_before = first.timestamp() + interval_seconds / 2
        start = not_before + (phase - not_before) % interval_seconds
        self._scheduler.add_job(
            self._poll,
            DateTrigger(first, timezone=UTC),
            args=(device, first.timestamp(), interval_seconds),
            id=f"first:{device}",
            name=f"first:{device}",
            misfire_grace_time=None,
        )
        self._scheduler.add_job(
            self._poll,
            IntervalTrigger(
                seconds=interval_seconds,
                start_date=datetime.fromtimestamp(start, UTC),
                timezone=UTC,
            ),
            args=(device, start, interval_seconds),
            id=f"poll:{device}",
            name=f"poll:{device}",
            misfire_grace_time=grace,
        )

    def remove(self, device: str) -> None:
        """Poll ``device`` no more; a poll of it that runs ends by itself."""
        for job in (f"first:{device}", f"poll:{device}"):
            with contextlib.suppress(JobLookupError):
                self._scheduler.remove_job(job)

    def reschedule(self, device: str, interval_seconds: float) -> None:
        """Poll ``device`` at another interval from now on."""
        self.remove(device)
        self.add(device, interval_seconds)

    def start(self) -> None:
        """Begin; returns at once."""
        self._scheduler.start()
        self._is_running = True

    def stop(self) -> None:
        """Start nothing any more; polls that run end by themselves."""
        if not self._is_running:
            return
        self._is_running = False
        self._scheduler.pause()
        self._scheduler.remove_all_jobs()
        self._scheduler.shutdown(wait=False)

    def _note(self, event: JobEvent) -> None:
        if event.code == EVENT_JOB_ERROR:
            error = event.exception if isinstance(event, JobExecutionEvent) else None
            log.error("job %s failed: %r", event.job_id, error)
            return
        self._note_missed(event.job_id.partition(":")[2])

    def _poll(self, device: str, due: float, interval_seconds: float) -> None:
        """``due`` is the time of the first poll of this job; each after it is due an interval later."""
        self._lag_seconds = max(0.0, datetime.now(UTC).timestamp() - due) % interval_seconds
        if not self._poll_device(device):
            self._note_missed(device)

    def _note_missed(self, device: str) -> None:
        with self._lock:
            self._missed += 1
        log.warning(
            "a poll was due and could not start: the one before it still runs, or all workers are busy; "
            "raise the interval or poll.workers",
            extra={"device": device},
        )


def phase_seconds(device: str, interval_seconds: float) -> float:
    """Where in the interval this device is polled: 0 <= phase < interval, the same on every machine."""
    digest = hashlib.sha256(device.encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 * interval_seconds
