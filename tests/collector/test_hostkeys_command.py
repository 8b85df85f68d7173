"""``ipsecmon hostkeys`` against real SSH servers: what it prints, what it stores, how it ends."""

from __future__ import annotations

import json
import os
import pty
import socket
from collections.abc import Generator
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from click.testing import CliRunner, Result

from ipsecmon.cli import main
from ipsecmon.sessions import OfferedKey
from ipsecmon.sessions.host_keys import fingerprint
from ipsecmon.sessions.key_scan import Address, scan
from ipsecmon.sessions.known_hosts import HostKeyStore, NewKey
from jump_servers import JumpServer, JumpServers

HOST = "127.0.0.1"


@pytest.fixture
def servers() -> Generator[JumpServers]:
    with JumpServers() as servers:
        yield servers


@pytest.fixture
def store(tmp_path: Path) -> HostKeyStore:
    return HostKeyStore(tmp_path / "known_hosts")


def write_config(folder: Path, *devices: JumpServer, check: str = "strict") -> Path:
    lines = [
        f"  - {{name: {one.name}, host: {HOST}, port: {one.port}, platform: ios, credentials: lab}}"
        for one in devices
    ]
    file = folder / "ipsecmon.yml"
    file.write_text(
        f"host_keys: {{check: {check}}}\n"
        "poll: {interval: 60s, connect_timeout: 3s}\n"
        "credentials: {lab: {username: monitor, password: unused-here}}\n"
        "devices:\n" + "\n".join(lines) + "\n"
    )
    return file


def hostkeys(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["hostkeys", *arguments, "--config", str(config)])


def offered(key: asyncssh.SSHKey) -> OfferedKey:
    return OfferedKey(algorithm=key.algorithm.decode(), blob=key.public_data)


def digest(key: asyncssh.SSHKey) -> str:
    return fingerprint(offered(key)).split()[1]


def known(store: HostKeyStore, server: JumpServer, key: asyncssh.SSHKey) -> None:
    store.add([NewKey(host=HOST, port=server.port, key=offered(key))])


def another_key() -> asyncssh.SSHKey:
    return asyncssh.generate_private_key(  # pyright: ignore[reportUnknownMemberType] - untyped **kwargs
        "ssh-ed25519"
    )


def dead(servers: JumpServers, name: str) -> JumpServer:
    with socket.create_server((HOST, 0)) as taken:
        server = servers.serve(name)
        server.port = taken.getsockname()[1]
        return server


# --- scan ---


def test_a_scan_prints_a_line_for_each_key_and_stores_none(
    servers: JumpServers, store: HostKeyStore, tmp_path: Path
) -> None:
    site1, site2 = servers.serve("Site1"), servers.serve("Site2")
    known(store, site1, site1.key)
    before = store.path.read_bytes()
    done = hostkeys(write_config(tmp_path, site1, site2), "scan")

    heading, *rows = [line.split() for line in done.stdout.splitlines()]
    assert heading == ["device", "address", "type", "fingerprint", "state"]
    assert rows == [
        ["Site1", f"127.0.0.1:{site1.port}", "ssh-ed25519", digest(site1.key), "known"],
        ["Site2", f"127.0.0.1:{site2.port}", "ssh-ed25519", digest(site2.key), "new"],
    ]
    assert done.stderr == (
        "ipsecmon: 1 new key; compare with the device's own, then: ipsecmon hostkeys trust Site2\n"
    )
    assert done.exit_code == 0
    assert store.path.read_bytes() == before
    assert (site1.logins, site2.logins) == (0, 0)


def test_a_scan_of_changed_revoked_and_dead_ones_fails_and_says_what_to_do(
    servers: JumpServers, store: HostKeyStore, tmp_path: Path
) -> None:
    changed, revoked, gone = servers.serve("R1"), servers.serve("R2"), dead(servers, "R3")
    other = another_key()
    known(store, changed, other)
    public = revoked.key.export_public_key().decode().split()
    with store.path.open("a") as file:
        file.write(f"@revoked [127.0.0.1]:{revoked.port} {public[0]} {public[1]}\n")
    done = hostkeys(write_config(tmp_path, changed, revoked, gone), "scan")

    assert [line.split()[-1] for line in done.stdout.splitlines()[1:]] == [
        "changed",
        "revoked",
        "unreachable",
    ]
    assert f"R1: the host key has changed: known {fingerprint(offered(other))}, " in done.stderr
    assert "ipsecmon hostkeys trust R1 --replace\n" in done.stderr
    assert "R2: the host key ssh-ed25519 SHA256:" in done.stderr
    assert "ipsecmon: R3: no connection: connection refused\n" in done.stderr
    assert done.exit_code == 1


