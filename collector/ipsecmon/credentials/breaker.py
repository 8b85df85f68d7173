"""Rests a credential that devices refuse, before the account behind it is locked.

One device that refuses is that device's matter. Several in a row, without a login between that succeeds, mean that the secret
is wrong everywhere, and a thousand more attempts would lock the account: so nobody tries any more until the rest is over or
the secret has changed. Then one device tries, and its outcome decides.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ipsecmon.errors import CredentialRested

__all__ = ["CredentialBreaker", "CredentialRested"]

# those who refused leave the first try after a rest to the others for so long: their refusal may be their own
GRACE_SECONDS = 60.0
DEVICES_NAMED = 3


@dataclass(slots=True)
class _State:
    fingerprint: bytes
    is_proven: bool = False
    """The last login with this secret that came to an end was accepted."""
    refused_at: dict[str, float] = field(default_factory=dict[str, float])
    """By device, since the last login that was accepted."""
    refused_first: float = 0.0
    rested_at: float | None = None
    has_changed: bool = False
    """The secret is another one than the one that is rested."""
    trying: set[str] = field(default_factory=set[str])
    rejections: int = 0


class CredentialBreaker:
    """What devices say of each credential; safe to use from many threads.

    Each login is announced by ``check`` and ends in one of ``accepted``, ``rejected`` and ``undecided``. ``clock`` gives Unix
    seconds. A fingerprint is any bytes that change with the secret.
    """

    def __init__(
        self,
        rejections: int = 3,
        rest_seconds: float = 900.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._limit = rejections
        self._rest_seconds = rest_seconds
        self._clock = clock
        self._changed = threading.Condition()
        self._states: dict[str, _State] = {}

    def limit(self, rejections: int, rest_seconds: float) -> None:
        """Other limits from now on; a rest that has begun ends as it was to."""
        with self._changed:
            self._limit, self._rest_seconds = rejections, rest_seconds

    def check(self, credential: str, fingerprint: bytes, device: str, wait: float = 0.0) -> None:
        """Return if ``device`` may be tried with ``credential`` now; raises ``CredentialRested``.

        Until a secret has been accepted once, no more devices are tried at a time than may refuse it; one that is too many
        waits up to ``wait`` seconds for the outcome of the others.
        """
        with self._changed:
            state = self._state(credential, fingerprint)
            self._changed.wait_for(lambda: self._has_room(state), wait)
            if state.rested_at is not None and not self._may_probe(state, device):
                raise CredentialRested(self._sentence(credential, state))
            state.trying.add(device)

    def accepted(self, credential: str, fingerprint: bytes, device: str) -> None:
        """``device`` let us in."""
        with self._changed:
            state = self._ended(credential, device)
            if state is None or state.fingerprint != fingerprint:
                return  # of a secret that has been replaced meanwhile
            state.is_proven = True
            state.rested_at = None
            state.has_changed = False
            state.refused_at.clear()

    def rejected(self, credential: str, fingerprint: bytes, device: str) -> None:
        """``device`` refused user name, password or key."""
        with self._changed:
            state = self._ended(credential, device)
            if state is None:
                return
            state.rejections += 1
            if state.fingerprint != fingerprint:
                return
            now = self._clock()
            if not state.refused_at:
                state.refused_first = now
            state.refused_at[device] = now
            state.is_proven = False
            if len(state.refused_at) >= self._limit:
                state.rested_at = now
                state.has_changed = False

    def undecided(self, credential: str, device: str) -> None:
        """The attempt ended before ``device`` had judged the login."""
        with self._changed:
            self._ended(credential, device)

    def rested(self) -> Mapping[str, bool]:
        """By credential that was used so far, whether it rests now."""
        with self._changed:
            return {name: state.rested_at is not None for name, state in self._states.items()}

    def rejections(self) -> Mapping[str, int]:
        """By credential that was used so far, how often a device refused it."""
        with self._changed:
            return {name: state.rejections for name, state in self._states.items()}

    def _state(self, credential: str, fingerprint: bytes) -> _State:
        state = self._states.setdefault(credential, _State(fingerprint))
        if state.fingerprint != fingerprint:
            state.fingerprint = fingerprint
            state.is_proven = False
            state.has_changed = state.rested_at is not None
            if not state.has_changed:
                state.refused_at.clear()
        return state

    def _ended(self, credential: str, device: str) -> _State | None:
        state = self._states.get(credential)
        if state is not None:
            state.trying.discard(device)
        self._changed.notify_all()
        return state

    def _has_room(self, state: _State) -> bool:
        if state.is_proven or state.rested_at is not None:
            return True
        suspects = state.trying | state.refused_at.keys()
        return len(suspects) < self._limit

    def _may_probe(self, state: _State, device: str) -> bool:
        if state.trying or state.rested_at is None:
            return False
        if state.has_changed:
            return True
        until = state.rested_at + self._rest_seconds
        return self._clock() >= until + (GRACE_SECONDS if device in state.refused_at else 0.0)

    def _sentence(self, credential: str, state: _State) -> str:
        devices = sorted(state.refused_at, key=lambda name: -state.refused_at[name])
        more = len(devices) - DEVICES_NAMED
        named = ", ".join(devices[:DEVICES_NAMED]) + (f" and {more} more" if more > 0 else "")
        until = (state.rested_at or 0.0) + self._rest_seconds
        since = f"refused by {named} since {_utc(state.refused_first)}"
        if state.trying:
            what = f"and is being tried on {', '.join(sorted(state.trying))} again"
        else:
            what = f"and rests until {_utc(until)} so that the account is not locked"
        return (
            f"credential {credential!r} was {since} {what}; "
            f"correct its user name or secret, which ends the rest at once"
        )


def _utc(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
