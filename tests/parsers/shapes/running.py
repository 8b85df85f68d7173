"""The crypto part of a running-config, of routers in sections and of ASA in flat lines, and its text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from ipsecmon_parsers.records import (
    AccessList,
    CryptoInterface,
    CryptoMapEntry,
    IkeProfile,
    Ikev2Policy,
    Ikev2Proposal,
    IpsecProfile,
    IsakmpKey,
    IsakmpPolicy,
    RunningCrypto,
    SaLifetime,
    SaMode,
    TransformSet,
)
from parsers.shapes.access_lists import entries
from parsers.shapes.tokens import HOSTS, IPV4, NAMES, TEXTS, mask, maybe

__all__ = ["asa_configs", "configs", "isakmp_keys", "show", "show_asa", "show_isakmp_keys"]

_SECRET = "Planted-Key"
_WORDS = NAMES.map(lambda name: name.replace(":", "-").replace("/", "_"))
"""Names of maps, profiles and lists."""
_GROUPS = st.sampled_from([2, 5, 14, 19, 20])
# as a running-config writes them -> as every command of ours spells them
_CIPHERS = {"aes": "aes 128", "aes 256": "aes 256", "3des": "3des", "des": "des"}
_ASA_CIPHERS = {"aes": "aes 128", "aes-256": "aes 256", "3des": "3des"}
_V2_CIPHERS = {"aes-cbc-128": "aes 128", "aes-cbc-256": "aes 256", "aes-gcm-256": "aes-gcm 256"}
_ASA_V2_CIPHERS = {"aes": "aes 128", "aes-256": "aes 256", "aes-gcm-256": "aes-gcm 256"}
_V2_HASHES = {"sha1": "sha", "sha256": "sha256", "sha512": "sha512", "md5": "md5"}
_TRANSFORMS = {
    "esp-aes": "esp-aes",
    "esp-aes 256": "esp-aes 256",
    "esp-3des": "esp-3des",
    "esp-gcm 256": "esp-gcm 256",
}
_ASA_TRANSFORMS = {"esp-aes": "esp-aes", "esp-aes-256": "esp-aes 256", "esp-3des": "esp-3des"}
_ESP_HASHES = ["esp-sha-hmac", "esp-sha256-hmac", "esp-md5-hmac"]


def _written(table: dict[str, str], spelt: str | None) -> str:
    return next(written for written, ours in table.items() if ours == spelt)


def _name(item: Any) -> str:
    return str(item.name)


def _named(strategy: Any) -> Any:
    """A strategy of lists whose items have names of their own, as sections have."""
    return st.lists(strategy, max_size=3, unique_by=_name).map(tuple)


@st.composite
def _policy(draw: st.DrawFn, priority: int, ciphers: dict[str, str]) -> IsakmpPolicy:
    return IsakmpPolicy(
        priority=priority,
        encryption=draw(maybe(st.sampled_from(sorted(ciphers.values())))),
        hash=draw(maybe(st.sampled_from(["sha", "md5"]))),
        authentication=draw(maybe(st.sampled_from(["pre-share", "rsa-sig"]))),
        dh_group=draw(maybe(_GROUPS)),
        lifetime_seconds=draw(maybe(st.integers(60, 86400))),
    )


def _policies(ciphers: dict[str, str]) -> st.SearchStrategy[tuple[IsakmpPolicy, ...]]:
    priorities = st.lists(st.integers(1, 65535), max_size=3, unique=True)
    return priorities.flatmap(lambda found: st.tuples(*(_policy(one, ciphers) for one in found)))


@st.composite
def _keys(draw: st.DrawFn, keyring: str) -> IsakmpKey:
    """A key for an address, a network or a name."""
    fields: dict[str, Any] = {"hostname": draw(HOSTS)}
    if draw(st.booleans()):
        fields = {"address": draw(IPV4), "prefix_length": draw(maybe(st.integers(0, 32)))}
    return IsakmpKey(keyring=keyring, stored_as=draw(maybe(st.sampled_from(["0", "6"]))), **fields)


@st.composite
def _profile(draw: st.DrawFn) -> IkeProfile:
    version = draw(st.sampled_from([1, 2]))
    fields: dict[str, Any] = {}
    if version == 2:
        fields = {
            "local_authentications": tuple(
                draw(st.sampled_from([(), ("pre-share",), ("rsa-sig",)]))
            ),
            "remote_authentications": tuple(
                draw(st.sampled_from([(), ("pre-share",), ("rsa-sig", "pre-share")]))
            ),
            "lifetime_seconds": draw(maybe(st.integers(120, 86400))),
        }
    matches = st.builds(
        "identity {}address {} 255.255.255.255".format,
        st.just("remote " if version == 2 else ""),
        IPV4,
    )
    return IkeProfile(
        name=draw(_WORDS),
        ike_version=version,
        keyrings=tuple(
            draw(st.lists(_WORDS.filter(lambda name: name not in ("local", "aaa")), max_size=2))
        ),
        matches=tuple(draw(st.lists(matches, max_size=2))),
        local_identity=draw(maybe(st.sampled_from(["address", "fqdn site1.example.com"]))),
        vrf=draw(maybe(_WORDS)),
        settings=draw(
            st.sampled_from(
                [(), ("dpd 10 2 on-demand",) if version == 2 else ("keepalive 30 retry 3",)]
            )
        ),
        **fields,
    )


@st.composite
def _transform_set(draw: st.DrawFn, table: dict[str, str]) -> TransformSet:
    return TransformSet(
        name=draw(_WORDS),
        transforms=(
            draw(st.sampled_from(sorted(table.values()))),
            draw(st.sampled_from(_ESP_HASHES)),
        ),
        mode=draw(maybe(st.sampled_from(list(SaMode)))),
    )


@st.composite
def _settings(draw: st.DrawFn, *, is_asa: bool) -> dict[str, Any]:
    is_disabled = draw(st.booleans())
    has_pfs = draw(maybe(st.just(True)))
    sets = tuple(TransformSet(name=name) for name in draw(st.lists(_WORDS, max_size=2)))
    fields: dict[str, Any] = {
        "lifetime_seconds": draw(maybe(st.integers(120, 86400))),
        "lifetime_kilobytes": None if is_disabled else draw(maybe(st.integers(2560, 2**31))),
        "volume_rekey_disabled": is_disabled,
        "has_pfs": has_pfs,
        "dh_group": draw(maybe(_GROUPS)) if has_pfs else None,
        "transform_sets": sets,
    }
    if is_asa:
        return fields | {"ikev2_proposals": tuple(draw(st.lists(_WORDS, max_size=2)))}
    return fields | {
        "description": draw(maybe(TEXTS)),
        "isakmp_profile": draw(maybe(_WORDS)),
        "ikev2_profile": draw(maybe(_WORDS)),
        "idle_seconds": draw(maybe(st.integers(60, 86400))),
    }


def _set_lines(record: CryptoMapEntry | IpsecProfile, *, is_asa: bool) -> list[str]:
    lines: list[str] = []
    if record.description:
        lines.append(f"description {record.description}")
    volume = (
        f"kilobytes {record.lifetime_kilobytes}" if record.lifetime_kilobytes is not None else ""
    )
    if record.volume_rekey_disabled:
        volume = "kilobytes unlimited" if is_asa else "kilobytes disable"
    seconds = f"seconds {record.lifetime_seconds}" if record.lifetime_seconds is not None else ""
    # the two keywords come in either order
    words = [word for word in ((volume, seconds) if is_asa else (seconds, volume)) if word]
    if words:
        lines.append(f"set security-association lifetime {' '.join(words)}")
    if record.idle_seconds is not None:
        lines.append(f"set security-association idle-time {record.idle_seconds}")
    if record.transform_sets:
        names = " ".join(found.name for found in record.transform_sets)
        lines.append(f"set {'ikev1 ' if is_asa else ''}transform-set {names} ")
    if record.ikev2_proposals:
        lines.append(f"set ikev2 ipsec-proposal {' '.join(record.ikev2_proposals)}")
    if record.has_pfs:
        lines.append("set pfs" + (f" group{record.dh_group}" if record.dh_group else ""))
    if record.isakmp_profile:
        lines.append(f"set isakmp-profile {record.isakmp_profile}")
    if record.ikev2_profile:
        lines.append(f"set ikev2-profile {record.ikev2_profile}")
    return lines


@st.composite
def _map_entries(
    draw: st.DrawFn, applied: dict[str, tuple[str, ...]], *, is_asa: bool
) -> tuple[CryptoMapEntry, ...]:
    found: list[CryptoMapEntry] = []
    for name, interfaces in applied.items():
        for sequence in draw(st.lists(st.integers(1, 65535), min_size=1, max_size=3, unique=True)):
            if draw(st.integers(0, 4)) == 0:
                entry = CryptoMapEntry(
                    name=name,
                    sequence=sequence,
                    kind="ipsec-isakmp",
                    dynamic_map=draw(_WORDS),
                    interfaces=interfaces,
                )
            else:
                peers = tuple(draw(st.lists(IPV4 | HOSTS, min_size=1, max_size=3)))
                entry = CryptoMapEntry(
                    name=name,
                    sequence=sequence,
                    kind=None if is_asa else "ipsec-isakmp",
                    peers=peers,
                    default_peer=None if is_asa else draw(maybe(st.just(peers[0]))),
                    access_list=draw(_WORDS),
                    interfaces=interfaces,
                    **draw(_settings(is_asa=is_asa)),
                )
            found.append(entry)
    return tuple(found)


@st.composite
def _interfaces(draw: st.DrawFn, maps: Sequence[str]) -> tuple[CryptoInterface, ...]:
    names = ["GigabitEthernet0/0", "GigabitEthernet0/1.20", "Tunnel1", "Loopback0"]
    found: list[CryptoInterface] = []
    for name in draw(st.lists(st.sampled_from(names), max_size=4, unique=True)):
        tunnel: dict[str, Any] = {}
        if name.startswith("Tunnel"):
            tunnel = {
                "tunnel_source": draw(st.just("GigabitEthernet0/0") | IPV4),
                "tunnel_destination": draw(maybe(IPV4)),
                "tunnel_mode": draw(maybe(st.sampled_from(["ipsec ipv4", "gre multipoint"]))),
                "tunnel_vrf": draw(maybe(_WORDS)),
                "tunnel_protection": draw(_WORDS),
                "is_protection_shared": draw(st.booleans()),
            }
        addresses = st.builds("{}/{}".format, IPV4, st.integers(1, 32))
        is_protected = draw(st.booleans())
        found.append(
            CryptoInterface(
                name=name,
                description=draw(maybe(TEXTS)),
                vrf=draw(maybe(_WORDS)),
                addresses=tuple(draw(st.lists(addresses, max_size=2))),
                is_shutdown=draw(st.booleans()),
                crypto_maps=(draw(st.sampled_from(maps)),) if maps and is_protected else (),
                **tunnel,
            )
        )
    return tuple(found)


def _some(table: dict[str, str], least: int = 1) -> st.SearchStrategy[list[str]]:
    names = st.sampled_from(sorted(table.values()))
    return st.lists(names, min_size=least, max_size=3, unique=True)


_DH_GROUPS = st.lists(_GROUPS, min_size=1, max_size=3, unique=True)


@st.composite
def _ikev2_proposal(draw: st.DrawFn) -> Ikev2Proposal:
    return Ikev2Proposal(
        name=draw(_WORDS),
        encryption=tuple(draw(_some(_V2_CIPHERS))),
        integrity=tuple(draw(_some(_V2_HASHES, least=0))),
        dh_groups=tuple(draw(_DH_GROUPS)),
    )


@st.composite
def _ikev2_policy(draw: st.DrawFn) -> Ikev2Policy:
    return Ikev2Policy(
        name=draw(_WORDS),
        fvrf=draw(maybe(_WORDS)),
        local_addresses=tuple(draw(st.lists(IPV4, max_size=2))),
        proposals=tuple(draw(st.lists(_WORDS, max_size=2))),
    )


@st.composite
def _ipsec_profile(draw: st.DrawFn, *, is_asa: bool) -> IpsecProfile:
    return IpsecProfile(name=draw(_WORDS), **draw(_settings(is_asa=is_asa)))


@st.composite
def _access_list(draw: st.DrawFn) -> AccessList:
    found = draw(st.lists(entries("ios"), min_size=1, max_size=3))
    return AccessList(name=draw(_WORDS), kind="extended", entries=tuple(found))


@st.composite
def configs(draw: st.DrawFn) -> tuple[RunningCrypto, ...]:
    """A router's configuration with a name, so that it is never empty."""
    maps = draw(st.lists(_WORDS, max_size=2, unique=True))
    interfaces = draw(_interfaces(maps))
    applied = {
        name: tuple(one.name for one in interfaces if name in one.crypto_maps) for name in maps
    }
    profiles = draw(
        st.lists(_profile(), max_size=3, unique_by=lambda item: (item.ike_version, item.name))
    )
    is_disabled = draw(st.booleans())
    return (
        RunningCrypto(
            hostname=draw(_WORDS),
            version=draw(maybe(st.sampled_from(["15.2", "17.9"]))),
            isakmp_policies=draw(_policies(_CIPHERS)),
            keys=(
                *draw(st.lists(_keys("default"), max_size=3)),
                *draw(st.lists(_keys("RING-1"), max_size=2)),
            ),
            ike_profiles=tuple(sorted(profiles, key=lambda item: item.ike_version)),
            ikev2_proposals=draw(_named(_ikev2_proposal())),
            ikev2_policies=draw(_named(_ikev2_policy())),
            transform_sets=draw(_named(_transform_set(_TRANSFORMS))),
            ipsec_profiles=draw(_named(_ipsec_profile(is_asa=False))),
            crypto_maps=draw(_map_entries(applied, is_asa=False)),
            interfaces=interfaces,
            access_lists=draw(_named(_access_list())),
            lifetime_seconds=draw(maybe(st.integers(120, 86400))),
            lifetime_kilobytes=None if is_disabled else draw(maybe(st.integers(2560, 2**31))),
            volume_rekey_disabled=is_disabled,
            idle_seconds=draw(maybe(st.integers(60, 86400))),
            settings=draw(st.sampled_from([(), ("crypto isakmp keepalive 10 3 periodic",)])),
        ),
    )


