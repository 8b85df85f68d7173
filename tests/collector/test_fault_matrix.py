"""Everything a network does to a collector, over real SSH, against both transports.

Each fault ends in the reason that names it, within the poll's deadline and a second; nothing that was not said by the
router is taken for data; no thread and no session is left behind; and the next poll after the fault is good again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from ipsecmon.config import Transport
from ipsecmon.lab.network import Network
from ipsecmon.lab.ssh import Lab
from ipsecmon.lab.topology import Topology, hub, two_sites
from ipsecmon.model import Reason, Stage
from ipsecmon.sessions.host_keys import KnownHosts
from ipsecmon.sessions.transports import Transports
from over_ssh import Watcher, differences, own_threads

TRANSPORTS = (Transport.NAPALM, Transport.ASYNCSSH)
ROUTER = "Site1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A fault, whether it strikes a session in use or the login, and the reasons that name it (none: a good poll)."""

    name: str
    faults: dict[str, Any]
    reasons: tuple[Reason, ...] = ()
    at_login: bool = False
    changes: dict[str, Any] = field(default_factory=dict[str, Any])
    is_slow: bool = False
    """It takes a time-out to be seen."""


CASES = (
    Case(name="refused TCP", faults={"login": "refuse"}, reasons=(Reason.CONNECT,), at_login=True),
    Case(name="RST at once", faults={"login": "reset"}, reasons=(Reason.CONNECT,), at_login=True),
    Case(
        name="no SSH behind the port",
        faults={"login": "not_ssh"},
        reasons=(Reason.CONNECT,),
        at_login=True,
    ),
    Case(
        name="black hole before the handshake",
        is_slow=True,
        faults={"login": "silent"},
        reasons=(Reason.CONNECT,),
        at_login=True,
    ),
    Case(
        name="black hole during the handshake",
        is_slow=True,
        faults={"login": "silent_after_version"},
        reasons=(Reason.CONNECT, Reason.KEX, Reason.TIMEOUT),
        at_login=True,
    ),
    Case(
        name="AAA server too slow",
        is_slow=True,
        faults={"login_seconds": 20.0},
        reasons=(Reason.AUTH, Reason.TIMEOUT, Reason.CONNECT),
        at_login=True,
    ),
    Case(
        name="vty lines exhausted",
        faults={"vty_lines": 0},
        reasons=(Reason.CONNECT, Reason.CLOSED),
        at_login=True,
    ),
    Case(
        name="wrong password",
        faults={},
        changes={"password": "wrong"},
        reasons=(Reason.AUTH,),
        at_login=True,
    ),
    Case(
        name="wrong enable secret",
        faults={},
        changes={"enable_secret": "wrong"},
        reasons=(Reason.PRIVILEGE,),
        at_login=True,
    ),
    Case(
        name="no enable secret",
        faults={},
        changes={"enable_secret": None},
        reasons=(Reason.PRIVILEGE,),
        at_login=True,
    ),
    Case(
        name="a command denied by AAA",
        faults={"refuse": ("show crypto ipsec sa",)},
        reasons=(Reason.REFUSED,),
    ),
    Case(
        name="every command unknown",
        faults={"refuse": ("show",), "refusal": "invalid"},
        reasons=(Reason.REFUSED,),
    ),
    Case(name="a reply that comes late", is_slow=True, faults={"reply_seconds": 0.6}),
    Case(
        name="a reply that comes too late",
        is_slow=True,
        faults={"reply_seconds": 3.0},
        reasons=(Reason.TIMEOUT,),
    ),
    Case(name="hang for ever", is_slow=True, faults={"hang": True}, reasons=(Reason.TIMEOUT,)),
    Case(
        name="FIN in an answer", faults={"cut_after": 300, "cut": "close"}, reasons=(Reason.CLOSED,)
    ),
    Case(
        name="RST in an answer", faults={"cut_after": 300, "cut": "reset"}, reasons=(Reason.CLOSED,)
    ),
    Case(
        name="black hole in an answer",
        is_slow=True,
        faults={"cut_after": 300, "cut": "silent"},
        reasons=(Reason.TIMEOUT,),
    ),
    Case(
        name="a drip that never ends in time",
        is_slow=True,
        faults={"slow_seconds": 0.2, "slow_bytes": 8},
        reasons=(Reason.TIMEOUT,),
    ),
    Case(
        name="a drip that ends in time",
        is_slow=True,
        faults={"slow_seconds": 0.02, "slow_bytes": 100},
    ),
    Case(
        name="an answer that ends before its end",
        faults={"truncate": 20},
        reasons=(Reason.TRUNCATED, Reason.PARSE),
    ),
    Case(name="text like a prompt in an answer", faults={"prompt_in_output": True}),
    Case(name="the prompt itself in an answer", faults={"prompt_line_in_output": True}),
    Case(name="the prompt of an earlier command", faults={"late_prompt": True}),
    Case(name="a log message in an answer", faults={"syslog_in_output": True}),
    Case(name="no paging to be turned off", faults={"refuse_terminal_length": True}, at_login=True),
    Case(name="no echo", faults={"no_echo": True}, at_login=True),
    # what they stood for is not known: nothing is guessed
    Case(name="bytes that are no text", faults={"noise": True}, reasons=(Reason.PARSE,)),
    Case(
        name="more than any answer can be",
        faults={"endless": True},
        changes={"max_answer_bytes": 200_000},
        reasons=(Reason.OTHER,),
    ),
)


