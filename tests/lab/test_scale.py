"""Days in seconds and hubs of thousands; the numbers are printed with ``pytest -s``."""

from __future__ import annotations

import time

import pytest

from ipsecmon.lab import render
from ipsecmon.lab.network import Network
from ipsecmon.lab.topology import hub, two_sites

from .sites import flow_of

DAY = 86_400


def test_a_week_of_two_sites_plays_in_a_second() -> None:
    network = Network(two_sites())
    started = time.perf_counter()
    network.run_until(7 * DAY)
    took = time.perf_counter() - started
    print(f"7 days of two sites: {took:.3f} s")  # noqa: T201 - the measurement is the point

    assert took < 1
    assert flow_of(network, "Site1").encaps_packets == flow_of(network, "Site2").decaps_packets


def test_a_day_of_500_spokes_plays_in_seconds_and_every_tunnel_stays_up() -> None:
    network = Network(hub(500))
    started = time.perf_counter()
    network.run_until(DAY)
    took = time.perf_counter() - started
    print(f"1 day of a hub with 500 spokes: {took:.2f} s")  # noqa: T201 - the same

    assert took < 30
    assert all(flow.current_outbound_spi for flow in network.flows("hub"))


@pytest.mark.slow
def test_a_hub_of_4000_spokes_is_shown_in_about_a_second() -> None:
    network = Network(hub(4000))
    network.run_until(3600)
    started = time.perf_counter()
    flows = network.flows("hub")
    read = time.perf_counter()
    text = render.show_crypto_ipsec_sa(flows, "iosxe-17")
    rendered = time.perf_counter()
    print(  # noqa: T201 - the same
        f"4,000 tunnels: records {read - started:.2f} s, "
        f"text {rendered - read:.2f} s, {len(text):,} bytes"
    )

    assert text.count("interface:") == 1
    assert text.count("protected vrf:") == 4000
    assert rendered - started < 5
