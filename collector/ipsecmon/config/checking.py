"""The values of a configuration file against the models: every mistake, in the words of a network engineer.

pydantic finds the mistakes, this file says them. The contradictions between parts (two devices of one name, a credential
that does not exist) are looked for here and not in the models: a model stops at its first broken part, and one typo
would hide them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path
from types import UnionType
from typing import get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ipsecmon.config.document import BROKEN, Block, Items, Position, describe
from ipsecmon.config.inheritance import flattened, joined, lineage
from ipsecmon.config.mistakes import (
    KEYS_WITH_SECRETS,
    SECRET_SECTIONS,
    Mistake,
    NotAccepted,
    key_path,
    listed,
    meant,
    quoted,
)
from ipsecmon.config.models import NO_JUMP, Config, Device, Poll, Source
from ipsecmon.config.parts import SECTIONS, Whole
from ipsecmon.config.readings import NAME, Reading, duration_text, read_duration
from ipsecmon.config.secret_sources import is_vault_reference, read_yes_no
from ipsecmon.config.settings import PollTier
from ipsecmon.config.tunnel_readings import LinkEnds, read_identity, read_link
from ipsecmon.errors import IpsecmonError
from ipsecmon_parsers.errors import TemplatesRefused

__all__ = ["DeviceReader", "DeviceRefused", "check", "check_part"]

Where = tuple[str | int, ...]

# what a source of each kind may have beside it
KEYS_OF_SOURCES = {
    "file": (),
    "file_sd": ("groups",),
    "http_sd": ("token", "headers", "ca", "refresh", "groups"),
    "nornir": ("options", "refresh", "groups"),
}


def check(together: Whole, path: Path) -> tuple[Config | None, list[Mistake]]:
    config: Config | None = None
    details: list[ErrorDetails] = []
    root = together.root
    whole = with_whole_devices(root)
    try:
        config = Config.model_validate(whole, context=path.parent)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
    mistakes = Mistakes(whole, path, together.numbers)
    for detail in details:
        add_in_words(mistakes, detail)
    add_no_devices(mistakes, root)
    for part, name in together.equal_groups:
        add_equal_group(mistakes, part, name)
    add_sources_of_no_kind(mistakes, root)
    add_equal_names(mistakes, root)
    add_unknown_names(mistakes, root)
    add_credentials_without_login(mistakes, root)
    add_contradictory_vault(mistakes, root)
    add_circles(mistakes, root)
    add_deadlines_out_of_order(mistakes, root)
    add_devices_always_stale(mistakes, whole)
    add_plans_of_nothing(mistakes, whole)
    add_tunnels_without_identity(mistakes, root)
    add_equal_tunnels(mistakes, root)
    add_unknown_devices(mistakes, root)
    add_contradictory_links(mistakes, root)
    return config, [*mistakes.found, *mistakes.in_templates]


def with_whole_devices(root: Block) -> Block:
    """The same with each device as its groups and the defaults make it."""
    items = root.get("devices")
    if not isinstance(items, Items):
        return root
    groups, defaults = block_at(root, "groups"), block_at(root, "defaults")
    whole = Items()
    whole.item_at = items.item_at
    whole += [
        flattened(item, groups, defaults) if isinstance(item, Block) else item for item in items
    ]
    result = joined(root)
    result["devices"] = whole
    return result


def check_part(part: Block, path: Path) -> list[Mistake]:
    """What is wrong with a file of devices as a whole; its items are checked with those of the other files."""
    mistakes = Mistakes(part, path)
    for key in part:
        if key not in SECTIONS:
            found = f"an unknown key{meant(key, SECTIONS)}"
            mistakes.add((key,), found, listed(SECTIONS))
            continue
        value, expected = part[key], Block if key == "groups" else Items
        if not isinstance(value, expected) and value is not BROKEN:
            mistakes.add((key,), describe(value, hide=False), in_words(annotation_at((key,))))
    return mistakes.found


class Mistakes:
    """Collects mistakes and finds the place of each."""

    def __init__(
        self, root: Block, path: Path, numbers: Mapping[tuple[str, int], int] | None = None
    ) -> None:
        """``numbers``: of items that other files brought, in their own file."""
        self.found: list[Mistake] = []
        self.in_templates: list[Mistake] = []
        self._root = root
        self.file = str(path)
        self._numbers = numbers or {}
        # a mapping behind several aliases has its mistake once
        self._seen: set[tuple[Position, str | int, str, str]] = set()

    def add(self, where: Where, found: str, accepted: str, *, at: Where | None = None) -> None:
        self.add_at(self.position(where if at is None else at), where, found, accepted)

    def add_at(self, position: Position, where: Where, found: str, accepted: str) -> None:
        mistake = (position, where[-1], found, accepted)
        if mistake in self._seen:
            return
        self._seen.add(mistake)
        self.found.append(
            Mistake(
                file=position.file or self.file,
                line=position.line,
                column=position.column,
                key=key_path(self._in_own_file(where)),
                found=found,
                accepted=accepted,
            )
        )

    def line(self, first: Where, here: Where) -> str:
        """``line 3``, with its file if ``here`` is in another one."""
        at = self.position(first)
        elsewhere = "" if at.file == self.position(here).file else f" of {at.file or self.file}"
        return f"line {at.line}{elsewhere}"

    def _in_own_file(self, where: Where) -> Where:
        match where:
            case (str(section), int(index), *rest):
                return (section, self._numbers.get((section, index), index), *rest)
            case _:
                return where

    def add_templates(self, where: Where, refused: TemplatesRefused) -> None:
        """The mistakes in templates, each at its place; that there is no such folder is a mistake of the key."""
        for mistake in refused.mistakes:
            if mistake.file == str(refused.folder):
                self.add(where, f"{mistake.found} at {quoted(mistake.file)}", mistake.accepted)
                continue
            self.in_templates.append(
                Mistake(
                    file=mistake.file,
                    line=mistake.line,
                    column=0,
                    key=mistake.field,
                    found=mistake.found,
                    accepted=mistake.accepted,
                )
            )

    def position(self, where: Where) -> Position:
        """Of the key, or of the item of a list; of what encloses it when it is not there."""
        at = min(self._root.key_at.values(), default=Position(1, 1))
        value: object = self._root
        for step in where:
            if isinstance(value, Block) and step in value.key_at:
                at, value = value.key_at[str(step)], value[str(step)]
            elif isinstance(value, Items) and isinstance(step, int) and step < len(value):
                at, value = value.item_at[step], value[step]
            else:
                break
        return at

    def value(self, where: Where) -> object:
        value: object = self._root
        for step in where:
            if isinstance(value, Block):
                value = value[str(step)]
            elif isinstance(value, Items) and isinstance(step, int):
                value = value[step]
        return value


PLAN_OF_NOTHING = ("every kind of command off", "a duration for counts, tables or configuration")


class DeviceRefused(IpsecmonError, ValueError):
    """What a source says of a device cannot be used; says why in one sentence."""


class DeviceReader:
    """Makes devices of what a source says of them, with what they inherit from this configuration."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._groups = {
            name: group.model_dump(exclude_unset=True) for name, group in config.groups.items()
        }
        self._defaults = config.defaults.model_dump(exclude_unset=True)

    def read(self, said: Mapping[str, object]) -> Device:
        """``said`` has the keys of ``devices``, values as in a file or of the final type; raises ``DeviceRefused``."""
        whole = flattened(said, self._groups, self._defaults)
        for wrong in wrong_with(whole, self._config):
            raise DeviceRefused(wrong)
        return Device.model_validate(whole)


