"""An emulated ASA: its shell, and its text line for line against outputs of real devices."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from netmiko import ConnectHandler

from ipsecmon.cpu import cpu_percent
from ipsecmon.lab.asa import AsaShell, shell_of
from ipsecmon.lab.faults import Faults
from ipsecmon.lab.ios import Action, Send, Shell
from ipsecmon.lab.network import Network
from ipsecmon.lab.shows import show
from ipsecmon.lab.ssh import Lab
from ipsecmon.lab.topology import hub
from ipsecmon_parsers.errors import CommandRefused
from ipsecmon_parsers.records import IkeState
from ipsecmon_parsers.registry import SHOW_IPSEC_SA, SHOW_ISAKMP_SA, parse

from .sites import sites, traffic


def network_with_an_asa(**changes: Any) -> Network:
    """Site1 is an ASA, Site2 a router; at lab second 60 the tunnel is up."""
    asa = {"dialect": "asa-9", "interface": "outside", **changes}
    network = Network(sites(traffic(), site1=asa), seed=1)
    network.run_until(60)
    return network


class Terminal:
    """A person at the keyboard of Site1."""

    def __init__(self, *, is_enabled: bool = True, **faults: Any) -> None:
        self.network = network_with_an_asa()
        self.shell = shell_of(
            self.network,
            "Site1",
            clock=lambda: self.network.now,
            faults=lambda: Faults(**faults),
        )
        self.greeting = text_of(self.shell.start())
        if is_enabled:
            self.type("enable\renable-lab\r")

    def type(self, keys: str) -> str:
        """What appears on the screen when these keys are typed."""
        return text_of(self.shell.receive(keys.encode()))


def text_of(actions: list[Action]) -> str:
    return b"".join(action.data for action in actions if isinstance(action, Send)).decode()


def test_a_session_begins_with_the_greeting_of_an_asa_and_a_blank_behind_the_prompt() -> None:
    greeting = Terminal(is_enabled=False).greeting

    assert greeting.startswith("User monitor logged in to Site1\r\n")
    assert greeting.endswith("Type help or '?' for a list of available commands.\r\nSite1> ")


def test_an_asa_says_how_busy_it_is() -> None:
    assert cpu_percent(Terminal(cpu_percent=93).type("show cpu usage\r")) == 93


def test_enable_asks_for_a_password_and_gives_the_privileged_prompt() -> None:
    terminal = Terminal(is_enabled=False)

    assert terminal.type("enable\r").endswith("Password: ")
    assert terminal.type("enable-lab\r") == "\r\nSite1# "


def test_a_wrong_enable_password_is_asked_for_three_times() -> None:
    terminal = Terminal(is_enabled=False)
    terminal.type("enable\rwrong\rwrong\r")

    assert terminal.type("wrong\r") == "\r\nAccess denied.\r\nSite1> "


def test_the_pager_is_cleared_with_a_return_and_blanks() -> None:
    terminal = Terminal()
    page = terminal.type(f"{SHOW_IPSEC_SA}\r")

    assert page.endswith("<--- More --->")
    assert terminal.type(" ").startswith("\r" + " " * 14 + "\r")


def test_a_paged_answer_is_read_as_the_whole_one() -> None:
    terminal = Terminal()
    text = terminal.type(f"{SHOW_IPSEC_SA}\r")
    while text.endswith("<--- More --->"):
        text += terminal.type(" ")

    assert parse("asa", SHOW_IPSEC_SA, text).records == terminal.network.flows("Site1")


def test_terminal_pager_0_ends_the_paging() -> None:
    terminal = Terminal()
    terminal.type("terminal pager 0\r")

    assert "More" not in terminal.type(f"{SHOW_IPSEC_SA}\r")


@pytest.mark.parametrize("command", ["terminal width 511", "terminal length 0", "configure"])
def test_what_an_asa_does_not_take_in_exec_is_refused_below_a_marker(command: str) -> None:
    answer = Terminal().type(f"{command}\r")
    echo, marker, refusal, prompt = answer.split("\r\n")

    assert (echo, prompt) == (command, "Site1# ")
    assert marker.strip() == "^"
    assert refusal == "ERROR: % Invalid input detected at '^' marker."


def test_a_command_that_is_not_whole_is_incomplete() -> None:
    assert "ERROR: % Incomplete command\r\n" in Terminal().type("show crypto\r")


def test_the_tunnels_are_shown_to_the_privileged_only() -> None:
    answer = Terminal(is_enabled=False).type(f"{SHOW_IPSEC_SA}\r")

    with pytest.raises(CommandRefused):
        parse("asa", SHOW_IPSEC_SA, answer)


def test_a_refusal_of_the_pager_leaves_the_paging_on() -> None:
    terminal = Terminal(refuse_terminal_length=True)

    assert "Command authorization failed" in terminal.type("terminal pager 0\r")
    assert terminal.type(f"{SHOW_IPSEC_SA}\r").endswith("<--- More --->")


def test_clearing_the_sas_empties_the_listing() -> None:
    terminal = Terminal()
    terminal.type("terminal pager 0\rclear crypto ipsec sa\r")

    assert "There are no ipsec sas" in terminal.type(f"{SHOW_IPSEC_SA}\r")


def test_a_router_keeps_its_own_shell() -> None:
    network = network_with_an_asa()
    shells = {
        name: type(shell_of(network, name, clock=lambda: 60.0)) for name in ("Site1", "Site2")
    }

    assert shells == {"Site1": AsaShell, "Site2": Shell}


def test_a_collector_reads_a_hub_over_ssh() -> None:
    topology = hub(12, hub_dialect="asa-9")
    with Lab(topology, warm_up=120, serve=["hub"]) as lab:
        host, port = lab.endpoints["hub"]
        connection: Any = ConnectHandler(
            device_type="cisco_asa",
            host=host,
            port=port,
            username="monitor",
            password="monitor-lab",
            secret="enable-lab",
            allow_auto_change=False,
        )
        with connection:
            text: str = connection.send_command(SHOW_IPSEC_SA)

    assert len(parse("asa", SHOW_IPSEC_SA, text).records) == 12


# text


def shape(line: str) -> str:
    """A line with names, addresses and numbers masked; indentation and words stay."""
    line = re.sub(
        r"(?<=interface: )\S+|(?<=Crypto map tag: )[^,]+|(?<=crypto-map: )\S+",
        "NAME",
        line.rstrip(),
    )
    line = re.sub(r"(?<=access-list ).*", "ENTRY", line)
    line = re.sub(r"(?<=spi: )[0-9A-F]+$|(?<=spi : )[0-9A-F]+$|0x[0-9A-F]+", "SPI", line)
    line = re.sub(r"(?<=transform: ).*(?= no compression)", "T", line)
    line = re.sub(r"(?<=settings =).*", "SETTINGS", line)
    return re.sub(r"\d+", "N", re.sub(r"\d+(\.\d+){3}", "A", line))


def captured(captures: Path, command: str) -> Iterator[str]:
    for path in sorted((captures / "asa").glob(f"{command}*/*.txt")):
        yield from path.read_text(encoding="utf-8").splitlines()


def test_every_line_of_ipsec_sa_is_a_line_of_a_real_device(captures: Path) -> None:
    real = {shape(line) for line in captured(captures, "show_crypto_ipsec_sa")}
    text = show(network_with_an_asa(), "Site1", SHOW_IPSEC_SA)

    assert [line for line in text.splitlines() if shape(line) not in real] == []


def test_the_ike_table_is_that_of_a_real_device(captures: Path) -> None:
    capture = captures / "asa/show_crypto_isakmp_sa/005_cmllab_asa1.txt"
    text = show(network_with_an_asa(), "Site1", SHOW_ISAKMP_SA)

    real = capture.read_text(encoding="utf-8").splitlines()
    assert [shape(line) for line in text.splitlines()] == [shape(line) for line in real]


def test_every_line_of_the_crypto_map_is_a_line_of_a_real_device(captures: Path) -> None:
    names = re.compile(r"(?<=crypto map )\S+|(?<=address )\S+|(?<=set peer ).*|(?<=-set ).*")
    real = {
        names.sub("X", shape(line)) for line in captured(captures, "show_running-config*crypto_map")
    }
    network = network_with_an_asa()
    text = show(network, "Site1", "show running-config all crypto map")
    lines = [names.sub("X", shape(line)) for line in text.splitlines()]

    assert [line for line in lines[:-1] if line not in real] == []
    assert text.splitlines()[-1] == "crypto map CRYPTO interface outside"


# state


def test_a_flow_without_sas_is_not_listed_and_counts_from_zero_when_it_is_back() -> None:
    network = network_with_an_asa()
    before = network.flows("Site1")[0].encaps_packets or 0
    network.set_unreachable("Site1", "Site2")
    network.clear_session("Site1")
    network.run_until(300)

    assert network.flows("Site1") == ()

    network.set_unreachable("Site1", "Site2", is_unreachable=False)
    network.run_until(340)

    assert 0 < (network.flows("Site1")[0].encaps_packets or 0) < before


def test_counters_and_connection_id_of_a_flow_survive_a_rekey() -> None:
    network = network_with_an_asa()
    (before,) = network.flows("Site1")
    network.run_until(3700)
    (flow,) = network.flows("Site1")

    assert flow.current_outbound_spi != before.current_outbound_spi
    assert (flow.encaps_packets or 0) > 3000
    assert flow.sas[0].conn_id == before.sas[0].conn_id


def test_a_peer_that_does_not_answer_is_waited_for() -> None:
    network = network_with_an_asa()
    network.set_unreachable("Site1", "Site2")
    network.clear_session("Site1")
    network.run_until(75)
    (sa,) = network.ike_sas("Site1")

    assert (sa.state, sa.role, sa.is_established) == (IkeState.MM_WAIT_MSG2, "initiator", False)
