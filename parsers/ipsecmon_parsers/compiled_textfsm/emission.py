"""Writes the expression of a rule again, so that it can stand inside a longer one that spans several lines.

What a rule matches it matches on one line, alone. In a trace the line has neighbours. The expression written here
keeps, on every *plain* line (ASCII, no blank but space and tab) that is followed by a line feed, to this:

* it matches where the rule matches the line alone, and captures the same texts;
* it never takes a character that is not plain, so never the line feed.

Why that holds: every set of characters is cut down to plain characters, which changes nothing on a plain line;
``$`` becomes "a line feed follows", which is true at the end of the line only; ``^`` becomes "no character of this
line before"; ``\\b`` sees a line feed where it saw the end of the text, and neither is a letter. What looks behind,
refers back, sets flags or is unknown is refused.

A line that is not plain is matched by no expression made of this, because a trace takes whole lines and takes
plain characters only. It is then read by the line engine, so nothing need be claimed about it.
"""

from __future__ import annotations

import re
from collections.abc import Container
from functools import lru_cache

from ipsecmon_parsers.compiled_textfsm.paths import Refused
from ipsecmon_parsers.compiled_textfsm.patterns import (
    END,
    PLAIN,
    Atomic,
    Branch,
    Chars,
    Edge,
    Group,
    Look,
    Node,
    Opaque,
    Repeat,
    Sequence,
    char_bit,
)

__all__ = ["Writer", "capture_facts", "char_class", "ends_line", "has_ambiguous_loop"]

_SPACE_AND_TAB = char_bit(" ") | char_bit("\t")

# What may come next, for `_next`: characters, the end of the line, or ...
_FREE = 1 << 130
"""... nothing in particular: the rule has matched."""
_ANYTHING = PLAIN | END | _FREE


class Writer:
    """Writes expressions; ``groups`` lists the groups it captured, in the order of the result."""

    def __init__(self) -> None:
        self.groups: list[tuple[int, int]] = []
        """(rule place, group number in the rule) of each group written."""
        self._loose = 0

    def rule(self, place: int, node: Node, captured: Container[int], indent: str | None) -> str:
        """The expression of a rule from the start of its line.

        Where ``ends_line`` is true of the rule, what is written ends at the end of the line as well.

        ``indent``, for a rule with ``is_indent`` only: match lines with exactly this indentation, which is quicker
        than finding where it ends.
        """
        items = _items(node)
        if items and items[0] == Edge("start"):
            items = items[1:]
        if indent is not None:
            items = items[1:]
        self._loose = 0
        body = self._sequence(place, items, captured, _FREE)
        return body if indent is None else re.escape(indent) + body

    def _sequence(
        self, place: int, items: tuple[Node, ...], captured: Container[int], after: int
    ) -> str:
        # what may come after each item; found from the end, written from the start
        following = [after]
        for item in reversed(items[1:]):
            following.append(_next(item, following[-1]))
        return "".join(
            self._write(place, item, captured, what)
            for item, what in zip(items, reversed(following), strict=False)
        )

    def _write(self, place: int, node: Node, captured: Container[int], after: int) -> str:
        match node:
            case Chars(chars):
                return char_class(chars)
            case Sequence(items):
                return self._sequence(place, items, captured, after)
            case Branch(choices):
                written = [self._write(place, choice, captured, after) for choice in choices]
                return f"(?:{'|'.join(written)})"
            case Repeat():
                return self._repeat(place, node, captured, after)
            case Group(number, item):
                if number is None or number not in captured:
                    return f"(?:{self._write(place, item, captured, after)})"
                self.groups.append((place, number))
                return f"({self._write(place, item, captured, after)})"
            case Atomic(item):
                # once left it is not tried again: what comes behind it cannot make it take more
                return f"(?>{self._write(place, item, captured, _FREE)})"
            case Edge("start"):
                return r"(?<![^\n])"
            case Edge("end"):
                return r"(?=\n)"
            case Edge():
                return r"\b"
            case Look(item, is_negated):
                inner = self._write(place, item, captured, _FREE)
                return f"(?!{inner})" if is_negated else f"(?={inner})"
            case Opaque(what):
                raise Refused(f"it holds what is not understood: {what}")

    def _repeat(self, place: int, node: Repeat, captured: Container[int], after: int) -> str:
        if node.kind == "possessive":
            after = _FREE  # for the same reason
        inside = after | _next(node.item, after)
        before = len(self.groups)
        item = self._write(place, node.item, captured, inside)
        if len(self.groups) > before and node.high != 1:
            # which of several rounds a group keeps is a matter on which releases of re differ
            raise Refused("a value is captured inside a repetition")
        if not isinstance(node.item, Chars):
            item = f"(?:{item})"
        suffix = {"greedy": "", "lazy": "?", "possessive": "+"}[node.kind]
        if takes_all_it_can(node, after):
            suffix = "+"
        elif node.kind != "possessive" and (node.high is None or node.high > _FEW_ROUNDS):
            self._loose += 1
            if self._loose >= _MOST_LOOSE:
                # tried in vain, it takes a power of the line's length that grows with each of them
                raise Refused(
                    f"it repeats {_MOST_LOOSE} parts that can share out a text in several ways"
                )
        return item + _times(node) + suffix


