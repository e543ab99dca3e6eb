"""Permits, the shelf and the hand-over of a shift, from the pages."""

import re
from datetime import timedelta

import httpx
import pytest
from psycopg import Connection

from console.access import Role
from console.identity import COOKIE
from console.signing import Signing
from tests.fix_console import SignedIn, Time
from tests.integration.desk import Desk
from tests.integration.making import COVER_EAST, KITCHEN, LAMP, rows


@pytest.fixture
def supervisor(console: httpx.Client, signing: Signing, signed_in: SignedIn) -> httpx.Client:
    console.cookies.set(COOKIE, signing.cookie(signed_in(Role.SUPERVISOR)))
    return console


def token(client: httpx.Client) -> str:
    found = re.search(r'data-token="([^"]+)"', client.get("/permits").text)
    assert found
    return found[1]


def test_a_permit_is_granted_in_local_time_and_revoked_with_a_reason(
    desk: Desk, supervisor: httpx.Client, connection: Connection
) -> None:
    assert desk
    said = {
        "token": token(supervisor),
        "target": "road:Jiefang Road",
        "span": "4h",
        "holder": "crew 7",
        "reason": "covers",
    }
    wrong = supervisor.post("/permits", data={**said, "target": "road:Nowhere"})
    assert (wrong.status_code, "means no registered device" in wrong.text) == (422, True)
    for beyond in ({"start": "9999-12-31T23:59"}, {"span": "9999999d"}):
        assert supervisor.post("/permits", data={**said, **beyond}).status_code == 422
    assert supervisor.post("/permits", data={**said, "start": "2026-11-21T22:00"}).status_code == 303
    assert rows(connection, "SELECT valid_from::text, granted_by LIKE 'Supervisor%%' FROM permit") == [
        ("2026-11-21 14:00:00+00", True)
    ]
    assert "crew 7" in supervisor.get("/permits").text
    number = rows(connection, "SELECT id FROM permit")[0][0]
    for reason, status in (("", 422), ("rain", 303), ("rain", 404)):
        assert (
            supervisor.post(f"/permits/{number}/revoke", data={"token": said["token"], "reason": reason}).status_code
            == status
        )
    assert "crew 7" not in supervisor.get("/permits").text
    assert "rain" in supervisor.get("/permits?everything=true").text


def test_the_sheet_says_what_the_next_shift_must_know_and_keeps_the_note(
    desk: Desk, supervisor: httpx.Client, time: Time, connection: Connection
) -> None:
    desk.alarm(("MH-01", COVER_EAST), ("FU-01", KITCHEN), ("SL-04", LAMP), at=time.at)
    desk.take_up(time.at + timedelta(minutes=2))
    ids = [number for (number,) in rows(connection, "SELECT id FROM alarm WHERE rule_id = 'SL-04'")]
    shelved = {"token": token(supervisor), "ids": ids, "span": "8h", "reason": "post is being replaced"}
    assert supervisor.post("/alarms/moves/shelve", data=shelved).status_code == 303
    sheet = supervisor.get("/handover").text
    assert "post is being replaced" in sheet
    assert desk.numbers()[0] in sheet, "the cover falls due within the next shift"
    assert "<b>3</b> alarms announced" in sheet
    time.at += timedelta(minutes=30)
    noted = {"token": shelved["token"], "note": "<b>watch</b> the east pumps"}
    assert supervisor.post("/handover", data={**noted, "note": " "}).status_code == 422
    assert supervisor.post("/handover", data=noted).status_code == 303
    after = supervisor.get("/handover").text
    assert "&lt;b&gt;watch&lt;/b&gt; the east pumps" in after
    assert "<b>0</b> alarms announced" in after, "another shift has begun"
    assert rows(connection, "SELECT totals -> 'cases' ->> 'open', since < at FROM handover") == [("3", True)]
