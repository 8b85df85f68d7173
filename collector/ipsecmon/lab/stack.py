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
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from ipsecmon.lab.server_process import ServerProcess, StackError, start_server
from ipsecmon.lab.stack_files import alertmanager_configuration, prometheus_configuration
from ipsecmon.lab.unpacked import runnable_alertmanager

__all__ = ["Stack", "StackError"]

# how often Prometheus tells Alertmanager of an alert that goes on firing; its own default
_RESEND_SECONDS: Final = 60.0
_PROGRAMS: Final = {
    "prometheus": ("prometheus",),
    "prometheus-alertmanager": ("prometheus-alertmanager", "alertmanager"),
}


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
        self._servers: list[ServerProcess] = []
        self._prometheus_url = ""
        self._alertmanager_url = ""

    @property
    def prometheus_url(self) -> str:
        """Of its pages and its API."""
        return self._prometheus_url

    @property
    def alertmanager_url(self) -> str:
        """Of its pages and its API."""
        return self._alertmanager_url

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

    def _start(self) -> None:
        # a missing program is told before anything is started
        programs = {package: _program(package) for package in _PROGRAMS}
        self._folder.mkdir(parents=True, exist_ok=True)
        package = "prometheus-alertmanager"
        program = runnable_alertmanager(programs[package], self._folder)
        alertmanager = self._run(package, program, self._alertmanager_arguments)
        self._alertmanager_url = alertmanager.url
        arguments = partial(self._prometheus_arguments, alertmanager.address)
        self._prometheus_url = self._run("prometheus", programs["prometheus"], arguments).url

    def _run(
        self, package: str, program: str, arguments: Callable[[str], list[str]]
    ) -> ServerProcess:
        server = start_server(
            package,
            lambda address: [program, "--log.level=warn", *arguments(address)],
            self._folder / f"{package}.log",
        )
        self._servers.append(server)
        return server

    def _alertmanager_arguments(self, address: str) -> list[str]:
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
            f"--web.listen-address={address}",
            "--cluster.listen-address=",  # alone: no gossip, no further port
        ]

    def _prometheus_arguments(self, alertmanager: str, address: str) -> list[str]:
        configuration = self._write(
            "prometheus.yml",
            prometheus_configuration(
                self._deploy / "prometheus.yml",
                targets={
                    "ipsecmon": self._monitor,
                    "prometheus": address,
                    "alertmanager": alertmanager,
                },
                alertmanager=alertmanager,
                rules=self._write("ipsecmon_rules.yml", self._rules),
                interval_seconds=self._interval_seconds,
            ),
        )
        return [
            f"--config.file={configuration}",
            f"--storage.tsdb.path={self._folder / 'prometheus'}",
            f"--web.listen-address={address}",
            f"--rules.alert.resend-delay={max(1, round(_RESEND_SECONDS / self._speed))}s",
        ]

    def _write(self, name: str, text: str) -> Path:
        path = self._folder / name
        path.write_text(text, encoding="utf-8")
        return path


def _program(package: str) -> str:
    names = _PROGRAMS[package]
    for name in names:
        path = shutil.which(name)
        if path is not None:
            return path
    raise StackError(
        f"no program {' or '.join(names)} on PATH: install the Debian package {package}"
    )
