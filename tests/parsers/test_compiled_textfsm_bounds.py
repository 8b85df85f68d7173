"""What the engine takes and keeps stays bounded, whatever the template and the text."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from ipsecmon_parsers.compiled_textfsm import CompiledTemplate
from ipsecmon_parsers.compiled_textfsm.machine import Machine
from ipsecmon_parsers.compiled_textfsm.program import read_template
from textfsm_identity.comparing import Pair

ANYTHING = """\
Value A (\\S+)
Value B (.*?)

Start
  ^a ${A} -> Record
  ^b ${A} ${B}\\s*$$
  ^c -> Continue.Record
  ^\\S+ ${B}:$$ -> Record
"""

# each of them matches at once, or is not tried at all, on a line where trying every way takes an eternity
DANGEROUS = {
    "a repetition in a repetition": ("^(?:x+x+)+y ${A}", "x" * 40),
    "a choice of overlapping parts": ("^(?:x|xx)+y ${A}", "x" * 60),
    "optional parts": ("^(?:x?x?)*y ${A}", "x" * 40),
}


@pytest.mark.parametrize("danger", DANGEROUS)
@pytest.mark.parametrize("end", ["y 1", "yé 1", "y 1é"])
def test_a_dangerous_rule_takes_no_longer_than_it_takes_textfsm(danger: str, end: str) -> None:
    rule, start = DANGEROUS[danger]
    template = f"Value A (\\S+)\n\nStart\n  ^x+yé -> Record\n  {rule} -> Record\n  ^x+z -> Record\n"
    pair = Pair(template)
    shown = "".join(f"{start}y {n}\n" for n in range(40)) + f"{start}{end}\n" * 5

    began = time.process_time()
    difference = pair.difference(shown)

    assert difference is None
    assert time.process_time() - began < 2
    assert "Start, line 5: line by line only: it repeats a part" in pair.ours.explain()


def test_texts_that_are_always_new_do_not_fill_the_tables() -> None:
    machine = Machine(read_template(ANYTHING), trace_after=1)

    for number in range(300):
        # a path of another length each time, and keys no line had before
        body = "".join(f"{chr(97 + n % 26)}{n * number} x{number}:\n" for n in range(number % 40))
        machine.run(f"b {number} y\n" * (number % 37) + body + f"a {number}\n" * 3, 0)

    notes = [note for node in machine.learner.nodes for note in node.notes.values()]
    traces = [trace for node in machine.learner.nodes for trace in (*node.loops, *node.segments)]
    assert 0 < len(machine.learner.nodes) <= 64
    assert 0 < len(traces) <= 64
    assert len(notes) <= 256 + 64
    assert all(len(trace.source) <= 60_000 for trace in traces)


def test_what_is_new_can_still_be_learnt_after_all_that() -> None:
    machine = Machine(read_template(ANYTHING), trace_after=1)
    for number in range(300):
        machine.run(f"b {number} y\n" * number + f"a {number}\n" * 2, 0)

    for _ in range(8):
        machine.run("c\nb 1 2\n" * 50, 0)

    (found,) = [
        trace for node in machine.learner.nodes for trace in node.segments if trace.lines == 2
    ][:1]
    assert found.hits > 50


def test_memory_grows_with_the_text_and_not_faster() -> None:
    block = "b one two\nnothing at all\na three\n"
    peaks: list[float] = []
    for copies in (2_000, 8_000):
        engine = CompiledTemplate(ANYTHING)
        text = block * copies
        tracemalloc.start()
        engine.parse(text)
        peaks.append(tracemalloc.get_traced_memory()[1] / len(text))
        tracemalloc.stop()

    assert peaks[1] < peaks[0] * 1.2


def test_a_text_that_is_never_saved_is_not_remembered() -> None:
    engine = CompiledTemplate("Value A (\\S+)\n\nStart\n  ^a ${A}\n")
    text = "a b\nc\n" * 50_000
    engine.parse(text)
    tracemalloc.start()
    engine.parse(text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 200_000


def test_one_endless_line_is_read_once() -> None:
    engine = CompiledTemplate(ANYTHING, trace_after=1)
    text = "a 1\n" * 20 + "a " + "x" * 2_000_000 + "\na 2\n"

    began = time.process_time()
    rows = engine.parse(text)

    assert [len(row[0]) for row in rows[-2:]] == [2_000_000, 1]
    assert time.process_time() - began < 1
