"""One tunnel: its five steps from interesting traffic to rekey, both directions, loss, and when its SAs run out."""

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
    AGREE,
    ASKS,
    COUNTED,
    ERRORS,
    FEW_LEFT,
    FEW_LEFT_LINE,
    IKE,
    LOSS,
    NEGOTIATES,
    OF_DEVICE,
    OF_TUNNEL,
    ON_TUNNEL,
    ONE_WAY,
    OVERDUE,
    STATE,
    TRIGGERS,
    alerts,
    counted,
    not_needed,
    one_way,
    state,
)
from boards.variables import (
    OTHER_END,
    TO_DEVICE,
    TUNNEL,
    datasource,
    device,
    runbooks,
    site,
    tunnel,
)
from ipsecmon.alerting.thresholds import THRESHOLDS

__all__ = ["board"]

T = f"{{{OF_TUNNEL}}}"
OUT = f'{{{OF_TUNNEL}, direction="outbound"}}'
WHILE_UP = f"and {ON_TUNNEL} cisco_ipsec_tunnel_up{T} == 1"
WITH_PEER = f"and on (instance, device, peer) cisco_ipsec_tunnel_peer_in_use{T} == 1"

DIRECTIONS = {"outbound": BLUE, "inbound": GREEN}
"""In the colours of what is sent and received."""

NOT_EXTENDED = "only with metrics.tier: extended, some with details polled"

ABOUT = """**Read the five steps from left to right; the first with red or orange is where to look, blue and grey only inform.** 1: traffic for the tunnel arrives and \
asks for it. 2: the two gateways agree who they are (IKE phase 1, QM_IDLE). 3: they agree on keys for the traffic (phase 2, a pair of \
IPsec SAs). 4: packets go both ways; only *sent* points to the other end or the way back, only *received* to this end. 5: before the \
lifetime runs out a new pair of SAs follows, which changes the SPI.
Vertical lines in the graphs: a rekey (blue), a flap (orange), a firing alert (red)."""


def board() -> Board:
    return Board(
        name="tunnel",
        uid=TUNNEL,
        title="IPsec tunnel",
        about="One tunnel: its life-cycle, both directions, loss, lifetime.",
        variables=[datasource(), site(), device(), tunnel(), runbooks()],
        top=[writing(1, "How to read this", ABOUT, size=(24, 4)), *_steps()],
        sections=[
            Section(id=20, title="What it is", panels=[_identity(), _other_end(), _crypto()]),
            Section(id=30, title="Over time", panels=[_timeline(), _firing()]),
            Section(id=40, title="Both directions", panels=_directions()),
            Section(id=50, title="Lifetime and rekeys", panels=_lifetime()),
            Section(id=70, title="Extended tier", folded=True, panels=_extended()),
        ],
        marks=_marks(),
    )


def _marks() -> list[Mark]:
    return [
        Mark(
            "Rekeys",
            BLUE,
            f"changes(cisco_ipsec_sa_spi{OUT}[$__rate_interval]) > 0",
            "Another SPI",
            "a rekey, or up after an outage",
        ),
        Mark(
            "Flaps",
            ORANGE,
            f"increase(cisco_ipsec_tunnel_flaps_total{T}[$__rate_interval]) > 0",
            "Went down",
            "and stayed down for two polls",
        ),
        Mark(
            "Alerts",
            RED,
            alerts(labels=f", {OF_TUNNEL}"),
            "{{alertname}}",
            "{{severity}}",
        ),
    ]


