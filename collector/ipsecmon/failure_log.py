"""One line in the log for each failed poll: which device, where it failed, what it said last, when it is tried again.

A device that fails is a warning once, and once more when it fails in another way; while it goes on failing as before the
lines are informational. So ``--log.level warning`` shows what changed, and the default everything:

WARNING ipsecmon.failure_log device=Site1 stage=command reason=timeout command="show crypto ipsec sa" seconds=30.01
        next_attempt=2026-03-01T12:02:00Z evidence="Site1#show crypto ips": 192.0.2.1:22: the device was silent ...
"""

from __future__ import annotations

import logging

from ipsecmon.dump import utc_text
from ipsecmon.model import PollError, PollResult

__all__ = ["log_failure"]

log = logging.getLogger(__name__)


def log_failure(result: PollResult, before: PollError | None) -> None:
    """Tell the failure of ``result``, if it is one; ``before`` is that of the poll before it."""
    error = result.error
    if error is None:
        return
    again = result.next_attempt_at
    log.log(
        logging.INFO if before is not None and _is_same(error, before) else logging.WARNING,
        "%s",
        error.cause,
        extra={
            "device": error.device,
            "stage": error.stage.value,
            "reason": error.reason.value,
            "command": error.command,
            "seconds": round(result.duration_seconds, 2),
            "next_attempt": None if again is None else utc_text(again),
            "evidence": error.evidence or None,
        },
    )


def _is_same(error: PollError, before: PollError) -> bool:
    # not the cause: it may hold how many bytes came, which differs each time
    return (error.stage, error.reason, error.command) == (
        before.stage,
        before.reason,
        before.command,
    )
