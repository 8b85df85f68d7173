"""The fuzz run itself: a short one finds nothing, and planted faults are found, reduced and written down."""

from __future__ import annotations

from pathlib import Path

import pytest

from fuzz.__main__ import Run, main, search, smallest
from fuzz.cases import commands, fixture_cases, spelled_out
from fuzz.targets import Target, targets
from ipsecmon_parsers.errors import ParserError

CASES = fixture_cases()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("seconds", ["2", pytest.param("20", marks=pytest.mark.slow)])
def test_a_short_run_finds_nothing(
    seconds: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(
        [
            "--seconds",
            seconds,
            "--seed",
            "5",
            "--found",
            str(tmp_path),
            "--captures",
            str(tmp_path / "none"),
        ]
    )

    printed = capsys.readouterr().out
    assert status == 0, printed
    assert "found nothing" in printed
    assert "inputs of" in printed


def test_any_other_exception_is_found() -> None:
    def fails_on_a_bracket(text: str) -> None:
        if "[" in text:
            raise ValueError("planted")

    finding = search(Run(1), [Target("planted", fails_on_a_bracket)], CASES, 30)

    assert finding is not None
    assert finding.problem == "ValueError: planted"
    assert smallest(finding.text, lambda text: "[" in text, float("inf")) == "["


def test_a_text_that_takes_much_longer_than_others_is_found() -> None:
    def quadratic(text: str) -> None:
        for at in range(0, len(text), 2):
            text.count("%", at)

    finding = search(Run(2), [Target("planted", quadratic)], CASES, 40)

    assert finding is not None
    assert finding.problem.startswith("took ")


def test_our_own_errors_are_no_finding() -> None:
    def refuses(text: str) -> None:
        raise ParserError(text[:10])

    run = Run(3)

    assert search(run, [Target("refuses", refuses)], CASES, 0.3) is None
    assert run.refused["ParserError"] == run.inputs > 0


def test_every_line_of_the_registry_is_a_target_twice() -> None:
    names = [target.name for target in targets(CASES)]

    for platform, command in commands():
        for complete in (False, True):
            assert f"parse {platform} {command!r} complete={complete}" in names


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("show crypto ipsec sa [{detail | peer [<address>]}]", "show crypto ipsec sa"),
        ("show {ip | ipv6} access-list", "show ip access-list"),
        (r"show running-config [\| section crypto]", "show running-config"),
        (
            "show crypto isakmp sa {detail [vrf <name>] | vrf <name> detail}",
            "show crypto isakmp sa detail",
        ),
    ],
)
def test_a_command_of_the_registry_is_spelled_out(written: str, typed: str) -> None:
    assert spelled_out(written) == typed
