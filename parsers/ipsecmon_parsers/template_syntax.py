"""What a template of either language may say, with the line of every mistake.

Of a ``.textfsm`` everything that TextFSM takes. Of a ``.ttp`` the part that ``engines`` reads exactly, which is what
our own templates are written in::

    <doc> anything </doc>
    <vars>
    NAME = r"a regular expression"
    </vars>
    <group name="policies*">
    crypto isakmp policy {{ priority | re("\\\\d+") }}
     hash {{ hash | _start_ }}
    <group name="below*"> ... </group>
    </group>

TTP itself would run Python in ``<vars>`` and ``<macro>``, and says of most mistakes nothing or no line; so this file
reads the template before TTP does.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from xml.sax.saxutils import unescape

from ipsecmon_parsers.engines import BadTemplate, Template, compile_template

__all__ = ["Fault", "Group", "Value", "check_textfsm", "check_ttp", "listed", "meant", "near"]

_LONGEST_LIST = 12


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake: the line (0 for the whole file), the field it is about, what was found, what is accepted."""

    line: int
    field: str
    found: str
    accepted: str


def listed(words: Iterable[str]) -> str:
    """``a, b, c``; of many the first dozen."""
    known = list(words)
    shown = ", ".join(known[:_LONGEST_LIST])
    return f"{shown}, ... ({len(known)} in all)" if len(known) > _LONGEST_LIST else shown


def meant(word: str, known: Iterable[str]) -> str:
    """`` (did you mean 'PEER'?)``, or nothing where no known word is near."""
    one = near(word, known)
    return f" (did you mean '{one}'?)" if one else ""


def near(word: str, known: Iterable[str]) -> str:
    """The known word that is most like this one, empty where none is near."""
    words = {one.lower().replace("-", "_"): one for one in known}
    found = difflib.get_close_matches(word[:64].lower().replace("-", "_"), list(words), n=1)
    return words[found[0]] if found else ""


# TextFSM


@dataclass(frozen=True, slots=True)
class Value:
    """One line ``Value [Options] NAME (expression)``."""

    line: int
    name: str
    options: tuple[str, ...]
    text: str


_ACTIONS = ("Record", "Next", "Continue", "Error", "Clear", "Clearall", "NoRecord", "End", "EOF")
_VALUE = re.compile(r"Value (?:(?P<options>[A-Za-z,]+) )?(?P<name>[^\s(]\S*)(?: \(.*)?$")


def check_textfsm(template: Template) -> tuple[list[Value], list[Fault]]:
    """The values a template declares, and what keeps TextFSM from using it; TextFSM stops at its first mistake."""
    values = _values(template.text)
    try:
        compile_template(template)
    except BadTemplate as error:
        fault = _in_words(error, template.text, values)
        if values or fault.found != _NO_START:
            return values, [fault]
    return values, [] if values else [Fault(1, "", "no Value line at its start", _VALUE_LINES)]


def _values(text: str) -> list[Value]:
    """Those of the lines before the first blank one."""
    values: list[Value] = []
    for line_no, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            break
        if match := _VALUE.match(line.rstrip()):
            options = tuple((match["options"] or "").split(",")) if match["options"] else ()
            values.append(Value(line_no, match["name"], options, line.rstrip()))
    return values


