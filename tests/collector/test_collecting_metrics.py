"""What is exported about the collecting itself: sessions, logins, polls, credentials, host keys."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ipsecmon import errors
from ipsecmon.config import HostKeyCheck, Tier
from ipsecmon.metrics import ExporterFacts, HostKeyFacts, exposition, render_result
from ipsecmon.model import PollResult
from ipsecmon.sessions import Session, Target
from ipsecmon.sessions.counted import CountedLogins
from ipsecmon.sessions.host_keys import AnyHostKey
from metrics_fleet import FACTS, READ_AT, SESSION, failed_result, result

OF_SESSIONS = (
    "session_opened_timestamp_seconds",
    "ssh_weak_algorithms",
    "host_key_verified",
    "ssh_info",
)


def of_device(name: str, made: PollResult, tier: Tier = Tier.EXTENDED) -> str | None:
    """The lines of one metric of one device."""
    lines = render_result(made, tier).get(f"cisco_ipsec_device_{name}")
    return None if lines is None else lines.decode()


def of_exporter(facts: ExporterFacts) -> str:
    return exposition({}, facts, {}, READ_AT).decode()


def test_weak_algorithms_are_counted_and_named() -> None:
    assert of_device("ssh_weak_algorithms", result()) == (
        'cisco_ipsec_device_ssh_weak_algorithms{device="Site1"} 3.0\n'
    )
    assert 'kex="diffie-hellman-group14-sha1"' in (of_device("ssh_info", result()) or "")
    assert of_device("ssh_info", result(), Tier.STANDARD) is None


def test_a_device_nobody_logged_in_to_says_nothing_of_sessions() -> None:
    made = result(session=None, next_attempt_at=None)

    assert [of_device(name, made) for name in OF_SESSIONS] == [None] * len(OF_SESSIONS)
    assert of_device("next_attempt_timestamp_seconds", made) is None


def test_what_is_known_of_a_session_stays_while_its_device_fails() -> None:
    assert of_device("host_key_verified", failed_result()) == (
        'cisco_ipsec_device_host_key_verified{device="Site2"} 1.0\n'
    )


def test_a_host_key_that_nobody_verified_shows() -> None:
    made = result(session=replace(SESSION, is_host_key_verified=False))

    assert (of_device("host_key_verified", made) or "").endswith(" 0.0\n")


def test_what_the_exporter_does_not_know_of_itself_is_left_out() -> None:
    text = of_exporter(ExporterFacts(sessions_open=0, jobs_missed=0))

    for word in ("polls_total", "login", "credential", "host_key", "poll_lateness"):
        assert word not in text


def test_host_key_checking_that_is_off_shouts() -> None:
    text = of_exporter(replace(FACTS, host_keys=HostKeyFacts(mode=HostKeyCheck.OFF, unverified=12)))

    assert 'cisco_ipsec_exporter_host_key_checking{mode="off"} 1.0' in text
    assert 'cisco_ipsec_exporter_host_key_checking{mode="strict"} 0.0' in text
    assert "cisco_ipsec_exporter_host_keys_unverified 12.0" in text


def test_a_login_that_fails_is_counted_and_raised() -> None:
    def refuse(_target: Target, _timeout: float) -> Session:
        raise errors.AuthenticationFailed("refused")

    logins = CountedLogins(refuse)
    target = Target(
        device="Site1",
        host="192.0.2.1",
        port=22,
        username="monitor",
        host_keys=AnyHostKey(),
        connect_timeout=1,
        read_timeout=1,
    )
    with pytest.raises(errors.AuthenticationFailed):
        logins(target, 1.0)

    assert (logins.total, logins.failed) == (1, 1)


def test_the_buckets_of_lateness_add_up() -> None:
    name = "cisco_ipsec_exporter_poll_lateness_seconds"
    lines = [line for line in of_exporter(FACTS).splitlines() if line.startswith(name)]

    assert lines[:5] == [
        f'{name}_bucket{{lane="living",le="0.1"}} 930.0',
        f'{name}_bucket{{lane="living",le="1.0"}} 936.0',
        f'{name}_bucket{{lane="living",le="+Inf"}} 940.0',
        f'{name}_count{{lane="living"}} 940.0',
        f'{name}_sum{{lane="living"}} 21.5',
    ]
