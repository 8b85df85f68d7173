"""``make fuzz-engine``: engines that live on, fed one changed text after another; exit code 1 where they differ.

Each template has one engine for the whole run. Most changes are systematic, the same small change on all lines of a
kind, so that the changed shape becomes what the engine takes for usual. The account is compared as well.
"""

from __future__ import annotations

import argparse
import functools
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ipsecmon_parsers.stock_account import StockAccount
from textfsm_identity.comparing import Pair, TooSlow, outcome
from textfsm_identity.corpus import cases
from textfsm_identity.mutations import (
    Change,
    changed_here_and_there,
    changed_throughout,
    some_change,
)

__all__ = ["Subject", "next_text", "smallest"]

_LIMIT_SECONDS = 4.0
_LONGEST_TEXT = 60_000
_REPOSITORY = Path(__file__).resolve().parent.parent.parent
_TEMPLATES = _REPOSITORY / "parsers" / "ipsecmon_parsers" / "templates"
_OUTPUTS = _REPOSITORY / "tests" / "parsers" / "outputs"


@dataclass(slots=True)
class Subject:
    """One template with its outputs, and its engines."""

    template: Path
    texts: list[str]
    changes: list[Change] = field(default_factory=list[Change])
    pair: Pair = field(init=False)
    usual: Pair = field(init=False)
    accountant: StockAccount = field(init=False)
    rounds: int = 0

    def __post_init__(self) -> None:
        self.pair = Pair(self.template)
        self.usual = Pair(self.template, trace_after=8)
        self.accountant = StockAccount(self.template.read_text(encoding="utf-8"), as_compiled=True)

    def difference(self, text: str) -> str | None:
        """What the engines see differently in a text; raises ``TooSlow``."""
        expected = self.pair.expected(text, _LIMIT_SECONDS)
        for pair in (self.pair, self.usual):
            found = pair.found(text)
            if found != expected:
                return f"textfsm: {str(expected)[:400]}\nours:    {str(found)[:400]}"
        return self._difference_of_accounts(text)

    def _difference_of_accounts(self, text: str) -> str | None:
        expected = outcome(lambda: self.accountant.account(text))
        for pair in (self.pair, self.usual):
            engine = pair.ours
            found = outcome(functools.partial(engine.account, text))
            if found != expected:
                return f"account: {str(expected)[-600:]}\nours:    {str(found)[-600:]}"
        return None


def next_text(subject: Subject, others: list[Subject], chance: random.Random) -> str:
    """The next text for a template: a change stays for some rounds, then comes another."""
    text = chance.choice(subject.texts)
    text = text * max(1, min(chance.choice((1, 2, 5, 12)), _LONGEST_TEXT // (len(text) + 1)))
    if subject.rounds % 6 == 0:
        subject.changes = [some_change(text, chance) for _ in range(chance.randrange(0, 3))]
    subject.rounds += 1
    text = changed_throughout(text, subject.changes, chance)
    if chance.random() < 0.3:
        text = changed_here_and_there(text, chance, chance.choice(chance.choice(others).texts))
    if chance.random() < 0.1:
        text = text.replace("\n", chance.choice(("\r\n", " \n", "\r\r\n", "\n\n", "\xa0\n")))
    if chance.random() < 0.1:
        text = text[: chance.randrange(len(text) + 1)]
    return text[:_LONGEST_TEXT]


def smallest(history: list[str], is_different: Callable[[list[str]], bool]) -> list[str]:
    """As few texts, and as few lines of the last one, as still show the difference."""
    texts = list(history)
    deadline = time.monotonic() + 120
    size = max(1, len(texts) // 2)
    while size and time.monotonic() < deadline:
        for start in range(0, len(texts) - 1, size):
            fewer = texts[:start] + texts[start + size : -1] + texts[-1:]
            if len(fewer) < len(texts) and is_different(fewer):
                texts = fewer
                break
        else:
            size //= 2
    lines = texts[-1].split("\n")
    size = max(1, len(lines) // 2)
    while size and time.monotonic() < deadline:
        for start in range(0, len(lines), size):
            fewer = lines[:start] + lines[start + size :]
            if is_different([*texts[:-1], "\n".join(fewer)]):
                lines = fewer
                break
        else:
            size //= 2
    return [*texts[:-1], "\n".join(lines)]


def _subjects() -> Iterator[Subject]:
    ours = sorted(_TEMPLATES.rglob("*.textfsm"))
    outputs = [path.read_text(encoding="utf-8") for path in sorted(_OUTPUTS.rglob("output.txt"))]
    for template in ours:
        engine = Pair(template).ours
        texts = [text for text in outputs if len(engine.account(text).rows) > 0]
        yield Subject(template, texts or outputs[:1])
    by_template: dict[Path, list[str]] = {}
    for case in cases():
        # on changed texts one expression of this template takes exponential time, in textfsm as in any engine
        if case.template.stem != "eltex_show_vlan":
            by_template.setdefault(case.template, []).append(case.text)
    for template, texts in by_template.items():
        yield Subject(template, texts)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="a part of the path of the templates")
    arguments = parser.parse_args()
    subjects = [one for one in _subjects() if arguments.only in str(one.template)]
    hot = [one for one in subjects if one.template.is_relative_to(_TEMPLATES)] or subjects
    chance = random.Random(arguments.seed)  # noqa: S311 - a repeatable choice is wanted
    counts: Counter[str] = Counter()
    histories: dict[Path, list[str]] = {}
    started = told = time.monotonic()
    while time.monotonic() - started < arguments.seconds:
        subject = chance.choice(hot if chance.random() < 0.2 else subjects)
        history = histories.setdefault(subject.template, [])
        for _ in range(12):
            text = next_text(subject, subjects, chance)
            history.append(text)
            del history[:-400]
            try:
                difference = subject.difference(text)
            except TooSlow:
                counts["textfsm too slow"] += 1
                history.pop()
                continue
            counts["texts"] += 1
            counts["characters"] += len(text)
            if difference is not None:
                _report(subject, history, difference)
                return 1
        if time.monotonic() - told > 60:
            told = time.monotonic()
            _tell(f"{told - started:.0f} s: {dict(counts)}, no difference")
    traces = sum("fitted" in one.pair.ours.explain() for one in subjects)
    _tell(
        f"{time.monotonic() - started:.0f} s, seed {arguments.seed}: {len(subjects)} templates, {traces} of them with"
        f" traces, {dict(counts)}, no difference"
    )
    return 0 if counts["texts"] else 1


def _report(subject: Subject, history: list[str], difference: str) -> None:
    def is_different(texts: list[str]) -> bool:
        fresh = Subject(subject.template, [])
        try:
            return any([fresh.difference(text) is not None for text in texts][-1:])
        except TooSlow:
            return False

    _tell(f"DIFFERENT: {subject.template}\n{difference}")
    if is_different(history):
        texts = smallest(history, is_different)
        _tell(f"after {len(texts) - 1} texts:")
        for text in texts:
            _tell(repr(text))
    else:
        _tell(f"not shown again by the last {len(history)} texts; the last one is {history[-1]!r}")


def _tell(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a command line tool


if __name__ == "__main__":
    sys.exit(main())
