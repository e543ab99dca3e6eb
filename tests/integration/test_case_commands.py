"""The commands about cases, sheets and units as a person meets them."""

import json
from datetime import timedelta

import pytest

from storage.case_list import open_cases
from tests.integration.desk import Desk
from tests.integration.making import COVER_EAST, KITCHEN, LAMP, rows
from tests.integration.prompt import START, Command, Now

HOUR = timedelta(hours=1)


@pytest.fixture
def number(desk: Desk) -> str:
    """A case of an open cover."""
    desk.alarm(("MH-01", COVER_EAST), at=START)
    desk.take_up(START)
    return desk.only_number()


def test_a_crew_does_its_work_at_the_prompt(desk: Desk, cityward: Command, number: str) -> None:
    said = [
        cityward("cases", "accept", number, "--by", "crew 7").output,
        cityward("cases", "arrive", number).output,
        cityward("cases", "safe", number, "--note", "barrier").output,
        cityward("cases", "done", number, "--result", "new cover", "--found", "other").output,
    ]
    assert said == [
        f"{number}: accepted.\n",
        f"{number}: on site.\n",
        f"{number}: made safe.\n",
        f"{number}: being checked by telemetry.\n",
    ]
    assert rows(desk.connection, "SELECT state, found FROM dispatch_case") == [("verifying", "other")]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["return", "NUMBER"], "say why with --reason"),
        (["assign", "NUMBER", "mars", "--reason", "x"], "there is no such unit"),
        (["delay", "NUMBER", "--more", "soon", "--reason", "x"], "--more: 'soon' is no allowance"),
        (["verify", "NUMBER", "--photo", "x.jpg"], "still active"),
        (["cancel", "NUMBER"], "say why with --reason"),
        (["campaign", "covers", "NUMBER", "--due", "soon"], "--due: 'soon' is no date"),
        (["merge", "NUMBER", "NUMBER", "--reason", "x"], "cannot be merged into itself"),
        (["kpi", "--since", "soon"], "'soon' is no moment"),
        (["report", "x", "--problem", "lamp_dark", "--text", "y"], "no facility has the id 'x'"),
    ],
)
def test_what_is_refused_says_what_would_be_right_and_changes_nothing(
    desk: Desk, cityward: Command, number: str, arguments: list[str], words: str
) -> None:
    before = open_cases(desk.connection)
    refused = cityward("cases", *[number if each == "NUMBER" else each for each in arguments])
    assert words in str(refused.exception)
    assert open_cases(desk.connection) == before


def test_a_pause_that_is_not_listed_is_answered_with_those_that_are(cityward: Command, number: str) -> None:
    cityward("cases", "accept", number)
    refused = cityward("cases", "suspend", number, "--for", "holiday")
    assert "power_company (waiting for the power company)" in str(refused.exception)
    assert cityward("cases", "suspend", number, "--for", "permit").output == f"{number}: suspended.\n"
    assert cityward("cases", "resume", number).output == f"{number}: resumed.\n"


def test_more_time_is_asked_for_and_decided(desk: Desk, cityward: Command, number: str) -> None:
    cityward("cases", "accept", number)
    for decision in (["refuse", number, "--reason", "no"], ["grant", number]):
        cityward("cases", "delay", number, "--more", "6h urgent", "--reason", "rock")
        assert "6h urgent" in cityward("cases", "show", number).output
        assert cityward("cases", *decision).exit_code == 0
    assert rows(desk.connection, "SELECT delays, fix_by - opened_at FROM dispatch_case") == [(1, 8 * HOUR)]


def test_units_hand_a_case_over(desk: Desk, cityward: Command, number: str) -> None:
    assert cityward("cases", "return", number, "--reason", "a power duct").output == f"{number}: returned.\n"
    cityward("cases", "assign", number, "lighting", "--reason", "their duct", "--with", "drainage")
    assert rows(desk.connection, "SELECT unit, joint FROM dispatch_case") == [("lighting", ["drainage"])]
    assert number in cityward("cases", "list", "--unit", "drainage").output
    listed = cityward("units", "list").output
    assert next(line.split()[-3] for line in listed.splitlines() if line.startswith("lighting")) == "1"


