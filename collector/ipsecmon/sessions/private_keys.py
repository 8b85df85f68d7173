"""Private keys from files, in every form OpenSSH and OpenSSL write; paramiko alone does not read PKCS#8."""

from __future__ import annotations

import io

import asyncssh
import paramiko

from ipsecmon.sessions.protocol import PrivateKey

__all__ = ["PrivateKeyUnusable", "for_paramiko", "read_private_key"]

_CLASSES: dict[str, type[paramiko.RSAKey | paramiko.Ed25519Key | paramiko.ECDSAKey]] = {
    "ssh-rsa": paramiko.RSAKey,
    "ssh-ed25519": paramiko.Ed25519Key,
    "ecdsa-sha2-nistp256": paramiko.ECDSAKey,
    "ecdsa-sha2-nistp384": paramiko.ECDSAKey,
    "ecdsa-sha2-nistp521": paramiko.ECDSAKey,
}


class PrivateKeyUnusable(Exception):
    """Says why a key cannot be had, and neither key nor passphrase."""


def read_private_key(private_key: PrivateKey) -> asyncssh.SSHKey:
    """For asyncssh; may take a second when there is a passphrase. Raises ``PrivateKeyUnusable``."""
    file = private_key.file
    try:
        return asyncssh.read_private_key(str(file), private_key.passphrase)
    except OSError as error:
        raise PrivateKeyUnusable(
            f"the private key {file} cannot be read: {(error.strerror or str(error)).lower()}"
        ) from error
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        if private_key.passphrase is not None:
            what = "is no private key, or its passphrase is another one"
        elif "assphrase" in str(error):
            what = "needs a passphrase"
        else:
            what = "is no private key in OpenSSH's or PEM form"
        raise PrivateKeyUnusable(f"the private key {file} {what}") from error


def for_paramiko(private_key: PrivateKey) -> paramiko.PKey:
    """See ``read_private_key``."""
    key = read_private_key(private_key)
    algorithm = key.algorithm.decode("ascii")
    kind = _CLASSES.get(algorithm)
    if kind is None:
        raise PrivateKeyUnusable(
            f"the private key {private_key.file} is of the type {algorithm}, which paramiko does not know; "
            f"accepted: {', '.join(_CLASSES)}"
        )
    return kind.from_private_key(io.StringIO(key.export_private_key("openssh").decode("ascii")))
