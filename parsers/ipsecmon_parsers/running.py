"""The crypto part of a running-config -> one ``RunningCrypto``.

IOS and IOS-XE print sections, told by indentation; ASA repeats the name of a crypto map on every line::

    crypto map SITES 10 ipsec-isakmp              crypto map SITES 10 match address SITE1
     set peer 192.0.2.1                           crypto map SITES 10 set peer 192.0.2.1
     set transform-set STRONG                     crypto map SITES 10 set ikev1 transform-set STRONG
     match address SITE1                          crypto map SITES interface outside

``about_crypto`` first takes out what is not about crypto: then every line that is left is read or reported. What
it leaves are the sections of crypto, of interfaces and of access lists, and any other line that has ``crypto``,
``ipsec``, ``isakmp`` or ``ikev1`` for a word. Of certificates, trustpoints and groups of remote access only the
heading is kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from ipsecmon_parsers import algorithms, values
from ipsecmon_parsers.access_entries import access_entry
from ipsecmon_parsers.blocks import refuse_a_cut_line
from ipsecmon_parsers.engines import Section, Table
from ipsecmon_parsers.records import (
    AccessEntry,
    AccessList,
    CryptoInterface,
    CryptoMapEntry,
    IkeProfile,
    Ikev2Policy,
    Ikev2Proposal,
    IpsecProfile,
    IsakmpKey,
    IsakmpPolicy,
    Platform,
    RunningCrypto,
    SaLifetime,
    TransformSet,
)

__all__ = ["about_crypto", "build_asa_running_crypto", "build_running_crypto"]

_Item = TypeVar("_Item")

# --- what is about crypto ---------------------------------------------------------------------------------

_READ = re.compile(
    r"(?:no )?crypto(?: |$)|(?:hostname|version|interface|access-list|ipv?6? access-list) "
    r"|Current configuration |end$"
)
_HEADING_ONLY = re.compile(
    r"crypto (?:pki|ca|csr-params|key|isakmp client configuration group|ikev2 authorization policy)(?: |$)"
)
_INTERFACE_LINE = re.compile(
    r"(?:ip address|ipv6 address|ip unnumbered|description|(?:ip )?vrf forwarding|shutdown|tunnel|crypto|ipv6 crypto)"
    r"(?: |$)"
)
# an address that is no address, GRE keys, and what a tunnel has beside its ends and its protection
_INTERFACE_NOISE = re.compile(
    r"ip address (?:dhcp|negotiated|pool)|ipv6 address (?:autoconfig|dhcp|\S+ link-local)"
    r"|tunnel (?:key|path-mtu-discovery|bandwidth|checksum|ttl|tos|route-via|entropy|endpoint|flow)(?: |$)"
)
_MENTIONS_CRYPTO = re.compile(r"(?<!\S)(?:crypto|ipsec|isakmp|ikev[12])(?!\S)")
# without any of these not one line of a text is kept
_ABOUT_CRYPTO = re.compile(rf"^[ ]*+(?:{_READ.pattern})|{_MENTIONS_CRYPTO.pattern}", re.MULTILINE)
_NO_SETTING = re.compile(
    r"(?:no )?(?:description|remark|snmp-server|logging|banner|username|alias|event|action)(?: |$)|.* description "
)
_BANNER = re.compile(r"banner \S+ (\^.|\S)")


def _mentions_crypto(text: str) -> bool:
    return bool(_MENTIONS_CRYPTO.search(text)) and not _NO_SETTING.match(text)


def about_crypto(text: str) -> str:
    """The lines of a configuration that are about crypto, the others blank; line n stays line n."""
    lines = text.split("\n")
    kept = [""] * len(lines)
    if not _ABOUT_CRYPTO.search(text):
        return "\n".join(kept)
    heading, heading_no = "", 0
    below: list[tuple[int, int, str]] = []
    """The lines below the heading: number, levels of indentation, text."""
    indents: list[int] = []
    closing = ""
    for line_no, line in enumerate(lines, 1):
        if not line or line.isspace():
            continue
        text = line.strip()
        if closing:
            closing = "" if closing in text else closing
            continue
        if text[0] == "!":
            continue
        indent = len(line) - len(line.lstrip())
        if indent == 0 or not heading_no:
            _keep(kept, heading, heading_no, below)
            heading, heading_no, below = text, line_no, []
            indents = [indent]
            if (banner := _BANNER.match(text)) and banner[1] not in text[banner.end() :]:
                closing = banner[1]
            continue
        while len(indents) > 1 and indent <= indents[-1]:
            indents.pop()
        below.append((line_no, len(indents), text))
        indents.append(indent)
    _keep(kept, heading, heading_no, below)
    return "\n".join(kept)


def _keep(
    kept: list[str], heading: str, heading_no: int, below: Sequence[tuple[int, int, str]]
) -> None:
    """Put into ``kept`` what a section has about crypto, one blank of indentation a level."""
    if not heading_no:
        return
    is_read = bool(_READ.match(heading))
    is_kept = is_read or _mentions_crypto(heading)
    if below and not (is_read and _HEADING_ONLY.match(heading)):
        is_interface = heading.startswith("interface ")
        for line_no, depth, text in below:
            if _is_kept(text, is_read=is_read, is_interface=is_interface):
                kept[line_no - 1] = " " * depth + text
                is_kept = True
    if is_kept:
        kept[heading_no - 1] = heading


def _is_kept(text: str, *, is_read: bool, is_interface: bool) -> bool:
    if is_interface:
        if _INTERFACE_NOISE.match(text):
            return False
        return bool(_INTERFACE_LINE.match(text)) or _mentions_crypto(text)
    return is_read or _mentions_crypto(text)


# --- settings of crypto maps and profiles ----------------------------------------------------------------

_LIFETIME = re.compile(
    r"(?:seconds (?P<seconds>\d+)|kilobytes (?:(?P<kilobytes>\d+)|disable|unlimited))(?: |$)"
)
_PEER_WORDS = frozenset({"default", "dynamic"})


@dataclass(slots=True)
class _Settings:
    """What the ``set`` and ``match`` lines of one crypto map entry or profile add up to."""

    description: str | None = None
    peers: list[str] = field(default_factory=list[str])
    default_peer: str | None = None
    access_list: str | None = None
    isakmp_profile: str | None = None
    ikev2_profile: str | None = None
    lifetime_seconds: int | None = None
    lifetime_kilobytes: int | None = None
    volume_rekey_disabled: bool = False
    idle_seconds: int | None = None
    has_pfs: bool | None = None
    dh_group: int | None = None
    transform_sets: list[TransformSet] = field(default_factory=list[TransformSet])
    ikev2_proposals: list[str] = field(default_factory=list[str])
    is_responder_only: bool | None = None
    has_reverse_route: bool | None = None
    settings: list[str] = field(default_factory=list[str])

    def add(self, setting: str) -> None:
        """One line, such as ``set pfs group14``; a line without a field of its own is kept as text."""
        for pattern, read in _SETTINGS:
            if match := pattern.fullmatch(setting):
                read(self, match[1] or "")
                return
        self.settings.append(setting)


def _add_peers(to: _Settings, words: str) -> None:
    """``192.0.2.1 default`` (IOS) or ``192.0.2.1 192.0.2.9`` (ASA)."""
    peers = [values.address(word) for word in words.split() if word not in _PEER_WORDS]
    to.peers += peers
    if "default" in words.split() and peers:
        to.default_peer = peers[0]


def _set_pfs(to: _Settings, group: str) -> None:
    to.has_pfs = True
    to.dh_group = algorithms.dh_group(group) if group else None


def _set_lifetime(to: _Settings, text: str) -> None:
    """``seconds 3600``, ``kilobytes 4608000``, both in either order, or ``kilobytes disable``."""
    for match in _LIFETIME.finditer(text):
        if match["seconds"]:
            to.lifetime_seconds = int(match["seconds"])
        elif match["kilobytes"]:
            to.lifetime_kilobytes = int(match["kilobytes"])
        else:
            to.volume_rekey_disabled = True


def _set_sets(to: _Settings, names: str) -> None:
    to.transform_sets += [TransformSet(name=name) for name in names.split()]


def _set_proposals(to: _Settings, names: str) -> None:
    to.ikev2_proposals += names.split()


def _setter(name: str, read: Callable[[str], object] = str) -> Callable[[_Settings, str], None]:
    def set_field(to: _Settings, text: str) -> None:
        setattr(to, name, read(text))

    return set_field


def _yes(_: str) -> bool:
    return True


def _set_reverse_route(to: _Settings, kind: str) -> None:
    to.has_reverse_route = True
    if kind:
        to.settings.append(f"reverse-route {kind}")


_LIFETIME_WORDS = r"((?:(?:seconds \d+|kilobytes (?:\d+|disable|unlimited))(?: |$))+)"
_SETTINGS: tuple[tuple[re.Pattern[str], Callable[[_Settings, str], None]], ...] = tuple(
    (re.compile(pattern), read)
    for pattern, read in (
        (r"set peer (.+)", _add_peers),
        (r"match address (\S+)", _setter("access_list")),
        (r"set (?:ikev1 )?transform-set (.+)", _set_sets),
        (r"set ikev2 ipsec-proposal (.+)", _set_proposals),
        (r"set pfs(?: (group ?\d+))?", _set_pfs),
        (rf"set security-association lifetime {_LIFETIME_WORDS}", _set_lifetime),
        (r"set security-association idle-time (\d+)", _setter("idle_seconds", int)),
        (r"set isakmp-profile (\S+)", _setter("isakmp_profile")),
        (r"set ikev2-profile (\S+)", _setter("ikev2_profile")),
        (r"description (.+)", _setter("description")),
        (r"(?:set )?reverse-route(?: (.+))?", _set_reverse_route),
        (r"(responder-only)", _setter("is_responder_only", _yes)),
    )
)


def _settings(section: Section) -> _Settings:
    read = _Settings()
    for line in section.sections("settings"):
        read.add(line.required("setting", "a setting"))
    return read


# --- the builders ------------------------------------------------------------------------------------------


_WHOLE = re.compile(r"^(?:!|end)$")


def build_running_crypto(table: Table, _: Platform) -> tuple[RunningCrypto, ...]:
    """One record, or none where no line is about crypto.

    ``Truncated`` where a device that announced ``Current configuration : 4448 bytes`` did not come to ``end``.
    """
    if table.sections.get("begins") and not table.sections.get("ends") and not table.complete:
        raise table.truncated("the line 'end' of a configuration", "nothing of it is returned")
    refuse_a_cut_line(table, _WHOLE, "nothing of it is returned")
    running = _running(table)
    return (running,) if running != RunningCrypto() else ()


def build_asa_running_crypto(table: Table, _: Platform) -> tuple[RunningCrypto | SaLifetime, ...]:
    """One record, and a ``SaLifetime`` where the global lifetime was printed (``show running-config all crypto``)."""
    refuse_a_cut_line(table, _WHOLE, "nothing of it is returned")
    running = _running(table)
    if running == RunningCrypto():
        return ()
    if running.lifetime_seconds is None:
        return (running,)
    lifetime = SaLifetime(
        seconds=running.lifetime_seconds,
        kilobytes=running.lifetime_kilobytes,
        volume_rekey_disabled=running.volume_rekey_disabled,
    )
    return (running, lifetime)


def _running(table: Table) -> RunningCrypto:
    lifetime = _Settings()
    for line in table.sections.get("lifetimes", ()):
        lifetime.add(f"set {line.required('lifetime', 'a lifetime')}")
    return RunningCrypto(
        hostname=_one(table, "hostnames", "hostname"),
        version=_one(table, "versions", "version"),
        isakmp_policies=_each(table, "isakmp_policies", _isakmp_policy),
        keys=tuple(_keys(table)),
        ike_profiles=(
            *_each(table, "isakmp_profiles", _isakmp_profile),
            *_each(table, "ikev2_profiles", _ikev2_profile),
        ),
        ikev2_proposals=_each(table, "ikev2_proposals", _ikev2_proposal),
        ikev2_policies=_each(table, "ikev2_policies", _ikev2_policy),
        transform_sets=tuple(_transform_sets(table)),
        ipsec_profiles=_each(table, "ipsec_profiles", _ipsec_profile),
        crypto_maps=tuple(_crypto_maps(table)),
        interfaces=tuple(_interfaces(table)),
        access_lists=tuple(_access_lists(table)),
        lifetime_seconds=lifetime.lifetime_seconds,
        lifetime_kilobytes=lifetime.lifetime_kilobytes,
        volume_rekey_disabled=lifetime.volume_rekey_disabled,
        idle_seconds=lifetime.idle_seconds,
        settings=tuple(line.required("setting", "a setting") for line in _found(table, "settings")),
    )


def _found(table: Table, *groups: str) -> list[Section]:
    """The sections of several groups in the order of the text."""
    found = (section for group in groups for section in table.sections.get(group, ()))
    return sorted(found, key=lambda section: section.first_line)


def _one(table: Table, group: str, name: str) -> str | None:
    return next((section.text(name) for section in table.sections.get(group, ())), None)


def _each(table: Table, group: str, build: Callable[[Section], _Item]) -> tuple[_Item, ...]:
    return tuple(build(section) for section in table.sections.get(group, ()))


def _below(section: Section, group: str, name: str) -> tuple[str, ...]:
    return tuple(line.required(name, name) for line in section.sections(group))


def _isakmp_policy(section: Section) -> IsakmpPolicy:
    return IsakmpPolicy(
        priority=section.number("priority"),
        encryption=section.value("encryption", algorithms.encryption),
        hash=section.value("hash", algorithms.integrity),
        authentication=section.value("authentication", algorithms.authentication),
        dh_group=section.value("group", algorithms.dh_group),
        lifetime_seconds=section.number("lifetime"),
    )


def _keys(table: Table) -> Iterator[IsakmpKey]:
    """Keys outside keyrings, then those of each keyring and each IKEv2 profile."""
    for section in _found(table, "isakmp_keys"):
        yield _key(section, "default", None)
    for keyring in _found(table, "keyrings"):
        for section in keyring.sections("keys"):
            yield replace(
                _key(section, keyring.text("name"), keyring.text("vrf")),
                description=keyring.text("description"),
                local_addresses=_below(keyring, "local_addresses", "address"),
            )
    for keyring in _found(table, "ikev2_keyrings"):
        for peer in keyring.sections("peers"):
            for section in peer.sections("keys"):
                address, prefix_length = _peer(peer)
                yield replace(
                    _key(section, keyring.text("name"), None),
                    peer_name=peer.text("name"),
                    address=address,
                    prefix_length=prefix_length,
                    hostname=peer.text("hostname") or _identity_name(peer),
                    description=peer.text("description"),
                )
    for profile in _found(table, "ikev2_profiles"):
        for group in ("local_authentications", "remote_authentications"):
            for section in profile.sections(group):
                if section.text("key"):
                    yield replace(
                        _key(section, profile.text("name"), None), direction=group.split("_")[0]
                    )


def _key(section: Section, keyring: str | None, vrf: str | None) -> IsakmpKey:
    key = section.required("key", "a hidden key").split()[:-1]
    directions = [word for word in key if word in ("local", "remote")]
    stored_as = [word for word in key if word not in directions]
    address, prefix_length = _peer(section)
    return IsakmpKey(
        keyring=keyring,
        address=address,
        prefix_length=prefix_length,
        hostname=section.text("hostname"),
        vrf=vrf or section.text("vrf"),
        direction=directions[0] if directions else None,
        stored_as=stored_as[0] if stored_as else None,
    )


def _identity_name(peer: Section) -> str | None:
    """``identity fqdn NAME`` names the peer; other identities but an address are kept as printed."""
    match (peer.text("identity") or "").split():
        case [] | ["address", *_]:
            return None
        case ["fqdn", name]:
            return name
        case words:
            return " ".join(words)


def _peer(section: Section) -> tuple[str | None, int | None]:
    """``192.0.2.1``, ``192.0.2.0 255.255.255.0`` or ``ipv6 2001:db8::/64``, with what may follow it.

    The peer of an IKEv2 keyring may be told by ``identity address`` alone.
    """
    printed = section.text("address") or ""
    if not printed and (identity := section.text("identity") or "").startswith("address "):
        printed = identity.removeprefix("address ")
    words = printed.removeprefix("ipv6 ").split()
    if not words:
        return None, None
    address, slash, length = words[0].partition("/")
    mask = length if slash else words[1] if len(words) > 1 else None
    if mask is not None and not (mask.isdigit() or mask.count(".") == 3):
        mask = None  # "no-xauth"
    try:
        return values.address(address), None if mask is None else values.prefix_length(mask)
    except ValueError as error:
        raise section.error("address", str(error)) from error


def _isakmp_profile(section: Section) -> IkeProfile:
    return IkeProfile(
        name=section.required("name", "the name of a profile"),
        ike_version=1,
        keyrings=_below(section, "keyrings", "keyring"),
        matches=_below(section, "matches", "match"),
        local_addresses=_below(section, "local_addresses", "address"),
        local_identity=section.text("identity"),
        vrf=section.text("vrf"),
        settings=_below(section, "settings", "setting"),
    )


def _ikev2_profile(section: Section) -> IkeProfile:
    return IkeProfile(
        name=section.required("name", "the name of a profile"),
        ike_version=2,
        keyrings=_below(section, "keyrings", "keyring"),
        matches=_below(section, "matches", "match"),
        local_addresses=_below(section, "local_addresses", "address"),
        local_identity=section.text("identity"),
        local_authentications=_below(section, "local_authentications", "method"),
        remote_authentications=_below(section, "remote_authentications", "method"),
        vrf=section.text("vrf"),
        lifetime_seconds=section.number("lifetime"),
        settings=_below(section, "settings", "setting"),
    )


def _words(text: str | None, read: Callable[[str], _Item]) -> tuple[_Item, ...]:
    return tuple(read(word) for word in (text or "").split())


def _ikev2_proposal(section: Section) -> Ikev2Proposal:
    return Ikev2Proposal(
        name=section.required("name", "the name of a proposal"),
        encryption=_words(section.text("encryption"), algorithms.encryption),
        integrity=_words(section.text("integrity"), algorithms.integrity),
        prf=_words(section.text("prf"), algorithms.integrity),
        dh_groups=section.value("group", algorithms.dh_groups) or (),
    )


def _ikev2_policy(section: Section) -> Ikev2Policy:
    name = section.required("name", "the name of a policy")
    return Ikev2Policy(
        name=name,
        priority=int(name) if name.isascii() and name.isdigit() else None,
        fvrf=section.text("fvrf"),
        local_addresses=_below(section, "local_addresses", "address"),
        proposals=_below(section, "proposals", "proposal"),
        encryption=_words(section.text("encryption"), algorithms.encryption),
        integrity=_words(section.text("integrity"), algorithms.integrity),
        prf=_words(section.text("prf"), algorithms.integrity),
        dh_groups=section.value("group", algorithms.dh_groups) or (),
        lifetime_seconds=section.number("lifetime"),
    )


def _transform_sets(table: Table) -> Iterator[TransformSet]:
    """Transform sets; the mode of an ASA's is a line of its own, its IKEv2 proposals are sections."""
    modes = {
        line.text("name"): line.text("mode") for line in table.sections.get("transform_modes", ())
    }
    for section in _found(table, "transform_sets", "ipsec_proposals"):
        name = section.required("name", "the name of a transform set")
        mode = section.text("mode") or modes.get(name)
        version = section.text("version")
        yield TransformSet(
            name=name,
            transforms=section.value("transforms", algorithms.transforms) or (),
            mode=values.sa_mode((mode,)) if mode else None,
            ike_version=int(version[-1]) if version else None,
            encryption=_words(section.text("encryption"), algorithms.encryption),
            integrity=_words(section.text("integrity"), algorithms.integrity),
        )


