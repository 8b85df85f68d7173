"""How a router misbehaves towards a collector: set on a running lab, read by the server and the shell as they go.

The first group is read by the server when a connection comes in, the second by the shell at each command. A fault that
is set on a session in progress is met by its next command.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Faults", "LoginFault", "Refusal"]

Refusal = Literal["authorization", "invalid"]
LoginFault = Literal["refuse", "silent", "silent_after_version", "reset", "not_ssh"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Everything off by default. All but the refusals apply to the answers of show commands only."""

    # towards a connection that comes in

    login: LoginFault | None = None
    """``refuse``: nothing listens on the port. ``silent``: TCP comes up and no byte follows. ``silent_after_version``:
    the server's version, then nothing. ``reset``: RST at once. ``not_ssh``: something else answers."""
    login_seconds: float = 0.0
    """The pause before the password is judged, as with a slow AAA server."""
    vty_lines: int | None = None
    """A connection beyond so many is closed before the version is sent, as IOS does with all lines in use."""
    idle_seconds: float | None = None
    """The session ends after so long without a key, as with ``exec-timeout``."""

    # towards a command

    hang: bool = False
    """The command is echoed and nothing follows, ever."""
    cut_after: int | None = None
    """The connection closes after this many bytes of an answer."""
    cut: Literal["close", "reset", "silent"] = "close"
    """How it is cut: FIN, RST, or no byte any more while TCP stands."""
    truncate: str | int | None = None
    """The answer ends before the first line that matches, or after so many lines; the prompt follows."""
    refuse: tuple[str, ...] = ()
    """Commands, in full words, that are refused, with everything that begins with them."""
    refusal: Refusal = "authorization"
    """``Command authorization failed.`` or ``% Invalid input detected``."""
    refuse_terminal_length: bool = False
    """``terminal length`` is refused, so paging stays on; on an ASA ``terminal pager``."""
    reply_seconds: float = 0.0
    """The pause between the echo of a command and its answer."""
    slow_seconds: float | None = None
    """The pause between two pieces of an answer."""
    slow_bytes: int = 512
    """The size of such a piece."""
    prompt_in_output: bool = False
    """A line within the answer that ends like the prompt."""
    prompt_line_in_output: bool = False
    """A line within the answer that is the prompt and nothing else, with more of the answer behind it after a pause."""
    late_prompt: bool = False
    """The prompt of a command comes twice, the second one with the answer to the next command."""
    syslog_in_output: bool = False
    """A log message between two lines of the answer."""
    no_echo: bool = False
    """What is typed is not shown."""
    noise: bool = False
    """The bytes 0x00, 0xff, 0xfe and terminal escapes between two lines of the answer."""
    endless: bool = False
    """The answer begins anew whenever it is over."""
    cpu_percent: int = 12
    """What ``show processes cpu`` says of the last five seconds, 0 to 100."""
