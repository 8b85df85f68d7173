"""The TTP engine: every line is read or reported under its number, whatever stands around it."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecmon_parsers.clean import CleanText
from ipsecmon_parsers.engines import Section, Table, built_in_template, run_ttp
from ipsecmon_parsers.errors import ParseError
from ipsecmon_parsers.registry import parse

TEMPLATE = "ios/show_running-config.ttp"
CONFIGURATION = """\
hostname Site1
crypto isakmp policy 10
 encr aes 256
 group 14
crypto ikev2 keyring SITES
 peer SITE2
  address 192.0.2.1
  pre-shared-key local ***
 peer SITE3
  address 192.0.2.9
  pre-shared-key ***
crypto isakmp policy 20
 encr 3des
crypto map SITES 10 ipsec-isakmp
 set peer 192.0.2.1
 match address SITE2
interface GigabitEthernet0/0
 description outside
 ip address 198.51.100.1 255.255.255.0
 crypto map SITES
"""
LINES: list[str] = [*CONFIGURATION.splitlines()]


def run(lines: list[str]) -> Table:
    template = built_in_template(TEMPLATE)
    return run_ttp(template, "show running-config", CleanText("\n".join(lines), False), False)


def placed(section: Section) -> list[tuple[int, str, str]]:
    found = [(value.line_no, name, str(value)) for name, value in section.values.items()]
    for sections in section.below.values():
        for one in sections:
            found += placed(one)
    return found


def everything(table: Table) -> list[tuple[int, str, str]]:
    return sorted(v for group in table.sections.values() for one in group for v in placed(one))


def test_every_value_knows_the_line_it_stands_on() -> None:
    table = run(LINES)

    assert table.unmatched_lines == []
    assert {line_no for line_no, _, _ in everything(table)} == set(range(1, len(LINES) + 1))
    for line_no, _, value in everything(table):
        assert value in LINES[line_no - 1]


@pytest.mark.parametrize("foreign", ["crypto future X", " unheard of", "  deep", "garbage"])
@pytest.mark.parametrize("at", range(len(LINES) + 1))
def test_an_inserted_line_is_reported_under_its_number(foreign: str, at: int) -> None:
    table = run([*LINES[:at], foreign, *LINES[at:]])

    assert at + 1 in table.unmatched_lines
    # what else is reported stands below the foreign line, which took it into its own block
    assert all(line_no > at for line_no in table.unmatched_lines)


@pytest.mark.parametrize("at", range(1, len(LINES) + 1))
def test_an_unknown_heading_never_gives_its_lines_to_the_block_before(at: int) -> None:
    """``group 5`` and ``set peer`` would fit the block before; ttp alone puts them there."""
    foreign = [
        "crypto future X",
        " group 5",
        " set peer 203.0.113.9",
        " description stray",
        " peer Y",
    ]
    table = run([*LINES[:at], *foreign, *LINES[at:]])

    assert set(range(at + 1, at + 6)) <= set(table.unmatched_lines)
    values = {value for _, _, value in everything(table)}
    assert not values & {"5", "203.0.113.9", "stray", "Y"}


def test_an_unknown_block_inside_a_block_changes_nothing_before_it() -> None:
    """Behind a list, ttp alone lets a later line replace the value of an earlier one."""
    lines = [
        "crypto ikev2 keyring SITES",
        " peer SITE2",
        "  description real",
        "  pre-shared-key ***",
    ]
    table = run([*lines, " future Y", "  description stray", "  pre-shared-key 6 ***"])
    (peer,) = table.sections["ikev2_keyrings"][0].sections("peers")

    assert peer.text("description") == "real"
    assert [key.text("key") for key in peer.sections("keys")] == ["***"]
    assert table.unmatched_lines == [5, 6, 7]


@pytest.mark.parametrize("lost", [n for n, line in enumerate(LINES) if line.startswith(" ")])
def test_a_lost_line_shifts_no_other(lost: int) -> None:
    """A lost heading is another matter: what stood below it then stands below the heading before."""
    whole = {(name, value) for _, name, value in everything(run(LINES))}
    kept: list[str] = LINES[:lost] + LINES[lost + 1 :]
    table = run(kept)

    assert {(name, value) for _, name, value in everything(table)} <= whole
    for line_no, _, value in everything(table):
        assert value in kept[line_no - 1]
    accounted = {line_no for line_no, _, _ in everything(table)} | set(table.unmatched_lines)
    assert accounted == set(range(1, len(kept) + 1))


def test_of_a_line_that_is_said_twice_the_second_is_reported() -> None:
    table = run(["crypto isakmp policy 10", " group 14", " group 2"])

    assert table.sections["isakmp_policies"][0].text("group") == "14"
    assert table.unmatched_lines == [3]


def test_an_error_names_the_line_its_value_was_read_from() -> None:
    table = run(["crypto isakmp policy 10", " encr aes", " group fourteen"])
    with pytest.raises(ParseError) as caught:
        table.sections["isakmp_policies"][0].number("group")

    assert (caught.value.line_no, caught.value.near) == (3, "fourteen")


@given(st.lists(st.sampled_from([*LINES, "", "garbage", " group 5", "   odd", "!"]), max_size=30))
def test_whatever_the_order_of_lines_each_is_read_once_or_reported(lines: list[str]) -> None:
    table = run(lines)
    read = [line_no for line_no, _, _ in everything(table)]

    said = {line_no for line_no, line in enumerate(lines, 1) if line.strip()}
    assert set(read) | set(table.unmatched_lines) == said
    assert not set(read) & set(table.unmatched_lines)


def test_several_threads_may_share_a_template() -> None:
    texts: list[list[str]] = [[f"hostname Site{n}", *LINES[1:]] for n in range(24)]
    with ThreadPoolExecutor(8) as pool:
        tables = list(pool.map(run, texts))

    assert [table.sections["hostnames"][0].text("hostname") for table in tables] == [
        f"Site{n}" for n in range(24)
    ]


def test_the_engine_is_silent(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with caplog.at_level(logging.INFO), pytest.MonkeyPatch.context() as patch:
        patch.setenv("TTPCACHEFOLDER", str(tmp_path / "missing"))
        run(["garbage"])

    assert (caplog.records, capfd.readouterr()) == ([], ("", ""))


def test_a_configuration_of_a_megabyte_is_read_in_seconds() -> None:
    sites = "".join(
        f"crypto map SITES {n} ipsec-isakmp\n description site {n}\n set peer 198.51.100.{n % 256}\n"
        f" set transform-set STRONG\n match address SITE{n}\n"
        f"ip access-list extended SITE{n}\n permit ip 10.1.0.0 0.0.255.255 10.2.{n % 256}.0 0.0.0.255\n"
        f"interface Tunnel{n}\n ip address 192.0.2.1 255.255.255.252\n ip mtu 1400\n"
        for n in range(1, 3301)
    )
    assert len(sites) > 1_000_000 * 0.9
    started = time.perf_counter()
    result = parse("ios", "show running-config", sites)

    assert time.perf_counter() - started < 20  # about two here; the rest is for slow machines
    assert result.unparsed_lines == ()
