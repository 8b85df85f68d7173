"""What holds for a device once its groups and the defaults are resolved, and what is refused on the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipsecmon.config import (
    Config,
    ConfigError,
    Limits,
    PollTier,
    Settings,
    SshProfile,
    Timing,
    Transport,
    load_config,
)
from ipsecmon_parsers.records import Platform

CREDENTIALS = "credentials: {lab: {username: monitor, password: {env: LAB}}}\n"
SITE1 = "{name: Site1, host: 192.0.2.1, platform: ios, credentials: lab"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, so that messages name the file as ipsecmon.yml."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def load(text: str) -> Config:
    Path("ipsecmon.yml").write_text(CREDENTIALS + text, encoding="utf-8")
    return load_config(Path("ipsecmon.yml"))


def settings(text: str) -> Settings:
    config = load(text)
    return config.settings(config.devices[0])


def with_site1(words: str, other: str = "") -> str:
    return f"{other}devices:\n  - {SITE1}{', ' if words else ''}{words}}}\n"


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(text)
    return [str(mistake).removeprefix("ipsecmon.yml:") for mistake in caught.value.mistakes]


def test_without_a_word_the_defaults_hold() -> None:
    assert settings(with_site1("")) == Settings(
        timing=Timing(60, 60, 30, 10, 180), transport=Transport.NAPALM, credentials="lab"
    )


def test_without_a_word_the_limits_are_the_defaults() -> None:
    assert load(with_site1("")).limits == Limits()


def test_the_limits_come_from_poll_and_ssh() -> None:
    limits = load(
        with_site1(
            "",
            "poll: {workers: 5, login_workers: 6, commands_in_flight: 7, backoff_longest: 8m}\n"
            "ssh: {logins_per_second: 0.5, rejections: 9, rest: 1h}\n",
        )
    ).limits

    assert limits == Limits(
        workers=5,
        login_workers=6,
        commands_in_flight=7,
        backoff_longest=480,
        logins_per_second=0.5,
        rejections=9,
        rest_seconds=3600,
    )


def test_a_device_comes_before_its_groups_and_those_before_defaults_and_poll() -> None:
    config = load("""\
poll: {interval: 60s, timeout: 50s, connect_timeout: 4s}
ssh: {profile: compat, max_session_age: 1h}
defaults: {platform: iosxe, credentials: lab, port: 2222, cpu_limit: 90}
groups:
  one: {groups: [deep], interval: 40s, read_timeout: 7s}
  two: {platform: ios, interval: 30s, read_timeout: 8s, ssh_profile: legacy}
  deep: {read_timeout: 9s, connect_timeout: 3s, persistent: false}
devices:
  - {name: Site1, host: 192.0.2.1, groups: [one, two], interval: 20s, cpu_limit: off}