def show(records: Sequence[RunningCrypto]) -> str:
    """``show running-config``: sections, the lines of each indented by one blank."""
    (running,) = records
    lines = ["Building configuration...", "", "Current configuration : 2450 bytes", "!"]
    if running.version:
        lines.append(f"version {running.version}")
    lines += [f"hostname {running.hostname}", "!", "ip cef", "!"]
    lines += _keyring_lines([key for key in running.keys if key.keyring != "default"])
    for proposal in running.ikev2_proposals:
        lines.append(f"crypto ikev2 proposal {proposal.name} ")
        lines.append(
            " encryption " + " ".join(_written(_V2_CIPHERS, one) for one in proposal.encryption)
        )
        if proposal.integrity:
            lines.append(
                " integrity " + " ".join(_written(_V2_HASHES, one) for one in proposal.integrity)
            )
        lines.append(" group " + " ".join(map(str, proposal.dh_groups)))
    for policy in running.ikev2_policies:
        lines.append(f"crypto ikev2 policy {policy.name} ")
        lines += [f" match fvrf {policy.fvrf}"] if policy.fvrf else []
        lines += [f" match address local {address}" for address in policy.local_addresses]
        lines += [f" proposal {name}" for name in policy.proposals]
    for suite in running.isakmp_policies:
        lines += [f"crypto isakmp policy {suite.priority}", *_suite_lines(suite, _CIPHERS, "encr")]
    lines += [f"crypto isakmp key {_key(key)}" for key in running.keys if key.keyring == "default"]
    lines += running.settings
    for profile in running.ike_profiles:
        lines += _ike_profile_lines(profile)
    if running.lifetime_seconds is not None:
        lines.append(
            f"crypto ipsec security-association lifetime seconds {running.lifetime_seconds}"
        )
    if running.volume_rekey_disabled:
        lines.append("crypto ipsec security-association lifetime kilobytes disable")
    if running.lifetime_kilobytes is not None:
        lines.append(
            f"crypto ipsec security-association lifetime kilobytes {running.lifetime_kilobytes}"
        )
    if running.idle_seconds is not None:
        lines.append(f"crypto ipsec security-association idle-time {running.idle_seconds}")
    for found in running.transform_sets:
        lines.append(f"crypto ipsec transform-set {found.name} {_transforms(found, _TRANSFORMS)} ")
        lines += [f" mode {found.mode.value}"] if found.mode else []
    for ipsec in running.ipsec_profiles:
        lines += [
            f"crypto ipsec profile {ipsec.name}",
            *(f" {line}" for line in _set_lines(ipsec, is_asa=False)),
        ]
    for entry in running.crypto_maps:
        dynamic = f"dynamic {entry.dynamic_map} " if entry.dynamic_map else ""
        lines.append(f"crypto map {entry.name} {entry.sequence} {entry.kind} {dynamic}")
        for number, peer in enumerate(entry.peers):
            lines.append(
                f" set peer {peer}{' default' if number == 0 and entry.default_peer else ''}"
            )
        lines += [f" {line}" for line in _set_lines(entry, is_asa=False)]
        lines += [f" match address {entry.access_list}"] if entry.access_list else []
    for interface in running.interfaces:
        lines += ["!", *_interface_lines(interface)]
    for listed in running.access_lists:
        lines += [
            "!",
            f"ip access-list extended {listed.name}",
            *(f" {one.text}" for one in listed.entries),
        ]
    return "\n".join([*lines, "!", "end", ""])


