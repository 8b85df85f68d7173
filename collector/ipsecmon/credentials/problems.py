"""Why a secret cannot be had, in one sentence that names its source and never a value."""

from __future__ import annotations

from typing import NamedTuple

from ipsecmon.config import Secret, has_controls
from ipsecmon.errors import IpsecmonError

__all__ = ["LARGEST_BYTES", "CredentialError", "Problem", "usable"]

LARGEST_BYTES = 4096


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
    """What is wrong with a source, to stand behind its name, and what to do."""

    what: str
    todo: str


def usable(value: str, todo: str) -> Secret | Problem:
    """``value`` as a secret, if it is one that can be sent to a device."""
    if not value:
        return Problem("is empty", todo)
    if has_controls(value):
        # a line feed inside a password would be sent to the device as the end of a line
        return Problem("holds more than one line or control characters", todo)
    return Secret(value)
