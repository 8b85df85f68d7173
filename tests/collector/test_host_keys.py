"""Host keys: what a file says of an address, who may add to it, and what is done with a key that is shown."""

from __future__ import annotations

import base64
import hashlib
import hmac
import stat
import subprocess
import sys
from pathlib import Path

import paramiko
import pytest

import host_key_writer
from host_key_writer import FIRST_KEYS, REPLACEMENTS, address
from host_key_writer import made_key as key
from ipsecmon.config import HostKeyCheck
from ipsecmon.errors import HostKeyRejected
from ipsecmon.sessions import OfferedKey
from ipsecmon.sessions.host_keys import AnyHostKey, FirstUse, HostKeys, KnownHosts, fingerprint
from ipsecmon.sessions.known_hosts import (
    HostKeyFileError,
    HostKeyStore,
    KeyState,
    NewKey,
    known_hosts_problems,
)

SITE1 = "192.0.2.1"


def line(hosts: str, one: OfferedKey) -> str:
    return f"{hosts} {one.algorithm} {base64.b64encode(one.blob).decode()}\n"


def hashed(name: str, salt: bytes = b"0123456789abcdefghij") -> str:
    digest = hmac.digest(salt, name.encode(), hashlib.sha1)
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "known_hosts"


@pytest.fixture
def store(path: Path) -> HostKeyStore:
    return HostKeyStore(path)


# --- what the file says ---


@pytest.mark.parametrize(
    ("hosts", "address"),
    [
        ("192.0.2.1", (SITE1, 22)),
        ("[192.0.2.1]:2222", (SITE1, 2222)),
        ("site1.example.net,192.0.2.1", (SITE1, 22)),
        ("Site1.example.net", ("sitE1.example.net", 22)),
        ("2001:db8::1", ("2001:db8::1", 22)),
        ("[2001:db8::1]:2222", ("2001:db8::1", 2222)),
        ("*.example.net", ("site1.example.net", 22)),
        ("[192.0.2.?]:2222", (SITE1, 2222)),
        (hashed("192.0.2.1"), (SITE1, 22)),
        (hashed("[192.0.2.1]:2222"), (SITE1, 2222)),
    ],
)
def test_a_key_is_found_under(hosts: str, address: tuple[str, int], store: HostKeyStore) -> None:
    store.path.write_text(line(hosts, key(1)))

    assert store.known(*address).keys == (key(1),)


@pytest.mark.parametrize(
    "hosts",
    ["192.0.2.10", "[192.0.2.1]:2222", "*,!192.0.2.1", "192.0.2", hashed("192.0.2.10"), "|1|no"],
)
def test_a_key_is_not_found_under(hosts: str, store: HostKeyStore) -> None:
    store.path.write_text(line(hosts, key(1)))

    assert store.known(SITE1, 22).keys == ()


def test_a_hashed_name_that_ssh_keygen_made_is_found(store: HostKeyStore) -> None:
    client = paramiko.HostKeys()
    client.add(paramiko.HostKeys.hash_host(SITE1), "ecdsa", paramiko.ECDSAKey.generate())
    client.save(str(store.path))

    assert [one.algorithm for one in store.known(SITE1, 22).keys] == ["ecdsa-sha2-nistp256"]


def test_paramiko_reads_what_is_written(store: HostKeyStore) -> None:
    pair = paramiko.ECDSAKey.generate()
    offered = OfferedKey(algorithm=pair.get_name(), blob=pair.asbytes())
    store.add([NewKey(host=SITE1, port=2222, key=offered, comment="Site1")])
    read = paramiko.HostKeys(str(store.path)).lookup("[192.0.2.1]:2222")

    assert read is not None
    assert read[pair.get_name()].asbytes() == pair.asbytes()


def test_a_changed_file_is_read_again(store: HostKeyStore) -> None:
    store.path.write_text(line(SITE1, key(1)))
    assert store.known(SITE1, 22).keys == (key(1),)

    store.path.write_text(line(SITE1, key(2)))
    assert store.known(SITE1, 22).keys == (key(2),)

    store.path.unlink()
    assert store.known(SITE1, 22).keys == ()


