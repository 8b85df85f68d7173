"""Metrics: the catalogue as data, and its rendering; the only folder that imports prometheus_client."""

from __future__ import annotations

from ipsecmon.metrics.catalogue import SHARES, PollOutcome
from ipsecmon.metrics.exposition import (
    CredentialFacts,
    ExporterFacts,
    HistoryFacts,
    HostKeyFacts,
    LoginFacts,
    ReloadFacts,
    exposition,
)
from ipsecmon.metrics.negotiation import Format, accepts_gzip, negotiated
from ipsecmon.metrics.render import render_result

__all__ = [
    "SHARES",
    "CredentialFacts",
    "ExporterFacts",
    "Format",
    "HistoryFacts",
    "HostKeyFacts",
    "LoginFacts",
    "PollOutcome",
    "ReloadFacts",
    "accepts_gzip",
    "exposition",
    "negotiated",
    "render_result",
]
