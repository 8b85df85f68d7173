"""The command line: JSON where a pipe reads, tables where a person does, exit codes for scripts."""

from __future__ import annotations

import contextlib
import difflib
import json
import logging
import os
import queue
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import TypedDict

import click

from ipsecmon import __version__
from ipsecmon.app import Monitor, problems, templates_in_use
from ipsecmon.check_report import check_document, check_lines
from ipsecmon.checking import Verdict, check_device
from ipsecmon.command_line import CONFIG as _CONFIG
from ipsecmon.command_line import EXIT_FAILED, EXIT_WRONG_USE
from ipsecmon.command_line import JSON as _JSON
from ipsecmon.command_line import collect as _collect
from ipsecmon.command_line import fail as _fail
from ipsecmon.command_line import load as _load
from ipsecmon.config import Config, load_config
from ipsecmon.config.mistakes import listed
from ipsecmon.dump import result_document, utc_text
from ipsecmon.event_list import EventList, json_lines, text_lines
from ipsecmon.formats import as_csv, as_json, as_json_lines, as_yaml
from ipsecmon.history import HistoryReader, HistoryUnreadable
from ipsecmon.hostkeys_command import hostkeys
from ipsecmon.inventory import Inventory
from ipsecmon.inventory_list import inventory_document, inventory_lines
from ipsecmon.log import setup_logging
from ipsecmon.model import Event, EventKind, PollResult
from ipsecmon.moments import ACCEPTED, local, offset_text, read_moment
from ipsecmon.poller import Poller, UnknownDevice
from ipsecmon.printing import print_explained, print_poll, print_tables
from ipsecmon.server import ListenFailed
from ipsecmon_parsers.anonymize import anonymize as anonymize_text
from ipsecmon_parsers.documents import Json
from ipsecmon_parsers.errors import (
    NotRecognised,
    ParseError,
    ParserError,
    TemplatesRefused,
    Truncated,
    UnknownCommand,
)
from ipsecmon_parsers.guess import platform_name
from ipsecmon_parsers.reading import LogReading, OtherCommand, Outcome, read_log
from ipsecmon_parsers.records import Platform
from ipsecmon_parsers.registry import BUILT_IN, Registry, known_commands

__all__ = ["entry", "main"]

# beyond 15 % of the lifetime of 3600 s an early rekey and a forced one look alike
_MOST_ROUTER_SECONDS_PER_POLL = 540.0
_EXIT_CODES = """\b
Exit codes: 0 everything was read; 1 a device or an output could not be read;
2 wrong use or a wrong configuration."""

_LOG_LEVEL = click.option(
    "--log.level",
    "log_level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="What to write to standard error.",
)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=_EXIT_CODES,
)
@click.version_option(__version__, message="ipsecmon %(version)s")
def main() -> None:
    """Watch site-to-site IPsec tunnels on Cisco routers through their show commands.

    Start with `ipsecmon demo`: two emulated sites, monitored, nothing to configure.
    """


main.add_command(hostkeys)


def entry() -> None:
    """The console script: a reader that went away or a full disk is no reason for a traceback."""
    try:
        main()
    except OSError as error:
        with contextlib.suppress(OSError):
            sys.stderr.write(f"ipsecmon: cannot write the output: {error.strerror or error}\n")
            sys.stderr.flush()
        os._exit(EXIT_FAILED)  # what is left in the buffer of standard output would fail again


