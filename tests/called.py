"""The command line, called in this process: what it prints and how it ends, without a second of imports each time."""

from __future__ import annotations

from pathlib import Path
from subprocess import CompletedProcess

from click.testing import CliRunner

from ipsecmon.cli import main

__all__ = ["ipsecmon"]


def ipsecmon(
    *arguments: str | Path, stdin: bytes = b"", env: dict[str, str] | None = None
) -> CompletedProcess[str]:
    """As ``subprocess.run`` would give it; an exception that a person would see is raised."""
    called = [str(one) for one in arguments]
    done = CliRunner(env=env).invoke(main, called, input=stdin, prog_name="ipsecmon")
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return CompletedProcess(called, done.exit_code, done.stdout, done.stderr)
