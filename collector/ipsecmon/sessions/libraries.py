"""What the two SSH libraries can do: a profile offers of it what it may."""

from __future__ import annotations

from typing import Final

import paramiko
from asyncssh.encryption import get_encryption_algs
from asyncssh.kex import get_kex_algs
from asyncssh.mac import get_mac_algs
from asyncssh.public_key import get_public_key_algs

from ipsecmon.sessions.algorithms import Offer, preferring
from ipsecmon.sessions.protocol import SshEndpoint

__all__ = ["ASYNCSSH", "of_paramiko", "offer_with_paramiko"]


def _names(algorithms: list[bytes]) -> tuple[str, ...]:
    return tuple(name.decode("ascii") for name in algorithms)


ASYNCSSH: Final = Offer(
    _names(get_kex_algs()),
    _names(get_public_key_algs()),
    _names(get_encryption_algs()),
    _names(get_mac_algs()),
)


def of_paramiko(transport: paramiko.Transport) -> Offer:
    """Before ``offer_with_paramiko`` all that this paramiko can do, after it what is offered."""
    options = transport.get_security_options()
    return Offer(
        tuple(options.kex), tuple(options.key_types), tuple(options.ciphers), tuple(options.digests)
    )


def offer_with_paramiko(transport: paramiko.Transport, endpoint: SshEndpoint) -> Offer:
    """Have ``transport`` offer what the endpoint's profile allows, and return it."""
    options = transport.get_security_options()
    ours = preferring(endpoint).within(of_paramiko(transport))
    options.kex, options.key_types, options.ciphers, options.digests = ours
    return ours
