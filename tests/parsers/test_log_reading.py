"""A session log is cut into its answers, each read by itself, with the line numbers of the whole log."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from fuzz.cases import commands
from ipsecmon_parsers.clean import clean
from ipsecmon_parsers.errors import Filtered, NotRecognised, ParserError, Truncated
from ipsecmon_parsers.guess import MARKS, guess
from ipsecmon_parsers.reading import read_log
from ipsecmon_parsers.records import Platform
from ipsecmon_parsers.registry import BUILT_IN, parse
from ipsecmon_parsers.session_log import answers

LOG = """\
Site1>en
Password:
Site1#sh cry isa sa
IPv4 Crypto ISAKMP SA
dst             src             state          conn-id status
192.0.2.2       198.51.100.1    QM_IDLE           1001 ACTIVE

IPv6 Crypto ISAKMP SA

Site1#sh cry sess | i Peer
Peer: 192.0.2.2 port 500
Site1(config)#do show crypto ipsec security-association lifetime
a line nobody knows
Security association lifetime: 4608000 kilobytes/3600 seconds
Site1(config)#crypto isakmp key planted address 192.0.2.2
Site1#show crypto ikev2 sa
 IPv4 Crypto IKEv2  SA

Tunnel-id Local                 Remote                fvrf/ivrf            Status
1         192.0.2.1/500         198.51.100.1/500      none/none            READY
"""


def test_each_answer_has_its_command_its_host_and_its_place() -> None:
    found = [(a.command, a.host, a.first_line, a.complete) for a in answers(LOG)]

    assert found == [
        ("en", "Site1", 1, True),
        ("sh cry isa sa", "Site1", 3, True),
        ("sh cry sess | i Peer", "Site1", 10, True),
        ("show crypto ipsec security-association lifetime", "Site1", 12, True),
        ("crypto isakmp key planted address 192.0.2.2", "Site1", 15, True),
        ("show crypto ikev2 sa", "Site1", 16, False),
    ]


@pytest.mark.parametrize(
    "prompt", ["R1#", "R1> ", "asa/act/pri(config)# ", "  R1#  ", "hub-1.example(config-if)#do "]
)
def test_a_command_is_found_behind_every_kind_of_prompt(prompt: str) -> None:
    (answer,) = answers(f"{prompt}sh cry isa sa\nrow\n")

    assert (answer.command, answer.text.strip()) == ("sh cry isa sa", "row")


def test_a_command_typed_without_a_prompt_is_found_too() -> None:
    found = answers("show crypto isakmp sa\nrow\n\nshow crypto ipsec sa\nflow\n")

    assert [(a.command, a.first_line) for a in found] == [
        ("show crypto isakmp sa", 1),
        ("show crypto ipsec sa", 4),
    ]


def test_a_command_the_tab_key_spelt_out_is_one_command() -> None:
    assert [a.command for a in answers("R1#sh cry\nR1#sh crypto isakmp sa\nrow\n")] == [
        "sh crypto isakmp sa"
    ]


def test_a_log_gives_results_errors_and_the_commands_it_did_not_read() -> None:
    reading = read_log(LOG)

    assert [(one.command, type(one.error)) for one in reading.outcomes] == [
        ("show crypto isakmp sa", type(None)),
        (None, Filtered),
        ("show crypto ipsec security-association lifetime", type(None)),
        ("show crypto ikev2 sa", Truncated),
    ]
    assert [(other.command, other.line_no) for other in reading.others] == [
        ("en", 1),
        ("crypto isakmp key *** address 192.0.2.2", 15),
    ]


def test_lines_are_numbered_as_in_the_whole_log() -> None:
    isakmp, filtered, lifetime, cut = read_log(LOG).outcomes
    lines = LOG.split("\n")

    assert isakmp.result is not None
    assert lifetime.result is not None
    (source,) = isakmp.result.sources
    assert (source.first_line, source.last_line) == (6, 6)
    (unparsed,) = lifetime.result.unparsed_lines
    assert lines[unparsed.line_no - 1] == unparsed.text == "a line nobody knows"
    assert isinstance(cut.error, Truncated)
    assert lines[cut.error.line_no - 1] == cut.error.line
    assert str(filtered.error) == (
        "'sh cry sess | i Peer' prints only some of its lines, and nothing tells what is missing; "
        "collect 'show crypto session' without the filter"
    )


def test_a_cut_answer_takes_nothing_from_its_document() -> None:
    document = read_log(LOG).outcomes[-1].document()

    assert document["platform"] == "ios"
    assert document["command"] == "show crypto ikev2 sa"
    error = document["error"]
    assert isinstance(error, dict)
    assert (error["kind"], error["line_no"]) == ("Truncated", 20)


def test_the_platform_one_output_shows_holds_for_the_others_of_its_device() -> None:
    log = (
        "fw1# show crypto ipsec sa\n\nThere are no ipsec sas\nfw1# show crypto isakmp sa\n"
        "\nThere are no IKEv1 SAs\n\nThere are no IKEv2 SAs\nfw1# show vpn-sessiondb detail l2l\n"
        "INFO: There are presently no active sessions of the type specified\nfw1#"
    )

    assert {one.platform for one in read_log(log).outcomes} == {Platform.ASA}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "there is nothing to read; give the output of a show command"),
        (
            "hello world\n",
            "this is not the output of a command that can be read; say which it is with --platform and --command",
        ),
        (
            "% Invalid input detected at '^' marker.\n",
            (
                "the device refused a command: \"% Invalid input detected at '^' marker.\"; "
                "check the account's privilege and that the release has the command"
            ),
        ),
    ],
)
def test_what_tells_nothing_is_not_guessed(text: str, sentence: str) -> None:
    (outcome,) = read_log(text).outcomes

    assert isinstance(outcome.error, NotRecognised)
    assert str(outcome.error) == sentence


@pytest.mark.parametrize(
    ("platform", "typed", "whole"),
    [
        ("ios", "sh cry ips sa int Tu1 det", "show crypto ipsec sa interface Tu1 detail"),
        ("ios", "sho run | s cry", "show running-config | section crypto"),
        ("asa", "sh cry ikev1 sa d", "show crypto ikev1 sa detail"),
    ],
)
def test_an_abbreviation_is_spelt_out(platform: str, typed: str, whole: str) -> None:
    assert BUILT_IN.spelled_out(platform, typed) == whole


def test_every_capture_is_guessed_for_what_it_is(captures: Path) -> None:
    missed: list[str] = []
    for path in sorted(captures.glob("*/*/*.txt")):
        meta = yaml.safe_load(path.with_suffix(".meta.yaml").read_text(encoding="utf-8"))
        platform, command = meta["platform"], meta["command"]
        text = path.read_bytes().decode("utf-8", "replace")
        try:
            parse(platform, command, text)
            guessed = guess(clean(text, command).text)
            is_right = (guessed.platform is Platform.ASA) == (
                platform == "asa"
            ) and BUILT_IN.are_read_alike(guessed.platform, guessed.command, command)
        except NotRecognised:
            is_right = False
        except ParserError:
            continue
        if not is_right:
            missed.append(f"{path.parent.name}/{path.stem}")

    # the syntax of two platforms in one text: it says that it could be either
    assert missed == ["show_running-config/002_batfish_cisco_crypto"]


def test_every_record_of_a_capture_lies_in_lines_of_its_own(captures: Path) -> None:
    for path in sorted(captures.glob("*/*/*.txt")):
        meta = yaml.safe_load(path.with_suffix(".meta.yaml").read_text(encoding="utf-8"))
        text = path.read_bytes().decode("utf-8", "replace")
        try:
            result = parse(meta["platform"], meta["command"], text)
        except ParserError:
            continue
        assert len(result.sources) == len(result.records), path
        lines = BUILT_IN.prepared_lines(meta["platform"], meta["command"], text)
        before = 0
        for source in result.sources:
            if "running-config" not in meta["command"]:
                assert before < source.first_line <= source.last_line, path
            assert lines[source.first_line - 1].strip(), path
            before = source.last_line


# what a filter left looks alike on both platforms; of an ASA only the echo tells
GUESSABLE = [pair for pair in commands() if not (pair[0] == "asa" and "|" in pair[1])]


@pytest.mark.parametrize(("platform", "command"), GUESSABLE)
def test_every_command_can_be_guessed_from_a_line_of_its_own(platform: str, command: str) -> None:
    marks = [mark.command for mark in MARKS if mark.platform == platform]

    assert any(BUILT_IN.are_read_alike(platform, command, mark) for mark in marks)
