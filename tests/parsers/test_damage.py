"""Every output of our own, damaged as terminals, pagers, logs and lost connections damage them.

Harmless damage changes no record. A cut is refused, or what is returned leads the whole: never another exception,
never another number. The fast tests take samples; the slow ones try every place.
"""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz.cases import Case, fixture_cases
from fuzz.damage import BREAKING, HARMLESS, MESSAGES, grows_into, leads, with_message
from ipsecmon_parsers.errors import ParserError
from ipsecmon_parsers.records import Record
from ipsecmon_parsers.registry import parse

CASES = {case.name: case for case in fixture_cases()}
NAMES = st.sampled_from(sorted(CASES))
WHOLE: dict[str, tuple[Record, ...]] = {}


def read(case: Case, text: str, *, complete: bool = False) -> tuple[Record, ...]:
    return parse(case.platform, case.command, text, complete=complete).records


def whole(case: Case) -> tuple[Record, ...]:
    """The records of the undamaged output."""
    if case.name not in WHOLE:
        WHOLE[case.name] = read(case, case.text, complete=True)
    return WHOLE[case.name]


def is_configuration(case: Case) -> bool:
    """Each of its lines says something of its own, no line closes it, and any may add to what stands above."""
    return "running-config" in case.command or "access-list" in case.command


def cannot_tell(case: Case, kept: int) -> bool:
    """The cuts nothing can tell: they end where the device may have ended."""
    rest = case.text[kept:].lstrip(" ")
    if case.command.startswith("show crypto isakmp sa"):
        return rest.startswith("(deleted)")
    # a map that is applied nowhere: text that was stripped ends right behind the colon
    return bool(re.search(r"Interfaces using crypto map \S+:[ ]*\Z", case.text[:kept]))


def assert_cut_leads(case: Case, kept: int) -> None:
    if cannot_tell(case, kept):
        return
    try:
        part = read(case, case.text[:kept])
    except ParserError:
        return
    follows = grows_into if is_configuration(case) else leads

    assert follows(part, whole(case)), (case.name, kept, case.text[max(0, kept - 60) : kept])


@given(st.data())
def test_a_cut_output_is_refused_or_leads_the_whole_one(data: st.DataObject) -> None:
    case = CASES[data.draw(NAMES)]
    assert_cut_leads(case, data.draw(st.integers(0, len(case.text))))


@pytest.mark.parametrize("name", CASES)
def test_a_cut_inside_the_last_line_is_refused_or_leads_the_whole_one(name: str) -> None:
    text = CASES[name].text.rstrip()
    for kept in range(text.rfind("\n") + 1, len(text) + 1):
        assert_cut_leads(CASES[name], kept)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", CASES)
def test_every_cut_output_is_refused_or_leads_the_whole_one(name: str) -> None:
    for kept in range(len(CASES[name].text) + 1):
        assert_cut_leads(CASES[name], kept)


def lives_by_indentation(case: Case) -> bool:
    """Only the blanks tell what stands below a heading, and which key has no keyring of its own beside it."""
    return "running-config" in case.command or case.command == "show crypto isakmp key"


@pytest.mark.parametrize("damage", HARMLESS)
@pytest.mark.parametrize("name", CASES)
def test_harmless_damage_changes_no_record(name: str, damage: str) -> None:
    case = CASES[name]

    assert read(case, HARMLESS[damage](case.text, case.command), complete=True) == whole(case)


@pytest.mark.parametrize("name", [n for n in CASES if not lives_by_indentation(CASES[n])])
def test_lost_indentation_changes_no_record(name: str) -> None:
    case = CASES[name]
    flat = "\n".join(line.lstrip() for line in case.text.split("\n"))

    assert read(case, flat, complete=True) == whole(case)


def assert_message_changes_nothing(case: Case, message: str, place: int) -> None:
    result = parse(
        case.platform, case.command, with_message(case.text, message, place), complete=True
    )

    assert result.records == whole(case), (message, place)
    assert message not in {line.text for line in result.unparsed_lines}


@pytest.mark.parametrize("name", CASES)
def test_a_message_between_two_lines_changes_no_record(name: str) -> None:
    case = CASES[name]
    for place in range(case.text.count("\n") + 1):
        assert_message_changes_nothing(case, MESSAGES[place % len(MESSAGES)], place)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", CASES)
def test_no_message_anywhere_between_lines_changes_a_record(name: str) -> None:
    case = CASES[name]
    for place in range(case.text.count("\n") + 1):
        for message in MESSAGES:
            assert_message_changes_nothing(case, message, place)


def assert_breaking_message_changes_nothing(case: Case, message: str, at: int) -> None:
    """``at`` is inside a line or at its end: the device says the message, then goes on with the line."""
    broken = f"{case.text[:at]}{message}\n{case.text[at:]}"

    assert read(case, broken, complete=True) == whole(case), (message, at, case.text[at - 20 : at])


def breakable(case: Case) -> list[int]:
    """Places inside lines that print values; what people wrote (``description``) may itself speak of messages."""
    places: list[int] = []
    start = 0
    for line in case.text.split("\n"):
        if not re.match(r"\s*(description|remark|Desc:|!)", line):
            begin = len(line) - len(line.lstrip())
            places += range(start + begin + 1, start + len(line) + 1)
        start += len(line) + 1
    return places


@given(st.data())
def test_a_message_inside_a_line_changes_no_record(data: st.DataObject) -> None:
    case = CASES[data.draw(NAMES)]
    if places := breakable(case):
        at = data.draw(st.sampled_from(places))
        assert_breaking_message_changes_nothing(case, data.draw(st.sampled_from(BREAKING)), at)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", CASES)
def test_no_message_inside_any_line_changes_a_record(name: str) -> None:
    case = CASES[name]
    for place in breakable(case):
        assert_breaking_message_changes_nothing(case, BREAKING[place % len(BREAKING)], place)
