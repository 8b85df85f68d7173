"""The alert rules: what Prometheus' own tool says of them, and that nothing in them is misspelt or left out."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from click.testing import CliRunner, Result

from conftest import REPOSITORY
from ipsecmon.alerting.rule_file import alert_table, alerts, rule_file, rule_groups
from ipsecmon.alerting.rules import INHIBITING, Alert, Record, Severity, annotations_of
from ipsecmon.alerting.settings import with_settings
from ipsecmon.alerting.thresholds import THRESHOLDS, Thresholds, described
from ipsecmon.alerting.timescale import REAL_TIME, Timescale, duration, spoken
from ipsecmon.alerting.tunnel_rules import tunnel_group
from ipsecmon.cli import main
from ipsecmon.config import Tier
from ipsecmon.metrics.catalogue import METRICS
from promql_names import labels_of, problems, recorded
from rule_cases import CASES, alerts_file, scenarios_file

RULES = REPOSITORY / "dashboards" / "rules"
COMMITTED = RULES / "ipsecmon.yml"
TESTS = {"alerts.yml": alerts_file, "scenarios.yml": scenarios_file}
AS_PRINTED = rule_file()
PRINTED_RULES = [rule for group in yaml.safe_load(AS_PRINTED)["groups"] for rule in group["rules"]]
RECORDED = recorded(AS_PRINTED)
NAMES = [alert.name for alert in alerts()]
NAMED_SERIES = re.compile(r"^\| `(\w+:[^`{]+)\{?([^`}:]*)\}?([^`]*)` \|", re.MULTILINE)
"""In a table; several that differ in one part have it in braces."""
NAMED_THRESHOLD = re.compile(r"--set (\w+)=|`(\w+_for)`")
METRIC = re.compile(r"\bcisco_[a-z0-9_]+")
IN_TEMPLATE = re.compile(r"\$labels\.([a-z_]+)")


def ipsecmon_rules(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["rules", *arguments])


def written(text: str) -> Iterator[dict[str, Any]]:
    for group in yaml.safe_load(text)["groups"]:
        yield from group["rules"]


def texts_of(alert: Alert, thresholds: Thresholds) -> tuple[object, ...]:
    """All that a threshold can change, without the file that comes of it."""
    return alert, annotations_of(alert, thresholds)


# --- what is committed ----------------------------------------------------------------------------------------


def test_the_committed_golden_rules_are_the_printed_ones(update_golden: bool) -> None:
    if update_golden:
        COMMITTED.write_text(AS_PRINTED, encoding="utf-8")

    assert COMMITTED.read_text(encoding="utf-8") == AS_PRINTED, "run `make dash`"
    assert ipsecmon_rules().output == AS_PRINTED


@pytest.mark.parametrize("name", TESTS)
def test_the_committed_golden_tests_of_rules_are_those_of_the_table(
    name: str, update_golden: bool
) -> None:
    file = RULES / "tests" / name
    if update_golden:
        file.write_text(TESTS[name](), encoding="utf-8")

    assert file.read_text(encoding="utf-8") == TESTS[name](), "run `make golden`"


# --- what promtool says ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def at_work(promtool: str) -> Iterator[Mapping[str, subprocess.Popen[str]]]:
    """All files of tests at once: each takes promtool some seconds."""
    runs = {
        name: subprocess.Popen(  # noqa: S603 # promtool on our own file
            [promtool, "test", "rules", str(RULES / "tests" / name)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name in TESTS
    }
    yield runs
    for run in runs.values():
        run.kill()
        run.communicate()


@pytest.mark.parametrize("name", TESTS)
def test_promtool_finds_every_alert_firing_and_silent_when_it_should_be(
    name: str, at_work: Mapping[str, subprocess.Popen[str]]
) -> None:
    said, _ = at_work[name].communicate(timeout=50)

    assert at_work[name].returncode == 0, said


@pytest.mark.parametrize("speed", [1, 30])
def test_promtool_accepts_the_rules_at_any_pace(promtool: str, tmp_path: Path, speed: int) -> None:
    file = tmp_path / "rules.yml"

    printed = ipsecmon_rules("--lab-speed", str(speed), "--output", str(file))
    checked = subprocess.run(  # noqa: S603 # promtool on our own file
        [promtool, "check", "rules", str(file)], capture_output=True, text=True, check=False
    )

    assert printed.exit_code == 0
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "0 rules" not in checked.stdout


# --- nothing left out -----------------------------------------------------------------------------------------


def test_every_alert_has_a_test_in_which_it_fires_and_is_silent_a_minute_before() -> None:
    tests = yaml.safe_load((RULES / "tests" / "alerts.yml").read_text(encoding="utf-8"))["tests"]
    tested: set[str] = set()
    for test in tests:
        steps = test["promql_expr_test"]
        for before, after in zip(steps[::2], steps[1::2], strict=True):
            minutes = [int(one["eval_time"].removesuffix("m")) for one in (before, after)]
            name = re.match(r'ALERTS\{alertname="(\w+)",alertstate="firing"', before["expr"])
            assert name is not None
            assert before["expr"] == after["expr"]
            assert minutes[1] - minutes[0] == 1
            assert before["exp_samples"] == []
            assert [one["value"] for one in after["exp_samples"]] == [1]
            tested.add(name[1])

    assert sorted(tested) == sorted(NAMES)


def test_the_page_names_the_alerts_of_tunnels_that_the_minimal_tier_is_enough_for() -> None:
    page = (RULES.parent / "README.md").read_text(encoding="utf-8")
    sentence = page.partition("In the minimal tier")[2].partition("###")[0]
    without = {name for name, metric in METRICS.items() if metric.tier is not Tier.MINIMAL}
    # one that is expected is told without demand
    without.remove("cisco_ipsec_tunnel_demanded")
    enough = {
        alert.name
        for alert in tunnel_group(THRESHOLDS, REAL_TIME).rules
        if isinstance(alert, Alert) and not without & set(METRIC.findall(alert.expression))
    }

    assert set(re.findall("`(Cisco[A-Za-z]+)`", sentence)) == enough


def test_names_of_alerts_are_given_once() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert [row.name for row in alert_table()] == NAMES


def test_the_severity_tested_for_is_that_of_the_table_of_alerts() -> None:
    severities = {row.name: row.severity for row in alert_table()}

    assert {case.alert: Severity(case.severity) for case in CASES} == severities


@pytest.mark.parametrize("rule", [one for one in PRINTED_RULES if "alert" in one])
def test_an_alert_says_everything_a_person_needs(rule: dict[str, Any]) -> None:
    texts = rule["annotations"]

    assert list(texts) == ["summary", "description", "runbook_url", "dashboards"]
    assert texts["description"].startswith("Look first ")
    assert texts["runbook_url"] == f"{THRESHOLDS.runbooks}/{rule['alert']}"
    assert texts["dashboards"].startswith(f"{THRESHOLDS.grafana}/d/ipsecmon-")
    assert rule["labels"]["severity"] in set(Severity)
    assert not texts["summary"].endswith(".")


def test_every_alert_of_a_tunnel_has_its_site_and_owner_and_its_peer() -> None:
    tunnel_group = rule_groups()[0]
    for rule in tunnel_group.rules:
        if not isinstance(rule, Record) and rule.name != "CiscoIkeWeakCrypto":
            labels = labels_of(rule.expression, RECORDED)
            assert {"instance", "device", "tunnel", "peer", "site", "owner"} <= labels, rule.name


# --- nothing misspelt -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", PRINTED_RULES)
def test_a_rule_uses_only_metrics_and_labels_that_exist(rule: dict[str, Any]) -> None:
    assert problems(rule["expr"], RECORDED) == []

    labels = labels_of(rule["expr"], RECORDED)
    texts = " ".join(rule.get("annotations", {}).values())
    assert set(IN_TEMPLATE.findall(texts)) <= labels


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("cisco_ipsec_tunel_up == 0", "there is no metric cisco_ipsec_tunel_up"),
        ('cisco_ipsec_tunnel_up{devise="r1"}', "cisco_ipsec_tunnel_up has no label devise"),
        ("sum by (tunel) (cisco_ipsec_tunnel_up)", "sum has no label tunel"),
        (
            "cisco_ipsec_tunnel_up and on (device, tunel) cisco_ipsec_tunnel_expected",
            "the left of and has no label tunel",
        ),
        (
            "cisco_ipsec_tunnel_up and on (tunnel) cisco_ipsec_device_up",
            "the right of and has no label tunnel",
        ),
        (
            "cisco_ipsec_tunnel_up * on (device) group_left (sites) cisco_ipsec_tunnel_info",
            "the right of * has no label sites",
        ),
        (
            'cisco_ipsec_tunnel_option{option=~"paused|excluded"}',
            "option of cisco_ipsec_tunnel_option is never paused",
        ),
        (
            'rate(cisco_ipsec_device_collect_errors_total{reason="authentication"}[5m])',
            "reason of cisco_ipsec_device_collect_errors_total is never authentication",
        ),
        (
            "cisco_ipsec_exporter_poll_lateness_seconds > 1",
            "there is no metric cisco_ipsec_exporter_poll_lateness_seconds",
        ),
        (
            "device:cisco_ipsec_tunnel_up:ratio",
            "there is no metric device:cisco_ipsec_tunnel_up:ratio",
        ),
        ("up{device='r1'}", "up has no label device"),
        (
            "sum(cisco_ipsec_tunnel_up) by (device) and on (site) up",
            "the left of and has no label site",
        ),
    ],
)
def test_a_misspelt_name_is_found(expression: str, problem: str) -> None:
    assert problem in problems(expression, RECORDED)


@pytest.mark.parametrize(
    "expression",
    [
        "histogram_quantile(0.9, sum by (le, lane) (rate(cisco_ipsec_exporter_poll_lateness_seconds_bucket[5m])))",
        'count(ALERTS{alertname="CiscoIpsecTunnelDown",alertstate="firing",device=~"$device"})',
        "topk(5, device:cisco_ipsec_tunnel_up_per_expected:ratio)",
        "cisco_ipsec_tunnel_send_errors_total / on (device, tunnel) group_left () cisco_ipsec_sa_lifetime_seconds",
        'sum by (x) (label_replace(cisco_ipsec_tunnel_peering_info, "x", "$1", "remote_device", "(.*)"))',
    ],
)
def test_what_is_spelt_right_is_no_problem(expression: str) -> None:
    assert problems(expression, RECORDED) == []


def test_an_expression_that_cannot_be_read_is_a_problem() -> None:
    (problem,) = problems("sum(up")

    assert problem.startswith("it cannot be read")


# --- what is written about them -------------------------------------------------------------------------------


def test_the_page_about_rules_names_every_recorded_series_and_only_thresholds_that_exist() -> None:
    page = (REPOSITORY / "dashboards" / "README.md").read_text(encoding="utf-8")
    named: set[str] = set()
    for before, words, after in NAMED_SERIES.findall(page):
        named |= {f"{before}{word}{after}" for word in words.split(",")}

    assert named == set(RECORDED)
    # the command that draws pictures sets variables of dashboards
    of_rules = "\n".join(line for line in page.splitlines() if "pictures.py" not in line)
    thresholds = {"".join(found) for found in NAMED_THRESHOLD.findall(of_rules)}
    assert thresholds
    assert thresholds <= {one.name for one in described()}


# --- thresholds -----------------------------------------------------------------------------------------------


def test_a_threshold_that_is_set_is_in_the_rule_in_its_text_and_in_the_head_of_the_file() -> None:
    printed = ipsecmon_rules("--set", "tunnel_down_for=5m", "--set", "flaps=5").output
    down, flapping = (
        next(rule for rule in written(printed) if rule.get("alert") == name)
        for name in ("CiscoIpsecTunnelDown", "CiscoIpsecTunnelFlapping")
    )

    assert "# tunnel_down_for = 5m instead of 3m\n# flaps = 5 instead of 3\n" in printed
    assert down["for"] == "5m"
    assert "for more than 5 minutes" in down["annotations"]["description"]
    assert ">= 5" in flapping["expr"]


@pytest.mark.parametrize("name", [one.name for one in described()])
def test_every_threshold_changes_the_rules(name: str) -> None:
    (one,) = (one for one in described() if one.name == name)
    if one.unit == "text":
        other = "vpn" if name == "job" else "http://192.0.2.30/x"
    else:
        other = "0.5" if one.unit == "ratio" else "77s" if one.unit == "seconds" else "77"

    thresholds = with_settings([f"{name}={other}"])

    assert [texts_of(alert, thresholds) for alert in alerts(thresholds)] != [
        texts_of(alert, THRESHOLDS) for alert in alerts()
    ]


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("tunnel_down_for", "'tunnel_down_for' is not a setting: write it as tunnel_down_for=5m"),
        (
            "tunel_down_for=5m",
            "there is no threshold 'tunel_down_for', did you mean tunnel_down_for?",
        ),
        (
            "tunnel_down_for=5x",
            "tunnel_down_for: found '5x', accepted is a duration from 0s to 7d, such as 90s, 5m or 1h30m",
        ),
        (
            "flap_window=1s",
            "flap_window: found '1s', accepted is a duration from 10s to 7d, such as 90s, 5m or 1h30m",
        ),
        (
            "many_down_ratio=80",
            "many_down_ratio: found '80', accepted is a number above 0 and up to 1, such as 0.8",
        ),
        (
            "flaps=-1",
            "flaps: found '-1', accepted is a number above 0 and up to 1000000, such as 3",
        ),
        (
            'job=a"b',
            "job: found 'a\"b', accepted are letters, digits and _ . : / -, such as ipsecmon",
        ),
        (
            "grafana=192.0.2.1/",
            "grafana: found '192.0.2.1/', accepted is an address without a slash at its end, such as",
        ),
    ],
)
def test_a_setting_without_sense_is_one_clear_sentence(setting: str, sentence: str) -> None:
    done = ipsecmon_rules("--set", setting)

    assert done.exit_code == 2
    assert done.output.startswith(f"ipsecmon: {sentence}")
    assert done.output.count("\n") == 1


def test_a_threshold_is_set_once() -> None:
    done = ipsecmon_rules("--set", "flaps=4", "--set", "flaps=5")

    assert done.output == "ipsecmon: flaps is set twice: set it once\n"


def test_the_list_of_thresholds_shows_each_with_its_value_and_meaning() -> None:
    lines = ipsecmon_rules("--list", "--set", "tunnel_down_for=1h30m").output.splitlines()

    assert len(lines) == 1 + len(described())
    assert re.split(r"  +", lines[1]) == [
        "tunnel_down_for",
        "1h30m",
        "seconds",
        "a tunnel that must be up, or is asked for, is down",
    ]


# --- the file -------------------------------------------------------------------------------------------------


def test_a_file_is_replaced_as_a_whole_and_readable_for_others(tmp_path: Path) -> None:
    file = tmp_path / "rules.yml"
    file.write_text("old", encoding="utf-8")

    done = ipsecmon_rules("--output", str(file))

    assert (done.exit_code, done.output) == (0, "")
    assert file.read_text(encoding="utf-8") == AS_PRINTED
    assert file.stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    done = ipsecmon_rules("--output", str(tmp_path / "missing" / "rules.yml"))

    assert done.exit_code == 1
    assert done.output == (
        f"ipsecmon: cannot write {tmp_path}/missing/rules.yml: No such file or directory\n"
    )


# --- durations ------------------------------------------------------------------------------------------------


def test_at_the_pace_of_an_emulated_network_durations_shrink_and_rates_grow() -> None:
    scale = Timescale(30, 4)

    assert (scale.hold(180), scale.window(600), scale.window(60)) == ("6s", "20s", "4s")
    assert scale.per_second(0.1) == "3"
    assert scale.elapsed("time() - x") == "(time() - x) * 30"


def test_every_duration_of_the_rules_is_one_that_prometheus_reads() -> None:
    for seconds in (0.5, 1, 90, 180, 5400, 86400, 90061.5):
        promql_parser.parse(f"rate(up[{duration(seconds)}])")


def test_durations_are_spoken_in_their_largest_unit() -> None:
    assert [spoken(seconds) for seconds in (60, 180, 90, 3600, 7200)] == [
        "1 minute",
        "3 minutes",
        "90 seconds",
        "1 hour",
        "2 hours",
    ]


def test_what_inhibits_others_outlives_them_and_is_what_the_shipped_alertmanager_names() -> None:
    shipped = yaml.safe_load((REPOSITORY / "deploy" / "alertmanager.yml").read_text())
    sources = {
        name
        for rule in shipped["inhibit_rules"]
        for matcher in rule["source_matchers"]
        for name in re.findall(r"Cisco\w+", matcher)
    }

    kept = {rule["alert"] for rule in PRINTED_RULES if "keep_firing_for" in rule}

    assert kept == INHIBITING == sources
