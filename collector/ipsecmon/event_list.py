"""Events for a person and for a pipe: a list by day with the evidence below each line, or one JSON object a line.

Tuesday 2026-11-24, times in UTC+01:00

03:12:07  Site1  CRYPTO/10.1.1.0_24-10.2.2.0_24  DOWN  no SA any more, and send errors grow
                 show crypto ipsec sa:
                     14 | #send errors 13, #recv errors 0
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo

import click

from ipsecmon.dump import event_document
from ipsecmon.history import RawPair, RecordedEvent
from ipsecmon.model import Event, EventKind, Evidence, RawOutput
from ipsecmon.moments import local, offset_text
from ipsecmon_parsers.documents import Json

__all__ = ["EventList", "json_lines", "text_lines"]

_COLORS = {
    EventKind.DOWN: "red",
    EventKind.GONE: "red",
    EventKind.UNREACHABLE: "red",
    EventKind.UP: "green",
    EventKind.REACHABLE: "green",
    EventKind.NEW: "green",
    EventKind.REKEY: "cyan",
}
_OTHER_COLOR = "yellow"
_LEAST_DETAIL_WIDTH = 40
_RULE_WIDTH = 100


@dataclass(slots=True)
class EventList:
    """Makes the lines of a list, event by event; columns are as wide as the events it is made for need.

    ``width`` is that of the terminal, ``None`` for lines as long as they are; ``zone`` that of the machine unless given.
    """

    device_width: int
    tunnel_width: int
    kind_width: int
    width: int | None = None
    zone: tzinfo | None = None
    _heading: str = ""

    @classmethod
    def made_for(
        cls, events: Sequence[Event], width: int | None = None, zone: tzinfo | None = None
    ) -> EventList:
        """A list whose columns hold these events."""
        return cls(
            device_width=max((len(event.device) for event in events), default=0),
            tunnel_width=max((len(event.tunnel or "-") for event in events), default=0),
            kind_width=max((len(event.kind) for event in events), default=0),
            width=width,
            zone=zone,
        )

    def lines(self, event: Event) -> Iterator[str]:
        """A heading where a new day begins, the event, its evidence; with colours."""
        at = local(event.at, self.zone)
        heading = f"{at:%A %Y-%m-%d}, times in {offset_text(at)}"
        if heading != self._heading:
            if self._heading:
                yield ""
            yield click.style(heading, bold=True)
            yield ""
            self._heading = heading
        kind = event.kind.value.replace("_", " ").upper()
        before = (
            f"{at:%H:%M:%S}  {_plain(event.device):<{self.device_width}}  "
            f"{_plain(event.tunnel or '-'):<{self.tunnel_width}}  "
        )
        kind_width = max(self.kind_width, len(kind))
        first, *rest = self._wrapped(_plain(event.detail), len(before) + kind_width + 2)
        color = _COLORS.get(event.kind, _OTHER_COLOR)
        yield f"{before}{click.style(kind.ljust(kind_width), fg=color, bold=True)}  {first}"
        below = " " * (len("00:00:00") + self.device_width + 4)
        yield from (f"{below}{line}" for line in rest)
        answer: tuple[str, float | None] | None = None
        for evidence in event.evidence:
            if (evidence.command, evidence.read_at) != answer:
                answer = evidence.command, evidence.read_at
                yield click.style(
                    f"{below}{_plain(evidence.command)}{self._read(evidence)}:", dim=True
                )
            yield click.style(f"{below}{_numbered(evidence)}", dim=True)

    def _read(self, evidence: Evidence) -> str:
        """The same command is quoted from before and from after: the time tells them apart."""
        if evidence.read_at is None:
            return ""
        return f" at {local(evidence.read_at, self.zone):%H:%M:%S}"

    def _wrapped(self, detail: str, indent: int) -> list[str]:
        """The detail in lines that fit beside what stands before it; the others begin below the tunnel."""
        if self.width is None or indent + len(detail) <= self.width:
            return [detail]
        room = self.width - indent
        below = max(self.width - self.device_width - 12, _LEAST_DETAIL_WIDTH)
        first = textwrap.wrap(detail, max(room, _LEAST_DETAIL_WIDTH))[0]
        rest = detail[len(first) :].strip()
        return [first, *textwrap.wrap(rest, below)]

    def raw_lines(self, device: str, raw: RawPair) -> Iterator[str]:
        """What the router said before and after, each answer below a heading."""
        for word, outputs in (("before", raw.before), ("after", raw.after)):
            yield ""
            if not outputs:
                why = (
                    "nothing was kept; the monitor had just started"
                    if word == "before"
                    else "the router did not answer"
                )
                yield self._rule(f"{device} just {word}: {why}")
            for output in outputs:
                at = local(output.started_at, self.zone)
                yield self._rule(
                    f"{device} just {word}, {at:%Y-%m-%d %H:%M:%S} {offset_text(at)}: {output.command}"
                )
                yield from (_plain(line) for line in _text_lines(output))
        yield self._rule("")
        yield ""

    def _rule(self, title: str) -> str:
        line = f"--- {_plain(title)} " if title else ""
        return click.style(line.ljust(min(self.width or _RULE_WIDTH, _RULE_WIDTH), "-"), bold=True)


def _numbered(evidence: Evidence) -> str:
    return f"{evidence.line_no:>6} | {_plain(evidence.text.strip())}"


def _text_lines(output: RawOutput) -> list[str]:
    return output.text.replace("\r\n", "\n").strip("\n").split("\n")


def _plain(text: str) -> str:
    """A device must not move the cursor of whoever reads about it."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\t" else repr(c)[1:-1] for c in text)


def raw_document(raw: RawPair | None) -> Json:
    """The outputs before and after, ``null`` where none were kept."""
    if raw is None:
        return None
    return {"before": _output_documents(raw.before), "after": _output_documents(raw.after)}


def _output_documents(outputs: Sequence[RawOutput]) -> list[Json]:
    return [
        {
            "command": output.command,
            "started_at": output.started_at,
            "ended_at": output.ended_at,
            "text": output.text,
        }
        for output in outputs
    ]


def json_lines(
    events: Sequence[RecordedEvent], capture: Callable[[int], RawPair] | None
) -> Iterator[str]:
    """One object for each event; with ``capture`` its raw outputs too."""
    for recorded in events:
        document = event_document(recorded.event)
        if capture is not None:
            number = recorded.capture_id
            document["raw"] = raw_document(None if number is None else capture(number))
        yield json.dumps(document)


def text_lines(
    events: Sequence[RecordedEvent],
    shown: EventList,
    capture: Callable[[int], RawPair] | None,
) -> Iterator[str]:
    """The list; with ``capture`` the raw outputs stand below the last event of their poll."""
    for index, recorded in enumerate(events):
        yield from shown.lines(recorded.event)
        if capture is None:
            continue
        number = recorded.capture_id
        following = events[index + 1].capture_id if index + 1 < len(events) else None
        if number is None:
            yield click.style("          no raw outputs were kept", dim=True)
        elif number != following:
            yield from shown.raw_lines(recorded.event.device, capture(number))
