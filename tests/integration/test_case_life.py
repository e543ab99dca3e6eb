"""Cases on the database by a clock that the test holds: what comes in when, and what must have come out by when."""

import tomllib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from psycopg import Connection, errors

from cases.case import Finding
from cases.indicators import Counts
from cases.standing import By
from devices.kind import Kind
from devices.quality import Quality
from devices.registry import Registry
from rules.rule import Severity
from rules.verdicts import Change
from storage.case_list import case_file, list_sheets
from storage.registry_store import import_city
from storage.report_book import count_cases
from tests.fix_city import CITY
from tests.integration.desk import FRIDAY, SHANGHAI, Desk
from tests.integration.making import COVER_EAST, COVER_WEST, KITCHEN, LAMP, rows

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
STATES = "SELECT state FROM dispatch_case ORDER BY id"
CLEARING = '{"active": true, "raising": [], "clearing": {"since": 1, "last": 1, "samples": 1}}'
POLICY = """
pauses = { permit = { name = { en = "permit", zh = "许可" } } }
dispatch = { arbiter = "bridges", ownerless_classes = ["0114"], settle_s = 60, observe = "2h natural" }
joint = { purifier_off = ["east-cg", "sensor-care"] }
"""


@pytest.fixture
def desk(connection: Connection, registry: Registry, kinds: dict[str, Kind]) -> Desk:
    """A city that has an arbiter, joint cases and ownerless covers."""
    document = tomllib.loads(POLICY + CITY.read_text(encoding="utf-8"))
    import_city(connection, document, "city.toml", FRIDAY)
    return Desk(connection, registry, kinds)


def states(desk: Desk) -> list[str]:
    return [state for (state,) in rows(desk.connection, STATES)]


def events(desk: Desk, number: str) -> list[str]:
    file = case_file(desk.connection, number)
    assert file is not None
    return [line["event"] for line in file.history]


def raised(desk: Desk, rule: str, device: str, at: datetime, **details: Any) -> None:
    desk.alarm((rule, device), at=at, **details)
    desk.take_up(at)


def cleared(desk: Desk, rule: str, device: str, at: datetime) -> None:
    raised(desk, rule, device, at, change=Change.CLEARED)


@pytest.mark.each_server
def test_from_a_tilted_cover_to_closed_by_evidence(desk: Desk) -> None:
    raised(desk, "MH-01", COVER_EAST, FRIDAY, severity=Severity.CRITICAL)
    number = desk.only_number()
    desk.work(number, FRIDAY + 20 * MINUTE)
    cleared(desk, "MH-01", COVER_EAST, FRIDAY + 30 * MINUTE)
    assert desk.ask(FRIDAY + 30 * MINUTE) == 0, "nothing heard since the work"
    desk.hear(COVER_EAST, FRIDAY + 19 * MINUTE)
    desk.hear(COVER_EAST, FRIDAY + 31 * MINUTE, quality=int(Quality.IMPLAUSIBLE))
    assert desk.ask(FRIDAY + 32 * MINUTE) == 0, "heard before the work, and not to be believed"
    desk.hear(COVER_EAST, FRIDAY + 33 * MINUTE)
    assert desk.ask(FRIDAY + 33 * MINUTE) == 1
    assert events(desk, number)[-3:] == ["verify", "alarm_cleared", "close"]


def test_rework(desk: Desk) -> None:
    raised(desk, "MH-01", COVER_EAST, FRIDAY)
    number = desk.only_number()
    desk.work(number, FRIDAY + 20 * MINUTE)
    cleared(desk, "MH-01", COVER_EAST, FRIDAY + 25 * MINUTE)
    raised(desk, "MH-01", COVER_EAST, FRIDAY + 30 * MINUTE)
    assert rows(desk.connection, "SELECT state, rework, fix_by FROM dispatch_case") == [
        ("accepted", 1, FRIDAY + 2 * HOUR)
    ]
    desk.look(FRIDAY + 30 * MINUTE)
    (sheet,) = list_sheets(desk.connection)
    assert (sheet.number, sheet.because, sheet.recipients) == (
        "Y2026-00001",
        "check_failed",
        ["unit:drainage", "district:east"],
    )


