"""``deploy/prometheus.yml`` and ``deploy/alertmanager.yml``: what is scraped, who is told, and what is left out.

The inhibition is proven on a running Alertmanager: for every pair of alerts, whether the one silences the other.
"""

from __future__ import annotations

import itertools
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests
import yaml

from deploy_checks import PORTS
from ipsecmon.alerting.rule_file import alerts
from ipsecmon.alerting.rules import Board
from ipsecmon.alerting.thresholds import THRESHOLDS
from ipsecmon.lab.server_process import start_server
from ipsecmon.lab.unpacked import runnable_alertmanager

DEPLOY = Path(__file__).parents[2] / "deploy"
PROMETHEUS = DEPLOY / "prometheus.yml"
ALERTMANAGER = DEPLOY / "alertmanager.yml"

ALERTS = {alert.name for alert in alerts()}
OF_TUNNELS = {alert.name for alert in alerts() if alert.board is Board.TUNNEL}
ONE_WAY = {"CiscoIpsecOneWayTrafficTransmitOnly", "CiscoIpsecOneWayTrafficReceiveOnly"}
UNREAD = OF_TUNNELS | {"CiscoIpsecDeviceUnreachable", "CiscoIpsecDataStale"}

# What an alert silences of the same device, and what of the same tunnel.
ON_DEVICE: dict[str, set[str]] = {
    "CiscoIpsecDeviceAuthFailing": UNREAD,
    "CiscoIpsecDeviceHostKeyRefused": UNREAD,
    "CiscoIpsecDeviceUnreachable": OF_TUNNELS | {"CiscoIpsecDataStale"},
    "CiscoIpsecDataStale": OF_TUNNELS,
    "CiscoIpsecManyTunnelsDown": {
        "CiscoIpsecTunnelDown",
        "CiscoIpsecOnDemandTunnelFailing",
        "CiscoIpsecPhase1Failing",
        "CiscoIpsecPhase2DownWhilePhase1Up",
        "CiscoIpsecPredictedLoss",
        "CiscoIpsecSaNotRenewed",
    },
}
ON_TUNNEL: dict[str, set[str]] = {
    "CiscoIpsecTunnelDown": ONE_WAY
    | {
        "CiscoIpsecSpiMismatch",
        "CiscoIpsecPathLoss",
        "CiscoIpsecOnDemandTunnelFailing",
        "CiscoIpsecSendErrors",
        "CiscoIpsecPredictedLoss",
        "CiscoIpsecSaNotRenewed",
    },
    "CiscoIpsecSpiMismatch": ONE_WAY | {"CiscoIpsecPathLoss"},
    **{name: {"CiscoIpsecPathLoss"} for name in ONE_WAY},
    "CiscoIpsecTunnelFlapping": {"CiscoIpsecRekeyStorm"},
    "CiscoIpsecSaExpiredStillInstalled": {
        "CiscoIpsecSaExpiryOverdue",
        "CiscoIpsecRekeyOverdue",
        "CiscoIpsecSaNotRenewed",
    },
    "CiscoIpsecSaExpiryOverdue": {"CiscoIpsecSaNotRenewed"},
}


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 # checkers, with our own files
        command, capture_output=True, text=True, timeout=50, check=False
    )


def uncommented(path: Path) -> str:
    """The file with the settings in its comments, such as ``# - url: ...``, made real; sentences stay comments."""
    setting = re.compile(r"^( *)# ( *)(- )?(\w+:(?: .*)?)$", re.MULTILINE)
    return setting.sub(r"\1\2\3\4", path.read_text(encoding="utf-8"))


class TestPrometheus:
    def test_promtool_accepts_it(self, promtool: str) -> None:
        checked = run(promtool, "check", "config", PROMETHEUS)

        assert (checked.returncode, checked.stderr) == (0, "")
        assert "1 rule files found" in checked.stdout

    def test_promtool_accepts_what_is_commented_out_and_refuses_mistakes(
        self, promtool: str, tmp_path: Path
    ) -> None:
        changed = tmp_path / "prometheus.yml"
        text = uncommented(PROMETHEUS)
        assert set(
            re.findall(r"^ +(sample_limit|http_sd_configs|external_labels)", text, re.MULTILINE)
        ) == {
            "sample_limit",
            "http_sd_configs",
            "external_labels",
        }
        changed.write_text(text, encoding="utf-8")

        assert run(promtool, "check", "config", changed).returncode == 0

        changed.write_text(text.replace("scrape_timeout: 10s", "scrape_timeout: 20s"), "utf-8")
        assert run(promtool, "check", "config", changed).returncode != 0

    def test_it_asks_each_service_of_the_compose_file_at_its_port(self) -> None:
        document = yaml.safe_load(PROMETHEUS.read_text(encoding="utf-8"))
        targets = {
            job["job_name"]: [
                target for static in job["static_configs"] for target in static["targets"]
            ]
            for job in document["scrape_configs"]
        }
        alertmanagers = document["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"]

        assert targets == {
            name: [f"{name}:{PORTS[name]}"] for name in ("ipsecmon", "prometheus", "alertmanager")
        }
        assert alertmanagers == targets["alertmanager"]

    def test_the_rules_look_for_its_job_and_link_to_what_the_compose_file_publishes(self) -> None:
        document = yaml.safe_load(PROMETHEUS.read_text(encoding="utf-8"))

        assert document["scrape_configs"][0]["job_name"] == THRESHOLDS.job
        assert THRESHOLDS.runbooks == f"http://127.0.0.1:{PORTS['ipsecmon']}/runbooks"
        assert THRESHOLDS.grafana == f"http://127.0.0.1:{PORTS['grafana']}"

    def test_it_finds_the_rules_in_the_repository_and_in_the_container(self) -> None:
        document = yaml.safe_load(PROMETHEUS.read_text(encoding="utf-8"))
        compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
        mounted = compose["services"]["prometheus"]["volumes"]

        assert document["rule_files"] == ["rules/*.yml", "../dashboards/rules/*.yml"]
        assert (DEPLOY / "../dashboards/rules").is_dir()
        assert "../dashboards/rules:/etc/prometheus/rules:ro" in mounted
        assert "./prometheus.yml:/etc/prometheus/prometheus.yml:ro" in mounted


