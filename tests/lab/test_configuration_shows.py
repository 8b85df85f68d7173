"""``show crypto map``, ``show crypto session`` and ``show crypto ikev2 sa``, line for line."""

from __future__ import annotations

import pytest

from ipsecmon.lab.network import Network
from ipsecmon.lab.shows import show
from ipsecmon.lab.simulated import SimulatedDevice
from ipsecmon.lab.topology import Dialect, Keepalive, Topology, hub
from ipsecmon_parsers.errors import CommandRefused
from ipsecmon_parsers.records import CryptoMapEntry, Platform, SessionStatus
from ipsecmon_parsers.registry import parse

from .sites import network_of, traffic

SHOW_MAP = "show crypto map"
SHOW_SESSION = "show crypto session"


def test_12_4_prints_no_family_and_the_names_of_the_transform_sets() -> None:
    assert show(network_of(traffic()), "Site1", SHOW_MAP) == (
        'Crypto Map "CRYPTO" 10 ipsec-isakmp\n'
        "        Peer = 123.1.1.2\n"
        "        Extended IP access list 101\n"
        "            access-list 101 permit ip 10.1.1.0 0.0.0.255 10.2.2.0 0.0.0.255\n"
        "        Current peer: 123.1.1.2\n"
        "        Security association lifetime: 4608000 kilobytes/3600 seconds\n"
        "        PFS (Y/N): N\n"
        "        Transform sets={\n"
        "                TSET,\n"
        "        }\n"
        "        Interfaces using crypto map CRYPTO:\n"
        "                Serial0/0\n"
        "\n"
    )


def test_15_prints_family_algorithms_and_modes() -> None:
    network = network_of(traffic(), site2={"sa_lifetime_kilobytes": None, "sa_idle_seconds": 900})

    assert show(network, "Site2", SHOW_MAP) == (
        'Crypto Map IPv4 "CRYPTO" 10 ipsec-isakmp\n'
        "        Peer = 92.1.1.1\n"
        "        Extended IP access list TO-SITE1\n"
        "            access-list TO-SITE1 permit ip 10.2.2.0 0.0.0.255 10.1.1.0 0.0.0.255\n"
        "        Current peer: 92.1.1.1\n"
        "        Kilobyte Volume Rekey has been disabled.\n"
        "        Security association lifetime:3600 seconds\n"
        "        Security association idletime: 900 seconds\n"
        "        Responder-Only (Y/N): N\n"
        "        PFS (Y/N): N\n"
        "        Mixed-mode : Disabled\n"
        "        Transform sets={\n"
        "                DES-MD5:  { esp-des esp-md5-hmac  } ,\n"
        "        }\n"
        "        Interfaces using crypto map CRYPTO:\n"
        "                GigabitEthernet0/0\n"
        "\n"
    )


def test_every_peer_is_printed_and_the_one_in_use() -> None:
    network = Network(
        hub(1, with_backup=True, keepalive=Keepalive(seconds=10), spoke_dialect="iosxe-17")
    )
    network.run_until(100)
    network.set_unreachable("hub", "spoke0001")
    network.run_until(200)
    text = show(network, "spoke0001", SHOW_MAP)
    (entry,) = parse(Platform.IOSXE, SHOW_MAP, text, complete=True).records
    assert isinstance(entry, CryptoMapEntry)

    assert entry.peers == ("192.0.2.1", "192.0.2.254")
    assert entry.current_peer == "192.0.2.254"
    assert "        Peer = 192.0.2.1\n        Peer = 192.0.2.254\n" in text
    assert "                STRONG:  { esp-256-aes esp-sha256-hmac  } ,\n" in text


@pytest.mark.parametrize("transform", ["esp-aes 128", "esp-aes 256", "esp-gcm 256", "esp-gcm 128"])
@pytest.mark.parametrize("pfs_group", [None, 14])
def test_every_entry_parses_back_to_itself(transform: str, pfs_group: int | None) -> None:
    data = hub(3).model_dump()
    for router in data["routers"]:
        router["transform_sets"]["STRONG"]["transforms"] = (transform,)
        for entry in router["crypto_map"]["entries"]:
            entry["pfs_group"] = pfs_group
        for lines in router["access_lists"].values():
            lines += ({"source": "10.9.9.9/32", "destination": "0.0.0.0/0", "protocol": "gre"},)
    network = Network(Topology.model_validate(data))
    result = parse(Platform.IOSXE, SHOW_MAP, show(network, "hub", SHOW_MAP), complete=True)

    assert len(result.records) == 3
    assert result.records == network.crypto_map("hub")
    assert result.unparsed_lines == ()


def statuses(network: Network, router: str = "Site1") -> list[SessionStatus]:
    return [session.status for session in network.sessions(router)]


def test_a_session_is_up_active_with_both_kinds_of_sa() -> None:
    network = network_of(traffic())
    network.run_until(100)

    assert statuses(network) == [SessionStatus.UP_ACTIVE]
    assert show(network, "Site2", SHOW_SESSION) == (
        "Crypto session current status\n"
        "\n"
        "Interface: GigabitEthernet0/0\n"
        "Session status: UP-ACTIVE\n"
        "Peer: 92.1.1.1 port 500 \n"
        "  Session ID: 0  \n"
        "  IKEv1 SA: local 123.1.1.2/500 remote 92.1.1.1/500 Active \n"
        "  IPSEC FLOW: permit ip 10.2.2.0/255.255.255.0 10.1.1.0/255.255.255.0 \n"
        "        Active SAs: 2, origin: crypto map\n"
        "\n"
    )


def test_a_session_is_down_without_any_sa() -> None:
    assert statuses(network_of()) == [SessionStatus.DOWN]


def test_a_session_negotiates_while_main_mode_runs() -> None:
    network = network_of(traffic())
    network.run_until(0.5)

    assert statuses(network) == [SessionStatus.DOWN_NEGOTIATING]


def test_a_session_is_idle_with_phase_1_alone() -> None:
    network = network_of(traffic(stop_seconds=50))
    network.run_until(8000)

    assert statuses(network) == [SessionStatus.UP_IDLE]


def test_a_session_without_phase_1_is_up_no_ike() -> None:
    network = network_of(traffic())
    network.run_until(86_430)

    assert network.truth("Site1")[0].is_up
    assert statuses(network) == [SessionStatus.UP_NO_IKE]


@pytest.mark.parametrize("dialect", ["ios-15", "iosxe-17"])
def test_a_router_that_knows_ikev2_has_no_sa_of_it(dialect: Dialect) -> None:
    network = Network(hub(1, hub_dialect=dialect))
    device = SimulatedDevice(network, "hub")
    output = device.open().run("show crypto ikev2 sa", 30)

    assert parse(device.platform, "show crypto ikev2 sa", output.text, complete=True).records == ()


def test_12_4_refuses_to_show_ikev2() -> None:
    output = SimulatedDevice(network_of(), "Site1").open().run("show crypto ikev2 sa", 30)

    with pytest.raises(CommandRefused):
        parse(Platform.IOS, "show crypto ikev2 sa", output.text, complete=True)
