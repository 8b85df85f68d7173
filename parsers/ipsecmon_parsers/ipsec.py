"""Rows of ``show crypto ipsec sa`` -> ``Flow`` records.

A flow opens with its idents and closes with the heading ``outbound pcp sas:``, the last line the device
prints of it whether SAs exist or not. What lies between may be cut anywhere without looking cut (870
seconds become 87), so a flow without that heading is ``Truncated`` and nothing of the output is returned::

    protected vrf: (none)
    local  ident (addr/mask/prot/port): (10.1.1.0/255.255.255.0/0/0)
    remote ident (addr/mask/prot/port): (10.2.2.0/255.255.255.0/0/0)
    current_peer 123.1.1.2 port 500
    ...
     inbound esp sas:
      spi: 0xBDD4C094(3184836756)
    ...
     outbound pcp sas:
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import fields, replace
from functools import lru_cache
from typing import Any

from ipsecmon_parsers import values
from ipsecmon_parsers.engines import Row, Table
from ipsecmon_parsers.errors import ParserError
from ipsecmon_parsers.flow_blocks import CLOSING, asa_flow_blocks, flow_blocks
from ipsecmon_parsers.making import maker
from ipsecmon_parsers.records import (
    Direction,
    Flow,
    FlowKind,
    Ident,
    IpsecSa,
    IpsecSaCount,
    Platform,
    Protocol,
    SaMode,
)

__all__ = ["build_asa_flows", "build_flows", "build_ipsec_sa_count"]


def build_flows(table: Table, platform: Platform) -> tuple[Flow, ...]:
    """All flows of the listing of a router, each whole; ``platform`` is only noted in the record."""
    flows: list[Flow] = []
    reader = _Reader(table, platform)
    for block in flow_blocks(table):
        if block.is_cut:
            raise table.truncated(CLOSING, _last_whole(flows))
        table.made_of(block.opened)
        flows.append(reader.flow(block.opened, tuple([reader.sa(row) for row in block.sas])))
    return _with_multipoint_tunnels(flows)


def build_asa_flows(table: Table, platform: Platform) -> tuple[Flow, ...]:
    """All flows of the listing of an ASA, in the same record."""
    flows: list[Flow] = []
    reader = _Reader(table, platform)
    for block in asa_flow_blocks(table):
        if block.is_cut:
            raise table.truncated("the last line of the last outbound SA", _last_whole(flows))
        table.made_of(block.opened)
        flows.append(reader.asa_flow(block.opened, tuple([reader.sa(row) for row in block.sas])))
    return tuple(flows)


def _last_whole(flows: list[Flow]) -> str:
    if not flows:
        return "no flow was whole"
    last = flows[-1]
    return f"the last whole flow is {last.local_ident} to {last.remote_ident} ({len(flows)} in all)"


def _is_enabled(word: str | None) -> bool | None:
    return None if word is None else word == "enabled"


_COUNTERS = tuple(
    one.name
    for one in fields(Flow)
    if one.name.endswith(("_packets", "_errors", "_sent", "_received", "_created"))
    or one.name.startswith(("pre_frag_", "frags_"))
)
_FLOW_COLUMNS = (
    "INTERFACE",
    "CRYPTO_MAP",
    "LOCAL_ADDRESS",
    "VRF",
    "PEER_PORT",
    "ACTION",
    "FLAGS",
    "LOCAL_ENDPOINT",
    "REMOTE_ENDPOINT",
    "PATH_MTU",
    "IP_MTU",
    "PLAINTEXT_MTU",
    "MTU_INTERFACE",
    "PFS",
    "DH_GROUP",
    "KEY_EXCHANGE",
    "GROUP",
    "IPSECV6_POLICY",
    "ACCESS_LIST",
)
_SA_COLUMNS = (
    "DIRECTION",
    "PROTOCOL",
    "SPI",
    "TRANSFORM",
    "SETTINGS",
    "CONN_ID",
    "FLOW_ID",
    "SLOT",
    "SIBLING_FLAGS",
    "SA_CRYPTO_MAP",
    "INITIATOR",
    "TIMING",
    "NO_TIMING",
    "VOLUME_REKEY",
    "IV_SIZE",
    "REPLAY",
    "REPLAY_WINDOW",
    "STATUS",
)
# the fields of the records, in the order in which _Reader.flow and _Reader.sa give their values
_FLOW_FIELDS = (
    "platform",
    "kind",
    "interface",
    "crypto_map",
    "local_address",
    "protected_vrf",
    "local_ident",
    "remote_ident",
    "peer",
    "peer_port",
    "action",
    "flags",
    "acl_origin",
    "local_endpoint",
    "remote_endpoint",
    "path_mtu_bytes",
    "ip_mtu_bytes",
    "plaintext_mtu_bytes",
    "mtu_interface",
    "current_outbound_spi",
    "pfs",
    "dh_group",
    "key_exchange",
    "group",
    "ipsecv6_policy",
    "access_list",
    "sas",
)
_SA_FIELDS = (
    "direction",
    "protocol",
    "spi",
    "transform",
    "mode",
    "settings",
    "nat_t",
    "conn_id",
    "flow_id",
    "slot",
    "sibling_flags",
    "crypto_map",
    "initiator",
    "remaining_kilobytes",
    "remaining_seconds",
    "volume_rekey_disabled",
    "never_expires",
    "iv_size_bytes",
    "replay_detection",
    "replay_window",
    "status",
)
_make_sa = maker(IpsecSa, _SA_FIELDS)
_DIRECTIONS = {one.value: one for one in Direction}
_PROTOCOLS = {one.value: one for one in Protocol}


class _Reader:
    """Makes the records of one listing; a hub has thousands, so columns are found once and read together."""

    def __init__(self, table: Table, platform: Platform) -> None:
        self._platform = platform
        # a counter the template does not know stays None; its column has the field's name in capitals
        self._counter_names = [name for name in _COUNTERS if name.upper() in table.columns]
        self._make_flow = maker(Flow, (*_FLOW_FIELDS, *self._counter_names))
        self._counters = table.picker([name.upper() for name in self._counter_names])
        self._flow_texts = table.picker(_FLOW_COLUMNS)
        self._sa_texts = table.picker(_SA_COLUMNS)
        self._idents = {side: table.picker(names) for side, names in _IDENT_COLUMNS.items()}

    def flow(self, row: Row, sas: tuple[IpsecSa, ...]) -> Flow:
        try:
            return self._flow(row, sas)
        except ParserError:
            raise
        except ValueError:
            row.value("CURRENT_OUTBOUND_SPI", values.spi)
            # a template of the user's may capture something else than digits
            _refuse_numbers(row, (*_FLOW_NUMBERS, *(name.upper() for name in self._counter_names)))
            raise

    def _flow(self, row: Row, sas: tuple[IpsecSa, ...]) -> Flow:
        (
            interface,
            crypto_map,
            local_address,
            vrf,
            peer_port,
            action,
            flags_text,
            local_endpoint,
            remote_endpoint,
            path_mtu,
            ip_mtu,
            plaintext_mtu,
            mtu_interface,
            pfs,
            dh_group,
            key_exchange,
            group,
            ipsecv6_policy,
            access_list,
        ) = self._flow_texts(row)
        flags = values.flags(flags_text)
        acl_origin = "origin_is_acl" in flags if action else None
        outbound_spi = row.required("CURRENT_OUTBOUND_SPI", "the current outbound spi of the flow")
        local_ident = self._ident(row, "LOCAL")
        port = int(peer_port) if peer_port else None
        return self._make_flow(
            (
                self._platform,
                _kind(
                    _unless_none(crypto_map) or "",
                    group,
                    port,
                    local_ident,
                    mtu_interface,
                    acl_origin,
                ),
                interface or None,
                _unless_none(crypto_map),
                local_address or None,
                values.vrf(vrf),
                local_ident,
                self._ident(row, "REMOTE"),
                row.required("PEER", "current_peer with its address"),
                port,
                action or None,
                flags,
                acl_origin,
                local_endpoint or None,
                remote_endpoint or None,
                int(path_mtu) if path_mtu else None,
                int(ip_mtu) if ip_mtu else None,
                int(plaintext_mtu) if plaintext_mtu else None,
                _unless_none(mtu_interface),
                values.spi(outbound_spi),
                pfs == "Y" if pfs else None,
                _unless_none(dh_group),
                key_exchange or None,
                group or None,
                ipsecv6_policy or None,
                access_list or None,
                sas,
                *self._counters_of(row),
            )
        )

    def asa_flow(self, row: Row, sas: tuple[IpsecSa, ...]) -> Flow:
        """ASA prints a flow only while it has SAs, and not every release prints peer and current SPIs."""
        counters: dict[str, Any] = dict(
            zip(self._counter_names, self._counters_of(row), strict=True)
        )
        flow = Flow(
            platform=self._platform,
            interface=row.text("INTERFACE"),
            crypto_map=_unless_none(row.text("CRYPTO_MAP")),
            crypto_map_seq=row.number("CRYPTO_MAP_SEQ"),
            local_address=row.text("LOCAL_ADDRESS"),
            protected_vrf=values.vrf(row.text("VRF") or ""),
            local_ident=self._ident(row, "LOCAL"),
            remote_ident=self._ident(row, "REMOTE"),
            peer=row.text("PEER"),
            peer_port=None,
            local_endpoint=row.text("LOCAL_ENDPOINT"),
            remote_endpoint=row.text("REMOTE_ENDPOINT"),
            local_endpoint_port=row.number("LOCAL_ENDPOINT_PORT"),
            remote_endpoint_port=row.number("REMOTE_ENDPOINT_PORT"),
            path_mtu_bytes=row.number("PATH_MTU"),
            current_outbound_spi=row.value("CURRENT_OUTBOUND_SPI", values.spi),
            current_inbound_spi=row.value("CURRENT_INBOUND_SPI", values.spi),
            ipsec_overhead_bytes=row.number("IPSEC_OVERHEAD"),
            media_mtu_bytes=row.number("MEDIA_MTU"),
            pmtu_time_remaining_seconds=row.number("PMTU_TIME_REMAINING"),
            df_policy=row.text("DF_POLICY"),
            is_icmp_error_validation_enabled=_is_enabled(row.text("ICMP_ERROR_VALIDATION")),
            is_tfc_enabled=_is_enabled(row.text("TFC_PACKETS")),
            access_list=row.text("ACCESS_LIST"),
            dynamic_peer_address=row.text("DYNAMIC_PEER"),
            username=row.text("USERNAME"),
            sas=sas,
            **counters,
        )
        return replace(flow, kind=_asa_kind(flow))

    def _ident(self, row: Row, side: str) -> Ident:
        parts = self._idents[side](row)
        if not all(parts):
            raise row.error(f"the {side.lower()} ident (addr/mask/prot/port)")
        try:
            return values.ident(*parts)
        except ValueError as error:
            raise row.error(str(error), near="/".join(parts)) from error

    def _counters_of(self, row: Row) -> list[int | None]:
        return [int(text) if text else None for text in self._counters(row)]

    def sa(self, row: Row) -> IpsecSa:
        (
            direction,
            protocol,
            spi,
            transform,
            settings_text,
            conn_id,
            flow_id,
            slot,
            sibling_flags,
            crypto_map,
            initiator,
            timing_text,
            no_timing,
            volume_rekey,
            iv_size,
            replay,
            replay_window,
            status,
        ) = self._sa_texts(row)
        if not (direction and protocol):
            raise row.error("an SA below its heading")
        try:
            timing = values.sa_timing(timing_text) if timing_text else None
            settings = values.settings(settings_text)
            mode, nat_t = _encapsulation(settings)
            return _make_sa(
                (
                    _DIRECTIONS.get(direction) or Direction(direction),
                    _PROTOCOLS.get(protocol) or Protocol(protocol),
                    values.spi(spi) if spi and not spi.startswith("[") else None,
                    values.transform(transform),
                    mode,
                    settings,
                    nat_t,
                    int(conn_id) if conn_id else None,
                    flow_id or None,
                    int(slot) if slot else None,
                    sibling_flags or None,
                    _unless_none(crypto_map),
                    initiator == "True" if initiator else None,
                    timing.kilobytes if timing else None,
                    timing.seconds if timing else None,
                    bool(volume_rekey),
                    _never_expires(timing, timing_text, no_timing, replay),
                    int(iv_size) if iv_size else None,
                    replay == "Y" if replay else None,
                    int(replay_window) if replay_window else None,
                    values.sa_status(status) if status else None,
                )
            )
        except ValueError:
            _refuse_sa(row)
            raise


def _refuse_sa(row: Row) -> None:
    """The error of the value of an SA that cannot be read, with its line."""
    row.value("TIMING", values.sa_timing)
    if not (row.text("SPI") or "").startswith("["):
        row.value("SPI", values.spi)
    row.value("STATUS", values.sa_status)
    _refuse_numbers(row, _SA_NUMBERS)


_FLOW_NUMBERS = ("PEER_PORT", "PATH_MTU", "IP_MTU", "PLAINTEXT_MTU")
_SA_NUMBERS = ("CONN_ID", "SLOT", "IV_SIZE", "REPLAY_WINDOW")


def _refuse_numbers(row: Row, names: Iterable[str]) -> None:
    """The error of the first value among ``names`` that is no number, with its line."""
    for name in names:
        row.number(name)


@lru_cache(maxsize=256)
def _encapsulation(settings: tuple[str, ...]) -> tuple[SaMode | None, bool]:
    """The mode, and whether the SA goes through NAT."""
    return values.sa_mode(settings), any(word.endswith("-Encaps") for word in settings)


_PROTECTION_MAP = re.compile(r"-head-\d+$")
_GRE, _OSPF = 47, 89


def _kind(
    crypto_map: str,
    group: str,
    peer_port: int | None,
    local_ident: Ident,
    mtu_interface: str,
    acl_origin: bool | None,
) -> FlowKind:
    """What the flow tells of itself; whether a tunnel is multipoint also shows in the flows beside it."""
    if group or peer_port == 848:
        return FlowKind.GETVPN
    if crypto_map.endswith("-OSPF-MAP") or local_ident.protocol == _OSPF:
        return FlowKind.OSPFV3
    if "-vesen-head-" in crypto_map:
        return FlowKind.SDWAN
    if "-head-" in crypto_map and _PROTECTION_MAP.search(crypto_map):
        # a multipoint tunnel has no one path, so no interface its MTU could come from
        is_multipoint = mtu_interface == "(none)" and local_ident.protocol == _GRE
        return FlowKind.DMVPN if is_multipoint else FlowKind.VTI
    if acl_origin is False:
        return FlowKind.DYNAMIC
    return FlowKind.CRYPTO_MAP


def _asa_kind(flow: Flow) -> FlowKind:
    if (flow.crypto_map or "").startswith("__vti-"):
        return FlowKind.VTI
    return FlowKind.DYNAMIC if flow.dynamic_peer_address else FlowKind.CRYPTO_MAP


def _with_multipoint_tunnels(flows: list[Flow]) -> tuple[Flow, ...]:
    """GRE flows to several peers below one tunnel interface make it a multipoint tunnel."""
    peers: dict[str | None, set[str | None]] = {}
    for flow in flows:
        if flow.kind is FlowKind.VTI and flow.local_ident.protocol == _GRE:
            peers.setdefault(flow.interface, set()).add(flow.peer)
    multipoint = {interface for interface, known in peers.items() if len(known) > 1}
    return tuple(
        replace(flow, kind=FlowKind.DMVPN)
        if flow.kind is FlowKind.VTI and flow.interface in multipoint
        else flow
        for flow in flows
    )


_IDENT_COLUMNS = {
    side: tuple(f"{side}_IDENT_{part}" for part in ("ADDRESS", "MASK", "PROTOCOL", "PORT"))
    for side in ("LOCAL", "REMOTE")
}


def _unless_none(text: str | None) -> str | None:
    """IOS writes ``(none)`` or ``none`` where there is no map, interface or group."""
    return None if text in ("", "(none)", "none") else text


def _never_expires(
    timing: values.SaTiming | None, timing_text: str, no_timing: str, replay: str
) -> bool:
    """SD-WAN says "is not applicable", manual keys print "no sa timing", or "(sec): 0" with replay detection off.

    "(k/sec): (4608000/0)" and "0 mins" are SAs that end now.
    """
    if timing is None:
        return bool(no_timing)
    if timing.seconds is None:
        return timing.kilobytes is None
    return timing.seconds == 0 and replay == "N" and timing_text.startswith("(sec)")


def build_ipsec_sa_count(table: Table, _: Platform) -> tuple[IpsecSaCount, ...]:
    """``IPsec SA total: 8, active: 8, rekeying: 0, unused: 0, invalid: 0``, one line."""
    names = ("total", "active", "rekeying", "unused", "invalid")
    for row in table:
        table.made_of(row)
        numbers = [int(row.required(name.upper(), "five numbers of SAs")) for name in names]
        return (IpsecSaCount(**dict(zip(names, numbers, strict=True))),)
    raise table.truncated("'IPsec SA total: 8, active: 8, ...'", "no count was whole")
