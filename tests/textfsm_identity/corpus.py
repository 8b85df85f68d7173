"""The cases for holding our engine against textfsm: outputs of many platforms, each with its public template.

The outputs lie beside the repository and are read there; the templates come with the package ``ntc-templates``.
"""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Case", "cases", "corpus_folder", "template_folder"]

_REPOSITORY = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True, slots=True)
class Case:
    """One output and its template."""

    output: Path
    template: Path

    @property
    def name(self) -> str:
        return "/".join(self.output.parts[-3:])

    @property
    def text(self) -> str:
        return self.output.read_text(encoding="utf-8")


def corpus_folder() -> Path:
    """``<platform>/<command>/<case>.raw``, set by IPSECMON_TEXTFSM_CORPUS."""
    beside = _REPOSITORY.parent / "shared" / "textfsm_corpus"
    return Path(os.environ.get("IPSECMON_TEXTFSM_CORPUS", beside))


def template_folder() -> Path | None:
    """The templates of the installed package ``ntc-templates``."""
    spec = importlib.util.find_spec("ntc_templates")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "templates"


def cases() -> list[Case]:
    """The outputs that have a template, in a fixed order."""
    templates = template_folder()
    if templates is None:
        return []
    found: list[Case] = []
    for output in sorted(corpus_folder().glob("*/*/*.raw")):
        template = templates / f"{output.parts[-3]}_{output.parts[-2]}.textfsm"
        if template.is_file():
            found.append(Case(output, template))
    return found