def _ipsec_profile(section: Section) -> IpsecProfile:
    read = _settings(section)
    return IpsecProfile(
        name=section.required("name", "the name of a profile"),
        description=read.description,
        isakmp_profile=read.isakmp_profile,
        ikev2_profile=read.ikev2_profile,
        lifetime_seconds=read.lifetime_seconds,
        lifetime_kilobytes=read.lifetime_kilobytes,
        volume_rekey_disabled=read.volume_rekey_disabled,
        idle_seconds=read.idle_seconds,
        has_pfs=read.has_pfs,
        dh_group=read.dh_group,
        transform_sets=tuple(read.transform_sets),
        ikev2_proposals=tuple(read.ikev2_proposals),
        is_responder_only=read.is_responder_only,
        settings=tuple(read.settings),
    )


@dataclass(slots=True)
class _Entry:
    """One sequence number of a map while its lines come in."""

    name: str
    sequence: int | None
    is_dynamic: bool
    kind: str | None = None
    dynamic_map: str | None = None
    ipsec_profile: str | None = None
    read: _Settings = field(default_factory=_Settings)

    def record(self, interfaces: tuple[str, ...]) -> CryptoMapEntry:
        read = self.read
        return CryptoMapEntry(
            name=self.name,
            sequence=self.sequence,
            kind=self.kind,
            description=read.description,
            is_dynamic=self.is_dynamic,
            dynamic_map=self.dynamic_map,
            peers=tuple(read.peers),
            default_peer=read.default_peer,
            access_list=read.access_list,
            isakmp_profile=read.isakmp_profile,
            ikev2_profile=read.ikev2_profile,
            ipsec_profile=self.ipsec_profile,
            lifetime_seconds=read.lifetime_seconds,
            lifetime_kilobytes=read.lifetime_kilobytes,
            volume_rekey_disabled=read.volume_rekey_disabled,
            idle_seconds=read.idle_seconds,
            has_pfs=read.has_pfs,
            dh_group=read.dh_group,
            transform_sets=tuple(read.transform_sets),
            ikev2_proposals=tuple(read.ikev2_proposals),
            is_responder_only=read.is_responder_only,
            has_reverse_route=read.has_reverse_route,
            interfaces=interfaces,
            settings=tuple(read.settings),
        )


