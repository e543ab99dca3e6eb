"""Who may do what: every route of the console, by every role, by everybody else, and without the session's token."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from console.access import Role
from console.app import create_app
from console.context import Context
from console.identity import COOKIE, TOKEN_HEADER
from console.limits import Limits
from console.signing import Session, Signing
from tests.fix_console import SignedIn, serving
from tests.waiting import PATIENCE

EVERYBODY = "- v c o s a h"  # nobody, viewer, crew, operator, supervisor, administrator, hotline
LOOK, OWN, WORK, DISPATCH, JUDGE, MANAGE = "v o s a", "v c o s a", "c o s a", "o s a", "s a", "a"
ROUTES = {
    "GET /api/openapi.json": EVERYBODY,
    "HEAD /api/openapi.json": EVERYBODY,
    "GET /api/": EVERYBODY,
    "GET /api/v1/health": EVERYBODY,
    "GET /open311/discovery.{form}": EVERYBODY,
    "GET /open311/v2/services.{form}": EVERYBODY,
    "GET /open311/v2/requests.{form}": EVERYBODY,
    "GET /open311/v2/requests/{number}.{form}": EVERYBODY,
    "POST /open311/v2/requests.{form}": EVERYBODY,  # asks for its key by itself, see test_open311
    "GET /sign-in": EVERYBODY,
    "POST /sign-in": EVERYBODY,
    "GET /c/{sealed}": EVERYBODY,
    "GET /language/{language}": EVERYBODY,
    "GET /enter/{word}": EVERYBODY,
    "GET /": OWN,
    "GET /desk/cases": LOOK,
    "GET /alarms": LOOK,
    "GET /desk/alarms": LOOK,
    "GET /desk/places": LOOK,
    "GET /desk/ground": LOOK,
    "GET /cases/{number}": LOOK,
    "GET /cases/{number}/live": LOOK,
    "GET /devices/{device_id}": LOOK,
    "POST /cases/{number}/moves/{move}": DISPATCH,
    "POST /cases/moves/assign": DISPATCH,
    "POST /alarms/moves/{move}": DISPATCH,
    "POST /sheets/{number}/answer": JUDGE,
    "GET /permits": LOOK,
    "POST /permits": JUDGE,
    "POST /permits/{number}/revoke": JUDGE,
    "GET /handover": LOOK,
    "POST /handover": DISPATCH,
    "GET /reports": LOOK,
    "GET /reports/weekly": LOOK,
    "GET /reports/month": LOOK,
    "GET /reports/quarter": LOOK,
    "GET /reports/watchlist": LOOK,
    "GET /reports/ledger": LOOK,
    "POST /reports/close": JUDGE,
    "GET /people": MANAGE,
    "POST /people/{username}/disable": MANAGE,
    "GET /crew": OWN,
    "GET /crew/state": OWN,
    "GET /crew/sw.js": EVERYBODY,
    "GET /crew/{number}": OWN,
    "GET /crew/{number}/photos/{hashed}": OWN,
    "POST /crew/{number}/moves": WORK,
    "POST /crew/{number}/photos": WORK,
    "GET /api/v1/cases": OWN,
    "GET /api/v1/cases/{number}": OWN,
    "POST /api/v1/cases/{number}/moves": WORK,
    "GET /api/v1/alarms": LOOK,
    "GET /api/v1/alarms/history": LOOK,
    "GET /api/v1/alarms/{id}": LOOK,
    "GET /api/v1/alarms/{id}/explanation": LOOK,
    "POST /api/v1/alarms/moves": DISPATCH,
    "GET /api/v1/kinds": LOOK,
    "GET /api/v1/devices": LOOK,
    "GET /api/v1/devices/{device_id}": LOOK,
    "GET /api/v1/devices/{device_id}/readings": LOOK,
    "GET /api/v1/permits": LOOK,
    "POST /api/v1/permits": JUDGE,
    "POST /api/v1/permits/{id}/revoke": JUDGE,
    "GET /api/v1/sheets": LOOK,
    "POST /api/v1/sheets/{number}/answer": JUDGE,
    "GET /api/v1/notifications": LOOK,
    "GET /api/v1/units": LOOK,
    "GET /api/v1/ledger": LOOK,
    "POST /sign-out": EVERYBODY,  # the last, for it ends the session
}
IN_PATHS = {
    "form": "json",
    "number": "4201022026112199999",
    "id": "1",
    "move": "accept",
    "language": "en",
    "sealed": "x",
}
PAGES_IN_PATHS = {"POST /alarms/moves/{move}": "acknowledge", "POST /sheets/{number}/answer": "W2026-00001"}
TEMPLATES = Path(__file__).parents[2] / "console" / "templates"


def address(route: str) -> tuple[str, str]:
    """The method, and the path with something in its places that is nobody's."""
    method, path = route.split()
    return method, re.sub(r"\{(\w+)[^}]*\}", lambda place: PAGES_IN_PATHS.get(route, IN_PATHS.get(place[1], "x")), path)


