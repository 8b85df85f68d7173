"""Prometheus and Alertmanager for the demo: the rules at the speed of its routers, and alerts told as they come."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

from ipsecmon.alerting.rule_file import rule_file
from ipsecmon.alerting.thresholds import THRESHOLDS
from ipsecmon.alerting.timescale import Timescale
from ipsecmon.lab.stack import Stack, StackError
from ipsecmon.lab.stack_files import StackFileError
from ipsecmon.lab.webhook import Notification, WebhookReceiver

__all__ = ["DemoStack", "StackUnusable"]

_SCRAPE_SECONDS: Final = 1.0
# a rate needs two scrapes within its window, and a scrape may come late
_SHORTEST_WINDOW_SECONDS: Final = 4 * _SCRAPE_SECONDS


class StackUnusable(Exception):
    """Prometheus or Alertmanager is missing or does not start, or the folder is not the one that is shipped."""


class DemoStack:
    """Both servers and the receiver of alerts; ``told`` hears each notification, in a thread of the receiver's."""

    def __init__(
        self,
        folder: Path,
        deploy: Path,
        *,
        monitor_url: str,
        speed: float,
        told: Callable[[Notification], object],
    ) -> None:
        self._running = ExitStack()
        self._receiver = WebhookReceiver(told)
        self._stack = Stack(
            folder / "stack",
            deploy=deploy,
            monitor=urlsplit(monitor_url).netloc,
            rules=_rules(monitor_url, speed),
            webhook_url=self._receiver.url,
            interval_seconds=_SCRAPE_SECONDS,
            speed=speed,
        )

    @property
    def prometheus_url(self) -> str:
        """Of its pages."""
        return self._stack.prometheus_url

    @property
    def alertmanager_url(self) -> str:
        """Of its pages."""
        return self._stack.alertmanager_url

    def __enter__(self) -> Self:
        try:
            self._running.enter_context(self._receiver)
            self._running.enter_context(self._stack)
        except BaseException as error:
            self._running.close()
            if isinstance(error, StackError | StackFileError):
                raise StackUnusable(str(error)) from error
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._running.close()


def _rules(monitor_url: str, speed: float) -> str:
    thresholds = replace(THRESHOLDS, runbooks=f"{monitor_url}/runbooks")
    return rule_file(thresholds, Timescale(speed, _SHORTEST_WINDOW_SECONDS))
