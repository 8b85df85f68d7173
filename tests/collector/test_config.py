"""The configuration file as a whole: what a good one gives, and all mistakes of a bad one at once."""

from __future__ import annotations

import copy
import itertools
import json
import logging
import os
import pickle
import re
import traceback
import types
import typing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from factories import ident
from ipsecmon.config import (
    Config,
    ConfigError,
    Credential,
    Device,
    FromCommand,
    FromEnvironment,
    FromFile,
    FromKeyring,
    FromSystemd,
    FromVault,
    HistoryFile,
    HostKeyCheck,
    Listen,
    Mistake,
    Poll,
    PollingPlan,
    Secret,
    Ssh,
    Tier,
    Timing,
    load_config,
)
from ipsecmon.model import ConfiguredLink, ExpectedTunnel, Intent, TunnelOption
from ipsecmon_parsers.records import Ident, Platform

REPOSITORY = Path(__file__).parents[2]
EXAMPLE = REPOSITORY / "deploy" / "config.example.yml"
REFERENCE = REPOSITORY / "CONFIGURATION.md"
PLANTED = "hunter2-Pl4nted"

SITE1 = """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
"""

MANY_MISTAKES = """\
poll:
  intervals: 60s
  timeout: 90s
  read_timeout: 2x
  interval: 60s
web: {listen: 9818}
credentials:
  lab:
    username: monitor
    password: {env: LAB}
    username: admin
  other:
    usernme: monitor
devices:
  - name: Site1
    host: 92.1.1.256
    platform: ios
    credentials: labb
  - name: Site1
    host: 123.1.1.2
    platform: junos
    port: 99999
    credentials: lab
  - name: Site 3
    platform: ios
"""

