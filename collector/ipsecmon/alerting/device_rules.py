"""The alerts about devices: many tunnels at a time, and whether a device can be read at all."""

from __future__ import annotations

from functools import partial

from ipsecmon.alerting.rules import Alert, Board, Group, Record, Severity, alert, indented
from ipsecmon.alerting.thresholds import Thresholds
from ipsecmon.alerting.timescale import Timescale, duration, spoken
from ipsecmon.alerting.tunnel_rules import NOT_WATCHED

__all__ = ["device_group"]

_alert = partial(alert, Board.DEVICE)

_DEVICE = "on (instance, device)"

# of the tunnels that can be read: those of a dead device are neither up nor down
_EXPECTED = f"""\
cisco_ipsec_tunnel_up
and on (instance, device, tunnel) cisco_ipsec_tunnel_expected == 1
unless on (instance, device, tunnel) {NOT_WATCHED}"""


def device_group(thresholds: Thresholds, timescale: Timescale) -> Group:
    """What the alerts need first, then the alerts."""
    return Group(
        name="ipsecmon-devices",
        rules=(
            *_shares(),
            _many_down(thresholds, timescale),
            *_unread(thresholds, timescale),
            *_readings(thresholds, timescale),
        ),
    )


def _shares() -> tuple[Record, ...]:
    return (
        Record(
            name="device:cisco_ipsec_tunnel_up_per_expected:ratio",
            expression=f"avg by (instance, job, device) (\n{indented(_EXPECTED)}\n)",
        ),
        Record(
            name="device:cisco_ipsec_tunnel_expected:count",
            expression=f"count by (instance, job, device) (\n{indented(_EXPECTED)}\n)",
        ),
    )


def _many_down(t: Thresholds, s: Timescale) -> Alert:
    return _alert(
        "CiscoIpsecManyTunnelsDown",
        Severity.CRITICAL,
        "Many of the tunnels of a device that must be up are down.",
        f"""\
device:cisco_ipsec_tunnel_up_per_expected:ratio < {t.many_down_ratio:g}
and {_DEVICE} count by (instance, device) (
  (
{indented(indented(_EXPECTED))}
  ) == 0
) >= {t.many_down_fewest:g}""",
        s.hold(t.many_down_for),
        "Many IPsec tunnels of {{ $labels.device }} are down: only {{ $value | humanizePercentage }} of those that must be up "
        "are up",
        "Look first at what the tunnels have in common: the outside interface of {{ $labels.device }}, its route to the peers, "
        f"and a change of its configuration. {t.many_down_fewest:g} or more are down, and less than "
        f"{100 * t.many_down_ratio:g}% have been up for more than "
        f"{spoken(t.many_down_for)}.",
    )


def _refused(reason: str, t: Thresholds) -> str:
    """Until the device is read again: an alert that outlives its cause would go on silencing those of the tunnels.

    One that has failed for another reason since is unreachable rather than refusing: that is the louder alert, and this one
    would silence it. The windows are of the clock at any pace: how long ipsecmon rests after a refusal is.
    """
    errors = "cisco_ipsec_device_collect_errors_total"
    return f"""\
sum without (reason) (
  increase({errors}{{reason="{reason}"}}[{duration(t.auth_window)}])
) > 0
and {_DEVICE} cisco_ipsec_device_up == 0
unless {_DEVICE} sum by (instance, device) (
  increase({errors}{{reason!="{reason}"}}[{duration(t.auth_window / 2)}])
) > 0"""


def _failed_once(t: Thresholds, s: Timescale) -> str:
    """One bad poll of a device that is polled so seldom that the next comes too late to say otherwise."""
    slow = t.device_unreachable_for / s.speed / 2
    return f"""\
unless {_DEVICE} (
  cisco_ipsec_device_last_attempt_timestamp_seconds - cisco_ipsec_device_last_success_timestamp_seconds
    < 1.5 * (cisco_ipsec_device_poll_interval_seconds > {slow:g})
  and {_DEVICE} sum by (instance, device) (
    increase(cisco_ipsec_device_collect_errors_total[{s.window(3600)}])
  ) < 1.5
)"""


