"""Cuts the log of a terminal session into the answers it holds.

A session log has the echo of each command behind a prompt, whatever was typed in between and answers that end at the
next prompt::

    Site1#show crypto isakmp sa
    IPv4 Crypto ISAKMP SA
    ...
    Site1#terminal length 0
    Site1(config)#do sh cry ips sa

What a terminal does to a text is undone first (``clean.shown``), line for line: the lines of an answer keep the
numbers they have in the whole text. A text without a single echo is one answer to a command nobody typed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

from ipsecmon_parsers.clean import Echo, echoes, shown, without_terminal

__all__ = ["Answer", "answers", "is_show"]

_SHOW = re.compile(r"sh(?:o|ow?)?(?: |$)", re.IGNORECASE)
# without a prompt only what is surely typed counts: "show crypto isakmp sa" from the first column on
_BARE_ECHO = re.compile(r"^(?:sh|sho|show) +[a-z][\w./: |-]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one command printed.

    ``command`` is as it was typed, ``None`` where no echo stands before the answer; ``host`` is the device's name as
    its prompt has it. ``first_line`` is the line of the echo, counted from 1 in the whole log: ``text`` begins with
    what stands behind the echo, nothing. ``complete``: a prompt stands behind the answer, so the device had finished.
    """

    command: str | None
    host: str | None
    first_line: int
    text: str
    complete: bool


def is_show(command: str) -> bool:
    """Whether a typed command asks for an output, ``sh run`` as well as ``show crypto map``."""
    return _SHOW.match(command) is not None


def answers(text: str) -> list[Answer]:
    """The answers in ``text``, in its order; the text before the first echo is one, if it says anything.

    >>> [(a.command, a.text.strip()) for a in answers("R1#sh clock\\n10:11:12 UTC\\nR1#sh ver\\nCisco IOS\\n")]
    [('sh clock', '10:11:12 UTC'), ('sh ver', 'Cisco IOS')]
    """
    text = without_terminal(text)
    quiet = shown(text)
    prompts = echoes(quiet)
    if not any(prompt.command for prompt in prompts):
        # prompts alone, if any, only close what stands above them
        bare = [Echo("", m.group().strip(), m.start(), m.end()) for m in _BARE_ECHO.finditer(quiet)]
        prompts = sorted([*bare, *prompts], key=lambda prompt: prompt.start)
    found = list(_cut(text, quiet, prompts))
    return [
        answer
        for answer, following in zip_longest(found, found[1:])
        if not _is_repeated_by(answer, following)
    ]


def _cut(text: str, quiet: str, prompts: list[Echo]) -> Iterator[Answer]:
    """Found in the quiet text, cut out of the whole one: where a message broke a line, its reader mends it."""
    lines = text.split("\n")
    command: str | None = None
    host: str | None = None
    begin = line_no = 0
    for prompt in [*prompts, None]:
        part = quiet[begin : prompt.start if prompt else len(quiet)]
        last = line_no + part.count("\n")
        if command or part.strip():
            # behind an echo the part begins with what is left of its line, nothing; before the next one with nothing
            first = [""] if prompts and begin else []
            said = lines[line_no + len(first) : last + (prompt is None)]
            yield Answer(
                command=command,
                host=host,
                first_line=line_no + 1,
                text="\n".join([*first, *said, *([""] if prompt else [])]),
                complete=prompt is not None and prompt.host != "",
            )
        if prompt is not None:
            line_no = last
            begin = prompt.end
            command, host = prompt.command or None, prompt.host or host


def _is_repeated_by(answer: Answer, following: Answer | None) -> bool:
    """The Tab key prints a command that is not finished once more on the next line, spelt out further."""
    return (
        following is not None
        and answer.command is not None
        and following.command is not None
        and following.command != answer.command
        and following.command.lower().startswith(answer.command.lower())
        and not shown(answer.text).strip()
    )
