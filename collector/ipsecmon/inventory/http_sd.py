"""Target groups over HTTP, in the form of Prometheus' ``http_sd``."""

from __future__ import annotations

import time
from collections.abc import Iterator

import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

from ipsecmon.config import Source
from ipsecmon.inventory.hosts import FoundHost, SourceFailed
from ipsecmon.inventory.secrets import Redact, reveal
from ipsecmon.inventory.targets import LARGEST_BYTES, hosts_in_targets

__all__ = ["hosts_over_http"]

_CONNECT_SECONDS = 5.0
_SILENCE_SECONDS = 10.0


def hosts_over_http(source: Source, redact: Redact, timeout: float = 30.0) -> list[FoundHost]:
    """All hosts that the server tells within ``timeout`` seconds; raises ``SourceFailed``."""
    url = source.http_sd or ""
    text = _body(url, _headers(source, redact), source, time.monotonic() + timeout)
    return hosts_in_targets(text, "the answer")


def _headers(source: Source, redact: Redact) -> dict[str, str]:
    # not compressed: the bound on its length holds for what it takes in memory
    headers = {"accept": "application/json", "accept-encoding": "identity"}
    for name, secret in source.headers.items():
        headers[name] = reveal(secret, f"headers.{name}", redact)
    if source.token is not None:
        headers["authorization"] = f"Bearer {reveal(source.token, 'token', redact)}"
    return headers


def _body(url: str, headers: dict[str, str], source: Source, deadline: float) -> str:
    try:
        with requests.get(
            url,
            headers=headers,
            auth=_as_it_is,
            stream=True,
            timeout=(_CONNECT_SECONDS, _SILENCE_SECONDS),
            verify=str(source.ca) if source.ca else True,
            # a header with a token would go along to wherever the answer points
            allow_redirects=False,
        ) as response:
            return _read(response, deadline)
    except SourceFailed:
        raise
    except requests.exceptions.SSLError:
        todo = "check the name in its certificate and the authority under 'ca'"
        problem = f"the server's certificate is not trusted; {todo}"
    except (requests.exceptions.Timeout, ReadTimeoutError):
        problem = "the server does not answer in time"
    except (requests.exceptions.RequestException, HTTPError, OSError) as error:
        problem = f"the server cannot be reached ({type(error).__name__}); check the address"
    raise SourceFailed(problem)


def _read(response: requests.Response, deadline: float) -> str:
    if response.status_code != requests.codes.ok:
        raise SourceFailed(f"the server answers {response.status_code}, 200 is expected")
    data = bytearray()
    for piece in _pieces(response):
        data += piece
        if len(data) > LARGEST_BYTES:
            raise SourceFailed(f"the answer is longer than {LARGEST_BYTES // 2**20} MiB")
        if time.monotonic() > deadline:
            raise SourceFailed("the answer was not whole in time")
    return data.decode("utf-8", "replace")


def _pieces(response: requests.Response) -> Iterator[bytes]:
    """The answer as it comes in: who sends a byte every few seconds is noticed, too."""
    while piece := response.raw.read1(65536):
        yield piece


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Without this, requests puts a login from ``~/.netrc`` in the place of the token."""
    return request
