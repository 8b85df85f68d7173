"""A secret that a program prints: started without a shell, read to its end or killed with all it started."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from ipsecmon.config import Secret
from ipsecmon.credentials.problems import LARGEST_BYTES, Problem, usable

__all__ = ["from_command"]

COMMAND_SECONDS = 10.0
# how soon the end of a program is noticed whose output something that it left behind keeps open
NOTICE_SECONDS = 0.1


def from_command(
    command: Sequence[str], environ: Mapping[str, str], seconds: float = COMMAND_SECONDS
) -> Secret | Problem:
    """The first line of what ``command`` prints within ``seconds``; of its error output nothing is kept."""
    by_hand = "run it by hand as the account that runs ipsecmon"
    try:
        process = subprocess.Popen(  # noqa: S603 # the user's own command, without a shell
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(environ),
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a command"
        return Problem(
            f"cannot be started ({reason})",
            "give the full path of a program that the account of ipsecmon may run",
        )
    with process:
        try:
            line = first_line(process, time.monotonic() + seconds)
        finally:
            if process.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
    if line is None:
        return Problem(f"did not end within {seconds:g} s and was killed", by_hand)
    if process.returncode != 0:
        return Problem(ending(process.returncode), by_hand)
    todo = "let it print the password alone as its first line"
    if len(line) > LARGEST_BYTES:
        return Problem(f"printed a line longer than {LARGEST_BYTES} bytes", todo)
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Problem("printed something other than text in UTF-8", todo)
    if not text:
        return Problem("printed nothing in its first line", todo)
    return usable(text, todo)


def first_line(process: subprocess.Popen[bytes], deadline: float) -> bytes | None:
    """What ``process`` prints before its first line feed, at the end of it; ``None`` if that does not come in time."""
    assert process.stdout is not None  # noqa: S101 # for the type checkers: asked for above
    kept = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while (left := deadline - time.monotonic()) > 0:
            if selector.select(min(left, NOTICE_SECONDS)):
                data = os.read(process.stdout.fileno(), 65536)
                if not data:
                    break
                kept += data[: LARGEST_BYTES + 1 - len(kept)]
            elif process.poll() is not None:
                break
    try:
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return None
    return kept.partition(b"\n")[0].rstrip(b"\r")


def ending(code: int) -> str:
    return f"ended with exit code {code}" if code > 0 else f"was ended by signal {-code}"
