"""What a poll found, without the secrets that were sent to the device.

A device echoes what it does not take for a password: a secret typed at a prompt that was none comes back as a command. The
outputs are read before this, as they came; what is kept, shown and recorded afterwards has passed here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from ipsecmon.config import HIDDEN
from ipsecmon.model import Event, PollResult

__all__ = ["without_secrets"]


def without_secrets(
    result: PollResult, typed: Iterable[str], redact: Callable[[str], str]
) -> PollResult:
    """``result`` with ``typed`` hidden in the texts of the device, and all that ``redact`` knows in messages and events.

    An output can be of many megabytes: it is searched for what this device was sent, once for each.
    """
    secrets = sorted({secret for secret in typed if secret}, key=len, reverse=True)

    def hide(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, HIDDEN)  # the same object where there is none
        return text

    error, session = result.error, result.session
    if error is not None:
        error = replace(error, cause=redact(error.cause), evidence=redact(error.evidence))
    if session is not None:
        session = replace(
            session,
            server_version=redact(session.server_version),
            prompt=redact(session.prompt),
        )
    return replace(
        result,
        error=error,
        session=session,
        events=tuple(_event(event, redact) for event in result.events),
        outputs=tuple(replace(one, text=hide(one.text)) for one in result.outputs),
        unparsed=tuple(
            replace(one, lines=tuple(replace(line, text=hide(line.text)) for line in one.lines))
            for one in result.unparsed
        ),
    )


def _event(event: Event, redact: Callable[[str], str]) -> Event:
    return replace(
        event,
        detail=redact(event.detail),
        facts={
            name: redact(fact) if isinstance(fact, str) else fact
            for name, fact in event.facts.items()
        },
        evidence=tuple(replace(one, text=redact(one.text)) for one in event.evidence),
    )
