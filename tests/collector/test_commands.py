"""The table of what a poll asks of each platform."""

from __future__ import annotations

import pytest

from ipsecmon.commands import Role, asked, with_role
from ipsecmon.config import PollTier
from ipsecmon.sessions.readonly import commands_of, ensure_read_only
from ipsecmon_parsers.records import Platform
from ipsecmon_parsers.registry import BUILT_IN

PLATFORMS = pytest.mark.parametrize("platform", Platform)


@PLATFORMS
def test_every_command_may_be_sent_and_its_answer_can_be_read(platform: Platform) -> None:
    for one in asked(platform):
        assert ensure_read_only(one.command) == one.command
        assert BUILT_IN.spelled_out(platform, one.command) == one.command


@PLATFORMS
def test_every_poll_reads_the_flows_by_one_command_and_both_versions_of_ike(
    platform: Platform,
) -> None:
    tables = asked(platform, PollTier.TABLES)
    (flows,) = with_role(platform, Role.FLOWS)

    assert flows in tables
    assert {version for one in tables for version in one.ike_versions} == {1, 2}


@PLATFORMS
def test_no_answer_is_read_for_two_things(platform: Platform) -> None:
    commands = [one.command for one in asked(platform)]

    assert len(set(commands)) == len(commands)


@PLATFORMS
def test_the_list_of_what_may_be_sent_has_each_command_at_its_tier(platform: Platform) -> None:
    permitted = {(one.text, one.tier) for one in commands_of(platform)}
    planned = {(one.command, one.tier) for one in asked(platform)}

    assert planned <= permitted
    assert {text for text, tier in permitted if tier is not None} == {
        command for command, _ in planned
    }
