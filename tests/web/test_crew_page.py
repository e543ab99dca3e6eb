"""The crew's page on a phone, as a crew uses it: with a network, without one, and where an answer is lost."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from cases.words import Language
from console.signing import CrewLink, Signing
from rules.rule import Severity
from storage import crew_links, photo_store
from storage.case_list import case_file
from storage.case_reports import Source, Told
from tests.fix_browser import Browse
from tests.fix_console import SignedIn, Time
from tests.integration.desk import Desk
from tests.integration.making import COVER_EAST, COVER_WEST, rows
from tests.unit.cases.test_photos import png
from tests.waiting import eventually
from tests.web.looking import is_for_everybody
from tests.web.pictures import picture

MINUTE = timedelta(minutes=1)
WORDS = {
    Language.EN: ("manhole cover open", "Accept", "Arrived", "Done…", "being checked", "min left"),
    Language.ZH: ("井盖开启", "接单", "到场", "处置完毕…", "核查中", "剩余"),
}


@pytest.fixture
def number(desk: Desk, time: Time) -> str:
    """The case of an open cover, the drainage company's, ten minutes old."""
    for minutes, tilt in ((12, 0.5), (11, 58.0), (10, 62.5)):
        desk.measure(COVER_EAST, time.at - minutes * MINUTE, tilt=tilt, open_state=int(tilt > 1))
    desk.alarm(("MH-01", COVER_EAST), at=time.at - 10 * MINUTE, severity=Severity.CRITICAL)
    desk.take_up(time.at - 10 * MINUTE)
    told = Told(source=Source.HOTLINE, contact={"phone": "555 7"})
    desk.moves(time.at - 8 * MINUTE, "12345").report(COVER_EAST, "cover_open", "井盖翻开了 a cover is off", 3, told)
    return desk.only_number()


def moves(desk: Desk, number: str) -> list[str]:
    """What the crew has done, by the history."""
    file = case_file(desk.connection, number)
    assert file is not None
    return [line["event"] for line in file.history if line["actor"] == "crew of drainage"]


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def kept_ahead(page: Page, number: str) -> None:
    """Wait until the phone has the pages of its cases although nobody has opened them."""
    page.goto("/crew")
    look = f"() => caches.match('/crew/{number}').then((kept) => kept !== undefined)"
    eventually(lambda: page.evaluate(look), "the case is kept")
    eventually(lambda: page.evaluate("() => caches.match('/crew').then((kept) => kept !== undefined)"), "the list is")


@pytest.mark.parametrize("language", Language)
def test_from_the_list_to_done_with_a_photo(
    browse: Browse, desk: Desk, number: str, signed_in: SignedIn, time: Time, language: Language
) -> None:
    problem, accept, arrived, done, checked, left = WORDS[language]
    desk.alarm(("MH-05", COVER_EAST), ("MH-08", COVER_EAST), at=time.at - 50 * MINUTE, severity=Severity.MINOR)
    desk.take_up(time.at - 50 * MINUTE)
    page = browse(signed_in(unit="drainage"), language=language)
    page.goto("/crew")
    most_urgent = page.locator(".card").first
    expect(most_urgent).to_contain_text(problem)
    expect(most_urgent).to_contain_text(re.compile(rf"\d.*{left}|{left}.*\d"))
    is_for_everybody(page)
    picture(page, f"crew-list-{language}")
    most_urgent.locator("a").click()
    assert page.locator('a[href^="geo:30.59"]').is_visible()
    press(page, accept)
    press(page, arrived)
    expect(page.locator('[data-move="done"]')).to_be_visible()
    expect(page.locator("#queue")).to_be_hidden()
    expect(page.locator("[data-by]")).not_to_be_empty()
    picture(page, f"crew-case-{language}")
    page.get_by_text(done, exact=True).click()
    is_for_everybody(page)
    page.locator('[data-move="done"] textarea').fill("new cover 新井盖")
    page.locator('[data-move="done"] input[type=file]').set_input_files(
        {"name": "cover.png", "mimeType": "image/png", "buffer": png(2400, 1200)}
    )
    page.locator('[data-move="done"] button').click()
    expect(page.locator(".state").first).to_have_text(checked)
    expect(page.locator("#queue")).to_be_hidden()
    assert moves(desk, number) == ["accept", "arrive", "photo", "finish"]
    assert rows(desk.connection, "SELECT found FROM dispatch_case WHERE number = %s", number) == [("found",)]
    (photo,) = photo_store.of_case(desk.connection, number)
    assert photo.media_type == "image/jpeg"
    shown = page.locator(".photos img")
    eventually(lambda: shown.evaluate("(image) => image.complete && image.naturalWidth") == 1600, "the photo, smaller")
    is_for_everybody(page)


