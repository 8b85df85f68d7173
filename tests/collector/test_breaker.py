"""A credential that several devices refuse rests before its account is locked."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ipsecmon.config import load_config
from ipsecmon.credentials import CredentialBreaker, CredentialRested
from ipsecmon.credentials.breaker import GRACE_SECONDS
from ipsecmon.errors import (
    AuthenticationFailed,
    ConnectFailed,
    KeyUnusable,
    PrivilegeDenied,
)
from ipsecmon.model import Reason, Stage
from ipsecmon.poller import Poller
from ipsecmon.sessions import Session, Target
from ipsecmon.sessions.guarded import guarded
from ipsecmon.sessions.host_keys import AnyHostKey

WRONG, RIGHT = b"wrong", b"right"
REST = 900.0


class Account:
    """One credential under a clock that is set by hand."""

    def __init__(self, rejections: int = 3) -> None:
        self.now = 1_700_000_000.0
        self.breaker = CredentialBreaker(rejections, REST, clock=lambda: self.now)

    def refused(self, *devices: str, secret: bytes = WRONG) -> None:
        for device in devices:
            self.breaker.check("lab", secret, device)
            self.breaker.rejected("lab", secret, device)

    def accepted(self, device: str, secret: bytes = WRONG) -> None:
        self.breaker.check("lab", secret, device)
        self.breaker.accepted("lab", secret, device)

    def is_tried(self, device: str, secret: bytes = WRONG) -> bool:
        """Asked without an attempt that follows."""
        try:
            self.breaker.check("lab", secret, device)
        except CredentialRested:
            return False
        self.breaker.undecided("lab", device)
        return True

    def rests(self) -> bool:
        return self.breaker.rested()["lab"]


@pytest.fixture
def account() -> Account:
    return Account()


def test_three_devices_in_a_row_rest_a_credential(account: Account) -> None:
    account.refused("Site1", "Site2")
    assert not account.rests()

    account.refused("Site3")

    assert account.rests()
    assert not account.is_tried("Site4")
    assert account.breaker.rejections() == {"lab": 3}


def test_the_sentence_names_credential_devices_times_and_what_to_do(account: Account) -> None:
    account.refused("Site1")
    account.now += 60
    account.refused("Site2", "Site3")

    with pytest.raises(CredentialRested) as caught:
        account.breaker.check("lab", WRONG, "Site4")

    assert str(caught.value) == (
        "credential 'lab' was refused by Site2, Site3, Site1 since 2023-11-14T22:13:20Z "
        "and rests until 2023-11-14T22:29:20Z so that the account is not locked; "
        "correct its user name or secret, which ends the rest at once"
    )
    assert (caught.value.stage, caught.value.reason) == (Stage.AUTH, Reason.AUTH)


def test_one_device_that_refuses_for_ever_rests_nothing(account: Account) -> None:
    account.refused(*["Site1"] * 50)

    assert not account.rests()
    assert account.is_tried("Site2")


def test_a_login_between_starts_the_count_anew(account: Account) -> None:
    account.refused("Site1", "Site2")
    account.accepted("Site3")
    account.refused("Site4", "Site5")

    assert not account.rests()


def test_refusals_of_another_secret_do_not_count(account: Account) -> None:
    account.refused("Site1", "Site2")
    account.refused("Site3", secret=b"another")

    assert not account.rests()


def test_other_credentials_go_on(account: Account) -> None:
    account.refused("Site1", "Site2", "Site3")

    account.breaker.check("other", WRONG, "Site1")

    assert account.breaker.rested() == {"lab": True, "other": False}


def test_after_the_rest_one_device_tries_and_the_others_wait_for_it(account: Account) -> None:
    account.refused("Site1", "Site2", "Site3")
    account.now += REST - 1
    assert not account.is_tried("Site4")
    account.now += 1

    account.breaker.check("lab", WRONG, "Site4")

    with pytest.raises(CredentialRested, match="and is being tried on Site4 again"):
        account.breaker.check("lab", WRONG, "Site5")
    account.breaker.accepted("lab", WRONG, "Site4")
    assert not account.rests()
    assert account.is_tried("Site5")


def test_a_try_that_fails_rests_it_again(account: Account) -> None:
    account.refused("Site1", "Site2", "Site3")
    account.now += REST
    account.refused("Site4")

    assert not account.is_tried("Site5")
    account.now += REST - 1
    assert not account.is_tried("Site5")
    account.now += 1
    assert account.is_tried("Site5")


def test_a_try_that_met_a_dead_device_leaves_it_to_the_next(account: Account) -> None:
    account.refused("Site1", "Site2", "Site3")
    account.now += REST
    account.breaker.check("lab", WRONG, "Site4")

    account.breaker.undecided("lab", "Site4")

    assert account.rests()
    assert account.is_tried("Site5")


def test_those_who_refused_leave_the_first_try_to_others(account: Account) -> None:
    """Otherwise three devices with a mistake of their own would keep the credential from all others for ever."""
    account.refused("Site1", "Site2", "Site3")
    account.now += REST

    assert not account.is_tried("Site1")
    assert account.is_tried("Site4")
    account.now += GRACE_SECONDS
    assert account.is_tried("Site1")


def test_a_changed_secret_is_tried_at_once_on_one_device(account: Account) -> None:
    account.refused("Site1", "Site2", "Site3")

    account.breaker.check("lab", RIGHT, "Site1")

    assert not account.is_tried("Site2", RIGHT)
    account.breaker.accepted("lab", RIGHT, "Site1")
    assert account.is_tried("Site2", RIGHT)


def test_a_changed_secret_that_is_wrong_too_rests_at_its_first_refusal(account: Account) -> None:
    account.refused("Site1", "Site2", "Site3")
    account.refused("Site1", secret=b"wrong again")

    assert not account.is_tried("Site4", b"wrong again")
    account.now += REST - 1
    assert not account.is_tried("Site4", b"wrong again")


def test_a_late_refusal_of_the_old_secret_says_nothing_about_the_new(account: Account) -> None:
    for device in ("Site1", "Site2", "Site3"):
        account.breaker.check("lab", WRONG, device)
    account.accepted("Site4", RIGHT)

    for device in ("Site1", "Site2", "Site3"):
        account.breaker.rejected("lab", WRONG, device)

    assert not account.rests()
    assert account.breaker.rejections() == {"lab": 3}


def test_a_secret_not_yet_accepted_is_in_flight_on_few_devices_only(account: Account) -> None:
    """A thousand devices at start: the fourth waits for what the first three say."""
    for device in ("Site1", "Site2", "Site3"):
        account.breaker.check("lab", WRONG, device, wait=30.0)
    with ThreadPoolExecutor(10) as pool:
        others = [
            pool.submit(account.breaker.check, "lab", WRONG, f"other{number}", 30.0)
            for number in range(10)
        ]
        for device in ("Site1", "Site2", "Site3"):
            account.breaker.rejected("lab", WRONG, device)
        errors = [other.exception(timeout=20) for other in others]

    assert {type(error) for error in errors} == {CredentialRested}


def test_the_first_that_is_accepted_lets_the_waiting_go(account: Account) -> None:
    for device in ("Site1", "Site2", "Site3"):
        account.breaker.check("lab", RIGHT, device)
    is_through = threading.Event()

    def wait() -> None:
        account.breaker.check("lab", RIGHT, "Site4", 30.0)
        is_through.set()

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(wait)
        account.breaker.accepted("lab", RIGHT, "Site1")
        assert is_through.wait(20)
        waiting.result()


def test_devices_that_never_decide_hold_up_nobody_for_long(account: Account) -> None:
    for number in range(10):
        account.breaker.check("lab", WRONG, f"dead{number}", wait=0.01)

    assert not account.rests()


def test_many_threads_let_no_more_than_the_limit_through() -> None:
    account = Account()
    tried: list[str] = []

    def attempt(number: int) -> None:
        device = f"Site{number}"
        try:
            account.breaker.check("lab", WRONG, device, 30.0)
        except CredentialRested:
            return
        tried.append(device)
        account.breaker.rejected("lab", WRONG, device)

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(attempt, range(1000)))

    assert len(tried) == 3
    assert account.rests()


# around the opening of sessions


def target(device: str = "Site1") -> Target:
    return Target(
        device=device,
        host="192.0.2.1",
        port=22,
        username="monitor",
        credential="lab",
        fingerprint=WRONG,
        host_keys=AnyHostKey(),
        connect_timeout=1.0,
        read_timeout=1.0,
    )


class Opening:
    """Opens nothing; raises what it is told to."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.opened: list[str] = []
        self.doubted: list[str] = []
        self.breaker = CredentialBreaker()
        self.open = guarded(self._open, self.breaker, self.doubted.append)

    def _open(self, target: Target, timeout: float) -> Session:  # noqa: ARG002 # what a session has
        self.opened.append(target.device)
        raise self.error

    def try_all(self, *devices: str) -> list[type[Exception]]:
        errors: list[type[Exception]] = []
        for device in devices:
            try:
                self.open(target(device), 1.0)
            except Exception as error:  # noqa: BLE001 # whichever it is
                errors.append(type(error))
        return errors


