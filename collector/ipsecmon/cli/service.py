"""The service, which goes on until somebody ends it."""

from __future__ import annotations

import logging
from pathlib import Path

import click

from ipsecmon.app import Monitor
from ipsecmon.command_line import (
    CONFIG,
    EXIT_WRONG_USE,
    collect,
    device_count,
    fail,
    stop_on_signals,
)
from ipsecmon.inventory import Inventory
from ipsecmon.log import setup_logging
from ipsecmon.server import ListenFailed

__all__ = ["run"]

_LOG_LEVEL = click.option(
    "--log.level",
    "log_level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="What to write to standard error.",
)


@click.command()
@CONFIG
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
    config = collect(inventory).config
    try:
        monitor = Monitor(config, redactor, inventory=inventory)
    except ListenFailed as error:
        fail(str(error), EXIT_WRONG_USE)
    stop = stop_on_signals(hang_up=monitor.reload_soon)
    try:
        monitor.start()
        logging.getLogger("ipsecmon").info(
            "watching %s; metrics at %s/metrics", device_count(config), monitor.url
        )
        stop.wait()
    finally:
        monitor.stop()
