"""The lab as others meet it: real SSH on loopback, by the clients that collectors use."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import asyncssh
import paramiko
import pytest

from ipsecmon.lab.network import Network
from ipsecmon.lab.ssh import Lab, run_lab
from ipsecmon.lab.topology import hub, two_sites

IPSEC = "show crypto ipsec sa"
MORE = " --More-- "


def spi_of(network: Network) -> int | None:
    return network.flows("Site1")[0].current_outbound_spi


class Session:
    """A terminal session over asyncssh: type a line, read up to what must come."""

    def __init__(self, process: asyncssh.SSHClientProcess[bytes]) -> None:
        self._process = process

    async def until(self, end: str) -> str:
        seen = b""
        while not seen.endswith(end.encode()):
            data = await asyncio.wait_for(self._process.stdout.read(65536), 10)
            if not data:
                raise EOFError(seen)
            seen += data
        return seen.decode()

    async def ask(self, line: str, end: str = "Site1#") -> str:
        self._process.stdin.write(line.encode() + b"\n")
        return await self.until(end)

    async def key(self, key: str, end: str) -> str:
        self._process.stdin.write(key.encode())
        return await self.until(end)


def connect(lab: Lab, router: str = "Site1", **changes: Any) -> Any:
    host, port = lab.endpoints[router]
    options: dict[str, Any] = {
        "username": "monitor",
        "password": "monitor-lab",
        "known_hosts": asyncssh.import_known_hosts(lab.known_hosts),
        "client_keys": None,
        "agent_path": None,
        "config": None,
    }
    return asyncssh.connect(host, port, **{**options, **changes})


def test_a_collectors_whole_session() -> None:
    async def session(lab: Lab) -> None:
        async with connect(lab) as connection:
            process = await connection.create_process(term_type="vt100", encoding=None)
            terminal = Session(process)
            await terminal.until("Site1>")
            await terminal.ask("enable", "Password: ")
            await terminal.ask("enable-lab")

            paged = await terminal.ask(IPSEC, MORE)
            assert len(paged.splitlines()) == 25  # the echo, 23 lines, the question
            assert (await terminal.key("q", "Site1#")).startswith("\b" * 9)

            assert await terminal.ask("terminal length 0") == "terminal length 0\r\nSite1#"
            assert "QM_IDLE" in await terminal.ask("show crypto isakmp sa")
            assert "outbound pcp sas:" in await terminal.ask(IPSEC)
            lifetime = await terminal.ask("show crypto ipsec security-association lifetime")
            assert "4608000 kilobytes/3600 seconds" in lifetime

            lab.set_fault("Site1", refuse=(IPSEC,))
            assert "Command authorization failed." in await terminal.ask(IPSEC)
            lab.clear_faults("Site1")

            old = spi_of_text(await terminal.ask(IPSEC))
            await terminal.ask("clear crypto sa")
            # phase 1 stands, the next packet asks again: a second of lab time
            new = old
            while new in ("0x0(0)", old):
                new = spi_of_text(await terminal.ask(IPSEC))
            assert new.startswith("0x")

    with Lab(two_sites(), speed=100, seed=1, warm_up=120) as lab:
        asyncio.run(asyncio.wait_for(session(lab), 30))


def spi_of_text(text: str) -> str:
    return text.partition("current outbound spi: ")[2].partition("\r\n")[0]


def test_a_wrong_password_is_refused() -> None:
    async def attempt(lab: Lab) -> None:
        with pytest.raises(asyncssh.PermissionDenied):
            async with connect(lab, password="wrong"):
                pass

    with Lab(two_sites()) as lab:
        asyncio.run(attempt(lab))


def test_keyboard_interactive_asks_for_the_same_password() -> None:
    async def attempt(lab: Lab) -> None:
        async with connect(lab, preferred_auth="keyboard-interactive"):
            pass

    with Lab(two_sites()) as lab:
        asyncio.run(attempt(lab))


def test_paramiko_accepts_the_known_hosts_and_no_other_key(tmp_path: Path) -> None:
    with Lab(two_sites()) as lab:
        known_hosts = tmp_path / "known_hosts"
        known_hosts.write_text(lab.known_hosts)
        host, port = lab.endpoints["Site2"]
        client = paramiko.SSHClient()
        client.load_host_keys(str(known_hosts))
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        try:
            client.connect(
                host,
                port,
                username="monitor",
                password="monitor-lab",
                look_for_keys=False,
                allow_agent=False,
            )
            channel = client.invoke_shell()
            seen = b""
            while not seen.endswith(b"Site2>"):
                seen += channel.recv(4096)
        finally:
            client.close()


def test_a_cut_answer_closes_the_connection() -> None:
    async def session(lab: Lab) -> None:
        async with connect(lab) as connection:
            process = await connection.create_process(term_type="vt100", encoding=None)
            terminal = Session(process)
            await terminal.until("Site1>")
            with pytest.raises(EOFError, match="interface: Serial"):
                await terminal.ask(IPSEC, "Site1>")

    with Lab(two_sites(), warm_up=60) as lab:
        lab.set_fault("Site1", cut_after=30)
        asyncio.run(session(lab))


def test_lab_time_starts_warm_and_runs_at_its_speed() -> None:
    with Lab(two_sites(), speed=1000, warm_up=120) as lab:
        first = lab.run(lambda network: network.now)
        second = lab.run(lambda network: network.now)

        assert 120 <= first < second
        assert lab.run(spi_of) != 0


def test_the_network_can_be_broken_while_it_runs() -> None:
    with Lab(two_sites(), warm_up=60) as lab:
        lab.run(lambda network: network.set_unreachable("Site1", "Site2"))
        lab.run(lambda network: network.clear_session("Site1"))

        assert lab.run(spi_of) == 0


def test_an_error_in_the_labs_thread_comes_back_to_the_caller() -> None:
    with Lab(two_sites()) as lab, pytest.raises(KeyError, match="Site9"):
        lab.run(lambda network: network.flows("Site9"))


def test_only_the_routers_asked_for_listen() -> None:
    with Lab(hub(50), serve=["hub"]) as lab:
        assert list(lab.endpoints) == ["hub"]


def test_stopping_leaves_no_thread_and_no_port_even_with_a_session_open() -> None:
    before = set(threading.enumerate())
    lab = run_lab(two_sites())
    host, port = lab.endpoints["Site1"]

    async def session() -> None:
        async with connect(lab) as connection:
            process = await connection.create_process(term_type="vt100", encoding=None)
            await Session(process).until("Site1>")
            await asyncio.to_thread(lab.stop)

    asyncio.run(session())

    assert {thread for thread in threading.enumerate() if thread.name == "lab"} <= before

    async def knock() -> None:
        await asyncio.open_connection(host, port)

    with pytest.raises(ConnectionRefusedError):
        asyncio.run(knock())
    lab.stop()


def test_a_port_that_is_taken_is_an_error_of_start() -> None:
    with Lab(two_sites()) as lab:
        port = lab.endpoints["Site1"][1]
        second = Lab(two_sites(), ports={"Site1": port})

        with pytest.raises(OSError, match="in use"):
            second.start()


def test_a_stopped_lab_cannot_be_asked() -> None:
    lab = Lab(two_sites())

    with pytest.raises(RuntimeError, match="not running"):
        lab.run(lambda network: network.now)
