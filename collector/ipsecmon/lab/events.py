"""Lab time: a queue of things that happen at a second, which moves only when told to.

No wall clock and no threads, so a week plays in seconds and twice the same way.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

__all__ = ["EventQueue"]


class EventQueue:
    """Actions in order of their time; those due at the same second happen in the order they were planned."""

    __slots__ = ("_heap", "_planned", "now")

    def __init__(self) -> None:
        self.now = 0.0
        self._heap: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._planned = 0

    def at(self, time: float, action: Callable[..., None], *args: Any) -> None:
        """Call ``action(*args)`` at ``time``, or at once in order if that has passed."""
        self._planned += 1
        heapq.heappush(self._heap, (max(time, self.now), self._planned, action, args))

    def after(self, delay: float, action: Callable[..., None], *args: Any) -> None:
        """Call ``action(*args)`` ``delay`` seconds from now."""
        self.at(self.now + delay, action, *args)

    def run_until(self, time: float) -> None:
        """Let everything due up to and at ``time`` happen; time never runs backwards."""
        if time < self.now:
            return
        heap = self._heap
        while heap and heap[0][0] <= time:
            self.now, _, action, args = heapq.heappop(heap)
            action(*args)
        self.now = time
