"""Poll results for everything that reads metrics: one device in which every metric of the catalogue has a sample.

Built by hand, not read: what a tunnel remembers takes days to come about.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from factories import LIFETIME, flow, ident, ike_sa, pair
from ipsecmon.config import HostKeyCheck
from ipsecmon.metrics import (
    CredentialFacts,
    ExporterFacts,
    HistoryFacts,
    HostKeyFacts,
    LatenessFacts,
    LoginFacts,
    PollOutcome,
    ReloadFacts,
)
from ipsecmon.model import (
    NO_REKEYS,
    CounterSample,
    ExpectedTunnel,
    IkePeer,
    Intent,
    Link,
    LinkProof,
    Loss,
    PollError,
    PollResult,
    Purpose,
    RawOutput,
    Reason,
    RekeyTrigger,
    SaMark,
    SessionFacts,
    Stage,
    Status,
    TunnelMemory,
    TunnelOption,
    TunnelState,
    UnparsedOutput,
)
from ipsecmon_parsers.records import IkeState, Platform, SaMode
from ipsecmon_parsers.registry import UnparsedLine

READ_AT = 1_800_000_000.0
FACTS = ExporterFacts(
    sessions_open=2,
    jobs_missed=0,
    history=HistoryFacts(is_writable=True, events=12, write_errors=0, size_bytes=1_048_576),
    polls={
        PollOutcome.GOOD: 940,
        PollOutcome.FAILED: 7,
        PollOutcome.SKIPPED: 50,
        PollOutcome.MISSED: 3,
    },
    lateness={
        "living": LatenessFacts(bounds_seconds=(0.1, 1.0), counts=(930, 6, 4), sum_seconds=21.5),
        "login": LatenessFacts(bounds_seconds=(0.1, 1.0), counts=(5, 2, 0), sum_seconds=0.75),
    },
    logins=LoginFacts(total=12, failed=4, wait_seconds=1.5),
    credentials={"tacacs": CredentialFacts(is_rested=True, rejections=3)},
    host_keys=HostKeyFacts(mode=HostKeyCheck.STRICT, unverified=0),
    reload=ReloadFacts(
        is_successful=False,
        success_at=READ_AT,
        failures=1,
        devices={"ipsecmon.yml": 3, "targets/*.json": 0},
        left_out={"ipsecmon.yml": 0, "targets/*.json": 2},
        failed_sources=frozenset({"targets/*.json"}),
    ),
    process={
        "process_cpu_seconds_total": 81.5,
        "process_resident_memory_bytes": 48_234_496,
        "process_virtual_memory_bytes": 210_763_776,
        "process_open_fds": 14,
        "process_max_fds": 1024,
        "process_start_time_seconds": READ_AT - 3600,
    },
)
SESSION = SessionFacts(
    address="192.0.2.1",
    server_version="SSH-2.0-Cisco-1.25",
    kex="diffie-hellman-group14-sha1",
    host_key="ssh-rsa",
    cipher="aes256-ctr",
    mac="hmac-sha1",
    prompt="Site1",
    weak=("diffie-hellman-group14-sha1", "ssh-rsa", "hmac-sha1"),
    host_key_fingerprint="SHA256:3q2+7w",
    opened_at=READ_AT - 3600,
)
FAILED = PollError(device="Site2", stage=Stage.AUTH, reason=Reason.AUTH, cause="refused")
ON_DEMAND = Purpose(intent=Intent.ON_DEMAND, reason="a static crypto map entry")
ALWAYS_ON = Purpose(intent=Intent.ALWAYS_ON, reason="up in 98 % of the readings of 7 days")
DROPS = {
    "no_sa_send_packets": 1,
    "encaps_failed_send_packets": 2,
    "internal_error_send_packets": 3,
    "replay_rollover_send_packets": 4,
    "replay_failed_recv_packets": 5,
    "replay_rollover_recv_packets": 6,
    "invalid_sa_recv_packets": 7,
    "invalid_identity_recv_packets": 8,
    "invalid_prot_recv_packets": 9,
    "invalid_len_recv_packets": 10,
    "verify_failed_packets": 11,
    "decaps_failed_recv_packets": 12,
    "internal_error_recv_packets": 13,
}


def tunnel(device: str = "Site1", name: str = "CRYPTO/a-b", **changes: Any) -> TunnelState:
    """Down, and nothing known of it but that it is listed."""
    made = TunnelState(
        device=device,
        name=name,
        flow=flow(),
        status=Status.DOWN_IDLE,
        purpose=ON_DEMAND,
        memory=TunnelMemory(first_seen_at=READ_AT, peers=("123.1.1.2",)),
        seen_at=READ_AT,
    )
    return replace(made, **changes)


def counted(at: float, send_errors: int | None) -> CounterSample:
    """The counters of a tunnel that carries nothing."""
    return CounterSample(at, encaps=0, decaps=0, send_errors=send_errors, recv_errors=0)


def busy_tunnel(device: str = "Site1") -> TunnelState:
    """In the overlap of a rekey, on its second peer, with a past."""
    sas = (
        *pair(0x11111111, 0x22222222, remaining_seconds=25, remaining_kilobytes=12),
        *pair(
            0xBDD4C094,
            0x7FAD546D,
            remaining_seconds=3586,
            remaining_kilobytes=4596305,
            mode=SaMode.TUNNEL,
            replay_detection=True,
        ),
    )
    inbound, outbound = sas[2], sas[3]
    read = SaMark(spi=0x7FAD546D, at=READ_AT, remaining_seconds=3586, remaining_kilobytes=4596305)
    memory = TunnelMemory(
        first_seen_at=READ_AT - 86400,
        is_settled_up=True,
        last_transition_at=READ_AT - 80000.5,
        flaps=1,
        rekeys={**NO_REKEYS, RekeyTrigger.TIME: 23, RekeyTrigger.OUTAGE: 1},
        last_rekey_at=READ_AT - 14,
        inbound=replace(read, spi=0xBDD4C094, expires_at=READ_AT + 3587),
        outbound=read,
        sent_kilobytes=7200,
        received_kilobytes=5400,
        lifetime_seconds=3598,
        lifetime_kilobytes=4608000,
        peers=("123.1.1.2", "203.0.113.9"),
    )
    return tunnel(
        device,
        "CRYPTO/10.1.1.0_24-10.2.2.0_24",
        flow=flow(*sas, peer="203.0.113.9", pfs=True, dh_group="group14", **DROPS),
        status=Status.UP,
        purpose=ALWAYS_ON,
        memory=memory,
        expected=ExpectedTunnel(
            device=device,
            name="CRYPTO/10.1.1.0_24-10.2.2.0_24",
            owner="net-ops",
            site="Bern",
            description='the "old" line',
            options=frozenset({TunnelOption.MAINTENANCE}),
        ),
        inbound=inbound,
        outbound=outbound,
        predicted_expiry_at=READ_AT + 3000.25,
    )


def down_tunnel(device: str = "Site1") -> TunnelState:
    """Never seen with an SA, although traffic asks for one."""
    return tunnel(
        device,
        "CRYPTO/10.1.1.0_24-10.3.3.0_24/6/443-0",
        flow=flow(
            local_ident=ident("10.1.1.0/24", 6, 443),
            remote_ident=ident("10.3.3.0/24", 6),
            peer="203.0.113.7",
            send_errors=7,
        ),
        status=Status.DOWN_DEMANDED,
        memory=TunnelMemory(
            first_seen_at=READ_AT - 60,
            peers=("203.0.113.7",),
            samples=(counted(READ_AT - 60, send_errors=4), counted(READ_AT, send_errors=7)),
        ),
    )


def result(device: str = "Site1", **changes: Any) -> PollResult:
    """One tunnel that has everything and one that has nothing."""
    busy = busy_tunnel(device)
    established = ike_sa(
        encryption="aes",
        key_size_bits=256,
        hash="sha",
        auth="psk",
        dh_group=14,
        capabilities=("D", "N"),
        remaining_seconds=80000,
    )
    made = PollResult(
        device=device,
        host="192.0.2.1",
        platform=Platform.IOS,
        interval_seconds=60.0,
        started_at=READ_AT - 1,
        duration_seconds=1.25,
        read_at=READ_AT,
        tunnels=(busy, down_tunnel(device)),
        ike_peers=(
            IkePeer(
                peer="123.1.1.2",
                local_address="92.1.1.1",
                is_up=True,
                is_qm_idle=True,
                sas=(established,),
            ),
            IkePeer(
                peer="203.0.113.7",
                local_address="92.1.1.1",
                is_up=False,
                is_qm_idle=False,
                sas=(
                    ike_sa(
                        state=IkeState.MM_NO_STATE,
                        raw_state="MM_NO_STATE",
                        is_established=False,
                        conn_id=0,
                    ),
                ),
            ),
            IkePeer(
                peer="203.0.113.9",
                local_address="92.1.1.1",
                is_up=False,
                is_qm_idle=False,
                sas=(),
            ),
        ),
        sa_lifetime=LIFETIME,
        session=SESSION,
        next_attempt_at=READ_AT + 300,
        cpu_percent=83,
        skipped_for_cpu_total=2,
        links=(
            Link(
                device=device,
                tunnel=busy.name,
                remote_device="Site9",
                remote_tunnel="CRYPTO/10.2.2.0_24-10.1.1.0_24",
                proof=LinkProof.SPI_PAIR,
                is_spi_pair_matched=True,
                sent_loss=Loss(ratio=0.015, error=0.002, packets=10_000, seconds=900.0),
                received_loss=Loss(ratio=0.0, error=0.0005, packets=20_000, seconds=900.0),
            ),
        ),
        outputs=(
            RawOutput(
                command="show crypto ipsec sa",
                text="",
                started_at=READ_AT - 0.75,
                ended_at=READ_AT,
            ),
        ),
        unparsed=(
            UnparsedOutput(command="show x", lines=(UnparsedLine(line_no=3, text="new words"),)),
        ),
        parse_errors_total={"show crypto isakmp sa": 0, "show crypto ipsec sa": 2},
        errors_total=dict.fromkeys(Reason, 0),
    )
    return replace(made, **changes)


def failed_result(device: str = "Site2") -> PollResult:
    """What was read before, and a refused login now."""
    return result(
        device,
        error=replace(FAILED, device=device),
        parse_errors_total={"show crypto isakmp sa": 0, "show crypto ipsec sa": 2},
        errors_total={**dict.fromkeys(Reason, 0), Reason.AUTH: 3},
    )
