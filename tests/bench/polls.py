"""``make bench-polls``: what one poll of a hub costs, step by step, and what is kept of it in memory.

An emulated hub is polled a few times; each step of the last polls is timed by itself, as processor seconds with its
share. The memory is measured in a process of its own that polls the recorded texts and keeps nothing but the state.
"""

from __future__ import annotations

import argparse
import ctypes
import ctypes.util
import gc
import os
import pickle
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from ipsecmon.history import History, Retention
from ipsecmon.lab.network import Network
from ipsecmon.lab.simulated import LabClock, SimulatedDevice
from ipsecmon.lab.topology import hub
from ipsecmon.metrics import render_result
from ipsecmon.model import PollResult, RawOutput, Reason
from ipsecmon.poll import PolledDevice, poll_device
from ipsecmon.sessions import Session, SessionPool, Target
from ipsecmon.sessions.host_keys import AnyHostKey
from ipsecmon.tunnels import Reading, build, with_evidence
from ipsecmon.tunnels.ends import Ends
from ipsecmon.tunnels.links import join
from ipsecmon_parsers.records import CryptoMapEntry, Flow, IkeSa, Platform
from ipsecmon_parsers.registry import (
    BUILT_IN,
    SHOW_CRYPTO_MAP,
    SHOW_IPSEC_SA,
    SHOW_ISAKMP_SA,
    ParseResult,
)

_SIZES = (100, 1000, 4000)
_POLLS = 5
_COMMANDS = (SHOW_ISAKMP_SA, SHOW_IPSEC_SA, SHOW_CRYPTO_MAP)

_T = TypeVar("_T")
Texts = list[tuple[float, dict[str, str]]]


def recorded(tunnels: int) -> Texts:
    """What the hub answers in some polls, a minute apart."""
    network = Network(hub(tunnels), seed=1)
    network.run_until(300)
    device = SimulatedDevice(network, "hub")
    session = device.open()
    texts: Texts = []
    for number in range(_POLLS):
        network.run_until(300 + 60 * number)
        answers = {command: session.run(command, 60).text for command in _COMMANDS}
        texts.append((LabClock.unix_seconds(network.now), answers))
    return texts


@dataclass(slots=True)
class Steps:
    """Processor seconds of each step, poll by poll."""

    seconds: dict[str, list[float]]

    def timed(self, step: str, run: Callable[[], _T]) -> _T:
        gc.collect()
        before = time.process_time()
        made = run()
        self.seconds.setdefault(step, []).append(time.process_time() - before)
        return made


def _nothing_known() -> PollResult:
    return PollResult(
        device="hub",
        host="192.0.2.1",
        platform=Platform.IOSXE,
        interval_seconds=60.0,
        started_at=0.0,
        duration_seconds=0.0,
        read_at=None,
        errors_total=dict.fromkeys(Reason, 0),
    )


def _parsed(answers: dict[str, str]) -> dict[str, ParseResult]:
    return {
        command: BUILT_IN.parse("iosxe", command, text, complete=True)
        for command, text in answers.items()
        if command != SHOW_CRYPTO_MAP  # read once an hour
    }


def _linked(result: PollResult, ends: Ends) -> PollResult:
    ends.put(result)
    return replace(result, links=join(result, ends, (), result.links))


def steps_of(texts: Texts, history: History) -> Steps:
    """Poll the texts with every step by itself, as ``poll_device`` and the service do them."""
    steps = Steps({})
    ends = Ends()
    last = _nothing_known()
    for at, answers in texts:
        outputs = [
            RawOutput(command=command, text=text, started_at=at, ended_at=at)
            for command, text in answers.items()
        ]
        parsed = steps.timed("parse", partial(_parsed, answers))
        listing = parsed[SHOW_IPSEC_SA]
        crypto_map = last.crypto_map or tuple(
            record
            for record in BUILT_IN.parse(
                "iosxe", SHOW_CRYPTO_MAP, answers[SHOW_CRYPTO_MAP], complete=True
            ).records
            if isinstance(record, CryptoMapEntry)
        )
        reading = Reading(
            at=at,
            flows=[record for record in listing.records if isinstance(record, Flow)],
            ike_sas=[r for r in parsed[SHOW_ISAKMP_SA].records if isinstance(r, IkeSa)],
            crypto_map=crypto_map,
            lines=[(source.first_line, source.last_line) for source in listing.sources],
        )
        made = steps.timed("build", partial(build, reading, last))
        events = steps.timed(
            "quote evidence", partial(with_evidence, made.events, made.tunnels, outputs, last)
        )
        result = replace(
            last,
            read_at=at,
            started_at=at,
            tunnels=made.tunnels,
            ike_peers=made.ike_peers,
            unmatched_ike_sas=made.unmatched_ike_sas,
            highest_conn_ids=made.highest_conn_ids,
            crypto_map=crypto_map,
            outputs=tuple(outputs),
            events=events,
        )

        result = steps.timed("look for other ends", partial(_linked, result, ends))
        steps.timed("render", partial(render_result, result))
        steps.timed("record", partial(history.record, result, last.outputs))
        last = result
    return steps


