"""The values of a configuration file against the models: every mistake, in the words of a network engineer.

pydantic finds the mistakes, this file says them. The contradictions between parts (two devices of one name, a credential
that does not exist) are looked for here and not in the models: a model stops at its first broken part, and one typo
would hide them.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from types import UnionType
from typing import get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ipsecmon.config.document import BROKEN, Block, Items, Position, describe
from ipsecmon.config.mistakes import (
    SECRET_SECTIONS,
    Mistake,
    NotAccepted,
    key_path,
    listed,
    meant,
    quoted,
)
from ipsecmon.config.models import Config, Device
from ipsecmon.config.readings import NAME, Reading, duration_text, read_duration
from ipsecmon.config.secret_sources import is_vault_reference, read_yes_no
from ipsecmon.config.tunnel_readings import LinkEnds, read_identity, read_link
from ipsecmon_parsers.errors import TemplatesRefused

__all__ = ["check"]

Where = tuple[str | int, ...]


def check(root: Block, path: Path) -> tuple[Config | None, list[Mistake]]:
    config: Config | None = None
    details: list[ErrorDetails] = []
    try:
        config = Config.model_validate(root, context=path.parent)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
    mistakes = Mistakes(root, path)
    for detail in details:
        add_in_words(mistakes, detail)
    add_equal_names(mistakes, root)
    add_unknown_credentials(mistakes, root)
    add_credentials_without_login(mistakes, root)
    add_contradictory_vault(mistakes, root)
    add_devices_always_stale(mistakes, root)
    add_tunnels_without_identity(mistakes, root)
    add_equal_tunnels(mistakes, root)
    add_unknown_devices(mistakes, root)
    add_contradictory_links(mistakes, root)
    return config, [*mistakes.found, *mistakes.in_templates]


class Mistakes:
    """Collects mistakes and finds the place of each."""

    def __init__(self, root: Block, path: Path) -> None:
        self.found: list[Mistake] = []
        self.in_templates: list[Mistake] = []
        self._root = root
        self._file = str(path)
        # a mapping behind several aliases has its mistake once
        self._seen: set[tuple[Position, str | int, str, str]] = set()

    def add(self, where: Where, found: str, accepted: str, *, at: Where | None = None) -> None:
        position = self.position(where if at is None else at)
        mistake = (position, where[-1], found, accepted)
        if mistake in self._seen:
            return
        self._seen.add(mistake)
        self.found.append(
            Mistake(
                file=self._file,
                line=position.line,
                column=position.column,
                key=key_path(where),
                found=found,
                accepted=accepted,
            )
        )

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


def add_in_words(mistakes: Mistakes, detail: ErrorDetails) -> None:
    """One error of pydantic as a mistake."""
    if detail["type"] == "default_factory_not_called":
        return  # a default that follows from a key with a mistake of its own
    where = detail["loc"]
    if detail["type"] == "too_short" and mistakes.value(where):
        return  # items are there, all with mistakes of their own
    is_secret = where[0] in SECRET_SECTIONS
    if detail["type"] == "missing":
        mistakes.add(where, "no such key", in_words(annotation_at(where)), at=where[:-1])
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


def add_equal_names(mistakes: Mistakes, root: Block) -> None:
    first: dict[str, Where] = {}
    for where, device in devices(root):
        name = device.get("name")
        if not isinstance(name, str) or not NAME.fullmatch(name):
            continue
        if name not in first:
            first[name] = (*where, "name")
            continue
        line = mistakes.position(first[name])
        # a name that came through an alias stands where the first one stands: point at the device instead
        here = (*where, "name")
        at = where if mistakes.position(here) == line else here
        found = f"{quoted(name)} again, first on line {line.line}"
        mistakes.add(here, found, "a name of its own for each device", at=at)


def add_unknown_credentials(mistakes: Mistakes, root: Block) -> None:
    known = root.get("credentials")
    if not isinstance(known, Block):
        return
    accepted = (
        f"a name under 'credentials': {listed(known)}" if known else "a name under 'credentials'"
    )
    for where, device in devices(root):
        name = device.get("credentials")
        if isinstance(name, str) and NAME.fullmatch(name) and name not in known:
            found = f"{quoted(name)}{meant(name, known)}"
            mistakes.add((*where, "credentials"), found, accepted)


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
    poll = root.get("poll")
    stale_after = seconds(poll.get("stale_after")) if isinstance(poll, Block) else None
    if stale_after is None:
        return
    for where, device in devices(root):
        interval = seconds(device.get("interval"))
        if interval is not None and interval >= stale_after:
            accepted = f"less than 'poll.stale_after' ({duration_text(stale_after)})"
            found = describe(device["interval"], hide=False)
            mistakes.add((*where, "interval"), found, accepted)


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
                line = mistakes.position((*first, "name")).line
                found = f"{quoted(name)} of {quoted(device)} again, first on line {line}"
                mistakes.add((*where, "name"), found, "a name of its own for each tunnel")
        if (key := tunnel_key(tunnel)) is None:
            continue
        first = keys.setdefault((device, *key), where)
        if first != where:
            line = mistakes.position(first).line
            found = f"the tunnel of {quoted(device)} that line {line} has already"
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
    if not known:
        return
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
                line = mistakes.position(earlier).line
                found = f"{quoted(str(end))} again, first on line {line}"
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
