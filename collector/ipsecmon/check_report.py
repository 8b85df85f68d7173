"""A check of a device for a person, on 80 columns, and as JSON for a script.

Site1  192.0.2.1, IOS
  ok      0.004 s  resolve         192.0.2.1
  FAILED  3.002 s  authentication  192.0.2.1:22: the device refused user 'monitor'
                                   -> check user name and password
  -                not reached     prompt, privilege, paging, show version

{"device": "Site1", "host": "192.0.2.1", "platform": "ios", "verdict": "failed", "seconds": 3.01, "session": null,
 "steps": [{"name": "resolve", "outcome": "ok", "seconds": 0.004, "seen": "192.0.2.1", "advice": ""}, ...]}

``verdict`` is good, degraded or failed; ``outcome`` is ok, warning, failed or "not reached", and ``seconds`` is null where
nobody timed the step. ``session`` is that of ``ipsecmon dump --json``.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator

import click

from ipsecmon.checking import Check, CheckedStep, Outcome, Verdict
from ipsecmon.dump import session_document
from ipsecmon.log import one_line
from ipsecmon_parsers.documents import Json
from ipsecmon_parsers.guess import platform_name

__all__ = ["check_document", "check_lines"]

_MARKS = {
    Outcome.OK: ("ok", "green"),
    Outcome.WARNING: ("WARN", "yellow"),
    Outcome.FAILED: ("FAILED", "red"),
    Outcome.NOT_REACHED: ("-", None),
}
_HEAD = 19  # mark and seconds
_NAME = 16
_LEAST_WIDTH = 60
_MOST_LINES = 6


def check_document(check: Check, redact: Callable[[str], str]) -> dict[str, Json]:
    """The JSON of a check, as the head of this file shows it."""
    return {
        "device": check.device,
        "host": check.host,
        "platform": check.platform.value,
        "verdict": check.verdict.value,
        "seconds": round(check.seconds, 3),
        "session": None if check.session is None else session_document(check.session),
        "steps": [
            {
                "name": step.name,
                "outcome": step.outcome.value,
                "seconds": None if step.seconds is None else round(step.seconds, 3),
                "seen": redact(step.seen),
                "advice": redact(step.advice),
            }
            for step in check.steps
        ],
    }


def check_lines(check: Check, redact: Callable[[str], str], width: int = 80) -> Iterator[str]:
    """The lines for a terminal of this width; colours are for ``click.echo`` to keep or to leave out."""
    width = max(width, _LEAST_WIDTH)
    about = f"{check.host}, {platform_name(check.platform)}"
    yield f"{click.style(check.device, bold=True)}  {about}"
    yield ""
    missed = [step.name for step in check.steps if step.outcome is Outcome.NOT_REACHED]
    for step in check.steps:
        if step.outcome is not Outcome.NOT_REACHED:
            yield from _step_lines(step, redact, width)
    if missed:
        mark, _ = _MARKS[Outcome.NOT_REACHED]
        first, *rest = _wrapped(", ".join(missed), width - _HEAD - _NAME, most_lines=None)
        yield f"  {mark:<{_HEAD - 2}}{'not reached':<{_NAME}}{first}"
        yield from (" " * (_HEAD + _NAME) + line for line in rest)
    yield ""
    yield from textwrap.wrap(_verdict(check), width)


def _step_lines(step: CheckedStep, redact: Callable[[str], str], width: int) -> Iterator[str]:
    word, colour = _MARKS[step.outcome]
    seconds = "" if step.seconds is None else f"{step.seconds:.3f} s"
    mark = click.style(f"{word:<6}", fg=colour, bold=step.outcome is Outcome.FAILED or None)
    seen = one_line(redact(step.seen))
    head = f"  {mark} {seconds:>8}  "
    indent = " " * (_HEAD + _NAME)
    if len(step.name) < _NAME:
        first, *rest = _wrapped(seen, width - len(indent))
        yield f"{head}{step.name:<{_NAME}}{first}".rstrip()
    else:  # a command has a line of its own
        yield f"{head}{step.name}"
        rest = _wrapped(seen, width - len(indent))
    yield from (indent + line for line in rest)
    if step.advice:
        advice = _wrapped(f"-> {one_line(redact(step.advice))}", width - len(indent))
        yield from (indent + line for line in advice)


def _wrapped(text: str, width: int, most_lines: int | None = _MOST_LINES) -> list[str]:
    return textwrap.wrap(
        text, width, max_lines=most_lines, placeholder=" ...", break_on_hyphens=False
    ) or [""]


def _verdict(check: Check) -> str:
    failed = [step.name for step in check.steps if step.outcome is Outcome.FAILED]
    warned = [step.name for step in check.steps if step.outcome is Outcome.WARNING]
    match check.verdict:
        case Verdict.FAILED:
            return f"{check.device} cannot be polled: failed at {', '.join(failed)}."
        case Verdict.DEGRADED:
            return f"{check.device} can be polled, with something to look at: {', '.join(warned)}."
        case Verdict.GOOD:
            return f"{check.device} can be polled; the check took {check.seconds:.1f} s."
