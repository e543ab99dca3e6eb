"""Every form of the pages, as it stands there, sent twice: by a double click, or by a browser that heard no answer."""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi.routing import iter_route_contexts
from psycopg import Connection

from console.access import Role
from console.app import create_app
from console.context import Context
from console.identity import COOKIE
from console.signing import Signing
from tests.fix_console import SignedIn, Time
from tests.integration.desk import Desk
from tests.integration.making import COVER_EAST, COVER_WEST, KITCHEN, LAMP, rows
from tests.unit.cases.test_photos import JPEG, png

SIGNING = {"/sign-in", "/sign-out"}  # twice is as once
FORM = re.compile(r"<form\b.*?</form>", re.DOTALL)
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Sent:
    """A form: where it stands, where it leads, what is filled in, and how many changes that makes."""

    page: str
    to: str
    filled: Mapping[str, Any]
    photos: tuple[bytes, ...] = ()
    changes: int = 1


def forms(desk: Desk, signed_in: SignedIn) -> dict[str, Sent]:
    """An example for each route, in an order in which one does not get into the way of another."""
    first, second, *others = desk.numbers()
    ids = [number for (number,) in rows(desk.connection, "SELECT id FROM alarm ORDER BY id")]
    ((sheet,),) = rows(desk.connection, "SELECT number FROM sheet ORDER BY id LIMIT 1")
    ((late,),) = rows(desk.connection, "SELECT dc.number FROM sheet JOIN dispatch_case dc ON dc.id = case_id LIMIT 1")
    person, work = signed_in(Role.VIEWER).username, {"span": "4h", "holder": "crew 7", "reason": "covers"}
    pictures = (png(8, 8), JPEG)
    # fmt: off
    return {
        "/cases/{number}/moves/{move}": Sent(f"/cases/{first}", f"/cases/{first}/moves/accept", {"reason": "we go"}),
        "/crew/{number}/moves": Sent(f"/crew/{first}", f"/crew/{first}/moves", {"move": "arrive"}, pictures, 3),
        "/crew/{number}/photos": Sent(f"/crew/{second}", f"/crew/{second}/photos", {}, pictures, 2),
        "/alarms/moves/{move}": Sent(
            "/", "/alarms/moves/shelve", {"numbers": others, "ids": ids[:1], "span": "1h", "reason": "is moved"}
        ),
        "/cases/moves/assign": Sent(
            "/", "/cases/moves/assign", {"numbers": others, "unit": "lighting", "reason": "near"}, changes=len(others)
        ),
        "/sheets/{number}/answer": Sent(f"/cases/{late}", f"/sheets/{sheet}/answer", {"answer": "on the way"}),
        "/permits": Sent("/permits", "/permits", {"target": COVER_WEST, "kind": "maintenance", **work}),
        "/permits/{number}/revoke": Sent("/permits", "/permits/1/revoke", {"reason": "rain"}),
        "/handover": Sent("/handover", "/handover", {"note": "watch the east pumps"}),
        "/reports/close": Sent("/reports/month?month=2026-10", "/reports/close", {}),
        "/people/{username}/disable": Sent("/people", f"/people/{person}/disable", {"reason": "has left"}),
    }
    # fmt: on


@pytest.fixture
def administrator(console: httpx.Client, signing: Signing, signed_in: SignedIn) -> httpx.Client:
    console.cookies.set(COOKIE, signing.cookie(signed_in(Role.ADMIN)))
    return console


def as_it_stands(client: httpx.Client, form: Sent) -> dict[str, Any]:
    """What a browser sends: what the form hides, and what was filled in."""
    page = client.get(form.page).text
    found = [each for each in FORM.findall(page) if re.search(rf'\b(?:form)?action="{form.to}"', each)]
    if not found and f'form="marked" formaction="{form.to}"' in page:
        found = [each for each in FORM.findall(page) if 'id="marked"' in each]
    assert found, f"{form.page} has no form that leads to {form.to}"
    return {**{name: html.unescape(value) for name, value in HIDDEN.findall(found[0])}, **form.filled}


def test_a_form_that_is_sent_twice_is_done_once_and_leads_to_the_same_place(
    context: Context, connection: Connection, desk: Desk, administrator: httpx.Client, signed_in: SignedIn, time: Time
) -> None:
    desk.alarm(("MH-01", COVER_EAST), ("MH-01", COVER_WEST), ("FU-01", KITCHEN), ("SL-04", LAMP), at=time.at)
    desk.take_up(time.at)
    desk.look(time.at + timedelta(hours=6))
    examples = forms(desk, signed_in)
    routes = {
        str(route.path)
        for route in iter_route_contexts(create_app(context).routes)
        if "POST" in (route.methods or ()) and not str(route.path).startswith(("/api/", "/open311/"))
    }
    assert sorted(routes - SIGNING) == sorted(examples), "give every form an example"

    def done() -> int:
        ((count,),) = rows(connection, "SELECT count(*) FROM console_trail")
        return int(count)

    found = {}
    for route, form in examples.items():
        said, before = as_it_stands(administrator, form), done()
        files = [("photo", ("photo", content)) for content in form.photos] or None
        answers = [administrator.post(form.to, data=said, files=files) for _ in range(2)]
        found[route] = [(each.status_code, each.headers.get("location")) for each in answers], done() - before
        assert found[route][0][0] == found[route][0][1], (route, [answer.text[-400:] for answer in answers])
    assert {route: (where[0][0], count) for route, (where, count) in found.items()} == {
        route: (303, form.changes) for route, form in examples.items()
    }
