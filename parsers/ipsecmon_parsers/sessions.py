"""Rows of ``show crypto session`` -> ``CryptoSession`` records, and the same sessions as ``show dmvpn detail`` has them.

::

    Interface: Tunnel13
    Session status: UP-ACTIVE
    Peer: 198.51.100.1 port 500 fvrf: (none) ivrf: (none)
      Session ID: 0
      IKEv1 SA: local 192.0.2.1/500 remote 198.51.100.1/500 Active
              Capabilities:D connid:1042 lifetime:05:50:03
      IPSEC FLOW: permit 47 host 192.0.2.1 host 198.51.100.1
            Active SAs: 2, origin: crypto map
            Inbound:  #pkts dec'ed 449282 drop 0 life (KB/Sec) KB Vol Rekey Disabled/3060
            Outbound: #pkts enc'ed 772730 drop 0 life (KB/Sec) KB Vol Rekey Disabled/3060

Nothing closes a session. What shows that the last one was cut: a flow without its lines, or no flow although the
status speaks of one (every session has a flow, save one that is UP-IDLE). Whether another session would have
followed only the prompt can say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ipsecmon_parsers import values
from ipsecmon_parsers.blocks import Block, ends_inside_a_line
from ipsecmon_parsers.engines import Row, Table
from ipsecmon_parsers.records import (
    CryptoSession,
    Ident,
    Platform,
    SessionFlow,
    SessionIkeSa,
    SessionStatus,
)

__all__ = ["build_crypto_sessions", "build_session_briefs", "session_flow", "session_ike_sa"]

_STATUSES = {status.value: status for status in SessionStatus}
_UP = frozenset({SessionStatus.UP_ACTIVE, SessionStatus.UP_IDLE, SessionStatus.UP_NO_IKE})
_WHOLE = re.compile(r"Crypto session current status$|, origin: (?:dynamic )?crypto map$| 0/0$")
_SAME_TIME = re.compile(r"/(\d+)$")


@dataclass(slots=True)
class _Session:
    """The rows of one session."""

    head: Block
    ike_sas: list[tuple[Block, int | None]] = field(default_factory=list[tuple[Block, int | None]])
    flows: list[Block] = field(default_factory=list[Block])


def build_crypto_sessions(table: Table, _: Platform) -> tuple[CryptoSession, ...]:
    """The sessions of the listing; the title alone is zero records."""
    sessions: list[_Session] = []
    session_id: int | None = None
    for row in table:
        if row.text("INTERFACE"):
            sessions.append(_Session(Block([row])))
            session_id = None
        elif not sessions:
            raise row.error("the line 'Interface:' above a session")
        elif row.text("STATUS"):
            sessions[-1].head.rows.append(row)
        elif row.text("SESSION_ID"):
            session_id = row.number("SESSION_ID")
        elif row.text("IKE"):
            sessions[-1].ike_sas.append((Block([row]), session_id))
            session_id = None
        elif row.text("FLOW"):
            sessions[-1].flows.append(Block([row]))
        elif row.text("CAPABILITIES") and sessions[-1].ike_sas:
            sessions[-1].ike_sas[-1][0].rows.append(row)
        elif row.text("ACTIVE_SAS") and sessions[-1].flows:
            sessions[-1].flows[-1].rows.append(row)
        else:
            raise row.error("a session, an IKE SA or a flow")
    if not table.complete:
        _refuse_cut(table, sessions, is_open=session_id is not None)
    for session in sessions:
        table.made_of(session.head.rows[0])
    return tuple(_crypto_session(session) for session in sessions)


def _refuse_cut(table: Table, sessions: list[_Session], *, is_open: bool) -> None:
    whole = f"{max(0, len(sessions) - 1)} sessions before it were whole"
    if not sessions:
        if not any(line.strip() == "Crypto session current status" for line in table.lines):
            raise table.truncated(
                "the title 'Crypto session current status'", "no session was whole"
            )
        return
    last = sessions[-1]
    is_outbound = table.lines[-1].lstrip().startswith("Outbound:")
    if ends_inside_a_line(table, _WHOLE) and not (is_outbound and _repeats_inbound_time(last)):
        raise table.truncated("the rest of the last line", whole)
    status = last.head.text("STATUS")
    if is_open or status is None or last.head.text("PEER") is None:
        raise table.truncated("the status, the peer and the SAs of the last session", whole)
    if not last.flows and not (status.startswith("UP-IDLE") and last.ike_sas):
        raise table.truncated("a flow of the last session", whole)
    is_detailed = last.head.text("IVRF") is not None or table.command.lower().endswith(" detail")
    for row, _ in last.ike_sas:
        if row.text("IKE_STATUS") is None or (is_detailed and row.text("CONN_ID") is None):
            raise table.truncated("the whole of the last IKE SA", whole)
    for row in last.flows:
        if row.text("ACTIVE_SAS") is None or (is_detailed and row.text("OUTBOUND_LIFE") is None):
            raise table.truncated("the counters of the last flow", whole)


def _repeats_inbound_time(session: _Session) -> bool:
    """Both SAs of a flow were made together: the same number of seconds in both lines is a whole number."""
    if not session.flows:
        return False
    lives = [session.flows[-1].text(name) or "" for name in ("INBOUND_LIFE", "OUTBOUND_LIFE")]
    times = [_SAME_TIME.search(life) for life in lives]
    return all(times) and len({match[1] for match in times if match}) == 1


def _crypto_session(session: _Session) -> CryptoSession:
    """The record of one session; ``UP-IDLE`` and the others of ``SessionStatus``, an unknown word as text."""
    head = session.head
    head.once("STATUS")
    raw_status = head.required("STATUS", "the session status, such as UP-ACTIVE")
    status = _STATUSES.get(raw_status, SessionStatus.UNKNOWN)
    return CryptoSession(
        interface=head.text("INTERFACE"),
        username=head.text("USERNAME"),
        profile=head.text("PROFILE"),
        group=head.text("GROUP"),
        assigned_address=head.value("ASSIGNED_ADDRESS", values.address),
        uptime_seconds=head.value("UPTIME", values.duration),
        status=status,
        raw_status=raw_status,
        is_up=status in _UP,
        peer=values.address(head.required("PEER", "the line 'Peer:' of a session")),
        peer_port=head.number("PEER_PORT"),
        fvrf=_unless_none(head.text("FVRF")),
        vrf=_unless_none(head.text("IVRF")),
        phase1_id=_unless_none(head.text("PHASE1_ID")),
        description=_unless_none(head.text("DESCRIPTION")),
        ike_sas=tuple(session_ike_sa(row, session_id) for row, session_id in session.ike_sas),
        flows=tuple(session_flow(row) for row in session.flows),
    )


def _unless_none(text: str | None) -> str | None:
    return None if text == "(none)" else text


def session_ike_sa(row: Block, session_id: int | None) -> SessionIkeSa:
    """``IKEv1 SA: local ... remote ... Active``; before version 2 existed the line began ``IKE SA:``."""
    row.once("CAPABILITIES")
    expected = "an IKE SA with its local and remote address and port"
    capabilities = _unless_none(row.text("CAPABILITIES"))
    status = row.required("IKE_STATUS", "Active or Inactive behind an IKE SA")
    return SessionIkeSa(
        version=2 if row.text("IKE") == "IKEv2" else 1,
        local=values.address(row.required("LOCAL", expected)),
        local_port=int(row.required("LOCAL_PORT", expected)),
        remote=values.address(row.required("REMOTE", expected)),
        remote_port=int(row.required("REMOTE_PORT", expected)),
        status=status,
        is_active=status == "Active",
        session_id=session_id,
        capabilities=tuple(capabilities or ""),
        conn_id=row.number("CONN_ID"),
        remaining_seconds=row.value("REMAINING", values.duration),
    )


@dataclass(frozen=True, slots=True)
class _Life:
    kilobytes: int | None
    seconds: int
    is_disabled: bool


_LIFE = re.compile(r"(?:(\d+)|KB Vol Rekey Disabled)/(\d+)", re.IGNORECASE)


def _life(text: str) -> _Life:
    """``4607976/433`` or, with volume rekey disabled, ``KB Vol Rekey Disabled/3060``."""
    match = _LIFE.fullmatch(text)
    if match is None:
        raise ValueError("a life such as 4607976/433")
    kilobytes = None if match[1] is None else int(match[1])
    return _Life(kilobytes, int(match[2]), kilobytes is None)


def session_flow(
    row: Block, *, outbound_spi: int | None = None, transform: tuple[str, ...] = ()
) -> SessionFlow:
    """``IPSEC FLOW:`` and the lines below it."""
    row.once("ACTIVE_SAS")
    row.required("ACTIVE_SAS", "the line 'Active SAs:' of a flow")
    if (row.text("INBOUND_LIFE") is None) != (row.text("OUTBOUND_LIFE") is None):
        raise row.error("both lines of counters of a flow, 'Inbound:' and 'Outbound:'")
    text = " ".join(row.required("FLOW", "the selector of a flow").split())
    action, protocol, local, remote = _selector(text)
    inbound, outbound = row.value("INBOUND_LIFE", _life), row.value("OUTBOUND_LIFE", _life)
    return SessionFlow(
        selector=text,
        action=action,
        protocol=protocol,
        local_ident=local,
        remote_ident=remote,
        active_sas=row.number("ACTIVE_SAS"),
        origin=row.text("ORIGIN"),
        decrypted_packets=row.number("DECRYPTED"),
        inbound_dropped_packets=row.number("INBOUND_DROPPED"),
        inbound_remaining_kilobytes=inbound.kilobytes if inbound else None,
        inbound_remaining_seconds=inbound.seconds if inbound else None,
        encrypted_packets=row.number("ENCRYPTED"),
        outbound_dropped_packets=row.number("OUTBOUND_DROPPED"),
        outbound_remaining_kilobytes=outbound.kilobytes if outbound else None,
        outbound_remaining_seconds=outbound.seconds if outbound else None,
        volume_rekey_disabled=any(
            life is not None and life.is_disabled for life in (inbound, outbound)
        ),
        outbound_spi=outbound_spi,
        transform=transform,
    )


_SIDE = r"(?:host (?P<{0}_host>\S+)|(?P<{0}_address>[^/ ]+)/(?P<{0}_mask>\S+))(?: port (?P<{0}_port>\d+))?"
_SELECTOR = re.compile(
    rf"(?P<action>permit|deny) (?P<protocol>\S+) {_SIDE.format('local')} {_SIDE.format('remote')}"
)


def _selector(text: str) -> tuple[str | None, str | None, Ident | None, Ident | None]:
    """``permit 47 host 192.0.2.1 host 198.51.100.1``, ``permit ip 0.0.0.0/0.0.0.0 host 192.0.2.4``."""
    match = _SELECTOR.fullmatch(text)
    if match is None:
        return None, None, None, None
    sides = (_side(match, "local"), _side(match, "remote"))
    return match["action"], match["protocol"], *sides


def _side(match: re.Match[str], side: str) -> Ident | None:
    protocol = match["protocol"] if match["protocol"].isdecimal() else "0"
    host = match[f"{side}_host"]
    mask = match[f"{side}_mask"] if host is None else ("128" if ":" in host else "32")
    try:
        address = match[f"{side}_address"] if host is None else host
        return values.ident(address, mask, protocol, match[f"{side}_port"] or "0")
    except ValueError:
        return None


_WORDS_BY_LETTERS = {
    "UA": "UP-ACTIVE",
    "UI": "UP-IDLE",
    "UK": "UP-NO-IKE",
    "UAS": "UP-ACTIVE-STANDBY",
    "UIS": "UP-IDLE-STANDBY",
    "D": "DOWN",
    "DN": "DOWN-NEGOTIATING",
}


def build_session_briefs(table: Table, _: Platform) -> tuple[CryptoSession, ...]:
    """The rows of ``show crypto session brief``; ``status`` in the words of the long form, the letters beside it."""
    sessions: list[CryptoSession] = []
    vrf: str | None = None
    has_header = False
    for row in table:
        if row.text("IVRF"):
            vrf = _unless_none(row.text("IVRF"))
        elif row.text("HEADER"):
            has_header = True
        else:
            table.made_of(row, row)
            sessions.append(_brief(row, vrf))
    if ends_inside_a_line(table, _BRIEF_WHOLE):
        raise table.truncated("the rest of the last line", f"{len(sessions)} rows were read")
    if not sessions and not has_header and not table.complete:
        raise table.truncated("the column titles", "no session was whole")
    return tuple(sessions)


_BRIEF_WHOLE = re.compile(r"Group/Phase1_id +Uptime +Status$")


def _brief(row: Row, vrf: str | None) -> CryptoSession:
    letters = row.required("STATUS", "a row with Peer I/F Username Group/Phase1_id Uptime Status")
    status = _STATUSES.get(_WORDS_BY_LETTERS.get(letters, ""), SessionStatus.UNKNOWN)
    return CryptoSession(
        interface=row.text("INTERFACE"),
        username=row.text("USERNAME"),
        uptime_seconds=row.value("UPTIME", values.duration),
        status=status,
        raw_status=letters,
        is_up=status in _UP,
        peer=row.value("PEER", values.address),
        vrf=vrf,
        phase1_id=row.text("PHASE1_ID"),
    )
