"""Damaged outputs of the IKE and session commands: cut anywhere, a line lost, a line of another kind in between.

Whatever comes out must stand in the whole output too: an error, or records that lack something at their end.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz.damage import leads, stands_in
from ipsecmon_parsers.errors import ParserError, Truncated
from ipsecmon_parsers.records import Record
from ipsecmon_parsers.registry import parse

OUTPUTS = Path(__file__).parent / "outputs"
FAMILY = (
    "isakmp_sa",
    "ikev1_sa",
    "ikev2_sa",
    "ikev2_session",
    "crypto_session",
    "dmvpn",
    "vpn-sessiondb",
    "vpn_load-balancing",
    "crypto_gdoi",
    "crypto_sockets",
    "spi-lookup",
    "isakmp_peers",
    "diagnose_error",
    "flowmib",
    "autovpn",
)
CASES = {
    str(path.parent.relative_to(OUTPUTS)): path.read_text(encoding="utf-8")
    for path in sorted(OUTPUTS.glob("*/*/*/output.txt"))
    if any(word in path.parts[-3] for word in FAMILY) and path.with_name("expected.json").is_file()
}
NAMES = st.sampled_from(sorted(CASES))


def read(name: str, text: str, *, complete: bool = False) -> tuple[Record, ...]:
    platform, command, _ = name.split("/")
    return parse(platform, command.replace("_", " "), text, complete=complete).records


def assert_prefix_leads(name: str, kept: int) -> None:
    """The one cut nothing can tell: a pasted table, without line end and prompt, ends right before ``(deleted)``."""
    if CASES[name][kept:].lstrip(" ").startswith("(deleted)") and "/show_crypto_isakmp_sa/" in name:
        return
    whole = read(name, CASES[name])
    try:
        part = read(name, CASES[name][:kept])
    except ParserError:
        return

    assert leads(part, whole), (name, kept, CASES[name][max(0, kept - 60) : kept])


@given(st.data())
def test_a_cut_output_is_refused_or_leads_the_whole_one(data: st.DataObject) -> None:
    name = data.draw(NAMES)
    assert_prefix_leads(name, data.draw(st.integers(0, len(CASES[name]))))


@pytest.mark.parametrize("name", CASES)
def test_a_cut_inside_the_last_line_is_refused_or_leads_the_whole_one(name: str) -> None:
    text = CASES[name].rstrip()
    for kept in range(text.rfind("\n") + 1, len(text) + 1):
        assert_prefix_leads(name, kept)


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", CASES)
def test_every_cut_output_is_refused_or_leads_the_whole_one(name: str) -> None:
    for kept in range(len(CASES[name])):
        assert_prefix_leads(name, kept)


@pytest.mark.parametrize("name", CASES)
def test_a_lost_line_moves_no_value_elsewhere(name: str) -> None:
    """Also with the collector's word that the answer was whole: a pager or a log line may have eaten it."""
    whole = read(name, CASES[name])
    lines = CASES[name].splitlines(keepends=True)
    for lost in range(len(lines)):
        text = "".join(lines[:lost] + lines[lost + 1 :])
        for complete in (False, True):
            with contextlib.suppress(ParserError):
                assert stands_in(read(name, text, complete=complete), whole), (lost, lines[lost])


@pytest.mark.parametrize("name", CASES)
def test_a_log_line_in_between_changes_nothing(name: str) -> None:
    whole = read(name, CASES[name])
    lines = CASES[name].splitlines(keepends=True)
    log = (
        "*Nov 23 10:11:12.000: %CRYPTO-5-SESSION_STATUS: Crypto tunnel is UP. Peer 192.0.2.9:500\n"
    )
    for place in range(0, len(lines) + 1, 3):
        assert read(name, "".join([*lines[:place], log, *lines[place:]]), complete=True) == whole


LINES = st.sampled_from([line for text in CASES.values() for line in text.split("\n")])


@given(NAMES, st.lists(LINES | st.text(), max_size=30), st.booleans())
def test_no_mixture_of_lines_raises_anything_but_our_own_errors(
    name: str, lines: list[str], complete: bool
) -> None:
    with contextlib.suppress(ParserError):
        read(name, "\n".join(lines), complete=complete)