def test_a_button_below_a_finger_stays_until_it_is_pressed(
    browse: Browse, desk: Desk, number: str, signed_in: SignedIn
) -> None:
    page = browse(signed_in(unit="drainage"))
    page.goto(f"/crew/{number}")
    waiting: list[Route] = []

    def wait(route: Route) -> None:
        if waiting:
            route.continue_()
        waiting.append(route)

    page.context.route("**/moves", wait)
    press(page, "Accept")
    eventually(lambda: page.title() and waiting, "it is being sent")
    page.get_by_role("button", name="Arrived", exact=True).hover()
    page.mouse.down()
    with page.expect_response(f"**/crew/{number}"):
        waiting[0].continue_()
    page.evaluate("() => fetch(location.href).then((answer) => answer.text())")  # by then the page had been drawn anew
    page.mouse.up()
    expect(page.locator('[data-move="done"]')).to_be_visible()
    expect(page.locator("#queue")).to_be_hidden()
    assert moves(desk, number) == ["accept", "arrive"]


def test_what_is_pressed_without_a_network_is_sent_once_in_order_at_its_time(
    browse: Browse, desk: Desk, number: str, signed_in: SignedIn
) -> None:
    page = browse(signed_in(unit="drainage"))
    kept_ahead(page, number)
    page.context.set_offline(True)
    page.goto(f"/crew/{number}")
    expect(page.locator(".measured")).to_contain_text(re.compile(r"Tilt limit 15 deg.*62\.5 deg.* min ago", re.DOTALL))
    press(page, "Accept")
    press(page, "Arrived")
    expect(page.locator("#net")).to_contain_text("No connection")
    expect(page.locator("#queue li")).to_have_count(2)
    page.reload()
    expect(page.locator("#queue li")).to_have_count(2)
    expect(page.get_by_role("button", name="Made safe", exact=True)).to_be_visible()
    assert moves(desk, number) == []
    page.context.set_offline(False)
    expect(page.locator("#queue")).to_be_hidden()
    expect(page.locator(".state").first).to_have_text("on site")
    assert moves(desk, number) == ["accept", "arrive"]
    ((accepted, arrived),) = rows(desk.connection, "SELECT accepted_at, arrived_at FROM dispatch_case")
    assert accepted < arrived


def test_what_was_pressed_before_the_page_was_closed_is_sent_once_when_it_is_opened_again(
    browse: Browse, desk: Desk, number: str, signed_in: SignedIn
) -> None:
    page = browse(signed_in(unit="drainage"))
    kept_ahead(page, number)
    phone = page.context
    phone.set_offline(True)
    page.goto(f"/crew/{number}")
    press(page, "Accept")
    expect(page.locator("#queue li")).to_have_count(1)
    page.close()
    phone.set_offline(False)
    for _ in range(2):
        again = phone.new_page()
        again.goto(f"/crew/{number}")
        expect(again.locator("#queue")).to_be_hidden()
        expect(again.locator(".state").first).to_have_text("accepted")
        again.close()
    assert moves(desk, number) == ["accept"]


def test_an_answer_lost_after_it_was_done_does_nothing_twice(
    browse: Browse, desk: Desk, number: str, signed_in: SignedIn
) -> None:
    page = browse(signed_in(unit="drainage"), worker=False)
    lost: list[int] = []

    def lose(route: Route) -> None:
        lost.append(route.fetch().status)
        if len(lost) == 1:
            route.abort()
        else:
            route.fulfill(status=lost[-1], body="{}")

    page.context.route("**/moves", lose)
    page.goto(f"/crew/{number}")
    press(page, "Accept")
    expect(page.locator("#net")).to_contain_text("No connection")
    expect(page.locator("#queue li")).to_have_count(1)
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(page.locator("#queue")).to_be_hidden()
    assert (lost, moves(desk, number)) == ([200, 200], ["accept"])


