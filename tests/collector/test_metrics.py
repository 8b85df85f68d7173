"""What a scrape sees: golden expositions, linted by promtool, and the rules behind them."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import ProcessCollector

from factories import flow, ike_sa, pair
from ipsecmon import __version__
from ipsecmon.config import Tier
from ipsecmon.metrics import ExporterFacts, exposition, process_facts, render_result
from ipsecmon.metrics.catalogue import CATALOGUE, METRICS, Kind
from ipsecmon.metrics.render import DuplicateSample, render
from ipsecmon.model import (
    Intent,
    PollResult,
    Purpose,
    SaMark,
    Status,
    TunnelMemory,
    TunnelState,
)
from ipsecmon.store import Entry, Store
from ipsecmon_parsers.records import IkeState, SaLifetime
from metrics_fleet import (
    ALWAYS_ON,
    FACTS,
    READ_AT,
    busy_tunnel,
    counted,
    down_tunnel,
    failed_result,
    result,
    tunnel,
)
from prometheus_reference import read_text

GOLDEN = Path(__file__).parent / "golden"
PATIENCE = 180.0
DEMANDED = "cisco_ipsec_tunnel_demanded"


def scrape(
    *results: PollResult,
    now: float = READ_AT + 10,
    tier: Tier = Tier.EXTENDED,
    facts: ExporterFacts | None = FACTS,
) -> str:
    store = Store()
    for one in results:
        store.put(one, render_result(one, tier))
    stale_after = {one.device: PATIENCE for one in results}
    return exposition(store.entries(), facts, stale_after, now).decode()


def of(made: TunnelState, **changes: Any) -> str:
    """The scrape of a device that has this one tunnel."""
    return scrape(replace(result(), tunnels=(made,), links=(), **changes))


def series(text: str) -> set[str]:
    """Every line without its value."""
    return {line.rpartition(" ")[0] for line in text.splitlines() if not line.startswith("#")}


def values(text: str, name: str) -> list[float]:
    return [
        float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if line.startswith((f"{name}{{", f"{name} "))
    ]


# --- the whole ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tier", Tier)
def test_golden_exposition_of_a_fixed_fleet(tier: Tier, update_golden: bool) -> None:
    golden = GOLDEN / f"metrics_{tier}.txt"
    text = scrape(result(), failed_result(), tier=tier)
    text = "".join(
        line for line in text.splitlines(keepends=True) if "_exporter_build_info{" not in line
    )
    if update_golden:
        golden.write_text(text)

    assert text == golden.read_text()


@pytest.mark.parametrize("tier", Tier)
def test_the_exposition_is_clean_for_promtool(tier: Tier, promtool: str) -> None:
    checked = subprocess.run(  # noqa: S603 # promtool on our own text
        [promtool, "check", "metrics"],
        input=scrape(result(), failed_result(), tier=tier),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


@pytest.mark.parametrize("tier", Tier)
def test_a_tier_exports_its_metrics_and_no_others(tier: Tier) -> None:
    """What the golden files do not show has no test."""
    text = scrape(result(), tier=tier)
    exported = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")}

    assert exported == {metric.name for metric in CATALOGUE if tier.includes(metric.tier)}


def test_every_sample_has_the_labels_and_values_of_the_catalogue() -> None:
    for family in read_text(scrape(result(), failed_result())):
        for sample in family.samples:
            is_histogram = family.type == "histogram"
            metric = METRICS[family.name if is_histogram else sample.name]
            labels = [name for name in sample.labels if not (is_histogram and name == "le")]
            assert sorted(labels) == sorted(metric.labels), sample.name
            if metric.values:
                assert sample.labels[metric.labels[-1]] in metric.values, sample.name
            if metric.kind is Kind.INFO:
                assert sample.value == 1, sample.name


def test_all_values_of_a_state_set_are_there_and_one_of_them_is_1() -> None:
    text = scrape(result())
    for metric in CATALOGUE:
        if metric.kind is Kind.STATESET:
            found = values(text, metric.name)
            assert sum(found) * len(metric.values) == len(found), metric.name


def test_a_unit_is_the_end_of_the_name_and_every_metric_has_a_help_and_a_source() -> None:
    for metric in CATALOGUE:
        assert metric.family.endswith(metric.unit), metric.name
        assert metric.help.endswith("."), metric.name
        assert metric.source, metric.name
    assert len(METRICS) == len(CATALOGUE)


def test_the_build_is_named() -> None:
    assert 'cisco_ipsec_exporter_build_info{python_version="' in scrape()
    assert f'version="{__version__}"' in scrape()


def test_the_process_says_what_it_costs_by_the_names_of_the_catalogue() -> None:
    said = process_facts()
    reference = {
        sample.name: sample.value
        for family in ProcessCollector(registry=None).collect()
        for sample in family.samples
    }

    assert said.keys() == {name for name in METRICS if name.startswith("process_")}
    assert said == pytest.approx(reference, rel=0.05)


def test_without_a_history_nothing_is_said_of_one() -> None:
    assert "_history_" not in scrape(facts=replace(FACTS, history=None))
    assert "cisco_ipsec_exporter_history_writable 1.0" in scrape()


# --- age ------------------------------------------------------------------------------------------------------


def test_a_device_whose_last_poll_failed_is_not_up_but_its_tunnels_are_still_told() -> None:
    text = scrape(failed_result())

    assert 'cisco_ipsec_device_up{device="Site2"} 0.0' in text
    assert 'cisco_ipsec_device_collect_errors_total{device="Site2",reason="auth"} 3.0' in text
    assert values(text, "cisco_ipsec_tunnel_up") == [1, 0]


def test_while_collecting_fails_the_state_is_unknown() -> None:
    text = scrape(failed_result())

    states = [line for line in text.splitlines() if "_tunnel_state{" in line and "} 1.0" in line]
    assert len(states) == 2
    assert all('state="unknown"' in line for line in states)


def test_stale_tunnels_are_withdrawn_and_the_device_and_what_must_be_up_stays() -> None:
    before = scrape(result(), now=READ_AT + PATIENCE)
    after = scrape(result(), now=READ_AT + PATIENCE + 1)

    def prefixed(text: str) -> set[str]:
        return {
            line
            for line in series(text)
            if line.startswith(
                (
                    "cisco_ipsec_device",
                    "cisco_ipsec_exporter",
                    "process_",
                    "cisco_ipsec_tunnel_info",
                    "cisco_ipsec_tunnel_expected",
                )
            )
        }

    assert series(after) == prefixed(after) == prefixed(before)
    assert values(after, "cisco_ipsec_tunnel_expected") == [1, 0]
    assert values(after, "cisco_ipsec_device_tunnels") == [2]


def test_a_device_never_read_has_no_tunnels_that_are_up_or_down() -> None:
    text = scrape(result(read_at=None))

    assert "cisco_ipsec_tunnel_up" not in text
    assert "cisco_ipsec_device_last_success" not in text
    assert values(text, "cisco_ipsec_tunnel_expected") == [1, 0]
    assert values(text, "cisco_ipsec_device_up") == [1]


def test_a_stale_device_takes_no_other_device_with_it() -> None:
    store = Store()
    for one in (result(), result("Site2")):
        store.put(one, render_result(one))
    text = exposition(store.entries(), FACTS, {"Site1": 5.0, "Site2": 180.0}, READ_AT + 10).decode()

    assert 'cisco_ipsec_tunnel_up{device="Site1"' not in text
    assert 'cisco_ipsec_tunnel_up{device="Site2"' in text


# --- one set of series ----------------------------------------------------------------------------------------


def without_sas(made: TunnelState, **changes: Any) -> TunnelState:
    return replace(
        made,
        flow=replace(made.flow, sas=(), current_outbound_spi=0),
        status=Status.DOWN_DEMANDED,
        inbound=None,
        outbound=None,
        predicted_expiry_at=None,
        **changes,
    )


def forgotten_counters(made: TunnelState) -> TunnelState:
    """As one that the device lists no longer."""
    nothing: dict[str, Any] = {
        name: None
        for name in made.flow.__slots__
        if name.endswith(("_packets", "_errors")) or name == "path_mtu_bytes"
    }
    identity = replace(flow(), peer=made.flow.peer, **nothing)
    return without_sas(replace(made, is_listed=False, flow=identity))


def test_a_tunnel_that_loses_its_sas_keeps_its_series_but_what_was_negotiated() -> None:
    before, after = series(of(busy_tunnel())), series(of(without_sas(busy_tunnel())))

    gone = {line.partition("{")[0] for line in before - after}
    assert gone == {"cisco_ipsec_tunnel_crypto_info"}
    assert after < before


def test_a_tunnel_no_longer_listed_keeps_all_but_what_the_device_counted_and_negotiated() -> None:
    listed, unlisted = (
        series(scrape(result(tunnels=(made,), links=()), tier=Tier.STANDARD))
        for made in (busy_tunnel(), forgotten_counters(busy_tunnel()))
    )

    gone = {line.partition("{")[0] for line in listed - unlisted}
    assert unlisted < listed
    assert gone == {
        "cisco_ipsec_tunnel_crypto_info",
        "cisco_ipsec_tunnel_encaps_packets_total",
        "cisco_ipsec_tunnel_decaps_packets_total",
        "cisco_ipsec_tunnel_send_errors_total",
        "cisco_ipsec_tunnel_recv_errors_total",
    }


def test_a_tunnel_no_longer_listed_is_down_and_keeps_its_own_counts() -> None:
    text = of(forgotten_counters(busy_tunnel()))

    assert values(text, "cisco_ipsec_tunnel_up") == [0]
    assert values(text, "cisco_ipsec_tunnel_sent_bytes_total") == [7200 * 1024]


def test_the_series_of_a_tunnel_exist_before_it_was_ever_up() -> None:
    text = of(down_tunnel())

    assert values(text, "cisco_ipsec_sa_spi") == [0, 0]
    assert values(text, "cisco_ipsec_sa_remaining_lifetime_seconds") == [0, 0]
    assert values(text, "cisco_ipsec_tunnel_rekeys_total") == [0, 0, 0, 0]
    assert values(text, "cisco_ipsec_tunnel_flaps_total") == [0]


def test_a_rekey_changes_values_and_no_labels() -> None:
    busy = busy_tunnel()
    renewed = pair(0x33333333, 0x44444444)
    after = replace(
        busy, flow=replace(busy.flow, sas=renewed), inbound=renewed[0], outbound=renewed[1]
    )
    # these lived in the settings of the SA; a rekey repeats them
    sas = tuple(
        replace(sa, mode=old.mode, replay_detection=old.replay_detection)
        for sa, old in zip(renewed, (busy.inbound, busy.outbound), strict=True)
        if old is not None
    )
    after = replace(after, outbound=sas[1])

    assert series(of(busy)) == series(of(after))
    assert values(of(after), "cisco_ipsec_sa_spi") == [0x33333333, 0x44444444]


def test_a_failover_changes_which_peer_is_in_use_and_no_labels() -> None:
    busy = busy_tunnel()
    back = replace(busy, flow=replace(busy.flow, peer="123.1.1.2"))

    assert series(of(busy)) == series(of(back))
    assert values(of(busy), "cisco_ipsec_tunnel_peer_in_use") == [0, 1]
    assert values(of(back), "cisco_ipsec_tunnel_peer_in_use") == [1, 0]


def test_what_the_device_did_not_print_is_not_exported_as_zero() -> None:
    text = of(tunnel(flow=flow(encaps_packets=None, send_errors=None)))

    assert "encaps_packets_total" not in text
    assert "send_errors_total" not in text
    assert "decaps_packets_total" in text


@pytest.mark.parametrize("status", [Status.DOWN_DEMANDED, Status.NEGOTIATING])
def test_a_tunnel_that_is_down_is_demanded_while_its_send_errors_grow(status: Status) -> None:
    grown, still = (
        replace(down_tunnel().memory, samples=(counted(READ_AT - 60, 7), counted(READ_AT, now)))
        for now in (8, 7)
    )

    assert values(of(tunnel(status=status, memory=grown)), DEMANDED) == [1]
    assert values(of(tunnel(status=status, memory=still)), DEMANDED) == [0]


@pytest.mark.parametrize("status", [Status.UP, Status.STANDBY, Status.EXCLUDED])
def test_send_errors_of_a_tunnel_that_is_not_down_are_no_demand(status: Status) -> None:
    assert values(of(replace(down_tunnel(), status=status)), DEMANDED) == [0]


def test_a_flow_that_is_listed_only_with_sas_is_demanded_while_ike_is_tried() -> None:
    """An ASA prints no send errors of a tunnel that is down."""
    unlisted = tunnel(is_listed=False, flow=flow(send_errors=None))

    assert values(of(replace(unlisted, status=Status.NEGOTIATING)), DEMANDED) == [1]
    assert values(of(replace(unlisted, status=Status.DOWN_IDLE)), DEMANDED) == [0]


def test_demand_that_was_not_read_is_absent() -> None:
    unread = replace(down_tunnel(), is_restored=True)
    silent = replace(down_tunnel(), flow=flow(send_errors=None))
    unlisted = replace(silent, is_listed=False, memory=tunnel().memory)

    assert values(of(unread), DEMANDED) == []
    assert values(of(silent), DEMANDED) == []
    assert values(of(unlisted), DEMANDED) == [0]


def test_a_tunnel_remembered_from_before_a_restart_shows_nothing_read() -> None:
    """0 in the place of a counter or an SPI would be taken for a reset or a rekey."""
    text = of(replace(forgotten_counters(busy_tunnel()), status=Status.UNKNOWN))

    assert values(text, "cisco_ipsec_tunnel_up") == [1]
    assert values(text, "cisco_ipsec_tunnel_encaps_packets_total") == []
    assert values(text, "cisco_ipsec_tunnel_recv_errors_total") == []
    assert values(text, "cisco_ipsec_sa_spi") == []
    assert values(text, "cisco_ipsec_sa_remaining_lifetime_seconds") == []
    assert values(text, "cisco_ipsec_tunnel_rekeys_total") == [23, 0, 0, 1]


def test_a_tunnel_never_read_is_neither_up_nor_down() -> None:
    never = tunnel(
        status=Status.UNKNOWN, is_listed=False, memory=TunnelMemory(first_seen_at=READ_AT)
    )

    assert "cisco_ipsec_tunnel_up" not in of(never)
    assert values(of(never), "cisco_ipsec_tunnel_expected") == [0]


# --- up and expected ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.UNKNOWN])
def test_up_is_what_the_status_says(status: Status) -> None:
    assert values(of(tunnel(status=status)), "cisco_ipsec_tunnel_up") == [status.is_up]


@pytest.mark.parametrize(
    ("intent", "status", "expected"),
    [
        (Intent.ALWAYS_ON, Status.DOWN_IDLE, 1),
        (Intent.ALWAYS_ON, Status.UP, 1),
        (Intent.ALWAYS_ON, Status.STANDBY, 0),
        (Intent.ALWAYS_ON, Status.EXCLUDED, 0),
        (Intent.ON_DEMAND, Status.UP, 0),
        (Intent.BACKUP, Status.DOWN_IDLE, 0),
    ],
)
def test_expected_is_what_must_be_up_now(intent: Intent, status: Status, expected: float) -> None:
    made = tunnel(status=status, purpose=Purpose(intent=intent, reason="said so"))

    assert values(of(made), "cisco_ipsec_tunnel_expected") == [expected]


# --- lifetimes ------------------------------------------------------------------------------------------------


def test_an_sa_without_volume_lifetime_has_no_bytes_left() -> None:
    inbound, outbound = pair(1, 2, remaining_kilobytes=None, volume_rekey_disabled=True)
    memory = TunnelMemory(
        first_seen_at=READ_AT,
        inbound=SaMark(spi=1, at=READ_AT, remaining_seconds=3000),
        outbound=SaMark(spi=2, at=READ_AT, remaining_seconds=3000),
        lifetime_seconds=3000,
    )
    up = tunnel(flow=flow(inbound, outbound), inbound=inbound, outbound=outbound, memory=memory)

    for made in (up, without_sas(up)):
        text = of(made)
        assert "remaining_lifetime_bytes" not in text
        assert "cisco_ipsec_sa_lifetime_bytes" not in text
        assert "tunnel_sent_bytes" not in text
        assert "remaining_lifetime_seconds" in text


def test_an_sa_that_never_expires_has_no_time_left() -> None:
    inbound, outbound = pair(1, 2, remaining_seconds=None, never_expires=True)
    up = tunnel(flow=flow(inbound, outbound), inbound=inbound, outbound=outbound)

    assert "remaining_lifetime_seconds" not in of(up)
    assert "expiry_timestamp" not in scrape(result(tunnels=(up,), links=()), tier=Tier.STANDARD)


def test_the_expiry_is_the_damped_one_while_its_sa_is_in_use() -> None:
    busy = busy_tunnel()
    other_spi = replace(
        busy, memory=replace(busy.memory, inbound=SaMark(spi=5, at=READ_AT, expires_at=1.0))
    )

    assert values(of(busy), "cisco_ipsec_sa_expiry_timestamp_seconds") == [
        READ_AT + 3587,
        READ_AT + 3586,
    ]
    assert values(of(other_spi), "cisco_ipsec_sa_expiry_timestamp_seconds")[0] == READ_AT + 3586


def test_without_an_sa_the_expiry_is_that_of_the_last_one() -> None:
    text = of(without_sas(busy_tunnel()))

    assert values(text, "cisco_ipsec_sa_expiry_timestamp_seconds") == [
        READ_AT + 3587,
        READ_AT + 3586,
    ]
    assert values(text, "cisco_ipsec_sa_remaining_lifetime_seconds") == [0, 0]
    assert values(text, "cisco_ipsec_sa_remaining_lifetime_bytes") == [0, 0]
    assert values(text, "cisco_ipsec_tunnel_predicted_expiry_timestamp_seconds") == [READ_AT + 3586]


def test_the_minimal_tier_has_the_expiry_of_the_outbound_sa_only() -> None:
    text = scrape(result(tunnels=(busy_tunnel(),), links=()), tier=Tier.MINIMAL)

    assert values(text, "cisco_ipsec_sa_expiry_timestamp_seconds") == [READ_AT + 3586]


def test_the_full_lifetime_is_that_of_the_device_until_an_sa_was_seen() -> None:
    device = SaLifetime(seconds=1800, kilobytes=1000, volume_rekey_disabled=False)

    never = of(down_tunnel(), sa_lifetime=device)
    assert values(never, "cisco_ipsec_sa_lifetime_seconds") == [1800]
    assert values(never, "cisco_ipsec_sa_lifetime_bytes") == [1000 * 1024]
    assert values(of(busy_tunnel(), sa_lifetime=device), "cisco_ipsec_sa_lifetime_seconds") == [
        3598
    ]
    assert "cisco_ipsec_sa_lifetime" not in of(down_tunnel(), sa_lifetime=None)


# --- both ends ------------------------------------------------------------------------------------------------


def test_nothing_is_said_of_an_other_end_that_is_not_known() -> None:
    text = scrape(result(links=()))

    assert "peering_info" not in text
    assert "spi_pair_matched" not in text
    assert "path_loss" not in text


def test_while_the_readings_do_not_tell_neither_does_the_match() -> None:
    (link,) = result().links
    text = scrape(result(links=(replace(link, is_spi_pair_matched=None, sent_loss=None),)))

    assert "peering_info" in text
    assert "spi_pair_matched" not in text
    assert values(text, "cisco_ipsec_tunnel_path_loss_ratio") == [0.0]


def test_loss_is_outbound_where_we_sent() -> None:
    text = scrape(result())

    assert 'path_loss_ratio{device="Site1",direction="outbound"' in text
    assert values(text, "cisco_ipsec_tunnel_path_loss_ratio") == [0.0, 0.015]


# --- IKE ------------------------------------------------------------------------------------------------------


def test_ike_sas_are_counted_by_what_they_are_doing() -> None:
    first, second, third = result().ike_peers
    deleted = replace(first.sas[0], is_deleted=True, is_established=False)
    standby = replace(first.sas[0], status="STDBY")
    peers = (replace(first, sas=(*first.sas, deleted, standby)), second, third)
    text = scrape(result(ike_peers=peers))

    assert values(text, "cisco_ike_sas") == [1, 1, 0, 2]


def test_the_state_with_a_peer_is_that_of_its_best_sa() -> None:
    first, *_ = result().ike_peers
    deleted = replace(first.sas[0], is_deleted=True, is_established=False)
    text = scrape(result(ike_peers=(replace(first, sas=(deleted, *first.sas)),)))
    alone = scrape(result(ike_peers=(replace(first, sas=(deleted,)),)))
    none = scrape(result(ike_peers=(replace(first, sas=()),)))

    assert 'state="established"} 1.0' in text
    assert 'state="deleting"} 1.0' in alone
    assert 'state="dead"} 1.0' in none
    assert "cisco_ike_sa_info" not in alone


def test_ike_is_negotiating_while_an_sa_of_a_tunnel_is_neither_established_nor_deleted() -> None:
    first = result().ike_peers[0]
    established = first.sas[0]
    failing = ike_sa(state=IkeState.MM_NO_STATE, is_established=False)
    deleted = replace(failing, is_deleted=True)
    waiting = replace(failing, state=IkeState.QM_IDLE, status="STDBY")
    group = replace(failing, state=IkeState.GDOI_IDLE)
    negotiating = [
        values(scrape(result(ike_peers=(replace(first, sas=sas),))), "cisco_ike_sa_negotiating")
        for sas in (
            (failing,),
            (established, failing),
            (established,),
            (deleted,),
            (waiting,),
            (group,),
            (),
        )
    ]

    assert negotiating == [[1], [1], [0], [0], [0], [0], [0]]


def test_the_members_of_a_group_do_not_count_as_negotiating_at_its_key_server() -> None:
    member = ike_sa(state=IkeState.GDOI_IDLE, is_established=False)
    text = scrape(result(ike_peers=(), unmatched_ike_sas=(member,)))

    assert 'cisco_ike_sas{device="Site1",state="active"} 1.0' in text
    assert 'cisco_ike_sas{device="Site1",state="negotiating"} 0.0' in text


def test_the_interval_of_a_device_is_that_of_the_readings_that_its_plan_wants() -> None:
    name = "cisco_ipsec_device_poll_interval_seconds"

    assert values(scrape(result(reading_seconds=600.0)), name) == [600]
    assert values(scrape(result(reading_seconds=15.0)), name) == [60]
    assert values(scrape(result()), name) == [60]


# --- guards ---------------------------------------------------------------------------------------------------


def test_two_samples_with_one_label_set_are_refused() -> None:
    twice = [("cisco_ipsec_device_up", '{device="Site1"}', 1.0)] * 2
    with pytest.raises(DuplicateSample, match=r"cisco_ipsec_device_up .*Site1"):
        render(twice)


def test_two_tunnels_of_one_name_are_refused() -> None:
    with pytest.raises(DuplicateSample, match="CRYPTO/a-b"):
        render_result(result(tunnels=(tunnel(), tunnel())), Tier.MINIMAL)


@pytest.mark.parametrize("tier", Tier)
def test_a_metric_that_is_not_in_the_catalogue_is_refused(tier: Tier) -> None:
    with pytest.raises(KeyError):
        render([("cisco_ipsec_tunnel_colour", "", 1.0)], tier)


def test_the_store_hands_out_what_it_held_at_one_moment() -> None:
    store = Store()
    before = store.entries()
    store.put(result(), {})

    assert dict(before) == {}
    assert store.entries()["Site1"] == Entry(result(), {})


def test_always_on_is_shown_as_the_intent() -> None:
    assert 'intent="always_on",peer="123.1.1.2",tunnel="CRYPTO/a-b"} 1.0' in of(
        tunnel(purpose=ALWAYS_ON)
    )


def test_a_tunnel_from_before_a_restart_says_what_was_last_known_and_nothing_of_its_sas() -> None:
    standby = replace(without_sas(busy_tunnel()), is_restored=True, status=Status.STANDBY)
    up = replace(without_sas(busy_tunnel()), is_restored=True, status=Status.UP)

    assert values(of(up), "cisco_ipsec_tunnel_up") == [1]
    assert values(of(standby), "cisco_ipsec_tunnel_expected") == [0]
    assert values(of(up), "cisco_ipsec_sa_spi") == []
