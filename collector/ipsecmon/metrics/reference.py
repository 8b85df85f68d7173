"""METRICS.md, written from the catalogue: ``python -m ipsecmon.metrics.reference > METRICS.md`` (``make metrics-doc``)."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from ipsecmon.metrics.catalogue import GROUPS, Group, Kind, Metric

__all__ = ["reference_text"]

_HEAD = """\
# Metrics

Written from the catalogue in [`catalogue.py`](collector/ipsecmon/metrics/catalogue.py) by `make metrics-doc`; a test holds the two equal.

Everything is read from a snapshot: a scrape asks no device, and costs one join of bytes that were rendered when the device was polled.

* `/metrics` is the whole fleet and the exporter itself; `/metrics?device=NAME` is one device. The name is that of the configuration.
* The format is text (0.0.4), or OpenMetrics (1.0.0) for a client that prefers it, as Prometheus does. The lines of samples are the same. State sets are typed `gauge` in
  both, because OpenMetrics wants the label of a state set to be called what the metric is called.
* gzip for a client that accepts it.

## Tiers

`metrics.tier` of the [configuration](CONFIGURATION.md#metrics) chooses how much is exported; each tier holds those before it.

| Tier | Is for | Series of each tunnel |
|---|---|---|
| `minimal` | is it up, must it be, does it carry packets, when does it expire | 6 |
| `standard` | all that alerts and dashboards need | about 30 |
| `extended` | every counter the device prints, states as series | about 50 |

A tunnel whose other end is polled too has 6 more, a pair of IKE peers 4. 4,000 tunnels in the standard tier with all of these are 164,000 series and 22 MB of text (about 1 MB
compressed): set `sample_limit`, `body_size_limit` and `scrape_timeout` of Prometheus accordingly.

## Labels

* `device`: the name in the configuration.
* `tunnel`: a name that survives rekeys, reloads and failover, unique on its device.
* `peer`: the first address of the other gateway that is known. It does not change at a failover: which peer is in use is the value of `cisco_ipsec_tunnel_peer_in_use`.
* `direction`: `inbound` is from the peer to us, `outbound` from us to the peer.

An SPI, a connection id or a port is never a label: they change at each rekey. Join what describes a tunnel where you need it:

```
cisco_ipsec_tunnel_up == 0
  and on (device, tunnel) cisco_ipsec_tunnel_expected == 1
cisco_ipsec_tunnel_up * on (device, tunnel) group_left (remote_ident, owner) cisco_ipsec_tunnel_info
```

## When a series is absent

* **Every known tunnel has its series from the start**, with SAs or without; of one the device lists no longer only the packet counters go. Counts of ours begin at 0, the SPI without an SA is 0, the expiry without an
  SA is that of the last. The lines "absent when" are complete: without one, the series is always there.
* **Old data is withdrawn.** When a device has not been read for `stale_after` (three intervals), all series of its tunnels, SAs and IKE SAs go, and Prometheus marks them stale: no
  alert takes an old reading for the present. What is marked *stays* remains, so `cisco_ipsec_device_up == 0` is one alert for the device rather than one for each tunnel.
* **Between two polls** values do not change. How old they are: `time() - cisco_ipsec_device_last_success_timestamp_seconds`.
* **After a restart** a tunnel that has not been read yet shows what is remembered (up, rekeys, bytes, expiry) and nothing that would have to be read: a 0 would look like a reset.

## In PromQL

```
# rekeys in an hour, seen as changes of the SPI; the counters say why
changes(cisco_ipsec_sa_spi{direction="outbound"}[1h])
sum by (device, tunnel, trigger) (increase(cisco_ipsec_tunnel_rekeys_total[1h]))

# must be up, is not
cisco_ipsec_tunnel_up == 0 and on (device, tunnel) cisco_ipsec_tunnel_expected == 1

# traffic asks for a tunnel that does not come up
cisco_ipsec_tunnel_demanded == 1
increase(cisco_ipsec_tunnel_send_errors_total[15m]) > 10 and on (device, tunnel) cisco_ipsec_tunnel_up == 0

# IKE with a peer is tried and does not come up
cisco_ike_sa_negotiating == 1 unless on (device, peer, local_addr) cisco_ike_sa_up == 1

# packets go out, none come back
rate(cisco_ipsec_tunnel_encaps_packets_total[10m]) > 0.1 and rate(cisco_ipsec_tunnel_decaps_packets_total[10m]) == 0

# seconds left, also between two polls; an SA that should be gone and is still in use
cisco_ipsec_sa_expiry_timestamp_seconds - time()
time() - cisco_ipsec_sa_expiry_timestamp_seconds > 120 and on (device, tunnel) cisco_ipsec_tunnel_up == 1

# throughput in bits per second, which show crypto ipsec sa does not print
8 * rate(cisco_ipsec_tunnel_sent_bytes_total[5m])

# data older than three intervals
time() - cisco_ipsec_device_last_success_timestamp_seconds > 3 * cisco_ipsec_device_poll_interval_seconds

# on another peer than the first one known
cisco_ipsec_tunnel_up and on (device, tunnel, peer) cisco_ipsec_tunnel_peer_in_use == 0
```
"""


def reference_text() -> str:
    """The whole of METRICS.md."""
    return "\n".join([_HEAD, *(part for group in GROUPS for part in _group(group))])


def _group(group: Group) -> Iterator[str]:
    yield f"## {group.title}\n\n{group.about}\n"
    yield "| Metric | Type | Tier |\n|---|---|---|"
    for metric in group.metrics:
        yield f"| [`{metric.name}`](#{metric.name}) | {_type(metric)} | {metric.tier} |"
    yield ""
    for metric in group.metrics:
        yield "\n".join(_metric(metric)) + "\n"


def _metric(metric: Metric) -> Iterator[str]:
    about = [_type(metric), f"{metric.tier} tier"]
    if metric.outlives_staleness and metric.labels[:1] == ("device",):
        about.append("*stays* when data is old")
    yield f"### `{metric.name}`\n"
    yield f"{', '.join(about)}. {metric.help}\n"
    if metric.labels:
        yield f"* labels: {', '.join(f'`{name}`' for name in metric.labels)}"
    if metric.values:
        yield f"* values of `{metric.labels[-1]}`: {', '.join(f'`{value}`' for value in metric.values)}"
    yield f"* from: {metric.source}"
    if metric.absent:
        yield f"* absent when: {metric.absent}"


def _type(metric: Metric) -> str:
    match metric.kind:
        case Kind.GAUGE | Kind.COUNTER:
            return metric.kind.capitalize()
        case Kind.HISTOGRAM:
            return "Histogram"
        case Kind.INFO:
            return "Info"
        case Kind.STATESET:
            return "State set"


if __name__ == "__main__":
    sys.stdout.write(reference_text())
