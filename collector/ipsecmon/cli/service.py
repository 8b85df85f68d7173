"""What goes on until somebody ends it: the demo and the service."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import shutil
import sys
import tempfile
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
from ipsecmon.config import load_config
from ipsecmon.dump import utc_text
from ipsecmon.inventory import Inventory
from ipsecmon.log import setup_logging
from ipsecmon.model import Event, EventKind
from ipsecmon.server import ListenFailed

__all__ = ["demo", "run"]

# beyond 15 % of the lifetime of 3600 s an early rekey and a forced one look alike
_MOST_ROUTER_SECONDS_PER_POLL = 540.0


_LOG_LEVEL = click.option(
    "--log.level",
    "log_level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="What to write to standard error.",
)


@click.command()
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
    "--listen",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Another address to serve them on, such as 0.0.0.0 in a container. The routers stay on the loopback address.",
)
@click.option(
    "--spokes",
    type=click.IntRange(1, 1000),
    help="Emulate a hub with so many spokes instead of the two sites.",
)
def demo(speed: float, interval: float, port: int, listen: str, spokes: int | None) -> None:
    """Emulate two sites over real SSH and monitor them.

    The routers are emulated, the SSH, the polling and everything behind it are not. Ctrl-C ends it.
    """
    try:
        from ipsecmon.lab.demo import DemoLab  # asyncssh comes with the extra only
    except ModuleNotFoundError as error:
        fail(f"the demo needs {error.name}: pip install 'ipsecmon[demo]'", EXIT_WRONG_USE)
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
        DemoLab(Path(folder), speed=speed, interval=interval, spokes=spokes, listen=listen) as lab,
    ):
        config_file = lab.write_config(port)
        try:
            monitor = Monitor(load_config(config_file), redactor, on_event=events.put)
        except ListenFailed:
            click.echo(f"port {port} is in use; taking a free one (--port chooses)", err=True)
            config_file = lab.write_config(0)
            monitor = Monitor(load_config(config_file), redactor, on_event=events.put)
        stop = stop_on_signals()
        try:
            monitor.start()
            _print_demo_welcome(monitor.url, config_file, lab.login_hint(), speed)
            while not stop.is_set():
                with contextlib.suppress(queue.Empty):
                    _print_event(events.get(timeout=0.2))
        finally:
            monitor.stop()
    click.echo("stopped.")


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
