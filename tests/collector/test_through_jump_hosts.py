"""Devices behind jump hosts, by both transports, from the configuration to the metrics."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from ipsecmon.config import load_config
from ipsecmon.lab.ssh import Lab
from ipsecmon.lab.topology import two_sites
from ipsecmon.model import Reason
from ipsecmon.poller import Poller


@pytest.fixture
def lab() -> Generator[Lab]:
    with Lab(two_sites(), warm_up=60) as running:
        running.add_jump_host("outer", "jump", "jump-lab")
        running.add_jump_host("inner", "jump", "jump-lab")
        yield running


def poller(lab: Lab, folder: Path, transport: str, password: str = "jump-lab") -> Poller:  # noqa: S107 # of the lab
    (folder / "known_hosts").write_text(lab.known_hosts)
    outer, inner = (lab.jump_hosts[name] for name in ("outer", "inner"))
    devices = "\n".join(
        f"  - {{name: {name}, host: {host}, port: {port}, platform: ios, credentials: lab}}"
        for name, (host, port) in lab.endpoints.items()
    )
    file = folder / "ipsecmon.yml"
    file.write_text(
        f"""\
host_keys: {{known_hosts: known_hosts}}
history: {{path: off}}
ssh: {{transport: {transport}, jump: inner}}
credentials:
  lab: {{username: monitor, password: monitor-lab, enable: enable-lab}}
  jump: {{username: jump, password: {password}}}
jump_hosts:
  outer: {{host: {outer[0]}, port: {outer[1]}, credentials: jump}}
  inner: {{host: {inner[0]}, port: {inner[1]}, credentials: jump, via: outer}}
devices:
{devices}
"""
    )
    file.chmod(0o600)
    return Poller(load_config(file))


@pytest.mark.parametrize("transport", ["napalm", "asyncssh"])
def test_devices_behind_a_chain_share_one_login_to_each_jump_host(
    transport: str, lab: Lab, tmp_path: Path
) -> None:
    polling = poller(lab, tmp_path, transport)
    try:
        results = [polling.poll(name) for name in ("Site1", "Site2", "Site1")]
    finally:
        polling.close()

    assert [result.error for result in results] == [None] * 3
    assert [lab.logins(name) for name in ("outer", "inner")] == [1, 1]


@pytest.mark.parametrize("transport", ["napalm", "asyncssh"])
def test_a_jump_host_that_refuses_is_named_and_the_credential_of_the_devices_does_not_rest(
    transport: str, lab: Lab, tmp_path: Path
) -> None:
    polling = poller(lab, tmp_path, transport, password="wrong")
    try:
        error = polling.poll("Site1").error
        rested = polling.breaker.rejections()
    finally:
        polling.close()

    assert error is not None
    assert error.reason is Reason.AUTH
    assert "jump host 'outer'" in error.cause
    assert rested.get("lab", 0) == 0
