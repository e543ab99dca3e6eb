"""The API as another system uses it: over HTTP, with a token, on a real database."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from psycopg import Connection

from console.access import Role
from storage import console_tokens, console_trail
from tests.fix_console import Time
from tests.integration.desk import Desk
from tests.integration.making import COVER_EAST, KITCHEN, LAMP, rows
from tests.integration.prompt import Command
from tests.waiting import PATIENCE

Machine = Callable[..., httpx.Client]


@pytest.fixture
def machine(site: str, connection: Connection, time: Time) -> Iterator[Machine]:
    """``machine(Role.OPERATOR)``: a client with a token of that role."""
    clients: list[httpx.Client] = []

    def begin(role: Role, unit: str = "") -> httpx.Client:
        name = f"{role}-{len(clients)}"
        text = console_tokens.add(
            connection, name, role=role, unit=unit, expires_at=time.at + timedelta(days=1), at=time.at
        )
        clients.append(httpx.Client(base_url=site, headers={"Authorization": f"Bearer {text}"}, timeout=PATIENCE))
        return clients[-1]

    yield begin
    for client in clients:
        client.close()


@pytest.fixture
def numbers(desk: Desk, time: Time) -> list[str]:
    """Three cases: an open cover's, a kitchen's, a lamp's."""
    for rule, device in (("MH-01", COVER_EAST), ("FM-01", KITCHEN), ("SL-01", LAMP)):
        desk.alarm((rule, device), at=time.at)
    desk.take_up(time.at)
    return desk.numbers()


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == answer.status_code
    return answer.status_code, document["type"].removeprefix("/api/#")


