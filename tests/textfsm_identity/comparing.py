"""Both engines on one text, and whether they say the same."""

from __future__ import annotations

import io
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import textfsm

from ipsecmon_parsers.compiled_textfsm import CompiledTemplate

__all__ = ["Pair", "TooSlow", "outcome"]


class TooSlow(Exception):
    """textfsm itself does not come to an end: its expression takes exponential time on this text."""


class Pair:
    """textfsm and our engine with the same template; both live on from text to text."""

    def __init__(self, template: str | Path, trace_after: int = 1) -> None:
        text = template.read_text(encoding="utf-8") if isinstance(template, Path) else template
        self.stock = textfsm.TextFSM(io.StringIO(text))
        self.ours = CompiledTemplate(text, trace_after=trace_after)

    def difference(self, text: str, limit_seconds: float = 0) -> str | None:
        """``None`` if both return the same rows or raise the same error, else what they do."""
        expected = self.expected(text, limit_seconds)
        found = self.found(text)
        if found == expected:
            return None
        return f"textfsm: {str(expected)[:400]}\nours:    {str(found)[:400]}"

    def expected(self, text: str, limit_seconds: float = 0) -> Any:
        self.stock.Reset()
        with _limit(limit_seconds):
            return outcome(lambda: self.stock.ParseText(text))

    def found(self, text: str) -> Any:
        return outcome(lambda: self.ours.parse(text))


def outcome(run: Callable[[], object]) -> object:
    """What is returned, or what is raised by an engine: its kind and its words."""
    try:
        return run()
    except (textfsm.TextFSMError, TypeError) as error:
        return type(error).__name__, str(error)


@contextmanager
def _limit(seconds: float) -> Generator[None]:
    """Raise ``TooSlow`` when the time is over; ``re`` looks for signals while it searches."""
    if not seconds:
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
