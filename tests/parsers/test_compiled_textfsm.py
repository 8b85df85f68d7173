"""The compiled engine against textfsm: same rows or same error, whatever the template and the text."""

from __future__ import annotations

import io
import random
import threading
from collections import Counter
from pathlib import Path

import pytest
import textfsm

from ipsecmon_parsers.compiled_textfsm import CompiledTemplate
from textfsm_identity.comparing import Pair
from textfsm_identity.corpus import cases, corpus_folder, template_folder
from textfsm_identity.identity import differences

TABLE = """\
Value Required NAME (\\S+)
Value STATE (up|down)
Value MTU (\\d+)

Start
  ^${NAME} is ${STATE}(, mtu ${MTU})?$$ -> Record
  ^%.* -> Error "the device complains"
"""

# one template for each feature of the language, and a text that uses it
FEATURES = {
    "required": (
        TABLE,
        "a is up\n is down\nb is down, mtu 1500\n",
    ),
    "optional group": (
        TABLE,
        "a is up, mtu 9\nb is up\n",
    ),
    "filldown": (
        """\
Value Filldown CHASSIS (\\d+)
Value Required SLOT (\\d+)

Start
  ^chassis ${CHASSIS}
  ^slot ${SLOT} -> Record
""",
        "slot 1\nchassis 7\nslot 2\nslot 3\nchassis 8\nslot 4\n",
    ),
    "fillup": (
        """\
Value NAME (\\w+)
Value Fillup GROUP (\\w*)

Start
  ^name ${NAME} -> Record
  ^group ${GROUP} -> Record
""",
        "name a\nname b\ngroup x\nname c\ngroup \nname d\ngroup y\n",
    ),
    "list": (
        """\
Value NAME (\\w+)
Value List MEMBER (\\w+)

Start
  ^name ${NAME}
  ^ member ${MEMBER}
  ^end -> Record
""",
        "name a\n member x\n member y\nend\nname b\nend\nend\nname c\n member z\n",
    ),
    "list of parts": (
        """\
Value NAME (\\w+)
Value List,Filldown MEMBER ((?P<WHO>\\w+)=(?P<AGE>\\d*))

Start
  ^name ${NAME} -> Continue.Record
  ^name ${NAME}
  ^ member ${MEMBER}
  ^! -> Clearall
""",
        "name a\n member x=1\n member y=\nname b\n member z=3\n!\nname c\n",
    ),
    "parts of nothing": (
        """\
Value List MEMBER ((\\w+)=(?P<AGE>\\d*))

Start
  ^( member ${MEMBER})?\\s*$$ -> Record
""",
        " member x=1\n\n",
    ),
    "required before and behind list": (
        """\
Value Required,List A (\\w*)
Value List,Required B (\\w*)

Start
  ^a ${A}
  ^b ${B}
  ^! -> Record
""",
        "a x\na \nb y\n!\na x\nb \n!\na x\n!\nb y\n!\n",
    ),
    "continue": (
        """\
Value List PORT (\\d+)
Value NAME (\\w+)

Start
  ^${NAME}: -> Continue
  ^\\w+: ${PORT} -> Continue
  ^\\w+: \\d+ ${PORT} -> Continue
  ^\\w -> Record
""",
        "a: 1 2\nb: 3\nc:\n-\nd: 4 5\n",
    ),
    "continue to record": (
        """\
Value Required WHAT (\\w+)
Value MORE (\\w+)

Start
  ^what -> Continue.Record
  ^what ${WHAT}
  ^more ${MORE}
""",
        "what a\nmore x\nwhat b\nwhat c\nmore y\nmore z\n",
    ),
    "clear": (
        """\
Value Filldown A (\\w+)
Value B (\\w+)

Start
  ^a ${A}
  ^b ${B}
  ^clear -> Clear
  ^all -> Clearall
  ^save -> Record
""",
        "a 1\nb 2\nclear\nsave\nb 3\nsave\nall\nsave\nb 4\nsave\n",
    ),
    "states": (
        """\
Value Required A (\\w+)
Value B (\\w+)

Start
  ^begin -> Body
  ^a ${A}

Body
  ^a ${A}
  ^b ${B} -> Record
  ^end -> Start
""",
        "a 0\nb 0\nbegin\na 1\nb 2\nend\nb 3\nbegin\na 4\nb 5\na 6\n",
    ),
    "end": (
        """\
Value A (\\w+)

Start
  ^a ${A} -> Record
  ^stop -> End
""",
        "a 1\nstop\na 2\n",
    ),
    "end without the last row": (
        """\
Value A (\\w+)

Start
  ^a ${A}
  ^stop -> End
""",
        "a 1\nstop\na 2\n",
    ),
    "eof by jump": (
        """\
Value A (\\w+)

Start
  ^a ${A}
  ^stop -> EOF
""",
        "a 1\nstop\na 2\n",
    ),
    "eof state": (
        """\
Value A (\\w+)

Start
  ^a ${A}

EOF
""",
        "a 1\na 2\n",
    ),
    "error": (
        TABLE,
        "a is up\n% no such interface\nb is up\n",
    ),
    "error without a message": (
        """\
Value A (\\w+)

Start
  ^a ${A}
  ^. -> Error
""",
        "a 1\nb\n",
    ),
    "an empty text is a value": (
        """\
Value A (\\w*)

Start
  ^a ?${A} -> Record
""",
        "a\na 1\n\na\n",
    ),
    "other line ends": (
        TABLE,
        "a is up\r\nb is down\rc is up\x0bd is up\u2028e is up\x85f is up",
    ),
    "a carriage return too many": (
        """\
Value A (\\w+)
Value Filldown B (.*)

Start
  ^a ${A}
  ^$$ -> Record
""",
        "a 1\r\r\na 2\r\r\r\n\r\na 3\r\n",
    ),
    "beyond ascii": (
        TABLE,
        "\xe9 is up\na\xa0is up\nb is up\n\xe9 is down\n\xe9 is up\na\xa0is up\nb is up\n\xe9 is down\n\xe9 is up\na\xa0is up\nb is up\n\xe9 is down\n",
    ),
    "a condition behind": (
        """\
Value A (\\w+(?= x))
Value B (\\S+?)

Start
  ^${A}\\s+${B},?\\s*$$ -> Record
  ^${B}(?!!) -> Record
""",
        "ab x,\nab y\nab!\nab x,\nab y\nab!\nab x,\nab y\nab!\nab x,\nab y\nab!\n",
    ),
    "a lazy value at the end of a rule": (
        """\
Value A (\\S+?)
Value B (\\w*?)

Start
  ^a ${A} -> Record
  ^b ${A}:${B} -> Record
""",
        "a 123\na 4\nb 56:78\nb 9:\na 567\n" * 4,
    ),
    "a back reference": (
        """\
Value A (\\w+)

Start
  ^(\\w) ${A} \\1 -> Record
""",
        "x abc x\nx abc y\nx abc x\nx abc y\nx abc x\nx abc y\nx abc x\nx abc y\n",
    ),
    "a look behind": (
        """\
Value A (\\w+)

Start
  ^.${A}(?<=c) -> Record
""",
        " abc d\nabd\n abc d\nabd\n abc d\nabd\n abc d\nabd\n",
    ),
    "flags": (
        """\
Value A ((?i:x)\\w+)

Start
  ^${A} -> Record
""",
        "xa\nXb\nya\nxa\nXb\nya\nxa\nXb\nya\nxa\nXb\nya\n",
    ),
    "a choice of beginnings": (
        """\
Value A (\\w+)

Start
  ^a ${A} -> Record
  ^(b|^c) -> Record
""",
        "a 1\nb\nc\na 1\nb\nc\na 1\nb\nc\na 1\nb\nc\n",
    ),
    "a repeated group": (
        """\
Value A (\\w)

Start
  ^(?:${A},)+$$ -> Record
""",
        "a,b,\nc,\na,b,\nc,\na,b,\nc,\na,b,\nc,\n",
    ),
    "no rule at all": (
        """\
Value A (\\w+)

Start
""",
        "a\nb\n",
    ),
    "tabs": (
        TABLE,
        "a is up\n\tb is up\na is up\t\na is up\n\tb is up\na is up\t\na is up\n\tb is up\na is up\t\n",
    ),
}


