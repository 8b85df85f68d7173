"""Where secrets can come from: systemd, programs, keyrings, private keys; each is had, or one sentence says why not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
import traceback
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncssh
import keyring
import pytest
from keyring.backend import KeyringBackend

from ipsecmon.config import (
    AnySource,
    Credential,
    FromCommand,
    FromEnvironment,
    FromKeyring,
    FromSystemd,
    FromVault,
    Secret,
)
from ipsecmon.credentials import CredentialError, Logins
from ipsecmon.credentials.commands import from_command
from ipsecmon.credentials.memory import FRESH_SECONDS, KEEP_FAILURE_SECONDS, KEEP_SECONDS, Memory
from ipsecmon.credentials.problems import Problem

PLANTED = "hunter2-Pl4nted"
BY_HAND = "run it by hand as the account that runs ipsecmon"


def lab(password: AnySource) -> dict[str, Credential]:
    return {"lab": Credential(username="monitor", password=password)}


def sentence(logins: Logins) -> str:
    with pytest.raises(CredentialError) as caught:
        logins.resolve("lab")
    assert PLANTED not in "".join(traceback.format_exception(caught.value))
    return str(caught.value)


def shell(script: str) -> FromCommand:
    return FromCommand(("sh", "-c", script))


def said(script: str, seconds: float = 10.0) -> Secret | Problem:
    return from_command(shell(script).command, os.environ, seconds)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


# systemd


def test_systemd_puts_a_credential_into_a_folder(tmp_path: Path) -> None:
    (tmp_path / "lab").write_text(PLANTED + "\n")
    logins = Logins(lab(FromSystemd("lab")), environ={"CREDENTIALS_DIRECTORY": str(tmp_path)})

    assert logins.resolve("lab").password == Secret(PLANTED)


def test_a_service_without_credentials_of_systemd() -> None:
    assert sentence(Logins(lab(FromSystemd("lab")), environ={})) == (
        "credentials.lab.password: credential lab of systemd is not there (CREDENTIALS_DIRECTORY is not set); "
        "add LoadCredential=lab:PATH to the unit of the service"
    )


def test_a_credential_that_systemd_was_not_told_of(tmp_path: Path) -> None:
    logins = Logins(lab(FromSystemd("lab")), environ={"CREDENTIALS_DIRECTORY": str(tmp_path)})

    assert sentence(logins) == (
        "credentials.lab.password: credential lab of systemd does not exist; "
        "add LoadCredential=lab:PATH to the unit of the service"
    )


# programs


def test_the_first_line_of_a_program_is_the_secret() -> None:
    assert said(f"echo {PLANTED}; echo user: monitor") == Secret(PLANTED)


def test_a_program_gets_the_environment_and_no_shell() -> None:
    command = FromCommand(("printenv", "LAB"))
    logins = Logins(lab(command), environ={"LAB": "$(id) *", "PATH": os.environ["PATH"]})

    assert logins.resolve("lab").password == Secret("$(id) *")


def test_a_program_that_fails_is_told_with_its_exit_code_and_none_of_its_words() -> None:
    script = f"echo {PLANTED}; echo {PLANTED} is wrong >&2; exit 3"

    assert sentence(Logins(lab(shell(script)))) == (
        f"credentials.lab.password: command sh ended with exit code 3; {BY_HAND}"
    )


def test_a_program_that_is_killed() -> None:
    assert said("kill -9 $$") == Problem("was ended by signal 9", BY_HAND)


def test_a_program_that_is_not_there() -> None:
    assert from_command(("/nowhere/pass",), os.environ) == Problem(
        "cannot be started (No such file or directory)",
        "give the full path of a program that the account of ipsecmon may run",
    )


def test_a_program_that_prints_nothing() -> None:
    assert said("true") == Problem(
        "printed nothing in its first line", "let it print the password alone as its first line"
    )


def test_a_program_that_does_not_end_is_killed_with_all_it_started(tmp_path: Path) -> None:
    note = tmp_path / "child"
    started = time.monotonic()

    found = said(f"sleep 60 & echo $! > {note}; echo {PLANTED}; wait", 0.5)

    assert found == Problem("did not end within 0.5 s and was killed", BY_HAND)
    assert time.monotonic() - started < 10
    child = int(note.read_text())
    deadline = time.monotonic() + 10
    while is_running(child):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_running(process: int) -> bool:
    """Not ended; one that ended and that nobody has asked about yet counts as ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_program_that_prints_without_end_costs_no_memory() -> None:
    tracemalloc.start()
    try:
        found = said(f"yes {PLANTED}", 0.5)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert found == Problem("did not end within 0.5 s and was killed", BY_HAND)
    assert most < 1_000_000


