"""What a device takes from its groups and from ``defaults``, before any value is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from ipsecmon.config.document import Block
from ipsecmon.config.models import Group

__all__ = ["flattened", "lineage"]

INHERITED = tuple(key for key in Group.model_fields if key != "groups")


def lineage(
    one: Mapping[str, object], groups: Mapping[str, object]
) -> Iterator[tuple[str, Mapping[str, object]]]:
    """The groups of a device, or of a group, in order and depth first, each once; unknown ones are left out."""
    seen: set[str] = set()
    waiting = named_groups(one)
    while waiting:
        name = waiting.pop(0)
        group = groups.get(name)
        if name in seen or not isinstance(group, Mapping):
            continue
        seen.add(name)
        known = cast("Mapping[str, object]", group)
        yield name, known
        waiting = [*named_groups(known), *waiting]


def named_groups(one: Mapping[str, object]) -> list[str]:
    names = one.get("groups")
    if not isinstance(names, list | tuple):
        return []
    return [name for name in cast("list[object]", names) if isinstance(name, str)]


def flattened(
    device: Mapping[str, object],
    groups: Mapping[str, object],
    defaults: Mapping[str, object] | None = None,
) -> Block:
    """The device with all that its groups and the defaults say and it does not; each key keeps its place in the file."""
    flat = joined(device)
    for _, other in (*lineage(device, groups), ("", defaults or {})):
        for key in INHERITED:
            if key not in other:
                continue
            mine, theirs = flat.get(key), other[key]
            if key not in flat:
                copy_key(key, other, flat)
            elif key == "plan" and isinstance(mine, Mapping) and isinstance(theirs, Mapping):
                flat[key] = joined(
                    cast("Mapping[str, object]", mine), cast("Mapping[str, object]", theirs)
                )
    return flat


def joined(*blocks: Mapping[str, object]) -> Block:
    """The keys of all; the first that has one wins."""
    result = Block()
    for block in blocks:
        for key in block:
            if key not in result:
                copy_key(key, block, result)
    return result


def copy_key(key: str, source: Mapping[str, object], to: Block) -> None:
    to[key] = source[key]
    if isinstance(source, Block) and key in source.key_at:
        to.key_at[key] = source.key_at[key]
