"""Every link of the README and of docs/ to a file of this repository leads somewhere, its heading included."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.blocks import PAGES, ROOT

_FENCED = re.compile(r"^```.*?^```[ ]*$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
_ELSEWHERE = ("https://", "http://", "mailto:")


def anchors(text: str) -> set[str]:
    """The anchors that GitHub makes of the headings."""
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in _HEADING.findall(_FENCED.sub("", text)))
    return {heading.replace(" ", "-") for heading in kept}


def broken_links(page: Path, text: str) -> list[str]:
    """The local links of `text`, standing at `page`, that lead nowhere or out of the repository."""
    broken: list[str] = []
    for link in _LINK.findall(_FENCED.sub("", text)):
        if link.startswith(_ELSEWHERE):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        read = (
            text if target == page else target.read_text("utf-8") if target.suffix == ".md" and target.exists() else ""
        )
        if not target.is_relative_to(ROOT) or not target.exists() or (anchor and anchor not in anchors(read)):
            broken.append(link)
    return broken


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_resolve(page: Path) -> None:
    assert broken_links(page, page.read_text("utf-8")) == []


@pytest.mark.parametrize("link", ["nowhere.md", "#no-such-heading", "/etc/passwd", "../outside.md", "pyproject.toml#x"])
def test_a_broken_link_is_found(link: str) -> None:
    assert broken_links(ROOT / "README.md", f"# A heading\n\n[x]({link})\n") == [link]


@pytest.mark.parametrize("link", ["pyproject.toml", "docs", "#a-heading-with-code", "https://example.org/nowhere"])
def test_a_good_link_is_left_alone(link: str) -> None:
    assert broken_links(ROOT / "README.md", f"# A heading, with `code`\n\n[x]({link})\n") == []


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "README.md"], ids=lambda page: page.name)
def test_every_page_is_reached_from_the_readme(page: Path) -> None:
    assert page.relative_to(ROOT).as_posix() in _LINK.findall((ROOT / "README.md").read_text("utf-8"))
