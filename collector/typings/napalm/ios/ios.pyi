# The part of napalm 5.2 that ipsecmon uses; the package itself is published without types.
from typing import Any

class IOSDriver:
    hostname: str
    username: str
    password: str
    timeout: int
    device: Any
    def __init__(
        self,
        hostname: str,
        username: str,
        password: str,
        timeout: int = 60,
        optional_args: dict[str, Any] | None = None,
    ) -> None: ...
    def open(self) -> None: ...
    def close(self) -> None: ...
    def cli(self, commands: list[str], encoding: str = "text") -> dict[str, str]: ...
    def is_alive(self) -> dict[str, bool]: ...
    def _send_command(self, command: str | list[str]) -> str: ...
