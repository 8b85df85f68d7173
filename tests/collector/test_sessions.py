"""Sessions over real SSH, against emulated routers that behave and that do not: one suite for all transports."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import asyncssh
import netmiko
import paramiko
import pytest
from napalm.base.exceptions import ConnectAuthError, ConnectionClosedException, ConnectionException

from ipsecmon import errors
from ipsecmon.config import SshProfile, Transport
from ipsecmon.lab.ssh import Lab
from ipsecmon.lab.topology import two_sites
from ipsecmon.sessions import PrivateKey, Session, SessionPool, Target
from ipsecmon.sessions.host_keys import AnyHostKey, KnownHosts
from ipsecmon.sessions.napalm_session import VpnIosDriver
from ipsecmon.sessions.protocol import Step, StepName, ignore_step
from ipsecmon.sessions.transports import Transports
from ipsecmon_parsers.records import Platform
from ipsecmon_parsers.registry import SHOW_IPSEC_SA, SHOW_ISAKMP_SA, SHOW_SA_LIFETIME, parse

TRANSPORTS = [Transport.NAPALM, Transport.ASYNCSSH]


@pytest.fixture(scope="module")
def running_lab() -> Generator[Lab]:
    with Lab(two_sites(), warm_up=60) as lab:
        yield lab


@pytest.fixture
def lab(running_lab: Lab) -> Iterator[Lab]:
    yield running_lab
    running_lab.clear_faults("Site1")


@pytest.fixture
def known_hosts(lab: Lab, tmp_path: Path) -> Path:
    path = tmp_path / "known_hosts"
    path.write_text(lab.known_hosts)
    return path


Values = dict[str, Any]
Reach = Callable[..., Session]


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> Transport:
    return request.param  # type: ignore[no-any-return] # one of TRANSPORTS


@pytest.fixture(scope="module")
def transports() -> Generator[Transports]:
    opened = Transports()
    yield opened
    opened.close()


@pytest.fixture
def to_site1(lab: Lab, known_hosts: Path, transport: Transport) -> Values:
    host, port = lab.endpoints["Site1"]
    return {
        "device": "Site1",
        "host": host,
        "port": port,
        "username": "monitor",
        "password": "monitor-lab",
        "enable_secret": "enable-lab",
        "host_keys": KnownHosts(known_hosts),
        "connect_timeout": 5.0,
        "read_timeout": 2.0,
        "transport": transport,
    }


@pytest.fixture
def target(to_site1: Values) -> Callable[..., Target]:
    """Site1 over one transport after the other, with what the test changes."""

    def changed(**changes: Any) -> Target:
        return Target(**{**to_site1, **changes})

    return changed


@pytest.fixture
def reach(transports: Transports, target: Callable[..., Target]) -> Generator[Reach]:
    """Opens sessions that are closed behind the test."""
    opened: list[Session] = []

    def reached(on_step: Callable[[Step], None] = ignore_step, **changes: object) -> Session:
        session = transports.open(target(**changes), 30.0, on_step)
        opened.append(session)
        return session

    yield reached
    for session in opened:
        session.close()


@contextmanager
def tcp_server(answer: Callable[[socket.socket], object]) -> Generator[int]:
    """A server that does as told with each connection; its port."""
    connections: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError):  # the end of the test
                while True:
                    connection, _ = listening.accept()
                    connections.append(connection)
                    answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in connections:
                connection.close()


class _Login(asyncssh.SSHServer):
    """Lets the key in that it was given, or whoever answers the one question; never a plain password."""

    def __init__(
        self, key: asyncssh.SSHKey | None, connections: list[asyncssh.SSHServerConnection]
    ) -> None:
        self._key = key
        self._connections = connections

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connections.append(conn)

    def public_key_auth_supported(self) -> bool:
        return self._key is not None

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:  # noqa: ARG002
        return self._key is not None and key.public_data == self._key.public_data

    def password_auth_supported(self) -> bool:
        return False

    def kbdint_auth_supported(self) -> bool:
        return self._key is None

    def get_kbdint_challenge(self, username: str, lang: str, submethods: str) -> Any:  # noqa: ARG002
        return ("", "", "", [("Password: ", False)])

    def validate_kbdint_response(self, username: str, responses: Sequence[str]) -> bool:  # noqa: ARG002
        return list(responses) == ["monitor-lab"]


async def _minimal_shell(process: asyncssh.SSHServerProcess[bytes]) -> None:
    """Echoes what is typed and answers nothing."""
    process.stdout.write(b"Site1#")
    with suppress(asyncssh.Error, OSError):
        while data := await process.stdin.read(4096):
            process.stdout.write(data.replace(b"\n", b"\r\nSite1#"))


@contextmanager
def ssh_server(key: asyncssh.SSHKey | None = None, **options: Any) -> Generator[int]:
    """An SSH server of the given algorithms and host keys; its port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    connections: list[asyncssh.SSHServerConnection] = []
    values: dict[str, Any] = {"server_host_keys": [HOST_KEYS["ssh-ed25519"]], **options}

    async def serve() -> asyncssh.SSHAcceptor:
        return await asyncssh.create_server(
            lambda: _Login(key, connections),
            "127.0.0.1",
            0,
            process_factory=_minimal_shell,
            encoding=None,
            line_editor=False,
            **values,
        )

    async def stop(acceptor: asyncssh.SSHAcceptor) -> None:
        acceptor.close()
        for connection in connections:
            connection.abort()
            await connection.wait_closed()
        await asyncio.sleep(0.01)  # their shells end

    acceptor = asyncio.run_coroutine_threadsafe(serve(), loop).result()
    try:
        yield acceptor.get_port()
    finally:
        asyncio.run_coroutine_threadsafe(stop(acceptor), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def new_key(name: str = "ssh-ed25519", **size: int) -> asyncssh.SSHKey:
    return asyncssh.generate_private_key(  # pyright: ignore[reportUnknownMemberType] - untyped **kwargs
        name,
        **size,  # type: ignore[arg-type] # key_size is a number
    )


def write(key: asyncssh.SSHKey, file: Path, passphrase: str | None = None) -> None:
    """With a passphrase that is quickly tried."""
    data = key.export_private_key(  # pyright: ignore[reportUnknownMemberType] - untyped **kwargs
        passphrase=passphrase, rounds=1, ignore_few_rounds=True
    )
    file.write_bytes(data)


HOST_KEYS = {
    "ssh-ed25519": new_key(),
    "ssh-rsa": new_key("ssh-rsa", key_size=2048),
    "ecdsa-sha2-nistp256": new_key("ecdsa-sha2-nistp256"),
}


# answers


def test_a_session_in_user_mode_reaches_privilege_and_reads_all_commands(reach: Reach) -> None:
    session = reach()
    for command in (SHOW_ISAKMP_SA, SHOW_IPSEC_SA, SHOW_SA_LIFETIME):
        output = session.run(command, 5.0)
        result = parse("ios", command, output.text, complete=True)

        assert len(result.records) == 1
        assert result.unparsed_lines == ()
        assert output.started_at <= output.ended_at


def test_a_session_serves_many_polls(reach: Reach) -> None:
    session = reach()
    for _ in range(50):
        assert "QM_IDLE" in session.run(SHOW_ISAKMP_SA, 5.0).text
        assert "outbound pcp sas:" in session.run(SHOW_IPSEC_SA, 5.0).text
    assert session.is_alive()


def test_many_sessions_are_read_at_the_same_time(reach: Reach) -> None:
    def polled(_: int) -> str:
        session = reach()
        return "".join(session.run(SHOW_ISAKMP_SA, 5.0).text for _ in range(10))

    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(polled, range(8)))

    assert all(text.count("QM_IDLE") == 10 for text in texts)


