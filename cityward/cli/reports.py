"""Commands that print and write what the bureau wants on paper."""

import getpass
import sys
from collections.abc import Callable
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from cases.city import City
from cases.reports import periods
from cases.reports.document import Report, heading, on_screen, shown, subtitle, title
from cases.reports.files import Format, write
from cases.words import Language
from cityward import wiring
from cityward.cli.context import CommandError, database, load_settings, out, table
from storage import month_close, reports
from storage.connection import Connection
from storage.registry_store import load_city

reports_app = typer.Typer(no_args_is_help=True)


class Printed(StrEnum):
    """How a report can be printed or written."""

    TABLE = "table"
    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"


_As = Annotated[
    Printed | None, typer.Option("--format", help="Without it by the ending of --out, else tables.", show_default=False)
]
_Out = Annotated[Path | None, typer.Option("--out", help="The file to write.", show_default=False)]
_Language = Annotated[
    Language | None, typer.Option(help="Of headings and words; without it the setting's.", show_default=False)
]
_Month = Annotated[str, typer.Argument(help="Such as 2026-10.", show_default=False)]
# A report of the city, today being a local day.
_Make = Callable[[Connection, City, date, datetime], Report]
_T = TypeVar("_T")


@reports_app.command("weekly")
def weekly(
    day: Annotated[str, typer.Option("--from", help="A day of the week; without it last week.")] = "",
    form: _As = None,
    file: _Out = None,
    language: _Language = None,
) -> None:
    """The weekly supervision list: what is overdue, the week's sheets, who has not answered."""

    def make(connection: Connection, city: City, today: date, now: datetime) -> Report:
        chosen = _read(periods.read_day, day) if day else today - timedelta(days=7)
        return reports.weekly_list(connection, city, periods.week(chosen), now)

    _deliver(make, form, file, language)


@reports_app.command("month")
def month(
    chosen: Annotated[str, typer.Option("--month", help="Such as 2026-10; without it last month.")] = "",
    form: _As = None,
    file: _Out = None,
    language: _Language = None,
) -> None:
    """The monthly bulletin: rankings, problems, roads, targets; of a closed month what was frozen and what changed."""

    def make(connection: Connection, city: City, today: date, now: datetime) -> Report:
        period = _read(periods.read_month, chosen) if chosen else periods.before(periods.month(today))
        return reports.bulletin(connection, city, period, now)

    _deliver(make, form, file, language)


@reports_app.command("quarter")
def quarter(
    chosen: Annotated[str, typer.Option("--quarter", help="Such as 2026-Q4; without it the last one.")] = "",
    form: _As = None,
    file: _Out = None,
    language: _Language = None,
) -> None:
    """Quarterly scores of units, districts, streets and grids, with those of each month."""

    def make(connection: Connection, city: City, today: date, now: datetime) -> Report:
        last = periods.quarter(periods.quarter(today).first - timedelta(days=1))
        period = _read(periods.read_quarter, chosen) if chosen else last
        return reports.quarterly_scores(connection, city, period, now)

    _deliver(make, form, file, language)


@reports_app.command("watchlist")
def watchlist(
    first: Annotated[str, typer.Option("--from", help="The first day; without it 1 January.")] = "",
    last: Annotated[str, typer.Option("--to", help="The last day; without it today.")] = "",
    form: _As = None,
    file: _Out = None,
    language: _Language = None,
) -> None:
    """Restaurants that came on the watch list for fume, went off it, and are on it."""

    def make(connection: Connection, city: City, today: date, now: datetime) -> Report:
        return reports.watch_list(connection, city, _days(first, last, today.replace(month=1, day=1), today), now)

    _deliver(make, form, file, language)


