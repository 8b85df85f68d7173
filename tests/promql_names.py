"""Whether an expression uses only metrics, labels and values that exist; what rules and panels are checked with.

A misspelt metric or label is no error in PromQL: the expression is simply empty for ever, and so the alert silent.

    problems('cisco_ipsec_tunnel_up{devise="r1"}')    ['cisco_ipsec_tunnel_up has no label devise']

Variables of Grafana must be filled in before (``$__rate_interval`` by ``5m``); ``"${device:raw}"`` inside a matcher may stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import promql_parser
import yaml

from ipsecmon.metrics.catalogue import METRICS, Kind

__all__ = ["Labels", "labels_of", "problems", "recorded"]

Labels = frozenset[str]

_SCRAPED: Labels = frozenset({"instance", "job"})
_OTHERS: Mapping[str, Labels] = {
    "up": _SCRAPED,
    "scrape_duration_seconds": _SCRAPED,
    "scrape_samples_scraped": _SCRAPED,
    # an alert has the labels of its expression, and there is no knowing of which
    "ALERTS": _SCRAPED
    | {"alertname", "alertstate", "severity"}
    | {"device", "tunnel", "peer", "site", "owner", "direction", "credential", "source"},
}
_SUFFIXES = {"_bucket": frozenset({"le"}), "_sum": frozenset[str](), "_count": frozenset[str]()}
_PLAIN_WORDS = re.compile(r"[a-z0-9_]+(\|[a-z0-9_]+)*")
_SETS = ("and", "or", "unless")


def problems(expression: str, recorded: Mapping[str, Labels] | None = None) -> list[str]:
    """Everything in it that does not exist, in words; ``recorded`` are the names that rules record."""
    reader = _Reader(recorded or {}, [])
    try:
        parsed = promql_parser.parse(expression)
    except ValueError as error:
        return [f"it cannot be read: {error}"]
    reader.labels(parsed)
    return list(dict.fromkeys(reader.found))


def labels_of(expression: str, recorded: Mapping[str, Labels] | None = None) -> Labels:
    """The labels its result may have."""
    return _Reader(recorded or {}, []).labels(promql_parser.parse(expression))


def recorded(rule_file: str) -> dict[str, Labels]:
    """The names a rule file records, with the labels they have."""
    names: dict[str, Labels] = {}
    for rule in _rules(yaml.safe_load(rule_file)):
        if "record" in rule:
            names[rule["record"]] = labels_of(rule["expr"], names)
    return names


def _rules(document: Any) -> Iterator[dict[str, Any]]:
    for group in document["groups"]:
        yield from group["rules"]


@dataclass(frozen=True, slots=True)
class _Reader:
    """Walks an expression; what it finds wrong on the way is in ``found``."""

    recorded: Mapping[str, Labels]
    found: list[str]

    def labels(self, part: promql_parser.Expr) -> Labels:
        match part:
            case promql_parser.VectorSelector():
                return self._selector(part)
            case promql_parser.MatrixSelector():
                return self._selector(part.vector_selector)
            case promql_parser.AggregateExpr():
                return self._aggregate(part)
            case promql_parser.BinaryExpr():
                return self._binary(part)
            case promql_parser.Call():
                return self._call(part)
            case promql_parser.ParenExpr() | promql_parser.UnaryExpr():
                return self.labels(part.expr)
            case promql_parser.SubqueryExpr():
                return self.labels(part.expr)
            case _:  # a number or a string
                return frozenset()

    def _selector(self, selector: promql_parser.VectorSelector) -> Labels:
        name = selector.name
        if name is None:
            self.found.append("a selector without the name of a metric")
            return frozenset()
        labels = self._of_metric(name)
        if labels is None:
            self.found.append(f"there is no metric {name}")
            return frozenset()
        for matcher in selector.matchers.matchers:
            if matcher.name not in labels:
                self.found.append(f"{name} has no label {matcher.name}")
            self._value(name, matcher)
        return labels

    def _of_metric(self, name: str) -> Labels | None:
        for known in (self.recorded, _OTHERS):
            if name in known:
                return known[name]
        metric = METRICS.get(name)
        if metric is not None:
            return None if metric.kind is Kind.HISTOGRAM else _SCRAPED | set(metric.labels)
        for suffix, more in _SUFFIXES.items():
            histogram = METRICS.get(name.removesuffix(suffix))
            if name.endswith(suffix) and histogram and histogram.kind is Kind.HISTOGRAM:
                return _SCRAPED | set(histogram.labels) | more
        return None

    def _value(self, name: str, matcher: promql_parser.Matcher) -> None:
        """A value outside of those a label can have matches nothing, or with ``!=`` everything."""
        metric = METRICS.get(name)
        if metric is None or not metric.values or matcher.name != metric.labels[-1]:
            return
        exact = matcher.op in (promql_parser.MatchOp.Equal, promql_parser.MatchOp.NotEqual)
        if not exact and not _PLAIN_WORDS.fullmatch(matcher.value):
            return
        for value in [matcher.value] if exact else matcher.value.split("|"):
            if value and not value.startswith("$") and value not in metric.values:
                self.found.append(f"{matcher.name} of {name} is never {value}")

    def _aggregate(self, part: promql_parser.AggregateExpr) -> Labels:
        inner = self.labels(part.expr)
        keeps_all = str(part.op) in ("topk", "bottomk")
        if part.modifier is None:
            return inner if keeps_all else frozenset()
        named = frozenset(part.modifier.labels)
        self._must_have(named, inner, str(part.op))
        if keeps_all:
            return inner
        return named if part.modifier.type == promql_parser.AggModifierType.By else inner - named

    def _binary(self, part: promql_parser.BinaryExpr) -> Labels:
        left, right = self.labels(part.lhs), self.labels(part.rhs)
        operator, modifier = str(part.op), part.modifier
        if _is_number(part.lhs) or _is_number(part.rhs):
            return left | right
        matching = modifier.matching if modifier else None
        including = matching is not None and (
            matching.type == promql_parser.LabelModifierType.Include
        )
        named = frozenset(matching.labels) if matching else frozenset[str]()
        if including:
            self._must_have(named, left, f"the left of {operator}")
            self._must_have(named, right, f"the right of {operator}")
        else:
            self._must_have(named, left | right, operator)
        if operator in _SETS:
            return left | right if operator == "or" else left
        card = modifier.card if modifier else None
        more = frozenset((modifier.group_labels if modifier else None) or ())
        if card == promql_parser.VectorMatchCardinality.ManyToOne:
            self._must_have(more, right, f"the right of {operator}")
            return left | more
        if card == promql_parser.VectorMatchCardinality.OneToMany:
            self._must_have(more, left, f"the left of {operator}")
            return right | more
        return named if including else left - named

    def _call(self, part: promql_parser.Call) -> Labels:
        inner = [self.labels(argument) for argument in part.args]
        labels: Labels = frozenset[str]().union(*inner)
        if part.func.name in ("label_replace", "label_join"):
            return labels | {_text(part.args[1])}
        if part.func.name == "absent":
            selector = part.args[0]
            if isinstance(selector, promql_parser.VectorSelector):
                return frozenset(one.name for one in selector.matchers.matchers)
        return labels - {"le"} if part.func.name == "histogram_quantile" else labels

    def _must_have(self, wanted: Iterable[str], labels: Labels, where: str) -> None:
        for label in sorted(set(wanted) - labels):
            self.found.append(f"{where} has no label {label}")


def _is_number(part: promql_parser.Expr) -> bool:
    match part:
        case promql_parser.NumberLiteral():
            return True
        case promql_parser.ParenExpr() | promql_parser.UnaryExpr():
            return _is_number(part.expr)
        case promql_parser.BinaryExpr():
            return _is_number(part.lhs) and _is_number(part.rhs)
        case promql_parser.Call():
            return part.func.name in ("time", "scalar", "pi")
        case _:
            return False


def _text(part: promql_parser.Expr) -> str:
    return part.val if isinstance(part, promql_parser.StringLiteral) else ""