def _crypto_maps(table: Table) -> Iterator[CryptoMapEntry]:
    """Sections of IOS and lines of ASA, those of one sequence number put together."""
    entries: dict[tuple[str, str, int | None], _Entry] = {}
    for section in _found(table, "crypto_maps", "crypto_map_lines"):
        map_kind = section.required("map", "map or dynamic-map")
        name = section.required("name", "the name of a crypto map")
        sequence = section.number("sequence")
        entry = entries.setdefault(
            (map_kind, name, sequence), _Entry(name, sequence, map_kind == "dynamic-map")
        )
        if setting := section.text("setting"):
            _add_setting(entry, setting)
        if setting := section.text("no_setting"):
            entry.read.settings.append(f"no {setting}")
        for line in section.sections("settings"):
            _add_setting(entry, line.required("setting", "a setting"))
    applied = {name: tuple(interfaces) for name, interfaces in _applied(table).items()}
    for entry in entries.values():
        yield entry.record(() if entry.is_dynamic else applied.get(entry.name, ()))


_KIND = re.compile(r"(ipsec-\S+|gdoi|cisco)(?: dynamic (\S+))?(?: profile (\S+))?((?: discover)?)")


def _add_setting(entry: _Entry, setting: str) -> None:
    if match := _KIND.fullmatch(setting):
        entry.kind, entry.dynamic_map, entry.ipsec_profile, _ = match.groups()
    else:
        entry.read.add(setting)


