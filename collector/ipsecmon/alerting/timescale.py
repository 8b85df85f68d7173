"""Durations and rates as PromQL writes them, also for an emulated network that lives faster than the clock.

At a speed of 30 an hour of the routers is two minutes for Prometheus: every window and every ``for`` shrinks to a thirtieth,
packets per second grow to thirty times, and what the clock says passed is thirty times as much for the routers. Seconds that
a device prints (lifetimes, what is left) stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["REAL_TIME", "Timescale", "duration", "spoken"]

_UNITS = (("d", 86400.0), ("h", 3600.0), ("m", 60.0), ("s", 1.0), ("ms", 0.001))


def duration(seconds: float) -> str:
    """``180`` as ``3m``, ``5400`` as ``1h30m``, ``0.5`` as ``500ms``; rounded to a millisecond."""
    left = round(seconds, 3)
    if left <= 0:
        return "0s"
    text = ""
    for unit, size in _UNITS:
        count = int(round(left / size, 6))
        if count:
            text += f"{count}{unit}"
            left = round(left - count * size, 3)
    return text


def spoken(seconds: float) -> str:
    """``180`` as ``3 minutes``, for the text of an alert: in the largest unit that divides it."""
    for unit, size in (("hour", 3600), ("minute", 60)):
        if seconds >= size and seconds % size == 0:
            return _counted(seconds / size, unit)
    return _counted(seconds, "second")


def _counted(count: float, unit: str) -> str:
    return f"{count:g} {unit}" if count == 1 else f"{count:g} {unit}s"


@dataclass(frozen=True, slots=True)
class Timescale:
    """``speed`` is seconds of the routers to a second of the clock; ``shortest`` the shortest window, two scrapes or more."""

    speed: float = 1.0
    shortest_window: float = 0.0

    def window(self, seconds: float) -> str:
        """The range of a selector, never shorter than ``shortest_window``: ``10m``."""
        return duration(max(seconds / self.speed, self.shortest_window))

    def hold(self, seconds: float) -> str:
        """How long an alert must hold before it fires: ``3m``."""
        return duration(seconds / self.speed)

    def per_second(self, rate: float) -> str:
        """A rate of the routers as a rate by the clock."""
        return f"{rate * self.speed:g}"

    def elapsed(self, expression: str) -> str:
        """Seconds that passed for the routers, of an expression of seconds that passed by the clock."""
        lines = "".join(f"\n  {line}" for line in expression.splitlines())
        grouped = f"({lines}\n)" if "\n" in expression else f"({expression})"
        return grouped if self.speed == 1 else f"{grouped} * {self.speed:g}"


REAL_TIME = Timescale()
"""Routers of metal."""
