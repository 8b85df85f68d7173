"""Records and the previous state in, tunnels and events out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories import LIFETIME, flow, ident, ike_sa, pair
from ipsecmon.model import EventKind, RekeyTrigger, Status, TunnelState
from ipsecmon.tunnels import TunnelReading, build
from ipsecmon.tunnels.identity import tunnel_names
from ipsecmon.tunnels.peers import ike_peers
from ipsecmon_parsers.records import Flow, IkeSa, IkeState


def read(
    *flows: Flow,
    ike: tuple[IkeSa, ...] = (ike_sa(),),
    previous: tuple[TunnelState, ...] = (),
    at: float = 1000.0,
) -> TunnelReading:
    return build(
        device="Site1",
        device_address="192.0.2.99",
        flows=flows,
        ike_sas=ike,
        lifetime=LIFETIME,
        previous=previous,
        at=at,
    )


def then(*readings: tuple[Flow, tuple[IkeSa, ...]], step: float = 60.0) -> list[TunnelReading]:
    """The same tunnel read again and again."""
    results: list[TunnelReading] = []
    for number, (one, ike) in enumerate(readings):
        before = results[-1].tunnels if results else ()
        results.append(read(one, ike=ike, previous=before, at=1000.0 + number * step))
    return results


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
                "Tunnel0/123.1.1.2",
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
        ],
    )
    def test_a_name_is_made_of_map_and_idents(self, changes: dict[str, Any], expected: str) -> None:
        assert tunnel_names([flow(**changes)]) == [expected]

    def test_a_name_survives_rekey_reload_and_peer_failover(self) -> None:
        before = flow(*pair(1, 2))
        after = flow(*pair(3, 4), peer="203.0.113.7", peer_port=4500, encaps_packets=0)

        assert tunnel_names([before]) == tunnel_names([after])

    def test_one_map_on_two_interfaces_is_two_tunnels(self) -> None:
        names = tunnel_names([flow(), flow(interface="Serial0/1")])

        assert names == [
            "CRYPTO/10.1.1.0_24-10.2.2.0_24@Serial0/0",
            "CRYPTO/10.1.1.0_24-10.2.2.0_24@Serial0/1",
        ]

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

    @pytest.mark.parametrize("lost", [0, 1])
    def test_one_direction_alone_is_not_up(self, lost: int) -> None:
        sas = list(pair(1, 2))
        del sas[lost]

        assert not read(flow(*sas)).tunnels[0].status.is_up

    def test_a_standby_copy_is_not_up(self) -> None:
        assert not read(flow(*pair(1, 2, status="STANDBY(STANDBY)"))).tunnels[0].status.is_up

    def test_no_sa_and_an_ike_sa_on_its_way_is_negotiating(self) -> None:
        on_its_way = ike_sa(
            state=IkeState.MM_KEY_EXCH, raw_state="MM_KEY_EXCH", is_established=False
        )

        assert read(flow(), ike=(on_its_way,)).tunnels[0].status is Status.NEGOTIATING

    def test_a_deleted_ike_sa_negotiates_nothing(self) -> None:
        deleted = ike_sa(status="ACTIVE (deleted)", is_deleted=True, is_established=False)

        assert read(flow(), ike=(deleted,)).tunnels[0].status is Status.DOWN_IDLE

    def test_no_sa_and_rising_send_errors_is_demand(self) -> None:
        first, second = then((flow(send_errors=2), ()), (flow(send_errors=9), ()))

        assert first.tunnels[0].status is Status.DOWN_IDLE
        assert second.tunnels[0].status is Status.DOWN_DEMANDED

    def test_the_sas_in_use_are_the_current_and_the_freshest(self) -> None:
        old, new = pair(1, 2, remaining_seconds=20), pair(3, 4, remaining_seconds=3590)
        (tunnel,) = read(flow(*old, *new, current_outbound_spi=2)).tunnels

        assert tunnel.outbound is not None
        assert tunnel.inbound is not None
        assert (tunnel.inbound.spi, tunnel.outbound.spi) == (3, 2)


class TestRekeys:
    def rekey(self, left: int, kilobytes: int = 4500000) -> RekeyTrigger | None:
        old = flow(*pair(1, 2, remaining_seconds=left, remaining_kilobytes=kilobytes))
        _, after = then((old, (ike_sa(),)), (flow(*pair(3, 4)), (ike_sa(),)))
        counted = [trigger for trigger, count in after.tunnels[0].rekeys.items() if count]
        return counted[0] if counted else None

    def test_a_new_spi_near_the_end_of_the_time_lifetime_is_a_time_rekey(self) -> None:
        assert self.rekey(left=100) is RekeyTrigger.TIME

    def test_a_new_spi_with_little_volume_left_is_a_volume_rekey(self) -> None:
        assert self.rekey(left=3000, kilobytes=90000) is RekeyTrigger.VOLUME

    def test_a_new_spi_with_both_lifetimes_left_was_forced(self) -> None:
        assert self.rekey(left=3000) is RekeyTrigger.FORCED

    def test_a_new_spi_after_none_is_an_outage_and_up_again(self) -> None:
        up = (flow(*pair(1, 2)), (ike_sa(),))
        first, down, again = then(up, (flow(), ()), (flow(*pair(3, 4)), (ike_sa(),)))

        assert [event.kind for event in first.events] == [EventKind.NEW]
        assert [event.kind for event in down.events] == [EventKind.DOWN]
        assert [event.kind for event in again.events] == [EventKind.UP, EventKind.REKEY]
        assert again.tunnels[0].rekeys[RekeyTrigger.OUTAGE] == 1

    def test_the_same_spi_is_no_rekey_and_no_event(self) -> None:
        up = (flow(*pair(1, 2)), (ike_sa(),))
        *_, last = then(up, up, up)

        assert last.events == ()
        assert sum(last.tunnels[0].rekeys.values()) == 0

    def test_a_rekey_is_no_transition(self) -> None:
        _, after = then(
            (flow(*pair(1, 2, remaining_seconds=40)), (ike_sa(),)),
            (flow(*pair(3, 4)), (ike_sa(),)),
        )

        assert [event.kind for event in after.events] == [EventKind.REKEY]
        assert after.tunnels[0].last_transition_at is None
        assert after.tunnels[0].last_rekey_at == 1060.0


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

    def test_an_ike_sa_with_neither_end_ours_is_kept_apart(self) -> None:
        stranger = ike_sa(source="198.51.100.1", destination="198.51.100.2")
        _, unmatched = ike_peers([flow()], [stranger], "192.0.2.99")

        assert unmatched == (stranger,)

    def test_the_address_we_connect_to_is_ours_too(self) -> None:
        spoke = ike_sa(source="198.51.100.1", destination="192.0.2.99")
        peers, _ = ike_peers([], [spoke], "192.0.2.99")

        assert [peer.peer for peer in peers] == ["198.51.100.1"]
