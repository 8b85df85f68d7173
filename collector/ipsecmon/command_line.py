"""What every command shares: the option that names the configuration, how it is read, how a command fails."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NoReturn

import click

from ipsecmon.config import Config, ConfigError, load_config
from ipsecmon.inventory import Collected, Inventory

__all__ = ["CONFIG", "EXIT_FAILED", "EXIT_WRONG_USE", "JSON", "collect", "fail", "load"]

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
