"""The lines a device printed that show what an event says, from just before and just after it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from ipsecmon.model import Event, EventKind, Evidence, PollResult, RawOutput, TunnelState
from ipsecmon_parsers.registry import SHOW_IPSEC_SA, SHOW_ISAKMP_SA

__all__ = ["with_evidence"]

# what tells the story of one flow: who, how many packets, which SPI, how long still
_TELLING = re.compile(
    r"current_peer|#pkts (?:encaps|decaps)|#send errors|current outbound spi|current inbound spi|sa timing"
)
_LINES_QUOTED = 8
_ABOUT_IKE = frozenset({EventKind.UP, EventKind.DOWN, EventKind.GONE, EventKind.PEER_FAILOVER})


def with_evidence(
    events: Iterable[Event],
    tunnels: Sequence[TunnelState],
    outputs: Sequence[RawOutput],
    previous: PollResult,
) -> tuple[Event, ...]:
    """``events`` with what the device said before (``previous``) and after (``outputs``), where it said something."""
    events = tuple(events)
    if not events:
        return ()
    before, after = _Answers(previous.outputs), _Answers(outputs)
    old = {tunnel.name: tunnel for tunnel in previous.tunnels}
    new = {tunnel.name: tunnel for tunnel in tunnels}
    return tuple(
        event
        if event.tunnel is None
        else replace(
            event,
            evidence=(
                *_quoted(event, old.get(event.tunnel), before),
                *_quoted(event, new.get(event.tunnel), after),
            ),
        )
        for event in events
    )


class _Answers:
    """Answers split into lines when first asked for."""

    def __init__(self, outputs: Sequence[RawOutput]) -> None:
        self._texts = {output.command: output.text for output in outputs}
        self._lines: dict[str, list[str]] = {}

    def lines(self, command: str) -> list[str]:
        if command not in self._lines:
            self._lines[command] = self._texts.get(command, "").split("\n")
        return self._lines[command]


def _quoted(event: Event, tunnel: TunnelState | None, answers: _Answers) -> Iterator[Evidence]:
    if tunnel is None:
        return
    if tunnel.lines is not None:
        first, last = tunnel.lines
        lines = answers.lines(SHOW_IPSEC_SA)[first - 1 : last]
        told = [
            Evidence(command=SHOW_IPSEC_SA, line_no=number, text=line.strip())
            for number, line in enumerate(lines, first)
            if _TELLING.search(line)
        ]
        yield from told[:_LINES_QUOTED]
    if event.kind in _ABOUT_IKE and tunnel.current_peer:
        rows = [
            Evidence(command=SHOW_ISAKMP_SA, line_no=number, text=line.strip())
            for number, line in enumerate(answers.lines(SHOW_ISAKMP_SA), 1)
            if tunnel.current_peer in line.split()
        ]
        yield from rows[:_LINES_QUOTED]
