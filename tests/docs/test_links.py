"""Every link between pages leads somewhere, every page is linked, and none is long."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, name

LINES = {"README.md": 150, "architecture.md": 170, "glossary.md": 130}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    broken = [link for link in _links(page) if not _leads_somewhere(page, link)]
    assert broken == []


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/*.md")), ids=name)
def test_readme_links_each_page(page: Path) -> None:
    assert name(page) in _links(ROOT / "README.md")


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=name)
def test_page_is_short(page: Path) -> None:
    assert len(page.read_text().splitlines()) <= LINES.get(page.name, 120)


def _links(page: Path) -> list[str]:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text())
    return [link for link in links if not link.startswith(("http://", "https://"))]


def _leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = page.parent / path if path else page
    return target.exists() and (not anchor or anchor in _anchors(target))


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
