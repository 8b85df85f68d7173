"""``show crypto ipsec sa``: what protects a flow, and listings with a hole in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipsecmon_parsers.errors import ParseError, ParserError, Truncated
from ipsecmon_parsers.records import Flow, FlowKind, IpsecSaCount, SaIdleTime
from ipsecmon_parsers.registry import SHOW_IPSEC_SA, parse

OUTPUTS = Path(__file__).parent / "outputs" / "ios"
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


@pytest.mark.parametrize(
    ("timing", "kilobytes", "seconds", "never"),
    [
        ("sa timing: remaining key lifetime (k/sec): (4596305/3586)", 4596305, 3586, False),
        ("sa timing: remaining key lifetime (sec): 94", None, 94, False),
        ("sa timing: remaining key lifetime (sec): (22)", None, 22, False),
        ("sa timing: remaining key lifetime 4 hours, 2 mins", None, 14520, False),
        ("sa timing: remaining key lifetime is not applicable", None, None, True),
        ("no sa timing", None, None, True),
    ],
)
def test_every_shape_of_the_remaining_lifetime_is_read(
    timing: str, kilobytes: int | None, seconds: int | None, never: bool
) -> None:
    text = "\n".join(timing if "sa timing" in line else line for line in LINES)
    (flow,) = flows(text)
    sa = flow.sas[0]

    assert (sa.remaining_kilobytes, sa.remaining_seconds, sa.never_expires) == (
        kilobytes,
        seconds,
        never,
    )


@pytest.mark.parametrize("damaged", ["CTIVE", "ACTIVE(CTIVE)", "ACTIVE(ACTIVE"])
def test_a_damaged_status_never_takes_a_tunnel_down(damaged: str) -> None:
    text = "\n".join(LINES).replace("Status: ACTIVE", f"Status: {damaged}", 1)
    with pytest.raises(ParserError):
        flows(text)


def test_an_unknown_status_is_kept_as_text() -> None:
    (flow,) = flows("\n".join(LINES).replace("Status: ACTIVE", "Status: FROZEN", 1))

    assert flow.sas[0].status == "FROZEN"


def test_the_error_counters_of_detail_are_told_apart() -> None:
    counters = """\
    #pkts no sa (send) 1, #pkts invalid sa (rcv) 2
    #pkts encaps failed (send) 3, #pkts decaps failed (rcv) 4
    #pkts invalid prot (recv) 5, #pkts verify failed: 6
    #pkts invalid identity (recv) 7, #pkts invalid len (rcv) 8
    #pkts replay rollover (send): 9, #pkts replay rollover (rcv) 10
    ##pkts replay failed (rcv): 11
    #pkts tagged (send): 12, #pkts untagged (rcv): 13
    #pkts not tagged (send): 14, #pkts not untagged (rcv): 15
    #pkts internal err (send): 16, #pkts internal err (recv) 17"""
    text = "\n".join(counters if "#send errors" in line else line for line in LINES)
    (flow,) = flows(text, "show crypto ipsec sa detail")

    assert (flow.send_errors, flow.recv_errors) == (None, None)
    assert (flow.no_sa_send_packets, flow.invalid_sa_recv_packets) == (1, 2)
    assert (flow.encaps_failed_send_packets, flow.decaps_failed_recv_packets) == (3, 4)
    assert (flow.invalid_prot_recv_packets, flow.verify_failed_packets) == (5, 6)
    assert (flow.invalid_identity_recv_packets, flow.invalid_len_recv_packets) == (7, 8)
    assert (flow.replay_rollover_send_packets, flow.replay_rollover_recv_packets) == (9, 10)
    assert flow.replay_failed_recv_packets == 11
    assert (flow.tagged_send_packets, flow.untagged_recv_packets) == (12, 13)
    assert (flow.not_tagged_send_packets, flow.not_untagged_recv_packets) == (14, 15)
    assert (flow.internal_error_send_packets, flow.internal_error_recv_packets) == (16, 17)
    assert flow.verify_packets == 4


