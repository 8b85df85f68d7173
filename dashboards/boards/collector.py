"""ipsecmon itself: whether it keeps up, what fails, what it costs."""

from __future__ import annotations

from boards.layout import Board, Mark, Section
from boards.panels import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    RED,
    Column,
    Placed,
    Query,
    Steps,
    graph,
    heat,
    number,
    rows,
    writing,
)
from boards.phrases import ANY, COUNTED, STALE, alerts, counted
from boards.variables import COLLECTOR, TO_DEVICE, datasource, instance
from ipsecmon.alerting.thresholds import THRESHOLDS

__all__ = ["board"]

OF = '{instance=~"$instance"}'
OURS = f"and on (instance) cisco_ipsec_exporter_build_info{OF}"
LAG = Steps(GREEN, ((THRESHOLDS.scheduler_lag_seconds, RED),))

ABOUT = """**Is the monitor itself to be trusted?** Polls begin when they are due, or they are late: *lateness* says by how much, separately for \
devices with an open session (living) and those that must log in first (login).
*Polls by outcome*: good ones, failed ones (the device's fault), skipped ones (the device rests after failures), missed ones (ours: \
too few workers, or an interval shorter than a poll).
A *credential at rest* is not used any more because devices refused it again and again: that protects its account from being locked."""


def board() -> Board:
    return Board(
        name="collector",
        uid=COLLECTOR,
        title="IPsec collector",
        about="ipsecmon itself: lateness, failures by reason, sessions, cost.",
        variables=[datasource(), instance()],
        top=[writing(1, "How to read this", ABOUT, size=(24, 4)), *_now()],
        sections=[
            Section(id=20, title="Polling", panels=_polling()),
            Section(id=30, title="Failures", panels=_failures()),
            Section(id=40, title="Logins, credentials and host keys", panels=_logins()),
            Section(id=50, title="History and inventory", panels=_history()),
            Section(id=60, title="What it costs", panels=_cost()),
            Section(id=70, title="Devices", panels=[_devices()]),
        ],
        marks=[
            Mark("Alerts", RED, alerts(labels=', tunnel="", device=""'), "{{alertname}}"),
            Mark(
                "Restarts",
                BLUE,
                f"changes(process_start_time_seconds{OF}[$__rate_interval]) > 0 {OURS}",
                "ipsecmon was restarted",
                "{{instance}}",
            ),
        ],
    )


def _now() -> list[Placed]:
    return [
        number(
            2,
            "ipsecmon answers",
            "Instances of ipsecmon that Prometheus can scrape, and those it cannot.",
            Query(expr=f"count(up{OF} == 1 {OURS})", legend="answer"),
            Query(
                expr=f"count(up{OF} == 0 and on (instance) max_over_time(cisco_ipsec_exporter_build_info{OF}[1d])) or vector(0)",
                legend="do not",
                steps=ANY,
            ),
            steps=Steps(RED, ((1, GREEN),)),
        ),
        number(
            3,
            "Newest poll late by",
            "How late the newest poll began because all workers were busy.",
            Query(expr=f"max(cisco_ipsec_exporter_scheduler_lag_seconds{OF})"),
            unit="s",
            steps=LAG,
        ),
        number(
            4,
            "Polls missed in an hour",
            "Not begun in time, or the one before still ran.",
            Query(expr=f"sum(round(increase(cisco_ipsec_exporter_jobs_missed_total{OF}[1h])))"),
            steps=ANY,
        ),
        number(
            5,
            "Configuration",
            "Whether the configuration in use is the one that is written.",
            Query(expr=f"min(cisco_ipsec_exporter_config_last_reload_successful{OF})"),
            words={0: ("has mistakes", RED), 1: ("in use", GREEN)},
            none="no file",
        ),
        number(
            6,
            "History",
            "Whether events can be written to the history.",
            Query(expr=f"min(cisco_ipsec_exporter_history_writable{OF})"),
            words={0: ("not writable", RED), 1: ("writable", GREEN)},
            none="not kept",
        ),
        number(
            7,
            "Credentials at rest",
            "Not used because devices refused them again and again.",
            Query(expr=f"sum(cisco_ipsec_exporter_credential_rested{OF})"),
            steps=ANY,
            none="none used yet",
        ),
    ]


