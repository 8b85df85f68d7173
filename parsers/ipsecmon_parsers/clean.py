"""Undoes what a terminal does to an output, before any template sees it.

What a user pastes from a web page or a terminal log, and what an SSH channel delivers, holds more than the
device's answer: no-break spaces (the tutorial's listing has 334), carriage returns, ``--More--`` and the
backspaces that erase it, colour codes, the echoed command, the prompt, the clock of ``terminal exec prompt
timestamp`` and syslog lines. All of it is removed **without changing the number of lines**: line n of the
cleaned text is line n of the input, so that errors can name the place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["CleanText", "clean", "is_same_command"]

# characters that str.splitlines() takes for line ends although a terminal does not
_BLANKS = str.maketrans(
    {
        "\u00a0": " ",
        "\u2007": " ",
        "\u202f": " ",
        "\t": " ",
        "\x0b": " ",
        "\x0c": " ",
        "\x1c": " ",
        "\x1d": " ",
        "\x1e": " ",
        "\x85": " ",
        "\u2028": " ",
        "\u2029": " ",
        "\x00": "",
        "\x07": "",
        "\ufeff": "",
    }
)
_NEEDS_TRANSLATION = re.compile(
    "[\u00a0\u2007\u202f\t\x0b\x0c\x1c-\x1e\x85\u2028\u2029\x00\x07\ufeff]"
)
_ASCII_BLANKS = tuple(chr(code) for code in _BLANKS if code < 128)
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])")
# " --More-- " and its erasure: backspaces, blanks, backspaces; or a carriage return, blanks, a carriage return
_PAGER = re.compile(r"[ ]?(?:--More--|<--- More --->)[ ]?(?:\x08+[ ]*\x08*|\r[ ]*\r)?")
# the look-behind keeps a megabyte of carriage returns from being tried at each of them
_LINE_END = re.compile(r"(?<!\r)\r+\n")

_NOISE = re.compile(
    r"""
    ^[ ]*(?:
      Load[ ]for[ ]five[ ]secs:.*              # terminal exec prompt timestamp
    | Time[ ]source[ ]is[ ].*
    | (?:\d{6,}:[ ])?[*.]?                      # *Nov 23 10:11:12.000: %CRYPTO-5-SESSION_STATUS: ...
      [A-Z][a-z]{2}[ ][ \d]\d[ ](?:\d{4}[ ])?\d\d:\d\d:\d\d(?:\.\d+)?(?:[ ][A-Z]{3,5})?:[ ].*
    | %[A-Z0-9_]+-[0-7]-[A-Z0-9_]+:[ ].*        # the same without a clock
    )$
    """,
    re.VERBOSE | re.MULTILINE,
)

# A message that breaks a line in two: "current outbound sp*Sep 21 07:07:43.912: %DMVPN-5-CRYPTO_SS: ...", and the
# device goes on with "i: 0x41CCF09E" on the next line.
_BREAKING_MESSAGE = re.compile(
    r"""
    (?<=[^\s*.])[ ]?
    (?: [*.][A-Z][a-z]{2}[ ][ \d]\d[ ](?:\d{4}[ ])?\d\d:\d\d:\d\d(?:\.\d+)?(?:[ ][A-Z]{3,5})?:[ ]
      | %[A-Z][A-Z0-9_]+-[0-7]-[A-Z0-9_]+:[ ] )
    [^\n]*\n(?P<rest>[^\n]*)
    """,
    re.VERBOSE,
)

# a host name as IOS prints it; no output line of the commands we read has this shape
_HOST = r"[A-Za-z0-9][A-Za-z0-9._:@/()\[\]+*?$-]{0,62}"
_PROMPT = re.compile(rf"^[ ]*{_HOST}[#>][ ]*$", re.MULTILINE)
_PROMPT_ECHO = re.compile(
    rf"^[ ]*{_HOST}[#>][ ]*(?P<command>(?:sh[a-z]*|clear|debug|undebug|un|ping|traceroute|term[a-z]*|conf[a-z]*|en[a-z]*)"
    rf"(?:[ ].*)?)$",
    re.MULTILINE,
)
# "     outbound pcp sas:Site1#": the device ended its answer without a line end
_GLUED_PROMPT = re.compile(rf"(?<=sas:){_HOST}[#>][ ]*\Z")
_BARE_ECHO = re.compile(r"\A\s*^[ ]*sh(?:o|ow)?[ ]+[a-z][^\n]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class CleanText:
    """``text`` has as many lines as the input; ``ends_with_prompt`` proves that the device had finished."""

    text: str
    ends_with_prompt: bool

    def line(self, line_no: int) -> str:
        """Line ``line_no``, counted from 1."""
        return self.text.split("\n")[line_no - 1]


def clean(text: str, command: str = "") -> CleanText:
    """Return ``text`` without terminal artefacts, line for line.

    Where the text is a log of several commands, only the answer to ``command`` is left.

    >>> clean("Site1# show clock\\r\\n*10:11:12.345 UTC Mon Nov 23 2026\\r\\nSite1#")
    CleanText(text='\\n*10:11:12.345 UTC Mon Nov 23 2026\\n', ends_with_prompt=True)
    """
    text = _undo_terminal(text)
    if _may_hold_messages(text):
        text = _NOISE.sub("", text)
        if "*" in text or "%" in text:
            text = _BREAKING_MESSAGE.sub(r"\g<rest>\n", text)
    if text.rstrip(" ").endswith(("#", ">")):
        last_line = text.rfind("\n") + 1
        text = text[:last_line] + _GLUED_PROMPT.sub("\n\\g<0>", text[last_line:])
    ends_with_prompt = _PROMPT.match(_last_line(text)) is not None
    echoes = _matching_lines(_PROMPT_ECHO, text)
    mine = [echo for echo in echoes if is_same_command(echo["command"], command)]
    if mine and len(echoes) > 1:
        # the last answer is the newest; an echo behind it proves that the device had finished
        start = mine[-1].start()
        end = next((echo.start() for echo in echoes if echo.start() > start), len(text))
        ends_with_prompt = ends_with_prompt or end < len(text)
        text = "\n" * text.count("\n", 0, start) + text[start:end]
    elif echoes and not mine and text[: echoes[0].start()].strip():
        # no echo of ours, but an answer before the first echo of another command
        text, ends_with_prompt = text[: echoes[0].start()], True
    text = _without(_matching_lines(_PROMPT_ECHO, text), text)
    text = _without(_matching_lines(_PROMPT, text), text)
    return CleanText(_blank_bare_echo(text), ends_with_prompt)


def _last_line(text: str) -> str:
    """From the start of the last line that says anything; the text is not copied to find it."""
    end = len(text)
    while end and text[end - 1].isspace():
        end -= 1
    return text[text.rfind("\n", 0, end) + 1 :]


# a time of day, which every message without "%" holds
_TIME = re.compile(r":\d\d:\d\d")
# the end of a prompt: "#" or ">" behind a character of a host name
_PROMPT_END = re.compile(r"#(?<=[A-Za-z0-9._:@/()\[\]+*?$-]#)|>(?<=[A-Za-z0-9._:@/()\[\]+*?$-]>)")
_PROMPT_END_HASH = re.compile(r"#(?<=[A-Za-z0-9._:@/()\[\]+*?$-]#)")


def _may_hold_messages(text: str) -> bool:
    """Whether ``_NOISE`` can match at all; to look for what it needs is quicker than to try it on every line."""
    return ": " in text and (
        "%" in text
        or "Load for five secs:" in text
        or "Time source is " in text
        or _TIME.search(text) is not None
    )


def _matching_lines(pattern: re.Pattern[str], text: str) -> list[re.Match[str]]:
    """What ``finditer`` of a pattern for whole lines with a prompt finds, looking only where one may be."""
    found: list[re.Match[str]] = []
    # a search for one character is many times quicker than one for either of two
    end_of_prompt = _PROMPT_END if ">" in text else _PROMPT_END_HASH
    position = 0
    while sign := end_of_prompt.search(text, position):
        start = text.rfind("\n", 0, sign.start()) + 1
        match = pattern.match(text, start)
        if match is not None:
            found.append(match)
        line_end = text.find("\n", sign.end())
        if line_end < 0:
            break
        position = line_end + 1
    return found


def _without(matches: list[re.Match[str]], text: str) -> str:
    """The text without what matched."""
    parts: list[str] = []
    position = 0
    for match in matches:
        parts.append(text[position : match.start()])
        position = match.end()
    return "".join(parts) + text[position:] if parts else text


def is_same_command(typed: str, command: str) -> bool:
    """Whether ``typed`` is ``command`` or an abbreviation of it, word by word: ``sh cry isa sa``."""
    words, whole = typed.lower().split(), command.lower().split()
    return len(words) == len(whole) and all(
        full.startswith(word) for word, full in zip(words, whole, strict=True)
    )


def _undo_terminal(text: str) -> str:
    if _needs_translation(text):
        text = text.translate(_BLANKS)
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    if "\r" in text:
        text = _LINE_END.sub("\n", text)
    if "More" in text:
        text = _PAGER.sub("", text)
    if "\x08" in text:
        text = _erased(text)
    if "\r" in text:
        text = (
            "\n".join(_overwritten(line) for line in text.split("\n"))
            if "\n" in text
            else text.replace("\r", "\n")
        )
    return text


def _needs_translation(text: str) -> bool:
    # a search for one character after the other is many times quicker than one for any of them
    if text.isascii():
        return any(char in text for char in _ASCII_BLANKS)
    return _NEEDS_TRANSLATION.search(text) is not None


def _overwritten(line: str) -> str:
    """What a terminal shows of a line with carriage returns inside: later text lies over earlier text."""
    parts = line.split("\r")
    shown = [parts.pop()]
    length = len(shown[0])
    for part in reversed(parts):
        if len(part) > length:
            shown.append(part[length:])
            length = len(part)
    return "".join(shown)


def _erased(text: str) -> str:
    """Backspaces take the character before them, never a line end."""
    kept: list[str] = []
    for char in text:
        if char != "\x08":
            kept.append(char)
        elif kept and kept[-1] != "\n":
            kept.pop()
    return "".join(kept)


def _blank_bare_echo(text: str) -> str:
    """An echo without a prompt can only be the first line that says anything."""
    echo = _BARE_ECHO.match(text)
    return "\n" * echo.group().count("\n") + text[echo.end() :] if echo else text
