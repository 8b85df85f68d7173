"""Polls of one emulated router over real SSH, by either transport, held against what the router really said."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from ipsecmon.config import Transport
from ipsecmon.lab.ssh import Lab
from ipsecmon.model import PollResult
from ipsecmon.poll import PolledDevice, poll_device
from ipsecmon.sessions import HostKeyPolicy, SessionPool, Target
from ipsecmon.sessions.host_keys import AnyHostKey
from ipsecmon.sessions.transports import Transports
from ipsecmon_parsers.records import Platform
from ipsecmon_parsers.registry import parse

__all__ = ["Watcher", "differences", "own_threads"]


@dataclass(kw_only=True)
class Watcher:
    """Polls one router again and again, as the service does."""

    lab: Lab
    router: str
    transports: Transports
    transport: Transport
    timeout: float = 6.0
    read_timeout: float = 1.0
    connect_timeout: float = 1.5
    host_keys: HostKeyPolicy = field(default_factory=AnyHostKey)
    changes: Mapping[str, object] = field(default_factory=dict[str, object])
    result: PollResult | None = None
    last_seconds: float = 0.0
    clock: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        self.pool = SessionPool(self.transports.open)

    def poll(self) -> PollResult:
        """Poll once, now; ``last_seconds`` says how long it took."""
        started = time.monotonic()
        device = PolledDevice(
            name=self.router,
            host=self.lab.endpoints[self.router][0],
            platform=Platform.IOS,
            interval_seconds=60.0,
            timeout_seconds=self.timeout,
            target=self.target,
        )
        self.result = poll_device(device, self.pool, self.result, self.clock)
        self.last_seconds = time.monotonic() - started
        return self.result

    def target(self) -> Target:
        """The router as it is now."""
        host, port = self.lab.endpoints[self.router]
        target = Target(
            device=self.router,
            host=host,
            port=port,
            username="monitor",
            password="monitor-lab",
            enable_secret="enable-lab",
            transport=self.transport,
            host_keys=self.host_keys,
            connect_timeout=self.connect_timeout,
            read_timeout=self.read_timeout,
        )
        return replace(target, **self.changes)  # type: ignore[arg-type] # each of its field's type

    def close(self) -> None:
        """End the session."""
        self.pool.close()


def differences(lab: Lab, result: PollResult) -> list[str]:
    """Where a good result is not what the router really said, an answer each; empty if all is true."""
    said = lab.answers(result.device)
    found: list[str] = []
    for output in result.outputs:
        if output.command in result.refused_commands:
            continue
        read = parse(result.platform, output.command, output.text, complete=True).records
        true = parse(
            result.platform, output.command, said[output.command].text, complete=True
        ).records
        if read != true:
            found.append(f"{output.command}: read {len(read)} records, said {len(true)}")
    return found


def own_threads() -> set[str]:
    """The threads that are alive, without those of the lab and of the event loop that all sessions share."""
    shared = ("lab", "MainThread", "asyncssh", "asyncio_")
    return {
        f"{thread.name}/{thread.ident}"
        for thread in threading.enumerate()
        if not thread.name.startswith(shared)
    }