@pytest.mark.each_server
def test_a_delay_that_runs_towards_an_alarm_is_waited_for(desk: Desk) -> None:
    raised(desk, "MH-01", COVER_EAST, FRIDAY)
    desk.work(desk.only_number(), FRIDAY)
    cleared(desk, "MH-01", COVER_EAST, FRIDAY + MINUTE)
    desk.hear(COVER_EAST, FRIDAY + MINUTE)
    state = '{"raising": [null, {"since": 1, "last": 1, "samples": 1}]}'
    desk.connection.execute("INSERT INTO rule_state VALUES ('MH-01', %s, %s)", [desk.number(COVER_EAST), state])
    assert desk.ask(FRIDAY + MINUTE) == 0
    desk.connection.execute("DELETE FROM rule_state")
    assert desk.ask(FRIDAY + MINUTE) == 1


@pytest.mark.each_server
def test_news_that_nobody_has_taken_up_yet_is_waited_for(desk: Desk) -> None:
    raised(desk, "MH-01", COVER_EAST, FRIDAY)
    desk.work(desk.only_number(), FRIDAY)
    cleared(desk, "MH-01", COVER_EAST, FRIDAY + MINUTE)
    desk.hear(COVER_EAST, FRIDAY + 2 * MINUTE)
    desk.alarm(("MH-01", COVER_EAST), at=FRIDAY + 2 * MINUTE)
    assert desk.ask(FRIDAY + 2 * MINUTE) == 0
    desk.take_up(FRIDAY + 3 * MINUTE)
    assert states(desk) == ["accepted"]


def test_silence_is_unverifiable_until_a_supervisor_has_seen_a_photo(desk: Desk) -> None:
    raised(desk, "SL-01", LAMP, FRIDAY)
    number = desk.only_number()
    desk.work(number, FRIDAY)
    assert desk.ask(FRIDAY + 26 * HOUR - MINUTE) == 0
    assert desk.ask(FRIDAY + 26 * HOUR) == 1
    assert states(desk) == ["unverifiable"]
    supervisor = desk.moves(FRIDAY + 27 * HOUR, "li")
    assert supervisor.confirm(number, "") is not None
    assert supervisor.confirm(number, "photos/lamp.jpg") is None
    assert rows(desk.connection, "SELECT state, outcome, photo FROM dispatch_case") == [
        ("closed", "supervisor", "photos/lamp.jpg")
    ]
    with pytest.raises(errors.CheckViolation, match="checked_by_photo"):
        desk.connection.execute("UPDATE dispatch_case SET photo = ''")


@pytest.mark.each_server
def test_an_alarm_that_outlives_a_photo_brings_its_case_back(desk: Desk) -> None:
    raised(desk, "SL-01", LAMP, FRIDAY)
    number = desk.only_number()
    desk.work(number, FRIDAY)
    desk.ask(FRIDAY + 26 * HOUR)
    desk.moves(FRIDAY + 27 * HOUR, "li").confirm(number, "photos/lamp.jpg")
    assert desk.ask(FRIDAY + 50 * HOUR) == 0
    desk.connection.execute("INSERT INTO rule_state VALUES ('SL-01', %s, %s)", [desk.number(LAMP), CLEARING])
    for minutes in range(3):
        desk.hear(LAMP, FRIDAY + 50 * HOUR + minutes * MINUTE)
    assert desk.ask(FRIDAY + 50 * HOUR + 3 * MINUTE) == 0, "a delay runs towards the end of the alarm"
    desk.connection.execute("DELETE FROM rule_state")
    reported = desk.moves(FRIDAY + 50 * HOUR).report(LAMP, "lamp_dark", "still dark", 2)
    assert desk.ask(FRIDAY + 50 * HOUR + 3 * MINUTE) == 0, "somebody has reported it"
    desk.moves(FRIDAY + 50 * HOUR).cancel(reported, "reported twice")
    assert desk.ask(FRIDAY + 50 * HOUR + 3 * MINUTE) == 1
    assert (states(desk), events(desk, number)[-1]) == (["dispatched", "cancelled"], "reopen")
    assert desk.ask(FRIDAY + 90 * HOUR) == 0


@pytest.mark.each_server
def test_what_recovers_by_itself_is_observed_and_not_called_repaired(desk: Desk) -> None:
    raised(desk, "MH-01", COVER_EAST, FRIDAY)
    cleared(desk, "MH-01", COVER_EAST, FRIDAY + 10 * MINUTE)
    desk.hear(COVER_EAST, FRIDAY + HOUR)
    assert desk.ask(FRIDAY + HOUR) == 0
    assert desk.ask(FRIDAY + 2 * HOUR + 10 * MINUTE) == 1
    assert rows(desk.connection, "SELECT state, outcome, done_at FROM dispatch_case") == [
        ("closed", "self_recovered", None)
    ]
    raised(desk, "MH-02", COVER_EAST, FRIDAY + 3 * HOUR)
    assert states(desk) == ["closed", "dispatched"], "another time, not rework"


