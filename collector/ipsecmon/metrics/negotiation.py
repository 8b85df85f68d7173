"""What a client can read, from the headers of its request: OpenMetrics or text, compressed or not.

Prometheus asks for OpenMetrics first and gives each form a weight; a browser or curl asks for anything and gets text.
https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum

from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

__all__ = ["Format", "accepts_gzip", "negotiated"]


class Format(Enum):
    """A format of the exposition; the value is its content type."""

    TEXT = CONTENT_TYPE_PLAIN_0_0_4
    OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

    @property
    def content_type(self) -> str:
        return self.value


# 0.0.1 is what Prometheus called the draft; the lines are the same
_OPENMETRICS_VERSIONS = frozenset({"1.0.0", "0.0.1"})
_TEXT_TYPES = frozenset({"text/plain", "text/*", "*/*"})


def negotiated(accept: str | None) -> Format:
    """OpenMetrics where it is asked for with at least the weight of text; text for everybody else."""
    openmetrics = text = 0.0
    for media_type, parameters, weight in _weighted(accept or ""):
        if media_type in _TEXT_TYPES:
            text = max(text, weight)
        elif (
            media_type == "application/openmetrics-text"
            and parameters.get("version", "1.0.0") in _OPENMETRICS_VERSIONS
        ):
            openmetrics = max(openmetrics, weight)
    return Format.OPENMETRICS if openmetrics > 0 and openmetrics >= text else Format.TEXT


def accepts_gzip(accept_encoding: str | None) -> bool:
    """The client takes gzip; saying nothing does not mean that it does."""
    weights = {coding: weight for coding, _, weight in _weighted(accept_encoding or "")}
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _weighted(header: str) -> Iterator[tuple[str, Mapping[str, str], float]]:
    """Each value of a header with its parameters and its weight, 1 where none is given and 0 where it makes no sense."""
    for part in header.split(","):
        value, *rest = (piece.strip() for piece in part.split(";"))
        parameters: dict[str, str] = {}
        for piece in rest:
            name, _, text = piece.partition("=")
            parameters[name.strip().lower()] = text.strip().strip('"')
        try:
            weight = float(parameters.get("q", "1"))
        except ValueError:
            weight = 0.0
        yield value.lower(), parameters, weight
