"""Files of devices, groups, tunnels and links beside the configuration file, put together with it.

The whole is checked as one, so that a device may take a group from another file; each value still knows its own file and
line, and each mistake is told by the number that its item has in its own file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from ipsecmon.config.document import Block, Items, Position

__all__ = ["LISTS", "SECTIONS", "Whole", "placed", "put_together"]

LISTS = ("devices", "tunnels", "links")
SECTIONS = ("devices", "groups", "tunnels", "links")


@dataclass(frozen=True, slots=True)
class Whole:
    """``numbers`` leads from an item of a list put together to its number in its own file."""

    root: Block
    numbers: dict[tuple[str, int], int] = field(default_factory=dict[tuple[str, int], int])
    equal_groups: list[tuple[Block, str]] = field(default_factory=list[tuple[Block, str]])
    """Groups that an earlier file has already: the part, the name."""

    def file_of(self, section: str, index: int) -> str:
        """The file of an item; empty for the configuration file itself."""
        items = self.root.get(section)
        at = items.item_at[index] if isinstance(items, Items) else Position(0, 0)
        return at.file


def put_together(root: Block, parts: Sequence[Block]) -> Whole:
    """The lists of all, one behind the other, and the groups of all; what is no list or mapping is left as it is."""
    if not parts:
        return Whole(root)
    result = Block()
    result.update(root)
    result.key_at = dict(root.key_at)
    whole = Whole(result)
    for part in parts:
        for section in LISTS:
            theirs = part.get(section)
            mine = result.get(section, Items())
            if not isinstance(theirs, Items) or not isinstance(mine, Items):
                continue
            both = Items()
            both += [*mine, *theirs]
            both.item_at = [*mine.item_at, *theirs.item_at]
            for number in range(len(theirs)):
                whole.numbers[section, len(mine) + number] = number
            result[section] = both
            result.key_at.setdefault(section, part.key_at[section])
        add_groups(whole, part)
    return whole


def add_groups(whole: Whole, part: Block) -> None:
    theirs, mine = part.get("groups"), whole.root.get("groups", Block())
    if not isinstance(theirs, Block) or not isinstance(mine, Block):
        return
    both = Block()
    both.update(mine)
    both.key_at = dict(mine.key_at)
    for name, group in theirs.items():
        if name in both:
            whole.equal_groups.append((part, name))
            continue
        both[name] = group
        both.key_at[name] = theirs.key_at[name]
    whole.root["groups"] = both
    whole.root.key_at.setdefault("groups", part.key_at["groups"])


def placed(value: object, file: str) -> None:
    """Note in every place of this tree, in which file it is."""
    seen: set[int] = set()
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, Block):
            one.key_at = {key: at.in_file(file) for key, at in one.key_at.items()}
            waiting += one.values()
        elif isinstance(one, Items):
            one.item_at = [at.in_file(file) for at in one.item_at]
            waiting += cast("list[object]", one)