def _table(tunnels: int, steps: Steps) -> None:
    # the first poll compiles templates and knows nothing yet
    medians = {step: statistics.median(took[1:]) for step, took in steps.seconds.items()}
    total = sum(medians.values())
    print(f"\n{tunnels:,} tunnels: {total:.3f} s of processor time for a poll")
    for step, took in medians.items():
        print(f"  {step:20} {took * 1e3:9.1f} ms  {took / total:6.1%}")
    print(f"  build and render: {(medians['build'] + medians['render']) * 1e3:.1f} ms", flush=True)


class _Answers(Session):
    def __init__(self, at: float, answers: dict[str, str]) -> None:
        self._at, self._answers = at, answers

    def run(self, command: str, timeout: float) -> RawOutput:
        assert timeout > 0
        text = self._answers.get(command, "% Invalid input detected at '^' marker.\n")
        return RawOutput(command=command, text=text, started_at=self._at, ended_at=self._at)

    def is_alive(self) -> bool:
        return False

    def close(self) -> None:
        pass


def _answering(at: float, answers: dict[str, str], _: Target, timeout: float) -> Session:
    assert timeout > 0
    return _Answers(at, answers)


def _polled(texts: Texts) -> PollResult | None:
    last: PollResult | None = None
    for at, answers in texts:
        device = PolledDevice(
            name="hub",
            host="192.0.2.1",
            platform=Platform.IOSXE,
            interval_seconds=60.0,
            timeout_seconds=60.0,
            target=lambda: Target(
                device="hub",
                host="192.0.2.1",
                port=22,
                username="monitor",
                password="-",
                host_keys=AnyHostKey(),
                connect_timeout=1,
                read_timeout=1,
            ),
        )
        last = poll_device(
            device, SessionPool(partial(_answering, at, answers)), last, partial(float, at)
        )
        assert last.is_good, last.error
    return last


def _resident_megabytes() -> float:
    gc.collect()
    if library := ctypes.util.find_library("c"):
        ctypes.CDLL(library).malloc_trim(0)
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def _measure_growth(folder: Path) -> None:
    """In a process of its own: the templates are warm, then the hub comes; what parsing left unused counts, too."""
    with (folder / "small").open("rb") as file:
        _polled(pickle.load(file))  # noqa: S301 # written by the parent
    before = _resident_megabytes()
    with (folder / "large").open("rb") as file:
        result = _polled(pickle.load(file))  # noqa: S301 # written by the parent
    assert result is not None
    (folder / "state").write_bytes(pickle.dumps(result))
    after = _resident_megabytes()
    print(f"  resident: the process grew by {after - before:.1f} MB over three polls", flush=True)


def _measure_state(folder: Path) -> None:
    """In a fresh process: the state alone, its strings shared as they were."""
    pickle.dumps(_nothing_known())  # imports what unpickling needs
    before = _resident_megabytes()
    with (folder / "state").open("rb") as file:
        result = pickle.load(file)  # noqa: S301 # written by the parent
    state = _resident_megabytes() - before
    rendered = render_result(result)
    metrics = _resident_megabytes() - before - state
    answers = sum(len(output.text) for output in result.outputs) / 1e6
    print(
        f"  resident: {state:.1f} MB of state, {answers:.1f} MB of that the last answers as text; "
        f"{metrics:.1f} MB of rendered metrics",
        flush=True,
    )
    del rendered


_MEASURED = {"growth": _measure_growth, "state": _measure_state}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=list(_SIZES))
    parser.add_argument("--memory", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.memory is not None:
        what, folder = chosen.memory
        _MEASURED[what](Path(folder))
        return 0
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores")
    for size in chosen.sizes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            texts = recorded(size)
            for file, body in (("small", recorded(2)[:1]), ("large", texts[-3:])):
                (folder / file).write_bytes(pickle.dumps(body))
            history = History(
                folder / "history.sqlite", Retention(age_seconds=1e9, size_bytes=10**9)
            )
            _table(size, steps_of(texts, history))
            history.close()
            del texts
            for what in _MEASURED:
                subprocess.run(  # noqa: S603 # ourselves
                    [sys.executable, "-m", "bench.polls", "--memory", what, name], check=True
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
