"""Prints the part of a lock file that some packages need, with its hashes, so that an image holds nothing else.

    python locked.py requirements.lock               what ipsecmon runs with, all extras
    python locked.py requirements.lock hatchling     what builds its wheel

The lock names behind each package what asked for it (``# via``); what is wanted is followed along that.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

__all__ = ["part_of"]

RUNTIME = "ipsecmon (pyproject.toml)"  # the extras, too; groups are "ipsecmon (pyproject.toml:dev)"


def _blocks(lock: str) -> Iterator[tuple[str, str, set[str]]]:
    """Name, lines and askers of each package of a lock file as uv writes it."""
    block: list[str] = []
    for line in [*lock.splitlines(keepends=True), ""]:
        if block and not line.startswith(" "):
            yield block[0].partition("==")[0], "".join(block), _askers(block)
            block = []
        if line and not line.startswith("#"):
            block.append(line)


def _askers(block: list[str]) -> set[str]:
    words = (line.strip().lstrip("# ").removeprefix("via").strip() for line in block if "#" in line)
    return {word for word in words if word}


def part_of(lock: str, wanted: str = RUNTIME) -> str:
    """The lines of ``wanted`` and of all that it needs, in the order of the lock."""
    packages = list(_blocks(lock))
    kept = {wanted}
    while more := {name for name, _, askers in packages if name not in kept and askers & kept}:
        kept |= more
    part = "".join(lines for name, lines, _ in packages if name in kept)
    if not part:
        raise SystemExit(f"nothing in the lock is or is needed by {wanted!r}")
    return part


if __name__ == "__main__":
    sys.stdout.write(part_of(Path(sys.argv[1]).read_text(encoding="utf-8"), *sys.argv[2:3]))