def test_a_list_comes_in_pages_that_neither_skip_nor_repeat(machine: Machine, numbers: list[str]) -> None:
    client, seen, cursor = machine(Role.VIEWER), [], None
    while True:
        page = client.get("/api/v1/cases", params={"limit": 1} | ({"cursor": cursor} if cursor else {})).json()
        seen += [case["number"] for case in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(numbers)
    (cover,) = client.get("/api/v1/cases", params={"kind": "manhole"}).json()["items"]
    assert (cover["unit"], cover["problem_names"]["zh"]) == ("drainage", "井盖开启")
    assert problem(client.get("/api/v1/cases", params={"cursor": "x"})) == (422, "field_wrong")
    assert problem(client.get("/api/v1/cases", params={"colour": 7})) == (422, "field_wrong")


def test_a_case_is_worked_once_by_key_and_version(machine: Machine, numbers: list[str], connection: Connection) -> None:
    client, address = machine(Role.SUPERVISOR), f"/api/v1/cases/{numbers[0]}"
    case = client.get(address)
    etag = case.headers["etag"]
    assert client.get(address, headers={"If-None-Match": etag}).status_code == 304
    assert case.json()["possible"][:2] == ["accept", "return"]
    key = {"Idempotency-Key": str(uuid4())}
    first = client.post(f"{address}/moves", json={"move": "accept"}, headers={**key, "If-Match": etag})
    assert (first.status_code, first.json()["state"]) == (200, "accepted")
    again = client.post(f"{address}/moves", json={"move": "accept"}, headers={**key, "If-Match": etag})
    assert again.json() == first.json()
    stale = client.post(f"{address}/moves", json={"move": "arrive"}, headers={"If-Match": etag})
    assert problem(stale) == (412, "case_changed")
    refused = client.post(f"{address}/moves", json={"move": "accept"}, headers={"Accept-Language": "zh-CN"})
    assert problem(refused) == (409, "case_state")
    assert refused.json()["title"] == "状态冲突"
    assert "已接单" in refused.json()["detail"]
    (line,) = console_trail.read(connection, since=connection_time(connection), target=numbers[0])
    assert (line.username, line.address, line.action) == ("token:supervisor-0", "127.0.0.1", "case.accept")


def connection_time(connection: Connection) -> Any:
    ((at,),) = rows(connection, "SELECT '2026-01-01'::timestamptz")
    return at


def test_a_crews_token_sees_and_moves_its_units_cases_only(machine: Machine, numbers: list[str]) -> None:
    crew = machine(Role.CREW, "drainage")
    assert [case["number"] for case in crew.get("/api/v1/cases", params={"unit": "lighting"}).json()["items"]] == [
        numbers[0]
    ]
    assert problem(crew.get(f"/api/v1/cases/{numbers[1]}")) == (403, "case_others")
    assert problem(crew.post(f"/api/v1/cases/{numbers[1]}/moves", json={"move": "accept"})) == (403, "case_others")
    assert crew.post(f"/api/v1/cases/{numbers[0]}/moves", json={"move": "accept"}).status_code == 200
    assert problem(crew.get("/api/v1/alarms")) == (403, "role")


def test_alarms_are_read_and_moved(machine: Machine, numbers: list[str]) -> None:
    client = machine(Role.OPERATOR)
    alarms = client.get("/api/v1/alarms", params={"limit": 2}).json()
    following = client.get("/api/v1/alarms", params={"limit": 2, "cursor": alarms["next"]}).json()
    ids = [alarm["id"] for alarm in alarms["items"] + following["items"]]
    assert len({*ids}) == 3
    (of_case,) = client.get("/api/v1/alarms", params={"case": numbers[0]}).json()["items"]
    moved = client.post("/api/v1/alarms/moves", json={"move": "acknowledge", "ids": ids, "reason": "seen"})
    assert moved.json() == {"alarms": ids}
    again = client.post("/api/v1/alarms/moves", json={"move": "acknowledge", "ids": ids})
    assert problem(again) == (409, "alarm_state")
    alarm = client.get(f"/api/v1/alarms/{of_case['id']}").json()
    assert (alarm["state"], alarm["possible"]) == ("acknowledged", ["shelve"])
    assert alarm["history"][-1]["actor"] == "operator-0"
    assert client.get("/api/v1/alarms/history", params={"rule": "MH-01"}).json()[0]["event"] == "raised"


def test_why_an_alarm_was_raised_is_told_as_at_the_prompt(
    machine: Machine, numbers: list[str], cityward: Command
) -> None:
    client = machine(Role.VIEWER)
    (alarm,) = client.get("/api/v1/alarms", params={"case": numbers[0]}).json()["items"]
    told = client.get(f"/api/v1/alarms/{alarm['id']}/explanation")
    assert told.json() == json.loads(cityward("alarms", "explain", alarm["id"], "--json").output)
    assert told.json()["alarm"]["device_id"] == COVER_EAST
    assert problem(client.get("/api/v1/alarms/999/explanation")) == (404, "alarm_missing")
    assert problem(machine(Role.HOTLINE).get(f"/api/v1/alarms/{alarm['id']}/explanation")) == (403, "role")


def test_what_the_desk_cannot_do_is_said_in_its_language(machine: Machine, numbers: list[str]) -> None:
    client = machine(Role.SUPERVISOR)
    client.headers["Accept-Language"] = "zh"
    (alarm,) = client.get("/api/v1/alarms", params={"case": numbers[0]}).json()["items"]
    shelving = {"move": "shelve", "ids": [alarm["id"]], "span": "90d", "reason": "x"}
    unshelving = {"move": "unshelve", "ids": [alarm["id"]]}
    permit = {"target": "road:nowhere", "span": "4h", "holder": "x", "reason": "x"}
    over = {**permit, "target": COVER_EAST, "start": "2026-01-01T00:00:00Z"}
    for address, asked, status, key, words in [
        ("alarms/moves", shelving, 422, "shelved_too_long", "最长8小时"),
        ("alarms/moves", unshelving, 409, "alarm_state", "“未确认”"),
        ("permits", permit, 422, "permit_of_nothing", "road:nowhere"),
        ("permits", over, 422, "permit_over", "已经结束"),
        ("permits/9/revoke", {"reason": "x"}, 404, "permit_missing", "没有可撤销的许可9"),
    ]:
        refused = client.post(f"/api/v1/{address}", json=asked)
        assert (problem(refused), words in refused.json()["detail"]) == ((status, key), True), refused.text


@pytest.mark.each_server
def test_devices_and_their_readings(machine: Machine, desk: Desk, time: Time) -> None:
    for minutes in range(3):
        desk.hear(COVER_EAST, time.at - timedelta(minutes=minutes), quality=2 if minutes else 0)
    client = machine(Role.VIEWER)
    page = client.get("/api/v1/devices", params={"limit": 5}).json()
    rest = client.get("/api/v1/devices", params={"limit": 5, "cursor": page["next"]}).json()
    assert len({device["device_id"] for device in page["items"] + rest["items"]}) == 8
    device = client.get(f"/api/v1/devices/{COVER_EAST}").json()
    assert (device["lon"], device["supervisor"], device["last_ts"]) == (114.3, "east-cg", None)
    address = f"/api/v1/devices/{COVER_EAST}/readings"
    first = client.get(address, params={"limit": 2}).json()
    last = client.get(address, params={"limit": 2, "cursor": first["next"]}).json()
    assert [each["quality"] for each in first["items"] + last["items"]] == [["implausible"], ["implausible"], []]
    assert first["units"]["tilt"] == "deg"
    assert problem(client.get("/api/v1/devices/nobody/readings")) == (404, "facility_missing")
    kinds = {kind["name"]: kind for kind in client.get("/api/v1/kinds").json()}
    assert kinds["manhole"]["metrics"][0]["unit"] is not None


def test_permits_sheets_notifications_units_and_the_ledger(machine: Machine, numbers: list[str]) -> None:
    client = machine(Role.SUPERVISOR)
    asked = {"target": COVER_EAST, "span": "4h", "holder": "crew 7", "reason": "new cover"}
    granted = client.post("/api/v1/permits", json=asked)
    assert (granted.status_code, granted.json()["devices"]) == (201, 1)
    (permit,) = client.get("/api/v1/permits").json()
    assert client.post(f"/api/v1/permits/{permit['id']}/revoke", json={"reason": "rain"}).status_code == 200
    assert client.get("/api/v1/permits").json() == []
    assert client.get("/api/v1/sheets").json() == []
    assert problem(client.post("/api/v1/sheets/W2026-00001/answer", json={"answer": "x"})) == (404, "sheet_missing")
    told = client.get("/api/v1/notifications", params={"case": numbers[0]}).json()["items"]
    assert {each["case_number"] for each in told} == {numbers[0]}
    units = {unit["unit"]: unit["open"] for unit in client.get("/api/v1/units").json()}
    assert (units["drainage"], units["bridges"]) == (1, 0)
    assert client.get("/api/v1/ledger").json()["balanced"] is True


def test_health_is_open_to_everybody(console: httpx.Client, connection: Connection, time: Time) -> None:
    assert console.get("/api/v1/health").json() == {"alive": True, "database": True, "last_reading_age_s": None}
    for minutes, stored in ((9, 1), (5, 1), (1, 0)):  # of the last nothing could be read
        at = time.at - timedelta(minutes=minutes)
        entry = "INSERT INTO ledger VALUES (%s, 'all', 1, %s, 0, %s)"
        connection.execute(entry, [at, stored, 1 - stored])
    assert console.get("/api/v1/health").json()["last_reading_age_s"] == 300.0


def test_nobody_in_particular_gets_in(console: httpx.Client, machine: Machine, connection: Connection) -> None:
    assert problem(console.get("/api/v1/cases")) == (401, "sign_in")
    client = machine(Role.SUPERVISOR)
    assert client.get("/api/v1/cases").status_code == 200
    connection.execute("UPDATE console_token SET revoked_at = created_at")
    assert problem(client.get("/api/v1/cases")) == (401, "bad_token")


def test_too_many_requests_are_told_when_to_come_again(console: httpx.Client) -> None:
    refused = next(answer for answer in (console.get("/api/v1/health") for _ in range(99)) if answer.status_code == 429)
    assert problem(refused) == (429, "too_many")
    assert int(refused.headers["retry-after"]) >= 1


def test_what_is_too_large_or_cannot_be_stored_is_refused(machine: Machine, numbers: list[str]) -> None:
    client, address = machine(Role.OPERATOR), f"/api/v1/cases/{numbers[0]}/moves"
    assert problem(client.post(address, content=b"x" * 300_000)) == (413, "too_large")
    assert problem(client.post(address, json={"move": "accept", "reason": "a\x00b"})) == (422, "field_wrong")
    assert problem(client.post(address, content=b"{")) == (422, "field_wrong")
    assert problem(client.delete(address)) == (405, "wrong_method")
    assert problem(client.get("/api/v1/devices/%00")) == (422, "field_wrong")


def test_the_page_of_the_api_lists_every_operation_and_every_problem(console: httpx.Client) -> None:
    page, document = console.get("/api/").text, console.get("/api/openapi.json").json()
    assert json.dumps(document).count("HTTPValidationError") == 0
    for path, methods in document["paths"].items():
        assert path in page
        for operation in methods.values():
            assert operation["summary"]
            assert operation["description"]
    assert 'id="case_state"' in page
