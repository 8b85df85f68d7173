"""Private keys to log in with, in files and agents: whether they can be used. The session reads or asks for itself."""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping
from pathlib import Path

from ipsecmon.config import Secret
from ipsecmon.credentials.problems import Problem

__all__ = ["KeyFiles", "agent_problem"]

LARGEST_KEY_BYTES = 64 * 1024
AGENT_SOCKET = "SSH_AUTH_SOCK"
AGENT_SECONDS = 2.0


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


def agent_problem(environ: Mapping[str, str]) -> Problem | None:
    """What is wrong with the agent that the environment names; its keys are not asked for."""
    todo = f"start ipsecmon with the {AGENT_SOCKET} of an agent that runs"
    path = environ.get(AGENT_SOCKET)
    if not path:
        return Problem(f"is not there ({AGENT_SOCKET} is not set)", todo)
    try:
        with socket.socket(socket.AF_UNIX) as agent:
            agent.settimeout(AGENT_SECONDS)
            agent.connect(path)
    except OSError as error:
        return Problem(f"does not answer at {path} ({error.strerror or 'no answer'})", todo)
    return None