@reports_app.command("ledger")
def ledger(
    first: Annotated[str, typer.Option("--from", help="Opened on this day or later; without it this month's.")] = "",
    last: Annotated[str, typer.Option("--to", help="And on this day or before; without it today.")] = "",
    unit: Annotated[str, typer.Option(help="Only cases that this unit answers for, alone or jointly.")] = "",
    district: Annotated[str, typer.Option(help="Only cases in this district.")] = "",
    form: _As = None,
    file: _Out = None,
    language: _Language = None,
) -> None:
    """The ledger of cases: one line each, from opening to how it ended."""

    def make(connection: Connection, city: City, today: date, now: datetime) -> Report:
        period = _days(first, last, today.replace(day=1), today)
        return reports.ledger(connection, city, period, now, unit=unit, district=district)

    _deliver(make, form, file, language)


@reports_app.command("close")
def close(
    chosen: _Month,
    by: Annotated[str, typer.Option("--by", help="Who closes it; without it the user of this computer.")] = "",
) -> None:
    """Freeze the scores of a month that is over; what changes later is shown beside them, never instead."""
    settings = load_settings()
    period = _read(periods.read_month, chosen)
    with database(settings) as connection:
        zone = load_city(connection).calendar.timezone
        now = wiring.clock(settings).now()
        month_close.close_month(connection, period, zone, at=now, by=by or getpass.getuser())
    out.print(f"{period.name}: closed; cityward reports month --month {period.name} shows it.")


@reports_app.command("check")
def check(chosen: _Month) -> None:
    """Make the scores of a closed month again from the histories; exit code 1 where they differ from what was kept."""
    settings = load_settings()
    period = _read(periods.read_month, chosen)
    with database(settings) as connection:
        found = month_close.differences(connection, period, load_city(connection).calendar.timezone)
    if found:
        raise CommandError(f"{period.name}: the histories do not make again what was kept of: {', '.join(found)}")
    out.print(f"{period.name}: the histories make again what was kept.")


def _deliver(make: _Make, form: Printed | None, file: Path | None, language: Language | None) -> None:
    settings = load_settings()
    chosen = _form(form, file)
    language = language or settings.language
    with database(settings) as connection:
        city = load_city(connection)
        now = wiring.clock(settings).now()
        report = make(connection, city, now.astimezone(city.calendar.timezone).date(), now)
        if chosen is Printed.TABLE:
            _print(report, language)
        elif file is None:
            write(report, Format(chosen), language, sys.stdout.buffer)
        else:
            _save(report, Format(chosen), language, file)


def _save(report: Report, form: Format, language: Language, file: Path) -> None:
    """All of it, or the file that was there before."""
    unfinished = file.with_name(f"{file.name}.unfinished")
    try:
        with unfinished.open("wb") as stream:
            write(report, form, language, stream)
        unfinished.replace(file)
    except OSError as error:
        raise CommandError(f"--out {file}: {error.strerror}") from error
    finally:
        unfinished.unlink(missing_ok=True)
    out.print(f"{file}: {heading(report.key, language)} {report.period}")


def _form(form: Printed | None, file: Path | None) -> Printed:
    ending = file.suffix.lstrip(".").lower() if file else ""
    chosen = form or (Printed(ending) if ending in [*Format] else Printed.TABLE)
    if file and chosen is Printed.TABLE:
        raise CommandError(f"--out {file}: give it the ending .csv, .xlsx or .json, or say --format")
    if chosen is Printed.XLSX and file is None:
        raise CommandError("XLSX goes into a file: say --out report.xlsx")
    return chosen


def _print(report: Report, language: Language) -> None:
    out.print(title(report, language))
    out.print(subtitle(report, language))
    for part in map(on_screen, report.parts):
        headings = [heading(column.key, language) for column in part.columns]
        rows = (
            [shown(column, cell, language, report.zone) or "-" for column, cell in zip(part.columns, row, strict=True)]
            for row in part.rows
        )
        out.print()
        out.print(table(heading(part.key, language), headings, rows))


def _days(first: str, last: str, begin: date, today: date) -> periods.Period:
    since = _read(periods.read_day, first) if first else begin
    until = _read(periods.read_day, last) if last else max(today, since)
    return _read(lambda _: periods.days(since, until), "")


def _read(how: Callable[[str], _T], text: str) -> _T:
    try:
        return how(text)
    except ValueError as error:
        raise CommandError(str(error)) from error
