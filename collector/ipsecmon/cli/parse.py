"""Outputs of show commands to records, without a device."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ipsecmon.command_line import (
    EXIT_FAILED,
    EXIT_WRONG_USE,
    fail,
)
from ipsecmon.formats import as_csv, as_json, as_json_lines, as_yaml
from ipsecmon.printing import print_explained, print_tables
from ipsecmon_parsers.anonymize import anonymize as anonymize_text
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

__all__ = ["parse_file"]

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


@click.command(name="parse")
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
        fail(f"{told}; ipsecmon parse --list names what can be read", EXIT_WRONG_USE)
    except NotRecognised as error:
        fail(f"{_name(file)}: {error}", EXIT_FAILED)
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
        fail(str(error), EXIT_WRONG_USE, prefix="")


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


def _read_text(file: Path) -> str:
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        fail(f"cannot read {file}: {error.strerror}", EXIT_WRONG_USE)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    text = data.decode("utf-8", "replace")
    sample = text[:65536]
    strange = sum(
        1 for char in sample if char == "\ufffd" or (char < " " and char not in "\r\n\t\b\x1b")
    )
    if strange * 10 > len(sample):
        fail(
            f"{_name(file)} is not text: {strange} of its first {len(sample)} characters cannot be printed; "
            f"expected the output of a show command",
            EXIT_FAILED,
        )
    return text


def _name(file: Path) -> str:
    return "standard input" if str(file) == "-" else str(file)