@main.command()
@click.option(
    "--speed",
    type=click.FloatRange(1, 3600),
    default=30.0,
    show_default=True,
    help="How much faster than real time the emulated routers live.",
)
@click.option(
    "--interval",
    type=click.FloatRange(1, 60),
    default=5.0,
    show_default=True,
    help="Seconds between polls.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=9818,
    show_default=True,
    help="Where to serve pages and metrics on the loopback address; 0 takes a free port.",
)
@click.option(
    "--spokes",
    type=click.IntRange(1, 1000),
    help="Emulate a hub with so many spokes instead of the two sites.",
)
def demo(speed: float, interval: float, port: int, spokes: int | None) -> None:
    """Emulate two sites over real SSH and monitor them.

    The routers are emulated, the SSH, the polling and everything behind it are not. Ctrl-C ends it.
    """
    try:
        from ipsecmon.lab.demo import DemoLab  # asyncssh comes with the extra only
    except ModuleNotFoundError as error:
        _fail(f"the demo needs {error.name}: pip install 'ipsecmon[demo]'", EXIT_WRONG_USE)
    router_seconds = speed * interval
    if router_seconds > _MOST_ROUTER_SECONDS_PER_POLL:
        raise click.UsageError(
            f"at speed {speed:g} a poll every {interval:g} s is {router_seconds:.0f} seconds of the routers apart, too far "
            f"to tell one rekey from another; keep speed times interval at {_MOST_ROUTER_SECONDS_PER_POLL:g} or less"
        )
    redactor = setup_logging("warning")
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    with (
        tempfile.TemporaryDirectory(prefix="ipsecmon-demo-") as folder,
        DemoLab(Path(folder), speed=speed, interval=interval, spokes=spokes) as lab,
    ):
        config_file = lab.write_config(port)
        try:
            monitor = Monitor(load_config(config_file), redactor, on_event=events.put)
        except ListenFailed:
            click.echo(f"port {port} is in use; taking a free one (--port chooses)", err=True)
            config_file = lab.write_config(0)
            monitor = Monitor(load_config(config_file), redactor, on_event=events.put)
        stop = _stop_on_signals()
        try:
            monitor.start()
            _print_demo_welcome(monitor.url, config_file, lab.login_hint(), speed)
            while not stop.is_set():
                with contextlib.suppress(queue.Empty):
                    _print_event(events.get(timeout=0.2))
        finally:
            monitor.stop()
    click.echo("stopped.")


@main.command()
@_CONFIG
@_LOG_LEVEL
@click.option(
    "--log.format",
    "log_format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Lines for people, or a JSON object a line.",
)
def run(config_file: Path, log_level: str, log_format: str) -> None:
    """Poll the devices of the configuration and serve metrics, pages and JSON.

    Each failed poll is one line of the log, with device, stage, reason, command, seconds, the last the device sent and the
    next attempt. It is a warning when a device begins to fail or fails in another way, and informational after that.

    The configuration is read again when one of its files changes, at SIGHUP, and at POST /-/reload.
    """
    redactor = setup_logging(log_level, json=log_format == "json")
    inventory = Inventory(config_file, redactor.add)
    config = _collect(inventory).config
    try:
        monitor = Monitor(config, redactor, inventory=inventory)
    except ListenFailed as error:
        _fail(str(error), EXIT_WRONG_USE)
    stop = _stop_on_signals(hang_up=monitor.reload_soon)
    try:
        monitor.start()
        logging.getLogger("ipsecmon").info(
            "watching %s; metrics at %s/metrics", _devices(config), monitor.url
        )
        stop.wait()
    finally:
        monitor.stop()


@main.command()
@click.argument("device")
@_CONFIG
@_JSON
@click.option("--raw", is_flag=True, help="With --json: the outputs as the device sent them, too.")
def poll(device: str, config_file: Path, as_json: bool, raw: bool) -> None:
    """Poll DEVICE once, now, and show what it says."""
    _raw_needs_json(raw, as_json)
    (result,) = _poll_once(config_file, [device])
    if as_json:
        _print_json(result_document(result, raw=raw))
    else:
        print_poll(result)
    if result.error is not None:
        if not as_json:
            click.echo(f"ipsecmon: {result.error.message}", err=True)
        sys.exit(EXIT_FAILED)


