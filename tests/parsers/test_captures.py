"""Every capture of the core commands, read here and by the oracle beside the captures, must agree."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from ipsecmon_parsers import values
from ipsecmon_parsers.documents import spi_hex
from ipsecmon_parsers.errors import ParserError
from ipsecmon_parsers.records import Flow, FlowExcerpt, Ident, IkeSa, IpsecSa, SaLifetime
from ipsecmon_parsers.registry import SHOW_IPSEC_SA, SHOW_ISAKMP_SA, SHOW_SA_LIFETIME, parse

COMMANDS = (SHOW_IPSEC_SA, SHOW_ISAKMP_SA, SHOW_SA_LIFETIME)

# What we refuse although the oracle, which never refuses, reads something; each with its reason.
REFUSED = {
    "edge_errors/001_aws_none_both": "UnknownCommand",  # two commands in one
    # "| include": counters without an identity to name them by
    "show_crypto_ipsec_sa_filtered/001_azdoc_csr1": "UnknownCommand",
    "show_crypto_ipsec_sa_filtered/001_dmvpn_hub3": "UnknownCommand",
    "show_crypto_ipsec_sa_filtered/002_dmvpn_spoke": "UnknownCommand",
    "edge_errors/001_con_cmd_authz": "CommandRefused",
    "edge_interleaved/002_cmllab_syslog_ipsec": "Truncated",
    "edge_truncated/001_der_cut_gre": "Truncated",
    "edge_truncated/003_der_cut_second_flow": "Truncated",
    "show_crypto_ipsec_sa/002_cmllab_cut": "Truncated",
    "show_crypto_ipsec_sa/003_cmllab_natt_cut": "Truncated",
    "show_crypto_ipsec_sa/004_csr_umbrella_cut": "Truncated",
    "show_crypto_ipsec_sa/007_cmllab_asa1_cut": "Truncated",
    "show_crypto_ipsec_sa_detail/002_gcp_asa5506": "Truncated",
    "show_crypto_ipsec_sa_peer/001_cmllab_more": "Truncated",
    "show_crypto_ipsec_sa_vrf/001_vrfA": "Truncated",
    "show_crypto_ipsec_sa/021_otus_R18": "Truncated",  # ends behind the last Status line
    "show_crypto_ipsec_sa/025_v6vti_a": "Truncated",
    "show_crypto_ipsec_sa/026_v6vti_b": "Truncated",
}


# What we read and the oracle cannot: a log message breaks this line in two, and we put it together again.
#     current outbound sp*Sep 21 07:07:43.912: %DMVPN-5-CRYPTO_SS: ... socket is DOWN
#     i: 0x41CCF09E(1103949982)
BETTER: dict[str, dict[str, object]] = {
    "edge_interleaved/004_der_syslog_split": {"current_outbound_spi": "0x41CCF09E"}
}


def is_core(command: str) -> bool:
    """The commands the oracle reads, with their arguments."""
    return command in COMMANDS or (command.startswith(SHOW_IPSEC_SA) and "count" not in command)


def core_captures(captures: Path) -> list[tuple[Path, str, str]]:
    found: list[tuple[Path, str, str]] = []
    for path in sorted(captures.glob("*/*/*.txt")):
        meta = yaml.safe_load(path.with_suffix(".meta.yaml").read_text(encoding="utf-8"))
        is_asa_ike = meta["platform"] == "asa" and "isakmp" in meta["command"]
        if is_core(meta["command"]) and not is_asa_ike:
            found.append((path, meta["platform"], meta["command"]))
    return found


def flow_row(flow: Flow) -> dict[str, object]:
    return {
        "interface": flow.interface,
        "vrf": flow.protected_vrf,
        "crypto_map": flow.crypto_map,
        "crypto_map_seq": flow.crypto_map_seq,
        "local_addr": flow.local_address,
        "local_ident": flow.local_ident,
        "remote_ident": flow.remote_ident,
        "peer": flow.peer,
        "peer_port": flow.peer_port,
        "flags": None if flow.action is None else list(flow.flags),
        "encaps": flow.encaps_packets,
        "encrypt": flow.encrypt_packets,
        "digest": flow.digest_packets,
        "decaps": flow.decaps_packets,
        "decrypt": flow.decrypt_packets,
        "verify": flow.verify_packets,
        "send_errors": flow.send_errors,
        "recv_errors": flow.recv_errors,
        "current_outbound_spi": None
        if flow.current_outbound_spi is None
        else spi_hex(flow.current_outbound_spi),
        "current_inbound_spi": None
        if flow.current_inbound_spi is None
        else spi_hex(flow.current_inbound_spi),
        "pfs": None if flow.pfs is None else "NY"[flow.pfs],
    }


def sa_row(sa: IpsecSa) -> dict[str, object]:
    return {
        "direction": sa.direction.value,
        "protocol": sa.protocol.value,
        "spi": None if sa.spi is None else spi_hex(sa.spi),
        "transform": " ".join(sa.transform),
        "kb_remaining": sa.remaining_kilobytes,
        "sec_remaining": sa.remaining_seconds,
        "kb_rekey_disabled": sa.volume_rekey_disabled,
        "status": sa.status,
        "settings": ", ".join(sa.settings),
        "iv_size": sa.iv_size_bytes,
        "replay": None if sa.replay_detection is None else "NY"[sa.replay_detection],
        "conn_id": sa.conn_id,
    }


def oracle_ident(text: str) -> Ident:
    """``10.1.1.0/255.255.255.0/6/0 - 65535``, read here by other means than the parser's."""
    address, mask, protocol, ports = text.split("/")
    network = ipaddress.ip_network(f"{address}/{mask}", strict=False)
    first, *last = [int(port) for port in ports.split("-")]
    return Ident(
        address=address,
        prefix_length=network.prefixlen,
        protocol=int(protocol),
        port=first,
        last_port=last[0] if last else None,
    )


