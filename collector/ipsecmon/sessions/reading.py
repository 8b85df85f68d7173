"""Tells when an answer is complete; bytes in, verdicts out, no I/O.

A terminal has no frames. "No more bytes for a while" is not an end: a slow router pauses. The rules, each bought with
a lost reading: nothing counts before our own echo (a late prompt of an earlier command must not end this one); the
answer ends at the prompt we learnt at login, at the start of a line and at the very end of what was received; the
pager is answered. The same reader serves every transport.
"""

from __future__ import annotations

import re
from enum import Enum

__all__ = ["AnswerReader", "Progress", "prompt_pattern"]

_PAGER = re.compile(rb"--More--[ \x08]*\Z|<--- More --->[ ]*\Z")
_TAIL_BYTES = 512


class Progress(Enum):
    """What the bytes so far amount to."""

    READING = "reading"
    PAGER = "pager"
    PROMPT = "prompt"


def prompt_pattern(host: str) -> re.Pattern[bytes]:
    """The prompt of ``host`` in user or privileged mode, at a line start and at the end of the text."""
    return re.compile(rb"(?:\A|[\r\n])" + re.escape(host.encode()) + rb"[#>] ?\Z")


class AnswerReader:
    """Collects the answer to one command."""

    def __init__(self, command: str, prompt: re.Pattern[bytes]) -> None:
        self._echo = command.encode()
        self._prompt = prompt
        self._before_echo = bytearray()
        self._chunks: list[bytes] = []
        self._tail = b""
        self._has_echo = False
        self.received_bytes = 0

    @property
    def has_echo(self) -> bool:
        """Our command came back: what follows is its answer."""
        return self._has_echo

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
        self._chunks.append(data)
        self._tail = (self._tail + data)[-_TAIL_BYTES:]
        if self._prompt.search(self._tail):
            return Progress.PROMPT
        if _PAGER.search(self._tail):
            self._tail = b""  # answer each pager once
            return Progress.PAGER
        return Progress.READING

    def answer(self) -> str:
        """The text between the echo and the prompt; bytes that are no UTF-8 become U+FFFD."""
        whole = b"".join(self._chunks)
        before_tail = max(0, len(whole) - _TAIL_BYTES)
        end = self._prompt.search(whole[before_tail:])
        body = whole[: before_tail + end.start() + 1] if end else whole
        first_line_end = re.search(rb"\r*\n", body)
        start = first_line_end.end() if first_line_end else len(body)
        return body[start:].decode("utf-8", "replace")
