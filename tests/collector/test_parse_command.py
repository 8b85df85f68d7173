"""``ipsecmon parse``: a pasted log in, every format out, and what it says beside."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from fuzz.cases import fixture_cases
from ipsecmon.cli import main

LOG = """\
Site1#sh cry isa sa
IPv4 Crypto ISAKMP SA
dst             src             state          conn-id status
192.0.2.2       198.51.100.1    QM_IDLE           1001 ACTIVE

IPv6 Crypto ISAKMP SA

Site1#sh ver
Cisco IOS Software
Site1#sh crypto ipsec security-association lifetime
Security association lifetime: 4608000 kilobytes/3600 seconds
Site1#show crypto ikev2 sa
 IPv4 Crypto IKEv2  SA
"""
CUT = (
    "ipsecmon: standard input: line 12: the output of 'show crypto ikev2 sa' is cut off after line 13 "
    "('IPv4 Crypto IKEv2  SA'): expected the section of IPv6; 0 IKE SAs before it were whole; collect it again, or say --complete if you know that it is whole\n"
)


def parse(*arguments: str, text: str = LOG) -> Result:
    return CliRunner().invoke(main, ["parse", *arguments], input=text)


def test_an_unknown_command_and_contradicting_options_are_wrong_use() -> None:
    unknown = parse("--command", "show foo", text="x\n")
    contradiction = parse("--json", "--format", "csv", text="x\n")

    assert (unknown.exit_code, contradiction.exit_code) == (2, 2)
    assert unknown.stderr == (
        "ipsecmon: 'show foo' cannot be read on any platform; ipsecmon parse --list names what can be read\n"
    )
    assert "--json is short for --format json" in contradiction.stderr


def test_every_answer_to_a_command_is_shown_not_the_last_alone() -> None:
    table = "dst src state conn-id status\n192.0.2.2 198.51.100.1 QM_IDLE {} ACTIVE\n"
    log = f"R1#sh cry isa sa\n{table.format(1017)}R1#\nR2#sh cry isa sa\n{table.format(2022)}R2#"
    done = parse("--platform", "ios", "--command", "show crypto isakmp sa", "--json", text=log)

    outputs = json.loads(done.stdout)["outputs"]
    assert [(one["host"], one["records"][0]["conn_id"]) for one in outputs] == [
        ("R1", 1017),
        ("R2", 2022),
    ]


def test_complete_is_offered_only_where_it_helps() -> None:
    inside = parse(text="R1#show crypto ipsec sa\ninterface: Serial0/0\n")
    assert "--complete" not in inside.stderr
    assert "collect it again" in inside.stderr


def test_a_huge_line_does_not_hide_what_a_message_says() -> None:
    done = parse("--platform", "ios", "--command", "show crypto ipsec sa", text="x" * 1_000_000)

    assert done.exit_code == 1
    assert len(done.stderr) < 1500
    assert "(1000000 characters)" in done.stderr


def test_a_configuration_shows_no_counts_of_what_stands_below() -> None:
    text = "R1#show running-config | section crypto\ncrypto isakmp policy 10\n encr aes\ncrypto pki trustpoint X\nR1#"
    for form in ("table", "csv"):
        out = parse("--format", form, text=text).stdout
        assert "crypto maps" not in out
        assert "crypto_maps" not in out


def test_a_text_can_be_called_whole() -> None:
    text = (
        "C-id  Local      Remote        I-VRF  Status Encr Hash   Auth DH Lifetime Cap.\n"
        "1001  192.0.2.2  198.51.100.1         ACTIVE aes  sha    psk  14 23:59:53"
    )

    assert parse("--json", text=text).exit_code == 1
    whole = parse("--json", "--complete", text=text)
    assert whole.exit_code == 0
    assert json.loads(whole.stdout)["records"][0]["conn_id"] == 1001


def test_templates_of_the_users_are_read_with(tmp_path: Path) -> None:
    folder = tmp_path / "ios"
    folder.mkdir()
    template = folder / "show_crypto_engine_brief.textfsm"
    template.write_text(
        "Value NAME (\\S+)\n\nStart\n  ^name: ${NAME} -> Record\n", encoding="utf-8"
    )
    log = "R1#sh cry eng brief\nname: onboard\nR1#\n"
    done = parse("--templates", str(tmp_path), "--format", "jsonl", text=log)

    assert json.loads(done.stdout)["values"] == {"NAME": "onboard"}
    assert "'show crypto engine brief' on IOS" in done.stderr
    assert parse("--templates", str(tmp_path), text=log).stdout.split()[-2:] == ["NAME", "onboard"]
    assert parse("--templates", str(tmp_path), "--explain", text=log).exit_code == 0
    template.write_text("Value NAME\n", encoding="utf-8")
    broken = parse("--templates", str(tmp_path), text=log)
    assert broken.exit_code == 2
    assert "show_crypto_engine_brief.textfsm:1" in broken.stderr


def test_it_says_what_it_guessed_what_it_skipped_and_what_is_cut() -> None:
    done = parse()

    assert done.exit_code == 1
    assert done.stderr == (
        "ipsecmon: standard input: line 1: 'show crypto isakmp sa' on IOS: typed 'sh cry isa sa', it reads as IOS prints it\n"
        "ipsecmon: standard input: line 10: 'show crypto ipsec security-association lifetime' on IOS: "
        "typed 'sh crypto ipsec security-association lifetime', only IOS has this command\n"
        "ipsecmon: standard input: line 12: 'show crypto ikev2 sa' on IOS: typed 'show crypto ikev2 sa', "
        "the other outputs of this device are those of IOS\n"
        "ipsecmon: standard input: 1 other command was not read: 'sh ver' (line 8)\n" + CUT
    )


def test_tables_have_a_title_for_each_output() -> None:
    assert [line.rstrip() for line in parse().stdout.splitlines()] == [
        "show crypto isakmp sa (Site1, IOS, line 1)",
        "destination  source        state    conn-id  status",
        "192.0.2.2    198.51.100.1  QM_IDLE  1001     ACTIVE",
        "",
        "show crypto ipsec security-association lifetime (Site1, IOS, line 10)",
        "lifetime of new SAs: 3600 s, 4608000 kilobytes",
    ]


def test_several_outputs_are_a_list_in_json_and_yaml_with_the_cut_one_among_them() -> None:
    document = json.loads(parse("--json").stdout)

    assert yaml.safe_load(parse("--format", "yaml").stdout) == document
    assert [one["command"] for one in document["outputs"]] == [
        "show crypto isakmp sa",
        "show crypto ipsec security-association lifetime",
        "show crypto ikev2 sa",
    ]
    assert document["outputs"][2]["error"]["kind"] == "Truncated"
    assert {one["host"] for one in document["outputs"]} == {"Site1"}


def test_json_lines_have_a_record_each_with_its_origin() -> None:
    lines = [json.loads(line) for line in parse("--format", "jsonl").stdout.splitlines()]

    assert [(line["command"], line.get("kind", "error")) for line in lines] == [
        ("show crypto isakmp sa", "IkeSa"),
        ("show crypto ipsec security-association lifetime", "SaLifetime"),
        ("show crypto ikev2 sa", "error"),
    ]


def test_csv_has_a_table_for_each_kind_of_record() -> None:
    first, second = parse("--format", "csv").stdout.split("\n\n")
    (sa,) = csv.DictReader(io.StringIO(first))
    (lifetime,) = csv.DictReader(io.StringIO(second))

    assert (sa["kind"], sa["host"], sa["destination"], sa["is_established"]) == (
        "IkeSa",
        "Site1",
        "192.0.2.2",
        "true",
    )
    assert (lifetime["seconds"], lifetime["kilobytes"]) == ("3600", "4608000")


def test_explain_shows_a_record_below_its_line() -> None:
    shown = parse("--explain").stdout

    assert (
        "     4 | 192.0.2.2       198.51.100.1    QM_IDLE           1001 ACTIVE\n       = IkeSa 1, line 4\n"
        in shown
    )
    assert max(len(line) for line in shown.splitlines()) <= 100


def test_explain_marks_what_was_not_understood() -> None:
    text = LOG.replace("lifetime\nSec", "lifetime\na strange line\nSec")

    assert "    11 ! a strange line   <-- not understood\n" in parse("--explain", text=text).stdout


def test_explain_in_json_gives_the_lines() -> None:
    outputs = json.loads(parse("--explain", "--json").stdout)["outputs"]

    assert outputs[0]["records"][0]["lines"] == [4, 4]


def test_an_anonymized_log_names_nobody_and_reads_the_same() -> None:
    done = parse("--anonymize", text=LOG.replace("Site1", "acme-hub"))

    assert done.exit_code == 0
    assert "acme" not in done.stdout
    assert "192.0.2.2" not in done.stdout
    assert "left out what these printed: sh ver" in done.stderr
    assert len(json.loads(parse("--json", text=done.stdout).stdout)["outputs"]) == 3


@pytest.mark.parametrize(
    ("arguments", "text", "code", "stderr"),
    [
        (
            (),
            "hello\n",
            1,
            (
                "ipsecmon: standard input: this is not the output of a command that can be read; "
                "say which it is with --platform and --command\n"
            ),
        ),
        (
            (),
            "",
            1,
            "ipsecmon: standard input: there is nothing to read; give the output of a show command\n",
        ),
        (
            (),
            "R1#sh ver\nCisco\nR1#",
            1,
            (
                "ipsecmon: standard input: 1 other command was not read: 'sh ver' (line 1)\n"
                "ipsecmon: standard input: none of its commands can be read; ipsecmon parse --list names those that can\n"
            ),
        ),
    ],
)
def test_what_cannot_be_read_is_said_with_what_to_do(
    arguments: tuple[str, ...], text: str, code: int, stderr: str
) -> None:
    done = parse(*arguments, text=text)

    assert (done.exit_code, done.stdout, done.stderr) == (code, "", stderr)


@pytest.mark.parametrize("arguments", [("--anonymize", "--json"), ("--explain", "--format", "csv")])
def test_options_that_exclude_each_other_are_wrong_use(arguments: tuple[str, ...]) -> None:
    assert parse(*arguments).exit_code == 2


def test_the_commands_that_can_be_read_are_listed() -> None:
    assert "  show crypto isakmp sa\n" in parse("--list").stdout


def test_every_output_of_ours_has_a_table_and_a_spreadsheet() -> None:
    for case in fixture_cases(readable=True):
        told = ("--platform", case.platform, "--command", case.command)
        for form in ("table", "csv"):
            done = parse(*told, "--format", form, text=case.text)
            assert (done.exit_code, done.stderr) == (0, ""), (case.name, form, done.exception)
            assert done.stdout.strip() or form == "csv", case.name


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    with subprocess.Popen(  # our own program
        [sys.executable, "-m", "ipsecmon", "parse", "--json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        running.stdin.write(LOG.encode())
        running.stdin.close()
        told = running.stderr.read().decode()
        running.wait(30)

    assert "Traceback" not in told
    assert running.returncode == 1
