"""``make fuzz SECONDS=3600``: random bytes and mutated outputs through every target, until the time is over.

A finding is an exception other than ``ParserError``, or a text that takes much longer than texts of its length
should: its seconds per megabyte are held against a yardstick measured in the same run. The first finding is made as
small as it gets, written to a file, and ends the run with status 1.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from fuzz.cases import Case, captured_cases, fixture_cases
from fuzz.damage import mutated
from fuzz.targets import Target, targets
from ipsecmon_parsers.errors import ParserError

CAPTURES = Path(__file__).resolve().parents[3] / "shared" / "captures"

# A text is slow where a megabyte of it would take this many times what a megabyte of ordinary output takes.
SLOWER = 25
# Below this many processor seconds a measurement says nothing.
LEAST_SECONDS = 0.5
_LONGEST = 400_000


@dataclass(slots=True)
class Run:
    """What was done."""

    seed: int
    inputs: int = 0
    characters: int = 0
    read: int = 0
    refused: Counter[str] = field(default_factory=Counter[str])
    slowest: float = 0.0
    """The most processor seconds one input took."""
    slowest_name: str = ""

    def summary(self, seconds: float) -> str:
        refused = ", ".join(f"{count} {name}" for name, count in sorted(self.refused.items()))
        return (
            f"{self.inputs} inputs of {self.characters / 1e6:.1f} million characters in {seconds:.0f} s, seed {self.seed}: "
            f"{self.read} read, {refused or 'none refused'}; slowest {self.slowest:.2f} s ({self.slowest_name})"
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """A target and the text that shows its fault."""

    target: Target
    text: str
    problem: str


def seconds_per_megabyte(cases: list[Case], target_list: list[Target]) -> float:
    """The yardstick: what ordinary outputs cost, the mean over the targets that parse."""
    total_seconds, total_size = 0.0, 0
    by_name = {target.name: target for target in target_list}
    for case in cases[:: max(1, len(cases) // 30)]:
        target = by_name.get(f"parse {case.platform} {case.command!r} complete=True")
        if target is None:
            continue
        text = case.text * (10_000 // (len(case.text) + 1) + 1)
        _problem_of(target, text, 0.0)  # compiles its template
        started = time.process_time()
        _problem_of(target, text, 0.0)
        total_seconds += time.process_time() - started
        total_size += len(text)
    return max(0.05, total_seconds / max(1, total_size) * 1e6)


def _problem_of(target: Target, text: str, yardstick: float, run: Run | None = None) -> str | None:
    """What is wrong with how ``target`` takes ``text``; ``yardstick`` 0 asks for exceptions only."""
    started = time.process_time()
    outcome = ""
    try:
        target.run(text)
    except ParserError as error:
        outcome = type(error).__name__
        str(error)
    except Exception as error:  # noqa: BLE001 # any other exception is what we look for
        return f"{type(error).__name__}: {error}"
    seconds = time.process_time() - started
    if run is not None:
        run.inputs += 1
        run.characters += len(text)
        if outcome:
            run.refused[outcome] += 1
        else:
            run.read += 1
        if seconds > run.slowest:
            run.slowest, run.slowest_name = seconds, f"{target.name}, {len(text)} characters"
    allowed = max(LEAST_SECONDS, yardstick * SLOWER * len(text) / 1e6)
    if yardstick and seconds > allowed:
        return f"took {seconds:.2f} s, allowed {allowed:.2f} s for {len(text)} characters"
    return None


def _random_text(chance: random.Random) -> str:
    size = chance.choice((0, 1, 10, 100, 1000, 10_000))
    match chance.randrange(4):
        case 0:
            return chance.randbytes(size).decode("utf-8", "replace")
        case 1:
            return chance.randbytes(size).decode("latin-1")
        case 2:
            return "".join(chance.choices("0123456789abcdef.:/()[]{}#>%*- \n\r\x08\x1b", k=size))
        case _:
            return "".join(map(chr, (chance.randrange(0x110000) for _ in range(size))))


def smallest(text: str, is_faulty: Callable[[str], bool], deadline: float) -> str:
    """A part of ``text`` that is still faulty, found by leaving out ever smaller pieces until ``deadline``."""
    piece = max(1, len(text) // 2)
    while piece and time.monotonic() < deadline:
        at, shrunk = 0, False
        while at < len(text) and time.monotonic() < deadline:
            shorter = text[:at] + text[at + piece :]
            if is_faulty(shorter):
                text, shrunk = shorter, True
            else:
                at += piece
        if not (shrunk and piece == 1):
            piece //= 2
    return text


def search(
    run: Run,
    target_list: list[Target],
    cases: list[Case],
    seconds: float,
    progress_every: float = 30.0,
) -> Finding | None:
    """Try texts until ``seconds`` are over or something is found."""
    chance = random.Random(run.seed)  # noqa: S311 # reproducible, not secret
    texts = [case.text for case in cases]
    fitting = {
        target.name: [c.text for c in cases if f" {c.command!r} " in target.name]
        for target in target_list
    }
    yardstick = seconds_per_megabyte(cases, target_list)
    started = time.monotonic()
    spoken = started
    while (now := time.monotonic()) - started < seconds:
        if now - spoken > progress_every:
            spoken = now
            print(f"  {run.summary(now - started)}", flush=True)
        target = chance.choice(target_list)
        own = fitting[target.name]
        if chance.randrange(8) == 0:
            text = _random_text(chance)
        else:
            text = mutated(
                chance.choice(own if own and chance.randrange(4) else texts), texts, chance
            )
        if chance.randrange(200) == 0:
            text = (text * (100_000 // (len(text) + 1) + 1))[:_LONGEST]
        problem = _problem_of(target, text[:_LONGEST], yardstick, run)
        # a pause of the machine is no finding: a slow text is slow every time
        if problem and _problem_of(target, text[:_LONGEST], yardstick):
            return Finding(target, text[:_LONGEST], problem)
    return None


def reduced(finding: Finding, yardstick: float, seconds: float = 60.0) -> Finding:
    """The same fault with less text."""
    kind = finding.problem.partition(":")[0]

    def is_faulty(text: str) -> bool:
        problem = _problem_of(finding.target, text, yardstick)
        return problem is not None and (kind.startswith("took") or problem.startswith(kind))

    text = smallest(finding.text, is_faulty, time.monotonic() + seconds)
    return Finding(
        finding.target, text, _problem_of(finding.target, text, yardstick) or finding.problem
    )


def main(arguments: list[str]) -> int:
    options = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    options.add_argument("--seconds", type=float, default=3600.0)
    options.add_argument("--seed", type=int, default=None)
    options.add_argument(
        "--found", type=Path, default=Path("build/fuzz"), help="folder for what is found"
    )
    options.add_argument(
        "--captures", type=Path, default=Path(os.environ.get("IPSECMON_CAPTURES", CAPTURES))
    )
    chosen = options.parse_args(arguments)
    seed = random.SystemRandom().randrange(2**32) if chosen.seed is None else chosen.seed
    cases = [*fixture_cases(), *captured_cases(chosen.captures)]
    target_list = targets(cases)
    print(
        f"fuzzing {len(target_list)} targets with {len(cases)} outputs for {chosen.seconds:.0f} s, seed {seed}",
        flush=True,
    )
    run = Run(seed)
    started = time.monotonic()
    finding = search(run, target_list, cases, chosen.seconds)
    print(run.summary(time.monotonic() - started))
    if finding is None:
        print("found nothing")
        return 0
    finding = reduced(finding, seconds_per_megabyte(cases, target_list))
    chosen.found.mkdir(parents=True, exist_ok=True)
    path = chosen.found / f"found-{seed}-{run.inputs}.txt"
    path.write_bytes(finding.text.encode("utf-8", "surrogatepass"))
    print(
        f"FOUND: {finding.target.name}\n  {finding.problem}\n  {len(finding.text)} characters in {path}"
    )
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
