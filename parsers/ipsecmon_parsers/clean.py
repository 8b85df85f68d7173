"""Undoes what a terminal does to an output, before any template sees it.

What a user pastes from a web page or a terminal log, and what an SSH channel delivers, holds more than the
device's answer: no-break spaces (the tutorial's listing has 334), carriage returns, ``--More--`` and the
backspaces that erase it, colour codes, the echoed command, the prompt, the clock of ``terminal exec prompt
timestamp``, syslog and debug messages, the ping before. All of it is removed **without changing the number of lines**: line n of the
cleaned text is line n of the input, so that errors can name the place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

__all__ = [
    "CleanText",
    "Echo",
    "clean",
    "echoes",
    "is_free_text",
    "is_same_command",
    "shown",
    "without_terminal",
]

# characters that str.splitlines() takes for line ends although a terminal does not, blanks of every width, and
# characters that show nothing
_BLANKS = str.maketrans(
    {
        **dict.fromkeys("\u00a0\u2007\u202f\u3000\t\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029", " "),
        **dict.fromkeys(map(chr, range(0x2000, 0x200B)), " "),
        **dict.fromkeys("\x00\x07\u200b\u200c\u200d\u200e\u200f\u2060\ufeff", ""),
    }
)
_NEEDS_TRANSLATION = re.compile(
    "[\u00a0\u202f\u3000\t\x0b\x0c\x1c-\x1e\x85\u2028\u2029\x00\x07\u2000-\u200f\u2060\ufeff]"
)
_ANSI = re.compile(
    r"""
    (?:\x1b\[|\x9b) [0-?]*[ -/]*[@-~]                            # colours, cursor movements, erasures
    | \x1b[\]PX^_] [^\x07\x1b\n]{0,256} (?:\x07|\x1b\\)           # window titles and other strings
    | \x1b[()*+\-./#%&][ -/]?[0-~]                               # character sets
    | \x1b[0-Z\\-~]
    """,
    re.VERBOSE,
)
_ASCII_BLANKS = tuple(chr(code) for code in _BLANKS if code < 128)
# " --More-- " and its erasure: backspaces, blanks, backspaces; or a carriage return, blanks, a carriage return
_PAGER = re.compile(r"[ ]?(?:--More--|<--- More --->)[ ]?(?:\x08+[ ]*\x08*|\r[ ]*\r)?")
# the look-behind keeps a megabyte of carriage returns from being tried at each of them
_LINE_END = re.compile(r"(?<!\r)\r+\n")

# Nov 23 10:11:12.000 UTC   Nov 23 2026 10:11:12   2026-11-23T10:11:12Z
_CLOCK = (
    r"(?:(?:\d{4}[ ])?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[ ]{1,2}\d{1,2}[ ](?:\d{4}[ ])?"
    r"\d\d:\d\d:\d\d(?:\.\d+)?(?:[ ][A-Z][A-Za-z]{1,4}(?:[ ]DST)?)?"
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z?)"
)
# 00:00:52   3d04h   1w2d: the time since the device was started
_UPTIME = r"(?:\d\d:\d\d:\d\d|\d{1,3}[ywdh]\d{1,2}[wdhm])"
# %CRYPTO-5-SESSION_STATUS:   %SYS-SW1-5-CONFIG_I:   %ASA-5-713119:
_SYSLOG = r"%[A-Z][A-Z0-9_]{0,40}-(?:[A-Z0-9_]{1,40}-)?[0-7]-[A-Z0-9_]{1,60}:"
# ISAKMP:(1001):   ISAKMP (0:1):   IPSEC(key_engine):   IKEv2:(SESSION ID = 1,SA ID = 1):   [IKEv1]:
_DEBUG = (
    r"(?:ISAKMP(?:-PAK|-ERROR)?(?::?[ ]?\(|:[ ]?[a-zA-Z])|(?:IPSEC|IPSec)[ ]?\(\w+\)|IPSEC:[ ]\S"
    r"|IKEv2(?:-[A-Z]+(?:-\d)?)?:[ ]?\((?:SESSION|SA[ ]|\d+\):)|IKEv2-(?:PAK|INTERNAL|ERROR|PROTO-\d|PLAT-\d):|\[IKEv[12](?:[ ]DEBUG)?\]"
    r"|(?:CRYPTO_ENGINE|CRYPTO_SS|crypto_engine|NHRP)[:(]|[Cc]rypto[ ]mapdb[ ]?:)"
)

_NOISE = re.compile(
    rf"""
    ^[ ]*+(?=[A-Z0-9a-z%<(!.*\[])(?:
      Load[ ]for[ ]five[ ]secs:[^\n]*            # terminal exec prompt timestamp
    | (?:Time[ ]source[ ]is|No[ ]time[ ]source,)[ ][^\n]*
    | (?:<\d{{1,3}}>)?(?:\d{{1,10}}:[ ])?[*.]?{_CLOCK}[ :][^\n]*
    | (?:\d{{1,10}}:[ ])?{_UPTIME}:[ ][^\n]*
    | (?:<\d{{1,3}}>)?(?:\d{{3,10}}:[ ])?(?:{_SYSLOG}|{_DEBUG})[^\n]*
    | \((?:key[ ]eng\.[ ]msg\.|sa)\)[ ][^\n]*   # what the message of IPSEC(...) goes on with
    | (?:(?:local|remote)_proxy|protocol|lifedur|spi|sa_(?:dest|proto|spi|trans|conn_id)|src[ ]addr|dst[ ]addr)=[ ][^\n]*
    | Building[ ]configuration\.\.\. | \[OK\] | [!.]{{3,}}
    | Type[ ]escape[ ]sequence[ ]to[ ]abort\. | Sending[ ]\d+,[ ]\d+-byte[ ]ICMP[ ]Echos[ ]to[^\n]*
    | Packet[ ]sent[ ]with[ ]a[ ]source[ ]address[ ]of[^\n]* | Success[ ]rate[ ]is[ ]\d+[ ]percent[^\n]*
    )[ ]*$
    """,
    re.VERBOSE | re.MULTILINE,
)
# stands for a line of noise until the lines that messages broke are mended; _BLANKS took it out of the text before
_WAS_NOISE = "\x00"

# A message that breaks a line in two: "current outbound sp*Sep 21 07:07:43.912: %DMVPN-5-CRYPTO_SS: ...", and the
# device goes on with "i: 0x41CCF09E" on the next line, or behind further messages. Numbers of messages have six digits.
_BREAKING_MESSAGE = re.compile(
    rf"""
    (?<=[^\n\x00]) (?:\d{{6}}:[ ])?
    (?: [*.]{_CLOCK}:[ ] | {_CLOCK}:[ ](?=%|{_DEBUG}) | {_SYSLOG}[ ] | ISAKMP:?[ ]?\([\d:]{{1,12}}\): | IPSEC\(\w{{1,40}}\):[ ] )
    """,
    re.VERBOSE,
)
# cheap to look for in a long text: what every message that breaks a line has
_HINT = re.compile(r"%[A-Z]|\d:\d\d:\d\d|ISAKMP:?[ ]?\(|IPSEC\(")
_GOES_ON = re.compile(r"(?:\x00\n)*+")
_MOST_BREAKS_OF_A_LINE = 4
# what people write, about messages too
_FREE_TEXT = re.compile(
    r"[ ]*(?:description|remark|banner|username|alias|event|Desc:|Description:|!)"
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
_GLUED_PROMPT = re.compile(rf"(?<=sas:){_HOST}[#>]\s*\Z")
_BARE_ECHO = re.compile(r"\A\s*^[ ]*sh(?:o|ow)?[ ]+[a-z][^\n]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class CleanText:
    """``text`` has as many lines as the input; ``ends_with_prompt`` proves that the device had finished."""

    text: str
    ends_with_prompt: bool
    message_lines: frozenset[int] = field(default=frozenset(), repr=False, compare=False)
    """The lines, blank now, on which the device said something beside the answer."""

    def line(self, line_no: int) -> str:
        """Line ``line_no``, counted from 1."""
        return self.text.split("\n")[line_no - 1]


def clean(text: str, command: str = "") -> CleanText:
    """Return ``text`` without terminal artefacts, line for line.

    Where the text is a log of several commands, only the answer to ``command`` is left.

    >>> clean("Site1# show clock\\r\\n*10:11:12.345 UTC Mon Nov 23 2026\\r\\nSite1#")
    CleanText(text='\\n*10:11:12.345 UTC Mon Nov 23 2026\\n', ends_with_prompt=True)
    """
    text, message_lines = _without_messages(without_terminal(text))
    if not _may_hold_prompts(text):
        return CleanText(
            _blank_bare_echo(text), ends_with_prompt=False, message_lines=message_lines
        )
    ends_with_prompt = _PROMPT.match(_last_line(text)) is not None
    echoes = _matching_lines(_PROMPT_ECHO, text)
    mine = [echo for echo in echoes if is_same_command(echo["command"], command)]
    if mine and not text[mine[-1].end() :].strip() and text[: mine[0].start()].strip():
        mine.pop()  # typed, and not yet answered
    if mine:
        # the last answer is the newest; an echo behind it proves that the device had finished
        start = mine[-1].start()
        end = next((echo.start() for echo in echoes if echo.start() > start), len(text))
        ends_with_prompt = ends_with_prompt or end < len(text)
        text = "\n" * text.count("\n", 0, start) + text[start:end]
    elif echoes and text[: echoes[0].start()].strip():
        # no echo of ours, but an answer before the first echo of another command
        text, ends_with_prompt = text[: echoes[0].start()], True
    text = _without(_PROMPT_ECHO, text)
    text = _without(_PROMPT, text)
    return CleanText(_blank_bare_echo(text), ends_with_prompt, message_lines)


def without_terminal(text: str) -> str:
    """``text`` as a terminal shows it, line for line; a prompt glued to the last line gets a line of its own."""
    text = _undo_terminal(text)
    last_line = _last_line(text)
    if "sas:" not in last_line or not last_line.rstrip().endswith(("#", ">")):
        return text
    return text[: -len(last_line)] + _GLUED_PROMPT.sub("\n\\g<0>", last_line)


def shown(text: str) -> str:
    """``text`` as a terminal shows it, blank where the device said something beside the answers; prompts stay."""
    return _without_messages(without_terminal(text))[0]


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


def _last_line(text: str) -> str:
    """From the start of the last line that says anything; the text is not copied to find it."""
    end = len(text)
    while end and text[end - 1].isspace():
        end -= 1
    return text[text.rfind("\n", 0, end) + 1 :]


# the end of a prompt: "#" or ">" behind a character of a host name
_PROMPT_END = re.compile(r"#(?<=[A-Za-z0-9._:@/()\[\]+*?$-]#)|>(?<=[A-Za-z0-9._:@/()\[\]+*?$-]>)")
_PROMPT_END_HASH = re.compile(r"#(?<=[A-Za-z0-9._:@/()\[\]+*?$-]#)")


def _may_hold_prompts(text: str) -> bool:
    """Whether ``_PROMPT`` or ``_PROMPT_ECHO`` can match at all."""
    return (_PROMPT_END if ">" in text else _PROMPT_END_HASH).search(text) is not None


# Every message that breaks a line, and every line of _NOISE but those of _STARTS, holds "%", a time of day, "ISAKMP" or
# "IPSEC(". To look for these is many times quicker than to try _NOISE on every line.
_TIME = re.compile(r":\d\d:\d\d")
_STARTS = re.compile(
    r"\n[ ]*+(?:[0-9(!.\[<*]|Load for|Time source|No time source|I(?:SAKMP|PS[Ee][Cc]|KEv2)|CRYPTO_|crypto_engine|NHRP"
    r"|[Cc]rypto mapdb|Building conf|Type escape|Sending |Packet sent|Success rate"
    r"|(?:local_proxy|remote_proxy|protocol|lifedur|spi|sa_\w+|src addr|dst addr)= )"
)


def _may_hold_messages(text: str) -> bool:
    """Whether ``_NOISE`` or ``_BREAKING_MESSAGE`` can match at all."""
    return (
        "%" in text
        or _TIME.search(text) is not None
        or "ISAKMP" in text
        or "IPSEC(" in text
        or _STARTS.search(f"\n{text}") is not None
    )


def _matching_lines(pattern: re.Pattern[str], text: str) -> list[re.Match[str]]:
    """What ``finditer`` of a pattern for whole lines with a prompt finds, looking only where one may be."""
    if _is_full_of_prompts(text):
        return list(pattern.finditer(text))
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


def _is_full_of_prompts(text: str) -> bool:
    """Where every few characters may end a prompt, looking for each of them is slower than trying every line."""
    return (text.count("#") + text.count(">")) * 50 > len(text)


def _without(pattern: re.Pattern[str], text: str) -> str:
    """The text without the lines that match."""
    if _is_full_of_prompts(text):
        return pattern.sub("", text)
    matches = _matching_lines(pattern, text)
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


def is_free_text(line: str) -> bool:
    """Whether people wrote the line: a description, a remark, a banner."""
    return _FREE_TEXT.match(line) is not None


def _without_messages(text: str) -> tuple[str, frozenset[int]]:
    """Blank lines for what the device said beside the answer, and their numbers; lines broken by it are mended."""
    if not _may_hold_messages(text):
        return text, frozenset()
    text = _NOISE.sub(_WAS_NOISE, text)
    for _ in range(_MOST_BREAKS_OF_A_LINE):
        mended = _mended(text)
        if mended is text:
            break
        text = mended
    if _WAS_NOISE not in text:
        return text, frozenset()
    numbers = (n for n, line in enumerate(text.split("\n"), 1) if line == _WAS_NOISE)
    return text.replace(_WAS_NOISE, ""), frozenset(numbers)


def _mended(text: str) -> str:
    """Each line that a message broke as one line, where it began; the lines it took stay, and are blank."""
    parts: list[str] = []
    done = 0
    at = 0
    while hint := _HINT.search(text, at):
        line_start = text.rfind("\n", 0, hint.start()) + 1
        line_end = text.find("\n", hint.end())
        if line_end < 0:
            line_end = len(text)
        message = _BREAKING_MESSAGE.search(text, line_start, line_end)
        at = line_end
        if message is None or _FREE_TEXT.match(text, line_start):
            continue
        noise = _GOES_ON.match(text, line_end + 1)
        rest = noise.end() if noise else len(text)
        rest_end = text.find("\n", rest)
        at = len(text) if rest_end < 0 else rest_end
        parts += [text[done : message.start()], text[rest:at], text[line_end:rest]]
        done = at
    return "".join([*parts, text[done:]]) if parts else text


def _undo_terminal(text: str) -> str:
    if "\x1b" in text or "\x9b" in text:
        text = _ANSI.sub("", text)
    if _needs_translation(text):
        text = text.translate(_BLANKS)
    if "\x1b" in text or "\x9b" in text:
        # what held them apart is gone; one that begins nothing shows nothing
        text = _ANSI.sub("", text).replace("\x1b", "").replace("\x9b", "")
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
