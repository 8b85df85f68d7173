"""The guard on what is sent to a device: allow-listed show commands, nothing else.

``cli(["show clock\\nreload"])`` makes a device receive ``reload``, and ``show ... | redirect tftp:`` writes a
file: a line end, a pipe or a question mark never passes.
"""

from __future__ import annotations

import re

__all__ = ["ensure_read_only"]

_READ_ONLY = re.compile(r"show [A-Za-z0-9][A-Za-z0-9 ._:/-]*", re.ASCII)
# the one filter of ours: without it the answer lists every process
_FILTERED = frozenset({"show processes cpu | include CPU utilization"})


def ensure_read_only(command: str) -> str:
    """``command`` itself, or ``ValueError``: a programming fault, not something a device did."""
    if command not in _FILTERED and not _READ_ONLY.fullmatch(command):
        raise ValueError(f"not a plain show command: {command!r}")
    return command
