"""``ipsecmon hostkeys``: fetch the devices' host keys, show those that are known, trust those that were compared.

device  address    type     fingerprint                                         state
Site1   92.1.1.1   ssh-rsa  SHA256:uNiVztksCsDhcc0u9e8BgrJXVGDtDYJdpBlKp5IQZcQ  known
Site2   123.1.1.2  ssh-rsa  SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU  new
"""

from __future__ import annotations

import base64
import dataclasses
import difflib
import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from ipsecmon.command_line import CONFIG, EXIT_FAILED, EXIT_WRONG_USE, JSON, collect, fail
from ipsecmon.config import Config, HostKeyCheck
from ipsecmon.credentials import CredentialError
from ipsecmon.inventory import Inventory
from ipsecmon.log import setup_logging
from ipsecmon.sessions import OfferedKey
from ipsecmon.sessions.host_keys import fingerprint, refusal
from ipsecmon.sessions.key_scan import Address, Scanned, scan
from ipsecmon.sessions.known_hosts import (
    HostKeyFileError,
    HostKeyStore,
    KeyState,
    KnownKeys,
    NewKey,
)
from ipsecmon.targets import Targets
from ipsecmon_parsers.documents import Json

__all__ = ["hostkeys"]

_UNREACHABLE = "unreachable"
_NONE = "none"
_COLORS = {
    KeyState.KNOWN: "green",
    KeyState.NEW: "yellow",
    KeyState.NEW_TYPE: "yellow",
    KeyState.CHANGED: "red",
    KeyState.REVOKED: "red",
    _UNREACHABLE: "red",
    _NONE: "yellow",
}
_MOST_NAMED = 8
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One key of one address, or none of it."""

    address: Address
    key: OfferedKey | None
    state: str
    known: KnownKeys
    error: str | None = None


@click.group()
def hostkeys() -> None:
    """Fetch, show and trust the host keys of devices.

    A device whose key is not known is not logged in to: whoever answers in its place would be told the password.
    """


@hostkeys.command(name="scan")
@click.argument("devices", metavar="[DEVICE]...", nargs=-1)
@CONFIG
@JSON
@click.option(
    "--timeout",
    type=click.FloatRange(0.1, 600),
    help="Seconds for each device.  [default: poll.connect_timeout]",
)
@click.option(
    "--parallel",
    type=click.IntRange(1, 1000),
    default=50,
    show_default=True,
    help="Devices asked at the same time.",
)
def scan_command(
    devices: tuple[str, ...],
    config_file: Path,
    as_json: bool,
    timeout: float | None,
    parallel: int,
) -> None:
    """Show the keys that devices offer, all devices unless some are named.

    Nobody logs in and nothing is stored. Compare what is new with the device's own key: on its console
    `show ip ssh` prints it in base64, as --json does here.

    Exit codes: 0 every key is known or new; 1 one is changed or revoked, or a device cannot be reached.
    """
    config = collect(Inventory(config_file)).config
    store = HostKeyStore(config.host_keys.known_hosts)
    addresses = _with_ways(config, _named(config, devices))
    seconds = timeout or config.poll.connect_timeout
    rows = [
        row
        for scanned in scan(addresses, store, timeout=seconds, at_once=parallel)
        for row in _offered(scanned, store)
    ]
    _print(rows, as_json)
    _say_all(
        [
            (row, _why_not(row))
            for row in rows
            if row.error is not None or row.state not in (KeyState.KNOWN, KeyState.NEW)
        ]
    )
    new = [row.address.name for row in rows if row.state == KeyState.NEW]
    if new:
        which = "the device's own" if len(new) == 1 else "the devices' own"
        names = " ".join(new) if len(new) <= _MOST_NAMED else "--all"
        _tell(
            f"{_counted(len(new), 'new key')}; compare with {which}, then: ipsecmon hostkeys trust {names}"
        )
    if any(row.state not in (KeyState.KNOWN, KeyState.NEW) for row in rows):
        sys.exit(EXIT_FAILED)


@hostkeys.command(name="show")
@click.argument("devices", metavar="[DEVICE]...", nargs=-1)
@CONFIG
@JSON
def show_command(devices: tuple[str, ...], config_file: Path, as_json: bool) -> None:
    """Show the keys that are known, of all devices unless some are named. No device is asked."""
    config = collect(Inventory(config_file)).config
    store = HostKeyStore(config.host_keys.known_hosts)
    rows = [row for address in _named(config, devices) for row in _known(address, store)]
    _print(rows, as_json)
    if config.host_keys.check is HostKeyCheck.OFF:
        _tell("host_keys.check is off: nobody looks at these keys")
    for mistake in store.mistakes:
        _tell(f"{store.path}: {mistake}")
    if store.trouble is not None:
        _tell(f"{store.path}: {store.trouble}")
        if not store.is_missing:
            sys.exit(EXIT_FAILED)


@hostkeys.command(name="trust")
@click.argument("devices", metavar="[DEVICE]...", nargs=-1)
@CONFIG
@click.option("--all", "is_all", is_flag=True, help="Every device whose key is not known yet.")
@click.option(
    "--fingerprint",
    "expected",
    metavar="SHA256:...",
    help="Store the key with this fingerprint and no other; asks nothing.",
)
@click.option("--replace", is_flag=True, help="Take out the keys known for the device before.")
@click.option("--yes", is_flag=True, help="Ask nothing: take the keys for the devices' own.")
@click.option(
    "--timeout",
    type=click.FloatRange(0.1, 600),
    help="Seconds for each device.  [default: poll.connect_timeout]",
)
def trust_command(
    devices: tuple[str, ...],
    config_file: Path,
    is_all: bool,
    expected: str | None,
    replace: bool,
    yes: bool,
    timeout: float | None,
) -> None:
    """Store the keys that devices offer, after showing them.

    \b
    ipsecmon hostkeys trust Site1
    ipsecmon hostkeys trust Site1 --fingerprint SHA256:uNiVztksCsDhcc0u9e8BgrJXVGDtDYJdpBlKp5IQZcQ
    ipsecmon hostkeys trust Site1 --replace     after the device was exchanged
    ipsecmon hostkeys trust --all               a first roll-out

    Exit codes: 0 the keys are stored; 1 not all of them; 2 wrong use or a wrong configuration.
    """
    _check_use(devices, is_all=is_all, expected=expected)
    config = collect(Inventory(config_file)).config
    store = HostKeyStore(config.host_keys.known_hosts)
    scanned = scan(
        _with_ways(config, _named(config, devices)),
        store,
        timeout=timeout or config.poll.connect_timeout,
        every_type=expected is not None,
    )
    rows = [row for one in scanned for row in _offered(one, store)]
    if expected is not None:
        rows = [_with_fingerprint(rows, expected)]
    wanted, is_whole = _to_store(rows, replace=replace, is_all=is_all)
    if wanted:
        _print(wanted, as_json=False)
        if not (yes or expected is not None):
            _ask(len(wanted))
        _store(store, wanted, replace=replace)
    if not is_whole:
        sys.exit(EXIT_FAILED)


def _check_use(devices: Sequence[str], *, is_all: bool, expected: str | None) -> None:
    if is_all == bool(devices):
        raise click.UsageError("say which devices, or --all for every device without a known key")
    if expected is None:
        return
    if len(devices) != 1:
        raise click.UsageError("--fingerprint goes with one device")
    if _FINGERPRINT.fullmatch(expected) is None:
        raise click.UsageError(
            f"--fingerprint: found {expected!r}, accepted: SHA256: and 43 characters, as OpenSSH prints it"
        )


def _with_fingerprint(rows: Sequence[_Row], expected: str) -> _Row:
    for row in rows:
        if row.error is not None:
            _say(row, row.error)
            sys.exit(EXIT_FAILED)
        if row.key is not None and _parts(row.key)[1] == expected:
            return row
    offered = ", ".join(fingerprint(row.key) for row in rows if row.key is not None)
    _say(rows[0], f"it offers {offered}, not {expected}; nothing was stored")
    sys.exit(EXIT_FAILED)


def _to_store(rows: Sequence[_Row], *, replace: bool, is_all: bool) -> tuple[list[_Row], bool]:
    """The keys to be stored, and whether that is all that was asked for; says what is not stored and why."""
    wanted: list[_Row] = []
    not_stored: list[tuple[_Row, str]] = []
    for row in rows:
        match row.state:
            case KeyState.NEW | KeyState.NEW_TYPE:
                wanted.append(row)
            case KeyState.CHANGED if replace:
                wanted.append(row)
            case KeyState.KNOWN:
                if not is_all and row.key is not None:
                    click.echo(f"{row.address.name}: already known: {fingerprint(row.key)}")
            case _:
                not_stored.append((row, _why_not(row)))
    _say_all(not_stored)
    if not wanted and is_all and not not_stored:
        click.echo("every key is known already")
    return wanted, not not_stored


def _ask(count: int) -> None:
    if not sys.stdin.isatty():
        fail(
            "there is no terminal to ask on: say --fingerprint with the key's own, or --yes; nothing was stored",
            EXIT_WRONG_USE,
        )
    question = (
        "Is this the device's own key?" if count == 1 else f"Are these {count} the devices' own?"
    )
    if not click.confirm(f"\n{question}", err=True):
        fail("nothing was stored", EXIT_FAILED)


def _store(store: HostKeyStore, rows: Sequence[_Row], *, replace: bool) -> None:
    def new(row: _Row) -> Iterator[NewKey]:
        address = row.address
        if row.key is not None:
            yield NewKey(host=address.host, port=address.port, key=row.key, comment=address.name)

    try:
        removed = store.add([one for row in rows for one in new(row)], replace=replace)
    except HostKeyFileError as error:
        fail(str(error), EXIT_FAILED)
    click.echo(f"{store.path}: stored {_counted(len(rows), 'key')}")
    for key in removed:
        click.echo(f"taken out: {fingerprint(key)}")


# --- rows ---


def _addresses(config: Config) -> list[Address]:
    """Of all jump hosts, then of all devices."""
    jumps = config.jump_hosts.items()
    return [
        *(Address(name=name, host=jump.host, port=jump.port) for name, jump in jumps),
        *(Address(name=one.name, host=one.host, port=one.port) for one in config.devices),
    ]


def _with_ways(config: Config, addresses: Sequence[Address]) -> list[Address]:
    """The addresses with the jump hosts before them, whose secrets are read now."""
    ways = {
        **{one.name: config.settings(one).jumps for one in config.devices},
        **{name: config.jumps_before(name) for name in config.jump_hosts},
    }
    if not any(ways.values()):
        return list(addresses)
    targets = Targets(config, setup_logging("error"))
    seconds = config.poll.connect_timeout
    try:
        return [
            dataclasses.replace(one, jumps=targets.jump_hosts(ways[one.name], seconds))
            for one in addresses
        ]
    except CredentialError as error:
        fail(str(error), EXIT_FAILED)


def _named(config: Config, names: Sequence[str]) -> list[Address]:
    """Those of the configuration with these names, all of them without any; a wrong name ends the command."""
    known = {address.name: address for address in _addresses(config)}
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3)
            meant = f"; did you mean {' or '.join(near)}?" if near else ""
            fail(f"no device and no jump host {name!r} in the configuration{meant}", EXIT_WRONG_USE)
    return [known[name] for name in dict.fromkeys(names)] if names else list(known.values())


def _offered(scanned: Scanned, store: HostKeyStore) -> Iterator[_Row]:
    address = scanned.address
    known = store.known(address.host, address.port)
    for key in scanned.keys:
        yield _Row(address=address, key=key, state=known.state_of(key), known=known)
    if scanned.error is not None:
        yield _Row(address=address, key=None, state=_UNREACHABLE, known=known, error=scanned.error)


def _known(address: Address, store: HostKeyStore) -> Iterator[_Row]:
    known = store.known(address.host, address.port)
    for key in known.keys:
        yield _Row(address=address, key=key, state=KeyState.KNOWN, known=known)
    if not known.keys:
        yield _Row(address=address, key=None, state=_NONE, known=known)


# --- what is printed ---


def _print(rows: Sequence[_Row], as_json: bool) -> None:
    if as_json:
        document: Json = {"host_keys": [_document(row) for row in rows]}
        click.echo(json.dumps(document, indent=2))
        return
    table = [("device", "address", "type", "fingerprint")]
    for row in rows:
        algorithm, digest = _parts(row.key) if row.key is not None else ("-", "-")
        table.append((row.address.name, str(row.address), algorithm, digest))
    widths = [max(len(cells[column]) for cells in table) for column in range(4)]
    states = ["state", *(row.state for row in rows)]
    for cells, state in zip(table, states, strict=True):
        before = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        is_heading = cells is table[0]
        shown = state if is_heading else click.style(state, fg=_COLORS.get(state))
        click.echo(
            click.style(f"{before}  {shown}", bold=True) if is_heading else f"{before}  {shown}"
        )


def _document(row: _Row) -> Json:
    algorithm, digest = _parts(row.key) if row.key is not None else (None, None)
    return {
        "device": row.address.name,
        "host": row.address.host,
        "port": row.address.port,
        "type": algorithm,
        "fingerprint": digest,
        "key": base64.b64encode(row.key.blob).decode("ascii") if row.key is not None else None,
        "state": row.state,
        "known": [fingerprint(key) for key in row.known.keys],
        "error": row.error,
    }


def _parts(key: OfferedKey) -> tuple[str, str]:
    algorithm, digest = fingerprint(key).split()
    return algorithm, digest


def _counted(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count} {what}s"


def _why_not(row: _Row) -> str:
    refused = refusal(row.known, row.key, row.address.name) if row.key else row.error
    return refused or ""


def _say_all(told: Sequence[tuple[_Row, str]]) -> None:
    """Once what is the same for many, such as the devices behind one jump host."""
    names: dict[str, list[str]] = {}
    for row, message in told:
        names.setdefault(message, []).append(row.address.name)
    for message, whose in names.items():
        more = len(whose) - _MOST_NAMED
        rest = f" and {more} more" if more > 0 else ""
        _tell(f"{', '.join(whose[:_MOST_NAMED])}{rest}: {message}")


def _say(row: _Row, message: str) -> None:
    _tell(f"{row.address.name}: {message}")


def _tell(message: str) -> None:
    click.echo(f"ipsecmon: {message}", err=True)
