"""Reads a file of known host keys, to say beforehand which devices would be refused."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import paramiko

__all__ = ["known_hosts_problems"]


def known_hosts_problems(path: Path, devices: Iterable[tuple[str, str, int]]) -> list[str]:
    """One sentence per device (name, host, port) without a key in ``path``, and one where the file is no such file."""
    keys = paramiko.HostKeys()
    try:
        keys.load(str(path))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        return [
            f"{path}: {reason}, so every device will be refused; put the devices' host keys there"
        ]
    except paramiko.SSHException as error:
        return [f"{path}: not a file of host keys in OpenSSH's form ({error})"]
    problems: list[str] = []
    for name, host, port in devices:
        entry = host if port == 22 else f"[{host}]:{port}"
        if keys.lookup(entry) is None:
            problems.append(
                f"{path}: no host key for {entry}, so {name} will be refused; "
                f"verify its key and add it (ssh-keyscan -p {port} {host})"
            )
    return problems
