"""The tree of a regular expression, in classes of our own.

Everything the engine claims about a rule ("it cannot match this line") is read from this tree. It is made by the
parser of the ``re`` module itself, so that both always read an expression alike. That parser has no public name;
this file alone knows it, and what it does not recognise becomes ``Opaque``, about which nothing is ever claimed.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Literal, NamedTuple, TypeAlias

__all__ = [
    "BLANKS",
    "END",
    "OTHER",
    "PLAIN",
    "Atomic",
    "Branch",
    "Chars",
    "Edge",
    "Group",
    "Look",
    "Node",
    "Opaque",
    "Repeat",
    "Sequence",
    "char_bit",
    "tree",
]

# A set of characters is a number: one bit for each ASCII character, one for all others together, and one for the
# end of the line. Where "all others" is concerned a set may hold too much, never too little.
OTHER = 1 << 128
END = 1 << 129
_ASCII = (1 << 128) - 1


def char_bit(char: str) -> int:
    """The bit of a character in a set."""
    return 1 << ord(char) if char < "\x80" else OTHER


def _set_of(is_member: Callable[[str], bool]) -> int:
    return sum(1 << code for code in range(128) if is_member(chr(code)))


BLANKS = _set_of(str.isspace) | OTHER
"""What ``str.lstrip`` removes."""

PLAIN = _ASCII & ~_set_of(lambda char: char in "\n\r\x0b\x0c\x1c\x1d\x1e\x1f")
"""The characters of a plain line: ASCII, and no blank but space and tab."""


class Chars(NamedTuple):
    """One character out of a set."""

    chars: int


class Sequence(NamedTuple):
    items: tuple[Node, ...]


class Branch(NamedTuple):
    choices: tuple[Node, ...]


class Repeat(NamedTuple):
    """``high`` is ``None`` where there is no limit."""

    item: Node
    low: int
    high: int | None
    kind: Literal["greedy", "lazy", "possessive"]


class Group(NamedTuple):
    """A pair of parentheses; ``number`` is ``None`` where it does not capture."""

    number: int | None
    item: Node


class Atomic(NamedTuple):
    item: Node


class Edge(NamedTuple):
    """``^``, ``$`` and ``\\b``, which take no character."""

    at: Literal["start", "end", "word"]


class Look(NamedTuple):
    """A look-ahead."""

    item: Node
    is_negated: bool


class Opaque(NamedTuple):
    """Anything else: it may match anything, or nothing."""

    what: str


Node: TypeAlias = Chars | Sequence | Branch | Repeat | Group | Atomic | Edge | Look | Opaque

_KINDS: dict[str, Literal["greedy", "lazy", "possessive"]] = {
    "MAX_REPEAT": "greedy",
    "MIN_REPEAT": "lazy",
    "POSSESSIVE_REPEAT": "possessive",
}
_EDGES: dict[str, Literal["start", "end", "word"]] = {
    "AT_BEGINNING": "start",
    "AT_BEGINNING_STRING": "start",
    "AT_END": "end",
    "AT_END_STRING": "end",
    "AT_BOUNDARY": "word",
}
# \d, \s and \w of a str pattern know all of Unicode, hence OTHER
_CATEGORIES = {
    "CATEGORY_DIGIT": _set_of(str.isdigit) | OTHER,
    "CATEGORY_NOT_DIGIT": _set_of(lambda char: not char.isdigit()) | OTHER,
    "CATEGORY_SPACE": _set_of(str.isspace) | OTHER,
    "CATEGORY_NOT_SPACE": _set_of(lambda char: not char.isspace()) | OTHER,
    "CATEGORY_WORD": _set_of(lambda char: char.isalnum() or char == "_") | OTHER,
    "CATEGORY_NOT_WORD": _set_of(lambda char: not (char.isalnum() or char == "_")) | OTHER,
}


def tree(pattern: re.Pattern[str]) -> Node:
    """The tree of a compiled expression; ``Opaque`` where ``re`` keeps its parser elsewhere or flags are set."""
    if pattern.flags != re.UNICODE:
        return Opaque("flags")
    parsed = _parsed(pattern.pattern)
    return Opaque("an unknown parser") if parsed is None else _sequence(parsed)


@lru_cache(maxsize=1)
def _parser() -> Any:
    try:
        return importlib.import_module("re._parser")
    except ImportError:
        return None


def _parsed(pattern: str) -> Any:
    parser = _parser()
    return None if parser is None else parser.parse(pattern)


def _sequence(parsed: Iterable[tuple[Any, Any]]) -> Node:
    items = tuple(_node(str(operator), argument) for operator, argument in parsed)
    return items[0] if len(items) == 1 else Sequence(items)


def _node(operator: str, argument: Any) -> Node:
    match operator:
        case "LITERAL" | "NOT_LITERAL" | "ANY" | "IN":
            return _chars(operator, argument)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            low, high, item = argument
            limit = None if str(high) == "MAXREPEAT" else int(high)
            return Repeat(_sequence(item), int(low), limit, _KINDS[operator])
        case "SUBPATTERN":
            number, set_flags, unset_flags, item = argument
            if set_flags or unset_flags:
                return Opaque("flags")
            return Group(number, _sequence(item))
        case "BRANCH":
            return Branch(tuple(_sequence(choice) for choice in argument[1]))
        case "ATOMIC_GROUP":
            return Atomic(_sequence(argument))
        case "AT" if str(argument) in _EDGES:
            return Edge(_EDGES[str(argument)])
        case "ASSERT" | "ASSERT_NOT" if argument[0] == 1:
            return Look(_sequence(argument[1]), operator == "ASSERT_NOT")
        case _:
            return Opaque(operator.lower().replace("_", " "))


def _chars(operator: str, argument: Any) -> Node:
    match operator:
        case "LITERAL":
            return Chars(char_bit(chr(argument)))
        case "NOT_LITERAL":
            return Chars((_ASCII | OTHER) & ~(char_bit(chr(argument)) & _ASCII))
        case "ANY":
            return Chars((_ASCII | OTHER) & ~char_bit("\n"))
        case _:
            return _set(argument)


def _set(items: Iterable[tuple[Any, Any]]) -> Node:
    chars, is_negated = 0, False
    for operator, argument in items:
        match str(operator):
            case "NEGATE":
                is_negated = True
            case "LITERAL":
                chars |= char_bit(chr(argument))
            case "RANGE":
                chars |= _range(argument[0], argument[1])
            case "CATEGORY" if str(argument) in _CATEGORIES:
                chars |= _CATEGORIES[str(argument)]
            case _:
                return Opaque("an unknown set")
    # the negation of "some other characters" is "some other characters"
    return Chars((_ASCII & ~chars) | OTHER) if is_negated else Chars(chars)


def _range(first: int, last: int) -> int:
    chars = OTHER if last > 127 else 0
    if first <= 127:
        chars |= (1 << (min(last, 127) + 1)) - (1 << first)
    return chars