def test_a_scan_in_json_has_the_whole_key(
    servers: JumpServers, store: HostKeyStore, tmp_path: Path
) -> None:
    site1 = servers.serve("Site1")
    done = hostkeys(write_config(tmp_path, site1), "scan", "--json")
    (row,) = json.loads(done.stdout)["host_keys"]

    assert row == {
        "device": "Site1",
        "host": HOST,
        "port": site1.port,
        "type": "ssh-ed25519",
        "fingerprint": digest(site1.key),
        "key": site1.key.export_public_key().decode().split()[1],
        "state": "new",
        "known": [],
        "error": None,
    }
    assert not store.path.exists()


def test_only_the_named_devices_are_scanned(servers: JumpServers, tmp_path: Path) -> None:
    site1, site2 = servers.serve("Site1"), servers.serve("Site2")
    done = hostkeys(write_config(tmp_path, site1, site2), "scan", "Site2")

    assert "Site2" in done.stdout
    assert "Site1" not in done.stdout
    assert site1.connections_count == 0


def test_a_name_that_is_not_configured_is_wrong_use(servers: JumpServers, tmp_path: Path) -> None:
    done = hostkeys(write_config(tmp_path, servers.serve("Site1")), "scan", "Site9")

    assert (
        done.stderr
        == "ipsecmon: no device and no jump host 'Site9' in the configuration; did you mean Site1?\n"
    )
    assert done.exit_code == 2


def test_the_oldest_devices_can_be_scanned(servers: JumpServers, store: HostKeyStore) -> None:
    old = servers.serve(
        "R12",
        ("ssh-rsa",),
        kex_algs=["diffie-hellman-group1-sha1"],
        encryption_algs=["3des-cbc"],
        mac_algs=["hmac-md5"],
        signature_algs=["ssh-rsa"],
    )
    (scanned,) = scan([Address(name="R12", host=HOST, port=old.port)], store, timeout=5)

    assert scanned.keys == (offered(old.key),)


def test_a_device_is_asked_for_a_key_of_the_known_type(
    servers: JumpServers, store: HostKeyStore
) -> None:
    site1 = servers.serve("Site1", ("ssh-ed25519", "ecdsa-sha2-nistp256"))
    known(store, site1, site1.keys[1])
    address = Address(name="Site1", host=HOST, port=site1.port)
    (once,) = scan([address], store, timeout=5)
    (every,) = scan([address], store, timeout=5, every_type=True)

    assert once.keys == (offered(site1.keys[1]),)
    assert every.keys == (offered(site1.keys[1]), offered(site1.keys[0]))


def test_a_device_behind_a_jump_host_is_scanned_through_it(
    servers: JumpServers, store: HostKeyStore
) -> None:
    bastion, site1 = servers.serve("bastion"), servers.serve("Site1")
    behind = [
        Address(name=f"Site{number}", host=HOST, port=site1.port, jumps=(bastion.as_jump(),))
        for number in range(5)
    ]
    scanned = scan(behind, store, timeout=5)

    assert [one.keys for one in scanned] == [(offered(site1.key),)] * 5
    assert (bastion.logins, site1.logins) == (1, 0)


def test_a_jump_host_that_refuses_is_the_reason(servers: JumpServers, store: HostKeyStore) -> None:
    bastion = servers.serve("bastion").as_jump(password="wrong")
    address = Address(name="Site1", host=HOST, port=1, jumps=(bastion,))
    (scanned,) = scan([address], store, timeout=5)

    assert scanned.error is not None
    assert scanned.error.startswith("jump host 'bastion' (127.0.0.1:")