class TestRouting:
    def test_amtool_accepts_it(self, amtool: str) -> None:
        checked = run(amtool, "check-config", ALERTMANAGER)

        assert checked.returncode == 0, checked.stderr

    def test_amtool_accepts_the_receivers_that_are_commented_out_and_refuses_mistakes(
        self, amtool: str, tmp_path: Path
    ) -> None:
        changed = tmp_path / "alertmanager.yml"
        text = uncommented(ALERTMANAGER)
        assert {"pagerduty_configs", "opsgenie_configs", "email_configs"} <= set(
            re.findall(r"^ +(\w+_configs):", text, re.MULTILINE)
        )
        changed.write_text(text, encoding="utf-8")

        assert run(amtool, "check-config", changed).returncode == 0

        changed.write_text(text.replace("receiver: critical", "receiver: nobody"), "utf-8")
        assert run(amtool, "check-config", changed).returncode != 0

    @pytest.mark.parametrize(
        ("severity", "receiver"),
        [
            ("critical", "critical"),
            ("warning", "warning"),
            ("info", "info"),
            ("unheard-of", "warning"),
        ],
    )
    def test_each_severity_has_its_receiver(
        self, amtool: str, severity: str, receiver: str
    ) -> None:
        alert = (f"severity={severity}", "alertname=CiscoIpsecTunnelDown", "device=Site1")

        tested = run(amtool, "config", "routes", "test", f"--config.file={ALERTMANAGER}", *alert)

        assert tested.stdout.split() == [receiver]

    def test_a_device_is_one_message_in_every_route(self) -> None:
        route = yaml.safe_load(ALERTMANAGER.read_text(encoding="utf-8"))["route"]

        assert route["group_by"] == ["device"]
        assert all("group_by" not in child for child in route["routes"])
        assert all("continue" not in child for child in route["routes"])

    def test_the_names_in_it_are_alerts(self) -> None:
        text = ALERTMANAGER.read_text(encoding="utf-8")

        assert set(re.findall(r"Cisco\w+", text)) <= ALERTS


class Pair(NamedTuple):
    """Two alerts that fire together on a device that has no others."""

    source: str
    target: str
    is_same_tunnel: bool

    @property
    def is_silenced(self) -> bool:
        if self.target in ON_DEVICE.get(self.source, ()):
            return True
        return self.is_same_tunnel and self.target in ON_TUNNEL.get(self.source, ())

    def alerts(self, device: str) -> Iterator[dict[str, Any]]:
        for name, tunnel in (
            (self.source, "A"),
            (self.target, "A" if self.is_same_tunnel else "B"),
        ):
            labels = {"alertname": name, "device": device, "severity": "warning"}
            if name in OF_TUNNELS:
                labels["tunnel"] = tunnel
            yield {"labels": labels}


class TestInhibition:
    @pytest.fixture
    def url(self, alertmanager: str, tmp_path: Path) -> Iterator[str]:
        text = ALERTMANAGER.read_text(encoding="utf-8")
        # nothing is to be sent within this test
        (tmp_path / "alertmanager.yml").write_text(
            re.sub(r"group_wait: \w+", "group_wait: 1h", text), encoding="utf-8"
        )
        program = runnable_alertmanager(alertmanager, tmp_path)
        server = start_server(
            "alertmanager",
            lambda address: [
                program,
                f"--config.file={tmp_path / 'alertmanager.yml'}",
                f"--storage.path={tmp_path / 'data'}",
                f"--web.listen-address={address}",
                "--cluster.listen-address=",
            ],
            tmp_path / "alertmanager.log",
        )
        try:
            yield server.url
        finally:
            server.end()

    def test_each_alert_silences_what_it_explains_and_nothing_else(self, url: str) -> None:
        names = sorted(ALERTS)
        pairs = {
            f"device-{number}": Pair(*one)
            for number, one in enumerate(itertools.product(names, names, (True, False)))
            if one[0] != one[1]
        }
        alerts = [alert for device, pair in pairs.items() for alert in pair.alerts(device)]

        requests.post(f"{url}/api/v2/alerts", json=alerts, timeout=30).raise_for_status()
        silenced = {
            (alert["labels"]["device"], alert["labels"]["alertname"])
            for alert in requests.get(f"{url}/api/v2/alerts", timeout=30).json()
            if alert["status"]["inhibitedBy"]
        }

        wrong = [
            pair
            for device, pair in pairs.items()
            if ((device, pair.target) in silenced) is not pair.is_silenced
        ]
        assert wrong == []
        assert len(silenced) > len(OF_TUNNELS)

    def test_the_alerts_of_another_device_stay(self, url: str) -> None:
        alerts = [
            {"labels": {"alertname": "CiscoIpsecDeviceUnreachable", "device": "Site1"}},
            *(
                {"labels": {"alertname": "CiscoIpsecTunnelDown", "device": device, "tunnel": "A"}}
                for device in ("Site1", "Site2")
            ),
        ]

        requests.post(f"{url}/api/v2/alerts", json=alerts, timeout=30).raise_for_status()
        inhibited = requests.get(f"{url}/api/v2/alerts?inhibited=true&active=false", timeout=30)

        assert [alert["labels"]["device"] for alert in inhibited.json()] == ["Site1"]
