"""The unit tests of the alert rules as a table, and how promtool wants them written.

Values are promtool's: ``1x4 0x10`` is 1 in the minutes 0 to 4 and 0 in the ten after them. Rules are evaluated each
minute, so "just before" an alert fires is one minute before.
https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

__all__ = ["CASES", "SCENARIOS", "Case", "Scenario", "alerts_file", "scenarios_file"]

Series = tuple[str, str]
"""A series as a selector names it, and its values."""

_SCRAPE = {"instance": "192.0.2.10:9818", "job": "ipsecmon"}
_DEVICE = {**_SCRAPE, "device": "Site1"}
_TUNNEL = {**_DEVICE, "tunnel": "CMAP/10", "peer": "198.51.100.2"}
_KNOWN = {"site": "north", "owner": "network"}
_OTHER_PEER = "198.51.100.9"
_SECOND_MONITOR = "192.0.2.11:9818"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An alert that fires at a minute and is silent one minute before."""

    alert: str
    severity: str
    series: Sequence[Series]
    fires_at: int
    labels: Mapping[str, str]
    what: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Something that happens in a network, and everything that fires at some minutes, by name and number.

    ``device`` is what its device is called, ``name`` says more.
    """

    device: str
    name: str
    series: Sequence[Series]
    firing: Mapping[int, Mapping[str, int]]


def _series(name: str, values: str, labels: Mapping[str, str]) -> Series:
    inner = ",".join(f'{key}="{value}"' for key, value in labels.items())
    return f"{name}{{{inner}}}", values


def _tunnel(what: str, values: str, **more: str) -> Series:
    return _series(f"cisco_ipsec_tunnel_{what}", values, {**_TUNNEL, **more})


def _sa(what: str, values: str) -> tuple[Series, Series]:
    """Of both directions."""
    return (
        _series(f"cisco_ipsec_sa_{what}", values, {**_TUNNEL, "direction": "inbound"}),
        _series(f"cisco_ipsec_sa_{what}", values, {**_TUNNEL, "direction": "outbound"}),
    )


def _lifetime(values: str) -> Series:
    return _series("cisco_ipsec_sa_lifetime_seconds", values, _TUNNEL)


def _ike(what: str, values: str, peer: str = _TUNNEL["peer"]) -> Series:
    labels = {**_DEVICE, "peer": peer, "local_addr": "192.0.2.1"}
    return _series(f"cisco_ike_sa_{what}", values, labels)


def _device(what: str, values: str, **more: str) -> Series:
    return _series(f"cisco_ipsec_device_{what}", values, {**_DEVICE, **more})


def _exporter(what: str, values: str, **more: str) -> Series:
    return _series(f"cisco_ipsec_exporter_{what}", values, {**_SCRAPE, **more})


def _known(minutes: int, **more: str) -> Series:
    return _tunnel("info", f"1x{minutes}", **{**_KNOWN, "vrf": "", **more})


def _option(option: str, values: str, tunnel: str = _TUNNEL["tunnel"]) -> Series:
    labels = {**_DEVICE, "tunnel": tunnel, "option": option}
    return _series("cisco_ipsec_tunnel_option", values, labels)


def _crypto(**negotiated: str) -> Series:
    labels = {**_DEVICE, "tunnel": _TUNNEL["tunnel"], **negotiated}
    return _series("cisco_ipsec_tunnel_crypto_info", "1x80", labels)


def _tunnel_case(
    alert: str,
    severity: str,
    fires_at: int,
    *series: Series,
    what: str = "",
    annotations: Mapping[str, str] | None = None,
    **more: str,
) -> Case:
    return Case(
        alert=alert,
        severity=severity,
        series=(_known(fires_at + 10), *series),
        fires_at=fires_at,
        labels={**_TUNNEL, **_KNOWN, **more},
        what=what,
        annotations=annotations or {},
    )


def _case(
    alert: str,
    severity: str,
    fires_at: int,
    labels: Mapping[str, str],
    *series: Series,
    what: str = "",
    annotations: Mapping[str, str] | None = None,
) -> Case:
    return Case(
        alert=alert,
        severity=severity,
        series=series,
        fires_at=fires_at,
        labels=labels,
        what=what,
        annotations=annotations or {},
    )


_RUNBOOKS = "http://127.0.0.1:9818/runbooks"
_ON_TUNNEL = (
    "http://127.0.0.1:3000/d/ipsecmon-tunnel?var-device=Site1&var-tunnel=CMAP%2F10"  # as a URL
)

_DOWN = (
    _case(
        "CiscoIpsecTunnelDown",
        "critical",
        8,
        _TUNNEL,
        _series("cisco_ipsec_tunnel_info", "1x20", _TUNNEL),
        _tunnel("up", "1x4 0x10"),
        _tunnel("expected", "1x15"),
        what="without site and owner, which the configuration need not name",
    ),
    _tunnel_case(
        "CiscoIpsecTunnelDown",
        "critical",
        8,
        _tunnel("up", "1x4 0x10"),
        _tunnel("expected", "1x15"),
        what="expected",
        annotations={
            "summary": "IPsec tunnel CMAP/10 on Site1 to 198.51.100.2 is down",
            "description": "Look first whether phase 1 to 198.51.100.2 is up: show crypto isakmp sa (IKEv2: show crypto "
            "ikev2 sa). The tunnel must be up, or traffic asks for it, and it has been without SAs for more than 3 minutes.",
            "runbook_url": f"{_RUNBOOKS}/CiscoIpsecTunnelDown",
            "dashboards": _ON_TUNNEL,
        },
    ),
    _tunnel_case(
        "CiscoIpsecTunnelDown",
        "critical",
        8,
        _tunnel("up", "0x15"),
        _tunnel("expected", "0x15"),
        _tunnel("demanded", "0x4 1x10"),
        what="not expected, asked for by traffic",
    ),
    _tunnel_case(
        "CiscoIpsecOnDemandTunnelFailing",
        "warning",
        26,
        _tunnel("up", "0x40"),
        _tunnel("expected", "0x40"),
        _tunnel("send_errors_total", "0 8x8 8+1x30"),
        _tunnel("demanded", "0x10 1x30"),
    ),
    _tunnel_case(
        "CiscoIpsecPhase1Failing",
        "warning",
        10,
        _tunnel("up", "0x20"),
        _tunnel("expected", "1x20"),
        _tunnel("peer_in_use", "1x20"),
        _ike("up", "0x20"),
        _ike("negotiating", "0x4 1x15"),
    ),
    _tunnel_case(
        "CiscoIpsecPhase1Failing",
        "warning",
        10,
        _tunnel("up", "0x20"),
        _tunnel("expected", "1x20"),
        _tunnel("peer_in_use", "1x20"),
        _ike("up", "0x20"),
        _ike("negotiating", "0x4 1 0 0 1 0 0 1x15"),
        what="attempts that end and begin anew",
    ),
    _tunnel_case(
        "CiscoIpsecPhase2DownWhilePhase1Up",
        "warning",
        10,
        _tunnel("up", "0x20"),
        _tunnel("expected", "1x20"),
        _tunnel("peer_in_use", "1x20"),
        _ike("up", "0x4 1x15"),
    ),
)

_TRAFFIC = (
    _tunnel_case(
        "CiscoIpsecOneWayTrafficTransmitOnly",
        "warning",
        24,
        _tunnel("up", "1x40"),
        _tunnel("encaps_packets_total", "0+7x40"),
        _tunnel("decaps_packets_total", "0+7x9 63x30"),
    ),
    _tunnel_case(
        "CiscoIpsecOneWayTrafficReceiveOnly",
        "warning",
        24,
        _tunnel("up", "1x40"),
        _tunnel("decaps_packets_total", "0+7x40"),
        _tunnel("encaps_packets_total", "0+7x9 63x30"),
    ),
    _tunnel_case(
        "CiscoIpsecReplayDrops",
        "warning",
        16,
        _tunnel("recv_drops_total", "0x4 0+6x30", reason="replay"),
        _tunnel("recv_drops_total", "0x40", reason="invalid_sa"),
        _tunnel("decaps_packets_total", "0+600x40"),
    ),
    _tunnel_case(
        "CiscoIpsecReceiveErrors", "warning", 21, _tunnel("recv_errors_total", "0x4 0+12x30")
    ),
    _tunnel_case(
        "CiscoIpsecSendErrors",
        "warning",
        21,
        _tunnel("up", "1x40"),
        _tunnel("send_errors_total", "0x4 0+12x30"),
    ),
    _tunnel_case("CiscoIpsecSpiMismatch", "critical", 10, _tunnel("spi_pair_matched", "1x4 0x10")),
    _tunnel_case(
        "CiscoIpsecPathLoss",
        "warning",
        28,
        _tunnel("path_loss_ratio", "0.005x4 0.03x40", direction="outbound"),
        _tunnel("path_loss_error_ratio", "0.005x45", direction="outbound"),
        direction="outbound",
    ),
)

_LIFETIMES = (
    _tunnel_case(
        "CiscoIpsecPredictedLoss",
        "critical",
        8,
        _tunnel("up", "1x20"),
        _tunnel("predicted_expiry_timestamp_seconds", "7200x20"),
        _tunnel("peer_in_use", "1x20"),
        _ike("up", "1x4 0x15"),
        _ike("negotiating", "0x4 1x15"),
        annotations={
            "summary": "IPsec tunnel CMAP/10 on Site1 to 198.51.100.2 will be lost in 1h 52m 0s",
            "description": "Look first at phase 1 to 198.51.100.2 in show crypto isakmp sa, and whether the peer answers at "
            "all. The tunnel still carries packets; its SA runs out in 1h 52m 0s, and no new one can be negotiated. Phase 1 "
            "has been failing for more than 3 minutes.",
            "runbook_url": f"{_RUNBOOKS}/CiscoIpsecPredictedLoss",
            "dashboards": _ON_TUNNEL,
        },
    ),
    _tunnel_case(
        "CiscoIpsecSaNotRenewed",
        "warning",
        3,
        _tunnel("up", "1x10"),
        _tunnel("encaps_packets_total", "5 6x10"),
        *_sa("remaining_lifetime_seconds", "140 80 20 15x5"),
        what="packets go out",
    ),
    _tunnel_case(
        "CiscoIpsecSaNotRenewed",
        "warning",
        3,
        _tunnel("up", "1x10"),
        _tunnel("decaps_packets_total", "5 6x10"),
        *_sa("remaining_lifetime_seconds", "140 80 20 15x5"),
        what="packets come in",
    ),
    _tunnel_case(
        "CiscoIpsecRekeyOverdue",
        "warning",
        72,
        _tunnel("up", "1x90"),
        _tunnel("last_rekey_timestamp_seconds", "0x90"),
        _device("last_success_timestamp_seconds", "0+60x90"),
        _lifetime("3600x90"),
    ),
    _tunnel_case(
        "CiscoIpsecSaExpiryOverdue",
        "warning",
        7,
        _tunnel("up", "1x20"),
        _tunnel("decaps_packets_total", "0+60x20"),
        *_sa("expiry_timestamp_seconds", "345x20"),
        _device("last_success_timestamp_seconds", "0+60x20"),
    ),
    _tunnel_case(
        "CiscoIpsecSaExpiryOverdue",
        "warning",
        9,
        _tunnel("up", "1x20"),
        _tunnel("encaps_packets_total", "0+60x20"),
        *_sa("expiry_timestamp_seconds", "352x20"),
        _device("last_success_timestamp_seconds", "0 0 120 120 240 240 360 360 480x10"),
        what="at the second reading after the end, 8 seconds are too few",
    ),
    _tunnel_case(
        "CiscoIpsecSaExpiredStillInstalled",
        "warning",
        13,
        _tunnel("up", "1x20"),
        *_sa("expiry_timestamp_seconds", "300x20"),
        _device("last_success_timestamp_seconds", "0+60x20"),
        _device("up", "1x20"),
    ),
    _tunnel_case(
        "CiscoIpsecVolumeLifetimeRekeyStorm",
        "warning",
        12,
        _tunnel("rekeys_total", "0x4 0+1x20", trigger="volume"),
        _tunnel("rekeys_total", "0x30", trigger="time"),
    ),
    _tunnel_case(
        "CiscoIpsecRekeyStorm",
        "warning",
        10,
        _tunnel("rekeys_total", "0x4 0+1x20", trigger="forced"),
        _lifetime("3600x30"),
        what="by the peer",
    ),
    _tunnel_case(
        "CiscoIpsecRekeyStorm",
        "warning",
        10,
        _tunnel("rekeys_total", "0x4 0+1x20", trigger="outage"),
        _tunnel("rekeys_total", "0x25", trigger="forced"),
        _tunnel("expected", "1x25"),
        _lifetime("3600x30"),
        what="after outages of one that must be up, each too short for a flap",
    ),
    _tunnel_case(
        "CiscoIpsecTunnelFlapping",
        "warning",
        25,
        _tunnel("flaps_total", "0x4 1x9 2x9 3x20"),
        _tunnel("expected", "1x50"),
        what="one that must be up, every ten minutes",
    ),
    _tunnel_case(
        "CiscoIpsecTunnelFlapping",
        "warning",
        8,
        _tunnel("flaps_total", "0x4 0+1x10"),
        _tunnel("expected", "0x15"),
        _tunnel("demanded", "0x4 1 0x10"),
        what="one that traffic asked for",
    ),
    _tunnel_case(
        "CiscoIpsecTunnelFlapping",
        "warning",
        8,
        _tunnel("flaps_total", "0x4 0+1x10"),
        _tunnel("expected", "0x15"),
        _tunnel("demanded", "0x15"),
        _tunnel("peer_in_use", "1x15"),
        _ike("up", "1x4 0 1x10"),
        what="one that has nothing to send itself and loses phase 1 as well",
    ),
    _tunnel_case(
        "CiscoIpsecWeakCrypto",
        "info",
        60,
        _tunnel("up", "1x80"),
        _crypto(transform="esp-3des esp-sha-hmac", pfs_group="group14"),
        what="a weak cipher",
    ),
    _tunnel_case(
        "CiscoIpsecWeakCrypto",
        "info",
        60,
        _tunnel("up", "1x80"),
        _crypto(transform="esp-aes 256 esp-sha256-hmac", pfs_group="group2"),
        what="a weak group",
    ),
    *(
        _case(
            "CiscoIkeWeakCrypto",
            "info",
            60,
            {**_DEVICE, "peer": "198.51.100.2"},
            _series(
                "cisco_ike_sa_info",
                "1x80",
                {
                    **_DEVICE,
                    "peer": "198.51.100.2",
                    "encryption": encryption,
                    "hash": of_hash,
                    "dh_group": group,
                },
            ),
            what=f"{encryption}, {of_hash}, group {group}",
        )
        for encryption, of_hash, group in (
            ("3des", "sha", "14"),
            ("aes 256", "md5", "14"),
            ("aes 256", "sha", "5"),
        )
    ),
)


def _of_several(what: str, values: Sequence[str]) -> list[Series]:
    return [_tunnel(what, value, tunnel=f"CMAP/{number}") for number, value in enumerate(values, 1)]


_DEVICES = (
    _case(
        "CiscoIpsecManyTunnelsDown",
        "critical",
        7,
        _DEVICE,
        *_of_several("up", ["1x20"] * 9 + ["1x4 0x15"] * 3),
        *_of_several("expected", ["1x20"] * 12),
    ),
    _case(
        "CiscoIpsecDeviceUnreachable",
        "critical",
        10,
        _DEVICE,
        _device("up", "1x4 0x10"),
        annotations={
            "summary": "Site1 cannot be read",
            "description": "Look first at the reason: ipsecmon check-device Site1 goes through name, port, host key, login "
            "and commands. No poll has been good for more than 5 minutes; its tunnels may be well or not.",
            "runbook_url": f"{_RUNBOOKS}/CiscoIpsecDeviceUnreachable",
            "dashboards": "http://127.0.0.1:3000/d/ipsecmon-device?var-device=Site1",
        },
    ),
    _case(
        "CiscoIpsecDataStale",
        "warning",
        13,
        _DEVICE,
        _device("last_success_timestamp_seconds", "0+60x4 240x30"),
        _device("poll_interval_seconds", "60x40"),
    ),
    _case(
        "CiscoIpsecDeviceAuthFailing",
        "warning",
        5,
        _DEVICE,
        _device("collect_errors_total", "0x4 1x10", reason="auth"),
        _device("up", "1x4 0x10"),
    ),
    _case(
        "CiscoIpsecDeviceHostKeyRefused",
        "critical",
        5,
        _DEVICE,
        _device("collect_errors_total", "0x4 1x10", reason="hostkey"),
        _device("up", "1x4 0x10"),
    ),
    _case(
        "CiscoIpsecParseProblem",
        "warning",
        20,
        _DEVICE,
        _device("unparsed_lines", "0x4 3x30"),
        what="lines that no template understands",
    ),
    _case(
        "CiscoIpsecParseProblem",
        "warning",
        20,
        _DEVICE,
        _device("parse_errors_total", "0x4 1x5 2x5 3x5 4x20", command="show crypto ipsec sa"),
        what="answers that cannot be read, now and then",
    ),
    _case("CiscoIpsecTunnelCountDropped", "warning", 75, _DEVICE, _device("tunnels", "12x64 8x30")),
    _case(
        "CiscoIkeNegotiationsPiling",
        "warning",
        15,
        _DEVICE,
        _series("cisco_ike_sas", "3x4 30x20", {**_DEVICE, "state": "negotiating"}),
    ),
)

_MONITOR = (
    _case("CiscoIpsecExporterDown", "critical", 10, _SCRAPE, _series("up", "1x4 0x10", _SCRAPE)),
    _case(
        "CiscoIpsecExporterAbsent",
        "critical",
        10,
        {"job": "ipsecmon"},
        _series("up", "1x20", {"instance": "192.0.2.10:9090", "job": "prometheus"}),
    ),
    _case(
        "CiscoIpsecCredentialRested",
        "warning",
        5,
        {**_SCRAPE, "credential": "tacacs"},
        _exporter("credential_rested", "0x4 1x5", credential="tacacs"),
        annotations={
            "summary": "ipsecmon at 192.0.2.10:9818 rests the credential tacacs",
            "description": "Look first whether the password was changed or the account is locked. Devices refused the "
            "credential again and again; it rests, so that the account is not locked, and no device that needs it is read "
            "meanwhile.",
            "runbook_url": f"{_RUNBOOKS}/CiscoIpsecCredentialRested",
            "dashboards": "http://127.0.0.1:3000/d/ipsecmon-collector",
        },
    ),
    _case(
        "CiscoIpsecConfigReloadFailed",
        "warning",
        6,
        _SCRAPE,
        _exporter("config_last_reload_successful", "1x4 0x10"),
    ),
    _case(
        "CiscoIpsecSchedulerLag",
        "warning",
        15,
        _SCRAPE,
        _exporter("scheduler_lag_seconds", "1x4 90x20"),
    ),
    _case(
        "CiscoIpsecPollsMissed",
        "warning",
        20,
        _SCRAPE,
        _exporter("polls_total", "0x4 1+1x20", outcome="missed"),
        _exporter("polls_total", "0+5x30", outcome="good"),
    ),
    _case(
        "CiscoIpsecHistoryNotWritable",
        "warning",
        10,
        _SCRAPE,
        _exporter("history_writable", "1x4 0x20"),
    ),
    _case(
        "CiscoIpsecInventorySourceDown",
        "warning",
        15,
        {**_SCRAPE, "source": "netbox"},
        _exporter("inventory_source_up", "1x4 0x20", source="netbox"),
    ),
)

FAMILIES: Mapping[str, tuple[Case, ...]] = {
    "tunnels that are down": _DOWN,
    "traffic of tunnels": _TRAFFIC,
    "lifetimes, rekeys and algorithms": _LIFETIMES,
    "devices": _DEVICES,
    "the monitor itself": _MONITOR,
}
CASES: tuple[Case, ...] = tuple(case for family in FAMILIES.values() for case in family)
"""Every alert at least once."""


def _healthy(minutes: int) -> tuple[Series, ...]:
    """What is the same in every minute of a tunnel that works, and of its device."""
    return (
        _device("poll_interval_seconds", f"60x{minutes}"),
        _device("unparsed_lines", f"0x{minutes}"),
        _device("tunnels", f"40x{minutes}"),
        _known(minutes),
        _lifetime(f"3600x{minutes}"),
    )


def _monitor(instance: str) -> tuple[Series, ...]:
    """A monitor that is well all the time."""
    return tuple(
        (name.replace(_SCRAPE["instance"], instance), values)
        for name, values in (
            _series("up", "1x180", _SCRAPE),
            _exporter("config_last_reload_successful", "1x180"),
            _exporter("history_writable", "1x180"),
            _exporter("scheduler_lag_seconds", "40x180"),
        )
    )


def _read(minutes: int) -> tuple[Series, ...]:
    """Polled each minute with success."""
    return (
        _device("up", f"1x{minutes}"),
        _device("last_success_timestamp_seconds", f"0+60x{minutes}"),
    )


def _carrying(minutes: int) -> tuple[Series, ...]:
    """Packets in both directions through a tunnel that must be up and is."""
    return (
        _tunnel("up", f"1x{minutes}"),
        _tunnel("expected", f"1x{minutes}"),
        _tunnel("demanded", f"0x{minutes}"),
        _tunnel("encaps_packets_total", f"0+6000x{minutes}"),
        _tunnel("decaps_packets_total", f"0+5400x{minutes}"),
        _tunnel("send_errors_total", f"1x{minutes}"),
        _tunnel("recv_errors_total", f"0x{minutes}"),
        _tunnel("flaps_total", f"0x{minutes}"),
    )


def _silent(*minutes: int) -> dict[int, dict[str, int]]:
    """Nothing fires at any of these minutes."""
    return {minute: {} for minute in minutes}


_PHASE_1_UP = (
    _tunnel("peer_in_use", "1x180"),
    _ike("up", "1x180"),
    _ike("negotiating", "0x180"),
)

SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        device="rekeys-by-time",
        name="each some 30 seconds before the end, one of them after phase 1 was renewed",
        series=(
            *_healthy(180),
            *_read(180),
            *_carrying(180),
            _tunnel("peer_in_use", "1x180"),
            _ike("up", "1x90 0 1x88"),
            _ike("negotiating", "0x90 1 0x88"),
            _tunnel("rekeys_total", "0x58 1x58 2x58 3x5", trigger="time"),
            _tunnel("last_rekey_timestamp_seconds", "0x58 3540x58 7080x58 10620x5"),
            *_sa("expiry_timestamp_seconds", "3570x58 7110x58 10650x58 14190x5"),
            *_sa(
                "remaining_lifetime_seconds",
                "3570-60x58 3570-60x58 3570-60x58 3570-60x5",
            ),
            _tunnel("predicted_expiry_timestamp_seconds", "3570x58 7110x58 10650x58 14190x5"),
            _tunnel("spi_pair_matched", "1x57 0 1x121"),
        ),
        firing=_silent(58, 59, 60, 91, 95, 117, 118, 119, 122),
    ),
    Scenario(
        device="rekeys-by-volume",
        name="three an hour, all explained by the traffic",
        series=(
            *_healthy(180),
            *_read(180),
            *_carrying(180),
            *_PHASE_1_UP,
            _tunnel("rekeys_total", "0x19 1x19 2x19 3x19 4x19 5x19 6x19 7x19", trigger="volume"),
            _tunnel("rekeys_total", "0x180", trigger="time"),
            *_sa("expiry_timestamp_seconds", "3600x19 4800x19 6000x19 7200x19 8400x100"),
            _tunnel(
                "predicted_expiry_timestamp_seconds", "1200x19 2400x19 3600x19 4800x19 6000x19"
            ),
        ),
        firing=_silent(19, 20, 40, 70),
    ),
    Scenario(
        device="idle",
        name="an on-demand tunnel that nobody uses any more and that ends with its SA",
        series=(
            *_healthy(60),
            *_read(60),
            _tunnel("up", "1x29 0x30"),
            _tunnel("expected", "0x60"),
            _tunnel("demanded", "0x60"),
            _tunnel("encaps_packets_total", "0+60x25 1500x34"),
            _tunnel("decaps_packets_total", "0+60x25 1500x34"),
            _tunnel("send_errors_total", "1x60"),
            _tunnel("flaps_total", "0x60"),
            _tunnel("peer_in_use", "1x60"),
            _ike("up", "1x40 0x19"),
            _ike("negotiating", "0x60"),
            _tunnel("last_rekey_timestamp_seconds", "0x60"),
            *_sa("expiry_timestamp_seconds", "1800x60"),
            *_sa("remaining_lifetime_seconds", "1755-60x29 0x30"),
            _tunnel("predicted_expiry_timestamp_seconds", "1800x60"),
        ),
        firing=_silent(15, 29, 30, 31, 33, 36, 40, 55),
    ),
    Scenario(
        device="errors-then-idle",
        name="an on-demand tunnel that dropped packets while it was up, and went idle soon after",
        series=(
            *_healthy(60),
            *_read(60),
            _tunnel("up", "1x19 0x40"),
            _tunnel("expected", "0x60"),
            _tunnel("demanded", "0x60"),
            _tunnel("send_errors_total", "0x16 4 8 12 12x40"),
        ),
        firing=_silent(19, 24, 25, 26, 31, 40),
    ),
    Scenario(
        device="woken-now-and-then",
        name="an on-demand tunnel with an idle time, woken every sixth minute",
        series=(
            *_healthy(60),
            *_read(60),
            _tunnel("up", " ".join(["1x1 0x3"] * 10)),
            _tunnel("expected", "0x60"),
            _tunnel("demanded", "0x60"),
            _tunnel("flaps_total", " ".join(f"{count}x5" for count in range(10))),
            _tunnel(
                "rekeys_total", " ".join(f"{count}x5" for count in range(10)), trigger="outage"
            ),
            _tunnel("rekeys_total", "0x60", trigger="time"),
            _tunnel("peer_in_use", "1x60"),
            _ike("up", "1x60"),
        ),
        firing=_silent(10, 25, 31, 40, 55),
    ),
    Scenario(
        device="asked-for-now-and-then",
        name="an on-demand tunnel that a packet asks for every third minute, in vain",
        series=(
            *_healthy(30),
            *_read(30),
            _tunnel("up", "0x30"),
            _tunnel("expected", "0x30"),
            _tunnel("demanded", "0 1 0 0 1 0 0 1 0 0 1 0 0 1 0 0 1 0 0 1"),
            _tunnel("send_errors_total", "0 5 5 5 10 10 10 15 15 15 20 20 20 25 25 25 30 30 30 35"),
        ),
        firing={10: {}, 13: {"CiscoIpsecOnDemandTunnelFailing": 1}},
    ),
    Scenario(
        device="read-every-15-minutes",
        name="tables that a plan reads every 15 minutes, and a rekey in between that is seen late",
        series=(
            _device("poll_interval_seconds", "900x85"),
            _known(85),
            _lifetime("3600x85"),
            _device("up", "1x85"),
            _device(
                "last_success_timestamp_seconds", "0x13 840x14 1740x14 2640x14 3540x14 4440x11"
            ),
            _tunnel("up", "1x85"),
            _tunnel("expected", "1x85"),
            _tunnel("last_rekey_timestamp_seconds", "0x73 4440x11"),
            *_sa("expiry_timestamp_seconds", "3600x73 7170x11"),
        ),
        firing=_silent(13, 58, 66, 71, 73, 85),
    ),
    Scenario(
        device="read-seldom",
        name="polled every ten minutes: one poll that fails is not yet a device that cannot be read",
        series=(
            _device("poll_interval_seconds", "600x40"),
            _device("up", "1x9 0x9 1x20"),
            _device("last_success_timestamp_seconds", "0x19 1200x20"),
            _device("last_attempt_timestamp_seconds", "0x9 600x9 1200x20"),
            _device("collect_errors_total", "0x9 1x30", reason="timeout"),
        ),
        firing=_silent(15, 16, 19, 25),
    ),
    Scenario(
        device="read-seldom-and-dead",
        name="polled every ten minutes: two polls that fail are a device that cannot be read",
        series=(
            _device("poll_interval_seconds", "600x40"),
            _device("up", "1x9 0x30"),
            _device("last_success_timestamp_seconds", "0x40"),
            _device("last_attempt_timestamp_seconds", "0x9 600x9 1200x20"),
            _device("collect_errors_total", "0x9 1x9 2x20", reason="timeout"),
        ),
        firing={24: {}, 25: {"CiscoIpsecDeviceUnreachable": 1}},
    ),
    Scenario(
        device="counted-each-minute",
        name="tables every 15 minutes, counts each minute: that these fail is told as soon as of any device",
        series=(
            _device("poll_interval_seconds", "900x60"),
            _device("up", "1x9 0x50"),
            _device("last_success_timestamp_seconds", "0x60"),
            _device("last_attempt_timestamp_seconds", "0+60x60"),
            _device("collect_errors_total", "0x9 1+1x50", reason="connect"),
        ),
        firing={15: {}, 16: {"CiscoIpsecDeviceUnreachable": 1}},
    ),
    Scenario(
        device="refused-then-dead",
        name="a login was refused once, and some minutes later the device died: that is what is told",
        series=(
            *_healthy(60),
            _device("up", "1x4 0 1x9 0x45"),
            _device("last_success_timestamp_seconds", "0+60x4 240 360+60x9 900x45"),
            _device("last_attempt_timestamp_seconds", "0+60x60"),
            _device("collect_errors_total", "0x4 1x55", reason="auth"),
            _device("collect_errors_total", "0x15 1+1x44", reason="connect"),
        ),
        firing={
            5: {"CiscoIpsecDeviceAuthFailing": 1},
            8: {},
            16: {},
            21: {"CiscoIpsecDeviceUnreachable": 1},
            30: {"CiscoIpsecDeviceUnreachable": 1, "CiscoIpsecDataStale": 1},
        },
    ),
    Scenario(
        device="answer-cut",
        name="one answer cut short",
        series=(
            *_healthy(60),
            _device("up", "1x9 0 1x50"),
            _device("last_success_timestamp_seconds", "0+60x9 540 660+60x50"),
            _device("parse_errors_total", "0x9 1x50", command="show crypto ipsec sa"),
        ),
        firing=_silent(10, 20, 25, 30, 40),
    ),
    Scenario(
        device="reload",
        name="gone for three minutes",
        series=(
            *_healthy(60),
            _device("up", "1x9 0x2 1x40"),
            _device("last_success_timestamp_seconds", "0+60x9 540x2 780+60x40"),
            _device("collect_errors_total", "0x9 1 2 3x41", reason="connect"),
            _tunnel("up", "1x12 0 1x40"),
            _tunnel("expected", "1x60"),
            _tunnel("demanded", "0x12 1 0x40"),
            _tunnel("encaps_packets_total", "0+6000x9 54000x2 0+6000x40"),
            _tunnel("decaps_packets_total", "0+5400x9 48600x2 0+5400x40"),
            _tunnel("send_errors_total", "1x12 5x40"),
            _tunnel("flaps_total", "0x60"),
            _tunnel("rekeys_total", "0x13 1x40", trigger="outage"),
            _tunnel("peer_in_use", "1x60"),
            _ike("up", "1x12 0 1x40"),
            _ike("negotiating", "0x12 1 0x40"),
            *_sa("expiry_timestamp_seconds", "3600x13 4440x40"),
            *_sa("remaining_lifetime_seconds", "3600-60x12 0 3600-60x40"),
            _tunnel("predicted_expiry_timestamp_seconds", "3600x13 4440x40"),
            _tunnel("last_rekey_timestamp_seconds", "0x13 840x40"),
        ),
        firing=_silent(11, 12, 13, 14, 16, 20, 30),
    ),
    Scenario(
        device="dead",
        name="the series of its tunnels end, and only alerts of the device fire",
        series=(
            *_healthy(60),
            _device("up", "1x9 0x50"),
            _device("last_success_timestamp_seconds", "0+60x9 540x50"),
            _device("collect_errors_total", "0x9 1+1x50", reason="connect"),
            _tunnel("up", "1x12 stale"),
            _tunnel("expected", "1x60"),
            _tunnel("demanded", "0x12 stale"),
            _tunnel("encaps_packets_total", "0+6000x9 54000x2 stale"),
            _tunnel("decaps_packets_total", "0+5400x9 48600x2 stale"),
            _tunnel("peer_in_use", "1x12 stale"),
            _ike("up", "0x12 stale"),
            _ike("negotiating", "0x12 stale"),
            *_sa("expiry_timestamp_seconds", "900x12 stale"),
            *_sa("remaining_lifetime_seconds", "900-60x9 360x2 stale"),
            _tunnel("predicted_expiry_timestamp_seconds", "900x12 stale"),
            _tunnel("last_rekey_timestamp_seconds", "0x12 stale"),
        ),
        firing={
            14: {},
            15: {"CiscoIpsecDeviceUnreachable": 1},
            17: {"CiscoIpsecDeviceUnreachable": 1},
            18: {"CiscoIpsecDeviceUnreachable": 1, "CiscoIpsecDataStale": 1},
            50: {"CiscoIpsecDeviceUnreachable": 1, "CiscoIpsecDataStale": 1},
        },
    ),
    Scenario(
        device="login-refused-once",
        name="a login refused once, and the device read again in the next poll",
        series=(
            *_healthy(60),
            _device("up", "1x9 0 1x48"),
            _device("last_success_timestamp_seconds", "0+60x9 540 660+60x48"),
            _device("collect_errors_total", "0x9 1x50", reason="auth"),
        ),
        firing={9: {}, 10: {"CiscoIpsecDeviceAuthFailing": 1}, 12: {}, 30: {}},
    ),
    Scenario(
        device="login-refused-for-long",
        name="the login is told for half an hour after the last refusal, the device as long as it is not read",
        series=(
            _device("up", "1x9 0x50"),
            _device("collect_errors_total", "0x9 1x50", reason="auth"),
        ),
        firing={
            10: {"CiscoIpsecDeviceAuthFailing": 1},
            39: {"CiscoIpsecDeviceAuthFailing": 1, "CiscoIpsecDeviceUnreachable": 1},
            42: {"CiscoIpsecDeviceUnreachable": 1},
        },
    ),
    Scenario(
        device="maintenance",
        name="silent whatever happens to the tunnel, and as usual afterwards",
        series=(
            *_healthy(60),
            *_read(60),
            _option("maintenance", "1x29 stale"),
            _tunnel("up", "1x4 0x55"),
            _tunnel("expected", "1x60"),
            _tunnel("demanded", "0x4 1x55"),
            _tunnel("send_errors_total", "0x4 0+60x55"),
            _tunnel("recv_errors_total", "0x4 0+60x55"),
            _tunnel("flaps_total", "0+1x60"),
            _tunnel("rekeys_total", "0+1x60", trigger="forced"),
            _tunnel("spi_pair_matched", "0x60"),
            _tunnel("peer_in_use", "1x60"),
            _ike("up", "0x60"),
            _ike("negotiating", "1x60"),
        ),
        firing={
            10: {},
            29: {},
            30: {"CiscoIpsecTunnelFlapping": 1, "CiscoIpsecRekeyStorm": 1},
            40: {
                "CiscoIpsecTunnelFlapping": 1,
                "CiscoIpsecRekeyStorm": 1,
                "CiscoIpsecTunnelDown": 1,
                "CiscoIpsecPhase1Failing": 1,
                "CiscoIpsecReceiveErrors": 1,
                "CiscoIpsecSpiMismatch": 1,
            },
        },
    ),
    Scenario(
        device="excluded",
        name="excluded tunnels do not count as many that are down",
        series=(
            *_healthy(30),
            *_read(30),
            *_of_several("up", ["1x30", "0x30", "0x30", "0x30"]),
            *_of_several("expected", ["1x30"] * 4),
            *(
                _series(
                    "cisco_ipsec_tunnel_option",
                    "1x30",
                    {**_DEVICE, "tunnel": f"CMAP/{number}", "option": "excluded"},
                )
                for number in (2, 3, 4)
            ),
        ),
        firing={20: {}},
    ),
    Scenario(
        device="two-of-four",
        name="two tunnels of four are down: not many, for an alert of many silences those that name them",
        series=(
            *_healthy(30),
            *_read(30),
            *(_known(30, tunnel=f"CMAP/{number}") for number in (2, 3, 4)),
            *_of_several("up", ["1x30", "1x30", "1x9 0x20", "1x9 0x20"]),
            *_of_several("expected", ["1x30"] * 4),
        ),
        firing={12: {}, 13: {"CiscoIpsecTunnelDown": 2}, 29: {"CiscoIpsecTunnelDown": 2}},
    ),
    Scenario(
        device="three-of-sixteen",
        name="three tunnels of sixteen that must be up are down: too small a share for many",
        series=(
            *_read(30),
            *_of_several("up", ["1x30"] * 13 + ["0x30"] * 3),
            *_of_several("expected", ["1x30"] * 16),
        ),
        firing=_silent(20),
    ),
    Scenario(
        device="two-monitors",
        name="two monitors of one fleet: each alert once from each",
        series=tuple(
            (name.replace(_SCRAPE["instance"], instance), values)
            for instance in (_SCRAPE["instance"], _SECOND_MONITOR)
            for name, values in (
                *_healthy(60),
                *_read(60),
                _tunnel("up", "1x4 0x55"),
                _tunnel("expected", "1x60"),
                _tunnel("demanded", "0x60"),
                _tunnel("peer_in_use", "1x60"),
                _ike("up", "1x60"),
                _ike("negotiating", "0x60"),
                *_sa("expiry_timestamp_seconds", "3600x60"),
                _tunnel("last_rekey_timestamp_seconds", "0x60"),
            )
        ),
        firing={
            7: {},
            8: {"CiscoIpsecTunnelDown": 2},
            10: {"CiscoIpsecTunnelDown": 2, "CiscoIpsecPhase2DownWhilePhase1Up": 2},
        },
    ),
    Scenario(
        device="failover",
        name="the first peer is still tried in vain, the tunnel lives with the second",
        series=(
            *_healthy(60),
            *_read(60),
            _tunnel("up", "1x29 0x30"),
            _tunnel("expected", "1x60"),
            _tunnel("demanded", "0x60"),
            _tunnel("predicted_expiry_timestamp_seconds", "7200x60"),
            _tunnel("peer_in_use", "0x60"),
            _tunnel("peer_in_use", "1x60", peer=_OTHER_PEER),
            _ike("up", "0x60"),
            _ike("negotiating", "1x60"),
            _ike("up", "1x60", peer=_OTHER_PEER),
            _ike("negotiating", "0x60", peer=_OTHER_PEER),
        ),
        firing={
            29: {},
            33: {"CiscoIpsecTunnelDown": 1},
            40: {"CiscoIpsecTunnelDown": 1, "CiscoIpsecPhase2DownWhilePhase1Up": 1},
        },
    ),
    Scenario(
        device="phase-1-in-vain",
        name="phase 1 is tried once in vain below a tunnel that is up",
        series=(
            *_healthy(30),
            *_read(30),
            *_carrying(30),
            _tunnel("peer_in_use", "1x30"),
            _ike("up", "0x30"),
            _ike("negotiating", "0x9 1 0x19"),
            _tunnel("predicted_expiry_timestamp_seconds", "3000x30"),
        ),
        firing=_silent(10, 12, 13, 14, 20),
    ),
    Scenario(
        device="loss",
        name="within what the readings may be off, and four replays in five thousand packets",
        series=(
            *_healthy(120),
            *_read(120),
            *_carrying(120),
            _tunnel("path_loss_ratio", "0.035x120", direction="outbound"),
            _tunnel("path_loss_error_ratio", "0.02x120", direction="outbound"),
            _tunnel("recv_drops_total", "0+4x120", reason="replay"),
        ),
        firing=_silent(20, 30, 40, 50),
    ),
    Scenario(
        device="read-every-30-minutes",
        name="a device polled every half hour: an SA that ran out since is not known to be in use still",
        series=(
            _known(120),
            _lifetime("3600x120"),
            _device("up", "1x120"),
            _device("poll_interval_seconds", "1800x120"),
            _device("last_success_timestamp_seconds", "0x29 1800x29 3600x29 5400x29"),
            *_carrying(120),
            *_sa("expiry_timestamp_seconds", "1900x59 5470x59"),
            _tunnel("last_rekey_timestamp_seconds", "0x59 3600x59"),
        ),
        firing=_silent(40, 50, 59, 69, 89),
    ),
    Scenario(
        device="down-now-and-then",
        name="a tunnel that must be up goes down every twenty minutes: not yet flapping",
        series=(
            *_healthy(60),
            *_read(60),
            _tunnel("up", "1x60"),
            _tunnel("expected", "1x60"),
            _tunnel("flaps_total", "0x4 1x19 2x19 3x14"),
        ),
        firing=_silent(25, 45, 55),
    ),
    Scenario(
        device="small",
        name="four tunnels of eight removed, 15 IKE SAs under way: too few to say anything",
        series=(
            _device("up", "1x90"),
            _device("tunnels", "8x64 4x25"),
            _series("cisco_ike_sas", "15x90", {**_DEVICE, "state": "negotiating"}),
        ),
        firing=_silent(30, 80),
    ),
    Scenario(
        device="left-behind",
        name="tunnels that nobody needs went down and left their numbers behind",
        series=(
            *_healthy(40),
            *_read(40),
            _known(40, tunnel="CMAP/20"),
            _tunnel("up", "1x3 0x36"),
            _tunnel("up", "1x3 0x36", tunnel="CMAP/20"),
            _tunnel("expected", "0x40"),
            _tunnel("demanded", "0x40"),
            _tunnel("encaps_packets_total", "0+60x3 180x36"),
            _tunnel("decaps_packets_total", "0x40"),
            _tunnel("encaps_packets_total", "0x40", tunnel="CMAP/20"),
            _tunnel("decaps_packets_total", "0+60x3 180x36", tunnel="CMAP/20"),
            _tunnel("send_errors_total", "0x3 0+60x36"),
            _tunnel("peer_in_use", "1x40"),
            _ike("up", "0x40"),
            _ike("negotiating", "0x3 1x36"),
            _tunnel("predicted_expiry_timestamp_seconds", "180x40"),
            _tunnel("last_rekey_timestamp_seconds", "-4000x40"),
            *_sa("expiry_timestamp_seconds", "180x40"),
            *_sa("remaining_lifetime_seconds", "180-60x2 15x37"),
        ),
        firing=_silent(4, 5, 6, 8, 12, 20, 35),
    ),
    Scenario(
        device="asked-for",
        name="a tunnel that traffic asks for all the time: first phase 1 fails, then phase 2",
        series=(
            *_healthy(40),
            *_read(40),
            _tunnel("up", "0x40"),
            _tunnel("expected", "0x40"),
            _tunnel("demanded", "1x40"),
            _tunnel("peer_in_use", "1x40"),
            _ike("up", "0x19 1x20"),
            _ike("negotiating", "1x40"),
        ),
        firing={
            3: {"CiscoIpsecTunnelDown": 1},
            5: {"CiscoIpsecTunnelDown": 1, "CiscoIpsecPhase1Failing": 1},
            26: {"CiscoIpsecTunnelDown": 1, "CiscoIpsecPhase2DownWhilePhase1Up": 1},
        },
    ),
    Scenario(
        device="trickle",
        name="five packets a minute one way are too few to tell, and a second IKE SA that does not come up is no loss",
        series=(
            *_healthy(60),
            *_read(60),
            _tunnel("up", "1x60"),
            _tunnel("expected", "1x60"),
            _tunnel("encaps_packets_total", "0+5x60"),
            _tunnel("decaps_packets_total", "7x60"),
            _tunnel("peer_in_use", "1x60"),
            _ike("up", "1x60"),
            _ike("negotiating", "1x60"),
            _tunnel("predicted_expiry_timestamp_seconds", "5000x60"),
        ),
        firing=_silent(20, 40),
    ),
    Scenario(
        device="one-way",
        name="a tunnel for syslog that only ever sends, and one that only receives",
        series=(
            *_healthy(60),
            *_read(60),
            _option("unidirectional", "1x60"),
            _tunnel("up", "1x60"),
            _tunnel("expected", "1x60"),
            _tunnel("encaps_packets_total", "0+600x60"),
            _tunnel("decaps_packets_total", "0x60"),
            _known(60, tunnel="CMAP/20"),
            _option("unidirectional", "1x60", tunnel="CMAP/20"),
            _tunnel("up", "1x60", tunnel="CMAP/20"),
            _tunnel("encaps_packets_total", "0x60", tunnel="CMAP/20"),
            _tunnel("decaps_packets_total", "0+600x60", tunnel="CMAP/20"),
        ),
        firing={30: {}, 59: {}},
    ),
)
"""Whole stories; what is not named does not fire."""


def alerts_file() -> str:
    """``dashboards/rules/tests/alerts.yml``.

    Cases of a family share a test, each on a device and a monitor of its own, because promtool pays by the minute. What
    looks at all devices at once has a test of its own: whole lists with annotations, and the absence of a job.
    """
    tests: list[dict[str, Any]] = []
    for about, family in FAMILIES.items():
        alone = [case for case in family if case.annotations or "instance" not in case.labels]
        tests.extend(_test(_title(case), [case]) for case in alone)
        tests.append(_test(about, [case for case in family if case not in alone]))
    return _file("each alert, silent just before and firing just after", tests)


def scenarios_file() -> str:
    """``dashboards/rules/tests/scenarios.yml``: all in one test, each on a device of its own.

    The first of the two monitors misses one poll; that alone is no alert.
    """
    inputs = _inputs([*_monitor(_SCRAPE["instance"]), *_monitor(_SECOND_MONITOR)])
    inputs += _inputs([_exporter("polls_total", "0x4 1x175", outcome="missed")])
    expected = [_firing("", minute, {}) for minute in (10, 19, 20, 60, 120)]
    for scenario in SCENARIOS:
        named = ((_on(scenario.device, name), values) for name, values in scenario.series)
        inputs += _inputs(list(named))
        expected += [_firing(scenario.device, *step) for step in scenario.firing.items()]
    about = "".join(f"\n#   {one.device}: {one.name}" for one in SCENARIOS)
    test = {"interval": "1m", "input_series": inputs, "promql_expr_test": expected}
    return _file(f"what happens in networks, and all that fires{about}", [test])


def _on(device: str, series: str) -> str:
    return series.replace('device="Site1"', f'device="{device}"')


def _firing(device: str, minute: int, alerts: Mapping[str, int]) -> dict[str, Any]:
    """All that fires of this device; of none, if it has no name."""
    return {
        "expr": f'count by (alertname) (ALERTS{{alertstate="firing",device="{device}"}})',
        "eval_time": f"{minute}m",
        "exp_samples": [
            {"labels": f'{{alertname="{name}"}}', "value": count}
            for name, count in sorted(alerts.items())
        ],
    }


def _file(about: str, tests: list[dict[str, Any]]) -> str:
    head = f"# Tests of the rules: {about}\n# Written from tests/rule_cases.py by `make golden`; run with promtool test rules.\n"
    document = {"rule_files": ["../ipsecmon.yml"], "evaluation_interval": "1m", "tests": tests}
    return head + yaml.safe_dump(document, sort_keys=False, width=4096, allow_unicode=True)


def _inputs(series: Sequence[Series]) -> list[dict[str, str]]:
    return [{"series": name, "values": values} for name, values in series]


def _title(case: Case) -> str:
    return f"{case.alert}: {case.what}" if case.what else case.alert


def _test(name: str, cases: Sequence[Case]) -> dict[str, Any]:
    inputs: list[dict[str, str]] = []
    expected: list[dict[str, Any]] = []
    whole: list[dict[str, Any]] = []
    for number, case in enumerate(cases, 1):
        inputs += _inputs([(_renamed(one, number), values) for one, values in case.series])
        labels = {key: _renamed(value, number) for key, value in case.labels.items()}
        expected += _silent_then_firing(case, labels)
        if case.annotations:
            whole.append(_whole(case, labels))
    test = {"name": name, "interval": "1m", "input_series": inputs, "promql_expr_test": expected}
    return {**test, "alert_rule_test": whole} if whole else test


def _renamed(text: str, number: int) -> str:
    return text.replace("Site1", f"Site{number}").replace("192.0.2.10:", f"192.0.2.{9 + number}:")


def _silent_then_firing(case: Case, labels: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    own = {key: labels[key] for key in ("device", "instance", "job") if key in labels}
    of_case = {"alertname": case.alert, "alertstate": "firing"}
    expression, _ = _series("ALERTS", "", {**of_case, **own})
    sample, _ = _series("ALERTS", "", {**of_case, "severity": case.severity, **labels})
    before, after = f"{case.fires_at - 1}m", f"{case.fires_at}m"
    yield {"expr": expression, "eval_time": before, "exp_samples": []}
    fired = {"labels": sample, "value": 1}
    yield {"expr": expression, "eval_time": after, "exp_samples": [fired]}


def _whole(case: Case, labels: Mapping[str, str]) -> dict[str, Any]:
    """All alerts of this name, with their annotations."""
    fired = {
        "exp_labels": {"severity": case.severity, **labels},
        "exp_annotations": dict(case.annotations),
    }
    return {"eval_time": f"{case.fires_at}m", "alertname": case.alert, "exp_alerts": [fired]}
