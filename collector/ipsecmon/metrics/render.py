"""One poll result -> its samples as bytes, once per poll.

A scrape then only joins bytes: 64,000 series take 7 ms instead of 375 ms (``exposition``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from ipsecmon.metrics.catalogue import CATALOGUE, Kind, Metric
from ipsecmon.model import IkePeer, PollResult, TunnelState
from ipsecmon_parsers.records import Direction, IpsecSa

__all__ = ["DuplicateSample", "Sample", "render", "render_result"]

Sample = tuple[str, tuple[str, ...], float]
"""Metric name, label values in the order of the catalogue, value."""

_METRICS: Mapping[str, Metric] = {metric.name: metric for metric in CATALOGUE}


class DuplicateSample(ValueError):
    """Two samples with one label set: Prometheus would refuse the whole scrape, and the client library does not notice."""


def render_result(result: PollResult) -> Mapping[str, bytes]:
    """The sample lines of one device by metric name, without HELP and TYPE."""
    return render(_samples(result))


def render(samples: Iterable[Sample]) -> Mapping[str, bytes]:
    """Sample lines by metric name, in the text format of Prometheus 0.0.4."""
    families: dict[str, Family] = {}
    seen: set[tuple[str, tuple[str, ...]]] = set()
    for name, labels, value in samples:
        if (name, labels) in seen:
            raise DuplicateSample(f"two samples of {name} with the labels {labels}")
        seen.add((name, labels))
        family = families.get(name) or families.setdefault(name, _family(_METRICS[name]))
        family.add_metric(labels, value)  # type: ignore[attr-defined] # both family types have it, their base has not
    return {
        name: generate_latest(_OneFamily(family)).split(b"\n", 2)[2]
        for name, family in families.items()
    }


def _family(metric: Metric) -> Family:
    match metric.kind:
        case Kind.GAUGE:
            return GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
        case Kind.COUNTER:
            return CounterMetricFamily(metric.name, metric.help, labels=metric.labels)


class _OneFamily(Collector):
    def __init__(self, family: Family) -> None:
        self._family = family

    def collect(self) -> Iterable[Family]:
        return (self._family,)


def _samples(result: PollResult) -> Iterator[Sample]:
    yield from _device_samples(result)
    for tunnel in result.tunnels:
        yield from _tunnel_samples(tunnel)
    for peer in result.ike_peers:
        yield from _ike_samples(result.device, peer)


def _device_samples(result: PollResult) -> Iterator[Sample]:
    device = (result.device,)
    prefix = "cisco_ipsec_device_"
    yield prefix + "up", device, float(result.is_good)
    yield prefix + "info", (result.device, result.host, result.platform.value), 1.0
    yield prefix + "collect_duration_seconds", device, result.duration_seconds
    yield prefix + "last_attempt_timestamp_seconds", device, result.started_at
    yield prefix + "poll_interval_seconds", device, result.interval_seconds
    for reason, count in result.errors_total.items():
        yield prefix + "collect_errors_total", (result.device, reason.value), float(count)
    if result.read_at is None:
        return
    yield prefix + "last_success_timestamp_seconds", device, result.read_at
    yield prefix + "tunnels", device, float(len(result.tunnels))
    unparsed = sum(len(output.lines) for output in result.unparsed)
    yield prefix + "unparsed_lines", device, float(unparsed)
    if result.sa_lifetime is not None:
        yield prefix + "sa_lifetime_seconds", device, float(result.sa_lifetime.seconds)
        if result.sa_lifetime.kilobytes is not None:
            yield prefix + "sa_lifetime_bytes", device, result.sa_lifetime.kilobytes * 1024.0


def _tunnel_samples(tunnel: TunnelState) -> Iterator[Sample]:
    flow = tunnel.flow
    labels = (tunnel.device, tunnel.name, tunnel.peer)
    prefix = "cisco_ipsec_tunnel_"
    yield (
        prefix + "info",
        (
            *labels,
            flow.interface or "",
            flow.crypto_map or "",
            flow.protected_vrf or "",
            flow.local_address or "",
            str(flow.local_ident),
            str(flow.remote_ident),
        ),
        1.0,
    )
    yield prefix + "up", labels, float(tunnel.status.is_up)
    counters: Sequence[tuple[str, int | None]] = (
        ("encaps_packets_total", flow.encaps_packets),
        ("encrypt_packets_total", flow.encrypt_packets),
        ("digest_packets_total", flow.digest_packets),
        ("decaps_packets_total", flow.decaps_packets),
        ("decrypt_packets_total", flow.decrypt_packets),
        ("verify_packets_total", flow.verify_packets),
        ("send_errors_total", flow.send_errors),
        ("recv_errors_total", flow.recv_errors),
        ("path_mtu_bytes", flow.path_mtu_bytes),
    )
    for name, value in counters:
        if value is not None:
            yield prefix + name, labels, float(value)
    for trigger, count in tunnel.rekeys.items():
        yield prefix + "rekeys_total", (*labels, trigger.value), float(count)
    if tunnel.last_rekey_at is not None:
        yield prefix + "last_rekey_timestamp_seconds", labels, tunnel.last_rekey_at
    yield from _sa_samples(tunnel, Direction.INBOUND, tunnel.inbound)
    yield from _sa_samples(tunnel, Direction.OUTBOUND, tunnel.outbound)


def _sa_samples(tunnel: TunnelState, direction: Direction, sa: IpsecSa | None) -> Iterator[Sample]:
    labels = (tunnel.device, tunnel.name, tunnel.peer, direction.value)
    installed = sum(1 for other in tunnel.flow.sas if other.direction is direction)
    yield "cisco_ipsec_sas", labels, float(installed)
    yield "cisco_ipsec_sa_spi", labels, float(sa.spi or 0) if sa else 0.0
    if sa is None or sa.never_expires:
        return
    if sa.remaining_seconds is not None:
        yield "cisco_ipsec_sa_remaining_lifetime_seconds", labels, float(sa.remaining_seconds)
        expiry = tunnel.seen_at + sa.remaining_seconds
        yield "cisco_ipsec_sa_expiry_timestamp_seconds", labels, expiry
    if sa.remaining_kilobytes is not None:
        yield "cisco_ipsec_sa_remaining_lifetime_bytes", labels, sa.remaining_kilobytes * 1024.0


def _ike_samples(device: str, peer: IkePeer) -> Iterator[Sample]:
    labels = (device, peer.peer, peer.local_address)
    yield "cisco_ike_sa_up", labels, float(peer.is_up)
    yield "cisco_ike_sa_qm_idle", labels, float(peer.is_qm_idle)
