"""Tells when an answer is complete; bytes in, verdicts out, no I/O.

A terminal has no frames. "No more bytes for a while" is not an end: a slow router pauses. Nor is a prompt: a line of
the output may be the prompt and nothing else, and the router may pause right behind it. The rules, each bought with a
lost reading:

- Nothing counts before our own echo: a late prompt of an earlier command must not end this one.
- An answer ends at the prompt we learnt at login, at the start of a line and at the very end of what was received. That
  is ``PROMPT``, and it is withdrawn when anything but another prompt follows.
- It is complete once the prompt stands there twice, one below the other: that is what the terminal shows when an empty
  line was typed behind the command, and it reads the empty line only after the command is done. That is ``CONFIRMED``.
- The pager is answered.

The same reader serves every transport.
"""

from __future__ import annotations

import re
from enum import Enum

__all__ = ["AnswerReader", "Progress", "prompt_pattern"]

_PAGER = re.compile(rb"--More--[ \x08]*\Z|<--- More --->[ ]*\Z")
# what is kept at hand of an answer for those who ask what came last
_TAIL_BYTES = 1024
_SHORTEST_REACH = 64
# what a prompt or a pager can end in; all else needs no search
_ENDINGS = b"#>- \x08"
_FIRST_LINE_END = re.compile(rb"\r*\n")


class Progress(Enum):
    """What the bytes so far amount to."""

    READING = "reading"
    PAGER = "pager"
    PROMPT = "prompt"
    """The end, unless the prompt is a line of the answer."""
    CONFIRMED = "confirmed"
    """The end: the prompt, and the prompt again for the empty line behind the command."""


def prompt_pattern(host: str) -> re.Pattern[bytes]:
    """The prompt of ``host`` in user or privileged mode, once or several times, at a line start and at the end."""
    prompt = re.escape(host.encode()) + rb"[#>] ?"
    # without a line end between them where the terminal echoes what is typed ahead at once
    return re.compile(
        rb"(?:\A|[\r\n\x08])(?P<prompt>" + prompt + rb")(?P<again>(?:[\r\n]*" + prompt + rb")+)?\Z"
    )


class AnswerReader:
    """Collects the answer to one command; with ``echoes=False`` from a device that does not show what is typed."""

    def __init__(self, command: str, prompt: re.Pattern[bytes], *, echoes: bool = True) -> None:
        self._echo = command.encode()
        self._prompt = prompt
        self._before_echo = bytearray()
        self._chunks: list[bytes] = []
        self._tail = b""
        # several prompts long, and no longer: it is searched at each arrival
        self._reach = max(_SHORTEST_REACH, 2 * len(prompt.pattern))
        self._end_bytes = 0
        self._echoes = echoes
        self._has_echo = not echoes
        self.received_bytes = 0

    @property
    def has_echo(self) -> bool:
        """Our command came back, or never will: what follows is its answer."""
        return self._has_echo

    @property
    def tail(self) -> bytes:
        """The last that came, before the echo too."""
        if not self._has_echo:
            return bytes(self._before_echo[-_TAIL_BYTES:])
        last: list[bytes] = []
        for chunk in reversed(self._chunks):
            last.append(chunk)
            if sum(map(len, last)) >= _TAIL_BYTES:
                break
        return b"".join(reversed(last))[-_TAIL_BYTES:]

    def feed(self, data: bytes) -> Progress:
        """Take the next bytes; ``PROMPT`` may be withdrawn when more bytes follow."""
        self.received_bytes += len(data)
        if not self._has_echo:
            self._before_echo += data
            at = self._before_echo.find(self._echo)
            if at < 0:
                return Progress.READING
            self._has_echo = True
            data = bytes(self._before_echo[at + len(self._echo) :])
            self._before_echo.clear()
        return self._take(data)

    def expect_no_echo(self) -> Progress:
        """The device shows nothing of what is typed: all that came is the answer."""
        self._echoes, self._has_echo = False, True
        data = bytes(self._before_echo)
        self._before_echo.clear()
        return self._take(data)

    def _take(self, data: bytes) -> Progress:
        self._chunks.append(data)
        reach = self._reach
        tail = data[-reach:] if len(data) >= reach else (self._tail + data)[-reach:]
        self._tail = tail
        self._end_bytes = 0
        if tail[-1:] not in _ENDINGS:
            return Progress.READING
        end = self._prompt.search(tail)
        if end is not None:
            self._end_bytes = len(tail) - end.start("prompt")
            return Progress.PROMPT if end["again"] is None else Progress.CONFIRMED
        if _PAGER.search(tail):
            self._tail = b""  # answer each pager once
            return Progress.PAGER
        return Progress.READING

    def answer(self) -> str:
        """The text between the echo and the prompt; bytes that are no UTF-8 become U+FFFD."""
        body = b"".join(self._chunks)
        stop = len(body) - self._end_bytes
        start = 0
        if self._echoes:  # the rest of the line the command was typed on
            line_end = _FIRST_LINE_END.search(body, 0, stop)
            start = line_end.end() if line_end else stop
        return body[start:stop].decode("utf-8", "replace")