def test_what_many_devices_wait_for_is_said_once(servers: JumpServers, tmp_path: Path) -> None:
    bastion, site1, site2 = (servers.serve(name) for name in ("bastion", "Site1", "Site2"))
    config = write_config(tmp_path, site1, site2)
    config.write_text(
        f"ssh: {{jump: bastion}}\n"
        f"jump_hosts: {{bastion: {{host: {HOST}, port: {bastion.port}, credentials: lab}}}}\n"
        + config.read_text()
    )
    waiting, new = hostkeys(config, "scan").stderr.splitlines()

    assert waiting.startswith("ipsecmon: Site1, Site2: jump host 'bastion' (")
    assert new.endswith("ipsecmon hostkeys trust bastion")


def test_what_answers_and_is_no_ssh_server_costs_the_timeout_of_a_scan(store: HostKeyStore) -> None:
    with socket.create_server((HOST, 0)) as silent:
        port = silent.getsockname()[1]
        (scanned,) = scan([Address(name="R1", host=HOST, port=port)], store, timeout=0.3)

    assert scanned.error == "no answer within 0.3 s"


# --- trust ---


def test_trusting_without_a_terminal_shows_the_key_and_stores_nothing(
    servers: JumpServers, store: HostKeyStore, tmp_path: Path
) -> None:
    site1 = servers.serve("Site1")
    done = hostkeys(write_config(tmp_path, site1), "trust", "Site1")

    assert digest(site1.key) in done.stdout
    assert "no terminal to ask on: say --fingerprint with the key's own, or --yes" in done.stderr
    assert done.exit_code == 2
    assert not store.path.exists()


@pytest.mark.parametrize(("typed", "code"), [("y", 0), ("n", 1)])
def test_on_a_terminal_trusting_asks(
    typed: str,
    code: int,
    servers: JumpServers,
    store: HostKeyStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    site1 = servers.serve("Site1")
    config = write_config(tmp_path, site1)
    controller, terminal = pty.openpty()
    os.write(controller, f"{typed}\n".encode())
    with os.fdopen(terminal) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        with pytest.raises(SystemExit) as ended:
            main(["hostkeys", "trust", "Site1", "--config", str(config)])
    os.close(controller)

    assert "Is this the device's own key? [y/N]:" in capsys.readouterr().err
    assert ended.value.code == code
    assert store.known(HOST, site1.port).keys == ((offered(site1.key),) if typed == "y" else ())


def test_a_key_with_the_right_fingerprint_is_stored_whatever_its_type(
    servers: JumpServers, store: HostKeyStore, tmp_path: Path
) -> None:
    site1 = servers.serve("Site1", ("ssh-ed25519", "ecdsa-sha2-nistp256"))
    wanted = site1.keys[1]
    done = hostkeys(
        write_config(tmp_path, site1), "trust", "Site1", "--fingerprint", digest(wanted)
    )

    assert done.exit_code == 0
    assert f"{store.path}: stored 1 key\n" in done.stdout
    assert store.known(HOST, site1.port).keys == (offered(wanted),)
    assert hostkeys(tmp_path / "ipsecmon.yml", "scan").exit_code == 0


def test_a_key_with_another_fingerprint_is_not_stored(
    servers: JumpServers, store: HostKeyStore, tmp_path: Path
) -> None:
    site1, other = servers.serve("Site1"), digest(another_key())
    done = hostkeys(write_config(tmp_path, site1), "trust", "Site1", "--fingerprint", other)

    assert done.stderr == (
        f"ipsecmon: Site1: it offers {fingerprint(offered(site1.key))}, not {other}; nothing was stored\n"
    )
    assert done.exit_code == 1
    assert not store.path.exists()


def test_a_changed_key_is_stored_only_in_the_place_of_the_old_one(
    servers: JumpServers, store: HostKeyStore, tmp_path: Path
) -> None:
    site1, old = servers.serve("Site1"), another_key()
    known(store, site1, old)
    config = write_config(tmp_path, site1)
    refused = hostkeys(config, "trust", "Site1", "--yes")

    assert refused.exit_code == 1
    assert "the host key has changed" in refused.stderr
    assert store.known(HOST, site1.port).keys == (offered(old),)

    done = hostkeys(config, "trust", "Site1", "--yes", "--replace")

    assert done.exit_code == 0
    assert f"taken out: {fingerprint(offered(old))}\n" in done.stdout
    assert store.known(HOST, site1.port).keys == (offered(site1.key),)


def test_a_first_roll_out_stores_what_it_can_and_names_the_rest(
    servers: JumpServers, store: HostKeyStore, tmp_path: Path
) -> None:
    devices = [servers.serve(f"R{number}") for number in range(3)]
    config = write_config(tmp_path, *devices, dead(servers, "Dead"))
    done = hostkeys(config, "trust", "--all", "--yes")

    assert f"{store.path}: stored 3 keys\n" in done.stdout
    assert "Dead: no connection: connection refused" in done.stderr
    assert done.exit_code == 1
    assert all(store.known(HOST, one.port).keys == (offered(one.key),) for one in devices)


def test_a_known_key_is_not_stored_again(
    servers: JumpServers, store: HostKeyStore, tmp_path: Path
) -> None:
    site1 = servers.serve("Site1")
    known(store, site1, site1.key)
    before = store.path.read_bytes()
    config = write_config(tmp_path, site1)

    assert hostkeys(config, "trust", "--all").stdout == "every key is known already\n"
    assert "already known" in hostkeys(config, "trust", "Site1").stdout
    assert store.path.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "say which devices, or --all"),
        (("Site1", "--all"), "say which devices, or --all"),
        (("--all", "--fingerprint", "SHA256:" + "A" * 43), "--fingerprint goes with one device"),
        (("Site1", "--fingerprint", "MD5:aa:bb"), "found 'MD5:aa:bb', accepted: SHA256: and 43"),
    ],
)
def test_wrong_use_of_trust_is_told(
    arguments: tuple[str, ...], told: str, servers: JumpServers, tmp_path: Path
) -> None:
    done = hostkeys(write_config(tmp_path, servers.serve("Site1")), "trust", *arguments)

    assert told in done.stderr
    assert done.exit_code == 2


