"""Every metric, declared once: name, type, labels, help, unit, tier, where it comes from and when it is absent.

What is exported, METRICS.md and the tests all read this table. Labels identify, values measure: an SPI is a value, so a
rekey makes no new series. ``device`` is the inventory name, ``tunnel`` the name that survives rekeys and reloads, and
``peer`` the first known address of the other gateway, which a failover does not change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ipsecmon.config import HostKeyCheck, Tier
from ipsecmon.model import Intent, Reason, RekeyTrigger, Status, TunnelOption

__all__ = [
    "CATALOGUE",
    "GROUPS",
    "METRICS",
    "Group",
    "IkeSaState",
    "Kind",
    "Metric",
    "PollOutcome",
]


class Kind(StrEnum):
    """The type. A state set is a gauge for each state, of which one is 1.

    Its label is called ``state`` or the like and not, as OpenMetrics wants it of its own type, what the metric is
    called: so it is typed gauge in both formats.
    """

    GAUGE = "gauge"
    COUNTER = "counter"
    INFO = "info"
    STATESET = "stateset"
    HISTOGRAM = "histogram"
    """Buckets, sum and count; its samples are called what it is called, with a suffix each."""


class IkeSaState(StrEnum):
    """What an IKE SA is doing, in the words of the label ``state``."""

    ESTABLISHED = "established"
    NEGOTIATING = "negotiating"
    NO_STATE = "no_state"
    DELETING = "deleting"
    DEAD = "dead"
    """No IKE SA with this peer."""
    UNKNOWN = "unknown"


class PollOutcome(StrEnum):
    """What became of a poll that was due, in the words of the label ``outcome``."""

    GOOD = "good"
    FAILED = "failed"
    SKIPPED = "skipped"
    """The device rests after failures."""
    MISSED = "missed"
    """The one before it still ran, or no worker was free."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """``outlives_staleness``: still exported when the last good reading is older than ``stale_after``.

    ``absent`` says when a known device, tunnel or peer legally has no series of it; empty where it always has.
    ``values`` are all values of the last label, where they are known beforehand.
    """

    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str
    source: str
    tier: Tier = Tier.STANDARD
    unit: str = ""
    values: tuple[str, ...] = ()
    absent: str = ""
    outlives_staleness: bool = False

    @property
    def family(self) -> str:
        """The name OpenMetrics gives it: without the suffix of its type."""
        match self.kind:
            case Kind.COUNTER:
                return self.name.removesuffix("_total")
            case Kind.INFO:
                return self.name.removesuffix("_info")
            case Kind.GAUGE | Kind.STATESET | Kind.HISTOGRAM:
                return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Metrics about one kind of thing, for a reader."""

    title: str
    about: str
    metrics: tuple[Metric, ...]


_TUNNEL = ("device", "tunnel", "peer")
_SA = (*_TUNNEL, "direction")
_IKE = ("device", "peer", "local_addr")
_DEVICE = ("device",)
_DIRECTIONS = ("inbound", "outbound")
_AGE = "cached, its age is in cisco_ipsec_device_last_success_timestamp_seconds"
_SHOW_SA = "`show crypto ipsec sa`"
_DETAIL = "`show crypto ipsec sa detail`"
_SHOW_IKE = "`show crypto isakmp sa`, `show crypto ikev2 sa`"
_MEMORY = "what ipsecmon remembers of the tunnel"
_NOT_PRINTED = "the device does not print it"
_NOT_COUNTED = f"{_NOT_PRINTED}, or it lists the flow no longer"
_NO_VOLUME = "volume rekey is disabled"
_OTHER_END = "the other end is not polled"

_G, _C, _I, _S = Kind.GAUGE, Kind.COUNTER, Kind.INFO, Kind.STATESET
_MINIMAL, _EXTENDED = Tier.MINIMAL, Tier.EXTENDED


