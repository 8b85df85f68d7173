"""``make bench-fleet``: a fleet in which every fifth device is dead in one way or another, and how late the others are polled.

The whole poller runs with its scheduler, limits and back-off; only the sessions are fakes, which sleep as long as real
ones would wait. ``measure`` takes any opener and configuration, so that the same can be seen over SSH.
"""

from __future__ import annotations

import argparse
import json
import logging
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ipsecmon.config import Config, load_config
from ipsecmon.errors import AnswerTimeout, AuthenticationFailed, ConnectFailed, ConnectionClosed
from ipsecmon.model import RawOutput
from ipsecmon.poller import Poller
from ipsecmon.schedule import Lane, PollScheduler
from ipsecmon.sessions import OpenSession, Session, Target

__all__ = ["Measured", "fleet_config", "main", "measure", "open_fake"]

_OUTPUTS = Path(__file__).resolve().parent.parent / "parsers" / "outputs" / "ios"
_ANSWERS = {
    command: (_OUTPUTS / command.replace(" ", "_") / case / "output.txt").read_text("utf-8")
    for command, case in (
        ("show crypto isakmp sa", "tutorial"),
        ("show crypto ipsec sa", "tutorial"),
        ("show crypto ipsec security-association lifetime", "default"),
    )
}
_ANSWERS["show crypto ipsec sa count"] = (
    "IPsec SA total: 2, active: 2, rekeying: 0, unused: 0, invalid: 0\n"
)
DEATHS = ("silent", "refusing", "locked", "hanging", "closing")
"""How a device is dead: no answer to the connection, nothing listens, the login is refused, a command is never answered,
the session ends within an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was seen after start-up."""

    polls: int
    """Of the devices that answer."""
    p50_seconds: float
    p99_seconds: float
    longest_seconds: float
    dead_polls: int
    dead_cpu_share: float
    """Of one core, in the threads that poll the dead."""
    cpu_share: float
    """Of one core, by the whole process."""
    good: int
    """Devices read well at the end."""
    missed: int
    """Polls of devices that answer, which were due and did not start."""
    threads: int
    """Still there, of those that were not at the beginning, once all is stopped."""


class _FakeSession(Session):
    def __init__(self, target: Target, death: str | None) -> None:
        self._target = target
        self._death = death
        self._closed = threading.Event()

    def run(self, command: str, timeout: float) -> RawOutput:
        """As long as a router takes for a short answer, or a dead one keeps us waiting."""
        if self._death == "hanging":
            self._closed.wait(min(timeout, self._target.read_timeout))
            raise AnswerTimeout("silent", command)
        self._closed.wait(0.02)
        if self._death == "closing" or self._closed.is_set():
            raise ConnectionClosed("closed", command)
        answer = _ANSWERS.get(command, "% Invalid input detected at '^' marker.\n")
        now = time.time()
        return RawOutput(command=command, text=answer, started_at=now - 0.02, ended_at=now)

    def is_alive(self) -> bool:
        """See ``Session``."""
        return not self._closed.is_set()

    def close(self) -> None:
        """See ``Session``."""
        self._closed.set()


def open_fake(target: Target, timeout: float) -> Session:
    """A session with the device; the word before the first hyphen of its name says how it is dead."""
    death = target.device.partition("-")[0]
    if death == "silent":
        time.sleep(min(timeout, target.connect_timeout))
        raise ConnectFailed("no answer")
    time.sleep(0.05)
    if death == "refusing":
        raise ConnectFailed("refused")
    if death == "locked":
        raise AuthenticationFailed("refused")
    return _FakeSession(target, death if death in DEATHS else None)


def fleet_config(folder: Path, living: int, dead: int, interval: float) -> Config:
    """The configuration of a fleet, its dead of all kinds in turn."""
    names = [f"living-{number}" for number in range(living)]
    names += [f"{DEATHS[number % len(DEATHS)]}-{number}" for number in range(dead)]
    devices = "\n".join(
        f"  - {{name: {name}, host: 192.0.2.1, platform: ios, credentials: lab}}" for name in names
    )
    file = folder / "ipsecmon.yml"
    file.write_text(
        f"poll: {{interval: {interval:g}s, timeout: {interval:g}s, read_timeout: {interval / 2:g}s, "
        f"connect_timeout: {interval / 2:g}s}}\n"
        "host_keys: {check: off}\n"
        "credentials:\n  lab: {username: monitor, password: lab}\n"
        f"devices:\n{devices}\n",
        encoding="utf-8",
    )
    file.chmod(0o600)
    return load_config(file)