def oracle_flow(row: dict[str, Any]) -> dict[str, Any]:
    """The oracle keeps some texts as printed; a record says what they mean."""
    return {
        **row,
        "local_ident": oracle_ident(row["local_ident"]),
        "remote_ident": oracle_ident(row["remote_ident"]),
        "vrf": None if row["vrf"] in ("(none)", "Global") else row["vrf"],
        "crypto_map": None if row["crypto_map"] == "(none)" else row["crypto_map"],
    }


def shared(rows: list[dict[str, Any]], like: list[dict[str, object]]) -> list[dict[str, Any]]:
    """The oracle's rows, reduced to the fields that are compared."""
    return [{name: row[name] for name in like[0]} for row in rows] if like else list(rows)


def oracle_sas(flow: dict[str, Any]) -> list[dict[str, Any]]:
    sections = [f"{d}_{p}" for d in ("inbound", "outbound") for p in ("esp", "ah", "pcp")]
    return [sa for section in sections for sa in flow[section]]


def compare(
    oracle: ModuleType,
    command: str,
    text: str,
    records: tuple[object, ...],
    better: dict[str, object],
) -> None:
    if command.startswith(SHOW_IPSEC_SA):
        flows = [record for record in records if isinstance(record, Flow)]
        expected = oracle.ipsec(text)["flows"]
        mine = [flow_row(flow) for flow in flows]
        flow_rows = [oracle_flow(row) for row in expected]
        assert mine == [{**row, **better} for row in shared(flow_rows, mine)]
        for flow, other in zip(flows, expected, strict=True):
            sas = [sa_row(sa) for sa in flow.sas]
            expected_sas = shared(oracle_sas(other), sas)
            for sa in expected_sas if re.search(r"^\s*ekey has been", text, re.MULTILINE) else []:
                # this release overwrites the start of the line "Kilobyte Volume Rekey has been disabled"
                sa["kb_rekey_disabled"] = True
            assert sas == expected_sas
    elif command == SHOW_ISAKMP_SA:
        rows = [record for record in records if isinstance(record, IkeSa)]
        assert [
            (s.destination, s.source, s.raw_state, s.conn_id, s.slot, s.status, s.profile)
            for s in rows
        ] == [tuple(row.values()) for row in oracle.isakmp(text)["rows"]]
    else:
        (lifetime,) = records
        assert isinstance(lifetime, SaLifetime)
        read = oracle.lifetime(text)
        assert (lifetime.kilobytes, lifetime.seconds) == (read["kb"], read["seconds"])


