"""Templates and texts made together by chance: whatever the template, both engines say the same of every text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial

import pytest
import textfsm
from hypothesis import HealthCheck, given, note, reject, settings
from hypothesis import strategies as st

from ipsecmon_parsers.stock_account import StockAccount
from textfsm_identity.comparing import Pair, outcome

NAMES = ("A", "B", "C", "D")
OPTIONS = ("Required", "Filldown", "Fillup", "List", "Key")
# few letters, so that rules and lines meet; lazy and greedy, with parts, optional, empty, and with conditions
VALUES = (
    "(\\w+)",
    "(\\w*)",
    "(\\S+?)",
    "(.*?)",
    "(.*)",
    "(a|ab|b)",
    "(\\d+)",
    "(a(?= b))",
    "([ab]{1,3})",
    "([^ab]*)",
    "((?P<X{n}>a+)=(?P<Y{n}>\\w*))",
    "((a)|b+)",
    "(a?)",
    "(\\w+(?:,\\w+)*)",
)
PIECES: tuple[str, ...] = (
    "a",
    "b",
    "x",
    " ",
    "\\s+",
    "\\s*",
    ":",
    "\\d+",
    "(x|y)",
    "(?:a|x)?",
    "[ab]*?",
    "\\S+",
    ".*",
    ".+?",
    "\\b",
    "(?!b)",
    "(?=a)",
    "\\w+",
    "x*",
)
ACTIONS = (
    "",
    "",
    "",
    " -> Record",
    " -> Record",
    " -> Continue",
    " -> Continue.Record",
    " -> Clear",
    " -> Clearall",
    " -> Continue.Clear",
    " -> Next.Record {state}",
    " -> {state}",
    " -> Record {state}",
    ' -> Error "no {state}"',
)
STATES = ("Start", "Two", "Three")
WORDS = ("a", "b", "ab", "aa", "x", "y", "7", "42", "a=b", "aa=", "a,b", "é", "")
GAPS: tuple[str, ...] = (" ", "  ", ": ", ":", "\t", "", "\xa0")
LINE_ENDS: tuple[str, ...] = ("\n", "\n", "\n", "\n", "\n", "\r\n", "\x0b")


@dataclass(frozen=True, slots=True)
class Example:
    """A template, and texts for it."""

    template: str
    texts: list[str]


@st.composite
def values(draw: st.DrawFn) -> str:
    lines: list[str] = []
    for number, name in enumerate(NAMES[: draw(st.integers(1, 4))]):
        options = draw(st.lists(st.sampled_from(OPTIONS), max_size=3, unique=True))
        pattern = draw(st.sampled_from(VALUES)).replace("{n}", str(number))
        lines.append(f"Value {','.join(options)}{' ' if options else ''}{name} {pattern}")
    return "\n".join(lines)


@st.composite
def rules(draw: st.DrawFn, names: tuple[str, ...]) -> str:
    parts = draw(st.lists(st.sampled_from(PIECES), min_size=1, max_size=3))
    for name in draw(st.lists(st.sampled_from(names), max_size=2, unique=True)):
        written = draw(st.sampled_from((f"${{{name}}}", f"${{{name}}}", f"( ${{{name}}})?")))
        parts.insert(draw(st.integers(0, len(parts))), written)
    end = draw(st.sampled_from(("", "", "$$", "\\s*$$")))
    action = draw(st.sampled_from(ACTIONS)).format(
        state=draw(st.sampled_from((*STATES, "End", "EOF")))
    )
    return f"  ^{''.join(parts)}{end}{action}"


@st.composite
def lines(draw: st.DrawFn) -> str:
    words = draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=4))
    gap = draw(st.sampled_from(GAPS))
    indent = draw(st.sampled_from(("", "", " ", "   ")))
    return indent + gap.join(words) + draw(st.sampled_from(("", "", " ")))


@st.composite
def examples(draw: st.DrawFn) -> Example:
    head = draw(values())
    names = tuple(NAMES[: head.count("Value ")])
    template = head
    for state in STATES:
        body = draw(st.lists(rules(names), min_size=1, max_size=5))
        template += f"\n\n{state}\n" + "\n".join(body)
    if draw(st.integers(0, 5)) == 0:
        template += "\n\nEOF"
    pool = draw(st.lists(lines(), min_size=1, max_size=6))
    texts: list[str] = []
    for _ in range(draw(st.integers(1, 3))):
        block = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=6))
        end = draw(st.sampled_from(LINE_ENDS))
        texts.append((end.join(block) + end) * draw(st.sampled_from((1, 3, 9))))
    return Example(template + "\n", [*texts, *texts])


def compare(example: Example) -> None:
    note(example.template)
    try:
        reference = StockAccount(example.template, as_compiled=True)
    except (textfsm.TextFSMTemplateError, re.error):
        reject()  # two parts of the same name, or an expression that re refuses
    pair = Pair(example.template)
    for text in example.texts:
        assert pair.difference(text) is None
        joined = "\n".join(text.splitlines())
        expected = outcome(partial(reference.account, joined))
        assert outcome(partial(pair.ours.account, joined)) == expected


@given(examples())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_generated_templates_give_the_rows_and_the_account_of_textfsm(example: Example) -> None:
    compare(example)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@given(examples())
@settings(max_examples=12000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_many_generated_templates(example: Example) -> None:
    compare(example)