@main.command()
@_CONFIG
@click.option("--device", "devices", multiple=True, help="Only this device; may be repeated.")
@_JSON
@click.option("--raw", is_flag=True, help="With --json: the outputs as the devices sent them, too.")
def dump(config_file: Path, devices: tuple[str, ...], as_json: bool, raw: bool) -> None:
    """Poll every device once, now.

    With --json --raw it is the file to attach to a ticket: everything read, and what it was read from.
    """
    _raw_needs_json(raw, as_json)
    results = _poll_once(config_file, devices)
    if as_json:
        _print_json({"devices": [result_document(result, raw=raw) for result in results]})
    else:
        for result in results:
            print_poll(result)
    failed = [result.error for result in results if result.error is not None]
    if failed and not as_json:
        for error in failed:
            click.echo(f"ipsecmon: {error.message}", err=True)
    if failed:
        sys.exit(EXIT_FAILED)


_FOLLOW_SECONDS = 1.0


def _moment(_: click.Context, parameter: click.Parameter, text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return read_moment(text, time.time())
    except (ValueError, OverflowError, OSError):
        raise click.BadParameter(f"found {text!r}, accepted: {ACCEPTED}", param=parameter) from None


@main.command()
@_CONFIG
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
        _fail(str(error), EXIT_FAILED)


class _EventChoice(TypedDict):
    device: str | None
    tunnels: Sequence[str]
    kinds: Sequence[EventKind]
    since: float | None
    until: float | None


def _history_file(config_file: Path) -> Path:
    path = _load(config_file).history.path
    if path is None:
        _fail(f"{config_file}: 'history.path' is off: no events are kept", EXIT_WRONG_USE)
    return path


def _known_device(reader: HistoryReader, device: str | None) -> str | None:
    known = [] if device is None else reader.devices()
    if device is not None and device not in known:
        _fail(f"no device {device!r} in {reader.path}{_near(device, known)}", EXIT_WRONG_USE)
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
        _fail(f"no tunnel {tunnel!r} of {where}{_near(tunnel, known)}", EXIT_WRONG_USE)
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
    stop = _stop_on_signals() if follow else None
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


_FORMATS = ("table", "json", "jsonl", "yaml", "csv")
_PLATFORMS = click.Choice([platform.value for platform in Platform], case_sensitive=False)


def _list_commands(context: click.Context, _: click.Parameter, value: bool) -> None:
    if not value or context.resilient_parsing:
        return
    for platform in (Platform.IOS, Platform.ASA):
        click.echo("IOS and IOS-XE:" if platform is Platform.IOS else "ASA:")
        for command in known_commands(platform):
            click.echo(f"  {command}".replace("\\|", "|"))
    context.exit()


@main.command(name="parse")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True), default=Path("-"))
@click.option(
    "--platform", type=_PLATFORMS, help="Whose output it is, where it is not to be guessed."
)
@click.option("--command", "command", help="The command that printed it; may be abbreviated.")
@click.option(
    "--format",
    "output_format",
    type=click.Choice(_FORMATS),
    default="table",
    show_default=True,
    help="How to print the records.",
)
@click.option("--json", "as_json_document", is_flag=True, help="The same as --format json.")
@click.option(
    "--explain",
    is_flag=True,
    help="Show each record below the lines it was read from; in JSON their numbers.",
)
@click.option(
    "--anonymize",
    is_flag=True,
    help="Print the text itself, with other addresses, names, SPIs and keys, to attach it to a bug report.",
)
@click.option(
    "--complete",
    is_flag=True,
    help="Take the text for whole although no prompt stands behind it.",
)
@click.option(
    "--templates",
    type=click.Path(path_type=Path),
    help="A folder with templates of your own (CONFIGURATION.md).",
)
@click.option(
    "--list",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_commands,
    help="List the commands that can be read.",
)
def parse_file(
    file: Path,
    platform: str | None,
    command: str | None,
    output_format: str,
    as_json_document: bool,
    explain: bool,
    anonymize: bool,
    complete: bool,
    templates: Path | None,
) -> None:
    """Read the outputs of show commands from FILE, or from standard input.

    Paste what the terminal shows: prompts, --More-- and log lines are no harm, and a log of several commands is
    split at its prompts. What was guessed, and what was not read, is said on standard error. No device is needed.

    \b
    ipsecmon parse session.log
    ipsecmon parse session.log --format csv > tunnels.csv
    ipsecmon parse session.log --explain | less
    ipsecmon parse - --platform ios --command "sh cry ips sa" --json < site1.txt
    ipsecmon parse session.log --anonymize > shareable.log

    \b
    json    one document for one output, {"outputs": [...]} for several;
            an output that is cut or refused stands there as {"command", "error"}
    jsonl   a record a line, each with its platform and command
    yaml    as json
    csv     a table for each kind of record; a flow with the SAs in use
    table   for people; not every field

    Look at an anonymized text before you share it: text that no rule knows may name somebody.
    """
    if as_json_document and output_format not in ("table", "json"):
        raise click.UsageError(
            f"--json is short for --format json: it goes without --format {output_format}"
        )
    if as_json_document:
        output_format = "json"
    if anonymize and (explain or output_format != "table"):
        raise click.UsageError(
            "--anonymize prints text: it goes without --format, --json and --explain"
        )
    if explain and output_format == "csv":
        raise click.UsageError("--explain goes with tables, JSON and YAML, not with CSV")
    registry = _registry(templates)
    text = _read_text(file)
    told_platform = Platform(platform.lower()) if platform else None
    if anonymize:
        _print_anonymized(text, told_platform, command, registry)
        return
    try:
        reading = read_log(
            text, platform=told_platform, command=command, complete=complete, registry=registry
        )
    except UnknownCommand as error:
        told = str(error) if error.known else f"{error.command!r} cannot be read on any platform"
        _fail(f"{told}; ipsecmon parse --list names what can be read", EXIT_WRONG_USE)
    except NotRecognised as error:
        _fail(f"{_name(file)}: {error}", EXIT_FAILED)
    if platform is None or command is None:
        _say_what_was_guessed(file, reading)
    if reading.outcomes and (reading.results or len(reading.outcomes) > 1):
        _print_reading(reading, output_format, registry, explain=explain)
    for outcome in reading.errors:
        click.echo(f"ipsecmon: {_name(file)}: {_told(outcome, registry)}", err=True)
    if not reading.outcomes:
        click.echo(
            f"ipsecmon: {_name(file)}: none of its commands can be read; ipsecmon parse --list names those that can",
            err=True,
        )
    if reading.errors or not reading.outcomes:
        sys.exit(EXIT_FAILED)


