"""Open311 GeoReport v2 as a citizens' app uses it; names and forms are those of the standard."""

from datetime import timedelta
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import httpx
import pytest
from psycopg import Connection

from console.access import Role
from storage import console_tokens
from tests.fix_console import Time
from tests.integration.desk import Desk
from tests.integration.making import COVER_EAST, COVER_WEST, LAMP, rows

LISTS = {"services", "service_requests", "errors", "endpoints", "formats"}
REQUESTS = "/open311/v2/requests.json"
LAMP_AT = {"lat": "30.58", "long": "114.31"}


@pytest.fixture
def key(connection: Connection, time: Time) -> str:
    until = time.at + timedelta(days=1)
    text = console_tokens.add(connection, "app", role=Role.HOTLINE, unit="", expires_at=until, at=time.at)
    assert text is not None
    return text


def send(console: httpx.Client, key: str, **form: str) -> str:
    answer = console.post(REQUESTS, data={"api_key": key, **form})
    assert answer.status_code == 201, answer.text
    (made,) = answer.json()
    assert set(made) == {"service_request_id", "service_notice", "account_id"}
    return str(made["service_request_id"])


def refused(answer: httpx.Response) -> tuple[int, str]:
    (error,) = answer.json()
    assert error["code"] == answer.status_code
    return answer.status_code, error["description"]


def test_discovery_leads_to_the_services(console: httpx.Client) -> None:
    (endpoint,) = console.get("/open311/discovery.json").json()["endpoints"]
    assert endpoint["url"] == f"{console.base_url}/open311/v2"
    services: list[dict[str, Any]] = console.get("/open311/v2/services.json", headers={"Accept-Language": "zh"}).json()
    lamp = next(service for service in services if service["service_code"] == "lamp_dark")
    assert lamp == {
        "service_code": "lamp_dark",
        "service_name": "路灯不亮",
        "description": "路灯夜间不亮。",
        "metadata": False,
        "type": "realtime",
        "keywords": "streetlight",
        "group": "streetlight",
    }


def test_a_report_becomes_a_case_and_further_ones_join_it(
    console: httpx.Client, connection: Connection, key: str, time: Time
) -> None:
    said = {"service_code": "lamp_dark", "description": "dark since Monday", "phone": "555 7", "email": "a@b.org"}
    number = send(console, key, **said, **LAMP_AT)
    time.at += timedelta(minutes=5)
    assert send(console, key, service_code="lamp_dark", lat="30.58015", long="114.31015", source="hotline") == number
    assert rows(connection, "SELECT state, rule_id FROM dispatch_case") == [("reported", "")]
    assert rows(connection, "SELECT source, contact FROM case_report ORDER BY id") == [
        ("citizen", {"phone": "555 7", "email": "a@b.org"}),
        ("hotline", {}),
    ]
    (request,) = console.get(f"/open311/v2/requests/{number}.json").json()
    assert request == {
        "service_request_id": number,
        "status": "open",
        "status_notes": "reported",
        "service_name": "streetlight dark",
        "service_code": "lamp_dark",
        "description": None,
        "agency_responsible": "Lighting office",
        "service_notice": None,
        "requested_datetime": "2026-11-21T08:00:00Z",
        "updated_datetime": "2026-11-21T08:05:00Z",
        "expected_datetime": request["expected_datetime"],
        "address": "Jiefang Road, Lamp 5",
        "address_id": LAMP,
        "zipcode": None,
        "lat": 30.58,
        "long": 114.31,
        "media_url": None,
        "reporters": 2,
    }
    assert "555 7" not in console.get(REQUESTS).text, "who reported stays here"


def test_a_report_joins_what_telemetry_knows_already(console: httpx.Client, desk: Desk, key: str, time: Time) -> None:
    desk.alarm(("MH-01", COVER_EAST), at=time.at)
    desk.take_up(time.at)
    known = desk.only_number()
    assert send(console, key, service_code="cover_open", lat="30.5901", long="114.30") == known
    assert send(console, key, service_code="cover_loose", lat="30.59", long="114.30") != known, "another trouble"
    assert send(console, key, service_code="cover_open", address_id=COVER_WEST) != known, "another cover"
    (request,) = console.get(REQUESTS, params={"service_request_id": known}).json()
    assert (request["status_notes"], request["reporters"]) == ("dispatched", 1)


