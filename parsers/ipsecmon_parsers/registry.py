"""The one table from (platform, command) to template and builder; the only place to touch when adding one.

A ``Registry`` is this table, or this table with the templates of a user's folder in the place of ours and behind them.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

from ipsecmon_parsers.autovpn import build_autovpn
from ipsecmon_parsers.clean import CleanText, clean
from ipsecmon_parsers.collecting import without_collector
from ipsecmon_parsers.configuration import (
    build_access_lists,
    build_asa_access_lists,
    build_crypto_maps,
    build_ikev2_policies,
    build_ikev2_proposals,
    build_ipsec_profiles,
    build_isakmp_keys,
    build_isakmp_policies,
    build_transform_sets,
)
from ipsecmon_parsers.custom import build_custom_rows
from ipsecmon_parsers.dmvpn import build_dmvpn
from ipsecmon_parsers.documents import Json, record_document
from ipsecmon_parsers.engines import Table, Template, built_in_template, run_template
from ipsecmon_parsers.errors import (
    CommandRefused,
    ParseError,
    ParserError,
    TemplateMistake,
    TemplatesRefused,
    Truncated,
    UnknownCommand,
)
from ipsecmon_parsers.excerpts import build_flow_excerpts
from ipsecmon_parsers.flow_mib import build_ipsec_global_counters
from ipsecmon_parsers.gdoi import build_gdoi_counters, build_gdoi_groups
from ipsecmon_parsers.ike import (
    build_ikev2_count,
    build_isakmp_count,
    build_isakmp_details,
    build_isakmp_sas,
)
from ipsecmon_parsers.ike_peers import build_ike_exit_paths, build_ike_peers
from ipsecmon_parsers.ikev2 import build_ike_sas, build_ikev2_sessions
from ipsecmon_parsers.ipsec import build_asa_flows, build_flows, build_ipsec_sa_count
from ipsecmon_parsers.lifetime import build_sa_idle_time, build_sa_lifetime
from ipsecmon_parsers.mending import mended
from ipsecmon_parsers.records import Platform, Record
from ipsecmon_parsers.redaction import (
    hide_every_secret,
    hide_key_table,
    hide_secrets,
    hide_typed_secrets,
)
from ipsecmon_parsers.running import about_crypto, build_asa_running_crypto, build_running_crypto
from ipsecmon_parsers.sessions import build_crypto_sessions, build_session_briefs
from ipsecmon_parsers.sockets import build_crypto_sockets, build_spi_table
from ipsecmon_parsers.template_files import TemplateFile, mistakes_in, read_folder
from ipsecmon_parsers.vpn_sessions import build_vpn_sessions
from ipsecmon_parsers.vpn_summaries import build_vpn_load_balancing, build_vpn_session_summary

__all__ = [
    "BUILT_IN",
    "SHOW_CRYPTO_MAP",
    "SHOW_IKEV2_SA",
    "SHOW_IPSEC_SA",
    "SHOW_ISAKMP_SA",
    "SHOW_SA_LIFETIME",
    "ParseResult",
    "Registry",
    "Source",
    "UnparsedLine",
    "UserTemplate",
    "known_commands",
    "parse",
]

SHOW_CRYPTO_MAP = "show crypto map"
SHOW_IKEV2_SA = "show crypto ikev2 sa"
SHOW_ISAKMP_SA = "show crypto isakmp sa"
SHOW_IPSEC_SA = "show crypto ipsec sa"
SHOW_SA_LIFETIME = "show crypto ipsec security-association lifetime"

Builder: TypeAlias = Callable[[Table, Platform], tuple[Record, ...]]
"""Rows of one template -> records; raises ``Truncated`` or ``ParseError`` rather than return a part."""

Prepare: TypeAlias = Callable[[str], str]
"""What is done to a cleaned text before anything reads it, such as hiding keys; line n stays line n."""


@dataclass(frozen=True)
class _Reading:
    """One line of the table.

    ``command`` is written as Cisco writes syntax: ``[detail]`` may be left out, ``{a | b}`` is a choice, ``<name>``
    stands for any one word, ``<...>`` for one or more, ``\\|`` for the bar that pipes the output through a filter.
    ``template`` is the path of one of ours, or a template of the user's.
    """

    platforms: tuple[Platform, ...]
    command: str
    template: str | Template
    build: Builder
    prepare: tuple[Prepare, ...] = ()

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return _command_pattern(self.command, re.escape)

    @cached_property
    def abbreviations(self) -> re.Pattern[str]:
        return _command_pattern(self.command, lambda word: f"({_prefixes(word)})")

    def spelled(self, typed: str) -> str | None:
        """``sh cry ips sa int Tu1`` -> ``show crypto ipsec sa interface Tu1``; ``None`` if it is another command."""
        match = self.abbreviations.fullmatch(f" {typed}")
        if match is None:
            return None
        words = (t for t in _TOKEN.findall(self.command) if t[0] not in "[]{}|<\\")
        spelled, end = "", 0
        for group, word in enumerate(words, 1):
            if match[group] is not None:
                spelled += f" {typed}"[end : match.start(group)] + word
                end = match.end(group)
        return (spelled + f" {typed}"[end:]).strip()


_ROUTERS = (Platform.IOS, Platform.IOSXE)
_FIREWALLS = (Platform.ASA,)
_IKEV2_SCOPE = "[{local | remote} [<address>] | fvrf <name> | tunnel <id>] [detail | detailed]"
_SESSION_SCOPE = (
    "[{local | remote | interface | fvrf | ivrf | username | group} [<which>]] [detail]"
)
_TABLE: tuple[_Reading, ...] = (
    _Reading(_ROUTERS, SHOW_ISAKMP_SA, "ios/show_crypto_isakmp_sa.textfsm", build_isakmp_sas),
    _Reading(
        _ROUTERS,
        "show crypto ipsec sa [{detail | identity [detail] | ipv6 [{detail | detailed}] | address"
        " | {interface [<name>] | peer [<address>] | map [<name>] | vrf [<name>]} [detail]}]",
        "ios/show_crypto_ipsec_sa.textfsm",
        build_flows,
    ),
    _Reading(
        (Platform.ASA,),
        "show crypto ipsec sa [{detail | {peer [<address>] | map [<name>] | entry} [detail]}]",
        "asa/show_crypto_ipsec_sa.textfsm",
        build_asa_flows,
    ),
    _Reading(
        _ROUTERS,
        "show crypto ipsec sa count",
        "ios/show_crypto_ipsec_sa_count.textfsm",
        build_ipsec_sa_count,
    ),
    _Reading(
        _ROUTERS,
        "show crypto ipsec {security-association [lifetime] | security-association-lifetime}",
        "ios/show_crypto_ipsec_security-association_lifetime.textfsm",
        build_sa_lifetime,
    ),
    _Reading(
        _ROUTERS,
        "show crypto ipsec security-association idle-time",
        "ios/show_crypto_ipsec_security-association_idle-time.textfsm",
        build_sa_idle_time,
    ),
    _Reading(_ROUTERS, "show crypto map", "ios/show_crypto_map.textfsm", build_crypto_maps),
    _Reading(
        _ROUTERS,
        "show crypto isakmp [default] policy",
        "ios/show_crypto_isakmp_policy.textfsm",
        build_isakmp_policies,
    ),
    _Reading(
        _ROUTERS,
        "show crypto isakmp key",
        "ios/show_crypto_isakmp_key.textfsm",
        build_isakmp_keys,
        (hide_key_table,),
    ),
    _Reading(
        _ROUTERS,
        "show crypto ikev2 proposal",
        "ios/show_crypto_ikev2_proposal.textfsm",
        build_ikev2_proposals,
    ),
    _Reading(
        _ROUTERS,
        "show crypto ikev2 policy",
        "ios/show_crypto_ikev2_policy.textfsm",
        build_ikev2_policies,
    ),
    _Reading(
        _ROUTERS,
        "show crypto ipsec transform-set",
        "ios/show_crypto_ipsec_transform-set.textfsm",
        build_transform_sets,
    ),
    _Reading(
        _ROUTERS,
        "show crypto ipsec profile",
        "ios/show_crypto_ipsec_profile.textfsm",
        build_ipsec_profiles,
    ),
    _Reading(
        _ROUTERS,
        "show [{ip | ipv6}] {access-list | access-lists} [<name>]",
        "ios/show_access-lists.textfsm",
        build_access_lists,
    ),
    _Reading(
        _ROUTERS,
        r"show running-config [\| section crypto]",
        "ios/show_running-config.ttp",
        build_running_crypto,
        (hide_secrets, about_crypto),
    ),
    _Reading(
        (Platform.ASA,),
        "show access-list [<name>]",
        "asa/show_access-list.textfsm",
        build_asa_access_lists,
    ),
    _Reading(
        (Platform.ASA,),
        "show running-config [all] crypto [{map | dynamic-map | ipsec | ikev1 | ikev2 | isakmp}]",
        "asa/show_running-config_crypto.ttp",
        build_asa_running_crypto,
        (hide_secrets, about_crypto),
    ),
    # IKE and sessions
    _Reading(
        _ROUTERS,
        "show crypto isakmp sa {active | vrf [<name>]}",
        "ios/show_crypto_isakmp_sa.textfsm",
        build_isakmp_sas,
    ),
    _Reading(
        _ROUTERS,
        "show crypto isakmp sa count",
        "ios/show_crypto_isakmp_sa_count.textfsm",
        build_isakmp_count,
    ),
    _Reading(
        _ROUTERS,
        "show crypto isakmp sa {detail [vrf <name>] | vrf <name> detail}",
        "ios/show_crypto_isakmp_sa_detail.textfsm",
        build_isakmp_details,
    ),
    _Reading(
        _ROUTERS,
        "show crypto ikev2 [sa] count",
        "ios/show_crypto_ikev2_count.textfsm",
        build_ikev2_count,
    ),
    _Reading(
        _ROUTERS,
        f"show crypto ikev2 sa {_IKEV2_SCOPE}",
        "all/show_crypto_ike_sa.textfsm",
        build_ike_sas,
    ),
    _Reading(
        _ROUTERS,
        f"show crypto ikev2 session {_IKEV2_SCOPE}",
        "all/show_crypto_ike_sa.textfsm",
        build_ikev2_sessions,
    ),
    _Reading(
        _ROUTERS,
        "show crypto session brief",
        "ios/show_crypto_session_brief.textfsm",
        build_session_briefs,
    ),
    _Reading(
        _ROUTERS,
        f"show crypto session {_SESSION_SCOPE}",
        "ios/show_crypto_session.textfsm",
        build_crypto_sessions,
    ),
    _Reading(_ROUTERS, "show dmvpn [detail]", "ios/show_dmvpn.textfsm", build_dmvpn),
    _Reading(
        _FIREWALLS,
        "show crypto {isakmp | ikev1 | ikev2} sa [detail]",
        "all/show_crypto_ike_sa.textfsm",
        build_ike_sas,
    ),
    _Reading(
        _FIREWALLS,
        "show vpn-sessiondb detail l2l",
        "asa/show_vpn-sessiondb_detail_l2l.textfsm",
        build_vpn_sessions,
    ),
    # what surrounds the tunnels
    _Reading(
        _FIREWALLS,
        "show vpn-sessiondb [summary]",
        "asa/show_vpn-sessiondb.textfsm",
        build_vpn_session_summary,
    ),
    _Reading(
        _FIREWALLS,
        "show vpn load-balancing",
        "asa/show_vpn_load-balancing.textfsm",
        build_vpn_load_balancing,
    ),
    _Reading(
        _ROUTERS,
        "show crypto gdoi [group <name>]",
        "ios/show_crypto_gdoi.textfsm",
        build_gdoi_groups,
    ),
    _Reading(
        _ROUTERS,
        "show crypto gdoi [group <name>] gm dataplane counters",
        "ios/show_crypto_gdoi_gm_dataplane_counters.textfsm",
        build_gdoi_counters,
    ),
    _Reading(
        _ROUTERS, "show crypto sockets", "ios/show_crypto_sockets.textfsm", build_crypto_sockets
    ),
    _Reading(
        _ROUTERS,
        "show crypto ipsec spi-lookup detail",
        "ios/show_crypto_ipsec_spi-lookup_detail.textfsm",
        build_spi_table,
    ),
    _Reading(
        _ROUTERS,
        "show crypto isakmp peers [{config | <address>}]",
        "ios/show_crypto_isakmp_peers.textfsm",
        build_ike_peers,
    ),
    _Reading(
        _ROUTERS,
        "show crypto ikev2 diagnose error",
        "ios/show_crypto_ikev2_diagnose_error.textfsm",
        build_ike_exit_paths,
    ),
    _Reading(
        _ROUTERS,
        "show crypto mib ipsec flowmib global [vrf <name>]",
        "ios/show_crypto_mib_ipsec_flowmib_global.textfsm",
        build_ipsec_global_counters,
    ),
    _Reading(
        _ROUTERS,
        "show crypto autovpn session",
        "ios/show_crypto_autovpn_session.textfsm",
        build_autovpn,
    ),
    _Reading(
        (*_ROUTERS, *_FIREWALLS),
        r"show crypto ipsec sa [<...>] \| {include | exclude | begin | section | grep} <...>",
        "all/show_crypto_ipsec_sa_filtered.textfsm",
        build_flow_excerpts,
    ),
)


_TOKEN = re.compile(r"\\\||[\[\]{}|]|<\w+>|<\.\.\.>|[^\s\[\]{}|<>\\]+")


def _command_pattern(command: str, word: Callable[[str], str]) -> re.Pattern[str]:
    """The notation of ``_Reading.command`` as a regular expression over single-spaced words."""
    pattern = ""
    for token in _TOKEN.findall(command):
        match token:
            case "[":
                pattern += "(?:"
            case "]":
                pattern += ")?"
            case "{":
                pattern += "(?:"
            case "}":
                pattern += ")"
            case "|":
                pattern += "|"
            case r"\|":
                pattern += r" \|"
            case "<...>":
                pattern += r"(?: \S+)+"
            case _:
                pattern += r" \S+" if token.startswith("<") else " " + word(token)
    return re.compile(pattern, re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserTemplate:
    """What a template of the user's is for: ``commands`` of ours that it reads instead, or one that it adds.

    ``near`` is the name of one of ours that an added one resembles so much that it may be a slip.
    """

    file: str
    platform: Platform
    commands: tuple[str, ...]
    is_override: bool
    near: str | None


class Registry:
    """What reads which command; it never changes, so that threads may share it and a reload makes another one."""

    __slots__ = ("_readings", "folder", "user_templates")

    def __init__(self) -> None:
        self._readings: tuple[_Reading, ...] = _TABLE
        self.folder: Path | None = None
        self.user_templates: tuple[UserTemplate, ...] = ()

    @classmethod
    def with_templates(cls, folder: Path) -> Registry:
        """Our commands with the templates of ``folder``; raises ``TemplatesRefused`` with every mistake in them.

        Everything is read and compiled here: what changes in the folder afterwards changes nothing.
        """
        files, mistakes = read_folder(folder)
        chosen: dict[tuple[Platform, str], TemplateFile] = {}
        for file in files:
            ours = _ours(file)
            mistakes += mistakes_in(file.template, _built_in(ours[0]) if ours else None)
            for command in [reading.command for reading in ours] or [file.command]:
                first = chosen.setdefault((file.platform, command.lower()), file)
                if first is not file:
                    mistakes.append(_twice(file, first))
        if mistakes:
            raise TemplatesRefused(folder, mistakes)
        registry = cls()
        registry.folder = folder
        registry._readings = (*_overridden(chosen), *_added(files))
        registry.user_templates = tuple(_user_template(file) for file in files)
        return registry

    def known_commands(self, platform: Platform) -> tuple[str, ...]:
        """The commands that can be read on ``platform``, in the order of the table, the user's last."""
        return tuple(r.command for r in self._readings if platform in r.platforms)

    def parse(
        self, platform: str, command: str, text: str, *, complete: bool = False
    ) -> ParseResult:
        """``parse`` with the templates of this registry."""
        return parse(platform, command, text, complete=complete, registry=self)

    def lookup(self, platform: str, command: str) -> tuple[Platform, _Reading]:
        """The line of the table for a command, written out or abbreviated; raises ``UnknownCommand``."""
        try:
            known_platform = Platform(platform)
        except ValueError:
            raise UnknownCommand(command, platform, ()) from None
        readings = [reading for reading in self._readings if known_platform in reading.platforms]
        for reading in readings:
            if reading.pattern.fullmatch(f" {command}"):
                return known_platform, reading
        abbreviated = [r for r in readings if r.abbreviations.fullmatch(f" {command}")]
        if len(abbreviated) == 1:
            return known_platform, abbreviated[0]
        raise UnknownCommand(command, platform, self.known_commands(known_platform))

    def spelled_out(self, platform: str, command: str) -> str:
        """A command as it may be abbreviated, in whole words; ``UnknownCommand`` if it cannot be read on ``platform``."""
        command = " ".join(command.split())
        _, reading = self.lookup(platform, command)
        return reading.spelled(command) or command

    def template_table(self, platform: str, command: str, text: str) -> Table:
        """What the template of ``command`` makes of a text without terminal artefacts, before records are built."""
        command = " ".join(command.split())
        _, reading = self.lookup(platform, command)
        for prepare in reading.prepare:
            text = prepare(text)
        return run_template(reading.template, command, CleanText(text, ends_with_prompt=True), True)

    def understood_lines(self, platform: str, command: str, text: str) -> int:
        """How many lines of such a text the template understands."""
        table = self.template_table(platform, command, text)
        return sum(1 for line in table.lines if line.strip()) - len(table.unmatched_lines)

    def prepared_lines(self, platform: str, command: str, text: str) -> list[str]:
        """The lines of ``text`` as its template sees them: cleaned, secrets hidden, in their places."""
        command = " ".join(command.split())
        _, reading = self.lookup(platform, command)
        cleaned = clean(text, command).text
        for prepare in reading.prepare:
            cleaned = prepare(cleaned)
        return cleaned.split("\n")

    def are_read_alike(self, platform: str, command: str, other: str) -> bool:
        """Whether one template reads both commands, as ``detail`` and the plain form often are."""
        (_, one), (_, another) = self.lookup(platform, command), self.lookup(platform, other)
        return one.template == another.template

    def __repr__(self) -> str:
        return f"Registry({'' if self.folder is None else str(self.folder)!r})"

    def __copy__(self) -> Registry:
        return self

    def __deepcopy__(self, _: dict[int, object]) -> Registry:
        return self


