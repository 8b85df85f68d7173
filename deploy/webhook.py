"""Prints the notifications of Alertmanager, for the time before a pager, a chat or a mail address is in alertmanager.yml.

    critical  device="Site1": 2 firing
        firing    CiscoIpsecTunnelDown: IPsec tunnel ... is down

The word in front is the path of the URL that Alertmanager posts to, which is the name of the receiver.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["PORT", "Printer", "lines_of"]

PORT = 9099
MOST_BYTES = 10_000_000


def lines_of(receiver: str, notification: dict[str, Any]) -> Iterator[str]:
    """What is printed of one notification (the webhook format of Alertmanager, version 4)."""
    alerts = notification["alerts"]
    group = ", ".join(f'{name}="{value}"' for name, value in notification["groupLabels"].items())
    firing = sum(alert["status"] == "firing" for alert in alerts)
    yield f"{receiver:<9} {group or 'no device'}: {firing} firing, {len(alerts) - firing} resolved"
    for alert in alerts:
        name = alert["labels"].get("alertname", "")
        summary = alert["annotations"].get("summary", "")
        yield f"    {alert['status']:<9} {name}: {summary}"


class Printer(BaseHTTPRequestHandler):
    """Answers 200 once a notification is printed, so that Alertmanager tries again what was not."""

    timeout = 10

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        if length > MOST_BYTES:
            self.send_error(413)
            return
        try:
            lines = list(lines_of(self.path.strip("/"), json.loads(self.rfile.read(length))))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self.send_error(400, f"expected a notification of Alertmanager: {error!r}"[:200])
            return
        # in one piece, or the lines of two notifications run into each other
        print("".join(f"{line}\n" for line in lines), end="", flush=True)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
        """Nothing for each request: the notifications are the log."""


if __name__ == "__main__":
    address = sys.argv[1] if len(sys.argv) > 1 else ""
    ThreadingHTTPServer((address, PORT), Printer).serve_forever()
