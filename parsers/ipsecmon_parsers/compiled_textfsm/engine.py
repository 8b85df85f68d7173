"""The engine as its users see it: a template once compiled, then any number of texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TextIO

from ipsecmon_parsers.compiled_textfsm.ledger import Account, Ledger
from ipsecmon_parsers.compiled_textfsm.machine import Machine
from ipsecmon_parsers.compiled_textfsm.program import read_template

__all__ = ["CompiledTemplate"]

# what str.splitlines() takes for a line end beside the line feed
_OTHER_LINE_ENDS = ("\r", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e")
_OTHER_LINE_ENDS_BEYOND_ASCII = ("\x85", "\u2028", "\u2029")


class CompiledTemplate:
    """One TextFSM template, ready to run.

    It may be used from several threads at once: a run keeps its state to itself. What the engine learns from a
    text it keeps for the next one; that changes how fast a text is read and nothing else.

    ``trace_after`` is how often the same run of lines must be seen before it is compiled as a whole.
    """

    def __init__(self, template: str | Path | TextIO, *, trace_after: int = 128) -> None:
        """``template`` is the text of a template, the path of its file, or the open file.

        What is wrong with a template is raised as ``textfsm.TextFSMTemplateError``.
        """
        program = read_template(template)
        self.header = [column.name for column in program.columns]
        self._machine = Machine(program, trace_after)

    def parse(self, text: str) -> list[list[Any]]:
        """What ``textfsm.TextFSM.ParseText`` returns for ``text``; raises what it raises.

        A value is a text, or for the option List a list of texts or of dicts.
        """
        return self._machine.run(_with_line_feeds(text), 0)

    def parse_to_dicts(self, text: str) -> list[dict[str, Any]]:
        """What ``textfsm.TextFSM.ParseTextToDicts`` returns."""
        return [dict(zip(self.header, row, strict=True)) for row in self.parse(text)]

    def account(self, text: str, *, longest_line: int = 4096) -> Account:
        """The rows with the lines they come from, and the lines that came to nothing.

        Lines end at line feeds and nowhere else. Blank lines are not shown to the rules; neither are lines of more
        than ``longest_line`` characters, which count as unmatched.
        """
        ledger = Ledger(longest_line)
        last_line = text.count("\n") + 1
        rows = self._machine.run(text if text.endswith("\n") else text + "\n", last_line, ledger)
        return Account(rows, ledger.spans, ledger.unmatched, ledger.dropped, ledger.overwriting)

    def explain(self) -> str:
        """What is read fast, what line by line, and why, from what was learnt so far; for people to read."""
        # needs more of the package than reading a text does
        from ipsecmon_parsers.compiled_textfsm.explaining import explain

        return explain(self._machine)


def _with_line_feeds(text: str) -> str:
    """The text with the lines ``str.splitlines`` sees in it, each ended by one line feed."""
    if not text:
        return ""
    # of "\r\r\n" the first is a line end too, so that replacing pairs is right only where no other "\r" is left
    joined = text.replace("\r\n", "\n") if "\r\n" in text else text
    has_others = any(end in joined for end in _OTHER_LINE_ENDS) or (
        not text.isascii() and any(end in joined for end in _OTHER_LINE_ENDS_BEYOND_ASCII)
    )
    if has_others:
        joined = "\n".join(text.splitlines()) + "\n"
    return joined if joined.endswith("\n") else joined + "\n"
