"""A plain SSH client of the lab: a terminal, typed at and read, with nothing of the collector's own sessions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import asyncssh

from ipsecmon.lab.ssh import Lab

__all__ = ["Terminal", "connect", "terminal"]

PATIENCE_SECONDS = 10.0


class Terminal:
    """What a person sees and types."""

    def __init__(self, process: asyncssh.SSHClientProcess[bytes]) -> None:
        self._process = process

    def type(self, text: str) -> None:
        """Type without waiting."""
        self._process.stdin.write(text.encode())

    async def until(self, end: str) -> str:
        """Read up to what must come; ``EOFError`` with what did come if the session ends before."""
        seen = b""
        while not seen.endswith(end.encode()):
            # asyncio.wait_for of 3.11 loses a cancellation that comes together with data
            async with asyncio.timeout(PATIENCE_SECONDS):
                data = await self._process.stdout.read(65536)
            if not data:
                raise EOFError(seen)
            seen += data
        return seen.decode("latin-1")

    async def ask(self, line: str, end: str = "#") -> str:
        """Type a line and read up to the prompt."""
        self.type(f"{line}\r")
        return await self.until(end)

    async def seen_within(self, seconds: float) -> bytes:
        """All that comes in so long."""
        seen = b""
        try:
            async with asyncio.timeout(seconds):
                while data := await self._process.stdout.read(65536):
                    seen += data
        except TimeoutError:
            pass
        return seen


def connect(lab: Lab, router: str = "Site1", **changes: Any) -> Any:
    """An asyncssh connection, to be used with ``async with``; host keys are checked."""
    host, port = lab.endpoints[router]
    options: dict[str, Any] = {
        "username": "monitor",
        "password": "monitor-lab",
        "known_hosts": asyncssh.import_known_hosts(lab.known_hosts),
        "client_keys": None,
        "agent_path": None,
        "config": None,
        "preferred_auth": "password",
    }
    return asyncssh.connect(host, port, **{**options, **changes})


@asynccontextmanager
async def terminal(
    lab: Lab, router: str = "Site1", *, prompt: str | None = None, **changes: Any
) -> AsyncGenerator[Terminal]:
    """A privileged terminal without pages; ``prompt`` is what stands before its mark."""
    async with connect(lab, router, **changes) as connection:
        process = await connection.create_process(term_type="vt100", encoding=None)
        opened = Terminal(process)
        await opened.until(f"{prompt or router}>")
        await opened.ask("enable", "Password: ")
        await opened.ask("enable-lab")
        await opened.ask("terminal length 0")
        yield opened
