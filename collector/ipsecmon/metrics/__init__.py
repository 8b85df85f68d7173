"""Metrics: the catalogue as data, and its rendering; the only folder that imports prometheus_client."""

from __future__ import annotations

from ipsecmon.metrics.catalogue import PollOutcome
from ipsecmon.metrics.exposition import (
    CredentialFacts,
    ExporterFacts,
    HistoryFacts,
    HostKeyFacts,
    LatenessFacts,
    LoginFacts,
    ReloadFacts,
    exposition,
)
from ipsecmon.metrics.negotiation import Format, accepts_gzip, negotiated
from ipsecmon.metrics.process import process_facts
from ipsecmon.metrics.render import render_device, render_result

__all__ = [
    "CredentialFacts",
    "ExporterFacts",
    "Format",
    "HistoryFacts",
    "HostKeyFacts",
    "LatenessFacts",
    "LoginFacts",
    "PollOutcome",
    "ReloadFacts",
    "accepts_gzip",
    "exposition",
    "negotiated",
    "process_facts",
    "render_device",
    "render_result",
]
