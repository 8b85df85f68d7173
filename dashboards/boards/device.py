"""One device, usually a hub: its tunnels, its IKE SAs, and how well it is read."""

from __future__ import annotations

from boards.firing import firing
from boards.layout import Board, Mark, Section
from boards.panels import (
    BLUE,
    GREEN,
    GREY,
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
    timeline,
    writing,
)
from boards.phrases import (
    ANY,
    ASKS,
    COUNTED,
    ERRORS,
    FEW_LEFT,
    NOT_SILENCED,
    OF_DEVICE,
    ON_TUNNEL,
    ONE_WAY,
    READ,
    SHARE_UP,
    STALE,
    STATE,
    TRIGGERS,
    alerts,
    by_state,
    counted,
    one_way,
    state,
)
from boards.variables import DEVICE, TO_TUNNEL, datasource, device, runbooks, site
from ipsecmon.alerting.thresholds import THRESHOLDS

__all__ = ["board"]

D = f"{{{OF_DEVICE}}}"
MUST = f"{ON_TUNNEL} cisco_ipsec_tunnel_expected{D} == 1"
HERE = Column(field="device", title="device", width=110)
"""The same in every row, but a link can take only what is a column."""
NEGOTIATIONS = Steps(GREEN, ((THRESHOLDS.negotiations, RED),))

NOT_EXTENDED = "only with metrics.tier: extended"

ABOUT = """**The top line says whether to believe the rest:** a device that is not read shows no tunnels, neither up nor down, once its \
data is three intervals old.
Then: how many of the tunnels that must be up are up; a click on one below shows its life-cycle. Many tunnels down at a time point to \
the device or its uplink, one tunnel down to the other end.
*Not needed* is a tunnel that traffic brings up: down without harm. *Rekeys* by time are normal, *forced* ones and *outages* are not. *Collection* tells what reading the device costs it and us."""


def board() -> Board:
    return Board(
        name="device",
        uid=DEVICE,
        title="IPsec device",
        about="The tunnels of one device, its IKE SAs, and how well it is read.",
        variables=[datasource(), site(), device(), runbooks()],
        top=[writing(1, "How to read this", ABOUT, size=(24, 4)), *_now()],
        sections=[
            Section(id=20, title="Tunnels", panels=[_tunnels(), _states(), _timeline(), _firing()]),
            Section(id=30, title="What happens to them", panels=[_rekeys(), _flaps(), *_errors()]),
            Section(id=40, title="Throughput", panels=_throughput()),
            Section(id=50, title="IKE", panels=_ike()),
            Section(id=60, title="Collection", panels=[*_health(), *_collection()]),
            Section(id=80, title="Extended tier", folded=True, panels=_extended()),
        ],
        marks=[
            Mark(
                "Alerts",
                RED,
                alerts(labels=f', {OF_DEVICE}, tunnel=""'),
                "{{alertname}}",
                "{{severity}}",
            )
        ],
    )


