"""One poll result -> its sample lines as bytes, once per poll: a scrape then only joins them (``exposition``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from ipsecmon.config import Tier
from ipsecmon.metrics.catalogue import CATALOGUE, METRICS
from ipsecmon.metrics.samples import Sample, device_samples, result_samples
from ipsecmon.metrics.text import number_texts
from ipsecmon.model import PollResult

__all__ = ["DuplicateSample", "render", "render_device", "render_result"]


class DuplicateSample(ValueError):
    """Two samples with one label set: Prometheus would refuse the whole scrape, and the client library does not notice."""


def render_result(result: PollResult, tier: Tier = Tier.STANDARD) -> Mapping[str, bytes]:
    """The sample lines of one device by metric name, without HELP and TYPE."""
    return render(result_samples(result, tier), tier)


def render_device(result: PollResult, tier: Tier = Tier.STANDARD) -> Mapping[str, bytes]:
    """Of ``render_result`` what may change in a poll that reads nothing new of the tunnels."""
    return render(device_samples(result), tier)


def render(samples: Iterable[Sample], tier: Tier = Tier.EXTENDED) -> Mapping[str, bytes]:
    """Sample lines by metric name, for those metrics that ``tier`` holds; valid in both text formats.

    Raises ``DuplicateSample``, and ``KeyError`` for a metric that is not in the catalogue.
    """
    wanted = _names(tier)
    columns: dict[str, tuple[list[str], list[float]]] = {}
    for name, block, value in samples:
        column = columns.get(name)
        if column is None:
            if name not in wanted:
                _ = METRICS[name]
                continue
            column = columns[name] = ([], [])
        column[0].append(block)
        column[1].append(value)
    return {name: _lines(name, *column) for name, column in columns.items()}


def _lines(name: str, blocks: list[str], values: list[float]) -> bytes:
    if len(set(blocks)) != len(blocks):
        raise DuplicateSample(f"two samples of {name} with the labels {_first_twice(blocks)}")
    texts = number_texts(values)
    return "".join(
        [f"{name}{block} {text}\n" for block, text in zip(blocks, texts, strict=True)]
    ).encode()


@cache
def _names(tier: Tier) -> frozenset[str]:
    return frozenset(metric.name for metric in CATALOGUE if tier.includes(metric.tier))


def _first_twice(blocks: Iterable[str]) -> str:
    seen: set[str] = set()
    for block in blocks:
        if block in seen:
            return block or "{}"
        seen.add(block)
    raise AssertionError("unreachable: there are fewer blocks than samples")
