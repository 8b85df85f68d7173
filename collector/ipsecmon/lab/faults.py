"""How a router misbehaves towards a collector: set on a running lab, read by the shell at each command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Faults", "Refusal"]

Refusal = Literal["authorization", "invalid"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Everything off by default. All but the refusals apply to the answers of show commands only."""

    hang: bool = False
    """The command is echoed and nothing follows, ever."""
    cut_after: int | None = None
    """The connection closes after this many bytes of an answer."""
    truncate: str | int | None = None
    """The answer ends before the first line that matches, or after so many lines; the prompt follows."""
    refuse: tuple[str, ...] = ()
    """Commands, in full words, that are refused, with everything that begins with them."""
    refusal: Refusal = "authorization"
    """``Command authorization failed.`` or ``% Invalid input detected``."""
    refuse_terminal_length: bool = False
    """``terminal length`` is refused, so paging stays on."""
    slow_seconds: float | None = None
    """The pause between two pieces of an answer."""
    slow_bytes: int = 512
    """The size of such a piece."""
    prompt_in_output: bool = False
    """A line within the answer that ends like the prompt."""
    syslog_in_output: bool = False
    """A log message between two lines of the answer."""