@pytest.fixture(scope="module")
def running_lab() -> Generator[Lab]:
    with Lab(two_sites(), warm_up=60) as lab:
        yield lab


@pytest.fixture(scope="module")
def transports() -> Generator[Transports]:
    opened = Transports()
    yield opened
    opened.close()


@pytest.fixture
def lab(running_lab: Lab) -> Iterator[Lab]:
    yield running_lab
    running_lab.clear_faults(ROUTER)


@pytest.fixture(params=TRANSPORTS, ids=str)
def watcher(request: pytest.FixtureRequest, lab: Lab, transports: Transports) -> Iterator[Watcher]:
    watching = Watcher(lab=lab, router=ROUTER, transports=transports, transport=request.param)
    yield watching
    watching.close()


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(one, id=one.name, marks=[pytest.mark.slow] if one.is_slow else [])
        for one in CASES
    ],
)
def test_a_fault_is_named_costs_its_deadline_at_most_and_passes(
    case: Case, watcher: Watcher, lab: Lab
) -> None:
    before = own_threads()
    if not case.at_login:
        assert watcher.poll().error is None
    watcher.changes = case.changes
    if not case.at_login and case.changes:
        watcher.pool.drop(ROUTER)
    lab.set_fault(ROUTER, **case.faults)

    result = watcher.poll()

    assert watcher.last_seconds < watcher.timeout + 1.0
    if case.reasons:
        assert result.error is not None
        assert result.error.reason in case.reasons, result.error
        assert watcher.pool.open_count == 0
        if case.at_login:
            assert (
                result.error.stage is not Stage.COMMAND
            )  # else it would be tried at its interval for ever
    else:
        assert result.error is None, result.error
        assert differences(lab, result) == []

    lab.clear_faults(ROUTER)
    watcher.changes = {}
    again = watcher.poll()
    assert again.error is None, again.error
    assert differences(lab, again) == []
    watcher.close()
    assert_nothing_is_left(lab, before)


def assert_nothing_is_left(lab: Lab, before: set[str]) -> None:
    """Threads and connections of ended sessions are gone within a moment."""
    until = time.monotonic() + 5.0
    while time.monotonic() < until:
        if own_threads() <= before and lab.connections_open(ROUTER) == 0:
            return
        time.sleep(0.02)
    assert own_threads() <= before
    assert lab.connections_open(ROUTER) == 0


def odd_sites() -> Topology:
    """The two sites, the first of them odd in every way a prompt and a banner can be."""
    sites = two_sites()
    first, *others = sites.routers
    odd = first.model_copy(
        update={"prompt": ODD_PROMPT, "banner_motd": ODD_BANNER, "banner_login": ODD_BANNER}
    )
    return sites.model_copy(update={"routers": (odd, *others)})


ODD_PROMPT = "R1(hub)[a.b]*x+?$#" + "-" * 32
ODD_BANNER = "\nSite1#\nSite1>\nPassword: \nrouter# \n> # > #\n\n"


