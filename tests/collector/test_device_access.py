"""``deploy/device-access.md`` permits what is sent, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ipsecmon.config import PollTier
from ipsecmon.sessions.readonly import COMMANDS, SESSION_LINES, ShowCommand
from ipsecmon_parsers.records import Platform

PAGE = (Path(__file__).parents[2] / "deploy" / "device-access.md").read_text("utf-8")
HOW_OFTEN = {
    PollTier.COUNTS: "counts",
    PollTier.TABLES: "tables",
    PollTier.CONFIGURATION: "configuration",
    None: "on request",
}
OF_IOS = [one for one in COMMANDS if Platform.IOS in one.platforms]
OF_ASA = [one for one in COMMANDS if Platform.ASA in one.platforms]
ADDRESS = r"[0-9a-fA-F.:]+"
TOKEN = r"[A-Za-z0-9_./:-]+"


def block(title: str) -> list[str]:
    """The lines of the first block of configuration below a heading."""
    below = PAGE.split(f"## {title}\n", 1)[1]
    return re.split(r"```\w*\n", below)[1].splitlines()


def rows() -> list[list[str]]:
    """The cells of the table of commands, with their bars unescaped."""
    lines = [line for line in PAGE.splitlines() if line.startswith("| `show ")]
    return [[cell.strip() for cell in line.replace(r"\|", "\0").split("|")[1:-1]] for line in lines]


def without_filter(one: ShowCommand) -> str:
    return one.text.partition(" |")[0]


def words(one: ShowCommand) -> str:
    """For a view and a privilege level, which know words and not values."""
    text, place, _ = without_filter(one).partition(" {")
    return f"all {text}" if place else text


def arguments(one: ShowCommand) -> str:
    """For a TACACS+ server: a pattern of what follows ``show``."""
    text = one.text.removeprefix("show ").replace(" | ", " [|] ")
    if " [|] " in text:
        before, bar, after = text.partition(" [|] ")
        text = f"{before}({bar}{after})?"
    text = text.replace("{peer}", ADDRESS)
    text = re.sub(r"\{\w+\}", lambda _: TOKEN, text)
    return f"^{text} <cr>$"


def test_every_command_has_a_row_and_every_row_is_of_a_command() -> None:
    assert [row[0].strip("`").replace("\0", "|") for row in rows()] == [
        re.sub(r"\{(\w+)\}", lambda place: place[1].upper(), one.text) for one in COMMANDS
    ]


@pytest.mark.parametrize(("row", "one"), list(zip(rows(), COMMANDS, strict=True)))
def test_a_row_says_where_how_often_and_what_is_lost(row: list[str], one: ShowCommand) -> None:
    _, platforms, often, why, lost = row

    assert platforms == ", ".join(
        name
        for name, platform in (("IOS", Platform.IOS), ("ASA", Platform.ASA))
        if platform in one.platforms
    )
    assert often == HOW_OFTEN[one.tier]
    assert why
    assert lost == one.lost


def test_the_view_includes_each_command_of_ios_and_no_other() -> None:
    included = re.findall(
        r"^ commands exec include (.+)$", "\n".join(block("IOS: a view")), re.MULTILINE
    )

    session = [re.sub(r" \d+$", "", line) for line in SESSION_LINES[Platform.IOS][1:]]
    assert included == [*(words(one) for one in OF_IOS), *session, "exit"]


def test_the_privilege_level_has_each_command_of_ios_and_no_other() -> None:
    moved = re.findall(
        r"^privilege exec level 5 (.+)$", "\n".join(block("IOS: a privilege level")), re.MULTILINE
    )

    assert moved == [
        words(one).removeprefix("all ") for one in OF_IOS if one.text not in AT_LEVEL_1
    ]


AT_LEVEL_1 = ("show version", "show privilege", "show clock")
"""Of every user, and left there."""


def test_the_command_set_permits_each_command_and_no_other() -> None:
    permitted = re.findall(r'^    permit "(.+)"$', "\n".join(block("TACACS+")), re.MULTILINE)

    assert permitted == [
        *(arguments(one) for one in COMMANDS),
        "^length 0 <cr>$",
        "^width 511 <cr>$",
        "^pager 0 <cr>$",
    ]


@pytest.mark.parametrize("one", COMMANDS)
def test_the_pattern_of_a_command_fits_it_and_not_what_writes_a_file(one: ShowCommand) -> None:
    sent = one.text.format(peer="192.0.2.1", interface="Tunnel10", vrf="a") + " <cr>"
    pattern = arguments(one)

    assert re.search(pattern, sent.removeprefix("show "))
    for more in ("| redirect flash:x", "| tee x", "detail"):
        refused = sent.removeprefix("show ").replace("<cr>", f"{more} <cr>")
        assert not re.search(pattern, refused)


def test_an_asa_has_each_first_word_at_the_level() -> None:
    moved = re.findall(
        r"^privilege show level 5 mode exec command (.+)$", "\n".join(block("ASA")), re.MULTILINE
    )
    first = dict.fromkeys(one.text.split()[1] for one in OF_ASA)

    # the first two are of every user; running-config is the show form of what configures
    left = ("version", "curpriv", "running-config")
    assert moved == [word for word in first if word not in left]
    assert "privilege show level 5 mode configure command crypto" in block("ASA")
