"""Real outputs of the configuration commands, held against an independent reading of the same text.

The readings here know nothing of templates: they cut the raw text into blocks and search each with expressions of
their own, or write an entry back from its record and compare the words.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from ipsecmon_parsers.documents import record_document
from ipsecmon_parsers.errors import ParserError, Truncated
from ipsecmon_parsers.records import (
    AccessAddress,
    AccessEntry,
    AccessList,
    CryptoMapEntry,
    Ikev2Policy,
    Ikev2Proposal,
    IpsecProfile,
    IsakmpPolicy,
    RunningCrypto,
    TransformSet,
)
from ipsecmon_parsers.registry import ParseResult, parse

FOLDERS = re.compile(
    r"show_(crypto_(map|isakmp_(default_)?policy|ikev2_(proposal|policy)|ipsec_(profile|transform-set))"
    r"|(ip_|ipv6_)?access-lists?|running-config.*)"
)
# The syntax of another platform, written into a configuration that no device printed.
FOREIGN = "show_running-config/002_batfish_cisco_crypto"

# What has lost its last line end, so that its last word may be cut; the collector's word makes them whole.
OPEN = {
    "show_access-lists/001_cmllab_110": "ends in a mask: options and matches may follow",
    "show_crypto_map/002_genie_CryptoMap_g_2": "ends in Vlan1, which may be Vlan10",
    "show_running-config_all_crypto_map/001_ntc_show_running-config_all_crypto_map": "ends in a name",
    "show_running-config_crypto_map/001_bosfw1a": "ends in a name",
}


def outputs(captures: Path, folder: str = "") -> Iterator[tuple[str, str, ParseResult]]:
    for path in sorted(captures.glob("*/*/*.txt")):
        if FOLDERS.fullmatch(path.parent.name) and folder in path.parent.name:
            meta = yaml.safe_load(path.with_suffix(".meta.yaml").read_text(encoding="utf-8"))
            text = path.read_bytes().decode("utf-8", "replace")
            name = f"{path.parent.name}/{path.stem}"
            yield name, text, parse(meta["platform"], meta["command"], text, complete=name in OPEN)


@pytest.mark.parametrize("name", OPEN)
def test_a_capture_that_ends_inside_a_line_is_refused(captures: Path, name: str) -> None:
    (path,) = captures.glob(f"*/{name}.txt")
    meta = yaml.safe_load(path.with_suffix(".meta.yaml").read_text(encoding="utf-8"))
    with pytest.raises(Truncated):
        parse(meta["platform"], meta["command"], path.read_text(encoding="utf-8"))


def test_every_capture_is_read_to_the_last_line(captures: Path) -> None:
    unparsed = {name: r.unparsed_lines for name, _, r in outputs(captures) if r.unparsed_lines}

    assert set(unparsed) == {FOREIGN}
    for line in unparsed[FOREIGN]:
        assert re.match(
            r"crypto (dynamic-map asa|map \w+ (10 (set|match)|interface)|ikev1|ipsec ikev[12])"
            r"| (authentication|encryption|group|hash|lifetime|protocol|reverse-route|mode)",
            line.text,
        ), line


def test_every_capture_has_records(captures: Path) -> None:
    assert [name for name, _, result in outputs(captures) if not result.records] == []


# --- the listings ------------------------------------------------------------------------------------------


def test_every_address_and_field_of_a_crypto_map_is_in_its_record(captures: Path) -> None:
    for name, text, result in outputs(captures, "show_crypto_map"):
        blocks = re.split(r"(?=Crypto Map (?:IPv4 )?\")", text)[1:]
        assert len(blocks) == len(result.records), name
        for block, record in zip(blocks, result.records, strict=True):
            assert isinstance(record, CryptoMapEntry)
            document = json.dumps(record_document(record))
            for address in re.findall(r"\d+\.\d+\.\d+\.\d+", block):
                inline = json.dumps([entry.text for entry in record.access_entries])
                assert f'"{address}"' in document or address in inline, (name, address)
            assert record.name == re.findall(r'"(.*?)"', block)[0]
            assert list(record.peers) == re.findall(r"Peer = (\S+)", block)
            assert [record.current_peer] == (re.findall(r"Current peer: (\S+)", block) or [None])
            assert [record.access_list] == (re.findall(r"IP access list (\S+)", block) or [None])
            lifetime = re.findall(r"(\d+) kilobytes/(\d+) seconds", block)
            assert [(str(record.lifetime_kilobytes), str(record.lifetime_seconds))] == lifetime
            assert record.is_incomplete == ("incomplete" in block)
            assert record.has_pfs == ("PFS (Y/N): Y" in block)
            sets = re.findall(r"(\S+):\s+\{ (.*?)  \}", block)
            assert [s.name for s in record.transform_sets] == [set_name for set_name, _ in sets]
            for one, (_, printed) in zip(record.transform_sets, sets, strict=True):
                assert same_transforms(one.transforms, printed)
            interfaces = block.split(f"Interfaces using crypto map {record.name}:")[1]
            assert list(record.interfaces) == re.findall(
                r"^\s+([A-Z]\S+)$", interfaces, re.MULTILINE
            )


def same_transforms(transforms: tuple[str, ...], printed: str) -> bool:
    """The same words and numbers, in whatever order a release writes a key length."""
    return sorted(re.split(r"[- ]", " ".join(transforms))) == sorted(
        re.split(r"[- ]", printed.strip())
    )


def test_every_policy_of_the_isakmp_listings_is_read(captures: Path) -> None:
    words = {
        "aes 128": "AES - Advanced Encryption Standard (128 bit keys).",
        "sha": "Secure Hash Standard",
        "pre-share": "Pre-Shared Key",
        "rsa-sig": "Rivest-Shamir-Adleman Signature",
    }
    for name, text, result in outputs(captures, "policy"):
        if "ikev2" in name:
            continue
        rows = re.findall(
            r"priority (\d+)\s+encryption algorithm:\s+(.*?)\s*\n\s+hash algorithm:\s+(.*?)\s*\n"
            r"\s+authentication method:\s+(.*?)\s*\n\s+Diffie-Hellman group:\s+#(\d+).*\n\s+lifetime:\s+(\d+)",
            text,
        )
        read = [
            (
                str(p.priority),
                words[p.encryption or ""],
                words[p.hash or ""],
                words[p.authentication or ""],
                str(p.dh_group),
                str(p.lifetime_seconds),
            )
            for p in result.records
            if isinstance(p, IsakmpPolicy)
        ]
        assert rows
        assert read == rows


def test_every_word_of_the_ikev2_listings_is_read(captures: Path) -> None:
    for name, text, result in outputs(captures, "ikev2"):
        for block, record in zip(
            re.split(r"IKEv2 (?:proposal|policy) ?:", text)[1:], result.records, strict=True
        ):
            lines = dict(re.findall(r"^\s+([A-Z][^:\n]*?)\s*: +(.*?)\s*$", block, re.MULTILINE))
            if isinstance(record, Ikev2Policy):
                assert (record.name, record.fvrf) == (block.split()[0], lines["Match fvrf"])
                assert record.local_addresses == (lines["Match address local"],)
                assert record.proposals == (lines["Proposal"],)
                continue
            assert isinstance(record, Ikev2Proposal), name
            assert record.name == block.split()[0]
            assert [f"AES-CBC-{c.split()[1]}" for c in record.encryption] == lines[
                "Encryption"
            ].split()
            spelled = {"sha": "SHA96", "md5": "MD596"}
            assert [spelled.get(i, i.upper()) for i in record.integrity] == lines[
                "Integrity"
            ].split()
            spelled = {"sha": "SHA1"}
            assert [spelled.get(i, i.upper()) for i in record.prf] == lines["PRF"].split()
            groups = re.findall(r"Group (\d+)", lines["DH Group"])
            assert [str(group) for group in record.dh_groups] == groups
            pqc = re.findall(r"ML-KEM-\d+", block)
            assert list(record.pqc_key_exchange) == pqc
            assert record.is_pqc_optional == (("Optional" in block) if pqc else None)


def test_every_profile_and_transform_set_is_read(captures: Path) -> None:
    for _, text, result in outputs(captures, "show_crypto_ipsec_profile"):
        blocks = re.split(r"IPSEC profile ", text)[1:]
        for block, record in zip(blocks, result.records, strict=True):
            assert isinstance(record, IpsecProfile)
            assert record.name == block.split()[0]
            kilobytes, seconds = re.findall(r"(\d+) kilobytes/(\d+) seconds", block)[0]
            assert (record.lifetime_kilobytes, record.lifetime_seconds) == (
                int(kilobytes),
                int(seconds),
            )
            assert [record.ikev2_profile] == (re.findall(r"IKEv2 Profile: (\S+)", block) or [None])
            assert record.is_responder_only == ("Responder-Only (Y/N): Y" in block)
            assert record.has_pfs == ("PFS (Y/N): Y" in block)
            sets = re.findall(r"(\S+):\s+\{ (.*?)  \}", block)
            assert [s.name for s in record.transform_sets] == [name for name, _ in sets]
            for one, (_, printed) in zip(record.transform_sets, sets, strict=True):
                assert same_transforms(one.transforms, printed)
    for _, text, result in outputs(captures, "transform-set"):
        rows = re.findall(r"set (\S+): \{ (.*?)  \}\s+will negotiate = \{ (\w+)", text)
        for (name, printed, mode), record in zip(rows, result.records, strict=True):
            assert isinstance(record, TransformSet)
            assert (record.name, record.mode) == (name, mode.lower())
            assert same_transforms(record.transforms, printed)


# --- access lists: the words of every entry, written back from its record --------------------------------


def written(address: AccessAddress | None, *, has_masks: bool) -> list[str]:
    if address is None:
        return []
    if address.kind == "network":
        assert address.address is not None
        if ":" in address.address:
            return [f"{address.address}/{address.prefix_length}"]
        if address.wildcard:
            return [address.address, address.wildcard]
        network = ipaddress.IPv4Network(f"0.0.0.0/{address.prefix_length}")
        return [address.address, str(network.netmask if has_masks else network.hostmask)]
    named = [w for w in (address.address, address.last_address, address.name) if w]
    unresolved = ["(unresolved)"] if address.kind == "fqdn" else []
    return [address.kind, *named, *unresolved]


def words_of(entry: AccessEntry, *, has_masks: bool) -> list[str]:
    return [
        entry.action,
        *(entry.protocol or "").split(),
        *written(entry.source, has_masks=has_masks),
        *entry.source_ports,
        *written(entry.destination, has_masks=has_masks),
        *entry.destination_ports,
        *entry.options,
    ]


def words_printed(line: str) -> list[str]:
    """The words of an entry without number, hits and hash, addresses in one spelling."""
    line = re.sub(
        r"^\s*(access-list \S+ line \d+ (extended |standard )?)?(\d+ )?", "", line.rstrip()
    )
    line = re.sub(r"( \((hitcnt|Last Hit)=[^)]*\)| \(inactive\)| 0x[0-9a-f]+)", "", line)
    line = re.sub(r" \(\d+ match(es)?\)| sequence \d+", "", line).replace(", wildcard bits", "")
    return [
        re.sub(r"^[0-9a-f:]*::[0-9a-f:/]*$", lambda m: spelled(m[0]), w, flags=re.IGNORECASE)
        for w in line.split()
    ]


def spelled(address: str) -> str:
    host, slash, length = address.partition("/")
    return f"{ipaddress.ip_address(host)}{slash}{length}"


def test_every_entry_of_an_access_list_can_be_written_back_from_its_record(captures: Path) -> None:
    for name, text, result in outputs(captures, "access-list"):
        lines = [line for line in text.splitlines() if re.search(r"\b(permit|deny|remark) ", line)]
        entries = [e for r in result.records if isinstance(r, AccessList) for e in r.entries]
        assert len(entries) == len(lines), name
        is_asa = result.platform == "asa"
        for entry, line in zip(entries, lines, strict=True):
            printed = words_printed(line)
            if entry.action == "remark":
                assert entry.text.split() == printed
                continue
            read = words_of(entry, has_masks=is_asa)
            if entry.protocol is None and entry.source and entry.source.kind == "host":
                read.remove("host") if "host" not in printed else None
            assert read == printed, (name, line)
            hits = re.findall(r"\((?:hitcnt=)?(\d+)(?: match\w*)?\)", line)
            assert [entry.hits] == ([int(hits[0])] if hits else [None])
            sequence = re.findall(r"^\s*(\d+) |line (\d+) | sequence (\d+)", line)
            assert [entry.sequence] == ([int("".join(sequence[0]))] if sequence else [None])
            assert [entry.hash] == (re.findall(r"\b0x[0-9a-f]{8}\b", line) or [None])


# --- configurations ----------------------------------------------------------------------------------------


def blocks_of(text: str) -> Iterator[tuple[str, list[str]]]:
    """Headings and the lines below them, comments left out."""
    heading, below = "", list[str]()
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("!"):
            continue
        if line.startswith(" "):
            below.append(line.strip())
        else:
            if heading:
                yield heading, below
            heading, below = line.strip(), []
    yield heading, below


def said(below: list[str], pattern: str) -> list[str]:
    return [match[1] for line in below if (match := re.fullmatch(pattern, line))]


def first(below: list[str], pattern: str) -> str | None:
    return next(iter(said(below, pattern)), None)


def configurations(captures: Path) -> Iterator[tuple[str, str, RunningCrypto]]:
    for name, text, result in outputs(captures, "running-config"):
        record = result.records[0]
        assert isinstance(record, RunningCrypto)
        if name != FOREIGN:
            yield name, text, record


def test_every_policy_set_and_profile_of_a_configuration_is_read(captures: Path) -> None:
    for _, text, running in configurations(captures):
        policies = {str(p.priority): p for p in running.isakmp_policies}
        sets = {s.name: s for s in running.transform_sets}
        profiles = {p.name: p for p in running.ipsec_profiles}
        for heading, below in blocks_of(text):
            if match := re.fullmatch(r"crypto (?:isakmp|ikev1) policy (\d+)", heading):
                policy = policies.pop(match[1])
                assert str(policy.dh_group) == (first(below, r"group (\d+)") or "None")
                assert str(policy.lifetime_seconds) == (first(below, r"lifetime (\d+)") or "None")
                assert policy.authentication == first(below, r"authentication (\S+)")
                assert policy.hash == first(below, r"hash (\S+)")
                cipher = first(below, r"encr(?:yption)? (.+)")
                cipher = "aes 128" if cipher == "aes" else cipher and cipher.replace("aes-", "aes ")
                assert policy.encryption == cipher
            elif match := re.fullmatch(r"crypto ipsec transform-set (\S+) (.+)", heading):
                assert same_transforms(sets[match[1]].transforms, re.sub(" +", " ", match[2]))
                assert [sets.pop(match[1]).mode] == said(below, r"mode (\S+)")
            elif match := re.fullmatch(r"crypto ipsec profile (\S+)", heading):
                profile = profiles.pop(match[1])
                names = " ".join(said(below, r"set transform-set (.+)")).split()
                assert [s.name for s in profile.transform_sets] == names
                assert str(profile.dh_group) == (first(below, r"set pfs group(\d+)") or "None")
                assert profile.isakmp_profile == first(below, r"set isakmp-profile (.+)")
        assert (policies, sets, profiles) == ({}, {}, {})


def test_every_crypto_map_interface_and_key_of_a_configuration_is_read(captures: Path) -> None:
    for name, text, running in configurations(captures):
        entries = {
            f"{'dynamic-' * e.is_dynamic}map {e.name} {e.sequence}": e for e in running.crypto_maps
        }
        interfaces = {i.name: i for i in running.interfaces}
        keys = [(k.keyring, k.address, k.prefix_length) for k in running.keys]
        printed: list[tuple[str, str]] = []
        flat = "crypto map" in name.replace("_", " ")
        for heading, below in blocks_of(text):
            if flat:
                continue
            if match := re.match(r"crypto ((?:dynamic-)?map \S+ \d+)", heading):
                entry = entries.pop(match[1])
                assert list(entry.peers) == said(below, r"set peer (.+)")
                assert entry.access_list == first(below, r"match address (.+)")
                assert [s.name for s in entry.transform_sets] == said(
                    below, r"set transform-set (.+)"
                )
                assert str(entry.dh_group) == (first(below, r"set pfs group(.+)") or "None")
                assert entry.isakmp_profile == first(below, r"set isakmp-profile (.+)")
                assert entry.dynamic_map == first([heading], r".* dynamic (\S+)")
            elif match := re.fullmatch(r"interface (\S+)", heading):
                interface = interfaces.pop(match[1])
                addresses = [
                    str(ipaddress.ip_interface(a.replace(" ", "/")).with_prefixlen)
                    for a in said(below, r"ip address ([\d.]+ [\d.]+)")
                ]
                assert list(interface.addresses) == addresses
                assert list(interface.crypto_maps) == said(below, r"crypto map (.+)")
                for field in ("source", "destination", "mode"):
                    value = getattr(interface, f"tunnel_{field}")
                    assert value == first(below, rf"tunnel {field} (.+)")
                profile = first(below, r"tunnel protection ipsec profile (.+)")
                assert interface.tunnel_protection == profile
                assert interface.is_shutdown == ("shutdown" in below)
            elif match := re.fullmatch(r"crypto keyring (\S+)", heading):
                printed += [(match[1], a) for a in said(below, r"pre-shared-key address (\S+) .*")]
            elif match := re.fullmatch(r"crypto isakmp key .* address (\S+).*", heading):
                printed.append(("default", match[1]))
        if not flat:
            assert (entries, interfaces) == ({}, {})
            assert sorted((ring or "", address or "") for ring, address, _ in keys) == sorted(
                printed
            )


def test_every_line_of_an_asa_crypto_map_is_in_its_entry(captures: Path) -> None:
    for name, text, running in configurations(captures):
        if "crypto_map" not in name:
            continue
        entries = {(e.name, str(e.sequence)): e for e in running.crypto_maps}
        rows = re.findall(r"^(no )?crypto map (\S+) (\d+) (.+?)\s*$", text, re.MULTILINE)
        assert {(map_name, sequence) for _, map_name, sequence, _ in rows} == set(entries)
        for no, map_name, sequence, setting in rows:
            entry = entries[map_name, sequence]
            match setting.split():
                case ["set", "peer", *peers]:
                    assert list(entry.peers) == peers
                case ["match", "address", access_list]:
                    assert entry.access_list == access_list
                case ["set", "pfs", group]:
                    assert f"group{entry.dh_group}" == group
                case ["set", *_, "lifetime", "seconds", seconds]:
                    assert entry.lifetime_seconds == int(seconds)
                case ["set", "ikev1", "transform-set", *sets] | ["set", "transform-set", *sets]:
                    assert [s.name for s in entry.transform_sets] == sets
                case ["ipsec-isakmp", "dynamic", dynamic]:
                    assert entry.dynamic_map == dynamic
                case _:
                    assert f"{no}{setting}" in entry.settings
        for map_name, interface in re.findall(
            r"^crypto map (\S+) interface (\S+)", text, re.MULTILINE
        ):
            assert all(interface in e.interfaces for e in entries.values() if e.name == map_name)


def test_no_key_of_a_capture_leaves_a_trace(captures: Path) -> None:
    for name, text, result in outputs(captures, "running-config"):
        keys = re.findall(
            r"(?:isakmp key (?:6 )?|\bkey (?=\S+$)|pre-shared-key (?!address)|secret 5 )(\S+)",
            text,
            re.MULTILINE,
        )
        names = re.findall(
            r"keyring local (\S+)", text
        )  # one keyring is called as the key of another
        traces = repr(result) + json.dumps(result.document())
        found = [key for key in keys if len(key) > 4 and key not in names and key in traces]
        assert found == [], name


def test_any_prefix_of_a_capture_reads_or_fails_with_our_error(captures: Path) -> None:
    for path in sorted(captures.glob("*/*/*.txt")):
        if not FOLDERS.fullmatch(path.parent.name):
            continue
        meta = yaml.safe_load(path.with_suffix(".meta.yaml").read_text(encoding="utf-8"))
        lines = path.read_bytes().decode("utf-8", "replace").splitlines(keepends=True)
        for kept in range(0, len(lines), 1 + len(lines) // 60):
            try:
                parse(meta["platform"], meta["command"], "".join(lines[:kept]))
            except ParserError:
                continue
            except Exception as error:  # noqa: BLE001 # the fault this test looks for
                pytest.fail(f"{path} cut at line {kept}: {error!r}")
