"""Records -> plain JSON values, the form of ``ipsecmon parse --json``, ``dump`` and the API.

Every record is an object whose ``kind`` is the name of its type; a field of that name is spelt with the type:
``Flow.kind`` is ``flow_kind``, ``AccessList.kind`` is ``access_list_kind``. Beside each SPI stands its hexadecimal, as the device prints it.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeAlias, cast

from ipsecmon_parsers.records import Record

__all__ = ["Json", "kind_field", "record_document", "spi_hex"]

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


def spi_hex(spi: int) -> str:
    """2142065773 -> ``0x7FAD546D``; IOS prints no leading zeros either."""
    return f"0x{spi:X}"


def kind_field(name: str) -> str:
    """Where the field ``kind`` of a record type goes: ``AccessList`` -> ``access_list_kind``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower() + "_kind"


def record_document(record: Record) -> dict[str, Json]:
    """One record with its nested records."""
    name = type(record).__name__
    own_kind = kind_field(name)
    fields = {own_kind if key == "kind" else key: value for key, value in _fields(record).items()}
    return {"kind": name, **fields}


def _fields(record: Any) -> dict[str, Json]:
    document: dict[str, Json] = {}
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        document[field.name] = _plain(value)
        if field.name == "spi" or field.name.endswith("_spi"):
            document[f"{field.name}_hex"] = None if value is None else spi_hex(value)
    return document


def _plain(value: Any) -> Json:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]  # pyright: ignore[reportUnknownVariableType] # items of our own records
    if isinstance(value, Enum):
        return str(value.value)
    if dataclasses.is_dataclass(value):
        return _fields(value)
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in cast("Mapping[str, Any]", value).items()}
    plain: bool | int | float | str | None = value
    return plain