_NO_START = "no state Start"
_NO_BRACKETS = "an expression that is not in brackets"
_BRACKETS = "'Value NAME (expression)', one pair of brackets around the whole"
_VALUE_LINES = "lines 'Value NAME (expression)' first, then a blank line, then the states"
# what textfsm says -> what was found, what is accepted
_SAYINGS: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(pattern), found, accepted)
    for pattern, found, accepted in (
        (r"No Value definitions", "a line before the first Value line", _VALUE_LINES),
        (
            r"Expect at least 3 tokens|^$",
            "a Value line without an expression",
            "'Value NAME (expression)'",
        ),
        (r"name too long", "a name that is too long", "a name of at most 48 characters"),
        (r"must be contained within", _NO_BRACKETS, _BRACKETS),
        (r"Duplicate option \"(.*)\"", r"the option \1 twice", "each option once"),
        (
            r"Unknown option \"(.*)\"",
            r"the unknown option '\1'",
            "Required, Filldown, Fillup, Key, List",
        ),
        (r"Duplicate declarations for Value", "this field a second time", "each field once"),
        (
            r"Expected blank line after",
            "a line that is no Value line",
            "a blank line between the Value lines and the states",
        ),
        (
            r"Invalid state name: 'Value ",
            "a Value line behind a blank line",
            "the Value lines in one block, then a blank line, then the states",
        ),
        (
            r"Invalid state name: '(.*)'",
            r"'\1' in the place of a state",
            "the name of a state, such as Start, of letters, digits and _; rules begin with two blanks and ^",
        ),
        (r"Duplicate state name: '(.*)'", r"the state '\1' a second time", "each state once"),
        (
            r"Missing white space or carat",
            "a line that is no rule",
            "two blanks, then ^ and the expression; a blank line before the next state",
        ),
        (
            r"Duplicate or invalid variable",
            "a $ that names no field",
            "${NAME} with the name of a Value line, $$ for the end of the line",
        ),
        (
            r"redefinition of group name '(\w+)'",
            r"the field \1 twice in one rule",
            "each field once in a rule",
        ),
        (
            r"not a regular expression: (.*)",
            r"an expression that cannot be used (\1)",
            "a regular expression of Python",
        ),
        (
            r"Badly formatted rule",
            "something behind -> that is no action",
            "Next, Continue or Error, with .Record, .Clear, .Clearall or .NoRecord, then a state",
        ),
        (
            r"with new state",
            "Continue with a state behind it",
            "Continue without a state, which stays on the line, or a state without Continue",
        ),
        (
            r"Alphanumeric characters only",
            "a message behind -> without Error",
            "Error before a message in quotes",
        ),
    )
)


def _in_words(error: BadTemplate, text: str, values: list[Value]) -> Fault:
    lines = text.split("\n")
    states = [line.strip() for line in lines if re.fullmatch(r"\w+\s*", line)]
    if "Missing state 'Start'" in error.message:
        line_no = _first_line(lines, r"^\w+\s*$") or len(lines)
        return Fault(line_no, "", _NO_START, "a line 'Start' before the first rules")
    if match := re.search(r"State '(\w+)' not found", error.message):
        found = f"a jump to the state '{match[1]}'{meant(match[1], [*states, *_ACTIONS])}"
        return Fault(_first_line(lines, rf"->.*\b{match[1]}\s*$"), "", found, listed(states))
    if match := re.search(r"Non-Empty '(\w+)' state", error.message):
        line_no = _first_line(lines, rf"^{match[1]}\s*$")
        return Fault(line_no, "", f"rules in the state {match[1]}", "none in it: there it ends")
    line = lines[error.line_no - 1] if 0 < error.line_no <= len(lines) else ""
    known = [value.name for value in values]
    if "variable substitution" in error.message:
        unknown = [name for name in re.findall(r"\$\{(\w+)\}", line) if name not in known]
        if unknown:
            found = f"no Value line of this name{meant(unknown[0], known)}"
            return Fault(error.line_no, unknown[0], found, listed(known))
    if "Unknown option" in error.message and "(" not in line:
        return Fault(error.line_no, line.split()[1], _NO_BRACKETS, _BRACKETS)
    declared = _VALUE.match(line.rstrip())
    name = declared["name"] if declared else ""
    for pattern, found, accepted in _SAYINGS:
        if match := pattern.search(error.message):
            in_words = match.expand(found) if match.re.groups else found
            return Fault(error.line_no, name, in_words, accepted)
    return Fault(
        error.line_no, name, f"what TextFSM refuses: {error.message}", "a TextFSM template"
    )


def _first_line(lines: list[str], pattern: str) -> int:
    found = (n for n, line in enumerate(lines, 1) if re.search(pattern, line))
    return next(found, 0)


# TTP


@dataclass(slots=True)
class Group:
    """One ``<group>``: its variables with the line of each, and the lines that begin it with theirs."""

    name: str
    line: int
    variables: dict[str, int] = field(default_factory=dict[str, int])
    openings: list[tuple[int, frozenset[str]]] = field(
        default_factory=list[tuple[int, frozenset[str]]]
    )
    below: list[Group] = field(default_factory=list["Group"])
    has_lines: bool = False

    @property
    def opening_variables(self) -> list[str]:
        """What each line that begins the group captures: without it a section means nothing."""
        return [name for name in self.variables if all(name in names for _, names in self.openings)]


