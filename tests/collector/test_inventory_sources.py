"""Devices from Prometheus' service discovery and from Nornir's plugins, over real files and HTTP."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from ipsecmon.config import PollTier, Source
from ipsecmon.inventory import Collected, Inventory, SourceFailed
from ipsecmon.inventory.hosts import platform_word
from ipsecmon.inventory.http_sd import hosts_over_http
from ipsecmon.inventory.targets import hosts_in_targets
from ipsecmon_parsers.records import Platform

MAIN = """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
  other: {username: monitor, password: {env: OTHER}}
defaults: {platform: ios, credentials: lab}
groups:
  branches: {interval: 2m}
  site__berlin: {port: 2222}
inventory:
"""
TOKEN = "planted-token"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, so that messages name the files as they are written."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INVENTORY_TOKEN", TOKEN)
    return tmp_path


class Answers:
    """What the fake server answers by path, and the headers it was asked with."""

    def __init__(self) -> None:
        self.by_path: dict[str, object] = {}
        self.headers: list[dict[str, str]] = []
        self.status = 200
        self.url = ""
        self.listener: HTTPServer


@pytest.fixture
def server() -> Generator[Answers]:
    answers = Answers()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answers.headers.append({name.lower(): value for name, value in self.headers.items()})
            answer = answers.by_path.get(self.path.partition("?")[0])
            body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(404 if answer is None else answers.status)
            self.send_header("content-type", "application/json")
            self.send_header("api-version", "2.0")
            if answers.status == 302:
                self.send_header("location", f"{answers.url}/elsewhere")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # the base class's name
            """Nothing: the test says what went wrong."""

    class Listener(HTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """Nothing: a client that does not trust us is part of a test."""

    listener = answers.listener = Listener(("127.0.0.1", 0), Handler)
    answers.url = f"http://127.0.0.1:{listener.server_address[1]}"
    thread = threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield answers
    listener.shutdown()
    thread.join()
    listener.server_close()


def inventory(sources: str, redact: Callable[[str], None] | None = None) -> Inventory:
    Path("ipsecmon.yml").write_text(MAIN + sources, encoding="utf-8")
    return Inventory(Path("ipsecmon.yml"), redact, longest_fetch=20.0)


def collect(sources: str) -> Collected:
    return inventory(sources).collect()


def names(collected: Collected) -> list[str]:
    return [device.name for device in collected.config.devices]


def targets(path: str, groups: object) -> None:
    Path(path).parent.mkdir(exist_ok=True)
    Path(path).write_text(json.dumps(groups), encoding="utf-8")


FILE_SD = "  - {file_sd: targets/*.json, groups: [branches]}\n"


class TestTargets:
    def test_labels_named_like_keys_are_settings_and_others_are_not(self) -> None:
        labels = {
            "name": "Site1",
            "platform": "Cisco IOS-XE",
            "credentials": "other",
            "interval": "20s",
            "site": "Berlin",
            "__meta_netbox_id": "7",
        }
        targets("targets/a.json", [{"targets": ["192.0.2.1:2222"], "labels": labels}])

        collected = collect(FILE_SD)
        (device,) = collected.config.devices
        assert (device.name, device.host, device.port) == ("Site1", "192.0.2.1", 2222)
        assert (device.platform, device.credentials) == (Platform.IOSXE, "other")
        assert collected.config.settings(device).timing.interval == 20
        assert collected.source_of == {"Site1": "targets/*.json"}

    @pytest.mark.parametrize(
        ("target", "host", "port"),
        [
            ("192.0.2.1", "192.0.2.1", 22),
            ("rtr1.example.net:830", "rtr1.example.net", 830),
            ("[2001:db8::1]:830", "2001:db8::1", 830),
            ("[2001:db8::1]", "2001:db8::1", 22),
            ("2001:db8::1", "2001:db8::1", 22),
        ],
    )
    def test_a_target_is_an_address_with_or_without_a_port(
        self, target: str, host: str, port: int
    ) -> None:
        targets("targets/a.json", [{"targets": [target], "labels": {"name": "Site1"}}])

        (device,) = collect(FILE_SD).config.devices
        assert (device.host, device.port) == (host, port)

    def test_groups_of_a_label_come_before_those_of_the_source(self) -> None:
        labels = {"groups": "site__berlin"}
        targets("targets/a.json", [{"targets": ["192.0.2.1"], "labels": labels}])

        (device,) = collect(FILE_SD).config.devices
        assert device.groups == ("site__berlin", "branches")
        assert device.port == 2222

    def test_several_files_in_yaml_or_json_are_one_source(self) -> None:
        targets("targets/a.json", [{"targets": ["192.0.2.1"]}])
        Path("targets/b.json").write_text("- targets: [192.0.2.2]\n", encoding="utf-8")

        assert names(collect(FILE_SD)) == ["192.0.2.1", "192.0.2.2"]

    @pytest.mark.parametrize(
        ("labels", "reason"),
        [
            ({"platform": "junos"}, "platform: found 'junos', accepted: ios, iosxe, asa"),
            (
                {"name": "Site 1"},
                (
                    "name: found 'Site 1', "
                    "accepted: a name of letters, digits, '.', '_' and '-', at most 128 long"
                ),
            ),
            ({"credentials": "lap"}, "credentials: found 'lap', accepted: one of lab, other"),
            ({"groups": "hubs"}, "groups: found 'hubs', accepted: one of branches, site__berlin"),
            ({"jump": "there"}, "jump: found 'there', accepted: one of none"),
            ({"name": "Site2"}, "a device of this name comes from targets/*.json"),
            (
                {"stale_after": "1m", "interval": "2m"},
                "interval: found '2m', accepted: less than 'stale_after' (1m)",
            ),
        ],
    )
    def test_a_host_that_cannot_be_a_device_is_left_out_alone(
        self, labels: dict[str, str], reason: str
    ) -> None:
        good = {"targets": ["192.0.2.2"], "labels": {"name": "Site2"}}
        targets("targets/a.json", [good, {"targets": ["192.0.2.1"], "labels": labels}])

        collected = collect(FILE_SD)
        assert names(collected) == ["Site2"]
        assert [one.reason for one in collected.left_out] == [reason]
        assert collected.left_out_by_source() == {"ipsecmon.yml": 0, "targets/*.json": 1}

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            (
                "[a",
                "targets/a.json:1: neither JSON nor YAML: found a list that is not closed, accepted: a ',' or a ']'",
            ),
            ("{}", "targets/a.json: a list of target groups is expected"),
            ("[{}]", "targets/a.json: entry 1 has no list 'targets'"),
            ('[{"targets": [1]}]', "targets/a.json: a target of entry 1 is no text"),
            ('[{"targets": [], "labels": 1}]', "targets/a.json: 'labels' of entry 1 is no mapping"),
        ],
    )
    def test_a_broken_file_keeps_what_it_said_before(self, text: str, problem: str) -> None:
        targets("targets/a.json", [{"targets": ["192.0.2.1"]}])
        source = inventory(FILE_SD)
        source.collect()

        Path("targets/a.json").write_text(text, encoding="utf-8")
        collected = source.collect()

        assert names(collected) == ["192.0.2.1"]
        assert collected.failed == {"targets/*.json": f"{problem}; its last devices are kept"}

    def test_a_target_that_is_gone_is_no_device_any_more(self) -> None:
        targets("targets/a.json", [{"targets": ["192.0.2.1", "192.0.2.2"]}])
        source = inventory(FILE_SD)
        source.collect()

        targets("targets/a.json", [{"targets": ["192.0.2.2"]}])
        assert names(source.collect()) == ["192.0.2.2"]


@pytest.mark.parametrize(
    ("text", "platform"),
    [
        ("ios", "ios"),
        ("cisco_ios", "ios"),
        ("Cisco IOS", "ios"),
        ("cisco.ios.ios", "ios"),
        ("cisco_xe", "iosxe"),
        ("iosxe", "iosxe"),
        ("Cisco IOS-XE", "iosxe"),
        ("cisco_asa", "asa"),
        ("cisco.asa.asa", "asa"),
        ("Cisco IOS XR", "Cisco IOS XR"),
        ("cisco_ios_telnet", "cisco_ios_telnet"),
        ("junos", "junos"),
    ],
)
def test_platforms_as_others_call_them(text: str, platform: str) -> None:
    assert platform_word(text) == platform


@settings(deadline=None, max_examples=200)
@given(
    text=st.one_of(
        st.text(max_size=60),
        st.lists(st.sampled_from(list('[]{}",:-\n&*!a1 ')), max_size=40).map("".join),
        st.recursive(
            st.sampled_from(["targets", "labels", "name", "192.0.2.1", 1, None, True]),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["targets", "labels", "name"]), inner)
            ),
        ).map(json.dumps),
    )
)
def test_whatever_stands_in_a_file_only_sourcefailed_comes_out(text: str) -> None:
    with contextlib.suppress(SourceFailed):
        hosts_in_targets(text, "targets.json")


@pytest.mark.parametrize("opening", ["[", '{"a":', "- "])
def test_a_text_that_is_too_deep_is_no_inventory(opening: str) -> None:
    with pytest.raises(SourceFailed):
        hosts_in_targets(opening * 50_000, "targets.json")


class TestHttp:
    def source(self, server: Answers, more: str = "") -> str:
        return f"  - {{http_sd: '{server.url}/targets', token: {{env: INVENTORY_TOKEN}}{more}}}\n"

    def test_the_token_and_the_headers_are_sent(self, server: Answers) -> None:
        server.by_path["/targets"] = [{"targets": ["192.0.2.1"]}]
        secrets: list[str] = []
        Path("tenant").write_text("blue\n", encoding="utf-8")
        text = self.source(server, ", headers: {X-Tenant: {file: tenant}}")

        assert names(inventory(text, secrets.append).collect()) == ["192.0.2.1"]
        assert server.headers[0]["authorization"] == f"Bearer {TOKEN}"
        assert server.headers[0]["x-tenant"] == "blue"
        assert secrets == ["blue", TOKEN]

    def test_it_is_asked_again_when_it_is_due(self, server: Answers) -> None:
        server.by_path["/targets"] = [{"targets": ["192.0.2.1"]}]
        now = 100.0
        Path("ipsecmon.yml").write_text(MAIN + self.source(server, ", refresh: 30s"))
        source = Inventory(Path("ipsecmon.yml"), clock=lambda: now)
        source.collect()
        server.by_path["/targets"] = [{"targets": ["192.0.2.2"]}]

        now += 29.0
        assert not source.is_due()
        assert names(source.collect(refetch=False)) == ["192.0.2.1"]
        now += 1.0
        assert source.is_due()
        assert names(source.collect(refetch=False)) == ["192.0.2.2"]

    @pytest.mark.parametrize(
        ("status", "body", "problem"),
        [
            (503, b"[]", "the server answers 503, 200 is expected"),
            (302, b"[]", "the server answers 302, 200 is expected"),
            (200, b"{}", "the answer: a list of target groups is expected"),
            (200, b"[" * (17 * 2**20), "the answer is longer than 16 MiB"),
        ],
    )
    def test_an_answer_that_is_none_keeps_what_was_known(
        self, status: int, body: bytes, problem: str, server: Answers
    ) -> None:
        server.by_path["/targets"] = [{"targets": ["192.0.2.1"]}]
        source = inventory(self.source(server))
        source.collect()

        server.status, server.by_path["/targets"] = status, body
        server.by_path["/elsewhere"] = []  # the token must not follow there
        collected = source.collect()

        assert names(collected) == ["192.0.2.1"]
        assert list(collected.failed.values()) == [f"{problem}; its last devices are kept"]

    def test_a_server_that_is_not_there_is_told_without_the_token(self, server: Answers) -> None:
        url = "http://127.0.0.1:9/targets"
        collected = collect(f"  - {{http_sd: '{url}', token: {TOKEN}}}\n")

        assert collected.problems() == [
            (f"{url}: the server cannot be reached (ConnectionError); check the address")
        ]
        assert server.headers == []

    def test_a_secret_that_is_not_there_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("INVENTORY_TOKEN")
        collected = collect("  - {http_sd: 'http://127.0.0.1:9/', token: {env: INVENTORY_TOKEN}}\n")

        assert "token: environment variable INVENTORY_TOKEN is not set" in collected.problems()[0]


@pytest.fixture
def certificate(folder: Path) -> Path:
    """A key and a certificate for 127.0.0.1 that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "inventory.example.net")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    (folder / "ca.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    return path


def test_only_a_certificate_of_a_known_authority_is_trusted(
    server: Answers, certificate: Path
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    server.listener.socket = tls.wrap_socket(server.listener.socket, server_side=True)
    server.by_path["/targets"] = [{"targets": ["192.0.2.1"]}]
    url = f"{server.url.replace('http:', 'https:')}/targets"

    refused = collect(f"  - {{http_sd: '{url}'}}\n")
    assert names(refused) == []
    assert "the server's certificate is not trusted" in refused.problems()[0]
    assert names(collect(f"  - {{http_sd: '{url}', ca: ca.pem}}\n")) == ["192.0.2.1"]


class TestSlowServers:
    """A server that a test writes byte by byte."""

    @pytest.fixture
    def listener(self) -> Generator[socket.socket]:
        with socket.create_server(("127.0.0.1", 0)) as made:
            yield made

    def answer(self, listener: socket.socket, pieces: list[bytes], pause: float) -> Source:
        def serve() -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(65536)
                for piece in pieces:
                    connection.sendall(piece)
                    time.sleep(pause)

        threading.Thread(target=serve, daemon=True).start()
        return Source(http_sd=f"http://127.0.0.1:{listener.getsockname()[1]}/")

    def test_an_answer_in_chunks_is_whole(self, listener: socket.socket) -> None:
        pieces = [
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            b'10\r\n[{"targets": ["1\r\n',
            b'c\r\n92.0.2.1"]}]\r\n',
            b"0\r\n\r\n",
        ]
        (host,) = hosts_over_http(self.answer(listener, pieces, 0.0), secrets_of_nobody)

        assert host.name == "192.0.2.1"

    def test_an_answer_that_drips_is_given_up(self, listener: socket.socket) -> None:
        pieces = [b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n", *[b"["] * 5000]
        source = self.answer(listener, pieces, 0.05)
        begin = time.monotonic()

        with pytest.raises(SourceFailed, match="the answer was not whole in time"):
            hosts_over_http(source, secrets_of_nobody, timeout=0.3)
        assert time.monotonic() - begin < 5

    def test_an_answer_that_is_cut_is_no_answer(self, listener: socket.socket) -> None:
        pieces = [b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n[]"]

        with pytest.raises(SourceFailed, match="cannot be reached"):
            hosts_over_http(self.answer(listener, pieces, 0.0), secrets_of_nobody)


def secrets_of_nobody(_: str) -> None:
    """No secret is expected."""
    raise AssertionError


NETBOX_DEVICE = {
    "id": 1,
    "name": "Site1",
    "platform": {"name": "Cisco IOS-XE", "slug": "ios-xe"},
    "primary_ip": {"address": "192.0.2.1/24"},
    "site": {"slug": "berlin"},
    "device_role": {"slug": "router"},
    "device_type": {"slug": "isr", "manufacturer": {"slug": "cisco"}},
    "custom_fields": {"ipsecmon": {"interval": "20s"}},
}


class TestNornir:
    def test_a_simple_inventory(self) -> None:
        Path("hosts.yaml").write_text("""\
Site1:
  hostname: 192.0.2.1
  port: 2222
  platform: cisco_xe
  username: somebody
  password: planted
  groups: [branches, unknown]
Site2:
  hostname: 192.0.2.2
  groups: [branches]
  data: {ipsecmon: {credentials: other, persistent: false, plan: {counts: 30s}, port: 830}}
Site3: {hostname: 192.0.2.3, platform: junos}
""")
        Path("groups.yaml").write_text(
            "branches: {data: {ipsecmon: {port: 2022}}}\nunknown: {platform: ios}\n"
        )
        collected = collect(
            "  - {nornir: SimpleInventory, options: {host_file: hosts.yaml, group_file: groups.yaml}}\n"
        )
        one, two = collected.config.devices

        assert (one.host, one.platform, one.groups) == ("192.0.2.1", Platform.IOSXE, ("branches",))
        assert one.credentials == "lab"
        assert collected.config.settings(one).timing.interval == 120
        assert (two.credentials, two.persistent, two.port) == ("other", False, 830)
        assert collected.config.settings(two).plan.every[PollTier.COUNTS] == 30
        assert [one.name for one in collected.left_out] == ["Site3"]
        assert "planted" not in repr(collected)

    def test_paths_start_at_the_configuration_file(self, folder: Path) -> None:
        (folder / "etc").mkdir()
        (folder / "etc" / "hosts.yaml").write_text("Site1: {hostname: 192.0.2.1}\n")
        text = MAIN + "  - {nornir: SimpleInventory, options: {host_file: hosts.yaml}}\n"
        (folder / "etc" / "ipsecmon.yml").write_text(text)

        assert names(Inventory(folder / "etc" / "ipsecmon.yml").collect()) == ["Site1"]

    @pytest.mark.parametrize(
        ("file", "text"),
        [
            ("hosts", "[branches]\nSite1 ansible_host=192.0.2.1 ansible_network_os=ios\n"),
            (
                "hosts.yml",
                "all: {children: {branches: {hosts: {Site1: {ansible_host: 192.0.2.1}}}}}\n",
            ),
        ],
    )
    def test_an_inventory_of_ansible(self, file: str, text: str) -> None:
        Path(file).write_text(text)
        collected = collect(f"  - {{nornir: AnsibleInventory, options: {{hostsfile: {file}}}}}\n")

        (device,) = collected.config.devices
        # the plugin reads the other form in small letters
        assert device.name.title() == "Site1"
        assert (device.host, device.groups) == ("192.0.2.1", ("branches",))

    def test_a_table_in_csv(self) -> None:
        Path("devices.csv").write_text("name,hostname,platform\nSite1,192.0.2.1,cisco_ios\n")
        collected = collect("  - {nornir: CSVInventory, options: {csv_file: devices.csv}}\n")

        (device,) = collected.config.devices
        assert (device.name, device.host, device.port) == ("Site1", "192.0.2.1", 22)

    def test_netbox(self, server: Answers) -> None:
        server.by_path["/api/dcim/devices/"] = {"results": [NETBOX_DEVICE], "next": None}
        collected = collect(
            f"  - nornir: NetBoxInventory2\n    options: {{nb_url: '{server.url}', "
            "nb_token: {env: INVENTORY_TOKEN}, flatten_custom_fields: true}\n"
        )
        assert not collected.failed
        (device,) = collected.config.devices

        assert (device.name, device.host, device.platform) == (
            "Site1",
            "192.0.2.1",
            Platform.IOSXE,
        )
        assert device.groups == ("site__berlin",)
        assert device.port == 2222
        assert device.interval == 20
        assert server.headers[0]["authorization"] == f"Token {TOKEN}"

    def test_nautobot(self, server: Answers) -> None:
        server.by_path["/api/dcim/devices/"] = {
            "count": 1,
            "next": None,
            "previous": None,
            "results": [
                {
                    "id": "5e3a2d4e-0000-4000-8000-000000000001",
                    "name": "Site1",
                    "url": f"{server.url}/api/dcim/devices/1/",
                    "platform": {"name": "IOS", "network_driver": "cisco_ios", "id": "2"},
                    "primary_ip4": {"address": "192.0.2.1/24", "id": "3"},
                    "primary_ip6": None,
                }
            ],
        }
        server.by_path["/api/"] = {}
        collected = collect(
            f"  - nornir: NautobotInventory\n    options: {{nautobot_url: '{server.url}', "
            "nautobot_token: {env: INVENTORY_TOKEN}}\n"
        )
        assert not collected.failed
        (device,) = collected.config.devices

        assert (device.name, device.host, device.platform) == ("Site1", "192.0.2.1", Platform.IOS)

    def test_a_plugin_that_is_not_installed_tells_which_are(self) -> None:
        (problem,) = collect("  - {nornir: OrionInventory}\n").problems()

        assert "no such inventory plugin is installed; there are: AnsibleInventory, " in problem

    def test_a_plugin_that_fails_tells_why_without_its_secrets(self, server: Answers) -> None:
        server.by_path["/api/dcim/devices/"] = f"{TOKEN} <html>".encode()
        options = f"{{nb_url: 'http://127.0.0.1:9/{TOKEN}', nb_token: {{env: INVENTORY_TOKEN}}}}"
        (problem,) = collect(f"  - {{nornir: NetBoxInventory2, options: {options}}}\n").problems()

        assert problem.startswith("nornir:NetBoxInventory2: the plugin failed: ConnectionError")
        assert TOKEN not in problem
        assert "***" in problem

    def test_a_source_that_never_answers_holds_nobody_up(self) -> None:
        os.mkfifo("hosts.yaml")  # opening it waits for a writer
        targets("targets/a.json", [{"targets": ["192.0.2.1"]}])
        text = FILE_SD + "  - {nornir: SimpleInventory, options: {host_file: hosts.yaml}}\n"
        Path("ipsecmon.yml").write_text(MAIN + text, encoding="utf-8")
        source = Inventory(Path("ipsecmon.yml"), longest_fetch=0.3)

        collected = source.collect()
        assert names(collected) == ["192.0.2.1"]
        assert collected.failed == {"nornir:SimpleInventory": "no answer within 0.3 s"}
        Path("hosts.yaml").write_text("Site1: {hostname: 192.0.2.2}\n")  # lets the thread end


def test_two_sources_of_one_name_are_two(folder: Path) -> None:
    (folder / "a.yaml").write_text("Site1: {hostname: 192.0.2.1}\n")
    (folder / "b.yaml").write_text("Site2: {hostname: 192.0.2.2}\n")
    collected = collect(
        "  - {nornir: SimpleInventory, options: {host_file: a.yaml}}\n"
        "  - {nornir: SimpleInventory, options: {host_file: b.yaml}}\n"
    )

    assert collected.devices_by_source() == {
        "ipsecmon.yml": 0,
        "nornir:SimpleInventory": 1,
        "nornir:SimpleInventory (2)": 1,
    }


def test_a_tunnel_of_a_device_that_nobody_knows_is_told() -> None:
    targets("targets/a.json", [{"targets": ["192.0.2.1"]}])
    collected = collect(
        FILE_SD + "tunnels: [{device: Site9, name: HQ, interface: Tunnel0}]\n"
        "links: [[192.0.2.1/x, Site8/y]]\n"
    )

    assert collected.problems() == [
        "tunnels: HQ is of Site9, which no source has",
        "links: Site8/y is of a device that no source has",
    ]
