"""One device, one poll: ask, read, join. Always returns a ``PollResult``.

This is the one place that catches whatever goes wrong while collecting and turns it into a value: a device that
fails costs itself a reading and nobody else anything.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ipsecmon.commands import AskedCommand, Role, asked, with_role
from ipsecmon.config import Plan, PollTier
from ipsecmon.cpu import CPU_COMMANDS, cpu_percent
from ipsecmon.credentials import CredentialError
from ipsecmon.errors import AnswerTimeout, CollectionError, ConnectionClosed
from ipsecmon.log import one_line
from ipsecmon.model import (
    Event,
    EventKind,
    ExpectedTunnel,
    PollError,
    PollResult,
    RawOutput,
    Reason,
    SessionFacts,
    Stage,
    TunnelState,
    UnparsedOutput,
)
from ipsecmon.sessions import Session, SessionPool, Target
from ipsecmon.sessions.limits import Commands
from ipsecmon.tunnels import Reading, build, with_evidence
from ipsecmon_parsers.errors import CommandRefused, ParserError, Truncated, UnknownCommand
from ipsecmon_parsers.records import (
    CryptoMapEntry,
    Flow,
    IkeSa,
    IkeSaCount,
    IpsecSaCount,
    Platform,
    RunningCrypto,
    SaLifetime,
)
from ipsecmon_parsers.registry import BUILT_IN, ParseResult, Registry

__all__ = ["PolledDevice", "poll_device"]

log = logging.getLogger(__name__)

# What the tables say of a change of the configuration is followed up, but a peer that comes and goes is no change.
_DOUBTFUL_SECONDS = 300.0
_MOST_EVIDENCE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PolledDevice:
    """What a poll must know of a device.

    ``target`` looks its credential up anew at each connect; ``registry`` holds the templates that read its answers.
    """

    name: str
    host: str
    platform: Platform
    interval_seconds: float
    timeout_seconds: float
    target: Callable[[], Target]
    registry: Registry = BUILT_IN
    expected: Sequence[ExpectedTunnel] = ()
    session_age_seconds: float = math.inf
    """A session older than this is opened anew between two polls; 0 keeps none."""
    plan: Plan = field(default_factory=Plan)
    stale_after_seconds: float = math.inf
    """Tables are never left out for so long that the last reading grows older than this."""


def poll_device(
    device: PolledDevice,
    sessions: SessionPool,
    previous: PollResult | None,
    clock: Callable[[], float] = time.time,
    *,
    is_planned: bool = False,
) -> PollResult:
    """Poll ``device`` once, within its deadline, and read its tables; a planned poll reads what its plan says is due.

    A failed poll keeps the tunnels of ``previous`` with the time they were read: what was not read is unknown, not
    down. So does one in which the tables were not due or the device was too busy, but that one is good.
    """
    started_at = clock()
    last = previous or _never_polled(device, started_at)
    try:
        due = _planned(device, last, started_at) if is_planned else _due(device, last, started_at)
        if not due:
            return replace(last, events=())
        heard = _collect(device, sessions, lambda ask: _converse(device, last, due, ask))
        last = _noted(last, heard, due)
        result = _read(device, heard, last) if heard.outputs else last
    except ParserError as error:
        sessions.drop(device.name)
        result = _failed(device, last, error, started_at, is_closing=sessions.is_closed)
    except Exception as error:  # noqa: BLE001 # the edge of a poll: every failure becomes a value
        result = _failed(device, last, error, started_at, is_closing=sessions.is_closed)
    return replace(
        result,
        interval_seconds=device.interval_seconds,
        reading_seconds=device.plan.every.get(PollTier.TABLES),
        started_at=started_at,
        duration_seconds=clock() - started_at,
    )


def _failed(
    device: PolledDevice, last: PollResult, error: Exception, at: float, *, is_closing: bool
) -> PollResult:
    """What was known, with the reason why nothing newer is."""
    failure = _poll_error(device, error)
    if failure.is_unexpected:
        log.log(
            logging.DEBUG if is_closing else logging.ERROR,
            "a fault of ours",
            extra={"device": device.name, "stage": failure.stage.value},
            exc_info=error,
        )
    counts = {**last.errors_total, failure.reason: last.errors_total.get(failure.reason, 0) + 1}
    unread = [failure.command] if failure.command and failure.stage is Stage.PARSE else []
    return replace(
        last,
        error=failure,
        errors_total=counts,
        parse_errors_total=_counted(last, unread),
        events=_unreachable(last, failure, at),
    )


def _counted(last: PollResult, unread: Iterable[str]) -> Mapping[str, int]:
    """The counts of answers that could not be read, with those of this poll."""
    counts = dict(last.parse_errors_total)
    for command in unread:
        counts[command] = counts.get(command, 0) + 1
    return counts


def _unreachable(last: PollResult, failure: PollError, at: float) -> tuple[Event, ...]:
    """Told once, when collecting begins to fail."""
    if last.error is not None:
        return ()
    event = Event(
        kind=EventKind.UNREACHABLE,
        device=last.device,
        tunnel=None,
        at=at,
        detail=f"no reading since here: {failure.cause}",
        facts={"reason": failure.reason.value, "stage": failure.stage.value},
    )
    return (event,)


def _never_polled(device: PolledDevice, at: float) -> PollResult:
    regular = asked(device.platform, PollTier.TABLES, PollTier.CONFIGURATION)
    return PollResult(
        device=device.name,
        host=device.host,
        platform=device.platform,
        interval_seconds=device.interval_seconds,
        started_at=at,
        duration_seconds=0.0,
        read_at=None,
        parse_errors_total=dict.fromkeys((one.command for one in regular), 0),
        errors_total=dict.fromkeys(Reason, 0),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    """What to ask this time."""

    counts: tuple[str, ...]
    """The commands that count, of those the device knows."""
    is_configuration: bool
    is_tables: bool = True
    has_guard: bool = False
    """Leave the tables out if the device is too busy: not where a person asks for them."""

    def __bool__(self) -> bool:
        return self.is_tables or self.is_configuration or bool(self.counts)


def _due(device: PolledDevice, last: PollResult, now: float) -> _Due:
    """The tables, and what else is due with them."""
    every = device.plan.every
    seconds = every.get(PollTier.CONFIGURATION)
    if seconds is not None and last.is_configuration_doubtful:
        seconds = min(seconds, _DOUBTFUL_SECONDS)
    is_due = seconds is not None and _is_older(last.configuration_read_at, seconds, now)
    counts = (
        _known(device, last, [PollTier.COUNTS], is_due=is_due) if PollTier.COUNTS in every else ()
    )
    return _Due(counts=counts, is_configuration=is_due)


def _planned(device: PolledDevice, last: PollResult, now: float) -> _Due:
    """By the plan; but what was never read, or not well, is due whatever the plan says."""
    due = _due(device, last, now)
    every = device.plan.every
    is_tables = (
        PollTier.COUNTS not in every
        or not last.is_good
        or bool(due.counts and not last.counts)
        # polls come at the pace of the fastest tier, a little sooner or later
        or _is_older(
            last.read_at,
            every.get(PollTier.TABLES, math.inf) - device.plan.shortest_seconds / 2,
            now,
        )
    )
    return replace(due, is_tables=is_tables, has_guard=device.plan.cpu_limit_percent is not None)


def _is_older(at: float | None, seconds: float, now: float) -> bool:
    """Whether so long has gone by since, or nobody knows: never read, or the clock was set back."""
    return at is None or not 0 <= now - at < seconds


Ask = Callable[[str], RawOutput]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heard:
    """What a device said in one poll. Without ``outputs`` the tables were not asked for."""

    outputs: Sequence[RawOutput] = ()
    counts: tuple[IkeSaCount | IpsecSaCount, ...] = ()
    refused: frozenset[str] = frozenset()
    """Commands beside the tables that were not answered so that we understand."""
    cpu_percent: int | None = None
    is_skipped: bool = False
    """The device was too busy for its tables."""
    answered_at: float | None = None
    session: SessionFacts | None = None


def _converse(device: PolledDevice, last: PollResult, due: _Due, ask: Ask) -> _Heard:
    """Counts first: where they changed the tables are read before their time."""
    heard = _count(device, due, ask)
    has_changed = bool(due.counts) and _numbers(heard.counts) != _numbers(last.counts)
    if not (has_changed or due.is_tables or due.is_configuration):
        return heard
    if due.has_guard:
        heard = _with_cpu(device, last, due, heard, ask)
    if heard.is_skipped:
        return heard
    commands = _commands(device, last, is_due=due.is_configuration)
    return replace(heard, outputs=[ask(command) for command in commands])


def _count(device: PolledDevice, due: _Due, ask: Ask) -> _Heard:
    """What the device counts itself."""
    counts: list[IkeSaCount | IpsecSaCount] = []
    refused: set[str] = set()
    for command in due.counts:
        text = ask(command).text
        try:
            parsed = device.registry.parse(device.platform, command, text, complete=True)
        except ParserError as error:
            refused.add(command)
            log.debug("%s", error, extra={"device": device.name, "stage": Stage.PARSE.value})
        else:
            counts += [one for one in parsed.records if isinstance(one, IkeSaCount | IpsecSaCount)]
    return _Heard(counts=tuple(counts), refused=frozenset(refused))


def _numbers(counts: Iterable[IkeSaCount | IpsecSaCount]) -> list[int | None]:
    """Of all that is counted, what changes when a tunnel comes up or goes down."""
    return [count.active for count in counts]


def _with_cpu(device: PolledDevice, last: PollResult, due: _Due, heard: _Heard, ask: Ask) -> _Heard:
    """With the load of the device, and whether it is too busy for its tables now.

    One whose last reading would grow stale by that is read nevertheless, and so is one without a good reading.
    """
    limit = device.plan.cpu_limit_percent
    command = CPU_COMMANDS[device.platform]
    is_known = command not in last.refused_commands
    if limit is None or not (is_known or due.is_configuration):
        return heard
    output = ask(command)
    percent = cpu_percent(output.text)
    if percent is None:
        log.log(
            logging.WARNING if is_known else logging.DEBUG,
            "no load was found in the answer to %r: the tables are read however busy the device is; "
            "permit the command, or set cpu_limit: off",
            command,
            extra={"device": device.name, "stage": Stage.COMMAND.value},
        )
        return replace(heard, refused=heard.refused | {command})
    is_skipped = False
    if percent > limit and last.is_good and last.read_at is not None:
        next_age = output.ended_at - last.read_at + 1.25 * device.plan.shortest_seconds
        is_skipped = next_age <= device.stale_after_seconds
    if is_skipped:
        log.info(
            "the tables are left out: the CPU is at %d %%, cpu_limit is %d %%",
            percent,
            limit,
            extra={"device": device.name, "stage": Stage.COMMAND.value},
        )
    return replace(heard, cpu_percent=percent, is_skipped=is_skipped)


def _noted(last: PollResult, heard: _Heard, due: _Due) -> PollResult:
    """``last`` with what was heard beside the tables, and nothing new of the tunnels."""
    known = frozenset[str]() if heard.outputs and due.is_configuration else last.refused_commands
    return replace(
        last,
        events=(),
        # a change that was not followed up yet is one at the next poll too
        counts=last.counts if heard.is_skipped else heard.counts,
        refused_commands=known | heard.refused,
        cpu_percent=heard.cpu_percent,
        skipped_for_cpu_total=last.skipped_for_cpu_total + heard.is_skipped,
        answered_at=heard.answered_at or last.answered_at,
        session=heard.session or last.session,
    )


def _known(
    device: PolledDevice, last: PollResult, tiers: Sequence[PollTier], *, is_due: bool
) -> tuple[str, ...]:
    """The commands of these tiers that the device knows; one it refused is tried again with the configuration."""
    return tuple(
        one.command
        for one in asked(device.platform, *tiers)
        if (is_due or one.command not in last.refused_commands)
        and _is_readable(device, one.command)
    )


def _commands(device: PolledDevice, last: PollResult, *, is_due: bool) -> tuple[str, ...]:
    """The tables to ask for, and the configuration if it is due."""
    tiers = [PollTier.TABLES, PollTier.CONFIGURATION] if is_due else [PollTier.TABLES]
    return _known(device, last, tiers, is_due=is_due)


def _is_readable(device: PolledDevice, command: str) -> bool:
    try:
        device.registry.spelled_out(device.platform, command)
    except UnknownCommand:
        return False
    return True


class _Conversation:
    """A session under the deadline of its poll."""

    def __init__(
        self, device: PolledDevice, session: Session, commands: Commands, deadline: float
    ) -> None:
        self.answered_at: float | None = None
        self._device = device
        self._session = session
        self._commands = commands
        self._deadline = deadline

    def ask(self, command: str) -> RawOutput:
        with self._commands.slot(_left(self._deadline, self._device)) as left:
            output = self._session.run(command, left)
        self.answered_at = output.ended_at
        return output


def _collect(
    device: PolledDevice, sessions: SessionPool, converse: Callable[[Ask], _Heard]
) -> _Heard:
    """All answers of one poll, complete, in one session. Waiting for leave to log in takes nothing from its time."""
    deadline = time.monotonic() + device.timeout_seconds
    for attempt in (1, 2):
        talk: _Conversation | None = None
        lease = sessions.lease(
            device.name, device.target, _left(deadline, device), device.session_age_seconds
        )
        try:
            with lease as session:
                deadline += lease.login_wait_seconds
                talk = _Conversation(device, session, sessions.commands, deadline)
                heard = converse(talk.ask)
                return replace(heard, answered_at=talk.answered_at, session=session.facts)
        except ConnectionClosed:
            # a session kept from the last poll may have been closed by the device unnoticed; a fresh one may not
            has_answered = talk is not None and talk.answered_at is not None
            if attempt == 2 or has_answered or not lease.was_reused:
                raise
    raise AssertionError("unreachable: the second attempt returns or raises")


def _left(deadline: float, device: PolledDevice) -> float:
    """Seconds left of this poll; none left is an error of its own, nothing is started any more."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise AnswerTimeout(
            f"the poll was not done within {device.timeout_seconds:g} s; raise its timeout or its interval"
        )
    return left


