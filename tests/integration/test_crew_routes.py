"""What a crew's phone asks for and sends: whose cases it sees, moves and photos done once, at the time of pressing."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from psycopg import Connection

from cases.photos import LARGEST
from console.access import Role
from console.identity import COOKIE, TOKEN_HEADER
from console.signing import Session, Signing
from rules.rule import Severity
from storage import crew_links, photo_store
from storage.case_list import case_file
from storage.case_reports import Source, Told
from tests.fix_console import SignedIn, Time
from tests.integration.desk import Desk
from tests.integration.making import COVER_EAST, LAMP, rows
from tests.integration.prompt import Command
from tests.unit.cases.test_photos import JPEG, png

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
DRAINAGE = "drainage"


@pytest.fixture
def number(desk: Desk, time: Time) -> str:
    """The case of an open cover, the drainage company's, opened now."""
    desk.alarm(("MH-01", COVER_EAST), at=time.at, severity=Severity.CRITICAL)
    desk.take_up(time.at)
    return desk.only_number()


@pytest.fixture
def crew(console: httpx.Client, signed_in: SignedIn, signing: Signing) -> httpx.Client:
    """The phone of the drainage company's crew."""
    return phone(console, signing, signed_in(unit=DRAINAGE))


def phone(console: httpx.Client, signing: Signing, session: Session) -> httpx.Client:
    console.cookies.set(COOKIE, signing.cookie(session))
    console.headers[TOKEN_HEADER] = session.token
    console.headers["Accept"] = "application/json"
    return console


def send(crew: httpx.Client, number: str, **fields: str) -> httpx.Response:
    return crew.post(f"/crew/{number}/moves", data=fields)


def upload(crew: httpx.Client, number: str, content: bytes, **fields: str) -> httpx.Response:
    return crew.post(f"/crew/{number}/photos", data=fields, files={"photo": ("photo.jpg", content)})


def events(connection: Connection, number: str) -> list[tuple[str, datetime, str]]:
    file = case_file(connection, number)
    assert file is not None
    return [(line["event"], line["at"], line["actor"]) for line in file.history]


def test_a_move_sent_again_after_a_lost_answer_is_done_once_at_the_time_of_pressing(
    crew: httpx.Client, connection: Connection, number: str, time: Time
) -> None:
    pressed = time.at + 3 * MINUTE
    time.at += HOUR
    kept = {"move": "accept", "key": str(uuid4()), "happened": pressed.isoformat()}
    first, again = send(crew, number, **kept), send(crew, number, **kept)
    assert (first.status_code, first.json()["state"]) == (200, "accepted")
    assert (again.status_code, again.json()) == (200, first.json())
    assert events(connection, number)[2:] == [("accept", pressed, "crew of drainage")]
    assert rows(connection, "SELECT accepted_at FROM dispatch_case") == [(pressed,)]


@pytest.mark.parametrize(
    ("minutes", "status", "said"),
    [(-30, 422, "2026-11-21 16:00:00+08:00"), (30, 422, "in the future"), (5, 200, "accepted")],
)
def test_a_time_of_pressing_must_be_plausible(
    crew: httpx.Client, number: str, time: Time, minutes: int, status: int, said: str
) -> None:
    answer = send(crew, number, move="accept", happened=(time.at + minutes * MINUTE).isoformat())
    assert (answer.status_code, said in answer.text) == (status, True), answer.text


def test_a_refusal_is_said_in_the_crews_language(crew: httpx.Client, number: str) -> None:
    crew.headers["Accept-Language"] = "zh-CN,zh;q=0.9"
    for given, said in (
        ({"move": "fly"}, "应为以下之一"),
        ({"move": "accept", "happened": "soon"}, "应为时间"),
        ({"move": "request_delay", "more": "soon", "reason": "x"}, "不是有效时限"),
    ):
        assert said in send(crew, number, **given).json()["detail"]
    refused = send(crew, number, move="done", result="new cover", found="found")
    assert (refused.status_code, refused.headers["content-type"]) == (409, "application/problem+json")
    assert "已派遣" in refused.json()["detail"]


