"""``make bench-metrics``: how fast the metrics of hubs of several sizes are rendered and scraped, beside prometheus_client.

Both write the same samples in the same run. Rendering happens once per poll, a scrape joins what was rendered; the
reference, ``generate_latest``, writes everything at each scrape, and is given ready families: filling them is not counted.
"""

from __future__ import annotations

import argparse
import gc
import gzip
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from factories import flow, ident, pair
from ipsecmon.config import Tier
from ipsecmon.metrics import Format, exposition, render_result
from ipsecmon.model import IkePeer, Link, PollResult, SaMark, Status, TunnelState
from ipsecmon.store import Entry
from metrics_fleet import READ_AT, busy_tunnel, result
from prometheus_reference import as_openmetrics, as_text, families_of

__all__ = ["hub_result", "main"]

_SIZES = (100, 1000, 4000)
_LONGEST_SECONDS = 4.0


def hub_result(tunnels: int) -> PollResult:
    """A hub whose tunnels are all up, remember a day and have their other end polled."""
    one = result()
    states = tuple(_state(number) for number in range(tunnels))
    return replace(
        one,
        tunnels=states,
        ike_peers=tuple(_peer(one.ike_peers[0], state) for state in states),
        links=tuple(_link(one.links[0], state) for state in states),
    )


def _state(number: int) -> TunnelState:
    busy = busy_tunnel()
    peer = f"198.51.{number // 250}.{number % 250 + 1}"
    seconds, kilobytes = 3600 - number % 3500, 4_608_000 - 997 * (number % 4000)
    spis = 0x10000000 + number * 7919, 0x80000000 + number * 104729
    inbound, outbound = pair(*spis, remaining_seconds=seconds, remaining_kilobytes=kilobytes)
    mark = SaMark(
        spi=spis[0],
        at=READ_AT,
        remaining_seconds=seconds,
        remaining_kilobytes=kilobytes,
        expires_at=READ_AT + seconds,
    )
    network = f"10.{100 + number // 250}.{number % 250}.0"
    memory = replace(
        busy.memory,
        inbound=mark,
        outbound=replace(mark, spi=spis[1]),
        sent_kilobytes=number * 1013,
        received_kilobytes=number * 2027,
        peers=(peer,),
    )
    return replace(
        busy,
        name=f"CRYPTO/10.1.1.0_24-{network}_24",
        flow=flow(
            inbound,
            outbound,
            remote_ident=ident(f"{network}/24"),
            peer=peer,
            encaps_packets=number * 7001,
            decaps_packets=number * 6007,
        ),
        status=Status.UP,
        memory=memory,
        inbound=inbound,
        outbound=outbound,
        expected=None,
    )


def _peer(one: IkePeer, state: TunnelState) -> IkePeer:
    return replace(one, peer=state.peer)


def _link(one: Link, state: TunnelState) -> Link:
    return replace(one, tunnel=state.name, remote_device=f"branch-{state.peer}")


def _seconds(run: Callable[[], object]) -> float:
    """Processor time, the median of up to 15 runs."""
    run()
    took: list[float] = []
    started = time.process_time()
    while len(took) < 3 or (len(took) < 15 and time.process_time() - started < _LONGEST_SECONDS):
        gc.collect()
        before = time.process_time()
        made = run()
        took.append(time.process_time() - before)
        del made
    return statistics.median(took)


def _resident_megabytes() -> float:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


@dataclass(frozen=True, slots=True)
class _Held:
    """What stays in memory between two polls."""

    rendered: Mapping[str, bytes]
    megabytes: float
    resident_megabytes: float


def _held(hub: PollResult, tier: Tier) -> _Held:
    gc.collect()
    before = _resident_megabytes()
    copies = [render_result(hub, tier) for _ in range(5)]  # five, for what the allocator rounds
    gc.collect()
    after = _resident_megabytes()
    size = sum(sys.getsizeof(lines) for lines in copies[0].values())
    return _Held(copies[0], size / 1e6, (after - before) / len(copies))


def _size(tunnels: int, tier: Tier) -> None:
    hub = hub_result(tunnels)
    held = _held(hub, tier)
    entries = {hub.device: Entry(hub, held.rendered)}
    stale_after = {hub.device: 180.0}

    def scrape(form: Format) -> bytes:
        return exposition(entries, None, stale_after, READ_AT, form)

    text = scrape(Format.TEXT)
    samples = sum(lines.count(b"\n") for lines in held.rendered.values())
    print(f"\n{tunnels:,} tunnels, {tier} tier: {samples:,} samples, {len(text) / 1e6:.2f} MB")
    families = families_of(text.decode())
    if as_text(families) != text:
        raise SystemExit("the reference writes these samples differently: nothing was measured")
    reference = _seconds(lambda: as_text(families))
    rows = {
        "generate_latest, text": reference,
        "generate_latest, OpenMetrics": _seconds(lambda: as_openmetrics(families)),
        "our render, once a poll": _seconds(lambda: render_result(hub, tier)),
        "our scrape, text": _seconds(lambda: scrape(Format.TEXT)),
        "our scrape, OpenMetrics": _seconds(lambda: scrape(Format.OPENMETRICS)),
        "gzip of it, level 1": _seconds(lambda: gzip.compress(text, compresslevel=1)),
    }
    for name, took in rows.items():
        print(f"  {name:30} {took * 1e3:9.2f} ms  {reference / took:8.1f} x generate_latest")
    packed = len(gzip.compress(text, compresslevel=1)) / 1e6
    print(
        f"  held between polls: {held.megabytes:.2f} MB of bytes, {held.resident_megabytes:.2f} MB resident; "
        f"compressed {packed:.2f} MB",
        flush=True,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=list(_SIZES))
    parser.add_argument("--tier", type=Tier, default=Tier.STANDARD, choices=list(Tier))
    arguments = parser.parse_args()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores")
    for size in arguments.sizes:
        _size(size, arguments.tier)
    return 0


if __name__ == "__main__":
    sys.exit(main())
