"""``show crypto map``: the entries of a router's crypto map as records, and those as the text of its dialect.

What is printed is the configuration, but for the peer in use: with several permit lines that of the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network
from typing import Final

from ipsecmon.lab.associations import FlowState, RouterState
from ipsecmon.lab.topology import AccessListLine, CryptoMapEntry, Dialect, Router
from ipsecmon_parsers import records

__all__ = ["entries_of", "show_crypto_map"]

_RECORDED: Final = {"esp-aes 128": "esp-aes", "esp-gcm 128": "esp-gcm"}
_INDENT: Final = " " * 8


def entries_of(router: RouterState) -> tuple[records.CryptoMapEntry, ...]:
    """The entries in order of their sequence number, as a parser reads them back."""
    config = router.config
    in_use: dict[int, FlowState] = {}
    for flow in router.flows:
        in_use.setdefault(flow.entry.seq, flow)
    return tuple(
        _entry(config, entry, in_use.get(entry.seq))
        for entry in sorted(config.crypto_map.entries, key=lambda entry: entry.seq)
    )


def _entry(router: Router, entry: CryptoMapEntry, flow: FlowState | None) -> records.CryptoMapEntry:
    is_old = router.dialect == "ios-12.4"
    return records.CryptoMapEntry(
        name=router.crypto_map.name,
        sequence=entry.seq,
        kind="ipsec-isakmp",
        peers=tuple(str(peer) for peer in entry.all_peers),
        current_peer=flow.peer_address if flow is not None else str(entry.peer),
        access_list=entry.access_list,
        access_entries=tuple(
            _access_entry(line) for line in router.access_lists[entry.access_list]
        ),
        lifetime_seconds=router.sa_lifetime_seconds,
        lifetime_kilobytes=router.sa_lifetime_kilobytes,
        volume_rekey_disabled=router.sa_lifetime_kilobytes is None,
        idle_seconds=router.sa_idle_seconds,
        has_pfs=entry.pfs_group is not None,
        dh_group=entry.pfs_group,
        transform_sets=tuple(
            # 12.x prints the names alone
            records.TransformSet(name=name)
            if is_old
            else records.TransformSet(
                name=name,
                transforms=tuple(
                    _RECORDED.get(transform, transform)
                    for transform in router.transform_sets[name].transforms
                ),
            )
            for name in entry.transform_sets
        ),
        is_responder_only=None if is_old else False,
        is_dualstack=False if router.dialect == "iosxe-17" else None,
        mixed_mode=None if is_old else "Disabled",
        interfaces=(router.interface,),
    )


def _access_entry(line: AccessListLine) -> records.AccessEntry:
    source, destination = _side_text(line.source), _side_text(line.destination)
    return records.AccessEntry(
        text=f"permit {line.protocol} {source} {destination}",
        action="permit",
        protocol=line.protocol,
        source=_side(line.source),
        destination=_side(line.destination),
    )


def _side_text(network: IPv4Network) -> str:
    match network.prefixlen:
        case 0:
            return "any"
        case 32:
            return f"host {network.network_address}"
        case _:
            return f"{network.network_address} {network.hostmask}"


def _side(network: IPv4Network) -> records.AccessAddress:
    if network.prefixlen == 0:
        return records.AccessAddress(kind="any")
    return records.AccessAddress(
        kind="host" if network.prefixlen == 32 else "network",
        address=str(network.network_address),
        prefix_length=network.prefixlen,
    )


def show_crypto_map(entries: Sequence[records.CryptoMapEntry], dialect: Dialect) -> str:
    """``show crypto map``; a router whose map has no entry prints that it found none."""
    if not entries:
        return "No crypto maps found.\n"
    lines: list[str] = []
    for entry in entries:
        family = "" if dialect == "ios-12.4" else "IPv4 "
        lines.append(f'Crypto Map {family}"{entry.name}" {entry.sequence} {entry.kind}')
        lines += (_INDENT + line for line in _body(entry, dialect))
        lines.append("")
    lines.pop()
    last = entries[-1]
    lines.append(f"{_INDENT}Interfaces using crypto map {last.name}:")
    lines += (f"{_INDENT * 2}{interface}" for interface in last.interfaces)
    return "\n".join(lines) + "\n\n"


def _body(entry: records.CryptoMapEntry, dialect: Dialect) -> list[str]:
    lines = [f"Peer = {peer}" for peer in entry.peers]
    if dialect == "iosxe-17":
        lines.append("Access-List SS dynamic: False")
    lines.append(f"Extended IP access list {entry.access_list}")
    lines += (f"    access-list {entry.access_list} {line.text}" for line in entry.access_entries)
    lines.append(f"Current peer: {entry.current_peer}")
    if entry.volume_rekey_disabled:
        lines += (
            "Kilobyte Volume Rekey has been disabled.",
            f"Security association lifetime:{entry.lifetime_seconds} seconds",
        )
    else:
        lines.append(
            f"Security association lifetime: {entry.lifetime_kilobytes} kilobytes/"
            f"{entry.lifetime_seconds} seconds"
        )
    if entry.idle_seconds is not None:
        lines.append(f"Security association idletime: {entry.idle_seconds} seconds")
    if entry.is_dualstack is not None:
        lines += (f"Dualstack (Y/N): {_yes(entry.is_dualstack)}", "")
    if entry.is_responder_only is not None:
        lines.append(f"Responder-Only (Y/N): {_yes(entry.is_responder_only)}")
    lines.append(f"PFS (Y/N): {_yes(entry.has_pfs)}")
    if entry.dh_group is not None:
        lines.append(f"DH group:  group{entry.dh_group}")
    if entry.mixed_mode is not None:
        lines.append(f"Mixed-mode : {entry.mixed_mode}")
    lines.append("Transform sets={")
    lines += (f"{_INDENT}{_transform_set(each)}" for each in entry.transform_sets)
    lines.append("}")
    return lines


def _transform_set(transform_set: records.TransformSet) -> str:
    if not transform_set.transforms:
        return f"{transform_set.name},"
    words = " ".join(_printed(transform) for transform in transform_set.transforms)
    return f"{transform_set.name}:  {{ {words}  }} ,"


def _printed(transform: str) -> str:
    """``esp-aes 256`` is printed ``esp-256-aes``, but ``esp-gcm 256`` as it is configured."""
    cipher, _, bits = transform.partition(" ")
    return f"esp-{bits}-aes" if cipher == "esp-aes" and bits else transform


def _yes(value: bool | None) -> str:
    return "Y" if value else "N"
