"""The alerts about ipsecmon itself: a monitor that is silent because it is broken looks like good news."""

from __future__ import annotations

from functools import partial

from ipsecmon.alerting.rules import Alert, Board, Group, Severity, alert
from ipsecmon.alerting.thresholds import Thresholds
from ipsecmon.alerting.timescale import Timescale, spoken

__all__ = ["monitor_group"]

_alert = partial(alert, Board.COLLECTOR)

_MONITOR = "ipsecmon at {{ $labels.instance }}"


def monitor_group(thresholds: Thresholds, timescale: Timescale) -> Group:
    """Whether it is there, then whether it does its work."""
    return Group(
        name="ipsecmon-monitor",
        rules=(*_scraped(thresholds, timescale), *_working(thresholds, timescale)),
    )


def _scraped(t: Thresholds, s: Timescale) -> tuple[Alert, ...]:
    return (
        _alert(
            "CiscoIpsecExporterDown",
            Severity.CRITICAL,
            "ipsecmon does not answer Prometheus.",
            f'up{{job="{t.job}"}} == 0',
            s.hold(t.exporter_down_for),
            f"{_MONITOR} does not answer",
            "Look first whether its process runs and what its log says last. Prometheus has not been able to scrape it for more "
            f"than {spoken(t.exporter_down_for)}; nobody watches the tunnels that only it reads.",
        ),
        _alert(
            "CiscoIpsecExporterAbsent",
            Severity.CRITICAL,
            "No ipsecmon is scraped at all.",
            f'absent(up{{job="{t.job}"}})',
            s.hold(t.exporter_absent_for),
            "No ipsecmon is scraped",
            f"Look first at the targets of Prometheus: none has the job {t.job}. It has been so for more than "
            f"{spoken(t.exporter_absent_for)}; no tunnel is watched.",
        ),
    )


def _working(t: Thresholds, s: Timescale) -> tuple[Alert, ...]:
    return (
        _alert(
            "CiscoIpsecCredentialRested",
            Severity.WARNING,
            "A credential is not used for a while because devices refused it again and again.",
            "cisco_ipsec_exporter_credential_rested == 1",
            s.hold(0),
            f"{_MONITOR} rests the credential {{{{ $labels.credential }}}}",
            "Look first whether the password was changed or the account is locked. Devices refused the credential again and "
            "again; it rests, so that the account is not locked, and no device that needs it is read meanwhile.",
        ),
        _alert(
            "CiscoIpsecConfigReloadFailed",
            Severity.WARNING,
            "The configuration on disk has mistakes; the one before is in use.",
            "cisco_ipsec_exporter_config_last_reload_successful == 0",
            s.hold(t.reload_failed_for),
            f"{_MONITOR} cannot use its new configuration",
            "Look first at what ipsecmon check-config says: it names file, line and key of every mistake. The configuration of "
            "before stays in use until they are corrected.",
        ),
        _alert(
            "CiscoIpsecSchedulerLag",
            Severity.WARNING,
            "Polls begin late, because all workers are busy.",
            f"cisco_ipsec_exporter_scheduler_lag_seconds > {t.scheduler_lag_seconds:g}",
            s.hold(t.scheduler_lag_for),
            f"{_MONITOR} polls {{{{ $value | humanizeDuration }}}} late",
            "Look first at the duration of polls and at devices that time out: they hold the workers. Polls have begun more "
            f"than {spoken(t.scheduler_lag_seconds)} late for more than {spoken(t.scheduler_lag_for)}.",
        ),
        _alert(
            "CiscoIpsecPollsMissed",
            Severity.WARNING,
            "Polls are left out, because the one before is not done.",
            f"""\
sum without (outcome) (
  increase(cisco_ipsec_exporter_polls_total{{outcome="missed"}}[{s.window(t.polls_missed_window)}])
) > 0""",
            s.hold(t.polls_missed_for),
            f"{_MONITOR} misses polls",
            "Look first at devices whose polls take longer than their interval: the dashboard lists the slowest. "
            '{{ $value | printf "%.0f" }} polls were missed in '
            f"{spoken(t.polls_missed_window)}, and it has been going on for more than {spoken(t.polls_missed_for)}.",
        ),
        _alert(
            "CiscoIpsecHistoryNotWritable",
            Severity.WARNING,
            "Events cannot be written to the history.",
            "cisco_ipsec_exporter_history_writable == 0",
            s.hold(t.history_for),
            f"{_MONITOR} cannot write its history",
            "Look first whether the disk is full or the file belongs to somebody else. Tunnels are still watched; events "
            "are lost, and what is remembered of the tunnels does not outlive a restart.",
        ),
        _alert(
            "CiscoIpsecInventorySourceDown",
            Severity.WARNING,
            "A source of devices cannot be read; its last devices are kept.",
            "cisco_ipsec_exporter_inventory_source_up == 0",
            s.hold(t.source_down_for),
            f"{_MONITOR} cannot read the inventory source {{{{ $labels.source }}}}",
            "Look first at what ipsecmon inventory says of this source. Its devices stay as they were read last; new ones do "
            f"not come in. It has been so for more than {spoken(t.source_down_for)}.",
        ),
    )