def wrong_with(device: Block, config: Config) -> Iterator[str]:
    """All that is wrong with a device from elsewhere, in the words that a file of devices gets."""
    root, items = Block(), Items()
    items.append(device)
    items.item_at.append(Position(0, 0))
    root["devices"] = items
    mistakes = Mistakes(root, Path())
    try:
        made = Device.model_validate(device)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False):
            detail["loc"] = ("devices", 0, *detail["loc"])
            add_in_words(mistakes, detail)
    else:
        for key, name, known in (
            ("credentials", made.credentials, config.credentials),
            ("jump", made.jump or NO_JUMP, (*config.jump_hosts, NO_JUMP)),
            *(("groups", group, config.groups) for group in made.groups),
        ):
            if name not in known:
                mistakes.add(("devices", 0, key), f"{quoted(name)}", f"one of {listed(known)}")
        if not mistakes.found:
            settings = config.settings(made)
            if not settings.plan.every:
                mistakes.add(("devices", 0, "plan"), *PLAN_OF_NOTHING)
            pace = max(settings.timing.interval, settings.plan.every.get(PollTier.TABLES, 0.0))
            if pace >= settings.timing.stale_after:
                limit = f"less than 'stale_after' ({duration_text(settings.timing.stale_after)})"
                mistakes.add(("devices", 0, "interval"), quoted(duration_text(pace)), limit)
    for mistake in mistakes.found:
        key = mistake.key.removeprefix("devices[0]").lstrip(".")
        yield f"{key}: found {mistake.found}, accepted: {mistake.accepted}"


