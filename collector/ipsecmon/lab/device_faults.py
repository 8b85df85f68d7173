"""Faults of a router as a monitor sees it: how its SSH server and its shell misbehave until that is lifted.

Each function strikes at once and returns what puts it right again. Both run in the lab's own thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ipsecmon.lab.ssh import Lab

__all__ = ["auth", "garbled", "host_key", "unreachable"]

# within the answer of the smallest router, behind the line that says what it is
_LINES_LEFT: Final = 12


def unreachable(lab: Lab, device: str) -> Callable[[], None]:
    """TCP comes up and no byte follows, as behind a firewall that drops half of it."""
    lab.set_fault(device, login="silent")
    lab.break_connections(device)
    return lambda: lab.set_fault(device, login=None)


def auth(lab: Lab, device: str) -> Callable[[], None]:
    """The password has been changed on the router."""
    lab.set_password(device, f"not {lab.topology.router(device).password}")
    lab.break_connections(device)
    return lambda: lab.set_password(device, lab.topology.router(device).password)


def host_key(lab: Lab, device: str) -> Callable[[], None]:
    """The router was replaced, or somebody stands between; the old key comes back."""
    restore = lab.change_host_key(device)
    lab.break_connections(device)

    def lift() -> None:
        restore()
        lab.break_connections(device)

    return lift


def garbled(lab: Lab, device: str) -> Callable[[], None]:
    """Answers end in the middle, with noise and log messages between their lines."""
    lab.set_fault(device, truncate=_LINES_LEFT, noise=True, syslog_in_output=True)
    return lambda: lab.set_fault(device, truncate=None, noise=False, syslog_in_output=False)
