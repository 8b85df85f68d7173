"""Crypto maps, profiles, policies, proposals and transform sets of routers, and the text of their show commands."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from hypothesis import strategies as st

from ipsecmon_parsers.records import (
    CryptoMapEntry,
    Ikev2Policy,
    Ikev2Proposal,
    IpsecProfile,
    IsakmpPolicy,
    SaMode,
    TransformSet,
)
from parsers.shapes.access_lists import entries
from parsers.shapes.tokens import IPV4, NAMES, TEXTS, maybe

__all__ = [
    "crypto_maps",
    "ikev2_policies",
    "ikev2_proposals",
    "isakmp_policies",
    "profiles",
    "show_crypto_maps",
    "show_ikev2_policies",
    "show_ikev2_proposals",
    "show_isakmp_policies",
    "show_profiles",
    "show_transform_sets",
    "transform_sets",
]

# as these commands print them -> as every command of ours spells them
_TRANSFORMS = {
    "esp-3des": "esp-3des",
    "esp-aes": "esp-aes",
    "esp-192-aes": "esp-aes 192",
    "esp-256-aes": "esp-aes 256",
    "esp-gcm 256": "esp-gcm 256",
    "esp-null": "esp-null",
}
_HASHES = ["esp-md5-hmac", "esp-sha-hmac", "esp-sha512-hmac"]
_PRINTED = {spelt: printed for printed, spelt in _TRANSFORMS.items()}
_SET_NAMES = NAMES.map(lambda name: name.replace(":", "-")).filter(lambda name: name[-1] != "-")
_GROUPS = st.sampled_from([1, 2, 5, 14, 19, 20, 21, 24])


@st.composite
def _transform_set(draw: st.DrawFn, *, with_mode: bool = False) -> TransformSet:
    cipher = draw(st.sampled_from(sorted(_PRINTED)))
    integrity = draw(maybe(st.sampled_from(_HASHES)))
    return TransformSet(
        name=draw(_SET_NAMES),
        transforms=(cipher, integrity) if integrity else (cipher,),
        mode=draw(st.sampled_from(list(SaMode))) if with_mode else None,
    )


def _braces(found: TransformSet) -> str:
    return " ".join(_PRINTED.get(name, name) for name in found.transforms)


def transform_sets() -> st.SearchStrategy[tuple[TransformSet, ...]]:
    """Transform sets with their mode."""
    return st.lists(_transform_set(with_mode=True), max_size=4).map(tuple)


def show_transform_sets(sets: Sequence[TransformSet]) -> str:
    """``show crypto ipsec transform-set``."""
    lines: list[str] = []
    for found in sets:
        lines += [
            f"Transform set {found.name}: {{ {_braces(found)}  }} ",
            f"   will negotiate = {{ {(found.mode or '').capitalize()},  }}, ",
            "",
        ]
    return "\n".join(lines) + "\n"


@st.composite
def _settings(draw: st.DrawFn) -> dict[str, Any]:
    """What a map's entry and a profile have in common."""
    is_disabled = draw(st.booleans())
    has_pfs = draw(st.booleans())
    return {
        "description": draw(maybe(TEXTS)),
        "lifetime_seconds": draw(st.integers(120, 2592000)),
        "lifetime_kilobytes": None if is_disabled else draw(st.integers(2560, 2**32)),
        "volume_rekey_disabled": is_disabled,
        "idle_seconds": draw(maybe(st.integers(60, 86400))),
        "is_dualstack": draw(maybe(st.booleans())),
        "is_responder_only": draw(maybe(st.booleans())),
        "has_pfs": has_pfs,
        "dh_group": draw(_GROUPS) if has_pfs else None,
        "mixed_mode": draw(maybe(st.sampled_from(["Enabled", "Disabled"]))),
        "transform_sets": tuple(draw(st.lists(_transform_set(), max_size=3))),
    }


