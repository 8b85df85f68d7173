"""Each folder below ``outputs/`` is a case: an output and the JSON it must become.

A bug report becomes a test by dropping its output into ``outputs/<platform>/<command>/<case>/output.txt`` and
running ``make golden``. Where the name of a folder cannot spell the command, ``command.txt`` beside the output does.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ipsecmon_parsers.registry import parse

OUTPUTS = Path(__file__).parent / "outputs"
CASES = sorted(OUTPUTS.glob("*/*/*/output.txt"))


def command_of(case: Path) -> tuple[str, str]:
    """The platform and the command of the output ``case``."""
    written = case.with_name("command.txt")
    if written.is_file():
        return case.parts[-4], written.read_text(encoding="utf-8").strip()
    return case.parts[-4], case.parts[-3].replace("_", " ")


@pytest.mark.parametrize("case", CASES, ids=lambda path: str(path.parent.relative_to(OUTPUTS)))
def test_golden_output_becomes_the_expected_records(case: Path, update_golden: bool) -> None:
    platform, command = command_of(case)
    actual = parse(platform, command, case.read_text(encoding="utf-8")).document()
    golden = case.with_name("expected.json")
    if update_golden:
        golden.write_text(json.dumps(actual, indent=2) + "\n", encoding="utf-8")

    assert actual == json.loads(golden.read_text(encoding="utf-8"))