def test_every_step_of_the_login_is_told_with_what_was_seen(reach: Reach) -> None:
    steps: list[Step] = []
    callers: set[int] = set()

    def on_step(step: Step) -> None:
        callers.add(threading.get_ident())
        steps.append(step)

    reach(on_step)
    seen = {step.name: step.seen for step in steps}

    assert list(seen) == [name for name in StepName if name is not StepName.JUMP]
    assert seen[StepName.RESOLVE] == seen[StepName.TCP] == "127.0.0.1"
    assert "ssh-ed25519, aes128-gcm@openssh.com" in seen[StepName.KEY_EXCHANGE]
    assert seen[StepName.HOST_KEY].startswith("ssh-ed25519 SHA256:")
    assert seen[StepName.PROMPT] == "prompt 'Site1>'"
    assert seen[StepName.PRIVILEGE] == "enabled"
    assert seen[StepName.PAGING] == "paging off"
    assert all(step.seconds >= 0 for step in steps)
    assert callers == {threading.get_ident()}


def test_a_session_knows_what_it_was_agreed_on(reach: Reach) -> None:
    facts = reach().facts

    assert facts is not None
    assert facts.address == "127.0.0.1"
    assert facts.server_version == "SSH-2.0-Cisco-1.25"
    assert facts.kex.startswith("curve25519-sha256")
    assert (facts.host_key, facts.cipher) == ("ssh-ed25519", "aes128-gcm@openssh.com")
    assert facts.prompt == "Site1#"
    assert facts.weak == ()
    assert facts.host_key_fingerprint.startswith("SHA256:")
    assert facts.is_host_key_verified