FOUR = ("Site1", "Site2", "Site3", "Site4")


def test_a_refused_login_is_told_and_its_secret_read_anew() -> None:
    opening = Opening(AuthenticationFailed("refused"))

    assert opening.try_all(*FOUR) == [*[AuthenticationFailed] * 3, CredentialRested]
    assert opening.opened == ["Site1", "Site2", "Site3"]
    assert opening.doubted == ["lab"] * 4


@pytest.mark.parametrize(
    ("error", "doubted"),
    [
        (ConnectFailed("nobody there"), []),
        (PrivilegeDenied("wrong enable secret"), ["lab"] * 4),
        (AuthenticationFailed("refused", jump_host="bastion"), []),
        (KeyUnusable("no agent answers"), []),
        (RuntimeError("a fault of ours"), []),
    ],
    ids=["unreachable", "enable", "jump host", "own key", "unexpected"],
)
def test_what_is_no_refusal_of_the_device_rests_nothing(
    error: Exception, doubted: list[str]
) -> None:
    opening = Opening(error)

    assert opening.try_all(*FOUR) == [type(error)] * 4
    assert opening.breaker.rested() == {"lab": False}
    assert opening.doubted == doubted


def test_a_whole_network_with_a_wrong_password_is_tried_three_times(tmp_path: Path) -> None:
    """And once again, on one device, when the file with the password has changed."""
    devices = "".join(
        f"  - {{name: Site{number}, host: 192.0.2.{number}, platform: ios, credentials: lab}}\n"
        for number in range(1, 10)
    )
    (tmp_path / "password").write_text("wrong")
    config = tmp_path / "ipsecmon.yml"
    config.write_text(
        "host_keys: {check: off}\nhistory: {path: off}\n"
        "credentials:\n  lab: {username: monitor, password: {file: password}}\n"
        f"devices:\n{devices}"
    )
    tried: list[tuple[str, str | None]] = []

    def refuse(target: Target, timeout: float) -> Session:  # noqa: ARG001 # what a session has
        tried.append((target.device, target.password))
        raise AuthenticationFailed("refused")

    poller = Poller(load_config(config), open_session=refuse)
    names = [f"Site{number}" for number in range(1, 10)]

    results = [poller.poll(name) for name in names]
    (tmp_path / "password").write_text("also wrong")
    again = [poller.poll(name) for name in names]

    assert tried == [*((name, "wrong") for name in names[:3]), ("Site1", "also wrong")]
    assert [result.error.reason for result in (*results, *again) if result.error] == [
        Reason.AUTH
    ] * 18
    assert results[8].error is not None
    assert "rests until" in results[8].error.cause
    poller.close()


