"""Secrets are planted wherever a secret can be, everything is run that can go well or wrong, and no text shows any of them.

Routers of the lab over real SSH, then sessions that do what no lab does: a device that echoes what was typed, an error that quotes
it. All that the service writes is collected: the log with every library at its most talkative, pages, metrics, JSON with raw
outputs, the history down to its bytes, what the commands print, exceptions. Then it is searched.
"""

from __future__ import annotations

import io
import json
import logging
import sqlite3
import traceback
import zlib
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh
import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from fake_vault import FakeVault
from ipsecmon.cli import main
from ipsecmon.config import load_config
from ipsecmon.dump import result_document
from ipsecmon.errors import AnswerTimeout, PromptNotFound
from ipsecmon.history import History
from ipsecmon.lab.ssh import Lab
from ipsecmon.lab.topology import Topology, two_sites
from ipsecmon.log import Redactor, setup_logging, written
from ipsecmon.metrics import ExporterFacts
from ipsecmon.model import PollResult, RawOutput, Reason
from ipsecmon.poller import Poller
from ipsecmon.sessions import OpenSession, Session, Target
from ipsecmon.sessions.napalm_session import open_napalm_session
from ipsecmon.web import WebContext, create_app
from ipsecmon_parsers.registry import SHOW_IPSEC_SA, SHOW_ISAKMP_SA

PASSWORD = 'pl4nted-"login"\\ö'
ENABLE = "pl4nted-'enable'%&x"
WRONG_PASSWORD = "pl4nted-wrong-login<b>"
WRONG_ENABLE = "pl4nted-wrong-enable"
PASSPHRASE = "pl4nted passphrase"
VAULT_TOKEN = "pl4nted-vault-token"
PRE_SHARED_KEY = "pl4nted-pre-shared"
# in whatever form it is written, twice escaped for instance, this part of a secret stays as it is
COMMON = "pl4nted"
SECRETS = (
    PASSWORD,
    ENABLE,
    WRONG_PASSWORD,
    WRONG_ENABLE,
    PASSPHRASE,
    VAULT_TOKEN,
    PRE_SHARED_KEY,
)
TALKATIVE = (
    "asyncssh",
    "paramiko",
    "paramiko.transport",
    "netmiko",
    "urllib3",
    "hvac",
    "apscheduler",
)
OUTPUTS = Path(__file__).parent.parent / "parsers" / "outputs" / "ios"


def shows(text: str) -> list[str]:
    """The secrets that a text shows in one of the forms in which they are written, or what they have in common."""
    found = [secret for secret in SECRETS if any(form in text for form in written(secret))]
    return found or ([COMMON] if COMMON in text else [])


@dataclass
class Everything:
    """All that was written, by where, and the results of the polls."""

    texts: dict[str, str] = field(default_factory=dict[str, str])
    results: dict[str, PollResult] = field(default_factory=dict[str, PollResult])

    def cause(self, device: str) -> str:
        error = self.results[device].error
        assert error is not None
        return error.cause


def planted_sites() -> Topology:
    sites = two_sites()
    routers = tuple(
        router.model_copy(
            update={
                "password": PASSWORD,
                "enable_secret": ENABLE,
                "pre_shared_keys": dict.fromkeys(router.pre_shared_keys, PRE_SHARED_KEY),
            }
        )
        for router in sites.routers
    )
    return sites.model_copy(update={"routers": routers})