@pytest.mark.parametrize("transport", TRANSPORTS, ids=str)
def test_odd_prompts_and_banners_full_of_prompts_do_no_harm(
    transport: Transport, transports: Transports
) -> None:
    with Lab(odd_sites(), warm_up=60) as lab:
        watcher = Watcher(lab=lab, router=ROUTER, transports=transports, transport=transport)
        for _ in range(3):
            result = watcher.poll()

            assert result.error is None, result.error
            assert differences(lab, result) == []
        watcher.close()


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_session_that_ends_between_two_polls_is_opened_anew(
    how: Literal["close", "reset"], watcher: Watcher, lab: Lab
) -> None:
    assert watcher.poll().error is None
    lab.break_connections(ROUTER, how)
    wait_for(lambda: lab.connections_open(ROUTER) == 0)

    assert watcher.poll().error is None


def test_a_session_that_was_idle_for_too_long_is_opened_anew(watcher: Watcher, lab: Lab) -> None:
    lab.set_fault(ROUTER, idle_seconds=0.2)
    assert watcher.poll().error is None
    wait_for(lambda: lab.connections_open(ROUTER) == 0)

    assert watcher.poll().error is None


@pytest.mark.slow
def test_a_reload_in_the_middle_of_a_poll_is_no_reading(transports: Transports) -> None:
    for transport in TRANSPORTS:
        with Lab(two_sites(), warm_up=60, speed=30) as lab:
            watcher = Watcher(lab=lab, router=ROUTER, transports=transports, transport=transport)
            assert watcher.poll().error is None
            lab.set_fault(ROUTER, slow_seconds=0.05, slow_bytes=64)
            reload = threading.Timer(0.4, lab.run, [reload_router])
            reload.start()
            result = watcher.poll()
            reload.join()
            lab.clear_faults(ROUTER)

            assert result.error is not None
            assert result.error.reason in (Reason.CLOSED, Reason.CONNECT), result.error
            assert watcher.poll().error is not None  # it boots
            wait_for(lambda: lab.run(lambda network: network.is_up(ROUTER)))
            assert watcher.poll().error is None
            watcher.close()


def test_another_host_key_is_refused_before_a_password_is_sent(
    watcher: Watcher, lab: Lab, tmp_path: Path
) -> None:
    known = tmp_path / "known_hosts"
    known.write_text(lab.known_hosts)
    watcher.host_keys = KnownHosts(known)
    assert watcher.poll().error is None
    watcher.pool.drop(ROUTER)
    attempts = lab.logins(ROUTER) + lab.failed_logins(ROUTER)
    lab.change_host_key(ROUTER)

    error = watcher.poll().error

    assert error is not None
    assert error.reason is Reason.HOSTKEY
    assert error.cause.count("SHA256:") == 2
    assert lab.logins(ROUTER) + lab.failed_logins(ROUTER) == attempts
    known.write_text(lab.known_hosts)
    watcher.host_keys = KnownHosts(known)
    assert watcher.poll().error is None


@pytest.mark.slow
@pytest.mark.timeout(200)
@pytest.mark.parametrize("transport", TRANSPORTS, ids=str)
def test_a_reply_after_thirty_seconds_is_read_where_the_device_is_given_the_time(
    transport: Transport, transports: Transports, lab: Lab
) -> None:
    watcher = Watcher(
        lab=lab,
        router=ROUTER,
        transports=transports,
        transport=transport,
        timeout=200.0,
        read_timeout=40.0,
    )
    assert watcher.poll().error is None
    lab.set_fault(ROUTER, reply_seconds=30.0)

    result = watcher.poll()

    assert result.error is None, result.error
    assert watcher.last_seconds > 30
    watcher.close()


@pytest.mark.slow
@pytest.mark.parametrize("transport", TRANSPORTS, ids=str)
def test_a_large_answer_at_five_kilobytes_a_second_is_read_to_its_end(
    transport: Transport, transports: Transports
) -> None:
    with Lab(hub(60), warm_up=60, serve=["hub"]) as lab:
        watcher = Watcher(
            lab=lab, router="hub", transports=transports, transport=transport, timeout=120.0
        )
        assert watcher.poll().error is None
        lab.set_fault("hub", slow_seconds=0.1, slow_bytes=512)

        result = watcher.poll()

        assert result.error is None, result.error
        assert differences(lab, result) == []
        assert watcher.last_seconds > 10
        watcher.close()


def reload_router(network: Network) -> None:
    network.reload(ROUTER, boot_seconds=60)


def wait_for(is_so: Callable[[], bool], seconds: float = 10.0) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)
