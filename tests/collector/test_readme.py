"""The first screen of the README is true: its listing becomes its metrics and its JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml

from ipsecmon.alerting.rule_file import alert_table
from ipsecmon.config import load_config
from ipsecmon.metrics import render_result
from ipsecmon.model import RawOutput
from ipsecmon.poll import PolledDevice, poll_device
from ipsecmon.sessions import Session, SessionPool, Target
from ipsecmon.sessions.host_keys import AnyHostKey
from ipsecmon_parsers.documents import record_document
from ipsecmon_parsers.records import Platform
from ipsecmon_parsers.registry import SHOW_IPSEC_SA, SHOW_ISAKMP_SA, SHOW_SA_LIFETIME, parse

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
OUTPUTS = ROOT / "tests" / "parsers" / "outputs" / "ios"
LISTING, METRICS = re.findall(r"```text\n(.*?)```", README, re.DOTALL)[:2]
DOCUMENT = json.loads(re.findall(r"```json\n(.*?)```", README, re.DOTALL)[0])


def tutorial(command: str, case: str = "tutorial") -> str:
    return (OUTPUTS / command.replace(" ", "_") / case / "output.txt").read_text(encoding="utf-8")


class Tutorial(Session):
    """A session with the tutorial's first router."""

    def run(self, command: str, timeout: float) -> RawOutput:  # noqa: ARG002 # nothing to wait for
        case = "default" if command == SHOW_SA_LIFETIME else "tutorial"
        is_shown = command in (SHOW_ISAKMP_SA, SHOW_IPSEC_SA, SHOW_SA_LIFETIME)
        text = tutorial(command, case) if is_shown else "% Invalid input detected at '^' marker.\n"
        return RawOutput(command=command, text=text, started_at=0.0, ended_at=0.0)

    def is_alive(self) -> bool:
        return True

    def close(self) -> None:
        pass


def squeezed(text: str) -> str:
    return " ".join(text.replace("\u00a0", " ").split())


def test_the_listing_is_the_tutorials() -> None:
    whole = [squeezed(line) for line in tutorial(SHOW_IPSEC_SA).splitlines()]
    shown = [squeezed(line) for line in LISTING.splitlines()[1:]]

    assert [line for line in shown if line not in whole] == []


def test_the_metrics_are_what_the_listing_becomes() -> None:
    device = PolledDevice(
        name="Site1",
        host="92.1.1.1",
        platform=Platform.IOS,
        interval_seconds=60,
        timeout_seconds=60,
        target=lambda: Target(
            device="Site1",
            host="92.1.1.1",
            port=22,
            username="monitor",
            password="unused",
            host_keys=AnyHostKey(),
            connect_timeout=1,
            read_timeout=1,
        ),
    )
    result = poll_device(device, SessionPool(lambda _, __: Tutorial()), None)
    rendered = b"".join(render_result(result).values()).decode()

    for line in METRICS.splitlines():
        name, labels, value = re.fullmatch(r"(\w+)(?:\{(.*)\})?\s+(\d+)", line).groups()  # type: ignore[union-attr] # else the README is wrong
        values = {
            float(sample.rpartition(" ")[2])
            for sample in rendered.splitlines()
            if sample.startswith(name + "{") and (labels or "") in sample
        }
        assert values == {float(value)}, line


def test_the_json_is_what_the_listing_becomes() -> None:
    (record,) = parse("ios", SHOW_IPSEC_SA, tutorial(SHOW_IPSEC_SA)).records
    flow = record_document(record)

    assert {key: flow[key] for key in DOCUMENT} == DOCUMENT


def test_the_configuration_shown_is_accepted(tmp_path: Path) -> None:
    (block,) = re.findall(r"   ```yaml\n(.*?)   ```", README, re.DOTALL)
    file = tmp_path / "ipsecmon.yml"
    file.write_text("\n".join(line[3:] for line in block.splitlines()))

    assert yaml.safe_load(file.read_text())
    assert [device.name for device in load_config(file).devices] == ["Site1", "Site2"]


def test_the_commands_it_reads_are_those_of_the_registry() -> None:
    listed = re.findall(r"^\| `(show [^`]+)`", README, re.MULTILINE)

    assert listed == [SHOW_ISAKMP_SA, SHOW_IPSEC_SA, SHOW_SA_LIFETIME]


def test_the_table_of_alerts_is_that_of_the_rules() -> None:
    said = re.findall(
        r"^\| \[`(\w+)`\]\(dashboards/runbooks/(\w+)\.md\) \| (.*) \|$", README, re.MULTILINE
    )

    assert said == [
        (row.name, row.name, f"{row.severity} | {row.meaning}") for row in alert_table()
    ]


def test_every_picture_and_page_it_names_is_there() -> None:
    named = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", README)

    assert [path for path in named if not (ROOT / path).exists()] == []