def _read(device: PolledDevice, heard: _Heard, last: PollResult) -> PollResult:
    """Records of every answer, joined with what we knew."""
    outputs = heard.outputs
    configuration = {one.command for one in asked(device.platform, PollTier.CONFIGURATION)}
    is_due = any(output.command in configuration for output in outputs)
    readings, refused, unread = _parse(device, outputs, last, is_due=is_due)
    listed_by = with_role(device.platform, Role.FLOWS)[0].command
    listing = readings[listed_by]
    flows = [
        (r, s) for r, s in zip(listing.records, listing.sources, strict=True) if isinstance(r, Flow)
    ]
    ike_sas = [
        record
        for result in _answers(device, readings, Role.IKE_SAS)
        for record in result.records
        if isinstance(record, IkeSa)
    ]
    # an answer that was not given or not understood changes nothing
    lifetimes = _answers(device, readings, Role.LIFETIME)
    lifetime = _lifetime(lifetimes) if lifetimes else last.sa_lifetime
    crypto_maps = _answers(device, readings, Role.CRYPTO_MAP)
    crypto_map = _crypto_map(crypto_maps) if crypto_maps else last.crypto_map
    read_at = next(output.ended_at for output in outputs if output.command == listed_by)
    reading = build(
        Reading(
            at=read_at,
            flows=[flow for flow, _ in flows],
            ike_sas=ike_sas,
            lifetime=lifetime,
            crypto_map=crypto_map,
            lines=[(source.first_line, source.last_line) for _, source in flows],
        ),
        last,
        device.expected,
    )
    events = with_evidence(reading.events, reading.tunnels, outputs, last)
    return replace(
        last,
        read_at=read_at,
        tunnels=reading.tunnels,
        ike_peers=reading.ike_peers,
        unmatched_ike_sas=reading.unmatched_ike_sas,
        sa_lifetime=lifetime,
        crypto_map=crypto_map,
        configuration_read_at=read_at if is_due else last.configuration_read_at,
        is_configuration_doubtful=not is_due
        and (
            last.is_configuration_doubtful
            or _is_doubtful(last, [flow for flow, _ in flows], reading.events)
        ),
        refused_commands=last.refused_commands | refused,
        answered_commands=last.answered_commands.union(readings) - refused,
        highest_conn_ids=reading.highest_conn_ids,
        events=(*_reachable(last, reading.tunnels, read_at), *events),
        outputs=tuple(outputs),
        unparsed=tuple(
            UnparsedOutput(command=command, lines=result.unparsed_lines)
            for command, result in readings.items()
            if result.unparsed_lines
        ),
        parse_errors_total=_counted(last, unread) if unread else last.parse_errors_total,
        error=None,
    )


