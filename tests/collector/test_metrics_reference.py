"""METRICS.md says what is exported, and nothing else."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

from ipsecmon.config import Tier
from ipsecmon.metrics import render_result
from ipsecmon.metrics.catalogue import CATALOGUE
from ipsecmon.metrics.reference import reference_text
from metrics_fleet import DROPS, busy_tunnel, result

REFERENCE = Path(__file__).parents[2] / "METRICS.md"


def test_the_committed_golden_reference_is_the_generated_one(update_golden: bool) -> None:
    if update_golden:
        REFERENCE.write_text(reference_text(), encoding="utf-8")

    assert REFERENCE.read_text(encoding="utf-8") == reference_text()


def test_every_metric_has_one_heading_and_no_other_is_spoken_of() -> None:
    text = reference_text()
    names = [metric.name for metric in CATALOGUE]

    assert sorted(re.findall(r"^### `(\w+)`$", text, re.MULTILINE)) == sorted(names)
    spoken_of = set(re.findall(r"\b(?:cisco_(?:ipsec|ike)|process)_\w+", text))
    assert spoken_of == set(names)


def test_the_examples_of_queries_are_promql(promtool: str, tmp_path: Path) -> None:
    blocks = re.findall(r"```\n(.*?)```", reference_text(), re.DOTALL)
    queries = [
        query
        for block in blocks
        for query in re.split(r"\n(?!  )", re.sub(r"^#.*\n", "\n", block, flags=re.MULTILINE))
        if query.strip()
    ]
    rules = [{"record": f"r{n}", "expr": query} for n, query in enumerate(queries)]
    file = tmp_path / "rules.json"  # JSON is YAML
    file.write_text(json.dumps({"groups": [{"name": "g", "rules": rules}]}), encoding="utf-8")
    checked = subprocess.run(  # noqa: S603 # promtool on our own text
        [promtool, "check", "rules", str(file)], capture_output=True, text=True, check=False
    )

    assert len(queries) > 10
    assert (checked.returncode, checked.stderr) == (0, "")


def test_the_series_of_a_tunnel_are_as_many_as_the_table_of_tiers_says() -> None:
    nothing: dict[str, Any] = dict.fromkeys(DROPS)
    busy = busy_tunnel()
    assert busy.expected is not None
    busy = replace(busy, expected=replace(busy.expected, options=frozenset()))
    one = result(
        tunnels=(replace(busy, flow=replace(busy.flow, **nothing)),), links=(), ike_peers=()
    )
    series: dict[Tier, int] = {}
    for tier in Tier:
        rendered = render_result(one, tier)
        names = [
            name for name in rendered if name.startswith(("cisco_ipsec_tunnel", "cisco_ipsec_sa"))
        ]
        series[tier] = sum(rendered[name].count(b"\n") for name in names)
    said = dict(
        re.findall(r"^\| `(\w+)` \| .* \| (?:about )?(\d+) \|$", reference_text(), re.MULTILINE)
    )

    assert series[Tier.MINIMAL] == int(said["minimal"])
    assert abs(series[Tier.STANDARD] - int(said["standard"])) <= 3
    assert abs(series[Tier.EXTENDED] - int(said["extended"])) <= 3


def test_what_is_written_under_a_heading_is_a_whole_sentence() -> None:
    for line in reference_text().splitlines():
        assert not line.endswith(" "), line
        assert "``" not in line.removeprefix("```"), line
