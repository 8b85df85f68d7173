"""Rows of the configuration-side show commands -> their records.

``show crypto map``, whose entries each close with the brace of their transform sets and whose maps each close with
the list of interfaces they are applied to::

    Crypto Map IPv4 "SITES" 10 ipsec-isakmp
            Peer = 192.0.2.1
            Extended IP access list SITE1
                access-list SITE1 permit ip 10.1.1.0 0.0.0.255 10.2.2.0 0.0.0.255
            Security association lifetime: 4608000 kilobytes/3600 seconds
            PFS (Y/N): Y
            DH group:  group14
            Transform sets={
                    STRONG:  { esp-256-aes esp-sha256-hmac  } ,
            }
            Interfaces using crypto map SITES:
                    GigabitEthernet0/0

A dynamic map's entry has no braces, only ``Dynamic map template tag:``. Policies, proposals, transform sets,
profiles, access lists and keys follow below, each with the lines it is read from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from ipsecmon_parsers import algorithms, values
from ipsecmon_parsers.access_entries import access_entry
from ipsecmon_parsers.blocks import refuse_a_cut_line
from ipsecmon_parsers.engines import Row, Table
from ipsecmon_parsers.records import (
    AccessEntry,
    AccessList,
    CryptoMapEntry,
    Ikev2Policy,
    Ikev2Proposal,
    IpsecProfile,
    IsakmpKey,
    IsakmpPolicy,
    Platform,
    TransformSet,
)

__all__ = [
    "build_access_lists",
    "build_asa_access_lists",
    "build_crypto_maps",
    "build_ikev2_policies",
    "build_ikev2_proposals",
    "build_ipsec_profiles",
    "build_isakmp_keys",
    "build_isakmp_policies",
    "build_transform_sets",
]

_Value = TypeVar("_Value")

_CLOSING = "the closing brace of 'Transform sets={' of every entry"
# how a last line ends that needs no line end behind it: nothing can follow that is part of it
_WHOLE = re.compile(
    r"""
      \}[ ]?,?[ ]*$                                            # braces
    | Interfaces[ ]using[ ]crypto[ ]map[ ]\S+:$
    | no[ ]volume[ ]limit$ | [ ]Optional$ | \*\*\*$ | \([Dd]ynamic\)$
    | \(\d+[ ]match(?:es)?\)$
    | \(hitcnt=\d+\)(?:[ ]\(.*\))?[ ]0x[0-9a-f]{8}[ ]*$ | name[ ]hash:[ ]0x[0-9a-f]{8}$
    """,
    re.VERBOSE,
)
_APPLIED = "'Interfaces using crypto map', which closes every map"


@dataclass(frozen=True, slots=True)
class _Lines:
    """The rows that one heading opened; each holds what one line printed."""

    rows: Sequence[Row]

    @property
    def heading(self) -> Row:
        return self.rows[0]

    def holding(self, name: str) -> Iterator[Row]:
        return (row for row in self.rows if row.text(name) is not None)

    def row(self, name: str) -> Row | None:
        return next(self.holding(name), None)

    def has(self, name: str) -> bool:
        return self.row(name) is not None

    def text(self, name: str) -> str | None:
        row = self.row(name)
        return row.text(name) if row else None

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(text for row in self.rows if (text := row.text(name)) is not None)

    def number(self, name: str) -> int | None:
        row = self.row(name)
        return row.number(name) if row else None

    def value(self, name: str, read: Callable[[str], _Value]) -> _Value | None:
        row = self.row(name)
        return row.value(name, read) if row else None

    def yes(self, name: str) -> bool | None:
        text = self.text(name)
        return None if text is None else text == "Y"

    def transform_sets(self) -> tuple[TransformSet, ...]:
        return tuple(
            TransformSet(
                name=row.required("SET_NAME", "the name of a transform set"),
                transforms=row.value("SET_TRANSFORMS", algorithms.transforms) or (),
            )
            for row in self.holding("SET_NAME")
        )


def _blocks(table: Table, openers: Sequence[str]) -> Iterator[_Lines]:
    """The rows in blocks, each opened by a row that holds one of ``openers``."""
    opened: list[Row] = []
    for row in table:
        if any(row.text(name) is not None for name in openers):
            if opened:
                yield _Lines(opened)
            opened = [row]
        elif opened:
            opened.append(row)
        else:
            raise row.error("the heading of a block before its lines")
    if opened:
        yield _Lines(opened)


def build_crypto_maps(table: Table, _: Platform) -> tuple[CryptoMapEntry, ...]:
    """The entries of all crypto maps; a map that is applied nowhere has entries without interfaces.

    ``Truncated`` where the last entry has no closing brace or its map no list of interfaces.
    """
    entries: list[CryptoMapEntry] = []
    applied: dict[str, list[str]] = {}
    local_addresses: dict[str, str | None] = {}
    may_be_cut = False
    bare_list: int | None = None
    for block in _blocks(table, ("NAME", "APPLIED", "MAP")):
        bare_list = None
        if name := block.text("MAP"):
            local_addresses[name] = block.value("LOCAL_ADDRESS", values.address)
        elif name := block.text("APPLIED"):
            applied.setdefault(name, []).extend(block.texts("INTERFACE"))
            bare_list = None if applied[name] else block.heading.last_line
        else:
            table.made_of(block.heading, block.rows[-1])
            may_be_cut = not (block.has("CLOSED") or block.has("DYNAMIC_MAP"))
            entries.append(_crypto_map_entry(block))
    if entries and not table.complete:
        last = entries[-1]
        if may_be_cut:
            raise table.truncated(_CLOSING, _whole(len(entries) - 1, "entry", "entries"))
        if last.name not in applied:
            raise table.truncated(_APPLIED, _whole(len(entries), "entry", "entries"))
        refuse_a_cut_line(table, _WHOLE, _whole(len(entries), "entry", "entries"))
        # behind a map that is applied nowhere the device prints a blank line
        if bare_list == len(table.lines) - 1:
            raise table.truncated(
                "an interface, or a blank line", _whole(len(entries), "entry", "entries")
            )
    interfaces = {name: tuple(found) for name, found in applied.items()}
    return tuple(
        replace(
            entry,
            interfaces=interfaces.get(entry.name, ()),
            local_address=local_addresses.get(entry.name),
        )
        for entry in entries
    )


def _crypto_map_entry(block: _Lines) -> CryptoMapEntry:
    peers = tuple(values.address(peer) for peer in block.texts("PEER"))
    dh_group = block.value("DH_GROUP", algorithms.dh_group)
    return CryptoMapEntry(
        name=block.heading.required("NAME", "the name of a crypto map"),
        sequence=block.heading.number("SEQUENCE"),
        kind=block.heading.text("KIND"),
        description=block.text("DESCRIPTION"),
        is_incomplete=block.has("INCOMPLETE"),
        is_profile_instance=block.has("INSTANCE"),
        dynamic_map=block.text("DYNAMIC_MAP"),
        created_from=block.text("CREATED_FROM"),
        peers=peers,
        default_peer=next((row.text("PEER") for row in block.holding("DEFAULT_PEER")), None),
        current_peer=block.value("CURRENT_PEER", values.address),
        access_list=block.text("ACCESS_LIST"),
        access_entries=tuple(access_entry(text) for text in block.texts("ENTRY")),
        isakmp_profile=block.text("ISAKMP_PROFILE"),
        ikev2_profile=block.text("IKEV2_PROFILE"),
        ipsec_profile=block.text("PROFILE"),
        lifetime_seconds=block.number("SECONDS"),
        lifetime_kilobytes=block.number("KILOBYTES"),
        volume_rekey_disabled=block.has("VOLUME_REKEY"),
        idle_seconds=block.number("IDLE"),
        has_pfs=block.yes("PFS"),
        dh_group=dh_group,
        transform_sets=block.transform_sets(),
        is_responder_only=block.yes("RESPONDER_ONLY"),
        is_dualstack=block.yes("DUALSTACK"),
        mixed_mode=block.text("MIXED_MODE"),
        has_reverse_route=_enabled(block.text("REVERSE_ROUTE")),
    )


def _enabled(word: str | None) -> bool | None:
    return None if word is None else word == "Enabled"


def build_ipsec_profiles(table: Table, _: Platform) -> tuple[IpsecProfile, ...]:
    """The profiles of ``show crypto ipsec profile``; each closes with the brace of its transform sets."""
    profiles: list[IpsecProfile] = []
    is_closed = True
    for block in _blocks(table, ("NAME",)):
        table.made_of(block.heading, block.rows[-1])
        is_closed = block.has("CLOSED")
        profiles.append(_ipsec_profile(block))
    if not is_closed and not table.complete:
        raise table.truncated(_CLOSING, _whole(len(profiles) - 1, "profile", "profiles"))
    refuse_a_cut_line(table, _WHOLE, _whole(len(profiles) - 1, "profile", "profiles"))
    return tuple(profiles)


def _ipsec_profile(block: _Lines) -> IpsecProfile:
    return IpsecProfile(
        name=block.heading.required("NAME", "the name of a profile"),
        description=block.text("DESCRIPTION"),
        isakmp_profile=block.text("ISAKMP_PROFILE"),
        ikev2_profile=block.text("IKEV2_PROFILE"),
        lifetime_seconds=block.number("SECONDS"),
        lifetime_kilobytes=block.number("KILOBYTES"),
        volume_rekey_disabled=block.has("VOLUME_REKEY"),
        idle_seconds=block.number("IDLE"),
        has_pfs=block.yes("PFS"),
        dh_group=block.value("DH_GROUP", algorithms.dh_group),
        transform_sets=block.transform_sets(),
        is_responder_only=block.yes("RESPONDER_ONLY"),
        is_dualstack=block.yes("DUALSTACK"),
        mixed_mode=block.text("MIXED_MODE"),
    )


def build_isakmp_policies(table: Table, _: Platform) -> tuple[IsakmpPolicy, ...]:
    """The protection suites, each closed by its lifetime::

    Protection suite of priority 10
            encryption algorithm:   AES - Advanced Encryption Standard (256 bit keys).
            hash algorithm:         Secure Hash Standard 2 (256 bit)
            authentication method:  Pre-Shared Key
            Diffie-Hellman group:   #14 (2048 bit)
            lifetime:               86400 seconds, no volume limit
    """
    policies: list[IsakmpPolicy] = []
    for row in table:
        if row.text("SECONDS") is None and row is table.rows[-1] and not table.complete:
            raise table.truncated(
                "the lifetime that closes every suite", _whole(len(policies), "suite", "suites")
            )
        table.made_of(row, row)
        policies.append(
            IsakmpPolicy(
                priority=row.number("PRIORITY"),
                is_default=row.text("DEFAULT") is not None,
                encryption=row.value("ENCRYPTION", algorithms.encryption),
                hash=row.value("HASH", algorithms.integrity),
                authentication=row.value("AUTHENTICATION", algorithms.authentication),
                dh_group=row.value("DH_GROUP", algorithms.dh_group),
                lifetime_seconds=row.number("SECONDS"),
                lifetime_kilobytes=row.number("KILOBYTES"),
            )
        )
    refuse_a_cut_line(table, _WHOLE, _whole(len(policies) - 1, "suite", "suites"))
    return tuple(policies)


def build_ikev2_proposals(table: Table, _: Platform) -> tuple[Ikev2Proposal, ...]:
    """The proposals, each closed by its groups (IOS-XE 17 may add a line)::

    IKEv2 proposal: default
        Encryption : AES-CBC-256 AES-CBC-192 AES-CBC-128
        Integrity  : SHA512 SHA384 SHA256 SHA96 MD596
        PRF        : SHA512 SHA384 SHA256 SHA1 MD5
        DH Group   : DH_GROUP_1536_MODP/Group 5 DH_GROUP_1024_MODP/Group 2
        PQC Key Exchange: ML-KEM-768 ML-KEM-1024 Optional
    """
    proposals: list[Ikev2Proposal] = []
    for row in table:
        if row.text("DH_GROUP") is None and row is table.rows[-1] and not table.complete:
            raise table.truncated(
                "the DH groups that close every proposal",
                _whole(len(proposals), "proposal", "proposals"),
            )
        table.made_of(row, row)
        pqc = row.value("PQC", algorithms.names) or ()
        proposals.append(
            Ikev2Proposal(
                name=row.required("NAME", "the name of a proposal"),
                encryption=_each(row.text("ENCRYPTION"), algorithms.encryption),
                integrity=_each(row.text("INTEGRITY"), algorithms.integrity),
                prf=_each(row.text("PRF"), algorithms.integrity),
                dh_groups=row.value("DH_GROUP", algorithms.dh_groups) or (),
                pqc_key_exchange=tuple(word for word in pqc if word != "Optional"),
                is_pqc_optional="Optional" in pqc if pqc else None,
            )
        )
    refuse_a_cut_line(table, _WHOLE, _whole(len(proposals) - 1, "proposal", "proposals"))
    return tuple(proposals)


def _each(text: str | None, read: Callable[[str], str]) -> tuple[str, ...]:
    return tuple(read(word) for word in (text or "").split() if word.lower() != "none")


def build_ikev2_policies(table: Table, _: Platform) -> tuple[Ikev2Policy, ...]:
    """The policies, each closed by its proposals::

    IKEv2 policy : default
         Match fvrf : any
         Match address local : any
         Proposal    : default
    """
    blocks = tuple(_blocks(table, ("NAME",)))
    for block in blocks:
        table.made_of(block.heading, block.rows[-1])
    policies = tuple(
        Ikev2Policy(
            name=block.heading.required("NAME", "the name of a policy"),
            fvrf=block.text("FVRF"),
            local_addresses=tuple(map(values.address, block.texts("LOCAL_ADDRESS"))),
            proposals=block.texts("PROPOSAL"),
        )
        for block in blocks
    )
    if policies and not policies[-1].proposals and not table.complete:
        raise table.truncated(
            "the proposal of the policy", _whole(len(policies) - 1, "policy", "policies")
        )
    refuse_a_cut_line(table, _WHOLE, _whole(len(policies) - 1, "policy", "policies"))
    return policies


def build_transform_sets(table: Table, _: Platform) -> tuple[TransformSet, ...]:
    """The transform sets, each closed by its mode::

    Transform set STRONG: { esp-256-aes esp-sha256-hmac  }
       will negotiate = { Tunnel,  },
    """
    sets: list[TransformSet] = []
    for row in table:
        if row.text("MODE") is None and row is table.rows[-1] and not table.complete:
            raise table.truncated("the mode of the set", _whole(len(sets), "set", "sets"))
        table.made_of(row, row)
        mode = row.text("MODE")
        sets.append(
            TransformSet(
                name=row.required("NAME", "the name of a transform set"),
                transforms=row.value("TRANSFORMS", algorithms.transforms) or (),
                mode=values.sa_mode((mode,)) if mode else None,
            )
        )
    refuse_a_cut_line(table, _WHOLE, _whole(len(sets) - 1, "set", "sets"))
    return tuple(sets)


def build_isakmp_keys(table: Table, _: Platform) -> tuple[IsakmpKey, ...]:
    """That keys exist, and for whom. A blank keyring means the keyring of the row above::

    Keyring      Hostname/Address                            Preshared Key

    default      192.0.2.1                                    ***
                 198.51.100.0   [255.255.255.0]               ***
    """
    keys: list[IsakmpKey] = []
    keyring: str | None = None
    for row in table:
        table.made_of(row, row)
        keyring = row.text("KEYRING") or keyring
        length = row.number("LENGTH")
        keys.append(
            IsakmpKey(
                keyring=keyring,
                address=row.value("ADDRESS", values.address),
                prefix_length=row.value("MASK", _key_mask) if length is None else length,
                hostname=row.text("HOSTNAME"),
            )
        )
    refuse_a_cut_line(table, _WHOLE, _whole(len(keys) - 1, "key", "keys"))
    return tuple(keys)


def _key_mask(text: str) -> int:
    """``255.255.255.0``, or the prefix an IPv6 key is for."""
    return values.prefix_length(text.rpartition("/")[2])


def build_access_lists(table: Table, _: Platform) -> tuple[AccessList, ...]:
    """The lists of ``show [ip] access-lists`` and ``show ipv6 access-list``; a list may have no entries."""
    lists: list[AccessList] = []
    entries: list[AccessEntry] = []
    for row in table:
        if name := row.text("NAME"):
            _close(lists, entries)
            table.made_of(row)
            lists.append(
                AccessList(name=name, kind=_kind(row.text("KIND")), origin=row.text("ORIGIN"))
            )
        elif not lists:
            raise row.error("the heading of an access list before its entries")
        else:
            entries.append(_ios_entry(row))
    _close(lists, entries)
    refuse_a_cut_line(table, _WHOLE, _whole(len(lists) - 1, "list", "lists"))
    return tuple(lists)


def _close(lists: list[AccessList], entries: list[AccessEntry]) -> None:
    """Give the last list its entries."""
    if lists and entries:
        lists[-1] = replace(lists[-1], entries=(*lists[-1].entries, *entries))
        entries.clear()


def _kind(words: str | None) -> str | None:
    """``Extended IP`` -> ``extended``, ``IPv6`` -> ``ipv6``, ``IPv6 Role-based`` -> ``ipv6 role-based``."""
    return (words or "").lower().removesuffix(" ip") or None


def _ios_entry(row: Row) -> AccessEntry:
    return replace(
        access_entry(row.required("ENTRY", "an entry")),
        sequence=_first(row.number("SEQUENCE"), row.number("LAST_SEQUENCE")),
        hits=row.number("HITS"),
    )


def _first(*numbers: int | None) -> int | None:
    return next((number for number in numbers if number is not None), None)


def build_asa_access_lists(table: Table, _: Platform) -> tuple[AccessList, ...]:
    """The lists of ASA's ``show access-list``, whose entries repeat the name of their list::

    access-list VPN; 1 elements; name hash: 0x3402472e
    access-list VPN line 1 extended permit ip object-group A object-group B (hitcnt=1) 0x01150c9f
      access-list VPN line 1 extended permit ip host 192.0.2.1 host 198.51.100.1 (hitcnt=1) 0x7d179db4
    """
    lists: dict[str, AccessList] = {}
    entries: dict[str, list[AccessEntry]] = {}
    numbers: dict[str, set[int]] = {}
    for row in table:
        name = row.required("NAME", "the name of an access list")
        if name not in lists:
            table.made_of(row)
        known = lists.setdefault(name, AccessList(name=name, kind=None))
        if row.text("ENTRY") is None:
            lists[name] = replace(
                known, elements=row.number("ELEMENTS"), name_hash=row.text("NAME_HASH")
            )
            continue
        lists[name] = replace(known, kind=known.kind or row.text("KIND"))
        entry = _asa_entry(row)
        # what a group stands for repeats the number of its line; the indentation may be lost
        seen = numbers.setdefault(name, set())
        if entry.sequence in seen:
            entry = replace(entry, is_expanded=True)
        elif entry.sequence is not None:
            seen.add(entry.sequence)
        entries.setdefault(name, []).append(entry)
    refuse_a_cut_line(table, _WHOLE, _whole(len(lists) - 1, "list", "lists"))
    return tuple(
        replace(found, entries=tuple(entries.get(name, ()))) for name, found in lists.items()
    )


def _asa_entry(row: Row) -> AccessEntry:
    entry = access_entry(row.required("ENTRY", "an entry"), has_masks=True)
    return replace(
        entry,
        sequence=row.number("LINE"),
        hits=row.number("HITS"),
        last_hit=row.text("LAST_HIT"),
        is_inactive=entry.is_inactive or row.text("INACTIVE") is not None,
        is_expanded=row.text("INDENT") is not None,
        hash=row.text("HASH"),
    )


def _whole(count: int, one: str, several: str) -> str:
    count = max(0, count)
    return f"{count} {one if count == 1 else several} before it {'was' if count == 1 else 'were'} whole"
