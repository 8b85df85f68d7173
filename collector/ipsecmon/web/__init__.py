"""What a browser, Prometheus and a script see: pages, ``/metrics`` and the JSON API."""

from __future__ import annotations

from ipsecmon.web.application import WebContext, create_app

__all__ = ["WebContext", "create_app"]
