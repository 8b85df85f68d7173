"""The arguments of somebody else's inventory plugin, with sources of secrets among them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, cast

from ipsecmon.config.readings import Reading
from ipsecmon.config.secret import HIDDEN
from ipsecmon.config.secret_sources import (
    FromCommand,
    FromEnvironment,
    FromFile,
    FromSystemd,
    read_reference,
)

__all__ = ["Options"]

NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?")
# a mapping with one of these as its only key is the source of a secret
KEYS_OF_REFERENCES = ({"env"}, {"file"}, {"systemd"}, {"command"})


def read_options(value: object, directory: Path | None) -> Mapping[str, object]:
    """Arguments for somebody else's code: words that look like numbers or switches become them, secrets stay sources."""
    if not isinstance(value, dict):
        raise ValueError  # noqa: TRY004 # the reader's one error
    options = cast("dict[str, object]", value)
    return {name: read_option(option, directory) for name, option in options.items()}


def read_option(value: object, directory: Path | None) -> object:
    match value:
        case str() if value in ("true", "false"):
            return value == "true"
        case str() if NUMBER.fullmatch(value):
            return float(value) if "." in value else int(value)
        case dict():
            inner = cast("dict[str, object]", value)
            if inner.keys() in KEYS_OF_REFERENCES:
                return read_reference(inner, directory)
            return read_options(inner, directory)
        case list() | tuple():
            return [read_option(one, directory) for one in cast("Iterable[object]", value)]
        case (
            str() | int() | float() | FromEnvironment() | FromFile() | FromSystemd() | FromCommand()
        ):
            return value
        case _:
            return None


def hide_options(value: object) -> object:
    return dict.fromkeys(cast("Mapping[str, object]", value), HIDDEN)


Options = Annotated[
    Mapping[str, object],
    Reading("a mapping of the plugin's arguments", read_options, hide_options),
]
