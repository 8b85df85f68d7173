"""What every real listing must give: names that tell flows apart and hold nothing a device renews."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from pathlib import Path

import pytest

from ipsecmon.tunnels.identity import tunnel_names
from ipsecmon_parsers.errors import ParserError
from ipsecmon_parsers.records import Flow, FlowKind, IpsecSa
from ipsecmon_parsers.registry import parse

OUTPUTS = Path(__file__).parent.parent / "parsers" / "outputs"


def flows_of(path: Path, platform: str, command: str) -> list[Flow]:
    text = path.read_text("utf-8")
    try:
        records = parse(platform, command, text, complete=True).records
    except ParserError:
        return []
    return [record for record in records if isinstance(record, Flow)]


def fixtures() -> list[tuple[str, list[Flow]]]:
    found: list[tuple[str, list[Flow]]] = []
    for path in sorted(OUTPUTS.glob("*/show_crypto_ipsec_sa*/*/output.txt")):
        command = path.parts[-3].replace("_", " ")
        flows = flows_of(path, path.parts[-4], command)
        if flows:
            found.append(("/".join(path.parts[-4:-1]), flows))
    return found


FIXTURES = fixtures()


def listings(captures: Path) -> list[tuple[str, list[Flow]]]:
    found = list(FIXTURES)
    for path in sorted(captures.glob("*/show_crypto_ipsec_sa*/*.txt")):
        platform = path.parts[-3]
        command = path.parts[-2].replace("_", " ")
        flows = flows_of(path, platform, command) or flows_of(
            path, platform, "show crypto ipsec sa"
        )
        if flows:
            found.append(("/".join(path.parts[-3:]), flows))
    return found


def renewed(flow: Flow, chance: random.Random) -> Flow:
    """The same flow after a reload: other SPIs, connections and ports, counters from zero."""

    def spi(old: int | None) -> int | None:
        return chance.randrange(256, 2**32) if old else old

    def sa(old: IpsecSa) -> IpsecSa:
        return replace(old, spi=spi(old.spi), conn_id=chance.randrange(1, 9999), flow_id="SW:9")

    return replace(
        flow,
        peer_port=4500,
        current_outbound_spi=spi(flow.current_outbound_spi),
        encaps_packets=0,
        sas=tuple(sa(one) for one in flow.sas),
    )


def check(where: str, flows: list[Flow]) -> None:
    names = tunnel_names(flows)
    chance = random.Random(where)  # noqa: S311 # reproducible, not secret
    after = [renewed(flow, chance) for flow in flows]

    assert len(set(names)) == len(flows), where
    assert tunnel_names(after) == names, where
    assert not any(re.search(r"Virtual-Access\d", name) for name in names), where
    order = list(range(len(flows)))
    chance.shuffle(order)
    shuffled = tunnel_names([flows[index] for index in order])
    if not any("#" in name for name in names):
        assert [shuffled[order.index(index)] for index in range(len(flows))] == names, where
    known = dict(zip(names, flows, strict=True))
    assert tunnel_names([after[index] for index in order], known) == [
        names[index] for index in order
    ], where


@pytest.mark.parametrize(("where", "flows"), FIXTURES, ids=[where for where, _ in FIXTURES])
def test_names_outlive_whatever_a_device_renews(where: str, flows: list[Flow]) -> None:
    check(where, flows)


def test_the_fixtures_hold_the_kinds_that_are_not_plain_crypto_maps() -> None:
    kinds = {flow.kind for _, flows in FIXTURES for flow in flows}

    assert {FlowKind.CRYPTO_MAP, FlowKind.GETVPN, FlowKind.OSPFV3, FlowKind.SDWAN} <= kinds
    assert {FlowKind.VTI, FlowKind.DMVPN, FlowKind.DYNAMIC} & kinds


def test_names_of_all_captures_outlive_whatever_a_device_renews(captures: Path) -> None:
    found = listings(captures)
    for where, flows in found:
        check(where, flows)

    assert len(found) > len(FIXTURES)
