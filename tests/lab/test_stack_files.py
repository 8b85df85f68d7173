"""What of the shipped configuration changes for an emulated network: addresses, intervals, receivers, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from ipsecmon.lab.stack_files import (
    StackFileError,
    alertmanager_configuration,
    prometheus_configuration,
)
from ipsecmon.lab.unpacked import runnable_alertmanager
from ipsecmon.lab.webhook import Notification, WebhookReceiver

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
ADDRESSES = {
    "ipsecmon": "127.0.0.1:1",
    "prometheus": "127.0.0.1:2",
    "alertmanager": "127.0.0.1:3",
}


def prometheus_of(path: Path) -> dict[str, Any]:
    text = prometheus_configuration(
        path,
        targets=ADDRESSES,
        alertmanager=ADDRESSES["alertmanager"],
        rules=Path("/rules.yml"),
        interval_seconds=0.5,
    )
    configuration: dict[str, Any] = yaml.safe_load(text)
    return configuration


def alertmanager_of(path: Path) -> dict[str, Any]:
    text = alertmanager_configuration(path, webhook_url="http://127.0.0.1:4/", speed=30)
    configuration: dict[str, Any] = yaml.safe_load(text)
    return configuration


def test_every_job_of_the_shipped_prometheus_is_scraped_on_loopback() -> None:
    configuration = prometheus_of(DEPLOY / "prometheus.yml")

    jobs = {job["job_name"]: job["static_configs"] for job in configuration["scrape_configs"]}
    assert jobs["ipsecmon"] == [{"targets": ["127.0.0.1:1"]}]
    assert configuration["global"]["scrape_interval"] == "500ms"
    assert configuration["alerting"]["alertmanagers"] == [
        {"static_configs": [{"targets": ["127.0.0.1:3"]}]}
    ]


def test_inhibition_and_grouping_stay_as_they_are_shipped() -> None:
    shipped = yaml.safe_load((DEPLOY / "alertmanager.yml").read_text(encoding="utf-8"))

    configuration = alertmanager_of(DEPLOY / "alertmanager.yml")

    assert configuration["inhibit_rules"] == shipped["inhibit_rules"]
    assert configuration["route"]["group_by"] == shipped["route"]["group_by"]
    assert [route["matchers"] for route in configuration["route"]["routes"]] == [
        route["matchers"] for route in shipped["route"]["routes"]
    ]


def test_waits_of_alertmanager_shrink_with_lab_time() -> None:
    configuration = alertmanager_of(DEPLOY / "alertmanager.yml")

    assert configuration["route"]["group_wait"] == "1s"
    assert configuration["route"]["group_interval"] == "10s"


def test_every_receiver_becomes_the_webhook() -> None:
    configuration = alertmanager_of(DEPLOY / "alertmanager.yml")

    for receiver in configuration["receivers"]:
        assert set(receiver) == {"name", "webhook_configs"}
        assert receiver["webhook_configs"][0]["url"] == "http://127.0.0.1:4/"


def test_a_job_that_the_lab_does_not_have_is_named(tmp_path: Path) -> None:
    path = tmp_path / "prometheus.yml"
    path.write_text("scrape_configs: [{job_name: snmp}]\n", encoding="utf-8")

    with pytest.raises(StackFileError, match="found the job 'snmp', expected one of ipsecmon"):
        prometheus_of(path)


def test_a_folder_without_the_files_is_named(tmp_path: Path) -> None:
    with pytest.raises(StackFileError, match=r"expected the folder deploy/"):
        alertmanager_of(tmp_path / "alertmanager.yml")


def test_a_duration_that_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "alertmanager.yml"
    path.write_text(
        "route: {receiver: one, group_wait: soon}\nreceivers: [{name: one}]\n", encoding="utf-8"
    )

    with pytest.raises(StackFileError, match="'soon' is not a duration"):
        alertmanager_of(path)


def test_an_installed_alertmanager_is_run_as_it_is(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "alertmanager"

    assert runnable_alertmanager(str(program), tmp_path) == str(program)


def test_an_unpacked_alertmanager_reads_its_templates_from_its_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ipsecmon.lab.unpacked._TEMPLATES", Path("/usr/share/not-installed/am"))
    program = tmp_path / "usr" / "bin" / "alertmanager"
    program.parent.mkdir(parents=True)
    program.write_bytes(b"before /usr/share/not-installed/am behind")
    templates = tmp_path / "usr" / "share" / "not-installed" / "am"
    templates.mkdir(parents=True)
    for name in ("default.tmpl", "email.tmpl"):
        (templates / name).write_text(name, encoding="utf-8")
    folder = tmp_path / "run"
    folder.mkdir()

    copy = Path(runnable_alertmanager(str(program), folder))

    assert copy.parent == folder
    assert copy.read_bytes() == b"before ." + b"/" * 26 + b" behind"
    assert (folder / "email.tmpl").read_text(encoding="utf-8") == "email.tmpl"


def test_the_webhook_remembers_what_alertmanager_posts() -> None:
    alert = {
        "status": "firing",
        "labels": {"alertname": "CiscoIpsecTunnelDown", "device": "hub"},
        "annotations": {"summary": "down"},
        "startsAt": "2026-01-01T00:00:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
    }
    sent = {"receiver": "critical", "groupLabels": {"device": "hub"}, "alerts": [alert]}
    told: list[Notification] = []

    with WebhookReceiver(told.append) as receiver:
        requests.post(receiver.url, data=json.dumps(sent), timeout=5).raise_for_status()
        refused = requests.post(receiver.url, data="{}", timeout=5)

        assert refused.status_code == 400
        assert [one.alerts[0].name for one in receiver.notifications] == ["CiscoIpsecTunnelDown"]
        assert tuple(told) == receiver.notifications
