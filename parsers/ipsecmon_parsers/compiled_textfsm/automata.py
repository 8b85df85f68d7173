"""Proofs that a rule cannot match: a finite automaton that accepts at least the lines the rule matches.

Whatever the automaton of a rule rejects, the rule does not match. That is all that is ever concluded; where the
automaton accepts too much, a rule is tried that need not have been. So every simplification below widens:

* a look-ahead, ``\\b`` and ``^`` are passed without a look, a back reference and anything unknown is "any text";
* a repetition of more than three is "three or more";
* after ``$`` the rule counts as matched, whatever stands behind it.

The states are the places of the characters in the expression (Glushkov's construction), so that there are no
empty moves: from a place one goes to a place that may come next, by reading one of its characters.
"""

from __future__ import annotations

from ipsecmon_parsers.compiled_textfsm.patterns import (
    BLANKS,
    END,
    OTHER,
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

__all__ = ["Automaton", "can_both_match"]

_START, _MATCHED = 0, 1
_ANY_CHAR = (END - 1) | OTHER
_MOST_PLACES = 800
_MOST_COPIES = 3
_MOST_PAIRS = 3000
_MOST_STEPS = 100_000
"""Of making one automaton, and of walking two: what is made of many copies or has many followers is not worth more."""


class _TooLarge(Exception):
    pass


class Automaton:
    """Places with the characters that lead to them. Place 0 is the start; in place 1 the rule has matched."""

    __slots__ = ("chars", "following")

    def __init__(self, node: Node) -> None:
        try:
            builder = _Builder()
            builder.build(node)
        except (_TooLarge, RecursionError):
            builder = _Builder()
            builder.build(Opaque("too large"))
        self.chars: list[int] = builder.chars
        self.following: list[tuple[int, ...]] = [
            tuple(sorted(places)) for places in builder.following
        ]

    def can_begin(self, text: str) -> bool:
        """Whether the rule could match some line that begins with ``text``."""
        return bool(self._read({_START}, text))

    def can_begin_indented(self, text: str, is_whole: bool) -> bool:
        """The same for ``text`` behind any blanks; ``is_whole``: and nothing behind ``text``."""
        places = self._read(self._behind_blanks(), text)
        if not is_whole:
            return bool(places)
        return any(self.chars[after] & END for place in places for after in self.following[place])

    def _read(self, places: set[int], text: str) -> set[int]:
        for char in text:
            if _MATCHED in places or not places:
                break
            bit = char_bit(char)
            places = {
                after
                for place in places
                for after in self.following[place]
                if self.chars[after] & bit
            }
        return places

    def _behind_blanks(self) -> set[int]:
        reached = {_START}
        waiting = [_START]
        while waiting:
            for after in self.following[waiting.pop()]:
                if self.chars[after] & BLANKS and after not in reached:
                    reached.add(after)
                    waiting.append(after)
        return reached


def can_both_match(one: Automaton, other: Automaton) -> bool:
    """Whether some plain line could be matched by both rules; ``True`` also where finding out takes too long.

    Walks both automata at once over all lines. They have a line in common exactly if both can be led to "matched"
    by the same characters; a rule that has matched stays matched whatever follows.
    """
    steps = 0
    seen = {(_START, _START)}
    waiting = [(_START, _START)]
    while waiting:
        left, right = waiting.pop()
        if left == right == _MATCHED:
            return True
        steps += len(one.following[left]) * len(other.following[right])
        if len(seen) > _MOST_PAIRS or steps > _MOST_STEPS:
            return True
        for left_after in one.following[left]:
            chars = one.chars[left_after] & (PLAIN | END)
            for right_after in other.following[right]:
                pair = (left_after, right_after)
                if chars & other.chars[right_after] and pair not in seen:
                    seen.add(pair)
                    waiting.append(pair)
    return False


class _Part:
    """What the rest needs to know of a part: can it be empty, where it begins, where it ends."""

    __slots__ = ("can_be_empty", "first", "last")

    def __init__(self, can_be_empty: bool, first: set[int], last: set[int]) -> None:
        self.can_be_empty = can_be_empty
        self.first = first
        self.last = last


class _Builder:
    def __init__(self) -> None:
        self.chars: list[int] = [0, _ANY_CHAR | END]
        self.following: list[set[int]] = [set(), {_MATCHED}]
        self._steps = 0

    def _spend(self, steps: int) -> None:
        self._steps += steps
        if self._steps > _MOST_STEPS:
            raise _TooLarge

    def build(self, node: Node) -> None:
        part = self._part(node)
        self.following[_START] |= part.first
        if part.can_be_empty:
            self.following[_START].add(_MATCHED)
        for place in part.last:
            self.following[place].add(_MATCHED)

    def _part(self, node: Node) -> _Part:
        self._spend(1)
        match node:
            case Chars(chars):
                return self._place(chars)
            case Sequence(items):
                return self._sequence(items)
            case Branch(choices):
                return self._branch(choices)
            case Repeat():
                return self._repeat(node)
            case Group(_, item) | Atomic(item):
                return self._part(item)
            case Edge("end"):
                return self._line_end()
            case Edge() | Look():
                return _Part(True, set(), set())
            case Opaque():
                return self._looped(Chars(_ANY_CHAR))

    def _place(self, chars: int) -> _Part:
        place = len(self.chars)
        if place >= _MOST_PLACES:
            raise _TooLarge
        self.chars.append(chars)
        self.following.append(set())
        return _Part(False, {place}, {place})

    def _line_end(self) -> _Part:
        """``$`` reads the end of the line; with that the rule has matched, since nothing can come after."""
        part = self._place(END)
        for place in part.first:
            self.following[place].add(_MATCHED)
        return _Part(False, part.first, set())

    def _sequence(self, items: tuple[Node, ...]) -> _Part:
        whole = _Part(True, set(), set())
        for item in items:
            whole = self._behind(whole, self._part(item))
        return whole

    def _behind(self, left: _Part, right: _Part) -> _Part:
        self._spend(len(left.last) * len(right.first))
        for place in left.last:
            self.following[place] |= right.first
        first = left.first | right.first if left.can_be_empty else left.first
        last = left.last | right.last if right.can_be_empty else right.last
        return _Part(left.can_be_empty and right.can_be_empty, first, last)

    def _branch(self, choices: tuple[Node, ...]) -> _Part:
        parts = [self._part(choice) for choice in choices]
        return _Part(
            any(part.can_be_empty for part in parts),
            {place for part in parts for place in part.first},
            {place for part in parts for place in part.last},
        )

    def _repeat(self, node: Repeat) -> _Part:
        copies = min(node.low, _MOST_COPIES)
        whole = self._sequence((node.item,) * copies)
        if node.high == copies:
            return whole
        if node.high == copies + 1 and node.low == copies:
            part = self._part(node.item)
            return self._behind(whole, _Part(True, part.first, part.last))
        return self._behind(whole, self._looped(node.item))

    def _looped(self, item: Node) -> _Part:
        part = self._part(item)
        self._spend(len(part.last) * len(part.first))
        for place in part.last:
            self.following[place] |= part.first
        return _Part(True, part.first, part.last)
