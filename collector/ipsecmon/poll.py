"""One device, one poll: ask, read, join. Always returns a ``PollResult``.

This is the one place that catches whatever goes wrong while collecting and turns it into a value: a device that
fails costs itself a reading and nobody else anything.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

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
from ipsecmon.sessions import SessionPool, Target
from ipsecmon.tunnels import Reading, build, with_evidence
from ipsecmon_parsers.errors import CommandRefused, ParserError, Truncated, UnknownCommand
from ipsecmon_parsers.records import CryptoMapEntry, Flow, IkeSa, Platform, SaLifetime
from ipsecmon_parsers.registry import (
    BUILT_IN,
    SHOW_CRYPTO_MAP,
    SHOW_IKEV2_SA,
    SHOW_IPSEC_SA,
    SHOW_ISAKMP_SA,
    SHOW_SA_LIFETIME,
    ParseResult,
    Registry,
)

__all__ = ["PolledDevice", "poll_device"]

log = logging.getLogger(__name__)

# Every poll asks these. Without the IPsec SAs there is no reading; either table of IKE SAs may be unknown to a release,
# but one that answered once must go on answering: what is refused, cut or garbled is not an empty table.
_ALWAYS = (SHOW_IPSEC_SA,)
_IKE_TABLES = (SHOW_ISAKMP_SA, SHOW_IKEV2_SA)
_EVERY_POLL = (SHOW_ISAKMP_SA, SHOW_IPSEC_SA, SHOW_IKEV2_SA)
# What changes when somebody configures something is read now and then.
_CONFIGURATION = (SHOW_SA_LIFETIME, SHOW_CRYPTO_MAP)
_CONFIGURATION_SECONDS = 3600.0
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


def poll_device(
    device: PolledDevice,
    sessions: SessionPool,
    previous: PollResult | None,
    clock: Callable[[], float] = time.time,
) -> PollResult:
    """Poll ``device`` once, within its deadline.

    A failed poll keeps the tunnels of ``previous`` with the time they were read: what was not read is unknown, not
    down.
    """
    started_at = clock()
    last = previous or _never_polled(device, started_at)
    try:
        commands = _commands(device, last, started_at)
        outputs, facts = _collect(device, sessions, commands)
        last = replace(last, session=facts)
        result = _read(device, outputs, last)
    except ParserError as error:
        sessions.drop(device.name)
        result = _failed(device, last, error, started_at, is_closing=sessions.is_closed)
    except Exception as error:  # noqa: BLE001 # the edge of a poll: every failure becomes a value
        result = _failed(device, last, error, started_at, is_closing=sessions.is_closed)
    return replace(
        result,
        interval_seconds=device.interval_seconds,
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
    return PollResult(
        device=device.name,
        host=device.host,
        platform=device.platform,
        interval_seconds=device.interval_seconds,
        started_at=at,
        duration_seconds=0.0,
        read_at=None,
        parse_errors_total=dict.fromkeys((*_EVERY_POLL, *_CONFIGURATION), 0),
        errors_total=dict.fromkeys(Reason, 0),
    )


def _commands(device: PolledDevice, last: PollResult, now: float) -> tuple[str, ...]:
    """What to ask this time; a command the device refused is tried again when the configuration is read again."""
    wanted = [*_EVERY_POLL]
    read_at = last.configuration_read_at
    is_due = read_at is None or not 0 <= now - read_at < _CONFIGURATION_SECONDS
    if is_due:
        wanted += _CONFIGURATION
    return tuple(
        command
        for command in wanted
        if (is_due or command not in last.refused_commands) and _is_readable(device, command)
    )


def _is_readable(device: PolledDevice, command: str) -> bool:
    try:
        device.registry.spelled_out(device.platform, command)
    except UnknownCommand:
        return False
    return True


def _collect(
    device: PolledDevice, sessions: SessionPool, commands: Sequence[str]
) -> tuple[list[RawOutput], SessionFacts | None]:
    """All answers of one poll, complete, in one session, and what is known of that session."""
    deadline = time.monotonic() + device.timeout_seconds
    for attempt in (1, 2):
        outputs: list[RawOutput] = []
        lease = sessions.lease(device.name, device.target, _left(deadline, device))
        try:
            with lease as session:
                for command in commands:
                    left = _left(deadline, device)
                    outputs.append(session.run(command, left))  # a part of them decides below
                facts = session.facts
        except ConnectionClosed:
            # a session kept from the last poll may have been closed by the device unnoticed; a fresh one may not
            if attempt == 2 or outputs or not lease.was_reused:
                raise
        else:
            return outputs, facts
    raise AssertionError("unreachable: the second attempt returns or raises")


def _left(deadline: float, device: PolledDevice) -> float:
    """Seconds left of this poll; none left is an error of its own, nothing is started any more."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise AnswerTimeout(
            f"the poll was not done within {device.timeout_seconds:g} s; raise its timeout or its interval"
        )
    return left


