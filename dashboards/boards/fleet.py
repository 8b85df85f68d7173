"""The fleet: what is down, what is worst, what changed in the last hour."""

from __future__ import annotations

from boards.firing import firing
from boards.layout import Board, Section
from boards.panels import (
    GREEN,
    ORANGE,
    RED,
    YELLOW,
    Column,
    Placed,
    Query,
    Steps,
    graph,
    number,
    rows,
    writing,
)
from boards.phrases import (
    ANY,
    COUNTED,
    NOT_SILENCED,
    ON_TUNNEL,
    SHARE_UP,
    STALE,
    STATE,
    TRIGGERS,
    alerts,
    by_state,
    counted,
    one_way,
)
from boards.variables import (
    FLEET,
    TO_DEVICE,
    TO_TUNNEL,
    datasource,
    runbooks,
    site,
)
from ipsecmon.alerting.thresholds import THRESHOLDS
from ipsecmon.alerting.timescale import duration

__all__ = ["board"]

NOT_ONE_WAY_BY_DESIGN = (
    f'unless {ON_TUNNEL} cisco_ipsec_tunnel_option{{option="unidirectional"}} == 1'
)
OF_SITE = f'and {ON_TUNNEL} cisco_ipsec_tunnel_info{{site=~"$site"}}'
MUST = f"{ON_TUNNEL} cisco_ipsec_tunnel_expected == 1"
KNOWN = f"{ON_TUNNEL} cisco_ipsec_tunnel_up"

ABOUT = """**Start left.** A tunnel is one protected flow of one device. Green *of those that must be up* means nothing that is \
needed all the time is missing; a tunnel that traffic brings up may be down without harm, until *traffic asks*.
**Then the table below, worst first:** a click on a tunnel shows its five steps from interesting traffic to rekey, one on a \
device its other tunnels and whether it is read at all. What cannot be read is not shown as down: see *Devices not read*.
Numbers turn red where an alert fires; the site at the top narrows tunnels, not devices."""


def board() -> Board:
    return Board(
        name="fleet",
        uid=FLEET,
        title="IPsec fleet",
        about="Site-to-site IPsec tunnels of all devices: down, worst, changed.",
        variables=[datasource(), site(), runbooks()],
        top=[writing(1, "How to read this", ABOUT, size=(24, 4)), *_now()],
        sections=[
            Section(id=20, title="Worst first", panels=[_worst(), _firing()]),
            Section(id=30, title="Sites and devices", panels=[_sites(), _devices(), _not_read()]),
            Section(
                id=40,
                title="What changed",
                panels=[_changed(), _rekeys(), _up_and_down(), _flaps()],
            ),
        ],
    )


def _now() -> list[Placed]:
    up = f"cisco_ipsec_tunnel_up == 1 and {MUST} {OF_SITE} {NOT_SILENCED}"
    down = f"cisco_ipsec_tunnel_up == 0 and {MUST} {OF_SITE} {NOT_SILENCED}"
    must = f"cisco_ipsec_tunnel_expected == 1 {OF_SITE} {NOT_SILENCED}"
    return [
        number(
            2,
            "Up, of those that must be up",
            "Tunnels that are up of those expected to be up at all times and known, which those of a device that is not read"
            " are not. Orange: some are down; red: so many that the alert for many tunnels fires, were they of one device.",
            Query(expr=f"(count({up}) or vector(0)) / count({must} and {KNOWN})"),
            unit="percentunit",
            steps=SHARE_UP,
            none="none must be up",
        ),
        number(
            3,
            "Must be up",
            "Tunnels expected to be up at all times, as configured or learned, known or not; without those with the option"
            " maintenance or excluded.",
            Query(expr=f"count({must}) or vector(0)"),
            steps=COUNTED,
        ),
        number(
            4,
            "Down that must be up",
            "Down now. A reading is as old as the poll interval; the alert waits until it has held.",
            Query(expr=f"count({down}) or vector(0)"),
            steps=ANY,
        ),
        number(
            5,
            "Down, and traffic asks",
            "Down while packets for the tunnel were refused since the reading before, whether it must be up or not.",
            Query(expr=f"count(cisco_ipsec_tunnel_demanded == 1 {OF_SITE}) or vector(0)"),
            steps=ANY,
        ),
        number(
            6,
            "Devices not read",
            "Devices whose last poll failed. Of their tunnels nothing is known; they are not counted as down.",
            Query(expr="count(cisco_ipsec_device_up == 0) or vector(0)"),
            steps=ANY,
        ),
        number(
            7,
            "Firing alerts",
            "Alerts of ipsecmon's rules that fire now.",
            Query(expr=f"count({alerts('critical')}) or vector(0)", legend="critical", steps=ANY),
            Query(
                expr=f"count({alerts('warning')}) or vector(0)",
                legend="warning",
                steps=Steps(GREEN, ((1, ORANGE),)),
            ),
        ),
    ]


