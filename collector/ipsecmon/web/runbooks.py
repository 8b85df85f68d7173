"""The runbooks at ``/runbooks/``: what to do about an alert, on a network without a way to the internet.

The pages are Markdown in ``dashboards/runbooks`` of the repository, one for each alert and named after it; a wheel carries
them inside of the package. They are read when they are asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

import ipsecmon

__all__ = ["Runbooks", "runbooks_folder"]

_INDEX = "README"
_PAGE = re.compile(r"(?P<name>\w+)\.md(?P<heading>#[\w-]+)?")
_ELSEWHERE = re.compile(r"https?:|#|/")


def runbooks_folder(package: Path | None = None) -> Path:
    """Where the pages are: in the installed ``package``, or in the repository whose sources it is."""
    inside = package if package is not None else Path(ipsecmon.__file__).parent
    installed = inside / "runbooks"
    return installed if installed.is_dir() else inside.parents[1] / "dashboards" / "runbooks"


class Runbooks:
    """The pages of one folder, as HTML."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # html is off: what looks like a tag in a page is text
        self._markdown = MarkdownIt("commonmark", {"html": False}).enable("table")

    def names(self) -> list[str]:
        """The alerts that have a page, by the alphabet."""
        return sorted(page.stem for page in self._folder.glob("*.md") if page.stem != _INDEX)

    def page(self, name: str) -> str | None:
        """The page of the alert ``name``, ``None`` where there is none."""
        return self._render(self._text(name)) if name in self.names() else None

    def index(self) -> str:
        """The page that leads to the others."""
        return self._render(self._text(_INDEX))

    def _text(self, name: str) -> str:
        return (self._folder / f"{name}.md").read_text("utf-8")

    def _render(self, text: str) -> str:
        tokens = self._markdown.parse(text)
        _name_headings(tokens)
        for token in tokens:
            _lead_links(token.children or [])
        return str(self._markdown.renderer.render(tokens, self._markdown.options, {}))


def _name_headings(tokens: list[Token]) -> None:
    """Each heading can be linked to: ``## Likely causes`` is ``#likely-causes``."""
    for heading, text in pairwise(tokens):
        if heading.type == "heading_open":
            heading.attrSet("id", re.sub(r"\W+", "-", text.content.lower()).strip("-"))


def _lead_links(tokens: list[Token]) -> None:
    """``Name.md`` leads to ``/runbooks/Name``; what is in the repository only is named, but not linked to."""
    for opening, closing in _links(tokens):
        target = str(opening.attrGet("href"))
        page = _PAGE.fullmatch(target)
        if page:
            name = "" if page["name"] == _INDEX else page["name"]
            opening.attrSet("href", f"/runbooks/{name}{page['heading'] or ''}")
        elif not _ELSEWHERE.match(target):
            opening.tag = closing.tag = "span"
            opening.attrs = {"title": f"{target.removeprefix('../../')} of the repository"}


def _links(tokens: list[Token]) -> Iterator[tuple[Token, Token]]:
    """The two ends of each link; Markdown has no link inside of a link."""
    ends = [token for token in tokens if token.type in {"link_open", "link_close"}]
    return zip(ends[::2], ends[1::2], strict=True)
