from datetime import datetime, timedelta
from typing import Any

import pytest

from cases.errors import IllegalMove, UnknownFacility
from cases.lifecycle import Refusal
from rules.rule import Severity
from storage import vitals
from storage.case_list import CaseFilter, CaseRow, case_file, list_units, newest_cases, open_cases
from storage.desk import glance
from storage.report_book import open_at
from tests.integration.desk import FRIDAY, SHANGHAI, Desk
from tests.integration.making import COVER_EAST, COVER_WEST, KITCHEN, LAMP, rows

HOUR = timedelta(hours=1)


@pytest.fixture
def busy(desk: Desk) -> Desk:
    """Five cases, opened an hour apart; the first is cancelled."""
    for hours, (rule, device) in enumerate(
        [("MH-05", COVER_WEST), ("SL-01", LAMP), ("MH-01", COVER_EAST), ("FU-03", KITCHEN), ("MH-01", COVER_WEST)]
    ):
        desk.alarm((rule, device))
        desk.take_up(FRIDAY + hours * HOUR)
    desk.moves(FRIDAY + 5 * HOUR).cancel(desk.numbers()[0], "a drill")
    return desk


def numbers_of(cases: list[CaseRow]) -> list[str]:
    return [case.number for case in cases]


def test_open_cases_come_with_the_nearest_deadline_first(busy: Desk) -> None:
    _, lamp, east, kitchen, west = busy.numbers()
    assert numbers_of(open_cases(busy.connection)) == [east, west, lamp, kitchen]


def test_the_newest_cases_come_first_where_that_is_asked_closed_ones_too(busy: Desk) -> None:
    water, lamp, east, kitchen, west = busy.numbers()
    assert numbers_of(newest_cases(busy.connection)) == [west, kitchen, east, lamp, water]


def test_pages_follow_each_other_without_gap_or_double(busy: Desk) -> None:
    first = open_cases(busy.connection, limit=3)
    second = open_cases(busy.connection, limit=3, after=first[-1])
    assert numbers_of([*first, *second]) == numbers_of(open_cases(busy.connection))
    newest = newest_cases(busy.connection, limit=2)
    older = newest_cases(busy.connection, before=newest[-1])
    assert numbers_of([*newest, *older]) == numbers_of(newest_cases(busy.connection))


def test_filters_narrow_the_list(busy: Desk) -> None:
    water, lamp, east, kitchen, west = busy.numbers()

    def numbers(**filters: Any) -> list[str]:
        return numbers_of(open_cases(busy.connection, CaseFilter(**filters)))

    assert numbers(unit="west-cg") == [west]
    assert numbers(district="east") == [east, kitchen]
    assert numbers(district="east", unit="west-cg") == []
    assert numbers(problem="lamp_dark") == [lamp]
    assert numbers(severity=4) == []
    assert numbers(state="accepted") == []
    assert numbers(colour=1) == []
    assert numbers_of(newest_cases(busy.connection, CaseFilter(unit="west-cg"))) == [west, water]
    busy.moves(FRIDAY).assign(lamp, "drainage", "cable in the sewer", ["lighting"])
    assert lamp in numbers(unit="lighting"), "jointly"
    assert lamp in numbers(unit="drainage"), "as lead"


def test_a_case_in_a_list_tells_all_that_a_desk_needs(desk: Desk) -> None:
    desk.alarm(("MH-01", COVER_EAST), severity=Severity.CRITICAL)
    desk.take_up()
    (case,) = open_cases(desk.connection)
    assert (case.number, case.kind, case.device_id, case.name) == (desk.only_number(), "manhole", COVER_EAST, "Cover 1")
    assert (case.road, case.district, case.problem, case.severity) == ("Jiefang Road", "east", "cover_open", 4)
    assert (case.state, case.open, case.rework) == ("dispatched", True, 0)
    assert (case.unit, case.name_en, case.name_zh) == ("drainage", "Drainage company", "排水公司")
    assert (case.reason, case.opened_at) == ("component_class", FRIDAY)
    assert (case.arrive_by, case.fix_by) == (FRIDAY + HOUR / 2, FRIDAY + 2 * HOUR)
    assert (case.arrived_at, case.done_at, case.closed_at) == (None, None, None)


def test_a_case_file_holds_history_alarms_and_what_was_told(busy: Desk) -> None:
    number = busy.numbers()[2]
    busy.moves(FRIDAY + 6 * HOUR).accept(number, "on our way")
    file = case_file(busy.connection, number)
    assert file is not None
    assert file.case.number == number
    lines = [(line["event"], line["state"], line["actor"], line["reason"]) for line in file.history]
    assert lines == [
        ("filed", "filed", "system", "MH-01"),
        ("dispatch", "dispatched", "system", "component_class"),
        ("accept", "accepted", "crew 7", "on our way"),
    ]
    assert [(alarm["rule_id"], alarm["acknowledged"]) for alarm in file.alarms] == [("MH-01", True)]
    assert [(each["channel"], each["target"], each["event"]) for each in file.notifications] == [
        ("mqtt", "drainage", "dispatch")
    ]
    assert case_file(busy.connection, "1234567890123456789") is None


