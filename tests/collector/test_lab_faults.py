"""Every fault of the lab as a plain SSH client or a bare socket meets it."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Coroutine, Iterator
from typing import Any

import asyncssh
import pytest

from ipsecmon.lab.ios import PROMPT_LINE_SECONDS
from ipsecmon.lab.network import Network
from ipsecmon.lab.ssh import Lab
from ipsecmon.lab.topology import two_sites
from lab_client import Terminal, connect, terminal

IPSEC = "show crypto ipsec sa"
ISAKMP = "show crypto isakmp sa"


@pytest.fixture(scope="module")
def running() -> Iterator[Lab]:
    with Lab(two_sites(), warm_up=60) as lab:
        yield lab


@pytest.fixture
def lab(running: Lab) -> Iterator[Lab]:
    yield running
    running.clear_faults("Site1")
    running.break_connections("Site1")


def play(session: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(session, 30))


def knock(lab: Lab) -> socket.socket:
    return socket.create_connection(lab.endpoints["Site1"], timeout=5)


def comes_within(connection: socket.socket, seconds: float) -> bytes | None:
    """What comes, ``b""`` at the end of the connection, ``None`` if nothing happens."""
    connection.settimeout(seconds)
    try:
        return connection.recv(4096)
    except TimeoutError:
        return None


def is_left_alone(lab: Lab) -> bool:
    """Whether every connection ends soon."""
    for _ in range(500):
        if lab.connections_open("Site1") == 0:
            return True
        time.sleep(0.01)
    return False


# towards a connection


def test_refuse_shuts_the_port_and_clearing_it_opens_the_same_one(lab: Lab) -> None:
    lab.set_fault("Site1", login="refuse")
    with pytest.raises(ConnectionRefusedError):
        knock(lab)

    lab.clear_faults("Site1")
    with knock(lab) as connection:
        assert comes_within(connection, 5) == b"SSH-2.0-Cisco-1.25\r\n"


def test_refuse_leaves_a_session_that_stands_alone(lab: Lab) -> None:
    async def session() -> None:
        async with terminal(lab) as opened:
            lab.set_fault("Site1", login="refuse")
            assert "QM_IDLE" in await opened.ask(ISAKMP)

    play(session())


def test_silent_lets_tcp_come_up_and_says_nothing(lab: Lab) -> None:
    lab.set_fault("Site1", login="silent")
    with knock(lab) as connection:
        connection.send(b"SSH-2.0-test\r\n")
        assert comes_within(connection, 0.2) is None


def test_silent_after_version_says_no_more_than_that(lab: Lab) -> None:
    lab.set_fault("Site1", login="silent_after_version")
    with knock(lab) as connection:
        assert comes_within(connection, 5) == b"SSH-2.0-Cisco-1.25\r\n"
        connection.send(b"SSH-2.0-test\r\n")
        assert comes_within(connection, 0.2) is None


def test_reset_is_an_rst(lab: Lab) -> None:
    lab.set_fault("Site1", login="reset")
    with pytest.raises(ConnectionResetError), knock(lab) as connection:
        comes_within(connection, 5)


def test_something_else_than_ssh_answers(lab: Lab) -> None:
    lab.set_fault("Site1", login="not_ssh")
    with knock(lab) as connection:
        answer = comes_within(connection, 5)
        assert answer is not None
        assert answer.startswith(b"HTTP/1.0 400")
        assert comes_within(connection, 5) == b""


def test_a_slow_aaa_server_takes_its_time_over_the_password(lab: Lab) -> None:
    async def session() -> None:
        begin = time.monotonic()
        async with connect(lab):
            assert time.monotonic() - begin >= 0.3

    lab.set_fault("Site1", login_seconds=0.3)
    play(session())


def test_a_connection_beyond_the_vty_lines_is_closed_without_a_version(lab: Lab) -> None:
    async def session() -> None:
        async with connect(lab):
            with knock(lab) as connection:
                assert comes_within(connection, 5) == b""

    lab.set_fault("Site1", vty_lines=1)
    play(session())


def test_an_idle_session_ends(lab: Lab) -> None:
    async def session() -> None:
        async with terminal(lab) as opened:
            lab.set_fault("Site1", idle_seconds=0.2)
            await opened.ask("")
            with pytest.raises(EOFError):
                await opened.until("never")

    play(session())


# towards a command


async def cut_after_30_bytes(lab: Lab, opened: Terminal, **faults: Any) -> str:
    lab.set_fault("Site1", cut_after=30, **faults)
    with pytest.raises(EOFError) as ended:
        await opened.ask(IPSEC)
    return str(ended.value)


def test_a_cut_by_fin_ends_the_session(lab: Lab) -> None:
    async def session() -> None:
        async with terminal(lab) as opened:
            assert "interface: Serial" in await cut_after_30_bytes(lab, opened)

    play(session())


def test_a_cut_by_rst_resets_the_connection(lab: Lab) -> None:
    async def session() -> None:
        async with terminal(lab) as opened:
            lab.set_fault("Site1", cut_after=30, cut="reset")
            await opened.ask(IPSEC, "never")

    with pytest.raises(ConnectionResetError):
        play(session())


def test_a_cut_by_silence_leaves_the_connection_standing(lab: Lab) -> None:
    async def session() -> None:
        async with terminal(lab) as opened:
            lab.set_fault("Site1", cut_after=30, cut="silent")
            opened.type(f"{IPSEC}\r")
            seen = await opened.seen_within(0.3)
            assert seen.startswith(f"{IPSEC}\r\n\r\ninterface: Serial0/0\r\n".encode())
            assert len(seen) == len(f"{IPSEC}\r\n") + 30
            assert lab.connections_open("Site1") == 1

    play(session())


def test_a_hang_echoes_the_command_and_nothing_else(lab: Lab) -> None:
    async def session() -> None:
        async with terminal(lab) as opened:
            lab.set_fault("Site1", hang=True)
            opened.type(f"{ISAKMP}\r")
            assert await opened.seen_within(0.3) == f"{ISAKMP}\r\n".encode()

    play(session())


def test_a_slow_reply_comes_after_its_echo(lab: Lab) -> None:
    async def session() -> None:
        async with terminal(lab) as opened:
            lab.set_fault("Site1", reply_seconds=0.4)
            opened.type(f"{ISAKMP}\r")
            assert await opened.seen_within(0.15) == f"{ISAKMP}\r\n".encode()
            assert "QM_IDLE" in await opened.until("Site1#")

    play(session())


def test_a_drip_comes_in_small_pieces(lab: Lab) -> None:
    async def session() -> None:
        async with terminal(lab) as opened:
            begin = time.monotonic()
            lab.set_fault("Site1", slow_seconds=0.1, slow_bytes=60)
            seen = await opened.ask(ISAKMP)
            assert "QM_IDLE" in seen
            # a pause before each whole or begun piece of what lies between the echo and the prompt
            pieces = -(-(len(seen) - len(f"{ISAKMP}\r\nSite1#")) // 60)
            assert pieces >= 3
            assert time.monotonic() - begin >= 0.1 * pieces

    play(session())


def test_a_line_within_the_answer_is_the_prompt_and_more_follows(lab: Lab) -> None:
    async def session() -> None:
        async with terminal(lab) as opened:
            lab.set_fault("Site1", prompt_line_in_output=True)
            begin = time.monotonic()
            seen = await opened.ask(IPSEC, "outbound pcp sas:\r\nSite1#")
            assert time.monotonic() - begin >= PROMPT_LINE_SECONDS
            before, prompt, after = seen.partition("\r\nSite1#\r\n")
            assert prompt
            assert "interface: Serial0/0" in before
            assert "outbound esp sas:" in after

    play(session())


def test_a_late_prompt_comes_with_the_next_command(lab: Lab) -> None:
    async def session() -> None:
        async with terminal(lab) as opened:
            lab.set_fault("Site1", late_prompt=True)
            await opened.ask(ISAKMP)
            assert await opened.seen_within(0.1) == b""
            opened.type("show clock\r")
            seen = await opened.until("2026\r\nSite1#")
            assert seen.startswith("\r\nSite1#show clock\r\n*")

    play(session())


def test_without_an_echo_the_answer_still_comes(lab: Lab) -> None:
    async def session() -> None:
        async with terminal(lab) as opened:
            lab.set_fault("Site1", no_echo=True)
            seen = await opened.ask(ISAKMP)
            assert ISAKMP not in seen
            assert "QM_IDLE" in seen

    play(session())


def test_noise_stands_between_two_lines(lab: Lab) -> None:
    async def session() -> None:
        async with terminal(lab) as opened:
            lab.set_fault("Site1", noise=True)
            seen = await opened.ask(IPSEC)
            assert "\r\n\x00\xff\xfe\x1b[0m\x1b[K" in seen
            assert "outbound pcp sas:" in seen

    play(session())


def test_an_endless_answer_goes_on_until_the_client_leaves(lab: Lab) -> None:
    async def session() -> None:
        async with terminal(lab) as opened:
            lab.set_fault("Site1", endless=True)
            opened.type(f"{ISAKMP}\r")
            seen = b""
            while seen.count(b"QM_IDLE") < 100:
                seen += await opened.seen_within(0.1)

    play(session())
    assert is_left_alone(lab)


def test_an_endless_answer_is_endless_page_by_page(lab: Lab) -> None:
    async def session() -> None:
        async with terminal(lab) as opened:
            await opened.ask("terminal length 3")
            lab.set_fault("Site1", endless=True)
            await opened.ask(ISAKMP, "--More-- ")
            for _ in range(10):
                opened.type(" ")
                await opened.until("--More-- ")
            opened.type("q")
            await opened.until("Site1#")

    play(session())


# at run time


@pytest.mark.parametrize(
    ("how", "seen_as"),
    [("close", (asyncssh.ConnectionLost, EOFError)), ("reset", ConnectionResetError)],
)
def test_connections_break_at_a_word(lab: Lab, how: Any, seen_as: Any) -> None:
    async def session() -> None:
        async with terminal(lab) as opened:
            lab.break_connections("Site1", how)
            await opened.until("never")

    with pytest.raises(seen_as):
        play(session())
    assert is_left_alone(lab)
    knock(lab).close()


def test_a_router_that_reloads_drops_its_sessions_and_listens_when_it_has_booted() -> None:
    async def session(lab: Lab) -> None:
        async with terminal(lab) as opened:
            lab.run(lambda network: network.reload("Site1"))
            await opened.until("never")

    def uptime(network: Network) -> float:
        return network.uptime("Site1")

    with Lab(two_sites(), speed=300, warm_up=60) as lab:
        with pytest.raises(ConnectionResetError):
            play(session(lab))
        with pytest.raises(ConnectionRefusedError):
            knock(lab)
        for _ in range(200):
            try:
                knock(lab).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.02)
        assert lab.run(lambda network: network.is_up("Site1"))
        assert lab.run(uptime) < 60 * 10


def test_a_planned_reload_lets_nobody_in_though_no_command_came_meanwhile() -> None:
    with Lab(two_sites(), speed=1000) as lab:
        lab.run(
            lambda network: network.plan(
                network.now + 60, lambda: network.reload("Site1", boot_seconds=9000)
            )
        )
        time.sleep(0.1)
        with pytest.raises(ConnectionResetError), knock(lab) as connection:
            comes_within(connection, 5)


def test_a_changed_host_key_is_not_the_one_that_is_known(lab: Lab) -> None:
    async def session() -> None:
        known = asyncssh.import_known_hosts(lab.known_hosts)
        lab.change_host_key("Site1")
        with pytest.raises(asyncssh.HostKeyNotVerifiable):
            async with connect(lab, known_hosts=known):
                pass
        async with connect(lab):
            pass

    play(session())


def test_a_rotated_password_lets_the_new_one_in_alone() -> None:
    async def session(lab: Lab) -> None:
        lab.set_password("Site1", "rotated")
        with pytest.raises(asyncssh.PermissionDenied):
            async with connect(lab):
                pass
        async with connect(lab, password="rotated"):
            pass

    with Lab(two_sites()) as lab:
        play(session(lab))
        assert (lab.logins("Site1"), lab.failed_logins("Site1")) == (1, 1)


def test_a_fault_of_a_router_that_is_not_served_is_a_mistake(lab: Lab) -> None:
    with pytest.raises(KeyError, match="the lab serves no 'Site9'"):
        lab.set_fault("Site9", hang=True)
