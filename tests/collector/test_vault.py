"""Secrets in Vault, over HTTP against a Vault on the loopback address."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from fake_vault import FakeVault
from ipsecmon.config import Credential, FromFile, FromVault, Secret, Vault
from ipsecmon.credentials import CredentialError, Logins
from ipsecmon.credentials.memory import KEEP_FAILURE_SECONDS, KEEP_SECONDS
from ipsecmon.credentials.vault import RENEW_SECONDS

LOGIN = "write /v1/auth/approle/login"
READ = "read /v1/secret/data/routers/lab"
WHERE = "credentials.lab.password: key 'password' of secret/routers/lab in Vault"


class Asked:
    """The logins of one credential in a fake Vault, with a clock of their own."""

    def __init__(self, fake: FakeVault, folder: Path) -> None:
        self.fake = fake
        self.folder = folder
        self.now = 1000.0
        self.hidden: list[str] = []

    def logins(self, source: FromVault | None = None, **login: object) -> Logins:
        keys = login or {"role_id": "ipsecmon", "secret_id": Secret(self.fake.secret_id)}
        vault = Vault.model_validate({"address": self.fake.address, **keys})
        password = source or FromVault(path="routers/lab", key="password")
        credentials = {"lab": Credential(username="monitor", password=password)}
        return Logins(credentials, vault, clock=lambda: self.now, redact=self.hidden.append)


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asked]:
    with FakeVault() as fake:
        yield Asked(fake, tmp_path)


def sentence(logins: Logins) -> str:
    with pytest.raises(CredentialError) as caught:
        logins.resolve("lab")
    told = "".join(traceback.format_exception(caught.value))
    assert "from-vault" not in told
    assert "secret-id" not in told
    assert "given-token" not in told
    return str(caught.value)


def test_an_app_role_logs_in_once_and_reads(asked: Asked) -> None:
    logins = asked.logins()

    first = logins.resolve("lab").password
    asked.now += KEEP_SECONDS
    second = logins.resolve("lab").password

    assert first == second == Secret("from-vault")
    assert asked.fake.requests == [LOGIN, READ, READ]
    assert set(asked.hidden) == {"secret-id", "given-token-1", "from-vault"}


def test_a_token_from_a_file_reads_version_1(asked: Asked) -> None:
    (asked.folder / "token").write_text("file-token\n")
    asked.fake.tokens.add("file-token")
    source = FromVault(path="old", key="password", mount="kv", version=1)

    login = asked.logins(source, token=FromFile(asked.folder / "token")).resolve("lab")

    assert login.password == Secret("from-version-1")
    assert set(asked.hidden) == {"file-token", "from-version-1"}


def test_the_token_in_the_environment_is_not_taken(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAULT_TOKEN", "of-somebody")

    asked.logins().resolve("lab")

    assert asked.fake.tokens_seen == {None}


def test_a_pod_logs_in_with_its_own_account(asked: Asked) -> None:
    (asked.folder / "pod").write_text(asked.fake.jwt)
    logins = asked.logins(
        kubernetes_role="ipsecmon", kubernetes_token=asked.folder / "pod", namespace="network"
    )

    assert logins.resolve("lab").password == Secret("from-vault")
    assert asked.fake.requests[0] == "write /v1/auth/kubernetes/login"
    assert asked.fake.namespaces == {"network"}


def test_outside_of_a_pod(asked: Asked) -> None:
    logins = asked.logins(kubernetes_role="ipsecmon", kubernetes_token=asked.folder / "pod")

    assert sentence(logins) == (
        f"{WHERE} cannot be read: vault.kubernetes_token: file {asked.folder}/pod does not exist; "
        "run ipsecmon in a pod with a service account"
    )


def test_an_ended_token_is_replaced_at_once(asked: Asked) -> None:
    logins = asked.logins()
    logins.resolve("lab")
    asked.fake.tokens.clear()
    asked.now += KEEP_SECONDS

    assert logins.resolve("lab").password == Secret("from-vault")
    assert asked.fake.requests == [LOGIN, READ, READ, LOGIN, READ]


def test_a_token_in_use_is_renewed(asked: Asked) -> None:
    logins = asked.logins()
    logins.resolve("lab")
    asked.now += RENEW_SECONDS

    logins.resolve("lab")

    assert asked.fake.requests == [LOGIN, READ, "write /v1/auth/token/renew-self", READ]


def test_a_login_that_may_not_read(asked: Asked) -> None:
    logins = asked.logins(token=Secret("of-nobody"))

    assert sentence(logins) == (
        f"{WHERE} may not be read with this login; give its login a policy that may read this path"
    )


def test_a_login_that_is_refused_is_not_tried_again_for_seconds(asked: Asked) -> None:
    logins = asked.logins(role_id="ipsecmon", secret_id=Secret("wrong"))

    assert sentence(logins) == sentence(logins)
    assert sentence(logins) == (
        f"{WHERE} cannot be read: Vault refused the login; check the login under 'vault'"
    )
    assert asked.fake.requests == [LOGIN]
    asked.now += KEEP_FAILURE_SECONDS
    sentence(logins)
    assert asked.fake.requests == [LOGIN, LOGIN]


def test_a_vault_in_trouble_is_not_asked_for_other_secrets_either(asked: Asked) -> None:
    asked.fake.is_sealed = True
    vault = Vault(address=asked.fake.address, token=Secret("t"))
    credentials = {
        name: Credential(username="monitor", password=FromVault(path=name, key="password"))
        for name in ("lab", "hub")
    }
    logins = Logins(credentials, vault, clock=lambda: asked.now)

    told = [str(error) for error in logins.check()]

    assert told == [
        f"credentials.{name}.password: key 'password' of secret/{name} in Vault cannot be read: "
        f"{asked.fake.address} is in trouble (VaultDown); see whether Vault is unsealed and well"
        for name in ("lab", "hub")
    ]
    assert asked.fake.requests == ["read /v1/secret/data/lab"]
    asked.fake.is_sealed = False
    asked.fake.tokens.add("t")
    asked.now += KEEP_FAILURE_SECONDS
    assert "no such secret" in sentence(logins)


def test_nobody_listens(asked: Asked) -> None:
    asked.fake.stop()

    assert sentence(asked.logins()) == (
        f"{WHERE} cannot be read: no answer from {asked.fake.address} (ConnectionError); "
        "check 'vault.address' and the way there"
    )


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (
            FromVault(path="routers/hub", key="password"),
            (
                "key 'password' of secret/routers/hub in Vault cannot be read: there is no such secret; "
                "check 'path', 'mount' and 'version'"
            ),
        ),
        (
            FromVault(path="old", key="password", mount="kv"),
            (
                "key 'password' of kv/old in Vault cannot be read: there is no such secret; "
                "check 'path', 'mount' and 'version'"
            ),
        ),
        (
            FromVault(path="routers/lab", key="secret"),
            (
                "key 'secret' of secret/routers/lab in Vault cannot be read: the secret has no such key with a text; "
                "check 'key'"
            ),
        ),
        (
            FromVault(path="routers/lab", key="number"),
            (
                "key 'number' of secret/routers/lab in Vault cannot be read: the secret has no such key with a text; "
                "check 'key'"
            ),
        ),
    ],
    ids=["path", "version", "key", "number"],
)
def test_what_is_not_there(source: FromVault, told: str, asked: Asked) -> None:
    assert sentence(asked.logins(source)) == f"credentials.lab.password: {told}"


def test_the_secret_of_the_login_cannot_be_had(asked: Asked) -> None:
    logins = asked.logins(token=FromFile(asked.folder / "token"))

    assert sentence(logins) == (
        f"{WHERE} cannot be read: vault.token (file {asked.folder}/token) does not exist; "
        "create it with the password as its only line"
    )


def test_without_the_package_one_sentence_says_what_to_install(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "hvac", None)

    assert (
        sentence(asked.logins()) == f"{WHERE} needs the package hvac; pip install 'ipsecmon[vault]'"
    )
