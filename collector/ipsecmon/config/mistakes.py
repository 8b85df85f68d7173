"""What is wrong with a configuration file: every mistake with its place, in words.

    ConfigError (ValueError)    carries all mistakes of one file
        Mistake                 where, which key, what was found, what is accepted

One mistake is one line, so that editors and ``grep`` can jump to it::

    ipsecmon.yml:12:5: devices[1].platform: found 'junos', accepted: ios, iosxe, asa
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from ipsecmon.errors import IpsecmonError

__all__ = [
    "SECRET_SECTIONS",
    "ConfigError",
    "Mistake",
    "NotAccepted",
    "has_controls",
    "key_path",
    "listed",
    "meant",
    "quoted",
]

PLAIN_KEY = re.compile(r"[A-Za-z0-9_.-]{1,64}")
# user:password@ before the host of an address
USERINFO = re.compile(r"//[^/@]*@")
KEYS_WITH_SECRETS = frozenset({"token", "headers", "options"})
# where values are secrets; below these only known keys are shown
SECRET_SECTIONS = frozenset({"credentials", "vault"})
KEYS_OF_SECRETS = frozenset(
    {
        *("username", "password", "enable", "key", "passphrase", "agent"),
        *("env", "file", "systemd", "command", "keyring", "vault"),
        *("address", "token", "role_id", "secret_id", "kubernetes_role", "kubernetes_token"),
        *("auth_mount", "namespace", "ca_file"),
    }
)
LONGEST_QUOTE = 60
LONGEST_LIST = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One mistake; ``line`` and ``column`` count from 1, 0 means the file, or the line, as a whole."""

    file: str
    line: int
    column: int
    key: str
    found: str
    accepted: str

    def __str__(self) -> str:
        where = ":".join([self.file, *(str(n) for n in (self.line, self.column) if n)])
        key = f" {self.key}:" if self.key else ""
        return f"{where}:{key} found {self.found}, accepted: {self.accepted}"


class ConfigError(IpsecmonError, ValueError):
    """The configuration file cannot be used; ``mistakes`` holds all that is wrong, by line, those in templates last."""

    mistakes: tuple[Mistake, ...]

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        given = list(mistakes)
        files = dict.fromkeys(mistake.file for mistake in given)
        order = {file: number for number, file in enumerate(files)}
        self.mistakes = tuple(sorted(given, key=lambda one: (order[one.file], *_by_place(one))))
        super().__init__(self.mistakes)

    def __str__(self) -> str:
        count = len(self.mistakes)
        todo = "correct it" if count == 1 else f"correct these {count} places"
        lines = [str(mistake) for mistake in self.mistakes]
        return "\n".join([*lines, f"nothing was loaded: {todo}, then run 'ipsecmon check-config'"])


class NotAccepted(ValueError):
    """A value is not of the accepted form; never quotes the value."""

    def __init__(self, accepted: str) -> None:
        super().__init__(accepted)
        self.accepted = accepted

    def __str__(self) -> str:
        return f"accepted: {self.accepted}"


def key_path(path: Iterable[str | int]) -> str:
    """``("devices", 1, "platform")`` as ``devices[1].platform``, cut before what may be a misplaced password."""
    text = ""
    for step in without_secrets(tuple(path)):
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            name = step if PLAIN_KEY.fullmatch(step) else quoted(step)
            text += f".{name}" if text else name
    return text


def without_secrets(path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Below ``credentials`` only known keys are shown: ``password: {hunter2}`` makes a key of the password."""
    if path[:1] == ("inventory",) and not KEYS_WITH_SECRETS.isdisjoint(path[2:3]):
        return path[:3]
    if path[:1] and path[0] in SECRET_SECTIONS:
        for depth, step in enumerate(path[1:], start=1):
            is_name = depth == 1 and path[0] == "credentials"
            known = PLAIN_KEY.fullmatch(str(step)) if is_name else step in KEYS_OF_SECRETS
            if not known:
                return path[:depth]
    return path


def quoted(text: str) -> str:
    """The text in quotes on one line, shortened, without a password that stands in an address."""
    if len(text) > LONGEST_QUOTE:
        text = text[: LONGEST_QUOTE - 3] + "..."
    return repr(USERINFO.sub("//***@", text))


def has_controls(text: str) -> bool:
    """True for a text that holds a line feed or the like, or half a character: never to be sent to a device."""
    return any(unicodedata.category(character) in {"Cc", "Cs"} for character in text)


def listed(words: Iterable[str]) -> str:
    known = list(words)
    shown = ", ".join(known[:LONGEST_LIST])
    return f"{shown}, ... ({len(known)} in all)" if len(known) > LONGEST_LIST else shown


def meant(word: str, known: Iterable[str]) -> str:
    """``" (did you mean 'interval'?)"``, or nothing when no known word is near."""
    near = difflib.get_close_matches(word[:64].lower().replace("-", "_"), list(known), n=1)
    return f" (did you mean '{near[0]}'?)" if near else ""


def _by_place(mistake: Mistake) -> tuple[int, int, str, str]:
    return mistake.line, mistake.column, mistake.key, mistake.found
