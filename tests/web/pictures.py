"""Pictures of pages for docs/console.md: taken while the tests run, where CITYWARD_PICTURES names a folder for them."""

import os
from pathlib import Path

from playwright.sync_api import Page

FOLDER = os.environ.get("CITYWARD_PICTURES", "")


def picture(page: Page, name: str) -> None:
    """The whole page, if anybody wants one."""
    if FOLDER:
        page.screenshot(path=Path(FOLDER) / f"{name}.png", full_page=True)
