"""Every number that a rule compares with, once: rules, their texts, the dashboards and the tests read it here.

Where practice has a figure it is the one of the field: two to three polls until a tunnel counts as down, three changes in
half an hour for a flapping one, one packet in a thousand for replays.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Literal

__all__ = ["THRESHOLDS", "Threshold", "Thresholds", "described"]

Unit = Literal["seconds", "ratio", "packets per second", "packets", "count", "per hour", "text"]


@dataclass(frozen=True, slots=True)
class Threshold:
    """What one number means; its value is in ``Thresholds``."""

    name: str
    unit: Unit
    meaning: str
    default: Any


def _seconds(value: float, meaning: str) -> Any:
    return field(default=value, metadata={"unit": "seconds", "meaning": meaning})


def _number(value: float, unit: Unit, meaning: str) -> Any:
    return field(default=value, metadata={"unit": unit, "meaning": meaning})


def _text(value: str, meaning: str) -> Any:
    return field(default=value, metadata={"unit": "text", "meaning": meaning})


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Durations are seconds; a ``_for`` is how long a condition must hold, a ``_window`` what a rate looks back over."""

    tunnel_down_for: float = _seconds(180, "a tunnel that must be up, or is asked for, is down")
    on_demand_send_errors: float = _number(
        10, "packets", "packets of an on-demand tunnel that found no SA"
    )
    on_demand_window: float = _seconds(900, "these packets are counted over")
    on_demand_for: float = _seconds(300, "an on-demand tunnel fails")
    phase1_failing_for: float = _seconds(300, "down, and phase 1 does not come up")
    negotiating_window: float = _seconds(
        120, "IKE counts as negotiating after it was seen to: attempts end and begin anew"
    )
    phase2_down_for: float = _seconds(300, "down, although phase 1 is up")
    one_way_packets_per_second: float = _number(
        0.1, "packets per second", "packets in one direction while none goes the other way"
    )
    one_way_window: float = _seconds(600, "both directions are looked at over")
    one_way_for: float = _seconds(300, "packets go one way only")
    flowing_window: float = _seconds(180, "packets count as flowing when one passed in")
    not_renewed_seconds: float = _seconds(
        20, "an SA in use has less left and no successor, while packets flow"
    )
    rekey_overdue_ratio: float = _number(
        1.1, "ratio", "an SA is older than so many times its lifetime"
    )
    rekey_overdue_for: float = _seconds(300, "no rekey came")
    expiry_overdue_seconds: float = _seconds(10, "an SA was read in use so long after its expiry")
    expiry_overdue_for: float = _seconds(60, "it carries packets")
    still_installed_seconds: float = _seconds(120, "an SA is installed so long after its expiry")
    still_installed_for: float = _seconds(300, "it stays installed")
    predicted_loss_for: float = _seconds(180, "phase 1 fails below a tunnel that is up")
    volume_rekeys_per_hour: float = _number(
        6, "per hour", "rekeys because kilobytes ran out: the volume lifetime is too small"
    )
    rekey_storm_ratio: float = _number(
        2, "ratio", "rekeys in an hour, as a multiple of those the lifetime explains, and two more"
    )
    flaps: float = _number(3, "count", "times a tunnel went down")
    flap_window: float = _seconds(1800, "these are counted over")
    replay_drop_ratio: float = _number(
        0.001, "ratio", "packets dropped as replayed, of those received"
    )
    replay_for: float = _seconds(600, "replays are dropped")
    errors_per_second: float = _number(
        0.1, "packets per second", "packets dropped with a send or receive error"
    )
    errors_for: float = _seconds(600, "errors go on")
    spi_mismatch_for: float = _seconds(300, "the two ends hold SAs that do not belong together")
    path_loss_ratio: float = _number(
        0.02, "ratio", "packets lost between the two ends, beyond what the readings may be off"
    )
    path_loss_for: float = _seconds(900, "packets are lost")
    weak_crypto_for: float = _seconds(3600, "weak algorithms are in use")
    rate_window: float = _seconds(600, "the rates of errors, replays and losses look back over")
    many_down_ratio: float = _number(
        0.8, "ratio", "the share of the tunnels that must be up of a device that are up is less"
    )
    many_down_fewest: float = _number(3, "count", "tunnels that must be up and are down are many")
    many_down_for: float = _seconds(120, "many tunnels of a device are down")
    device_unreachable_for: float = _seconds(300, "a device cannot be read")
    stale_intervals: float = _number(3, "count", "poll intervals without a good reading")
    stale_for: float = _seconds(300, "data stays old")
    auth_window: float = _seconds(1800, "a refused login or host key is told for")
    parse_window: float = _seconds(
        600, "an answer that cannot be read counts for: less than parse_for, or one alone is told"
    )
    parse_for: float = _seconds(900, "answers are not understood")
    count_dropped_ratio: float = _number(0.7, "ratio", "tunnels listed, of those an hour before")
    count_dropped_fewest: float = _number(10, "count", "tunnels listed an hour before")
    count_dropped_for: float = _seconds(600, "the listing stays that short")
    negotiations: float = _number(20, "count", "IKE SAs of a device being negotiated at a time")
    negotiations_for: float = _seconds(600, "they pile up")
    exporter_down_for: float = _seconds(300, "ipsecmon does not answer a scrape")
    exporter_absent_for: float = _seconds(600, "no ipsecmon is scraped at all")
    reload_failed_for: float = _seconds(60, "the configuration has mistakes")
    scheduler_lag_seconds: float = _seconds(60, "polls begin so late")
    scheduler_lag_for: float = _seconds(600, "they go on being late")
    polls_missed_window: float = _seconds(
        600, "a missed poll counts for: less than polls_missed_for, or one alone is told"
    )
    polls_missed_for: float = _seconds(900, "polls go on being missed")
    history_for: float = _seconds(300, "events cannot be written")
    source_down_for: float = _seconds(600, "an inventory source cannot be read")
    inhibiting_kept_for: float = _seconds(
        60, "an alert that leaves out others goes on after its cause, so that theirs end before it"
    )
    job: str = _text("ipsecmon", "the job by which Prometheus scrapes ipsecmon")
    runbooks: str = _text("http://127.0.0.1:9818/runbooks", "where the runbooks are served")
    grafana: str = _text("http://127.0.0.1:3000", "where Grafana is")


THRESHOLDS = Thresholds()
"""As they are unless told otherwise."""


def described() -> tuple[Threshold, ...]:
    """Every threshold with its unit and meaning, in the order of the rules."""
    return tuple(
        Threshold(one.name, one.metadata["unit"], one.metadata["meaning"], one.default)
        for one in fields(Thresholds)
    )