def _setting_lines(record: CryptoMapEntry | IpsecProfile) -> list[str]:
    lines: list[str] = []
    if record.volume_rekey_disabled:
        lines += [
            "Kilobyte Volume Rekey has been disabled.",
            f"Security association lifetime:{record.lifetime_seconds} seconds",
        ]
    else:
        lines.append(
            f"Security association lifetime: {record.lifetime_kilobytes} kilobytes/{record.lifetime_seconds} seconds"
        )
    if record.idle_seconds is not None:
        lines.append(f"Security association idletime: {record.idle_seconds} seconds")
    if record.is_dualstack is not None:
        lines += [f"Dualstack (Y/N): {'NY'[record.is_dualstack]}", ""]
    if record.is_responder_only is not None:
        lines.append(f"Responder-Only (Y/N): {'NY'[record.is_responder_only]}")
    lines.append(f"PFS (Y/N): {'NY'[bool(record.has_pfs)]}")
    if record.dh_group is not None:
        lines.append(f"DH group:  group{record.dh_group}")
    if record.mixed_mode is not None:
        lines.append(f"Mixed-mode : {record.mixed_mode}")
    lines.append("Transform sets={ ")
    lines += [
        f"        {found.name}:  {{ {_braces(found)}  }} , " for found in record.transform_sets
    ]
    return [*lines, "}"]


@st.composite
def _map_entry(
    draw: st.DrawFn, name: str, sequence: int, interfaces: tuple[str, ...]
) -> CryptoMapEntry:
    if draw(st.integers(0, 4)) == 0:
        return CryptoMapEntry(
            name=name,
            sequence=sequence,
            kind="ipsec-isakmp",
            dynamic_map=draw(NAMES),
            interfaces=interfaces,
        )
    peers = draw(st.lists(IPV4, min_size=1, max_size=3))
    found = draw(
        st.lists(entries("ios").filter(lambda entry: entry.action != "remark"), max_size=3)
    )
    return CryptoMapEntry(
        name=name,
        sequence=sequence,
        kind="ipsec-isakmp",
        is_incomplete=draw(st.booleans()),
        peers=tuple(peers),
        current_peer=draw(maybe(st.sampled_from(peers))),
        isakmp_profile=draw(maybe(NAMES)),
        ikev2_profile=draw(maybe(NAMES)),
        access_list=draw(NAMES),
        access_entries=tuple(found),
        has_reverse_route=draw(maybe(st.booleans())),
        interfaces=interfaces,
        **draw(_settings()),
    )


@st.composite
def crypto_maps(draw: st.DrawFn) -> tuple[CryptoMapEntry, ...]:
    """Static maps, with entries for dynamic ones, each map applied to interfaces or to none."""
    records: list[CryptoMapEntry] = []
    names = NAMES.map(lambda name: name.replace(":", "-"))
    for name in draw(st.lists(names, max_size=3, unique=True)):
        interfaces = tuple(
            draw(
                st.lists(
                    st.sampled_from(["GigabitEthernet0/0", "Port-channel1.20"]),
                    max_size=2,
                    unique=True,
                )
            )
        )
        for number in range(draw(st.integers(1, 3))):
            records.append(draw(_map_entry(name, 10 * (number + 1), interfaces)))  # noqa: PERF401 # draws one by one
    return tuple(records)


def show_crypto_maps(records: Sequence[CryptoMapEntry]) -> str:
    """``show crypto map``."""
    if not records:
        return "No crypto maps found.\n"
    lines: list[str] = []
    for name, group in groupby(records, key=lambda entry: entry.name):
        below: list[str] = []
        interfaces: tuple[str, ...] = ()
        for entry in group:
            interfaces = entry.interfaces
            below = _entry_lines(entry)
            lines += ["", f'Crypto Map IPv4 "{name}" {entry.sequence} {entry.kind}']
            lines += [f"        {line}" for line in below]
        lines.append(f"        Interfaces using crypto map {name}:")
        lines += [f"                {interface}" for interface in interfaces]
    return "\n".join(lines) + "\n\n"


def _entry_lines(entry: CryptoMapEntry) -> list[str]:
    if entry.dynamic_map:
        return [f"Dynamic map template tag: {entry.dynamic_map}"]
    lines: list[str] = []
    if entry.is_incomplete:
        lines += [
            "WARNING: This crypto map is in an incomplete state!",
            "        (missing peer or access-list definitions)",
        ]
    if entry.description:
        lines.append(f"Description: {entry.description}")
    lines += [f"Peer = {peer}" for peer in entry.peers]
    if entry.ikev2_profile:
        lines.append(f"IKEv2 Profile: {entry.ikev2_profile}")
    if entry.isakmp_profile:
        lines.append(f"ISAKMP Profile: {entry.isakmp_profile}")
    lines += ["Access-List SS dynamic: False", f"Extended IP access list {entry.access_list}"]
    lines += [f"    access-list {entry.access_list} {one.text}" for one in entry.access_entries]
    if entry.current_peer:
        lines.append(f"Current peer: {entry.current_peer}")
    lines += _setting_lines(entry)
    if entry.has_reverse_route is not None:
        lines.append(
            f"Reverse Route Injection {'Enabled' if entry.has_reverse_route else 'Disabled'}"
        )
    return lines