def takes_all_it_can(node: Repeat, after: int) -> bool:
    """Whether a repetition of single characters always ends up with as many as there are.

    Let what comes next begin with none of the repeated characters. If fewer were taken than there are, the next
    character would be one of them, and what comes next could not match; so there is only one number that can
    succeed, whether as many or as few as possible are tried first. Where nothing need come next (``_FREE``), a
    greedy repetition succeeds at its first try, and a lazy one would take fewer. With an upper limit "all there
    are" may be more than the limit; the argument does not hold then.
    """
    if not isinstance(node.item, Chars) or node.high is not None:
        return False
    if node.item.chars & after & PLAIN:
        return False
    return node.kind != "lazy" or not after & _FREE


def ends_line(node: Node) -> bool:
    """Whether a rule ends with ``$``: what it matches is then a whole line."""
    return _items(node)[-1:] == (Edge("end"),)


def is_indent(node: Node) -> bool:
    """Whether a rule begins with blanks of which it always takes all."""
    items = _items(node)
    if items and items[0] == Edge("start"):
        items = items[1:]
    if len(items) < 2 or not isinstance(items[0], Repeat):
        return False
    blanks = items[0]
    following = _FREE
    for item in reversed(items[1:]):
        following = _next(item, following)
    return (
        isinstance(blanks.item, Chars)
        and blanks.item.chars & PLAIN == _SPACE_AND_TAB
        and takes_all_it_can(blanks, following)
        and not following & _FREE
    )


def least_blanks(node: Node) -> int:
    """How many blanks a rule with ``is_indent`` begins with at least."""
    items = _items(node)
    blanks = items[1] if items[0] == Edge("start") else items[0]
    return blanks.low if isinstance(blanks, Repeat) else 0


def _items(node: Node) -> tuple[Node, ...]:
    return node.items if isinstance(node, Sequence) else (node,)


def _next(node: Node, after: int) -> int:
    """The characters with which a text can go on that is to match ``node`` and then what may begin with ``after``.

    Too many are never wrong. ``_ANYTHING`` where a condition is in the way that looks at more than one character.
    """
    match node:
        case Chars(chars):
            return chars & PLAIN
        case Sequence(items):
            for item in reversed(items):
                after = _next(item, after)
            return after
        case Branch(choices):
            result = 0
            for choice in choices:
                result |= _next(choice, after)
            return result
        case Repeat(item, low):
            return _next(item, after) | (after if low == 0 else 0)
        case Group(_, item) | Atomic(item):
            return _next(item, after)
        case Edge("end"):
            return END
        case Look(item, False):
            # what is looked for must begin so; where it may be empty, nothing is known
            ahead = _next(item, _FREE)
            return _ANYTHING if ahead & _FREE else ahead
        case Edge() | Look() | Opaque():
            return _ANYTHING


