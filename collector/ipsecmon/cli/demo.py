"""The demo: emulated routers, the monitor, and on request a real Prometheus and Alertmanager behind it."""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ipsecmon.app import Monitor
from ipsecmon.cli.lab import SOCKET
from ipsecmon.command_line import EXIT_WRONG_USE, fail, stop_on_signals
from ipsecmon.config import load_config
from ipsecmon.dump import utc_text
from ipsecmon.lab.control import ControlError, ControlServer, default_socket
from ipsecmon.lab.webhook import Notification, NotifiedAlert
from ipsecmon.log import Redactor, setup_logging
from ipsecmon.model import Event, EventKind
from ipsecmon.server import ListenFailed

if TYPE_CHECKING:
    from ipsecmon.lab.demo import DemoLab  # asyncssh comes with the extra only
    from ipsecmon.lab.demo_stack import DemoStack

__all__ = ["demo"]

# beyond 15 % of the lifetime of 3600 s an early rekey and a forced one look alike
_MOST_ROUTER_SECONDS_PER_POLL = 540.0
_INTERVAL = 5.0
# alerts come within a minute where polls are a minute of the routers apart
_STACK_INTERVAL = 2.0

Told = queue.SimpleQueue[Event | Notification]


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
    help=f"Seconds between polls; {_INTERVAL:g} if not given, with --stack {_STACK_INTERVAL:g}.",
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
@click.option(
    "--stack",
    "deploy",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Start a real Prometheus and Alertmanager with the files of DIR, the folder deploy/, and watch a small fleet.",
)
@SOCKET
def demo(
    speed: float,
    interval: float | None,
    port: int,
    listen: str,
    spokes: int | None,
    deploy: Path | None,
    socket_path: Path | None,
) -> None:
    """Emulate two sites over real SSH and monitor them.

    The routers are emulated, the SSH, the polling and everything behind it are not. `ipsecmon lab` breaks them. Ctrl-C
    ends it.
    """
    try:
        from ipsecmon.lab.demo import DemoLab
    except ModuleNotFoundError as error:
        fail(f"the demo needs {error.name}: pip install 'ipsecmon[demo]'", EXIT_WRONG_USE)
    if interval is None:
        interval = _INTERVAL if deploy is None else _STACK_INTERVAL
    _must_tell_rekeys_apart(speed, interval)
    redactor = setup_logging("warning")
    told: Told = queue.SimpleQueue()
    # from here on a signal ends it in good order, also before all has begun
    stop = stop_on_signals()
    with contextlib.ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="ipsecmon-demo-")))
        lab = running.enter_context(
            DemoLab(
                folder,
                speed=speed,
                interval=interval,
                spokes=spokes,
                listen=listen,
                with_fleet=deploy is not None,
            )
        )
        monitor, config_file = _monitor(lab, port, redactor, told)
        running.callback(monitor.stop)
        monitor.start()
        fault_hint = _take_faults(running, lab, socket_path)
        stack = None
        if deploy is not None:
            stack = _start_stack(running, folder, deploy, monitor.url, speed, told)
        _print_welcome(monitor.url, config_file, lab, speed, fault_hint, stack)
        teller = _Teller()
        while not stop.is_set():
            with contextlib.suppress(queue.Empty):
                teller.tell(told.get(timeout=0.2))
    click.echo("stopped.")


def _must_tell_rekeys_apart(speed: float, interval: float) -> None:
    router_seconds = speed * interval
    if router_seconds > _MOST_ROUTER_SECONDS_PER_POLL:
        raise click.UsageError(
            f"at speed {speed:g} a poll every {interval:g} s is {router_seconds:.0f} seconds of the routers apart, too far "
            f"to tell one rekey from another; keep speed times interval at {_MOST_ROUTER_SECONDS_PER_POLL:g} or less"
        )


def _monitor(lab: DemoLab, port: int, redactor: Redactor, told: Told) -> tuple[Monitor, Path]:
    config_file = lab.write_config(port)
    try:
        return Monitor(load_config(config_file), redactor, on_event=told.put), config_file
    except ListenFailed:
        click.echo(f"port {port} is in use; taking a free one (--port chooses)", err=True)
        config_file = lab.write_config(0)
        return Monitor(load_config(config_file), redactor, on_event=told.put), config_file


