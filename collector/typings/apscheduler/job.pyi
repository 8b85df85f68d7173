# The part of APScheduler 3.11 that ipsecmon uses; the package itself is published without types.
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from apscheduler.triggers.base import BaseTrigger

class Job:
    func: Callable[..., None]
    args: Sequence[Any]
    trigger: BaseTrigger
    next_run_time: datetime | None
    def modify(self, *, next_run_time: datetime) -> None: ...
