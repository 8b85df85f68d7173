"""What both transports do alike to open a session: the name, TCP, the server's first bytes, and the sentences for what fails.

Each step of it has its own time, ``connect_timeout``, and all of them together that of the poll.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial

from ipsecmon.errors import (
    AuthenticationFailed,
    CollectionError,
    ConnectFailed,
    KeyExchangeFailed,
    KeyUnusable,
    LoginClosed,
    LoginTimeout,
    NameNotResolved,
)
from ipsecmon.model import SessionFacts
from ipsecmon.sessions.algorithms import Agreement, Offer, mismatch, weak
from ipsecmon.sessions.host_keys import AnyHostKey, fingerprint
from ipsecmon.sessions.private_keys import PrivateKeyUnusable
from ipsecmon.sessions.protocol import OfferedKey, OnStep, Step, StepName, Target
from ipsecmon.sessions.terminal import evidence
from ipsecmon.sessions.ways import SocketLike

__all__ = ["Opening", "hang_up", "shut"]

_VERSION_START = b"SSH-"
# a device that is gone is noticed between two polls, and firewalls keep the connection in mind
_KEEPALIVE_SECONDS = 60


class Opening:
    """One attempt to open a session with ``target`` within ``timeout`` seconds; keeps the time and tells ``on_step``."""

    def __init__(
        self,
        target: Target,
        timeout: float,
        on_step: OnStep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.target = target
        self.where = f"{target.host}:{target.port}"
        self._on_step = on_step
        self._clock = clock
        self._opened_by = clock() + timeout
        self._begun = clock()
        self._doing = StepName.RESOLVE
        self._speaks_ssh = False

    @property
    def on_step(self) -> OnStep:
        """Who hears of steps."""
        return self._on_step

    @property
    def left(self) -> float:
        """Seconds left for all that is to come."""
        return max(0.0, self._opened_by - self._clock())

    @property
    def step_seconds(self) -> float:
        """Seconds that one step may take from now on."""
        return min(self.target.connect_timeout, self.left)

    @property
    def doing(self) -> StepName:
        """The step under way."""
        return self._doing

    def begin(self, name: StepName) -> float:
        """A step starts; the seconds it may take."""
        self._doing, self._begun = name, self._clock()
        if self.left <= 0:
            raise self.out_of_time()
        return self.step_seconds

    def done(self, seen: str) -> None:
        """The step is over, and this is what there was to see."""
        self._on_step(Step(name=self._doing, seconds=self._clock() - self._begun, seen=seen))

    # name and TCP

    def tcp(self) -> socket.socket:
        """A TCP connection to the first address that answers, on which an SSH server has begun to speak."""
        addresses = self._addresses()
        seconds = self.begin(StepName.TCP)
        connection = self._connected(addresses, seconds)
        try:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if hasattr(socket, "TCP_KEEPIDLE"):  # not on every system
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEPALIVE_SECONDS)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.done(str(connection.getpeername()[0]))
            self._await_version(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _addresses(self) -> Sequence[tuple[socket.AddressFamily, tuple[object, ...]]]:
        host, port = self.target.host, self.target.port
        seconds = self.begin(StepName.RESOLVE)
        try:
            found = _resolved(host, port, seconds)
        except (socket.gaierror, UnicodeError, TimeoutError) as error:
            raise NameNotResolved(
                f"the name {host!r} has no address ({error}); check 'host' and the resolver"
            ) from error
        addresses = [
            (socket.AddressFamily(family), tuple(address)) for family, _, _, _, address in found
        ]
        self.done(", ".join(dict.fromkeys(str(address[0]) for _, address in addresses)))
        return addresses

    def _connected(
        self, addresses: Sequence[tuple[socket.AddressFamily, tuple[object, ...]]], seconds: float
    ) -> socket.socket:
        deadline = self._clock() + seconds
        failure: OSError | None = None
        for family, address in addresses:
            connection = socket.socket(family, socket.SOCK_STREAM)
            connection.settimeout(max(0.1, deadline - self._clock()))
            try:
                connection.connect(address)
            except OSError as error:
                connection.close()
                failure = error
            else:
                return connection
        cause = (
            f"no answer within {seconds:.3g} s"
            if isinstance(failure, TimeoutError)
            else str(failure.strerror if failure and failure.strerror else failure).lower()
        )
        raise ConnectFailed(
            f"no TCP connection to {self.where}: {cause}; check address, port, routing and filters"
        ) from failure

    def _await_version(self, connection: socket.socket) -> None:
        """Look at the first bytes without taking them: what is no SSH server gets a name of its own."""
        seconds = self.begin(StepName.KEY_EXCHANGE)
        connection.settimeout(seconds)
        try:
            first = connection.recv(255, socket.MSG_PEEK)
        except TimeoutError:
            raise self.silent(seconds) from None
        except OSError as error:
            raise self.closed() from error
        if not first:
            raise self.closed()
        if not first.startswith(_VERSION_START[: len(first)]):
            raise self.no_ssh(first)
        self._speaks_ssh = first.startswith(_VERSION_START)

    # what was agreed on

    def facts(
        self,
        *,
        address: str,
        server_version: str,
        agreed: Agreement,
        key: OfferedKey,
        prompt: str,
        opened_at: float,
    ) -> SessionFacts:
        """What is kept of a session that is open."""
        return SessionFacts(
            address=address,
            server_version=server_version,
            kex=agreed.kex,
            host_key=agreed.host_key,
            cipher=agreed.cipher,
            mac=agreed.mac,
            prompt=prompt,
            weak=weak(agreed),
            host_key_fingerprint=_sha256(key),
            is_host_key_verified=not isinstance(self.target.host_keys, AnyHostKey),
            opened_at=opened_at,
        )

    def accept(self, key: OfferedKey) -> None:
        """Ask whether the host key is good."""
        self.target.host_keys.accept(self.target.host, self.target.port, key)
        self.done(fingerprint(key))

    # what goes wrong

    def out_of_time(self) -> CollectionError:
        """The poll's time is up."""
        return LoginTimeout(
            f"{self.where}: the poll's time was up before the login was complete ({self._doing}); "
            f"raise the poll's timeout or lower connect_timeout"
        )

    def silent(self, seconds: float) -> CollectionError:
        """No step forward in time."""
        if self._doing is StepName.AUTHENTICATION:
            return LoginTimeout(
                f"{self.where}: the device did not judge the login within {seconds:.3g} s; "
                f"see whether its AAA server answers, or raise connect_timeout"
            )
        if self._speaks_ssh or self._doing in (StepName.HOST_KEY, StepName.PROMPT):
            return ConnectFailed(
                f"{self.where}: SSH answers there, but the {self._doing} was not over within {seconds:.3g} s; "
                f"see how busy the device is, or raise connect_timeout"
            )
        return ConnectFailed(
            f"{self.where}: what answers there does not speak SSH, or not within {seconds:.3g} s; check 'port'"
        )

    def no_ssh(self, first: bytes) -> CollectionError:
        """Something else listens on the port."""
        return ConnectFailed(
            f"{self.where}: what answers there does not speak SSH; check 'port'",
            evidence=evidence(first),
        )

    def closed(self) -> CollectionError:
        """The device hung up before there was a session."""
        if self._doing in (StepName.KEY_EXCHANGE, StepName.TCP):
            return ConnectFailed(
                f"{self.where}: the device closed the connection before the login; no free vty line? "
                f"see 'show users' there, its access-class and its SSH server"
            )
        return LoginClosed(
            f"{self.where}: the device closed the connection during the login; no free vty line? "
            f"see 'show users' there and whether its AAA server answers"
        )

    def refused(self, tried: str) -> CollectionError:
        """The device does not take our word."""
        return AuthenticationFailed(
            f"{self.where}: the device refused user {self.target.username!r} ({tried}); "
            f"check user name and {tried}"
        )

    def unreadable_key(self, error: PrivateKeyUnusable) -> CollectionError:
        """The private key is not to be had."""
        return KeyUnusable(f"{self.where}: {error}; check the file and its passphrase")

    def no_ways(self) -> CollectionError:
        """Jump hosts are configured, and nothing here knows how to go through them."""
        return ConnectFailed(
            f"{self.where}: the way through {self.target.jumps[0].name} is not available here"
        )

    def no_way_through(self, error: Exception) -> CollectionError:
        """The last jump host does not reach the device."""
        last = self.target.jumps[-1].name if self.target.jumps else "the jump host"
        return ConnectFailed(
            f"no TCP connection to {self.where} from {last}: {_first_line(error)}; "
            f"check address and port, and whether {last} may forward there"
        )

    def no_agent(self) -> CollectionError:
        """The agent does not answer."""
        return KeyUnusable(
            f"{self.where}: no ssh-agent answers at SSH_AUTH_SOCK; start one or turn 'agent' off for this credential"
        )

    def no_match(self, theirs: Offer | None, library: Offer, advice: str) -> CollectionError | None:
        """The two sides have no algorithm in common, if that is so as far as the device's offer is known."""
        profile = self.target.profile
        said = mismatch(profile, theirs, library=library, advice=advice) if theirs else None
        return KeyExchangeFailed(f"{self.where}: {said}") if said else None

    def no_key_exchange(self, error: Exception) -> CollectionError:
        """The lists are not to blame, or not known."""
        return KeyExchangeFailed(
            f"{self.where}: no key exchange: {_first_line(error)}; see the device's SSH settings"
        )

    def other(self, error: Exception) -> CollectionError:
        """What has no name of its own."""
        return ConnectFailed(f"{self.where}: no SSH session: {_first_line(error)}")


