"""One day of a hub in the simulator, polled every minute, with the truth beside every reading.

At 5 h a spoke loses its way to the hub for ten minutes and turns to its second hub, at 9 h the hub reloads, at 13 h
somebody types ``clear crypto sa``, from 17 h to 18 h the monitor cannot reach the hub. Rekeys go on all day.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from ipsecmon.lab.network import Network
from ipsecmon.lab.simulated import LabClock, SimulatedDevice, Watch, unreachable
from ipsecmon.lab.topology import Dialect, Keepalive, Topology, hub
from ipsecmon.lab.truth import FlowTruth, Happening, HappeningKind
from ipsecmon.metrics import render_result
from ipsecmon.model import Event, PollResult, RekeyTrigger

HUB, SPOKE = "hub", "spoke0001"
HOUR = 3600.0
WARM_UP = 600.0
INTERVAL = 60.0
FAILOVER, RELOAD, CLEAR, UNREACHABLE = 5 * HOUR, 9 * HOUR, 13 * HOUR, 17 * HOUR

_SAMPLE = re.compile(r"^(?P<series>[^ {]+(?:\{.*\})?) (?P<value>\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sample:
    """One good reading: the tunnels, the truth at that moment, and every series with its value."""

    result: PollResult
    truth: dict[str, FlowTruth]
    series: dict[str, float]


@dataclass(slots=True)
class Day:
    """What was read of each device, in order; failed polls have no sample."""

    network: Network
    pace: float = 1.0
    samples: dict[str, list[Sample]] = field(default_factory=lambda: {HUB: [], SPOKE: []})
    events: dict[str, list[Event]] = field(default_factory=lambda: {HUB: [], SPOKE: []})
    failed: dict[str, int] = field(default_factory=lambda: {HUB: 0, SPOKE: 0})

    def moment(self, lab_second: float) -> float:
        """When in this day something happened that happens at ``lab_second`` of a day of full length; Unix seconds."""
        return LabClock.unix_seconds(lab_second * self.pace)

    def keep(self, result: PollResult) -> None:
        """What a poll made, beside what is true now."""
        self.events[result.device] += result.events
        if not result.is_good:
            self.failed[result.device] += 1
            return
        truth = {name_of(one): one for one in self.network.truth(result.device)}
        self.samples[result.device].append(Sample(result, truth, series_of(result)))

    def happenings(self, router: str, tunnel: str, after: float, until: float) -> list[Happening]:
        """What truly happened to a tunnel in between, its router's own reloads included; Unix seconds."""
        return [
            one
            for one in self.network.happenings
            if one.router == router
            and after < LabClock.unix_seconds(one.at) <= until
            and (
                one.flow is None
                or f"{one.flow.local}-{one.flow.remote}" in tunnel.replace("_", "/")
            )
        ]


def topology(spokes: int, spoke_dialect: Dialect = "ios-15") -> Topology:
    """A hub whose first spoke has a second hub to turn to."""
    keepalive = Keepalive(seconds=10)
    plain = hub(spokes, spoke_dialect=spoke_dialect, keepalive=keepalive)
    doubled = hub(spokes, spoke_dialect=spoke_dialect, keepalive=keepalive, with_backup=True)
    routers = [doubled.router(SPOKE) if one.name == SPOKE else one for one in plain.routers]
    return plain.model_copy(update={"routers": (*routers, doubled.router("backup"))})


def play_day(
    spokes: int,
    *,
    pace: float = 1.0,
    seed: int = 1,
    spoke_dialect: Dialect = "ios-15",
    on_poll: Callable[[PollResult], object] | None = None,
) -> Day:
    """Play it; the first reading is taken when all tunnels have had time to come up.

    With a ``pace`` of 0.25 it is a day of six hours, and all happens four times as early.
    """
    network = Network(topology(spokes, spoke_dialect), seed=seed)
    plan = [
        (FAILOVER * pace, lambda: network.set_unreachable(HUB, SPOKE)),
        (FAILOVER * pace + 600, lambda: network.set_unreachable(HUB, SPOKE, is_unreachable=False)),
        (RELOAD * pace, lambda: network.reload(HUB, boot_seconds=180)),
        (CLEAR * pace, lambda: network.clear_sa(HUB)),
    ]
    for at, action in plan:
        network.plan(at, action)
    network.run_until(WARM_UP)
    devices = [
        SimulatedDevice(
            network, HUB, troubles=(unreachable(UNREACHABLE * pace, UNREACHABLE * pace + HOUR),)
        ),
        SimulatedDevice(network, SPOKE, phase_seconds=7.0),
    ]
    day = Day(network, pace)
    watch = Watch(network, devices, interval_seconds=INTERVAL)
    watch.play(24 * HOUR * pace, on_poll or day.keep)
    return day


def name_of(truth: FlowTruth) -> str:
    """The name the monitor gives to this flow."""
    key = truth.key
    return f"{key.crypto_map}/{key.local.replace('/', '_')}-{key.remote.replace('/', '_')}"


def series_of(result: PollResult) -> dict[str, float]:
    """Every sample of an exposition by its name and labels."""
    text = b"".join(render_result(result).values()).decode()
    return {match["series"]: float(match["value"]) for match in _SAMPLE.finditer(text)}


def true_trigger(happenings: list[Happening]) -> RekeyTrigger:
    """Why the SPI is another than at the last reading: any time without a pair makes it an outage."""
    if any(one.is_up is False or one.kind is HappeningKind.RELOAD for one in happenings):
        return RekeyTrigger.OUTAGE
    renewed = [one for one in happenings if one.kind is HappeningKind.REKEY and one.trigger]
    return RekeyTrigger(str(renewed[-1].trigger))


def settled_moves(values: list[bool]) -> list[bool]:
    """To what a state moved whenever it stayed for two readings, from its first one on."""
    settled = values[0]
    moves: list[bool] = []
    for before, value in pairwise(values):
        if before is value and value is not settled:
            settled = value
            moves.append(value)
    return moves