def _packets(word: str, meaning: str, tier: Tier) -> Metric:
    return Metric(
        name=f"cisco_ipsec_tunnel_{word}_packets_total",
        kind=_C,
        labels=_TUNNEL,
        help=f'Packets {meaning}, from "#pkts {word}" of show crypto ipsec sa; survives rekeys.',
        source=f"{_SHOW_SA}: `#pkts {word}`",
        tier=tier,
        unit="packets",
        absent=_NOT_COUNTED,
    )


def _drops(name: str, meaning: str, reasons: tuple[str, ...]) -> Metric:
    return Metric(
        name=f"cisco_ipsec_tunnel_{name}_drops_total",
        kind=_C,
        labels=(*_TUNNEL, "reason"),
        help=f"{meaning} packets dropped, by the reason the device counts them under.",
        source=f"{_DETAIL}: the counters in the place of `#{name} errors`",
        tier=_EXTENDED,
        values=reasons,
        absent=f"{_NOT_PRINTED}: only the listing with details has them",
    )


_TUNNELS = Group(
    title="Tunnels",
    about="One tunnel is one protected flow (a pair of proxy identities) of one device. A tunnel that is known stays, "
    "with SAs or without; of one the device lists no longer all but its packet counters.",
    metrics=(
        Metric(
            name="cisco_ipsec_tunnel_info",
            kind=_I,
            labels=(
                *_TUNNEL,
                "interface",
                "crypto_map",
                "vrf",
                "local_addr",
                "local_ident",
                "remote_ident",
                "site",
                "owner",
                "description",
            ),
            help="What identifies a tunnel, one protected flow (proxy identity pair), and what the configuration says of "
            "it; always 1. Nothing in it changes at a rekey or a failover.",
            source=f"{_SHOW_SA}; `tunnels` of the configuration",
            tier=_MINIMAL,
            outlives_staleness=True,
        ),
        Metric(
            name="cisco_ipsec_tunnel_up",
            kind=_G,
            labels=_TUNNEL,
            help=f"1 if an inbound and an outbound IPsec SA are active, else 0 ({_AGE}).",
            source=f"{_SHOW_SA}: the SAs of the flow",
            tier=_MINIMAL,
            absent="it was not read since a restart and never before",
        ),
        Metric(
            name="cisco_ipsec_tunnel_expected",
            kind=_G,
            labels=_TUNNEL,
            help="1 if the tunnel must be up at all times, as configured or learned; 0 for one that traffic brings up, "
            "for a backup, for the standby copy of a pair and for an excluded one.",
            source=f"`tunnels` of the configuration; {_MEMORY}",
            tier=_MINIMAL,
            outlives_staleness=True,
        ),
        _packets("encaps", "encapsulated", _MINIMAL),
        _packets("decaps", "decapsulated", _MINIMAL),
        _packets("encrypt", "encrypted", _EXTENDED),
        _packets("digest", "authenticated on sending", _EXTENDED),
        _packets("decrypt", "decrypted", _EXTENDED),
        _packets("verify", "verified on receiving", _EXTENDED),
        Metric(
            name="cisco_ipsec_tunnel_send_errors_total",
            kind=_C,
            labels=_TUNNEL,
            help='Outbound packets dropped, from "#send errors"; grows while traffic finds no SA.',
            source=f"{_SHOW_SA}: `#send errors`",
            absent=_NOT_COUNTED,
        ),
        Metric(
            name="cisco_ipsec_tunnel_recv_errors_total",
            kind=_C,
            labels=_TUNNEL,
            help='Inbound packets dropped, from "#recv errors".',
            source=f"{_SHOW_SA}: `#recv errors`",
            absent=_NOT_COUNTED,
        ),
        Metric(
            name="cisco_ipsec_tunnel_demanded",
            kind=_G,
            labels=_TUNNEL,
            help="1 if the tunnel is down and traffic asks for it: send errors grew since the reading before, or, of a flow "
            "that is not listed without SAs, IKE with its peer is negotiating; else 0.",
            source=f"{_SHOW_SA}: `#send errors` of two polls; {_SHOW_IKE}",
            absent="the device prints no send errors, or it was not read since a restart",
        ),
        _drops("send", "Outbound", ("no_sa", "encaps_failed", "internal", "replay_rollover")),
        _drops(
            "recv",
            "Inbound",
            (
                "replay",
                "replay_rollover",
                "invalid_sa",
                "invalid_identity",
                "invalid_prot",
                "invalid_len",
                "verify_failed",
                "decaps_failed",
                "internal",
            ),
        ),
        Metric(
            name="cisco_ipsec_tunnel_sent_bytes_total",
            kind=_C,
            labels=_TUNNEL,
            help="Bytes sent, added up from what the remaining volume of each SA lost between polls, in steps of 1024; "
            "in the interval of a rekey the packets, at their mean size before.",
            source=f"{_SHOW_SA}: `remaining key lifetime (k/sec)`, outbound",
            unit="bytes",
            absent=f"{_NO_VOLUME}, or no SA was seen yet",
        ),
        Metric(
            name="cisco_ipsec_tunnel_received_bytes_total",
            kind=_C,
            labels=_TUNNEL,
            help="Bytes received, added up from what the remaining volume of each SA lost between polls, in steps of 1024; "
            "in the interval of a rekey the packets, at their mean size before.",
            source=f"{_SHOW_SA}: `remaining key lifetime (k/sec)`, inbound",
            unit="bytes",
            absent=f"{_NO_VOLUME}, or no SA was seen yet",
        ),
        Metric(
            name="cisco_ipsec_tunnel_rekeys_total",
            kind=_C,
            labels=(*_TUNNEL, "trigger"),
            help="Changes of the outbound SPI seen between polls, by what made them; at most one per poll.",
            source=f"{_MEMORY}: `current outbound spi` of two polls",
            values=tuple(RekeyTrigger),
        ),
        Metric(
            name="cisco_ipsec_tunnel_last_rekey_timestamp_seconds",
            kind=_G,
            labels=_TUNNEL,
            help="Unix time at which the outbound SPI in use, or the last one there was, was first seen.",
            source=_MEMORY,
            unit="seconds",
            absent="no SA was seen yet",
        ),
        Metric(
            name="cisco_ipsec_tunnel_flaps_total",
            kind=_C,
            labels=_TUNNEL,
            help="Times the tunnel went from up to down and stayed down for two polls.",
            source=_MEMORY,
        ),
        Metric(
            name="cisco_ipsec_tunnel_peer_failovers_total",
            kind=_C,
            labels=_TUNNEL,
            help="Times the peer in use became another one of the peers of the tunnel.",
            source=f"{_MEMORY}: `current_peer` of two polls",
        ),
        Metric(
            name="cisco_ipsec_tunnel_last_transition_timestamp_seconds",
            kind=_G,
            labels=_TUNNEL,
            help="Unix time at which the tunnel last went up or down, or its state was first read.",
            source=_MEMORY,
            unit="seconds",
            absent="it was never read",
        ),
        Metric(
            name="cisco_ipsec_tunnel_predicted_expiry_timestamp_seconds",
            kind=_G,
            labels=_TUNNEL,
            help="Unix time at which the seconds or, at the present rate, the kilobytes of an SA in use run out first; "
            "without SAs the time the last ones ran out.",
            source=f"{_SHOW_SA}: `remaining key lifetime (k/sec)` of two polls",
            unit="seconds",
            absent="no SA was seen yet, or it never expires",
        ),
        Metric(
            name="cisco_ipsec_tunnel_peer_in_use",
            kind=_G,
            labels=_TUNNEL,
            help="1 for the peer the tunnel uses now, 0 for each other one it is known with; here the label peer is that "
            "peer.",
            source=f"{_SHOW_SA}: `current_peer`; {_MEMORY}",
            absent="no peer is known",
        ),
        Metric(
            name="cisco_ipsec_tunnel_option",
            kind=_G,
            labels=("device", "tunnel", "option"),
            help="1 for each option the configuration sets for the tunnel.",
            source="`options` of the configuration",
            tier=_MINIMAL,
            values=tuple(TunnelOption),
            absent="the option is not set",
        ),
        Metric(
            name="cisco_ipsec_tunnel_state",
            kind=_S,
            labels=(*_TUNNEL, "state"),
            help="1 for what the tunnel is doing, 0 for everything else; unknown while the device cannot be read.",
            source="flows, IKE SAs and sessions together",
            tier=_EXTENDED,
            values=tuple(Status),
        ),
        Metric(
            name="cisco_ipsec_tunnel_intent",
            kind=_S,
            labels=(*_TUNNEL, "intent"),
            help="1 for what the tunnel is meant to be, as configured or learned, 0 for the others.",
            source=f"`tunnels` of the configuration; {_MEMORY}",
            tier=_EXTENDED,
            values=tuple(Intent),
        ),
        Metric(
            name="cisco_ipsec_tunnel_path_mtu_bytes",
            kind=_G,
            labels=_TUNNEL,
            help='From "path mtu" of the flow.',
            source=f"{_SHOW_SA}: `path mtu`",
            tier=_EXTENDED,
            unit="bytes",
            absent=f"{_NOT_PRINTED}, or it lists the flow no longer",
        ),
        Metric(
            name="cisco_ipsec_tunnel_crypto_info",
            kind=_I,
            labels=(
                "device",
                "tunnel",
                "transform",
                "mode",
                "pfs_group",
                "replay_detection",
                "nat_t",
            ),
            help="What was negotiated for the outbound SA in use; always 1. It changes with the configuration of either "
            "end; an empty label was not printed.",
            source=f"{_SHOW_SA}: `transform`, `in use settings`, `PFS`, `DH group`",
            absent="there is no outbound SA",
        ),
    ),
)

