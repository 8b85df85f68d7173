"""One poll: a value comes back whatever happens, and what was not read is unknown, not down."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from ipsecmon import errors
from ipsecmon.credentials import CredentialError
from ipsecmon.dump import result_document
from ipsecmon.model import EventKind, PollResult, RawOutput, Reason, SessionFacts, Stage, Status
from ipsecmon.poll import PolledDevice, poll_device
from ipsecmon.sessions import Session, SessionPool, Target
from ipsecmon.sessions.host_keys import AnyHostKey
from ipsecmon_parsers.records import Platform
from ipsecmon_parsers.registry import (
    SHOW_CRYPTO_MAP,
    SHOW_IKEV2_SA,
    SHOW_IPSEC_SA,
    SHOW_ISAKMP_SA,
    SHOW_SA_LIFETIME,
)

OUTPUTS = Path(__file__).parent.parent / "parsers" / "outputs" / "ios"
ANSWERS = {
    command: (OUTPUTS / command.replace(" ", "_") / case / "output.txt").read_text("utf-8")
    for command, case in (
        (SHOW_ISAKMP_SA, "tutorial"),
        (SHOW_IPSEC_SA, "tutorial"),
        (SHOW_SA_LIFETIME, "default"),
    )
}
OUTBOUND_SPI = "0x7FAD546D(2142065773)"
TARGET = Target(
    device="Site1",
    host="92.1.1.1",
    port=22,
    username="monitor",
    password="planted-secret",
    host_keys=AnyHostKey(),
    connect_timeout=1,
    read_timeout=1,
)


class FakeSession(Session):
    """Answers from a table; an exception in the table is raised."""

    def __init__(
        self,
        answers: Mapping[str, str | Exception],
        asked: list[str] | None = None,
        clock: Callable[[], float] = lambda: 101.0,
    ) -> None:
        self.answers = answers
        self.asked = [] if asked is None else asked
        self.clock = clock
        self.alive = True

    def run(self, command: str, timeout: float) -> RawOutput:
        assert timeout > 0
        self.asked.append(command)
        answer = self.answers.get(command, "% Invalid input detected at '^' marker.\n")
        if isinstance(answer, Exception):
            self.alive = False
            raise answer
        return RawOutput(
            command=command, text=answer, started_at=self.clock(), ended_at=self.clock()
        )

    def is_alive(self) -> bool:
        return self.alive

    def close(self) -> None:
        self.alive = False


class Device:
    """A device whose answers a test changes between polls."""

    def __init__(self) -> None:
        self.answers: dict[str, str | Exception] = dict(ANSWERS)
        self.refuses: Exception | None = None
        self.opened = 0
        self.pool = SessionPool(self._open)
        self.last: PollResult | None = None
        self.asked: list[str] = []
        self.now = 41.0

    def poll(
        self, target: Callable[[], Target] = lambda: TARGET, after: float = 60.0
    ) -> PollResult:
        self.now += after
        self.asked.clear()
        device = PolledDevice(
            name="Site1",
            host="92.1.1.1",
            platform=Platform.IOS,
            interval_seconds=60,
            timeout_seconds=30,
            target=target,
        )
        self.last = poll_device(device, self.pool, self.last, lambda: self.now)
        return self.last

    def _open(self, _: Target, timeout: float) -> Session:
        assert timeout > 0
        self.opened += 1
        if self.refuses is not None:
            raise self.refuses
        return FakeSession(self.answers, self.asked, lambda: self.now)


@pytest.fixture
def device() -> Iterator[Device]:
    made = Device()
    yield made
    made.pool.close()


def test_a_good_poll_reads_the_tutorials_tunnel(device: Device) -> None:
    result = device.poll()

    assert result.is_good
    assert [tunnel.name for tunnel in result.tunnels] == ["CRYPTO/10.1.1.0_24-10.2.2.0_24"]
    assert [peer.is_qm_idle for peer in result.ike_peers] == [True]
    assert result.sa_lifetime is not None
    assert (result.read_at, result.unparsed) == (101.0, ())
    assert [event.detail for event in result.events] == ["first reading: 1 tunnel, 1 up"]


def test_a_session_is_kept_between_polls(device: Device) -> None:
    device.poll()
    device.poll()

    assert device.opened == 1


@pytest.mark.parametrize(
    ("error", "stage", "reason"),
    [
        (errors.NameNotResolved("no address"), Stage.RESOLVE, Reason.DNS),
        (errors.ConnectFailed("refused"), Stage.CONNECT, Reason.CONNECT),
        (errors.KeyExchangeFailed("no kex"), Stage.CONNECT, Reason.KEX),
        (errors.HostKeyRejected("unknown"), Stage.HOSTKEY, Reason.HOSTKEY),
        (errors.AuthenticationFailed("no"), Stage.AUTH, Reason.AUTH),
        (errors.PrivilegeDenied("no"), Stage.PRIVILEGE, Reason.PRIVILEGE),
        (errors.PromptNotFound("none"), Stage.CONNECT, Reason.PROMPT),
    ],
)
def test_a_failure_to_connect_has_its_stage_and_reason(
    error: Exception, stage: Stage, reason: Reason, device: Device
) -> None:
    device.refuses = error
    result = device.poll()

    assert result.error is not None
    assert (result.error.stage, result.error.reason) == (stage, reason)
    assert result.error.message == f"Site1, stage {stage}: {error}"
    assert result.errors_total[reason] == 1


@pytest.mark.parametrize(
    ("answer", "stage", "reason"),
    [
        ("% Invalid input detected at '^' marker.\n", Stage.COMMAND, Reason.REFUSED),
        ("Command authorization failed.\n", Stage.COMMAND, Reason.REFUSED),
        (ANSWERS[SHOW_IPSEC_SA][:1200], Stage.PARSE, Reason.TRUNCATED),
        ("\x00\x01\x02\x03 binary \xff\xfe", Stage.PARSE, Reason.PARSE),
        (
            ANSWERS[SHOW_IPSEC_SA].replace("255.255.255.0", "255.0.255.0"),
            Stage.PARSE,
            Reason.PARSE,
        ),
        (errors.AnswerTimeout("silent", SHOW_IPSEC_SA), Stage.COMMAND, Reason.TIMEOUT),
        (errors.ConnectionClosed("closed", SHOW_IPSEC_SA), Stage.COMMAND, Reason.CLOSED),
        (errors.AnswerTooLarge("64 MiB", SHOW_IPSEC_SA), Stage.COMMAND, Reason.OTHER),
    ],
)
def test_a_bad_answer_never_looks_like_fewer_tunnels(
    answer: str | Exception, stage: Stage, reason: Reason, device: Device
) -> None:
    good = device.poll()
    device.answers[SHOW_IPSEC_SA] = answer
    result = device.poll()

    assert result.error is not None
    assert (result.error.stage, result.error.reason) == (stage, reason)
    assert result.error.command == SHOW_IPSEC_SA
    assert result.tunnels == good.tunnels
    assert result.read_at == good.read_at
    assert [event.kind for event in result.events] == [EventKind.UNREACHABLE]


def test_a_device_that_comes_back_is_good_again_and_keeps_its_count_of_errors(
    device: Device,
) -> None:
    device.answers[SHOW_ISAKMP_SA] = errors.AnswerTimeout("silent", SHOW_ISAKMP_SA)
    device.poll()
    device.answers[SHOW_ISAKMP_SA] = ANSWERS[SHOW_ISAKMP_SA]
    result = device.poll()

    assert result.is_good
    assert result.errors_total[Reason.TIMEOUT] == 1


def test_a_failed_session_is_never_used_again(device: Device) -> None:
    device.answers[SHOW_SA_LIFETIME] = errors.AnswerTimeout("silent", SHOW_SA_LIFETIME)
    device.poll()

    assert device.pool.open_count == 0


def test_a_release_without_the_lifetime_command_is_read_without_it(device: Device) -> None:
    device.answers[SHOW_SA_LIFETIME] = "% Invalid input detected at '^' marker.\n"
    result = device.poll()

    assert result.is_good
    assert result.sa_lifetime is None
    assert len(result.tunnels) == 1


@pytest.mark.parametrize("answer", ["% This command is not authorized\n", "", "%Error: x\n"])
def test_no_answer_to_the_lifetime_command_costs_the_poll(answer: str, device: Device) -> None:
    device.answers[SHOW_SA_LIFETIME] = answer
    result = device.poll()

    assert result.is_good
    assert result.sa_lifetime is None


def test_a_session_whose_answer_made_no_sense_is_ended(device: Device) -> None:
    device.answers[SHOW_IPSEC_SA] = ANSWERS[SHOW_IPSEC_SA][:1200]
    device.poll()

    assert device.pool.open_count == 0


def test_no_session_is_opened_or_kept_once_the_pool_is_closed(device: Device) -> None:
    device.pool.close()
    result = device.poll()

    assert result.error is not None
    assert device.opened == 0


def test_a_session_opened_while_the_pool_closed_is_closed_again(device: Device) -> None:
    sessions: list[FakeSession] = []

    def open_slowly(_: Target, __: float) -> Session:
        sessions.append(FakeSession(ANSWERS))
        device.pool.close()
        return sessions[0]

    device.pool.open_session = open_slowly
    result = device.poll()

    assert result.error is not None
    assert result.error.reason is Reason.CLOSED
    assert not sessions[0].is_alive()


def test_a_kept_session_that_died_unnoticed_is_replaced_within_the_poll(device: Device) -> None:
    device.poll()
    dying = errors.ConnectionClosed("closed", SHOW_ISAKMP_SA)
    kept = device.pool.take("Site1")
    assert isinstance(kept, FakeSession)
    kept.answers = {**ANSWERS, SHOW_ISAKMP_SA: dying}
    device.pool.put_back("Site1", kept)
    result = device.poll()

    assert result.is_good
    assert device.opened == 2


def test_a_fresh_session_that_dies_is_an_error(device: Device) -> None:
    device.answers[SHOW_ISAKMP_SA] = errors.ConnectionClosed("closed", SHOW_ISAKMP_SA)
    result = device.poll()

    assert result.error is not None
    assert result.error.reason is Reason.CLOSED
    assert device.opened == 1


def test_a_credential_that_cannot_be_had_is_a_matter_of_auth(device: Device) -> None:
    def no_target() -> Target:
        raise CredentialError("lab", "password", "file secret", "does not exist", "create it")

    result = device.poll(no_target)

    assert result.error is not None
    assert result.error.reason is Reason.AUTH
    assert not result.error.is_attempt
    assert "credentials.lab.password: file secret does not exist" in result.error.message


def test_a_fault_of_our_own_is_a_value_too(device: Device) -> None:
    device.refuses = ZeroDivisionError("a fault")
    result = device.poll()

    assert result.error is not None
    assert result.error.reason is Reason.OTHER
    assert "unexpected ZeroDivisionError: a fault" in result.error.message


def test_no_result_and_no_target_shows_the_password(device: Device) -> None:
    device.refuses = errors.AuthenticationFailed("refused")

    assert "planted-secret" not in f"{TARGET!r} {device.poll()!r}"


def test_what_changes_only_when_somebody_configures_is_read_once_an_hour(device: Device) -> None:
    device.poll()
    first = set(device.asked)
    device.poll()
    second = set(device.asked)
    device.poll(after=3600.0)

    assert second == {SHOW_ISAKMP_SA, SHOW_IPSEC_SA}
    assert {SHOW_SA_LIFETIME, SHOW_CRYPTO_MAP} <= first
    assert set(device.asked) == first


def test_a_command_the_device_does_not_know_is_not_asked_at_every_poll(device: Device) -> None:
    device.poll()
    assert SHOW_IKEV2_SA in device.asked
    device.poll()

    assert SHOW_IKEV2_SA not in device.asked
    assert device.last is not None
    assert device.last.is_good


def test_the_configuration_of_the_last_hour_is_kept(device: Device) -> None:
    device.poll()

    assert device.poll().sa_lifetime is not None


READY = """\
 IPv4 Crypto IKEv2  SA

