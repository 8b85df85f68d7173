"""Opens sessions past the breaker of credentials: what a device makes of a login is told to it."""

from __future__ import annotations

import time
from collections.abc import Callable

from ipsecmon.credentials import CredentialBreaker
from ipsecmon.errors import AuthenticationFailed, CredentialRested, PrivilegeDenied, PromptNotFound
from ipsecmon.sessions.protocol import OpenSession, Session, Target

__all__ = ["guarded"]

# of the time for opening a session, this much may pass waiting for what others find out about its credential
WAIT_PART = 0.25
LONGEST_WAIT_SECONDS = 5.0


def guarded(
    open_session: OpenSession, breaker: CredentialBreaker, doubt: Callable[[str], None]
) -> OpenSession:
    """``open_session``, which raises ``CredentialRested`` for a target whose credential rests.

    ``doubt`` is called with the name of a credential that a device refused, so that its secret is read anew.
    """

    def open_guarded(target: Target, timeout: float) -> Session:
        name, fingerprint = target.credential, target.fingerprint
        deadline = time.monotonic() + timeout
        wait = min(LONGEST_WAIT_SECONDS, WAIT_PART * timeout)
        is_decided = False
        try:
            breaker.check(name, fingerprint, target.device, wait)
        except CredentialRested:
            doubt(name)  # a rest ends when the secret changes, which has to be noticed
            raise
        try:
            session = open_session(target, max(0.0, deadline - time.monotonic()))
        except AuthenticationFailed as error:
            if error.jump_host is None and error.is_attempt:
                is_decided = True
                breaker.rejected(name, fingerprint, target.device)
                doubt(name)
            raise
        except (PrivilegeDenied, PromptNotFound) as error:
            is_decided = True
            breaker.accepted(name, fingerprint, target.device)
            if isinstance(error, PrivilegeDenied):
                doubt(name)
            raise
        else:
            is_decided = True
            breaker.accepted(name, fingerprint, target.device)
            return session
        finally:
            if not is_decided:
                breaker.undecided(name, target.device)

    return open_guarded
