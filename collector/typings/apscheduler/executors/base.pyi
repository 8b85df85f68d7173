# The part of APScheduler 3.11 that ipsecmon uses; the package itself is published without types.
from abc import ABC, abstractmethod
from datetime import datetime

from apscheduler.job import Job

class BaseExecutor(ABC):
    def submit_job(self, job: Job, run_times: list[datetime]) -> None: ...
    @abstractmethod
    def _do_submit_job(self, job: Job, run_times: list[datetime]) -> None: ...
