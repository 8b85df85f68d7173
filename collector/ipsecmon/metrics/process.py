"""What the process costs its host, by the names all Prometheus clients use: ``process_cpu_seconds_total`` and the like.

The library reads them from ``/proc``; where there is none, as outside Linux, nothing is said.
"""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import ProcessCollector

__all__ = ["process_facts"]

# not in the library's registry of the process: our exposition is the only one
_COLLECTOR = ProcessCollector(registry=None)


def process_facts() -> Mapping[str, float]:
    """The present value of each metric of the process, by name."""
    return {
        sample.name: sample.value for family in _COLLECTOR.collect() for sample in family.samples
    }
