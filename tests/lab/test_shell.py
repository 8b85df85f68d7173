"""The exec shell, keystroke by keystroke, without a socket."""

from __future__ import annotations

from typing import Any

import pytest

from ipsecmon.lab.faults import Faults
from ipsecmon.lab.ios import Action, Close, Pause, Send, Shell
from ipsecmon.lab.network import Network
from ipsecmon.lab.render import show_crypto_ipsec_sa, show_crypto_isakmp_sa
from ipsecmon.lab.topology import two_sites


class Terminal:
    """A person at the keyboard of Site1, at lab second 60 and with the tunnel up."""

    def __init__(self, *, is_enabled: bool = True, **faults: Any) -> None:
        self.network = Network(two_sites(), seed=1)
        self.network.run_until(60)
        self.faults = Faults(**faults)
        self.shell = Shell(
            self.network, "Site1", clock=lambda: self.network.now, faults=lambda: self.faults
        )
        self.greeting = text_of(self.shell.start())
        if is_enabled:
            self.type("enable\renable-lab\rterminal length 0\r")

    def type(self, keys: str) -> str:
        """What appears on the screen when these keys are typed."""
        return text_of(self.shell.receive(keys.encode()))

    def ask(self, command: str) -> str:
        """What a command answers, between its echo and the next prompt."""
        seen = self.type(f"{command}\r")
        start, end = f"{command}\r\n", self.shell.prompt
        assert seen.startswith(start)
        assert seen.endswith(end)
        return seen[len(start) : -len(end)]


def text_of(actions: list[Action]) -> str:
    return b"".join(action.data for action in actions if isinstance(action, Send)).decode()


IPSEC = "show crypto ipsec sa"


def expected_ipsec(terminal: Terminal) -> str:
    text = show_crypto_ipsec_sa(terminal.network.flows("Site1"), "ios-12.4")
    return text.replace("\n", "\r\n")


def test_a_session_begins_with_the_banner_and_a_prompt() -> None:
    greeting = Terminal(is_enabled=False).greeting

    assert "Authorised use only" in greeting
    assert greeting.endswith("\r\nSite1>")


def test_a_privileged_login_needs_no_enable() -> None:
    topology = two_sites().model_dump()
    topology["routers"][0]["login_privilege"] = 15
    network = Network(two_sites().model_validate(topology))
    shell = Shell(network, "Site1", clock=lambda: 0.0)

    assert text_of(shell.start()).endswith("\r\nSite1#")


def test_enable_asks_without_echo() -> None:
    terminal = Terminal(is_enabled=False)

    assert terminal.type("enable\r") == "enable\r\nPassword: "
    assert terminal.type("enable-lab") == ""
    assert terminal.type("\r") == "\r\nSite1#"


def test_three_wrong_secrets_end_enable() -> None:
    terminal = Terminal(is_enabled=False)
    terminal.type("enable\r")

    assert terminal.type("no\r") == "\r\nPassword: "
    assert terminal.type("no\r") == "\r\nPassword: "
    assert terminal.type("no\r") == "\r\n% Bad secrets\r\n\r\nSite1>"


def test_disable_gives_the_privilege_back() -> None:
    assert Terminal().type("disable\r").endswith("\r\nSite1>")


@pytest.mark.parametrize("end_of_line", ["\r", "\n", "\r\n"])
def test_any_end_of_line_enters_one_line(end_of_line: str) -> None:
    assert Terminal().type(f"show privilege{end_of_line}") == (
        "show privilege\r\nCurrent privilege level is 15\r\nSite1#"
    )


def test_an_empty_line_gives_a_prompt() -> None:
    assert Terminal().type("\r") == "\r\nSite1#"


def test_backspace_rubs_out_on_the_screen_and_in_the_line() -> None:
    terminal = Terminal()

    assert terminal.type("show privilegx\b") == "show privilegx\b \b"
    assert terminal.type("e\r") == "e\r\nCurrent privilege level is 15\r\nSite1#"


def test_backspace_stops_at_the_prompt() -> None:
    assert Terminal().type("\b\x7f") == ""


