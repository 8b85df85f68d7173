"""The pages, without any asset from outside: the overview at ``/`` with every device and tunnel, and the frame of a runbook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from ipsecmon import __version__
from ipsecmon.dump import utc_text
from ipsecmon.model import Event, PollResult, SessionFacts, Snapshot, Status, TunnelState
from ipsecmon_parsers.documents import spi_hex
from ipsecmon_parsers.records import IpsecSa

__all__ = ["no_runbook_page", "overview_page", "runbook_page"]

_EVENTS_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class _TunnelRow:
    name: str
    peer: str
    status: str
    mark: str
    """The class of the status on the page: good, bad, or dim for what is neither up nor down."""
    intent: str
    reason: str
    encaps: str
    decaps: str
    errors: str
    inbound_spi: str
    outbound_spi: str
    time_left: str
    share_left: int
    volume_left: str
    rekeys: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _DeviceBlock:
    name: str
    host: str
    platform: str
    age: str
    error: str
    evidence: str
    """The last that came from the device before it failed."""
    next_attempt: str
    session: str
    weak: str
    ike: str
    tunnels: list[_TunnelRow]


def overview_page(
    snapshot: Snapshot, events: Sequence[Event], configured: Sequence[str], now: float
) -> str:
    """The HTML of the overview at ``now`` (Unix seconds)."""
    statuses = [
        result.status_of(tunnel) for result in snapshot.values() for tunnel in result.tunnels
    ]
    return _template("overview.html").render(
        version=__version__,
        now=utc_text(now),
        up=sum(status.is_up for status in statuses),
        total=len(statuses),
        unknown=statuses.count(Status.UNKNOWN),
        good=sum(1 for result in snapshot.values() if result.is_good),
        configured=len(configured),
        waiting=[name for name in configured if name not in snapshot],
        devices=[_device_block(snapshot[name], now) for name in sorted(snapshot)],
        events=[(utc_text(event.at)[11:19], event) for event in reversed(events[-_EVENTS_SHOWN:])],
    )


def runbook_page(title: str, body: str, names: Sequence[str]) -> str:
    """The HTML of a runbook, whose text is ``body``, beside the list of all."""
    return _template("runbook.html").render(
        version=__version__, title=title, body=body, names=names
    )


def no_runbook_page(name: str, names: Sequence[str]) -> str:
    """What is answered for a ``name`` that no runbook has."""
    body = f"<h1>No such runbook</h1><p>There is none called <code>{escape(name)}</code>.</p>"
    return runbook_page("No such runbook", body, names)


@lru_cache
def _template(name: str) -> Template:
    environment = Environment(
        loader=PackageLoader("ipsecmon.web"), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template(name)


def _device_block(result: PollResult, now: float) -> _DeviceBlock:
    full = result.sa_lifetime.seconds if result.sa_lifetime else None
    return _DeviceBlock(
        name=result.device,
        host=result.host,
        platform=result.platform.value,
        age="never read" if result.read_at is None else f"read {now - result.read_at:.0f} s ago",
        error=result.error.message if result.error else "",
        evidence=result.error.evidence if result.error else "",
        next_attempt=_next_attempt(result, now),
        session=_session(result.session, now),
        weak=", ".join(result.session.weak) if result.session else "",
        ike=", ".join(
            f"{peer.peer} {peer.sas[-1].raw_state if peer.sas else 'no IKE SA'}"
            for peer in result.ike_peers
        ),
        tunnels=[_tunnel_row(tunnel, result.status_of(tunnel), full) for tunnel in result.tunnels],
    )


def _next_attempt(result: PollResult, now: float) -> str:
    if result.next_attempt_at is None:
        return ""
    return f"in {max(0.0, result.next_attempt_at - now):.0f} s"


def _session(session: SessionFacts | None, now: float) -> str:
    """How old it is and what answers there."""
    if session is None:
        return ""
    minutes = max(0.0, now - session.opened_at) / 60
    age = f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.0f} h"
    unverified = "" if session.is_host_key_verified else ", host key not verified"
    return f"logged in {age} ago, {session.server_version}{unverified}"


def _tunnel_row(tunnel: TunnelState, status: Status, full_seconds: int | None) -> _TunnelRow:
    flow = tunnel.flow
    left = tunnel.outbound.remaining_seconds if tunnel.outbound else None
    return _TunnelRow(
        name=tunnel.name,
        peer=tunnel.current_peer or tunnel.peer,
        status=_words(status),
        mark="good" if status.is_up else "bad" if status.is_down else "dim",
        intent=_words(tunnel.purpose.intent),
        reason=tunnel.purpose.reason,
        encaps=_number(flow.encaps_packets),
        decaps=_number(flow.decaps_packets),
        errors=f"{_number(flow.send_errors)} / {_number(flow.recv_errors)}",
        inbound_spi=_spi(tunnel.inbound),
        outbound_spi=_spi(tunnel.outbound),
        time_left="-" if left is None else f"{left} s",
        share_left=0 if not left or not full_seconds else min(100, left * 100 // full_seconds),
        volume_left=_number(tunnel.outbound.remaining_kilobytes if tunnel.outbound else None),
        rekeys=sum(tunnel.memory.rekeys.values()),
    )


def _words(term: str) -> str:
    return term.replace("_", " ")


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _spi(sa: IpsecSa | None) -> str:
    return "-" if sa is None or sa.spi is None else spi_hex(sa.spi)
