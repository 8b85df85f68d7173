"""A configuration file to a ``Config``, or to all of its mistakes at once."""

from __future__ import annotations

import logging
import stat
from pathlib import Path

from ipsecmon.config.checking import check
from ipsecmon.config.document import EMPTY, Block, Position, describe, read_document
from ipsecmon.config.mistakes import ConfigError, Mistake, listed
from ipsecmon.config.models import Config
from ipsecmon.config.secret import Secret

__all__ = ["load_config"]

LARGEST_BYTES = 16 * 1024 * 1024
NOWHERE = Position(0, 0)

log = logging.getLogger(__name__)


def load_config(path: Path) -> Config:
    """The configuration in this file; raises ``ConfigError`` with every mistake in it."""
    text = read_text(path)
    value, problems = read_document(text)
    mistakes = [
        Mistake(
            file=str(path),
            line=problem.at.line,
            column=problem.at.column,
            key=problem.key,
            found=problem.found,
            accepted=problem.accepted,
        )
        for problem in problems
    ]
    if isinstance(value, Block):
        # absent is not the same as default here: the defaults of paths are relative to this file
        value.setdefault("host_keys", Block())
        value.setdefault("history", Block())
        config, more = check(value, path)
        mistakes += more
    else:
        config = None
        if not mistakes:
            found = "an empty file" if value is EMPTY else describe(value, hide=True)
            accepted = f"a mapping with the keys {listed(Config.model_fields)}"
            mistakes = [whole_file(path, found, accepted, Position(1, 1))]
    if config is None or mistakes:
        # outside of every handler: no context of the exception holds the values of the file
        raise ConfigError(mistakes)
    warn_of_readable_passwords(config, path)
    return config


def read_text(path: Path) -> str:
    data = b""
    mistake: Mistake | None = None
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except FileNotFoundError:
        mistake = whole_file(path, "no such file", "the path of a configuration file")
    except IsADirectoryError:
        mistake = whole_file(path, "a directory", "the path of a configuration file")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        mistake = whole_file(path, f"a file that cannot be read ({reason})", "a readable file")
    if len(data) > LARGEST_BYTES:
        limit = LARGEST_BYTES // (1024 * 1024)
        mistake = whole_file(path, f"more than {limit} MiB", f"a file of at most {limit} MiB")
    text = ""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode(errors="replace")) + 1
        mistake = mistake or whole_file(
            path, f"the byte 0x{data[error.start]:02x}", "text in UTF-8", Position(line, column)
        )
    if mistake is not None:
        raise ConfigError([mistake])
    return text


def whole_file(path: Path, found: str, accepted: str, at: Position = NOWHERE) -> Mistake:
    return Mistake(
        file=str(path), line=at.line, column=at.column, key="", found=found, accepted=accepted
    )


def warn_of_readable_passwords(config: Config, path: Path) -> None:
    holders = [
        name
        for name, credential in config.credentials.items()
        if any(
            isinstance(secret, Secret)
            for secret in (credential.password, credential.enable, credential.passphrase)
        )
    ]
    vault = config.vault
    if vault and (isinstance(vault.token, Secret) or isinstance(vault.secret_id, Secret)):
        holders.append("vault")
    if holders and path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        log.warning(
            "%s holds passwords (credentials: %s) and others can read it; "
            "run 'chmod 600 %s', or write {env: NAME} or {file: PATH} instead",
            path,
            listed(holders),
            path,
        )