def test_reloads_neither_end_a_rest_nor_begin_the_count_anew(tmp_path: Path) -> None:
    """A source of devices may be asked each minute, and each answer is a reload."""
    devices = "".join(
        f"  - {{name: Site{number}, host: 192.0.2.{number}, platform: ios, credentials: lab}}\n"
        for number in range(1, 10)
    )
    file = tmp_path / "ipsecmon.yml"
    text = (
        "host_keys: {check: off}\nhistory: {path: off}\n"
        "credentials:\n  lab: {username: monitor, password: {env: LAB}}\n"
    )
    more = "  other: {username: monitor, password: {env: OTHER}}\n"
    tried: list[str] = []

    def refuse(target: Target, timeout: float) -> Session:  # noqa: ARG001 # what a session has
        tried.append(target.device)
        raise AuthenticationFailed("refused")

    file.write_text(f"{text}devices:\n{devices}")
    poller = Poller(load_config(file), open_session=refuse)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAB", "wrong")
        for number in range(1, 10):
            poller.poll(f"Site{number}")
            file.write_text(f"{text}{more * (number % 2)}devices:\n{devices}")
            poller.apply(load_config(file))
    poller.close()

    assert tried == ["Site1", "Site2", "Site3"]


def test_waiting_for_others_is_taken_from_the_time_for_the_login() -> None:
    given: list[float] = []

    def open_session(_: Target, timeout: float) -> Session:
        given.append(timeout)
        raise ConnectFailed("no answer")

    breaker = CredentialBreaker(rejections=1)
    breaker.check("lab", target("Site2").fingerprint, "Site1")  # and it takes its time
    with pytest.raises(ConnectFailed):
        guarded(open_session, breaker, lambda _: None)(target("Site2"), 2.0)

    assert given[0] <= 1.5
