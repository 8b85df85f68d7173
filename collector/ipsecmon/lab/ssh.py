"""Real SSH servers for an emulated network: one loopback port for each router, and for each jump host.

    with Lab(two_sites(), speed=60, warm_up=120) as lab:
        host, port = lab.endpoints["Site1"]

One background thread runs one event loop; the simulation lives in that thread too, so nothing is locked: other threads
reach it through ``Lab.run`` and the methods here. They may also be called from within that thread.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any, Final, Literal, Self, TypeVar

import asyncssh

from ipsecmon.lab.algorithms import new_host_key
from ipsecmon.lab.faults import Faults
from ipsecmon.lab.listening import HOST
from ipsecmon.lab.network import Network
from ipsecmon.lab.serving import Answer, Endpoint, JumpHost, RouterServer
from ipsecmon.lab.shows import show
from ipsecmon.lab.topology import SshAge, Topology

__all__ = ["Answer", "Lab", "run_lab"]

T = TypeVar("T")

_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 10.0
# how often a router that boots is asked whether it is up
_BOOT_SECONDS: Final = 0.05


class Lab:
    """An emulated network that listens; a context manager, or ``start`` and ``stop``.

    Lab time runs ``speed`` times as fast as the clock on the wall, from ``warm_up`` on. ``serve`` names the
    routers that listen, all of them if it is not given; ``ports`` fixes ports, the others are free ones.

    ``aliases`` are further names, each with a port, faults and counters of its own, whose answers are those of a router:
    thousands of devices on the simulation of a few. With ``cache_answers`` an answer is rendered once in a lab second,
    however many ask. With ``keeps_truth`` each of ``answers`` carries the truth of its moment.
    """

    def __init__(
        self,
        topology: Topology,
        *,
        speed: float = 1.0,
        seed: int = 0,
        warm_up: float = 0.0,
        serve: Collection[str] | None = None,
        ports: dict[str, int] | None = None,
        aliases: Mapping[str, str] | None = None,
        cache_answers: bool = False,
        keeps_truth: bool = False,
    ) -> None:
        self.endpoints: dict[str, tuple[str, int]] = {}
        self.jump_hosts: dict[str, tuple[str, int]] = {}
        self.topology = topology
        self._speed = speed
        self._seed = seed
        self._warm_up = warm_up
        self._caches_answers = cache_answers
        self._cached: dict[tuple[str, str, int, int], str] = {}
        self._cached_second = -1
        self._started_at = 0.0
        self._network: Network | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread: threading.Thread | None = None
        self._jump_hosts: dict[str, JumpHost] = {}
        self._routers = {
            name: RouterServer(
                name,
                topology.router(router),
                self._current_network,
                clock=self.now,
                render=self._render,
                keeps_truth=keeps_truth,
                port=(ports or {}).get(name, 0),
                key=key,
            )
            for name, router, key in self._named_with_keys(topology, serve, aliases or {})
        }

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listen; returns when every router does."""
        self._thread = threading.Thread(target=self._run_loop, name="lab", daemon=True)
        self._thread.start()
        is_ready = self._ready.wait(_START_SECONDS + self._warm_up)
        if self._failure is not None:
            self._thread.join(_STOP_SECONDS)
            raise self._failure
        if not is_ready:
            self.stop()
            raise TimeoutError("the lab did not start listening in time")

    def stop(self) -> None:
        """Close every connection and every port and end the thread; harmless when repeated."""
        thread, loop, stopping = self._thread, self._loop, self._stopping
        if thread is None:
            return
        if loop is not None and stopping is not None and not loop.is_closed():
            loop.call_soon_threadsafe(stopping.set)
        thread.join(_STOP_SECONDS)
        if thread.is_alive():
            raise TimeoutError("the lab did not stop in time")
        self._thread = None

    def run(self, action: Callable[[Network], T]) -> T:
        """Call ``action`` with the network as of now, in the lab's own thread, and return its result.

        lab.run(lambda network: network.set_unreachable("Site1", "Site2"))
        """
        return self._in_loop(lambda: action(self._current_network()))

    def now(self) -> float:
        """The lab second it is."""
        return self._warm_up + (time.monotonic() - self._started_at) * self._speed

    @property
    def known_hosts(self) -> str:
        """The host keys of all that listens, jump hosts included, as a ``known_hosts`` file of now."""
        return "".join(endpoint.known_hosts_line for endpoint in self._all())

    # how it misbehaves; names are those of routers, aliases and jump hosts

    def set_fault(self, router: str, **changes: Any) -> None:
        """Change fields of the router's ``Faults``; the next connection or command meets them."""
        self._set_faults(self._endpoint(router), replace(self._endpoint(router).faults, **changes))

    def clear_faults(self, router: str) -> None:
        """Let the router behave again; a session that hangs stays hung."""
        self._set_faults(self._endpoint(router), Faults())

    def break_connections(self, router: str, how: Literal["close", "reset"] = "reset") -> None:
        """End every connection to the router at once, by FIN or by RST; it goes on listening."""
        endpoint = self._endpoint(router)
        self._in_loop(lambda: endpoint.break_connections(how))

    def change_host_key(self, router: str) -> Callable[[], None]:
        """Give the router a fresh host key, as after a replacement; ``known_hosts`` has the new one from then on.

        Call what is returned to give it the old one again.
        """
        restore = self._in_loop(self._endpoint(router).change_host_key)
        return lambda: self._in_loop(restore)

    def set_password(self, router: str, password: str) -> None:
        """Let in only who knows this password from now on; sessions that stand go on."""
        self._endpoint(router).password = password

    def authorize_key(self, router: str, public_key: str) -> None:
        """Let the router's user in with this key too, a line as in ``id_ed25519.pub``."""
        self._endpoint(router).authorized_keys.append(asyncssh.import_public_key(public_key))

    # jump hosts

    def add_jump_host(self, name: str, username: str, password: str) -> tuple[str, int]:
        """Listen with an SSH server that carries connections to this lab's own ports alone; returns host and port."""
        if name in self._routers or name in self._jump_hosts:
            raise ValueError(f"the lab has {name!r} already")

        def add() -> tuple[str, int]:
            jump = JumpHost(name, username=username, password=password, targets=self._ports_of_all)
            jump.listen_if_due()
            self._jump_hosts[name] = jump
            self.jump_hosts[name] = HOST, jump.listener.port
            return self.jump_hosts[name]

        return self._in_loop(add)

    def stop_jump_host(self, name: str) -> None:
        """Take it down with every connection that goes through it."""
        self._run_jump_host(name, is_running=False)

    def start_jump_host(self, name: str) -> None:
        """Let it listen again, on the same port."""
        self._run_jump_host(name, is_running=True)

    # what it has seen

    def logins(self, router: str) -> int:
        """How often somebody was let in."""
        return self._seen(lambda: self._endpoint(router).logins)

    def failed_logins(self, router: str) -> int:
        """How many passwords were refused."""
        return self._seen(lambda: self._endpoint(router).failed_logins)

    def connections_open(self, router: str) -> int:
        """How many SSH connections stand now, those that have not logged in yet included."""
        return self._seen(lambda: self._endpoint(router).connections_open)

    def commands_received(self, router: str) -> list[str]:
        """Every line that was typed at the router's prompt, as it was typed, over all sessions; no passwords."""
        return self._seen(lambda: list(self._router(router).lines))

    def answers(self, router: str) -> dict[str, Answer]:
        """The last answer to each show command, in full words, before any fault spoilt it."""
        return self._seen(lambda: dict(self._router(router).answers))

    # in the lab's thread

    def _named_with_keys(
        self, topology: Topology, serve: Collection[str] | None, aliases: Mapping[str, str]
    ) -> list[tuple[str, str, asyncssh.SSHKey | None]]:
        """Endpoint, router and host key; RSA keys take long to make, so those of one age are one key."""
        names = [router.name for router in topology.routers]
        named = {name: name for name in names if serve is None or name in serve} | dict(aliases)
        keys: dict[SshAge, asyncssh.SSHKey] = {}
        result: list[tuple[str, str, asyncssh.SSHKey | None]] = []
        for name, router in named.items():
            age = topology.router(router).ssh
            if age != "modern" and age not in keys:
                keys[age] = new_host_key(age)
            result.append((name, router, keys.get(age)))
        return result

    def _all(self) -> list[Endpoint]:
        return [*self._routers.values(), *self._jump_hosts.values()]

    def _endpoint(self, name: str) -> Endpoint:
        return self._jump_hosts[name] if name in self._jump_hosts else self._router(name)

    def _router(self, name: str) -> RouterServer:
        if name not in self._routers:
            raise KeyError(f"the lab serves no {name!r}")
        return self._routers[name]

    def _ports_of_all(self) -> set[tuple[str, int]]:
        return {(HOST, endpoint.listener.port) for endpoint in self._all()}

    def _in_loop(self, action: Callable[[], T]) -> T:
        """Call it in the lab's thread, from whichever thread this is."""
        loop = self._loop
        if loop is None or self._thread is None:
            raise RuntimeError("the lab is not running")
        if threading.current_thread() is self._thread:
            return action()

        async def call() -> T:
            return action()

        return asyncio.run_coroutine_threadsafe(call(), loop).result()

    def _seen(self, look: Callable[[], T]) -> T:
        """Look from the lab's thread, between two things that happen there, while it runs."""
        return look() if self._thread is None else self._in_loop(look)

    def _set_faults(self, endpoint: Endpoint, faults: Faults) -> None:
        is_listening_changed = "refuse" in (endpoint.faults.login, faults.login)
        endpoint.faults = faults
        if is_listening_changed and self._thread is not None:
            self._in_loop(endpoint.listen_if_due)

    def _run_jump_host(self, name: str, *, is_running: bool) -> None:
        jump = self._jump_hosts[name]

        def apply() -> None:
            jump.is_running = is_running
            jump.listen_if_due()
            if not is_running:
                jump.break_connections("close")

        self._in_loop(apply)

    def _current_network(self) -> Network:
        if self._network is None:
            raise RuntimeError("the lab is not running")
        self._network.run_until(self.now())
        return self._network

    def _render(self, router: str, command: str, privilege: int, cpu_percent: int) -> str:
        network = self._current_network()
        if not self._caches_answers:
            return show(network, router, command, privilege, cpu_percent=cpu_percent)
        if self._cached_second != int(network.now):
            self._cached_second = int(network.now)
            self._cached.clear()
        key = (router, command, privilege, cpu_percent)
        if key not in self._cached:
            self._cached[key] = show(network, router, command, privilege, cpu_percent=cpu_percent)
        return self._cached[key]

    def _power_changed(self, router: str) -> None:
        """A router went down, and its connections with it, or it has booted."""
        for endpoint in self._routers.values():
            if endpoint.router.name == router:
                # not at once: this is called while lab time runs, and looking at the network lets it run
                asyncio.get_running_loop().call_soon(self._follow_power, endpoint)

    def _follow_power(self, endpoint: RouterServer) -> None:
        network = self._network
        if network is None or network.is_up(endpoint.router.name):
            endpoint.listen_if_due()
            return
        endpoint.listener.shut()
        endpoint.break_connections("reset")
        self._look_whether_booted(endpoint)

    def _look_whether_booted(self, endpoint: RouterServer) -> None:
        if not endpoint.may_listen():
            asyncio.get_running_loop().call_later(
                _BOOT_SECONDS, self._look_whether_booted, endpoint
            )

    def _run_loop(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - handed to the thread that called start
            self._failure = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        network = Network(self.topology, seed=self._seed)
        network.run_until(self._warm_up)
        self._started_at = time.monotonic()
        self._network = network
        try:
            for name, endpoint in self._routers.items():
                endpoint.listen_if_due()
                self.endpoints[name] = (HOST, endpoint.listener.port)
            network.on_power(self._power_changed)
            self._ready.set()
            await self._stopping.wait()
        finally:
            await asyncio.gather(*(endpoint.stop() for endpoint in self._all()))


def run_lab(
    topology: Topology, speed: float = 1.0, *, warm_up: float = 120.0, seed: int = 0
) -> Lab:
    """Start a lab with its tunnels up; whoever called it stops it."""
    lab = Lab(topology, speed=speed, warm_up=warm_up, seed=seed)
    lab.start()
    return lab
