"""One scalar of the file to one typed value; each form has one phrase that says what is accepted.

A ``Reading`` stands in the annotation of a field, so a form is described where it is read::

    Duration = Annotated[float, Reading("a duration of 1s to 7d, such as 30s, 5m or 1h", read_duration)]

The readers also take a value of the final type, so that code can build the models without going through text.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, cast
from urllib.parse import urlsplit

from pydantic import GetCoreSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, core_schema

from ipsecmon.config.mistakes import NotAccepted, has_controls
from ipsecmon.config.settings import SshProfile, Transport
from ipsecmon_parsers.errors import TemplatesRefused
from ipsecmon_parsers.records import Platform
from ipsecmon_parsers.registry import Registry

__all__ = [
    "Address",
    "Age",
    "CheckWord",
    "Commands",
    "Count",
    "CpuLimit",
    "Duration",
    "FewTimes",
    "FilePath",
    "FleetSize",
    "HeaderName",
    "HistoryPath",
    "Host",
    "HostKeyCheck",
    "JumpName",
    "Listen",
    "ListenAddress",
    "Name",
    "PlatformWord",
    "PluginName",
    "Port",
    "ProfileWord",
    "Rate",
    "Reading",
    "Size",
    "Switch",
    "Templates",
    "Text",
    "Tier",
    "TierPace",
    "TierWord",
    "TransportWord",
    "Url",
    "duration_text",
    "either",
    "read_duration",
    "read_host",
    "read_name",
    "read_path",
    "read_text",
    "read_word",
]

SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?([smhd]?)")
LONGEST_DURATION_SECONDS = 7 * 86400.0
SHORTEST_AGE_SECONDS = 3600.0
LONGEST_AGE_SECONDS = 3650 * 86400.0
BYTES = {
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
    "mib": 2**20,
    "gib": 2**30,
    "tib": 2**40,
}
SIZE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?([kmgt]i?b)", re.IGNORECASE)
SMALLEST_SIZE_BYTES = 10 * 10**6
LARGEST_SIZE_BYTES = 10**12
NAME = re.compile(r"[A-Za-z0-9._-]{1,128}")
HOST_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
SWITCHES = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")
PLUGIN_NAME = re.compile(r"[A-Za-z0-9._-]{1,128}")
RATE = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,3})?")
LISTEN = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\[\]:]*)):([0-9]{1,5})")

Reader = Callable[[object, Path | None], object]


@dataclass(frozen=True, slots=True)
class Reading:
    """How a value is read, and in which words its form is described.

    ``read`` gets the value and the folder of the configuration file (``None`` outside of a file) and raises
    ``ValueError`` for what it does not accept.
    """

    accepted: str
    read: Reader
    dump: Callable[[object], object] | None = None

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        shown = self.dump and core_schema.plain_serializer_function_ser_schema(
            self.dump, when_used="json"
        )
        return core_schema.with_info_plain_validator_function(self._validate, serialization=shown)

    def _validate(self, value: object, info: ValidationInfo) -> object:
        directory = info.context if isinstance(info.context, Path) else None
        try:
            return self.read(value, directory)
        except (NotAccepted, TemplatesRefused):
            raise
        except ValueError:
            pass
        # raised here and not in the handler: the ValueError of int() and the like quotes the value
        raise NotAccepted(self.accepted)


class HostKeyCheck(StrEnum):
    """What happens when a device shows a host key that is not in ``known_hosts``."""

    STRICT = "strict"
    TOFU = "tofu"
    """The first key an address shows is taken down and holds from then on."""
    OFF = "off"


class Tier(StrEnum):
    """How much is exported of a tunnel; each tier holds those before it."""

    MINIMAL = "minimal"
    STANDARD = "standard"
    EXTENDED = "extended"

    def includes(self, other: Tier) -> bool:
        """What belongs to ``other`` is exported in this tier."""
        order = list(Tier)
        return order.index(other) <= order.index(self)


@dataclass(frozen=True, slots=True)
class Listen:
    """Where the web server listens; an empty host means every address of the machine."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def read_text(value: object) -> str:
    if not isinstance(value, str) or not value or has_controls(value):
        raise ValueError
    return value


def read_duration(value: object, _: Path | None = None) -> float:
    return seconds_within(value, 1.0, LONGEST_DURATION_SECONDS)


