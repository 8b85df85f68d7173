"""What the fuzz run calls: functions that take any text and may raise nothing but ``ParserError``.

To fuzz something new, add a line to ``targets``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fuzz.cases import Case, commands
from ipsecmon_parsers.anonymize import anonymize
from ipsecmon_parsers.clean import clean
from ipsecmon_parsers.errors import ParserError, UnknownCommand
from ipsecmon_parsers.reading import read_log
from ipsecmon_parsers.redaction import hide_key_table, hide_secrets
from ipsecmon_parsers.registry import parse
from ipsecmon_parsers.running import about_crypto

__all__ = ["Target", "targets"]


@dataclass(frozen=True, slots=True)
class Target:
    """``name`` is for people; ``run`` raises nothing but ``ParserError``, whatever the text is."""

    name: str
    run: Callable[[str], object]


def targets(cases: list[Case]) -> list[Target]:
    """Every line of the registry, and every way in which an output in ``cases`` was asked for."""
    pairs = {*commands(), *((c.platform, c.command) for c in cases if _is_known(c))}
    return [
        Target("clean", clean),
        Target("clean for a command", lambda text: clean(text, "show crypto ipsec sa")),
        Target("hide_secrets", hide_secrets),
        Target("hide_key_table", hide_key_table),
        Target("about_crypto", about_crypto),
        Target("read_log", read_log),
        Target("anonymize", anonymize),
        *(
            Target(
                f"parse {platform} {command!r} complete={complete}",
                _reader(platform, command, complete),
            )
            for platform, command in sorted(pairs)
            for complete in (False, True)
        ),
    ]


def _is_known(case: Case) -> bool:
    try:
        parse(case.platform, case.command, case.text)
    except UnknownCommand:
        return False
    except ParserError:
        return True
    return True


def _reader(platform: str, command: str, complete: bool) -> Callable[[str], object]:
    def read(text: str) -> object:
        result = parse(platform, command, text, complete=complete)
        return result.document()

    return read
