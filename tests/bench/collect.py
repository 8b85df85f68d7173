"""``make bench-collect``: what collecting costs, beside NAPALM's own ``cli()``, and what a thousand open sessions weigh.

A poll is three commands on a session that is open. The routers are emulated, in a process of their own, so that what
they cost is not counted. The clients take turns in one process, and the middle of their rounds counts: this machine
has other work. Wall times are those of the loopback address, where nothing is far away.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from napalm.ios.ios import IOSDriver

from ipsecmon.config import Transport
from ipsecmon.lab.ssh import Lab
from ipsecmon.lab.topology import hub
from ipsecmon.sessions import Session, Target
from ipsecmon.sessions.host_keys import AnyHostKey
from ipsecmon.sessions.transports import Transports
from ipsecmon_parsers.registry import SHOW_IPSEC_SA, SHOW_ISAKMP_SA, SHOW_SA_LIFETIME

__all__ = ["main"]

_COMMANDS = [SHOW_ISAKMP_SA, SHOW_IPSEC_SA, SHOW_SA_LIFETIME]
_USER, _PASSWORD, _ENABLE = "monitor", "monitor-lab", "enable-lab"
_STOCK = "napalm, stock cli()"
# the share of stock NAPALM's CPU and wall time that must hold
_LIMITS = {Transport.NAPALM: (1 / 4, 1 / 10), Transport.ASYNCSSH: (1 / 6, 1 / 10)}
_LIMIT_MB = 200
_FOLDER = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of one poll, in milliseconds."""

    cpu: float
    wall: float


def _target(endpoint: tuple[str, int], transport: Transport) -> Target:
    host, port = endpoint
    return Target(
        device="hub",
        host=host,
        port=port,
        username=_USER,
        password=_PASSWORD,
        enable_secret=_ENABLE,
        host_keys=AnyHostKey(),
        transport=transport,
        connect_timeout=30.0,
        read_timeout=30.0,
    )


@contextmanager
def _routers(spokes: int) -> Generator[tuple[str, int]]:
    """A hub in a process of its own; where it listens."""
    process = subprocess.Popen(  # noqa: S603 # ourselves
        [sys.executable, "-m", "bench.collect", "--serve", str(spokes)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=_FOLDER,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        host, port = process.stdout.readline().split()
        yield host, int(port)
    finally:
        process.stdin.close()
        process.wait(30)
        process.stdout.close()


def _serve(spokes: int) -> None:
    _allow_sockets()
    with Lab(hub(spokes), warm_up=120.0, serve=["hub"]) as lab:
        host, port = lab.endpoints["hub"]
        print(host, port, flush=True)
        sys.stdin.read()  # until whoever started us is done


def _allow_sockets() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _measured(poll: Callable[[], object], polls: int) -> Cost:
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(polls):
        poll()
    return Cost(
        cpu=(time.process_time() - cpu) / polls * 1000,
        wall=(time.perf_counter() - wall) / polls * 1000,
    )


def _poll_of(session: Session) -> Callable[[], int]:
    return lambda: sum(len(session.run(command, 60.0).text) for command in _COMMANDS)


def _polled(session: Session) -> int:
    return _poll_of(session)()


def _stock(endpoint: tuple[str, int], polls: int) -> Cost:
    host, port = endpoint
    driver = IOSDriver(host, _USER, _PASSWORD, optional_args={"port": port, "secret": _ENABLE})
    driver.open()
    try:
        driver.cli(_COMMANDS)
        return _measured(lambda: driver.cli(_COMMANDS), polls)
    finally:
        driver.close()


def _ours(
    transports: Transports, endpoint: tuple[str, int], transport: Transport, polls: int
) -> Cost:
    session = transports.open(_target(endpoint, transport), 60.0)
    try:
        poll = _poll_of(session)
        poll()
        return _measured(poll, polls)
    finally:
        session.close()


def _middle(costs: list[Cost]) -> Cost:
    return Cost(
        cpu=statistics.median(cost.cpu for cost in costs),
        wall=statistics.median(cost.wall for cost in costs),
    )


def _compare(endpoint: tuple[str, int], rounds: int, transports: Transports) -> bool:
    stock: list[Cost] = []
    ours: dict[Transport, list[Cost]] = {transport: [] for transport in _LIMITS}
    for _ in range(rounds):
        stock.append(_stock(endpoint, 10))
        for transport, costs in ours.items():
            costs.append(_ours(transports, endpoint, transport, 200))
    reference = _middle(stock)
    print(
        f"{'session':<22}{'CPU ms':>8}{'wall ms':>9}{'of CPU':>9}{'limit':>7}{'of wall':>9}{'limit':>7}"
    )
    print(f"{_STOCK:<22}{reference.cpu:>8.2f}{reference.wall:>9.1f}")
    is_good = True
    for transport, (cpu_limit, wall_limit) in _LIMITS.items():
        cost = _middle(ours[transport])
        cpu, wall = cost.cpu / reference.cpu, cost.wall / reference.wall
        is_good = is_good and cpu <= cpu_limit and wall <= wall_limit
        print(
            f"{transport:<22}{cost.cpu:>8.2f}{cost.wall:>9.1f}"
            f"{cpu:>9.3f}{cpu_limit:>7.3f}{wall:>9.3f}{wall_limit:>7.3f}"
        )
    return is_good


def _resident_mb() -> float:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise LookupError("this system does not say how much memory a process has")


def _hold(endpoint: tuple[str, int], count: int) -> bool:
    """Open that many sessions, ask over each of them, and see what the process weighs."""
    _allow_sockets()
    transports = Transports()
    at = _target(endpoint, Transport.ASYNCSSH)
    before = _resident_mb()

    def opened(_: int) -> Session:
        return transports.open(at, 600.0)

    with ThreadPoolExecutor(20) as pool:
        sessions = list(pool.map(opened, range(count)))
        for _ in range(2):
            list(pool.map(_polled, sessions))
        after = _resident_mb()
        cpu = time.process_time()
        time.sleep(5)
        idle = (time.process_time() - cpu) / 5 * 1000
    alive = sum(session.is_alive() for session in sessions)
    print(
        f"{alive} sessions over asyncssh: {after:.0f} MB resident (limit {_LIMIT_MB}), "
        f"{before:.0f} MB without them, {(after - before) * 1024 / count:.0f} KB each; "
        f"idle {idle:.2f} ms of CPU a second"
    )
    transports.close()
    return alive == count and after < _LIMIT_MB


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--spokes", type=int, default=5, help="tunnels of the router polled")
    parser.add_argument("--sessions", type=int, default=1000)
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--hold", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve is not None:
        _serve(arguments.serve)
        return 0
    if arguments.hold is not None:
        host, port = arguments.hold
        return 0 if _hold((host, int(port)), arguments.sessions) else 1
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, napalm {version('napalm')}, "
        f"netmiko {version('netmiko')}, paramiko {version('paramiko')}, asyncssh {version('asyncssh')}"
    )
    with _routers(arguments.spokes) as endpoint:
        transports = Transports()
        is_good = _compare(endpoint, arguments.rounds, transports)
        transports.close()
        if arguments.sessions:
            held = subprocess.run(  # noqa: S603 # ourselves
                [
                    *(sys.executable, "-m", "bench.collect"),
                    *("--sessions", str(arguments.sessions)),
                    *("--hold", endpoint[0], str(endpoint[1])),
                ],
                cwd=_FOLDER,
                check=False,
            )
            is_good = is_good and held.returncode == 0
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