_SAS = Group(
    title="IPsec SAs",
    about="Of the SA in use in each direction: outbound the one whose SPI is the current one, inbound the one with the "
    "most time left. In the minimal tier outbound only.",
    metrics=(
        Metric(
            name="cisco_ipsec_sa_spi",
            kind=_G,
            labels=_SA,
            help="SPI of the SA in use as a number, 0 without one; changes() counts rekeys.",
            source=f"{_SHOW_SA}: `spi`",
            values=_DIRECTIONS,
        ),
        Metric(
            name="cisco_ipsec_sa_expiry_timestamp_seconds",
            kind=_G,
            labels=_SA,
            help="Unix time at which the SA in use runs out, or the last one did: the time it was read plus the seconds left. "
            "Of one that has run out and is still installed it stays in the past.",
            source=f"{_SHOW_SA}: `remaining key lifetime (k/sec)`",
            tier=_MINIMAL,
            unit="seconds",
            values=_DIRECTIONS,
            absent="no SA was seen yet, or it never expires",
        ),
        Metric(
            name="cisco_ipsec_sa_remaining_lifetime_seconds",
            kind=_G,
            labels=_SA,
            help=f'Seconds left of the SA in use, as printed in "remaining key lifetime", 0 without one ({_AGE}).',
            source=f"{_SHOW_SA}: `remaining key lifetime (k/sec)`",
            unit="seconds",
            values=_DIRECTIONS,
            absent="the SA never expires",
        ),
        Metric(
            name="cisco_ipsec_sa_remaining_lifetime_bytes",
            kind=_G,
            labels=_SA,
            help="Kilobytes left of the SA in use as printed, times 1024, 0 without one; absent when volume rekey is disabled.",
            source=f"{_SHOW_SA}: `remaining key lifetime (k/sec)`",
            unit="bytes",
            values=_DIRECTIONS,
            absent=f"{_NO_VOLUME}, or no SA was seen yet",
        ),
        Metric(
            name="cisco_ipsec_sa_lifetime_seconds",
            kind=_G,
            labels=_TUNNEL,
            help="Full time lifetime of the SAs of the tunnel: the most seen on one, before that what the device gives new SAs.",
            source=f"{_MEMORY}; `show crypto ipsec security-association lifetime`",
            unit="seconds",
            absent="no SA was seen yet and the device refuses the command, or its SAs never expire",
        ),
        Metric(
            name="cisco_ipsec_sa_lifetime_bytes",
            kind=_G,
            labels=_TUNNEL,
            help="Full volume lifetime of the SAs of the tunnel, kilobytes times 1024: the most seen on one, before that what "
            "the device gives new SAs; absent when volume rekey is disabled.",
            source=f"{_MEMORY}; `show crypto ipsec security-association lifetime`",
            unit="bytes",
            absent=f"{_NO_VOLUME}, or no SA was seen yet and the device refuses the command",
        ),
        Metric(
            name="cisco_ipsec_sas",
            kind=_G,
            labels=_SA,
            help="Installed SAs of the flow; 2 while a rekey overlaps, growth means a leak.",
            source=f"{_SHOW_SA}: the SAs of the flow",
            tier=_EXTENDED,
            values=_DIRECTIONS,
        ),
    ),
)

