"""Every output of our own, damaged as terminals, pagers, logs and lost connections damage them.

Harmless damage changes no record. A cut is refused, or what is returned leads the whole: never another exception,
never another number. The fast tests take samples; the slow ones try every place.
"""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.cases import Case, fixture_cases
from fuzz.damage import BREAKING, HARMLESS, MESSAGES, grows_into, leads, with_message, wrapped
from ipsecmon_parsers.errors import ParserError
from ipsecmon_parsers.records import Record
from ipsecmon_parsers.registry import parse

CASES = {case.name: case for case in fixture_cases(readable=True)}
# Lines of theirs are broken, at another column or by a message, or are messages; broken again they are nobody's output.
BROKEN_ALREADY = (
    "ios/show_crypto_ikev2_sa/wrapped_cut_and_unready",
    "ios/show_crypto_ipsec_sa/message_breaks_a_line",
    "ios/show_crypto_ipsec_sa/messages_between_lines",
    "ios/show_crypto_isakmp_sa/message_between_rows",
)
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
    # a map that is applied nowhere, in text that was stripped, and a map with one more interface
    return bool(
        re.search(r"Interfaces using crypto map \S+:([ ]*|\n([ ]+\S+\n)+[ ]*)\Z", case.text[:kept])
    )


def assert_cut_leads(case: Case, kept: int) -> None:
    if cannot_tell(case, kept):
        return
    try:
        part = read(case, case.text[:kept])
    except ParserError:
        return
    follows = grows_into if is_configuration(case) else leads

    assert follows(part, whole(case)), (case.name, kept, case.text[max(0, kept - 60) : kept])


@settings(deadline=None)  # a busy machine is no fault
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
    """Only the blanks tell what stands below a heading, which key has no keyring beside it, which count is a part."""
    return (
        "running-config" in case.command
        or case.command == "show crypto isakmp key"
        or (case.command.startswith("show vpn-sessiondb") and "detail" not in case.command)
    )


@pytest.mark.parametrize("damage", HARMLESS)
@pytest.mark.parametrize("name", [n for n in CASES if n not in BROKEN_ALREADY])
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
    if message[0].isdigit() and case.text[:at].rpartition("\n")[2].strip().isdigit():
        return  # the digits before a number of a message cannot be told from it
    broken = f"{case.text[:at]}{message}\n{case.text[at:]}"

    assert read(case, broken, complete=True) == whole(case), (message, at, case.text[at - 20 : at])


def breakable(case: Case) -> list[int]:
    """Places inside lines that print values; what people wrote (``description``) may itself speak of messages."""
    places: list[int] = []
    start = 0
    for line in case.text.split("\n"):
        if not re.match(r"\s*(description|remark|Desc|!)", line):
            begin = len(line) - len(line.lstrip())
            places += range(start + begin + 1, start + len(line) + 1)
        start += len(line) + 1
    return places


@settings(deadline=None)  # a busy machine is no fault
@given(st.data())
def test_a_message_inside_a_line_changes_no_record(data: st.DataObject) -> None:
    case = CASES[data.draw(NAMES.filter(lambda name: name not in BROKEN_ALREADY))]
    if places := breakable(case):
        at = data.draw(st.sampled_from(places))
        assert_breaking_message_changes_nothing(case, data.draw(st.sampled_from(BREAKING)), at)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", [n for n in CASES if n not in BROKEN_ALREADY])
def test_no_message_inside_a_line_changes_a_record(name: str) -> None:
    case = CASES[name]
    for place in breakable(case)[::3]:
        assert_breaking_message_changes_nothing(case, BREAKING[place % len(BREAKING)], place)


LONG = [
    n
    for n, c in CASES.items()
    if max(map(len, c.text.split("\n"))) > 80 and n not in BROKEN_ALREADY
]


@pytest.mark.parametrize("name", LONG)
def test_lines_wrapped_at_80_columns_are_put_together(name: str) -> None:
    case = CASES[name]
    result = parse(case.platform, case.command, wrapped(case.text), complete=True)

    assert result.records == whole(case)


@pytest.mark.parametrize(
    ("name", "line", "pieces"),
    [
        ("ios/show_crypto_ipsec_sa/tutorial", "current outbound spi: 0x7FAD546D(2142065773)", 44),
        ("ios/show_crypto_isakmp_sa/both_directions_and_deleted", "MM_NO_STATE", 11),
        ("ios/show_crypto_session_detail/volume_disabled_and_down", "Outbound: #pkts", 15),
        ("asa/show_crypto_ipsec_sa/nat_t_and_ports", "sa timing: remaining key lifetime", 33),
        ("asa/show_access-list/groups", "(hitcnt=4)", 10),
        ("iosxe/show_crypto_ikev2_sa_detail/subnets_natt_and_qr", "Local spi:", 10),
        ("iosxe/show_dmvpn/shared_nbma", "198.51.100.25", 13),
    ],
)
def test_a_line_with_messages_in_its_middle_is_put_together(
    name: str, line: str, pieces: int
) -> None:
    """The device begins a new line for what it says and another one for the rest, wherever it is."""
    case = CASES[name]
    text = case.text.replace("\u00a0", " ")
    start = text.index(line)
    for at in range(start + 1, start + pieces):
        broken = f"{text[:at]}\n{MESSAGES[0]}\n{MESSAGES[4]}\n{text[at:]}"
        result = parse(case.platform, case.command, broken, complete=True)

        assert result.records == whole(case), text[start:at]
        assert result.unparsed_lines == ()


def test_a_line_of_its_own_is_not_taken_for_the_rest_of_another() -> None:
    """An unknown line behind a message is reported, not glued to the value before it."""
    case = CASES["ios/show_crypto_ipsec_sa/tutorial"]
    text = case.text.replace("\u00a0", " ")
    unknown = "     something new: 7"
    at = text.index("     inbound esp sas:")
    result = parse(case.platform, case.command, f"{text[:at]}{MESSAGES[0]}\n{unknown}\n{text[at:]}")

    assert result.records == whole(case)
    assert [line.text for line in result.unparsed_lines] == [unknown]
