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
from dataclasses import fields, replace
from typing import Any

from ipsecmon_parsers import values
from ipsecmon_parsers.engines import Row, Table
from ipsecmon_parsers.flow_blocks import CLOSING, asa_flow_blocks, flow_blocks
from ipsecmon_parsers.records import (
    Direction,
    Flow,
    FlowKind,
    Ident,
    IpsecSa,
    IpsecSaCount,
    Platform,
    Protocol,
)

__all__ = ["build_asa_flows", "build_flows", "build_ipsec_sa_count"]


def build_flows(table: Table, platform: Platform) -> tuple[Flow, ...]:
    """All flows of the listing of a router, each whole; ``platform`` is only noted in the record."""
    flows: list[Flow] = []
    for block in flow_blocks(table):
        if block.is_cut:
            raise table.truncated(CLOSING, _last_whole(flows))
        table.made_of(block.opened)
        flows.append(_flow(block.opened, platform, tuple(_sa(row) for row in block.sas)))
    return _with_multipoint_tunnels(flows)


def build_asa_flows(table: Table, platform: Platform) -> tuple[Flow, ...]:
    """All flows of the listing of an ASA, in the same record."""
    flows: list[Flow] = []
    for block in asa_flow_blocks(table):
        if block.is_cut:
            raise table.truncated("the last line of the last outbound SA", _last_whole(flows))
        table.made_of(block.opened)
        flows.append(_asa_flow(block.opened, platform, tuple(_sa(row) for row in block.sas)))
    return tuple(flows)


def _last_whole(flows: list[Flow]) -> str:
    if not flows:
        return "no flow was whole"
    last = flows[-1]
    return f"the last whole flow is {last.local_ident} to {last.remote_ident} ({len(flows)} in all)"


def _flow(row: Row, platform: Platform, sas: tuple[IpsecSa, ...]) -> Flow:
    flags = row.value("FLAGS", values.flags) or ()
    pfs = row.text("PFS")
    outbound_spi = row.required("CURRENT_OUTBOUND_SPI", "the current outbound spi of the flow")
    flow = Flow(
        platform=platform,
        interface=row.text("INTERFACE"),
        crypto_map=_unless_none(row.text("CRYPTO_MAP")),
        local_address=row.text("LOCAL_ADDRESS"),
        protected_vrf=values.vrf(row.text("VRF") or ""),
        local_ident=_ident(row, "LOCAL"),
        remote_ident=_ident(row, "REMOTE"),
        peer=row.required("PEER", "current_peer with its address"),
        peer_port=row.number("PEER_PORT"),
        action=row.text("ACTION"),
        flags=flags,
        acl_origin=None if row.text("ACTION") is None else "origin_is_acl" in flags,
        local_endpoint=row.text("LOCAL_ENDPOINT"),
        remote_endpoint=row.text("REMOTE_ENDPOINT"),
        path_mtu_bytes=row.number("PATH_MTU"),
        ip_mtu_bytes=row.number("IP_MTU"),
        plaintext_mtu_bytes=row.number("PLAINTEXT_MTU"),
        mtu_interface=_unless_none(row.text("MTU_INTERFACE")),
        current_outbound_spi=values.spi(outbound_spi),
        pfs=None if pfs is None else pfs == "Y",
        dh_group=_unless_none(row.text("DH_GROUP")),
        key_exchange=row.text("KEY_EXCHANGE"),
        group=row.text("GROUP"),
        ipsecv6_policy=row.text("IPSECV6_POLICY"),
        access_list=row.text("ACCESS_LIST"),
        sas=sas,
        **_counters(row),
    )
    return replace(flow, kind=_kind(flow, row))


def _asa_flow(row: Row, platform: Platform, sas: tuple[IpsecSa, ...]) -> Flow:
    """ASA prints a flow only while it has SAs, and not every release prints peer and current SPIs."""
    flow = Flow(
        platform=platform,
        interface=row.text("INTERFACE"),
        crypto_map=_unless_none(row.text("CRYPTO_MAP")),
        crypto_map_seq=row.number("CRYPTO_MAP_SEQ"),
        local_address=row.text("LOCAL_ADDRESS"),
        protected_vrf=values.vrf(row.text("VRF") or ""),
        local_ident=_ident(row, "LOCAL"),
        remote_ident=_ident(row, "REMOTE"),
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
        **_counters(row),
    )
    return replace(flow, kind=_asa_kind(flow))


def _is_enabled(word: str | None) -> bool | None:
    return None if word is None else word == "enabled"


_COUNTERS = tuple(
    one.name
    for one in fields(Flow)
    if one.name.endswith(("_packets", "_errors", "_sent", "_received", "_created"))
    or one.name.startswith(("pre_frag_", "frags_"))
)


