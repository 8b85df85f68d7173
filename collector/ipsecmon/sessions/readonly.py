"""All that is ever typed on a device: a closed list of show commands, and the few lines that set a session up.

``cli(["show clock\\nreload"])`` makes a device receive ``reload``, and ``show ... | redirect tftp:`` writes a file. So a
command is sent only if the whole of it is in ``COMMANDS``; what is filled in (an address, a name) is judged by its kind.
``deploy/device-access.md`` is the same list for whoever writes the device's own rules, and a test holds the two equal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from types import MappingProxyType

from ipsecmon.config import PollTier
from ipsecmon_parsers.records import Platform

__all__ = [
    "COMMANDS",
    "SESSION_LINES",
    "ShowCommand",
    "command",
    "commands_of",
    "ensure_read_only",
]

MAX_COMMAND_CHARACTERS = 200
"""A line longer than a terminal's 254 characters is cut by the device; the longest command we know has 84."""

_IOS = frozenset({Platform.IOS, Platform.IOSXE})
_ASA = frozenset({Platform.ASA})
_ALL = _IOS | _ASA


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowCommand:
    """One command; ``{peer}``, ``{interface}`` and ``{vrf}`` in its text stand for a value of that kind."""

    text: str
    platforms: frozenset[Platform]
    tier: PollTier | None
    """``None``: only when somebody asks for it, such as ``ipsecmon check-device`` or a limit on the CPU."""
    lost: str
    """What is missing where a device refuses it."""


COMMANDS: tuple[ShowCommand, ...] = (
    ShowCommand(
        text="show crypto ipsec sa",
        platforms=_ALL,
        tier=PollTier.TABLES,
        lost="everything: without it no tunnel can be read",
    ),
    ShowCommand(
        text="show crypto isakmp sa",
        platforms=_ALL,
        tier=PollTier.TABLES,
        lost="IKE version 1: its SAs, and whether a peer is up",
    ),
    ShowCommand(
        text="show crypto ikev2 sa",
        platforms=_IOS,
        tier=PollTier.TABLES,
        lost="IKE version 2: its SAs, and whether a peer is up",
    ),
    ShowCommand(
        text="show crypto ipsec security-association lifetime",
        platforms=_IOS,
        tier=PollTier.CONFIGURATION,
        lost="the configured lifetime of SAs; it is learned from rekeys then",
    ),
    ShowCommand(
        text="show crypto map",
        platforms=_IOS,
        tier=PollTier.CONFIGURATION,
        lost="tunnels that have never been up, backup peers, learned intent",
    ),
    ShowCommand(
        text="show running-config all crypto ipsec",
        platforms=_ASA,
        tier=PollTier.CONFIGURATION,
        lost="the configured lifetime of SAs; it is learned from rekeys then",
    ),
    ShowCommand(
        text="show running-config all crypto map",
        platforms=_ASA,
        tier=PollTier.CONFIGURATION,
        lost="tunnels that have never been up, backup peers, learned intent",
    ),
    ShowCommand(
        text="show crypto ipsec sa count",
        platforms=_IOS,
        tier=PollTier.COUNTS,
        lost="cheap counts of IPsec SAs between two readings of the tables",
    ),
    ShowCommand(
        text="show crypto isakmp sa count",
        platforms=_IOS,
        tier=PollTier.COUNTS,
        lost="cheap counts of IKE version 1 SAs between two readings",
    ),
    ShowCommand(
        text="show crypto ikev2 sa count",
        platforms=_IOS,
        tier=PollTier.COUNTS,
        lost="cheap counts of IKE version 2 SAs between two readings",
    ),
    ShowCommand(
        text="show crypto ipsec sa peer {peer}",
        platforms=_ALL,
        tier=None,
        lost="a look at one peer instead of all of them",
    ),
    ShowCommand(
        text="show crypto ipsec sa interface {interface}",
        platforms=_IOS,
        tier=None,
        lost="a look at one interface instead of all of them",
    ),
    ShowCommand(
        text="show crypto ipsec sa vrf {vrf}",
        platforms=_IOS,
        tier=None,
        lost="a look at one VRF instead of all of them",
    ),
    ShowCommand(
        text="show processes cpu | include CPU utilization",
        platforms=_IOS,
        tier=None,
        lost="the CPU guard: a busy device is asked for its tables all the same",
    ),
    ShowCommand(
        text="show cpu usage",
        platforms=_ASA,
        tier=None,
        lost="the CPU guard: a busy device is asked for its tables all the same",
    ),
    ShowCommand(
        text="show version", platforms=_ALL, tier=None, lost="the release, in check-device only"
    ),
    ShowCommand(
        text="show privilege",
        platforms=_IOS,
        tier=None,
        lost="the privilege level, in check-device only",
    ),
    ShowCommand(
        text="show curpriv",
        platforms=_ASA,
        tier=None,
        lost="the privilege level, in check-device only",
    ),
    ShowCommand(
        text="show clock",
        platforms=_ALL,
        tier=None,
        lost="the device's clock, in check-device only",
    ),
)

