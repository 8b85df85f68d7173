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

__all__ = ["CleanText", "Echo", "clean", "echoes", "is_same_command", "shown"]

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
_PROMPT = re.compile(rf"^[ ]*(?P<host>{_HOST})[#>][ ]*$", re.MULTILINE)
_PROMPT_ECHO = re.compile(
    rf"^[ ]*(?P<host>{_HOST})[#>][ ]*(?:do[ ]+)?"
    r"(?P<command>(?:sh[a-z]*|clear|debug|undebug|un|ping|traceroute|term[a-z]*|conf[a-z]*|en[a-z]*)"
    r"(?:[ ].*)?)$",
    re.MULTILINE,
)
_PROMPT_AND_REST = re.compile(
    rf"^[ ]*(?P<host>{_HOST})[#>][ ]*(?:do[ ]+)?(?P<command>[^\n]*)$", re.MULTILINE
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
    text = shown(text)
    ends_with_prompt = bool(_PROMPT.match(text[text.rstrip().rfind("\n") + 1 :]))
    echoes = list(_PROMPT_ECHO.finditer(text))
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
    text = _PROMPT_ECHO.sub("", text)
    text = _PROMPT.sub("", text)
    return CleanText(_blank_bare_echo(text), ends_with_prompt)


def shown(text: str) -> str:
    """``text`` as a terminal shows it, without what the device said beside the answers; echoes and prompts stay."""
    text = _undo_terminal(text)
    if ": " in text:
        text = _NOISE.sub("", text)
        if "*" in text or "%" in text:
            text = _BREAKING_MESSAGE.sub(r"\g<rest>\n", text)
    return _GLUED_PROMPT.sub("\n\\g<0>", text) if _GLUED_PROMPT.search(text) else text


@dataclass(frozen=True, slots=True)
class Echo:
    """A prompt and what was typed behind it, nothing where somebody pressed Enter; ``start`` and ``end`` of the line."""

    host: str
    command: str
    start: int
    end: int


def echoes(text: str) -> list[Echo]:
    """The prompts of a ``shown`` text, in its order.

    Behind the prompt of a device that is known from a bare prompt or a usual command, anything is a command.
    """
    known = {_device(match["host"]) for match in _PROMPT_ECHO.finditer(text)}
    known |= {_device(match["host"]) for match in _PROMPT.finditer(text)}
    return [
        Echo(_device(match["host"]), match["command"].strip(), match.start(), match.end())
        for match in _PROMPT_AND_REST.finditer(text)
        if _device(match["host"]) in known
    ]


def _device(host: str) -> str:
    """``asa/pri/act(config)`` -> ``asa``."""
    return host.partition("(")[0].partition("/")[0]


def is_same_command(typed: str, command: str) -> bool:
    """Whether ``typed`` is ``command`` or an abbreviation of it, word by word: ``sh cry isa sa``."""
    words, whole = typed.lower().split(), command.lower().split()
    return len(words) == len(whole) and all(
        full.startswith(word) for word, full in zip(words, whole, strict=True)
    )


def _undo_terminal(text: str) -> str:
    if _NEEDS_TRANSLATION.search(text):
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
