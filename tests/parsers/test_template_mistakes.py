"""Each mistake that a template of the user's can hold, and the exact message it gets."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipsecmon_parsers.errors import ParserError, TemplatesRefused
from ipsecmon_parsers.registry import Registry

HEAD = "Value NAME (\\S+)\nValue COUNT (\\d+)\n\n"
COUNTS = "Value ACTIVE (\\d+)\nValue STANDBY (\\d+)\nValue NEGOTIATING (\\d+)\nValue DEAD (\\d+)\n"
GROUP = '<group name="a*">\nx {{ a }}\n</group>\n'
A = "ios/show_a.textfsm"
B = "ios/show_b.ttp"
COUNT = "ios/show_crypto_isakmp_sa_count.textfsm"
RUNNING = "ios/show_running-config.ttp"

# what it is about, the file, its text, what is said
CASES: list[tuple[str, str, str, list[str]]] = [
    (
        "empty",
        A,
        "",
        [
            "templates/ios/show_a.textfsm:1: found no Value line at its start, accepted: lines 'Value NAME (expression)' first, then a blank line, then the states",
        ],
    ),
    (
        "only comments",
        A,
        "# nothing\n",
        [
            "templates/ios/show_a.textfsm:1: found no Value line at its start, accepted: lines 'Value NAME (expression)' first, then a blank line, then the states",
        ],
    ),
    (
        "no values",
        A,
        "\nStart\n  ^x\n",
        [
            "templates/ios/show_a.textfsm:1: found no Value line at its start, accepted: lines 'Value NAME (expression)' first, then a blank line, then the states",
        ],
    ),
    (
        "a rule first",
        A,
        "Start\n  ^x\n",
        [
            "templates/ios/show_a.textfsm:1: found a line before the first Value line, accepted: lines 'Value NAME (expression)' first, then a blank line, then the states",
        ],
    ),
    (
        "a value without expression",
        A,
        "Value NAME\n\nStart\n  ^x\n",
        [
            "templates/ios/show_a.textfsm:1: NAME: found a Value line without an expression, accepted: 'Value NAME (expression)'",
        ],
    ),
    (
        "an option and no expression",
        A,
        "Value Required NAME\n\nStart\n  ^x\n",
        [
            "templates/ios/show_a.textfsm:1: NAME: found a Value line without an expression, accepted: 'Value NAME (expression)'",
        ],
    ),
    (
        "no brackets",
        A,
        "Value NAME \\d+\n\nStart\n  ^x\n",
        [
            "templates/ios/show_a.textfsm:1: NAME: found an expression that is not in brackets, accepted: 'Value NAME (expression)', one pair of brackets around the whole",
        ],
    ),
    (
        "brackets not around the whole",
        A,
        "Value NAME (a)+\n\nStart\n  ^x\n",
        [
            "templates/ios/show_a.textfsm:1: NAME: found an expression that is not in brackets, accepted: 'Value NAME (expression)', one pair of brackets around the whole",
        ],
    ),
    (
        "unknown option",
        A,
        "Value Require NAME (\\d+)\n\nStart\n  ^x\n",
        [
            "templates/ios/show_a.textfsm:1: NAME: found the unknown option 'Require', accepted: Required, Filldown, Fillup, Key, List",
        ],
    ),
    (
        "an option twice",
        A,
        "Value Key,Key NAME (\\d+)\n\nStart\n  ^x\n",
        [
            "templates/ios/show_a.textfsm:1: NAME: found the option Key twice, accepted: each option once",
        ],
    ),
    (
        "a field twice",
        A,
        "Value NAME (a)\nValue NAME (b)\n\nStart\n  ^x\n",
        [
            "templates/ios/show_a.textfsm:2: NAME: found this field a second time, accepted: each field once",
        ],
    ),
    (
        "name too long",
        A,
        "Value NNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNN (a)\n\nStart\n  ^x\n",
        [
            "templates/ios/show_a.textfsm:1: NNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNN: found a name that is too long, accepted: a name of at most 48 characters",
        ],
    ),
    (
        "bad expression of a value",
        A,
        "Value NAME (a**)\n\nStart\n  ^x\n",
        [
            "templates/ios/show_a.textfsm:1: NAME: found an expression that cannot be used (multiple repeat), accepted: a regular expression of Python",
        ],
    ),
    (
        "no blank line",
        A,
        "Value NAME (a)\nStart\n  ^x\n",
        [
            "templates/ios/show_a.textfsm:2: found a line that is no Value line, accepted: a blank line between the Value lines and the states",
        ],
    ),
    (
        "values in two blocks",
        A,
        "Value NAME (a)\n\nValue COUNT (\\d+)\n\nStart\n  ^x\n",
        [
            "templates/ios/show_a.textfsm:3: COUNT: found a Value line behind a blank line, accepted: the Value lines in one block, then a blank line, then the states",
        ],
    ),
    (
        "a state of two words",
        A,
        HEAD + "Start here\n  ^x\n",
        [
            "templates/ios/show_a.textfsm:4: found 'Start here' in the place of a state, accepted: the name of a state, such as Start, of letters, digits and _; rules begin with two blanks and ^",
        ],
    ),
    (
        "a rule that is not indented",
        A,
        HEAD + "Start\n^${NAME}\n",
        [
            "templates/ios/show_a.textfsm:5: found a line that is no rule, accepted: two blanks, then ^ and the expression; a blank line before the next state",
        ],
    ),
    (
        "a rule without ^",
        A,
        HEAD + "Start\n  ${NAME}\n",
        [
            "templates/ios/show_a.textfsm:5: found a line that is no rule, accepted: two blanks, then ^ and the expression; a blank line before the next state",
        ],
    ),
    (
        "no state Start",
        A,
        HEAD + "Begin\n  ^${NAME}\n",
        [
            "templates/ios/show_a.textfsm:4: found no state Start, accepted: a line 'Start' before the first rules",
        ],
    ),
    (
        "no states",
        A,
        "Value NAME (a)\n",
        [
            "templates/ios/show_a.textfsm:2: found no state Start, accepted: a line 'Start' before the first rules",
        ],
    ),
    (
        "a state twice",
        A,
        HEAD + "Start\n  ^x\n\nStart\n  ^y\n",
        [
            "templates/ios/show_a.textfsm:7: found the state 'Start' a second time, accepted: each state once",
        ],
    ),
    (
        "unknown field in a rule",
        A,
        HEAD + "Start\n  ^${NAMES} ${COUNT}\n",
        [
            "templates/ios/show_a.textfsm:5: NAMES: found no Value line of this name (did you mean 'NAME'?), accepted: NAME, COUNT",
        ],
    ),
    (
        "a single $",
        A,
        HEAD + "Start\n  ^${NAME} x$\n",
        [
            "templates/ios/show_a.textfsm:5: found a $ that names no field, accepted: ${NAME} with the name of a Value line, $$ for the end of the line",
        ],
    ),
    (
        "a field twice in a rule",
        A,
        HEAD + "Start\n  ^${NAME} ${NAME}\n",
        [
            "templates/ios/show_a.textfsm:5: found the field NAME twice in one rule, accepted: each field once in a rule",
        ],
    ),
    (
        "bad expression of a rule",
        A,
        HEAD + "Start\n  ^${NAME} (x\n",
        [
            "templates/ios/show_a.textfsm:5: found an expression that cannot be used (missing ), unterminated subpattern), accepted: a regular expression of Python",
        ],
    ),
    (
        "unknown action",
        A,
        HEAD + "Start\n  ^${NAME} -> Recordx.Next\n",
        [
            "templates/ios/show_a.textfsm:5: found something behind -> that is no action, accepted: Next, Continue or Error, with .Record, .Clear, .Clearall or .NoRecord, then a state",
        ],
    ),
    (
        "an action that is taken for a state",
        A,
        HEAD + "Start\n  ^${NAME} -> Recordx\n",
        [
            "templates/ios/show_a.textfsm:5: found a jump to the state 'Recordx' (did you mean 'Record'?), accepted: Start",
        ],
    ),
    (
        "an unknown state",
        A,
        HEAD + "Start\n  ^${NAME} -> Detail\n\nDetails\n  ^x -> Start\n",
        [
            "templates/ios/show_a.textfsm:5: found a jump to the state 'Detail' (did you mean 'Details'?), accepted: Start, Details",
        ],
    ),
    (
        "Continue with a state",
        A,
        HEAD + "Start\n  ^${NAME} -> Continue Start\n",
        [
            "templates/ios/show_a.textfsm:5: found Continue with a state behind it, accepted: Continue without a state, which stays on the line, or a state without Continue",
        ],
    ),
    (
        "a message without Error",
        A,
        HEAD + 'Start\n  ^${NAME} -> Next "x"\n',
        [
            "templates/ios/show_a.textfsm:5: found a message behind -> without Error, accepted: Error before a message in quotes",
        ],
    ),
    (
        "rules in End",
        A,
        HEAD + "Start\n  ^${NAME} -> End\n\nEnd\n  ^x\n",
        [
            "templates/ios/show_a.textfsm:7: found rules in the state End, accepted: none in it: there it ends",
        ],
    ),
    (
        "rules in EOF",
        A,
        HEAD + "Start\n  ^${NAME}\n\nEOF\n  ^x\n",
        [
            "templates/ios/show_a.textfsm:7: found rules in the state EOF, accepted: none in it: there it ends",
        ],
    ),
    (
        "groups in a list",
        A,
        "Value List NAME ((?P<a>\\d)(?P<b>\\d))\n\nStart\n  ^${NAME}\n",
        [
            "templates/ios/show_a.textfsm:1: NAME: found named groups inside a List, accepted: a List of texts: a Value of its own for each part",
        ],
    ),
    (
        "unknown field",
        COUNT,
        COUNTS + "Value IDLE (\\d+)\n\nStart\n  ^x\n",
        [
            "templates/ios/show_crypto_isakmp_sa_count.textfsm:5: IDLE: found an unknown field, accepted: ACTIVE, STANDBY, NEGOTIATING, DEAD",
        ],
    ),
    (
        "slip in a field",
        COUNT,
        "Value ACTIVE (\\d+)\nValue STANDBY (\\d+)\nValue NEGOTIATING (\\d+)\nValue DEADX (\\d+)\n\nStart\n  ^x\n",
        [
            "templates/ios/show_crypto_isakmp_sa_count.textfsm:4: DEADX: found an unknown field (did you mean 'DEAD'?), accepted: ACTIVE, STANDBY, NEGOTIATING, DEAD",
        ],
    ),
    (
        "small letters",
        COUNT,
        "Value ACTIVE (\\d+)\nValue STANDBY (\\d+)\nValue NEGOTIATING (\\d+)\nValue dead (\\d+)\n\nStart\n  ^x\n",
        [
            "templates/ios/show_crypto_isakmp_sa_count.textfsm:4: dead: found an unknown field (did you mean 'DEAD'?), accepted: ACTIVE, STANDBY, NEGOTIATING, DEAD",
        ],
    ),
    (
        "missing field",
        COUNT,
        "Value ACTIVE (\\d+)\nValue STANDBY (\\d+)\nValue NEGOTIATING (\\d+)\n\nStart\n  ^x\n",
        [
            "templates/ios/show_crypto_isakmp_sa_count.textfsm:3: DEAD: found no such field, and it is needed, accepted: a line such as 'Value DEAD (\\d+)'",
        ],
    ),
    (
        "list for one text",
        COUNT,
        "Value ACTIVE (\\d+)\nValue STANDBY (\\d+)\nValue NEGOTIATING (\\d+)\nValue List DEAD (\\d+)\n\nStart\n  ^x\n",
        [
            "templates/ios/show_crypto_isakmp_sa_count.textfsm:4: DEAD: found the option List, accepted: one text: what reads this field takes no list",
        ],
    ),
    (
        "other engine",
        "ios/show_crypto_isakmp_sa_count.ttp",
        GROUP,
        [
            "templates/ios/show_crypto_isakmp_sa_count.ttp: found a .ttp template, accepted: a .textfsm template, as ours for this command is",
        ],
    ),
    (
        "other engine for a configuration",
        "ios/show_running-config.textfsm",
        HEAD + "Start\n  ^x\n",
        [
            "templates/ios/show_running-config.textfsm: found a .textfsm template, accepted: a .ttp template, as ours for this command is",
        ],
    ),
    (
        "suffix",
        "ios/show_a.template",
        HEAD,
        [
            "templates/ios/show_a.template: found the suffix '.template', accepted: .textfsm or .ttp, which names the engine",
        ],
    ),
    (
        "upper suffix",
        "ios/show_a.TEXTFSM",
        HEAD,
        [
            "templates/ios/show_a.TEXTFSM: found the suffix '.TEXTFSM', accepted: .textfsm or .ttp, which names the engine",
        ],
    ),
    (
        "no show",
        "ios/sh_a.textfsm",
        HEAD,
        [
            "templates/ios/sh_a.textfsm: found a name that spells no show command, accepted: show_... with _ for each blank of the command, such as show_crypto_isakmp_sa.textfsm; <name> for any one word",
        ],
    ),
    (
        "two underscores",
        "ios/show__a.textfsm",
        HEAD,
        [
            "templates/ios/show__a.textfsm: found a name that spells no show command, accepted: show_... with _ for each blank of the command, such as show_crypto_isakmp_sa.textfsm; <name> for any one word",
        ],
    ),
    (
        "blank in the name",
        "ios/show a.textfsm",
        HEAD,
        [
            "templates/ios/show a.textfsm: found a name that spells no show command, accepted: show_... with _ for each blank of the command, such as show_crypto_isakmp_sa.textfsm; <name> for any one word",
        ],
    ),
    (
        "only show",
        "ios/show.textfsm",
        HEAD,
        [
            "templates/ios/show.textfsm: found a name that spells no show command, accepted: show_... with _ for each blank of the command, such as show_crypto_isakmp_sa.textfsm; <name> for any one word",
        ],
    ),
    (
        "optional words",
        "ios/show_a_[b].textfsm",
        HEAD,
        [
            "templates/ios/show_a_[b].textfsm: found a name that spells no show command, accepted: show_... with _ for each blank of the command, such as show_crypto_isakmp_sa.textfsm; <name> for any one word",
        ],
    ),
    (
        "platform",
        "ios-xe/show_a.textfsm",
        HEAD,
        [
            "templates/ios-xe: found templates in a folder that is no platform (did you mean 'iosxe'?), accepted: ios, iosxe, asa",
        ],
    ),
    (
        "outside",
        "show_a.textfsm",
        HEAD,
        [
            "templates/show_a.textfsm: found a template outside of a platform's folder, accepted: a template in the folder of its platform: ios, iosxe, asa",
        ],
    ),
    (
        "ttp: empty",
        B,
        "",
        [
            'templates/ios/show_b.ttp:1: found no group, accepted: at least one <group name="NAME*">',
        ],
    ),
    (
        "ttp: outside",
        B,
        "x {{ a }}\n",
        [
            "templates/ios/show_b.ttp:1: found a line outside of a group, accepted: lines inside a <group>",
        ],
    ),
    (
        "ttp: not closed",
        B,
        '<group name="a*">\nx {{ a }}\n',
        [
            "templates/ios/show_b.ttp:1: a: found a group that is not closed, accepted: a </group> for it",
        ],
    ),
    (
        "ttp: closed twice",
        B,
        '<group name="a*">\nx {{ a }}\n</group>\n</group>\n',
        [
            "templates/ios/show_b.ttp:4: found a </group> too many, accepted: one for each <group>",
        ],
    ),
    (
        "ttp: no star",
        B,
        '<group name="a">\nx {{ a }}\n</group>\n',
        [
            'templates/ios/show_b.ttp:1: found a group of another form, accepted: <group name="NAME*"> and nothing else',
        ],
    ),
    (
        "ttp: group with functions",
        B,
        '<group name="a*" contains="a">\nx {{ a }}\n</group>\n',
        [
            'templates/ios/show_b.ttp:1: found a group of another form, accepted: <group name="NAME*"> and nothing else',
        ],
    ),
    (
        "ttp: macro",
        B,
        "<macro>\nimport os\n</macro>\n" + GROUP,
        [
            'templates/ios/show_b.ttp:1: found the tag <macro>, accepted: <doc>, <vars>, <group name="NAME*"> and their ends, each on a line of its own',
        ],
    ),
    (
        "ttp: input",
        B,
        '<input load="python">\nurl = "/etc/passwd"\n</input>\n' + GROUP,
        [
            'templates/ios/show_b.ttp:1: found the tag <input>, accepted: <doc>, <vars>, <group name="NAME*"> and their ends, each on a line of its own',
        ],
    ),
    (
        "ttp: python in vars",
        B,
        "<vars>\nX = __import__('os').system('x')\n</vars>\n" + GROUP,
        [
            'templates/ios/show_b.ttp:2: found another form of variable, accepted: NAME = r"expression" on one line',
        ],
    ),
    (
        "ttp: expression in vars",
        B,
        '<vars>\nX = r"(a"\n</vars>\n' + GROUP,
        [
            "templates/ios/show_b.ttp:2: X: found an expression that cannot be used (missing ), unterminated subpattern), accepted: a regular expression of Python",
        ],
    ),
    (
        "ttp: vars not closed",
        B,
        '<vars>\nX = r"a"\n' + GROUP,
        [
            "templates/ios/show_b.ttp:1: found a <vars> that is not closed, accepted: a line </vars>",
        ],
    ),
    (
        "ttp: no variable",
        B,
        '<group name="a*">\nx {{ a }}\n y\n</group>\n',
        [
            "templates/ios/show_b.ttp:3: a: found a line without a variable, accepted: at least one {{ NAME }} in each line",
        ],
    ),
    (
        "ttp: function",
        B,
        '<group name="a*">\nx {{ a | to_int }}\n</group>\n',
        [
            "templates/ios/show_b.ttp:2: a.a: found 'to_int' behind the name, accepted: re(\"expression\"), _start_, _exact_, DIGIT, IP, IPV6, MAC, ORPHRASE, PHRASE, PREFIX, PREFIXV6, WORD",
        ],
    ),
    (
        "ttp: function with arguments",
        B,
        '<group name="a*">\nx {{ a | contains("b") }}\n</group>\n',
        [
            'templates/ios/show_b.ttp:2: a.a: found \'contains("b")\' behind the name, accepted: re("expression"), _start_, _exact_, DIGIT, IP, IPV6, MAC, ORPHRASE, PHRASE, PREFIX, PREFIXV6, WORD',
        ],
    ),
    (
        "ttp: line",
        B,
        '<group name="a*">\nx {{ a | _line_ }}\n</group>\n',
        [
            "templates/ios/show_b.ttp:2: a.a: found '_line_' behind the name, accepted: re(\"expression\"), _start_, _exact_, DIGIT, IP, IPV6, MAC, ORPHRASE, PHRASE, PREFIX, PREFIXV6, WORD",
        ],
    ),
    (
        "ttp: name",
        B,
        '<group name="a*">\nx {{ a-b }}\n</group>\n',
        [
            "templates/ios/show_b.ttp:2: a: found 'a-b' in the place of a name, accepted: a name of letters, digits and _; {{ ignore }} alone for any one word",
        ],
    ),
    (
        "ttp: expression",
        B,
        '<group name="a*">\nx {{ a | re("(b") }}\n</group>\n',
        [
            "templates/ios/show_b.ttp:2: a.a: found an expression that cannot be used (missing ), unterminated subpattern), accepted: a regular expression of Python",
        ],
    ),
    (
        "ttp: named group",
        B,
        '<group name="a*">\nx {{ a | re("(?P&lt;c&gt;b)") }}\n</group>\n',
        [
            "templates/ios/show_b.ttp:2: a.a: found a named group in an expression, accepted: (?:...) instead, or a variable of its own for each part",
        ],
    ),
    (
        "ttp: xml",
        B,
        '<group name="a*">\nx {{ a | re("(?<=b)c") }}\n</group>\n',
        [
            "templates/ios/show_b.ttp:2: a: found a < or &, accepted: &lt; for <, &amp; for &",
        ],
    ),
    (
        "ttp: open braces",
        B,
        '<group name="a*">\nx {{ a }\n</group>\n',
        [
            "templates/ios/show_b.ttp:2: a: found {{ or }} without the other, accepted: {{ NAME }}",
        ],
    ),
    (
        "ttp: twice in a line",
        B,
        '<group name="a*">\nx {{ a }} {{ a }}\n</group>\n',
        [
            "templates/ios/show_b.ttp:2: a.a: found a field twice in one line, accepted: each field once",
        ],
    ),
    (
        "ttp: group twice",
        B,
        '<group name="a*">\nx {{ a }}\n</group>\n' + GROUP,
        [
            "templates/ios/show_b.ttp:4: a: found this group a second time, accepted: each group once",
        ],
    ),
    (
        "ttp: group with the name of a variable",
        B,
        '<group name="a*">\nx {{ a }}\n<group name="a*">\n y {{ b }}\n</group>\n</group>\n',
        [
            "templates/ios/show_b.ttp:3: a.a: found a group with the name of a variable, accepted: a name that no variable of the group around it has",
        ],
    ),
    (
        "ttp: group without lines",
        B,
        '<group name="a*">\n</group>\n',
        [
            "templates/ios/show_b.ttp:1: a: found a group without lines, accepted: the line that begins it",
        ],
    ),
    (
        "ttp: group at the start of a group",
        B,
        '<group name="a*">\n<group name="b*">\n x {{ c }}\n</group>\n</group>\n',
        [
            "templates/ios/show_b.ttp:2: a: found a group at the start of another, accepted: the line that begins the group before the groups below it",
        ],
    ),
    (
        "ttp: unknown group",
        RUNNING,
        '<group name="isakmp_policy*">\ncrypto isakmp policy {{ priority }}\n</group>\n',
        [
            "templates/ios/show_running-config.ttp:1: isakmp_policy: found an unknown group (did you mean 'isakmp_policies'?), accepted: begins, ends, hostnames, versions, isakmp_policies, isakmp_keys, keyrings, ikev2_keyrings, isakmp_profiles, ikev2_proposals, ikev2_policies, ikev2_profiles, ... (20 in all)",
        ],
    ),
    (
        "ttp: unknown field",
        RUNNING,
        '<group name="isakmp_policies*">\ncrypto isakmp policy {{ priority }}\n cipher {{ encryptoin }}\n</group>\n',
        [
            "templates/ios/show_running-config.ttp:3: isakmp_policies.encryptoin: found an unknown field (did you mean 'encryption'?), accepted: priority, encryption, hash, authentication, group, lifetime",
        ],
    ),
    (
        "ttp: unknown group below",
        RUNNING,
        '<group name="keyrings*">\ncrypto keyring {{ name }}\n<group name="key*">\n pre-shared-key address {{ address }} key {{ key }}\n</group>\n</group>\n',
        [
            "templates/ios/show_running-config.ttp:3: keyrings.key: found an unknown group (did you mean 'keys'?), accepted: local_addresses, keys",
        ],
    ),
    (
        "ttp: missing field",
        RUNNING,
        '<group name="hostnames*">\nhostname {{ hostname }}\n</group>\n<group name="crypto_maps*">\ncrypto map {{ name }} {{ sequence }}\n</group>\n',
        [
            "templates/ios/show_running-config.ttp:5: crypto_maps.map: found no such field, and it is needed, accepted: {{ map }} in each line that begins the group",
        ],
    ),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where messages name the templates as a user sees them."""
    monkeypatch.chdir(tmp_path)
    return Path("templates")


