"""Pure: records and the previous state in, tunnels and events out."""

from __future__ import annotations

from ipsecmon.tunnels.build import TunnelReading, build

__all__ = ["TunnelReading", "build"]
