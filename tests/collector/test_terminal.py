"""The conversation with a terminal, played against a table of what comes back; no sockets, no waiting."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecmon import errors
from ipsecmon.sessions import Target
from ipsecmon.sessions.host_keys import AnyHostKey
from ipsecmon.sessions.protocol import Step, StepName
from ipsecmon.sessions.terminal import Conversation, Terminal, evidence
from ipsecmon_parsers.records import Platform

T = TypeVar("T")
Piece = bytes | float
"""What a device sends, or the seconds before it sends on."""

COMMAND = "show crypto isakmp sa"
ECHO = COMMAND.encode()
PROMPT = b"Site1#"
AGAIN = b"\r\nSite1#"


def target(**changes: object) -> Target:
    values: dict[str, Any] = {
        "device": "Site1",
        "host": "192.0.2.1",
        "port": 22,
        "username": "monitor",
        "password": "-",
        "enable_secret": "planted-secret",
        "host_keys": AnyHostKey(),
        "connect_timeout": 10.0,
        "read_timeout": 5.0,
        **changes,
    }
    return Target(**values)


class Played:
    """A device that answers each typing with the next pieces; an empty one is the end of the connection."""

    def __init__(self, *first: Piece) -> None:
        self.now = 0.0
        self.typed: list[bytes] = []
        self._pending: deque[Piece] = deque(first)
        self._answers: deque[tuple[Piece, ...]] = deque()

    def answers(self, *answers: Iterable[Piece]) -> None:
        """What comes after each of the next typings."""
        self._answers.extend(tuple(answer) for answer in answers)

    def hold(self, conversation: Conversation[T]) -> T:
        try:
            turn = next(conversation)
            while True:
                if turn.data:
                    self.typed.append(turn.data)
                    self._pending.extend(self._answers.popleft() if self._answers else ())
                turn = conversation.send(self._next(turn.seconds))
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return] # what the generator returns

    def _next(self, patience: float) -> bytes | None:
        assert patience >= 0
        left = patience
        while self._pending and isinstance(pause := self._pending[0], float):
            if pause > left:
                self._pending[0] = pause - left
                self.now += left
                return None
            left -= pause
            self.now += pause
            self._pending.popleft()
        if not self._pending:
            self.now += left
            return None
        piece = self._pending.popleft()
        assert isinstance(piece, bytes)
        return piece


def setting(command: str, prompt: bytes = PROMPT, answer: bytes = b"") -> list[list[Piece]]:
    """The answers to a command of the login, and to the empty line behind it."""
    return [[command.encode() + b"\r\n" + answer + prompt], [b"\r\n" + prompt]]


def logged_in(**changes: object) -> tuple[Played, Terminal]:
    device = Played(b"\r\nWelcome\r\n", PROMPT)
    device.answers(
        [AGAIN],
        *setting("terminal length 0"),
        [b"terminal width 511\r\n" + PROMPT + AGAIN],
    )
    terminal = Terminal(target(**changes), lambda: device.now)
    device.hold(terminal.log_in(30.0))
    device.typed.clear()
    return device, terminal


def ask(
    device: Played, terminal: Terminal, *answers: Iterable[Piece], timeout: float = 60.0
) -> str:
    device.answers(*answers)
    return device.hold(terminal.ask(COMMAND, timeout))


# answers


def test_an_answer_costs_one_typing_and_no_waiting() -> None:
    device, terminal = logged_in()
    before = device.now
    text = ask(device, terminal, [ECHO + b"\r\none\r\ntwo\r\n" + PROMPT + AGAIN])

    assert text == "one\r\ntwo\r\n"
    assert device.typed == [ECHO + b"\n\n"]
    assert device.now == before


def test_a_line_that_is_the_prompt_ends_nothing_however_long_the_pause_behind_it() -> None:
    device, terminal = logged_in()
    text = ask(
        device,
        terminal,
        [ECHO + b"\r\none\r\nSite1#", 4.0, b"\r\ntwo\r\n", PROMPT, 0.2, AGAIN],
    )

    assert text == "one\r\nSite1#\r\ntwo\r\n"


def test_a_late_prompt_before_our_echo_is_no_end() -> None:
    device, terminal = logged_in()

    assert (
        ask(device, terminal, [AGAIN, AGAIN, ECHO + b"\r\none\r\n" + PROMPT + AGAIN]) == "one\r\n"
    )


def test_a_prompt_that_comes_late_behind_our_echo_is_no_end() -> None:
    device, terminal = logged_in()
    text = ask(device, terminal, [ECHO + b"\r\n", PROMPT, 1.0, b"\r\none\r\n" + PROMPT + AGAIN])

    assert text.endswith("one\r\n")


def test_an_empty_line_that_got_lost_is_typed_again_and_alone_from_then_on() -> None:
    device, terminal = logged_in()
    answer = ECHO + b"\r\none\r\n" + PROMPT

    assert ask(device, terminal, [answer], [AGAIN]) == "one\r\n"
    assert device.typed == [ECHO + b"\n\n", b"\n"]

    device.typed.clear()

    assert ask(device, terminal, [answer], [AGAIN]) == "one\r\n"
    assert device.typed == [ECHO + b"\n", b"\n"]


def test_a_terminal_that_echoes_at_once_shows_both_prompts_on_one_line() -> None:
    device, terminal = logged_in()
    text = ask(device, terminal, [ECHO + b"\r\n\r\n", b"one\r\n", PROMPT, PROMPT])

    assert text.endswith("one\r\n")
    assert device.now < 1.0


BODY = b"one\r\nSite1#\r\ntwo \xff\x00\x1b[K\r\n  Site1# three\r\n"
STREAM = ECHO + b"\r\n" + BODY + PROMPT + AGAIN


@given(
    st.lists(
        st.tuples(st.integers(1, 40), st.sampled_from([0.0, 0.3, 0.6, 4.0])),
        min_size=1,
        max_size=30,
    )
)
def test_an_answer_is_the_same_in_whatever_pieces_and_with_whatever_pauses_it_comes(
    cuts: list[tuple[int, float]],
) -> None:
    device, terminal = logged_in()
    pieces: list[Piece] = []
    at = 0
    for size, pause in cuts:
        pieces += [STREAM[at : at + size], pause] if at + size < len(STREAM) else []
        at = at + size if at + size < len(STREAM) else at
    pieces.append(STREAM[at:])
    # empty lines typed in a pause are answered at the end, where the device comes round to them
    pieces += [0.1, AGAIN]

    assert ask(device, terminal, pieces) == BODY.decode("utf-8", "replace")


def test_any_part_of_an_answer_is_a_failure_and_never_a_shorter_answer() -> None:
    for length in range(1, len(STREAM)):
        device, terminal = logged_in()
        with pytest.raises(errors.AnswerTimeout):
            ask(device, terminal, [STREAM[:length]])


def test_pages_are_turned_where_paging_cannot_be_turned_off() -> None:
    device = Played(PROMPT)
    device.answers(
        [AGAIN],
        *setting("terminal length 0", answer=b"Command authorization failed.\r\n\r\n"),
        *setting("terminal width 511"),
    )
    steps: list[Step] = []
    terminal = Terminal(target(), lambda: device.now)
    device.hold(terminal.log_in(30.0, steps.append))
    device.typed.clear()
    text = ask(
        device,
        terminal,
        [ECHO + b"\r\none\r\n --More-- "],
        [b"\x08" * 9 + b" " * 8 + b"\x08" * 9 + b"two\r\n" + PROMPT],
        [AGAIN],
    )

    assert "refused 'terminal length 0'" in steps[-1].seen
    assert device.typed == [ECHO + b"\n", b" ", b"\n"]
    assert text.startswith("one\r\n")
    assert text.endswith("two\r\n")


def test_a_device_that_does_not_echo_is_asked_with_an_empty_line_of_its_own() -> None:
    device = Played(b"Site1>")
    device.answers(
        [b"\r\nSite1>"],
        [b"\r\nPassword: "],  # enable
        [AGAIN],
        [AGAIN],  # terminal length 0
        [AGAIN],
        [AGAIN],  # terminal width 511
        [AGAIN],
    )
    steps: list[Step] = []
    terminal = Terminal(target(), lambda: device.now)
    device.hold(terminal.log_in(30.0, steps.append))
    device.typed.clear()
    text = ask(device, terminal, [b"\r\none\r\nSite1#", 3.0, b"\r\ntwo\r\n", AGAIN], [AGAIN])

    assert "does not echo" in steps[-1].seen
    assert "one\r\nSite1#\r\ntwo\r\n" in text
    assert device.typed == [ECHO + b"\n", b"\n"]


# failures


def test_silence_costs_the_read_timeout_and_says_what_was_waited_for() -> None:
    device, terminal = logged_in()
    before = device.now
    with pytest.raises(errors.AnswerTimeout) as caught:
        ask(device, terminal, [ECHO + b"\r\none\r\n\x00half a li"])

    assert device.now - before == pytest.approx(5.0)
    assert "silent for 5 s while answering 'show crypto isakmp sa'" in str(caught.value)
    assert "waited for 'Site1#'" in str(caught.value)
    assert caught.value.evidence.endswith(r"one\r\n\x00half a li")


def test_the_end_of_the_poll_ends_an_answer_that_trickles() -> None:
    device, terminal = logged_in()
    before = device.now
    with pytest.raises(errors.AnswerTimeout, match="did not finish"):
        ask(
            device,
            terminal,
            [ECHO, *[piece for _ in range(100) for piece in (1.0, b"x")]],
            timeout=10.0,
        )

    assert device.now - before == pytest.approx(10.0)


def test_a_device_that_is_gone_is_named_with_the_last_it_said() -> None:
    device, terminal = logged_in()
    with pytest.raises(errors.ConnectionClosed, match="closed the connection before") as caught:
        ask(device, terminal, [ECHO + b"\r\none\r\n", b""])

    assert caught.value.evidence.endswith(r"one\r\n")


def test_an_answer_that_never_ends_is_given_up() -> None:
    device, terminal = logged_in(max_answer_bytes=1 << 20)
    with pytest.raises(errors.AnswerTooLarge, match="more than 1 MiB"):
        ask(device, terminal, [ECHO, *([b"x" * 65536] * 20)])


def test_after_any_failure_nothing_more_is_asked() -> None:
    device, terminal = logged_in()
    with pytest.raises(errors.AnswerTimeout):
        ask(device, terminal, [])

    device.typed.clear()
    with pytest.raises(errors.ConnectionClosed, match="the session is closed"):
        ask(device, terminal, [STREAM])
    assert device.typed == []
    assert not terminal.is_usable


def test_evidence_is_short_printable_and_without_keys() -> None:
    shown = evidence(
        b"y" * 500 + b"\r\n\x1b[7mcrypto isakmp key planted-secret address 192.0.2.9\r\n"
    )

    assert len(shown) == 200
    assert shown.isprintable()
    assert "planted-secret" not in shown


# login


@pytest.mark.parametrize(
    "host",
    [
        "R",
        "a" * 50,
        "R1(hub)[a.b]*x+?$",
        "one#two",
        "ciscoasa/pri/act",
    ],
)
def test_odd_prompts_are_learnt(host: str) -> None:
    prompt = f"{host}# ".encode()
    device = Played(b"\r\n", prompt)
    device.answers(
        [b"\r\n" + prompt],
        *setting("terminal length 0", prompt),
        *setting("terminal width 511", prompt),
    )
    terminal = Terminal(target(), lambda: device.now)
    device.hold(terminal.log_in(30.0))

    assert terminal.prompt == f"{host}#"


def test_a_banner_full_of_prompts_is_not_one() -> None:
    device = Played(
        b"###########\r\nSite9#\r\nSite9>\r\n# keep out #", 0.05, b"\r\n#\r\n", 0.05, PROMPT
    )
    device.answers([AGAIN], *setting("terminal length 0"), *setting("terminal width 511"))
    terminal = Terminal(target(), lambda: device.now)
    device.hold(terminal.log_in(30.0))

    assert terminal.prompt == "Site1#"


def test_a_banner_that_goes_on_after_a_pause_is_not_a_prompt() -> None:
    device = Played(b"# keep out #", 0.3)
    device.answers(
        [b"\r\n# really #", 0.2, b"\r\nSite1#", AGAIN],
        [AGAIN],
        [AGAIN],
        *setting("terminal length 0"),
        *setting("terminal width 511"),
    )
    terminal = Terminal(target(), lambda: device.now)
    device.hold(terminal.log_in(30.0))

    assert terminal.prompt == "Site1#"


def test_a_device_that_waits_for_return_is_woken() -> None:
    device = Played()
    device.answers([AGAIN], [AGAIN], *setting("terminal length 0"), *setting("terminal width 511"))
    terminal = Terminal(target(), lambda: device.now)
    device.hold(terminal.log_in(30.0))

    assert terminal.prompt == "Site1#"


def test_a_login_without_a_prompt_costs_the_connect_timeout() -> None:
    device = Played(b"Press any key to continue")
    with pytest.raises(errors.PromptNotFound, match="no prompt came within 10 s") as caught:
        device.hold(Terminal(target(), lambda: device.now).log_in(30.0))

    assert device.now == pytest.approx(10.0)
    assert caught.value.reason == "prompt"


def _at_enable(*answers: Iterable[Piece], **changes: object) -> Callable[[], None]:
    device = Played(b"Site1>")
    device.answers([b"\r\nSite1>"], *answers)
    return lambda: device.hold(Terminal(target(**changes), lambda: device.now).log_in(30.0))


def test_a_wrong_secret_is_tried_once_and_never_quoted() -> None:
    ask_again = b"\r\n% planted-secret?\r\nPassword: "
    with pytest.raises(errors.PrivilegeDenied, match="refused the enable secret") as caught:
        _at_enable([b"enable\r\nPassword: "], [ask_again])()

    assert "planted-secret" not in str(caught.value) + caught.value.evidence


def test_silence_after_the_secret_quotes_nothing() -> None:
    with pytest.raises(errors.PromptNotFound) as caught:
        _at_enable([b"enable\r\nPassword: "], [b"planted-secret"])()

    assert "planted-secret" not in str(caught.value) + caught.value.evidence


def test_enable_that_is_refused_outright_is_said_so() -> None:
    with pytest.raises(errors.PrivilegeDenied, match="did not ask for the enable secret"):
        _at_enable([b"enable\r\n% No password set\r\nSite1>"])()


def test_user_mode_without_a_secret_says_what_to_configure() -> None:
    with pytest.raises(errors.PrivilegeDenied, match="add 'enable' to the credential"):
        _at_enable(enable_secret=None)()


def test_an_asa_is_only_asked_not_to_stop_and_never_configured() -> None:
    prompt = b"ciscoasa# "
    device = Played(b"ciscoasa> ")
    device.answers(
        [b"\r\nciscoasa> "],
        [b"enable\r\nPassword: "],
        [b"*****\r\n" + prompt],
        *setting("terminal pager 0", prompt),
    )
    steps: list[Step] = []
    terminal = Terminal(target(platform=Platform.ASA), lambda: device.now)
    device.hold(terminal.log_in(30.0, steps.append))

    assert [step.name for step in steps] == [StepName.PROMPT, StepName.PRIVILEGE, StepName.PAGING]
    assert device.typed == [b"\n", b"enable\n", b"planted-secret\n", b"terminal pager 0\n", b"\n"]