BUILT_IN = Registry()
"""Our own templates only."""


def _ours(file: TemplateFile) -> list[_Reading]:
    """The lines of the table whose template ``file`` replaces: those that use ours of that name, or its command's."""
    lines = [reading for reading in _TABLE if file.platform in reading.platforms]
    named = [r for r in lines if Path(_built_in(r).name).stem == file.stem.lower()]
    command = " " + file.command.replace(r"\|", "|")
    return named or [r for r in lines if r.pattern.fullmatch(command)][:1]


def _built_in(reading: _Reading) -> Template:
    template = reading.template
    return built_in_template(template) if isinstance(template, str) else template


def _overridden(chosen: Mapping[tuple[Platform, str], TemplateFile]) -> Iterator[_Reading]:
    """Our table; a line that has a template of the user's on one of its platforms is a line of its own there."""
    for reading in _TABLE:
        kept: list[Platform] = []
        for platform in reading.platforms:
            file = chosen.get((platform, reading.command.lower()))
            if file is None:
                kept.append(platform)
            else:
                yield replace(
                    reading,
                    platforms=(platform,),
                    template=file.template,
                    build=_guarded(reading.build, file.template.name),
                )
        if kept:
            yield (
                reading
                if len(kept) == len(reading.platforms)
                else replace(reading, platforms=tuple(kept))
            )


