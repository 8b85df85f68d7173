"""The file Prometheus loads, and the table of alerts for a reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import yaml

from ipsecmon.alerting.device_rules import device_group
from ipsecmon.alerting.monitor_rules import monitor_group
from ipsecmon.alerting.record_rules import record_group
from ipsecmon.alerting.rules import INHIBITING, Alert, AlertRow, Group, Record, Rule, annotations_of
from ipsecmon.alerting.settings import shown
from ipsecmon.alerting.thresholds import THRESHOLDS, Thresholds, described
from ipsecmon.alerting.timescale import REAL_TIME, Timescale
from ipsecmon.alerting.tunnel_rules import tunnel_group

__all__ = ["alert_table", "alerts", "rule_file", "rule_groups"]

_HEAD = """\
# Recording rules and alerts for Prometheus, written by `ipsecmon rules`: change thresholds with --set rather than here.
# The alerts are explained in the runbooks; `ipsecmon rules --list` shows every threshold.
"""

Plain = str | Mapping[str, str]


def rule_groups(
    thresholds: Thresholds = THRESHOLDS, timescale: Timescale = REAL_TIME
) -> tuple[Group, ...]:
    """Every rule there is; those that inhibit others are kept for a while."""
    kept = timescale.hold(thresholds.inhibiting_kept_for)
    groups = (
        tunnel_group(thresholds, timescale),
        device_group(thresholds, timescale),
        monitor_group(thresholds, timescale),
        record_group(timescale),
    )
    return tuple(
        replace(group, rules=tuple(_kept(rule, kept) for rule in group.rules)) for group in groups
    )


def _kept(rule: Rule, kept: str) -> Rule:
    if isinstance(rule, Alert) and rule.name in INHIBITING:
        return replace(rule, kept=kept)
    return rule


def alerts(
    thresholds: Thresholds = THRESHOLDS, timescale: Timescale = REAL_TIME
) -> tuple[Alert, ...]:
    """The alerts of all groups in their order."""
    groups = rule_groups(thresholds, timescale)
    return tuple(rule for group in groups for rule in group.rules if isinstance(rule, Alert))


def alert_table() -> tuple[AlertRow, ...]:
    """Name, severity and meaning of every alert, tunnels first."""
    return tuple(AlertRow(one.name, one.severity, one.meaning) for one in alerts())


def rule_file(thresholds: Thresholds = THRESHOLDS, timescale: Timescale = REAL_TIME) -> str:
    """The whole file: a head that says what differs from the defaults, then the groups."""
    groups = [
        {"name": group.name, "rules": [_rule(rule, thresholds) for rule in group.rules]}
        for group in rule_groups(thresholds, timescale)
    ]
    body = yaml.dump(
        {"groups": groups}, Dumper=_Dumper, sort_keys=False, width=4096, allow_unicode=True
    )
    return _HEAD + _differences(thresholds, timescale) + body


def _differences(thresholds: Thresholds, timescale: Timescale) -> str:
    changed = [
        f"# {one.name} = {shown(one, getattr(thresholds, one.name))} instead of {shown(one, one.default)}\n"
        for one in described()
        if getattr(thresholds, one.name) != one.default
    ]
    if timescale.speed != 1:
        changed.append(f"# for an emulated network at {timescale.speed:g} times the clock\n")
    return "".join(changed) if changed else "# Every threshold is the default.\n"


def _rule(rule: Rule, thresholds: Thresholds) -> dict[str, Plain]:
    match rule:
        case Record():
            return {"record": rule.name, "expr": _Block(rule.expression)}
        case Alert():
            held: dict[str, Plain] = {} if rule.hold == "0s" else {"for": rule.hold}
            if rule.kept != "0s":
                held["keep_firing_for"] = rule.kept
            return {
                "alert": rule.name,
                "expr": _Block(rule.expression),
                **held,
                "labels": {"severity": rule.severity.value},
                "annotations": annotations_of(rule, thresholds),
            }


class _Block(str):
    """Text to be written as a block, line for line."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    """Writes expressions as blocks, and lists indented below their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - PyYAML's signature
        super().increase_indent(flow, False)


def _block(_: yaml.SafeDumper, text: _Block) -> yaml.ScalarNode:
    return yaml.ScalarNode("tag:yaml.org,2002:str", f"{text}\n", style="|")


_Dumper.add_representer(_Block, _block)
