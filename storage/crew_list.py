"""Cases as a crew in the street needs them: where, what, until when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import class_row

from storage.queries import load

_SQL = load("crew_list")
_MOST = 200  # cases in a list


@dataclass(frozen=True, slots=True)
class CrewCase:
    """A case on a crew's page. Times are aware, in UTC; severity from 1, notice, to 4, critical.

    ``lon`` and ``lat`` are degrees (CGCS2000), None where the registry has no position. ``alarms`` counts the active
    ones, ``carried`` the cases that this one carries; ``version`` grows with everything that happens to it.
    """

    number: str
    problem: str
    severity: int
    state: str
    open: bool
    unit: str
    joint: list[str]
    opened_at: datetime
    started_at: datetime
    accept_by: datetime | None
    accepted_at: datetime | None
    arrive_by: datetime | None
    arrived_at: datetime | None
    safe_by: datetime | None
    safe_at: datetime | None
    fix_by: datetime
    done_at: datetime | None
    rework: int
    delay: str | None
    pause: str
    incident: str | None
    parent: str | None
    district: str
    device_id: str
    kind: str
    name: str
    road: str
    grid: str
    lon: float | None
    lat: float | None
    alarms: int
    carried: int
    version: int


def crew_cases(connection: Connection, unit: str) -> list[CrewCase]:
    """The open cases of a unit, but for those that another carries; the gravest first."""
    return _read(connection, {"number": None, "unit": unit, "limit": _MOST})


def crew_case(connection: Connection, number: str) -> CrewCase | None:
    """One case, open or not; None if there is none of that number."""
    return next(iter(_read(connection, {"number": number, "unit": None, "limit": 1})), None)


def _read(connection: Connection, which: Mapping[str, str | int | None]) -> list[CrewCase]:
    with connection.cursor(row_factory=class_row(CrewCase)) as cursor:
        return cursor.execute(_SQL["crew_cases"], which).fetchall()
