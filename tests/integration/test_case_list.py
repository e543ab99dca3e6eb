from datetime import timedelta

import pytest

from cases.errors import IllegalMove
from cases.lifecycle import Refusal
from rules.rule import Severity
from rules.verdicts import Change
from storage.case_list import case_file, list_cases
from tests.integration.desk import FRIDAY, Desk
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


def test_open_cases_stand_before_closed_ones_and_the_nearest_deadline_first(busy: Desk) -> None:
    water, lamp, east, kitchen, west = busy.numbers()
    assert [case.number for case in list_cases(busy.connection)] == [east, west, lamp, kitchen, water]


def test_the_newest_cases_first_where_that_is_asked(busy: Desk) -> None:
    water, lamp, east, kitchen, west = busy.numbers()
    found = [case.number for case in list_cases(busy.connection, newest=True)]
    assert found == [west, kitchen, east, lamp, water]
    assert [case.number for case in list_cases(busy.connection, newest=True, limit=2)] == [west, kitchen]


def test_filters_narrow_the_list(busy: Desk) -> None:
    water, lamp, east, kitchen, west = busy.numbers()

    def numbers(**filters: object) -> list[str]:
        return [case.number for case in list_cases(busy.connection, **filters)]  # type: ignore[arg-type]

    assert numbers(is_open=False) == [water]
    assert numbers(is_open=True) == [east, west, lamp, kitchen]
    assert numbers(unit="west-cg") == [west, water]
    assert numbers(unit="west-cg", is_open=True) == [west]
    assert numbers(district="east") == [east, kitchen]
    assert numbers(district="east", unit="west-cg") == []
    assert numbers(number=lamp) == [lamp]
    assert numbers(limit=3) == [east, west, lamp]


def test_a_case_in_a_list_tells_all_that_a_desk_needs(desk: Desk) -> None:
    desk.alarm(("MH-01", COVER_EAST), severity=Severity.CRITICAL)
    desk.take_up()
    (case,) = list_cases(desk.connection)
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
    with pytest.raises(IllegalMove, match="dispatched cannot take the event arrive; possible now: accept, cancel"):
        busy.moves(FRIDAY).arrive(number)
    assert case_file(busy.connection, number) == before


def test_guards_say_no_with_a_reason_and_change_nothing(desk: Desk) -> None:
    desk.alarm(("MH-01", COVER_EAST))
    desk.take_up()
    number, moves = desk.only_number(), desk.moves(FRIDAY)
    assert moves.close(number) is Refusal.NOT_VERIFYING
    assert moves.cancel(number, "  ") is Refusal.NO_REASON
    moves.accept(number)
    moves.arrive(number)
    assert not moves.done(number, "closed it")
    assert moves.close(number) is Refusal.ALARM_ACTIVE
    history = rows(desk.connection, "SELECT event FROM case_event ORDER BY id")
    assert [event for (event,) in history] == ["filed", "dispatch", "accept", "arrive", "finish", "verify"]
    desk.alarm(("MH-01", COVER_EAST), change=Change.CLEARED)
    assert moves.close(number) is None
    assert rows(desk.connection, "SELECT state FROM dispatch_case") == [("closed",)]


def test_work_that_telemetry_shows_already_is_closed_at_once(desk: Desk) -> None:
    desk.alarm(("MH-01", COVER_EAST))
    desk.take_up()
    number, moves = desk.only_number(), desk.moves(FRIDAY + HOUR)
    moves.accept(number)
    moves.arrive(number)
    desk.alarm(("MH-01", COVER_EAST), change=Change.CLEARED)
    desk.take_up()
    assert moves.done(number, "it was closed when we came")
    found = rows(desk.connection, "SELECT state, open, done_at, closed_at FROM dispatch_case")
    assert found == [("closed", False, FRIDAY + HOUR, FRIDAY + HOUR)]
