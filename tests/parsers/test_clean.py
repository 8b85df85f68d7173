"""Terminal artefacts are undone, line for line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ipsecmon_parsers.clean as clean_module
from fuzz.damage import MESSAGES
from ipsecmon_parsers.clean import clean

ROW = "123.1.1.2       92.1.1.1        QM_IDLE           1001 ACTIVE"


@pytest.mark.parametrize(
    ("dirty", "expected"),
    [
        pytest.param("a\r\nb\r\r\nc", "a\nb\nc", id="carriage returns before line ends"),
        pytest.param("dst\u00a0\u00a0 src", "dst   src", id="no-break spaces"),
        pytest.param("\x1b[32mUP\x1b[0m", "UP", id="colours"),
        pytest.param(
            "a\n --More-- \x08\x08\x08      \x08\x08\x08b\n", "a\nb\n", id="pager, backspaces"
        ),
        pytest.param("a\n --More-- \r         \rb\n", "a\nb\n", id="pager, carriage returns"),
        pytest.param("QM_IDKE\x08\x08LE", "QM_IDLE", id="corrected typing"),
        pytest.param("half a line\rHALF\n", "HALF a line\n", id="overwritten start"),
        pytest.param("one\x0ctwo", "one two", id="form feed is no line end"),
        pytest.param(f"show crypto isakmp sa\n{ROW}", f"\n{ROW}", id="echo"),
        pytest.param(f"Site1#show crypto isakmp sa\n{ROW}", f"\n{ROW}", id="prompt and echo"),
        pytest.param(
            f"Load for five secs: 1%/0%; one minute: 1%; five minutes: 1%\n"
            f"Time source is NTP, 10:11:12.345 UTC Mon Nov 23 2026\n{ROW}",
            f"\n\n{ROW}",
            id="exec prompt timestamp",
        ),
        pytest.param(
            f"*Nov 23 10:11:12.000: %CRYPTO-5-SESSION_STATUS: Crypto tunnel is DOWN.\n{ROW}",
            f"\n{ROW}",
            id="syslog line",
        ),
        pytest.param(f"\x1b]0;Site1\x07{ROW}", ROW, id="window title"),
        pytest.param(f"\x1b(B\x1b)0{ROW}\x1b>", ROW, id="character sets"),
        pytest.param("a\u200bb\u3000c", "ab c", id="blanks of no width and of double width"),
        pytest.param(
            "     spi: 0x41*Nov 23 10:11:12.000: %CRYPTO-5-UP: x\n"
            "00:00:52: ISAKMP: local port 500\n"
            "CC\nnext",
            "     spi: 0x41CC\n\n\nnext",
            id="a line broken by two messages is mended where it began",
        ),
        pytest.param(
            "  conn id: 12000123: *Nov 23 10:11:12.000: %CRYPTO-5-UP: x\n34",
            "  conn id: 1234\n",
            id="the number of a message is none of the digits before it",
        ),
        pytest.param(
            "   PRF: SHA1*Nov 23 10:11:12.000: %CRYPTO-5-UP: x",
            "   PRF: SHA1",
            id="a text that ends in a message",
        ),
        pytest.param(
            " description see *Nov 23 10:11:12.000: %CRYPTO-5-UP: x\n set peer 192.0.2.1",
            " description see *Nov 23 10:11:12.000: %CRYPTO-5-UP: x\n set peer 192.0.2.1",
            id="what people write about messages is no message",
        ),
        pytest.param(
            "IKEv2:\n  Tunnel ID    : 1.1\nIPsec:\n IKEv2: (1)AES256",
            "IKEv2:\n  Tunnel ID    : 1.1\nIPsec:\n IKEv2: (1)AES256",
            id="headings that look like debug messages",
        ),
        pytest.param(ROW, ROW, id="a clean row stays as it is"),
    ],
)
def test_artefact_is_removed_and_the_line_kept(dirty: str, expected: str) -> None:
    assert clean(dirty).text == expected


@pytest.mark.parametrize("prompt", ["Site1#", "Site1>", "hub-1.example(config)#  "])
def test_a_closing_prompt_is_noticed_and_removed(prompt: str) -> None:
    cleaned = clean(f"{ROW}\n{prompt}")

    assert cleaned.ends_with_prompt
    assert cleaned.text.rstrip() == ROW


MORE_MESSAGES = (
    "Load for five secs: 1%/0%; one minute: 2%",
    "Time source is NTP, 10:11:12.000 UTC Mon Nov 23 2026",
    "No time source, 10:11:12.000 UTC",
    "IPSec(key_engine): request timer fired",
    "IKEv2-PROTO-4: received packet",
    "[IKEv1 DEBUG]Group = 192.0.2.9, processing SA payload",
    "CRYPTO_SS(TUNNEL SEC): Active open",
    "crypto_engine: Create DH",
    "NHRP: Attempting to send packet",
    "Crypto mapdb : proxy_match",
    "(sa) sa_dest= 192.0.2.9, sa_proto= 50,",
    "protocol= ESP, transform= esp-aes",
    "spi= 0x0(0), conn_id= 0",
    "sa_spi= 0xABCD(43981),",
    "src addr= 10.1.1.0, protocol= 0",
    "dst addr= 10.2.2.0, protocol= 0",
    "!!!.!",
    "...",
    "Type escape sequence to abort.",
    "Sending 5, 100-byte ICMP Echos to 192.0.2.9, timeout is 2 seconds:",
    "Packet sent with a source address of 10.1.1.1",
    "3d04h: a message",
)


def test_a_prompt_glued_to_the_last_heading_is_noticed() -> None:
    cleaned = clean("     outbound pcp sas:Site1#")

    assert cleaned.ends_with_prompt
    assert cleaned.text.strip() == "outbound pcp sas:"


def test_what_stands_before_the_only_echo_is_no_answer_to_it() -> None:
    cleaned = clean(f"Welcome\nR1#show crypto isakmp sa\n{ROW}\nR1#", "show crypto isakmp sa")

    assert cleaned.text.strip() == ROW


def test_an_echo_that_nothing_follows_is_the_end_of_the_answer_before() -> None:
    cleaned = clean(f"{ROW}\nR1#show crypto isakmp sa", "show crypto isakmp sa")

    assert cleaned.text.strip() == ROW
    assert cleaned.ends_with_prompt


def test_output_without_a_prompt_is_not_called_finished() -> None:
    assert not clean(ROW).ends_with_prompt


@given(st.text())
def test_no_text_changes_its_number_of_lines(text: str) -> None:
    """Unless it is glued to a heading, nothing adds or removes a line; a lone CR is a line end of old files."""
    if "\r" not in text and "sas:" not in text:
        assert clean(text).text.count("\n") == text.count("\n")


@given(st.text())
def test_what_is_clean_stays_clean(text: str) -> None:
    once = clean(text).text

    assert clean(once).text.split() == once.split() or "\x08" in text or "\r" in text


@pytest.mark.parametrize("message", [*MESSAGES, *MORE_MESSAGES])
def test_no_message_escapes_the_quick_look_for_messages(message: str) -> None:
    """The expressions for messages are tried only where the quick look finds a sign of one."""
    found = 0
    for start in range(len(message)):
        for text in (
            f"    #pkts encaps: 4\n  {message[start:]}\n",
            f"    #pkts {message[start:]}\nR1",
        ):
            if clean_module._NOISE.search(text) or clean_module._BREAKING_MESSAGE.search(text):  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] # the expressions themselves are the claim
                assert clean_module._may_hold_messages(text), text  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] # the same
                found += 1

    assert found