def test_what_is_returned_twice_goes_to_the_arbiter_and_its_clock_runs_on(desk: Desk) -> None:
    raised(desk, "MH-01", COVER_EAST, FRIDAY)
    number = desk.only_number()
    for unit in ("drainage", "lighting"):
        assert desk.moves(FRIDAY + MINUTE).give_back(number, f"not of {unit}") is None
        if unit == "drainage":
            assert desk.moves(FRIDAY + 2 * MINUTE).assign(number, "lighting", "their duct") is None
    assert rows(desk.connection, "SELECT unit, state, bounces, fix_by FROM dispatch_case") == [
        ("bridges", "returned", 2, FRIDAY + 2 * HOUR)
    ]
    desk.moves(FRIDAY + 3 * MINUTE, "arbiter").assign(number, "drainage", "it is a sewer")
    assert desk.moves(FRIDAY + 4 * MINUTE).give_back(number, "no") == "arbitrated"


@dataclass
class Street:
    """A circuit of lamps with its group's alarm, on a desk whose rules know what covers what."""

    desk: Desk
    lamps: list[str]
    circuit: str = "circuit:C9:streetlight"

    def dark(self, at: datetime, *lamps: str) -> None:
        self.desk.alarm(*[("SL-01", lamp) for lamp in lamps or self.lamps], at=at)


@pytest.fixture
def street(desk: Desk) -> Street:
    lamps = [f"42010201180001{number:02}" for number in range(6)]
    columns = (
        "kind, name, district, grid, lon, lat, road, road_class, component_class, cabinet, gateway, supervisor, owner"
    )
    columns += ", maintainer, limits, attributes, registered_at"
    for lamp in lamps:
        desk.connection.execute(
            f"INSERT INTO device (device_id, circuit, {columns}) SELECT %s, 'C9', {columns} FROM device"  # noqa: S608
            " WHERE device_id = %s".encode(),
            [lamp, LAMP],
        )
    desk.connection.execute(
        f"INSERT INTO device (device_id, circuit, {columns}) SELECT 'circuit:C9:streetlight', '', 'group', "  # noqa: S608
        f"{columns.removeprefix('kind, ')} FROM device WHERE device_id = %s".encode(),
        [LAMP],
    )
    desk.cover({"SL-02": frozenset({"SL-01"})})
    return Street(desk, lamps)


def test_a_blackout_is_one_case_with_members_and_those_that_stay_dark_split_off(street: Street) -> None:
    desk = street.desk
    street.dark(FRIDAY)
    assert desk.take_up(FRIDAY + 30 * timedelta(seconds=1)) == 0, "members settle first"
    desk.take_up(FRIDAY + 2 * MINUTE)
    desk.alarm(("SL-02", street.circuit), at=FRIDAY + 3 * MINUTE, severity=Severity.CRITICAL)
    desk.take_up(FRIDAY + 3 * MINUTE)
    assert states(desk) == ["merged"] * 6 + ["dispatched"]
    street.dark(FRIDAY + 4 * MINUTE, LAMP)
    desk.take_up(FRIDAY + 6 * MINUTE)
    assert states(desk)[-1] == "dispatched", "a lamp of another circuit is a case of its own"
    parent = desk.numbers()[6]
    file = case_file(desk.connection, parent)
    assert file is not None
    assert len(file.carried) == 6

    desk.work(parent, FRIDAY + HOUR)
    for lamp in street.lamps[:3]:
        cleared(desk, "SL-01", lamp, FRIDAY + HOUR)
    cleared(desk, "SL-02", street.circuit, FRIDAY + HOUR)
    desk.take_up(FRIDAY + HOUR + 2 * MINUTE)
    assert desk.ask(FRIDAY + HOUR + 3 * MINUTE) == 1
    assert states(desk)[:7] == ["closed"] * 3 + ["dispatched"] * 3 + ["closed"]
    split = rows(
        desk.connection, "SELECT fix_by - opened_at FROM dispatch_case WHERE state = 'dispatched' ORDER BY id LIMIT 3"
    )
    assert split == [(timedelta(hours=25),)] * 3, "its clock stood still for the hour in which it was carried"


