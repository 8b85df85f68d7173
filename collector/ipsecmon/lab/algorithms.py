"""Which SSH algorithms a router knows, by the age of its release, and the host key that goes with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import asyncssh

from ipsecmon.lab.topology import SshAge

__all__ = ["KEY_BITS", "host_key_pairs", "new_host_key", "server_algorithms"]

KEY_BITS: Final[Mapping[SshAge, int]] = {"ios12": 1024, "ios15": 2048, "iosxe16": 2048}
"""Sizes of the RSA host keys; a modern server has an Ed25519 key instead."""

_ALGORITHMS: Final[Mapping[SshAge, Mapping[str, list[str]]]] = {
    "modern": {},
    "iosxe16": {
        "kex_algs": [
            "ecdh-sha2-nistp256",
            "ecdh-sha2-nistp384",
            "ecdh-sha2-nistp521",
            "diffie-hellman-group14-sha256",
        ],
        "encryption_algs": ["aes128-ctr", "aes192-ctr", "aes256-ctr"],
        "mac_algs": ["hmac-sha2-256", "hmac-sha2-512", "hmac-sha1"],
    },
    "ios15": {
        "kex_algs": ["diffie-hellman-group-exchange-sha1", "diffie-hellman-group14-sha1"],
        "encryption_algs": [
            "aes128-ctr",
            "aes192-ctr",
            "aes256-ctr",
            "aes128-cbc",
            "3des-cbc",
            "aes192-cbc",
            "aes256-cbc",
        ],
        "mac_algs": ["hmac-sha1", "hmac-sha1-96"],
    },
    "ios12": {
        "kex_algs": ["diffie-hellman-group1-sha1"],
        "encryption_algs": ["aes128-cbc", "3des-cbc"],
        "mac_algs": ["hmac-sha1", "hmac-md5"],
    },
}


def server_algorithms(age: SshAge) -> dict[str, Any]:
    """The algorithm options of a server of that age."""
    return dict(_ALGORITHMS[age])


def new_host_key(age: SshAge) -> asyncssh.SSHKey:
    """A fresh host key as a server of that age has it."""
    if age == "modern":
        return asyncssh.generate_private_key(  # pyright: ignore[reportUnknownMemberType] - untyped **kwargs
            "ssh-ed25519"
        )
    return asyncssh.generate_private_key(  # pyright: ignore[reportUnknownMemberType] - the same
        "ssh-rsa", key_size=KEY_BITS[age]
    )


def host_key_pairs(key: asyncssh.SSHKey, age: SshAge) -> list[asyncssh.SSHKeyPair]:
    """The key as a server of that age signs with it: the old ones with SHA-1 alone."""
    pairs = list(asyncssh.load_keypairs([key]))
    if age != "modern":
        for pair in pairs:
            pair.sig_algorithms = pair.host_key_algorithms = (b"ssh-rsa",)
    return pairs
