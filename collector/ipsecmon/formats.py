"""What a program reads: the outcomes of a session log as JSON, JSON Lines, YAML or CSV.

One answer is one document, that of ``ParseResult.document``; several are ``{"outputs": [...]}`` in the order of the
log, each with its ``host``; an answer that could not be read stands among them as ``{"platform", "command", "error"}``.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import yaml

from ipsecmon.flat import cell, columns, flat, flat_rows, parts
from ipsecmon_parsers.documents import Json, record_document
from ipsecmon_parsers.reading import LogReading, Outcome
from ipsecmon_parsers.records import CustomRow, RunningCrypto
from ipsecmon_parsers.registry import ParseResult

__all__ = ["as_csv", "as_json", "as_json_lines", "as_yaml"]


def as_json(reading: LogReading, *, lines: bool = False) -> str:
    """The document, indented; with ``lines`` each record has the ``lines`` it was read from, first and last."""
    return json.dumps(_document(reading, lines=lines), indent=2) + "\n"


def as_yaml(reading: LogReading, *, lines: bool = False) -> str:
    """The same document."""
    document = _document(reading, lines=lines)
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)


def _document(reading: LogReading, *, lines: bool) -> dict[str, Json]:
    documents = [_outcome_document(outcome, lines=lines) for outcome in reading.outcomes]
    if len(documents) == 1:
        return documents[0]
    for outcome, document in zip(reading.outcomes, documents, strict=True):
        document["host"] = outcome.answer.host
    return {"outputs": list[Json](documents)}


def _outcome_document(outcome: Outcome, *, lines: bool) -> dict[str, Json]:
    document = outcome.document()
    if lines and outcome.result is not None:
        document["records"] = [*_records(outcome.result, lines=True)]
    return document


def _records(result: ParseResult, *, lines: bool) -> Iterator[dict[str, Json]]:
    for record, source in zip(result.records, result.sources, strict=True):
        document = record_document(record)
        if lines:
            document["lines"] = [source.first_line, source.last_line]
        yield document


def as_json_lines(reading: LogReading, *, lines: bool = False) -> str:
    """A record a line, with the platform and command of its output; so are errors and lines nobody understood."""
    return "".join(
        json.dumps(document) + "\n"
        for outcome in reading.outcomes
        for document in _line_documents(outcome, lines=lines)
    )


def _line_documents(outcome: Outcome, *, lines: bool) -> Iterator[dict[str, Json]]:
    result = outcome.result
    if result is None:
        yield {"host": outcome.answer.host} | outcome.document()
        return
    origin: dict[str, Json] = {
        "host": outcome.answer.host,
        "platform": result.platform.value,
        "command": result.command,
    }
    for document in _records(result, lines=lines):
        yield origin | document
    for line in result.unparsed_lines:
        unparsed: dict[str, Json] = {"line_no": line.line_no, "text": line.text}
        yield {**origin, "unparsed_line": unparsed}


def as_csv(reading: LogReading) -> str:
    """A table for each kind of record, a blank line between two; the columns of a kind are always the same.

    A flow is one row with the SAs in use (``inbound_spi``, ``outbound_remaining_seconds``); access lists have a row
    for each entry, sessions one for each flow. A configuration comes as tables of its parts.
    """
    tables: dict[type, list[tuple[Outcome, Any]]] = {}
    for outcome in reading.outcomes:
        for record in outcome.result.records if outcome.result else ():
            for one in parts(record) if isinstance(record, RunningCrypto) else (record,):
                tables.setdefault(type(one), []).append((outcome, one))
    return "\n".join(_csv_table(kind, records) for kind, records in tables.items())


def _csv_table(kind: type, records: list[tuple[Outcome, Any]]) -> str:
    text = io.StringIO()
    head = ("kind", "host", "platform", "command")
    names = columns(kind)
    if kind is CustomRow:
        names = tuple(dict.fromkeys(name for _, record in records for name in flat(record)))
    own = [name for name in names if name not in head]
    writer = csv.DictWriter(text, (*head, *own), restval="", lineterminator="\n")
    writer.writeheader()
    for outcome, record in records:
        values = (kind.__name__, outcome.answer.host, outcome.platform, outcome.command)
        origin = {name: cell(value) for name, value in zip(head, values, strict=True)}
        for row in flat_rows(record):
            writer.writerow(row | origin)
    return text.getvalue()