def test_every_capture_is_read_as_the_oracle_reads_it(captures: Path, oracle: ModuleType) -> None:
    refused: dict[str, str] = {}
    for path, platform, command in core_captures(captures):
        text = path.read_bytes().decode("utf-8", "replace")
        name = f"{path.parent.name}/{path.stem}"
        try:
            result = parse(platform, command, text)
        except ParserError as error:
            refused[name] = type(error).__name__
            continue
        compare(oracle, command, text, result.records, BETTER.get(name, {}))

    assert refused == REFUSED


def test_any_prefix_of_a_capture_is_read_or_refused_by_our_own_error(captures: Path) -> None:
    for path, platform, command in core_captures(captures):
        lines = path.read_bytes().decode("utf-8", "replace").splitlines(keepends=True)
        for kept in range(len(lines)):
            try:
                result = parse(platform, command, "".join(lines[:kept]))
            except ParserError:
                continue
            # a prefix that reads must end where a flow, a table or a lifetime ends
            assert "".join(lines[:kept]).strip(), path
            assert all(isinstance(r, Flow | IkeSa | SaLifetime) for r in result.records)


def test_every_filtered_capture_is_read_as_the_oracle_reads_it(
    captures: Path, oracle: ModuleType
) -> None:
    names = (
        "peer",
        "peer_port",
        "encaps",
        "encrypt",
        "digest",
        "decaps",
        "decrypt",
        "verify",
        "send_errors",
        "recv_errors",
    )
    for path in sorted(captures.glob("*/show_crypto_ipsec_sa_filtered/*.txt")):
        text = path.read_text(encoding="utf-8")
        command = f"{SHOW_IPSEC_SA} | include peer|caps|settings"
        result = parse(path.parts[-3], command, text, complete=True)

        assert result.unparsed_lines == ()
        assert [
            (
                e.peer,
                e.peer_port,
                e.encaps_packets,
                e.encrypt_packets,
                e.digest_packets,
                e.decaps_packets,
                e.decrypt_packets,
                e.verify_packets,
                e.send_errors,
                e.recv_errors,
            )
            for e in result.records
            if isinstance(e, FlowExcerpt)
        ] == [tuple(row[name] for name in names) for row in oracle.ipsec(text)["flows"]]


def test_every_detailed_isakmp_capture_is_read_as_the_oracle_reads_it(
    captures: Path, oracle: ModuleType
) -> None:
    for path in sorted(captures.glob("*/show_crypto_isakmp_sa_detail/*.txt")):
        text = path.read_bytes().decode("utf-8", "replace")
        result = parse(path.parts[-3], f"{SHOW_ISAKMP_SA} detail", text, complete=True)

        assert [
            (s.conn_id, s.local, s.remote, s.vrf, s.status, s.auth, s.dh_group, s.remaining_seconds)
            for s in result.records
            if isinstance(s, IkeSa)
        ] == [
            (
                row["conn_id"],
                row["local"],
                row["remote"],
                row["ivrf"],
                row["status"],
                row["auth"],
                row["dh"] or None,
                values.duration(row["lifetime"]),
            )
            for row in oracle.isakmp(text)["detail_rows"]
        ], path


def test_every_capture_of_asa_peers_is_read_as_the_oracle_reads_it(
    captures: Path, oracle: ModuleType
) -> None:
    for path in sorted(captures.glob("asa/show_crypto_i*_sa*/*.txt")):
        if "ipsec" in path.parent.name or "ikev2" in path.parent.name:
            continue
        text = path.read_bytes().decode("utf-8", "replace")
        command = path.parent.name.replace("_", " ")
        result = parse("asa", command, text, complete=True)

        assert [(s.remote, s.raw_state) for s in result.records if isinstance(s, IkeSa)] == [
            (row["peer"], row["state"]) for row in oracle.isakmp(text)["asa_peers"]
        ], path
