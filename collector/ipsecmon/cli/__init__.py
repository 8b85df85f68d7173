"""The command line: JSON where a pipe reads, tables where a person does, exit codes for scripts.

Each command lives in a module of its own family and is imported when it is called: reading a file needs no SSH, and a
person at a prompt should not wait for it.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import warnings
from types import MappingProxyType
from typing import NamedTuple

import click

from ipsecmon import __version__

__all__ = ["COMMANDS", "Command", "entry", "main"]

_EXIT_FAILED = 1
_EXIT_CODES = """\b
Exit codes: 0 everything was read; 1 a device or an output could not be read;
2 wrong use or a wrong configuration."""


class Command(NamedTuple):
    """Where a command is, and its line in the list of commands, which is shown without importing it."""

    module: str
    function: str
    summary: str


COMMANDS = MappingProxyType(
    {
        "check-config": Command(
            "ipsecmon.cli.configuration",
            "check_config",
            "Say what is wrong with the configuration.",
        ),
        "check-device": Command(
            "ipsecmon.cli.polling",
            "check_device_command",
            "Say step by step whether DEVICE can be polled, and what to do where it cannot.",
        ),
        "demo": Command(
            "ipsecmon.cli.demo",
            "demo",
            "Emulate two sites over real SSH and monitor them.",
        ),
        "dump": Command("ipsecmon.cli.polling", "dump", "Poll every device once, now."),
        "events": Command(
            "ipsecmon.cli.events", "events", "Show what happened to the tunnels, oldest first."
        ),
        "hostkeys": Command(
            "ipsecmon.hostkeys_command",
            "hostkeys",
            "Fetch, show and trust the host keys of devices.",
        ),
        "inventory": Command(
            "ipsecmon.cli.configuration",
            "list_inventory",
            "Show which devices there are, from where, and with which settings.",
        ),
        "lab": Command(
            "ipsecmon.cli.lab", "lab", "Break the routers of a running demo, and put them right."
        ),
        "parse": Command(
            "ipsecmon.cli.parse",
            "parse_file",
            "Read the outputs of show commands from FILE, or from standard input.",
        ),
        "poll": Command(
            "ipsecmon.cli.polling", "poll", "Poll DEVICE once, now, and show what it says."
        ),
        "rules": Command(
            "ipsecmon.cli.rules",
            "rules",
            "Print alert rules for Prometheus, with thresholds of your choice.",
        ),
        "run": Command(
            "ipsecmon.cli.service",
            "run",
            "Poll the devices of the configuration and serve metrics, pages and JSON.",
        ),
    }
)


class _Commands(click.Group):
    """Imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 # click's signature
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 # click's signature
        found = COMMANDS.get(cmd_name)
        if found is None:
            return None
        command: click.Command = getattr(importlib.import_module(found.module), found.function)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 # click's signature
        with formatter.section("Commands"):
            formatter.write_dl([(name, one.summary) for name, one in sorted(COMMANDS.items())])


@click.group(
    cls=_Commands,
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
    # old devices have nothing better, and whoever polls them cannot change it; standard error is a log of JSON lines
    warnings.filterwarnings("ignore", module=r"(asyncssh|paramiko)\b")
    try:
        main()
    except OSError as error:
        with contextlib.suppress(OSError):
            sys.stderr.write(f"ipsecmon: cannot write the output: {error.strerror or error}\n")
            sys.stderr.flush()
        os._exit(_EXIT_FAILED)  # what is left in the buffer of standard output would fail again