_ENDS = Group(
    title="Both ends",
    about="Only of tunnels whose other end is polled too. Outbound is from this end to the other.",
    metrics=(
        Metric(
            name="cisco_ipsec_tunnel_peering_info",
            kind=_I,
            labels=("device", "tunnel", "remote_device", "remote_tunnel"),
            help="The other end of this tunnel, when it is polled too; always 1.",
            source="the readings of both ends",
            absent=_OTHER_END,
        ),
        Metric(
            name="cisco_ipsec_tunnel_spi_pair_matched",
            kind=_G,
            labels=_TUNNEL,
            help="1 if each end sends with an SPI the other receives with, else 0.",
            source=f"{_SHOW_SA} of both ends",
            absent=f"{_OTHER_END}, or the two readings are too far apart to tell",
        ),
        Metric(
            name="cisco_ipsec_tunnel_path_loss_ratio",
            kind=_G,
            labels=_SA,
            help="Share of packets (0 to 1) that left one end and were not counted at the other.",
            source="`#pkts encaps` of one end, `#pkts decaps` of the other, at the same two moments",
            unit="ratio",
            values=_DIRECTIONS,
            absent=f"{_OTHER_END}, or too few packets were sent, or counters began anew",
        ),
        Metric(
            name="cisco_ipsec_tunnel_path_loss_error_ratio",
            kind=_G,
            labels=_SA,
            help="How far cisco_ipsec_tunnel_path_loss_ratio may be off, because the two ends are not read at one moment.",
            source="the same",
            unit="ratio",
            values=_DIRECTIONS,
            absent="where the loss is",
        ),
    ),
)

