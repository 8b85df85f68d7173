"""Serves the ASGI application in a thread of its own, so that the main thread decides when to stop."""

from __future__ import annotations

import socket
import threading

import uvicorn
from starlette.types import ASGIApp

from ipsecmon.errors import IpsecmonError

__all__ = ["HttpServer", "ListenFailed"]

_STOP_SECONDS = 10.0


class ListenFailed(IpsecmonError, OSError):
    """The address to listen on is not to be had."""


class HttpServer:
    """An HTTP server on ``host``:``port``; port 0 takes a free one."""

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        self._socket = _listening_socket(host, port)
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            app,
            log_config=None,
            ws="none",
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=2,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="http", daemon=True
        )

    def start(self) -> None:
        """Serve; returns at once. The socket listens already, so no request is lost."""
        self._thread.start()

    def begin_to_stop(self) -> None:
        """Take no more requests; returns at once."""
        self._server.should_exit = True

    def stop(self) -> None:
        """Finish the requests under way and end."""
        self.begin_to_stop()
        if self._thread.is_alive():
            self._thread.join(_STOP_SECONDS)
        self._socket.close()


def _listening_socket(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(128)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ListenFailed(
            f"cannot listen on {host or '*'}:{port}: {reason}; choose another address in web.listen"
        ) from error
    return listener
