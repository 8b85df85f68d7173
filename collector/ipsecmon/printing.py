"""What a person sees on the terminal: tables of polls, tables of records, records beside the lines they came from."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ipsecmon.dump import utc_text
from ipsecmon.flat import cell, flat, is_list, is_record, parts, sa_in_use
from ipsecmon.model import PollResult
from ipsecmon_parsers.documents import spi_hex
from ipsecmon_parsers.guess import platform_name
from ipsecmon_parsers.reading import LogReading, Outcome
from ipsecmon_parsers.records import (
    AccessList,
    AutoVpn,
    CryptoMapEntry,
    CryptoSession,
    CustomRow,
    Direction,
    Flow,
    GdoiGroup,
    IkeSa,
    Ikev2Session,
    IpsecSa,
    Record,
    RunningCrypto,
    SaLifetime,
    VpnLoadBalancing,
    VpnSession,
    VpnSessionSummary,
)
from ipsecmon_parsers.registry import BUILT_IN, ParseResult, Registry, Source

__all__ = ["print_explained", "print_poll", "print_tables"]

_PIPE_WIDTH = 200
_EXPLAIN_WIDTH = 100


def _console() -> Console:
    # a pipe has no width: let lines be as long as they are
    return Console() if sys.stdout.isatty() else Console(width=_PIPE_WIDTH, no_color=True)


def _print_table(console: Console, table: Table) -> None:
    """Whole: a terminal that is too narrow wraps the lines, half an SPI would help nobody."""
    width = table.__rich_measure__(console, console.options.update(max_width=10_000)).maximum
    console.print(table, width=max(width, 1), crop=False, no_wrap=True, overflow="ignore")


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table


# --- polls --------------------------------------------------------------------------------------------------


def print_poll(result: PollResult) -> None:
    """The tunnels of one device, its IKE peers and what was not understood."""
    console = _console()
    if result.error is None and result.read_at is not None:
        console.print(
            f"[bold]{escape(result.device)}[/] ({escape(result.host)}, {result.platform}), "
            f"read at {utc_text(result.read_at)}",
            highlight=False,
        )
        table = _table(
            "tunnel",
            "peer",
            "state",
            "meant to be",
            "encaps",
            "decaps",
            "errors",
            "in SPI",
            "out SPI",
            "left",
            "kB left",
        )
        for tunnel in result.tunnels:
            out = tunnel.outbound
            table.add_row(
                escape(tunnel.name),
                tunnel.current_peer or tunnel.peer,
                result.status_of(tunnel).value,
                tunnel.purpose.intent.value,
                _text(tunnel.flow.encaps_packets),
                _text(tunnel.flow.decaps_packets),
                f"{_text(tunnel.flow.send_errors)}/{_text(tunnel.flow.recv_errors)}",
                _spi(tunnel.inbound),
                _spi(out),
                _seconds(out.remaining_seconds if out else None),
                _text(out.remaining_kilobytes if out else None),
            )
        if result.tunnels:
            _print_table(console, table)
        else:
            console.print("no tunnels")
        for peer in result.ike_peers:
            states = ", ".join(f"{sa.raw_state} {sa.status or ''}".strip() for sa in peer.sas)
            console.print(f"IKE with {peer.peer}: {states or 'no SA'}", highlight=False)
        if result.sa_lifetime is not None:
            console.print(_lifetime(result.sa_lifetime), highlight=False)
        for output in result.unparsed:
            for line in output.lines:
                console.print(
                    escape(f"not understood, {output.command} line {line.line_no}: {line.text!r}"),
                    highlight=False,
                )
        console.print()


def _lifetime(lifetime: SaLifetime) -> str:
    volume = "no volume limit" if lifetime.kilobytes is None else f"{lifetime.kilobytes} kilobytes"
    return f"lifetime of new SAs: {lifetime.seconds} s, {volume}"


def _text(value: object) -> str:
    return "-" if value is None or value == "" else str(value)


def _seconds(value: int | None) -> str:
    return "-" if value is None else f"{value} s"


def _spi(sa: IpsecSa | None) -> str:
    return "-" if sa is None or sa.spi is None else spi_hex(sa.spi)


# --- tables of records ---------------------------------------------------------------------------------------


def print_tables(reading: LogReading) -> None:
    """Each result as tables, one for each kind of record; several results with a title each."""
    console = _console()
    results = [one for one in reading.outcomes if one.result is not None]
    for index, outcome in enumerate(results):
        if len(reading.outcomes) > 1:
            console.print(f"[bold]{escape(_title(outcome))}[/]", highlight=False)
        if outcome.result is not None:
            _print_result(console, outcome.result)
        if index + 1 < len(results):
            console.print()


def _title(outcome: Outcome) -> str:
    platform = platform_name(outcome.platform) if outcome.platform else "unknown"
    host = f"{outcome.answer.host}, " if outcome.answer.host else ""
    return f"{outcome.command} ({host}{platform}, line {outcome.answer.first_line})"


def _print_result(console: Console, result: ParseResult) -> None:
    kinds: dict[type, list[Any]] = {}
    for record in result.records:
        for one in parts(record) if isinstance(record, RunningCrypto) else (record,):
            kinds.setdefault(type(one), []).append(one)
    for kind, records in kinds.items():
        if kind is SaLifetime:
            for record in records:
                console.print(_lifetime(record), highlight=False)
            continue
        if len(kinds) > 1:
            console.print(f"{kind.__name__}:", highlight=False)
        _print_table(console, _records_table(records))
    if not result.records:
        console.print(f"{result.command}: nothing listed", highlight=False)
    for line in result.unparsed_lines:
        console.print(
            escape(f"not understood, line {line.line_no}: {line.text!r}"), highlight=False
        )


_Column = tuple[str, Callable[[Any], object]]


def _flow_errors(flow: Flow) -> str:
    return f"{_text(flow.send_errors)}/{_text(flow.recv_errors)}"


def _flow_left(flow: Flow) -> str:
    outbound = sa_in_use(flow, Direction.OUTBOUND)
    return _seconds(outbound.remaining_seconds if outbound else None)


_COLUMNS: dict[type, tuple[_Column, ...]] = {
    Flow: (
        ("map", lambda flow: flow.crypto_map or flow.interface),
        ("local", lambda flow: flow.local_ident),
        ("remote", lambda flow: flow.remote_ident),
        ("peer", lambda flow: flow.peer or flow.remote_endpoint),
        ("vrf", lambda flow: flow.protected_vrf),
        ("encaps", lambda flow: flow.encaps_packets),
        ("decaps", lambda flow: flow.decaps_packets),
        ("errors", _flow_errors),
        ("SAs", lambda flow: len(flow.sas)),
        (
            "out SPI",
            lambda flow: (
                None if flow.current_outbound_spi is None else spi_hex(flow.current_outbound_spi)
            ),
        ),
        ("left", _flow_left),
    ),
    IkeSa: (
        ("destination", lambda sa: sa.destination),
        ("source", lambda sa: sa.source),
        ("local", lambda sa: sa.local),
        ("remote", lambda sa: sa.remote),
        ("IKE", lambda sa: None if sa.version == 1 else sa.version),
        ("state", lambda sa: sa.raw_state),
        ("conn-id", lambda sa: sa.conn_id),
        ("status", lambda sa: sa.status),
        ("role", lambda sa: sa.role),
        ("encryption", lambda sa: sa.encryption),
        ("hash", lambda sa: sa.hash),
        ("DH", lambda sa: sa.dh_group),
        ("left", lambda sa: _seconds(sa.remaining_seconds)),
        ("vrf", lambda sa: sa.vrf),
        ("profile", lambda sa: sa.profile),
        ("children", lambda sa: len(sa.child_selectors) or None),
    ),
    Ikev2Session: (
        ("session", lambda session: session.session_id),
        ("status", lambda session: session.status),
        ("local", lambda session: cell(tuple(sa.local for sa in session.ike_sas))),
        ("remote", lambda session: cell(tuple(sa.remote for sa in session.ike_sas))),
        ("state", lambda session: cell(tuple(sa.raw_state for sa in session.ike_sas))),
        ("IKE SAs", lambda session: session.ike_count),
        ("child SAs", lambda session: session.child_count),
    ),
    CryptoSession: (
        ("interface", lambda session: session.interface),
        ("peer", lambda session: session.peer),
        ("status", lambda session: session.raw_status),
        ("uptime", lambda session: _seconds(session.uptime_seconds)),
        ("user", lambda session: session.username),
        ("id", lambda session: session.phase1_id),
        ("profile", lambda session: session.profile),
        ("fvrf", lambda session: session.fvrf),
        ("vrf", lambda session: session.vrf),
        (
            "IKE",
            lambda session: cell(tuple(f"v{sa.version} {sa.status}" for sa in session.ike_sas)),
        ),
        ("flows", lambda session: len(session.flows) or None),
        ("active SAs", lambda session: _sum(flow.active_sas for flow in session.flows)),
        ("encrypted", lambda session: _sum(flow.encrypted_packets for flow in session.flows)),
        ("decrypted", lambda session: _sum(flow.decrypted_packets for flow in session.flows)),
    ),
    CryptoMapEntry: (
        ("map", lambda entry: entry.name),
        ("seq", lambda entry: entry.sequence),
        ("peers", lambda entry: cell(entry.peers) or entry.dynamic_map),
        ("access list", lambda entry: entry.access_list),
        ("entries", lambda entry: len(entry.access_entries) or None),
        ("transform sets", lambda entry: cell(tuple(one.name for one in entry.transform_sets))),
        ("PFS", lambda entry: entry.dh_group or entry.has_pfs),
        ("lifetime", lambda entry: _seconds(entry.lifetime_seconds)),
        ("kB", lambda entry: entry.lifetime_kilobytes),
        ("interfaces", lambda entry: cell(entry.interfaces)),
        ("incomplete", lambda entry: entry.is_incomplete or None),
    ),
    GdoiGroup: (
        ("group", lambda group: group.name),
        ("identity", lambda group: group.identity),
        ("member", lambda group: group.member),
        ("registration", lambda group: group.registration_status),
        ("with", lambda group: group.registered_with),
        ("re-registers in", lambda group: _seconds(group.reregisters_in_seconds)),
        ("rekeys", lambda group: group.rekeys_received),
        ("KEK left", lambda group: _seconds(group.kek.remaining_seconds if group.kek else None)),
        ("TEKs", lambda group: len(group.teks)),
        ("TEK left", lambda group: _least(one.remaining_seconds for one in group.teks)),
    ),
    VpnSession: (
        ("connection", lambda session: session.connection),
        ("address", lambda session: session.address),
        ("protocol", lambda session: session.protocol),
        ("up", lambda session: _seconds(session.duration_seconds)),
        ("bytes out", lambda session: session.transmitted_bytes),
        ("bytes in", lambda session: session.received_bytes),
        ("IPsec tunnels", lambda session: len(session.ipsec)),
        ("left", lambda session: _least(one.rekey_remaining_seconds for one in session.ipsec)),
    ),
}


def _sum(numbers: Iterable[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


def _least(seconds: Iterable[int | None]) -> str:
    return _seconds(min((number for number in seconds if number is not None), default=None))


def _records_table(records: Sequence[Any]) -> Table:
    """Chosen columns where we know what matters, otherwise every field that says something; never an empty column."""
    columns = _COLUMNS.get(records[0].__class__)
    rows: list[dict[str, str]]
    if columns is not None:
        rows = [{title: _text(read(record)) for title, read in columns} for record in records]
    elif (part_rows := _PART_ROWS.get(records[0].__class__)) is not None:
        rows = [row for record in records for row in part_rows(record)]
    else:
        rows = [
            {name.replace("_", " "): _text(value) for name, value in _fields(record).items()}
            for record in records
        ]
    titles = [t for t in rows[0] if any(row[t] not in ("-", "-/-", "false") for row in rows)]
    table = _table(*titles)
    for row in rows:
        table.add_row(*(escape(row[title]) for title in titles))
    return table


def _entry_rows(access_list: AccessList) -> Iterator[dict[str, str]]:
    for entry in access_list.entries:
        yield {
            "list": access_list.name,
            "kind": _text(access_list.kind),
            "seq": _text(entry.sequence),
            "entry": entry.text,
            "hits": _text(entry.hits),
        }
    if not access_list.entries:
        yield {"list": access_list.name, "kind": _text(access_list.kind)} | dict.fromkeys(
            ("seq", "entry", "hits"), "-"
        )


def _fields(record: Any) -> dict[str, str]:
    """The command of a ``CustomRow`` is the title of its table."""
    return flat(record, skip="command" if isinstance(record, CustomRow) else "")


def _count_rows(summary: VpnSessionSummary) -> Iterator[dict[str, str]]:
    for count in summary.counts:
        yield {
            "": f"{'  ' if count.is_part else ''}{count.name}",
            "counted as": count.section,
            "active": _text(count.active),
            "cumulative": _text(count.cumulative),
            "peak": _text(count.peak_concurrent),
            "inactive": _text(count.inactive),
        }
    yield {
        "": "all sessions",
        "counted as": f"load {_text(summary.device_load_percent)} %, capacity {_text(summary.device_capacity)}",
        "active": _text(summary.active_and_inactive),
        "cumulative": _text(summary.cumulative),
        "peak": "-",
        "inactive": "-",
    }


def _autovpn_rows(autovpn: AutoVpn) -> Iterator[dict[str, str]]:
    own = {"device": f"{autovpn.device_number} ({autovpn.role})"}
    for session in autovpn.sessions:
        yield own | {name.replace("_", " "): _text(value) for name, value in flat(session).items()}
    if not autovpn.sessions:
        yield own | {"sessions": "none"}


def _member_rows(cluster: VpnLoadBalancing) -> Iterator[dict[str, str]]:
    loads = {load.address: load for load in cluster.loads}
    for member in cluster.members:
        load = loads.get(member.address)
        yield {
            "cluster": _text(cluster.cluster),
            "member": f"{member.address}{' (this one)' if member.is_local else ''}",
            "role": member.role,
            "priority": _text(member.priority),
            "model": member.model,
            "site-to-site used": _text(load.other_used if load else None),
            "of": _text(load.other_limit if load else None),
            "AnyConnect used": _text(load.anyconnect_used if load else None),
            "of these": _text(load.anyconnect_limit if load else None),
        }


_PART_ROWS: dict[type, Callable[[Any], Iterator[dict[str, str]]]] = {
    AccessList: _entry_rows,
    AutoVpn: _autovpn_rows,
    VpnLoadBalancing: _member_rows,
    VpnSessionSummary: _count_rows,
}


# --- records beside their lines ------------------------------------------------------------------------------


def print_explained(reading: LogReading, registry: Registry = BUILT_IN) -> None:
    """Every line of every answer with its number, and below the lines of a record what was read from them.

    Lines nobody understood carry ``!`` and say so.
    """
    console = _console()
    for outcome in reading.outcomes:
        if outcome.result is None or outcome.platform is None or outcome.command is None:
            continue
        console.print(f"[bold]{escape(_title(outcome))}[/]\n", highlight=False)
        lines = registry.prepared_lines(outcome.platform, outcome.command, outcome.answer.text)
        explained = _Explained(console, outcome.result, lines, outcome.answer.first_line)
        explained.print()


@dataclasses.dataclass(frozen=True, slots=True)
class _Explained:
    console: Console
    result: ParseResult
    lines: Sequence[str]
    first_line: int

    def print(self) -> None:
        result = self.result
        next_line = self.first_line
        last_line = self.first_line + len(self.lines) - 1
        of_kind: dict[str, int] = {}
        spans = list(zip(result.sources, result.records, strict=True))
        for index, (source, record) in enumerate(spans):
            self._print_lines(next_line, source.first_line - 1)
            if index == 0 or spans[index - 1][0] != source:
                self._print_lines(source.first_line, source.last_line)
            next_line = source.last_line + 1
            kind = type(record).__name__
            of_kind[kind] = of_kind.get(kind, 0) + 1
            self._print_record(record, of_kind[kind], source)
        self._print_lines(next_line, last_line)
        if not result.records:
            self.console.print("nothing listed", highlight=False)
        count = len(result.unparsed_lines)
        if count:
            word = "line was" if count == 1 else "lines were"
            self.console.print(f"[red]{count} {word} not understood[/]", highlight=False)
        self.console.print()

    def _print_lines(self, first_line: int, last_line: int) -> None:
        unparsed = {line.line_no for line in self.result.unparsed_lines}
        for line_no in range(first_line, last_line + 1):
            text = self.lines[line_no - self.first_line]
            if not text.strip():
                continue
            if line_no in unparsed:
                line = f"[red]{line_no:>6} ! {escape(text)}   <-- not understood[/]"
            else:
                line = f"[dim]{line_no:>6} |[/] {escape(text)}"
            self.console.print(line, highlight=False, soft_wrap=True)

    def _print_record(self, record: Record, number: int, source: Source) -> None:
        lines = (
            f"line {source.first_line}"
            if source.first_line == source.last_line
            else f"lines {source.first_line} to {source.last_line}"
        )
        self.console.print(
            f"       [bold green]= {type(record).__name__} {number}[/], {lines}", highlight=False
        )
        for text in _fields_text(record, 9):
            self.console.print(escape(text), highlight=False, soft_wrap=True)
        self.console.print()


def _fields_text(record: Any, indent: int) -> Iterator[str]:
    """``name value`` in as many columns as fit, nested records below with a heading each."""
    simple: list[str] = []
    nested: list[tuple[str, Any]] = []
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if value is None or value is False or value == ():
            continue
        if is_record(value):
            nested.append((field.name, value))
        elif is_list(value) and any(is_record(item) for item in value):
            nested += [(f"{field.name} {n}", item) for n, item in enumerate(value, 1)]
        else:
            text = cell(value)
            if field.name == "spi" or field.name.endswith("_spi"):
                text = f"{spi_hex(value)} ({value})"
            simple.append(f"{field.name} = {text}")
    half = (_EXPLAIN_WIDTH - indent) // 2
    waiting = ""
    for text in simple:
        if waiting and len(text) < half:
            yield f"{' ' * indent}{waiting:<{half}}{text}"
            waiting = ""
        elif waiting:
            yield f"{' ' * indent}{waiting}"
            waiting = text if len(text) < half else ""
            if not waiting:
                yield f"{' ' * indent}{text}"
        elif len(text) < half:
            waiting = text
        else:
            yield f"{' ' * indent}{text}"
    if waiting:
        yield f"{' ' * indent}{waiting}"
    for name, item in nested:
        yield f"{' ' * indent}{name}:"
        yield from _fields_text(item, indent + 4)
