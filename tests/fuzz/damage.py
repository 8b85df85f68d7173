"""What happens to an output between the device and us: harmless damage that must change nothing, and mutations."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Sequence
from typing import Any

__all__ = [
    "BREAKING",
    "HARMLESS",
    "MESSAGES",
    "grows_into",
    "leads",
    "mutated",
    "stands_in",
    "with_message",
    "wrapped",
]

# what a device says beside the answer, with the stamps it may have
MESSAGES = (
    "*Nov 23 10:11:12.000: %CRYPTO-5-SESSION_STATUS: Crypto tunnel is DOWN.  Peer 192.0.2.9:500",
    "000123: Nov 23 10:11:12: %SYS-5-CONFIG_I: Configured from console by admin on vty0 (192.0.2.7)",
    ".Nov  3 10:11:12.123 CEST: %LINEPROTO-5-UPDOWN: Line protocol on Interface Tunnel0, changed state",
    "004567: *Nov 23 2026 10:11:12.000 UTC: %CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd IPSEC packet",
    "1w2d: %CRYPTO-4-PKT_REPLAY_ERR: decrypt: replay check failed connection id=2001",
    "00:00:52: ISAKMP: local port 500, remote port 500",
    "%CRYPTO-6-IKMP_MODE_FAILURE: Processing of Quick mode failed with peer at 192.0.2.9",
    "%SYS-SW1-4-CPUHOG: Task is running for (2000)msecs",
    "*Mar  1 00:31:07.123: ISAKMP (0:1): purging node 852773885",
    "ISAKMP:(1001):Old State = IKE_QM_PHASE2_COMPLETE  New State = IKE_QM_PHASE2_COMPLETE",
    "ISAKMP: (1001):purging node 852773885",
    "IPSEC(key_engine): got a queue event with 1 KMI message(s)",
    "IKEv2:(SESSION ID = 12,SA ID = 1):Verification of peer's authentication data PASSED",
    "%ASA-5-713119: Group = 192.0.2.9, IP = 192.0.2.9, PHASE 1 COMPLETED",
    "Nov 23 2026 10:11:12 fw1 : %ASA-5-713119: Group = 192.0.2.9, PHASE 1 COMPLETED",
    "Nov 23 2026 10:11:12: %ASA-4-402119: IPSEC: Received an ESP packet (SPI= 0xABCD, sequence number= 0x1)",
    "Nov 23 10:11:12 [IKEv1]Group = 192.0.2.9, IP = 192.0.2.9, Security negotiation complete",
    "2026-11-23T10:11:12Z fw1 : %ASA-6-602303: IPSEC: An outbound LAN-to-LAN SA (SPI= 0xABCD) has been created",
    "  (key eng. msg.) OUTBOUND local= 192.0.2.1:500, remote= 192.0.2.9:500,",
    "    local_proxy= 10.1.1.0/255.255.255.0/256/0,",
    "    lifedur= 3600s and 4608000kb,",
    "!!!!!",
    "Success rate is 100 percent (5/5), round-trip min/avg/max = 1/2/4 ms",
    "[OK]",
    "Building configuration...",
)
# messages that break a line begin with a mark, a clock or a name that no line has inside
BREAKING = (
    MESSAGES[0],
    MESSAGES[2],
    MESSAGES[3],
    MESSAGES[6],
    MESSAGES[8],
    MESSAGES[9],
    MESSAGES[13],
)


def with_message(text: str, message: str, before_line: int) -> str:
    """``message`` between two lines."""
    lines = text.split("\n")
    return "\n".join([*lines[:before_line], message, *lines[before_line:]])


def with_prompt(text: str, command: str) -> str:
    return f"Site1#{command}\n{text.rstrip()}\n\nSite1#"


def with_everything_before(text: str, command: str) -> str:
    """A log of a session: banner, a blank command, a ping, the clock of the exec prompt, the answer, the next."""
    return (
        "Unauthorized access is forbidden\r\n\r\nSite1>en\r\nPassword: \r\nSite1#\r\nSite1#ping 192.0.2.9\r\n"
        "Type escape sequence to abort.\r\nSending 5, 100-byte ICMP Echos to 192.0.2.9, timeout is 2 seconds:\r\n!!!!!\r\n"
        f"Success rate is 100 percent (5/5)\r\nSite1#{command}\r\n"
        "Load for five secs: 1%/0%; one minute: 1%; five minutes: 1%\r\n"
        "No time source, *10:11:12.345 UTC Mon Nov 23 2026\r\n\r\n"
        + text.replace("\n", "\r\n")
        + "\r\nSite1#\r\nSite1#show clock\r\n10:11:12 UTC\r\nSite1#"
    )


def _in_pages(erasure: str) -> Callable[[str, str], str]:
    """The pager stops every three lines."""

    def paged(text: str, _: str) -> str:
        lines = text.split("\n")
        return "\n".join(
            f"{erasure}{line}" if number % 3 == 2 else line for number, line in enumerate(lines)
        )

    return paged


HARMLESS: dict[str, Callable[[str, str], str]] = {
    "CR before line ends": lambda text, _: text.replace("\n", "\r\n"),
    "two CRs before line ends": lambda text, _: text.replace("\n", "\r\r\n"),
    "CR behind line ends": lambda text, _: text.replace("\n", "\n\r"),
    "CR for line ends": lambda text, _: text.replace("\n", "\r"),
    "null bytes behind CRs": lambda text, _: text.replace("\n", "\r\x00\n"),
    "no-break spaces": lambda text, _: text.replace(" ", "\u00a0"),
    "some no-break spaces": lambda text, _: text.replace("  ", " \u00a0"),
    "narrow no-break spaces": lambda text, _: text.replace(" ", "\u202f"),
    "zero width spaces": lambda text, _: text.replace(" ", " \u200b"),
    "blanks at line ends": lambda text, _: text.replace("\n", "   \n"),
    "byte order mark": lambda text, _: f"\ufeff{text}",
    "doubled blank lines": lambda text, _: text.replace("\n", "\n\n"),
    "colours": lambda text, _: text.replace("\n", "\x1b[0m\n\x1b[32m"),
    "lines erased to their end": lambda text, _: text.replace("\n", "\x1b[K\r\n"),
    "window title, BEL": lambda text, _: f"\x1b]0;Site1: show\x07{text}",
    "window title, ST": lambda text, _: f"\x1b]2;Site1\x1b\\{text}",
    "character sets": lambda text, _: f"\x1b(B\x1b)0{text}".replace("\n", "\x1b(B\n"),
    "keypad modes": lambda text, _: f"\x1b=\x1b[?1h{text}\x1b>",
    "pager, backspaces": _in_pages(" --More-- " + "\x08" * 9 + " " * 8 + "\x08" * 9),
    "pager, CRs": _in_pages(" --More-- \r          \r"),
    "pager, erased by an escape": _in_pages("\x1b[7m --More-- \x1b[m\r\x1b[K"),
    "pager, ASA": _in_pages("<--- More --->\r              \r"),
    "pager on a line of its own": _in_pages(" --More-- \n"),
    "prompt and echo": with_prompt,
    "echo alone": lambda text, command: f"{command}\n{text}",
    "echo with a corrected slip": lambda text, command: (
        f"Site1#{command}x\x08 \x08\n{text}\nSite1#"
    ),
    "echo in configuration mode": lambda text, command: (
        f"Site1(config)#do {command}\n{text}\nSite1(config)#"
    ),
    "session log": with_everything_before,
}


def wrapped(text: str, columns: int = 80) -> str:
    """What a terminal of 80 columns makes of longer lines."""
    return "\n".join(
        "\n".join(line[at : at + columns] for at in range(0, max(1, len(line)), columns))
        for line in text.split("\n")
    )


def is_tuple(value: Any) -> bool:
    return isinstance(value, tuple)


def leads(part: Any, whole: Any) -> bool:
    """``part`` is the beginning of ``whole``: equal, or ended early with what it lacks ``None`` or left out."""
    if part is None or part == whole:
        return True
    if is_tuple(part) and is_tuple(whole):
        items = list(part)
        others = list(whole)
        if not items:
            return True
        last = len(items) - 1
        return (
            last < len(others)
            and items[:last] == others[:last]
            and leads(items[last], others[last])
        )
    if dataclasses.is_dataclass(part) and type(part) is type(whole):
        names = [field.name for field in dataclasses.fields(part)]
        return all(leads(getattr(part, name), getattr(whole, name)) for name in names)
    return False


def stands_in(part: Any, whole: Any) -> bool:
    """As ``leads``, but what is missing may be missing anywhere."""
    if part is None or part == whole:
        return True
    if is_tuple(part) and is_tuple(whole):
        others = list(whole)
        items = list(part)
        for item in items:
            while others and not stands_in(item, others[0]):
                others.pop(0)
            if not others:
                return False
            others.pop(0)
        return True
    if dataclasses.is_dataclass(part) and type(part) is type(whole):
        names = [field.name for field in dataclasses.fields(part)]
        return all(stands_in(getattr(part, name), getattr(whole, name)) for name in names)
    return False


def grows_into(part: Any, whole: Any) -> bool:
    """As ``leads``, where later lines may still add to any record: ``crypto map X 10 set ...`` anywhere below."""
    if part is None or part == whole:
        return True
    if is_tuple(part) and is_tuple(whole):
        items, others = list(part), list(whole)
        return len(items) <= len(others) and all(map(grows_into, items, others))
    if dataclasses.is_dataclass(part) and type(part) is type(whole):
        return all(
            grows_into(getattr(part, field.name), getattr(whole, field.name))
            or (field.name in _SAID_LATER and getattr(part, field.name) is False)
            for field in dataclasses.fields(part)
        )
    return False


# a line of its own says it, and False is what the record holds until that line came
_SAID_LATER = frozenset({"volume_rekey_disabled"})


_PIECES = (
    "\n", "\r", "\r\n", " ", "\t", "\x08", "\x1b[", "\x1b]0;", "\x00", "\u00a0", "\u2028", "\ud800", "%", "^",
    "#", ">", ":", "/", "(", ")", "{", "}", "-", ",", ".", "0x", "0", "9" * 30, "-1", "255.255.255.0", "::", "***",
    " --More-- ", "R1#", "R1#show version\n", "(none)", "N/A", "²", "٣", "ﬁ", "İ",
)  # fmt: skip


def mutated(text: str, others: Sequence[str], chance: random.Random) -> str:
    """``text`` with some of it lost, doubled, moved, replaced or mixed with another."""
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        at = chance.randrange(len(text) + 1)
        to = min(len(text), at + chance.choice((1, 1, 2, 5, 20, 100, 1000)))
        lines = text.split("\n")
        line = chance.randrange(len(lines))
        match chance.randrange(12):
            case 0:
                text = text[:at]
            case 1:
                text = text[at:]
            case 2:
                text = text[:at] + text[to:]
            case 3:
                text = text[:at] + text[at:to] * chance.choice((2, 3, 50)) + text[to:]
            case 4:
                text = text[:at] + chance.choice(_PIECES) + text[to:]
            case 5:
                text = text[:at] + chance.choice(_PIECES) + text[at:]
            case 6:
                text = "\n".join([*lines[:line], *lines[line + 1 :]])
            case 7:
                text = "\n".join([*lines[:line], lines[line], *lines[line:]])
            case 8:
                other = chance.choice(others).split("\n")
                text = "\n".join([*lines[:line], chance.choice(other), *lines[line:]])
            case 9:
                other_text = chance.choice(others)
                text = text[:at] + other_text[chance.randrange(len(other_text) + 1) :]
            case 10:
                text = with_message(text, chance.choice(MESSAGES), line)
            case _:
                character = chr(chance.choice((chance.randrange(128), chance.randrange(0x110000))))
                text = text[:at] + character + text[at + 1 :]
    return text
