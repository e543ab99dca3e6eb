"""What every page must be for those who see badly, have no mouse, or stand in the dark."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_AXE = Axe()
# WCAG 2.1 to AA, and what axe holds for good practice.
_RULES = {"resultTypes": ["violations"], "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
_SMALL = """() => [...document.querySelectorAll("button, summary, select, .button, .card a")]
  .filter((each) => each.checkVisibility() && each.getBoundingClientRect().height < 40)
  .map((each) => each.outerHTML.slice(0, 80))"""


def faults(page: Page) -> list[str]:
    """What axe finds wrong with a page: names, contrast, order of headings, landmarks and so on."""
    found = _AXE.run(page, options=_RULES).response["violations"]
    return [f"{page.url}: {each['id']}: {[node['html'][:120] for node in each['nodes']]}" for each in found]


def is_for_everybody(page: Page) -> None:
    """Without a fault by day and by night, large enough for a thumb, nothing beside the screen."""
    assert page.evaluate(_SMALL) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, "nothing sticks out of the screen"
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        assert faults(page) == [], scheme