def _now() -> list[Placed]:
    must = f"{MUST} {NOT_SILENCED}"
    known = f"cisco_ipsec_tunnel_up{D} and {must}"
    return [
        number(
            2,
            "Last poll",
            "Whether the last poll read everything; the errors below say why not.",
            Query(expr=f"cisco_ipsec_device_up{D}"),
            size=(3, 4),
            words=READ,
        ),
        number(
            3,
            "Age, in intervals",
            "How old the last good reading is, in poll intervals.",
            Query(
                expr=f"(time() - cisco_ipsec_device_last_success_timestamp_seconds{D})"
                f" / cisco_ipsec_device_poll_interval_seconds{D}",
                decimals=1,
            ),
            size=(3, 4),
            unit="none",
            steps=STALE,
            none="never read",
        ),
        number(
            4,
            "Up, of those that must be up",
            "Red where the alert for many tunnels of a device fires, orange where some are down.",
            Query(
                expr=f"(count(cisco_ipsec_tunnel_up{D} == 1 and {must}) or vector(0)) / count({known})"
            ),
            unit="percentunit",
            steps=SHARE_UP,
            none="none known",
        ),
        number(
            5,
            "Down that must be up",
            "Tunnels expected to be up at all times that are down; without those with the option maintenance or excluded.",
            Query(expr=f"count(cisco_ipsec_tunnel_up{D} == 0 and {must}) or vector(0)"),
            size=(3, 4),
            steps=ANY,
        ),
        number(
            6,
            "Down, and traffic asks",
            "Packets for the tunnel were refused since the reading before.",
            Query(expr=f"count(cisco_ipsec_tunnel_demanded{D} == 1) or vector(0)"),
            size=(3, 4),
            steps=ANY,
        ),
        number(
            7,
            "IKE negotiating",
            "IKE SAs of the device that are not established yet. Many at a time mean the device cannot keep up, or that"
            " somebody knocks at its port.",
            Query(expr=f'cisco_ike_sas{{{OF_DEVICE}, state="negotiating"}}'),
            size=(3, 4),
            steps=NEGOTIATIONS,
        ),
        number(
            8,
            "CPU",
            "Load of the device over five seconds when it was looked at last.",
            Query(expr=f"cisco_ipsec_device_cpu_percent{D}"),
            size=(2, 4),
            unit="percent",
            steps=COUNTED,
            none="not asked",
        ),
        number(
            9,
            "Weak SSH",
            "SSH algorithms of the session that the profile modern does not offer; 0 is good.",
            Query(expr=f"cisco_ipsec_device_ssh_weak_algorithms{D}"),
            size=(3, 4),
            steps=Steps(GREEN, ((1, YELLOW),)),
            none="no session yet",
        ),
    ]


def _tunnels() -> Placed:
    by_tunnel = "max by (device, tunnel, peer)"
    while_up = f"and {ON_TUNNEL} cisco_ipsec_tunnel_up{D} == 1"
    return rows(
        21,
        "Tunnels of this device",
        "Down ones first; not needed is one that traffic brings up, and none asks. Time left is that of the SA in use for sending; a new SA follows before it runs out.",
        [
            Column(field="Value #A", title="state", words=STATE, width=140),
            Column(field="tunnel", title="tunnel", links=(TO_TUNNEL,)),
            Column(field="peer", title="peer"),
            Column(field="Value #B", title="must be up", words={0: ("no", GREY), 1: ("yes", BLUE)}),
            Column(field="Value #C", title="demand", words=ASKS),
            Column(field="Value #D", title="sent", unit="pps"),
            Column(field="Value #E", title="received", unit="pps"),
            Column(field="Value #F", title="direction", words=ONE_WAY),
            Column(field="Value #G", title="left", unit="s", steps=FEW_LEFT),
            HERE,
        ],
        Query(expr=f"{by_tunnel} ({state(D)})"),
        Query(expr=f"{by_tunnel} (cisco_ipsec_tunnel_expected{D})"),
        Query(expr=f"{by_tunnel} (cisco_ipsec_tunnel_demanded{D})"),
        Query(
            expr=f"{by_tunnel} (rate(cisco_ipsec_tunnel_encaps_packets_total{D}[$__rate_interval]))"
        ),
        Query(
            expr=f"{by_tunnel} (rate(cisco_ipsec_tunnel_decaps_packets_total{D}[$__rate_interval]))"
        ),
        Query(expr=f"{by_tunnel} ({one_way(D)} {while_up})"),
        Query(
            expr=f'{by_tunnel} (cisco_ipsec_sa_expiry_timestamp_seconds{{{OF_DEVICE}, direction="outbound"}} - time()'
            f" {while_up})"
        ),
        size=(24, 10),
        sort="state",
        least_first=True,
    )


def _states() -> Placed:
    return graph(
        22,
        "Tunnels by state",
        "A tunnel that need not be up and that no traffic asks for may be down without harm.",
        *(
            Query(expr=f"count({tunnels})", legend=STATE[value][0], color=STATE[value][1])
            for value, tunnels in by_state(D).items()
        ),
        size=(6, 9),
        stacked=True,
        none="the device was not read",
    )


def _timeline() -> Placed:
    most = f"topk(20, changes(cisco_ipsec_tunnel_up{D}[$__range] @ end()))"
    return timeline(
        23,
        "The twenty tunnels that changed most",
        "Their states over the time shown; of a hub with thousands only those that went up or down most often.",
        Query(
            expr=f"max by (tunnel) ({state(D, f'and {most}')})",
            legend="{{tunnel}}",
        ),
        size=(10, 9),
        words=STATE,
        none="the device was not read",
    )