def add_in_words(mistakes: Mistakes, detail: ErrorDetails) -> None:
    """One error of pydantic as a mistake."""
    if detail["type"] == "default_factory_not_called":
        return  # a default that follows from a key with a mistake of its own
    where = detail["loc"]
    if detail["type"] == "too_short" and mistakes.value(where):
        return  # items are there, all with mistakes of their own
    is_secret = where[0] in SECRET_SECTIONS or (
        where[0] == "inventory" and not KEYS_WITH_SECRETS.isdisjoint(where[2:3])
    )
    if detail["type"] == "missing":
        may_inherit = where[0] == "devices" and where[-1] in ("platform", "credentials")
        elsewhere = " here, in its groups or under 'defaults'" if may_inherit else ""
        found = f"no such key{elsewhere}"
        is_login = may_inherit and where[-1] == "credentials"
        accepted = "a name under 'credentials'" if is_login else in_words(annotation_at(where))
        mistakes.add(where, found, accepted, at=where[:-1])
    elif detail["type"] == "extra_forbidden":
        *parent, key = where
        keys = keys_of(annotation_at(tuple(parent)))
        mistakes.add(where, f"an unknown key{meant(str(key), keys)}", listed(keys))
    elif where[-1] == "[key]" and origin_of(annotation_at(where[:-2])) is dict:
        accepted = in_words(get_args(annotation_at(where[:-2]))[0])
        mistakes.add(where[:-1], "a name that cannot be used", accepted)
    elif (value := mistakes.value(where)) is not BROKEN:
        error = detail.get("ctx", {}).get("error")
        if isinstance(error, TemplatesRefused):
            mistakes.add_templates(where, error)
            return
        accepted = error.accepted if isinstance(error, NotAccepted) else ""
        found = describe(value, hide=is_secret)
        mistakes.add(where, found, accepted or in_words(annotation_at(where)))


def add_no_devices(mistakes: Mistakes, root: Block) -> None:
    if root.get("inventory"):
        return
    accepted = f"{in_words(annotation_at(('devices',)))}, or a source under 'inventory'"
    if "devices" not in root:
        mistakes.add(("devices",), "no such key", accepted)
    elif root["devices"] == []:
        mistakes.add(("devices",), "an empty list", accepted)


def add_equal_group(mistakes: Mistakes, part: Block, name: str) -> None:
    at = block_at(part, "groups").key_at[name]
    first = mistakes.position(("groups", name))
    found = f"{quoted(name)} again, first on line {first.line}"
    elsewhere = f" of {first.file or mistakes.file}"
    mistakes.add_at(at, ("groups", name), found + elsewhere, "a name of its own for each group")