def _counters(row: Row) -> dict[str, Any]:
    """Every counter of the record that this template knows; its column has the field's name in capitals."""
    return {name: row.number(name.upper()) for name in _COUNTERS}


_PROTECTION_MAP = re.compile(r"-head-\d+$")
_GRE, _OSPF = 47, 89


def _kind(flow: Flow, row: Row) -> FlowKind:
    """What the flow tells of itself; whether a tunnel is multipoint also shows in the flows beside it."""
    crypto_map = flow.crypto_map or ""
    if flow.group is not None or flow.peer_port == 848:
        return FlowKind.GETVPN
    if crypto_map.endswith("-OSPF-MAP") or flow.local_ident.protocol == _OSPF:
        return FlowKind.OSPFV3
    if "-vesen-head-" in crypto_map:
        return FlowKind.SDWAN
    if _PROTECTION_MAP.search(crypto_map):
        # a multipoint tunnel has no one path, so no interface its MTU could come from
        is_multipoint = row.text("MTU_INTERFACE") == "(none)" and flow.local_ident.protocol == _GRE
        return FlowKind.DMVPN if is_multipoint else FlowKind.VTI
    if flow.acl_origin is False:
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


def _ident(row: Row, side: str) -> Ident:
    parts = [
        row.required(f"{side}_IDENT_{part}", f"the {side.lower()} ident (addr/mask/prot/port)")
        for part in ("ADDRESS", "MASK", "PROTOCOL", "PORT")
    ]
    try:
        return values.ident(*parts)
    except ValueError as error:
        raise row.error(str(error), near="/".join(parts)) from error


def _unless_none(text: str | None) -> str | None:
    """IOS writes ``(none)`` or ``none`` where there is no map, interface or group."""
    return None if text in ("(none)", "none") else text


def _sa(row: Row) -> IpsecSa:
    timing = row.value("TIMING", values.sa_timing)
    settings = row.value("SETTINGS", values.settings) or ()
    initiator = row.text("INITIATOR")
    replay = row.text("REPLAY")
    spi = row.text("SPI")
    has_number = spi is not None and not spi.startswith("[")
    return IpsecSa(
        direction=Direction(row.required("DIRECTION", "an SA below its heading")),
        protocol=Protocol(row.required("PROTOCOL", "an SA below its heading")),
        spi=row.value("SPI", values.spi) if has_number else None,
        transform=row.value("TRANSFORM", values.transform) or (),
        mode=values.sa_mode(settings),
        settings=settings,
        nat_t=any(word.endswith("-Encaps") for word in settings),
        conn_id=row.number("CONN_ID"),
        flow_id=row.text("FLOW_ID"),
        slot=row.number("SLOT"),
        sibling_flags=row.text("SIBLING_FLAGS"),
        crypto_map=_unless_none(row.text("SA_CRYPTO_MAP")),
        initiator=None if initiator is None else initiator == "True",
        remaining_kilobytes=timing.kilobytes if timing else None,
        remaining_seconds=timing.seconds if timing else None,
        volume_rekey_disabled=row.text("VOLUME_REKEY") is not None,
        never_expires=_never_expires(row, timing, replay),
        iv_size_bytes=row.number("IV_SIZE"),
        replay_detection=None if replay is None else replay == "Y",
        replay_window=row.number("REPLAY_WINDOW"),
        status=row.value("STATUS", values.sa_status),
    )


def _never_expires(row: Row, timing: values.SaTiming | None, replay: str | None) -> bool:
    """SD-WAN says "is not applicable", manual keys print "no sa timing", or "(sec): 0" with replay detection off.

    "(k/sec): (4608000/0)" and "0 mins" are SAs that end now.
    """
    if timing is None:
        return row.text("NO_TIMING") is not None
    if timing == values.SaTiming(None, None):
        return True
    is_seconds_only = (row.text("TIMING") or "").startswith("(sec)")
    return is_seconds_only and timing.seconds == 0 and replay == "N"


def build_ipsec_sa_count(table: Table, _: Platform) -> tuple[IpsecSaCount, ...]:
    """``IPsec SA total: 8, active: 8, rekeying: 0, unused: 0, invalid: 0``, one line."""
    names = ("total", "active", "rekeying", "unused", "invalid")
    for row in table:
        table.made_of(row)
        numbers = [int(row.required(name.upper(), "five numbers of SAs")) for name in names]
        return (IpsecSaCount(**dict(zip(names, numbers, strict=True))),)
    raise table.truncated("'IPsec SA total: 8, active: 8, ...'", "no count was whole")
