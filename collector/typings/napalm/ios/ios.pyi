# The part of napalm 5.2 that ipsecmon uses; the package itself is published without types.
from typing import Any

from napalm.base.base import NetworkDriver

class IOSDriver(NetworkDriver):
    def __init__(
        self,
        hostname: str,
        username: str,
        password: str,
        timeout: int = 60,
        optional_args: dict[str, Any] | None = None,
    ) -> None: ...
    def _send_command(self, command: str | list[str]) -> str: ...
