"""Recording rules and alerts for Prometheus, with the thresholds one wants."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import click

from ipsecmon.alerting.rule_file import rule_file
from ipsecmon.alerting.settings import SettingRefused, shown, with_settings
from ipsecmon.alerting.thresholds import Thresholds, described
from ipsecmon.alerting.timescale import Timescale
from ipsecmon.command_line import EXIT_FAILED, EXIT_WRONG_USE, fail

__all__ = ["rules"]

_SHORTEST_LAB_WINDOW_SECONDS = 4.0
"""Two scrapes of an emulated network, which is scraped every second or two."""


@click.command()
@click.option(
    "--set",
    "settings",
    metavar="NAME=VALUE",
    multiple=True,
    help="Change a threshold: tunnel_down_for=5m, flaps=5; may be repeated.",
)
@click.option("--list", "list_them", is_flag=True, help="Show the thresholds instead.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to this file, whole or not at all, instead of standard output.",
)
@click.option(
    "--lab-speed",
    type=click.FloatRange(1, 3600),
    default=1.0,
    help="For an emulated network that lives so many times as fast as the clock.",
)
def rules(
    settings: tuple[str, ...], list_them: bool, output: Path | None, lab_speed: float
) -> None:
    """Print alert rules for Prometheus, with thresholds of your choice."""
    try:
        thresholds = with_settings(settings)
    except SettingRefused as error:
        fail(str(error), EXIT_WRONG_USE)
    if list_them:
        text = _list(thresholds)
    elif lab_speed == 1:
        text = rule_file(thresholds)
    else:
        text = rule_file(thresholds, Timescale(lab_speed, _SHORTEST_LAB_WINDOW_SECONDS))
    if output is None:
        click.echo(text, nl=False)
    else:
        _write(output, text)


def _list(thresholds: Thresholds) -> str:
    """A line for each threshold, in columns."""
    rows = [("NAME", "VALUE", "UNIT", "MEANING")]
    for one in described():
        value = shown(one, getattr(thresholds, one.name))
        rows.append((one.name, value, one.unit, one.meaning))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True)) + "\n"
        for row in rows
    )


def _write(output: Path, text: str) -> None:
    """Prometheus may read it at any moment, so it is replaced as a whole."""
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=output.parent, prefix=f".{output.name}.", delete=False
        ) as part:
            unfinished = Path(part.name)
            try:
                part.write(text)
                part.flush()
                os.fchmod(part.fileno(), 0o644)  # Prometheus runs as another user
                unfinished.replace(output)
            except BaseException:
                unfinished.unlink(missing_ok=True)
                raise
    except OSError as error:
        fail(f"cannot write {output}: {error.strerror or error}", EXIT_FAILED)