def test_control_u_empties_the_line() -> None:
    assert Terminal().type("sho\x15\r") == "sho" + "\b \b" * 3 + "\r\nSite1#"


def test_control_c_abandons_the_line() -> None:
    assert Terminal().type("show version\x03") == "show version\r\nSite1#"


def test_nul_is_swallowed() -> None:
    # a collector sends it to see whether the session lives
    assert Terminal().type("\0") == ""


def test_the_answer_is_what_the_renderer_gives_with_crlf() -> None:
    terminal = Terminal()

    assert terminal.ask(IPSEC) == expected_ipsec(terminal)
    assert terminal.ask("sh cry isa sa") == show_crypto_isakmp_sa(
        terminal.network.ike_sas("Site1"), "ios-12.4"
    ).replace("\n", "\r\n")
    assert terminal.ask("show crypto ipsec security-association lifetime") == (
        "Security association lifetime: 4608000 kilobytes/3600 seconds\r\n"
    )


def test_version_and_clock_are_of_lab_time() -> None:
    terminal = Terminal()

    assert "Version 12.4(15)T14" in terminal.ask("show version")
    assert "Site1 uptime is 1 minute\r\n" in terminal.ask("show version")
    assert terminal.ask("show clock") == "*00:01:00.000 UTC Thu Jan 1 2026\r\n"


def test_the_caret_stands_under_the_word_that_does_not_fit() -> None:
    answer = Terminal().ask("show crypto ikev2 sa")

    assert (
        answer
        == " " * len("Site1#show crypto ") + "^\r\n% Invalid input detected at '^' marker.\r\n\r\n"
    )


def test_an_ambiguous_command_is_quoted() -> None:
    assert Terminal().ask("sh c") == '% Ambiguous command:  "sh c"\r\n'


def test_an_incomplete_command_says_so() -> None:
    assert Terminal().ask("show crypto") == "% Incomplete command.\r\n\r\n"


def test_one_unknown_word_is_taken_for_a_host() -> None:
    assert "% Unknown command or computer name" in Terminal().ask("frobnicate")


def test_clear_is_refused_without_privilege() -> None:
    terminal = Terminal(is_enabled=False)

    assert "% Invalid input" in terminal.ask("clear crypto sa")
    assert terminal.network.flows("Site1")[0].sas


@pytest.mark.parametrize(
    "command",
    [
        "clear crypto sa",
        "clear crypto sa peer 123.1.1.2",
        "clear crypto session",
        "clear crypto session remote 123.1.1.2",
        "clear crypto isakmp",
    ],
)
def test_clear_commands_take_the_sas(command: str) -> None:
    terminal = Terminal()

    assert terminal.ask(command) == ""
    assert terminal.network.flows("Site1")[0].sas == ()


def test_clear_counters_takes_the_counters() -> None:
    terminal = Terminal()
    terminal.ask("clear crypto sa counters")

    assert terminal.network.flows("Site1")[0].encaps_packets == 0
    assert terminal.network.flows("Site1")[0].sas


@pytest.mark.parametrize("word", ["exit", "quit", "logout"])
def test_leaving_closes_the_connection(word: str) -> None:
    terminal = Terminal()
    actions = terminal.shell.receive(f"{word}\r".encode())

    assert actions[-1] == Close()
    assert terminal.shell.receive(b"show version\r") == []


MORE = " --More-- "
ERASED = "\b" * 9 + " " * 8 + "\b" * 9


def test_paging_stops_after_a_screen_and_space_brings_the_next() -> None:
    terminal = Terminal()
    terminal.ask("terminal length 10")
    lines = expected_ipsec(terminal).splitlines(keepends=True)
    first = terminal.type(f"{IPSEC}\r")

    assert first == f"{IPSEC}\r\n" + "".join(lines[:9]) + MORE
    assert terminal.type(" ") == ERASED + "".join(lines[9:18]) + MORE


