"""Draws the pictures of the desk in docs/console.md: a demonstration runs for an hour of its city, Chromium looks on.

python docs/draw_desk.py    # some two minutes; needs Debian's chromium and fonts-noto-cjk, and playwright
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

PICTURES = Path(__file__).with_name("console")
RUNS = 60  # seconds, an hour of the city
DESK, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 740}
SETTLED = 2500  # ms for the map to have drawn


@contextmanager
def demonstration() -> Iterator[str]:
    """A city that has been in trouble for an hour; the link that signs in."""
    command = [sys.executable, "-m", "cityward", "demo", "--json"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603
        lines = iter(process.stderr or ())
        link = next(found for line in lines if (found := re.search(r"http://\S+/enter/\S+", line)))
        try:
            yield link[0]
        finally:
            process.terminate()


def shoot(page: Page, path: str, name: str) -> None:
    """One picture."""
    page.goto(path)
    page.wait_for_timeout(SETTLED)
    page.screenshot(path=PICTURES / f"{name}.png")


def draw() -> None:
    """All of them."""
    PICTURES.mkdir(exist_ok=True)
    with demonstration() as link, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        page = browser.new_context(base_url=link.split("/enter/")[0], viewport=DESK).new_page()
        page.goto(link)
        page.wait_for_timeout(RUNS * 1000)
        fume = page.get_by_role("link", name=re.compile("cooking fume")).first.get_attribute("href") or "/"
        shoot(page, "/", "desk-en")
        shoot(page, fume, "case-en")
        shoot(page, "/reports/weekly", "report-en")
        page.set_viewport_size(PHONE)
        shoot(page, "/language/zh?back=/", "desk-phone-zh")
        page.set_viewport_size(DESK)
        shoot(page, "/alarms", "alarms-zh")
        device = page.locator("tr[data-device]").first.get_attribute("data-device")
        shoot(page, f"/devices/{device}", "device-zh")
        shoot(page, "/reports/weekly", "report-zh")
        browser.close()


if __name__ == "__main__":
    draw()
