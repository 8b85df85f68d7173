"""Logins to jump hosts for sessions in threads: paramiko's channels through one transport per chain of jump hosts.

paramiko's ``ProxyCommand`` starts a process per device and spins when the jump host is down; a channel does neither.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path

import paramiko
from paramiko.ssh_exception import IncompatiblePeer

from ipsecmon.errors import CollectionError, ConnectFailed
from ipsecmon.sessions import jump_failures as failures
from ipsecmon.sessions.libraries import offer_with_paramiko
from ipsecmon.sessions.private_keys import PrivateKeyUnusable, for_paramiko
from ipsecmon.sessions.protocol import JumpHost, OfferedKey

__all__ = ["ThreadJumps"]

_KEEPALIVE_SECONDS = 15
# a connection that is gone without a word is noticed by what it does not acknowledge
_UNACKNOWLEDGED_MILLISECONDS = 30_000


class _Attempt:
    """A login under way or done, for all who need it."""

    def __init__(self) -> None:
        self._outcome: Future[paramiko.Transport | CollectionError] = Future()

    def end(self, outcome: paramiko.Transport | CollectionError) -> None:
        self._outcome.set_result(outcome)

    def result(self, timeout: float) -> paramiko.Transport:
        """Within ``timeout`` seconds, else ``TimeoutError``."""
        outcome = self._outcome.result(timeout)
        if isinstance(outcome, CollectionError):
            raise failures.again(outcome)
        return outcome

    @property
    def is_under_way(self) -> bool:
        return not self._outcome.done()

    @property
    def is_good(self) -> bool:
        """A login that stands."""
        outcome = self._outcome.result() if self._outcome.done() else None
        return isinstance(outcome, paramiko.Transport) and outcome.is_active()

    @property
    def has_failed(self) -> bool:
        return self._outcome.done() and isinstance(self._outcome.result(), CollectionError)


class _HungUp(ConnectFailed):
    """The connection to the jump host broke as a channel was opened."""


class ThreadJumps:
    """See ``JumpHosts``."""

    def __init__(
        self,
        rest_seconds: float = failures.REST_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._failures = failures.Failures(rest_seconds, clock)
        self._lock = threading.Lock()
        self._attempts: dict[failures.Chain, _Attempt] = {}
        self._transports: set[paramiko.Transport] = set()
        self._is_closed = False

    def socket_to(
        self, jumps: tuple[JumpHost, ...], host: str, port: int, timeout: float
    ) -> paramiko.Channel:
        """See ``JumpHosts``."""
        return self._socket_to(jumps, host, port, timeout)

    def close(self) -> None:
        """See ``JumpHosts``."""
        with self._lock:
            self._is_closed = True
            transports = list(self._transports)
        for transport in transports:
            transport.close()

    def _socket_to(
        self, jumps: tuple[JumpHost, ...], host: str, port: int, timeout: float, next_hop: str = ""
    ) -> paramiko.Channel:
        until = self._clock() + timeout
        try:
            return self._channel(jumps, host, port, until, next_hop)
        except _HungUp:  # what looked alive turned out to be broken as it was used
            return self._channel(jumps, host, port, until, next_hop)

    def _channel(
        self, jumps: tuple[JumpHost, ...], host: str, port: int, until: float, next_hop: str
    ) -> paramiko.Channel:
        jump = jumps[-1]
        left = max(0.0, until - self._clock())
        try:
            transport = self._attempt(jumps).result(left)
        except TimeoutError:
            raise failures.not_within(jump, left) from None
        left = max(0.1, until - self._clock())
        try:
            return transport.open_channel(
                "direct-tcpip", (host, port), ("127.0.0.1", 0), timeout=left
            )
        except paramiko.ChannelException as error:
            raise failures.no_connection(
                jump, host, port, error.text, error.code, next_hop=next_hop
            ) from error
        except (paramiko.SSHException, EOFError, OSError) as error:
            if transport.is_active():
                reason = f"no answer within {left:.3g} s"
                raise failures.no_connection(jump, host, port, reason, next_hop=next_hop) from error
            raise _HungUp(f"{failures.where(jump)}: it hung up; is it restarting?") from error

    def _attempt(self, jumps: tuple[JumpHost, ...]) -> _Attempt:
        """The login of this chain; in a thread of its own, so that it does not end with the time of one caller."""
        key = failures.chain(jumps)
        with self._lock:
            self._ensure_open()
            attempt = self._attempts.get(key)
            if attempt is not None and self._serves(attempt, jumps):
                return attempt
            attempt = self._attempts[key] = _Attempt()
        threading.Thread(
            target=self._log_in, args=(attempt, jumps), name=f"jump-{jumps[-1].name}", daemon=True
        ).start()
        return attempt

    def _serves(self, attempt: _Attempt, jumps: tuple[JumpHost, ...]) -> bool:
        """Whether nobody needs to try anew."""
        if attempt.has_failed:
            return self._failures.is_resting(jumps)
        return attempt.is_under_way or attempt.is_good

    def _ensure_open(self) -> None:
        if self._is_closed:
            raise failures.closed_by_us()

    def _log_in(self, attempt: _Attempt, jumps: tuple[JumpHost, ...]) -> None:
        try:
            outcome = self._opened(jumps)
        except CollectionError as error:
            self._end(attempt, jumps, error)
        except Exception as error:  # noqa: BLE001 # whatever it is, those who wait must hear of it
            what = f"{failures.where(jumps[-1])}: unexpected {type(error).__name__}: {error}"
            self._end(attempt, jumps, ConnectFailed(what))
        else:
            self._end(attempt, jumps, outcome)

    def _end(
        self,
        attempt: _Attempt,
        jumps: tuple[JumpHost, ...],
        outcome: paramiko.Transport | CollectionError,
    ) -> None:
        with self._lock:
            error = outcome if isinstance(outcome, CollectionError) else None
            self._failures.ended(jumps, error)
        attempt.end(outcome)

    def _opened(self, jumps: tuple[JumpHost, ...]) -> paramiko.Transport:
        *before, jump = jumps
        connection: socket.socket | paramiko.Channel
        if before:
            # three steps of the hop before, and the connection from there
            timeout = 4 * max(one.connect_timeout for one in jumps)
            connection = self._socket_to(tuple(before), jump.host, jump.port, timeout, jump.name)
        else:
            connection = _tcp_connection(jump)
        # not ServiceRequestingTransport: it misses answers that come fast (paramiko 5.1, send_auth_request)
        transport = paramiko.Transport(connection)
        transport.daemon = True
        with self._lock:
            self._transports = {one for one in self._transports if not _is_over(one)} | {transport}
        try:
            _agree(transport, jump)
            _authenticate(transport, jump)
            transport.set_keepalive(_KEEPALIVE_SECONDS)
            self._ensure_open()
        except BaseException:
            transport.close()
            raise
        return transport


def _is_over(transport: paramiko.Transport) -> bool:
    return transport.ident is not None and not transport.is_alive()


def _tcp_connection(jump: JumpHost) -> socket.socket:
    until = time.monotonic() + jump.connect_timeout
    try:
        addresses = socket.getaddrinfo(jump.host, jump.port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise failures.not_resolved(jump, error) from error
    failure: OSError | None = None
    for family, kind, protocol, _, address in addresses:
        connection = socket.socket(family, kind, protocol)
        connection.settimeout(max(0.1, until - time.monotonic()))
        try:
            connection.connect(address)
            if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
                connection.setsockopt(
                    socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNACKNOWLEDGED_MILLISECONDS
                )
        except OSError as error:
            connection.close()
            failure = error
        else:
            return connection
    raise failures.unreachable(jump, failure) from failure


def _agree(transport: paramiko.Transport, jump: JumpHost) -> None:
    """Key exchange and host key."""
    # start_client ends first, so that what is late can be told from what hung up
    transport.banner_timeout = transport.handshake_timeout = 2 * jump.connect_timeout
    offer_with_paramiko(transport, jump)
    try:
        transport.start_client(timeout=jump.connect_timeout)
        key = transport.get_remote_server_key()
    except IncompatiblePeer as error:
        raise failures.no_common_algorithm(jump, error) from error
    except (paramiko.SSHException, EOFError, OSError) as error:
        # at the end of its time start_client returns as if all were well
        is_late = str(error) == "No existing session"
        late = f"no key exchange within {jump.connect_timeout:.3g} s"
        told = late if is_late else str(error) or "it hung up"
        raise failures.no_ssh(jump, told) from error
    failures.check_host_key(jump, OfferedKey(algorithm=key.get_name(), blob=key.asbytes()))


def _authenticate(transport: paramiko.Transport, jump: JumpHost) -> None:
    """With all there is, one after the other: a server may also want two of them."""
    transport.auth_timeout = jump.connect_timeout
    refused: paramiko.AuthenticationException | None = None
    agent = paramiko.Agent() if jump.use_agent and _has_agent() else None
    try:
        for log_in in _ways_in(transport, jump, agent):
            try:
                log_in()
            except paramiko.AuthenticationException as error:
                refused = error
            if transport.is_authenticated():
                return
            if not transport.is_active():
                break
    except PrivateKeyUnusable as error:
        raise failures.key_unusable(jump, error) from error
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise failures.no_ssh(jump, error) from error
    finally:
        if agent is not None:
            agent.close()
    if refused is not None and "timeout" in str(refused):
        raise failures.no_ssh(jump, f"no answer to the login within {jump.connect_timeout:.3g} s")
    raise failures.login_refused(jump) from refused


def _has_agent() -> bool:
    """Looked at beforehand: paramiko leaves a socket open for one that is not there."""
    return Path(os.environ.get("SSH_AUTH_SOCK", "")).is_socket()


def _ways_in(
    transport: paramiko.Transport, jump: JumpHost, agent: paramiko.Agent | None
) -> Iterator[Callable[[], object]]:
    if jump.private_key is not None:
        yield partial(transport.auth_publickey, jump.username, for_paramiko(jump.private_key))
    for key in agent.get_keys() if agent is not None else ():
        yield partial(transport.auth_publickey, jump.username, key)
    if jump.password is not None:
        yield partial(transport.auth_password, jump.username, jump.password)
