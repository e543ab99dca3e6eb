"""Closing a month: what was counted is kept with who and when, and the histories up to then make it again."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, tzinfo
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from cases.indicators import Counts
from cases.reports.document import Name, named
from cases.reports.periods import Period
from cases.reports.scores import SCORED, Scored
from cases.standing import By, Standing, counted_for, grouped, tally
from devices.errors import Permanent
from devices.shapes import convert
from storage import report_book
from storage.queries import load
from storage.report_book import Through

_SQL = load("reports")


class MonthCloseError(Permanent):
    """A month cannot be closed, or has not been; the message says why."""


class MonthClosedError(MonthCloseError):
    """A month has been closed before."""

    def __init__(self, month: Period, close: "Close", zone: tzinfo) -> None:
        self.close = close
        when = close.closed_at.astimezone(zone)
        super().__init__(f"{month.name} was closed by {close.closed_by} on {when:%Y-%m-%d %H:%M} already")


@dataclass(frozen=True, slots=True)
class Close:
    """That a month was closed; ``through`` is how far the books had been written."""

    month: date
    closed_at: datetime
    closed_by: str
    through: Through


def close_month(connection: Connection, month: Period, zone: tzinfo, *, at: datetime, by: str) -> Close:
    """Freeze the scores of a month that is over.

    Raises:
        MonthCloseError: if it is not over, or was closed before.
    """
    since, until = month.moments(zone)
    if at < until:
        raise MonthCloseError(f"{month.name} is not over: it can be closed from {month.last} midnight on")
    if not by.strip():
        raise MonthCloseError("say who closes the month")
    through = _end_of_books(connection)
    cases = report_book.due_between(connection, since, until, at=at, through=through)
    scores = [(dimension, row) for dimension in SCORED for row in scored(cases, dimension, zone, {})]
    with connection.transaction():
        parameters = {
            "month": month.first, "at": at, "by": by.strip(), "through_event": through.event,
            "through_sheet": through.sheet,
        }  # fmt: skip
        if connection.execute(_SQL["insert_close"], parameters).fetchone() is None:
            raise MonthClosedError(month, closes(connection, [month.first])[month.first], zone)
        with connection.cursor() as cursor:
            cursor.executemany(_SQL["insert_score"], [_row(month, dimension, row) for dimension, row in scores])
    return Close(month.first, at, by.strip(), through)


def closes(connection: Connection, months: Collection[date]) -> Mapping[date, Close]:
    """Those of these months that were closed."""
    found = connection.execute(_SQL["closes"], {"months": [*months]})
    return {month: Close(month, at, by, Through(event, sheet)) for month, at, by, event, sheet in found}


def frozen(connection: Connection, month: date, names: Mapping[str, Name]) -> dict[By, list[Scored]]:
    """The scores of a closed month, as they were frozen."""
    scores: dict[By, list[Scored]] = {by: [] for by in SCORED}
    with connection.cursor(row_factory=dict_row) as cursor:
        for row in cursor.execute(_SQL["frozen_scores"], {"month": month}):
            counts = convert(row["counts"], Counts)
            by = By(row["by"])
            scores[by].append(Scored(_name(by, row["key"], names), counts, row["score"]))
    return scores


def scored(cases: Collection[Standing], by: By, zone: tzinfo, names: Mapping[str, Name]) -> list[Scored]:
    """Scores as they stand."""
    return [
        Scored.of(_name(by, key, names), tally(group))
        for key, group in sorted(grouped(cases, counted_for(by, zone)).items())
    ]


def differences(connection: Connection, month: Period, zone: tzinfo) -> list[str]:
    """Where the histories, read as far as they had been written, do not make again what was frozen; none: all well.

    Raises:
        MonthCloseError: if the month was not closed.
    """
    close = closes(connection, [month.first]).get(month.first)
    if close is None:
        raise MonthCloseError(f"{month.name} was not closed: cityward reports close {month.name}")
    since, until = month.moments(zone)
    cases = report_book.due_between(connection, since, until, at=close.closed_at, through=close.through)
    kept = frozen(connection, month.first, {})
    found = []
    for by in SCORED:
        then = {row.name.key: row.counts for row in kept[by]}
        again = {row.name.key: row.counts for row in scored(cases, by, zone, {})}
        found += [f"{by} {key}" for key in sorted({*then, *again}) if then.get(key) != again.get(key)]
    return found


def _name(by: By, key: str, names: Mapping[str, Name]) -> Name:
    return named(names, key) if by in {By.UNIT, By.DISTRICT} else Name(key)


def _row(month: Period, by: By, row: Scored) -> dict[str, Any]:
    return {
        "month": month.first,
        "by": by,
        "key": row.name.key,
        "counts": Jsonb(asdict(row.counts)),
        "score": row.score,
    }


def _end_of_books(connection: Connection) -> Through:
    """How far histories and sheets are written, once nobody is writing: entries may be committed out of order."""
    with connection.transaction():
        # No named query: it cannot be prepared.
        connection.execute("LOCK TABLE case_event, sheet IN SHARE MODE")
        row = connection.execute(_SQL["last_entries"]).fetchone()
    assert row is not None  # noqa: S101 - two aggregates
    return Through(*row)
