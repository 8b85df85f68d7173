"""What several dashboards say alike: the words for a value, the colours at which an alert fires, pieces of PromQL.

Colours change at the numbers of ``ipsecmon.alerting.thresholds``, those at which the rules fire; there is no second number.
"""

from __future__ import annotations

from boards.panels import BLUE, GREEN, GREY, ORANGE, RED, YELLOW, Steps, Words
from ipsecmon.alerting.thresholds import THRESHOLDS

__all__ = [
    "AGREE",
    "ANY",
    "ASKS",
    "COUNTED",
    "ERRORS",
    "FEW_LEFT",
    "LOSS",
    "NEGOTIATES",
    "NOT_SILENCED",
    "ONE_WAY",
    "ON_TUNNEL",
    "OVERDUE",
    "READ",
    "SHARE_UP",
    "STALE",
    "UP",
    "alerts",
    "one_way",
]

UP: Words = {0: ("Down", RED), 1: ("Up", GREEN)}
READ: Words = {0: ("Not read", RED), 1: ("Read", GREEN)}
ASKS: Words = {0: ("nothing waits", GREY), 1: ("traffic asks", ORANGE)}
NEGOTIATES: Words = {0: ("no", GREY), 1: ("negotiating", YELLOW)}
AGREE: Words = {0: ("SPIs differ", RED), 1: ("both ends agree", GREEN)}
ONE_WAY: Words = {
    0: ("both ways or idle", GREEN),
    1: ("sends only", ORANGE),
    2: ("receives only", ORANGE),
}

ANY = Steps(GREEN, ((1, RED),))
COUNTED = Steps(BLUE)
SHARE_UP = Steps(RED, ((THRESHOLDS.many_down_ratio, ORANGE), (1, GREEN)))
FEW_LEFT = Steps(RED, ((THRESHOLDS.not_renewed_seconds, GREEN),))
OVERDUE = Steps(GREEN, ((THRESHOLDS.rekey_overdue_ratio, RED),))
LOSS = Steps(GREEN, ((THRESHOLDS.path_loss_ratio, RED),))
ERRORS = Steps(GREEN, ((THRESHOLDS.errors_per_second, RED),))
STALE = Steps(GREEN, ((THRESHOLDS.stale_intervals, RED),))

ON_TUNNEL = "on (instance, device, tunnel)"
NOT_SILENCED = (
    f'unless {ON_TUNNEL} cisco_ipsec_tunnel_option{{option=~"maintenance|excluded"}} == 1'
)


def alerts(severity: str = "", labels: str = "") -> str:
    """The alerts of our rules that fire, of one severity or all."""
    of = f', severity="{severity}"' if severity else ""
    return f'ALERTS{{alertstate="firing", alertname=~"Cisco(Ipsec|Ike).*"{of}{labels}}}'


def one_way(labels: str = "") -> str:
    """1 where a tunnel only sends, 2 where it only receives, else 0, by the number of packets at which alerts fire."""
    sent = f"rate(cisco_ipsec_tunnel_encaps_packets_total{labels}[$__rate_interval])"
    received = f"rate(cisco_ipsec_tunnel_decaps_packets_total{labels}[$__rate_interval])"
    some = f"> bool {THRESHOLDS.one_way_packets_per_second:g}"
    return (
        f"({sent} {some}) * ({received} == bool 0) + 2 * ({received} {some}) * ({sent} == bool 0)"
    )