def add_sources_of_no_kind(mistakes: Mistakes, root: Block) -> None:
    """A source is of one kind, and has the keys of that kind only."""
    for where, source in blocks_of(root, "inventory"):
        kinds = [kind for kind in KEYS_OF_SOURCES if kind in source]
        if len(kinds) != 1:
            found = f"{' and '.join(kinds)} in one source" if kinds else "a source of no kind"
            mistakes.add(where, found, f"one of {listed(KEYS_OF_SOURCES)}")
            continue
        known = KEYS_OF_SOURCES[kinds[0]]
        for key in source:
            if key in Source.model_fields and key not in (kinds[0], *known):
                accepted = f"{listed(known)}" if known else "nothing"
                mistakes.add((*where, key), f"'{key}' beside '{kinds[0]}'", accepted)


def add_equal_names(mistakes: Mistakes, root: Block) -> None:
    first: dict[str, Where] = {}
    for where, device in devices(root):
        name = device.get("name")
        if not isinstance(name, str) or not NAME.fullmatch(name):
            continue
        if name not in first:
            first[name] = (*where, "name")
            continue
        # a name that came through an alias stands where the first one stands: point at the device instead
        here = (*where, "name")
        at = where if mistakes.position(here) == mistakes.position(first[name]) else here
        found = f"{quoted(name)} again, first on {mistakes.line(first[name], at)}"
        mistakes.add(here, found, "a name of its own for each device", at=at)


def add_unknown_names(mistakes: Mistakes, root: Block) -> None:
    """Credentials, jump hosts and groups that are used and not there."""
    users = [
        *devices(root),
        *named_blocks(root, "groups"),
        *named_blocks(root, "jump_hosts"),
        *blocks_of(root, "inventory"),
        (("defaults",), block_at(root, "defaults")),
        (("ssh",), block_at(root, "ssh")),
    ]
    for key, section in (
        ("credentials", "credentials"),
        ("jump", "jump_hosts"),
        ("via", "jump_hosts"),
    ):
        known = root.get(section, Block())
        if not isinstance(known, Block) or (key == "credentials" and section not in root):
            continue
        for where, user in users:
            add_unknown_name(mistakes, (*where, key), user.get(key), section, known)
    known = root.get("groups", Block())
    for where, user in users:
        names = user.get("groups")
        if isinstance(names, Items) and isinstance(known, Block):
            for index, name in enumerate(names):
                add_unknown_name(mistakes, (*where, "groups", index), name, "groups", known)


def add_unknown_name(
    mistakes: Mistakes, where: Where, name: object, section: str, known: Block
) -> None:
    if not isinstance(name, str) or not NAME.fullmatch(name) or name in known:
        return
    if where[-1] == "jump" and name == NO_JUMP:
        return
    names = f"a name under '{section}'" + (f": {listed(known)}" if known else "")
    accepted = f"{names}, or {NO_JUMP}" if where[-1] == "jump" else names
    mistakes.add(where, f"{quoted(name)}{meant(name, known)}", accepted)


def add_circles(mistakes: Mistakes, root: Block) -> None:
    """Groups that take settings from themselves, and jump hosts that are reached through themselves."""
    groups = block_at(root, "groups")
    for where, group in named_blocks(root, "groups"):
        if where[1] in [name for name, _ in lineage(group, groups)]:
            found = f"a circle that leads back to {quoted(str(where[1]))}"
            mistakes.add((*where, "groups"), found, "groups without a circle")
    jumps = block_at(root, "jump_hosts")
    if NO_JUMP in jumps:
        mistakes.add(("jump_hosts", NO_JUMP), f"the name {NO_JUMP}", "another name for a jump host")
    for where, _ in named_blocks(root, "jump_hosts"):
        if where[1] in way_before(str(where[1]), jumps):
            found = f"a circle that leads back to {quoted(str(where[1]))}"
            mistakes.add((*where, "via"), found, "jump hosts without a circle")


def way_before(name: str, jumps: Block) -> list[str]:
    way: list[str] = []
    while True:
        jump = jumps.get(name)
        via = jump.get("via") if isinstance(jump, Block) else None
        if not isinstance(via, str) or via in way:
            return way
        way.append(via)
        name = via


