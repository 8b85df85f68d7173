"""Rows of the commands that print IKEv2 SAs, and of ASA's IKEv1 -> ``IkeSa`` and ``Ikev2Session`` records.

``show crypto ikev2 sa`` of routers, ``show crypto ikev2 session``, and ``show crypto {isakmp | ikev1 | ikev2} sa``
of ASA, each with or without ``detail``::

    Tunnel-id Local                 Remote                fvrf/ivrf            Status
    1         192.0.2.1/500         198.51.100.1/500      none/none            READY
          Encr: AES-CBC, keysize: 256, PRF: SHA512, Hash: SHA512, DH Grp:5, Auth sign: PSK, Auth verify: PSK
          Life/Active Time: 86400/298 sec
    Child sa: local selector  10.1.0.0/0 - 10.1.0.255/65535
              remote selector 10.2.0.0/0 - 10.2.0.255/65535
              ESP spi in/out: 0xA55B8EDD/0x5461156C

    1   IKE Peer: 198.51.100.1
        Type    : L2L             Role    : initiator
        Rekey   : no              State   : MM_ACTIVE

What shows that a text was cut: a section title without the next one (routers print IPv4 and IPv6), fewer SAs or
child SAs than the counts above them say, an SA without the lines every SA has.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ipsecmon_parsers import values
from ipsecmon_parsers.blocks import Block, ends_inside_a_line
from ipsecmon_parsers.engines import Row, Table
from ipsecmon_parsers.records import (
    ChildSa,
    Ident,
    IkeSa,
    IkeState,
    Ikev2Session,
    Platform,
    SaMode,
    SelectorPair,
    TrafficSelector,
)

__all__ = ["build_ike_sas", "build_ikev2_sessions"]

_STATES = {state.value: state for state in IkeState}
_ROLES = {"init": "initiator", "resp": "responder"}
_UP = re.compile(r"(?:MM|AM)_(?:ACTIVE|REKEY)", re.IGNORECASE)
_VRF_COLUMN = 18
_WHOLE = re.compile(
    r"""
      Crypto[ ]IKEv2[ ]+(?:SA|Session)$
    | There[ ]are[ ]no[ ].*[Ss][Aa]s$
    | Life/Active[ ]Time:.*[ ]sec$
    | Remote[ ]spi:[ ]*[0-9A-Fa-f]{16}$
    | 0x[0-9A-Fa-f]{8}[ ]*$
    | State[ ]*:[ ][AM]M_\w+[ ]$
    | PEER[ ]TYPE:[ ](?:IOS-XE|Other)$
    """,
    re.VERBOSE,
)


@dataclass(slots=True)
class _Sa:
    """An SA, the session it stands in, and its children, as rows."""

    block: Block
    session: Row | None
    children: list[Block] = field(default_factory=list[Block])


@dataclass(slots=True)
class _Listing:
    """An output sorted into its blocks."""

    sas: list[_Sa] = field(default_factory=list[_Sa])
    sessions: list[tuple[Row, list[_Sa], list[Block]]] = field(
        default_factory=list[tuple[Row, list[_Sa], list[Block]]]
    )
    titles: set[str] = field(default_factory=set[str])
    total: int | None = None
    is_announced: bool = False
    """The last row is a column title or the title of a section that must not be empty."""


def build_ike_sas(table: Table, _: Platform) -> tuple[IkeSa, ...]:
    """The IKE SAs of both versions; titles alone and ``There are no IKEv2 SAs`` are zero records."""
    listing = _sorted(table)
    _refuse_cut(table, listing)
    for sa in listing.sas:
        table.made_of(sa.block.rows[0], (sa.children[-1] if sa.children else sa.block).rows[-1])
    return tuple(_ike_sa(sa) for sa in listing.sas)


def build_ikev2_sessions(table: Table, _: Platform) -> tuple[Ikev2Session, ...]:
    """The sessions of ``show crypto ikev2 session``, with their IKE SAs and child SAs."""
    listing = _sorted(table)
    _refuse_cut(table, listing)
    if listing.sas and listing.sas[0].session is None:
        raise listing.sas[0].block.error("the line 'Session-id:' above an IKE SA")
    for row, *_rest in listing.sessions:
        table.made_of(row)
    return tuple(
        Ikev2Session(
            session_id=int(row.required("SESSION_ID", "the number of the session")),
            status=row.required("SESSION_STATUS", "the status of the session"),
            ike_count=int(row.required("IKE_COUNT", "the count of IKE SAs")),
            child_count=int(row.required("CHILD_COUNT", "the count of child SAs")),
            ike_sas=tuple(_ike_sa(sa) for sa in sas),
            child_selectors=tuple(_child(child) for child in children),
        )
        for row, sas, children in listing.sessions
    )


def _sorted(table: Table) -> _Listing:
    listing = _Listing()
    session: Row | None = None
    parent: _Sa | None = None
    current: Block | None = None
    for row in table:
        listing.is_announced = False
        if title := row.text("TITLE"):
            listing.titles.add(title)
            session, parent, current = None, None, None
        elif none := row.text("NONE"):
            listing.titles.add(none)
        elif row.text("ACTIVE"):
            listing.total = row.number("TOTAL")
        elif row.text("SESSION_STATUS"):
            session, parent, current = row, None, None
            listing.sessions.append((row, [], []))
        elif row.text("TUNNEL_HEADER") or row.text("PEER_HEADER"):
            listing.is_announced = True
            parent, current = None, None
        elif row.text("TUNNEL_ID") or row.text("PEER"):
            current = Block([row])
            sa = parent = _Sa(current, session if row.text("TUNNEL_ID") else None)
            listing.sas.append(sa)
            if session is not None and row.text("TUNNEL_ID"):
                listing.sessions[-1][1].append(sa)
        elif row.text("CHILD"):
            current = Block([row])
            _siblings(listing, session, parent, row).append(current)
        elif current is not None:
            current.rows.append(row)
        else:
            raise row.error("an IKE SA before its details")
    return listing


def _siblings(listing: _Listing, session: Row | None, parent: _Sa | None, row: Row) -> list[Block]:
    """Where a child SA belongs: to the IKE SA above it, or to its session where that has none."""
    if parent is not None:
        return parent.children
    if session is not None:
        return listing.sessions[-1][2]
    raise row.error("an IKE SA before its child SAs")


def _refuse_cut(table: Table, listing: _Listing) -> None:
    """``Truncated`` where the text does not prove that it ends where the device ended it."""
    if table.complete:
        return
    whole = f"{max(0, len(listing.sas) - 1)} IKE SAs before it were whole"
    if ends_inside_a_line(table, _WHOLE):
        raise table.truncated("the rest of the last line", whole)
    if "IPv4" in listing.titles and "IPv6" not in listing.titles:
        raise table.truncated("the section of IPv6", whole)
    if listing.is_announced:
        raise table.truncated("an IKE SA below the column titles", whole)
    peers = [sa for sa in listing.sas if sa.block.text("PEER")]
    if listing.total is not None and len(peers) < listing.total:
        raise table.truncated(f"{listing.total} IKEv1 SAs, as 'Total IKE SA' says", whole)
    lists_both = "IKEv1" in listing.titles and "isakmp" in table.command.lower()
    if peers and lists_both and "IKEv2" not in listing.titles:
        raise table.truncated("the section of IKEv2", whole)
    if listing.sessions:
        row, sas, children = listing.sessions[-1]
        found = len(children) + sum(len(sa.children) for sa in sas)
        if children and children[-1].text("ESP_OUT") is None:
            raise table.truncated("the SPIs of the last child SA", whole)
        if len(sas) < (row.number("IKE_COUNT") or 0) or found < (row.number("CHILD_COUNT") or 0):
            raise table.truncated(
                "as many IKE and child SAs as the line 'Session-id:' counts", whole
            )
    if listing.sas:
        missing = _missing(listing.sas[-1], table)
        if missing is not None:
            raise table.truncated(missing, whole)


def _missing(sa: _Sa, table: Table) -> str | None:
    """What the last SA of a text lacks."""
    block = sa.block
    is_detailed = table.command.lower().split()[-1].startswith("detail")
    needed: list[tuple[str, str]] = []
    if block.text("PEER"):
        needed.append(("STATE", "the state of the last SA"))
        if is_detailed:
            needed.append(("LIFETIME", "the lifetime of the last SA"))
            if block.text("ROW") is None:
                needed.append(("REMAINING", "the line 'Lifetime Remaining'"))
    else:
        needed += [("ENCR", "the line 'Encr:'"), ("ACTIVE_TIME", "the line 'Life/Active Time:'")]
        if block.text("CE_ID") or block.text("PQC"):
            needed.append(("LOCAL_SPI", "the SPIs of the last SA"))
        if block.text("ROLE") is None and (is_detailed or block.text("STATUS_DESCRIPTION")):
            needed.append(("INITIATOR", "the line 'Initiator of SA'"))
    for name, expected in needed:
        if block.text(name) is None:
            return expected
    return _missing_of_child(sa.children[-1], is_detailed) if sa.children else None


def _missing_of_child(child: Block, is_detailed: bool) -> str | None:
    if child.text("REMOTE_SELECTOR") is None or child.text("ESP_OUT") is None:
        return "the SPIs of the last child SA"
    if (is_detailed or child.text("AH_OUT") is not None) and child.text("MODE") is None:
        return "the algorithms of the last child SA"
    return None


def _ike_sa(sa: _Sa) -> IkeSa:
    return _ikev1_sa(sa.block) if sa.block.text("PEER") else _ikev2_sa(sa)


def _state(raw_state: str) -> IkeState:
    return _STATES.get(raw_state.upper(), IkeState.UNKNOWN)


def _role(text: str | None) -> str | None:
    """``INITIATOR``, ``initiator`` and ``Init`` are one word."""
    return None if text is None else _ROLES.get(text.lower(), text.lower())


def _ikev1_sa(block: Block) -> IkeSa:
    block.once("STATE")
    raw_state = block.required("STATE", "the state of an IKEv1 SA, such as MM_ACTIVE")
    role = _role(block.text("ROLE"))
    return IkeSa(
        version=1,
        remote=block.value("PEER", values.address),
        state=_state(raw_state),
        raw_state=raw_state,
        connection_type=block.text("TYPE"),
        role=role,
        initiator=None if role is None else role == "initiator",
        is_rekeying=block.flag("REKEY", "yes"),
        encryption=block.text("ENCRYPT"),
        hash=block.text("HASH"),
        auth=block.text("AUTH"),
        lifetime_seconds=block.number("LIFETIME"),
        remaining_seconds=block.number("REMAINING"),
        is_established=_UP.match(raw_state) is not None,
    )


@dataclass(frozen=True, slots=True)
class _Algorithms:
    """The line ``Encr:`` as words; ``flags`` have no value."""

    words: dict[str, str]
    flags: tuple[str, ...]

    def number(self, name: str) -> int | None:
        text = self.words.get(name)
        if text is None:
            return None
        if not text.isdecimal():
            raise ValueError(f"a number behind {name}")
        return int(text)


def _algorithms(text: str) -> _Algorithms:
    words: dict[str, str] = {}
    flags: list[str] = []
    for part in text.split(","):
        name, colon, word = part.partition(":")
        if colon:
            words[name.replace(" ", "").lower()] = word.strip()
        elif name.strip():
            flags.append(name.strip())
    return _Algorithms(words, tuple(flags))


_NO_ALGORITHMS = _Algorithms({}, ())


def _ikev2_sa(sa: _Sa) -> IkeSa:
    block = sa.block
    block.once("ENCR", "ACTIVE_TIME")
    raw_state = block.required("STATUS", "the status of an IKEv2 SA, such as READY")
    state = _state(raw_state)
    local = block.required("LOCAL", "the local address of an IKEv2 SA")
    remote = block.required("REMOTE", "the remote address of an IKEv2 SA")
    algorithms, number_of = _algorithms_of(block)
    lifetime, active = block.number("LIFE"), block.number("ACTIVE_TIME")
    if state is IkeState.READY and (block.text("ENCR") is None or lifetime is None):
        raise block.error("the lines 'Encr:' and 'Life/Active Time:' of an IKEv2 SA")
    role = _role(block.text("ROLE"))
    initiator = block.flag("INITIATOR", "Yes") if role is None else role == "initiator"
    fvrf, vrf = _vrfs(block.text("VRFS"))
    session = sa.session
    return IkeSa(
        version=2,
        local=values.address(local),
        local_port=block.number("LOCAL_PORT"),
        remote=values.address(remote),
        remote_port=block.number("REMOTE_PORT"),
        state=state,
        raw_state=raw_state,
        status_description=block.text("STATUS_DESCRIPTION"),
        conn_id=block.number("TUNNEL_ID"),
        role=role,
        initiator=initiator,
        vrf=vrf,
        fvrf=fvrf,
        raw_vrfs=block.text("VRFS"),
        encryption=algorithms.words.get("encr"),
        key_size_bits=number_of["keysize"],
        hash=_unless_none(algorithms.words.get("hash")),
        prf=algorithms.words.get("prf"),
        auth=algorithms.words.get("authsign"),
        auth_verify=algorithms.words.get("authverify"),
        dh_group=number_of["dhgrp"],
        flags=algorithms.flags,
        pqc_key_exchange=block.text("PQC"),
        quantum_safe=block.text("QUANTUM_SAFE"),
        lifetime_seconds=lifetime,
        active_seconds=active,
        remaining_seconds=None if lifetime is None or active is None else max(0, lifetime - active),
        nat_t=block.flag("NAT_T", "detected"),
        nat_t_side=block.text("NAT_T_SIDE"),
        ce_id=block.number("CE_ID"),
        session_id=_session_id(block, session),
        session_status=session.text("SESSION_STATUS") if session else None,
        session_ike_sas=session.number("IKE_COUNT") if session else None,
        session_child_sas=session.number("CHILD_COUNT") if session else None,
        local_spi=block.value("LOCAL_SPI", _hexadecimal),
        remote_spi=block.value("REMOTE_SPI", _hexadecimal),
        local_id=block.text("LOCAL_ID"),
        remote_id=block.text("REMOTE_ID"),
        local_request_message_id=block.number("LOCAL_REQUEST"),
        remote_request_message_id=block.number("REMOTE_REQUEST"),
        local_next_message_id=block.number("LOCAL_NEXT"),
        remote_next_message_id=block.number("REMOTE_NEXT"),
        local_queued_message_id=block.number("LOCAL_QUEUED"),
        remote_queued_message_id=block.number("REMOTE_QUEUED"),
        local_window=block.number("LOCAL_WINDOW"),
        remote_window=block.number("REMOTE_WINDOW"),
        dpd_seconds=block.number("DPD_SECONDS"),
        dpd_retries=block.number("DPD_RETRIES"),
        fragmentation=_single_spaced(block.text("FRAGMENTATION")),
        fragmentation_mtu_bytes=block.number("FRAGMENTATION_MTU"),
        dynamic_route_update=block.text("ROUTE_UPDATE"),
        extended_authentication=_single_spaced(block.text("EXTENDED_AUTH")),
        trust_security_sgt=block.text("SGT"),
        assigned_address=block.value("ASSIGNED_ADDRESS", values.address),
        remote_subnets=tuple(_subnet(row) for row in block.having("SUBNET_ADDRESS")),
        peer_type=block.text("PEER_TYPE"),
        child_selectors=tuple(_child(child) for child in sa.children),
        is_established=state is IkeState.READY,
        is_deleted=state is IkeState.DELETE
        or "TRUE" in (block.text("DELETE_IN_PROGRESS"), block.text("MARKED_FOR_DELETE")),
    )


def _session_id(block: Block, session: Row | None) -> int | None:
    """Printed with the SA itself or, above it, in the title of its session."""
    if block.text("SA_SESSION_ID") is None and session is not None:
        return session.number("SESSION_ID")
    return block.number("SA_SESSION_ID")


def _algorithms_of(block: Block) -> tuple[_Algorithms, dict[str, int | None]]:
    line = block.text("ENCR")
    algorithms = (
        _NO_ALGORITHMS if line is None else _algorithms(line + (block.text("WRAPPED") or ""))
    )
    if line is not None and "authverify" not in algorithms.words:
        raise block.error("the line 'Encr:' to its end, 'Auth verify:'")
    try:
        return algorithms, {name: algorithms.number(name) for name in ("keysize", "dhgrp")}
    except ValueError as error:
        raise block.error(str(error), near="Encr:") from error


def _vrfs(text: str | None) -> tuple[str | None, str | None]:
    """``none/121`` -> outer and inner VRF; a name that fills the column to its end may go on, and is not given."""
    if text is None:
        return None, None
    fvrf, slash, vrf = text.partition("/")
    is_cut = len(text) >= _VRF_COLUMN
    return (
        None if fvrf == "none" or not slash else fvrf,
        None if vrf in ("none", "") or is_cut else vrf,
    )


def _unless_none(text: str | None) -> str | None:
    """A combined cipher has no hash: ``Hash: None``, on ASA ``N/A``."""
    return None if text in ("None", "none", "N/A", "IPCOMP_NONE") else text


def _single_spaced(text: str | None) -> str | None:
    """``not  configured`` is IOS's own spacing."""
    return None if text is None else " ".join(text.split())


