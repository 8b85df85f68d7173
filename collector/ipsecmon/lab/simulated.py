"""Simulated devices that are polled without a socket, and the play of days of polls in seconds.

    network = Network(hub(100), seed=1)
    network.plan(7200, lambda: network.reload("hub"))
    device = SimulatedDevice(network, "hub", troubles=(unreachable(10_000, 13_600),))
    play(network, [device], until=86_400, interval_seconds=60, on_poll=check)

A session types at the same shell as the SSH server and reads the answer as every transport does, so a poll meets the
same bytes, refusals and cuts. The clock is lab time: nothing waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from ipsecmon.errors import AnswerTimeout, AuthenticationFailed, ConnectFailed, ConnectionClosed
from ipsecmon.lab.answers import EPOCH
from ipsecmon.lab.asa import shell_of
from ipsecmon.lab.faults import Faults
from ipsecmon.lab.ios import Close, Pause, Repeat, Send
from ipsecmon.lab.network import Network
from ipsecmon.model import PollResult, RawOutput
from ipsecmon.poll import PolledDevice, poll_device
from ipsecmon.sessions import Session, SessionPool, Target
from ipsecmon.sessions.host_keys import AnyHostKey
from ipsecmon.sessions.reading import AnswerReader, Progress, prompt_pattern
from ipsecmon.sessions.readonly import ensure_read_only
from ipsecmon_parsers.records import Platform

__all__ = [
    "LabClock",
    "Poll",
    "SimulatedDevice",
    "SimulatedSession",
    "Trouble",
    "Watch",
    "cut",
    "late",
    "login_refused",
    "play",
    "refused",
    "unreachable",
]

Poll = Callable[[PolledDevice, SessionPool, PollResult | None, Callable[[], float]], PollResult]


class LabClock:
    """The wall clock of a monitor that lives in lab time: Unix seconds, ``offset_seconds`` from the true ones."""

    def __init__(self, network: Network, *, offset_seconds: float = 0.0) -> None:
        self.offset_seconds = offset_seconds
        self._network = network

    def __call__(self) -> float:
        return self.unix_seconds(self._network.now) + self.offset_seconds

    @staticmethod
    def unix_seconds(lab_second: float) -> float:
        """The true time at a lab second."""
        return EPOCH.timestamp() + lab_second


class _Kind(Enum):
    UNREACHABLE = auto()
    LOGIN_REFUSED = auto()
    MISBEHAVING = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What stands between the collector and a device from one lab second until before another.

    ``faults`` are those of the shell; ``late_seconds`` pass before each answer. The tunnels notice nothing of it.
    """

    start: float
    stop: float
    kind: _Kind = _Kind.MISBEHAVING
    faults: Faults = field(default_factory=Faults)
    late_seconds: float = 0.0


def unreachable(start: float, stop: float) -> Trouble:
    """No connection comes up, and one that stands gets no answer."""
    return Trouble(start=start, stop=stop, kind=_Kind.UNREACHABLE)


def login_refused(start: float, stop: float) -> Trouble:
    """No new session is let in; one that stands goes on."""
    return Trouble(start=start, stop=stop, kind=_Kind.LOGIN_REFUSED)


def refused(start: float, stop: float, *commands: str) -> Trouble:
    """The commands, in full words, are not authorised; all show commands if none is named."""
    return Trouble(start=start, stop=stop, faults=Faults(refuse=commands or ("show",)))


def cut(start: float, stop: float, *, after_bytes: int) -> Trouble:
    """The connection closes within each answer that is longer than this."""
    return Trouble(start=start, stop=stop, faults=Faults(cut_after=after_bytes))


def late(start: float, stop: float, *, seconds: float) -> Trouble:
    """So many seconds pass before each answer, at most those the collector waits."""
    return Trouble(start=start, stop=stop, late_seconds=seconds)


class SimulatedDevice:
    """A router of the network as a collector meets it. ``clock`` is the monitor's; lab time if not given."""

    def __init__(
        self,
        network: Network,
        router: str,
        *,
        troubles: Iterable[Trouble] = (),
        clock: Callable[[], float] | None = None,
        phase_seconds: float = 0.0,
        timeout_seconds: float = 30.0,
    ) -> None:
        self.network = network
        self.config = network.router(router)
        self.troubles = tuple(troubles)
        self.clock = clock or LabClock(network)
        self.phase_seconds = phase_seconds
        self._timeout_seconds = timeout_seconds

    @property
    def name(self) -> str:
        """The name of the router, of the device in the monitor too."""
        return self.config.name

    @property
    def platform(self) -> Platform:
        """What its answers are parsed as."""
        if self.config.dialect == "asa-9":
            return Platform.ASA
        return Platform.IOSXE if self.config.dialect.startswith("iosxe") else Platform.IOS

    def polled(self, interval_seconds: float) -> PolledDevice:
        """What a poll must know of it."""
        return PolledDevice(
            name=self.name,
            host=str(self.config.address),
            platform=self.platform,
            interval_seconds=interval_seconds,
            timeout_seconds=self._timeout_seconds,
            target=self._target,
        )

    def open(self) -> SimulatedSession:
        """Log in, or the error that a transport would raise."""
        if not self.is_reachable():
            raise ConnectFailed(f"no connection to {self.name}: no answer; is it reachable?")
        if self._has(_Kind.LOGIN_REFUSED):
            raise AuthenticationFailed(f"{self.name} refused the login of {self.config.username}")
        return SimulatedSession(self)

    def is_reachable(self) -> bool:
        """Whether the collector can reach it: it is not booting, and nothing stands between."""
        return self.network.is_up(self.name) and not self._has(_Kind.UNREACHABLE)

    def faults(self) -> Faults:
        """How its shell misbehaves now; of several troubles the first counts."""
        return next((t.faults for t in self._current() if t.kind is _Kind.MISBEHAVING), Faults())

    def late_seconds(self) -> float:
        """How long each answer takes now."""
        return sum(trouble.late_seconds for trouble in self._current())

    def _current(self) -> list[Trouble]:
        now = self.network.now
        return [trouble for trouble in self.troubles if trouble.start <= now < trouble.stop]

    def _has(self, kind: _Kind) -> bool:
        return any(trouble.kind is kind for trouble in self._current())

    def _target(self) -> Target:
        return Target(
            device=self.name,
            host=str(self.config.address),
            port=22,
            username=self.config.username,
            password=self.config.password,
            enable_secret=self.config.enable_secret,
            host_keys=AnyHostKey(),
            connect_timeout=self._timeout_seconds,
            read_timeout=self._timeout_seconds,
        )


