"""One tunnel as samples: every known tunnel has the same series at every poll, with SAs or without.

A tunnel the device lists no longer keeps its series: its packet counters are 0, as those of a flow that comes back are.
One that is only remembered from before a restart has not been read: a 0 would look like a reset, so it shows nothing read.
What cannot be known (a volume where volume rekey is disabled, the time of a rekey before there was one) is absent
rather than 0; the catalogue says when.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ipsecmon.config import Tier
from ipsecmon.metrics.text import label, label_block
from ipsecmon.model import Intent, SaMark, Status, TunnelState
from ipsecmon.tunnels.identity import stable_interface
from ipsecmon.tunnels.status import is_asked_for
from ipsecmon_parsers.records import Direction, Flow, IpsecSa, SaLifetime

__all__ = ["TunnelLabels", "tunnel_samples"]

_NOT_EXPECTED_NOW = frozenset({Status.STANDBY, Status.EXCLUDED})
_SEND_DROPS = (
    ("no_sa", "no_sa_send_packets"),
    ("encaps_failed", "encaps_failed_send_packets"),
    ("internal", "internal_error_send_packets"),
    ("replay_rollover", "replay_rollover_send_packets"),
)
_RECV_DROPS = (
    ("replay", "replay_failed_recv_packets"),
    ("replay_rollover", "replay_rollover_recv_packets"),
    ("invalid_sa", "invalid_sa_recv_packets"),
    ("invalid_identity", "invalid_identity_recv_packets"),
    ("invalid_prot", "invalid_prot_recv_packets"),
    ("invalid_len", "invalid_len_recv_packets"),
    ("verify_failed", "verify_failed_packets"),
    ("decaps_failed", "decaps_failed_recv_packets"),
    ("internal", "internal_error_recv_packets"),
)


@dataclass(frozen=True, slots=True)
class TunnelLabels:
    """The three labels of nearly all series of a tunnel, escaped once."""

    device: str
    peer: str
    tunnel: str

    @classmethod
    def of(cls, tunnel: TunnelState) -> TunnelLabels:
        return cls(
            label("device", tunnel.device),
            label("peer", tunnel.peer),
            label("tunnel", tunnel.name),
        )

    @property
    def block(self) -> str:
        """``{device="...",peer="...",tunnel="..."}``."""
        return f"{{{self.device},{self.peer},{self.tunnel}}}"

    def with_word(self, name: str, word: str) -> str:
        """The block with one more label at its place in the alphabet; ``word`` is one of ours and needs no escaping."""
        if name < "peer":
            return f'{{{self.device},{name}="{word}",{self.peer},{self.tunnel}}}'
        return f'{{{self.device},{self.peer},{name}="{word}",{self.tunnel}}}'


def tunnel_samples(
    tunnel: TunnelState,
    labels: TunnelLabels,
    status: Status,
    lifetime: SaLifetime | None,
    tier: Tier,
) -> Iterator[tuple[str, str, float]]:
    """Name of the metric, label block and value, of everything that ``tier`` holds and perhaps more.

    ``status`` is what is known now, after a failed poll too; ``lifetime`` what the device gives new SAs.
    """
    block = labels.block
    flow = tunnel.flow
    yield "cisco_ipsec_tunnel_info", _info(tunnel, labels), 1
    is_unread = tunnel.status is Status.UNKNOWN
    is_up = tunnel.memory.is_settled_up if is_unread else tunnel.status.is_up
    if is_up is not None:
        yield "cisco_ipsec_tunnel_up", block, is_up
    is_expected = (
        tunnel.purpose.intent is Intent.ALWAYS_ON and tunnel.status not in _NOT_EXPECTED_NOW
    )
    yield "cisco_ipsec_tunnel_expected", block, is_expected
    for option in tunnel.expected.options if tunnel.expected else ():
        of_option = f'{{{labels.device},option="{option.value}",{labels.tunnel}}}'
        yield "cisco_ipsec_tunnel_option", of_option, 1
    # a flow that is not listed has no counters: a 0 would make all it ever counted look new when it is back
    if (encaps := flow.encaps_packets) is not None:
        yield "cisco_ipsec_tunnel_encaps_packets_total", block, encaps
    if (decaps := flow.decaps_packets) is not None:
        yield "cisco_ipsec_tunnel_decaps_packets_total", block, decaps
    if tier is Tier.MINIMAL:
        expiry = _expiry(tunnel.outbound, tunnel.memory.outbound, tunnel.seen_at)
        if expiry is not None:
            outbound = labels.with_word("direction", "outbound")
            yield "cisco_ipsec_sa_expiry_timestamp_seconds", outbound, expiry
        return
    if (send_errors := flow.send_errors) is not None:
        yield "cisco_ipsec_tunnel_send_errors_total", block, send_errors
    if (recv_errors := flow.recv_errors) is not None:
        yield "cisco_ipsec_tunnel_recv_errors_total", block, recv_errors
    if not (is_unread or tunnel.is_restored) and (send_errors is not None or not tunnel.is_listed):
        yield "cisco_ipsec_tunnel_demanded", block, is_asked_for(tunnel)
    yield from _remembered(tunnel, labels, block)
    yield from _lifetimes(tunnel, lifetime, block)
    memory = tunnel.memory
    yield from _sa_samples(
        tunnel, labels.with_word("direction", "inbound"), tunnel.inbound, memory.inbound
    )
    yield from _sa_samples(
        tunnel, labels.with_word("direction", "outbound"), tunnel.outbound, memory.outbound
    )
    if tunnel.outbound is not None:
        yield "cisco_ipsec_tunnel_crypto_info", _negotiated(tunnel, tunnel.outbound), 1
    if tier is Tier.EXTENDED:
        yield from _extended(tunnel, status, labels, block)


def _info(tunnel: TunnelState, labels: TunnelLabels) -> str:
    flow, expected = tunnel.flow, tunnel.expected
    site = owner = description = None
    if expected is not None:
        site, owner, description = expected.site, expected.owner, expected.description
    parts = (
        label("crypto_map", flow.crypto_map or ""),
        label("description", description or ""),
        labels.device,
        label("interface", stable_interface(flow.interface)),
        label("local_addr", flow.local_address or ""),
        label("local_ident", str(flow.local_ident)),
        label("owner", owner or ""),
        labels.peer,
        label("remote_ident", str(flow.remote_ident)),
        label("site", site or ""),
        labels.tunnel,
        label("vrf", flow.protected_vrf or ""),
    )
    return "{" + ",".join(parts) + "}"


def _remembered(
    tunnel: TunnelState, labels: TunnelLabels, block: str
) -> Iterator[tuple[str, str, float]]:
    memory = tunnel.memory
    if memory.sent_kilobytes is not None:
        yield "cisco_ipsec_tunnel_sent_bytes_total", block, memory.sent_kilobytes * 1024
    if memory.received_kilobytes is not None:
        yield "cisco_ipsec_tunnel_received_bytes_total", block, memory.received_kilobytes * 1024
    for trigger, count in memory.rekeys.items():
        by_trigger = labels.with_word("trigger", trigger.value)
        yield "cisco_ipsec_tunnel_rekeys_total", by_trigger, count
    if memory.last_rekey_at is not None:
        yield "cisco_ipsec_tunnel_last_rekey_timestamp_seconds", block, memory.last_rekey_at
    yield "cisco_ipsec_tunnel_flaps_total", block, memory.flaps
    yield "cisco_ipsec_tunnel_peer_failovers_total", block, memory.peer_failovers
    if memory.last_transition_at is not None:
        yield (
            "cisco_ipsec_tunnel_last_transition_timestamp_seconds",
            block,
            memory.last_transition_at,
        )
    if (predicted := _predicted_expiry(tunnel)) is not None:
        yield "cisco_ipsec_tunnel_predicted_expiry_timestamp_seconds", block, predicted
    current = tunnel.current_peer
    for peer in memory.peers or ((current,) if current else ()):
        if peer == tunnel.peer:
            of_peer = block
        else:
            of_peer = TunnelLabels(labels.device, label("peer", peer), labels.tunnel).block
        yield "cisco_ipsec_tunnel_peer_in_use", of_peer, peer == current


# --- SAs ------------------------------------------------------------------------------------------------------


def _sa_samples(
    tunnel: TunnelState, block: str, sa: IpsecSa | None, mark: SaMark | None
) -> Iterator[tuple[str, str, float]]:
    expiry = _expiry(sa, mark, tunnel.seen_at)
    if expiry is not None:
        yield "cisco_ipsec_sa_expiry_timestamp_seconds", block, expiry
    if sa is None and (tunnel.is_restored or tunnel.status is Status.UNKNOWN):
        return
    yield "cisco_ipsec_sa_spi", block, (sa.spi or 0) if sa else 0
    if sa is not None:
        seconds = None if sa.never_expires else sa.remaining_seconds
        kilobytes = None if sa.volume_rekey_disabled else sa.remaining_kilobytes
    else:
        # nothing is left of nothing; only what the last SA had no limit of has none now
        seconds = 0 if mark is None or mark.remaining_seconds is not None else None
        kilobytes = 0 if mark is not None and mark.remaining_kilobytes is not None else None
    if seconds is not None:
        yield "cisco_ipsec_sa_remaining_lifetime_seconds", block, seconds
    if kilobytes is not None:
        yield "cisco_ipsec_sa_remaining_lifetime_bytes", block, kilobytes * 1024


def _expiry(sa: IpsecSa | None, mark: SaMark | None, seen_at: float) -> float | None:
    """Of the SA in use or, without one, of the last."""
    if sa is None:
        if mark is None or mark.remaining_seconds is None:
            return None
        return mark.at + mark.remaining_seconds if mark.expires_at is None else mark.expires_at
    if sa.never_expires or sa.remaining_seconds is None:
        return None
    if mark is not None and mark.spi == sa.spi and mark.expires_at is not None:
        return mark.expires_at
    return seen_at + sa.remaining_seconds


def _predicted_expiry(tunnel: TunnelState) -> float | None:
    """Without SAs what became of them: their time ran out."""
    if tunnel.predicted_expiry_at is not None or tunnel.inbound or tunnel.outbound:
        return tunnel.predicted_expiry_at
    marks = tunnel.memory.inbound, tunnel.memory.outbound
    ends = [_expiry(None, mark, tunnel.seen_at) for mark in marks]
    return min((end for end in ends if end is not None), default=None)


def _lifetimes(
    tunnel: TunnelState, device: SaLifetime | None, block: str
) -> Iterator[tuple[str, str, float]]:
    """The device's own values stand in only until an SA shows what its crypto map entry says."""
    memory = tunnel.memory
    marks = memory.inbound, memory.outbound
    seconds, kilobytes = memory.lifetime_seconds, memory.lifetime_kilobytes
    if device is not None and marks == (None, None):
        seconds = device.seconds if seconds is None else seconds
        kilobytes = device.kilobytes if kilobytes is None else kilobytes
    if seconds is not None:
        yield "cisco_ipsec_sa_lifetime_seconds", block, seconds
    if kilobytes is not None:
        yield "cisco_ipsec_sa_lifetime_bytes", block, kilobytes * 1024


