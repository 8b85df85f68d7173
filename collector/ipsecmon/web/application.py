"""The routes: each reads the store's snapshot and never talks to a device."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from ipsecmon.dump import result_document
from ipsecmon.metrics import ExporterFacts, accepts_gzip, exposition, negotiated
from ipsecmon.store import Entry, Store
from ipsecmon.web.pages import no_runbook_page, overview_page, runbook_page
from ipsecmon.web.runbooks import Runbooks, runbooks_folder

__all__ = ["WebContext", "create_app"]

# the fastest: a scrape is compressed once and read once
_GZIP_LEVEL = 1


@dataclass(slots=True, kw_only=True)
class WebContext:
    """What the routes read.

    ``stale_after`` names every configured device, polled yet or not; it is replaced as a whole when devices come and go.
    ``reload`` reads the configuration again and answers why not, where it cannot; ``None`` where there is none to read.
    """

    store: Store
    stale_after: Mapping[str, float]
    facts: Callable[[], ExporterFacts]
    clock: Callable[[], float] = time.time
    reload: Callable[[], str | None] | None = None
    has_been_ready: bool = False

    @property
    def is_ready(self) -> bool:
        """Every device has been polled once, with or without success; one that comes later changes nothing."""
        if not self.has_been_ready:
            self.has_been_ready = self.stale_after.keys() <= self.store.entries().keys()
        return self.has_been_ready


def create_app(context: WebContext) -> Starlette:
    """The ASGI application over ``context``."""
    runbooks = Runbooks(runbooks_folder())

    def metrics(request: Request) -> Response:
        entries: Mapping[str, Entry] = context.store.entries()
        facts: ExporterFacts | None = context.facts()
        device = request.query_params.get("device")
        if device is not None:
            if device not in context.stale_after:
                known = ", ".join(sorted(context.stale_after))
                return PlainTextResponse(
                    f"there is no device {device!r}; configured devices: {known}\n",
                    status_code=404,
                )
            entries = {device: entries[device]} if device in entries else {}
            facts = None
        form = negotiated(request.headers.get("accept"))
        body = exposition(entries, facts, context.stale_after, context.clock(), form)
        headers = {"content-type": form.content_type, "vary": "accept, accept-encoding"}
        if accepts_gzip(request.headers.get("accept-encoding")):
            body = gzip.compress(body, compresslevel=_GZIP_LEVEL, mtime=0)
            headers["content-encoding"] = "gzip"
        return Response(body, headers=headers)

    def overview(_: Request) -> Response:
        return HTMLResponse(
            overview_page(
                context.store.snapshot(),
                context.store.recent_events(),
                sorted(context.stale_after),
                context.clock(),
            )
        )

    def devices(request: Request) -> Response:
        raw = request.query_params.get("raw") == "true"
        snapshot = context.store.snapshot()
        return JSONResponse(
            {"devices": [result_document(snapshot[name], raw=raw) for name in sorted(snapshot)]}
        )

    def device(request: Request) -> Response:
        name = request.path_params["name"]
        result = context.store.get(name)
        if result is None:
            known = ", ".join(sorted(context.stale_after))
            return JSONResponse(
                {"error": f"nothing is known of {name!r} yet; configured devices: {known}"},
                status_code=404,
            )
        return JSONResponse(result_document(result, raw=request.query_params.get("raw") == "true"))

    def runbook_index(_: Request) -> Response:
        return HTMLResponse(runbook_page("Runbooks", runbooks.index(), runbooks.names()))

    def runbook(request: Request) -> Response:
        name, names = request.path_params["name"], runbooks.names()
        body = runbooks.page(name)
        if body is None:
            return HTMLResponse(no_runbook_page(name, names), status_code=404)
        return HTMLResponse(runbook_page(name, body, names))

    def healthy(_: Request) -> Response:
        return PlainTextResponse("ipsecmon is running.\n")

    def ready(_: Request) -> Response:
        if context.is_ready:
            return PlainTextResponse("every device has been polled.\n")
        return PlainTextResponse("not every device has been polled yet.\n", status_code=503)

    def reload(_: Request) -> Response:
        if context.reload is None:
            return PlainTextResponse("there is no configuration to read again.\n", status_code=500)
        problem = context.reload()
        if problem is None:
            return PlainTextResponse("the configuration was read again.\n")
        return PlainTextResponse(f"{problem}\n", status_code=500)

    return Starlette(
        routes=[
            Route("/", overview),
            Route("/metrics", metrics),
            Route("/api/v1/devices", devices),
            Route("/api/v1/devices/{name}", device),
            Route("/runbooks/", runbook_index),
            Route("/runbooks/{name:path}", runbook),
            Route("/-/healthy", healthy),
            Route("/-/ready", ready),
            Route("/-/reload", reload, methods=["POST"]),
        ]
    )