class SimulatedSession(Session):
    """A terminal session in privileged mode, without pages."""

    def __init__(self, device: SimulatedDevice) -> None:
        self._device = device
        self._network = device.network
        self._reloads = device.network.reloads(device.name)
        self._prompt = prompt_pattern(device.config.prompt_name)
        self._is_open = True
        self._shell = shell_of(
            device.network, device.name, clock=lambda: self._network.now, faults=device.faults
        )
        self._shell.start()
        if device.config.login_privilege < 15:
            self._shell.receive(f"enable\r{device.config.enable_secret}\r".encode())
        self._shell.receive(f"{self._shell.paging_command} 0\r".encode())

    def run(self, command: str, timeout: float) -> RawOutput:
        """The answer as the terminal shows it. Silence is found out at once: no lab time is spent waiting for it."""
        started_at = self._device.clock()
        ensure_read_only(command)
        if not self.is_alive():
            raise ConnectionClosed(f"{self._device.name} closed the session", command)
        if not self._device.is_reachable():
            self._is_open = False
            raise self._timeout(command, timeout)
        self._pass_time(self._device.late_seconds(), command, timeout)
        reader = AnswerReader(command, self._prompt)
        progress = Progress.READING
        for action in self._shell.receive(f"{command}\r".encode()):
            match action:
                case Send(data=data):
                    progress = reader.feed(data)
                case Pause(seconds=seconds):
                    self._pass_time(seconds, command, timeout)
                case Repeat():
                    self._pass_time(2 * timeout, command, timeout)
                case Close():
                    self._is_open = False
        if progress is not Progress.PROMPT:
            if not self._is_open:
                raise ConnectionClosed(
                    f"{self._device.name} closed the session after {reader.received_bytes} bytes",
                    command,
                )
            self._is_open = False
            raise self._timeout(command, timeout)
        return RawOutput(
            command=command,
            text=reader.answer(),
            started_at=started_at,
            ended_at=self._device.clock(),
        )

    def is_alive(self) -> bool:
        """A reload ends it; of a path that is cut nobody hears."""
        has_been_up = self._network.reloads(self._device.name) == self._reloads
        return self._is_open and has_been_up

    def close(self) -> None:
        """End it."""
        self._is_open = False

    def _pass_time(self, seconds: float, command: str, timeout: float) -> None:
        if seconds:
            self._network.run_until(self._network.now + min(seconds, timeout))
        if seconds > timeout:
            self._is_open = False
            raise self._timeout(command, timeout)

    def _timeout(self, command: str, timeout: float) -> AnswerTimeout:
        return AnswerTimeout(f"no answer of {self._device.name} within {timeout:g} s", command)


class Watch:
    """A monitor's polls of simulated devices: one at a time, now, or all of them at their interval.

    ``results`` is the newest result of each device; give those of an earlier watch as ``previous`` to restart it.
    """

    def __init__(
        self,
        network: Network,
        devices: Sequence[SimulatedDevice],
        *,
        interval_seconds: float = 60.0,
        previous: Mapping[str, PollResult] | None = None,
        poll: Poll = poll_device,
    ) -> None:
        self.results: dict[str, PollResult] = dict(previous or {})
        self._network = network
        self._devices = {device.name: device for device in devices}
        self._interval_seconds = interval_seconds
        self._poll = poll
        self._sessions = SessionPool(
            lambda target, timeout: self._devices[target.device].open()  # noqa: ARG005 - instant
        )

    def poll(self, name: str) -> PollResult:
        """Poll one device now."""
        device = self._devices[name]
        result = self._poll(
            device.polled(self._interval_seconds),
            self._sessions,
            self.results.get(name),
            device.clock,
        )
        self.results[name] = result
        return result

    def play(self, until: float, on_poll: Callable[[PollResult], object] | None = None) -> None:
        """Let lab time run and poll every device each interval, at its phase, from now to before ``until``."""
        begin = self._network.now
        in_order = sorted(self._devices.values(), key=lambda device: device.phase_seconds)
        rounds = 0
        while begin + rounds * self._interval_seconds < until:
            for device in in_order:
                due = begin + rounds * self._interval_seconds + device.phase_seconds
                if due < until:
                    self._network.run_until(due)
                    result = self.poll(device.name)
                    if on_poll is not None:
                        on_poll(result)
            rounds += 1
        self._network.run_until(until)


def play(
    network: Network,
    devices: Sequence[SimulatedDevice],
    *,
    until: float,
    interval_seconds: float = 60.0,
    on_poll: Callable[[PollResult], object] | None = None,
    previous: Mapping[str, PollResult] | None = None,
    poll: Poll = poll_device,
) -> dict[str, PollResult]:
    """Poll the devices each interval until a lab second; ``on_poll`` hears of each poll. Returns the newest results."""
    watch = Watch(network, devices, interval_seconds=interval_seconds, previous=previous, poll=poll)
    watch.play(until, on_poll)
    return watch.results
