"""Phase 2: what two configurations agree on, and the SA pair that comes of it."""

from __future__ import annotations

from typing import Any

import pytest

from ipsecmon.lab.network import Network
from ipsecmon.lab.topology import two_sites
from ipsecmon_parsers.records import Direction

from .sites import first_up, flow_of, network_of, sas_of, spis_of, states_of, traffic


def entry(router: int, **changes: Any) -> dict[str, Any]:
    crypto_map = two_sites().routers[router].crypto_map.model_dump()
    crypto_map["entries"] = [{**crypto_map["entries"][0], **changes}]
    return {"crypto_map": crypto_map}


def is_up(network: Network) -> bool:
    network.run_until(60)
    return bool(flow_of(network, "Site1").current_outbound_spi)


def test_one_ends_outbound_spi_is_the_others_inbound_spi() -> None:
    network = network_of(traffic())
    first_up(network)
    here, there = flow_of(network, "Site1"), flow_of(network, "Site2")

    assert [sa.spi for sa in sas_of(here, Direction.OUTBOUND)] == [here.current_outbound_spi]
    assert [sa.spi for sa in sas_of(there, Direction.INBOUND)] == [here.current_outbound_spi]
    assert [sa.spi for sa in sas_of(there, Direction.OUTBOUND)] == [there.current_outbound_spi]
    assert [sa.spi for sa in sas_of(here, Direction.INBOUND)] == [there.current_outbound_spi]
    assert len(spis_of(here)) == 2


def test_the_request_flag_stands_on_the_initiator_only() -> None:
    network = network_of(traffic(), site2={"dialect": "ios-12.4"})
    network.run_until(10)

    assert flow_of(network, "Site1").flags == ("origin_is_acl", "ipsec_sa_request_sent")
    assert flow_of(network, "Site2").flags == ("origin_is_acl",)


@pytest.mark.parametrize(
    "site2",
    [
        pytest.param(
            {"transform_sets": {"DES-MD5": {"transforms": ["esp-3des", "esp-md5-hmac"]}}},
            id="no transform set in common",
        ),
        pytest.param(
            {
                "access_lists": {
                    "TO-SITE1": [{"source": "10.2.0.0/16", "destination": "10.1.1.0/24"}]
                }
            },
            id="access lists not mirrored",
        ),
        pytest.param(entry(1, pfs_group=14), id="the responder asks for PFS, the initiator not"),
    ],
)
def test_a_disagreement_leaves_qm_idle_and_rising_send_errors(site2: dict[str, Any]) -> None:
    network = network_of(traffic(), site2=site2)
    assert not is_up(network)
    before = flow_of(network, "Site1").send_errors or 0
    network.run_until(100)
    flow = flow_of(network, "Site1")

    assert states_of(network, "Site1") == [("QM_IDLE", "ACTIVE")]
    assert flow.sas == ()
    assert flow.send_errors == before + 40


def test_transforms_match_in_any_order() -> None:
    reordered = {"transform_sets": {"DES-MD5": {"transforms": ["esp-md5-hmac", "esp-des"]}}}

    assert is_up(network_of(traffic(), site2=reordered))


def test_a_responder_without_pfs_takes_what_the_initiator_asks_for() -> None:
    network = network_of(traffic(), site1=entry(0, pfs_group=14))
    assert is_up(network)
    there, here = flow_of(network, "Site2"), flow_of(network, "Site1")

    assert (there.pfs, there.dh_group) == (True, "group14")
    # 12.4 prints no PFS line
    assert (here.pfs, here.dh_group) == (None, None)


def test_the_shorter_lifetime_holds_on_both_ends() -> None:
    network = network_of(traffic(), site2={"sa_lifetime_seconds": 900})
    first_up(network)

    for router in ("Site1", "Site2"):
        seconds = {sa.remaining_seconds for sa in flow_of(network, router).sas}
        assert len(seconds) == 1
        assert 895 <= (seconds.pop() or 0) <= 900


@pytest.mark.parametrize("seed", range(10))
def test_kilobytes_start_equal_both_ways_and_up_to_a_tenth_below_the_volume(seed: int) -> None:
    # the packet that asks for the SA is lost, the next is ten seconds away
    network = network_of(traffic(packets_per_second=0.1), seed=seed)
    first_up(network)
    kilobytes = {sa.remaining_kilobytes for sa in flow_of(network, "Site1").sas}

    assert len(kilobytes) == 1
    assert 4608000 * 0.9 <= (kilobytes.pop() or 0) <= 4608000


def test_an_xe_router_starts_at_the_full_volume() -> None:
    network = network_of(traffic(packets_per_second=0.1), site2={"dialect": "iosxe-17"})
    first_up(network)

    assert {sa.remaining_kilobytes for sa in flow_of(network, "Site2").sas} == {4608000}


def test_a_router_with_volume_rekey_disabled_prints_seconds_only() -> None:
    network = network_of(traffic(), site2={"sa_lifetime_kilobytes": None})
    first_up(network)

    for sa in flow_of(network, "Site2").sas:
        assert (sa.volume_rekey_disabled, sa.remaining_kilobytes) == (True, None)
    for sa in flow_of(network, "Site1").sas:
        assert sa.volume_rekey_disabled is False
        assert sa.remaining_kilobytes is not None
