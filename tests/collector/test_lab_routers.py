"""Odd, old and guarded routers of the lab, jump hosts, many devices, and what the lab remembers of its visitors."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import asyncssh
import paramiko
import pytest

from ipsecmon.lab.serve import many_routers
from ipsecmon.lab.ssh import Lab
from ipsecmon.lab.topology import Topology, two_sites
from ipsecmon_parsers.records import IkeSaCount, IpsecSaCount, Platform
from ipsecmon_parsers.registry import parse
from lab_client import Terminal, connect, terminal

IPSEC = "show crypto ipsec sa"
ISAKMP = "show crypto isakmp sa"
ODD_PROMPT = "R1(hub)[a.b]*x+?$#"


def site1_with(**fields: Any) -> Topology:
    described = two_sites().model_dump()
    described["routers"][0].update(fields)
    return Topology.model_validate(described)


def play(session: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(session, 30))


async def greeting(lab: Lab, mark: str) -> tuple[Terminal, asyncssh.SSHClientConnection, str]:
    connection = await connect(lab)
    process = await connection.create_process(term_type="vt100", encoding=None)
    opened = Terminal(process)
    return opened, connection, await opened.until(mark)


# odd


@pytest.mark.parametrize(
    "prompt", [ODD_PROMPT, "very-long-hostname-for-a-vpn-hub-router-in-dc1-rack42"]
)
def test_a_prompt_is_of_the_routers_choosing(prompt: str) -> None:
    async def session(lab: Lab) -> None:
        async with terminal(lab, prompt=prompt) as opened:
            assert "QM_IDLE" in await opened.ask(ISAKMP, f"\r\n{prompt}#")

    with Lab(site1_with(prompt=prompt), warm_up=60) as lab:
        play(session(lab))


def test_banners_come_before_the_password_and_before_the_first_prompt() -> None:
    shown: list[str] = []

    class Client(asyncssh.SSHClient):
        def auth_banner_received(self, msg: str, lang: str) -> None:  # noqa: ARG002 - asyncssh calls it so
            shown.append(msg)

    async def session(lab: Lab) -> None:
        async with connect(lab, client_factory=Client) as connection:
            process = await connection.create_process(term_type="vt100", encoding=None)
            seen = await Terminal(process).until("\r\nSite1>")
            assert "\r\nSite1#\r\nSite2>\r\n" in seen

    banner = "Site1#\nSite2>\nrouter(config)#"
    with Lab(site1_with(banner_login="Login > or else #\n", banner_motd=banner)) as lab:
        play(session(lab))
    assert shown == ["Login > or else #\n"]


def test_a_router_may_let_in_with_privilege_at_once() -> None:
    async def session(lab: Lab) -> None:
        _, connection, seen = await greeting(lab, "Site1#")
        assert seen.endswith("\r\nSite1#")
        connection.close()

    with Lab(site1_with(login_privilege=15)) as lab:
        play(session(lab))


@pytest.mark.parametrize(
    ("enable", "typed", "said"),
    [
        ("unset", "enable\r", "% No password set\r\nSite1>"),
        ("refused", "enable\renable-lab\r", "% Error in authentication.\r\n\r\nSite1>"),
    ],
)
def test_enable_may_lead_nowhere(enable: str, typed: str, said: str) -> None:
    async def session(lab: Lab) -> None:
        opened, connection, _ = await greeting(lab, "Site1>")
        opened.type(typed)
        await opened.until(said)
        connection.close()

    with Lab(site1_with(enable=enable)) as lab:
        play(session(lab))


# old

# the old key exchanges are what is spoken here; the library that computes them would rather see them gone
old_key_exchanges = pytest.mark.filterwarnings(
    "ignore:Diffie-Hellman over finite fields:cryptography.utils.CryptographyDeprecationWarning"
)

LEGACY = {
    "kex_algs": "+diffie-hellman-group1-sha1,diffie-hellman-group14-sha1,diffie-hellman-group-exchange-sha1",
    "encryption_algs": "+aes128-cbc,3des-cbc",
    "server_host_key_algs": "+ssh-rsa",
}


@old_key_exchanges
@pytest.mark.parametrize(
    ("ssh", "kex", "cipher"),
    [
        ("ios12", "diffie-hellman-group1-sha1", "aes128-cbc"),
        ("ios15", "diffie-hellman-group-exchange-sha1", "aes128-ctr"),
        ("iosxe16", "ecdh-sha2-nistp256", "aes128-ctr"),
    ],
)
def test_an_old_router_signs_with_sha1_alone(ssh: str, kex: str, cipher: str) -> None:
    sha2_only = {**LEGACY, "server_host_key_algs": "rsa-sha2-256,rsa-sha2-512,ssh-ed25519"}

    async def session(lab: Lab) -> None:
        # both ends find out, and the other's goodbye may come first
        with pytest.raises((asyncssh.Error, ConnectionError)):
            async with connect(lab, **sha2_only):
                pass
        options: dict[str, Any] = {
            "kex_algs": [kex],
            "encryption_algs": [cipher],
            "server_host_key_algs": ["ssh-rsa"],
        }
        async with connect(lab, **options) as connection:
            assert connection.get_extra_info("server_version") == "SSH-2.0-Cisco-1.25"
            assert connection.get_extra_info("send_cipher") == cipher

    with Lab(site1_with(ssh=ssh)) as lab:
        play(session(lab))


@old_key_exchanges
def test_paramiko_of_today_cannot_reach_ios_12() -> None:
    with Lab(site1_with(ssh="ios12")) as lab:
        transport = paramiko.Transport(lab.endpoints["Site1"])
        try:
            with pytest.raises((paramiko.SSHException, EOFError, ConnectionError)):
                transport.start_client(timeout=10)
        finally:
            transport.close()


# jump hosts


def test_a_chain_of_jump_hosts_leads_to_a_router_and_nowhere_else() -> None:
    async def session(lab: Lab) -> None:
        known = asyncssh.import_known_hosts(lab.known_hosts)
        options: dict[str, Any] = {
            "known_hosts": known,
            "client_keys": None,
            "agent_path": None,
            "config": None,
        }
        host, port = lab.jump_hosts["outer"]
        async with (
            asyncssh.connect(host, port, username="j1", password="p1", **options) as outer,
            outer.connect_ssh(
                *lab.jump_hosts["inner"], username="j2", password="p2", **options
            ) as inner,
            connect(lab, tunnel=inner) as router,
        ):
            process = await router.create_process(term_type="vt100", encoding=None)
            await Terminal(process).until("Site1>")
            with pytest.raises(asyncssh.ChannelOpenError, match="the lab has nothing at"):
                await outer.open_connection(  # pyright: ignore[reportUnknownMemberType] - untyped **kwargs
                    "192.0.2.1", 22
                )

    with Lab(two_sites()) as lab:
        lab.add_jump_host("outer", "j1", "p1")
        lab.add_jump_host("inner", "j2", "p2")
        play(session(lab))
        assert [lab.logins(name) for name in ("outer", "inner", "Site1")] == [1, 1, 1]


def test_a_jump_host_goes_with_all_it_carries_and_comes_back_on_its_port() -> None:
    async def through(lab: Lab) -> None:
        host, port = lab.jump_hosts["jump"]
        options: dict[str, Any] = {"client_keys": None, "agent_path": None, "config": None}
        known = asyncssh.import_known_hosts(lab.known_hosts)
        async with (
            asyncssh.connect(
                host, port, username="j", password="p", known_hosts=known, **options
            ) as jump,
            terminal(lab, tunnel=jump) as opened,
        ):
            lab.stop_jump_host("jump")
            await opened.until("never")

    with Lab(two_sites()) as lab:
        port = lab.add_jump_host("jump", "j", "p")
        with pytest.raises((asyncssh.Error, EOFError, OSError)):
            play(through(lab))
        with pytest.raises(ConnectionRefusedError):
            play(through(lab))
        lab.start_jump_host("jump")
        assert lab.jump_hosts["jump"] == port
        with pytest.raises((asyncssh.Error, EOFError)):
            play(through(lab))
        assert lab.logins("jump") == 2


# what is answered and remembered


def test_counts_and_load_are_what_a_parser_reads() -> None:
    async def session(lab: Lab) -> None:
        lab.set_fault("Site2", cpu_percent=97)
        async with terminal(lab, "Site2") as opened:
            isakmp = await opened.ask("show crypto isakmp sa count", "Site2#")
            ipsec = await opened.ask("show crypto ipsec sa count", "Site2#")
            cpu = await opened.ask("show processes cpu | inc CPU utilization", "Site2#")
        ike = parse(Platform.IOSXE, "show crypto isakmp sa count", body(isakmp)).records[0]
        assert isinstance(ike, IkeSaCount)
        assert (ike.active, ike.negotiating, ike.dead) == (1, 0, 0)
        sas = parse(Platform.IOSXE, "show crypto ipsec sa count", body(ipsec)).records[0]
        assert isinstance(sas, IpsecSaCount)
        assert (sas.total, sas.active) == (2, 2)
        assert body(cpu) == (
            "CPU utilization for five seconds: 97%/2%; one minute: 9%; five minutes: 8%\n"
        )

    with Lab(as_xe(two_sites()), warm_up=60) as lab:
        play(session(lab))


def body(seen: str) -> str:
    """The answer between the line that was typed and the prompt."""
    return "".join(f"{line}\n" for line in seen.split("\r\n")[1:-1])


def as_xe(topology: Topology) -> Topology:
    described = topology.model_dump()
    described["routers"][1]["dialect"] = "iosxe-17"
    return Topology.model_validate(described)


def test_other_filters_than_include_are_no_commands() -> None:
    async def session(lab: Lab) -> None:
        async with terminal(lab) as opened:
            assert "% Invalid input" in await opened.ask("show version | redirect flash:x")
            assert "% Invalid input" in await opened.ask("show version | include (")
            assert "IOS Software" in await opened.ask("show version | i Software")

    with Lab(two_sites()) as lab:
        play(session(lab))


def test_the_lab_remembers_what_was_typed_and_what_it_truly_answered() -> None:
    async def session(lab: Lab) -> None:
        lab.set_fault("Site1", truncate=2)
        async with terminal(lab) as opened:
            spoilt = await opened.ask("sh cry ips sa")
            assert "current outbound spi" not in spoilt
        async with terminal(lab) as opened:
            await opened.ask(ISAKMP)

    with Lab(two_sites(), warm_up=60, keeps_truth=True) as lab:
        play(session(lab))
        assert lab.commands_received("Site1") == [
            "enable",
            "terminal length 0",
            "sh cry ips sa",
            "enable",
            "terminal length 0",
            ISAKMP,
        ]
        answers = lab.answers("Site1")
        assert sorted(answers) == [IPSEC, ISAKMP]
        assert (answers[IPSEC].session, answers[ISAKMP].session) == (1, 2)
        truth = answers[IPSEC].truth
        assert truth is not None
        assert all(flow.at == answers[IPSEC].at for flow in truth)
        assert f"current outbound spi: 0x{truth[0].outbound_spi:X}" in answers[IPSEC].text


# many


def test_two_hundred_devices_listen_with_faults_of_their_own() -> None:
    async def session(lab: Lab) -> None:
        lab.set_fault("r0007", hang=True)
        async with terminal(lab, "r0200", prompt="hub") as opened:
            assert "QM_IDLE" in await opened.ask(ISAKMP)
        async with terminal(lab, "r0007", prompt="hub") as opened:
            opened.type(f"{ISAKMP}\r")
            assert b"QM_IDLE" not in await opened.seen_within(0.2)

    begin = time.monotonic()
    with many_routers(200, 3) as lab:
        assert time.monotonic() - begin < 10
        assert len(lab.endpoints) == 200
        play(session(lab))
        assert (lab.logins("r0200"), lab.logins("r0001")) == (1, 0)


def is_refused(endpoint: tuple[str, int]) -> bool:
    """Whether the port is shut soon."""
    for _ in range(500):
        try:
            socket.create_connection(endpoint, timeout=5).close()
        except ConnectionResetError:
            continue  # it came just as the port was being shut
        except ConnectionRefusedError:
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("ending", ["end of input", "SIGTERM"])
def test_a_lab_is_a_process_of_its_own(tmp_path: Path, ending: str) -> None:
    described = tmp_path / "lab.json"
    command = [sys.executable, "-m", "ipsecmon.lab.serve", "--routers", "3"]
    with subprocess.Popen(  # noqa: S603 - our own code
        [*command, "--port-file", str(described), "--jump-host"],
        stdin=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    ) as process:
        try:
            for _ in range(500):
                if described.exists() or process.poll() is not None:
                    break
                time.sleep(0.02)
            lab = json.loads(described.read_text())
            assert list(lab["endpoints"]) == ["r0001", "r0002", "r0003"]
            assert len(lab["known_hosts"].splitlines()) == 4
            transport = paramiko.Transport(tuple(lab["endpoints"]["r0003"]))
            try:
                transport.connect(username=lab["username"], password=lab["password"])
            finally:
                transport.close()
            assert process.stdin is not None
            order = {"router": "r0002", "faults": {"login": "refuse"}}
            process.stdin.write(json.dumps(order).encode() + b"\n")
            process.stdin.flush()
            assert is_refused(tuple(lab["endpoints"]["r0002"]))
            if ending == "SIGTERM":
                process.send_signal(signal.SIGTERM)
            else:
                process.stdin.close()
            assert process.wait(10) == 0
        finally:
            process.kill()
