"""Secrets in HashiCorp Vault, over hvac: one connection, logged in as the configuration says, logged in again when refused."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, cast

import requests

from ipsecmon.config import FromVault, Secret, Vault
from ipsecmon.credentials.problems import Problem, usable
from ipsecmon.credentials.sources import from_file

if TYPE_CHECKING:  # an extra: at run time only where Vault is used
    import hvac

__all__ = ["VaultReader"]

REQUEST_SECONDS = 5.0
RENEW_SECONDS = 600.0
DOWN_SECONDS = 10.0
LARGEST_TOKEN_BYTES = 16384


class VaultReader:
    """Reads keys of secrets; safe to use from many threads, one request at a time.

    ``secret`` gives the value of one key of the section ``vault``, read anew, and has it hidden in the log; ``hide`` hides
    what Vault gives to log in with.
    """

    def __init__(
        self,
        vault: Vault,
        secret: Callable[[str], Secret | Problem],
        hide: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._vault = vault
        self._secret = secret
        self._hide = hide
        self._clock = clock
        self._lock = threading.Lock()
        self._client: hvac.Client | None = None
        self._renewed_at = 0.0
        self._trouble: Problem | None = None
        self._trouble_until = 0.0

    def read(self, source: FromVault) -> Secret | Problem:
        """The secret, or why it cannot be had; while Vault cannot be used that is said for some seconds without asking it."""
        with self._lock:
            if self._trouble is not None and self._clock() < self._trouble_until:
                return self._trouble
            self._trouble = None
            try:
                return self._read(source)
            except _Trouble as trouble:
                self._trouble = trouble.problem
            self._trouble_until = self._clock() + DOWN_SECONDS
            return self._trouble

    def _read(self, source: FromVault) -> Secret | Problem:
        for attempt in (1, 2):
            client = self._client or self._logged_in()
            self._renew(client)
            try:
                answer = self._asked(partial(client.read, path_of(source)))
            except _Refused:
                self._client = None  # the token has ended, or it never was allowed to
                if attempt == 2:
                    todo = "give its login a policy that may read this path"
                    return Problem("may not be read with this login", todo)
            else:
                return value_of(answer, source)
        raise AssertionError("unreachable: the second attempt returns")

    def _logged_in(self) -> hvac.Client:
        try:
            import hvac
        except ModuleNotFoundError:
            raise _Trouble(
                Problem("needs the package hvac", "pip install 'ipsecmon[vault]'")
            ) from None
        vault = self._vault
        client = hvac.Client(
            url=vault.address,
            token="",  # none, rather than the one in the environment
            verify=str(vault.ca_file) if vault.ca_file else True,
            timeout=REQUEST_SECONDS,
            namespace=vault.namespace,
        )
        try:
            self._log_in(client)
        except _Refused:
            todo = "check the login under 'vault'"
            raise _Trouble(Problem("cannot be read: Vault refused the login", todo)) from None
        self._hide(client.token)
        self._client = client
        self._renewed_at = self._clock()
        return client

    def _log_in(self, client: hvac.Client) -> None:
        vault = self._vault
        if vault.token is not None:
            client.token = self._needed("token")
        elif vault.role_id is not None:
            role, secret = self._needed("role_id"), self._needed("secret_id")
            mount = vault.auth_mount or "approle"
            self._asked(lambda: client.auth.approle.login(role, secret, mount_point=mount))
        else:
            role = vault.kubernetes_role or ""
            token = from_file(vault.kubernetes_token, LARGEST_TOKEN_BYTES)
            if isinstance(token, Problem):
                place = f"vault.kubernetes_token: file {vault.kubernetes_token} {token.what}"
                todo = "run ipsecmon in a pod with a service account"
                raise _Trouble(Problem(f"cannot be read: {place}", todo))
            jwt = token.reveal()
            self._hide(jwt)
            mount = vault.auth_mount or "kubernetes"
            self._asked(lambda: client.auth.kubernetes.login(role, jwt, mount_point=mount))

    def _needed(self, key: str) -> str:
        found = self._secret(key)
        if isinstance(found, Problem):
            raise _Trouble(Problem(f"cannot be read: vault.{key} {found.what}", found.todo))
        return found.reveal()

    def _renew(self, client: hvac.Client) -> None:
        """A token ends unless it is renewed; one that cannot be renewed is replaced when it is refused."""
        if self._clock() - self._renewed_at < RENEW_SECONDS:
            return
        self._renewed_at = self._clock()
        try:
            self._asked(client.auth.token.renew_self)
        except _Refused:
            return

    def _asked(self, request: Callable[[], object]) -> object:
        """The answer to one request; what goes wrong is told without the words of the server, which may quote secrets."""
        import hvac.exceptions as refusals

        where = self._vault.address
        try:
            return request()
        except (refusals.Forbidden, refusals.Unauthorized, refusals.InvalidRequest):
            pass
        except requests.exceptions.SSLError:
            problem = f"cannot be read: no trusted TLS connection to {where}"
            raise _Trouble(Problem(problem, "check 'vault.ca_file' and the address")) from None
        except (requests.exceptions.RequestException, OSError) as error:
            problem = f"cannot be read: no answer from {where} ({type(error).__name__})"
            raise _Trouble(Problem(problem, "check 'vault.address' and the way there")) from None
        except (refusals.VaultError, ValueError) as error:
            problem = f"cannot be read: {where} is in trouble ({type(error).__name__})"
            raise _Trouble(Problem(problem, "see whether Vault is unsealed and well")) from None
        raise _Refused


class _Refused(Exception):
    """Vault does not allow this."""


class _Trouble(Exception):
    """Nothing can be read from Vault for now."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.what)
        self.problem = problem


def path_of(source: FromVault) -> str:
    """Version 2 of the store keeps the newest version of a secret below ``data``."""
    return f"{source.mount}/{'data/' if source.version == 2 else ''}{source.path}"


def value_of(answer: object, source: FromVault) -> Secret | Problem:
    """The key of ``{"data": {...}}``, in version 2 of ``{"data": {"data": {...}}}``."""
    data: object = answer
    for _ in range(source.version):
        data = cast("dict[str, object]", data).get("data") if isinstance(data, dict) else None
    if not isinstance(data, dict):
        todo = "check 'path', 'mount' and 'version'"
        return Problem("cannot be read: there is no such secret", todo)
    value = cast("dict[str, object]", data).get(source.key)
    if not isinstance(value, str):
        return Problem("cannot be read: the secret has no such key with a text", "check 'key'")
    return usable(value, "store the password alone")