def read_age(value: object, _: Path | None) -> float:
    return seconds_within(value, SHORTEST_AGE_SECONDS, LONGEST_AGE_SECONDS)


def seconds_within(value: object, shortest: float, longest: float) -> float:
    if isinstance(value, int | float):
        seconds = float(value)
    else:
        match = DURATION.fullmatch(read_text(value))
        if match is None:
            raise ValueError
        seconds = float(match[1]) * SECONDS[match[2]]
    if not shortest <= seconds <= longest:
        raise ValueError
    return seconds


def duration_text(seconds: float) -> str:
    """``180.0`` as ``3m``: the longest unit that divides it."""
    for unit in ("d", "h", "m"):
        if seconds >= SECONDS[unit] and seconds % SECONDS[unit] == 0:
            return f"{seconds / SECONDS[unit]:g}{unit}"
    return f"{seconds:g}s"


def read_size(value: object, _: Path | None) -> int:
    """Bytes; a number is taken for bytes from code only, a file always says the unit."""
    if isinstance(value, int):
        size = value
    else:
        match = SIZE.fullmatch(read_text(value))
        if match is None or match[2].lower() not in BYTES:
            raise ValueError
        size = round(float(match[1]) * BYTES[match[2].lower()])
    if not SMALLEST_SIZE_BYTES <= size <= LARGEST_SIZE_BYTES:
        raise ValueError
    return size


def read_number(lowest: int, highest: int) -> Reader:
    def read(value: object, _: Path | None) -> int:
        if isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value):
            value = int(value)
        if not isinstance(value, int) or not lowest <= value <= highest:
            raise ValueError
        return value

    return read


def read_rate(value: object, _: Path | None) -> float:
    if isinstance(value, str) and RATE.fullmatch(value):
        value = float(value)
    if not isinstance(value, int | float) or not 0.1 <= value <= 1000:
        raise ValueError
    return float(value)


def read_switch(value: object, _: Path | None) -> bool:
    if isinstance(value, bool):
        return value
    word = read_text(value)
    if word not in SWITCHES:
        raise ValueError
    return SWITCHES[word]


def read_tier_pace(value: object, _: Path | None) -> float | None:
    return None if value is None or value == "off" else read_duration(value)


def dump_tier_pace(value: object) -> object:
    return "off" if value is None else value


def read_cpu_limit(value: object, _: Path | None) -> int | None:
    if value is None or value == "off":
        return None
    text = value.removesuffix("%").rstrip(" ") if isinstance(value, str) else value
    return cast("int", read_number(1, 100)(text, None))


def read_word(words: Callable[[str], StrEnum]) -> Reader:
    def read(value: object, _: Path | None) -> StrEnum:
        return words(read_text(value))

    return read


def read_name(value: object, _: Path | None) -> str:
    text = read_text(value)
    if not NAME.fullmatch(text):
        raise ValueError
    return text


def read_line(value: object, _: Path | None) -> str:
    return read_text(value)


def read_host(value: object, _: Path | None) -> str:
    text = read_text(value)
    if ":" in text:
        if not text.isascii():
            raise ValueError
        ipaddress.IPv6Address(text)
        return text
    labels = text.removesuffix(".").split(".")
    if labels[-1].isdecimal():
        # no top-level domain is a number: this is meant as an address
        ipaddress.IPv4Address(text)
        return text
    if len(text) > 253 or not all(HOST_LABEL.fullmatch(label) for label in labels):
        raise ValueError
    return text


def read_address(value: object, _: Path | None) -> str:
    text = read_text(value)
    if "%" in text:
        raise ValueError  # no router prints the zone of a link
    return str(ipaddress.ip_address(text))


def read_listen(value: object, _: Path | None) -> Listen:
    if isinstance(value, Listen):
        return value
    match = LISTEN.fullmatch(read_text(value))
    if match is None or int(match[3]) > 65535:
        raise ValueError
    host = match[1] or match[2] or ""
    if match[1]:
        ipaddress.IPv6Address(host)
    elif host:
        read_host(host, None)
    return Listen(host, int(match[3]))


def read_path(value: object, directory: Path | None) -> Path:
    try:
        path = (value if isinstance(value, Path) else Path(read_text(value))).expanduser()
    except RuntimeError:
        raise ValueError from None  # ~name of nobody
    return path if directory is None else directory / path