def _keyring_lines(keys: Sequence[IsakmpKey]) -> list[str]:
    if not keys:
        return []
    lines = [f"crypto keyring {keys[0].keyring}  "]
    for key in keys:
        stored = f"{key.stored_as} " if key.stored_as else ""
        lines.append(f"  pre-shared-key {_peer(key)} key {stored}{_SECRET}")
    return lines


def _peer(key: IsakmpKey) -> str:
    if key.hostname:
        return f"hostname {key.hostname}"
    length = "" if key.prefix_length is None else f" {mask(key.prefix_length)}"
    return f"address {key.address}{length}"


def _key(key: IsakmpKey) -> str:
    stored = f"{key.stored_as} " if key.stored_as else ""
    return f"{stored}{_SECRET} {_peer(key)}"


def _suite_lines(suite: IsakmpPolicy, ciphers: dict[str, str], word: str) -> list[str]:
    lines: list[str] = []
    if suite.encryption:
        lines.append(f" {word} {_written(ciphers, suite.encryption)}")
    lines += [f" hash {suite.hash}"] if suite.hash else []
    lines += [f" authentication {suite.authentication}"] if suite.authentication else []
    lines += [f" group {suite.dh_group}"] if suite.dh_group else []
    return [*lines, *([f" lifetime {suite.lifetime_seconds}"] if suite.lifetime_seconds else [])]


