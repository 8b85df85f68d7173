"""IKEv2 SAs and sessions as routers and ASAs list them, plain and in detail, and ASA's IKEv1 SAs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from ipsecmon_parsers.records import (
    ChildSa,
    Ident,
    IkeSa,
    IkeState,
    Ikev2Session,
    SaMode,
    SelectorPair,
    TrafficSelector,
)
from parsers.shapes.tokens import HOSTS, IPV4, IPV6, NAMES, PORTS, SPIS, mask, maybe

__all__ = [
    "asa_ikev1_sas",
    "asa_sessions",
    "router_sas",
    "router_sessions",
    "show_asa_ikev1_blocks",
    "show_asa_ikev1_table",
    "show_asa_ikev2",
    "show_router_sas",
    "show_router_sessions",
]

_COLUMN = 18
_TERMINAL = 80
_SPI64 = st.integers(0, 2**64 - 1)
_VRFS = maybe(NAMES.filter(lambda name: "/" not in name))


@st.composite
def _algorithms(draw: st.DrawFn) -> dict[str, Any]:
    """The line ``Encr:``: with and without PRF, a combined cipher, nothing agreed yet."""
    kind = draw(st.sampled_from(["cbc", "gcm", "unknown"]))
    sign = st.sampled_from(["PSK", "RSA", "ECDSA"])
    fields = {
        "dh_group": draw(st.integers(1, 24)),
        "auth": draw(sign),
        "auth_verify": draw(sign),
        "flags": draw(st.sampled_from([(), ("QR",)])),
        "prf": draw(maybe(st.sampled_from(["SHA1", "SHA512"]))),
    }
    if kind == "cbc":
        size = draw(maybe(st.sampled_from([128, 192, 256])))
        names = {"encryption": "AES-CBC" if size else "3DES", "key_size_bits": size}
        return fields | names | {"hash": draw(st.sampled_from(["SHA512", "SHA96", "MD596"]))}
    if kind == "gcm":
        return fields | {"encryption": "AES-GCM", "key_size_bits": 256}
    unknown = "Unknown - 0"
    return fields | {
        "encryption": unknown,
        "prf": unknown,
        "auth": unknown,
        "auth_verify": unknown,
        "dh_group": 0,
    }


@st.composite
def _subnet(draw: st.DrawFn) -> Ident:
    return Ident(address=draw(IPV4), prefix_length=draw(st.integers(0, 32)), protocol=0, port=0)


@st.composite
def _details(draw: st.DrawFn) -> dict[str, Any]:
    """What ``detail`` adds on a router."""
    numbers = (
        *("local_request_message_id", "remote_request_message_id", "local_next_message_id"),
        *("remote_next_message_id", "local_queued_message_id", "remote_queued_message_id"),
        *("local_window", "remote_window"),
    )
    fields: dict[str, Any] = {name: draw(st.integers(0, 2**32)) for name in numbers}
    is_fragmented = draw(st.booleans())
    nat_t = draw(st.booleans())
    return fields | {
        "ce_id": draw(st.integers(0, 9999)),
        "status_description": draw(
            st.sampled_from(["Negotiation done", "Initiator waiting for AUTH response"])
        ),
        "local_spi": draw(_SPI64),
        "remote_spi": draw(_SPI64),
        "local_id": draw(IPV4 | HOSTS),
        "remote_id": draw(IPV4 | HOSTS | st.just("cn=site 2,o=example")),
        "dpd_seconds": draw(st.integers(0, 3600)),
        "dpd_retries": draw(st.integers(0, 60)),
        "fragmentation": "enabled" if is_fragmented else "not configured",
        "fragmentation_mtu_bytes": draw(st.integers(68, 1500)) if is_fragmented else None,
        "dynamic_route_update": draw(st.sampled_from(["enabled", "disabled"])),
        "extended_authentication": "not configured",
        "nat_t": nat_t,
        "nat_t_side": draw(st.sampled_from(["inside", "outside", "inside and outside"]))
        if nat_t
        else None,
        "trust_security_sgt": draw(st.sampled_from(["enabled", "disabled"])),
        "initiator": draw(st.booleans()),
        "assigned_address": draw(maybe(IPV4)),
        "remote_subnets": tuple(draw(st.lists(_subnet(), max_size=3))),
        "quantum_safe": draw(maybe(st.sampled_from(["Manual PPK", "PQC: ML-KEM-1024"]))),
        "peer_type": draw(maybe(st.sampled_from(["IOS-XE", "Other"]))),
    }


@st.composite
def _router_sa(draw: st.DrawFn, *, is_detailed: bool, is_v6: bool) -> IkeSa:
    fvrf, vrf = draw(_VRFS), draw(_VRFS)
    vrfs = f"{fvrf or 'none'}/{vrf or 'none'}"
    printed = vrfs[:_COLUMN]
    status = draw(st.sampled_from(["READY", "IN-NEG", "DELETE", "ODD-STATE"]))
    life, active = draw(st.integers(0, 10**6)), draw(st.integers(0, 10**6))
    address = IPV6 if is_v6 else IPV4
    details: dict[str, Any] = draw(_details()) if is_detailed else {}
    session: dict[str, Any] = {"session_id": draw(st.integers(0, 99999))} if is_detailed else {}
    return IkeSa(
        version=2,
        local=draw(address),
        local_port=draw(PORTS),
        remote=draw(address),
        remote_port=draw(PORTS),
        state=IkeState(status) if status != "ODD-STATE" else IkeState.UNKNOWN,
        raw_state=status,
        conn_id=draw(st.integers(1, 2**31)),
        # a name that reaches the end of the column may go on behind it
        vrf=vrf if len(vrfs) < _COLUMN else None,
        fvrf=fvrf if "/" in printed else None,
        raw_vrfs=printed,
        # the release that prints it prints the SPIs behind it as well
        pqc_key_exchange=draw(maybe(st.just("ML-KEM-768"))) if is_detailed else None,
        lifetime_seconds=life,
        active_seconds=active,
        remaining_seconds=max(0, life - active),
        is_established=status == "READY",
        is_deleted=status == "DELETE",
        **draw(_algorithms()),
        **details,
        **session,
    )


@st.composite
def router_sas(draw: st.DrawFn, *, is_detailed: bool) -> tuple[IkeSa, ...]:
    """SAs over IPv4, then those over IPv6, each section possibly empty."""
    first = draw(st.lists(_router_sa(is_detailed=is_detailed, is_v6=False), max_size=4))
    second = draw(st.lists(_router_sa(is_detailed=is_detailed, is_v6=True), max_size=2))
    return (*first, *second)


def show_router_sas(sas: Sequence[IkeSa], *, is_wrapped: bool = False) -> str:
    """``show crypto ikev2 sa [detail]``; some releases break the line ``Encr:`` at column 80."""
    lines: list[str] = []
    for family in ("IPv4", "IPv6"):
        lines += [f" {family} Crypto IKEv2  SA ", ""]
        for sa in sas:
            if (":" in (sa.local or "")) == (family == "IPv6"):
                lines += [*_router_sa_lines(sa), ""]
    if is_wrapped:
        lines = [part for line in lines for part in _wrapped(line)]
    return "\n".join(lines) + "\n"


def _wrapped(line: str) -> list[str]:
    """The break comes inside a word as well, and nothing is indented behind it."""
    is_long = "Encr:" in line and len(line) > _TERMINAL
    return [line[:_TERMINAL], line[_TERMINAL:]] if is_long else [line]


def _router_sa_lines(sa: IkeSa) -> list[str]:
    local, remote = f"{sa.local}/{sa.local_port}", f"{sa.remote}/{sa.remote_port}"
    if ":" in (sa.local or ""):
        lines = [
            "Tunnel-id    fvrf/ivrf              Status",
            f"{sa.conn_id:<10} {sa.raw_vrfs:<20} {sa.raw_state}",
            f"Local  {local.upper()}",
            f"Remote  {remote.upper()}",
        ]
    else:
        lines = [
            "Tunnel-id Local                 Remote                fvrf/ivrf            Status ",
            f"{sa.conn_id:<9} {local:<21} {remote:<21} {sa.raw_vrfs:<20} {sa.raw_state:<6} ",
        ]
    lines.append(f"      {_encr(sa, none='None')}")
    if sa.pqc_key_exchange:
        lines.append(f"      PQC Key Exchange: {sa.pqc_key_exchange}")
    lines.append(f"      Life/Active Time: {sa.lifetime_seconds}/{sa.active_seconds} sec")
    if sa.status_description is None:
        return lines
    return [*lines, *(f"      {line}" for line in _detail_lines(sa))]


def _encr(sa: IkeSa, *, none: str) -> str:
    words = [f"Encr: {sa.encryption}"]
    if sa.key_size_bits is not None:
        words.append(f"keysize: {sa.key_size_bits}")
    if sa.prf is not None:
        words.append(f"PRF: {sa.prf}")
    words += [f"Hash: {sa.hash or none}", f"DH Grp:{sa.dh_group}"]
    words += [f"Auth sign: {sa.auth}", f"Auth verify: {sa.auth_verify}", *sa.flags]
    return ", ".join(words)


def _message_lines(sa: IkeSa, word: str) -> list[str]:
    return [
        f"Local req {word} id:  {sa.local_request_message_id:<14} Remote req {word} id:  {sa.remote_request_message_id:<10}",
        f"Local next {word} id: {sa.local_next_message_id:<14} Remote next {word} id: {sa.remote_next_message_id:<10}",
        f"Local req queued:  {sa.local_queued_message_id:<14} Remote req queued:  {sa.remote_queued_message_id:<10}",
        f"Local window:      {sa.local_window:<14} Remote window:      {sa.remote_window:<10}",
    ]


def _detail_lines(sa: IkeSa) -> list[str]:
    lines = [
        f"CE id: {sa.ce_id}, Session-id: {sa.session_id}",
        f"Status Description: {sa.status_description}",
        f"Local spi: {sa.local_spi or 0:016X}       Remote spi: {sa.remote_spi or 0:016X}",
        f"Local id: {sa.local_id}",
        f"Remote id: {sa.remote_id}",
        *_message_lines(sa, "msg"),
        f"DPD configured for {sa.dpd_seconds} seconds, retry {sa.dpd_retries}",
    ]
    if sa.fragmentation_mtu_bytes is None:
        lines.append("Fragmentation not  configured.")
    else:
        lines.append("IETF Std Fragmentation  enabled.")
        lines.append(f"IETF Std Fragmentation MTU in use: {sa.fragmentation_mtu_bytes} bytes.")
    if sa.quantum_safe:
        lines.append(f"Quantum-safe Encryption using {sa.quantum_safe}")
    lines += [
        f"Dynamic Route Update: {sa.dynamic_route_update}",
        "Extended Authentication not configured.",
        f"NAT-T is {'detected' if sa.nat_t else 'not detected'}  {sa.nat_t_side or ''}",
        f"Cisco Trust Security SGT is {sa.trust_security_sgt}",
        f"Initiator of SA : {'Yes' if sa.initiator else 'No'}",
    ]
    if sa.assigned_address:
        lines.append(f"Pushed IP address: {sa.assigned_address}")
    if sa.remote_subnets:
        lines.append("Remote subnets:")
        lines += [f"{subnet.address} {mask(subnet.prefix_length)}" for subnet in sa.remote_subnets]
    if sa.peer_type:
        lines.append(f"PEER TYPE: {sa.peer_type}")
    return lines


# --- child SAs and sessions ------------------------------------------------------------------------------------


_ANY_PORT = st.integers(0, 65535)


@st.composite
def _selector(draw: st.DrawFn, address: st.SearchStrategy[str]) -> TrafficSelector:
    return TrafficSelector(
        start_address=draw(address),
        start_port=draw(_ANY_PORT),
        end_address=draw(address),
        end_port=draw(_ANY_PORT),
    )


@st.composite
def _pair(draw: st.DrawFn, address: st.SearchStrategy[str]) -> SelectorPair:
    return SelectorPair(local=draw(_selector(address)), remote=draw(_selector(address)))


@st.composite
def _child(draw: st.DrawFn, *, is_detailed: bool, most_pairs: int) -> ChildSa:
    address = draw(st.sampled_from([IPV4, IPV6]))
    details: dict[str, Any] = {}
    if is_detailed:
        mode = draw(st.sampled_from(list(SaMode)))
        details = {
            "inbound_ah_spi": draw(st.just(0) | SPIS),
            "outbound_ah_spi": draw(st.just(0) | SPIS),
            "inbound_cpi": draw(st.integers(0, 65535)),
            "outbound_cpi": draw(st.integers(0, 65535)),
            "encryption": draw(st.sampled_from(["AES-CBC", "AES-GCM"])),
            "key_size_bits": draw(maybe(st.sampled_from([128, 256]))),
            "esp_hmac": draw(maybe(st.sampled_from(["SHA256", "SHA96"]))),
            "ah_hmac": draw(maybe(st.just("SHA256"))),
            "compression": draw(maybe(st.just("IPCOMP_LZS"))),
            "mode": mode,
            "raw_mode": mode.value,
        }
    return ChildSa(
        selectors=tuple(draw(st.lists(_pair(address), min_size=1, max_size=most_pairs))),
        inbound_esp_spi=draw(SPIS),
        outbound_esp_spi=draw(SPIS),
        **details,
    )


@st.composite
def _session(draw: st.DrawFn, *, is_detailed: bool, is_v6: bool) -> Ikev2Session:
    sas = draw(st.lists(_router_sa(is_detailed=is_detailed, is_v6=is_v6), max_size=2))
    pairs = 3 if is_detailed else 1
    children = [
        tuple(
            draw(
                st.lists(_child(is_detailed=is_detailed, most_pairs=pairs), min_size=1, max_size=2)
            )
        )
        for _ in range(max(1, len(sas)))
    ]
    session: dict[str, Any] = {
        "session_status": draw(st.sampled_from(["UP-ACTIVE", "UP-IDLE", "UP-NO-IKE"])),
        "session_ike_sas": len(sas),
        "session_child_sas": sum(map(len, children)),
    }
    session_id = draw(st.integers(1, 99999))
    return Ikev2Session(
        session_id=session_id,
        status=session["session_status"],
        ike_count=len(sas),
        child_count=session["session_child_sas"],
        ike_sas=tuple(
            replace(sa, child_selectors=below, **session, session_id=session_id)
            for sa, below in zip(sas, children, strict=False)
        ),
        child_selectors=() if sas else children[0],
    )


@st.composite
def router_sessions(draw: st.DrawFn, *, is_detailed: bool) -> tuple[Ikev2Session, ...]:
    """Sessions of both sections: with their IKE SAs, or with nothing but child SAs."""
    first = draw(st.lists(_session(is_detailed=is_detailed, is_v6=False), max_size=3))
    second = draw(st.lists(_session(is_detailed=is_detailed, is_v6=True), max_size=1))
    return (*first, *second)


def show_router_sessions(sessions: Sequence[Ikev2Session]) -> str:
    """``show crypto ikev2 session [detail]``; a session without an IKE SA stands where its selectors say."""
    lines: list[str] = []
    for family in ("IPv4", "IPv6"):
        lines += [f" {family} Crypto IKEv2 Session ", ""]
        for number, session in enumerate(sessions):
            is_v6 = any(
                ":" in (sa.local or "") for later in sessions[: number + 1] for sa in later.ike_sas
            )
            if is_v6 == (family == "IPv6"):
                lines += _session_lines(session)
    return "\n".join(lines) + "\n"


def _session_lines(session: Ikev2Session) -> list[str]:
    lines = [
        (
            f"Session-id:{session.session_id}, Status:{session.status}, "
            f"IKE count:{session.ike_count}, CHILD count:{session.child_count}"
        ),
        "",
    ]
    for sa in session.ike_sas:
        lines += _router_sa_lines(sa)
        for child in sa.child_selectors:
            lines += _child_lines(child)
        lines.append("")
    for child in session.child_selectors:
        lines += _child_lines(child)
    return [*lines, ""]


def _range(selector: TrafficSelector) -> str:
    return f"{selector.start_address}/{selector.start_port} - {selector.end_address}/{selector.end_port}"


def _child_lines(child: ChildSa) -> list[str]:
    if child.mode is None:
        (pair,) = child.selectors
        return [
            f"Child sa: local selector  {_range(pair.local)}",
            f"          remote selector {_range(pair.remote)}",
            f"          ESP spi in/out: 0x{child.inbound_esp_spi:X}/0x{child.outbound_esp_spi:X}  ",
        ]
    size = "" if child.key_size_bits is None else f"keysize: {child.key_size_bits}, "
    return [
        "Child sa:",
        "          local selector       ->      remote selector",
        *(
            f"          {_range(pair.local)}    ->    {_range(pair.remote)}"
            for pair in child.selectors
        ),
        f"          ESP spi in/out: 0x{child.inbound_esp_spi:X}/0x{child.outbound_esp_spi:X}  ",
        f"          AH spi in/out: 0x{child.inbound_ah_spi:X}/0x{child.outbound_ah_spi:X}  ",
        f"          CPI in/out: 0x{child.inbound_cpi:X}/0x{child.outbound_cpi:X}  ",
        f"          Encr: {child.encryption}, {size}esp_hmac: {child.esp_hmac or 'None'}",
        f"          ah_hmac: {child.ah_hmac or 'None'}, comp: {child.compression or 'IPCOMP_NONE'}, mode {child.raw_mode}",
        "",
    ]


# --- ASA -------------------------------------------------------------------------------------------------------


@st.composite
def asa_sessions(draw: st.DrawFn, *, is_detailed: bool) -> tuple[IkeSa, ...]:
    """IKEv2 SAs, each in a session of its own with its child SAs."""
    sas: list[IkeSa] = []
    for _ in range(draw(st.integers(0, 3))):
        role = draw(st.sampled_from(["initiator", "responder"]))
        status = draw(st.sampled_from(["READY", "IN-NEG", "DELETE"]))
        address = draw(st.sampled_from([IPV4, IPV6]))
        life, active = draw(st.integers(0, 10**6)), draw(st.integers(0, 10**6))
        children = draw(
            st.lists(_child(is_detailed=is_detailed, most_pairs=1), min_size=1, max_size=2)
        )
        details: dict[str, Any] = draw(_details()) if is_detailed else {}
        details = {
            name: value
            for name, value in details.items()
            if "message" in name
            or "window" in name
            or "_spi" in name
            or "_id" in name
            or "dpd" in name
            if name != "ce_id"
        }
        if is_detailed:
            details["status_description"] = "Negotiation done"
        sas.append(
            IkeSa(
                version=2,
                local=draw(address),
                local_port=draw(PORTS),
                remote=draw(address),
                remote_port=draw(PORTS),
                state=IkeState(status),
                raw_state=status,
                conn_id=draw(st.integers(1, 2**31)),
                role=role,
                initiator=role == "initiator",
                lifetime_seconds=life,
                active_seconds=active,
                remaining_seconds=max(0, life - active),
                session_id=draw(st.integers(1, 99999)),
                session_status=draw(st.sampled_from(["UP-ACTIVE", "UP-IDLE"])),
                session_ike_sas=1,
                session_child_sas=len(children),
                child_selectors=tuple(children),
                is_established=status == "READY",
                is_deleted=status == "DELETE",
                **draw(_algorithms()),
                **details,
            )
        )
    return tuple(sas)


def show_asa_ikev2(sas: Sequence[IkeSa]) -> str:
    """``show crypto ikev2 sa [detail]``."""
    if not sas:
        return "\nThere are no IKEv2 SAs\n"
    lines = ["", "IKEv2 SAs:", ""]
    for sa in sas:
        local, remote = f"{sa.local}/{sa.local_port}", f"{sa.remote}/{sa.remote_port}"
        lines += [
            (
                f"Session-id:{sa.session_id}, Status:{sa.session_status}, "
                f"IKE count:1, CHILD count:{len(sa.child_selectors)}"
            ),
            "",
            "Tunnel-id Local                 Remote                Status         Role",
            f"{sa.conn_id:>9} {local:<21} {remote:<21} {sa.raw_state:<10} {(sa.role or '').upper()}",
            f"      {_encr(sa, none='N/A')}",
            f"      Life/Active Time: {sa.lifetime_seconds}/{sa.active_seconds} sec",
        ]
        if sa.status_description:
            lines += [
                f"      Session-id: {sa.session_id}",
                f"      Status Description: {sa.status_description}",
                f"      Local spi: {sa.local_spi or 0:016X}       Remote spi: {sa.remote_spi or 0:016X}",
                f"      Local id: {sa.local_id}",
                f"      Remote id: {sa.remote_id}",
                *(f"      {line}" for line in _message_lines(sa, "mess")),
                f"      DPD configured for {sa.dpd_seconds} seconds, retry {sa.dpd_retries}",
            ]
        for child in sa.child_selectors:
            (pair,) = child.selectors
            plain = ChildSa(
                selectors=(pair,),
                inbound_esp_spi=child.inbound_esp_spi,
                outbound_esp_spi=child.outbound_esp_spi,
            )
            lines += _child_lines(plain)
            if child.mode:
                lines += _child_lines(child)[4:-1]
    return "\n".join(lines) + "\n"


@st.composite
def asa_ikev1_sas(
    draw: st.DrawFn, *, is_detailed: bool, is_table: bool = False
) -> tuple[IkeSa, ...]:
    """IKEv1 SAs: those with a known state and those in a state nobody told us of."""
    states = [
        state for state in IkeState if state.value.startswith(("MM_W", "MM_A", "AM_", "MM_R"))
    ]
    sas: list[IkeSa] = []
    for _ in range(draw(st.integers(0, 4))):
        state = draw(st.sampled_from(states))
        raw = draw(
            st.sampled_from(
                [state.value, "MM_Active" if state is IkeState.MM_ACTIVE else state.value]
            )
        )
        role = draw(st.sampled_from(["initiator", "responder"]))
        details: dict[str, Any] = {}
        if is_detailed:
            details = {
                "encryption": draw(st.sampled_from(["aes-256", "3des"])),
                "hash": draw(st.sampled_from(["SHA", "MD5"])),
                "auth": draw(st.sampled_from(["preshared", "rsa"])),
                "lifetime_seconds": draw(st.integers(0, 2**31)),
                "remaining_seconds": None if is_table else draw(st.integers(0, 2**31)),
            }
        sas.append(
            IkeSa(
                version=1,
                remote=draw(IPV4 | IPV6),
                state=state,
                raw_state=raw,
                connection_type=draw(st.sampled_from(["L2L", "user"])),
                role=role,
                initiator=role == "initiator",
                is_rekeying=draw(st.booleans()),
                is_established=state.value.startswith(
                    ("MM_ACTIVE", "AM_ACTIVE", "MM_REKEY", "AM_REKEY")
                ),
                **details,
            )
        )
    return tuple(sas)


def show_asa_ikev1_blocks(sas: Sequence[IkeSa]) -> str:
    """``show crypto ikev1 sa [detail]``: a block per peer below the counts."""
    if not sas:
        return "\nThere are no IKEv1 SAs\n"
    lines = [
        *("", "IKEv1 SAs:", "", f"   Active SA: {len(sas)}"),
        "    Rekey SA: 0 (A tunnel will report 1 Active and 1 Rekey SA during rekey)",
        *(f"Total IKE SA: {len(sas)}", ""),
    ]
    for number, sa in enumerate(sas, start=1):
        rekey = "yes" if sa.is_rekeying else "no"
        lines += [
            f"{number}   IKE Peer: {sa.remote}",
            f"    Type    : {sa.connection_type:<15} Role    : {sa.role} ",
            f"    Rekey   : {rekey:<15} State   : {sa.raw_state} ",
        ]
        if sa.encryption:
            lines += [
                f"    Encrypt : {sa.encryption:<15} Hash    : {sa.hash:<10}",
                f"    Auth    : {sa.auth:<15} Lifetime: {sa.lifetime_seconds}",
                f"    Lifetime Remaining: {sa.remaining_seconds}",
            ]
    return "\n".join(lines) + "\n"


def show_asa_ikev1_table(sas: Sequence[IkeSa]) -> str:
    """The same as a table whose header stands above each row."""
    if not sas:
        return "There are no IKEv1 SAs\n"
    lines: list[str] = []
    for number, sa in enumerate(sas, start=1):
        direction = "Init" if sa.initiator else "Resp"
        rekey = "Yes" if sa.is_rekeying else "No"
        lines += [
            "IKE Peer      Type  Dir   Rky  State      Encrypt Hash  Auth    Lifetime",
            (
                f"{number} {sa.remote} {sa.connection_type:<5} {direction:<5} {rekey:<4} {sa.raw_state:<10} "
                f"{sa.encryption:<7} {sa.hash:<5} {sa.auth:<7} {sa.lifetime_seconds}"
            ),
        ]
    return "\n".join(lines) + "\n"
