"""The commands of the registry spelled out, and the outputs of our own that belong to each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ipsecmon_parsers.records import Platform
from ipsecmon_parsers.registry import known_commands

__all__ = ["OUTPUTS", "Case", "captured_cases", "commands", "fixture_cases", "spelled_out"]

OUTPUTS = Path(__file__).parent.parent / "parsers" / "outputs"

_INNERMOST_OPTION = re.compile(r" ?\[[^\[\]]*\]")
_INNERMOST_CHOICE = re.compile(r"\{ ?([^{}|]*?) ?(?:\|[^{}]*)?\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An output and the command that printed it."""

    name: str
    platform: str
    command: str
    text: str


def spelled_out(command: str) -> str:
    """``show crypto ipsec {a | b} [c]``, as the registry writes it -> ``show crypto ipsec a``."""
    command = command.replace(r"\|", "BAR")
    for pattern, kept in ((_INNERMOST_OPTION, ""), (_INNERMOST_CHOICE, r"\1")):
        while pattern.search(command):
            command = pattern.sub(kept, command)
    return " ".join(command.replace("BAR", "|").split())


def commands() -> list[tuple[str, str]]:
    """One (platform, command) for each line of the registry; IOS stands for the routers."""
    return [
        (platform.value, spelled_out(command))
        for platform in (Platform.IOS, Platform.ASA)
        for command in known_commands(platform)
    ]


def fixture_cases(*, readable: bool = False) -> list[Case]:
    """Every output below ``tests/parsers/outputs``, or those that are read and not refused."""
    found: list[Case] = []
    for path in sorted(OUTPUTS.glob("*/*/*/output.txt")):
        written = path.with_name("command.txt")
        folder = path.parent
        if readable and (folder / "error.txt").is_file():
            continue
        found.append(
            Case(
                name=str(folder.relative_to(OUTPUTS)),
                platform=path.parts[-4],
                command=written.read_text(encoding="utf-8").strip()
                if written.is_file()
                else path.parts[-3].replace("_", " "),
                text=path.read_text(encoding="utf-8"),
            )
        )
    return found


def captured_cases(captures: Path) -> list[Case]:
    """Every capture in the folder ``captures``; none where it is missing."""
    found: list[Case] = []
    for path in sorted(captures.glob("*/*/*.txt")):
        meta = path.with_suffix(".meta.yaml").read_text(encoding="utf-8")
        words = dict(re.findall(r"^(platform|command): *['\"]?(.*?)['\"]?$", meta, re.MULTILINE))
        found.append(
            Case(
                name=str(path.relative_to(captures)),
                platform=words["platform"],
                command=words["command"],
                text=path.read_bytes().decode("utf-8", "replace"),
            )
        )
    return found