def _registry(folder: Path | None) -> Registry:
    if folder is None:
        return BUILT_IN
    try:
        return Registry.with_templates(folder)
    except TemplatesRefused as error:
        _fail(str(error), EXIT_WRONG_USE, prefix="")


def _print_anonymized(
    text: str, platform: Platform | None, command: str | None, registry: Registry
) -> None:
    copy = anonymize_text(text, platform, command, registry=registry)
    click.echo(copy.text, nl=False)
    if copy.left_out:
        click.echo(f"ipsecmon: left out what these printed: {', '.join(copy.left_out)}", err=True)
    click.echo(
        "ipsecmon: look at it before you share it: names in lines that no rule knows are still there",
        err=True,
    )


def _print_reading(
    reading: LogReading, output_format: str, registry: Registry, *, explain: bool
) -> None:
    match output_format:
        case "json":
            click.echo(as_json(reading, lines=explain), nl=False)
        case "jsonl":
            click.echo(as_json_lines(reading, lines=explain), nl=False)
        case "yaml":
            click.echo(as_yaml(reading, lines=explain), nl=False)
        case "csv":
            click.echo(as_csv(reading), nl=False)
        case _ if explain:
            print_explained(reading, registry)
        case _:
            print_tables(reading)


def _say_what_was_guessed(file: Path, reading: LogReading) -> None:
    for outcome in reading.outcomes:
        if outcome.command is None or outcome.platform is None or not outcome.reasons:
            continue
        click.echo(
            f"ipsecmon: {_name(file)}: line {outcome.answer.first_line}: {outcome.command!r} on "
            f"{platform_name(outcome.platform)}: {', '.join(outcome.reasons)}",
            err=True,
        )
    typed = [other for other in reading.others if other.command is not None]
    if typed:
        commands = "1 other command was" if len(typed) == 1 else f"{len(typed)} other commands were"
        click.echo(f"ipsecmon: {_name(file)}: {commands} not read: {_commands(typed)}", err=True)
    for other in reading.others:
        if other.command is None:
            click.echo(
                f"ipsecmon: {_name(file)}: line {other.line_no}: what stands here is no output that can be read",
                err=True,
            )


