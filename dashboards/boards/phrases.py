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
    "FEW_LEFT_LINE",
    "IKE",
    "LOSS",
    "NEGOTIATES",
    "NOT_SILENCED",
    "OF_DEVICE",
    "OF_TUNNEL",
    "ONE_WAY",
    "ON_TUNNEL",
    "OVERDUE",
    "READ",
    "SEVERITY",
    "SHARE_UP",
    "STALE",
    "STATE",
    "TRIGGERS",
    "alerts",
    "by_state",
    "counted",
    "down",
    "not_needed",
    "one_way",
    "state",
]

STATE: Words = {
    0: ("Down", RED),
    1: ("Down, traffic asks", ORANGE),
    2: ("Not needed", BLUE),
    3: ("Up", GREEN),
}
"""Of a tunnel, as ``state`` numbers it. One that traffic brings up is down without harm while none asks."""
IKE: Words = {0: ("Down", RED), 1: ("Up", GREEN), 2: ("Not needed", BLUE)}
SEVERITY: Words = {
    "critical": ("critical", RED),
    "warning": ("warning", ORANGE),
    "info": ("info", BLUE),
}
TRIGGERS = {"time": GREEN, "volume": YELLOW, "forced": ORANGE, "outage": RED}
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
FEW_LEFT_LINE = Steps(GREEN, ((THRESHOLDS.not_renewed_seconds, RED),))
"""As a line in a graph, which has the colour of what begins above it."""
OVERDUE = Steps(GREEN, ((THRESHOLDS.rekey_overdue_ratio, RED),))
LOSS = Steps(GREEN, ((THRESHOLDS.path_loss_ratio, RED),))
ERRORS = Steps(GREEN, ((THRESHOLDS.errors_per_second, RED),))
STALE = Steps(GREEN, ((THRESHOLDS.stale_intervals, RED),))

# as they are: newer versions of Grafana prepare a value for a regular expression, and "10.1.1.0" would equal nothing
OF_DEVICE = 'device="${device:raw}"'
OF_TUNNEL = f'{OF_DEVICE}, tunnel="${{tunnel:raw}}"'

ON_TUNNEL = "on (instance, device, tunnel)"
NOT_SILENCED = (
    f'unless {ON_TUNNEL} cisco_ipsec_tunnel_option{{option=~"maintenance|excluded"}} == 1'
)


def alerts(severity: str = "", labels: str = "") -> str:
    """The alerts of our rules that fire, of one severity or all."""
    of = f', severity="{severity}"' if severity else ""
    return f'ALERTS{{alertstate="firing", alertname=~"Cisco(Ipsec|Ike).*"{of}{labels}}}'


def counted(counter: str) -> str:
    """What a counter counted since the point before, in whole numbers and nothing twice.

    ``increase`` stretches what it saw to the whole window, so that one event becomes 1.33, and its windows overlap.
    """
    return f"clamp_min({counter} - {counter} offset $__interval, 0)"


def down(labels: str = "", *, must: bool) -> str:
    """Tunnels that are down, those that must be up or the others.

    Asked so that both sides are few: a hub has thousands of tunnels that are up and must be.
    """
    which = "unless" if must else "and"
    return (
        f"cisco_ipsec_tunnel_up{labels} == 0"
        f" {which} {ON_TUNNEL} cisco_ipsec_tunnel_expected{labels} == 0"
    )


def not_needed(labels: str = "") -> str:
    """Tunnels that are down, need not be up and that no traffic asks for."""
    return (
        f"({down(labels, must=False)} unless {ON_TUNNEL} cisco_ipsec_tunnel_demanded{labels} == 1)"
    )


def state(labels: str = "", only: str = "") -> str:
    """The numbers of ``STATE``, of all or only some tunnels (``and ...``). Each is the outcome of a sum, so that none keeps the name of the metric: it would be two lines."""
    return (
        f"(({not_needed(labels)} + 2 or ({down(labels, must=False)}) + 1) {only}"
        f" or (cisco_ipsec_tunnel_up{labels} {only}) * 3)"
    )


def by_state(labels: str = "") -> dict[int, str]:
    """The tunnels in each state of ``STATE``: what counts them costs a tenth of what asks each for its state."""
    return {
        3: f"cisco_ipsec_tunnel_up{labels} == 1",
        2: not_needed(labels),
        1: f"cisco_ipsec_tunnel_demanded{labels} == 1 and {ON_TUNNEL} ({down(labels, must=False)})",
        0: down(labels, must=True),
    }


def one_way(labels: str = "") -> str:
    """1 where a tunnel only sends, 2 where it only receives, else 0, by the number of packets at which alerts fire."""
    sent = f"rate(cisco_ipsec_tunnel_encaps_packets_total{labels}[$__rate_interval])"
    received = f"rate(cisco_ipsec_tunnel_decaps_packets_total{labels}[$__rate_interval])"
    some = f"> bool {THRESHOLDS.one_way_packets_per_second:g}"
    return (
        f"({sent} {some}) * ({received} == bool 0) + 2 * ({received} {some}) * ({sent} == bool 0)"
    )
