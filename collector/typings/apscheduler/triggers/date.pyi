# The part of APScheduler 3.11 that ipsecmon uses; the package itself is published without types.
from datetime import datetime, tzinfo

class DateTrigger:
    def __init__(self, run_date: datetime, timezone: tzinfo | None = None) -> None: ...
