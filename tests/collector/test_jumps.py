"""Jump hosts: one login for many devices, in threads and in an event loop, and what becomes of those who wait."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import asyncssh
import pytest

from ipsecmon import errors
from ipsecmon.config import Secret, SshProfile
from ipsecmon.sessions import HostKeyPolicy, JumpHost, OfferedKey, PrivateKey
from ipsecmon.sessions.host_keys import AnyHostKey, KnownHosts, fingerprint
from ipsecmon.sessions.jump_failures import Failures
from ipsecmon.sessions.jumps import JumpHosts, jump_host
from ipsecmon.sessions.known_hosts import HostKeyStore, NewKey
from jump_servers import JumpServers

HOST = "127.0.0.1"


@pytest.fixture
def servers() -> Generator[JumpServers]:
    with JumpServers() as servers:
        yield servers


@pytest.fixture
def runner() -> Generator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def hosts(runner: asyncio.Runner) -> Generator[JumpHosts]:
    hosts = JumpHosts()
    yield hosts
    runner.run(hosts.aclose())


def echoed_by_thread(hosts: JumpHosts, jumps: tuple[JumpHost, ...], port: int) -> bytes:
    """What comes back from the echo behind the jump hosts."""
    with closing(hosts.socket_to(jumps, HOST, port, 10)) as channel:
        channel.settimeout(5)
        channel.sendall(b"show clock")
        return channel.recv(100)


async def echoed_in_loop(hosts: JumpHosts, jumps: tuple[JumpHost, ...], port: int) -> bytes:
    tunnel = await hosts.tunnel_to(jumps, 10)
    reader: asyncssh.SSHReader[bytes]
    writer: asyncssh.SSHWriter[bytes]
    reader, writer = await tunnel.open_connection(  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - untyped **kwargs
        HOST, port, encoding=None
    )
    writer.write(b"show clock")
    answer: bytes = await reader.read(100)
    writer.close()
    return answer


Echoed = Callable[[JumpHosts, tuple[JumpHost, ...], int], bytes]


@pytest.fixture(params=["threads", "loop"])
def echoed(request: pytest.FixtureRequest, runner: asyncio.Runner) -> Echoed:
    """Both ways through the jump hosts."""
    if request.param == "threads":
        return echoed_by_thread
    return lambda hosts, jumps, port: runner.run(echoed_in_loop(hosts, jumps, port))


def known(tmp_path: Path, key: asyncssh.SSHKey, port: int) -> HostKeyPolicy:
    store = HostKeyStore(tmp_path / "known_hosts")
    store.add([NewKey(host=HOST, port=port, key=offered(key))])
    return KnownHosts(store, "bastion")


def offered(key: asyncssh.SSHKey) -> OfferedKey:
    return OfferedKey(algorithm=key.algorithm.decode(), blob=key.public_data)


def new_key() -> asyncssh.SSHKey:
    return asyncssh.generate_private_key(  # pyright: ignore[reportUnknownMemberType] - untyped **kwargs
        "ssh-ed25519"
    )


def write(key: asyncssh.SSHKey, file: Path, passphrase: str | None) -> None:
    key.write_private_key(  # pyright: ignore[reportUnknownMemberType] - untyped **kwargs
        str(file), format_name="pkcs8-pem", passphrase=passphrase
    )


def free_port() -> int:
    with socket.create_server((HOST, 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


@dataclass(frozen=True)
class Entry:
    host: str
    port: int
    profile: SshProfile


@dataclass(frozen=True)
class Login:
    username: str
    password: Secret | None
    key: Path | None
    passphrase: Secret | None
    agent: bool


def test_a_jump_host_is_made_of_its_entry_and_its_credential() -> None:
    policy = AnyHostKey()
    entry = Entry("192.0.2.1", 2222, SshProfile.COMPAT)
    login = Login("jumper", None, Path("key"), Secret("planted-secret"), agent=True)
    made = jump_host("bastion", entry, login, policy, 5.0)

    assert made == JumpHost(
        name="bastion",
        host="192.0.2.1",
        port=2222,
        profile=SshProfile.COMPAT,
        username="jumper",
        private_key=PrivateKey(file=Path("key"), passphrase="planted-secret"),
        use_agent=True,
        host_keys=policy,
        connect_timeout=5.0,
    )
    assert "planted-secret" not in repr(made)


# --- one login for many ---


def test_fifty_devices_in_threads_share_one_login(servers: JumpServers, hosts: JumpHosts) -> None:
    bastion, port = servers.serve(), servers.echo()
    jumps = (bastion.as_jump(),)
    with ThreadPoolExecutor(50) as pool:
        under_way = [pool.submit(echoed_by_thread, hosts, jumps, port) for _ in range(50)]
        answers = [one.result() for one in under_way]

    assert answers == [b"show clock"] * 50
    assert (bastion.connections_count, bastion.logins) == (1, 1)
    assert bastion.forwarded == [(HOST, port)] * 50


def test_fifty_devices_in_a_loop_share_one_login(
    servers: JumpServers, hosts: JumpHosts, runner: asyncio.Runner
) -> None:
    bastion, port = servers.serve(), servers.echo()
    jumps = (bastion.as_jump(),)

    async def all_of_them() -> list[bytes]:
        return await asyncio.gather(*(echoed_in_loop(hosts, jumps, port) for _ in range(50)))

    assert runner.run(all_of_them()) == [b"show clock"] * 50
    assert (bastion.connections_count, bastion.logins) == (1, 1)


def test_a_chain_logs_in_to_each_hop_once(
    servers: JumpServers, hosts: JumpHosts, echoed: Echoed
) -> None:
    outer, inner, port = servers.serve("outer"), servers.serve("inner"), servers.echo()
    assert echoed(hosts, (outer.as_jump(), inner.as_jump()), port) == b"show clock"

    assert (outer.logins, inner.logins) == (1, 1)
    assert outer.forwarded == [(HOST, inner.port)]
    assert inner.forwarded == [(HOST, port)]


def test_devices_behind_the_first_hop_of_a_chain_use_its_login(
    servers: JumpServers, hosts: JumpHosts
) -> None:
    outer, inner, port = servers.serve("outer"), servers.serve("inner"), servers.echo()
    echoed_by_thread(hosts, (outer.as_jump(), inner.as_jump()), port)
    echoed_by_thread(hosts, (outer.as_jump(),), port)

    assert (outer.logins, inner.logins) == (1, 1)


# --- host keys and logins ---


def test_the_known_key_is_taken(
    servers: JumpServers, hosts: JumpHosts, echoed: Echoed, tmp_path: Path
) -> None:
    bastion, port = servers.serve(), servers.echo()
    policy = known(tmp_path, bastion.key, bastion.port)
    assert echoed(hosts, (bastion.as_jump(policy),), port) == b"show clock"


def test_another_key_is_refused_before_the_password_is_sent(
    servers: JumpServers, hosts: JumpHosts, echoed: Echoed, tmp_path: Path
) -> None:
    bastion, other = servers.serve(), new_key()
    policy = known(tmp_path, other, bastion.port)
    with pytest.raises(errors.HostKeyRejected) as caught:
        echoed(hosts, (bastion.as_jump(policy),), 1)

    assert str(caught.value) == (
        f"jump host 'bastion' (127.0.0.1:{bastion.port}): the host key has changed: known "
        f"{fingerprint(offered(other))}, offered {fingerprint(offered(bastion.key))}; somebody may be in between. "
        f"If the device was replaced: ipsecmon hostkeys trust bastion --replace"
    )
    assert bastion.logins == 0


def test_a_wrong_password_names_the_jump_host_and_no_secret(
    servers: JumpServers, hosts: JumpHosts, echoed: Echoed
) -> None:
    bastion = servers.serve()
    with pytest.raises(errors.JumpLoginRefused) as caught:
        echoed(hosts, (bastion.as_jump(password="planted-secret"),), 1)

    assert str(caught.value) == (
        f"jump host 'bastion' (127.0.0.1:{bastion.port}): it refused user 'jumper' with the password; "
        f"check the jump host's credentials"
    )


def test_a_refused_password_rests_longer_and_a_new_one_is_tried_at_once(
    servers: JumpServers, echoed: Echoed, runner: asyncio.Runner
) -> None:
    now = 0.0
    bastion, port = servers.serve(), servers.echo()
    hosts = JumpHosts(clock=lambda: now)
    for now in (0.0, 50.0):  # noqa: B007 # the clock reads it
        with pytest.raises(errors.JumpLoginRefused):
            echoed(hosts, (bastion.as_jump(password="old"),), port)

    assert bastion.connections_count == 1
    assert echoed(hosts, (bastion.as_jump(),), port) == b"show clock"
    runner.run(hosts.aclose())


def test_refusals_in_a_row_rest_ever_longer_up_to_a_quarter_of_an_hour(
    servers: JumpServers,
) -> None:
    now = 0.0
    jumps = (servers.serve().as_jump(),)
    failures = Failures(5.0, lambda: now)
    rests: list[float] = []
    for _ in range(6):
        failures.ended(jumps, errors.JumpLoginRefused("no"))
        begun = now
        while failures.is_resting(jumps):
            now += 1.0
        rests.append(now - begun)
    failures.ended(jumps, None)
    failures.ended(jumps, errors.ConnectFailed("no"))
    now += 5.0

    assert rests == [60.0, 120.0, 240.0, 480.0, 900.0, 900.0]
    assert not failures.is_resting(jumps)


@pytest.mark.parametrize("passphrase", [None, "planted-secret"])
def test_a_private_key_logs_in(
    servers: JumpServers, hosts: JumpHosts, echoed: Echoed, passphrase: str | None, tmp_path: Path
) -> None:
    bastion, port, mine = servers.serve(), servers.echo(), new_key()
    bastion.authorized_key = mine
    file = tmp_path / "key"
    write(mine, file, passphrase)
    jump = bastion.as_jump(private_key=PrivateKey(file=file, passphrase=passphrase), password=None)
    assert echoed(hosts, (jump,), port) == b"show clock"


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[str]:
    """The program that adds keys to an agent that is the only one here."""
    ssh_agent, ssh_add = shutil.which("ssh-agent"), shutil.which("ssh-add")
    if ssh_agent is None or ssh_add is None:
        pytest.skip("ssh-agent is missing: Debian's package openssh-client brings it")
    at = tmp_path / "agent"
    process = subprocess.Popen(  # noqa: S603 # the system's own
        [ssh_agent, "-D", "-a", str(at)], stdout=subprocess.DEVNULL
    )
    monkeypatch.setenv("SSH_AUTH_SOCK", str(at))
    until = time.monotonic() + 10
    while not at.exists() and time.monotonic() < until:
        time.sleep(0.01)
    yield ssh_add
    process.terminate()
    process.wait(10)


def test_a_key_of_the_agent_logs_in(
    servers: JumpServers, hosts: JumpHosts, echoed: Echoed, agent: str, tmp_path: Path
) -> None:
    bastion, port, mine = servers.serve(), servers.echo(), new_key()
    bastion.authorized_key = mine
    file = tmp_path / "mine"
    file.touch(0o600)
    file.write_bytes(mine.export_private_key("openssh"))
    subprocess.run([agent, "-q", str(file)], check=True)  # noqa: S603
    jump = bastion.as_jump(use_agent=True, password=None)

    assert echoed(hosts, (jump,), port) == b"show clock"


def test_without_an_agent_its_keys_are_refused(
    servers: JumpServers, hosts: JumpHosts, echoed: Echoed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", "/nowhere")
    jump = servers.serve().as_jump(use_agent=True, password=None)
    with pytest.raises(errors.JumpLoginRefused, match=r"user 'jumper' with the agent's keys; "):
        echoed(hosts, (jump,), 1)


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        ("missing", "cannot be read: no such file or directory"),
        ("garbage", "is no private key, or its passphrase is another one"),
        ("passphrase", "is no private key, or its passphrase is another one"),
        ("no passphrase", "needs a passphrase"),
    ],
)
def test_a_private_key_that_cannot_be_used_is_named(
    servers: JumpServers, hosts: JumpHosts, echoed: Echoed, problem: str, told: str, tmp_path: Path
) -> None:
    bastion, file = servers.serve(), tmp_path / "key"
    if problem == "garbage":
        file.write_text("no key")
    elif problem != "missing":
        write(new_key(), file, "right")
    passphrase = None if problem == "no passphrase" else "planted-secret"
    jump = bastion.as_jump(private_key=PrivateKey(file=file, passphrase=passphrase))
    with pytest.raises(errors.JumpLoginFailed) as caught:
        echoed(hosts, (jump,), 1)

    assert f"): the private key {file} {told}; check the jump host's credentials" in str(
        caught.value
    )
    assert "planted-secret" not in str(caught.value)


# --- dead ones ---


def test_a_dead_jump_host_is_one_attempt_for_all_and_one_error(
    servers: JumpServers, hosts: JumpHosts, echoed: Echoed
) -> None:
    bastion = servers.serve()
    bastion.port = free_port()
    jumps = (bastion.as_jump(),)
    told = (
        f"jump host 'bastion' (127.0.0.1:{bastion.port}): no TCP connection: connection refused; "
    )
    for _ in range(3):
        with pytest.raises(errors.ConnectFailed) as caught:
            echoed(hosts, jumps, 1)
        assert str(caught.value).startswith(told)


def test_fifty_threads_hear_of_a_silent_jump_host_after_its_timeout(
    servers: JumpServers, hosts: JumpHosts
) -> None:
    with socket.create_server((HOST, 0)) as silent:
        bastion = servers.serve()
        bastion.port = silent.getsockname()[1]
        jumps = (bastion.as_jump(connect_timeout=0.5),)

        def refused(_: int) -> str:
            with pytest.raises(errors.ConnectFailed) as caught:
                hosts.socket_to(jumps, HOST, 1, 10)
            return str(caught.value)

        begun = time.monotonic()
        with ThreadPoolExecutor(50) as pool:
            told = set(pool.map(refused, range(50)))
        used = time.monotonic() - begun
        silent.settimeout(0.2)
        silent.accept()[0].close()
        with pytest.raises(TimeoutError):  # no second attempt
            silent.accept()

    assert len(told) == 1
    assert "no SSH session (" in told.pop()
    assert used < 5


def test_a_jump_host_that_is_silent_after_its_version_is_given_up_in_time(
    servers: JumpServers, hosts: JumpHosts, echoed: Echoed
) -> None:
    with socket.create_server((HOST, 0)) as listener:
        bastion = servers.serve()
        bastion.port = listener.getsockname()[1]
        answering = threading.Thread(target=_say_version_and_stop, args=(listener,))
        answering.start()
        with pytest.raises(errors.ConnectFailed, match=r"no SSH session \(no .* within 0\.\d+ s\)"):
            echoed(hosts, (bastion.as_jump(connect_timeout=0.3),), 1)
        answering.join(5)

    assert not answering.is_alive()


def _say_version_and_stop(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.sendall(b"SSH-2.0-Cisco-1.25\r\n")
        connection.settimeout(5)
        while connection.recv(4096):
            pass


def test_the_loop_hears_of_a_silent_jump_host_after_its_timeout(
    servers: JumpServers, hosts: JumpHosts, runner: asyncio.Runner
) -> None:
    async def refused(hosts: JumpHosts, jumps: tuple[JumpHost, ...]) -> str:
        with pytest.raises(errors.ConnectFailed) as caught:
            await hosts.tunnel_to(jumps, 10)
        return str(caught.value)

    async def all_of_them(hosts: JumpHosts, jumps: tuple[JumpHost, ...]) -> set[str]:
        return set(await asyncio.gather(*(refused(hosts, jumps) for _ in range(50))))

    with socket.create_server((HOST, 0)) as silent:
        bastion = servers.serve()
        bastion.port = silent.getsockname()[1]
        told = runner.run(all_of_them(hosts, (bastion.as_jump(connect_timeout=0.25),)))

    (sentence,) = told
    assert sentence == (
        f"jump host 'bastion' (127.0.0.1:{bastion.port}): no SSH session (no login within 0.5 s); "
        f"check its port and its log"
    )


def test_a_caller_without_time_left_spoils_it_for_nobody(
    servers: JumpServers, hosts: JumpHosts
) -> None:
    bastion, port = servers.serve(), servers.echo()
    jumps = (bastion.as_jump(),)
    with pytest.raises(errors.ConnectFailed, match=r"no login within the 0 s left of this poll"):
        hosts.socket_to(jumps, HOST, port, 0.0)

    assert echoed_by_thread(hosts, jumps, port) == b"show clock"
    assert bastion.logins == 1


def test_after_a_failure_the_jump_host_is_left_alone_and_then_tried_again(
    servers: JumpServers, echoed: Echoed, runner: asyncio.Runner
) -> None:
    now = 0.0
    bastion, port = servers.serve(), servers.echo()
    jumps = (bastion.as_jump(),)
    servers.stop(bastion)
    hosts = JumpHosts(clock=lambda: now)
    with pytest.raises(errors.ConnectFailed, match="connection refused"):
        echoed(hosts, jumps, port)
    servers.start(bastion)
    now = 4.9
    with pytest.raises(errors.ConnectFailed, match="connection refused"):
        echoed(hosts, jumps, port)
    now = 5.0

    assert echoed(hosts, jumps, port) == b"show clock"
    assert bastion.connections_count == 1
    runner.run(hosts.aclose())


def test_a_jump_host_that_restarts_is_logged_in_to_again(
    servers: JumpServers, hosts: JumpHosts
) -> None:
    bastion, port = servers.serve(), servers.echo()
    jumps = (bastion.as_jump(),)
    channel = hosts.socket_to(jumps, HOST, port, 5)
    servers.drop(bastion)
    channel.settimeout(5)

    assert channel.recv(1) == b""  # the device's session ends with it
    assert echoed_by_thread(hosts, jumps, port) == b"show clock"
    assert bastion.logins == 2


def test_in_a_loop_a_jump_host_that_restarts_is_logged_in_to_again(
    servers: JumpServers, hosts: JumpHosts, runner: asyncio.Runner
) -> None:
    bastion, port = servers.serve(), servers.echo()
    jumps = (bastion.as_jump(),)

    async def before_and_after(hosts: JumpHosts) -> list[bytes]:
        before = await echoed_in_loop(hosts, jumps, port)
        tunnel = await hosts.tunnel_to(jumps, 5)
        await asyncio.to_thread(servers.drop, bastion)
        await tunnel.wait_closed()
        return [before, await echoed_in_loop(hosts, jumps, port)]

    assert runner.run(before_and_after(hosts)) == [b"show clock"] * 2
    assert bastion.logins == 2


def test_a_device_that_is_not_there_is_told_from_a_jump_host_that_forbids_it(
    servers: JumpServers, hosts: JumpHosts
) -> None:
    bastion, port = servers.serve(), free_port()
    at = rf"jump host 'bastion' \(127.0.0.1:{bastion.port}\): no connection from there to 127.0.0.1:{port}: "
    with pytest.raises(errors.ConnectFailed, match=at + ".*; check address"):
        hosts.socket_to((bastion.as_jump(),), HOST, port, 5)
    bastion.forwards = False
    with pytest.raises(errors.ConnectFailed, match=at + r".*; allow it there \(AllowTcp"):
        hosts.socket_to((bastion.as_jump(),), HOST, port, 5)

    assert bastion.logins == 1


def test_of_a_chain_the_hop_that_is_dead_is_named(
    servers: JumpServers, hosts: JumpHosts, echoed: Echoed
) -> None:
    outer, inner = servers.serve("outer"), servers.serve("inner")
    inner.port = free_port()
    told = (
        rf"^jump host 'outer' \(127.0.0.1:{outer.port}\): no connection from there to "
        rf"jump host 'inner' \(127.0.0.1:{inner.port}\): .*; check address"
    )
    with pytest.raises(errors.ConnectFailed, match=told):
        echoed(hosts, (outer.as_jump(), inner.as_jump()), 1)


def test_a_jump_host_without_an_address_is_named(
    servers: JumpServers, hosts: JumpHosts, echoed: Echoed
) -> None:
    jump = servers.serve().as_jump(host="bastion.invalid")
    with pytest.raises(errors.NameNotResolved, match=r"^jump host 'bastion'"):
        echoed(hosts, (jump,), 1)


def test_after_the_end_nobody_logs_in_any_more(
    servers: JumpServers, hosts: JumpHosts, echoed: Echoed, runner: asyncio.Runner
) -> None:
    bastion, port = servers.serve(), servers.echo()
    echoed(hosts, (bastion.as_jump(),), port)
    runner.run(hosts.aclose())
    with pytest.raises(errors.ConnectionClosed, match="shutting down"):
        echoed(hosts, (bastion.as_jump(),), port)


def test_who_waits_in_the_loop_hears_of_the_end(
    servers: JumpServers, hosts: JumpHosts, runner: asyncio.Runner
) -> None:
    async def told() -> str:
        waiting = asyncio.create_task(hosts.tunnel_to((bastion.as_jump(),), 10))
        await asyncio.sleep(0.05)
        await asyncio.to_thread(hosts.close)
        with pytest.raises(errors.ConnectionClosed) as caught:
            await waiting
        return str(caught.value)

    with socket.create_server((HOST, 0)) as silent:
        bastion = servers.serve()
        bastion.port = silent.getsockname()[1]

        assert runner.run(told()) == "the monitor is shutting down"


def test_the_end_closes_the_logins(servers: JumpServers) -> None:
    bastion, port = servers.serve(), servers.echo()
    hosts = JumpHosts()
    channel = hosts.socket_to((bastion.as_jump(),), HOST, port, 5)
    hosts.close()
    until = time.monotonic() + 5
    while bastion.connections and time.monotonic() < until:
        time.sleep(0.01)

    assert channel.closed
    assert not bastion.connections


def test_an_agent_that_hangs_up_is_an_error_with_a_name(
    servers: JumpServers,
    hosts: JumpHosts,
    runner: asyncio.Runner,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    path = str(tmp_path / "agent")
    monkeypatch.setenv("SSH_AUTH_SOCK", path)
    jump = servers.serve().as_jump(password=None, use_agent=True)
    with socket.socket(socket.AF_UNIX) as agent:
        agent.bind(path)
        agent.listen()

        def serve() -> None:
            with suppress(OSError):  # the end of the test
                while True:
                    agent.accept()[0].close()

        threading.Thread(target=serve, daemon=True).start()
        for _ in range(2):
            with pytest.raises(errors.CollectionError, match=r"^jump host 'bastion'"):
                runner.run(hosts.tunnel_to((jump,), 5))
        agent.shutdown(socket.SHUT_RDWR)