def _worst() -> Placed:
    """Each tunnel by the worst that is true of it: ``or`` keeps the first of equal labels."""
    per_tunnel = "max by (instance, device, tunnel, peer)"
    down = f"cisco_ipsec_tunnel_up == 0 and {MUST}"
    loss = (
        "cisco_ipsec_tunnel_path_loss_ratio - cisco_ipsec_tunnel_path_loss_error_ratio"
        f" > {THRESHOLDS.path_loss_ratio:g}"
    )
    flaps = (
        f"increase(cisco_ipsec_tunnel_flaps_total[{duration(THRESHOLDS.flap_window)}])"
        f" >= {THRESHOLDS.flaps:g}"
    )
    ranked = "\n or ".join(
        [
            f"{per_tunnel} ({down}) * 0 + 5",
            f"{per_tunnel} (cisco_ipsec_tunnel_demanded == 1) * 0 + 4",
            f"{per_tunnel} (cisco_ipsec_tunnel_spi_pair_matched == 0) * 0 + 3",
            f"{per_tunnel} ({one_way()} > 0 {NOT_ONE_WAY_BY_DESIGN}) * 0 + 2",
            f"{per_tunnel} ({loss}) * 0 + 1",
            f"{per_tunnel} ({flaps}) * 0",
        ]
    )
    return rows(
        21,
        "Tunnels that need a look",
        "Every tunnel of which something is wrong, once, by the worst of it. Tunnels with the option maintenance or excluded are"
        " left out.",
        [
            Column(
                field="Value",
                title="what",
                words={
                    5: ("down, must be up", RED),
                    4: ("down, traffic asks", RED),
                    3: ("the ends' SPIs differ", RED),
                    2: ("packets one way only", ORANGE),
                    1: ("packets are lost", YELLOW),
                    0: ("went down again and again", YELLOW),
                },
                width=200,
            ),
            Column(field="device", title="device", links=(TO_DEVICE,)),
            Column(field="tunnel", title="tunnel", links=(TO_TUNNEL,)),
            Column(field="peer", title="peer"),
            Column(field="site", title="site"),
            Column(field="owner", title="owner"),
        ],
        Query(
            expr=f"max by (device, tunnel, peer, site, owner) ((({ranked}) {NOT_SILENCED})"
            f" * {ON_TUNNEL} group_left (site, owner)"
            ' max by (instance, device, tunnel, site, owner) (cisco_ipsec_tunnel_info{site=~"$site"}))'
        ),
        size=(14, 9),
        sort="what",
        none="nothing: every tunnel is as it should be",
    )


def _firing() -> Placed:
    where = (
        Column(field="device", title="device", links=(TO_DEVICE,)),
        Column(field="tunnel", title="tunnel", links=(TO_TUNNEL,)),
    )
    return firing(22, "Firing alerts", where, size=(10, 9))


