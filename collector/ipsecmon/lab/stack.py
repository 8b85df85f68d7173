"""A real Prometheus and a real Alertmanager beside the lab, on free loopback ports, with the files that are shipped.

    with Stack(
        folder,
        deploy=Path("deploy"),
        monitor="127.0.0.1:9818",
        rules=text,
        webhook_url=receiver.url,
        interval_seconds=1,
        speed=25,
    ) as stack:
        stack.prometheus_url

Both are child processes and end with the ``with``.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

import requests

from ipsecmon.lab.stack_files import alertmanager_configuration, prometheus_configuration
from ipsecmon.lab.unpacked import runnable_alertmanager

__all__ = ["Stack", "StackError"]

_READY_SECONDS: Final = 60.0
_END_SECONDS: Final = 15.0
_LOG_LINES: Final = 15
# how often Prometheus tells Alertmanager of an alert that goes on firing; its own default
_RESEND_SECONDS: Final = 60.0
_PROGRAMS: Final = {
    "prometheus": ("prometheus",),
    "prometheus-alertmanager": ("prometheus-alertmanager", "alertmanager"),
}


class StackError(Exception):
    """Prometheus or Alertmanager is not installed, does not start or does not answer."""


class Stack:
    """Alertmanager first, then Prometheus, which is told where it listens."""

    def __init__(
        self,
        folder: Path,
        *,
        deploy: Path,
        monitor: str,
        rules: str,
        webhook_url: str,
        interval_seconds: float = 1.0,
        speed: float = 1.0,
    ) -> None:
        """``monitor`` is the ``host:port`` of ipsecmon; ``speed`` shortens Alertmanager's waits as the rules are shortened."""
        self._folder = folder.absolute()
        self._deploy = deploy
        self._monitor = monitor
        self._rules = rules
        self._webhook_url = webhook_url
        self._interval_seconds = interval_seconds
        self._speed = speed
        self._servers: list[_Server] = []
        self._prometheus_address = ""
        self._alertmanager_address = ""

    @property
    def prometheus_url(self) -> str:
        """Of its pages and its API."""
        return f"http://{self._prometheus_address}"

    @property
    def alertmanager_url(self) -> str:
        """Of its pages and its API."""
        return f"http://{self._alertmanager_address}"

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def end(self) -> None:
        """End what was started; once is enough, twice does no harm."""
        while self._servers:
            self._servers.pop().end()

    def logs(self) -> str:
        """The last lines that either has logged, for an error message."""
        return "\n".join(server.log_end() for server in self._servers)

    def _start(self) -> None:
        # a missing program is told before anything is started
        programs = {package: _program(package) for package in _PROGRAMS}
        self._alertmanager_address, self._prometheus_address = _free_addresses(2)
        self._folder.mkdir(parents=True, exist_ok=True)
        package = "prometheus-alertmanager"
        programs[package] = runnable_alertmanager(programs[package], self._folder)
        self._run("prometheus-alertmanager", programs, self._alertmanager_arguments())
        self._run("prometheus", programs, self._prometheus_arguments())

    def _run(self, package: str, programs: dict[str, str], arguments: list[str]) -> None:
        server = _Server(
            package,
            [programs[package], "--log.level=warn", *arguments],
            self._folder / f"{package}.log",
        )
        self._servers.append(server)
        is_prometheus = package == "prometheus"
        server.wait_until_ready(self.prometheus_url if is_prometheus else self.alertmanager_url)

    def _alertmanager_arguments(self) -> list[str]:
        configuration = self._write(
            "alertmanager.yml",
            alertmanager_configuration(
                self._deploy / "alertmanager.yml",
                webhook_url=self._webhook_url,
                speed=self._speed,
            ),
        )
        return [
            f"--config.file={configuration}",
            f"--storage.path={self._folder / 'alertmanager'}",
            f"--web.listen-address={self._alertmanager_address}",
            "--cluster.listen-address=",  # alone: no gossip, no further port
        ]

    def _prometheus_arguments(self) -> list[str]:
        configuration = self._write(
            "prometheus.yml",
            prometheus_configuration(
                self._deploy / "prometheus.yml",
                targets={
                    "ipsecmon": self._monitor,
                    "prometheus": self._prometheus_address,
                    "alertmanager": self._alertmanager_address,
                },
                alertmanager=self._alertmanager_address,
                rules=self._write("ipsecmon_rules.yml", self._rules),
                interval_seconds=self._interval_seconds,
            ),
        )
        return [
            f"--config.file={configuration}",
            f"--storage.tsdb.path={self._folder / 'prometheus'}",
            f"--web.listen-address={self._prometheus_address}",
            f"--rules.alert.resend-delay={max(1, round(_RESEND_SECONDS / self._speed))}s",
        ]

    def _write(self, name: str, text: str) -> Path:
        path = self._folder / name
        path.write_text(text, encoding="utf-8")
        return path


class _Server:
    """One child process and its log."""

    def __init__(self, package: str, command: list[str], log: Path) -> None:
        self._package = package
        self._log = log
        self._output: IO[bytes] = log.open("wb")
        self._process = subprocess.Popen(  # noqa: S603 - a program found on PATH, with our own arguments
            command,
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )

    def wait_until_ready(self, url: str) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            if self._process.poll() is not None:
                raise StackError(
                    f"{self._package} ended with {self._process.returncode}, expected it to serve {url}:\n{self.log_end()}"
                )
            try:
                if requests.get(f"{url}/-/ready", timeout=5).ok:
                    return
            except requests.RequestException:
                pass  # it does not listen yet
            if time.monotonic() > deadline:
                raise StackError(
                    f"{self._package} was not ready at {url} within {_READY_SECONDS:g} s:\n{self.log_end()}"
                )
            time.sleep(0.1)

    def log_end(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(f"{self._package}: {line}" for line in lines[-_LOG_LINES:])

    def end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._output.close()


def _program(package: str) -> str:
    names = _PROGRAMS[package]
    for name in names:
        path = shutil.which(name)
        if path is not None:
            return path
    raise StackError(
        f"no program {' or '.join(names)} on PATH: install the Debian package {package}"
    )


def _free_addresses(count: int) -> list[str]:
    """Held together until all are known, so that none is given twice."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]
    finally:
        for one in sockets:
            one.close()
