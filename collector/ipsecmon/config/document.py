"""YAML text to plain values that remember where they stood.

Scalars stay text: the schema knows what each key means, so ``check: off`` is the word ``off``, a device called
``1e3`` keeps its name and ``interval: 1:30`` is refused instead of read as ninety. Only an empty value, ``~`` and
``null`` are special: ``EMPTY``.

The tree is built from the parser's events and not by PyYAML's composer, which forgets where an alias stood, keeps the
last of two equal keys without a word and recurses as deep as the file says. Aliases share one value, so
a file of nested aliases costs no more than its length; merge keys (``<<``) are applied here.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Final, NamedTuple

import yaml
from yaml.reader import Reader

from ipsecmon.config.mistakes import has_controls, key_path, quoted

__all__ = ["BROKEN", "EMPTY", "Block", "Items", "Position", "Problem", "describe", "read_document"]

Path = tuple[str | int, ...]

DEEPEST = 20
MOST_MERGED_KEYS = 100
EMPTY_WORDS = frozenset({"", "~", "null", "Null", "NULL"})
HARMLESS_TAGS = frozenset(
    {"!", *(f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "map", "seq"))}
)


class Position(NamedTuple):
    """Counted from 1, as editors do; 0 is the file as a whole. ``file`` is empty for the configuration file itself."""

    line: int
    column: int
    file: str = ""

    def in_file(self, file: str) -> Position:
        return Position(self.line, self.column, file)


class Problem(NamedTuple):
    """What is wrong with the text itself, whatever it may mean."""

    at: Position
    key: str
    found: str
    accepted: str


class Empty:
    """The value of ``key:`` with nothing behind it."""

    __slots__ = ()


EMPTY: Final = Empty()
# stands for what could not be read and has its problem already
BROKEN: Final = Empty()


class Block(dict[str, object]):
    """A mapping; ``key_at`` says where each key stands."""

    def __init__(self) -> None:
        super().__init__()
        self.key_at: dict[str, Position] = {}


class Items(list[object]):
    """A list; ``item_at`` says where each item stands."""

    def __init__(self) -> None:
        super().__init__()
        self.item_at: list[Position] = []


Value = str | Empty | Block | Items


class Unreadable(Exception):
    """Building cannot go on after this problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


def read_document(text: str) -> tuple[Value, list[Problem]]:
    """The value of the text and all that is wrong with it as YAML."""
    if strange := Reader.NON_PRINTABLE.search(text):
        at = position_in(text, strange.start())
        found = f"the control character 0x{ord(strange.group()):02x}"
        return EMPTY, [Problem(at, "", found, "text; this looks like a binary file")]
    builder = Builder()
    try:
        value = builder.document(text)
    except Unreadable as stop:
        return EMPTY, [*builder.problems, stop.problem]
    except yaml.MarkedYAMLError as error:
        return EMPTY, [*builder.problems, in_words(error, text.splitlines())]
    except (ValueError, OverflowError):
        # PyYAML turns "\UFFFFFFFF" and "%YAML 1.999...9" into numbers without looking
        return EMPTY, [*builder.problems, number_out_of_range(text)]
    return value, builder.problems


def number_out_of_range(text: str) -> Problem:
    for escape in re.finditer(r"\\U([0-9A-Fa-f]{8})", text):
        if int(escape[1], 16) > sys.maxunicode:
            found = "an escape sequence for a character that does not exist"
            return Problem(position_in(text, escape.start()), "", found, "\\U0010ffff at most")
    start = max(text.find("%YAML"), 0)
    return Problem(position_in(text, start), "", "a %YAML line", "YAML 1.1 without directives")


def position_in(text: str, offset: int) -> Position:
    return Position(text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))


