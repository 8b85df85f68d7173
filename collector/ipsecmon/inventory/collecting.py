"""All sources of a configuration to one configuration that has all their devices."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import cast

from ipsecmon.config import (
    Config,
    ConfigError,
    Device,
    DeviceReader,
    DeviceRefused,
    LoadedConfig,
    Source,
    load_with_files,
)
from ipsecmon.inventory.hosts import FoundHost, LeftOut, SourceFailed
from ipsecmon.inventory.http_sd import hosts_over_http
from ipsecmon.inventory.nornir_plugins import hosts_of_plugin
from ipsecmon.inventory.secrets import Redact
from ipsecmon.inventory.targets import files_matching, hosts_in_files

__all__ = ["Collected", "Inventory", "Signature"]

log = logging.getLogger(__name__)

HTTP_REFRESH_SECONDS = 60.0
NORNIR_REFRESH_SECONDS = 300.0
# a plugin is somebody else's code and may wait for a server without end
LONGEST_FETCH_SECONDS = 60.0

Signature = Mapping[Path, tuple[int, int, int]]
"""By file what tells one state from the next: the time of its last change, its size, its number on the disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """``config`` has the devices of all sources; ``failed`` says by source why it keeps what it said before."""

    config: Config
    source_of: Mapping[str, str]
    """The source of each device."""
    sources: tuple[str, ...]
    left_out: tuple[LeftOut, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict[str, str])

    def devices_by_source(self) -> Mapping[str, int]:
        """All sources, also those without a device."""
        counts = Counter(self.source_of.values())
        return {source: counts[source] for source in self.sources}

    def left_out_by_source(self) -> Mapping[str, int]:
        """All sources."""
        counts = Counter(one.source for one in self.left_out)
        return {source: counts[source] for source in self.sources}

    def problems(self) -> list[str]:
        """What does not work as it was written, a sentence each."""
        failed = [f"{source}: {reason}" for source, reason in self.failed.items()]
        return [*failed, *map(str, self.left_out), *_of_unknown_devices(self.config)]


class Inventory:
    """The sources of one configuration file and what they said last; used by one thread at a time."""

    def __init__(
        self,
        config_file: Path,
        redact: Redact | None = None,
        clock: Callable[[], float] = time.monotonic,
        longest_fetch: float = LONGEST_FETCH_SECONDS,
    ) -> None:
        """``redact`` (of the log) is told the secrets of the sources."""
        self.config_file = config_file
        self._redact = redact or _tell_nobody
        self._clock = clock
        self._longest_fetch = longest_fetch
        self._loaded: LoadedConfig | None = None
        self._suspects: tuple[Path, ...] = ()
        self._last: dict[str, _Last] = {}

    def collect(self, *, reread: bool = True, refetch: bool = True) -> Collected:
        """The configuration with all its devices; raises ``ConfigError`` for a mistake in one of its files.

        Without ``reread`` the files of before are taken, without ``refetch`` what other sources said, unless it is time
        to ask them again.
        """
        loaded = self._loaded
        if loaded is None or reread:
            loaded = self._load()
        sources = labelled(loaded.config)
        asked = {
            label: source
            for label, source in sources.items()
            if refetch or (reread and source.file_sd) or self._is_due(label, source)
        }
        self._fetch(asked)
        self._last = {label: last for label, last in self._last.items() if label in sources}
        self._loaded = loaded
        return self._put_together(loaded, sources)

    def _load(self) -> LoadedConfig:
        try:
            loaded = load_with_files(self.config_file)
        except ConfigError as error:
            # a file may be new, and mended there
            self._suspects = tuple(dict.fromkeys(Path(one.file) for one in error.mistakes))
            raise
        self._suspects = ()
        return loaded

    def is_due(self) -> bool:
        """A source wants to be asked again."""
        if self._loaded is None:
            return True
        sources = labelled(self._loaded.config)
        return any(self._is_due(label, source) for label, source in sources.items())

    def signature(self) -> Signature:
        """The state of all files that were read; another one asks for a new reading."""
        return dict(_states(self._files()))

    def _files(self) -> Iterator[Path]:
        yield self.config_file
        yield from self._suspects
        if self._loaded is None:
            return
        yield from self._loaded.files
        for source in self._loaded.config.inventory:
            if source.file is not None:
                yield source.file  # a folder: its time moves when a file comes or goes
            if source.file_sd is not None:
                yield from _matching(source.file_sd)

    def _is_due(self, label: str, source: Source) -> bool:
        last = self._last.get(label)
        if last is None or last.source != source:
            return True
        if source.file_sd is not None:
            return False  # its files are watched
        seconds = NORNIR_REFRESH_SECONDS if source.nornir else HTTP_REFRESH_SECONDS
        return self._clock() - last.asked_at >= (source.refresh or seconds)

    def _fetch(self, sources: Mapping[str, Source]) -> None:
        """Ask these at the same time; one that does not answer in time has failed, and is not asked twice at once."""
        for label, source in sources.items():
            last = self._last.setdefault(label, _Last())
            last.asked_at, last.source = self._clock(), source
            if last.thread is None or not last.thread.is_alive():
                last.start(partial(self._hosts, source), label)
        deadline = time.monotonic() + self._longest_fetch
        for label in sources:
            last = self._last[label]
            if last.thread is not None:
                last.thread.join(max(0.0, deadline - time.monotonic()))
            last.take(self._longest_fetch)

    def _hosts(self, source: Source) -> list[FoundHost]:
        if source.file_sd is not None:
            return hosts_in_files(source.file_sd)
        if source.http_sd is not None:
            return hosts_over_http(source, self._redact, self._longest_fetch)
        return hosts_of_plugin(source, self.config_file.parent, self._redact)

    def _put_together(self, loaded: LoadedConfig, sources: Mapping[str, Source]) -> Collected:
        config = loaded.config
        reader = DeviceReader(config)
        source_of = dict(loaded.file_of)
        left_out: list[LeftOut] = []
        more: list[Device] = []
        for label, source in sources.items():
            for host in self._last[label].hosts:
                try:
                    device = reader.read(_with_groups(host, source, config))
                    if device.name in source_of:
                        told = f"a device of this name comes from {source_of[device.name]}"
                        raise DeviceRefused(told)  # noqa: TRY301 # one way out for all reasons
                except DeviceRefused as refused:
                    left_out.append(LeftOut(source=label, name=host.name, reason=str(refused)))
                    continue
                source_of[device.name] = label
                more.append(device)
        failed = {label: self._last[label].problem for label in sources}
        return Collected(
            config=config.with_devices(more) if more else config,
            source_of=source_of,
            sources=(*dict.fromkeys(map(str, loaded.files)), *sources),
            left_out=tuple(left_out),
            failed={label: problem for label, problem in failed.items() if problem},
        )