def _steps() -> list[Placed]:
    return [
        number(
            2,
            "1 Interesting traffic",
            "What the access list selects. With no traffic a tunnel that is not kept up stays down, and that is right.",
            Query(
                expr=f"rate(cisco_ipsec_tunnel_encaps_packets_total{T}[$__rate_interval])",
                legend="sent",
                unit="pps",
                steps=COUNTED,
            ),
            Query(expr=f"cisco_ipsec_tunnel_demanded{T}", legend="demand", words=ASKS),
            Query(
                expr=f"rate(cisco_ipsec_tunnel_send_errors_total{T}[$__rate_interval])",
                legend="refused",
                unit="pps",
                steps=ERRORS,
            ),
            size=(5, 6),
        ),
        number(
            3,
            "2 IKE phase 1",
            "With the peer in use. QM_IDLE is the state of an IKE version 1 SA that is established; version 2 has none.",
            Query(expr=_ike(), legend="IKE SA", words=IKE),
            Query(
                expr=f"max(cisco_ike_sa_qm_idle{{{OF_DEVICE}}} {WITH_PEER})",
                legend="QM_IDLE",
                words={0: ("no", GREY), 1: ("yes", GREEN)},
            ),
            Query(
                expr=f"max(cisco_ike_sa_negotiating{{{OF_DEVICE}}} {WITH_PEER})",
                legend="negotiating",
                words=NEGOTIATES,
            ),
            size=(5, 6),
            none="no IKE SA known",
        ),
        number(
            4,
            "3 IPsec phase 2",
            "Up with an active SA in each direction. Whether each end sends with an SPI the other receives with is known only"
            " where both are polled.",
            Query(expr=state(T), legend="SA pair", words=STATE),
            Query(expr=f"cisco_ipsec_tunnel_spi_pair_matched{T}", legend="other end", words=AGREE),
            Query(
                expr=f"max by (transform) (cisco_ipsec_tunnel_crypto_info{T})",
                legend="{{transform}}",
                words={1: ("in use", BLUE)},
            ),
            size=(5, 6),
        ),
        number(
            5,
            "4 Data",
            "Packets encapsulated and decapsulated, and whether both ways carry some.",
            Query(
                expr=f"rate(cisco_ipsec_tunnel_encaps_packets_total{T}[$__rate_interval])",
                legend="encaps",
                unit="pps",
                steps=COUNTED,
            ),
            Query(
                expr=f"rate(cisco_ipsec_tunnel_decaps_packets_total{T}[$__rate_interval])",
                legend="decaps",
                unit="pps",
                steps=COUNTED,
            ),
            Query(expr=f"{one_way(T)} {WHILE_UP}", legend="direction", words=ONE_WAY),
            size=(5, 6),
        ),
        number(
            6,
            "5 Lifetime and rekey",
            "Time left of the SA in use, and until its time or, at the present rate, its volume runs out; its age as a share of"
            " its lifetime; rekeys in the last hour.",
            Query(
                expr=f"cisco_ipsec_sa_expiry_timestamp_seconds{OUT} - time() {WHILE_UP}",
                legend="time left",
                unit="s",
                steps=FEW_LEFT,
            ),
            Query(
                expr=f"cisco_ipsec_tunnel_predicted_expiry_timestamp_seconds{T} - time() {WHILE_UP}",
                legend="time or volume",
                unit="s",
                steps=FEW_LEFT,
            ),
            Query(
                expr=f"1 - (cisco_ipsec_sa_expiry_timestamp_seconds{OUT} - time())"
                f" / ignoring (direction) cisco_ipsec_sa_lifetime_seconds{T} {WHILE_UP}",
                legend="of its lifetime",
                unit="percentunit",
                steps=OVERDUE,
                decimals=0,
            ),
            Query(
                expr=f"sum(round(increase(cisco_ipsec_tunnel_rekeys_total{T}[1h])))",
                legend="rekeys in an hour",
                steps=COUNTED,
            ),
            size=(4, 6),
            none="no SA",
        ),
    ]


def _identity() -> Placed:
    return rows(
        21,
        "The flow",
        "What is protected, where it is applied, between which addresses, and what the configuration says of it.",
        [
            Column(field="device", title="device", links=(TO_DEVICE,)),
            Column(field="local_ident", title="local_ident"),
            Column(field="remote_ident", title="remote_ident"),
            Column(field="crypto_map", title="crypto_map"),
            Column(field="interface", title="interface"),
            Column(field="local_addr", title="local_addr"),
            Column(field="peer", title="peer"),
            Column(field="vrf", title="vrf"),
            Column(field="site", title="site"),
            Column(field="owner", title="owner"),
            Column(field="description", title="description"),
        ],
        Query(
            expr="group by (device, local_ident, remote_ident, crypto_map, interface, local_addr, peer, vrf, site, owner,"
            f" description) (cisco_ipsec_tunnel_info{T})"
        ),
        size=(24, 4),
        none="no such tunnel",
    )