def measure(
    config: Config,
    dead: Collection[str],
    warm_up: float,
    seconds: float,
    open_session: OpenSession | None = open_fake,
) -> Measured:
    """Poll the fleet, and look on for ``seconds`` after ``warm_up``."""
    threads = threading.active_count()
    poller = Poller(config, open_session=open_session)
    watched = _Watched(poller, dead)
    limits = config.limits
    scheduler = PollScheduler(watched.poll, poller.lane, limits.workers, limits.login_workers)
    for device in config.devices:
        scheduler.add(device.name, config.settings(device).plan.shortest_seconds)
    scheduler.start()
    try:
        time.sleep(warm_up)
        lateness = scheduler.lateness(Lane.LIVING)
        lateness.clear()
        watched.clear()
        missed = watched.missed(scheduler)
        cpu, wall = time.process_time(), time.monotonic()
        time.sleep(seconds)
        took = time.monotonic() - wall
        share = (time.process_time() - cpu) / took
        counts, _ = lateness.histogram()
        p50, p99, longest = (lateness.quantile(q) for q in (0.5, 0.99, 1.0))
        missed = watched.missed(scheduler) - missed
        good = sum(result.is_good for result in poller.store.snapshot().values())
        dead_polls, dead_share = watched.dead_polls, watched.dead_cpu_seconds / took
    finally:
        scheduler.stop()
        poller.close()
    return Measured(
        polls=sum(counts),
        p50_seconds=p50,
        p99_seconds=p99,
        longest_seconds=longest,
        dead_polls=dead_polls,
        dead_cpu_share=dead_share,
        cpu_share=share,
        good=good,
        missed=missed,
        threads=_threads_left(threads),
    )


class _Watched:
    """Polls, and takes down what those of the dead cost."""

    def __init__(self, poller: Poller, dead: Collection[str]) -> None:
        self._poller = poller
        self._dead = frozenset(dead)
        self._lock = threading.Lock()
        self.dead_polls = 0
        self.dead_cpu_seconds = 0.0

    def poll(self, device: str) -> bool:
        began = time.thread_time()
        try:
            return self._poller.poll_unless_busy(device)
        finally:
            if device in self._dead:
                with self._lock:
                    self.dead_polls += 1
                    self.dead_cpu_seconds += time.thread_time() - began

    def clear(self) -> None:
        with self._lock:
            self.dead_polls, self.dead_cpu_seconds = 0, 0.0

    @staticmethod
    def missed(scheduler: PollScheduler) -> int:
        return sum(
            count for cause, count in scheduler.missed_by_cause.items() if cause == "workers"
        )


def _threads_left(before: int) -> int:
    """A connection that is being opened cannot be ended, only waited for."""
    deadline = time.monotonic() + 15
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.1)
    return max(0, threading.active_count() - before)