MANY_MESSAGES = """\
ipsecmon.yml:2:3: poll.intervals: found an unknown key (did you mean 'interval'?), accepted: interval, timeout, read_timeout, connect_timeout, stale_after, workers, login_workers, commands_in_flight, backoff_longest, plan
ipsecmon.yml:3:3: poll.timeout: found '90s', accepted: at most 'interval' (1m)
ipsecmon.yml:4:3: poll.read_timeout: found '2x', accepted: a duration of 1s to 7d, such as 30s, 5m or 1h
ipsecmon.yml:6:7: web.listen: found '9818', accepted: host:port, "[::1]:port" in quotes, or :port for every address
ipsecmon.yml:11:5: credentials.lab.username: found this key again, first on line 9, accepted: each key once
ipsecmon.yml:12:3: credentials.other: found nothing to log in with, accepted: 'password', 'key', 'agent: true' or several of them
ipsecmon.yml:12:3: credentials.other.username: found no such key, accepted: a text on one line, or {env: NAME}, {file: PATH}, {systemd: NAME}, {command: [...]}, {keyring: {...}}, {vault: {...}}
ipsecmon.yml:13:5: credentials.other: found an unknown key (did you mean 'username'?), accepted: username, password, enable, key, passphrase, agent
ipsecmon.yml:16:5: devices[0].host: found '92.1.1.256', accepted: a host name, an IPv4 or an IPv6 address
ipsecmon.yml:18:5: devices[0].credentials: found 'labb' (did you mean 'lab'?), accepted: a name under 'credentials': lab, other
ipsecmon.yml:19:5: devices[1].name: found 'Site1' again, first on line 15, accepted: a name of its own for each device
ipsecmon.yml:21:5: devices[1].platform: found 'junos', accepted: ios, iosxe, asa
ipsecmon.yml:22:5: devices[1].port: found '99999', accepted: a port from 1 to 65535
ipsecmon.yml:24:5: devices[2].credentials: found no such key here, in its groups or under 'defaults', accepted: a name under 'credentials'
ipsecmon.yml:24:5: devices[2].host: found no such key, accepted: a host name, an IPv4 or an IPv6 address
ipsecmon.yml:24:5: devices[2].name: found 'Site 3', accepted: a name of letters, digits, '.', '_' and '-', at most 128 long
nothing was loaded: correct these 16 places, then run 'ipsecmon check-config'"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, so that messages name the file as ipsecmon.yml."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def load(text: str) -> Config:
    path = Path("ipsecmon.yml")
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return load_config(path)


def messages_of(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    return [str(mistake) for mistake in caught.value.mistakes]


class TestGoodFiles:
    @pytest.mark.usefixtures("folder")
    def test_defaults_need_only_credentials_and_devices(self) -> None:
        config = load(SITE1)

        assert Poll() == config.poll
        assert Listen("127.0.0.1", 9818) == config.web.listen
        assert config.host_keys.check == HostKeyCheck.STRICT
        assert (
            Device(name="Site1", host="92.1.1.1", platform=Platform.IOS, credentials="lab"),
        ) == config.devices
        assert {
            "lab": Credential(username="monitor", password=FromEnvironment("LAB"))
        } == config.credentials

    def test_default_durations(self) -> None:
        poll = Poll()

        assert (
            poll.interval,
            poll.timeout,
            poll.read_timeout,
            poll.connect_timeout,
            poll.stale_after,
            poll.workers,
        ) == (60, 60, 30, 10, 180, 50)

    def test_a_short_interval_shortens_the_default_deadlines(self) -> None:
        poll = Poll(interval=5)

        assert (
            poll.timeout,
            poll.read_timeout,
            poll.connect_timeout,
            poll.stale_after,
        ) == (5, 5, 5, 15)

    @pytest.mark.parametrize(
        ("text", "seconds"),
        [
            ("30s", 30),
            ("5m", 300),
            ("1h", 3600),
            ("1d", 86400),
            ("90", 90),
            ("1.5m", 90),
            ("2 m", 120),
        ],
    )
    @pytest.mark.usefixtures("folder")
    def test_durations_become_seconds(self, text: str, seconds: float) -> None:
        assert seconds == load(f"poll: {{interval: {text}, timeout: 1s}}\n{SITE1}").poll.interval

    @pytest.mark.parametrize(
        ("text", "listen"),
        [
            ("127.0.0.1:9818", Listen("127.0.0.1", 9818)),
            ("'[::1]:9818'", Listen("::1", 9818)),
            (":9818", Listen("", 9818)),
            ("localhost:0", Listen("localhost", 0)),
        ],
    )
    @pytest.mark.usefixtures("folder")
    def test_listen_addresses(self, text: str, listen: Listen) -> None:
        assert listen == load(f"web:\n  listen: {text}\n{SITE1}").web.listen
        assert text.strip("'") == str(listen)

    @pytest.mark.parametrize("host", ["rtr1.example.net", "rtr_1", "192.0.2.1", "2001:db8::1"])
    @pytest.mark.usefixtures("folder")
    def test_hosts(self, host: str) -> None:
        assert host == load(SITE1.replace("92.1.1.1", f"'{host}'")).devices[0].host

    @pytest.mark.parametrize("name", ["on", "1e3", "0x10", "2026-01-01", "010"])
    @pytest.mark.usefixtures("folder")
    def test_words_that_yaml_would_turn_into_something_else_stay_as_written(
        self, name: str
    ) -> None:
        assert name == load(SITE1.replace("Site1", name)).devices[0].name

    @pytest.mark.usefixtures("folder")
    def test_host_keys_off_is_a_word(self) -> None:
        config = load(f"host_keys:\n  check: off\n{SITE1}")

        assert config.host_keys.check == HostKeyCheck.OFF

    @pytest.mark.usefixtures("folder")
    def test_the_tier_of_the_metrics_is_a_word(self) -> None:
        assert load(SITE1).metrics.tier == Tier.STANDARD
        assert load(f"metrics: {{tier: extended}}\n{SITE1}").metrics.tier == Tier.EXTENDED

    def test_a_tier_holds_those_before_it(self) -> None:
        held = {tier: [one for one in Tier if tier.includes(one)] for tier in Tier}

        assert held == {
            Tier.MINIMAL: [Tier.MINIMAL],
            Tier.STANDARD: [Tier.MINIMAL, Tier.STANDARD],
            Tier.EXTENDED: [Tier.MINIMAL, Tier.STANDARD, Tier.EXTENDED],
        }

    def test_relative_files_start_at_the_configuration_file(self, folder: Path) -> None:
        other = folder / "etc"
        other.mkdir()
        path = other / "ipsecmon.yml"
        text = SITE1.replace("{env: LAB}", "{file: secrets/lab}")

        path.write_text(text, encoding="utf-8")
        without = load_config(path)
        path.write_text(f"host_keys: {{known_hosts: /etc/hosts}}\n{text}", encoding="utf-8")
        absolute = load_config(path)

        assert other / "known_hosts" == without.host_keys.known_hosts
        assert FromFile(other / "secrets/lab") == without.credentials["lab"].password
        assert Path("/etc/hosts") == absolute.host_keys.known_hosts

    @pytest.mark.usefixtures("folder")
    def test_merge_keys_and_aliases(self) -> None:
        config = load("""\
credentials:
  lab: &lab {username: monitor, password: {env: LAB}}
  spare: *lab
