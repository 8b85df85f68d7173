"""Each folder below ``outputs/`` is a case: an output and the JSON it must become.

A bug report becomes a test by dropping its output into ``outputs/<platform>/<command>/<case>/output.txt`` and
running ``make golden``.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ipsecmon_parsers.registry import parse

OUTPUTS = Path(__file__).parent / "outputs"
CASES = sorted(OUTPUTS.glob("*/*/*/output.txt"))


@pytest.mark.parametrize("case", CASES, ids=lambda path: str(path.parent.relative_to(OUTPUTS)))
def test_golden_output_becomes_the_expected_records(case: Path, update_golden: bool) -> None:
    platform, command = case.parts[-4], case.parts[-3].replace("_", " ")
    actual = parse(platform, command, case.read_text(encoding="utf-8")).document()
    golden = case.with_name("expected.json")
    if update_golden:
        golden.write_text(json.dumps(actual, indent=2) + "\n", encoding="utf-8")

    assert actual == json.loads(golden.read_text(encoding="utf-8"))