def read_history_path(value: object, directory: Path | None) -> Path | None:
    return None if value is None or value == "off" else read_path(value, directory)


def dump_history_path(value: object) -> object:
    return "off" if value is None else str(value)


def read_url(value: object, _: Path | None) -> str:
    """An address without a password in it: that belongs under ``token`` or ``headers``."""
    text = read_text(value)
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ValueError
    if parts.port == 0:  # one that is no number raises by itself
        raise ValueError
    return text


def read_matching(pattern: re.Pattern[str]) -> Reader:
    def read(value: object, _: Path | None) -> str:
        text = read_text(value)
        if not pattern.fullmatch(text):
            raise ValueError
        return text

    return read


def read_templates(value: object, directory: Path | None) -> Registry:
    """Read and checked here, once: a poll never meets a template that cannot be used."""
    if isinstance(value, Registry):
        return value
    return Registry.with_templates(read_path(value, directory))


def dump_templates(value: object) -> object:
    folder = value.folder if isinstance(value, Registry) else None
    return None if folder is None else str(folder)


def either(words: Iterable[str]) -> str:
    return ", ".join(words)


Duration = Annotated[float, Reading("a duration of 1s to 7d, such as 30s, 5m or 1h", read_duration)]
Count = Annotated[int, Reading("a whole number from 1 to 1000", read_number(1, 1000))]
FewTimes = Annotated[int, Reading("a whole number from 1 to 100", read_number(1, 100))]
Commands = Annotated[int, Reading("a whole number from 1 to 10000", read_number(1, 10000))]
FleetSize = Annotated[int, Reading("a whole number from 1 to 100000", read_number(1, 100000))]
Rate = Annotated[float, Reading("a number from 0.1 to 1000", read_rate)]
Switch = Annotated[bool, Reading("true or false", read_switch)]
TierPace = Annotated[
    float | None,
    Reading(
        "a duration of 1s to 7d, such as 30s, 5m or 1h, or off", read_tier_pace, dump_tier_pace
    ),
]
CpuLimit = Annotated[
    int | None,
    Reading("a percentage from 1 to 100, such as 80%, or off", read_cpu_limit, dump_tier_pace),
]
Port = Annotated[int, Reading("a port from 1 to 65535", read_number(1, 65535))]
Name = Annotated[
    str, Reading("a name of letters, digits, '.', '_' and '-', at most 128 long", read_name)
]
JumpName = Annotated[str, Reading("a name under 'jump_hosts', or none", read_name)]
Host = Annotated[str, Reading("a host name, an IPv4 or an IPv6 address", read_host)]
Text = Annotated[str, Reading("a text on one line", read_line)]
Address = Annotated[str, Reading("an IPv4 or an IPv6 address", read_address)]
FilePath = Annotated[Path, Reading("the path of a file", read_path)]
HistoryPath = Annotated[
    Path | None, Reading("the path of a file, or off", read_history_path, dump_history_path)
]
Age = Annotated[float, Reading("a duration of 1h to 3650d, such as 12h or 90d", read_age)]
Size = Annotated[int, Reading("a size of 10MB to 1TB, such as 500MB or 2GB", read_size)]
Templates = Annotated[
    Registry, Reading("the path of a folder with templates", read_templates, dump_templates)
]
PlatformWord = Annotated[Platform, Reading(either(Platform), read_word(Platform))]
CheckWord = Annotated[HostKeyCheck, Reading(either(HostKeyCheck), read_word(HostKeyCheck))]
TransportWord = Annotated[Transport, Reading(either(Transport), read_word(Transport))]
ProfileWord = Annotated[SshProfile, Reading(either(SshProfile), read_word(SshProfile))]
Url = Annotated[str, Reading("an address such as https://inventory.example.net/targets", read_url)]
PluginName = Annotated[
    str, Reading("the name of an inventory plugin of Nornir", read_matching(PLUGIN_NAME))
]
HeaderName = Annotated[
    str, Reading("a name of letters, digits and '-'", read_matching(HEADER_NAME))
]
TierWord = Annotated[Tier, Reading(either(Tier), read_word(Tier))]
ListenAddress = Annotated[
    Listen,
    Reading('host:port, "[::1]:port" in quotes, or :port for every address', read_listen, str),
]
