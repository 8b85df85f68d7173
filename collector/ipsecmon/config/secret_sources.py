"""Where a secret comes from, as it is written: a reference to something outside of the file, or the text itself.

Each kind of reference is a mapping with one key, ``{env: NAME}``, ``{command: [pass, show, routers/lab]}``; what is read
here is only the reference. ``credentials`` follows it at each connect.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, cast
from urllib.parse import urlsplit

from ipsecmon.config.mistakes import NotAccepted
from ipsecmon.config.readings import Reading, read_host, read_path, read_text
from ipsecmon.config.secret import HIDDEN, Secret

__all__ = [
    "AnySource",
    "FromCommand",
    "FromEnvironment",
    "FromFile",
    "FromKeyring",
    "FromSystemd",
    "FromVault",
    "Reference",
    "SecretSource",
    "UsernameSource",
    "VaultAddress",
    "YesNo",
    "is_vault_reference",
]

ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")
# systemd.exec(5), LoadCredential=: the name of a file in one folder
SYSTEMD_NAME = re.compile(r"(?!\.\.?\Z)[^/\x00]{1,255}")
# ${NAME} is what other tools expand; taken literally it would be tried on every router until the account is locked
SHELL_VARIABLE = re.compile(r"\$\{[^}]*\}")

REFERENCES = (
    "{env: NAME}, {file: PATH}, {systemd: NAME}, {command: [...]}, {keyring: {...}}, {vault: {...}}"
)
COMMAND = "{command: [PROGRAM, ARGUMENT, ...]}, a list of texts on one line each"
KEYRING = "{keyring: {service: TEXT, username: TEXT}}"
VAULT = "{vault: {path: TEXT, key: TEXT}}, and optionally 'mount' and 'version' (1 or 2)"


@dataclass(frozen=True, slots=True)
class FromEnvironment:
    """The secret is the value of an environment variable."""

    env: str

    def __str__(self) -> str:
        return f"environment variable {self.env}"


@dataclass(frozen=True, slots=True)
class FromFile:
    """The secret is the content of a file, without the newline at its end."""

    file: Path

    def __str__(self) -> str:
        return f"file {self.file}"


@dataclass(frozen=True, slots=True)
class FromSystemd:
    """The secret is a credential that systemd passes to the service (``LoadCredential=``)."""

    name: str

    def __str__(self) -> str:
        return f"credential {self.name} of systemd"


@dataclass(frozen=True, slots=True)
class FromCommand:
    """The secret is the first line that a program prints; no shell is involved."""

    command: tuple[str, ...]

    def __str__(self) -> str:
        # the arguments stay unsaid: one of them may be a token
        return f"command {self.command[0]}"


@dataclass(frozen=True, slots=True)
class FromKeyring:
    """The secret lies in the keyring of the account that runs ipsecmon."""

    service: str
    username: str

    def __str__(self) -> str:
        return f"keyring entry {self.service!r} of {self.username!r}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FromVault:
    """The secret is one key of a secret in HashiCorp Vault's key/value store."""

    path: str
    key: str
    mount: str = "secret"
    version: int = 2

    def __str__(self) -> str:
        return f"key {self.key!r} of {self.mount}/{self.path} in Vault"


Reference = FromEnvironment | FromFile | FromSystemd | FromCommand | FromKeyring | FromVault
AnySource = Reference | Secret
_REFERENCE_KINDS = (FromEnvironment, FromFile, FromSystemd, FromCommand, FromKeyring, FromVault)


def read_secret(value: object, directory: Path | None) -> AnySource:
    match value:
        case Secret():
            return value
        case str() if SHELL_VARIABLE.fullmatch(value):
            raise NotAccepted("{env: NAME}; ${NAME} is not expanded")
        case str():
            return Secret(read_text(value))
        case _:
            return read_reference(value, directory)


def read_username(value: object, directory: Path | None) -> str | Reference:
    return read_text(value) if isinstance(value, str) else read_reference(value, directory)


def read_reference(value: object, directory: Path | None) -> Reference:
    """A mapping with the one key that names the kind, and nothing beside it."""
    if isinstance(value, _REFERENCE_KINDS):
        return value
    if not isinstance(value, dict) or len(cast("dict[object, object]", value)) != 1:
        raise ValueError
    ((kind, content),) = cast("dict[str, object]", value).items()
    if (read := _KINDS.get(kind)) is None:
        raise ValueError
    return read(content, directory)