def _firing() -> Placed:
    where = (Column(field="tunnel", title="tunnel", links=(TO_TUNNEL,)),)
    return firing(24, "Firing alerts", (*where, HERE), OF_DEVICE, size=(8, 9))


def _rekeys() -> Placed:
    return graph(
        31,
        "Rekeys by what made them",
        "time: the lifetime ran out, as it should. volume: the kilobytes did. forced: the other end or an operator."
        " outage: the tunnel had no SA in between.",
        Query(
            expr=f"sum by (trigger) ({counted(f'cisco_ipsec_tunnel_rekeys_total{D}')})",
            legend="{{trigger}}",
        ),
        bars=True,
        stacked=True,
        tints=TRIGGERS,
    )


def _flaps() -> Placed:
    return graph(
        32,
        "Flaps",
        "Times a tunnel went down and stayed down for two polls; the ten worst at each moment.",
        Query(
            expr=f"topk(10, max by (tunnel) ({counted(f'cisco_ipsec_tunnel_flaps_total{D}')}) > 0)",
            legend="{{tunnel}}",
        ),
        bars=True,
        stacked=True,
        none="no tunnel flapped",
    )


def _errors() -> list[Placed]:
    return [
        graph(
            id_,
            title,
            about,
            Query(
                expr=f"topk(10, rate(cisco_ipsec_tunnel_{which}_errors_total{D}[$__rate_interval]) > 0)",
                legend="{{tunnel}}",
            ),
            unit="pps",
            steps=ERRORS,
            none="no tunnel has any",
        )
        for id_, which, title, about in (
            (
                33,
                "send",
                "Send errors",
                "Packets that found no SA or could not be encrypted, the ten worst tunnels. While a tunnel is down this is the demand.",
            ),
            (
                34,
                "recv",
                "Receive errors",
                "Packets that could not be decrypted, verified or were replayed, the ten worst tunnels.",
            ),
        )
    ]


def _throughput() -> list[Placed]:
    return [
        graph(
            id_,
            title,
            "The ten busiest tunnels; from the volume lifetime of their SAs, where the device counts it.",
            Query(
                expr=f"topk(10, 8 * rate(cisco_ipsec_tunnel_{which}_bytes_total{D}[$__rate_interval]))",
                legend="{{tunnel}}",
            ),
            unit="bps",
            none="nothing is counted: no SA, or no volume lifetime",
        )
        for id_, which, title in ((41, "sent", "Sent"), (42, "received", "Received"))
    ]


def _ike() -> list[Placed]:
    return [
        graph(
            51,
            "IKE SAs by state",
            "active carry phase 2; negotiating are on the way; dead wait for their removal.",
            Query(expr=f"sum by (state) (cisco_ike_sas{D})", legend="{{state}}"),
            stacked=True,
            tints={"active": GREEN, "negotiating": YELLOW, "standby": BLUE, "dead": GREY},
        ),
        graph(
            52,
            "Peers being negotiated with",
            "1 while an IKE SA with the peer is short of established (MM_NO_STATE and the like). One that stays is a peer that"
            " does not answer or does not agree.",
            Query(
                expr=f"max by (peer) (cisco_ike_sa_negotiating{D}) > 0",
                legend="{{peer}}",
            ),
            Query(expr=f"sum(cisco_ike_sa_negotiating{D})", legend="all peers", color=GREY),
            steps=NEGOTIATIONS,
        ),
    ]