_IKE_SAS = Group(
    title="IKE SAs",
    about="One series for each pair of a local address and a peer, with IKE SAs or without.",
    metrics=(
        Metric(
            name="cisco_ike_sa_up",
            kind=_G,
            labels=_IKE,
            help="1 if an IKE SA with the peer is established and not marked deleted, else 0.",
            source=_SHOW_IKE,
        ),
        Metric(
            name="cisco_ike_sa_qm_idle",
            kind=_G,
            labels=_IKE,
            help="1 if an IKE version 1 SA with the peer is in QM_IDLE, ACTIVE and not deleted, or on an ASA in MM_ACTIVE, else 0.",
            source="`show crypto isakmp sa`: `state`, `status`",
        ),
        Metric(
            name="cisco_ike_sa_negotiating",
            kind=_G,
            labels=_IKE,
            help="1 if an IKE SA with the peer is short of established and not marked deleted (MM_NO_STATE and the like), "
            "beside one that is up or alone, else 0.",
            source=_SHOW_IKE,
        ),
        Metric(
            name="cisco_ike_sas",
            kind=_G,
            labels=(*_DEVICE, "state"),
            help="IKE SAs of the device by what they are doing.",
            source=_SHOW_IKE,
            tier=_MINIMAL,
            values=("active", "standby", "negotiating", "dead"),
        ),
        Metric(
            name="cisco_ike_sa_state",
            kind=_S,
            labels=(*_IKE, "state"),
            help="1 for what the best IKE SA with the peer is doing, 0 for everything else; dead without one.",
            source=_SHOW_IKE,
            tier=_EXTENDED,
            values=tuple(IkeSaState),
        ),
        Metric(
            name="cisco_ike_sa_expiry_timestamp_seconds",
            kind=_G,
            labels=_IKE,
            help="Unix time at which the newest established IKE SA runs out.",
            source=f"{_SHOW_IKE}, with `detail`: `Lifetime`, `Life/Active Time`",
            tier=_EXTENDED,
            unit="seconds",
            absent=f"there is no established IKE SA, or {_NOT_PRINTED}",
        ),
        Metric(
            name="cisco_ike_sa_info",
            kind=_I,
            labels=(*_IKE, "encryption", "hash", "auth", "dh_group", "nat_t", "dpd"),
            help="What was negotiated for the newest established IKE SA; always 1. An empty label was not printed.",
            source=f"{_SHOW_IKE}, with `detail`",
            absent="there is no established IKE SA",
        ),
    ),
)


