"""Faults struck by name on a lab that listens: whom they hit, and what a client of the router then meets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import asyncssh
import pytest

from ipsecmon.lab.ssh import Lab
from ipsecmon.lab.topology import hub, two_sites
from ipsecmon.lab.tunnel_faults import TunnelFault, TunnelFaults

from .sites import flow_of


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(hub(12), speed=1, warm_up=120, serve=["hub"]) as lab:
        yield lab


@pytest.fixture
def faults(lab: Lab) -> Iterator[TunnelFaults]:
    faults = TunnelFaults(lab)
    yield faults
    faults.lift("hub")


def log_in(lab: Lab, device: str) -> str:
    """Log in with the right password and the key that was known at first; the prompt."""
    host, port = lab.endpoints[device]
    router = lab.topology.router(device)

    async def prompt() -> str:
        async with asyncssh.connect(
            host,
            port,
            username=router.username,
            password=router.password,
            known_hosts=asyncssh.import_known_hosts(lab.known_hosts),
            config=None,
            login_timeout=1,
        ) as connection:
            process = await connection.create_process(term_type="vt100")
            return str(await process.stdout.readuntil(f"{device}>"))

    return asyncio.run(asyncio.wait_for(prompt(), 10))


@pytest.mark.parametrize(
    "target",
    [
        pytest.param("hub/SPOKES/172.16.0.0_16-10.0.4.0_24", id="as ipsecmon names it"),
        pytest.param("hub/10.0.4.0", id="a part of that"),
        pytest.param("hub/spoke0005", id="the router at the other end"),
    ],
)
def test_a_tunnel_is_found(faults: TunnelFaults, target: str) -> None:
    (struck,) = faults.strike(target, TunnelFault.ESP_FILTER)

    assert str(struck) == "esp-filter on hub/SPOKES/172.16.0.0_16-10.0.4.0_24"
    assert faults.struck == (struck,)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("hup/10.0.4.0", "the lab has no device 'hup'; it has hub"),
        (
            "hub/spoke001",
            (
                "'hub/spoke001' may be any of hub/SPOKES/172.16.0.0_16-10.0.9.0_24, "
                "hub/SPOKES/172.16.0.0_16-10.0.10.0_24, hub/SPOKES/172.16.0.0_16-10.0.11.0_24; "
                "name one, or hub/* for all"
            ),
        ),
    ],
)
def test_what_is_not_one_tunnel_is_answered_with_what_there_is(
    faults: TunnelFaults, target: str, message: str
) -> None:
    with pytest.raises(LookupError, match=r"lab|may") as caught:
        faults.strike(target, TunnelFault.ESP_FILTER)

    assert caught.value.args == (message,)


def test_an_unknown_tunnel_is_answered_with_those_there_are(faults: TunnelFaults) -> None:
    with pytest.raises(LookupError, match=r"^hub has no tunnel '10.9'; it has hub/SPOKES/172"):
        faults.strike("hub/10.9", TunnelFault.ESP_FILTER)


def test_every_tunnel_of_a_device_can_be_struck_and_one_of_them_lifted(
    faults: TunnelFaults,
) -> None:
    assert len(faults.strike("hub/*", TunnelFault.MISROUTED)) == 12
    assert len(faults.lift("hub/spoke0003")) == 1
    assert len(faults.lift("hub/*")) == 11
    assert faults.struck == ()


def test_a_fault_that_is_on_is_not_struck_twice(faults: TunnelFaults) -> None:
    once = faults.strike("hub/spoke0001", TunnelFault.REKEY_STORM)

    assert faults.strike("hub/spoke0001", TunnelFault.REKEY_STORM) == once
    assert faults.struck == once


def test_one_of_two_faults_of_a_tunnel_is_lifted(faults: TunnelFaults) -> None:
    faults.strike("hub/spoke0001", TunnelFault.REKEY_STORM)
    (other,) = faults.strike("hub/spoke0001", TunnelFault.LOSS)

    faults.lift("hub/spoke0001", TunnelFault.REKEY_STORM)

    assert faults.struck == (other,)


def test_the_only_tunnel_of_a_device_needs_no_name() -> None:
    with Lab(two_sites(), speed=60, seed=1, warm_up=120) as lab:
        faults = TunnelFaults(lab)
        faults.strike("Site2", TunnelFault.TRANSFORM_MISMATCH)

        assert lab.run(lambda network: flow_of(network, "Site1").current_outbound_spi) == 0


def test_a_silent_device_lets_nobody_in(lab: Lab, faults: TunnelFaults) -> None:
    faults.strike("hub", TunnelFault.UNREACHABLE)
    with socket.create_connection(lab.endpoints["hub"]) as connection:
        connection.settimeout(0.3)
        with pytest.raises(TimeoutError):
            connection.recv(1)

    faults.lift("hub")
    assert log_in(lab, "hub").endswith("hub>")


def test_a_changed_password_is_refused_until_that_is_lifted(lab: Lab, faults: TunnelFaults) -> None:
    faults.strike("hub/spoke0001", TunnelFault.AUTH)
    with pytest.raises(asyncssh.PermissionDenied):
        log_in(lab, "hub")

    faults.lift("hub")
    assert log_in(lab, "hub").endswith("hub>")


def test_another_host_key_is_shown_until_that_is_lifted(lab: Lab, faults: TunnelFaults) -> None:
    before = lab.known_hosts
    faults.strike("hub", TunnelFault.HOST_KEY)
    assert lab.known_hosts != before

    faults.lift("hub")
    assert lab.known_hosts == before
    assert log_in(lab, "hub").endswith("hub>")


@pytest.mark.parametrize("fault", TunnelFault)
def test_every_fault_has_a_sentence_and_can_be_struck_and_lifted(
    faults: TunnelFaults, fault: TunnelFault
) -> None:
    assert fault.help.endswith(".")
    struck = faults.strike("hub/spoke0012", fault)

    assert faults.lift("hub/spoke0012", fault) == struck