def _hexadecimal(text: str) -> int:
    """An IKE SPI has 64 bits."""
    return int(text, 16)


def _subnet(row: Row) -> Ident:
    address = row.required("SUBNET_ADDRESS", "a subnet such as 10.0.0.0 255.0.0.0")
    mask = row.required("SUBNET_MASK", "a subnet such as 10.0.0.0 255.0.0.0")
    try:
        return values.ident(address, mask, "0", "0")
    except ValueError as error:
        raise row.error(str(error), near=mask) from error


def _child(block: Block) -> ChildSa:
    block.once("ESP_OUT")
    if block.text("REMOTE_SELECTOR") is None or block.text("LOCAL_SELECTOR") is None:
        raise block.error("the selectors of a child SA")
    if block.text("ESP_OUT") is None:
        raise block.error("the line 'ESP spi in/out:' of a child SA")
    raw_mode = block.text("MODE")
    modes = {mode.value: mode for mode in SaMode}
    return ChildSa(
        selectors=tuple(_pair(row) for row in block.having("LOCAL_SELECTOR")),
        inbound_esp_spi=block.value("ESP_IN", values.spi),
        outbound_esp_spi=block.value("ESP_OUT", values.spi),
        inbound_ah_spi=block.value("AH_IN", values.spi),
        outbound_ah_spi=block.value("AH_OUT", values.spi),
        inbound_cpi=block.value("CPI_IN", values.spi),
        outbound_cpi=block.value("CPI_OUT", values.spi),
        encryption=block.text("CHILD_ENCRYPTION"),
        key_size_bits=block.number("CHILD_KEY_SIZE"),
        esp_hmac=_unless_none(block.text("ESP_HMAC")),
        ah_hmac=_unless_none(block.text("AH_HMAC")),
        compression=_unless_none(block.text("COMPRESSION")),
        mode=modes.get(raw_mode.lower()) if raw_mode else None,
        raw_mode=raw_mode,
    )


def _pair(row: Row) -> SelectorPair:
    local = row.value("LOCAL_SELECTOR", _selector)
    remote = row.value("REMOTE_SELECTOR", _selector)
    if local is None or remote is None:
        raise row.error("a local and a remote selector")
    return SelectorPair(local=local, remote=remote)


_SELECTOR = re.compile(r"([0-9A-Fa-f.:]+)/(\d{1,5}) +- +([0-9A-Fa-f.:]+)/(\d{1,5})")


def _selector(text: str) -> TrafficSelector:
    """``10.1.0.0/0 - 10.1.0.255/65535``"""
    match = _SELECTOR.fullmatch(text)
    if match is None:
        raise ValueError("a selector such as 10.1.0.0/0 - 10.1.0.255/65535")
    return TrafficSelector(
        start_address=values.address(match[1]),
        start_port=int(match[2]),
        end_address=values.address(match[3]),
        end_port=int(match[4]),
    )
