"""Topologies: the packaged one, generated ones, and what is refused."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ipsecmon.lab.topology import Topology, hub, load_topology, two_sites

DOCUMENTATION = [
    IPv4Network(prefix) for prefix in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
]
BENCHMARK = IPv4Network("198.18.0.0/15")


def test_the_two_sites_are_the_tutorials() -> None:
    site1, site2 = two_sites().routers

    assert (site1.name, str(site1.address), site1.dialect) == ("Site1", "92.1.1.1", "ios-12.4")
    assert (site2.name, str(site2.address), site2.dialect) == ("Site2", "123.1.1.2", "ios-15")
    assert (site1.interface, site1.crypto_map.name) == ("Serial0/0", "CRYPTO")
    assert site1.isakmp_policies[0].number != site2.isakmp_policies[0].number


def test_a_topology_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "lab.yaml"
    path.write_text(
        "routers:\n"
        "  - {name: R1, dialect: ios-15, interface: Gi0/0, address: 192.0.2.1, crypto_map: {name: M}}\n"
    )

    assert load_topology(path).router("R1").sa_lifetime_seconds == 3600


def test_a_small_hub_stands_on_documentation_addresses() -> None:
    for router in hub(761).routers:
        assert any(router.address in prefix for prefix in DOCUMENTATION)


def test_a_large_hub_overflows_into_the_benchmark_range() -> None:
    routers = hub(4000).routers
    outside = [
        router.address
        for router in routers
        if not any(router.address in prefix for prefix in DOCUMENTATION)
    ]

    assert len(outside) == 4001 - 762
    assert all(address in BENCHMARK for address in outside)
    assert len({router.address for router in routers}) == 4001


def _site1(**changes: Any) -> dict[str, Any]:
    topology = two_sites().model_dump()
    topology["routers"][0].update(changes)
    return topology


@pytest.mark.parametrize(
    ("topology", "message"),
    [
        (_site1(name="Site2"), "two routers have the name Site2"),
        (_site1(address="123.1.1.2"), "two routers have the address 123.1.1.2"),
        (_site1(sa_lifetime_kilobytes=None), "12.4 cannot disable the volume lifetime"),
        (_site1(access_lists={}), "no access list '101'"),
        (_site1(transform_sets={}), "no transform set 'TSET'"),
        (_site1(colour="red"), "Extra inputs are not permitted"),
        (_site1(transform_sets={"TSET": {"transforms": ["ah-md5-hmac"]}}), "String should match"),
    ],
)
def test_a_mistake_is_named(topology: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Topology.model_validate(topology)


@pytest.mark.parametrize("spokes", [0, 65537])
def test_a_hub_has_a_size(spokes: int) -> None:
    with pytest.raises(ValueError, match="1 to 65536 spokes"):
        hub(spokes)
