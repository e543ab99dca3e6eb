"""Cases as they stood at a moment, and what is counted of them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from psycopg import Connection
from psycopg.rows import dict_row

from cases.case import Finding
from cases.indicators import Counts
from cases.lifecycle import State
from cases.policy import Colour
from cases.reports.document import Name, named
from cases.standing import By, Standing, counted_for, grouped, tally
from storage.queries import load

_SQL = load("reports")
_EVER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Through:
    """How far the books are read: up to this entry of histories and this sheet; without numbers to the end."""

    event: int = _EVER
    sheet: int = _EVER


END = Through()


@dataclass(frozen=True, slots=True)
class CountRow:
    """Counts of cases of one unit, district, street, grid, road, month or rule; only the first two have names."""

    name: Name
    counts: Counts


def due_between(
    connection: Connection, since: datetime, until: datetime, *, at: datetime, through: Through = END
) -> list[Standing]:
    """The cases whose deadline, as of ``at``, lay between two moments."""
    return _standings(connection, at, through, since=since, until=until)


def these(connection: Connection, ids: Collection[int], *, at: datetime) -> list[Standing]:
    """The cases of these numbers in the database, wherever their deadline lies."""
    return _standings(connection, at, END, ids=[*ids])


def open_at(connection: Connection, at: datetime) -> list[Standing]:
    """The cases that were open at a moment, the nearest deadline first."""
    return [case for case in _standings(connection, at, END) if case.open]


def count_cases(
    connection: Connection, by: By, *, since: datetime, until: datetime, zone: ZoneInfo, at: datetime
) -> list[CountRow]:
    """Counts of the cases whose deadline falls between two moments, as of ``at``; months are the zone's."""
    called = names(connection) if by in {By.UNIT, By.DISTRICT} else {}
    groups = grouped(due_between(connection, since, until, at=at), counted_for(by, zone))
    return [CountRow(named(called, key), tally(cases)) for key, cases in sorted(groups.items())]


def names(connection: Connection) -> Mapping[str, Name]:
    """What units and districts are called, by id."""
    return {key: Name(key, name_en, name_zh) for key, name_en, name_zh in connection.execute(_SQL["names"])}


def _standings(
    connection: Connection,
    at: datetime,
    through: Through,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    ids: list[int] | None = None,
) -> list[Standing]:
    parameters = {
        "since": since, "until": until, "ids": ids, "at": at, "through_event": through.event,
        "through_sheet": through.sheet,
    }  # fmt: skip
    with connection.cursor(row_factory=dict_row) as cursor:
        # Planned anew each time: a month and all that is open want different ways.
        rows = cursor.execute(_SQL["standings"], parameters, prepare=False).fetchall()
    return [
        Standing(
            at=at,
            state=State(row.pop("state")),
            found=Finding(found) if (found := row.pop("found")) else None,
            colour=Colour(row.pop("colour")),
            **row,
        )
        for row in rows
    ]