_Found = Sequence[tuple[int, int, int, str, tuple[object, ...]]]


def _resolved(host: str, port: int, seconds: float) -> _Found:
    """What ``getaddrinfo`` says within ``seconds``, else ``TimeoutError``: of itself it may take half a minute."""
    look = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    with suppress(ValueError):
        ipaddress.ip_address(host)
        return look()  # nobody is asked
    outcome: Future[_Found] = Future()

    def answer() -> None:
        try:
            outcome.set_result(look())
        except Exception as error:  # noqa: BLE001 # raised in the thread that waits
            outcome.set_exception(error)

    threading.Thread(target=answer, name=f"resolve {host}", daemon=True).start()
    try:
        return outcome.result(seconds)
    except TimeoutError:
        raise TimeoutError(f"no answer within {seconds:.3g} s") from None


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _sha256(key: OfferedKey) -> str:
    digest = base64.b64encode(hashlib.sha256(key.blob).digest()).decode("ascii").rstrip("=")
    return f"SHA256:{digest}"


def hang_up(connection: SocketLike) -> None:
    """Wake whoever reads from it; never raises."""
    with suppress(OSError, EOFError):
        if isinstance(connection, socket.socket):
            connection.shutdown(socket.SHUT_RDWR)
        else:
            connection.close()


def shut(connection: SocketLike) -> None:
    """Hang up and close it; never raises."""
    hang_up(connection)
    with suppress(OSError, EOFError):
        connection.close()
