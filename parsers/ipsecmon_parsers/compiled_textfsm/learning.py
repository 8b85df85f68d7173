"""Finds out which paths a template takes again and again, and keeps the traces made of them.

What is learnt decides how fast a text is read, never what is read: any trace that fits may be followed, and any
may be missing. So threads share what is learnt without waiting for each other: the tuples of traces are replaced
whole, counters may miss a beat, and one thread at a time compiles while the others go on without.

Everything is bounded: nodes, paths and samples kept, lines of a path, length of an expression, number of traces.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol, TypeAlias

from ipsecmon_parsers.compiled_textfsm.paths import Build, Compiled, Match, Note, Path, Refused
from ipsecmon_parsers.compiled_textfsm.program import Program

__all__ = ["MOST_LINES", "Learner", "Node", "Trace", "Walk"]

MOST_LINES = 200
_MOST_NODES = 64
_MOST_NOTES = 32
_MOST_NOTES_IN_ALL = 256
_LONGEST_TEXT = 32_000
_MOST_TRACES = 8
_MOST_TRACES_IN_ALL = 64
_MOST_SEGMENTS = 64
_LONG_LOOP = 24


@dataclass(slots=True, eq=False)
class Trace:
    """A compiled path. It leads to ``next_node``, where further traces may begin."""

    path: Path
    match: Match
    build: Build
    next_node: Node
    lines: int
    source: str
    is_loop: bool
    hits: int = 0
    misses: int = 0

    @property
    def is_useless(self) -> bool:
        """It was tried often and fitted rarely."""
        return self.misses > 64 and self.misses > 8 * self.hits


@dataclass(slots=True, eq=False)
class Node:
    """A place between two paths: the state, and the columns assigned since the row was saved or cleared."""

    state: int
    carried: tuple[int, ...]
    loops: tuple[Trace, ...] = ()
    """Traces over several saved rows, that lead back to this node."""
    segments: tuple[Trace, ...] = ()
    """Traces to the next saved row."""
    notes: dict[Path, Note] = field(default_factory=dict[Path, Note])
    visits: int = 0


_Seen: TypeAlias = tuple[Node, Path, int]


class Walk:
    """The paths taken on one text so far, to find those that lead back to where they began."""

    __slots__ = ("_last", "_seen")

    def __init__(self) -> None:
        self._seen: list[_Seen] = []
        self._last: dict[int, int] = {}

    def clear(self) -> None:
        if self._seen:
            self._seen.clear()
            self._last.clear()

    def add(self, node: Node, path: Path, start: int) -> None:
        if len(self._seen) >= _MOST_SEGMENTS:
            self.clear()
        node.visits += 1
        self._last[id(node)] = len(self._seen)
        self._seen.append((node, path, start))

    def loop_to(self, node: Node) -> tuple[Path, int] | None:
        """The path since ``node`` was last left, over more than one saved row, and where in the text it began.

        Loops lie within loops: a node of the inner one is visited more often. The outer loop is wanted, so a path
        that passes a node of an outer one is none.
        """
        index = self._last.get(id(node))
        if index is None or len(self._seen) - index < 2:
            return None
        if any(node.visits > 1.25 * other.visits + 2 for other, _, _ in self._seen[index:]):
            return None
        path = tuple(step for _, part, _ in self._seen[index:] for step in part)
        return (path, self._seen[index][2]) if len(path) <= MOST_LINES else None


class _Compiler(Protocol):
    def compile(
        self, path: Path, note: Note, carried_in: Sequence[int], carried_out: Sequence[int]
    ) -> Compiled: ...


class Learner:
    """The nodes of one template; ``trace_after`` is how often a path is seen before it is worth a trace."""

    def __init__(self, program: Program, is_accounting: bool, trace_after: int) -> None:
        self._program = program
        self._is_accounting = is_accounting
        self._trace_after = trace_after
        self._nodes: dict[tuple[int, tuple[int, ...]], Node] = {}
        self._lock = threading.Lock()
        self._traces = 0

    @cached_property
    def _compiler(self) -> _Compiler:
        # most templates never meet a text long enough; who reads one short text does not wait for this
        from ipsecmon_parsers.compiled_textfsm.traces import TraceCompiler

        return TraceCompiler(self._program, self._is_accounting)

    def node(self, state: int, carried: Iterable[int]) -> Node | None:
        """The node at a state with these columns assigned; ``None`` where there are too many nodes already."""
        key = (state, tuple(carried))
        found = self._nodes.get(key)
        if found is None and len(self._nodes) < _MOST_NODES:
            found = self._nodes.setdefault(key, Node(state, tuple(carried)))
        return found

    @property
    def nodes(self) -> tuple[Node, ...]:
        return tuple(self._nodes.values())

    def learn(self, node: Node, path: Path, lines: str, next_node: Node, is_loop: bool) -> None:
        """Note that the line engine took ``path``, and make a trace of it when it is time."""
        if len(lines) > _LONGEST_TEXT or not self._lock.acquire(blocking=False):
            return
        try:
            note = node.notes.get(path)
            if note is None:
                self._make_room(node)
                note = node.notes[path] = Note()
            if note.is_settled:
                return
            note.sightings += 1
            threshold = self._threshold(note, is_loop, len(path))
            # a look at every fourth text is enough to guess what a trace should look like
            if threshold < 16 or note.sightings % 4 == 0:
                note.see(lines.split("\n"))
            if note.sightings >= threshold:
                self._compile(node, path, note, next_node, is_loop)
        finally:
            self._lock.release()

    def _make_room(self, node: Node) -> None:
        """Forget what led to no trace, so that an engine that lives on can still learn what is new."""
        is_full = sum(len(one.notes) for one in self.nodes) >= _MOST_NOTES_IN_ALL
        for one in self.nodes if is_full else (node,):
            if is_full or len(one.notes) >= _MOST_NOTES:
                traced = {trace.path for trace in (*one.loops, *one.segments)}
                one.notes = {path: note for path, note in one.notes.items() if path in traced}

    def _threshold(self, note: Note, is_loop: bool, lines: int) -> int:
        if note.generality:
            return 2
        # a long loop is worth more than the shorter paths it is made of, so it comes first
        return self._trace_after * (1 if is_loop and lines >= _LONG_LOOP else 4)

    def _compile(self, node: Node, path: Path, note: Note, next_node: Node, is_loop: bool) -> None:
        note.sightings = 0
        known = node.loops if is_loop else node.segments
        others = tuple(trace for trace in known if trace.path != path)
        # where there is a trace already it did not fit texts that take this path, so it asked too much of them
        is_again = len(others) < len(known)
        if is_again and note.is_general:
            note.is_settled = True
            note.refusal = "lines that are not plain ASCII are read one by one"
            return
        if not is_again and (len(others) >= _MOST_TRACES or self._traces >= _MOST_TRACES_IN_ALL):
            if not others:
                note.is_settled = True
                note.refusal = "there are enough traces already"
                return
            # the one that did not fit for longest makes room
            node.notes.pop(others[-1].path, None)
            others = others[:-1]
            self._traces -= 1
        try:
            compiled = self._compiler.compile(path, note, node.carried, next_node.carried)
        except (Refused, RecursionError) as refused:
            note.is_settled = True
            is_deep = isinstance(refused, RecursionError)
            note.refusal = "its rules are nested too deeply" if is_deep else str(refused)
            note.samples.clear()
            self._publish(node, (*[one for one in known if one.path == path], *others), is_loop)
            return
        note.generality += 1
        self._traces += not is_again
        trace = Trace(
            path, compiled.match, compiled.build, next_node, len(path), compiled.source, is_loop
        )
        self._publish(node, (trace, *others), is_loop)

    @staticmethod
    def _publish(node: Node, traces: tuple[Trace, ...], is_loop: bool) -> None:
        if is_loop:
            node.loops = traces
        else:
            node.segments = traces

    def reorder(self, node: Node, trace: Trace) -> None:
        """The trace that fitted last is tried first; one that never fits is given up."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            known = node.loops if trace.is_loop else node.segments
            if trace not in known:
                return
            useless = [one for one in known if one is not trace and one.is_useless]
            kept = [one for one in known if one is not trace and not one.is_useless]
            self._publish(node, (trace, *kept), trace.is_loop)
            if useless:
                self._give_up(node, useless)
        finally:
            self._lock.release()

    def _give_up(self, node: Node, traces: list[Trace]) -> None:
        for trace in traces:
            self._traces -= 1
            note = node.notes.get(trace.path)
            if note is not None:
                note.is_settled = True
                note.refusal = "its trace fitted too rarely"