def test_a_line_that_is_no_password() -> None:
    assert said("head -c 5000000 /dev/zero | tr '\\0' x") == Problem(
        "printed a line longer than 4096 bytes", "let it print the password alone as its first line"
    )


def test_what_a_program_leaves_running_is_not_waited_for(tmp_path: Path) -> None:
    note = tmp_path / "agent"
    started = time.monotonic()
    try:
        assert said(f"sleep 20 & echo $! > {note}; echo {PLANTED}") == Secret(PLANTED)
        assert time.monotonic() - started < 8
        assert is_running(int(note.read_text()))
    finally:
        os.kill(int(note.read_text()), 9)


def test_a_thousand_logins_start_one_program(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    logins = Logins(lab(shell(f"echo run >> {runs}; sleep 0.2; echo {PLANTED}")))

    with ThreadPoolExecutor(20) as pool:
        found = {login.password for login in pool.map(logins.resolve, ["lab"] * 1000)}

    assert found == {Secret(PLANTED)}
    assert runs.read_text() == "run\n"


def test_a_refused_secret_is_asked_for_again_at_the_next_attempt(tmp_path: Path) -> None:
    clock = Clock()
    store = tmp_path / "store"
    store.write_text("old")
    logins = Logins(lab(FromCommand(("cat", str(store)))), clock=clock)
    before = logins.resolve("lab")
    store.write_text("new")
    clock.now += FRESH_SECONDS + 1
    kept = logins.resolve("lab")

    logins.doubt("lab")
    after = logins.resolve("lab")

    passwords = [login.password for login in (before, kept, after)]
    assert passwords == [Secret("old"), Secret("old"), Secret("new")]
    assert before.fingerprint == kept.fingerprint != after.fingerprint


# what is kept


def test_an_answer_is_kept_for_minutes_and_a_failure_for_seconds() -> None:
    clock = Clock()
    memory = Memory(clock)
    answers: list[Secret | Problem] = [Problem("is down", "wait"), Secret("a"), Secret("b")]

    seen: list[Secret | Problem] = []
    for wait in (0.0, KEEP_FAILURE_SECONDS - 1, 1, KEEP_SECONDS - 1, 1):
        clock.now += wait
        seen.append(memory.get("source", lambda: answers.pop(0)))

    assert seen == [
        Problem("is down", "wait"),
        Problem("is down", "wait"),
        Secret("a"),
        Secret("a"),
        Secret("b"),
    ]


def test_a_storm_of_refusals_does_not_become_one_of_questions() -> None:
    clock = Clock()
    memory = Memory(clock)
    asked: list[float] = []

    def ask() -> Secret:
        asked.append(clock.now)
        return Secret("wrong")

    for _ in range(100):
        memory.get("source", ask)
        memory.doubt(["source"])
        clock.now += 0.1

    assert len(asked) == 1


def test_one_slow_source_does_not_hold_up_another() -> None:
    memory = Memory()
    go_on = threading.Event()

    def wait() -> Secret:
        go_on.wait(20)
        return Secret("slow")

    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(memory.get, "slow", wait)
        try:
            assert memory.get("fast", lambda: Secret("fast")) == Secret("fast")
            assert not slow.done()
        finally:
            go_on.set()


# keyrings


class FakeKeyring(KeyringBackend):
    """Holds one password; one service breaks."""

    priority = 1  # pyright: ignore[reportAssignmentType, reportUnannotatedClassAttribute] # as keyring documents it

    def __init__(self) -> None:
        """Without what the package looks up in the environment."""

    def get_password(self, service: str, username: str) -> str | None:
        if service == "locked":
            raise RuntimeError(PLANTED)
        return PLANTED if (service, username) == ("ipsecmon", "lab") else None

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError


@pytest.fixture
def fake_keyring() -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(FakeKeyring())
    yield
    keyring.set_keyring(before)


@pytest.mark.usefixtures("fake_keyring")
def test_the_keyring_is_asked() -> None:
    logins = Logins(lab(FromKeyring("ipsecmon", "lab")))

    assert logins.resolve("lab").password == Secret(PLANTED)


@pytest.mark.usefixtures("fake_keyring")
def test_the_keyring_has_no_such_entry() -> None:
    assert sentence(Logins(lab(FromKeyring("ipsecmon", "hub")))) == (
        "credentials.lab.password: keyring entry 'ipsecmon' of 'hub' does not exist; "
        "store it with 'keyring set ipsecmon hub' as the account that runs ipsecmon"
    )


@pytest.mark.usefixtures("fake_keyring")
def test_a_keyring_that_breaks_is_told_without_its_words() -> None:
    assert sentence(Logins(lab(FromKeyring("locked", "lab")))) == (
        "credentials.lab.password: keyring entry 'locked' of 'lab' cannot be read (RuntimeError); "
        "see whether this machine has a keyring and whether it is unlocked"
    )


def test_without_the_package_one_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)

    assert sentence(Logins(lab(FromKeyring("ipsecmon", "lab")))) == (
        "credentials.lab.password: keyring entry 'ipsecmon' of 'lab' needs the package keyring; "
        "pip install 'ipsecmon[keyring]'"
    )


