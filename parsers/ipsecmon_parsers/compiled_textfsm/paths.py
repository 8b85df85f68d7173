"""Paths: what the line engine did from one saved row to the next, and the texts on which it did so.

A *step* is what happened on one line: the state, and the rules that matched, in order. A *path* is the steps of the
lines from a place where a row was saved or cleared (a *node*) to the next such place, or over several of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

__all__ = ["BLANK", "Note", "Path", "Step"]

Step: TypeAlias = tuple[int, ...]
"""The number of the state, then the places of the rules that matched in it."""

BLANK: Step = ()
"""A blank line that was not shown to the rules."""

Path: TypeAlias = tuple[Step, ...]

_MOST_SAMPLES = 3
_MOST_GENERAL = 5


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
        self.sightings += 1
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