@given(st.data())
def test_a_changed_character_raises_nothing_but_our_own_errors(data: st.DataObject) -> None:
    name = data.draw(NAMES)
    text = CASES[name]
    place = data.draw(st.integers(0, len(text) - 1))
    new = data.draw(st.characters() | st.sampled_from("0123456789/:.-() \n"))
    with contextlib.suppress(ParserError):
        read(name, text[:place] + new + text[place + 1 :], complete=True)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ios/show_crypto_session/x", "Crypto session current status\n\n"),
        ("iosxe/show_crypto_ikev2_sa/x", " IPv4 Crypto IKEv2  SA \n\n IPv6 Crypto IKEv2  SA \n"),
        (
            "iosxe/show_crypto_ikev2_session/x",
            "IPv4 Crypto IKEv2 Session\n\nIPv6 Crypto IKEv2 Session\n",
        ),
        ("ios/show_crypto_isakmp_sa_detail/x", "IPv4 Crypto ISAKMP SA\n\nIPv6 Crypto ISAKMP SA\n"),
        ("asa/show_crypto_isakmp_sa/x", "There are no IKEv1 SAs\n"),
        ("asa/show_crypto_isakmp_sa/x", "There are no isakmp sas\n"),
        ("asa/show_crypto_ikev2_sa_detail/x", "There are no IKEv2 SAs"),
        (
            "asa/show_vpn-sessiondb_detail_l2l/x",
            "INFO: There are presently no active sessions of the type specified",
        ),
    ],
)
def test_an_answer_that_says_none_is_zero_records(name: str, text: str) -> None:
    assert read(name, text) == ()


@pytest.mark.parametrize("name", CASES)
def test_an_empty_text_is_cut_unless_the_device_had_finished(name: str) -> None:
    with pytest.raises(Truncated):
        read(name, "")


@pytest.mark.parametrize(
    ("name", "before"),
    [
        ("iosxe/show_dmvpn/shared_nbma", "                         198.51.100.72"),
        ("iosxe/show_dmvpn/shared_nbma", "     2 192.0.2.134"),
        ("ios/show_dmvpn_detail/hub_and_sessions", "Pending DMVPN"),
        ("asa/show_vpn-sessiondb_detail_l2l/ikev2_nat_t", "  Pkts Tx"),
        (
            "asa/show_vpn-sessiondb_detail_l2l/ikev2_nat_t",
            "IPsecOverNatT:\n  Tunnel ID    : 2576.3",
        ),
        ("asa/show_vpn-sessiondb_detail_l2l/asa8_without_volume", "NAC:"),
        ("asa/show_crypto_ikev1_sa/three_peers", "3   IKE Peer"),
        ("asa/show_crypto_isakmp_sa/ikev1_and_no_ikev2", "There are no"),
        ("asa/show_crypto_ikev1_sa_detail/blocks", "    Lifetime Remaining"),
        ("asa/show_crypto_ikev2_sa/two_children", "Child sa: local selector  192"),
        ("asa/show_crypto_ikev2_sa_detail/parent_status", "          ah_hmac"),
        ("ios/show_crypto_ikev2_sa/wrapped_cut_and_unready", " IPv6 Crypto"),
        ("iosxe/show_crypto_ikev2_sa/ipv6_pqc", "      CE id"),
        ("iosxe/show_crypto_ikev2_sa_local_192.0.2.1_detailed/no_titles", "      Initiator of SA"),
        (
            "iosxe/show_crypto_ikev2_session_detail/several_selectors",
            "          ESP spi in/out: 0x33",
        ),
        ("ios/show_crypto_isakmp_sa_detail/vrf_capabilities_and_ipv6", "IPv6 Crypto"),
        (
            "ios/show_crypto_session_detail/volume_disabled_and_down",
            "        Outbound: #pkts enc'ed 0",
        ),
        ("ios/show_crypto_session/legacy_and_several_ike_sas", "  IPSEC FLOW: permit 47"),
        ("iosxe/show_crypto_isakmp_sa_count/four_counts", "Dead"),
        ("iosxe/show_crypto_ikev2_sa_count/six_counts", "    5 Marked"),
    ],
)
def test_an_output_that_ends_before_its_end_is_truncated(name: str, before: str) -> None:
    """At the end of a whole line, where nothing else can tell."""
    text = CASES[name]
    with pytest.raises(Truncated):
        read(name, text[: text.rindex(before)])
