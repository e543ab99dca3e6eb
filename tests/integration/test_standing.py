"""What is counted of cases: by their histories, by their columns, by the views; the same whoever counts."""

from collections import Counter
from datetime import timedelta

import pytest
from psycopg import errors

from cases.lifecycle import State
from cases.standing import By, Standing, tally
from devices.moments import micros
from devices.registry import Registry
from rules.jobs import Moments
from rules.local_time import LocalTime
from rules.measures import load_measures
from storage import measures
from storage.registry_store import load_registry, register_groups
from storage.report_book import count_cases, due_between, open_at
from tests.integration.desk import FRIDAY, SHANGHAI, Desk
from tests.integration.lives import HOUR, live
from tests.integration.making import COVER_EAST, LAMP, STRAIN, rows

pytestmark = pytest.mark.each_server

DAY = timedelta(days=1)
SINCE, UNTIL = FRIDAY - DAY, FRIDAY + 30 * DAY


@pytest.fixture
def lived(desk: Desk) -> dict[str, str]:
    return live(desk)


def by_number(standings: list[Standing]) -> dict[str, Standing]:
    return {case.number: case for case in standings}


def test_a_history_says_all_that_the_columns_of_its_case_say(desk: Desk, lived: dict[str, str]) -> None:
    standings = by_number(due_between(desk.connection, SINCE, UNTIL, at=UNTIL))
    assert set(standings) == set(lived.values())
    columns = (
        "SELECT number, state, unit, fix_by, done_at, rework, delays, bounces, found, colour, open,"
        " CASE outcome WHEN 'self_recovered' THEN 'stayed_well' WHEN 'with_parent' THEN 'parent_closed' END"
        " FROM dispatch_case"
    )
    for number, *facts, ended in rows(desk.connection, columns):
        case = standings[number]
        told = [case.state, case.unit, case.fix_by, case.done_at, case.rework, case.delays, case.bounces, case.found]
        assert [*told, case.open] == [*facts[:-2], facts[-1]], number
        assert ended is None or case.closed_because == ended
        assert case.colour >= facts[-2], "sheets of the time before it reopened are on record"


def test_cases_count_by_what_became_of_them(desk: Desk, lived: dict[str, str]) -> None:
    at = FRIDAY + 2 * DAY
    counts = tally(due_between(desk.connection, SINCE, UNTIL, at=at))
    left_out = {"cancelled", "recovered", "carried", "reported"}
    assert counts.should_handle == len(lived) - len(left_out)
    assert (counts.handled, counts.handled_on_time) == (3, 2)  # on_time, late, handed_on
    assert counts.should_close == 5  # and sent_back, reopened
    assert (counts.closed, counts.closed_on_time) == (1, 1)
    assert (counts.rework, counts.delayed, counts.returned) == (2, 1, 1)
    assert (counts.trips, counts.finds) == (7, 5)  # self-recovered and the drill found nothing


def test_the_past_is_told_as_it_was(desk: Desk, lived: dict[str, str]) -> None:
    then = by_number(due_between(desk.connection, SINCE, UNTIL, at=FRIDAY + 3 * HOUR))
    assert then[lived["reopened"]].state is State.CLOSED
    assert then[lived["late"]].done_at is None
    assert then[lived["recovered"]].state is State.OBSERVING
    assert {case.number for case in open_at(desk.connection, FRIDAY + 3 * HOUR)} == set(lived.values()) - {
        lived["on_time"], lived["reopened"], lived["cancelled"]
    }  # fmt: skip


def test_command_view_and_reports_count_the_same(desk: Desk, lived: dict[str, str]) -> None:
    """The view reads columns and stands at the city's latest news."""
    assert lived
    desk.connection.execute(
        "INSERT INTO device_status (device, last_ts, last_received_at, readings) SELECT min(id), %(at)s, %(at)s, 1"
        " FROM device",
        {"at": FRIDAY + 20 * DAY},
    )
    ((latest,),) = rows(desk.connection, "SELECT latest FROM city_clock")
    view = rows(
        desk.connection,
        "SELECT unit, sum(should_handle), sum(handled), sum(handled_in_time), sum(should_close), sum(closed),"
        " sum(reworked), sum(overdue), sum(delayed) FROM kpi_cases GROUP BY unit ORDER BY unit",
    )
    counted = count_cases(desk.connection, By.UNIT, since=SINCE, until=UNTIL, zone=SHANGHAI, at=latest)
    assert view == [
        (row.name.key, of.should_handle, of.handled, of.handled_on_time, of.should_close, of.closed, of.rework,
         of.overdue, of.delayed)
        for row in counted if (of := row.counts).should_handle
    ]  # fmt: skip
    assert sum(row[7] for row in view) == 5  # sent back, reopened, more_time, suspended and overdue


def test_nothing_is_counted_twice_or_lost_by_any_division(desk: Desk, lived: dict[str, str]) -> None:
    assert lived
    totals = Counter(
        sum(
            row.counts.should_handle
            for row in count_cases(desk.connection, by, since=SINCE, until=UNTIL, zone=SHANGHAI, at=UNTIL)
        )
        for by in By
    )
    assert len(totals) == 1


def test_a_history_is_only_ever_added_to(desk: Desk) -> None:
    desk.alarm(("MH-01", COVER_EAST))
    desk.take_up()
    for change in ("UPDATE case_event SET at = at", "DELETE FROM case_event"):
        with pytest.raises(errors.IntegrityConstraintViolation, match="case_event is only ever added to"):
            desk.connection.execute(change.encode())


def test_views_and_the_nightly_figure_agree_on_what_is_not_intact(desk: Desk, registry: Registry) -> None:
    desk.alarm(("SL-01", LAMP), ("XX-99", STRAIN), at=FRIDAY)
    desk.take_up(FRIDAY + HOUR)
    connection = desk.connection
    connection.execute("UPDATE dispatch_case SET problem = 'device_offline' WHERE rule_id = 'XX-99'")
    view = dict(rows(connection, "SELECT kind, intact_rate FROM kpi_intact_rate WHERE district = 'west'"))
    asked = {}
    for kind in ("streetlight", "bridge", "manhole"):
        register_groups(connection, registry, [(kind, ("district",))], FRIDAY)
        grouped = load_registry(connection, registry.kinds)
        figures = measures.ask(
            connection, load_measures()["intact_rate"], kind, grouped.membership(kind, ("district",)), grouped,
            LocalTime(SHANGHAI), Moments.of(LocalTime(SHANGHAI), micros(FRIDAY + 2 * HOUR)),
        )  # fmt: skip
        asked[kind] = figures[grouped.groups[f"district:west:{kind}"].id]["intact_rate"]
    assert asked == {"streetlight": 0.0, "bridge": 1.0, "manhole": 1.0}, "a silent instrument is no broken bridge"
    assert asked == {kind: view[kind] for kind in asked}
