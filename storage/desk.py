"""What a dispatcher sees at a glance: totals, and where in the city the trouble is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import class_row

from storage.overview import last_heard
from storage.queries import load

_SQL = load("desk")
_MOST_GROUND = 20_000  # points: some 300 kB for the map's ground


@dataclass(frozen=True, slots=True)
class CaseTotals:
    """Open cases: all, past the deadline, with 80 % of the time used, not accepted in time, waiting for a decision."""

    open: int
    overdue: int
    at_risk: int
    unattended: int
    undecided: int


@dataclass(frozen=True, slots=True)
class AlarmTotals:
    """Open alarms: announced and active by severity, unacknowledged, and hushed by why."""

    critical: int
    major: int
    minor: int
    notice: int
    unacknowledged: int
    shelved: int
    suppressed: int
    out_of_service: int


@dataclass(frozen=True, slots=True)
class Glance:
    """The desk's head line; ``last_heard`` is a minute, aware, in UTC; None before the first reading."""

    cases: CaseTotals
    alarms: AlarmTotals
    last_heard: datetime | None


@dataclass(frozen=True, slots=True)
class Box:
    """A part of the map, in degrees."""

    west: float
    south: float
    east: float
    north: float


@dataclass(frozen=True, slots=True)
class Place:
    """Facilities in trouble that are near each other: how many, the worst one, where (degrees)."""

    facilities: int
    severity: int
    lon: float
    lat: float
    device_id: str
    name: str


def glance(connection: Connection, now: datetime) -> Glance:
    """Everything in a line; reads what is open once."""
    with connection.cursor(row_factory=class_row(CaseTotals)) as cursor:
        ((cases,)) = cursor.execute(_SQL["case_totals"], {"now": now}).fetchall()
    with connection.cursor(row_factory=class_row(AlarmTotals)) as cursor:
        ((alarms,)) = cursor.execute(_SQL["alarm_totals"]).fetchall()
    return Glance(cases, alarms, last_heard(connection))


def troubled_places(
    connection: Connection,
    box: Box,
    cell: float,
    *,
    district: str | None,
    kind: str | None,
    unit: str | None,
    severity: int | None,
) -> list[Place]:
    """Where facilities have an open case or an alarm that nobody has seen; those within a cell (degrees) are one place.

    A case is as severe as its alarms. The worst come last, to be drawn on top. With a unit only what it has cases of.
    """
    parameters = {
        "west": box.west, "south": box.south, "east": box.east, "north": box.north, "cell": cell,
        "district": district, "kind": kind, "unit": unit, "severity": severity,
    }  # fmt: skip
    with connection.cursor(row_factory=class_row(Place)) as cursor:
        return cursor.execute(_SQL["troubled_places"], parameters, prepare=False).fetchall()


def ground(connection: Connection) -> list[tuple[float, float]]:
    """Longitude and latitude of where facilities stand, to some metres: the ground of a map without tiles."""
    return [(lon, lat) for lon, lat in connection.execute(_SQL["ground"], {"limit": _MOST_GROUND})]


def alarms_of(connection: Connection, numbers: Sequence[str]) -> list[int]:
    """The alarms of these cases, by number."""
    return [alarm for (alarm,) in connection.execute(_SQL["alarms_of_cases"], {"numbers": list(numbers)})]
