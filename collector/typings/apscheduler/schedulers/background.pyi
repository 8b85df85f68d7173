# The part of APScheduler 3.11 that ipsecmon uses; the package itself is published without types.
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from apscheduler.executors.base import BaseExecutor
from apscheduler.job import Job
from apscheduler.triggers.base import BaseTrigger

class BackgroundScheduler:
    def __init__(
        self,
        *,
        executors: Mapping[str, BaseExecutor],
        job_defaults: Mapping[str, Any],
        timezone: tzinfo,
    ) -> None: ...
    def add_job(
        self,
        func: Callable[..., None],
        trigger: BaseTrigger,
        *,
        args: Sequence[Any],
        id: str,
        name: str,
        next_run_time: datetime,
        replace_existing: bool,
    ) -> Job: ...
    def get_job(self, job_id: str) -> Job | None: ...
    def get_jobs(self) -> list[Job]: ...
    def modify_job(self, job_id: str, *, next_run_time: datetime) -> Job: ...
    def remove_job(self, job_id: str) -> None: ...
    def start(self) -> None: ...
    def pause(self) -> None: ...
    def remove_all_jobs(self) -> None: ...
    def shutdown(self, wait: bool = True) -> None: ...
    def _process_jobs(self) -> float | None: ...