def test_return_brings_one_line() -> None:
    terminal = Terminal()
    terminal.ask("terminal length 10")
    lines = expected_ipsec(terminal).splitlines(keepends=True)
    terminal.type(f"{IPSEC}\r")

    assert terminal.type("\r") == ERASED + lines[9] + MORE


def test_q_ends_the_answer() -> None:
    terminal = Terminal()
    terminal.ask("terminal length 10")
    terminal.type(f"{IPSEC}\r")

    assert terminal.type("q") == ERASED + "Site1#"


def test_all_pages_together_are_the_answer() -> None:
    terminal = Terminal()
    terminal.ask("terminal length 7")
    seen = terminal.type(f"{IPSEC}\r")
    while seen.endswith(MORE):
        seen += terminal.type(" ")

    assert seen.replace(MORE + ERASED, "") == f"{IPSEC}\r\n{expected_ipsec(terminal)}Site1#"


def test_a_hung_command_is_echoed_and_never_answered() -> None:
    terminal = Terminal(hang=True)

    assert terminal.type(f"{IPSEC}\r") == f"{IPSEC}\r\n"
    assert terminal.type("\rexit\r\x03") == ""


def test_a_cut_answer_ends_with_the_connection() -> None:
    terminal = Terminal(cut_after=100)
    actions = terminal.shell.receive(f"{IPSEC}\r".encode())

    assert text_of(actions) == f"{IPSEC}\r\n" + expected_ipsec(terminal)[:100]
    assert actions[-1] == Close()


def test_a_cut_counts_over_pages() -> None:
    terminal = Terminal(cut_after=400)
    terminal.ask("terminal length 5")
    seen = terminal.type(f"{IPSEC}\r")
    while seen.endswith(MORE):
        seen += terminal.type(" ")

    assert seen.replace(MORE + ERASED, "") == f"{IPSEC}\r\n" + expected_ipsec(terminal)[:400]


@pytest.mark.parametrize(("where", "lines"), [(12, 12), (r"#send errors", 14)])
def test_a_truncated_answer_is_followed_by_the_prompt(where: str | int, lines: int) -> None:
    terminal = Terminal(truncate=where)
    answer = terminal.ask(IPSEC)
    whole = expected_ipsec(terminal).splitlines(keepends=True)

    assert answer == "".join(whole[:lines])


def test_a_refused_command_is_refused_by_its_beginning() -> None:
    terminal = Terminal(refuse=("show crypto ipsec",))

    assert terminal.ask(IPSEC) == "Command authorization failed.\r\n\r\n"
    assert terminal.ask("show crypto isakmp sa").startswith("dst ")


def test_a_command_may_be_refused_as_invalid() -> None:
    terminal = Terminal(refuse=(IPSEC,), refusal="invalid")

    assert terminal.ask(IPSEC) == "      ^\r\n% Invalid input detected at '^' marker.\r\n\r\n"


def test_a_refused_terminal_length_leaves_paging_on() -> None:
    terminal = Terminal(is_enabled=False, refuse_terminal_length=True)

    assert terminal.ask("terminal length 0") == "Command authorization failed.\r\n\r\n"
    assert terminal.type(f"{IPSEC}\r").endswith(MORE)


def test_a_slow_answer_comes_in_pieces() -> None:
    terminal = Terminal(slow_seconds=0.1, slow_bytes=100)
    actions = terminal.shell.receive(f"{IPSEC}\r".encode())
    pauses = [action for action in actions if isinstance(action, Pause)]

    assert len(pauses) == -(-len(expected_ipsec(terminal)) // 100)
    assert text_of(actions) == f"{IPSEC}\r\n{expected_ipsec(terminal)}Site1#"


def test_a_line_of_the_answer_may_end_like_the_prompt() -> None:
    answer = Terminal(prompt_in_output=True).ask(IPSEC)

    assert [line for line in answer.splitlines() if line.endswith("Site1#")]


def test_a_log_message_may_fall_into_the_answer() -> None:
    answer = Terminal(syslog_in_output=True).ask(IPSEC)

    assert "\r\n*Jan  1 00:01:00.000: %CRYPTO-5-SESSION_STATUS: " in answer