@pytest.mark.parametrize(
    ("file", "text", "said"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_a_mistake_is_told_with_its_place(
    file: str, text: str, said: list[str], folder: Path
) -> None:
    (folder / file).parent.mkdir(parents=True)
    (folder / file).write_text(text, encoding="utf-8")
    with pytest.raises(TemplatesRefused) as caught:
        Registry.with_templates(folder)

    assert [str(mistake) for mistake in caught.value.mistakes] == said


def test_text_that_is_not_utf_8(folder: Path) -> None:
    (folder / "ios").mkdir(parents=True)
    (folder / A).write_bytes(b"Value NAME (a)\n# Z\xfcrich\n\nStart\n  ^${NAME}\n")
    with pytest.raises(TemplatesRefused) as caught:
        Registry.with_templates(folder)

    assert str(caught.value) == (
        "templates/ios/show_a.textfsm:2: found the byte 0xfc, accepted: text in UTF-8"
    )


def test_a_file_far_too_large(folder: Path) -> None:
    (folder / "ios").mkdir(parents=True)
    with (folder / A).open("wb") as file:
        file.truncate(2 * 1024 * 1024)
    with pytest.raises(TemplatesRefused) as caught:
        Registry.with_templates(folder)

    assert str(caught.value) == (
        "templates/ios/show_a.textfsm: found more than 1 MiB, accepted: a template of at most 1 MiB"
    )


def test_two_templates_for_one_command(folder: Path) -> None:
    (folder / "ios").mkdir(parents=True)
    for name in ("show_a.textfsm", "Show_A.textfsm", "show_a.ttp"):
        (folder / "ios" / name).write_text(
            GROUP if name.endswith("ttp") else f"{HEAD}Start\n  ^${{NAME}}\n"
        )
    with pytest.raises(TemplatesRefused) as caught:
        Registry.with_templates(folder)

    assert str(caught.value) == (
        "templates/ios/show_a.textfsm: found a second template for a command that templates/ios/Show_A.textfsm reads, "
        "accepted: one template for each command\n"
        "templates/ios/show_a.ttp: found a second template for a command that templates/ios/Show_A.textfsm reads, "
        "accepted: one template for each command"
    )


@pytest.mark.parametrize("name", ["show_crypto_ikev2_sa", "show_crypto_ikev2_sa_detail"])
def test_two_names_for_one_line_of_our_table(folder: Path, name: str) -> None:
    ours = (
        Path(__file__).parents[2]
        / "parsers/ipsecmon_parsers/templates/all/show_crypto_ike_sa.textfsm"
    )
    (folder / "ios").mkdir(parents=True)
    for one in ("show_crypto_ike_sa", name):
        (folder / "ios" / f"{one}.textfsm").write_text(ours.read_text())
    with pytest.raises(TemplatesRefused, match="a second template for a command that") as caught:
        Registry.with_templates(folder)

    assert len(caught.value.mistakes) == 1


PIECES = st.sampled_from(
    [
        *(
            "Value NAME (\\S+)",
            "Value Required,Filldown N (\\d+)",
            "Value List L (x+)",
            "Value",
            "Value A",
        ),
        *(
            "",
            "Start",
            "End",
            "EOF",
            "Other",
            "  ^${NAME}",
            "  ^${NAME} ${N} -> Record",
            "  ^${L} -> Continue",
        ),
        *(
            "  ^x -> Error",
            "  ^\\s*$$ -> Record Other",
            "  ^. -> Start",
            "  ^(",
            "  ^$",
            "# x",
            "\x00",
            "é",
        ),
        *(
            '<group name="a*">',
            '<group name="b*">',
            "</group>",
            "<doc>",
            "</doc>",
            "<vars>",
            "</vars>",
        ),
        *(
            "x {{ a }}",
            " {{ b }} {{ ignore }}",
            "{{ c | _start_ }}",
            'y {{ d | re("(") }}',
            "{{ e | re('X') }}",
        ),
        *(
            'X = r"[a-z]+"',
            "X = 1",
            "<",
            "&amp;",
            "{{",
            "}}",
            "{{ a | to_int }}",
            "## c",
            "{{ _line_ }}",
        ),
    ]
)
OUTPUT = "x 1\n y z\na b\n\nx\nNAME 12\ncrypto isakmp policy 1\n deep\n  deeper\n"


@pytest.mark.parametrize(
    "file", [A, B, "ios/show_crypto_isakmp_sa_count.textfsm", "ios/show_running-config.ttp"]
)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150
)
@given(lines=st.lists(PIECES, max_size=14))
def test_whatever_a_template_says_only_our_errors_come_out(
    file: str, lines: list[str], tmp_path: Path
) -> None:
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines), encoding="utf-8")
    try:
        registry = Registry.with_templates(tmp_path)
    except TemplatesRefused as refused:
        count = len(lines) or 1
        assert all(  # noqa: PT017 # a template may as well be accepted
            0 <= one.line <= count and one.found and one.accepted for one in refused.mistakes
        )
        return
    command = path.stem.replace("_", " ")
    with contextlib.suppress(ParserError):
        registry.parse("ios", command, OUTPUT, complete=True)
