"""What one poll result says, as samples: of the device, of its IKE peers, of the other ends of its tunnels.

A sample names a metric of the catalogue and carries its labels as the block of text they will be printed as, because one
block serves many samples. The tunnels have a file of their own (``tunnel_samples``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from ipsecmon.config import Tier
from ipsecmon.metrics.catalogue import IkeSaState
from ipsecmon.metrics.text import label, label_block
from ipsecmon.metrics.tunnel_samples import TunnelLabels, tunnel_samples
from ipsecmon.model import IkePeer, Link, PollResult, SessionFacts
from ipsecmon.tunnels.status import is_negotiating, is_of_group, is_standby_copy
from ipsecmon_parsers.records import IkeSa, IkeState

__all__ = ["Sample", "device_samples", "result_samples"]

Sample = tuple[str, str, float]
"""Name of the metric, label block, value."""


def result_samples(result: PollResult, tier: Tier) -> Iterator[Sample]:
    """Everything about one device that ``tier`` holds, and perhaps more."""
    yield from device_samples(result)
    labels_of: dict[str, TunnelLabels] = {}
    for tunnel in result.tunnels:
        labels = labels_of[tunnel.name] = TunnelLabels.of(tunnel)
        status = result.status_of(tunnel)
        yield from tunnel_samples(tunnel, labels, status, result.sa_lifetime, tier)
    if tier is not Tier.MINIMAL:
        for link in result.links:
            if link.tunnel in labels_of:
                yield from _link_samples(link, labels_of[link.tunnel])
    if result.read_at is not None:
        yield from _ike_counts(result)
    for peer in result.ike_peers:
        yield from _ike_samples(result, peer, tier)


def device_samples(result: PollResult) -> Iterator[Sample]:
    """What is told of the device itself and of how it was polled."""
    name = ("device", result.device)
    device = label_block(name)
    prefix = "cisco_ipsec_device_"
    yield prefix + "up", device, result.is_good
    info = (("host", result.host), ("platform", result.platform.value))
    yield prefix + "info", label_block(name, *info), 1
    yield prefix + "collect_duration_seconds", device, result.duration_seconds
    yield prefix + "last_attempt_timestamp_seconds", device, result.started_at
    pace = max(result.interval_seconds, result.reading_seconds or 0.0)
    yield prefix + "poll_interval_seconds", device, pace
    if result.next_attempt_at is not None:
        yield prefix + "next_attempt_timestamp_seconds", device, result.next_attempt_at
    if result.cpu_percent is not None:
        yield prefix + "cpu_percent", device, result.cpu_percent
    yield prefix + "readings_skipped_for_cpu_total", device, result.skipped_for_cpu_total
    if result.session is not None:
        yield from _session_samples(result.device, result.session)
    for reason, count in result.errors_total.items():
        block = label_block(name, ("reason", reason.value))
        yield prefix + "collect_errors_total", block, count
    for command, count in result.parse_errors_total.items():
        block = label_block(name, ("command", command))
        yield prefix + "parse_errors_total", block, count
    if result.read_at is None:
        return
    yield prefix + "last_success_timestamp_seconds", device, result.read_at
    listed = sum(tunnel.is_listed for tunnel in result.tunnels)
    yield prefix + "tunnels", device, listed
    unparsed = sum(len(output.lines) for output in result.unparsed)
    yield prefix + "unparsed_lines", device, unparsed
    # a command may be sent twice in one poll
    seconds: dict[str, float] = {}
    for output in result.outputs:
        took = output.ended_at - output.started_at
        seconds[output.command] = seconds.get(output.command, 0.0) + took
    for command, took in seconds.items():
        block = label_block(name, ("command", command))
        yield prefix + "command_duration_seconds", block, took
    if result.sa_lifetime is not None:
        yield prefix + "sa_lifetime_seconds", device, result.sa_lifetime.seconds
        if result.sa_lifetime.kilobytes is not None:
            yield prefix + "sa_lifetime_bytes", device, result.sa_lifetime.kilobytes * 1024


def _session_samples(name: str, session: SessionFacts) -> Iterator[Sample]:
    device = label_block(("device", name))
    prefix = "cisco_ipsec_device_"
    yield prefix + "session_opened_timestamp_seconds", device, session.opened_at
    yield prefix + "ssh_weak_algorithms", device, len(session.weak)
    yield prefix + "host_key_verified", device, session.is_host_key_verified
    agreed = (
        ("kex", session.kex),
        ("cipher", session.cipher),
        ("mac", session.mac),
        ("host_key", session.host_key),
        ("server_version", session.server_version),
    )
    yield prefix + "ssh_info", label_block(("device", name), *agreed), 1


def _link_samples(link: Link, labels: TunnelLabels) -> Iterator[Sample]:
    remote = label("remote_device", link.remote_device), label("remote_tunnel", link.remote_tunnel)
    ends = ",".join((labels.device, *remote, labels.tunnel))
    yield "cisco_ipsec_tunnel_peering_info", f"{{{ends}}}", 1
    if link.is_spi_pair_matched is not None:
        yield "cisco_ipsec_tunnel_spi_pair_matched", labels.block, link.is_spi_pair_matched
    for direction, loss in (("inbound", link.received_loss), ("outbound", link.sent_loss)):
        if loss is not None:
            block = labels.with_word("direction", direction)
            yield "cisco_ipsec_tunnel_path_loss_ratio", block, loss.ratio
            yield "cisco_ipsec_tunnel_path_loss_error_ratio", block, loss.error


# --- IKE ------------------------------------------------------------------------------------------------------

_COUNTED_AS = {
    IkeSaState.ESTABLISHED: "active",
    IkeSaState.NEGOTIATING: "negotiating",
    IkeSaState.NO_STATE: "dead",
    IkeSaState.DELETING: "dead",
    IkeSaState.DEAD: "dead",
    IkeSaState.UNKNOWN: "negotiating",
}
_BEST_FIRST = (
    IkeSaState.ESTABLISHED,
    IkeSaState.NEGOTIATING,
    IkeSaState.DELETING,
    IkeSaState.NO_STATE,
    IkeSaState.UNKNOWN,
)
_NO_STATE = frozenset({IkeState.MM_NO_STATE, IkeState.AG_NO_STATE})


def _ike_counts(result: PollResult) -> Iterator[Sample]:
    counts: dict[str, int] = dict.fromkeys(("active", "standby", "negotiating", "dead"), 0)
    everything: Iterable[IkeSa] = chain(
        (sa for peer in result.ike_peers for sa in peer.sas), result.unmatched_ike_sas
    )
    # one that serves two pairs of addresses is one
    for sa in {id(sa): sa for sa in everything}.values():
        counts["standby" if is_standby_copy(sa) else _COUNTED_AS[_ike_state(sa)]] += 1
    for state, count in counts.items():
        block = label_block(("device", result.device), ("state", state))
        yield "cisco_ike_sas", block, count


def _ike_samples(result: PollResult, peer: IkePeer, tier: Tier) -> Iterator[Sample]:
    pairs = (
        ("device", result.device),
        ("local_addr", peer.local_address),
        ("peer", peer.peer),
    )
    labels = label_block(*pairs)
    yield "cisco_ike_sa_up", labels, peer.is_up
    yield "cisco_ike_sa_qm_idle", labels, peer.is_qm_idle
    yield "cisco_ike_sa_negotiating", labels, is_negotiating(peer)
    newest = _newest_established(peer)
    if newest is not None:
        yield "cisco_ike_sa_info", label_block(*pairs, *_agreed(newest)), 1
    if tier is not Tier.EXTENDED:
        return
    states = {_ike_state(sa) for sa in peer.sas}
    best = next((state for state in _BEST_FIRST if state in states), IkeSaState.DEAD)
    for state in IkeSaState:
        block = label_block(*pairs, ("state", state.value))
        yield "cisco_ike_sa_state", block, state is best
    if newest is not None and newest.remaining_seconds is not None and result.read_at is not None:
        expiry = result.read_at + newest.remaining_seconds
        yield "cisco_ike_sa_expiry_timestamp_seconds", labels, expiry


def _agreed(sa: IkeSa) -> tuple[tuple[str, str], ...]:
    """What was negotiated, as labels."""
    size = f" {sa.key_size_bits}" if sa.encryption and sa.key_size_bits else ""
    nat_t = sa.nat_t if sa.nat_t is not None else "N" in sa.capabilities or None
    return (
        ("encryption", f"{sa.encryption or ''}{size}"),
        ("hash", sa.hash or sa.prf or ""),
        ("auth", sa.auth or ""),
        ("dh_group", "" if sa.dh_group is None else str(sa.dh_group)),
        ("nat_t", _yes_no(nat_t)),
        ("dpd", _yes_no("D" in sa.capabilities or None)),
    )


def _ike_state(sa: IkeSa) -> IkeSaState:
    if sa.is_deleted or sa.state is IkeState.DELETE:
        return IkeSaState.DELETING
    if sa.is_established or is_of_group(sa):
        return IkeSaState.ESTABLISHED
    if sa.state in _NO_STATE:
        return IkeSaState.NO_STATE
    if sa.state is None or sa.state is IkeState.UNKNOWN:
        return IkeSaState.UNKNOWN
    return IkeSaState.NEGOTIATING


def _newest_established(peer: IkePeer) -> IkeSa | None:
    established = [sa for sa in peer.sas if _ike_state(sa) is IkeSaState.ESTABLISHED]
    return max(
        established, key=lambda sa: (sa.remaining_seconds or 0, sa.conn_id or 0), default=None
    )


def _yes_no(value: bool | None) -> str:
    return "" if value is None else "yes" if value else "no"