def _read(device: PolledDevice, outputs: list[RawOutput], last: PollResult) -> PollResult:
    """Records of every answer, joined with what we knew."""
    is_due = any(output.command in _CONFIGURATION for output in outputs)
    readings, refused, unread = _parse(device, outputs, last, is_due=is_due)
    listing = readings[SHOW_IPSEC_SA]
    flows = [
        (r, s) for r, s in zip(listing.records, listing.sources, strict=True) if isinstance(r, Flow)
    ]
    ike_sas = [
        record
        for table in _IKE_TABLES
        if table in readings
        for record in readings[table].records
        if isinstance(record, IkeSa)
    ]
    # an answer that was not given or not understood changes nothing
    lifetime = _lifetime(readings) if SHOW_SA_LIFETIME in readings else last.sa_lifetime
    crypto_map = _crypto_map(readings) if SHOW_CRYPTO_MAP in readings else last.crypto_map
    read_at = next(output.ended_at for output in outputs if output.command == SHOW_IPSEC_SA)
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
        refused_commands=refused if is_due else last.refused_commands | refused,
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


def _lifetime(readings: Mapping[str, ParseResult]) -> SaLifetime | None:
    found = readings.get(SHOW_SA_LIFETIME)
    records = found.records if found else ()
    return next((record for record in records if isinstance(record, SaLifetime)), None)


def _crypto_map(readings: Mapping[str, ParseResult]) -> tuple[CryptoMapEntry, ...]:
    found = readings.get(SHOW_CRYPTO_MAP)
    records = found.records if found else ()
    return tuple(record for record in records if isinstance(record, CryptoMapEntry))


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
    device: PolledDevice, outputs: list[RawOutput], last: PollResult, *, is_due: bool
) -> tuple[Mapping[str, ParseResult], frozenset[str], list[str]]:
    """What was read of each answer, the commands that gave none, and those of them whose answer could not be read.

    One that every poll needs raises its error, and so does a table of IKE SAs that was cut, garbled or answered before.
    """
    readings: dict[str, ParseResult] = {}
    failed: set[str] = set()
    unread: list[str] = []
    no_table: ParserError | None = None
    for output in outputs:
        try:
            readings[output.command] = device.registry.parse(
                device.platform, output.command, output.text, complete=True
            )
        except ParserError as error:
            if output.command in _ALWAYS or (
                output.command in _IKE_TABLES
                and not _may_be_unknown(output.command, error, last, is_due=is_due)
            ):
                raise
            if output.command == SHOW_ISAKMP_SA:
                no_table = error
            failed.add(output.command)
            if not isinstance(error, CommandRefused):
                unread.append(output.command)
            log.debug("%s", error, extra={"device": device.name, "stage": Stage.PARSE.value})
    if no_table is not None and SHOW_IKEV2_SA not in readings:
        raise no_table
    return readings, frozenset(failed), unread


def _may_be_unknown(command: str, error: ParserError, last: PollResult, *, is_due: bool) -> bool:
    """A release that does not know a command refuses it, from the first time on or since it was changed.

    After an answer a refusal is believed only when the configuration is due again, and of a table that held nothing.
    """
    if not isinstance(error, CommandRefused):
        return False
    version = 2 if command == SHOW_IKEV2_SA else 1
    held = any(
        sa.version == version and sa.is_established for peer in last.ike_peers for sa in peer.sas
    )
    return command not in last.answered_commands or (is_due and not held)


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
        evidence=_evidence(error),
    )


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
