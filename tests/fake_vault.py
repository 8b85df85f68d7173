"""A Vault on the loopback address that knows one secret: enough of its HTTP API to log in, read and be in trouble."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

__all__ = ["FakeVault"]


class FakeVault:
    """``tokens`` are those it accepts; each login gives out the next of ``given`` and accepts it from then on."""

    def __init__(self) -> None:
        self.tokens: set[str] = set()
        self.given = ["given-token-1", "given-token-2", "given-token-3"]
        self.secret_id = "secret-id"
        self.jwt = "pod-token"
        self.data: dict[str, object] = {
            "/v1/secret/data/routers/lab": {"data": {"password": "from-vault", "number": 1}},
            "/v1/kv/old": {"password": "from-version-1"},
        }
        self.is_sealed = False
        self.requests: list[str] = []
        self.tokens_seen: set[str | None] = set()
        self.namespaces: set[str | None] = set()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # its name there
                pass

            def do_GET(self) -> None:  # its name there
                self.reply(*fake.read(self.path, self.headers.get("X-Vault-Token")))

            def do_POST(self) -> None:  # its name there
                fake.namespaces.add(self.headers.get("X-Vault-Namespace"))
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length) or b"{}")
                self.reply(*fake.write(self.path, body, self.headers.get("X-Vault-Token")))

            do_PUT = do_POST  # noqa: N815 # its name there

            def reply(self, status: int, document: object) -> None:
                data = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Nobody listens any more; harmless when repeated."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def read(self, path: str, token: str | None) -> tuple[int, object]:
        self.requests.append(f"read {path}")
        if self.is_sealed:
            return 503, {"errors": ["Vault is sealed; the secret was from-vault"]}
        if token not in self.tokens:
            return 403, {"errors": [f"permission denied to {token}"]}
        if path not in self.data:
            return 404, {"errors": []}
        return 200, {"data": self.data[path]}

    def write(self, path: str, body: dict[str, str], token: str | None) -> tuple[int, object]:
        self.requests.append(f"write {path}")
        self.tokens_seen.add(token)
        is_known = {
            "/v1/auth/approle/login": body.get("secret_id") == self.secret_id,
            "/v1/auth/kubernetes/login": body.get("jwt") == self.jwt,
            "/v1/auth/token/renew-self": token in self.tokens,
        }
        if not is_known.get(path, False):
            return 400, {"errors": [f"invalid secret id {body}"]}
        if path.endswith("renew-self"):
            return 200, {"auth": {"client_token": token, "lease_duration": 3600}}
        new = self.given.pop(0)
        self.tokens.add(new)
        return 200, {"auth": {"client_token": new, "lease_duration": 3600}}