def test_an_illegal_move_changes_nothing(busy: Desk) -> None:
    number = busy.numbers()[1]
    before = case_file(busy.connection, number)
    with pytest.raises(IllegalMove, match="dispatched cannot take the event arrive; possible now: accept, return"):
        busy.moves(FRIDAY).arrive(number)
    assert case_file(busy.connection, number) == before


def test_guards_say_no_with_a_reason_and_change_nothing(desk: Desk) -> None:
    desk.alarm(("MH-01", COVER_EAST))
    desk.take_up()
    number, moves = desk.only_number(), desk.moves(FRIDAY)
    before = case_file(desk.connection, number)
    assert moves.cancel(number, "  ") is Refusal.NO_REASON
    assert moves.give_back(number, "") is Refusal.NO_REASON
    assert moves.confirm(number, "photo.jpg") is Refusal.ALARM_ACTIVE
    assert case_file(desk.connection, number) == before


def test_a_report_by_people_is_a_case_only_once_it_is_filed_and_joins_one_that_is_open(desk: Desk) -> None:
    hotline = desk.moves(FRIDAY, "hotline")
    number = hotline.report(LAMP, "lamp_dark", "a citizen called", 2)
    assert [(case.number, case.state, case.unit) for case in open_cases(desk.connection)] == [
        (number, "reported", "lighting")
    ]
    assert rows(desk.connection, "SELECT count(*) FROM notification") == [(0,)]
    desk.moves(FRIDAY + HOUR, "centre").file(number)
    assert rows(desk.connection, "SELECT state, fix_by FROM dispatch_case") == [("dispatched", FRIDAY + 25 * HOUR)]
    assert hotline.report(LAMP, "lamp_dark", "another call", 2) == number
    desk.alarm(("SL-01", LAMP))
    desk.take_up()
    history = rows(desk.connection, "SELECT event FROM case_event ORDER BY id")
    assert [event for (event,) in history] == ["reported", "file", "dispatch", "reported", "joined", "escalated"]


def test_a_report_of_a_facility_that_nobody_knows_is_refused(desk: Desk) -> None:
    with pytest.raises(UnknownFacility, match="no facility has the id 'x'"):
        desk.moves(FRIDAY).report("x", "lamp_dark", "a citizen called", 2)


def test_a_campaign_puts_cases_under_one_due_date(busy: Desk) -> None:
    due = datetime(2026, 12, 15, 18, tzinfo=SHANGHAI)
    assert busy.moves(FRIDAY).campaign("covers 2026", due.date(), busy.numbers()[2:4]) == 2
    assert rows(busy.connection, "SELECT fix_by FROM dispatch_case WHERE campaign IS NOT NULL") == [(due,), (due,)]
    assert busy.moves(FRIDAY).campaign("covers 2026", due.date(), busy.numbers()[4:]) == 1
    assert rows(busy.connection, "SELECT count(*) FROM campaign") == [(1,)]


def test_what_is_done_or_whose_clock_was_stopped_in_time_is_nowhere_overdue(desk: Desk) -> None:
    desk.alarm(("SL-01", LAMP), ("MH-01", COVER_EAST), ("MH-01", COVER_WEST))
    desk.take_up()
    stopped, late, done = desk.numbers()
    desk.work(done, FRIDAY + HOUR)
    for number, hours in ((stopped, 1), (late, 10)):
        desk.moves(FRIDAY + hours * HOUR).accept(number)
        desk.moves(FRIDAY + hours * HOUR).suspend(number, next(iter(desk.city.policy.pauses)))
    at, connection = FRIDAY + timedelta(days=20), desk.connection
    connection.execute(
        "INSERT INTO device_status (device, last_ts, last_received_at, readings) SELECT min(id), %(at)s, %(at)s, 1"
        " FROM device",
        {"at": at},
    )
    assert [case.number for case in open_at(connection, at) if case.overdue] == [late]
    assert numbers_of(open_cases(connection, CaseFilter(due_before=at))) == [late]
    assert rows(connection, "SELECT number FROM case_list WHERE overdue OR at_risk") == [(late,)]
    assert rows(connection, "SELECT unit, overdue FROM kpi_cases WHERE overdue > 0") == [("drainage", 1)]
    totals = glance(connection, at).cases
    assert (totals.open, totals.overdue, totals.at_risk) == (3, 1, 0)
    assert vitals.look(connection, at).cases_overdue == 1
    assert [(unit.unit_id, unit.overdue) for unit in list_units(connection, at) if unit.overdue] == [("drainage", 1)]


def test_units_are_listed_with_what_they_have_to_do(busy: Desk) -> None:
    units = {unit.unit_id: unit for unit in list_units(busy.connection, FRIDAY + 5 * HOUR)}
    assert (units["drainage"].open, units["drainage"].overdue) == (1, 1)
    assert (units["lighting"].open, units["lighting"].overdue) == (1, 0)
    assert units["bridges"].open == 0