def test_a_report_is_filed_by_the_centre(cityward: Command, desk: Desk) -> None:
    said = cityward("cases", "report", LAMP, "--problem", "lamp_dark", "--text", "a citizen called").output
    assert "reported; cityward cases file files it" in said
    assert cityward("cases", "file", desk.only_number()).output == f"{desk.only_number()}: filed and dispatched.\n"
    said = cityward("cases", "report", KITCHEN, "--problem", "purifier_off", "--text", "seen", "--file").output
    assert said.endswith(": filed.\n")


def test_cases_are_merged_split_and_put_into_campaigns(desk: Desk, cityward: Command, number: str) -> None:
    desk.alarm(("MH-05", COVER_EAST), at=START)
    desk.take_up(START)
    other = desk.numbers()[1]
    merged = cityward("cases", "merge", number, other, "--reason", "one flood").output
    assert merged.startswith(f"{number}: 1 of 1 case taken in")
    assert other in cityward("cases", "show", number).output
    assert cityward("cases", "split", other, "--reason", "two").output == f"{other}: on its own.\n"
    said = cityward("cases", "campaign", "covers 2026", number, other, "--due", "2026-12-15").output
    assert said == "covers 2026: 2 cases, due 2026-12-15.\n"


def test_sheets_are_listed_answered_and_shown_with_their_case(
    desk: Desk, cityward: Command, number: str, now: Now
) -> None:
    now.set(START + 7 * HOUR)
    desk.look(START + 7 * HOUR)
    listed = cityward("sheets", "list").output
    assert "R2026-00001" in listed
    assert "unit:drainage district:east leadership" in listed
    assert cityward("sheets", "answer", "R2026-00001", "crew on its way").output == "R2026-00001: answered.\n"
    assert "0 sheets" in cityward("sheets", "list").output
    assert "crew on its way" in cityward("cases", "show", number).output
    again = cityward("sheets", "answer", "R2026-00001", "once more")
    assert "there is no unanswered sheet R2026-00001" in str(again.exception)


def test_indicators_are_for_people_and_for_programs(desk: Desk, cityward: Command, number: str, now: Now) -> None:
    desk.work(number, START + HOUR)
    now.set(START + 3 * HOUR)
    table = cityward("cases", "kpi").output
    assert "Drainage company" in table
    assert "100.0%" in table
    line = json.loads(cityward("cases", "kpi", "--by", "rule", "--json").output)
    assert (line["rule"], line["should_handle"], line["on_time"], line["precision"]) == ("MH-01", 1, 1.0, 1.0)


def test_lists_speak_chinese(cityward: Command, number: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYWARD_LANGUAGE", "zh")
    assert "井盖开启" in cityward("cases", "list").output
    assert "按部件类别权属" in cityward("cases", "show", number).output


def test_what_failed_is_listed_and_sent_once_more(desk: Desk, cityward: Command, number: str) -> None:
    desk.connection.execute("DELETE FROM procrastinate_jobs")
    desk.connection.execute("UPDATE notification SET state = 'failed', last_error = 'HTTP 410 Gone'")
    listed = cityward("notifications", "list", "--state", "failed").output
    assert number in listed
    assert "HTTP 410 Gone" in listed
    assert "name the notifications" in str(cityward("notifications", "retry").exception)
    assert cityward("notifications", "retry", "--all").output == "1 notification to be sent again.\n"
    assert rows(desk.connection, "SELECT state FROM notification") == [("pending",)]
    assert rows(desk.connection, "SELECT queue_name FROM procrastinate_jobs") == [("notify.mqtt",)]
    assert cityward("notifications", "retry", "--all").output == "0 notifications to be sent again.\n"