@pytest.mark.parametrize("feature", FEATURES)
def test_each_feature_gives_the_rows_of_textfsm(feature: str) -> None:
    template, text = FEATURES[feature]
    pair = Pair(template)

    for repeated in (text, text, text * 8, "", text + text[: len(text) // 2], text * 40, text):
        assert pair.difference(repeated) is None


@pytest.mark.parametrize("feature", FEATURES)
def test_an_engine_that_lives_on_forgets_the_text_before(feature: str) -> None:
    template, text = FEATURES[feature]
    chance = random.Random(feature)  # noqa: S311 - a repeatable choice is wanted
    pair = Pair(template)
    lines = text.split("\n")

    for _ in range(60):
        mixed = "\n".join(chance.choices(lines, k=chance.randrange(1, 40)))
        assert pair.difference(mixed) is None


def test_dicts_are_those_of_textfsm() -> None:
    text = "a is up\nb is down, mtu 1500\n"

    expected = textfsm.TextFSM(io.StringIO(TABLE)).ParseTextToDicts(text)

    assert CompiledTemplate(TABLE).parse_to_dicts(text) == expected


def test_a_template_comes_as_text_as_path_or_as_open_file(tmp_path: Path) -> None:
    path = tmp_path / "table.textfsm"
    path.write_text(TABLE, encoding="utf-8")
    text = "a is up\n"

    with path.open(encoding="utf-8") as file:
        engines = [CompiledTemplate(TABLE), CompiledTemplate(path), CompiledTemplate(file)]

    assert [engine.parse(text) for engine in engines] == [[["a", "up", ""]]] * 3
    assert engines[0].header == ["NAME", "STATE", "MTU"]


def test_a_bad_template_is_textfsms_error() -> None:
    with pytest.raises(textfsm.TextFSMTemplateError, match="Missing state 'Start'"):
        CompiledTemplate("Value A (\\w+)\n\nBegin\n  ^a\n")


def test_what_cannot_be_traced_is_explained() -> None:
    engine = CompiledTemplate(FEATURES["a back reference"][0], trace_after=1)
    engine.parse("".join(f"x abc{n} x\n" for n in range(50)))

    explanation = engine.explain()

    reason = "it holds what is not understood: groupref"
    assert f"Start, line 4: line by line only: {reason}" in explanation
    assert "lines go line by line: the rule in line 4" in explanation


def test_a_trace_is_explained_with_how_often_it_fitted() -> None:
    engine = CompiledTemplate(TABLE, trace_after=1)
    engine.parse("a is up\n" * 50)

    assert "Start: segment of 1 lines" in engine.explain()


def test_threads_share_an_engine() -> None:
    template, text = FEATURES["continue to record"]
    engine = CompiledTemplate(template, trace_after=1)
    expected = {n: Pair(template).expected(text * n) for n in range(1, 30)}
    wrong: list[int] = []

    def read(first: int) -> None:
        order = [*range(first, 30), *range(1, first)]
        wrong.extend(n for n in order if engine.parse(text * n) != expected[n])

    threads = [threading.Thread(target=read, args=(1 + 7 * n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not wrong


def test_the_corpus_gives_the_rows_of_textfsm() -> None:
    """A sample of it, mutated; `make identity` reads all."""
    if template_folder() is None:
        pytest.skip("ntc-templates is not installed: `make dev` brings it")
    everything = cases()
    if not everything:
        pytest.skip(f"no outputs at {corpus_folder()}: set IPSECMON_TEXTFSM_CORPUS to their folder")
    sample = random.Random(1).sample(everything, 60)  # noqa: S311 - a repeatable choice is wanted
    counts: Counter[str] = Counter()

    found = [
        line
        for case in sample
        if len(case.text) < 20_000
        for line in differences(case, everything, 4, counts)
    ]

    assert counts["compared"] > 200
    assert found == []
