"""A configuration file to a ``Config``, or to all of its mistakes at once."""

from __future__ import annotations

import logging
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ipsecmon.config.checking import check, check_part
from ipsecmon.config.document import EMPTY, Block, Items, Position, describe, read_document
from ipsecmon.config.mistakes import ConfigError, Mistake, key_path, listed, quoted
from ipsecmon.config.models import Config
from ipsecmon.config.parts import SECTIONS, Whole, placed, put_together
from ipsecmon.config.readings import read_path
from ipsecmon.config.secret import Secret

__all__ = ["LoadedConfig", "load_config", "load_with_files"]

PART_PATTERNS = ("*.yml", "*.yaml")

LARGEST_BYTES = 16 * 1024 * 1024
NOWHERE = Position(0, 0)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A configuration and the files it came from."""

    config: Config
    files: tuple[Path, ...]
    """All that were read, the configuration file first."""
    file_of: Mapping[str, str]
    """The file of each device."""


def load_config(path: Path) -> Config:
    """The configuration in this file; raises ``ConfigError`` with every mistake in it."""
    return load_with_files(path).config


def load_with_files(path: Path) -> LoadedConfig:
    """The configuration in this file and in those it names; raises ``ConfigError`` with every mistake in them."""
    value, mistakes = read_value(path)
    config: Config | None = None
    whole = Whole(Block())
    parts: list[tuple[Path, Block]] = []
    if isinstance(value, Block):
        # absent is not the same as default here: the defaults of paths are relative to this file
        value.setdefault("host_keys", Block())
        value.setdefault("history", Block())
        parts = read_parts(value, path, mistakes)
        whole = put_together(value, [part for _, part in parts])
        config, more = check(whole, path)
        mistakes += more
    elif not mistakes:
        found = "an empty file" if value is EMPTY else describe(value, hide=True)
        accepted = f"a mapping with the keys {listed(Config.model_fields)}"
        mistakes = [whole_file(path, found, accepted, Position(1, 1))]
    if config is None or mistakes:
        # outside of every handler: no context of the exception holds the values of the file
        raise ConfigError(mistakes)
    warn_of_readable_passwords(config, path)
    return LoadedConfig(
        config=config,
        files=(path, *(part for part, _ in parts)),
        file_of={
            device.name: whole.file_of("devices", index) or str(path)
            for index, device in enumerate(config.devices)
        },
    )


def read_value(path: Path) -> tuple[object, list[Mistake]]:
    value, problems = read_document(read_text(path))
    return value, [
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


def read_parts(root: Block, path: Path, mistakes: list[Mistake]) -> list[tuple[Path, Block]]:
    """The files under ``inventory``; what is wrong with them is added to ``mistakes``."""
    parts: dict[Path, Block] = {}
    for index, place, written in files_in(root):
        try:
            given = read_path(written, path.parent)
        except ValueError:
            continue  # no path at all: told with the other values
        try:
            files = files_at(given)
            problem = "an empty folder" if given.is_dir() else "no such file"
        except OSError as error:
            files, problem = [], f"what cannot be read ({error.strerror})"
        if not files:
            accepted = f"a file, or a folder with {' or '.join(PART_PATTERNS)}"
            mistakes.append(
                Mistake(
                    file=str(path),
                    line=place.line,
                    column=place.column,
                    key=key_path(("inventory", index, "file")),
                    found=f"{problem} at {quoted(str(given))}",
                    accepted=accepted,
                )
            )
        for file in files:
            if file not in parts and (part := read_part(file, mistakes)) is not None:
                parts[file] = part
    return list(parts.items())


def files_in(root: Block) -> Iterator[tuple[int, Position, object]]:
    sources = root.get("inventory")
    for index, source in enumerate(sources if isinstance(sources, Items) else ()):
        if isinstance(source, Block) and "file" in source:
            yield index, source.key_at["file"], source["file"]


def files_at(path: Path) -> list[Path]:
    if path.is_dir():
        found = {file for pattern in PART_PATTERNS for file in path.glob(pattern)}
        return sorted(file for file in found if not file.name.startswith("."))
    return [path] if path.exists() else []


def read_part(path: Path, mistakes: list[Mistake]) -> Block | None:
    try:
        value, problems = read_value(path)
    except ConfigError as error:
        mistakes += error.mistakes
        return None
    mistakes += problems
    if isinstance(value, Block):
        placed(value, str(path))
        mistakes += check_part(value, path)
        return value
    if value is not EMPTY:
        accepted = f"a mapping with the keys {listed(SECTIONS)}"
        found = describe(value, hide=True)
        mistakes.append(whole_file(path, found, accepted, Position(1, 1)))
    return Block() if value is EMPTY else None


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
    plain = [
        key_path(("inventory", index))
        for index, source in enumerate(config.inventory)
        if any(isinstance(one, Secret) for one in (source.token, *source.headers.values()))
    ]
    vault = config.vault
    if vault and (isinstance(vault.token, Secret) or isinstance(vault.secret_id, Secret)):
        plain.append("vault")
    if (holders or plain) and path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        log.warning(
            "%s holds passwords (%s) and others can read it; "
            "run 'chmod 600 %s', or write {env: NAME} or {file: PATH} instead",
            path,
            "; ".join([*([f"credentials: {listed(holders)}"] if holders else []), *plain]),
            path,
        )