devices:
  - &one {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
  - &two {<<: *one, name: Site2, host: 123.1.1.2}
  - {name: Site3, <<: [{platform: iosxe}, *two]}
""")

        assert config.credentials["lab"] == config.credentials["spare"]
        assert [(device.name, device.host, device.platform) for device in config.devices] == [
            ("Site1", "92.1.1.1", Platform.IOS),
            ("Site2", "123.1.1.2", Platform.IOS),
            ("Site3", "123.1.1.2", Platform.IOSXE),
        ]

    @pytest.mark.usefixtures("folder")
    def test_nested_aliases_cost_no_more_than_their_text(self) -> None:
        laughs = "".join(f"    - &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 40))

        with pytest.raises(ConfigError):
            load(f"poll:\n  interval:\n    - &a0 [lol]\n{laughs}{SITE1}")

    def test_nothing_changes_after_loading(self) -> None:
        with pytest.raises(ValidationError):
            Poll().interval = 5  # pyright: ignore[reportAttributeAccessIssue]


INVENTORY = (
    SITE1
    + """\
  - {name: Site2, host: 123.1.1.2, platform: ios, credentials: lab}
  - {name: Site3, host: 192.0.2.3, platform: ios, credentials: lab}
tunnels:
  - device: Site1
    name: HQ-to-Branch
    local: 10.1.1.0/24
    remote: 10.2.2.0/24
    crypto_map: CRYPTO
    vrf: BLUE
    intent: always_on
    owner: netops
    site: Berlin
    description: headquarters to the branch
    options: [unidirectional, maintenance]
  - {device: Site2, name: to-HQ, interface: Tunnel0, peer: '2001:DB8:0::1'}
links:
  - [Site1/HQ-to-Branch, Site2/to-HQ]
  - [Site3/CRYPTO/10.3.3.0_24-10.1.1.0_24, Site1/Tunnel0/192.0.2.3]
"""
)


class TestInventory:
    @pytest.mark.usefixtures("folder")
    def test_a_tunnel_is_expected_with_all_that_is_written(self) -> None:
        config = load(INVENTORY)

        assert (
            ExpectedTunnel(
                device="Site1",
                name="HQ-to-Branch",
                local_ident=ident("10.1.1.0/24"),
                remote_ident=ident("10.2.2.0/24"),
                crypto_map="CRYPTO",
                vrf="BLUE",
                intent=Intent.ALWAYS_ON,
                owner="netops",
                site="Berlin",
                description="headquarters to the branch",
                options=frozenset({TunnelOption.UNIDIRECTIONAL, TunnelOption.MAINTENANCE}),
            ),
        ) == config.expected_tunnels("Site1")

    @pytest.mark.usefixtures("folder")
    def test_a_tunnel_belongs_to_its_device_only(self) -> None:
        config = load(INVENTORY)

        assert [tunnel.name for tunnel in config.expected_tunnels("Site2")] == ["to-HQ"]
        assert config.expected_tunnels("Site3") == ()

    @pytest.mark.usefixtures("folder")
    def test_a_peer_is_kept_in_its_canonical_form(self) -> None:
        assert load(INVENTORY).expected_tunnels("Site2")[0].peer == "2001:db8::1"

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("10.1.1.0/24", ident("10.1.1.0/24")),
            ("10.1.1.1", ident("10.1.1.1/32")),
            ("10.1.1.1/32", ident("10.1.1.1/32")),
            ("0.0.0.0/0", ident("0.0.0.0/0")),
            ("10.1.1.0/24/6/443", ident("10.1.1.0/24", 6, 443)),
            ("10.1.1.1/32/47/0", ident("10.1.1.1/32", 47)),
            ("2001:DB8:1::/48", ident("2001:db8:1::/48")),
            ("2001:db8::1", ident("2001:db8::1/128")),
            ("2001:db8::/32/17/53", ident("2001:db8::/32", 17, 53)),
        ],
    )
    @pytest.mark.usefixtures("folder")
    def test_identities(self, text: str, expected: Ident) -> None:
        (tunnel,) = load(
            f"{SITE1}tunnels:\n"
            f"  - {{device: Site1, name: HQ, local: '{text}', remote: '2001:db8:2::/48'}}\n"
        ).expected_tunnels("Site1")

        assert expected == tunnel.local_ident

    @pytest.mark.parametrize(
        "other",
        [
            "local: 10.1.1.0/24, remote: 10.3.3.0/24",
            "local: 10.1.1.0/24, remote: 10.2.2.0/24, vrf: BLUE",
            "local: 10.1.1.0/24, remote: 10.2.2.0/24, crypto_map: OTHER",
            "local: 10.1.1.0/24/6/443, remote: 10.2.2.0/24/6/0",
            "interface: Tunnel0",
        ],
    )
    @pytest.mark.usefixtures("folder")
    def test_tunnels_that_something_tells_apart_are_two(self, other: str) -> None:
        config = load(
            f"{SITE1}tunnels:\n"
            "  - {device: Site1, name: HQ, local: 10.1.1.0/24, remote: 10.2.2.0/24}\n"
            f"  - {{device: Site1, name: HQ2, {other}}}\n"
        )

        assert len(config.expected_tunnels("Site1")) == 2

    @pytest.mark.usefixtures("folder")
    def test_the_same_name_and_key_on_two_devices_are_two_tunnels(self) -> None:
        config = load(
            INVENTORY + "  - [Site2/other, Site3/other]\n",
        )
        more = load(
            INVENTORY.replace("name: to-HQ,", "name: HQ-to-Branch,").replace("Site2/to", "Site2/x")
        )

        assert len(config.links) == 3
        assert [tunnel.name for tunnel in more.tunnels] == ["HQ-to-Branch", "HQ-to-Branch"]

    @pytest.mark.usefixtures("folder")
    def test_a_link_names_devices_before_the_first_slash(self) -> None:
        assert (
            ConfiguredLink(
                device="Site1",
                tunnel="HQ-to-Branch",
                remote_device="Site2",
                remote_tunnel="to-HQ",
            ),
            ConfiguredLink(
                device="Site3",
                tunnel="CRYPTO/10.3.3.0_24-10.1.1.0_24",
                remote_device="Site1",
                remote_tunnel="Tunnel0/192.0.2.3",
            ),
        ) == load(INVENTORY).configured_links()

    @pytest.mark.usefixtures("folder")
    def test_the_links_of_a_device_begin_with_its_own_end(self) -> None:
        links = load(INVENTORY).configured_links("Site1")

        assert [(link.tunnel, link.remote_device) for link in links] == [
            ("HQ-to-Branch", "Site2"),
            ("Tunnel0/192.0.2.3", "Site3"),
        ]
        assert {"Site1"} == {link.device for link in links}

    @pytest.mark.usefixtures("folder")
    def test_no_inventory_expects_nothing(self) -> None:
        config = load(f"{SITE1}tunnels: []\nlinks: []\n")

        assert (config.expected_tunnels("Site1"), config.configured_links()) == ((), ())
        assert config.tunnels == load(SITE1).tunnels

    @pytest.mark.usefixtures("folder")
    def test_the_inventory_is_dumped_as_it_is_written(self) -> None:
        config = load(INVENTORY)
        dumped = json.loads(config.model_dump_json())

        assert dumped["links"][0] == ["Site1/HQ-to-Branch", "Site2/to-HQ"]
        assert dumped["tunnels"][0]["local"] == "10.1.1.0/24"
        assert dumped["tunnels"][0]["options"] == ["unidirectional", "maintenance"]


class TestTiming:
    def make(self, poll: Poll, interval: float | None) -> Timing:
        device = Device(
            name="Site1",
            host="92.1.1.1",
            platform=Platform.IOS,
            credentials="lab",
            interval=interval,
        )
        return Config(poll=poll, credentials={}, devices=(device,)).settings(device).timing

    def test_a_device_takes_the_interval_of_all(self) -> None:
        assert Timing(60, 60, 30, 10, 180) == self.make(Poll(), None)

    def test_its_own_interval_shortens_the_deadlines(self) -> None:
        assert Timing(20, 20, 20, 10, 60) == self.make(Poll(), 20)

    def test_a_longer_interval_keeps_its_data_longer(self) -> None:
        assert Timing(600, 60, 30, 10, 1800) == self.make(Poll(), 600)

    def test_a_written_stale_after_holds_for_all(self) -> None:
        assert self.make(Poll(stale_after=200), 20).stale_after == 200


class TestUnreadableFiles:
    def test_all_mistakes_come_at_once(self, folder: Path) -> None:
        path = Path("ipsecmon.yml")
        path.write_text(MANY_MISTAKES, encoding="utf-8")

        with pytest.raises(ConfigError) as caught:
            load_config(path)

        assert str(caught.value) == MANY_MESSAGES
        assert folder.is_dir()

    @pytest.mark.usefixtures("folder")
    def test_a_mistake_has_its_parts_as_fields(self) -> None:
        with pytest.raises(ConfigError) as caught:
            load(SITE1.replace("ios", "junos"))

        assert (
            Mistake(
                file="ipsecmon.yml",
                line=4,
                column=35,
                key="devices[0].platform",
                found="'junos'",
                accepted="ios, iosxe, asa",
            ),
        ) == caught.value.mistakes

    @pytest.mark.usefixtures("folder")
    def test_one_mistake_is_spoken_of_in_the_singular(self) -> None:
        with pytest.raises(ConfigError, match=r"correct it, then run 'ipsecmon check-config'$"):
            load(SITE1.replace("ios", "junos"))

    @pytest.mark.usefixtures("folder")
    def test_no_such_file(self) -> None:
        assert messages_of(Path("ipsecmon.yml")) == [
            "ipsecmon.yml: found no such file, accepted: the path of a configuration file"
        ]

    def test_a_directory(self, folder: Path) -> None:
        (folder / "etc").mkdir()

        assert messages_of(Path("etc")) == [
            "etc: found a directory, accepted: the path of a configuration file"
        ]

    @pytest.mark.usefixtures("folder")
    def test_below_a_file(self) -> None:
        Path("ipsecmon.yml").write_text(SITE1, encoding="utf-8")

        assert messages_of(Path("ipsecmon.yml/more")) == [
            "ipsecmon.yml/more: found a file that cannot be read (Not a directory), accepted: a readable file"
        ]

    @pytest.mark.usefixtures("folder")
    @pytest.mark.skipif(os.geteuid() == 0, reason="root can read every file")
    def test_no_permission(self) -> None:
        Path("ipsecmon.yml").write_text(SITE1, encoding="utf-8")
        Path("ipsecmon.yml").chmod(0)

        assert messages_of(Path("ipsecmon.yml")) == [
            "ipsecmon.yml: found a file that cannot be read (Permission denied), accepted: a readable file"
        ]

    def test_not_a_path(self) -> None:
        assert messages_of(Path("a\0b")) == [
            "a\0b: found a file that cannot be read (not a path), accepted: a readable file"
        ]

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (
                b"poll: {}\n# Z\xfcrich\n",
                "ipsecmon.yml:2:4: found the byte 0xfc, accepted: text in UTF-8",
            ),
            (
                "poll: {}\n".encode("utf-16"),
                "ipsecmon.yml:1:1: found the byte 0xff, accepted: text in UTF-8",
            ),
            (
                b"\x7fELF\x02\x01\x01\x00",
                "ipsecmon.yml:1:1: found the control character 0x7f, accepted: text; this looks like a binary file",
            ),
        ],
        ids=["Latin-1", "UTF-16", "binary"],
    )
    @pytest.mark.usefixtures("folder")
    def test_not_text(self, data: bytes, message: str) -> None:
        Path("ipsecmon.yml").write_bytes(data)

        assert [message] == messages_of(Path("ipsecmon.yml"))

    @pytest.mark.usefixtures("folder")
    def test_far_too_large(self) -> None:
        with Path("ipsecmon.yml").open("wb") as file:
            file.truncate(17 * 1024 * 1024)

        assert messages_of(Path("ipsecmon.yml")) == [
            "ipsecmon.yml: found more than 16 MiB, accepted: a file of at most 16 MiB"
        ]


# where a password can end up by mistake; each file is refused
LEAKS = [
    "credentials: {lab: {username: monitor, password: %s, typo: 1}}",
    "credentials: {lab: {username: monitor, password: {%s}}}",
    "credentials: {lab: {username: monitor, password: {%s: x, %s: y}}}",
    "credentials: {lab: {username: monitor, password: {env: '%s!'}}}",
    "credentials: {lab: {username: monitor, password: {env: A, file: %s}}}",
    "credentials: {lab: {username: monitor, password: [%s]}}",
    "credentials: {lab: {username: monitor, password: {command: %s}}}",
    "credentials: {lab: {username: monitor, password: {command: {%s: x}}}}",
    "credentials: {lab: {username: monitor, password: {vault: {path: a, key: b, %s: c}}}}",
    "credentials: {lab: {username: monitor, passphrase: {%s: c}}}",
    "vault: {token: {%s: c}}",
    "vault: {%s: c}",
    "vault: %s",
    "vault: {address: %s, secret_id: {vault: %s}}",
    "credentials: {lab: {username: monitor, password: *%s}}",
    "credentials: {lab: {username: monitor, password: !%s }}",
    "credentials: {lab: {username: monitor, password: !%s x}}",
    "credentials: {lab: {username: monitor, password: !x!%s x}}",
    "credentials: {lab: {username: monitor, password: &%s}}",
    "credentials: {lab: {username: monitor, password: {<<: %s}}}",
    'credentials: {lab: {username: monitor, password: "%s\\n"}}',
    'credentials: {lab: {username: monitor, password: "%s\\q"}}',
    "credentials: {lab: {username: monitor, password: '${%s}'}}",
    "credentials: {lab: {username: monitor, password: '%s' %s}}",
    "credentials: {lab: {username: monitor, password: @%s}}",
    "credentials: {lab: {username: monitor, password: `%s}}",
    "credentials:\n  lab:\n    password: |%s\n",
    "credentials:\n  lab:\n    password: a: %s\n",
    "credentials:\n  lab:\n    password: %s\n   username: monitor\n",
    "credentials:\n  lab:\n    password %s\n    username: monitor\n",
    "credentials:\n  lab:\n    passwort: %s\n",
    "credentials:\n  lab:\n    %s:\n",
    "credentials:\n  lab:\n  password: %s\n",
    "credentials: {lab: %s}",
    "credentials: %s",
    "credentials: {'pass word %s': {}}",
    "password: %s",
    "%s",
    "inventory: [{http_sd: 'http://a/', token: {%s: x, %s: x}}]",
    "inventory: [{http_sd: 'http://a/', token: [%s]}]",
    "inventory: [{http_sd: 'http://a/', headers: {X: {%s: y, %s: z}}}]",
    "inventory: [{http_sd: 'http://a/', headers: %s}]",
    "inventory: [{nornir: B, options: {nb_token: {%s: y, %s: z}}}]",
    "inventory: [{nornir: B, options: %s}]",
    "inventory: [{http_sd: 'http://monitor:%s@a/'}]",
    "devices: [{name: Site1, password: %s}]",
    "devices: [{name: Site1, host: 'ssh://monitor:%s@92.1.1.1'}]",
]


class TestSecrets:
    @pytest.mark.parametrize("text", LEAKS)
    @pytest.mark.usefixtures("folder")
    def test_no_mistake_shows_a_password(self, text: str, caplog: pytest.LogCaptureFixture) -> None:
        with pytest.raises(ConfigError) as caught:
            load(text.replace("%s", PLANTED))

        # the file's own lines are not part of a traceback, all chained exceptions are
        assert PLANTED not in "".join(traceback.format_exception(caught.value))
        assert PLANTED not in repr(caught.value)
        assert caught.value.__context__ is None
        assert PLANTED not in caplog.text

    @pytest.mark.usefixtures("folder")
    def test_a_loaded_configuration_does_not_show_a_password(self) -> None:
        config = load(SITE1.replace("{env: LAB}", f"{PLANTED}, enable: {PLANTED}"))
        credential = config.credentials["lab"]

        shown = [
            repr(config),
            str(config),
            f"{config}",
            f"{credential.password} {credential.password!r} {credential.password:>9}",
            "%s %r" % (credential.password, credential.password),  # noqa: UP031 - the way of the log
            repr(config.model_dump()),
            repr(config.model_dump(mode="json")),
            config.model_dump_json(),
            repr(copy.deepcopy(config)),
        ]

        assert isinstance(credential.password, Secret)
        assert credential.password.reveal() == PLANTED
        assert [text for text in shown if PLANTED in text] == []
        assert json.loads(config.model_dump_json())["credentials"]["lab"]["password"] == "***"

    def test_sources_are_dumped_as_they_are_written(self) -> None:
        credential = Credential(
            username="monitor", password=FromEnvironment("LAB"), enable=FromFile(Path("/run/lab"))
        )

        assert credential.model_dump(mode="json", exclude_defaults=True) == {
            "username": "monitor",
            "password": {"env": "LAB"},
            "enable": {"file": "/run/lab"},
        }

    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_a_secret_cannot_be_pickled(self, protocol: int) -> None:
        credential = Credential(username="monitor", password=Secret(PLANTED))

        with pytest.raises(TypeError, match="a secret cannot be pickled") as caught:
            pickle.dumps(credential, protocol)

        assert PLANTED not in str(caught.value)

    def test_a_secret_equals_its_like(self) -> None:
        assert Secret("a") == Secret("a")
        assert hash(Secret("a")) == hash(Secret("a"))
        assert Secret("a") != Secret("b")
        assert Secret("a") != "a"

    def test_a_secret_cannot_be_changed(self) -> None:
        with pytest.raises(AttributeError, match="a secret cannot be changed"):
            Secret("a").more = 1  # pyright: ignore[reportAttributeAccessIssue]

    @pytest.mark.parametrize("key", ["password", "enable"])
    def test_models_built_in_code_do_not_show_a_bad_password(self, key: str) -> None:
        with pytest.raises(ValidationError) as caught:
            Credential.model_validate({"username": "a", "password": "b", key: f"{PLANTED}\n"})

        assert PLANTED not in str(caught.value)

    @pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o640, True), (0o604, True)])
    def test_a_password_in_a_readable_file_is_warned_of(
        self, mode: int, warned: bool, folder: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        path = folder / "ipsecmon.yml"
        path.write_text(SITE1.replace("{env: LAB}", PLANTED), encoding="utf-8")
        path.chmod(mode)

        with caplog.at_level(logging.WARNING):
            load_config(path)

        expected = (
            f"{path} holds passwords (credentials: lab) and others can read it; "
            f"run 'chmod 600 {path}', or write {{env: NAME}} or {{file: PATH}} instead"
        )
        assert ([expected] if warned else []) == caplog.messages

    def test_a_readable_file_without_passwords_is_fine(
        self, folder: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        path = folder / "ipsecmon.yml"
        path.write_text(SITE1, encoding="utf-8")
        path.chmod(0o644)

        load_config(path)

        assert caplog.messages == []


SOURCE_KEYS: dict[object, tuple[str, ...]] = {
    FromEnvironment: ("env",),
    FromFile: ("file",),
    FromSystemd: ("systemd",),
    FromCommand: ("command",),
    FromKeyring: ("keyring", "service", "username"),
    FromVault: ("vault", "path", "key", "mount", "version"),
}


def keys_of(annotation: object, path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """Every key that the models know, as the path to it."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        keys: set[tuple[str, ...]] = set()
        for name, field in annotation.model_fields.items():
            keys |= {(*path, name)} | keys_of(field.annotation, (*path, name))
        return keys
    if annotation in SOURCE_KEYS:
        return {("credentials", key) for key in SOURCE_KEYS[annotation]}  # described once
    if isinstance(annotation, types.GenericAlias | types.UnionType) or typing.get_args(annotation):
        return {key for part in typing.get_args(annotation) for key in keys_of(part, path)}
    return set()


class TestDocuments:
    def test_the_models_are_walked(self) -> None:
        assert {
            ("poll", "interval"),
            ("credentials", "password"),
            ("credentials", "env"),
            ("vault", "ca_file"),
            ("devices", "platform"),
        } <= keys_of(Config)

    def test_the_example_is_loaded(self) -> None:
        config = load_config(EXAMPLE)

        assert [device.name for device in config.devices] == ["Site1", "Site2", "Site3"]
        assert Poll(plan=PollingPlan(counts=None, configuration=3600)) == config.poll
        assert Ssh() == config.ssh
        assert EXAMPLE.parent / "known_hosts" == config.host_keys.known_hosts
        assert HistoryFile(path=EXAMPLE.parent / "history.sqlite") == config.history

    def test_the_example_shows_every_key_in_its_section(self) -> None:
        """Settings that devices share with groups are shown once, in the groups."""
        text = EXAMPLE.read_text(encoding="utf-8")
        sections = dict(re.findall(r"^(\w+):(.*?)(?=^\w+:|\Z)", text, re.DOTALL | re.MULTILINE))
        shared = {path[1:] for path in keys_of(Config) if path[0] == "groups"}

        assert set() == {
            path
            for path in keys_of(Config)
            if not (path[0] == "devices" and path[1:] in shared)
            and not (
                path[0] in sections
                and (len(path) == 1 or re.search(rf"\b{path[-1]}: ?", sections[path[0]]))
            )
        }

    def test_the_example_says_something_of_every_key(self) -> None:
        """Beside it, or in the line above."""
        lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
        described = {
            key
            for above, line in itertools.pairwise(["", *lines])
            if "#" in line or above.lstrip().startswith("#")
            for key in re.findall(r"(?:^|[\s{-])(\w+):", line)
        }

        assert set() == {path[-1] for path in keys_of(Config)} - described

    def test_the_reference_describes_every_key(self) -> None:
        sections = dict(
            re.findall(
                r"^## `(\w+)`\n(.*?)(?=^## |\Z)",
                REFERENCE.read_text("utf-8"),
                re.DOTALL | re.MULTILINE,
            )
        )

        missing = {
            path
            for path in keys_of(Config)
            if path[0] not in sections
            or not (len(path) == 1 or re.search(rf"\b{path[-1]}:\s", sections[path[0]]))
        }

        assert set() == missing

    def test_the_reference_tells_the_defaults(self) -> None:
        """Each default of the models stands behind its key."""
        text = REFERENCE.read_text(encoding="utf-8")

        for line in (
            "interval: <duration> | default = 60s",
            "timeout: <duration> | default = 60s",
            "read_timeout: <duration> | default = 30s",
            "connect_timeout: <duration> | default = 10s",
            "workers: <count> | default = 50",
            "listen: <listen> | default = 127.0.0.1:9818",
            "known_hosts: <path> | default = known_hosts",
            "path: <path> | off | default = history.sqlite",
            "age: <age> | default = 90d",
            "size: <size> | default = 500MB",
            "port: <port> | default = 22",
        ):
            assert f"  {line}" in text

    @pytest.mark.usefixtures("folder")
    def test_the_mistake_shown_in_the_reference_is_what_is_printed(self) -> None:
        with pytest.raises(ConfigError) as caught:
            load(
                "credentials:\n  lab: {username: monitor, password: {env: LAB}}\n"
                "devices:\n  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}\n"
                "  -\n    name: Site2\n    host: 123.1.1.2\n    port: 22\n    interval: 30s\n    \n"
                "    credentials: lab\n    platform: junos\n"
            )

        assert f"\n{caught.value.mistakes[0]}\n" in REFERENCE.read_text(encoding="utf-8")


WORDS = st.sampled_from(
    [
        *("poll", "web", "host_keys", "credentials", "devices", "interval", "timeout", "name"),
        *("templates", ".", "ipsecmon.yml"),
        *("ssh", "groups", "defaults", "jump_hosts", "jump", "via", "none", "plan", "tables"),
        *("inventory", "file_sd", "http_sd", "nornir", "token", "refresh", "cpu_limit", "platform"),
        *("tunnels", "links", "device", "local", "remote", "peer", "options", "intent"),
        *("10.1.1.0/24", "10.1.1.1/0", "Site1/A", "Site2/A", "backup", "2001:db8::/32/6/443"),
        *("host", "lab", "Site1", "password", "env", "file", "<<", "[key]", "30s", "ios", "off"),
        *("~", "", "0", "92.1.1.1", ":9818", "\ud800", "\0", "é", "${X}", "~nobody/x", "::1%1"),
    ]
)
TREES = st.recursive(
    WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)
FRAGMENTS = st.sampled_from(
    [
        *("poll:", "devices:", "credentials:", "  ", "- ", "\n", "\t", ": ", "{", "}", "[", "]"),
        *("&a ", "*a", "<<: ", "? ", "!x ", "!!int ", "'", '"', "\\", "\\U99999999", "|", ">"),
        *("---", "...", "%YAML 1.1", "%TAG ! x", "#", ",", "name", "Site1", "lab", "@", "\x85"),
        *("\u2028", "\ufeff", "\\ud800", "1", "null", "é", "=", "-"),
    ]
)


class TestAnyFile:
    """Whatever stands in the file, only ConfigError comes out, and it can be printed."""

    def read(self, path: Path, data: bytes) -> None:
        path.write_bytes(data)
        error: ConfigError | None = None
        try:
            load_config(path)
        except ConfigError as refused:
            error = refused
        if error is None:
            return
        # what YAML counts as the end of a line
        lines = len(re.findall("\r\n|[\r\n\x85\u2028\u2029]", data.decode(errors="replace"))) + 1
        assert all(mistake.accepted and mistake.found for mistake in error.mistakes)
        assert all(0 <= mistake.line <= lines for mistake in error.mistakes)
        assert len(str(error).encode().splitlines()) == len(error.mistakes) + 1

    shared = settings(
        suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200
    )

    @shared
    @given(data=st.binary(max_size=200))
    def test_bytes(self, data: bytes, tmp_path: Path) -> None:
        self.read(tmp_path / "ipsecmon.yml", data)

    @shared
    @given(text=st.text(max_size=200))
    def test_text(self, text: str, tmp_path: Path) -> None:
        self.read(tmp_path / "ipsecmon.yml", text.encode(errors="ignore"))

    @shared
    @given(parts=st.lists(FRAGMENTS, max_size=30))
    def test_pieces_of_yaml(self, parts: list[str], tmp_path: Path) -> None:
        self.read(tmp_path / "ipsecmon.yml", "".join(parts).encode())

    @shared
    @given(tree=TREES)
    def test_trees(self, tree: object, tmp_path: Path) -> None:
        self.read(tmp_path / "ipsecmon.yml", json.dumps(tree).encode())

    @pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? ", "{<<: ", "&a [", "{? "])
    def test_depth(self, opening: str, tmp_path: Path) -> None:
        self.read(tmp_path / "ipsecmon.yml", (opening * 5000).encode())
