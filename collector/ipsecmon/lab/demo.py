"""The demo's network: a lab with its tunnels up, and the configuration that makes ipsecmon watch it.

The configuration is written to a file and read like anyone's, host keys and credential included, so that the demo takes the
same way as a real device.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from ipsecmon.lab.ssh import Lab
from ipsecmon.lab.topology import hub, two_sites

__all__ = ["DemoLab"]

_WARM_UP_SECONDS = 120.0


class DemoLab:
    """The tutorial's two sites, or a hub whose spokes live in the simulation only."""

    def __init__(
        self,
        folder: Path,
        *,
        speed: float,
        interval: float,
        spokes: int | None = None,
        listen: str = "127.0.0.1",
    ) -> None:
        self._folder = folder
        self._interval = interval
        self._listen = listen
        self._topology = two_sites() if spokes is None else hub(spokes)
        served = None if spokes is None else [self._topology.routers[0].name]
        self.lab = Lab(self._topology, speed=speed, warm_up=_WARM_UP_SECONDS, serve=served)

    def __enter__(self) -> Self:
        self.lab.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.lab.stop()

    def write_config(self, port: int) -> Path:
        """The configuration for this lab, to be served on ``port``."""
        (self._folder / "known_hosts").write_text(self.lab.known_hosts, encoding="utf-8")
        for name, secret in self._secrets().items():
            path = self._folder / name
            path.touch(mode=0o600)
            path.write_text(secret + "\n", encoding="utf-8")
        config = self._folder / "ipsecmon.yml"
        config.write_text(self._config_text(port), encoding="utf-8")
        return config

    def login_hint(self) -> str:
        """How a person logs in to the first router."""
        name, (host, port) = next(iter(self.lab.endpoints.items()))
        router = self._topology.router(name)
        return (
            f"ssh -p {port} {router.username}@{host}\n"
            f"{'':27}password {router.password}, enable {router.enable_secret}; try: clear crypto sa"
        )

    def _secrets(self) -> dict[str, str]:
        first = self._topology.routers[0]
        return {"password": first.password, "enable": first.enable_secret}

    def _config_text(self, port: int) -> str:
        first = self._topology.routers[0]
        devices = "\n".join(
            f"  - {{name: {name}, host: {host}, port: {ssh_port}, "
            f"platform: {self._platform(name)}, credentials: lab}}"
            for name, (host, ssh_port) in self.lab.endpoints.items()
        )
        return f"""\
# Written by the demo; every device is emulated and listens on the loopback address.
poll:
  interval: {self._interval:g}s
web:
  listen: {self._listen}:{port}
host_keys:
  known_hosts: known_hosts
credentials:
  lab:
    username: {first.username}
    password: {{file: password}}
    enable: {{file: enable}}
devices:
{devices}
"""

    def _platform(self, name: str) -> str:
        return "iosxe" if self._topology.router(name).dialect.startswith("iosxe") else "ios"
