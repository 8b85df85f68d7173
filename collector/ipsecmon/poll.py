"""One device, one poll: ask, read, join. Always returns a ``PollResult``.

This is the one place that catches whatever goes wrong while collecting and turns it into a value: a device that
fails costs itself a reading and nobody else anything.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ipsecmon.credentials import CredentialError
from ipsecmon.errors import AnswerTimeout, CollectionError, ConnectionClosed
from ipsecmon.model import PollError, PollResult, RawOutput, Reason, Stage, UnparsedOutput
from ipsecmon.sessions import SessionPool, Target
from ipsecmon.tunnels import build
from ipsecmon_parsers.errors import CommandRefused, ParserError, Truncated
from ipsecmon_parsers.records import Flow, IkeSa, Platform, SaLifetime
from ipsecmon_parsers.registry import (
    BUILT_IN,
    SHOW_IPSEC_SA,
    SHOW_ISAKMP_SA,
    SHOW_SA_LIFETIME,
    ParseResult,
    Registry,
)

__all__ = ["PolledDevice", "poll_device"]

log = logging.getLogger(__name__)

_COMMANDS = (SHOW_ISAKMP_SA, SHOW_IPSEC_SA, SHOW_SA_LIFETIME)
# Nothing but the classification of rekeys needs the configured lifetime, and some releases refuse the command.
_OPTIONAL = frozenset({SHOW_SA_LIFETIME})


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
        outputs = _collect(device, sessions)
        result = _read(device, outputs, last)
    except ParserError as error:
        sessions.drop(device.name)
        result = _failed(device, last, error, is_closing=sessions.is_closed)
    except Exception as error:  # noqa: BLE001 # the edge of a poll: every failure becomes a value
        result = _failed(device, last, error, is_closing=sessions.is_closed)
    return replace(
        result,
        interval_seconds=device.interval_seconds,
        started_at=started_at,
        duration_seconds=clock() - started_at,
    )


def _failed(
    device: PolledDevice, last: PollResult, error: Exception, *, is_closing: bool
) -> PollResult:
    """What was known, with the reason why nothing newer is."""
    failure = _poll_error(device, error)
    log.log(
        logging.DEBUG if is_closing else logging.WARNING,
        "%s",
        failure.cause,
        extra={"device": device.name, "stage": failure.stage.value},
        exc_info=error if failure.is_unexpected else None,
    )
    counts = {**last.errors_total, failure.reason: last.errors_total[failure.reason] + 1}
    return replace(last, error=failure, errors_total=counts, events=())


def _never_polled(device: PolledDevice, at: float) -> PollResult:
    return PollResult(
        device=device.name,
        host=device.host,
        platform=device.platform,
        interval_seconds=device.interval_seconds,
        started_at=at,
        duration_seconds=0.0,
        read_at=None,
        errors_total=dict.fromkeys(Reason, 0),
    )


def _collect(device: PolledDevice, sessions: SessionPool) -> list[RawOutput]:
    """All answers of one poll, complete, in one session."""
    deadline = time.monotonic() + device.timeout_seconds
    for attempt in (1, 2):
        outputs: list[RawOutput] = []
        lease = sessions.lease(device.name, device.target, _left(deadline, device))
        try:
            with lease as session:
                for command in _COMMANDS:
                    left = _left(deadline, device)
                    outputs.append(session.run(command, left))  # a part of them decides below
        except ConnectionClosed:
            # a session kept from the last poll may have been closed by the device unnoticed; a fresh one may not
            if attempt == 2 or outputs or not lease.was_reused:
                raise
        else:
            return outputs
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
    readings = _parse(device, outputs)
    flows = [r for r in readings[SHOW_IPSEC_SA].records if isinstance(r, Flow)]
    ike_sas = [r for r in readings[SHOW_ISAKMP_SA].records if isinstance(r, IkeSa)]
    lifetime_reading = readings.get(SHOW_SA_LIFETIME)
    lifetimes = lifetime_reading.records if lifetime_reading else ()
    lifetime = next((r for r in lifetimes if isinstance(r, SaLifetime)), None)
    read_at = next(output.ended_at for output in outputs if output.command == SHOW_IPSEC_SA)
    reading = build(
        device=device.name,
        device_address=device.host,
        flows=flows,
        ike_sas=ike_sas,
        lifetime=lifetime,
        previous=last.tunnels,
        at=read_at,
    )
    return replace(
        last,
        read_at=read_at,
        tunnels=reading.tunnels,
        ike_peers=reading.ike_peers,
        unmatched_ike_sas=reading.unmatched_ike_sas,
        sa_lifetime=lifetime,
        events=reading.events,
        outputs=tuple(outputs),
        unparsed=tuple(
            UnparsedOutput(command=command, lines=result.unparsed_lines)
            for command, result in readings.items()
            if result.unparsed_lines
        ),
        error=None,
    )


def _parse(device: PolledDevice, outputs: list[RawOutput]) -> Mapping[str, ParseResult]:
    readings: dict[str, ParseResult] = {}
    for output in outputs:
        try:
            readings[output.command] = device.registry.parse(
                device.platform, output.command, output.text, complete=True
            )
        except ParserError as error:
            if output.command not in _OPTIONAL:
                raise
            log.debug("%s", error, extra={"device": device.name, "stage": Stage.PARSE.value})
    return readings


def _poll_error(device: PolledDevice, error: Exception) -> PollError:
    stage, reason, command = _place(error)
    cause = str(error)
    is_unexpected = reason is Reason.OTHER and not isinstance(error, CollectionError)
    if is_unexpected:
        cause = f"unexpected {type(error).__name__}: {error}; please report it with the log"
    return PollError(device=device.name, stage=stage, reason=reason, cause=cause, command=command)


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