def _polling() -> list[Placed]:
    buckets = f"rate(cisco_ipsec_exporter_poll_lateness_seconds_bucket{OF}[$__rate_interval])"
    return [
        graph(
            21,
            "Lateness of polls",
            "Half of the polls begin sooner than the lower line says, all but one in a hundred sooner than the upper.",
            *(
                Query(
                    expr=f"histogram_quantile({share}, sum by (le, lane) ({buckets}))",
                    legend=f"{{{{lane}}}}, {said}",
                )
                for share, said in (("0.5", "half"), ("0.99", "99 of 100"))
            ),
            unit="s",
            steps=LAG,
        ),
        heat(
            22,
            "Lateness of all polls",
            "How many polls a second began how late: dark is few.",
            Query(expr=f"sum by (le) ({buckets})", legend="{{le}}"),
            unit="s",
        ),
        graph(
            23,
            "Polls by outcome",
            "Per second. Skipped: the device rests after failures. Missed: ours to mend.",
            Query(
                expr=f"sum by (outcome) (rate(cisco_ipsec_exporter_polls_total{OF}[$__rate_interval]))",
                legend="{{outcome}}",
            ),
            unit="ops",
            stacked=True,
            tints={"good": GREEN, "failed": RED, "skipped": GREY, "missed": ORANGE},
        ),
        graph(
            24,
            "Polls under way, sessions open",
            "Polls running now, and sessions kept open between polls.",
            Query(
                expr=f"sum by (instance) (cisco_ipsec_exporter_collections_in_flight{OF})",
                legend="polls under way {{instance}}",
            ),
            Query(
                expr=f"sum by (instance) (cisco_ipsec_exporter_sessions_open{OF})",
                legend="sessions open {{instance}}",
            ),
        ),
    ]


def _failures() -> list[Placed]:
    return [
        graph(
            31,
            "Failed polls by reason",
            "Of all devices. auth and hostkey are configuration; connect, timeout and closed the way there.",
            Query(
                expr=f"sum by (reason) ({counted(f'cisco_ipsec_device_collect_errors_total{OF}')}) > 0",
                legend="{{reason}}",
            ),
            bars=True,
            stacked=True,
            none="no poll failed",
        ),
        rows(
            32,
            "Devices that failed in the last hour",
            "Failed polls of each device by reason.",
            [
                Column(field="device", title="device", links=(TO_DEVICE,)),
                Column(field="reason", title="reason"),
                Column(field="Value", title="failed polls"),
            ],
            Query(
                expr=f"topk(50, sum by (device, reason) (round(increase(cisco_ipsec_device_collect_errors_total{OF}[1h]))) > 0)"
            ),
            size=(12, 8),
            sort="failed polls",
            none="no poll failed",
        ),
    ]


def _logins() -> list[Placed]:
    return [
        graph(
            41,
            "Logins",
            "What a AAA server sees of us, those that led to no session, and how long polls waited for leave to log in.",
            Query(
                expr=f"sum({counted(f'cisco_ipsec_exporter_logins_total{OF}')})",
                legend="begun",
                color=BLUE,
            ),
            Query(
                expr=f"sum({counted(f'cisco_ipsec_exporter_logins_failed_total{OF}')})",
                legend="failed",
                color=RED,
            ),
            Query(
                expr=f"sum({counted(f'cisco_ipsec_exporter_login_wait_seconds_total{OF}')})",
                legend="waited",
                unit="s",
                color=GREY,
            ),
            size=(8, 8),
            bars=True,
        ),
        rows(
            42,
            "Credentials",
            "By the name they have in the configuration, never what they are.",
            [
                Column(field="credential", title="credential"),
                Column(
                    field="Value #A",
                    title="state",
                    words={0: ("in use", GREEN), 1: ("at rest", RED)},
                ),
                Column(field="Value #B", title="refused", steps=Steps(GREEN, ((1, ORANGE),))),
            ],
            Query(expr=f"max by (credential) (cisco_ipsec_exporter_credential_rested{OF})"),
            Query(
                expr=f"sum by (credential) (cisco_ipsec_exporter_credential_rejections_total{OF})"
            ),
            size=(8, 8),
            none="none used yet",
        ),
        number(
            43,
            "Host keys are checked",
            "strict: only known keys. tofu: the first one is believed. off: protects against nobody.",
            Query(
                expr=f"max by (mode) (cisco_ipsec_exporter_host_key_checking{OF} == 1)",
                legend="{{mode}}",
                words={1: ("in force", BLUE)},
            ),
            Query(
                expr=f"sum(cisco_ipsec_exporter_host_keys_unverified{OF})",
                legend="devices with an unverified key",
                steps=Steps(GREEN, ((1, ORANGE),)),
            ),
            size=(8, 8),
        ),
    ]


