"""Whatever is done to the network, in whatever order: it stays consistent, and it heals."""

from __future__ import annotations

from random import Random

import pytest

from ipsecmon.lab.network import Network
from ipsecmon_parsers.records import Direction

from .sites import flow_of, network_of, sas_of, states_of, traffic

SITES = ("Site1", "Site2")


def trouble(network: Network, random: Random) -> None:
    """One thing that goes wrong or is put right."""
    one, other = random.sample(SITES, 2)
    match random.randrange(8):
        case 0:
            network.clear_sa(one)
        case 1:
            network.clear_session(one)
        case 2:
            network.clear_sa_counters(one)
        case 3:
            network.set_unreachable(one, other)
        case 4 | 5:
            network.set_unreachable(one, other, is_unreachable=False)
        case 6:
            network.set_wrong_key(one, other, is_wrong=random.random() < 0.5)
        case _:
            network.set_loss(one, other, random.choice([0, 0.2, 1]))


def check(network: Network) -> None:
    here, there = flow_of(network, "Site1"), flow_of(network, "Site2")
    for flow in (here, there):
        spis = [sa.spi for sa in sas_of(flow, Direction.OUTBOUND)]
        assert len(set(spis)) == len(spis) == len(sas_of(flow, Direction.INBOUND))
        assert flow.current_outbound_spi in (spis or [0])
        for sa in flow.sas:
            assert 0 <= (sa.remaining_seconds or 0) <= 3600
            assert 0 <= (sa.remaining_kilobytes or 0) <= 10240
    inbound = {sa.spi: sa for sa in sas_of(there, Direction.INBOUND)}
    for sa in sas_of(here, Direction.OUTBOUND):
        if sa.spi in inbound:
            assert sa.remaining_seconds == inbound[sa.spi].remaining_seconds
    for router in SITES:
        established = [sa for sa in network.ike_sas(router) if sa.is_established]
        assert len(established) <= 3
        assert all(sa.conn_id for sa in established)


@pytest.mark.parametrize("seed", range(40))
def test_a_stormy_day_ends_well(seed: int) -> None:
    random = Random(seed)  # noqa: S311 - a test must repeat
    small = {"sa_lifetime_kilobytes": 10240}
    back = traffic(source="10.2.2.0/24", destination="10.1.1.0/24", packets_per_second=0.7)
    network = network_of(
        traffic(packets_per_second=3, bytes_per_packet=900, reply_ratio=0.4),
        back,
        seed=seed,
        site1=small,
        site2={**small, "sa_idle_seconds": 60} if seed % 2 else small,
    )
    for _ in range(150):
        network.run_until(network.now + random.choice([0.1, 1, 7, 40, 300, 1800]))
        trouble(network, random)
        check(network)
    network.set_unreachable(*SITES, is_unreachable=False)
    network.set_wrong_key(*SITES, is_wrong=False)
    network.set_loss("Site1", "Site2", 0)
    network.set_loss("Site2", "Site1", 0)
    # half-deleted pairs may live out their hour
    network.run_until(network.now + 2 * 3600)
    check(network)
    for router in SITES:
        network.clear_sa_counters(router)
    network.run_until(network.now + 7200)
    here, there = flow_of(network, "Site1"), flow_of(network, "Site2")

    assert here.current_outbound_spi in {sa.spi for sa in there.sas}
    assert there.current_outbound_spi in {sa.spi for sa in here.sas}
    assert (here.encaps_packets, there.encaps_packets) == (
        there.decaps_packets,
        here.decaps_packets,
    )
    assert (here.send_errors, there.send_errors) == (0, 0)
    assert ("QM_IDLE", "ACTIVE") in states_of(network, "Site1")