def _of_device(
    name: str,
    text: str,
    source: str,
    kind: Kind = _G,
    labels: tuple[str, ...] = (),
    tier: Tier = _MINIMAL,
    unit: str = "",
    values: tuple[str, ...] = (),
    absent: str = "",
) -> Metric:
    return Metric(
        name=f"cisco_ipsec_device_{name}",
        kind=kind,
        labels=(*_DEVICE, *labels),
        help=text,
        source=source,
        tier=tier,
        unit=unit,
        values=values,
        absent=absent,
        outlives_staleness=True,
    )


_NOT_READ = "it was never read"
_NO_SESSION = "no session was opened yet"
_DEVICES = Group(
    title="Devices",
    about="They stay when the data of the tunnels is too old to be exported.",
    metrics=(
        _of_device(
            "up",
            "1 if the last poll read everything, else 0; the reason is in the errors counter.",
            "the poll",
        ),
        _of_device(
            "info",
            "What is known of a device; always 1.",
            "`devices` of the configuration",
            _I,
            labels=("host", "platform"),
        ),
        _of_device(
            "tunnels", "Flows the device listed in the last good poll.", _SHOW_SA, absent=_NOT_READ
        ),
        _of_device(
            "unparsed_lines",
            "Lines of the last good poll that no template understood.",
            "every answer",
            absent=_NOT_READ,
        ),
        _of_device(
            "sa_lifetime_seconds",
            "Time lifetime of new SAs, from show crypto ipsec security-association lifetime.",
            "`show crypto ipsec security-association lifetime`",
            tier=Tier.STANDARD,
            unit="seconds",
            absent="the device refuses the command",
        ),
        _of_device(
            "sa_lifetime_bytes",
            "Volume lifetime of new SAs, kilobytes times 1024; absent when volume rekey is disabled.",
            "`show crypto ipsec security-association lifetime`",
            tier=Tier.STANDARD,
            unit="bytes",
            absent=f"the device refuses the command, or {_NO_VOLUME}",
        ),
        _of_device(
            "collect_duration_seconds", "Duration of the last poll.", "the poll", unit="seconds"
        ),
        _of_device(
            "command_duration_seconds",
            "Time from sending a command to its complete answer in the last good poll.",
            "the poll",
            labels=("command",),
            tier=_EXTENDED,
            unit="seconds",
            absent=_NOT_READ,
        ),
        _of_device(
            "collect_errors_total",
            "Failed polls by reason.",
            "the poll",
            _C,
            labels=("reason",),
            values=tuple(Reason),
        ),
        _of_device(
            "parse_errors_total",
            "Answers that could not be read, cut and unknown ones, by command.",
            "the poll",
            _C,
            labels=("command",),
            tier=Tier.STANDARD,
        ),
        _of_device(
            "last_success_timestamp_seconds",
            "Unix time of the last good reading; absent before the first.",
            "the poll",
            unit="seconds",
            absent=_NOT_READ,
        ),
        _of_device(
            "last_attempt_timestamp_seconds",
            "Unix time at which the last poll began.",
            "the poll",
            unit="seconds",
        ),
        _of_device(
            "next_attempt_timestamp_seconds",
            "Unix time at which a device that fails and is left alone for a while is tried again.",
            "the poll",
            tier=Tier.STANDARD,
            unit="seconds",
            absent="it is polled at its interval",
        ),
        _of_device(
            "cpu_percent",
            "Load of the device over five seconds when it was looked at last.",
            "show processes cpu, on an ASA show cpu usage",
            tier=Tier.STANDARD,
            absent="cpu_limit is off",
        ),
        _of_device(
            "readings_skipped_for_cpu_total",
            "Polls that left the tables out because the device was busier than cpu_limit allows.",
            "the poll",
            _C,
            tier=Tier.STANDARD,
        ),
        _of_device(
            "session_opened_timestamp_seconds",
            "Unix time of the login of the session that answered last.",
            "the session",
            tier=Tier.STANDARD,
            unit="seconds",
            absent=_NO_SESSION,
        ),
        _of_device(
            "ssh_weak_algorithms",
            "SSH algorithms of the last session that ssh_profile modern does not offer; 0 is good.",
            "the session",
            tier=Tier.STANDARD,
            absent=_NO_SESSION,
        ),
        _of_device(
            "host_key_verified",
            "1 if the host key of the last session was one we knew, 0 if any key would have done.",
            "the session",
            tier=Tier.STANDARD,
            absent=_NO_SESSION,
        ),
        _of_device(
            "ssh_info",
            "SSH algorithms and server version of the last session; always 1.",
            "the session",
            _I,
            labels=("kex", "cipher", "mac", "host_key", "server_version"),
            tier=_EXTENDED,
            absent=_NO_SESSION,
        ),
        _of_device(
            "poll_interval_seconds",
            "Configured interval between readings of the SA tables; counts may be asked for in between.",
            "`interval` of the configuration, or `tables` of the plan where that is longer",
            unit="seconds",
        ),
    ),
)


