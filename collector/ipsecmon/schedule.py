"""When each device is polled, and in whose place; the only file that imports APScheduler.

APScheduler keeps the times; its own ways are left where they were measured to cost polls: its ``misfire_grace_time``
loses polls in silence whenever the workers are busy, its ``jitter`` accumulates (60 s became 64.9 s), its threads keep a
process from ending. So a job only decides and hands its device to a worker, devices are spread by a phase hashed from
their names, which stays the same across restarts, and what could not start is counted.

Devices that answer have workers of their own. One that was never read, fails, or must be logged in to again is polled
by the login workers: however many of those hang, they take nothing from the others.

A step of the wall clock moves all due times with it, so polls go on at their pace; it is noticed when the next device
is due at the latest.
"""

from __future__ import annotations

import hashlib
import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import Enum, StrEnum, auto
from functools import partial

from apscheduler.executors.base import BaseExecutor
from apscheduler.job import Job
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

__all__ = ["Lane", "Lateness", "Missed", "PollScheduler", "phase_seconds"]

log = logging.getLogger(__name__)

# Everybody wants to see something at start-up, and no AAA server wants to see everybody at once.
_FIRST_POLLS_WITHIN_SECONDS = 10.0
# The wall clock runs up to this much faster or slower between two looks at it; more is a step.
_CLOCK_STEP_SECONDS = 1.0


class Lane(Enum):
    """Who polls a device this time."""

    LIVING = auto()
    """The workers of the devices that answer."""
    LOGIN = auto()
    """The workers of those that were never read, fail, or must be logged in to."""
    RESTING = auto()
    """Nobody: it is left alone for a while."""


class Missed(StrEnum):
    """Why a poll that was due did not start."""

    RUNNING = "running"
    """The poll of this device before it still runs."""
    WORKERS = "workers"
    """The poll before it still waits for one of the workers."""
    LOGIN_WORKERS = "login_workers"
    """The poll before it still waits for one of the login workers."""


_WHY = {
    Missed.RUNNING: "the one before it still runs; raise the interval or lower the timeout",
    Missed.WORKERS: "all workers are busy; raise poll.workers or the interval",
    Missed.LOGIN_WORKERS: "all login workers are busy with devices that do not answer; raise poll.login_workers",
}


class Lateness:
    """How late polls began: all of them in buckets, the newest ones for quantiles. Safe to use from many threads."""

    BOUNDS_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

    def __init__(self, kept: int = 16384) -> None:
        """``kept``: how many of the newest polls the quantiles are taken from."""
        self._lock = threading.Lock()
        self._newest: deque[float] = deque(maxlen=kept)
        self._counts = [0] * (len(self.BOUNDS_SECONDS) + 1)
        self._sum_seconds = 0.0

    def note(self, seconds: float) -> None:
        """A poll began so late."""
        place = next(
            (n for n, bound in enumerate(self.BOUNDS_SECONDS) if seconds <= bound),
            len(self.BOUNDS_SECONDS),
        )
        with self._lock:
            self._newest.append(seconds)
            self._counts[place] += 1
            self._sum_seconds += seconds

    @property
    def last_seconds(self) -> float:
        """Of the newest poll; 0 before the first one."""
        with self._lock:
            return self._newest[-1] if self._newest else 0.0

    def quantile(self, share: float) -> float:
        """The lateness in seconds that this share (0 to 1) of the newest polls does not exceed; 0 without polls."""
        with self._lock:
            ordered = sorted(self._newest)
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0

    def histogram(self) -> tuple[tuple[int, ...], float]:
        """Counts of polls up to each of ``BOUNDS_SECONDS`` and beyond (not cumulative), and the sum in seconds."""
        with self._lock:
            return tuple(self._counts), self._sum_seconds

    def clear(self) -> None:
        """Begin anew: what happened at start-up says nothing of the hours after it."""
        with self._lock:
            self._newest.clear()
            self._counts = [0] * len(self._counts)
            self._sum_seconds = 0.0


