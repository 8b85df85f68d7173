"""``parse``: what it accepts, and the one sentence it says when it cannot."""

from __future__ import annotations

import contextlib
import gc

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ipsecmon_parsers.errors import (
    CommandRefused,
    ParseError,
    ParserError,
    Truncated,
    UnknownCommand,
)
from ipsecmon_parsers.records import IkeSa, IkeState, Platform, SaLifetime
from ipsecmon_parsers.registry import (
    SHOW_IPSEC_SA,
    SHOW_ISAKMP_SA,
    SHOW_SA_LIFETIME,
    known_commands,
    parse,
)

TABLE = """\
IPv4 Crypto ISAKMP SA
dst             src             state          conn-id status
203.0.113.2     198.51.100.2    MM_NO_STATE          0 ACTIVE
203.0.113.2     198.51.100.2    MM_NO_STATE       1003 ACTIVE (deleted)
203.0.113.2     198.51.100.6    QM_IDLE           1004 ACTIVE SPOKES

IPv6 Crypto ISAKMP SA

 dst: 2001:db8::1
 src: 2001:db8::2
 state: QM_IDLE         conn-id:   1005 status: ACTIVE
"""


def rows(text: str) -> list[IkeSa]:
    return [r for r in parse("ios", SHOW_ISAKMP_SA, text).records if isinstance(r, IkeSa)]


def test_rows_blocks_profiles_and_deleted_sas_are_told_apart() -> None:
    assert [(sa.raw_state, sa.status, sa.profile, sa.is_established) for sa in rows(TABLE)] == [
        ("MM_NO_STATE", "ACTIVE", None, False),
        ("MM_NO_STATE", "ACTIVE (deleted)", None, False),
        ("QM_IDLE", "ACTIVE", "SPOKES", True),
        ("QM_IDLE", "ACTIVE", None, True),
    ]


def test_a_deleted_sa_is_never_established_whatever_its_state() -> None:
    (sa,) = rows("192.0.2.1 198.51.100.2 QM_IDLE 1 0 ACTIVE (deleted)\n")

    assert sa.is_deleted
    assert not sa.is_established


def test_a_standby_copy_is_not_established() -> None:
    (sa,) = rows("192.0.2.1 198.51.100.2 QM_IDLE 1 0 STDBY\n")

    assert not sa.is_established


def test_an_unknown_state_is_kept_as_text() -> None:
    (sa,) = rows("192.0.2.1 198.51.100.2 QM_FUTURE 1 ACTIVE\n")

    assert (sa.state, sa.raw_state) == (IkeState.UNKNOWN, "QM_FUTURE")


def test_a_table_of_12_2_without_status_is_established_by_its_state() -> None:
    (sa,) = rows("dst src state conn-id slot\n\n192.0.2.1 198.51.100.2 QM_IDLE 1 0\n")

    assert (sa.slot, sa.status, sa.is_established) == (0, None, True)


@pytest.mark.parametrize(
    "text",
    [
        "IPv4 Crypto ISAKMP SA\ndst  src  state  conn-id status\n\nIPv6 Crypto ISAKMP SA\n",
        "dst             src             state          conn-id slot status\n",
        "There are no ISAKMP SAs\n".replace("ISAKMP SAs", "isakmp sas"),
    ],
)
def test_an_empty_table_is_zero_rows(text: str) -> None:
    assert rows(text) == []


@pytest.mark.parametrize(
    "text", ["No SAs found\n", "There are no ipsec sas\n", "Site1#show crypto ipsec sa\nSite1#"]
)
def test_a_device_that_says_none_has_zero_flows(text: str) -> None:
    assert parse("ios", SHOW_IPSEC_SA, text).records == ()


def test_a_blank_answer_counts_only_with_the_collectors_word_that_it_is_whole() -> None:
    assert parse("ios", SHOW_IPSEC_SA, "\n", complete=True).records == ()
    with pytest.raises(Truncated, match=r"cut off before its first line.*collect it again"):
        parse("ios", SHOW_IPSEC_SA, "\n")


@pytest.mark.parametrize("kept", [1, 2, 3, 4, 5])
def test_a_table_without_its_ipv6_section_is_cut(kept: int) -> None:
    with pytest.raises(Truncated, match="IPv6 Crypto ISAKMP SA"):
        rows("\n".join(TABLE.split("\n")[:kept]))


