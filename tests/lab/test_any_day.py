"""Whatever is done to the network, what it tells of itself agrees with itself, and it heals."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipsecmon.lab.network import Network
from ipsecmon.lab.topology import Keepalive, Topology, hub
from ipsecmon.lab.truth import FlowKey, HappeningKind

Act = Callable[[Network, str, str], None]

ACTS: dict[str, Act] = {
    "reload": lambda network, one, _: network.reload(one, boot_seconds=60),
    "long reload": lambda network, one, _: network.reload(one, boot_seconds=900),
    "cut": lambda network, one, other: network.set_unreachable(one, other),
    "join": lambda network, one, other: network.set_unreachable(one, other, is_unreachable=False),
    "clear sa": lambda network, one, _: network.clear_sa(one),
    "clear session": lambda network, one, _: network.clear_session(one),
    "clear counters": lambda network, one, _: network.clear_sa_counters(one),
    "loss": lambda network, one, other: network.set_loss(one, other, 0.5),
}


@st.composite
def topologies(draw: st.DrawFn) -> Topology:
    spokes = draw(st.integers(1, 3))
    topology = hub(
        spokes,
        with_backup=draw(st.booleans()),
        second_routers=draw(st.integers(0, spokes)),
        packets_per_second=draw(st.sampled_from([0.02, 1.0, 20_000.0])),
        keepalive=draw(st.sampled_from([None, Keepalive(seconds=10)])),
    )
    changes = {"invalid_spi_recovery": draw(st.booleans())}
    both_ways = [
        pattern.model_copy(update={"source": pattern.destination, "destination": pattern.source})
        for pattern in topology.traffic
        if draw(st.booleans())
    ]
    return topology.model_copy(
        update={
            "routers": tuple(router.model_copy(update=changes) for router in topology.routers),
            "traffic": (*topology.traffic, *both_ways),
        }
    )


def peers_of(topology: Topology) -> list[tuple[str, str]]:
    """Every router with each of its peers."""
    names = {router.address: router.name for router in topology.routers}
    return [
        (router.name, names[address])
        for router in topology.routers
        for entry in router.crypto_map.entries
        for address in entry.all_peers
    ]


def up_by_happenings(network: Network) -> dict[FlowKey, bool]:
    """Which flows are up, for all that was told."""
    up: dict[FlowKey, bool] = {}
    for happening in network.happenings:
        if happening.kind is HappeningKind.RELOAD:
            up = {key: up[key] and key.router != happening.router for key in up}
        elif happening.flow is not None and happening.is_up is not None:
            up[happening.flow] = happening.is_up
    return up


def assert_it_agrees_with_itself(network: Network, routers: list[str]) -> None:
    up = up_by_happenings(network)
    sent = received = 0
    for router in routers:
        for flow, truth in zip(network.flows(router), network.truth(router), strict=True):
            assert up.get(truth.key, False) == truth.is_up == bool(flow.current_outbound_spi)
            assert network.is_up(router) or not truth.is_up
            assert (flow.encaps_packets or 0) <= truth.sent_packets
            assert (flow.decaps_packets or 0) <= truth.received_packets
            sent += truth.sent_packets
            received += truth.received_packets
    assert received <= sent
    times = [happening.at for happening in network.happenings]
    assert times == sorted(times)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(sorted(ACTS)),
        st.integers(0, 23),
        st.floats(0, 3) | st.floats(0, 100) | st.floats(0, 5000),
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(topologies(), st.integers(0, 2**16), STEPS)
def test_the_network_agrees_with_itself_and_heals(
    topology: Topology, seed: int, steps: list[tuple[str, int, float]]
) -> None:
    network = Network(topology, seed=seed)
    routers = [router.name for router in topology.routers]
    pairs = peers_of(topology)
    now = 90.0
    for act, number, seconds in steps:
        now += seconds
        network.run_until(now)
        assert_it_agrees_with_itself(network, routers)
        ACTS[act](network, *pairs[number % len(pairs)])
        assert_it_agrees_with_itself(network, routers)
    for one_name in routers:
        for other_name in routers:
            if one_name != other_name:
                network.set_unreachable(one_name, other_name, is_unreachable=False)
                network.set_loss(one_name, other_name, 0)
    # the longest that an end can hold on to a dead peer is the lifetime of its pair, and boots are over by then
    network.run_until(now + 2 * 3600)
    assert_it_agrees_with_itself(network, routers)
    before = {name: network.truth(name) for name in routers}
    network.run_until(now + 2 * 3600 + 120)

    spokes = [name for name in routers if name.startswith("spoke") and not name.endswith("b")]
    for name in spokes:
        (was,), (is_now,) = before[name], network.truth(name)
        spares = [one for one in (f"{name}b",) if one in routers]
        others = [(before[one][0], network.truth(one)[0]) for one in spares]
        # the network behind the spoke is served by one of its routers
        assert any(
            end.is_joined and end.received_packets > start.received_packets
            for start, end in ((was, is_now), *others)
        )
