"""Our bytes are those of prometheus_client, the reference, in both formats and for any label value and number."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client.metrics_core import Metric as Family

from ipsecmon.config import Tier
from ipsecmon.metrics import Format, exposition, render_result
from ipsecmon.metrics.catalogue import METRICS
from ipsecmon.metrics.render import render
from ipsecmon.metrics.text import label_block, number_text
from ipsecmon.store import Store
from metrics_fleet import FACTS, READ_AT, failed_result, result
from prometheus_reference import (
    as_openmetrics,
    as_text,
    families_of,
    go_number,
    read_openmetrics,
    read_text,
    with_family,
)

# everything that can be encoded; the backslash, the quote and the line feed often
TEXTS = st.text(
    alphabet=st.one_of(st.sampled_from('\\"\n,{}= '), st.characters(exclude_categories=["Cs"])),
    max_size=12,
)
NUMBERS = st.one_of(
    st.floats(),
    st.integers(-(2**63), 2**64),
    st.floats(min_value=999_990, max_value=1_000_010),
)


def body(form: Format) -> str:
    store = Store()
    for one in (result(), failed_result()):
        store.put(one, render_result(one, Tier.EXTENDED))
    stale_after = {"Site1": 180.0, "Site2": 180.0}
    return exposition(store.entries(), FACTS, stale_after, READ_AT, form).decode()


def test_the_whole_exposition_is_what_the_reference_writes_as_text() -> None:
    ours = body(Format.TEXT)

    assert ours.encode() == as_text(families_of(ours))


def test_the_whole_exposition_is_what_the_reference_writes_as_openmetrics() -> None:
    ours = body(Format.OPENMETRICS)

    assert ours.encode() == as_openmetrics(families_of(body(Format.TEXT)))


def test_the_strict_parser_of_openmetrics_reads_it_and_finds_the_same_samples() -> None:
    def samples(families: Iterable[Family]) -> list[tuple[str, tuple[tuple[str, str], ...], float]]:
        return [
            (sample.name, tuple(sorted(sample.labels.items())), sample.value)
            for family in families
            for sample in family.samples
        ]

    text = samples(read_text(body(Format.TEXT)))
    openmetrics = samples(read_openmetrics(body(Format.OPENMETRICS)))

    assert len(text) > 300
    assert openmetrics == text


@pytest.mark.parametrize("form", Format)
def test_the_lines_of_samples_are_the_same_in_both_formats(form: Format) -> None:
    lines = [line for line in body(form).splitlines() if not line.startswith("#")]

    assert lines == [line for line in body(Format.TEXT).splitlines() if not line.startswith("#")]


@given(
    values=st.lists(st.tuples(TEXTS, TEXTS, TEXTS), unique=True, min_size=1, max_size=4),
    number=NUMBERS,
)
@example(values=[("\\", '"', "\n")], number=math.nan)
@example(values=[("\\n", '\\"', "é\U0001f600")], number=-math.inf)
def test_any_labels_and_any_number_are_written_as_the_reference_writes_them(
    values: list[tuple[str, str, str]], number: float
) -> None:
    for name in ("cisco_ipsec_tunnel_up", "cisco_ipsec_tunnel_flaps_total"):
        metric = METRICS[name]
        families = with_family(metric, [(labels, number) for labels in values])
        ours = render(
            (name, label_block(*zip(metric.labels, labels, strict=True)), number)
            for labels in values
        )[name]

        assert ours == as_text(families).split(b"\n", 2)[2]
        assert ours + b"# EOF\n" == as_openmetrics(families).split(b"\n", 2)[2]


@given(NUMBERS)
@example(1e6)
@example(999_999.5)
@example(1e16)
@example(123_456_789_012_345_680_000.0)
@example(-1e6)
@example(-0.0)
@example(5e-324)
@example(math.inf)
def test_a_number_is_written_as_go_does(number: float) -> None:
    assert number_text(number) == go_number(number)


def test_without_labels_there_are_no_braces() -> None:
    assert label_block() == ""
    lines = render([("cisco_ipsec_exporter_sessions_open", "", 2)])
    assert lines["cisco_ipsec_exporter_sessions_open"] == (
        b"cisco_ipsec_exporter_sessions_open 2.0\n"
    )


def test_openmetrics_ends_where_it_says_so() -> None:
    assert body(Format.OPENMETRICS).endswith("\n# EOF\n")
    assert exposition({}, None, {}, READ_AT, Format.OPENMETRICS) == b"# EOF\n"
    assert exposition({}, None, {}, READ_AT, Format.TEXT) == b""