@st.composite
def _profile(draw: st.DrawFn) -> IpsecProfile:
    return IpsecProfile(
        name=draw(NAMES),
        isakmp_profile=draw(maybe(NAMES)),
        ikev2_profile=draw(maybe(NAMES)),
        **draw(_settings()),
    )


def profiles() -> st.SearchStrategy[tuple[IpsecProfile, ...]]:
    """IPsec profiles."""
    return st.lists(_profile(), max_size=3).map(tuple)


def show_profiles(records: Sequence[IpsecProfile]) -> str:
    """``show crypto ipsec profile``."""
    lines: list[str] = []
    for profile in records:
        lines.append(f"IPSEC profile {profile.name}")
        if profile.description:
            lines.append(f"\tDescription: {profile.description}")
        if profile.ikev2_profile:
            lines.append(f"\tIKEv2 Profile: {profile.ikev2_profile}")
        if profile.isakmp_profile:
            lines.append(f"\tISAKMP Profile: {profile.isakmp_profile}")
        lines += [f"\t{line}" for line in _setting_lines(profile)]
        lines.append("")
    return "\n".join(lines) + "\n"


# as show crypto isakmp policy prints them -> as every command of ours spells them
_SUITE_CIPHERS = {
    "DES - Data Encryption Standard (56 bit keys).": "des",
    "Three key triple DES": "3des",
    "AES - Advanced Encryption Standard (128 bit keys).": "aes 128",
    "AES - Advanced Encryption Standard (256 bit keys).": "aes 256",
}
_SUITE_HASHES = {
    "Message Digest 5": "md5",
    "Secure Hash Standard": "sha",
    "Secure Hash Standard 2 (256 bit)": "sha256",
    "Secure Hash Standard 2 (512 bit)": "sha512",
}
_SUITE_METHODS = {
    "Pre-Shared Key": "pre-share",
    "Rivest-Shamir-Adleman Signature": "rsa-sig",
    "Rivest-Shamir-Adleman Encryption": "rsa-encr",
    "Elliptic Curve Digital Signature Algorithm": "ecdsa-sig",
}


@st.composite
def isakmp_policies(draw: st.DrawFn) -> tuple[IsakmpPolicy, ...]:
    """Suites with priorities, and the default suite behind them."""
    priorities: list[int | None] = list(
        draw(st.lists(st.integers(1, 65514), max_size=3, unique=True))
    )
    if draw(st.booleans()):
        priorities.append(None)
    return tuple(
        IsakmpPolicy(
            priority=priority,
            is_default=priority is None,
            encryption=draw(st.sampled_from(sorted(_SUITE_CIPHERS.values()))),
            hash=draw(st.sampled_from(sorted(_SUITE_HASHES.values()))),
            authentication=draw(st.sampled_from(sorted(_SUITE_METHODS.values()))),
            dh_group=draw(_GROUPS),
            lifetime_seconds=draw(st.integers(60, 86400)),
            lifetime_kilobytes=draw(maybe(st.integers(1, 2**32))),
        )
        for priority in priorities
    )


def _printed(table: dict[str, str], spelt: str | None) -> str:
    return next(printed for printed, ours in table.items() if ours == spelt)


def show_isakmp_policies(policies: Sequence[IsakmpPolicy]) -> str:
    """``show crypto isakmp policy``."""
    lines = ["", "Global IKE policy"]
    for policy in policies:
        title = "Default protection suite"
        if policy.priority is not None:
            title = f"Protection suite of priority {policy.priority}"
        volume = "no volume limit"
        if policy.lifetime_kilobytes is not None:
            volume = f"{policy.lifetime_kilobytes} kilobytes"
        lines += [
            title,
            f"\tencryption algorithm:\t{_printed(_SUITE_CIPHERS, policy.encryption)}",
            f"\thash algorithm:\t\t{_printed(_SUITE_HASHES, policy.hash)}",
            f"\tauthentication method:\t{_printed(_SUITE_METHODS, policy.authentication)}",
            f"\tDiffie-Hellman group:\t#{policy.dh_group} (2048 bit)",
            f"\tlifetime:\t\t{policy.lifetime_seconds} seconds, {volume}",
        ]
    return "\n".join(lines) + "\n"


