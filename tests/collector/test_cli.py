"""The command line, run as a person runs it: exit codes, one clear sentence, JSON that scripts can read."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import click
import pytest

from called import ipsecmon
from ipsecmon.app import problems
from ipsecmon.cli import COMMANDS, main
from ipsecmon.config import load_config
from ipsecmon.lab.demo import DemoLab
from ipsecmon.lab.ssh import Lab
from ipsecmon.poller import Poller

OUTPUTS = Path(__file__).parent.parent / "parsers" / "outputs" / "ios"
TUTORIAL = OUTPUTS / "show_crypto_ipsec_sa" / "tutorial" / "output.txt"


def started(
    *arguments: str | Path, stdin: bytes = b"", env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(  # noqa: S603 # our own program
        [sys.executable, "-W", "error", "-m", "ipsecmon", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        timeout=60,
        check=False,
        env={**os.environ, **(env or {})},
    )
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
    )


@pytest.fixture(scope="module")
def demo_lab(tmp_path_factory: pytest.TempPathFactory) -> Generator[DemoLab]:
    with DemoLab(tmp_path_factory.mktemp("lab"), speed=1.0, interval=5.0) as lab:
        yield lab


@pytest.fixture
def lab(demo_lab: DemoLab) -> Generator[Lab]:
    yield demo_lab.lab
    demo_lab.lab.clear_faults("Site1")


@pytest.fixture
def config(demo_lab: DemoLab) -> Path:
    return demo_lab.write_config(0)


def test_help_names_every_command_and_the_exit_codes() -> None:
    text = started("--help").stdout

    for command in (
        *("demo", "run", "poll", "dump", "parse", "inventory"),
        *("check-config", "check-device", "hostkeys"),
    ):
        assert f"  {command} " in text
    assert "Exit codes: 0" in text


def test_parse_prints_the_contract_as_json() -> None:
    done = ipsecmon(
        "parse", TUTORIAL, "--platform", "ios", "--command", "show crypto ipsec sa", "--json"
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == json.loads(TUTORIAL.with_name("expected.json").read_text())


def test_parse_reads_standard_input_and_shows_a_table() -> None:
    done = ipsecmon(
        "parse",
        "-",
        "--platform",
        "ios",
        "--command",
        "show crypto ipsec sa",
        stdin=TUTORIAL.read_bytes(),
    )

    assert done.returncode == 0
    assert "10.1.1.0/24" in done.stdout
    assert "0x7FAD546D" in done.stdout


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (
            b"",
            "standard input: the output of 'show crypto ipsec sa' is cut off before its first line",
        ),
        (
            TUTORIAL.read_bytes()[:900],
            "expected the heading 'outbound pcp sas:' that closes every flow; no flow was whole",
        ),
        (bytes(range(256)) * 8, "standard input is not text"),
        (b"% Invalid input detected at '^' marker.\n", "the device refused 'show crypto ipsec sa'"),
    ],
)
def test_parse_refuses_bad_input_in_one_sentence(data: bytes, sentence: str) -> None:
    done = ipsecmon(
        "parse", "-", "--platform", "ios", "--command", "show crypto ipsec sa", "--json", stdin=data
    )

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("ipsecmon: ")
    assert done.stderr.count("\n") == 1
    assert sentence in done.stderr


def test_parse_of_a_missing_file_is_wrong_use() -> None:
    done = ipsecmon(
        "parse", "nowhere.txt", "--platform", "ios", "--command", "show crypto ipsec sa"
    )

    assert (done.returncode, done.stderr) == (
        2,
        "ipsecmon: cannot read nowhere.txt: No such file or directory\n",
    )


def test_parse_of_an_unknown_command_names_the_known_ones() -> None:
    done = ipsecmon("parse", TUTORIAL, "--platform", "ios", "--command", "show version")

    assert done.returncode == 2
    assert "'show crypto isakmp sa'" in done.stderr


def test_poll_shows_one_device(config: Path) -> None:
    done = ipsecmon("poll", "Site1", "--config", config)

    assert (done.returncode, done.stderr) == (0, "")
    assert "CRYPTO/10.1.1.0_24-10.2.2.0_24" in done.stdout
    assert "IKE with 123.1.1.2: QM_IDLE ACTIVE" in done.stdout


def test_poll_as_json_and_dump_agree(config: Path) -> None:
    polled = json.loads(ipsecmon("poll", "Site2", "--config", config, "--json").stdout)
    dumped = json.loads(started("dump", "--config", config, "--json", "--raw").stdout)

    assert [device["device"] for device in dumped["devices"]] == ["Site1", "Site2"]
    assert polled["tunnels"][0]["name"] == dumped["devices"][1]["tunnels"][0]["name"]
    assert "#pkts encaps" in dumped["devices"][0]["outputs"][1]["text"]


def test_the_two_ends_cross_their_spis(config: Path) -> None:
    one, two = json.loads(ipsecmon("dump", "--config", config, "--json").stdout)["devices"]

    def spis(device: dict[str, Any]) -> dict[str, int]:
        return {sa["direction"]: sa["spi"] for sa in device["tunnels"][0]["flow"]["sas"]}

    assert spis(one)["outbound"] == spis(two)["inbound"]
    assert spis(two)["outbound"] == spis(one)["inbound"]


def test_poll_of_an_unknown_device_names_the_known_ones(config: Path) -> None:
    done = ipsecmon("poll", "Site9", "--config", config)

    assert (done.returncode, done.stderr) == (
        2,
        "ipsecmon: no device 'Site9' in the configuration; did you mean Site2 or Site1?\n",
    )


def test_an_unreachable_device_is_one_sentence_and_leaves_the_other_alone(config: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        lines = [
            f"  - {{name: Site1, host: 127.0.0.1, port: {port}, platform: ios, credentials: lab}}"
            if line.startswith("  - {name: Site1")
            else line
            for line in config.read_text().splitlines()
        ]
        broken = config.with_name("broken.yml")
        broken.write_text("\n".join(lines))
        done = ipsecmon("dump", "--config", broken)

    assert done.returncode == 1
    assert done.stderr == (
        f"ipsecmon: Site1, stage connect: no TCP connection to 127.0.0.1:{port}: connection refused; "
        "check address, port, routing and filters\n"
    )
    assert "CRYPTO/10.2.2.0_24-10.1.1.0_24" in done.stdout


def test_a_wrong_password_is_one_sentence_without_the_password(config: Path) -> None:
    config.with_name("password").write_text("planted-secret\n")
    done = ipsecmon("poll", "Site1", "--config", config)

    assert done.returncode == 1
    assert "Site1, stage auth: 127.0.0.1:" in done.stderr
    assert done.stderr.endswith(
        "the device refused user 'monitor' (password); check user name and password\n"
    )
    assert done.stderr.count("\n") == 1
    assert "planted-secret" not in done.stdout + done.stderr


def test_a_host_key_that_is_not_known_is_refused_before_the_password_is_sent(config: Path) -> None:
    config.with_name("known_hosts").write_text("")
    done = ipsecmon("poll", "Site1", "--config", config)

    assert done.returncode == 1
    assert "Site1, stage hostkey: " in done.stderr
    assert "no host key is known for this device" in done.stderr


def test_with_tofu_the_first_key_is_taken_down_and_holds_from_then_on(
    config: Path, tmp_path: Path
) -> None:
    known_hosts, text = tmp_path / "known_hosts", config.read_text()
    known = config.with_name("known_hosts").read_text().splitlines()
    config.write_text(
        text.replace("known_hosts: known_hosts", f"check: tofu\n  known_hosts: {known_hosts}")
    )
    loaded = load_config(config)
    poller = Poller(loaded)
    try:
        result = poller.poll("Site1")
    finally:
        poller.close()

    assert problems(loaded) == []
    assert result.error is None
    assert known_hosts.read_text() == f"{known[0]} Site1\n"
    assert poller.host_keys.unverified == 1

    (host, *_), (_, *key) = known[0].split(), known[1].split()
    known_hosts.write_text(" ".join([host, *key]) + "\n")
    done = ipsecmon("poll", "Site1", "--config", config)

    assert "the host key has changed" in done.stderr


def test_check_config_names_the_devices_without_a_host_key(config: Path) -> None:
    config.with_name("known_hosts").write_text("")
    done = ipsecmon("check-config", "--config", config)

    assert done.returncode == 2
    assert done.stderr.count("will be refused; verify its key and add it") == 2


def test_a_demo_too_coarse_to_tell_rekeys_apart_is_refused() -> None:
    done = ipsecmon("demo", "--speed", "300", "--interval", "6")

    assert done.returncode == 2
    assert "1800 seconds of the routers apart" in done.stderr


def test_raw_without_json_is_wrong_use(config: Path) -> None:
    assert ipsecmon("poll", "Site1", "--config", config, "--raw").returncode == 2


def test_a_missing_configuration_says_how_to_name_one(tmp_path: Path) -> None:
    done = ipsecmon("check-config", "--config", tmp_path / "nowhere.yml")

    assert done.returncode == 2
    assert "name it with --config or IPSECMON_CONFIG" in done.stderr


def test_a_refused_command_is_one_sentence(config: Path, lab: Lab) -> None:
    lab.set_fault("Site1", refuse=("show crypto ipsec sa",))
    done = ipsecmon("poll", "Site1", "--config", config)

    assert done.returncode == 1
    assert done.stderr.startswith(
        "ipsecmon: Site1, stage command: the device refused 'show crypto ipsec sa'"
    )
    assert done.stderr.count("\n") == 1


def test_a_cut_output_is_one_sentence(config: Path, lab: Lab) -> None:
    lab.set_fault("Site1", truncate="outbound esp sas")
    done = ipsecmon("poll", "Site1", "--config", config, "--json")

    assert done.returncode == 1
    error = json.loads(done.stdout)["error"]
    assert (error["stage"], error["reason"]) == ("parse", "truncated")


def test_check_config_is_content_with_a_good_one(config: Path) -> None:
    done = ipsecmon("check-config", "--config", config)

    assert (done.returncode, done.stdout) == (0, f"{config}: correct, 2 devices\n")


def test_a_wrong_configuration_names_all_its_mistakes(config: Path) -> None:
    wrong = config.with_name("wrong.yml")
    wrong.write_text(
        config.read_text()
        .replace("platform: ios", "platform: junos", 1)
        .replace("poll:\n  interval: 5s", "poll:\n  intervals: 5s")
    )
    done = ipsecmon("run", "--config", wrong)

    assert done.returncode == 2
    assert f"{wrong}:3:" in done.stderr
    assert "did you mean 'interval'?" in done.stderr
    assert "'junos'" in done.stderr


def test_check_config_names_a_secret_that_cannot_be_had(config: Path) -> None:
    config.with_name("enable").unlink()
    done = ipsecmon("check-config", "--config", config)

    assert done.returncode == 2
    assert "credentials.lab.enable: file" in done.stderr


def test_the_configuration_is_found_through_the_environment(config: Path) -> None:
    done = ipsecmon("check-config", env={"IPSECMON_CONFIG": str(config)})

    assert done.returncode == 0


def test_the_list_of_commands_says_of_each_what_its_own_help_says() -> None:
    context = click.Context(main)
    for name, listed in COMMANDS.items():
        command = main.get_command(context, name)

        assert command is not None
        assert command.name == name
        assert command.get_short_help_str(200) == listed.summary