def _of_exporter(
    name: str,
    text: str,
    kind: Kind = _G,
    labels: tuple[str, ...] = (),
    unit: str = "",
    values: tuple[str, ...] = (),
    absent: str = "",
) -> Metric:
    return Metric(
        name=f"cisco_ipsec_exporter_{name}",
        kind=kind,
        labels=labels,
        help=text,
        source="ipsecmon",
        tier=_MINIMAL,
        unit=unit,
        values=values,
        absent=absent,
        outlives_staleness=True,
    )


_NO_HISTORY = "no history is kept"
_NOT_POLLING = "nothing is polled on schedule"
_NO_BREAKER = "no credential was used yet"
_NO_RELOAD = "there is no configuration file to read again"
_EXPORTER = Group(
    title="The exporter itself",
    about="Not part of `/metrics?device=NAME`.",
    metrics=(
        _of_exporter(
            "build_info", "Version of ipsecmon; always 1.", _I, ("version", "python_version")
        ),
        _of_exporter("sessions_open", "Sessions kept open between polls."),
        _of_exporter(
            "jobs_missed_total",
            "Polls that were not started in time or still running when the next was due.",
            _C,
        ),
        _of_exporter(
            "scheduler_lag_seconds",
            "How late the newest poll began, because all workers were busy.",
            unit="seconds",
        ),
        _of_exporter(
            "poll_lateness_seconds",
            "How late polls began: living for devices with a session, login for those that must log in first.",
            Kind.HISTOGRAM,
            ("lane",),
            unit="seconds",
            absent=_NOT_POLLING,
        ),
        _of_exporter("collections_in_flight", "Polls under way now."),
        _of_exporter(
            "polls_total",
            "Polls since the start: good, failed, skipped because the device rests after failures, missed.",
            _C,
            ("outcome",),
            values=tuple(PollOutcome),
            absent=_NOT_POLLING,
        ),
        _of_exporter(
            "logins_total",
            "Logins to devices begun since the start; what a AAA server sees of us.",
            _C,
            absent=_NOT_POLLING,
        ),
        _of_exporter(
            "logins_failed_total",
            "Logins that did not lead to a session, for whatever reason.",
            _C,
            absent=_NOT_POLLING,
        ),
        _of_exporter(
            "login_wait_seconds_total",
            "Time polls waited for leave to log in, because of limits.logins_per_second.",
            _C,
            absent="logins are not limited",
        ),
        _of_exporter(
            "credential_rested",
            "1 while a credential is not used because devices refused it again and again.",
            labels=("credential",),
            absent=_NO_BREAKER,
        ),
        _of_exporter(
            "credential_rejections_total",
            "Refusals of a credential by devices since the start.",
            _C,
            ("credential",),
            absent=_NO_BREAKER,
        ),
        _of_exporter(
            "host_key_checking",
            "1 for how host keys are checked, 0 for the others; off protects against nobody.",
            _S,
            ("mode",),
            values=tuple(HostKeyCheck),
            absent=_NOT_POLLING,
        ),
        _of_exporter(
            "host_keys_unverified",
            "Devices whose last session had a host key that nobody verified.",
            absent=_NOT_POLLING,
        ),
        _of_exporter(
            "history_writable",
            "1 if events can be written to the history, 0 while its disk or file refuses them.",
            absent=_NO_HISTORY,
        ),
        _of_exporter(
            "history_events_total",
            "Events written to the history since the start.",
            _C,
            absent=_NO_HISTORY,
        ),
        _of_exporter(
            "history_write_errors_total",
            "Writes to the history that failed since the start.",
            _C,
            absent=_NO_HISTORY,
        ),
        _of_exporter(
            "history_size_bytes",
            "Size of the history on disk.",
            unit="bytes",
            absent=_NO_HISTORY,
        ),
        _of_exporter(
            "config_last_reload_successful",
            "1 if the configuration in use is the one that is written, 0 if a newer one has mistakes.",
            absent=_NO_RELOAD,
        ),
        _of_exporter(
            "config_last_reload_success_timestamp_seconds",
            "When the configuration was last read without mistakes.",
            unit="seconds",
            absent=_NO_RELOAD,
        ),
        _of_exporter(
            "inventory_devices",
            "Devices by the source they come from.",
            labels=("source",),
            absent=_NO_RELOAD,
        ),
        _of_exporter(
            "inventory_hosts_left_out",
            "Hosts of a source that cannot be devices; `ipsecmon inventory` says why.",
            labels=("source",),
            absent=_NO_RELOAD,
        ),
        _of_exporter(
            "inventory_source_up",
            "1 if the source was read, 0 while it fails and its last devices are kept.",
            labels=("source",),
            absent=_NO_RELOAD,
        ),
    ),
)