ASA = """\
interface: outside
    Crypto map tag: outside_map, seq num: 2, local addr: 192.0.2.1

      access-list outside_cryptomap extended permit ip 10.1.1.0 255.255.255.0 10.2.2.0 255.255.255.0
      local ident (addr/mask/prot/port): (10.1.1.0/255.255.255.0/6/0 - 65535)
      remote ident (addr/mask/prot/port): (10.2.2.0/255.255.255.0/6/443)
      current_peer: 198.51.100.2

      #pkts encaps: 13915315, #pkts encrypt: 13915315, #pkts digest: 13915315
      #pkts decaps: 23606461, #pkts decrypt: 23606461, #pkts verify: 23606461
      #pkts compressed: 0, #pkts decompressed: 0
      #pkts not compressed: 13915315, #pkts comp failed: 0, #pkts decomp failed: 0
      #pre-frag successes: 2, #pre-frag failures: 1, #fragments created: 10
      #PMTUs sent: 5, #PMTUs rcvd: 2, #decapsulated frgs needing reassembly: 1
      #TFC rcvd: 0, #TFC sent: 0
      #Valid ICMP Errors rcvd: 0, #Invalid ICMP Errors rcvd: 0
      #send errors: 0, #recv errors: 3

      local crypto endpt.: 192.0.2.1/4500, remote crypto endpt.: 198.51.100.2/4500
      path mtu 1500, ipsec overhead 82(52), media mtu 1500
      PMTU time remaining (sec): 0, DF policy: copy-df
      ICMP error validation: disabled, TFC packets: disabled
      current outbound spi: DC15BF68
      current inbound spi : 1E8246FC

    inbound esp sas:
      spi: 0x1E8246FC (511854332)
         SA State: active
         transform: esp-aes-256 esp-sha-hmac no compression
         in use settings ={L2L, Tunnel,  NAT-T-Encaps, IKEv1, }
         slot: 0, conn_id: 8192, crypto-map: outside_map
         sa timing: remaining key lifetime (kB/sec): (2699423/25461)
         IV size: 16 bytes
         replay detection support: Y
         Anti replay bitmap:
          0xFFFFFFFF 0xFFFFFFFF
    outbound esp sas:
      spi: 0xDC15BF68 (3692412776)
         SA State: active
         transform: esp-aes-256 esp-sha-hmac no compression
         in use settings ={L2L, Tunnel,  NAT-T-Encaps, IKEv1, }
         slot: 0, conn_id: 8192, crypto-map: outside_map
         sa timing: remaining key lifetime (kB/sec): (2699424/25461)
         IV size: 16 bytes
         replay detection support: Y
         Anti replay bitmap:
          0x00000000 0x00000001
"""


def test_an_asa_flow_is_read_in_the_same_record() -> None:
    (flow,) = flows(ASA, platform="asa")

    assert (flow.crypto_map, flow.crypto_map_seq, flow.peer) == ("outside_map", 2, "198.51.100.2")
    assert str(flow.local_ident) == "10.1.1.0/24/6/0-65535"
    assert (flow.current_outbound_spi, flow.current_inbound_spi) == (0xDC15BF68, 0x1E8246FC)
    assert (flow.fragments_created, flow.frags_needing_reassembly, flow.recv_errors) == (10, 1, 3)
    assert (flow.remote_endpoint_port, flow.ipsec_overhead_bytes) == (4500, 82)
    inbound, outbound = flow.sas
    assert (inbound.remaining_kilobytes, outbound.remaining_kilobytes) == (2699423, 2699424)
    assert inbound.transform == ("esp-aes-256", "esp-sha-hmac")
    assert inbound.nat_t
    assert parse("asa", SHOW_IPSEC_SA, ASA).unparsed_lines == ()


def test_an_asa_listing_cut_at_any_character_raises() -> None:
    for kept in range(len(ASA.rstrip())):
        with pytest.raises((Truncated, ParseError)):
            flows(ASA[:kept], platform="asa")


def test_an_asa_without_sas_has_no_flows() -> None:
    assert flows("\nThere are no ipsec sas\n", platform="asa") == []


def test_counts_and_idle_time_are_records() -> None:
    count = parse(
        "iosxe",
        "show crypto ipsec sa count",
        "IPsec SA total: 8, active: 6, rekeying: 2, unused: 0, invalid: 0\n",
    )
    idle = parse(
        "ios",
        "show crypto ipsec security-association idle-time",
        "Security association idletime: 900 seconds\n",
    )

    assert count.records == (IpsecSaCount(total=8, active=6, rekeying=2, unused=0, invalid=0),)
    assert idle.records == (SaIdleTime(seconds=900),)


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
