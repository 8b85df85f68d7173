"""Says in words what the engine makes of a template."""

from __future__ import annotations

from ipsecmon_parsers.compiled_textfsm.emission import Writer, has_ambiguous_loop
from ipsecmon_parsers.compiled_textfsm.learning import Learner, Node
from ipsecmon_parsers.compiled_textfsm.machine import Machine
from ipsecmon_parsers.compiled_textfsm.paths import Refused
from ipsecmon_parsers.compiled_textfsm.program import Rule

__all__ = ["explain"]


def explain(machine: Machine) -> str:
    """A report of several lines."""
    lines = ["Rules:"]
    lines += [
        f"  {state.name}, line {rule.line_no}: {_about_rule(rule)}"
        for state in machine.program.states
        for rule in state.rules
    ]
    lines += _about_traces("Traces of parse():", machine, machine.learner)
    lines += _about_traces("Traces of account():", machine, machine.accounting_learner)
    return "\n".join(lines)


def _about_rule(rule: Rule) -> str:
    if has_ambiguous_loop(rule.tree):
        return "line by line only: it repeats a part that can match in several ways"
    captured = {group for _, group in rule.captures}
    try:
        Writer().rule(rule.place, rule.tree, captured, None)
    except Refused as refused:
        return f"line by line only: {refused}"
    return "may be part of a trace"


def _about_traces(title: str, machine: Machine, learner: Learner) -> list[str]:
    lines = [title]
    for node in learner.nodes:
        for trace in (*node.loops, *node.segments):
            kind = "loop" if trace.is_loop else "segment"
            lines.append(
                f"  {_place(machine, node)}: {kind} of {trace.lines} lines, {len(trace.source)} characters,"
                f" fitted {trace.hits} times, did not fit {trace.misses} times"
            )
        for path, note in tuple(node.notes.items()):
            if note.refusal:
                lines.append(
                    f"  {_place(machine, node)}: {len(path)} lines go line by line: {note.refusal}"
                )
    return lines if len(lines) > 1 else [*lines, "  none so far"]


def _place(machine: Machine, node: Node) -> str:
    state = machine.program.states[node.state].name
    names = ", ".join(machine.program.columns[index].name for index in node.carried)
    return f"{state} (with {names})" if names else state
