"""Paths: what the line engine did from one saved row to the next, and the texts on which it did so.

A *step* is what happened on one line: the state, and the rules that matched, in order. A *path* is the steps of the
lines from a place where a row was saved or cleared (a *node*) to the next such place, or over several of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

__all__ = ["BLANK", "Build", "Compiled", "Match", "Note", "Path", "Refused", "Step"]

Step: TypeAlias = tuple[int, ...]
"""The number of the state, then the places of the rules that matched in it."""

BLANK: Step = ()
"""A blank line that was not shown to the rules."""

Path: TypeAlias = tuple[Step, ...]

_MOST_SAMPLES = 3
_MOST_GENERAL = 5


Match: TypeAlias = Callable[[str, int], "re.Match[str] | None"]

Build: TypeAlias = Callable[..., tuple[Any, ...]]
"""``build(groups, fill, lists, carried, rows, ledger, line_no)``; returns what is carried to the next trace.

``carried`` are the values of the columns assigned behind the last saved row, on the line that saved it.
``line_no`` is the number of the last line of the trace; it and the ledger matter to accounts alone.
"""


class Compiled(NamedTuple):
    """The two halves of a trace: what matches its lines, and what makes its rows."""

    match: Match
    build: Build
    source: str


class Refused(Exception):
    """No trace is made; the line engine goes on reading these lines. The text says why."""


@dataclass(slots=True)
class Note:
    """What is known of one path from one node. Only guesses are drawn from it: what a trace should look like.

    ``generality`` counts how often the guess was too narrow; at the end nothing is guessed any more.
    """

    sightings: int = 0
    samples: list[list[str]] = field(default_factory=list[list[str]])
    always: list[str | None] = field(default_factory=list[str | None])
    """The text of each line if it was the same every time."""
    generality: int = 0
    is_settled: bool = False
    """Nothing more is to be done: refused, or given up."""
    refusal: str = ""

    def see(self, lines: list[str]) -> None:
        """Note one more text on which the path was taken."""
        if not self.samples:
            self.always = list(lines)
        else:
            self.always = [
                known if known == line else None
                for known, line in zip(self.always, lines, strict=True)
            ]
        if len(self.samples) == _MOST_SAMPLES:
            self.samples.pop(1)
        self.samples.append(lines)

    @property
    def is_general(self) -> bool:
        return self.generality >= _MOST_GENERAL
