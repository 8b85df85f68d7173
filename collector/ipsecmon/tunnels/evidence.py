"""The lines a device printed that show what an event says, from just before and just after it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from ipsecmon.model import (
    Event,
    EventKind,
    Evidence,
    PollResult,
    RawOutput,
    RekeyTrigger,
    TunnelState,
)
from ipsecmon_parsers.registry import SHOW_IPSEC_SA, SHOW_ISAKMP_SA

__all__ = ["with_evidence"]

# what tells the story of one flow: who, how many packets, which SPI, how long still
_TELLING = re.compile(
    r"current_peer|#pkts (?:encaps|decaps)|#send errors|current outbound spi|current inbound spi|sa timing"
)
# a rekey that went as it should needs no more than the SPIs and what was left
_TELLING_OF_REKEY = re.compile(r"current outbound spi|sa timing")
_LINES_QUOTED = 8
# an ASA prints role and state of an SA on the two lines below its peer
_HEAD_OF_IKE_BLOCK = re.compile(r"\s*\d+\s+IKE Peer:")
_LINES_BELOW_HEAD = 2
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
        self._read_at = {output.command: output.ended_at for output in outputs}
        self._lines: dict[str, list[str]] = {}
        self._rows: dict[str, list[tuple[int, str]]] | None = None

    def lines(self, command: str) -> list[str]:
        if command not in self._lines:
            self._lines[command] = self._texts.get(command, "").split("\n")
        return self._lines[command]

    def ike_rows(self, peer: str) -> Iterator[Evidence]:
        """The rows of the table of IKE SAs that name a peer."""
        if self._rows is None:
            self._rows = {}
            for number, line in enumerate(self.lines(SHOW_ISAKMP_SA), 1):
                for word in set(line.split()):
                    self._rows.setdefault(word, []).append((number, line))
        for number, line in self._rows.get(peer, ())[:_LINES_QUOTED]:
            yield self._evidence(SHOW_ISAKMP_SA, number, line)
            if _HEAD_OF_IKE_BLOCK.match(line):
                state = self.lines(SHOW_ISAKMP_SA)[number : number + _LINES_BELOW_HEAD]
                for below, text in enumerate(state, number + 1):
                    yield self._evidence(SHOW_ISAKMP_SA, below, text)

    def quote(
        self, command: str, first: int, last: int, wanted: Callable[[str], object]
    ) -> Iterator[Evidence]:
        """The wanted ones of the lines from ``first`` to ``last``, the first of them only if there are many."""
        found = 0
        for number, line in enumerate(self.lines(command)[first - 1 : last], first):
            if found < _LINES_QUOTED and wanted(line):
                found += 1
                yield self._evidence(command, number, line)

    def _evidence(self, command: str, number: int, line: str) -> Evidence:
        return Evidence(
            command=command,
            line_no=number,
            text=line.replace("\xa0", " ").strip(),
            read_at=self._read_at[command],
        )


def _quoted(event: Event, tunnel: TunnelState | None, answers: _Answers) -> Iterator[Evidence]:
    if tunnel is None:
        return
    if tunnel.lines is not None:
        is_routine = event.facts.get("trigger") in (RekeyTrigger.TIME, RekeyTrigger.VOLUME)
        telling = _TELLING_OF_REKEY if is_routine else _TELLING
        yield from answers.quote(SHOW_IPSEC_SA, *tunnel.lines, telling.search)
    peer = tunnel.current_peer
    if event.kind in _ABOUT_IKE and peer:
        yield from answers.ike_rows(peer)