def test_a_file_that_cannot_be_written_is_named(servers: JumpServers, tmp_path: Path) -> None:
    config = write_config(tmp_path, servers.serve("Site1"))
    (tmp_path / "known_hosts").mkdir()
    done = hostkeys(config, "trust", "Site1", "--yes")

    assert done.exit_code == 1
    assert "known_hosts cannot be read: is a directory" in done.stderr


# --- show ---


def test_show_lists_the_known_keys_and_asks_no_device(
    servers: JumpServers, store: HostKeyStore, tmp_path: Path
) -> None:
    site1, site2 = servers.serve("Site1"), servers.serve("Site2")
    known(store, site1, site1.key)
    done = hostkeys(write_config(tmp_path, site1, site2), "show")

    rows = [line.split() for line in done.stdout.splitlines()[1:]]
    assert [(row[0], row[3], row[4]) for row in rows] == [
        ("Site1", digest(site1.key), "known"),
        ("Site2", "-", "none"),
    ]
    assert (site1.connections_count, site2.connections_count, done.exit_code) == (0, 0, 0)


def test_show_says_that_nobody_looks_and_which_lines_count_for_nothing(
    servers: JumpServers, tmp_path: Path
) -> None:
    (tmp_path / "known_hosts").write_text("cut ssh-rsa AAAA\n")
    done = hostkeys(write_config(tmp_path, servers.serve("Site1"), check="off"), "show")

    assert "host_keys.check is off: nobody looks at these keys\n" in done.stderr
    assert "known_hosts: line 1: no whole host key" in done.stderr


def test_show_in_json_is_for_scripts(
    servers: JumpServers, store: HostKeyStore, tmp_path: Path
) -> None:
    site1 = servers.serve("Site1")
    known(store, site1, site1.key)
    document: dict[str, Any] = json.loads(
        hostkeys(write_config(tmp_path, site1), "show", "--json").stdout
    )

    assert [(row["device"], row["fingerprint"]) for row in document["host_keys"]] == [
        ("Site1", digest(site1.key))
    ]
