"""Records as flat rows, for tables and spreadsheets: one cell a field, the same columns for every record of a kind."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import lru_cache
from typing import Any, TypeGuard, get_args, get_origin, get_type_hints

from ipsecmon_parsers.documents import kind_field, spi_hex
from ipsecmon_parsers.records import (
    AccessAddress,
    AccessList,
    AutoVpn,
    CryptoSession,
    CustomRow,
    Direction,
    Flow,
    GdoiGroup,
    Ident,
    IkeSa,
    Ikev2Session,
    IpsecSa,
    NamedValue,
    RunningCrypto,
    SelectorPair,
    TrafficSelector,
    VpnLoadBalancing,
    VpnSession,
    VpnSessionSummary,
)

__all__ = ["cell", "columns", "flat", "flat_rows", "is_list", "is_record", "parts", "sa_in_use"]

# a spreadsheet wants a row for each of these, with what they are part of beside it
_ROW_FOR_EACH: dict[type, tuple[str, str]] = {
    AccessList: ("entries", "entry"),
    AutoVpn: ("sessions", "session"),
    CryptoSession: ("flows", "flow"),
    GdoiGroup: ("teks", "tek"),
    IkeSa: ("child_selectors", "child"),
    Ikev2Session: ("ike_sas", "ike_sa"),
    VpnLoadBalancing: ("loads", "load"),
    VpnSession: ("ipsec", "ipsec"),
    VpnSessionSummary: ("counts", "count"),
}


_ONE_TEXT = (Ident, TrafficSelector, SelectorPair, AccessAddress, NamedValue)


def is_record(value: object) -> TypeGuard[Any]:
    """A nested record that has fields worth a line each; idents and selectors are one text."""
    return dataclasses.is_dataclass(value) and not isinstance(value, _ONE_TEXT)


def is_list(value: object) -> bool:
    """Whether a field holds several values."""
    return isinstance(value, tuple)


def sa_in_use(flow: Flow, direction: Direction) -> IpsecSa | None:
    """Of several SAs of one direction the one in use: outbound the device names it, else the last one listed."""
    sas = [sa for sa in flow.sas if sa.direction is direction]
    current = [sa for sa in sas if sa.spi is not None and sa.spi == flow.current_outbound_spi]
    in_use = current or sas
    return in_use[-1] if in_use else None


def cell(value: Any) -> str:
    """One value as text: nothing for ``None``, ``true`` and ``false``, lists separated by blanks or semicolons."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Enum():
            return str(value.value)
        case TrafficSelector():
            return (
                f"{value.start_address}/{value.start_port} - {value.end_address}/{value.end_port}"
            )
        case SelectorPair():
            return f"{cell(value.local)} to {cell(value.remote)}"
        case AccessAddress():
            return _address(value)
        case NamedValue():
            return f"{value.name}: {value.value or ''}".strip()
        case Mapping():
            pairs = [f"{name}={cell(item)}" for name, item in value.items()]  # pyright: ignore[reportUnknownVariableType] # names and values of a user's template
            return ", ".join(pairs)
        case tuple():
            texts = [cell(item) for item in value]  # pyright: ignore[reportUnknownVariableType] # items of our own records
            return ("; " if any(" " in text for text in texts) else " ").join(texts)
        case _:
            return str(value)


def _address(address: AccessAddress) -> str:
    text = address.address or address.name or ""
    if address.prefix_length is not None and address.kind == "network":
        text += f"/{address.prefix_length}"
    if address.wildcard is not None:
        text += f" {address.wildcard}"
    if address.last_address is not None:
        text += f" - {address.last_address}"
    return text if address.kind == "network" else f"{address.kind} {text}".strip()


def _is_part_of_configuration(kind: type, name: str) -> bool:
    """The parts of a configuration have tables of their own; counts of what was taken out would all be 0."""
    return kind is RunningCrypto and _record_type(kind, name) is not None


