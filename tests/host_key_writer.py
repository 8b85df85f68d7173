"""Writes host keys as one of several processes that do so at the same time: python host_key_writer.py FILE NUMBER"""

from __future__ import annotations

import hashlib
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ipsecmon.sessions import OfferedKey
from ipsecmon.sessions.host_keys import FirstUse
from ipsecmon.sessions.known_hosts import HostKeyStore, NewKey

__all__ = ["FIRST_KEYS", "REPLACEMENTS", "address", "made_key"]

FIRST_KEYS = 40
REPLACEMENTS = 20


def made_key(seed: int, algorithm: str = "ssh-ed25519") -> OfferedKey:
    """A key that is whole in form; nobody signs with it here."""
    parts = (algorithm.encode(), hashlib.sha256(str(seed).encode()).digest())
    blob = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return OfferedKey(algorithm=algorithm, blob=blob)


def address(process: int) -> str:
    """Of the devices that this process sees."""
    return f"198.51.100.{process}"


def write(path: Path, process: int) -> None:
    """Forty devices seen for the first time by eight threads, and one whose key changes again and again."""
    store = HostKeyStore(path)
    host = address(process)

    def see(number: int) -> None:
        FirstUse(store, f"R{number}").accept(host, 1000 + number, made_key(number))

    with ThreadPoolExecutor(8) as pool:
        seen = [pool.submit(see, number) for number in range(FIRST_KEYS)]
        for seed in range(REPLACEMENTS):
            store.add([NewKey(host=host, port=22, key=made_key(seed))], replace=True)
        for one in seen:
            one.result()


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]))
