"""Templates of the user's: in the place of ours, beside ours, and refused with every mistake in them."""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ipsecmon_parsers.clean import clean
from ipsecmon_parsers.engines import Table, built_in_template, run_template
from ipsecmon_parsers.errors import (
    CommandRefused,
    ParseError,
    ParserError,
    TemplateMistake,
    TemplatesRefused,
    Truncated,
    UnknownCommand,
)
from ipsecmon_parsers.records import CustomRow, Platform
from ipsecmon_parsers.registry import (
    BUILT_IN,
    SHOW_IPSEC_SA,
    Registry,
    known_commands,
    parse,
)
from ipsecmon_parsers.template_files import mistakes_in

REPOSITORY = Path(__file__).parents[2]
OURS = REPOSITORY / "parsers" / "ipsecmon_parsers" / "templates"
OUTPUTS = Path(__file__).parent / "outputs"
TUTORIAL = (OUTPUTS / "ios" / "show_crypto_ipsec_sa" / "tutorial" / "output.txt").read_text("utf-8")
ENGINE = "show crypto engine connections active"
ENGINE_OUTPUT = """\
Site1#show crypto engine connections active
Crypto Engine Connections

   ID  Type    Algorithm           Encrypt  Decrypt LastSeqN IP-Address
 1001  IKE     SHA+AES256                0        0        0 192.0.2.1
 2001  IPsec   AES256+SHA                0        4          192.0.2.1

Site1#"""
COUNTS = r"""Value NAME (\S+)
Value COUNT (\d+)

Start
  ^${NAME} ${COUNT} -> Record
"""

Put = Callable[[str, str], None]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder ``templates`` in the working directory, so that messages name it as a user sees it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "templates").mkdir()
    return Path("templates")


@pytest.fixture
def put(folder: Path) -> Put:
    def write(name: str, text: str) -> None:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    return write


def ours(name: str) -> str:
    return (OURS / name).read_text("utf-8")


def refused(folder: Path) -> list[str]:
    with pytest.raises(TemplatesRefused) as caught:
        Registry.with_templates(folder)
    assert str(caught.value).split("\n") == [str(one) for one in caught.value.mistakes]
    return [str(one) for one in caught.value.mistakes]