def _history() -> list[Placed]:
    return [
        graph(
            51,
            "Events written",
            "To the history, and writes that failed.",
            Query(
                expr=f"sum({counted(f'cisco_ipsec_exporter_history_events_total{OF}')})",
                legend="events",
            ),
            Query(
                expr=f"sum({counted(f'cisco_ipsec_exporter_history_write_errors_total{OF}')})",
                legend="failed writes",
                color=RED,
            ),
            size=(8, 8),
            bars=True,
            none="no history is kept",
        ),
        graph(
            52,
            "Size of the history",
            "On disk; old events are removed as configured.",
            Query(
                expr=f"max by (instance) (cisco_ipsec_exporter_history_size_bytes{OF})",
                legend="{{instance}}",
            ),
            size=(8, 8),
            unit="bytes",
            none="no history is kept",
        ),
        rows(
            53,
            "Inventory sources",
            "Where devices come from. One that cannot be read keeps its last devices.",
            [
                Column(field="source", title="source"),
                Column(
                    field="Value #A", title="read", words={0: ("fails", RED), 1: ("yes", GREEN)}
                ),
                Column(field="Value #B", title="devices"),
                Column(field="Value #C", title="left out", steps=Steps(GREEN, ((1, ORANGE),))),
            ],
            Query(expr=f"min by (source) (cisco_ipsec_exporter_inventory_source_up{OF})"),
            Query(expr=f"max by (source) (cisco_ipsec_exporter_inventory_devices{OF})"),
            Query(expr=f"max by (source) (cisco_ipsec_exporter_inventory_hosts_left_out{OF})"),
            size=(8, 8),
            none="no configuration file",
        ),
    ]


def _cost() -> list[Placed]:
    return [
        graph(
            63,
            "CPU",
            "Of one core; above 100% more than one was busy.",
            Query(
                expr=f"rate(process_cpu_seconds_total{OF}[$__rate_interval]) {OURS}",
                legend="{{instance}}",
            ),
            size=(8, 8),
            unit="percentunit",
            none="its host has no /proc to tell",
        ),
        graph(
            64,
            "Memory",
            "What ipsecmon occupies; a line that rises for days is a leak.",
            Query(expr=f"process_resident_memory_bytes{OF} {OURS}", legend="{{instance}}"),
            size=(8, 8),
            unit="bytes",
            none="its host has no /proc to tell",
        ),
        number(
            65,
            "Process",
            "Since when ipsecmon runs, and its open files and sockets: each session takes one; at the limit no session can be opened"
            " and no page served.",
            Query(
                expr=f"time() - max(process_start_time_seconds{OF} {OURS})",
                legend="started ago",
                unit="s",
            ),
            Query(expr=f"max(process_open_fds{OF} {OURS})", legend="files open"),
            Query(
                expr=f"max(process_open_fds{OF} / process_max_fds{OF} {OURS})",
                legend="of those allowed",
                unit="percentunit",
            ),
            size=(8, 8),
            steps=COUNTED,
            none="its host has no /proc to tell",
        ),
        graph(
            61,
            "Duration of a scrape",
            "What Prometheus waits for /metrics; the snapshot is rendered before it asks.",
            Query(expr=f"scrape_duration_seconds{OF} {OURS}", legend="{{instance}}"),
            unit="s",
        ),
        graph(
            62,
            "Samples of a scrape",
            "Before relabelling; sample_limit of Prometheus must be above it.",
            Query(expr=f"scrape_samples_scraped{OF} {OURS}", legend="{{instance}}"),
        ),
    ]


def _devices() -> Placed:
    return rows(
        71,
        "How each device is read",
        "Oldest data first; the age is in poll intervals.",
        [
            Column(field="device", title="device", links=(TO_DEVICE,)),
            Column(field="instance", title="instance"),
            Column(field="Value #A", title="read", words={0: ("no", RED), 1: ("yes", GREEN)}),
            Column(field="Value #B", title="age, intervals", decimals=1, steps=STALE),
            Column(field="Value #C", title="poll takes", unit="s"),
            Column(field="Value #D", title="polled every", unit="s"),
            Column(field="Value #E", title="failed in an hour", steps=ANY),
            Column(field="Value #F", title="lines not understood", steps=ANY),
            Column(field="Value #G", title="CPU", unit="percent", steps=COUNTED),
        ],
        Query(expr=f"max by (instance, device) (cisco_ipsec_device_up{OF})"),
        Query(
            expr=f"max by (instance, device) ((time() - cisco_ipsec_device_last_success_timestamp_seconds{OF})"
            f" / cisco_ipsec_device_poll_interval_seconds{OF})"
        ),
        Query(expr=f"max by (instance, device) (cisco_ipsec_device_collect_duration_seconds{OF})"),
        Query(expr=f"max by (instance, device) (cisco_ipsec_device_poll_interval_seconds{OF})"),
        Query(
            expr=f"sum by (instance, device) (round(increase(cisco_ipsec_device_collect_errors_total{OF}[1h])))"
        ),
        Query(expr=f"max by (instance, device) (cisco_ipsec_device_unparsed_lines{OF})"),
        Query(expr=f"max by (instance, device) (cisco_ipsec_device_cpu_percent{OF})"),
        size=(24, 10),
        sort="age, intervals",
    )
