"""Break the routers of a running demo, and put them right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ipsecmon.command_line import EXIT_FAILED, fail
from ipsecmon.lab.control import ControlError, ask, default_socket
from ipsecmon.lab.fault_kinds import TunnelFault

__all__ = ["SOCKET", "lab"]

_KIND = click.Choice([fault.value for fault in TunnelFault])

SOCKET = click.option(
    "--socket",
    "socket_path",
    type=click.Path(path_type=Path),
    help="Where the demo takes faults; by default in a private folder of yours.",
)


@click.group()
def lab() -> None:
    """Break the routers of a running demo, and put them right.

    A TARGET is DEVICE/TUNNEL, as the monitor names them. A part of the tunnel's name or the name of the router at its other
    end is enough where it fits one alone, DEVICE where the device has one tunnel or the fault is the device's own.
    DEVICE/* is every tunnel of it.
    """


@lab.command()
@click.argument("target")
@click.argument("kind", type=_KIND)
@SOCKET
def fault(target: str, kind: str, socket_path: Path | None) -> None:
    """Strike TARGET with a fault; `ipsecmon lab faults` says what each does."""
    answer = _ask(socket_path, {"do": "strike", "target": target, "fault": kind})
    for one in answer["changed"]:
        click.echo(f"struck {_named(one)}")
    click.echo(TunnelFault(kind).help)


@lab.command()
@click.argument("target")
@click.argument("kind", type=_KIND, required=False)
@SOCKET
def lift(target: str, kind: str | None, socket_path: Path | None) -> None:
    """Put TARGET right: one kind of fault, or every one; DEVICE alone means the device and all its tunnels."""
    answer = _ask(socket_path, {"do": "lift", "target": target, "fault": kind})
    for one in answer["changed"]:
        click.echo(f"lifted {_named(one)}")
    if not answer["changed"]:
        on = ", ".join(map(_named, answer["on"])) or "nothing"
        fail(f"no such fault is on at {target}; on is {on}", EXIT_FAILED)


@lab.command()
@SOCKET
def faults(socket_path: Path | None) -> None:
    """Show what can be done, to which tunnels, and what is on."""
    with_help = [(fault.value, fault.help) for fault in TunnelFault]
    formatter = click.HelpFormatter(max_width=100)
    with formatter.section("Faults"):
        formatter.write_dl(with_help)
    click.echo(formatter.getvalue())
    answer = _ask(socket_path, {"do": "tell"})
    click.echo("Tunnels:")
    for one in answer["tunnels"]:
        click.echo(f"  {one['device']}/{one['tunnel']}  to {one['peer']}")
    click.echo("\nOn now:")
    for one in answer["on"]:
        click.echo(f"  {_named(one)}")
    if not answer["on"]:
        click.echo("  nothing")


def _ask(socket_path: Path | None, order: dict[str, Any]) -> dict[str, Any]:
    try:
        return ask(socket_path or default_socket(), order)
    except ControlError as error:
        fail(str(error), EXIT_FAILED)


def _named(one: dict[str, Any]) -> str:
    tunnel = f"/{one['tunnel']}" if one["tunnel"] else ""
    return f"{one['fault']} on {one['device']}{tunnel}"
