import threading
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from psycopg import Connection, errors

from devices.kind import Kind
from devices.registry import Registry
from rules.rule import Severity
from rules.verdicts import Change
from storage.case_book import TRY_AGAIN_AFTER, CaseBook, UnknownCaseError
from storage.connection import connect
from storage.overview import overview, waiting_work
from storage.registry_store import import_city, load_city
from tests.fix_city import CITY
from tests.integration.desk import FRIDAY, SHANGHAI, Desk
from tests.integration.making import (
    COVER_EAST,
    COVER_WEST,
    KITCHEN,
    LAMP,
    STRAIN,
    rows,
)

NOISE = "4201020308000004"
MINUTE = timedelta(minutes=1)
CASES = "SELECT problem, severity, state, open, unit, reason FROM dispatch_case ORDER BY id"
HISTORY = "SELECT event, state, actor, reason FROM case_event ORDER BY id"


def told(connection: Connection) -> list[tuple[Any, ...]]:
    return rows(
        connection,
        "SELECT case_event.event, channel, target FROM notification"
        " JOIN case_event ON case_event.id = case_event_id ORDER BY notification.id",
    )


def test_an_alarm_becomes_a_case_with_unit_deadlines_history_and_message(desk: Desk) -> None:
    desk.alarm(("MH-01", COVER_EAST), severity=Severity.CRITICAL)
    assert desk.take_up() == 1
    assert rows(desk.connection, CASES) == [("cover_open", 4, "dispatched", True, "drainage", "component_class")]
    assert rows(desk.connection, HISTORY) == [
        ("filed", "filed", "system", "MH-01"),
        ("dispatch", "dispatched", "system", "component_class"),
    ]
    linked = "SELECT rule_id FROM case_alarm JOIN alarm ON alarm.id = alarm_id"
    assert rows(desk.connection, linked) == [("MH-01",)]
    assert told(desk.connection) == [("dispatch", "mqtt", "drainage")]
    assert desk.take_up() == 0


@pytest.mark.parametrize(
    ("rule", "device", "unit", "reason"),
    [
        ("BR-01", STRAIN, "bridges", "maintainer"),
        ("FU-08", KITCHEN, "sensor-care", "maintainer"),
        ("FU-03", KITCHEN, "east-cg", "owner"),
        ("MH-01", COVER_EAST, "drainage", "component_class"),
        ("SL-01", LAMP, "lighting", "component_class"),
        ("MH-01", COVER_WEST, "west-cg", "district_fallback"),
        ("NO-03", NOISE, "east-cg", "district_fallback"),
    ],
)
def test_somebody_is_always_responsible(desk: Desk, rule: str, device: str, unit: str, reason: str) -> None:
    desk.alarm((rule, device))
    desk.take_up()
    assert rows(desk.connection, "SELECT unit, reason FROM dispatch_case") == [(unit, reason)]


def local(day: int, hour: int, minute: int) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("rule", "device", "arrive_by", "fix_by"),
    [
        ("MH-01", COVER_EAST, local(20, 18, 0), local(20, 19, 30)),
        ("FU-03", KITCHEN, None, local(23, 9, 30)),
        ("FU-08", KITCHEN, None, local(24, 17, 30)),
        ("SL-01", LAMP, None, local(21, 17, 30)),
        ("SL-04", LAMP, local(20, 18, 30), local(21, 17, 30)),
    ],
    ids=["urgent hours", "office hours over a weekend", "working days", "natural days", "both"],
)
def test_deadlines_count_from_taking_up_on_the_clock_of_the_rule(
    desk: Desk, rule: str, device: str, arrive_by: datetime | None, fix_by: datetime
) -> None:
    desk.alarm((rule, device), at=FRIDAY - timedelta(days=3))
    desk.take_up()
    assert rows(desk.connection, "SELECT opened_at, arrive_by, fix_by FROM dispatch_case") == [
        (FRIDAY, arrive_by, fix_by)
    ]


def test_a_citys_own_deadlines_go_before_those_of_the_rule(
    connection: Connection, registry: Registry, kinds: dict[str, Kind]
) -> None:
    document = tomllib.loads(CITY.read_text(encoding="utf-8"))
    document["deadlines"] = {"MH-01": {"fix": "1h urgent"}}
    import_city(connection, document, "city.toml", FRIDAY)
    desk = Desk(connection, registry, kinds)
    desk.alarm(("MH-01", COVER_EAST))
    desk.take_up()
    found = rows(connection, "SELECT arrive_by, fix_by FROM dispatch_case")
    assert found == [(FRIDAY + 30 * MINUTE, FRIDAY + 60 * MINUTE)]


