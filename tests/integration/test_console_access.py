"""Getting into the console: sessions, tokens, headers; in process, on a real database."""

import html
import re
import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from unittest.mock import Mock

import httpx
import pytest
from psycopg import Connection
from structlog.testing import capture_logs

from console import guesses, passwords
from console.access import Role
from console.context import Context
from console.identity import COOKIE, TOKEN
from console.pages import device
from console.signing import CrewLink, Session, Signing
from storage import console_store, console_trail
from tests.fix_console import SignedIn, Time, serving
from tests.waiting import PATIENCE, eventually

PASSWORD = "correct horse battery"  # noqa: S105 - of the people below
START = datetime(2026, 11, 21, tzinfo=UTC)
HASH = passwords.hashed(PASSWORD)


def person(connection: Connection, role: Role, unit: str = "") -> str:
    name = f"{role}-{secrets.token_hex(2)}"
    console_store.save(
        connection,
        username=name,
        full_name=name.title(),
        role=role,
        unit=unit,
        language="en",
        password_hash=HASH,
        at=START,
    )
    return name


def test_the_right_password_begins_a_session_and_a_wrong_one_does_not(
    console: httpx.Client, connection: Connection
) -> None:
    name = person(connection, Role.VIEWER)
    refused = console.post("/sign-in", data={"username": name, "password": "wrong"})
    assert (refused.status_code, "cityward" in refused.cookies) == (403, False)
    assert "is wrong" in refused.text
    entered = console.post("/sign-in", data={"username": name, "password": PASSWORD})
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    cookie = entered.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


def test_who_signs_in_comes_to_the_page_that_was_asked_for_and_never_away_from_the_console(
    console: httpx.Client, connection: Connection
) -> None:
    name = person(connection, Role.VIEWER)
    asked = console.get("/alarms?severity=4&text=a+b").headers["location"]
    back = html.unescape(re.findall('name="back" value="([^"]*)"', console.get(asked).text)[0])
    for said, leads in ((back, "/alarms?severity=4&text=a+b"), ("//evil.example", "/"), ("/\\evil.example", "/")):
        entered = console.post("/sign-in", data={"username": name, "password": PASSWORD, "back": said})
        assert entered.headers["location"] == leads
        assert console.get("/language/en", params={"back": said}).headers["location"] == leads


def test_another_sites_page_signs_nobody_in_or_out(console: httpx.Client, connection: Connection) -> None:
    form = {"username": person(connection, Role.VIEWER), "password": PASSWORD}
    for path in ("/sign-in", "/sign-out"):
        for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 303)):
            assert console.post(path, data=form, headers={"Sec-Fetch-Site": site}).status_code == status, (path, site)


def test_every_try_to_sign_in_as_somebody_is_on_record(console: httpx.Client, connection: Connection) -> None:
    name = person(connection, Role.VIEWER)
    for password in ("wrong", PASSWORD):
        console.post("/sign-in", data={"username": name, "password": password})

    def said() -> list[str]:
        return sorted(row.action for row in console_trail.read(connection, since=START, target=name))

    eventually(lambda: said() == ["user.sign_in", "user.sign_in_refused"], "both are written down")