_GROUP = re.compile(r"<group name=\"(?P<name>[A-Za-z_]\w*)\*\">")
_PATTERNS = frozenset(
    {"WORD", "PHRASE", "ORPHRASE", "DIGIT", "IP", "PREFIX", "IPV6", "PREFIXV6", "MAC"}
)
_ACCEPTED_TAGS = '<doc>, <vars>, <group name="NAME*"> and their ends, each on a line of its own'
_ACCEPTED_FILTERS = f're("expression"), _start_, _exact_, {listed(sorted(_PATTERNS))}'
_VARIABLE = re.compile(r"{{(.+?)}}")
_FILTER = re.compile(
    r"\|\s*(?:re\((?P<re>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')\)|(?P<word>\w+)(?!\w*\())\s*"
)
# TTP reads its templates as XML
_NO_XML = re.compile(r"<|&(?!(?:lt|gt|amp|quot|apos);)")
_AS_XML = "&lt; for <, &amp; for &"


def check_ttp(template: Template) -> tuple[list[Group], list[Fault]]:
    """The groups of a template, and all that is wrong with it."""
    reading = _TtpReading()
    for line_no, line in enumerate(template.text.split("\n"), start=1):
        reading.line(line_no, line)
    reading.end()
    if not reading.faults:
        try:
            compile_template(template)
        except BadTemplate as error:
            found = f"what TTP cannot use ({error.message.splitlines()[0]})"
            reading.faults.append(Fault(error.line_no, "", found, "a TTP template"))
    return reading.groups, reading.faults


