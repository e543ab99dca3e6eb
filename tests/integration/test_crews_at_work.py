"""Pretended crews with a case on a real database: from dispatch to done, with the repair before it."""

from datetime import timedelta

from psycopg import Connection

from cityward.crews import Crews
from devices.registry import Registry
from tests.integration.desk import FRIDAY, Desk
from tests.integration.making import COVER_EAST, rows


def test_a_crew_accepts_travels_repairs_and_reports_a_case_done(
    connection: Connection, desk: Desk, registry: Registry
) -> None:
    desk.alarm(("MH-01", COVER_EAST))
    desk.take_up()
    told: list[tuple[str, list[str]]] = []
    crews = Crews(connection, desk.practice, registry, lambda what, devices: told.append((what, devices)))
    for minute in range(90):
        crews.work(FRIDAY + timedelta(minutes=minute))
    assert told == [("repair", [COVER_EAST]), ("ask", [COVER_EAST])]
    by = rows(connection, "SELECT state, reason FROM case_event WHERE actor = 'crew of drainage' ORDER BY id")
    assert by == [("accepted", ""), ("on_site", ""), ("done", "repaired")]
    assert rows(connection, "SELECT state FROM dispatch_case") == [("verifying",)]
