"""The log: one line per record, in UTC, without secrets."""

from __future__ import annotations

import io
import json
import logging
import re
import urllib.parse
from collections.abc import Iterator

import pytest

from ipsecmon.log import NOISY, Redactor, setup_logging

PLANTED = 'hunter2 "Pl4nted" \\ö\''
log = logging.getLogger("ipsecmon.test")


@pytest.fixture(autouse=True)
def _root_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    levels = {name: logging.getLogger(name).level for name in NOISY}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


def fail(text: str) -> None:
    raise ValueError(text)


def test_a_line_has_time_level_name_fields_and_message(stream: io.StringIO) -> None:
    setup_logging("info", stream=stream)

    log.info("%d tunnels", 2, extra={"device": "Site1", "stage": "parse"})

    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO ipsecmon\.test device=Site1 stage=parse: 2 tunnels\n",
        stream.getvalue(),
    )


def test_time_is_utc(stream: io.StringIO) -> None:
    setup_logging("info", stream=stream)
    record = log.makeRecord(log.name, logging.INFO, "", 0, "x", (), None)
    record.created = 0.5

    log.handle(record)

    assert stream.getvalue() == "1970-01-01T00:00:00.500Z INFO ipsecmon.test: x\n"


def test_json(stream: io.StringIO) -> None:
    setup_logging("info", json=True, stream=stream)

    try:
        fail("no\nanswer")
    except ValueError:
        log.exception("poll failed", extra={"device": "Site1"})

    (line,) = stream.getvalue().splitlines()
    record = json.loads(line)
    assert re.fullmatch(r".*T.*Z", record.pop("time"))
    assert record.pop("exception").endswith("ValueError: no\nanswer")
    assert record == {
        "level": "error",
        "logger": "ipsecmon.test",
        "device": "Site1",
        "message": "poll failed",
    }


def test_an_exception_and_a_device_cannot_break_the_line(stream: io.StringIO) -> None:
    setup_logging("info", stream=stream)

    try:
        fail("\x1b[2Jtwo\r\nlines\u2028three \ud800")
    except ValueError:
        log.exception("a\nb", stack_info=True)

    (line,) = stream.getvalue().splitlines()
    assert ": a\\nb | Traceback" in line
    assert "ValueError: \\x1b[2Jtwo\\r\\nlines\\u2028three \\ud800 | Stack" in line


@pytest.mark.parametrize("as_json", [False, True])
def test_no_secret_is_written(as_json: bool, stream: io.StringIO) -> None:
    redactor = setup_logging("debug", json=as_json, stream=stream)
    redactor.add(PLANTED, "")

    try:
        fail(f"login {PLANTED} {PLANTED!r} {PLANTED.encode()!r}")
    except ValueError:
        log.exception("%s %r", PLANTED, {"password": PLANTED}, extra={"stage": f"auth {PLANTED}"})
    log.info(json.dumps(PLANTED))
    log.info("ssh://monitor:%s@192.0.2.1", urllib.parse.quote(PLANTED))
    log.info(ValueError(PLANTED))

    text = stream.getvalue()
    assert "hunter2" not in text
    assert "Pl4nted" not in text
    assert "***" in text


def test_arguments_that_do_not_fit_are_left_out() -> None:
    """The logging package would print them to standard error, past every filter."""
    redactor = Redactor()
    record = log.makeRecord(log.name, logging.INFO, "", 0, "too many", (PLANTED,), None)

    redactor.filter(record)

    assert record.getMessage() == "too many (its arguments do not fit: TypeError)"


def test_a_secret_that_begins_with_another(stream: io.StringIO) -> None:
    redactor = setup_logging("info", stream=stream)
    redactor.add("lab")
    redactor.add("laboratory")

    log.info("the laboratory, the lab")

    assert stream.getvalue().endswith(": the ***, the ***\n")


def test_without_secrets_nothing_is_replaced() -> None:
    assert Redactor().redact("a b") == "a b"


@pytest.mark.parametrize("name", NOISY)
def test_libraries_are_quiet(name: str, stream: io.StringIO) -> None:
    setup_logging("debug", stream=stream)

    logging.getLogger(f"{name}.part").info("noise")
    logging.getLogger(f"{name}.part").warning("news")

    assert [line.rpartition(": ")[2] for line in stream.getvalue().splitlines()] == ["news"]


def test_level_holds_for_libraries_too(stream: io.StringIO) -> None:
    setup_logging("error", stream=stream)

    logging.getLogger("netmiko").warning("news")
    log.warning("news")

    assert stream.getvalue() == ""


def test_a_second_call_replaces_the_first(stream: io.StringIO) -> None:
    setup_logging("debug", stream=io.StringIO())
    setup_logging("info", stream=stream)

    log.debug("no")
    log.info("yes")

    assert len(stream.getvalue().splitlines()) == 1


def test_standard_error_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    setup_logging(logging.INFO)

    log.info("here")

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.endswith(": here\n")