def test_one_facility_and_problem_is_one_case_whichever_rules_say_so(desk: Desk) -> None:
    desk.alarm(("MH-01", COVER_EAST))
    desk.take_up()
    desk.alarm(("MH-02", COVER_EAST), severity=Severity.CRITICAL)
    desk.take_up(FRIDAY + MINUTE)
    assert rows(desk.connection, CASES) == [("cover_open", 4, "dispatched", True, "drainage", "component_class")]
    assert rows(desk.connection, HISTORY)[2:] == [
        ("joined", "dispatched", "system", "MH-02"),
        ("escalated", "dispatched", "system", "3 > 4"),
    ]
    assert rows(desk.connection, "SELECT count(*) FROM case_alarm") == [(2,)]
    assert told(desk.connection) == [("dispatch", "mqtt", "drainage"), ("escalated", "mqtt", "drainage")]


def test_another_problem_or_another_facility_is_another_case(desk: Desk) -> None:
    desk.alarm(("MH-01", COVER_EAST), ("MH-05", COVER_EAST), ("MH-01", COVER_WEST))
    assert desk.take_up() == 3
    found = rows(desk.connection, "SELECT problem, unit FROM dispatch_case ORDER BY id")
    assert found == [("cover_open", "drainage"), ("water_high", "drainage"), ("cover_open", "west-cg")]


def test_an_alarm_that_grows_worse_raises_the_case_and_tells_the_unit_once(desk: Desk) -> None:
    desk.alarm(("BR-01", STRAIN), severity=Severity.MINOR)
    desk.take_up()
    desk.alarm(("BR-01", STRAIN), change=Change.ESCALATED, severity=Severity.CRITICAL)
    desk.take_up()
    assert rows(desk.connection, "SELECT severity FROM dispatch_case") == [(4,)]
    assert told(desk.connection) == [("dispatch", "mqtt", "bridges"), ("escalated", "mqtt", "bridges")]


def test_an_alarm_that_clears_before_anybody_came_leaves_the_case_open_and_watched(desk: Desk) -> None:
    desk.alarm(("MH-01", COVER_EAST))
    desk.alarm(("MH-01", COVER_EAST), change=Change.CLEARED)
    assert desk.take_up() == 2
    assert rows(desk.connection, "SELECT state, open FROM dispatch_case") == [("observing", True)]
    assert rows(desk.connection, HISTORY)[-2:] == [
        ("alarm_cleared", "dispatched", "system", "MH-01"),
        ("recover", "observing", "system", "alarms_over"),
    ]
    assert told(desk.connection) == [("dispatch", "mqtt", "drainage"), ("recover", "mqtt", "drainage")]


@pytest.mark.each_server
def test_work_is_closed_by_a_good_reading_after_the_last_alarm_and_only_then(desk: Desk) -> None:
    desk.alarm(("MH-01", COVER_EAST), ("MH-02", COVER_EAST))
    desk.take_up()
    desk.work(desk.only_number(), FRIDAY + MINUTE)
    assert rows(desk.connection, "SELECT DISTINCT acknowledged FROM alarm") == [(True,)]
    desk.hear(COVER_EAST, FRIDAY + 2 * MINUTE)
    for rule in ("MH-01", "MH-02"):
        assert desk.ask(FRIDAY + 2 * MINUTE) == 0
        desk.alarm((rule, COVER_EAST), change=Change.CLEARED)
        desk.take_up(FRIDAY + 2 * MINUTE)
    assert rows(desk.connection, "SELECT state, closed_at FROM dispatch_case") == [("verifying", None)]
    assert desk.ask(FRIDAY + 3 * MINUTE) == 1
    closed = rows(
        desk.connection, "SELECT state, outcome, arrived_at, done_at, closed_at, rework, found FROM dispatch_case"
    )
    arrived = FRIDAY + MINUTE
    assert closed == [("closed", "evidence", arrived, arrived, FRIDAY + 3 * MINUTE, 0, "found")]


def test_an_alarm_after_the_work_was_reported_sends_the_case_back_as_rework(desk: Desk) -> None:
    desk.alarm(("MH-01", COVER_EAST))
    desk.take_up()
    desk.work(desk.only_number(), FRIDAY + MINUTE)
    desk.alarm(("MH-02", COVER_EAST), at=FRIDAY - MINUTE)
    desk.take_up()
    assert rows(desk.connection, "SELECT state, rework FROM dispatch_case") == [("verifying", 0)], "a late reading"
    desk.alarm(("MH-01", COVER_EAST), change=Change.CLEARED)
    desk.alarm(("MH-01", COVER_EAST), at=FRIDAY + 2 * MINUTE)
    desk.take_up()
    assert rows(desk.connection, "SELECT state, rework, open FROM dispatch_case") == [("accepted", 1, True)]
    assert told(desk.connection)[-1] == ("fail_check", "mqtt", "drainage")


