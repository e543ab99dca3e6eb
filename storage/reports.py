"""Reports put together from what is stored; ``cases.reports`` says what stands in them."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row, dict_row

from alarms.lifecycle import Event
from cases.city import City
from cases.policy import Colour
from cases.reports import ledger as ledger_table
from cases.reports import monthly, watchlist, weekly
from cases.reports.document import Cell, Name, Part, Report, local, named
from cases.reports.monthly import MonthRead, Target
from cases.reports.periods import Period, before, months
from cases.reports.scores import SCORED
from cases.reports.watchlist import WatchEvent
from cases.reports.weekly import IssuedSheet
from cases.standing import Standing
from storage import month_close, report_book
from storage.queries import load

_SQL = load("reports")
_NAMED = frozenset({"unit", "district"})


def weekly_list(connection: Connection, city: City, week: Period, now: datetime) -> Report:
    """The weekly supervision list, as of the week's end, or of now while it lasts."""
    since, until = week.moments(city.calendar.timezone)
    at = min(until, now)
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_SQL["sheets_between"], {"since": since, "until": at}).fetchall()
    sheets = [IssuedSheet(**{**row, "colour": Colour(row["colour"])}) for row in rows]
    names = report_book.names(connection)
    return _report("weekly", city, week, at, weekly.weekly(report_book.open_at(connection, at), sheets, names, at))


def bulletin(connection: Connection, city: City, month: Period, now: datetime) -> Report:
    """The monthly bulletin; of a closed month the frozen scores, and what has changed since."""
    names = report_book.names(connection)
    this = _month(connection, city, month, now, names, whole=True)
    earlier = _month(connection, city, before(month), now, names)
    since, until = month.moments(city.calendar.timezone)
    still: list[Standing] = []
    notes = {}
    if this.closed_at:
        still = report_book.due_between(connection, since, until, at=now)
        moved = {case.id for case in this.cases} - {case.id for case in still}
        still += report_book.these(connection, moved, at=now)
        notes["closed_note"] = f"{local(this.closed_at, city.calendar.timezone)} {this.closed_by}"
    parameters = {"since": since, "until": until, "first": month.first, "last": month.last}
    with connection.cursor(row_factory=class_row(Target)) as cursor:
        targets = cursor.execute(_SQL["targets"], parameters).fetchall()
    parts = monthly.monthly(this, earlier, targets, still, names)
    return _report("month", city, month, this.closed_at or now, parts, notes)


def quarterly_scores(connection: Connection, city: City, quarter: Period, now: datetime) -> Report:
    """The quarter's scores; months that were closed count as they were frozen."""
    names = report_book.names(connection)
    read = [_month(connection, city, month, now, names) for month in months(quarter)]
    return _report("quarter", city, quarter, now, monthly.quarterly(read))


def watch_list(connection: Connection, city: City, period: Period, now: datetime) -> Report:
    """Restaurants that came on the watch list, went off it, and are on it."""
    since, until = period.moments(city.calendar.timezone)
    parameters = {"rule": watchlist.RULE, "events": [*watchlist.EVENTS], "until": min(until, now)}
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_SQL["watch_events"], parameters).fetchall()
    events = [WatchEvent(**{**row, "event": Event(row["event"])}) for row in rows]
    parts = watchlist.watchlist(events, report_book.names(connection), since, until, now)
    return _report("watchlist", city, period, min(until, now), parts)


def ledger(
    connection: Connection,
    city: City,
    period: Period,
    now: datetime,
    *,
    unit: str = "",
    district: str = "",
    most: int | None = None,
) -> Report:
    """The cases opened in a stretch of days, as they stand now, at most so many; read while the report is written."""
    since, until = period.moments(city.calendar.timezone)
    asked = {"since": since, "until": until, "unit": unit or None, "district": district or None, "most": most}
    rows = _ledger_rows(connection, asked)
    return _report("ledger", city, period, now, [Part("cases", ledger_table.COLUMNS, rows)])


def _ledger_rows(connection: Connection, asked: Mapping[str, Any]) -> Iterator[tuple[Cell, ...]]:
    names = report_book.names(connection)
    with connection.transaction(), connection.cursor(name="ledger", row_factory=dict_row) as cursor:
        for row in cursor.execute(_SQL["ledger"], asked):
            yield tuple(_cell(row, column.key, names) for column in ledger_table.COLUMNS)


def _cell(row: Mapping[str, Any], key: str, names: Mapping[str, Name]) -> Cell:
    if key == "colour":
        return Colour(row[key]) if row[key] else None
    cell: Cell = row[key]
    return named(names, str(cell)) if key in _NAMED else cell


def _month(
    connection: Connection,
    city: City,
    month: Period,
    now: datetime,
    names: Mapping[str, Name],
    *,
    whole: bool = False,
) -> MonthRead:
    """A month; of one that was closed the cases only where it is to be ``whole``: its scores do not need them."""
    zone = city.calendar.timezone
    since, until = month.moments(zone)
    row = connection.execute(_SQL["opened_between"], {"since": since, "until": until}).fetchone() or (0,)
    close = month_close.closes(connection, [month.first]).get(month.first)
    if close is None:
        # Of a month that lasts still, what is due by now: nobody is late with the rest.
        cases = report_book.due_between(connection, since, min(until, now), at=now)
        scores = {by: month_close.scored(cases, by, zone, names) for by in SCORED}
        return MonthRead(name=month.name, cases=cases, scores=scores, opened=row[0])
    through = close.through
    return MonthRead(
        name=month.name,
        cases=report_book.due_between(connection, since, until, at=close.closed_at, through=through) if whole else (),
        scores=month_close.frozen(connection, month.first, names),
        opened=row[0],
        closed_at=close.closed_at,
        closed_by=close.closed_by,
    )


def _report(
    key: str, city: City, period: Period, at: datetime, parts: list[Part], notes: Mapping[str, str] | None = None
) -> Report:
    return Report(
        key=key,
        period=period.name,
        city=Name("city", city.names["en"], city.names["zh"]),
        zone=city.calendar.timezone,
        first=period.first,
        last=period.last,
        at=at,
        parts=parts,
        notes=notes or {},
    )