def test_a_crew_sees_and_moves_its_own_cases_only(
    console: httpx.Client, desk: Desk, number: str, signed_in: SignedIn, signing: Signing, time: Time
) -> None:
    assert upload(phone(console, signing, signed_in(unit=DRAINAGE)), number, JPEG).status_code == 200
    hashed = photo_store.of_case(desk.connection, number)[0].hash
    others = phone(console, signing, signed_in(unit="lighting"))
    assert number not in others.get("/crew").text
    asked = [f"/crew/{number}", f"/crew/{number}/photos/{hashed}"]
    assert [others.get(path).status_code for path in asked] == [403, 403]
    assert [send(others, number, move="accept").status_code, upload(others, number, JPEG).status_code] == [403, 403]
    assert desk.moves(time.at, "li").assign(number, DRAINAGE, "together", joint=["lighting"]) is None
    assert number in others.get("/crew").text
    assert [others.get(path).status_code for path in asked] == [200, 200]


@pytest.mark.each_server
def test_the_judged_values_are_shown_with_limit_and_age_and_whom_to_call_back(
    crew: httpx.Client, desk: Desk, number: str, time: Time
) -> None:
    for minutes, tilt in ((61, 3.0), (31, 40.25), (1, 62.5)):
        desk.measure(COVER_EAST, time.at - minutes * MINUTE, tilt=tilt, open_state=1)
    told = Told(source=Source.CITIZEN, contact={"phone": "555 7"})
    desk.moves(time.at, "app").report(COVER_EAST, "cover_open", "a hole", 3, told)
    crew.headers["Accept-Language"] = "zh"
    page = " ".join(crew.get(f"/crew/{number}").text.split())
    assert "<dt>倾角<br><small>倾角限值 15 deg</small>" in page
    assert re.findall(r"([\d.]+|开启) *(?:deg)? *(?:</b>)? *<small><time", page) == [
        "62.5",
        "40.25",
        "3",
        *["开启"] * 3,
    ]
    assert f'datetime="{(time.at - MINUTE).isoformat()}"' in page
    assert ("市民" in page, '电话 <a href="tel:555%207">555 7</a>' in page) == (True, True)


def test_who_watches_sees_what_a_crew_sees_and_moves_nothing(
    console: httpx.Client, number: str, signed_in: SignedIn, signing: Signing
) -> None:
    viewer = phone(console, signing, signed_in(Role.VIEWER))
    assert 'href="/crew?unit=drainage"' in viewer.get("/crew").text
    assert number in viewer.get("/crew?unit=drainage").text
    assert "<form" not in viewer.get(f"/crew/{number}").text
    assert send(viewer, number, move="accept").status_code == 403


def test_a_photo_is_kept_once_listed_and_given_out_as_what_it_is(
    crew: httpx.Client, connection: Connection, number: str, time: Time
) -> None:
    taken, picture = time.at, png(8, 8)
    time.at += MINUTE
    kept = {"key": str(uuid4()), "happened": taken.isoformat()}
    answers = [
        upload(crew, number, picture, **kept),
        upload(crew, number, picture, **kept),
        upload(crew, number, picture),
    ]
    assert [answer.status_code for answer in answers] == [200] * 3
    (photo,) = photo_store.of_case(connection, number)
    assert (photo.taken_at, photo.added_at, photo.added_by) == (taken, time.at, "crew of drainage")
    assert [event for event, *_ in events(connection, number)[2:]] == ["photo"]
    path = f"/crew/{number}/photos/{photo.hash}"
    assert path in crew.get(f"/crew/{number}").text
    given = crew.get(path)
    assert (given.content, given.headers["content-type"]) == (picture, "image/png")
    assert given.headers["cache-control"].startswith("private")
    assert "'none'" in given.headers["content-security-policy"]
    assert crew.get(f"/crew/{number}/photos/{'0' * 64}").status_code == 404
    assert crew.get(f"/crew/{number}/photos/nonsense").status_code == 404