def _take_faults(running: contextlib.ExitStack, lab: DemoLab, socket_path: Path | None) -> str:
    """Listen for `ipsecmon lab`; how to call it, or why that will not work."""
    from ipsecmon.lab.orders import carry_out

    path = socket_path or default_socket()
    try:
        running.enter_context(ControlServer(path, lambda order: carry_out(lab.faults, order)))
    except ControlError as error:
        return f"not this time: {error}"
    chosen = f" --socket {path}" if socket_path else ""
    lab_command = f"{_own_command()} lab"
    return (
        f"{lab_command} fault {lab.fault_target()} psk-mismatch{chosen}\n"
        f"    put it right           {lab_command} lift {lab.fault_target()}{chosen}\n"
        f"    all that can be done   {lab_command} faults{chosen}"
    )


def _start_stack(
    running: contextlib.ExitStack,
    folder: Path,
    deploy: Path,
    monitor_url: str,
    speed: float,
    told: Told,
) -> DemoStack | None:
    from ipsecmon.lab.demo_stack import DemoStack, StackUnusable

    try:
        return running.enter_context(
            DemoStack(folder, deploy, monitor_url=monitor_url, speed=speed, told=told.put)
        )
    except StackUnusable as error:
        click.echo(
            f"ipsecmon: {error}; the demo goes on without Prometheus and Alertmanager", err=True
        )
        return None


def _own_command() -> str:
    """How this program was called, so that a printed command can be pasted: it need not be on the PATH."""
    called = Path(sys.argv[0])
    if called.name != "ipsecmon":
        return f"{sys.executable} -m ipsecmon"
    found = shutil.which("ipsecmon")
    return "ipsecmon" if found and Path(found).samefile(called) else os.path.relpath(called)


def _print_welcome(
    url: str,
    config_file: Path,
    lab: DemoLab,
    speed: float,
    fault_hint: str,
    stack: DemoStack | None,
) -> None:
    servers = ""
    if stack is not None:
        servers = f"""\
    Prometheus             {stack.prometheus_url}/alerts
    Alertmanager           {stack.alertmanager_url}/
"""
    click.echo(
        f"""
  ipsecmon is watching emulated routers that live {speed:g} times as fast as real ones.

    tunnels                {url}/
    metrics                {url}/metrics
    JSON                   {url}/api/v1/devices
{servers}
    a look at one device   {_own_command()} poll {lab.first_device()} --config {config_file}
    on the router itself   {lab.login_hint()}
    break a tunnel         {fault_hint}

  Ctrl-C ends it. What happens to the tunnels:
"""
    )


class _Teller:
    """Prints what happens. Alertmanager repeats what goes on firing; here each change is told once."""

    def __init__(self) -> None:
        self._firing: set[frozenset[tuple[str, str]]] = set()

    def tell(self, told: Event | Notification) -> None:
        if isinstance(told, Event):
            _print_event(told)
            return
        for alert in told.alerts:
            labels = frozenset(alert.labels.items())
            is_firing = alert.status == "firing"
            if is_firing != (labels in self._firing):
                (self._firing.add if is_firing else self._firing.remove)(labels)
                _print_alert(alert, told.received_at)


def _print_event(event: Event) -> None:
    color = {EventKind.DOWN: "red", EventKind.UP: "green", EventKind.REKEY: "cyan"}.get(event.kind)
    line = f"    {utc_text(event.at)[11:19]}  {event.device:<8} {event.tunnel or ''}  "
    click.echo(line + click.style(event.detail, fg=color))


def _print_alert(alert: NotifiedAlert, at: float) -> None:
    place = " ".join(alert.labels[key] for key in ("device", "tunnel") if key in alert.labels)
    color = "green" if alert.status == "resolved" else "red"
    click.echo(
        f"    {utc_text(at)[11:19]}  "
        + click.style(f"ALERT {alert.name} {alert.status}", fg=color, bold=True)
        + f"  {place}  {alert.annotations.get('summary', '')}"
    )
