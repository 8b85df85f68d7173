"""Sessions with devices: one Protocol, one implementation per transport."""

from __future__ import annotations

from ipsecmon.sessions.pool import SessionPool
from ipsecmon.sessions.protocol import (
    HostKeyPolicy,
    JumpHost,
    OfferedKey,
    OpenSession,
    PrivateKey,
    Session,
    SshEndpoint,
    Target,
)

__all__ = [
    "HostKeyPolicy",
    "JumpHost",
    "OfferedKey",
    "OpenSession",
    "PrivateKey",
    "Session",
    "SessionPool",
    "SshEndpoint",
    "Target",
]
