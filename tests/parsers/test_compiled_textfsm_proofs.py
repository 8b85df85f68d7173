"""What the engine claims about rules, held against the rules themselves, one claim at a time."""

from __future__ import annotations

import re
import sys

from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st

from ipsecmon_parsers.compiled_textfsm.automata import Automaton, can_both_match
from ipsecmon_parsers.compiled_textfsm.emission import (
    Writer,
    capture_facts,
    is_indent,
    least_blanks,
)
from ipsecmon_parsers.compiled_textfsm.paths import Refused
from ipsecmon_parsers.compiled_textfsm.patterns import BLANKS, PLAIN, char_bit, tree
from textfsm_identity.comparing import Pair

ATOMS = st.sampled_from(
    (
        "a",
        "b",
        " ",
        "é",
        ".",
        r"\s",
        r"\S",
        r"\d",
        r"\w",
        r"\W",
        r"\D",
        "[ab]",
        "[^a]",
        "[^ab ]",
        "[a-y]",
    )
)
MARKS = st.sampled_from(
    ("", "", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{2,}", "*+", "++")
)
# not possessive: Python 3.11 itself fails on a possessive group that captures ("the span of capturing group is wrong")
GROUP_MARKS = st.sampled_from(("", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{2,}"))
CONDITIONS = st.sampled_from((r"\b", "(?=a)", "(?!b)", r"(?= *\d)", "(?:)", "$", "^"))
LINES = st.text(st.sampled_from("aab  \t12é_-,\xa0"), max_size=12)
PLAIN_LINES = st.text(st.sampled_from("aaabb  \t12_-,"), max_size=12)


def repeated(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    groups = st.tuples(parts, parts).map("".join)
    return st.one_of(
        st.tuples(ATOMS, MARKS).map("".join),
        CONDITIONS,
        groups.map("({})".format),
        st.tuples(groups, GROUP_MARKS).map(lambda both: f"(?:{both[0]}){both[1]}"),
        st.tuples(parts, parts).map(lambda both: f"({both[0]}|{both[1]})"),
        st.tuples(groups, st.sampled_from(("?", "??"))).map(lambda both: f"({both[0]}){both[1]}"),
    )


PATTERNS = st.lists(st.recursive(ATOMS, repeated, max_leaves=6), min_size=1, max_size=4).map(
    "".join
)


# most pairs of an expression and a line have nothing to do with each other
MANY_REJECTED = [HealthCheck.filter_too_much, HealthCheck.too_slow]


def compiled(pattern: str, end: bool) -> re.Pattern[str]:
    try:
        return re.compile(f"^{pattern}{'$' if end else ''}")
    except re.error:
        return reject()


@given(PATTERNS, st.booleans(), LINES)
@settings(max_examples=150, deadline=None, suppress_health_check=MANY_REJECTED)
def test_what_an_automaton_rejects_the_rule_does_not_match(
    pattern: str, end: bool, line: str
) -> None:
    rule = compiled(pattern, end)
    assume(rule.match(line))
    automaton = Automaton(tree(rule))
    stripped = line.lstrip()

    for length in range(len(line) + 1):
        assert automaton.can_begin(line[:length])
    for width in range(1, len(stripped) + 2):
        assert automaton.can_begin_indented(stripped[:width], len(stripped[:width]) < width)


@given(PATTERNS, PATTERNS, st.booleans(), st.lists(PLAIN_LINES, min_size=12, max_size=24))
@settings(max_examples=120, deadline=None, suppress_health_check=MANY_REJECTED)
def test_two_rules_that_match_one_line_are_not_said_to_have_none_in_common(
    one: str, other: str, end: bool, lines: list[str]
) -> None:
    rules = compiled(one, end), compiled(other, not end)
    has_common_line = any(all(rule.match(line) for rule in rules) for line in lines)

    claimed = can_both_match(Automaton(tree(rules[0])), Automaton(tree(rules[1])))

    assert claimed or not has_common_line


@given(PATTERNS, st.booleans(), PLAIN_LINES, PLAIN_LINES)
@settings(max_examples=200, deadline=None, suppress_health_check=MANY_REJECTED)
def test_a_rule_written_again_matches_plain_lines_as_it_did_alone(
    pattern: str, end: bool, line: str, neighbour: str
) -> None:
    rule = compiled(pattern, end)
    node = tree(rule)
    writer = Writer()
    blanks = line[: len(line) - len(line.lstrip(" \t"))]
    indent = blanks if is_indent(node) and len(blanks) >= least_blanks(node) else None
    try:
        again = writer.rule(0, node, range(1, rule.groups + 1), indent)
    except Refused:
        reject()
    text = f"{neighbour}\n{line}\n{neighbour}\n"
    alone = rule.match(line)

    match = re.compile(f"(?>{again}[^\\n]*+)\\n").match(text, len(neighbour) + 1)

    assert (match is None) == (alone is None)
    if match is not None and alone is not None:
        assert match.end() == len(neighbour) + 1 + len(line) + 1
        assert [alone[group] for _, group in writer.groups] == list(match.groups())
        for group, (is_certain, can_be_empty) in capture_facts(node).items():
            assert alone[group] is not None or not is_certain
            assert alone[group] != "" or can_be_empty


def test_the_blanks_are_those_of_python() -> None:
    blanks = [chr(code) for code in range(sys.maxunicode + 1) if chr(code).isspace()]

    assert all(BLANKS & char_bit(char) for char in blanks)
    assert not any(PLAIN & char_bit(char) for char in blanks if char not in " \t")
    assert not any(
        len(f"a{chr(code)}b".splitlines()) > 1 for code in range(128) if PLAIN >> code & 1
    )


def test_a_line_as_long_as_a_key_does_not_decide_for_longer_ones() -> None:
    template = (
        "Value A (\\d+)\nValue B (\\d+)\nValue C (\\d+)\n\nStart\n  ^#one two: ${A}\n  ^#one two is ${B}\n"
        "  ^#one two three: ${C} -> Record\n  ^#one twx -> Record\n"
    )
    lines = ["#one two", "#one two: 5", "#one two is 7", "#one two three: ", "#one two three: 9"]
    pair = Pair(template)

    for length in range(1, 18):
        cut = [line[:length] for line in lines]
        assert pair.difference("\n".join([*cut, *lines, *cut]) + "\n") is None


def test_first_characters_are_demanded_where_a_rule_was_left_out_for_them() -> None:
    template = "Value A (\\d+)\nValue B (\\S+)\n\nStart\n  ^foo bar \\d+ x${A}\n  ^foo baz ${B}\n  ^end -> Record\n"
    pair = Pair(template)

    for letter in "yxyx":
        text = "".join(f"foo bar {n} {letter}{n}\nend\n" for n in range(9))
        assert pair.difference(text) is None