def test_a_hashed_name_stays_found_when_the_file_changes(store: HostKeyStore) -> None:
    store.path.write_text(line(hashed(SITE1), key(1)))
    store.known(SITE1, 22)
    store.path.write_text(line(hashed(SITE1), key(1)) + line("192.0.2.2", key(2)))

    assert store.known(SITE1, 22).keys == (key(1),)
    assert store.known("192.0.2.2", 22).keys == (key(2),)


def test_lines_that_hold_no_whole_key_are_named_and_spoil_no_other(store: HostKeyStore) -> None:
    whole = line(SITE1, key(1))
    store.path.write_text(
        f"# a comment\n\n{whole}{whole[:-20]}\n192.0.2.3 ssh-rsa\n"
        f"{line('192.0.2.4', key(4)).replace('ssh-ed25519', 'ssh-rsa')}@trusted {whole}"
    )

    assert store.known(SITE1, 22).keys == (key(1),)
    assert [mistake.split(":")[0] for mistake in store.mistakes] == [
        "line 4",
        "line 5",
        "line 6",
        "line 7",
    ]


def test_a_certificate_authority_makes_no_key_known(store: HostKeyStore) -> None:
    store.path.write_text("@cert-authority " + line("*", key(1)))

    assert store.known(SITE1, 22).state_of(key(1)) is KeyState.NEW


def test_a_key_offered_is_known_new_changed_of_a_new_type_or_revoked(store: HostKeyStore) -> None:
    store.path.write_text(line(SITE1, key(1)) + "@revoked " + line("*", key(3)))
    known = store.known(SITE1, 22)

    assert known.state_of(key(1)) is KeyState.KNOWN
    assert known.state_of(key(2)) is KeyState.CHANGED
    assert known.state_of(key(2, "ssh-rsa")) is KeyState.NEW_TYPE
    assert known.state_of(key(3)) is KeyState.REVOKED
    assert store.known("192.0.2.2", 22).state_of(key(1)) is KeyState.NEW


# --- writing ---


def test_a_new_file_is_for_its_owner_alone(store: HostKeyStore) -> None:
    store.add([NewKey(host=SITE1, port=22, key=key(1), comment="Site1")])

    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert store.path.read_text() == line(SITE1, key(1)).replace("\n", " Site1\n")


def test_what_others_wrote_stays_as_it_is(store: HostKeyStore) -> None:
    foreign = b"# ours\r\n\n@weird x\n\xff\xfe\x0c\nnobody knows what this is\n"
    store.path.write_bytes(foreign + line(SITE1, key(1)).encode() + b"# end")
    store.path.chmod(0o640)
    store.add([NewKey(host=SITE1, port=22, key=key(2))], replace=True)

    assert store.path.read_bytes() == foreign + b"# end\n" + line(SITE1, key(2)).encode()
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o640


def test_replacing_takes_out_every_key_of_the_address_and_no_other(store: HostKeyStore) -> None:
    store.path.write_text(
        line(f"site1.example.net,{SITE1}", key(1))
        + line(SITE1, key(2, "ssh-rsa"))
        + line(hashed(SITE1), key(3))
        + line("192.0.2.2", key(4))
    )
    removed = store.add([NewKey(host=SITE1, port=22, key=key(9))], replace=True)

    assert removed == (key(1), key(2, "ssh-rsa"), key(3))
    assert store.known(SITE1, 22).keys == (key(9),)
    assert store.known("site1.example.net", 22).keys == (key(1),)
    assert store.known("192.0.2.2", 22).keys == (key(4),)


def test_a_key_known_by_a_pattern_is_not_replaced(store: HostKeyStore) -> None:
    text = line("192.0.2.*", key(1))
    store.path.write_text(text)
    with pytest.raises(HostKeyFileError, match=r"known_hosts:1: .* by a pattern; change it by"):
        store.add([NewKey(host=SITE1, port=22, key=key(2))], replace=True)

    assert store.path.read_text() == text


