"""What every command shares: the option that names the configuration, how it is read, how a command fails."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from ipsecmon.config import Config, ConfigError, load_config
from ipsecmon.inventory import Collected, Inventory
from ipsecmon_parsers.documents import Json

__all__ = [
    "CONFIG",
    "EXIT_FAILED",
    "EXIT_WRONG_USE",
    "JSON",
    "collect",
    "device_count",
    "fail",
    "load",
    "print_json",
    "stop_on_signals",
]

EXIT_FAILED = 1
EXIT_WRONG_USE = 2

CONFIG = click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    default=Path("ipsecmon.yml"),
    envvar="IPSECMON_CONFIG",
    show_default=True,
    help="The configuration file; also from IPSECMON_CONFIG.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")


def load(config_file: Path) -> Config:
    """The configuration file alone, without the devices of other sources, or the end of the command with its mistakes."""
    _must_exist(config_file)
    try:
        return load_config(config_file)
    except ConfigError as error:
        fail(str(error), EXIT_WRONG_USE, prefix="")


def collect(inventory: Inventory) -> Collected:
    """The configuration with the devices of all its sources, asked now, or the end of the command with its mistakes."""
    _must_exist(inventory.config_file)
    try:
        return inventory.collect()
    except ConfigError as error:
        fail(str(error), EXIT_WRONG_USE, prefix="")


def _must_exist(config_file: Path) -> None:
    if not config_file.exists():
        fail(
            f"there is no configuration at {config_file}: name it with --config or IPSECMON_CONFIG, "
            f"or write one (CONFIGURATION.md)",
            EXIT_WRONG_USE,
        )


def fail(message: str, code: int, prefix: str = "ipsecmon: ") -> NoReturn:
    """Say why on standard error and end with this exit code."""
    click.echo(f"{prefix}{message}", err=True)
    sys.exit(code)


def stop_on_signals(hang_up: Callable[[], None] | None = None) -> threading.Event:
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


def device_count(config: Config) -> str:
    """``1 device``, ``12 devices``."""
    count = len(config.devices)
    return "1 device" if count == 1 else f"{count} devices"


def print_json(document: dict[str, Json]) -> None:
    """On standard output, indented."""
    click.echo(json.dumps(document, indent=2))
