# The part of APScheduler 3.11 that ipsecmon uses; the package itself is published without types.
from abc import ABC, abstractmethod
from datetime import datetime

class BaseTrigger(ABC):
    @abstractmethod
    def get_next_fire_time(
        self, previous_fire_time: datetime | None, now: datetime
    ) -> datetime | None: ...
