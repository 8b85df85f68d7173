"""What is done with a host key that a device shows: three policies over the keys that are known."""

from __future__ import annotations

import base64
import hashlib
import threading
from pathlib import Path

from ipsecmon.config import HostKeyCheck
from ipsecmon.errors import HostKeyRejected
from ipsecmon.sessions.known_hosts import (
    HostKeyFileError,
    HostKeyStore,
    KeyState,
    KnownKeys,
    NewKey,
)
from ipsecmon.sessions.protocol import HostKeyPolicy, OfferedKey

__all__ = ["AnyHostKey", "FirstUse", "HostKeys", "KnownHosts", "fingerprint", "refusal"]


def fingerprint(key: OfferedKey) -> str:
    """As OpenSSH prints it: ``ssh-ed25519 SHA256:...``."""
    digest = base64.b64encode(hashlib.sha256(key.blob).digest()).decode("ascii").rstrip("=")
    return f"{key.algorithm} SHA256:{digest}"


class AnyHostKey(HostKeyPolicy):
    """Takes every key: no protection at all against somebody in between."""

    def __init__(self) -> None:
        self._taken: set[tuple[str, int]] = set()
        self._lock = threading.Lock()

    @property
    def unverified(self) -> int:
        """Addresses whose key was taken without a look at it."""
        return len(self._taken)

    def known_algorithms(self, host: str, port: int) -> tuple[str, ...]:  # noqa: ARG002 # the Protocol's signature
        """None is known."""
        return ()

    def accept(self, host: str, port: int, key: OfferedKey) -> None:  # noqa: ARG002 # the Protocol's signature
        """Every key is good."""
        with self._lock:
            self._taken.add((host, port))


class KnownHosts(HostKeyPolicy):
    """Takes the keys of a file in OpenSSH's form and no other.

    ``name`` is what the configuration calls the device or jump host, for what the error says to do.
    """

    unverified = 0

    def __init__(self, store: HostKeyStore | Path, name: str = "NAME") -> None:
        self._store = store if isinstance(store, HostKeyStore) else HostKeyStore(store)
        self._name = name

    def known_algorithms(self, host: str, port: int) -> tuple[str, ...]:
        """In the order of the file; none where it cannot be read."""
        return tuple(dict.fromkeys(key.algorithm for key in self._store.known(host, port).keys))

    def accept(self, host: str, port: int, key: OfferedKey) -> None:
        """Return if the file has the key for this address."""
        known = self._store.known(host, port)
        refused = refusal(known, key, self._name)
        if refused is not None:
            trouble = self._store.trouble
            why = f"; {self._store.path}: {trouble}" if trouble else ""
            raise HostKeyRejected(f"{host}:{port}: {refused}{why}")


class FirstUse(KnownHosts):
    """Takes down the first key that an address shows, and holds the address to it from then on."""

    def accept(self, host: str, port: int, key: OfferedKey) -> None:
        """Return if the key is known now; one that cannot be written down is refused."""
        if self._store.known(host, port).state_of(key) is KeyState.NEW:
            try:
                before = self._store.add_first(
                    NewKey(host=host, port=port, key=key, comment=self._name)
                )
            except HostKeyFileError as error:
                raise HostKeyRejected(
                    f"{host}:{port}: its first key ({fingerprint(key)}) cannot be taken down: {error}"
                ) from error
            if before.state_of(key) is KeyState.NEW:
                return
        super().accept(host, port, key)


class HostKeys:
    """The policies of a configuration, all over one store."""

    def __init__(self, check: HostKeyCheck, known_hosts: Path) -> None:
        self.check = check
        self.store = HostKeyStore(known_hosts)
        self._any = AnyHostKey()

    def policy(self, name: str) -> HostKeyPolicy:
        """For the device or jump host of this name in the configuration."""
        match self.check:
            case HostKeyCheck.STRICT:
                return KnownHosts(self.store, name)
            case HostKeyCheck.TOFU:
                return FirstUse(self.store, name)
            case HostKeyCheck.OFF:
                return self._any

    @property
    def unverified(self) -> int:
        """Addresses whose key was believed without a check since the start: all of them with ``off``, the first time
        with ``tofu``, none with ``strict``."""
        return self._any.unverified + self.store.first_uses


def refusal(known: KnownKeys, key: OfferedKey, name: str) -> str | None:
    """Why ``key`` is not to be believed, with both fingerprints and what to do; ``None`` when it is known."""
    offered = fingerprint(key)
    expected = ", ".join(fingerprint(one) for one in known.keys)
    match known.state_of(key):
        case KeyState.KNOWN:
            return None
        case KeyState.NEW:
            return (
                f"no host key is known for this device (offered {offered}); compare it with the device's own, "
                f"then: ipsecmon hostkeys trust {name}"
            )
        case KeyState.CHANGED:
            return (
                f"the host key has changed: known {expected}, offered {offered}; somebody may be in between. "
                f"If the device was replaced: ipsecmon hostkeys trust {name} --replace"
            )
        case KeyState.NEW_TYPE:
            return (
                f"a host key of a type not known for this device: known {expected}, offered {offered}; compare it "
                f"with the device's own, then: ipsecmon hostkeys trust {name}"
            )
        case KeyState.REVOKED:
            return f"the host key {offered} is revoked; give the device a new one"
