"""Makes of an output a copy to show to others: it reads the same, and does not say whose it is.

What a text names is found in two ways: what the templates read as a name (maps, VRFs, access lists, profiles, users,
identities, hosts), and lines whose words say that a name follows. Then every address, name, SPI and hardware address is
replaced wherever it stands, also in lines nobody understands. Keys and passwords become ``***``. Of a configuration only
the lines about crypto are kept, of other commands than those of a VPN nothing.

A word that Cisco itself uses (``vpn``, ``outside``, ``map``) says nothing and stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from ipsecmon_parsers.clean import echoes, shown
from ipsecmon_parsers.engines import Section, Table
from ipsecmon_parsers.errors import Filtered, NotRecognised, UnknownCommand
from ipsecmon_parsers.guess import Guess, guess
from ipsecmon_parsers.pseudonyms import Addresses, Names, Spis
from ipsecmon_parsers.records import Platform
from ipsecmon_parsers.redaction import hide_secrets, hide_typed_secrets
from ipsecmon_parsers.registry import BUILT_IN, Registry, known_commands
from ipsecmon_parsers.session_log import Answer, answers

__all__ = ["Anonymized", "anonymize"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Anonymized:
    """The copy, line for line, and the commands whose outputs were left out of it."""

    text: str
    left_out: tuple[str, ...]


def anonymize(
    text: str,
    platform: Platform | None = None,
    command: str | None = None,
    *,
    registry: Registry = BUILT_IN,
) -> Anonymized:
    """``text`` without what says whose it is; ``platform`` and ``command`` where the text does not tell them."""
    lines = shown(text).split("\n")
    found = answers(text)
    hosts = {echo.host for echo in echoes("\n".join(lines))}
    names = Names(_vocabulary())
    for host in hosts:
        names.add(host)
    left_out: list[str] = []
    for answer in found:
        guessed = _guess(answer, platform, command, registry, is_one_of_many=len(found) > 1)
        # behind a prompt the text begins with what is left of its line, nothing, and ends where the next one begins
        skipped = 1 if answer.command or answer.host else 0
        printed = shown(answer.text).split("\n")
        printed = printed[skipped : len(printed) - (printed[-1] == "" and len(printed) > 1)]
        first = answer.first_line - 1 + skipped
        if guessed is not None:
            printed = _read(answer, guessed, names, registry)[skipped : skipped + len(printed)]
        elif not printed:
            pass
        elif answer.command is None or _ABOUT_VPN.search(answer.command):
            printed = hide_secrets("\n".join(printed)).split("\n")
        elif any(line.strip() for line in printed):
            left_out.append(answer.command)
            printed = [""] * len(printed)
        lines[first : first + len(printed)] = printed
        if answer.command is not None:
            echo = lines[answer.first_line - 1]
            typed = _typed(answer.command, is_read=guessed is not None)
            lines[answer.first_line - 1] = echo.replace(answer.command, typed)
    lines = [hide_typed_secrets(line) for line in lines]
    for line in lines:
        for name in (*_named(line), *_named_beside(line)):
            names.add(name)
    return Anonymized(text=_Replacement(lines, names).text(), left_out=tuple(left_out))


_ABOUT_VPN = re.compile(r"cry|isakmp|ipsec|ike|vpn|dmvpn|nhrp|access-l|\btunnel", re.IGNORECASE)


def _typed(command: str, *, is_read: bool) -> str:
    """What somebody typed may hold a key; of what has nothing to do with a VPN the first word is enough."""
    if is_read or _ABOUT_VPN.search(command):
        return hide_secrets(command)
    word, blank, _ = command.partition(" ")
    return f"{word}{blank and ' ...'}"


def _guess(
    answer: Answer,
    platform: Platform | None,
    command: str | None,
    registry: Registry,
    *,
    is_one_of_many: bool,
) -> Guess | None:
    try:
        text = shown(answer.text)
        typed = answer.command or command
        return guess(text, typed, platform, needs_mark=is_one_of_many, registry=registry)
    except (Filtered, NotRecognised, UnknownCommand):
        return None


# --- what is a name ---------------------------------------------------------------------------------------

# columns of the templates that hold a name, or an address, which is told apart
_NAME_COLUMNS = frozenset(
    {
        *(
            "ACCESS_LIST",
            "APPLIED",
            "CONNECTION",
            "CREATED_FROM",
            "CRYPTO_MAP",
            "DYNAMIC_MAP",
            "FILTER",
        ),
        *(
            "FVRF",
            "GROUP",
            "HOSTNAME",
            "IKEV2_PROFILE",
            "INTERFACE",
            "IPV6_FILTER",
            "ISAKMP_PROFILE",
        ),
        *("IVRF", "KEYRING", "LOCAL_ID", "LOCAL_INTERFACE", "MAP", "MTU_INTERFACE", "NAME", "PEER"),
        *(
            "PHASE1_ID",
            "PROFILE",
            "PROPOSAL",
            "PROTECT",
            "REMOTE_ID",
            "SA_CRYPTO_MAP",
            "SESSION_INTERFACE",
        ),
        *("SET_NAME", "TUNNEL_VRF", "USERNAME", "VRF", "VRFS", "CURRENT_PEER", "DEFAULT_PEER"),
    }
)
# the same of the groups of a configuration; "address" holds names of interfaces and of peers as well
_SECTION_NAMES = frozenset(
    {
        *(
            "name",
            "vrf",
            "fvrf",
            "hostname",
            "keyring",
            "map",
            "crypto_map",
            "proposal",
            "tunnel_vrf",
        ),
        *("unnumbered", "interface", "tunnel_source", "tunnel_destination", "identity", "match"),
        "protection",
    }
)
# where nothing was read, the words before a name tell; the words are those of configurations and listings
_NAMED = re.compile(
    r"""
    (?<![\w-])(?:
      Crypto[ ]map[ ]tag: | crypto[ ]map: | Crypto[ ]Map(?:[ ]IPv[46])? | crypto[ ](?:dynamic-)?map
    | (?:isakmp|ikev2|ipsec|IPSEC|IKEv2)[ ]profile | [Pp]rofile: | protected[ ]vrf: | [Pp]rotected[ ]vrf[ ]\(ivrf\):
    | fvrf: | ivrf: | [Ff]vrf[ ]: | (?:ip[ ])?vrf(?:[ ](?:forwarding|definition))? | match[ ]fvrf
    | (?:isakmp|ikev2)-profile | ipsec-isakmp[ ]dynamic | keyring(?:[ ]local)? | (?:pki[ ])?trustpoint | certificate[ ]chain | IP(?:v6)?[ ]access[ ]list | access-list | access-group
    | match[ ]address(?![ ]local) | transform-set | object-group(?:[ ]network|[ ]service)? | object(?:[ ]network)? | fqdn
    | nameif | hostname | Username[ ]*: | username | Group[ ]*: | Phase1_id: | Desc: | Connection[ ]+:
    | (?:Local|Remote|Phase1)[ ]id: | identity[ ](?:local|remote)?[ ]*(?:fqdn|email|key-id|address|domain)? | policy[ ]group
    | client[ ]configuration[ ]group | group-policy | tunnel-group | peer | IPSECPROFILE | [Tt]ransform[ ]set
    | aaa[ ]authorization[ ](?:user|group)[ ](?:psk[ ])?list | list | authorization[ ]policy | pool
    )[ ]+"?(?P<name>[^\s"',;(){}=]+)
    """,
    re.VERBOSE,
)
_ADDRESS4 = r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\d|\.\d)"
_ADDRESS6 = r"(?<![\w:.])(?=[0-9A-Fa-f.]*:[0-9A-Fa-f.]*:)[0-9A-Fa-f:.]{2,45}(?![\w:])"
_IS_ADDRESS = re.compile(rf"(?:{_ADDRESS4}|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]+)(?:[/:]\d+)?")
_INTERFACE = re.compile(
    r"(?:(?:[A-Z][a-z]*)*(?:Ethernet|GigE|Serial|Tunnel|Loopback|Vlan|Dialer|Cellular|Access|Template|channel|BVI|BDI|NVI|PPP)"
    r"|Gi|Te|Fa|Et|Eth|Se|Tu|Lo|Vl|Po|Vi|Di|Management|Null|Embedded-Service-Engine|ATM|Async|Virtual|Multilink|Port)"
    r"[\d/.:]*(?:-head-\d+)?"
)


def _read(answer: Answer, guessed: Guess, names: Names, registry: Registry) -> list[str]:
    """The lines of an answer as its template sees them; what that reads as names is added to ``names``."""
    lines = registry.prepared_lines(guessed.platform, guessed.command, answer.text)
    table = registry.template_table(guessed.platform, guessed.command, answer.text)
    for name in _names(table):
        names.add(name)
    for line_no in table.unmatched_lines:
        if "key lifetime" not in lines[line_no - 1]:
            lines[line_no - 1] = hide_secrets(lines[line_no - 1])
    if guessed.command.startswith("show running-config"):
        for line in lines:
            for name in _unusual_words(line):
                names.add(name)
    return lines


def _names(table: Table) -> Iterator[str]:
    columns = _NAME_COLUMNS & table.columns.keys()
    for row in table:
        for column in columns:
            if (text := row.text(column)) is not None:
                yield from _parts(column, text)
    for sections in table.sections.values():
        yield from _section_names(sections)


def _section_names(sections: Sequence[Section]) -> Iterator[str]:
    for section in sections:
        for key in _SECTION_NAMES & section.values.keys():
            yield from _words_of(section.text(key) or "")
        for below in section.below.values():
            yield from _section_names(below)


def _parts(column: str, text: str) -> Iterator[str]:
    if column == "VRFS":
        text = text.replace("/", " ")
    if column == "ACCESS_LIST":
        text = text.partition(" ")[0]
    yield from _words_of(text)


def _words_of(text: str) -> Iterator[str]:
    """The words of a value that could be names: no addresses, no interfaces, no ``(none)``."""
    for word in re.split(r"[\s,=\"']+", text):
        word = word.strip("():;[]")
        if word and not _IS_ADDRESS.fullmatch(word) and not _INTERFACE.fullmatch(word):
            yield word


def _unusual_words(line: str) -> Iterator[str]:
    """Cisco's own words have small letters: in a configuration others are names."""
    if not _FREE_TEXT.match(line):
        yield from (word for word in _words_of(line) if re.search("[A-Z_]", word))


