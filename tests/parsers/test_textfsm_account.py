"""The account of the compiled engine on our own templates is that of textfsm's hooks, line for line."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ipsecmon_parsers.clean import clean
from ipsecmon_parsers.compiled_textfsm import CompiledTemplate
from ipsecmon_parsers.redaction import hide_key_table
from ipsecmon_parsers.stock_account import StockAccount
from textfsm_identity.mutations import (
    changed_here_and_there,
    changed_throughout,
    some_change,
)

REPOSITORY = Path(__file__).resolve().parent.parent.parent
TEMPLATES = REPOSITORY / "parsers" / "ipsecmon_parsers" / "templates"
OUTPUTS = Path(__file__).parent / "outputs"
NAMES = sorted(str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.textfsm"))


@dataclass(frozen=True, slots=True)
class Engines:
    """The engine as it learns at once, the engine of everyday use, and the reference; they live on."""

    eager: CompiledTemplate
    usual: CompiledTemplate
    reference: StockAccount

    @classmethod
    def of(cls, template: str) -> Engines:
        text = (TEMPLATES / template).read_text(encoding="utf-8")
        return cls(
            CompiledTemplate(text, trace_after=1),
            CompiledTemplate(text),
            StockAccount(text, as_compiled=True),
        )

    def agree_on(self, text: str) -> bool:
        expected = self.reference.account(text)
        return self.eager.account(text) == expected and self.usual.account(text) == expected


def outputs_for(template: str) -> list[str]:
    """Cleaned outputs of which the template makes rows, so that there is something to compare."""
    reference = StockAccount((TEMPLATES / template).read_text(encoding="utf-8"), as_compiled=True)
    texts = [
        clean(path.read_text(encoding="utf-8")).text for path in sorted(OUTPUTS.rglob("output.txt"))
    ]
    texts.append("IPsec SA total: 8, active: 8, rekeying: 0, unused: 0, invalid: 0\n")
    # the registry hides keys before a template sees them
    texts += [hidden for text in texts if (hidden := hide_key_table(text)) != text]
    return [text for text in texts if reference.account(text).rows]


def mutations(texts: list[str], number: int, seed: str) -> Iterator[str]:
    chance = random.Random(seed)  # noqa: S311 - a repeatable choice is wanted
    for count in range(number):
        text = chance.choice(texts) * chance.choice((1, 2, 6))
        if count % 2:
            changes = [some_change(text, chance) for _ in range(chance.randrange(1, 3))]
            yield changed_throughout(text, changes, chance)
        else:
            yield changed_here_and_there(text, chance, chance.choice(texts))


# every how manieth output of a template, and how many mutations; the long suite has them all, and many more
SOME_OR_ALL = pytest.mark.parametrize(
    ("step", "number"), [(5, 6), pytest.param(1, 60, marks=pytest.mark.slow)]
)


@SOME_OR_ALL
@pytest.mark.parametrize("template", NAMES)
def test_the_outputs_and_their_mutations(template: str, step: int, number: int) -> None:
    engines = Engines.of(template)
    texts = outputs_for(template)

    for text in texts[::step]:
        assert engines.agree_on(text)
        assert engines.agree_on(text * 9)
    for text in mutations(texts, number, template):
        assert engines.agree_on(text), text


@SOME_OR_ALL
@pytest.mark.parametrize("template", NAMES)
def test_the_captures(template: str, step: int, number: int, captures: Path) -> None:
    engines = Engines.of(template)
    chance = random.Random(template)  # noqa: S311 - the same
    command = Path(template).stem
    found = [
        path.read_text(encoding="utf-8", errors="replace")
        for path in sorted(captures.rglob("*.txt"))
        if path.parent.name.startswith(command) or chance.random() < 0.05
    ]
    texts = [clean(text).text for text in found]
    assert texts

    for text in texts[::step]:
        assert engines.agree_on(text)
    for text in mutations(texts, number, template):
        assert engines.agree_on(text)


def test_lines_too_long_and_blank_lines_are_not_shown_to_the_rules() -> None:
    template = "Value Required A (\\S+)\n\nStart\n  ^a ${A} -> Record\n  ^\\s*$$ -> Record\n"
    engine, reference = (
        CompiledTemplate(template, trace_after=1),
        StockAccount(template, as_compiled=True),
    )
    line = "a " + "x" * 4095
    text = "a 1\n\n \t\na 2\n" * 6 + f"{line}\n{line[:-1]}\n{line}\n" * 6 + "b"

    account = engine.account(text)

    assert account == reference.account(text)
    assert account.unmatched[:2] == [25, 27]
    assert ("x" * 4094,) in account.rows
    assert ("",) not in account.rows


def test_a_row_tells_its_lines_and_what_came_to_nothing() -> None:
    template = (
        "Value Required NAME (\\w+)\nValue SIZE (\\d+)\n\nStart\n"
        "  ^(name|size) -> Continue\n  ^name ${NAME}\n  ^size ${SIZE}\n  ^end -> Record\n"
    )
    text = "name a\nsize 1\nsize 2\nend\nsomething else\nsize 3\nend\nname b\n"

    for engine in (CompiledTemplate(template), CompiledTemplate(template, trace_after=1)):
        for _ in range(4):
            account = engine.account(text)

            assert account.rows == [("a", "2"), ("b", "")]
            assert account.spans == [(1, 4), (8, 9)]
            assert account.unmatched == [5]
            assert account.dropped == [6]
            assert account.overwriting == [3]


def test_a_row_that_is_cleared_keeps_its_first_line() -> None:
    template = (
        "Value Filldown PORT (\\w+)\nValue CODE (\\w+)\nValue HINT (\\w+)\n\nStart\n"
        "  ^port ${PORT} -> Clear\n  ^code ${CODE}\n  ^hint ${HINT} -> Record\n"
    )
    engine, reference = (
        CompiledTemplate(template, trace_after=1),
        StockAccount(template, as_compiled=True),
    )
    text = "port a\n" + "code 1\nhint x\nport b\ncode 2\nhint y\n" * 9

    for _ in range(3):
        assert engine.account(text) == reference.account(text)
