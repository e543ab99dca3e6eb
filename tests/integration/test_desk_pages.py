"""The desk's pages on a real database: lists, filters in the address, pages by key, what has not changed."""

import re
from datetime import timedelta

import httpx
import pytest
from psycopg import Connection

from cases.clocks import Allowance
from cases.words import Language
from console.access import Role
from console.context import TONGUE
from console.identity import COOKIE
from console.signing import Signing
from storage.case_reports import Source, Told
from tests.fix_console import SignedIn, Time
from tests.integration.desk import Desk
from tests.integration.making import COVER_EAST, COVER_WEST, KITCHEN, LAMP, STRAIN, rows

TROUBLE = [("MH-01", COVER_EAST), ("MH-01", COVER_WEST), ("FU-01", KITCHEN), ("LT-01", LAMP), ("BR-01", STRAIN)]
ROW = re.compile(r'<tr data-key="(\w+)"')


@pytest.fixture
def trouble(desk: Desk, time: Time) -> Desk:
    """Five alarms, and a case for each."""
    desk.alarm(*TROUBLE, at=time.at)
    desk.take_up(time.at + timedelta(minutes=2))
    return desk


@pytest.fixture
def operator(console: httpx.Client, signing: Signing, signed_in: SignedIn) -> httpx.Client:
    console.cookies.set(COOKIE, signing.cookie(signed_in(Role.OPERATOR)))
    return console


def keys(page: httpx.Response) -> list[str]:
    assert page.status_code == 200, page.text
    return ROW.findall(page.text)


def test_cases_are_listed_and_narrowed_by_what_the_address_says(trouble: Desk, operator: httpx.Client) -> None:
    assert sorted(keys(operator.get("/"))) == sorted(trouble.numbers())
    counts = {
        filters: len(keys(operator.get("/", params=dict([filters.split("=")]))))
        for filters in ("district=east", "kind=manhole", "unit=lighting", "text=LAMP", "text=jiefang", "due=overdue")
    }
    assert counts == {
        "district=east": 2, "kind=manhole": 2, "unit=lighting": 1, "text=LAMP": 1, "text=jiefang": 3, "due=overdue": 0
    }  # fmt: skip
    assert len(keys(operator.get("/?severity=nonsense&state=x&due=y&after=z"))) == 5, "nonsense narrows nothing"
    assert len(keys(operator.get(f"/?after={'9' * 17}.1"))) == 5, "nor does a moment after the end of calendars"


