"""The reference pages say what is there now."""

import runpy

import pytest

from tests.documents import ROOT

PAGES = runpy.run_path(str(ROOT / "docs" / "reference.py"))


@pytest.mark.parametrize("page", ["settings", "commands", "metrics"])
def test_a_reference_page_is_what_the_program_says(page: str) -> None:
    there = (ROOT / "docs" / f"reference-{page}.md").read_text(encoding="utf-8")
    assert there == PAGES[page](), "stale: run python docs/reference.py"
