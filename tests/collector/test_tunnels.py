"""Records and the previous state in, tunnels and events out."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories import Watched, flow, ident, ike_sa, pair
from ipsecmon.model import (
    Event,
    EventKind,
    ExpectedTunnel,
    Intent,
    Link,
    LinkProof,
    RekeyTrigger,
    Status,
    TunnelOption,
)
from ipsecmon.tunnels import TunnelReading
from ipsecmon.tunnels.identity import tunnel_names
from ipsecmon.tunnels.peers import ike_peers
from ipsecmon_parsers.records import (
    AccessAddress,
    AccessEntry,
    CryptoMapEntry,
    CryptoSession,
    Flow,
    FlowKind,
    IkeSa,
    IkeState,
    Protocol,
    SaLifetime,
    SessionStatus,
)


def read(*flows: Flow, ike: tuple[IkeSa, ...] = (ike_sa(),), **changes: Any) -> TunnelReading:
    """The first reading of a device."""
    return Watched().read(*flows, ike=ike, **changes)


def kinds(events: tuple[Event, ...]) -> list[EventKind]:
    return [event.kind for event in events]


class TestNames:
    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({}, "CRYPTO/10.1.1.0_24-10.2.2.0_24"),
            ({"protected_vrf": "RED"}, "RED/CRYPTO/10.1.1.0_24-10.2.2.0_24"),
            (
                {
                    "crypto_map": "Tunnel0-head-0",
                    "interface": "Tunnel0",
                    "local_ident": ident("0.0.0.0/0"),
                    "remote_ident": ident("0.0.0.0/0"),
                },
                "Tunnel0",
            ),
            (
                {
                    "crypto_map": "Tunnel0-head-0",
                    "local_ident": ident("192.0.2.1/32", 47),
                    "remote_ident": ident("192.0.2.2/32", 47),
                },
                "Tunnel0/192.0.2.1_32-192.0.2.2_32/47",
            ),
            (
                {
                    "local_ident": ident("10.1.1.0/24", 6, 443),
                    "remote_ident": ident("10.2.2.0/24", 6),
                },
                "CRYPTO/10.1.1.0_24-10.2.2.0_24/6/443-0",
            ),
            ({"crypto_map": None}, "Serial0/0/10.1.1.0_24-10.2.2.0_24"),
            (
                {"kind": FlowKind.DYNAMIC, "crypto_map": "DYN"},
                "DYN/10.1.1.0_24-10.2.2.0_24",
            ),
            (
                {
                    "kind": FlowKind.VTI,
                    "crypto_map": "Virtual-Access17-head-0",
                    "interface": "Virtual-Access17",
                    "local_ident": ident("0.0.0.0/0"),
                    "remote_ident": ident("0.0.0.0/0"),
                },
                "Virtual-Access/123.1.1.2",
            ),
            (
                {
                    "local_ident": ident("2001:DB8:0::/64"),
                    "remote_ident": ident("2001:db8:1::/64"),
                },
                "CRYPTO/2001:db8::_64-2001:db8:1::_64",
            ),
        ],
    )
    def test_a_name_is_made_of_map_and_idents(self, changes: dict[str, Any], expected: str) -> None:
        assert tunnel_names([flow(**changes)]) == [expected]

    def test_a_name_survives_rekey_reload_and_peer_failover(self) -> None:
        before = flow(*pair(1, 2))
        after = flow(*pair(3, 4), peer="203.0.113.7", peer_port=4500, encaps_packets=0)

        assert tunnel_names([before]) == tunnel_names([after])

    def test_a_name_is_kept_when_a_neighbour_with_the_same_idents_appears(self) -> None:
        old = flow(*pair(1, 2))
        newcomer = flow(*pair(3, 4), interface="Serial0/1")
        (before,) = tunnel_names([old])
        with_neighbour = tunnel_names([newcomer, old], {before: old})

        assert with_neighbour[1] == before
        assert with_neighbour[0] != before

    def test_a_name_is_kept_when_the_peer_fails_over(self) -> None:
        names = tunnel_names([flow(peer="203.0.113.7")], {"any name": flow()})

        assert names == ["any name"]

    def test_one_map_on_two_interfaces_is_two_tunnels(self) -> None:
        names = tunnel_names([flow(), flow(interface="Serial0/1")])

        assert names == [
            "CRYPTO/10.1.1.0_24-10.2.2.0_24@Serial0/0",
            "CRYPTO/10.1.1.0_24-10.2.2.0_24@Serial0/1",
        ]

    def test_a_virtual_access_interface_is_the_same_tunnel_under_its_next_number(self) -> None:
        def session(number: int) -> Flow:
            return flow(
                kind=FlowKind.VTI,
                interface=f"Virtual-Access{number}",
                crypto_map=f"Virtual-Access{number}-head-0",
                local_ident=ident("0.0.0.0/0"),
                remote_ident=ident("0.0.0.0/0"),
            )

        watched = Watched()
        watched.read(session(1))
        watched.read(session(7))

        assert watched.tunnel.name == "Virtual-Access/123.1.1.2"

    def test_the_name_of_the_inventory_wins_and_stays(self) -> None:
        named = ExpectedTunnel(
            device="Site1",
            name="HQ-to-Branch",
            local_ident=ident("10.1.1.0/24"),
            remote_ident=ident("10.2.2.0/24"),
        )
        watched = Watched([named])
        watched.read(flow(*pair(1, 2)))
        watched.read(flow(*pair(1, 2), peer="203.0.113.7"))

        assert watched.tunnel.name == "HQ-to-Branch"

    def test_two_sessions_behind_one_address_keep_their_names_in_any_order(self) -> None:
        def session(number: int, spi: int) -> Flow:
            return flow(
                *pair(spi, spi + 1),
                kind=FlowKind.VTI,
                interface=f"Virtual-Access{number}",
                crypto_map=f"Virtual-Access{number}-head-0",
                local_ident=ident("0.0.0.0/0"),
                remote_ident=ident("0.0.0.0/0"),
            )

        watched = Watched()
        one, two = session(1, 1), session(2, 3)
        watched.read(one, two)
        told = [event.kind for _ in range(3) for event in watched.read(two, one).events]

        assert told == []

    def test_a_tunnel_interface_whose_destination_changes_is_the_same_tunnel(self) -> None:
        watched = Watched()
        for peer in ("203.0.113.1", "0.0.0.0", "203.0.113.2"):  # noqa: S104 # what is printed while it is down
            watched.read(
                flow(
                    *pair(1, 2),
                    kind=FlowKind.VTI,
                    interface="Tunnel7",
                    crypto_map="Tunnel7-head-0",
                    local_ident=ident("0.0.0.0/0"),
                    remote_ident=ident("0.0.0.0/0"),
                    peer=peer,
                )
            )

        assert watched.tunnel.name == "Tunnel7"

    def test_ipv6_addresses_join_in_any_spelling(self) -> None:
        six = {"peer": "2001:DB8::5", "local_endpoint": "2001:DB8:0::1", "local_address": None}
        sa = ike_sa(source="2001:db8::1", destination="2001:db8::5")
        reading = read(flow(*pair(1, 2), **six), ike=(sa,))

        assert reading.tunnels[0].status is Status.UP
        assert reading.tunnels[0].peer == "2001:db8::5"

    @pytest.mark.parametrize("order", [(0, 1), (1, 0)])
    def test_names_that_collide_do_not_depend_on_the_order_of_the_listing(
        self, order: tuple[int, int]
    ) -> None:
        flows = [flow(), flow(interface="Serial0/1")]
        names = tunnel_names([flows[i] for i in order])

        assert names[order[0]].endswith("@Serial0/0")
        assert names[order[1]].endswith("@Serial0/1")

    @given(
        st.lists(
            st.builds(
                flow,
                interface=st.sampled_from(["Serial0/0", "Serial0/1"]),
                peer=st.sampled_from(["123.1.1.2", "203.0.113.7"]),
                local_address=st.sampled_from(["92.1.1.1", "192.0.2.1"]),
            ),
            max_size=12,
        )
    )
    def test_no_two_tunnels_of_a_device_share_a_name(self, flows: list[Flow]) -> None:
        names = tunnel_names(flows)

        assert len(set(names)) == len(flows)


class TestStatus:
    def test_a_pair_and_an_ike_sa_is_up(self) -> None:
        assert read(flow(*pair(1, 2))).tunnels[0].status is Status.UP

    def test_a_pair_without_an_ike_sa_is_still_up(self) -> None:
        assert read(flow(*pair(1, 2)), ike=()).tunnels[0].status is Status.UP_NO_IKE

    def test_an_ike_version_2_sa_tells_its_ends_itself(self) -> None:
        ready = IkeSa(
            version=2,
            local="92.1.1.1",
            remote="123.1.1.2",
            state=IkeState.READY,
            raw_state="READY",
            is_established=True,
        )

        assert read(flow(*pair(1, 2)), ike=(ready,)).tunnels[0].status is Status.UP

    @pytest.mark.parametrize("lost", [0, 1])
    def test_one_direction_alone_is_not_up(self, lost: int) -> None:
        sas = list(pair(1, 2))
        del sas[lost]

        assert not read(flow(*sas)).tunnels[0].status.is_up

    def test_a_standby_copy_is_neither_up_nor_down(self) -> None:
        (tunnel,) = read(flow(*pair(1, 2, status="STANDBY(STANDBY)"))).tunnels

        assert tunnel.status is Status.STANDBY
        assert not tunnel.status.is_up
        assert not tunnel.status.is_down

    def test_an_ike_table_of_standby_rows_is_the_standby_router(self) -> None:
        waiting = ike_sa(status="STDBY", is_established=False)

        assert read(flow(), ike=(waiting,)).tunnels[0].status is Status.STANDBY

    @pytest.mark.parametrize("kind", [FlowKind.GETVPN, FlowKind.OSPFV3, FlowKind.SDWAN])
    def test_what_is_no_tunnel_between_sites_is_excluded(self, kind: FlowKind) -> None:
        assert read(flow(*pair(1, 2), kind=kind)).tunnels[0].status is Status.EXCLUDED

    def test_the_inventory_excludes_a_tunnel(self) -> None:
        entry = ExpectedTunnel(
            device="Site1",
            name="old",
            local_ident=ident("10.1.1.0/24"),
            remote_ident=ident("10.2.2.0/24"),
            options=frozenset({TunnelOption.EXCLUDED}),
        )

        assert Watched([entry]).read(flow()).tunnels[0].status is Status.EXCLUDED

    def test_no_sa_and_an_ike_sa_on_its_way_is_negotiating(self) -> None:
        on_its_way = ike_sa(
            state=IkeState.MM_KEY_EXCH, raw_state="MM_KEY_EXCH", is_established=False
        )

        assert read(flow(), ike=(on_its_way,)).tunnels[0].status is Status.NEGOTIATING

    def test_a_deleted_ike_sa_negotiates_nothing(self) -> None:
        deleted = ike_sa(status="ACTIVE (deleted)", is_deleted=True, is_established=False)

        assert read(flow(), ike=(deleted,)).tunnels[0].status is Status.DOWN_IDLE

    def test_no_sa_and_rising_send_errors_is_demand(self) -> None:
        watched = Watched()
        watched.read(flow(send_errors=2), ike=())
        first = watched.tunnel.status
        watched.read(flow(send_errors=9), ike=())

        assert first is Status.DOWN_IDLE
        assert watched.tunnel.status is Status.DOWN_DEMANDED

    def test_the_errors_of_a_tunnel_that_came_up_are_no_demand(self) -> None:
        watched = Watched()
        for _ in range(3):
            watched.read(flow(send_errors=1), ike=())

        assert watched.tunnel.status is Status.DOWN_IDLE

    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            (SessionStatus.UP_ACTIVE, Status.UP),
            (SessionStatus.UP_NO_IKE, Status.UP_NO_IKE),
        ],
    )
    def test_a_session_tells_of_the_ike_sa_where_no_table_does(
        self, status: SessionStatus, expected: Status
    ) -> None:
        session = CryptoSession(
            interface="Serial0/0",
            status=status,
            raw_status=status.value,
            is_up=True,
            peer="123.1.1.2",
        )

        assert read(flow(*pair(1, 2)), ike=(), sessions=[session]).tunnels[0].status is expected

    @pytest.mark.parametrize(
        ("sent", "received", "expected"),
        [
            (10, 10, Status.UP),
            (0, 0, Status.UP_IDLE),
            (10, 0, Status.UP_ONE_WAY),
            (0, 10, Status.UP_ONE_WAY),
            (3, 0, Status.UP),
        ],
    )
    def test_how_the_counters_move_over_four_readings_tells_the_kind_of_up(
        self, sent: int, received: int, expected: Status
    ) -> None:
        watched = Watched()
        for number in range(4):
            watched.read(
                flow(
                    *pair(1, 2),
                    encaps_packets=400 + number * sent,
                    decaps_packets=390 + number * received,
                )
            )
            if number < 3:
                assert watched.tunnel.status is Status.UP

        assert watched.tunnel.status is expected

    def test_a_tunnel_meant_to_carry_one_direction_is_not_one_way(self) -> None:
        entry = ExpectedTunnel(
            device="Site1",
            name="syslog",
            local_ident=ident("10.1.1.0/24"),
            remote_ident=ident("10.2.2.0/24"),
            options=frozenset({TunnelOption.UNIDIRECTIONAL}),
        )
        watched = Watched([entry])
        for number in range(5):
            watched.read(flow(*pair(1, 2), encaps_packets=400 + 100 * number))

        assert watched.tunnel.status is Status.UP

    def test_the_number_of_a_compression_is_no_spi(self) -> None:
        esp, pcp = pair(1, 2), pair(77, 78, protocol=Protocol.PCP, remaining_seconds=3600)
        (tunnel,) = read(flow(*esp, *pcp, current_outbound_spi=2)).tunnels

        assert tunnel.inbound is not None
        assert tunnel.outbound is not None
        assert (tunnel.inbound.spi, tunnel.outbound.spi) == (1, 2)

    def test_the_sas_in_use_are_the_current_and_the_freshest(self) -> None:
        old, new = pair(1, 2, remaining_seconds=20), pair(3, 4, remaining_seconds=3590)
        (tunnel,) = read(flow(*old, *new, current_outbound_spi=2)).tunnels

        assert tunnel.outbound is not None
        assert tunnel.inbound is not None
        assert (tunnel.inbound.spi, tunnel.outbound.spi) == (3, 2)


UP = flow(*pair(1, 2))
DOWN = flow()


class TestHysteresis:
    def test_a_monitor_that_has_just_begun_has_nothing_to_tell(self) -> None:
        assert read(UP).events == ()

    def test_one_reading_without_an_sa_is_no_outage_yet(self) -> None:
        watched = Watched()
        watched.read(UP)
        reading = watched.read(DOWN, ike=())

        assert reading.events == ()
        assert watched.tunnel.status is Status.DOWN_IDLE
        assert watched.tunnel.memory.flaps == 0

    def test_two_single_readings_with_good_ones_between_are_no_outage_either(self) -> None:
        watched = Watched()
        told = [
            event.kind
            for one in (UP, DOWN, UP, UP, DOWN, UP, UP)
            for event in watched.read(one).events
        ]

        assert told == []

    def test_a_second_one_is_and_the_event_has_the_time_of_the_first(self) -> None:
        watched = Watched()
        watched.read(UP)
        watched.read(DOWN, ike=())
        (event,) = watched.read(DOWN, ike=()).events

        assert (event.kind, event.at) == (EventKind.DOWN, 1060.0)
        assert event.facts["confirmed_at"] == 1120.0
        assert watched.tunnel.memory.flaps == 1
        assert watched.tunnel.memory.last_transition_at == 1060.0

    def test_an_outage_is_told_once(self) -> None:
        watched = Watched()
        watched.read(UP)
        events = [event for _ in range(5) for event in watched.read(DOWN, ike=()).events]

        assert kinds(tuple(events)) == [EventKind.DOWN]

    def test_two_readings_with_sas_end_it(self) -> None:
        watched = Watched()
        for one in (UP, DOWN, DOWN):
            watched.read(one)
        first = watched.read(flow(*pair(3, 4)))
        second = watched.read(flow(*pair(3, 4)))

        assert kinds(first.events) == [EventKind.REKEY]
        assert kinds(second.events) == [EventKind.UP]
        assert second.events[0].at == 1180.0

    def test_the_same_reading_twice_confirms_nothing(self) -> None:
        watched = Watched()
        watched.read(UP)
        watched.read(DOWN, ike=())

        assert watched.read(DOWN, ike=(), after=0.0).events == ()

    def test_a_clock_set_back_between_two_readings_hides_no_outage(self) -> None:
        watched = Watched()
        watched.read(UP)
        watched.read(DOWN, ike=())

        assert kinds(watched.read(DOWN, ike=(), after=-3600.0).events) == [EventKind.DOWN]
        assert watched.read(DOWN, ike=()).events == ()

    def test_a_tunnel_that_is_down_when_first_seen_did_not_go_down(self) -> None:
        watched = Watched()
        events = [event for _ in range(3) for event in watched.read(DOWN, ike=()).events]

        assert events == []
        assert watched.tunnel.memory.flaps == 0


class TestVanishing:
    def test_a_flow_no_longer_listed_goes_down_instead_of_vanishing(self) -> None:
        watched = Watched()
        before = watched.read(UP)
        watched.read()
        after = watched.read()

        assert [tunnel.name for tunnel in after.tunnels] == [before.tunnels[0].name]
        assert after.tunnels[0].status is Status.DOWN_IDLE
        assert after.tunnels[0].flow.encaps_packets is None
        assert kinds(after.events) == [EventKind.GONE]

    def test_it_is_told_once(self) -> None:
        watched = Watched()
        watched.read(UP)
        events = [event for _ in range(5) for event in watched.read().events]

        assert kinds(tuple(events)) == [EventKind.GONE]

    def test_a_flow_that_was_never_up_is_told_too(self) -> None:
        watched = Watched()
        watched.read(DOWN, ike=())

        told = [event.kind for _ in range(4) for event in watched.read(ike=()).events]

        assert told == [EventKind.GONE]

    def test_a_flow_that_is_listed_now_and_then_is_not_told_each_time(self) -> None:
        watched = Watched()
        for _ in range(5):
            watched.read(DOWN, ike=())
            watched.read(ike=())

        assert watched.result.events == ()

    @pytest.mark.parametrize(("days", "is_kept"), [(6.9, True), (7.1, False)])
    def test_it_is_expected_back_for_a_week(self, days: float, is_kept: bool) -> None:
        watched = Watched()
        watched.read(UP)
        reading = watched.read(after=days * 86400)

        assert bool(reading.tunnels) is is_kept

    def test_a_tunnel_between_spokes_is_expected_back_for_a_day(self) -> None:
        watched = Watched()
        watched.read(flow(*pair(1, 2), kind=FlowKind.DMVPN))

        assert watched.read(after=80000.0).tunnels
        assert not watched.read(after=8000.0).tunnels

    def test_a_flow_listed_again_is_the_same_tunnel(self) -> None:
        watched = Watched()
        before = watched.read(UP)
        for _ in range(2):
            watched.read()
        back = watched.read(flow(*pair(3, 4)))
        confirmed = watched.read(flow(*pair(3, 4)))

        assert kinds((*back.events, *confirmed.events)) == [EventKind.REKEY, EventKind.UP]
        assert watched.tunnel.name == before.tunnels[0].name

    def test_a_flow_that_comes_later_is_new(self) -> None:
        watched = Watched()
        watched.read(UP)

        assert kinds(watched.read(UP, flow(interface="Serial0/1")).events) == [EventKind.NEW]


def permit(source: str, destination: str, protocol: str = "ip") -> AccessEntry:
    def address(text: str) -> AccessAddress:
        one = ident(text)
        return AccessAddress(kind="network", address=one.address, prefix_length=one.prefix_length)

    return AccessEntry(
        text=f"permit {protocol} {source} {destination}",
        action="permit",
        protocol=protocol,
        source=address(source),
        destination=address(destination),
    )


def map_entry(**changes: Any) -> CryptoMapEntry:
    made = CryptoMapEntry(
        name="CRYPTO",
        sequence=10,
        peers=("123.1.1.2", "203.0.113.7"),
        current_peer="123.1.1.2",
        access_entries=(permit("10.1.1.0/24", "10.2.2.0/24"),),
        interfaces=("Serial0/0",),
    )
    return replace(made, **changes)


class TestExpected:
    HQ = ExpectedTunnel(
        device="Site1",
        name="HQ-to-Branch",
        local_ident=ident("10.1.1.0/24"),
        remote_ident=ident("10.9.9.0/24"),
        peer="198.51.100.9",
        owner="netops",
        intent=Intent.ALWAYS_ON,
    )

    def test_a_tunnel_of_the_inventory_without_any_trace_is_down_with_name_peer_and_owner(
        self,
    ) -> None:
        (tunnel,) = Watched([self.HQ]).read().tunnels

        assert (tunnel.name, tunnel.peer, tunnel.is_listed) == (
            "HQ-to-Branch",
            "198.51.100.9",
            False,
        )
        assert tunnel.status is Status.DOWN_IDLE
        assert tunnel.expected is not None
        assert tunnel.expected.owner == "netops"
        assert tunnel.purpose.intent is Intent.ALWAYS_ON

    def test_it_is_the_same_tunnel_when_the_device_lists_it(self) -> None:
        watched = Watched([self.HQ])
        watched.read()
        watched.read(flow(*pair(1, 2), remote_ident=ident("10.9.9.0/24"), peer="198.51.100.9"))

        assert watched.tunnel.name == "HQ-to-Branch"
        assert watched.tunnel.is_listed

    def test_it_is_never_forgotten(self) -> None:
        watched = Watched([self.HQ])
        watched.read()

        assert watched.read(after=400 * 86400.0).tunnels

    def test_a_line_of_a_crypto_map_that_is_not_listed_is_down(self) -> None:
        (tunnel,) = read(crypto_map=[map_entry(interfaces=())]).tunnels

        assert (tunnel.name, tunnel.status) == ("CRYPTO/10.1.1.0_24-10.2.2.0_24", Status.DOWN_IDLE)
        assert tunnel.peer == "123.1.1.2"

    def test_a_line_that_is_listed_is_one_tunnel(self) -> None:
        assert len(read(UP, crypto_map=[map_entry()]).tunnels) == 1

    def test_a_dynamic_map_and_a_deny_line_expect_nothing(self) -> None:
        deny = replace(permit("10.1.1.0/24", "10.3.3.0/24"), action="deny")
        entries = [
            map_entry(access_entries=(deny,)),
            map_entry(sequence=20, is_dynamic=True),
            map_entry(sequence=30, peers=()),
        ]

        assert read(crypto_map=entries).tunnels == ()

    def test_a_tunnel_that_was_watched_already_keeps_its_memory_under_its_new_name(self) -> None:
        watched = Watched()
        named = replace(self.HQ, remote_ident=ident("10.2.2.0/24"))
        for spi in (1, 3):
            watched.read(flow(*pair(spi, spi + 1)))
        watched.expected = [named]
        there = watched.read(flow(*pair(3, 4)))
        watched.expected = []
        back = watched.read(flow(*pair(3, 4)))

        assert [tunnel.name for tunnel in there.tunnels] == ["HQ-to-Branch"]
        assert sum(there.tunnels[0].memory.rekeys.values()) == 1
        assert [tunnel.name for tunnel in back.tunnels] == ["CRYPTO/10.1.1.0_24-10.2.2.0_24"]
        assert there.events == back.events == ()

    def test_names_that_move_on_take_nobody_elses_memory_along(self) -> None:
        def entry(name: str, number: int) -> ExpectedTunnel:
            return replace(self.HQ, name=name, remote_ident=ident(f"10.2.{number}.0/24"))

        def flows(spi: int) -> list[Flow]:
            return [
                flow(*pair(spi, spi + 1), remote_ident=ident("10.2.1.0/24")),
                flow(*pair(91, 92), remote_ident=ident("10.2.2.0/24")),
            ]

        watched = Watched([entry("A", 1), entry("B", 2)])
        watched.read(*flows(1))
        watched.read(*flows(3))
        watched.expected = [entry("B", 1), entry("C", 2)]
        reading = watched.read(*flows(3))

        assert reading.events == ()
        assert {t.name: sum(t.memory.rekeys.values()) for t in reading.tunnels} == {"B": 1, "C": 0}

    def test_an_entry_whose_identities_were_mistaken_leaves_nothing_behind(self) -> None:
        watched = Watched([replace(self.HQ, name="X")])
        watched.read(UP)
        watched.read(UP)
        watched.expected = [replace(self.HQ, name="X", remote_ident=ident("10.2.2.0/24"))]
        reading = watched.read(UP)

        assert [(t.name, t.status.is_up) for t in reading.tunnels] == [("X", True)]
        assert reading.events == ()

    def test_an_absent_tunnel_follows_the_name_of_its_entry(self) -> None:
        watched = Watched([replace(self.HQ, name="X")])
        watched.read()
        watched.expected = [replace(self.HQ, name="Y")]

        assert [tunnel.name for tunnel in watched.read().tunnels] == ["Y"]

    def test_one_of_two_peers_with_the_same_identities_that_goes_is_down(self) -> None:
        def branch(spi: int, peer: str) -> Flow:
            return flow(*pair(spi, spi + 1), kind=FlowKind.DYNAMIC, crypto_map="DYN", peer=peer)

        one, two = branch(1, "203.0.113.1"), branch(3, "203.0.113.2")
        watched = Watched()
        before = {tunnel.name for tunnel in watched.read(one, two).tunnels}
        watched.read(one)
        after = watched.read(one)
        back = watched.read(one, two)

        assert {tunnel.name for tunnel in after.tunnels} == before
        assert kinds(after.events) == [EventKind.GONE]
        assert {tunnel.name for tunnel in back.tunnels} == before

    def test_entries_for_the_same_identities_are_told_apart_by_their_peers(self) -> None:
        entries = [
            replace(self.HQ, name=name, remote_ident=ident("10.2.2.0/24"), peer=peer)
            for name, peer in (("one", "198.51.100.1"), ("two", "198.51.100.2"))
        ]
        flows = [
            flow(*pair(1, 2), peer="198.51.100.2"),
            flow(*pair(3, 4), peer="198.51.100.1", interface="Serial0/1"),
        ]

        assert [t.name for t in Watched(entries).read(*flows).tunnels] == ["two", "one"]

    @pytest.mark.parametrize("order", [(0, 1), (1, 0)])
    def test_names_that_begin_alike_are_not_mistaken(self, order: tuple[int, int]) -> None:
        def named(*names: str) -> list[ExpectedTunnel]:
            return [
                replace(self.HQ, name=name, remote_ident=ident(f"10.{number}.0.0/24"), peer=None)
                for number, name in enumerate(names)
            ]

        flows = [
            flow(*pair(2 * number + 1, 2 * number + 2), remote_ident=ident(f"10.{number}.0.0/24"))
            for number in (0, 1)
        ]
        watched = Watched(named("SITE1", "SITE10"))
        watched.read(*(flows[index] for index in order))
        watched.expected = named("SITE10", "SITE1")
        watched.read(*(flows[index] for index in order))

        assert {t.name: str(t.flow.remote_ident) for t in watched.result.tunnels} == {
            "SITE10": "10.0.0.0/24",
            "SITE1": "10.1.0.0/24",
        }

    def test_a_tunnel_interface_is_told_by_its_name(self) -> None:
        entry = ExpectedTunnel(device="Site1", name="to-cloud", interface="Tunnel7")
        vti = flow(
            *pair(1, 2),
            kind=FlowKind.VTI,
            interface="Tunnel7",
            crypto_map="Tunnel7-head-0",
            local_ident=ident("0.0.0.0/0"),
            remote_ident=ident("0.0.0.0/0"),
        )

        assert [tunnel.name for tunnel in Watched([entry]).read(vti).tunnels] == ["to-cloud"]


class TestIntent:
    def test_a_crypto_map_makes_tunnels_on_demand(self) -> None:
        purpose = read(UP).tunnels[0].purpose

        assert purpose.intent is Intent.ON_DEMAND
        assert "when traffic asks" in purpose.reason

    def test_a_tunnel_interface_is_meant_to_be_up(self) -> None:
        vti = flow(*pair(1, 2), kind=FlowKind.VTI)

        assert read(vti).tunnels[0].purpose.intent is Intent.ALWAYS_ON

    def test_what_was_up_for_a_week_is_relied_upon_and_says_since_when(self) -> None:
        watched = Watched()
        for _ in range(24 * 7 + 1):
            watched.read(UP, after=3600.0)

        assert watched.tunnel.purpose.intent is Intent.ALWAYS_ON
        assert watched.tunnel.purpose.reason == (
            "learned: up in 100.0% of 169 readings over 7 days"
        )

    def test_an_outage_does_not_unlearn_it(self) -> None:
        watched = Watched()
        for _ in range(24 * 7 + 1):
            watched.read(UP, after=3600.0)
        for _ in range(24):
            watched.read(DOWN, after=3600.0, ike=())

        assert watched.tunnel.purpose.intent is Intent.ALWAYS_ON

    def test_what_was_down_for_half_a_day_in_the_week_is_not_learned(self) -> None:
        watched = Watched()
        for hour in range(24 * 7 + 1):
            watched.read(DOWN if hour < 12 else UP, after=3600.0)

        assert watched.tunnel.purpose.intent is Intent.ON_DEMAND

    def test_the_inventory_decides(self) -> None:
        entry = ExpectedTunnel(
            device="Site1",
            name="second-line",
            local_ident=ident("10.1.1.0/24"),
            remote_ident=ident("10.2.2.0/24"),
            options=frozenset({TunnelOption.BACKUP}),
        )
        purpose = Watched([entry]).read(UP).tunnels[0].purpose

        assert (purpose.intent, purpose.reason) == (Intent.BACKUP, "configured under tunnels:")


class TestRekeys:
    def rekey(self, left: int, kilobytes: int = 4500000, **changes: Any) -> Event:
        watched = Watched()
        first = 4500000
        watched.read(flow(*pair(1, 2, remaining_seconds=3000, remaining_kilobytes=first)))
        watched.read(flow(*pair(1, 2, remaining_seconds=left, remaining_kilobytes=kilobytes)))
        (event,) = watched.read(flow(*pair(3, 4), **changes)).events
        assert watched.tunnel.memory.rekeys[RekeyTrigger(str(event.facts["trigger"]))] == 1
        return event

    @pytest.mark.parametrize(
        ("left", "kilobytes", "expected"),
        [
            (100, 4500000, RekeyTrigger.TIME),
            (550, 4500000, RekeyTrigger.TIME),
            (700, 4500000, RekeyTrigger.FORCED),
            (2900, 90000, RekeyTrigger.VOLUME),
            (2900, 2300000, RekeyTrigger.VOLUME),
            (2900, 3500000, RekeyTrigger.FORCED),
        ],
    )
    def test_what_was_left_tells_why(
        self, left: int, kilobytes: int, expected: RekeyTrigger
    ) -> None:
        assert self.rekey(left, kilobytes).facts["trigger"] == expected

    def test_the_ledger_says_what_was_left_when_the_new_spi_was_read(self) -> None:
        facts = self.rekey(100, 4440000).facts

        assert (facts["old_spi"], facts["new_spi"]) == (2, 4)
        assert facts["seconds_left"] == 40.0
        assert facts["kilobytes_left"] == 4380000.0
        assert facts["gap_seconds"] == 0.0

    def test_counters_that_fell_with_the_spi_were_an_outage(self) -> None:
        watched = Watched()
        neighbour = flow(*pair(11, 12), interface="Serial0/1")
        watched.read(UP, neighbour)
        events = watched.read(flow(*pair(3, 4), encaps_packets=3), neighbour).events

        assert kinds(events) == [EventKind.REKEY, EventKind.COUNTERS_CLEARED]
        assert events[0].facts["trigger"] == RekeyTrigger.OUTAGE

    def test_a_new_spi_after_none_is_an_outage_with_its_gap(self) -> None:
        watched = Watched()
        watched.read(UP)
        watched.read(DOWN)
        (event,) = watched.read(flow(*pair(3, 4))).events

        assert event.facts["trigger"] == RekeyTrigger.OUTAGE
        assert event.facts["gap_seconds"] == 120.0

    def test_two_live_pairs_whose_current_spi_turns_to_and_fro_are_no_storm(self) -> None:
        one, other = pair(1, 2), pair(3, 4)
        watched = Watched()
        watched.read(flow(*one, *other, current_outbound_spi=2))
        told = [
            event.kind
            for number in range(6)
            for event in watched.read(
                flow(*one, *other, current_outbound_spi=4 if number % 2 else 2)
            ).events
        ]

        assert told == [EventKind.REKEY]

    def test_the_keys_of_a_group_are_no_rekeys_of_a_tunnel(self) -> None:
        watched = Watched()
        for spi in (1, 3, 5):
            watched.read(flow(*pair(spi, spi + 1), kind=FlowKind.GETVPN))

        assert watched.result.events == ()
        assert sum(watched.tunnel.memory.rekeys.values()) == 0

    def test_a_standby_copy_tells_no_rekeys(self) -> None:
        watched = Watched()
        watched.read(flow(*pair(1, 2)))
        told = [
            event.kind
            for spi in (4, 6, 8)
            for event in watched.read(
                flow(*pair(spi - 1, spi, status="STANDBY(STANDBY)")), ike=()
            ).events
        ]

        assert told == []

    def test_the_lifetime_of_the_sa_counts_not_that_of_the_device(self) -> None:
        day = SaLifetime(seconds=28800, kilobytes=4608000, volume_rekey_disabled=False)
        watched = Watched()
        watched.read(flow(*pair(1, 2, remaining_seconds=100)), lifetime=day)
        watched.read(flow(*pair(3, 4, remaining_seconds=3580)), lifetime=day)
        watched.read(flow(*pair(3, 4, remaining_seconds=3520)), lifetime=day)
        (event,) = watched.read(flow(*pair(5, 6)), lifetime=day).events

        assert event.facts["trigger"] == RekeyTrigger.FORCED

    def test_an_sa_first_seen_after_a_gap_has_the_lifetime_its_kind_has(self) -> None:
        watched = Watched()
        watched.read(flow(*pair(1, 2, remaining_seconds=3000)))
        watched.read(flow(*pair(3, 4, remaining_seconds=900)), after=3600.0)
        watched.read(flow(*pair(3, 4, remaining_seconds=480)), after=420.0)
        (event,) = watched.read(flow(*pair(5, 6))).events

        assert event.facts["trigger"] == RekeyTrigger.TIME
        assert watched.tunnel.memory.lifetime_seconds == 3600

    def test_either_direction_may_use_up_its_volume(self) -> None:
        watched = Watched()
        for kilobytes in (4500000, 90000):
            inbound, outbound = pair(1, 2)
            watched.read(flow(replace(inbound, remaining_kilobytes=kilobytes), outbound))
        (event,) = watched.read(flow(*pair(3, 4))).events

        assert event.facts["trigger"] == RekeyTrigger.VOLUME

    def test_the_age_of_an_spi_is_known_from_its_first_reading(self) -> None:
        watched = Watched()
        watched.read(DOWN)
        before = watched.tunnel.memory.last_rekey_at
        watched.read(UP)
        watched.read(UP)

        assert before is None
        assert watched.tunnel.memory.last_rekey_at == 1060.0

    def test_the_same_spi_is_no_rekey_and_no_event(self) -> None:
        watched = Watched()
        for _ in range(3):
            assert watched.read(UP).events == ()

        assert sum(watched.tunnel.memory.rekeys.values()) == 0

    def test_a_rekey_with_both_pairs_listed_is_one_rekey_and_no_transition(self) -> None:
        old, new = pair(1, 2, remaining_seconds=40), pair(3, 4, remaining_seconds=3590)
        watched = Watched()
        readings = [
            watched.read(flow(*old)),
            watched.read(flow(*old, *new, current_outbound_spi=2)),
            watched.read(flow(*old, *new, current_outbound_spi=4)),
            watched.read(flow(*new)),
        ]

        assert kinds(tuple(e for reading in readings for e in reading.events)) == [EventKind.REKEY]
        assert watched.tunnel.memory.last_transition_at == 1000.0
        assert watched.tunnel.memory.last_rekey_at == 1120.0

    def test_a_rekey_missed_by_a_failed_hour_was_one_of_time(self) -> None:
        watched = Watched()
        watched.read(flow(*pair(1, 2, remaining_seconds=3000)))
        (event,) = watched.read(flow(*pair(3, 4)), after=3600.0).events

        assert event.facts["trigger"] == RekeyTrigger.TIME


class TestHiddenBytes:
    def test_what_an_sa_lost_between_readings_is_what_it_carried(self) -> None:
        watched = Watched()
        watched.read(flow(*pair(1, 2, remaining_kilobytes=4608000)))
        watched.read(flow(*pair(1, 2, remaining_kilobytes=4607400)))
        tunnel = watched.tunnel

        assert (tunnel.memory.sent_kilobytes, tunnel.memory.received_kilobytes) == (600, 600)
        assert tunnel.sent_bytes_per_second == 10240.0

    def test_across_a_rekey_the_packets_tell_at_the_mean_size_of_those_before(self) -> None:
        watched = Watched()
        for kilobytes, packets in ((4608000, 400), (4607400, 1000)):
            watched.read(flow(*pair(1, 2, remaining_kilobytes=kilobytes), encaps_packets=packets))
        watched.read(flow(*pair(3, 4, remaining_kilobytes=4600000), encaps_packets=1600))

        assert watched.tunnel.memory.sent_kilobytes == 1200

    def test_what_one_pair_of_two_receives_is_counted_whichever_is_the_fresher(self) -> None:
        watched = Watched()
        for used in (0, 600):
            old = pair(1, 2, remaining_seconds=900, remaining_kilobytes=4000000 - used)
            watched.read(flow(*old, *pair(3, 4), current_outbound_spi=4))

        assert watched.tunnel.memory.received_kilobytes == 600

    def test_packets_without_an_sa_do_not_count_at_the_rate_of_before(self) -> None:
        watched = Watched()
        for kilobytes, packets in ((4608000, 400), (4548000, 60400)):
            watched.read(flow(*pair(1, 2, remaining_kilobytes=kilobytes), encaps_packets=packets))
        before = watched.tunnel.memory.sent_kilobytes
        watched.read(flow(encaps_packets=60410), ike=())
        rate = watched.tunnel.sent_bytes_per_second
        watched.read(flow(*pair(3, 4), encaps_packets=60410))

        assert before == 60000
        assert rate is None
        assert watched.tunnel.memory.sent_kilobytes == 60010

    def test_two_inbound_sas_a_second_apart_do_not_take_turns(self) -> None:
        watched = Watched()
        seen: list[int | None] = []
        for seconds in (3000, 2998, 3001):
            first, second = (
                pair(1, 2, remaining_seconds=2999),
                pair(3, 4, remaining_seconds=seconds),
            )
            watched.read(flow(*first, *second, current_outbound_spi=2))
            assert watched.tunnel.inbound is not None
            seen.append(watched.tunnel.inbound.spi)

        assert len(set(seen)) == 1

    def test_without_a_volume_lifetime_nothing_is_known(self) -> None:
        watched = Watched()
        for _ in range(2):
            watched.read(flow(*pair(1, 2, remaining_kilobytes=None, volume_rekey_disabled=True)))

        assert watched.tunnel.memory.sent_kilobytes is None
        assert watched.tunnel.sent_bytes_per_second is None

    def test_the_sooner_of_seconds_and_kilobytes_is_the_end(self) -> None:
        watched = Watched()
        watched.read(flow(*pair(1, 2, remaining_kilobytes=700, remaining_seconds=3000)))
        by_time = watched.tunnel.predicted_expiry_at
        watched.read(flow(*pair(1, 2, remaining_kilobytes=100, remaining_seconds=2940)))

        assert by_time == 1000.0 + 3000
        assert watched.tunnel.predicted_expiry_at == pytest.approx(1060.0 + 10)


class TestChanges:
    def two(self, *spis: int, packets: int, conn_id: int) -> tuple[Flow, Flow]:
        one, two, three, four = spis
        return (
            flow(*pair(one, two, conn_id=conn_id), encaps_packets=packets, decaps_packets=packets),
            flow(
                *pair(three, four, conn_id=conn_id + 2),
                interface="Serial0/1",
                encaps_packets=packets,
                decaps_packets=packets,
            ),
        )

    def test_a_reload_is_one_event_of_the_device(self) -> None:
        watched = Watched()
        watched.read(*self.two(1, 2, 3, 4, packets=500, conn_id=2041))
        events = watched.read(*self.two(5, 6, 7, 8, packets=9, conn_id=2001)).events

        assert sorted(kinds(events)) == [EventKind.REKEY, EventKind.REKEY, EventKind.RELOAD]
        assert [event.tunnel for event in events if event.kind is EventKind.RELOAD] == [None]

    def test_a_reload_shows_before_the_tunnels_are_back_by_its_ike_sas(self) -> None:
        watched = Watched()
        watched.read(*self.two(1, 2, 3, 4, packets=500, conn_id=2041))
        events = watched.read(
            flow(encaps_packets=0, decaps_packets=0),
            flow(interface="Serial0/1", encaps_packets=0, decaps_packets=0),
            ike=(),
        ).events
        back = watched.read(*self.two(5, 6, 7, 8, packets=9, conn_id=2001)).events

        assert kinds(events) == [EventKind.RELOAD]
        assert kinds(back) == [EventKind.REKEY, EventKind.REKEY]

    def test_a_reload_is_told_although_one_counter_did_not_fall(self) -> None:
        watched = Watched()
        one, two = self.two(1, 2, 3, 4, packets=500, conn_id=2041)
        watched.read(replace(one, encaps_packets=2, decaps_packets=2), two)
        events = watched.read(*self.two(5, 6, 7, 8, packets=9, conn_id=2001)).events

        assert EventKind.RELOAD in kinds(events)
        assert EventKind.COUNTERS_CLEARED not in kinds(events)

    def test_the_numbers_begin_anew_with_a_reload_and_the_next_clear_is_a_clear(self) -> None:
        watched = Watched()
        watched.read(*self.two(1, 2, 3, 4, packets=500, conn_id=2041))
        watched.read(*self.two(5, 6, 7, 8, packets=9, conn_id=2001))
        watched.read(*self.two(5, 6, 7, 8, packets=900, conn_id=2001))
        events = watched.read(*self.two(9, 10, 11, 12, packets=5, conn_id=2005)).events

        assert EventKind.COUNTERS_CLEARED in kinds(events)
        assert EventKind.RELOAD not in kinds(events)

    @pytest.mark.parametrize("conn_id", [9, 2041])
    def test_a_rekey_with_smaller_ids_is_no_reload_while_counters_go_on(self, conn_id: int) -> None:
        watched = Watched()
        watched.read(*self.two(1, 2, 3, 4, packets=1000, conn_id=conn_id))
        events = watched.read(*self.two(5, 6, 7, 8, packets=1100, conn_id=conn_id - 5)).events

        assert set(kinds(events)) == {EventKind.REKEY}

    def test_a_deleted_row_of_the_old_ike_sa_says_that_the_device_stood(self) -> None:
        watched = Watched()
        watched.read(*self.two(1, 2, 3, 4, packets=500, conn_id=2041))
        deleted = ike_sa(status="ACTIVE (deleted)", is_deleted=True, is_established=False)
        events = watched.read(
            flow(encaps_packets=0, decaps_packets=0),
            flow(interface="Serial0/1", encaps_packets=0, decaps_packets=0),
            ike=(deleted,),
        ).events

        assert kinds(events) == [EventKind.COUNTERS_CLEARED]

    def test_an_ike_sa_of_version_2_with_the_old_number_may_be_a_new_one(self) -> None:
        def ready(active_seconds: int) -> IkeSa:
            return IkeSa(
                version=2,
                local="92.1.1.1",
                remote="123.1.1.2",
                state=IkeState.READY,
                raw_state="READY",
                conn_id=1,
                active_seconds=active_seconds,
                is_established=True,
            )

        watched = Watched()
        watched.read(*self.two(1, 2, 3, 4, packets=500, conn_id=21), ike=(ready(7000),))
        events = watched.read(*self.two(5, 6, 7, 8, packets=9, conn_id=1), ike=(ready(20),)).events

        assert EventKind.RELOAD in kinds(events)

    def test_clear_crypto_session_is_no_reload(self) -> None:
        watched = Watched()
        watched.read(*self.two(1, 2, 3, 4, packets=500, conn_id=2041))
        events = watched.read(
            *self.two(5, 6, 7, 8, packets=9, conn_id=2045), ike=(ike_sa(conn_id=1002),)
        ).events

        assert EventKind.RELOAD not in kinds(events)

    def test_a_clear_on_an_engine_that_gives_its_ids_again_is_no_reload(self) -> None:
        watched = Watched()
        watched.read(*self.two(1, 2, 3, 4, packets=500, conn_id=1))
        events = watched.read(*self.two(5, 6, 7, 8, packets=9, conn_id=1)).events

        assert EventKind.RELOAD not in kinds(events)

    def test_a_counter_that_fell_from_above_the_middle_of_32_bits_was_cleared(self) -> None:
        watched = Watched()
        for packets in (3_000_000_000, 3_000_000_600):
            watched.read(flow(*pair(1, 2), encaps_packets=packets))

        assert kinds(watched.read(flow(*pair(1, 2), encaps_packets=70)).events) == [
            EventKind.COUNTERS_CLEARED
        ]

    def test_clear_crypto_sa_is_no_reload(self) -> None:
        watched = Watched()
        watched.read(*self.two(1, 2, 3, 4, packets=500, conn_id=2041))
        events = watched.read(*self.two(5, 6, 7, 8, packets=9, conn_id=2045)).events

        assert sorted(kinds(events)) == [
            EventKind.COUNTERS_CLEARED,
            EventKind.REKEY,
            EventKind.REKEY,
        ]

    def test_clear_crypto_sa_counters_is_told_once_for_all(self) -> None:
        watched = Watched()
        watched.read(*self.two(1, 2, 3, 4, packets=500, conn_id=2041))
        (event,) = watched.read(*self.two(1, 2, 3, 4, packets=9, conn_id=2041)).events

        assert (event.kind, event.tunnel) == (EventKind.COUNTERS_CLEARED, None)

    def test_a_counter_of_32_bits_that_went_round_was_not_cleared(self) -> None:
        watched = Watched()
        watched.read(flow(*pair(1, 2), encaps_packets=2**32 - 50))

        assert watched.read(flow(*pair(1, 2), encaps_packets=70)).events == ()

    def test_a_failover_is_an_event_on_the_same_tunnel_and_keeps_its_label(self) -> None:
        watched = Watched()
        watched.read(UP)
        events = watched.read(flow(*pair(3, 4), peer="203.0.113.7")).events

        assert EventKind.PEER_FAILOVER in kinds(events)
        # the old SA was lost before the new one was made, however fast that was
        assert watched.tunnel.memory.rekeys[RekeyTrigger.OUTAGE] == 1
        assert (watched.tunnel.peer, watched.tunnel.current_peer) == ("123.1.1.2", "203.0.113.7")
        assert watched.tunnel.memory.peers == ("123.1.1.2", "203.0.113.7")
        assert watched.tunnel.memory.peer_failovers == 1

    def test_the_peers_of_the_crypto_map_are_known_before_they_are_needed(self) -> None:
        watched = Watched()
        reading = watched.read(flow(*pair(1, 2), peer="203.0.113.7"), crypto_map=[map_entry()])

        assert watched.tunnel.memory.peers == ("123.1.1.2", "203.0.113.7")
        assert [peer.peer for peer in reading.ike_peers] == ["123.1.1.2", "203.0.113.7"]

    def test_other_algorithms_are_drift(self) -> None:
        watched = Watched()
        watched.read(UP)
        events = watched.read(flow(*pair(3, 4, transform=("esp-3des", "esp-md5-hmac")))).events

        assert EventKind.CONFIGURATION_DRIFT in kinds(events)

    def test_an_entry_of_the_crypto_map_that_changed_is_drift(self) -> None:
        watched = Watched()
        watched.read(UP, crypto_map=[map_entry()])
        (event,) = watched.read(
            UP, crypto_map=[map_entry(peers=("123.1.1.2",)), map_entry(sequence=20)]
        ).events

        assert event.detail == "crypto map CRYPTO 10 changed: peers; crypto map CRYPTO 20 is new"

    def test_the_current_peer_and_hits_of_a_crypto_map_are_no_drift(self) -> None:
        watched = Watched()
        watched.read(UP, crypto_map=[map_entry()])
        hit = replace(permit("10.1.1.0/24", "10.2.2.0/24"), hits=7)

        assert (
            watched.read(
                UP, crypto_map=[map_entry(current_peer="203.0.113.7", access_entries=(hit,))]
            ).events
            == ()
        )

    def test_another_lifetime_of_new_sas_is_drift(self) -> None:
        watched = Watched()
        watched.read(UP)
        shorter = SaLifetime(seconds=1800, kilobytes=None, volume_rekey_disabled=True)
        (event,) = watched.read(UP, lifetime=shorter).events

        assert event.detail == "lifetime of new SAs 3600 s/4608000 kB -> 1800 s/no volume"


class TestPeers:
    def test_the_source_is_the_initiator_not_the_local_router(self) -> None:
        initiated_by_peer = ike_sa(source="123.1.1.2", destination="92.1.1.1")
        peers, unmatched = ike_peers([flow()], [initiated_by_peer], "192.0.2.99")

        assert [(peer.peer, peer.local_address) for peer in peers] == [("123.1.1.2", "92.1.1.1")]
        assert unmatched == ()

    def test_both_directions_and_deleted_rows_are_one_peer(self) -> None:
        sas = [
            ike_sa(),
            ike_sa(source="123.1.1.2", destination="92.1.1.1"),
            ike_sa(status="ACTIVE (deleted)", is_deleted=True, is_established=False),
        ]
        (peer,), _ = ike_peers([flow()], sas, "192.0.2.99")

        assert len(peer.sas) == 3
        assert peer.is_qm_idle

    def test_a_peer_without_any_ike_sa_is_listed_as_down(self) -> None:
        (peer,), _ = ike_peers([flow()], [], "192.0.2.99")

        assert (peer.is_up, peer.is_qm_idle, peer.sas) == (False, False, ())

    def test_one_peer_from_two_local_addresses_is_two_peers(self) -> None:
        other = flow(
            *pair(3, 4),
            local_address="192.0.2.1",
            local_endpoint="192.0.2.1",
            interface="Serial0/1",
        )
        reading = read(flow(*pair(1, 2)), other)

        assert [tunnel.status for tunnel in reading.tunnels] == [Status.UP, Status.UP_NO_IKE]

    def test_an_ike_sa_with_neither_end_ours_is_kept_apart(self) -> None:
        stranger = ike_sa(source="198.51.100.1", destination="198.51.100.2")
        _, unmatched = ike_peers([flow()], [stranger], "192.0.2.99")

        assert unmatched == (stranger,)

    def test_the_address_we_connect_to_is_ours_too(self) -> None:
        spoke = ike_sa(source="198.51.100.1", destination="192.0.2.99")
        peers, _ = ike_peers([], [spoke], "192.0.2.99")

        assert [peer.peer for peer in peers] == ["198.51.100.1"]


class TestSamples:
    LINK = Link(
        device="Site1",
        tunnel="CRYPTO/10.1.1.0_24-10.2.2.0_24",
        remote_device="Site2",
        remote_tunnel="there",
        proof=LinkProof.SPI_PAIR,
        is_spi_pair_matched=True,
    )

    def test_a_tunnel_whose_other_end_is_read_keeps_what_tells_loss(self) -> None:
        alone, linked = Watched(), Watched()
        linked.read(UP)
        linked.result = replace(linked.result, links=(self.LINK,))
        for _ in range(20):
            alone.read(UP)
            linked.read(UP)

        assert len(alone.tunnel.memory.samples) == 4
        assert len(linked.tunnel.memory.samples) == 16

    def test_what_is_read_often_is_kept_far_enough_apart(self) -> None:
        linked = Watched(step=5.0)
        linked.read(UP)
        linked.result = replace(linked.result, links=(self.LINK,))
        for _ in range(400):
            linked.read(UP)
        ats = [sample.at for sample in linked.tunnel.memory.samples]

        assert ats[-4:] == [linked.at - 15, linked.at - 10, linked.at - 5, linked.at]
        assert ats[-1] - ats[0] > 600
        assert all(later > earlier for earlier, later in pairwise(ats))