def test_who_signs_out_ends_the_session_wherever_its_cookie_was_copied_to(
    console: httpx.Client, signed_in: SignedIn, signing: Signing
) -> None:
    here, elsewhere = ({"Cookie": f"{COOKIE}={signing.cookie(signed_in(Role.VIEWER))}"} for _ in range(2))
    assert console.get("/alarms", headers=here).status_code == 200
    assert console.post("/sign-out", headers=here).status_code == 303
    assert console.get("/alarms", headers=here).headers["location"].startswith("/sign-in")
    assert console.get("/alarms", headers=elsewhere).status_code == 200, "another session goes on"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are checked without the time and memory that they are meant to take."""
    monkeypatch.setattr(passwords, "matches", lambda password, _kept: password == PASSWORD)


def tried(console: httpx.Client, name: str, password: str, address: str) -> int:
    """The status for a try from this address, as a proxy before the console names it."""
    form = {"username": name, "password": password}
    return console.post("/sign-in", data=form, headers={"X-Forwarded-For": f"junk, {address}"}).status_code


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("guesser", "neighbour", "elsewhere"),
    [("203.0.113.7", "203.0.113.7", "203.0.113.8"), ("2001:db8:0:7::1", "2001:db8:0:7:ab::2", "2001:db8:0:8::1")],
)
def test_guessing_must_wait_where_it_happens_and_keeps_nobody_out_elsewhere(
    console: httpx.Client, connection: Connection, time: Time, guesser: str, neighbour: str, elsewhere: str
) -> None:
    name = person(connection, Role.VIEWER)
    assert [tried(console, name, "x", guesser) for _ in range(6)] == [403] * 5 + [429]
    assert tried(console, name, PASSWORD, neighbour) == 429
    assert tried(console, name, PASSWORD, elsewhere) == 303
    time.at += timedelta(minutes=6)
    assert tried(console, name, PASSWORD, neighbour) == 303


@pytest.mark.usefixtures("quick")
def test_guessing_from_everywhere_must_wait_but_not_where_the_person_has_signed_in(
    console: httpx.Client, connection: Connection, time: Time
) -> None:
    name, usual = person(connection, Role.SUPERVISOR), "2001:db8:0:7::1"
    assert tried(console, name, PASSWORD, usual) == 303
    assert {tried(console, name, "x", f"203.0.113.{number}") for number in range(guesses.TRIES_ANYWHERE)} == {403}
    assert tried(console, name, PASSWORD, "203.0.113.200") == 429
    assert tried(console, name, PASSWORD, "2001:db8:0:7::2") == 303
    time.at += timedelta(minutes=61)
    assert tried(console, name, PASSWORD, "203.0.113.200") == 303


def test_where_very_many_sign_in_at_once_some_hear_that_it_is_busy(
    console: httpx.Client, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "matches", Mock(side_effect=passwords.BusyError))
    answer = console.post("/sign-in", data={"username": person(connection, Role.VIEWER), "password": PASSWORD})
    assert (answer.status_code, "Try again in a few seconds" in answer.text) == (503, True)


def test_an_administrator_shuts_somebody_out_who_cannot_come_back_and_the_record_says_so(
    site: str, connection: Connection, signing: Signing, signed_in: SignedIn
) -> None:
    session, name = signed_in(Role.ADMIN), person(connection, Role.SUPERVISOR)
    with (
        httpx.Client(base_url=site, timeout=PATIENCE) as theirs,
        httpx.Client(base_url=site, follow_redirects=True, timeout=PATIENCE) as people,
    ):
        entered = theirs.post("/sign-in", data={"username": name, "password": PASSWORD})
        theirs.cookies[COOKIE] = entered.headers["set-cookie"].partition("=")[2].partition(";")[0].strip('"')
        assert theirs.get("/alarms").status_code == 200
        people.cookies[COOKIE] = signing.cookie(session)

        def shut_out(username: str) -> httpx.Response:
            return people.post(f"/people/{username}/disable", data={TOKEN: session.token, "reason": "left the city"})

        assert "shut out since" in shut_out(name).text
        assert theirs.get("/alarms").headers["location"].startswith("/sign-in")
        assert theirs.post("/sign-in", data={"username": name, "password": PASSWORD}).status_code == 403
        assert "no supervisor-x who may sign in" in shut_out("supervisor-x").text
        assert "ask another administrator" in shut_out(session.username).text
        record = people.get("/people", params={"by": session.username}).text
        assert ("left the city" in record, "user.sign_in" in record) == (True, False)
        assert "Sign-in refused" in people.get("/people").text


def test_every_answer_forbids_what_is_not_ours(
    console: httpx.Client, signing: Signing, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "load_device", lambda *_: 1 // 0)
    console.cookies.set(COOKIE, signing.cookie(signed_in(Role.VIEWER)))
    for path in ("/sign-in", "/static/console.css", "/nothing", "/devices/x"):
        with capture_logs():
            answer = console.get(path)
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers.get("cache-control", "no-store") == "no-store"
    assert answer.status_code == 500


def test_a_link_opens_its_units_page_until_it_is_over(console: httpx.Client, signing: Signing, time: Time) -> None:
    link = signing.link(CrewLink("drainage", "", 1, int(time.at.timestamp()) + 60))
    assert console.get(f"/c/{link}").headers["location"] == "/crew"
    time.at += timedelta(minutes=2)
    assert console.get(f"/c/{link}").status_code == 403
    assert console.get("/c/nonsense").status_code == 403


def test_a_cookie_of_another_key_is_no_session(time: Time) -> None:
    ours, theirs = Signing(b"a" * 32), Signing(b"b" * 32)
    session = Session("ann", 1, "", "t", int(time.at.timestamp()) + 60)
    assert ours.session(ours.cookie(session), time.at) == session
    assert ours.session(theirs.cookie(session), time.at) is None
    link = CrewLink("drainage", "", 1, session.until)
    assert ours.session(ours.link(link), time.at) is None, "a link is no cookie"


def test_the_demonstrations_link_signs_in_once_and_a_city_has_none(
    context: Context, connection: Connection, time: Time
) -> None:
    person(connection, Role.SUPERVISOR)
    connection.execute("UPDATE console_user SET username = 'demo'")
    for entry, status in (("", 403), ("word", 303)):
        with (
            serving(replace(context, entry=entry)) as address,
            httpx.Client(base_url=address, timeout=PATIENCE) as browser,
        ):
            assert browser.get("/enter/other").status_code == 403
            assert [browser.get("/enter/word").status_code for _ in range(2)] == [status, status], "in this browser"
            elsewhere = httpx.get(f"{address}/enter/word", timeout=PATIENCE)
            assert elsewhere.status_code == 403
            assert ("signed somebody in" in elsewhere.text) == bool(entry)
            time.at += timedelta(days=20)  # its clock runs fast
            assert browser.get("/alarms").status_code == (200 if entry else 303)


def test_the_citys_tile_server_joins_the_policy_and_no_other(context: Context) -> None:
    style = "https://tiles.example:8443/style.json"
    with serving(replace(context, map_style=style)) as address:
        policy = httpx.get(f"{address}/sign-in", timeout=PATIENCE).headers["content-security-policy"]
    assert policy.count("https://tiles.example:8443;") == 2
    assert "script-src 'self';" in policy
