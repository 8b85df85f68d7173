"""Tunnels, events and polls as the service would make them, so that a test names only what it is about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from factories import LIFETIME, flow, ident, ike_sa, pair
from ipsecmon.model import (
    NO_REKEYS,
    CounterSample,
    Event,
    EventKind,
    Evidence,
    IkePeer,
    Intent,
    PollError,
    PollResult,
    Purpose,
    RawOutput,
    Reason,
    RekeyTrigger,
    SaMark,
    Stage,
    Status,
    TunnelMemory,
    TunnelState,
)
from ipsecmon_parsers.records import Platform

AT = 1_790_000_000.0
NAME = "CRYPTO/10.1.1.0_24-10.2.2.0_24"


def tunnel(number: int = 0, **changes: Any) -> TunnelState:
    """The tunnel to 10.<number>.2.0/24, up, with everything a tunnel can remember."""
    sas = pair(0x1000 + number, 0x2000 + number)
    remote = f"10.{number or 2}.2.0/24"
    marks = [SaMark(spi=one.spi or 0, at=AT, remaining_seconds=3000, conn_id=2001) for one in sas]
    memory = TunnelMemory(
        first_seen_at=AT - 3600,
        last_listed_at=AT,
        last_up_at=AT,
        is_settled_up=True,
        flaps=2,
        rekeys={**NO_REKEYS, RekeyTrigger.TIME: 24, RekeyTrigger.OUTAGE: 1},
        inbound=marks[0],
        outbound=marks[1],
        samples=(CounterSample(AT - 60, 340, 330, 1, None), CounterSample(AT, 400, 390, 1, None)),
        sent_kilobytes=17,
        readings=60,
        up_readings=59,
        peers=("203.0.113.2", "203.0.113.3"),
        signature=("esp-aes 256", "tunnel"),
    )
    made = TunnelState(
        device="Site1",
        name=f"CRYPTO/10.1.1.0_24-{remote.replace('/', '_')}",
        flow=flow(*sas, remote_ident=ident(remote), peer="203.0.113.2"),
        status=Status.UP,
        purpose=Purpose(intent=Intent.ALWAYS_ON, reason="up in 59 of 60 readings"),
        memory=memory,
        seen_at=AT,
        lines=(4, 40),
        inbound=sas[0],
        outbound=sas[1],
    )
    return replace(made, **changes)


def event(kind: EventKind = EventKind.DOWN, **changes: Any) -> Event:
    made = Event(
        kind=kind,
        device="Site1",
        tunnel=NAME,
        at=AT,
        detail="no SA any more, and send errors grow",
        facts={"trigger": None, "gap_seconds": 42.5, "old_spi": 0x2001},
        evidence=(
            Evidence(
                command="show crypto ipsec sa",
                line_no=14,
                text="    #send errors 13, #recv errors 0",
            ),
        ),
    )
    return replace(made, **changes)


def output(text: str, at: float = AT, command: str = "show crypto ipsec sa") -> RawOutput:
    return RawOutput(command=command, text=text, started_at=at, ended_at=at + 1)


def poll(*events: Event, at: float = AT, device: str = "Site1", **changes: Any) -> PollResult:
    """A good poll with one tunnel and these events."""
    made = PollResult(
        device=device,
        host="192.0.2.1",
        platform=Platform.IOS,
        interval_seconds=60.0,
        started_at=at,
        duration_seconds=1.5,
        read_at=at + 1,
        tunnels=(tunnel(),),
        ike_peers=(
            IkePeer(
                peer="203.0.113.2",
                local_address="192.0.2.1",
                is_up=True,
                is_qm_idle=True,
                sas=(ike_sa(),),
            ),
        ),
        sa_lifetime=LIFETIME,
        configuration_read_at=AT - 100,
        highest_conn_ids=(1001, 2002),
        events=events,
        outputs=(output(f"interface: Serial0/0, read at {at}", at),),
        errors_total={**dict.fromkeys(Reason, 0), Reason.TIMEOUT: 3},
    )
    return replace(made, **changes)


def failed(last: PollResult, *events: Event, at: float) -> PollResult:
    """A poll that failed after ``last``: what was known, with the reason why nothing newer is."""
    error = PollError(
        device=last.device, stage=Stage.CONNECT, reason=Reason.TIMEOUT, cause="no answer"
    )
    return replace(last, started_at=at, error=error, events=events)