def write_config(folder: Path, lab: Lab, vault: FakeVault) -> Path:
    """Credentials from every source, each used by devices that are all the same two routers."""
    key = asyncssh.generate_private_key("ssh-ed25519")  # pyright: ignore[reportUnknownMemberType] # untyped **kwargs
    (folder / "id").write_bytes(
        key.export_private_key(passphrase=PASSPHRASE, rounds=1, ignore_few_rounds=True)
    )
    for name, secret in (("password", PASSWORD), ("enable", ENABLE), ("passphrase", PASSPHRASE)):
        (folder / name).write_text(secret, encoding="utf-8")
    (folder / "known_hosts").write_text(lab.known_hosts, encoding="utf-8")
    vault.data["/v1/secret/data/lab"] = {"data": {"password": PASSWORD}}
    vault.tokens.add(VAULT_TOKEN)
    (_, first), (_, second) = lab.endpoints.values()
    devices = {
        "good": ("good", first),
        "vaulted": ("vaulted", second),
        "wrong": ("wrong", first),
        "powerless": ("powerless", second),
        "keyed": ("keyed", second),
        "secretless": ("secretless", second),
        **dict.fromkeys(("echoing", "silent", "promptless", "crashing"), ("good", first)),
    }
    lines = "".join(
        f"  - {{name: {name}, host: 127.0.0.1, port: {port}, platform: ios, credentials: {login}}}\n"
        for name, (login, port) in devices.items()
    )
    path = folder / "ipsecmon.yml"
    path.write_text(
        f"""\
poll: {{interval: 10s, read_timeout: 1s, connect_timeout: 5s}}
vault: {{address: '{vault.address}', token: {VAULT_TOKEN}}}
credentials:
  good: {{username: monitor, password: {{file: password}}, enable: {{file: enable}}}}
  vaulted: {{username: monitor, password: {{vault: {{path: lab, key: password}}}}, enable: {{command: [cat, {folder}/enable]}}}}
  wrong: {{username: monitor, password: {{env: PLANTED_WRONG}}}}
  powerless: {{username: monitor, password: {{file: password}}, enable: {WRONG_ENABLE}}}
  keyed: {{username: monitor, key: id, passphrase: {{file: passphrase}}, password: {{file: password}}, enable: {{file: enable}}}}
  secretless: {{username: monitor, password: {{command: [sh, -c, 'echo "$PLANTED_WRONG" >&2; exit 3']}}}}
devices:
{lines}"""
    )
    path.chmod(0o600)
    return path


class Echoing(Session):
    """Gives back what was typed at its prompt among its answers."""

    def __init__(self, target: Target) -> None:
        self._typed = f"{target.enable_secret}\n{target.password}\n"

    def run(self, command: str, timeout: float) -> RawOutput:  # noqa: ARG002 # a session's
        folder = OUTPUTS / command.replace(" ", "_") / "tutorial"
        known = command in (SHOW_ISAKMP_SA, SHOW_IPSEC_SA)
        text = (folder / "output.txt").read_text("utf-8") if known else "% Invalid input detected\n"
        return RawOutput(command=command, text=text + self._typed, started_at=1.0, ended_at=2.0)

    def is_alive(self) -> bool:
        return True

    def close(self) -> None:
        pass


def open_as_planned(target: Target, timeout: float) -> Session:
    """What no lab does, by the device's name; the others are opened as ever."""
    password, enable = target.password, target.enable_secret
    match target.device:
        case "echoing":
            return Echoing(target)
        case "silent":
            raise AnswerTimeout(f"no answer; the last was {enable!r}", evidence=f"{enable}")
        case "promptless":
            raise PromptNotFound(f"no prompt; the last was {password!r}", evidence=f"{password}")
        case "crashing":
            raise RuntimeError({"password": password}, enable) from KeyError(password)
        case _:
            return open_napalm_session(target, timeout)


@contextmanager
def talkative(stream: io.StringIO) -> Generator[Redactor]:
    levels = {name: logging.getLogger(name).level for name in TALKATIVE}
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    redactor = setup_logging("debug", stream=stream)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.DEBUG)
    try:
        yield redactor
    finally:
        for name, old in levels.items():
            logging.getLogger(name).setLevel(old)
        root.handlers[:] = before
        root.setLevel(level)


def run_everything(folder: Path, open_session: OpenSession = open_as_planned) -> Everything:
    done = Everything()
    with Lab(planted_sites(), warm_up=60) as lab, FakeVault() as vault:
        path = write_config(folder, lab, vault)
        stream = io.StringIO()
        with talkative(stream) as redactor:
            poll_all(done, path, lab, redactor, open_session)
        done.texts["log"] = stream.getvalue()
        done.texts["check-config"] = (
            CliRunner().invoke(main, ["check-config", "--config", str(path)]).output
        )
        broken = folder / "broken.yml"
        broken.write_text(path.read_text() + f"  - {{name: {PASSPHRASE!r}\n")
        broken.write_text(path.read_text().replace("username: monitor,", "user: monitor,"))
        done.texts["broken"] = (
            CliRunner().invoke(main, ["check-config", "--config", str(broken)]).output
        )
        done.texts["events"] = (
            CliRunner().invoke(main, ["events", "--config", str(path), "--raw"]).output
        )
    return done


