"""Logins to jump hosts for sessions in an event loop: one asyncssh connection per chain of jump hosts."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

import asyncssh

from ipsecmon.errors import CollectionError, HostKeyRejected
from ipsecmon.sessions import jump_failures as failures
from ipsecmon.sessions.algorithms import preferring
from ipsecmon.sessions.libraries import ASYNCSSH
from ipsecmon.sessions.private_keys import PrivateKeyUnusable, read_private_key
from ipsecmon.sessions.protocol import JumpHost, OfferedKey

__all__ = ["LoopJumps"]

_KEEPALIVE_SECONDS = 15
_KEEPALIVES_UNANSWERED = 2
# no file of known hosts is read, so that every key is asked about
_NONE_KNOWN: tuple[list[str], list[str], list[str]] = ([], [], [])


_Key = asyncssh.SSHKey | asyncssh.SSHKeyPair


@dataclass(slots=True)
class _Login:
    """A login under way or done, for all who need it, in the loop it began in."""

    loop: asyncio.AbstractEventLoop
    task: asyncio.Task[asyncssh.SSHClientConnection | CollectionError]


class LoopJumps:
    """See ``JumpHosts``."""

    def __init__(
        self,
        rest_seconds: float = failures.REST_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._failures = failures.Failures(rest_seconds, clock)
        self._logins: dict[failures.Chain, _Login] = {}
        self._is_closed = False

    async def tunnel_to(
        self,
        jumps: tuple[JumpHost, ...],
        timeout: float,  # noqa: ASYNC109 # its end is an error of ours, and the login goes on for others
    ) -> asyncssh.SSHClientConnection:
        """See ``JumpHosts``."""
        login = self._login(jumps)
        try:
            outcome = await asyncio.wait_for(asyncio.shield(login.task), timeout)
        except TimeoutError:
            raise failures.not_within(jumps[-1], timeout) from None
        except asyncio.CancelledError:
            if self._is_closed and login.task.cancelled():
                raise failures.closed_by_us() from None
            raise
        if isinstance(outcome, CollectionError):
            raise failures.again(outcome)
        return outcome

    def close(self) -> None:
        """See ``JumpHosts``."""
        self._is_closed = True
        for login in list(self._logins.values()):
            with suppress(RuntimeError):  # the loop has ended, and the connection with it
                login.loop.call_soon_threadsafe(_end, login.task)

    async def aclose(self) -> None:
        """See ``JumpHosts``."""
        self._is_closed = True
        logins, self._logins = list(self._logins.values()), {}
        for login in logins:
            _end(login.task)
        for outcome in await asyncio.gather(*(one.task for one in logins), return_exceptions=True):
            if isinstance(outcome, asyncssh.SSHClientConnection):
                await outcome.wait_closed()

    def _login(self, jumps: tuple[JumpHost, ...]) -> _Login:
        if self._is_closed:
            raise failures.closed_by_us()
        key = failures.chain(jumps)
        loop = asyncio.get_running_loop()
        login = self._logins.get(key)
        if login is not None and login.loop is loop and self._serves(login, jumps):
            return login
        login = self._logins[key] = _Login(loop, loop.create_task(self._outcome(jumps)))
        return login

    def _serves(self, login: _Login, jumps: tuple[JumpHost, ...]) -> bool:
        """Whether nobody needs to try anew."""
        if not login.task.done():
            return True
        if login.task.cancelled() or login.task.exception() is not None:
            return False
        outcome = login.task.result()
        if isinstance(outcome, CollectionError):
            return self._failures.is_resting(jumps)
        return not outcome.is_closed()

    async def _outcome(
        self, jumps: tuple[JumpHost, ...]
    ) -> asyncssh.SSHClientConnection | CollectionError:
        """An error is a value here: nobody may be left who waits for it."""
        try:
            connection = await self._opened(jumps)
        except CollectionError as error:
            self._failures.ended(jumps, error)
            return error
        except Exception as error:  # noqa: BLE001 # whatever it is, those who wait must hear of it
            unexpected = failures.no_ssh(jumps[-1], f"{type(error).__name__}: {error}")
            self._failures.ended(jumps, unexpected)
            return unexpected
        self._failures.ended(jumps, None)
        return connection

    async def _opened(self, jumps: tuple[JumpHost, ...]) -> asyncssh.SSHClientConnection:
        *before, jump = jumps
        async with _keys(jump) as keys:
            if not before:
                return await _logged_in(jump, keys, connection=await _tcp_connection(jump))
            # three steps of the hop before
            timeout = 3 * max(one.connect_timeout for one in before)
            tunnel = await self.tunnel_to(tuple(before), timeout)
            try:
                return await _logged_in(jump, keys, tunnel=tunnel)
            except asyncssh.ChannelOpenError as error:
                raise failures.no_connection(
                    before[-1],
                    jump.host,
                    jump.port,
                    error.reason,
                    error.code,
                    next_hop=jump.name,
                ) from error


async def _logged_in(
    jump: JumpHost,
    keys: list[_Key],
    *,
    connection: socket.socket | None = None,
    tunnel: asyncssh.SSHClientConnection | None = None,
) -> asyncssh.SSHClientConnection:
    client = _Client(jump)
    offer = preferring(jump).within(ASYNCSSH)
    try:
        async with asyncio.timeout(2 * jump.connect_timeout):
            return await asyncssh.connect(
                jump.host,
                jump.port,
                tunnel=tunnel,
                sock=connection,
                client_factory=lambda: client,
                username=jump.username,
                password=jump.password,
                client_keys=keys or None,  # an empty list would mean those of the user's home
                agent_path=None,
                config=None,
                known_hosts=_NONE_KNOWN,
                kex_algs=list(offer.kex),
                server_host_key_algs=list(offer.host_keys),
                encryption_algs=list(offer.ciphers),
                mac_algs=list(offer.macs),
                connect_timeout=None,
                login_timeout=None,
                keepalive_interval=_KEEPALIVE_SECONDS,
                keepalive_count_max=_KEEPALIVES_UNANSWERED,
            )
    except asyncssh.ChannelOpenError:
        raise
    except (asyncssh.Error, OSError) as error:
        raise client.failure(error) from error
    finally:
        if connection is not None and client.took_no_connection:
            connection.close()


class _Client(asyncssh.SSHClient):
    """Asks the jump host's policy about its key."""

    def __init__(self, jump: JumpHost) -> None:
        self._jump = jump
        self._rejected: HostKeyRejected | None = None
        self.took_no_connection = True

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:  # noqa: ARG002 # asyncssh calls it so
        self.took_no_connection = False

    def validate_host_public_key(
        self,
        host: str,  # noqa: ARG002 # asyncssh's signature
        addr: str,  # noqa: ARG002
        port: int,  # noqa: ARG002
        key: asyncssh.SSHKey,
    ) -> bool:
        offered = OfferedKey(algorithm=key.algorithm.decode("ascii"), blob=key.public_data)
        try:
            failures.check_host_key(self._jump, offered)
        except HostKeyRejected as error:
            self._rejected = error
            return False
        return True

    def failure(self, error: Exception) -> CollectionError:
        """What went wrong with the login, as our error."""
        jump = self._jump
        if self._rejected is not None:
            return self._rejected
        match error:
            case asyncssh.PermissionDenied():
                return failures.login_refused(jump)
            case asyncssh.KeyExchangeFailed():
                return failures.no_common_algorithm(jump, error.reason)
            case TimeoutError():
                return failures.no_ssh(jump, f"no login within {2 * jump.connect_timeout:.3g} s")
            case _:
                return failures.no_ssh(jump, error)