def _ike_profile_lines(profile: IkeProfile) -> list[str]:
    if profile.ike_version == 1:
        lines = [f"crypto isakmp profile {profile.name}"]
        lines += [f"   vrf {profile.vrf}"] if profile.vrf else []
        lines += [f"   keyring {name}" for name in profile.keyrings]
        lines += [f"   self-identity {profile.local_identity}"] if profile.local_identity else []
        lines += [f"   match {match} " for match in profile.matches]
        return [*lines, *(f"   {setting}" for setting in profile.settings)]
    lines = [f"crypto ikev2 profile {profile.name}"]
    lines += [f" match {match} " for match in profile.matches]
    lines += [f" identity local {profile.local_identity}"] if profile.local_identity else []
    lines += [f" authentication remote {method}" for method in profile.remote_authentications]
    lines += [f" authentication local {method}" for method in profile.local_authentications]
    lines += [f" keyring local {name}" for name in profile.keyrings]
    lines += [f" lifetime {profile.lifetime_seconds}"] if profile.lifetime_seconds else []
    lines += [f" {setting}" for setting in profile.settings]
    return [*lines, *([f" ivrf {profile.vrf}"] if profile.vrf else [])]


def _transforms(found: TransformSet, table: dict[str, str]) -> str:
    return f"{_written(table, found.transforms[0])} {found.transforms[1]}"