def _applied(table: Table) -> dict[str, list[str]]:
    """Crypto map -> the interfaces it is applied to."""
    applied: dict[str, list[str]] = {}
    for interface in table.sections.get("interfaces", ()):
        for crypto_map in _map_names(interface):
            applied.setdefault(crypto_map, []).append(interface.required("name", "an interface"))
    for line in table.sections.get("crypto_map_interfaces", ()):
        crypto_map = line.required("name", "a crypto map")
        applied.setdefault(crypto_map, []).append(line.required("interface", "an interface"))
    return applied


def _map_names(interface: Section) -> tuple[str, ...]:
    """``crypto map SITES redundancy HA`` -> ``SITES``."""
    return tuple(words.split()[0] for words in _below(interface, "crypto_maps", "crypto_map"))


def _interfaces(table: Table) -> Iterator[CryptoInterface]:
    for section in table.sections.get("interfaces", ()):
        protection = (section.text("protection") or "").split()
        yield CryptoInterface(
            name=section.required("name", "an interface"),
            description=section.text("description"),
            vrf=section.text("vrf"),
            addresses=tuple(
                line.value("address", _interface_address) or ""
                for line in section.sections("addresses")
            ),
            unnumbered=section.text("unnumbered"),
            is_shutdown=section.text("shutdown") is not None,
            crypto_maps=_map_names(section),
            tunnel_source=section.value("tunnel_source", values.address),
            tunnel_destination=section.value("tunnel_destination", values.address),
            tunnel_mode=section.text("tunnel_mode"),
            tunnel_vrf=section.text("tunnel_vrf"),
            tunnel_protection=protection[0] if protection else None,
            ikev2_profile=_word_behind(protection, "ikev2-profile"),
            is_protection_shared="shared" in protection[1:],
        )
    applied: dict[str, list[str]] = {}
    for line in table.sections.get("crypto_map_interfaces", ()):
        name = line.required("interface", "an interface")
        applied.setdefault(name, []).append(line.required("name", "a crypto map"))
    for name, crypto_maps in applied.items():
        yield CryptoInterface(name=name, crypto_maps=tuple(crypto_maps))


