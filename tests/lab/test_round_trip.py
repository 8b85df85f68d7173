"""Every state the lab can be in, rendered and parsed, is the same state: one generator of truth for both.

The renderer is held against real captures in ``test_render``; here it holds the parsers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipsecmon.lab.crypto_maps import show_crypto_map
from ipsecmon.lab.crypto_sessions import show_crypto_session
from ipsecmon.lab.network import Network
from ipsecmon.lab.render import show_crypto_ipsec_sa, show_crypto_isakmp_sa, show_sa_lifetime
from ipsecmon.lab.shows import show
from ipsecmon.lab.topology import Dialect, Keepalive, Topology, hub, two_sites
from ipsecmon_parsers.records import Platform, Record, RunningCrypto
from ipsecmon_parsers.registry import SHOW_IPSEC_SA, SHOW_ISAKMP_SA, SHOW_SA_LIFETIME, parse

DIALECTS: tuple[Dialect, ...] = get_args(Dialect)
Action = Callable[[Network, str, str], None]

ACTIONS: dict[str, Action] = {
    "wait": lambda _network, _one, _other: None,
    "clear crypto sa": lambda network, one, _: network.clear_sa(one),
    "clear crypto sa counters": lambda network, one, _: network.clear_sa_counters(one),
    "clear crypto session": lambda network, one, _: network.clear_session(one),
    "unreachable": lambda network, one, other: network.set_unreachable(one, other),
    "reachable": lambda network, one, other: network.set_unreachable(
        one, other, is_unreachable=False
    ),
    "wrong key": lambda network, one, other: network.set_wrong_key(one, other),
    "right key": lambda network, one, other: network.set_wrong_key(one, other, is_wrong=False),
    "reload": lambda network, one, _other: network.reload(one),
    "loss": lambda network, one, other: network.set_loss(one, other, 0.3),
}

STEPS = st.lists(
    st.tuples(
        st.sampled_from(sorted(ACTIONS)),
        st.floats(min_value=0.0, max_value=2.0) | st.floats(min_value=0.0, max_value=90000.0),
    ),
    min_size=1,
    max_size=6,
)


@st.composite
def topologies(draw: st.DrawFn) -> Topology:
    """The two sites or a small hub, in any dialect, with lifetimes short and long, with and without volume."""
    if draw(st.booleans()):
        return hub(
            draw(st.integers(1, 4)),
            hub_dialect=draw(st.sampled_from(DIALECTS)),
            spoke_dialect=draw(st.sampled_from(DIALECTS)),
            packets_per_second=draw(st.sampled_from([0.01, 1.0, 5000.0])),
            with_backup=draw(st.booleans()),
            keepalive=draw(st.sampled_from([None, Keepalive(seconds=10)])),
        )
    data: dict[str, Any] = two_sites().model_dump()
    for router in data["routers"]:
        router["dialect"] = draw(st.sampled_from(DIALECTS))
        router["sa_lifetime_seconds"] = draw(st.sampled_from([120, 3600, 86400]))
        volumes = [2560, 4608000] if router["dialect"] == "ios-12.4" else [None, 2560, 4608000]
        router["sa_lifetime_kilobytes"] = draw(st.sampled_from(volumes))
        router["sa_idle_seconds"] = draw(st.sampled_from([None, 60]))
    return Topology.model_validate(data)


def assert_round_trip(network: Network, name: str, dialect: Dialect) -> None:
    if dialect == "asa-9":
        assert_round_trip_of_an_asa(network, name)
        return
    platform = Platform.IOSXE if dialect == "iosxe-17" else Platform.IOS
    flows, ike_sas = network.flows(name), network.ike_sas(name)
    lifetime = network.sa_lifetime(name)
    entries, sessions = network.crypto_map(name), network.sessions(name)
    for command, text, records in (
        (SHOW_IPSEC_SA, show_crypto_ipsec_sa(flows, dialect), flows),
        (SHOW_ISAKMP_SA, show_crypto_isakmp_sa(ike_sas, dialect), ike_sas),
        (SHOW_SA_LIFETIME, show_sa_lifetime(lifetime, dialect), (lifetime,)),
        ("show crypto map", show_crypto_map(entries, dialect), entries),
        ("show crypto session", show_crypto_session(sessions, dialect), sessions),
    ):
        result = parse(platform, command, text, complete=True)

        assert result.records == tuple(records)
        assert result.unparsed_lines == ()
        assert parse(platform, command, text.replace("\n", "\r\n"), complete=True) == result


def assert_round_trip_of_an_asa(network: Network, name: str) -> None:
    """The configuration is one record each, so the part of it that the network knows is compared."""

    def read(command: str) -> tuple[Record, ...]:
        text = show(network, name, command)
        result = parse(Platform.ASA, command, text, complete=True)
        assert result.unparsed_lines == ()
        crlf = text.replace("\n", "\r\n")
        assert parse(Platform.ASA, command, crlf, complete=True) == result
        return result.records

    assert read(SHOW_IPSEC_SA) == network.flows(name)
    assert read(SHOW_ISAKMP_SA) == network.ike_sas(name)
    assert read("show crypto ikev1 sa") == network.ike_sas(name)
    assert read("show crypto ikev2 sa") == ()
    _, lifetime = read("show running-config all crypto ipsec")
    assert lifetime == network.sa_lifetime(name)
    (running,) = read("show running-config all crypto map")
    assert isinstance(running, RunningCrypto)
    assert running.crypto_maps == network.crypto_map(name)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(topologies(), st.integers(0, 2**16), STEPS)
def test_every_rendered_state_parses_back_to_itself(
    topology: Topology, seed: int, steps: list[tuple[str, float]]
) -> None:
    network = Network(topology, seed=seed)
    one, other = topology.routers[0], topology.routers[-1]
    now = 0.0
    for action, seconds in steps:
        now += seconds
        network.run_until(now)
        ACTIONS[action](network, one.name, other.name)
        for router in (one, other):
            assert_round_trip(network, router.name, router.dialect)


def test_a_hub_of_many_spokes_parses_back_to_itself() -> None:
    topology = hub(200)
    network = Network(topology, seed=1)
    network.run_until(300.0)

    assert len(network.flows("hub")) == 200
    assert sum(len(flow.sas) for flow in network.flows("hub")) >= 400
    assert_round_trip(network, "hub", "iosxe-17")
