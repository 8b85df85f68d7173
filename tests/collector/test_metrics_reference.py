"""METRICS.md says what is exported, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from ipsecmon.metrics.catalogue import CATALOGUE
from ipsecmon.metrics.reference import reference_text

REFERENCE = Path(__file__).parents[2] / "METRICS.md"


def test_the_committed_golden_reference_is_the_generated_one(update_golden: bool) -> None:
    if update_golden:
        REFERENCE.write_text(reference_text(), encoding="utf-8")

    assert REFERENCE.read_text(encoding="utf-8") == reference_text()


def test_every_metric_has_one_heading_and_no_other_is_spoken_of() -> None:
    text = reference_text()
    names = [metric.name for metric in CATALOGUE]

    assert sorted(re.findall(r"^### `(\w+)`$", text, re.MULTILINE)) == sorted(names)
    spoken_of = set(re.findall(r"\bcisco_(?:ipsec|ike)_\w+", text))
    assert spoken_of == set(names)


def test_what_is_written_under_a_heading_is_a_whole_sentence() -> None:
    for line in reference_text().splitlines():
        assert not line.endswith(" "), line
        assert "``" not in line.removeprefix("```"), line