def add_deadlines_out_of_order(mistakes: Mistakes, root: Block) -> None:
    """What one device or group writes side by side; what is inherited is cut to fit instead."""
    for where, one in (*devices(root), *named_blocks(root, "groups")):
        for key, limit_key in (
            ("timeout", "interval"),
            ("read_timeout", "timeout"),
            ("connect_timeout", "timeout"),
        ):
            value, limit = seconds(one.get(key)), seconds(one.get(limit_key))
            if value is not None and limit is not None and value > limit:
                accepted = f"at most '{limit_key}' ({duration_text(limit)})"
                mistakes.add((*where, key), describe(one[key], hide=False), accepted)


def add_credentials_without_login(mistakes: Mistakes, root: Block) -> None:
    """Keys of a credential that need one another: something to log in with, a key for a passphrase, Vault."""
    credentials = root.get("credentials")
    if not isinstance(credentials, Block):
        return
    for name, credential in credentials.items():
        if not isinstance(credential, Block):
            continue
        where: Where = ("credentials", str(name))
        if not credential.keys() & {"password", "key"} and not is_yes(credential.get("agent")):
            accepted = "'password', 'key', 'agent: true' or several of them"
            mistakes.add(where, "nothing to log in with", accepted)
        if "passphrase" in credential and "key" not in credential:
            mistakes.add((*where, "passphrase"), "no 'key' beside it", "'key', the path of a file")
        if "vault" in root:
            continue
        for key, value in credential.items():
            if is_vault_reference(value):
                accepted = "a section 'vault' with 'address' and a way to log in"
                mistakes.add(
                    (*where, str(key)), "a secret in Vault, and no section 'vault'", accepted
                )


def is_yes(value: object) -> bool:
    """``True`` too for what is no such word: that is told elsewhere."""
    try:
        return value is not None and read_yes_no(value, None)
    except ValueError:
        return True


def add_contradictory_vault(mistakes: Mistakes, root: Block) -> None:
    """One way to log in to Vault, complete, and not by a secret that lies in it."""
    vault = root.get("vault")
    if not isinstance(vault, Block):
        return
    ways = [key for key in ("token", "role_id", "kubernetes_role") if key in vault]
    if len(ways) != 1:
        found = f"{listed(ways)} together" if ways else "no way to log in"
        accepted = "one of 'token', 'role_id' with 'secret_id', 'kubernetes_role'"
        mistakes.add(("vault",), found, accepted)
    for key, other in (("role_id", "secret_id"), ("secret_id", "role_id")):
        if key in vault and other not in vault:
            mistakes.add(("vault", key), f"no '{other}' beside it", f"'{other}'")
    for key in ("token", "role_id", "secret_id"):
        if is_vault_reference(vault.get(key)):
            mistakes.add(("vault", key), "a secret in Vault", "a source outside of Vault")


def add_devices_always_stale(mistakes: Mistakes, root: Block) -> None:
    """Devices, as their groups make them, whose data is withdrawn before it is read again."""
    poll = block_at(root, "poll")
    for where, device in devices(root):
        own = "stale_after" in device
        stale_after = seconds((device if own else poll).get("stale_after"))
        if stale_after is None:
            continue
        limit = "stale_after" if own else "poll.stale_after"
        for path, pace in paces(device, poll):
            if pace < stale_after:
                continue
            if path[0] != "poll":
                found = describe(mistakes.value((*where, *path)), hide=False)
                accepted = f"less than '{limit}' ({duration_text(stale_after)})"
                mistakes.add((*where, *path), found, accepted)
            elif own:
                found = describe(device["stale_after"], hide=False)
                accepted = f"more than '{'.'.join(path)}' ({duration_text(pace)})"
                mistakes.add((*where, "stale_after"), found, accepted)


def add_plans_of_nothing(mistakes: Mistakes, root: Block) -> None:
    """Devices, as their groups make them, of which nothing would be asked."""
    poll = block_at(root, "poll")
    in_poll = block_at(poll, "plan")
    for where, device in devices(root):
        plan = {"counts": "off", **in_poll, **block_at(device, "plan")}
        if all(plan.get(tier) == "off" for tier in PollTier):
            place = (*where, "plan") if "plan" in device else ("poll", "plan")
            mistakes.add(place, *PLAN_OF_NOTHING)
            if place[0] == "poll":
                return


