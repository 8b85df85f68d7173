"""Puts lines together again that came in two pieces: hard wraps at 80 columns, and messages in the middle of a line.

A terminal of 80 columns, or an ASA for itself, breaks ``..., Auth sign: RSA, Au`` / ``th verify: RSA``. A device that
has something to say in the middle of a line may begin a new line for it and another one for the rest::

    current outbound sp
    *Sep 21 07:07:43.912: %DMVPN-5-CRYPTO_SS: Tunnel0: socket is DOWN
    i: 0x41CCF09E(1103949982)

Where such a break may be, the pieces are joined, and the template decides: the join stays only if the template did
not understand one of the pieces, understands the whole, and understands everything else as before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from ipsecmon_parsers.clean import CleanText, is_free_text
from ipsecmon_parsers.engines import Table

__all__ = ["mended"]

_COLUMNS = 80


def mended(text: CleanText, table: Table, run: Callable[[CleanText], Table]) -> Table:
    """``table``, or what ``run`` makes of ``text`` with its broken lines put together; line n stays line n."""
    if not table.unmatched_lines or table.has_no_match:
        return table
    unmatched = set(table.unmatched_lines)
    lines = text.text.split("\n")
    pieces: dict[int, int] = dict(_pieces(text, lines, unmatched))
    for _ in range(2):
        if not pieces:
            break
        tried = run(replace(text, text=_joined(lines, pieces)))
        failed = set(tried.unmatched_lines)
        good: dict[int, int] = {
            rest: first for rest, first in pieces.items() if first not in failed
        }
        if good == pieces:
            return tried if failed < unmatched else table
        pieces = good
    return table


def _pieces(
    text: CleanText, lines: Sequence[str], unmatched: set[int]
) -> Iterator[tuple[int, int]]:
    """The number of each line that may be the rest of another one, and the number of that one."""
    is_wrapped = max(map(len, lines)) == _COLUMNS
    firsts: dict[int, int] = {}
    for rest in sorted(unmatched | {_beside(text, n, 1) for n in unmatched}):
        first = _beside(text, rest, -1)
        if first < 1 or rest > len(lines) or not (first in unmatched or rest in unmatched):
            continue
        head, tail = lines[first - 1], lines[rest - 1]
        if not head.strip() or not tail.strip():
            continue
        is_broken = first < rest - 1 and (
            {first, rest} <= unmatched or (_goes_on(head, tail) and not is_free_text(head))
        )
        if is_broken or (is_wrapped and len(head) == _COLUMNS):
            firsts[rest] = firsts.get(first, first)
            yield rest, firsts[rest]


def _beside(text: CleanText, line_no: int, step: int) -> int:
    """The line before or behind a line, and behind what the device said in between."""
    line_no += step
    while line_no in text.message_lines:
        line_no += step
    return line_no


def _goes_on(head: str, tail: str) -> bool:
    """The rest of a line begins anywhere, mostly without a blank; a line of its own is indented like the others."""
    indent = len(tail) - len(tail.lstrip())
    return indent < 2 or indent < len(head) - len(head.lstrip())


def _joined(lines: Sequence[str], pieces: dict[int, int]) -> str:
    joined = list(lines)
    for rest, first in pieces.items():
        joined[first - 1] += lines[rest - 1]
        joined[rest - 1] = ""
    return "\n".join(joined)
