"""The documents name files that exist, and links that lead somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
EXAMPLE = "solution/recipes/wide_15.py"
"""The recipe that README shows how to add."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_of_the_package_that_a_page_names_exist(page: Path):
    named = re.findall(r"`((?:solution|tests|docs|notebooks)/[\w/.-]+)`", page.read_text(encoding="utf-8"))
    if page.name == "CHANGELOG.md":  # it also names what was there before
        named = [name for name in named if name.startswith("solution/recipes/")]
    assert [name for name in named if not (ROOT / name).exists() and name != EXAMPLE] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_other_pages_and_sections_lead_there(page: Path):
    for target, section in re.findall(r"\]\(([\w/.-]*\.md)?(#[\w-]+)?\)", page.read_text(encoding="utf-8")):
        there = page if not target else (page.parent / target)
        assert there.is_file(), target
        assert not section or section[1:] in anchors(there), f"{target}{section}"


def anchors(page: Path) -> set[str]:
    """The names that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).replace(" ", "-") for heading in headings}


def test_where_is_answers_ten_questions():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = text.split("## Where is …?")[1].split("\n## ")[0]
    rows = [row for row in table.splitlines() if row.startswith("| ")][1:]
    assert len(rows) >= 10
    assert all(re.search(r"`solution/[\w/]+\.py`", row) for row in rows)