Tunnel-id Local                 Remote                fvrf/ivrf            Status
1         92.1.1.1/500          123.1.1.2/500         none/none            READY
      Encr: AES-CBC, keysize: 256, PRF: SHA256, Hash: SHA256, DH Grp:14, Auth sign: PSK, Auth verify: PSK
      Life/Active Time: 86400/3000 sec

 IPv6 Crypto IKEv2  SA

"""


@pytest.mark.parametrize(
    "answer", ["Command authorization failed.\n", READY[:230], "\x00\x01 binary\n"]
)
def test_a_table_of_ike_sas_that_was_read_once_is_never_taken_for_empty(
    answer: str, device: Device
) -> None:
    device.answers[SHOW_IKEV2_SA] = READY
    assert device.poll().is_good
    device.answers[SHOW_IKEV2_SA] = answer
    failed = device.poll()
    device.answers[SHOW_IKEV2_SA] = READY

    assert not failed.is_good
    assert any(sa.version == 2 for peer in failed.ike_peers for sa in peer.sas)
    assert device.poll().is_good


def test_a_table_that_was_empty_and_is_refused_when_all_is_asked_again_is_unknown_now(
    device: Device,
) -> None:
    device.answers[SHOW_IKEV2_SA] = "There are no IKEv2 SAs\n"
    device.poll()
    device.answers[SHOW_IKEV2_SA] = "% Invalid input detected at '^' marker.\n"
    at_once = device.poll()
    after_an_hour = device.poll(after=3600.0)

    assert not at_once.is_good
    assert after_an_hour.is_good
    assert SHOW_IKEV2_SA in after_an_hour.refused_commands


def test_a_release_with_one_of_the_two_tables_of_ike_sas_is_read_with_that(device: Device) -> None:
    device.answers[SHOW_ISAKMP_SA] = "% Invalid input detected at '^' marker.\n"
    device.answers[SHOW_IKEV2_SA] = READY
    with_version_2 = device.poll()
    neither = Device()
    neither.answers[SHOW_ISAKMP_SA] = device.answers[SHOW_ISAKMP_SA]
    without = neither.poll()
    neither.pool.close()

    assert with_version_2.tunnels[0].status is Status.UP
    assert without.error is not None
    assert without.error.command == SHOW_ISAKMP_SA


@pytest.mark.parametrize("answer", ["Command authorization failed.\n", "\x00\x01 binary\n"])
def test_a_configuration_that_cannot_be_read_once_is_that_of_before(
    answer: str, device: Device
) -> None:
    first = device.poll()
    device.answers[SHOW_SA_LIFETIME] = answer
    later = device.poll(after=3600.0)

    assert later.is_good
    assert later.sa_lifetime == first.sa_lifetime is not None
    assert later.events == ()


def test_answers_that_cannot_be_read_are_counted_by_command_and_refusals_are_not(
    device: Device,
) -> None:
    device.answers[SHOW_SA_LIFETIME] = "nothing we know\n"
    device.poll()
    device.answers[SHOW_IPSEC_SA] = "\x00 binary"
    result = device.poll()

    counts = {command: count for command, count in result.parse_errors_total.items() if count}
    assert counts == {SHOW_SA_LIFETIME: 1, SHOW_IPSEC_SA: 1}
    assert SHOW_IKEV2_SA in result.parse_errors_total


def test_a_failing_device_is_told_once_and_so_is_its_return(device: Device) -> None:
    device.poll()
    device.answers[SHOW_IPSEC_SA] = errors.AnswerTimeout("no answer")
    failing = [device.poll() for _ in range(3)]
    device.answers = dict(ANSWERS)
    back = device.poll()

    assert [[event.kind for event in result.events] for result in failing] == [
        [EventKind.UNREACHABLE],
        [],
        [],
    ]
    assert [event.kind for event in back.events] == [EventKind.REACHABLE]
    assert back.events[0].detail == "read again, after 240 s without a reading"


def test_a_failed_poll_says_unknown_and_keeps_what_was_read(device: Device) -> None:
    up = device.poll().tunnels[0].status
    device.answers[SHOW_IPSEC_SA] = errors.AnswerTimeout("no answer")
    failed = device.poll()

    assert up.is_up
    assert failed.tunnels[0].status is up
    assert failed.status_of(failed.tunnels[0]) is Status.UNKNOWN


def test_an_event_quotes_what_the_device_said_before_and_after(device: Device) -> None:
    device.poll()
    listing = ANSWERS[SHOW_IPSEC_SA]
    device.answers[SHOW_IPSEC_SA] = listing.replace(OUTBOUND_SPI, "0x1234ABCD(305441741)")
    (event,) = device.poll().events

    spis = [line for line in event.evidence if "current outbound spi" in line.text]
    assert event.kind is EventKind.REKEY
    assert len(spis) == 2
    for line, text in zip(spis, (listing, device.answers[SHOW_IPSEC_SA]), strict=True):
        assert isinstance(text, str)
        assert line.text in text.splitlines()[line.line_no - 1]
    assert [line.read_at for line in spis] == [101.0, 161.0]
    assert "0x1234ABCD" in spis[1].text


# --- what is told of the session and of a failure -----------------------------------------------------------------


class SessionWithFacts(FakeSession):
    """Answers as the tutorial's router and says what it was opened with."""

    @property
    def facts(self) -> SessionFacts:
        return FACTS


