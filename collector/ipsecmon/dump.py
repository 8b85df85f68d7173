"""Poll results -> plain JSON values: what ``poll --json``, ``dump`` and the API show."""

from __future__ import annotations

from datetime import UTC, datetime

from ipsecmon.model import (
    Event,
    IkePeer,
    Link,
    Loss,
    PollResult,
    SessionFacts,
    Status,
    TunnelState,
)
from ipsecmon_parsers.documents import Json, record_document

__all__ = ["event_document", "result_document", "session_document", "utc_text"]


def result_document(result: PollResult, *, raw: bool = False) -> dict[str, Json]:
    """Everything known of one device; ``raw`` adds the outputs as the device sent them."""
    error = result.error
    document: dict[str, Json] = {
        "device": result.device,
        "host": result.host,
        "platform": result.platform.value,
        "is_good": result.is_good,
        "error": None
        if error is None
        else {
            "stage": error.stage.value,
            "reason": error.reason.value,
            "command": error.command,
            "message": error.message,
            "evidence": error.evidence,
        },
        "session": None if result.session is None else session_document(result.session),
        "next_attempt_at": _time(result.next_attempt_at),
        "started_at": utc_text(result.started_at),
        "duration_seconds": round(result.duration_seconds, 6),
        "read_at": _time(result.read_at),
        "tunnels": [
            _tunnel_document(tunnel, result.status_of(tunnel)) for tunnel in result.tunnels
        ],
        "links": [_link_document(link) for link in result.links],
        "ike_peers": [_peer_document(peer) for peer in result.ike_peers],
        "unmatched_ike_sas": [record_document(sa) for sa in result.unmatched_ike_sas],
        "sa_lifetime": None if result.sa_lifetime is None else record_document(result.sa_lifetime),
        "events": [event_document(event) for event in result.events],
        "unparsed_lines": [
            {"command": output.command, "line_no": line.line_no, "text": line.text}
            for output in result.unparsed
            for line in output.lines
        ],
    }
    if raw:
        document["outputs"] = [
            {"command": output.command, "text": output.text} for output in result.outputs
        ]
    return document


def utc_text(at: float) -> str:
    """Unix seconds -> ``2026-11-23T10:11:12Z``."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _tunnel_document(tunnel: TunnelState, status: Status) -> dict[str, Json]:
    memory, expected = tunnel.memory, tunnel.expected
    return {
        "name": tunnel.name,
        "peer": tunnel.peer,
        "current_peer": tunnel.current_peer,
        "peers": list(memory.peers),
        "status": status.value,
        "is_up": status.is_up,
        "is_listed": tunnel.is_listed,
        "intent": tunnel.purpose.intent.value,
        "intent_reason": tunnel.purpose.reason,
        "owner": expected.owner if expected else None,
        "site": expected.site if expected else None,
        "description": expected.description if expected else None,
        "options": [option.value for option in sorted(expected.options)] if expected else [],
        "rekeys": {trigger.value: count for trigger, count in memory.rekeys.items()},
        "last_rekey_at": _time(memory.last_rekey_at),
        "flaps": memory.flaps,
        "last_transition_at": _time(memory.last_transition_at),
        "sent_bytes_per_second": tunnel.sent_bytes_per_second,
        "received_bytes_per_second": tunnel.received_bytes_per_second,
        "predicted_expiry_at": _time(tunnel.predicted_expiry_at),
        "flow": record_document(tunnel.flow),
    }


def session_document(session: SessionFacts) -> dict[str, Json]:
    """What was agreed on when a session was opened; ``opened_at`` in UTC."""
    return {
        "address": session.address,
        "server_version": session.server_version,
        "kex": session.kex,
        "host_key": session.host_key,
        "cipher": session.cipher,
        "mac": session.mac,
        "weak": list(session.weak),
        "host_key_fingerprint": session.host_key_fingerprint,
        "is_host_key_verified": session.is_host_key_verified,
        "prompt": session.prompt,
        "opened_at": utc_text(session.opened_at),
    }


def _link_document(link: Link) -> dict[str, Json]:
    return {
        "tunnel": link.tunnel,
        "remote_device": link.remote_device,
        "remote_tunnel": link.remote_tunnel,
        "proof": link.proof.value,
        "is_spi_pair_matched": link.is_spi_pair_matched,
        "sent_loss": _loss_document(link.sent_loss),
        "received_loss": _loss_document(link.received_loss),
        "finding": link.finding,
    }


def _loss_document(loss: Loss | None) -> Json:
    if loss is None:
        return None
    return {
        "ratio": loss.ratio,
        "error": loss.error,
        "packets": loss.packets,
        "seconds": loss.seconds,
    }


def _time(at: float | None) -> str | None:
    return None if at is None else utc_text(at)


def _peer_document(peer: IkePeer) -> dict[str, Json]:
    return {
        "peer": peer.peer,
        "local_address": peer.local_address,
        "is_up": peer.is_up,
        "is_qm_idle": peer.is_qm_idle,
        "sas": [record_document(sa) for sa in peer.sas],
    }


def event_document(event: Event) -> dict[str, Json]:
    """An event as JSON; ``at`` in UTC to the millisecond, ``tunnel`` null for a whole device."""
    evidence: list[Json] = [
        {
            "command": one.command,
            "line_no": one.line_no,
            "text": one.text,
            "read_at": None if one.read_at is None else _utc(one.read_at),
        }
        for one in event.evidence
    ]
    return {
        "at": _utc(event.at),
        "device": event.device,
        "tunnel": event.tunnel,
        "kind": event.kind.value,
        "detail": event.detail,
        "facts": dict(event.facts),
        "evidence": evidence,
    }


def _utc(at: float) -> str:
    text = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