""")
    device = config.devices[0]
    resolved = config.settings(device)

    assert (device.port, device.platform, device.credentials) == (2222, Platform.IOS, "lab")
    assert resolved.timing == Timing(20, 20, 7, 3, 60)
    assert resolved.profile == SshProfile.LEGACY
    assert not resolved.persistent
    assert resolved.max_session_age == 3600
    assert resolved.plan.cpu_limit_percent is None


def test_a_group_inside_the_first_one_comes_before_the_second() -> None:
    text = "groups:\n  one: {groups: [deep]}\n  two: {interval: 30s}\n  deep: {interval: 40s}\n"

    assert settings(with_site1("groups: [one, two]", text)).timing.interval == 40


class TestPlan:
    def test_the_tables_are_read_at_the_interval(self) -> None:
        every = settings(with_site1("interval: 20s")).plan.every

        assert every == {PollTier.TABLES: 20, PollTier.CONFIGURATION: 3600}

    def test_a_plan_is_put_together_key_by_key(self) -> None:
        text = (
            "poll: {plan: {counts: 30s, configuration: 2h}}\ngroups: {hub: {plan: {tables: 5m}}}\n"
        )
        every = settings(with_site1("groups: [hub], plan: {counts: off}", text)).plan.every

        assert every == {PollTier.TABLES: 300, PollTier.CONFIGURATION: 7200}

    def test_data_that_is_read_rarely_is_not_stale_at_once(self) -> None:
        assert settings(with_site1("plan: {tables: 5m}")).timing.stale_after == 900

    def test_the_cpu_limit_is_a_percentage(self) -> None:
        assert settings(with_site1("cpu_limit: 80%")).plan.cpu_limit_percent == 80


class TestTransport:
    @pytest.mark.parametrize("profile", ["compat", "legacy"])
    def test_an_old_device_is_reached_by_asyncssh(self, profile: str) -> None:
        assert settings(with_site1(f"ssh_profile: {profile}")).transport == Transport.ASYNCSSH

    def test_a_written_transport_holds_for_a_legacy_device(self) -> None:
        text = with_site1("ssh_profile: legacy, transport: napalm")

        assert settings(text).transport == Transport.NAPALM

    @pytest.mark.parametrize(("size", "transport"), [(2, Transport.ASYNCSSH), (3, "napalm")])
    def test_a_large_fleet_is_reached_by_asyncssh(self, size: int, transport: str) -> None:
        text = with_site1("", f"ssh: {{fleet_size: {size}}}\n")

        assert settings(text + "  - " + SITE1.replace("Site1", "Site2") + "}\n").transport == (
            transport
        )


class TestJumps:
    HOSTS = """\
jump_hosts:
  outer: {host: 198.51.100.1, credentials: lab}
  inner: {host: 198.51.100.2, credentials: lab, via: outer}