def _sites() -> Placed:
    by_site = "sum by (site) ("
    info = (
        f"* {ON_TUNNEL} group_left (site)"
        ' max by (instance, device, tunnel, site) (cisco_ipsec_tunnel_info{site=~"$site"})'
    )
    return rows(
        31,
        "Sites",
        "By the label site that the configuration gives tunnels, those with most tunnels down first; tunnels without that"
        " label are in the row without a name. Not known are those that must be up on devices that are not read.",
        [
            Column(field="site", title="site"),
            Column(field="Value #A", title="tunnels"),
            Column(field="Value #B", title="up"),
            Column(field="Value #C", title="must be up"),
            Column(field="Value #D", title="of these up", unit="percentunit", steps=SHARE_UP),
            Column(field="Value #E", title="of these down", steps=ANY),
            Column(field="Value #F", title="not known"),
        ],
        Query(expr='count by (site) (cisco_ipsec_tunnel_info{site=~"$site"})'),
        Query(expr=f"{by_site}cisco_ipsec_tunnel_up {info})"),
        Query(expr=f"{by_site}cisco_ipsec_tunnel_expected {info})"),
        Query(
            expr=f"{by_site}(cisco_ipsec_tunnel_up and {MUST}) {info})"
            f" / {by_site}(cisco_ipsec_tunnel_expected == 1 and {KNOWN}) {info})"
        ),
        Query(
            expr=f"{by_site}cisco_ipsec_tunnel_expected * {ON_TUNNEL} (1 - cisco_ipsec_tunnel_up) {info})"
        ),
        Query(expr=f"{by_site}(cisco_ipsec_tunnel_expected == 1 unless {KNOWN}) {info})"),
        size=(11, 8),
        sort="of these down",
    )


def _devices() -> Placed:
    age = "(time() - cisco_ipsec_device_last_success_timestamp_seconds)"
    return rows(
        32,
        "Devices",
        "Every device, those with most tunnels down first. The age is that of the last good reading, in poll intervals.",
        [
            Column(field="device", title="device", links=(TO_DEVICE,)),
            Column(field="Value #A", title="read", words={0: ("no", RED), 1: ("yes", GREEN)}),
            Column(field="Value #B", title="tunnels"),
            Column(field="Value #C", title="must be up"),
            Column(field="Value #D", title="of these up", unit="percentunit", steps=SHARE_UP),
            Column(field="Value #G", title="of these down", steps=ANY),
            Column(
                field="Value #E",
                title="negotiating",
                steps=Steps(GREEN, ((THRESHOLDS.negotiations, RED),)),
            ),
            Column(field="Value #F", title="age, intervals", decimals=1, steps=STALE),
        ],
        Query(expr="max by (device) (cisco_ipsec_device_up)"),
        Query(expr="max by (device) (cisco_ipsec_device_tunnels)"),
        Query(expr="sum by (device) (cisco_ipsec_tunnel_expected)"),
        Query(
            expr=f"sum by (device) (cisco_ipsec_tunnel_up and {MUST})"
            " / sum by (device) (cisco_ipsec_tunnel_expected == 1)"
        ),
        Query(expr='max by (device) (cisco_ike_sas{state="negotiating"})'),
        Query(expr=f"max by (device) ({age} / cisco_ipsec_device_poll_interval_seconds)"),
        Query(
            expr=f"sum by (device) (cisco_ipsec_tunnel_expected * {ON_TUNNEL} (1 - cisco_ipsec_tunnel_up))"
        ),
        size=(13, 8),
        sort="of these down",
    )


