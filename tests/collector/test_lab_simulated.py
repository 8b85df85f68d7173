"""Sessions without a socket meet the faults of the shell as those over SSH do."""

from __future__ import annotations

from typing import Any

import pytest

from ipsecmon.lab.faults import Faults
from ipsecmon.lab.network import Network
from ipsecmon.lab.simulated import SimulatedDevice, Trouble, Watch
from ipsecmon.lab.topology import Topology, two_sites
from ipsecmon.model import PollResult, Reason


def polled(topology: Topology | None = None, **faults: Any) -> PollResult:
    network = Network(topology or two_sites(), seed=1)
    network.run_until(100)
    trouble = Trouble(start=0, stop=10_000, faults=Faults(**faults))
    return Watch(network, [SimulatedDevice(network, "Site1", troubles=(trouble,))]).poll("Site1")


@pytest.mark.parametrize(
    "faults",
    [{"prompt_line_in_output": True}, {"late_prompt": True}, {"reply_seconds": 2.0}],
)
def test_an_odd_answer_is_read_whole(faults: dict[str, Any]) -> None:
    result = polled(**faults)

    assert result.error is None
    assert len(result.tunnels) == 1


@pytest.mark.parametrize(
    ("faults", "reason"),
    [
        ({"cut_after": 30, "cut": "silent"}, Reason.TIMEOUT),
        ({"cut_after": 30, "cut": "reset"}, Reason.CLOSED),
        ({"endless": True}, Reason.TIMEOUT),
        ({"reply_seconds": 60.0}, Reason.TIMEOUT),
    ],
)
def test_an_answer_that_never_ends_is_an_error(faults: dict[str, Any], reason: Reason) -> None:
    result = polled(**faults)

    assert result.error is not None
    assert result.error.reason is reason


def test_a_router_with_an_odd_prompt_is_polled() -> None:
    described = two_sites().model_dump()
    described["routers"][0]["prompt"] = "R1(hub)[a.b]*x+?$#"

    assert polled(Topology.model_validate(described)).error is None