@pytest.fixture
def busy(context: Context) -> Iterator[str]:
    """A console that may be asked as often as one likes."""
    with serving(replace(context, limits=Limits(0), guests=Limits(0))) as where:
        yield where


def somebody(where: str, signing: Signing, session: Session | None) -> httpx.Client:
    cookies = {COOKIE: signing.cookie(session)} if session else None
    return httpx.Client(base_url=where, cookies=cookies, timeout=PATIENCE)


def test_the_table_has_every_route_of_the_console_and_no_other(context: Context) -> None:
    found = {
        f"{method} {route.path}"
        for route in iter_route_contexts(create_app(context).routes)
        for method in route.methods or ()
    }
    assert sorted(found ^ ROUTES.keys()) == [], "write down in ROUTES who may use it"


@pytest.mark.parametrize("role", [None, *Role], ids=str)
def test_everybody_may_do_what_the_table_says_and_nothing_else(
    busy: str, signing: Signing, signed_in: SignedIn, role: Role | None
) -> None:
    unit = "drainage" if role is Role.CREW else ""
    session = signed_in(role, unit=unit) if role else None
    headers = {TOKEN_HEADER: session.token} if session else {}
    wrong = []
    with somebody(busy, signing, session) as client:
        for route, allowed in ROUTES.items():
            answer = client.request(*address(route), headers=headers)
            refused = answer.status_code == 403 and any(said in answer.text for said in ("you may not", "/api/#role"))
            sent_away = answer.status_code == 401 or answer.headers.get("location", "").startswith("/sign-in")
            may = not refused and (not sent_away or route == "POST /sign-out")
            if may != ((role[0] if role else "-") in allowed):
                wrong.append((route, answer.status_code, answer.text[:200]))
            assert answer.status_code < 500, (route, answer.text)
    assert wrong == []


def test_nothing_is_changed_without_the_token_of_the_session(busy: str, signing: Signing, signed_in: SignedIn) -> None:
    session = signed_in(Role.ADMIN)
    unsafe = [
        route for route, allowed in ROUTES.items() if not route.startswith(("GET", "HEAD")) and "-" not in allowed
    ]
    assert unsafe
    with somebody(busy, signing, session) as client:
        for route in unsafe:
            for headers in ({}, {TOKEN_HEADER: "guessed"}):
                answer = client.request(*address(route), headers=headers)
                assert answer.status_code == 403, route
                assert "out of date" in answer.text, route
            let_in = client.request(*address(route), headers={TOKEN_HEADER: session.token})
            assert let_in.status_code != 403, (route, let_in.text)


def test_no_template_has_a_script_or_a_style_within() -> None:
    within = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:")
    found = {path.name: within.findall(path.read_text(encoding="utf-8")) for path in TEMPLATES.glob("*.html")}
    assert {name: bad for name, bad in found.items() if bad} == {}
