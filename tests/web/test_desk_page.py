"""The desk as a browser shows it: news without loading the page again, the keyboard, the map, a phone."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect
from psycopg import Connection

from cases.words import Language
from console.access import Role
from devices.kind import Kind
from devices.registry import Registry
from tests.fix_browser import DESK, PHONE, Browse
from tests.fix_console import SignedIn, Time
from tests.integration.desk import Desk
from tests.integration.making import COVER_EAST, KITCHEN, LAMP
from tests.web.looking import faults


@pytest.fixture
def trouble(connection: Connection, registry: Registry, kinds: dict[str, Kind], time: Time) -> Desk:
    desk = Desk(connection, registry, kinds)
    desk.alarm(("MH-01", COVER_EAST), ("FU-01", KITCHEN), at=time.at)
    desk.take_up(time.at + timedelta(minutes=2))
    return desk


def test_news_come_by_themselves_and_the_keyboard_opens_a_case(
    browse: Browse, trouble: Desk, signed_in: SignedIn, time: Time
) -> None:
    page = browse(signed_in(Role.OPERATOR), size=DESK)
    page.goto("/")
    expect(page.locator("tr[data-key]")).to_have_count(2)
    expect(page.locator("#map .spot")).to_have_count(2)
    page.keyboard.press("j")
    page.keyboard.press("x")
    trouble.alarm(("LT-01", LAMP), at=time.at)
    trouble.take_up(time.at + timedelta(minutes=4))
    expect(page.locator("tr[data-key]")).to_have_count(3)
    here = page.locator("tr.here")
    expect(here.locator("input")).to_be_checked()
    page.context.set_offline(offline=True)
    expect(page.locator("#lost")).to_be_visible()
    page.context.set_offline(offline=False)
    expect(page.locator("#lost")).to_be_hidden()
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    number = here.get_attribute("data-key")
    page.keyboard.press("g")
    page.locator("#assign [name=unit]").select_option("lighting")
    page.locator("#assign [name=reason]").fill("theirs")
    page.locator("#assign button[formaction]").click()
    row = page.locator(f"tr[data-key='{number}']")
    expect(row).to_contain_text("Lighting office")
    row.click(position={"x": 200, "y": 4})
    page.keyboard.press("a")
    expect(page.locator("#live .unattended")).to_be_visible()
    page.locator(f"tr[data-key='{number}']").click(position={"x": 200, "y": 4})
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/cases/{number}")
    expect(page.locator("#live")).to_contain_text("acknowledged")
    expect(page.get_by_role("heading", level=1)).to_contain_text(str(number))


@pytest.mark.parametrize("language", list(Language))
def test_every_page_fits_a_phone_in_both_languages(
    browse: Browse, trouble: Desk, signed_in: SignedIn, language: Language
) -> None:
    page = browse(signed_in(Role.ADMIN, language=language), size=PHONE)
    pages = ("/", "/alarms", "/permits", "/handover", "/people")
    for path in (*pages, f"/cases/{trouble.numbers()[0]}", f"/devices/{KITCHEN}"):
        page.goto(path)
        assert page.locator("html").get_attribute("lang") == language
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0], path


def test_no_page_of_the_desk_keeps_anybody_out(browse: Browse, trouble: Desk, signed_in: SignedIn) -> None:
    page = browse(signed_in(Role.ADMIN), size=DESK)
    pages = ("/", "/permits", "/handover", "/people", "/reports/weekly", "/cases/1", "/api/", "/sign-in")
    found = []
    for path in (*pages, f"/cases/{trouble.numbers()[0]}", f"/devices/{KITCHEN}"):
        page.goto(path)
        found += faults(page)
    assert found == []
