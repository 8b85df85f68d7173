"""Pure: records and the previous state in, tunnels and events out."""

from __future__ import annotations

from ipsecmon.tunnels.build import Reading, TunnelReading, build
from ipsecmon.tunnels.evidence import with_evidence

__all__ = ["Reading", "TunnelReading", "build", "with_evidence"]
