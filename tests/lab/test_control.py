"""The socket of a demo: who may listen and ask there, and what an order does."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ipsecmon.lab.control import ControlError, ControlServer, ask, default_socket
from ipsecmon.lab.orders import carry_out
from ipsecmon.lab.ssh import Lab
from ipsecmon.lab.topology import two_sites
from ipsecmon.lab.tunnel_faults import TunnelFaults

TUNNEL = "CRYPTO/10.1.1.0_24-10.2.2.0_24"


@pytest.fixture
def private(tmp_path: Path) -> Path:
    return tmp_path / "ipsecmon" / "lab.sock"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(two_sites(), speed=1, seed=1, warm_up=120) as lab:
        yield lab


@pytest.fixture
def listening(lab: Lab, private: Path) -> Iterator[Path]:
    faults = TunnelFaults(lab)
    with ControlServer(private, partial(carry_out, faults)):
        yield private
    faults.lift("Site1")


def echo(order: dict[str, Any]) -> dict[str, Any]:
    return {"echo": order}


def test_a_fault_is_struck_and_lifted_over_the_socket(lab: Lab, listening: Path) -> None:
    def is_up() -> bool:
        return bool(lab.run(lambda network: network.flows("Site1")[0].current_outbound_spi))

    struck = {"fault": "transform-mismatch", "device": "Site1", "tunnel": TUNNEL}
    answer = ask(listening, {"do": "strike", "target": "Site1", "fault": "transform-mismatch"})
    assert (answer["changed"], answer["on"]) == ([struck], [struck])
    assert not is_up()

    answer = ask(listening, {"do": "lift", "target": "Site1"})
    assert (answer["changed"], answer["on"]) == ([struck], [])


def test_what_there_is_is_told(listening: Path) -> None:
    assert ask(listening, {"do": "tell"})["tunnels"] == [
        {"device": "Site1", "tunnel": TUNNEL, "peer": "Site2"},
        {"device": "Site2", "tunnel": "CRYPTO/10.2.2.0_24-10.1.1.0_24", "peer": "Site1"},
    ]


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ({"do": "explode"}, "found 'explode' to do, expected strike, lift or tell"),
        (
            {"do": "strike", "target": 1, "fault": "auth"},
            "found 1 as target, expected a text",
        ),
        ({"do": "strike", "target": "Site1", "fault": "no"}, "'no' is not a valid TunnelFault"),
        (
            {"do": "lift", "target": "Site3"},
            "the lab has no device 'Site3'; it has Site1, Site2",
        ),
    ],
)
def test_an_order_that_makes_no_sense_is_answered_with_a_sentence(
    listening: Path, order: dict[str, Any], message: str
) -> None:
    with pytest.raises(ControlError) as caught:
        ask(listening, order)

    assert str(caught.value) == message


@pytest.mark.parametrize("sent", [b"strike!\n", b"[]\n", b"null\n"])
def test_what_is_no_order_is_answered_and_the_next_order_obeyed(
    listening: Path, sent: bytes
) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(listening))
        connection.sendall(sent)
        with connection.makefile("rb") as reader:
            assert "error" in json.loads(reader.readline())

    assert "on" in ask(listening, {"do": "tell"})


def test_folder_and_socket_are_the_users_own_and_the_socket_goes_with_the_server(
    private: Path,
) -> None:
    with ControlServer(private, echo):
        assert private.parent.stat().st_mode & 0o777 == 0o700
        assert private.stat().st_mode & 0o777 == 0o600
        assert ask(private, {"do": "tell"}) == {"echo": {"do": "tell"}}

    assert not private.exists()
    with pytest.raises(ControlError, match=r"^no demo listens at .*: start one with ipsecmon demo"):
        ask(private, {"do": "tell"})


def test_a_folder_open_to_others_is_refused_by_both_sides(private: Path) -> None:
    private.parent.mkdir(mode=0o755)
    private.parent.chmod(0o755)

    for attempt in (lambda: ControlServer(private, echo), lambda: ask(private, {})):
        with pytest.raises(ControlError, match=r"is open to others \(mode 0755\), expected 0700"):
            attempt()


def test_a_folder_of_another_user_is_refused(
    private: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private.parent.mkdir(mode=0o700)
    mine = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: mine + 1)

    with pytest.raises(ControlError, match=f"belongs to the user with the number {mine}, not"):
        ControlServer(private, echo)


def test_a_link_in_the_place_of_the_folder_is_refused(private: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    private.parent.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(ControlError, match="is not a folder"):
        ControlServer(private, echo)


def test_a_second_demo_leaves_the_first_ones_socket_alone(private: Path) -> None:
    with ControlServer(private, echo):
        with pytest.raises(ControlError, match=r"^another demo listens at .*--socket chooses"):
            ControlServer(private, echo)

        assert ask(private, {"do": "tell"}) == {"echo": {"do": "tell"}}


def test_the_socket_of_a_demo_that_was_killed_is_replaced(private: Path) -> None:
    private.parent.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(private))

    with ControlServer(private, echo):
        assert ask(private, {}) == {"echo": {}}


@pytest.mark.parametrize("is_link", [False, True])
def test_a_file_in_the_place_of_the_socket_is_left_alone(private: Path, is_link: bool) -> None:
    private.parent.mkdir(mode=0o700)
    written = private.with_name("notes") if is_link else private
    written.write_text("mine", encoding="utf-8")
    if is_link:
        private.symlink_to(written)

    with pytest.raises(ControlError, match="is no socket"):
        ControlServer(private, echo)

    assert private.read_text(encoding="utf-8") == "mine"


def test_a_place_whose_name_is_too_long_is_refused_with_a_sentence(private: Path) -> None:
    with pytest.raises(ControlError, match=r"cannot be listened at: .* too long"):
        ControlServer(private.with_name("s" * 200), echo)


@pytest.mark.parametrize("runtime", ["/run/user/1000", ""])
def test_the_place_is_the_users_own(runtime: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
    place = str(default_socket())

    assert place.startswith(runtime)
    assert runtime or f"ipsecmon-{os.getuid()}" in place
