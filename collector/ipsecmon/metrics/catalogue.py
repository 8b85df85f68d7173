"""Every metric, declared once: name, type, labels, help, and whether it outlives stale data.

Labels identify, values measure: an SPI is a value, so a rekey makes no new series. ``device`` is the inventory name
and the first label of everything below ``DEVICE``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["CATALOGUE", "Kind", "Metric"]


class Kind(StrEnum):
    """The Prometheus type; an info metric is a gauge that is always 1."""

    GAUGE = "gauge"
    COUNTER = "counter"


@dataclass(frozen=True, slots=True)
class Metric:
    """``outlives_staleness``: still exported when the last good reading is older than ``stale_after``."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str
    outlives_staleness: bool = False


_TUNNEL = ("device", "tunnel", "peer")
_SA = (*_TUNNEL, "direction")
_IKE = ("device", "peer", "local_addr")
_AGE = "cached, its age is in cisco_ipsec_device_last_success_timestamp_seconds"


def _packets(word: str, meaning: str) -> Metric:
    return Metric(
        f"cisco_ipsec_tunnel_{word}_packets_total",
        Kind.COUNTER,
        _TUNNEL,
        f'Packets {meaning}, from "#pkts {word}" of show crypto ipsec sa; survives rekeys.',
    )


CATALOGUE: tuple[Metric, ...] = (
    Metric(
        "cisco_ipsec_tunnel_info",
        Kind.GAUGE,
        (
            *_TUNNEL,
            "interface",
            "crypto_map",
            "vrf",
            "local_addr",
            "local_ident",
            "remote_ident",
        ),
        "What is known of a tunnel, one protected flow (proxy identity pair); always 1.",
    ),
    Metric(
        "cisco_ipsec_tunnel_up",
        Kind.GAUGE,
        _TUNNEL,
        f"1 if an inbound and an outbound IPsec SA are active, else 0 ({_AGE}).",
    ),
    _packets("encaps", "encapsulated"),
    _packets("encrypt", "encrypted"),
    _packets("digest", "authenticated on sending"),
    _packets("decaps", "decapsulated"),
    _packets("decrypt", "decrypted"),
    _packets("verify", "verified on receiving"),
    Metric(
        "cisco_ipsec_tunnel_send_errors_total",
        Kind.COUNTER,
        _TUNNEL,
        'Outbound packets dropped, from "#send errors"; grows while traffic finds no SA.',
    ),
    Metric(
        "cisco_ipsec_tunnel_recv_errors_total",
        Kind.COUNTER,
        _TUNNEL,
        'Inbound packets dropped, from "#recv errors".',
    ),
    Metric(
        "cisco_ipsec_tunnel_rekeys_total",
        Kind.COUNTER,
        (*_TUNNEL, "trigger"),
        "Changes of the outbound SPI seen between polls, by what made them; at most one per poll.",
    ),
    Metric(
        "cisco_ipsec_tunnel_last_rekey_timestamp_seconds",
        Kind.GAUGE,
        _TUNNEL,
        "Unix time at which the last change of the outbound SPI was seen.",
    ),
    Metric(
        "cisco_ipsec_tunnel_path_mtu_bytes", Kind.GAUGE, _TUNNEL, 'From "path mtu" of the flow.'
    ),
    Metric(
        "cisco_ipsec_sa_spi",
        Kind.GAUGE,
        _SA,
        "SPI of the SA in use as a number, 0 without one; changes() counts rekeys.",
    ),
    Metric(
        "cisco_ipsec_sas",
        Kind.GAUGE,
        _SA,
        "Installed SAs of the flow; 2 while a rekey overlaps, growth means a leak.",
    ),
    Metric(
        "cisco_ipsec_sa_remaining_lifetime_seconds",
        Kind.GAUGE,
        _SA,
        f'Seconds left of the SA in use, as printed in "remaining key lifetime" ({_AGE}).',
    ),
    Metric(
        "cisco_ipsec_sa_remaining_lifetime_bytes",
        Kind.GAUGE,
        _SA,
        "Kilobytes left of the SA in use as printed, times 1024; absent when volume rekey is disabled.",
    ),
    Metric(
        "cisco_ipsec_sa_expiry_timestamp_seconds",
        Kind.GAUGE,
        _SA,
        "Unix time at which the SA in use runs out: the time it was read plus the seconds left.",
    ),
    Metric(
        "cisco_ike_sa_up",
        Kind.GAUGE,
        _IKE,
        "1 if an IKE SA (version 1) with the peer is established and not marked deleted, else 0.",
    ),
    Metric(
        "cisco_ike_sa_qm_idle",
        Kind.GAUGE,
        _IKE,
        "1 if an IKE version 1 SA with the peer is in QM_IDLE, ACTIVE and not deleted, else 0.",
    ),
    Metric(
        "cisco_ipsec_device_up",
        Kind.GAUGE,
        ("device",),
        "1 if the last poll read everything, else 0; the reason is in the errors counter.",
        outlives_staleness=True,
    ),
    Metric(
        "cisco_ipsec_device_info",
        Kind.GAUGE,
        ("device", "host", "platform"),
        "What is known of a device; always 1.",
        outlives_staleness=True,
    ),
    Metric(
        "cisco_ipsec_device_tunnels",
        Kind.GAUGE,
        ("device",),
        "Tunnels read in the last good poll.",
    ),
    Metric(
        "cisco_ipsec_device_unparsed_lines",
        Kind.GAUGE,
        ("device",),
        "Lines of the last good poll that no template understood.",
    ),
    Metric(
        "cisco_ipsec_device_sa_lifetime_seconds",
        Kind.GAUGE,
        ("device",),
        "Time lifetime of new SAs, from show crypto ipsec security-association lifetime.",
    ),
    Metric(
        "cisco_ipsec_device_sa_lifetime_bytes",
        Kind.GAUGE,
        ("device",),
        "Volume lifetime of new SAs, kilobytes times 1024; absent when volume rekey is disabled.",
    ),
    Metric(
        "cisco_ipsec_device_collect_duration_seconds",
        Kind.GAUGE,
        ("device",),
        "Duration of the last poll.",
        outlives_staleness=True,
    ),
    Metric(
        "cisco_ipsec_device_collect_errors_total",
        Kind.COUNTER,
        ("device", "reason"),
        "Failed polls by reason.",
        outlives_staleness=True,
    ),
    Metric(
        "cisco_ipsec_device_last_success_timestamp_seconds",
        Kind.GAUGE,
        ("device",),
        "Unix time of the last good reading; absent before the first.",
        outlives_staleness=True,
    ),
    Metric(
        "cisco_ipsec_device_last_attempt_timestamp_seconds",
        Kind.GAUGE,
        ("device",),
        "Unix time at which the last poll began.",
        outlives_staleness=True,
    ),
    Metric(
        "cisco_ipsec_device_poll_interval_seconds",
        Kind.GAUGE,
        ("device",),
        "Configured interval between polls.",
        outlives_staleness=True,
    ),
    Metric(
        "cisco_ipsec_exporter_build_info",
        Kind.GAUGE,
        ("version", "python_version"),
        "Version of ipsecmon; always 1.",
    ),
    Metric(
        "cisco_ipsec_exporter_sessions_open",
        Kind.GAUGE,
        (),
        "Sessions kept open between polls.",
    ),
    Metric(
        "cisco_ipsec_exporter_jobs_missed_total",
        Kind.COUNTER,
        (),
        "Polls that were not started in time or still running when the next was due.",
    ),
)