@pytest.mark.parametrize(
    "fault", ["prompt_in_output", "syslog_in_output", "refuse_terminal_length"]
)
def test_an_answer_is_whole_in_spite_of(fault: str, lab: Lab, reach: Reach) -> None:
    lab.set_fault("Site1", **{fault: True})
    text = reach().run(SHOW_IPSEC_SA, 10.0).text

    (flow,) = parse("ios", SHOW_IPSEC_SA, text, complete=True).records
    assert len(flow.sas) == 2  # type: ignore[union-attr] # this command lists flows only


def test_a_slow_answer_is_read_to_its_end(lab: Lab, reach: Reach) -> None:
    session = reach()
    lab.set_fault("Site1", slow_seconds=0.01, slow_bytes=100)
    text = session.run(SHOW_IPSEC_SA, 30.0).text

    assert len(parse("ios", SHOW_IPSEC_SA, text, complete=True).records) == 1


def test_nothing_but_a_show_command_is_sent(reach: Reach) -> None:
    session = reach()
    with pytest.raises(ValueError, match="not a plain show command"):
        session.run("clear crypto sa", 1.0)

    assert session.is_alive()


# failures of a command


def test_a_hanging_command_costs_the_read_timeout(lab: Lab, reach: Reach) -> None:
    session = reach(read_timeout=0.3)
    lab.set_fault("Site1", hang=True)
    with pytest.raises(errors.AnswerTimeout, match=r"silent for 0\.3 s .*waited for 'Site1#'"):
        session.run(SHOW_IPSEC_SA, 5.0)


def test_the_deadline_of_a_poll_ends_an_answer_that_trickles(lab: Lab, reach: Reach) -> None:
    session = reach()
    lab.set_fault("Site1", slow_seconds=0.1, slow_bytes=16)
    with pytest.raises(errors.AnswerTimeout, match="did not finish"):
        session.run(SHOW_IPSEC_SA, 0.5)


def test_a_connection_closed_in_the_middle_is_noticed_at_once(lab: Lab, reach: Reach) -> None:
    session = reach(read_timeout=30.0)
    lab.set_fault("Site1", cut_after=400)
    started = time.monotonic()
    with pytest.raises(errors.ConnectionClosed, match="closed the connection before") as caught:
        session.run(SHOW_IPSEC_SA, 30.0)

    assert time.monotonic() - started < 5
    assert caught.value.evidence
    assert not session.is_alive()


def test_an_answer_beyond_the_cap_is_given_up(reach: Reach) -> None:
    with pytest.raises(errors.AnswerTooLarge):
        reach(max_answer_bytes=500).run(SHOW_IPSEC_SA, 5.0)


def test_a_session_is_of_no_use_after_any_failure(lab: Lab, reach: Reach) -> None:
    session = reach(read_timeout=0.3)
    lab.set_fault("Site1", hang=True)
    with pytest.raises(errors.AnswerTimeout):
        session.run(SHOW_IPSEC_SA, 5.0)
    lab.clear_faults("Site1")
    with pytest.raises(errors.ConnectionClosed, match="the session is closed"):
        session.run(SHOW_IPSEC_SA, 5.0)


def test_a_session_that_is_closed_meanwhile_fails_at_once(lab: Lab, reach: Reach) -> None:
    session = reach(read_timeout=30.0)
    lab.set_fault("Site1", hang=True)
    closing = threading.Timer(0.2, session.close)
    closing.start()
    started = time.monotonic()
    with pytest.raises(errors.ConnectionClosed):
        session.run(SHOW_IPSEC_SA, 30.0)

    closing.join()
    assert time.monotonic() - started < 5


