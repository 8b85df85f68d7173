"""A port that can be shut and opened again, and what becomes of a connection before SSH begins.

The first group of ``Faults`` is met here. No SSH in this file: a connection that is let in goes to ``serve``. Everything
happens in the thread of the running loop.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Final

from ipsecmon.lab.faults import Faults

__all__ = ["HOST", "SERVER_VERSION", "Listener", "reset_on_close"]

HOST: Final = "127.0.0.1"
SERVER_VERSION: Final = "Cisco-1.25"
_BACKLOG: Final = 512
_NOT_SSH: Final = b"HTTP/1.0 400 Bad Request\r\nContent-Length: 0\r\n\r\n"


class Listener:
    """One port of the loopback address. ``port`` 0 takes a free one and keeps it from then on."""

    def __init__(
        self,
        port: int,
        *,
        faults: Callable[[], Faults],
        open_connections: Callable[[], int],
        serve: Callable[[socket.socket], None],
    ) -> None:
        self.port = port
        self._faults = faults
        self._open_connections = open_connections
        self._serve = serve
        self._socket: socket.socket | None = None
        self._held: set[socket.socket] = set()

    def open(self) -> None:
        """Listen; ``OSError`` if the port is taken. Harmless when repeated."""
        if self._socket is not None:
            return
        listening = socket.socket()
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((HOST, self.port))
            listening.listen(_BACKLOG)
            listening.setblocking(False)
        except OSError:
            listening.close()
            raise
        self.port = listening.getsockname()[1]
        self._socket = listening
        asyncio.get_running_loop().add_reader(listening, self._accept, listening)

    def shut(self) -> None:
        """Listen no more: who knocks is refused. Connections that stand are left alone."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def drop_held(self, *, is_reset: bool = False) -> None:
        """Close the connections that never came to SSH."""
        for connection in list(self._held):
            if is_reset:
                reset_on_close(connection)
            self._drop(connection)

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            connection.setblocking(False)
            try:
                self._receive(connection)
            except OSError:  # the other side was gone before a word was said
                self._drop(connection)

    def _receive(self, connection: socket.socket) -> None:
        faults = self._faults()
        match faults.login:
            case "silent":
                self._hold(connection)
            case "silent_after_version":
                self._hold(connection)
                connection.send(f"SSH-2.0-{SERVER_VERSION}\r\n".encode("ascii"))
            case "not_ssh":
                self._hold(connection)
                connection.send(_NOT_SSH)
                # a close with bytes of the other side unread would be an RST and could take the answer with it
                connection.shutdown(socket.SHUT_WR)
            case "reset":
                reset_on_close(connection)
                connection.close()
            case _:
                lines = faults.vty_lines
                if lines is not None and self._open_connections() >= lines:
                    connection.close()
                else:
                    self._serve(connection)

    def _hold(self, connection: socket.socket) -> None:
        """Keep it without a word until the other side ends it."""
        self._held.add(connection)
        asyncio.get_running_loop().add_reader(connection, self._ignore, connection)

    def _ignore(self, connection: socket.socket) -> None:
        try:
            if connection.recv(4096):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._drop(connection)

    def _drop(self, connection: socket.socket) -> None:
        asyncio.get_running_loop().remove_reader(connection)
        self._held.discard(connection)
        connection.close()


def reset_on_close(connection: socket.socket) -> None:
    """Let the close of this socket be an RST rather than a FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
