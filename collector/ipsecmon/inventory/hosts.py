"""A device as a source describes it, before it is known whether it can be used."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ipsecmon.errors import IpsecmonError

__all__ = ["FoundHost", "LeftOut", "SourceFailed", "platform_word"]

# as Ansible, NetBox, Nautobot, netmiko, napalm and people call them
_PLATFORMS = {
    "ios": "ios",
    "ios_ios": "ios",
    "ios_xe": "iosxe",
    "iosxe": "iosxe",
    "xe": "iosxe",
    "asa": "asa",
    "asa_asa": "asa",
    "adaptive_security_appliance": "asa",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundHost:
    """``said`` has keys of ``devices``, values as in a file; ``groups_if_known`` are those of the source's own world."""

    name: str
    said: Mapping[str, object]
    groups_if_known: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A host that cannot be a device, with the reason in a sentence."""

    source: str
    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.source}: {self.name} is left out: {self.reason}"


class SourceFailed(IpsecmonError, OSError):
    """A source cannot be asked, or what it answers is no inventory; never holds a secret."""


def platform_word(text: str) -> str:
    """``cisco_ios``, ``Cisco IOS-XE``, ``cisco.ios.ios`` and so on in our words; others as they are."""
    word = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    word = re.sub(r"^(?:cisco_)+", "", word)
    return _PLATFORMS.get(word, text)
