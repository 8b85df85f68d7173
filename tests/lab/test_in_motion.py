"""What can be changed while the network runs: traffic, configurations, SAs; and the fleet that the demo runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipsecmon.config import load_config
from ipsecmon.lab.demo import DemoLab
from ipsecmon.lab.fleet import BRANCHES, fleet
from ipsecmon.lab.network import Network
from ipsecmon_parsers.records import Direction

from .sites import flow_of, network_of, sas_of, spis_of, states_of, traffic


def sent(network: Network, router: str, seconds: float) -> int:
    before = flow_of(network, router).encaps_packets or 0
    network.run_until(network.now + seconds)
    return (flow_of(network, router).encaps_packets or 0) - before


def test_traffic_stops_grows_and_is_again_what_the_topology_says() -> None:
    network = network_of(traffic(packets_per_second=2, reply_ratio=0))
    network.run_until(60)
    assert sent(network, "Site1", 100) == 200

    network.set_sending("Site1", "Site2", 0)
    assert sent(network, "Site1", 100) == 0

    network.set_sending("Site1", "Site2", 5)
    assert sent(network, "Site1", 100) == pytest.approx(1000, abs=1)

    network.set_sending("Site1", "Site2", 1)
    assert sent(network, "Site1", 100) == pytest.approx(200, abs=1)


def test_who_is_silent_does_not_answer_and_the_other_goes_on() -> None:
    network = network_of(traffic(packets_per_second=2, reply_ratio=1))
    network.run_until(60)
    network.set_sending("Site2", "Site1", 0)

    assert sent(network, "Site2", 100) == 0
    assert sent(network, "Site1", 100) == 200


def test_a_changed_lifetime_is_that_of_the_next_pair() -> None:
    network = network_of(traffic())
    network.run_until(60)
    network.reconfigure("Site2", sa_lifetime_seconds=600)
    (standing,) = sas_of(flow_of(network, "Site1"), Direction.OUTBOUND)
    assert (standing.remaining_seconds or 0) > 3500

    network.renegotiate("Site1", "Site2")
    network.run_until(70)
    *_, newest = sas_of(flow_of(network, "Site1"), Direction.OUTBOUND)

    assert 580 < (newest.remaining_seconds or 0) <= 600


def test_the_layout_of_a_router_cannot_change_in_motion() -> None:
    network = network_of(traffic())

    with pytest.raises(ValueError, match=r"^Site1: peers, addresses and access lists cannot"):
        network.reconfigure(
            "Site1", access_lists={"101": [{"source": "10.1.0.0/16", "destination": "10.2.2.0/24"}]}
        )


def test_the_ipsec_sas_outlive_an_ike_sa_that_expires() -> None:
    network = network_of(traffic())
    network.run_until(60)
    before = spis_of(flow_of(network, "Site1"))
    network.expire_ike("Site1", "Site2")
    network.run_until(130)

    for site in ("Site1", "Site2"):
        assert states_of(network, site) == []
    assert spis_of(flow_of(network, "Site1")) == before


def test_every_branch_of_the_fleet_is_up_but_the_one_that_has_nothing_to_say() -> None:
    network = Network(fleet(), seed=0)
    network.run_until(120)
    flows = network.flows("hub")

    assert [bool(flow.current_outbound_spi) for flow in flows] == [
        branch.packets_per_second > 0 for branch in BRANCHES
    ]
    assert [flow.send_errors for flow in flows][-1] == 0


def test_the_inventory_of_the_fleet_names_both_ends_of_a_tunnel_alike(tmp_path: Path) -> None:
    with DemoLab(tmp_path, speed=1, interval=2, with_fleet=True) as lab:
        config = load_config(lab.write_config(0))
    hubs = [tunnel for tunnel in config.tunnels if tunnel.device == "hub"]

    assert [tunnel.name for tunnel in hubs] == [branch.name for branch in BRANCHES]
    assert {tunnel.name for tunnel in config.tunnels if tunnel.device == "oslo"} == {"oslo"}
    assert {device.name for device in config.devices} == {"hub", "lisbon", "oslo"}
