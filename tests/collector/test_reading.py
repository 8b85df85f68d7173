"""When an answer is complete: the echo first, then the prompt at the very end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecmon.sessions.reading import AnswerReader, Progress, prompt_pattern
from ipsecmon.sessions.readonly import ensure_read_only

COMMAND = "show crypto isakmp sa"
STREAM = f"{COMMAND}\r\nline one\r\nline two\r\nSite1#".encode()


def reader(host: str = "Site1") -> AnswerReader:
    return AnswerReader(COMMAND, prompt_pattern(host))


def test_an_answer_is_what_stands_between_echo_and_prompt() -> None:
    read = reader()

    assert read.feed(STREAM) is Progress.PROMPT
    assert read.answer() == "line one\r\nline two\r\n"


@given(st.lists(st.integers(1, 12), min_size=1, max_size=80))
def test_an_answer_is_the_same_in_whatever_pieces_it_comes(sizes: list[int]) -> None:
    read, at = reader(), 0
    for size in [*sizes, len(STREAM)]:
        progress = read.feed(STREAM[at : at + size])
        at += size
        if at < len(STREAM):
            assert progress is Progress.READING

    assert read.answer() == "line one\r\nline two\r\n"


def test_a_late_prompt_before_our_echo_ends_nothing() -> None:
    read = reader()

    assert read.feed(b"\r\nSite1#\r\nSite1#") is Progress.READING
    assert not read.has_echo
    assert read.feed(STREAM) is Progress.PROMPT


@pytest.mark.parametrize(
    "text",
    [
        b"  description to Site1# backup\r\n",
        b"  description to Site1#",
        b"\r\nSite1# and more",
        b"\r\nSite11#",
        b"\r\nMySite1#",
    ],
)
def test_text_that_looks_like_the_prompt_does_not_end_an_answer(text: bytes) -> None:
    read = reader()
    read.feed(f"{COMMAND}\r\n".encode())

    assert read.feed(text) is Progress.READING


def test_a_prompt_is_withdrawn_when_more_follows() -> None:
    read = reader()
    read.feed(f"{COMMAND}\r\nfirst\r\nSite1#".encode())

    assert read.feed(b" is a line of the output\r\n") is Progress.READING
    assert read.feed(b"last\r\nSite1#") is Progress.PROMPT
    assert read.answer() == "first\r\nSite1# is a line of the output\r\nlast\r\n"


def test_each_pager_asks_for_one_answer() -> None:
    read = reader()

    assert read.feed(f"{COMMAND}\r\nfirst\r\n --More-- ".encode()) is Progress.PAGER
    assert read.feed(b"\x08\x08\x08        \x08\x08\x08") is Progress.READING
    assert read.feed(b"second\r\n --More-- ") is Progress.PAGER


def test_odd_host_names_are_taken_literally() -> None:
    assert prompt_pattern("R1(hub)[a.b]*x+?$").search(b"\r\nR1(hub)[a.b]*x+?$#")


def test_bytes_that_are_no_text_become_replacement_characters() -> None:
    read = reader()
    read.feed(COMMAND.encode() + b"\r\n\xff\xfe\r\nSite1#")

    assert read.answer() == "\ufffd\ufffd\r\n"


@pytest.mark.parametrize(
    "command",
    [
        "show crypto isakmp sa",
        "show crypto ipsec sa peer 192.0.2.1",
        "show crypto ipsec sa interface GigabitEthernet0/0/0.100",
    ],
)
def test_plain_show_commands_pass_the_guard(command: str) -> None:
    assert ensure_read_only(command) == command


@pytest.mark.parametrize(
    "command",
    [
        "reload",
        "show clock\nreload",
        "show clock\r\nclear crypto sa",
        "show running-config | redirect tftp://192.0.2.1/x",
        "show ?",
        "show",
        "show clock;reload",
        " show clock",
        "clear crypto sa",
        "show cl\u00f6ck",
    ],
)
def test_anything_else_does_not(command: str) -> None:
    with pytest.raises(ValueError, match="not a plain show command"):
        ensure_read_only(command)
