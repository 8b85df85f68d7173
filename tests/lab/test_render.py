"""The text of the show commands, line for line against outputs of real devices."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ipsecmon.lab import render
from ipsecmon.lab.network import Network
from ipsecmon.lab.topology import Dialect, hub, two_sites
from ipsecmon_parsers.records import IkeSa, IkeState, SaLifetime

from .sites import network_of, traffic

FAMILY: dict[Dialect, str] = {"ios-12.4": "ios", "ios-15": "ios", "iosxe-17": "iosxe"}

_NAMES = re.compile(
    r"(?<=interface: )\S+|(?<=Crypto map tag: )[^,]+|(?<=crypto map: )[^,]+|(?<=ip mtu idb )\S+"
    r"|(?<=flow_id: )(?:[^,:]+:)?(?=\d)|(?<=sibling_flags )\w+"
)


def shape(line: str) -> str:
    """A line with names, addresses and numbers masked; indentation and words stay."""
    line = line.replace("\u00a0", " ").rstrip()
    line = _NAMES.sub("NAME", line)
    line = re.sub(r"0x[0-9A-F]+", "0xN", line)
    line = re.sub(r"\d+(\.\d+){3}", "A", line)
    # which cipher is a matter of configuration
    line = re.sub(r"(?<=transform: ).*?(?= ?,?$)", "T", line)
    return re.sub(r"\d+", "N", line)


def captured(captures: Path, family: str, command: str) -> Iterator[str]:
    for path in sorted((captures / family).glob(f"{command}*/*.txt")):
        yield from path.read_text(encoding="utf-8").splitlines()


def up(dialect: Dialect, **changes: Any) -> Network:
    """Two sites of one dialect in the middle of a rekey, one flow with SAs and one without."""
    lists = two_sites().routers[0].model_dump()["access_lists"]
    lists["101"] = [*lists["101"], {"source": "10.1.1.0/24", "destination": "10.3.0.0/16"}]
    both = {"dialect": dialect, **changes}
    network = network_of(traffic(), site1={**both, "access_lists": lists}, site2=both)
    network.run_until(3590)
    assert len(network.flows("Site1")[0].sas) == 4
    return network


@pytest.mark.parametrize("dialect", FAMILY)
def test_every_line_of_ipsec_sa_is_a_line_of_a_real_device(
    dialect: Dialect, captures: Path
) -> None:
    real = {shape(line) for line in captured(captures, FAMILY[dialect], "show_crypto_ipsec_sa")}
    text = render.show_crypto_ipsec_sa(up(dialect).flows("Site1"), dialect)

    assert [line for line in text.splitlines() if shape(line) not in real] == []


def test_the_lines_of_a_disabled_volume_are_those_of_a_real_device(captures: Path) -> None:
    real = {shape(line) for line in captured(captures, "iosxe", "show_crypto_ipsec_sa")}
    network = up("iosxe-17", sa_lifetime_kilobytes=None)
    text = render.show_crypto_ipsec_sa(network.flows("Site1"), "iosxe-17")

    assert "        Kilobyte Volume Rekey has been disabled\n" in text
    assert [line for line in text.splitlines() if shape(line) not in real] == []


@pytest.mark.parametrize(
    ("dialect", "capture"),
    [
        ("ios-12.4", "ios/show_crypto_ipsec_sa/024_tutorial.txt"),
        ("ios-15", "ios/show_crypto_ipsec_sa/020_otus_R16.txt"),
        ("iosxe-17", "iosxe/show_crypto_ipsec_sa/006_jclarkson_ivrf_HUB.txt"),
    ],
)
def test_the_lines_stand_in_the_order_of_a_real_device(
    dialect: Dialect, capture: str, captures: Path
) -> None:
    network = network_of(traffic(), site1={"dialect": dialect})
    network.run_until(60)
    text = render.show_crypto_ipsec_sa(network.flows("Site1"), dialect)

    def skeleton(text: str) -> list[str]:
        lines = [shape(line).replace("Transport", "Tunnel") for line in text.splitlines()]
        lines = [re.sub(r"(?<=vrf: ).*", "V", re.sub(r"\{ori.*", "{F}", line)) for line in lines]
        return lines[: lines.index("     outbound pcp sas:") + 1]

    assert skeleton(text) == skeleton((captures / capture).read_text(encoding="utf-8"))


def test_the_rows_of_the_ike_table_are_those_of_real_devices(captures: Path) -> None:
    compared = 0
    for family in ("ios", "iosxe"):
        for line in captured(captures, family, "show_crypto_isakmp_sa"):
            fields = re.fullmatch(
                r"(\d\S+) +(\d+\.\S+) +([A-Z_]+) +(\d+)( +\d+)? (ACTIVE(?: \(deleted\))?)",
                line.rstrip().replace("\u00a0", " "),
            )
            if fields is None or ":" in fields[1]:
                continue
            destination, source, state, conn_id, slot, status = fields.groups()
            sa = IkeSa(
                source=source,
                destination=destination,
                state=IkeState(state),
                raw_state=state,
                status=status,
                conn_id=int(conn_id),
                slot=int(slot) if slot else None,
                is_established=False,
            )
            text = render.show_crypto_isakmp_sa([sa], "ios-12.4" if slot else "ios-15")
            if "\u00a0" in line:  # the tutorial lost some of its padding on the way
                assert [row.split() for row in text.splitlines()][1] == fields[0].split()
            else:
                assert line.rstrip() in text.splitlines()
            compared += 1

    assert compared > 5


@pytest.mark.parametrize("dialect", ["ios-15", "iosxe-17"])
def test_the_titles_of_an_empty_ike_table_are_those_of_a_real_device(
    dialect: Dialect, captures: Path
) -> None:
    real = (captures / "iosxe/show_crypto_isakmp_sa/001_cmllab_empty.txt").read_text(
        encoding="utf-8"
    )

    assert render.show_crypto_isakmp_sa([], dialect).rstrip() == real.rstrip()


def test_an_empty_ike_table_of_12_4_is_its_header() -> None:
    header = "dst             src             state          conn-id slot status\n"

    assert render.show_crypto_isakmp_sa([], "ios-12.4") == header


def test_pfs_is_printed_with_its_group(captures: Path) -> None:
    real = {shape(line) for line in captured(captures, "ios", "show_crypto_ipsec_sa")}
    crypto_map = two_sites().routers[0].crypto_map.model_dump()
    crypto_map["entries"] = [{**crypto_map["entries"][0], "pfs_group": 14}]
    network = network_of(traffic(), site1={"dialect": "ios-15", "crypto_map": crypto_map})
    network.run_until(60)
    text = render.show_crypto_ipsec_sa(network.flows("Site1"), "ios-15")

    assert "     PFS (Y/N): Y, DH group: group14\n" in text
    assert shape("     PFS (Y/N): Y, DH group: group14") in real


def test_flows_of_one_interface_stand_under_one_header() -> None:
    text = render.show_crypto_ipsec_sa(Network(hub(5)).flows("hub"), "iosxe-17")

    assert text.count("interface: ") == 1
    assert text.count("Crypto map tag: ") == 1
    assert text.count("protected vrf: ") == 5


def test_a_flow_without_an_sa_prints_0x0_and_empty_sections() -> None:
    text = render.show_crypto_ipsec_sa(Network(two_sites()).flows("Site1"), "ios-12.4")

    assert "     current outbound spi: 0x0(0)\n" in text
    assert text.endswith("\n     outbound ah sas:\n\n     outbound pcp sas:\n")
    assert " spi: 0x" not in text.replace("outbound spi: 0x", "")


def test_no_flows_at_all() -> None:
    assert render.show_crypto_ipsec_sa([], "ios-15") == ""
    assert render.show_crypto_ipsec_sa([], "iosxe-17") == "\nNo SAs found\n"


def test_the_lifetime_is_one_line() -> None:
    lifetime = SaLifetime(seconds=3600, kilobytes=4608000, volume_rekey_disabled=False)

    assert (
        render.show_sa_lifetime(lifetime, "ios-12.4")
        == "Security association lifetime: 4608000 kilobytes/3600 seconds\n"
    )


def test_the_lifetime_without_a_volume_is_two_lines(captures: Path) -> None:
    folder = captures / "iosxe/show_crypto_ipsec_security-association_lifetime"
    real = (folder / "001_con_disabled2.txt").read_text(encoding="utf-8")
    lifetime = SaLifetime(seconds=27000, kilobytes=None, volume_rekey_disabled=True)

    assert render.show_sa_lifetime(lifetime, "iosxe-17") == real


@pytest.mark.parametrize(
    ("transforms", "mtu"),
    [
        (["esp-des", "esp-md5-hmac"], 1446),
        (["esp-aes", "esp-sha256-hmac"], 1438),
        (["esp-aes 256", "esp-sha-hmac"], 1438),
    ],
)
def test_the_plaintext_mtu_is_what_captures_show_for_the_cipher(
    transforms: list[str], mtu: int
) -> None:
    one = {"transform_sets": {"TSET": {"transforms": transforms}}, "dialect": "ios-15"}
    two = {"transform_sets": {"DES-MD5": {"transforms": transforms}}}
    network = network_of(traffic(), site1=one, site2=two)
    network.run_until(60)

    assert network.flows("Site1")[0].plaintext_mtu_bytes == mtu
