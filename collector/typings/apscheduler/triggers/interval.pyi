# The part of APScheduler 3.11 that ipsecmon uses; the package itself is published without types.
from datetime import datetime, tzinfo

class IntervalTrigger:
    def __init__(
        self,
        *,
        seconds: float = 0,
        start_date: datetime | None = None,
        timezone: tzinfo | None = None,
    ) -> None: ...
    def get_next_fire_time(
        self, previous_fire_time: datetime | None, now: datetime
    ) -> datetime | None: ...
