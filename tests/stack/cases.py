"""What is struck, which alerts a person must get of it, and how soon: the table that the whole run is held against.

Seconds are those of the routers, from the fault to the message at the webhook, with the readings, the alert's own time, and the
waits of the shipped Alertmanager in them: half a minute before the first message about a device, then a minute (critical) or
five (warning) before the next.
"""

from __future__ import annotations

from dataclasses import dataclass

from ipsecmon.alerting.thresholds import THRESHOLDS
from ipsecmon.lab.tunnel_faults import TunnelFault

from .pairs import TUNNEL, Pair, Star

__all__ = ["CASES", "PAIRS", "SPEED", "STAR", "Case"]

SPEED = 20.0
"""Seconds of the routers to a second: an hour is three minutes."""

# what a reading (every 40 s of the routers), a scrape and an evaluation (20 s each) take, twice where two readings must agree;
# and ten seconds by the clock for a machine that has more to do
_READ = 160.0 + 10 * SPEED
# the first message about a device, and one more evaluation
_FIRST = 60.0
# the next message about it, where the first has been sent
_NEXT_CRITICAL = 90.0
_NEXT_WARNING = 330.0

# an alert that leaves out others outlives its cause
_KEPT = THRESHOLDS.inhibiting_kept_for

_DOWN = THRESHOLDS.tunnel_down_for + _READ + _FIRST


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One fault of one pair, or none; ``alerts`` are (device, name of the alert), and no other may come."""

    name: str
    site: Pair | Star
    fault: TunnelFault | None
    targets: tuple[str, ...] = ()
    """Where it is struck; the first end of the pair unless said otherwise."""
    alerts: frozenset[tuple[str, str]] = frozenset()
    fires_within: float = 0.0
    resolves_within: float = 0.0
    stays: float = 300.0
    """How long the fault stays after the last alert of it, so that one too many is seen."""
    brief: frozenset[tuple[str, str]] = frozenset()
    """Alerts that may come as well, or be over before Alertmanager writes its first message."""
    proof: str = ""
    """A query that has a value while the fault is on: it was there, although no alert says so."""

    @property
    def struck_at(self) -> tuple[str, ...]:
        """What the fault is given to."""
        return self.targets or self.site.devices[:1]


def _both(pair: Pair, *alerts: str) -> frozenset[tuple[str, str]]:
    return frozenset((device, alert) for device in pair.devices for alert in alerts)


def _at(device: str, *alerts: str) -> frozenset[tuple[str, str]]:
    return frozenset((device, alert) for alert in alerts)


_PSK = Pair(name="psk")
_TRANSFORM = Pair(name="transform", intent="always_on")
_FILTER = Pair(name="filter")
_STALE_SPI = Pair(name="stale-spi")
_IDLE = Pair(name="idle")
# short lifetimes explain many rekeys: what is left is the alert about the volume, or about the flaps
_VOLUME = Pair(name="volume", lifetime_seconds=900)
_STORM = Pair(name="storm")
_REKEY = Pair(name="rekey", interval_seconds=1)
_PREDICTED = Pair(name="predicted")
_STUCK = Pair(name="stuck")
_UNREACHABLE = Pair(name="unreachable", intent="always_on")
_AUTH = Pair(name="auth", intent="always_on")
_HOST_KEY = Pair(name="host-key", intent="always_on")
_GARBLED = Pair(name="garbled", intent="always_on")
_FLAP = Pair(name="flap", intent="always_on", lifetime_seconds=900)
_NORMAL = Pair(name="normal", intent="always_on", lifetime_seconds=900)
STAR = Star(name="star", spokes=4)
"""A hub of which three in four tunnels go down."""

CASES = (
    Case(
        name="PSK mismatch",
        site=_PSK,
        fault=TunnelFault.PSK_MISMATCH,
        alerts=_both(_PSK, "CiscoIpsecTunnelDown", "CiscoIpsecPhase1Failing"),
        fires_within=_DOWN + THRESHOLDS.phase1_failing_for,
        resolves_within=_READ + _KEPT + _NEXT_WARNING,
    ),
    Case(
        name="transform mismatch",
        site=_TRANSFORM,
        fault=TunnelFault.TRANSFORM_MISMATCH,
        alerts=_both(_TRANSFORM, "CiscoIpsecTunnelDown", "CiscoIpsecPhase2DownWhilePhase1Up"),
        fires_within=_DOWN + THRESHOLDS.phase2_down_for,
        resolves_within=_READ + _KEPT + _NEXT_WARNING,
    ),
    Case(
        name="one-way by ESP filter",
        site=_FILTER,
        fault=TunnelFault.ESP_FILTER,
        alerts=_at(_FILTER.devices[1], "CiscoIpsecOneWayTrafficTransmitOnly"),
        fires_within=THRESHOLDS.one_way_window + THRESHOLDS.one_way_for + _READ + _FIRST,
        resolves_within=_READ + _KEPT + _NEXT_WARNING,
    ),
    Case(
        name="peer reload with stale SPI",
        site=_STALE_SPI,
        fault=TunnelFault.PEER_RELOAD,
        # the sender's one-way traffic is a consequence, and inhibited
        alerts=_both(_STALE_SPI, "CiscoIpsecSpiMismatch"),
        fires_within=60 + THRESHOLDS.spi_mismatch_for + _READ + _FIRST,
        resolves_within=_READ + _KEPT + _NEXT_CRITICAL,
        stays=THRESHOLDS.one_way_window + THRESHOLDS.one_way_for,
        proof=f'ALERTS{{alertname="CiscoIpsecOneWayTrafficTransmitOnly",alertstate="firing",device="{_STALE_SPI.devices[0]}"}}',
    ),
    Case(
        name="idle expiry of an on-demand tunnel",
        site=_IDLE,
        fault=TunnelFault.IDLE,
        stays=2400,
        proof=f'max_over_time(cisco_ipsec_tunnel_up{{device="{_IDLE.devices[0]}"}}[30s]) == 0',
    ),
    Case(
        name="rekey storm by tiny kilobyte lifetime",
        site=_VOLUME,
        fault=TunnelFault.TINY_VOLUME,
        alerts=_both(_VOLUME, "CiscoIpsecVolumeLifetimeRekeyStorm"),
        fires_within=3200,
        resolves_within=3600 + _READ + _KEPT + _NEXT_WARNING,
    ),
    Case(
        name="rekey storm by the peer",
        site=_STORM,
        fault=TunnelFault.REKEY_STORM,
        alerts=_both(_STORM, "CiscoIpsecRekeyStorm"),
        fires_within=1200,
        resolves_within=3600 + _READ + _KEPT + _NEXT_WARNING,
    ),
    Case(
        name="failed rekey",
        site=_REKEY,
        fault=TunnelFault.FAILED_REKEY,
        alerts=_both(_REKEY, "CiscoIpsecTunnelDown", "CiscoIpsecPhase2DownWhilePhase1Up"),
        # the warning about the renewal may have opened the group of messages
        fires_within=600 + _DOWN + THRESHOLDS.phase2_down_for + _NEXT_WARNING,
        resolves_within=_READ + _KEPT + _NEXT_WARNING,
        # true for the last seconds of the SA only
        brief=_both(_REKEY, "CiscoIpsecSaNotRenewed"),
        proof='count_over_time(ALERTS{alertname="CiscoIpsecSaNotRenewed",device=~"rekey-."}[5m])',
    ),
    Case(
        name="loss of the tunnel foretold",
        site=_PREDICTED,
        fault=TunnelFault.IKE_FAILING,
        alerts=_at(_PREDICTED.devices[0], "CiscoIpsecPredictedLoss"),
        # the end that is asked gives each attempt up early: whether readings meet one is a matter of moments
        brief=_at(_PREDICTED.devices[1], "CiscoIpsecPredictedLoss"),
        fires_within=THRESHOLDS.predicted_loss_for + _READ + _FIRST,
        resolves_within=_READ + _KEPT + _NEXT_CRITICAL,
    ),
    Case(
        name="expired SA still installed",
        site=_STUCK,
        fault=TunnelFault.STUCK_SA,
        # each is there before the next: what is late, what is overdue, what should be gone; the last inhibits the second
        alerts=_both(
            _STUCK,
            "CiscoIpsecSaNotRenewed",
            "CiscoIpsecSaExpiryOverdue",
            "CiscoIpsecSaExpiredStillInstalled",
        ),
        fires_within=600 + THRESHOLDS.still_installed_seconds + 600 + _NEXT_WARNING,
        resolves_within=_READ + _KEPT + _NEXT_WARNING,
    ),
    Case(
        name="device unreachable",
        site=_UNREACHABLE,
        fault=TunnelFault.UNREACHABLE,
        alerts=_at(_UNREACHABLE.devices[0], "CiscoIpsecDeviceUnreachable"),
        fires_within=THRESHOLDS.device_unreachable_for + _READ + _FIRST,
        resolves_within=_READ + _KEPT + _NEXT_CRITICAL,
    ),
    Case(
        name="authentication failure",
        site=_AUTH,
        fault=TunnelFault.AUTH,
        alerts=_at(_AUTH.devices[0], "CiscoIpsecDeviceAuthFailing"),
        fires_within=_READ + _FIRST,
        resolves_within=_READ + _KEPT + _NEXT_WARNING,
    ),
    Case(
        name="another host key",
        site=_HOST_KEY,
        fault=TunnelFault.HOST_KEY,
        alerts=_at(_HOST_KEY.devices[0], "CiscoIpsecDeviceHostKeyRefused"),
        fires_within=_READ + _FIRST,
        resolves_within=_READ + _KEPT + _NEXT_CRITICAL,
    ),
    Case(
        name="answers that cannot be read",
        site=_GARBLED,
        fault=TunnelFault.GARBLED,
        alerts=_at(_GARBLED.devices[0], "CiscoIpsecDeviceUnreachable", "CiscoIpsecParseProblem"),
        # old data, inhibited, has opened the group of messages
        fires_within=THRESHOLDS.parse_for + _READ + _FIRST + _NEXT_WARNING,
        resolves_within=THRESHOLDS.parse_window + _READ + _NEXT_WARNING,
    ),
    Case(
        name="flap",
        site=_FLAP,
        fault=TunnelFault.FLAP,
        alerts=_both(_FLAP, "CiscoIpsecTunnelFlapping"),
        fires_within=1500,
        resolves_within=THRESHOLDS.flap_window + _READ + _KEPT + _NEXT_WARNING,
    ),
    Case(
        name="many tunnels of a hub",
        site=STAR,
        fault=TunnelFault.PSK_MISMATCH,
        targets=("star/star-spoke-1", "star/star-spoke-2", "star/star-spoke-3"),
        alerts=_at("star", "CiscoIpsecManyTunnelsDown"),
        fires_within=THRESHOLDS.many_down_for + _READ + _FIRST,
        resolves_within=_READ + _KEPT + _NEXT_CRITICAL,
        stays=600,
    ),
    Case(
        name="normal rekeys for an hour",
        site=_NORMAL,
        fault=None,
        stays=3600,
        proof=(
            f'increase(cisco_ipsec_tunnel_rekeys_total{{device="{_NORMAL.devices[0]}",'
            f'tunnel="{TUNNEL}",trigger="time"}}[{3600 / SPEED:g}s]) >= 3'
        ),
    ),
)

PAIRS = tuple(case.site for case in CASES if isinstance(case.site, Pair))
"""Every pair of the table."""
