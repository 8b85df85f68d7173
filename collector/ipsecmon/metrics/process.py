"""What the process costs its host, by the names all Prometheus clients use: ``process_cpu_seconds_total`` and the like.

Our own, because the collector of prometheus_client needs ``/proc/stat`` for the time of the boot, which the systemd unit
hides (``ProcSubset=pid``), and says nothing without it. Outside Linux nothing is said.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path

__all__ = ["process_facts"]

_PROC = Path("/proc/self")


def process_facts() -> Mapping[str, float]:
    """The present value of each metric of the process, by name."""
    try:
        virtual_pages, resident_pages = (_PROC / "statm").read_text().split()[:2]
        return {
            "process_cpu_seconds_total": time.process_time(),
            "process_resident_memory_bytes": int(resident_pages) * resource.getpagesize(),
            "process_virtual_memory_bytes": int(virtual_pages) * resource.getpagesize(),
            "process_open_fds": len(tuple((_PROC / "fd").iterdir())),
            "process_max_fds": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
            "process_start_time_seconds": _started_at(),
        }
    except OSError:
        return {}


@cache
def _started_at() -> float:
    """In Unix time; the kernel counts it from the boot. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html"""
    # what follows the name of the program, which may have blanks itself, begins with the third field
    fields = (_PROC / "stat").read_text().rpartition(")")[2].split()
    after_boot = int(fields[22 - 3]) / os.sysconf("SC_CLK_TCK")
    return time.time() - (time.clock_gettime(time.CLOCK_BOOTTIME) - after_boot)