def _other_end() -> Placed:
    return rows(
        22,
        "The other end",
        "The same tunnel as its other gateway has it, where that one is polled too. A click opens it.",
        [
            Column(field="remote_device", title="remote_device", links=(OTHER_END,)),
            Column(field="remote_tunnel", title="remote_tunnel", links=(OTHER_END,)),
        ],
        Query(expr=f"group by (remote_device, remote_tunnel) (cisco_ipsec_tunnel_peering_info{T})"),
        size=(8, 4),
        none="the other end is not polled",
    )


def _crypto() -> Placed:
    return rows(
        23,
        "What was negotiated, and the peers",
        "Of the SA in use for sending; and every peer the tunnel is known with, of which one is in use.",
        [
            Column(field="transform", title="transform"),
            Column(field="mode", title="mode"),
            Column(field="pfs_group", title="pfs_group"),
            Column(field="replay_detection", title="replay_detection"),
            Column(field="nat_t", title="nat_t"),
            Column(field="peer", title="peer in use"),
        ],
        Query(
            expr="group by (transform, mode, pfs_group, replay_detection, nat_t, peer) ("
            f"cisco_ipsec_tunnel_crypto_info{T} * {ON_TUNNEL} group_left (peer)"
            f" max by (instance, device, tunnel, peer) (cisco_ipsec_tunnel_peer_in_use{T} == 1))"
        ),
        size=(16, 4),
        none="no SA",
    )


def _timeline() -> Placed:
    return timeline(
        31,
        "The steps over time",
        "Whether traffic asked, whether IKE was up, whether the pair of SAs was there, whether packets went both ways.",
        Query(expr=f"cisco_ipsec_tunnel_demanded{T}", legend="1 traffic", words=ASKS),
        Query(expr=_ike(), legend="2 IKE", words=IKE),
        Query(expr=state(T), legend="3 SA pair", words=STATE),
        Query(expr=f"{one_way(T)} {WHILE_UP}", legend="4 data", words=ONE_WAY),
        Query(expr=f"cisco_ipsec_tunnel_spi_pair_matched{T}", legend="both ends", words=AGREE),
        size=(15, 8),
        none="the device was not read",
    )


def _ike() -> str:
    """The numbers of ``IKE``: whether phase 1 with the peer in use is up, where the tunnel is needed."""
    up = f"max by (device) (cisco_ike_sa_up{{{OF_DEVICE}}} {WITH_PEER})"
    return f"({up} == 1 or {up} + 2 and on (device) {not_needed(T)} or {up})"


def _firing() -> Placed:
    return firing(
        32,
        "Firing alerts of this tunnel and its device",
        (Column(field="tunnel", title="tunnel"),),
        OF_TUNNEL,
        f'{OF_DEVICE}, tunnel=""',
        size=(9, 8),
    )


