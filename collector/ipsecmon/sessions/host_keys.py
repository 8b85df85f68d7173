"""Host keys: those known, and what is done with one that is shown."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import paramiko

from ipsecmon.errors import HostKeyRejected
from ipsecmon.sessions.protocol import HostKeyPolicy, OfferedKey

__all__ = ["AnyHostKey", "KnownHosts", "fingerprint"]


def fingerprint(key: OfferedKey) -> str:
    """As OpenSSH prints it: ``ssh-ed25519 SHA256:...``."""
    digest = base64.b64encode(hashlib.sha256(key.blob).digest()).decode("ascii").rstrip("=")
    return f"{key.algorithm} SHA256:{digest}"


class AnyHostKey(HostKeyPolicy):
    """Takes every key: no protection at all against somebody in between."""

    def known_algorithms(self, host: str, port: int) -> tuple[str, ...]:  # noqa: ARG002 # the Protocol's signature
        """None is known."""
        return ()

    def accept(self, host: str, port: int, key: OfferedKey) -> None:
        """Every key is good."""


class KnownHosts(HostKeyPolicy):
    """Takes the keys of a file in OpenSSH's form and no other."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def known_algorithms(self, host: str, port: int) -> tuple[str, ...]:
        """In the order of the file; none where it cannot be read."""
        return tuple(key.get_name() for key in self._known(host, port))

    def accept(self, host: str, port: int, key: OfferedKey) -> None:
        """Return if the file has the key for this address."""
        where = f"{host}:{port}"
        known = self._known(host, port)
        if not known:
            raise HostKeyRejected(
                f"{where}: no host key is known for this device (offered {fingerprint(key)}); "
                f"verify its key and add it to {self._path}"
            )
        if all(one.asbytes() != key.blob for one in known):
            expected = ", ".join(
                fingerprint(OfferedKey(algorithm=one.get_name(), blob=one.asbytes()))
                for one in known
            )
            raise HostKeyRejected(
                f"{where}: the host key has changed: known {expected}, offered {fingerprint(key)}; "
                f"if the device was replaced, put the new key into {self._path}"
            )

    def _known(self, host: str, port: int) -> list[paramiko.PKey]:
        keys = paramiko.HostKeys()
        try:
            keys.load(str(self._path))
        except (OSError, paramiko.SSHException):
            return []
        found = keys.lookup(host if port == 22 else f"[{host}]:{port}")
        return [] if found is None else list(found.values())