class TestInThePlaceOfOurs:
    def test_a_router_that_prints_one_word_differently_is_read(
        self, folder: Path, put: Put
    ) -> None:
        text = TUTORIAL.replace("#send errors", "#transmit errors")
        template = ours("ios/show_crypto_ipsec_sa.textfsm")
        put(
            "ios/show_crypto_ipsec_sa.textfsm", template.replace("#send errors", "#transmit errors")
        )
        registry = Registry.with_templates(folder)

        assert text != TUTORIAL
        assert parse("ios", SHOW_IPSEC_SA, text).unparsed_lines
        assert registry.parse("ios", SHOW_IPSEC_SA, text) == parse("ios", SHOW_IPSEC_SA, TUTORIAL)

    def test_every_spelling_of_the_command_is_read_by_it_on_its_platform_only(
        self, folder: Path, put: Put
    ) -> None:
        template = ours("ios/show_crypto_ipsec_sa.textfsm").replace("#send errors", "#x errors")
        put("ios/show_crypto_ipsec_sa.textfsm", template)
        registry = Registry.with_templates(folder)
        text = TUTORIAL.replace("#send errors", "#x errors")

        for command in (
            SHOW_IPSEC_SA,
            "show crypto ipsec sa detail",
            "sh cry ips sa peer 192.0.2.1",
        ):
            assert registry.parse("ios", command, text).unparsed_lines == ()
        assert registry.parse("iosxe", SHOW_IPSEC_SA, text).unparsed_lines
        assert parse("ios", SHOW_IPSEC_SA, text).unparsed_lines

    def test_a_cut_output_is_refused_as_before(self, folder: Path, put: Put) -> None:
        put("ios/show_crypto_ipsec_sa.textfsm", ours("ios/show_crypto_ipsec_sa.textfsm"))
        registry = Registry.with_templates(folder)

        with pytest.raises(Truncated):
            registry.parse("ios", SHOW_IPSEC_SA, TUTORIAL[: TUTORIAL.index("outbound esp sas")])

    @pytest.mark.parametrize(
        ("in_template", "in_output", "said"),
        [
            (
                ("PEER_PORT (\\d+)", "PEER_PORT (\\d+:\\d+)"),
                ("port 500", "port 5:00"),
                "line 8 of 'show crypto ipsec sa' cannot be read: 'current_peer 123.1.1.2 port 5:00', expected a number",
            ),
            (
                ("(esp|ah|pcp)", "(ESP|ah|pcp)"),
                ("bound esp sas", "bound ESP sas"),
                "line 5 of 'show crypto ipsec sa' cannot be read: 'protected vrf: (none)', expected values that a record can hold; templates/ios/show_crypto_ipsec_sa.textfsm gave another one ('ESP' is not a valid Protocol)",
            ),
        ],
    )
    def test_a_value_that_a_record_cannot_hold_is_a_parse_error(
        self,
        folder: Path,
        put: Put,
        in_template: tuple[str, str],
        in_output: tuple[str, str],
        said: str,
    ) -> None:
        template = ours("ios/show_crypto_ipsec_sa.textfsm")
        put("ios/show_crypto_ipsec_sa.textfsm", template.replace(*in_template))
        registry = Registry.with_templates(folder)

        with pytest.raises(ParseError) as caught:
            registry.parse("ios", SHOW_IPSEC_SA, TUTORIAL.replace(*in_output))
        assert str(caught.value) == said

    def test_a_field_that_is_not_needed_may_be_left_out(self, folder: Path, put: Put) -> None:
        template = ours("ios/show_crypto_isakmp_sa.textfsm")
        without = template.replace("Value PROFILE ([^\\s(]\\S*)\n", "").replace(
            "(\\s+${PROFILE})?", ""
        )
        put("ios/show_crypto_isakmp_sa.textfsm", without)

        assert "PROFILE" in template
        assert "PROFILE" not in without
        Registry.with_templates(folder)

    def test_a_name_of_ours_stands_for_all_commands_that_ours_reads(
        self, folder: Path, put: Put
    ) -> None:
        put("iosxe/show_crypto_ike_sa.textfsm", ours("all/show_crypto_ike_sa.textfsm"))
        (template,) = Registry.with_templates(folder).user_templates

        assert template.is_override
        assert [" ".join(c.split()[:4]) for c in template.commands] == [
            "show crypto ikev2 sa",
            "show crypto ikev2 session",
        ]

    def test_a_configuration_is_read_by_a_ttp_template(self, folder: Path, put: Put) -> None:
        template = ours("ios/show_running-config.ttp").replace(" encr {{", " cipher {{")
        put("ios/show_running-config.ttp", template)
        registry = Registry.with_templates(folder)
        command = "show running-config | section crypto"
        text = "crypto isakmp policy 10\n encr aes 256\n group 14\nend\n"

        known = parse("ios", command, text)
        assert registry.parse("ios", command, text.replace("encr", "cipher")) == known
        assert known.records
        assert parse("ios", command, text.replace("encr", "cipher")).unparsed_lines

    @pytest.mark.parametrize(
        "name", sorted(str(file.relative_to(OURS)) for file in OURS.glob("*/*.*"))
    )
    def test_each_of_ours_has_the_form_we_ask_for(self, name: str) -> None:
        template = built_in_template(name)

        assert mistakes_in(template, template) == []
        assert mistakes_in(template, None) == []

    def test_what_a_builder_needs_is_said_in_the_template(self) -> None:
        """A field without which some output of ours cannot be read stands behind "# Needed:"."""
        for file in sorted(OUTPUTS.glob("*/*/*/output.txt")):
            platform, folder, _ = file.relative_to(OUTPUTS).parts[:3]
            named = file.with_name("command.txt")
            command = named.read_text().strip() if named.exists() else folder.replace("_", " ")
            known, reading = BUILT_IN.lookup(platform, command)
            if not str(reading.template).endswith(".textfsm"):
                continue
            text = clean(file.read_text("utf-8"), command)
            for prepare in reading.prepare:
                text = replace(text, text=prepare(text.text))

            def table(without: str = "") -> Table:
                made = run_template(reading.template, command, text, False)  # noqa: B023 # called here
                made.columns.pop(without, None)
                return made

            try:
                reading.build(table(), known)
            except ParserError:
                continue
            needed = set(
                " ".join(
                    re.findall(r"^# Needed:(.*)$", ours(str(reading.template)), re.MULTILINE)
                ).split()
            )
            assert needed <= table().columns.keys(), reading.template
            for name in table().columns.keys() - needed:
                try:
                    reading.build(table(name), known)
                except ParserError as error:
                    pytest.fail(
                        f"{reading.template}: '# Needed:' lacks {name}, without which: {error}"
                    )


