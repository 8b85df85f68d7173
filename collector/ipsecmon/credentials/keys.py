"""Private keys to log in with: whether a file holds one that its passphrase opens. The session reads it for itself."""

from __future__ import annotations

import threading
from pathlib import Path

from ipsecmon.config import Secret
from ipsecmon.credentials.problems import Problem

__all__ = ["KeyFiles"]

LARGEST_KEY_BYTES = 64 * 1024


class KeyFiles:
    """Looks at key files; one that has not changed is looked at once, since opening it is made slow on purpose."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[Path, tuple[bytes, Secret | None, Problem | None]] = {}

    def read(self, path: Path, passphrase: Secret | None) -> bytes | Problem:
        """The file's bytes if they are a key that ``passphrase`` opens."""
        try:
            with path.open("rb") as file:
                data = file.read(LARGEST_KEY_BYTES + 1)
        except FileNotFoundError:
            return Problem("does not exist", "give the path of a private key")
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "not a path"
            todo = "make it readable for the account that runs ipsecmon"
            return Problem(f"cannot be read ({reason})", todo)
        with self._lock:
            seen = self._seen.get(path)
            if seen is None or seen[:2] != (data, passphrase):
                seen = data, passphrase, look(data, passphrase)
                self._seen[path] = seen
        return seen[2] or data


def look(data: bytes, passphrase: Secret | None) -> Problem | None:
    """What is wrong with a private key."""
    import asyncssh  # takes a third of a second, which commands without a device should not cost

    words = None if passphrase is None else passphrase.reveal()
    todo = "give a private key in the form of OpenSSH or PEM, such as ssh-keygen makes"
    if len(data) > LARGEST_KEY_BYTES:
        return Problem("is too long for a key", todo)
    try:
        asyncssh.import_private_key(data, words)
    except asyncssh.KeyEncryptionError:
        return Problem("is not opened by its passphrase", "correct 'passphrase'")
    except asyncssh.KeyImportError as error:
        if "assphrase" in str(error):
            if passphrase is None:
                return Problem("is encrypted", "add 'passphrase' to the credential")
            return Problem("is not opened by its passphrase", "correct 'passphrase'")
        return Problem("is not a private key", todo)
    except Exception:  # noqa: BLE001 # a file of any content meets several parsers
        return Problem("is not a private key", todo)
    return None
