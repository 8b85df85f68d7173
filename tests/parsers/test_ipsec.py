"""``show crypto ipsec sa``: what protects a flow, and listings with a hole in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipsecmon_parsers.errors import ParseError, ParserError, Truncated
from ipsecmon_parsers.records import Flow, FlowKind
from ipsecmon_parsers.registry import SHOW_IPSEC_SA, parse

OUTPUTS = Path(__file__).parent / "outputs" / "ios"
ASA = (
    (OUTPUTS.with_name("asa") / "show_crypto_ipsec_sa/nat_t_port_range_and_two_flows/output.txt")
    .read_text("utf-8")
    .split("\n    Crypto map tag: outside_map, seq num: 3")[0]
)
TUTORIAL = (OUTPUTS / "show_crypto_ipsec_sa/tutorial/output.txt").read_text("utf-8")
LINES = TUTORIAL.replace("\u00a0", " ").strip("\n").split("\n")
SECOND = [
    line.replace("10.1.1.0", "10.1.5.0")
    .replace("7FAD546D(2142065773)", "11111111(286331153)")
    .replace("BDD4C094(3184836756)", "22222222(572662306)")
    .replace(": 4", ": 7")
    for line in LINES[2:]
]
BOTH = [*LINES, *SECOND]


def flows(text: str, command: str = SHOW_IPSEC_SA, platform: str = "ios") -> list[Flow]:
    return [r for r in parse(platform, command, text).records if isinstance(r, Flow)]


def test_two_flows_below_one_header_are_two_flows() -> None:
    one, two = flows("\n".join(BOTH))

    assert (one.local_ident.address, two.local_ident.address) == ("10.1.1.0", "10.1.5.0")
    assert one.interface == two.interface == "Serial0/0"


@pytest.mark.parametrize("lost", range(6, len(LINES) - 1))
def test_a_listing_that_begins_inside_a_flow_is_refused(lost: int) -> None:
    """Its first tunnel would vanish, and nothing but leftover lines would tell."""
    with pytest.raises(ParserError):
        flows("\n".join(BOTH[lost:]))


@pytest.mark.parametrize("start", range(3, len(LINES)))
@pytest.mark.parametrize("length", [1, 2, 3, 8, 20, 30])
def test_a_hole_never_makes_one_tunnel_of_two(start: int, length: int) -> None:
    """Lines lost in the middle: two flows, or an error; never one flow with the other's SAs.

    A hole of about one flow's length may leave a listing that nothing tells from a whole one.
    """
    whole = {flow.local_ident.address: flow for flow in flows("\n".join(BOTH))}
    try:
        read = flows("\n".join(BOTH[:start] + BOTH[start + length :]))
    except ParserError:
        return

    for flow in read:
        spis = {sa.spi for sa in flow.sas}
        assert spis <= {sa.spi for sa in whole[flow.local_ident.address].sas}
    assert len(read) == 2


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ([], FlowKind.CRYPTO_MAP),
        ([("flags={origin_is_acl,ipsec_sa_request_sent}", "flags={}")], FlowKind.DYNAMIC),
        ([("tag: CRYPTO", "tag: Tunnel0-head-0")], FlowKind.VTI),
        (
            [
                ("tag: CRYPTO", "tag: Tunnel0-head-0"),
                ("10.1.1.0/255.255.255.0/0/0", "192.0.2.1/255.255.255.255/47/0"),
                ("10.2.2.0/255.255.255.0/0/0", "192.0.2.2/255.255.255.255/47/0"),
                ("idb Serial0/0", "idb (none)"),
            ],
            FlowKind.DMVPN,
        ),
        ([("tag: CRYPTO", "tag: Tunnel2-vesen-head-0")], FlowKind.SDWAN),
        ([("123.1.1.2 port 500", "0.0.0.0 port 848")], FlowKind.GETVPN),
        ([("tag: CRYPTO", "tag: GigabitEthernet0/0-OSPF-MAP")], FlowKind.OSPFV3),
    ],
)
def test_a_flow_is_of_the_kind_its_map_and_idents_say(
    changes: list[tuple[str, str]], kind: FlowKind
) -> None:
    text = "\n".join(LINES)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (flow,) = flows(text)

    assert flow.kind is kind


def test_gre_to_two_peers_below_one_tunnel_is_multipoint() -> None:
    text = "\n".join(BOTH).replace("tag: CRYPTO", "tag: Tunnel0-head-0")
    text = text.replace("/255.255.255.0/0/0", "/255.255.255.255/47/0")
    one, two = flows(text)
    assert (one.kind, two.kind) == (FlowKind.VTI, FlowKind.VTI)

    head, tail = text.split("(10.1.5.0", 1)
    other_peer = f"{head}(10.1.5.0{tail.replace('123.1.1.2', '203.0.113.7')}"
    assert {flow.kind for flow in flows(other_peer)} == {FlowKind.DMVPN}


def test_a_lost_timing_line_is_not_an_sa_that_never_expires() -> None:
    (flow,) = flows("\n".join(line for line in LINES if "sa timing" not in line))

    assert [(sa.remaining_seconds, sa.never_expires) for sa in flow.sas] == [(None, False)] * 2


@pytest.mark.parametrize("damaged", ["CTIVE", "ACTIVE(CTIVE)", "ACTIVE(ACTIVE"])
def test_a_damaged_status_never_takes_a_tunnel_down(damaged: str) -> None:
    text = "\n".join(LINES).replace("Status: ACTIVE", f"Status: {damaged}", 1)
    with pytest.raises(ParserError):
        flows(text)


def test_an_unknown_status_is_kept_as_text() -> None:
    (flow,) = flows("\n".join(LINES).replace("Status: ACTIVE", "Status: FROZEN", 1))

    assert flow.sas[0].status == "FROZEN"


def test_an_asa_listing_cut_at_any_character_raises() -> None:
    for kept in range(len(ASA.rstrip())):
        with pytest.raises((Truncated, ParseError)):
            flows(ASA[:kept], platform="asa")


def test_a_message_that_breaks_a_line_in_two_is_taken_out_and_the_line_mended() -> None:
    broken = [
        line.replace(
            "current outbound spi",
            "current outbound sp*Sep 21 07:07:43.912: %DMVPN-5-CRYPTO_SS: Tunnel0: socket is DOWN\ni",
        )
        for line in LINES
    ]
    (flow,) = flows("\n".join(broken))

    assert flow.current_outbound_spi == 0x7FAD546D


@pytest.mark.parametrize("at", range(1, len(LINES)))
def test_a_message_between_any_two_lines_changes_nothing(at: int) -> None:
    message = (
        "*Nov 23 10:11:12.000: %CRYPTO-5-SESSION_STATUS: Crypto tunnel is DOWN.  Peer 192.0.2.1:500"
    )
    result = parse("ios", SHOW_IPSEC_SA, "\n".join([*LINES[:at], message, *LINES[at:]]))

    assert result.records == parse("ios", SHOW_IPSEC_SA, TUTORIAL).records
    assert result.unparsed_lines == ()


@pytest.mark.parametrize(
    "command", ["sh cry ips sa", "show crypto ipsec sa peer 192.0.2.1", "SHOW CRYPTO IPSEC SA"]
)
def test_a_command_may_be_abbreviated_and_have_arguments(command: str) -> None:
    assert len(flows(TUTORIAL, command)) == 1


def test_of_a_log_of_several_commands_only_the_answer_asked_for_is_read() -> None:
    log = f"R1#sh cry isa sa\ndst src state conn-id slot status\nR1#sh cry ips sa\n{TUTORIAL}\nR1#sh ver\nCisco IOS\nR1#"

    assert len(flows(log)) == 1
    assert parse("ios", SHOW_IPSEC_SA, log).unparsed_lines == ()
    assert parse("ios", "show crypto isakmp sa", log).records == ()
