"""The one table from (platform, command) to template and builder; the only place to touch when adding one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

from ipsecmon_parsers.clean import CleanText, clean
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
from ipsecmon_parsers.dmvpn import build_dmvpn
from ipsecmon_parsers.documents import Json, record_document
from ipsecmon_parsers.engines import Table, run_template
from ipsecmon_parsers.errors import CommandRefused, Truncated, UnknownCommand
from ipsecmon_parsers.ike import (
    build_ikev2_count,
    build_isakmp_count,
    build_isakmp_details,
    build_isakmp_sas,
)
from ipsecmon_parsers.ikev2 import build_ike_sas, build_ikev2_sessions
from ipsecmon_parsers.ipsec import build_asa_flows, build_flows, build_ipsec_sa_count
from ipsecmon_parsers.lifetime import build_sa_idle_time, build_sa_lifetime
from ipsecmon_parsers.records import Platform, Record
from ipsecmon_parsers.redaction import hide_key_table, hide_secrets
from ipsecmon_parsers.running import about_crypto, build_asa_running_crypto, build_running_crypto
from ipsecmon_parsers.sessions import build_crypto_sessions, build_session_briefs
from ipsecmon_parsers.vpn_sessions import build_vpn_sessions

__all__ = [
    "SHOW_IPSEC_SA",
    "SHOW_ISAKMP_SA",
    "SHOW_SA_LIFETIME",
    "ParseResult",
    "UnparsedLine",
    "known_commands",
    "parse",
]

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
    stands for any one word, ``\\|`` for the bar that pipes the output through a filter.
    """

    platforms: tuple[Platform, ...]
    command: str
    template: str
    build: Builder
    prepare: tuple[Prepare, ...] = ()

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return _command_pattern(self.command, re.escape)

    @cached_property
    def abbreviations(self) -> re.Pattern[str]:
        return _command_pattern(self.command, _prefixes)


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
)


def _command_pattern(command: str, word: Callable[[str], str]) -> re.Pattern[str]:
    """The notation of ``_Reading.command`` as a regular expression over single-spaced words."""
    pattern = ""
    for token in re.findall(r"\\\||[\[\]{}|]|<\w+>|[^\s\[\]{}|<>\\]+", command):
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
            case _:
                pattern += r" \S+" if token.startswith("<") else " " + word(token)
    return re.compile(pattern, re.IGNORECASE)


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
class ParseResult:
    """The records of one output and the account of what was not understood."""

    platform: Platform
    command: str
    records: tuple[Record, ...]
    unparsed_lines: tuple[UnparsedLine, ...]

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
    return tuple(reading.command for reading in _TABLE if platform in reading.platforms)


def parse(platform: str, command: str, text: str, *, complete: bool = False) -> ParseResult:
    """Read the output of one show command.

    ``complete`` is the collector's word that the device had finished (our echo, then the prompt); a prompt at
    the end of ``text`` says the same. Without it an empty text is ``Truncated``: an answer of zero lines and an
    answer that never came look alike.

    Raises ``UnknownCommand``, ``CommandRefused``, ``Truncated`` or ``ParseError``; never returns part of an
    output.
    """
    command = " ".join(command.split())
    known_platform, reading = _lookup(platform, command)
    cleaned = clean(text, command)
    _refuse_refusals(command, cleaned)
    if _is_blank(cleaned.text) and not (complete or cleaned.ends_with_prompt):
        raise Truncated(command, 0, "", "at least one line or a prompt", "nothing was received")
    for prepare in reading.prepare:
        cleaned = replace(cleaned, text=prepare(cleaned.text))
    table = run_template(reading.template, command, cleaned, complete)
    records = reading.build(table, known_platform)
    if not records and table.has_no_match:
        raise table.foreign()
    unparsed = (UnparsedLine(line_no=n, text=table.lines[n - 1]) for n in table.unmatched_lines)
    return ParseResult(
        platform=known_platform, command=command, records=records, unparsed_lines=tuple(unparsed)
    )


def _is_blank(text: str) -> bool:
    return not text or text.isspace()


def _lookup(platform: str, command: str) -> tuple[Platform, _Reading]:
    try:
        known_platform = Platform(platform)
    except ValueError:
        raise UnknownCommand(command, platform, ()) from None
    readings = [reading for reading in _TABLE if known_platform in reading.platforms]
    for reading in readings:
        if reading.pattern.fullmatch(f" {command}"):
            return known_platform, reading
    abbreviated = [r for r in readings if r.abbreviations.fullmatch(f" {command}")]
    if len(abbreviated) == 1:
        return known_platform, abbreviated[0]
    raise UnknownCommand(command, platform, known_commands(known_platform))


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
