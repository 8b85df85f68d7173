"""Credentials are looked up at each use, and no error shows a secret."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

import asyncssh
import pytest

from ipsecmon.config import Credential, FromEnvironment, FromFile, Secret, load_config
from ipsecmon.credentials import CredentialError, Login, Logins
from ipsecmon.poller import Poller
from ipsecmon.sessions import PrivateKey

PLANTED = "hunter2-Pl4nted"


def lab(password: FromEnvironment | FromFile | Secret) -> dict[str, Credential]:
    return {"lab": Credential(username="monitor", password=password)}


def sentence(credentials: dict[str, Credential], environ: dict[str, str] | None = None) -> str:
    """What is said when the credential cannot be had; checked for the planted secret on the way."""
    with pytest.raises(CredentialError) as caught:
        Logins(credentials, environ=environ or {}).resolve("lab")
    assert PLANTED not in "".join(traceback.format_exception(caught.value))
    assert PLANTED not in repr(caught.value)
    assert caught.value.__context__ is None
    assert [str(caught.value)] == [
        str(e) for e in Logins(credentials, environ=environ or {}).check()
    ]
    return str(caught.value)


def test_a_literal_secret() -> None:
    login = Logins(lab(Secret(PLANTED)), environ={}).resolve("lab")

    assert login == Login(username="monitor", password=Secret(PLANTED), enable=None)
    assert PLANTED not in repr(login)


def test_an_environment_variable_is_read_anew() -> None:
    credentials = lab(FromEnvironment("LAB"))
    environ = {"LAB": "old"}
    logins = Logins(credentials, environ=environ)

    before = logins.resolve("lab")
    environ["LAB"] = "new"
    after = logins.resolve("lab")

    assert (before.password, after.password) == (Secret("old"), Secret("new"))


def test_the_environment_of_the_process_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPSECMON_TEST_LAB", PLANTED)
    credentials = lab(FromEnvironment("IPSECMON_TEST_LAB"))

    assert Logins(credentials).resolve("lab").password == Secret(PLANTED)
    assert Logins(credentials).check() == ()


def test_a_file_is_read_anew_without_the_newline_at_its_end(tmp_path: Path) -> None:
    path = tmp_path / "lab"
    credentials = lab(FromFile(path))

    seen: list[str] = []
    for data in (b"old\n", b"new\r\n", " spaces stay ä ".encode(), b"\xef\xbb\xbfmark\n"):
        path.write_bytes(data)
        password = Logins(credentials).resolve("lab").password
        assert password is not None
        seen.append(password.reveal())

    assert seen == ["old", "new", " spaces stay ä ", "mark"]


def test_enable_has_a_source_of_its_own() -> None:
    credential = Credential(
        username="monitor", password=Secret("one"), enable=FromEnvironment("ENABLE")
    )

    assert Logins({"lab": credential}, environ={"ENABLE": "two"}).resolve("lab").enable == Secret(
        "two"
    )


def test_the_log_is_told_every_secret() -> None:
    credential = Credential(username="monitor", password=Secret("one"), enable=Secret("two"))
    told: list[str] = []

    Logins({"lab": credential}, environ={}, redact=told.append).resolve("lab")

    assert told == ["one", "two"]


def test_a_variable_that_is_not_set() -> None:
    assert sentence(lab(FromEnvironment("LAB"))) == (
        "credentials.lab.password: environment variable LAB is not set; set it where ipsecmon is started"
    )


def test_an_empty_variable() -> None:
    assert sentence(lab(FromEnvironment("LAB")), {"LAB": ""}) == (
        "credentials.lab.password: environment variable LAB is empty; set it to the password alone"
    )


@pytest.mark.parametrize("value", [f"{PLANTED}\n", f"{PLANTED}\x03", f"{PLANTED}\udcff"])
def test_a_variable_that_would_send_more_than_a_password(value: str) -> None:
    assert sentence(lab(FromEnvironment("LAB")), {"LAB": value}) == (
        "credentials.lab.password: environment variable LAB holds more than one line or control characters; "
        "set it to the password alone"
    )


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert sentence(lab(FromFile(tmp_path / "lab"))) == (
        f"credentials.lab.password: file {tmp_path}/lab does not exist; "
        "create it with the password as its only line"
    )


def test_a_directory(tmp_path: Path) -> None:
    assert sentence(lab(FromFile(tmp_path))) == (
        f"credentials.lab.password: file {tmp_path} is not a regular file; "
        "give the path of a file with the password"
    )


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "lab")

    assert "is not a regular file" in sentence(lab(FromFile(tmp_path / "lab")))


def test_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "lab").write_text(PLANTED)

    assert sentence(lab(FromFile(tmp_path / "lab" / "more"))) == (
        f"credentials.lab.password: file {tmp_path}/lab/more cannot be read (Not a directory); "
        "make it readable for the account that runs ipsecmon"
    )


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (f"{PLANTED}\nsecond line\n".encode(), "holds more than one line or control characters"),
        (PLANTED.encode() + b"\xff", "is not text in UTF-8"),
        (PLANTED.encode() * 1000, "is longer than 4096 bytes"),
    ],
    ids=["empty", "newline", "two lines", "bytes", "long"],
)
def test_a_file_that_holds_no_password(data: bytes, problem: str, tmp_path: Path) -> None:
    (tmp_path / "lab").write_bytes(data)

    assert sentence(lab(FromFile(tmp_path / "lab"))) == (
        f"credentials.lab.password: file {tmp_path}/lab {problem}; "
        "write the password into it as its only line"
    )


def test_check_reports_all_that_is_missing() -> None:
    credentials = {
        "lab": Credential(
            username="a", password=FromEnvironment("ONE"), enable=FromEnvironment("TWO")
        ),
        "hub": Credential(username="a", password=FromEnvironment("THREE")),
        "spare": Credential(username="a", password=Secret("x")),
    }

    errors = Logins(credentials, environ={"TWO": "set"}).check()

    assert [(error.credential, error.key, error.source) for error in errors] == [
        ("lab", "password", "environment variable ONE"),
        ("hub", "password", "environment variable THREE"),
    ]


def test_a_session_gets_the_whole_login(tmp_path: Path) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")  # pyright: ignore[reportUnknownMemberType] # untyped **kwargs
    (tmp_path / "id").write_bytes(key.export_private_key())
    (tmp_path / "ipsecmon.yml").write_text(
        "host_keys: {check: off}\n"
        "credentials:\n  lab: {username: {env: WHO}, key: id, enable: two, password: {env: LAB}}\n"
        "devices:\n  - {name: Site1, host: 192.0.2.1, platform: ios, credentials: lab}\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WHO", "ann")
        patch.setenv("LAB", PLANTED)
        target = Poller(load_config(tmp_path / "ipsecmon.yml")).target("Site1")

    assert (target.username, target.password, target.enable_secret) == ("ann", PLANTED, "two")
    assert target.private_key == PrivateKey(file=tmp_path / "id")
    assert (target.credential, target.use_agent) == ("lab", False)
    assert target.fingerprint
    assert PLANTED not in repr(target)