class TestCommandsAdded:
    def test_the_example_reads_a_table_into_rows(self) -> None:
        registry = Registry.with_templates(REPOSITORY / "deploy" / "templates")
        result = registry.parse("ios", ENGINE, ENGINE_OUTPUT)

        assert result.unparsed_lines == ()
        assert result.document()["records"] == [
            {
                "kind": "CustomRow",
                "command": ENGINE,
                "group": None,
                "values": {
                    "ID": number,
                    "TYPE": kind,
                    "ALGORITHM": algorithm,
                    "ENCRYPTED": "0",
                    "DECRYPTED": decrypted,
                    "LAST_SEQUENCE": last,
                    "ADDRESS": "192.0.2.1",
                },
            }
            for number, kind, algorithm, decrypted, last in (
                ("1001", "IKE", "SHA+AES256", "0", "0"),
                ("2001", "IPsec", "AES256+SHA", "4", None),
            )
        ]
        assert ENGINE in registry.known_commands(Platform.IOS)
        assert ENGINE not in registry.known_commands(Platform.IOSXE)
        assert ENGINE not in known_commands(Platform.IOS)
        with pytest.raises(UnknownCommand):
            parse("ios", ENGINE, ENGINE_OUTPUT)

    def test_a_ttp_template_gives_sections_with_sections_below(
        self, folder: Path, put: Put
    ) -> None:
        put(
            "ios/show_bgp_config.ttp",
            '<group name="processes*">\nrouter bgp {{ number | _exact_ }}\n bgp router-id {{ router_id }}\n'
            '<group name="neighbors*">\n neighbor {{ address }} remote-as {{ remote_as }}\n</group>\n</group>\n'
            '<group name="routes*">\nip route {{ prefix }} {{ mask }} {{ next_hop }}\n</group>\n',
        )
        text = (
            "ip route 10.0.0.0 255.0.0.0 192.0.2.1\nrouter bgp 64500\n bgp router-id 192.0.2.9\n"
            " neighbor 192.0.2.1 remote-as 64501\n neighbor 192.0.2.2 remote-as 64502\n timers 1 2\n"
        )
        result = Registry.with_templates(folder).parse("ios", "show bgp config", text)

        assert [
            (row.group, row.values) for row in result.records if isinstance(row, CustomRow)
        ] == [
            ("routes", {"prefix": "10.0.0.0", "mask": "255.0.0.0", "next_hop": "192.0.2.1"}),
            (
                "processes",
                {
                    "number": "64500",
                    "router_id": "192.0.2.9",
                    "neighbors": (
                        {"address": "192.0.2.1", "remote_as": "64501"},
                        {"address": "192.0.2.2", "remote_as": "64502"},
                    ),
                },
            ),
        ]
        assert [(line.line_no, line.text) for line in result.unparsed_lines] == [(6, " timers 1 2")]

    def test_a_word_in_angle_brackets_is_any_word_and_abbreviations_are_known(
        self, folder: Path, put: Put
    ) -> None:
        put("asa/show_counts_of_<name>.textfsm", COUNTS)
        put("asa/show_all_|_include_x.textfsm", COUNTS)
        registry = Registry.with_templates(folder)

        for typed, command in (
            ("show counts of inside", "show counts of inside"),
            ("sh cou of DMZ_2", "show counts of DMZ_2"),
            ("show all | include x", "show all | include x"),
        ):
            (row,) = registry.parse("asa", typed, "a 1\n").records
            assert isinstance(row, CustomRow)
            assert (row.command, row.values) == (command, {"NAME": "a", "COUNT": "1"})
        with pytest.raises(UnknownCommand):
            registry.parse("asa", "show counts of", "a 1\n")

    def test_an_added_command_never_reads_one_of_ours(self, folder: Path, put: Put) -> None:
        put("ios/show_crypto_<what>.textfsm", COUNTS)
        registry = Registry.with_templates(folder)
        text = "Interfaces using crypto map X:\n"

        assert registry.parse("ios", "show crypto map", text, complete=True) == parse(
            "ios", "show crypto map", text, complete=True
        )

    def test_cleaning_refusals_and_the_account_of_lines_are_as_with_ours(
        self, folder: Path, put: Put
    ) -> None:
        put("ios/show_counts.textfsm", COUNTS)
        registry = Registry.with_templates(folder)
        result = registry.parse(
            "ios", "show counts", "R1#show counts\r\na\u00a01\r\nwhat is this\r\nb 2\r\nR1#"
        )

        assert [(line.line_no, line.text) for line in result.unparsed_lines] == [
            (3, "what is this")
        ]
        assert len(result.records) == 2
        with pytest.raises(CommandRefused):
            registry.parse("ios", "show counts", "   ^\n% Invalid input detected at '^' marker.\n")
        with pytest.raises(ParseError, match="is it another command's"):
            registry.parse("ios", "show counts", "Lorem ipsum\n")
        with pytest.raises(Truncated, match="before its first line"):
            registry.parse("ios", "show counts", "")

    def test_a_text_that_stops_inside_a_line_is_cut(self, folder: Path, put: Put) -> None:
        put("ios/show_counts.textfsm", COUNTS)
        registry = Registry.with_templates(folder)

        with pytest.raises(Truncated) as caught:
            registry.parse("ios", "show counts", "a 870\nb 87")
        assert str(caught.value) == (
            "the output of 'show counts' is cut off after line 2 ('b 87'): expected the end of this line, or the "
            "prompt behind it; 2 rows read so far; collect it again"
        )
        assert len(registry.parse("ios", "show counts", "a 870\nb 87", complete=True).records) == 2

    def test_no_row_at_all_is_an_answer(self, folder: Path, put: Put) -> None:
        put("ios/show_counts.textfsm", COUNTS + "  ^none\n")

        registry = Registry.with_templates(folder)

        assert registry.parse("ios", "show counts", "none\n").records == ()

    def test_a_word_that_varies_may_be_ignored_in_a_ttp_template(
        self, folder: Path, put: Put
    ) -> None:
        put("ios/show_clock_lines.ttp", '<group name="a*">\nat {{ ignore }} {{ name }}\n</group>\n')
        result = Registry.with_templates(folder).parse(
            "ios", "show clock lines", "at 10:11:12 Site1\nat noon Site2\n"
        )

        assert [r.values for r in result.records if isinstance(r, CustomRow)] == [
            {"name": "Site1"},
            {"name": "Site2"},
        ]
        assert result.unparsed_lines == ()

    def test_the_last_line_end_begins_no_line(self, folder: Path, put: Put) -> None:
        put("ios/show_lines.textfsm", "Value LINE (.*)\n\nStart\n  ^${LINE}$$ -> Record\n")
        result = Registry.with_templates(folder).parse("ios", "show lines", "a\n\nb\n")

        assert [r.values for r in result.records if isinstance(r, CustomRow)] == [
            {"LINE": "a"},
            {"LINE": None},
            {"LINE": "b"},
        ]

    def test_a_rule_that_says_error_is_a_parse_error_at_its_line(
        self, folder: Path, put: Put
    ) -> None:
        put("ios/show_counts.textfsm", COUNTS + "  ^. -> Error\n")
        registry = Registry.with_templates(folder)

        with pytest.raises(ParseError) as caught:
            registry.parse("ios", "show counts", "a 1\n\nwhat is this\n")
        assert str(caught.value) == (
            "line 3 of 'show counts' cannot be read: 'what is this', expected a line that "
            "templates/ios/show_counts.textfsm does not refuse (the rule on its line 6 says Error)"
        )

    def test_blank_lines_lists_and_the_end_state_mean_what_they_mean_in_textfsm(
        self, folder: Path, put: Put
    ) -> None:
        put(
            "ios/show_groups.textfsm",
            "Value Required GROUP (\\w+)\nValue List MEMBERS (\\w+)\n\nStart\n  ^group ${GROUP}\n"
            "  ^ ${MEMBERS}\n  ^\\s*$$ -> Record\n  ^end -> End\n",
        )
        registry = Registry.with_templates(folder)
        result = registry.parse(
            "ios", "show groups", "group A\n x\n y\n\ngroup B\n\n z\n\nend\n group C\nrest\n"
        )

        assert [row.values for row in result.records if isinstance(row, CustomRow)] == [
            {"GROUP": "A", "MEMBERS": ("x", "y")},
            {"GROUP": "B", "MEMBERS": ()},
        ]
        # z was understood but belongs to nothing, what follows the end to nobody
        assert [line.line_no for line in result.unparsed_lines] == [7, 10, 11]

    @pytest.mark.parametrize(
        "line",
        [
            "pre-shared-key PLANTED",
            "crypto isakmp key PLANTED address 192.0.2.1",
            "Preshared Key: PLANTED",
            "key=PLANTED",
            "passwd PLANTED encrypted",
            "wpa-psk ascii 0 PLANTED",
            "area-password PLANTED",
            "standby 1 authentication PLANTED",
            "client 192.0.2.1 server-key 7 PLANTED",
            "Community name: PLANTED",
        ],
    )
    def test_no_key_passes(self, folder: Path, put: Put, line: str) -> None:
        put("ios/show_everything.textfsm", "Value ALL (.*)\n\nStart\n  ^A:${ALL} -> Record\n")
        put("ios/show_more.ttp", '<group name="all*">\nB: {{ all | re(".+") }}\n</group>\n')
        put("ios/show_nothing.textfsm", "Value X (x)\n\nStart\n  ^. -> Error\n")
        registry = Registry.with_templates(folder)

        for command in ("show everything", "show more"):
            result = registry.parse("ios", command, f"A: {line}\nB: {line}\n", complete=True)
            assert result.records
            assert result.unparsed_lines
            assert "PLANTED" not in str(result.document())
            assert "***" in str(result.records)
            assert "***" in str(result.unparsed_lines)
        with pytest.raises(ParseError) as caught:
            registry.parse("ios", "show nothing", f"{line}\n")
        assert "PLANTED" not in f"{caught.value} {caught.value.report()}"

    def test_a_table_of_keys_is_hidden_whatever_the_command_is_called(
        self, folder: Path, put: Put
    ) -> None:
        put(
            "ios/show_crypto_isakmp_key_all.textfsm",
            "Value ALL (.+)\n\nStart\n  ^${ALL} -> Record\n",
        )
        text = (
            "Keyring      Hostname/Address                            Preshared Key\n\n"
            "default      192.0.2.1                                   PLANTED\n"
        )
        result = Registry.with_templates(folder).parse("ios", "show crypto isakmp key all", text)

        assert len(result.records) == 2
        assert "PLANTED" not in str(result.document())

    def test_figures_about_keys_are_no_keys(self, folder: Path, put: Put) -> None:
        put("ios/show_all.textfsm", "Value ALL (.+)\n\nStart\n  ^${ALL} -> Record\n")
        lines = ["sa timing: remaining key lifetime (k/sec): (4607999/3585)", "Key size: 256 bits"]
        result = Registry.with_templates(folder).parse("ios", "show all", "\n".join([*lines, ""]))

        assert [r.values for r in result.records if isinstance(r, CustomRow)] == [
            {"ALL": line} for line in lines
        ]