def _directions() -> list[Placed]:
    packets = "cisco_ipsec_tunnel_{}caps_packets_total"
    return [
        graph(
            41,
            "Packets",
            "Encapsulated: sent by us. Decapsulated: received from the peer. The counters survive rekeys.",
            *(
                Query(
                    expr=f"rate({packets.format(way)}{T}[$__rate_interval])",
                    legend=legend,
                    color=color,
                )
                for way, legend, color in (("en", "sent", BLUE), ("de", "received", GREEN))
            ),
            unit="pps",
        ),
        graph(
            42,
            "Bits",
            "From what the remaining volume of the SAs lost between polls, in steps of a kilobyte; nothing where the volume lifetime"
            " is disabled.",
            *(
                Query(
                    expr=f"8 * rate(cisco_ipsec_tunnel_{way}_bytes_total{T}[$__rate_interval])",
                    legend=way,
                    color=color,
                )
                for way, color in (("sent", BLUE), ("received", GREEN))
            ),
            unit="bps",
            none="nothing is counted: no SA, or no volume lifetime",
        ),
        graph(
            43,
            "Loss between the two ends",
            "Share of the packets that left one end and were not counted at the other, and how far that may be off because the"
            " two ends are not read at one moment. Only where both are polled.",
            Query(
                expr=f"cisco_ipsec_tunnel_path_loss_ratio{T}",
                legend="lost, {{direction}}",
            ),
            Query(
                expr=f"cisco_ipsec_tunnel_path_loss_error_ratio{T}",
                legend="may be off by, {{direction}}",
                color=GREY,
            ),
            unit="percentunit",
            steps=LOSS,
            lowest=None,
            none="not known: the other end is not polled, or not for long enough",
        ),
        graph(
            44,
            "Errors",
            "Send errors while up: packets that could not be encrypted; while down: the demand. Receive errors: not decrypted, not"
            " verified, replayed.",
            Query(
                expr=f"rate(cisco_ipsec_tunnel_send_errors_total{T}[$__rate_interval])",
                legend="send",
                color=ORANGE,
            ),
            Query(
                expr=f"rate(cisco_ipsec_tunnel_recv_errors_total{T}[$__rate_interval])",
                legend="receive",
                color=RED,
            ),
            unit="pps",
            steps=ERRORS,
        ),
    ]


def _lifetime() -> list[Placed]:
    return [
        number(
            51,
            "SPI in use",
            "Compare it with `show crypto ipsec sa` of this device and, the other way round, of the other end.",
            Query(
                expr=f"cisco_ipsec_sa_spi{T}",
                legend="{{direction}}",
                unit="hex0x",
                words={0: ("no SA", GREY)},
                steps=COUNTED,
            ),
            size=(6, 6),
        ),
        number(
            52,
            "Predicted expiry",
            "When the seconds or, at the present rate, the kilobytes run out first; the same from now, in seconds.",
            Query(
                expr=f"1000 * cisco_ipsec_tunnel_predicted_expiry_timestamp_seconds{T} {WHILE_UP}",
                legend="at",
                unit="dateTimeAsIso",
                steps=COUNTED,
            ),
            Query(
                expr=f"cisco_ipsec_tunnel_predicted_expiry_timestamp_seconds{T} - time() {WHILE_UP}",
                legend="in",
                unit="s",
                steps=FEW_LEFT,
            ),
            size=(6, 6),
            none="no SA, or never",
        ),
        number(
            53,
            "Since",
            "The last rekey, the last time it went up or down.",
            Query(
                expr=f"time() - cisco_ipsec_tunnel_last_rekey_timestamp_seconds{T}",
                legend="rekeyed",
                unit="s",
            ),
            Query(
                expr=f"time() - cisco_ipsec_tunnel_last_transition_timestamp_seconds{T}",
                legend="up or down",
                unit="s",
            ),
            size=(6, 6),
            steps=COUNTED,
            none="not seen",
        ),
        number(
            54,
            "Lifetime of the SAs",
            "The two limits of each SA; the one that is reached first makes the rekey.",
            Query(expr=f"cisco_ipsec_sa_lifetime_seconds{T}", legend="time", unit="s"),
            Query(expr=f"cisco_ipsec_sa_lifetime_bytes{T}", legend="volume", unit="bytes"),
            size=(6, 6),
            steps=COUNTED,
            none="not said",
        ),
        graph(
            55,
            "Seconds left",
            "Until the SA in use runs out, and until the sooner of time and volume does. Falls to about thirty seconds, then a new SA"
            " begins at the full lifetime; below 0 it is overdue.",
            Query(
                expr=f"cisco_ipsec_sa_expiry_timestamp_seconds{T} - time() {WHILE_UP}",
                legend="{{direction}}",
            ),
            Query(
                expr=f"cisco_ipsec_tunnel_predicted_expiry_timestamp_seconds{T} - time() {WHILE_UP}",
                legend="predicted, time or volume",
                color=YELLOW,
            ),
            unit="s",
            steps=FEW_LEFT_LINE,
            lowest=None,
            tints=DIRECTIONS,
            none="no SA",
        ),
        graph(
            56,
            "Kilobytes left",
            "Of the volume lifetime of the SA in use. A slope that meets 0 long before the seconds do means that the volume"
            " lifetime is too small for this traffic.",
            Query(expr=f"cisco_ipsec_sa_remaining_lifetime_bytes{T}", legend="{{direction}}"),
            unit="bytes",
            tints=DIRECTIONS,
            none="no SA, or no volume lifetime",
        ),
        graph(
            57,
            "SPI",
            "A step is a rekey, 0 is no SA.",
            Query(expr=f"cisco_ipsec_sa_spi{T}", legend="{{direction}}"),
            unit="hex0x",
            tints=DIRECTIONS,
        ),
        graph(
            58,
            "Rekeys by what made them, flaps",
            "time: the lifetime ran out, as it should. volume: the kilobytes did. forced: the other end or an operator."
            " outage: no SA in between.",
            Query(
                expr=f"sum by (trigger) ({counted(f'cisco_ipsec_tunnel_rekeys_total{T}')})",
                legend="{{trigger}}",
            ),
            Query(
                expr=f"sum({counted(f'cisco_ipsec_tunnel_flaps_total{T}')})",
                legend="flaps",
                color=GREY,
            ),
            Query(
                expr=f"sum({counted(f'cisco_ipsec_tunnel_peer_failovers_total{T}')})",
                legend="peer failovers",
                color=BLUE,
            ),
            bars=True,
            stacked=True,
            tints=TRIGGERS,
        ),
    ]


