"""Compiles a path into a trace: one expression over all its lines, and one function that makes its rows.

A trace may stand in for the line engine on the lines it matches if these three hold, and each is built in:

1. **The same rules match.** The expression has a piece for each line. A piece matches a whole line only if the rules
   of the step match it and no other rule that would have been tried does. Of another rule this is known because
   the automata of the two rules have no line in common, or because the piece demands first characters with which
   the automaton of the other rule rejects the line, or because the piece tries the other rule and demands that it
   fails. A piece that is a line word for word needs none of this: a line is treated as it was treated before.
2. **The same texts are captured.** The piece holds the expression of the rule as ``emission`` writes it, in an
   atomic group, so that nothing behind it can make it match another way than it does alone.
3. **The same is done with them.** ``builders`` runs the same actions in the same order, beforehand, on names.

Where a text does not fit a trace, nothing has happened yet, and the line engine reads on from the same place.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ipsecmon_parsers.compiled_textfsm.automata import can_both_match
from ipsecmon_parsers.compiled_textfsm.builders import (
    Assigned,
    Captured,
    Constant,
    Event,
    RowBuilder,
    Saved,
    Unmatched,
)
from ipsecmon_parsers.compiled_textfsm.emission import (
    Writer,
    capture_facts,
    char_class,
    ends_line,
    has_ambiguous_loop,
    is_indent,
    least_blanks,
)
from ipsecmon_parsers.compiled_textfsm.paths import BLANK, Compiled, Note, Path, Refused, Step
from ipsecmon_parsers.compiled_textfsm.patterns import PLAIN
from ipsecmon_parsers.compiled_textfsm.program import LineEnd, Program, Record, Rule

__all__ = ["TraceCompiler"]

_LONGEST_SOURCE = 60_000
_REST_OF_LINE = char_class(PLAIN) + "*+"
_BLANK_LINE = r"[ \t]*+\n"


class TraceCompiler:
    """Makes the traces of one template."""

    def __init__(self, program: Program, is_accounting: bool) -> None:
        self._program = program
        self.is_accounting = is_accounting
        self._common: dict[tuple[int, int, int], bool] = {}

    def compile(
        self, path: Path, note: Note, carried_in: Sequence[int], carried_out: Sequence[int]
    ) -> Compiled:
        """The trace of a path; raises ``Refused`` where one of the three conditions cannot be assured.

        ``carried_in`` and ``carried_out`` are the columns assigned behind the last saved row at either end.
        """
        pieces: list[str] = []
        events: list[Event] = []
        groups = 0
        for offset, step in enumerate(path):
            piece = _Piece(self, step, [sample[offset] for sample in note.samples])
            if step == BLANK:
                pieces.append(_BLANK_LINE)
            elif note.always[offset] is not None and not note.is_general:
                pieces.append(piece.word_for_word(str(note.always[offset])))
            else:
                pieces.append(piece.general(note.generality < 2, note.is_general))
            events += piece.events(offset, groups)
            if self.is_accounting and piece.is_unmatched:
                events.append(Unmatched(offset))
            groups += piece.groups
        source = "".join(pieces)
        if len(source) > _LONGEST_SOURCE:
            raise Refused("its expression would be too long")
        builder = RowBuilder(self._program, self.is_accounting, len(path), carried_in, carried_out)
        build = builder.make(events)
        pattern = re.compile(source)
        if pattern.groups != groups:
            raise Refused("its expression does not capture what was expected")
        return Compiled(pattern.match, build, source)

    def rules(self, step: Step) -> tuple[Rule, ...]:
        """The rules of the state in which a step happens."""
        return self._program.states[step[0]].rules

    def checked(self, rules: Sequence[Rule]) -> None:
        """Refuse what no trace can do."""
        for rule in rules:
            if rule.line_end in (LineEnd.ERROR, LineEnd.STOP):
                raise Refused("it ends the reading")
            if self.is_accounting and rule.has_foreign_groups:
                raise Refused(f"the rule in line {rule.line_no} has groups that are no Value")
            if self.is_accounting and rule.record in (Record.CLEAR, Record.CLEAR_ALL):
                raise Refused(f"the rule in line {rule.line_no} clears the row")

    def have_common_line(self, one: Rule, other: Rule) -> bool:
        """Whether the automata allow both rules to match one line."""
        key = (one.state, *sorted((one.place, other.place)))
        known = self._common.get((key[0], key[1], key[2]))
        if known is None:
            known = can_both_match(one.automaton, other.automaton)
            self._common[key[0], key[1], key[2]] = known
        return known


class _Piece:
    """The part of a trace that stands for one line."""

    def __init__(self, compiler: TraceCompiler, step: Step, samples: list[str]) -> None:
        self._compiler = compiler
        self._samples = samples
        self._rules = compiler.rules(step) if step else ()
        self._matched = [self._rules[place] for place in step[1:]]
        compiler.checked(self._matched)
        self._values: dict[tuple[int, int], Captured | Constant] = {}
        self.groups = 0
        is_ended = bool(self._matched) and self._matched[-1].line_end is not LineEnd.CONTINUE
        # the rule that ended the line, and the place up to which rules were tried
        self._last = self._matched[-1] if is_ended else None
        self._tried = self._matched[-1].place if is_ended else len(self._rules)
        self.is_unmatched = bool(step) and not any(
            rule.pattern.groupindex or rule.line_end is not LineEnd.CONTINUE
            for rule in self._matched
        )

    def word_for_word(self, line: str) -> str:
        """The line itself: it is the line on which the rules were seen to match, so they match it again."""
        for rule in self._matched:
            match = rule.pattern.match(line)
            if match is None:
                raise Refused("its sample does not fit")
            for _, group in rule.captures:
                self._values[rule.place, group] = Constant(match[group])
        return re.escape(line) + r"\n"

    def general(self, may_fix_indent: bool, is_general: bool) -> str:
        """Every line on which exactly these rules match."""
        excluded, demand = self._exclusions("" if is_general else _common_start(self._samples))
        writer = Writer()
        indent = self._indent() if may_fix_indent else None
        looked_at = "".join(
            f"(?={self._written(writer, rule)})" for rule in self._matched if rule is not self._last
        )
        last = self._written(writer, self._last, indent) if self._last else ""
        facts = {rule.place: capture_facts(rule.tree) for rule in self._matched}
        for number, (place, group) in enumerate(writer.groups):
            is_certain, can_be_empty = facts[place][group]
            self._values[place, group] = Captured(number, is_certain, can_be_empty)
        self.groups = len(writer.groups)
        rest = "" if self._last and ends_line(self._last.tree) else _REST_OF_LINE
        return f"(?>{demand}{excluded}{looked_at}{last}{rest})\\n"

    def _written(self, writer: Writer | None, rule: Rule, indent: str | None = None) -> str:
        """The expression of a rule; without a writer it captures nothing."""
        if has_ambiguous_loop(rule.tree):
            raise Refused(
                f"the rule in line {rule.line_no} repeats a part that can match in several ways"
            )
        captured = {group for _, group in rule.captures} if writer else set[int]()
        writer = writer or Writer()
        # blanks that are not plain are none here, so there may be fewer than the rule asks for
        if indent is not None and not (
            is_indent(rule.tree) and len(indent) >= least_blanks(rule.tree)
        ):
            indent = None
        try:
            return writer.rule(rule.place, rule.tree, captured, indent)
        except Refused as refused:
            raise Refused(f"the rule in line {rule.line_no}: {refused}") from None

    def _indent(self) -> str | None:
        indents = {line[: len(line) - len(line.lstrip(" \t"))] for line in self._samples}
        return indents.pop() if len(indents) == 1 else None

    def _exclusions(self, start: str) -> tuple[str, str]:
        """What makes sure that no other rule matches: look-aheads, and the first characters they rely on."""
        excluded, demand = "", ""
        if self._compiler.is_accounting and not self._needs_text():
            # a blank line would not be shown to the rules
            excluded = r"(?![ \t]*+\n)"
        matched = {rule.place for rule in self._matched}
        for rule in self._rules[: self._tried]:
            if rule.place in matched:
                continue
            if any(not self._compiler.have_common_line(rule, other) for other in self._matched):
                continue
            if start.strip() and not rule.automaton.can_begin(start):
                demand = f"(?={re.escape(start)})"
                continue
            excluded += f"(?!{self._written(None, rule)})"
        return excluded, demand

    def _needs_text(self) -> bool:
        """Whether one of the rules matched cannot match a blank line."""
        return any(not rule.automaton.can_begin_indented("", True) for rule in self._matched)

    def events(self, offset: int, first_group: int) -> list[Event]:
        """What the matches do, in order."""
        events: list[Event] = []
        for rule in self._matched:
            for column, group in rule.captures:
                value = self._values[rule.place, group]
                if isinstance(value, Captured):
                    value = Captured(
                        first_group + value.number, value.is_certain, value.can_be_empty
                    )
                events.append(Assigned(offset, column, value))
            if rule.record is not Record.KEEP_ON:
                events.append(Saved(offset, rule.record))
        return events


def _common_start(lines: list[str]) -> str:
    """What all the lines begin with."""
    first, last = min(lines), max(lines)
    length = 0
    while length < min(len(first), len(last)) and first[length] == last[length]:
        length += 1
    return first[:length]
