"""The NAPALM session over real SSH, against emulated routers that behave and that do not."""

from __future__ import annotations

import socket
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import paramiko
import pytest

from ipsecmon import errors
from ipsecmon.lab.ssh import Lab
from ipsecmon.lab.topology import two_sites
from ipsecmon.sessions import Session, SessionPool, Target
from ipsecmon.sessions.host_keys import AnyHostKey, KnownHosts
from ipsecmon.sessions.napalm_session import VpnIosDriver, open_napalm_session
from ipsecmon_parsers.registry import SHOW_IPSEC_SA, SHOW_ISAKMP_SA, SHOW_SA_LIFETIME, parse


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


def target(lab: Lab, known_hosts: Path | None, **changes: object) -> Target:
    host, port = lab.endpoints["Site1"]
    values: dict[str, object] = {
        "device": "Site1",
        "host": host,
        "port": port,
        "username": "monitor",
        "password": "monitor-lab",
        "enable_secret": "enable-lab",
        "host_keys": KnownHosts(known_hosts) if known_hosts else AnyHostKey(),
        "connect_timeout": 5.0,
        "read_timeout": 2.0,
        **changes,
    }
    return Target(**values)  # type: ignore[arg-type] # every value is of its field's type


@contextmanager
def session(at: Target) -> Generator[Session]:
    opened = open_napalm_session(at)
    try:
        yield opened
    finally:
        opened.close()


def test_a_session_in_user_mode_reaches_privilege_and_reads_all_commands(
    lab: Lab, known_hosts: Path
) -> None:
    with session(target(lab, known_hosts)) as opened:
        for command in (SHOW_ISAKMP_SA, SHOW_IPSEC_SA, SHOW_SA_LIFETIME):
            output = opened.run(command, 5.0)
            result = parse("ios", command, output.text, complete=True)

            assert len(result.records) == 1
            assert result.unparsed_lines == ()
            assert output.started_at <= output.ended_at


def test_a_session_serves_many_polls(lab: Lab, known_hosts: Path) -> None:
    with session(target(lab, known_hosts)) as opened:
        for _ in range(50):
            assert "QM_IDLE" in opened.run(SHOW_ISAKMP_SA, 5.0).text
            assert "outbound pcp sas:" in opened.run(SHOW_IPSEC_SA, 5.0).text
        assert opened.is_alive()


def test_napalms_own_interface_works_too(lab: Lab, known_hosts: Path) -> None:
    driver = VpnIosDriver(target(lab, known_hosts))
    driver.open()
    try:
        assert "QM_IDLE" in driver.cli([SHOW_ISAKMP_SA])[SHOW_ISAKMP_SA]
        assert driver.is_alive() == {"is_alive": True}
    finally:
        driver.close()

    assert driver.is_alive() == {"is_alive": False}


def test_a_name_without_address_is_named(lab: Lab, known_hosts: Path) -> None:
    with pytest.raises(errors.NameNotResolved, match=r"the name 'site1\.invalid' has no address"):
        open_napalm_session(target(lab, known_hosts, host="site1.invalid"))


