"""Abbreviated, ambiguous, incomplete and wrong command lines."""

from __future__ import annotations

import pytest

from ipsecmon.lab.commands import (
    COMMANDS,
    Ambiguous,
    Incomplete,
    Invalid,
    Match,
    commands_of,
    look_up,
)


@pytest.mark.parametrize(
    ("line", "name", "arguments"),
    [
        ("show crypto isakmp sa", "show crypto isakmp sa", ()),
        ("sh cry isa sa", "show crypto isakmp sa", ()),
        ("SH CRY IPS SA", "show crypto ipsec sa", ()),
        ("sh cr ip sec lif", "show crypto ipsec security-association lifetime", ()),
        ("  term  len  0 ", "terminal length <0-512>", ("0",)),
        ("cl cry sa pe 192.0.2.1", "clear crypto sa peer <address>", ("192.0.2.1",)),
        ("clear crypto sa", "clear crypto sa", ()),
        ("en", "enable", ()),
        ("ex", "exit", ()),
    ],
)
def test_any_unique_prefix_will_do(line: str, name: str, arguments: tuple[str, ...]) -> None:
    found = look_up(line, 15)

    assert isinstance(found, Match)
    assert (found.command.name, found.arguments) == (name, arguments)


def test_every_command_is_found_by_its_full_words() -> None:
    samples = {"<address>": "192.0.2.1", "<0-512>": "0"}
    for command in COMMANDS:
        line = " ".join(samples.get(word, word) for word in command.words)

        assert look_up(line, 15) == Match(
            command, tuple(samples[w] for w in command.words if w in samples)
        )


@pytest.mark.parametrize("line", ["sh c", "show crypto i", "cl c s"])
def test_a_prefix_of_several_commands_is_ambiguous(line: str) -> None:
    assert look_up(line, 15) == Ambiguous()


@pytest.mark.parametrize("line", ["show", "show crypto", "terminal length", "clear crypto sa peer"])
def test_too_few_words_are_incomplete(line: str) -> None:
    assert look_up(line, 15) == Incomplete()


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("show crypto gdoi", 12),
        ("show crypto isakmp sa detail", 22),
        (" frobnicate now", 1),
        ("terminal length 513", 16),
        ("terminal length -1", 16),
        ("clear crypto sa peer 192.0.2.256", 21),
        ("show crypto ipsec sa | include pkts", 21),
    ],
)
def test_the_word_that_does_not_fit_is_pointed_at(line: str, column: int) -> None:
    found = look_up(line, 15)

    assert isinstance(found, Invalid)
    assert found.column == column


def test_clear_does_not_exist_without_privilege() -> None:
    assert look_up("clear crypto sa", 1) == Invalid(0, is_first_word=True)


def test_12_4_does_not_know_ikev2() -> None:
    assert isinstance(look_up("show crypto ikev2 sa", 15, commands_of("ios-12.4")), Invalid)
    assert isinstance(look_up("show crypto ikev2 sa", 15, commands_of("ios-15")), Match)
