"""An anonymized output reads the same up to the names, and holds none of the old ones."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ipsecmon_parsers.anonymize import anonymize
from ipsecmon_parsers.documents import record_document
from ipsecmon_parsers.errors import ParserError
from ipsecmon_parsers.pseudonyms import Addresses, Spis
from ipsecmon_parsers.records import Platform
from ipsecmon_parsers.registry import ParseResult, parse

OUTPUTS = Path(__file__).parent / "outputs"
ADDRESS = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\d|\.\d)")
# masks, and the private ranges as a whole
KEPT = re.compile(
    r"(?:0|255|127|2[234]\d|12[78])\..*|252\.0\.0\.0|254\.0\.0\.0|192\.0\.0\.0|10\.0\.0\.0|172\.16\.0\.0|192\.168\.0\.0"
)
LOG = """\
acme-r1#copy run tftp://acme.example/backup
acme-r1(config)#crypto isakmp key planted address 198.51.100.77
acme-r1#sh cry ips sa

interface: Serial0/0
    Crypto map tag: ACME, local addr 198.51.100.77
   protected vrf: CUST-ACME
   local  ident (addr/mask/prot/port): (10.1.0.0/255.255.0.0/0/0)
   remote ident (addr/mask/prot/port): (0.0.0.0/0.0.0.0/0/0)
   current_peer 203.0.113.9 port 500
     a line nobody knows about ACME and 10.1.7.9
     current outbound spi: 0xFAD546D(263017581)

     inbound esp sas:

     outbound pcp sas:
acme-r1#"""


def read(platform: str, command: str, text: str) -> ParseResult | str:
    try:
        return parse(platform, command, text)
    except ParserError as error:
        return type(error).__name__


def compare(one: Any, other: Any, field: str, renamed: dict[tuple[str, Any], Any]) -> None:
    """Equal, or a text or an SPI that always stands for the same other one."""
    if one.__class__ is dict:
        assert one.keys() == other.keys()
        for name in one:
            compare(one[name], other[name], name, renamed)
    elif one.__class__ is list:
        assert len(one) == len(other), field
        for item, other_item in zip(one, other, strict=True):
            compare(item, other_item, field, renamed)
    elif one != other:
        assert isinstance(one, str) or field.endswith("_spi") or field == "spi", (field, one, other)
        assert renamed.setdefault((field, one), other) == other, field


def check(platform: str, command: str, text: str, name: str) -> None:
    copy = anonymize(text, Platform(platform), command).text
    before, after = read(platform, command, text), read(platform, command, copy)
    if isinstance(before, str) or isinstance(after, str):
        assert before == after, name
    else:
        renamed: dict[tuple[str, Any], Any] = {}
        assert len(before.records) == len(after.records), name
        assert len(before.unparsed_lines) == len(after.unparsed_lines), name
        for record, other in zip(before.records, after.records, strict=True):
            compare(record_document(record), record_document(other), "", renamed)
    left = set(ADDRESS.findall(text)) & set(ADDRESS.findall(copy))
    assert [address for address in left if not KEPT.fullmatch(address)] == [], name


@pytest.mark.parametrize(
    "case",
    sorted(OUTPUTS.glob("*/*/*/output.txt")),
    ids=lambda path: str(path.parent.relative_to(OUTPUTS)),
)
def test_our_own_outputs_read_the_same_up_to_the_names(case: Path) -> None:
    written = case.with_name("command.txt")
    command = (
        written.read_text(encoding="utf-8").strip()
        if written.is_file()
        else case.parts[-3].replace("_", " ")
    )
    check(case.parts[-4], command, case.read_text(encoding="utf-8"), str(case))


def test_captures_read_the_same_up_to_the_names(captures: Path) -> None:
    for path in sorted(captures.glob("*/*/*.txt")):
        meta = yaml.safe_load(path.with_suffix(".meta.yaml").read_text(encoding="utf-8"))
        text = path.read_bytes().decode("utf-8", "replace")
        check(meta["platform"], meta["command"], text, str(path))


def test_nothing_of_the_original_remains_in_lines_nobody_understands_either() -> None:
    copy = anonymize(LOG)

    for original in (
        "acme",
        "ACME",
        "CUST",
        "198.51.100.77",
        "203.0.113.9",
        "10.1.",
        "planted",
        "FAD546D",
        "263017581",
    ):
        assert original not in copy.text
    assert copy.text.count("\n") == LOG.count("\n")


def test_an_spi_and_its_decimal_still_agree() -> None:
    match = re.search(r"spi: 0x([0-9A-F]+)\((\d+)\)", anonymize(LOG).text)

    assert match is not None
    assert int(match[1], 16) == int(match[2])
    assert len(match[1]) == len("FAD546D")


HOSTS = st.one_of(
    *(
        st.ip_addresses(v=4, network=network)
        for network in ("10.0.0.0/8", "172.16.0.0/12", "93.184.0.0/15", "203.0.113.0/24")
    )
)


@given(st.lists(st.tuples(HOSTS, st.integers(16, 32)), min_size=1, max_size=20))
def test_hosts_stay_in_their_networks(found: list[tuple[ipaddress.IPv4Address, int]]) -> None:
    addresses = Addresses()
    for host, length in found:
        addresses.add(str(host), str(length))
    others = {host: ipaddress.ip_address(addresses.other(str(host))) for host, _ in found}

    for host, length in found:
        network = ipaddress.ip_network((int(host), length), strict=False)
        moved = ipaddress.ip_network((int(others[host]), length), strict=False)
        assert all((others[one] in moved) == (one in network) for one in others)


def test_seven_digits_stay_seven_digits_and_small_numbers_stay() -> None:
    spis = Spis()
    for digits in ("448C5B0", "0448C5B0", "100"):
        spis.add(digits)

    assert spis.other_hexadecimal("448C5B0") == "C000001"
    assert spis.other_hexadecimal("0448C5B0") == "0C000001"
    assert spis.other_hexadecimal("100") == "100"


@pytest.mark.parametrize(
    "line",
    [
        "password: Planted9",
        "Password for otto: Planted9",
        "PSK: Planted9",
        "psk=Planted9",
        "key=Planted9",
        "enable secret: Planted9",
        "the pre-shared key = Planted9",
    ],
)
def test_what_was_typed_beside_an_output_is_in_no_copy_and_no_message(line: str) -> None:
    listing = "R1#show crypto isakmp sa\ndst src state conn-id status\n"
    assert "Planted9" not in anonymize(f"{line}\n{listing}{line}\nR1#").text
    assert "Planted9" not in anonymize(f"{line}\n").text
    result = parse("ios", "show crypto isakmp sa", f"{listing}{line}\nR1#")
    assert [one.text.endswith("***") for one in result.unparsed_lines] == [True]
    with pytest.raises(ParserError) as raised:
        parse("ios", "show crypto ipsec sa", f"interface: Serial0/0\n{line}")
    assert "Planted9" not in f"{raised.value} {raised.value!r} {raised.value.args}"


def test_names_beside_the_outputs_are_replaced_too() -> None:
    text = (
        "[03:04:05] R1-ACME#show crypto isakmp sa\n"
        "login as: otto.acme\nmail from h.doe@bank-acme.example\n"
    )
    copy = anonymize(text).text

    assert not any(word in copy for word in ("R1-ACME", "otto.acme", "h.doe", "bank-acme"))
