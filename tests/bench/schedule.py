"""``make bench-schedule``: what it costs to know when ten thousand devices are due, and how late they are polled.

The polls do nothing, so all that is measured is the scheduler and its workers. What happens at start-up, when every
device is polled within seconds, is left out.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass

from ipsecmon.schedule import Lane, PollScheduler

__all__ = ["Measured", "main", "measure"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was seen after start-up."""

    add_seconds: float
    """To add all devices before the start."""
    change_seconds: float
    """To remove and add a tenth of the devices while the others are polled."""
    polls: int
    p50_seconds: float
    p99_seconds: float
    longest_seconds: float
    cpu_share: float
    """Of one core, by the whole process."""
    resting_cpu_share: float
    """The same while every device is left alone."""
    missed: int


def measure(devices: int, interval: float, seconds: float) -> Measured:
    """Poll so many devices each ``interval``, for ``seconds`` after the first polls."""
    polled: set[str] = set()
    resting = False

    def poll(device: str) -> bool:
        polled.add(device)
        return True

    def lane(device: str) -> Lane:
        if resting:
            return Lane.RESTING
        return Lane.LIVING if device in polled else Lane.LOGIN

    scheduler = PollScheduler(poll, lane, 50, 20)
    names = [f"router-{number}" for number in range(devices)]
    began = time.perf_counter()
    for name in names:
        scheduler.add(name, interval)
    added = time.perf_counter() - began
    scheduler.start()
    try:
        time.sleep(1.7 * interval)  # from then on every device is at its phase
        lateness = scheduler.lateness(Lane.LIVING)
        lateness.clear()
        missed = scheduler.missed
        share = _cpu_share(seconds)
        counts, _ = lateness.histogram()
        p50, p99, longest = (lateness.quantile(q) for q in (0.5, 0.99, 1.0))
        missed = scheduler.missed - missed
        resting = True
        rest_share = _cpu_share(seconds / 4)
        began = time.perf_counter()
        for name in names[::10]:
            scheduler.remove(name)
            scheduler.add(name, interval)
        changed = time.perf_counter() - began
    finally:
        scheduler.stop()
    return Measured(
        add_seconds=added,
        change_seconds=changed,
        polls=sum(counts),
        p50_seconds=p50,
        p99_seconds=p99,
        longest_seconds=longest,
        cpu_share=share,
        resting_cpu_share=rest_share,
        missed=missed,
    )


def _cpu_share(seconds: float) -> float:
    cpu, wall = time.process_time(), time.monotonic()
    time.sleep(seconds)
    return (time.process_time() - cpu) / (time.monotonic() - wall)


def main(arguments: list[str] | None = None) -> int:
    """Print the figures; 1 if they are worse than what the service promises."""
    parser = argparse.ArgumentParser(prog="bench.schedule", description=__doc__)
    parser.add_argument("--devices", type=int, default=10_000)
    parser.add_argument("--interval", type=float, default=60.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    given = parser.parse_args(arguments)
    found = measure(given.devices, given.interval, given.seconds)
    sys.stdout.write(
        f"{given.devices} devices every {given.interval:g} s, {found.polls} polls in {given.seconds:g} s\n"
        f"  late: p50 {found.p50_seconds * 1000:.1f} ms, p99 {found.p99_seconds * 1000:.1f} ms, "
        f"longest {found.longest_seconds * 1000:.1f} ms; missed {found.missed}\n"
        f"  CPU: {found.cpu_share:.1%} of one core, {found.resting_cpu_share:.1%} while all devices rest\n"
        f"  add all: {found.add_seconds:.2f} s; remove and add a tenth at run time: {found.change_seconds:.2f} s\n"
    )
    is_good = found.p99_seconds < 1.0 and found.cpu_share < 0.1 and not found.missed
    sys.stdout.write("good\n" if is_good else "too slow: p99 must be below 1 s, CPU below 10 %\n")
    return 0 if is_good else 1


if __name__ == "__main__":
    raise SystemExit(main())