def _guarded(build: Builder, name: str) -> Builder:
    """A template of the user's may give a builder what ours never does, such as a word for a number."""

    def guarded(table: Table, platform: Platform) -> tuple[Record, ...]:
        try:
            return build(table, platform)
        except ParserError:
            raise
        except Exception as error:  # whatever it is, the template is to blame and not the service
            line_no = table.rows[0].first_line if table.rows else 1
            expected = f"values that a record can hold; {name} gave another one ({error})"
            raise ParseError(table.command, line_no, table.lines[line_no - 1], expected) from error

    return guarded


def _added(files: Sequence[TemplateFile]) -> Iterator[_Reading]:
    """Commands we do not know. Nobody can say what stands in their outputs: every key is hidden before they are read."""
    for file in files:
        if not _ours(file):
            yield _Reading(
                (file.platform,),
                file.command,
                file.template,
                build_custom_rows,
                (hide_every_secret,),
            )


def _twice(file: TemplateFile, first: TemplateFile) -> TemplateMistake:
    return TemplateMistake(
        file=file.template.name,
        line=0,
        field="",
        found=f"a second template for a command that {first.template.name} reads",
        accepted="one template for each command",
    )


def _user_template(file: TemplateFile) -> UserTemplate:
    ours = _ours(file)
    names = [Path(_built_in(r).name).name for r in _TABLE if file.platform in r.platforms]
    near = [] if ours else get_close_matches(Path(file.template.name).name, names, 1, 0.95)
    return UserTemplate(
        near=near[0] if near else None,
        file=file.template.name,
        platform=file.platform,
        commands=tuple(reading.command for reading in ours) or (file.command,),
        is_override=bool(ours),
    )


