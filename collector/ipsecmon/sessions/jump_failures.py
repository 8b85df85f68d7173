"""What a jump host can fail at, in sentences that name it: shared by the logins of both libraries."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from ipsecmon.errors import (
    CollectionError,
    ConnectFailed,
    ConnectionClosed,
    HostKeyRejected,
    JumpLoginFailed,
    JumpLoginRefused,
    KeyExchangeFailed,
    NameNotResolved,
)
from ipsecmon.sessions.private_keys import PrivateKeyUnusable
from ipsecmon.sessions.protocol import JumpHost, OfferedKey

__all__ = [
    "REST_SECONDS",
    "Chain",
    "Failures",
    "again",
    "chain",
    "check_host_key",
    "closed_by_us",
    "key_unusable",
    "login_refused",
    "no_common_algorithm",
    "no_connection",
    "no_ssh",
    "not_resolved",
    "not_within",
    "unreachable",
    "where",
]

# after a failed login nobody knocks for so long: fifty devices behind a dead jump host are one attempt
REST_SECONDS = 5.0

# a refused login is another matter: knocking on would lock the account
_REFUSED_RESTS = 12
_LONGEST_REST_SECONDS = 900.0
_PROHIBITED = 1

Chain = tuple[tuple[str, str, int, str], ...]
"""Tells one login from another: name, address, port and user of each hop. A rotated password is no other login."""


def chain(jumps: Sequence[JumpHost]) -> Chain:
    """See ``Chain``."""
    return tuple((jump.name, jump.host, jump.port, jump.username) for jump in jumps)


class Failures:
    """How often a chain's login has failed and when it may be tried again; ``clock`` as ``time.monotonic``."""

    def __init__(self, rest_seconds: float, clock: Callable[[], float]) -> None:
        self._rest_seconds = rest_seconds
        self._clock = clock
        self._refusals: dict[Chain, int] = {}
        self._rests_until: dict[Chain, float] = {}
        self._tried_with: dict[Chain, tuple[object, ...]] = {}

    def ended(self, jumps: Sequence[JumpHost], error: CollectionError | None) -> None:
        """A login came to its end."""
        key = chain(jumps)
        self._refusals[key] = self._refusals.get(key, 0) + 1 if _is_refusal(error) else 0
        rest = self._rest_seconds
        if refusals := self._refusals[key]:
            rest = min(rest * _REFUSED_RESTS * 2 ** (refusals - 1), _LONGEST_REST_SECONDS)
        self._rests_until[key] = self._clock() + rest
        self._tried_with[key] = _secrets(jumps)

    def is_resting(self, jumps: Sequence[JumpHost]) -> bool:
        """Whether the failed login is not to be tried again yet; a new secret may be tried at once."""
        key = chain(jumps)
        return self._clock() < self._rests_until.get(key, 0.0) and self._tried_with.get(
            key
        ) == _secrets(jumps)


def _is_refusal(error: CollectionError | None) -> bool:
    return isinstance(error, JumpLoginRefused)


def _secrets(jumps: Sequence[JumpHost]) -> tuple[object, ...]:
    return tuple((jump.password, jump.private_key, jump.use_agent) for jump in jumps)


def where(jump: JumpHost) -> str:
    """``jump host 'bastion' (192.0.2.1:22)``."""
    return f"jump host {jump.name!r} ({jump.host}:{jump.port})"


def again(error: CollectionError) -> CollectionError:
    """The same error for one more caller: an exception that many threads raise would gather the traces of all."""
    return type(error)(str(error))


def check_host_key(jump: JumpHost, key: OfferedKey) -> None:
    """Ask the jump host's policy; raises ``HostKeyRejected``."""
    try:
        jump.host_keys.accept(jump.host, jump.port, key)
    except HostKeyRejected as error:
        refused = str(error).removeprefix(f"{jump.host}:{jump.port}: ")
        raise HostKeyRejected(f"{where(jump)}: {refused}") from error


def closed_by_us() -> ConnectionClosed:
    """Whoever waits while the service stops."""
    return ConnectionClosed("the monitor is shutting down")


def not_resolved(jump: JumpHost, error: Exception) -> NameNotResolved:
    """``error``: the resolver's."""
    return NameNotResolved(
        f"{where(jump)}: the name has no address ({error}); check its 'host' and the resolver"
    )


def unreachable(jump: JumpHost, error: OSError | None) -> ConnectFailed:
    """No TCP connection to the jump host itself."""
    if isinstance(error, TimeoutError):
        cause = f"no answer within {jump.connect_timeout:.3g} s"
    else:
        # asyncio says "Connect call failed" whatever the system said
        cause = (os.strerror(error.errno) if error and error.errno else str(error)).lower()
    return ConnectFailed(
        f"{where(jump)}: no TCP connection: {cause}; check address, port, routing and filters"
    )


def no_ssh(jump: JumpHost, error: object) -> ConnectFailed:
    """TCP comes up and no SSH follows, or it ends before the login."""
    lines = str(error).strip().splitlines()
    what = f" ({lines[0]})" if lines else ""
    return ConnectFailed(f"{where(jump)}: no SSH session{what}; check its port and its log")


def no_common_algorithm(jump: JumpHost, error: object) -> KeyExchangeFailed:
    """``error``: the library's words, which name the lists."""
    return KeyExchangeFailed(
        f"{where(jump)}: no SSH algorithm in common: {error}; set its 'profile' to compat or legacy"
    )


def login_refused(jump: JumpHost) -> JumpLoginRefused:
    """All that we have to log in with was refused."""
    offered = [
        *(["the private key"] if jump.private_key else []),
        *(["the agent's keys"] if jump.use_agent else []),
        *(["the password"] if jump.password is not None else []),
    ]
    return JumpLoginRefused(
        f"{where(jump)}: it refused user {jump.username!r} with {' and '.join(offered) or 'nothing'}; "
        f"check the jump host's credentials"
    )


def key_unusable(jump: JumpHost, error: PrivateKeyUnusable) -> JumpLoginFailed:
    """The jump host was not asked."""
    return JumpLoginFailed(f"{where(jump)}: {error}; check the jump host's credentials")


def not_within(jump: JumpHost, seconds: float) -> ConnectFailed:
    """A caller has no more time; the login may still come about for others."""
    return ConnectFailed(
        f"{where(jump)}: no login within the {seconds:.3g} s left of this poll; "
        f"see how busy it is, or raise the poll's timeout"
    )


def no_connection(
    jump: JumpHost, host: str, port: int, reason: str, code: int = 0, *, next_hop: str = ""
) -> ConnectFailed:
    """The jump host is there and its way on is not; ``code`` as in RFC 4254, section 5.1.

    ``next_hop`` is the name of the jump host it leads to, if it is not the device itself.
    """
    advice = "check address, port and the way from there"
    if code == _PROHIBITED:
        advice = "allow it there (AllowTcpForwarding, PermitOpen)"
    there = f"jump host {next_hop!r} ({host}:{port})" if next_hop else f"{host}:{port}"
    return ConnectFailed(
        f"{where(jump)}: no connection from there to {there}: {reason.lower()}; {advice}"
    )