def main(arguments: list[str] | None = None) -> int:
    """Print the figures; 1 if they are worse than what the service promises."""
    parser = argparse.ArgumentParser(prog="bench.fleet", description=__doc__)
    parser.add_argument("--living", type=int, default=160)
    parser.add_argument("--dead", type=int, default=40)
    parser.add_argument("--interval", type=float, default=10.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument(
        "--ssh",
        choices=["napalm", "asyncssh"],
        help="emulated routers over real SSH in place of fakes, with and without the dead",
    )
    given = parser.parse_args(arguments)
    logging.disable(logging.CRITICAL)  # the dead are told of in the log, at length
    if given.ssh is not None:
        return _over_ssh(given.ssh, given.living, given.dead, given.interval, given.seconds)
    with tempfile.TemporaryDirectory() as folder:
        config = fleet_config(Path(folder), given.living, given.dead, given.interval)
        names = (device.name for device in config.devices)
        dead = [name for name in names if not name.startswith("living")]
        # until all have logged in once, and the dead are known as such
        warm_up = (given.living + given.dead) / config.limits.logins_per_second + 2 * given.interval
        found = measure(config, dead, warm_up, given.seconds)
    return _report(found, given.living, given.dead, sys.stdout.write)


_FAULTS: Sequence[Mapping[str, object]] = (
    {"login": "silent"},
    {"login": "refuse"},
    {"login": "silent_after_version"},
    {"hang": True},
    {"cut_after": 200, "cut": "reset"},
    {"login": "not_ssh"},
    {},  # the password is wrong
)
"""How an emulated router is dead."""


def _over_ssh(transport: str, living: int, dead: int, interval: float, seconds: float) -> int:
    """The fleet with its dead and the same without them: the difference is what the dead cost, in all threads."""
    found: list[Measured] = []
    for count in (dead, 0):
        with tempfile.TemporaryDirectory() as folder, _routers(Path(folder), living + count) as lab:
            config = _ssh_config(Path(folder), lab.described, transport, living, interval)
            names = [device.name for device in config.devices]
            for number, name in enumerate(names[living:]):
                lab.spoil(name, _FAULTS[number % len(_FAULTS)])
            warm_up = len(names) / config.limits.logins_per_second + 3 * interval
            found.append(measure(config, names[living:], warm_up, seconds, open_session=None))
    with_dead, without = found
    cost = max(0.0, with_dead.cpu_share - without.cpu_share)
    return _report(replace(with_dead, dead_cpu_share=cost), living, dead, sys.stdout.write)


class _Routers:
    """A lab in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], described: Mapping[str, Any]) -> None:
        self.described = described
        self._process = process

    def spoil(self, router: str, faults: Mapping[str, object]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"router": router, "faults": faults}) + "\n")
        self._process.stdin.flush()


@contextmanager
def _routers(folder: Path, count: int) -> Generator[_Routers]:
    file = folder / "lab.json"
    command = [sys.executable, "-m", "ipsecmon.lab.serve", "--tunnels", "1"]
    command += ["--routers", str(count), "--port-file", str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as process:  # noqa: S603 # ourselves
        try:
            deadline = time.monotonic() + 30
            while not file.exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            yield _Routers(process, json.loads(file.read_text("utf-8")))
        finally:
            process.terminate()


def _ssh_config(
    folder: Path, described: Mapping[str, Any], transport: str, living: int, interval: float
) -> Config:
    (folder / "known_hosts").write_text(described["known_hosts"], encoding="utf-8")
    lines: list[str] = []
    for number, (name, (host, port)) in enumerate(described["endpoints"].items()):
        is_locked = number >= living and not _FAULTS[(number - living) % len(_FAULTS)]
        lines.append(
            f"  - {{name: {name}, host: {host}, port: {port}, platform: {described['platform']}, "
            f"credentials: {'wrong' if is_locked else 'lab'}}}"
        )
    file = folder / "ipsecmon.yml"
    devices = "\n".join(lines)
    enable = described["enable_secret"]
    file.write_text(
        f"poll: {{interval: {interval:g}s, timeout: {interval:g}s, read_timeout: {interval / 2:g}s, "
        f"connect_timeout: {interval / 2:g}s}}\n"
        f"ssh: {{transport: {transport}}}\n"
        "host_keys: {known_hosts: known_hosts}\nhistory: {path: off}\ncredentials:\n"
        f"  lab: {{username: {described['username']}, password: {described['password']}, enable: {enable}}}\n"
        f"  wrong: {{username: {described['username']}, password: no, enable: {enable}}}\n"
        f"devices:\n{devices}\n",
        encoding="utf-8",
    )
    file.chmod(0o600)
    return load_config(file)


def _report(found: Measured, living: int, dead: int, write: Callable[[str], object]) -> int:
    write(
        f"{living} devices that answer: {found.polls} polls, {found.good} good at the end, "
        f"{found.missed} missed for want of a worker\n"
        f"  late: p50 {found.p50_seconds * 1000:.1f} ms, p99 {found.p99_seconds * 1000:.1f} ms, "
        f"longest {found.longest_seconds * 1000:.1f} ms\n"
        f"{dead} dead: {found.dead_polls} polls, {found.dead_cpu_share:.2%} of one core "
        f"(the whole process: {found.cpu_share:.1%})\n"
        f"threads left after the end: {found.threads}\n"
    )
    is_good = (
        found.p99_seconds < 1.0
        and found.dead_cpu_share < 0.05
        and (found.good, found.missed, found.threads) == (living, 0, 0)
    )
    write(
        "good\n"
        if is_good
        else "bad: p99 must be below 1 s, the dead below 5 % of a core, all others good\n"
    )
    return 0 if is_good else 1


if __name__ == "__main__":
    raise SystemExit(main())
