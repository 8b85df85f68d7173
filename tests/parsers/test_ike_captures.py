"""Every capture of the IKE and session commands, read here and by brute force over the raw text, must agree.

The brute force knows no templates and no blocks: one regular expression per kind of value, over the whole text. What
it finds, in its order, must be what the records hold, in theirs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from ipsecmon_parsers.errors import ParserError
from ipsecmon_parsers.records import (
    CryptoSession,
    DmvpnInterface,
    DmvpnPeer,
    IkeSa,
    IkeSaCount,
    Ikev2Session,
    Record,
    SessionFlow,
    SessionIkeSa,
    VpnSession,
)
from ipsecmon_parsers.registry import parse

COMMANDS = re.compile(
    r"show crypto isakmp sa (?:detail|vrf|count|active)\b.*|show crypto ikev[12] (?:sa|session)(?: [a-z ]+)?"
    r"|show crypto session\b.*|show dmvpn(?: detail)?|show vpn-sessiondb detail l2l"
)

# What a text without a prompt does not prove to be whole; all of it reads with the collector's word that it is.
REFUSED = {
    "show_crypto_ikev1_sa_detail/001_ntc_show_crypto_ikev1_sa_detail": "ends in a lifetime without a line end",
    "show_crypto_ikev2_sa_detail/001_gcp_asa5506": "counts a child SA that it does not list",
    "show_crypto_ikev2_sa_detail/002_genie_CryptoIkev2SaDetail_g": "ends in a mask without a line end",
    "show_crypto_ikev2_sa_detail/003_genie_CryptoIkev2SaDetail_g2": "ends in an address without a line end",
    "show_crypto_ikev2_sa_local_detail/001_genie_CryptoIkev2SaLocalDetail_g": "the same",
    "show_crypto_ikev2_session/001_csr_azure_flat": "lacks the section of IPv6",
    "show_crypto_isakmp_sa_detail/001_R2_natt": "lacks the section of IPv6",
    "show_crypto_isakmp_sa_detail/004_rstdoc": "ends before the column Cap. without a line end",
    "show_crypto_isakmp_sa_vrf/002_vrfB": "lacks the section of IPv6",
    "show_dmvpn/002_genie_Dmvpn_g2": "ends in attributes without a line end",
}


def ike_captures(captures: Path) -> Iterator[tuple[str, str, str, str]]:
    """Name, platform, command and text of each."""
    for path in sorted(captures.glob("*/show_*/*.txt")):
        meta = yaml.safe_load(path.with_suffix(".meta.yaml").read_text(encoding="utf-8"))
        is_asa = meta["platform"] == "asa" and meta["command"] == "show crypto isakmp sa"
        if is_asa or COMMANDS.fullmatch(meta["command"]):
            text = path.read_bytes().decode("utf-8", "replace")
            yield f"{path.parent.name}/{path.stem}", meta["platform"], meta["command"], text


def seconds(text: str) -> int:
    """Any time span, by its letters or its colons."""
    if re.fullmatch(r"\d+(:\d\d)*", text):
        total = 0
        for part in text.split(":"):
            total = total * 60 + int(part)
        return total
    weights = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
    return sum(int(n) * weights[unit] for n, unit in re.findall(r"(\d+)([wdhms])", text))


def ends(text: str) -> Any:
    """What the raw text says of one thing, addresses in lower case as the records have them."""
    return text.lower() if re.fullmatch(r"[0-9A-Fa-f:]+:[0-9A-Fa-f:]+", text) else text


def found(pattern: str, text: str, *reads: Callable[[str], Any]) -> list[tuple[Any, ...]]:
    """Every match as a tuple of its groups, each read by its function."""
    return [
        tuple(read(group) for read, group in zip(reads, match.groups(), strict=True))
        for match in re.finditer(pattern, text, re.MULTILINE)
    ]


def hexadecimal(text: str) -> int:
    return int(text, 16)


ENDPOINT = r"([0-9A-Fa-f.:]+)/(\d+)"


def check_ikev2(sas: list[IkeSa], text: str) -> None:
    """``Encr:`` may be broken in two, so its words are looked for in the text without line ends."""
    joined = re.sub(r"\n(?=,|th verify)", "", text)
    two = [sa for sa in sas if sa.version == 2]
    rows = found(rf"^\s*(\d+) +{ENDPOINT} +{ENDPOINT}\s", text, int, ends, int, ends, int)
    pairs = found(rf"^Local +{ENDPOINT}\s*^Remote +{ENDPOINT}", text, ends, int, ends, int)
    if rows:
        assert rows == [(s.conn_id, s.local, s.local_port, s.remote, s.remote_port) for s in two]
    else:
        assert pairs == [(s.local, s.local_port, s.remote, s.remote_port) for s in two]
    assert found(r"Life/Active Time: *(\d+)/(\d+) sec", text, int, int) == [
        (s.lifetime_seconds, s.active_seconds) for s in two
    ]
    assert [word for (word,) in found(r"\b(READY|DELETE|IN-NEG)\b", text, str)] == [
        s.raw_state for s in two
    ]
    assert found(
        r"Encr: ([^,]+),.*?Hash: ([^,]+), DH Grp:(\d+), Auth sign: (\w+), *Auth verify: (\w+)",
        joined,
        str,
        lambda word: None if word in ("None", "N/A") else word,
        int,
        str,
        str,
    ) == [(s.encryption, s.hash, s.dh_group, s.auth, s.auth_verify) for s in two]
    assert [n for (n,) in found(r"Encr:.*?keysize: (\d+),(?=.*Hash)", joined, int)] == [
        s.key_size_bits for s in two if s.key_size_bits is not None
    ]
    assert [n for (n,) in found(r"PRF: (\w+)", joined, str)] == [s.prf for s in two if s.prf]
    check_ikev2_lines(two, text)
    children = [child for sa in two for child in sa.child_selectors]
    assert found(r"ESP spi in/out: (\w+)/(\w+)", text, hexadecimal, hexadecimal) == [
        (c.inbound_esp_spi, c.outbound_esp_spi) for c in children
    ]
    selector = rf"{ENDPOINT} +- +{ENDPOINT}"
    printed = found(selector, text, ends, int, ends, int)
    assert sorted(printed) == sorted(
        (side.start_address, side.start_port, side.end_address, side.end_port)
        for child in children
        for pair in child.selectors
        for side in (pair.local, pair.remote)
    )


LINES: tuple[tuple[str, tuple[Callable[[str], Any], ...], tuple[str, ...]], ...] = (
    (r"Local spi: *(\w+) +Remote spi: *(\w+)", (hexadecimal,) * 2, ("local_spi", "remote_spi")),
    (r"Local id: *(\S+)", (str,), ("local_id",)),
    (r"Remote id: *(\S+)", (str,), ("remote_id",)),
    (r"CE id: *(\d+), Session-id: *(\d+)", (int, int), ("ce_id", "session_id")),
    (r"Status Description: (.*\S)", (str,), ("status_description",)),
    (r"Local req \w+ id: *(\d+)", (int,), ("local_request_message_id",)),
    (r"Remote req \w+ id: *(\d+)", (int,), ("remote_request_message_id",)),
    (r"Local next \w+ id: *(\d+)", (int,), ("local_next_message_id",)),
    (r"Remote next \w+ id: *(\d+)", (int,), ("remote_next_message_id",)),
    (r"Local req queued: *(\d+)", (int,), ("local_queued_message_id",)),
    (r"Remote req queued: *(\d+)", (int,), ("remote_queued_message_id",)),
    (r"Local window: *(\d+)", (int,), ("local_window",)),
    (r"Remote window: *(\d+)", (int,), ("remote_window",)),
    (r"DPD configured for (\d+) \w+, retry (\d+)", (int, int), ("dpd_seconds", "dpd_retries")),
    (r"Pushed IP address: (\S+)", (str,), ("assigned_address",)),
    (r"PEER TYPE: (\S+)", (str,), ("peer_type",)),
    (r"Key Exchange: (\S+)", (str,), ("pqc_key_exchange",)),
    (r"Encryption using (.*\S)", (str,), ("quantum_safe",)),
    (r"Route Update: (\S+)", (str,), ("dynamic_route_update",)),
    (r"SGT is (\S+)", (str,), ("trust_security_sgt",)),
    (r"NAT-T is +(not )?detected", (lambda word: not word,), ("nat_t",)),
    (r"NAT-T is detected +(\w+)", (str,), ("nat_t_side",)),
    (r"Initiator of SA : (\w+)", (lambda word: word == "Yes",), ("initiator",)),
    (r"(INITIATOR|RESPONDER)", (str.lower,), ("role",)),
)


def check_ikev2_lines(sas: list[IkeSa], text: str) -> None:
    for pattern, reads, names in LINES:
        held = [tuple(getattr(sa, name) for name in names) for sa in sas]
        if names == ("initiator",):
            held = [(sa.initiator,) for sa in sas if sa.role is None]
        printed = [
            tuple(ends(v) if isinstance(v, str) else v for v in values)
            for values in found(pattern, text, *reads)
        ]
        lowered = [tuple(ends(v) if isinstance(v, str) else v for v in values) for values in held]
        assert [values for values in lowered if None not in values] == printed, pattern
    subnets = found(r"^\s*([\d.]+) (255[\d.]+)\s*$", text, str, str)
    assert [s.address for sa in sas for s in sa.remote_subnets] == [a for a, _ in subnets]


def check_ikev1_of_asa(sas: list[IkeSa], text: str, oracle: ModuleType) -> None:
    one = [sa for sa in sas if sa.version == 1]
    roles = {"Init": "initiator", "Resp": "responder"}
    assert [
        (
            p["peer"],
            p["type"],
            roles.get(p["role"], p["role"]),
            p["rekey"].lower() == "yes",
            p["state"],
        )
        for p in oracle.isakmp(text)["asa_peers"]
    ] == [(s.remote, s.connection_type, s.role, s.is_rekeying, s.raw_state) for s in one]
    assert found(r"preshrd (\d+)", text, int) == [
        (s.lifetime_seconds,) for s in one if s.lifetime_seconds is not None
    ]
    assert all(sa.is_established for sa in one)


def check_details(sas: list[IkeSa], text: str, oracle: ModuleType) -> None:
    rows = oracle.isakmp(text)["detail_rows"]
    assert rows
    engines = re.findall(r"Engine-id:Conn-id = +(\S+)", text)
    for sa, row in zip(sas, rows, strict=True):
        assert (sa.conn_id, sa.local, sa.remote) == (row["conn_id"], row["local"], row["remote"])
        assert (sa.vrf, sa.status) == (row["ivrf"], row["status"])
        assert (sa.encryption, sa.hash, sa.auth) == (row["encr"], row["hash"], row["auth"])
        assert (sa.dh_group, sa.remaining_seconds) == (row["dh"], seconds(row["lifetime"]))
        assert "".join(sa.capabilities) == (row["cap"] or "")
        assert (sa.state, sa.is_established) == (None, True)
    assert [
        sa.engine if sa.engine_conn_id is None else f"{sa.engine}:{sa.engine_conn_id}"
        for sa in sas
        if sa.engine
    ] == engines


def session_ike_rows(sas: Iterable[SessionIkeSa]) -> list[tuple[object, ...]]:
    return [(s.version, s.local, s.local_port, s.remote, s.remote_port, s.status) for s in sas]


def check_flows(flows: list[SessionFlow], text: str) -> None:
    assert [" ".join(f.split()) for f in re.findall(r"IPSEC FLOW: (.*)", text)] == [
        f.selector for f in flows
    ]
    assert all(f.local_ident is not None and f.remote_ident is not None for f in flows)
    hosts = [host for f in flows for host in re.findall(r"host (\S+)", f.selector)]
    idents = [i.address for f in flows for i in (f.local_ident, f.remote_ident) if i]
    assert set(hosts) <= set(idents)
    assert found(r"Active SAs: (\d+), origin: (.*\S)", text, int, str) == [
        (f.active_sas, f.origin) for f in flows
    ]
    life = r"drop (\d+) life \(KB/Sec\) (.*)/(\d+)"

    def kilobytes(word: str) -> int | None:
        return int(word) if word.isdigit() else None

    for pattern, names in (
        (
            r"dec'ed (\d+) ",
            (
                "decrypted_packets",
                "inbound_dropped_packets",
                "inbound_remaining_kilobytes",
                "inbound_remaining_seconds",
            ),
        ),
        (
            r"enc'ed (\d+) ",
            (
                "encrypted_packets",
                "outbound_dropped_packets",
                "outbound_remaining_kilobytes",
                "outbound_remaining_seconds",
            ),
        ),
    ):
        held = [tuple(getattr(f, name) for name in names) for f in flows]
        printed = found(pattern + life, text, int, int, kilobytes, int)
        assert printed == [row for row in held if row[0] is not None]
    assert any(f.volume_rekey_disabled for f in flows) == ("Vol Rekey Disabled" in text)


def check_sessions(sessions: list[CryptoSession], text: str) -> None:
    for pattern, name, read in (
        (r"^Interface: (\S+)", "interface", str),
        (r"^Session status: (\S+)", "raw_status", str),
        (r"^Profile: (\S+)", "profile", str),
        (r"^Username: (\S+)", "username", str),
        (r"^Group: (\S+)", "group", str),
        (r"^Assigned address: (\S+)", "assigned_address", str),
        (r"^Uptime: (\S+)", "uptime_seconds", seconds),
        (r"^Peer: (\S+) port", "peer", str),
        (r"^Peer: \S+ port (\d+)", "peer_port", int),
        (r"fvrf: ([^\s(]+)", "fvrf", str),
        (r"ivrf: ([^\s(]+)", "vrf", str),
        (r"Phase1_id: ([^\s(]+)", "phase1_id", str),
    ):
        held = [getattr(session, name) for session in sessions]
        printed = [value for (value,) in found(pattern, text, read)]
        assert printed == [value for value in held if value is not None], name
    assert all(s.is_up and s.status.value == s.raw_status for s in sessions)
    sas = [sa for session in sessions for sa in session.ike_sas]
    assert found(
        rf"IKE(?:v1|(v2))? SA: local {ENDPOINT} +remote {ENDPOINT} (\w+)",
        re.sub(r"\n\s+remote", " remote", text),
        lambda word: 2 if word else 1,
        ends,
        int,
        ends,
        int,
        str,
    ) == session_ike_rows(sas)
    assert found(r"Capabilities:(\S+) connid:(\d+) lifetime:(\S+)", text, str, int, seconds) == [
        ("".join(s.capabilities) or "(none)", s.conn_id, s.remaining_seconds)
        for s in sas
        if s.conn_id is not None
    ]
    assert found(r"Session ID: (\d+)", text, int) == [
        (s.session_id,) for s in sas if s.session_id is not None
    ]
    check_flows([flow for session in sessions for flow in session.flows], text)


def check_dmvpn(records: list[Record], text: str) -> None:
    interfaces = [r for r in records if isinstance(r, DmvpnInterface)]
    peers = [r for r in records if isinstance(r, DmvpnPeer)]
    sessions = [r for r in records if isinstance(r, CryptoSession)]
    assert found(r"^Type:(\w+),.*Peers[^:]*: *(\d+)", text, str, int) == [
        (i.node_type, i.nhrp_peers) for i in interfaces
    ]
    table = text.split("Crypto Session Details")[0]
    rows = found(
        r"^ *(?:(\d+) +(\S+) +)?([\d.]+) +([A-Z]+) +(\S+) +([A-Z0-9]+)(?: +(\S+/\d+))?[ ]*$",
        table,
        lambda n: n and int(n),
        str,
        str,
        str,
        lambda word: None if word == "never" else seconds(word),
        str,
        lambda word: word,
    )
    assert [(r[0], *r[2:]) for r in rows] == [
        (
            p.nbma_entries,
            p.tunnel_address,
            p.state,
            p.uptime_seconds,
            "".join(p.attributes),
            p.target_network,
        )
        for p in peers
    ]
    nbma = [None if r[1] == "UNKNOWN" else r[1] for r in rows if r[0]]
    assert nbma == [p.nbma_address for p in peers if p.nbma_entries]
    assert found(r"Session Status: (\S+)", text, str) == [(s.raw_status,) for s in sessions]
    assert found(r"Outbound SPI : (\S+), transform : (\S+)", text, hexadecimal, str) == [
        (f.outbound_spi, f.transform[0]) for s in sessions for f in s.flows
    ]
    check_flows([flow for session in sessions for flow in session.flows], text)


def check_vpn_sessions(sessions: list[VpnSession], text: str) -> None:
    assert found(r"^Connection +: *(\S*)[ ]*$", text, lambda word: word or None) == [
        (s.connection,) for s in sessions
    ]
    assert found(r"^Index +: (\d+) +IP Addr +: (\S+)", text, int, str) == [
        (s.index, s.address) for s in sessions
    ]
    assert found(r"^Duration +: (.*\S)", text, seconds) == [(s.duration_seconds,) for s in sessions]
    assert found(r"^Bytes Tx +: (\d+) +Bytes Rx +: (\d+)", text, int, int) == [
        (s.transmitted_bytes, s.received_bytes) for s in sessions
    ]
    assert found(r"^IPsec\w* Tunnels: (\d+)", text, int) == [(s.ipsec_tunnels,) for s in sessions]
    ike = [tunnel for session in sessions for tunnel in session.ike]
    ipsec = [tunnel for session in sessions for tunnel in session.ipsec]
    assert found(r"^(IKE\w*):\s+Tunnel ID +: (\S+)", text, str, str) == [
        (t.section, t.tunnel_id) for t in ike
    ]
    assert found(r"^(IPsec\w*):\s+Tunnel ID +: (\S+)", text, str, str) == [
        (t.section, t.tunnel_id) for t in ipsec
    ]
    assert found(r"D/H Group +: (\d+)", text, int) == [(t.dh_group,) for t in ike]
    assert found(r"Src Port : (\d+) +UDP Dst Port : (\d+)", text, int, int) == [
        (t.udp_source_port, t.udp_destination_port) for t in ike
    ]
    assert sorted(
        found(r"Int \(T\): (\d+) Seconds +Rekey Left\(T\): (\d+)", text, int, int)
    ) == sorted(
        [(t.rekey_interval_seconds, t.rekey_remaining_seconds) for t in ike]
        + [(t.rekey_interval_seconds, t.rekey_remaining_seconds) for t in ipsec]
    )
    assert found(r"Int \(D\): (\d+) K-Bytes +Rekey Left\(D\): (\d+)", text, int, int) == [
        (t.rekey_interval_kilobytes, t.rekey_remaining_kilobytes)
        for t in ipsec
        if t.rekey_interval_kilobytes is not None
    ]
    assert found(r"^  Bytes Tx +: (\d+) +Bytes Rx +: (\d+)", text, int, int) == [
        (t.transmitted_bytes, t.received_bytes) for t in ipsec
    ]
    assert found(r"Pkts Tx +: (\d+) +Pkts Rx +: (\d+)", text, int, int) == [
        (t.transmitted_packets, t.received_packets) for t in ipsec
    ]
    assert found(r"Idle Time Out: (\d+) \w+ +Idle TO Left : (\d+)", text, int, int) == [
        ((t.idle_timeout_seconds or 0) // 60, (t.idle_remaining_seconds or 0) // 60) for t in ipsec
    ]
    for name, side in (("Local", "local_ident"), ("Remote", "remote_ident")):
        addresses = found(rf"{name} Addr +: ([\d.]+)/", text, str)
        assert addresses == [(getattr(t, side).address,) for t in ipsec]
    assert found(r"PFS Group +: (\d+)", text, int) == [(t.pfs_group,) for t in ipsec if t.pfs_group]
    assert found(r"EoU Age\(T\) +: (\d+)", text, int) == [
        (s.posture.age_seconds,) for s in sessions if s.posture
    ]


def check(
    platform: str, command: str, text: str, records: tuple[Record, ...], oracle: ModuleType
) -> None:
    """By the kind of the command; each compares every value it can find in the raw text."""
    text = oracle.clean(text)
    sas = [r for r in records if isinstance(r, IkeSa)]
    if command.endswith(" count"):
        (count,) = records
        assert isinstance(count, IkeSaCount)
        one = (count.active, count.standby, count.negotiating, count.dead)
        two = (
            count.negotiating,
            count.sessions,
            count.active,
            count.created_total,
            count.deleted_total,
            count.marked_for_deletion,
        )
        assert (one if count.version == 1 else two) == tuple(
            int(n) for n in re.findall(r"\b\d+\b", text)
        )
    elif "dmvpn" in command:
        check_dmvpn(list(records), text)
    elif "vpn-sessiondb" in command:
        check_vpn_sessions([r for r in records if isinstance(r, VpnSession)], text)
    elif "ikev2 session" in command:
        sessions = [r for r in records if isinstance(r, Ikev2Session)]
        assert found(
            r"Session-id:(\d+), Status:(\S+), IKE count:(\d+), CHILD count:(\d+)",
            text,
            int,
            str,
            int,
            int,
        ) == [(s.session_id, s.status, s.ike_count, s.child_count) for s in sessions]
        check_ikev2([sa for s in sessions for sa in s.ike_sas], text)
    elif "crypto session" in command:
        check_sessions([r for r in records if isinstance(r, CryptoSession)], text)
    elif "isakmp sa detail" in command:
        check_details(sas, text, oracle)
    elif platform == "asa" or "ikev2" in command:
        check_ikev1_of_asa(sas, text, oracle)
        check_ikev2(sas, text)
    else:
        rows = oracle.isakmp(text)["rows"]
        assert rows
        assert [(s.destination, s.source, s.raw_state, s.conn_id, s.status) for s in sas] == [
            (r["dst"], r["src"], r["state"], r["conn_id"], r["status"]) for r in rows
        ]


def test_every_value_of_every_capture_is_in_a_record(captures: Path, oracle: ModuleType) -> None:
    commands: set[str] = set()
    for name, platform, command, text in ike_captures(captures):
        result = parse(platform, command, text, complete=True)

        assert result.unparsed_lines == (), name
        check(platform, command, text, result.records, oracle)
        commands.add(command)

    assert {
        "show crypto ikev2 sa detail",
        "show dmvpn detail",
        "show crypto session detail",
    } <= commands


def test_a_capture_without_a_prompt_reads_the_same_or_is_refused(captures: Path) -> None:
    refused: set[str] = set()
    for name, platform, command, text in ike_captures(captures):
        try:
            result = parse(platform, command, text)
        except ParserError:
            refused.add(name)
            continue
        assert result == parse(platform, command, text, complete=True)

    assert refused == set(REFUSED)
