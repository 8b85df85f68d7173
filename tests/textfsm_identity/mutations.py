"""Changes of a text, by chance and by system, each repeatable from its seed."""

from __future__ import annotations

import random
from collections.abc import Callable

__all__ = ["Change", "changed_here_and_there", "changed_throughout", "some_change"]

Change = Callable[[str, random.Random], str | None]
"""What becomes of a line; ``None`` removes it."""

_INSERTED = " \t0a:-#(/,{}\x0b\r\xa0é\u2028"


def changed_here_and_there(text: str, chance: random.Random, other: str = "") -> str:
    """The text with up to eight changes at places chosen by chance; ``other`` lends lines that do not belong."""
    lines = text.split("\n")
    for _ in range(chance.randrange(1, 8)):
        if not lines:
            lines = [""]
        _change(lines, chance, other)
    return chance.choice(("\n", "\n", "\n", "\n", "\r\n")).join(lines)


def _change(lines: list[str], chance: random.Random, other: str) -> None:
    at = chance.randrange(len(lines))
    line = lines[at]
    place = chance.randrange(len(line) + 1)
    match chance.randrange(11):
        case 0:
            del lines[at]
        case 1:
            lines.insert(at, chance.choice(lines))
        case 2:
            to = chance.randrange(len(lines))
            lines[at], lines[to] = lines[to], lines[at]
        case 3:
            lines[at] = line[:place] + line[place + 1 :]
        case 4:
            lines[at] = line[:place] + chance.choice(_INSERTED) + line[place:]
        case 5:
            lines[at] = chance.choice((line.rstrip(), line.lstrip(), line + "  ", line + "\r"))
        case 6:
            block = lines[at : at + chance.randrange(1, 40)]
            lines[at:at] = block * chance.randrange(1, 4)
        case 7:
            lines[at] = line.replace(" ", "  ", 1)
        case 8:
            borrowed = other.split("\n")
            start = chance.randrange(len(borrowed))
            lines[at:at] = borrowed[start : start + 4]
        case 9:
            del lines[chance.randrange(1, len(lines) + 1) :]
        case _:
            lines[at] = line[:place]


def some_change(text: str, chance: random.Random) -> Change:
    """A small change of all lines that begin like a certain line of the text."""
    lines = [line for line in text.split("\n") if line.strip()] or [""]
    model = chance.choice(lines).lstrip()
    start = model[: chance.choice((1, 4, 8, 12, 16, 20))]
    place = chance.choice((chance.randrange(len(model) + 1), 8, 16, 20, len(model)))
    kind = chance.randrange(12)
    char = chance.choice(" \ta0:,(#x\xa0é")
    share = chance.choice((1.0, 1.0, 0.5, 0.2))

    def change(line: str, dice: random.Random) -> str | None:
        stripped = line.lstrip()
        if not stripped.startswith(start) or dice.random() >= share:
            return line
        indent = len(line) - len(stripped)
        at = indent + min(place, len(stripped))
        changed: tuple[str | None, ...] = (
            line[:at],
            line[:at] + line[at + 1 :],
            line[:at] + char + line[at:],
            None,
            f"{line}\n{line}",
            line + char,
            stripped,
            char + line,
            line.rstrip() + "   ",
            line + "\r",
            "".join(dice.choice("0123456789") if one.isdigit() else one for one in line),
            f"{char}\n{line}",
        )
        return changed[kind]

    return change


def changed_throughout(text: str, changes: list[Change], chance: random.Random) -> str:
    """The text with the same changes on all lines they are for."""
    for change in changes:
        lines = [change(line, chance) for line in text.split("\n")]
        text = "\n".join(line for line in lines if line is not None)
    return text
