"""The conversation with a device's terminal, from the first banner to the end of an answer; no I/O.

Each part of it is a generator. It yields a ``Turn``: bytes to type, and how long to wait for what comes back. It is
sent what came: bytes, ``None`` when nothing came in that time, or ``b""`` when the other side is gone. What carries the
bytes (paramiko, asyncssh, a table in a test) knows nothing of prompts, and every sentence about a device that
misbehaves is written here, once.

How an answer is known to be complete is told in ``reading``. The empty line that proves it is typed together with the
command, so the proof costs no time on the way. It is typed on its own, and costs one way there and back, only where it
could get lost: where paging could not be turned off (``--More--`` would swallow it), where nothing typed is shown, and
where a device threw away what was typed ahead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from typing import NamedTuple, TypeVar

from ipsecmon.errors import (
    AnswerTimeout,
    AnswerTooLarge,
    CollectionError,
    ConnectionClosed,
    LoginClosed,
    PrivilegeDenied,
    PromptNotFound,
)
from ipsecmon.sessions.protocol import OnStep, Step, StepName, Target, ignore_step
from ipsecmon.sessions.reading import AnswerReader, Progress, prompt_pattern
from ipsecmon_parsers.records import Platform
from ipsecmon_parsers.redaction import hide_every_secret

__all__ = ["Conversation", "Heard", "Terminal", "Turn", "evidence"]

T = TypeVar("T")

EVIDENCE_CHARACTERS = 200
# how long a prompt must stay alone before the empty line is typed again: longer than a way there and back
_CONFIRM_SECONDS = 0.5
# how long nothing may follow a prompt before a device is believed not to echo
_NO_ECHO_SECONDS = 1.0
# how long the first prompt must stay the last thing on the screen: banners end in "#" and ">" too
_SETTLE_SECONDS = 0.05
# how long a device may show nothing after the login before return is pressed to wake it
_WAKE_SECONDS = 1.0
_TAIL_BYTES = 4096
_ANY_PROMPT = re.compile(rb"(?:\A|[\r\n])(?P<host>[^\r\n]{1,128}?)(?P<mode>[#>]) ?\Z")
_ONLY_PROMPT = re.compile(rb"[\r\n]*(?P<host>[^\r\n]{1,128}?)(?P<mode>[#>]) ?\Z")
_PASSWORD_PROMPT = re.compile(rb"[Pp]assword: ?\Z")
_REFUSED = re.compile(r"(?m)^% ?|^ERROR:|(?i:authorization failed|not authorized)")
_ENABLE_ECHO = b"enable"


class Turn(NamedTuple):
    """Type ``data``, then wait for bytes at most ``seconds``."""

    data: bytes
    seconds: float


Heard = bytes | None
"""What came: bytes, ``None`` when nothing came in time, ``b""`` when the other side is gone."""

Conversation = Generator[Turn, Heard, T]


class _Paging(NamedTuple):
    """How a platform is asked to print without stopping and without wrapping; ``off`` matters, the others help."""

    off: str
    also: tuple[str, ...] = ()


_IOS_PAGING = _Paging("terminal length 0", ("terminal width 511",))
# the width of an ASA's terminal is part of its configuration, and nothing is configured here
_ASA_PAGING = _Paging("terminal pager 0")


def evidence(data: bytes) -> str:
    """The end of what a device sent, at most 200 characters, with what cannot be printed written out."""
    text = hide_every_secret(data[-_TAIL_BYTES:].decode("utf-8", "replace"))
    written = "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )
    return written[-EVIDENCE_CHARACTERS:]


class Terminal:
    """One terminal of one device. ``clock`` counts seconds; only differences matter.

    ``log_in`` comes first, then any number of ``ask``. After any error the terminal is of no further use: what the
    device still sends belongs to nobody.
    """

    def __init__(self, target: Target, clock: Callable[[], float]) -> None:
        self._target = target
        self._clock = clock
        self._where = f"{target.host}:{target.port}"
        self._host = ""
        self._mode = ""
        self._pattern = prompt_pattern("")
        self._echoes: bool | None = None
        self._has_paging = False
        self._is_typing_ahead = False
        self._is_usable = False

    @property
    def prompt(self) -> str:
        """``Site1#``; empty before the login."""
        return self._host + self._mode

    @property
    def is_usable(self) -> bool:
        """Logged in, no answer under way, and none that failed."""
        return self._is_usable

    def spoil(self) -> None:
        """Nothing more is asked of this terminal."""
        self._is_usable = False

    # login

    def log_in(self, timeout: float, on_step: OnStep = ignore_step) -> Conversation[None]:
        """Learn the prompt, reach privileged mode, turn paging off, within ``timeout`` seconds."""
        opened_by = self._clock() + timeout
        begun = self._clock()

        def done(name: StepName, seen: str) -> None:
            nonlocal begun
            now = self._clock()
            on_step(Step(name=name, seconds=now - begun, seen=seen))
            begun = now

        yield from self._learn_prompt(self._step(opened_by))
        done(StepName.PROMPT, f"prompt {self.prompt!r}")
        done(StepName.PRIVILEGE, (yield from self._enable(self._step(opened_by))))
        done(StepName.PAGING, (yield from self._turn_paging_off(opened_by)))

    def _step(self, opened_by: float) -> float:
        """When the next step of the login must be over."""
        return min(opened_by, self._clock() + self._target.connect_timeout)

    def _learn_prompt(self, deadline: float) -> Conversation[None]:
        """Press return until the line that was there comes again, and nothing but it."""
        text = yield from self._screen(deadline)
        known = _ANY_PROMPT.search(text)
        while True:
            text = yield from self._until(_ANY_PROMPT, b"\n", deadline)
            again = _ONLY_PROMPT.match(text)
            if known is not None and again is not None and again["host"] == known["host"]:
                self._host = again["host"].decode("utf-8", "replace")
                self._mode = again["mode"].decode("ascii")
                self._pattern = prompt_pattern(self._host)
                return
            known = _ANY_PROMPT.search(text)

    def _screen(self, deadline: float) -> Conversation[bytes]:
        """What a device shows of its own: a prompt that stays, or nothing for a while."""
        text = b""
        while self._clock() < deadline:
            is_prompt = _ANY_PROMPT.search(text) is not None
            heard = yield Turn(b"", _SETTLE_SECONDS if is_prompt else _WAKE_SECONDS)
            if heard is None:
                break
            text = (text + self._bytes(heard, "login", text))[-_TAIL_BYTES:]
        return text

    def _until(
        self, end: re.Pattern[bytes], typed: bytes, deadline: float, *, is_secret: bool = False
    ) -> Conversation[bytes]:
        """Type and return what comes until it ends as wanted; for the login, before the prompt is known."""
        text = b""
        while True:
            left = deadline - self._clock()
            heard = (yield Turn(typed, max(0.0, left))) if left > 0 else None
            typed = b""
            if heard is None:
                # a device that echoes the secret must not get it into an error message
                raise self._no_prompt(b"" if is_secret else text)
            text = (text + self._bytes(heard, "login", b"" if is_secret else text))[-_TAIL_BYTES:]
            if end.search(text):
                return text

    def _enable(self, deadline: float) -> Conversation[str]:
        if self._mode == "#":
            return "privileged from the start"
        secret = self._target.enable_secret
        if secret is None:
            raise PrivilegeDenied(
                f"{self._where}: the login lands in user mode and no enable secret is configured; "
                f"add 'enable' to the credential or raise the account's privilege"
            )
        text = yield from self._type_enable(deadline)
        if not _PASSWORD_PROMPT.search(text):
            if text.rstrip().endswith(b"#"):
                self._mode = "#"
                return "enabled without a secret"
            raise PrivilegeDenied(
                f"{self._where}: the device did not ask for the enable secret and stayed in user mode; "
                f"check that 'enable' is allowed for this account",
                evidence=evidence(text),
            )
        either = re.compile(_PASSWORD_PROMPT.pattern + b"|" + self._pattern.pattern)
        text = yield from self._until(either, f"{secret}\n".encode(), deadline, is_secret=True)
        if not text.rstrip().endswith(b"#"):
            raise PrivilegeDenied(f"{self._where}: the device refused the enable secret; check it")
        self._mode = "#"
        return "enabled"

    def _type_enable(self, deadline: float) -> Conversation[bytes]:
        """What follows ``enable``: a password is asked for, or the prompt comes behind our echo.

        A device that does not echo shows the prompt alone; it must stay a while, for it may be a late one.
        """
        text, typed = b"", b"enable\n"
        while True:
            is_prompt = self._pattern.search(text) is not None
            if _PASSWORD_PROMPT.search(text) or (is_prompt and _ENABLE_ECHO in text):
                return text
            left = deadline - self._clock()
            if left <= 0:
                raise self._no_prompt(text)
            heard = yield Turn(typed, min(left, _NO_ECHO_SECONDS) if is_prompt else left)
            typed = b""
            if heard is None:
                if is_prompt:
                    return text
                raise self._no_prompt(text)
            text = (text + self._bytes(heard, "enable", text))[-_TAIL_BYTES:]

    def _turn_paging_off(self, opened_by: float) -> Conversation[str]:
        paging = _ASA_PAGING if self._target.platform is Platform.ASA else _IOS_PAGING
        self._is_usable = True
        answer = yield from self.ask(paging.off, self._setting_seconds(opened_by))
        # a device that refuses is read page by page
        self._has_paging = _REFUSED.search(answer) is not None
        self._is_typing_ahead = self._echoes is True and not self._has_paging
        for command in paging.also:
            yield from self.ask(command, self._setting_seconds(opened_by))
        if self._has_paging:
            return f"paging stays on: the device refused {paging.off!r}"
        return "paging off" if self._echoes else "paging off; the device does not echo"

    def _setting_seconds(self, opened_by: float) -> float:
        return max(0.0, min(self._target.read_timeout, opened_by - self._clock()))

    # answers

    def ask(self, command: str, timeout: float) -> Conversation[str]:
        """The complete answer to ``command`` within ``timeout`` seconds."""
        if not self._is_usable:
            raise ConnectionClosed(f"{self._where}: the session is closed", command)
        self._is_usable = False  # until this answer is complete
        reader = AnswerReader(command, self._pattern, echoes=self._echoes is not False)
        yield from self._read(reader, command, timeout)
        if self._echoes is None:
            self._echoes = True
        self._is_usable = True
        return reader.answer()

    def _read(self, reader: AnswerReader, command: str, timeout: float) -> Conversation[None]:
        deadline = self._clock() + timeout
        # whether an empty line is under way, and whether it was typed a second time for the same prompt
        is_asked, is_asked_again = self._is_typing_ahead, False
        typed = f"{command}\n\n".encode() if is_asked else f"{command}\n".encode()
        progress = Progress.READING
        while progress is not Progress.CONFIRMED:
            can_ask_again = (
                progress is Progress.PROMPT
                and is_asked
                and not is_asked_again
                and self._echoes is not False  # one too many could not be told from an answer there
            )
            patience = self._patience(reader, can_ask_again=can_ask_again)
            left = deadline - self._clock()
            heard = (yield Turn(typed, min(left, patience))) if left > 0 else None
            typed = b""
            if heard is not None:
                progress, is_asked_again = self._fed(reader, heard, command), False
            elif left <= patience:
                raise self._timed_out(reader, command, timeout, is_silent=False)
            elif can_ask_again:
                # a pause behind a line like the prompt, or the empty line got lost
                self._is_typing_ahead, is_asked, is_asked_again = False, False, True
            elif self._seems_not_to_echo(reader):
                self._echoes = False
                progress = reader.expect_no_echo()
            else:
                raise self._timed_out(reader, command, timeout, is_silent=True)
            if progress is Progress.PAGER:
                typed = b" "
            elif progress is Progress.PROMPT and not is_asked:
                typed, is_asked = b"\n", True

    def _patience(self, reader: AnswerReader, *, can_ask_again: bool) -> float:
        """How long nothing may come before something is concluded from it."""
        patience = self._target.read_timeout
        if can_ask_again:
            return min(patience, _CONFIRM_SECONDS)
        if self._seems_not_to_echo(reader):
            return min(patience / 2, _NO_ECHO_SECONDS)  # before a setting's own time is up
        return patience

    def _seems_not_to_echo(self, reader: AnswerReader) -> bool:
        """Until the first command it is not known; a late prompt looks the same, but our echo follows that one."""
        return (
            self._echoes is None
            and not reader.has_echo
            and self._pattern.search(reader.tail) is not None
        )

    def _fed(self, reader: AnswerReader, heard: bytes, command: str) -> Progress:
        progress = reader.feed(self._bytes(heard, command, reader.tail))
        limit = self._target.max_answer_bytes
        if reader.received_bytes > limit:
            raise AnswerTooLarge(
                f"{self._where}: {command!r} sent more than {limit >> 20} MiB, which no such output is; "
                f"see by hand whether it ever ends",
                command,
                evidence=evidence(reader.tail),
            )
        return progress

    # what goes wrong

    def _bytes(self, heard: bytes, command: str, before: bytes) -> bytes:
        if not heard:
            self._is_usable = False
            kind = ConnectionClosed if self._mode == "#" else LoginClosed
            raise kind(
                f"{self._where}: the device closed the connection before {command!r} was complete; "
                f"see in its log whether it reloaded or the line was cleared",
                command,
                evidence=evidence(before),
            )
        return heard

    def _no_prompt(self, text: bytes) -> PromptNotFound:
        seen = evidence(text)
        last = f"; the last it sent was '{seen[-60:].strip()}'" if seen.strip() else ""
        return PromptNotFound(
            f"{self._where}: logged in, but no prompt came within {self._target.connect_timeout:g} s{last}; "
            f"log in by hand and see whether the device asks something first",
            evidence=seen,
        )

    def _timed_out(
        self, reader: AnswerReader, command: str, timeout: float, *, is_silent: bool
    ) -> CollectionError:
        got = f"{reader.received_bytes} bytes" if reader.has_echo else "not even the echo"
        if is_silent:
            what = f"was silent for {self._target.read_timeout:g} s while answering {command!r}"
            advice = "raise read_timeout if the device pauses that long"
        else:
            what = f"did not finish {command!r} within the {timeout:.3g} s left of this poll"
            advice = "raise the poll's timeout if the output is that long"
        return AnswerTimeout(
            f"{self._where}: the device {what} (waited for {self.prompt!r}, {got} came); {advice}",
            command,
            evidence=evidence(reader.tail),
        )
