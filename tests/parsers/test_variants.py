"""Every shape a device is known to print has an output of its own below ``outputs/``; this table names what must exist.

``test_golden_outputs`` says what each of them means. A shape seen in the field for the first time gets a line here.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

OUTPUTS = Path(__file__).parent / "outputs"

_IOS = "ios/show_crypto_ipsec_sa"
_XE = "iosxe/show_crypto_ipsec_sa"
_ASA = "asa/show_crypto_ipsec_sa"
_ISAKMP = "ios/show_crypto_isakmp_sa"
_LIFETIME = "show_crypto_ipsec_security-association_lifetime"
_L2L = "asa/show_vpn-sessiondb_detail_l2l"

# the shape -> a piece of text that shows it -> where it is
VARIANTS = [
    # remaining lifetime of a key
    ("lifetime", "key lifetime (k/sec): (4596305/3586)", f"{_IOS}/tutorial"),
    ("lifetime", "key lifetime (kB/sec): (", f"{_ASA}/nat_t_port_range_and_two_flows"),
    ("lifetime", "key lifetime (sec): 94", f"{_XE}/volume_rekey_disabled_and_bare_flow_id"),
    ("lifetime", "key lifetime (sec): 548", f"{_ASA}/remote_access_seconds_only"),
    ("lifetime", "sa timing:remaining key lifetime (sec): (22)", f"{_IOS}/getvpn_member"),
    ("lifetime", "4 hours, 2 mins", f"{_XE}_interface_Tunnel6/lifetime_in_words"),
    ("lifetime", "lifetime is not applicable", f"{_XE}/sdwan"),
    ("lifetime", "no sa timing", f"{_IOS}/ospfv3_manual_keys"),
    (
        "lifetime",
        "KB Vol Rekey Disabled/",
        "ios/show_crypto_session_detail/volume_disabled_and_down",
    ),
    ("lifetime", "(0/92)", f"{_XE}_detail/error_counters_and_volume_used_up"),
    ("lifetime", "Rekey Left(D): 0 K-Bytes", f"{_L2L}/ikev2_nat_t"),
    ("lifetime", "Rekey Int (T): 3600 Seconds", f"{_L2L}/asa8_without_volume"),
    # configured lifetime
    ("configured", "4608000 kilobytes/3600 seconds", f"ios/{_LIFETIME}/default"),
    ("configured", "2560 kilobytes/300 seconds", f"ios/{_LIFETIME}/other_numbers"),
    ("configured", "lifetime:3600 seconds", f"iosxe/{_LIFETIME}/volume_rekey_disabled"),
    (
        "configured",
        "lifetime:5529600 kilobytes",
        "ios/show_crypto_ipsec_security-association-lifetime/hyphenated_12",
    ),
    (
        "configured",
        "28800 seconds",
        "ios/show_crypto_ipsec_security-association/without_the_last_word",
    ),
    ("configured", "lifetime:3600 seconds", "iosxe/show_crypto_ipsec_profile/volume_disabled"),
    (
        "configured",
        "idletime: 900",
        "ios/show_crypto_ipsec_security-association_idle-time/fifteen_minutes",
    ),
    ("configured", "lifetime seconds", "asa/show_running-config_all_crypto_ipsec/lifetimes"),
    # header, VRF, identity, peer
    ("header", "protected vrf: RED", f"{_IOS}/several_flows_one_interface"),
    ("header", "local addr. 192.0.2.33", f"{_IOS}/old_12_blank_doubled"),
    ("header", "current_peer: 198.51.100.22:4500", f"{_IOS}/old_12_blank_doubled"),
    ("header", "#pkts digest 106", f"{_IOS}/old_12_blank_doubled"),
    ("header", "seq num: 2, local addr:", f"{_ASA}/nat_t_port_range_and_two_flows"),
    ("header", "dynamic allocated peer ip:", f"{_ASA}/remote_access_seconds_only"),
    ("header", "Protected vrf (ivrf): Global", f"{_ASA}/vti_and_protected_vrf"),
    (
        "header",
        "peer address: 198.51.100.61",
        f"{_ASA}_peer_198.51.100.61/address_of_the_peer_first",
    ),
    ("header", "IPsecv6-created ACL name:", f"{_IOS}/ospfv3_manual_keys"),
    ("header", "current_peer :: port 500", f"{_IOS}/ospfv3_manual_keys"),
    ("header", "/128/0/12346)", f"{_XE}/sdwan"),
    ("header", "current_peer 0.0.0.0 port 848", f"{_IOS}/getvpn_member"),
    ("header", "Group: GDOI", f"{_IOS}/getvpn_member"),
    ("header", "/6/0 - 65535)", f"{_ASA}/nat_t_port_range_and_two_flows"),
    ("header", "255.255.255.0/0/0\n", f"{_ASA}/parenthesis_lost"),
    ("header", "endpt.: 198.51.100.20", f"{_XE}_peer_198.51.100.10/endpoint_is_not_the_peer"),
    ("header", "ip mtu idb (none)", f"{_IOS}/dmvpn_and_decaps_only"),
    ("header", "flags={}", f"{_IOS}/several_flows_one_interface"),
    # counters
    (
        "counters",
        "##pkts replay failed (rcv): 11",
        f"{_XE}_detail/error_counters_and_volume_used_up",
    ),
    ("counters", "#pre-frag successes: 2", f"{_ASA}/nat_t_port_range_and_two_flows"),
    ("counters", "#pkts not offload decrypted: 3", f"{_ASA}/vti_and_protected_vrf"),
    ("counters", "#pkts invalid prot (rcv): 5", f"{_ASA}_detail/error_counters"),
    ("counters", "#pkts encrypt: 0, #pkts digest: 122", f"{_IOS}/null_encryption"),
    ("counters", "flags={origin_is_acl,}\n    #pkts decaps: 761", f"{_IOS}/dmvpn_and_decaps_only"),
    ("counters", "#pkts encaps: 5294967296", f"{_IOS}/several_flows_one_interface"),
    ("counters", "Bytes Tx     : 1280775975169", f"{_L2L}/ikev2_nat_t"),
    # SPI and SA
    ("sa", "current outbound spi: 0x0(0)", f"{_IOS}/several_flows_one_interface"),
    ("sa", "current outbound spi: 0\n", f"{_IOS}/old_12_blank_doubled"),
    ("sa", "current inbound spi : 01E8246F", f"{_ASA}/nat_t_port_range_and_two_flows"),
    ("sa", "spi: 0x448C5A0(", f"{_IOS}/indentation_lost"),
    ("sa", "spi: [Not Available]", f"{_XE}/sdwan"),
    ("sa", "spi: 0xFFE4EC5C(", f"{_IOS}/two_sas_per_direction"),
    ("sa", "transform: ah-sha-hmac ,", f"{_IOS}/ospfv3_manual_keys"),
    ("sa", "transform: comp-lzs ,", f"{_IOS}/ah_esp_and_compression"),
    ("sa", "transform: esp-des ,", f"{_IOS}/several_flows_one_interface"),
    ("sa", "transform: esp-null esp-md5-hmac ,", f"{_IOS}/null_encryption"),
    ("sa", "transform. esp-3des", f"{_IOS}/old_12_blank_doubled"),
    ("sa", "transform: esp-gcm 256 ,", f"{_IOS}/dmvpn_and_decaps_only"),
    ("sa", "={Tunnel, esn}", f"{_XE}_detail/error_counters_and_volume_used_up"),
    ("sa", "={Transport UDP-Encaps, esn}", f"{_XE}/sdwan"),
    ("sa", "={L2L, Tunnel,  NAT-T-Encaps, IKEv1, }", f"{_ASA}/nat_t_port_range_and_two_flows"),
    ("sa", "={L2L, Tunnel, IKEv2, VTI, }", f"{_ASA}/vti_and_protected_vrf"),
    ("sa", "flow_id: SW:25, crypto map", f"{_IOS}/indentation_lost"),
    ("sa", "flow_id: CSR:", f"{_XE}_peer_198.51.100.10/endpoint_is_not_the_peer"),
    ("sa", "flow_id: 1, sibling_flags", f"{_XE}/volume_rekey_disabled_and_bare_flow_id"),
    ("sa", "flow_id: Onboard VPN:123", f"{_IOS}/several_flows_one_interface"),
    ("sa", "flow_id: ESG:71", f"{_XE}/sdwan"),
    ("sa", "flow_id: HW:", f"{_IOS}/dmvpn_and_decaps_only"),
    ("sa", "flow_id: NETGX:1", f"{_IOS}/ospfv3_manual_keys"),
    ("sa", "flow_id: CAT9K-BIGBANG:", f"{_XE}/post_quantum_key_exchange"),
    ("sa", "slot: 0, conn id: 2000, flow_id: 1,", f"{_IOS}/old_12_blank_doubled"),
    ("sa", ", initiator : True", f"{_XE}/volume_rekey_disabled_and_bare_flow_id"),
    ("sa", "Status: ACTIVE\n", f"{_IOS}/indentation_lost"),
    ("sa", "Status: ACTIVE(ACTIVE)\n", f"{_IOS}/several_flows_one_interface"),
    ("sa", "SA State: active", f"{_ASA}/nat_t_port_range_and_two_flows"),
    ("sa", "support: Y  replay window size: 1024", f"{_XE}/volume_rekey_disabled_and_bare_flow_id"),
    ("sa", ", AKE group: AKE1: MLKEM512", f"{_XE}/post_quantum_key_exchange"),
    ("sa", ", PQC Key Exchange: ML-KEM-1024", f"{_XE}/post_quantum_key_exchange"),
    # show crypto isakmp sa
    ("isakmp", "conn-id status", f"{_ISAKMP}/both_directions_and_deleted"),
    ("isakmp", "ACTIVE (deleted)", f"{_ISAKMP}/both_directions_and_deleted"),
    ("isakmp", "conn-id slot status", f"{_ISAKMP}/slot_without_title"),
    ("isakmp", "STDBY", f"{_ISAKMP}/slot_and_standby"),
    ("isakmp", "QM_IDLE 1 0\n", f"{_ISAKMP}/without_status"),
    ("isakmp", "\u00a0", f"{_ISAKMP}/no_break_spaces"),
    ("isakmp", "ACTIVE SPOKES", "iosxe/show_crypto_isakmp_sa/profile_and_ipv6_rows"),
    (
        "isakmp",
        "2001:db8:1::2      2001:db8:2::2",
        "iosxe/show_crypto_isakmp_sa/profile_and_ipv6_rows",
    ),
    ("isakmp", " dst: 2001:db8:1::100", f"{_ISAKMP}/ipv6_blocks"),
    ("isakmp", "????", "ios/show_crypto_isakmp_sa_detail/vrf_capabilities_and_ipv6"),
    ("isakmp", "CONF_XAUTH", f"{_ISAKMP}/states_of_other_exchanges"),
    ("isakmp", "Total IKE SA: 3", "asa/show_crypto_ikev1_sa/three_peers"),
    # IKEv2, sessions
    ("ikev2", "keysize: 256, Hash: SHA512,", "ios/show_crypto_ikev2_sa/wrapped_cut_and_unready"),
    ("ikev2", "PRF: SHA256, Hash: None,", "ios/show_crypto_ikev2_sa/wrapped_cut_and_unready"),
    ("ikev2", "Au\nth verify: RSA", "ios/show_crypto_ikev2_sa/wrapped_cut_and_unready"),
    ("ikev2", "IWAN-TRANSPORT-1/i ", "ios/show_crypto_ikev2_sa/wrapped_cut_and_unready"),
    ("ikev2", "DELETE", "ios/show_crypto_ikev2_sa/wrapped_cut_and_unready"),
    ("ikev2", "Local  2001:DB8:1101::131/500", "iosxe/show_crypto_ikev2_sa/ipv6_pqc"),
    ("ikev2", "Hash: N/A,", "asa/show_crypto_ikev2_sa/two_children"),
    ("session", "Inactive", "ios/show_crypto_session/legacy_and_several_ike_sas"),
    ("session", "  IKE SA: local", "ios/show_crypto_session/legacy_and_several_ike_sas"),
    (
        "session",
        "1::1/500\n          remote",
        "iosxe/show_crypto_session/wrapped_ipv6_and_two_flows",
    ),
    # damage
    ("damage", "\r\n", f"{_IOS}/pager_and_prompt"),
    ("damage", " --More-- \b", f"{_IOS}/pager_and_prompt"),
    ("damage", " --More-- \r ", f"{_IOS}/pager_with_carriage_returns"),
    ("damage", "\n          \n", f"{_IOS}/pager_left_a_blank_line"),
    ("damage", "\n\nCrypto map tag", f"{_IOS}/old_12_blank_doubled"),
    ("damage", "\nlocal ident", f"{_IOS}/indentation_lost"),
    ("damage", "sas:\n    current outbound spi:", f"{_IOS}/overlapping_pages"),
    ("damage", "current outbound sp*Nov", f"{_IOS}/message_breaks_a_line"),
    ("damage", "\n*Nov 23", f"{_IOS}/messages_between_lines"),
    ("damage", "sho crypto ikev2 sa", f"{_ISAKMP}/two_commands_in_one_log"),
    # answers of zero rows
    ("empty", "There are no ipsec sas", f"{_ASA}/none"),
    ("empty", "No SAs found", f"{_IOS}/no_sas_found"),
    ("empty", "There are no IKEv1 SAs", "asa/show_crypto_isakmp_sa/counts_of_zero"),
    ("empty", "IPv6 Crypto ISAKMP SA", f"{_ISAKMP}/titles_only"),
    ("empty", "Crypto session current status", "ios/show_crypto_session/title_only"),
    ("empty", "no active sessions", f"{_L2L}/none"),
    ("empty", "Legend", "iosxe/show_dmvpn/legend_only"),
]

# refusals and cuts: the folder holds an error.txt
ERRORS = [
    ("% Invalid input detected", "ios/show_crypto_ikev2_sa/refused_unknown_word"),
    ("% Incomplete command.", f"{_ISAKMP}/refused_incomplete"),
    ("% Ambiguous command:", f"{_ISAKMP}/refused_ambiguous"),
    ("% Unrecognized command", f"{_ISAKMP}/refused_unrecognized"),
    ("Command authorization failed.", f"{_XE}/refused_by_authorization"),
    ("ERROR: % Incomplete command", f"{_ASA}/refused_incomplete"),
    ("ERROR: % Invalid input", f"{_ASA}/refused_invalid"),
    ("(4225001/14", f"{_IOS}/cut_in_seconds"),
    ("current_peer 198.51.100.13", f"{_IOS}/cut_in_the_second_flow"),
    ("spi: 0xFEDCBA98", f"{_IOS}/cut_behind_an_spi"),
    ("Status: ACTIVE(ACTIVE)", f"{_IOS}/cut_behind_a_status"),
    ("Site1#", f"{_IOS}/pager_quit"),
    ("Protected vrf (ivrf)", f"{_ASA}/cut_before_the_spis"),
    ("#pkts encaps: 4", f"{_IOS}/counters_without_an_identity"),
    (" ACT", f"{_ISAKMP}/cut_in_a_row"),
    ("\r\n", f"{_ISAKMP}/nothing_received"),
]


def text_of(folder: str) -> str:
    return (OUTPUTS / folder / "output.txt").read_bytes().decode("utf-8")


@pytest.mark.parametrize(("family", "shape", "folder"), VARIANTS)
def test_every_known_shape_has_an_output(family: str, shape: str, folder: str) -> None:
    assert shape in text_of(folder), family
    assert (OUTPUTS / folder / "expected.json").is_file()


@pytest.mark.parametrize(("shape", "folder"), ERRORS)
def test_every_known_refusal_and_cut_has_an_output(shape: str, folder: str) -> None:
    assert shape in text_of(folder)
    assert (OUTPUTS / folder / "error.txt").is_file()


def test_the_two_spellings_of_an_spi_in_our_outputs_agree() -> None:
    """These texts are typed: a slip would test the parser against a device that does not exist."""
    found = 0
    for path in OUTPUTS.glob("*/*/*/output.txt"):
        for spelt in re.finditer(r"0x([0-9A-Fa-f]+) ?\((\d+)\)", path.read_bytes().decode("utf-8")):
            assert int(spelt[1], 16) == int(spelt[2]), f"{path.parent.name}: {spelt[0]}"
            found += 1
    assert found > 50
