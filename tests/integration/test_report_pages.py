"""Reports in the browser: who may read and close, what a page and its files hold."""

import csv
import io
from datetime import date, timedelta
from unittest.mock import Mock

import httpx
import pytest
from openpyxl import load_workbook
from psycopg import Connection

from cases.words import Language
from console.access import Role
from console.errors import BadInput
from console.identity import COOKIE
from console.signing import Session, Signing
from storage import console_trail, month_close
from tests.fix_console import SignedIn, Time
from tests.integration.desk import FRIDAY, Desk
from tests.integration.lives import live
from tests.integration.making import rows

PAGES = [
    "weekly?day=2026-11-20",
    "month?month=2026-11",
    "quarter?quarter=2026-Q4",
    "watchlist",
    "ledger?first=2026-11-01",
]


@pytest.fixture
def lived(desk: Desk, time: Time) -> dict[str, str]:
    made = live(desk)
    time.at = FRIDAY + timedelta(days=13)
    return made


def enter(console: httpx.Client, signing: Signing, session: Session) -> None:
    console.cookies.set(COOKIE, signing.cookie(session))


@pytest.mark.each_server
def test_every_report_is_a_page_in_both_languages_and_a_file_in_three_forms(
    console: httpx.Client, signing: Signing, signed_in: SignedIn, lived: dict[str, str]
) -> None:
    for language, words in ((Language.EN, "Download"), (Language.ZH, "下载")):
        enter(console, signing, signed_in(Role.VIEWER, language=language))
        for path in ("", *(f"/{each}" for each in PAGES)):
            answer = console.get(f"/reports{path}")
            assert answer.status_code == 200, path
            assert not path or words in answer.text
    listed = console.get("/reports/ledger?first=2026-11-01").text
    assert [number for number in lived.values() if f'href="/cases/{number}"' not in listed] == []
    for path in PAGES:
        for form in ("csv", "xlsx", "json"):
            answer = console.get(f"/reports/{path}", params={"format": form})
            assert answer.headers["content-disposition"].endswith(f'.{form}"')
            assert answer.content
    ledger = console.get("/reports/ledger", params={"first": "2026-11-01", "unit": "bridges", "format": "csv"})
    lines = [*csv.reader(io.StringIO(ledger.content.decode("utf-8-sig")))]
    assert [line[0].strip() for line in lines] == ["案件编号", lived["reported"], lived["suspended"]]
    book = load_workbook(io.BytesIO(console.get("/reports/month?month=2026-11&format=xlsx").content))
    assert book.sheetnames[:3] == ["全市", "责任单位", "各区"]


@pytest.mark.each_server
def test_a_supervisor_closes_a_month_once_and_on_record(
    console: httpx.Client, signing: Signing, signed_in: SignedIn, connection: Connection, lived: dict[str, str]
) -> None:
    assert lived
    enter(console, signing, signed_in(Role.OPERATOR))
    assert "Close this month" not in console.get("/reports/month?month=2026-11").text
    supervisor = signed_in(Role.SUPERVISOR)
    enter(console, signing, supervisor)
    assert "Close this month" in console.get("/reports/month?month=2026-11").text
    assert console.post("/reports/close", data={"month": "2026-11"}).status_code == 403, "without the token"
    form = {"month": "2026-11", "token": supervisor.token}
    assert console.post("/reports/close", data=form).headers["location"] == "/reports/month?month=2026-11"
    again = console.post("/reports/close", data=form)
    assert (again.status_code, "2026-11 was closed by" in again.text) == (409, True)
    assert console.post("/reports/close", data={**form, "month": "2026-12"}).status_code == 409
    page = console.get("/reports/month?month=2026-11").text
    assert "Close this month" not in page
    assert "Corrections since the month was closed" in page
    assert rows(connection, "SELECT action, target, username FROM console_trail") == [
        ("month.close", "2026-11", supervisor.username)
    ]


@pytest.mark.each_server
def test_a_month_is_not_closed_where_that_cannot_go_on_record(
    console: httpx.Client,
    signing: Signing,
    signed_in: SignedIn,
    connection: Connection,
    lived: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert lived
    supervisor = signed_in(Role.SUPERVISOR)
    enter(console, signing, supervisor)
    monkeypatch.setattr(console_trail, "write", Mock(side_effect=BadInput("too_large", limit="a book")))
    answer = console.post("/reports/close", data={"month": "2026-11", "token": supervisor.token})
    assert (answer.status_code, month_close.closes(connection, [date(2026, 11, 1)])) == (422, {})


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("month?month=soon", "is no month"),
        ("ledger?first=soon", "is no date"),
        ("watchlist?first=2026-12-01&last=2026-11-01", "ends before it begins"),
    ],
)
def test_what_is_asked_wrongly_is_said(
    console: httpx.Client, signing: Signing, signed_in: SignedIn, path: str, words: str
) -> None:
    enter(console, signing, signed_in(Role.VIEWER))
    answer = console.get(f"/reports/{path}")
    assert (answer.status_code, words in answer.text) == (422, True)


def test_a_crew_reads_no_reports(console: httpx.Client, signing: Signing, signed_in: SignedIn) -> None:
    enter(console, signing, signed_in(unit="drainage"))
    for path in ("", *(f"/{each}" for each in PAGES)):
        assert console.get(f"/reports{path}").status_code == 403
