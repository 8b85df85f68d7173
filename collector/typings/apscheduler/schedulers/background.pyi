# The part of APScheduler 3.11 that ipsecmon uses; the package itself is published without types.
from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from typing import Any

from apscheduler.events import JobEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

class BackgroundScheduler:
    def __init__(
        self,
        *,
        executors: Mapping[str, ThreadPoolExecutor],
        job_defaults: Mapping[str, Any],
        timezone: tzinfo,
    ) -> None: ...
    def add_job(
        self,
        func: Callable[..., None],
        trigger: IntervalTrigger | DateTrigger,
        *,
        args: Sequence[Any],
        id: str,
        name: str,
        misfire_grace_time: int | None,
    ) -> object: ...
    def add_listener(self, callback: Callable[[JobEvent], None], mask: int) -> None: ...
    def start(self) -> None: ...
    def pause(self) -> None: ...
    def remove_job(self, job_id: str) -> None: ...
    def remove_all_jobs(self) -> None: ...
    def shutdown(self, wait: bool = True) -> None: ...