def _is_doubtful(last: PollResult, flows: Iterable[Flow], events: Iterable[Event]) -> bool:
    """Whether an entry of a crypto map, or a peer, came or went, or the device started anew."""
    if last.read_at is None:
        return False
    before = (tunnel.flow for tunnel in last.tunnels if tunnel.is_listed)
    return _entries(before) != _entries(flows) or any(
        event.kind is EventKind.RELOAD for event in events
    )


def _entries(flows: Iterable[Flow]) -> set[tuple[str | None, int | None, str | None]]:
    return {(flow.crypto_map, flow.crypto_map_seq, flow.peer) for flow in flows}


def _answers(
    device: PolledDevice, readings: Mapping[str, ParseResult], role: Role
) -> list[ParseResult]:
    """The answers read for ``role`` that were given and understood."""
    commands = [one.command for one in with_role(device.platform, role)]
    return [readings[command] for command in commands if command in readings]


def _lifetime(answers: Sequence[ParseResult]) -> SaLifetime | None:
    """What the device gives new SAs."""
    records = (record for answer in answers for record in answer.records)
    return next((record for record in records if isinstance(record, SaLifetime)), None)


def _crypto_map(answers: Sequence[ParseResult]) -> tuple[CryptoMapEntry, ...]:
    """The entries, printed by a command of their own or as lines of the configuration."""
    entries: list[CryptoMapEntry] = []
    for record in (record for answer in answers for record in answer.records):
        if isinstance(record, CryptoMapEntry):
            entries.append(record)
        elif isinstance(record, RunningCrypto):
            entries += record.crypto_maps
    return tuple(entries)


