"""``ipsecmon check-device``: walks the way of a poll step by step and says at which one it ends, and why.

Name, TCP, key exchange, host key, authentication, prompt, privilege, paging; then each command and what its answer was
understood as. It is a login and a session of its own beside those of a running service: one vty more, for a few seconds.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from ipsecmon.commands import Role, with_role
from ipsecmon.config import PollTier
from ipsecmon.credentials import CredentialError
from ipsecmon.errors import CollectionError
from ipsecmon.model import RawOutput, Reason, SessionFacts
from ipsecmon.sessions import OpenSession, Session, Target
from ipsecmon.sessions.protocol import OnStep, Step, StepName
from ipsecmon.sessions.readonly import ShowCommand, commands_of
from ipsecmon_parsers.errors import CommandRefused, ParserError, UnknownCommand
from ipsecmon_parsers.records import Platform
from ipsecmon_parsers.registry import Registry

__all__ = [
    "Check",
    "CheckedDevice",
    "CheckedStep",
    "OpenWatched",
    "Outcome",
    "Verdict",
    "check_device",
    "unwatched",
]

OpenWatched = Callable[[Target, float, OnStep], Session]
"""An ``OpenSession`` that tells each step it has done."""


class Outcome(StrEnum):
    """How one step went."""

    OK = "ok"
    WARNING = "warning"
    """The device can be polled, but something is missing or weak."""
    FAILED = "failed"
    NOT_REACHED = "not reached"


class Verdict(StrEnum):
    """Whether the device can be polled."""

    GOOD = "good"
    DEGRADED = "degraded"
    """It can, with at least one warning."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedStep:
    """``seconds`` is ``None`` where nobody timed it; ``advice`` says what to do, empty where nothing is to be done."""

    name: str
    outcome: Outcome
    seconds: float | None = None
    seen: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedDevice:
    """What a check must know of a device; ``tiers`` are those its plan polls."""

    name: str
    host: str
    platform: Platform
    target: Callable[[], Target]
    registry: Registry
    tiers: Iterable[PollTier]
    timeout_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """All steps in their order, those that were not reached too."""

    device: str
    host: str
    platform: Platform
    steps: tuple[CheckedStep, ...]
    session: SessionFacts | None
    seconds: float

    @property
    def verdict(self) -> Verdict:
        """Failed if any step did, good if none has anything to say."""
        outcomes = {step.outcome for step in self.steps}
        if Outcome.FAILED in outcomes:
            return Verdict.FAILED
        return Verdict.DEGRADED if Outcome.WARNING in outcomes else Verdict.GOOD


_CREDENTIAL = "credential"
# In the place of the first two where there are jump hosts stands the third.
_DIRECT = tuple(step for step in StepName if step is not StepName.JUMP)
_BEHIND_JUMPS = tuple(step for step in StepName if step not in (StepName.RESOLVE, StepName.TCP))
_STEP_OF = {
    Reason.DNS: StepName.RESOLVE,
    Reason.CONNECT: StepName.TCP,
    Reason.KEX: StepName.KEY_EXCHANGE,
    Reason.HOSTKEY: StepName.HOST_KEY,
    Reason.AUTH: StepName.AUTHENTICATION,
    Reason.PROMPT: StepName.PROMPT,
    Reason.PRIVILEGE: StepName.PRIVILEGE,
}
_REFUSED = re.compile(r"\s*(?:ERROR: )?(?:%|Command authorization failed)")
_REFUSAL = "refused: "
_UNKNOWN = "Invalid input"  # of a release that does not know the command
_MOST_SEEN = 200


def unwatched(open_session: OpenSession) -> OpenWatched:
    """For an opener that tells no steps: what it gets to is still known, only the seconds of each step are not."""
    return lambda target, timeout, _: open_session(target, timeout)


