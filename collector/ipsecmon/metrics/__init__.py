"""Metrics: the catalogue as data, and its rendering; the only folder that imports prometheus_client."""

from __future__ import annotations

from ipsecmon.metrics.exposition import CONTENT_TYPE, ExporterFacts, exposition
from ipsecmon.metrics.render import render_result

__all__ = ["CONTENT_TYPE", "ExporterFacts", "exposition", "render_result"]