class PollScheduler:
    """Calls ``poll(device)`` for every device at its interval; safe to use from many threads."""

    def __init__(
        self,
        poll: Callable[[str], bool],
        lane: Callable[[str], Lane],
        workers: int,
        login_workers: int,
        slow_seconds: float = 5.0,
    ) -> None:
        """``poll`` answers ``False`` where the device is still busy with a poll that somebody else asked for.

        ``lane`` is asked in the scheduler's own thread whenever a device is due: it must answer without waiting. A poll
        of a device that answered before gives its worker's place to others after ``slow_seconds``: it may be one of
        many that died together. There are at most as many such places more as there are ``workers``.
        """
        self._poll_device = poll
        self._lane = lane
        self._workers = {
            Lane.LIVING: _Workers(workers, slow_seconds),
            Lane.LOGIN: _Workers(login_workers),
        }
        self._lateness = {Lane.LIVING: Lateness(), Lane.LOGIN: Lateness()}
        self._intervals: dict[str, float] = {}
        self._under_way: dict[str, _UnderWay] = {}
        self._missed = dict.fromkeys(Missed, 0)
        self._rested = 0
        self._lock = (
            threading.Lock()
        )  # never held while APScheduler is called: it calls us in its own
        self._is_running = False
        self._scheduler = _SteadyScheduler()

    @property
    def missed(self) -> int:
        """Polls that were due and did not start."""
        return sum(self.missed_by_cause.values())

    @property
    def missed_by_cause(self) -> Mapping[Missed, int]:
        """Polls that were due and did not start; one of a resting device was not due."""
        with self._lock:
            return dict(self._missed)

    @property
    def rested(self) -> int:
        """Polls left out because their device was left alone."""
        return self._rested

    @property
    def lag_seconds(self) -> float:
        """How late the newest poll of a device that answers began."""
        return self._lateness[Lane.LIVING].last_seconds

    def lateness(self, lane: Lane) -> Lateness:
        """How late polls began among the ``LIVING`` or in ``LOGIN``."""
        return self._lateness[lane]

    def waiting(self, lane: Lane) -> int:
        """Polls that wait for a worker now."""
        return self._workers[lane].waiting

    def next_due(self, device: str) -> float | None:
        """When ``device`` is due next, Unix seconds; ``None`` for one that is not there."""
        job = self._scheduler.get_job(device)
        due = job.next_run_time if job else None
        return due.timestamp() if due else None

    def add(self, device: str, interval_seconds: float) -> None:
        """Poll ``device`` soon, then every ``interval_seconds`` at its own phase."""
        phase = phase_seconds(device, interval_seconds)
        soon = min(phase, _FIRST_POLLS_WITHIN_SECONDS * phase / interval_seconds)
        self._scheduler.mind_the_clock()
        self._put(device, interval_seconds, time.time() + soon)

    def reschedule(self, device: str, interval_seconds: float) -> None:
        """From now on every ``interval_seconds``; a device that has this interval keeps its next poll."""
        with self._lock:
            if self._intervals.get(device) == interval_seconds:
                return
        self._scheduler.mind_the_clock()
        now = time.time()
        phase = phase_seconds(device, interval_seconds)
        self._put(device, interval_seconds, now + (phase - now) % interval_seconds)

    def hasten(self, device: str) -> None:
        """Let ``device`` be due now, or after the poll it is in, then at its phase; one that is not there is not polled."""
        with self._lock:
            under_way = self._under_way.get(device)
            if under_way is not None:
                # one that still waits for a worker begins after this anyway
                under_way.is_to_follow = under_way.is_running
                return
        self._scheduler.mind_the_clock()
        try:
            self._scheduler.modify_job(device, next_run_time=datetime.now(UTC))
        except JobLookupError:
            return

    def remove(self, device: str) -> None:
        """Poll ``device`` no more; a poll of it that runs ends by itself."""
        with self._lock:
            self._intervals.pop(device, None)
        try:
            self._scheduler.remove_job(device)
        except JobLookupError:
            return

    def limit(self, workers: int, login_workers: int) -> None:
        """So many workers from now on; one too many ends after the poll it is at."""
        self._workers[Lane.LIVING].limit(workers)
        self._workers[Lane.LOGIN].limit(login_workers)

    def start(self) -> None:
        """Begin; returns at once."""
        self._scheduler.start()
        self._is_running = True

    def stop(self) -> None:
        """Start nothing any more; polls that run end by themselves, and keep no process from ending."""
        if self._is_running:
            self._is_running = False
            self._scheduler.pause()
            self._scheduler.remove_all_jobs()
            self._scheduler.shutdown(wait=False)
        for workers in self._workers.values():
            workers.stop()

    def _put(self, device: str, interval_seconds: float, first: float) -> None:
        with self._lock:
            self._intervals[device] = interval_seconds
        self._scheduler.add_job(
            self._due,
            _Phased(interval_seconds, phase_seconds(device, interval_seconds)),
            args=(device, first),
            id=device,
            name=device,
            next_run_time=datetime.fromtimestamp(first, UTC),
            replace_existing=True,
        )

    def _due(self, device: str, due: float) -> None:
        """Decides in the scheduler's thread, where nothing may wait."""
        late_seconds = max(0.0, time.time() - due)
        with self._lock:
            before = self._under_way.get(device)
        if before is not None:
            self._note_missed(device, before)
            self._workers[before.lane].make_room()
            return
        lane = self._lane(device)
        if lane is Lane.RESTING:
            with self._lock:
                self._rested += 1
            return
        under_way = _UnderWay(lane)
        with self._lock:
            self._under_way[device] = under_way
        self._workers[lane].submit(
            partial(self._poll, device, under_way, time.monotonic() - late_seconds)
        )

    def _poll(self, device: str, under_way: _UnderWay, due: float) -> None:
        """In a worker; ``due`` is monotonic."""
        with self._lock:
            is_wanted = device in self._intervals
            under_way.is_running = True
        try:
            if is_wanted:
                self._lateness[under_way.lane].note(time.monotonic() - due)
                if not self._poll_device(device):
                    self._note_missed(device, under_way)
        except Exception:
            log.exception("the poll failed by a fault of ours", extra={"device": device})
        finally:
            with self._lock:
                self._under_way.pop(device, None)
            if under_way.is_to_follow:
                self.hasten(device)

    def _note_missed(self, device: str, before: _UnderWay) -> None:
        if before.is_running:
            cause = Missed.RUNNING
        else:
            cause = Missed.WORKERS if before.lane is Lane.LIVING else Missed.LOGIN_WORKERS
        with self._lock:
            self._missed[cause] += 1
            is_news = not before.has_been_told
            before.has_been_told = True
        # one line for each poll that is stuck; of the devices that do not answer everybody knows already
        level = logging.WARNING if is_news and before.lane is Lane.LIVING else logging.DEBUG
        log.log(
            level,
            "a poll was due and could not start: %s",
            _WHY[cause],
            extra={"device": device},
        )