def _interface_lines(interface: CryptoInterface) -> list[str]:
    lines = [f"interface {interface.name}"]
    lines += [f" description {interface.description}"] if interface.description else []
    lines += [f" vrf forwarding {interface.vrf}"] if interface.vrf else []
    for number, printed in enumerate(interface.addresses):
        address, _, length = printed.partition("/")
        lines.append(f" ip address {address} {mask(int(length))}{' secondary' if number else ''}")
    lines += [" shutdown"] if interface.is_shutdown else []
    if interface.tunnel_source:
        lines += [" ip mtu 1400", f" tunnel source {interface.tunnel_source}"]
        lines += [f" tunnel mode {interface.tunnel_mode}"] if interface.tunnel_mode else []
        lines += (
            [f" tunnel destination {interface.tunnel_destination}"]
            if interface.tunnel_destination
            else []
        )
        lines += [f" tunnel vrf {interface.tunnel_vrf}"] if interface.tunnel_vrf else []
        shared = " shared" if interface.is_protection_shared else ""
        lines.append(f" tunnel protection ipsec profile {interface.tunnel_protection}{shared}")
    return [*lines, *(f" crypto map {name}" for name in interface.crypto_maps)]


# --- ASA -------------------------------------------------------------------------------------------------------


_ASA_HASHES = {"sha256": "sha256", "sha512": "sha512", "md5": "md5"}