# % Invalid input detected at '^' marker.   % Incomplete command.   % Ambiguous command:  "sh c i"
# % Unrecognized command   Command authorization failed.   % Authorization failed.
_REFUSAL = re.compile(
    r"^[ ]*(?P<message>(?:ERROR: )?(?:%[ ]?(?:Invalid input|Incomplete command|Ambiguous command|Unrecognized command"
    r"|Unknown command|Authorization failed|Bad )|Command authorization failed).*)$",
    re.MULTILINE,
)


def _prefixes(word: str) -> str:
    """``sa`` -> any of its beginnings: ``s(?:a)?``, as IOS takes them."""
    return (
        re.escape(word[0])
        + "".join(f"(?:{re.escape(letter)}" for letter in word[1:])
        + ")?" * (len(word) - 1)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class UnparsedLine:
    """A line no rule of the template understood; ``line_no`` counts from 1 in the text as it was given."""

    line_no: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The lines a record was read from, both included, counted as in ``UnparsedLine``."""

    first_line: int
    last_line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ParseResult:
    """The records of one output and the account of what was not understood."""

    platform: Platform
    command: str
    records: tuple[Record, ...]
    unparsed_lines: tuple[UnparsedLine, ...]
    sources: tuple[Source, ...] = ()
    """Where each record of ``records`` was read, in the same order; a nested record is part of the one around it."""

    def document(self) -> dict[str, Json]:
        """The JSON form: ``{"platform", "command", "records": [...], "unparsed_lines": [...]}``."""
        return {
            "platform": self.platform.value,
            "command": self.command,
            "records": [record_document(record) for record in self.records],
            "unparsed_lines": [
                {"line_no": line.line_no, "text": line.text} for line in self.unparsed_lines
            ],
        }


def known_commands(platform: Platform) -> tuple[str, ...]:
    """The commands that can be read on ``platform``, in the order of the registry."""
    return BUILT_IN.known_commands(platform)


def parse(
    platform: str,
    command: str,
    text: str,
    *,
    complete: bool = False,
    registry: Registry = BUILT_IN,
) -> ParseResult:
    """Read the output of one show command, with the templates of ``registry``.

    ``complete`` is the collector's word that the device had finished (our echo, then the prompt); a prompt at
    the end of ``text`` says the same. Without it an empty text is ``Truncated``: an answer of zero lines and an
    answer that never came look alike.

    Raises ``UnknownCommand``, ``CommandRefused``, ``Truncated`` or ``ParseError``; never returns part of an
    output.
    """
    command = " ".join(command.split())
    known_platform, reading = registry.lookup(platform, command)
    command = reading.spelled(command) or command
    cleaned = clean(text, command)
    _refuse_refusals(command, cleaned)
    if _is_blank(cleaned.text) and not (complete or cleaned.ends_with_prompt):
        raise Truncated(command, 0, "", "at least one line or a prompt", "nothing was received")

    def run(text: CleanText) -> Table:
        for prepare in reading.prepare:
            text = replace(text, text=prepare(text.text))
        return run_template(reading.template, command, text, complete)

    try:
        with without_collector():
            table = mended(cleaned, run(cleaned), run)
            records = reading.build(table, known_platform)
        if not records and table.has_no_match:
            raise table.foreign()
    except (ParseError, Truncated) as error:
        _hide_typed(error)
        raise
    unparsed = (
        UnparsedLine(line_no=n, text=hide_typed_secrets(table.lines[n - 1]))
        for n in table.unmatched_lines
    )
    return ParseResult(
        platform=known_platform,
        command=command,
        records=records,
        unparsed_lines=tuple(unparsed),
        sources=_sources(table, len(records)),
    )


def _sources(table: Table, records: int) -> tuple[Source, ...]:
    """The spans the builder named, each cut where the next begins; one record of a whole text names none."""
    if not table.sources:
        first_line = next((n for n, line in enumerate(table.lines, 1) if line.strip()), 1)
        whole = Source(first_line=first_line, last_line=max(first_line, table.last_line))
        return (whole,) * records
    sources: list[Source] = []
    # a row ends where the next one shows that it has ended
    row_starts = [row.first_line for row in table.rows] + [table.last_line + 1]
    following = table.last_line + 1
    for first_line, last_row in reversed(table.sources):
        last_line = following - 1
        if last_row is not None:
            next_row = bisect_right(row_starts, last_row.first_line)
            last_line = min(
                last_line, last_row.last_line, row_starts[min(next_row, len(row_starts) - 1)] - 1
            )
        while last_line > first_line and not table.lines[last_line - 1].strip():
            last_line -= 1
        sources.append(Source(first_line=first_line, last_line=max(first_line, last_line)))
        following = first_line
    return tuple(reversed(sources))


def _hide_typed(error: ParseError | Truncated) -> None:
    """A line that is no part of the output may hold what somebody typed beside it."""
    hidden = hide_typed_secrets(error.line)
    if hidden == error.line:
        return
    error.args = tuple(hidden if part == error.line else part for part in error.args)
    error.line = hidden
    if isinstance(error, ParseError):
        error.near = ""
        error.args = (*error.args[:-1], "")


def _is_blank(text: str) -> bool:
    return not text or text.isspace()


# whatever else a device says in one line that begins with "%", it is no listing
_ONLY_A_MESSAGE = re.compile(r"\s*(?:\^\s*)?(?P<message>(?:ERROR: )?%[^\n]*)\s*")
_LONGEST_MESSAGE = 1000


def _refuse_refusals(command: str, cleaned: CleanText) -> None:
    # every refusal holds one of these; to look for them first spares a try at every line
    may_refuse = "%" in cleaned.text or "Command authorization failed" in cleaned.text
    refusal = _REFUSAL.search(cleaned.text) if may_refuse else None
    if refusal is None and len(cleaned.text) < _LONGEST_MESSAGE:
        refusal = _ONLY_A_MESSAGE.fullmatch(cleaned.text)
    if refusal is not None:
        line_no = cleaned.text.count("\n", 0, refusal.start("message")) + 1
        raise CommandRefused(command, refusal["message"].strip(), line_no)