def paces(device: Block, poll: Block) -> Iterator[tuple[tuple[str, ...], float]]:
    """How often a device is polled and its tables are read, in seconds, and which key says so."""
    for path in (("interval",), ("plan", "tables")):
        *parents, key = path
        holders = ((device, ()), (poll, ("poll",)))
        for holder, prefix in holders:
            block = block_at(holder, parents[0]) if parents else holder
            if key in block:
                pace = seconds(block[key])
                if pace is not None:
                    yield (*prefix, *path), pace
                break
        else:
            if not parents:
                yield ("poll", "interval"), Poll().interval


def add_tunnels_without_identity(mistakes: Mistakes, root: Block) -> None:
    for where, tunnel in tunnels(root):
        for key, other in (("local", "remote"), ("remote", "local")):
            if key in tunnel and other not in tunnel:
                accepted = in_words(annotation_at((*where, other)))
                mistakes.add((*where, other), f"no such key beside '{key}'", accepted, at=where)
        if not tunnel.keys() & {"local", "remote", "interface", "peer"}:
            found = "nothing that identifies the tunnel"
            mistakes.add(where, found, "'local' and 'remote', 'interface' or 'peer'")


def add_equal_tunnels(mistakes: Mistakes, root: Block) -> None:
    """Two tunnels of one device with one name, or with everything alike that identifies them."""
    names: dict[tuple[str, str], Where] = {}
    keys: dict[tuple[object, ...], Where] = {}
    for where, tunnel in tunnels(root):
        device, name = tunnel.get("device"), tunnel.get("name")
        if not isinstance(device, str):
            continue
        if isinstance(name, str) and NAME.fullmatch(name):
            first = names.setdefault((device, name), where)
            if first != where:
                line = mistakes.line((*first, "name"), where)
                found = f"{quoted(name)} of {quoted(device)} again, first on {line}"
                mistakes.add((*where, "name"), found, "a name of its own for each tunnel")
        if (key := tunnel_key(tunnel)) is None:
            continue
        first = keys.setdefault((device, *key), where)
        if first != where:
            line = mistakes.line(first, where)
            found = f"the tunnel of {quoted(device)} that {line} has already"
            accepted = (
                "each tunnel once, or 'crypto_map', 'interface', 'vrf' or 'peer' to tell them apart"
            )
            mistakes.add(where, found, accepted)


def tunnel_key(tunnel: Block) -> tuple[object, ...] | None:
    """All that identifies a tunnel on its device, ``None`` where that has mistakes of its own or is not there."""
    values: list[object] = []
    for key in ("local", "remote", "crypto_map", "interface", "vrf", "peer"):
        value = tunnel.get(key)
        if isinstance(value, str) and key in ("local", "remote"):
            try:
                value = read_identity(value)
            except ValueError:
                return None
        elif isinstance(value, str) and key == "peer":
            value = canonical_address(value)
        elif value is not None and not isinstance(value, str):
            return None
        values.append(value)
    return None if values[:2].count(None) == 1 or not any(values) else tuple(values)


def canonical_address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        return text


def add_unknown_devices(mistakes: Mistakes, root: Block) -> None:
    known = device_names(root)
    if not known or any("file" not in source for _, source in blocks_of(root, "inventory")):
        return  # other sources are asked later
    accepted = f"a name under 'devices': {listed(known)}"
    for where, tunnel in tunnels(root):
        name = tunnel.get("device")
        if isinstance(name, str) and NAME.fullmatch(name) and name not in known:
            found = f"{quoted(name)}{meant(name, known)}"
            mistakes.add((*where, "device"), found, accepted)
    for where, pair in links(root):
        for end in (pair.one, pair.other):
            if end.device not in known:
                found = f"{quoted(str(end))} of an unknown device{meant(end.device, known)}"
                mistakes.add(where, found, accepted)