def _of_process(name: str, text: str, kind: Kind = _G, unit: str = "") -> Metric:
    return Metric(
        name=f"process_{name}",
        kind=kind,
        labels=(),
        help=text,
        source="`/proc`",
        tier=_MINIMAL,
        unit=unit,
        absent="the host has no `/proc`",
        outlives_staleness=True,
    )


_PROCESS = Group(
    title="Its process",
    about="By the names all Prometheus clients use. Not part of `/metrics?device=NAME`.",
    metrics=(
        _of_process("cpu_seconds_total", "CPU time that ipsecmon has used.", _C, "seconds"),
        _of_process("resident_memory_bytes", "Memory that ipsecmon occupies.", unit="bytes"),
        _of_process(
            "virtual_memory_bytes", "Address space that ipsecmon has asked for.", unit="bytes"
        ),
        _of_process(
            "open_fds", "Files and sockets that ipsecmon has open; each session takes one."
        ),
        _of_process("max_fds", "How many files and sockets ipsecmon may have open."),
        _of_process("start_time_seconds", "When ipsecmon started, in Unix time.", unit="seconds"),
    ),
)

GROUPS: tuple[Group, ...] = (_TUNNELS, _SAS, _ENDS, _IKE_SAS, _DEVICES, _EXPORTER, _PROCESS)
CATALOGUE: tuple[Metric, ...] = tuple(metric for group in GROUPS for metric in group.metrics)
METRICS: Mapping[str, Metric] = {metric.name: metric for metric in CATALOGUE}
"""The catalogue by name."""