def test_a_member_that_goes_dark_later_joins_the_case_of_its_group(street: Street) -> None:
    desk = street.desk
    desk.alarm(("SL-02", street.circuit), at=FRIDAY)
    desk.take_up(FRIDAY)
    street.dark(FRIDAY + HOUR, street.lamps[0])
    desk.take_up(FRIDAY + HOUR + 2 * MINUTE)
    assert states(desk) == ["dispatched", "merged"]
    own = desk.numbers()[1]
    assert desk.moves(FRIDAY + 2 * HOUR).split(own, "its lamp is broken too") is None
    assert states(desk) == ["dispatched", "dispatched"]
    assert desk.moves(FRIDAY + 2 * HOUR).merge(desk.numbers()[0], [own], "no, it was the circuit") == 1
    assert states(desk) == ["dispatched", "merged"]


def test_different_kinds_on_one_road_within_minutes_are_one_incident(desk: Desk) -> None:
    raised(desk, "MH-01", COVER_EAST, FRIDAY)
    raised(desk, "MH-01", COVER_WEST, FRIDAY + MINUTE)
    raised(desk, "SL-01", LAMP, FRIDAY + 5 * MINUTE)
    found = rows(desk.connection, "SELECT device_id, incident FROM dispatch_case c JOIN device d ON d.id = c.device")
    west = desk.numbers()[1]
    assert dict(found) == {COVER_EAST: None, COVER_WEST: west, LAMP: west}, "the same road in the same district"
    raised(desk, "SL-04", LAMP, FRIDAY + HOUR)
    assert rows(desk.connection, "SELECT incident FROM dispatch_case ORDER BY id DESC LIMIT 1") == [(None,)]


@pytest.mark.each_server
def test_a_repair_that_does_not_hold_reopens_its_case_within_a_week(desk: Desk) -> None:
    raised(desk, "MH-01", COVER_EAST, FRIDAY)
    number = desk.only_number()
    desk.work(number, FRIDAY)
    cleared(desk, "MH-01", COVER_EAST, FRIDAY + MINUTE)
    desk.hear(COVER_EAST, FRIDAY + 2 * MINUTE)
    desk.ask(FRIDAY + 2 * MINUTE)
    later = FRIDAY + timedelta(days=3)
    raised(desk, "MH-01", COVER_EAST, later)
    assert rows(desk.connection, "SELECT number, state, open, rework, fix_by, opened_at FROM dispatch_case") == [
        (number, "dispatched", True, 1, later + 2 * HOUR, FRIDAY)
    ]
    assert events(desk, number)[-2:] == ["joined", "reopen"]


@pytest.mark.each_server
def test_where_the_unit_has_left_the_city_meanwhile_it_is_another_units_case(desk: Desk) -> None:
    raised(desk, "MH-01", COVER_EAST, FRIDAY)
    desk.work(desk.only_number(), FRIDAY)
    cleared(desk, "MH-01", COVER_EAST, FRIDAY + MINUTE)
    desk.hear(COVER_EAST, FRIDAY + 2 * MINUTE)
    desk.ask(FRIDAY + 2 * MINUTE)
    desk.city = replace(desk.city, units={name: unit for name, unit in desk.city.units.items() if name != "drainage"})
    raised(desk, "MH-01", COVER_EAST, FRIDAY + timedelta(days=3))
    assert rows(desk.connection, "SELECT unit, state FROM dispatch_case ORDER BY id") == [
        ("drainage", "closed"),
        ("east-cg", "dispatched"),
    ]


@pytest.mark.each_server
def test_after_that_week_it_is_another_case(desk: Desk) -> None:
    raised(desk, "MH-01", COVER_EAST, FRIDAY)
    desk.work(desk.only_number(), FRIDAY)
    cleared(desk, "MH-01", COVER_EAST, FRIDAY + MINUTE)
    desk.hear(COVER_EAST, FRIDAY + 2 * MINUTE)
    desk.ask(FRIDAY + 2 * MINUTE)
    raised(desk, "MH-01", COVER_EAST, FRIDAY + timedelta(days=8))
    assert states(desk) == ["closed", "dispatched"]


