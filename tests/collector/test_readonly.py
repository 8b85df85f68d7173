"""What may be typed on a device: the closed list of show commands and nothing else."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecmon.config import PollTier
from ipsecmon.model import RawOutput
from ipsecmon.poll import PolledDevice, poll_device
from ipsecmon.sessions import Session, SessionPool, Target
from ipsecmon.sessions.host_keys import AnyHostKey
from ipsecmon.sessions.readonly import (
    COMMANDS,
    MAX_COMMAND_CHARACTERS,
    SESSION_LINES,
    command,
    commands_of,
    ensure_read_only,
)
from ipsecmon_parsers.records import Platform

VALUES = {"peer": "192.0.2.1", "interface": "Tunnel10", "vrf": "customer-a"}
PLAIN = re.compile(r"show [a-z0-9 -]+( \| include CPU utilization)?")


def filled(text: str) -> str:
    return command(text, **{kind: VALUES[kind] for kind in re.findall(r"\{(\w+)\}", text)})


EVERY_COMMAND = [filled(one.text) for one in COMMANDS]


@pytest.mark.parametrize("text", EVERY_COMMAND)
def test_a_command_of_the_table_passes(text: str) -> None:
    assert ensure_read_only(text) == text


class Recording(Session):
    """Takes down what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def run(self, command: str, timeout: float) -> RawOutput:
        assert timeout > 0
        self.asked.append(command)
        return RawOutput(command=command, text="", started_at=0.0, ended_at=0.0)

    def is_alive(self) -> bool:
        return True

    def close(self) -> None:
        pass


@pytest.mark.parametrize("platform", Platform)
def test_every_command_a_poll_sends_is_in_a_tier_of_the_table(platform: Platform) -> None:
    session = Recording()
    target = Target(
        device="Site1",
        host="192.0.2.1",
        port=22,
        username="monitor",
        host_keys=AnyHostKey(),
        connect_timeout=1,
        read_timeout=1,
    )
    device = PolledDevice(
        name="Site1",
        host="192.0.2.1",
        platform=platform,
        interval_seconds=60,
        timeout_seconds=30,
        target=lambda: target,
    )
    poll_device(device, SessionPool(lambda _target, _timeout: session), None)

    assert session.asked
    assert set(session.asked) <= {one.text for one in commands_of(platform, PollTier)}
    assert [ensure_read_only(text) for text in session.asked] == session.asked


def test_all_that_the_table_holds_are_show_commands_and_one_filter() -> None:
    for one in COMMANDS:
        assert PLAIN.fullmatch(re.sub(r"\{\w+\}", "x", one.text)), one.text


def test_a_session_types_nothing_that_configures() -> None:
    for lines in SESSION_LINES.values():
        assert all(line == "enable" or line.startswith("terminal ") for line in lines)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "show",
        "reload",
        "configure terminal",
        "show running-config",
        "show crypto ipsec sa ",
        " show crypto ipsec sa",
        "show  crypto ipsec sa",
        "SHOW crypto ipsec sa",
        "show crypto ipsec sa\n",
        "show crypto ipsec sa\nreload",
        "show crypto ipsec sa\r",
        "show crypto ipsec sa\x00",
        "show crypto ipsec sa?",
        "show crypto ipsec sa | redirect tftp://192.0.2.9/x",
        "show crypto ipsec sa | tee flash:x",
        "show crypto ipsec sa | append flash:x",
        "show processes cpu | include CPU utilization | redirect flash:x",
        "show processes cpu | include .*",
        "show crypto ipsec sa peer 192.0.2.1 | tee flash:x",
        "show crypto ipsec sa peer 192.0.2.1\nreload",
        "show crypto ipsec sa peer 192.0.2.1 detail",
        "show crypto ipsec sa peer 192.0.2.256",
        "show crypto ipsec sa peer fe80::1%eth0",
        "show crypto ipsec sa peer all",
        "show crypto ipsec sa vrf a|b",
        "show crypto ipsec sa vrf b?",
        "show crypto ipsec sa vrf \u0661",
        "show crypto ipsec sa interface " + "x" * MAX_COMMAND_CHARACTERS,
    ],
)
def test_anything_else_does_not(text: str) -> None:
    with pytest.raises(ValueError, match="not a plain show command of the list"):
        ensure_read_only(text)


ENDS = st.sampled_from(
    ["\n", "\r", "\x00", "\x1a", "\x7f", "?", "|", " | redirect flash:x", " | tee x", "\u2028"]
)


@given(st.sampled_from(EVERY_COMMAND), ENDS, st.text(max_size=20), st.data())
def test_no_command_passes_with_something_put_into_it(
    text: str, end: str, more: str, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(text)))
    with pytest.raises(ValueError, match="not a plain show command of the list"):
        ensure_read_only(text[:place] + end + more + text[place:])


@given(st.text(max_size=60) | st.from_regex(r"\Ashow [ -~]{0,60}\Z"))
def test_whatever_passes_is_a_plain_line_that_begins_with_show(text: str) -> None:
    try:
        ensure_read_only(text)
    except ValueError:
        return
    assert re.fullmatch(r"show [!-{}~ ]+|show processes cpu \| include CPU utilization", text)


@given(st.sampled_from(["peer", "interface", "vrf"]), st.text(min_size=1, max_size=40))
def test_a_value_that_is_filled_in_never_adds_a_word_or_a_meaning(kind: str, value: str) -> None:
    text = f"show crypto ipsec sa {kind} {{{kind}}}"
    try:
        made = command(text, **{kind: value})
    except ValueError:
        return
    assert made == f"show crypto ipsec sa {kind} {value}"
    assert re.fullmatch(r"[A-Za-z0-9_./:-]+", value)


def test_an_address_of_either_family_is_a_peer() -> None:
    for peer in ("198.51.100.7", "2001:db8::7"):
        assert command("show crypto ipsec sa peer {peer}", peer=peer).endswith(f" {peer}")


@pytest.mark.parametrize(
    ("text", "values", "message"),
    [
        ("show crypto ipsec sa map {vrf}", {"vrf": "x"}, "not a command that is ever sent"),
        ("show crypto ipsec sa peer {peer}", {}, "takes peer, not no value"),
        ("show crypto ipsec sa", {"peer": "192.0.2.1"}, "takes no value, not peer"),
        ("show crypto ipsec sa peer {peer}", {"peer": "x"}, "expected an IP address, not 'x'"),
        ("show crypto ipsec sa vrf {vrf}", {"vrf": "a b"}, "expected the name of a VRF"),
    ],
)
def test_a_command_that_cannot_be_made_says_why(
    text: str, values: dict[str, str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        command(text, **values)


def test_an_asa_is_asked_for_the_privilege_in_its_own_words() -> None:
    asa = {one.text for one in commands_of(Platform.ASA)}

    assert "show curpriv" in asa
    assert "show privilege" not in asa
    assert "show crypto map" not in asa