class TestFolder:
    def test_what_is_no_template_is_left_alone(self, folder: Path, put: Put) -> None:
        put("README.md", "")
        put("ios/README", "")
        put("ios/show_crypto_ipsec_sa.textfsm~", "broken")
        put("ios/.show_crypto_ipsec_sa.textfsm.swp", "broken")
        put("ios/#show_crypto_ipsec_sa.textfsm#", "broken")
        put("ios/.hidden.textfsm", "broken")
        put("ios/show_crypto_ipsec_sa.textfsm.bak", "broken")
        put("ios/show_crypto_ipsec_sa.txt", "an output")
        put("ios/old/show_crypto_ipsec_sa.textfsm", "broken")
        put(".git/show.textfsm", "broken")
        put("outputs/ios.txt", "")
        registry = Registry.with_templates(folder)

        assert registry.user_templates == ()
        assert registry.folder == folder

    def test_an_empty_folder_changes_nothing(self, folder: Path) -> None:
        registry = Registry.with_templates(folder)

        assert registry.user_templates == ()
        for platform in Platform:
            assert registry.known_commands(platform) == known_commands(platform)

    def test_no_folder(self, folder: Path) -> None:
        assert refused(folder / "more") == [
            "templates/more: found no such folder, accepted: the path of a folder with templates"
        ]

    def test_a_file_in_its_place(self, folder: Path, put: Put) -> None:
        put("file", "")

        assert refused(folder / "file") == [
            "templates/file: found a file, accepted: the path of a folder with templates"
        ]

    @pytest.mark.skipif(os.geteuid() == 0, reason="root can read every file")
    def test_what_may_not_be_read(self, folder: Path, put: Put) -> None:
        put("ios/show_counts.textfsm", COUNTS)
        (folder / "ios" / "show_counts.textfsm").chmod(0)
        put("asa/show_counts.textfsm", COUNTS)
        (folder / "asa").chmod(0)
        try:
            found = refused(folder)
        finally:
            (folder / "asa").chmod(0o700)

        assert found == [
            "templates/asa: found a folder that cannot be read (Permission denied), accepted: a readable folder",
            "templates/ios/show_counts.textfsm: found a file that cannot be read (Permission denied), accepted: a readable file",
        ]

    def test_a_broken_link(self, folder: Path) -> None:
        (folder / "ios").mkdir()
        (folder / "ios" / "show_counts.textfsm").symlink_to("nowhere")

        assert refused(folder) == [
            "templates/ios/show_counts.textfsm: found a file that cannot be read (No such file or directory), accepted: a readable file"
        ]

    def test_a_link_makes_one_folder_serve_two_platforms(self, folder: Path, put: Put) -> None:
        put("ios/show_counts.textfsm", COUNTS)
        (folder / "iosxe").symlink_to("ios")
        registry = Registry.with_templates(folder)

        assert registry.parse("ios", "show counts", "a 1\n").records == (
            registry.parse("iosxe", "show counts", "a 1\n").records
        )

    def test_what_changes_in_the_folder_later_changes_nothing(self, folder: Path, put: Put) -> None:
        put("ios/show_counts.textfsm", COUNTS)
        put("ios/show_more.ttp", '<group name="all*">\nB: {{ all }}\n</group>\n')
        registry = Registry.with_templates(folder)
        put("ios/show_counts.textfsm", "broken")
        put("ios/show_more.ttp", "broken")

        assert len(registry.parse("ios", "show counts", "a 1\n").records) == 1
        assert len(registry.parse("ios", "show more", "B: 1\n").records) == 1
        assert len(refused(folder)) == 2

    def test_windows_line_ends_and_a_byte_order_mark_are_read(self, folder: Path) -> None:
        (folder / "ios").mkdir()
        data = "\ufeff" + COUNTS.replace("\n", "\r\n")
        (folder / "ios" / "show_counts.textfsm").write_bytes(data.encode())

        assert len(Registry.with_templates(folder).user_templates) == 1

    def test_a_registry_is_shared_and_not_copied(self, folder: Path) -> None:
        registry = Registry.with_templates(folder)

        assert copy.deepcopy(registry) is registry
        assert copy.copy(registry) is registry
        assert repr(registry) == "Registry('templates')"

    def test_all_mistakes_of_all_files_come_at_once(self, folder: Path, put: Put) -> None:
        put("ios/show_crypto_isakmp_sa_count.textfsm", "Value ACTIVES (\\d+)\n\nStart\n  ^x\n")
        put("ios/show_counts.textfsm", COUNTS.replace("${COUNT}", "${COUNTS}"))
        put("show_counts.textfsm", COUNTS)
        put("junos/show_counts.textfsm", COUNTS)

        assert refused(folder) == [
            "templates/ios/show_counts.textfsm:5: COUNTS: found no Value line of this name (did you mean 'COUNT'?), accepted: NAME, COUNT",
            "templates/ios/show_crypto_isakmp_sa_count.textfsm:1: ACTIVES: found an unknown field (did you mean 'ACTIVE'?), accepted: ACTIVE, STANDBY, NEGOTIATING, DEAD",
            "templates/ios/show_crypto_isakmp_sa_count.textfsm:1: DEAD: found no such field, and it is needed, accepted: a line such as 'Value DEAD (\\d+)'",
            "templates/ios/show_crypto_isakmp_sa_count.textfsm:1: NEGOTIATING: found no such field, and it is needed, accepted: a line such as 'Value NEGOTIATING (\\d+)'",
            "templates/ios/show_crypto_isakmp_sa_count.textfsm:1: STANDBY: found no such field, and it is needed, accepted: a line such as 'Value STANDBY (\\d+)'",
            "templates/junos: found templates in a folder that is no platform, accepted: ios, iosxe, asa",
            "templates/show_counts.textfsm: found a template outside of a platform's folder, accepted: a template in the folder of its platform: ios, iosxe, asa",
        ]

    def test_a_mistake_has_its_parts_as_fields(self, folder: Path, put: Put) -> None:
        put("ios/show_counts.textfsm", COUNTS.replace("(\\d+)", "(\\d+"))
        with pytest.raises(TemplatesRefused) as caught:
            Registry.with_templates(folder)

        assert caught.value.mistakes == (
            TemplateMistake(
                file="templates/ios/show_counts.textfsm",
                line=2,
                field="COUNT",
                found="an expression that is not in brackets",
                accepted="'Value NAME (expression)', one pair of brackets around the whole",
            ),
        )

    def test_a_likely_slip_is_pointed_out(self, folder: Path, put: Put) -> None:
        put("ios/show_crypto_ipsec_sas.textfsm", COUNTS)
        put("ios/show_ip_route.textfsm", COUNTS)

        assert [one.near for one in Registry.with_templates(folder).user_templates] == [
            "show_crypto_ipsec_sa.textfsm",
            None,
        ]