def read_environment(content: object, _: Path | None) -> FromEnvironment:
    if not isinstance(content, str) or not ENVIRONMENT_NAME.fullmatch(content):
        raise ValueError
    return FromEnvironment(content)


def read_file(content: object, directory: Path | None) -> FromFile:
    return FromFile(read_path(content, directory))


def read_systemd(content: object, _: Path | None) -> FromSystemd:
    name = read_text(content)
    if not SYSTEMD_NAME.fullmatch(name):
        raise ValueError
    return FromSystemd(name)


def read_command(content: object, _: Path | None) -> FromCommand:
    items = cast("list[object]", content) if isinstance(content, list | tuple) else []
    try:
        words = tuple(read_text(item) for item in items)
    except ValueError:
        words = ()
    if not words:
        raise NotAccepted(COMMAND)
    return FromCommand(words)


def read_keyring(content: object, _: Path | None) -> FromKeyring:
    texts = texts_of(content)
    if texts is None or texts.keys() != {"service", "username"}:
        raise NotAccepted(KEYRING)
    return FromKeyring(**texts)


def read_vault(content: object, _: Path | None) -> FromVault:
    texts = texts_of(content)
    if texts is None or not {"path", "key"} <= texts.keys() <= {"path", "key", "mount", "version"}:
        raise NotAccepted(VAULT)
    version = texts.pop("version", "2")
    if version not in ("1", "2"):
        raise NotAccepted(VAULT)
    path, mount = texts["path"].strip("/"), texts.get("mount", "secret").strip("/")
    if not is_plain_path(path) or not is_plain_path(mount):
        raise NotAccepted(VAULT)
    return FromVault(path=path, key=texts["key"], mount=mount, version=int(version))


def is_plain_path(text: str) -> bool:
    return bool(text) and not any(step in ("", ".", "..") for step in text.split("/"))


def texts_of(content: object) -> dict[str, str] | None:
    """A mapping of texts to texts on one line, ``None`` for anything else."""
    if not isinstance(content, dict):
        return None
    texts: dict[str, str] = {}
    for key, value in cast("dict[object, object]", content).items():
        try:
            texts[read_text(key)] = read_text(str(value) if isinstance(value, int) else value)
        except ValueError:
            return None
    return texts


_KINDS: Mapping[str, Callable[[object, Path | None], Reference]] = MappingProxyType(
    {
        "env": read_environment,
        "file": read_file,
        "systemd": read_systemd,
        "command": read_command,
        "keyring": read_keyring,
        "vault": read_vault,
    }
)


def dump_source(value: object) -> object:
    """As it is written, but for the arguments of a command and a text that is the secret itself."""
    match value:
        case FromEnvironment():
            return {"env": value.env}
        case FromFile():
            return {"file": str(value.file)}
        case FromSystemd():
            return {"systemd": value.name}
        case FromCommand():
            return {"command": [value.command[0], *[HIDDEN] * (len(value.command) - 1)]}
        case FromKeyring():
            return {"keyring": {"service": value.service, "username": value.username}}
        case FromVault():
            return {
                "vault": {
                    "path": value.path,
                    "key": value.key,
                    "mount": value.mount,
                    "version": value.version,
                }
            }
        case _:
            return HIDDEN


def dump_username(value: object) -> object:
    return value if isinstance(value, str) else dump_source(value)


def is_vault_reference(value: object) -> bool:
    """Whether this, as it stands in the file, asks for a secret in Vault."""
    return isinstance(value, dict) and "vault" in value


def read_vault_address(value: object, _: Path | None) -> str:
    text = read_text(value)
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ValueError
    if parts.query or parts.fragment or parts.path not in ("", "/"):
        raise ValueError
    if parts.port == 0:  # which raises for what is no port
        raise ValueError
    read_host(parts.hostname, None)
    return text.rstrip("/")


def read_yes_no(value: object, _: Path | None) -> bool:
    words = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
    if isinstance(value, bool):
        return value
    text = read_text(value).lower()
    if text not in words:
        raise ValueError
    return words[text]


SecretSource = Annotated[
    AnySource, Reading(f"{REFERENCES} or the text itself, on one line", read_secret, dump_source)
]
UsernameSource = Annotated[
    str | Reference, Reading(f"a text on one line, or {REFERENCES}", read_username, dump_username)
]
VaultAddress = Annotated[
    str, Reading("an address such as https://vault.example.net:8200", read_vault_address)
]
YesNo = Annotated[bool, Reading("true, false", read_yes_no)]