"""

    def test_a_chain_begins_with_the_first_hop(self) -> None:
        assert settings(with_site1("jump: inner", self.HOSTS)).jumps == ("outer", "inner")

    def test_none_switches_an_inherited_one_off(self) -> None:
        text = self.HOSTS + "ssh: {jump: inner}\n"

        assert settings(with_site1("", text)).jumps == ("outer", "inner")
        assert settings(with_site1("jump: none", text)).jumps == ()


ACCEPTED_TRANSPORT = "accepted: napalm, asyncssh, auto"
ALL_OFF = "plan: {counts: off, tables: off, configuration: off}"
NOTHING = (
    "found every kind of command off, accepted: a duration for counts, tables or configuration"
)
MISTAKES = [
    (with_site1(ALL_OFF), [f"3:69: devices[0].plan: {NOTHING}"]),
    (with_site1("", f"poll: {{{ALL_OFF}}}\n"), [f"2:8: poll.plan: {NOTHING}"]),
    (
        with_site1(
            "groups: [a]",
            "poll: {plan: {tables: off}}\ngroups: {a: {plan: {configuration: off}}}\n",
        ),
        [f"3:14: devices[0].plan: {NOTHING}"],
    ),
    (
        with_site1("transport: telnet"),
        [f"3:69: devices[0].transport: found 'telnet', {ACCEPTED_TRANSPORT}"],
    ),
    (
        with_site1("groups: [hubs]", "groups: {hub: {interval: 30s}}\n"),
        [
            "4:78: devices[0].groups[0]: found 'hubs' (did you mean 'hub'?), accepted: a name under 'groups': hub",
        ],
    ),
    (
        with_site1("groups: [a]", "groups:\n  a: {groups: [b]}\n  b: {groups: [a]}\n"),
        [
            "3:7: groups.a.groups: found a circle that leads back to 'a', accepted: groups without a circle",
            "4:7: groups.b.groups: found a circle that leads back to 'b', accepted: groups without a circle",
        ],
    ),
    (
        with_site1("groups: [a]", "groups: {a: {transport: telnet, platform: junos}}\n"),
        [
            f"2:14: groups.a.transport: found 'telnet', {ACCEPTED_TRANSPORT}",
            "2:33: groups.a.platform: found 'junos', accepted: ios, iosxe, asa",
        ],
    ),
    (
        "devices:\n  - {name: Site1, host: 192.0.2.1}\n",
        [
            "3:5: devices[0].credentials: found no such key here, in its groups or under 'defaults', accepted: a name under 'credentials'",
            "3:5: devices[0].platform: found no such key here, in its groups or under 'defaults', accepted: ios, iosxe, asa",
        ],
    ),
    (
        "defaults: {platform: ios, credentials: lap}\ndevices:\n  - {name: Site1, host: 192.0.2.1}\n",
        [
            "2:27: defaults.credentials: found 'lap' (did you mean 'lab'?), accepted: a name under 'credentials': lab",
        ],
    ),
    (
        with_site1("jump: there"),
        ["3:69: devices[0].jump: found 'there', accepted: a name under 'jump_hosts', or none"],
    ),
    (
        with_site1(
            "jump: a",
            "jump_hosts:\n  a: {host: 198.51.100.1, credentials: lab, via: b}\n"
            "  b: {host: 198.51.100.2, credentials: lab, via: a}\n",
        ),
        [
            "3:45: jump_hosts.a.via: found a circle that leads back to 'a', accepted: jump hosts without a circle",
            "4:45: jump_hosts.b.via: found a circle that leads back to 'b', accepted: jump hosts without a circle",
        ],
    ),
    (
        with_site1("", "jump_hosts: {none: {host: 198.51.100.1, credentials: lab}}\n"),
        ["2:14: jump_hosts.none: found the name none, accepted: another name for a jump host"],
    ),
    (
        with_site1("interval: 30s, timeout: 40s"),
        ["3:84: devices[0].timeout: found '40s', accepted: at most 'interval' (30s)"],
    ),
    (
        with_site1("groups: [slow]", "poll: {stale_after: 5m}\ngroups: {slow: {interval: 10m}}\n"),
        ["3:17: devices[0].interval: found '10m', accepted: less than 'poll.stale_after' (5m)"],
    ),
    (
        with_site1("stale_after: 50s"),
        ["3:69: devices[0].stale_after: found '50s', accepted: more than 'poll.interval' (1m)"],
    ),
    (
        with_site1("cpu_limit: 120%"),
        [
            "3:69: devices[0].cpu_limit: found '120%', accepted: a percentage from 1 to 100, such as 80%, or off"
        ],
    ),
    (
        with_site1("", "ssh: {persistent: maybe, logins_per_second: 0}\n"),
        [
            "2:7: ssh.persistent: found 'maybe', accepted: true or false",
            "2:26: ssh.logins_per_second: found '0', accepted: a number from 0.1 to 1000",
        ],
    ),
    (
        "inventory:\n  - {refresh: 1m}\n  - {file_sd: a.json, nornir: B}\n  - {file_sd: c.json, token: x}\n",
        [
            "3:5: inventory[0]: found a source of no kind, accepted: one of file, file_sd, http_sd, nornir",
            "4:5: inventory[1]: found file_sd and nornir in one source, accepted: one of file, file_sd, http_sd, nornir",
            "5:23: inventory[2].token: found 'token' beside 'file_sd', accepted: groups",
        ],
    ),
    (
        "inventory:\n  - {http_sd: 'https://monitor:planted@inventory.example.net/', token: {planted: x}}\n",
        [
            "3:6: inventory[0].http_sd: found 'https://***@inventory.example.net/', accepted: an address such as https://inventory.example.net/targets",
            "3:65: inventory[0].token: found a mapping, accepted: {env: NAME}, {file: PATH}, {systemd: NAME}, {command: [...]}, {keyring: {...}}, {vault: {...}} or the text itself, on one line",
        ],
    ),
]


@pytest.mark.parametrize(("text", "told"), MISTAKES)
def test_a_mistake_in_settings_is_named_with_its_place(text: str, told: list[str]) -> None:
    assert mistakes(text) == told
