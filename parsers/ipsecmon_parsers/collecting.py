"""Keeps Python's cycle collector from looking through records while thousands of them are made.

Rows and records hold no cycles, so that the collector finds nothing in them. With every few hundred new ones it looks
all the same, through all of them again and again: a quarter of the time a hub takes.
"""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager

__all__ = ["without_collector"]


@contextmanager
def without_collector() -> Generator[None]:
    """The collector rests until the block is left, in whatever way, unless somebody else had stopped it already.

    It is one for the whole process. Where two threads meet here, it may start again early, which costs time only.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