def _health() -> list[Placed]:
    return [
        number(
            61,
            "Session open since",
            "Login of the session that answered last; one session serves many polls.",
            Query(expr=f"time() - cisco_ipsec_device_session_opened_timestamp_seconds{D}"),
            unit="s",
            steps=COUNTED,
            none="no session yet",
        ),
        number(
            62,
            "Host key",
            "Whether the host key of the last session was one we knew.",
            Query(expr=f"cisco_ipsec_device_host_key_verified{D}"),
            words={0: ("anyone's", ORANGE), 1: ("known", GREEN)},
            none="no session yet",
        ),
        number(
            63,
            "Lines not understood",
            "Lines of the last good poll that no template understood.",
            Query(expr=f"cisco_ipsec_device_unparsed_lines{D}"),
            steps=ANY,
            none="never read",
        ),
        number(
            64,
            "Lifetime of new SAs",
            "What the device gives new SAs; the two ends agree on the smaller.",
            Query(expr=f"cisco_ipsec_device_sa_lifetime_seconds{D}", legend="time", unit="s"),
            Query(expr=f"cisco_ipsec_device_sa_lifetime_bytes{D}", legend="volume", unit="bytes"),
            steps=COUNTED,
            none="not said",
        ),
        number(
            65,
            "Flows listed",
            "Flows the device listed in the last good poll.",
            Query(expr=f"cisco_ipsec_device_tunnels{D}"),
            steps=COUNTED,
            none="never read",
        ),
        number(
            66,
            "Polled every",
            "The interval of the configuration; below, when a device that rests after failures is tried again.",
            Query(expr=f"cisco_ipsec_device_poll_interval_seconds{D}", legend="interval", unit="s"),
            Query(
                expr=f"cisco_ipsec_device_next_attempt_timestamp_seconds{D} - time()",
                legend="tried again in",
                unit="s",
            ),
            steps=COUNTED,
        ),
    ]


def _collection() -> list[Placed]:
    return [
        graph(
            67,
            "Duration of a poll",
            "Beside the interval: a poll that takes as long as its interval means missed polls.",
            Query(expr=f"cisco_ipsec_device_collect_duration_seconds{D}", legend="poll"),
            Query(
                expr=f"cisco_ipsec_device_poll_interval_seconds{D}", legend="interval", color=GREY
            ),
            size=(8, 8),
            unit="s",
        ),
        graph(
            68,
            "Failed polls by reason",
            "auth: the login was refused. hostkey: the key is not the known one. timeout, closed, connect: the way there.",
            Query(
                expr=f"sum by (reason) ({counted(f'cisco_ipsec_device_collect_errors_total{D}')}) > 0",
                legend="{{reason}}",
            ),
            Query(
                expr=f"sum by (command) ({counted(f'cisco_ipsec_device_parse_errors_total{D}')}) > 0",
                legend="not understood: {{command}}",
            ),
            size=(8, 8),
            bars=True,
            stacked=True,
            none="no poll failed",
        ),
        graph(
            69,
            "Age of the data, in intervals",
            "Grows while the device is not read; the dashed line is where the alert begins to count.",
            Query(
                expr=f"(time() - cisco_ipsec_device_last_success_timestamp_seconds{D})"
                f" / cisco_ipsec_device_poll_interval_seconds{D}",
                legend="age",
            ),
            size=(8, 8),
            unit="none",
            steps=STALE,
        ),
        graph(
            70,
            "CPU of the device",
            "When a poll looked, and how often the tables were left out because it was busier than the configuration allows.",
            Query(expr=f"cisco_ipsec_device_cpu_percent{D}", legend="load", unit="percent"),
            Query(
                expr=counted(f"cisco_ipsec_device_readings_skipped_for_cpu_total{D}"),
                legend="readings left out",
                unit="short",
                color=ORANGE,
            ),
        ),
        timeline(
            71,
            "Read or not",
            "Each poll: whether it read everything.",
            Query(expr=f"cisco_ipsec_device_up{D}", legend="{{device}}"),
            size=(12, 8),
            words=READ,
        ),
    ]


def _extended() -> list[Placed]:
    return [
        graph(
            81,
            "Tunnels by state, in full",
            "Only with metrics.tier extended: up and down_idle are fine, down_demanded and negotiating for long are not.",
            Query(expr=f"sum by (state) (cisco_ipsec_tunnel_state{D}) > 0", legend="{{state}}"),
            stacked=True,
            none=NOT_EXTENDED,
        ),
        graph(
            82,
            "Time each command takes",
            "Only with metrics.tier extended: from sending a command to its complete answer.",
            Query(
                expr=f"max by (command) (cisco_ipsec_device_command_duration_seconds{D})",
                legend="{{command}}",
            ),
            unit="s",
            none=NOT_EXTENDED,
        ),
    ]
