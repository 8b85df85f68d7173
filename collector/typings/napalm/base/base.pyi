# The part of napalm 5.2 that ipsecmon uses; the package itself is published without types.
from typing import Any

class NetworkDriver:
    hostname: str
    username: str
    password: str
    timeout: int
    platform: str
    device: Any
    def open(self) -> None: ...
    def close(self) -> None: ...
    def cli(self, commands: list[str], encoding: str = "text") -> dict[str, str]: ...
    def is_alive(self) -> dict[str, bool]: ...
