"""Follows the references of a credential, now."""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ipsecmon.config import (
    AnySource,
    Credential,
    FromCommand,
    FromKeyring,
    FromVault,
    Reference,
    Secret,
    Vault,
)
from ipsecmon.credentials.keys import KeyFiles, agent_problem
from ipsecmon.credentials.looking import look_up
from ipsecmon.credentials.memory import Memory
from ipsecmon.credentials.problems import CredentialError, Problem
from ipsecmon.credentials.vault import VaultReader

__all__ = ["Login", "Logins"]

CHECKED_AT_A_TIME = 8
COSTLY = (FromCommand, FromKeyring, FromVault)


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """What a device wants to know; at least one of password, key and agent is there."""

    username: str
    password: Secret | None = None
    enable: Secret | None = None
    key: Path | None = None
    passphrase: Secret | None = None
    agent: bool = False
    fingerprint: bytes = field(default=b"", repr=False, compare=False)
    """Tells within one process whether the secret has changed, and nothing to anybody else."""


class Logins:
    """The credentials of a configuration; safe to use from many threads.

    ``redact`` (of the log) is told every secret before anybody else has it.
    """

    def __init__(
        self,
        credentials: Mapping[str, Credential],
        vault: Vault | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        redact: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        fingerprint_key: bytes | None = None,
    ) -> None:
        self._credentials = credentials
        self._vault_section = vault
        self._environ = os.environ if environ is None else environ
        self._redact = redact
        self._memory = Memory(clock)
        self._key_files = KeyFiles()
        self._clock = clock
        self._fingerprint_key = fingerprint_key or secrets.token_bytes(32)
        self._vault = VaultReader(vault, self._of_vault, self._hide, clock) if vault else None

    def renewed(self, credentials: Mapping[str, Credential], vault: Vault | None) -> Logins:
        """Those of another configuration: a secret that is the same keeps its fingerprint.

        Where nothing has changed nobody is asked again for what was only just found.
        """
        if (credentials, vault) == (self._credentials, self._vault_section):
            return self
        return Logins(
            credentials,
            vault,
            environ=self._environ,
            redact=self._redact,
            clock=self._clock,
            fingerprint_key=self._fingerprint_key,
        )

    def resolve(self, name: str) -> Login:
        """The login behind this name, read now; raises ``CredentialError``."""
        credential = self._credentials[name]
        username = credential.username
        if not isinstance(username, str):
            username = self._secret(name, "username", username, is_hidden=False).reveal()
        password = self._optional(name, "password", credential.password)
        enable = self._optional(name, "enable", credential.enable)
        passphrase = self._optional(name, "passphrase", credential.passphrase)
        key_bytes = self._key(name, credential)
        if credential.agent and password is None and credential.key is None:
            self._check_agent(name)
        return Login(
            username=username,
            password=password,
            enable=enable,
            key=credential.key,
            passphrase=passphrase,
            agent=credential.agent,
            fingerprint=self._fingerprint(username, password, key_bytes),
        )

    def check(self) -> tuple[CredentialError, ...]:
        """Everything that cannot be had now, in the order of the file; several are looked up at a time."""
        looks = [
            look
            for name, credential in self._credentials.items()
            for look in self._looks(name, credential)
        ]
        with ThreadPoolExecutor(CHECKED_AT_A_TIME, thread_name_prefix="secrets") as pool:
            errors = [error for error in pool.map(error_of, looks) if error is not None]
        # a passphrase is asked for twice, and told once
        return tuple({str(error): error for error in errors}.values())

    def _looks(self, name: str, credential: Credential) -> Iterator[Callable[[], object]]:
        """What ``check`` does for one credential, each with an error of its own."""
        for key, source in sources_of(credential).items():
            yield partial(self._secret, name, key, source, is_hidden=key != "username")
        if credential.key is not None:
            yield partial(self._key, name, credential)
        if credential.agent:
            yield partial(self._check_agent, name)

    def doubt(self, name: str) -> None:
        """A device refused this credential: what was kept of it is read anew at its next use."""
        credential = self._credentials.get(name)
        if credential is not None:
            self._memory.doubt(sources_of(credential).values())

    def _optional(self, name: str, key: str, source: AnySource | None) -> Secret | None:
        return None if source is None else self._secret(name, key, source)

    def _secret(self, name: str, key: str, source: AnySource, *, is_hidden: bool = True) -> Secret:
        found = self._found(source)
        if isinstance(found, Problem):
            raise CredentialError(name, key, str(source), *found)
        if is_hidden:
            self._hide(found.reveal())
        return found

    def _key(self, name: str, credential: Credential) -> bytes:
        """The bytes of the private key, empty where there is none."""
        path = credential.key
        if path is None:
            return b""
        passphrase = self._optional(name, "passphrase", credential.passphrase)
        found = self._key_files.read(path, passphrase)
        if isinstance(found, Problem):
            raise CredentialError(name, "key", f"file {path}", *found)
        return found

    def _check_agent(self, name: str) -> None:
        if problem := agent_problem(self._environ):
            raise CredentialError(name, "agent", "SSH agent", *problem)

    def _found(self, source: AnySource) -> Secret | Problem:
        if isinstance(source, COSTLY):
            return self._memory.get(source, lambda: self._asked(source))
        return source if isinstance(source, Secret) else self._asked(source)

    def _asked(self, reference: Reference) -> Secret | Problem:
        return look_up(reference, self._environ, self._in_vault)

    def _in_vault(self, reference: FromVault) -> Secret | Problem:
        if self._vault is None:
            return Problem("cannot be read", "add a section 'vault' to the configuration")
        return self._vault.read(reference)

    def _of_vault(self, key: str) -> Secret | Problem:
        """What the section ``vault`` says under ``key``; read each time, since it is used once per login to Vault."""
        source: str | AnySource | None = getattr(self._vault_section, key)
        if source is None:
            return Problem("is not there", f"add '{key}' to the section 'vault'")
        if isinstance(source, str):
            return Secret(source)
        found = source if isinstance(source, Secret) else self._asked(source)
        if isinstance(found, Problem):
            return Problem(f"({source}) {found.what}", found.todo)
        self._hide(found.reveal())
        return found

    def _hide(self, secret: str) -> None:
        if self._redact is not None:
            self._redact(secret)

    def _fingerprint(self, username: str, password: Secret | None, key: bytes) -> bytes:
        digest = hashlib.blake2b(key=self._fingerprint_key, digest_size=16)
        words = "" if password is None else password.reveal()
        for part in (username.encode("utf-8", "surrogatepass"), words.encode(), key):
            digest.update(len(part).to_bytes(8, "big") + part)
        return digest.digest()


def error_of(look: Callable[[], object]) -> CredentialError | None:
    try:
        look()
    except CredentialError as error:
        return error
    return None


def sources_of(credential: Credential) -> dict[str, AnySource]:
    """What has to be looked up, by key."""
    written = {
        "username": None if isinstance(credential.username, str) else credential.username,
        "password": credential.password,
        "enable": credential.enable,
        "passphrase": credential.passphrase,
    }
    return {key: source for key, source in written.items() if source is not None}
