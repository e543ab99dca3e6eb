"""Getting into the console: sessions, tokens, headers; in process, on a real database."""

import html
import re
import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
from psycopg import Connection

from console import passwords
from console.access import Role
from console.context import Context
from console.identity import COOKIE, TOKEN
from console.signing import CrewLink, Session, Signing
from storage import console_store, console_trail
from tests.fix_console import SignedIn, Time, serving
from tests.waiting import eventually

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


def test_guessing_is_made_to_wait(console: httpx.Client, connection: Connection, time: Time) -> None:
    name = person(connection, Role.VIEWER)
    answers = [console.post("/sign-in", data={"username": name, "password": "x"}).status_code for _ in range(6)]
    assert answers == [403] * 5 + [429]
    assert console.post("/sign-in", data={"username": name, "password": PASSWORD}).status_code == 429
    time.at += timedelta(minutes=6)
    assert console.post("/sign-in", data={"username": name, "password": PASSWORD}).status_code == 303


def test_an_administrator_shuts_somebody_out_who_cannot_come_back_and_the_record_says_so(
    site: str, connection: Connection, signing: Signing, signed_in: SignedIn
) -> None:
    session, name = signed_in(Role.ADMIN), person(connection, Role.SUPERVISOR)
    with httpx.Client(base_url=site) as theirs, httpx.Client(base_url=site, follow_redirects=True) as people:
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
        assert "user.sign_in_refused" in people.get("/people").text


def test_every_answer_forbids_what_is_not_ours(console: httpx.Client) -> None:
    for path in ("/sign-in", "/static/console.css", "/nothing"):
        answer = console.get(path)
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"


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
    for entry, statuses in (("", [403, 403]), ("word", [303, 403])):
        with serving(replace(context, entry=entry)) as address, httpx.Client(base_url=address) as browser:
            assert browser.get("/enter/other").status_code == 403
            assert [browser.get("/enter/word").status_code for _ in range(2)] == statuses
            time.at += timedelta(days=20)  # its clock runs fast
            assert browser.get("/alarms").status_code == (200 if entry else 303)


def test_the_citys_tile_server_joins_the_policy_and_no_other(context: Context) -> None:
    style = "https://tiles.example:8443/style.json"
    with serving(replace(context, map_style=style)) as address:
        policy = httpx.get(f"{address}/sign-in").headers["content-security-policy"]
    assert policy.count("https://tiles.example:8443;") == 2
    assert "script-src 'self';" in policy
