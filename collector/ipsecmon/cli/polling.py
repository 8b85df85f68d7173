"""One look at devices now: poll, dump, and the check that says what is in the way."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click

from ipsecmon.check_report import check_document, check_lines
from ipsecmon.checking import Verdict, check_device
from ipsecmon.command_line import (
    CONFIG,
    EXIT_FAILED,
    EXIT_WRONG_USE,
    JSON,
    collect,
    fail,
    print_json,
)
from ipsecmon.dump import result_document
from ipsecmon.inventory import Inventory
from ipsecmon.log import setup_logging
from ipsecmon.model import PollResult
from ipsecmon.poller import Poller, UnknownDevice
from ipsecmon.printing import print_poll

__all__ = ["check_device_command", "dump", "poll"]


@click.command()
@click.argument("device")
@CONFIG
@JSON
@click.option("--raw", is_flag=True, help="With --json: the outputs as the device sent them, too.")
def poll(device: str, config_file: Path, as_json: bool, raw: bool) -> None:
    """Poll DEVICE once, now, and show what it says."""
    _raw_needs_json(raw, as_json)
    (result,) = _poll_once(config_file, [device])
    if as_json:
        print_json(result_document(result, raw=raw))
    else:
        print_poll(result)
    if result.error is not None:
        if not as_json:
            click.echo(f"ipsecmon: {result.error.message}", err=True)
        sys.exit(EXIT_FAILED)


@click.command()
@CONFIG
@click.option("--device", "devices", multiple=True, help="Only this device; may be repeated.")
@JSON
@click.option("--raw", is_flag=True, help="With --json: the outputs as the devices sent them, too.")
def dump(config_file: Path, devices: tuple[str, ...], as_json: bool, raw: bool) -> None:
    """Poll every device once, now.

    With --json --raw it is the file to attach to a ticket: everything read, and what it was read from.
    """
    _raw_needs_json(raw, as_json)
    results = _poll_once(config_file, devices)
    if as_json:
        print_json({"devices": [result_document(result, raw=raw) for result in results]})
    else:
        for result in results:
            print_poll(result)
    failed = [result.error for result in results if result.error is not None]
    if failed and not as_json:
        for error in failed:
            click.echo(f"ipsecmon: {error.message}", err=True)
    if failed:
        sys.exit(EXIT_FAILED)


@click.command(name="check-device")
@click.argument("device")
@CONFIG
@JSON
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
    config = collect(Inventory(config_file, redactor.add)).config
    poller = Poller(config, redactor)
    try:
        check = check_device(poller.checked(device, timeout), poller.transports.open)
        if as_json:
            print_json(check_document(check, redactor.redact))
        else:
            width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 80
            for line in check_lines(check, redactor.redact, width):
                click.echo(line)
    except UnknownDevice as error:
        fail(str(error), EXIT_WRONG_USE)
    finally:
        poller.close()
    if check.verdict is Verdict.FAILED:
        sys.exit(EXIT_FAILED)


def _raw_needs_json(raw: bool, as_json: bool) -> None:
    if raw and not as_json:
        raise click.UsageError("--raw goes with --json")


def _poll_once(config_file: Path, devices: Sequence[str]) -> list[PollResult]:
    """One poll of each of ``devices``, all configured ones if none is named, in the order of the file."""
    redactor = setup_logging("error")
    collected = collect(Inventory(config_file, redactor.add))
    for source, problem in collected.failed.items():
        click.echo(f"ipsecmon: {source}: {problem}", err=True)
    config = collected.config
    names = [device.name for device in config.devices]
    poller = Poller(config, redactor)
    try:
        with ThreadPoolExecutor(max_workers=config.limits.workers) as pool:
            return list(pool.map(poller.poll, devices or names))
    except UnknownDevice as error:
        fail(str(error), EXIT_WRONG_USE)
    finally:
        poller.close()
