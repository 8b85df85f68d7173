"""Tells from an output which command printed it, on which platform.

The echo is believed first. Without one, lines that only one command prints name the candidates, and of those the
reading that understands most lines is taken. A text that two commands could have printed is not guessed: the error
says what it could be. IOS and IOS-XE print the same shapes; ``ios`` is said where nothing shows IOS-XE.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from ipsecmon_parsers.errors import Filtered, NotRecognised, UnknownCommand
from ipsecmon_parsers.records import Platform
from ipsecmon_parsers.registry import BUILT_IN, Registry

__all__ = ["MARKS", "Guess", "guess", "platform_name"]

_FAMILIES = (Platform.IOS, Platform.ASA)
# enough to tell any two commands apart, however long the listing of a hub is
_SAMPLE_LINES = 400
_LONGEST_LINE = 1024
_ENOUGH = 0.5
_CLEAR = 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """``command`` in whole words; ``reasons`` say what it was told from, in words for a person.

    ``tells_platform``: the answer itself shows whether a router or an ASA printed it.
    """

    platform: Platform
    command: str
    reasons: tuple[str, ...]
    tells_platform: bool = True


@dataclass(frozen=True, slots=True)
class _Mark:
    """A line that ``command`` prints on ``platform`` and hardly any other command does."""

    platform: Platform
    command: str
    line: re.Pattern[str]


def _marks(platform: Platform, *lines: tuple[str, str]) -> tuple[_Mark, ...]:
    return tuple(
        _Mark(platform, command, re.compile(rf"^\s*(?:{line})", re.MULTILINE))
        for command, line in lines
    )


# the more special before the more general: of two that understand the same lines the first is taken
MARKS = (
    *_marks(
        Platform.IOS,
        ("show crypto isakmp sa count", r"Active ISAKMP SA's:"),
        ("show crypto isakmp sa detail", r"C-id +Local +Remote|Engine-id:Conn-id ="),
        ("show crypto isakmp sa", r"dst +src +state +conn-id|IPv[46] Crypto ISAKMP SA"),
        ("show crypto ikev2 sa count", r"\d+ Negotiating SAs|Marked for Deletion SAs"),
        ("show crypto ikev2 session detail", r"IPv[46] Crypto IKEv2 +Session[\s\S]*^ *Local spi:"),
        (
            "show crypto ikev2 session",
            r"IPv[46] Crypto IKEv2 +Session|Session-id:\d+, Status:[\s\S]*fvrf/ivrf",
        ),
        (
            "show crypto ikev2 sa detail",
            r"Tunnel-id +(?:Local +Remote +)?fvrf/ivrf[\s\S]*^ *Local spi:",
        ),
        (
            "show crypto ikev2 sa",
            r"Tunnel-id +(?:Local +Remote +)?fvrf/ivrf|IPv[46] Crypto IKEv2 +SA",
        ),
        ("show crypto ipsec sa count", r"IPsec SA total: \d"),
        ("show crypto ipsec sa detail", r"#pkts no sa \(send\)"),
        (
            "show crypto ipsec sa",
            r"local +ident \(addr/mask/prot/port\):|Crypto map tag: \S+, +local addr|No SAs found",
        ),
        # the same lines without idents are what a filter left of them
        (
            "show crypto ipsec sa | include pkts",
            r"\A(?![\s\S]*local +ident \()[\s\S]*?#pkts encaps: \d",
        ),
        ("show crypto ipsec profile", r"IPSEC profile \S"),
        ("show crypto map", r"Crypto Map (?:IPv[46] )?\"|No crypto maps found"),
        (
            "show crypto ipsec security-association lifetime",
            r"Security association lifetime: *(?:\d+ kilobytes/)?\d+ seconds",
        ),
        (
            "show crypto ipsec security-association idle-time",
            r"Security association idle ?time: *\d+ seconds",
        ),
        ("show crypto ipsec transform-set", r"Transform set \S+: +\{"),
        (
            "show crypto isakmp policy",
            r"(?:Default )?(?:P|p)rotection suite of priority|Global IKE policy",
        ),
        ("show crypto isakmp key", r"Keyring +Hostname/Address +Preshared Key"),
        ("show crypto ikev2 proposal", r"IKEv2 proposal ?: "),
        ("show crypto ikev2 policy", r"IKEv2 policy ?: "),
        ("show crypto session brief", r"Peer +I/F +Username +Group/Phase1_id"),
        ("show crypto session detail", r"Session status: [\s\S]*^ *Capabilities:"),
        ("show crypto session", r"Crypto session current status|Session status: [A-Z]"),
        (
            "show dmvpn detail",
            r"Interface: Tunnel\d+, IPv[46] NHRP Details[\s\S]*^ *(?:Pending DMVPN Sessions:|Crypto Session Details)",
        ),
        (
            "show dmvpn",
            r"Legend: Attrb -->|# Ent +Peer NBMA Addr|Interface: \S+, IPv[46] NHRP Details",
        ),
        ("show crypto gdoi gm dataplane counters", r"Data-plane statistics for group \S"),
        ("show crypto gdoi", r"GROUP INFORMATION\s*$|Group Name +: \S"),
        ("show crypto sockets", r"Number of Crypto Socket connections \d"),
        ("show crypto ipsec spi-lookup detail", r"(?:Active|Transient) SPI table"),
        ("show crypto isakmp peers config", r"ISAKMP Peers Configuration"),
        ("show crypto isakmp peers", r"Peer: \S+ Port: \d+ Local: \S"),
        ("show crypto ikev2 diagnose error", r"Exit Path Table - status:"),
        ("show crypto mib ipsec flowmib global", r"vrf \S[\s\S]*^ *Previous Tunnels:"),
        (
            "show crypto autovpn session",
            r"Local-WAN info learnt from VPN Registries|Device Number: \d+, +ID:",
        ),
        ("show ipv6 access-list", r"IPv6 access list \S"),
        (
            "show access-lists",
            r"(?:Standard|Extended) IP access list \S|(?:IPv6 )?Role-based IP(?:v6)? access list",
        ),
        (
            "show running-config",
            r"Current configuration : \d|version \d+\.\d+\s*$|hostname \S+\s*$|crypto isakmp policy \d|crypto map \S+ \d+ ipsec-isakmp\s*$",
        ),
        (
            "show running-config",
            r"crypto (?:keyring|isakmp profile|ikev2 (?:proposal|keyring|profile)|ipsec (?:transform-set|profile)) \S",
        ),
    ),
    *_marks(
        Platform.ASA,
        ("show crypto ipsec sa detail", r"#pkts no sa \(send\).*\s[\s\S]*seq num: \d"),
        ("show crypto ipsec sa peer", r"peer address: \S+$"),
        (
            "show crypto ipsec sa",
            r"Crypto map tag: \S+, seq num: \d|local +ident \(addr/mask/prot/port\):",
        ),
        ("show crypto ipsec sa", r"There are no ipsec sas\s*$"),
        ("show crypto isakmp sa", r"IKEv1 SAs:[\s\S]*^(?:IKEv2 SAs:|There are no IKEv2 SAs)"),
        (
            "show crypto isakmp sa",
            r"There are no IKEv1 SAs[\s\S]*^(?:IKEv2 SAs:|There are no IKEv2 SAs)",
        ),
        (
            "show crypto ikev1 sa detail",
            r"(?:\d+ +)?IKE Peer\b[\s\S]*^ *(?:Encrypt +:|Lifetime +:|\d .*\d+$)",
        ),
        ("show crypto ikev1 sa", r"IKEv1 SAs:|(?:\d+ +)?IKE Peer: \S|There are no IKEv1 SAs"),
        ("show crypto ikev2 sa detail", r"IKEv2 SAs:[\s\S]*^ *(?:Local spi:|Status Description:)"),
        (
            "show crypto ikev2 sa",
            r"IKEv2 SAs:|There are no IKEv2 SAs|Tunnel-id +Local +Remote +Status +Role",
        ),
        ("show vpn-sessiondb detail l2l", r"Session Type: LAN-to-LAN Detailed"),
        (
            "show vpn-sessiondb detail l2l",
            r"INFO: There are presently no active sessions of the type specified",
        ),
        ("show vpn-sessiondb detail l2l", r"Connection +: \S[\s\S]*^Index +: \d+ +IP Addr +:"),
        ("show vpn-sessiondb", r"VPN Session Summary"),
        ("show vpn load-balancing", r"Status +Role +Failover +Encryption +Peers"),
        (
            "show access-list",
            r"access-list \S+; \d+ elements|access-list \S+ line \d+ |access-list cached ACL",
        ),
        (
            "show running-config crypto",
            r"crypto (?:ikev1 (?:policy|enable)|map \S+ \d+ (?:match|set) |ipsec ikev[12] |dynamic-map \S+ \d+ (?:match|set) )",
        ),
    ),
)
_REFUSAL = re.compile(
    r"^\s*(?:(?:ERROR: )?% ?[A-Z][a-z]|Command authorization failed).*", re.MULTILINE
)
_IOSXE = re.compile(
    r"flow_id: (?:ESG|CSR|CAT9K\S*|HW):\d|\binterface: (?:TenGig\w+|GigabitEthernet)\d/\d/\d|^version 1[678]\.\d|IOS[ -]XE",
    re.MULTILINE,
)


def guess(
    text: str,
    typed: str | None = None,
    platform: Platform | None = None,
    *,
    of_host: Platform | None = None,
    needs_mark: bool = False,
    registry: Registry = BUILT_IN,
) -> Guess:
    """What printed ``text``, which is without terminal artefacts, echo and prompts.

    ``typed`` is the echo, abbreviated as it may be, ``platform`` is known for sure, ``of_host`` is what other outputs
    of the same device were, which counts where the text itself does not tell. ``needs_mark``: a text without a line
    that tells its command is not tried with every template, which takes milliseconds for each of the many in a log.

    Raises ``UnknownCommand`` for an echo that cannot be read, ``Filtered`` for one with a filter behind it, and
    ``NotRecognised`` where there is no echo and the text does not tell, or tells two things.
    """
    sample = "\n".join(
        islice((line[:_LONGEST_LINE] for line in text.split("\n") if line.strip()), _SAMPLE_LINES)
    )
    platforms = (platform,) if platform else _FAMILIES
    if typed is None:
        found = _by_content(sample, platforms, registry, needs_mark=needs_mark)
    else:
        found = _by_echo(sample, typed, platforms, of_host, registry)
    if platform is None and found.platform is Platform.IOS:
        if mark := _IOSXE.search(sample):
            reason = f"IOS-XE because of {mark.group().strip()!r}"
            return replace(found, platform=Platform.IOSXE, reasons=(*found.reasons, reason))
        if of_host is Platform.IOSXE:
            return replace(found, platform=of_host)
    return found


def _by_echo(
    sample: str,
    typed: str,
    platforms: Sequence[Platform],
    of_host: Platform | None,
    registry: Registry,
) -> Guess:
    spelled = {one: command for one in platforms if (command := _spelled(registry, one, typed))}
    if not spelled and len(platforms) > 1:
        # a template of the user's may be for IOS-XE alone
        only = _spelled(registry, Platform.IOSXE, typed)
        spelled = {Platform.IOSXE: only} if only else {}
    if not spelled:
        bare, bar, _ = typed.partition("|")
        if bar and (
            whole := next((c for one in platforms if (c := _spelled(registry, one, bare))), None)
        ):
            raise Filtered(typed, whole)
        raise UnknownCommand(typed, "any platform", ())
    if len(spelled) == 1:
        ((one, command),) = spelled.items()
        reasons = [f"typed {typed!r}"]
        if len(platforms) > 1:
            reasons.append(f"only {platform_name(one)} has this command")
        return Guess(platform=one, command=command, reasons=tuple(reasons))
    counts = {
        one: registry.understood_lines(one, command, sample) for one, command in spelled.items()
    }
    best = max(counts, key=lambda one: counts[one])
    if len(set(counts.values())) > 1:
        reason = f"it reads as {platform_name(best)} prints it"
        return Guess(platform=best, command=spelled[best], reasons=(f"typed {typed!r}", reason))
    if of_host is not None:
        best = Platform.ASA if of_host is Platform.ASA else Platform.IOS
        reason = f"the other outputs of this device are those of {platform_name(best)}"
    else:
        best = Platform.IOS
        reason = "nothing in it tells an ASA from a router"
    return Guess(
        platform=best,
        command=spelled[best],
        reasons=(f"typed {typed!r}", reason),
        tells_platform=False,
    )


def _spelled(registry: Registry, platform: Platform, typed: str) -> str | None:
    try:
        return registry.spelled_out(platform, typed)
    except UnknownCommand:
        return None


def platform_name(platform: Platform) -> str:
    """As people write it."""
    return {Platform.IOS: "IOS", Platform.IOSXE: "IOS-XE", Platform.ASA: "ASA"}[platform]


@dataclass(frozen=True, slots=True)
class _Candidate:
    platform: Platform
    command: str
    understood: int
    mark: str


def _by_content(
    sample: str, platforms: Sequence[Platform], registry: Registry, *, needs_mark: bool
) -> Guess:
    if refusal := _REFUSAL.search(sample):
        why = f"the device refused a command: {refusal.group().strip()!r}"
        raise NotRecognised(
            "", why, "check the account's privilege and that the release has the command"
        )
    said = sum(1 for line in sample.split("\n") if line.strip())
    marked = list(_candidates(sample, platforms, registry, needs_mark=True))
    candidates = marked
    if not marked and not needs_mark:
        # a listing that lost its headings still has rows
        candidates = list(_candidates(sample, platforms, registry, needs_mark=False))
    candidates.sort(key=lambda candidate: -candidate.understood)
    if not candidates or (candidates[0].understood < max(1, said * _ENOUGH) and not marked):
        raise NotRecognised("", "this is not the output of a command that can be read", _WHAT_TO_DO)
    best = candidates[0]
    rest = [c for c in candidates if not _is_same_reading(registry, best, c)]
    rival = rest[0] if rest else None
    if rival is not None:
        is_mixture = best.understood + rival.understood <= said and rival.understood * 10 >= said
        if is_mixture and best.mark and rival.mark:
            raise NotRecognised(
                "",
                f"this holds the outputs of {best.command!r} ({best.mark!r}) and of {rival.command!r} ({rival.mark!r})",
                "paste each with its prompt and command above it, or read them one by one",
            )
        if not marked and rival.understood * _CLEAR >= best.understood:
            raise NotRecognised(
                "",
                f"this could be the output of {best.command!r} on {platform_name(best.platform)} or of {rival.command!r} on {platform_name(rival.platform)}",
                _WHAT_TO_DO,
            )
    reason = (
        f"it has the line {best.mark!r}"
        if best.mark
        else f"{best.understood} of {said} lines read as such"
    )
    return Guess(platform=_given(best.platform, platforms), command=best.command, reasons=(reason,))


_WHAT_TO_DO = "say which it is with --platform and --command"


def _given(platform: Platform, platforms: Sequence[Platform]) -> Platform:
    """IOS-XE reads as IOS does; what was asked for is what is answered."""
    return platforms[0] if len(platforms) == 1 else platform


def _candidates(
    sample: str, platforms: Sequence[Platform], registry: Registry, *, needs_mark: bool
) -> Iterator[_Candidate]:
    families = {Platform.ASA if one is Platform.ASA else Platform.IOS for one in platforms}
    for mark in MARKS:
        if mark.platform not in families:
            continue
        match = mark.line.search(sample)
        if match is None and needs_mark:
            continue
        understood = registry.understood_lines(mark.platform, mark.command, sample)
        if understood:
            shown = match.group().strip().split("\n")[0].strip() if match else ""
            yield _Candidate(mark.platform, mark.command, understood, shown)


def _is_same_reading(registry: Registry, one: _Candidate, other: _Candidate) -> bool:
    """``detail`` or not, the lines are read alike."""
    return one.platform is other.platform and registry.are_read_alike(
        one.platform, one.command, other.command
    )
