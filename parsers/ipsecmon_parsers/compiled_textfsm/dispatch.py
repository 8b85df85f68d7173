"""Which rules of a state are worth trying on a line: those that could match a line that begins as this one does.

The first characters of a line behind its indentation are looked up in a table. What is not there yet is found out
with the automata of the rules and kept. A rule is left out only where its automaton rejects every line that begins
so, whatever the indentation, so that trying it could have had one result only. The rules that stay keep their order.

The table is bounded. Once it is full, the rules are told apart by the first character alone, of which there are few.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ipsecmon_parsers.compiled_textfsm.actions import Assign, make_assigns
from ipsecmon_parsers.compiled_textfsm.program import Column, LineEnd, Record, Rule, State

__all__ = ["Attempt", "Dispatch"]

_NEAR, _FAR = 8, 16
_MOST_KEYS = 1024


class Attempt(NamedTuple):
    """A rule as it is run. ``is_plain``: a match does nothing but assign, and ends the line."""

    match: Any
    assign: Assign | None
    rule: Rule
    is_plain: bool
    step: tuple[int, ...]
    """How the rule is written in a path (see traces): the state, then the rules matched."""


class Dispatch:
    """The rules of one state, by how a line begins."""

    __slots__ = ("_by_char", "_far", "_near", "attempts", "no_match")

    def __init__(self, state: State, columns: tuple[Column, ...]) -> None:
        assigns = make_assigns(state.rules, columns)
        self.attempts = tuple(
            Attempt(
                rule.pattern.match,
                assign,
                rule,
                rule.record is Record.KEEP_ON
                and rule.line_end is LineEnd.NEXT
                and not rule.new_state,
                (state.index, rule.place),
            )
            for rule, assign in zip(state.rules, assigns, strict=True)
        )
        self.no_match: tuple[int, ...] = (state.index,)
        """The step of a line that no rule matched."""
        self._near: dict[str, tuple[Attempt, ...] | None] = {}
        self._far: dict[str, tuple[Attempt, ...]] = {}
        self._by_char: dict[str, tuple[Attempt, ...]] = {}

    def candidates(self, stripped: str) -> tuple[Attempt, ...]:
        """The rules to be tried on a line that is ``stripped`` behind its indentation."""
        key = stripped[:_NEAR]
        found = self._near.get(key)
        if found is not None:
            return found
        if key in self._near:
            key = stripped[:_FAR]
            found = self._far.get(key)
            return found if found is not None else self._find_far(key)
        return self._find_near(key, stripped)

    def _find_near(self, key: str, stripped: str) -> tuple[Attempt, ...]:
        found = self._selected(key, _NEAR)
        if len(self._near) >= _MOST_KEYS:
            return found
        if len(found) > 2 and len(stripped) > _NEAR:
            self._near[key] = None
            return self._find_far(stripped[:_FAR])
        self._near[key] = found
        return found

    def _find_far(self, key: str) -> tuple[Attempt, ...]:
        found = self._selected(key, _FAR)
        if len(self._far) < _MOST_KEYS:
            self._far[key] = found
        return found

    def _selected(self, key: str, width: int) -> tuple[Attempt, ...]:
        by_char = self._by_char.get(key[:1])
        if by_char is None:
            by_char = self._filtered(self.attempts, key[:1], 1)
            if len(self._by_char) < _MOST_KEYS:
                self._by_char[key[:1]] = by_char
        is_full = len(self._near) >= _MOST_KEYS or len(self._far) >= _MOST_KEYS
        return by_char if is_full or len(by_char) < 2 else self._filtered(by_char, key, width)

    @staticmethod
    def _filtered(attempts: tuple[Attempt, ...], key: str, width: int) -> tuple[Attempt, ...]:
        # a key shorter than the width is all there is of the line; one of full width may go on
        is_whole = len(key) < width
        return tuple(
            attempt
            for attempt in attempts
            if attempt.rule.automaton.can_begin_indented(key, is_whole)
        )