def _reachable(last: PollResult, tunnels: Sequence[TunnelState], at: float) -> tuple[Event, ...]:
    """Told once, when a device is read for the first time, and when one that could not be read is read again."""
    up = sum(tunnel.status.is_up for tunnel in tunnels)
    facts: dict[str, str | float | None] = {"tunnels": len(tunnels), "up": up}
    if last.read_at is None:
        detail = f"first reading: {len(tunnels)} tunnel{'' if len(tunnels) == 1 else 's'}, {up} up"
    elif last.error is not None:
        gap = at - last.read_at
        detail = f"read again, after {gap:.0f} s without a reading"
        facts["gap_seconds"] = gap
    else:
        return ()
    event = Event(
        kind=EventKind.REACHABLE, device=last.device, tunnel=None, at=at, detail=detail, facts=facts
    )
    return (event,)


def _parse(
    device: PolledDevice, outputs: Sequence[RawOutput], last: PollResult, *, is_due: bool
) -> tuple[Mapping[str, ParseResult], frozenset[str], list[str]]:
    """What was read of each answer, the commands that gave none, and those of them whose answer could not be read.

    One that every poll needs raises its error, and so does a table of IKE SAs that was cut, garbled or answered before.
    """
    readings: dict[str, ParseResult] = {}
    failed: set[str] = set()
    unread: list[str] = []
    no_table: ParserError | None = None
    known = {one.command: one for one in asked(device.platform)}
    for output in outputs:
        command = known[output.command]
        try:
            readings[output.command] = device.registry.parse(
                device.platform, output.command, output.text, complete=True
            )
        except ParserError as error:
            if command.role is Role.FLOWS:
                raise
            if command.role is Role.IKE_SAS:
                if not _may_be_unknown(command, error, last, is_due=is_due):
                    raise
                no_table = no_table or error
            failed.add(output.command)
            if not isinstance(error, CommandRefused):
                unread.append(output.command)
            log.debug("%s", error, extra={"device": device.name, "stage": Stage.PARSE.value})
    if no_table is not None and not _answers(device, readings, Role.IKE_SAS):
        raise no_table
    return readings, frozenset(failed), unread


