"""``make identity``: every case of the corpus on both engines; exit code 1 where they differ.

Each output is read as it is, three times over, and with seeded mutations, by engines that live on and that compile
what they see at the first opportunity, and by one with the settings of everyday use.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence

from textfsm_identity.comparing import Pair, TooSlow
from textfsm_identity.corpus import Case, cases
from textfsm_identity.mutations import changed_here_and_there, changed_throughout, some_change

__all__ = ["differences", "variants"]

_LIMIT_SECONDS = 5.0
_LONGEST_TEXT = 400_000


def variants(case: Case, others: Sequence[Case], mutations: int) -> Iterator[tuple[str, str]]:
    """The texts made of one case, with what was done to it; the same ones every time."""
    text = case.text
    yield "as it is", text
    yield "three times over", text * 3
    for seed in range(mutations):
        chance = random.Random(f"{case.name} {seed}")  # noqa: S311 - a repeatable choice is wanted
        base = text * chance.choice((1, 1, 2, 4))
        if seed % 2:
            changes = [some_change(text, chance) for _ in range(chance.randrange(1, 3))]
            yield f"mutation {seed}", changed_throughout(text * 4, changes, chance)
        else:
            other = chance.choice(others).text
            yield f"mutation {seed}", changed_here_and_there(base, chance, other)


def differences(
    case: Case, others: Sequence[Case], mutations: int, counts: Counter[str]
) -> Iterator[str]:
    """What the engines see differently in the variants of one case."""
    eager, usual = Pair(case.template), Pair(case.template, trace_after=48)
    for what, text in variants(case, others, mutations):
        if len(text) > _LONGEST_TEXT:
            counts["too long"] += 1
            continue
        try:
            expected = eager.expected(text, _LIMIT_SECONDS)
        except TooSlow:
            counts["textfsm too slow"] += 1
            continue
        counts["compared"] += 1
        counts["with an error"] += isinstance(expected, tuple)
        for pair in (eager, eager, usual):
            found = pair.found(text)
            if found != expected:
                yield f"{case.name}, {what}:\n  {str(expected)[:300]}\n  {str(found)[:300]}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutations", type=int, default=10)
    parser.add_argument("--only", default="", help="a part of the name of the cases")
    arguments = parser.parse_args()
    everything = cases()
    counts: Counter[str] = Counter()
    started = time.monotonic()
    for number, case in enumerate(everything, 1):
        if arguments.only not in case.name:
            continue
        for difference in differences(case, everything, arguments.mutations, counts):
            counts["DIFFERENT"] += 1
            print(difference, flush=True)  # noqa: T201 - a command line tool
        if number % 100 == 0:
            print(f"{number} of {len(everything)} cases, {dict(counts)}", flush=True)  # noqa: T201 - the same
    seconds = time.monotonic() - started
    print(f"{len(everything)} cases in {seconds:.0f} s: {dict(counts)}")  # noqa: T201 - the same
    return 1 if counts["DIFFERENT"] or not counts["compared"] else 0


if __name__ == "__main__":
    sys.exit(main())
