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

from ipsecmon_parsers import values
from ipsecmon_parsers.engines import Row, Table
from ipsecmon_parsers.records import Direction, Flow, Ident, IpsecSa, Platform, Protocol

__all__ = ["build_flows"]

_CLOSING = "the heading 'outbound pcp sas:' that closes every flow"


def build_flows(table: Table, platform: Platform) -> tuple[Flow, ...]:
    """All flows of the listing, each whole; ``platform`` is only noted in the record."""
    flows: list[Flow] = []
    opened: Row | None = None
    closed = False
    sas: list[Row] = []
    for row in table:
        what = row.text("WHAT")
        if what == "local":
            _finish(table, platform, opened, closed, sas, flows)
            opened, closed, sas = row, False, []
        elif what == "protected":
            _finish(table, platform, opened, closed, sas, flows)
            raise table.truncated(
                "the idents of the flow that 'protected vrf:' announces", _last_whole(flows)
            )
        elif opened is None:
            raise row.error("the idents of a flow before its SAs")
        elif what == "spi":
            sas.append(row)
        else:
            closed = True
    _finish(table, platform, opened, closed, sas, flows)
    if not flows and not table.complete and table.last_line and not _says_none(table):
        raise table.truncated("the idents of a flow", "no flow was whole")
    return tuple(flows)


def _says_none(table: Table) -> bool:
    return any("No SAs found" in line or "no ipsec sas" in line for line in table.lines)


def _finish(
    table: Table,
    platform: Platform,
    opened: Row | None,
    closed: bool,
    sas: list[Row],
    flows: list[Flow],
) -> None:
    """Append the flow that ``opened`` began, or say where it is cut: only a closed flow is worth reading."""
    if opened is None:
        return
    if not closed:
        raise table.truncated(_CLOSING, _last_whole(flows))
    flows.append(_flow(opened, platform, tuple(_sa(row) for row in sas)))


def _last_whole(flows: list[Flow]) -> str:
    if not flows:
        return "no flow was whole"
    last = flows[-1]
    return f"the last whole flow is {last.local_ident} to {last.remote_ident} ({len(flows)} in all)"


def _flow(row: Row, platform: Platform, sas: tuple[IpsecSa, ...]) -> Flow:
    flags = row.value("FLAGS", values.flags)
    pfs = row.text("PFS")
    outbound_spi = row.required("CURRENT_OUTBOUND_SPI", "the current outbound spi of the flow")
    return Flow(
        platform=platform,
        interface=row.text("INTERFACE"),
        crypto_map=_unless_none(row.text("CRYPTO_MAP")),
        local_address=row.value("LOCAL_ADDRESS", values.address),
        protected_vrf=values.vrf(row.text("VRF") or ""),
        local_ident=_ident(row, "LOCAL"),
        remote_ident=_ident(row, "REMOTE"),
        peer=values.address(row.required("PEER", "current_peer with its address")),
        peer_port=row.number("PEER_PORT"),
        action=row.text("ACTION"),
        flags=flags or (),
        acl_origin=None if row.text("ACTION") is None else "origin_is_acl" in (flags or ()),
        local_endpoint=row.value("LOCAL_ENDPOINT", values.address),
        remote_endpoint=row.value("REMOTE_ENDPOINT", values.address),
        path_mtu_bytes=row.number("PATH_MTU"),
        ip_mtu_bytes=row.number("IP_MTU"),
        plaintext_mtu_bytes=row.number("PLAINTEXT_MTU"),
        mtu_interface=_unless_none(row.text("MTU_INTERFACE")),
        current_outbound_spi=values.spi(outbound_spi),
        pfs=None if pfs is None else pfs == "Y",
        dh_group=_unless_none(row.text("DH_GROUP")),
        encaps_packets=row.number("ENCAPS_PACKETS"),
        encrypt_packets=row.number("ENCRYPT_PACKETS"),
        digest_packets=row.number("DIGEST_PACKETS"),
        decaps_packets=row.number("DECAPS_PACKETS"),
        decrypt_packets=row.number("DECRYPT_PACKETS"),
        verify_packets=row.number("VERIFY_PACKETS"),
        compressed_packets=row.number("COMPRESSED_PACKETS"),
        decompressed_packets=row.number("DECOMPRESSED_PACKETS"),
        not_compressed_packets=row.number("NOT_COMPRESSED_PACKETS"),
        compress_failed_packets=row.number("COMPRESS_FAILED_PACKETS"),
        not_decompressed_packets=row.number("NOT_DECOMPRESSED_PACKETS"),
        decompress_failed_packets=row.number("DECOMPRESS_FAILED_PACKETS"),
        send_errors=row.number("SEND_ERRORS"),
        recv_errors=row.number("RECV_ERRORS"),
        sas=sas,
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
        nat_t=any("UDP-Encaps" in word for word in settings),
        conn_id=row.number("CONN_ID"),
        flow_id=row.text("FLOW_ID"),
        slot=row.number("SLOT"),
        sibling_flags=row.text("SIBLING_FLAGS"),
        crypto_map=_unless_none(row.text("SA_CRYPTO_MAP")),
        initiator=None if initiator is None else initiator == "True",
        remaining_kilobytes=timing.kilobytes if timing else None,
        remaining_seconds=timing.seconds if timing else None,
        volume_rekey_disabled=row.text("VOLUME_REKEY") is not None,
        # SD-WAN says "not applicable", manual keys print "no sa timing" or 0 seconds with replay off
        never_expires=timing is None
        or timing.seconds is None
        or (timing.seconds == 0 and replay == "N"),
        iv_size_bytes=row.number("IV_SIZE"),
        replay_detection=None if replay is None else replay == "Y",
        replay_window=row.number("REPLAY_WINDOW"),
        status=row.text("STATUS"),
    )
