"""What Alertmanager sends, received on a loopback port: for tests that wait for an alert and a demo that prints them.

The body is Alertmanager's webhook format, version 4:
https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Literal, Self

__all__ = ["Notification", "NotifiedAlert", "WebhookReceiver", "read_notification"]

_END_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifiedAlert:
    """One alert within a notification."""

    status: Literal["firing", "resolved"]
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: str
    ends_at: str

    @property
    def name(self) -> str:
        """The name of its rule."""
        return self.labels.get("alertname", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One call of the webhook: a group of alerts, those that fire and those that are over."""

    received_at: float
    receiver: str
    group_labels: Mapping[str, str]
    alerts: tuple[NotifiedAlert, ...]


def read_notification(body: bytes, received_at: float) -> Notification:
    """A notification from the JSON that Alertmanager posts; ``ValueError`` for anything else."""
    sent: dict[str, Any] = json.loads(body)
    try:
        return Notification(
            received_at=received_at,
            receiver=sent["receiver"],
            group_labels=sent["groupLabels"],
            alerts=tuple(
                NotifiedAlert(
                    status=alert["status"],
                    labels=alert["labels"],
                    annotations=alert["annotations"],
                    starts_at=alert["startsAt"],
                    ends_at=alert["endsAt"],
                )
                for alert in sent["alerts"]
            ),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a notification of Alertmanager: {error} is missing") from error


class WebhookReceiver:
    """A small HTTP server that remembers every notification and tells ``on_notification`` of it, in a thread of its own.

    with WebhookReceiver() as receiver:
        ...  # receiver.url goes into the configuration of Alertmanager
        receiver.notifications
    """

    def __init__(self, on_notification: Callable[[Notification], object] | None = None) -> None:
        self._told = on_notification
        self._lock = threading.Lock()
        self._notifications: list[Notification] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="webhook", daemon=True
        )

    @property
    def url(self) -> str:
        """Where Alertmanager posts to."""
        return f"http://127.0.0.1:{self._server.server_port}/"

    @property
    def notifications(self) -> tuple[Notification, ...]:
        """Everything received so far, in the order of arrival."""
        with self._lock:
            return tuple(self._notifications)

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
        self._thread.join(_END_SECONDS)

    def _receive(self, body: bytes) -> None:
        notification = read_notification(body, time.time())
        with self._lock:
            self._notifications.append(notification)
        if self._told is not None:
            self._told(notification)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receive = self._receive

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                try:
                    receive(self.rfile.read(int(self.headers.get("Content-Length", 0))))
                except ValueError as error:
                    self.send_error(400, str(error))
                    return
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by http.server
                """Stay silent: who looks at the demo wants the alerts, not the calls."""

        return Handler
