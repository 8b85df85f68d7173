"""Texts made to cost time, and a table of what each costs every command: ``make worst`` (``MEGABYTES=1`` is quick).

Whatever a device or a user sends, reading it takes time in proportion to its length. 10 MB of any of these texts
should be read, or refused, in under five seconds. What is over is marked ``SLOW``; what takes more than its share
when the text doubles is marked ``GROWS``.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

from fuzz.cases import commands, fixture_cases
from ipsecmon_parsers.errors import ParserError
from ipsecmon_parsers.registry import parse

__all__ = ["TEXTS", "own_texts"]

MEGABYTE = 1_000_000
SECONDS_FOR_TEN_MEGABYTES = 5.0


def _repeated(part: str) -> Callable[[int], str]:
    return lambda size: (part * (size // len(part) + 1))[:size]


def _nested(opening: str, closing: str) -> Callable[[int], str]:
    return lambda size: opening * (size // 2) + closing * (size // 2)


def _staircase(size: int) -> str:
    """Every line one blank deeper than the one before, up to 400, over and over."""
    stairs = "".join(f"{' ' * depth}crypto map X {depth} ipsec-isakmp\n" for depth in range(400))
    return _repeated(stairs)(size)


def _one_staircase(size: int) -> str:
    """One staircase, as deep as the size allows."""
    lines: list[str] = []
    length = 0
    while length < size:
        lines.append(f"{' ' * len(lines)}a")
        length += len(lines) + 1
    return "\n".join(lines)


def _numbered_prompts(size: int) -> str:
    return "".join(f"R{n}#show version\nx\n" for n in range(size // 21))


TEXTS: dict[str, Callable[[int], str]] = {
    "one endless line": _repeated("a"),
    "one endless line of words": _repeated("word "),
    "one endless line of blanks": _repeated(" "),
    "one endless line of what is no letter": _repeated("\ufffd"),
    "typed secrets without a value": _repeated("password for a"),
    "blank lines": _repeated("\n"),
    "lines of blanks": _repeated("   \n"),
    "long lines of blanks": _repeated(" " * 3000 + "x\n"),
    "nested brackets": _nested("[", "]"),
    "nested braces": _nested("{", "}"),
    "nested parentheses": _nested("(", ")"),
    "bracket lines": _repeated("[{(\n"),
    "prompts": _repeated("R1#\n"),
    "prompts in one line": _repeated("R1#"),
    "prompts and echoes": _repeated("R1#sh x\n"),
    "numbered prompts and echoes": _numbered_prompts,
    "hashes": _repeated("#"),
    "hash lines": _repeated("#pkts \n"),
    "carriage returns": _repeated("\r"),
    "carriage returns between letters": _repeated("a\r"),
    "carriage returns and line ends": _repeated("a\r\r\rb\n"),
    "backspaces": _nested("a", "\x08"),
    "pagers": _repeated(" --More-- \x08\x08\x08 \x08\x08\x08"),
    "pagers without an end": _repeated(" --More-- \r      "),
    "escapes": _repeated("\x1b["),
    "escapes with arguments": _repeated("\x1b[0;"),
    "titles without an end": _repeated("\x1b]0;x"),
    "colons": _repeated(":"),
    "colon lines": _repeated("a: b: c: d\n"),
    "stars": _repeated("*"),
    "star lines": _repeated("*Nov \n"),
    "per cent signs": _repeated("%"),
    "messages": _repeated("*Nov 23 10:11:12.000: %CRYPTO-5-SESSION_STATUS: Crypto tunnel is UP\n"),
    "messages inside lines": _repeated("abc*Nov 23 10:11:12.000: %CRYPTO-5-UP: x\ndef\n"),
    "messages in one line": _repeated("a *Nov 23 10:11:12.000: %CRYPTO-5-UP: x "),
    "debug lines": _repeated("ISAKMP:(1001):deleting node 1 error FALSE\n"),
    "digits": _repeated("1"),
    "digit lines": _repeated("1234567890\n"),
    "dotted digits": _repeated("1."),
    "slashes": _repeated("/"),
    "dashes": _repeated("-"),
    "dots": _repeated("."),
    "commas": _repeated("a, "),
    "line separators": _repeated("\u2028"),
    "null bytes": _repeated("\x00"),
    "broken characters": _repeated("\ufffd"),
    "staircases": _staircase,
    "one staircase": _one_staircase,
    "keys": _repeated(" pre-shared-key key key\n"),
    "key words in one line": _repeated("key "),
    "banner without an end": lambda size: "banner motd ^C\n" + _repeated("crypto x\n")(size),
    "key string without an end": lambda size: " key-string\n" + _repeated("  AB CD\n")(size),
}


def own_texts(platform: str, command: str) -> dict[str, Callable[[int], str]]:
    """The outputs of the command that our fixtures hold, whole and line by line, over and over."""
    kin = _kin(command)
    texts = [
        case.text
        for case in fixture_cases()
        if (case.platform == "asa") == (platform == "asa") and _kin(case.command) == kin
    ]
    lines = sorted({line for text in texts for line in text.split("\n") if line.strip()})
    if not lines:
        return {}
    return {
        "its outputs": _repeated("\n".join(texts)),
        "each of its lines": lambda size: "".join(
            f"{line}\n" * (size // len(lines) // (len(line) + 1) + 1) for line in lines
        ),
        "its first lines": _repeated(
            "".join(f"{text.lstrip().partition(chr(10))[0]}\n" for text in texts)
        ),
        "its lines reversed": _repeated("\n".join(reversed("\n".join(texts).split("\n")))),
    }


def _kin(command: str) -> str:
    """The words that choose the table: ``show crypto ipsec sa`` of ``show crypto ipsec sa detail``."""
    words = command.replace("show ip ", "show ").replace("show ipv6 ", "show ").split()
    return " ".join(
        word.rstrip("s") for word in words[:4] if word not in ("all", "default", "brief")
    )


class _TookTooLong(Exception):
    """A pair was given up."""


@contextmanager
def _at_most(seconds: float) -> Generator[None, None, None]:
    def give_up(_: int, __: object) -> None:
        raise _TookTooLong

    before = signal.signal(signal.SIGVTALRM, give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def seconds_of(platform: str, command: str, text: str, limit: float) -> float:
    """What reading ``text`` takes, ``inf`` beyond ``limit``."""
    started = time.process_time()
    try:
        with _at_most(limit), suppress(ParserError):
            parse(platform, command, text, complete=True)
    except _TookTooLong:
        return float("inf")
    return time.process_time() - started


def main(arguments: list[str]) -> int:
    """Print the seconds of every pair, the slowest first; 1 where one is slow or grows."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--megabytes", type=float, default=10.0)
    options.add_argument("--command", default="", help="only commands that contain this")
    options.add_argument("--text", default="", help="only texts whose name contains this")
    options.add_argument("--rows", type=int, default=40, help="how many rows to print")
    chosen = options.parse_args(arguments)
    size = int(chosen.megabytes * MEGABYTE)
    allowed = SECONDS_FOR_TEN_MEGABYTES * chosen.megabytes / 10
    rows: list[tuple[float, float, str, str]] = []
    for platform, command in commands():
        if chosen.command not in command:
            continue
        with suppress(ParserError):
            parse(platform, command, "x")  # compiles the template
        for name, make in {**TEXTS, **own_texts(platform, command)}.items():
            if chosen.text not in name:
                continue
            seconds = seconds_of(platform, command, make(size), allowed * 20)
            half = (
                seconds
                if seconds < allowed / 4
                else seconds_of(platform, command, make(size // 2), allowed * 20)
            )
            rows.append((seconds, half, f"{platform} {command}", name))
        print(
            f"{platform} {command}: worst {max(row[0] for row in rows):.2f} s so far",
            file=sys.stderr,
            flush=True,
        )
    rows.sort(reverse=True)
    slow = [row for row in rows if row[0] > allowed]
    print(
        f"{len(rows)} pairs of {chosen.megabytes:g} MB, allowed {allowed:.2f} s, {len(slow)} over"
    )
    for seconds, half, command, name in rows[: chosen.rows]:
        marks = ("SLOW " if seconds > allowed else "") + ("GROWS" if seconds > 2.8 * half else "")
        print(f"{seconds:8.2f} s  {command:55} {name:35} {marks}".rstrip())
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
