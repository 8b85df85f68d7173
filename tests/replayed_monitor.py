"""A monitor that polls what was recorded of a day, to be killed: ``python replayed_monitor.py RECORDING HISTORY``.

It goes on from what its history remembers and prints the number of each poll once that is committed.
"""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from ipsecmon.errors import ConnectFailed
from ipsecmon.history import History, Retention
from ipsecmon.model import PollResult, RawOutput
from ipsecmon.poll import PolledDevice, poll_device
from ipsecmon.sessions import Session, SessionPool, Target
from ipsecmon.sessions.host_keys import AnyHostKey
from ipsecmon_parsers.records import Platform

DEVICE = "hub"


@dataclass(frozen=True, slots=True)
class RecordedPoll:
    """When a poll began and what the device answered; without answers it could not be reached."""

    started_at: float
    outputs: tuple[RawOutput, ...]


def write_recording(path: Path, polls: list[RecordedPoll]) -> None:
    """One poll a line, each compressed on its own."""
    with path.open("wb") as file:
        for poll in polls:
            body = zlib.compress(json.dumps(asdict(poll)).encode(), 1)
            file.write(len(body).to_bytes(4, "big") + body)


def read_recording(path: Path) -> Iterator[RecordedPoll]:
    """What ``write_recording`` wrote."""
    with path.open("rb") as file:
        while size := file.read(4):
            body = json.loads(zlib.decompress(file.read(int.from_bytes(size, "big"))))
            outputs = tuple(RawOutput(**output) for output in body["outputs"])
            yield RecordedPoll(body["started_at"], outputs)


class _Replayed(Session):
    """Answers as recorded."""

    def __init__(self, poll: RecordedPoll) -> None:
        self._answers = {output.command: output for output in poll.outputs}

    def run(self, command: str, timeout: float) -> RawOutput:
        assert timeout > 0
        return self._answers[command]

    def is_alive(self) -> bool:
        return False

    def close(self) -> None:
        pass


class ReplayedMonitor:
    """Polls a recording one poll after the other, from where its history ends."""

    def __init__(self, history: Path) -> None:
        self.history = History(history, Retention(age_seconds=1e9, size_bytes=10**9)).open()
        self.last: PollResult | None = self.history.restore(DEVICE)

    def poll(self, recorded: RecordedPoll) -> bool:
        """Poll once, unless the history has it; whether it polled and committed."""
        if self.last is not None and recorded.started_at <= self.last.started_at:
            return False

        def open_session(_: Target, timeout: float) -> Session:
            assert timeout > 0
            if not recorded.outputs:
                raise ConnectFailed("no answer; is it reachable?")
            return _Replayed(recorded)

        device = PolledDevice(
            name=DEVICE,
            host="192.0.2.1",
            platform=Platform.IOSXE,
            interval_seconds=60.0,
            timeout_seconds=30.0,
            target=lambda: Target(
                device=DEVICE,
                host="192.0.2.1",
                port=22,
                username="monitor",
                password="-",  # nothing is logged in to
                host_keys=AnyHostKey(),
                connect_timeout=1,
                read_timeout=1,
            ),
        )
        before = self.last.outputs if self.last else ()
        result = poll_device(
            device, SessionPool(open_session), self.last, lambda: recorded.started_at
        )
        if not self.history.record(result, before):
            raise AssertionError("the history did not take the poll")
        self.last = result
        return True


def main(recording: Path, history: Path) -> None:
    monitor = ReplayedMonitor(history)
    for number, recorded in enumerate(read_recording(recording)):
        if monitor.poll(recorded):
            print(number, flush=True)  # noqa: T201 # what the test waits for
    monitor.history.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
