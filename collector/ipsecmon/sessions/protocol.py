"""The seam to the outside: what a poll needs of a session, whatever carries it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ipsecmon.model import RawOutput

__all__ = ["OpenSession", "Session", "Target"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A device as a session must know it. ``known_hosts`` of ``None`` accepts any host key."""

    device: str
    host: str
    port: int
    username: str
    password: str = field(repr=False)
    enable_secret: str | None = field(default=None, repr=False)
    known_hosts: Path | None
    connect_timeout: float
    """Seconds for each of: the TCP connection, the SSH key exchange, the login."""
    read_timeout: float
    """Seconds without a byte after which an answer is given up."""


class Session(Protocol):
    """An open, privileged session that runs show commands one at a time.

    After any error the session is of no further use: what the device still sends belongs to nobody.
    """

    def run(self, command: str, timeout: float) -> RawOutput:
        """The complete answer to ``command`` within ``timeout`` seconds, or a ``CollectionError``."""
        ...

    def is_alive(self) -> bool:
        """Whether the other side is still there, without sending anything."""
        ...

    def close(self) -> None:
        """End the session at once; never raises, may be called twice."""
        ...


OpenSession = Callable[[Target, float], Session]
"""Connects, logs in, reaches the privileged prompt and turns paging off within so many seconds, or raises a
``CollectionError``."""