@pytest.mark.parametrize("path", ["/", "/alarms"])
def test_pages_go_on_by_key_without_a_row_twice_or_left_out(
    trouble: Desk, operator: httpx.Client, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert trouble
    monkeypatch.setattr("console.pages.desk.PAGE", 2)
    seen: list[str] = []
    address: str | None = path
    while address:
        page = operator.get(address)
        seen += keys(page)
        following = re.search(r'rel="next" href="([^"]+)"', page.text)
        address = following[1].replace("&amp;", "&") if following else None
    assert len(seen) == len(set(seen)) == 5


def test_what_has_not_changed_is_not_sent_again(trouble: Desk, operator: httpx.Client, time: Time) -> None:
    first = operator.get("/desk/cases")
    again = operator.get("/desk/cases", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    time.at += timedelta(minutes=5)  # the countdowns have moved on
    later = operator.get("/desk/cases", headers={"If-None-Match": first.headers["etag"]})
    assert later.status_code == 200
    assert trouble.numbers()[0] in later.text


def test_the_map_gathers_what_is_near_and_shows_the_worst(trouble: Desk, operator: httpx.Client) -> None:
    assert trouble
    far = operator.get("/desk/places", params={"box": "113,30,115,31", "zoom": 4}).json()
    assert (len(far), far[0]["facilities"]) == (1, 5)
    near = operator.get("/desk/places", params={"box": "113,30,115,31", "zoom": 17, "kind": "manhole"}).json()
    assert {place["device_id"] for place in near} == {COVER_EAST, COVER_WEST}
    assert operator.get("/desk/places", params={"box": "0,0,1,1", "zoom": 9}).json() == []
    assert len(operator.get("/desk/ground").json()["coordinates"]) == 6


@pytest.mark.each_server
def test_a_case_and_its_device_are_shown_whole_in_both_languages(
    trouble: Desk, console: httpx.Client, signing: Signing, signed_in: SignedIn, connection: Connection, time: Time
) -> None:
    trouble.hear(KITCHEN, time.at)
    number = rows(connection, "SELECT number FROM dispatch_case WHERE problem = 'fume_over_limit'")[0][0]
    for language, state, unit in (
        (Language.EN, "dispatched", "East urban management"),
        (Language.ZH, "已派遣", "东区城管局"),
    ):
        console.cookies.set(COOKIE, signing.cookie(signed_in(Role.VIEWER, language=language)))
        shown = console.get(f"/cases/{number}").text
        assert (state in shown, unit in shown, "FU-01" in shown) == (True, True, True)
        assert console.get(f"/cases/{number}/live").status_code == 200
        assert number in console.get(f"/devices/{KITCHEN}").text
    assert console.get("/cases/0000000000000000000").status_code == 404
    assert console.get("/devices/nobody").status_code == 404


def test_who_reported_a_case_is_shown_and_how_to_call_back_to_those_who_may_act(
    trouble: Desk, console: httpx.Client, signing: Signing, signed_in: SignedIn, time: Time
) -> None:
    number = trouble.numbers()[0]
    told = Told(
        source=Source.HOTLINE, contact={"phone": "555 7"}, address="by the gate", media_url="https://a.example/1"
    )
    trouble.moves(time.at, "hotline 12345").report(COVER_EAST, "cover_open", "it <rocks>", 3, told)
    for role, language, shown, hidden in (
        (
            Role.OPERATOR,
            Language.EN,
            ["hotline 12345", "it &lt;rocks&gt;", "by the gate", "tel:555%207", "/a.example"],
            [],
        ),
        (Role.VIEWER, Language.ZH, ["上报记录", "热线", "2026-11-21 16:00"], ["555 7", "a.example"]),
    ):
        console.cookies.set(COOKIE, signing.cookie(signed_in(role, language=language)))
        for path in (f"/cases/{number}", f"/cases/{number}/live"):
            page = console.get(path).text
            assert [words for words in shown if words not in page] == []
            assert [words for words in hidden if words in page] == []
    badges = re.findall(r"上报 .(\d)", console.get("/desk/cases").text)
    assert badges == ["1"]


def test_a_chinese_page_says_limits_allowances_and_values_in_chinese(
    trouble: Desk, console: httpx.Client, signing: Signing, signed_in: SignedIn, time: Time
) -> None:
    trouble.moves(time.at, "crew of drainage").accept(trouble.numbers()[0])
    assert trouble.moves(time.at).request_delay(trouble.numbers()[0], Allowance.parse("4h office"), "crane") is None
    stopped, (key, pause) = trouble.numbers()[3], next(iter(trouble.city.policy.pauses.items()))
    trouble.moves(time.at).accept(stopped)
    trouble.moves(time.at).suspend(stopped, key, "spare part")
    console.cookies.set(COOKIE, signing.cookie(signed_in(Role.SUPERVISOR, language=Language.ZH)))
    pages = [console.get(f"/cases/{trouble.numbers()[0]}").text, console.get(f"/devices/{COVER_EAST}").text]
    assert "4个工作小时" in pages[0]
    assert set(re.findall(r'class="by">([^<]+)<', pages[0])) == {"系统", "排水公司班组", "crew 7"}
    form = re.compile(r'/moves/(\w+)">(?:(?!</form>).)*<option value="(\w+)" selected', re.DOTALL)
    chosen = dict(form.findall(pages[0]))
    assert chosen == {"shelve": "1h", "cancel": "not_found"}, "who cancels a case has mostly found nothing"
    assert {">甲烷预警值<", ">安装倾角<"} <= set(re.findall(r">[^<>]+<", pages[1]))
    assert f"{pause.names[Language.ZH]}\uff1aspare part<" in console.get(f"/cases/{stopped}/live").text
    listed = console.get("/", params={"text": stopped}).text
    assert ">停计<" in listed
    assert re.search(r">\d天\d\d:\d\d<", console.get("/").text)
    for page in pages:
        assert re.findall(r"\d[mhd] (?:urgent|natural|office|work)\b(?!\")", page) == []


def token_of(operator: httpx.Client) -> str:
    found = re.search(r'data-token="([^"]+)"', operator.get("/").text)
    assert found
    return found[1]


def test_what_is_marked_is_acknowledged_shelved_and_assigned(
    trouble: Desk, operator: httpx.Client, connection: Connection
) -> None:
    token, numbers = token_of(operator), trouble.numbers()
    marked: dict[str, object] = {"token": token, "numbers": numbers[:2], "back": "/?kind=manhole"}
    answer = operator.post("/alarms/moves/acknowledge", data=marked)
    assert (answer.status_code, answer.headers["location"]) == (303, "/?kind=manhole")
    acknowledged = "SELECT count(*) FROM alarm WHERE acknowledged"
    assert rows(connection, acknowledged) == [(2,)]
    again = operator.post("/alarms/moves/acknowledge", data=marked)
    assert (again.status_code, "state for this" in again.text) == (409, True)
    shelved = {**marked, "span": "2h", "reason": "sensor is being moved", "numbers": numbers[2:]}
    assert operator.post("/alarms/moves/shelve", data=shelved).status_code == 303
    assert rows(connection, "SELECT count(*) FROM alarm WHERE shelved_until IS NOT NULL") == [(3,)]
    given = {"token": token, "numbers": numbers, "unit": "drainage", "reason": "nearest"}
    assert operator.post("/cases/moves/assign", data=given).status_code == 303
    assert rows(connection, "SELECT DISTINCT unit FROM dispatch_case") == [("drainage",)]
    assert operator.post("/cases/moves/assign", data={**given, "numbers": []}).status_code == 422
    assert operator.post("/cases/moves/assign", data={**given, "token": "x"}).status_code == 403


def test_the_case_page_offers_what_is_possible_and_does_it_once(
    trouble: Desk, operator: httpx.Client, connection: Connection
) -> None:
    number = trouble.numbers()[0]
    offered = re.findall(rf'action="/cases/{number}/moves/(\w+)"', operator.get(f"/cases/{number}").text)
    assert offered == ["accept", "return", "assign", "merge"], "an operator does not cancel"
    said = {"token": token_of(operator), "key": "6a1f0a52-8a54-4cf0-9a2f-2b6a36a8a0f1", "reason": "on our way"}
    for _ in range(2):
        answer = operator.post(f"/cases/{number}/moves/accept", data=said)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/cases/{number}")
    history = "SELECT count(*) FROM case_event WHERE event = 'accept'"
    assert rows(connection, history) == [(1,)]
    assert operator.post(f"/cases/{number}/moves/accept", data={"token": said["token"]}).status_code == 409
    merged = {
        "token": said["token"],
        "members": [trouble.numbers()[2], f"{trouble.numbers()[3]} "],
        "reason": "one trip",
    }
    assert operator.post(f"/cases/{number}/moves/merge", data=merged).status_code == 303
    assert rows(connection, "SELECT count(*) FROM dispatch_case WHERE state = 'merged'") == [(2,)]


@pytest.mark.parametrize(
    "address",
    [
        "/desk/places?box=1.1.1,2,3,4&zoom=3",
        "/desk/places?box=1,2,3,4&zoom=nan",
        "/?unit=%00",
        "/alarms?after=1.9999999999999999.1.1",
        "/reports/weekly?day=9999-12-31",
        "/reports/quarter?quarter=9999-Q4",
        "/reports/ledger?first=0001-01-01&last=9999-12-31",
        "/api/v1/devices/4201020308000001/readings?cursor=WyI5OTk5LTEyLTMxVDIzOjU5OjU5Ljk5OTk5OVoiXQ",
    ],
)
def test_nonsense_in_an_address_is_refused_as_that(operator: httpx.Client, address: str) -> None:
    answer = operator.get(address)
    assert (answer.status_code, "went wrong here" in answer.text) == (422, False)


def test_a_language_is_chosen_for_a_browser_and_leads_back_to_our_own_pages_only(operator: httpx.Client) -> None:
    assert operator.get("/language/zh?back=/alarms").headers["location"] == "/alarms"
    assert 'lang="zh"' in operator.get("/alarms").text
    for elsewhere in ("//evil.example", "https://evil.example", "/\\evil.example"):
        assert operator.get("/language/en", params={"back": elsewhere}).headers["location"] == "/"
    assert operator.get("/language/xx").status_code in {404, 422}


def test_a_groups_case_names_the_kind_of_its_facility_in_the_readers_language(
    trouble: Desk, operator: httpx.Client
) -> None:
    trouble.connection.execute("UPDATE device SET kind = 'group' WHERE device_id = %s", [LAMP])
    number = next(each for each in trouble.numbers() if LAMP in operator.get(f"/cases/{each}").text)
    assert "<small>Group " in operator.get(f"/cases/{number}").text
    operator.cookies.set(TONGUE, "zh")
    assert "<small>设施组 " in operator.get(f"/cases/{number}").text


def test_a_crew_is_led_to_its_own_page_and_sees_nothing_of_the_desk(
    console: httpx.Client, signing: Signing, signed_in: SignedIn
) -> None:
    console.cookies.set(COOKIE, signing.cookie(signed_in(unit="drainage")))
    assert console.get("/").headers["location"] == "/crew"
    for path in ("/alarms", "/desk/cases", "/desk/ground", "/cases/1", f"/devices/{LAMP}"):
        assert console.get(path).status_code == 403, path
