"""Templates of the user's in the service: in the configuration, in check-config, in a poll."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from ipsecmon.app import templates_in_use
from ipsecmon.cli import main
from ipsecmon.config import Config, ConfigError, load_config
from ipsecmon.model import RawOutput
from ipsecmon.poller import Poller
from ipsecmon.sessions import Session, Target
from ipsecmon_parsers.records import Platform
from ipsecmon_parsers.registry import BUILT_IN, SHOW_IPSEC_SA, SHOW_ISAKMP_SA, SHOW_SA_LIFETIME

REPOSITORY = Path(__file__).parents[2]
OURS = REPOSITORY / "parsers" / "ipsecmon_parsers" / "templates" / "ios"
OUTPUTS = REPOSITORY / "tests" / "parsers" / "outputs" / "ios"
ANSWERS = {
    command: (OUTPUTS / command.replace(" ", "_") / case / "output.txt").read_text("utf-8")
    for command, case in (
        (SHOW_ISAKMP_SA, "tutorial"),
        (SHOW_IPSEC_SA, "tutorial"),
        (SHOW_SA_LIFETIME, "default"),
    )
}
CONFIG = """\
templates: templates
host_keys: {check: off}
credentials:
  lab: {username: monitor, password: {env: IPSECMON_TEST_PASSWORD}}
devices:
  - {name: Site1, host: 192.0.2.1, platform: ios, credentials: lab}
"""
COUNTS = "Value NAME (\\S+)\n\nStart\n  ^${NAME} -> Record\n"

Put = Callable[[str, str], None]


@pytest.fixture
def put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Put:
    """Writes a template below ``templates``, beside the configuration in the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IPSECMON_TEST_PASSWORD", "monitor-test")
    Path("templates").mkdir()
    Path("ipsecmon.yml").write_text(CONFIG)

    def write(name: str, text: str) -> None:
        file = Path("templates") / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)

    return write


def load() -> Config:
    return load_config(Path("ipsecmon.yml"))


def messages() -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load()
    return str(caught.value).split("\n")


class Router(Session):
    """Answers as the tutorial's router, with one word of its own."""

    def __init__(self, _: Target, timeout: float) -> None:
        assert timeout > 0

    def run(self, command: str, timeout: float) -> RawOutput:
        assert timeout > 0
        answer = ANSWERS.get(command, "% Invalid input detected at '^' marker.\n")
        text = answer.replace("Crypto map tag:", "Map tag:")
        return RawOutput(command=command, text=text, started_at=1.0, ended_at=2.0)

    def is_alive(self) -> bool:
        return True

    def close(self) -> None:
        pass


def poll(config: Config) -> list[str]:
    poller = Poller(config, open_session=Router)
    try:
        return [tunnel.name for tunnel in poller.poll("Site1").tunnels]
    finally:
        poller.close()


def test_without_the_key_our_own_templates_read(put: Put) -> None:
    Path("ipsecmon.yml").write_text(CONFIG.replace("templates: templates\n", ""))

    assert put is not None
    assert load().templates is BUILT_IN
    assert templates_in_use(load()) == []


def test_the_poller_reads_with_the_users_template(put: Put) -> None:
    plain = poll(load())
    template = (OURS / "show_crypto_ipsec_sa.textfsm").read_text()
    put("ios/show_crypto_ipsec_sa.textfsm", template.replace("Crypto map tag:", "Map tag:"))

    assert plain != ["CRYPTO/10.1.1.0_24-10.2.2.0_24"]
    assert poll(load()) == ["CRYPTO/10.1.1.0_24-10.2.2.0_24"]


def test_a_template_that_goes_bad_later_never_reaches_a_poll(put: Put) -> None:
    template = (OURS / "show_crypto_ipsec_sa.textfsm").read_text()
    put("ios/show_crypto_ipsec_sa.textfsm", template.replace("Crypto map tag:", "Map tag:"))
    config = load()
    poller = Poller(config, open_session=Router)
    put("ios/show_crypto_ipsec_sa.textfsm", "no template")
    try:
        results = [poller.poll("Site1"), poller.poll("Site1")]
    finally:
        poller.close()

    assert [result.is_good for result in results] == [True, True]
    assert messages()[0].startswith("templates/ios/show_crypto_ipsec_sa.textfsm:1: found a line")


def test_a_template_that_fits_no_answer_fails_the_poll_and_nothing_else(put: Put) -> None:
    template = (OURS / "show_crypto_ipsec_sa.textfsm").read_text()
    put(
        "ios/show_crypto_ipsec_sa.textfsm",
        template.replace("\nStart\n", "\nStart\n  ^. -> Error\n"),
    )
    poller = Poller(load(), open_session=Router)
    try:
        result = poller.poll("Site1")
    finally:
        poller.close()

    assert result.error is not None
    assert not result.error.is_unexpected
    assert "templates/ios/show_crypto_ipsec_sa.textfsm does not refuse" in result.error.cause