def flat(record: Any, prefix: str = "", skip: str = "") -> dict[str, str]:
    """Every field of a record by name; of a list of records their number, of a nested record its fields.

    The SAs of a flow are those in use, ``inbound_spi`` and so on, and their number.
    """
    columns: dict[str, str] = {}
    for field in dataclasses.fields(record):
        name = f"{prefix}{_column(record.__class__, field.name)}"
        value = getattr(record, field.name)
        if field.name == skip or _is_part_of_configuration(record.__class__, field.name):
            continue
        if isinstance(record, CustomRow) and field.name == "values":
            # as many columns as the user's template has names
            columns |= {own: cell(item) for own, item in record.values.items()}
            continue
        if isinstance(record, Flow) and field.name == "sas":
            columns[name] = str(len(record.sas))
            for direction in Direction:
                columns |= _sa_columns(sa_in_use(record, direction), f"{direction.value}_")
        elif is_list(value) and _record_type(record.__class__, field.name):
            columns[name] = str(len(value))
        elif is_record(value):
            columns |= flat(value, f"{name}_")
        elif value is None and _record_type(record.__class__, field.name) is not None:
            continue
        else:
            columns[name] = cell(value)
            if field.name == "spi" or field.name.endswith("_spi"):
                columns[f"{name}_hex"] = "" if value is None else spi_hex(value)
    return columns


_SA_COLUMNS = (
    "spi",
    "transform",
    "settings",
    "remaining_seconds",
    "remaining_kilobytes",
    "status",
)


def _sa_columns(sa: IpsecSa | None, prefix: str) -> dict[str, str]:
    columns = dict.fromkeys(
        (f"{prefix}{name}" for name in ("spi", "spi_hex", *_SA_COLUMNS[1:])), ""
    )
    if sa is not None:
        columns |= {f"{prefix}{name}": cell(getattr(sa, name)) for name in _SA_COLUMNS}
        columns[f"{prefix}spi_hex"] = "" if sa.spi is None else spi_hex(sa.spi)
    return columns


def _column(kind: type, name: str) -> str:
    return kind_field(kind.__name__) if name == "kind" else name


@lru_cache
def _record_type(kind: type, name: str) -> type | None:
    """The type of the records a field holds, one or a list of them; ``None`` if it holds none."""
    hint = get_type_hints(kind)[name]
    candidates = (hint, *get_args(hint))
    return next((one for one in candidates if isinstance(one, type) and _has_columns(one)), None)


def _has_columns(kind: type) -> bool:
    return dataclasses.is_dataclass(kind) and not issubclass(kind, _ONE_TEXT)


@lru_cache
def columns(kind: type) -> tuple[str, ...]:
    """The columns of a kind of record in a spreadsheet, the same whatever the records hold."""
    name, prefix = _ROW_FOR_EACH.get(kind, ("", ""))
    own = _own_columns(kind, "", name)
    part = _record_type(kind, name) if name else None
    return own if part is None else (*own, *_own_columns(part, f"{prefix}_", ""))


def _own_columns(kind: Any, prefix: str, skip: str) -> tuple[str, ...]:
    found: list[str] = []
    for field in dataclasses.fields(kind):
        name = f"{prefix}{_column(kind, field.name)}"
        nested = _record_type(kind, field.name)
        is_list = get_origin(get_type_hints(kind)[field.name]) is tuple
        if field.name == skip or _is_part_of_configuration(kind, field.name):
            continue
        if nested is not None and not is_list:
            found += _own_columns(nested, f"{name}_", "")
            continue
        found.append(name)
        if kind is Flow and field.name == "sas":
            for direction in Direction:
                found += _sa_columns(None, f"{direction.value}_")
        elif field.name == "spi" or field.name.endswith("_spi"):
            found.append(f"{name}_hex")
    return tuple(found)


def flat_rows(record: Any) -> Iterator[dict[str, str]]:
    """The rows of one record in a spreadsheet; what has parts worth a row each is repeated beside them."""
    if type(record) not in _ROW_FOR_EACH:
        yield flat(record)
        return
    name, prefix = _ROW_FOR_EACH[type(record)]
    own = flat(record, skip=name)
    parts = getattr(record, name)
    for part in parts:
        yield own | flat(part, f"{prefix}_")
    if not parts:
        yield own


def parts(running: RunningCrypto) -> Iterator[object]:
    """A configuration is shown by its parts, its own settings first."""
    lists = [
        field.name
        for field in dataclasses.fields(running)
        if _record_type(RunningCrypto, field.name) is not None
    ]
    nothing: dict[str, Any] = dict.fromkeys(lists, ())
    own = dataclasses.replace(running, **nothing)
    if own != RunningCrypto():
        yield own
    for name in lists:
        yield from getattr(running, name)
