"""What happened to the tunnels, from the history."""

from __future__ import annotations

import difflib
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

import click

from ipsecmon.command_line import (
    CONFIG,
    EXIT_FAILED,
    EXIT_WRONG_USE,
    fail,
    load,
    stop_on_signals,
)
from ipsecmon.config.mistakes import listed
from ipsecmon.event_list import EventList, json_lines, text_lines
from ipsecmon.history import HistoryReader, HistoryUnreadable
from ipsecmon.model import EventKind
from ipsecmon.moments import ACCEPTED, local, offset_text, read_moment

__all__ = ["events"]

_FOLLOW_SECONDS = 1.0


def _moment(_: click.Context, parameter: click.Parameter, text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return read_moment(text, time.time())
    except (ValueError, OverflowError, OSError):
        raise click.BadParameter(f"found {text!r}, accepted: {ACCEPTED}", param=parameter) from None


@click.command()
@CONFIG
@click.option("--device", help="Only events of this device.")
@click.option("--tunnel", help="Only events of this tunnel; a part of its name is enough.")
@click.option(
    "--kind",
    "kinds",
    type=click.Choice([kind.value for kind in EventKind]),
    multiple=True,
    help="Only events of this kind; may be repeated.",
)
@click.option(
    "--since",
    callback=_moment,
    help="Only from then on: 2h ago, or a time such as 03:15 or 2026-11-24.",
)
@click.option("--until", callback=_moment, help="Only up to then.")
@click.option(
    "--limit",
    type=click.IntRange(0),
    default=100,
    show_default=True,
    help="The newest so many; 0 for all.",
)
@click.option(
    "--raw", is_flag=True, help="Show what the router said just before and just after, too."
)
@click.option(
    "--follow", is_flag=True, help="Go on with new events as they are recorded; Ctrl-C ends it."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each event.")
@click.option(
    "--history",
    "history_file",
    type=click.Path(path_type=Path),
    help="Read this file instead of the one the configuration names.",
)
def events(
    config_file: Path,
    device: str | None,
    tunnel: str | None,
    kinds: tuple[str, ...],
    since: float | None,
    until: float | None,
    limit: int,
    raw: bool,
    follow: bool,
    as_json: bool,
    history_file: Path | None,
) -> None:
    """Show what happened to the tunnels, oldest first.

    Reads the history that `ipsecmon run` writes, while it runs or later. Times are local.

    \b
    ipsecmon events --since 12h
    ipsecmon events --tunnel 10.2.2.0 --kind down --kind up
    ipsecmon events --tunnel 10.2.2.0 --since 03:00 --raw | less
    ipsecmon events --since 7d --limit 0 --json | jq -r 'select(.kind == "rekey") | .facts.trigger'
    """
    path = history_file or _history_file(config_file)
    try:
        with HistoryReader(path) as reader:
            _print_events(
                reader,
                _EventChoice(
                    device=_known_device(reader, device),
                    tunnels=_known_tunnels(reader, device, tunnel),
                    kinds=tuple(EventKind(kind) for kind in kinds),
                    since=since,
                    until=until,
                ),
                limit=limit,
                raw=raw,
                as_json=as_json,
                follow=follow,
            )
    except HistoryUnreadable as error:
        fail(str(error), EXIT_FAILED)


class _EventChoice(TypedDict):
    device: str | None
    tunnels: Sequence[str]
    kinds: Sequence[EventKind]
    since: float | None
    until: float | None


def _history_file(config_file: Path) -> Path:
    path = load(config_file).history.path
    if path is None:
        fail(f"{config_file}: 'history.path' is off: no events are kept", EXIT_WRONG_USE)
    return path


def _known_device(reader: HistoryReader, device: str | None) -> str | None:
    known = [] if device is None else reader.devices()
    if device is not None and device not in known:
        fail(f"no device {device!r} in {reader.path}{_near(device, known)}", EXIT_WRONG_USE)
    return device


def _known_tunnels(reader: HistoryReader, device: str | None, tunnel: str | None) -> list[str]:
    """The tunnels whose name is, or has in it, what was typed."""
    if tunnel is None:
        return []
    if found := _named(tunnel, reader.tunnels_with_events(device)):
        return found
    known = reader.tunnels(device)
    found = _named(tunnel, known)
    if not found:
        where = reader.path if device is None else f"{device} in {reader.path}"
        fail(f"no tunnel {tunnel!r} of {where}{_near(tunnel, known)}", EXIT_WRONG_USE)
    return found


def _named(typed: str, names: Sequence[str]) -> list[str]:
    if typed in names:
        return [typed]
    return [name for name in names if typed.lower() in name.lower()]


def _near(typed: str, known: Sequence[str]) -> str:
    if not known:
        return ": nothing was recorded yet"
    near = difflib.get_close_matches(typed, known, n=3)
    return f"; did you mean {' or '.join(near)}?" if near else f"; it has {listed(known)}"


def _print_events(
    reader: HistoryReader,
    choice: _EventChoice,
    *,
    limit: int,
    raw: bool,
    as_json: bool,
    follow: bool,
) -> None:
    found = reader.events(**choice, limit=limit or None)
    total = reader.count(**choice)
    if not found and not follow:
        _say_that_none_fits(reader)
    if len(found) < total:
        click.echo(
            f"ipsecmon: the newest {len(found)} of {total} events; --limit 0 shows all", err=True
        )
    capture = reader.capture if raw else None
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    shown = EventList.made_for([one.event for one in found], width)
    stop = stop_on_signals() if follow else None
    last = 0
    while True:
        lines = json_lines(found, capture) if as_json else text_lines(found, shown, capture)
        for line in lines:
            click.echo(line)
        last = max((one.number for one in found), default=last)
        if stop is None or stop.wait(_FOLLOW_SECONDS):
            return
        found = reader.events(**choice, after_number=last)


def _say_that_none_fits(reader: HistoryReader) -> None:
    begin, count = reader.begins_at(), reader.count()
    if begin is None:
        told = f"no events yet: {reader.path} has none"
    else:
        at = local(begin)
        word = "1 event" if count == 1 else f"{count} events"
        told = (
            f"no such event; {reader.path} has {word}, from "
            f"{at:%Y-%m-%d %H:%M:%S} {offset_text(at)} on"
        )
    click.echo(f"ipsecmon: {told}", err=True)