def test_closing_leaves_no_thread_and_no_filter_behind(
    transports: Transports, target: Callable[..., Target], reach: Reach
) -> None:
    reach()  # the loop of all asyncssh sessions stays
    threads, filters = set(threading.enumerate()), list(netmiko.log.filters)
    session = transports.open(target(), 30.0)
    session.close()
    session.close()
    with pytest.raises(errors.AuthenticationFailed):
        transports.open(target(password="wrong"), 30.0)

    assert set(threading.enumerate()) <= threads  # one of an earlier test may have ended
    assert list(netmiko.log.filters) == filters
    assert not session.is_alive()


def test_the_end_of_the_transports_is_the_end_of_their_thread(
    target: Callable[..., Target], transport: Transport
) -> None:
    # the lab has a thread of its own from the first connection on that asyncssh makes to it
    with closing(Transports()) as first:
        first.open(target(), 30.0).close()
    threads = set(threading.enumerate())
    transports = Transports()
    session = transports.open(target(), 30.0)
    if transport is Transport.NAPALM:  # owned by whoever opened it
        session.close()
    transports.close()
    transports.close()

    assert not session.is_alive()
    with pytest.raises(errors.ConnectionClosed):
        session.run(SHOW_ISAKMP_SA, 1.0)
    session.close()
    assert set(threading.enumerate()) <= threads  # one of an earlier test may have ended


@pytest.mark.parametrize("transport", [Transport.ASYNCSSH])
def test_a_connection_made_as_the_transports_end_is_given_up(
    target: Callable[..., Target], transport: Transport
) -> None:
    transports = Transports()

    def end_then_speak(connection: socket.socket) -> None:
        transports.close()
        connection.sendall(b"SSH-2.0-Cisco-1.25\r\n")

    with (
        tcp_server(end_then_speak) as port,
        pytest.raises(errors.ConnectionClosed, match="shutting down"),
    ):
        transports.open(target(host="127.0.0.1", port=port, transport=transport), 5.0)


# failures of the login


def test_a_name_without_address_is_named(reach: Reach) -> None:
    with pytest.raises(errors.NameNotResolved, match=r"the name 'site1\.invalid' has no address"):
        reach(host="site1.invalid")


def test_a_closed_port_is_refused_at_once(reach: Reach) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(errors.ConnectFailed, match="connection refused"):
            reach(port=free.getsockname()[1])


def test_a_silent_port_costs_the_connect_timeout_and_no_more(reach: Reach) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        with pytest.raises(errors.ConnectFailed, match="does not speak SSH, or not within"):
            reach(port=silent.getsockname()[1], connect_timeout=0.3)

        assert time.monotonic() - started < 5


def test_silence_behind_the_version_costs_the_connect_timeout_and_no_more(reach: Reach) -> None:
    with tcp_server(lambda connection: connection.sendall(b"SSH-2.0-Cisco-1.25\r\n")) as port:
        started = time.monotonic()
        with pytest.raises(errors.ConnectFailed, match=r"not over within .* raise connect_timeout"):
            reach(port=port, connect_timeout=0.3)

        assert time.monotonic() - started < 5


def test_a_server_of_another_kind_is_quoted(reach: Reach) -> None:
    with (
        tcp_server(lambda connection: connection.sendall(b"220 ftp ready\r\n")) as port,
        pytest.raises(errors.ConnectFailed, match="does not speak SSH") as caught,
    ):
        reach(port=port)

    assert caught.value.evidence == "220 ftp ready\\r\\n"


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-Cisco-1.25\r\n"])
def test_a_device_that_hangs_up_before_the_login_may_have_no_line_left(
    said: bytes, reach: Reach
) -> None:
    def hang_up(connection: socket.socket) -> None:
        connection.sendall(said)
        connection.shutdown(socket.SHUT_RDWR)

    with tcp_server(hang_up) as port, pytest.raises(errors.ConnectFailed, match="no free vty line"):
        reach(port=port)


def test_a_wrong_password_is_named_without_being_shown(reach: Reach) -> None:
    with pytest.raises(errors.AuthenticationFailed) as caught:
        reach(password="planted-secret")

    assert "refused user 'monitor' (password)" in str(caught.value)
    assert "planted-secret" not in f"{caught.value!r} {caught.value.__cause__!r}"


def test_a_wrong_enable_secret_is_a_matter_of_privilege(reach: Reach) -> None:
    with pytest.raises(errors.PrivilegeDenied, match="refused the enable secret"):
        reach(enable_secret="planted-secret")