@asynccontextmanager
async def _keys(jump: JumpHost) -> AsyncGenerator[list[_Key]]:
    """The private key and those of the agent, which signs with them as long as the block lasts."""
    keys: list[_Key] = []
    if jump.private_key is not None:
        try:
            keys.append(await asyncio.to_thread(read_private_key, jump.private_key))
        except PrivateKeyUnusable as error:
            raise failures.key_unusable(jump, error) from error
    async with AsyncExitStack() as stack:
        if jump.use_agent:
            with suppress(OSError):  # no agent has no keys
                agent = await stack.enter_async_context(await asyncssh.connect_agent())
                keys += await agent.get_keys()
        yield keys


def _end(task: asyncio.Task[asyncssh.SSHClientConnection | CollectionError]) -> None:
    if not task.done():
        task.cancel()
        return
    if not task.cancelled() and task.exception() is None:
        outcome = task.result()
        if isinstance(outcome, asyncssh.SSHClientConnection):
            outcome.abort()


async def _tcp_connection(jump: JumpHost) -> socket.socket:
    """TCP first, within its own time: what has no address and what does not answer have names of their own."""
    loop = asyncio.get_running_loop()
    failure: OSError | None = None
    try:
        async with asyncio.timeout(jump.connect_timeout):
            addresses = await loop.getaddrinfo(jump.host, jump.port, type=socket.SOCK_STREAM)
            for family, kind, protocol, _, address in addresses:
                connection = socket.socket(family, kind, protocol)
                connection.setblocking(False)
                try:
                    await loop.sock_connect(connection, address)
                except OSError as error:
                    connection.close()
                    failure = error
                except asyncio.CancelledError:
                    connection.close()
                    raise
                else:
                    return connection
    except (socket.gaierror, UnicodeError) as error:
        raise failures.not_resolved(jump, error) from error
    except TimeoutError as error:
        raise failures.unreachable(jump, error) from error
    raise failures.unreachable(jump, failure) from failure