def test_after_a_case_is_over_the_same_problem_opens_another(desk: Desk) -> None:
    desk.alarm(("MH-01", COVER_EAST))
    desk.take_up()
    desk.moves(FRIDAY).cancel(desk.only_number(), "a sensor on the workbench")
    desk.alarm(("MH-02", COVER_EAST))
    desk.take_up()
    assert rows(desk.connection, "SELECT state, open FROM dispatch_case ORDER BY id") == [
        ("cancelled", False),
        ("dispatched", True),
    ]


def test_a_rule_that_has_left_the_packs_still_gets_its_case(desk: Desk) -> None:
    desk.alarm(("OLD-1", COVER_EAST))
    desk.take_up()
    found = rows(desk.connection, "SELECT problem, unit, fix_by FROM dispatch_case")
    assert found == [("OLD-1", "drainage", FRIDAY + timedelta(hours=24))]


@pytest.mark.parametrize(("column", "constraint"), [("unit", "unit"), ("fix_by", "fix_by")])
def test_the_database_refuses_a_case_without_unit_or_deadline(desk: Desk, column: str, constraint: str) -> None:
    desk.alarm(("MH-01", COVER_EAST))
    desk.take_up()
    with pytest.raises(errors.NotNullViolation, match=constraint):
        desk.connection.execute(f"UPDATE dispatch_case SET {column} = NULL".encode())  # noqa: S608
    columns = ["device", "district", "problem", "severity", "state", "open", "unit", "reason", "opened_at",
               "started_at", "fix_allowed", "fix_by", "white_at", "red_at"]  # fmt: skip
    rest = ", ".join(each for each in columns if each != column)
    with pytest.raises(errors.NotNullViolation, match=constraint):
        desk.connection.execute(
            f"INSERT INTO dispatch_case (number, {rest})"  # noqa: S608
            f" SELECT '4201022026112099999', {rest} FROM dispatch_case".encode()
        )


def test_the_database_refuses_a_second_open_case_a_false_close_and_an_unknown_unit(desk: Desk) -> None:
    desk.alarm(("MH-01", COVER_EAST))
    desk.take_up()
    again = """
        INSERT INTO dispatch_case (number, device, district, problem, severity, state, open, unit, reason, opened_at,
                                   started_at, fix_allowed, fix_by, white_at, red_at)
        SELECT '4201022026112099999', device, district, problem, severity, state, open, unit, reason, opened_at,
               started_at, fix_allowed, fix_by, white_at, red_at
        FROM dispatch_case
    """
    with pytest.raises(errors.UniqueViolation, match="dispatch_case_open"):
        desk.connection.execute(again)
    with pytest.raises(errors.CheckViolation, match="closed_when_not_open"):
        desk.connection.execute("UPDATE dispatch_case SET open = false")
    with pytest.raises(errors.ForeignKeyViolation):
        desk.connection.execute("UPDATE dispatch_case SET unit = 'nobody'")


def test_a_number_tells_area_local_day_and_sequence(desk: Desk) -> None:
    late = datetime(2026, 11, 21, 0, 5, tzinfo=SHANGHAI)  # still the 20th in UTC
    desk.alarm(("MH-01", COVER_EAST), ("MH-05", COVER_EAST))
    desk.take_up()
    desk.alarm(("MH-01", COVER_WEST), ("BR-01", STRAIN))
    desk.take_up(late)
    numbers = [number for (number,) in rows(desk.connection, "SELECT number FROM dispatch_case ORDER BY id")]
    assert numbers == ["4201022026112000001", "4201022026112000002", "4201022026112100001", "4201022026112100002"]
    assert {len(number) for number in numbers} == {19}


def test_sequences_count_without_gap_or_double_whoever_asks_at_once(dsn: str, desk: Desk) -> None:
    start = threading.Barrier(3)

    def draw(area: str) -> Sequence[int]:
        with connect(dsn) as connection:
            book = CaseBook(connection, desk.jobs, desk.practice)
            start.wait(30)
            return [book.next_sequence(area, FRIDAY) for _ in range(50)]

    with ThreadPoolExecutor(3) as pool:
        first, second, elsewhere = pool.map(draw, ["420102", "420102", "420103"])
    assert sorted([*first, *second]) == list(range(1, 101))
    assert list(elsewhere) == list(range(1, 51))


@pytest.fixture
def without_the_west(desk: Desk) -> Desk:
    """A desk that knows nobody in the west."""
    desk.city = replace(desk.city, districts={"east": desk.city.districts["east"]})
    return desk


