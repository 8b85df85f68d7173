"""Secrets that lie on this machine: in the environment, in a file, in the keyring. Each is had, or there is a ``Problem``."""

from __future__ import annotations

import importlib
import stat
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from ipsecmon.config import Secret
from ipsecmon.credentials.problems import LARGEST_BYTES, Problem, usable

__all__ = ["from_environment", "from_file", "from_keyring", "from_systemd"]

SYSTEMD_FOLDER = "CREDENTIALS_DIRECTORY"
KEYRING_SECONDS = 10.0


def from_environment(variable: str, environ: Mapping[str, str]) -> Secret | Problem:
    value = environ.get(variable)
    if value is None:
        return Problem("is not set", "set it where ipsecmon is started")
    return usable(value, "set it to the password alone")


def from_file(path: Path, largest: int = LARGEST_BYTES) -> Secret | Problem:
    # every error ends in a value: an exception raised in a handler would carry the file's bytes along
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return Problem("is not a regular file", "give the path of a file with the password")
        with path.open("rb") as file:
            data = file.read(largest + 1)
    except FileNotFoundError:
        return Problem("does not exist", "create it with the password as its only line")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        return Problem(
            f"cannot be read ({reason})", "make it readable for the account that runs ipsecmon"
        )
    todo = "write the password into it as its only line"
    if len(data) > largest:
        return Problem(f"is longer than {largest} bytes", todo)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Problem("is not text in UTF-8", todo)
    return usable(text.rstrip("\r\n"), todo)


def from_systemd(name: str, environ: Mapping[str, str]) -> Secret | Problem:
    """``LoadCredential=NAME:PATH`` of a unit puts the file NAME into a folder that only the service can read."""
    todo = f"add LoadCredential={name}:PATH to the unit of the service"
    folder = environ.get(SYSTEMD_FOLDER)
    if not folder:
        return Problem(f"is not there ({SYSTEMD_FOLDER} is not set)", todo)
    found = from_file(Path(folder) / name)
    if isinstance(found, Problem) and found.what == "does not exist":
        return Problem("does not exist", todo)
    return found


def from_keyring(service: str, username: str) -> Secret | Problem:
    """From whichever keyring the package keyring finds on this machine; one that asks a person is not waited for."""
    try:
        keyring = importlib.import_module("keyring")
    except ModuleNotFoundError:
        return Problem("needs the package keyring", "pip install 'ipsecmon[keyring]'")
    todo = f"store it with 'keyring set {service} {username}' as the account that runs ipsecmon"
    answers: list[object] = []
    failures: list[str] = []

    def ask() -> None:
        try:
            answers.append(keyring.get_password(service, username))
        except Exception as error:  # noqa: BLE001 # each backend raises what its library raises
            failures.append(type(error).__name__)

    if not ends_within(KEYRING_SECONDS, ask):
        todo = "unlock the keyring of the account that runs ipsecmon"
        return Problem(f"was not given out within {KEYRING_SECONDS:g} s", todo)
    if failures:
        todo = "see whether this machine has a keyring and whether it is unlocked"
        return Problem(f"cannot be read ({failures[0]})", todo)
    value = answers[0]
    return usable(value, todo) if isinstance(value, str) else Problem("does not exist", todo)


def ends_within(seconds: float, work: Callable[[], None]) -> bool:
    thread = threading.Thread(target=work, name="keyring", daemon=True)
    thread.start()
    thread.join(seconds)
    return not thread.is_alive()