# a prompt that something stands before (a stamp, the mark of a quotation), a login, a mail address
_PROMPT_INSIDE = re.compile(
    r"(?<![\w.-])([A-Za-z][\w.-]{1,62})(?:/[\w/]+)?(?:\([\w-]+\))?[#>] ?(?:do )?sh(?:ow?)? [a-z]"
)
_LOGIN = re.compile(r"(?:login as|login|username):[ ]*(\S+)", re.IGNORECASE)
_MAIL = re.compile(r"([\w.+-]+)@([\w-]+(?:\.[\w-]+)+)")


def _named_beside(line: str) -> Iterator[str]:
    """Names that stand beside the outputs."""
    for pattern in (_PROMPT_INSIDE, _LOGIN, _MAIL):
        for match in pattern.finditer(line):
            yield from match.groups()


def _named(line: str) -> Iterator[str]:
    for match in _NAMED.finditer(line):
        yield from _words_of(match["name"])


# words of the language itself that no template spells out
_COMMON_WORDS = frozenset(
    [
        "any",
        "any4",
        "any6",
        "default",
        "Global",
        "global",
        "none",
        "local",
        "remote",
        "outside",
        "inside",
        "management",
        "dmz",
        "mgmt",
        "wan",
        "lan",
        "in",
        "out",
        "vpn",
        "VPN",
        "map",
        "crypto",
        "permit",
        "deny",
        "host",
        "ip",
        "ipv6",
        "tcp",
        "udp",
        "icmp",
        "esp",
        "ahp",
        "ah",
        "gre",
        "ospf",
        "eigrp",
        "pim",
        "igmp",
        "nos",
        "ipinip",
        "eq",
        "neq",
        "lt",
        "gt",
        "range",
        "established",
        "log",
        "log-input",
        "remark",
        "extended",
        "standard",
        "object",
        "object-group",
        "network",
        "service",
        "icmp-type",
        "interface",
        "time-range",
        "inactive",
        "line",
        "hitcnt",
        "cnt",
        "Compiled",
        "user",
        "cached",
        "flows",
        "element",
        "elements",
        "hash",
        "name",
        "access",
        "list",
        "lists",
        "aes",
        "AES",
        "des",
        "DES",
        "3des",
        "gcm",
        "GCM",
        "gmac",
        "GMAC",
        "cbc",
        "CBC",
        "CTR",
        "seal",
        "md5",
        "MD5",
        "sha",
        "SHA",
        "sha1",
        "SHA1",
        "sha256",
        "SHA256",
        "sha384",
        "SHA384",
        "sha512",
        "SHA512",
        "sha2",
        "SHA96",
        "SHA256",
        "MD596",
        "hmac",
        "null",
        "NULL",
        "lzs",
        "comp",
        "rsa",
        "RSA",
        "ecdsa",
        "sig",
        "encr",
        "psk",
        "PSK",
        "pre",
        "share",
        "preshared",
        "group",
        "1",
        "2",
        "5",
        "14",
        "15",
        "16",
        "19",
        "20",
        "21",
        "24",
        "group1",
        "group2",
        "group5",
        "group14",
        "group15",
        "group16",
        "group19",
        "group20",
        "group21",
        "group24",
        "lifetime",
        "seconds",
        "kilobytes",
        "disable",
        "set",
        "match",
        "peer",
        "address",
        "transform",
        "mode",
        "tunnel",
        "transport",
        "require",
        "security",
        "association",
        "pfs",
        "reverse",
        "route",
        "static",
        "policy",
        "priority",
        "proposal",
        "keyring",
        "profile",
        "isakmp",
        "ipsec",
        "ikev1",
        "ikev2",
        "v1",
        "v2",
        "dpd",
        "periodic",
        "demand",
        "on",
        "keepalive",
        "identity",
        "authentication",
        "encryption",
        "integrity",
        "prf",
        "lifetime",
        "key",
        "hostname",
        "fqdn",
        "domain",
        "email",
        "fvrf",
        "vrf",
        "ivrf",
        "virtual",
        "template",
        "certificate",
        "pki",
        "trustpoint",
        "sign",
        "self",
        "signed",
        "client",
        "configuration",
        "gdoi",
        "dynamic",
        "initiate",
        "aggressive",
        "L2L",
        "User",
        "head",
        "vesen",
        "vti",
        "ACL",
        "IPsec",
        "IKE",
        "IPSEC",
        "ISAKMP",
        "MAP",
        "OSPF",
        "OSPFv3",
        "ipsecv6",
        "Tunnel",
        "tunnel",
        "Virtual",
        "Access",
        "Loopback",
        "UNKNOWN",
        "None",
        "NONE",
        "Interface",
        "Vlan",
        "UP",
        "DOWN",
        "NHRP",
        "READY",
        "ACTIVE",
        "STDBY",
        "QM_IDLE",
        "QM",
        "IDLE",
        "initiator",
        "responder",
        "bootps",
        "bootpc",
        "domain",
        "www",
        "https",
        "http",
        "ssh",
        "telnet",
        "ftp",
        "tftp",
        "snmp",
        "snmptrap",
        "syslog",
        "ntp",
        "bgp",
        "isakmp",
        "non500",
        "echo",
        "reply",
        "unreachable",
        "traceroute",
        "ttl",
        "exceeded",
        "time",
        "port",
        "packet",
        "too",
        "big",
        "nd",
        "na",
        "ns",
        "fragments",
        "dscp",
        "precedence",
        "tos",
        "psh",
        "ack",
        "syn",
        "rst",
        "fin",
        "urg",
    ]
)


