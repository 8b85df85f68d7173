"""The bytes in which a device is remembered: what goes in comes out, and nothing else is taken for it."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from typing import Any

import pytest

from ipsecmon.history.memory import MemoryDamaged, pack, reduced, unpack
from ipsecmon.model import Link, LinkProof, Loss, Status
from ipsecmon_parsers.records import AccessEntry, CryptoMapEntry, FlowKind, TransformSet
from recorded import AT, failed, poll, tunnel

LINK = Link(
    device="Site1",
    tunnel="a",
    remote_device="Site2",
    remote_tunnel="b",
    proof=LinkProof.LEARNED,
    is_spi_pair_matched=None,
    sent_loss=Loss(ratio=0.01, error=0.001, packets=5000, seconds=60.0),
)
RICH = poll(
    tunnels=(
        tunnel(1),
        tunnel(2, status=Status.DOWN_DEMANDED, is_listed=False, sent_bytes_per_second=1.5),
        tunnel(3, flow=replace(tunnel(3).flow, kind=FlowKind.DMVPN, peer=None, flags=("a", "b"))),
    ),
    links=(LINK,),
)


def changed(steps: tuple[str | int, ...], value: object) -> bytes:
    """A memory with another value at one place, as another version may have written it; ``None`` removes it."""
    document = json.loads(zlib.decompress(pack(RICH)))
    *way, last = steps
    place: Any = document
    for step in way:
        place = place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return zlib.compress(json.dumps(document).encode())


@pytest.mark.parametrize(
    "result",
    [
        RICH,
        failed(RICH, at=AT + 60),
        poll(read_at=None, tunnels=(), ike_peers=(), outputs=()),
        poll(tunnels=tuple(tunnel(number) for number in range(3, 200))),
    ],
)
def test_what_goes_in_reduced_comes_out(result: Any) -> None:
    assert reduced(result) == unpack(pack(result))


def test_a_crypto_map_comes_out_whole() -> None:
    entry = CryptoMapEntry(
        name="CRYPTO",
        sequence=10,
        peers=("203.0.113.2", "203.0.113.3"),
        access_entries=(AccessEntry(action="permit", text="permit ip any any"),),
        transform_sets=(TransformSet(name="TS", transforms=("esp-aes 256",)),),
        has_pfs=False,
    )

    assert unpack(pack(poll(crypto_map=(entry,)))).crypto_map == (entry,)


def test_a_field_of_a_newer_version_is_passed_over() -> None:
    value = changed(("tunnels", 0, "memory", "later"), 1)

    assert reduced(RICH) == unpack(value)


def test_a_field_that_an_older_version_did_not_write_takes_its_default() -> None:
    value = changed(("tunnels", 0, "memory", "flaps"), None)

    assert [one.memory.flaps for one in unpack(value).tunnels] == [0, 2, 2]


@pytest.mark.parametrize(
    ("steps", "value", "place"),
    [
        (("tunnels", 1, "status"), "sideways", r"tunnels\.1\.status"),
        (("tunnels", 0, "memory", "first_seen_at"), None, "first_seen_at"),
        (("read_at",), "yesterday", "read_at"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(
    steps: tuple[str | int, ...], value: object, place: str
) -> None:
    with pytest.raises(MemoryDamaged, match=place):
        unpack(changed(steps, value))


@pytest.mark.parametrize("end", [0, 1, 10, -1])
def test_torn_bytes_are_refused(end: int) -> None:
    with pytest.raises(MemoryDamaged):
        unpack(pack(RICH)[:end])


def test_a_flipped_bit_is_refused() -> None:
    value = bytearray(pack(RICH))
    value[len(value) // 2] ^= 0x10

    with pytest.raises(MemoryDamaged):
        unpack(bytes(value))
