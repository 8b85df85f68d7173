"""How a command reaches the lab of a running demo: a Unix socket in a folder of the user's own, a JSON line each way.

    {"do": "strike", "target": "hub/lisbon", "fault": "psk-mismatch"}
    {"do": "lift", "target": "hub/lisbon", "fault": null}
    {"do": "tell"}

The answer is ``{"error": "..."}``, or what ``orders.py`` says. Whoever can open the socket can break the lab, and nothing
else.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import socketserver
import stat
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, cast

__all__ = ["ControlError", "ControlServer", "ask", "default_socket"]

Order = dict[str, Any]
Answer = dict[str, Any]

_SECONDS: Final = 10.0
# how long the end of the demo may have to wait for the socket
_POLL_SECONDS: Final = 0.1
_LONGEST_LINE: Final = 65536


class ControlError(Exception):
    """The socket cannot be used, or what was asked for cannot be done; the sentence says why."""


def default_socket() -> Path:
    """Below the user's runtime folder, or below the one for temporary files with the user's number in its name."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime:
        return Path(runtime) / "ipsecmon" / "lab.sock"
    return Path(tempfile.gettempdir()) / f"ipsecmon-{os.getuid()}" / "lab.sock"


def ask(path: Path, order: Order) -> Answer:
    """Send an order to the demo that listens at ``path``; ``ControlError`` where none does or it says no."""
    if path.parent.exists():
        _must_be_private(path.parent)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_SECONDS)
            connection.connect(str(path))
            connection.sendall(json.dumps(order).encode() + b"\n")
            with connection.makefile("rb") as reader:
                answer: Answer = json.loads(reader.readline())
    except (FileNotFoundError, ConnectionRefusedError):
        raise ControlError(
            f"no demo listens at {path}: start one with ipsecmon demo, in another terminal"
        ) from None
    except (OSError, ValueError) as error:
        raise ControlError(f"the demo at {path} does not answer: {error}") from error
    if "error" in answer:
        raise ControlError(answer["error"])
    return answer


class ControlServer:
    """Listens at ``path`` and has ``obey`` carry out each order, in a thread of its own.

    What ``obey`` raises is the answer where it is a ``LookupError``, ``TypeError``, ``ValueError`` or ``RuntimeError``.
    """

    def __init__(self, path: Path, obey: Callable[[Order], Answer]) -> None:
        self.path = path
        _make_private(path.parent)
        _clear_way(path)
        try:
            self._server = _Server(str(path), _Connection)
        except OSError as error:
            raise _no_listening(path, error) from error
        self._server.obey = obey
        path.chmod(0o600)
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": _POLL_SECONDS},
            name="lab control",
            daemon=True,
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(_SECONDS)
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    obey: Callable[[Order], Answer]


class _Connection(socketserver.StreamRequestHandler):
    timeout = _SECONDS

    def handle(self) -> None:
        with contextlib.suppress(OSError):  # whoever asked has gone
            answer = self._answer(self.rfile.readline(_LONGEST_LINE))
            self.wfile.write(json.dumps(answer).encode() + b"\n")

    def _answer(self, line: bytes) -> Answer:
        try:
            return cast("_Server", self.server).obey(_order(line))
        except (LookupError, TypeError, ValueError, RuntimeError) as error:
            return {"error": str(error.args[0] if error.args else error)}


def _order(line: bytes) -> Order:
    order = json.loads(line)
    if not isinstance(order, dict):
        raise TypeError(f"found {order!r}, expected an order")
    return cast("Order", order)


def _make_private(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ControlError(
            f"no folder can be made at {folder}: {error.strerror}; --socket chooses another place"
        ) from error
    _must_be_private(folder)


def _must_be_private(folder: Path) -> None:
    """A folder that others may write to could hold a socket of theirs."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise ControlError(f"{folder} is not a folder; --socket chooses another place")
    if found.st_uid != os.getuid():
        raise ControlError(
            f"{folder} belongs to the user with the number {found.st_uid}, not to you: "
            "--socket chooses another place"
        )
    if found.st_mode & 0o077:
        raise ControlError(
            f"{folder} is open to others (mode {stat.S_IMODE(found.st_mode):04o}), expected 0700: "
            f"chmod 700 {folder}, or choose another place with --socket"
        )


def _clear_way(path: Path) -> None:
    """Remove the socket of a demo that ended without its own tidying; one that answers is left alone."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_SECONDS)
            connection.connect(str(path))
    except FileNotFoundError:
        return
    except ConnectionRefusedError:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise ControlError(
                f"{path} is there and is no socket: --socket chooses another place"
            ) from None
        path.unlink()
    except OSError as error:
        raise _no_listening(path, error) from error
    else:
        raise ControlError(f"another demo listens at {path}: --socket chooses another place")


def _no_listening(path: Path, error: OSError) -> ControlError:
    return ControlError(f"{path} cannot be listened at: {error}; --socket chooses another place")