def check_device(
    device: CheckedDevice,
    open_session: OpenWatched,
    clock: Callable[[], float] = time.monotonic,
) -> Check:
    """Everything that can be told of ``device`` within its time-out; never raises for what a device does."""
    started = clock()
    deadline = started + device.timeout_seconds
    commands = _commands(device)
    steps: list[CheckedStep] = []
    facts: SessionFacts | None = None
    try:
        target = device.target()
    except CredentialError as error:
        steps.append(_failed(_CREDENTIAL, str(error), clock() - started))
        steps += _not_reached(_DIRECT)
    else:
        login = _how(target)
        steps.append(
            CheckedStep(name=_CREDENTIAL, outcome=Outcome.OK, seconds=clock() - started, seen=login)
        )
        opened, session = _open(target, open_session, deadline - clock(), clock)
        steps += opened
        if session is not None:
            try:
                facts = session.facts
                steps += _with_what_is_needed(
                    device.platform, _ask(device, session, commands, deadline, clock)
                )
            finally:
                session.close()
    done = {step.name for step in steps}
    steps += _not_reached(one.text for one in commands if one.text not in done)
    if facts is not None:
        steps = [_enriched(step, facts) for step in steps]
    return Check(
        device=device.name,
        host=device.host,
        platform=device.platform,
        steps=tuple(steps),
        session=facts,
        seconds=clock() - started,
    )


# --- the login ----------------------------------------------------------------------------------------------------


def _how(target: Target) -> str:
    """Who logs in and with what, never the secret itself."""
    ways = [
        way
        for way, is_there in (
            ("agent", target.use_agent),
            ("private key", target.private_key is not None),
            ("password", target.password is not None),
        )
        if is_there
    ]
    enable = ", enable secret" if target.enable_secret else ""
    return f"user {target.username}, {' or '.join(ways)}{enable}"


def _open(
    target: Target, open_session: OpenWatched, timeout: float, clock: Callable[[], float]
) -> tuple[list[CheckedStep], Session | None]:
    """The steps of the login, and the session if it came to one."""
    order = _BEHIND_JUMPS if target.jumps else _DIRECT
    told: dict[StepName, Step] = {}

    def note(step: Step) -> None:
        told[step.name] = step

    started = clock()
    try:
        session = open_session(target, timeout, note)
    except CollectionError as error:
        seconds = clock() - started - sum(step.seconds for step in told.values())
        ended_at = _where(error, order, told)
        return (
            [
                *(_passed(name, told) for name in order[: order.index(ended_at)]),
                _failed(ended_at, str(error), max(0.0, seconds), error.evidence),
                *_not_reached(order[order.index(ended_at) + 1 :]),
            ],
            None,
        )
    return [_passed(name, told) for name in order], session


def _where(
    error: CollectionError, order: Sequence[StepName], told: dict[StepName, Step]
) -> StepName:
    """The step that failed: what the reason says, if that step was not done, else the first after all that were."""
    if StepName.JUMP in order and StepName.JUMP not in told:
        return StepName.JUMP
    named = _STEP_OF.get(error.reason)
    if named is not None and named not in order:
        named = StepName.JUMP
    after = max((order.index(step) for step in told if step in order), default=-1) + 1
    if named is not None and order.index(named) >= after:
        return named
    return order[min(after, len(order) - 1)]


def _passed(name: StepName, told: dict[StepName, Step]) -> CheckedStep:
    step = told.get(name)
    return CheckedStep(
        name=name,
        outcome=Outcome.OK,
        seconds=step.seconds if step else None,
        seen=step.seen if step else "",
    )


def _failed(name: str, cause: str, seconds: float, evidence: str = "") -> CheckedStep:
    """Our errors are one sentence: what, then, behind the last semicolon, what to do."""
    seen, mark, advice = cause.rpartition("; ")
    if not mark:
        seen, advice = cause, ""
    last = f"; the last it sent: '{evidence}'" if evidence and evidence not in cause else ""
    return CheckedStep(
        name=name, outcome=Outcome.FAILED, seconds=seconds, seen=seen + last, advice=advice
    )


def _not_reached(names: Iterable[str]) -> Iterator[CheckedStep]:
    return (CheckedStep(name=name, outcome=Outcome.NOT_REACHED) for name in names)


def _enriched(step: CheckedStep, facts: SessionFacts) -> CheckedStep:
    """What the session says of itself, where the step was silent, and what is weak about it."""
    match step.name:
        case StepName.RESOLVE:
            return replace(step, seen=step.seen or facts.address)
        case StepName.KEY_EXCHANGE:
            agreed = f"{facts.server_version}: {facts.kex}, {facts.cipher}, {facts.mac}"
            step = replace(step, seen=step.seen or agreed)
            if not facts.weak:
                return step
            return replace(
                step,
                outcome=Outcome.WARNING,
                advice=f"weak: {', '.join(facts.weak)}; let the device offer stronger ones, "
                f"then set ssh_profile: modern",
            )
        case StepName.HOST_KEY:
            step = replace(step, seen=step.seen or f"{facts.host_key} {facts.host_key_fingerprint}")
            if facts.is_host_key_verified:
                return step
            return replace(
                step,
                outcome=Outcome.WARNING,
                advice="nobody verified this key: set host_keys.check to strict and take the key down",
            )
        case StepName.PROMPT:
            return replace(step, seen=step.seen or f"prompt {facts.prompt!r}")
        case _:
            return step