def _may_be_unknown(
    command: AskedCommand, error: ParserError, last: PollResult, *, is_due: bool
) -> bool:
    """A release that does not know a command refuses it, from the first time on or since it was changed.

    After an answer a refusal is believed only when the configuration is due again, and of a table that held nothing.
    """
    if not isinstance(error, CommandRefused):
        return False
    held = any(
        sa.version in command.ike_versions and sa.is_established
        for peer in last.ike_peers
        for sa in peer.sas
    )
    return command.command not in last.answered_commands or (is_due and not held)


def _poll_error(device: PolledDevice, error: Exception) -> PollError:
    stage, reason, command = _place(error)
    cause = str(error)
    is_unexpected = reason is Reason.OTHER and not isinstance(error, CollectionError)
    if is_unexpected:
        cause = f"unexpected {type(error).__name__}: {error}; please report it with the log"
    return PollError(
        device=device.name,
        stage=stage,
        reason=reason,
        cause=cause,
        command=command,
        is_unexpected=is_unexpected,
        is_attempt=_is_attempt(error),
        evidence=_evidence(error),
    )


def _is_attempt(error: Exception) -> bool:
    """Whether the device was tried: a Vault that is down must not put those to rest that need it."""
    if isinstance(error, CollectionError):
        return error.is_attempt
    return not isinstance(error, CredentialError)


def _evidence(error: Exception) -> str:
    """What came from the device, as far as it says why."""
    match error:
        case CollectionError():
            return error.evidence
        case CommandRefused():
            return one_line(error.answer)[:_MOST_EVIDENCE]
        case Truncated():
            return one_line(error.line)[:_MOST_EVIDENCE]
        case _:
            return ""


def _place(error: Exception) -> tuple[Stage, Reason, str | None]:
    """Stage, reason and command of any failure of a poll."""
    match error:
        case CollectionError():
            return error.stage, error.reason, error.command
        case CredentialError():
            return Stage.AUTH, Reason.AUTH, None
        case CommandRefused():
            return Stage.COMMAND, Reason.REFUSED, error.command
        case Truncated():
            return Stage.PARSE, Reason.TRUNCATED, error.command
        case ParserError():
            return Stage.PARSE, Reason.PARSE, error.command
        case _:
            return Stage.PARSE, Reason.OTHER, None
