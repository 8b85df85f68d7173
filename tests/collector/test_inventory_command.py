"""``ipsecmon inventory`` and ``check-config``: which devices there are, and what is wrong with their sources."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ipsecmon.cli import main

MAIN = """\
host_keys: {known_hosts: known_hosts}
credentials: {lab: {username: monitor, password: {env: LAB}}}
defaults: {platform: ios, credentials: lab}
jump_hosts: {hop: {host: 198.51.100.1, credentials: lab}}
groups: {branches: {interval: 2m, jump: hop, ssh_profile: legacy, port: 2222}}
inventory:
  - {file_sd: targets.json}
devices:
  - {name: Site1, host: 192.0.2.1}
"""
GOOD = '[{"targets": ["192.0.2.2"], "labels": {"name": "Site2", "groups": "branches"}}]'
BAD = '[{"targets": ["192.0.2.2"], "labels": {"name": "Site2", "platform": "junos"}}]'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a configuration."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAB", "planted")
    Path("ipsecmon.yml").write_text(MAIN)
    Path("targets.json").write_text(GOOD)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_a_table_for_people() -> None:
    shown = run("inventory")

    assert shown.stdout == (
        "DEVICE  ADDRESS         PLATFORM  EVERY  BY               THROUGH  LOGIN  GROUPS    FROM\n"
        "Site1   192.0.2.1       ios       1m     napalm/modern    -        lab    -         ipsecmon.yml\n"
        "Site2   192.0.2.2:2222  ios       2m     asyncssh/legacy  hop      lab    branches  targets.json\n"
    )
    assert shown.stderr == ""
    assert shown.exit_code == 0


def test_all_settings_in_json() -> None:
    document = json.loads(run("inventory", "--json").stdout)

    assert document["devices"][1] == {
        "name": "Site2",
        "source": "targets.json",
        "host": "192.0.2.2",
        "port": 2222,
        "platform": "ios",
        "groups": ["branches"],
        "credentials": "lab",
        "transport": "asyncssh",
        "ssh_profile": "legacy",
        "jumps": ["hop"],
        "persistent": True,
        "max_session_age": 86400.0,
        "interval": 120.0,
        "timeout": 60.0,
        "read_timeout": 30.0,
        "connect_timeout": 10.0,
        "stale_after": 360.0,
        "plan": {"tables": 120.0, "configuration": 3600.0},
        "cpu_limit": None,
    }
    assert (document["left_out"], document["failed"]) == ([], {})


def test_what_is_left_out_is_said_and_ends_with_1() -> None:
    Path("targets.json").write_text(BAD)
    shown = run("inventory", "--json")

    reason = "platform: found 'junos', accepted: ios, iosxe, asa"
    assert json.loads(shown.stdout)["left_out"] == [
        {"source": "targets.json", "name": "Site2", "reason": reason}
    ]
    assert shown.stderr == f"ipsecmon: targets.json: Site2 is left out: {reason}\n"
    assert shown.exit_code == 1


def test_a_mistake_is_told_as_everywhere() -> None:
    Path("ipsecmon.yml").write_text(MAIN.replace("2m", "never"))
    shown = run("inventory")

    assert "ipsecmon.yml:5:21: groups.branches.interval: found 'never'" in shown.stderr
    assert shown.exit_code == 2


def test_check_config_asks_the_sources_too() -> None:
    Path("ipsecmon.yml").write_text(MAIN.replace("{known_hosts: known_hosts}", "{check: off}"))
    Path("targets.json").write_text("{")
    shown = run("check-config")

    assert "ipsecmon.yml: targets.json: targets.json:1: neither JSON nor YAML: " in shown.stderr
    assert shown.exit_code == 2


def test_a_device_of_a_source_has_its_host_key_looked_for() -> None:
    Path("known_hosts").write_text("")

    assert (
        "no host key for [192.0.2.2]:2222, so Site2 will be refused" in run("check-config").stderr
    )