FACTS = SessionFacts(
    address="92.1.1.1",
    server_version="SSH-2.0-Cisco-1.25",
    kex="diffie-hellman-group14-sha1",
    host_key="ssh-rsa",
    cipher="aes128-ctr",
    mac="hmac-sha1",
    prompt="Site1",
    weak=("diffie-hellman-group14-sha1",),
    host_key_fingerprint="SHA256:abc",
    opened_at=100.0,
)


def poll_in(pool: SessionPool, last: PollResult | None = None) -> PollResult:
    device = PolledDevice(
        name="Site1",
        host="92.1.1.1",
        platform=Platform.IOS,
        interval_seconds=60,
        timeout_seconds=30,
        target=lambda: TARGET,
    )
    return poll_device(device, pool, last, lambda: 101.0)


def test_what_the_session_was_opened_with_stays_known_while_the_device_fails() -> None:
    pool = SessionPool(lambda _target, _timeout: SessionWithFacts(ANSWERS))
    good = poll_in(pool)
    pool.drop("Site1")
    pool.open_session = no_connection
    failed = poll_in(pool, good)

    assert good.session == failed.session == FACTS
    assert failed.error is not None


def pool_of(session: Session) -> SessionPool:
    return SessionPool(lambda _target, _timeout: session)


def no_connection(_target: Target, _timeout: float) -> Session:
    raise errors.ConnectFailed("no TCP connection", evidence="% Connection refused")