@lru_cache
def _vocabulary() -> frozenset[str]:
    """The words the templates and the commands spell out, and those of the language around them."""
    words = set(_COMMON_WORDS)
    for platform in Platform:
        for command in known_commands(platform):
            words.update(re.findall(r"[A-Za-z0-9]+", command))
    for folder in resources.files("ipsecmon_parsers").joinpath("templates").iterdir():
        for template in folder.iterdir():
            for line in template.read_text(encoding="utf-8").split("\n"):
                if line.startswith("#"):
                    continue
                rule = re.sub(
                    r"^Value (?:[A-Za-z,]+ )?\w+|\$\{\w+\}|\\[a-zA-Z]|\{\{.*?\}\}", " ", line
                )
                words.update(re.findall(r"[A-Za-z0-9]+", rule))
    return frozenset(words)


# --- the replacement ----------------------------------------------------------------------------------------

_TOKEN = re.compile(r"(?P<token>[^\s,;\"'{}()=<>|\[\]]+)(?P<gap> {2,}(?=\S))?")
_FREE_TEXT = re.compile(
    r"^(?P<label>\s*(?:description|Description:|Desc:|.*?\bremark)\s+)(?P<text>(?!\(none\))\S.*?)(?P<end>\s*)$"
)
_WITH_MASK = re.compile(
    rf"(?P<address>{_ADDRESS4})(?:/|\s+\[?|, wildcard bits\s+)(?P<mask>{_ADDRESS4}|(?<=/)\d{{1,2}}(?![\d.]))"
    rf"|(?P<address6>(?<![\w:.])[0-9A-Fa-f:]+:[0-9A-Fa-f:.]*)/(?P<mask6>\d{{1,3}})(?!\d)"
)
_RANGE = re.compile(
    rf"(?P<first>{_ADDRESS4})(?:/\d+)? +- +(?P<last>{_ADDRESS4})|range (?P<low>{_ADDRESS4}) (?P<high>{_ADDRESS4})"
)
_ANY_ADDRESS = re.compile(rf"(?P<v4>{_ADDRESS4})|(?P<v6>{_ADDRESS6})")
_HEXADECIMAL = re.compile(r"(?<![\w])0x(?P<digits>[0-9A-Fa-f]{5,16})(?![0-9A-Za-z])")
_BARE_SPI = re.compile(
    r"(?i:\bspi\b[^0-9\n]{0,24}?[:=\s])\s*(?P<digits>[0-9A-Fa-f]{5,16})(?![0-9A-Za-z])"
)
_DECIMAL = re.compile(r"(?<![\w.-])\d{5,20}(?![\w.])")
_HARDWARE = re.compile(
    r"(?<![\w.:])(?:[0-9a-fA-F]{4}\.){2}[0-9a-fA-F]{4}(?![\w.])|(?<![\w:])(?:[0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}(?![\w:])"
)


