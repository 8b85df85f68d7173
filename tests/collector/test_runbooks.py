"""Every alert has a runbook, all runbooks have the same sections, and what they tell to type exists."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from ipsecmon.alerting.rule_file import alert_table, alerts
from ipsecmon.alerting.rules import Board
from runbook_pages import (
    SECTIONS,
    command_problems,
    link_problems,
    output_problems,
    query_problems,
    section_problems,
    show_problems,
    silence_problems,
    threshold_problems,
)

RUNBOOKS = Path(__file__).parents[2] / "dashboards" / "runbooks"
INDEX = RUNBOOKS / "README.md"
PAGES = {
    file.stem: file.read_text(encoding="utf-8")
    for file in sorted(RUNBOOKS.glob("*.md"))
    if file != INDEX
}
ALL = {**PAGES, "README": INDEX.read_text(encoding="utf-8")}

Check = Callable[[str], list[str]]


def told(check: Check, pages: dict[str, str]) -> list[str]:
    return [f"{name}: {problem}" for name, text in pages.items() for problem in check(text)]


def test_every_alert_has_a_page_and_every_page_an_alert() -> None:
    assert sorted(PAGES) == sorted(row.name for row in alert_table())


def test_every_page_has_its_name_as_title_and_the_same_sections() -> None:
    found = {name: section_problems(name, text) for name, text in PAGES.items()}

    assert {name: problems for name, problems in found.items() if problems} == {}


def test_every_link_leads_somewhere() -> None:
    found = {name: link_problems(RUNBOOKS / f"{name}.md", text) for name, text in ALL.items()}

    assert {name: problems for name, problems in found.items() if problems} == {}


@pytest.mark.parametrize(
    "check",
    [command_problems, threshold_problems, query_problems, show_problems, output_problems],
    ids=["commands", "thresholds", "queries", "show commands", "outputs"],
)
def test_what_a_page_tells_to_type_and_to_see_exists(check: Check) -> None:
    assert told(check, ALL) == []


def test_every_page_has_a_query_or_a_command_to_look_with_and_causes_with_signs() -> None:
    for name, text in PAGES.items():
        look = text.partition("## Look")[2].partition("## Fix")[0]
        causes = text.partition("## Likely causes")[2].partition("## Look")[0]

        assert re.search(r"^```(sh|promql|text)$", look, re.MULTILINE), name
        assert re.search(r"^2\. ", causes, re.MULTILINE), name


def test_a_silence_names_its_alert_and_is_as_narrow_as_the_alert() -> None:
    found: dict[str, list[str]] = {}
    for alert in alerts():
        labels = {"alertname": alert.name}
        match alert.board:
            case Board.TUNNEL:
                labels |= {"device": "", "tunnel": ""}
            case Board.DEVICE:
                labels |= {"device": ""}
            case Board.COLLECTOR:
                pass
        if problems := silence_problems(PAGES[alert.name], labels):
            found[alert.name] = problems

    assert found == {}


def test_the_index_lists_every_page_with_the_severity_of_its_alert() -> None:
    rows = re.findall(r"^\| .+ \| (\w+) \| \[(\w+)\]\((\w+)\.md\) \|$", ALL["README"], re.MULTILINE)

    assert sorted((name, severity) for severity, name, target in rows if name == target) == sorted(
        (row.name, row.severity.value) for row in alert_table()
    )


SOUND = "\n\n".join(["# Alert", *(f"## {section}\n\ntext" for section in SECTIONS)])


@pytest.mark.parametrize(
    ("check", "text", "problem"),
    [
        (command_problems, "```sh\nipsecmon events --sinse 2h\n```", "--sinse"),
        (command_problems, "```sh\nipsecmon pole Site1\n```", "pole"),
        (command_problems, "```sh\nipsecmon poll\n```", "DEVICE"),
        (command_problems, "```text\n$ ipsecmon events --kind rekeyed\n```", "rekeyed"),
        (command_problems, "type `ipsecmon rules --set flap=6`", "flap"),
        (command_problems, "type `ipsecmon rules --set flaps=6m`", "flaps"),
        (threshold_problems, "for `tunnel_down_for`\n(5 minutes)", "3 minutes"),
        (threshold_problems, "more than `flaps` (30)", "3"),
        (query_problems, "```promql\ncisco_ipsec_tunnel_up ==\n```", "cannot be read"),
        (query_problems, "```promql\ncisco_ipsec_tunnel_up{devise='a'}\n```", "devise"),
        (query_problems, "see `cisco_ipsec_tunel_up`", "cisco_ipsec_tunel_up"),
        (show_problems, "```text\nSite1# show crypto ipsec sas   <- bad\n```", "sas"),
        (show_problems, "see `show crypto isakmp security`", "security"),
        (
            output_problems,
            "```text\nSite1# show crypto isakmp sa\n198.51.100.2 192.0.2.1 QM_IDLE\n```",
            "QM_IDLE",
        ),
        (partial(section_problems, "Other"), SOUND, "# Other"),
        (
            partial(section_problems, "Alert"),
            SOUND.replace("## Fix", "## Fixes"),
            "Fixes",
        ),
        (partial(section_problems, "Alert"), SOUND.removesuffix("text"), "says nothing"),
        (partial(link_problems, INDEX), "[a](Missing.md)", "Missing.md"),
        (partial(link_problems, INDEX), "[a](#nowhere)", "#nowhere"),
        (
            partial(silence_problems, labels={"alertname": "A", "device": ""}),
            "```sh\namtool silence add --duration=2h --comment x \\\n  alertname=B device=Site1\n```",
            "alertname=A",
        ),
        (
            partial(silence_problems, labels={"alertname": "A", "device": ""}),
            "```sh\namtool silence add alertname=A\n```",
            "device=..., --duration=..., --comment ...",
        ),
    ],
)
def test_what_is_wrong_in_a_page_is_found(check: Check, text: str, problem: str) -> None:
    assert any(problem in one for one in check(text)), check(text)


def test_a_sound_page_has_no_problems() -> None:
    text = f"""\
{SOUND} with `tunnel_down_for` (3 minutes, or more), `ipsecmon poll`, `show ip route 10.2.2.0` and [all](README.md#silencing)

```sh
ipsecmon events --since 2h --tunnel 10.2.2.0 | less
ipsecmon rules --set flaps=6 \\
  --set tunnel_down_for=5m > rules.yml
```

```text
Site1# show crypto ipsec sa peer 198.51.100.2 | include pkts
    #pkts decaps: 761, #pkts decrypt: 761, #pkts verify: 761     <- good
Site1# show crypto isakmp sa
198.51.100.2    192.0.2.1       QM_IDLE           1001 ACTIVE    <- good
Site1# show logging | include CRYPTO             <- bad
```

```promql
cisco_ipsec_tunnel_up == 0
  and on (device, tunnel) cisco_ipsec_tunnel_expected == 1
up == 0
```
"""
    checks = (
        command_problems,
        threshold_problems,
        query_problems,
        show_problems,
        output_problems,
    )

    assert [problem for check in checks for problem in check(text)] == []
    assert section_problems("Alert", text) == []
    assert link_problems(INDEX, text) == []