class Builder:
    """One pass over the events of one text."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._events: Iterator[yaml.Event] = iter(())
        # None while the anchored value is still being built
        self._anchors: dict[str, Value | None] = {}

    def document(self, text: str) -> Value:
        self._events = iter(yaml.parse(text, Loader=yaml.SafeLoader))
        value: Value = EMPTY
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    found = "a second document (a line ---)"
                    raise Unreadable(Problem(mark(event), "", found, "one document in one file"))
                value = self._value(self._next(), ())
        return value

    def _next(self) -> yaml.Event:
        return next(self._events)

    def _value(self, event: yaml.Event, path: Path) -> Value:
        if len(path) > DEEPEST:
            found = f"values nested more than {DEEPEST} deep"
            raise Unreadable(Problem(mark(event), "", found, "the keys of CONFIGURATION.md"))
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, path)
        if not isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent):
            raise TypeError(type(event))  # the parser puts nothing else where a value stands
        if event.tag is not None and event.tag not in HARMLESS_TAGS:
            self._problem(event, path, "a tag (a word that starts with !)", "values without tags")
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        value: Value
        if isinstance(event, yaml.ScalarEvent):
            plain = event.implicit[0]
            value = EMPTY if plain and event.value in EMPTY_WORDS else event.value
        elif isinstance(event, yaml.SequenceStartEvent):
            value = self._items(path)
        else:
            value = self._block(path)
        if event.anchor is not None:
            self._anchors[event.anchor] = value
        return value

    def _alias(self, event: yaml.AliasEvent, path: Path) -> Value:
        # never quoted: what looks like an alias may be a password that starts with *
        if event.anchor not in self._anchors:
            found = "an alias (*name) without an anchor (&name) above it"
            accepted = "the name of an anchor; a text that starts with * stands in quotes"
            self._problem(event, path, found, accepted)
            return BROKEN
        value = self._anchors[event.anchor]
        if value is None:
            found = "an alias (*name) inside the value that it stands for"
            self._problem(event, path, found, "an alias of a value above it")
            return BROKEN
        return value

    def _items(self, path: Path) -> Items:
        items = Items()
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            items.item_at.append(mark(event))
            items.append(self._value(event, (*path, len(items))))
        return items

    def _block(self, path: Path) -> Block:
        block = Block()
        merged: list[Block] = []
        merge_at: Position | None = None
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            at = mark(event)
            if isinstance(event, yaml.ScalarEvent) and event.value == "<<" and event.implicit[0]:
                if merge_at is not None:
                    self._problem(event, path, *twice("'<<'", merge_at))
                merge_at = at
                merged += self._merged(self._next(), path)
                continue
            key = self._value(event, (*path, "?"))
            if not isinstance(key, str) or has_controls(key):
                found = "something other than a word in place of a key"
                self._problem(event, path, found, "a word as key")
                self._value(self._next(), (*path, "?"))
            elif key in block:
                self._problem(event, (*path, key), *twice("this key", block.key_at[key]))
                self._value(self._next(), (*path, key))
            else:
                block[key] = self._value(self._next(), (*path, key))
                block.key_at[key] = at
        for other in merged:
            for key, value in other.items():
                if key not in block:
                    block[key] = value
                    block.key_at[key] = other.key_at[key]
        return block

    def _merged(self, event: yaml.Event, path: Path) -> list[Block]:
        """The mappings behind ``<<:``; the first one that has a key wins."""
        value = self._value(event, (*path, "<<"))
        blocks = list(value) if isinstance(value, Items) else [value]
        fit = [b for b in blocks if isinstance(b, Block) and len(b) <= MOST_MERGED_KEYS]
        if len(fit) < len(blocks):
            accepted = f"an alias (*name) of a mapping with at most {MOST_MERGED_KEYS} keys, or a list of them"
            self._problem(event, path, "something else behind '<<'", accepted)
        return fit

    def _problem(self, event: yaml.Event, path: Path, found: str, accepted: str) -> None:
        self.problems.append(Problem(mark(event), key_path(path), found, accepted))


def mark(event: yaml.Event) -> Position:
    place = event.start_mark
    return Position(place.line + 1, place.column + 1) if place else Position(0, 0)


def twice(what: str, first: Position) -> tuple[str, str]:
    return f"{what} again, first on line {first.line}", "each key once"


# What PyYAML says -> what was found, what is accepted. PyYAML's own text is never shown: it quotes the file, and what
# stands there may be a password.
QUOTES = "a value that starts with a special character stands in quotes"
SYNTAX: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(pattern), found, accepted)
    for pattern, found, accepted in (
        (r"found character '\\t'", "a tab", "spaces before a key"),
        (
            r"found character '(.)' that cannot start",
            r"a value that starts with \1",
            "the value in quotes",
        ),
        (
            r"mapping values are not allowed",
            "a ':' where no key can stand",
            "one 'key: value' on a line, in line with its neighbours; a text with ': ' in quotes",
        ),
        (
            r"could not find expected ':'",
            "a line without a ':'",
            "'key: value', or '- ' before an item of a list",
        ),
        (
            r"sequence entries are not allowed",
            "a '- ' behind a key",
            "the first '- ' on a line of its own below the key",
        ),
        (r"unexpected end of stream", "the end of the file inside quotes", "a closing quote"),
        (r"unexpected document separator", "a line --- inside quotes", "a closing quote"),
        (
            r"escape",
            "an unknown escape sequence (\\) in double quotes",
            "a text with \\ in single quotes",
        ),
        (r"expected ',' or '\]'", "a list that is not closed", "a ',' or a ']'"),
        (r"expected ',' or '\}'", "a mapping that is not closed", "a ',' or a '}'"),
        (
            r"found '<scalar>'",
            "a text behind a finished value",
            "one value; a text that starts with a quote or a bracket stands in quotes as a whole",
        ),
        (
            r"found '(?:\?|-|<block mapping start>|<block sequence start>)'",
            "a line that is not in line with the lines above",
            "the same number of spaces before all keys, or all items, of one block",
        ),
        (
            r"expected the node content",
            "a special character where a value starts",
            'the value in quotes, such as "[::1]:9818"',
        ),
        (r"found '[]}]'", "a closing bracket too many", "one for each opening bracket"),
        (r"found '[,]'", "a ',' behind a finished value", "one value; a text with ',' in quotes"),
        (
            r"alphabetic or numeric character",
            "a value that starts with * or &",
            "the value in quotes",
        ),
        (
            r"chomping or indentation|indentation indicator|comment or a line break",
            "a text behind | or >",
            f"the text on the lines below; {QUOTES}",
        ),
        (
            r"YAML document|directive|version",
            "a line that starts with %",
            "YAML 1.1 without directives",
        ),
    )
)


def in_words(error: yaml.MarkedYAMLError, lines: list[str]) -> Problem:
    place = error.problem_mark or error.context_mark
    at = Position(place.line + 1, place.column + 1) if place else Position(0, 0)
    problem = error.problem or ""
    if "quoted scalar" in (error.context or "") and error.context_mark:
        # the end of the file says little; the opening quote is the place to look
        at = Position(error.context_mark.line + 1, error.context_mark.column + 1)
    if at.line > len(lines) > 0:
        at = Position(len(lines), len(lines[-1]) + 1)
    for pattern, found, accepted in SYNTAX:
        if match := pattern.search(problem):
            return Problem(at, "", match.expand(found) if "\\1" in found else found, accepted)
    return Problem(at, "", "text that is not YAML", f"YAML; {QUOTES}")


def describe(value: object, *, hide: bool) -> str:
    """What stands there, in words."""
    match value:
        case Block():
            return "a mapping" if value else "an empty mapping"
        case Items():
            return "a list" if value else "an empty list"
        case str():
            return "a text (not shown)" if hide else quoted(value)
        case _:
            return "an empty value"
