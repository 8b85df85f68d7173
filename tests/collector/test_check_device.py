"""``ipsecmon check-device``: each step is told, the one that fails with what to do, and those behind it as not reached."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from pathlib import Path

import click
import pytest

from called import ipsecmon
from ipsecmon import errors
from ipsecmon.check_report import check_document, check_lines
from ipsecmon.checking import (
    Check,
    CheckedDevice,
    CheckedStep,
    OpenWatched,
    Outcome,
    Verdict,
    check_device,
    unwatched,
)
from ipsecmon.config import PollTier
from ipsecmon.credentials import CredentialError
from ipsecmon.lab.demo import DemoLab
from ipsecmon.model import RawOutput, SessionFacts
from ipsecmon.sessions import JumpHost, Session, Target
from ipsecmon.sessions.host_keys import AnyHostKey
from ipsecmon.sessions.protocol import OnStep, Step, StepName
from ipsecmon_parsers.records import Platform
from ipsecmon_parsers.registry import (
    BUILT_IN,
    SHOW_CRYPTO_MAP,
    SHOW_IKEV2_SA,
    SHOW_IPSEC_SA,
    SHOW_ISAKMP_SA,
    SHOW_SA_LIFETIME,
)

OUTPUTS = Path(__file__).parent.parent / "parsers" / "outputs" / "ios"
REFUSED = "% Invalid input detected at '^' marker.\n"
ANSWERS = {
    "show version": "\nCisco IOS Software, Version 15.1(4)M8\nmore",
    "show privilege": "Current privilege level is 15\n",
    "show clock": "*12:00:00.000 UTC Sun Mar 1 2026\n",
    SHOW_CRYPTO_MAP: REFUSED,
    SHOW_IKEV2_SA: REFUSED,
    **{
        command: (OUTPUTS / command.replace(" ", "_") / case / "output.txt").read_text("utf-8")
        for command, case in (
            (SHOW_ISAKMP_SA, "tutorial"),
            (SHOW_IPSEC_SA, "tutorial"),
            (SHOW_SA_LIFETIME, "default"),
        )
    },
}
TARGET = Target(
    device="Site1",
    host="192.0.2.1",
    port=22,
    username="monitor",
    password="planted-secret",
    host_keys=AnyHostKey(),
    connect_timeout=1,
    read_timeout=1,
)
FACTS = SessionFacts(
    address="192.0.2.1",
    server_version="SSH-2.0-Cisco-1.25",
    kex="ecdh-sha2-nistp256",
    host_key="rsa-sha2-256",
    cipher="aes256-ctr",
    mac="hmac-sha2-256",
    prompt="Site1",
    host_key_fingerprint="SHA256:3q2+7w",
    opened_at=100.0,
)
LOGIN = tuple(step for step in StepName if step is not StepName.JUMP)


class FakeSession(Session):
    """Answers from a table; an exception in it is raised."""

    def __init__(self, answers: Mapping[str, str | Exception], facts: SessionFacts | None) -> None:
        self.answers = answers
        self.is_closed = False
        self._facts = facts

    def run(self, command: str, timeout: float) -> RawOutput:
        assert timeout > 0
        answer = self.answers[command]
        if isinstance(answer, Exception):
            raise answer
        return RawOutput(command=command, text=answer, started_at=0.0, ended_at=0.0)

    def is_alive(self) -> bool:
        return not self.is_closed

    def close(self) -> None:
        self.is_closed = True

    @property
    def facts(self) -> SessionFacts | None:
        return self._facts


def checked(open_session: OpenWatched, target: Callable[[], Target] = lambda: TARGET) -> Check:
    device = CheckedDevice(
        name="Site1",
        host="192.0.2.1",
        platform=Platform.IOS,
        target=target,
        registry=BUILT_IN,
        tiers=(PollTier.TABLES, PollTier.CONFIGURATION),
        timeout_seconds=30.0,
    )
    return check_device(device, open_session)


def answering(
    changes: Mapping[str, str | Exception] | None = None, facts: SessionFacts = FACTS
) -> OpenWatched:
    session = FakeSession({**ANSWERS, **(changes or {})}, facts)
    return unwatched(lambda _target, _timeout: session)


def failing(error: Exception, *done: StepName) -> OpenWatched:
    def open_it(_target: Target, _timeout: float, on_step: OnStep) -> Session:
        for name in done:
            on_step(Step(name=name, seconds=0.25, seen=f"{name} seen"))
        raise error

    return open_it


def of(check: Check, name: str) -> CheckedStep:
    (step,) = (step for step in check.steps if step.name == name)
    return step


def outcomes(check: Check) -> dict[str, Outcome]:
    return {step.name: step.outcome for step in check.steps}


# --- a device that can be polled ------------------------------------------------------------------------------------


def test_every_step_of_a_good_device_is_told_with_what_was_seen() -> None:
    check = checked(answering({SHOW_CRYPTO_MAP: ""}))

    assert [step.name for step in check.steps] == [
        "credential",
        *LOGIN,
        "show version",
        "show privilege",
        "show clock",
        SHOW_IPSEC_SA,
        SHOW_ISAKMP_SA,
        SHOW_IKEV2_SA,
        SHOW_SA_LIFETIME,
        SHOW_CRYPTO_MAP,
    ]
    assert of(check, "credential").seen == "user monitor, password"
    assert of(check, "key exchange").seen.startswith("SSH-2.0-Cisco-1.25: ecdh-sha2-nistp256")
    assert of(check, "host key").seen == "rsa-sha2-256 SHA256:3q2+7w"
    assert of(check, "show version").seen == "Cisco IOS Software, Version 15.1(4)M8"
    assert of(check, SHOW_IPSEC_SA).seen.endswith(" bytes, 1 Flow")


def test_a_refused_command_that_is_not_needed_leaves_a_device_that_can_be_polled() -> None:
    check = checked(answering())

    assert check.verdict is Verdict.DEGRADED
    assert of(check, SHOW_CRYPTO_MAP).outcome is Outcome.WARNING
    assert "tunnels that have never been up" in of(check, SHOW_CRYPTO_MAP).advice


def test_what_only_tells_about_the_device_may_be_refused() -> None:
    check = checked(answering({"show version": "Command authorization failed.\n\n"}))

    assert of(check, "show version").outcome is Outcome.OK
    assert "not needed" in of(check, "show version").seen


def test_weak_algorithms_and_an_unverified_key_are_named() -> None:
    facts = replace(FACTS, weak=("ssh-rsa", "3des-cbc"), is_host_key_verified=False)
    check = checked(answering(facts=facts))

    assert of(check, "key exchange").outcome is Outcome.WARNING
    assert "ssh-rsa, 3des-cbc" in of(check, "key exchange").advice
    assert of(check, "host key").outcome is Outcome.WARNING


def test_lines_that_nobody_understands_are_quoted() -> None:
    text = ANSWERS[SHOW_SA_LIFETIME] + "New words of a new release\n"
    step = of(checked(answering({SHOW_SA_LIFETIME: text})), SHOW_SA_LIFETIME)

    assert step.outcome in (Outcome.WARNING, Outcome.FAILED)
    assert "New words" in step.seen


def test_its_session_is_ended() -> None:
    session = FakeSession(ANSWERS, FACTS)
    checked(unwatched(lambda _target, _timeout: session))

    assert session.is_closed


# --- one that cannot -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "done", "failed"),
    [
        (errors.NameNotResolved("no address; check"), (), StepName.RESOLVE),
        (errors.ConnectFailed("no TCP; check"), (StepName.RESOLVE,), StepName.TCP),
        (errors.ConnectFailed("not SSH; check"), LOGIN[:2], StepName.KEY_EXCHANGE),
        (errors.KeyExchangeFailed("none; check"), LOGIN[:2], StepName.KEY_EXCHANGE),
        (errors.HostKeyRejected("changed; check"), LOGIN[:3], StepName.HOST_KEY),
        (errors.AuthenticationFailed("refused; check"), LOGIN[:4], StepName.AUTHENTICATION),
        (errors.AuthenticationFailed("refused; check"), (), StepName.AUTHENTICATION),
        (errors.PromptNotFound("none; check"), LOGIN[:5], StepName.PROMPT),
        (errors.PrivilegeDenied("no enable; check"), LOGIN[:6], StepName.PRIVILEGE),
        (errors.ConnectionClosed("closed; check"), LOGIN[:7], StepName.PAGING),
        (errors.AnswerTimeout("silent; check"), LOGIN[:2], StepName.KEY_EXCHANGE),
    ],
)
def test_the_step_that_fails_is_the_one_that_is_blamed(
    error: errors.CollectionError, done: tuple[StepName, ...], failed: StepName
) -> None:
    check = checked(failing(error, *done))
    told = outcomes(check)
    at = LOGIN.index(failed)

    assert check.verdict is Verdict.FAILED
    assert told[failed] is Outcome.FAILED
    assert of(check, failed).advice == "check"
    assert {told[name] for name in LOGIN[:at]} <= {Outcome.OK}
    assert {told[name] for name in LOGIN[at + 1 :]} <= {Outcome.NOT_REACHED}
    assert told[SHOW_IPSEC_SA] is Outcome.NOT_REACHED


def test_steps_that_were_timed_have_their_seconds_and_others_none() -> None:
    check = checked(failing(errors.AuthenticationFailed("refused"), StepName.RESOLVE))

    assert of(check, "resolve").seconds == 0.25
    assert of(check, "resolve").seen == "resolve seen"
    assert of(check, "tcp").seconds is None


@pytest.mark.parametrize(
    "error",
    [
        errors.ConnectFailed("bastion: no TCP; check"),
        errors.AuthenticationFailed("bastion: refused; check"),
        errors.HostKeyRejected("bastion: changed; check"),
    ],
)
def test_behind_a_jump_host_the_way_begins_there(error: errors.CollectionError) -> None:
    jump = JumpHost(
        name="bastion",
        host="198.51.100.1",
        port=22,
        username="monitor",
        host_keys=AnyHostKey(),
        connect_timeout=1,
    )
    check = checked(
        failing(error),
        lambda: replace(TARGET, jumps=(jump,)),
    )

    assert outcomes(check)["jump"] is Outcome.FAILED
    assert outcomes(check)["key exchange"] is Outcome.NOT_REACHED
    assert "tcp" not in outcomes(check)


def test_a_secret_that_cannot_be_had_is_told_before_anything_is_sent() -> None:
    def target() -> Target:
        raise CredentialError("tacacs", "password", "file /x", "is missing", "create it")

    check = checked(failing(AssertionError("never opened")), target)

    assert of(check, "credential").outcome is Outcome.FAILED
    assert of(check, "credential").advice == "create it"
    assert outcomes(check)["resolve"] is Outcome.NOT_REACHED


def test_without_the_ipsec_sas_a_device_cannot_be_polled() -> None:
    check = checked(answering({SHOW_IPSEC_SA: "Command authorization failed.\n"}))

    assert of(check, SHOW_IPSEC_SA).outcome is Outcome.FAILED
    assert check.verdict is Verdict.FAILED


def test_one_table_of_ike_sas_may_be_refused_and_not_both() -> None:
    one = checked(answering({SHOW_CRYPTO_MAP: ""}))
    both = checked(answering({SHOW_ISAKMP_SA: REFUSED}))

    assert one.verdict is Verdict.GOOD
    assert both.verdict is Verdict.FAILED


def test_a_table_that_the_account_may_not_read_is_a_warning() -> None:
    check = checked(answering({SHOW_IKEV2_SA: "Command authorization failed.\n"}))

    assert of(check, SHOW_IKEV2_SA).outcome is Outcome.WARNING


def test_after_a_command_without_an_answer_no_other_is_sent() -> None:
    check = checked(
        answering({SHOW_ISAKMP_SA: errors.AnswerTimeout("silent; wait", evidence="Site1#sh")})
    )
    told = outcomes(check)

    assert told[SHOW_IPSEC_SA] is Outcome.OK
    assert told[SHOW_ISAKMP_SA] is Outcome.FAILED
    assert "'Site1#sh'" in of(check, SHOW_ISAKMP_SA).seen
    assert told[SHOW_IKEV2_SA] is Outcome.NOT_REACHED


# --- how it is shown -------------------------------------------------------------------------------------------------


def redact(text: str) -> str:
    return text.replace("planted-secret", "***")


def test_no_line_is_wider_than_the_terminal_and_no_escape_gets_through() -> None:
    error = errors.AuthenticationFailed(
        "refused \x1b[2J " + "planted-secret and so on " * 20 + "; check the user name"
    )
    lines = list(check_lines(checked(failing(error)), redact, 80))
    styled = "".join(lines)
    shown = [click.unstyle(line) for line in lines]
    text = "\n".join(shown)

    assert "planted-secret" not in text
    assert "\\x1b[2J" in text
    assert "\x1b[2J" not in styled
    assert "-> check the user name" in text
    assert shown[-1] == "Site1 cannot be polled: failed at authentication."
    assert max(map(len, shown)) <= 80


def test_as_json_it_holds_every_step_and_no_secret() -> None:
    document = check_document(
        checked(failing(errors.AuthenticationFailed("planted-secret refused; check"))), redact
    )

    assert "planted-secret" not in json.dumps(document)
    assert document["verdict"] == "failed"
    assert document["session"] is None
    assert {"name": "tcp", "outcome": "ok", "seconds": None, "seen": "", "advice": ""} in (
        document["steps"] if isinstance(document["steps"], list) else []
    )


# --- against an emulated device ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Generator[DemoLab]:
    with DemoLab(tmp_path_factory.mktemp("lab"), speed=1.0, interval=5.0) as lab:
        yield lab


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return ipsecmon("check-device", *arguments)


def test_an_emulated_router_can_be_polled(demo: DemoLab) -> None:
    done = run("Site1", "--config", demo.write_config(0), "--json")
    document = json.loads(done.stdout)

    assert (done.returncode, done.stderr) == (0, "")
    assert document["verdict"] in ("good", "degraded")
    assert {step["outcome"] for step in document["steps"]} <= {"ok", "warning"}


def test_one_that_refuses_the_listing_cannot(demo: DemoLab) -> None:
    demo.lab.set_fault("Site1", refuse=(SHOW_IPSEC_SA,))
    try:
        done = run("Site1", "--config", demo.write_config(0))
    finally:
        demo.lab.clear_faults("Site1")

    assert done.returncode == 1
    assert "FAILED" in done.stdout
    assert "Site1 cannot be polled: failed at show crypto ipsec sa." in done.stdout


def test_a_device_that_is_not_in_the_configuration_is_wrong_use(demo: DemoLab) -> None:
    done = run("Site7", "--config", demo.write_config(0))

    assert done.returncode == 2
    assert "no device 'Site7' in the configuration" in done.stderr


@pytest.mark.slow
def test_a_device_that_hangs_costs_no_more_than_the_timeout(demo: DemoLab) -> None:
    demo.lab.set_fault("Site1", hang=True)
    try:
        done = run("Site1", "--config", demo.write_config(0), "--timeout", "3", "--json")
    finally:
        demo.lab.clear_faults("Site1")
    document = json.loads(done.stdout)

    assert done.returncode == 1
    assert document["seconds"] < 10
    assert [step["name"] for step in document["steps"] if step["outcome"] == "failed"] == [
        "show version"
    ]