SESSION_LINES: Mapping[Platform, tuple[str, ...]] = MappingProxyType(
    {
        **dict.fromkeys(_IOS, ("enable", "terminal length 0", "terminal width 511")),
        # the width of an ASA's terminal is part of its configuration
        Platform.ASA: ("enable", "terminal pager 0"),
    }
)
"""What a session types beside show commands. With them: an empty line to see the prompt, after the login and after a
command; the enable secret where it was asked for; and a space where the device waits at ``--More--``."""

# Cisco's names for interfaces and VRFs: no blank, and nothing that a parser of IOS gives a meaning to (``|``, ``?``).
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./:-]{0,62}", re.ASCII)


def _is_address(value: str) -> bool:
    # an IPv6 zone (``fe80::1%eth0``) is this machine's, no device takes it
    if "%" in value:
        return False
    try:
        ip_address(value)
    except ValueError:
        return False
    return True


def _is_token(value: str) -> bool:
    return _TOKEN.fullmatch(value) is not None


_KINDS = MappingProxyType({"peer": _is_address, "interface": _is_token, "vrf": _is_token})
_EXPECTED = MappingProxyType(
    {"peer": "an IP address", "interface": "the name of an interface", "vrf": "the name of a VRF"}
)
_PLACE = re.compile(r"\{(\w+)\}")
_FIXED = frozenset(one.text for one in COMMANDS if not _PLACE.search(one.text))
_TEXTS = frozenset(one.text for one in COMMANDS)


def _matcher(text: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    """The command with a group for each place, and the kinds of these."""
    parts = _PLACE.split(text)
    pattern = "".join(
        f"(?P<{part}>[!-~]+)" if number % 2 else re.escape(part)
        for number, part in enumerate(parts)
    )
    return re.compile(pattern, re.ASCII), tuple(parts[1::2])


_FILLED = tuple(_matcher(one.text) for one in COMMANDS if one.text not in _FIXED)


def commands_of(
    platform: Platform, tiers: Iterable[PollTier | None] = (*PollTier, None)
) -> tuple[ShowCommand, ...]:
    """What is sent to devices of ``platform`` in any of ``tiers``, in the order of the table."""
    wanted = set(tiers)
    return tuple(one for one in COMMANDS if platform in one.platforms and one.tier in wanted)


def command(text: str, **values: str) -> str:
    """A command of ``COMMANDS`` with its places filled in: ``command("show crypto ipsec sa peer {peer}", peer=...)``.

    Raises ``ValueError`` for a text that is not in the table, and for a value that is not of the kind of its place.
    """
    if text not in _TEXTS:
        raise ValueError(f"not a command that is ever sent: {text!r}")
    places = _PLACE.findall(text)
    if sorted(places) != sorted(values):
        raise ValueError(
            f"{text!r} takes {', '.join(places) or 'no value'}, "
            f"not {', '.join(sorted(values)) or 'no value'}"
        )
    for kind, value in values.items():
        if not _KINDS[kind](value):
            raise ValueError(f"{text!r}: expected {_EXPECTED[kind]}, not {value!r}")
    return ensure_read_only(text.format(**values))


def ensure_read_only(command: str) -> str:
    """``command`` itself, or ``ValueError``: a programming fault, not something a device did."""
    if len(command) <= MAX_COMMAND_CHARACTERS and (command in _FIXED or _is_filled(command)):
        return command
    raise ValueError(f"not a plain show command of the list: {command[:MAX_COMMAND_CHARACTERS]!r}")


def _is_filled(command: str) -> bool:
    for pattern, kinds in _FILLED:
        match = pattern.fullmatch(command)
        if match is not None and all(_KINDS[kind](match[kind]) for kind in kinds):
            return True
    return False
