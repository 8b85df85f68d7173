"""A server of somebody else's, such as Prometheus, as a child process on a free loopback port."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Final

import requests

__all__ = ["ServerProcess", "StackError", "ending_with_us", "free_address", "start_server"]

_READY_SECONDS: Final = 60.0
_END_SECONDS: Final = 15.0
_LOG_LINES: Final = 15
_ATTEMPTS: Final = 5
_TAKEN: Final = "address already in use"


class StackError(Exception):
    """Prometheus or Alertmanager is not installed, does not start or does not answer."""


class ServerProcess:
    """One child process, the ``host:port`` it listens at, and its log."""

    def __init__(self, name: str, command: Sequence[str], address: str, log: Path) -> None:
        self.address = address
        self._name = name
        self._log = log
        self._output: IO[bytes] = log.open("wb")
        try:
            self._process = subprocess.Popen(  # noqa: S603 - a program found on PATH, with our own arguments
                [*ending_with_us(), *command],
                cwd=log.parent,
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=subprocess.STDOUT,
            )
        except OSError as error:
            self._output.close()
            raise StackError(f"{name} cannot be started: {error}") from error

    @property
    def url(self) -> str:
        """Of its pages and its API."""
        return f"http://{self.address}"

    @property
    def found_address_taken(self) -> bool:
        """Whether it ended because somebody else listens there."""
        return self._process.poll() is not None and _TAKEN in self.log_end()

    def wait_until_ready(self) -> None:
        """``StackError`` if it ends, or does not answer within a minute."""
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            is_ready = self._is_ready()
            # last, for it may be another server that answers
            if self._process.poll() is not None:
                raise StackError(
                    f"{self._name} ended with {self._process.returncode}, expected it to serve {self.url}:\n{self.log_end()}"
                )
            if is_ready:
                return
            if time.monotonic() > deadline:
                raise StackError(
                    f"{self._name} was not ready at {self.url} within {_READY_SECONDS:g} s:\n{self.log_end()}"
                )
            time.sleep(0.05)

    def _is_ready(self) -> bool:
        try:
            return requests.get(f"{self.url}/-/ready", timeout=5).ok
        except requests.RequestException:
            return False  # it does not listen yet

    def log_end(self) -> str:
        """The last lines it has logged, for an error message."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(f"{self._name}: {line}" for line in lines[-_LOG_LINES:])

    def end(self) -> None:
        """Ask it to end, and make it where it does not."""
        self._process.terminate()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        finally:
            self._process.kill()
            self._process.wait()
            self._output.close()


def start_server(name: str, command: Callable[[str], Sequence[str]], log: Path) -> ServerProcess:
    """Start what ``command`` makes of a ``host:port`` and wait until it answers.

    A port that is free may be taken a moment later. Then another is tried.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        address = free_address()
        server = ServerProcess(name, command(address), address, log)
        try:
            server.wait_until_ready()
        except BaseException as error:
            may_retry = isinstance(error, StackError) and server.found_address_taken
            server.end()
            if attempt == _ATTEMPTS or not may_retry:
                raise
        else:
            return server
    raise AssertionError("every attempt returns or raises")


def free_address() -> str:
    """A ``host:port`` that nobody has at this moment."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{one.getsockname()[1]}"


def ending_with_us() -> list[str]:
    """What lets a child end even where its parent was killed; Linux has it."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM"] if setpriv else []