def add_contradictory_links(mistakes: Mistakes, root: Block) -> None:
    first: dict[str, Where] = {}
    for where, pair in links(root):
        if pair.one == pair.other:
            mistakes.add(where, f"{quoted(str(pair.one))} with itself", "tunnels of two devices")
        elif pair.one.device == pair.other.device:
            found = f"two tunnels of {quoted(pair.one.device)}"
            mistakes.add(where, found, "tunnels of two devices")
        for end in dict.fromkeys((pair.one, pair.other)):
            earlier = first.setdefault(str(end), where)
            if earlier != where:
                found = f"{quoted(str(end))} again, first on {mistakes.line(earlier, where)}"
                mistakes.add(where, found, "each tunnel in one link")


def device_names(root: Block) -> list[str]:
    names = (device.get("name") for _, device in devices(root))
    return list(dict.fromkeys(name for name in names if isinstance(name, str)))


def tunnels(root: Block) -> Iterator[tuple[Where, Block]]:
    yield from blocks_of(root, "tunnels")


def links(root: Block) -> Iterator[tuple[Where, LinkEnds]]:
    """Those of the right form; what is wrong with the others is known already."""
    items = root.get("links")
    if isinstance(items, Items):
        for index, item in enumerate(items):
            try:
                yield ("links", index), read_link(item)
            except ValueError:
                continue


def devices(root: Block) -> Iterator[tuple[Where, Block]]:
    yield from blocks_of(root, "devices")


def blocks_of(root: Block, key: str) -> Iterator[tuple[Where, Block]]:
    items = root.get(key)
    if isinstance(items, Items):
        for index, item in enumerate(items):
            if isinstance(item, Block):
                yield (key, index), item


def named_blocks(root: Block, key: str) -> list[tuple[Where, Block]]:
    blocks = block_at(root, key)
    return [((key, name), one) for name, one in blocks.items() if isinstance(one, Block)]


def block_at(root: Block, key: str) -> Block:
    block = root.get(key)
    return block if isinstance(block, Block) else Block()


def seconds(value: object) -> float | None:
    try:
        return read_duration(value)
    except ValueError:
        return None


def annotation_at(where: Where) -> object:
    """The type that the models give to this place."""
    annotation: object = Config
    for step in where:
        annotation = section_of(annotation)
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            field = annotation.model_fields[str(step)]
            readings = [note for note in field.metadata if isinstance(note, Reading)]
            annotation = readings[0] if readings else field.annotation
        else:
            # dict[Name, Credential] and tuple[Device, ...]
            annotation = get_args(annotation)[1 if origin_of(annotation) is dict else 0]
    return annotation


def section_of(annotation: object) -> object:
    """The model behind ``Vault | None``; anything else as it is."""
    models: list[object] = [
        part
        for part in get_args(annotation)
        if isinstance(part, type) and issubclass(part, BaseModel)
    ]
    return models[0] if len(models) == 1 and origin_of(annotation) is UnionType else annotation


def keys_of(annotation: object) -> list[str]:
    annotation = section_of(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return list(annotation.model_fields)
    return []


def in_words(annotation: object) -> str:
    """What is accepted where this type is expected."""
    if isinstance(annotation, Reading):
        return annotation.accepted
    if keys := keys_of(annotation):
        return f"a mapping with the keys {listed(keys)}"
    inner: tuple[object, ...] = get_args(annotation)
    if origin_of(annotation) is dict:
        return f"a mapping of names, each with the keys {listed(keys_of(inner[1]))}"
    if origin_of(annotation) is tuple:
        if keys := keys_of(inner[0]):
            at_least = "at least one mapping" if inner[0] is Device else "mappings"
            return f"a list of {at_least} with the keys {listed(keys)}"
        return f"a list, each item {in_words(inner[0])}"
    # Annotated[float, Reading(...)] and its union with None
    return next((words for part in inner if (words := in_words(part))), "")


def origin_of(annotation: object) -> object:
    return get_origin(annotation)
