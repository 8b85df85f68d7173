"""What a runbook tells a person to type or to read must exist: problems of a page, each in words.

    command_problems("```sh\nipsecmon events --sinse 2h\n```")    ["ipsecmon events --sinse 2h: No such option: --sinse ..."]

A block marked ``sh`` holds commands and nothing else, one marked ``promql`` queries, each beginning at the left margin;
in the other blocks a line such as ``Site1# show ...`` is typed on a device and ``$ ...`` beside ipsecmon.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

import click

from ipsecmon.alerting.settings import SettingRefused, with_settings
from ipsecmon.alerting.thresholds import Threshold, described
from ipsecmon.alerting.timescale import spoken
from ipsecmon.cli import main
from ipsecmon.metrics.catalogue import METRICS, Kind
from ipsecmon_parsers.errors import ParserError, UnknownCommand
from ipsecmon_parsers.records import Platform
from ipsecmon_parsers.registry import BUILT_IN, parse
from promql_names import problems

__all__ = [
    "SECTIONS",
    "command_problems",
    "link_problems",
    "output_problems",
    "query_problems",
    "section_problems",
    "show_problems",
    "silence_problems",
    "threshold_problems",
]

SECTIONS: Final = (
    "Meaning",
    "Likely causes",
    "Look",
    "Fix",
    "Silence it honestly",
)

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_METRIC = re.compile(r"\bcisco_(?:ipsec|ike)_\w+")
_QUOTED_WHOLE = re.compile(
    r"\w+# *(show crypto isakmp (?:sa|policy)[^<|\n]*|show crypto ipsec (?:sa count|security-association)[^<|\n]*)"
    r"\n(.+)",
    re.DOTALL,
)
_DEFAULT = re.compile(r"`(\w+)` \(([^)]*)\)")

# what a device is asked beside what ipsecmon reads, with a word of an argument or a filter behind it
_OTHER_SHOWS: Final = (
    # IOS and IOS-XE
    "show aaa servers",
    "show arp",
    "show clock",
    "show crypto call admission statistics",
    "show crypto eli",
    "show crypto ikev2 stats",
    "show crypto key mypubkey",
    "show crypto pki certificates",
    "show interfaces",
    "show ip nat translations",
    "show ip route",
    "show ip ssh",
    "show logging",
    "show login",
    "show monitor event-trace crypto",
    "show platform hardware qfp active feature ipsec datapath drops all",
    "show policy-map interface",
    "show processes cpu",
    "show redundancy",
    "show running-config",
    "show users",
    "show version",
    # ASA
    "show asp drop",
    "show failover",
    "show interface",
    "show route",
    "show xlate",
)


def section_problems(name: str, text: str) -> list[str]:
    """A title that is not the name, sections that are missing, too many or in another order, a section without words."""
    parts = re.split(r"^(#+ .+)$", _BLOCK.sub("block\n", text), flags=re.MULTILINE)
    headings, bodies = parts[1::2], parts[2::2]
    wanted = [f"# {name}", *(f"## {section}" for section in SECTIONS)]
    found = [] if headings == wanted else [f"its headings are {headings}, not {wanted}"]
    return found + [
        f"{heading} says nothing"
        for heading, body in zip(headings[1:], bodies[1:], strict=True)
        if not body.strip()
    ]


def link_problems(page: Path, text: str) -> list[str]:
    """Links to files or headings that are not there."""
    found: list[str] = []
    for target in _LINK.findall(_BLOCK.sub("", text)):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        if not file.is_file():
            found.append(f"there is no file {target}")
        elif anchor and anchor not in _anchors(file.read_text(encoding="utf-8")):
            found.append(f"there is no heading {target}")
    return found


def _anchors(text: str) -> set[str]:
    return {
        re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-")
        for heading in _HEADING.findall(text)
    }


def command_problems(text: str) -> list[str]:
    """Commands of ipsecmon, in blocks and in sentences, that it would refuse."""
    blocks = [words for words in _typed(text) if words[0] == "ipsecmon"]
    inline = [
        shlex.split(code)
        for code in _INLINE.findall(_BLOCK.sub("", text))
        if re.match(r"ipsecmon [a-z]", code)
    ]
    found = [_refusal(words, must_be_whole=True) for words in blocks]
    found += [_refusal(words, must_be_whole=False) for words in inline]
    return [problem for problem in found if problem is not None]


def _typed(text: str) -> Iterator[list[str]]:
    """The commands typed beside ipsecmon, without what a shell does with their output."""
    for kind, block in _BLOCK.findall(text):
        for line in re.sub(r" *\\\n *", " ", block).splitlines():
            is_typed = kind == "sh" or line.startswith("$ ")
            command = re.sub(r" +<- .*", "", line.removeprefix("$ "))
            words = shlex.split(command, comments=True) if is_typed else []
            if words:
                ends = [n for n, word in enumerate(words) if word in {"|", ">", "<", "&&", ";"}]
                yield words[: ends[0]] if ends else words


def _refusal(words: Sequence[str], *, must_be_whole: bool) -> str | None:
    """What click says of it; a sentence may name a command without its arguments."""
    command: click.Command = main
    context = click.Context(main, info_name="ipsecmon")
    left = list(words[1:])
    try:
        while isinstance(command, click.Group) and left:
            _, found, left = command.resolve_command(context, left)
            assert found is not None  # it would have raised
            command = found
        if "--help" not in left:
            command.make_context(command.name, list(left), parent=context).close()
        with_settings(value for option, value in pairwise(left) if option == "--set")
    except click.MissingParameter as error:
        return f"{shlex.join(words)}: {error.format_message()}" if must_be_whole else None
    except click.UsageError as error:
        return f"{shlex.join(words)}: {error.format_message()}"
    except SettingRefused as error:
        return f"{shlex.join(words)}: {error}"
    return None


def silence_problems(text: str, labels: dict[str, str]) -> list[str]:
    """A silence that is not as narrow as the alert, has no end or gives no reason."""
    silences = [words for words in _typed(text) if words[:3] == ["amtool", "silence", "add"]]
    found = [] if silences else ["no amtool silence add"]
    for words in silences:
        matchers = dict(word.split("=", 1) for word in words[3:] if re.match(r"\w+=", word))
        missing = [f"{k}={v}" for k, v in labels.items() if v not in {matchers.get(k), ""}]
        missing += [f"{k}=..." for k, v in labels.items() if not v and k not in matchers]
        missing += [] if any(w.startswith("--duration=") for w in words) else ["--duration=..."]
        missing += [] if "--comment" in words else ["--comment ..."]
        found += [f"a silence without {', '.join(missing)}"] if missing else []
    return found


def threshold_problems(text: str) -> list[str]:
    """Thresholds in sentences, `name` (3 minutes), that have another default."""
    defaults = {one.name: _spellings(one) for one in described() if one.unit != "text"}
    prose = " ".join(_BLOCK.sub("", text).split())
    return [
        f"{name} is {defaults[name][-1]}, not {told}"
        for name, told in _DEFAULT.findall(prose)
        if name in defaults and re.split(r",|\.(?!\d)", told)[0] not in defaults[name]
    ]


def _spellings(threshold: Threshold) -> list[str]:
    value = threshold.default
    spellings = [f"{value:g}"]
    if threshold.unit == "ratio":
        spellings.append(f"{100 * value:g} %")
    elif threshold.unit == "seconds":
        words = spoken(value)
        spellings += [re.sub("^1 ", "an " if words == "1 hour" else "a ", words), words]
    return spellings


def query_problems(text: str) -> list[str]:
    """Queries that are no PromQL, or name what is not exported."""
    queries = [
        query
        for kind, block in _BLOCK.findall(text)
        if kind == "promql"
        for query in re.split(r"\n(?=\S)", block.strip())
    ]
    found = [f"{query}: {problem}" for query in queries for problem in problems(query)]
    known = METRICS.keys() | {
        f"{metric.name}_{suffix}"
        for metric in METRICS.values()
        if metric.kind is Kind.HISTOGRAM
        for suffix in ("bucket", "count", "sum")
    }
    unknown = sorted(set(_METRIC.findall(text)) - known)
    # what Prometheus says of itself is not ours to know
    return [problem for problem in found if "metric prometheus_" not in problem] + [
        f"there is no metric {name}" for name in unknown
    ]


def show_problems(text: str) -> list[str]:
    """Show commands, in blocks and in sentences, that neither ipsecmon reads nor the list above has."""
    shows = [
        command
        for kind, block in _BLOCK.findall(text)
        if kind != "sh"
        for command in re.findall(r"^\w+# *(show [^<\n]+)", block, re.MULTILINE)
    ]
    shows += [code for code in _INLINE.findall(_BLOCK.sub("", text)) if re.match(r"show \w", code)]
    return [
        f"{show}: no command of the references"
        for show in (" ".join(show.split()) for show in shows)
        if not _exists(show)
    ]


def _exists(show: str) -> bool:
    if show.startswith(_OTHER_SHOWS):
        return True
    unfiltered = re.sub(r" \| (?:include|exclude|begin|section) .*", "", show)
    for platform in Platform:
        try:
            BUILT_IN.lookup(platform, unfiltered)
        except UnknownCommand:
            continue
        return True
    return False


def output_problems(text: str) -> list[str]:
    """Outputs quoted whole, those of tables, that a router does not print like that."""
    found: list[str] = []
    for _, block in _BLOCK.findall(text):
        for part in re.split(r"^(?=\w+# *show )", block, flags=re.MULTILINE):
            shown = _QUOTED_WHOLE.match(part)
            if shown:
                lines = [re.sub(r" *<- .*", "", line) for line in shown[2].splitlines()]
                found += _unread(shown[1].strip(), "\n".join([*lines, "Site1#"]))
    return found


def _unread(show: str, output: str) -> list[str]:
    try:
        lines = parse(Platform.IOSXE, show, output).unparsed_lines
    except ParserError as error:
        return [str(error)]
    return [f"{show} prints no line such as {line.text.strip()!r}" for line in lines]
