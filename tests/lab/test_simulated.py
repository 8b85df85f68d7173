"""Devices behind no socket: the same text, the same ways to fail, lab time for a clock."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ipsecmon.errors import (
    AnswerTimeout,
    AuthenticationFailed,
    CollectionError,
    ConnectFailed,
    ConnectionClosed,
)
from ipsecmon.lab.network import Network
from ipsecmon.lab.render import show_crypto_ipsec_sa
from ipsecmon.lab.simulated import (
    LabClock,
    SimulatedDevice,
    Trouble,
    Watch,
    cut,
    late,
    login_refused,
    play,
    refused,
    unreachable,
)
from ipsecmon.lab.topology import hub, two_sites
from ipsecmon.model import PollResult, RawOutput, Reason
from ipsecmon.poll import PolledDevice
from ipsecmon.sessions import SessionPool
from ipsecmon_parsers.errors import CommandRefused
from ipsecmon_parsers.records import Flow, Platform
from ipsecmon_parsers.registry import SHOW_IPSEC_SA, SHOW_ISAKMP_SA, SHOW_SA_LIFETIME, parse

NEW_YEAR_2026 = 1767225600.0


def device_of(*troubles: Trouble, router: str = "Site1", at: float = 100) -> SimulatedDevice:
    network = Network(two_sites(), seed=1)
    network.run_until(at)
    return SimulatedDevice(network, router, troubles=troubles)


def read(
    device: PolledDevice,
    sessions: SessionPool,
    previous: PollResult | None,
    clock: Callable[[], float],
) -> PollResult:
    """A poll that keeps the answers as they are."""
    started_at = clock()
    outputs: tuple[RawOutput, ...] = ()
    with sessions.lease(device.name, device.target, device.timeout_seconds) as session:
        outputs = (session.run(SHOW_IPSEC_SA, device.timeout_seconds),)
    return PollResult(
        device=device.name,
        host=device.host,
        platform=device.platform,
        interval_seconds=device.interval_seconds,
        started_at=started_at,
        duration_seconds=clock() - started_at,
        read_at=outputs[0].ended_at,
        outputs=outputs if previous is None else (*previous.outputs, *outputs)[-3:],
    )


@pytest.mark.parametrize("router", ["Site1", "Site2"])
def test_an_answer_is_the_text_of_the_terminal(router: str) -> None:
    device = device_of(router=router)
    output = device.open().run(SHOW_IPSEC_SA, 30)
    expected = show_crypto_ipsec_sa(device.network.flows(router), device.config.dialect)

    assert output.command == SHOW_IPSEC_SA
    assert output.text == expected.replace("\n", "\r\n")


@pytest.mark.parametrize("command", [SHOW_IPSEC_SA, SHOW_ISAKMP_SA, SHOW_SA_LIFETIME])
def test_an_answer_parses_to_the_records_of_the_network(command: str) -> None:
    network = Network(hub(30), seed=1)
    network.run_until(3600)
    device = SimulatedDevice(network, "hub")
    result = parse(device.platform, command, device.open().run(command, 30).text, complete=True)
    records = {
        SHOW_IPSEC_SA: network.flows("hub"),
        SHOW_ISAKMP_SA: network.ike_sas("hub"),
        SHOW_SA_LIFETIME: (network.sa_lifetime("hub"),),
    }

    assert result.records == records[command]


def test_the_clock_is_lab_time_from_new_year_2026() -> None:
    output = device_of(at=100).open().run(SHOW_IPSEC_SA, 30)

    assert (output.started_at, output.ended_at) == (NEW_YEAR_2026 + 100, NEW_YEAR_2026 + 100)


def test_the_clock_of_a_monitor_can_be_wrong() -> None:
    network = Network(two_sites())
    clock = LabClock(network, offset_seconds=-30)
    output = SimulatedDevice(network, "Site1", clock=clock).open().run(SHOW_IPSEC_SA, 30)
    clock.offset_seconds = 7

    assert output.started_at == NEW_YEAR_2026 - 30
    assert clock() == NEW_YEAR_2026 + 7


def test_a_command_the_router_does_not_know_is_refused_as_on_the_terminal() -> None:
    output = device_of().open().run("show cpu usage", 30)

    with pytest.raises(CommandRefused):
        parse(Platform.IOS, SHOW_IPSEC_SA, output.text, complete=True)


def test_nothing_but_show_commands_is_ever_typed() -> None:
    with pytest.raises(ValueError, match="not a plain show command"):
        device_of().open().run("clear crypto sa", 30)


def test_an_unreachable_device_takes_no_connection_until_it_can_be_reached() -> None:
    device = device_of(unreachable(100, 200))
    with pytest.raises(ConnectFailed):
        device.open()
    device.network.run_until(200)

    assert device.open().run(SHOW_IPSEC_SA, 30).text


def test_a_session_that_stands_gets_no_answer_of_an_unreachable_device() -> None:
    device = device_of(unreachable(150, 200))
    session = device.open()
    device.network.run_until(150)
    assert session.is_alive()
    with pytest.raises(AnswerTimeout):
        session.run(SHOW_IPSEC_SA, 30)

    assert not session.is_alive()


def test_the_tunnels_of_an_unreachable_device_live_on() -> None:
    device = device_of(unreachable(0, 10_000))
    device.network.run_until(9_000)

    assert device.network.truth("Site1")[0].is_joined


def test_a_refused_login_keeps_new_sessions_out_only() -> None:
    device = device_of(login_refused(150, 200))
    session = device.open()
    device.network.run_until(150)
    with pytest.raises(AuthenticationFailed):
        device.open()

    assert session.run(SHOW_IPSEC_SA, 30).text


def test_a_refused_command_says_so_and_the_others_answer() -> None:
    session = device_of(refused(0, 200, SHOW_SA_LIFETIME)).open()

    assert session.run(SHOW_SA_LIFETIME, 30).text.startswith("Command authorization failed.")
    assert "interface:" in session.run(SHOW_IPSEC_SA, 30).text


def test_a_cut_answer_is_an_error_and_the_end_of_the_session() -> None:
    session = device_of(cut(0, 200, after_bytes=700)).open()
    with pytest.raises(ConnectionClosed, match="closed the session after 7"):
        session.run(SHOW_IPSEC_SA, 30)

    assert not session.is_alive()


def test_a_late_answer_shows_the_router_as_it_is_by_then() -> None:
    device = device_of(late(0, 200, seconds=20))
    output = device.open().run(SHOW_IPSEC_SA, 30)

    assert output.ended_at - output.started_at == 20
    (flow,) = parse(device.platform, SHOW_IPSEC_SA, output.text, complete=True).records
    assert isinstance(flow, Flow)
    assert flow == device.network.flows("Site1")[0]
    assert device.network.now == 120


def test_an_answer_later_than_the_collector_waits_is_a_timeout() -> None:
    device = device_of(late(0, 200, seconds=40))
    with pytest.raises(AnswerTimeout):
        device.open().run(SHOW_IPSEC_SA, 30)

    assert device.network.now == 130


def test_a_reload_ends_a_session_and_lets_no_one_in_until_it_is_over() -> None:
    device = device_of()
    session = device.open()
    device.network.reload("Site1", boot_seconds=180)

    assert not session.is_alive()
    with pytest.raises(ConnectionClosed):
        session.run(SHOW_IPSEC_SA, 30)
    with pytest.raises(ConnectFailed):
        device.open()
    device.network.run_until(280)
    assert device.open().run(SHOW_ISAKMP_SA, 30).text


def test_play_polls_every_device_each_interval_at_its_phase() -> None:
    network = Network(two_sites())
    devices = [
        SimulatedDevice(network, "Site1", phase_seconds=20),
        SimulatedDevice(network, "Site2"),
    ]
    polls: list[tuple[str, float]] = []
    play(
        network,
        devices,
        until=130,
        on_poll=lambda result: polls.append((result.device, network.now)),
        poll=read,
    )

    assert polls == [
        ("Site2", 0),
        ("Site1", 20),
        ("Site2", 60),
        ("Site1", 80),
        ("Site2", 120),
    ]
    assert network.now == 130


def test_each_poll_knows_the_result_of_the_one_before() -> None:
    network = Network(two_sites())
    results = play(network, [SimulatedDevice(network, "Site1")], until=301, poll=read)

    assert [output.started_at - NEW_YEAR_2026 for output in results["Site1"].outputs] == [
        180,
        240,
        300,
    ]


def test_a_watch_can_be_restarted_with_what_it_knew() -> None:
    network = Network(two_sites())
    devices = [SimulatedDevice(network, "Site1")]
    first = Watch(network, devices, poll=read)
    first.play(61)
    second = Watch(network, devices, poll=read, previous=first.results)
    second.play(62)

    assert len(second.results["Site1"].outputs) == 3


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (unreachable(0, 50), Reason.CONNECT),
        (login_refused(0, 50), Reason.AUTH),
        (refused(0, 50), Reason.REFUSED),
        (cut(0, 50, after_bytes=10), Reason.CLOSED),
        (late(0, 50, seconds=60), Reason.TIMEOUT),
    ],
)
def test_a_real_poll_meets_each_trouble_as_its_reason(trouble: Trouble, reason: Reason) -> None:
    network = Network(two_sites())
    watch = Watch(network, [SimulatedDevice(network, "Site1", troubles=(trouble,))])
    error = watch.poll("Site1").error

    assert error is not None
    assert (error.reason, error.is_unexpected) == (reason, False)


def test_errors_name_the_device() -> None:
    device = device_of(unreachable(0, 200))
    with pytest.raises(CollectionError, match="Site1"):
        device.open()
