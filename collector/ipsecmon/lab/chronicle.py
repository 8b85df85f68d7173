"""The list of what truly happened, written by the simulation as it acts (``truth.py`` has the words)."""

from __future__ import annotations

from ipsecmon.lab.associations import FlowState, RouterState, SaEnd
from ipsecmon.lab.matching import PROTOCOL_NUMBERS
from ipsecmon.lab.traffic import Paths
from ipsecmon.lab.truth import FlowKey, FlowTruth, Happening, HappeningKind, Trigger

__all__ = ["Chronicle", "flow_truth"]


class Chronicle:
    """Happenings in the order of their time."""

    def __init__(self) -> None:
        self.happenings: list[Happening] = []

    def router(self, kind: HappeningKind, router: RouterState, at: float) -> None:
        """Something happened to a router as a whole."""
        self.happenings.append(Happening(kind=kind, router=router.name, at=at))

    def installed(self, flow: FlowState, new: SaEnd, trigger: Trigger, at: float) -> None:
        """A new pair came; call it while ``flow.current`` is still the one before."""
        old = flow.current
        left = old.remaining_bytes() if old is not None else None
        self.happenings.append(
            Happening(
                kind=HappeningKind.UP if old is None else HappeningKind.REKEY,
                router=flow.router.name,
                at=at,
                flow=flow_key(flow),
                is_up=True,
                trigger=None if old is None else trigger,
                peer=flow.peer_address,
                old_spi=None if old is None else old.spi_out,
                new_spi=new.spi_out,
                seconds_left=None if old is None else old.expires_at - at,
                kilobytes_left=None if left is None else max(0, left // 1024),
            )
        )

    def removed(
        self, kind: HappeningKind, end: SaEnd, at: float, trigger: Trigger | None = None
    ) -> None:
        """A pair went; call it after ``flow.current`` was set anew."""
        flow = end.flow
        left = end.remaining_bytes()
        self.happenings.append(
            Happening(
                kind=kind,
                router=flow.router.name,
                at=at,
                flow=flow_key(flow),
                is_up=flow.current is not None,
                trigger=trigger,
                peer=flow.peer_address,
                old_spi=end.spi_out,
                seconds_left=end.expires_at - at,
                kilobytes_left=None if left is None else max(0, left // 1024),
            )
        )

    def peer_changed(self, flow: FlowState, old_peer: str, at: float) -> None:
        """The entry turned to another peer."""
        self.happenings.append(
            Happening(
                kind=HappeningKind.PEER_CHANGED,
                router=flow.router.name,
                at=at,
                flow=flow_key(flow),
                is_up=flow.current is not None,
                peer=flow.peer_address,
                old_peer=old_peer,
            )
        )

    def counters_cleared(self, flow: FlowState, at: float) -> None:
        """The printed counters of a flow went to zero."""
        self.happenings.append(
            Happening(
                kind=HappeningKind.COUNTERS_CLEARED,
                router=flow.router.name,
                at=at,
                flow=flow_key(flow),
                is_up=flow.current is not None,
                peer=flow.peer_address,
            )
        )


def flow_key(flow: FlowState) -> FlowKey:
    """Which flow it is."""
    return FlowKey(
        router=flow.router.name,
        crypto_map=flow.router.config.crypto_map.name,
        local=str(flow.line.source),
        remote=str(flow.line.destination),
        protocol=PROTOCOL_NUMBERS[flow.line.protocol],
    )


def flow_truth(flow: FlowState, paths: Paths, now: float) -> FlowTruth:
    """A flow as it truly is; settle its traffic first."""
    end = flow.current
    is_joined = (
        end is not None
        and end.other is not None
        and end.other.is_alive
        and paths.reaches(flow.router, end.other.flow.router)
    )
    return FlowTruth(
        key=flow_key(flow),
        at=now,
        is_up=end is not None,
        is_joined=is_joined,
        peer=flow.peer_address,
        outbound_spi=None if end is None else end.spi_out,
        inbound_spis=tuple(each.spi_in for each in flow.ends),
        sent_packets=flow.sent_packets,
        sent_bytes=flow.sent_bytes,
        received_packets=flow.received_packets,
        received_bytes=flow.received_bytes,
        encaps_packets=flow.encaps,
        decaps_packets=flow.decaps,
        send_errors=flow.send_errors,
    )
