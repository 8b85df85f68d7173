"""The log: standard error, one line per record, UTC, without secrets.

redactor = setup_logging("info")
redactor.add("the password just read")
log.warning("no answer", extra={"device": "Site1", "stage": "connect"})

2026-03-01T12:00:00.000Z WARNING ipsecmon.poll device=Site1 stage=connect: no answer
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import urllib.parse
from datetime import UTC, datetime
from typing import TextIO

__all__ = ["Redactor", "one_line", "setup_logging"]

HIDDEN = "***"
FIELDS = (
    "device",
    "stage",
    "reason",
    "command",
    "seconds",
    "next_attempt",
    "evidence",
)
# what they say below WARNING is about themselves, and some of it echoes what a device printed
NOISY = ("apscheduler", "asyncssh", "netmiko", "uvicorn", "uvicorn.error", "uvicorn.access")
# prints a traceback for every connection that fails, and each of those becomes a sentence of ours
MUTE = ("paramiko", "apscheduler.scheduler", "apscheduler.executors.default")
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
PLAIN_WORD = re.compile(r"[^\s\"=]+")

text_of_exception = logging.Formatter().formatException


def setup_logging(
    level: str | int = "info",
    json: bool = False,
    stream: TextIO | None = None,
) -> Redactor:
    """Send every log to one place; may be called again. Tell the answer what must not be seen."""
    root = logging.getLogger()
    number = logging.getLevelNamesMapping()[level.upper()] if isinstance(level, str) else level
    for handler in list(root.handlers):
        if isinstance(handler, LineHandler):
            root.removeHandler(handler)
            handler.close()
    redactor = Redactor()
    handler = LineHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if json else TextFormatter())
    handler.addFilter(redactor)
    root.addHandler(handler)
    root.setLevel(number)
    for name in NOISY:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))
    for name in MUTE:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return redactor


class LineHandler(logging.StreamHandler[TextIO]):
    """Ours, so that a second set-up replaces it and nobody else's."""


class Redactor(logging.Filter):
    """Replaces secrets in the message, the exception text and the fields of a record."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._secrets: set[str] = {""}
        self._forms: tuple[str, ...] = ()

    def add(self, *secrets: str) -> None:
        with self._lock:
            new = {secret: None for secret in secrets if secret not in self._secrets}
            self._secrets.update(new)
            self._forms += tuple(form for secret in new for form in written(secret))

    def redact(self, text: str) -> str:
        # searching for each needs no pattern of thousands to be built anew with each secret, and almost no text holds any
        held = [form for form in self._forms if form in text]
        if not held:
            return text
        # the longest first: one secret may begin with another
        longest_first = sorted(set(held), key=lambda form: (-len(form), form))
        return re.sub("|".join(map(re.escape, longest_first)), HIDDEN, text)

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = self.redact(message_of(record))
        record.args = None
        if record.exc_info and record.exc_info[0] is not None:
            # formatters use this text when it is there
            record.exc_text = record.exc_text or text_of_exception(record.exc_info)
        if record.exc_text:
            record.exc_text = self.redact(record.exc_text)
        if record.stack_info:
            record.stack_info = self.redact(record.stack_info)
        for field in FIELDS:
            value = getattr(record, field, None)
            if value is not None and not isinstance(value, float):
                setattr(record, field, self.redact(str(value)))
        return True


def written(secret: str) -> set[str]:
    """The forms in which a secret turns up in a text: as it is, in a repr, in JSON, in an address."""
    return {
        secret,
        repr(secret)[1:-1],
        repr(secret.encode(errors="surrogateescape"))[2:-1],
        json.dumps(secret)[1:-1],
        urllib.parse.quote(secret, safe="", errors="replace"),
    }


def message_of(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception as error:  # noqa: BLE001 - __str__ of anything; logging would print the arguments unredacted
        return f"{record.msg!s} (its arguments do not fit: {type(error).__name__})"


class TextFormatter(logging.Formatter):
    """One line for a person; line feeds and terminal escapes of a device become visible text."""

    def format(self, record: logging.LogRecord) -> str:
        fields = "".join(f" {name}={_word(value)}" for name, value in fields_of(record).items())
        head = f"{timestamp(record)} {record.levelname} {record.name}{fields}"
        parts = [record.getMessage(), *evidence_of(record).values()]
        return one_line(f"{head}: {' | '.join(parts)}")


class JsonFormatter(logging.Formatter):
    """One JSON object for a machine."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(
            {
                "time": timestamp(record),
                "level": record.levelname.lower(),
                "logger": record.name,
                **fields_of(record),
                "message": record.getMessage(),
                **evidence_of(record),
            }
        )


def fields_of(record: logging.LogRecord) -> dict[str, str | float]:
    values = {name: getattr(record, name, None) for name in FIELDS}
    return {
        name: value if isinstance(value, float) else str(value)
        for name, value in values.items()
        if value is not None
    }


def _word(value: str | float) -> str:
    """As it is, or in quotes where it would not read as one word."""
    text = str(value)
    return text if PLAIN_WORD.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def evidence_of(record: logging.LogRecord) -> dict[str, str]:
    values = {"exception": record.exc_text, "stack": record.stack_info}
    return {name: value for name, value in values.items() if value}


def timestamp(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def one_line(text: str) -> str:
    return CONTROLS.sub(lambda match: repr(match.group())[1:-1], text)
