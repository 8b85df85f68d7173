"""The command line: JSON where a pipe reads, tables where a person does, exit codes for scripts."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click
from rich.console import Console
from rich.table import Table

from ipsecmon import __version__
from ipsecmon.app import Monitor, Poller, UnknownDevice, problems, templates_in_use
from ipsecmon.config import Config, ConfigError, load_config
from ipsecmon.dump import result_document, utc_text
from ipsecmon.log import setup_logging
from ipsecmon.model import Event, EventKind, PollResult
from ipsecmon.server import ListenFailed
from ipsecmon_parsers.documents import Json, spi_hex
from ipsecmon_parsers.errors import ParseError, ParserError, UnknownCommand
from ipsecmon_parsers.records import Flow, IkeSa, IpsecSa, Platform, SaLifetime
from ipsecmon_parsers.registry import ParseResult, parse

__all__ = ["entry", "main"]

EXIT_FAILED = 1
EXIT_WRONG_USE = 2
# beyond 15 % of the lifetime of 3600 s an early rekey and a forced one look alike
_MOST_ROUTER_SECONDS_PER_POLL = 540.0
_EXIT_CODES = """\b
Exit codes: 0 everything was read; 1 a device or an output could not be read;
2 wrong use or a wrong configuration."""

_CONFIG = click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    default=Path("ipsecmon.yml"),
    envvar="IPSECMON_CONFIG",
    show_default=True,
    help="The configuration file; also from IPSECMON_CONFIG.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
_LOG_LEVEL = click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="What to write to standard error.",
)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=_EXIT_CODES,
)
@click.version_option(__version__, message="ipsecmon %(version)s")
def main() -> None:
    """Watch site-to-site IPsec tunnels on Cisco routers through their show commands.

    Start with `ipsecmon demo`: two emulated sites, monitored, nothing to configure.
    """


def entry() -> None:
    """The console script: a reader that went away or a full disk is no reason for a traceback."""
    try:
        main()
    except OSError as error:
        with contextlib.suppress(OSError):
            sys.stderr.write(f"ipsecmon: cannot write the output: {error.strerror or error}\n")
            sys.stderr.flush()
        os._exit(EXIT_FAILED)  # what is left in the buffer of standard output would fail again


@main.command()
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
    "--spokes",
    type=click.IntRange(1, 1000),
    help="Emulate a hub with so many spokes instead of the two sites.",
)
def demo(speed: float, interval: float, port: int, spokes: int | None) -> None:
    """Emulate two sites over real SSH and monitor them.

    The routers are emulated, the SSH, the polling and everything behind it are not. Ctrl-C ends it.
    """
    try:
        from ipsecmon.lab.demo import DemoLab  # asyncssh comes with the extra only
    except ModuleNotFoundError as error:
        _fail(f"the demo needs {error.name}: pip install 'ipsecmon[demo]'", EXIT_WRONG_USE)
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
        DemoLab(Path(folder), speed=speed, interval=interval, spokes=spokes) as lab,
    ):
        config_file = lab.write_config(port)
        try:
            monitor = Monitor(load_config(config_file), redactor, on_event=events.put)
        except ListenFailed:
            click.echo(f"port {port} is in use; taking a free one (--port chooses)", err=True)
            config_file = lab.write_config(0)
            monitor = Monitor(load_config(config_file), redactor, on_event=events.put)
        stop = _stop_on_signals()
        try:
            monitor.start()
            _print_demo_welcome(monitor.url, config_file, lab.login_hint(), speed)
            while not stop.is_set():
                with contextlib.suppress(queue.Empty):
                    _print_event(events.get(timeout=0.2))
        finally:
            monitor.stop()
    click.echo("stopped.")


@main.command()
@_CONFIG
@_LOG_LEVEL
@click.option("--log-json", is_flag=True, help="Write the log as JSON lines.")
def run(config_file: Path, log_level: str, log_json: bool) -> None:
    """Poll the devices of the configuration and serve metrics, pages and JSON."""
    redactor = setup_logging(log_level, json=log_json)
    config = _load(config_file)
    try:
        monitor = Monitor(config, redactor)
    except ListenFailed as error:
        _fail(str(error), EXIT_WRONG_USE)
    stop = _stop_on_signals()
    try:
        monitor.start()
        logging.getLogger("ipsecmon").info(
            "watching %s; metrics at %s/metrics", _devices(config), monitor.url
        )
        stop.wait()
    finally:
        monitor.stop()


@main.command()
@click.argument("device")
@_CONFIG
@_JSON
@click.option("--raw", is_flag=True, help="With --json: the outputs as the device sent them, too.")
def poll(device: str, config_file: Path, as_json: bool, raw: bool) -> None:
    """Poll DEVICE once, now, and show what it says."""
    _raw_needs_json(raw, as_json)
    (result,) = _poll_once(config_file, [device])
    if as_json:
        _print_json(result_document(result, raw=raw))
    else:
        _print_result(result)
    if result.error is not None:
        if not as_json:
            click.echo(f"ipsecmon: {result.error.message}", err=True)
        sys.exit(EXIT_FAILED)


@main.command()
@_CONFIG
@click.option("--device", "devices", multiple=True, help="Only this device; may be repeated.")
@_JSON
@click.option("--raw", is_flag=True, help="With --json: the outputs as the devices sent them, too.")
def dump(config_file: Path, devices: tuple[str, ...], as_json: bool, raw: bool) -> None:
    """Poll every device once, now.

    With --json --raw it is the file to attach to a ticket: everything read, and what it was read from.
    """
    _raw_needs_json(raw, as_json)
    results = _poll_once(config_file, devices)
    if as_json:
        _print_json({"devices": [result_document(result, raw=raw) for result in results]})
    else:
        for result in results:
            _print_result(result)
    failed = [result.error for result in results if result.error is not None]
    if failed and not as_json:
        for error in failed:
            click.echo(f"ipsecmon: {error.message}", err=True)
    if failed:
        sys.exit(EXIT_FAILED)


@main.command(name="parse")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--platform",
    type=click.Choice([platform.value for platform in Platform], case_sensitive=False),
    required=True,
    help="Whose output it is.",
)
@click.option(
    "--command", "command", required=True, help='The show command, such as "show crypto ipsec sa".'
)
@_JSON
def parse_file(file: Path, platform: str, command: str, as_json: bool) -> None:
    """Read the output of a show command from FILE.

    No device is needed; - is standard input. The command may be abbreviated.

    \b
    ipsecmon parse site1.txt --platform ios --command "show crypto ipsec sa" --json
    """
    text = _read_text(file)
    try:
        result = parse(platform, command, text)
    except UnknownCommand as error:
        _fail(str(error), EXIT_WRONG_USE)
    except ParserError as error:
        told = error.report() if isinstance(error, ParseError) else str(error)
        _fail(f"{_name(file)}: {told}", EXIT_FAILED)
    if as_json:
        _print_json(result.document())
    else:
        _print_records(result)


@main.command(name="check-config")
@_CONFIG
def check_config(config_file: Path) -> None:
    """Say what is wrong with the configuration.

    All of it at once: the file, the secrets it names, the host keys of its devices.
    """
    config = _load(config_file)
    found = problems(config)
    for problem in found:
        click.echo(f"{config_file}: {problem}", err=True)
    if found:
        sys.exit(EXIT_WRONG_USE)
    click.echo(f"{config_file}: correct, {_devices(config)}")
    for line in templates_in_use(config):
        click.echo(line)


def _raw_needs_json(raw: bool, as_json: bool) -> None:
    if raw and not as_json:
        raise click.UsageError("--raw goes with --json")


def _load(config_file: Path) -> Config:
    if not config_file.exists():
        _fail(
            f"there is no configuration at {config_file}: name it with --config or IPSECMON_CONFIG, "
            f"or write one (CONFIGURATION.md)",
            EXIT_WRONG_USE,
        )
    try:
        return load_config(config_file)
    except ConfigError as error:
        _fail(str(error), EXIT_WRONG_USE, prefix="")


def _poll_once(config_file: Path, devices: Sequence[str]) -> list[PollResult]:
    """One poll of each of ``devices``, all configured ones if none is named, in the order of the file."""
    redactor = setup_logging("error")
    config = _load(config_file)
    names = [device.name for device in config.devices]
    poller = Poller(config, redactor)
    try:
        with ThreadPoolExecutor(max_workers=config.poll.workers) as pool:
            return list(pool.map(poller.poll, devices or names))
    except UnknownDevice as error:
        _fail(str(error), EXIT_WRONG_USE)
    finally:
        poller.close()


def _read_text(file: Path) -> str:
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        _fail(f"cannot read {file}: {error.strerror}", EXIT_WRONG_USE)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    text = data.decode("utf-8", "replace")
    sample = text[:65536]
    strange = sum(
        1 for char in sample if char == "\ufffd" or (char < " " and char not in "\r\n\t\b\x1b")
    )
    if strange * 10 > len(sample):
        _fail(
            f"{_name(file)} is not text: {strange} of its first {len(sample)} characters cannot be printed; "
            f"expected the output of a show command",
            EXIT_FAILED,
        )
    return text


def _name(file: Path) -> str:
    return "standard input" if str(file) == "-" else str(file)


def _fail(message: str, code: int, prefix: str = "ipsecmon: ") -> NoReturn:
    click.echo(f"{prefix}{message}", err=True)
    sys.exit(code)


def _stop_on_signals() -> threading.Event:
    """Set by Ctrl-C, by a supervisor, or when the terminal is closed."""
    stop = threading.Event()

    def note(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, note)
    return stop


def _devices(config: Config) -> str:
    count = len(config.devices)
    return "1 device" if count == 1 else f"{count} devices"


# what a person sees


def _print_json(document: dict[str, Json]) -> None:
    click.echo(json.dumps(document, indent=2))


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
    line = f"    {utc_text(event.at)[11:19]}  {event.device:<8} {event.tunnel}  "
    click.echo(line + click.style(event.detail, fg=color))


def _console() -> Console:
    # a pipe has no width: let lines be as long as they are
    return Console() if sys.stdout.isatty() else Console(width=200, no_color=True)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table


def _print_result(result: PollResult) -> None:
    console = _console()
    if result.error is None and result.read_at is not None:
        console.print(
            f"[bold]{result.device}[/] ({result.host}, {result.platform}), "
            f"read at {utc_text(result.read_at)}",
            highlight=False,
        )
        table = _table(
            "tunnel",
            "peer",
            "state",
            "encaps",
            "decaps",
            "errors",
            "in SPI",
            "out SPI",
            "left",
            "kB left",
        )
        for tunnel in result.tunnels:
            out = tunnel.outbound
            table.add_row(
                tunnel.name,
                tunnel.peer,
                tunnel.status.value,
                _text(tunnel.flow.encaps_packets),
                _text(tunnel.flow.decaps_packets),
                f"{_text(tunnel.flow.send_errors)}/{_text(tunnel.flow.recv_errors)}",
                _spi(tunnel.inbound),
                _spi(out),
                "-"
                if out is None or out.remaining_seconds is None
                else f"{out.remaining_seconds} s",
                _text(out.remaining_kilobytes if out else None),
            )
        console.print(table if result.tunnels else "no tunnels")
        for peer in result.ike_peers:
            states = ", ".join(f"{sa.raw_state} {sa.status or ''}".strip() for sa in peer.sas)
            console.print(f"IKE with {peer.peer}: {states or 'no SA'}", highlight=False)
        if result.sa_lifetime is not None:
            console.print(_lifetime(result.sa_lifetime), highlight=False)
        for output in result.unparsed:
            for line in output.lines:
                console.print(
                    f"not understood, {output.command} line {line.line_no}: {line.text!r}"
                )
        console.print()


def _print_records(result: ParseResult) -> None:
    console = _console()
    flows = [record for record in result.records if isinstance(record, Flow)]
    ike_sas = [record for record in result.records if isinstance(record, IkeSa)]
    if flows:
        table = _table(
            "map", "local", "remote", "peer", "encaps", "decaps", "errors", "SAs", "out SPI"
        )
        for flow in flows:
            table.add_row(
                flow.crypto_map or flow.interface or "-",
                str(flow.local_ident),
                str(flow.remote_ident),
                flow.peer or "-",
                _text(flow.encaps_packets),
                _text(flow.decaps_packets),
                f"{_text(flow.send_errors)}/{_text(flow.recv_errors)}",
                str(len(flow.sas)),
                "-" if flow.current_outbound_spi is None else spi_hex(flow.current_outbound_spi),
            )
        console.print(table)
    if ike_sas:
        table = _table("destination", "source", "state", "conn-id", "status")
        for sa in ike_sas:
            table.add_row(
                sa.destination, sa.source, sa.raw_state, _text(sa.conn_id), sa.status or "-"
            )
        console.print(table)
    for record in result.records:
        if isinstance(record, SaLifetime):
            console.print(_lifetime(record), highlight=False)
    if not result.records:
        console.print(f"{result.command}: nothing listed")
    for line in result.unparsed_lines:
        console.print(f"not understood, line {line.line_no}: {line.text!r}", highlight=False)


def _lifetime(lifetime: SaLifetime) -> str:
    volume = "no volume limit" if lifetime.kilobytes is None else f"{lifetime.kilobytes} kilobytes"
    return f"lifetime of new SAs: {lifetime.seconds} s, {volume}"


def _text(value: int | None) -> str:
    return "-" if value is None else str(value)


def _spi(sa: IpsecSa | None) -> str:
    return "-" if sa is None or sa.spi is None else spi_hex(sa.spi)