def test_user_mode_without_an_enable_secret_says_what_to_configure(reach: Reach) -> None:
    with pytest.raises(errors.PrivilegeDenied, match="add 'enable' to the credential"):
        reach(enable_secret=None)


def test_a_password_is_given_to_a_server_that_asks_for_it_in_words(reach: Reach) -> None:
    with ssh_server() as port:
        assert reach(port=port, host_keys=AnyHostKey()).is_alive()


def test_an_asa_is_reached_by_a_driver_of_its_own(reach: Reach) -> None:
    with ssh_server() as port:
        session = reach(port=port, host_keys=AnyHostKey(), platform=Platform.ASA)

        assert session.run("show crypto isakmp sa", 5.0).text == ""


def test_a_private_key_with_a_passphrase_logs_in(reach: Reach, tmp_path: Path) -> None:
    key = new_key()
    file = tmp_path / "id"
    write(key, file, "words")
    changes: Values = {"host_keys": AnyHostKey(), "password": None}
    with ssh_server(key) as port:
        good = PrivateKey(file=file, passphrase="words")

        assert reach(port=port, private_key=good, **changes).is_alive()
        for bad in (
            PrivateKey(file=file, passphrase="planted-secret"),
            PrivateKey(file=tmp_path / "no"),
        ):
            with pytest.raises(
                errors.AuthenticationFailed, match=r"the private key .* check the file"
            ):
                reach(port=port, private_key=bad, **changes)


def test_a_private_key_that_is_not_known_there_is_refused(reach: Reach, tmp_path: Path) -> None:
    file = tmp_path / "id"
    write(new_key(), file)
    with (
        ssh_server(new_key()) as port,
        pytest.raises(errors.AuthenticationFailed, match=r"refused user 'monitor' \(private key\)"),
    ):
        reach(port=port, host_keys=AnyHostKey(), password=None, private_key=PrivateKey(file=file))


# host keys