class _TtpReading:
    """One pass over the lines of a ``.ttp``."""

    def __init__(self) -> None:
        self.groups: list[Group] = []
        self.faults: list[Fault] = []
        self._open: list[Group] = []
        self._inside: tuple[str, int] | None = None
        self._vars: dict[str, str] = {}

    def line(self, line_no: int, line: str) -> None:
        text = line.strip()
        if self._inside is not None:
            self._line_inside(line_no, text)
        elif not text or text.startswith("##"):
            return
        elif text in ("<doc>", "<vars>"):
            self._inside = (text[1:-1], line_no)
        elif text.startswith("<doc>") and text.endswith("</doc>"):
            return
        elif match := _GROUP.fullmatch(text):
            self._open_group(line_no, match["name"])
        elif text == "</group>":
            if self._open:
                self._close_group()
            else:
                self._fault(line_no, "a </group> too many", "one for each <group>")
        elif text.startswith("<group"):
            found, accepted = "a group of another form", '<group name="NAME*"> and nothing else'
            self._fault(line_no, found, accepted)
            self._open_group(line_no, "")
        elif match := re.match(r"<(/?)(\w+)", text):
            self._fault(line_no, f"the tag {match[0][:40]}>", _ACCEPTED_TAGS)
            if not match[1] and f"</{match[2]}>" not in text and not text.endswith("/>"):
                self._inside = (match[2], line_no)
        elif not self._open:
            self._fault(line_no, "a line outside of a group", "lines inside a <group>")
        else:
            self._pattern_line(line_no, line)

    def end(self) -> None:
        for group in self._open:
            self._fault(group.line, "a group that is not closed", "a </group> for it")
        if self._inside is not None:
            tag, line_no = self._inside
            self._fault(line_no, f"a <{tag}> that is not closed", f"a line </{tag}>")
        if not self.groups and not self.faults:
            self._fault(1, "no group", 'at least one <group name="NAME*">')

    def _line_inside(self, line_no: int, text: str) -> None:
        tag, opened = self._inside or ("", 0)
        if text == f"</{tag}>":
            self._inside = None
        elif tag not in ("doc", "vars"):
            return
        elif text.startswith("<group"):
            self._inside = None
            self._fault(opened, f"a <{tag}> that is not closed", f"a line </{tag}>")
            self.line(line_no, text)
        elif _NO_XML.search(text):
            self._fault(line_no, f"a < or & in <{tag}>", _AS_XML)
        elif tag == "vars" and text and not text.startswith("#"):
            name, equals, value = text.partition("=")
            literal = _literal(unescape(value.strip()))
            if not (equals and name.strip().isidentifier() and literal is not None):
                accepted = 'NAME = r"expression" on one line'
                self._fault(line_no, "another form of variable", accepted)
            else:
                self._vars[name.strip()] = literal
                self._compile(line_no, name.strip(), literal)

    def _open_group(self, line_no: int, name: str) -> None:
        group = Group(name, line_no)
        siblings = self._open[-1].below if self._open else self.groups
        if self._open and not self._open[-1].has_lines:
            accepted = "the line that begins the group before the groups below it"
            self._fault(line_no, "a group at the start of another", accepted)
        if name and name in {other.name for other in siblings}:
            self._fault(line_no, "this group a second time", "each group once", name)
        if self._open and name in self._open[-1].variables:
            accepted = "a name that no variable of the group around it has"
            self._fault(line_no, "a group with the name of a variable", accepted, name)
        if name:
            siblings.append(group)
        self._open.append(group)

    def _close_group(self) -> None:
        group = self._open.pop()
        if not group.has_lines and not group.below:
            self._fault(group.line, "a group without lines", "the line that begins it", group.name)

    def _pattern_line(self, line_no: int, line: str) -> None:
        group = self._open[-1]
        names: list[str] = []
        begins = not group.has_lines
        group.has_lines = True
        contents: list[str] = _VARIABLE.findall(line)
        if any(sign in _VARIABLE.sub("", line) for sign in ("{{", "}}")):
            self._fault(line_no, "{{ or }} without the other", "{{ NAME }}")
            return
        if _NO_XML.search(line):
            self._fault(line_no, "a < or &", _AS_XML)
            return
        for content in contents:
            if content.strip() == "ignore":
                continue
            name, filters = self._variable(line_no, unescape(content))
            if name in names:
                self._fault(line_no, "a field twice in one line", "each field once", name)
            begins = begins or "_start_" in filters
            names.append(name)
        if not names:
            self._fault(
                line_no, "a line without a variable", "at least one {{ NAME }} in each line"
            )
        for name in names:
            group.variables.setdefault(name, line_no)
        if begins:
            group.openings.append((line_no, frozenset(names)))

    def _variable(self, line_no: int, content: str) -> tuple[str, list[str]]:
        """Name and filters of what stands between ``{{`` and ``}}``."""
        name = content.partition("|")[0].strip()
        rest = content.strip()[len(name) :].strip()
        if not re.fullmatch(r"[A-Za-z]\w*", name) or name in ("ignore", "set"):
            accepted = "a name of letters, digits and _; {{ ignore }} alone for any one word"
            self._fault(line_no, f"'{name[:40]}' in the place of a name", accepted)
        words: list[str] = []
        at = 0
        while at < len(rest):
            match = _FILTER.match(rest, at)
            if match is None or (
                match["word"] and match["word"] not in {"_start_", "_exact_", *_PATTERNS}
            ):
                found = (
                    f"'{(match['word'] if match else rest[at:].strip(' |'))[:40]}' behind the name"
                )
                self._fault(line_no, found, _ACCEPTED_FILTERS, name)
                break
            if match["word"]:
                words.append(match["word"])
            else:
                expression = _literal(match["re"]) or ""
                self._compile(line_no, name, self._vars.get(expression, expression))
            at = match.end()
        return name, words

    def _compile(self, line_no: int, name: str, expression: str) -> None:
        try:
            compiled = re.compile(expression)
        except re.error as error:
            found = f"an expression that cannot be used ({error.msg})"
            self._fault(line_no, found, "a regular expression of Python", name)
        else:
            if compiled.groupindex:
                accepted = "(?:...) instead, or a variable of its own for each part"
                self._fault(line_no, "a named group in an expression", accepted, name)

    def _fault(self, line_no: int, found: str, accepted: str, name: str = "") -> None:
        groups = [group.name for group in self._open if group.name]
        path = ".".join([*groups, *([name] if name else [])]) if self._inside is None else name
        self.faults.append(Fault(line_no, path, found, accepted))


def _literal(text: str) -> str | None:
    """A text in quotes, as Python reads it; anything else is ``None``, and never run."""
    try:
        value: object = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return value if isinstance(value, str) else None