def poll_all(
    done: Everything, path: Path, lab: Lab, redactor: Redactor, open_session: OpenSession
) -> None:
    config = load_config(path)
    history_file = config.history.path
    assert history_file is not None
    with closing(History(history_file, redact=redactor.redact)) as history:
        poller = Poller(config, redactor, open_session, history=history)
        for device in config.devices:
            done.results[device.name] = poller.poll(device.name)
        for fault in ({"hang": True}, {"cut_after": 300}, {"refuse": (SHOW_IPSEC_SA,)}):
            router = next(iter(lab.endpoints))
            lab.set_fault(router, **fault)
            done.results[f"good, {fault}"] = poller.poll("good")
            lab.clear_faults(router)
        poller.poll("good")
        collect_web(done, poller)
        poller.close()
    collect_history(done, history_file)
    for name, result in done.results.items():
        done.texts[f"result of {name}"] = f"{result!r}" + json.dumps(
            result_document(result, raw=True), ensure_ascii=False
        )
    for name in ("wrong", "powerless"):
        done.texts[f"exception of {name}"] = exception_text(poller, name)
    done.texts["configuration"] = f"{config!r} {config.model_dump_json()}"


def exception_text(poller: Poller, device: str) -> str:
    """All that an exception of a login says of itself and of those behind it."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 # whichever it is
        open_napalm_session(poller.target(device), 10.0)
    chain: list[BaseException] = []
    one: BaseException | None = caught.value
    while one is not None:
        chain.append(one)
        one = one.__cause__ or one.__context__
    shown = " ".join(f"{error!r} {error} {error.args!r} {vars(error)!r}" for error in chain)
    return shown + "".join(traceback.format_exception(caught.value))


def collect_web(done: Everything, poller: Poller) -> None:
    context = WebContext(
        store=poller.store,
        stale_after=dict.fromkeys(done.results, 180.0),
        facts=lambda: ExporterFacts(sessions_open=0, jobs_missed=0),
        clock=lambda: 1010.0,
    )
    client = TestClient(create_app(context))
    for path in ("/", "/metrics", "/api/v1/devices?raw=true", "/api/v1/devices/echoing?raw=true"):
        done.texts[f"page {path}"] = client.get(path).text


def collect_history(done: Everything, path: Path) -> None:
    for file in path.parent.glob(path.name + "*"):
        done.texts[f"bytes of {file.name}"] = file.read_bytes().decode("utf-8", "replace")
    with closing(sqlite3.connect(path)) as database:
        query = "SELECT name FROM sqlite_master WHERE type = 'table'"
        rows = [
            row
            for (table,) in database.execute(query).fetchall()
            for row in database.execute(f"SELECT * FROM {table}")  # noqa: S608 # its own tables
        ]
    blobs = [value for row in rows for value in row if isinstance(value, bytes)]
    assert blobs
    done.texts["unpacked history"] = "\n".join(map(unpacked, blobs))


def unpacked(blob: bytes) -> str:
    try:
        return zlib.decompress(blob).decode("utf-8", "replace")
    except zlib.error:
        return blob.decode("utf-8", "replace")


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Everything:
    folder = tmp_path_factory.mktemp("planted")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLANTED_WRONG", WRONG_PASSWORD)
        return run_everything(folder)


def test_no_text_shows_a_planted_secret(everything: Everything) -> None:
    assert {
        where: found for where, text in everything.texts.items() if (found := shows(text))
    } == {}


def test_everything_that_was_to_happen_did(everything: Everything) -> None:
    """Nothing above means anything if the logins, the failures and the echoes were not there."""
    reasons = {
        name: result.error.reason if result.error else None
        for name, result in everything.results.items()
    }

    assert reasons == {
        "good": None,
        "vaulted": None,
        "keyed": None,
        "wrong": Reason.AUTH,
        "powerless": Reason.PRIVILEGE,
        "secretless": Reason.AUTH,
        "echoing": None,
        "silent": Reason.TIMEOUT,
        "promptless": Reason.PROMPT,
        "crashing": Reason.OTHER,
        "good, {'hang': True}": Reason.TIMEOUT,
        "good, {'cut_after': 300}": Reason.CLOSED,
        "good, {'refuse': ('show crypto ipsec sa',)}": Reason.REFUSED,
    }
    assert "the last was '***'" in everything.cause("promptless")
    assert "ended with exit code 3" in everything.cause("secretless")


def test_an_echo_is_hidden_in_what_is_kept(everything: Everything) -> None:
    echoed = everything.results["echoing"].outputs[0].text

    assert echoed.endswith("\n***\n***\n")


def test_the_log_was_talkative(everything: Everything) -> None:
    log = everything.texts["log"]

    assert " DEBUG paramiko.transport: " in log
    assert "RuntimeError" in log
    assert "***" in log


def test_the_search_finds_every_form() -> None:
    for secret in SECRETS:
        for text in (secret, repr(secret), json.dumps(secret), f"{secret.encode()!r}"):
            assert shows(f"before {text} behind") == [secret]