def test_what_became_of_a_report_is_told(console: httpx.Client, desk: Desk, key: str, time: Time) -> None:
    number = send(console, key, service_code="lamp_dark", **LAMP_AT)
    desk.moves(time.at).cancel(number, "it is lit")
    assert console.get(REQUESTS, params={"status": "open"}).json() == []
    (closed,) = console.get(REQUESTS, params={"status": "closed", "service_code": "lamp_dark,leakage"}).json()
    assert (closed["status"], closed["status_notes"], closed["expected_datetime"]) == ("closed", "cancelled", None)
    assert console.get(REQUESTS, params={"start_date": "2026-11-21T08:00:01Z"}).json() == []
    assert console.get(REQUESTS, params={"service_code": "leakage"}).json() == []
    assert console.get(REQUESTS, params={"service_request_id": f"{number}9"}).json() == []


def as_text(value: Any) -> Any:
    """A JSON document with what XML makes of its values."""
    if isinstance(value, dict):
        return {name: as_text(each) for name, each in value.items()}
    if isinstance(value, list):
        return [as_text(each) for each in value]
    return {None: None, True: "true", False: "false"}.get(value, str(value)) if value != 1 else "1"


def xml(answer: httpx.Response) -> Element:
    return fromstring(answer.content)  # noqa: S314 - our own


def of_xml(element: Element) -> Any:
    """An XML document as JSON would have it: what is many stands in what is called so."""
    parts = [*element]
    if not parts:
        return element.text
    if element.tag in LISTS:
        return [of_xml(part) for part in parts]
    return {part.tag: of_xml(part) for part in parts}


def test_xml_has_the_same_data(console: httpx.Client, key: str) -> None:
    form = {"api_key": key, "service_code": "lamp_dark", "description": "dark & <b>cold</b>\u0001", **LAMP_AT}
    answer = console.post("/open311/v2/requests.xml", data=form)
    assert (answer.status_code, answer.headers["content-type"]) == (201, "text/xml; charset=utf-8")
    number = xml(answer).findtext("request/service_request_id")
    for path in ("discovery", "v2/services", "v2/requests", f"v2/requests/{number}"):
        told = xml(console.get(f"/open311/{path}.xml"))
        assert of_xml(told) == as_text(console.get(f"/open311/{path}.json").json()), path
    gone = console.get("/open311/v2/requests/1.xml")
    assert (gone.status_code, of_xml(xml(gone))) == (
        404,
        [{"code": "404", "description": "There is no case 1."}],
    )


def test_a_picture_is_taken_by_its_address_and_files_are_refused(console: httpx.Client, key: str) -> None:
    picture = "https://app.example/pictures/7.jpg"
    number = send(console, key, service_code="lamp_dark", **LAMP_AT)
    assert send(console, key, service_code="lamp_dark", media_url=picture, **LAMP_AT) == number
    (request,) = console.get(REQUESTS).json()
    assert request["media_url"] == picture
    form = {"api_key": key, "service_code": "lamp_dark", **LAMP_AT}
    wrong = console.post(REQUESTS, data={**form, "media_url": "javascript:alert(1)"})
    assert refused(wrong)[0] == 400
    assert "media_url" in refused(console.post(REQUESTS, data=form, files={"media": ("a.jpg", b"x")}))[1]


def test_what_is_refused_has_the_standards_form(
    console: httpx.Client, connection: Connection, key: str, time: Time
) -> None:
    until = time.at + timedelta(days=1)
    viewer = console_tokens.add(connection, "grid", role=Role.VIEWER, unit="", expires_at=until, at=time.at)
    form = {"service_code": "lamp_dark", **LAMP_AT}
    for data, status, words in [
        (form, 403, "api_key"),
        ({**form, "api_key": "guessed"}, 403, "unknown"),
        ({**form, "api_key": viewer or ""}, 403, "api_key"),
        ({**form, "api_key": key, "service_code": "potholes"}, 404, "no service potholes"),
        ({"service_code": "lamp_dark", "api_key": key}, 400, "Say where"),
        ({**form, "api_key": key, "lat": "30.59"}, 400, "within 30 m"),
        ({**form, "api_key": key, "lat": "high"}, 400, "lat"),
        ({"api_key": key, **LAMP_AT}, 400, "service_code"),
        ({**form, "api_key": key, "address_id": "nobody"}, 404, "no facility nobody"),
    ]:
        answered = refused(console.post(REQUESTS, data=data))
        assert (answered[0], words in answered[1]) == (status, True), answered
    assert refused(console.get("/open311/v2/requests/4201022026112199999.json"))[0] == 404
    assert rows(connection, "SELECT count(*) FROM dispatch_case") == [(0,)]
