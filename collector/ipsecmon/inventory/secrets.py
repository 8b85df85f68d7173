"""The secrets that a source itself needs: the token of an HTTP server, the argument of a plugin."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import cast

from ipsecmon.config import FromEnvironment, FromFile, Secret
from ipsecmon.credentials import Problem, from_environment, from_file
from ipsecmon.inventory.hosts import SourceFailed

__all__ = ["Redact", "reveal", "revealed"]

Redact = Callable[[str], None]
"""Told every secret before anybody else has it."""


def reveal(source: FromEnvironment | FromFile | Secret, key: str, redact: Redact) -> str:
    """The secret, read now; ``key`` names it where it cannot be had."""
    found = _look_up(source)
    if not isinstance(found, Secret):
        raise SourceFailed(f"{key}: {source} {found.what}; {found.todo}")
    redact(found.reveal())
    return found.reveal()


def _look_up(source: FromEnvironment | FromFile | Secret) -> Secret | Problem:
    match source:
        case Secret():
            return source
        case FromEnvironment():
            return from_environment(source.env, os.environ)
        case FromFile():
            return from_file(source.file)


def revealed(options: Mapping[str, object], redact: Redact, path: str = "options") -> object:
    """The options with the secrets in the place of their sources."""
    return {name: _revealed(value, f"{path}.{name}", redact) for name, value in options.items()}


def _revealed(value: object, path: str, redact: Redact) -> object:
    match value:
        case FromEnvironment() | FromFile() | Secret():
            return reveal(value, path, redact)
        case dict():
            return revealed(cast("dict[str, object]", value), redact, path)
        case list():
            return [_revealed(one, path, redact) for one in cast("list[object]", value)]
        case _:
            return value