def test_a_sheet_is_answered_once_and_the_case_remembers(desk: Desk) -> None:
    raised(desk, "MH-01", COVER_EAST, FRIDAY)
    number = desk.only_number()
    desk.look(FRIDAY + 3 * HOUR)
    (sheet,) = list_sheets(desk.connection)
    assert (sheet.case_number, sheet.colour, sheet.points) == (number, 2, -1)
    assert desk.moves(FRIDAY + 4 * HOUR, "drainage").answer_sheet(sheet.number, "crew on its way") is None
    assert list_sheets(desk.connection) == []
    (answered,) = list_sheets(desk.connection, everything=True)
    assert (answered.answered_by, answered.answer) == ("drainage", "crew on its way")
    assert events(desk, number)[-1] == "sheet_answered"


def test_what_the_clock_does_it_does_once_however_often_it_is_asked(desk: Desk) -> None:
    raised(desk, "MH-01", COVER_EAST, FRIDAY)
    assert [desk.look(FRIDAY + 3 * HOUR), desk.look(FRIDAY + 3 * HOUR)] == [1, 0]


def test_who_answers_jointly_and_what_nobody_owns(desk: Desk) -> None:
    raised(desk, "FU-03", KITCHEN, FRIDAY)
    raised(desk, "MH-01", COVER_WEST, FRIDAY)
    found = rows(desk.connection, "SELECT unit, reason, joint, notice_until FROM dispatch_case ORDER BY id")
    notice = datetime(2026, 11, 23, 17, 30, tzinfo=SHANGHAI)
    assert found == [
        ("east-cg", "owner", ["sensor-care"], None),
        ("west-cg", "ownerless", [], notice),
    ]


def test_a_suspended_case_stands_still_and_goes_on_with_what_was_left(desk: Desk) -> None:
    raised(desk, "MH-01", COVER_EAST, FRIDAY)
    number = desk.only_number()
    desk.moves(FRIDAY).accept(number)
    assert desk.moves(FRIDAY + HOUR).suspend(number, "holiday") == "not_listed"
    assert desk.moves(FRIDAY + HOUR).suspend(number, "permit", "road closure") is None
    assert desk.look(FRIDAY + 30 * HOUR) == 0
    desk.moves(FRIDAY + 30 * HOUR).resume(number)
    assert rows(desk.connection, "SELECT fix_by FROM dispatch_case") == [(FRIDAY + 31 * HOUR,)]


@pytest.mark.each_server
def test_indicators_count_what_became_of_cases(desk: Desk) -> None:
    raised(desk, "MH-01", COVER_EAST, FRIDAY)  # drainage: on time, closed by evidence
    desk.work(desk.numbers()[0], FRIDAY + HOUR)
    cleared(desk, "MH-01", COVER_EAST, FRIDAY + HOUR)
    desk.hear(COVER_EAST, FRIDAY + 2 * HOUR)
    desk.ask(FRIDAY + 2 * HOUR)
    raised(desk, "MH-05", COVER_EAST, FRIDAY)  # drainage: late, and nothing was there
    desk.moves(FRIDAY).accept(desk.numbers()[1])
    desk.moves(FRIDAY).arrive(desk.numbers()[1])
    desk.moves(FRIDAY + 9 * HOUR).done(desk.numbers()[1], "dry", Finding.NOT_FOUND)
    raised(desk, "MH-08", COVER_EAST, FRIDAY)  # cancelled: nobody's to handle
    desk.moves(FRIDAY).cancel(desk.numbers()[2], "a drill")
    raised(desk, "SL-01", LAMP, FRIDAY)  # lighting: overdue
    desk.look(FRIDAY + 25 * HOUR)

    def counted(by: By) -> dict[str, Counts]:
        at = FRIDAY + 26 * HOUR
        found = count_cases(
            desk.connection, by, since=FRIDAY - HOUR, until=at + timedelta(days=9), zone=SHANGHAI, at=at
        )
        return {row.name.key: row.counts for row in found}

    units = counted(By.UNIT)
    drainage = units["drainage"]
    assert (drainage.should_handle, drainage.handled, drainage.handled_on_time, drainage.closed) == (2, 2, 1, 1)
    assert (units["lighting"].overdue, units["lighting"].points) == (1, -1)
    assert {rule: (row.trips, row.finds) for rule, row in counted(By.RULE).items()} == {
        "MH-01": (1, 1),
        "MH-05": (1, 0),
        "MH-08": (1, 0),
        "SL-01": (0, 0),
    }
    assert {month: row.should_handle for month, row in counted(By.MONTH).items()} == {"2026-11": 3}
    assert sum(row.should_handle for row in counted(By.GRID).values()) == 3
    assert set(counted(By.DISTRICT)) == {"east", "west"}