# keys and user names


def key_file(folder: Path, passphrase: str | None = None) -> Path:
    key = asyncssh.generate_private_key("ssh-ed25519")  # pyright: ignore[reportUnknownMemberType] # untyped **kwargs
    path = folder / "id"
    path.write_bytes(
        key.export_private_key(passphrase=passphrase, rounds=1, ignore_few_rounds=True)
    )
    return path


def by_key(path: Path, passphrase: AnySource | None = None) -> Logins:
    credential = Credential(username="monitor", key=path, passphrase=passphrase)
    return Logins({"lab": credential})


def test_a_key_is_looked_at_and_passed_on(tmp_path: Path) -> None:
    path = key_file(tmp_path)

    login = by_key(path).resolve("lab")

    assert (login.key, login.passphrase, login.password) == (path, None, None)


def test_a_key_with_its_passphrase(tmp_path: Path) -> None:
    path = key_file(tmp_path, PLANTED)

    login = by_key(path, Secret(PLANTED)).resolve("lab")

    assert (login.key, login.passphrase) == (path, Secret(PLANTED))
    assert PLANTED not in repr(login)


def test_a_key_is_opened_once_as_long_as_its_file_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opening it is slow on purpose, and a thousand devices may use it."""
    logins = by_key(key_file(tmp_path, PLANTED), Secret(PLANTED))
    opened: list[int] = []
    really = asyncssh.import_private_key

    def count(data: bytes, passphrase: str | None) -> asyncssh.SSHKey:
        opened.append(len(data))
        return really(data, passphrase)

    monkeypatch.setattr(asyncssh, "import_private_key", count)
    for _ in range(5):
        logins.resolve("lab")
    assert len(opened) == 1

    key_file(tmp_path, PLANTED)
    logins.resolve("lab")
    assert len(opened) == 2


@pytest.mark.parametrize(
    ("passphrase", "problem"),
    [
        (None, "is encrypted; add 'passphrase' to the credential"),
        (Secret("wrong"), "is not opened by its passphrase; correct 'passphrase'"),
    ],
    ids=["none", "wrong"],
)
def test_a_key_that_does_not_open(passphrase: Secret | None, problem: str, tmp_path: Path) -> None:
    path = key_file(tmp_path, PLANTED)
    logins = by_key(path, passphrase)

    assert sentence(logins) == f"credentials.lab.key: file {path} {problem}"
    assert [str(error) for error in logins.check()] == [
        f"credentials.lab.key: file {path} {problem}"
    ]


@pytest.mark.parametrize(
    "data", [b"", PLANTED.encode(), b"\xff\x00", b"-----BEGIN OPENSSH PRIVATE KEY-----\n"]
)
def test_a_file_that_is_no_key(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "id"
    path.write_bytes(data)

    assert sentence(by_key(path)) == (
        f"credentials.lab.key: file {path} is not a private key; "
        "give a private key in the form of OpenSSH or PEM, such as ssh-keygen makes"
    )


def test_a_public_key_is_no_private_key(tmp_path: Path) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")  # pyright: ignore[reportUnknownMemberType] # untyped **kwargs
    path = tmp_path / "id.pub"
    path.write_bytes(key.export_public_key())

    assert "is not a private key" in sentence(by_key(path))


def test_a_key_that_is_not_there(tmp_path: Path) -> None:
    assert sentence(by_key(tmp_path / "id")) == (
        f"credentials.lab.key: file {tmp_path}/id does not exist; give the path of a private key"
    )


def test_a_replaced_key_is_a_changed_secret(tmp_path: Path) -> None:
    logins = by_key(key_file(tmp_path))
    before = logins.resolve("lab").fingerprint

    key_file(tmp_path)

    assert logins.resolve("lab").fingerprint != before


BY_AGENT = {"lab": Credential(username="monitor", agent=True)}


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Path]:
    """The socket of a running agent."""
    program = shutil.which("ssh-agent")
    if program is None:
        pytest.skip("ssh-agent is missing: Debian's package openssh-client brings it")
    path = tmp_path / "agent"
    with subprocess.Popen([program, "-D", "-a", str(path)], stdout=subprocess.DEVNULL) as process:  # noqa: S603 # found above
        deadline = time.monotonic() + 10
        while not path.exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield path
        process.terminate()


def test_an_agent_alone_is_a_login(agent: Path) -> None:
    logins = Logins(BY_AGENT, environ={"SSH_AUTH_SOCK": str(agent)})

    login = logins.resolve("lab")

    assert (login.agent, login.password, login.key) == (True, None, None)
    assert logins.check() == ()


def test_an_agent_that_is_not_there(tmp_path: Path) -> None:
    todo = "start ipsecmon with the SSH_AUTH_SOCK of an agent that runs"

    assert sentence(Logins(BY_AGENT, environ={})) == (
        f"credentials.lab.agent: SSH agent is not there (SSH_AUTH_SOCK is not set); {todo}"
    )
    assert sentence(Logins(BY_AGENT, environ={"SSH_AUTH_SOCK": f"{tmp_path}/agent"})) == (
        f"credentials.lab.agent: SSH agent does not answer at {tmp_path}/agent (No such file or directory); {todo}"
    )


def test_a_password_beside_the_agent_is_enough_for_a_login_and_not_for_the_check() -> None:
    credential = Credential(username="monitor", agent=True, password=Secret(PLANTED))
    logins = Logins({"lab": credential}, environ={})

    assert logins.resolve("lab").password == Secret(PLANTED)
    assert [error.key for error in logins.check()] == ["agent"]


def test_a_user_name_has_a_source_too_and_is_not_hidden() -> None:
    credential = Credential(username=FromEnvironment("WHO"), password=Secret(PLANTED))
    told: list[str] = []

    login = Logins({"lab": credential}, environ={"WHO": "ann"}, redact=told.append).resolve("lab")

    assert login.username == "ann"
    assert told == [PLANTED]


def test_a_fingerprint_means_nothing_to_another_process_and_is_not_shown() -> None:
    first, second = (Logins(lab(Secret(PLANTED))).resolve("lab") for _ in range(2))

    assert first.fingerprint != second.fingerprint
    assert repr(first.fingerprint) not in repr(first)


def test_arguments_of_a_command_are_not_dumped() -> None:
    credential = Credential(username="a", password=FromCommand(("get", "--token", PLANTED)))
    vault = FromVault(path="routers/lab", key="password")

    dumped = json.dumps(credential.model_dump(mode="json"))

    assert PLANTED not in dumped + str(credential.password)
    assert json.loads(dumped)["password"] == {"command": ["get", "***", "***"]}
    assert Credential(username="a", password=vault).model_dump(mode="json")["password"] == {
        "vault": {"path": "routers/lab", "key": "password", "mount": "secret", "version": 2}
    }


def test_a_passphrase_that_cannot_be_had_is_told_once(tmp_path: Path) -> None:
    logins = by_key(key_file(tmp_path, PLANTED), FromEnvironment("IPSECMON_TEST_NOT_SET"))

    assert [(error.credential, error.key) for error in logins.check()] == [("lab", "passphrase")]


def test_slow_sources_are_checked_at_the_same_time(tmp_path: Path) -> None:
    """Each of these programs ends only when the other has begun."""
    meet = "touch {0}/{1}; while [ ! -e {0}/{2} ]; do sleep 0.02; done; echo x"
    credentials = {
        name: Credential(username="a", password=shell(meet.format(tmp_path, name, other)))
        for name, other in (("one", "two"), ("two", "one"))
    }

    assert Logins(credentials).check() == ()


def test_a_doubt_does_not_wait_for_a_source_that_is_being_asked() -> None:
    memory = Memory()
    asked, answered = threading.Event(), threading.Event()

    def ask() -> Secret:
        asked.set()
        answered.wait(10)
        return Secret("planted-secret")

    waiting = threading.Thread(target=memory.get, args=("vault", ask))
    waiting.start()
    assert asked.wait(5)
    began = time.monotonic()
    memory.doubt(["vault"])
    took = time.monotonic() - began
    answered.set()
    waiting.join(5)

    assert took < 2
