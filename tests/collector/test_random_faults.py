"""Ten thousand polls over real SSH, a fifth of them met by a fault picked at random: no result that claims success is wrong.

Sixteen threads poll a router each, so that faults strike while others are read. A poll may fail for any reason; one that
does not fail must hold exactly what the router said.
"""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from ipsecmon.config import Transport
from ipsecmon.lab.ssh import Lab
from ipsecmon.lab.topology import two_sites
from ipsecmon.sessions.transports import Transports
from over_ssh import Watcher, differences

POLLS = 5000
ROUTERS = 16
SHARE_OF_FAULTS = 0.2
FAULTS: tuple[dict[str, Any], ...] = (
    {"login": "refuse"},
    {"login": "reset"},
    {"login": "silent"},
    {"login": "not_ssh"},
    {"vty_lines": 0},
    {"refuse": ("show crypto ipsec sa",)},
    {"refuse": ("show crypto isakmp sa",)},
    {"refuse": ("show",), "refusal": "invalid"},
    {"refuse_terminal_length": True},
    {"reply_seconds": 0.2},
    {"reply_seconds": 1.0},
    {"hang": True},
    {"cut_after": 100, "cut": "close"},
    {"cut_after": 700, "cut": "reset"},
    {"cut_after": 1300, "cut": "silent"},
    {"truncate": 12},
    {"truncate": "inbound esp"},
    {"truncate": "outbound"},
    {"slow_seconds": 0.01, "slow_bytes": 200},
    {"slow_seconds": 0.05, "slow_bytes": 7},
    {"prompt_in_output": True},
    {"prompt_line_in_output": True},
    {"late_prompt": True},
    {"late_prompt": True, "reply_seconds": 0.1},
    {"late_prompt": True, "slow_seconds": 0.01, "slow_bytes": 61},
    {"syslog_in_output": True},
    {"no_echo": True},
    {"noise": True},
    {"endless": True},
)


@dataclass
class Tally:
    """What came of the polls, counted by all threads."""

    good: int = 0
    failed: int = 0
    struck: int = 0
    good_though_struck: int = 0
    wrong: list[str] = field(default_factory=list[str])
    not_recovered: list[str] = field(default_factory=list[str])
    lock: threading.Lock = field(default_factory=threading.Lock)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("transport", [Transport.NAPALM, Transport.ASYNCSSH], ids=str)
def test_no_poll_of_ten_thousand_tells_what_the_router_did_not_say(transport: Transport) -> None:
    names = [f"r{number}" for number in range(ROUTERS)]
    aliases = dict.fromkeys(names, "Site1")
    tally = Tally()
    transports = Transports()
    with Lab(two_sites(), warm_up=60, serve=(), aliases=aliases) as lab:
        try:
            with ThreadPoolExecutor(ROUTERS) as pool:
                watching = [
                    pool.submit(watch, lab, name, transports, transport, tally) for name in names
                ]
                for one in watching:
                    one.result()
        finally:
            transports.close()

    print(tally.good, tally.failed, tally.struck, tally.good_though_struck)  # noqa: T201 - shown on failure
    assert tally.wrong == []
    assert tally.not_recovered == []
    assert tally.good + tally.failed >= POLLS
    assert tally.struck > POLLS * SHARE_OF_FAULTS * 0.8
    assert tally.good > POLLS * 0.75


def watch(lab: Lab, name: str, transports: Transports, transport: Transport, tally: Tally) -> None:
    chance = random.Random(f"{transport}/{name}")  # noqa: S311 # no secret hangs on it
    watcher = Watcher(
        lab=lab,
        router=name,
        transports=transports,
        transport=transport,
        timeout=3.0,
        read_timeout=0.5,
        connect_timeout=1.0,
        changes={"max_answer_bytes": 300_000},
    )
    was_struck = False
    for _ in range(POLLS // ROUTERS + 1):
        faults = chance.choice(FAULTS) if chance.random() < SHARE_OF_FAULTS else None
        if faults is not None:
            if chance.random() < 0.5:
                watcher.pool.drop(name)
            lab.set_fault(name, **faults)
        result = watcher.poll()
        wrong = [] if result.error else differences(lab, result)
        with tally.lock:
            tally.struck += faults is not None
            tally.good += result.error is None
            tally.failed += result.error is not None
            tally.good_though_struck += result.error is None and faults is not None
            tally.wrong += [f"{name}: {faults}: {one}" for one in wrong]
            if faults is None and result.error is not None:
                tally.not_recovered.append(f"{name}: after a fault {was_struck}: {result.error}")
        was_struck = faults is not None
        if faults is not None:
            lab.clear_faults(name)
    watcher.close()
