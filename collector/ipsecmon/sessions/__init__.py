"""Sessions with devices: one Protocol, one implementation per transport."""

from __future__ import annotations

from ipsecmon.sessions.pool import SessionPool
from ipsecmon.sessions.protocol import OpenSession, Session, Target

__all__ = ["OpenSession", "Session", "SessionPool", "Target"]
