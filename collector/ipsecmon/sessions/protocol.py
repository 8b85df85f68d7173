"""The seam to the outside: what a poll needs of a session, whatever carries it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from ipsecmon.config import SshProfile, Transport
from ipsecmon.model import RawOutput, SessionFacts
from ipsecmon_parsers.records import Platform

__all__ = [
    "HostKeyPolicy",
    "JumpHost",
    "OfferedKey",
    "OnStep",
    "OpenSession",
    "PrivateKey",
    "Session",
    "SshEndpoint",
    "Step",
    "StepName",
    "Target",
    "ignore_step",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedKey:
    """A host key as a device shows it: the key's type and its bytes as SSH carries them (RFC 4253, section 6.6)."""

    algorithm: str
    """``ssh-ed25519``, ``ssh-rsa`` and so on: the type of the key, not of its signature."""
    blob: bytes


class HostKeyPolicy(Protocol):
    """Decides on host keys; asked by every transport before a password leaves this machine."""

    def known_algorithms(self, host: str, port: int) -> tuple[str, ...]:
        """The types of the keys known for this address, to be asked for first; empty where none is known."""
        ...

    def accept(self, host: str, port: int, key: OfferedKey) -> None:
        """Return if the key is good; raises ``HostKeyRejected`` with the fingerprints otherwise."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateKey:
    """A key to log in with, in OpenSSH's or PEM form."""

    file: Path
    passphrase: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SshEndpoint:
    """An SSH server and how to log in to it. At least one of password, private key and agent is there."""

    host: str
    port: int
    username: str
    password: str | None = field(default=None, repr=False)
    private_key: PrivateKey | None = None
    use_agent: bool = False
    """Ask the agent at ``SSH_AUTH_SOCK``."""
    profile: SshProfile = SshProfile.MODERN
    host_keys: HostKeyPolicy = field(repr=False)
    connect_timeout: float
    """Seconds for each of: the TCP connection, the SSH key exchange, the login."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JumpHost(SshEndpoint):
    """An SSH server on the way to devices; ``name`` is that of the configuration."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Target(SshEndpoint):
    """A device as a session must know it."""

    device: str
    credential: str = ""
    """The name of the credential under ``credentials``."""
    fingerprint: bytes = field(default=b"", repr=False)
    """Changes with the secret; of no use to anybody else (``Login.fingerprint``)."""
    platform: Platform = Platform.IOS
    transport: Transport = Transport.NAPALM
    enable_secret: str | None = field(default=None, repr=False)
    read_timeout: float
    """Seconds without a byte after which an answer is given up."""
    max_answer_bytes: int = 64 * 2**20
    """The largest answer met is 18.6 MB (10,000 tunnels); a device that sends more has run away."""
    jumps: tuple[JumpHost, ...] = ()
    """The way to the device, the first hop first; empty is straight."""


class StepName(StrEnum):
    """What happens between a device's name and its prompt, in this order."""

    RESOLVE = "resolve"
    JUMP = "jump"
    """The login to the jump hosts and the connection through them, where there are any; no resolve and tcp then."""
    TCP = "tcp"
    KEY_EXCHANGE = "key exchange"
    HOST_KEY = "host key"
    AUTHENTICATION = "authentication"
    PROMPT = "prompt"
    PRIVILEGE = "privilege"
    PAGING = "paging"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step that was done; one that fails raises its ``CollectionError`` instead."""

    name: StepName
    seconds: float
    seen: str
    """What there was to see, for a person: ``192.0.2.1``, ``curve25519-sha256, aes256-ctr``, ``prompt 'Site1#'``."""


OnStep = Callable[[Step], None]


def ignore_step(_: Step) -> None:
    """Nobody watches."""


class Session(Protocol):
    """An open, privileged session that runs show commands one at a time.

    After any error the session is of no further use: what the device still sends belongs to nobody.
    """

    def run(self, command: str, timeout: float) -> RawOutput:
        """The complete answer to ``command`` within ``timeout`` seconds, or a ``CollectionError``."""
        ...

    def is_alive(self) -> bool:
        """Whether the other side is still there, without sending anything."""
        ...

    def close(self) -> None:
        """End the session at once; never raises, may be called twice."""
        ...

    @property
    def facts(self) -> SessionFacts | None:
        """What was agreed on when it was opened; ``None`` where nobody noted it."""
        return None


OpenSession = Callable[[Target, float], Session]
"""Connects, logs in, reaches the privileged prompt and turns paging off within so many seconds, or raises a
``CollectionError``."""
