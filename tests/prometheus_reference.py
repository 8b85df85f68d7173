"""prometheus_client as the reference of both text formats: the only place that calls its untyped parts."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import Any, cast

from prometheus_client import generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from ipsecmon.metrics.catalogue import CATALOGUE, Kind, Metric

__all__ = [
    "Families",
    "as_openmetrics",
    "as_text",
    "families_of",
    "go_number",
    "new_family",
    "read_openmetrics",
    "read_text",
    "with_family",
]

_EXPOSITION: Any = importlib.import_module("prometheus_client.openmetrics.exposition")
_PARSER: Any = importlib.import_module("prometheus_client.openmetrics.parser")
_UTILS: Any = importlib.import_module("prometheus_client.utils")


class Families(Collector):
    """Ready families, as a collector yields them."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = tuple(families)

    def collect(self) -> Iterable[Family]:
        return self._families


def as_text(families: Families) -> bytes:
    return generate_latest(families)


def as_openmetrics(families: Families) -> bytes:
    return cast("bytes", _EXPOSITION.generate_latest(families))


def read_text(text: str) -> list[Family]:
    return list(text_string_to_metric_families(text))


def read_openmetrics(text: str) -> list[Family]:
    """By the strict parser, which refuses what the specification does not allow."""
    return list(_PARSER.text_string_to_metric_families(text))


def go_number(value: float) -> str:
    return cast("str", _UTILS.floatToGoString(value))


def new_family(metric: Metric) -> Family:
    """The family of a metric of the catalogue, without samples."""
    match metric.kind:
        case Kind.COUNTER:
            return CounterMetricFamily(
                metric.name, metric.help, labels=metric.labels, unit=metric.unit
            )
        case Kind.INFO:
            return InfoMetricFamily(metric.family, metric.help, labels=metric.labels)
        case Kind.HISTOGRAM:
            return HistogramMetricFamily(
                metric.name, metric.help, labels=metric.labels, unit=metric.unit
            )
        case Kind.GAUGE | Kind.STATESET:
            return GaugeMetricFamily(
                metric.name, metric.help, labels=metric.labels, unit=metric.unit
            )


def with_family(metric: Metric, samples: Iterable[tuple[tuple[str, ...], float]]) -> Families:
    """One family with samples: label values in the order of the catalogue, and the value."""
    family = new_family(metric)
    for values, value in samples:
        labels = dict(zip(metric.labels, values, strict=True))
        family.add_sample(metric.name, labels, value)
    return Families([family])


def families_of(text: str) -> Families:
    """The samples of an exposition as families of the reference, in the order of the catalogue."""
    samples = {
        family.name if family.type == "histogram" else sample.name: family.samples
        for family in read_text(text)
        for sample in family.samples
    }
    families: list[Family] = []
    for metric in CATALOGUE:
        if metric.name in samples:
            family = new_family(metric)
            family.samples = samples[metric.name]
            families.append(family)
    return Families(families)
