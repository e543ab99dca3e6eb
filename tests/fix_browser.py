"""Chromium as people use it: Debian's, driven by playwright. What a page complains about fails its test."""

import re
import shutil
from collections.abc import Callable, Iterator
from typing import Protocol

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, WebError, sync_playwright

from cases.words import Language
from console.identity import COOKIE
from console.signing import Session, Signing
from tests.needing import missing

CHROMIUM = shutil.which("chromium")
PHONE, DESK = (360, 740), (1280, 800)  # CSS pixels
_LOCALES = {Language.EN: "en-GB", Language.ZH: "zh-CN"}
_PATIENCE_MS = 30_000.0  # far more than anything takes, so that a busy machine fails nothing
# How Chromium reports any answer of 400 and above: tests look at answers; how it says that it draws without a card; and
# how playwright says that it keeps workers away.
_NO_ERRORS = re.compile(r"Failed to load resource|\[\.WebGL.*GL Driver Message .*Performance|Service Worker .* blocked")


class Browse(Protocol):
    """Opens a page with cookies and storage of its own; signed in, where a session is given.

    Without a ``worker``, no service worker stands between the page and the routes that a test puts up.
    """

    def __call__(
        self,
        session: Session | None = None,
        *,
        language: Language = Language.EN,
        size: tuple[int, int] = PHONE,
        worker: bool = True,
    ) -> Page: ...


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One for the tests of a file: while playwright is open, nothing else in its thread can run an event loop."""
    if CHROMIUM is None:
        missing("browser", "install Debian's chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture
def browse(chromium: Browser, site: str, signing: Signing) -> Iterator[Browse]:
    """Pages of the console; in the end none must have said an error: a script that broke, or what the CSP refused."""
    contexts: list[BrowserContext] = []
    said: list[str] = []

    def begin(
        session: Session | None = None,
        *,
        language: Language = Language.EN,
        size: tuple[int, int] = PHONE,
        worker: bool = True,
    ) -> Page:
        context = chromium.new_context(
            base_url=site,
            viewport={"width": size[0], "height": size[1]},
            locale=_LOCALES[language],
            timezone_id="Asia/Shanghai",
            has_touch=size == PHONE,
            service_workers="allow" if worker else "block",
        )
        contexts.append(context)
        context.set_default_timeout(_PATIENCE_MS)
        context.on("console", _listener(said))
        context.on("weberror", _error_listener(said))
        if session:
            context.add_cookies([{"name": COOKIE, "value": signing.cookie(session), "url": site}])
        return context.new_page()

    yield begin
    for context in contexts:
        context.close()
    assert not said


def _listener(said: list[str]) -> Callable[[ConsoleMessage], None]:
    def hear(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not _NO_ERRORS.match(message.text):
            said.append(message.text)

    return hear


def _error_listener(said: list[str]) -> Callable[[WebError], None]:
    return lambda error: said.append(str(error.error))
