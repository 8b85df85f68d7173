"""The demo's network: a lab with its tunnels up, and the configuration that makes ipsecmon watch it.

The configuration is written to a file and read like anyone's, host keys and credential included, so that the demo takes the
same way as a real device.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from ipsecmon.lab.fleet import BRANCHES, HUB, fleet
from ipsecmon.lab.ssh import Lab
from ipsecmon.lab.topology import hub, two_sites
from ipsecmon.lab.tunnel_faults import TunnelFaults

__all__ = ["DemoLab"]

_WARM_UP_SECONDS = 120.0


class DemoLab:
    """The tutorial's two sites, a hub whose spokes live in the simulation only, or a small fleet with an inventory."""

    def __init__(
        self,
        folder: Path,
        *,
        speed: float,
        interval: float,
        spokes: int | None = None,
        listen: str = "127.0.0.1",
        with_fleet: bool = False,
    ) -> None:
        self._folder = folder
        self._interval = interval
        self._listen = listen
        self._has_inventory = with_fleet and spokes is None
        served: list[str] | None = None
        if self._has_inventory:
            self._topology = fleet()
            served = [HUB, *(branch.name for branch in BRANCHES if branch.is_polled)]
        elif spokes is not None:
            self._topology = hub(spokes)
            served = [self._topology.routers[0].name]
        else:
            self._topology = two_sites()
        self.lab = Lab(self._topology, speed=speed, warm_up=_WARM_UP_SECONDS, serve=served)
        self.faults = TunnelFaults(self.lab, poll_seconds=speed * interval)

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

    def first_device(self) -> str:
        """Some device to try a command on."""
        return next(iter(self.lab.endpoints))

    def fault_target(self) -> str:
        """Some tunnel to try a fault on."""
        return f"{HUB}/{BRANCHES[0].name}" if self._has_inventory else self.first_device()

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
        # minutes of waiting for a device that was broken on purpose would be hours of the routers
        return f"""\
# Written by the demo; every device is emulated and listens on the loopback address.
poll:
  interval: {self._interval:g}s
  backoff_longest: {self._interval:g}s
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
{self._tunnels_text() if self._has_inventory else ""}"""

    def _tunnels_text(self) -> str:
        """The inventory: each tunnel has the name of the branch, at either end."""
        lines = ["tunnels:"]
        centre = self._topology.router(HUB)
        for branch in BRANCHES:
            router = self._topology.router(branch.name)
            for device, own, other in ((HUB, centre, router), (branch.name, router, centre)):
                if device in self.lab.endpoints:
                    lines.append(
                        f"  - {{device: {device}, name: {branch.name}, local: {own.networks[0]}, "
                        f"remote: {other.networks[0]}, intent: {branch.intent}, "
                        f"site: {branch.name}, owner: {branch.owner}}}"
                    )
        return "\n".join(lines) + "\n"

    def _platform(self, name: str) -> str:
        return "iosxe" if self._topology.router(name).dialect.startswith("iosxe") else "ios"