def _times(node: Repeat) -> str:
    match node.low, node.high:
        case 0, None:
            return "*"
        case 1, None:
            return "+"
        case 0, 1:
            return "?"
        case low, None:
            return f"{{{low},}}"
        case low, high:
            return f"{{{low},{high}}}"


@lru_cache(maxsize=1024)
def char_class(chars: int) -> str:
    """A set of plain characters as ``re`` writes it."""
    codes = [code for code in range(128) if chars & PLAIN & 1 << code]
    if not codes:
        return "(?:(?!))"
    if len(codes) == 1:
        return re.escape(chr(codes[0]))
    text, start = "", 0
    for index, code in enumerate(codes):
        if index + 1 == len(codes) or codes[index + 1] != code + 1:
            first = codes[start]
            text += f"\\x{first:02x}" if first == code else f"\\x{first:02x}-\\x{code:02x}"
            start = index + 1
    return f"[{text}]"


def capture_facts(node: Node) -> dict[int, tuple[bool, bool]]:
    """For each group: whether it captures in every match, and whether it can capture the empty text."""
    facts: dict[int, tuple[bool, bool]] = {}
    _note_captures(node, True, facts)
    return facts


def _note_captures(node: Node, is_certain: bool, facts: dict[int, tuple[bool, bool]]) -> None:
    match node:
        case Sequence(items):
            for item in items:
                _note_captures(item, is_certain, facts)
        case Branch(choices):
            for choice in choices:
                _note_captures(choice, False, facts)
        case Repeat(item, low):
            _note_captures(item, is_certain and low > 0, facts)
        case Group(number, item):
            if number is not None:
                facts[number] = (is_certain, _can_be_empty(item))
            _note_captures(item, is_certain, facts)
        case Atomic(item):
            _note_captures(item, is_certain, facts)
        case Look(item, is_negated):
            _note_captures(item, is_certain and not is_negated, facts)
        case Chars() | Edge() | Opaque():
            pass


def _can_be_empty(node: Node) -> bool:
    """``True`` also where it is not known."""
    match node:
        case Chars():
            return False
        case Sequence(items):
            return all(_can_be_empty(item) for item in items)
        case Branch(choices):
            return any(_can_be_empty(choice) for choice in choices)
        case Repeat(item, low):
            return low == 0 or _can_be_empty(item)
        case Group(_, item) | Atomic(item):
            return _can_be_empty(item)
        case Edge() | Look() | Opaque():
            return True


def has_ambiguous_loop(node: Node) -> bool:
    """Whether a part that can match in several ways is repeated: trying all of them may take exponential time.

    On a line that is not plain, or that another rule was to match, the expression written here can fail after
    trying everything. It must not then take the time that textfsm, where another rule matches at once, does not take.
    """
    match node:
        case Sequence(items):
            return any(has_ambiguous_loop(item) for item in items)
        case Branch(choices):
            return any(has_ambiguous_loop(choice) for choice in choices)
        case Repeat(item, _, high):
            if (high is None or high > _FEW_ROUNDS) and _is_ambiguous(item):
                return True
            return has_ambiguous_loop(item)
        case Group(_, item) | Atomic(item) | Look(item, _):
            return has_ambiguous_loop(item)
        case Chars() | Edge() | Opaque():
            return False


_FEW_ROUNDS = 3
_MOST_LOOSE = 3


def _is_ambiguous(node: Node) -> bool:
    """Whether there may be several ways to match one text."""
    match node:
        case Sequence(items):
            return any(_is_ambiguous(item) for item in items)
        case Repeat(item, low, high):
            return low != high or _is_ambiguous(item)
        case Group(_, item) | Atomic(item):
            return _is_ambiguous(item)
        case Branch() | Look() | Opaque():
            return True
        case Chars() | Edge():
            return False