def test_a_bad_day_ends_with_everything_done_once_or_a_clear_word(
    browse: Browse, desk: Desk, number: str, signed_in: SignedIn, time: Time, tmp_path: Path
) -> None:
    desk.alarm(("MH-01", COVER_WEST), at=time.at - 9 * MINUTE, severity=Severity.MAJOR)
    desk.take_up(time.at - 9 * MINUTE)
    (other,) = {*desk.numbers()} - {number}
    assert desk.moves(time.at - 8 * MINUTE, "li").assign(other, "drainage", "on their way") is None
    page = browse(signed_in(unit="drainage"))
    kept_ahead(page, other)
    page.context.set_offline(True)
    page.goto(f"/crew/{number}")
    press(page, "Accept")
    expect(page.locator("#queue li")).to_have_count(1)
    page.get_by_text("Add photos…", exact=True).click()
    heavy = tmp_path / "heavy.png"
    heavy.write_bytes(png(1700, 1200, text=b"camera\0" + b"x" * 12_000_000))
    page.locator("[data-photos] input[type=file]").set_input_files(heavy)
    page.get_by_role("button", name="Keep these photos").dblclick()
    expect(page.locator("#queue li")).to_have_count(2)
    page.goto(f"/crew/{other}")
    press(page, "Accept")
    expect(page.locator("#queue li")).to_have_count(3)
    desk.moves(time.at, "crew of drainage").accept(number)  # from the second phone of the crew, which was quicker
    assert desk.moves(time.at, "li").assign(other, "lighting", "theirs after all") is None
    page.context.set_offline(False)
    refused = page.locator("#queue .refused")
    expect(refused).to_have_count(2)
    expect(refused.nth(0)).to_contain_text("The case is accepted: this is not possible now.")
    expect(refused.nth(1)).to_contain_text(f"Case {other} is another unit's, by now.")
    expect(page.locator("#queue li")).to_have_count(2)
    assert moves(desk, number) == ["accept", "photo"]
    (photo,) = photo_store.of_case(desk.connection, number)
    assert photo.size < 100_000, "smaller, and without what the camera wrote"


def test_a_phone_whose_clock_is_wrong_counts_by_the_centres(
    browse: Browse, desk: Desk, number: str, signed_in: SignedIn, time: Time
) -> None:
    page = browse(signed_in(unit="drainage"))
    page.clock.install(time=time.at - 60 * MINUTE)
    page.goto(f"/crew/{number}")
    ((by,),) = rows(desk.connection, "SELECT accept_by FROM dispatch_case")
    left = int((by - time.at) / MINUTE)
    expect(page.locator("[data-by]").first).to_have_text(re.compile(rf"({left}|{left - 1}) min left"))


def test_what_is_refused_says_so_and_blocks_nothing_and_an_ended_link_loses_nothing(
    browse: Browse, desk: Desk, number: str, signed_in: SignedIn, signing: Signing, time: Time
) -> None:
    page = browse(signed_in(unit="drainage"))
    kept_ahead(page, number)
    page.context.set_offline(True)
    page.goto(f"/crew/{number}")
    press(page, "Accept")
    press(page, "Arrived")
    assert desk.moves(time.at, "li").cancel(number, "a test of the sensor") is None
    crew_links.revoke(desk.connection, "drainage", time.at)
    page.context.set_offline(False)
    page.goto(f"/crew/{number}")
    expect(page.get_by_role("alert")).to_contain_text("Open the newest link")
    expect(page.locator("#queue li")).to_have_count(2)
    link = CrewLink("drainage", "", 2, int((time.at + 60 * MINUTE).timestamp()))
    page.goto(f"/c/{signing.link(link)}")
    expect(page.locator("#queue .refused")).to_have_count(2)
    expect(page.locator("#queue .refused").first).to_contain_text("cancelled")
    for _ in range(2):
        page.get_by_role("button", name="Seen").first.click()
    expect(page.locator("#queue")).to_be_hidden()
