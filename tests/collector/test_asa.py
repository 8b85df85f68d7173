"""An ASA polled from end to end: one of two sites, the other a router."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from factories import Watched, flow, pair
from ipsecmon.lab.network import Network
from ipsecmon.lab.simulated import SimulatedDevice, Trouble, Watch, refused
from ipsecmon.lab.topology import Keepalive, Topology, two_sites
from ipsecmon.metrics import render_result
from ipsecmon.model import (
    Event,
    EventKind,
    ExpectedTunnel,
    LinkProof,
    PollResult,
    RekeyTrigger,
    Status,
)
from ipsecmon.poll import PolledDevice, poll_device
from ipsecmon.tunnels.links import join
from ipsecmon_parsers.records import CryptoMapEntry, Ident, IkeState, Platform, SaLifetime
from ipsecmon_parsers.registry import SHOW_IPSEC_SA, SHOW_ISAKMP_SA

ASA, ROUTER = "Site1", "Site2"
TUNNEL = "CRYPTO/10.1.1.0_24-10.2.2.0_24"
LIFETIME = "show running-config all crypto ipsec"
CRYPTO_MAP = "show running-config all crypto map"


def topology(**changes: Any) -> Topology:
    data = two_sites().model_dump()
    keepalive = Keepalive(seconds=10, mode="periodic")
    data["routers"][0].update(dialect="asa-9", interface="outside", keepalive=keepalive, **changes)
    data["routers"][1].update(keepalive=keepalive)
    return Topology.model_validate(data)


class Monitor:
    """Both sites, polled every minute from lab second 100 on."""

    def __init__(
        self, *troubles: Trouble, expected: tuple[ExpectedTunnel, ...] = (), **changes: Any
    ) -> None:
        self.network = Network(topology(**changes), seed=1)
        self.network.run_until(100)
        self.results: list[PollResult] = []
        self.events: list[Event] = []

        def poll(device: PolledDevice, *others: Any) -> PollResult:
            mine = expected if device.name == ASA else ()
            return poll_device(replace(device, expected=mine), *others)

        self.watch = Watch(
            self.network,
            [
                SimulatedDevice(self.network, ASA, troubles=troubles),
                SimulatedDevice(self.network, ROUTER),
            ],
            poll=poll,
        )

    def play(self, seconds: float) -> None:
        self.watch.play(self.network.now + seconds, self._keep)

    def _keep(self, result: PollResult) -> None:
        if result.device == ASA:
            self.results.append(result)
            self.events += result.events

    @property
    def newest(self) -> PollResult:
        return self.watch.results[ASA]

    @property
    def kinds(self) -> list[EventKind]:
        return [event.kind for event in self.events if event.tunnel is not None]

    def cut(self) -> None:
        self.network.set_unreachable(ASA, ROUTER)

    def mend(self) -> None:
        self.network.set_unreachable(ASA, ROUTER, is_unreachable=False)


def test_the_tunnel_is_up_at_both_ends() -> None:
    monitor = Monitor()
    monitor.play(60)
    asa, router = monitor.watch.results[ASA], monitor.watch.results[ROUTER]

    assert [(tunnel.name, tunnel.status) for tunnel in asa.tunnels] == [(TUNNEL, Status.UP)]
    assert [tunnel.status for tunnel in router.tunnels] == [Status.UP]
    assert asa.error is None
    assert asa.unparsed == ()


def test_its_ike_sa_belongs_to_the_peer_although_it_prints_no_address_of_its_own() -> None:
    monitor = Monitor()
    monitor.play(60)
    (peer,) = monitor.newest.ike_peers

    assert (peer.peer, peer.local_address) == ("123.1.1.2", "92.1.1.1")
    assert peer.is_up
    # the word differs from that of a router, the meaning does not
    assert peer.is_qm_idle
    assert [sa.state for sa in peer.sas] == [IkeState.MM_ACTIVE]
    assert monitor.newest.unmatched_ike_sas == ()


def test_the_two_ends_are_joined_by_their_spis() -> None:
    monitor = Monitor()
    monitor.play(180)
    results = monitor.watch.results
    for device, other in ((ASA, ROUTER), (ROUTER, ASA)):
        (link,) = join(results[device], results)

        assert (link.remote_device, link.proof) == (other, LinkProof.SPI_PAIR)
        assert link.is_spi_pair_matched


def test_packets_and_bytes_are_counted() -> None:
    monitor = Monitor()
    monitor.play(180)
    first, last = (result.tunnels[0] for result in (monitor.results[0], monitor.results[-1]))

    assert (last.flow.encaps_packets or 0) > (first.flow.encaps_packets or 0) > 0
    assert (last.flow.decaps_packets or 0) > (first.flow.decaps_packets or 0) > 0
    assert last.sent_bytes_per_second
    assert last.received_bytes_per_second


def test_rekeys_are_seen_and_counters_go_on() -> None:
    monitor = Monitor()
    monitor.play(3700)
    (tunnel,) = monitor.newest.tunnels

    assert tunnel.memory.rekeys[RekeyTrigger.TIME] == 1
    assert monitor.kinds == [EventKind.REKEY]
    assert (tunnel.flow.encaps_packets or 0) > 3600


def test_the_lifetime_and_the_crypto_map_come_from_its_configuration() -> None:
    monitor = Monitor()
    monitor.play(60)
    (entry,) = monitor.newest.crypto_map

    assert monitor.newest.sa_lifetime == SaLifetime(
        seconds=3600, kilobytes=4608000, volume_rekey_disabled=False
    )
    assert (entry.name, entry.sequence, entry.peers) == ("CRYPTO", 10, ("123.1.1.2",))


def test_the_configuration_is_asked_for_once_an_hour() -> None:
    monitor = Monitor()
    monitor.play(3700)
    asked = [
        {output.command for output in result.outputs} - {SHOW_ISAKMP_SA, SHOW_IPSEC_SA}
        for result in monitor.results
    ]

    assert [commands for commands in asked if commands] == [{LIFETIME, CRYPTO_MAP}] * 2


def test_a_tunnel_it_no_longer_lists_is_down_and_not_gone() -> None:
    monitor = Monitor()
    monitor.play(180)
    monitor.cut()
    monitor.play(240)
    (tunnel,) = monitor.newest.tunnels

    assert monitor.network.flows(ASA) == ()
    assert (tunnel.name, tunnel.status.is_up, tunnel.is_listed) == (TUNNEL, False, False)
    assert tunnel.status is Status.NEGOTIATING
    assert monitor.kinds == [EventKind.DOWN]
    assert up_in_metrics(monitor.newest) == "0.0"


def up_in_metrics(result: PollResult) -> str:
    text = b"".join(render_result(result).values()).decode()
    (line,) = (line for line in text.splitlines() if line.startswith("cisco_ipsec_tunnel_up{"))
    return line.rpartition(" ")[2]


def test_the_event_quotes_the_peer_and_the_state_of_its_ike_sa() -> None:
    monitor = Monitor()
    monitor.play(180)
    monitor.cut()
    monitor.play(240)
    (down,) = (event for event in monitor.events if event.kind is EventKind.DOWN)
    quoted = [one.text for one in down.evidence if one.command == SHOW_ISAKMP_SA]

    assert quoted[0] == "1   IKE Peer: 123.1.1.2"
    assert quoted[-1].endswith("State   : MM_WAIT_MSG2")


def test_it_comes_back_under_its_name_and_counts_anew() -> None:
    monitor = Monitor()
    monitor.play(180)
    monitor.cut()
    monitor.play(240)
    monitor.mend()
    monitor.play(240)
    (tunnel,) = monitor.newest.tunnels

    assert (tunnel.name, tunnel.status) == (TUNNEL, Status.UP)
    assert tunnel.memory.rekeys[RekeyTrigger.OUTAGE] == 1
    assert monitor.kinds == [EventKind.DOWN, EventKind.REKEY, EventKind.UP]


def test_a_tunnel_that_never_came_up_is_there_when_the_configuration_names_it() -> None:
    known = ExpectedTunnel(
        device=ASA,
        name="to-site2",
        local_ident=Ident(address="10.1.1.0", prefix_length=24, protocol=0, port=0),
        remote_ident=Ident(address="10.2.2.0", prefix_length=24, protocol=0, port=0),
        peer="123.1.1.2",
    )
    monitor = Monitor(expected=(known,))
    monitor.cut()
    monitor.network.clear_session(ASA)
    monitor.play(60)
    (tunnel,) = monitor.newest.tunnels

    assert (tunnel.name, tunnel.status.is_up) == ("to-site2", False)


@pytest.mark.parametrize(("configured", "is_kept"), [((10,), True), ((20,), False), ((), False)])
def test_a_tunnel_that_stays_down_is_kept_as_long_as_its_entry_is_configured(
    configured: tuple[int, ...], is_kept: bool
) -> None:
    listed = flow(*pair(0xA1, 0xB1), platform=Platform.ASA, crypto_map_seq=10, peer_port=None)
    entries = [
        CryptoMapEntry(name="CRYPTO", sequence=sequence, peers=("123.1.1.2",), access_list="A")
        for sequence in configured
    ]
    watched = Watched()
    watched.read(listed, crypto_map=entries)
    watched.read(crypto_map=entries)
    kept = watched.read(after=30 * 86400.0, crypto_map=entries).tunnels

    assert [tunnel.status.is_up for tunnel in kept] == ([False] if is_kept else [])


def test_a_refused_table_of_ike_sas_fails_the_poll_and_keeps_the_tunnel() -> None:
    monitor = Monitor(refused(200, 1000, SHOW_ISAKMP_SA))
    monitor.play(300)

    assert monitor.newest.error is not None
    assert monitor.newest.error.command == SHOW_ISAKMP_SA
    assert [tunnel.name for tunnel in monitor.newest.tunnels] == [TUNNEL]


@pytest.mark.parametrize("command", [LIFETIME, CRYPTO_MAP])
def test_an_account_that_may_not_read_the_configuration_still_gets_its_tunnels(
    command: str,
) -> None:
    monitor = Monitor(refused(0, 1000, command))
    monitor.play(120)

    assert monitor.newest.error is None
    assert monitor.newest.tunnels[0].status is Status.UP
    assert monitor.newest.refused_commands == {command}