_MOST_NAMED = 8


def _commands(others: list[OtherCommand]) -> str:
    named = [f"{other.command!r} (line {other.line_no})" for other in others[:_MOST_NAMED]]
    more = len(others) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")


def _would_be_read_as_whole(outcome: Outcome, registry: Registry) -> bool:
    if outcome.answer.complete or outcome.platform is None or outcome.command is None:
        return False
    try:
        registry.parse(outcome.platform, outcome.command, outcome.answer.text, complete=True)
    except ParserError:
        return False
    return True


def _told(outcome: Outcome, registry: Registry) -> str:
    error = outcome.error
    told = error.report() if isinstance(error, ParseError) else str(error)
    if isinstance(error, Truncated) and _would_be_read_as_whole(outcome, registry):
        told += ", or say --complete if you know that it is whole"
    typed = outcome.answer.command
    return f"line {outcome.answer.first_line}: {told}" if outcome.answer.host and typed else told


@main.command(name="check-config")
@_CONFIG
def check_config(config_file: Path) -> None:
    """Say what is wrong with the configuration.

    All of it at once: the file and those it names, its secrets, its sources, the host keys of its devices.
    """
    collected = _collect(Inventory(config_file))
    config = collected.config
    found = [*problems(config), *collected.problems()]
    for problem in found:
        click.echo(f"{config_file}: {problem}", err=True)
    if found:
        sys.exit(EXIT_WRONG_USE)
    click.echo(f"{config_file}: correct, {_devices(config)}")
    for line in templates_in_use(config):
        click.echo(line)


@main.command(name="check-device")
@click.argument("device")
@_CONFIG
@_JSON
@click.option(
    "--timeout",
    type=click.FloatRange(1, 3600),
    help="Seconds for all of it; the poll timeout of the device if not given.",
)
def check_device_command(
    device: str, config_file: Path, as_json: bool, timeout: float | None
) -> None:
    """Say step by step whether DEVICE can be polled, and what to do where it cannot.

    Name, TCP, key exchange, host key, authentication, prompt, privilege, each command and what was read of its answer. It
    logs in once beside a running service, takes one vty for as long as it lasts, and sends show commands only.

    \b
    Exit codes: 0 the device can be polled; 1 it cannot; 2 wrong use or a wrong configuration.
    """
    redactor = setup_logging("error")
    config = _collect(Inventory(config_file, redactor.add)).config
    poller = Poller(config, redactor)
    try:
        check = check_device(poller.checked(device, timeout), poller.transports.open)
        if as_json:
            _print_json(check_document(check, redactor.redact))
        else:
            width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 80
            for line in check_lines(check, redactor.redact, width):
                click.echo(line)
    except UnknownDevice as error:
        _fail(str(error), EXIT_WRONG_USE)
    finally:
        poller.close()
    if check.verdict is Verdict.FAILED:
        sys.exit(EXIT_FAILED)