def test_an_unknown_host_key_is_refused(reach: Reach, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    for file in (empty, tmp_path / "nowhere"):
        with pytest.raises(errors.HostKeyRejected, match="no host key is known"):
            reach(host_keys=KnownHosts(file))


def test_a_changed_host_key_is_refused_with_both_fingerprints(
    lab: Lab, reach: Reach, tmp_path: Path
) -> None:
    other = paramiko.ECDSAKey.generate()
    _, port = lab.endpoints["Site1"]
    known = tmp_path / "changed"
    known.write_text(f"[127.0.0.1]:{port} {other.get_name()} {other.get_base64()}\n")
    with pytest.raises(errors.HostKeyRejected) as caught:
        reach(host_keys=KnownHosts(known))

    assert str(caught.value).count("SHA256:") == 2


def test_checking_host_keys_can_be_turned_off_by_hand(reach: Reach) -> None:
    facts = reach(host_keys=AnyHostKey()).facts

    assert facts is not None
    assert not facts.is_host_key_verified


@pytest.mark.parametrize("name", list(HOST_KEYS))
def test_of_several_host_keys_the_one_that_is_known_is_asked_for(
    name: str, reach: Reach, tmp_path: Path
) -> None:
    known = tmp_path / "one"
    with ssh_server(server_host_keys=list(HOST_KEYS.values())) as port:
        public = HOST_KEYS[name].export_public_key().decode().strip()
        known.write_text(f"[127.0.0.1]:{port} {public}\n")
        facts = reach(port=port, host_keys=KnownHosts(known)).facts

    assert facts is not None
    assert facts.host_key == ("rsa-sha2-512" if name == "ssh-rsa" else name)
    assert facts.weak == ()


# algorithms


# what cryptography says of the groups of old devices, at both ends
old = pytest.mark.filterwarnings("ignore:Diffie-Hellman over finite fields")
OLD: dict[str, Any] = {
    "kex_algs": ["diffie-hellman-group14-sha1"],
    "encryption_algs": ["aes128-cbc"],
    "mac_algs": ["hmac-sha1"],
}


@old
def test_a_device_that_is_too_old_is_told_with_the_profile_that_fits(
    reach: Reach, transport: Transport
) -> None:
    with ssh_server(**OLD) as port, pytest.raises(errors.KeyExchangeFailed) as caught:
        reach(port=port, host_keys=AnyHostKey())

    said = str(caught.value)
    assert "no key exchange in common, the device offers diffie-hellman-group14-sha1" in said
    assert "no cipher in common, the device offers aes128-cbc" in said
    assert "no MAC in common, the device offers hmac-sha1" in said
    assert "set ssh_profile: legacy for this device" in said
    needs_other = transport is Transport.NAPALM and version("paramiko") >= "5"
    assert ("let transport be auto or asyncssh" in said) is needs_other


@old
def test_the_legacy_profile_reaches_an_old_device_and_its_weaknesses_are_known(
    transports: Transports, to_site1: Values
) -> None:
    with ssh_server(**OLD) as port:
        changes = {"transport": Transport.ASYNCSSH, "profile": SshProfile.LEGACY}
        values: Values = {**to_site1, "port": port, "host_keys": AnyHostKey(), **changes}
        session = transports.open(Target(**values), 30.0)
        facts = session.facts
        session.close()

    assert facts is not None
    assert facts.weak == ("diffie-hellman-group14-sha1", "aes128-cbc", "hmac-sha1")


@pytest.mark.parametrize("profile", list(SshProfile))
def test_modern_algorithms_are_taken_whatever_the_profile(
    profile: SshProfile, reach: Reach
) -> None:
    facts = reach(profile=profile).facts

    assert facts is not None
    assert facts.weak == ()


# NAPALM


@pytest.fixture
def napalm_target(lab: Lab) -> Target:
    host, port = lab.endpoints["Site1"]
    return Target(
        device="Site1",
        host=host,
        port=port,
        username="monitor",
        password="monitor-lab",
        enable_secret="enable-lab",
        host_keys=AnyHostKey(),
        connect_timeout=5.0,
        read_timeout=2.0,
    )


def test_napalms_own_interface_works_too(napalm_target: Target) -> None:
    driver = VpnIosDriver(napalm_target)
    driver.open()
    try:
        assert "QM_IDLE" in driver.cli([SHOW_ISAKMP_SA])[SHOW_ISAKMP_SA]
        assert driver.is_alive() == {"is_alive": True}
        assert driver.device is not None
        assert "QM_IDLE" in driver.device.send_command(SHOW_ISAKMP_SA)
    finally:
        driver.close()

    assert driver.is_alive() == {"is_alive": False}
    with pytest.raises(ConnectionClosedException):
        driver.cli([SHOW_ISAKMP_SA])


def test_napalms_exceptions_are_those_its_users_know(napalm_target: Target) -> None:
    with pytest.raises(ConnectAuthError):
        VpnIosDriver(replace(napalm_target, password="wrong")).open()
    with pytest.raises(ConnectionException):
        VpnIosDriver(replace(napalm_target, host="site1.invalid")).open()
    with pytest.raises(TypeError, match="must be a list"):
        VpnIosDriver(napalm_target).cli(SHOW_ISAKMP_SA)  # type: ignore[arg-type] # the mistake meant


# the pool


def test_the_pool_reopens_a_session_the_device_has_ended(
    transports: Transports, target: Callable[..., Target]
) -> None:
    pool = SessionPool(transports.open)
    with pool.lease("Site1", target, 30.0) as first:
        first.run(SHOW_ISAKMP_SA, 5.0)
    first.close()
    lease = pool.lease("Site1", target, 30.0)
    with lease as second:
        second.run(SHOW_ISAKMP_SA, 5.0)

    assert second is not first
    assert not lease.was_reused
    pool.close()


def test_the_pool_keeps_a_good_session_and_drops_a_bad_one(
    transports: Transports, target: Callable[..., Target]
) -> None:
    pool = SessionPool(transports.open)
    with pool.lease("Site1", target, 30.0) as first:
        pass
    lease = pool.lease("Site1", target, 30.0)
    with pytest.raises(RuntimeError), lease as second:
        raise RuntimeError

    assert lease.was_reused
    assert second is first
    assert pool.open_count == 0
    pool.close()


def test_a_resolver_that_does_not_answer_costs_a_step_of_the_login(
    target: Callable[..., Target], transports: Transports, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()

    def silent(*_: object, **__: object) -> object:
        over.wait(10)
        raise socket.gaierror("no answer")

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    began = time.monotonic()
    with pytest.raises(errors.NameNotResolved, match="resolver"):
        transports.open(target(host="site1.example.net", connect_timeout=0.3), 5.0)
    took = time.monotonic() - began
    over.set()

    assert took < 2
