"""The templates of a user's folder: which command each is for, and all that is wrong with them, by line and field.

The folder has the form of our own::

    templates/ios/show_crypto_ipsec_sa.textfsm      platform / command, with "_" for each blank
    templates/iosxe/show_ip_route_vrf_<name>.ttp    "<name>" stands for any one word

``template_syntax`` knows what a template may say; here is what it must say: a template in the place of ours has the
fields of ours, at least those that ours calls needed, and no field that nobody would read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ipsecmon_parsers.engines import Template
from ipsecmon_parsers.errors import TemplateMistake
from ipsecmon_parsers.records import Platform
from ipsecmon_parsers.template_syntax import (
    Fault,
    Group,
    Value,
    check_textfsm,
    check_ttp,
    listed,
    meant,
    near,
)

__all__ = ["TemplateFile", "mistakes_in", "read_folder"]

_SUFFIXES = (".textfsm", ".ttp")
# what people call templates elsewhere; ignored in silence, such a file would be a riddle
_MEANT_AS_TEMPLATE = frozenset({".template", ".fsm", ".tpl", ".tmpl", ".textfms", ".txtfsm"})
_WORD = re.compile(r"[A-Za-z0-9.,:+*=@%-]+|<\w+>|\|")
_LARGEST_BYTES = 1024 * 1024
_NAMED = "show_... with _ for each blank of the command, such as show_crypto_isakmp_sa.textfsm; <name> for any one word"


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateFile:
    """One template of a folder; ``command`` is written in the notation of the registry."""

    platform: Platform
    command: str
    template: Template

    @property
    def stem(self) -> str:
        """The name of the file without its suffix."""
        return Path(self.template.name).stem


def read_folder(folder: Path) -> tuple[list[TemplateFile], list[TemplateMistake]]:
    """The templates in the folders of the platforms, and what stands where no template can stand.

    Files that are no templates (a README, backups of an editor, outputs to test with) and folders below those of the
    platforms are left alone.
    """
    files: list[TemplateFile] = []
    mistakes: list[TemplateMistake] = []
    platforms = {platform.value: platform for platform in Platform}
    for entry in _entries(folder, mistakes):
        if _is_template(entry):
            accepted = f"a template in the folder of its platform: {listed(platforms)}"
            mistakes.append(_about(entry, "a template outside of a platform's folder", accepted))
        elif not _is_folder(entry):
            continue
        elif entry.name in platforms:
            for file in _entries(entry, mistakes):
                if _is_template(file):
                    _read(file, platforms[entry.name], files, mistakes)
        elif any(_is_template(file) for file in _entries(entry, [])):
            near = meant(entry.name, platforms)
            found = f"templates in a folder that is no platform{near}"
            mistakes.append(_about(entry, found, listed(platforms)))
    return files, mistakes


def _entries(folder: Path, mistakes: list[TemplateMistake]) -> list[Path]:
    """What the folder holds, without hidden files, in the order of the names."""
    try:
        entries = sorted(folder.iterdir())
    except FileNotFoundError:
        mistakes.append(_about(folder, "no such folder", "the path of a folder with templates"))
    except NotADirectoryError:
        mistakes.append(_about(folder, "a file", "the path of a folder with templates"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        found = f"a folder that cannot be read ({reason})"
        mistakes.append(_about(folder, found, "a readable folder"))
    else:
        return [entry for entry in entries if not entry.name.startswith((".", "#"))]
    return []


def _is_folder(entry: Path) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_template(entry: Path) -> bool:
    suffix = entry.suffix.lower()
    return suffix in _SUFFIXES or suffix in _MEANT_AS_TEMPLATE


def _about(path: Path, found: str, accepted: str, line: int = 0) -> TemplateMistake:
    return TemplateMistake(file=str(path), line=line, field="", found=found, accepted=accepted)


def _read(
    file: Path, platform: Platform, files: list[TemplateFile], mistakes: list[TemplateMistake]
) -> None:
    if file.suffix not in _SUFFIXES:
        accepted = ".textfsm or .ttp, which names the engine"
        mistakes.append(_about(file, f"the suffix '{file.suffix}'", accepted))
        return
    words = file.stem.split("_")
    if words[0].lower() != "show" or len(words) < 2 or not all(map(_WORD.fullmatch, words)):
        mistakes.append(_about(file, "a name that spells no show command", _NAMED))
        return
    text = _text(file, mistakes)
    if text is not None:
        command = " ".join(r"\|" if word == "|" else word for word in words)
        template = Template(str(file), text)
        files.append(TemplateFile(platform=platform, command=command, template=template))


def _text(file: Path, mistakes: list[TemplateMistake]) -> str | None:
    try:
        with file.open("rb") as opened:
            data = opened.read(_LARGEST_BYTES + 1)
    except OSError as error:
        found = f"a file that cannot be read ({error.strerror})"
        mistakes.append(_about(file, found, "a readable file"))
        return None
    if len(data) > _LARGEST_BYTES:
        mistakes.append(_about(file, "more than 1 MiB", "a template of at most 1 MiB"))
        return None
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        found = f"the byte 0x{data[error.start]:02x}"
        mistakes.append(_about(file, found, "text in UTF-8", line))
        return None


def mistakes_in(template: Template, ours: Template | None) -> list[TemplateMistake]:
    """All that is wrong with a template; ``ours`` is the one whose place it takes, if it takes one."""
    suffix = Path(template.name).suffix
    if ours is not None and not ours.name.endswith(suffix):
        found = f"a {suffix} template"
        accepted = f"a {Path(ours.name).suffix} template, as ours for this command is"
        faults = [Fault(0, "", found, accepted)]
    elif suffix == ".ttp":
        groups, faults = check_ttp(template)
        if ours is not None:
            known, _ = check_ttp(ours)
            faults += _faults_of_groups(groups, known, ())
    else:
        values, faults = check_textfsm(template)
        faults += _faults_of_values(template, values, ours) if ours else _faults_of_lists(values)
    return [
        TemplateMistake(
            file=template.name,
            line=fault.line,
            field=fault.field,
            found=fault.found,
            accepted=fault.accepted,
        )
        for fault in dict.fromkeys(faults)
    ]


def _faults_of_values(template: Template, values: list[Value], ours: Template) -> Iterator[Fault]:
    known = {value.name: value for value in check_textfsm(ours)[0]}
    unknown = [value for value in values if value.name not in known]
    for value in values:
        if value in unknown:
            found = f"an unknown field{meant(value.name, known)}"
            yield Fault(value.line, value.name, found, listed(known))
        elif "List" in value.options:
            accepted = "one text: what reads this field takes no list"
            yield Fault(value.line, value.name, "the option List", accepted)
    # a field with a mistake of its own is not missing as well
    given = {value.name for value in values} | {near(value.name, known) for value in unknown}
    given |= set(re.findall(r"^Value (?:[A-Za-z,]+ )?([^\s(]+)", template.text, re.MULTILINE))
    needed = re.findall(r"^# Needed:(.*)$", ours.text, re.MULTILINE)
    last = values[-1].line if values else 1
    for name in " ".join(needed).split():
        if name not in given:
            accepted = f"a line such as '{known[name].text}'"
            yield Fault(last, name, "no such field, and it is needed", accepted)


def _faults_of_lists(values: list[Value]) -> Iterator[Fault]:
    for value in values:
        if "List" in value.options and "(?P<" in value.text:
            accepted = "a List of texts: a Value of its own for each part"
            yield Fault(value.line, value.name, "named groups inside a List", accepted)


def _faults_of_groups(
    groups: list[Group], known: list[Group], path: tuple[str, ...]
) -> Iterator[Fault]:
    ours = {group.name: group for group in known}
    for group in groups:
        where = (*path, group.name)
        if group.name not in ours:
            found = f"an unknown group{meant(group.name, ours)}"
            accepted = listed(ours) if ours else "no group here"
            yield Fault(group.line, ".".join(where), found, accepted)
            continue
        model = ours[group.name]
        for name, line in group.variables.items():
            if name not in model.variables:
                found = f"an unknown field{meant(name, model.variables)}"
                yield Fault(line, ".".join((*where, name)), found, listed(model.variables))
        for line, names in group.openings:
            slips = {near(name, model.variables) for name in names - model.variables.keys()}
            for name in model.opening_variables:
                if name not in names and name not in slips:
                    field = ".".join((*where, name))
                    accepted = f"{{{{ {name} }}}} in each line that begins the group"
                    yield Fault(line, field, "no such field, and it is needed", accepted)
        yield from _faults_of_groups(group.below, model.below, where)
