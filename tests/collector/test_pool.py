"""Sessions are kept as long as they may, ended when they must, and none is ever lost."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator

import pytest

from ipsecmon.config import Limits
from ipsecmon.credentials import CredentialError
from ipsecmon.errors import AuthenticationFailed, ConnectionClosed
from ipsecmon.model import RawOutput
from ipsecmon.sessions import Session, SessionPool, Target
from ipsecmon.sessions.host_keys import AnyHostKey

TARGET = Target(
    device="Site1",
    host="192.0.2.1",
    port=22,
    username="monitor",
    password="planted-secret",
    host_keys=AnyHostKey(),
    connect_timeout=1,
    read_timeout=1,
)


class Fake(Session):
    """Alive until it is closed; ``run`` waits for that if it hangs."""

    def __init__(self, *, hangs: bool = False) -> None:
        self.closed = threading.Event()
        self.hangs = hangs
        self.running = threading.Event()

    def run(self, command: str, timeout: float) -> RawOutput:
        self.running.set()
        if self.hangs and self.closed.wait(timeout):
            raise ConnectionClosed("closed", command)
        return RawOutput(command=command, text="", started_at=0, ended_at=0)

    def is_alive(self) -> bool:
        return not self.closed.is_set()

    def close(self) -> None:
        self.closed.set()


class Opened:
    """All sessions that a pool ever opened."""

    def __init__(self) -> None:
        self.sessions: list[Fake] = []
        self.error: Exception | None = None
        self.pool = SessionPool(self._open, Limits(logins_per_second=1e6))

    def _open(self, _: Target, timeout: float) -> Fake:
        assert timeout > 0
        if self.error is not None:
            raise self.error
        self.sessions.append(Fake())
        return self.sessions[-1]

    def use(self, device: str = "Site1", max_age_seconds: float = 86400.0) -> Session:
        with self.pool.lease(device, lambda: TARGET, 5.0, max_age_seconds) as session:
            return session

    def is_complete(self) -> bool:
        """Each session that was opened is either open and known, or closed and counted."""
        pool = self.pool
        is_open = sum(session.is_alive() for session in self.sessions)
        return (
            pool.opened_total == len(self.sessions) == pool.closed_total + pool.open_count
            and is_open == pool.open_count
        )


@pytest.fixture
def opened() -> Iterator[Opened]:
    made = Opened()
    yield made
    made.pool.close()
    assert made.is_complete()
    assert made.pool.open_count == 0


def test_a_session_that_may_not_be_kept_is_ended_after_each_poll(opened: Opened) -> None:
    opened.use(max_age_seconds=0.0)
    opened.use(max_age_seconds=0.0)

    assert [session.is_alive() for session in opened.sessions] == [False, False]
    assert (opened.pool.opened_total, opened.pool.closed_total) == (2, 2)


def test_an_old_session_is_opened_anew_between_two_polls_and_never_within_one(
    opened: Opened,
) -> None:
    with opened.pool.lease("Site1", lambda: TARGET, 5.0, 0.05) as session:
        time.sleep(0.1)
        assert session.is_alive()
    assert not opened.pool.is_kept("Site1", 0.05)
    opened.use(max_age_seconds=0.05)

    assert [session.is_alive() for session in opened.sessions] == [False, True]


def test_a_session_that_died_between_two_polls_is_known_to_be_gone(opened: Opened) -> None:
    opened.use()
    assert opened.pool.is_kept("Site1", 86400.0)
    opened.sessions[0].close()
    assert not opened.pool.is_kept("Site1", 86400.0)
    opened.use()

    assert len(opened.sessions) == 2


def test_the_session_of_a_changed_device_ends_now_or_after_the_poll_it_is_in(
    opened: Opened,
) -> None:
    opened.use()
    opened.pool.forget("Site1")
    assert opened.pool.open_count == 0
    with opened.pool.lease("Site1", lambda: TARGET, 5.0) as session:
        opened.pool.forget("Site1")
        assert session.is_alive()

    assert opened.pool.open_count == 0


def test_a_session_opened_while_the_device_was_changed_lasts_for_one_poll(opened: Opened) -> None:
    def target() -> Target:
        opened.pool.forget("Site1")
        return TARGET

    with opened.pool.lease("Site1", target, 5.0) as session:
        assert session.is_alive()

    assert opened.pool.open_count == 0


def test_a_login_that_fails_leaves_nothing_behind(opened: Opened) -> None:
    opened.error = AuthenticationFailed("no")
    with pytest.raises(AuthenticationFailed):
        opened.use()

    assert opened.pool.open_count == opened.pool.logins.in_flight == 0


def test_a_credential_that_cannot_be_had_takes_no_login_from_others(opened: Opened) -> None:
    def missing() -> Target:
        raise CredentialError("lab", "password", "file secret", "does not exist", "create it")

    opened.pool.logins.limit(0.1, 10)
    with pytest.raises(CredentialError), opened.pool.lease("Site1", missing, 5.0):
        pass
    lease = opened.pool.lease("Site2", lambda: TARGET, 5.0)
    with lease:
        pass

    assert lease.login_wait_seconds < 0.5


def test_looking_a_credential_up_is_taken_from_the_time_for_the_login() -> None:
    given: list[float] = []

    def looked_up() -> Target:
        time.sleep(0.5)
        return TARGET

    def open_session(_: Target, timeout: float) -> Fake:
        given.append(timeout)
        return Fake()

    with SessionPool(open_session).lease("Site1", looked_up, 5.0):
        pass

    assert given[0] <= 4.5


def test_closing_ends_what_is_in_use_too_and_lets_nobody_in_again(opened: Opened) -> None:
    with opened.pool.lease("Site1", lambda: TARGET, 5.0) as session:
        opened.pool.close()
        assert not session.is_alive()
    with pytest.raises(ConnectionClosed, match="shutting down"):
        opened.use()

    assert opened.pool.open_count == 0


def test_a_session_that_does_not_end_holds_up_no_other() -> None:
    stuck = threading.Event()

    class Stuck(Fake):
        def close(self) -> None:
            stuck.wait(20)

    one = Stuck()
    pool = SessionPool(lambda _, __: one, Limits(logins_per_second=1e6))
    with pool.lease("stuck", lambda: TARGET, 5.0):
        pass
    others = [Fake() for _ in range(100)]
    for number, other in enumerate(others):
        pool.put_new(f"Site{number}", other)
        pool.put_back(f"Site{number}", other)
    began = time.monotonic()
    pool.close(timeout=0.5)
    took = time.monotonic() - began
    stuck.set()

    assert took < 3
    assert not any(other.is_alive() for other in others)


def test_no_session_is_lost_whatever_many_threads_do(opened: Opened) -> None:
    """Polls, failing polls, changes of devices and at last the end of the monitor, all at the same time."""
    stop = threading.Event()

    def fail_now_and_then(chance: random.Random) -> None:
        if chance.random() < 0.3:
            raise AuthenticationFailed("no")

    def work(seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311 # a repeatable test
        device = f"Site{seed}"
        while not stop.is_set():
            try:
                with opened.pool.lease(device, lambda: TARGET, 5.0, chance.choice((0.0, 0.001, 9))):
                    fail_now_and_then(chance)
            except (AuthenticationFailed, ConnectionClosed):
                pass
            if chance.random() < 0.2:
                opened.pool.forget(f"Site{chance.randrange(6)}")

    threads = [threading.Thread(target=work, args=(seed,), daemon=True) for seed in range(6)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    opened.pool.close()
    time.sleep(0.05)
    stop.set()
    for thread in threads:
        thread.join(10)

    assert opened.pool.opened_total > 50
    assert opened.is_complete()