@main.command(name="inventory")
@_CONFIG
@_JSON
def list_inventory(config_file: Path, as_json: bool) -> None:
    """Show which devices there are, from where, and with which settings.

    All sources are asked now. What cannot be used is said on standard error, and with --json under "left_out".
    """
    collected = _collect(Inventory(config_file))
    if as_json:
        _print_json(inventory_document(collected))
    else:
        for line in inventory_lines(collected):
            click.echo(line)
    for problem in collected.problems():
        click.echo(f"ipsecmon: {problem}", err=True)
    if collected.failed or collected.left_out:
        sys.exit(EXIT_FAILED)


def _raw_needs_json(raw: bool, as_json: bool) -> None:
    if raw and not as_json:
        raise click.UsageError("--raw goes with --json")


def _poll_once(config_file: Path, devices: Sequence[str]) -> list[PollResult]:
    """One poll of each of ``devices``, all configured ones if none is named, in the order of the file."""
    redactor = setup_logging("error")
    collected = _collect(Inventory(config_file, redactor.add))
    for source, problem in collected.failed.items():
        click.echo(f"ipsecmon: {source}: {problem}", err=True)
    config = collected.config
    names = [device.name for device in config.devices]
    poller = Poller(config, redactor)
    try:
        with ThreadPoolExecutor(max_workers=config.limits.workers) as pool:
            return list(pool.map(poller.poll, devices or names))
    except UnknownDevice as error:
        _fail(str(error), EXIT_WRONG_USE)
    finally:
        poller.close()


def _read_text(file: Path) -> str:
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        _fail(f"cannot read {file}: {error.strerror}", EXIT_WRONG_USE)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    text = data.decode("utf-8", "replace")
    sample = text[:65536]
    strange = sum(
        1 for char in sample if char == "\ufffd" or (char < " " and char not in "\r\n\t\b\x1b")
    )
    if strange * 10 > len(sample):
        _fail(
            f"{_name(file)} is not text: {strange} of its first {len(sample)} characters cannot be printed; "
            f"expected the output of a show command",
            EXIT_FAILED,
        )
    return text


def _name(file: Path) -> str:
    return "standard input" if str(file) == "-" else str(file)


def _stop_on_signals(hang_up: Callable[[], None] | None = None) -> threading.Event:
    """Set by Ctrl-C, by a supervisor, or when the terminal is closed, unless ``hang_up`` is to be called then."""
    stop = threading.Event()

    def note(number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGHUP and hang_up is not None:
            hang_up()
        else:
            stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, note)
    return stop


def _devices(config: Config) -> str:
    count = len(config.devices)
    return "1 device" if count == 1 else f"{count} devices"


# what a person sees


def _print_json(document: dict[str, Json]) -> None:
    click.echo(json.dumps(document, indent=2))


def _own_command() -> str:
    """How this program was called, so that a printed command can be pasted: it need not be on the PATH."""
    called = Path(sys.argv[0])
    if called.name != "ipsecmon":
        return f"{sys.executable} -m ipsecmon"
    found = shutil.which("ipsecmon")
    return "ipsecmon" if found and Path(found).samefile(called) else os.path.relpath(called)


def _print_demo_welcome(url: str, config_file: Path, login_hint: str, speed: float) -> None:
    click.echo(
        f"""
  ipsecmon is watching emulated routers that live {speed:g} times as fast as real ones.

    tunnels   {url}/
    metrics   {url}/metrics
    JSON      {url}/api/v1/devices

    a look at one device   {_own_command()} poll Site1 --config {config_file}
    on the router itself   {login_hint}

  Ctrl-C ends it. What happens to the tunnels:
"""
    )


def _print_event(event: Event) -> None:
    color = {EventKind.DOWN: "red", EventKind.UP: "green", EventKind.REKEY: "cyan"}.get(event.kind)
    line = f"    {utc_text(event.at)[11:19]}  {event.device:<8} {event.tunnel or ''}  "
    click.echo(line + click.style(event.detail, fg=color))
