"""Each folder below ``outputs/`` is a case: an output, and the JSON it must become or the error it must raise.

A bug report becomes a test by dropping its output into ``outputs/<platform>/<command>/<case>/output.txt`` and
running ``make golden``. ``expected.json`` holds the records, ``error.txt`` the type and the sentence of the error.
Where the name of a folder cannot spell the command, ``command.txt`` beside the output does.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ipsecmon_parsers.errors import ParserError
from ipsecmon_parsers.registry import parse

OUTPUTS = Path(__file__).parent / "outputs"
CASES = sorted(OUTPUTS.glob("*/*/*/output.txt"))


def command_of(case: Path) -> tuple[str, str]:
    """The platform and the command of the output ``case``."""
    written = case.with_name("command.txt")
    if written.is_file():
        return case.parts[-4], written.read_text(encoding="utf-8").strip()
    return case.parts[-4], case.parts[-3].replace("_", " ")


def outcome(case: Path) -> tuple[str, str]:
    """The file that must stand beside the output ``case``, and its content."""
    platform, command = command_of(case)
    # bytes: the line ends are part of the case
    text = case.read_bytes().decode("utf-8")
    try:
        document = parse(platform, command, text).document()
    except ParserError as error:
        return "error.txt", f"{type(error).__name__}: {error}\n"
    return "expected.json", json.dumps(document, indent=2) + "\n"


@pytest.mark.parametrize("case", CASES, ids=lambda path: str(path.parent.relative_to(OUTPUTS)))
def test_golden_output_becomes_the_expected_records_or_error(
    case: Path, update_golden: bool
) -> None:
    name, content = outcome(case)
    present = [n for n in ("expected.json", "error.txt") if case.with_name(n).is_file()]
    if update_golden and present in ([], [name]):  # records never turn into an error unseen
        case.with_name(name).write_text(content, encoding="utf-8")
        present = [name]

    assert present == [name], content
    expected = case.with_name(name).read_text(encoding="utf-8")
    if name == "expected.json":
        assert json.loads(content) == json.loads(expected)
    else:
        assert content == expected
