"""A lab as a process of its own, so that a benchmark measures the collector and not the routers.

    python -m ipsecmon.lab.serve --routers 200 --port-file lab.json

The file is a JSON object, written when all listen: ``endpoints`` (name to host and port), ``known_hosts`` (text),
``username``, ``password``, ``enable_secret``, ``platform`` and, with ``--jump-host``, ``jump_host`` (host and port; its user
and password are those of the routers). Many names share the simulation of a few routers, and an answer is rendered once in
a second. A line on standard input is a JSON object ``{"router": NAME, "faults": {...}}`` with fields of ``Faults`` to
change. It ends at the end of standard input, or with SIGTERM.
"""

from __future__ import annotations

import argparse
import json
import resource
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from ipsecmon.lab.ssh import Lab
from ipsecmon.lab.topology import SshAge, Topology, hub

__all__ = ["main", "many_routers"]

_WARM_UP_SECONDS = 120.0
_JUMP_HOST = "jump"


def many_routers(routers: int, tunnels: int, *, ssh: SshAge = "modern", **options: Any) -> Lab:
    """A lab, not started, of so many endpoints ``r0001``... that all answer as a hub with so many tunnels."""
    around = hub(tunnels)
    name = around.routers[0].name
    as_old = [router.model_copy(update={"ssh": ssh}) for router in around.routers]
    topology = Topology(routers=tuple(as_old), traffic=around.traffic)
    return Lab(
        topology,
        warm_up=_WARM_UP_SECONDS,
        serve=(),
        aliases={f"r{number:04}": name for number in range(1, routers + 1)},
        cache_answers=True,
        **options,
    )


def main(arguments: Sequence[str] | None = None, control: IO[str] | None = None) -> None:
    """Serve until ``control``, standard input if not given, ends."""
    options = _parser().parse_args(arguments)
    _allow_many_sockets()
    signal.signal(signal.SIGTERM, _end)
    lab = many_routers(options.routers, options.tunnels, ssh=options.ssh, speed=options.speed)
    with lab:
        router = lab.topology.routers[0]
        described: dict[str, Any] = {
            "endpoints": lab.endpoints,
            "username": router.username,
            "password": router.password,
            "enable_secret": router.enable_secret,
            "platform": "iosxe",
        }
        if options.jump_host:
            described["jump_host"] = lab.add_jump_host(_JUMP_HOST, router.username, router.password)
        described["known_hosts"] = lab.known_hosts
        _write_whole(options.port_file, json.dumps(described, indent=1) + "\n")
        for line in control or sys.stdin:
            order = json.loads(line)
            lab.set_fault(order["router"], **order["faults"])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ipsecmon.lab.serve", description=__doc__)
    parser.add_argument("--routers", type=int, required=True, help="how many endpoints listen")
    parser.add_argument("--port-file", type=Path, required=True, help="where the JSON is written")
    parser.add_argument("--tunnels", type=int, default=5, help="tunnels of each, 5 by default")
    parser.add_argument(
        "--ssh",
        choices=("modern", "iosxe16", "ios15", "ios12"),
        default="modern",
        help="the age of their SSH servers",
    )
    parser.add_argument("--speed", type=float, default=1.0, help="lab seconds to a second")
    parser.add_argument("--jump-host", action="store_true", help="listen with a jump host too")
    return parser


def _allow_many_sockets() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _end(number: int, frame: object) -> None:  # noqa: ARG001 - a signal handler is called so
    raise SystemExit(0)


def _write_whole(path: Path, text: str) -> None:
    """Whoever waits for the file never reads a part of it."""
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


if __name__ == "__main__":
    main()