def test_a_row_cut_inside_is_never_a_row() -> None:
    header = "dst             src             state          conn-id slot status\n"
    row = "203.0.113.2     198.51.100.2    QM_IDLE           1001    0 ACTIVE"
    for kept in range(1, len(row)):
        try:
            read = rows(header + row[:kept])
        except ParserError:
            continue
        assert read == [], row[:kept]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Security association lifetime: 4608000 kilobytes/3600 seconds",
            SaLifetime(seconds=3600, kilobytes=4608000, volume_rekey_disabled=False),
        ),
        (
            "Security association lifetime:5529600 kilobytes/7200 seconds",
            SaLifetime(seconds=7200, kilobytes=5529600, volume_rekey_disabled=False),
        ),
        (
            "\tKilobyte Volume Rekey has been disabled.\n\tSecurity association lifetime:3600 seconds",
            SaLifetime(seconds=3600, kilobytes=None, volume_rekey_disabled=True),
        ),
    ],
)
def test_every_shape_of_the_lifetime_is_read(text: str, expected: SaLifetime) -> None:
    assert parse("iosxe", SHOW_SA_LIFETIME, text).records == (expected,)


def test_seconds_alone_without_the_word_disabled_are_not_believed() -> None:
    with pytest.raises(ParseError):
        parse("ios", SHOW_SA_LIFETIME, "Security association lifetime: 3600 seconds")


@pytest.mark.parametrize(
    "answer",
    [
        "% Invalid input detected at '^' marker.",
        "% Incomplete command.",
        '% Ambiguous command:  "sh c i"',
        "% Unrecognized command",
        "Command authorization failed.",
        "% Authorization failed.",
    ],
)
def test_a_refused_command_raises_and_quotes_the_device(answer: str) -> None:
    with pytest.raises(CommandRefused) as caught:
        parse("ios", SHOW_IPSEC_SA, f"Site1#show crypto ipsec sa\n      ^\n{answer}\n\nSite1#")

    assert str(caught.value) == (
        f"the device refused 'show crypto ipsec sa' (line 3: {answer!r}); "
        "check the account's privilege and that the release has the command"
    )


def test_an_unknown_command_names_the_known_ones() -> None:
    with pytest.raises(UnknownCommand) as caught:
        parse("ios", "show ip route", "")

    assert all(repr(command) in str(caught.value) for command in known_commands(Platform.IOS))


def test_text_of_another_kind_is_refused_with_its_first_line() -> None:
    with pytest.raises((ParseError, Truncated), match=r"Lorem ipsum"):
        parse("ios", SHOW_IPSEC_SA, "Lorem ipsum dolor sit amet\n")
    with pytest.raises(ParseError, match=r"line 1 .*Lorem ipsum"):
        parse("ios", SHOW_ISAKMP_SA, "Lorem ipsum dolor sit amet\n")


COMMANDS = st.sampled_from([SHOW_IPSEC_SA, SHOW_ISAKMP_SA, SHOW_SA_LIFETIME])
WORDS = st.sampled_from(
    [
        *TABLE.split("\n"),
        "interface: Tunnel1",
        "   protected vrf: (none)",
        "   local  ident (addr/mask/prot/port): (10.1.1.0/255.255.255.0/0/0)",
        "   remote ident (addr/mask/prot/port): (10.2.2.0/255.0.255.0/0/0)",
        "   current_peer 192.0.2.1 port 500",
        "     current outbound spi: 0xFFFFFFFFF(1)",
        "     inbound esp sas:",
        "      spi: 0x1(1)",
        "        sa timing: remaining key lifetime (k/sec): (1/",
        "     outbound pcp sas:",
        "Site1#",
        "% Invalid input detected at '^' marker.",
    ]
)


@given(COMMANDS, st.lists(WORDS | st.text(), max_size=30), st.booleans())
@example(SHOW_IPSEC_SA, ["     inbound esp sas:", "      spi: 0x1(1)"], True)
def test_no_text_raises_anything_but_our_own_errors(
    command: str, lines: list[str], complete: bool
) -> None:
    with contextlib.suppress(ParserError):
        result = parse("ios", command, "\n".join(lines), complete=complete)

        assert result.command == command


def test_an_spi_of_more_than_32_bits_is_an_error_with_its_line() -> None:
    text = "Group Name: E\nTEK POLICY for\nF0:\nIPsec SA:\nspi: 0x25CC85050(0)\n"
    with pytest.raises(ParseError, match=r"line 5 of .* expected an SPI of 32 bits"):
        parse("ios", "show crypto gdoi", text, complete=True)


def test_the_cycle_collector_is_left_as_it_was() -> None:
    for was_enabled in (True, False):
        (gc.enable if was_enabled else gc.disable)()
        try:
            parse("ios", "show crypto isakmp sa", "dst src state conn-id status\n", complete=True)
            after_reading = gc.isenabled()
            with contextlib.suppress(ParserError):
                parse("ios", "show crypto gdoi", "Group Name: E\nSA Rekey\nx: 1\n", complete=True)
            after_refusing = gc.isenabled()
        finally:
            gc.enable()

        assert (after_reading, after_refusing) == (was_enabled, was_enabled)