def test_news_for_which_nobody_is_responsible_holds_up_no_other_news(without_the_west: Desk) -> None:
    desk = without_the_west
    desk.alarm(("MH-01", COVER_WEST), ("MH-01", COVER_EAST))
    assert [desk.take_up(), desk.take_up()] == [2, 0]
    assert rows(desk.connection, "SELECT district FROM dispatch_case") == [("east",)]
    assert rows(desk.connection, "SELECT count(*) FROM alarm_event WHERE handled_at IS NULL") == [(1,)]
    [stuck] = overview(desk.connection).stuck
    assert (stuck.alarms, stuck.since) == (1, FRIDAY)
    assert stuck.because.startswith("nobody is responsible in the district 'west'")


def test_stuck_news_is_tried_again_until_somebody_is_responsible(without_the_west: Desk, desk: Desk) -> None:
    assert "west" not in without_the_west.city.districts
    desk.alarm(("MH-01", COVER_WEST))
    assert [desk.take_up(FRIDAY), desk.take_up(FRIDAY + TRY_AGAIN_AFTER / 2)] == [1, 0]
    assert desk.take_up(FRIDAY + TRY_AGAIN_AFTER) == 1
    assert overview(desk.connection).stuck[0].since == FRIDAY, "since it first could not be"
    desk.city = load_city(desk.connection)
    assert desk.take_up(FRIDAY + 2 * TRY_AGAIN_AFTER) == 1
    assert rows(desk.connection, "SELECT unit FROM dispatch_case") == [("west-cg",)]
    assert overview(desk.connection).stuck == []


def test_an_alarm_that_clears_while_it_is_stuck_gets_its_case_and_loses_it_again(without_the_west: Desk) -> None:
    desk = without_the_west
    desk.alarm(("MH-01", COVER_WEST))
    desk.take_up()
    desk.alarm(("MH-01", COVER_WEST), change=Change.CLEARED, at=FRIDAY + MINUTE)
    assert desk.take_up(FRIDAY + MINUTE) == 1, "the raising alone; what came after it waits"
    desk.city = load_city(desk.connection)
    assert [desk.take_up(FRIDAY + 2 * MINUTE) for _ in range(3)] == [1, 1, 0]
    assert ("alarm_cleared",) in rows(desk.connection, "SELECT event FROM case_event ORDER BY id")


def test_news_are_taken_up_together_or_not_at_all(desk: Desk) -> None:
    desk.alarm(("MH-01", COVER_EAST), ("MH-01", COVER_WEST))
    desk.connection.execute("ALTER TABLE dispatch_case ADD CHECK (district <> 'west')")
    with pytest.raises(errors.CheckViolation):
        desk.take_up()
    assert rows(desk.connection, CASES) == []
    assert rows(desk.connection, "SELECT * FROM case_counter") == []
    assert rows(desk.connection, "SELECT 1 FROM procrastinate_jobs") == []
    assert waiting_work(desk.connection) == 2


def test_after_a_crash_in_the_middle_the_same_news_become_the_same_cases(
    dsn: str, connection: Connection, registry: Registry, kinds: dict[str, Kind], monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect(dsn) as own:
        desk = Desk(own, registry, kinds)
        desk.alarm(("MH-01", COVER_EAST), ("MH-01", COVER_WEST))
        links = iter([False, True])
        link = CaseBook.link

        def die(book: CaseBook, *which: Any) -> None:
            link(book, *which)
            if next(links):
                connection.execute("SELECT pg_terminate_backend(%s, 5000)", [own.info.backend_pid])

        with monkeypatch.context() as dying:
            dying.setattr(CaseBook, "link", die)
            with pytest.raises(errors.AdminShutdown):
                desk.take_up()
    assert rows(connection, CASES) == []
    assert Desk(connection, registry, kinds).take_up() == 2
    numbers = rows(connection, "SELECT number FROM dispatch_case ORDER BY id")
    assert numbers == [("4201022026112000001",), ("4201022026112000002",)]
    assert len(told(connection)) == 2
    assert rows(connection, "SELECT count(*) FROM alarm_event WHERE handled_at = %s", FRIDAY) == [(2,)]


def test_news_beyond_one_transaction_are_taken_up_in_the_next(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.case_book._BATCH", 2)
    desk.alarm(("MH-01", COVER_EAST), ("MH-05", COVER_EAST), ("MH-01", COVER_WEST))
    assert [desk.take_up(), desk.take_up(), desk.take_up()] == [2, 1, 0]
    found = rows(desk.connection, "SELECT rule_id FROM case_alarm JOIN alarm ON alarm.id = alarm_id ORDER BY case_id")
    assert found == [("MH-01",), ("MH-05",), ("MH-01",)]


def test_a_case_that_does_not_exist_is_named(desk: Desk) -> None:
    with pytest.raises(UnknownCaseError, match="there is no case 1234567890123456789"):
        desk.moves(FRIDAY).accept("1234567890123456789")