def _unread(t: Thresholds, s: Timescale) -> tuple[Alert, ...]:
    return (
        _alert(
            "CiscoIpsecDeviceUnreachable",
            Severity.CRITICAL,
            "A device cannot be read, so nothing is known of its tunnels.",
            f"cisco_ipsec_device_up == 0\n{_failed_once(t, s)}",
            s.hold(t.device_unreachable_for),
            "{{ $labels.device }} cannot be read",
            "Look first at the reason: ipsecmon check-device {{ $labels.device }} goes through name, port, host key, login and "
            f"commands. No poll has been good for more than {spoken(t.device_unreachable_for)}; its tunnels may be well or not.",
        ),
        _alert(
            "CiscoIpsecDataStale",
            Severity.WARNING,
            "What is shown of a device is old.",
            f"""\
time() - cisco_ipsec_device_last_success_timestamp_seconds
> {_DEVICE} group_left ()
  {t.stale_intervals:g} * cisco_ipsec_device_poll_interval_seconds""",
            s.hold(t.stale_for),
            "What is known of {{ $labels.device }} is {{ $value | humanizeDuration }} old",
            "Look first whether polls fail or are late: the dashboard shows errors by reason and lateness. The last good "
            "reading is {{ $value | humanizeDuration }} old, more than "
            f"{t.stale_intervals:g} intervals.",
        ),
        _alert(
            "CiscoIpsecDeviceAuthFailing",
            Severity.WARNING,
            "The login to a device fails.",
            _refused("auth", t),
            s.hold(0),
            "We cannot log in to {{ $labels.device }}",
            "Look first at the log of ipsecmon for {{ $labels.device }}: it says whether the device refused the login, the "
            "credential rests, or the secret could not be had. After a refusal go on with the log of the AAA server: account "
            "locked, expired, or a changed password. The device has not been read since.",
        ),
        _alert(
            "CiscoIpsecDeviceHostKeyRefused",
            Severity.CRITICAL,
            "A device shows a host key that is not the one we know.",
            _refused("hostkey", t),
            s.hold(0),
            "{{ $labels.device }} shows an unknown host key",
            "Look first whether the device was replaced or its keys were made anew; otherwise somebody may be in between. "
            "Compare the fingerprint at its console, then: ipsecmon hostkeys trust {{ $labels.device }}.",
        ),
    )


def _readings(t: Thresholds, s: Timescale) -> tuple[Alert, ...]:
    hour_before = f"cisco_ipsec_device_tunnels offset {s.window(3600)}"
    return (
        _alert(
            "CiscoIpsecParseProblem",
            Severity.WARNING,
            "Answers of a device are not understood.",
            f"""\
cisco_ipsec_device_unparsed_lines > 0
or sum without (command) (
  increase(cisco_ipsec_device_parse_errors_total[{s.window(t.parse_window)}])
) > 0""",
            s.hold(t.parse_for),
            "Answers of {{ $labels.device }} are not fully understood",
            "Look first at what was not understood: ipsecmon poll {{ $labels.device }} shows the lines. It has been so for more "
            f"than {spoken(t.parse_for)}, so a new release of the device's software is likelier than a broken line.",
        ),
        _alert(
            "CiscoIpsecTunnelCountDropped",
            Severity.WARNING,
            "A device lists far fewer tunnels than an hour before.",
            f"""\
cisco_ipsec_device_tunnels < {t.count_dropped_ratio:g} * ({hour_before})
and ({hour_before}) >= {t.count_dropped_fewest:g}""",
            s.hold(t.count_dropped_for),
            "{{ $labels.device }} lists only {{ $value }} tunnels, far fewer than an hour ago",
            "Look first whether somebody removed crypto map entries or an access list: show crypto map. The device lists less "
            f"than {100 * t.count_dropped_ratio:g}% of the tunnels it listed an hour before.",
        ),
        _alert(
            "CiscoIkeNegotiationsPiling",
            Severity.WARNING,
            "Many IKE negotiations of a device are under way and do not end.",
            f"""\
sum without (state) (cisco_ike_sas{{state="negotiating"}}) > {t.negotiations:g}""",
            s.hold(t.negotiations_for),
            "{{ $value }} IKE negotiations pile up on {{ $labels.device }}",
            "Look first at show crypto call admission statistics and at the CPU: a storm of peers that try anew feeds itself. "
            f"More than {t.negotiations:g} IKE SAs have been negotiating for more than {spoken(t.negotiations_for)}.",
        ),
    )
