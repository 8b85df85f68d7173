"""Fetches host keys without logging in, as ``ssh-keyscan`` does, from devices of every age and through jump hosts."""

from __future__ import annotations

import asyncio
import os
import socket
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import asyncssh

from ipsecmon.errors import CollectionError
from ipsecmon.sessions.jumps import JumpHosts
from ipsecmon.sessions.known_hosts import HostKeyStore
from ipsecmon.sessions.protocol import JumpHost, OfferedKey

__all__ = ["Address", "Scanned", "scan"]

# No secret is sent, so that even the weakest will do: what is offered to a device when it is polled is another matter.
_HOST_KEYS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
    "ssh-rsa",
    "ssh-dss",
)
_KEY_EXCHANGES = (
    "+diffie-hellman-group-exchange-sha1,diffie-hellman-group14-sha1,diffie-hellman-group1-sha1"
)
_CIPHERS = "+aes128-cbc,aes192-cbc,aes256-cbc,3des-cbc"
_MACS = "+hmac-sha1,hmac-md5,hmac-sha1-96,hmac-md5-96"
_TYPES_TRIED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a device or jump host of the configuration listens, and the way there."""

    name: str
    host: str
    port: int
    jumps: tuple[JumpHost, ...] = ()

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.host if self.port == 22 else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """The keys an address offers; none, and why, where it could not be asked."""

    address: Address
    keys: tuple[OfferedKey, ...] = ()
    error: str | None = None


def scan(
    addresses: Sequence[Address],
    store: HostKeyStore,
    *,
    timeout: float,
    at_once: int = 50,
    every_type: bool = False,
) -> list[Scanned]:
    """The key of each address, in their order; of a type that the store knows for it, where there is one.

    Each is given ``timeout`` seconds. With ``every_type`` each is asked once for each type of key it has.
    """
    with warnings.catch_warnings():
        # old devices have nothing better, and whoever scans them cannot change it
        warnings.filterwarnings("ignore", message="Diffie-Hellman over finite fields")
        return asyncio.run(_scan_all(addresses, store, timeout, at_once, every_type))


async def _scan_all(
    addresses: Sequence[Address],
    store: HostKeyStore,
    seconds: float,
    at_once: int,
    every_type: bool,
) -> list[Scanned]:
    jumps = JumpHosts()
    places = asyncio.Semaphore(at_once)

    async def one(address: Address) -> Scanned:
        types = [key.algorithm for key in store.known(address.host, address.port).keys]
        async with places:
            return await _scan_one(address, types, seconds, every_type, jumps)

    try:
        return await asyncio.gather(*(one(address) for address in addresses))
    finally:
        await jumps.aclose()


async def _scan_one(
    address: Address, known: Sequence[str], seconds: float, every_type: bool, jumps: JumpHosts
) -> Scanned:
    keys: list[OfferedKey] = []
    wanted = sorted(_HOST_KEYS, key=lambda algorithm: _key_type(algorithm) not in known)
    try:
        async with asyncio.timeout(seconds):
            for _ in range(_TYPES_TRIED if every_type else 1):
                key = await _offered(address, wanted, jumps, seconds)
                keys.append(key)
                wanted = [one for one in wanted if _key_type(one) != key.algorithm]
    except TimeoutError:
        error = f"no answer within {seconds:g} s"
    except CollectionError as failure:
        error = str(failure)
    except (socket.gaierror, UnicodeError) as failure:
        error = f"the name has no address ({getattr(failure, 'strerror', failure)})"
    except asyncssh.KeyExchangeFailed as failure:
        error = f"no SSH algorithm in common: {failure.reason}"
    except asyncssh.Error as failure:
        error = f"no SSH session ({failure.reason})"
    except OSError as failure:
        error = f"no connection: {_reason(failure)}"
    else:
        return Scanned(address=address, keys=tuple(keys))
    if keys:  # it has no key of yet another type
        return Scanned(address=address, keys=tuple(keys))
    return Scanned(address=address, error=error)


async def _offered(
    address: Address, algorithms: Sequence[str], jumps: JumpHosts, seconds: float
) -> OfferedKey:
    tunnel = await jumps.tunnel_to(address.jumps, seconds) if address.jumps else None
    options = asyncssh.SSHClientConnectionOptions(
        encryption_algs=_CIPHERS, mac_algs=_MACS, client_keys=None, agent_path=None, config=None
    )
    key = await asyncssh.get_server_host_key(
        address.host,
        address.port,
        tunnel=tunnel,
        kex_algs=_KEY_EXCHANGES,
        server_host_key_algs=list(algorithms),
        config=None,
        options=options,
    )
    if key is None:
        raise asyncssh.KeyExchangeFailed("the server showed no host key")
    return OfferedKey(algorithm=key.algorithm.decode("ascii"), blob=key.public_data)


def _key_type(algorithm: str) -> str:
    """``rsa-sha2-512`` is a signature by a key of the type ``ssh-rsa``."""
    return "ssh-rsa" if algorithm.startswith("rsa-sha2-") else algorithm


def _reason(error: OSError) -> str:
    # asyncio says "Connect call failed" whatever the system said
    return (os.strerror(error.errno) if error.errno else str(error)).lower()