class _Replacement:
    """The lines of a text and what stands for what in them."""

    def __init__(self, lines: Sequence[str], names: Names) -> None:
        self._lines = lines
        self._names = names
        self._addresses = Addresses()
        self._spis = Spis()
        self._hardware: dict[str, str] = {}
        for line in lines:
            self._collect(line)

    def _collect(self, line: str) -> None:
        for match in _WITH_MASK.finditer(line):
            if match["address"]:
                self._addresses.add(match["address"], match["mask"])
            else:
                self._addresses.add(match["address6"], match["mask6"])
        for match in _RANGE.finditer(line):
            self._addresses.add_range(
                match["first"] or match["low"], match["last"] or match["high"]
            )
        for match in _ANY_ADDRESS.finditer(line):
            if match["v4"] or _is_address6(match["v6"]):
                self._addresses.add(match.group())
        for match in (*_HEXADECIMAL.finditer(line), *_BARE_SPI.finditer(line)):
            self._spis.add(match["digits"])

    def text(self) -> str:
        return "\n".join(self._line(line) for line in self._lines)

    def _line(self, line: str) -> str:
        if match := _FREE_TEXT.match(line):
            label = self._plain(match["label"])
            return f"{label}{self._names.other_text(match['text'])}{match['end']}"
        return self._plain(line)

    def _plain(self, line: str) -> str:
        line = _HARDWARE.sub(self._other_hardware, line)
        line = _BARE_SPI.sub(
            lambda m: (
                m.group()[: m.start("digits") - m.start()]
                + self._spis.other_hexadecimal(m["digits"])
            ),
            line,
        )
        line = _HEXADECIMAL.sub(lambda m: f"0x{self._spis.other_hexadecimal(m['digits'])}", line)
        line = _DECIMAL.sub(lambda m: self._spis.other_decimal(m.group()), line)
        return _TOKEN.sub(self._in_its_column, line)

    def _in_its_column(self, match: re.Match[str]) -> str:
        """A column of a table stays where it is as long as there is room."""
        token = self._token(match["token"])
        if match["gap"] is None:
            return token
        return token + " " * max(2, len(match.group()) - len(token))

    def _token(self, token: str) -> str:
        bare = token.strip(":.")
        if self._names.is_known(bare):
            return token.replace(bare, self._names.other(self._addresses_in(bare)))
        replaced = self._addresses_in(token)
        if replaced != token and _IS_ADDRESS.fullmatch(bare):
            return replaced
        return "/".join(
            self._names.other(part)
            if self._names.is_known(part)
            else self._names.without_words(part)
            for part in replaced.split("/")
        )

    def _addresses_in(self, token: str) -> str:
        return _ANY_ADDRESS.sub(self._other_address, token)

    def _other_address(self, match: re.Match[str]) -> str:
        if match["v6"] and not _is_address6(match["v6"]):
            return match.group()
        return self._addresses.other(match.group())

    def _other_hardware(self, match: re.Match[str]) -> str:
        number = len(self._hardware) + 1
        return self._hardware.setdefault(match.group(), f"0000.5e00.53{number:02x}")


def _is_address6(text: str) -> bool:
    """Neither a time of day nor a list of words with colons."""
    return "::" in text or text.count(":") == 7