def test_a_closed_port_is_refused_at_once(lab: Lab, known_hosts: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        with pytest.raises(errors.ConnectFailed, match="connection refused"):
            open_napalm_session(target(lab, known_hosts, port=port))


def test_a_silent_port_costs_the_connect_timeout_and_no_more(lab: Lab, known_hosts: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        with pytest.raises(errors.ConnectFailed, match="does not speak SSH"):
            open_napalm_session(
                target(lab, known_hosts, port=silent.getsockname()[1], connect_timeout=1.0)
            )

        assert time.monotonic() - started < 10


def test_a_wrong_password_is_named_without_being_shown(lab: Lab, known_hosts: Path) -> None:
    with pytest.raises(errors.AuthenticationFailed) as caught:
        open_napalm_session(target(lab, known_hosts, password="planted-secret"))

    assert "refused user 'monitor'" in str(caught.value)
    assert "planted-secret" not in f"{caught.value!r} {caught.value.__cause__!r}"


def test_a_wrong_enable_secret_is_a_matter_of_privilege(lab: Lab, known_hosts: Path) -> None:
    with pytest.raises(errors.PrivilegeDenied, match="refused the enable secret"):
        open_napalm_session(target(lab, known_hosts, enable_secret="planted-secret"))


def test_user_mode_without_an_enable_secret_says_what_to_configure(
    lab: Lab, known_hosts: Path
) -> None:
    with pytest.raises(errors.PrivilegeDenied, match="add 'enable' to the credential"):
        open_napalm_session(target(lab, known_hosts, enable_secret=None))


def test_an_unknown_host_key_is_refused_before_the_password_is_sent(
    lab: Lab, tmp_path: Path
) -> None:
    empty = tmp_path / "known_hosts"
    empty.touch()
    with pytest.raises(errors.HostKeyRejected, match="no host key is known"):
        open_napalm_session(target(lab, empty))


def test_a_missing_known_hosts_file_refuses_every_device(lab: Lab, tmp_path: Path) -> None:
    with pytest.raises(errors.HostKeyRejected, match="no host key is known"):
        open_napalm_session(target(lab, tmp_path / "nowhere"))


def test_a_changed_host_key_is_refused_with_both_fingerprints(lab: Lab, tmp_path: Path) -> None:
    other = paramiko.ECDSAKey.generate()
    _, port = lab.endpoints["Site1"]
    known = tmp_path / "known_hosts"
    known.write_text(f"[127.0.0.1]:{port} {other.get_name()} {other.get_base64()}\n")
    with pytest.raises(errors.HostKeyRejected) as caught:
        open_napalm_session(target(lab, known))

    assert str(caught.value).count("SHA256:") == 2


def test_checking_host_keys_can_be_turned_off_by_hand(lab: Lab) -> None:
    with session(target(lab, None)) as opened:
        assert opened.is_alive()


def test_a_hanging_command_costs_the_read_timeout(lab: Lab, known_hosts: Path) -> None:
    with session(target(lab, known_hosts, read_timeout=0.5)) as opened:
        lab.set_fault("Site1", hang=True)
        with pytest.raises(errors.AnswerTimeout, match=r"silent for 0\.5 s"):
            opened.run(SHOW_IPSEC_SA, 5.0)


def test_the_deadline_of_a_poll_ends_an_answer_that_trickles(lab: Lab, known_hosts: Path) -> None:
    with session(target(lab, known_hosts)) as opened:
        lab.set_fault("Site1", slow_seconds=0.2, slow_bytes=16)
        with pytest.raises(errors.AnswerTimeout, match="did not finish"):
            opened.run(SHOW_IPSEC_SA, 1.0)


def test_a_slow_answer_is_read_to_its_end(lab: Lab, known_hosts: Path) -> None:
    with session(target(lab, known_hosts)) as opened:
        lab.set_fault("Site1", slow_seconds=0.02, slow_bytes=100)
        text = opened.run(SHOW_IPSEC_SA, 30.0).text

        assert len(parse("ios", SHOW_IPSEC_SA, text, complete=True).records) == 1


def test_a_connection_closed_in_the_middle_is_noticed_at_once(lab: Lab, known_hosts: Path) -> None:
    with session(target(lab, known_hosts, read_timeout=30.0)) as opened:
        lab.set_fault("Site1", cut_after=400)
        started = time.monotonic()
        with pytest.raises(errors.ConnectionClosed, match="closed the connection before"):
            opened.run(SHOW_IPSEC_SA, 30.0)

        assert time.monotonic() - started < 5
        assert not opened.is_alive()


def test_a_session_is_of_no_use_after_any_failure(lab: Lab, known_hosts: Path) -> None:
    with session(target(lab, known_hosts, read_timeout=0.3)) as opened:
        lab.set_fault("Site1", hang=True)
        with pytest.raises(errors.AnswerTimeout):
            opened.run(SHOW_IPSEC_SA, 5.0)
        lab.clear_faults("Site1")
        with pytest.raises(errors.ConnectionClosed, match="the session is closed"):
            opened.run(SHOW_IPSEC_SA, 5.0)


@pytest.mark.parametrize(
    "fault", ["prompt_in_output", "syslog_in_output", "refuse_terminal_length"]
)
def test_an_answer_is_whole_in_spite_of(fault: str, lab: Lab, known_hosts: Path) -> None:
    lab.set_fault("Site1", **{fault: True})
    with session(target(lab, known_hosts)) as opened:
        text = opened.run(SHOW_IPSEC_SA, 10.0).text

    (flow,) = parse("ios", SHOW_IPSEC_SA, text, complete=True).records
    assert len(flow.sas) == 2  # type: ignore[union-attr] # this command lists flows only


def test_nothing_but_a_show_command_is_sent(lab: Lab, known_hosts: Path) -> None:
    with session(target(lab, known_hosts)) as opened:
        with pytest.raises(ValueError, match="not a plain show command"):
            opened.run("clear crypto sa", 1.0)
        assert opened.is_alive()


def test_the_pool_reopens_a_session_the_device_has_ended(lab: Lab, known_hosts: Path) -> None:
    pool = SessionPool(open_napalm_session)
    at = target(lab, known_hosts)
    with pool.lease("Site1", lambda: at, 30.0) as first:
        first.run(SHOW_ISAKMP_SA, 5.0)
    first.close()
    lease = pool.lease("Site1", lambda: at, 30.0)
    with lease as second:
        second.run(SHOW_ISAKMP_SA, 5.0)

    assert second is not first
    assert not lease.was_reused
    pool.close()


def test_the_pool_keeps_a_good_session_and_drops_a_bad_one(lab: Lab, known_hosts: Path) -> None:
    pool = SessionPool(open_napalm_session)
    at = target(lab, known_hosts)
    with pool.lease("Site1", lambda: at, 30.0) as first:
        pass
    lease = pool.lease("Site1", lambda: at, 30.0)
    with pytest.raises(RuntimeError), lease as second:
        raise RuntimeError

    assert lease.was_reused
    assert second is first
    assert pool.open_count == 0
    pool.close()