def _extended() -> list[Placed]:
    replays = Steps(GREEN, ((THRESHOLDS.replay_drop_ratio, RED),))
    return [
        timeline(
            71,
            "State",
            "Only with metrics.tier extended: what the tunnel is doing, in one word.",
            Query(
                expr=f"max by (state) (cisco_ipsec_tunnel_state{T} == 1)",
                legend="{{state}}",
                words={1: ("is", BLUE)},
            ),
            size=(24, 6),
            none=NOT_EXTENDED,
        ),
        graph(
            72,
            "Drops by reason",
            "Only with metrics.tier extended, and with details polled.",
            Query(
                expr=f"rate(cisco_ipsec_tunnel_recv_drops_total{T}[$__rate_interval])",
                legend="received, {{reason}}",
            ),
            Query(
                expr=f"rate(cisco_ipsec_tunnel_send_drops_total{T}[$__rate_interval])",
                legend="sent, {{reason}}",
            ),
            unit="pps",
            none=NOT_EXTENDED,
        ),
        graph(
            73,
            "Replayed, of the packets received",
            "Only with metrics.tier extended, and with details polled. Reordering on the way drops packets as replayed; a larger window"
            " helps.",
            Query(
                expr=f'sum(rate(cisco_ipsec_tunnel_recv_drops_total{{{OF_TUNNEL}, reason="replay"}}[$__rate_interval]))'
                f" / sum(rate(cisco_ipsec_tunnel_decaps_packets_total{T}[$__rate_interval]))",
                legend="replayed",
            ),
            unit="percentunit",
            steps=replays,
            none=NOT_EXTENDED,
        ),
        graph(
            74,
            "SAs installed",
            "Only with metrics.tier extended: two in a direction while a rekey overlaps; growth means a leak.",
            Query(expr=f"cisco_ipsec_sas{T}", legend="{{direction}}"),
            none=NOT_EXTENDED,
        ),
        graph(
            75,
            "Path MTU",
            "Only with metrics.tier extended.",
            Query(expr=f"cisco_ipsec_tunnel_path_mtu_bytes{T}", legend="path MTU"),
            unit="bytes",
            none=NOT_EXTENDED,
        ),
    ]