# --- extended -------------------------------------------------------------------------------------------------


def _extended(
    tunnel: TunnelState, status: Status, labels: TunnelLabels, block: str
) -> Iterator[tuple[str, str, float]]:
    flow = tunnel.flow
    for name, value in (
        ("cisco_ipsec_tunnel_encrypt_packets_total", flow.encrypt_packets),
        ("cisco_ipsec_tunnel_digest_packets_total", flow.digest_packets),
        ("cisco_ipsec_tunnel_decrypt_packets_total", flow.decrypt_packets),
        ("cisco_ipsec_tunnel_verify_packets_total", flow.verify_packets),
        ("cisco_ipsec_tunnel_path_mtu_bytes", flow.path_mtu_bytes),
    ):
        if value is not None:
            yield name, block, value
    yield from _drops("cisco_ipsec_tunnel_send_drops_total", flow, _SEND_DROPS, labels)
    yield from _drops("cisco_ipsec_tunnel_recv_drops_total", flow, _RECV_DROPS, labels)
    for one in Status:
        yield "cisco_ipsec_tunnel_state", labels.with_word("state", one.value), one is status
    intent = tunnel.purpose.intent
    for other in Intent:
        of_intent = labels.with_word("intent", other.value)
        yield "cisco_ipsec_tunnel_intent", of_intent, other is intent
    installed = dict.fromkeys(Direction, 0)
    for sa in flow.sas:
        installed[sa.direction] += 1
    for direction, count in installed.items():
        yield "cisco_ipsec_sas", labels.with_word("direction", direction.value), count


def _drops(
    metric: str, flow: Flow, reasons: tuple[tuple[str, str], ...], labels: TunnelLabels
) -> Iterator[tuple[str, str, float]]:
    for reason, field in reasons:
        count: int | None = getattr(flow, field)
        if count is not None:
            yield metric, labels.with_word("reason", reason), count


def _negotiated(tunnel: TunnelState, sa: IpsecSa) -> str:
    flow = tunnel.flow
    group = flow.dh_group or ("none" if flow.pfs is False else "")
    replay = sa.replay_detection
    return label_block(
        ("device", tunnel.device),
        ("mode", sa.mode.value if sa.mode else ""),
        ("nat_t", "yes" if sa.nat_t else "no"),
        ("pfs_group", group),
        ("replay_detection", "" if replay is None else "yes" if replay else "no"),
        ("transform", " ".join(sa.transform)),
        ("tunnel", tunnel.name),
    )
