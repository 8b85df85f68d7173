"""A credential's name to a login, looked up anew at each use so that a rotated password works without a restart."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ipsecmon.config import Credential, FromEnvironment, FromFile, Secret, has_controls
from ipsecmon.errors import IpsecmonError

__all__ = ["CredentialError", "Login", "check", "resolve"]

LARGEST_BYTES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """What a device wants to know."""

    username: str
    password: Secret
    enable: Secret | None


class CredentialError(IpsecmonError, LookupError):
    """A secret cannot be had; names the credential and its source, never a value."""

    def __init__(self, credential: str, key: str, source: str, problem: str, todo: str) -> None:
        super().__init__(credential, key, source, problem, todo)
        self.credential = credential
        self.key = key
        self.source = source
        self.problem = problem
        self.todo = todo

    def __str__(self) -> str:
        return (
            f"credentials.{self.credential}.{self.key}: {self.source} {self.problem}; {self.todo}"
        )


class Problem(NamedTuple):
    what: str
    todo: str


def resolve(
    credentials: Mapping[str, Credential],
    name: str,
    *,
    environ: Mapping[str, str] | None = None,
    redact: Callable[[str], None] | None = None,
) -> Login:
    """The login behind this name, read now; ``redact`` (of the log) is told every secret before anybody else has it."""
    credential = credentials[name]
    env = os.environ if environ is None else environ
    password = secret(name, "password", credential.password, env)
    enable = None
    if credential.enable is not None:
        enable = secret(name, "enable", credential.enable, env)
    if redact is not None:
        redact(password.reveal())
        if enable is not None:
            redact(enable.reveal())
    return Login(username=credential.username, password=password, enable=enable)


def check(
    credentials: Mapping[str, Credential], *, environ: Mapping[str, str] | None = None
) -> tuple[CredentialError, ...]:
    """Every secret that cannot be had now, in the order of the file."""
    env = os.environ if environ is None else environ
    errors: list[CredentialError] = []
    for name, credential in credentials.items():
        for key, source in (("password", credential.password), ("enable", credential.enable)):
            if source is None:
                continue
            try:
                secret(name, key, source, env)
            except CredentialError as error:
                errors.append(error)
    return tuple(errors)


def secret(
    name: str,
    key: str,
    source: FromEnvironment | FromFile | Secret,
    environ: Mapping[str, str],
) -> Secret:
    match source:
        case Secret():
            return source
        case FromEnvironment():
            found = from_environment(source.env, environ)
        case FromFile():
            found = from_file(source.file)
    if isinstance(found, Secret):
        return found
    raise CredentialError(name, key, str(source), *found)


def from_environment(variable: str, environ: Mapping[str, str]) -> Secret | Problem:
    value = environ.get(variable)
    if value is None:
        return Problem("is not set", "set it where ipsecmon is started")
    return usable(value, "set it to the password alone")


def from_file(path: Path) -> Secret | Problem:
    # every error ends in a value: an exception raised in a handler would carry the file's bytes along
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return Problem("is not a regular file", "give the path of a file with the password")
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except FileNotFoundError:
        return Problem("does not exist", "create it with the password as its only line")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        return Problem(
            f"cannot be read ({reason})", "make it readable for the account that runs ipsecmon"
        )
    todo = "write the password into it as its only line"
    if len(data) > LARGEST_BYTES:
        return Problem(f"is longer than {LARGEST_BYTES} bytes", todo)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Problem("is not text in UTF-8", todo)
    return usable(text.rstrip("\r\n"), todo)


def usable(value: str, todo: str) -> Secret | Problem:
    if not value:
        return Problem("is empty", todo)
    if has_controls(value):
        # a line feed inside a password would be sent to the device as the end of a line
        return Problem("holds more than one line or control characters", todo)
    return Secret(value)
