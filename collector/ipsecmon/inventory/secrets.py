"""The secrets that a source itself needs: the token of an HTTP server, the argument of a plugin."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import cast

from ipsecmon.config import (
    AnySource,
    FromCommand,
    FromEnvironment,
    FromFile,
    FromSystemd,
    FromVault,
    Secret,
)
from ipsecmon.credentials.looking import look_up
from ipsecmon.credentials.problems import Problem
from ipsecmon.inventory.hosts import SourceFailed

__all__ = ["Redact", "reveal", "revealed"]

Redact = Callable[[str], None]
"""Told every secret before anybody else has it."""


def reveal(source: AnySource, key: str, redact: Redact) -> str:
    """The secret, read now; ``key`` names it where it cannot be had."""
    found = source if isinstance(source, Secret) else look_up(source, os.environ, _not_in_vault)
    if not isinstance(found, Secret):
        raise SourceFailed(f"{key}: {source} {found.what}; {found.todo}")
    redact(found.reveal())
    return found.reveal()


def _not_in_vault(_: FromVault) -> Problem:
    return Problem(
        "cannot be had for a source of devices",
        "let a program print it: {command: [vault, kv, get, ...]}",
    )


def revealed(options: Mapping[str, object], redact: Redact, path: str = "options") -> object:
    """The options with the secrets in the place of their sources."""
    return {name: _revealed(value, f"{path}.{name}", redact) for name, value in options.items()}


def _revealed(value: object, path: str, redact: Redact) -> object:
    match value:
        case FromEnvironment() | FromFile() | FromSystemd() | FromCommand() | Secret():
            return reveal(value, path, redact)
        case dict():
            return revealed(cast("dict[str, object]", value), redact, path)
        case list():
            return [_revealed(one, path, redact) for one in cast("list[object]", value)]
        case _:
            return value