_PROPOSAL_CIPHERS = {
    "AES-CBC-256": "aes 256",
    "AES-CBC-128": "aes 128",
    "AES-GCM-256": "aes-gcm 256",
    "3DES": "3des",
}
_PROPOSAL_HASHES = {"SHA512": "sha512", "SHA256": "sha256", "SHA96": "sha", "MD596": "md5"}
_PROPOSAL_PRFS = {"SHA512": "sha512", "SHA256": "sha256", "SHA1": "sha", "MD5": "md5"}


def _several(table: dict[str, str], least: int = 1) -> st.SearchStrategy[tuple[str, ...]]:
    names = st.sampled_from(sorted(table.values()))
    return st.lists(names, min_size=least, max_size=3, unique=True).map(tuple)


@st.composite
def _proposal(draw: st.DrawFn) -> Ikev2Proposal:
    exchanges = tuple(
        draw(
            st.lists(
                st.sampled_from(["ML-KEM-512", "ML-KEM-768", "ML-KEM-1024"]),
                max_size=2,
                unique=True,
            )
        )
    )
    return Ikev2Proposal(
        name=draw(NAMES),
        encryption=draw(_several(_PROPOSAL_CIPHERS)),
        integrity=draw(_several(_PROPOSAL_HASHES, least=0)),
        prf=draw(_several(_PROPOSAL_PRFS)),
        dh_groups=tuple(draw(st.lists(_GROUPS, min_size=1, max_size=3, unique=True))),
        pqc_key_exchange=exchanges,
        is_pqc_optional=draw(st.booleans()) if exchanges else None,
    )


def ikev2_proposals() -> st.SearchStrategy[tuple[Ikev2Proposal, ...]]:
    """Proposals; those with a combined cipher have no integrity."""
    return st.lists(_proposal(), max_size=3).map(tuple)


def show_ikev2_proposals(proposals: Sequence[Ikev2Proposal]) -> str:
    """``show crypto ikev2 proposal``."""
    lines: list[str] = []
    for found in proposals:
        lines += [
            f" IKEv2 proposal: {found.name} ",
            "     Encryption : "
            + " ".join(_printed(_PROPOSAL_CIPHERS, name) for name in found.encryption),
            "     Integrity  : "
            + (" ".join(_printed(_PROPOSAL_HASHES, name) for name in found.integrity) or "none"),
            "     PRF        : " + " ".join(_printed(_PROPOSAL_PRFS, name) for name in found.prf),
            "     DH Group   : "
            + " ".join(f"DH_GROUP_2048_MODP/Group {group}" for group in found.dh_groups),
        ]
        if found.pqc_key_exchange:
            last = " Optional" if found.is_pqc_optional else ""
            lines.append(f"     PQC Key Exchange: {' '.join(found.pqc_key_exchange)}{last}")
    return "\n".join(lines) + "\n"


@st.composite
def _ikev2_policy(draw: st.DrawFn) -> Ikev2Policy:
    addresses = draw(st.lists(st.just("any") | IPV4, min_size=1, max_size=3))
    return Ikev2Policy(
        name=draw(NAMES),
        fvrf=draw(st.just("any") | NAMES),
        local_addresses=tuple(addresses),
        proposals=tuple(draw(st.lists(NAMES, min_size=1, max_size=3))),
    )


def ikev2_policies() -> st.SearchStrategy[tuple[Ikev2Policy, ...]]:
    """Policies of routers: what they match and the proposals they name."""
    return st.lists(_ikev2_policy(), max_size=3).map(tuple)


def show_ikev2_policies(policies: Sequence[Ikev2Policy]) -> str:
    """``show crypto ikev2 policy``."""
    lines: list[str] = []
    for policy in policies:
        lines += [f" IKEv2 policy : {policy.name}", f"      Match fvrf : {policy.fvrf}"]
        lines += [f"      Match address local : {address} " for address in policy.local_addresses]
        lines += [f"      Proposal    : {name} " for name in policy.proposals]
    return "\n".join(lines) + "\n"
