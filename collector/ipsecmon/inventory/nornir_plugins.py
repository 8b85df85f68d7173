"""Hosts from any inventory plugin of Nornir, by its name. https://nornir.readthedocs.io/en/latest/plugins/

Of a host its name, address, port, platform and groups are taken, and what stands in its data under ``ipsecmon``, which has
the keys of ``devices``. User names and passwords in it are not used: how to log in is told by ``credentials``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from ipsecmon.config import HIDDEN, Source
from ipsecmon.inventory.hosts import FoundHost, SourceFailed, platform_word
from ipsecmon.inventory.secrets import Redact, revealed

if TYPE_CHECKING:  # an extra: whoever does without these plugins need not install it
    from nornir.core.inventory import Host, Inventory

__all__ = ["hosts_of_plugin"]

_ENTRY_POINTS = "nornir.plugins.inventory"
# arguments of the well-known plugins that are paths: they start at the folder of the configuration file
_PATHS = frozenset(
    {"host_file", "group_file", "defaults_file", "hostsfile", "csv_file", "excel_file"}
)
_DATA_KEY = "ipsecmon"


class _Plugin(Protocol):
    def load(self) -> Inventory: ...


def hosts_of_plugin(source: Source, folder: Path, redact: Redact) -> list[FoundHost]:
    """All hosts that the plugin loads; raises ``SourceFailed``."""
    plugin = _plugin(source.nornir or "")
    secrets: list[str] = []

    def note(secret: str) -> None:
        secrets.append(secret)
        redact(secret)

    options = {
        name: str(folder / Path(value).expanduser())
        if name in _PATHS and isinstance(value, str)
        else value
        for name, value in _arguments(source, note).items()
    }
    try:
        inventory = plugin(**options).load()
        return [_found(str(name), host) for name, host in inventory.hosts.items()]
    except (Exception, SystemExit) as error:  # noqa: BLE001 # somebody else's code, and one of them ends the process
        failure = _told(error, secrets)
    # outside of the handler: what somebody else raised may hold a secret
    raise SourceFailed(f"the plugin failed: {failure}")


def _arguments(source: Source, redact: Redact) -> dict[str, object]:
    return cast("dict[str, object]", revealed(source.options, redact))


def _plugin(name: str) -> Callable[..., _Plugin]:
    """Only this one is imported: one that is broken is no harm to the others."""
    installed = {point.name: point for point in metadata.entry_points(group=_ENTRY_POINTS)}
    if name not in installed:
        known = ", ".join(sorted(installed)) or "none; pip install 'ipsecmon[inventory]'"
        raise SourceFailed(f"no such inventory plugin is installed; there are: {known}")
    try:
        return cast("Callable[..., _Plugin]", installed[name].load())
    except ImportError as error:
        todo = "pip install 'ipsecmon[inventory]', or what the plugin asks for"
        raise SourceFailed(f"the plugin cannot be loaded ({error}); {todo}") from error


def _found(name: str, host: Host) -> FoundHost:
    said: dict[str, object] = {"name": name, "host": host.hostname or name}
    if host.port:
        said["port"] = host.port
    if host.platform:
        said["platform"] = platform_word(host.platform)
    own: object = host.extended_data().get(_DATA_KEY)
    if isinstance(own, Mapping):
        said.update(cast("Mapping[str, object]", own))
    groups = tuple(group.name for group in host.extended_groups())
    return FoundHost(name=str(said["name"]), said=said, groups_if_known=groups)


def _told(error: BaseException, secrets: Sequence[str]) -> str:
    text = str(error).partition("\n")[0]
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    text = text[:200]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
