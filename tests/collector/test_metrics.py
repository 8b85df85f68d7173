"""What a scrape sees: one golden exposition, linted by promtool, and the rules behind it."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from factories import LIFETIME, flow, ident, ike_sa, pair
from ipsecmon import __version__
from ipsecmon.metrics import ExporterFacts, exposition, render_result
from ipsecmon.metrics.catalogue import CATALOGUE
from ipsecmon.metrics.render import DuplicateSample, render
from ipsecmon.model import PollError, PollResult, Reason, Stage, UnparsedOutput
from ipsecmon.store import Entry, Store
from ipsecmon.tunnels import build
from ipsecmon_parsers.records import Platform
from ipsecmon_parsers.registry import UnparsedLine

GOLDEN = Path(__file__).parent / "golden" / "metrics.txt"
READ_AT = 1_800_000_000.0
FACTS = ExporterFacts(sessions_open=2, jobs_missed=0)


def result(device: str = "Site1", *, error: PollError | None = None) -> PollResult:
    """Two tunnels, one in the overlap of a rekey and one without SAs."""
    overlapping = flow(
        *pair(0x11111111, 0x22222222, remaining_seconds=25, remaining_kilobytes=12),
        *pair(0xBDD4C094, 0x7FAD546D, remaining_seconds=3586, remaining_kilobytes=4596305),
    )
    down = flow(
        local_ident=ident("10.1.1.0/24", 6, 443),
        remote_ident=ident("10.3.3.0/24", 6),
        peer="203.0.113.7",
        remote_endpoint="203.0.113.7",
        send_errors=7,
    )
    reading = build(
        device=device,
        device_address="192.0.2.1",
        flows=[overlapping, down],
        ike_sas=[ike_sa()],
        lifetime=LIFETIME,
        previous=(),
        at=READ_AT,
    )
    return PollResult(
        device=device,
        host="192.0.2.1",
        platform=Platform.IOS,
        interval_seconds=60.0,
        started_at=READ_AT - 1,
        duration_seconds=1.25,
        read_at=READ_AT,
        tunnels=reading.tunnels,
        ike_peers=reading.ike_peers,
        sa_lifetime=LIFETIME,
        unparsed=(
            UnparsedOutput(command="show x", lines=(UnparsedLine(line_no=3, text="new words"),)),
        ),
        error=error,
        errors_total={**dict.fromkeys(Reason, 0), Reason.AUTH: 3 if error else 0},
    )


def scrape(*results: PollResult, now: float = READ_AT + 10, stale_after: float = 180.0) -> str:
    store = Store()
    for one in results:
        store.put(one, render_result(one))
    devices = {one.device: stale_after for one in results}
    return exposition(store.entries(), FACTS, devices, now).decode()


FAILED = PollError(device="Site2", stage=Stage.AUTH, reason=Reason.AUTH, cause="refused")


def test_golden_exposition_of_a_fixed_fleet(update_golden: bool) -> None:
    text = scrape(result(), result("Site2", error=FAILED))
    text = "".join(
        line for line in text.splitlines(keepends=True) if "_exporter_build_info{" not in line
    )
    if update_golden:
        GOLDEN.write_text(text)

    assert text == GOLDEN.read_text()


def test_the_exposition_is_clean_for_promtool(promtool: str) -> None:
    checked = subprocess.run(  # noqa: S603 # promtool on our own text
        [promtool, "check", "metrics"],
        input=scrape(result(), result("Site2", error=FAILED)),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_the_build_is_named() -> None:
    assert 'cisco_ipsec_exporter_build_info{python_version="' in scrape()
    assert f'version="{__version__}"' in scrape()


def test_a_device_whose_last_poll_failed_is_not_up_but_its_tunnels_are_still_told() -> None:
    text = scrape(result("Site2", error=FAILED))

    assert 'cisco_ipsec_device_up{device="Site2"} 0.0' in text
    assert 'cisco_ipsec_device_collect_errors_total{device="Site2",reason="auth"} 3.0' in text
    assert 'cisco_ipsec_tunnel_up{device="Site2",peer="123.1.1.2"' in text


def test_stale_tunnels_are_withdrawn_and_the_device_stays() -> None:
    text = scrape(result(error=FAILED), now=READ_AT + 181)

    assert "cisco_ipsec_tunnel_" not in text
    assert "cisco_ipsec_sa_" not in text
    assert "cisco_ike_" not in text
    assert 'cisco_ipsec_device_up{device="Site1"} 0.0' in text
    assert "cisco_ipsec_device_last_success_timestamp_seconds" in text


def test_a_stale_device_takes_no_other_device_with_it() -> None:
    store = Store()
    for one in (result(), result("Site2")):
        store.put(one, render_result(one))
    text = exposition(store.entries(), FACTS, {"Site1": 5.0, "Site2": 180.0}, READ_AT + 10).decode()

    assert 'cisco_ipsec_tunnel_up{device="Site1"' not in text
    assert 'cisco_ipsec_tunnel_up{device="Site2"' in text


def test_two_samples_with_one_label_set_are_refused() -> None:
    twice = [("cisco_ipsec_device_up", ("Site1",), 1.0)] * 2
    with pytest.raises(DuplicateSample, match="cisco_ipsec_device_up"):
        render(twice)


def test_every_metric_of_the_catalogue_is_exported_by_this_fleet() -> None:
    """What the golden file does not show has no test; the last rekey needs two readings."""
    text = scrape(result())
    missing = {metric.name for metric in CATALOGUE if f"# TYPE {metric.name} " not in text}

    assert missing == {"cisco_ipsec_tunnel_last_rekey_timestamp_seconds"}


def test_an_sa_without_volume_lifetime_has_no_bytes_left() -> None:
    unlimited = flow(*pair(1, 2, remaining_kilobytes=None, volume_rekey_disabled=True))
    reading = build(
        device="Site1",
        device_address="192.0.2.1",
        flows=[unlimited],
        ike_sas=[],
        lifetime=None,
        previous=(),
        at=READ_AT,
    )
    made = PollResult(
        device="Site1",
        host="192.0.2.1",
        platform=Platform.IOS,
        interval_seconds=60.0,
        started_at=READ_AT,
        duration_seconds=0.1,
        read_at=READ_AT,
        tunnels=reading.tunnels,
    )

    assert "remaining_lifetime_bytes" not in scrape(made)
    assert "remaining_lifetime_seconds" in scrape(made)


def test_what_the_device_did_not_print_is_not_exported_as_zero() -> None:
    reading = build(
        device="Site1",
        device_address="192.0.2.1",
        flows=[flow(encaps_packets=None, send_errors=None)],
        ike_sas=[],
        lifetime=None,
        previous=(),
        at=READ_AT,
    )
    silent = replace(result(), tunnels=reading.tunnels)

    assert "encaps_packets_total" not in scrape(silent)
    assert "send_errors_total" not in scrape(silent)
    assert "decaps_packets_total" in scrape(silent)


def test_the_store_hands_out_what_it_held_at_one_moment() -> None:
    store = Store()
    before = store.entries()
    store.put(result(), {})

    assert dict(before) == {}
    assert store.entries()["Site1"] == Entry(result(), {})