@st.composite
def _asa_sets(draw: st.DrawFn) -> TransformSet:
    """A transform set of IKEv1 or a proposal of IKEv2."""
    if draw(st.booleans()):
        return replace(draw(_transform_set(_ASA_TRANSFORMS)), ike_version=1)
    return TransformSet(
        name=draw(_WORDS),
        ike_version=2,
        encryption=tuple(draw(_some(_ASA_V2_CIPHERS))),
        integrity=tuple(draw(_some(_ASA_HASHES))),
    )


@st.composite
def _asa_ikev2_policy(draw: st.DrawFn) -> Ikev2Policy:
    priority = draw(st.integers(1, 65535))
    return Ikev2Policy(
        name=str(priority),
        priority=priority,
        encryption=tuple(draw(_some(_ASA_V2_CIPHERS))),
        integrity=tuple(draw(_some(_ASA_HASHES))),
        prf=tuple(draw(_some(_ASA_HASHES))),
        dh_groups=tuple(draw(_DH_GROUPS)),
        lifetime_seconds=draw(st.integers(120, 2**31)),
    )


@st.composite
def asa_configs(draw: st.DrawFn) -> tuple[RunningCrypto | SaLifetime, ...]:
    """``show running-config all crypto``: with the global lifetimes, which make a record of their own as well."""
    maps = draw(st.lists(_WORDS, max_size=2, unique=True))
    applied: dict[str, tuple[str, ...]] = {
        name: tuple(draw(st.sampled_from([(), ("outside",)]))) for name in maps
    }
    on_outside = tuple(name for name, interfaces in applied.items() if interfaces)
    found = draw(st.lists(_asa_sets(), max_size=4, unique_by=_name))
    is_disabled = draw(st.booleans())
    seconds = draw(st.integers(120, 2**31))
    kilobytes = None if is_disabled else draw(st.integers(10, 2**31))
    running = RunningCrypto(
        isakmp_policies=draw(_policies(_ASA_CIPHERS)),
        ikev2_policies=draw(_named(_asa_ikev2_policy())),
        transform_sets=tuple(sorted(found, key=lambda item: item.ike_version or 0)),
        ipsec_profiles=draw(_named(_ipsec_profile(is_asa=True))),
        crypto_maps=draw(_map_entries(applied, is_asa=True)),
        interfaces=(CryptoInterface(name="outside", crypto_maps=on_outside),) if on_outside else (),
        lifetime_seconds=seconds,
        lifetime_kilobytes=kilobytes,
        volume_rekey_disabled=is_disabled,
        settings=draw(
            st.sampled_from([(), ("crypto ikev2 enable outside", "crypto ikev1 enable outside")])
        ),
    )
    return (
        running,
        SaLifetime(seconds=seconds, kilobytes=kilobytes, volume_rekey_disabled=is_disabled),
    )