def phase_seconds(device: str, interval_seconds: float) -> float:
    """Where in the interval this device is polled: 0 <= phase < interval, the same on every machine."""
    digest = hashlib.sha256(device.encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 * interval_seconds


class _UnderWay:
    """A poll that waits for a worker or runs."""

    __slots__ = ("has_been_told", "is_running", "is_to_follow", "lane")

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self.is_running = False
        self.is_to_follow = False
        self.has_been_told = False


class _Phased(BaseTrigger):
    """Every ``interval`` seconds at ``phase``, at least half an interval after the poll before.

    What lies in the past is skipped: after a pause each device is polled once, not once per interval.
    """

    def __init__(self, interval: float, phase: float) -> None:
        self._interval = interval
        self._phase = phase

    def get_next_fire_time(
        self, previous_fire_time: datetime | None, now: datetime
    ) -> datetime | None:
        """The next time, UTC."""
        after = now.timestamp()
        if previous_fire_time is not None:
            after = max(after, previous_fire_time.timestamp() + self._interval / 2)
        rounds = math.floor((after - self._phase) / self._interval) + 1
        return datetime.fromtimestamp(self._phase + rounds * self._interval, UTC)

    def shift(self, seconds: float) -> None:
        """The wall clock was set so much forward."""
        self._phase += seconds


class _InPlace(BaseExecutor):
    """Calls a job in the scheduler's thread; its last argument becomes the Unix second it was due at."""

    def submit_job(self, job: Job, run_times: list[datetime]) -> None:
        """Without the count of instances that the base class keeps: the scheduler of polls keeps its own."""
        self._do_submit_job(job, run_times)

    def _do_submit_job(self, job: Job, run_times: list[datetime]) -> None:
        job.func(*job.args[:-1], run_times[-1].timestamp())


class _SteadyScheduler(BackgroundScheduler):
    """Keeps its pace when the wall clock, which is all that APScheduler looks at, is set."""

    def __init__(self) -> None:
        super().__init__(
            executors={"default": _InPlace()},
            job_defaults={"coalesce": True, "misfire_grace_time": None},
            timezone=UTC,
        )
        self._clock_lock = threading.Lock()
        self._offset = _clock_offset()

    def mind_the_clock(self) -> None:
        """Move all due times by what the wall clock was set since the last look."""
        with self._clock_lock:
            offset = _clock_offset()
            step, self._offset = offset - self._offset, offset
        if abs(step) < _CLOCK_STEP_SECONDS:
            return
        log.warning("the clock of this machine was set by %+.1f s; polls keep their pace", step)
        for job in self.get_jobs():
            due = job.next_run_time
            if isinstance(job.trigger, _Phased) and due is not None:
                job.trigger.shift(step)
                moved = datetime.fromtimestamp(due.timestamp() + step, UTC)
                job.modify(next_run_time=moved)

    def _process_jobs(self) -> float | None:
        self.mind_the_clock()
        seconds: float | None = super()._process_jobs()
        return seconds


def _clock_offset() -> float:
    return time.time() - time.monotonic()


class _Workers:
    """At most so many threads that take tasks in the order they come.

    Threads of ``concurrent.futures`` are waited for when the interpreter ends; a device that hangs must not hold it.
    """

    def __init__(self, most: int, slow_seconds: float = math.inf) -> None:
        """A task that takes longer than ``slow_seconds`` counts no more, but there are never twice as many threads."""
        self._most = most
        self._slow_seconds = slow_seconds
        self._begun: dict[int, float] = {}  # monotonic, by thread, of the tasks that run
        self._tasks: deque[Callable[[], None]] = deque()
        self._changed = threading.Condition()
        self._threads = 0
        self._idle = 0
        self._is_stopped = False

    @property
    def waiting(self) -> int:
        """Tasks that wait for a thread."""
        return len(self._tasks)

    def submit(self, task: Callable[[], None]) -> None:
        """Let a thread run ``task``, which must not raise; nothing after ``stop``."""
        with self._changed:
            if self._is_stopped:
                return
            self._tasks.append(task)
            if self._idle >= len(self._tasks):
                self._changed.notify()
            else:
                self._begin_threads()

    def make_room(self) -> None:
        """Look again whether tasks that wait may have a thread: those that run may have become slow."""
        with self._changed:
            self._begin_threads()

    def limit(self, most: int) -> None:
        """At most so many threads from now on."""
        with self._changed:
            self._most = most
            self._begin_threads()
            self._changed.notify_all()

    def stop(self) -> None:
        """Begin no task any more, not those that wait either."""
        with self._changed:
            self._is_stopped = True
            self._tasks.clear()
            self._changed.notify_all()

    def _begin_threads(self) -> None:
        for _ in range(min(self._room() - self._threads, len(self._tasks) - self._idle)):
            self._threads += 1
            threading.Thread(target=self._work, name="poll", daemon=True).start()

    def _work(self) -> None:
        while (task := self._next()) is not None:
            task()

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            self._idle += 1
            self._begun.pop(threading.get_ident(), None)
            while not (self._tasks or self._is_stopped or self._threads > self._room()):
                self._changed.wait()
            self._idle -= 1
            if self._is_stopped or self._threads > self._room():
                self._threads -= 1
                return None
            self._begun[threading.get_ident()] = time.monotonic()
            return self._tasks.popleft()

    def _room(self) -> int:
        """How many threads there may be now."""
        if not math.isfinite(self._slow_seconds):
            return self._most
        slow_since = time.monotonic() - self._slow_seconds
        slow = sum(begun < slow_since for begun in self._begun.values())
        return self._most + min(slow, self._most)