def test_a_photo_of_an_impossible_time_is_not_kept_for_no_page_could_show_it(crew: httpx.Client, number: str) -> None:
    for happened in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):
        assert upload(crew, number, JPEG, happened=happened).status_code == 422
    crew.headers["Accept"] = "text/html"
    assert crew.get(f"/crew/{number}").status_code == 200


@pytest.mark.parametrize("content", [b"<svg xmlns='http://www.w3.org/2000/svg'/>", JPEG + b"x" * LARGEST, b""])
def test_what_is_no_photo_or_too_large_is_not_kept(
    crew: httpx.Client, connection: Connection, number: str, content: bytes
) -> None:
    assert upload(crew, number, content).status_code in {413, 422}
    assert photo_store.of_case(connection, number) == []


def test_without_scripts_a_form_does_it_and_shows_the_case_again(
    crew: httpx.Client, connection: Connection, number: str
) -> None:
    crew.headers["Accept"] = "text/html"
    send(crew, number, move="accept")
    send(crew, number, move="arrive")
    fields = {"move": "done", "result": "new cover", "found": "found"}
    done = crew.post(f"/crew/{number}/moves", data=fields, files={"photo": ("a.jpg", JPEG)})
    assert (done.status_code, done.headers["location"]) == (303, f"/crew/{number}")
    assert [event for event, *_ in events(connection, number)[2:]] == ["accept", "arrive", "photo", "finish", "verify"]


def test_a_crew_whose_links_were_ended_is_told_how_to_go_on(
    crew: httpx.Client, connection: Connection, number: str, time: Time
) -> None:
    crew_links.revoke(connection, DRAINAGE, time.at)
    assert (crew.get("/crew/state").status_code, send(crew, number, move="accept").status_code) == (401, 401)
    crew.headers["Accept"] = "text/html"
    over = crew.get(f"/crew/{number}")
    assert (over.status_code, "/static/crew.js" in over.text) == (401, True)
    assert "stays on this phone" in over.text


def test_a_supervisor_closes_what_telemetry_could_not_by_the_crews_photo(
    desk: Desk, connection: Connection, time: Time, cityward: Command, tmp_path: Path
) -> None:
    desk.alarm(("SL-01", LAMP), at=time.at)
    desk.take_up(time.at)
    number = desk.only_number()
    desk.work(number, time.at)
    desk.ask(time.at + 26 * HOUR)
    assert "has no photo" in str(cityward("cases", "verify", number).exception)
    picture = tmp_path / "lamp.jpg"
    picture.write_bytes(JPEG)
    assert "no whole JPEG" in str(cityward("cases", "photo", number, __file__).exception)
    assert cityward("cases", "photo", number, picture).exit_code == 0
    assert "closed" in cityward("cases", "verify", number).output
    (photo,) = photo_store.of_case(connection, number)
    assert rows(connection, "SELECT outcome, photo FROM dispatch_case") == [("supervisor", photo.hash)]
    assert cityward("cases", "photos", number).exit_code == 0
    (written,) = tmp_path.glob(f"{number}-*.jpeg")
    assert written.read_bytes() == JPEG


def test_the_worker_for_pages_without_a_network_may_control_them_and_knows_its_version(console: httpx.Client) -> None:
    worker = console.get("/crew/sw.js")
    assert worker.headers["service-worker-allowed"] == "/crew"
    assert worker.headers["content-type"].startswith("text/javascript")
    assert worker.text.startswith('const VERSION = "')
    assert all(console.get(f"/static/{name}").status_code == 200 for name in ("crew.js", "crew.webmanifest"))
