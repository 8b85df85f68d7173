"""Devices in files beside the configuration file: checked as one, each mistake told with its own file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipsecmon.config import ConfigError, load_config, load_with_files

MAIN = """\
credentials: {lab: {username: monitor, password: {env: LAB}}}
groups: {hub: {interval: 30s}}
inventory: [{file: devices.d}, {file: more.yml}]
devices:
  - {name: Site1, host: 192.0.2.1, platform: ios, credentials: lab}
"""
SITE2 = """\
groups: {branch: {platform: iosxe, credentials: lab}}
devices:
  - {name: Site2, host: 192.0.2.2, groups: [hub, branch]}
tunnels:
  - {device: Site1, name: to-Site2, interface: Tunnel0}
"""
SITE3 = """\
devices:
  - {name: Site3, host: 192.0.2.3, groups: [branch]}
links:
  - [Site1/to-Site2, Site3/x]
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, so that messages name the files as they are written."""
    monkeypatch.chdir(tmp_path)
    write("ipsecmon.yml", MAIN)
    write("devices.d/b.yml", SITE2)
    write("more.yml", SITE3)
    return tmp_path


def write(path: str, text: str) -> None:
    Path(path).parent.mkdir(exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")


def mistakes() -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_config(Path("ipsecmon.yml"))
    return [str(mistake) for mistake in caught.value.mistakes]


def test_the_files_are_one_configuration() -> None:
    loaded = load_with_files(Path("ipsecmon.yml"))
    config = loaded.config

    assert [device.name for device in config.devices] == ["Site1", "Site2", "Site3"]
    assert config.settings(config.devices[1]).timing.interval == 30
    assert config.devices[2].platform == "iosxe"
    assert config.expected_tunnels("Site1")[0].name == "to-Site2"
    assert len(config.links) == 1
    assert loaded.file_of == {
        "Site1": "ipsecmon.yml",
        "Site2": "devices.d/b.yml",
        "Site3": "more.yml",
    }
    assert loaded.files == (Path("ipsecmon.yml"), Path("devices.d/b.yml"), Path("more.yml"))


def test_other_files_of_the_folder_are_left_alone() -> None:
    write("devices.d/b.yml~", "{")
    write("devices.d/.b.yml", "{")

    assert len(load_config(Path("ipsecmon.yml")).devices) == 3


def test_a_mistake_is_told_with_its_own_file_line_and_number() -> None:
    write("more.yml", SITE3.replace("192.0.2.3", "192.0.2.300"))

    assert mistakes() == [
        (
            "more.yml:2:19: devices[0].host: found '192.0.2.300', "
            "accepted: a host name, an IPv4 or an IPv6 address"
        )
    ]


def test_the_same_name_in_two_files_is_told_with_both() -> None:
    write("more.yml", SITE3.replace("name: Site3", "name: Site2") + "groups: {branch: {}}\n")

    assert mistakes() == [
        (
            "more.yml:2:6: devices[0].name: found 'Site2' again, first on line 3 of devices.d/b.yml, "
            "accepted: a name of its own for each device"
        ),
        (
            "more.yml:4:5: links[0]: found 'Site3/x' of an unknown device (did you mean 'Site2'?), "
            "accepted: a name under 'devices': Site1, Site2"
        ),
        (
            "more.yml:5:10: groups.branch: found 'branch' again, first on line 1 of devices.d/b.yml, "
            "accepted: a name of its own for each group"
        ),
    ]


def test_a_file_holds_devices_and_what_belongs_to_them_only() -> None:
    write("more.yml", "poll: {interval: 30s}\ndevices: {}\n")

    assert mistakes()[0] == (
        "more.yml:1:1: poll: found an unknown key, accepted: devices, groups, tunnels, links"
    )
    assert mistakes()[1].startswith(
        "more.yml:2:1: devices: found an empty mapping, accepted: a list"
    )


def test_a_file_that_is_not_there_is_a_mistake_of_its_source() -> None:
    Path("more.yml").unlink()

    assert mistakes() == [
        (
            "ipsecmon.yml:3:33: inventory[1].file: found no such file at 'more.yml', "
            "accepted: a file, or a folder with *.yml or *.yaml"
        )
    ]


def test_what_is_no_yaml_is_told_in_its_file() -> None:
    write("more.yml", "devices: [\n")

    assert mistakes()[0].startswith("more.yml:1:")


def test_devices_in_files_are_enough() -> None:
    write("ipsecmon.yml", MAIN.partition("devices:\n")[0])
    write("devices.d/b.yml", SITE2.partition("tunnels:")[0])
    write("more.yml", SITE3.partition("links:")[0])

    assert [device.name for device in load_config(Path("ipsecmon.yml")).devices] == [
        "Site2",
        "Site3",
    ]
