"""What the configuration amounts to: its mistakes, and the devices of all its sources."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ipsecmon.app import problems, templates_in_use
from ipsecmon.command_line import (
    CONFIG,
    EXIT_FAILED,
    EXIT_WRONG_USE,
    JSON,
    collect,
    device_count,
    print_json,
)
from ipsecmon.inventory import Inventory
from ipsecmon.inventory_list import inventory_document, inventory_lines

__all__ = ["check_config", "list_inventory"]


@click.command(name="check-config")
@CONFIG
def check_config(config_file: Path) -> None:
    """Say what is wrong with the configuration.

    All of it at once: the file and those it names, its secrets, its sources, the host keys of its devices.
    """
    collected = collect(Inventory(config_file))
    config = collected.config
    found = [*problems(config), *collected.problems()]
    for problem in found:
        click.echo(f"{config_file}: {problem}", err=True)
    if found:
        sys.exit(EXIT_WRONG_USE)
    click.echo(f"{config_file}: correct, {device_count(config)}")
    for line in templates_in_use(config):
        click.echo(line)


@click.command(name="inventory")
@CONFIG
@JSON
def list_inventory(config_file: Path, as_json: bool) -> None:
    """Show which devices there are, from where, and with which settings.

    All sources are asked now. What cannot be used is said on standard error, and with --json under "left_out".
    """
    collected = collect(Inventory(config_file))
    if as_json:
        print_json(inventory_document(collected))
    else:
        for line in inventory_lines(collected):
            click.echo(line)
    for problem in collected.problems():
        click.echo(f"ipsecmon: {problem}", err=True)
    if collected.failed or collected.left_out:
        sys.exit(EXIT_FAILED)