def test_the_last_words_of_a_device_are_kept_with_the_failure() -> None:
    result = poll_in(SessionPool(no_connection))

    assert result.error is not None
    assert result.error.evidence == "% Connection refused"


def test_a_refusal_and_a_cut_are_quoted_with_the_failure() -> None:
    refusing = {**ANSWERS, SHOW_IPSEC_SA: "% Bad \x07 IP address\n"}
    cut = {**ANSWERS, SHOW_IPSEC_SA: ANSWERS[SHOW_IPSEC_SA][:400]}
    evidence: list[str] = []
    for answers in (refusing, cut):
        result = poll_in(pool_of(FakeSession(answers)))
        assert result.error is not None
        evidence.append(result.error.evidence)

    assert evidence[0].startswith("% Bad")
    assert evidence[1]
    assert all(text.isprintable() for text in evidence)


def test_the_document_of_a_device_shows_its_session_and_its_failure() -> None:
    good = result_document(
        poll_in(SessionPool(lambda _target, _timeout: SessionWithFacts(ANSWERS)))
    )
    failed = result_document(replace(poll_in(SessionPool(no_connection)), next_attempt_at=161.0))

    assert isinstance(good["session"], dict)
    assert good["session"]["weak"] == ["diffie-hellman-group14-sha1"]
    assert good["session"]["opened_at"] == "1970-01-01T00:01:40Z"
    assert good["next_attempt_at"] is None
    assert isinstance(failed["error"], dict)
    assert failed["error"]["evidence"] == "% Connection refused"
    assert failed["session"] is None
    assert failed["next_attempt_at"] == "1970-01-01T00:02:41Z"
