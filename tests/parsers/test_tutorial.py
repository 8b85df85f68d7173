"""The listing of the tutorial that started this project, as a user pastes it: no-break spaces and all."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipsecmon_parsers.errors import ParserError, Truncated
from ipsecmon_parsers.records import Flow, Ident, IkeSa, IkeState
from ipsecmon_parsers.registry import SHOW_IPSEC_SA, SHOW_ISAKMP_SA, parse

OUTPUTS = Path(__file__).parent / "outputs" / "ios"
IPSEC_SA = (OUTPUTS / "show_crypto_ipsec_sa/tutorial/output.txt").read_text(encoding="utf-8")
ISAKMP_SA = (OUTPUTS / "show_crypto_isakmp_sa/tutorial/output.txt").read_text(encoding="utf-8")
LINES = IPSEC_SA.split("\n")


def flow() -> Flow:
    (record,) = parse("ios", SHOW_IPSEC_SA, IPSEC_SA).records
    assert isinstance(record, Flow)
    return record


def test_the_fixture_is_the_listing_byte_for_byte(captures: Path) -> None:
    listing = captures / "ios" / "show_crypto_ipsec_sa" / "024_tutorial.txt"

    assert listing.read_text(encoding="utf-8") == IPSEC_SA


def test_the_isakmp_row_is_read() -> None:
    (sa,) = parse("ios", SHOW_ISAKMP_SA, ISAKMP_SA).records

    assert sa == IkeSa(
        source="92.1.1.1",
        destination="123.1.1.2",
        state=IkeState.QM_IDLE,
        raw_state="QM_IDLE",
        status="ACTIVE",
        conn_id=1,
        slot=0,
        is_established=True,
    )


def test_the_flow_is_read() -> None:
    read = flow()

    assert read.local_ident == Ident(address="10.1.1.0", prefix_length=24, protocol=0, port=0)
    assert read.remote_ident == Ident(address="10.2.2.0", prefix_length=24, protocol=0, port=0)
    assert (read.encaps_packets, read.encrypt_packets, read.digest_packets) == (4, 4, 4)
    assert (read.decaps_packets, read.decrypt_packets, read.verify_packets) == (4, 4, 4)
    assert (read.send_errors, read.recv_errors) == (1, 0)
    assert read.current_outbound_spi == 0x7FAD546D
    assert read.path_mtu_bytes == 1500
    assert read.flags == ("origin_is_acl", "ipsec_sa_request_sent")


def test_both_sas_are_read() -> None:
    inbound, outbound = flow().sas

    assert (inbound.spi, inbound.remaining_kilobytes, inbound.remaining_seconds) == (
        0xBDD4C094,
        4596305,
        3586,
    )
    assert (outbound.spi, outbound.remaining_kilobytes, outbound.remaining_seconds) == (
        0x7FAD546D,
        4596305,
        3584,
    )
    assert inbound.transform == outbound.transform == ("esp-des", "esp-md5-hmac")


def test_every_line_of_the_listing_is_accounted_for() -> None:
    assert parse("ios", SHOW_IPSEC_SA, IPSEC_SA).unparsed_lines == ()
    assert parse("ios", SHOW_ISAKMP_SA, ISAKMP_SA).unparsed_lines == ()


@pytest.mark.parametrize("kept", range(len(LINES) - 1))
def test_a_listing_cut_at_any_line_raises(kept: int) -> None:
    with pytest.raises(Truncated):
        parse("ios", SHOW_IPSEC_SA, "\n".join(LINES[:kept]))


def test_a_listing_cut_at_any_character_raises() -> None:
    end = len(IPSEC_SA.rstrip("\n"))
    for kept in range(end):
        with pytest.raises(ParserError):
            parse("ios", SHOW_IPSEC_SA, IPSEC_SA[:kept])


@pytest.mark.parametrize("kept", range(2, len(LINES) - 2))
def test_a_prompt_behind_a_cut_flow_does_not_make_it_whole(kept: int) -> None:
    """A device that gives up in the middle of a flow still prints its prompt."""
    with pytest.raises(ParserError):
        parse("ios", SHOW_IPSEC_SA, "\n".join([*LINES[:kept], "Site1#"]))


@pytest.mark.parametrize("kept", [0, 1])
def test_a_prompt_behind_nothing_is_an_answer_of_zero_flows(kept: int) -> None:
    assert parse("ios", SHOW_IPSEC_SA, "\n".join([*LINES[:kept], "Site1#"])).records == ()


@pytest.mark.parametrize("cut", range(1, len(LINES)))
def test_a_listing_with_a_line_lost_never_yields_another_number(cut: int) -> None:
    """Losing one line either raises or leaves a field unprinted; it never changes what is printed elsewhere."""
    whole = parse("ios", SHOW_IPSEC_SA, IPSEC_SA).records[0]
    assert isinstance(whole, Flow)
    try:
        (read,) = parse("ios", SHOW_IPSEC_SA, "\n".join(LINES[:cut] + LINES[cut + 1 :])).records
    except ParserError:
        return

    assert isinstance(read, Flow)
    assert read.encaps_packets in (None, whole.encaps_packets)
    assert {sa.spi for sa in read.sas} <= {sa.spi for sa in whole.sas}
    assert read.current_outbound_spi == whole.current_outbound_spi