def _word_behind(words: Sequence[str], word: str) -> str | None:
    at = words.index(word) + 1 if word in words else len(words)
    return words[at] if at < len(words) else None


def _interface_address(text: str) -> str:
    """``192.0.2.1 255.255.255.0`` or ``2001:db8::1/64`` -> ``192.0.2.1/24``."""
    address, _, mask = text.replace("/", " ").partition(" ")
    return f"{values.address(address)}/{values.prefix_length(mask.strip())}"


_NUMBERED = re.compile(r"(?:sequence )?(\d+) (.+)|(.+?) sequence (\d+)")


def _access_lists(table: Table) -> Iterator[AccessList]:
    """Named lists are sections, numbered lists lines that repeat the number."""
    entries: dict[tuple[str, str | None], list[AccessEntry]] = {}
    for section in _found(table, "access_lists", "access_list_lines"):
        name = section.required("name", "the name of an access list")
        found = entries.setdefault((name, _access_list_kind(name, section.text("kind"))), [])
        texts = [section.text("entry"), *_below(section, "entries", "entry")]
        found += [_access_entry(text) for text in texts if text]
    for (name, kind), found in entries.items():
        yield AccessList(name=name, kind=kind, entries=tuple(found))


def _access_list_kind(name: str, kind: str | None) -> str | None:
    """A numbered list does not say its kind: 1-99 and 1300-1999 are standard."""
    if kind or not name.isdigit():
        return kind
    return "standard" if int(name) < 100 or 1300 <= int(name) < 2000 else "extended"


def _access_entry(text: str) -> AccessEntry:
    match = _NUMBERED.fullmatch(text)
    if match is None or (match[1] is None and not text.startswith(("permit", "deny"))):
        return access_entry(text)
    return replace(access_entry(match[2] or match[3]), sequence=int(match[1] or match[4]))