class _Last:
    """What a source said last."""

    def __init__(self) -> None:
        self.hosts: list[FoundHost] = []
        self.problem = ""
        self.asked_at = 0.0
        self.source: Source | None = None
        self.thread: threading.Thread | None = None
        self._answer: list[FoundHost] | SourceFailed | None = None

    def start(self, fetch: Callable[[], list[FoundHost]], label: str) -> None:
        self._answer = None
        self.thread = threading.Thread(
            target=self._run, args=(fetch,), name=f"inventory {label}", daemon=True
        )
        self.thread.start()

    def take(self, seconds: float) -> None:
        """Keep the answer if it is there and good."""
        answer = self._answer
        kept = "; its last devices are kept" if self.hosts else ""
        if answer is None:
            self.problem = f"no answer within {seconds:g} s{kept}"
        elif isinstance(answer, SourceFailed):
            self.problem = f"{answer}{kept}"
        else:
            self.hosts, self.problem = answer, ""

    def _run(self, fetch: Callable[[], list[FoundHost]]) -> None:
        try:
            self._answer = fetch()
        except SourceFailed as failed:
            self._answer = failed
        except Exception as error:
            log.exception("a source of devices failed by a fault of ours")
            self._answer = SourceFailed(f"unexpected {type(error).__name__}; please report it")


def labelled(config: Config) -> dict[str, Source]:
    """The sources that are asked while the service runs, by a name of their own each."""
    sources: dict[str, Source] = {}
    for source in config.inventory:
        if source.file is not None:
            continue
        label, number = source.label, 2
        while label in sources:
            label, number = f"{source.label} ({number})", number + 1
        sources[label] = source
    return sources


def _with_groups(host: FoundHost, source: Source, config: Config) -> dict[str, object]:
    said = dict(host.said)
    own = said.get("groups", ())
    if isinstance(own, list | tuple):
        own = cast("Sequence[object]", own)
        known = (name for name in host.groups_if_known if name in config.groups)
        said["groups"] = list(dict.fromkeys((*own, *known, *source.groups)))
    return said


def _of_unknown_devices(config: Config) -> Iterator[str]:
    known = {device.name for device in config.devices}
    for tunnel in config.tunnels:
        if tunnel.device not in known:
            yield f"tunnels: {tunnel.name} is of {tunnel.device}, which no source has"
    for pair in config.links:
        for end in (pair.one, pair.other):
            if end.device not in known:
                yield f"links: {end} is of a device that no source has"


def _matching(pattern: Path) -> list[Path]:
    try:
        return files_matching(pattern)
    except OSError:
        return []


def _states(files: Iterable[Path]) -> Iterator[tuple[Path, tuple[int, int, int]]]:
    for path in files:
        try:
            stat = path.stat()
        except (OSError, ValueError):
            yield path, (0, 0, 0)
        else:
            yield path, (stat.st_mtime_ns, stat.st_size, stat.st_ino)


def _tell_nobody(_: str) -> None:
    """There is no log to keep the secret out of."""