def test_mistakes_in_the_file_and_in_templates_come_at_once(put: Put) -> None:
    put("ios/show_crypto_isakmp_sa_count.textfsm", "Value DEAD (\\d+)\n\nStart\n  ^${DEED}\n")
    put("asa/show_counts.textfsm", COUNTS.replace("Record", "Recordx"))
    Path("ipsecmon.yml").write_text(CONFIG.replace("platform: ios", "platform: junos"))

    assert messages() == [
        "ipsecmon.yml:6:36: devices[0].platform: found 'junos', accepted: ios, iosxe, asa",
        "templates/asa/show_counts.textfsm:4: found a jump to the state 'Recordx' (did you mean 'Record'?), accepted: Start",
        *(
            f"templates/ios/show_crypto_isakmp_sa_count.textfsm:{line}: {said}"
            for line, said in (
                (
                    1,
                    "ACTIVE: found no such field, and it is needed, accepted: a line such as 'Value ACTIVE (\\d+)'",
                ),
                (
                    1,
                    "NEGOTIATING: found no such field, and it is needed, accepted: a line such as 'Value NEGOTIATING (\\d+)'",
                ),
                (
                    1,
                    "STANDBY: found no such field, and it is needed, accepted: a line such as 'Value STANDBY (\\d+)'",
                ),
                (
                    4,
                    "DEED: found no Value line of this name (did you mean 'DEAD'?), accepted: DEAD",
                ),
            )
        ),
        "nothing was loaded: correct these 6 places, then run 'ipsecmon check-config'",
    ]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            "nowhere",
            "ipsecmon.yml:1:1: templates: found no such folder at 'nowhere', accepted: the path of a folder with templates",
        ),
        (
            "ipsecmon.yml",
            "ipsecmon.yml:1:1: templates: found a file at 'ipsecmon.yml', accepted: the path of a folder with templates",
        ),
        (
            "[a, b]",
            "ipsecmon.yml:1:1: templates: found a list, accepted: the path of a folder with templates",
        ),
        (
            "",
            "ipsecmon.yml:1:1: templates: found an empty value, accepted: the path of a folder with templates",
        ),
    ],
)
def test_a_folder_that_is_none_is_a_mistake_of_the_key(put: Put, written: str, said: str) -> None:
    assert put is not None
    Path("ipsecmon.yml").write_text(CONFIG.replace("templates: templates", f"templates: {written}"))

    assert messages() == [said, "nothing was loaded: correct it, then run 'ipsecmon check-config'"]


def test_a_relative_folder_starts_at_the_configuration_file(tmp_path: Path) -> None:
    (tmp_path / "templates" / "ios").mkdir(parents=True)
    (tmp_path / "templates" / "ios" / "show_counts.textfsm").write_text(COUNTS)
    (tmp_path / "ipsecmon.yml").write_text(CONFIG)
    config = load_config(tmp_path / "ipsecmon.yml")

    assert config.templates.folder == tmp_path / "templates"
    assert config.model_dump(mode="json")["templates"] == str(tmp_path / "templates")
    assert "show counts" in config.templates.known_commands(Platform.IOS)


def test_the_example_brings_a_template() -> None:
    config = load_config(REPOSITORY / "deploy" / "config.example.yml")

    assert [one.commands for one in config.templates.user_templates] == [
        ("show crypto engine connections active",)
    ]


def test_the_mistake_shown_in_the_reference_is_what_is_printed(put: Put) -> None:
    template = (OURS / "show_crypto_ipsec_sa.textfsm").read_text()
    put("ios/show_crypto_ipsec_sa.textfsm", template.replace("PEER_PORT", "PEERPORT"))
    # the line moves with our template
    shown = re.sub(r":\d+:", ":27:", messages()[0])
    start, end = shown.split("CRYPTO_MAP")[0].rstrip(), "..."

    assert f"\n{start} {end}\n" in (REPOSITORY / "CONFIGURATION.md").read_text("utf-8")


def check_config() -> tuple[int, list[str]]:
    result = CliRunner().invoke(main, ["check-config"])
    return result.exit_code, result.output.splitlines()


def test_check_config_says_what_each_template_does(put: Put) -> None:
    known = (OURS / "show_crypto_map.textfsm").read_text()
    Path("ipsecmon.yml").write_text(CONFIG.replace("host_keys: {check: off}\n", ""))
    put("ios/show_crypto_map.textfsm", known)
    put("iosxe/show_crypto_map.textfsm", known)
    put("ios/show_clock_all.textfsm", COUNTS)
    put("ios/show_crypto_maps.textfsm", COUNTS)
    Path("known_hosts").write_text(
        "192.0.2.1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
    )

    assert check_config() == (
        0,
        [
            "ipsecmon.yml: correct, 1 device",
            "templates/ios/show_clock_all.textfsm: adds 'show clock all' on ios; it is read from files, not polled",
            "templates/ios/show_crypto_map.textfsm: takes the place of ours on ios",
            "templates/ios/show_crypto_maps.textfsm: adds 'show crypto maps' on ios; it is read from files, not polled; or is show_crypto_map.textfsm meant, which is ours?",
            "templates/iosxe/show_crypto_map.textfsm: takes the place of ours on iosxe; no device here is iosxe",
        ],
    )


def test_check_config_says_that_a_folder_is_empty(put: Put) -> None:
    assert put is not None
    assert templates_in_use(load()) == [
        "templates: no template in it; templates belong into templates/ios, templates/iosxe, templates/asa"
    ]


@pytest.mark.parametrize("command", [["check-config"], ["run"], ["poll", "Site1"], ["dump"]])
def test_no_command_starts_with_a_bad_template(put: Put, command: list[str]) -> None:
    put("ios/show_counts.textfsm", COUNTS.replace("${NAME}", "${NAMES}"))
    result = CliRunner().invoke(main, command)

    assert result.exit_code == 2
    assert result.output == (
        "templates/ios/show_counts.textfsm:4: NAMES: found no Value line of this name (did you mean 'NAME'?), accepted: NAME\n"
        "nothing was loaded: correct it, then run 'ipsecmon check-config'\n"
    )
