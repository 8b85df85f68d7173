"""Target groups in the form of Prometheus' service discovery, from files and from text.

    [{"targets": ["192.0.2.1", "rtr2.example.net:2222"],
      "labels": {"platform": "iosxe", "groups": "branches,legacy", "site": "Berlin"}}]

A label with the name of a key of ``devices`` is that key (``groups`` separated by commas); all others, such as ``site``
and ``__meta_...``, are for others. Without ``name`` a device is called as its target's host.
https://prometheus.io/docs/prometheus/latest/configuration/configuration/#file_sd_config
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from ipsecmon.config import Device
from ipsecmon.config.document import read_document
from ipsecmon.inventory.hosts import FoundHost, SourceFailed, platform_word

__all__ = ["LARGEST_BYTES", "files_matching", "hosts_in_files", "hosts_in_targets"]

LARGEST_BYTES = 16 * 1024 * 1024
_TARGET = re.compile(r"\[([^\]]*)\](?::([0-9]+))?|([^:]*)(?::([0-9]+))?")
_LABELS = frozenset(Device.model_fields) - {"host", "plan"}


def files_matching(pattern: Path) -> list[Path]:
    """The files that ``*``, ``?`` and ``[...]`` in the last name stand for."""
    return sorted(path for path in pattern.parent.glob(pattern.name) if path.is_file())


def hosts_in_files(pattern: Path) -> list[FoundHost]:
    """All hosts of these files; raises ``SourceFailed`` if there is none or one is broken."""
    files = files_matching(pattern)
    if not files:
        raise SourceFailed("there is no such file; write it, or correct 'file_sd'")
    return [host for path in files for host in hosts_in_targets(_text(path), str(path))]


def hosts_in_targets(text: str, where: str) -> list[FoundHost]:
    """All hosts of a text in JSON or YAML; ``where`` names it in errors."""
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        value = _yaml(text, where)
    if not isinstance(value, list):
        raise SourceFailed(f"{where}: a list of target groups is expected")
    groups = cast("list[object]", value)
    return [host for number, one in enumerate(groups) for host in _hosts(one, where, number)]


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise SourceFailed(f"{path}: cannot be read ({error.strerror})") from None
    if len(data) > LARGEST_BYTES:
        raise SourceFailed(f"{path}: more than {LARGEST_BYTES // 2**20} MiB")
    return data.decode("utf-8", "replace")


def _yaml(text: str, where: str) -> object:
    """With our own reader: a device called ``1e3`` keeps its name."""
    value, problems = read_document(text)
    for problem in problems:
        at = f":{problem.at.line}" if problem.at.line else ""
        raise SourceFailed(
            f"{where}{at}: neither JSON nor YAML: found {problem.found}, accepted: {problem.accepted}"
        )
    return value


def _hosts(group: object, where: str, number: int) -> Iterator[FoundHost]:
    entry = cast("dict[str, object]", group) if isinstance(group, dict) else {}
    targets, labels = entry.get("targets"), entry.get("labels", {})
    if not isinstance(targets, list):
        raise SourceFailed(f"{where}: entry {number + 1} has no list 'targets'")
    if not isinstance(labels, dict):
        raise SourceFailed(f"{where}: 'labels' of entry {number + 1} is no mapping")
    said = _settings(cast("dict[str, object]", labels))
    for target in cast("list[object]", targets):
        if not isinstance(target, str):
            raise SourceFailed(f"{where}: a target of entry {number + 1} is no text")
        host, port = _split(target)
        placed = {"host": host} | ({"port": port} if port else {})
        yield FoundHost(name=str(said.get("name", host)), said={"name": host, **placed, **said})


def _settings(labels: dict[str, object]) -> dict[str, object]:
    said: dict[str, object] = {
        name: str(value)
        for name, value in labels.items()
        if name in _LABELS and isinstance(value, str | int | float) and value != ""
    }
    if "groups" in said:
        names = str(said["groups"]).split(",")
        said["groups"] = [name.strip() for name in names if name.strip()]
    if "platform" in said:
        said["platform"] = platform_word(str(said["platform"]))
    return said


def _split(target: str) -> tuple[str, str | None]:
    match = _TARGET.fullmatch(target)
    if match is None:
        return target, None  # an IPv6 address without brackets, or no address at all
    return match[1] or match[3] or target, match[2] or match[4]