def _not_read() -> Placed:
    return rows(
        33,
        "Devices not read",
        "How long ago the last good reading was, and what most polls of the last quarter of an hour failed of: auth, the"
        " login was refused; hostkey, the key is not the known one; dns, connect, timeout, closed, the way there.",
        [
            Column(field="device", title="device", links=(TO_DEVICE,)),
            Column(field="reason", title="reason"),
            Column(field="host", title="host"),
            Column(field="platform", title="platform"),
            Column(
                field="Value #A", title="last read before", unit="s", words={-1: ("never", RED)}
            ),
            Column(field="Value #B", title="polls failed so"),
        ],
        Query(
            expr="max by (device, host, platform) (("
            "(time() - cisco_ipsec_device_last_success_timestamp_seconds) or cisco_ipsec_device_up * 0 - 1)"
            " * on (instance, device) group_left (host, platform) cisco_ipsec_device_info"
            " and on (instance, device) cisco_ipsec_device_up == 0)"
        ),
        Query(
            expr="topk by (device) (1, sum by (device, reason)"
            " (round(increase(cisco_ipsec_device_collect_errors_total[15m])) > 0"
            " and on (instance, device) cisco_ipsec_device_up == 0))"
        ),
        size=(24, 4),
        none="every device is read",
    )


def _changed() -> Placed:
    by_tunnel = "max by (device, tunnel) "
    return rows(
        41,
        "Tunnels that changed in the last hour",
        "The fifty with most changes. A rekey every lifetime is normal; a flap is down for two polls or more.",
        [
            Column(field="device", title="device", links=(TO_DEVICE,)),
            Column(field="tunnel", title="tunnel", links=(TO_TUNNEL,)),
            Column(field="Value #A", title="up or down", steps=Steps(GREEN, ((1, ORANGE),))),
            Column(
                field="Value #B",
                title="flaps",
                steps=Steps(GREEN, ((1, ORANGE), (THRESHOLDS.flaps, RED))),
            ),
            Column(field="Value #C", title="new SPIs"),
            Column(field="Value #D", title="peer failovers"),
        ],
        Query(expr=f"topk(50, {by_tunnel}(changes(cisco_ipsec_tunnel_up[1h]) {OF_SITE}) > 0)"),
        Query(
            expr=f"topk(50, {by_tunnel}(round(increase(cisco_ipsec_tunnel_flaps_total[1h])) {OF_SITE}) > 0)"
        ),
        Query(
            expr=f'topk(50, {by_tunnel}(changes(cisco_ipsec_sa_spi{{direction="outbound"}}[1h]) {OF_SITE}) > 0)'
        ),
        Query(
            expr=f"topk(50, {by_tunnel}(round(increase(cisco_ipsec_tunnel_peer_failovers_total[1h])) {OF_SITE}) > 0)"
        ),
        size=(14, 8),
        sort="up or down",
        none="nothing changed",
    )


def _rekeys() -> Placed:
    return graph(
        42,
        "Rekeys by what made them",
        "time: the lifetime ran out, as it should. volume: the kilobytes did. forced: the other end or an operator."
        " outage: the tunnel had no SA in between.",
        Query(
            expr=f"sum by (trigger) ({counted('cisco_ipsec_tunnel_rekeys_total')} {OF_SITE})",
            legend="{{trigger}}",
        ),
        size=(10, 8),
        bars=True,
        stacked=True,
        tints=TRIGGERS,
    )


def _up_and_down() -> Placed:
    return graph(
        43,
        "Tunnels",
        "By state over time; one that is not needed is down without harm. Gaps are times at which ipsecmon was not scraped.",
        *(
            Query(expr=f"count({tunnels} {OF_SITE})", legend=STATE[value][0], color=STATE[value][1])
            for value, tunnels in by_state().items()
        ),
        stacked=True,
        none="no tunnel was read",
    )


def _flaps() -> Placed:
    return graph(
        44,
        "Flaps and failovers",
        "Times tunnels went down and stayed down for two polls, and changed to another peer.",
        Query(
            expr=f"sum({counted('cisco_ipsec_tunnel_flaps_total')} {OF_SITE})",
            legend="flaps",
            color=RED,
        ),
        Query(
            expr=f"sum({counted('cisco_ipsec_tunnel_peer_failovers_total')} {OF_SITE})",
            legend="peer failovers",
            color=ORANGE,
        ),
        bars=True,
    )