# --- the commands -------------------------------------------------------------------------------------------------


def _commands(device: CheckedDevice) -> tuple[ShowCommand, ...]:
    """What tells about the device, then what its plan asks; nothing that has places to fill in."""
    about = [
        one
        for one in commands_of(device.platform, (None,))
        if one.text in ("show version", "show privilege", "show curpriv", "show clock")
    ]
    polled = [
        one for one in commands_of(device.platform, device.tiers) if _is_readable(device, one.text)
    ]
    return (*about, *polled)


def _is_readable(device: CheckedDevice, command: str) -> bool:
    try:
        device.registry.spelled_out(device.platform, command)
    except UnknownCommand:
        return False
    return True


def _ask(
    device: CheckedDevice,
    session: Session,
    commands: Sequence[ShowCommand],
    deadline: float,
    clock: Callable[[], float],
) -> Iterator[CheckedStep]:
    """Each command until one gets no answer: the session is of no further use then."""
    for command in commands:
        started = clock()
        try:
            output = session.run(command.text, max(0.1, deadline - started))
        except CollectionError as error:
            yield _failed(command.text, str(error), clock() - started, error.evidence)
            return
        yield _judged(device, command, output, clock() - started)


def _judged(
    device: CheckedDevice, command: ShowCommand, output: RawOutput, seconds: float
) -> CheckedStep:
    size = f"{len(output.text.encode()):,} bytes"
    step = CheckedStep(name=command.text, outcome=Outcome.OK, seconds=seconds, seen=size)
    if command.tier is None:
        return _told_about(command, output, step)
    try:
        result = device.registry.parse(device.platform, command.text, output.text, complete=True)
    except CommandRefused as error:
        return replace(
            step,
            outcome=Outcome.WARNING,
            seen=f"{_REFUSAL}{error.answer}",
            advice=f"lost: {command.lost}; permit it if the release has it (deploy/device-access.md)",
        )
    except ParserError as error:
        return _failed(command.text, f"{size}, not understood: {error}", seconds)
    kinds = Counter(type(record).__name__ for record in result.records)
    records = ", ".join(f"{count} {name}" for name, count in kinds.items()) or "no records"
    step = replace(step, seen=f"{size}, {records}")
    if not result.unparsed_lines:
        return step
    first = result.unparsed_lines[0]
    count = len(result.unparsed_lines)
    lines = "1 line" if count == 1 else f"{count} lines"
    return replace(
        step,
        outcome=Outcome.WARNING,
        seen=f"{step.seen}; {lines} not understood, line {first.line_no}: {first.text.strip()!r}",
        advice="report the lines: ipsecmon dump --json --raw, or parse --anonymize, has them",
    )


def _told_about(command: ShowCommand, output: RawOutput, step: CheckedStep) -> CheckedStep:
    """The first line that says something; such a command may be refused without harm."""
    lines = [line.strip() for line in output.text.splitlines() if line.strip()]
    if _REFUSED.match(output.text):
        return replace(step, seen=f"refused, and not needed ({command.lost})")
    return replace(step, seen=lines[0][:_MOST_SEEN] if lines else "no answer")


def _with_what_is_needed(platform: Platform, steps: Iterable[CheckedStep]) -> list[CheckedStep]:
    """Of the tables of IKE SAs one must be there; a release without IKE version 2 is no cause for a warning."""
    made = list(steps)
    refused = {step.name for step in made if step.seen.startswith(_REFUSAL)}
    ike_tables = {one.command for one in with_role(platform, Role.IKE_SAS)}
    failed = {one.command for one in with_role(platform, Role.FLOWS)} & refused
    if ike_tables <= refused:
        failed |= ike_tables
    harmless = {step.name for step in made if step.name in ike_tables and _UNKNOWN in step.seen}
    return [
        replace(step, outcome=Outcome.FAILED)
        if step.name in failed
        else replace(step, outcome=Outcome.OK, advice="")
        if step.name in harmless
        else step
        for step in made
    ]