def show_asa(records: Sequence[RunningCrypto | SaLifetime]) -> str:
    """``show running-config all crypto``."""
    running = records[0]
    assert isinstance(running, RunningCrypto)
    lines: list[str] = []
    for found in running.transform_sets:
        if found.ike_version == 1:
            lines.append(
                f"crypto ipsec ikev1 transform-set {found.name} {_transforms(found, _ASA_TRANSFORMS)} "
            )
            lines += (
                [f"crypto ipsec ikev1 transform-set {found.name} mode {found.mode.value}"]
                if found.mode
                else []
            )
            continue
        lines += [
            f"crypto ipsec ikev2 ipsec-proposal {found.name}",
            " protocol esp encryption "
            + " ".join(_written(_ASA_V2_CIPHERS, one) for one in found.encryption),
            " protocol esp integrity "
            + " ".join(one.replace("sha", "sha-") for one in found.integrity),
        ]
    for profile in running.ipsec_profiles:
        lines += [
            f"crypto ipsec profile {profile.name}",
            *(f" {line}" for line in _set_lines(profile, is_asa=True)),
        ]
    volume = "unlimited" if running.lifetime_kilobytes is None else running.lifetime_kilobytes
    lines += [
        f"crypto ipsec security-association lifetime seconds {running.lifetime_seconds}",
        f"crypto ipsec security-association lifetime kilobytes {volume}",
    ]
    for entry in running.crypto_maps:
        head = f"crypto map {entry.name} {entry.sequence}"
        if entry.dynamic_map:
            lines.append(f"{head} ipsec-isakmp dynamic {entry.dynamic_map}")
            continue
        lines += [
            f"{head} match address {entry.access_list}",
            f"{head} set peer {' '.join(entry.peers)} ",
        ]
        lines += [f"{head} {line}" for line in _set_lines(entry, is_asa=True)]
    lines += [
        f"crypto map {name} interface {one.name}"
        for one in running.interfaces
        for name in one.crypto_maps
    ]
    for policy in running.ikev2_policies:
        lines += [
            f"crypto ikev2 policy {policy.name}",
            " encryption " + " ".join(_written(_ASA_V2_CIPHERS, one) for one in policy.encryption),
            f" integrity {' '.join(policy.integrity)}",
            f" group {' '.join(map(str, policy.dh_groups))}",
            f" prf {' '.join(policy.prf)}",
            f" lifetime seconds {policy.lifetime_seconds}",
        ]
    lines += running.settings
    for suite in running.isakmp_policies:
        lines += [
            f"crypto ikev1 policy {suite.priority}",
            *_suite_lines(suite, _ASA_CIPHERS, "encryption"),
        ]
    return "\n".join(lines) + "\n"


# --- show crypto isakmp key ------------------------------------------------------------------------------------


@st.composite
def isakmp_keys(draw: st.DrawFn) -> tuple[IsakmpKey, ...]:
    """Keys of the default keyring and of named ones."""
    found: list[IsakmpKey] = []
    for keyring in draw(st.lists(_WORDS, max_size=3, unique=True)):
        keys = draw(st.lists(_keys(keyring), min_size=1, max_size=3))
        # this table does not say how a key is stored
        found += [replace(key, stored_as=None) for key in keys]
    return tuple(found)


def show_isakmp_keys(keys: Sequence[IsakmpKey]) -> str:
    """``show crypto isakmp key``; the keyring stands in its first row only."""
    lines = ["Keyring      Hostname/Address                            Preshared Key", ""]
    before: str | None = None
    for key in keys:
        length = "" if key.prefix_length is None else f"   [{mask(key.prefix_length)}]"
        peer = f"{key.hostname or key.address}{length}"
        lines.append(f"{'' if key.keyring == before else key.keyring:<12} {peer:<43} {_SECRET}")
        before = key.keyring
    return "\n".join(lines) + "\n"
