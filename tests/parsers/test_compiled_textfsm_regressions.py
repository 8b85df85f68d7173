"""Differences from textfsm that were found by trying to find them; each lives on one engine that has learnt first."""

from __future__ import annotations

import io

import pytest
import textfsm

from ipsecmon_parsers.compiled_textfsm import CompiledTemplate


def template(*rules: str) -> str:
    return "\n".join([r"Value X (\d+)", "", "Start", *(f"  {rule}" for rule in rules)]) + "\n"


def stock(text: str, source: str) -> list[list[str]]:
    return textfsm.TextFSM(io.StringIO(source)).ParseText(text)


def learnt(line: str, *rules: str, lines: int) -> tuple[CompiledTemplate, str]:
    """An engine that has read ``line``, with a number in it, so often that it has made traces."""
    source = template(*rules)
    engine = CompiledTemplate(source)
    text = "".join(line.format(n) for n in range(lines))
    assert engine.parse(text) == stock(text, source)
    return engine, source


@pytest.mark.parametrize("lines", [128, 512, 513, 700, 3000])
@pytest.mark.parametrize(
    ("line", "rules", "texts"),
    [
        # a lazy repetition that is left for good stays at its fewest
        ("b{}\n", ("^(?>a*?)b${X} -> Record",), ("aab5\n", "b1\naab5\nb2\n")),
        ("xb{}\n", ("^(?:xa*?){{1,3}}+b${X} -> Record",), ("xaab5\n", "xb1\nxaab5\nxxb2\n")),
        ("ab{}\n", ("^(?>a+?)b${X} -> Record",), ("aab5\n", "ab1\naab5\nab2\n")),
        # blanks that are not plain are no indentation
        ("\xa0speed {}\n", (r"^\s+speed ${X} -> Record",), ("speed 5\n", " speed 6\n")),
        ("\x1fspeed {}\n", (r"^\s+speed ${X} -> Record",), ("speed 5\n", "\tspeed 6\n")),
        ("  \xa0speed {}\n", (r"^\s{{3,}}speed ${X} -> Record",), ("  speed 5\n", "   speed 6\n")),
        (
            " \u3000speed {}\n",
            (r"^\s{{2,}}speed ${X} -> Record", r"^\s*speed"),
            (" speed 5\n", "  speed 6\n"),
        ),
    ],
)
def test_an_engine_that_has_learnt_reads_as_textfsm_does(
    line: str, rules: tuple[str, ...], texts: tuple[str, ...], lines: int
) -> None:
    rules = tuple(rule.replace("{{", "{").replace("}}", "}") for rule in rules)
    engine, source = learnt(line, *rules, lines=lines)
    for text in texts:
        assert engine.parse(text) == stock(text, source)
        mixed = "".join(line.format(n) + text for n in range(300))
        assert engine.parse(mixed) == stock(mixed, source)


@pytest.mark.parametrize("depth", [100, 160, 190, 220, 330, 400])
@pytest.mark.parametrize(
    ("opening", "middle", "closing"),
    [
        ("(", "a", "|b)"),
        ("(", "a", ")?"),
        ("(", "a", ")"),
        ("(?=a", "", ")"),
        ("(", "a", "b?)"),
        ("(x?", "a", "y?)"),
    ],
)
def test_a_rule_that_is_nested_deeply_is_read_line_by_line(
    opening: str, middle: str, closing: str, depth: int
) -> None:
    expression = opening * depth + middle + closing * depth + ("a" if middle == "" else "")
    source = template(f"^{expression}${{X}} -> Record")
    try:
        expected = stock("a1\n" * 700, source)
    except (RecursionError, textfsm.TextFSMTemplateError):
        pytest.skip("textfsm does not take an expression of this depth")
    assert CompiledTemplate(source).parse("a1\n" * 700) == expected


@pytest.mark.timeout(20)  # without the bound it takes minutes
def test_a_rule_is_not_tried_in_vain_in_many_ways_where_another_matches_at_once() -> None:
    source = (
        "Value N (\\S+)\nValue D (.*)\n\nStart\n  ^.*\\sis\\s+disabled$$\n"
        "  ^\\s*${N}.*\\s.*\\s.*\\s${D}\\s+enabled$$ -> Record\n"
    )
    engine = CompiledTemplate(source)
    engine.parse("".join(f"eth{n} a b c desc {n} enabled\n" for n in range(3000)))
    text = "eth1 " + "w " * 400 + " is disabled\n"

    assert engine.parse(text) == stock(text, source)
    assert "can share out a text in several ways" in engine.explain()


@pytest.mark.timeout(90)  # the same
@pytest.mark.parametrize(
    "rules",
    [
        ("^zzz" + "(?:" * 14 + "(?:(?=b))" + "){3}" * 14, "^a${X} -> Record"),
        # ten seconds each, more than half of them textfsm's own
        pytest.param(
            ("^" + ("x?" * 50 + "a?" * 700).join(["(?:", ")*"]) + ";;", "^a${X} -> Record"),
            marks=pytest.mark.slow,
        ),
        pytest.param(
            (
                "^(?:" + "x?" * 50 + "a?" * 700 + ")*;;",
                "^(?:" + "x?" * 50 + "b?" * 700 + ")*${X} -> Record",
            ),
            marks=pytest.mark.slow,
        ),
    ],
)
def test_what_is_found_out_about_rules_has_a_bound(rules: tuple[str, ...]) -> None:
    source = template(*rules)
    text = "a1\n" * 700

    assert CompiledTemplate(source).parse(text) == stock(text, source)
