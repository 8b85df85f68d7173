"""The configuration commands: shapes, cuts and secrets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecmon_parsers import algorithms
from ipsecmon_parsers.access_entries import access_entry
from ipsecmon_parsers.errors import ParseError, ParserError, Truncated
from ipsecmon_parsers.records import (
    AccessAddress,
    CryptoMapEntry,
    IsakmpKey,
    RunningCrypto,
    SaLifetime,
)
from ipsecmon_parsers.redaction import hide_secrets
from ipsecmon_parsers.registry import parse

OUTPUTS = Path(__file__).parent / "outputs"


def command_of(case: Path) -> tuple[str, str]:
    written = case.with_name("command.txt")
    if written.is_file():
        return case.parts[-4], written.read_text(encoding="utf-8").strip()
    return case.parts[-4], case.parts[-3].replace("_", " ")


CASES = [
    (*command_of(path), path.read_text(encoding="utf-8"))
    for path in sorted(OUTPUTS.glob("*/*/*/output.txt"))
    if not path.parts[-3].startswith(("show_crypto_ipsec_s", "show_crypto_isakmp_sa"))
]
SECRET = "Planted-Key"


def output(path: str) -> str:
    return (OUTPUTS / path / "output.txt").read_text(encoding="utf-8")


def traces(platform: str, command: str, text: str) -> str:
    """Everything that comes out of reading ``text``: records and their JSON, or the error in all its forms."""
    try:
        result = parse(platform, command, text)
    except ParserError as error:
        report = error.report() if isinstance(error, ParseError) else ""
        return f"{error} {error!r} {error.args} {vars(error)} {report}"
    return f"{result!r} {json.dumps(result.document())}"


# --- algorithms --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (
            [
                "AES - Advanced Encryption Standard (256 bit keys).",
                "aes 256",
                "aes-256",
                "AES-CBC-256",
                "aes-cbc-256",
            ],
            "aes 256",
        ),
        (["AES - Advanced Encryption Standard (128 bit keys).", "aes", "AES-CBC-128"], "aes 128"),
        (["Three key triple DES", "3des", "3DES"], "3des"),
        (["DES - Data Encryption Standard (56 bit keys).", "des", "DES"], "des"),
        (["AES-GCM-256", "aes-gcm-256"], "aes-gcm 256"),
        (["Kuznyechik"], "kuznyechik"),
    ],
)
def test_a_cipher_has_one_form(texts: list[str], expected: str) -> None:
    assert {algorithms.encryption(text) for text in texts} == {expected}


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["Secure Hash Standard", "sha", "SHA1", "SHA96", "sha-1"], "sha"),
        (["Secure Hash Standard 2 (256 bit)", "sha256", "SHA256", "sha-256"], "sha256"),
        (["Message Digest 5", "md5", "MD596", "MD5"], "md5"),
    ],
)
def test_a_hash_has_one_form(texts: list[str], expected: str) -> None:
    assert {algorithms.integrity(text) for text in texts} == {expected}


def test_transforms_have_one_form() -> None:
    texts = ["esp-256-aes esp-sha-hmac", "esp-aes-256 esp-sha-hmac", "esp-aes 256  esp-sha-hmac "]

    assert {algorithms.transforms(text) for text in texts} == {("esp-aes 256", "esp-sha-hmac")}


def test_a_group_is_a_number() -> None:
    texts = ["#14 (2048 bit)", "14", "group14", "DH_GROUP_2048_MODP/Group 14"]

    assert {algorithms.dh_group(text) for text in texts} == {14}


# --- access lists ------------------------------------------------------------------------------------------


def test_a_wildcard_and_a_mask_of_the_same_network_are_one_form() -> None:
    network = AccessAddress(kind="network", address="192.0.2.0", prefix_length=24)

    assert access_entry("permit ip 192.0.2.0 0.0.0.255 any").source == network
    assert access_entry("permit ip 192.0.2.0 255.255.255.0 any", has_masks=True).source == network


def test_a_wildcard_with_holes_is_kept_as_printed() -> None:
    source = access_entry("permit 192.0.2.0, wildcard bits 0.0.10.255").source

    assert source == AccessAddress(kind="network", address="192.0.2.0", wildcard="0.0.10.255")


@pytest.mark.parametrize("text", ["permit", "permit tcp any", "deny ip host", "evaluate MIRROR"])
def test_an_entry_of_unknown_grammar_is_kept_as_text(text: str) -> None:
    entry = access_entry(text)

    assert (entry.text, entry.source) == (text, None) or entry.options or entry.source


# --- cuts --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kept", range(4, 24))
def test_a_crypto_map_cut_inside_an_entry_is_truncated(kept: int) -> None:
    lines = output("ios/show_crypto_map/static").splitlines()
    with pytest.raises(Truncated, match="closing brace"):
        parse("ios", "show crypto map", "\n".join(lines[:kept]))


def test_a_crypto_map_without_its_interfaces_is_truncated_unless_the_device_had_finished() -> None:
    text = output("ios/show_crypto_map/static")
    cut = text[: text.rindex("        Interfaces using")]
    with pytest.raises(Truncated, match="Interfaces using crypto map"):
        parse("ios", "show crypto map", cut)

    assert len(parse("ios", "show crypto map", cut, complete=True).records) == 4


def test_a_configuration_that_was_announced_must_come_to_its_end() -> None:
    text = output("ios/show_running-config/site_to_site")
    with pytest.raises(Truncated, match="'end'"):
        parse("ios", "show running-config", text.removesuffix("end\n"))


@pytest.mark.parametrize(
    ("platform", "command", "path"),
    [
        ("ios", "show crypto isakmp policy", "ios/show_crypto_isakmp_policy/default_suite"),
        ("iosxe", "show crypto ikev2 proposal", "iosxe/show_crypto_ikev2_proposal/post_quantum"),
        ("ios", "show crypto ikev2 policy", "ios/show_crypto_ikev2_policy/two_proposals"),
        ("ios", "show crypto ipsec transform-set", "ios/show_crypto_ipsec_transform-set/three"),
        ("iosxe", "show crypto ipsec profile", "iosxe/show_crypto_ipsec_profile/volume_disabled"),
    ],
)
def test_a_list_cut_inside_its_last_block_is_truncated(
    platform: str, command: str, path: str
) -> None:
    lines = output(path).rstrip().splitlines()
    while lines[-1].strip() in ("}", "default:  { esp-aes esp-sha-hmac  } ,"):
        lines.pop()
    lines = lines[:-2] if "PQC" in lines[-1] else lines[:-1]
    with pytest.raises(Truncated):
        parse(platform, command, "\n".join(lines))


@pytest.mark.parametrize(
    "command",
    [
        "show crypto map",
        "show crypto isakmp policy",
        "show crypto isakmp key",
        "show crypto ikev2 proposal",
        "show crypto ikev2 policy",
        "show crypto ipsec transform-set",
        "show crypto ipsec profile",
        "show access-lists",
        "show running-config | section crypto",
    ],
)
def test_an_empty_answer_is_zero_rows(command: str) -> None:
    assert parse("ios", command, f"Site1#{command}\nSite1#").records == ()
    with pytest.raises(ParseError):
        parse(
            "ios", command, "What is this? Certainly no output of that command about crypto ipsec\n"
        )


@given(st.sampled_from(CASES), st.data())
def test_any_prefix_reads_or_fails_with_our_error(
    case: tuple[str, str, str], data: st.DataObject
) -> None:
    platform, command, text = case
    kept = data.draw(st.integers(0, len(text)))
    assert "Planted" not in traces(platform, command, text[:kept])


@given(st.sampled_from(CASES), st.data())
def test_changed_lines_read_or_fail_with_our_error(
    case: tuple[str, str, str], data: st.DataObject
) -> None:
    """Lines lost, said twice, exchanged, cut, joined, without their indentation, and foreign ones."""
    platform, command, text = case
    lines = text.splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        other = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.integers(0, 6)):
            case 0:
                lines[at] = ""
            case 1:
                lines.insert(at, lines[other])
            case 2:
                lines[at], lines[other] = lines[other], lines[at]
            case 3:
                lines[at] = lines[at][: data.draw(st.integers(0, len(lines[at])))]
            case 4:
                lines[at] = lines[at].lstrip()
            case 5:
                lines[at] = lines[at].replace(
                    data.draw(st.sampled_from(".:0123456789 ")), data.draw(st.sampled_from("x9: "))
                )
            case _:
                lines[at] = data.draw(st.text(max_size=20))
    assert SECRET not in traces(platform, command, "\n".join(lines))


# --- secrets -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "crypto isakmp key K3y address 192.0.2.1",
        "crypto isakmp key 6 K3y address 192.0.2.1 255.255.255.0 no-xauth",
        "crypto isakmp key K3y hostname site2.example.com",
        "crypto isakmp key K3y address ipv6 2001:db8::/64",
        "crypto isakmp key K3y",
        " pre-shared-key address 192.0.2.1 key K3y",
        " pre-shared-key hostname site2 key 6 K3y with K3y",
        "  pre-shared-key K3y",
        "  pre-shared-key local 0 K3y",
        "  pre-shared-key hex K3y",
        " authentication local pre-share key K3y",
        " ikev1 pre-shared-key K3y",
        " ikev2 remote-authentication pre-shared-key K3y",
        " set session-key inbound esp 256 cipher K3y authenticator K3y",
        " key K3y",
        "enable secret 5 K3y",
        "username admin password 7 K3y",
        "snmp-server community K3y RO",
        "snmp-server user u g v3 auth md5 K3y priv aes 128 K3y",
        "tacacs-server key 7 K3y",
        " ip ospf message-digest-key 1 md5 7 K3y",
        " ip nhrp authentication K3y",
        " standby 1 authentication md5 key-string K3y",
        " neighbor 192.0.2.1 password K3y",
        " password 7 K3y",
    ],
)
def test_a_key_is_hidden_wherever_it_stands(line: str) -> None:
    hidden = hide_secrets(line)

    assert "K3y" not in hidden
    assert "***" in hidden
    assert hide_secrets(hidden) == hidden
    assert "K3y" not in traces("ios", "show running-config", f"crypto isakmp policy 1\n{line}\n")


@pytest.mark.parametrize(
    "line",
    [
        "crypto isakmp keepalive 10 3 periodic",
        "crypto key generate rsa general-keys modulus 2048",
        " hash md5",
        " authentication pre-share",
        " match identity remote key-id SITE2",
        "crypto ipsec transform-set OLD esp-3des esp-md5-hmac",
        "crypto keyring ISAKMP-KEYRING",
        "crypto map secret-vpn 10 ipsec-isakmp",
        " keyring local password-ring",
    ],
)
def test_a_line_without_a_key_stays_as_it_is(line: str) -> None:
    assert hide_secrets(line) == line


@pytest.mark.parametrize(("platform", "command", "text"), [c for c in CASES if SECRET in c[2]])
def test_a_planted_key_leaves_no_trace_while_its_peer_is_kept(
    platform: str, command: str, text: str
) -> None:
    assert SECRET not in traces(platform, command, text)
    for line in range(len(text.splitlines())):
        assert SECRET not in traces(platform, command, "\n".join(text.splitlines()[:line]))
    records = parse(platform, command, text).records
    keys = [r for r in records if isinstance(r, IsakmpKey)]
    keys += [key for r in records if isinstance(r, RunningCrypto) for key in r.keys]

    assert len(keys) >= 4


def test_a_key_table_line_of_another_shape_is_hidden_whole() -> None:
    text = "Keyring      Hostname/Address       Preshared Key\n\nK3y\ndefault      192.0.2.1\n"

    assert "K3y" not in traces("ios", "show crypto isakmp key", text)


# --- configurations ----------------------------------------------------------------------------------------


def running(platform: str, command: str, text: str) -> RunningCrypto:
    record = parse(platform, command, text).records[0]
    assert isinstance(record, RunningCrypto)
    return record


def test_what_is_not_about_crypto_is_neither_read_nor_reported() -> None:
    text = "router bgp 65001\n neighbor 192.0.2.1 remote-as 65002\nip route 0.0.0.0 0.0.0.0 192.0.2.1\n"

    result = parse("ios", "show running-config", text)

    assert (result.records, result.unparsed_lines) == ((), ())


@pytest.mark.parametrize(
    "lines",
    [
        ["crypto future thing"],
        ["crypto map SITES 10 ipsec-isakmp", " unheard of"],
        ["interface Tunnel0", " tunnel protection ipsec policy ipv4 X"],
        ["interface Tunnel0", " new crypto line"],
        ["router eigrp 1", " redistribute ipsec routes"],
    ],
)
def test_nothing_about_crypto_is_lost_in_silence(lines: list[str]) -> None:
    text = "\n".join(
        ["hostname Site1", *lines, "router ospf 1", " network 10.0.0.0 0.0.0.255 area 0"]
    )

    unparsed = parse("ios", "show running-config", text).unparsed_lines

    assert (len(lines) + 1, lines[-1].strip()) in [(u.line_no, u.text.strip()) for u in unparsed]


def test_both_shapes_of_a_crypto_map_entry_read_alike() -> None:
    ios = running(
        "ios",
        "show running-config",
        "crypto map SITES 10 ipsec-isakmp\n set peer 192.0.2.1\n set pfs group14\n match address S\n"
        " set security-association lifetime seconds 3600\n",
    )
    asa = running(
        "asa",
        "show running-config crypto map",
        "crypto map SITES 10 set peer 192.0.2.1\ncrypto map SITES 10 set pfs group14\n"
        "crypto map SITES 10 match address S\n"
        "crypto map SITES 10 set security-association lifetime seconds 3600\n",
    )

    def compared(entry: CryptoMapEntry) -> tuple[object, ...]:
        return (entry.peers, entry.dh_group, entry.access_list, entry.lifetime_seconds)

    assert compared(ios.crypto_maps[0]) == compared(asa.crypto_maps[0])


def test_the_lifetimes_of_an_asa_become_a_lifetime() -> None:
    text = output("asa/show_running-config_all_crypto_ipsec/lifetimes")
    _, lifetime = parse("asa", "show running-config all crypto ipsec", text).records

    assert lifetime == SaLifetime(seconds=28800, kilobytes=4608000, volume_rekey_disabled=False)


@pytest.mark.parametrize(
    ("identity", "address", "hostname"),
    [
        ("fqdn site2.example.com", None, "site2.example.com"),
        ("address 192.0.2.2", "192.0.2.2", None),
        ("email vpn@example.com", None, "email vpn@example.com"),
        ("key-id SITE2", None, "key-id SITE2"),
        ("fqdn domain example.com", None, "fqdn domain example.com"),
    ],
)
def test_the_identity_of_a_keyring_s_peer_tells_whom_its_key_is_for(
    identity: str, address: str | None, hostname: str | None
) -> None:
    text = (
        f"crypto ikev2 keyring K\n peer SITE2\n  identity {identity}\n  pre-shared-key K3y\n !\n!\n"
    )

    (key,) = running("iosxe", "show running-config | section crypto", text).keys

    assert (key.address, key.hostname) == (address, hostname)