def test_a_link_to_the_file_stays_a_link(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.write_text(line(SITE1, key(1)))
    link = tmp_path / "known_hosts"
    link.symlink_to(real)
    HostKeyStore(link).add([NewKey(host=SITE1, port=22, key=key(2))], replace=True)

    assert link.is_symlink()
    assert real.read_text() == line(SITE1, key(2))


def test_a_line_without_end_is_ended_before_a_key_is_added(store: HostKeyStore) -> None:
    store.path.write_text(line(SITE1, key(1)).rstrip("\n"))
    store.add([NewKey(host="192.0.2.2", port=22, key=key(2))])

    assert store.path.read_text() == line(SITE1, key(1)) + line("192.0.2.2", key(2))
    assert store.known("192.0.2.2", 22).keys == (key(2),)


def test_nothing_is_added_to_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(HostKeyFileError, match="cannot be read: is a directory"):
        HostKeyStore(tmp_path).add([NewKey(host=SITE1, port=22, key=key(1))])


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    store = HostKeyStore(tmp_path / "nowhere" / "known_hosts")
    with pytest.raises(HostKeyFileError, match="cannot be written: no such file or directory; the"):
        store.add([NewKey(host=SITE1, port=22, key=key(1))])


def test_many_threads_of_several_processes_lose_no_key(path: Path) -> None:
    path.write_text("# ours\n" + "".join(line(address(number), key(99)) for number in range(3)))
    writer = [sys.executable, "-W", "error", host_key_writer.__file__, str(path)]
    processes = [
        subprocess.Popen([*writer, str(number)])  # noqa: S603 # our own program
        for number in range(3)
    ]
    codes = [process.wait(30) for process in processes]
    store = HostKeyStore(path)

    assert codes == [0, 0, 0]
    assert store.mistakes == ()
    assert all(
        store.known(address(process), 1000 + number).keys == (key(number),)
        for process in range(3)
        for number in range(FIRST_KEYS)
    )
    assert all(
        store.known(address(process), 22).keys == (key(REPLACEMENTS - 1),) for process in range(3)
    )
    assert len(path.read_text().splitlines()) == 1 + 3 * (FIRST_KEYS + 1)


def test_a_first_key_is_written_only_where_none_is_known(store: HostKeyStore) -> None:
    before = [
        store.add_first(NewKey(host=SITE1, port=22, key=key(seed))).keys for seed in (1, 1, 2)
    ]

    assert before == [(), (key(1),), (key(1),)]
    assert store.path.read_text() == line(SITE1, key(1))


def test_of_two_processes_that_see_different_first_keys_one_wins(path: Path) -> None:
    one, other = HostKeyStore(path), HostKeyStore(path)
    other.known(SITE1, 22)
    FirstUse(one, "Site1").accept(SITE1, 22, key(1))

    with pytest.raises(HostKeyRejected, match="has changed"):
        FirstUse(other, "Site1").accept(SITE1, 22, key(2))


# --- the policies ---


def test_strict_takes_the_known_key_and_asks_for_its_type_first(store: HostKeyStore) -> None:
    store.path.write_text(line(SITE1, key(1, "ssh-rsa")) + line(SITE1, key(2)))
    policy = KnownHosts(store, "Site1")
    policy.accept(SITE1, 22, key(2))

    assert policy.known_algorithms(SITE1, 22) == ("ssh-rsa", "ssh-ed25519")
    assert policy.known_algorithms("192.0.2.2", 22) == ()


def test_strict_refuses_an_unknown_key_and_says_how_to_trust_it(store: HostKeyStore) -> None:
    store.path.touch()
    with pytest.raises(HostKeyRejected) as caught:
        KnownHosts(store, "Site1").accept(SITE1, 22, key(1))

    assert str(caught.value) == (
        f"192.0.2.1:22: no host key is known for this device (offered {fingerprint(key(1))}); compare it with "
        f"the device's own, then: ipsecmon hostkeys trust Site1"
    )


def test_a_changed_key_is_refused_with_both_fingerprints(store: HostKeyStore) -> None:
    store.path.write_text(line(SITE1, key(1)))
    with pytest.raises(HostKeyRejected) as caught:
        KnownHosts(store, "Site1").accept(SITE1, 22, key(2))

    assert str(caught.value) == (
        f"192.0.2.1:22: the host key has changed: known {fingerprint(key(1))}, offered {fingerprint(key(2))}; "
        f"somebody may be in between. If the device was replaced: ipsecmon hostkeys trust Site1 --replace"
    )


@pytest.mark.parametrize("check", [HostKeyCheck.STRICT, HostKeyCheck.TOFU])
def test_a_revoked_key_and_one_of_another_type_are_refused(check: HostKeyCheck, path: Path) -> None:
    revoked = key(3, "ecdsa-sha2-nistp256")
    path.write_text("@revoked " + line("*", revoked) + line(SITE1, key(1)) + line(SITE1, revoked))
    policy = HostKeys(check, path).policy("Site1")

    assert policy.known_algorithms(SITE1, 22) == ("ssh-ed25519",)
    with pytest.raises(HostKeyRejected, match="is revoked"):
        policy.accept(SITE1, 22, revoked)
    with pytest.raises(HostKeyRejected, match="of a type not known for this device"):
        policy.accept(SITE1, 22, key(1, "ssh-rsa"))
    with pytest.raises(HostKeyRejected, match="is revoked"):
        policy.accept("192.0.2.2", 22, revoked)


def test_a_file_that_cannot_be_read_refuses_and_is_named(tmp_path: Path) -> None:
    with pytest.raises(HostKeyRejected, match=r"no host key is known.*: is a directory$"):
        KnownHosts(tmp_path).accept(SITE1, 22, key(1))
    with pytest.raises(HostKeyRejected, match=r"cannot be taken down: .* is a directory$"):
        FirstUse(HostKeyStore(tmp_path), "Site1").accept(SITE1, 22, key(1))


def test_the_first_key_is_taken_down_and_a_changed_one_refused(path: Path) -> None:
    first = HostKeys(HostKeyCheck.TOFU, path)
    first.policy("Site1").accept(SITE1, 22, key(1))
    first.policy("Site1").accept(SITE1, 22, key(1))
    later = HostKeys(HostKeyCheck.TOFU, path)

    with pytest.raises(HostKeyRejected, match="has changed"):
        later.policy("Site1").accept(SITE1, 22, key(2))
    assert (first.unverified, later.unverified) == (1, 0)
    assert path.read_text() == line(SITE1, key(1)).replace("\n", " Site1\n")


def test_off_takes_every_key_and_counts_the_addresses(path: Path) -> None:
    keys = HostKeys(HostKeyCheck.OFF, path)
    for seed in (1, 2):
        keys.policy("Site1").accept(SITE1, 22, key(seed))

    assert keys.unverified == 1
    assert isinstance(keys.policy("Site1"), AnyHostKey)
    assert not path.exists()


def test_a_fingerprint_is_what_openssh_prints() -> None:
    pair = paramiko.ECDSAKey.generate()
    offered = OfferedKey(algorithm=pair.get_name(), blob=pair.asbytes())

    assert fingerprint(offered) == f"ecdsa-sha2-nistp256 {pair.fingerprint}"


# --- said beforehand ---


def test_devices_without_a_key_are_named_and_many_are_counted(store: HostKeyStore) -> None:
    store.path.write_text(line(SITE1, key(1)) + "cut ssh-rsa\n")
    devices = [(f"R{number}", f"192.0.2.{number}", 22) for number in range(1, 32)]
    problems = known_hosts_problems(store, devices)

    assert problems[0].startswith(f"{store.path}: line 2: no whole host key")
    assert problems[1] == (
        f"{store.path}: no host key for 192.0.2.2, so R2 will be refused; verify its key and add it: "
        f"ipsecmon hostkeys trust R2"
    )
    assert problems[-1] == f"{store.path}: no host key for 10 more devices: ipsecmon hostkeys show"


def test_a_missing_file_is_one_problem(store: HostKeyStore) -> None:
    (problem,) = known_hosts_problems(store, [("R1", SITE1, 22), ("R2", "192.0.2.2", 22)])

    assert problem.startswith(f"{store.path}: no such file or directory, so every device will be")
